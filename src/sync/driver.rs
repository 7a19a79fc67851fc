//! One driver per cluster: does what the schedule says.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    reader::{Place, Reader, task_of},
    schedule::Schedule,
};
use crate::{
    domain::{
        ClusterId, GuestKind, Inventory, NodeName, NodeStatus, TaskState, Upid, Vmid, reading::Reading,
    },
    store::{BackupServer, Feed, FeedError, FeedErrorKind, Payload, PbsFeed, PbsPayload, Update},
};

/// Up to so many guests the readings of a cluster are read once although nobody looks at a graph.
const SMALL: usize = 300;
/// Readings that are asked for at once: what is more costs the server noticeable time.
const READINGS: usize = 60_000;

/// What a driver is told.
#[derive(Debug)]
pub struct Orders<F = Feed> {
    /// What is on the screen, and whether reading is paused.
    pub watch: watch::Receiver<(BTreeSet<F>, bool)>,
    /// What is to be read at once.
    pub refresh: mpsc::Receiver<BTreeSet<F>>,
    /// Ends the driver.
    pub cancel: CancellationToken,
}

/// Reads one cluster until it is told to end, or nobody takes the updates any more.
pub async fn drive<R: Reader>(
    cluster: ClusterId,
    reader: Arc<R>,
    mut orders: Orders,
    updates: mpsc::Sender<Update>,
) {
    let mut driver = Driver {
        schedule: Schedule::of(reader.core(), Instant::now()),
        known: Known::default(),
    };
    let mut reads = FuturesUnordered::new();
    let (feeds, paused) = orders.watch.borrow_and_update().clone();
    driver.watch(&feeds, paused);
    loop {
        let now = Instant::now();
        for feed in driver.schedule.start(now) {
            let place = driver.known.place(&feed);
            let reader = reader.clone();
            reads.push(async move {
                let asked_at = place.guest.clone();
                let outcome = reader.read(feed.clone(), place).await;
                (feed, asked_at, outcome)
            });
        }
        let wake = driver.schedule.next_wake(now);
        tokio::select! {
            () = orders.cancel.cancelled() => return,
            Some((feed, asked_at, outcome)) = reads.next() => {
                driver.known.missed(&feed, asked_at, &outcome);
                driver.finished(&feed, &outcome);
                let update = Update { key: feed.of(&cluster), at: Timestamp::now(), outcome };
                // The channel may be full for as long as nobody takes anything: that must not hold up the end.
                tokio::select! {
                    () = orders.cancel.cancelled() => return,
                    sent = updates.send(update) => if sent.is_err() {
                        return;
                    }
                }
            }
            changed = orders.watch.changed() => {
                if changed.is_err() {
                    return;
                }
                let (feeds, paused) = orders.watch.borrow_and_update().clone();
                driver.watch(&feeds, paused);
            }
            Some(feeds) = orders.refresh.recv() => driver.schedule.refresh(&feeds, Instant::now()),
            () = sleep_until(wake) => {}
        }
    }
}

pub(super) async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Guests whose snapshots are surveyed: more would not be through within hours.
const SNAPSHOTS: usize = 2000;

struct Driver {
    schedule: Schedule,
    known: Known,
}

impl Driver {
    fn watch(&mut self, feeds: &BTreeSet<Feed>, paused: bool) {
        self.schedule.pause(paused);
        self.schedule.watch(feeds, Instant::now());
        self.known.forget_tasks(feeds);
        self.known.forget_guests(feeds);
    }

    fn finished(&mut self, feed: &Feed, outcome: &Result<Payload, FeedError>) {
        let now = Instant::now();
        let told = outcome.as_ref().map(|_| ()).map_err(|error| error.kind);
        self.schedule.finished(feed, told, now, fastrand::f64());
        match outcome {
            Ok(Payload::Resources(inventory)) => {
                self.known.inventory(inventory);
                for feed in self.known.found_again() {
                    self.schedule.refresh_if_watched(&feed, now);
                }
                let mut surveyed = surveys(inventory);
                if inventory.guests.len() <= SMALL {
                    // Once, so that sparklines begin with what was before.
                    surveyed.push(Feed::Readings);
                }
                self.schedule.survey(surveyed, now);
            }
            Ok(Payload::Readings(readings)) => {
                self.known.told(readings);
                if !self.schedule.is_watched(feed) {
                    self.schedule.rest(feed, now);
                }
            }
            Ok(Payload::Pbs(payload)) => {
                if let Feed::Pbs(feed) = feed
                    && self.known.contents.take(feed, payload)
                {
                    self.schedule.survey(self.known.contents.feeds(), now);
                }
            }
            Ok(Payload::TaskLog(log)) => {
                if let Feed::TaskLog(upid) = feed {
                    let next = log.start + log.lines.len();
                    self.known.lines.insert(upid.clone(), next);
                    if next < log.total {
                        // More lines are there already: the reader of a log wants all of it, now.
                        self.schedule.refresh(&BTreeSet::from([feed.clone()]), now);
                    } else if self.known.over.contains(upid) {
                        self.schedule.rest(feed, now);
                    }
                }
            }
            Ok(Payload::TaskStatus(state)) => {
                if let Feed::TaskStatus(upid) = feed
                    && *state != TaskState::Running
                {
                    self.schedule.rest(feed, now);
                    if self.known.over.insert(upid.clone()) {
                        // Its last lines were written after the last look at them.
                        self.schedule
                            .refresh_if_watched(&Feed::TaskLog(upid.clone()), now);
                    }
                }
            }
            Err(FeedError {
                kind: FeedErrorKind::NotAvailable,
                ..
            }) if matches!(feed, Feed::GuestStatus(_) | Feed::GuestConfig(_)) => {
                // Perhaps it moved: the next inventory tells where to.
                self.schedule.refresh_if_watched(&Feed::Resources, now);
            }
            _ => {}
        }
    }
}

/// What findings need to know of nodes that are online, of backups, and of the snapshots of guests on those nodes.
pub fn surveys(inventory: &Inventory) -> Vec<Feed> {
    let online = |name: &NodeName| {
        let mut nodes = inventory.nodes.iter();
        nodes.any(|node| node.name == *name && node.status == NodeStatus::Online)
    };
    let backups = inventory
        .backup_storages()
        .into_iter()
        .map(|(node, storage)| Feed::Backups(node, storage));
    let snapshots = inventory
        .guests
        .iter()
        .filter(|guest| !guest.template && online(&guest.node))
        .take(SNAPSHOTS)
        .map(|guest| Feed::GuestSnapshots(guest.vmid));
    let of_nodes = inventory
        .nodes
        .iter()
        .filter(|node| node.status == NodeStatus::Online)
        .flat_map(|node| {
            let name = &node.name;
            [
                Feed::NodeStatus(name.clone()),
                Feed::NodeServices(name.clone()),
                Feed::NodeReplication(name.clone()),
                Feed::NodeTime(name.clone()),
                Feed::NodeCertificates(name.clone()),
                Feed::NodeDisks(name.clone()),
                Feed::NodeUpdates(name.clone()),
                Feed::NodeSubscription(name.clone()),
                Feed::BackupTasks(name.clone()),
            ]
        });
    [Feed::BackupJobs, Feed::NotBackedUp, Feed::StorageDefinitions]
        .into_iter()
        .chain(of_nodes)
        .chain(backups)
        .chain(snapshots)
        .collect()
}

/// Where a guest is and what kind it is.
type GuestPlace = (NodeName, GuestKind);

/// How far readings are known.
#[derive(Clone, Copy, Default)]
enum Told {
    /// They were not asked for yet.
    #[default]
    Nothing,
    /// They were, and there were none: by the server's clock it may have been the wrong time.
    Empty,
    /// Up to this moment.
    Until(Timestamp),
}

impl Told {
    /// From when on to ask; `None` is for the newest only.
    fn after(self, objects: usize, now: Timestamp) -> Option<Timestamp> {
        let generations = (READINGS / objects.saturating_mul(8).max(1)).clamp(6, 180);
        let earliest = now.checked_sub(SignedDuration::from_secs(10) * generations as i32);
        match self {
            Self::Nothing => earliest.ok(),
            Self::Empty => None,
            // The clocks of the nodes differ a little; what comes twice is known already.
            Self::Until(newest) => {
                let known = newest.checked_sub(SignedDuration::from_secs(10)).ok();
                known.max(earliest.ok())
            }
        }
    }
}

/// The datastores of a Backup Server and their namespaces: what there is to be surveyed.
#[derive(Default)]
struct Contents {
    known: BackupServer,
}

impl Contents {
    /// Follows what a read brought. Says whether there is something else to be surveyed now.
    fn take(&mut self, feed: &PbsFeed, payload: &PbsPayload) -> bool {
        matches!(feed, PbsFeed::Datastores | PbsFeed::Namespaces(_))
            && self.known.follow(feed, payload.clone())
    }

    fn feeds(&self) -> Vec<Feed> {
        self.known.content_feeds().into_iter().map(Feed::Pbs).collect()
    }
}

/// What reads need that their feed does not say.
#[derive(Default)]
struct Known {
    guests: HashMap<Vmid, GuestPlace>,
    /// Feeds of guests that were not where they were asked for, and where that was.
    missed: HashMap<Feed, Option<GuestPlace>>,
    lines: HashMap<Upid, usize>,
    /// How many nodes, guests and storages there are.
    objects: usize,
    readings: Told,
    contents: Contents,
    over: BTreeSet<Upid>,
}

impl Known {
    fn inventory(&mut self, inventory: &Inventory) {
        self.objects = inventory.nodes.len() + inventory.guests.len() + inventory.storages.len();
        self.guests = inventory
            .guests
            .iter()
            .map(|guest| (guest.vmid, (guest.node.clone(), guest.kind)))
            .collect();
    }

    /// Remembers where a guest was looked for in vain.
    fn missed(&mut self, feed: &Feed, asked_at: Option<GuestPlace>, outcome: &Result<Payload, FeedError>) {
        let gone = matches!(outcome, Err(error) if error.kind == FeedErrorKind::NotAvailable);
        if gone && feed.vmid().is_some() {
            self.missed.insert(feed.clone(), asked_at);
        } else {
            self.missed.remove(feed);
        }
    }

    /// The feeds whose guest turned out to be elsewhere: the pause after a failure is not for them.
    fn found_again(&mut self) -> Vec<Feed> {
        let guests = &self.guests;
        let found: Vec<Feed> = self
            .missed
            .iter()
            .filter(|(feed, asked_at)| {
                let place = feed.vmid().and_then(|vmid| guests.get(&vmid));
                place.is_some() && place != asked_at.as_ref()
            })
            .map(|(feed, _)| feed.clone())
            .collect();
        self.missed.retain(|feed, _| !found.contains(feed));
        found
    }

    /// Forgets what nobody looks at any more.
    fn forget_guests(&mut self, watched: &BTreeSet<Feed>) {
        self.missed.retain(|feed, _| watched.contains(feed));
    }

    fn place(&self, feed: &Feed) -> Place {
        Place {
            guest: feed.vmid().and_then(|vmid| self.guests.get(&vmid).cloned()),
            line: task_of(feed)
                .and_then(|upid| self.lines.get(upid))
                .copied()
                .unwrap_or(0),
            after: (*feed == Feed::Readings)
                .then(|| self.readings.after(self.objects, Timestamp::now()))
                .flatten(),
        }
    }

    /// Remembers up to when readings are known.
    fn told(&mut self, readings: &[Reading]) {
        let newest = readings.iter().map(|reading| reading.sample.at).max();
        self.readings = match (newest, self.readings) {
            (Some(newest), _) => Told::Until(newest),
            (None, Told::Nothing) => Told::Empty,
            (None, known) => known,
        };
    }

    /// A log that nobody looks at is read from its start when somebody does again.
    fn forget_tasks(&mut self, watched: &BTreeSet<Feed>) {
        let seen: BTreeSet<&Upid> = watched.iter().filter_map(task_of).collect();
        self.lines.retain(|upid, _| seen.contains(upid));
        self.over.retain(|upid| seen.contains(upid));
    }
}
