//! What is known of a Backup Server beside its tasks: datastores, how full they are, namespaces, backups, jobs.
//!
//! What always holds here: what the server did not tell is `None`, and backups of a datastore that is gone go with it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::domain::backup::{
    BackupServerStatus, BackupSnapshot, Datastore, DatastoreJob, DatastoreUsage, GarbageCollection,
};

/// The sorts of jobs: each is a list of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum JobSort {
    /// `/admin/verify`.
    Verify,
    /// `/admin/prune`.
    Prune,
    /// `/admin/sync`.
    Sync,
}

/// One thing that can be read from a Backup Server: one request each.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PbsFeed {
    /// `/status/datastore-usage`: how full each datastore is, and was.
    Usage,
    /// `/admin/datastore`: which there are, and which are in maintenance.
    Datastores,
    /// `/nodes/localhost/status`.
    Status,
    /// `/nodes/localhost/time`: its time zone.
    Zone,
    /// Jobs of one sort with their last results.
    Jobs(JobSort),
    /// `/admin/gc`.
    Collections,
    /// `/admin/datastore/{store}/namespace`.
    Namespaces(Box<str>),
    /// `/admin/datastore/{store}/snapshots` of a namespace, empty for the root.
    Snapshots(Box<str>, Box<str>),
}

impl PbsFeed {
    /// How often a new read is worth its cost while somebody looks.
    pub(super) fn period(&self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            Self::Status => 30,
            Self::Usage => 60,
            Self::Datastores | Self::Jobs(_) | Self::Collections | Self::Snapshots(..) => 120,
            Self::Namespaces(_) => 300,
            Self::Zone => 1800,
        })
    }

    /// The datastore that it is about, if it is about one.
    pub fn datastore(&self) -> Option<&str> {
        match self {
            Self::Namespaces(store) | Self::Snapshots(store, _) => Some(store),
            _ => None,
        }
    }

    /// What it brings, in a word or two.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Usage => "datastore usage",
            Self::Datastores => "datastores",
            Self::Status => "server status",
            Self::Zone => "time zone",
            Self::Jobs(JobSort::Verify) => "verification jobs",
            Self::Jobs(JobSort::Prune) => "prune jobs",
            Self::Jobs(JobSort::Sync) => "sync jobs",
            Self::Collections => "garbage collections",
            Self::Namespaces(_) => "namespaces",
            Self::Snapshots(..) => "backups",
        }
    }
}

/// What a read of a Backup Server brought. Each variant belongs to the feed of the same name.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the feeds of the same names say it")]
pub enum PbsPayload {
    Usage(Vec<DatastoreUsage>),
    Datastores(Vec<Datastore>),
    Status(BackupServerStatus),
    Zone(Box<str>),
    Jobs(Vec<DatastoreJob>),
    Collections(Vec<GarbageCollection>),
    Namespaces(Vec<Box<str>>),
    Snapshots(Vec<BackupSnapshot>),
}

/// A Backup Server as it is known here.
#[derive(Debug, Default)]
pub struct BackupServer {
    usage: Option<Vec<DatastoreUsage>>,
    datastores: Option<Vec<Datastore>>,
    status: Option<BackupServerStatus>,
    zone: Option<Box<str>>,
    jobs: BTreeMap<JobSort, Vec<DatastoreJob>>,
    collections: Option<Vec<GarbageCollection>>,
    namespaces: BTreeMap<Box<str>, Vec<Box<str>>>,
    snapshots: BTreeMap<(Box<str>, Box<str>), Vec<BackupSnapshot>>,
}

impl BackupServer {
    /// How full its datastores are.
    pub fn usage(&self) -> &[DatastoreUsage] {
        self.usage.as_deref().unwrap_or_default()
    }

    /// How full one is.
    pub fn usage_of(&self, store: &str) -> Option<&DatastoreUsage> {
        self.usage().iter().find(|usage| &*usage.name == store)
    }

    /// Its datastores.
    pub fn datastores(&self) -> &[Datastore] {
        self.datastores.as_deref().unwrap_or_default()
    }

    /// One of them.
    pub fn datastore(&self, store: &str) -> Option<&Datastore> {
        self.datastores().iter().find(|known| &*known.name == store)
    }

    /// How the machine is doing.
    pub fn status(&self) -> Option<&BackupServerStatus> {
        self.status.as_ref()
    }

    /// The name of its time zone.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Its jobs: verification, prune, sync.
    pub fn jobs(&self) -> impl Iterator<Item = &DatastoreJob> {
        self.jobs.values().flatten()
    }

    /// The jobs on one datastore.
    pub fn jobs_of<'a>(&'a self, store: &'a str) -> impl Iterator<Item = &'a DatastoreJob> {
        self.jobs().filter(move |job| &*job.store == store)
    }

    /// Garbage collection of a datastore.
    pub fn collection(&self, store: &str) -> Option<&GarbageCollection> {
        let known = self.collections.as_deref().unwrap_or_default();
        known.iter().find(|one| &*one.store == store)
    }

    /// The namespaces of a datastore, the root as the empty one; `None` if they were not read yet.
    pub fn namespaces(&self, store: &str) -> Option<&[Box<str>]> {
        self.namespaces.get(store).map(Vec::as_slice)
    }

    /// The backups of a namespace; `None` if they were not read yet.
    pub fn snapshots(&self, store: &str, namespace: &str) -> Option<&[BackupSnapshot]> {
        self.snapshots
            .get(&(store.into(), namespace.into()))
            .map(Vec::as_slice)
    }

    /// All backups that are known, with datastore and namespace.
    pub fn all_snapshots(&self) -> impl Iterator<Item = (&str, &str, &BackupSnapshot)> {
        self.snapshots
            .iter()
            .flat_map(|((store, ns), list)| list.iter().map(move |one| (&**store, &**ns, one)))
    }

    /// All that are known of a datastore, with their namespace.
    pub fn snapshots_of<'a>(&'a self, store: &'a str) -> impl Iterator<Item = (&'a str, &'a BackupSnapshot)> {
        self.all_snapshots()
            .filter(move |(of, ..)| *of == store)
            .map(|(_, namespace, one)| (namespace, one))
    }

    /// The feeds that bring namespaces and backups of every datastore that can be used.
    pub fn content_feeds(&self) -> Vec<PbsFeed> {
        let usable = |store: &&Datastore| {
            store
                .maintenance
                .as_deref()
                .is_none_or(|mode| mode.starts_with("read-only"))
        };
        let mut feeds = Vec::new();
        for store in self.datastores().iter().filter(usable) {
            feeds.push(PbsFeed::Namespaces(store.name.clone()));
            for namespace in self.namespaces(&store.name).unwrap_or_default() {
                feeds.push(PbsFeed::Snapshots(store.name.clone(), namespace.clone()));
            }
        }
        feeds
    }

    /// Takes what a read brought, for one who keeps no store. Says whether it is news.
    pub fn follow(&mut self, feed: &PbsFeed, payload: PbsPayload) -> bool {
        self.take(feed, payload).unwrap_or(false)
    }

    /// Takes what a read brought. Says whether it is news; `None` if the two do not belong together.
    pub(super) fn take(&mut self, feed: &PbsFeed, payload: PbsPayload) -> Option<bool> {
        Some(match (feed, payload) {
            (PbsFeed::Usage, PbsPayload::Usage(usage)) => set(&mut self.usage, usage),
            (PbsFeed::Datastores, PbsPayload::Datastores(stores)) => {
                let known = |store: &str| stores.iter().any(|one| &*one.name == store);
                self.namespaces.retain(|store, _| known(store));
                self.snapshots.retain(|(store, _), _| known(store));
                set(&mut self.datastores, stores)
            }
            (PbsFeed::Status, PbsPayload::Status(status)) => set(&mut self.status, status),
            (PbsFeed::Zone, PbsPayload::Zone(zone)) => set(&mut self.zone, zone),
            (PbsFeed::Jobs(sort), PbsPayload::Jobs(jobs)) => put(&mut self.jobs, *sort, jobs),
            (PbsFeed::Collections, PbsPayload::Collections(all)) => set(&mut self.collections, all),
            (PbsFeed::Namespaces(store), PbsPayload::Namespaces(names)) => {
                self.snapshots
                    .retain(|(of, namespace), _| of != store || names.contains(namespace));
                put(&mut self.namespaces, store.clone(), names)
            }
            (PbsFeed::Snapshots(store, namespace), PbsPayload::Snapshots(list)) => {
                put(&mut self.snapshots, (store.clone(), namespace.clone()), list)
            }
            _ => return None,
        })
    }
}

/// Puts a value in place. Says whether it is another one.
fn set<T: PartialEq>(place: &mut Option<T>, value: T) -> bool {
    let news = place.as_ref() != Some(&value);
    if news {
        *place = Some(value);
    }
    news
}

fn put<K: Ord, T: PartialEq>(places: &mut BTreeMap<K, T>, key: K, value: T) -> bool {
    if places.get(&key) == Some(&value) {
        return false;
    }
    places.insert(key, value);
    true
}
