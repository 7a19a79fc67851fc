//! What reads a feed: the seam between the rhythm and the wire.

use std::future::Future;

use jiff::Timestamp;

use super::schedule::Core;
use crate::{
    clients::{
        Error,
        pve::{Client, request},
    },
    domain::{
        GuestKind, NodeName, ObjectRef, Upid, Vmid,
        rrd::{Frame, Rrd},
    },
    store::{Feed, FeedError, FeedErrorKind, FeedKey, Payload, Store},
};

/// Lines of a log that one read asks for.
pub(super) const LINES: usize = 500;
/// Lines of the cluster's log.
const CLUSTER_LOG: u32 = 200;
/// Backups of a node that are looked back at.
const BACKUP_TASKS: usize = 200;

/// What a read needs to know besides its feed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Where a guest is and what kind it is: its path needs both.
    pub guest: Option<(NodeName, GuestKind)>,
    /// The first line of a log that is not known yet.
    pub line: usize,
    /// Only readings after this moment; without it the newest only.
    pub after: Option<Timestamp>,
}

impl Place {
    /// The place of a feed as far as the store knows it; a log is read from its start.
    pub fn of(key: &FeedKey, store: &Store) -> Self {
        let guest = key.feed.vmid().and_then(|vmid| {
            let guest = store.cluster(&key.cluster)?.guest(vmid)?;
            Some((guest.node.clone(), guest.kind))
        });
        Self {
            guest,
            ..Self::default()
        }
    }
}

/// Reads the feeds of one cluster or Backup Server.
pub trait Reader: Send + Sync {
    /// What is read whatever is on the screen.
    fn core(&self) -> Core {
        Core::cluster()
    }

    /// Reads a feed once.
    fn read(&self, feed: Feed, place: Place) -> impl Future<Output = Result<Payload, FeedError>> + Send;
}

impl Reader for Client {
    async fn read(&self, feed: Feed, place: Place) -> Result<Payload, FeedError> {
        read(self, &feed, &place).await.map_err(|error| failure(&error))
    }
}

async fn read(client: &Client, feed: &Feed, place: &Place) -> Result<Payload, Error> {
    Ok(match feed {
        Feed::Resources => Payload::Resources(client.resources().await?),
        Feed::ClusterStatus => Payload::ClusterStatus(client.cluster_status().await?),
        Feed::Tasks => Payload::Tasks(client.cluster_tasks().await?),
        Feed::HaStatus => Payload::HaStatus(client.ha_status().await?),
        Feed::HaRules => Payload::HaRules(client.ha_rules().await?),
        Feed::ClusterLog => Payload::ClusterLog(client.cluster_log(CLUSTER_LOG).await?),
        Feed::Readings => Payload::Readings(client.cluster_readings(place.after).await?),
        Feed::Version => Payload::Version(client.version().await?),
        Feed::Permissions => Payload::Permissions(client.permissions().await?),
        Feed::ClusterFirewall => Payload::Firewall(client.cluster_firewall().await?),
        Feed::FirewallGroups => Payload::FirewallGroups(client.firewall_groups().await?),
        Feed::NodeFirewall(node) => Payload::Firewall(client.node_firewall(node).await?),
        Feed::NodeStatus(node) => Payload::NodeStatus(client.node_status(node).await?),
        Feed::NodeServices(node) => Payload::NodeServices(client.node_services(node).await?),
        Feed::NodeCertificates(node) => Payload::NodeCertificates(client.node_certificates(node).await?),
        Feed::NodeUpdates(node) => Payload::NodeUpdates(client.node_updates(node).await?),
        Feed::NodeDisks(node) => Payload::NodeDisks(client.node_disks(node).await?),
        Feed::NodeNetwork(node) => Payload::NodeNetwork(client.node_network(node).await?),
        Feed::NodeSubscription(node) => Payload::NodeSubscription(client.node_subscription(node).await?),
        Feed::NodeReplication(node) => Payload::NodeReplication(client.node_replication(node).await?),
        Feed::NodeTime(node) => Payload::NodeTime(client.node_time(node).await?),
        Feed::NodeSyslog(node) => Payload::NodeSyslog(client.node_syslog(node, LINES).await?),
        Feed::StorageStatus(node, storage) => {
            Payload::StorageStatus(client.storage_status(node, storage).await?)
        }
        Feed::StorageContent(node, storage) => {
            Payload::StorageContent(client.storage_content(node, storage).await?)
        }
        Feed::Backups(node, storage) => {
            Payload::Backups(client.read(request::storage_backups(node, storage)).await?)
        }
        Feed::BackupTasks(node) => {
            Payload::BackupTasks(client.read(request::backup_tasks(node, BACKUP_TASKS)).await?)
        }
        Feed::BackupJobs => Payload::BackupJobs(client.read(request::backup_jobs()).await?),
        Feed::JobGuests(job) => Payload::JobGuests(client.read(request::job_guests(job)).await?),
        Feed::NotBackedUp => Payload::NotBackedUp(client.guests_not_backed_up().await?),
        Feed::StorageDefinitions => {
            Payload::StorageDefinitions(client.read(request::storage_definitions()).await?)
        }
        Feed::TaskStatus(upid) => Payload::TaskStatus(client.task_status(upid).await?),
        Feed::TaskLog(upid) => Payload::TaskLog(client.task_log(upid, place.line, LINES).await?),
        Feed::Rrd(object, frame) => Payload::Rrd(rrd(client, object, *frame, place).await?),
        Feed::Raw(object) => Payload::Raw(raw(client, object, place).await?),
        Feed::GuestStatus(_)
        | Feed::GuestConfig(_)
        | Feed::GuestPending(_)
        | Feed::GuestAddresses(_)
        | Feed::GuestSnapshots(_)
        | Feed::GuestMigration(_)
        | Feed::GuestFile(..)
        | Feed::GuestFirewall(_) => guest(client, feed, place).await?,
        Feed::Pbs(_) => return Err(no_backup_server()),
    })
}

fn no_backup_server() -> Error {
    Error::NotAvailable {
        message: "only a Backup Server has this".to_owned(),
    }
}

async fn guest(client: &Client, feed: &Feed, place: &Place) -> Result<Payload, Error> {
    let (node, kind, vmid) = guest_path(feed.vmid(), place)?;
    Ok(match feed {
        Feed::GuestStatus(_) => Payload::GuestStatus(Box::new(client.guest_status(node, kind, vmid).await?)),
        Feed::GuestPending(_) => Payload::GuestPending(client.guest_pending(node, kind, vmid).await?),
        Feed::GuestAddresses(_) => Payload::GuestAddresses(client.guest_addresses(node, kind, vmid).await?),
        Feed::GuestSnapshots(_) => Payload::GuestSnapshots(client.guest_snapshots(node, kind, vmid).await?),
        Feed::GuestMigration(_) => Payload::GuestMigration(client.guest_migration(node, kind, vmid).await?),
        Feed::GuestFile(_, file) => Payload::GuestFile(client.guest_file(node, vmid, file).await?),
        Feed::GuestFirewall(_) => Payload::Firewall(client.guest_firewall(node, kind, vmid).await?),
        _ => Payload::GuestConfig(client.guest_config(node, kind, vmid).await?),
    })
}

async fn raw(client: &Client, object: &ObjectRef, place: &Place) -> Result<Box<str>, Error> {
    match object {
        ObjectRef::Cluster(_) => client.raw_cluster().await,
        ObjectRef::Node(node) => client.raw_node(&node.node).await,
        ObjectRef::Storage(storage) => client.raw_storage(&storage.node, &storage.storage).await,
        ObjectRef::Task(task) => client.raw_task(&task.upid).await,
        ObjectRef::Alert(_) | ObjectRef::Silence(_) => Err(Error::NotAvailable {
            message: "a cluster knows nothing of alerts and silences".to_owned(),
        }),
        ObjectRef::Guest(guest) => {
            let (node, kind, vmid) = guest_path(Some(guest.vmid), place)?;
            client.raw_guest(node, kind, vmid).await
        }
        ObjectRef::BackupServer(_) | ObjectRef::Datastore(_) | ObjectRef::ServerBackup(_) => {
            Err(no_backup_server())
        }
        ObjectRef::Backup(backup) => {
            let (node, storage) = (&backup.storage.node, &backup.storage.storage);
            client
                .read(request::backup(node, storage, &backup.volid).raw())
                .await
        }
        ObjectRef::Snapshot(snapshot) => {
            let (node, kind, vmid) = guest_path(Some(snapshot.guest.vmid), place)?;
            let get = request::snapshot_config(node, kind, vmid, &snapshot.name);
            client.read(get.raw()).await
        }
        ObjectRef::Job(job) => client.read(request::backup_job(&job.id).raw()).await,
    }
}

async fn rrd(client: &Client, object: &ObjectRef, frame: Frame, place: &Place) -> Result<Rrd, Error> {
    match object {
        ObjectRef::Node(node) => client.node_rrd(&node.node, frame).await,
        ObjectRef::Storage(storage) => client.storage_rrd(&storage.node, &storage.storage, frame).await,
        ObjectRef::Guest(guest) => {
            let (node, kind, vmid) = guest_path(Some(guest.vmid), place)?;
            client.guest_rrd(node, kind, vmid, frame).await
        }
        _ => Err(Error::NotAvailable {
            message: "only nodes, guests and storages are recorded".to_owned(),
        }),
    }
}

fn guest_path(vmid: Option<Vmid>, place: &Place) -> Result<(&NodeName, GuestKind, Vmid), Error> {
    match (&place.guest, vmid) {
        (Some((node, kind)), Some(vmid)) => Ok((node, *kind, vmid)),
        _ => Err(Error::NotAvailable {
            message: "the inventory does not list this guest".to_owned(),
        }),
    }
}

/// The sort of failure, for backoff and colour, and the sentence that the user reads.
pub fn failure(error: &Error) -> FeedError {
    let kind = match error {
        Error::Unreachable { .. } | Error::Timeout { .. } => FeedErrorKind::Unreachable,
        Error::Untrusted { .. } => FeedErrorKind::Untrusted,
        Error::SignIn { .. } | Error::Setup { .. } => FeedErrorKind::SignIn,
        Error::NotAllowed { .. } => FeedErrorKind::NotAllowed,
        Error::NotAvailable { .. } => FeedErrorKind::NotAvailable,
        // One node away is not the cluster away: others answer.
        Error::NodeAway { .. } | Error::Server { .. } | Error::Parameter { .. } => FeedErrorKind::Server,
        Error::Malformed { .. } => FeedErrorKind::Malformed,
    };
    FeedError {
        kind,
        message: error.to_string(),
    }
}

/// The task that a feed is about, if any.
pub(super) fn task_of(feed: &Feed) -> Option<&Upid> {
    match feed {
        Feed::TaskStatus(upid) | Feed::TaskLog(upid) => Some(upid),
        _ => None,
    }
}
