//! From a key to a run, without a server: what is asked, what is run, and what is read again.

use std::collections::BTreeSet;

use pvedeck::{
    app::{Effect, Event, Mouse},
    domain::{GuestDetail, GuestStatus, Upid, Vmid},
    plan::{
        Plan,
        runner::{News, Outcome},
        runs::Told,
    },
    store::{Feed, FeedErrorKind, Payload},
};

use crate::{stage::Stage, support::estate};

/// A console that may write, on an estate of which 100 is a stopped container and 101 a running machine.
fn writing() -> Stage {
    let mut stage = Stage::writing(&["prod"], &["prod"], (140, 40));
    let mut inventory = estate::inventory(20);
    for guest in &mut inventory.guests {
        guest.tags.clear();
    }
    stage.resources("prod", inventory);
    stage.effects.clear();
    stage
}

fn status(stage: &mut Stage, vmid: u32, status: GuestStatus) {
    let detail = GuestDetail {
        status: Some(status),
        ..GuestDetail::default()
    };
    stage.read(
        "prod",
        Feed::GuestStatus(Vmid(vmid)),
        Payload::GuestStatus(Box::new(detail)),
    );
}

/// The plans that were ordered to be run, each with its ticket.
fn ordered(stage: &Stage) -> Vec<(u64, Plan)> {
    let runs = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Run { ticket, plan, .. } => Some((*ticket, (**plan).clone())),
        _ => None,
    });
    runs.collect()
}

fn refreshed(stage: &Stage) -> BTreeSet<Feed> {
    let feeds = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Refresh(keys) => Some(keys.iter().map(|key| key.feed.clone())),
        _ => None,
    });
    feeds.flatten().collect()
}

fn upid(kind: &str, vmid: u32) -> Upid {
    format!("UPID:pve2:000002CE:000041E6:6B0135DE:{kind}:{vmid}:alice@pam:")
        .parse()
        .unwrap()
}

fn calls(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.call.to_string()).collect()
}

#[test]
fn two_keys_and_a_yes_shut_a_guest_down() {
    let mut stage = writing();
    stage.keys("down s");
    assert!(stage.shows("101 db-00001"), "{}", stage.text());
    stage.keys("d");
    let text = stage.text();
    assert!(text.contains("Plan: Shut down 101 db-00001"), "{text}");
    assert!(
        text.contains("still reading: permissions, status of 101"),
        "{text}"
    );
    assert!(
        refreshed(&stage).is_superset(&BTreeSet::from([Feed::Permissions, Feed::GuestStatus(Vmid(101))]))
    );
    // What the plan has to know is not there yet.
    stage.keys("y enter");
    assert_eq!(ordered(&stage), []);
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    assert!(!stage.shows("still reading"), "{}", stage.text());
    stage.keys("y");
    let runs = ordered(&stage);
    assert_eq!(calls(&runs[0].1), ["POST /nodes/pve2/qemu/101/status/shutdown"]);
}

#[test]
fn what_disturbs_nobody_runs_at_once_and_says_what() {
    let mut stage = writing();
    stage.keys("s s");
    assert_eq!(ordered(&stage), [], "its state is not read yet");
    stage.allow();
    status(&mut stage, 100, GuestStatus::Stopped);
    let runs = ordered(&stage);
    assert_eq!(calls(&runs[0].1), ["POST /nodes/pve1/lxc/100/status/start"]);
    assert!(
        stage.shows("POST /nodes/pve1/lxc/100/status/start"),
        "{}",
        stage.text()
    );
}

/// Both guests stand still, and everything is read.
fn two_stopped(stage: &mut Stage) {
    stage.allow();
    for vmid in [100, 105] {
        status(stage, vmid, GuestStatus::Stopped);
    }
}

#[test]
fn a_yes_before_everything_is_read_counts_for_a_harmless_plan() {
    let mut stage = writing();
    stage.keys("space down down down down space s s");
    assert!(stage.shows("Plan: Start 2 guests"), "{}", stage.text());
    assert!(stage.shows("still reading"), "{}", stage.text());
    stage.keys("enter");
    assert_eq!(ordered(&stage), []);
    two_stopped(&mut stage);
    let runs = ordered(&stage);
    assert_eq!((runs.len(), calls(&runs[0].1).len()), (1, 2));
    assert!(!stage.shows("Plan: Start"), "{}", stage.text());
}

#[test]
fn a_yes_that_came_too_early_counts_for_no_other_plan() {
    let mut stage = writing();
    stage.keys("space down down down down space s s enter");
    stage.allow();
    status(&mut stage, 100, GuestStatus::Stopped);
    // It runs by now: the plan is another one than the one that was on the screen.
    status(&mut stage, 105, GuestStatus::Running);
    assert_eq!(ordered(&stage), []);
    assert!(stage.shows("Plan: Start"), "{}", stage.text());
    // What asks y/N is asked again, however early somebody said yes.
    let mut stage = writing();
    stage.keys("down s d enter y");
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    assert_eq!(ordered(&stage), []);
    assert!(stage.shows("Plan: Shut down"), "{}", stage.text());
}

#[test]
fn what_has_no_snapshots_offers_none() {
    let mut stage = writing();
    stage.allow();
    stage.keys("down s");
    assert!(!stage.shows("has no snapshots"), "{}", stage.text());
    stage.read(
        "prod",
        Feed::GuestSnapshots(Vmid(101)),
        Payload::GuestSnapshots(Vec::new()),
    );
    assert!(stage.shows("has no snapshots"), "{}", stage.text());
    stage.keys("b");
    assert!(!stage.shows("Roll back to snapshot 101"), "{}", stage.text());
    assert!(stage.shows("101 db-00001"), "the menu stays: {}", stage.text());
    // What was read long ago is not known.
    stage.pass(300);
    assert!(!stage.shows("has no snapshots"), "{}", stage.text());
}

#[test]
fn escape_anywhere_does_nothing() {
    for keys in ["s", "s d", "s m", "s n", "s b", "s m enter", ": esc s d"] {
        let mut stage = writing();
        stage.allow();
        status(&mut stage, 101, GuestStatus::Running);
        stage.keys("down");
        stage.keys(keys);
        stage.keys("esc esc esc");
        assert_eq!(ordered(&stage), [], "{keys}");
    }
}

#[test]
fn a_read_only_cluster_says_so_and_nothing_is_begun() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.allow();
    stage.keys("down s");
    assert!(stage.shows("prod is read-only"), "{}", stage.text());
    stage.keys("d y enter x s");
    assert_eq!(ordered(&stage), []);
}

#[test]
fn a_wrong_word_destroys_nothing() {
    let mut stage = writing();
    stage.allow();
    stage.keys("down s k");
    stage.read(
        "prod",
        Feed::GuestSnapshots(Vmid(101)),
        Payload::GuestSnapshots(vec![snapshot("before")]),
    );
    assert!(stage.shows("before"), "{}", stage.text());
    stage.keys("enter");
    stage.rest_fails();
    assert!(stage.shows("type db-00001 to go on"), "{}", stage.text());
    stage.keys("enter");
    stage.type_in("db-0000");
    stage.keys("enter");
    assert!(
        stage.shows("that is not what has to be typed"),
        "{}",
        stage.text()
    );
    stage.keys("y n");
    assert_eq!(ordered(&stage), []);
    stage.keys("backspace backspace 1 enter");
    let runs = ordered(&stage);
    assert_eq!(calls(&runs[0].1), ["DELETE /nodes/pve2/qemu/101/snapshot/before"]);
}

fn snapshot(name: &str) -> pvedeck::domain::guest::Snapshot {
    pvedeck::domain::guest::Snapshot {
        name: name.into(),
        parent: None,
        time: None,
        with_ram: false,
        description: "".into(),
    }
}

#[test]
fn a_migration_asks_for_a_node_and_offers_the_emptiest() {
    let mut stage = writing();
    stage.keys("down s m");
    let text = stage.text();
    assert!(text.contains("Migrate 101 db-00001"), "{text}");
    assert!(text.contains("pve1") && text.contains("memory free"), "{text}");
    stage.keys("down enter");
    stage.allow();
    stage.fails(
        "prod",
        Feed::GuestConfig(Vmid(101)),
        FeedErrorKind::NotAllowed,
        "no VM.Audit",
    );
    stage.rest_fails();
    // What cannot be read is said and holds nothing up.
    assert!(
        stage.shows("not known: configuration of 101: no VM.Audit"),
        "{}",
        stage.text()
    );
    stage.keys("enter");
    let runs = ordered(&stage);
    assert_eq!(
        calls(&runs[0].1),
        ["POST /nodes/pve2/qemu/101/migrate target=pve3 online=1"]
    );
}

#[test]
fn a_value_that_does_not_fit_says_why() {
    let mut stage = writing();
    stage.keys("down s n");
    stage.keys("ctrl-u");
    stage.type_in("7up");
    let text = stage.text();
    assert!(text.contains("begins with a letter"), "{text}");
    stage.keys("enter");
    assert_eq!(ordered(&stage), []);
    stage.keys("ctrl-u");
    stage.type_in("before-up");
    stage.keys("enter");
    stage.allow();
    stage.read(
        "prod",
        Feed::GuestSnapshots(Vmid(101)),
        Payload::GuestSnapshots(Vec::new()),
    );
    stage.rest_fails();
    let runs = ordered(&stage);
    assert_eq!(
        calls(&runs[0].1),
        ["POST /nodes/pve2/qemu/101/snapshot snapname=before-up"]
    );
}

#[test]
fn marks_are_one_target_and_how_many_at_once_is_asked() {
    let mut stage = writing();
    stage.allow();
    stage.keys("space space space s");
    assert!(stage.shows("3 marked guests"), "{}", stage.text());
    stage.keys("d");
    for (vmid, is) in [
        (100, GuestStatus::Stopped),
        (101, GuestStatus::Running),
        (102, GuestStatus::Running),
    ] {
        status(&mut stage, vmid, is);
    }
    let text = stage.text();
    assert!(text.contains("2 steps"), "{text}");
    assert!(text.contains("left out: 100 web-00000 is stopped"), "{text}");
    stage.keys("+ + f enter");
    let options = stage.effects.iter().find_map(|effect| match effect {
        Effect::Run { options, .. } => Some(*options),
        _ => None,
    });
    let Some(options) = options else {
        panic!("{}", stage.text())
    };
    assert_eq!((options.at_once, options.go_on), (3, true));
}

#[test]
fn a_step_shows_in_the_row_and_its_end_is_read_at_once() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    stage.keys("down s d y");
    let (ticket, _) = ordered(&stage)[0].clone();
    stage.effects.clear();
    stage.event(Event::RunTold(ticket, Told::Begun(7)));
    stage.event(Event::RunTold(
        ticket,
        Told::Step(0, News::Began(upid("qmshutdown", 101))),
    ));
    let row = |stage: &mut Stage| {
        let text = stage.text();
        text.lines()
            .find(|line| line.contains("101 db-00001"))
            .unwrap()
            .to_owned()
    };
    assert!(row(&mut stage).contains("▶ shut"), "{}", row(&mut stage));
    assert!(stage.shows("1 run"), "{}", stage.text());
    stage.effects.clear();
    let done = Outcome::Done("OK".to_owned());
    stage.event(Event::RunTold(ticket, Told::Step(0, News::Over(done.clone()))));
    let wanted = BTreeSet::from([Feed::Resources, Feed::Tasks, Feed::GuestStatus(Vmid(101))]);
    assert!(refreshed(&stage).is_superset(&wanted), "{:?}", stage.effects);
    assert!(stage.watches("prod", Feed::GuestStatus(Vmid(101))));
    stage.event(Event::RunTold(ticket, Told::Ended(vec![done])));
    status(&mut stage, 101, GuestStatus::Stopped);
    assert!(row(&mut stage).contains("stopped"), "{}", row(&mut stage));
    assert!(stage.shows("done; u takes it back (start)"), "{}", stage.text());
    // The inventory may be one round of pvestatd behind: the row does not flap.
    stage.pass(3);
    let mut old = estate::inventory(20);
    old.guests.iter_mut().for_each(|guest| guest.tags.clear());
    stage.resources("prod", old);
    assert!(row(&mut stage).contains("stopped"), "{}", row(&mut stage));
    // After a while nobody looks at it any more.
    stage.pass(20);
    assert!(!stage.watches("prod", Feed::GuestStatus(Vmid(101))));
}

#[test]
fn the_last_run_is_taken_back_once() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 100, GuestStatus::Stopped);
    stage.keys("u");
    assert!(stage.shows("nothing was done from here"), "{}", stage.text());
    stage.keys("s s");
    let (ticket, _) = ordered(&stage)[0].clone();
    stage.event(Event::RunTold(
        ticket,
        Told::Ended(vec![Outcome::Done("OK".to_owned())]),
    ));
    stage.pass(4);
    status(&mut stage, 100, GuestStatus::Running);
    stage.keys("u");
    assert!(stage.shows("Plan: Shut down 100 web-00000"), "{}", stage.text());
    stage.keys("y");
    assert_eq!(ordered(&stage).len(), 2);
}

#[test]
fn a_failure_stays_to_be_read() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    stage.keys("down s d y");
    let (ticket, _) = ordered(&stage)[0].clone();
    let failed = Outcome::Failed("VM quit/powerdown failed - got timeout".to_owned());
    stage.event(Event::RunTold(ticket, Told::Ended(vec![failed])));
    assert!(
        stage.shows("failed: VM quit/powerdown failed - got timeout"),
        "{}",
        stage.text()
    );
    stage.keys(":");
    stage.type_in("runs");
    stage.keys("enter");
    assert!(stage.shows("✗ failed"), "{}", stage.text());
    stage.keys("enter");
    let text = stage.text();
    assert!(
        text.contains("POST /nodes/pve2/qemu/101/status/shutdown"),
        "{text}"
    );
    assert!(text.contains("got timeout"), "{text}");
}

#[test]
fn quitting_asks_while_something_runs() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 100, GuestStatus::Stopped);
    stage.keys("s s q");
    assert!(stage.shows("1 run is under way"), "{}", stage.text());
    assert!(!stage.has_quit());
    stage.keys("esc q q");
    assert!(stage.has_quit());
}

#[test]
fn a_deed_is_not_begun_twice() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    stage.keys("down s d y");
    let (ticket, _) = ordered(&stage)[0].clone();
    stage.event(Event::RunTold(ticket, Told::Step(0, News::Sending)));
    stage.keys("s d");
    assert!(stage.shows("is under way already"), "{}", stage.text());
    stage.keys("y");
    assert_eq!(ordered(&stage).len(), 1);
}

#[test]
fn the_mouse_opens_the_menu_and_chooses() {
    let mut stage = writing();
    stage.allow();
    status(&mut stage, 101, GuestStatus::Running);
    let text = stage.text();
    let at = |text: &str, what: &str| {
        let (y, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(what))
            .unwrap();
        let x = line[..line.find(what).unwrap()].chars().count();
        (x as u16, y as u16)
    };
    let (x, y) = at(&text, "db-00001");
    stage.event(Event::MouseUsed(Mouse::RightClick, x, y));
    let text = stage.text();
    let (x, y) = at(&text, "d Shut down");
    stage.event(Event::MouseUsed(Mouse::Click, x, y));
    assert!(stage.shows("Plan: Shut down 101 db-00001"), "{}", stage.text());
}

#[test]
fn whatever_is_typed_a_read_only_console_begins_nothing() {
    let keys = [
        "s",
        "d",
        "x",
        "r",
        "m",
        "n",
        "b",
        "k",
        "y",
        "u",
        "e",
        "f",
        "+",
        "-",
        "enter",
        "enter",
        "tab",
        "esc",
        "up",
        "down",
        "space",
        "*",
        "1",
        "2",
        "4",
        "z",
        ":",
        "o",
        "/",
        "backspace",
        "ctrl-u",
        "home",
    ];
    let lines = [
        "shut 10",
        "start 10",
        "snap 103 before",
        "migrate 101 pve1",
        "runs",
        "stop db",
        "guest.reset 1",
    ];
    let begins = |effect: &Effect| {
        matches!(
            effect,
            Effect::Run { .. } | Effect::ContinueRun { .. } | Effect::DropRun(_)
        )
    };
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut closed = Stage::live(estate::inventory(20));
        let mut open = writing();
        for stage in [&mut closed, &mut open] {
            stage.allow();
        }
        for _ in 0..700 {
            let vmid = random.u32(100..120);
            let line = lines[random.usize(..lines.len())];
            let key = keys[random.usize(..keys.len())];
            let types = random.u8(..12) == 0;
            for stage in [&mut closed, &mut open] {
                if types {
                    stage.keys(":");
                    stage.type_in(line);
                    stage.keys("enter");
                }
                stage.keys(key);
                status(stage, vmid, GuestStatus::Running);
            }
        }
        assert!(!closed.effects.iter().any(begins), "seed {seed}");
        // The same keys do begin something where that is allowed.
        assert!(open.effects.iter().any(begins), "seed {seed}");
    }
}
