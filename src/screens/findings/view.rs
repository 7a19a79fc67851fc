//! What the list of findings shows.

use std::cmp::Ordering;

use super::super::{
    Cx,
    list::{Columns, longest},
    states,
};
use crate::{
    domain::{
        Finding, ObjectRef,
        filter::{Filter, Key, Searchable},
        quantity, task_kind,
    },
    store::Store,
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
    Kind,
    Since,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 3)),
    (Field::Severity, Column::text("severity", Width::Fixed(10), 0)),
    (Field::Subject, Column::text("subject", Width::Between(13, 32), 0)),
    (Field::Text, Column::text("finding", Width::Grow(24, 4), 0)),
    (Field::Kind, Column::text("kind", Width::Fixed(20), 5)),
    (Field::Since, Column::number("since", 6, 1)),
];

/// All findings, in the order of the store: the worst first.
pub struct FindingRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    store: &'a Store,
    finding: &'a Finding,
}

impl<'a> FindingRows<'a> {
    /// The findings that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let rows: Vec<Row<'a>> = cx
            .store
            .findings()
            .iter()
            .map(|finding| Row {
                store: cx.store,
                finding,
            })
            .collect();
        let mut columns = if cx.store.backup_servers().is_empty() {
            Columns::new(COLUMNS, cx, Field::Cluster)
        } else {
            Columns::all(COLUMNS)
        };
        let clusters = rows.iter().map(|row| row.finding.subject.cluster());
        columns.fit(
            Field::Cluster,
            clusters.map(|id| id.as_str().len()).max().unwrap_or(0).min(99) as u16,
            0,
        );
        columns.fit(
            Field::Text,
            longest(rows.iter().map(|row| row.finding.text.as_str())),
            40,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

impl Row<'_> {
    /// The subject with its name, and short.
    fn subject(&self) -> String {
        let object = &self.finding.subject;
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
}

impl Rows for FindingRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        self.rows[row].finding.subject.clone()
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.rows[a], self.rows[b]);
        let (x, y) = (a.finding, b.finding);
        match self.columns.field(column) {
            Field::Cluster => by_name(x.subject.cluster().as_str(), y.subject.cluster().as_str()),
            // The newest of the same severity first.
            Field::Severity => (x.severity, y.since).cmp(&(y.severity, x.since)),
            Field::Subject => by_name(&a.subject(), &b.subject()),
            Field::Text => x.text.cmp(&y.text),
            Field::Kind => x.kind.as_str().cmp(y.kind.as_str()),
            // The column shows an age: the highest is the oldest.
            Field::Since => y.since.cmp(&x.since),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let row = self.rows[row];
        let finding = row.finding;
        match self.columns.field(column) {
            Field::Cluster => Cell::text(finding.subject.cluster().as_str()),
            Field::Severity => states::severity(finding.severity, self.cx.glyphs).cell(),
            Field::Subject => Cell::toned(row.subject(), Tone::Accent),
            Field::Text => Cell::text(finding.text.as_str()),
            Field::Kind => Cell::toned(finding.kind.as_str(), Tone::Muted),
            Field::Since => {
                let age = self.cx.now.duration_since(finding.since);
                Cell::number(quantity::age(age.as_secs()))
            }
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&self.subject()) || see(&self.finding.text) || see(self.finding.kind.as_str())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(&self.finding.severity.to_string()),
            Key::Type => see(self.finding.kind.as_str()),
            Key::Cluster => see(self.finding.subject.cluster().as_str()),
            Key::Name => see(&self.subject()),
            Key::Node => match &self.finding.subject {
                ObjectRef::Node(node) => see(node.node.as_str()),
                ObjectRef::Storage(storage) => see(storage.node.as_str()),
                ObjectRef::Task(task) => see(task.upid.node.as_str()),
                ObjectRef::Backup(backup) => see(backup.storage.node.as_str()),
                _ => false,
            },
            Key::Tag | Key::Pool | Key::User => false,
        }
    }
}
