//! Storages, as each node sees them, and what is on them.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    guest::GuestKind,
    ids::{NodeName, StorageName, Vmid},
    retention::Retention,
};

/// Whether a node can use a storage. A storage of an offline node goes on saying `available` for a minute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageStatus {
    /// It can be used.
    Available,
    /// The node said that it cannot.
    Unavailable,
    /// Nobody has told.
    Unknown,
}

impl StorageStatus {
    /// The word that lists show and filters accept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for StorageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One storage on one node, as `/cluster/resources` lists it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Storage {
    /// Its name.
    pub name: StorageName,
    /// The node that reports it.
    pub node: NodeName,
    /// Whether that node can use it.
    pub status: StorageStatus,
    /// Plugin: `dir`, `zfspool`, `lvmthin`, `rbd`, `nfs`, `pbs`, `esxi`…
    pub plugin: Arc<str>,
    /// Content types that it accepts, sorted.
    pub content: Vec<Arc<str>>,
    /// One store for all nodes?
    pub shared: bool,
    /// Bytes in use.
    pub used: Option<u64>,
    /// Bytes in all.
    pub total: Option<u64>,
}

impl Storage {
    /// How full it is.
    pub fn fill(&self) -> Option<f64> {
        super::quantity::ratio(self.used, self.total)
    }
}

/// `/nodes/{node}/storage/{storage}/status`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct StorageDetail {
    /// Reachable now.
    pub active: bool,
    /// Switched on in the configuration.
    pub enabled: bool,
    /// Bytes: used, available, total.
    pub space: Option<(u64, u64, u64)>,
    /// Plugin type.
    pub plugin: Option<Box<str>>,
}

/// One volume, from `/nodes/{node}/storage/{storage}/content`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Volume {
    /// `local:iso/debian-13.iso`.
    pub volid: Box<str>,
    /// `images`, `rootdir`, `iso`, `vztmpl`, `backup`, `snippets`, `import`.
    pub content: Box<str>,
    /// `qcow2`, `raw`, `tar.zst`…
    pub format: Box<str>,
    /// Bytes.
    pub size: Option<u64>,
    /// Bytes really used, where known.
    pub used: Option<u64>,
    /// The guest that owns it.
    pub vmid: Option<Vmid>,
    /// When it was made.
    pub time: Option<Timestamp>,
    /// First line of the notes. Foreign text.
    pub notes: Option<Box<str>>,
    /// Protected from deletion and pruning.
    pub protected: bool,
    /// Verification of a backup on a Backup Server: `ok` or `failed`; `None` if it was never verified.
    pub verified: Option<Box<str>>,
    /// Whether a backup on a Backup Server is encrypted.
    pub encrypted: bool,
}

impl Volume {
    /// Its name without that of the storage.
    pub fn name(&self) -> &str {
        self.volid.split_once(':').map_or(&*self.volid, |(_, name)| name)
    }

    /// What a backup is of; `None` if its name does not say. A Backup Server names it `backup/vm/…` or `backup/ct/…`, a
    /// file `vzdump-qemu-…` or `vzdump-lxc-…`.
    pub fn kind(&self) -> Option<GuestKind> {
        let name = self.name();
        let file = name.rsplit('/').next().unwrap_or(name);
        if file.starts_with("vzdump-qemu-") || name.starts_with("backup/vm/") {
            Some(GuestKind::Qemu)
        } else if file.starts_with("vzdump-lxc-") || name.starts_with("backup/ct/") {
            Some(GuestKind::Lxc)
        } else {
            None
        }
    }

    /// Whether a backup can be trusted as far as is known: it is whole, and no verification found it bad.
    pub fn is_good(&self) -> bool {
        self.size.is_some_and(|size| size > 0) && !self.is_bad()
    }

    /// Whether a verification found it bad.
    pub fn is_bad(&self) -> bool {
        self.verified.as_deref().is_some_and(|state| state != "ok")
    }
}

/// A storage as the configuration of its cluster defines it, from `/storage`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StorageDefinition {
    /// Its name.
    pub name: StorageName,
    /// Plugin: `dir`, `pbs`…
    pub plugin: Box<str>,
    /// What it keeps of the backups of a guest, where that is set.
    pub retention: Option<Retention>,
    /// Namespace on the Backup Server; `None` for the root and where there is no Backup Server.
    pub namespace: Option<Box<str>>,
    /// Switched off.
    pub disabled: bool,
}

/// What a prune would do to a backup, in the server's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PruneMark {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
    /// It stays because it is protected.
    Protected,
    /// It stays because its name is no longer the one that the server gave it.
    Renamed,
}

impl PruneMark {
    /// From the server's word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "keep" => Some(Self::Keep),
            "remove" => Some(Self::Remove),
            "protected" => Some(Self::Protected),
            "renamed" => Some(Self::Renamed),
            _ => None,
        }
    }
}
