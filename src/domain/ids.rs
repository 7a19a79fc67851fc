//! Identities. Everything that a selection, a mark, a plan or a journal line points at is named by one of these.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::upid::Upid;

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

/// A task of one of the clusters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TaskRef {
    /// Where it runs or ran.
    pub cluster: ClusterId,
    /// Which one.
    pub upid: Upid,
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
}

impl ObjectRef {
    /// The cluster that the object belongs to.
    pub fn cluster(&self) -> &ClusterId {
        match self {
            Self::Cluster(cluster) => cluster,
            Self::Node(node) => &node.cluster,
            Self::Guest(guest) => &guest.cluster,
            Self::Storage(storage) => &storage.cluster,
            Self::Task(task) => &task.cluster,
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
        }
    }
}
