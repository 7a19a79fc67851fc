//! Finding one's way: sizes, filter, selection, help, palette, details.

use crate::{
    console::{open, selected},
    support::{
        estate,
        recording::Answer,
        replay::Replay,
        terminal::{DOWN, ENTER, ESCAPE},
    },
};

#[test]
fn every_size_is_usable() {
    let server = Replay::start(estate::recording(30));
    let mut terminal = open(&server, "web-00000");
    for (columns, rows) in [(60, 15), (250, 80), (80, 24), (61, 16), (30, 8), (140, 40)] {
        terminal.resize(columns, rows);
        terminal.wait_until(&format!("a frame of {columns}x{rows}"), |screen| {
            let first = screen.split('\n').next().unwrap_or_default();
            let last = screen.split('\n').next_back().unwrap_or_default();
            first.contains('●') && last.contains("open") && screen.contains("web-00000")
        });
    }
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_filter_shows_only_what_fits() {
    let server = Replay::start(estate::recording(30));
    let mut terminal = open(&server, "web-00000");
    terminal.send("2");
    terminal.type_in("/db-");
    terminal.wait_until("only db guests", |screen| {
        screen.contains("db-00001") && !screen.contains("web-00000")
    });
    terminal.send(ENTER);
    terminal.wait_for("db-00005");
    terminal.type_in("/");
    terminal.send(ESCAPE);
    // Leaving the line with Esc keeps what was there before it was opened.
    assert!(!terminal.text().contains("web-00004"), "{}", terminal.text());
}

#[test]
fn the_selection_stays_on_its_object() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    terminal.send("2");
    terminal.send(DOWN);
    terminal.send(DOWN);
    let before = terminal.wait_until("a selection further down", |screen| {
        selected(screen).is_some_and(|row| row.contains("ci-00002"))
    });
    assert!(before.contains("web-00000"));

    // Two guests before it go: the selection must not slide to what has moved up.
    let mut fewer: serde_json::Value = serde_json::from_str(&estate::resources_json(12)).unwrap();
    fewer["data"]
        .as_array_mut()
        .unwrap()
        .retain(|row| row["vmid"] != 100 && row["vmid"] != 101);
    server.replace(estate::recording(12).with("/cluster/resources", Answer::json(&fewer.to_string())));
    terminal.send("R");
    let after = terminal.wait_until("the shorter list", |screen| !screen.contains("web-00000"));
    assert!(selected(&after).unwrap().contains("ci-00002"), "{after}");
}

#[test]
fn help_is_made_of_the_keys_that_work_here() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    terminal.send("?");
    terminal.wait_for("place.deck");
    terminal.type_in("app.quit");
    let help = terminal.wait_for("Ends pvedeck");
    assert!(!help.contains("place.deck"), "the search narrows: {help}");
    terminal.send(ESCAPE);
    terminal.wait_until("the deck again", |screen| !screen.contains("Ends pvedeck"));
}

#[test]
fn the_palette_goes_to_places_and_objects() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    terminal.type_in(":storag");
    terminal.wait_for("Storage");
    terminal.send(ENTER);
    terminal.wait_until("only storages", |screen| {
        screen.contains("local") && !screen.contains("web-00000")
    });
    terminal.send(ESCAPE);
    terminal.wait_for("web-00000");
}

#[test]
fn a_name_goes_to_the_clipboard_of_the_users_own_terminal() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    terminal.send("2");
    terminal.send("\"");
    terminal.wait_until("a word on it", |screen| screen.to_lowercase().contains("copied"));
    let copied: Vec<String> = terminal
        .clipboard()
        .iter()
        .map(|data| String::from_utf8_lossy(data).into_owned())
        .collect();
    assert_eq!(copied.len(), 1, "{copied:?}");
    assert!(
        copied[0]
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)),
        "{copied:?}"
    );
}
