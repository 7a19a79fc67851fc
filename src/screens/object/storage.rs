//! Everything about a storage, as one node sees it.

use std::collections::BTreeMap;

use super::parts::{self, Facts, share, sourced, yes};
use crate::{
    domain::{
        GuestRef, NodeRef, ObjectRef, Storage, StorageRef, Vmid,
        quantity::Bytes,
        storage::{StorageDetail, Volume},
    },
    screens::{Cx, states},
    store::{Cluster, Feed},
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// What its page shows.
pub(super) fn feeds(cx: &Cx<'_>, id: &StorageRef) -> Vec<Feed> {
    if !parts::answers(cx, &node_of(id)) {
        return Vec::new();
    }
    vec![
        Feed::StorageStatus(id.node.clone(), id.storage.clone()),
        Feed::StorageContent(id.node.clone(), id.storage.clone()),
    ]
}

fn node_of(id: &StorageRef) -> NodeRef {
    NodeRef {
        cluster: id.cluster.clone(),
        node: id.node.clone(),
    }
}

/// Its page.
pub(super) fn page(cx: &Cx<'_>, id: &StorageRef) -> Vec<Section> {
    let store = cx.store;
    let object = ObjectRef::Storage(id.clone());
    let Some(storage) = store.storage(id) else {
        return vec![parts::missing(cx, &object)];
    };
    let detail = store.storage_detail(id);
    let fresh = |feed: Feed| parts::fresh_on(cx, &node_of(id), feed);
    let [status_feed, content_feed] = [
        Feed::StorageStatus(id.node.clone(), id.storage.clone()),
        Feed::StorageContent(id.node.clone(), id.storage.clone()),
    ];
    let status_fresh = fresh(status_feed);
    let mut nodes: Vec<&str> = store
        .cluster(&id.cluster)
        .map_or(&[][..], Cluster::storages)
        .iter()
        .filter(|other| other.name == id.storage)
        .map(|other| other.node.as_str())
        .collect();
    nodes.sort_unstable();
    let fill = store
        .storage_history(id)
        .and_then(|ring| parts::history(cx.glyphs, ring));
    let owner = |vmid: Vmid| {
        let guest = store.guest(&GuestRef {
            cluster: id.cluster.clone(),
            vmid,
        })?;
        guest.name.as_deref()
    };
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &object));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Status",
        &status_fresh,
        status(cx, storage, detail, &nodes),
    ));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Space",
        &status_fresh,
        space(cx, storage, detail, fill),
    ));
    sections.extend(content(
        cx,
        &fresh(content_feed),
        store.storage_content(id),
        &owner,
    ));
    sections
}

fn status(cx: &Cx<'_>, storage: &Storage, detail: Option<&StorageDetail>, nodes: &[&str]) -> Body {
    let g = cx.glyphs;
    let mut facts = Facts::default();
    facts.add("status", states::storage(storage.status, g).cell());
    facts.add("storage", storage.name.as_str());
    facts.add("seen by", storage.node.as_str());
    facts.add("type", &*storage.plugin);
    facts.add("content", storage.content.join(" "));
    facts.add("shared", yes(storage.shared));
    facts.add("on nodes", nodes.join(" "));
    if let Some(detail) = detail {
        facts.add("enabled", yes(detail.enabled));
        facts.add("active", yes(detail.active));
    }
    facts.body()
}

fn space(cx: &Cx<'_>, storage: &Storage, detail: Option<&StorageDetail>, fill: Option<Cell>) -> Body {
    let mut facts = Facts::default();
    let (used, free, total) = match (detail.and_then(|d| d.space), storage.used.zip(storage.total)) {
        (Some(space), _) => space,
        (None, Some((used, total))) => (used, total.saturating_sub(used), total),
        (None, None) => return facts.body(),
    };
    facts.add("used", share(cx.glyphs, used, total));
    facts.add("free", Bytes(free).to_string());
    facts.add("size", Bytes(total).to_string());
    facts.maybe("history", fill);
    facts.body()
}

/// The words for the content types, in the order in which they are shown.
const KINDS: [(&str, &str); 7] = [
    ("images", "Disk images"),
    ("rootdir", "Container volumes"),
    ("backup", "Backups"),
    ("iso", "ISO images"),
    ("vztmpl", "Container templates"),
    ("import", "Images to import"),
    ("snippets", "Snippets"),
];

/// What lies on the storage, one section per content type, the newest first.
fn content<'n>(
    cx: &Cx<'_>,
    fresh: &Freshness,
    volumes: Option<&[Volume]>,
    owner: &dyn Fn(Vmid) -> Option<&'n str>,
) -> Vec<Section> {
    let Some(volumes) = volumes.filter(|volumes| !volumes.is_empty()) else {
        return vec![sourced("Content", fresh, volumes, "empty", |_| {
            Body::Lines(Vec::new())
        })];
    };
    let mut kinds: BTreeMap<(usize, &str), Vec<&Volume>> = BTreeMap::new();
    for volume in volumes {
        let rank = KINDS
            .iter()
            .position(|(kind, _)| *kind == &*volume.content)
            .unwrap_or(KINDS.len());
        kinds.entry((rank, &*volume.content)).or_default().push(volume);
    }
    kinds
        .into_iter()
        .map(|((rank, kind), mut list)| {
            list.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.volid.cmp(&b.volid)));
            let sum: u64 = list.iter().filter_map(|v| v.size).fold(0, u64::saturating_add);
            let word = KINDS.get(rank).map_or(kind, |(_, word)| word);
            let title = format!("{word} ({}, {})", list.len(), Bytes(sum));
            sourced(&title, fresh, Some(&list), "empty", |list| {
                volume_grid(cx, list, kind == "backup", owner)
            })
            .wants(90)
        })
        .collect()
}

fn volume_grid<'n>(
    cx: &Cx<'_>,
    list: &[&Volume],
    backups: bool,
    owner: &dyn Fn(Vmid) -> Option<&'n str>,
) -> Body {
    let mut columns = vec![
        GridColumn::text("volume"),
        GridColumn::text("guest"),
        GridColumn::number("size"),
        GridColumn::text("format"),
        GridColumn::number("age"),
    ];
    if backups {
        columns.push(GridColumn::text("verified"));
    }
    columns.push(GridColumn::text("notes"));
    let rows = list
        .iter()
        .map(|volume| {
            // The storage's name stands above; `iso/` says the type again.
            let name = volume
                .volid
                .split_once(':')
                .map_or(&*volume.volid, |(_, rest)| rest);
            let name = name
                .strip_prefix(&*volume.content)
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(name);
            let mut guest = volume
                .vmid
                .map_or_else(Cell::empty, |vmid| Cell::text(vmid.to_string()));
            if let Some(name) = volume.vmid.and_then(owner) {
                guest = guest.then(format!(" {name}"), Tone::Accent);
            }
            let mut notes = Cell::empty();
            if volume.protected {
                notes = notes.then(format!("{} protected ", cx.glyphs.lock), Tone::Info);
            }
            let mut row = vec![
                Cell::text(name),
                guest,
                Cell::text(
                    volume
                        .size
                        .map_or_else(String::new, |bytes| Bytes(bytes).to_string()),
                ),
                Cell::toned(&*volume.format, Tone::Muted),
                Cell::text(
                    volume
                        .time
                        .map_or_else(String::new, |time| parts::ago(time, cx.now)),
                ),
            ];
            if backups {
                row.push(match volume.verified.as_deref() {
                    Some("ok") => Cell::toned(format!("{} ok", cx.glyphs.ok), Tone::Good),
                    Some(other) => Cell::toned(format!("{} {other}", cx.glyphs.failed), Tone::Bad),
                    None => Cell::toned(cx.glyphs.none, Tone::Muted),
                });
            }
            row.push(notes.then(volume.notes.as_deref().unwrap_or_default(), Tone::Muted));
            row
        })
        .collect();
    Body::Grid { columns, rows }
}
