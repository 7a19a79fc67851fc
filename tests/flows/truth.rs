//! Old data, failed reads, lost and untrusted clusters: what is shown is true, and says how old it is.

use pvedeck::{
    app::Event,
    store::{Feed, FeedErrorKind, snapshot},
};
use ratatui::style::Style;

use crate::{stage::Stage, support::estate};

/// The style of the first cell of a text.
fn style_of(stage: &mut Stage, what: &str) -> Style {
    let buffer = stage.frame();
    let width = usize::from(buffer.area.width);
    let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    let letters: Vec<String> = what.chars().map(String::from).collect();
    let at = cells
        .windows(letters.len())
        .position(|window| window.iter().zip(&letters).all(|(cell, letter)| cell == letter))
        .unwrap_or_else(|| panic!("{what} is not shown"));
    assert!(at / width < usize::from(buffer.area.height));
    buffer.content[at].style()
}

#[test]
fn a_failed_read_takes_nothing_away_and_dims() {
    let mut stage = Stage::live(estate::inventory(10));
    stage.keys("1");
    let fresh = style_of(&mut stage, "mail-00003");
    stage.pass(10);
    stage.fails(
        "prod",
        Feed::Resources,
        FeedErrorKind::Unreachable,
        "192.0.2.1:8006 does not answer: connection refused",
    );
    assert!(stage.shows("mail-00003"));
    assert!(stage.shows("does not answer"), "{}", stage.text());
    let stale = style_of(&mut stage, "mail-00003");
    assert_ne!(fresh, stale, "old data looks old");
    stage.pass(10);
    stage.resources("prod", estate::inventory(10));
    assert_eq!(style_of(&mut stage, "mail-00003"), fresh);
    assert!(!stage.shows("does not answer"), "{}", stage.text());
}

#[test]
fn what_an_earlier_run_knew_is_shown_as_old_until_something_is_read() {
    let mut earlier = Stage::live(estate::inventory(10));
    earlier.keys("1");
    let fresh = style_of(&mut earlier, "mail-00003");
    let bytes = snapshot::encode(&earlier.app.store().clusters()[0]).unwrap();
    let known = || Event::Recalled(Box::new(snapshot::decode(&bytes).unwrap()));

    let mut stage = Stage::new(&["prod"], (140, 40));
    stage.pass(600);
    assert!(!stage.shows("mail-00003"));
    stage.event(known());
    stage.keys("1");
    assert_ne!(style_of(&mut stage, "mail-00003"), fresh);
    stage.resources("prod", estate::inventory(12));
    assert_eq!(style_of(&mut stage, "mail-00003"), fresh);
    // It may be found only after the first answer: then it is too late.
    stage.event(known());
    assert!(stage.app.store().cluster(&"prod".into()).unwrap().guests().len() == 12);
}

#[test]
fn data_that_nobody_renews_grows_old() {
    let mut stage = Stage::live(estate::inventory(10));
    stage.keys("1");
    let fresh = style_of(&mut stage, "mail-00003");
    stage.pass(120);
    assert_ne!(style_of(&mut stage, "mail-00003"), fresh);
    assert!(stage.shows("old"), "{}", stage.text());
}

#[test]
fn an_untrusted_cluster_is_explained() {
    let (expected, seen) = (["AA"; 32].join(":"), ["CC"; 32].join(":"));
    let message = format!(
        "the certificate of pve1:8006 is not the trusted one: expected the SHA-256 fingerprint {expected}, seen \
         {seen}. Nothing was sent. If the certificate was renewed, run `pvedeck login` to accept the new one"
    );
    let mut stage = Stage::new(&["prod"], (120, 36));
    stage.fails("prod", Feed::Resources, FeedErrorKind::Untrusted, &message);
    assert!(stage.shows("untrusted"), "{}", stage.text());
    assert!(stage.shows("1 critical"), "{}", stage.text());
    stage.keys("! enter");
    let text = stage.text();
    for part in [expected.as_str(), seen.as_str(), "pvedeck login"] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

#[test]
fn one_dead_cluster_leaves_the_other_alone() {
    let mut stage = Stage::new(&["prod", "lab"], (160, 40));
    stage.resources("prod", estate::inventory(5));
    stage.fails(
        "lab",
        Feed::Resources,
        FeedErrorKind::Unreachable,
        "lab1:8006 does not answer: no route to host",
    );
    let text = stage.text();
    assert!(text.contains("unreachable"), "{text}");
    assert!(text.contains("web-00000"), "{text}");
    stage.keys("1");
    let before = style_of(&mut stage, "web-00000");
    stage.pass(10);
    stage.resources("prod", estate::inventory(5));
    stage.fails(
        "lab",
        Feed::Resources,
        FeedErrorKind::Unreachable,
        "lab1:8006 does not answer: no route to host",
    );
    assert_eq!(
        style_of(&mut stage, "web-00000"),
        before,
        "prod is as fresh as ever"
    );
}

#[test]
fn nothing_read_is_not_nothing_there() {
    let mut stage = Stage::new(&["prod"], (140, 40));
    assert!(stage.shows("waiting"), "{}", stage.text());
    stage.resources("prod", estate::inventory(0));
    assert!(!stage.shows("web-"), "{}", stage.text());
    stage.pass(1);
    let mut failed = Stage::new(&["prod"], (140, 40));
    failed.fails(
        "prod",
        Feed::Resources,
        FeedErrorKind::SignIn,
        "sign-in failed: Authentication failed!",
    );
    assert!(failed.shows("no data"), "{}", failed.text());
}

#[test]
fn an_idle_second_changes_little() {
    let mut stage = Stage::live(estate::inventory(50));
    let before = stage.frame();
    stage.pass(1);
    let after = stage.frame();
    let changed = before
        .content
        .iter()
        .zip(&after.content)
        .filter(|(a, b)| a != b)
        .count();
    assert!(
        changed <= 12,
        "{changed} cells changed within a second without news"
    );
}

#[test]
fn the_header_says_what_may_be_written_to() {
    let badge = |writable: &[&str]| {
        let mut stage = Stage::writing(&["prod", "lab"], writable, (120, 30));
        let text = stage.text();
        let first = text.lines().next().unwrap_or_default();
        ["read-only", "mixed", "read-write"]
            .into_iter()
            .filter(|word| first.contains(word))
            .collect::<Vec<_>>()
    };
    assert_eq!(badge(&[]), ["read-only"]);
    assert_eq!(badge(&["lab"]), ["mixed"]);
    assert_eq!(badge(&["prod", "lab"]), ["read-write"]);
}
