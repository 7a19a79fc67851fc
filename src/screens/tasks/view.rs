//! What the list of tasks shows.
//!
//! What always holds here: sorted by start, what runs counts as newest of all; so it stands first by default.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap};

use super::super::{
    Cx, figures,
    list::{Columns, longest},
    states,
};
use crate::{
    domain::{
        ClusterId, GuestRef, ObjectRef, Task, TaskRef, TaskState,
        filter::{Filter, Key, Searchable},
        quantity::{age, long_span},
        task_kind,
    },
    plan::runs::Record,
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    State,
    Words,
    Kind,
    Object,
    Node,
    User,
    Start,
    Duration,
    Result,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 3)),
    (Field::State, Column::text("state", Width::Fixed(10), 0)),
    (Field::Words, Column::text("task", Width::Between(9, 20), 0)),
    (Field::Kind, Column::text("type", Width::Fixed(10), 7)),
    (Field::Object, Column::text("object", Width::Between(8, 28), 0)),
    (Field::Node, Column::text("node", Width::Between(6, 14), 4)),
    (Field::User, Column::text("user", Width::Between(9, 24), 6)),
    (Field::Start, Column::number("start", figures::MOMENT_WIDTH, 1)),
    (Field::Duration, Column::number("time", 7, 2)),
    (Field::Result, Column::text("result", Width::Grow(10, 4), 5)),
];

/// Running and recent tasks, in the order of the store.
pub struct TaskRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    cluster: &'a ClusterId,
    task: &'a Task,
    /// The name of the guest that it is about.
    guest: Option<&'a str>,
    /// The run of this or another console here that began it.
    run: Option<&'a Record>,
}

impl<'a> TaskRows<'a> {
    /// The tasks that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let ours: HashMap<_, _> = cx.runs.tasks();
        let rows: Vec<Row<'a>> = cx
            .store
            .tasks()
            .map(|(cluster, task)| Row {
                cluster,
                task,
                guest: guest_name(cx, cluster, task),
                run: ours.get(&task.upid).copied(),
            })
            .collect();
        let mut columns = if cx.store.backup_servers().is_empty() {
            Columns::new(COLUMNS, cx, Field::Cluster)
        } else {
            Columns::all(COLUMNS)
        };
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        columns.fit(Field::Words, longest(rows.iter().map(Row::words)), 0);
        columns.fit(
            Field::Node,
            longest(rows.iter().map(|row| row.task.upid.node.as_str())),
            0,
        );
        let users: Vec<String> = rows.iter().map(|row| row.user().plain()).collect();
        columns.fit(Field::User, longest(users.iter().map(String::as_str)), 0);
        let object = |row: &Row<'_>| row.task.upid.id.len() + row.guest.map_or(0, |name| name.len() + 1);
        let objects = rows.iter().map(object).max().unwrap_or(0).min(99);
        columns.fit(Field::Object, objects as u16, 12);
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }

    fn cell_of(&self, row: Row<'a>, field: Field) -> Cell {
        let task = row.task;
        match field {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::State => states::task(&task.state, self.cx.glyphs).cell(),
            Field::Words => Cell::text(row.words()),
            Field::Kind => Cell::toned(&*task.upid.kind, Tone::Muted),
            Field::Object => match row.guest {
                Some(name) => Cell::text(&*task.upid.id).then(format!(" {name}"), Tone::Muted),
                None => Cell::text(&*task.upid.id),
            },
            Field::Node => Cell::text(task.upid.node.as_str()),
            Field::User => row.user(),
            Field::Start => Cell::number(figures::moment(task.upid.start, self.cx.now, self.cx.zone)),
            Field::Duration => self.duration(row),
            Field::Result => Cell::text(row.result()),
        }
    }

    fn duration(&self, row: Row<'a>) -> Cell {
        match (&row.task.state, row.task.end) {
            // It is over, and nobody said when.
            (state, None) if state.is_over() => figures::none(self.cx.glyphs),
            // How long it has run already, in steps that let the screen rest.
            (TaskState::Running, _) => Cell::number(age(row.task.duration(self.cx.now))),
            _ => Cell::number(long_span(row.task.duration(self.cx.now))),
        }
    }
}

impl Rows for TaskRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        let row = &self.rows[row];
        ObjectRef::Task(TaskRef {
            cluster: row.cluster.clone(),
            upid: row.task.upid.clone(),
        })
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.rows[a], self.rows[b]);
        let (x, y) = (&a.task.upid, &b.task.upid);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster.as_str(), b.cluster.as_str()),
            Field::State => a.rank().cmp(&b.rank()),
            Field::Words => a.words().cmp(b.words()),
            Field::Kind => x.kind.cmp(&y.kind),
            Field::Object => by_name(&x.id, &y.id),
            Field::Node => by_name(x.node.as_str(), y.node.as_str()),
            Field::User => a.task.user.cmp(&b.task.user),
            Field::Start => (a.is_running(), x.start).cmp(&(b.is_running(), y.start)),
            Field::Duration => {
                let duration = |row: Row<'_>| row.task.duration(self.cx.now);
                duration(a).cmp(&duration(b))
            }
            Field::Result => a.result().cmp(&b.result()),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, field) = (self.rows[row], self.columns.field(column));
        let cell = self.cell_of(row, field);
        match (&row.task.state, field) {
            (TaskState::Failed(_), Field::Words | Field::Object | Field::Result) => cell.all(Tone::Bad),
            _ => cell,
        }
    }
}

impl<'a> Row<'a> {
    /// Who began it; with the number of the run if that was from here.
    fn user(&self) -> Cell {
        let user = Cell::text(&*self.task.user);
        match self.run.and_then(|run| run.number) {
            Some(number) => user.then(format!(" run {number}"), Tone::Accent),
            None => user,
        }
    }

    fn is_running(&self) -> bool {
        !self.task.state.is_over()
    }

    /// What needs a look first.
    fn rank(&self) -> u8 {
        match self.task.state {
            TaskState::Running => 0,
            TaskState::Failed(_) => 1,
            TaskState::Warnings(_) => 2,
            TaskState::Unknown => 3,
            TaskState::Ok => 4,
        }
    }

    fn words(&self) -> &'a str {
        let kind = &self.task.upid.kind;
        task_kind::describe(kind).unwrap_or(kind)
    }

    fn result(&self) -> Cow<'a, str> {
        match &self.task.state {
            TaskState::Running | TaskState::Ok => Cow::Borrowed(""),
            TaskState::Warnings(1) => Cow::Borrowed("1 warning"),
            TaskState::Warnings(count) => format!("{count} warnings").into(),
            TaskState::Failed(error) => Cow::Borrowed(error),
            TaskState::Unknown => Cow::Borrowed("nobody knows how it ended"),
        }
    }
}

fn guest_name<'a>(cx: &Cx<'a>, cluster: &ClusterId, task: &Task) -> Option<&'a str> {
    let vmid = task.upid.id.parse().ok()?;
    let guest = cx.store.guest(&GuestRef {
        cluster: cluster.clone(),
        vmid,
    })?;
    guest.name.as_deref()
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let upid = &self.task.upid;
        see(self.words())
            || see(&upid.kind)
            || see(&upid.id)
            || self.guest.is_some_and(&mut *see)
            || see(upid.node.as_str())
            || see(&self.task.user)
            || see(&self.result())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let upid = &self.task.upid;
        match key {
            Key::Status => see(self.task.state.word()),
            Key::Node => see(upid.node.as_str()),
            Key::Type => see(&upid.kind),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(&upid.id) || self.guest.is_some_and(see),
            // The realm and the token's id may be left away.
            Key::User => {
                let user = &*self.task.user;
                let account = user.split('!').next().unwrap_or(user);
                see(user) || see(account) || see(account.split('@').next().unwrap_or(account))
            }
            Key::Tag | Key::Pool => false,
        }
    }
}
