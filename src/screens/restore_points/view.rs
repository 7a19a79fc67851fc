//! What the list of restore points shows: the guests that could not be brought back stand first.

use std::cmp::Ordering;

use jiff::SignedDuration;

use super::super::{
    Cx, figures,
    list::{Columns, longest},
    restoring,
};
use crate::{
    domain::{
        ClusterId, Guest, GuestRef, ObjectRef,
        filter::{Filter, Key, Searchable},
        quantity::{Bytes, age},
    },
    store::Backup,
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Vmid,
    Name,
    State,
    Age,
    Objective,
    Job,
    Storage,
    Verified,
    Count,
    Size,
    Pool,
    Tags,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 6)),
    (
        Field::Vmid,
        Column {
            high_first: false,
            ..Column::number("vmid", 5, 0)
        },
    ),
    (Field::Name, Column::text("name", Width::Between(8, 28), 0)),
    (Field::State, Column::text("state", Width::Fixed(10), 0)),
    (Field::Age, Column::number("age", 5, 0)),
    (Field::Objective, Column::number("at most", 8, 1)),
    (Field::Job, Column::text("job", Width::Fixed(4), 2)),
    (Field::Storage, Column::text("storage", Width::Between(7, 16), 4)),
    (Field::Verified, Column::text("verified", Width::Fixed(9), 3)),
    (Field::Count, Column::number("backups", 8, 5)),
    (Field::Size, Column::number("size", 8, 7)),
    (Field::Pool, Column::text("pool", Width::Between(6, 16), 8)),
    (Field::Tags, Column::text("tags", Width::Grow(8, 2), 9)),
];

/// How a guest stands against its objective. The order is that of need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum State {
    Nothing,
    Late,
    Unknown,
    Good,
    Exempt,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Nothing => "no backup",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Exempt => "exempt",
        }
    }
}

/// All guests with their last good backups.
pub struct PointRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    cluster: &'a ClusterId,
    guest: &'a Guest,
    good: Option<Backup<'a>>,
    age: Option<SignedDuration>,
    objective: Option<SignedDuration>,
    in_job: Option<bool>,
    count: usize,
    bytes: u64,
    state: State,
}

impl<'a> PointRows<'a> {
    /// The guests that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let mut rows: Vec<Row<'a>> = Vec::new();
        for cluster in cx.store.clusters() {
            let complete = cluster.knows_all_backups();
            for guest in cluster.guests() {
                let good = cluster.last_good(guest.vmid);
                let age = good
                    .and_then(|backup| backup.volume.time)
                    .map(|time| cx.now.duration_since(time));
                let objective = cx.store.limits().objectives.of(guest);
                let state = match (age, objective) {
                    (_, None) => State::Exempt,
                    (Some(age), Some(most)) if age <= most => State::Good,
                    _ if !complete => State::Unknown,
                    (Some(_), _) => State::Late,
                    (None, _) => State::Nothing,
                };
                let (mut count, mut bytes) = (0, 0_u64);
                for backup in cluster.backups_of(guest.vmid) {
                    count += 1;
                    bytes = bytes.saturating_add(backup.volume.size.unwrap_or(0));
                }
                rows.push(Row {
                    cluster: cluster.id(),
                    guest,
                    good,
                    age,
                    objective,
                    in_job: cluster.is_in_a_job(guest),
                    count,
                    bytes,
                    state,
                });
            }
        }
        let mut columns = Columns::new(COLUMNS, cx, Field::Cluster);
        let highest = rows.iter().map(|row| row.guest.vmid.0).max().unwrap_or(0);
        columns.widen(Field::Vmid, highest.checked_ilog10().unwrap_or(0) as u16 + 1);
        let clusters = rows.iter().map(|row| row.cluster.as_str());
        columns.fit(Field::Cluster, longest(clusters), 0);
        let names = rows.iter().filter_map(|row| row.guest.name.as_deref());
        columns.fit(Field::Name, longest(names), 12);
        let storages = rows
            .iter()
            .filter_map(|row| row.good)
            .map(|backup| backup.storage.as_str());
        columns.fit(Field::Storage, longest(storages), 0);
        let pools = rows.iter().filter_map(|row| row.guest.pool.as_deref());
        columns.fit(Field::Pool, longest(pools), 0);
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

impl Rows for PointRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        let row = &self.rows[row];
        ObjectRef::Guest(GuestRef {
            cluster: row.cluster.clone(),
            vmid: row.guest.vmid,
        })
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.rows[a], &self.rows[b]);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster.as_str(), b.cluster.as_str()),
            Field::Vmid => a.guest.vmid.cmp(&b.guest.vmid),
            Field::Name => by_name(&a.guest.label(), &b.guest.label()),
            // Of those that are late, the oldest first.
            Field::State => a.state.cmp(&b.state).then_with(|| b.age.cmp(&a.age)),
            Field::Age => a.age.cmp(&b.age),
            Field::Objective => a.objective.cmp(&b.objective),
            Field::Job => a.in_job.cmp(&b.in_job),
            Field::Storage => a
                .good
                .map(|backup| backup.storage)
                .cmp(&b.good.map(|backup| backup.storage)),
            Field::Verified => {
                let verified = |row: &Row<'_>| row.good.and_then(|backup| backup.volume.verified.clone());
                verified(a).cmp(&verified(b))
            }
            Field::Count => a.count.cmp(&b.count),
            Field::Size => a.bytes.cmp(&b.bytes),
            Field::Pool => a.guest.pool.cmp(&b.guest.pool),
            Field::Tags => a.guest.tags.cmp(&b.guest.tags),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, g) = (&self.rows[row], self.cx.glyphs);
        match self.columns.field(column) {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Vmid => Cell::number(row.guest.vmid.to_string()),
            Field::Name => Cell::text(row.guest.label()),
            Field::State => {
                let (sign, tone) = match row.state {
                    State::Nothing => (g.failed, Tone::Bad),
                    State::Late => (g.warn, Tone::Warn),
                    State::Unknown => (g.unknown, Tone::Warn),
                    State::Good => (g.ok, Tone::Good),
                    State::Exempt => (g.none, Tone::Muted),
                };
                Cell::toned(format!("{sign} {}", row.state.word()), tone)
            }
            Field::Age => match row.age {
                Some(old) => Cell::number(age(old.as_secs())),
                None => figures::none(g),
            },
            Field::Objective => match row.objective {
                Some(most) => Cell::toned(age(most.as_secs()), Tone::Muted).right(),
                None => figures::none(g),
            },
            Field::Job => match row.in_job {
                Some(true) => Cell::text("yes"),
                Some(false) => Cell::toned("no", Tone::Warn),
                None => Cell::toned(g.unknown, Tone::Muted),
            },
            Field::Storage => Cell::text(row.good.map_or("", |backup| backup.storage.as_str())),
            Field::Verified => match row.good {
                Some(backup) => restoring::verification(backup.volume, g),
                None => Cell::empty(),
            },
            Field::Count => Cell::number(row.count.to_string()),
            Field::Size => Cell::number(Bytes(row.bytes).to_string()),
            Field::Pool => Cell::toned(row.guest.pool.as_deref().unwrap_or_default(), Tone::Muted),
            Field::Tags => Cell::toned(row.guest.tags.join(" "), Tone::Muted),
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&self.guest.label()) || see(&self.guest.vmid.to_string()) || see(self.state.word())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(self.state.word()) || (self.in_job == Some(false) && see("no-job")),
            Key::Node => see(self.guest.node.as_str()),
            Key::Tag => self.guest.tags.iter().any(|tag| see(tag)),
            Key::Pool => self.guest.pool.as_deref().is_some_and(see),
            Key::Type => see(self.guest.kind.as_str()),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(&self.guest.label()),
            Key::User => false,
        }
    }
}
