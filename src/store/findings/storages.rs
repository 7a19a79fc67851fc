//! Faults of storages. A shared one is one finding, however many nodes see it.

use std::collections::BTreeMap;

use crate::domain::{
    FindingKind, NodeName, NodeStatus, ObjectRef, Severity, Storage, StorageRef, StorageStatus,
    quantity::{Bytes, percent},
};

use super::{Report, graded};

pub(super) fn check(report: &mut Report<'_>) {
    let mut stores: BTreeMap<(&str, Option<&NodeName>), Vec<&Storage>> = BTreeMap::new();
    for storage in report.cluster.storages() {
        let own = (!storage.shared).then_some(&storage.node);
        stores
            .entry((storage.name.as_str(), own))
            .or_default()
            .push(storage);
    }
    for mut seen in stores.into_values() {
        // The first node by name stands for all, so that a finding keeps its subject.
        seen.sort_by(|a, b| a.node.cmp(&b.node));
        let Some(first) = seen.first() else { continue };
        let subject = ObjectRef::Storage(StorageRef {
            cluster: report.cluster.id().clone(),
            node: first.node.clone(),
            storage: first.name.clone(),
        });
        // An absent node's word is old: its storages go on saying `available`, or `unknown`, for ever.
        seen.retain(|storage| {
            report
                .cluster
                .node(&storage.node)
                .is_some_and(|node| node.status == NodeStatus::Online)
        });
        availability(report, &subject, &seen);
        fill(report, subject, &seen);
    }
}

fn availability(report: &mut Report<'_>, subject: &ObjectRef, seen: &[&Storage]) {
    let missing: Vec<&Storage> = seen
        .iter()
        .copied()
        .filter(|storage| storage.status == StorageStatus::Unavailable)
        .collect();
    let Some(first) = missing.first() else { return };
    let severity = if missing.len() == seen.len() {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let nodes: Vec<&str> = missing.iter().map(|storage| storage.node.as_str()).collect();
    let text = format!("{} is not available on {}", first.name, nodes.join(", "));
    report.add(severity, FindingKind::StorageUnavailable, subject.clone(), text);
}

fn fill(report: &mut Report<'_>, subject: ObjectRef, seen: &[&Storage]) {
    let fullest = seen
        .iter()
        .filter(|storage| storage.status == StorageStatus::Available)
        .filter_map(|storage| Some((storage, storage.fill()?)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((storage, fill)) = fullest else { return };
    if let Some(severity) = graded(fill, report.limits.storage) {
        let used = Bytes(storage.used.unwrap_or_default());
        let total = Bytes(storage.total.unwrap_or_default());
        let place = if storage.shared {
            String::new()
        } else {
            format!(" on {}", storage.node)
        };
        let text = format!(
            "{}{place} is {} full ({used} of {total})",
            storage.name,
            percent(fill)
        );
        report.add(severity, FindingKind::StorageFull, subject, text);
    }
}
