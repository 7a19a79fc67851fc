//! Consoles of the demo in the real binary, in a pseudo-terminal.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::support::terminal::{ENTER, Launch, Terminal};

const DETACH: &str = "\x1d";
const RECORD: &str = "\x1b\x12";

/// The console of the demo on a small datacentre, wide.
fn demo() -> Terminal {
    let mut terminal = Launch::pvedeck()
        .arg("demo")
        .arg("--nodes")
        .arg("1")
        .arg("--guests")
        .arg("4")
        .size(120, 40)
        .start();
    terminal.wait_for("read-write");
    // Both clusters: what is selected must not depend on which one answers first.
    terminal.wait_for("pve1");
    terminal.wait_for("lab1");
    terminal
}

/// Signed in at the shell of the first node of the list.
fn shell() -> Terminal {
    let mut terminal = demo();
    terminal.send("1");
    terminal.send("c");
    terminal.wait_for("1 login:");
    terminal.send("root\r");
    terminal.wait_for("Password:");
    terminal.send("demo\r");
    terminal.wait_for("1:~#");
    terminal
}

fn run(terminal: &mut Terminal, command: &str) {
    terminal.send(command);
    terminal.send(ENTER);
}

fn leave(terminal: &mut Terminal) {
    terminal.send(DETACH);
    terminal.wait_for("palette");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
}

/// The files below a directory.
fn below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn a_shell_is_typed_into_resized_left_and_come_back_to() {
    let mut terminal = shell();
    run(&mut terminal, "uname -a");
    terminal.wait_for("PREEMPT_DYNAMIC x86_64");
    run(&mut terminal, "stty size");
    terminal.wait_for("36 118");
    terminal.resize(100, 30);
    terminal.wait_until("the frame of the new size", |text| {
        text.lines()
            .nth(1)
            .is_some_and(|line| line.trim_end().ends_with('┐'))
    });
    run(&mut terminal, "stty size");
    terminal.wait_for("26 98");
    terminal.send(DETACH);
    terminal.wait_for("comes back");
    terminal.wait_until("the deck", |text| {
        text.contains("palette") && !text.contains("26 98")
    });
    // It went on meanwhile: what it showed is still there.
    terminal.send("c");
    terminal.wait_for("26 98");
    run(&mut terminal, "exit");
    terminal.wait_for("opens it again");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
}

#[test]
fn what_a_guest_writes_never_reaches_the_terminal_raw() {
    let mut terminal = shell();
    run(
        &mut terminal,
        "printf '\\033]0;evil\\007\\033]52;c;ZXZpbA==\\007\\033[?1000hdone\\n'",
    );
    terminal.wait_for("done");
    run(&mut terminal, "top");
    terminal.wait_for("118x36");
    terminal.send("q");
    run(&mut terminal, "colors");
    terminal.wait_for("italic");
    leave(&mut terminal);
    let raw = terminal.received();
    let has = |what: &[u8]| raw.windows(what.len()).any(|window| window == what);
    assert!(!has(b"\x1b]0;evil") && !has(b"\x1b]52;"));
    assert!(terminal.clipboard().is_empty());
}

#[test]
fn a_flood_leaves_the_keys_alive() {
    let mut terminal = shell();
    run(&mut terminal, "yes flooded");
    terminal.wait_for("flooded");
    terminal.send("\x03");
    terminal.wait_for("^C");
    run(&mut terminal, "yes again");
    terminal.wait_for("again");
    // Leaving works in the middle of it, and so does everything else.
    terminal.send(DETACH);
    terminal.wait_for("comes back");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn a_recording_plays_back_what_was_shown() {
    let mut terminal = shell();
    terminal.send(RECORD);
    terminal.wait_for("● rec");
    run(&mut terminal, "echo on-the-record");
    terminal.wait_until("the answer", |text| text.matches("on-the-record").count() >= 2);
    terminal.send(RECORD);
    terminal.wait_until("the end of the recording", |text| !text.contains("● rec"));
    let files: Vec<PathBuf> = below(&terminal.home())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "cast"))
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let head = lines.next().unwrap();
    assert_eq!(
        (&head["version"], &head["width"], &head["height"]),
        (&2.into(), &118.into(), &36.into())
    );
    // Played into another terminal, it shows what was shown.
    let mut player = vt100::Parser::new(36, 118, 0);
    for event in lines {
        assert_eq!(event[1], "o");
        player.process(event[2].as_str().unwrap().as_bytes());
    }
    let shown = player.screen().contents();
    assert!(
        shown.contains("1:~# echo on-the-record\non-the-record"),
        "{shown}"
    );
    leave(&mut terminal);
}

#[test]
fn a_read_only_deck_has_no_console() {
    let mut terminal = Launch::pvedeck()
        .arg("--read-only")
        .arg("demo")
        .arg("--nodes")
        .arg("1")
        .arg("--guests")
        .arg("4")
        .size(120, 40)
        .start();
    terminal.wait_for("pve1");
    terminal.send("1");
    terminal.send("c");
    terminal.wait_for("Console: read-only");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}
