//! A backup, a snapshot, and what a guest has of backups.

use super::parts::{self, Facts, moment_ago, sourced, yes};
use crate::{
    domain::{
        BackupRef, GuestKind, GuestRef, NodeRef, SnapshotRef, quantity::Bytes, retention::Fate,
        storage::Volume,
    },
    screens::{Cx, restoring},
    store::{Backup, Feed},
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
    },
};

/// Backups that the page of a guest lists.
const LISTED: usize = 12;

pub(super) fn feeds(id: &BackupRef) -> Vec<Feed> {
    let storage = &id.storage;
    vec![
        Feed::Backups(storage.node.clone(), storage.storage.clone()),
        Feed::StorageDefinitions,
    ]
}

/// The page of a backup.
pub(super) fn page(cx: &Cx<'_>, id: &BackupRef) -> Vec<Section> {
    let storage = &id.storage;
    let fresh = parts::fresh(
        cx,
        &storage.cluster,
        Feed::Backups(storage.node.clone(), storage.storage.clone()),
    );
    let backup = cx.store.backup(id);
    let known = backup.as_ref().map(|backup| backup.volume);
    let gone = !fresh.age.is_empty() && known.is_none();
    let mut section = sourced("Backup", &fresh, known, "", |volume| facts(cx, id, volume));
    if gone {
        section = section.notice("it is not there any more", Tone::Warn);
    }
    let mut sections = vec![section];
    if let Some(backup) = backup {
        sections.extend(fate(cx, id, backup));
    }
    if let Some(notes) = known.and_then(|volume| volume.notes.as_deref()) {
        sections.push(Section::prose("Notes", notes));
    }
    sections
}

fn facts(cx: &Cx<'_>, id: &BackupRef, volume: &Volume) -> Body {
    let mut facts = Facts::default();
    let guest = volume.vmid.map(|vmid| {
        let known = cx.store.guest(&GuestRef {
            cluster: id.storage.cluster.clone(),
            vmid,
        });
        match known {
            Some(guest) => Cell::text(vmid.to_string()).then(format!(" {}", guest.label()), Tone::Accent),
            None => Cell::text(vmid.to_string()).then(" (no such guest any more)", Tone::Warn),
        }
    });
    facts.maybe("guest", guest);
    facts.maybe("type", volume.kind().map(GuestKind::as_str));
    facts.maybe("made", volume.time.map(|time| moment_ago(cx, time)));
    facts.add("size", restoring::size(volume, cx.glyphs));
    facts.add("verified", restoring::verification(volume, cx.glyphs));
    facts.add("protected", yes(volume.protected));
    facts.add("encrypted", yes(volume.encrypted));
    facts.add("format", &*volume.format);
    facts.add("storage", id.storage.storage.as_str());
    let cluster = cx.store.cluster(&id.storage.cluster);
    let definition = cluster.and_then(|cluster| cluster.storage_definition(&id.storage.storage));
    facts.maybe(
        "namespace",
        definition.and_then(|definition| definition.namespace.as_deref()),
    );
    facts.add("volume", &*volume.volid);
    facts.body()
}

/// What the storage's own retention would do to it and to its siblings.
fn fate(cx: &Cx<'_>, id: &BackupRef, backup: Backup<'_>) -> Option<Section> {
    let cluster = cx.store.cluster(&id.storage.cluster)?;
    let rules = cluster
        .storage_definition(&id.storage.storage)?
        .retention
        .as_ref()?;
    let zone = cx.store.zone_near(&NodeRef {
        cluster: id.storage.cluster.clone(),
        node: id.storage.node.clone(),
    })?;
    let vmid = backup.volume.vmid?;
    let group: Vec<Backup<'_>> = cluster
        .backups_of(vmid)
        .filter(|other| other.storage == backup.storage && other.volume.kind() == backup.volume.kind())
        .collect();
    let rows = restoring::prune(&group, rules, &zone)
        .into_iter()
        .map(|(other, fate)| {
            let tone = if matches!(fate, Fate::Removed(_)) {
                Tone::Warn
            } else {
                Tone::Text
            };
            let own = other.volid == backup.volume.volid;
            vec![
                Cell::toned(if own { cx.glyphs.pointer } else { "" }, Tone::Accent),
                Cell::text(
                    other
                        .time
                        .map_or_else(String::new, |time| parts::moment(time, cx.zone)),
                ),
                Cell::toned(fate.to_string(), tone),
            ]
        })
        .collect();
    let body = Body::Grid {
        columns: vec![
            GridColumn::text(""),
            GridColumn::text("made"),
            GridColumn::text("the storage's next prune"),
        ],
        rows,
    };
    Some(Section::new(format!("Retention {rules}"), body))
}

/// The page of a snapshot.
pub(super) fn snapshot_page(cx: &Cx<'_>, id: &SnapshotRef) -> Vec<Section> {
    let fresh = parts::fresh(cx, &id.guest.cluster, Feed::GuestSnapshots(id.guest.vmid));
    let list = cx.store.guest_snapshots(&id.guest);
    let known = list.and_then(|list| list.iter().find(|snapshot| snapshot.name == id.name));
    let gone = list.is_some() && known.is_none();
    let section = sourced("Snapshot", &fresh, known, "", |snapshot| {
        let mut facts = Facts::default();
        facts.add("name", Cell::toned(&*snapshot.name, Tone::Accent));
        if let Some(guest) = cx.store.guest(&id.guest) {
            let of = Cell::text(id.guest.vmid.to_string()).then(format!(" {}", guest.label()), Tone::Accent);
            facts.add("guest", of);
        }
        facts.maybe("taken", snapshot.time.map(|time| moment_ago(cx, time)));
        facts.maybe("on top of", snapshot.parent.as_deref());
        facts.add("with RAM", yes(snapshot.with_ram));
        let children: Vec<&str> = list
            .unwrap_or_default()
            .iter()
            .filter(|other| other.parent.as_deref() == Some(&*id.name))
            .map(|other| &*other.name)
            .collect();
        facts.maybe("below it", (!children.is_empty()).then(|| children.join(", ")));
        facts.body()
    });
    let mut sections = vec![section];
    if gone {
        sections[0] = sections[0].clone().notice("it is not there any more", Tone::Warn);
    }
    if let Some(text) = known
        .map(|snapshot| &*snapshot.description)
        .filter(|text| !text.is_empty())
    {
        sections.push(Section::prose("Description", text));
    }
    sections
}

/// What a guest has of backups, once something of them is known.
pub(super) fn of_guest(cx: &Cx<'_>, id: &GuestRef) -> Option<Section> {
    let cluster = cx.store.cluster(&id.cluster)?;
    let feeds = cluster.backup_feeds().map(|feed| feed.of(&id.cluster));
    let fresh = crate::screens::freshness::freshness(cx, feeds.collect::<Vec<_>>());
    let backups: Vec<Backup<'_>> = cluster.backups_of(id.vmid).collect();
    let known = (cluster.knows_all_backups() || !backups.is_empty()).then_some(&backups);
    let total = backups.len();
    let title = if total > LISTED {
        format!("Backups (newest {LISTED} of {total})")
    } else {
        "Backups".to_owned()
    };
    let section = sourced(&title, &fresh, known, "no backup of it is known", |backups| {
        let row = |backup: &Backup<'_>| {
            let volume = backup.volume;
            let mut notes = Cell::empty();
            if volume.protected {
                notes = notes.then(format!("{} protected ", cx.glyphs.lock), Tone::Info);
            }
            vec![
                Cell::text(
                    volume
                        .time
                        .map_or_else(String::new, |time| parts::ago(time, cx.now)),
                ),
                Cell::toned(
                    volume
                        .time
                        .map_or_else(String::new, |time| parts::moment(time, cx.zone)),
                    Tone::Muted,
                ),
                Cell::text(backup.storage.as_str()),
                Cell::text(
                    volume
                        .size
                        .map_or_else(String::new, |size| Bytes(size).to_string()),
                ),
                restoring::verification(volume, cx.glyphs),
                notes.then(volume.notes.as_deref().unwrap_or_default(), Tone::Muted),
            ]
        };
        Body::Grid {
            columns: vec![
                GridColumn::number("age"),
                GridColumn::text("made"),
                GridColumn::text("storage"),
                GridColumn::number("size"),
                GridColumn::text("verified"),
                GridColumn::text("notes"),
            ],
            rows: backups.iter().take(LISTED).map(row).collect(),
        }
    });
    Some(section.wants(90))
}
