//! How the overlays of acting look, at every size and without Unicode.

use pvedeck::{
    domain::{GuestDetail, GuestStatus, Vmid},
    store::{Feed, Payload},
    ui::Glyphs,
};

use crate::{stage::Stage, support::estate};

/// A console that may write, with a guest that is production and one that is locked.
fn stage(size: (u16, u16), glyphs: &Glyphs) -> Stage {
    let mut stage = Stage::drawn_with(&["prod"], &["prod"], size, glyphs);
    let mut inventory = estate::inventory(20);
    inventory.guests[2].lock = Some("backup".into());
    stage.resources("prod", inventory);
    stage.allow();
    for vmid in [101, 102, 103] {
        let detail = GuestDetail {
            status: Some(GuestStatus::Running),
            lock: (vmid == 102).then(|| "backup".into()),
            ..GuestDetail::default()
        };
        stage.read(
            "prod",
            Feed::GuestStatus(Vmid(vmid)),
            Payload::GuestStatus(Box::new(detail)),
        );
    }
    stage
}

fn shown(keys: &str, size: (u16, u16), glyphs: &Glyphs) -> String {
    let mut stage = stage(size, glyphs);
    stage.keys(keys);
    let text = stage.text();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Every overlay whose text does not grow with the table of deeds, by the keys that open it on the second guest.
const OVERLAYS: [(&str, &str); 3] = [
    ("confirm", "down s d"),
    ("bulk", "space space space space s x"),
    ("form", "down s m"),
];

#[test]
fn every_overlay_fits_its_screen() {
    for (name, keys) in OVERLAYS {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            insta::assert_snapshot!(
                format!("{name}_{width}"),
                shown(keys, (width, height), &Glyphs::UNICODE)
            );
        }
        insta::assert_snapshot!(format!("{name}_ascii"), shown(keys, (80, 24), &Glyphs::ASCII));
    }
}

#[test]
fn the_menu_has_every_deed_of_a_guest_at_every_size() {
    let object = pvedeck::domain::ObjectRef::Guest(pvedeck::domain::GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(101),
    });
    for (size, glyphs) in [
        ((80, 24), &Glyphs::UNICODE),
        ((120, 40), &Glyphs::UNICODE),
        ((200, 60), &Glyphs::UNICODE),
        ((80, 24), &Glyphs::ASCII),
    ] {
        let text = shown("down s", size, glyphs);
        for row in pvedeck::plan::Deed::for_object(&object) {
            assert!(
                text.contains(row.action.title),
                "{} at {size:?}:\n{text}",
                row.action.title
            );
        }
        assert!(!text.contains("Stop task"), "{text}");
    }
}

#[test]
fn small_screens_break_nothing_and_keep_the_way_out() {
    for (_, keys) in OVERLAYS {
        for size in [(60, 15), (40, 10), (20, 5)] {
            let text = shown(keys, size, &Glyphs::UNICODE);
            assert!(text.contains("esc") || size.0 < 60, "{keys} at {size:?}:\n{text}");
        }
    }
}
