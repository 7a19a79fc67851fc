//! The one list of what is wrong: made when alerts, findings or the inventory change, never while drawing.
//!
//! What always holds here: an alert that could speak of several objects speaks of none.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::{Store, changes::Kind};
use crate::domain::{
    Alarm, AlertKey, GuestRef, MonitorInfo, MonitorKind, NodeRef, ObjectRef, Severity, SilenceRef,
    StorageRef,
    acknowledge::{Acknowledgements, Order},
    alarm::{self, Source},
    alert::{Alert, Silence},
    matching::{LabelMap, Owner, Subject, owners},
    metric::Labels,
    template::Of,
};

/// How alerts are found to speak of objects, the surest way first. The first are those of pve-exporter.
const WAYS: [(Of, &[(&str, &str)]); 16] = [
    (Of::Guest, &[("id", "{kind}/{vmid}")]),
    (Of::Storage, &[("id", "storage/{node}/{storage}")]),
    (Of::Node, &[("id", "node/{node}")]),
    (Of::Guest, &[("object", "guest/{vmid}")]),
    (Of::Storage, &[("object", "storage/{node}/{storage}")]),
    (Of::Node, &[("object", "node/{node}")]),
    (Of::Guest, &[("vmid", "{vmid}")]),
    (Of::Storage, &[("storage", "{storage}"), ("node", "{node}")]),
    (Of::Guest, &[("guest", "{name}")]),
    (Of::Guest, &[("vm", "{name}")]),
    (Of::Node, &[("instance", "{host}")]),
    (Of::Guest, &[("instance", "{host}")]),
    (Of::Node, &[("host", "{host}")]),
    (Of::Guest, &[("host", "{host}")]),
    (Of::Node, &[("node", "{node}")]),
    (Of::Node, &[("nodename", "{host}")]),
];

static MAPS: LazyLock<Vec<(Of, LabelMap)>> = LazyLock::new(|| {
    let maps = WAYS.iter();
    maps.filter_map(|(of, entries)| Some((*of, LabelMap::parse(entries.iter().copied()).ok()?)))
        .collect()
});

impl Store {
    /// Everything that is wrong: alerts and findings, the loud ones first, then the worst, then the newest.
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// One of them.
    pub fn alarm(&self, key: AlertKey) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.key == key)
    }

    /// Those about an object, in the order of the list.
    pub fn alarms_of<'a>(&'a self, object: &'a ObjectRef) -> impl Iterator<Item = &'a Alarm> {
        self.alarms
            .iter()
            .filter(move |alarm| alarm.object.as_ref() == Some(object))
    }

    /// How many critical and how many warning ones want attention.
    pub fn loud_alarms(&self) -> (usize, usize) {
        let count = |severity| {
            let loud = |alarm: &&Alarm| alarm.severity == severity && alarm.standing().is_loud();
            self.alarms.iter().filter(loud).count()
        };
        (count(Severity::Critical), count(Severity::Warning))
    }

    /// All silences with the Alertmanagers that keep them.
    pub fn silences(&self) -> impl Iterator<Item = (&MonitorInfo, &Silence)> {
        self.monitors.of(MonitorKind::Alertmanager).flat_map(|server| {
            let silences = server.silences().unwrap_or_default();
            silences.iter().map(|silence| (server.info(), silence))
        })
    }

    /// One of them.
    pub fn silence(&self, wanted: &SilenceRef) -> Option<(&MonitorInfo, &Silence)> {
        self.silences()
            .find(|(server, silence)| server.id.home() == wanted.manager && silence.id == wanted.id)
    }

    /// Who looks after what.
    pub fn acknowledgements(&self) -> &Acknowledgements {
        &self.acknowledgements
    }

    /// Takes what is known of acknowledgements by now. Says whether the list changed.
    pub fn set_acknowledgements(&mut self, known: Acknowledgements) -> bool {
        self.acknowledgements = known;
        let changed = self.gather_alarms();
        if changed {
            self.revisions.advance(&[Kind::Findings]);
        }
        changed
    }

    /// What has to be written down about the acknowledgements at `now`.
    pub fn review_acknowledgements(&self, now: Timestamp) -> Vec<Order> {
        let known = |server: &super::Monitor| {
            let feed = server.freshness(&super::MonitorFeed::Alerts);
            server.id().kind == MonitorKind::Exporter || (feed.data_at.is_some() && !feed.is_stale(now))
        };
        let complete = self.monitors.all().iter().all(known)
            && self
                .clusters
                .iter()
                .all(|cluster| cluster.health(now) == super::Health::Live);
        self.acknowledgements.review(&self.alarms, complete, now)
    }

    /// Whether monitoring tells of any alert: only then other objects may be meant when the inventory changes.
    pub(super) fn hears_alerts(&self) -> bool {
        let heard = |server: &super::Monitor| server.alerts().is_some_and(|alerts| !alerts.is_empty());
        self.monitors.all().iter().any(heard)
    }

    /// Makes the list anew. Says whether it is another one.
    pub(super) fn gather_alarms(&mut self) -> bool {
        let told: Vec<(&MonitorInfo, &[Alert])> = self
            .monitors
            .all()
            .iter()
            .filter_map(|server| Some((server.info(), server.alerts()?)))
            .collect();
        let mut alarms = alarm::merge(&told);
        self.resolve(&mut alarms);
        alarm::add_findings(&mut alarms, &self.findings);
        for alarm in &mut alarms {
            alarm.acknowledged = self.acknowledgements.get(alarm.key, alarm.severity).cloned();
        }
        alarms.sort_by(Alarm::order);
        if alarms == self.alarms {
            return false;
        }
        self.worst.clear();
        for alarm in alarms.iter().filter(|alarm| alarm.standing().is_loud()) {
            if let Some(object) = &alarm.object {
                // The worst comes first.
                self.worst.entry(object.clone()).or_insert(alarm.severity);
            }
        }
        self.alarms = alarms;
        true
    }

    /// Finds the objects that alerts speak of.
    fn resolve(&self, alarms: &mut [Alarm]) {
        if alarms.is_empty() {
            return;
        }
        let all = self.subjects();
        for server in self.monitors.all() {
            let info = server.info();
            let first = Source::Server(info.id.clone());
            let places: Vec<usize> = (0..alarms.len())
                .filter(|at| alarms[*at].sources.first() == Some(&first))
                .collect();
            if places.is_empty() {
                continue;
            }
            let labels: Vec<&Labels> = places.iter().map(|at| &alarms[*at].labels).collect();
            let mut objects: Vec<Option<ObjectRef>> = vec![None; places.len()];
            let mut settled = vec![false; places.len()];
            for (of, map) in MAPS.iter() {
                let fits = |(kind, object, _): &&(Of, ObjectRef, Subject)| {
                    kind == of && info.watches(object.cluster())
                };
                let open: Vec<usize> = (0..places.len()).filter(|at| !settled[*at]).collect();
                let series: Vec<&Labels> = open.iter().map(|at| labels[*at]).collect();
                let those: Vec<&(Of, ObjectRef, Subject)> = all.iter().filter(fits).collect();
                let subjects: Vec<&Subject> = those.iter().map(|(_, _, subject)| subject).collect();
                for (at, owner) in open
                    .into_iter()
                    .zip(owners(map, &info.cluster_label, &subjects, &series))
                {
                    settled[at] = owner != Owner::Nobody;
                    if let Owner::One(found) = owner {
                        objects[at] = those.get(found).map(|(_, object, _)| object.clone());
                    }
                }
            }
            for (at, object) in places.into_iter().zip(objects) {
                alarms[at].object = object;
            }
        }
        self.resolve_clusters(alarms);
    }

    /// What names a cluster and nothing in it speaks of the cluster.
    fn resolve_clusters(&self, alarms: &mut [Alarm]) {
        for alarm in alarms.iter_mut().filter(|alarm| alarm.object.is_none()) {
            let tells = ["id", "object", "vmid", "node", "instance", "host", "storage"];
            let whole = tells.iter().all(|label| alarm.labels.get(label).is_none());
            if let (true, Some(name)) = (whole, alarm.labels.get("cluster")) {
                let known = |cluster: &&super::Cluster| {
                    let own = cluster.status().and_then(|status| status.name.as_deref());
                    cluster.id().as_str() == name || own == Some(name)
                };
                let mut found = self.clusters.iter().filter(known);
                if let (Some(one), None) = (found.next(), found.next()) {
                    alarm.object = Some(ObjectRef::Cluster(one.id().clone()));
                }
            }
        }
    }

    /// All that alerts can speak of, as monitoring may know it.
    fn subjects(&self) -> Vec<(Of, ObjectRef, Subject)> {
        let mut all = Vec::new();
        for cluster in &self.clusters {
            let id = cluster.id();
            for node in cluster.nodes() {
                let object = ObjectRef::Node(NodeRef {
                    cluster: id.clone(),
                    node: node.name.clone(),
                });
                all.extend(self.subject(&object).map(|subject| (Of::Node, object, subject)));
            }
            for guest in cluster.guests() {
                let object = ObjectRef::Guest(GuestRef {
                    cluster: id.clone(),
                    vmid: guest.vmid,
                });
                all.extend(self.subject(&object).map(|subject| (Of::Guest, object, subject)));
            }
            for storage in cluster.storages() {
                let object = ObjectRef::Storage(StorageRef {
                    cluster: id.clone(),
                    node: storage.node.clone(),
                    storage: storage.name.clone(),
                });
                all.extend(
                    self.subject(&object)
                        .map(|subject| (Of::Storage, object, subject)),
                );
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
