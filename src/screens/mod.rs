//! The panes, one folder each: `mod.rs` holds state and decisions, `view.rs` says what to show, `draw.rs` how.
//!
//! What always holds here:
//! - A pane decides from the store, the time and the settings it is given ([`Cx`]); it reads no clock, does no I/O
//!   and knows no other pane.
//! - What it needs to know it declares as [`Pane::interest`]; somebody else reads it.
//! - Every pane tells the age of its data and its last error in its [`Title`].

pub mod alarms;
pub mod alerts;
pub mod backups;
pub mod clusters;
mod columns;
pub mod console;
pub mod datastores;
pub mod deck;
pub mod figures;
pub mod findings;
pub mod flags;
pub mod freshness;
pub mod guests;
pub mod jobs;
pub mod list;
pub mod log;
pub mod metrics;
pub mod nodes;
pub mod object;
pub mod query;
pub mod raw;
pub mod restore_points;
pub mod restoring;
pub mod runs;
mod scrolling;
pub mod server_backups;
pub mod silences;
pub mod snapshots;
pub mod states;
pub mod storages;
pub mod tasks;

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

pub use crate::actions::Place;

use crate::{
    actions::{self, Scope},
    domain::ObjectRef,
    plan::runs::{Runs, Ticket},
    store::{FeedKey, MonitorKey, Store},
    ui::{Canvas, Glyphs, Tone, pane::Title},
};

/// What a pane decides and draws from.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The last known truth.
    pub store: &'a Store,
    /// What is being done, and was.
    pub runs: &'a Runs,
    /// The time of the event that is being handled.
    pub now: Timestamp,
    /// The zone in which times are shown.
    pub zone: &'a TimeZone,
    /// The signs of this terminal.
    pub glyphs: &'a Glyphs,
}

/// What a pane answers to an action.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// It is not the pane's business.
    Ignored,
    /// Done; the pane may look different now.
    Done,
    /// Go to another place.
    Go(Place),
    /// Tell the user something for a moment.
    Say(Tone, String),
}

/// A pane: a tile of the deck, or a whole screen.
pub trait Pane {
    /// What its frame says.
    fn title(&self, cx: &Cx<'_>) -> Title;

    /// In which scope its keys are looked up.
    fn scope(&self) -> Scope;

    /// Adds the feeds that it shows now.
    fn interest(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>);

    /// Adds the feeds of monitoring servers that it shows now.
    fn monitors(&self, _cx: &Cx<'_>, _feeds: &mut BTreeSet<MonitorKey>) {}

    /// Follows the store: called after the store or the pane's own filter or sort changed, before drawing.
    fn refresh(&mut self, cx: &Cx<'_>);

    /// Does an action of the table, if it is the pane's business.
    fn act(&mut self, action: actions::Id, cx: &Cx<'_>) -> Reply;

    /// The selected or shown object.
    fn subject(&self) -> Option<ObjectRef>;

    /// The selection is meant: from now on it stays on its object, even if nobody has moved it.
    fn hold(&mut self) {}

    /// The selected or shown run.
    fn run(&self) -> Option<Ticket> {
        None
    }

    /// The marked objects, if it is a list with marks.
    fn marks(&self) -> Option<&BTreeSet<ObjectRef>> {
        None
    }

    /// Its filter line (or the text that is searched), if it can be filtered.
    fn filter(&self) -> Option<&str> {
        None
    }

    /// Changes the filter line. Called with each key while it is typed.
    fn set_filter(&mut self, _line: &str) {}

    /// The time that is in sight, if it is a graph.
    fn span(&self, _now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        None
    }

    /// Whether the filter hides anything, so that going back empties it first.
    fn is_filtered(&self) -> bool {
        self.filter().is_some_and(|filter| !filter.is_empty())
    }

    /// The line that was typed is kept.
    fn accept(&mut self) {}

    /// The line that is typed, completed.
    fn complete(&self, _cx: &Cx<'_>) -> Option<String> {
        None
    }

    /// Goes back one step within the pane: closes a menu, takes a cursor away. Returns whether there was one.
    fn retreat(&mut self) -> bool {
        false
    }

    /// A click at a place relative to the inside of its frame.
    fn click(&mut self, _x: u16, _y: u16, _cx: &Cx<'_>) -> Reply {
        Reply::Ignored
    }

    /// The wheel: lines down, or up if negative.
    fn scroll(&mut self, _lines: isize, _cx: &Cx<'_>) {}

    /// Draws the inside of its frame. Changes nothing but scroll offsets.
    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, focused: bool);
}
