//! What the list of backups on Backup Servers shows.
//!
//! What always holds here: a backup that is being made or was cut off has no size and no verification, and says so.

use std::cmp::Ordering;

use super::super::{
    Cx, figures,
    list::{Columns, longest},
    states,
};
use crate::{
    domain::{
        ClusterId, ObjectRef, ServerBackupRef,
        backup::{BackupSnapshot, BackupType},
        filter::{Filter, Key, Searchable},
        quantity::age,
    },
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Server,
    Store,
    Namespace,
    Group,
    Guest,
    Time,
    Age,
    Size,
    Verified,
    Marks,
    Owner,
    Notes,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Server, Column::text("server", Width::Between(6, 14), 8)),
    (Field::Store, Column::text("datastore", Width::Between(9, 16), 3)),
    (
        Field::Namespace,
        Column::text("namespace", Width::Between(9, 22), 2),
    ),
    (Field::Group, Column::text("group", Width::Between(7, 24), 0)),
    (Field::Guest, Column::text("guest", Width::Between(6, 20), 6)),
    (
        Field::Time,
        Column::text("time", Width::Fixed(figures::MOMENT_WIDTH), 5),
    ),
    (Field::Age, Column::number("age", 5, 0)),
    (Field::Size, Column::number("size", 6, 1)),
    (Field::Verified, Column::text("verified", Width::Fixed(10), 0)),
    (Field::Marks, Column::text("marks", Width::Fixed(12), 4)),
    (Field::Owner, Column::text("owner", Width::Between(7, 22), 9)),
    (Field::Notes, Column::text("notes", Width::Grow(8, 3), 7)),
];

/// All backups that are known.
pub struct BackupRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    server: &'a ClusterId,
    store: &'a str,
    namespace: &'a str,
    backup: &'a BackupSnapshot,
    guest: &'a str,
}

impl<'a> BackupRows<'a> {
    /// The backups that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let mut rows = Vec::new();
        for member in cx.store.backup_servers() {
            let Some(server) = member.backup_server() else {
                continue;
            };
            for (store, namespace, backup) in server.all_snapshots() {
                rows.push(Row {
                    server: member.id(),
                    store,
                    namespace,
                    backup,
                    guest: guest(cx, namespace, backup),
                });
            }
        }
        let mut columns = Columns::all(COLUMNS);
        columns.fit(
            Field::Server,
            longest(rows.iter().map(|row| row.server.as_str())),
            0,
        );
        columns.fit(Field::Store, longest(rows.iter().map(|row| row.store)), 0);
        columns.fit(
            Field::Namespace,
            longest(rows.iter().map(|row| row.namespace)),
            12,
        );
        columns.fit(
            Field::Owner,
            longest(rows.iter().map(|row| &*row.backup.owner)),
            0,
        );
        columns.fit(Field::Guest, longest(rows.iter().map(|row| row.guest)), 0);
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }

    fn cell_of(&self, row: Row<'a>, field: Field) -> Cell {
        let (one, g) = (row.backup, self.cx.glyphs);
        match field {
            Field::Server => Cell::text(row.server.as_str()),
            Field::Store => Cell::text(row.store),
            Field::Namespace => Cell::toned(row.namespace, Tone::Muted),
            Field::Group => Cell::toned(format!("{}/", one.kind), Tone::Muted).then(&*one.id, Tone::Accent),
            Field::Guest => Cell::text(row.guest),
            Field::Time => Cell::text(figures::moment(one.time, self.cx.now, self.cx.zone)),
            Field::Age => Cell::number(age(self.cx.now.duration_since(one.time).as_secs())),
            Field::Size => figures::bytes(one.size, g),
            Field::Verified => states::verified(one, g),
            Field::Marks => states::marks(one, g),
            Field::Owner => Cell::toned(&*one.owner, Tone::Muted),
            Field::Notes => Cell::text(one.comment.as_deref().unwrap_or_default()),
        }
    }
}

/// The name of the guest that a backup of the root namespace is of, where one cluster alone has such a guest.
fn guest<'a>(cx: &Cx<'a>, namespace: &str, one: &BackupSnapshot) -> &'a str {
    if !namespace.is_empty() || one.kind == BackupType::Host {
        return "";
    }
    let Ok(vmid) = one.id.parse() else { return "" };
    let mut found = cx
        .store
        .clusters()
        .iter()
        .filter_map(|cluster| cluster.guest(vmid));
    match (found.next(), found.next()) {
        (Some(guest), None) => guest.name.as_deref().unwrap_or_default(),
        _ => "",
    }
}

fn word(one: &BackupSnapshot) -> &'static str {
    match (one.verification, one.size) {
        (Some(state), _) => state.as_str(),
        (None, None) => "unfinished",
        (None, Some(_)) => "never",
    }
}

impl Rows for BackupRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        let row = self.rows[row];
        ObjectRef::ServerBackup(ServerBackupRef {
            cluster: row.server.clone(),
            store: row.store.into(),
            namespace: row.namespace.into(),
            kind: row.backup.kind,
            id: (*row.backup.id).into(),
            time: row.backup.time,
        })
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.rows[a], self.rows[b]);
        let (x, y) = (a.backup, b.backup);
        let group = || x.kind.cmp(&y.kind).then_with(|| by_name(&x.id, &y.id));
        match self.columns.field(column) {
            Field::Server => by_name(a.server.as_str(), b.server.as_str()),
            Field::Store => by_name(a.store, b.store),
            Field::Namespace => by_name(a.namespace, b.namespace),
            Field::Group => group(),
            Field::Guest => by_name(a.guest, b.guest),
            // The highest age is the oldest.
            Field::Age => y.time.cmp(&x.time).then_with(group),
            Field::Time => x.time.cmp(&y.time).then_with(group),
            Field::Size => x.size.cmp(&y.size),
            Field::Verified => word(x).cmp(word(y)),
            Field::Marks => (x.protected, x.encrypted).cmp(&(y.protected, y.encrypted)),
            Field::Owner => x.owner.cmp(&y.owner),
            Field::Notes => x.comment.cmp(&y.comment),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        self.cell_of(self.rows[row], self.columns.field(column))
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&self.backup.id)
            || see(self.namespace)
            || see(self.store)
            || see(self.guest)
            || see(self.backup.comment.as_deref().unwrap_or_default())
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let one = self.backup;
        match key {
            Key::Status => see(word(one)),
            Key::Type => {
                see(one.kind.as_str())
                    || (one.encrypted && see("encrypted"))
                    || (one.protected && see("protected"))
            }
            Key::Cluster => see(self.server.as_str()),
            Key::Node => see(self.store),
            Key::Pool => see(self.namespace),
            Key::Name => see(&one.id) || see(self.guest),
            Key::User => see(&one.owner),
            Key::Tag => false,
        }
    }
}
