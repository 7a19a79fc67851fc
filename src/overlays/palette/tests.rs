//! What a typed line finds.

use super::*;
use crate::{
    domain::{GuestRef, Vmid},
    plan::Offer,
};

/// Everything is possible, but for guests above 200; there are two nodes and one snapshot.
struct Simple;

impl Judge for Simple {
    fn possible(&self, _: Deed, targets: &[ObjectRef]) -> Result<(), String> {
        match targets {
            [ObjectRef::Guest(guest)] if guest.vmid.0 > 200 => Err("it is away".to_owned()),
            _ => Ok(()),
        }
    }

    fn offers(&self, _: Deed, argument: &str, _: &[ObjectRef], _: &Arguments) -> Vec<Offer> {
        let values: &[&str] = match argument {
            "target" => &["pve2", "pve3"],
            _ => &[],
        };
        let offer = |value: &&str| Offer {
            value: (*value).to_owned(),
            note: String::new(),
        };
        values.iter().map(offer).collect()
    }
}

fn guest(vmid: u32, name: &str) -> Target {
    let guest = ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(vmid),
    });
    Target::new(vec![guest], vmid.to_string(), format!("{name} (pve1)"))
}

fn candidate(text: &str, refused: Option<&str>) -> Candidate {
    Candidate {
        text: text.to_owned(),
        note: String::new(),
        fill: None,
        choice: Choice::Act(actions::Id::Help),
        refused: refused.map(str::to_owned),
    }
}

fn palette() -> Palette {
    Palette::new(
        vec![
            candidate("Quit", None),
            candidate("guest 104 web-01", None),
            candidate("guest 105 db-01", Some("it is gone")),
        ],
        vec![guest(104, "web-01"), guest(105, "db-01"), guest(1040, "web-02")],
        Some(guest(105, "db-01")),
        vec!["old".into(), "newer".into()],
    )
}

fn type_in(palette: &mut Palette, text: &str) {
    palette.line = Line::new(text);
    palette.search(&Simple);
}

fn texts(typed: &str) -> Vec<String> {
    let mut palette = palette();
    type_in(&mut palette, typed);
    palette.shown().iter().map(|line| line.text.clone()).collect()
}

#[test]
fn parts_of_words_find_their_line() {
    let mut palette = palette();
    type_in(&mut palette, "web 104");
    assert_eq!(palette.shown().len(), 1);
    assert_eq!(palette.choose(), Ok(Choice::Act(actions::Id::Help)));
}

#[test]
fn what_is_refused_says_why() {
    let mut palette = palette();
    type_in(&mut palette, "db");
    assert_eq!(palette.choose(), Err("it is gone".to_owned()));
    type_in(&mut palette, "zzz");
    assert!(palette.choose().is_err());
}

#[test]
fn a_place_takes_a_filter() {
    let mut palette = palette();
    type_in(&mut palette, "guests status:stopped tag:lab");
    assert_eq!(
        palette.choose(),
        Ok(Choice::Filter(Place::Guests, "status:stopped tag:lab".into()))
    );
}

#[test]
fn upwards_from_the_top_is_the_past() {
    let mut palette = palette();
    palette.step(-1, &Simple);
    assert_eq!(palette.line.text(), "newer");
    palette.step(-1, &Simple);
    assert_eq!(palette.line.text(), "old");
    palette.step(-1, &Simple);
    assert_eq!(palette.line.text(), "old");
}

#[test]
fn a_deed_and_a_target() {
    assert_eq!(
        texts("shut web"),
        [
            "guest.shutdown 104 web-01 (pve1)",
            "guest.shutdown 1040 web-02 (pve1)"
        ]
    );
    let mut palette = palette();
    type_in(&mut palette, "shut web-02");
    assert_eq!(palette.choose(), Err("it is away".to_owned()));
    // A number that is typed whole is that number.
    assert_eq!(texts("shut down 104")[0], "guest.shutdown 104 web-01 (pve1)");
    assert_eq!(texts("guest.shutdown 104")[0], "guest.shutdown 104 web-01 (pve1)");
}

#[test]
fn the_deed_that_was_typed_whole_stands_first() {
    let found = texts("delete web-01");
    assert_eq!(found[0], "guest.delete 104 web-01 (pve1)");
    let snapshot = found
        .iter()
        .position(|text| text.starts_with("guest.snapshot.delete 104"));
    assert!(snapshot.is_some_and(|at| at > 0), "{found:?}");
    assert_eq!(
        texts("delete snap web-01")[0],
        "guest.snapshot.delete 104 web-01 (pve1)"
    );
}

/// Counts how often it is asked.
#[derive(Default)]
struct Asked(std::cell::Cell<usize>, std::cell::Cell<usize>);

impl Judge for Asked {
    fn possible(&self, _: Deed, _: &[ObjectRef]) -> Result<(), String> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }

    fn offers(&self, _: Deed, _: &str, _: &[ObjectRef], _: &Arguments) -> Vec<Offer> {
        self.1.set(self.1.get() + 1);
        Vec::new()
    }
}

#[test]
fn a_key_asks_no_more_of_a_great_estate_than_of_a_small_one() {
    let asked = |guests: u32, typed: &str| {
        let targets: Vec<Target> = (0..guests)
            .map(|n| guest(100 + n, &format!("web-{n:05}")))
            .collect();
        let lines = targets
            .iter()
            .map(|target| candidate(&target.rest, None))
            .collect();
        let mut palette = Palette::new(lines, targets, None, Vec::new());
        let judge = Asked::default();
        palette.line = Line::new(typed);
        palette.search(&judge);
        assert!(!palette.shown().is_empty(), "{typed}");
        assert!(palette.shown().len() <= 200, "{typed}");
        (judge.0.get(), judge.1.get())
    };
    for typed in ["shut web", "delete web", "snap web-00001 before-up", "web"] {
        let (possible, offers) = asked(10_000, typed);
        assert!(possible <= 300 && offers <= 60, "{typed}: {possible}, {offers}");
        assert_eq!((possible, offers), asked(1_000, typed), "{typed}");
    }
}

#[test]
fn without_a_target_it_is_the_selected_one() {
    assert_eq!(texts("shut")[0], "guest.shutdown 105 db-01 (pve1)");
}

#[test]
fn an_argument_follows_its_target() {
    let mut palette = palette();
    type_in(&mut palette, "snap 104 Before-up");
    let chosen = palette.choose().unwrap();
    let Choice::Do { deed, arguments, .. } = chosen else {
        panic!("{chosen:?}")
    };
    assert_eq!(deed, Deed::SnapshotCreate);
    assert_eq!(arguments["snapshot"], "Before-up");
    assert_eq!(palette.shown()[0].text, "guest.snapshot.create 104 Before-up");
    // What does not fit the argument is no line.
    assert!(!texts("snap 104 7up").iter().any(|text| text.contains("7up")));
}

#[test]
fn arguments_complete_from_what_exists() {
    let found = texts("migrate 104 ");
    let nodes: Vec<&String> = found.iter().filter(|text| text.contains("pve")).collect();
    assert!(found.contains(&"guest.migrate 104 pve2".to_owned()), "{nodes:?}");
    assert!(texts("migrate 104 pve3").contains(&"guest.migrate 104 pve3".to_owned()));
    assert!(
        !texts("migrate 104 pve9")
            .iter()
            .any(|text| text.ends_with("pve9"))
    );
    let mut palette = palette();
    type_in(&mut palette, "migr 104");
    palette.complete(&Simple);
    assert_eq!(palette.line.text(), "guest.migrate 104 ");
}
