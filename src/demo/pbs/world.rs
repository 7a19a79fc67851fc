//! What the Backup Server keeps: datastores with their namespaces and backups, jobs, tasks.
//!
//! What always holds here: time comes from outside and only moves forward; what a task does happens when it ends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};

use super::tasks::{Run, Task};

/// One backup.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Snapshot {
    pub(super) namespace: String,
    /// `vm`, `ct`, `host`.
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// Seconds since the epoch.
    pub(super) time: i64,
    pub(super) size: u64,
    pub(super) owner: String,
    pub(super) notes: String,
    pub(super) protected: bool,
    pub(super) encrypted: bool,
    /// Whether its manifest is there: otherwise it is being made, or was cut off.
    pub(super) finished: bool,
    /// Whether a chunk of it is missing.
    pub(super) damaged: bool,
    /// Whether the last verification was good, and its task.
    pub(super) verified: Option<(bool, String)>,
}

impl Snapshot {
    pub(super) fn group(&self) -> (&str, &str, &str) {
        (&self.namespace, self.kind, &self.id)
    }

    /// `vm/100/2026-11-20T07:35:59Z`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}/{}", self.kind, self.id, rfc3339(self.time))
    }
}

/// A time as names of backups have it.
pub(super) fn rfc3339(time: i64) -> String {
    let time = Timestamp::from_second(time).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The last garbage collection.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub(super) upid: Option<String>,
    pub(super) state: String,
    pub(super) end: i64,
    pub(super) duration: i64,
    pub(super) removed: u64,
    pub(super) pending: u64,
    pub(super) bad: u64,
}

/// A datastore.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) total: u64,
    /// In use at the beginning of the world.
    pub(super) used: u64,
    /// How much more of it is in use each day, as a share.
    pub(super) growth: f64,
    /// Mode and message.
    pub(super) maintenance: Option<(String, String)>,
    /// Why it cannot be opened.
    pub(super) broken: Option<String>,
    pub(super) namespaces: BTreeSet<String>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) group_notes: BTreeMap<(String, String, String), String>,
    pub(super) gc_schedule: Option<String>,
    pub(super) collection: Collection,
    /// Bytes of chunks that no backup needs any more.
    pub(super) garbage: u64,
}

/// What a job does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum JobKind {
    Verify,
    Prune,
    Sync,
}

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) kind: JobKind,
    pub(super) id: String,
    pub(super) store: String,
    pub(super) namespace: Option<String>,
    pub(super) schedule: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) disabled: bool,
    /// Rules of a prune job.
    pub(super) keep: Vec<(&'static str, u64)>,
    /// Remote and datastore that a sync job copies from.
    pub(super) source: Option<(Option<String>, String)>,
    /// Task, end and exit status.
    pub(super) last: Option<(String, i64, String)>,
}

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    pub(super) began: i64,
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) zone: TimeZone,
    pub(super) zone_name: &'static str,
    pub(super) fingerprint: String,
    pub(super) stores: Vec<Store>,
    pub(super) jobs: Vec<Job>,
    pub(super) tasks: Vec<Task>,
    pub(super) next_task: u32,
}

impl World {
    /// Seconds since the epoch.
    pub(super) fn seconds(&self) -> i64 {
        self.now.div_euclid(1000)
    }

    pub(super) fn store(&self, name: &str) -> Option<&Store> {
        self.stores.iter().find(|store| store.name == name)
    }

    pub(super) fn store_mut(&mut self, name: &str) -> Option<&mut Store> {
        self.stores.iter_mut().find(|store| store.name == name)
    }

    /// Moves on to the present: tasks that are over do what they do.
    pub(super) fn advance(&mut self, now: i64) {
        self.now = self.now.max(now);
        let due: Vec<usize> = (0..self.tasks.len())
            .filter(|&index| self.tasks[index].is_due(self.now))
            .collect();
        for index in due {
            self.finish(index);
        }
    }

    fn finish(&mut self, index: usize) {
        let (run, upid) = {
            let task = &mut self.tasks[index];
            task.done = true;
            (task.run.clone(), task.upid.clone())
        };
        let (end, exit) = (self.tasks[index].end / 1000, self.tasks[index].exit.clone());
        match run {
            Run::Verify(store, chosen) => {
                if let Some(store) = self.store_mut(&store) {
                    for snapshot in &mut store.snapshots {
                        let named = (snapshot.namespace.clone(), snapshot.path());
                        if chosen.contains(&named) && snapshot.finished {
                            snapshot.verified = Some((!snapshot.damaged, upid.clone()));
                        }
                    }
                }
            }
            Run::Collect(name) => {
                if let Some(store) = self.store_mut(&name) {
                    let (removed, bad) = (store.garbage, store.collection.bad);
                    store.garbage = 0;
                    store.used = store.used.saturating_sub(removed);
                    store.collection = Collection {
                        upid: Some(upid.clone()),
                        state: exit.clone(),
                        end,
                        duration: 2,
                        removed,
                        pending: 0,
                        bad,
                    };
                }
            }
            Run::Remove(name, doomed) => {
                if let Some(store) = self.store_mut(&name) {
                    store.remove(|snapshot| doomed.contains(&(snapshot.namespace.clone(), snapshot.path())));
                }
            }
            Run::Copy(from, to) => self.copy(&from, &to),
            Run::Nothing => {}
        }
        let job = self.tasks[index].job.clone();
        if let Some((kind, id)) = job {
            for job in self
                .jobs
                .iter_mut()
                .filter(|job| job.kind == kind && job.id == id)
            {
                job.last = Some((upid.clone(), end, exit.clone()));
            }
        }
    }

    /// Copies what is newer than what is there, group by group, in the root namespace.
    fn copy(&mut self, from: &str, to: &str) {
        let Some(source) = self.store(from) else { return };
        let new: Vec<Snapshot> = source
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.finished && snapshot.namespace.is_empty())
            .cloned()
            .collect();
        let Some(target) = self.store_mut(to) else { return };
        let mut newest: BTreeMap<(&'static str, String), i64> = BTreeMap::new();
        for known in target.snapshots.iter().filter(|known| known.namespace.is_empty()) {
            let last = newest.entry((known.kind, known.id.clone())).or_insert(i64::MIN);
            *last = (*last).max(known.time);
        }
        for snapshot in new {
            let last = newest.get(&(snapshot.kind, snapshot.id.clone()));
            if last.is_none_or(|last| snapshot.time > *last) {
                target.used += snapshot.size / 20;
                target.snapshots.push(snapshot);
            }
        }
    }

    /// Bytes in use now.
    pub(super) fn used(&self, store: &Store) -> u64 {
        let days = (self.now - self.began) as f64 / 86_400_000.0;
        let grown = store.total as f64 * store.growth * days;
        (store.used as f64 + grown).clamp(0.0, store.total as f64) as u64
    }
}

impl Store {
    /// Removes backups; groups that have none left are gone with their notes.
    pub(super) fn remove(&mut self, doomed: impl Fn(&Snapshot) -> bool) {
        let gone: u64 = self
            .snapshots
            .iter()
            .filter(|snapshot| doomed(snapshot))
            .map(|snapshot| snapshot.size / 20)
            .sum();
        self.garbage += gone;
        self.snapshots.retain(|snapshot| !doomed(snapshot));
        let snapshots = &self.snapshots;
        self.group_notes
            .retain(|(ns, kind, id), _| snapshots.iter().any(|one| one.group() == (ns.as_str(), kind, id)));
    }

    /// `backup1`, `backup1`'s namespace and those below it.
    pub(super) fn within<'a>(
        &'a self,
        namespace: &'a str,
        depth: Option<u64>,
    ) -> impl Iterator<Item = &'a Snapshot> {
        self.snapshots
            .iter()
            .filter(move |snapshot| is_within(&snapshot.namespace, namespace, depth))
    }
}

/// Whether a namespace is this one or below it, no deeper than told.
pub(super) fn is_within(namespace: &str, parent: &str, depth: Option<u64>) -> bool {
    let rest = if parent.is_empty() {
        Some(namespace)
    } else if namespace == parent {
        Some("")
    } else {
        namespace
            .strip_prefix(parent)
            .and_then(|rest| rest.strip_prefix('/'))
    };
    rest.is_some_and(|rest| {
        let deep = rest.split('/').filter(|part| !part.is_empty()).count() as u64;
        depth.is_none_or(|most| deep <= most)
    })
}
