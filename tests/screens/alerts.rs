//! The lists of alerts and silences, and the page of an alert: in good days, with a dead server, with hostile labels.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use pvedeck::{
    actions::Id,
    domain::{
        AlertKey, MonitorId, MonitorInfo, MonitorKind, ObjectRef, SilenceRef,
        alert::{Alert, AlertState, Matcher, Silence, SilenceState},
        metric::Labels,
    },
    screens::{Pane, Place, Reply, alerts::Alerts, object::ObjectPane, silences::Silences},
    store::{FeedError, FeedErrorKind, MonitorFeed, MonitorPayload, MonitorUpdate},
};

use super::world::{World, ago, now, two};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn id(kind: MonitorKind) -> MonitorId {
    MonitorId::new(kind, kind.section())
}

fn alert(labels: &[(&str, &str)], summary: &str, state: AlertState, seconds: i64) -> Alert {
    Alert {
        labels: labels.iter().copied().collect(),
        annotations: [("summary", summary)].into_iter().collect(),
        state,
        since: Some(ago(seconds)),
        value: None,
        silenced_by: Vec::new(),
        inhibited_by: 0,
        receivers: Vec::new(),
        link: None,
    }
}

fn tell(world: &mut World, kind: MonitorKind, feed: MonitorFeed, at: Timestamp, payload: MonitorPayload) {
    world.store.apply_monitor(MonitorUpdate {
        key: feed.of(&id(kind)),
        at,
        outcome: Ok(payload),
    });
}

/// Two clusters with a Prometheus and an Alertmanager, which tell of alerts in every state.
fn watched() -> World {
    let mut world = two();
    world.store.set_monitors(
        [MonitorKind::Prometheus, MonitorKind::Alertmanager].map(|kind| MonitorInfo {
            id: id(kind),
            address: "http://mon".into(),
            clusters: Vec::new(),
            cluster_label: "cluster".into(),
            read_only: false,
        }),
    );
    let down = [
        ("alertname", "HostDown"),
        ("instance", "pve3:9100"),
        ("severity", "critical"),
    ];
    let cpu = [
        ("alertname", "HighCpuUsage"),
        ("instance", "pve1:9100"),
        ("severity", "warning"),
    ];
    let mine = [
        ("alertname", "DiskAlmostFull"),
        ("instance", "nas.example.com:9100"),
        ("severity", "critical"),
    ];
    let pending = [
        ("alertname", "ProxmoxVMStopped"),
        ("id", "qemu/104"),
        ("cluster", "prod"),
    ];
    let with = |labels: &[(&'static str, &'static str)]| {
        [labels, &[("prometheus", "mon-1"), ("cluster", "prod")]].concat()
    };
    let silenced = Alert {
        silenced_by: vec!["0af2".into()],
        receivers: vec!["team".into()],
        ..alert(
            &with(&cpu),
            "CPU of pve1 is at 97 %",
            AlertState::Suppressed,
            5_000,
        )
    };
    let own = vec![
        alert(&down, "pve3 does not answer", AlertState::Firing, 300),
        alert(&cpu, "CPU of pve1 is at 97 %", AlertState::Firing, 5_000),
        alert(&pending, "web-01 should run", AlertState::Pending, 60),
    ];
    let sent = vec![
        alert(&with(&down), "pve3 does not answer", AlertState::Firing, 240),
        silenced,
        alert(&mine, "/srv of nas is at 96 %", AlertState::Firing, 90_000),
    ];
    let silence = Silence {
        id: "0af2".into(),
        matchers: vec![
            Matcher::equal("alertname", "HighCpuUsage"),
            Matcher::equal("instance", "pve1:9100"),
        ],
        starts: Some(ago(600)),
        ends: Some(now() + SignedDuration::from_hours(2)),
        by: "alice@desk".into(),
        comment: "benchmark".into(),
        state: SilenceState::Active,
    };
    let over = Silence {
        id: "77".into(),
        ends: Some(ago(60)),
        state: SilenceState::Expired,
        ..silence.clone()
    };
    tell(
        &mut world,
        MonitorKind::Prometheus,
        MonitorFeed::Alerts,
        ago(4),
        MonitorPayload::Alerts(own),
    );
    tell(
        &mut world,
        MonitorKind::Alertmanager,
        MonitorFeed::Alerts,
        ago(6),
        MonitorPayload::Alerts(sent),
    );
    let silences = MonitorPayload::Silences(vec![over, silence]);
    tell(
        &mut world,
        MonitorKind::Alertmanager,
        MonitorFeed::Silences,
        ago(6),
        silences,
    );
    world
}

fn key(world: &World, name: &str) -> AlertKey {
    let found = world.store.alarms().iter().find(|alarm| &*alarm.name == name);
    found.unwrap().key
}

#[test]
fn lists() {
    let world = watched();
    for size in SIZES {
        assert_snapshot!(
            format!("alerts_{}", size.0),
            world.screen(&mut Alerts::default(), size)
        );
        let silences = world.screen(&mut Silences::default(), (size.0, 10));
        assert_snapshot!(format!("silences_{}", size.0), silences);
    }
}

#[test]
fn pages() {
    let world = watched();
    let silenced = ObjectRef::Alert(key(&world, "HighCpuUsage"));
    let silence = ObjectRef::Silence(SilenceRef {
        manager: id(MonitorKind::Alertmanager).home(),
        id: "0af2".into(),
    });
    for (name, object) in [
        ("alert", silenced),
        ("silence", silence),
        ("over", ObjectRef::Alert(AlertKey(1))),
    ] {
        let screen = world.screen(&mut ObjectPane::new(object), (100, 34));
        assert_snapshot!(format!("page_{name}"), screen);
    }
}

#[test]
fn a_dead_server_leaves_what_it_said_with_age_and_error() {
    let mut world = watched();
    world.now = now() + SignedDuration::from_mins(5);
    for feed in [MonitorFeed::Alerts, MonitorFeed::Silences] {
        world.store.apply_monitor(MonitorUpdate {
            key: feed.of(&id(MonitorKind::Alertmanager)),
            at: world.now,
            outcome: Err(FeedError {
                kind: FeedErrorKind::Unreachable,
                message: "Alertmanager at http://mon does not answer".to_owned(),
            }),
        });
    }
    assert_snapshot!("alerts_dead_120", world.screen(&mut Alerts::default(), (120, 20)));
    assert_snapshot!(
        "silences_dead_120",
        world.screen(&mut Silences::default(), (120, 10))
    );
}

#[test]
fn enter_leads_to_what_it_speaks_of() {
    let world = watched();
    for (filter, place) in [
        ("HostDown", "node pve3"),
        ("ProxmoxVMStopped", "guest 104"),
        // Nobody knows the machine: then to the alert itself.
        ("DiskAlmostFull", "alert"),
    ] {
        let mut pane = Alerts::default();
        pane.set_filter(filter);
        pane.refresh(&world.cx());
        match pane.act(Id::ListOpen, &world.cx()) {
            Reply::Go(Place::Object(object)) => {
                assert!(object.to_string().starts_with(place), "{filter}: {object}");
            }
            other => panic!("{filter}: {other:?}"),
        }
    }
}

#[test]
fn hostile_labels_stay_inside() {
    let mut world = watched();
    let huge = "\u{202e}\x1b[2Jevil ".repeat(10_000);
    let many: Labels = (0..3_000)
        .map(|number| (format!("l{number}"), huge[..huge.len() / 1_000].to_owned()))
        .chain([
            ("alertname".to_owned(), huge.clone()),
            ("severity".to_owned(), "critical".to_owned()),
        ])
        .collect();
    let hostile = Alert {
        labels: many,
        ..alert(&[], &huge, AlertState::Firing, -90)
    };
    let payload = MonitorPayload::Alerts(vec![hostile]);
    tell(
        &mut world,
        MonitorKind::Prometheus,
        MonitorFeed::Alerts,
        now(),
        payload,
    );
    let evil = world
        .store
        .alarms()
        .iter()
        .find(|alarm| alarm.name.contains("evil"));
    let object = ObjectRef::Alert(evil.unwrap().key);
    for screen in [
        world.screen(&mut Alerts::default(), (80, 12)),
        world.screen(&mut ObjectPane::new(object), (80, 24)),
    ] {
        assert!(screen.contains("evil"), "{screen}");
        for line in screen.lines() {
            assert!(
                !line.contains(['\x1b', '\u{202e}']) && pvedeck::ui::safe::width(line) <= 80,
                "{line}"
            );
        }
    }
}
