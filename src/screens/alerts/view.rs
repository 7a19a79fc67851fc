//! What the list of alerts shows.

use std::cmp::Ordering;

use super::super::{
    Cx,
    alarms::source,
    list::{Columns, longest},
    states,
};
use crate::{
    domain::{
        Alarm, MonitorId, ObjectRef, Standing,
        alarm::Source,
        filter::{Filter, Key, Searchable},
        quantity, task_kind,
    },
    store::{MonitorFeed, Store},
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Severity,
    Subject,
    Text,
    State,
    Kind,
    Source,
    Since,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 4)),
    (Field::Severity, Column::text("severity", Width::Fixed(10), 0)),
    (Field::Subject, Column::text("subject", Width::Between(13, 32), 0)),
    (Field::Text, Column::text("alert", Width::Grow(24, 4), 0)),
    (Field::State, Column::text("state", Width::Between(6, 12), 2)),
    (Field::Kind, Column::text("kind", Width::Between(12, 24), 5)),
    (Field::Source, Column::text("source", Width::Between(8, 24), 6)),
    (Field::Since, Column::number("since", 6, 1)),
];

/// Everything that is wrong, in the order of the store.
pub struct AlertRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
    /// Servers whose last word is old.
    old: Vec<&'a MonitorId>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    store: &'a Store,
    alarm: &'a Alarm,
}

impl<'a> AlertRows<'a> {
    /// Everything that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let rows: Vec<Row<'a>> = cx
            .store
            .alarms()
            .iter()
            .map(|alarm| Row {
                store: cx.store,
                alarm,
            })
            .collect();
        let mut columns = Columns::new(COLUMNS, cx, Field::Cluster);
        let fitted: [(Field, u16, u16); 5] = [
            (Field::Cluster, longest(rows.iter().map(Row::cluster)), 0),
            (Field::Text, longest(rows.iter().map(|row| &*row.alarm.text)), 40),
            (
                Field::State,
                longest(rows.iter().map(|row| row.alarm.standing().as_str())),
                12,
            ),
            (Field::Kind, longest(rows.iter().map(|row| &*row.alarm.name)), 0),
            (
                Field::Source,
                rows.iter()
                    .map(|row| row.sources().len())
                    .max()
                    .unwrap_or(0)
                    .min(99) as u16,
                0,
            ),
        ];
        for (field, longest, good) in fitted {
            columns.fit(field, longest, good);
        }
        let servers = cx.store.monitors.all().iter();
        let old = servers
            .filter(|server| server.freshness(&MonitorFeed::Alerts).is_stale(cx.now))
            .map(crate::store::Monitor::id)
            .collect();
        Self {
            cx: *cx,
            columns,
            rows,
            old,
        }
    }

    /// Whether nobody has said lately that it is so.
    fn is_old(&self, alarm: &Alarm) -> bool {
        alarm.sources.iter().all(|source| match source {
            Source::Server(id) => self.old.contains(&id),
            Source::Findings => false,
        })
    }
}

impl<'a> Row<'a> {
    fn cluster(&self) -> &'a str {
        match &self.alarm.object {
            Some(object) => object.cluster().as_str(),
            None => self.alarm.labels.get("cluster").unwrap_or_default(),
        }
    }

    /// What it speaks of with its name, and short; where nobody knows, what its labels call it.
    fn subject(&self) -> String {
        let Some(object) = &self.alarm.object else {
            let named = ["instance", "host", "node", "object", "job", "component"];
            let label = named.iter().find_map(|label| self.alarm.labels.get(label));
            return label.unwrap_or_default().to_owned();
        };
        match object {
            ObjectRef::Guest(guest) => match self.store.guest(guest) {
                Some(known) => format!("{} {}", guest.vmid, known.label()),
                None => object.to_string(),
            },
            ObjectRef::Task(task) => {
                let upid = &task.upid;
                let words = task_kind::describe(&upid.kind).unwrap_or(&upid.kind);
                format!("task {words} {}", upid.id).trim_end().to_owned()
            }
            // The name first: it is what must not be cut.
            ObjectRef::Storage(storage) => format!("{} ({})", storage.storage, storage.node),
            _ => object.to_string(),
        }
    }

    fn sources(&self) -> String {
        let names = self.alarm.sources.iter().map(source);
        names.collect::<Vec<String>>().join(", ")
    }
}

impl Rows for AlertRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        ObjectRef::Alert(self.rows[row].alarm.key)
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.rows[a], self.rows[b]);
        let (x, y) = (a.alarm, b.alarm);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster(), b.cluster()),
            // What wants attention first, and the newest of the same severity.
            Field::Severity => x.order(y),
            Field::Subject => by_name(&a.subject(), &b.subject()),
            Field::Text => x.text.cmp(&y.text),
            Field::State => x.standing().cmp(&y.standing()).then_with(|| x.order(y)),
            Field::Kind => x.name.cmp(&y.name),
            Field::Source => a.sources().cmp(&b.sources()),
            // The column shows an age: the highest is the oldest.
            Field::Since => y.since.cmp(&x.since),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let row = self.rows[row];
        let alarm = row.alarm;
        let standing = alarm.standing();
        let cell = match self.columns.field(column) {
            Field::Cluster => Cell::text(row.cluster()),
            Field::Severity => {
                let severity = states::severity(alarm.severity, self.cx.glyphs);
                // Where there is no room for the state, colour alone must not tell it.
                match standing {
                    Standing::Firing | Standing::Unknown => severity.cell(),
                    Standing::Acknowledged => severity.saying("acked"),
                    Standing::Inhibited => severity.saying("muted"),
                    quiet => severity.saying(quiet.as_str()),
                }
            }
            Field::Subject => Cell::toned(row.subject(), Tone::Accent),
            Field::Text => Cell::text(&*alarm.text),
            Field::State => Cell::text(standing.as_str()),
            Field::Kind => Cell::toned(&*alarm.name, Tone::Muted),
            Field::Source => Cell::toned(row.sources(), Tone::Muted),
            Field::Since => match alarm.since {
                Some(since) => Cell::number(quantity::age(self.cx.now.duration_since(since).as_secs())),
                None => Cell::number(self.cx.glyphs.none),
            },
        };
        if standing.is_loud() && !self.is_old(alarm) {
            cell
        } else {
            cell.all(Tone::Muted)
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let alarm = self.alarm;
        see(&self.subject())
            || see(&alarm.text)
            || see(&alarm.name)
            || see(&self.sources())
            || alarm.labels.iter().any(|(_, value)| see(value))
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let alarm = self.alarm;
        match key {
            Key::Status => see(&alarm.severity.to_string()) || see(alarm.standing().as_str()),
            Key::Type => see(&alarm.name),
            Key::Cluster => see(self.cluster()),
            Key::Name => see(&self.subject()),
            Key::User => alarm.acknowledged.as_ref().is_some_and(|one| see(&one.by)),
            Key::Node => match &alarm.object {
                Some(ObjectRef::Node(node)) => see(node.node.as_str()),
                Some(ObjectRef::Storage(storage)) => see(storage.node.as_str()),
                Some(ObjectRef::Task(task)) => see(task.upid.node.as_str()),
                _ => false,
            },
            Key::Tag | Key::Pool => false,
        }
    }
}
