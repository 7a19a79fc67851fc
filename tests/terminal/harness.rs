//! The harness itself, tried on a shell: it sees what a program draws, changes and forgets to restore.

use std::{path::Path, time::Duration};

use crate::support::terminal::{Launch, Terminal};

fn shell(script: &str) -> Terminal {
    Launch::program(Path::new("/bin/sh"))
        .arg("-c")
        .arg(script)
        .start()
}

#[test]
fn it_sees_text_keys_and_the_exit_code() {
    let mut terminal = shell("stty -echo; printf ready; read line; printf \"[$line]\"; exit 3");
    terminal.wait_for("ready");
    terminal.send("hello\n");
    terminal.wait_for("[hello]");
    assert_eq!(terminal.wait_exit().exit_code(), 3);
}

#[test]
fn it_sees_what_was_not_restored() {
    let mut clean = shell("printf '\\033[?1049h\\033[?25l'; printf '\\033[?25h\\033[?1049l'");
    clean.wait_exit();
    clean.assert_restored();
    for (script, what) in [
        ("printf '\\033[?1049h'", "the alternate screen is still on"),
        ("printf '\\033[?25l'", "the cursor is still hidden"),
        ("printf '\\033[?1000h'", "the mouse is still captured"),
        ("printf '\\033[?2004h'", "bracketed paste is still on"),
        ("stty raw -echo", "raw mode is still on"),
    ] {
        let mut terminal = shell(script);
        terminal.wait_exit();
        assert_eq!(terminal.unrestored(), [what]);
    }
}

#[test]
fn it_counts_bytes_and_passes_sizes_and_signals() {
    let mut terminal =
        shell("trap 'stty size' WINCH; trap 'exit 7' TERM; printf up; while :; do read x; done");
    terminal.wait_for("up");
    assert_eq!(terminal.bytes_within(Duration::from_millis(50)), 0);
    terminal.resize(100, 30);
    terminal.wait_for("30 100");
    terminal.signal("TERM");
    assert_eq!(terminal.wait_exit().exit_code(), 7);
}
