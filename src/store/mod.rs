//! The last known truth about every cluster, and how fresh it is.
//!
//! What always holds here:
//! - [`Store::apply`] is the only way in (beside [`Store::restore`], before anything live has come), and it says what
//!   changed.
//! - A failed read never removes anything: the feed keeps its data, its age and gets the error.
//! - What is kept is bounded: the inventory, a thousand tasks a cluster, ten minutes of history, the details of the
//!   objects that were looked at last.
//! - Nothing here reads a clock: times come with the updates.

mod alarms;
mod apply;
mod backup_server;
mod backups;
mod changes;
mod cluster;
mod details;
pub mod feed;
pub mod findings;
#[cfg(test)]
mod fixtures;
mod freshness;
pub mod history;
mod index;
mod latest;
mod log;
mod lookup;
pub mod monitors;
mod readings;
mod shelf;
pub mod snapshot;
mod subject;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::domain::{
    Alarm, ClusterId, Finding, MonitorInfo, ObjectRef, Severity, acknowledge::Acknowledgements,
};

use changes::{Kind, Revisions};

pub use backup_server::{BackupServer, JobSort, PbsFeed, PbsPayload};
pub use backups::Backup;
pub use changes::Changes;
pub use cluster::{Cluster, Grant};
pub use feed::{Feed, FeedError, FeedErrorKind, FeedKey, Payload, Update};
pub use findings::FindingLimits;
pub use freshness::{Freshness, Health};
pub use history::{History, Ring};
pub use log::LogBuffer;
pub use monitors::{
    MetricColumn, Monitor, Monitors, Scraped,
    feed::{MonitorFeed, MonitorKey, MonitorPayload, MonitorUpdate},
};
pub use readings::Recent;
pub use snapshot::Snapshot;

/// Everything that is known.
#[derive(Debug)]
pub struct Store {
    /// The clusters, and behind them the Backup Servers.
    clusters: Vec<Cluster>,
    /// How many of them are clusters.
    count: usize,
    index: HashMap<ClusterId, usize>,
    revisions: Revisions,
    /// The findings of all clusters, the worst first.
    findings: Vec<Finding>,
    /// Findings and the alerts of monitoring in one list.
    alarms: Vec<Alarm>,
    /// Who looks after what.
    acknowledgements: Acknowledgements,
    /// The worst of each object that something loud is said of.
    worst: HashMap<ObjectRef, Severity>,
    limits: FindingLimits,
    /// What monitoring says.
    pub monitors: Monitors,
}

impl Store {
    /// A store that knows nothing yet about these clusters. Their order is the order of lists.
    pub fn new(clusters: impl IntoIterator<Item = ClusterId>) -> Self {
        let mut store = Self {
            clusters: Vec::new(),
            count: 0,
            index: HashMap::new(),
            revisions: Revisions::default(),
            findings: Vec::new(),
            alarms: Vec::new(),
            acknowledgements: Acknowledgements::default(),
            worst: HashMap::new(),
            limits: FindingLimits::default(),
            monitors: Monitors::default(),
        };
        for id in clusters {
            if !store.index.contains_key(&id) {
                store.index.insert(id.clone(), store.clusters.len());
                store.clusters.push(Cluster::new(id));
            }
        }
        store.count = store.clusters.len();
        store
    }

    /// The same with these Backup Servers, of which nothing is known either. No cluster has the name of one.
    #[must_use]
    pub fn with_backup_servers(mut self, servers: impl IntoIterator<Item = ClusterId>) -> Self {
        for id in servers {
            if !self.index.contains_key(&id) {
                self.index.insert(id.clone(), self.clusters.len());
                self.clusters.push(Cluster::backup_server_of(id));
            }
        }
        self
    }

    /// Sets from where on something is a finding. It counts from the next update on.
    pub fn set_limits(&mut self, limits: FindingLimits) {
        self.limits = limits;
    }

    /// Sets which monitoring servers there are. What was read of those before is forgotten.
    pub fn set_monitors(&mut self, servers: impl IntoIterator<Item = MonitorInfo>) {
        self.monitors.set_servers(servers);
    }

    /// Takes the outcome of one read of a monitoring server. One that is not known changes nothing.
    pub fn apply_monitor(&mut self, update: MonitorUpdate) -> Changes {
        let key = update.key.clone();
        let (monitors, freshness) = self.monitors.apply(update);
        if monitors {
            self.fill_columns(&key);
        }
        let findings = monitors && key.feed == MonitorFeed::Alerts && self.gather_alarms();
        let kinds = [
            (Kind::Monitors, monitors),
            (Kind::Findings, findings),
            (Kind::Freshness, freshness),
        ];
        let kinds: Vec<Kind> = kinds
            .into_iter()
            .filter_map(|(kind, changed)| changed.then_some(kind))
            .collect();
        self.revisions.advance(&kinds);
        Changes {
            freshness,
            findings,
            monitors,
            ..Changes::default()
        }
    }

    /// Grows whenever anything changed that may be shown; not when data was only confirmed.
    pub fn revision(&self) -> u64 {
        self.revisions.latest()
    }

    /// Grows when a node changed.
    pub fn nodes_revision(&self) -> u64 {
        self.revisions.of(Kind::Nodes)
    }

    /// Grows when a guest changed.
    pub fn guests_revision(&self) -> u64 {
        self.revisions.of(Kind::Guests)
    }

    /// Grows when a storage changed.
    pub fn storages_revision(&self) -> u64 {
        self.revisions.of(Kind::Storages)
    }

    /// Grows when a pool changed.
    pub fn pools_revision(&self) -> u64 {
        self.revisions.of(Kind::Pools)
    }

    /// Grows when an SDN zone changed.
    pub fn zones_revision(&self) -> u64 {
        self.revisions.of(Kind::Zones)
    }

    /// Grows when a task changed.
    pub fn tasks_revision(&self) -> u64 {
        self.revisions.of(Kind::Tasks)
    }

    /// Grows when a cluster said something new of itself: quorum, HA, log, version, permissions, firewall, rejected
    /// rows.
    pub fn clusters_revision(&self) -> u64 {
        self.revisions.of(Kind::Clusters)
    }

    /// Grows when a detail of any object changed.
    pub fn details_revision(&self) -> u64 {
        self.revisions.of(Kind::Details)
    }

    /// Grows when something that a Backup Server holds changed.
    pub fn servers_revision(&self) -> u64 {
        self.revisions.of(Kind::Servers)
    }

    /// Grows when backups, their jobs and runs, or snapshots changed.
    pub fn backups_revision(&self) -> u64 {
        self.revisions.of(Kind::Backups)
    }

    /// Grows when the findings changed, or the alerts of monitoring.
    pub fn findings_revision(&self) -> u64 {
        self.revisions.of(Kind::Findings)
    }

    /// Grows when monitoring said something new.
    pub fn monitors_revision(&self) -> u64 {
        self.revisions.of(Kind::Monitors)
    }

    /// Grows when a read failed in a new way, recovered, or brought its first data.
    pub fn freshness_revision(&self) -> u64 {
        self.revisions.of(Kind::Freshness)
    }
}
