//! What the list of storages shows.
//!
//! What always holds here:
//! - A shared storage is one row, whatever the number of nodes that see it; a local one is a row for each node.
//! - What an offline node last said of its storages is not believed: their state is unknown.

use std::{
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry},
};

use super::super::{
    Cx, figures, flags,
    list::{self, Columns, longest},
    states,
};
use crate::{
    domain::{
        ClusterId, NodeRef, NodeStatus, ObjectRef, Storage, StorageName, StorageRef, StorageStatus,
        filter::{Filter, Key, Searchable},
        template::Of,
    },
    ui::{
        Cell, Glyphs, Tone,
        table::{Column, Rows, Width, by_name, by_number},
    },
};

/// Columns of the trend.
const TREND: u16 = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Storage,
    Flag,
    Node,
    Status,
    Plugin,
    Fill,
    UsedOf,
    Free,
    Trend,
    Content,
    /// A column of monitoring, by its number.
    Measured(usize),
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 4)),
    (Field::Storage, Column::text("storage", Width::Between(8, 24), 0)),
    (
        Field::Flag,
        Column {
            high_first: true,
            ..Column::text("!", Width::Fixed(2), 0)
        },
    ),
    (Field::Node, Column::text("node", Width::Between(8, 16), 2)),
    (Field::Status, Column::text("status", Width::Fixed(13), 1)),
    (Field::Plugin, Column::text("type", Width::Fixed(8), 5)),
    (Field::Fill, Column::number("fill", figures::USAGE_WIDTH, 0)),
    (Field::UsedOf, Column::number("used", figures::OF_WIDTH, 3)),
    (Field::Free, Column::number("free", 5, 7)),
    (
        Field::Trend,
        Column {
            high_first: true,
            ..Column::text("trend", Width::Fixed(TREND), 8)
        },
    ),
    (Field::Content, Column::text("content", Width::Grow(10, 3), 6)),
];

/// All storages, in the order of the store.
pub struct StorageRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    cluster: &'a ClusterId,
    /// The storage as its best node sees it.
    storage: &'a Storage,
    status: StorageStatus,
    /// Nodes that see it, and those of them that can use it.
    nodes: usize,
    usable: usize,
}

impl<'a> StorageRows<'a> {
    /// The storages that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut shared: HashMap<(&ClusterId, &StorageName), usize> = HashMap::new();
        for (cluster, storage) in cx.store.storages() {
            let row = Row::new(cx, cluster, storage);
            if !storage.shared {
                rows.push(row);
                continue;
            }
            match shared.entry((cluster, &storage.name)) {
                Entry::Vacant(entry) => {
                    entry.insert(rows.len());
                    rows.push(row);
                }
                Entry::Occupied(entry) => rows[*entry.get()].join(row),
            }
        }
        let mut columns =
            Columns::new(COLUMNS, cx, Field::Cluster).measured(cx, Of::Storage, Field::Free, Field::Measured);
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        columns.fit(
            Field::Storage,
            longest(rows.iter().map(|row| row.storage.name.as_str())),
            11,
        );
        columns.fit(
            Field::Status,
            rows.iter()
                .map(|row| row.state(cx.glyphs).columns())
                .max()
                .unwrap_or(0),
            0,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }

    fn measured(&self, a: Row<'a>, b: Row<'a>, number: usize) -> Ordering {
        let value = |row: Row<'a>| self.cx.store.monitors.column_value(number, &row.id());
        by_number(value(a), value(b))
    }

    /// The columns of monitoring.
    pub fn measures(&self) -> Vec<(usize, usize)> {
        self.columns.measures(|field| match field {
            Field::Measured(number) => Some(number),
            _ => None,
        })
    }

    fn cell_of(&self, row: Row<'a>, field: Field) -> Cell {
        let (storage, g) = (row.storage, self.cx.glyphs);
        match field {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Storage => Cell::text(storage.name.as_str()),
            Field::Flag => flags::cell(self.cx.store, &row.id(), g),
            Field::Node if storage.shared => Cell::toned(format!("shared {}", row.nodes), Tone::Info),
            Field::Node => Cell::text(storage.node.as_str()),
            Field::Status => row.state(g),
            Field::Plugin => Cell::text(&*storage.plugin),
            Field::Fill => figures::usage(row.fill(), g),
            Field::UsedOf if row.is_usable() => figures::of(storage.used, storage.total, g),
            Field::UsedOf => figures::none(g),
            Field::Free => figures::bytes(row.free(), g),
            Field::Trend => self
                .cx
                .store
                .storage_history(&row.storage_ref())
                .map_or_else(Cell::empty, |ring| {
                    figures::trend(ring.samples(), TREND.into(), g)
                }),
            Field::Content => Cell::toned(storage.content.join(" "), Tone::Muted),
            Field::Measured(number) => list::measured(&self.cx, number, &row.id()),
        }
    }
}

impl Rows for StorageRows<'_> {
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
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster.as_str(), b.cluster.as_str()),
            Field::Storage => by_name(a.storage.name.as_str(), b.storage.name.as_str()),
            Field::Flag => flags::compare(self.cx.store, &a.id(), &b.id()),
            // Local ones by node, shared ones behind them.
            Field::Node => a
                .storage
                .shared
                .cmp(&b.storage.shared)
                .then_with(|| by_name(a.storage.node.as_str(), b.storage.node.as_str())),
            Field::Status => (a.status, b.usable).cmp(&(b.status, a.usable)),
            Field::Plugin => a.storage.plugin.cmp(&b.storage.plugin),
            Field::Fill | Field::Trend => by_number(a.fill(), b.fill()),
            Field::UsedOf => a.used().cmp(&b.used()),
            Field::Free => a.free().cmp(&b.free()),
            Field::Content => a.storage.content.cmp(&b.storage.content),
            Field::Measured(number) => self.measured(a, b, number),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, field) = (self.rows[row], self.columns.field(column));
        let cell = self.cell_of(row, field);
        match (row.status, field) {
            (_, Field::Flag | Field::Status) | (StorageStatus::Available, _) => cell,
            (StorageStatus::Unavailable, Field::Storage) => cell.all(Tone::Bad),
            _ => cell.all(Tone::Muted),
        }
    }
}

impl<'a> Row<'a> {
    fn new(cx: &Cx<'a>, cluster: &'a ClusterId, storage: &'a Storage) -> Self {
        let node = cx.store.node(&NodeRef {
            cluster: cluster.clone(),
            node: storage.node.clone(),
        });
        let status = match node.map(|node| node.status) {
            Some(NodeStatus::Offline) => StorageStatus::Unknown,
            _ => storage.status,
        };
        Self {
            cluster,
            storage,
            status,
            nodes: 1,
            usable: usize::from(status == StorageStatus::Available),
        }
    }

    /// In a word whether it can be used, and by how many of its nodes if not by all.
    fn state(&self, g: &Glyphs) -> Cell {
        if self.usable > 0 && self.usable < self.nodes {
            Cell::toned(
                format!("{} on {} of {}", g.warn, self.usable, self.nodes),
                Tone::Warn,
            )
        } else {
            states::storage(self.status, g).cell()
        }
    }

    /// Takes in what another node says of the same shared storage. The node that can use it speaks for it; of
    /// several the first by name, so that the row keeps its identity.
    fn join(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.usable += other.usable;
        let rank = |row: &Self| (row.status, row.storage.node.clone());
        if rank(&other) < rank(self) {
            self.storage = other.storage;
            self.status = other.status;
        }
    }

    fn storage_ref(&self) -> StorageRef {
        StorageRef {
            cluster: self.cluster.clone(),
            node: self.storage.node.clone(),
            storage: self.storage.name.clone(),
        }
    }

    fn id(&self) -> ObjectRef {
        ObjectRef::Storage(self.storage_ref())
    }

    fn is_usable(&self) -> bool {
        self.status == StorageStatus::Available
    }

    fn fill(&self) -> Option<f64> {
        self.storage.fill().filter(|_| self.is_usable())
    }

    fn used(&self) -> Option<u64> {
        self.storage.used.filter(|_| self.is_usable())
    }

    fn free(&self) -> Option<u64> {
        Some(self.storage.total?.saturating_sub(self.used()?))
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(self.storage.name.as_str())
            || see(&self.storage.plugin)
            || (!self.storage.shared && see(self.storage.node.as_str()))
            || self.storage.content.iter().any(|content| see(content))
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(self.status.as_str()),
            Key::Node => {
                if self.storage.shared {
                    see("shared")
                } else {
                    see(self.storage.node.as_str())
                }
            }
            Key::Type => see(&self.storage.plugin) || self.storage.content.iter().any(|content| see(content)),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(self.storage.name.as_str()),
            Key::Tag | Key::Pool | Key::User => false,
        }
    }
}
