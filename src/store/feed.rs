//! Feeds: the things that can be read, each with a freshness of its own, and what a read brings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    ClusterId, ClusterStatus, GuestDetail, HaStatus, Inventory, LogEntry, NodeName, ObjectRef,
    ReplicationJob, StorageName, Task, TaskState, Upid, Vmid,
    cluster::Firewall,
    config::{GuestConfig, PendingChange},
    guest::{GuestInterface, Snapshot},
    node::{Certificate, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
    storage::{StorageDetail, Volume},
    task::TaskLog,
};

/// One thing that can be read from a cluster: one feed is one request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Feed {
    /// `/cluster/resources`: the whole inventory.
    Resources,
    /// `/cluster/status`: quorum and members.
    ClusterStatus,
    /// `/cluster/tasks`: running and recent tasks of all nodes.
    Tasks,
    /// `/cluster/ha/status/current`.
    HaStatus,
    /// `/cluster/log`.
    ClusterLog,
    /// `/version`.
    Version,
    /// `/access/permissions`: what this sign-in may do.
    Permissions,
    /// `/cluster/firewall/options` and `…/rules` count as one.
    ClusterFirewall,
    /// `/nodes/{node}/status`.
    NodeStatus(NodeName),
    /// `/nodes/{node}/services`.
    NodeServices(NodeName),
    /// `/nodes/{node}/certificates/info`.
    NodeCertificates(NodeName),
    /// `/nodes/{node}/apt/update`.
    NodeUpdates(NodeName),
    /// `/nodes/{node}/disks/list`.
    NodeDisks(NodeName),
    /// `/nodes/{node}/network`.
    NodeNetwork(NodeName),
    /// `/nodes/{node}/subscription`.
    NodeSubscription(NodeName),
    /// `/nodes/{node}/replication`.
    NodeReplication(NodeName),
    /// `/nodes/{node}/time`: its clock against ours.
    NodeTime(NodeName),
    /// `/nodes/{node}/syslog`, the newest lines.
    NodeSyslog(NodeName),
    /// `…/{vmid}/status/current`.
    GuestStatus(Vmid),
    /// `…/{vmid}/config`.
    GuestConfig(Vmid),
    /// `…/{vmid}/pending`.
    GuestPending(Vmid),
    /// Addresses: `…/agent/network-get-interfaces` (qemu), `…/interfaces` (lxc).
    GuestAddresses(Vmid),
    /// `…/{vmid}/snapshot`.
    GuestSnapshots(Vmid),
    /// `…/{vmid}/firewall/options` and `…/rules`.
    GuestFirewall(Vmid),
    /// `/nodes/{node}/storage/{storage}/status`.
    StorageStatus(NodeName, StorageName),
    /// `/nodes/{node}/storage/{storage}/content`.
    StorageContent(NodeName, StorageName),
    /// `/nodes/{node}/tasks/{upid}/status`.
    TaskStatus(Upid),
    /// `/nodes/{node}/tasks/{upid}/log`.
    TaskLog(Upid),
    /// The object's JSON as the server sends it.
    Raw(ObjectRef),
}

/// A feed of one of the clusters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FeedKey {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which feed.
    pub feed: Feed,
}

/// What a read brought. Each variant belongs to the feed of the same name.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the feeds of the same names say it")]
pub enum Payload {
    Resources(Inventory),
    ClusterStatus(ClusterStatus),
    Tasks(Vec<Task>),
    HaStatus(HaStatus),
    ClusterLog(Vec<LogEntry>),
    Version(Box<str>),
    /// Path and privileges.
    Permissions(Vec<(Box<str>, Vec<Box<str>>)>),
    Firewall(Firewall),
    NodeStatus(NodeDetail),
    NodeServices(Vec<Service>),
    NodeCertificates(Vec<Certificate>),
    NodeUpdates(Vec<PackageUpdate>),
    NodeDisks(Vec<Disk>),
    NodeNetwork(Vec<NetworkInterface>),
    NodeSubscription(Subscription),
    NodeReplication(Vec<ReplicationJob>),
    /// The node's clock at the moment of the answer.
    NodeTime(Timestamp),
    NodeSyslog(Vec<Box<str>>),
    GuestStatus(Box<GuestDetail>),
    GuestConfig(GuestConfig),
    GuestPending(Vec<PendingChange>),
    GuestAddresses(Vec<GuestInterface>),
    GuestSnapshots(Vec<Snapshot>),
    StorageStatus(StorageDetail),
    StorageContent(Vec<Volume>),
    TaskStatus(TaskState),
    TaskLog(TaskLog),
    Raw(Box<str>),
}

/// Why a read failed, in the words that the user reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedError {
    /// What sort of failure: decides backoff and advice.
    pub kind: FeedErrorKind,
    /// One sentence: cause and next step. Foreign text may be part of it.
    pub message: String,
}

/// Sorts of failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedErrorKind {
    /// No answer: refused, no route, timed out.
    Unreachable,
    /// The certificate is not the trusted one. Everything stops until the user decides.
    Untrusted,
    /// The sign-in was refused.
    SignIn,
    /// A privilege is missing; the rest still works.
    NotAllowed,
    /// The object or endpoint does not exist (older server, agent not running).
    NotAvailable,
    /// The server answered with an error of its own.
    Server,
    /// The answer made no sense: HTML, broken or truncated JSON.
    Malformed,
}

/// The outcome of one read.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// What was read.
    pub key: FeedKey,
    /// When the answer (or failure) was there.
    pub at: Timestamp,
    /// What it brought.
    pub outcome: Result<Payload, FeedError>,
}
