//! What the console costs: the server's time, the line's bytes, the host's memory.

use std::{fs, time::Duration};

use crate::{
    console::{launch, open},
    support::{
        estate,
        replay::Replay,
        terminal::{DOWN, ENTER, ESCAPE, TAB},
    },
};

#[test]
fn whatever_is_typed_only_reads_are_sent() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    // Everything but what quits.
    for key in ('!'..='~').filter(|key| *key != 'q') {
        terminal.send(key.encode_utf8(&mut [0; 4]));
        terminal.send(ESCAPE);
        // An escape directly before a letter would be read as Alt and that letter.
        terminal.settle(Duration::from_millis(30));
    }
    for keys in [TAB, DOWN, " ", ENTER, ESCAPE, "\x01", "\x18", "\x04", "\x7f"] {
        terminal.send(keys);
        terminal.settle(Duration::from_millis(30));
    }
    let requests = server.requests();
    assert!(!requests.is_empty());
    for (method, path) in requests.keys() {
        assert_eq!(method, "GET", "{method} {path}");
    }
}

#[test]
fn an_idle_estate_sends_nothing_but_the_clock() {
    /// The minute of the clock, which changes once or not at all in this time, takes about 40 bytes. An age that
    /// counted seconds would take twenty for each pane and second.
    // The clock, and the ticks of the graph's time axis, which go on by a column in a minute.
    const LIMIT: usize = 240;
    let server = Replay::start(estate::recording(100));
    let mut terminal = open(&server, "web-00000");
    terminal.bytes_within(Duration::from_secs(2));
    let asked = server.asked("/cluster/resources");
    let before = without_ages(&terminal.text());
    // Two rhythms of ten seconds, with the same answer each time.
    let bytes = terminal.bytes_within(Duration::from_secs(21));
    assert!(server.asked("/cluster/resources") >= asked + 2, "it kept reading");
    assert_eq!(without_ages(&terminal.text()), before);
    assert!(bytes < LIMIT, "{bytes} bytes in 21 s");
    let requests: usize = server.requests().values().sum();
    // Three in ten seconds, and what is asked once at the start.
    assert!(requests <= 3 * 3 + 6, "{:?}", server.requests());
}

/// The screen with every span of seconds, and the clock, taken out.
fn without_ages(screen: &str) -> String {
    screen
        .split([' ', '\n'])
        .filter(|word| {
            let is_age = word
                .strip_suffix('s')
                .is_some_and(|count| count.parse::<u32>().is_ok());
            let is_clock = word.len() == 5 && word.as_bytes()[2] == b':';
            !(is_age || is_clock || word.contains('┬') || word.chars().all(|c| c == '─'))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn ten_thousand_guests_fit_in_a_hundred_megabytes() {
    const LIMIT: u64 = 100;
    let server = Replay::start(estate::recording(10_000));
    let mut terminal = launch(&server).size(200, 60).start();
    terminal.wait_for("10000");
    terminal.settle(Duration::from_millis(300));
    terminal.send("R");
    terminal.settle(Duration::from_millis(300));
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", terminal.process_id())) else {
        println!("SKIPPED: there is no /proc to read the memory from");
        return;
    };
    let resident: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.split_whitespace().next())
        .unwrap()
        .parse()
        .unwrap();
    println!("resident with 10,000 guests: {} MiB", resident / 1024);
    assert!(resident / 1024 < LIMIT, "{} MiB", resident / 1024);
}
