//! What the list of clusters shows.
//!
//! What always holds here: sums count what is known; where nothing is, there is a dash.

use std::cmp::Ordering;

use super::super::{Cx, figures, flags, list::Columns, states};
use crate::{
    domain::{
        ClusterId, GuestStatus, Node, NodeStatus, ObjectRef,
        filter::{Filter, Key, Searchable},
        quantity,
    },
    store::{Cluster, Feed, Health},
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name, by_number},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Name,
    Flag,
    State,
    Quorum,
    Nodes,
    Guests,
    Cpu,
    Mem,
    Version,
    Age,
    Message,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Name, Column::text("cluster", Width::Between(8, 20), 0)),
    (
        Field::Flag,
        Column {
            high_first: true,
            ..Column::text("!", Width::Fixed(2), 0)
        },
    ),
    (Field::State, Column::text("state", Width::Fixed(17), 0)),
    (Field::Quorum, Column::text("quorum", Width::Fixed(12), 1)),
    (Field::Nodes, Column::number("nodes", 7, 2)),
    (Field::Guests, Column::number("guests", 11, 3)),
    (Field::Cpu, Column::number("cpu", figures::USAGE_WIDTH, 5)),
    (Field::Mem, Column::number("mem", figures::USAGE_WIDTH, 6)),
    (Field::Version, Column::text("version", Width::Fixed(8), 7)),
    (Field::Age, Column::number("age", 5, 8)),
    (Field::Message, Column::text("last error", Width::Grow(12, 3), 4)),
];

/// All clusters, in the order of the configuration.
pub struct ClusterRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    id: &'a ClusterId,
    cluster: &'a Cluster,
    health: Health<'a>,
    /// Those that answer, and all.
    nodes: (usize, usize),
    /// Those that run, and all, without templates.
    guests: (usize, usize),
    cpu: Option<f64>,
    mem: Option<f64>,
}

impl<'a> ClusterRows<'a> {
    /// The clusters that are configured.
    pub fn new(cx: &Cx<'a>) -> Self {
        Self {
            cx: *cx,
            columns: Columns::all(COLUMNS),
            rows: cx
                .store
                .clusters()
                .iter()
                .map(|cluster| Row::new(cx, cluster))
                .collect(),
        }
    }

    fn quorum(&self, row: &Row<'a>) -> Cell {
        let g = self.cx.glyphs;
        let Some(status) = row.cluster.status() else {
            return Cell::toned(g.none, Tone::Muted);
        };
        let (online, all) = status.online();
        match status.quorate {
            None => Cell::toned("standalone", Tone::Muted),
            Some(true) => {
                let tone = if online < all { Tone::Warn } else { Tone::Good };
                Cell::toned(format!("quorate {online}/{all}"), tone)
            }
            Some(false) => Cell::toned(format!("{} lost {online}/{all}", g.failed), Tone::Critical),
        }
    }

    fn count(&self, row: &Row<'a>, (some, all): (usize, usize)) -> Cell {
        if row.cluster.freshness(&Feed::Resources).data_at.is_some() {
            Cell::number(format!("{some}/{all}"))
        } else {
            figures::none(self.cx.glyphs)
        }
    }
}

impl Rows for ClusterRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        ObjectRef::Cluster(self.rows[row].id.clone())
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (x, y) = (a, b);
        let (a, b) = (&self.rows[a], &self.rows[b]);
        match self.columns.field(column) {
            Field::Name => by_name(a.id.as_str(), b.id.as_str()),
            Field::Flag => flags::compare(self.cx.store, &self.id(x), &self.id(y)),
            Field::State => a.health.word().cmp(b.health.word()),
            Field::Quorum => a.quorum_rank().cmp(&b.quorum_rank()),
            Field::Nodes => a.nodes.cmp(&b.nodes),
            Field::Guests => a.guests.cmp(&b.guests),
            Field::Cpu => by_number(a.cpu, b.cpu),
            Field::Mem => by_number(a.mem, b.mem),
            Field::Version => by_name(a.version(), b.version()),
            Field::Age => a.age(&self.cx).cmp(&b.age(&self.cx)),
            Field::Message => a.message().cmp(b.message()),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let id = self.id(row);
        let (row, g) = (&self.rows[row], self.cx.glyphs);
        match self.columns.field(column) {
            Field::Name => Cell::text(row.id.as_str()),
            Field::Flag => flags::cell(self.cx.store, &id, g),
            Field::State => states::health(&row.health, g).cell(),
            Field::Quorum => self.quorum(row),
            Field::Nodes => self.count(row, row.nodes),
            Field::Guests => self.count(row, row.guests),
            Field::Cpu => figures::usage(row.cpu, g),
            Field::Mem => figures::usage(row.mem, g),
            Field::Version => match row.version() {
                "" => Cell::toned(g.none, Tone::Muted),
                version => Cell::text(version),
            },
            Field::Age => match row.age(&self.cx) {
                Some(seconds) => Cell::number(quantity::age(seconds)),
                None => figures::none(g),
            },
            Field::Message => Cell::toned(row.message(), Tone::Bad),
        }
    }
}

impl<'a> Row<'a> {
    fn new(cx: &Cx<'a>, cluster: &'a Cluster) -> Self {
        let nodes = cluster.nodes();
        let online = nodes.iter().filter(|node| node.status == NodeStatus::Online);
        let guests = cluster.guests().iter().filter(|guest| !guest.template);
        let running = guests
            .clone()
            .filter(|guest| guest.status == GuestStatus::Running);
        Self {
            id: cluster.id(),
            cluster,
            health: cluster.health(cx.now),
            nodes: (online.clone().count(), nodes.len()),
            guests: (running.count(), guests.count()),
            cpu: cpu(online.clone()),
            mem: quantity::ratio(
                online.clone().map(|node| node.mem).sum(),
                online.map(|node| node.max_mem).sum(),
            ),
        }
    }

    /// Lost quorum first, then what is not known, then the healthy.
    fn quorum_rank(&self) -> (u8, usize) {
        match self.cluster.status() {
            Some(status) => {
                let rank = match status.quorate {
                    Some(false) => 0,
                    Some(true) => 2,
                    None => 3,
                };
                (rank, status.online().0)
            }
            None => (1, 0),
        }
    }

    fn version(&self) -> &'a str {
        self.cluster.version().unwrap_or_default()
    }

    /// Seconds since its inventory was read.
    fn age(&self, cx: &Cx<'_>) -> Option<i64> {
        let fresh = self.cluster.freshness(&Feed::Resources);
        fresh.age(cx.now).map(|age| age.as_secs())
    }

    fn message(&self) -> &'a str {
        self.health.error().map_or("", |error| error.message.as_str())
    }
}

/// CPU use of all nodes together: each counts by its CPUs.
fn cpu<'a>(nodes: impl Iterator<Item = &'a Node>) -> Option<f64> {
    let (used, all) = nodes
        .filter_map(|node| Some((node.cpu? * node.cpus?, node.cpus?)))
        .fold((0.0, 0.0), |(used, all), (u, a)| (used + u, all + a));
    (all > 0.0).then(|| used / all)
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let corosync = self.cluster.status().and_then(|status| status.name.as_deref());
        see(self.id.as_str()) || corosync.is_some_and(see)
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(self.health.word()),
            Key::Name | Key::Cluster => see(self.id.as_str()),
            Key::Node => self.cluster.nodes().iter().any(|node| see(node.name.as_str())),
            Key::Type => see(
                if self
                    .cluster
                    .status()
                    .is_some_and(|status| status.quorate.is_none())
                {
                    "standalone"
                } else {
                    "cluster"
                },
            ),
            Key::Tag | Key::Pool | Key::User => false,
        }
    }
}
