//! Which objects have findings: the flag behind their names.

use std::cmp::{Ordering, Reverse};

use jiff::Timestamp;

use crate::{
    domain::{FindingKind, ObjectRef, Severity},
    store::Store,
    ui::{Cell, Glyphs, Tone},
};

/// The flag of an object with a finding, or nothing.
pub fn cell(store: &Store, object: &ObjectRef, g: &Glyphs) -> Cell {
    let tone = match store.worst_finding(object) {
        None => return Cell::empty(),
        Some(Severity::Critical) => Tone::Critical,
        Some(Severity::Warning) => Tone::Warn,
        Some(Severity::Info) => Tone::Info,
    };
    Cell::toned(g.flag, tone)
}

/// The worse of two objects is the higher one.
pub fn compare(store: &Store, a: &ObjectRef, b: &ObjectRef) -> Ordering {
    let badness = |object| store.worst_finding(object).map(Reverse);
    badness(a).cmp(&badness(b))
}

/// Since when an object has a finding of this kind.
pub fn since(store: &Store, object: &ObjectRef, kind: FindingKind) -> Option<Timestamp> {
    store
        .findings_of(object)
        .find(|finding| finding.kind == kind)
        .map(|finding| finding.since)
}
