//! What the list of snapshots shows: of each guest the tree.

use std::cmp::Ordering;

use super::super::{
    Cx, figures,
    list::{Columns, longest},
};
use crate::{
    domain::{
        ClusterId, Guest, GuestRef, ObjectRef, SnapshotRef,
        filter::{Filter, Key, Searchable},
        guest::{Snapshot, snapshot_tree},
        quantity::age,
    },
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
    Snapshot,
    Age,
    Taken,
    Ram,
    Parent,
    Node,
    Description,
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
    (Field::Name, Column::text("name", Width::Between(8, 24), 3)),
    (
        Field::Snapshot,
        Column::text("snapshot", Width::Between(12, 30), 0),
    ),
    (Field::Age, Column::number("age", 6, 0)),
    (Field::Taken, Column::number("taken", figures::MOMENT_WIDTH, 5)),
    (Field::Ram, Column::text("ram", Width::Fixed(4), 1)),
    (Field::Parent, Column::text("parent", Width::Between(8, 20), 7)),
    (Field::Node, Column::text("node", Width::Between(6, 14), 8)),
    (
        Field::Description,
        Column::text("description", Width::Grow(10, 3), 4),
    ),
];

/// Snapshots, in the order of their trees.
pub struct SnapshotRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    cluster: &'a ClusterId,
    guest: &'a Guest,
    snapshot: &'a Snapshot,
    depth: usize,
    /// Where in the list of trees it stands.
    place: usize,
}

impl<'a> SnapshotRows<'a> {
    /// The snapshots that the store knows.
    pub fn new(cx: &Cx<'a>, of: Option<&ObjectRef>) -> Self {
        let store = cx.store;
        let mut rows: Vec<Row<'a>> = Vec::new();
        for cluster in store.clusters() {
            for guest in cluster.guests() {
                let wanted = match of {
                    Some(ObjectRef::Guest(one)) => one.cluster == *cluster.id() && one.vmid == guest.vmid,
                    Some(ObjectRef::Node(one)) => one.cluster == *cluster.id() && one.node == guest.node,
                    _ => true,
                };
                let Some(list) = cluster.snapshots(guest.vmid).filter(|_| wanted) else {
                    continue;
                };
                for (depth, snapshot) in snapshot_tree(list) {
                    rows.push(Row {
                        cluster: cluster.id(),
                        guest,
                        snapshot,
                        depth,
                        place: rows.len(),
                    });
                }
            }
        }
        let mut columns = Columns::new(COLUMNS, cx, Field::Cluster);
        if matches!(of, Some(ObjectRef::Guest(_))) {
            columns.keep(|field| {
                !matches!(
                    field,
                    Field::Cluster | Field::Vmid | Field::Name | Field::Node | Field::Parent
                )
            });
        }
        let highest = rows.iter().map(|row| row.guest.vmid.0).max().unwrap_or(0);
        columns.widen(Field::Vmid, highest.checked_ilog10().unwrap_or(0) as u16 + 1);
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        columns.fit(
            Field::Name,
            longest(rows.iter().filter_map(|row| row.guest.name.as_deref())),
            10,
        );
        let deepest = rows
            .iter()
            .map(|row| row.snapshot.name.len() + 2 * row.depth.min(8));
        columns.fit(Field::Snapshot, deepest.max().unwrap_or(0).min(99) as u16, 14);
        columns.fit(
            Field::Parent,
            longest(rows.iter().filter_map(|row| row.snapshot.parent.as_deref())),
            0,
        );
        columns.fit(
            Field::Node,
            longest(rows.iter().map(|row| row.guest.node.as_str())),
            0,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

impl Rows for SnapshotRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        let row = &self.rows[row];
        ObjectRef::Snapshot(SnapshotRef {
            guest: GuestRef {
                cluster: row.cluster.clone(),
                vmid: row.guest.vmid,
            },
            name: row.snapshot.name.clone(),
        })
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.rows[a], &self.rows[b]);
        let (x, y) = (a.snapshot, b.snapshot);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster.as_str(), b.cluster.as_str()),
            Field::Vmid => a.guest.vmid.cmp(&b.guest.vmid),
            Field::Name => by_name(&a.guest.label(), &b.guest.label()),
            // The order of the trees.
            Field::Snapshot => a.place.cmp(&b.place),
            // The highest age is the oldest.
            Field::Age => y.time.cmp(&x.time),
            Field::Taken => x.time.cmp(&y.time),
            Field::Ram => y.with_ram.cmp(&x.with_ram),
            Field::Parent => x.parent.cmp(&y.parent),
            Field::Node => by_name(a.guest.node.as_str(), b.guest.node.as_str()),
            Field::Description => x.description.cmp(&y.description),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, g) = (&self.rows[row], self.cx.glyphs);
        let snapshot = row.snapshot;
        match self.columns.field(column) {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Vmid => Cell::number(row.guest.vmid.to_string()),
            Field::Name => Cell::text(row.guest.label()),
            Field::Snapshot => {
                let branch = if g.ascii { "`-" } else { "└ " };
                let lead = match row.depth.min(8) {
                    0 => String::new(),
                    depth => format!("{}{branch}", "  ".repeat(depth - 1)),
                };
                Cell::toned(lead, Tone::Muted).then(&*snapshot.name, Tone::Accent)
            }
            Field::Age => match snapshot.time {
                Some(time) => {
                    let old = self.cx.now.duration_since(time);
                    let cell = Cell::number(age(old.as_secs()));
                    if old > self.cx.store.limits().snapshot {
                        cell.all(Tone::Warn)
                    } else {
                        cell
                    }
                }
                None => figures::none(g),
            },
            Field::Taken => match snapshot.time {
                Some(time) => Cell::number(figures::moment(time, self.cx.now, self.cx.zone)),
                None => figures::none(g),
            },
            Field::Ram => Cell::toned(if snapshot.with_ram { "+ram" } else { "" }, Tone::Info),
            Field::Parent => Cell::toned(snapshot.parent.as_deref().unwrap_or_default(), Tone::Muted),
            Field::Node => Cell::text(row.guest.node.as_str()),
            Field::Description => Cell::toned(&*snapshot.description, Tone::Muted),
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&self.snapshot.name)
            || see(&self.snapshot.description)
            || see(&self.guest.label())
            || see(&self.guest.vmid.to_string())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Node => see(self.guest.node.as_str()),
            Key::Tag => self.guest.tags.iter().any(|tag| see(tag)),
            Key::Pool => self.guest.pool.as_deref().is_some_and(see),
            Key::Type => see(self.guest.kind.as_str()),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(&self.snapshot.name) || see(&self.guest.label()),
            Key::Status => self.snapshot.with_ram && see("ram"),
            Key::User => false,
        }
    }
}
