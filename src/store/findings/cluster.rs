//! Faults of a cluster as a whole: reachability, quorum, differing versions, clocks, failed tasks.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    FindingKind, NodeName, NodeStatus, ObjectRef, Severity, TaskRef, TaskState, quantity::long_span,
};

use super::{Report, count};
use crate::store::{Feed, FeedErrorKind};

/// One failed read is a hiccup; this many in a row are a fault.
const FAILURES: u32 = 2;

/// Task kinds whose failure leaves a gap that nobody notices: a backup, a move, a restore, the start after a boot.
const WATCHED: [(&str, Severity); 9] = [
    ("vzdump", Severity::Warning),
    ("qmigrate", Severity::Info),
    ("vzmigrate", Severity::Info),
    ("hamigrate", Severity::Info),
    ("qmrestore", Severity::Info),
    ("vzrestore", Severity::Info),
    ("startall", Severity::Warning),
    ("migrateall", Severity::Info),
    ("aptupdate", Severity::Info),
];

pub(super) fn check(report: &mut Report<'_>) {
    reachable(report);
    quorum(report);
    rejected_rows(report);
    versions(report);
    clocks(report);
    subscriptions(report);
    updates(report);
    failed_tasks(report);
}

fn reachable(report: &mut Report<'_>) {
    let inventory = report.cluster.freshness(&Feed::Resources);
    let Some(error) = inventory.error else { return };
    let severity = match error.kind {
        // These two do not pass by themselves.
        FeedErrorKind::Untrusted | FeedErrorKind::SignIn => Severity::Critical,
        // One failure may pass; one without anything known of the cluster is all that there is to say of it.
        FeedErrorKind::Unreachable if inventory.failures >= FAILURES || inventory.data_at.is_none() => {
            Severity::Critical
        }
        FeedErrorKind::Unreachable => return,
        _ if inventory.failures >= FAILURES => Severity::Warning,
        _ => return,
    };
    report.add_cluster(severity, FindingKind::ClusterUnreachable, error.message.clone());
}

fn quorum(report: &mut Report<'_>) {
    let Some(status) = report.cluster.status() else {
        return;
    };
    let restored = report.cluster.freshness(&Feed::ClusterStatus).restored;
    if status.quorate == Some(false) && !restored {
        let (online, all) = status.online();
        let text = format!("no quorum, {online} of {all} nodes online: nothing can be started or changed");
        report.add_cluster(Severity::Critical, FindingKind::QuorumLost, text);
    }
}

fn rejected_rows(report: &mut Report<'_>) {
    if let [first, ..] = report.cluster.rejected() {
        let rows = count(report.cluster.rejected().len(), "row", "rows");
        let text = format!("{rows} of the inventory could not be understood: {first}");
        report.add_cluster(Severity::Info, FindingKind::RowRejected, text);
    }
}

/// The nodes that answer: what an absent one said last proves nothing.
pub(super) fn online<'a>(report: &Report<'a>) -> impl Iterator<Item = &'a NodeName> + use<'a> {
    report
        .cluster
        .nodes()
        .iter()
        .filter(|node| node.status == NodeStatus::Online)
        .map(|node| &node.name)
}

fn versions(report: &mut Report<'_>) {
    let mut by_version: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in online(report) {
        let details = report.cluster.details.nodes.get(node);
        let version = details
            .and_then(|details| details.status.as_ref())
            .and_then(|status| status.version.as_deref())
            .map(bare_version);
        if let Some(version) = version {
            by_version.entry(version).or_default().push(node.as_str());
        }
    }
    if by_version.len() < 2 {
        return;
    }
    let majors: HashSet<&str> = by_version
        .keys()
        .map(|v| v.split('.').next().unwrap_or(v))
        .collect();
    // During an upgrade versions differ for a while; across a major version nodes should not stay mixed.
    let severity = if majors.len() > 1 {
        Severity::Warning
    } else {
        Severity::Info
    };
    let list: Vec<String> = by_version
        .iter()
        .map(|(version, nodes)| format!("{version} on {}", nodes.join(", ")))
        .collect();
    let text = format!("versions differ: {}", list.join("; "));
    report.add_cluster(severity, FindingKind::VersionsDiffer, text);
}

/// `9.2.11` of `pve-manager/9.2.11/14a22df35955d97d`.
fn bare_version(version: &str) -> &str {
    version.split('/').nth(1).unwrap_or(version)
}

fn clocks(report: &mut Report<'_>) {
    let mut skews: Vec<(&NodeName, i64)> = online(report)
        .filter_map(|node| Some((node, report.cluster.details.nodes.get(node)?.skew?.as_secs())))
        .collect();
    skews.sort();
    let limit = report.limits.skew.as_secs();
    let nearest = skews.iter().map(|(_, skew)| *skew).min();
    let farthest = skews.iter().map(|(_, skew)| *skew).max();
    let (Some(low), Some(high)) = (nearest, farthest) else {
        return;
    };
    if high - low <= limit {
        // They agree with each other: it is this machine's clock that differs, or theirs together.
        if low.abs().min(high.abs()) > limit {
            let text = format!(
                "its clock is {} this machine's: sign-in and ages suffer",
                against(low)
            );
            report.add_cluster(Severity::Warning, FindingKind::ClockSkew, text);
        }
        return;
    }
    for (node, skew) in skews.iter().filter(|(_, skew)| skew.abs() > limit) {
        let text = format!("the clock of {node} is {} this machine's", against(*skew));
        report.add_node(Severity::Warning, FindingKind::ClockSkew, node, text);
    }
}

fn against(skew: i64) -> String {
    let direction = if skew > 0 { "ahead of" } else { "behind" };
    format!("{} {direction}", long_span(skew.abs()))
}

fn subscriptions(report: &mut Report<'_>) {
    let mut with = Vec::new();
    let mut without = Vec::new();
    for node in report.cluster.nodes() {
        match node.level.as_deref() {
            _ if node.status != NodeStatus::Online => {}
            Some("") => without.push(node.name.as_str()),
            Some(_) => with.push(node.name.as_str()),
            None => {}
        }
    }
    if !with.is_empty() && !without.is_empty() {
        let text = format!(
            "subscription on {}, none on {}",
            with.join(", "),
            without.join(", ")
        );
        report.add_cluster(Severity::Info, FindingKind::SubscriptionProblem, text);
    }
    for (node, details) in &report.cluster.details.nodes {
        let status = details.subscription.as_ref().map(|s| &*s.status);
        if let Some(status @ ("expired" | "invalid" | "suspended")) = status {
            let text = format!("the subscription of {node} is {status}");
            report.add_node(Severity::Info, FindingKind::SubscriptionProblem, node, text);
        }
    }
}

/// One line for the cluster, not one a node: they are the rule, not the exception.
fn updates(report: &mut Report<'_>) {
    let waiting: Vec<String> = online(report)
        .filter_map(|node| {
            let number = report.cluster.details.nodes.get(node)?.updates.as_ref()?.len();
            (number > 0).then(|| format!("{number} on {node}"))
        })
        .collect();
    if !waiting.is_empty() {
        let text = format!("packages wait for an update: {}", waiting.join(", "));
        report.add_cluster(Severity::Info, FindingKind::UpdatesPending, text);
    }
}

fn failed_tasks(report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    let mut left = report.limits.failed_tasks;
    for task in report.cluster.tasks() {
        let age = report.now.duration_since(task.end.unwrap_or(task.upid.start));
        let severity = WATCHED.iter().find(|(kind, _)| *kind == &*task.upid.kind);
        let Some((_, severity)) = severity.filter(|_| age <= report.limits.failed_task) else {
            continue;
        };
        // The newest comes first: a later success of the same is the end of the matter, a running one may be.
        let same = (&task.upid.kind, &task.upid.id, &task.upid.node);
        if !seen.insert(same) || left == 0 {
            continue;
        }
        if let TaskState::Failed(error) = &task.state {
            let subject = ObjectRef::Task(TaskRef {
                cluster: report.cluster.id().clone(),
                upid: task.upid.clone(),
            });
            let what = [&*task.upid.kind, &*task.upid.id].join(" ");
            let text = format!("{} on {} failed: {error}", what.trim_end(), task.upid.node);
            report.add(*severity, FindingKind::TaskFailed, subject, text);
            left -= 1;
        }
    }
}

/// How long until then; negative if it has passed.
pub(super) fn until(then: Timestamp, now: Timestamp) -> SignedDuration {
    then.duration_since(now)
}
