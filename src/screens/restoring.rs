//! How backups are shown, the same in every pane.

use jiff::tz::TimeZone;

use crate::{
    domain::{
        prune,
        quantity::Bytes,
        retention::{Fate, Retention},
        storage::Volume,
    },
    store::Backup,
    ui::{Cell, Glyphs, Tone},
};

/// Its size; one that has none is being made, or was cut off.
pub fn size(volume: &Volume, g: &Glyphs) -> Cell {
    match volume.size {
        Some(size) => Cell::text(Bytes(size).to_string()),
        None => Cell::toned(format!("{} unfinished", g.busy), Tone::Warn),
    }
}

/// What its newest verification found.
pub fn verification(volume: &Volume, g: &Glyphs) -> Cell {
    match volume.verified.as_deref() {
        Some("ok") => Cell::toned(format!("{} ok", g.ok), Tone::Good),
        Some(other) => Cell::toned(format!("{} {other}", g.failed), Tone::Bad),
        None => Cell::toned(g.none, Tone::Muted),
    }
}

/// What a prune would do to the backups of a group, the newest first as they are given.
pub fn prune<'a>(group: &[Backup<'a>], rules: &Retention, zone: &TimeZone) -> Vec<(&'a Volume, Fate)> {
    let volumes: Vec<&Volume> = group.iter().map(|backup| backup.volume).collect();
    let fates = prune::prune(&volumes, rules, zone);
    volumes.into_iter().zip(fates).collect()
}
