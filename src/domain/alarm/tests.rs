//! One list of several servers: doubles, states, hostile labels.

use proptest::prelude::*;

use super::*;
use crate::domain::NodeRef;

/// A firing alert that Prometheus tells of.
pub(crate) fn alarm(key: AlertKey, severity: Severity, since: Timestamp) -> Alarm {
    let alert = alert(&[("alertname", "X")], AlertState::Firing);
    Alarm {
        key,
        severity,
        since: Some(since),
        ..Alarm::new(&alert, &MonitorId::new(MonitorKind::Prometheus, "prometheus"))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn alert(pairs: &[(&str, &str)], state: AlertState) -> Alert {
    Alert {
        labels: pairs.iter().copied().collect(),
        annotations: Labels::default(),
        state,
        since: Some(at(100)),
        value: None,
        silenced_by: Vec::new(),
        inhibited_by: 0,
        receivers: Vec::new(),
        link: None,
    }
}

fn server(kind: MonitorKind, name: &str) -> MonitorInfo {
    MonitorInfo {
        id: MonitorId::new(kind, name),
        address: "http://mon".into(),
        clusters: Vec::new(),
        cluster_label: "cluster".into(),
        read_only: false,
    }
}

/// Merges what a Prometheus and an Alertmanager say.
fn both(prometheus: &[Alert], manager: &[Alert]) -> Vec<Alarm> {
    let [p, a] = [
        server(MonitorKind::Prometheus, "prometheus"),
        server(MonitorKind::Alertmanager, "alertmanager"),
    ];
    merge(&[(&p, prometheus), (&a, manager)])
}

use AlertState::{Firing, Pending, Suppressed, Unknown};

#[test]
fn the_fingerprint_is_that_of_alertmanager() {
    // Recorded from a real server.
    let recorded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/monitoring/recorded/alertmanager-alerts.json"
    );
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let pairs = row["labels"].as_object().unwrap().iter();
        let labels: Labels = pairs
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        assert_eq!(
            fingerprint(&labels).to_string(),
            row["fingerprint"].as_str().unwrap()
        );
    }
}

#[test]
fn who_tells_of_what() {
    let down = [("alertname", "HostDown"), ("instance", "pve1:9100")];
    let more = [&down[..], &[("cluster", "prod"), ("prometheus", "a")]].concat();
    let other = [
        ("alertname", "HostDown"),
        ("instance", "pve2:9100"),
        ("cluster", "prod"),
    ];
    for (what, prometheus, manager, states) in [
        (
            "both the same",
            vec![alert(&down, Firing)],
            vec![alert(&down, Firing)],
            vec![Firing],
        ),
        (
            "with external labels",
            vec![alert(&down, Firing)],
            vec![alert(&more, Firing)],
            vec![Firing],
        ),
        (
            "silenced",
            vec![alert(&down, Firing)],
            vec![alert(&more, Suppressed)],
            vec![Suppressed],
        ),
        (
            "not decided",
            vec![alert(&down, Firing)],
            vec![alert(&more, Unknown)],
            vec![Unknown],
        ),
        ("only pending", vec![alert(&down, Pending)], vec![], vec![Pending]),
        (
            "pending again",
            vec![alert(&down, Pending)],
            vec![alert(&more, Firing)],
            vec![Firing],
        ),
        (
            "another host",
            vec![alert(&down, Firing)],
            vec![alert(&other, Firing)],
            vec![Firing, Firing],
        ),
        (
            "Prometheus is dead",
            vec![],
            vec![alert(&more, Firing)],
            vec![Firing],
        ),
        (
            "Alertmanager is dead",
            vec![alert(&down, Firing)],
            vec![],
            vec![Firing],
        ),
        ("nothing", vec![], vec![], vec![]),
    ] {
        let all = both(&prometheus, &manager);
        let found: Vec<AlertState> = all.iter().map(|alarm| alarm.state).collect();
        assert_eq!(found, states, "{what}");
    }
    let all = both(&[alert(&down, Firing)], &[alert(&more, Firing)]);
    assert_eq!(all[0].sources.len(), 2);
    assert_eq!(all[0].labels.get("cluster"), Some("prod"));
    let alone = both(&[alert(&down, Pending)], &[]);
    assert_eq!(all[0].key, alone[0].key, "one key from pending to firing");
}

#[test]
fn two_of_a_kind() {
    let down = [("alertname", "HostDown"), ("instance", "pve1:9100")];
    let [a, b] = ["a", "b"].map(|name| server(MonitorKind::Alertmanager, name));
    let quiet = Alert {
        silenced_by: vec!["s".into()],
        since: Some(at(50)),
        ..alert(&down, Suppressed)
    };
    let all = merge(&[(&a, &[quiet]), (&b, &[alert(&down, Firing)])]);
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].standing(),
        Standing::Firing,
        "the other one tells somebody"
    );
    assert_eq!(all[0].since, Some(at(50)), "the earliest");
    assert_eq!(&*all[0].silenced_by[0].id, "s");
    assert_eq!(all[0].managers().count(), 2);
}

#[test]
fn how_it_stands() {
    let of = |state, silenced: bool, inhibited_by, acknowledged: bool| {
        let mut one = alarm(AlertKey(1), Severity::Warning, at(0));
        one.state = state;
        one.inhibited_by = inhibited_by;
        if silenced {
            one.silenced_by.push(SilenceRef {
                manager: "alertmanager:a".into(),
                id: "s".into(),
            });
        }
        one.acknowledged = acknowledged.then(|| Acknowledgement {
            by: "alice".to_owned(),
            at: at(0),
            comment: String::new(),
            severity: Severity::Warning,
            seen: at(0),
        });
        one.standing()
    };
    for (standing, expected) in [
        (of(Firing, false, 0, false), Standing::Firing),
        (of(Firing, false, 0, true), Standing::Acknowledged),
        (of(Pending, false, 0, false), Standing::Pending),
        (of(Pending, false, 0, true), Standing::Acknowledged),
        (of(Suppressed, true, 0, true), Standing::Silenced),
        (of(Suppressed, true, 2, false), Standing::Silenced),
        (of(Suppressed, false, 2, false), Standing::Inhibited),
        (of(Unknown, false, 0, false), Standing::Unknown),
    ] {
        assert_eq!(standing, expected);
    }
}

#[test]
fn a_finding_that_a_rule_tells_of_is_no_second_entry() {
    let node = ObjectRef::Node(NodeRef {
        cluster: "prod".into(),
        node: "pve1".into(),
    });
    let finding = |kind, severity| Finding {
        severity,
        kind,
        subject: node.clone(),
        text: "it is".to_owned(),
        since: at(0),
    };
    let down = [("alertname", "ProxmoxNodeDown"), ("severity", "warning")];
    for (state, about, kind, entries) in [
        (Firing, Some(&node), FindingKind::NodeOffline, 1),
        (Suppressed, Some(&node), FindingKind::NodeOffline, 1),
        (Pending, Some(&node), FindingKind::NodeOffline, 2),
        (Firing, None, FindingKind::NodeOffline, 2),
        (Firing, Some(&node), FindingKind::RootFull, 2),
    ] {
        let mut all = both(&[alert(&down, state)], &[]);
        all[0].object = about.cloned();
        add_findings(&mut all, &[finding(kind, Severity::Critical)]);
        assert_eq!(all.len(), entries, "{state:?} {kind}");
        if entries == 1 {
            assert_eq!(all[0].severity, Severity::Critical, "the worse counts");
            assert!(all[0].sources.contains(&Source::Findings));
        }
    }
    let key = |severity| {
        let mut all = Vec::new();
        add_findings(&mut all, &[finding(FindingKind::NodeOffline, severity)]);
        all[0].key
    };
    assert_eq!(
        key(Severity::Warning),
        key(Severity::Critical),
        "it is the same going on"
    );
}

#[test]
fn many_alerts_with_many_sorts_of_labels_cost_no_square() {
    let label = |number: usize| format!("l{number}");
    let make = |state| -> Vec<Alert> {
        (0..2_000)
            .map(|number| alert(&[("alertname", "X"), (&label(number), "1")], state))
            .collect()
    };
    let mut list = Merged::default();
    let manager = MonitorId::new(MonitorKind::Alertmanager, "a");
    let prometheus = MonitorId::new(MonitorKind::Prometheus, "p");
    for alert in make(Firing) {
        list.add(&alert, &manager);
    }
    for mut alert in make(Pending) {
        alert.labels = alert.labels.iter().chain([("more", "1")]).collect();
        list.add(&alert, &prometheus);
    }
    assert_eq!(list.alarms.len(), 4_000);
    assert!(list.reduced.len() <= WAYS);
}

proptest! {
    #[test]
    fn whatever_the_labels_each_alert_is_there_once(
        sets in proptest::collection::vec(proptest::collection::vec(("[a-c]{0,2}", "\\PC{0,3}"), 0..4), 0..12),
        twice in 1..4_usize,
    ) {
        let alerts: Vec<Alert> = sets
            .iter()
            .map(|set| Alert { labels: set.iter().cloned().collect(), ..alert(&[], Firing) })
            .collect();
        let mut distinct: Vec<&Labels> = alerts.iter().map(|alert| &alert.labels).collect();
        distinct.sort();
        distinct.dedup();
        let servers: Vec<MonitorInfo> = (0..twice)
            .map(|number| server(MonitorKind::Alertmanager, &number.to_string()))
            .collect();
        let told: Vec<(&MonitorInfo, &[Alert])> = servers.iter().map(|one| (one, &alerts[..])).collect();
        prop_assert_eq!(merge(&told).len(), distinct.len());
    }
}
