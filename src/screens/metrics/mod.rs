//! Graphs of what is selected, or of one object: from what was seen in this run, from what Proxmox recorded.
//!
//! What always holds here:
//! - Where the values come from and how old they are is always said; so is why there are none.
//! - A Prometheus that watches the cluster is asked first: a query for each line. Otherwise the last half hour of a
//!   whole cluster is one request, and what is older is one for each object.
//! - Several marked objects are compared, as many as can be told apart.

mod forecast;
mod menu;
mod monitored;
mod source;
mod top;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use self::menu::{RANGES, span_name};
use self::{
    menu::{Chosen, Entry, Menu, entries},
    source::Gathered,
};
use super::{Cx, Pane, Place, Reply, freshness};
use crate::{
    actions::{Id, Scope},
    domain::{
        ObjectRef,
        measure::{Measure, Shown},
    },
    store::{Feed, FeedKey, MonitorFeed, MonitorKey},
    ui::{
        Canvas, Tone,
        graph::{Drawn, Graph, View},
        pane::Title,
    },
};

/// How many objects are compared: more lines than this cannot be told apart.
const MOST: usize = 6;
/// How far one step of panning goes, and one of the cursor, as parts of what is in sight.
const PAN: f64 = 0.25;
const STEP: f64 = 0.02;

/// The kinds of object, each of which keeps the metric that was chosen for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Node,
    Guest,
    Storage,
}

impl Kind {
    fn of(object: &ObjectRef) -> Option<Self> {
        match object {
            ObjectRef::Node(_) => Some(Self::Node),
            ObjectRef::Guest(_) => Some(Self::Guest),
            ObjectRef::Storage(_) => Some(Self::Storage),
            _ => None,
        }
    }
}

/// The graphs of an object, or of what is selected elsewhere.
pub struct Metrics {
    /// What is shown, the selected one first; all of one kind. Empty until something was selected.
    objects: Vec<ObjectRef>,
    /// How many were marked beyond what is shown.
    left_out: usize,
    chosen: BTreeMap<Kind, Shown>,
    /// The metric to begin with, of whatever kind has it.
    first: Option<Shown>,
    view: View,
    menu: Option<Menu>,
    /// Whether those with the highest values are to be shown as soon as they are known.
    top: bool,
    gathered: Gathered,
    graph: Option<Graph>,
    drawn: Option<Drawn>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            left_out: 0,
            chosen: BTreeMap::new(),
            first: None,
            view: View::new(SignedDuration::from_hours(1)),
            menu: None,
            top: false,
            gathered: Gathered::default(),
            graph: None,
            drawn: None,
        }
    }
}

impl Metrics {
    /// Graphs that begin with a metric and a span of time.
    pub fn showing(metric: Option<Shown>, span: Option<SignedDuration>) -> Self {
        let usual = Self::default();
        Self {
            first: metric,
            view: span.map_or(usual.view, View::new),
            ..usual
        }
    }

    /// The same of one object.
    #[must_use]
    pub fn of(self, object: ObjectRef) -> Self {
        Self {
            objects: vec![object],
            ..self
        }
    }

    /// The same around a moment, with the cursor on it.
    #[must_use]
    pub fn around(mut self, at: Timestamp) -> Self {
        self.view = View::around(at, self.view.span());
        self
    }

    /// Shows what is selected elsewhere, compared with what is marked there. What has no graphs changes nothing.
    pub fn follow(&mut self, selected: Option<&ObjectRef>, marks: Option<&BTreeSet<ObjectRef>>) {
        let Some(selected) = selected.filter(|object| Kind::of(object).is_some()) else {
            return;
        };
        let alike = |object: &&ObjectRef| Kind::of(object) == Kind::of(selected);
        let marked: Vec<&ObjectRef> = marks.into_iter().flatten().filter(alike).collect();
        let mut objects: Vec<ObjectRef> = Vec::new();
        // Once something is marked, it is what the marks say that is compared.
        if marked.is_empty() || marked.contains(&selected) {
            objects.push(selected.clone());
        }
        objects.extend(
            marked
                .iter()
                .filter(|object| **object != selected)
                .map(|object| (*object).clone()),
        );
        self.left_out = objects.len().saturating_sub(MOST);
        objects.truncate(MOST);
        if self.objects != objects {
            self.top = false;
            self.objects = objects;
            self.menu = None;
        }
    }

    fn kind(&self) -> Option<Kind> {
        self.objects.first().and_then(Kind::of)
    }

    /// The metrics that there are.
    fn entries(&self, cx: &Cx<'_>) -> Vec<Entry> {
        self.objects
            .first()
            .map_or_else(Vec::new, |object| entries(cx, object))
    }

    /// The metric that is shown.
    fn shown(&self) -> Option<Shown> {
        let all = Measure::of(self.objects.first()?);
        let chosen = self.kind().and_then(|kind| self.chosen.get(&kind));
        let possible = |shown: &&Shown| match shown {
            Shown::Measure(measure) => all.contains(measure),
            // Whether there is such a metric only its server knows.
            Shown::Metric(_) => true,
        };
        let chosen = chosen.or(self.first.as_ref()).filter(possible).cloned();
        chosen.or_else(|| all.first().map(|measure| (*measure).into()))
    }

    fn choose(&mut self, chosen: Option<Chosen>, cx: &Cx<'_>) {
        match (chosen, self.kind()) {
            (Some(Chosen::Metric(shown)), Some(kind)) => {
                self.chosen.insert(kind, shown);
            }
            (Some(Chosen::Range(span)), _) => self.view.set_span(span, cx.now),
            _ => {}
        }
    }

    /// Up and down: in the menu, or to the next metric.
    fn step(&mut self, by: isize, cx: &Cx<'_>) {
        let all = self.entries(cx);
        if let Some(menu) = &mut self.menu {
            menu.step(by, &all);
        } else if let Some(shown) = self.shown() {
            let mut menu = Menu::measures(&all, &shown);
            menu.step(by, &all);
            self.choose(menu.chosen(&all), cx);
        }
    }

    /// Opens a menu, or takes what is selected in it.
    fn toggle(&mut self, wanted: Menu, cx: &Cx<'_>) {
        match self.menu.take() {
            Some(open) if std::mem::discriminant(&open) == std::mem::discriminant(&wanted) => {
                self.choose(open.chosen(&self.entries(cx)), cx);
            }
            _ => self.menu = Some(wanted),
        }
    }

    fn moved(&mut self, change: impl FnOnce(&mut View)) -> Reply {
        change(&mut self.view);
        Reply::Done
    }

    /// The name of what is shown.
    fn name(&self, cx: &Cx<'_>) -> String {
        match self.objects.as_slice() {
            [] => "Metrics".to_owned(),
            [one] => format!("Metrics {} {}", cx.glyphs.dot, source::name(cx, one)),
            several => format!("Metrics {} {} compared", cx.glyphs.dot, several.len()),
        }
    }

    fn detail(&self, cx: &Cx<'_>) -> String {
        let Some(shown) = self.shown() else {
            return String::new();
        };
        let span = span_name(self.view.span());
        let when = if self.view.follows() {
            format!("last {span}")
        } else {
            let end = self.view.extent(cx.now).to.to_zoned(cx.zone.clone());
            format!("{span} to {}", end.strftime("%m-%d %H:%M"))
        };
        let mut parts = vec![shown.as_str().to_owned(), when];
        parts.extend(Some(self.gathered.source.clone()).filter(|source| !source.is_empty()));
        parts.extend(self.gathered.note.clone());
        if self.left_out > 0 {
            parts.push(format!("{} more are marked", self.left_out));
        }
        parts.join(&format!(" {} ", cx.glyphs.dot))
    }
}

impl Pane for Metrics {
    fn title(&self, cx: &Cx<'_>) -> Title {
        Title {
            number: None,
            name: self.name(cx),
            detail: self.detail(cx),
            freshness: freshness::with_monitors(
                cx,
                self.gathered.feeds.iter().cloned(),
                // The names of metrics are seldom read, and nothing is seen of them.
                self.gathered
                    .monitors
                    .iter()
                    .filter(|key| key.feed != MonitorFeed::Names),
            ),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Graph
    }

    fn interest(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>) {
        if self.top {
            let clusters = cx.store.clusters().iter();
            feeds.extend(clusters.map(|cluster| Feed::Readings.of(cluster.id())));
        }
        if let Some(shown) = self.shown() {
            feeds.extend(source::feeds(cx, &self.objects, &shown, &self.view));
        }
    }

    fn monitors(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<MonitorKey>) {
        if let Some(shown) = self.shown() {
            feeds.extend(source::monitors(cx, &self.objects, &shown, &self.view));
        }
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        self.find_top(cx);
        let Some(shown) = self.shown() else {
            self.graph = None;
            self.gathered = Gathered::default();
            return;
        };
        let (gathered, graph) = source::gather(cx, &self.objects, &shown, &self.view);
        self.gathered = gathered;
        self.graph = Some(graph);
    }

    fn act(&mut self, action: Id, cx: &Cx<'_>) -> Reply {
        match action {
            Id::GraphMetric => {
                let Some(shown) = self.shown() else {
                    return Reply::Say(Tone::Warn, "nothing is selected that has metrics".to_owned());
                };
                self.toggle(Menu::measures(&self.entries(cx), &shown), cx);
            }
            Id::GraphRange => self.toggle(Menu::ranges(self.view.span()), cx),
            Id::GraphTop => {
                if self.objects.is_empty() {
                    return Reply::Say(Tone::Warn, "select a node, a guest or a storage first".to_owned());
                }
                self.top = true;
            }
            Id::GraphUp => self.step(-1, cx),
            Id::GraphDown => self.step(1, cx),
            Id::GraphOpen => match self.menu.take() {
                Some(menu) => self.choose(menu.chosen(&self.entries(cx)), cx),
                None => {
                    return match self.objects.first() {
                        Some(object) => Reply::Go(Place::Object(object.clone())),
                        None => Reply::Say(Tone::Warn, "nothing is selected".to_owned()),
                    };
                }
            },
            Id::GraphEarlier => return self.moved(|view| view.pan(-PAN, cx.now)),
            Id::GraphLater => return self.moved(|view| view.pan(PAN, cx.now)),
            Id::GraphNow => {
                return self.moved(|view| {
                    view.follow();
                    view.set_cursor(None);
                });
            }
            Id::GraphNearer => return self.moved(|view| view.zoom(true, cx.now)),
            Id::GraphFarther => return self.moved(|view| view.zoom(false, cx.now)),
            Id::GraphCursorLeft => return self.moved(|view| view.move_cursor(-STEP, cx.now)),
            Id::GraphCursorRight => return self.moved(|view| view.move_cursor(STEP, cx.now)),
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn span(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let extent = self.view.extent(now);
        Some((extent.from, extent.to))
    }

    fn retreat(&mut self) -> bool {
        if self.menu.take().is_some() {
            return true;
        }
        let had = self.view.cursor().is_some();
        self.view.set_cursor(None);
        had
    }

    fn subject(&self) -> Option<ObjectRef> {
        self.objects.first().cloned()
    }

    fn click(&mut self, x: u16, y: u16, _cx: &Cx<'_>) -> Reply {
        let at = self.drawn.and_then(|drawn| drawn.moment(x, y));
        if at.is_some() {
            self.view.set_cursor(at);
        }
        Reply::Done
    }

    fn scroll(&mut self, lines: isize, cx: &Cx<'_>) {
        self.view.pan(lines.signum() as f64 * PAN / 2.0, cx.now);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        let width = canvas.width();
        let Some(graph) = &mut self.graph else {
            canvas.text(1, 0, "select a node, a guest or a storage", width, Tone::Muted);
            return;
        };
        // The present moves on between two refreshes.
        graph.extent = self.view.extent(cx.now);
        graph.cursor = self.view.cursor();
        self.drawn = graph.draw(canvas);
        if let Some(menu) = self.menu {
            menu.draw(canvas, &self.entries(cx));
        }
    }
}
