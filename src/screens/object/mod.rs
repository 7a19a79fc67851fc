//! Everything about one object on one page: guest, node, storage, cluster, task, backup, snapshot, backup job.
//!
//! What always holds here:
//! - A page is a pure function of store and time; each section tells the age of its data, or why there is none.
//! - The feeds it asks for are exactly those that it shows.
//! - The page is built when the store changes or a second has passed, not for each frame.

mod alert;
mod backup;
mod backup_server;
mod cluster;
mod config;
mod guest;
mod job;
mod node;
mod node_parts;
mod parts;
mod silence;
mod storage;
mod task;

use std::collections::BTreeSet;

use super::{Cx, Pane, Place, Reply, freshness, scrolling};
use crate::{
    actions::{Id, Scope, Target, availability},
    domain::ObjectRef,
    store::{Feed, FeedKey, MonitorKey},
    ui::{
        Canvas, Tone,
        page::{Page, PageView},
        pane::Title,
    },
};

/// A page of more lines than this is not built each second just to let its ages grow.
const LONG: usize = 1_000;

/// The page of an object.
#[derive(Debug)]
pub struct ObjectPane {
    object: ObjectRef,
    view: PageView,
    /// The revision of the store and the second for which the page was built.
    built: Option<(u64, i64)>,
}

/// The page of an object as the store knows it now.
pub fn page(cx: &Cx<'_>, object: &ObjectRef) -> Page {
    let sections = match object {
        ObjectRef::Cluster(cluster) => cluster::page(cx, cluster),
        ObjectRef::Node(node) => node::page(cx, node),
        ObjectRef::Guest(guest) => guest::page(cx, guest),
        ObjectRef::Storage(storage) => storage::page(cx, storage),
        ObjectRef::Task(task) => task::page(cx, task),
        ObjectRef::BackupServer(server) => backup_server::server(cx, server),
        ObjectRef::Datastore(datastore) => backup_server::datastore(cx, datastore),
        ObjectRef::ServerBackup(backup) => backup_server::backup(cx, backup),
        ObjectRef::Backup(backup) => backup::page(cx, backup),
        ObjectRef::Snapshot(snapshot) => backup::snapshot_page(cx, snapshot),
        ObjectRef::Job(job) => job::page(cx, job),
        ObjectRef::Alert(key) => alert::page(cx, *key),
        ObjectRef::Silence(silence) => silence::page(cx, silence),
    };
    Page { sections }
}

/// The feeds that the page shows.
fn feeds(cx: &Cx<'_>, object: &ObjectRef) -> Vec<Feed> {
    match object {
        ObjectRef::Cluster(cluster) => cluster::feeds(cx, cluster),
        ObjectRef::Node(node) => node::feeds(cx, node),
        ObjectRef::Guest(guest) => guest::feeds(cx, guest),
        ObjectRef::Storage(storage) => storage::feeds(cx, storage),
        ObjectRef::Task(task) => task::feeds(task),
        ObjectRef::BackupServer(_) => backup_server::server_feeds(),
        ObjectRef::Datastore(datastore) => backup_server::store_feeds(cx, datastore),
        ObjectRef::ServerBackup(backup) => backup_server::backup_feeds(backup),
        ObjectRef::Backup(backup) => backup::feeds(backup),
        ObjectRef::Snapshot(snapshot) => vec![Feed::GuestSnapshots(snapshot.guest.vmid)],
        ObjectRef::Job(job) => job::feeds(cx, job),
        ObjectRef::Alert(_) | ObjectRef::Silence(_) => Vec::new(),
    }
}

/// What everything about its server rests on.
fn heart(cx: &Cx<'_>, object: &ObjectRef) -> FeedKey {
    cx.store.heart(object.cluster()).of(object.cluster())
}

/// The object with its name, where it has one besides its number.
fn title(cx: &Cx<'_>, object: &ObjectRef) -> String {
    match object {
        ObjectRef::Guest(id) => match cx.store.guest(id) {
            Some(guest) => format!("{} {}", id.vmid, guest.label()),
            None => object.to_string(),
        },
        ObjectRef::Task(task) => format!("task {} {}", task.upid.kind, task.upid.id),
        ObjectRef::Alert(key) => match cx.store.alarm(*key) {
            Some(alarm) => format!("alert {}", alarm.name),
            None => object.to_string(),
        },
        _ => object.to_string(),
    }
}

impl ObjectPane {
    /// The page of an object.
    pub fn new(object: ObjectRef) -> Self {
        Self {
            object,
            view: PageView::default(),
            built: None,
        }
    }

    /// Whether another page would say the same: the store does, and ages need not grow yet.
    fn is_current(&self, cx: &Cx<'_>) -> bool {
        let step = if self.view.len() < LONG { 1 } else { 15 };
        self.built.is_some_and(|(revision, second)| {
            revision == cx.store.revision() && cx.now.as_second().saturating_sub(second).abs() < step
        })
    }
}

impl Pane for ObjectPane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let needle = self.view.needle();
        Title {
            number: None,
            name: title(cx, &self.object),
            detail: if needle.is_empty() {
                String::new()
            } else {
                format!("/{needle}")
            },
            freshness: match self.object {
                ObjectRef::Alert(_) | ObjectRef::Silence(_) => {
                    freshness::with_monitors(cx, [], &super::alarms::feeds(cx.store))
                }
                _ => freshness::freshness(cx, [heart(cx, &self.object)]),
            },
        }
    }

    fn scope(&self) -> Scope {
        Scope::Text
    }

    fn interest(&self, cx: &Cx<'_>, wanted: &mut BTreeSet<FeedKey>) {
        if matches!(self.object, ObjectRef::Alert(_) | ObjectRef::Silence(_)) {
            return;
        }
        let cluster = self.object.cluster();
        wanted.insert(heart(cx, &self.object));
        wanted.extend(feeds(cx, &self.object).into_iter().map(|feed| feed.of(cluster)));
    }

    fn monitors(&self, cx: &Cx<'_>, wanted: &mut BTreeSet<MonitorKey>) {
        if matches!(self.object, ObjectRef::Alert(_) | ObjectRef::Silence(_)) {
            wanted.extend(super::alarms::feeds(cx.store));
        }
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        // A key that only scrolls must not build ten thousand rows.
        if !self.is_current(cx) {
            self.built = Some((cx.store.revision(), cx.now.as_second()));
            self.view.set_page(page(cx, &self.object));
        }
    }

    fn act(&mut self, action: Id, _cx: &Cx<'_>) -> Reply {
        if let Some(step) = scrolling::step(action) {
            self.view.go(step);
            return Reply::Done;
        }
        let place = match action {
            Id::ObjectRaw => Place::Raw(self.object.clone()),
            Id::ObjectLog => Place::Log(self.object.clone()),
            _ => return Reply::Ignored,
        };
        let target = Target {
            object: Some(&self.object),
            list: false,
            ..Target::default()
        };
        match availability(action, target) {
            Ok(()) => Reply::Go(place),
            Err(reason) => Reply::Say(Tone::Warn, reason.to_owned()),
        }
    }

    fn subject(&self) -> Option<ObjectRef> {
        Some(self.object.clone())
    }

    fn filter(&self) -> Option<&str> {
        Some(self.view.needle())
    }

    fn set_filter(&mut self, line: &str) {
        self.view.set_needle(line);
    }

    fn scroll(&mut self, lines: isize, _cx: &Cx<'_>) {
        self.view.go(crate::ui::table::Move::By(lines));
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        // Ages grow while the store stays the same.
        self.refresh(cx);
        self.view.draw(canvas);
    }
}
