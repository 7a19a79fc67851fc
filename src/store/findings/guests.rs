//! Faults of guests: HA, replication, locks that stay.

use std::collections::BTreeMap;

use crate::domain::{FindingKind, NodeStatus, ReplicationJob, Severity, Vmid, quantity::long_span};

use super::Report;

pub(super) fn check(report: &mut Report<'_>) {
    ha(report);
    ha_managers(report);
    replication(report);
    if report.cluster.is_live() {
        locks(report);
    }
}

fn ha_severity(state: &str) -> Option<Severity> {
    match state {
        "error" | "fence" => Some(Severity::Critical),
        "recovery" => Some(Severity::Warning),
        _ => None,
    }
}

fn ha(report: &mut Report<'_>) {
    let mut states: BTreeMap<Vmid, &str> = BTreeMap::new();
    let services = report.cluster.ha().map_or(&[][..], |ha| ha.services.as_slice());
    for service in services {
        if let Some(vmid) = service.vmid {
            states.insert(vmid, &service.state);
        }
    }
    // The inventory comes more often, so its word is the newer one.
    if report.cluster.is_live() {
        for guest in report.cluster.guests() {
            if let Some(state) = guest.ha_state.as_deref().filter(|state| !state.is_empty()) {
                states.insert(guest.vmid, state);
            }
        }
    }
    for (vmid, state) in states {
        if let Some(severity) = ha_severity(state) {
            let text = format!("HA state of {vmid} is {state}");
            report.add_guest(severity, FindingKind::HaError, vmid, text);
        }
    }
}

/// The manager marks a node whose agent has gone silent with `old timestamp - dead?`.
fn ha_managers(report: &mut Report<'_>) {
    let lines = report.cluster.ha().map_or(&[][..], |ha| ha.lines.as_slice());
    for (id, text) in lines {
        let Some(name) = id.strip_prefix("lrm:").map(Into::into) else {
            continue;
        };
        let online = report
            .cluster
            .node(&name)
            .is_some_and(|node| node.status == NodeStatus::Online);
        if online && text.contains("dead?") {
            let text = format!("the HA agent is silent: {text}");
            report.add_node(Severity::Warning, FindingKind::HaError, &name, text);
        }
    }
}

fn replication(report: &mut Report<'_>) {
    let mut failing: BTreeMap<Vmid, &ReplicationJob> = BTreeMap::new();
    let jobs = report
        .cluster
        .details
        .nodes
        .values()
        .filter_map(|details| details.replication.as_ref())
        .flatten()
        .filter(|job| !job.disabled && (job.fail_count > 0 || job.error.is_some()));
    for job in jobs {
        let worst = failing.entry(job.guest).or_insert(job);
        if (job.fail_count, &worst.id) > (worst.fail_count, &job.id) {
            *worst = job;
        }
    }
    for (vmid, job) in failing {
        let reason = job
            .error
            .as_deref()
            .map(|error| format!(": {error}"))
            .unwrap_or_default();
        let times = match job.fail_count {
            0 | 1 => String::new(),
            number => format!(" {number} times in a row"),
        };
        let text = format!("replication {} to {} failed{times}{reason}", job.id, job.target);
        report.add_guest(Severity::Warning, FindingKind::ReplicationFailed, vmid, text);
    }
}

fn locks(report: &mut Report<'_>) {
    for (vmid, lock) in &report.cluster.locks {
        let held = report.now.duration_since(lock.since);
        if held > report.limits.locked {
            let span = long_span(held.as_secs());
            let text = format!("{vmid} is locked ({}) for {span}", lock.reason);
            report.add_guest(Severity::Warning, FindingKind::GuestLocked, *vmid, text);
        }
    }
}
