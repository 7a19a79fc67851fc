//! Backups: where they lie, what they hold, how good they are, and the jobs that make, check and remove them.
//!
//! What always holds here: a backup that is still being made, or was cut off, has no size; what was never verified has
//! no verification, which is not the same as a bad one.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{retention::Retention, task::TaskState, upid::Upid};

/// What a Backup Server's datastore is called.
pub type DatastoreName = Box<str>;

/// A datastore, as `/admin/datastore` lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Datastore {
    /// Its name.
    pub name: DatastoreName,
    /// What its maker wrote. Foreign text.
    pub comment: Option<Box<str>>,
    /// `offline`, `read-only`… with the administrator's message, `offline,message=disk swap`.
    pub maintenance: Option<Box<str>>,
}

/// How full a datastore is, from `/status/datastore-usage`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DatastoreUsage {
    /// Its name.
    pub name: DatastoreName,
    /// Bytes in use; `None` if it is broken or offline.
    pub used: Option<u64>,
    /// Bytes in all.
    pub total: Option<u64>,
    /// Why it could not be looked at. Foreign text.
    pub error: Option<Box<str>>,
    /// Shares in use over time, 0 to 1, the newest last; `None` where nothing was measured.
    pub history: Vec<Option<f32>>,
    /// When the first value of the history was measured, and seconds from one to the next.
    pub history_start: Option<(Timestamp, u32)>,
    /// The server's estimate in epoch seconds as it gave it; see [`DatastoreUsage::forecast`].
    pub estimated_full: Option<i64>,
}

/// When a datastore will be full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forecast {
    /// Too little was measured to say.
    Unknown,
    /// It does not grow.
    NotGrowing,
    /// At about this time, if it goes on like this.
    Full(Timestamp),
}

impl DatastoreUsage {
    /// How full it is, 0 to 1.
    pub fn fill(&self) -> Option<f64> {
        super::quantity::ratio(self.used, self.total)
    }

    /// What the server's estimate means: none is too little data, 0 is no growth, and the past is a store that shrinks.
    pub fn forecast(&self, now: Timestamp) -> Forecast {
        match self.estimated_full {
            None => Forecast::Unknown,
            Some(seconds) if seconds <= now.as_second() => Forecast::NotGrowing,
            Some(seconds) => Timestamp::from_second(seconds).map_or(Forecast::Unknown, Forecast::Full),
        }
    }
}

/// `/admin/datastore/{store}/status`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DatastoreStatus {
    /// Bytes in use, available and in all.
    pub space: Option<(u64, u64, u64)>,
    /// Groups and snapshots: of VMs, of containers, of hosts.
    pub counts: [Option<(u64, u64)>; 3],
}

/// What a backup is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum BackupType {
    /// A VM; the id is its VMID.
    Vm,
    /// A container; the id is its VMID.
    Ct,
    /// A host, or anything else that a client backed up.
    Host,
}

impl BackupType {
    /// As a Backup Server writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Ct => "ct",
            Self::Host => "host",
        }
    }

    /// From the Backup Server's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Vm, Self::Ct, Self::Host]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for BackupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// All backups of one thing in one namespace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupGroup {
    /// What it is of.
    pub kind: BackupType,
    /// Which one: a VMID, or a name. Foreign text.
    pub id: Box<str>,
    /// How many there are; an unfinished one counts.
    pub count: u64,
    /// When the newest began.
    pub last: Option<Timestamp>,
    /// Who owns them, `user@realm` or `user@realm!token`.
    pub owner: Arc<str>,
    /// First line of the notes. Foreign text.
    pub comment: Option<Box<str>>,
}

/// One backup on a Backup Server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupSnapshot {
    /// What it is of.
    pub kind: BackupType,
    /// Which one: a VMID, or a name. Foreign text.
    pub id: Box<str>,
    /// When it began: with kind and id its name.
    pub time: Timestamp,
    /// Bytes of all its files before deduplication; `None` while it is being made, or if it was cut off.
    pub size: Option<u64>,
    /// Whether its data is encrypted. The index never is.
    pub encrypted: bool,
    /// Its files.
    pub files: Vec<Box<str>>,
    /// Who owns it.
    pub owner: Arc<str>,
    /// First line of the notes. Foreign text.
    pub comment: Option<Box<str>>,
    /// Protected from removal.
    pub protected: bool,
    /// Of the newest verification, if there was one.
    pub verification: Option<Verification>,
    /// The key's fingerprint.
    pub key: Option<Box<str>>,
}

/// What a verification found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verification {
    /// All data is there and right.
    Ok,
    /// Data is missing or wrong: it cannot be restored as it is.
    Failed,
}

impl Verification {
    /// From the server's word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ok" => Some(Self::Ok),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    /// The word that lists show and filters accept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

/// The last run of a job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastRun {
    /// How it went.
    pub state: TaskState,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// Its task.
    pub upid: Option<Upid>,
}

/// What a job of a Backup Server does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum JobKind {
    /// It checks backups.
    Verify,
    /// It removes backups by these rules.
    Prune(Retention),
    /// It copies from this remote (`None`: the same server) and datastore.
    Sync(Option<Box<str>>, Box<str>),
}

impl JobKind {
    /// The word that lists show and filters accept.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Prune(_) => "prune",
            Self::Sync(..) => "sync",
        }
    }
}

/// A job of a Backup Server: `/admin/verify`, `/admin/prune`, `/admin/sync`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatastoreJob {
    /// What it does.
    pub kind: JobKind,
    /// Its name.
    pub id: Box<str>,
    /// On which datastore.
    pub store: DatastoreName,
    /// In which namespace, empty for the root.
    pub namespace: Box<str>,
    /// A calendar event; `None` if it never runs by itself.
    pub schedule: Option<Box<str>>,
    /// Switched off.
    pub disabled: bool,
    /// When it runs next, as the server computed it.
    pub next: Option<Timestamp>,
    /// How it went the last time; `None` if it never ran.
    pub last: Option<LastRun>,
    /// What its maker wrote. Foreign text.
    pub comment: Option<Box<str>>,
}

/// A datastore's garbage collection, `/admin/gc`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GarbageCollection {
    /// Of which datastore.
    pub store: DatastoreName,
    /// Bytes of all chunks on disk.
    pub disk_bytes: u64,
    /// Bytes that the backups have without deduplication.
    pub index_bytes: u64,
    /// Bytes of unused chunks that are still too young to go.
    pub pending_bytes: u64,
    /// Bytes that the last run removed.
    pub removed_bytes: u64,
    /// Chunks that are known to be bad.
    pub still_bad: u64,
    /// A calendar event; `None` if it never runs by itself.
    pub schedule: Option<Box<str>>,
    /// When it runs next, as the server computed it.
    pub next: Option<Timestamp>,
    /// How it went the last time; `None` if it never ran.
    pub last: Option<LastRun>,
}

impl GarbageCollection {
    /// How many times the stored data would fill the disk without deduplication; `None` before the first run.
    pub fn deduplication(&self) -> Option<f64> {
        (self.disk_bytes > 0).then(|| self.index_bytes as f64 / self.disk_bytes as f64)
    }
}

/// How the Backup Server itself is doing, `/nodes/localhost/status`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct BackupServerStatus {
    /// Share of all CPUs in use, 0 to 1.
    pub cpu: Option<f64>,
    /// Memory: bytes in use and in all.
    pub memory: Option<(u64, u64)>,
    /// Root file system: bytes in use and in all.
    pub root: Option<(u64, u64)>,
    /// Seconds since its start.
    pub uptime: Option<u64>,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_no_date_where_the_server_has_none() {
        let now = Timestamp::from_second(1_795_250_000).unwrap();
        let mut usage = DatastoreUsage {
            name: "main".into(),
            used: Some(25),
            total: Some(100),
            error: None,
            history: Vec::new(),
            history_start: None,
            estimated_full: None,
        };
        assert_eq!(usage.forecast(now), Forecast::Unknown);
        for none in [0, 1_789_198_853] {
            usage.estimated_full = Some(none);
            assert_eq!(usage.forecast(now), Forecast::NotGrowing);
        }
        usage.estimated_full = Some(1_797_982_862);
        assert!(matches!(usage.forecast(now), Forecast::Full(_)));
        assert_eq!(usage.fill(), Some(0.25));
    }
}
