//! What Backup Servers have: datastores, backups, their tasks and findings.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::rows;
use crate::{
    cli::{
        args::Resource,
        backup_servers::ServerLink,
        connect::code_of_feed,
        exit::{Code, talk},
        output::{Column, Show},
    },
    store::{BackupServer, Cluster, Feed, FeedError, FindingLimits, JobSort, PbsFeed, Store, Update},
    sync::{Place, Reader},
};

pub(super) const DATASTORES: &[Column] = &[
    Column::new("server", "SERVER", Show::Text),
    Column::new("datastore", "DATASTORE", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::new("fill", "FILL", Show::Percent),
    Column::new("used", "USED", Show::Bytes),
    Column::new("total", "TOTAL", Show::Bytes),
    Column::new("full", "FULL", Show::Moment),
    Column::new("backups", "BACKUPS", Show::Number),
    Column::new("failed", "FAILED", Show::Number),
    Column::wide("gc", "GC", Show::Moment),
    Column::wide("gc-state", "GC STATE", Show::Text),
    Column::wide("comment", "COMMENT", Show::Text),
    Column::data("error"),
];

pub(super) const BACKUPS: &[Column] = &[
    Column::new("server", "SERVER", Show::Text),
    Column::new("datastore", "DATASTORE", Show::Text),
    Column::new("namespace", "NAMESPACE", Show::Text),
    Column::new("type", "TYPE", Show::Text),
    Column::new("name", "ID", Show::Text),
    Column::new("time", "TIME", Show::Moment),
    Column::new("size", "SIZE", Show::Bytes),
    Column::new("status", "VERIFIED", Show::Text),
    Column::new("protected", "PROTECTED", Show::Text),
    Column::wide("encrypted", "ENCRYPTED", Show::Text),
    Column::wide("owner", "OWNER", Show::Text),
    Column::wide("notes", "NOTES", Show::Text),
    Column::data("backup"),
];

/// Whether a resource is asked of Backup Servers.
pub(super) fn has(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::Datastores | Resource::ServerBackups | Resource::Tasks | Resource::Findings
    )
}

/// The rows of one server, and the exit code if not all could be read.
pub(super) async fn read(
    link: &ServerLink,
    resource: Resource,
    limits: FindingLimits,
) -> (Vec<Vec<Value>>, Option<Code>) {
    let (store, failed) = survey(link, resource, limits).await;
    let code = failed.first().map(|error| {
        talk(format!("{}: {}", link.id, error.message));
        code_of_feed(error.kind)
    });
    let member = store.cluster(&link.id);
    let known = member.and_then(Cluster::backup_server);
    let id = &link.id;
    let rows = match (resource, member, known) {
        (Resource::Tasks, Some(member), _) => {
            member.tasks().iter().map(|task| rows::task(id, task)).collect()
        }
        (Resource::Findings, Some(member), _) => member
            .findings()
            .iter()
            .map(|finding| rows::finding(id, finding))
            .collect(),
        (Resource::Datastores, _, Some(known)) => datastores(id.as_str(), known),
        (Resource::ServerBackups, _, Some(known)) => backups(id.as_str(), known),
        _ => Vec::new(),
    };
    (rows, code)
}

/// Reads all that a resource needs.
pub(in crate::cli) async fn survey(
    link: &ServerLink,
    resource: Resource,
    limits: FindingLimits,
) -> (Store, Vec<FeedError>) {
    let mut store = Store::new([]).with_backup_servers([link.id.clone()]);
    store.set_limits(limits);
    let mut failed = Vec::new();
    let mut first = vec![Feed::Pbs(PbsFeed::Usage), Feed::Pbs(PbsFeed::Datastores)];
    match resource {
        Resource::Tasks => first = vec![Feed::Tasks],
        Resource::ServerBackups => {}
        _ => {
            let jobs = [JobSort::Verify, JobSort::Prune, JobSort::Sync].map(PbsFeed::Jobs);
            first.extend(jobs.into_iter().chain([PbsFeed::Collections]).map(Feed::Pbs));
        }
    }
    let mut asked = Vec::new();
    loop {
        first.retain(|feed| !asked.contains(feed));
        if first.is_empty() {
            return (store, failed);
        }
        asked.extend(first.iter().cloned());
        let mut reads = JoinSet::new();
        for feed in first {
            let client = link.client.clone();
            reads.spawn(async move {
                let outcome = Reader::read(&client, feed.clone(), Place::default()).await;
                (feed, outcome)
            });
        }
        for (feed, outcome) in reads.join_all().await {
            failed.extend(outcome.as_ref().err().cloned());
            store.apply(Update {
                key: feed.of(&link.id),
                at: Timestamp::now(),
                outcome,
            });
        }
        let contents = store.backup_server(&link.id).map(BackupServer::content_feeds);
        first = contents.unwrap_or_default().into_iter().map(Feed::Pbs).collect();
    }
}

fn datastores(server: &str, known: &BackupServer) -> Vec<Vec<Value>> {
    let now = Timestamp::now();
    known
        .usage()
        .iter()
        .map(|usage| {
            let store = known.datastore(&usage.name);
            let mode = store.and_then(|store| store.maintenance.as_deref());
            let status = match (mode, &usage.error) {
                (Some(mode), _) => mode.split(',').next().unwrap_or(mode),
                (None, Some(_)) => "error",
                (None, None) => "available",
            };
            let full = match usage.forecast(now) {
                crate::domain::backup::Forecast::Full(at) => Some(at.as_second()),
                _ => None,
            };
            let counted = known.namespaces(&usage.name).map(|_| {
                let all = known.snapshots_of(&usage.name);
                all.fold((0, 0), |(all, failed), (_, one)| {
                    let bad = one.verification == Some(crate::domain::backup::Verification::Failed);
                    (all + 1, failed + u64::from(bad))
                })
            });
            let last = known.collection(&usage.name).and_then(|one| one.last.as_ref());
            vec![
                json!(server),
                json!(usage.name),
                json!(status),
                json!(usage.fill()),
                json!(usage.used),
                json!(usage.total),
                json!(full),
                json!(counted.map(|(all, _)| all)),
                json!(counted.map(|(_, failed)| failed)),
                json!(last.and_then(|last| last.end).map(Timestamp::as_second)),
                json!(last.map(|last| last.state.word())),
                json!(store.and_then(|store| store.comment.as_deref())),
                json!(usage.error),
            ]
        })
        .collect()
}

fn backups(server: &str, known: &BackupServer) -> Vec<Vec<Value>> {
    let mut all: Vec<_> = known.all_snapshots().collect();
    all.sort_by(|a, b| {
        let key = |(store, namespace, one): &(&str, &str, &crate::domain::backup::BackupSnapshot)| {
            (
                (*store).to_owned(),
                (*namespace).to_owned(),
                one.kind,
                one.id.clone(),
                std::cmp::Reverse(one.time),
            )
        };
        key(a).cmp(&key(b))
    });
    all.into_iter()
        .map(|(store, namespace, one)| {
            let verified = match (one.verification, one.size) {
                (Some(state), _) => state.as_str(),
                (None, None) => "unfinished",
                (None, Some(_)) => "never",
            };
            vec![
                json!(server),
                json!(store),
                json!(namespace),
                json!(one.kind.as_str()),
                json!(one.id),
                json!(one.time.as_second()),
                json!(one.size),
                json!(verified),
                json!(one.protected),
                json!(one.encrypted),
                json!(one.owner),
                json!(one.comment),
                json!(format!(
                    "{store}:{}{}{}/{}/{}",
                    namespace,
                    if namespace.is_empty() { "" } else { ":" },
                    one.kind,
                    one.id,
                    one.time.strftime("%Y-%m-%dT%H:%M:%SZ")
                )),
            ]
        })
        .collect()
}
