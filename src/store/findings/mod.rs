//! What is wrong or soon will be: pure functions of what is known about a cluster.
//!
//! What always holds here:
//! - Findings are made when data changes, never while drawing.
//! - Kind and subject name a finding: there are no two with the same. What is alike on one subject is one finding.
//! - Nothing that was only remembered from an earlier run raises a finding.
//! - What a server did not tell is no evidence.

mod backup_servers;
mod backups;
mod cluster;
mod guests;
mod limits;
mod nodes;
mod storages;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{Finding, FindingKind, GuestRef, NodeName, NodeRef, ObjectRef, Severity, Vmid};

use super::{Cluster, Feed};

pub use limits::FindingLimits;

/// Everything that is wrong in a cluster at this moment, the worst first. `since` is `now` for all of them: the store
/// knows which it has seen before.
pub fn evaluate(cluster: &Cluster, now: Timestamp, limits: &FindingLimits) -> Vec<Finding> {
    let mut report = Report {
        cluster,
        now,
        limits,
        found: Vec::new(),
    };
    if cluster.backup_server().is_some() {
        backup_servers::check(&mut report);
        report.found.sort_by(order);
        return report.found;
    }
    cluster::check(&mut report);
    nodes::check(&mut report);
    if cluster.is_live() {
        storages::check(&mut report);
        backups::check(&mut report);
    }
    guests::check(&mut report);
    report.found.sort_by(order);
    report.found
}

/// Whether the outcome of a read can change a finding.
pub(super) fn depend_on(feed: &Feed) -> bool {
    matches!(
        feed,
        Feed::Resources
            | Feed::ClusterStatus
            | Feed::Tasks
            | Feed::TaskStatus(_)
            | Feed::HaStatus
            | Feed::NodeStatus(_)
            | Feed::NodeServices(_)
            | Feed::NodeCertificates(_)
            | Feed::NodeUpdates(_)
            | Feed::NodeDisks(_)
            | Feed::NodeSubscription(_)
            | Feed::NodeReplication(_)
            | Feed::NodeTime(_)
            | Feed::Pbs(_)
            | Feed::Backups(..)
            | Feed::BackupTasks(_)
            | Feed::BackupJobs
            | Feed::NotBackedUp
            | Feed::StorageDefinitions
            | Feed::GuestConfig(_)
            | Feed::GuestSnapshots(_)
    )
}

/// The order of lists: the worst first, then by kind and subject, so that nothing moves without a reason.
pub(super) fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    a.severity
        .cmp(&b.severity)
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| a.subject.cmp(&b.subject))
}

/// The findings of a cluster and when each was first seen.
#[derive(Default, Debug)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    pub(super) fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Takes the findings of this moment. One that goes on keeps its beginning. Says whether anything changed.
    pub(super) fn take(&mut self, mut found: Vec<Finding>) -> bool {
        let since: HashMap<(FindingKind, &ObjectRef), Timestamp> = self
            .list
            .iter()
            .map(|known| ((known.kind, &known.subject), known.since))
            .collect();
        for finding in &mut found {
            if let Some(first_seen) = since.get(&(finding.kind, &finding.subject)) {
                finding.since = *first_seen;
            }
        }
        let changed = found != self.list;
        self.list = found;
        changed
    }
}

/// What the rules read and where they write.
struct Report<'a> {
    cluster: &'a Cluster,
    now: Timestamp,
    limits: &'a FindingLimits,
    found: Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, severity: Severity, kind: FindingKind, subject: ObjectRef, text: String) {
        self.found.push(Finding {
            severity,
            kind,
            subject,
            text,
            since: self.now,
        });
    }

    fn add_cluster(&mut self, severity: Severity, kind: FindingKind, text: String) {
        let subject = ObjectRef::Cluster(self.cluster.id().clone());
        self.add(severity, kind, subject, text);
    }

    fn add_node(&mut self, severity: Severity, kind: FindingKind, node: &NodeName, text: String) {
        let subject = ObjectRef::Node(NodeRef {
            cluster: self.cluster.id().clone(),
            node: node.clone(),
        });
        self.add(severity, kind, subject, text);
    }

    fn add_guest(&mut self, severity: Severity, kind: FindingKind, vmid: Vmid, text: String) {
        let subject = ObjectRef::Guest(GuestRef {
            cluster: self.cluster.id().clone(),
            vmid,
        });
        self.add(severity, kind, subject, text);
    }
}

/// Which of two limits, warning and critical, a value has passed.
fn graded(value: f64, [warning, critical]: [f64; 2]) -> Option<Severity> {
    if value >= critical {
        Some(Severity::Critical)
    } else if value >= warning {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// `one node`, `3 nodes`.
fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}
