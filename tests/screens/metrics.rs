//! The graphs: of a node, a guest and a storage, compared, at several sizes, and with nothing to show.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use pvedeck::{
    actions::Id,
    domain::{
        GuestRef, NodeRef, ObjectRef, StorageRef, Vmid,
        measure::Measure,
        rrd::{Frame, Rrd},
    },
    screens::{Pane, Place, Reply, metrics::Metrics},
    store::{Feed, FeedErrorKind, FeedKey, Payload},
    ui::Glyphs,
};
use rstest::rstest;

use crate::world::{World, ago, now, one};

fn node(name: &str) -> ObjectRef {
    ObjectRef::Node(NodeRef {
        cluster: "prod".into(),
        node: name.into(),
    })
}

fn guest(vmid: u32) -> ObjectRef {
    ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(vmid),
    })
}

fn storage(node: &str, name: &str) -> ObjectRef {
    ObjectRef::Storage(StorageRef {
        cluster: "prod".into(),
        node: node.into(),
        storage: name.into(),
    })
}

/// An hour, a record a minute, with a hole, as a node or a guest has it.
fn hour(phase: f64) -> Rrd {
    let rows = (0..60).map(|minute| {
        let at = Timestamp::from_second(now().as_second() / 60 * 60 - (59 - minute) * 60).unwrap();
        if (20..28).contains(&minute) {
            return (at, Vec::new());
        }
        let wave = ((minute as f64 + phase) / 7.0).sin();
        let field = |name: &str, value: f64| (name.into(), value);
        let row = vec![
            field("cpu", 0.5 + 0.45 * wave),
            field("iowait", 0.02),
            field("memused", 1.2e11 + 1e10 * wave),
            field("memtotal", 137_438_953_472.0),
            field("mem", 2e9),
            field("maxmem", 4_294_967_296.0),
            field("netin", 3e6 + 2.5e6 * wave),
            field("netout", 1e6),
            field("loadavg", 4.0 + wave),
            field("pressurecpusome", 3.0 + wave),
            field("pressureiosome", 0.5),
            field("pressurememorysome", 0.0),
        ];
        (at, row)
    });
    Rrd::new(rows.collect())
}

/// Thirty days of a storage that fills.
fn month() -> Rrd {
    let rows = (0..1440).map(|half_hour: i64| {
        let at = ago((1439 - half_hour) * 1800);
        let used = 0.55 + half_hour as f64 * 0.000_2;
        (at, vec![("used".into(), used * 1e12), ("total".into(), 1e12)])
    });
    Rrd::new(rows.collect())
}

fn recorded() -> World {
    let mut world = one();
    for (object, frame, rrd) in [
        (node("pve1"), Frame::Hour, hour(0.0)),
        (guest(104), Frame::Hour, hour(0.0)),
        (guest(105), Frame::Hour, hour(9.0)),
        (storage("pve1", "local"), Frame::Month, month()),
    ] {
        world.tell("prod", Feed::Rrd(object, frame), ago(20), Payload::Rrd(rrd));
    }
    world
}

fn pane(object: ObjectRef, measure: Measure, hours: i64) -> Metrics {
    Metrics::showing(Some(measure.into()), Some(SignedDuration::from_hours(hours))).of(object)
}

#[rstest]
#[case("node_cpu_120", node("pve1"), Measure::Cpu, 1, (120, 24))]
#[case("node_memory_60", node("pve1"), Measure::Memory, 1, (60, 12))]
#[case("guest_network_80", guest(104), Measure::Network, 1, (80, 20))]
#[case("guest_pressure_200", guest(104), Measure::Pressure, 1, (200, 30))]
#[case("storage_fill_100", storage("pve1", "local"), Measure::Fill, 720, (100, 18))]
#[case("node_cpu_30", node("pve1"), Measure::Cpu, 1, (30, 6))]
fn graphs(
    #[case] name: &str,
    #[case] object: ObjectRef,
    #[case] measure: Measure,
    #[case] hours: i64,
    #[case] size: (u16, u16),
) {
    let world = recorded();
    insta::assert_snapshot!(name, world.screen(&mut pane(object, measure, hours), size));
}

#[test]
fn graphs_in_ascii() {
    let mut world = recorded();
    world.glyphs = Glyphs::ASCII;
    let mut pane = pane(guest(104), Measure::Network, 1);
    insta::assert_snapshot!("guest_network_ascii_80", world.screen(&mut pane, (80, 18)));
}

#[test]
fn marked_guests_are_compared_and_others_left_out() {
    let world = recorded();
    let mut pane = Metrics::default();
    pane.follow(Some(&guest(104)), Some(&BTreeSet::from([guest(104), guest(105)])));
    insta::assert_snapshot!("compared_100", world.screen(&mut pane, (100, 20)));
    let many: BTreeSet<ObjectRef> = (1..20).map(guest).collect();
    pane.follow(Some(&guest(104)), Some(&many));
    let mut feeds = BTreeSet::new();
    pane.interest(&world.cx(), &mut feeds);
    assert_eq!(feeds.len(), 6, "{feeds:?}");
    assert!(world.screen(&mut pane, (100, 8)).contains("13 more are marked"));
}

#[test]
fn the_last_ten_minutes_are_those_that_were_seen() {
    let world = recorded();
    let mut pane = Metrics::showing(None, Some(SignedDuration::from_mins(10))).of(node("pve1"));
    let mut feeds = BTreeSet::new();
    pane.interest(&world.cx(), &mut feeds);
    let seen: BTreeSet<FeedKey> = [Feed::Resources.of(&"prod".into())].into();
    assert_eq!(feeds, seen, "no request of its own");
    insta::assert_snapshot!("seen_80", world.screen(&mut pane, (80, 14)));
}

#[test]
fn each_range_has_its_recording() {
    let world = recorded();
    for (hours, frame) in [
        (1, Frame::Hour),
        (24, Frame::Day),
        (24 * 7, Frame::Week),
        (24 * 365, Frame::Year),
    ] {
        let mut feeds = BTreeSet::new();
        pane(guest(104), Measure::Cpu, hours).interest(&world.cx(), &mut feeds);
        let wanted = Feed::Rrd(guest(104), frame).of(&"prod".into());
        assert_eq!(feeds, BTreeSet::from([wanted]));
    }
}

#[rstest]
#[case(guest(200), "waiting for data")]
#[case(guest(210), "210 ci-runner is stopped")]
#[case(guest(900), "is a template and never runs")]
#[case(node("pve3"), "pve3 is offline")]
#[case(storage("pve1", "nfs-old"), "is not available")]
fn nothing_to_see_is_said_in_words(#[case] object: ObjectRef, #[case] words: &str) {
    let mut world = recorded();
    if object != guest(200) {
        let feed = Feed::Rrd(object.clone(), Frame::Hour);
        world.tell("prod", feed, ago(20), Payload::Rrd(Rrd::default()));
    }
    let screen = world.screen(&mut Metrics::default().of(object), (100, 14));
    assert!(screen.contains(words), "{screen}");
}

#[test]
fn what_could_not_be_read_says_why() {
    let mut world = recorded();
    let feed = Feed::Rrd(guest(200), Frame::Hour);
    let message = "the token lacks VM.Audit on /vms/200";
    world.fail("prod", feed, ago(5), FeedErrorKind::NotAllowed, message);
    let screen = world.screen(&mut Metrics::default().of(guest(200)), (100, 14));
    assert!(screen.contains(&format!("no data: {message}")), "{screen}");
}

#[test]
fn a_menu_chooses_and_looking_around_can_be_undone() {
    let world = recorded();
    let cx = world.cx();
    let mut pane = Metrics::default().of(guest(104));
    for (action, shown) in [
        (Id::GraphMetric, "disk      disk reads and writes"),
        (Id::GraphDown, "▸ memory"),
        (Id::GraphOpen, "memory · last 1 h · rrd"),
        (Id::GraphRange, "▸ 1 h"),
        (Id::GraphDown, "▸ 6 h"),
        (Id::GraphRange, "memory · last 6 h"),
        (Id::GraphNearer, "last 3h 00m"),
        (Id::GraphEarlier, "3h 00m to 03-01 13:17"),
        (Id::GraphNow, "last 3h 00m"),
        (Id::GraphDown, "disk · last"),
        (Id::GraphUp, "memory · last"),
        (Id::GraphCursorLeft, "03-01 13:58:"),
    ] {
        assert_eq!(pane.act(action, &cx), Reply::Done);
        let screen = world.screen(&mut pane, (100, 20));
        assert!(screen.contains(shown), "{action:?}: {screen}");
    }
    assert!(pane.retreat(), "the cursor");
    assert!(!pane.retreat());
    pane.act(Id::GraphRange, &cx);
    assert!(pane.retreat(), "the menu");
    assert_eq!(pane.act(Id::GraphOpen, &cx), Reply::Go(Place::Object(guest(104))));
}

#[test]
fn without_a_selection_it_says_what_to_do() {
    let world = recorded();
    let mut pane = Metrics::default();
    pane.follow(Some(&ObjectRef::Cluster("prod".into())), None);
    assert!(
        world
            .screen(&mut pane, (60, 6))
            .contains("select a node, a guest or a storage")
    );
    assert_eq!(pane.subject(), None);
}
