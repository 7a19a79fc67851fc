//! Acting at the console, on the simulated datacentre: what is asked, what is done, and what never is.

use pvedeck::demo;
use secrecy::ExposeSecret;

use crate::{
    console::launch,
    support::{
        estate,
        replay::Replay,
        terminal::{ENTER, ESCAPE, Launch, Terminal},
    },
};

/// A datacentre with the files that a client needs.
struct Estate {
    datacentre: demo::Datacentre,
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Estate {
    /// One cluster whose tasks take `speed` times less than in reality.
    fn start(speed: f64) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = demo::Options {
            time: demo::Time::Wall,
            lab: false,
            speed,
            ..demo::Options::for_tests()
        };
        let datacentre = runtime.block_on(demo::start(options)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), datacentre.production().ca_pem()).unwrap();
        Self {
            datacentre,
            folder,
            _runtime: runtime,
        }
    }

    /// A console of root on it.
    fn console(&self, more: &[&str]) -> Launch {
        let prod = self.datacentre.production();
        let ca_file = self.folder.path().join("ca.pem");
        let mut launch = Launch::pvedeck()
            .arg("--url")
            .arg(&prod.url())
            .arg("--ca-file")
            .arg(ca_file.to_str().unwrap())
            .env("PVEDECK_TOKEN", prod.admin_token().expose_secret())
            .size(140, 45);
        for arg in more {
            launch = launch.arg(arg);
        }
        launch
    }
}

/// The row of a guest in the list.
fn row<'s>(screen: &'s str, name: &str) -> &'s str {
    screen
        .lines()
        .find(|line| line.contains(name))
        .unwrap_or_default()
}

fn wait_row(terminal: &mut Terminal, name: &str, state: &str) {
    terminal.wait_until(&format!("{name} {state}"), |screen| {
        row(screen, name).contains(state)
    });
}

/// Waits until a plan is on the screen with all that it wants to know.
fn wait_plan(terminal: &mut Terminal, title: &str) {
    terminal.wait_until(&format!("the whole plan: {title}"), |screen| {
        // The last line of the box is drawn last: a frame that is half there does not count.
        screen.contains(&format!("Plan: {title}"))
            && screen.contains("export as shell")
            && !screen.contains("still reading")
    });
}

#[test]
fn a_guest_is_found_shut_down_and_taken_back() {
    let estate = Estate::start(20.0);
    let mut terminal = estate.console(&[]).start();
    wait_row(&mut terminal, "proxy01", "running");
    terminal.type_in(":shut 103");
    terminal.wait_for("guest.shutdown 103 proxy01");
    terminal.send(ENTER);
    wait_plan(&mut terminal, "Shut down 103 proxy01");
    assert!(
        terminal.text().contains("/103/status/shutdown"),
        "{}",
        terminal.text()
    );
    assert_eq!(
        estate.datacentre.production().writes(),
        0,
        "nothing is done before the yes"
    );
    terminal.send("y");
    terminal.wait_for("done; u takes it back (start)");
    wait_row(&mut terminal, "proxy01", "stopped");
    terminal.send("u");
    wait_row(&mut terminal, "proxy01", "running");
    assert_eq!(estate.datacentre.production().writes(), 2);
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn two_consoles_act_on_the_same_guest() {
    let estate = Estate::start(20.0);
    let (mut one, mut other) = (estate.console(&[]).start(), estate.console(&[]).start());
    for terminal in [&mut one, &mut other] {
        wait_row(terminal, "proxy01", "running");
        terminal.type_in(":stop 103");
        terminal.send(ENTER);
        wait_plan(terminal, "Stop 103 proxy01");
    }
    one.send("y");
    one.wait_for("Stop 103 proxy01: done");
    // What the other has on its screen is not done any more as soon as it is known to be so.
    other.wait_for("103 proxy01 is stopped");
    other.send(ENTER);
    other.wait_for("it cannot be done");
    assert_eq!(estate.datacentre.production().writes(), 1);
}

#[test]
fn what_was_interrupted_is_offered_and_done_once() {
    let estate = Estate::start(2.0);
    let home = tempfile::tempdir().unwrap();
    let console = || estate.console(&[]).env("HOME", home.path().to_str().unwrap());
    let mut terminal = console().start();
    wait_row(&mut terminal, "proxy01", "running");
    terminal.type_in(":shut 103");
    terminal.send(ENTER);
    wait_plan(&mut terminal, "Shut down 103");
    terminal.send("y");
    terminal.wait_for("1 run");
    while estate.datacentre.production().writes() == 0 {
        terminal.wait_for("proxy01");
    }
    terminal.signal("KILL");
    terminal.wait_exit();
    let mut terminal = console().start();
    terminal.wait_for("An interrupted run");
    terminal.wait_for("Shut down 103 proxy01");
    terminal.send("c");
    terminal.wait_for("done; u takes it back");
    wait_row(&mut terminal, "proxy01", "stopped");
    assert_eq!(estate.datacentre.production().writes(), 1, "it is not sent again");
}

/// What somebody may type, weighted towards what acts.
fn anything(random: &mut fastrand::Rng) -> String {
    const KEYS: [&str; 30] = [
        "s", "s", "s", "d", "x", "r", "m", "n", "b", "k", "y", "y", "e", "u", "+", "f", " ", "*", "1", "2",
        "4", "z", "\r", "\r", "\r", "\t", "\x1b[A", "\x1b[B", "\x1b[B", "\x1b[B",
    ];
    const LINES: [&str; 9] = [
        ":shut 10\r",
        ":start 10\r",
        ":stop 11\r",
        ":snap 103 before\r",
        ":migrate 11 pve1\r",
        ":reboot vpn\r",
        ":runs\r",
        ":tasks\r",
        ":guest.reset 10\r",
    ];
    match random.u8(..10) {
        0 => LINES[random.usize(..LINES.len())].to_owned(),
        1 => ESCAPE.to_owned(),
        _ => KEYS[random.usize(..KEYS.len())].to_owned(),
    }
}

/// Types at random, and comes to the end of it.
fn type_at_random(terminal: &mut Terminal, seed: u64, inputs: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..inputs / 100 {
        for _ in 0..100 {
            // One at a time, or `Esc` and what follows it would be read as one key.
            terminal.send(&anything(&mut random));
        }
        // Whatever is open is closed, and a word of ours shows that all of it was taken.
        let mark = format!("zz{seed}zz{round}");
        terminal.send(ESCAPE);
        terminal.send(ESCAPE);
        terminal.send(ESCAPE);
        terminal.wait_until("no overlay", |screen| {
            !screen.lines().last().is_some_and(|line| line.contains("esc c"))
        });
        terminal.type_in(&format!(":{mark}"));
        terminal.wait_for(&mark);
        terminal.send(ESCAPE);
    }
}

#[test]
fn whatever_is_typed_a_read_only_console_writes_nothing() {
    let estate = Estate::start(20.0);
    let mut terminal = estate.console(&["--read-only"]).start();
    terminal.wait_for("proxy01");
    for seed in 1..=5 {
        type_at_random(&mut terminal, seed, 500);
    }
    let prod = estate.datacentre.production();
    assert_eq!(prod.writes(), 0, "{:?}", prod.requests());

    let server = Replay::start(estate::recording(30));
    let mut terminal = launch(&server).arg("--read-only").size(140, 40).start();
    terminal.wait_for("web-00000");
    type_at_random(&mut terminal, 6, 1_000);
    let written: Vec<_> = server
        .requests()
        .into_keys()
        .filter(|(method, _)| method != "GET")
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn the_same_keys_do_write_where_that_is_allowed() {
    let estate = Estate::start(20.0);
    let mut terminal = estate.console(&[]).start();
    terminal.wait_for("proxy01");
    type_at_random(&mut terminal, 1, 500);
    assert!(estate.datacentre.production().writes() > 0);
}
