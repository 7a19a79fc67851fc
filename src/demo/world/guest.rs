//! One guest: its configuration is the truth, and everything that lists show of it is derived from that.

use std::collections::BTreeMap;

use ring::digest;

use super::load::Profile;

/// Virtual machine or container.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Qemu,
    Lxc,
}

impl Kind {
    /// As paths and rows spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }

    /// The beginning of its task types: `qmstart`, `vzstart`.
    pub(crate) fn task_prefix(self) -> &'static str {
        match self {
            Self::Qemu => "qm",
            Self::Lxc => "vz",
        }
    }

    /// As error texts call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Qemu => "VM",
            Self::Lxc => "CT",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Qemu => "qemu-server",
            Self::Lxc => "lxc",
        }
    }
}

/// Whether a guest runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Power {
    Stopped,
    Running,
    /// Suspended in memory: `status` says running, `qmpstatus` paused.
    Paused,
}

/// What the guest agent inside would answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Agent {
    /// Not switched on in the configuration, or installed but not running.
    Silent,
    Answers,
}

/// A configuration: option and value, sorted.
pub(crate) type Config = BTreeMap<String, String>;

/// A snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) time: i64,
    pub(crate) parent: Option<String>,
    pub(crate) vmstate: bool,
    pub(crate) config: Config,
}

/// A disk of a guest, as its configuration names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Disk {
    pub(crate) key: String,
    pub(crate) storage: String,
    /// `storage:name`.
    pub(crate) volid: String,
    pub(crate) size: u64,
}

/// A guest.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    pub(crate) node: String,
    pub(crate) config: Config,
    /// Changes that wait for the next start; `None` deletes.
    pub(crate) pending: BTreeMap<String, Option<String>>,
    pub(crate) power: Power,
    /// Since when it runs, in seconds.
    pub(crate) since: i64,
    pub(crate) pid: u32,
    pub(crate) pool: Option<String>,
    pub(crate) snapshots: Vec<Snapshot>,
    /// The snapshot that it descends from.
    pub(crate) parent: Option<String>,
    pub(crate) agent: Agent,
    /// Does not react to a shutdown request.
    pub(crate) stubborn: bool,
    /// The task that holds its lock file.
    pub(crate) busy: Option<String>,
    pub(crate) profile: Profile,
    /// What its agent shows of its inside, once somebody has asked.
    pub(crate) inside: Option<Box<super::inside::Inside>>,
}

impl Guest {
    /// An option of its configuration.
    pub(crate) fn option(&self, key: &str) -> Option<&str> {
        self.config.get(key).map(String::as_str)
    }

    pub(crate) fn name(&self) -> &str {
        let key = match self.kind {
            Kind::Qemu => "name",
            Kind::Lxc => "hostname",
        };
        self.option(key).unwrap_or_default()
    }

    pub(crate) fn is_template(&self) -> bool {
        self.option("template") == Some("1")
    }

    pub(crate) fn is_running(&self) -> bool {
        self.power != Power::Stopped
    }

    pub(crate) fn lock(&self) -> Option<&str> {
        self.option("lock")
    }

    pub(crate) fn cpus(&self) -> u32 {
        let number = |key: &str| self.option(key).and_then(|text| text.parse::<u32>().ok());
        number("cores").unwrap_or(1) * number("sockets").unwrap_or(1)
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> u64 {
        self.option("memory")
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(512)
            << 20
    }

    pub(crate) fn swap(&self) -> u64 {
        self.option("swap")
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
            << 20
    }

    /// Its disks, boot disk first; CD drives are none.
    pub(crate) fn disks(&self) -> Vec<Disk> {
        let mut disks: Vec<Disk> = self
            .config
            .iter()
            .filter_map(|(key, value)| disk(key, value))
            .collect();
        disks.sort_by_key(|disk| disk.key != "scsi0" && disk.key != "rootfs" && disk.key != "virtio0");
        disks
    }

    /// Bytes of the boot disk.
    pub(crate) fn boot_size(&self) -> u64 {
        ["scsi0", "rootfs", "virtio0"]
            .iter()
            .find_map(|key| disk(key, self.option(key)?))
            .map_or(0, |disk| disk.size)
    }

    pub(crate) fn uptime(&self, now: i64) -> i64 {
        if self.is_running() {
            (now - self.since).max(0)
        } else {
            0
        }
    }

    /// The digest of its configuration file.
    pub(crate) fn digest(&self) -> String {
        let text = format!("{:?}{:?}{:?}", self.config, self.pending, self.snapshots.len());
        hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
    }

    /// Where its configuration file is, as errors name it.
    pub(crate) fn file(kind: Kind, node: &str, vmid: u32) -> String {
        format!("nodes/{node}/{}/{vmid}.conf", kind.folder())
    }

    /// Starts it: what was pending becomes real.
    pub(crate) fn power_on(&mut self, now: i64) {
        super::configure::apply_pending(self);
        if self.lock() == Some("suspended") {
            self.config.remove("lock");
            self.config.remove("vmstate");
        }
        self.power = Power::Running;
        self.since = now;
        self.pid = self.pid.wrapping_mul(31) % 900_000 + 2_000;
    }

    /// Stops it.
    pub(crate) fn power_off(&mut self) {
        self.power = Power::Stopped;
    }

    /// The MAC address and bridge of each network device, by key.
    pub(crate) fn nics(&self) -> Vec<(String, String)> {
        self.config
            .iter()
            .filter(|(key, _)| {
                key.strip_prefix("net")
                    .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
            })
            .map(|(key, value)| {
                let mac = value
                    .split([',', '='])
                    .find(|part| part.len() == 17 && part.matches(':').count() == 5)
                    .unwrap_or("BC:24:11:00:00:00");
                (key.clone(), mac.to_owned())
            })
            .collect()
    }
}

/// Is this the key of a disk?
pub(crate) fn is_disk_key(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    key == "rootfs"
        || stem != key
            && matches!(
                stem,
                "scsi" | "virtio" | "sata" | "ide" | "mp" | "efidisk" | "tpmstate"
            )
}

fn disk(key: &str, value: &str) -> Option<Disk> {
    if !is_disk_key(key) || value.contains("media=cdrom") {
        return None;
    }
    let volid = value.split(',').next()?;
    let (storage, _) = volid.split_once(':')?;
    let size = value
        .split(',')
        .find_map(|part| part.strip_prefix("size="))
        .and_then(bytes)?;
    Some(Disk {
        key: key.to_owned(),
        storage: storage.to_owned(),
        volid: volid.to_owned(),
        size,
    })
}

/// Reads `32G`; a bare number is bytes.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let shift = match &text[digits.len()..] {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => 0,
    };
    let number: f64 = digits.parse().ok()?;
    Some((number * (1_u64 << shift) as f64) as u64)
}

/// Bytes as a configuration writes them.
pub(crate) fn size_text(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) {
        format!("{}G", bytes >> 30)
    } else {
        format!("{}M", bytes >> 20)
    }
}

/// Lower-case hex of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_read_from_the_configuration() {
        let found = disk("scsi0", "ceph-vm:vm-100-disk-0,discard=on,size=32G").expect("a disk");
        assert_eq!((found.storage.as_str(), found.size), ("ceph-vm", 32 << 30));
        assert_eq!(disk("ide2", "none,media=cdrom"), None);
        assert_eq!(disk("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr0"), None);
        assert_eq!(disk("scsihw", "virtio-scsi-single"), None);
        assert_eq!(bytes("512M"), Some(512 << 20));
        assert_eq!(size_text(33 << 30), "33G");
    }
}
