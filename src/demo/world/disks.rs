//! The options that name disks, and how storages call what lies on them.

use std::collections::BTreeSet;

use super::{
    World,
    guest::{Guest, Kind, is_disk_key},
    host::Storage,
};

/// A disk option taken apart: the volume, and what is said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Drive {
    /// `STORAGE:NAME`, a path, `none` or `cdrom`.
    pub(crate) volid: String,
    /// The other words in their order, `key=value` mostly.
    pub(crate) words: Vec<String>,
}

impl Drive {
    pub(crate) fn parse(text: &str) -> Self {
        let mut words: Vec<String> = text.split(',').map(str::to_owned).collect();
        // `file=` may stand before the volume, and the volume anywhere.
        let at = words
            .iter()
            .position(|word| !word.contains('=') || word.starts_with("file=") || word.starts_with("volume="))
            .unwrap_or(0);
        let first = words.remove(at);
        let volid = first
            .trim_start_matches("file=")
            .trim_start_matches("volume=")
            .to_owned();
        Self { volid, words }
    }

    pub(crate) fn print(&self) -> String {
        let mut text = self.volid.clone();
        for word in self.words.iter().filter(|word| !word.is_empty()) {
            text.push(',');
            text.push_str(word);
        }
        text
    }

    /// The value of one of its words.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// Drops words by key.
    pub(crate) fn without(mut self, keys: &[&str]) -> Self {
        self.words
            .retain(|word| !keys.contains(&word.split('=').next().unwrap_or_default()));
        self
    }

    pub(crate) fn is_cdrom(&self) -> bool {
        self.get("media") == Some("cdrom")
    }

    /// The storage of its volume.
    pub(crate) fn storage(&self) -> Option<&str> {
        self.volid.split_once(':').map(|(storage, _)| storage)
    }
}

/// The volume that a linked clone stands on: `base-100-disk-0` of `ceph-vm:base-100-disk-0/vm-110-disk-0`.
pub(crate) fn base_of(volid: &str) -> Option<&str> {
    let (_, name) = volid.split_once(':')?;
    name.split('/').find(|part| part.starts_with("base")).filter(|_| {
        name.rsplit('/')
            .next()
            .is_some_and(|last| !last.starts_with("base"))
    })
}

/// The volume of a disk option becomes a base: `vm-100-disk-0` turns into `base-100-disk-0`.
pub(super) fn as_base(value: &str) -> String {
    let mut drive = Drive::parse(value);
    if let Some((storage, name)) = drive.volid.split_once(':') {
        let (folder, file) = match name.rsplit_once('/') {
            // A linked clone that becomes a template stands on its own name.
            Some((folder, file)) => (format!("{folder}/"), file),
            None => (String::new(), name),
        };
        let file = if let Some(rest) = file.strip_prefix("vm-") {
            format!("base-{rest}")
        } else if let Some(rest) = file.strip_prefix("subvol-") {
            format!("basevol-{rest}")
        } else {
            file.to_owned()
        };
        drive.volid = format!("{storage}:{folder}{file}");
    }
    drive.print()
}

/// The format of a volume, read off its name.
pub(crate) fn format_of(storage: &Storage, volid: &str) -> &'static str {
    let name = volid.rsplit('/').next().unwrap_or(volid);
    let name = name.rsplit(':').next().unwrap_or(name);
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("qcow2") => "qcow2",
        Some("vmdk") => "vmdk",
        _ if name.starts_with("subvol-") || name.starts_with("basevol-") => "subvol",
        _ if storage.kind == "pbs" => "pbs-vm",
        _ => "raw",
    }
}

/// What the storages can do with a volume: `snapshot`, `clone` or `copy`. `from` is `base`, `snap` or `current`.
pub(crate) fn has_feature(storage: &Storage, volid: &str, feature: &str, from: &str) -> bool {
    let format = format_of(storage, volid);
    match (feature, storage.kind) {
        ("snapshot", "zfspool" | "rbd" | "btrfs") => from != "base",
        ("snapshot", "lvmthin") => from == "current",
        ("snapshot", _) => format == "qcow2" && from == "current",
        ("clone", "rbd" | "lvmthin") => matches!(from, "base" | "snap"),
        ("clone", "zfspool") => from == "base",
        ("clone", _) => from == "base" && format != "subvol",
        ("copy", "zfspool") => matches!(from, "base" | "current"),
        ("copy", "rbd" | "lvmthin") => true,
        ("copy", _) => from != "snap" || format == "qcow2",
        _ => false,
    }
}

impl Guest {
    /// Every volume that its configuration or a snapshot names.
    pub(crate) fn volids(&self) -> BTreeSet<String> {
        std::iter::once(&self.config)
            .chain(self.snapshots.iter().map(|snapshot| &snapshot.config))
            .flat_map(|config| config.iter())
            .filter(|(key, _)| is_disk_key(key) || is_unused_key(key))
            .map(|(_, value)| Drive::parse(value).volid)
            .filter(|volid| volid.contains(':'))
            .collect()
    }

    /// Whether a snapshot names this volume.
    pub(crate) fn is_snapshotted(&self, volid: &str) -> bool {
        self.snapshots.iter().any(|snapshot| {
            snapshot
                .config
                .iter()
                .any(|(key, value)| is_disk_key(key) && Drive::parse(value).volid == volid)
        })
    }

    /// The first key `unusedN` that is free.
    pub(crate) fn free_unused(&self) -> String {
        (0..256)
            .map(|index| format!("unused{index}"))
            .find(|key| !self.config.contains_key(key))
            .unwrap_or_else(|| "unused255".to_owned())
    }

    /// Keeps a volume that nothing uses any more.
    pub(crate) fn add_unused(&mut self, volid: &str) {
        let known = self
            .config
            .iter()
            .any(|(key, value)| is_unused_key(key) && value == volid);
        if !known {
            let key = self.free_unused();
            self.config.insert(key, volid.to_owned());
        }
    }
}

/// Is this the key of a volume that is kept without being used?
pub(crate) fn is_unused_key(key: &str) -> bool {
    key.strip_prefix("unused")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

impl World {
    /// A name for a new volume of a guest on a storage; `taken` are those given out in the same breath.
    pub(crate) fn new_volid(
        &self,
        storage: &Storage,
        kind: Kind,
        vmid: u32,
        format: Option<&str>,
        taken: &[String],
    ) -> String {
        let own = self.guests.get(&vmid).map(Guest::volids).unwrap_or_default();
        let files = self
            .volumes
            .iter()
            .filter(|volume| volume.vmid == Some(vmid))
            .map(|volume| &volume.volid);
        let used: Vec<&String> = own.iter().chain(taken).chain(files).collect();
        let place = format!("{}:", storage.name);
        let number = (0..1000)
            .find(|number| {
                let mark = format!("-{vmid}-disk-{number}");
                !used.iter().any(|volid| {
                    volid.starts_with(&place)
                        && volid.rfind(&mark).is_some_and(|at| {
                            !volid[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit())
                        })
                })
            })
            .unwrap_or(1000);
        let stem = match (kind, storage.kind) {
            (Kind::Lxc, "zfspool") => "subvol",
            _ => "vm",
        };
        if storage.has_files() {
            let end = match kind {
                Kind::Qemu => format.unwrap_or("raw"),
                Kind::Lxc => "raw",
            };
            format!("{place}{vmid}/{stem}-{vmid}-disk-{number}.{end}")
        } else {
            format!("{place}{stem}-{vmid}-disk-{number}")
        }
    }

    /// The name of a linked clone of a base volume.
    pub(crate) fn linked_volid(&self, base: &str, kind: Kind, vmid: u32, taken: &[String]) -> Option<String> {
        let (storage, name) = base.split_once(':')?;
        let storage = self.storage(storage)?;
        let format = format_of(storage, base);
        let fresh = self.new_volid(storage, kind, vmid, Some(format), taken);
        // Thin volumes do not tell what they stand on.
        if storage.kind == "lvmthin" {
            return Some(fresh);
        }
        let own = fresh.split_once(':').map_or("", |(_, name)| name);
        Some(format!("{}:{name}/{own}", storage.name))
    }

    /// The guest that stands on a base volume as a linked clone.
    pub(crate) fn linked_to(&self, base: &str) -> Option<u32> {
        let (_, name) = base.split_once(':')?;
        let mark = format!(":{name}/");
        self.guests
            .values()
            .find(|guest| guest.volids().iter().any(|volid| volid.contains(&mark)))
            .map(|guest| guest.vmid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_option_comes_apart_and_together_again() {
        let drive = Drive::parse("ceph-vm:vm-100-disk-0,discard=on,size=32G");
        assert_eq!(drive.storage(), Some("ceph-vm"));
        assert_eq!(drive.get("size"), Some("32G"));
        assert_eq!(
            drive.clone().without(&["size"]).print(),
            "ceph-vm:vm-100-disk-0,discard=on"
        );
        assert!(Drive::parse("none,media=cdrom").is_cdrom());
        assert_eq!(
            Drive::parse("file=local:iso/a.iso,media=cdrom").volid,
            "local:iso/a.iso"
        );
    }

    #[test]
    fn volumes_are_called_as_their_storages_call_them() {
        assert_eq!(
            as_base("local:522/vm-522-disk-0.qcow2,size=1G"),
            "local:522/base-522-disk-0.qcow2,size=1G"
        );
        assert_eq!(
            as_base("local-zfs:subvol-7-disk-0,size=1G"),
            "local-zfs:basevol-7-disk-0,size=1G"
        );
        assert_eq!(
            base_of("local:522/base-522-disk-0.qcow2/610/vm-610-disk-0.qcow2"),
            Some("base-522-disk-0.qcow2")
        );
        assert_eq!(base_of("ceph-vm:base-116-disk-0"), None);
        assert_eq!(base_of("ceph-vm:vm-100-disk-0"), None);
    }
}
