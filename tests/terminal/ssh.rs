//! The terminal in other hands, in the real binary: whatever the program does to it, it comes back whole.

use std::{fs, path::Path};

use crate::support::terminal::{CTRL_C, Launch, Terminal};

/// The console of the demo, with a program of the test's making in the place of `ssh`.
fn demo(command: &str) -> Terminal {
    let mut terminal = Launch::pvedeck()
        .arg("demo")
        .arg("--nodes")
        .arg("1")
        .arg("--guests")
        .arg("4")
        .size(120, 40)
        .file(
            ".config/pvedeck/config.toml",
            &format!("[ssh]\ncommand = {command}\n"),
        )
        .start();
    terminal.wait_for("read-write");
    terminal.wait_for("pve1");
    terminal.send("1");
    terminal
}

/// A shell that runs this with the user and the address of the node behind it.
fn script(text: &str) -> String {
    format!("[\"/bin/sh\", \"-c\", '''{text}''', \"fake\", \"{{user}}\", \"{{address}}\"]")
}

fn written(terminal: &Terminal, name: &str) -> String {
    fs::read_to_string(Path::new(&terminal.home()).join(name)).unwrap()
}

fn leave(mut terminal: Terminal) {
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
}

#[test]
fn a_program_that_is_killed_in_a_mess_leaves_none() {
    let mut terminal = demo(&script(
        "printf \"%s\\n\" \"$#\" \"$@\" >args
         echo \"the last words\"
         stty raw -echo -onlcr
         printf \"\\033[?1049h\\033[?1003h\\033[?1006h\\033[?2004h\\033[?1h\\033[?25l\\033[2;5r\\033[41m\\033[5;5Hmess\"
         kill -9 $$",
    ));
    terminal.send("S");
    terminal.wait_for("was killed by signal 9; any key goes back");
    assert!(terminal.text().contains("the last words"), "{}", terminal.text());
    // What the program had switched on is off, before anything of ours is on.
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().bracketed_paste());
    terminal.send("x");
    terminal.wait_until("the deck with the news", |text| {
        text.contains("read-write") && text.contains("was killed by signal 9")
    });
    let args = written(&terminal, "args");
    let [count, user, address] = args.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((count, user), ("2", "root"));
    assert!(address.parse::<std::net::IpAddr>().is_ok(), "{address}");
    leave(terminal);
}

#[test]
fn keys_signals_and_sizes_are_the_programs_until_it_ends() {
    let mut terminal = demo(&script(
        "kill -STOP $$
         trap \"printf interrupted\" INT
         printf \"\\nready>\"
         while ! read -r line; do :; done
         printf \"%s\" \"$line\" >typed
         exit 3",
    ));
    terminal.send("S");
    terminal.wait_for("ready>");
    terminal.send(CTRL_C);
    terminal.wait_for("interrupted");
    terminal.resize(100, 30);
    terminal.send("q not for us\r");
    terminal.wait_until("the deck in its new size", |text| {
        let fits = |line: &str| line.trim_end().ends_with('┐');
        text.contains("has ended with exit status 3") && text.lines().nth(2).is_some_and(fits)
    });
    assert_eq!(written(&terminal, "typed"), "q not for us");
    leave(terminal);
}

#[test]
fn a_program_that_is_not_there_is_told_of() {
    let mut terminal = demo("[\"/nowhere/ssh\", \"{name}\"]");
    terminal.send("S");
    terminal.wait_for("there is no program `/nowhere/ssh`");
    leave(terminal);
}

#[test]
fn a_program_ends_with_us() {
    let mut terminal = demo(&script(
        "stty raw; printf ready; trap \"\" HUP; while :; do read -r x; done",
    ));
    terminal.send("S");
    terminal.wait_for("ready");
    terminal.signal("TERM");
    terminal.wait_exit();
    terminal.assert_restored();
}
