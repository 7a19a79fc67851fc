//! Storages, as each node sees them, and what is on them.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{NodeName, StorageName, Vmid};

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
    /// Verification of a backup on a Backup Server: `ok` or `failed`.
    pub verified: Option<Box<str>>,
}
