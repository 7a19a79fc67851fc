//! Everything about a Backup Server, one of its datastores, or a backup on it.

use std::collections::BTreeMap;

use super::parts::{self, Facts, ago, moment_ago, share, task_state, yes};
use crate::{
    domain::{
        ClusterId, DatastoreRef, ObjectRef, ServerBackupRef,
        backup::{BackupSnapshot, DatastoreJob, DatastoreUsage, Forecast, JobKind, Verification},
        quantity::{Bytes, long_span, percent},
    },
    screens::{Cx, figures, states},
    store::{BackupServer, Feed, JobSort, PbsFeed},
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// Columns of the history of a datastore.
const HISTORY: usize = 48;

fn pbs(feeds: impl IntoIterator<Item = PbsFeed>) -> Vec<Feed> {
    feeds.into_iter().map(Feed::Pbs).collect()
}

const JOBS: [PbsFeed; 3] = [
    PbsFeed::Jobs(JobSort::Verify),
    PbsFeed::Jobs(JobSort::Prune),
    PbsFeed::Jobs(JobSort::Sync),
];

/// What the page of a server shows.
pub(super) fn server_feeds() -> Vec<Feed> {
    let mut feeds = pbs([
        PbsFeed::Usage,
        PbsFeed::Datastores,
        PbsFeed::Status,
        PbsFeed::Zone,
    ]);
    feeds.extend(pbs(JOBS));
    feeds.extend([Feed::Version, Feed::Tasks]);
    feeds
}

/// What the page of a datastore shows.
pub(super) fn store_feeds(cx: &Cx<'_>, id: &DatastoreRef) -> Vec<Feed> {
    let mut feeds = pbs([PbsFeed::Usage, PbsFeed::Datastores, PbsFeed::Collections]);
    feeds.extend(pbs(JOBS));
    feeds.push(Feed::Tasks);
    let contents = cx
        .store
        .backup_server(&id.cluster)
        .map(BackupServer::content_feeds);
    let mine = |feed: &PbsFeed| feed.datastore() == Some(&*id.store);
    feeds.extend(pbs(contents.unwrap_or_default().into_iter().filter(mine)));
    feeds
}

/// What the page of a backup shows.
pub(super) fn backup_feeds(id: &ServerBackupRef) -> Vec<Feed> {
    pbs([PbsFeed::Snapshots((*id.store).into(), (*id.namespace).into())])
}

fn fresh(cx: &Cx<'_>, id: &ClusterId, feed: PbsFeed) -> Freshness {
    parts::fresh(cx, id, Feed::Pbs(feed))
}

/// The page of a server.
pub(super) fn server(cx: &Cx<'_>, id: &ClusterId) -> Vec<Section> {
    let object = ObjectRef::BackupServer(id.clone());
    let Some((member, known)) = cx
        .store
        .cluster(id)
        .and_then(|member| Some((member, member.backup_server()?)))
    else {
        return vec![parts::missing(cx, &object)];
    };
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &object));
    let status = known.status();
    sections.push(parts::sourced(
        "Status",
        &fresh(cx, id, PbsFeed::Status),
        Some(&()),
        "",
        |()| {
            let mut facts = Facts::default();
            let health = member.health(cx.now);
            facts.add("state", states::health(&health, cx.glyphs).cell());
            facts.maybe("version", member.version().map(str::to_owned));
            facts.maybe("time zone", known.zone().map(str::to_owned));
            if let Some(status) = status {
                facts.maybe("CPU", status.cpu.map(|cpu| parts::load(cx.glyphs, cpu)));
                facts.maybe(
                    "memory",
                    status.memory.map(|(used, all)| share(cx.glyphs, used, all)),
                );
                facts.maybe("root", status.root.map(|(used, all)| share(cx.glyphs, used, all)));
                facts.maybe("up", status.uptime.map(parts::uptime));
                facts.maybe("fingerprint", status.fingerprint.as_deref().map(str::to_owned));
            }
            facts.body()
        },
    ));
    sections.push(datastores(cx, id, known));
    sections.push(jobs(cx, id, known.jobs().collect(), true));
    sections.push(parts::tasks(cx, id, |_| true));
    sections
}

fn datastores(cx: &Cx<'_>, id: &ClusterId, known: &BackupServer) -> Section {
    let columns = vec![
        GridColumn::text("datastore"),
        GridColumn::text("state"),
        GridColumn::text("used"),
        GridColumn::text("full"),
        GridColumn::text("comment"),
    ];
    let rows = known
        .usage()
        .iter()
        .map(|usage| {
            let store = known.datastore(&usage.name);
            let maintenance = store.and_then(|store| store.maintenance.as_deref());
            let state = match (maintenance, &usage.error) {
                (Some(mode), _) => Cell::toned(mode, Tone::Warn),
                (None, Some(why)) => Cell::toned(&**why, Tone::Bad),
                (None, None) => Cell::toned("available", Tone::Good),
            };
            let used = usage.used.zip(usage.total);
            vec![
                Cell::toned(&*usage.name, Tone::Accent),
                state,
                used.map_or_else(Cell::empty, |(used, total)| share(cx.glyphs, used, total)),
                forecast(cx, usage),
                Cell::toned(
                    store
                        .and_then(|store| store.comment.as_deref())
                        .unwrap_or_default(),
                    Tone::Muted,
                ),
            ]
        })
        .collect();
    let fresh = fresh(cx, id, PbsFeed::Usage);
    parts::sourced("Datastores", &fresh, Some(&()), "none", |()| Body::Grid {
        columns,
        rows,
    })
}

fn forecast(cx: &Cx<'_>, usage: &DatastoreUsage) -> Cell {
    match usage.forecast(cx.now) {
        Forecast::Full(at) => {
            let left = at.duration_since(cx.now).as_secs();
            let tone = if left < 30 * 86_400 {
                Tone::Warn
            } else {
                Tone::Text
            };
            Cell::toned(format!("in {}", long_span(left)), tone)
        }
        Forecast::NotGrowing => Cell::toned("not growing", Tone::Muted),
        Forecast::Unknown => Cell::toned("too little is known", Tone::Muted),
    }
}

/// The page of a datastore, or of a namespace in it.
pub(super) fn datastore(cx: &Cx<'_>, id: &DatastoreRef) -> Vec<Section> {
    let object = ObjectRef::Datastore(id.clone());
    let known = cx.store.backup_server(&id.cluster);
    let Some((known, usage)) = known.and_then(|known| Some((known, known.usage_of(&id.store)?))) else {
        return vec![parts::missing(cx, &object)];
    };
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &object));
    if id.namespace.is_empty() {
        sections.push(space(cx, id, known, usage));
        sections.push(collection(cx, id, known));
        sections.push(jobs(cx, &id.cluster, known.jobs_of(&id.store).collect(), false));
    }
    sections.extend(contents(cx, id, known));
    sections.push(parts::tasks(cx, &id.cluster, |task| {
        task.upid.id.contains(&*id.store)
    }));
    sections
}

fn space(cx: &Cx<'_>, id: &DatastoreRef, known: &BackupServer, usage: &DatastoreUsage) -> Section {
    let mut facts = Facts::default();
    let store = known.datastore(&id.store);
    facts.maybe(
        "maintenance",
        store
            .and_then(|store| store.maintenance.as_deref())
            .map(|mode| Cell::toned(mode, Tone::Warn)),
    );
    facts.maybe(
        "error",
        usage.error.as_deref().map(|why| Cell::toned(why, Tone::Bad)),
    );
    facts.maybe(
        "comment",
        store
            .and_then(|store| store.comment.as_deref())
            .map(str::to_owned),
    );
    if let Some((used, total)) = usage.used.zip(usage.total) {
        facts.add("used", share(cx.glyphs, used, total));
        facts.add("free", Bytes(total.saturating_sub(used)).to_string());
        facts.add("full", forecast(cx, usage));
        let measured: Vec<f32> = usage.history.iter().copied().flatten().collect();
        if let (Some(first), Some(last)) = (measured.first(), measured.last()) {
            facts.add(
                "30 days",
                figures::trend(usage.history.iter().rev().copied(), HISTORY, cx.glyphs),
            );
            facts.add(
                "from, to",
                format!("{}, {}", percent(f64::from(*first)), percent(f64::from(*last))),
            );
        }
    }
    parts::sourced(
        "Space",
        &fresh(cx, &id.cluster, PbsFeed::Usage),
        Some(&()),
        "",
        |()| facts.body(),
    )
}

fn collection(cx: &Cx<'_>, id: &DatastoreRef, known: &BackupServer) -> Section {
    let fresh = fresh(cx, &id.cluster, PbsFeed::Collections);
    parts::sourced(
        "Garbage collection",
        &fresh,
        known.collection(&id.store),
        "never ran",
        |one| {
            let mut facts = Facts::default();
            match &one.last {
                Some(last) => {
                    facts.add("last", task_state(cx.glyphs, &last.state));
                    facts.maybe("ended", last.end.map(|end| moment_ago(cx, end)));
                }
                None => {
                    facts.add("last", Cell::toned("never ran", Tone::Warn));
                }
            }
            facts.add("schedule", one.schedule.as_deref().unwrap_or("none"));
            facts.maybe("next", one.next.map(|next| parts::moment(next, cx.zone)));
            if one.last.is_some() {
                facts.add("on disk", Bytes(one.disk_bytes).to_string());
                facts.add("backed up", Bytes(one.index_bytes).to_string());
                facts.maybe(
                    "deduplication",
                    one.deduplication().map(|times| format!("{times:.1}x")),
                );
                facts.add("removed", Bytes(one.removed_bytes).to_string());
                facts.add("pending", Bytes(one.pending_bytes).to_string());
                if one.still_bad > 0 {
                    facts.add("bad chunks", Cell::toned(one.still_bad.to_string(), Tone::Bad));
                }
            }
            facts.body()
        },
    )
}

fn jobs(cx: &Cx<'_>, id: &ClusterId, list: Vec<&DatastoreJob>, stores: bool) -> Section {
    let mut columns = vec![GridColumn::text("job"), GridColumn::text("id")];
    if stores {
        columns.push(GridColumn::text("datastore"));
    }
    columns.extend([
        GridColumn::text("namespace"),
        GridColumn::text("schedule"),
        GridColumn::text("last"),
        GridColumn::number("ended"),
        GridColumn::text("next"),
        GridColumn::text("what"),
    ]);
    let rows = list
        .into_iter()
        .map(|job| {
            let what = match &job.kind {
                JobKind::Verify => String::new(),
                JobKind::Prune(keep) => keep.to_string(),
                JobKind::Sync(Some(remote), store) => format!("from {remote}:{store}"),
                JobKind::Sync(None, store) => format!("from {store}"),
            };
            let mut row = vec![Cell::text(job.kind.as_str()), Cell::toned(&*job.id, Tone::Accent)];
            if stores {
                row.push(Cell::text(&*job.store));
            }
            let last = job.last.as_ref();
            row.extend([
                Cell::toned(&*job.namespace, Tone::Muted),
                match (job.disabled, &job.schedule) {
                    (true, _) => Cell::toned("off", Tone::Muted),
                    (false, schedule) => Cell::text(schedule.as_deref().unwrap_or("by hand")),
                },
                last.map_or_else(
                    || Cell::toned("never", Tone::Muted),
                    |last| task_state(cx.glyphs, &last.state),
                ),
                Cell::text(
                    last.and_then(|last| last.end)
                        .map_or_else(String::new, |end| ago(end, cx.now)),
                ),
                Cell::text(
                    job.next
                        .map_or_else(String::new, |next| figures::moment(next, cx.now, cx.zone)),
                ),
                Cell::toned(what, Tone::Muted),
            ]);
            row
        })
        .collect();
    let fresh = fresh(cx, id, PbsFeed::Jobs(JobSort::Sync));
    parts::sourced("Jobs", &fresh, Some(&()), "none", |()| Body::Grid {
        columns,
        rows,
    })
    .wants(100)
}

/// Namespaces with their groups.
fn contents(cx: &Cx<'_>, id: &DatastoreRef, known: &BackupServer) -> Vec<Section> {
    let Some(namespaces) = known.namespaces(&id.store) else {
        let fresh = fresh(cx, &id.cluster, PbsFeed::Namespaces((*id.store).into()));
        return vec![parts::sourced("Backups", &fresh, None::<&()>, "none", |()| {
            Body::Lines(Vec::new())
        })];
    };
    namespaces
        .iter()
        .filter(|namespace| id.namespace.is_empty() || namespace.as_ref() == &*id.namespace)
        .filter_map(|namespace| {
            let feed = PbsFeed::Snapshots((*id.store).into(), namespace.clone());
            let list = known.snapshots(&id.store, namespace);
            if list.is_some_and(<[_]>::is_empty) && namespaces.len() > 1 {
                return None;
            }
            let name = if namespace.is_empty() { "root" } else { namespace };
            let count = list.map_or(0, <[_]>::len);
            let title = format!("Namespace {name} ({count})");
            let fresh = fresh(cx, &id.cluster, feed);
            let section = parts::sourced(&title, &fresh, list, "empty", |list| groups(cx, list));
            Some(section.wants(90))
        })
        .collect()
}

fn groups(cx: &Cx<'_>, list: &[BackupSnapshot]) -> Body {
    let mut groups: BTreeMap<(&str, &str), Vec<&BackupSnapshot>> = BTreeMap::new();
    for one in list {
        groups.entry((one.kind.as_str(), &one.id)).or_default().push(one);
    }
    let columns = vec![
        GridColumn::text("group"),
        GridColumn::number("backups"),
        GridColumn::number("newest"),
        GridColumn::number("oldest"),
        GridColumn::number("size"),
        GridColumn::text("verified"),
        GridColumn::text("marks"),
        GridColumn::text("owner"),
        GridColumn::text("notes"),
    ];
    let rows = groups
        .into_iter()
        .map(|((kind, id), mut all)| {
            all.sort_by_key(|one| std::cmp::Reverse(one.time));
            let finished = all.iter().find(|one| one.size.is_some());
            let failed = all
                .iter()
                .filter(|one| one.verification == Some(Verification::Failed))
                .count();
            let kept = all.iter().filter(|one| one.protected).count();
            let verified = match failed {
                0 => finished.map_or_else(Cell::empty, |one| states::verified(one, cx.glyphs)),
                failed => Cell::toned(format!("{} {failed} failed", cx.glyphs.failed), Tone::Bad),
            };
            let mut marks = Cell::empty();
            if kept > 0 {
                marks = marks.then(format!("{} {kept} kept ", cx.glyphs.lock), Tone::Info);
            }
            if all.iter().any(|one| one.encrypted) {
                marks = marks.then("enc", Tone::Muted);
            }
            let time = |one: Option<&&BackupSnapshot>| {
                Cell::text(one.map_or_else(String::new, |one| ago(one.time, cx.now)))
            };
            vec![
                Cell::toned(format!("{kind}/"), Tone::Muted).then(id, Tone::Accent),
                Cell::text(all.len().to_string()),
                time(all.first()),
                time(all.last()),
                Cell::text(
                    finished
                        .and_then(|one| one.size)
                        .map_or_else(String::new, |size| Bytes(size).to_string()),
                ),
                verified,
                marks,
                Cell::toned(all.first().map_or("", |one| &*one.owner), Tone::Muted),
                Cell::text(
                    finished
                        .and_then(|one| one.comment.as_deref())
                        .unwrap_or_default(),
                ),
            ]
        })
        .collect();
    Body::Grid { columns, rows }
}

/// The page of a backup.
pub(super) fn backup(cx: &Cx<'_>, id: &ServerBackupRef) -> Vec<Section> {
    let Some(one) = cx.store.server_backup(id) else {
        return vec![parts::missing(cx, &ObjectRef::ServerBackup(id.clone()))];
    };
    let fresh = fresh(
        cx,
        &id.cluster,
        PbsFeed::Snapshots((*id.store).into(), (*id.namespace).into()),
    );
    let mut facts = Facts::default();
    facts.add("verified", states::verified(one, cx.glyphs));
    facts.add("of", format!("{} {}", one.kind, one.id));
    facts.add("taken", moment_ago(cx, one.time));
    facts.add("server", id.cluster.as_str());
    facts.add("datastore", id.datastore().to_string());
    facts.maybe("size", one.size.map(|size| Bytes(size).to_string()));
    facts.add("protected", yes(one.protected));
    facts.add("encrypted", yes(one.encrypted));
    facts.maybe("key", one.key.as_deref().map(str::to_owned));
    facts.add("owner", &*one.owner);
    facts.maybe("notes", one.comment.as_deref().map(str::to_owned));
    facts.add(
        "files",
        one.files.iter().map(|file| &**file).collect::<Vec<_>>().join(" "),
    );
    let mut sections = vec![parts::sourced("Backup", &fresh, Some(&()), "", |()| facts.body())];
    let known = cx.store.backup_server(&id.cluster);
    let group: Vec<&BackupSnapshot> = known
        .and_then(|known| known.snapshots(&id.store, &id.namespace))
        .unwrap_or_default()
        .iter()
        .filter(|other| other.kind == one.kind && other.id == one.id)
        .collect();
    sections.push(siblings(cx, &fresh, group, one));
    sections
}

fn siblings(
    cx: &Cx<'_>,
    fresh: &Freshness,
    mut group: Vec<&BackupSnapshot>,
    one: &BackupSnapshot,
) -> Section {
    group.sort_by_key(|other| std::cmp::Reverse(other.time));
    let columns = vec![
        GridColumn::text(""),
        GridColumn::text("taken"),
        GridColumn::number("size"),
        GridColumn::text("verified"),
        GridColumn::text("marks"),
        GridColumn::text("notes"),
    ];
    let title = format!("All of {}/{} ({})", one.kind, one.id, group.len());
    let rows = group
        .into_iter()
        .map(|other| {
            vec![
                Cell::text(if other.time == one.time { cx.glyphs.on } else { "" }),
                moment_ago(cx, other.time),
                Cell::text(
                    other
                        .size
                        .map_or_else(String::new, |size| Bytes(size).to_string()),
                ),
                states::verified(other, cx.glyphs),
                states::marks(other, cx.glyphs),
                Cell::text(other.comment.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    parts::sourced(&title, fresh, Some(&()), "none", |()| Body::Grid {
        columns,
        rows,
    })
    .wants(80)
}
