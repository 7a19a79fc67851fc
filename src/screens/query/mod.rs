//! A line for a query: PromQL for a Prometheus, words for an exporter; the answer is a graph or a table.
//!
//! What always holds here:
//! - Nothing is asked before the line is kept with enter, and only what is seen: the graph or the table.
//! - The server's own words about a wrong query are shown, with its place.

mod answer;
mod draw;

use std::collections::BTreeSet;

use jiff::SignedDuration;

use self::answer::Row;
use super::{Cx, Pane, Reply, freshness};
use crate::{
    actions::{Id, Scope},
    domain::{MonitorKind, ObjectRef, metric::Unit, monitor::Stretch},
    store::{Monitor, MonitorFeed, MonitorKey},
    ui::{
        Canvas, Tone,
        graph::{Drawn, Graph, View},
        pane::Title,
    },
};

/// Points that a graph is asked for.
const POINTS: u16 = 240;
/// Lines of a graph: more cannot be told apart.
const LINES: usize = 8;
/// Completions that are shown.
const OFFERS: usize = 8;
/// How far one step of panning goes, and one of the cursor, as parts of what is in sight.
const PAN: f64 = 0.25;
const STEP: f64 = 0.02;

/// The pane of queries.
#[derive(Debug)]
pub struct Query {
    /// The line as it is typed.
    draft: String,
    /// The line as it was kept.
    asked: String,
    table: bool,
    /// Which of the servers that can be asked.
    source: usize,
    view: View,
    offset: usize,
    rows: Vec<Row>,
    /// Series of the answer, shown or not.
    series: usize,
    graph: Option<Graph>,
    drawn: Option<Drawn>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            draft: String::new(),
            asked: String::new(),
            table: false,
            source: 0,
            view: View::new(SignedDuration::from_hours(1)),
            offset: 0,
            rows: Vec::new(),
            series: 0,
            graph: None,
            drawn: None,
        }
    }
}

impl Query {
    /// The server that is asked.
    fn server<'a>(&self, cx: &Cx<'a>) -> Option<&'a Monitor> {
        let monitors = &cx.store.monitors;
        let exporters = monitors.of(MonitorKind::Exporter);
        let all: Vec<&Monitor> = monitors.of(MonitorKind::Prometheus).chain(exporters).collect();
        all.get(self.source % all.len().max(1)).copied()
    }

    /// What is read for the answer.
    fn key(&self, cx: &Cx<'_>) -> Option<MonitorKey> {
        let server = self.server(cx)?;
        if server.id().kind == MonitorKind::Exporter {
            return Some(MonitorFeed::Scrape.of(server.id()));
        }
        if self.asked.is_empty() {
            return None;
        }
        let query: Box<str> = self.asked.as_str().into();
        let feed = if self.table {
            MonitorFeed::Instant(query)
        } else {
            let stretch = Stretch {
                seconds: self.view.span().as_secs(),
                until: (!self.view.follows()).then(|| self.view.extent(cx.now).to),
                points: POINTS,
            };
            MonitorFeed::Range(query, stretch)
        };
        Some(feed.of(server.id()))
    }

    fn moved(&mut self, change: impl FnOnce(&mut View)) -> Reply {
        change(&mut self.view);
        Reply::Done
    }

    /// Names of metrics that go on as the last word of the line begins.
    fn offers<'a>(&self, cx: &Cx<'a>) -> Vec<&'a str> {
        let word = last_word(&self.draft);
        if word.is_empty() {
            return Vec::new();
        }
        let Some(server) = self.server(cx) else {
            return Vec::new();
        };
        let mut names: Vec<&'a str> = match server.names() {
            Some(names) => {
                let first = names.partition_point(|name| **name < *word);
                names[first..]
                    .iter()
                    .map(|name| &**name)
                    .take_while(|name| name.starts_with(word))
                    .collect()
            }
            None => server
                .scrape()
                .into_iter()
                .flat_map(|scrape| scrape.points.iter().filter_map(|(labels, _)| labels.name()))
                .filter(|name| name.starts_with(word))
                .collect(),
        };
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The word that is being typed: what can be the name of a metric, at the end of the line.
fn last_word(line: &str) -> &str {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let start = line
        .char_indices()
        .rev()
        .take_while(|(_, c)| part(*c))
        .last()
        .map_or(line.len(), |(at, _)| at);
    &line[start..]
}

/// What several names have in common at their beginning.
fn common<'a>(names: &[&'a str]) -> &'a str {
    let Some((first, rest)) = names.split_first() else {
        return "";
    };
    let mut length = first.len();
    for name in rest {
        let same = first
            .bytes()
            .zip(name.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        length = length.min(same);
    }
    // Within a letter of several bytes there is no end.
    (0..=length)
        .rev()
        .find_map(|end| first.get(..end))
        .unwrap_or_default()
}

impl Pane for Query {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let dot = cx.glyphs.dot;
        let mut parts: Vec<String> = self
            .server(cx)
            .map(|server| server.id().to_string())
            .into_iter()
            .collect();
        if !self.table {
            parts.push(format!(
                "last {}",
                crate::domain::quantity::long_span(self.view.span().as_secs())
            ));
        }
        if self.series > 0 {
            let shown = if self.table {
                self.series
            } else {
                self.series.min(LINES)
            };
            parts.push(if shown < self.series {
                format!("{shown} of {} series", self.series)
            } else {
                format!("{shown} series")
            });
        }
        Title {
            number: None,
            name: "Query".to_owned(),
            detail: parts.join(&format!(" {dot} ")),
            freshness: freshness::with_monitors(cx, [], self.key(cx).as_ref()),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Graph
    }

    fn interest(&self, _cx: &Cx<'_>, _feeds: &mut BTreeSet<crate::store::FeedKey>) {}

    fn monitors(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<MonitorKey>) {
        if let Some(server) = self.server(cx)
            && server.id().kind == MonitorKind::Prometheus
        {
            feeds.insert(MonitorFeed::Names.of(server.id()));
        }
        feeds.extend(self.key(cx));
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        let server = self.server(cx);
        let key = self.key(cx);
        let answer = key.as_ref().and_then(|key| cx.store.monitors.answer(key));
        let extent = self.view.extent(cx.now);
        let gathered = match (server.and_then(Monitor::scrape), answer) {
            (Some(scrape), _) => answer::of_scrape(scrape, &self.asked, cx.glyphs),
            (None, Some(answer)) => answer::of_query(&answer.value, cx.glyphs),
            (None, None) => answer::Gathered::default(),
        };
        self.series = gathered.series;
        let step = match key.as_ref().map(|key| &key.feed) {
            Some(MonitorFeed::Range(_, stretch)) => stretch.window(cx.now).step,
            _ => SignedDuration::from_secs(30),
        };
        self.graph = (!self.table).then(|| Graph {
            traces: gathered.traces(LINES, step * 3 / 2),
            extent,
            unit: Unit::Number,
            limits: Vec::new(),
            moments: Vec::new(),
            cursor: self.view.cursor(),
            zone: cx.zone.clone(),
            empty: self.emptiness(cx),
        });
        self.rows = gathered.rows;
        self.offset = self.offset.min(self.rows.len().saturating_sub(1));
    }

    fn act(&mut self, action: Id, cx: &Cx<'_>) -> Reply {
        match action {
            Id::GraphTable => {
                self.table = !self.table;
                self.offset = 0;
            }
            Id::GraphSource => {
                self.source += 1;
                return match self.server(cx) {
                    Some(server) => Reply::Say(Tone::Info, format!("{} is asked", server.id())),
                    None => Reply::Say(Tone::Warn, "no monitoring server is configured".to_owned()),
                };
            }
            Id::GraphUp => self.offset = self.offset.saturating_sub(1),
            Id::GraphDown => self.offset = (self.offset + 1).min(self.rows.len().saturating_sub(1)),
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

    fn subject(&self) -> Option<ObjectRef> {
        None
    }

    fn filter(&self) -> Option<&str> {
        Some(&self.draft)
    }

    fn set_filter(&mut self, line: &str) {
        line.clone_into(&mut self.draft);
    }

    fn is_filtered(&self) -> bool {
        false
    }

    fn accept(&mut self) {
        self.asked = self.draft.trim().to_owned();
        self.offset = 0;
    }

    fn complete(&self, cx: &Cx<'_>) -> Option<String> {
        let names = self.offers(cx);
        let word = last_word(&self.draft);
        let longest = common(&names);
        let chosen = if longest.len() > word.len() {
            longest
        } else {
            names.first()?
        };
        let before = &self.draft[..self.draft.len() - word.len()];
        Some(format!("{before}{chosen}"))
    }

    fn retreat(&mut self) -> bool {
        let had = self.view.cursor().is_some();
        self.view.set_cursor(None);
        had
    }

    fn click(&mut self, x: u16, y: u16, _cx: &Cx<'_>) -> Reply {
        let at = self.drawn.and_then(|drawn| drawn.moment(x, y));
        if at.is_some() {
            self.view.set_cursor(at);
        }
        Reply::Done
    }

    fn scroll(&mut self, lines: isize, _cx: &Cx<'_>) {
        let most = self.rows.len().saturating_sub(1);
        self.offset = self.offset.saturating_add_signed(lines).min(most);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, _focused: bool) {
        self.paint(canvas, cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_what_is_completed() {
        for (line, word) in [
            ("", ""),
            ("up", "up"),
            ("rate(node_cpu", "node_cpu"),
            ("a{b=\"é", ""),
            ("sum by (x) (job:up:", "job:up:"),
        ] {
            assert_eq!(last_word(line), word, "{line}");
        }
        assert_eq!(common(&["node_load1", "node_load15", "node_load5"]), "node_load");
        assert_eq!(common(&["é1", "ë1"]), "");
        assert_eq!(common(&[]), "");
    }
}
