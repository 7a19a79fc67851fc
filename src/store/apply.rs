//! How an update changes what is known.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{TaskRef, Upid};

use super::{
    Snapshot, Store,
    backups::is_of_backups,
    changes::{Changes, Kind},
    cluster::Cluster,
    details::{GuestDetails, NodeDetails},
    feed::{Feed, FeedError, FeedErrorKind, Payload, Update},
    findings,
};

/// An answer this much older than the one before is late. Older still, and a clock was set back: then it counts.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// What a payload changed in its cluster.
#[derive(Default)]
struct Effect {
    kinds: Vec<Kind>,
    finished: Vec<Upid>,
}

impl Effect {
    fn of(kind: Kind, changed: bool) -> Self {
        Self {
            kinds: if changed { vec![kind] } else { Vec::new() },
            finished: Vec::new(),
        }
    }
}

/// A payload that does not belong to its feed.
struct Mismatch;

impl Store {
    /// Takes the outcome of one read. An update of an unknown cluster changes nothing.
    pub fn apply(&mut self, update: Update) -> Changes {
        let Some(at) = self.index.get(&update.key.cluster).copied() else {
            return Changes::default();
        };
        let cluster = &mut self.clusters[at];
        if cluster.came_late(&update) {
            return Changes::default();
        }
        cluster.make_room(&update.key.feed);
        let Update { key, at, outcome } = update;
        let mut changes = Changes::default();
        let mut effect = Effect::default();
        match outcome.map(|payload| cluster.take(&key.feed, at, payload)) {
            Ok(Ok(taken)) => {
                effect = taken;
                changes.freshness = cluster.records.succeed(&key.feed, at);
            }
            Ok(Err(Mismatch)) => changes.freshness = cluster.records.fail(&key.feed, at, mismatch()),
            Err(error) => changes.freshness = cluster.records.fail(&key.feed, at, error),
        }
        changes.finished_tasks = effect
            .finished
            .into_iter()
            .map(|upid| TaskRef {
                cluster: key.cluster.clone(),
                upid,
            })
            .collect();
        let changed_feed = key.feed.clone();
        if !effect.kinds.is_empty() {
            changes.feeds.push(key);
        }
        let mut kinds = effect.kinds;
        if findings::depend_on(&changed_feed) {
            let found = findings::evaluate(cluster, at, &self.limits);
            changes.findings = cluster.findings.take(found);
        }
        if changes.findings {
            self.gather_findings();
        }
        let others = [
            Kind::Nodes,
            Kind::Guests,
            Kind::Storages,
            Kind::Details,
            Kind::Clusters,
        ];
        let meant = self.hears_alerts() && kinds.iter().any(|kind| others.contains(kind));
        if (changes.findings || meant) && self.gather_alarms() {
            changes.findings = true;
        }
        if changes.findings {
            kinds.push(Kind::Findings);
        }
        if changes.freshness {
            kinds.push(Kind::Freshness);
        }
        self.revisions.advance(&kinds);
        changes
    }

    fn gather_findings(&mut self) {
        self.findings = self
            .clusters
            .iter()
            .flat_map(|cluster| cluster.findings().iter().cloned())
            .collect();
        self.findings.sort_by(findings::order);
    }

    /// Takes what an earlier run knew of a cluster. Whatever was read in this run wins over it.
    pub fn restore(&mut self, snapshot: Snapshot) -> Changes {
        let Some(at) = self.index.get(&snapshot.cluster).copied() else {
            return Changes::default();
        };
        let cluster = &mut self.clusters[at];
        if cluster.live {
            return Changes::default();
        }
        let mut kinds = cluster.replace_inventory(snapshot.inventory);
        cluster.records.restore(Feed::Resources, snapshot.at);
        if cluster.status.is_none() && snapshot.status.is_some() {
            cluster.status = snapshot.status;
            cluster.records.restore(Feed::ClusterStatus, snapshot.at);
        }
        kinds.extend([Kind::Clusters, Kind::Freshness]);
        self.revisions.advance(&kinds);
        Changes {
            feeds: vec![Feed::Resources.of(&snapshot.cluster)],
            freshness: true,
            ..Changes::default()
        }
    }
}

fn mismatch() -> FeedError {
    FeedError {
        kind: FeedErrorKind::Malformed,
        message: "the answer belongs to another question; this is a fault of pvedeck, please report it"
            .to_owned(),
    }
}

/// Puts a value in place. Says whether it is another one.
pub(super) fn set<T: PartialEq>(place: &mut Option<T>, value: T) -> bool {
    if place.as_ref() == Some(&value) {
        return false;
    }
    *place = Some(value);
    true
}

impl Cluster {
    /// Whether an answer that was read later has been taken already.
    fn came_late(&self, update: &Update) -> bool {
        let known = self.records.get(&update.key.feed);
        known
            .tried_at
            .map(|tried| tried.duration_since(update.at))
            .is_some_and(|behind| behind > SignedDuration::ZERO && behind < LATE)
    }

    fn make_room(&mut self, feed: &Feed) {
        if let Some(evicted) = self.details.touch(feed) {
            self.records.retain(|feed| !evicted.concerns(feed));
        }
    }

    fn take(&mut self, feed: &Feed, at: Timestamp, payload: Payload) -> Result<Effect, Mismatch> {
        let changed = match (feed, payload) {
            (Feed::Resources, Payload::Resources(inventory)) => {
                return Ok(Effect {
                    kinds: self.take_inventory(inventory, at),
                    finished: Vec::new(),
                });
            }
            (Feed::Tasks, Payload::Tasks(tasks)) => {
                let changes = self.tasks.take_list(tasks);
                return Ok(Effect {
                    finished: changes.finished,
                    ..Effect::of(Kind::Tasks, changes.changed)
                });
            }
            (Feed::TaskStatus(upid), Payload::TaskStatus(state)) => {
                let changes = self.tasks.take_state(upid, state, at);
                return Ok(Effect {
                    finished: changes.finished,
                    ..Effect::of(Kind::Tasks, changes.changed)
                });
            }
            (Feed::ClusterStatus, Payload::ClusterStatus(status)) => set(&mut self.status, status),
            (Feed::HaStatus, Payload::HaStatus(ha)) => set(&mut self.ha, ha),
            (Feed::HaRules, Payload::HaRules(rules)) => set(&mut self.ha_rules, rules),
            (Feed::ClusterLog, Payload::ClusterLog(log)) => set(&mut self.log, log),
            (Feed::Readings, Payload::Readings(readings)) => {
                let changed = self.take_readings(readings);
                return Ok(Effect::of(Kind::Details, changed));
            }
            (Feed::Version, Payload::Version(version)) => set(&mut self.version, version),
            (Feed::Permissions, Payload::Permissions(permissions)) => set(&mut self.permissions, permissions),
            (Feed::ClusterFirewall, Payload::Firewall(firewall)) => set(&mut self.firewall, firewall),
            (Feed::FirewallGroups, Payload::FirewallGroups(groups)) => set(&mut self.firewall_groups, groups),
            (Feed::NotBackedUp, Payload::NotBackedUp(guests)) => set(&mut self.not_backed_up, guests),
            (Feed::Pbs(feed), Payload::Pbs(payload)) => {
                let server = self.server.as_mut().ok_or(Mismatch)?;
                let changed = server.take(feed, payload).ok_or(Mismatch)?;
                return Ok(Effect::of(Kind::Servers, changed));
            }
            (feed, payload) if is_of_backups(feed) => {
                let changed = self.take_backups(feed, payload).ok_or(Mismatch)?;
                return Ok(Effect::of(Kind::Backups, changed));
            }
            (feed, payload) => return self.take_detail(feed, at, payload),
        };
        Ok(Effect::of(Kind::Clusters, changed))
    }

    fn take_detail(&mut self, feed: &Feed, at: Timestamp, payload: Payload) -> Result<Effect, Mismatch> {
        let changed = match (feed, payload) {
            (Feed::TaskLog(upid), Payload::TaskLog(part)) => self.details.logs.touch(upid).0.take(part),
            (Feed::JobGuests(job), Payload::JobGuests(guests)) => set(self.details.jobs.touch(job).0, guests),
            (Feed::Raw(object), Payload::Raw(json)) => set(self.details.raws.touch(object).0, json),
            (Feed::Rrd(object, frame), Payload::Rrd(rrd)) => {
                set(self.details.rrds.touch(&(object.clone(), *frame)).0, rrd)
            }
            (Feed::StorageStatus(node, name), Payload::StorageStatus(status)) => {
                let key = (node.clone(), name.clone());
                set(&mut self.details.storages.touch(&key).0.status, status)
            }
            (Feed::StorageContent(node, name), Payload::StorageContent(content)) => {
                let key = (node.clone(), name.clone());
                set(&mut self.details.storages.touch(&key).0.content, content)
            }
            (feed, payload) => {
                if let Some(vmid) = feed.vmid() {
                    let details = self.details.guests.touch(&vmid).0;
                    let changed = take_guest_detail(details, feed, payload)?;
                    let mut effect = Effect::of(Kind::Details, changed);
                    if matches!(feed, Feed::GuestStatus(_)) && self.overlay_one(vmid) {
                        effect.kinds.push(Kind::Guests);
                    }
                    return Ok(effect);
                }
                let Some(node) = feed.node() else {
                    return Err(Mismatch);
                };
                let details = self.details.nodes.entry(node.clone()).or_default();
                take_node_detail(details, feed, at, payload)?
            }
        };
        Ok(Effect::of(Kind::Details, changed))
    }
}

fn take_guest_detail(details: &mut GuestDetails, feed: &Feed, payload: Payload) -> Result<bool, Mismatch> {
    Ok(match (feed, payload) {
        (Feed::GuestStatus(_), Payload::GuestStatus(status)) => {
            details.settled = false;
            set(&mut details.status, status)
        }
        (Feed::GuestConfig(_), Payload::GuestConfig(config)) => set(&mut details.config, config),
        (Feed::GuestPending(_), Payload::GuestPending(pending)) => set(&mut details.pending, pending),
        (Feed::GuestAddresses(_), Payload::GuestAddresses(interfaces)) => {
            set(&mut details.addresses, interfaces)
        }
        (Feed::GuestMigration(_), Payload::GuestMigration(said)) => set(&mut details.migration, said),
        (Feed::GuestFile(_, file), Payload::GuestFile(text)) => {
            let before = details.files.insert(file.clone(), text.clone());
            before.is_none_or(|before| before != text)
        }
        (Feed::GuestFirewall(_), Payload::Firewall(firewall)) => set(&mut details.firewall, firewall),
        _ => return Err(Mismatch),
    })
}

fn take_node_detail(
    details: &mut NodeDetails,
    feed: &Feed,
    at: Timestamp,
    payload: Payload,
) -> Result<bool, Mismatch> {
    Ok(match (feed, payload) {
        (Feed::NodeStatus(_), Payload::NodeStatus(status)) => set(&mut details.status, status),
        (Feed::NodeServices(_), Payload::NodeServices(services)) => set(&mut details.services, services),
        (Feed::NodeCertificates(_), Payload::NodeCertificates(certificates)) => {
            set(&mut details.certificates, certificates)
        }
        (Feed::NodeUpdates(_), Payload::NodeUpdates(updates)) => set(&mut details.updates, updates),
        (Feed::NodeDisks(_), Payload::NodeDisks(disks)) => set(&mut details.disks, disks),
        (Feed::NodeNetwork(_), Payload::NodeNetwork(network)) => set(&mut details.network, network),
        (Feed::NodeSubscription(_), Payload::NodeSubscription(subscription)) => {
            set(&mut details.subscription, subscription)
        }
        (Feed::NodeReplication(_), Payload::NodeReplication(jobs)) => set(&mut details.replication, jobs),
        (Feed::NodeFirewall(_), Payload::Firewall(firewall)) => set(&mut details.firewall, firewall),
        (Feed::NodeTime(_), Payload::NodeTime(theirs)) => {
            let ahead = theirs.time.duration_since(at).as_secs();
            let changed =
                set(&mut details.skew, SignedDuration::from_secs(ahead)) || details.zone != theirs.zone;
            details.zone = theirs.zone;
            changed
        }
        (Feed::NodeSyslog(_), Payload::NodeSyslog(lines)) => set(&mut details.syslog, lines),
        _ => return Err(Mismatch),
    })
}
