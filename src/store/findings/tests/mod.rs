//! Each rule with what it must tell and what it must keep quiet about.

mod clusters;
mod objects;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        ClusterId, ClusterStatus, Finding, FindingKind, HaResource, HaStatus, Inventory, NodeStatus,
        ReplicationJob, SdnZone, Severity, StorageStatus, TaskState, Vmid,
        cluster::Member,
        node::{Certificate, Disk, NodeDetail, PackageUpdate, Service, Subscription},
    },
    store::{Feed, FeedErrorKind, Payload, Store, fixtures::*, snapshot},
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Far enough from zero that everything in these tests lies behind it.
const NOW: i64 = 100 * DAY;

/// A store with two nodes that are well.
fn healthy() -> Store {
    let mut store = store();
    store.apply(resources(NOW, inventory(2)));
    assert!(store.findings().is_empty(), "{:?}", store.findings());
    store
}

/// The findings after one change of the healthy inventory.
fn with(change: impl FnOnce(&mut Inventory)) -> Vec<Finding> {
    let mut store = healthy();
    let mut inventory = inventory(2);
    change(&mut inventory);
    store.apply(resources(NOW + 10, inventory));
    store.findings().to_vec()
}

/// The findings after a detail was read of a healthy store.
fn after(feed: Feed, payload: Payload) -> Vec<Finding> {
    let mut store = healthy();
    store.apply(read(NOW + 10, feed, payload));
    store.findings().to_vec()
}

/// Kind, severity and subject of each.
fn told(found: &[Finding]) -> Vec<(FindingKind, Severity, String)> {
    found
        .iter()
        .map(|finding| (finding.kind, finding.severity, finding.subject.to_string()))
        .collect()
}

fn one(found: &[Finding], kind: FindingKind, severity: Severity, subject: &str) {
    assert_eq!(told(found), [(kind, severity, subject.to_owned())], "{found:?}");
}

fn none(found: &[Finding]) {
    assert!(found.is_empty(), "{found:?}");
}

fn quorum(quorate: Option<bool>) -> Payload {
    let member = |name: &str, online| Member {
        name: name.into(),
        online,
        ip: None,
        id: None,
        local: online,
    };
    Payload::ClusterStatus(ClusterStatus {
        name: Some("prod".into()),
        quorate,
        members: vec![member("pve1", true), member("pve2", false)],
    })
}
