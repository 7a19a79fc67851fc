//! One cluster or standalone host as it is known here.
//!
//! What always holds here:
//! - The indices fit the inventory: both change in one place only.
//! - A guest's status is the inventory's, made more precise by a fresh detail.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    ClusterId, ClusterStatus, Finding, Guest, GuestDetail, GuestStatus, HaRules, HaStatus, Inventory,
    LogEntry, Node, NodeName, Pool, SdnZone, Storage, StorageName, Task, Upid, Vmid,
    cluster::{Firewall, FirewallGroup},
    reading::{Reading, ReadingOf},
};

use super::{
    backup_server::{BackupServer, PbsFeed},
    backups::Backups,
    changes::Kind,
    details::{Details, StorageKey},
    feed::Feed,
    findings::Findings,
    freshness::{Freshness, Health, Records},
    history::{History, Ring, fill_ring},
    index::{Index, same_places},
    readings::Readings,
    tasks::Tasks,
};

/// pvestatd renews the inventory each ten seconds, and needs a while for it: a detail that is younger than this knows
/// better, until an inventory says the same.
const INVENTORY_LAG: SignedDuration = SignedDuration::from_secs(15);
/// For this long a detail may tell paused from running: the inventory never can.
const DETAIL_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// A path and the privileges that this sign-in has on it.
pub type Grant = (Box<str>, Vec<Box<str>>);

/// A cluster as it is known here: its inventory, indexed, and what was read beside it.
#[derive(Debug)]
pub struct Cluster {
    pub(super) id: ClusterId,
    /// What a Backup Server holds, if it is one; then it has no inventory.
    pub(super) server: Option<Box<BackupServer>>,
    pub(super) inventory: Inventory,
    /// Whether the inventory was read in this run, not taken from an earlier one.
    pub(super) live: bool,
    index: Index,
    pub(super) tasks: Tasks,
    pub(super) details: Details,
    pub(super) records: Records,
    pub(super) history: Histories,
    pub(super) readings: Readings,
    pub(super) locks: HashMap<Vmid, Lock>,
    pub(super) findings: Findings,
    pub(super) status: Option<ClusterStatus>,
    pub(super) ha: Option<HaStatus>,
    pub(super) ha_rules: Option<HaRules>,
    pub(super) log: Option<Vec<LogEntry>>,
    pub(super) version: Option<Box<str>>,
    pub(super) permissions: Option<Vec<Grant>>,
    pub(super) firewall: Option<Firewall>,
    pub(super) firewall_groups: Option<Vec<FirewallGroup>>,
    pub(super) not_backed_up: Option<Vec<Vmid>>,
    pub(super) backups: Backups,
}

/// The lock of a guest and since when it is known to hold.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) reason: Arc<str>,
    pub(super) since: Timestamp,
}

/// What was seen over the last minutes.
#[derive(Default, Debug)]
pub(super) struct Histories {
    pub(super) nodes: HashMap<NodeName, History>,
    pub(super) guests: HashMap<Vmid, History>,
    pub(super) storages: HashMap<StorageKey, Ring>,
}

impl Cluster {
    pub(super) fn new(id: ClusterId) -> Self {
        Self {
            id,
            server: None,
            inventory: Inventory::default(),
            live: false,
            index: Index::default(),
            tasks: Tasks::default(),
            details: Details::default(),
            records: Records::default(),
            history: Histories::default(),
            readings: Readings::default(),
            locks: HashMap::new(),
            findings: Findings::default(),
            status: None,
            ha: None,
            ha_rules: None,
            log: None,
            version: None,
            permissions: None,
            firewall: None,
            firewall_groups: None,
            not_backed_up: None,
            backups: Backups::default(),
        }
    }

    /// A Backup Server: it has tasks, logs, findings and freshness as a cluster has, and no nodes or guests.
    pub(super) fn backup_server_of(id: ClusterId) -> Self {
        Self {
            server: Some(Box::default()),
            ..Self::new(id)
        }
    }

    /// What it holds as a Backup Server, if it is one.
    pub fn backup_server(&self) -> Option<&BackupServer> {
        self.server.as_deref()
    }

    /// The feed that it lives on.
    pub fn heart(&self) -> Feed {
        if self.server.is_some() {
            Feed::Pbs(PbsFeed::Usage)
        } else {
            Feed::Resources
        }
    }

    /// Its name in the configuration.
    pub fn id(&self) -> &ClusterId {
        &self.id
    }

    /// Its nodes, in the server's order.
    pub fn nodes(&self) -> &[Node] {
        &self.inventory.nodes
    }

    /// Its guests, in the server's order.
    pub fn guests(&self) -> &[Guest] {
        &self.inventory.guests
    }

    /// Its storages, one entry for each node that sees one.
    pub fn storages(&self) -> &[Storage] {
        &self.inventory.storages
    }

    /// Its pools.
    pub fn pools(&self) -> &[Pool] {
        &self.inventory.pools
    }

    /// Its SDN zones and fabrics.
    pub fn zones(&self) -> &[SdnZone] {
        &self.inventory.zones
    }

    /// Rows of the inventory that could not be understood, with the reason.
    pub fn rejected(&self) -> &[Box<str>] {
        &self.inventory.rejected
    }

    /// Its tasks, the newest first.
    pub fn tasks(&self) -> &[Task] {
        self.tasks.list()
    }

    /// One node.
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.index
            .nodes
            .get(name)
            .map(|at| &self.inventory.nodes[*at as usize])
    }

    /// One guest.
    pub fn guest(&self, vmid: Vmid) -> Option<&Guest> {
        self.index
            .guests
            .get(&vmid)
            .map(|at| &self.inventory.guests[*at as usize])
    }

    /// One storage as a node sees it.
    pub fn storage(&self, node: &NodeName, name: &StorageName) -> Option<&Storage> {
        let key = (node.clone(), name.clone());
        self.index
            .storages
            .get(&key)
            .map(|at| &self.inventory.storages[*at as usize])
    }

    /// One task.
    pub fn task(&self, upid: &Upid) -> Option<&Task> {
        self.tasks.get(upid)
    }

    /// The guests that are on a node.
    pub fn guests_on(&self, node: &NodeName) -> impl ExactSizeIterator<Item = &Guest> {
        self.indexed(self.index.on_node.get(node))
    }

    /// The guests that belong to a pool.
    pub fn guests_in_pool(&self, pool: &str) -> impl ExactSizeIterator<Item = &Guest> {
        self.indexed(self.index.in_pool.get(pool))
    }

    fn indexed<'a>(&'a self, places: Option<&'a Vec<u32>>) -> impl ExactSizeIterator<Item = &'a Guest> {
        places
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|at| &self.inventory.guests[*at as usize])
    }

    /// Quorum and members, as `/cluster/status` tells them.
    pub fn status(&self) -> Option<&ClusterStatus> {
        self.status.as_ref()
    }

    /// HA manager and managed guests.
    pub fn ha(&self) -> Option<&HaStatus> {
        self.ha.as_ref()
    }

    /// Where HA lets its guests be.
    pub fn ha_rules(&self) -> Option<&HaRules> {
        self.ha_rules.as_ref()
    }

    /// The guests that no backup job takes.
    pub fn not_backed_up(&self) -> Option<&[Vmid]> {
        self.not_backed_up.as_deref()
    }

    /// The cluster log.
    pub fn log(&self) -> Option<&[LogEntry]> {
        self.log.as_deref()
    }

    /// The API's version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// What this sign-in may do.
    pub fn permissions(&self) -> Option<&[Grant]> {
        self.permissions.as_deref()
    }

    /// The firewall of the whole cluster.
    pub fn firewall(&self) -> Option<&Firewall> {
        self.firewall.as_ref()
    }

    /// Its security groups.
    pub fn firewall_groups(&self) -> Option<&[FirewallGroup]> {
        self.firewall_groups.as_deref()
    }

    /// Whether the inventory was read in this run. Otherwise it is empty or the last known one of an earlier run.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// What is wrong in it, the worst first.
    pub fn findings(&self) -> &[Finding] {
        self.findings.list()
    }

    /// How fresh one feed is.
    pub fn freshness(&self, feed: &Feed) -> Freshness<'_> {
        self.records.get(feed)
    }

    /// How the cluster is doing.
    pub fn health(&self, now: Timestamp) -> Health<'_> {
        self.records.health(&self.heart(), now)
    }

    /// Takes a whole inventory that was read at `at`. Says what differs from before.
    pub(super) fn take_inventory(&mut self, mut new: Inventory, at: Timestamp) -> Vec<Kind> {
        self.settle_details(&new.guests);
        self.overlay_details(&mut new.guests, at);
        let differs = self.replace_inventory(new);
        self.live = true;
        self.record_history(at);
        self.follow_locks(at);
        differs
    }

    /// Puts an inventory in place of the one before.
    pub(super) fn replace_inventory(&mut self, new: Inventory) -> Vec<Kind> {
        let old = &self.inventory;
        let differs: Vec<Kind> = [
            (Kind::Nodes, old.nodes != new.nodes),
            (Kind::Guests, old.guests != new.guests),
            (Kind::Storages, old.storages != new.storages),
            (Kind::Pools, old.pools != new.pools),
            (Kind::Zones, old.zones != new.zones),
            (Kind::Clusters, old.rejected != new.rejected),
        ]
        .into_iter()
        .filter_map(|(kind, differs)| differs.then_some(kind))
        .collect();
        if differs.is_empty() {
            return differs;
        }
        let moved = !same_places(&old.guests, &new.guests);
        self.inventory = new;
        if moved {
            self.index.rebuild_guests(&self.inventory.guests);
        }
        self.index.rebuild_others(&self.inventory);
        self.forget_what_is_gone();
        differs
    }

    /// Notes which details the inventory has caught up with: what it says of those guests from now on is news.
    fn settle_details(&mut self, guests: &[Guest]) {
        let unsettled: Vec<Vmid> = self
            .details
            .guests
            .iter()
            .filter(|(_, details)| !details.settled && details.status.is_some())
            .map(|(vmid, _)| *vmid)
            .collect();
        if unsettled.is_empty() {
            return;
        }
        for guest in guests.iter().filter(|guest| unsettled.contains(&guest.vmid)) {
            let Some(details) = self.details.guests.get_mut(&guest.vmid) else {
                continue;
            };
            details.settled = details
                .status
                .as_ref()
                .is_some_and(|detail| detail.status == Some(guest.status) && detail.lock == guest.lock);
        }
    }

    fn overlay_details(&self, guests: &mut [Guest], at: Timestamp) {
        let fresh: HashMap<Vmid, (&GuestDetail, SignedDuration, bool)> = self
            .details
            .guests
            .iter()
            .filter_map(|(vmid, details)| {
                let read = self.records.get(&Feed::GuestStatus(*vmid)).data_at?;
                let age = at.duration_since(read);
                Some((*vmid, (details.status.as_deref()?, age, details.settled)))
            })
            .filter(|(_, (_, age, _))| *age < DETAIL_FRESH)
            .collect();
        if fresh.is_empty() {
            return;
        }
        for guest in guests {
            if let Some((detail, age, settled)) = fresh.get(&guest.vmid) {
                overlay(guest, detail, *age, *settled);
            }
        }
    }

    /// Lets the fresh detail of a guest correct its row. Says whether the row changed.
    pub(super) fn overlay_one(&mut self, vmid: Vmid) -> bool {
        let Some(at) = self.index.guests.get(&vmid) else {
            return false;
        };
        let Some(detail) = self
            .details
            .guests
            .get(&vmid)
            .and_then(|details| details.status.as_deref())
        else {
            return false;
        };
        let guest = &mut self.inventory.guests[*at as usize];
        let before = (guest.status, guest.lock.clone(), guest.uptime);
        overlay(guest, detail, SignedDuration::ZERO, false);
        before != (guest.status, guest.lock.clone(), guest.uptime)
    }

    fn forget_what_is_gone(&mut self) {
        let index = &self.index;
        self.readings.retain(|of| match of {
            ReadingOf::Node(node) => index.nodes.contains_key(node),
            ReadingOf::Guest(vmid) => index.guests.contains_key(vmid),
            ReadingOf::Storage(node, name) => index.storages.contains_key(&(node.clone(), name.clone())),
        });
        self.history
            .nodes
            .retain(|name, _| index.nodes.contains_key(name));
        self.history
            .guests
            .retain(|vmid, _| index.guests.contains_key(vmid));
        self.history
            .storages
            .retain(|key, _| index.storages.contains_key(key));
        self.details
            .nodes
            .retain(|name, _| index.nodes.contains_key(name));
        self.backups.forget(|vmid| index.guests.contains_key(&vmid));
        self.records.retain(|feed| match feed {
            Feed::GuestSnapshots(vmid) => index.guests.contains_key(vmid),
            Feed::StorageStatus(..) | Feed::StorageContent(..) | Feed::TaskStatus(_) | Feed::TaskLog(_) => {
                true
            }
            feed => feed.node().is_none_or(|node| index.nodes.contains_key(node)),
        });
    }

    /// Keeps when each lock began: with the running task that works on the guest, or when it was first seen here.
    fn follow_locks(&mut self, at: Timestamp) {
        let mut before = std::mem::take(&mut self.locks);
        for guest in &self.inventory.guests {
            let Some(reason) = &guest.lock else { continue };
            let first_seen = before
                .remove(&guest.vmid)
                .filter(|lock| lock.reason == *reason)
                .map_or(at, |lock| lock.since);
            let working = self.tasks.working_since(guest.vmid);
            let lock = Lock {
                reason: reason.clone(),
                since: working.map_or(first_seen, |start| start.min(first_seen)),
            };
            self.locks.insert(guest.vmid, lock);
        }
    }

    /// Takes readings, also for what was before this run began. Says whether there was anything new in them.
    pub(super) fn take_readings(&mut self, readings: Vec<Reading>) -> bool {
        let news = self.readings.take(readings);
        for (of, recent) in self.readings.iter() {
            let history = match of {
                ReadingOf::Node(node) => self.history.nodes.get_mut(node),
                ReadingOf::Guest(vmid) => self.history.guests.get_mut(vmid),
                ReadingOf::Storage(..) => None,
            };
            if let Some(history) = history {
                history.begin_with(recent);
            }
        }
        news
    }

    fn record_history(&mut self, at: Timestamp) {
        let history = &mut self.history;
        for node in &self.inventory.nodes {
            let mem = crate::domain::quantity::ratio(node.mem, node.max_mem);
            if let Some(known) = history.nodes.get_mut(&node.name) {
                known.push(at, node.cpu, mem);
            } else {
                history
                    .nodes
                    .entry(node.name.clone())
                    .or_default()
                    .push(at, node.cpu, mem);
            }
        }
        for guest in &self.inventory.guests {
            // A guest that does not run has no load: that is a gap, and templates have no history at all.
            if guest.template {
                continue;
            }
            let runs = guest.status != GuestStatus::Stopped;
            history.guests.entry(guest.vmid).or_default().push(
                at,
                guest.cpu.filter(|_| runs),
                guest.mem_fraction().filter(|_| runs),
            );
        }
        for storage in &self.inventory.storages {
            history
                .storages
                .entry((storage.node.clone(), storage.name.clone()))
                .or_insert_with(fill_ring)
                .push(at, storage.fill());
        }
    }
}

/// Corrects a guest's row by its detail, read `age` before the row; `settled` if an inventory has said the same since.
fn overlay(guest: &mut Guest, detail: &GuestDetail, age: SignedDuration, settled: bool) {
    let Some(status) = detail.status else { return };
    if age < INVENTORY_LAG && !settled {
        guest.status = status;
        guest.lock.clone_from(&detail.lock);
        guest.uptime = detail.uptime;
    } else if guest.status == GuestStatus::Running
        && matches!(status, GuestStatus::Paused | GuestStatus::Suspended)
    {
        guest.status = status;
    }
}
