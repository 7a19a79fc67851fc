//! What the list of datastores shows.
//!
//! What always holds here: a datastore that cannot be used has no figures, only the reason.

use std::cmp::Ordering;

use super::super::{
    Cx, figures, flags,
    list::{Columns, longest},
};
use crate::{
    domain::{
        ClusterId, DatastoreRef, ObjectRef, TaskState,
        backup::{Datastore, DatastoreUsage, Forecast, GarbageCollection, Verification},
        filter::{Filter, Key, Searchable},
        quantity::age,
    },
    store::BackupServer,
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name, by_number},
    },
};

/// Columns of the trend.
const TREND: u16 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Server,
    Name,
    Flag,
    State,
    Fill,
    UsedOf,
    Free,
    Full,
    Trend,
    Backups,
    Bad,
    Collected,
    Dedup,
    Comment,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Server, Column::text("server", Width::Between(6, 14), 1)),
    (Field::Name, Column::text("datastore", Width::Between(9, 24), 0)),
    (
        Field::Flag,
        Column {
            high_first: true,
            ..Column::text("!", Width::Fixed(2), 0)
        },
    ),
    (Field::State, Column::text("state", Width::Fixed(13), 2)),
    (Field::Fill, Column::number("fill", figures::USAGE_WIDTH, 0)),
    (Field::UsedOf, Column::number("used", figures::OF_WIDTH, 3)),
    (Field::Free, Column::number("free", 5, 8)),
    (Field::Full, Column::number("full in", 8, 1)),
    (
        Field::Trend,
        Column {
            high_first: true,
            ..Column::text("30 days", Width::Fixed(TREND), 7)
        },
    ),
    (Field::Backups, Column::number("backups", 8, 4)),
    (Field::Bad, Column::number("failed", 7, 4)),
    (Field::Collected, Column::number("gc", 6, 5)),
    (Field::Dedup, Column::number("dedup", 6, 9)),
    (Field::Comment, Column::text("comment", Width::Grow(8, 3), 6)),
];

/// All datastores, in the order of the servers.
pub struct DatastoreRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    server: &'a ClusterId,
    name: &'a str,
    known: Option<&'a Datastore>,
    usage: Option<&'a DatastoreUsage>,
    collection: Option<&'a GarbageCollection>,
    /// All backups that are known, and those that failed verification; `None` before any were read.
    backups: Option<(usize, usize)>,
    full: Forecast,
}

impl<'a> DatastoreRows<'a> {
    /// The datastores that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let mut rows = Vec::new();
        for member in cx.store.backup_servers() {
            let Some(server) = member.backup_server() else {
                continue;
            };
            let listed = server.datastores().iter().map(|store| &*store.name);
            let used = server.usage().iter().map(|usage| &*usage.name);
            let mut names: Vec<&str> = listed.chain(used).collect();
            names.sort_unstable();
            names.dedup();
            rows.extend(
                names
                    .into_iter()
                    .map(|name| Row::new(cx, member.id(), server, name)),
            );
        }
        let mut columns = Columns::all(COLUMNS);
        columns.fit(
            Field::Server,
            longest(rows.iter().map(|row| row.server.as_str())),
            0,
        );
        columns.fit(Field::Name, longest(rows.iter().map(|row| row.name)), 11);
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }

    fn cell_of(&self, row: Row<'a>, field: Field) -> Cell {
        let g = self.cx.glyphs;
        let none = || figures::none(g);
        match field {
            Field::Server => Cell::text(row.server.as_str()),
            Field::Name => Cell::toned(row.name, Tone::Accent),
            Field::Flag => flags::cell(self.cx.store, &row.id(), g),
            Field::State => {
                let (word, tone) = row.state();
                let sign = match tone {
                    Tone::Good => g.on,
                    Tone::Bad => g.failed,
                    _ => g.warn,
                };
                Cell::toned(format!("{sign} {word}"), tone)
            }
            Field::Fill => figures::usage(row.fill(), g),
            Field::UsedOf => match row.usage {
                Some(usage) if usage.used.is_some() => figures::of(usage.used, usage.total, g),
                _ => none(),
            },
            Field::Free => figures::bytes(row.free(), g),
            Field::Full => match row.full {
                Forecast::Full(at) => {
                    let left = at.duration_since(self.cx.now).as_secs();
                    let tone = if left < 30 * 86_400 {
                        Tone::Warn
                    } else {
                        Tone::Text
                    };
                    Cell::toned(age(left), tone).right()
                }
                Forecast::NotGrowing => Cell::toned("never", Tone::Muted).right(),
                Forecast::Unknown => none(),
            },
            Field::Trend => row.usage.map_or_else(Cell::empty, |usage| {
                figures::trend(usage.history.iter().rev().copied(), TREND.into(), g)
            }),
            Field::Backups => row
                .backups
                .map_or_else(none, |(all, _)| Cell::number(all.to_string())),
            Field::Bad => match row.backups {
                None => none(),
                Some((_, 0)) => Cell::toned("0", Tone::Muted).right(),
                Some((_, bad)) => Cell::toned(bad.to_string(), Tone::Bad).right(),
            },
            Field::Collected => match row.collected() {
                Some((at, state)) => {
                    let tone = match state {
                        TaskState::Failed(_) => Tone::Bad,
                        TaskState::Warnings(_) => Tone::Warn,
                        _ => Tone::Text,
                    };
                    Cell::toned(age(self.cx.now.duration_since(at).as_secs()), tone).right()
                }
                None => none(),
            },
            Field::Dedup => row
                .collection
                .and_then(GarbageCollection::deduplication)
                .map_or_else(none, |times| Cell::number(format!("{times:.1}x"))),
            Field::Comment => Cell::toned(row.words(), Tone::Muted),
        }
    }
}

impl Rows for DatastoreRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        self.rows[row].id()
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.rows[a], self.rows[b]);
        let full = |row: Row<'_>| match row.full {
            Forecast::Full(at) => (0, at.as_second()),
            Forecast::NotGrowing => (1, 0),
            Forecast::Unknown => (2, 0),
        };
        match self.columns.field(column) {
            Field::Server => by_name(a.server.as_str(), b.server.as_str()),
            Field::Name => by_name(a.name, b.name),
            Field::Flag => flags::compare(self.cx.store, &a.id(), &b.id()),
            Field::State => a.state().0.cmp(b.state().0),
            Field::Fill | Field::Trend => by_number(a.fill(), b.fill()),
            Field::UsedOf => a.used().cmp(&b.used()),
            Field::Free => a.free().cmp(&b.free()),
            Field::Full => full(a).cmp(&full(b)),
            Field::Backups => a.backups.cmp(&b.backups),
            Field::Bad => a.backups.map(|(_, bad)| bad).cmp(&b.backups.map(|(_, bad)| bad)),
            Field::Collected => b
                .collected()
                .map(|(at, _)| at)
                .cmp(&a.collected().map(|(at, _)| at)),
            Field::Dedup => by_number(
                a.collection.and_then(GarbageCollection::deduplication),
                b.collection.and_then(GarbageCollection::deduplication),
            ),
            Field::Comment => a.words().cmp(b.words()),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        self.cell_of(self.rows[row], self.columns.field(column))
    }
}

impl<'a> Row<'a> {
    fn new(cx: &Cx<'a>, id: &'a ClusterId, server: &'a BackupServer, name: &'a str) -> Self {
        let usage = server.usage_of(name);
        let read = server.namespaces(name).is_some();
        let mut backups = (0, 0);
        for (_, one) in server.snapshots_of(name) {
            backups.0 += 1;
            backups.1 += usize::from(one.verification == Some(Verification::Failed));
        }
        Self {
            server: id,
            name,
            known: server.datastore(name),
            usage,
            collection: server.collection(name),
            backups: read.then_some(backups),
            full: usage.map_or(Forecast::Unknown, |usage| usage.forecast(cx.now)),
        }
    }

    fn id(&self) -> ObjectRef {
        ObjectRef::Datastore(DatastoreRef {
            cluster: self.server.clone(),
            store: self.name.into(),
            namespace: "".into(),
        })
    }

    fn maintenance(&self) -> Option<&'a str> {
        self.known?.maintenance.as_deref()
    }

    /// The word of its state.
    fn state(&self) -> (&'a str, Tone) {
        match (self.maintenance(), self.usage) {
            (Some(mode), _) => (mode.split(',').next().unwrap_or(mode), Tone::Warn),
            (None, Some(usage)) if usage.error.is_some() => ("error", Tone::Bad),
            (None, Some(_)) => ("available", Tone::Good),
            (None, None) => ("unknown", Tone::Warn),
        }
    }

    /// What its maker wrote, or why it cannot be used.
    fn words(&self) -> &'a str {
        let error = self.usage.and_then(|usage| usage.error.as_deref());
        let comment = self.known.and_then(|known| known.comment.as_deref());
        error.or(comment).unwrap_or_default()
    }

    fn fill(&self) -> Option<f64> {
        self.usage?.fill()
    }

    fn used(&self) -> Option<u64> {
        self.usage?.used
    }

    fn free(&self) -> Option<u64> {
        Some(self.usage?.total?.saturating_sub(self.used()?))
    }

    fn collected(&self) -> Option<(jiff::Timestamp, &'a TaskState)> {
        let last = self.collection?.last.as_ref()?;
        Some((last.end?, &last.state))
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(self.name) || see(self.words())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(self.state().0),
            Key::Cluster | Key::Node => see(self.server.as_str()),
            Key::Name => see(self.name),
            Key::Tag | Key::Pool | Key::Type | Key::User => false,
        }
    }
}
