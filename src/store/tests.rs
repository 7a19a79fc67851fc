//! What `apply` changes, and what it must not.

use proptest::prelude::*;

use super::{fixtures::*, *};
use crate::domain::{
    ClusterStatus, GuestDetail, GuestRef, GuestStatus, NodeRef, ObjectRef, TaskRef, TaskState, Vmid,
    config::GuestConfig, task::TaskLog,
};

fn prod() -> ClusterId {
    "prod".into()
}

fn guest_ref(vmid: u32) -> GuestRef {
    GuestRef {
        cluster: prod(),
        vmid: Vmid(vmid),
    }
}

fn detail(status: GuestStatus) -> Payload {
    Payload::GuestStatus(Box::new(GuestDetail {
        status: Some(status),
        ..GuestDetail::default()
    }))
}

#[test]
fn the_same_again_only_renews_the_age() {
    let mut store = store();
    assert!(store.apply(resources(100, inventory(3))).visible());
    let revision = store.revision();
    let again = store.apply(resources(110, inventory(3)));
    assert_eq!(again, Changes::default());
    assert_eq!(store.revision(), revision);
    let freshness = store.freshness(&Feed::Resources.of(&prod()));
    assert_eq!(freshness.data_at, Some(at(110)));
    assert_eq!(freshness.age(at(114)).unwrap().as_secs(), 4);
}

#[test]
fn each_kind_has_its_own_revision() {
    let mut store = store();
    store.apply(resources(100, inventory(3)));
    let (nodes, guests, tasks) = (
        store.nodes_revision(),
        store.guests_revision(),
        store.tasks_revision(),
    );
    let mut busier = inventory(3);
    busier.nodes[0].cpu = Some(0.5);
    store.apply(resources(110, busier));
    assert!(store.nodes_revision() > nodes);
    assert_eq!((store.guests_revision(), store.tasks_revision()), (guests, tasks));
}

#[test]
fn look_ups_follow_a_guest_that_moves() {
    let mut store = store();
    let mut before = inventory(3);
    before.guests[1].pool = Some("acme".into());
    store.apply(resources(100, before.clone()));
    let mut after = before;
    after.guests[1].node = "pve2".into();
    after.guests.remove(0);
    store.apply(resources(110, after));
    let on = |node: &str| -> Vec<u32> {
        let node = NodeRef {
            cluster: prod(),
            node: node.into(),
        };
        store.guests_on(&node).map(|guest| guest.vmid.0).collect()
    };
    assert_eq!((on("pve1"), on("pve2")), (vec![102], vec![101]));
    assert!(store.guest(&guest_ref(100)).is_none());
    assert_eq!(store.guest(&guest_ref(101)).unwrap().node.as_str(), "pve2");
    assert_eq!(store.guests_in_pool(&prod(), "acme").count(), 1);
    assert_eq!(store.guests().count(), 2);
}

#[test]
fn a_failure_takes_nothing_and_is_told_once() {
    let mut store = store();
    store.apply(resources(100, inventory(3)));
    let first = store.apply(failure(110, Feed::Resources, FeedErrorKind::Server));
    assert!(first.freshness && first.feeds.is_empty());
    let second = store.apply(failure(120, Feed::Resources, FeedErrorKind::Server));
    assert!(!second.freshness);
    assert_eq!(store.guests().count(), 3);
    let freshness = store.freshness(&Feed::Resources.of(&prod()));
    assert_eq!(
        (freshness.data_at, freshness.tried_at),
        (Some(at(100)), Some(at(120)))
    );
    assert_eq!(freshness.failures, 2);
    assert!(freshness.is_stale(at(120)));
    assert!(
        store.apply(resources(130, inventory(3))).freshness,
        "it recovered"
    );
}

#[test]
fn one_cluster_does_not_touch_another() {
    let mut store = store();
    store.apply(resources(100, inventory(3)));
    let mut update = failure(110, Feed::Resources, FeedErrorKind::Unreachable);
    update.key.cluster = "lab".into();
    store.apply(update);
    assert_eq!(store.cluster_health(&prod(), at(111)), Some(Health::Live));
    let lab = store.cluster_health(&"lab".into(), at(111)).unwrap();
    assert_eq!(lab.word(), "unreachable");
    let mut update = resources(120, inventory(1));
    update.key.cluster = "nobody".into();
    assert_eq!(store.apply(update), Changes::default());
}

#[test]
fn health_follows_the_inventory() {
    let mut store = store();
    let health = |store: &Store, second| store.cluster_health(&prod(), at(second)).unwrap().word();
    assert_eq!(health(&store, 0), "connecting");
    store.apply(resources(100, inventory(1)));
    assert_eq!(health(&store, 101), "live");
    assert_eq!(health(&store, 131), "stale");
    for (kind, word) in [
        (FeedErrorKind::Unreachable, "unreachable"),
        (FeedErrorKind::Untrusted, "untrusted"),
        (FeedErrorKind::SignIn, "sign-in refused"),
        (FeedErrorKind::Malformed, "stale"),
    ] {
        store.apply(failure(140, Feed::Resources, kind));
        assert_eq!(health(&store, 140), word);
    }
}

#[test]
fn a_late_answer_does_not_turn_back_time() {
    let mut store = store();
    store.apply(resources(100, inventory(3)));
    assert_eq!(store.apply(resources(95, inventory(1))), Changes::default());
    assert_eq!(store.guests().count(), 3);
    // A clock that was set back by more than any answer takes is another matter.
    assert!(store.apply(resources(10, inventory(1))).visible());
}

#[test]
fn a_fresh_detail_makes_the_status_precise() {
    let mut store = store();
    let status = |store: &Store| store.guest(&guest_ref(100)).unwrap().status;
    store.apply(resources(100, inventory(1)));
    let changes = store.apply(read(
        101,
        Feed::GuestStatus(Vmid(100)),
        detail(GuestStatus::Paused),
    ));
    assert!(changes.visible());
    assert_eq!(status(&store), GuestStatus::Paused);
    store.apply(resources(120, inventory(1)));
    assert_eq!(
        status(&store),
        GuestStatus::Paused,
        "the inventory cannot tell paused"
    );
    let mut stopped = inventory(1);
    stopped.guests[0].status = GuestStatus::Stopped;
    store.apply(resources(125, stopped));
    assert_eq!(
        status(&store),
        GuestStatus::Stopped,
        "it was stopped since the detail"
    );
    store.apply(resources(132, inventory(1)));
    assert_eq!(status(&store), GuestStatus::Running, "the detail is too old");
}

#[test]
fn the_inventory_lags_behind_a_detail() {
    let mut store = store();
    store.apply(resources(100, inventory(1)));
    store.apply(read(
        101,
        Feed::GuestStatus(Vmid(100)),
        detail(GuestStatus::Stopped),
    ));
    // pvestatd has not come round yet and still calls it running.
    store.apply(resources(105, inventory(1)));
    let status = |store: &Store| store.guest(&guest_ref(100)).unwrap().status;
    assert_eq!(status(&store), GuestStatus::Stopped);
    // Its rounds take a while: the row does not flap back in between.
    store.apply(resources(114, inventory(1)));
    assert_eq!(status(&store), GuestStatus::Stopped);
    // After that it is the inventory that knows better.
    store.apply(resources(117, inventory(1)));
    assert_eq!(status(&store), GuestStatus::Running);
}

#[test]
fn an_inventory_that_has_caught_up_is_believed_from_then_on() {
    let mut store = store();
    store.apply(resources(100, inventory(1)));
    store.apply(read(
        101,
        Feed::GuestStatus(Vmid(100)),
        detail(GuestStatus::Stopped),
    ));
    let mut stopped = inventory(1);
    stopped.guests[0].status = GuestStatus::Stopped;
    store.apply(resources(104, stopped));
    // Somebody else starts it again.
    store.apply(resources(106, inventory(1)));
    assert_eq!(store.guest(&guest_ref(100)).unwrap().status, GuestStatus::Running);
}

#[test]
fn looking_at_many_guests_does_not_grow_memory() {
    let mut store = store();
    store.apply(resources(100, inventory(600)));
    for vmid in 100..700 {
        let feed = Feed::GuestConfig(Vmid(vmid));
        store.apply(read(110, feed, Payload::GuestConfig(GuestConfig::default())));
        let feed = Feed::GuestAddresses(Vmid(vmid));
        store.apply(failure(110, feed, FeedErrorKind::NotAvailable));
    }
    let kept = (100..700)
        .filter(|vmid| store.guest_config(&guest_ref(*vmid)).is_some())
        .count();
    assert_eq!(kept, 512);
    let remembered = |vmid| {
        !store
            .freshness(&Feed::GuestAddresses(Vmid(vmid)).of(&prod()))
            .is_waiting()
    };
    assert!(
        !remembered(100) && remembered(699),
        "the records go with the details"
    );
}

#[test]
fn a_payload_of_another_feed_is_a_failure() {
    let mut store = store();
    store.apply(resources(100, inventory(1)));
    store.apply(read(110, Feed::Resources, Payload::Tasks(Vec::new())));
    assert_eq!(store.guests().count(), 1);
    let error = store.freshness(&Feed::Resources.of(&prod())).error.unwrap();
    assert_eq!(error.kind, FeedErrorKind::Malformed);
}

#[test]
fn tasks_end_with_an_event_and_logs_grow() {
    let mut store = store();
    let running = task(100, "vzdump", "100", TaskState::Running);
    let reference = TaskRef {
        cluster: prod(),
        upid: running.upid.clone(),
    };
    store.apply(read(110, Feed::Tasks, Payload::Tasks(vec![running.clone()])));
    let status = Feed::TaskStatus(running.upid.clone());
    let changes = store.apply(read(120, status, Payload::TaskStatus(TaskState::Ok)));
    assert_eq!(changes.finished_tasks, std::slice::from_ref(&reference));
    assert_eq!(store.task(&reference).unwrap().state, TaskState::Ok);
    assert!(store.task_log(&reference).is_none(), "no log was read yet");
    for (start, line) in [(0, "one"), (1, "two")] {
        let log = TaskLog {
            start,
            lines: vec![line.into()],
            total: start + 1,
        };
        store.apply(read(
            121,
            Feed::TaskLog(running.upid.clone()),
            Payload::TaskLog(log),
        ));
    }
    let lines: Vec<&str> = store.task_log(&reference).unwrap().lines().collect();
    assert_eq!(lines, ["one", "two"]);
}

#[test]
fn clocks_are_compared_at_the_moment_of_the_answer() {
    let mut store = store();
    store.apply(resources(100, inventory(1)));
    store.apply(read(
        200,
        Feed::NodeTime("pve1".into()),
        Payload::NodeTime(crate::domain::node::Clock {
            time: at(290),
            zone: None,
        }),
    ));
    let node = NodeRef {
        cluster: prod(),
        node: "pve1".into(),
    };
    assert_eq!(store.node_skew(&node).unwrap().as_secs(), 90);
}

#[test]
fn history_ends_with_its_guest() {
    let mut store = store();
    store.apply(resources(100, inventory(2)));
    let cpu: Vec<f32> = store
        .guest_history(&guest_ref(101))
        .unwrap()
        .cpu
        .samples()
        .flatten()
        .collect();
    assert_eq!(cpu, [0.1]);
    store.apply(resources(110, inventory(1)));
    assert!(store.guest_history(&guest_ref(101)).is_none());
}

/// Any outcome of any of some feeds.
fn outcome() -> impl Strategy<Value = (Feed, Option<Payload>)> {
    let status = ClusterStatus {
        quorate: Some(true),
        ..ClusterStatus::default()
    };
    prop_oneof![
        (0..40_u32).prop_map(|n| (Feed::Resources, Some(Payload::Resources(inventory(n))))),
        Just((Feed::Resources, None)),
        Just((Feed::ClusterStatus, Some(Payload::ClusterStatus(status)))),
        Just((Feed::ClusterStatus, None)),
        (0..5_i64, any::<bool>()).prop_map(|(start, over)| {
            let state = if over { TaskState::Ok } else { TaskState::Running };
            (
                Feed::Tasks,
                Some(Payload::Tasks(vec![task(start, "vzdump", "", state)])),
            )
        }),
        (100..140_u32).prop_map(|vmid| {
            let feed = Feed::GuestStatus(Vmid(vmid));
            (feed, Some(detail(GuestStatus::Paused)))
        }),
        (100..140_u32).prop_map(|vmid| (Feed::GuestStatus(Vmid(vmid)), None)),
        Just((
            Feed::Raw(ObjectRef::Cluster(prod())),
            Some(Payload::Raw("{}".into()))
        )),
    ]
}

proptest! {
    /// Whatever comes in whatever order: failures lose nothing, feeds do not touch each other, indices fit.
    #[test]
    fn nothing_is_lost(steps in prop::collection::vec((outcome(), 0..15_i64), 1..60)) {
        let mut store = store();
        let mut now = 1_000;
        let mut guests = 0;
        let mut read_status = false;
        for ((feed, payload), pause) in steps {
            now += pause;
            let failed = payload.is_none();
            if let Some(Payload::Resources(inventory)) = &payload {
                guests = inventory.guests.len();
            }
            read_status |= matches!(payload, Some(Payload::ClusterStatus(_)));
            let key = feed.clone().of(&prod());
            let before = store.freshness(&key).data_at;
            let revision = store.revision();
            let changes = match payload {
                Some(payload) => store.apply(read(now, feed, payload)),
                None => store.apply(failure(now, feed, FeedErrorKind::Unreachable)),
            };
            prop_assert_eq!(changes.visible(), store.revision() > revision);
            prop_assert_eq!(store.guests().count(), guests);
            prop_assert_eq!(store.cluster(&prod()).unwrap().status().is_some(), read_status);
            let freshness = store.freshness(&key);
            prop_assert_eq!(freshness.error.is_some(), failed);
            prop_assert_eq!(freshness.data_at, if failed { before } else { Some(at(now)) });
            for vmid in (100..).take(guests) {
                prop_assert_eq!(store.guest(&guest_ref(vmid)).map(|guest| guest.vmid.0), Some(vmid));
            }
            prop_assert_eq!(store.guest(&guest_ref(100 + guests as u32)), None);
            let mut over = false;
            for (_, task) in store.tasks() {
                over |= task.state.is_over();
            }
            prop_assert!(changes.finished_tasks.is_empty() || over);
        }
    }
}
