//! What the list of guests shows.
//!
//! What always holds here: a guest that does not run has no load, only dashes; what it may use is still told.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap, io::Write};

use super::super::{
    Cx, figures, flags,
    list::{self, Columns, longest},
    states::{self, State},
};
use crate::{
    domain::{
        ClusterId, Guest, GuestKind, GuestRef, GuestStatus, ObjectRef, Vmid,
        filter::{Filter, Key, Searchable},
        quantity, task_kind,
        template::Of,
    },
    plan::Deed,
    store::Store,
    ui::{
        Cell, Glyphs, Tone,
        table::{Column, Rows, Width, by_name, by_number},
    },
};

/// Columns of the CPU trend.
const TREND: u16 = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Vmid,
    Name,
    Flag,
    Node,
    Kind,
    Status,
    Cpu,
    Trend,
    Mem,
    MemShare,
    Disk,
    Uptime,
    Ha,
    Pool,
    Tags,
    /// A column of monitoring, by its number.
    Measured(usize),
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 3)),
    (
        Field::Vmid,
        Column {
            high_first: false,
            ..Column::number("vmid", 5, 0)
        },
    ),
    (Field::Name, Column::text("name", Width::Between(10, 32), 0)),
    (
        Field::Flag,
        Column {
            high_first: true,
            ..Column::text("!", Width::Fixed(2), 0)
        },
    ),
    (Field::Node, Column::text("node", Width::Between(6, 14), 4)),
    (Field::Kind, Column::text("type", Width::Fixed(5), 6)),
    (Field::Status, Column::text("status", Width::Fixed(12), 0)),
    (Field::Cpu, Column::number("cpu", 5, 1)),
    (
        Field::Trend,
        Column {
            high_first: true,
            ..Column::text("trend", Width::Fixed(TREND), 8)
        },
    ),
    (Field::Mem, Column::number("mem", figures::OF_WIDTH, 2)),
    (Field::MemShare, Column::number("mem%", 5, 11)),
    (Field::Disk, Column::number("disk", figures::OF_WIDTH, 7)),
    (Field::Uptime, Column::number("up", 5, 5)),
    (Field::Ha, Column::text("ha", Width::Fixed(8), 12)),
    (Field::Pool, Column::text("pool", Width::Between(6, 16), 10)),
    (Field::Tags, Column::text("tags", Width::Grow(8, 2), 9)),
];

/// All guests, in the order of the store.
pub struct GuestRows<'a> {
    cx: Cx<'a>,
    store: &'a Store,
    glyphs: &'a Glyphs,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
    /// What is being done to which guest: by a run of ours, or by a task of anybody.
    doing: HashMap<GuestRef, Cow<'a, str>>,
}

#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    cluster: &'a ClusterId,
    guest: &'a Guest,
}

impl<'a> GuestRows<'a> {
    /// The guests that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let rows: Vec<Row<'a>> = cx
            .store
            .guests()
            .map(|(cluster, guest)| Row { cluster, guest })
            .collect();
        let highest = rows.iter().map(|row| row.guest.vmid.0).max().unwrap_or(0);
        let digits = highest.checked_ilog10().unwrap_or(0) + 1;
        let mut columns =
            Columns::new(COLUMNS, cx, Field::Cluster).measured(cx, Of::Guest, Field::Disk, Field::Measured);
        columns.widen(Field::Vmid, digits as u16);
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        columns.fit(
            Field::Name,
            longest(
                rows.iter()
                    .map(|row| row.guest.name.as_deref().unwrap_or_default()),
            ),
            14,
        );
        columns.fit(
            Field::Node,
            longest(rows.iter().map(|row| row.guest.node.as_str())),
            0,
        );
        columns.fit(
            Field::Pool,
            longest(rows.iter().filter_map(|row| row.guest.pool.as_deref())),
            0,
        );
        Self {
            cx: *cx,
            store: cx.store,
            glyphs: cx.glyphs,
            columns,
            rows,
            doing: doing(cx),
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
        let (guest, g) = (row.guest, self.glyphs);
        match field {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Vmid => Cell::number(guest.vmid.to_string()),
            Field::Name => Cell::text(guest.label()),
            Field::Flag => flags::cell(self.store, &row.id(), g),
            Field::Node => Cell::text(guest.node.as_str()),
            Field::Kind => Cell::text(row.kind()),
            Field::Status => row.status(g, self.doing.get(&row.guest_ref())),
            Field::Cpu => figures::share(row.cpu(), g),
            Field::Trend => self.trend(row),
            Field::Mem if row.is_loaded() => figures::of(guest.mem, guest.max_mem, g),
            Field::Mem => figures::none(g),
            Field::MemShare => figures::share(row.mem_share(), g),
            Field::Disk => match guest.disk.filter(|used| *used > 0) {
                Some(used) => figures::of(Some(used), guest.max_disk, g),
                // The host cannot look inside a machine's disk: its size is all there is to say.
                None => figures::bytes(guest.max_disk, g),
            },
            Field::Uptime => figures::span(row.uptime(), g),
            Field::Ha => match guest.ha_state.as_deref() {
                None => Cell::empty(),
                Some(state @ ("error" | "fence" | "recovery")) => Cell::toned(state, Tone::Bad),
                Some(state) => Cell::text(state),
            },
            Field::Pool => guest.pool.as_deref().map_or_else(Cell::empty, Cell::text),
            Field::Tags => Cell::toned(guest.tags.join(" "), Tone::Info),
            Field::Measured(number) => list::measured(&self.cx, number, &row.id()),
        }
    }

    fn trend(&self, row: Row<'a>) -> Cell {
        if !row.is_loaded() {
            return Cell::empty();
        }
        self.store
            .guest_history(&row.guest_ref())
            .map_or_else(Cell::empty, |history| {
                figures::trend(history.cpu.samples(), TREND.into(), self.glyphs)
            })
    }
}

/// What runs of ours and running tasks do to guests. Those are few, however many guests there are.
fn doing<'a>(cx: &Cx<'a>) -> HashMap<GuestRef, Cow<'a, str>> {
    let mut doing = HashMap::new();
    for (cluster, task) in cx.store.tasks().filter(|(_, task)| !task.state.is_over()) {
        if let Ok(vmid) = task.upid.id.parse() {
            let guest = GuestRef {
                cluster: cluster.clone(),
                vmid,
            };
            let kind = &*task.upid.kind;
            doing.insert(guest, Cow::Borrowed(task_kind::describe(kind).unwrap_or(kind)));
        }
    }
    for (subject, run) in cx.runs.working() {
        if let (ObjectRef::Guest(guest), Some(deed)) = (subject, Deed::from_name(&run.plan.deed)) {
            doing.insert(guest.clone(), Cow::Owned(deed.title().to_lowercase()));
        }
    }
    doing
}

impl Rows for GuestRows<'_> {
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
            Field::Vmid => a.guest.vmid.cmp(&b.guest.vmid),
            Field::Name => by_name(&a.guest.label(), &b.guest.label()),
            Field::Flag => flags::compare(self.store, &a.id(), &b.id()),
            Field::Node => by_name(a.guest.node.as_str(), b.guest.node.as_str()),
            Field::Kind => a.kind().cmp(b.kind()),
            Field::Status => {
                (a.guest.status, a.guest.lock.as_deref()).cmp(&(b.guest.status, b.guest.lock.as_deref()))
            }
            Field::Cpu | Field::Trend => by_number(a.cpu(), b.cpu()),
            Field::Mem => a.mem().cmp(&b.mem()),
            Field::MemShare => by_number(a.mem_share(), b.mem_share()),
            Field::Disk => (a.guest.disk.max(a.guest.max_disk)).cmp(&(b.guest.disk.max(b.guest.max_disk))),
            Field::Uptime => a.uptime().cmp(&b.uptime()),
            Field::Ha => a.guest.ha_state.cmp(&b.guest.ha_state),
            Field::Pool => a.guest.pool.cmp(&b.guest.pool),
            Field::Tags => a.guest.tags.cmp(&b.guest.tags),
            Field::Measured(number) => self.measured(a, b, number),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, field) = (self.rows[row], self.columns.field(column));
        let cell = self.cell_of(row, field);
        if row.is_loaded() || matches!(field, Field::Flag | Field::Status | Field::Ha) {
            cell
        } else {
            cell.all(Tone::Muted)
        }
    }
}

impl Row<'_> {
    fn guest_ref(&self) -> GuestRef {
        GuestRef {
            cluster: self.cluster.clone(),
            vmid: self.guest.vmid,
        }
    }

    fn id(&self) -> ObjectRef {
        ObjectRef::Guest(self.guest_ref())
    }

    /// Whether it uses CPU and memory. What the server says of the others are zeros that mean nothing.
    fn is_loaded(&self) -> bool {
        matches!(self.guest.status, GuestStatus::Running | GuestStatus::Paused)
    }

    fn cpu(&self) -> Option<f64> {
        self.guest.cpu.filter(|_| self.is_loaded())
    }

    fn mem(&self) -> Option<u64> {
        self.guest.mem.filter(|_| self.is_loaded())
    }

    fn mem_share(&self) -> Option<f64> {
        quantity::ratio(self.mem(), self.guest.max_mem)
    }

    fn uptime(&self) -> Option<u64> {
        self.guest.uptime.filter(|_| self.is_loaded())
    }

    fn kind(&self) -> &'static str {
        match (self.guest.template, self.guest.kind) {
            (true, _) => "tmpl",
            (false, GuestKind::Qemu) => "qemu",
            (false, GuestKind::Lxc) => "lxc",
        }
    }

    /// The sign of what it does with the word; with what is being done to it, or with the lock, if there is one.
    fn status(&self, g: &Glyphs, doing: Option<&Cow<'_, str>>) -> Cell {
        let state: State = states::guest(self.guest.status, g);
        if let Some(doing) = doing {
            return Cell::toned(state.sign, state.tone).then(format!(" {} {doing}", g.busy), Tone::Info);
        }
        match self.guest.lock.as_deref() {
            Some(lock) => Cell::toned(state.sign, state.tone).then(format!(" {} {lock}", g.lock), Tone::Warn),
            None => state.cell(),
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let guest = self.guest;
        see(digits(guest.vmid, &mut [0; 10]))
            || guest.name.as_deref().is_some_and(&mut *see)
            || see(guest.node.as_str())
            || guest.pool.as_deref().is_some_and(&mut *see)
            || guest.tags.iter().any(|tag| see(tag))
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let guest = self.guest;
        match key {
            Key::Status => {
                see(guest.status.as_str())
                    || guest
                        .lock
                        .as_deref()
                        .is_some_and(|lock| see("locked") || see(lock))
            }
            Key::Node => see(guest.node.as_str()),
            Key::Tag => guest.tags.iter().any(|tag| see(tag)),
            Key::Pool => guest.pool.as_deref().is_some_and(see),
            Key::Type => see(guest.kind.as_str()) || guest.template && (see("template") || see("tmpl")),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(&guest.label()),
            Key::User => false,
        }
    }
}

/// The number as text, without an allocation: a filter asks this of ten thousand rows at each key.
fn digits(vmid: Vmid, buffer: &mut [u8; 10]) -> &str {
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{vmid}").is_ok();
    let used = 10 - rest.len();
    if written {
        std::str::from_utf8(&buffer[..used]).unwrap_or_default()
    } else {
        ""
    }
}
