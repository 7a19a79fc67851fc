//! Which objects alerts speak of, and what is kept when a server dies.

use jiff::Timestamp;

use super::*;
use crate::{
    domain::{ClusterId, MonitorId, NodeRef, Standing, acknowledge::Acknowledgement, alert::AlertState},
    store::{
        FeedError, FeedErrorKind, MonitorFeed, MonitorPayload, MonitorUpdate,
        fixtures::{at, inventory, read, resources, store},
    },
};

fn server(kind: MonitorKind, name: &str, clusters: &[&str]) -> MonitorInfo {
    MonitorInfo {
        id: MonitorId::new(kind, name),
        address: "http://mon".into(),
        clusters: clusters.iter().map(|name| ClusterId::from(*name)).collect(),
        cluster_label: "cluster".into(),
        read_only: false,
    }
}

fn alert(pairs: &[(&str, &str)]) -> Alert {
    Alert {
        labels: [("alertname", "X")]
            .into_iter()
            .chain(pairs.iter().copied())
            .collect(),
        annotations: Labels::default(),
        state: AlertState::Firing,
        since: Some(at(100)),
        value: None,
        silenced_by: Vec::new(),
        inhibited_by: 0,
        receivers: Vec::new(),
        link: None,
    }
}

fn hear(store: &mut Store, id: &MonitorId, second: i64, outcome: Result<Vec<Alert>, FeedErrorKind>) -> bool {
    let changes = store.apply_monitor(MonitorUpdate {
        key: MonitorFeed::Alerts.of(id),
        at: at(second),
        outcome: outcome.map(MonitorPayload::Alerts).map_err(|kind| FeedError {
            kind,
            message: format!("{kind:?}"),
        }),
    });
    changes.findings
}

/// An estate whose clusters have nodes and guests of the same names, and a Prometheus that watches `clusters`.
fn estate(clusters: &[&str]) -> (Store, MonitorId) {
    let mut store = store();
    store.apply(resources(10, inventory(3)));
    let mut lab = resources(10, inventory(1));
    lab.key.cluster = "lab".into();
    store.apply(lab);
    let info = server(MonitorKind::Prometheus, "prometheus", clusters);
    let id = info.id.clone();
    store.set_monitors([info]);
    (store, id)
}

#[test]
fn what_an_alert_speaks_of() {
    for (clusters, labels, object) in [
        (&["prod"][..], &[("id", "qemu/101")][..], Some("guest 101")),
        (
            &["prod"],
            &[("id", "qemu/101"), ("instance", "pve1:9221"), ("node", "pve1")],
            Some("guest 101"),
        ),
        (
            &["prod"],
            &[("id", "storage/pve2/local"), ("node", "pve2")],
            Some("storage pve2/local"),
        ),
        (
            &["prod"],
            &[("id", "node/pve2"), ("instance", "pve1:9221")],
            Some("node pve2"),
        ),
        (
            &["prod"],
            &[("vmid", "102"), ("name", "web-102"), ("node", "pve1")],
            Some("guest 102"),
        ),
        (&["prod"], &[("object", "guest/100")], Some("guest 100")),
        (
            &["prod"],
            &[("instance", "PVE1.example.com:9100")],
            Some("node pve1"),
        ),
        (&["prod"], &[("instance", "web-101:9100")], Some("guest 101")),
        (
            &["prod"],
            &[("instance", "exporter:9100"), ("node", "pve2")],
            Some("node pve2"),
        ),
        (&["prod"], &[("id", "qemu/999"), ("instance", "nobody:1")], None),
        (&["prod"], &[], None),
        (&["prod"], &[("cluster", "prod")], Some("cluster prod")),
        (&["prod"], &[("cluster", "prod"), ("instance", "nobody:1")], None),
        // Both clusters have one of that name: nobody can say which is meant, unless a label does.
        (&[], &[("instance", "pve1:9100")], None),
        (
            &[],
            &[("instance", "pve1:9100"), ("cluster", "lab")],
            Some("node pve1"),
        ),
        (&[], &[("id", "qemu/101")], Some("guest 101")),
        // Another cluster than those that its server watches.
        (&["prod"], &[("instance", "pve1:9100"), ("cluster", "lab")], None),
    ] {
        let (mut store, id) = estate(clusters);
        hear(&mut store, &id, 20, Ok(vec![alert(labels)]));
        let found = store.alarms()[0].object.as_ref().map(ToString::to_string);
        assert_eq!(found.as_deref(), object, "{clusters:?} {labels:?}");
    }
}

#[test]
fn who_moves_in_later_is_found_then() {
    let (mut store, id) = estate(&["prod"]);
    hear(&mut store, &id, 20, Ok(vec![alert(&[("vmid", "104")])]));
    assert_eq!(store.alarms()[0].object, None);
    assert!(store.apply(resources(30, inventory(5))).findings);
    assert!(store.alarms()[0].object.is_some());
    assert!(!store.apply(resources(40, inventory(5))).findings, "nothing new");
}

#[test]
fn a_dead_server_takes_nothing_with_it() {
    let (mut store, id) = estate(&["prod"]);
    assert!(hear(&mut store, &id, 20, Ok(vec![alert(&[("vmid", "101")])])));
    assert!(!hear(&mut store, &id, 35, Err(FeedErrorKind::Unreachable)));
    assert_eq!(store.alarms().len(), 1);
    let node = ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: crate::domain::Vmid(101),
    });
    assert_eq!(store.worst_finding(&node), Some(Severity::Warning));
    assert_eq!(store.alarms_of(&node).count(), 1);
    assert!(hear(&mut store, &id, 50, Ok(Vec::new())));
    assert_eq!((store.alarms().len(), store.worst_finding(&node)), (0, None));
}

#[test]
fn findings_stand_in_the_same_list_and_are_acknowledged_alike() {
    let (mut store, id) = estate(&["prod"]);
    let mut offline = inventory(1);
    offline.nodes[0].status = crate::domain::NodeStatus::Offline;
    store.apply(resources(20, offline));
    hear(
        &mut store,
        &id,
        20,
        Ok(vec![alert(&[("vmid", "100"), ("severity", "info")])]),
    );
    let worst = &store.alarms()[0];
    assert_eq!(
        (&*worst.name, worst.severity),
        ("node-offline", Severity::Critical)
    );
    assert_eq!(store.loud_alarms(), (1, 0));
    let node = ObjectRef::Node(NodeRef {
        cluster: "prod".into(),
        node: "pve1".into(),
    });
    assert_eq!(store.worst_finding(&node), Some(Severity::Critical));
    let mut known = store.acknowledgements().clone();
    known.apply(Order::Take(
        worst.key,
        Acknowledgement {
            by: "alice".to_owned(),
            at: at(21),
            comment: String::new(),
            severity: Severity::Critical,
            seen: at(21),
        },
    ));
    assert!(store.set_acknowledgements(known));
    assert_eq!(store.loud_alarms(), (0, 0));
    assert_eq!(store.worst_finding(&node), None);
    assert_eq!(
        store.alarms().last().map(Alarm::standing),
        Some(Standing::Acknowledged)
    );
}

#[test]
fn what_could_not_be_read_is_not_gone() {
    let (mut store, id) = estate(&["prod"]);
    let later = |hours: i64| Timestamp::from_second(20 + hours * 3600).unwrap();
    hear(&mut store, &id, 20, Ok(Vec::new()));
    let mut known = Acknowledgements::default();
    known.apply(Order::Take(
        AlertKey(1),
        Acknowledgement {
            by: "alice".to_owned(),
            at: at(20),
            comment: String::new(),
            severity: Severity::Critical,
            seen: at(20),
        },
    ));
    store.set_acknowledgements(known);
    assert_eq!(store.review_acknowledgements(later(30)), [], "all data is old");
    let second = later(30).as_second();
    store.apply(resources(second, inventory(3)));
    let mut lab = resources(second, inventory(1));
    lab.key.cluster = "lab".into();
    store.apply(lab);
    store.apply(read(
        second,
        crate::store::Feed::Tasks,
        crate::store::Payload::Tasks(Vec::new()),
    ));
    assert_eq!(
        store.review_acknowledgements(later(30)),
        [],
        "its server was not heard"
    );
    hear(&mut store, &id, second, Ok(Vec::new()));
    assert_eq!(
        store.review_acknowledgements(later(30)),
        [Order::Forget(AlertKey(1), at(20))]
    );
}

#[test]
fn thousands_of_alerts_and_guests_are_one_pass_each() {
    let mut store = store();
    store.apply(resources(10, inventory(2_000)));
    let info = server(MonitorKind::Prometheus, "prometheus", &["prod"]);
    let id = info.id.clone();
    store.set_monitors([info]);
    let huge = "x".repeat(100_000);
    let mut alerts: Vec<Alert> = (0..2_000)
        .map(|number| alert(&[("vmid", &(100 + number).to_string())]))
        .collect();
    let many: Vec<(String, String)> = (0..5_000).map(|n| (format!("l{n}"), n.to_string())).collect();
    alerts.push(Alert {
        labels: many.into_iter().chain([("vmid".to_owned(), huge)]).collect(),
        ..alert(&[])
    });
    hear(&mut store, &id, 20, Ok(alerts));
    let resolved = store.alarms().iter().filter(|alarm| alarm.object.is_some());
    assert_eq!((store.alarms().len(), resolved.count()), (2_001, 2_000));
}
