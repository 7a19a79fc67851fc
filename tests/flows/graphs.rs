//! Graphs follow what is selected, on the deck and on their own.

use pvedeck::{
    app::{Event, Mouse},
    domain::{GuestRef, ObjectRef, Vmid, rrd::Frame},
    screens::Place,
    store::Feed,
};

use crate::{stage::Stage, support::estate};

fn guest(vmid: u32) -> ObjectRef {
    ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(vmid),
    })
}

fn hour(vmid: u32) -> Feed {
    Feed::Rrd(guest(vmid), Frame::Hour)
}

#[test]
fn the_tile_follows_the_selection_and_reads_only_that() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 home");
    assert!(stage.watches("prod", hour(100)));
    stage.keys("down");
    assert!(stage.watches("prod", hour(101)) && !stage.watches("prod", hour(100)));
    // In the graphs themselves the selection stays.
    stage.keys("3");
    assert!(stage.watches("prod", hour(101)));
    stage.keys("t up up enter");
    assert!(stage.shows("last 10 min"), "{}", stage.text());
    assert!(
        !stage.watches("prod", hour(101)),
        "what was seen costs no request"
    );
}

#[test]
fn marked_guests_are_compared() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 home space space space up m");
    assert_eq!(stage.app.place(), &Place::Metrics);
    for vmid in [100, 101, 102] {
        assert!(stage.watches("prod", hour(vmid)), "{vmid}");
    }
    assert!(stage.shows("3 compared"), "{}", stage.text());
    stage.keys("esc");
    assert_eq!(stage.app.place(), &Place::Deck);
}

#[test]
fn from_the_page_of_an_object_its_graphs_open() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 home enter m");
    assert_eq!(stage.app.place(), &Place::MetricsOf(guest(100)));
    // A menu closes first, then a cursor goes, then one goes back.
    stage.keys("m esc");
    assert_eq!(stage.app.place(), &Place::MetricsOf(guest(100)));
    stage.keys(", esc");
    assert_eq!(stage.app.place(), &Place::MetricsOf(guest(100)));
    stage.keys("- esc");
    assert_eq!(stage.app.place(), &Place::Object(guest(100)));
}

#[test]
fn small_screens_have_the_graphs_behind_their_number() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.event(Event::Resized(80, 24));
    stage.keys("2 home");
    assert!(!stage.watches("prod", hour(100)), "it cannot be seen");
    stage.keys("3");
    assert!(stage.watches("prod", hour(100)));
    assert!(
        stage.shows("3 metr") && stage.shows("3 Metrics"),
        "{}",
        stage.text()
    );
}

#[test]
fn the_mouse_puts_the_cursor_and_the_wheel_pans() {
    let mut stage = Stage::live(estate::inventory(20));
    stage.keys("2 home m");
    stage.frame();
    stage.event(Event::MouseUsed(Mouse::Click, 60, 20));
    assert!(stage.app.place() == &Place::Metrics);
    stage.event(Event::MouseUsed(Mouse::WheelUp, 60, 20));
    assert!(stage.shows("1 h to "), "{}", stage.text());
}
