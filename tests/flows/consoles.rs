//! Consoles: whose keys are whose, what is shown, what is left behind, and what a hostile guest can do.

use pvedeck::{
    app::{ConsoleEvent, ConsoleOrder, Effect, Event, Mouse},
    domain::{Console, GuestKind, GuestRef, GuestStatus, NodeRef, ObjectRef, Vmid, config::GuestConfig},
    screens::Place,
    store::{Feed, FeedErrorKind, Payload},
};

use crate::{stage::Stage, support::estate};

/// A console on a cluster that may be written to.
fn stage() -> Stage {
    let mut stage = Stage::writing(&["prod"], &["prod"], (100, 30));
    stage.resources("prod", estate::inventory(20));
    stage
}

/// With the shell of a node open, and its session.
fn shell() -> (Stage, u64) {
    let mut stage = stage();
    stage.keys("1 c");
    let session = opened(&stage).last().unwrap().0;
    stage.event(Event::ConsoleHeard(session, ConsoleEvent::Opened));
    stage.effects.clear();
    (stage, session)
}

/// What was ordered of sessions.
fn orders(stage: &Stage) -> Vec<(u64, ConsoleOrder)> {
    stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Console(session, order) => Some((*session, order.clone())),
            _ => None,
        })
        .collect()
}

fn opened(stage: &Stage) -> Vec<(u64, Console, (u16, u16))> {
    orders(stage)
        .into_iter()
        .filter_map(|(session, order)| match order {
            ConsoleOrder::Open { console, size, .. } => Some((session, console, size)),
            _ => None,
        })
        .collect()
}

/// Everything that was typed.
fn typed(stage: &Stage) -> String {
    let all = orders(stage).into_iter().filter_map(|(_, order)| match order {
        ConsoleOrder::Type(bytes) => Some(bytes),
        _ => None,
    });
    String::from_utf8(all.flatten().collect()).unwrap()
}

fn writes(stage: &mut Stage, session: u64, text: &str) {
    stage.event(Event::ConsoleHeard(
        session,
        ConsoleEvent::Wrote(text.as_bytes().to_vec()),
    ));
}

#[test]
fn a_console_is_opened_for_what_is_selected_with_the_size_of_the_pane() {
    let mut stage = stage();
    stage.keys("1 c");
    let [(_, console, size)] = opened(&stage).try_into().unwrap();
    assert_eq!(console, Console::Node("pve1".into()));
    assert_eq!(size, (98, 26));
    assert!(stage.shows("console of"), "{}", stage.text());
    assert!(stage.shows("opening") && stage.shows("ctrl-] leaves it"));
    // Leaving it and asking again comes back to the same.
    stage.keys("ctrl-] c");
    assert_eq!(opened(&stage).len(), 1);
    assert!(matches!(stage.app.place(), Place::Console(_)));
}

#[test]
fn all_keys_are_the_guests_but_those_of_the_keymap() {
    let (mut stage, session) = shell();
    stage.type_in("q:/?");
    stage.keys("esc ctrl-c tab up alt-b f1");
    assert_eq!(typed(&stage), "q:/?\x1b\x03\t\x1b[A\x1bb\x1bOP");
    writes(&mut stage, session, "\x1b[?1h");
    stage.effects.clear();
    stage.keys("up");
    assert_eq!(typed(&stage), "\x1bOA");
    assert!(!stage.has_quit());
    stage.keys("ctrl-]");
    assert!(!matches!(stage.app.place(), Place::Console(_)));
    stage.effects.clear();
    stage.keys("down");
    assert_eq!(typed(&stage), "", "outside, keys are ours again");
}

#[test]
fn pasted_text_goes_in_as_the_program_wants_it() {
    let (mut stage, session) = shell();
    stage.event(Event::Pasted("ls\nexit\n".to_owned()));
    assert_eq!(typed(&stage), "ls\rexit\r");
    writes(&mut stage, session, "\x1b[?2004h");
    stage.effects.clear();
    stage.event(Event::Pasted("a\x1b[201~b".to_owned()));
    assert_eq!(typed(&stage), "\x1b[200~a[201~b\x1b[201~");
}

#[test]
fn a_new_size_of_the_terminal_is_told() {
    let (mut stage, session) = shell();
    stage.event(Event::Resized(80, 24));
    assert_eq!(orders(&stage), [(session, ConsoleOrder::Resize(78, 20))]);
    // Also while one is elsewhere: whoever comes back finds it right.
    stage.keys("ctrl-]");
    stage.event(Event::Resized(120, 40));
    assert_eq!(
        orders(&stage).last(),
        Some(&(session, ConsoleOrder::Resize(118, 36)))
    );
}

#[test]
fn what_a_guest_writes_is_cells_and_nothing_else() {
    let (mut stage, session) = shell();
    writes(
        &mut stage,
        session,
        "plain \x1b[31mred\x1b[0m \x1b]0;evil title\x07\x1b]52;c;ZXZpbA==\x07\u{202e}rtl 日本\u{200b}\u{fffd}\x07",
    );
    // `frame` fails on every harmful character.
    let text = stage.text();
    assert!(text.contains("plain red") && text.contains('日'), "{text}");
    assert!(!text.contains("evil"), "{text}");
    assert!(
        stage
            .effects
            .iter()
            .all(|effect| !matches!(effect, Effect::Copy(_)))
    );
    let frame = stage.frame();
    let red = frame
        .content
        .iter()
        .find(|cell| cell.fg == ratatui::style::Color::Red);
    assert_eq!(red.map(ratatui::buffer::Cell::symbol), Some("r"));
    // What a program asks of its terminal is answered.
    stage.effects.clear();
    writes(&mut stage, session, "\r\n\x1b[6n");
    assert_eq!(typed(&stage), "\x1b[2;1R");
}

#[test]
fn what_scrolled_away_can_be_read_until_one_types() {
    let (mut stage, session) = shell();
    for line in 0..100 {
        writes(&mut stage, session, &format!("line-{line}\r\n"));
    }
    assert!(stage.shows("line-99") && !stage.shows("line-50"));
    stage.keys("shift-pageup shift-pageup");
    assert!(
        stage.shows("line-50 ") && stage.shows("lines up"),
        "{}",
        stage.text()
    );
    stage.event(Event::MouseUsed(Mouse::WheelUp, 20, 10));
    assert!(stage.shows("53 lines up"), "{}", stage.text());
    assert_eq!(typed(&stage), "", "neither is the guest's");
    stage.type_in("x");
    assert!(stage.shows("line-99"));
}

#[test]
fn the_end_is_said_and_c_opens_it_again() {
    let (mut stage, session) = shell();
    writes(&mut stage, session, "logout");
    stage.event(Event::ConsoleHeard(session, ConsoleEvent::Ended(None)));
    assert!(stage.shows("logout") && stage.shows("ended") && stage.shows("c opens it again"));
    stage.effects.clear();
    stage.keys("c");
    let [(again, _, _)] = opened(&stage).try_into().unwrap();
    assert_ne!(again, session);
    // What is still heard of the old one means nothing.
    writes(&mut stage, session, "ghost");
    assert!(!stage.shows("ghost"));
    let why = "not allowed: Permission check failed (/nodes/pve1, Sys.Console)".to_owned();
    stage.event(Event::ConsoleHeard(again, ConsoleEvent::Ended(Some(why))));
    assert!(stage.shows("Sys.Console"), "{}", stage.text());
    stage.keys("esc");
    assert!(!matches!(stage.app.place(), Place::Console(_)));
}

#[test]
fn where_nothing_may_be_written_there_is_no_console() {
    let mut stage = Stage::writing(&["prod", "lab"], &["lab"], (100, 30));
    stage.resources("prod", estate::inventory(20));
    stage.keys("1 c");
    assert!(opened(&stage).is_empty());
    assert!(stage.shows("Console: read-only"), "{}", stage.text());
}

#[test]
fn a_stopped_guest_and_a_template_have_none_and_say_so() {
    let mut stage = stage();
    let stopped = stage
        .app
        .store()
        .guests()
        .find(|(_, guest)| guest.status == pvedeck::domain::GuestStatus::Stopped)
        .map(|(_, guest)| guest.vmid)
        .unwrap();
    stage.keys("2 /");
    stage.type_in(&stopped.to_string());
    stage.keys("enter c");
    assert!(opened(&stage).is_empty());
    assert!(stage.shows("the guest is stopped"), "{}", stage.text());
}

#[test]
fn a_recording_is_switched_and_shown() {
    let (mut stage, session) = shell();
    writes(&mut stage, session, "before");
    stage.keys("ctrl-alt-r");
    let Some((_, ConsoleOrder::Record { size, state, .. })) = orders(&stage).pop() else {
        panic!("nothing is recorded")
    };
    assert_eq!(size, (98, 26));
    assert!(
        String::from_utf8_lossy(&state).contains("before"),
        "it begins with what is there"
    );
    assert!(!stage.shows("● rec"), "not before the file is there");
    stage.event(Event::ConsoleHeard(
        session,
        ConsoleEvent::Recording("/x/y.cast".into()),
    ));
    assert!(
        stage.shows("● rec") && stage.shows("/x/y.cast"),
        "{}",
        stage.text()
    );
    stage.effects.clear();
    stage.keys("ctrl-alt-r");
    assert_eq!(orders(&stage), [(session, ConsoleOrder::EndRecord)]);
    stage.event(Event::ConsoleHeard(session, ConsoleEvent::Recorded(None)));
    assert!(!stage.shows("● rec"));
}

#[test]
fn the_number_of_open_consoles_is_bounded() {
    let mut stage = stage();
    stage.keys("2");
    for _ in 0..40 {
        stage.keys("c");
        if matches!(stage.app.place(), Place::Console(_)) {
            stage.keys("ctrl-]");
        }
        stage.keys("down");
    }
    assert!(stage.shows("8 are open already"), "{}", stage.text());
    // Nobody tells of the serial lines: then the server chooses.
    stage.pass(11);
    assert_eq!(opened(&stage).len(), 8);
    // One that is closed makes room.
    stage.keys("home");
    for _ in 0..40 {
        stage.keys("c");
        if matches!(stage.app.place(), Place::Console(_)) {
            break;
        }
        stage.keys("down");
    }
    stage.keys("ctrl-alt-x");
    let closed = orders(&stage).pop().unwrap();
    assert_eq!(closed, (closed.0, ConsoleOrder::Close));
    assert!(!matches!(stage.app.place(), Place::Console(_)));
    stage.keys("c");
    stage.pass(11);
    assert_eq!(opened(&stage).len(), 9);
}

#[test]
fn a_lost_cluster_does_not_take_an_open_console_away() {
    let (mut stage, session) = shell();
    stage.fails(
        "prod",
        Feed::Resources,
        FeedErrorKind::Unreachable,
        "no route to host",
    );
    writes(&mut stage, session, "still here");
    assert!(stage.shows("still here"));
    let node = ObjectRef::Node(NodeRef {
        cluster: "prod".into(),
        node: "pve1".into(),
    });
    assert_eq!(*stage.app.place(), Place::Console(node));
    let guest = ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(100),
    });
    assert_ne!(*stage.app.place(), Place::Console(guest));
}

/// Asks for the console of a running machine, whose configuration then has these lines.
fn machine(lines: &[(&str, &str)]) -> Stage {
    let mut stage = stage();
    let is = |guest: &&pvedeck::domain::Guest| {
        guest.kind == GuestKind::Qemu && guest.status == GuestStatus::Running && !guest.template
    };
    let found = stage.app.store().guests().map(|(_, guest)| guest).find(is);
    let vmid = found.map(|guest| guest.vmid).unwrap();
    stage.keys("2 /");
    stage.type_in(&vmid.to_string());
    stage.keys("enter c");
    assert!(opened(&stage).is_empty(), "not before it is known which");
    // What is typed meanwhile is the guest's.
    stage.type_in("root");
    stage.keys("enter");
    let config = GuestConfig {
        entries: lines.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        digest: None,
    };
    stage.read("prod", Feed::GuestConfig(vmid), Payload::GuestConfig(config));
    stage
}

fn line_of(console: &Console) -> Option<u8> {
    match console {
        Console::Guest { serial, .. } => *serial,
        Console::Node(_) => panic!("{console}"),
    }
}

#[test]
fn a_machine_with_one_line_is_opened_and_gets_what_was_typed() {
    let mut stage = machine(&[("serial0", "/dev/ttyS1"), ("serial2", "socket")]);
    let [(session, console, _)] = opened(&stage).try_into().unwrap();
    assert_eq!(line_of(&console), None, "the server finds it");
    assert_eq!(typed(&stage), "");
    assert!(stage.shows("what is typed is kept"), "{}", stage.text());
    stage.event(Event::ConsoleHeard(session, ConsoleEvent::Opened));
    assert_eq!(typed(&stage), "root\r");
    stage.type_in("x");
    assert_eq!(typed(&stage), "root\rx");
}

#[test]
fn of_several_lines_one_is_chosen() {
    let mut stage = machine(&[("serial0", "socket"), ("serial1", "socket")]);
    assert!(
        opened(&stage).is_empty() && stage.shows("several serial lines"),
        "{}",
        stage.text()
    );
    stage.keys("1");
    let [(session, console, _)] = opened(&stage).try_into().unwrap();
    assert_eq!(line_of(&console), Some(1));
    stage.event(Event::ConsoleHeard(session, ConsoleEvent::Opened));
    assert_eq!(typed(&stage), "root\r", "the answer is not part of it");
    let mut stage = machine(&[("serial0", "socket"), ("serial1", "socket")]);
    stage.keys("esc");
    assert!(opened(&stage).is_empty() && !matches!(stage.app.place(), Place::Console(_)));
    stage.pass(20);
    assert!(opened(&stage).is_empty());
}

#[test]
fn a_machine_without_a_line_says_how_to_get_one() {
    let mut stage = machine(&[("vga", "std")]);
    assert!(opened(&stage).is_empty());
    assert!(stage.shows("--serial0 socket"), "{}", stage.text());
}

#[test]
fn what_is_kept_has_a_bound_and_is_thrown_away_if_nothing_opens() {
    let mut stage = stage();
    stage.keys("1 c");
    let session = opened(&stage).last().unwrap().0;
    stage.event(Event::Pasted("a".repeat(4000)));
    stage.event(Event::Pasted("b".repeat(4000)));
    assert!(stage.shows("no more is kept"), "{}", stage.text());
    assert_eq!(typed(&stage), "");
    stage.event(Event::ConsoleHeard(
        session,
        ConsoleEvent::Refused(FeedErrorKind::NotAllowed, "Permission check failed".into()),
    ));
    assert!(
        stage.shows("nothing was sent of what was typed"),
        "{}",
        stage.text()
    );
    stage.keys("c");
    let again = opened(&stage).last().unwrap().0;
    stage.event(Event::ConsoleHeard(again, ConsoleEvent::Opened));
    assert_eq!(typed(&stage), "");
}
