//! A guest's configuration: keys and values as Proxmox keeps them, with disks and network devices understood.

use serde::{Deserialize, Serialize};

use super::ids::StorageName;

/// `…/config`: keys in alphabetical order, numbers turned into text. Values are foreign text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GuestConfig {
    /// Key and value, sorted by key, without `digest`.
    pub entries: Vec<(Box<str>, Box<str>)>,
    /// SHA-1 of the file: a write that names it fails if somebody else wrote meanwhile.
    pub digest: Option<Box<str>>,
}

/// A change that waits for the next start, from `…/pending`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingChange {
    /// The key.
    pub key: Box<str>,
    /// The value in force.
    pub current: Option<Box<str>>,
    /// The value that waits; `None` if the key will be removed.
    pub pending: Option<Box<str>>,
}

/// A disk or drive of a guest: `scsi0`, `rootfs`, `mp0`, `efidisk0`…
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigDisk<'a> {
    /// Its key.
    pub key: &'a str,
    /// The volume id, a path, or `none`.
    pub volume: &'a str,
    /// The storage, if the volume is on one.
    pub storage: Option<StorageName>,
    /// Size as written, `32G`.
    pub size: Option<&'a str>,
    /// Whether it is a CD drive.
    pub cdrom: bool,
    /// All other options as written.
    pub options: Vec<(&'a str, &'a str)>,
}

/// A network device of a guest: `net0`…
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigNic<'a> {
    /// Its key.
    pub key: &'a str,
    /// `virtio`, `e1000`, `veth`…
    pub model: &'a str,
    /// Hardware address.
    pub mac: Option<&'a str>,
    /// Bridge or zone network.
    pub bridge: Option<&'a str>,
    /// VLAN tag.
    pub vlan: Option<&'a str>,
    /// Whether the firewall filters it.
    pub firewall: bool,
    /// Address as configured (containers), `dhcp` or `192.0.2.7/24`.
    pub ip: Option<&'a str>,
}

impl GuestConfig {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(k, _)| &**k == key).map(|(_, v)| &**v)
    }

    /// All disks and drives, in the order of their keys.
    pub fn disks(&self) -> Vec<ConfigDisk<'_>> {
        self.entries
            .iter()
            .filter(|(key, _)| is_disk_key(key))
            .map(|(key, value)| disk(key, value))
            .collect()
    }

    /// All network devices.
    pub fn nics(&self) -> Vec<ConfigNic<'_>> {
        self.entries
            .iter()
            .filter(|(key, _)| is_numbered(key, "net"))
            .map(|(key, value)| nic(key, value))
            .collect()
    }

    /// The serial lines that have a console: the numbers of those of `serial0` to `serial3` that are sockets.
    pub fn serials(&self) -> Vec<u8> {
        (0..4)
            .filter(|line| self.get(&format!("serial{line}")) == Some("socket"))
            .collect()
    }

    /// What the admin wrote about the guest, percent-decoding already done by the server.
    pub fn notes(&self) -> Option<&str> {
        self.get("description")
    }
}

fn is_numbered(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix)
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a key names a disk, drive or mount point (not `scsihw`, not `sata` without a number).
pub fn is_disk_key(key: &str) -> bool {
    key == "rootfs"
        || [
            "scsi", "virtio", "ide", "sata", "efidisk", "tpmstate", "mp", "unused",
        ]
        .iter()
        .any(|prefix| is_numbered(key, prefix))
}

/// Splits `a,k=v,k2=v2` into its leading positional value and its options.
fn options(value: &str) -> (&str, Vec<(&str, &str)>) {
    let mut first = "";
    let mut rest = Vec::new();
    for (index, part) in value.split(',').enumerate() {
        match part.split_once('=') {
            Some((key, value)) => rest.push((key, value)),
            None if index == 0 => first = part,
            None => rest.push((part, "")),
        }
    }
    (first, rest)
}

fn disk<'a>(key: &'a str, value: &'a str) -> ConfigDisk<'a> {
    let (mut volume, mut options) = options(value);
    if let Some(at) = options.iter().position(|(k, _)| *k == "file" || *k == "volume") {
        volume = options.remove(at).1;
    }
    let mut take = |name: &str| {
        options
            .iter()
            .position(|(k, _)| *k == name)
            .map(|at| options.remove(at).1)
    };
    let size = take("size");
    let cdrom = take("media") == Some("cdrom");
    let storage = volume
        .split_once(':')
        .filter(|(name, _)| !name.is_empty() && !name.starts_with('/'));
    ConfigDisk {
        key,
        volume,
        storage: storage.map(|(name, _)| name.into()),
        size,
        cdrom,
        options,
    }
}

fn nic<'a>(key: &'a str, value: &'a str) -> ConfigNic<'a> {
    let (_, options) = options(value);
    let get = |name: &str| options.iter().find(|(k, _)| *k == name).map(|(_, v)| *v);
    // A machine writes `virtio=MAC`; a container writes `name=eth0,hwaddr=MAC,type=veth`.
    let (model, mac) = match (get("type"), get("hwaddr"), options.first()) {
        (Some(kind), mac, _) => (kind, mac),
        (None, Some(mac), _) => ("veth", Some(mac)),
        (None, None, Some((model, mac))) => (*model, Some(*mac)),
        (None, None, None) => (value, None),
    };
    ConfigNic {
        key,
        model,
        mac,
        bridge: get("bridge"),
        vlan: get("tag"),
        firewall: get("firewall") == Some("1"),
        ip: get("ip"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> GuestConfig {
        GuestConfig {
            entries: entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            digest: None,
        }
    }

    #[test]
    fn disks_are_told_from_controllers() {
        let config = config(&[
            ("ide2", "local:iso/debian-13.iso,media=cdrom,size=600M"),
            ("mp0", "/srv/data,mp=/data"),
            ("rootfs", "local-lvm:vm-105-disk-0,size=8G"),
            ("scsi0", "file=ceph:vm-104-disk-0,discard=on,size=32G"),
            ("scsihw", "virtio-scsi-single"),
        ]);
        let disks = config.disks();
        assert_eq!(
            disks.iter().map(|d| d.key).collect::<Vec<_>>(),
            ["ide2", "mp0", "rootfs", "scsi0"]
        );
        assert!(disks[0].cdrom);
        assert_eq!(disks[1].storage, None);
        assert_eq!(disks[2].size, Some("8G"));
        assert_eq!(disks[3].volume, "ceph:vm-104-disk-0");
        assert_eq!(disks[3].storage, Some("ceph".into()));
    }

    #[test]
    fn both_spellings_of_a_network_device() {
        let config = config(&[
            ("net0", "virtio=BC:24:11:CD:5E:3E,bridge=vmbr0,firewall=1,tag=20"),
            (
                "net1",
                "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp,type=veth",
            ),
        ]);
        let nics = config.nics();
        assert_eq!(
            (nics[0].model, nics[0].mac, nics[0].vlan),
            ("virtio", Some("BC:24:11:CD:5E:3E"), Some("20"))
        );
        assert!(nics[0].firewall);
        assert_eq!((nics[1].model, nics[1].ip), ("veth", Some("dhcp")));
    }
}
