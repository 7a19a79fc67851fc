//! Worker types of tasks in words. The raw type stays visible beside it: it is what logs and searches use.

/// What a worker of this type does, as an admin would say it; `None` for types that nobody has told us of.
pub fn describe(kind: &str) -> Option<&'static str> {
    KINDS
        .binary_search_by(|(known, _)| (*known).cmp(kind))
        .ok()
        .map(|index| KINDS[index].1)
}

/// Sorted by type.
const KINDS: &[(&str, &str)] = &[
    ("acmedeactivate", "deactivate ACME account"),
    ("acmenewcert", "order certificate"),
    ("acmerefresh", "refresh ACME account"),
    ("acmeregister", "register ACME account"),
    ("acmerenew", "renew certificate"),
    ("acmerevoke", "revoke certificate"),
    ("acmeupdate", "update ACME account"),
    ("aptupdate", "update package lists"),
    ("auth-realm-sync", "sync realm"),
    ("auth-realm-sync-test", "preview realm sync"),
    ("bulkmigrate", "migrate many"),
    ("bulkshutdown", "shut down many"),
    ("bulkstart", "start many"),
    ("bulksuspend", "suspend many"),
    ("cephcreatemds", "create Ceph MDS"),
    ("cephcreatemgr", "create Ceph manager"),
    ("cephcreatemon", "create Ceph monitor"),
    ("cephcreateosd", "create Ceph OSD"),
    ("cephcreatepool", "create Ceph pool"),
    ("cephdestroyfs", "destroy CephFS"),
    ("cephdestroymds", "destroy Ceph MDS"),
    ("cephdestroymgr", "destroy Ceph manager"),
    ("cephdestroymon", "destroy Ceph monitor"),
    ("cephdestroyosd", "destroy Ceph OSD"),
    ("cephdestroypool", "destroy Ceph pool"),
    ("cephfscreate", "create CephFS"),
    ("cephsetflags", "set Ceph flags"),
    ("cephsetpool", "change Ceph pool"),
    ("clustercreate", "create cluster"),
    ("clusterjoin", "join cluster"),
    ("dircreate", "create directory storage"),
    ("dirremove", "remove directory storage"),
    ("diskinit", "initialise disk"),
    ("download", "download"),
    ("hamigrate", "HA migrate"),
    ("hashutdown", "HA shut down"),
    ("hastart", "HA start"),
    ("hastop", "HA stop"),
    ("imgcopy", "copy image"),
    ("imgdel", "remove image"),
    ("lvmcreate", "create LVM storage"),
    ("lvmremove", "remove volume group"),
    ("lvmthincreate", "create thin pool"),
    ("lvmthinremove", "remove thin pool"),
    ("migrateall", "migrate all"),
    ("move_volume", "move volume"),
    ("prunebackups", "prune backups"),
    ("pull_file", "pull file"),
    ("push_file", "push file"),
    ("qmclone", "clone"),
    ("qmconfig", "configure"),
    ("qmcreate", "create"),
    ("qmdelsnapshot", "delete snapshot"),
    ("qmdestroy", "destroy"),
    ("qmigrate", "migrate"),
    ("qmmove", "move disk"),
    ("qmpause", "pause"),
    ("qmreboot", "reboot"),
    ("qmreset", "reset"),
    ("qmrestore", "restore"),
    ("qmresume", "resume"),
    ("qmrollback", "roll back"),
    ("qmshutdown", "shut down"),
    ("qmsnapshot", "snapshot"),
    ("qmstart", "start"),
    ("qmstop", "stop"),
    ("qmsuspend", "hibernate"),
    ("qmtemplate", "convert to template"),
    ("reloadnetworkall", "reload network everywhere"),
    ("resize", "resize disk"),
    ("spiceproxy", "SPICE console"),
    ("spiceshell", "SPICE shell"),
    ("srvreload", "reload service"),
    ("srvrestart", "restart service"),
    ("srvstart", "start service"),
    ("srvstop", "stop service"),
    ("startall", "start all"),
    ("stopall", "stop all"),
    ("suspendall", "suspend all"),
    ("termproxy", "console"),
    ("unknownimgdel", "remove image"),
    ("vncproxy", "console"),
    ("vncshell", "shell"),
    ("vzclone", "clone"),
    ("vzcreate", "create"),
    ("vzdelsnapshot", "delete snapshot"),
    ("vzdestroy", "destroy"),
    ("vzdump", "backup"),
    ("vzmigrate", "migrate"),
    ("vzmount", "mount"),
    ("vzreboot", "reboot"),
    ("vzrestore", "restore"),
    ("vzresume", "resume"),
    ("vzrollback", "roll back"),
    ("vzshutdown", "shut down"),
    ("vzsnapshot", "snapshot"),
    ("vzstart", "start"),
    ("vzstop", "stop"),
    ("vzsuspend", "suspend"),
    ("vztemplate", "convert to template"),
    ("vzumount", "unmount"),
    ("wipedisk", "wipe disk"),
    ("zfscreate", "create ZFS storage"),
    ("zfsremove", "remove ZFS pool"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found() {
        assert!(KINDS.windows(2).all(|pair| pair[0].0 < pair[1].0), "not sorted");
        for (kind, words) in KINDS {
            assert_eq!(describe(kind), Some(*words));
        }
        assert_eq!(describe("vzdump"), Some("backup"));
        assert_eq!(describe("somethingnew"), None);
    }
}
