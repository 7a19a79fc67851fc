//! From the first byte to the last: the first frame, and the terminal given back however the program ends.

use std::process::{Command, Stdio};

use crate::{
    console::{TOKEN, launch, open, recorded},
    support::{
        estate,
        reference::skipped,
        replay::{Fault, Gate, Replay},
        terminal::{CTRL_C, Launch},
    },
};

#[test]
fn the_first_frame_waits_for_no_server() {
    let server = Replay::start(estate::recording(12));
    let gate = Gate::closed();
    server.fault("*", Fault::Held(gate.clone()));
    let mut terminal = launch(&server).size(120, 36).start();
    for pane in ["Nodes", "Guests", "Tasks"] {
        terminal.wait_for(pane);
    }
    assert!(!terminal.text().contains("web-00000"));
    gate.open();
    terminal.wait_for("web-00000");
    terminal.wait_for("pve3");
}

#[test]
fn the_deck_is_drawn_from_what_real_servers_said() {
    for (folder, names) in [
        ("pve-9.2-cluster", ["web01", "db01", "pve3"]),
        ("pve-9.2-node", ["db02", "web01", "pve1"]),
        ("pve-9.2-bare", ["db01", "web01", "pve1"]),
        ("pve-9-public", ["vm1", "vm2", "node2"]),
    ] {
        let Some(recording) = recorded(folder) else {
            return skipped("the deck on recorded answers");
        };
        let server = Replay::start(recording);
        let mut terminal = open(&server, names[0]);
        for name in names {
            terminal.wait_for(name);
        }
        terminal.send("q");
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{folder}");
    }
}

#[test]
fn the_demo_starts_with_one_word() {
    let mut terminal = Launch::pvedeck().arg("demo").size(140, 45).start();
    for name in ["Guests", "db01", "pve3"] {
        terminal.wait_for(name);
    }
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn quitting_gives_the_terminal_back() {
    for keys in ["q", CTRL_C] {
        let server = Replay::start(estate::recording(12));
        let mut terminal = open(&server, "web-00000");
        assert!(terminal.screen().alternate_screen());
        assert!(terminal.screen().hide_cursor());
        terminal.send(keys);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{keys:?}");
        terminal.assert_restored();
    }
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in ["TERM", "HUP", "INT"] {
        let server = Replay::start(estate::recording(12));
        let mut terminal = open(&server, "web-00000");
        terminal.signal(signal);
        let status = terminal.wait_exit();
        assert!(status.signal().is_none(), "{signal}: {status}");
        terminal.assert_restored();
    }
}

#[test]
fn a_terminal_that_cannot_draw_is_refused() {
    let server = Replay::start(estate::recording(3));
    let mut terminal = launch(&server).env("TERM", "dumb").start();
    let status = terminal.wait_exit();
    assert_eq!(status.exit_code(), 2);
    assert!(terminal.text().contains("TERM"), "{}", terminal.text());
    terminal.assert_restored();
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pvedeck"))
        .args(["--url", "https://127.0.0.1:9"])
        .env("PVEDECK_TOKEN", TOKEN)
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(output.stdout, b"", "stdout is data");
    assert!(errors.contains("terminal"), "{errors}");
    assert!(errors.contains("pvedeck get"), "names the way out: {errors}");
}
