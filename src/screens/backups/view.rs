//! What the list of backups shows.

use std::{cmp::Ordering, collections::HashMap};

use super::super::{
    Cx, figures,
    list::{Columns, longest},
    restoring,
};
use crate::{
    domain::{
        Guest, ObjectRef, Vmid,
        filter::{Filter, Key, Searchable},
        objective::unusual,
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
    Age,
    Made,
    Storage,
    Size,
    Usual,
    Verified,
    Protected,
    Encrypted,
    Namespace,
    Notes,
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
    (Field::Name, Column::text("name", Width::Between(8, 24), 4)),
    (
        Field::Age,
        Column {
            high_first: false,
            ..Column::number("age", 5, 0)
        },
    ),
    (Field::Made, Column::number("made", figures::MOMENT_WIDTH, 5)),
    (Field::Storage, Column::text("storage", Width::Between(7, 16), 1)),
    (Field::Size, Column::number("size", 8, 0)),
    (Field::Usual, Column::number("usual", 6, 8)),
    (Field::Verified, Column::text("verified", Width::Fixed(9), 2)),
    (Field::Protected, Column::text("prot", Width::Fixed(5), 3)),
    (Field::Encrypted, Column::text("enc", Width::Fixed(4), 9)),
    (
        Field::Namespace,
        Column::text("namespace", Width::Between(9, 20), 10),
    ),
    (Field::Notes, Column::text("notes", Width::Grow(8, 3), 7)),
];

/// All backups, or those about one object.
pub struct BackupRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    backup: Backup<'a>,
    guest: Option<&'a Guest>,
    namespace: Option<&'a str>,
    /// How many times the usual size it has, where that stands out.
    unusual: Option<f64>,
}

impl<'a> BackupRows<'a> {
    /// The backups that the store knows.
    pub fn new(cx: &Cx<'a>, of: Option<&ObjectRef>) -> Self {
        let mut rows: Vec<Row<'a>> = match of {
            Some(ObjectRef::Guest(guest)) => cx
                .store
                .cluster(&guest.cluster)
                .into_iter()
                .flat_map(|cluster| cluster.backups_of(guest.vmid))
                .map(|backup| row(cx, backup))
                .collect(),
            _ => cx
                .store
                .clusters()
                .iter()
                .flat_map(crate::store::Cluster::backups)
                .map(|backup| row(cx, backup))
                .filter(|row| of.is_none_or(|of| row.is_about(of)))
                .collect(),
        };
        // What the store holds is in no order: equal ages must not change places.
        rows.sort_by(|a, b| {
            let (x, y) = (a.backup.volume, b.backup.volume);
            y.time.cmp(&x.time).then_with(|| x.volid.cmp(&y.volid))
        });
        compare_sizes(&mut rows);
        let mut columns = Columns::new(COLUMNS, cx, Field::Cluster);
        if matches!(of, Some(ObjectRef::Guest(_))) {
            columns.keep(|field| !matches!(field, Field::Cluster | Field::Vmid | Field::Name));
        }
        let highest = rows.iter().filter_map(|row| row.backup.volume.vmid).max();
        let digits = highest.and_then(|vmid| vmid.0.checked_ilog10()).unwrap_or(0) + 1;
        columns.widen(Field::Vmid, digits as u16);
        columns.fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.backup.cluster.as_str())),
            0,
        );
        columns.fit(Field::Name, longest(rows.iter().map(Row::name)), 10);
        columns.fit(
            Field::Storage,
            longest(rows.iter().map(|row| row.backup.storage.as_str())),
            10,
        );
        columns.fit(
            Field::Namespace,
            longest(rows.iter().filter_map(|row| row.namespace)),
            0,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

fn row<'a>(cx: &Cx<'a>, backup: Backup<'a>) -> Row<'a> {
    let cluster = cx.store.cluster(backup.cluster);
    Row {
        backup,
        guest: cluster.and_then(|cluster| cluster.guest(backup.volume.vmid?)),
        namespace: cluster
            .and_then(|cluster| cluster.storage_definition(backup.storage))
            .and_then(|definition| definition.namespace.as_deref()),
        unusual: None,
    }
}

/// Compares each backup with the others of its guest on its storage.
fn compare_sizes(rows: &mut [Row<'_>]) {
    type Like<'a> = (&'a str, &'a str, Option<Vmid>);
    let mut sizes: HashMap<Like<'_>, Vec<(usize, u64)>> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        let backup = row.backup;
        if let Some(size) = backup.volume.size {
            let like = (
                backup.cluster.as_str(),
                backup.storage.as_str(),
                backup.volume.vmid,
            );
            sizes.entry(like).or_default().push((index, size));
        }
    }
    let mut found = Vec::new();
    for like in sizes.values() {
        for (index, size) in like {
            let others: Vec<u64> = like
                .iter()
                .filter(|(other, _)| other != index)
                .map(|(_, size)| *size)
                .collect();
            found.push((*index, unusual(*size, &others)));
        }
    }
    for (index, times) in found {
        rows[index].unusual = times;
    }
}

impl<'a> Row<'a> {
    fn name(&self) -> &'a str {
        self.guest
            .and_then(|guest| guest.name.as_deref())
            .or(self.backup.volume.notes.as_deref())
            .unwrap_or("")
    }

    /// Whether it has to do with an object that is selected elsewhere.
    fn is_about(&self, of: &ObjectRef) -> bool {
        match of {
            ObjectRef::Storage(storage) => {
                *self.backup.cluster == storage.cluster && *self.backup.storage == storage.storage
            }
            ObjectRef::Node(node) => {
                *self.backup.cluster == node.cluster
                    && self.guest.is_some_and(|guest| guest.node == node.node)
            }
            ObjectRef::Guest(guest) => {
                *self.backup.cluster == guest.cluster && self.backup.volume.vmid == Some(guest.vmid)
            }
            _ => true,
        }
    }

    fn verified(&self) -> u8 {
        match self.backup.volume.verified.as_deref() {
            None => 1,
            Some("ok") => 2,
            Some(_) => 0,
        }
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
        ObjectRef::Backup(self.rows[row].backup.reference())
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.rows[a], &self.rows[b]);
        let (x, y) = (a.backup.volume, b.backup.volume);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.backup.cluster.as_str(), b.backup.cluster.as_str()),
            Field::Vmid => x.vmid.cmp(&y.vmid),
            Field::Name => by_name(a.name(), b.name()),
            // The highest age is the oldest.
            Field::Age => y.time.cmp(&x.time),
            Field::Made => x.time.cmp(&y.time),
            Field::Storage => by_name(a.backup.storage.as_str(), b.backup.storage.as_str()),
            Field::Size => x.size.cmp(&y.size),
            Field::Usual => a.unusual.unwrap_or(1.0).total_cmp(&b.unusual.unwrap_or(1.0)),
            Field::Verified => a.verified().cmp(&b.verified()),
            Field::Protected => y.protected.cmp(&x.protected),
            Field::Encrypted => y.encrypted.cmp(&x.encrypted),
            Field::Namespace => a.namespace.cmp(&b.namespace),
            Field::Notes => x.notes.cmp(&y.notes),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, g) = (&self.rows[row], self.cx.glyphs);
        let volume = row.backup.volume;
        match self.columns.field(column) {
            Field::Cluster => Cell::text(row.backup.cluster.as_str()),
            Field::Vmid => match volume.vmid {
                Some(vmid) if row.guest.is_some() => Cell::number(vmid.to_string()),
                // The guest is gone, its backup is not.
                Some(vmid) => Cell::toned(vmid.to_string(), Tone::Muted).right(),
                None => figures::none(g),
            },
            Field::Name if row.guest.is_none() => Cell::toned(row.name(), Tone::Muted),
            Field::Name => Cell::text(row.name()),
            Field::Age => match volume.time {
                Some(time) => Cell::number(age(self.cx.now.duration_since(time).as_secs())),
                None => figures::none(g),
            },
            Field::Made => match volume.time {
                Some(time) => Cell::number(figures::moment(time, self.cx.now, self.cx.zone)),
                None => figures::none(g),
            },
            Field::Storage => Cell::text(row.backup.storage.as_str()),
            Field::Size => match volume.size {
                Some(size) => Cell::number(Bytes(size).to_string()),
                None => Cell::toned(g.busy, Tone::Warn).right(),
            },
            Field::Usual => match row.unusual {
                Some(times) if times > 1.0 => Cell::toned(format!("{times:.1}x"), Tone::Warn).right(),
                Some(times) => Cell::toned(format!("{times:.2}x"), Tone::Warn).right(),
                None => Cell::empty(),
            },
            Field::Verified => restoring::verification(volume, g),
            Field::Protected if volume.protected => Cell::toned(g.lock, Tone::Info),
            Field::Encrypted if volume.encrypted => Cell::toned("yes", Tone::Info),
            Field::Protected | Field::Encrypted => Cell::empty(),
            Field::Namespace => Cell::toned(row.namespace.unwrap_or_default(), Tone::Muted),
            Field::Notes => Cell::toned(volume.notes.as_deref().unwrap_or_default(), Tone::Muted),
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let volume = self.backup.volume;
        see(&volume.volid)
            || see(self.name())
            || see(self.backup.storage.as_str())
            || volume.notes.as_deref().is_some_and(see)
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let volume = self.backup.volume;
        match key {
            Key::Status => {
                see(volume.verified.as_deref().unwrap_or("unverified"))
                    || (volume.protected && see("protected"))
                    || (volume.encrypted && see("encrypted"))
            }
            Key::Node => {
                see(self.backup.node.as_str()) || self.guest.is_some_and(|guest| see(guest.node.as_str()))
            }
            Key::Tag => self
                .guest
                .is_some_and(|guest| guest.tags.iter().any(|tag| see(tag))),
            Key::Pool => self
                .guest
                .and_then(|guest| guest.pool.as_deref())
                .is_some_and(see),
            Key::Type => volume.kind().is_some_and(|kind| see(kind.as_str())),
            Key::Cluster => see(self.backup.cluster.as_str()),
            Key::Name => see(self.name()) || volume.vmid.is_some_and(|vmid| see(&vmid.to_string())),
            Key::User => false,
        }
    }
}
