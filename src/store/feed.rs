//! Feeds: the things that can be read, each with a freshness of its own, and what a read brings.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::backup_server::{PbsFeed, PbsPayload};
use crate::domain::{
    BackupJob, ClusterId, ClusterStatus, GuestDetail, HaRules, HaStatus, Inventory, LogEntry, NodeName,
    ObjectRef, ReplicationJob, StorageName, Task, TaskState, Upid, Vmid,
    backup_job::JobGuest,
    cluster::{Firewall, FirewallGroup},
    config::{GuestConfig, PendingChange},
    guest::{GuestInterface, Snapshot},
    migration::Migration,
    node::{Certificate, Clock, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
    reading::Reading,
    rrd::{Frame, Rrd},
    storage::{StorageDefinition, StorageDetail, Volume},
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
    /// `/cluster/ha/rules` and `…/resources` count as one; before 9 it is `…/groups`.
    HaRules,
    /// `/cluster/log`.
    ClusterLog,
    /// `/cluster/metrics/export`: the last half hour of all objects; older servers have none, and some never fill it.
    Readings,
    /// `/version`.
    Version,
    /// `/access/permissions`: what this sign-in may do.
    Permissions,
    /// `/cluster/firewall/options` and `…/rules` count as one.
    ClusterFirewall,
    /// `/cluster/firewall/groups` and the rules of each count as one.
    FirewallGroups,
    /// `/cluster/backup-info/not-backed-up`: the guests that no backup job takes.
    NotBackedUp,
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
    /// `/nodes/{node}/firewall/options` and `…/rules`.
    NodeFirewall(NodeName),
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
    /// `…/{vmid}/migrate`: what stands in the way of a move.
    GuestMigration(Vmid),
    /// `…/agent/file-read` of a machine, with the path of the file.
    GuestFile(Vmid, Box<str>),
    /// `…/{vmid}/firewall/options` and `…/rules`.
    GuestFirewall(Vmid),
    /// `/nodes/{node}/storage/{storage}/status`.
    StorageStatus(NodeName, StorageName),
    /// `/nodes/{node}/storage/{storage}/content`.
    StorageContent(NodeName, StorageName),
    /// `/nodes/{node}/storage/{storage}/content`, the backups alone.
    Backups(NodeName, StorageName),
    /// `/nodes/{node}/tasks`: the backups that ran there.
    BackupTasks(NodeName),
    /// `/cluster/backup`.
    BackupJobs,
    /// `/cluster/backup/{id}/included_volumes`.
    JobGuests(Box<str>),
    /// `/storage`: what the configuration says of each.
    StorageDefinitions,
    /// `/nodes/{node}/tasks/{upid}/status`.
    TaskStatus(Upid),
    /// `/nodes/{node}/tasks/{upid}/log`.
    TaskLog(Upid),
    /// `…/rrddata`: what was recorded of a node, a guest or a storage.
    Rrd(ObjectRef, Frame),
    /// The object's JSON as the server sends it.
    Raw(ObjectRef),
    /// What only a Backup Server has.
    Pbs(PbsFeed),
}

impl Feed {
    /// How often a new read is worth its cost while somebody looks. Readers keep to it, and data that is three
    /// periods old is stale.
    pub fn period(&self) -> SignedDuration {
        let seconds = match self {
            Self::Rrd(_, frame) => return frame.period(),
            Self::Pbs(feed) => return feed.period(),
            Self::TaskLog(_) => 6,
            // pvestatd renews it each 10 s: asking faster brings nothing.
            Self::Resources => 10,
            Self::Tasks => 15,
            // Each read brings all that came since the last one.
            Self::Readings => 20,
            Self::TaskStatus(_)
            | Self::ClusterStatus
            | Self::StorageStatus(..)
            | Self::GuestStatus(_)
            | Self::NodeStatus(_) => 30,
            Self::HaStatus
            | Self::ClusterLog
            | Self::NodeServices(_)
            | Self::NodeSyslog(_)
            | Self::GuestConfig(_)
            | Self::StorageContent(..)
            | Self::Raw(_) => 60,
            Self::GuestPending(_)
            | Self::GuestAddresses(_)
            | Self::GuestSnapshots(_)
            | Self::GuestFile(..)
            | Self::GuestMigration(_)
            | Self::NodeNetwork(_)
            | Self::NodeTime(_) => 120,
            Self::HaRules
            | Self::ClusterFirewall
            | Self::FirewallGroups
            | Self::NotBackedUp
            | Self::NodeFirewall(_)
            | Self::GuestFirewall(_)
            | Self::Backups(..)
            | Self::BackupTasks(_)
            | Self::BackupJobs
            | Self::JobGuests(_)
            | Self::NodeReplication(_) => 300,
            Self::Permissions | Self::NodeDisks(_) | Self::StorageDefinitions => 600,
            Self::Version | Self::NodeCertificates(_) | Self::NodeUpdates(_) | Self::NodeSubscription(_) => {
                1800
            }
        };
        SignedDuration::from_secs(seconds)
    }

    /// The node that the feed names in its path.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::NodeStatus(node)
            | Self::NodeServices(node)
            | Self::NodeCertificates(node)
            | Self::NodeUpdates(node)
            | Self::NodeDisks(node)
            | Self::NodeNetwork(node)
            | Self::NodeSubscription(node)
            | Self::NodeReplication(node)
            | Self::NodeFirewall(node)
            | Self::NodeTime(node)
            | Self::NodeSyslog(node)
            | Self::BackupTasks(node)
            | Self::StorageStatus(node, _)
            | Self::Backups(node, _)
            | Self::StorageContent(node, _) => Some(node),
            Self::TaskStatus(upid) | Self::TaskLog(upid) => Some(&upid.node),
            _ => None,
        }
    }

    /// The guest that the feed is about. Its path needs the guest's node and kind as well.
    pub fn vmid(&self) -> Option<Vmid> {
        match self {
            Self::GuestStatus(vmid)
            | Self::GuestConfig(vmid)
            | Self::GuestPending(vmid)
            | Self::GuestAddresses(vmid)
            | Self::GuestSnapshots(vmid)
            | Self::GuestMigration(vmid)
            | Self::GuestFile(vmid, _)
            | Self::GuestFirewall(vmid) => Some(*vmid),
            Self::Raw(ObjectRef::Snapshot(snapshot)) => Some(snapshot.guest.vmid),
            Self::Raw(ObjectRef::Guest(guest)) | Self::Rrd(ObjectRef::Guest(guest), _) => Some(guest.vmid),
            _ => None,
        }
    }

    /// This feed of that cluster.
    pub fn of(self, cluster: &ClusterId) -> FeedKey {
        FeedKey {
            cluster: cluster.clone(),
            feed: self,
        }
    }
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
    HaRules(HaRules),
    ClusterLog(Vec<LogEntry>),
    Readings(Vec<Reading>),
    Version(Box<str>),
    /// Path and privileges.
    Permissions(Vec<(Box<str>, Vec<Box<str>>)>),
    Firewall(Firewall),
    FirewallGroups(Vec<FirewallGroup>),
    NotBackedUp(Vec<Vmid>),
    NodeStatus(NodeDetail),
    NodeServices(Vec<Service>),
    NodeCertificates(Vec<Certificate>),
    NodeUpdates(Vec<PackageUpdate>),
    NodeDisks(Vec<Disk>),
    NodeNetwork(Vec<NetworkInterface>),
    NodeSubscription(Subscription),
    NodeReplication(Vec<ReplicationJob>),
    NodeTime(Clock),
    NodeSyslog(Vec<Box<str>>),
    GuestStatus(Box<GuestDetail>),
    GuestConfig(GuestConfig),
    GuestPending(Vec<PendingChange>),
    GuestAddresses(Vec<GuestInterface>),
    GuestSnapshots(Vec<Snapshot>),
    GuestMigration(Migration),
    GuestFile(Box<str>),
    StorageStatus(StorageDetail),
    StorageContent(Vec<Volume>),
    Backups(Vec<Volume>),
    BackupTasks(Vec<Task>),
    BackupJobs(Vec<BackupJob>),
    JobGuests(Vec<JobGuest>),
    StorageDefinitions(Vec<StorageDefinition>),
    TaskStatus(TaskState),
    TaskLog(TaskLog),
    Rrd(Rrd),
    Raw(Box<str>),
    Pbs(PbsPayload),
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
    /// The query is wrong: line and column of the mistake, both from 1, where the server says so.
    Query(Option<(usize, usize)>),
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
