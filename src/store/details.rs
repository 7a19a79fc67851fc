//! What was read about single objects, beyond the inventory.
//!
//! What always holds here: a detail that was never read is `None`; an empty list was read and was empty.

use std::collections::HashMap;

use jiff::SignedDuration;

use crate::domain::{
    GuestDetail, NodeName, ObjectRef, ReplicationJob, StorageName, Task, Upid, Vmid,
    backup_job::JobGuest,
    cluster::Firewall,
    config::{GuestConfig, PendingChange},
    guest::GuestInterface,
    migration::Migration,
    node::{Certificate, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
    rrd::{Frame, Rrd},
    storage::{StorageDetail, Volume},
};

use super::{feed::Feed, log::LogBuffer, shelf::Shelf};

/// How many guests, and how many storages, keep their details: all guests of a node, when it is evacuated.
const OBJECTS: usize = 512;
/// How many task logs are kept.
const LOGS: usize = 8;
/// Of how many backup jobs the guests are kept.
const JOBS: usize = 16;
/// How many raw answers are kept: they are big and seldom looked at twice.
const RAWS: usize = 8;
/// How many recordings are kept: a year of one is a quarter of a mebibyte.
const RRDS: usize = 16;

/// Details of a node. All nodes keep theirs: findings need them, and nodes are few.
#[derive(Default, Debug)]
pub(super) struct NodeDetails {
    pub(super) status: Option<NodeDetail>,
    pub(super) services: Option<Vec<Service>>,
    pub(super) certificates: Option<Vec<Certificate>>,
    pub(super) updates: Option<Vec<PackageUpdate>>,
    pub(super) disks: Option<Vec<Disk>>,
    pub(super) network: Option<Vec<NetworkInterface>>,
    pub(super) subscription: Option<Subscription>,
    pub(super) replication: Option<Vec<ReplicationJob>>,
    pub(super) firewall: Option<Firewall>,
    /// How far the node's clock is ahead of ours.
    pub(super) skew: Option<SignedDuration>,
    /// The zone of its clock.
    pub(super) zone: Option<Box<str>>,
    /// The backups that ran on it, the newest first.
    pub(super) backups: Option<Vec<Task>>,
    pub(super) syslog: Option<Vec<Box<str>>>,
}

/// Details of a guest.
#[derive(Default, Debug)]
pub(super) struct GuestDetails {
    pub(super) status: Option<Box<GuestDetail>>,
    /// Whether an inventory has said the same as `status` since that was read.
    pub(super) settled: bool,
    pub(super) config: Option<GuestConfig>,
    pub(super) pending: Option<Vec<PendingChange>>,
    pub(super) addresses: Option<Vec<GuestInterface>>,
    pub(super) firewall: Option<Firewall>,
    pub(super) migration: Option<Migration>,
    pub(super) files: HashMap<Box<str>, Box<str>>,
}

/// Details of a storage on a node.
#[derive(Default, Debug)]
pub(super) struct StorageDetails {
    pub(super) status: Option<StorageDetail>,
    pub(super) content: Option<Vec<Volume>>,
}

/// A storage on a node: the key of its details.
pub(super) type StorageKey = (NodeName, StorageName);

/// All details of a cluster's objects.
#[derive(Debug)]
pub(super) struct Details {
    pub(super) nodes: HashMap<NodeName, NodeDetails>,
    pub(super) guests: Shelf<Vmid, GuestDetails>,
    pub(super) storages: Shelf<StorageKey, StorageDetails>,
    pub(super) logs: Shelf<Upid, LogBuffer>,
    pub(super) jobs: Shelf<Box<str>, Option<Vec<JobGuest>>>,
    pub(super) raws: Shelf<ObjectRef, Option<Box<str>>>,
    pub(super) rrds: Shelf<(ObjectRef, Frame), Option<Rrd>>,
}

impl Default for Details {
    fn default() -> Self {
        Self {
            nodes: HashMap::new(),
            guests: Shelf::new(OBJECTS),
            storages: Shelf::new(OBJECTS),
            logs: Shelf::new(LOGS),
            jobs: Shelf::new(JOBS),
            raws: Shelf::new(RAWS),
            rrds: Shelf::new(RRDS),
        }
    }
}

/// What had to leave a shelf: the records of its feeds go with it.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Evicted {
    Guest(Vmid),
    Storage(StorageKey),
    Log(Upid),
    Job(Box<str>),
    Raw(ObjectRef),
    Rrd(ObjectRef, Frame),
}

impl Evicted {
    /// Whether a feed is about what left.
    pub(super) fn concerns(&self, feed: &Feed) -> bool {
        match (self, feed) {
            (Self::Raw(gone), Feed::Raw(object)) => gone == object,
            (Self::Rrd(gone, of), Feed::Rrd(object, frame)) => gone == object && of == frame,
            // Snapshots are kept of all guests.
            (_, Feed::Raw(_) | Feed::Rrd(..) | Feed::GuestSnapshots(_)) => false,
            (Self::Job(gone), Feed::JobGuests(job)) => gone == job,
            (Self::Guest(gone), feed) => feed.vmid() == Some(*gone),
            (
                Self::Storage((node, storage)),
                Feed::StorageStatus(of_node, of) | Feed::StorageContent(of_node, of),
            ) => of_node == node && of == storage,
            (Self::Log(gone), Feed::TaskLog(upid) | Feed::TaskStatus(upid)) => upid == gone,
            _ => false,
        }
    }
}

impl Details {
    /// Makes room for what a feed is about, whether its read succeeded or not: a record of a failure needs a bound
    /// as well.
    pub(super) fn touch(&mut self, feed: &Feed) -> Option<Evicted> {
        match feed {
            Feed::Raw(object) => self.raws.touch(object).1.map(Evicted::Raw),
            Feed::Rrd(object, frame) => {
                let evicted = self.rrds.touch(&(object.clone(), *frame)).1;
                evicted.map(|(object, frame)| Evicted::Rrd(object, frame))
            }
            Feed::StorageStatus(node, storage) | Feed::StorageContent(node, storage) => {
                let key = (node.clone(), storage.clone());
                self.storages.touch(&key).1.map(Evicted::Storage)
            }
            Feed::JobGuests(job) => self.jobs.touch(job).1.map(Evicted::Job),
            Feed::GuestSnapshots(_) => None,
            Feed::TaskStatus(upid) | Feed::TaskLog(upid) => self.logs.touch(upid).1.map(Evicted::Log),
            _ => feed
                .vmid()
                .and_then(|vmid| self.guests.touch(&vmid).1.map(Evicted::Guest)),
        }
    }
}
