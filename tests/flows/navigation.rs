//! Finding one's way with keys.

use pvedeck::{
    app::{Effect, Event, Mouse},
    domain::{GuestRef, ObjectRef, Vmid},
    screens::Place,
    store::Feed,
};

use ratatui::style::Modifier;

use crate::{stage::Stage, support::estate};

fn guest(vmid: u32) -> ObjectRef {
    ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(vmid),
    })
}

#[test]
fn the_first_frame_needs_no_answer() {
    let mut stage = Stage::new(&["prod"], (80, 24));
    let text = stage.text();
    assert!(text.contains("pvedeck"), "{text}");
    assert!(text.contains("Guests"), "{text}");
    assert!(stage.watches("prod", Feed::Resources));
}

#[test]
fn filter_narrows_and_esc_brings_back() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 /");
    stage.type_in("db-");
    assert!(stage.shows("db-00001"));
    assert!(!stage.shows("web-00000"));
    stage.keys("esc");
    assert!(stage.shows("web-00000"));
    stage.keys("/");
    stage.type_in("db-");
    stage.keys("enter");
    assert!(!stage.shows("web-00000"));
}

#[test]
fn sorting_turns_round_and_keeps_the_selection() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("z down down");
    let text = stage.text();
    let first = text.find("web-00000").unwrap();
    assert!(first < text.find("ci-00002").unwrap());
    stage.keys("O");
    let text = stage.text();
    assert!(
        text.find("web-00000").unwrap() > text.find("ci-00002").unwrap(),
        "{text}"
    );
    let row = text.lines().find(|line| line.contains('▸')).unwrap();
    assert!(row.contains("ci-00002"), "{row}");
}

#[test]
fn marks_are_counted_and_follow_their_objects() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 space space");
    assert!(stage.shows("2 marked"), "{}", stage.text());
    let mut fewer = estate::inventory(20);
    fewer.guests.remove(0);
    stage.pass(10);
    stage.resources("prod", fewer);
    assert!(stage.shows("1 marked"), "{}", stage.text());
}

#[test]
fn back_and_forward_walk_the_history() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 enter");
    assert_eq!(stage.app.place(), &Place::Object(guest(100)));
    assert!(
        stage.watches("prod", Feed::GuestStatus(Vmid(100))),
        "details are read while they are seen"
    );
    stage.keys("esc");
    assert_eq!(stage.app.place(), &Place::Deck);
    assert!(
        !stage.watches("prod", Feed::GuestStatus(Vmid(100))),
        "and only then"
    );
    stage.keys("]");
    assert_eq!(stage.app.place(), &Place::Object(guest(100)));
    stage.keys("y");
    assert_eq!(stage.app.place(), &Place::Raw(guest(100)));
    stage.keys("- -");
    assert_eq!(stage.app.place(), &Place::Deck);
}

#[test]
fn the_palette_finds_places_and_objects() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys(":");
    stage.type_in("storag");
    stage.keys("enter");
    assert_eq!(stage.app.place(), &Place::Storages);
    stage.keys("ctrl-p");
    stage.type_in("mail-00003");
    stage.keys("enter");
    assert_eq!(stage.app.place(), &Place::Object(guest(103)));
}

#[test]
fn letters_in_a_line_are_letters() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 /");
    stage.type_in("q?!:");
    assert!(!stage.has_quit());
    assert!(stage.shows("q?!:"), "{}", stage.text());
    stage.keys("esc q");
    assert!(stage.has_quit());
}

#[test]
fn pausing_is_said_and_told_to_the_readers() {
    let mut stage = Stage::live(estate::inventory(5));
    stage.keys("p");
    assert!(stage.is_paused());
    assert!(stage.shows("paused"));
    stage.keys("p");
    assert!(!stage.is_paused());
}

#[test]
fn a_refresh_reads_what_is_shown() {
    let mut stage = Stage::live(estate::inventory(5));
    stage.keys("R");
    let refreshed = stage.effects.iter().any(|effect| {
        matches!(effect, Effect::Refresh(feeds) if feeds.iter().any(|key| key.feed == Feed::Resources))
    });
    assert!(refreshed, "{:?}", stage.effects.last());
}

#[test]
fn being_asked_to_end_ends() {
    let mut stage = Stage::live(estate::inventory(5));
    stage.event(Event::Terminated);
    assert!(stage.has_quit());
}

fn first_line(stage: &mut Stage, width: u16, height: u16) -> String {
    stage.event(Event::Resized(width, height));
    stage.text().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_first_line_gives_up_words_before_it_cuts_them() {
    let mut stage = Stage::new(&["prod", "laboratory", "edge"], (140, 40));
    for cluster in ["prod", "laboratory"] {
        stage.resources(cluster, estate::inventory(2));
    }
    for width in 20..140 {
        let line = first_line(&mut stage, width, 24);
        assert!(!line.contains('…'), "{width}: {line}");
    }
    assert!(first_line(&mut stage, 140, 24).contains("edge ? connecting"));
    let narrow = first_line(&mut stage, 56, 24);
    assert!(
        narrow.contains("edge ? connecting") && narrow.contains("read-only"),
        "{narrow}"
    );
}

#[test]
fn the_footer_offers_what_is_possible_and_always_the_way_to_the_rest() {
    let mut stage = Stage::live(estate::inventory(20));
    let footer = |stage: &mut Stage| stage.text().lines().last().unwrap_or_default().to_owned();
    assert!(!footer(&mut stage).contains("l log"), "a guest has no log");
    stage.keys("1");
    assert!(footer(&mut stage).contains("l log"), "a node has one");
    for width in [60, 80, 120] {
        stage.event(Event::Resized(width, 24));
        let line = footer(&mut stage);
        assert!(
            line.contains(": palette") && line.contains("? help"),
            "{width}: {line}"
        );
    }
}

#[test]
fn the_line_of_tabs_counts_and_takes_clicks() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.event(Event::Resized(80, 24));
    let tabs = stage.text().lines().nth(1).unwrap().to_owned();
    assert!(tabs.contains("2 guests") && tabs.contains("8 alerts"), "{tabs}");
    let at = tabs.find("stor").unwrap();
    let x = tabs[..at].chars().count() as u16;
    stage.event(Event::MouseUsed(Mouse::Click, x, 1));
    assert!(stage.shows("4 Storages"));
    assert!(!stage.shows("2 Guests ─"));
}

#[test]
fn a_key_without_effect_here_says_so() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("d");
    assert!(matches!(stage.app.place(), Place::Object(_)));
    stage.keys("f12");
    assert!(stage.shows("does nothing here"));
}

#[test]
fn esc_and_a_letter_that_arrive_as_one_are_two_keys() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("d alt-1");
    assert_eq!(*stage.app.place(), Place::Deck);
    assert!(!stage.shows("does nothing here"));
    stage.keys("/ x alt-2");
    assert!(!stage.shows("/x"), "the filter line is left");
}

#[test]
fn a_very_narrow_footer_keeps_the_first_key_and_help() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.event(Event::Resized(30, 8));
    let line = stage.text().lines().last().unwrap_or_default().to_owned();
    assert!(line.contains("enter open") && line.contains("? help"), "{line}");
}

#[test]
fn the_selected_row_is_not_dimmed() {
    let mut stage = Stage::live(estate::inventory(3));
    let dimmed = |stage: &mut Stage| {
        let buffer = stage.frame();
        let name = |y: u16| {
            (0..buffer.area.width - 9).find(|x| {
                let text: String = (0..9).map(|i| buffer[(x + i, y)].symbol()).collect();
                text == "web-00000"
            })
        };
        let (x, y) = (0..buffer.area.height)
            .find_map(|y| name(y).map(|x| (x, y)))
            .unwrap();
        buffer[(x, y)].modifier.contains(Modifier::DIM)
    };
    assert!(!dimmed(&mut stage), "selected");
    stage.keys("j");
    assert!(dimmed(&mut stage), "a stopped guest that is not selected");
}
