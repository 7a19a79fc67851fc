//! The pages of single objects, their logs and their raw JSON.

mod estate;

use jiff::tz::TimeZone;
use pvedeck::{
    actions::Id,
    domain::{GuestRef, NodeRef, ObjectRef, StorageRef, Vmid, task::TaskLog},
    plan::runs::Runs,
    screens::{Cx, Pane, Place, Reply, log::LogPane, object::ObjectPane, raw::RawPane},
    store::{Feed, FeedErrorKind, Payload},
    ui::Glyphs,
};
use rstest::rstest;

use estate::{UPID, World, at, full, guest_id, inventory, node_id, objects, storage_id, task_id};

const PLAIN: &str = "The web server of ACME.\nAsk alice@example.com before a reboot.";

fn hostile() -> String {
    format!(
        "\x1b]0;owned\x07\x1b[2J\u{202e}evil\r\n{}{}",
        "z\u{301}\u{301}\u{301}\u{301}\u{301}".repeat(50),
        "日本語 ".repeat(2_500)
    )
}

#[rstest]
#[case(80, 24)]
#[case(120, 40)]
#[case(200, 60)]
fn pages(#[case] width: u16, #[case] height: u16) {
    let world = full(PLAIN, "web-01");
    for (name, object) in objects() {
        let frame = world.frame(&mut ObjectPane::new(object), width, height);
        insta::assert_snapshot!(format!("{name}-{width}x{height}"), frame);
    }
}

#[test]
fn whole_pages() {
    let world = full(PLAIN, "web-01");
    for (name, object) in objects() {
        let frame = world.frame(&mut ObjectPane::new(object), 100, 130);
        insta::assert_snapshot!(format!("{name}-whole"), frame);
    }
}

#[test]
fn waiting() {
    for (name, object) in objects() {
        let frame = World::new().frame(&mut ObjectPane::new(object), 80, 24);
        insta::assert_snapshot!(format!("{name}-waiting"), frame);
    }
}

#[test]
fn errors_stand_beside_what_was_known() {
    let mut world = full(PLAIN, "web-01");
    let denied = "Permission check failed (/nodes/pve1, Sys.Audit)";
    for feed in [
        Feed::NodeServices("pve1".into()),
        Feed::NodeUpdates("pve1".into()),
        Feed::HaStatus,
        Feed::ClusterStatus,
        Feed::StorageContent("pve1".into(), "local".into()),
        Feed::GuestConfig(Vmid(104)),
    ] {
        world.fail(feed, FeedErrorKind::NotAllowed, denied);
    }
    let agent = "QEMU guest agent is not running";
    world.fail(
        Feed::GuestAddresses(Vmid(104)),
        FeedErrorKind::NotAvailable,
        agent,
    );
    world.fail(
        Feed::Resources,
        FeedErrorKind::Unreachable,
        "pve1: no route to host",
    );
    for (name, object) in objects() {
        let frame = world.frame(&mut ObjectPane::new(object), 80, 40);
        assert!(frame.contains("no route to host"), "{frame}");
        insta::assert_snapshot!(format!("{name}-errors"), frame);
    }
}

#[test]
fn hostile_text_stays_in_its_place() {
    let text = hostile();
    let world = full(&text, &text);
    for (name, object) in objects() {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let mut pane = ObjectPane::new(object.clone());
            let frame = world.frame(&mut pane, width, height);
            assert!(!frame.contains(['\x1b', '\x07', '\u{202e}']), "{frame}");
            for line in frame.lines() {
                assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= usize::from(width),
                    "{line}"
                );
            }
            if width == 80 {
                insta::assert_snapshot!(format!("{name}-hostile"), frame);
            }
        }
    }
}

#[test]
fn no_page_shows_a_password_or_a_key() {
    let world = full(PLAIN, "web-01");
    let frame = world.frame(&mut ObjectPane::new(ObjectRef::Guest(guest_id())), 100, 200);
    assert!(!frame.contains("****") && !frame.contains("AAAA"), "{frame}");
    assert!(frame.contains("2 keys") && frame.contains("set, not shown"));
}

#[test]
fn a_page_scrolls_and_finds() {
    let world = full(PLAIN, "web-01");
    let mut pane = ObjectPane::new(ObjectRef::Guest(guest_id()));
    let top = world.frame(&mut pane, 80, 12);
    assert_eq!(world.act(&mut pane, Id::TextLast), Reply::Done);
    let bottom = world.frame(&mut pane, 80, 12);
    assert!(bottom.contains("vzdump") && bottom != top, "{bottom}");
    pane.set_filter("vmbr0");
    let found = world.frame(&mut pane, 80, 12);
    assert!(
        found.contains("BC:24:11:CD:5E:3E") && !found.contains("ostype"),
        "{found}"
    );
    pane.set_filter("");
    assert_eq!(world.frame(&mut pane, 80, 12), top);
    assert!(matches!(
        world.act(&mut pane, Id::ObjectRaw),
        Reply::Go(Place::Raw(_))
    ));
    assert!(matches!(world.act(&mut pane, Id::ObjectLog), Reply::Say(..)));
}

fn interest(world: &World, object: ObjectRef) -> Vec<Feed> {
    let mut feeds = std::collections::BTreeSet::new();
    let cx = Cx {
        store: &world.0,
        runs: &Runs::new(),
        now: at(0),
        zone: &TimeZone::UTC,
        glyphs: &Glyphs::UNICODE,
    };
    ObjectPane::new(object).interest(&cx, &mut feeds);
    feeds.into_iter().map(|key| key.feed).collect()
}

#[test]
fn nothing_is_asked_of_a_node_that_is_offline() {
    let mut world = World::new();
    let mut known = inventory("web-01");
    known.guests[0].node = "pve2".into();
    world.ok(Feed::Resources, Payload::Resources(known));
    let node = ObjectRef::Node(NodeRef {
        node: "pve2".into(),
        ..node_id()
    });
    let storage = ObjectRef::Storage(StorageRef {
        node: "pve2".into(),
        storage: "ceph".into(),
        ..storage_id()
    });
    for object in [node, storage, ObjectRef::Guest(guest_id())] {
        let asked = interest(&world, object.clone());
        assert!(
            asked
                .iter()
                .all(|feed| feed.node().is_none() && feed.vmid().is_none()),
            "{asked:?}"
        );
        let frame = world.frame(&mut ObjectPane::new(object), 80, 60);
        assert!(frame.contains("offline"), "{frame}");
    }
}

#[test]
fn only_what_is_shown_is_asked_for() {
    let world = full(PLAIN, "web-01");
    let interest = |object: ObjectRef| interest(&world, object);
    let running = interest(ObjectRef::Guest(guest_id()));
    assert!(running.contains(&Feed::GuestAddresses(Vmid(104))));
    assert!(
        running
            .iter()
            .all(|feed| feed.vmid().is_none_or(|vmid| vmid == Vmid(104)))
    );
    let stopped = interest(ObjectRef::Guest(GuestRef {
        vmid: Vmid(210),
        ..guest_id()
    }));
    assert!(
        !stopped.contains(&Feed::GuestAddresses(Vmid(210))),
        "nobody could tell"
    );
    let storage = interest(ObjectRef::Storage(storage_id()));
    assert!(storage.contains(&Feed::StorageContent("pve1".into(), "local".into())));
    assert_eq!(storage.len(), 3, "{storage:?}");
}

#[test]
fn a_task_log_follows_and_tells_how_it_went() {
    let mut world = full("unable to find disk 'scsi1'", "web-01");
    let mut pane = LogPane::new(ObjectRef::Task(task_id()));
    insta::assert_snapshot!("log-failed", world.frame(&mut pane, 80, 12));
    world.ok(
        Feed::TaskLog(UPID.parse().unwrap()),
        Payload::TaskLog(TaskLog {
            start: 101,
            lines: vec!["one more".into()],
            total: 102,
        }),
    );
    assert!(world.frame(&mut pane, 80, 12).contains("one more"));
    assert_eq!(world.act(&mut pane, Id::TextUp), Reply::Done);
    assert!(!world.frame(&mut pane, 80, 12).contains("one more"));
    pane.set_filter("line 9");
    let found = world.frame(&mut pane, 80, 12);
    assert!(
        found.contains("11 of 102 lines") && found.contains("(line 95)"),
        "{found}"
    );
    assert!(!found.contains("(line 80)"));
}

#[test]
fn logs_wait_fail_and_stay_harmless() {
    let mut world = World::new();
    let mut pane = LogPane::new(ObjectRef::Node(node_id()));
    assert!(world.frame(&mut pane, 80, 12).contains("waiting"));
    let denied = "Permission check failed (/nodes/pve1, Sys.Syslog)";
    world.fail(Feed::NodeSyslog("pve1".into()), FeedErrorKind::NotAllowed, denied);
    assert!(world.frame(&mut pane, 80, 12).contains("Sys.Syslog"));
    let world = full(&hostile(), "web-01");
    for mut pane in [
        LogPane::new(ObjectRef::Node(node_id())),
        LogPane::new(ObjectRef::Task(task_id())),
    ] {
        let frame = world.frame(&mut pane, 80, 24);
        assert!(!frame.contains(['\x1b', '\x07', '\u{202e}']), "{frame}");
    }
}

#[test]
fn raw_json_is_readable() {
    let mut world = World::new();
    let object = ObjectRef::Guest(guest_id());
    let mut pane = RawPane::new(object.clone());
    assert!(world.frame(&mut pane, 60, 9).contains("waiting"));
    world.ok(
        Feed::Raw(object),
        Payload::Raw(r#"{"vmid":104,"name":"web\u001b[31m","nested":{"b":[1,2]}}"#.into()),
    );
    insta::assert_snapshot!("raw", world.frame(&mut pane, 60, 14));
}
