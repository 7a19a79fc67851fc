//! What the list of nodes shows.
//!
//! What always holds here: an offline node says so, and its figures are dashes.

use std::cmp::Ordering;

use super::super::{
    Cx, figures, flags,
    list::{self, Columns, longest},
    states,
};
use crate::{
    domain::{
        ClusterId, FindingKind, GuestStatus, Node, NodeRef, NodeStatus, ObjectRef,
        filter::{Filter, Key, Searchable},
        quantity,
        template::Of,
    },
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name, by_number},
    },
};

/// Columns of the CPU trend.
const TREND: u16 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Node,
    Flag,
    Status,
    Cpu,
    Trend,
    Mem,
    MemOf,
    Root,
    Guests,
    Uptime,
    /// A column of monitoring, by its number.
    Measured(usize),
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 3)),
    (Field::Node, Column::text("node", Width::Between(6, 24), 0)),
    (
        Field::Flag,
        Column {
            high_first: true,
            ..Column::text("!", Width::Fixed(2), 0)
        },
    ),
    (Field::Status, Column::text("status", Width::Fixed(13), 0)),
    (Field::Cpu, Column::number("cpu", figures::USAGE_WIDTH, 1)),
    (
        Field::Trend,
        Column {
            high_first: true,
            ..Column::text("trend", Width::Fixed(TREND), 8)
        },
    ),
    (Field::Mem, Column::number("mem", figures::USAGE_WIDTH, 2)),
    (Field::MemOf, Column::number("used", figures::OF_WIDTH, 7)),
    (Field::Root, Column::number("root", 5, 6)),
    (Field::Guests, Column::number("guests", 9, 4)),
    (Field::Uptime, Column::number("up", 5, 5)),
];

/// All nodes, in the order of the store.
pub struct NodeRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    cluster: &'a ClusterId,
    node: &'a Node,
}

/// Guests of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Count {
    running: u32,
    all: u32,
}

impl<'a> NodeRows<'a> {
    /// The nodes that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let rows: Vec<Row<'a>> = cx
            .store
            .nodes()
            .map(|(cluster, node)| Row { cluster, node })
            .collect();
        let mut columns =
            Columns::new(COLUMNS, cx, Field::Cluster).measured(cx, Of::Node, Field::Root, Field::Measured);
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        columns.fit(
            Field::Node,
            longest(rows.iter().map(|row| row.node.name.as_str())),
            12,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }

    fn guests(&self, row: Row<'a>) -> Count {
        let mut count = Count::default();
        for guest in self.cx.store.guests_on(&row.node_ref()) {
            if !guest.template {
                count.all += 1;
                count.running += u32::from(guest.status == GuestStatus::Running);
            }
        }
        count
    }

    /// The state; of a lost node with the time since when it is known here.
    fn status(&self, row: Row<'a>) -> Cell {
        let state = states::node(row.node.status, self.cx.glyphs);
        let since = match row.node.status {
            NodeStatus::Offline => flags::since(self.cx.store, &row.id(), FindingKind::NodeOffline)
                .map(|since| quantity::age(self.cx.now.duration_since(since).as_secs())),
            _ => None,
        };
        match since {
            Some(since) => state.saying(&format!("{} {since}", state.word)),
            None => state.cell(),
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
        let (node, g) = (row.node, self.cx.glyphs);
        match field {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Node => Cell::text(node.name.as_str()),
            Field::Flag => flags::cell(self.cx.store, &row.id(), g),
            Field::Status => self.status(row),
            Field::Cpu => figures::usage(row.cpu(), g),
            Field::Trend if !row.is_online() => Cell::empty(),
            Field::Trend => self
                .cx
                .store
                .node_history(&row.node_ref())
                .map_or_else(Cell::empty, |history| {
                    figures::trend(history.cpu.samples(), TREND.into(), g)
                }),
            Field::Mem => figures::usage(row.mem_share(), g),
            Field::MemOf if !row.is_online() => figures::none(g),
            Field::MemOf => figures::of(node.mem, node.max_mem, g),
            Field::Root => figures::share(row.root(), g),
            Field::Guests => {
                let count = self.guests(row);
                if row.is_online() {
                    Cell::number(format!("{}/{}", count.running, count.all))
                } else {
                    Cell::number(format!("{}/{}", g.none, count.all))
                }
            }
            Field::Uptime => figures::span(row.uptime(), g),
            Field::Measured(number) => list::measured(&self.cx, number, &row.id()),
        }
    }
}

impl Rows for NodeRows<'_> {
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
            Field::Node => by_name(a.node.name.as_str(), b.node.name.as_str()),
            Field::Flag => flags::compare(self.cx.store, &a.id(), &b.id()),
            Field::Status => a.node.status.cmp(&b.node.status),
            Field::Cpu | Field::Trend => by_number(a.cpu(), b.cpu()),
            Field::Mem => by_number(a.mem_share(), b.mem_share()),
            Field::MemOf => a.mem().cmp(&b.mem()),
            Field::Root => by_number(a.root(), b.root()),
            Field::Guests => self.guests(a).cmp(&self.guests(b)),
            Field::Uptime => a.uptime().cmp(&b.uptime()),
            Field::Measured(number) => self.measured(a, b, number),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, field) = (self.rows[row], self.columns.field(column));
        let cell = self.cell_of(row, field);
        match field {
            Field::Flag | Field::Status | Field::Node => cell,
            _ if row.is_online() => cell,
            _ => cell.all(Tone::Muted),
        }
    }
}

impl Row<'_> {
    fn node_ref(&self) -> NodeRef {
        NodeRef {
            cluster: self.cluster.clone(),
            node: self.node.name.clone(),
        }
    }

    fn id(&self) -> ObjectRef {
        ObjectRef::Node(self.node_ref())
    }

    fn is_online(&self) -> bool {
        self.node.status == NodeStatus::Online
    }

    fn cpu(&self) -> Option<f64> {
        self.node.cpu.filter(|_| self.is_online())
    }

    fn mem(&self) -> Option<u64> {
        self.node.mem.filter(|_| self.is_online())
    }

    fn mem_share(&self) -> Option<f64> {
        quantity::ratio(self.mem(), self.node.max_mem)
    }

    fn root(&self) -> Option<f64> {
        quantity::ratio(self.node.disk, self.node.max_disk).filter(|_| self.is_online())
    }

    fn uptime(&self) -> Option<u64> {
        self.node.uptime.filter(|_| self.is_online())
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(self.node.name.as_str()) || see(self.cluster.as_str())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(self.node.status.as_str()),
            Key::Node | Key::Name => see(self.node.name.as_str()),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Type => see("node"),
            Key::Tag | Key::Pool | Key::User => false,
        }
    }
}
