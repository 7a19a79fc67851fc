//! Identities. Everything that a selection, a mark, a plan or a journal line points at is named by one of these.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{backup::BackupType, upid::Upid};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as the server or the configuration wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $type {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name! {
    /// A cluster or standalone host as the configuration calls it (`[clusters.NAME]`), not its corosync name.
    ClusterId
}
name! {
    /// A node of a cluster, as in `/nodes/{node}`.
    NodeName
}
name! {
    /// A storage, as in `/storage/{storage}`. The same name on several nodes is one definition, not always one store.
    StorageName
}

/// The number of a guest, unique in its cluster: 100 to 999,999,999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Vmid(pub u32);

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Vmid {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A node of one of the clusters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NodeRef {
    /// Where it is.
    pub cluster: ClusterId,
    /// Which one.
    pub node: NodeName,
}

/// A guest of one of the clusters. It names no node: a guest keeps its identity when it migrates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct GuestRef {
    /// Where it is.
    pub cluster: ClusterId,
    /// Which one.
    pub vmid: Vmid,
}

/// A storage as one node sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct StorageRef {
    /// Where it is.
    pub cluster: ClusterId,
    /// The node that sees it.
    pub node: NodeName,
    /// Which one.
    pub storage: StorageName,
}

/// A datastore of a Backup Server, or a namespace in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DatastoreRef {
    /// The Backup Server.
    pub cluster: ClusterId,
    /// Which datastore.
    pub store: Arc<str>,
    /// The namespace, `prod/web`; empty for the datastore as a whole.
    pub namespace: Arc<str>,
}

/// A backup on a Backup Server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ServerBackupRef {
    /// The Backup Server.
    pub cluster: ClusterId,
    /// The datastore.
    pub store: Arc<str>,
    /// The namespace, empty for the root.
    pub namespace: Arc<str>,
    /// What it is of.
    pub kind: BackupType,
    /// Of which one: a VMID, or a name.
    pub id: Arc<str>,
    /// When it began.
    pub time: Timestamp,
}

impl ServerBackupRef {
    /// Where it lies.
    pub fn datastore(&self) -> DatastoreRef {
        DatastoreRef {
            cluster: self.cluster.clone(),
            store: self.store.clone(),
            namespace: self.namespace.clone(),
        }
    }

    /// `vm/104/2026-11-20T07:35:59Z`, as the server names it.
    pub fn path(&self) -> String {
        format!(
            "{}/{}/{}",
            self.kind,
            self.id,
            self.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    }
}

impl fmt::Display for DatastoreRef {
    /// `main`, `main:prod/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.namespace {
            "" => f.write_str(&self.store),
            namespace => write!(f, "{}:{namespace}", self.store),
        }
    }
}

/// A task of one of the clusters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TaskRef {
    /// Where it runs or ran.
    pub cluster: ClusterId,
    /// Which one.
    pub upid: Upid,
}

/// A backup on a storage. A shared storage is always named through the node by which it is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct BackupRef {
    /// Where it lies.
    pub storage: StorageRef,
    /// Its volume: `pbs:backup/vm/104/2026-11-20T01:00:00Z`.
    pub volid: Box<str>,
}

/// A snapshot of a guest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// Of which guest.
    pub guest: GuestRef,
    /// Its name.
    pub name: Box<str>,
}

/// A backup job of one of the clusters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct JobRef {
    /// Where it is.
    pub cluster: ClusterId,
    /// Its id.
    pub id: Box<str>,
}

/// An entry of the list of alerts, by the fingerprint of its labels: sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlertKey(pub u64);

impl AlertKey {
    /// Whose alerts are where their cluster is asked for. No cluster can have this name.
    pub fn home() -> &'static ClusterId {
        static HOME: LazyLock<ClusterId> = LazyLock::new(|| ClusterId::from("alerts:"));
        &HOME
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AlertKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number
            .map(Self)
            .ok_or_else(|| "an alert is named by sixteen hexadecimal digits".to_owned())
    }
}

impl TryFrom<String> for AlertKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AlertKey> for String {
    fn from(key: AlertKey) -> Self {
        key.to_string()
    }
}

/// A silence of one of the Alertmanagers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SilenceRef {
    /// Which one keeps it: [`super::MonitorId::home`].
    pub manager: ClusterId,
    /// Its id there.
    pub id: Box<str>,
}

/// Anything that can be selected, opened, described or be the subject of a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ObjectRef {
    /// A whole cluster or standalone host.
    Cluster(ClusterId),
    /// A node.
    Node(NodeRef),
    /// A guest.
    Guest(GuestRef),
    /// A storage on a node.
    Storage(StorageRef),
    /// A task.
    Task(TaskRef),
    /// A whole Backup Server.
    BackupServer(ClusterId),
    /// A datastore of a Backup Server, or a namespace in it.
    Datastore(DatastoreRef),
    /// A backup on a Backup Server.
    ServerBackup(ServerBackupRef),
    /// A backup on a storage.
    Backup(BackupRef),
    /// A snapshot of a guest.
    Snapshot(SnapshotRef),
    /// A backup job.
    Job(JobRef),
    /// An alert, or a finding.
    Alert(AlertKey),
    /// A silence.
    Silence(SilenceRef),
}

impl ObjectRef {
    /// The cluster that the object belongs to.
    pub fn cluster(&self) -> &ClusterId {
        match self {
            Self::Cluster(cluster) | Self::BackupServer(cluster) => cluster,
            Self::Node(node) => &node.cluster,
            Self::Guest(guest) => &guest.cluster,
            Self::Storage(storage) => &storage.cluster,
            Self::Task(task) => &task.cluster,
            Self::Datastore(datastore) => &datastore.cluster,
            Self::ServerBackup(backup) => &backup.cluster,
            Self::Backup(backup) => &backup.storage.cluster,
            Self::Snapshot(snapshot) => &snapshot.guest.cluster,
            Self::Job(job) => &job.cluster,
            Self::Alert(_) => AlertKey::home(),
            Self::Silence(silence) => &silence.manager,
        }
    }
}

impl fmt::Display for ObjectRef {
    /// `guest 104`, `node pve1`, `storage pve1/local`: how messages and the palette name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(cluster) => write!(f, "cluster {cluster}"),
            Self::Node(node) => write!(f, "node {}", node.node),
            Self::Guest(guest) => write!(f, "guest {}", guest.vmid),
            Self::Storage(storage) => write!(f, "storage {}/{}", storage.node, storage.storage),
            Self::Task(task) => write!(f, "task {}", task.upid),
            Self::BackupServer(server) => write!(f, "Backup Server {server}"),
            Self::Datastore(datastore) => write!(f, "datastore {datastore}"),
            Self::ServerBackup(backup) => write!(f, "backup {}", backup.path()),
            Self::Backup(backup) => write!(f, "backup {}", backup.volid),
            Self::Snapshot(snapshot) => write!(f, "snapshot {} of {}", snapshot.name, snapshot.guest.vmid),
            Self::Job(job) => write!(f, "job {}", job.id),
            Self::Alert(key) => write!(f, "alert {key}"),
            Self::Silence(silence) => write!(f, "silence {}", silence.id),
        }
    }
}
