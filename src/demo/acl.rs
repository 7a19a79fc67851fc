//! Roles, access lists and what a user may do on a path.
//!
//! An entry counts on its path and, when it propagates, below it; the deepest path wins; entries of a user win over
//! nothing else (the estate has no groups); `NoAccess` on a path takes everything away.

use std::collections::BTreeSet;

/// Every privilege, sorted.
pub(super) const PRIVILEGES: &[&str] = &[
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Replicate",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// The roles: those that are built in, and `PowerOperator`.
pub(super) const ROLES: &[&str] = &[
    "Administrator",
    "NoAccess",
    "PowerOperator",
    "PVEAdmin",
    "PVEAuditor",
    "PVEDatastoreAdmin",
    "PVEDatastoreUser",
    "PVEMappingAdmin",
    "PVEMappingUser",
    "PVEPoolAdmin",
    "PVEPoolUser",
    "PVESDNAdmin",
    "PVESDNUser",
    "PVESysAdmin",
    "PVETemplateUser",
    "PVEUserAdmin",
    "PVEVMAdmin",
    "PVEVMUser",
];

/// The privileges of a role; `None` if there is no such role.
pub(super) fn role(name: &str) -> Option<Vec<&'static str>> {
    let matching = |test: fn(&str) -> bool| PRIVILEGES.iter().copied().filter(|p| test(p)).collect();
    Some(match name {
        "Administrator" => PRIVILEGES.to_vec(),
        "NoAccess" => Vec::new(),
        // The one role that somebody of this estate has made.
        "PowerOperator" => vec!["VM.Audit", "VM.PowerMgmt"],
        "PVEAdmin" => matching(|p| {
            !matches!(
                p,
                "Mapping.Modify"
                    | "Permissions.Modify"
                    | "Realm.Allocate"
                    | "Sys.AccessNetwork"
                    | "Sys.Incoming"
                    | "Sys.Modify"
                    | "Sys.PowerMgmt"
            )
        }),
        "PVEAuditor" => matching(|p| p.ends_with(".Audit")),
        "PVEDatastoreAdmin" => matching(|p| p.starts_with("Datastore.")),
        "PVEDatastoreUser" => vec!["Datastore.AllocateSpace", "Datastore.Audit"],
        "PVEMappingAdmin" => matching(|p| p.starts_with("Mapping.")),
        "PVEMappingUser" => vec!["Mapping.Audit", "Mapping.Use"],
        "PVEPoolAdmin" => vec!["Pool.Allocate", "Pool.Audit"],
        "PVEPoolUser" => vec!["Pool.Audit"],
        "PVESDNAdmin" => matching(|p| p.starts_with("SDN.")),
        "PVESDNUser" => vec!["SDN.Audit", "SDN.Use"],
        "PVEUserAdmin" => vec!["Group.Allocate", "Realm.AllocateUser", "User.Modify"],
        "PVESysAdmin" => vec!["Sys.Audit", "Sys.Console", "Sys.Syslog"],
        "PVETemplateUser" => vec!["VM.Audit", "VM.Clone"],
        "PVEVMAdmin" => matching(|p| p.starts_with("VM.")),
        "PVEVMUser" => vec![
            "VM.Audit",
            "VM.Backup",
            "VM.Config.CDROM",
            "VM.Config.Cloudinit",
            "VM.Console",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.PowerMgmt",
        ],
        _ => return None,
    })
}

/// One entry of the access list.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: String,
    /// A user or a full token id.
    pub(super) who: String,
    pub(super) role: String,
    pub(super) propagate: bool,
}

/// A set of privileges.
pub(super) type Privileges = BTreeSet<&'static str>;

/// What `who` has on `path` through these entries. `pool` is the pool that the object on the path belongs to.
pub(super) fn on_path(entries: &[Entry], who: &str, path: &str, pool: Option<&str>) -> Privileges {
    let mut found = granted(entries, who, path);
    if let Some(pool) = pool {
        let more = granted(entries, who, &format!("/pool/{pool}"));
        let denied = |set: &Option<Privileges>| set.as_ref().is_some_and(Privileges::is_empty);
        if !denied(&found) {
            found = Some(
                found
                    .unwrap_or_default()
                    .into_iter()
                    .chain(more.unwrap_or_default())
                    .collect(),
            );
        }
    }
    found.unwrap_or_default()
}

/// `None`: no entry speaks of the path.
fn granted(entries: &[Entry], who: &str, path: &str) -> Option<Privileges> {
    let depth = |entry: &Entry| entry.path.split('/').filter(|part| !part.is_empty()).count();
    let applies = |entry: &&Entry| {
        entry.who == who && (entry.path == path || (entry.propagate && is_below(path, &entry.path)))
    };
    let deepest = entries.iter().filter(applies).map(depth).max()?;
    let roles: Vec<&Entry> = entries
        .iter()
        .filter(applies)
        .filter(|entry| depth(entry) == deepest)
        .collect();
    if roles.iter().any(|entry| entry.role == "NoAccess") {
        return Some(Privileges::new());
    }
    Some(
        roles
            .iter()
            .filter_map(|entry| role(&entry.role))
            .flatten()
            .collect(),
    )
}

fn is_below(path: &str, above: &str) -> bool {
    above == "/" || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Is this a path that access can be given on?
pub(super) fn is_valid_path(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    path.starts_with('/')
        && parts.next().is_none_or(|first| {
            matches!(
                first,
                "nodes" | "vms" | "storage" | "pool" | "access" | "sdn" | "mapping"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, who: &str, role: &str, propagate: bool) -> Entry {
        Entry {
            path: path.to_owned(),
            who: who.to_owned(),
            role: role.to_owned(),
            propagate,
        }
    }

    #[test]
    fn the_deepest_entry_wins_and_pools_add() {
        let entries = [
            entry("/", "a@pve", "PVEAuditor", true),
            entry("/vms/100", "a@pve", "PVEVMUser", true),
            entry("/vms/101", "a@pve", "NoAccess", true),
            entry("/pool/acme", "b@pve", "PVEVMAdmin", true),
            entry("/nodes", "c@pve", "PVEAuditor", false),
        ];
        assert!(on_path(&entries, "a@pve", "/nodes/pve1", None).contains("Sys.Audit"));
        assert!(!on_path(&entries, "a@pve", "/vms/100", None).contains("Sys.Audit"));
        assert!(on_path(&entries, "a@pve", "/vms/100", None).contains("VM.PowerMgmt"));
        assert!(on_path(&entries, "a@pve", "/vms/101", None).is_empty());
        assert!(on_path(&entries, "b@pve", "/vms/7", Some("acme")).contains("VM.PowerMgmt"));
        assert!(on_path(&entries, "b@pve", "/vms/8", None).is_empty());
        assert!(on_path(&entries, "c@pve", "/nodes/pve1", None).is_empty());
    }

    #[test]
    fn roles_are_those_of_the_real_server() {
        let auditor = role("PVEAuditor").expect("known");
        assert!(!auditor.contains(&"Sys.Syslog"));
        assert_eq!(auditor.len(), 7);
        assert!(ROLES.iter().all(|name| role(name).is_some()));
        assert!(role("Nope").is_none());
    }
}
