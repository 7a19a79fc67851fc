//! All decisions: `update(Event) → Vec<Effect>`. No I/O and no clock: the time comes with each event.
//!
//! What always holds here:
//! - [`App`] is the one owner of state.
//! - An update that may change the screen sets the dirty flag; the runtime sends only the cells that differ, so an
//!   idle estate sends nothing to the terminal.
//! - Every key goes the same way: chord → keymap, from the focused pane's scope outwards → action → pane or app.

mod acting;
mod alerts;
mod consoles;
mod draw;
mod event;
mod handover;
mod header;
mod history;
mod judge;
mod keys;
mod menu;
mod mouse;
mod opening;
mod palette;
mod panes;
mod runs;
mod update;

use std::collections::{BTreeMap, BTreeSet};

pub use consoles::{ConsoleEvent, ConsoleOrder};
pub use event::{Effect, Event, HandOver, Mouse};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
pub use opening::{Alone, Outcome};

use self::{history::History, panes::Panes};
use crate::{
    domain::{AlertKey, ClusterId, Severity, measure::Shown},
    overlays::{Ask, Confirm, Form, Help, Menu, Palette, Toasts},
    plan::{Rules, runs::Runs},
    screens::{Cx, Place},
    settings::{ColorDepth, Ssh, keymap::Keymap},
    store::{Feed, FeedKey, MonitorKey, Store},
    ui::{Glyphs, Rect, Theme, line::Line},
};

/// What the application is started with.
pub struct Setup {
    /// The store, with all clusters and perhaps their last known state in it.
    pub store: Store,
    /// Keys.
    pub keymap: Keymap,
    /// Themes to go through, the first one in use. Never empty in practice; an empty list draws without colours.
    pub themes: Vec<Theme>,
    /// Signs.
    pub glyphs: Glyphs,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// Who is signed in, as the header shows it: `alice@pam`. Empty if it differs between clusters.
    pub user: String,
    /// The clusters that may be written to.
    pub writable: BTreeSet<ClusterId>,
    /// What the configuration says about acting.
    pub rules: Rules,
    /// What gets the terminal for a node or a guest; `None` where nothing can be reached, as in the demo.
    pub ssh: Option<Ssh>,
    /// How many colours the terminal has: consoles of guests come down to them.
    pub depth: ColorDepth,
    /// Whether the mouse is taken at first.
    pub mouse: bool,
    /// Where to begin.
    pub place: Place,
    /// A console that is all there is.
    pub alone: Option<Alone>,
    /// What to tell at once: warnings of the configuration.
    pub warnings: Vec<String>,
    /// The metric and the span of time that graphs begin with; their own choice if nothing is said.
    pub graph: (Option<Shown>, Option<SignedDuration>),
}

/// What panes decide from, kept apart from the panes so that both can be borrowed at once.
struct World {
    store: Store,
    runs: Runs,
    zone: TimeZone,
    glyphs: Glyphs,
    now: Timestamp,
}

impl World {
    fn cx(&self) -> Cx<'_> {
        Cx {
            store: &self.store,
            runs: &self.runs,
            now: self.now,
            zone: &self.zone,
            glyphs: &self.glyphs,
        }
    }
}

/// What lies over the panes and takes the keys.
enum Overlay {
    Palette(Palette),
    Help(Help),
    Menu(Menu),
    /// The form, and the feeds that its choices come from.
    Form {
        form: Form,
        feeds: BTreeSet<FeedKey>,
    },
    Confirm(Box<Confirm>),
    Ask(Ask),
    /// What is said about alerts when they are acknowledged.
    Remark {
        line: Line,
        alerts: Vec<(AlertKey, Severity)>,
    },
    /// The filter or search line of the focused pane, and what it was before.
    Filter {
        line: Line,
        before: String,
    },
}

/// The application.
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches, each with a key of its own"
)]
pub struct App {
    world: World,
    panes: Panes,
    history: History,
    /// Which tile of the deck has the focus.
    tile: usize,
    overlay: Option<Overlay>,
    toasts: Toasts,
    keymap: Keymap,
    themes: Vec<Theme>,
    theme: usize,
    size: (u16, u16),
    user: String,
    writable: BTreeSet<ClusterId>,
    ssh: Option<Ssh>,
    /// What is about to get the terminal, as soon as its address is read.
    departing: Option<handover::Departure>,
    depth: ColorDepth,
    /// The console to begin with, until it is begun, and whether there is nothing else.
    alone: Option<Alone>,
    is_alone: bool,
    outcome: Option<Outcome>,
    /// Consoles that are not ordered yet.
    openings: Vec<opening::Opening>,
    /// Sessions of consoles until now.
    sessions: u64,
    mouse: bool,
    paused: bool,
    dirty: bool,
    /// What the last `Effect::Watch` said.
    watched: (BTreeSet<FeedKey>, bool),
    /// What the last `Effect::WatchMonitors` said.
    watched_monitors: (BTreeSet<MonitorKey>, bool),
    /// Where the last frame drew which pane: for the mouse.
    drawn: Vec<(Place, Rect)>,
    /// Where it drew the name of which tile.
    tabs: Vec<(usize, Rect)>,
    palette_past: Vec<String>,
    rules: Rules,
    /// Deeds that run as soon as what they want to know is read.
    quiet: Vec<acting::Quiet>,
    /// What runs have touched, until when it is looked at, and when it is read again.
    near: BTreeMap<FeedKey, (Timestamp, Timestamp)>,
    /// Whether one was at the runs after the last event.
    at_runs: bool,
}

impl App {
    /// Builds the application at a time and for a size.
    pub fn new(setup: Setup, now: Timestamp, size: (u16, u16)) -> Self {
        let mut toasts = Toasts::default();
        for warning in setup.warnings {
            toasts.say(crate::ui::Tone::Warn, warning, now);
        }
        let themes = if setup.themes.is_empty() {
            vec![Theme::mono()]
        } else {
            setup.themes
        };
        let mut app = Self {
            world: World {
                store: setup.store,
                runs: Runs::default(),
                zone: setup.zone,
                glyphs: setup.glyphs,
                now,
            },
            panes: Panes::new(setup.graph),
            history: History::new(setup.place),
            tile: 1,
            overlay: None,
            toasts,
            keymap: setup.keymap,
            themes,
            theme: 0,
            size,
            user: setup.user,
            writable: setup.writable,
            ssh: setup.ssh,
            departing: None,
            depth: setup.depth,
            is_alone: setup.alone.is_some(),
            alone: setup.alone,
            outcome: None,
            openings: Vec::new(),
            sessions: 0,
            mouse: setup.mouse,
            paused: false,
            dirty: true,
            watched: (BTreeSet::new(), false),
            watched_monitors: (BTreeSet::new(), false),
            drawn: Vec::new(),
            tabs: Vec::new(),
            palette_past: Vec::new(),
            rules: setup.rules,
            quiet: Vec::new(),
            near: BTreeMap::new(),
            at_runs: false,
        };
        app.refresh();
        app
    }

    /// Whether the screen is not what it should be.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The last known truth.
    pub fn store(&self) -> &Store {
        &self.world.store
    }

    /// Where the user is.
    pub fn place(&self) -> &Place {
        self.history.here()
    }

    /// Whether everything on the screen was answered, well or badly.
    pub fn is_settled(&self) -> bool {
        let tried = |key: &FeedKey| self.world.store.freshness(key).tried_at.is_some();
        // The header speaks of quorum on every screen.
        let header = self.world.store.clusters().iter().all(|cluster| {
            cluster.freshness(&Feed::Resources).error.is_some()
                || cluster.freshness(&Feed::ClusterStatus).tried_at.is_some()
        });
        let monitors = &self.world.store.monitors;
        let answered = |key: &MonitorKey| monitors.freshness(key).tried_at.is_some();
        header && self.watched.0.iter().all(tried) && self.watched_monitors.0.iter().all(answered)
    }

    /// What of the screen could not be read, a sentence each.
    pub fn missing(&self) -> Vec<String> {
        let mut sentences: Vec<String> = self
            .watched
            .0
            .iter()
            .filter_map(|key| {
                let error = self.world.store.freshness(key).error?;
                Some(format!("{}: {}", key.cluster, error.message))
            })
            .collect();
        let monitors = &self.world.store.monitors;
        sentences.extend(self.watched_monitors.0.iter().filter_map(|key| {
            let error = monitors.freshness(key).error?;
            Some(format!("{}: {}", key.server, error.message))
        }));
        sentences.sort();
        sentences.dedup();
        sentences
    }

    fn theme(&self) -> &Theme {
        // `theme` is kept below the number of themes, which is never zero.
        &self.themes[self.theme]
    }

    /// The place whose pane has the focus: on the deck, that of the focused tile.
    fn focus(&self) -> Place {
        match self.history.here() {
            Place::Deck => panes::TILES[self.tile].clone(),
            other => other.clone(),
        }
    }

    /// The places whose panes are visible.
    fn visible(&self) -> Vec<Place> {
        match self.history.here() {
            Place::Deck => draw::visible_tiles(self.size, self.tile)
                .iter()
                .map(|tile| panes::TILES[*tile].clone())
                .collect(),
            other => vec![other.clone()],
        }
    }

    /// Lets the visible panes follow the store; on the deck all, because its line of tabs counts their rows.
    fn refresh(&mut self) {
        let places = match self.history.here() {
            Place::Deck => panes::TILES.to_vec(),
            other => vec![other.clone()],
        };
        let focus = self.focus();
        // What follows the selection comes last: the others work it out first.
        let follows = |place: &Place| {
            matches!(
                place,
                Place::Metrics | Place::SelectedSnapshots | Place::SelectedBackups
            )
        };
        let (followers, lists): (Vec<Place>, Vec<Place>) = places.into_iter().partition(follows);
        let all = lists
            .into_iter()
            .chain(followers)
            .map(|place| (follows(&place), place));
        for (follower, place) in all {
            if follower {
                self.panes.follow(&focus);
            }
            if let Some(pane) = self.panes.get(&place) {
                pane.refresh(&self.world.cx());
            }
        }
    }
}
