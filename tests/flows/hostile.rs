//! Whatever comes from outside and whatever is typed: every frame is harmless and no frame panics.

use proptest::prelude::*;
use pvedeck::{
    app::{Event, Mouse},
    domain::Inventory,
    store::{Feed, Payload},
};

use crate::{stage::Stage, support::estate};

const HOSTILE: [&str; 7] = [
    "evil\u{1b}]0;owned\u{7}",
    "\u{1b}[2J\u{1b}[31mred",
    "invoice\u{202e}gpj.exe",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}algo",
    "two\nlines\tand\u{9b}31m more",
    "\u{200b}\u{200d}\u{feff}",
    "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字👩‍👩‍👧‍👦",
];

/// An estate in which everything that has a name has a bad one.
fn hostile_estate() -> Inventory {
    let mut inventory = estate::inventory(21);
    for (index, guest) in inventory.guests.iter_mut().enumerate() {
        let text = HOSTILE[index % HOSTILE.len()];
        guest.name = Some(text.repeat(1 + index * 40).into());
        guest.tags = vec![text.into()];
        guest.pool = Some(text.into());
        guest.lock = Some(text.into());
    }
    for (node, text) in inventory.nodes.iter_mut().zip(HOSTILE) {
        node.name = text.into();
    }
    for (storage, text) in inventory.storages.iter_mut().zip(HOSTILE) {
        storage.name = text.into();
        storage.plugin = text.into();
    }
    inventory.rejected = HOSTILE.iter().map(|text| (*text).into()).collect();
    inventory
}

#[test]
fn hostile_names_are_drawn_harmless_everywhere() {
    let mut stage = Stage::live(hostile_estate());
    for keys in [
        "1",
        "2",
        "3",
        "4",
        "5",
        "2 enter",
        "esc",
        "2 y",
        "esc",
        "C",
        "esc",
        "!",
        "esc",
        ": e v i l",
        "esc",
        "?",
        "esc",
    ] {
        stage.keys(keys);
        stage.frame();
    }
    stage.read("prod", Feed::Tasks, Payload::Tasks(Vec::new()));
    assert!(stage.shows("evil·]0;owned·"), "{}", stage.text());
}

fn step() -> impl Strategy<Value = Step> {
    let keys = prop::sample::select(vec![
        "up",
        "down",
        "left",
        "right",
        "enter",
        "esc",
        "tab",
        "shift-tab",
        "space",
        "ctrl-space",
        "home",
        "end",
        "pageup",
        "pagedown",
        "backspace",
        "/",
        ":",
        "?",
        "!",
        "1",
        "2",
        "3",
        "4",
        "5",
        "0",
        "z",
        "o",
        "O",
        "*",
        "d",
        "y",
        "l",
        "R",
        "p",
        "T",
        "M",
        "C",
        "[",
        "]",
        "g",
        "G",
        "f",
        "e",
        "w",
        "x",
        "s",
        "n",
        "m",
        "k",
        "u",
        "-",
        "\"",
    ]);
    prop_oneof![
        8 => keys.prop_map(Step::Key),
        1 => (0u16..260, 0u16..90).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (0u16..260, 0u16..90, 0u8..5).prop_map(|(x, y, kind)| Step::Mouse(x, y, kind)),
        1 => (0u32..40).prop_map(Step::Guests),
        1 => Just(Step::Hostile),
        1 => (1i64..40).prop_map(Step::Pass),
        1 => "\\PC{0,12}".prop_map(Step::Paste),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    Resize(u16, u16),
    Mouse(u16, u16, u8),
    Guests(u32),
    Hostile,
    Pass(i64),
    Paste(String),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_events_breaks_a_frame(steps in prop::collection::vec(step(), 1..60)) {
        let mut stage = Stage::live(estate::inventory(12));
        for step in steps {
            match step {
                Step::Key(key) => stage.keys(key),
                Step::Resize(width, height) => stage.event(Event::Resized(width, height)),
                Step::Mouse(x, y, kind) => {
                    let mouse = [
                        Mouse::Click,
                        Mouse::DoubleClick,
                        Mouse::WheelDown,
                        Mouse::WheelUp,
                        Mouse::RightClick,
                    ];
                    stage.event(Event::MouseUsed(mouse[usize::from(kind)], x, y));
                }
                Step::Guests(count) => stage.resources("prod", estate::inventory(count)),
                Step::Hostile => stage.resources("prod", hostile_estate()),
                Step::Pass(seconds) => stage.pass(seconds),
                Step::Paste(text) => stage.event(Event::Pasted(text)),
            }
            stage.frame();
        }
    }
}
