//! Backups, their jobs and runs, and snapshots: kept of all guests, because findings speak of all.
//!
//! What always holds here: what was never read is `None`, which is not the same as none. A shared storage is read once.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::{
    BackupJob, BackupRef, ClusterId, Guest, GuestRef, NodeName, NodeRef, StorageName, StorageRef, Task, Vmid,
    backup_job::LastRun,
    guest::Snapshot,
    retention::Retention,
    storage::{StorageDefinition, Volume},
};

use super::{
    Store,
    apply::set,
    cluster::Cluster,
    details::StorageKey,
    feed::{Feed, Payload},
};

/// What is known of the backups of a cluster.
#[derive(Default, Debug)]
pub(super) struct Backups {
    storages: HashMap<StorageKey, Vec<Volume>>,
    /// Where the backups of each guest are, the newest first.
    of_guest: HashMap<Vmid, Vec<(StorageKey, usize)>>,
    jobs: Option<Vec<BackupJob>>,
    definitions: Option<Vec<StorageDefinition>>,
    snapshots: HashMap<Vmid, Vec<Snapshot>>,
}

/// Whether a feed is kept here.
pub(super) fn is_of_backups(feed: &Feed) -> bool {
    matches!(
        feed,
        Feed::Backups(..)
            | Feed::BackupTasks(_)
            | Feed::BackupJobs
            | Feed::StorageDefinitions
            | Feed::GuestSnapshots(_)
    )
}

impl Backups {
    pub(super) fn forget(&mut self, is_there: impl Fn(Vmid) -> bool) {
        self.snapshots.retain(|vmid, _| is_there(*vmid));
    }

    fn index(&mut self) {
        self.of_guest.clear();
        for (key, volumes) in &self.storages {
            for (at, volume) in volumes.iter().enumerate() {
                if let Some(vmid) = volume.vmid {
                    self.of_guest.entry(vmid).or_default().push((key.clone(), at));
                }
            }
        }
        let storages = &self.storages;
        for places in self.of_guest.values_mut() {
            places.sort_by(|(a, x), (b, y)| {
                let time = |key: &StorageKey, at: usize| storages.get(key).and_then(|list| list[at].time);
                time(b, *y).cmp(&time(a, *x)).then_with(|| (a, x).cmp(&(b, y)))
            });
        }
    }
}

impl Cluster {
    /// Takes what a feed of backups brought. Says whether it is news; `None` if it does not belong to its feed.
    pub(super) fn take_backups(&mut self, feed: &Feed, payload: Payload) -> Option<bool> {
        let known = &mut self.backups;
        Some(match (feed, payload) {
            (Feed::Backups(node, storage), Payload::Backups(mut volumes)) => {
                // Some servers list more than they were asked for.
                volumes.retain(|volume| &*volume.content == "backup");
                let key = (node.clone(), storage.clone());
                let news = known.storages.get(&key) != Some(&volumes);
                if news {
                    // A shared storage that is read through another node now.
                    let readable = self.inventory.backup_storages();
                    known
                        .storages
                        .retain(|old, _| old.1 != key.1 || readable.contains(old));
                    known.storages.insert(key, volumes);
                    known.index();
                }
                news
            }
            (Feed::BackupTasks(node), Payload::BackupTasks(tasks)) => {
                let details = self.details.nodes.entry(node.clone()).or_default();
                set(&mut details.backups, tasks)
            }
            (Feed::BackupJobs, Payload::BackupJobs(jobs)) => set(&mut known.jobs, jobs),
            (Feed::StorageDefinitions, Payload::StorageDefinitions(list)) => {
                set(&mut known.definitions, list)
            }
            (Feed::GuestSnapshots(vmid), Payload::GuestSnapshots(list)) => {
                let before = known.snapshots.insert(*vmid, list);
                before.as_ref() != known.snapshots.get(vmid)
            }
            _ => return None,
        })
    }

    /// The storages that hold backups, each with the node through which it is read; a shared one once.
    pub fn backup_storages(&self) -> Vec<(NodeName, StorageName)> {
        self.inventory.backup_storages()
    }

    /// The feeds that tell of all backups.
    pub fn backup_feeds(&self) -> impl Iterator<Item = Feed> {
        self.backup_storages()
            .into_iter()
            .map(|(node, storage)| Feed::Backups(node, storage))
    }

    /// Its backup jobs ([`Feed::BackupJobs`]).
    pub fn backup_jobs(&self) -> Option<&[BackupJob]> {
        self.backups.jobs.as_deref()
    }

    /// One backup job.
    pub fn backup_job(&self, id: &str) -> Option<&BackupJob> {
        self.backup_jobs()?.iter().find(|job| &*job.id == id)
    }

    /// What the configuration says of its storages ([`Feed::StorageDefinitions`]).
    pub fn storage_definitions(&self) -> Option<&[StorageDefinition]> {
        self.backups.definitions.as_deref()
    }

    /// What the configuration says of one.
    pub fn storage_definition(&self, name: &StorageName) -> Option<&StorageDefinition> {
        self.storage_definitions()?
            .iter()
            .find(|definition| definition.name == *name)
    }

    /// The snapshots of a guest ([`Feed::GuestSnapshots`]).
    pub fn snapshots(&self, vmid: Vmid) -> Option<&[Snapshot]> {
        self.backups.snapshots.get(&vmid).map(Vec::as_slice)
    }

    /// All backups that are known, in no order.
    pub fn backups(&self) -> impl Iterator<Item = Backup<'_>> {
        self.backups.storages.iter().flat_map(move |(key, volumes)| {
            volumes.iter().map(move |volume| Backup {
                cluster: &self.id,
                node: &key.0,
                storage: &key.1,
                volume,
            })
        })
    }

    /// The backups of a guest that are known, the newest first.
    pub fn backups_of(&self, vmid: Vmid) -> impl Iterator<Item = Backup<'_>> {
        let places = self.backups.of_guest.get(&vmid);
        places.into_iter().flatten().filter_map(move |(key, at)| {
            let (key, volumes) = self.backups.storages.get_key_value(key)?;
            Some(Backup {
                cluster: &self.id,
                node: &key.0,
                storage: &key.1,
                volume: volumes.get(*at)?,
            })
        })
    }

    /// The backups of one storage, as read through a node ([`Feed::Backups`]).
    pub fn backups_on(&self, node: &NodeName, storage: &StorageName) -> Option<&[Volume]> {
        let key = (node.clone(), storage.clone());
        self.backups.storages.get(&key).map(Vec::as_slice)
    }

    /// Whether there is a storage that holds backups, and every such was read.
    pub fn knows_all_backups(&self) -> bool {
        let storages = self.backup_storages();
        !storages.is_empty() && storages.iter().all(|key| self.backups.storages.contains_key(key))
    }

    /// The newest backup of a guest that can be restored as far as is known.
    pub fn last_good(&self, vmid: Vmid) -> Option<Backup<'_>> {
        self.backups_of(vmid).find(|backup| backup.volume.is_good())
    }

    /// Whether some enabled job takes a guest; `None` if the jobs are not known.
    pub fn is_in_a_job(&self, guest: &Guest) -> Option<bool> {
        let jobs = self.backup_jobs()?;
        Some(jobs.iter().any(|job| job.enabled && job.takes(guest)))
    }

    /// What a job keeps: by its own rules, or by those of its storage.
    pub fn retention_of(&self, job: &BackupJob) -> Option<Retention> {
        job.retention.clone().or_else(|| {
            let storage = job.storage.clone().unwrap_or_else(|| "local".into());
            self.storage_definition(&storage)?.retention.clone()
        })
    }

    /// The zone by which jobs run: that of the job's node, or of the first node whose clock is known.
    pub fn job_zone(&self, job: &BackupJob) -> Option<TimeZone> {
        let zone = |node: &NodeName| {
            let details = self.details.nodes.get(node)?;
            TimeZone::get(details.zone.as_deref()?).ok()
        };
        match &job.node {
            Some(node) => zone(node),
            None => self.nodes().iter().find_map(|node| zone(&node.name)),
        }
    }

    /// How the last scheduled run of a job went, by the backup tasks of its nodes ([`Feed::BackupTasks`]).
    pub fn last_run(&self, job: &BackupJob, now: Timestamp) -> LastRun {
        let Some(zone) = self.job_zone(job) else {
            return LastRun::Unknown;
        };
        let mut tasks: Vec<&Task> = Vec::new();
        // How far back the lists reach. A full one tells nothing of what came before its oldest task; of others the
        // oldest task of any node shows how long tasks are kept.
        let (mut bound, mut reach, mut unread) = (Timestamp::MIN, None::<Timestamp>, false);
        for node in self.nodes() {
            if job.node.as_ref().is_some_and(|only| *only != node.name) {
                continue;
            }
            let Some(known) = self
                .details
                .nodes
                .get(&node.name)
                .and_then(|details| details.backups.as_deref())
            else {
                // What ran on a node that was not read is not known.
                unread = true;
                continue;
            };
            let oldest = known.iter().map(|task| task.upid.start).min();
            if known.len() >= FULL {
                bound = bound.max(oldest.unwrap_or(Timestamp::MIN));
            }
            reach = reach.min(oldest).or(reach).or(oldest);
            tasks.extend(known);
        }
        let since = reach.filter(|_| !unread).map(|reach| reach.max(bound));
        job.last_run(tasks.into_iter(), since, now, &zone)
    }
}

/// A list of tasks with as many has older ones that were left out.
const FULL: usize = 200;

/// A backup and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Backup<'a> {
    /// Where the storage is.
    pub cluster: &'a ClusterId,
    /// The node through which it was read.
    pub node: &'a NodeName,
    /// On which storage.
    pub storage: &'a StorageName,
    /// The backup itself.
    pub volume: &'a Volume,
}

impl Backup<'_> {
    /// What it is named by.
    pub fn reference(&self) -> BackupRef {
        BackupRef {
            storage: StorageRef {
                cluster: self.cluster.clone(),
                node: self.node.clone(),
                storage: self.storage.clone(),
            },
            volid: self.volume.volid.clone(),
        }
    }
}

impl Store {
    /// All backups that are known, in no order.
    pub fn backups(&self) -> impl Iterator<Item = Backup<'_>> {
        self.clusters().iter().flat_map(Cluster::backups)
    }

    /// One backup.
    pub fn backup(&self, backup: &BackupRef) -> Option<Backup<'_>> {
        let cluster = self.cluster(&backup.storage.cluster)?;
        let key = (backup.storage.node.clone(), backup.storage.storage.clone());
        let (key, volumes) = cluster.backups.storages.get_key_value(&key)?;
        Some(Backup {
            cluster: &cluster.id,
            node: &key.0,
            storage: &key.1,
            volume: volumes.iter().find(|volume| volume.volid == backup.volid)?,
        })
    }

    /// The backups of a guest that are known, the newest first.
    pub fn backups_of(&self, guest: &GuestRef) -> impl Iterator<Item = Backup<'_>> {
        let vmid = guest.vmid;
        self.cluster(&guest.cluster)
            .into_iter()
            .flat_map(move |cluster| cluster.backups_of(vmid))
    }

    /// The zone of the node that prunes a storage: any zone of its cluster where the node's own is not known.
    pub fn zone_near(&self, node: &NodeRef) -> Option<TimeZone> {
        self.node_zone(node).or_else(|| {
            let cluster = self.cluster(&node.cluster)?;
            cluster.nodes().iter().find_map(|other| {
                self.node_zone(&NodeRef {
                    cluster: node.cluster.clone(),
                    node: other.name.clone(),
                })
            })
        })
    }
}
