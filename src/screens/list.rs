//! The one list pane: nodes, guests, storages, tasks, findings and clusters differ only in what a [`Listing`] says.
//!
//! What always holds here:
//! - Rows are made from the store each time they are needed and never kept: the store is the only truth.
//! - An empty list says why it is empty: waiting, unreadable, filtered away, or really nothing there.
//! - Rows of a cluster whose data is old are dimmed; those of the others are not.

use std::{cmp::Ordering, collections::BTreeSet, marker::PhantomData};

use super::{
    Cx, Pane, Place, Reply, figures,
    freshness::{several_clusters, with_monitors},
};
use crate::{
    actions::{self, Id, Scope, Target},
    domain::{ClusterId, ObjectRef, filter::Filter},
    store::{Cluster, Feed, FeedKey, MonitorKey, Store},
    ui::{
        Canvas, Cell, Tone,
        pane::{Freshness, Title},
        table::{
            Column, Move, Rows, TableState,
            draw::{self, Look},
        },
    },
};

pub use super::columns::{Columns, longest};

/// What makes a list the list of something.
pub trait Listing {
    /// Its rows, over what the store holds.
    type Rows<'a>: Rows;
    /// What the frame calls it.
    const NAME: &'static str;
    /// The column that sorts at first, and whether from the highest.
    const SORT: (&'static str, bool);
    /// The feeds of each cluster that its rows are made of: its age is theirs.
    const FEEDS: &'static [Feed];
    /// Feeds that add to it and whose absence takes nothing away.
    const EXTRA: &'static [Feed] = &[];
    /// What to say when there is really nothing.
    const NONE: &'static str;
    /// What to say when nothing is configured that could have any.
    const NOBODY: &'static str = "No cluster is configured.";
    /// Whether rows of old data are dimmed. Not where the row is about just that.
    const DIMS: bool = true;

    /// Whose rows they are: the clusters, unless it says otherwise.
    fn members(store: &Store) -> &[Cluster] {
        store.clusters()
    }

    /// Adds feeds that hang on what is known already; their absence takes nothing away.
    fn more(_cx: &Cx<'_>, _feeds: &mut BTreeSet<FeedKey>) {}

    /// The rows as of now.
    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a>;

    /// A number that changes when rows, or what they are sorted by, change.
    fn revision(store: &Store) -> u64;

    /// The columns that are asked of monitoring: the place of each among the columns, and its number in the store.
    fn measured(_rows: &Self::Rows<'_>) -> Vec<(usize, usize)> {
        Vec::new()
    }

    /// What the frame says besides the number of rows.
    fn note(_store: &Store) -> String {
        String::new()
    }

    /// Its rows about one object, where it can follow what is selected elsewhere.
    fn rows_of<'a>(cx: &Cx<'a>, _of: Option<&ObjectRef>) -> Self::Rows<'a> {
        Self::rows(cx)
    }

    /// Feeds beyond [`Listing::FEEDS`] that it is made of, and of which its age is.
    fn more_feeds(_cx: &Cx<'_>, _of: Option<&ObjectRef>) -> Vec<FeedKey> {
        Vec::new()
    }

    /// Feeds that are read while one looks and of which its age is not.
    fn survey(_cx: &Cx<'_>, _of: Option<&ObjectRef>) -> Vec<FeedKey> {
        Vec::new()
    }

    /// Whether it can follow this object.
    fn follows(_object: &ObjectRef) -> bool {
        false
    }

    /// The feeds of monitoring servers that its rows are made of as well.
    fn monitors(_store: &Store) -> Vec<MonitorKey> {
        Vec::new()
    }

    /// Where opening a row leads.
    fn open(_store: &Store, object: ObjectRef) -> Place {
        Place::Object(object)
    }
}

/// A list pane.
pub struct List<L> {
    table: TableState,
    /// Whether the first sort is set: the columns are known only with the first rows.
    started: bool,
    /// What it follows: only what is about that is shown.
    of: Option<ObjectRef>,
    /// Whether it follows at all.
    following: bool,
    /// How often it turned to another object.
    turns: u64,
    /// How wide the last frame was: clicks and sorting go by the columns that were shown.
    width: u16,
    listing: PhantomData<fn() -> L>,
}

impl<L> Default for List<L> {
    fn default() -> Self {
        Self {
            table: TableState::default(),
            started: false,
            of: None,
            following: false,
            turns: 0,
            width: u16::MAX,
            listing: PhantomData,
        }
    }
}

impl<L: Listing> List<L> {
    /// One that shows what is selected elsewhere.
    pub fn following() -> Self {
        Self {
            following: true,
            ..Self::default()
        }
    }

    /// Shows what is about an object from now on, if it can.
    pub fn follow_object(&mut self, object: Option<&ObjectRef>) {
        if let Some(object) = object.filter(|object| self.following && L::follows(object))
            && self.of.as_ref() != Some(object)
        {
            self.of = Some(object.clone());
            self.turns += 1;
        }
    }

    /// Changes whenever its rows may.
    fn revision(&self, store: &Store) -> u64 {
        L::revision(store).wrapping_add(self.turns << 40)
    }

    /// The feeds of which its age is.
    fn own_keys(&self, cx: &Cx<'_>) -> Vec<FeedKey> {
        let mut keys: Vec<FeedKey> = Self::keys(cx, L::FEEDS).collect();
        keys.extend(L::more_feeds(cx, self.of.as_ref()));
        keys
    }

    /// The rows, with order and selection worked out for them.
    fn follow<'a>(&mut self, cx: &Cx<'a>) -> L::Rows<'a> {
        let rows = L::rows_of(cx, self.of.as_ref());
        if !self.started {
            self.started = true;
            let (title, descending) = L::SORT;
            if let Some(column) = rows.columns().iter().position(|column| column.title == title) {
                let mut table = TableState::sorted_by(column, descending);
                table.set_filter(self.table.filter_line());
                self.table = table;
            }
        }
        let revision = self.revision(cx.store);
        self.table.refresh(&rows, revision);
        rows
    }

    fn keys<'a>(cx: &Cx<'a>, feeds: &'static [Feed]) -> impl Iterator<Item = FeedKey> + 'a {
        L::members(cx.store)
            .iter()
            .flat_map(|cluster| feeds.iter().map(move |feed| feed.clone().of(cluster.id())))
    }

    fn freshness(&self, cx: &Cx<'_>) -> Freshness {
        with_monitors(cx, self.own_keys(cx), &L::monitors(cx.store))
    }

    fn detail(&self, cx: &Cx<'_>, fresh: &Freshness) -> String {
        let dot = cx.glyphs.dot;
        let total = self.table.total();
        let mut detail = match self.table.filter_line().trim() {
            "" if fresh.age.is_empty() && total == 0 => String::new(),
            "" => match L::note(cx.store) {
                note if note.is_empty() => total.to_string(),
                note => format!("{total} {dot} {note}"),
            },
            line => format!("{} of {total} {dot} {line}", self.table.order().len()),
        };
        let marks = self.table.marks().len();
        if marks > 0 {
            detail = format!("{detail} {dot} {marks} marked");
        }
        if let Some(trouble) = self.trouble(cx) {
            detail = format!("{detail} {dot} {trouble}");
        }
        detail
    }

    /// Why there is no row.
    fn emptiness(&self, cx: &Cx<'_>) -> String {
        let total = self.table.total();
        if total > 0 {
            return format!(
                "Nothing matches {:?}. Empty the filter line to see all {total}.",
                self.table.filter_line().trim()
            );
        }
        if L::members(cx.store).is_empty() {
            return L::NOBODY.to_owned();
        }
        let mut waiting = false;
        let mut stale = false;
        if self.following && self.of.is_none() {
            return "Nothing is selected yet.".to_owned();
        }
        for key in self.own_keys(cx) {
            let feed = cx.store.freshness(&key);
            match (feed.data_at, feed.error) {
                (None, Some(error)) if several_clusters(cx) => {
                    return format!("{} could not be read: {}", key.cluster, error.message);
                }
                (None, Some(error)) => return format!("Could not be read: {}", error.message),
                (None, None) => waiting = true,
                (Some(_), _) => stale |= feed.is_stale(cx.now),
            }
        }
        if waiting {
            "Waiting for the first data.".to_owned()
        } else if stale {
            format!("{} That was the last good answer.", L::NONE)
        } else {
            L::NONE.to_owned()
        }
    }

    /// The clusters whose rows are old.
    fn stale<'a>(cx: &Cx<'a>) -> Vec<&'a ClusterId> {
        L::members(cx.store)
            .iter()
            .filter(|cluster| {
                L::FEEDS
                    .iter()
                    .any(|feed| cluster.freshness(feed).is_stale(cx.now))
            })
            .map(Cluster::id)
            .collect()
    }

    /// The columns of monitoring that have room: the others are not asked for.
    fn measured(&self, cx: &Cx<'_>) -> Vec<usize> {
        let rows = L::rows(cx);
        let mut measured = L::measured(&rows);
        measured.retain(|(column, _)| draw::is_shown(rows.columns(), self.width, *column));
        measured.into_iter().map(|(_, number)| number).collect()
    }

    /// What is wrong with columns of monitoring.
    fn trouble(&self, cx: &Cx<'_>) -> Option<String> {
        self.measured(cx).into_iter().find_map(|number| {
            let trouble = cx.store.monitors.column_trouble(number)?;
            Some(format!("{}: {trouble}", cx.store.monitors.column(number)?.name))
        })
    }

    fn sort_by_next_shown(&mut self, rows: &L::Rows<'_>) {
        for _ in rows.columns() {
            self.table.sort_next(rows);
            let shown = self
                .table
                .sort()
                .is_some_and(|(column, _)| draw::is_shown(rows.columns(), self.width, column));
            if shown {
                break;
            }
        }
    }

    fn go(&self, action: actions::Id, to: impl FnOnce(ObjectRef) -> Place) -> Reply {
        let target = Target {
            object: self.table.selected(),
            list: true,
            ..Target::default()
        };
        match (actions::availability(action, target), target.object) {
            (Ok(()), Some(object)) => Reply::Go(to(object.clone())),
            (Ok(()), None) => Reply::Done,
            (Err(reason), _) => Reply::Say(Tone::Warn, reason.to_owned()),
        }
    }
}

impl<L: Listing> Pane for List<L> {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let freshness = self.freshness(cx);
        Title {
            number: None,
            name: match &self.of {
                Some(object) => format!("{} {} {}", L::NAME, cx.glyphs.dot, short_name(cx, object)),
                None => L::NAME.to_owned(),
            },
            detail: self.detail(cx, &freshness),
            freshness,
        }
    }

    fn scope(&self) -> Scope {
        Scope::List
    }

    fn interest(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>) {
        feeds.extend(Self::keys(cx, L::EXTRA));
        L::more(cx, feeds);
        if !self.following || self.of.is_some() {
            feeds.extend(self.own_keys(cx));
            feeds.extend(L::survey(cx, self.of.as_ref()));
        }
    }

    fn monitors(&self, cx: &Cx<'_>, feeds: &mut BTreeSet<MonitorKey>) {
        feeds.extend(L::monitors(cx.store));
        for number in self.measured(cx) {
            feeds.extend(cx.store.monitors.column_feeds(number));
        }
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        self.follow(cx);
    }

    fn act(&mut self, action: actions::Id, cx: &Cx<'_>) -> Reply {
        let rows = self.follow(cx);
        let table = &mut self.table;
        match action {
            Id::ListDown => table.go(Move::By(1), &rows),
            Id::ListUp => table.go(Move::By(-1), &rows),
            Id::ListPageDown => table.go(Move::Page(1), &rows),
            Id::ListPageUp => table.go(Move::Page(-1), &rows),
            Id::ListFirst => table.go(Move::First, &rows),
            Id::ListLast => table.go(Move::Last, &rows),
            Id::ListMark => table.toggle_mark(&rows),
            Id::ListMarkRange => table.mark_range(&rows),
            Id::ListMarkAll => table.mark_all(&rows),
            Id::ListSortNext => self.sort_by_next_shown(&rows),
            Id::ListSortReverse => table.sort_reverse(),
            Id::ListOpen => return self.go(action, |object| L::open(cx.store, object)),
            Id::ObjectDescribe => return self.go(action, Place::Object),
            Id::ObjectRaw => return self.go(action, Place::Raw),
            Id::ObjectLog => return self.go(action, Place::Log),
            _ => return Reply::Ignored,
        }
        let revision = self.revision(cx.store);
        self.table.refresh(&rows, revision);
        Reply::Done
    }

    fn subject(&self) -> Option<ObjectRef> {
        self.table.selected().cloned()
    }

    fn hold(&mut self) {
        self.table.hold();
    }

    fn marks(&self) -> Option<&BTreeSet<ObjectRef>> {
        Some(self.table.marks())
    }

    fn filter(&self) -> Option<&str> {
        Some(self.table.filter_line())
    }

    fn set_filter(&mut self, line: &str) {
        self.table.set_filter(line);
    }

    fn click(&mut self, x: u16, y: u16, cx: &Cx<'_>) -> Reply {
        let rows = self.follow(cx);
        match y.checked_sub(1) {
            Some(line) => {
                self.table.select_line(line.into(), &rows);
            }
            None => {
                if let Some(column) = draw::column_at(rows.columns(), self.width, x) {
                    self.table.sort_by(column, &rows);
                    let revision = self.revision(cx.store);
                    self.table.refresh(&rows, revision);
                }
            }
        }
        Reply::Done
    }

    fn scroll(&mut self, lines: isize, cx: &Cx<'_>) {
        let rows = self.follow(cx);
        self.table.scroll(lines, &rows);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, cx: &Cx<'_>, focused: bool) {
        self.width = canvas.width();
        let rows = self.follow(cx);
        let empty = if self.table.order().is_empty() {
            self.emptiness(cx)
        } else {
            String::new()
        };
        let dimmed = Dimmed {
            rows: &rows,
            stale: if L::DIMS { Self::stale(cx) } else { Vec::new() },
        };
        let look = Look {
            focused,
            stale: false,
            empty: &empty,
        };
        draw::table(canvas, &mut self.table, &dimmed, look);
    }
}

/// An object as the frame of a pane that follows it names it.
fn short_name(cx: &Cx<'_>, object: &ObjectRef) -> String {
    match object {
        ObjectRef::Guest(id) => match cx.store.guest(id) {
            Some(guest) => format!("{} {}", id.vmid, guest.label()),
            None => id.vmid.to_string(),
        },
        ObjectRef::Node(node) => node.node.to_string(),
        ObjectRef::Storage(storage) => storage.storage.to_string(),
        other => other.to_string(),
    }
}

/// Rows of which those of some clusters are old.
struct Dimmed<'r, R> {
    rows: &'r R,
    stale: Vec<&'r ClusterId>,
}

impl<R: Rows> Rows for Dimmed<'_, R> {
    fn columns(&self) -> &[Column] {
        self.rows.columns()
    }
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, row: usize) -> ObjectRef {
        self.rows.id(row)
    }
    fn matches(&self, row: usize, filter: &Filter) -> bool {
        self.rows.matches(row, filter)
    }
    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        self.rows.compare(a, b, column)
    }
    fn cell(&self, row: usize, column: usize) -> Cell {
        let cell = self.rows.cell(row, column);
        if !self.stale.is_empty() && self.stale.contains(&self.rows.id(row).cluster()) {
            cell.all(Tone::Muted)
        } else {
            cell
        }
    }
}

/// A cell of a column of monitoring. What could not be read anew is dimmed.
pub fn measured(cx: &Cx<'_>, number: usize, object: &ObjectRef) -> Cell {
    let monitors = &cx.store.monitors;
    let Some(column) = monitors.column(number) else {
        return Cell::empty();
    };
    let cell = figures::measured(monitors.column_value(number, object), column.unit, cx.glyphs);
    if monitors.column_failed(number, object.cluster()) {
        cell.all(Tone::Muted)
    } else {
        cell
    }
}
