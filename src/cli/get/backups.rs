//! `get backups`, `get restore-points`, `get jobs`.
//!
//! What always holds here: a storage that cannot be read hides nothing of the others; it is told on stderr, and a guest
//! of which nothing good was found is then `unknown`, not without a backup.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    cli::{
        args::Resource,
        connect::{Link, code},
        exit::{Code, talk},
        output::{Column, Show},
    },
    domain::{CalendarEvent, Inventory, NodeStatus, backup_job::LastRun},
    store::{Cluster, Feed, FeedErrorKind, FindingLimits, Payload, Store, Update},
    sync::{Place, Reader},
};

pub(super) const BACKUPS: &[Column] = &[
    Column::new("vmid", "VMID", Show::Number),
    Column::new("name", "NAME", Show::Text),
    Column::new("ctime", "MADE", Show::Moment),
    Column::new("storage", "STORAGE", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("size", "SIZE", Show::Bytes),
    Column::new("verification", "VERIFIED", Show::Text),
    Column::new("protected", "PROTECTED", Show::Text),
    Column::wide("encrypted", "ENCRYPTED", Show::Text),
    Column::wide("namespace", "NAMESPACE", Show::Text),
    Column::wide("format", "FORMAT", Show::Text),
    Column::wide("volid", "VOLUME", Show::Text),
    Column::new("notes", "NOTES", Show::Text),
    Column::data("node"),
    Column::data("type"),
];

pub(super) const POINTS: &[Column] = &[
    Column::new("vmid", "VMID", Show::Number),
    Column::new("name", "NAME", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("status", "STATE", Show::Text),
    Column::new("age", "AGE", Show::Span),
    Column::new("objective", "AT MOST", Show::Span),
    Column::new("job", "JOB", Show::Text),
    Column::new("storage", "STORAGE", Show::Text),
    Column::new("verification", "VERIFIED", Show::Text),
    Column::new("backups", "BACKUPS", Show::Number),
    Column::wide("volid", "VOLUME", Show::Text),
    Column::wide("pool", "POOL", Show::Text),
    Column::wide("tags", "TAGS", Show::Text),
    Column::data("node"),
    Column::data("type"),
];

pub(super) const JOBS: &[Column] = &[
    Column::new("id", "JOB", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("enabled", "ENABLED", Show::Text),
    Column::new("next-run", "NEXT RUN", Show::Moment),
    Column::new("schedule", "SCHEDULE", Show::Text),
    Column::new("when", "WHEN", Show::Text),
    Column::new("guests", "GUESTS", Show::Text),
    Column::new("storage", "STORAGE", Show::Text),
    Column::new("prune-backups", "KEEPS", Show::Text),
    Column::new("last", "LAST RESULT", Show::Text),
    Column::wide("last-run", "LAST RUN", Show::Moment),
    Column::wide("mode", "MODE", Show::Text),
    Column::wide("comment", "COMMENT", Show::Text),
    Column::data("zone"),
];

/// Reads a cluster and gives its rows.
pub(super) async fn read(
    link: &Link,
    resource: Resource,
    limits: FindingLimits,
) -> (Vec<Vec<Value>>, Option<Code>) {
    let mut store = Store::new([link.id.clone()]);
    store.set_limits(limits);
    let inventory = match link.client.resources().await {
        Ok(inventory) => inventory,
        Err(error) => {
            talk(format!("{}: {error}", link.id));
            return (Vec::new(), Some(code(&error)));
        }
    };
    let feeds = feeds(resource, &inventory);
    store.apply(Update {
        key: Feed::Resources.of(&link.id),
        at: Timestamp::now(),
        outcome: Ok(Payload::Resources(inventory)),
    });
    let failed = read_all(link, feeds, &mut store).await;
    let Some(cluster) = store.cluster(&link.id) else {
        return (Vec::new(), failed);
    };
    let rows = match resource {
        Resource::Backups => backups(cluster),
        Resource::Jobs => jobs(cluster, Timestamp::now()),
        _ => points(cluster, &store, Timestamp::now()),
    };
    (rows, failed)
}

fn feeds(resource: Resource, inventory: &Inventory) -> Vec<Feed> {
    let mut feeds = vec![Feed::StorageDefinitions];
    if resource != Resource::Backups {
        feeds.push(Feed::BackupJobs);
    }
    if resource == Resource::Jobs {
        for node in inventory
            .nodes
            .iter()
            .filter(|node| node.status == NodeStatus::Online)
        {
            feeds.push(Feed::BackupTasks(node.name.clone()));
            feeds.push(Feed::NodeTime(node.name.clone()));
        }
    } else {
        let storages = inventory.backup_storages().into_iter();
        feeds.extend(storages.map(|(node, storage)| Feed::Backups(node, storage)));
    }
    feeds
}

/// Reads feeds at the same time; the client bounds how many are under way.
async fn read_all(link: &Link, feeds: Vec<Feed>, store: &mut Store) -> Option<Code> {
    let mut reads = JoinSet::new();
    for feed in feeds {
        let client = link.client.clone();
        reads.spawn(async move {
            let outcome = Reader::read(&client, feed.clone(), Place::default()).await;
            (feed, outcome)
        });
    }
    let mut worst = None;
    for (feed, outcome) in reads.join_all().await {
        if let Err(error) = &outcome {
            talk(format!("{}: {}", link.id, error.message));
            worst = Some(match error.kind {
                FeedErrorKind::NotAllowed => Code::NotAllowed,
                FeedErrorKind::Unreachable => Code::Unreachable,
                _ => Code::Failed,
            });
        }
        store.apply(Update {
            key: feed.of(&link.id),
            at: Timestamp::now(),
            outcome,
        });
    }
    worst
}

fn backups(cluster: &Cluster) -> Vec<Vec<Value>> {
    let mut all: Vec<_> = cluster.backups().collect();
    all.sort_by(|a, b| {
        let (x, y) = (a.volume, b.volume);
        y.time.cmp(&x.time).then_with(|| x.volid.cmp(&y.volid))
    });
    all.iter()
        .map(|backup| {
            let volume = backup.volume;
            let guest = volume.vmid.and_then(|vmid| cluster.guest(vmid));
            let definition = cluster.storage_definition(backup.storage);
            vec![
                json!(volume.vmid),
                json!(guest.and_then(|guest| guest.name.as_deref())),
                json!(volume.time.map(Timestamp::as_second)),
                json!(backup.storage),
                json!(backup.cluster),
                json!(volume.size),
                json!(volume.verified),
                json!(volume.protected),
                json!(volume.encrypted),
                json!(definition.and_then(|definition| definition.namespace.as_deref())),
                json!(volume.format),
                json!(volume.volid),
                json!(volume.notes),
                json!(backup.node),
                json!(volume.kind()),
            ]
        })
        .collect()
}

fn points(cluster: &Cluster, store: &Store, now: Timestamp) -> Vec<Vec<Value>> {
    let complete = cluster.knows_all_backups();
    let mut rows: Vec<(u8, i64, Vec<Value>)> = cluster
        .guests()
        .iter()
        .map(|guest| {
            let good = cluster.last_good(guest.vmid);
            let age = good
                .and_then(|backup| backup.volume.time)
                .map(|time| now.duration_since(time).as_secs().max(0));
            let most = store.limits().objectives.of(guest).map(|most| most.as_secs());
            let (rank, state) = match (age, most) {
                (_, None) => (4, "exempt"),
                (Some(age), Some(most)) if age <= most => (3, "ok"),
                _ if !complete => (2, "unknown"),
                (Some(_), _) => (1, "late"),
                (None, _) => (0, "no backup"),
            };
            let row = vec![
                json!(guest.vmid),
                json!(guest.name),
                json!(cluster.id()),
                json!(state),
                json!(age),
                json!(most),
                json!(cluster.is_in_a_job(guest)),
                json!(good.map(|backup| backup.storage)),
                json!(good.and_then(|backup| backup.volume.verified.as_deref())),
                json!(cluster.backups_of(guest.vmid).count()),
                json!(good.map(|backup| &*backup.volume.volid)),
                json!(guest.pool),
                json!(guest.tags),
                json!(guest.node),
                json!(guest.kind),
            ];
            (rank, -age.unwrap_or(0), row)
        })
        .collect();
    rows.sort_by_key(|(rank, age, _)| (*rank, *age));
    rows.into_iter().map(|(_, _, row)| row).collect()
}

fn jobs(cluster: &Cluster, now: Timestamp) -> Vec<Vec<Value>> {
    cluster
        .backup_jobs()
        .unwrap_or_default()
        .iter()
        .map(|job| {
            let zone = cluster.job_zone(job);
            let (last, at) = match cluster.last_run(job, now) {
                LastRun::Unknown => (None, None),
                LastRun::Missed(due) => (Some("missed"), Some(due)),
                LastRun::Ran(at, state) => (Some(state.word()), Some(at)),
            };
            let next = zone
                .as_ref()
                .map_or(job.next.filter(|_| job.enabled), |zone| job.next_run(now, zone));
            let when = job.schedule.parse::<CalendarEvent>().map(|event| event.words());
            vec![
                json!(job.id),
                json!(cluster.id()),
                json!(job.enabled),
                json!(next.map(Timestamp::as_second)),
                json!(job.schedule),
                json!(when.ok()),
                json!(job.whom()),
                json!(job.storage.as_ref().map_or("local", |storage| storage.as_str())),
                json!(cluster.retention_of(job).map(|rules| rules.to_string())),
                json!(last),
                json!(at.map(Timestamp::as_second)),
                json!(job.mode),
                json!(job.comment),
                json!(zone.as_ref().and_then(|zone| zone.iana_name())),
            ]
        })
        .collect()
}
