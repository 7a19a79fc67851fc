//! Datastores and backups of a Backup Server as the targets of deeds; what is done to one backup drafts `server_backup`.
//!
//! What always holds here: the preview of a prune follows the zone of the server, and what it says would go is what the
//! server would remove of the backups that are known here.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    super::{Deed, Proof, Refusal, Risk, Weight, server_calls as calls},
    Draft, Task,
};
use crate::{
    domain::{
        ClusterId, DatastoreRef, ServerBackupRef, TaskState,
        backup::{BackupSnapshot, DatastoreJob, JobKind, Verification},
        quantity::{Bytes, long_span},
        retention::{Candidate, Retention, Rule},
        upid::escaped,
    },
    store::{BackupServer, Cluster, Store},
};

/// Groups of which a prune preview tells one by one.
const GROUPS: usize = 30;

pub(super) fn known<'s>(store: &'s Store, id: &ClusterId) -> Result<&'s BackupServer, Refusal> {
    store
        .backup_server(id)
        .ok_or_else(|| Refusal::NotFound(format!("there is no Backup Server {id}")))
}

/// Whether the deed can be done to the datastore as things are.
pub(super) fn possible(deed: Deed, target: &DatastoreRef, store: &Store) -> Result<(), Refusal> {
    let server = known(store, &target.cluster)?;
    if server.usage_of(&target.store).is_none() && server.datastore(&target.store).is_none() {
        let message = format!("there is no datastore {} on {}", target.store, target.cluster);
        return Err(Refusal::NotFound(message));
    }
    usable(server, &target.store, deed == Deed::DatastoreVerify)?;
    allowed(deed, &target.cluster, &target.store, store)
}

/// Whether the deed can be done to the backup as things are.
pub(super) fn possible_backup(deed: Deed, target: &ServerBackupRef, store: &Store) -> Result<(), Refusal> {
    let server = known(store, &target.cluster)?;
    let path = target.path();
    let one = store
        .server_backup(target)
        .ok_or_else(|| Refusal::NotFound(format!("there is no backup {path} on {}", target.datastore())))?;
    usable(server, &target.store, deed == Deed::ServerBackupVerify)?;
    let not = |why: &str| Err(Refusal::NotPossible(format!("{path} {why}")));
    match deed {
        Deed::ServerBackupForget | Deed::ServerBackupVerify if one.size.is_none() => {
            return not("is unfinished: it may still be under way");
        }
        Deed::ServerBackupForget if one.protected => {
            return not("is protected; take that off with server-backup.unprotect");
        }
        Deed::ServerBackupProtect if one.protected => return not("is protected already"),
        Deed::ServerBackupUnprotect if !one.protected => return not("is not protected"),
        _ => {}
    }
    allowed(deed, &target.cluster, &target.store, store)
}

/// A datastore in maintenance refuses what changes it, or everything.
fn usable(server: &BackupServer, store: &str, reads_only: bool) -> Result<(), Refusal> {
    let Some(mode) = server
        .datastore(store)
        .and_then(|store| store.maintenance.as_deref())
    else {
        return Ok(());
    };
    if reads_only && mode.starts_with("read-only") {
        return Ok(());
    }
    let (mode, message) = mode.split_once(",message=").unwrap_or((mode, ""));
    let why = if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    };
    Err(Refusal::NotPossible(format!(
        "{store} is in {mode} maintenance{why}"
    )))
}

/// Whether it is known that the privilege is missing. Any of several will do; the nearest path counts.
fn allowed(deed: Deed, server: &ClusterId, store: &str, known: &Store) -> Result<(), Refusal> {
    let Some(privilege) = deed.row().privilege else {
        return Ok(());
    };
    let grants = known.cluster(server).and_then(Cluster::permissions);
    let Some(grants) = grants.filter(|grants| !grants.is_empty()) else {
        return Ok(());
    };
    let on = |path: &str| grants.iter().find(|(known, _)| &**known == path);
    let nearest = on(&format!("/datastore/{store}"))
        .or_else(|| on("/datastore"))
        .or_else(|| on("/"));
    let enough = [privilege, "Datastore.Modify"];
    if nearest.is_some_and(|(_, all)| all.iter().any(|one| enough.contains(&&**one))) {
        return Ok(());
    }
    Err(Refusal::NotAllowed(format!(
        "{store}: this sign-in lacks {privilege} on /datastore/{store}"
    )))
}

pub(super) fn task_of(kind: &str, id: &str) -> Proof {
    Proof::Task {
        kinds: vec![kind.into()],
        id: escaped(id).into(),
    }
}

/// `main` or `main:prod/web`.
fn place(target: &DatastoreRef) -> String {
    target.to_string()
}

pub(super) fn draft(task: Task<'_>, target: &DatastoreRef) -> Result<Draft, Refusal> {
    let server = known(task.store(), &target.cluster)?;
    let mut at = target.clone();
    if let Some(namespace) = task.given("namespace") {
        at.namespace = namespace.trim_matches('/').into();
    }
    if let Some(all) = server.namespaces(&at.store)
        && !all.iter().any(|one| **one == *at.namespace)
    {
        return Err(Refusal::NotFound(format!(
            "there is no namespace {} in {}",
            at.namespace, at.store
        )));
    }
    let title = place(&at);
    match task.deed {
        Deed::DatastoreVerify => Ok(verify(task, &at, &title, server)),
        Deed::DatastoreCollect => Ok(Draft {
            steps: vec![task.step(
                &at.store,
                calls::collect(&at.store),
                task_of("garbage_collection", &at.store),
            )],
            risks: vec![Risk::new(
                Weight::Note,
                format!(
                    "{} is read and written for a while; backups go on meanwhile",
                    at.store
                ),
            )],
            ..Draft::default()
        }),
        Deed::DatastorePrune => prune(task, &at, &title, server),
        _ => run_job(task, &at, server),
    }
}

/// A namespace as the ids of verifications have it: `ns/prod/ns/web`.
pub(super) fn long(namespace: &str) -> String {
    let parts = namespace.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| format!("ns/{part}"))
        .collect::<Vec<_>>()
        .join("/")
}

fn verify(task: Task<'_>, at: &DatastoreRef, title: &str, server: &BackupServer) -> Draft {
    let id = match &*at.namespace {
        "" => at.store.to_string(),
        namespace => format!("{}:{}", at.store, long(namespace)),
    };
    let all = task.flag("all");
    let mut wanted = (0, 0);
    for (namespace, one) in server.snapshots_of(&at.store) {
        let inside = at.namespace.is_empty()
            || namespace == &*at.namespace
            || namespace.starts_with(&format!("{}/", at.namespace));
        if inside && (all || one.verification != Some(Verification::Ok)) {
            wanted.0 += 1;
            wanted.1 += one.size.unwrap_or_default();
        }
    }
    let text = format!(
        "{} backups, {} before deduplication, are read whole",
        wanted.0,
        Bytes(wanted.1)
    );
    Draft {
        steps: vec![task.step(title, calls::verify(at, !all), task_of("verify", &id))],
        risks: vec![Risk::new(Weight::Note, text)],
        ..Draft::default()
    }
}

fn run_job(task: Task<'_>, at: &DatastoreRef, server: &BackupServer) -> Result<Draft, Refusal> {
    let wanted = task.argument("job");
    let mut found = server.jobs_of(&at.store).filter(|job| *job.id == *wanted);
    let Some(job) = found.next() else {
        let names: Vec<&str> = server.jobs_of(&at.store).map(|job| &*job.id).collect();
        let there = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(Refusal::Argument(format!(
            "{} has no job `{wanted}`; it has: {there}",
            at.store
        )));
    };
    if found.next().is_some() {
        return Err(Refusal::Argument(format!(
            "several jobs of {} are called `{wanted}`; rename one on the server",
            at.store
        )));
    }
    let kind = job.kind.as_str();
    let title = format!("{kind} job {}", job.id);
    let mut risks = Vec::new();
    if let Some(last) = &job.last {
        if last.state == TaskState::Running {
            return Err(Refusal::NotPossible(format!("{title} is running already")));
        }
        if let (TaskState::Failed(why), Some(end)) = (&last.state, last.end) {
            let age = long_span(task.scene.now.duration_since(end).as_secs());
            risks.push(Risk::new(
                Weight::Note,
                format!("its last run {age} ago failed: {why}"),
            ));
        }
    }
    if let JobKind::Prune(keep) = &job.kind {
        let mut of = at.clone();
        of.namespace = (*job.namespace).into();
        risks.extend(preview(task, &of, keep, server).1);
    }
    let mut draft = Draft {
        title: Some(title.clone()),
        steps: vec![task.step(&title, calls::run_job(kind, &job.id), proof_of(job))],
        risks,
        ..Draft::default()
    };
    draft.risks.sort_by_key(|risk| std::cmp::Reverse(risk.weight));
    Ok(draft)
}

fn proof_of(job: &DatastoreJob) -> Proof {
    let of = |ns: &str| match ns {
        "" => job.store.to_string(),
        ns => format!("{}:{ns}", job.store),
    };
    match &job.kind {
        JobKind::Verify => task_of("verificationjob", &format!("{}:{}", job.store, job.id)),
        JobKind::Prune(_) => task_of("prunejob", &of(&job.namespace)),
        JobKind::Sync(remote, source) => task_of(
            "syncjob",
            &format!(
                "{}:{source}:{}:{}:{}",
                remote.as_deref().unwrap_or("-"),
                job.store,
                job.namespace,
                job.id
            ),
        ),
    }
}

fn prune(task: Task<'_>, at: &DatastoreRef, title: &str, server: &BackupServer) -> Result<Draft, Refusal> {
    let mut keep = Retention::default();
    for rule in Rule::ALL {
        if let Some(count) = task.given(rule.key()).and_then(|count| count.parse().ok()) {
            keep = keep.with(rule, count);
        }
    }
    if keep.keeps_all() {
        let message = "say what to keep, such as keep-daily=7: without any rule nothing is removed";
        return Err(Refusal::Argument(message.to_owned()));
    }
    let dry = task.flag("server-dry-run");
    let (gone, mut risks) = preview(task, at, &keep, server);
    if dry {
        risks.push(Risk::new(
            Weight::Note,
            "the server only says what it would remove: see the log of its task",
        ));
    } else if gone == 0 {
        risks.push(Risk::new(Weight::Note, "nothing of what is known here would go"));
    }
    let id = format!("{}:{}", at.store, at.namespace);
    Ok(Draft {
        title: Some(title.to_owned()),
        steps: vec![task.step(title, calls::prune(at, &keep, dry), task_of("prune", &id))],
        risks,
        ..Draft::default()
    })
}

/// How many backups would go, and what is to be said of each group.
fn preview(task: Task<'_>, at: &DatastoreRef, keep: &Retention, server: &BackupServer) -> (usize, Vec<Risk>) {
    let mut risks = Vec::new();
    let zone = match server.zone() {
        Some("UTC") => TimeZone::UTC,
        Some(name) => TimeZone::get(name).unwrap_or_else(|_| {
            let text = format!(
                "this machine does not know the server's time zone {name}: the preview counts in UTC"
            );
            risks.push(Risk::new(Weight::Warning, text));
            TimeZone::UTC
        }),
        None => {
            let text = "the server's time zone is not known: the preview counts in UTC";
            risks.push(Risk::new(Weight::Warning, text));
            TimeZone::UTC
        }
    };
    if server.namespaces(&at.store).is_none() {
        let text = "its backups are not known here: there is no preview; server-dry-run=1 asks the server";
        risks.push(Risk::new(Weight::Warning, text));
    }
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&BackupSnapshot>> = BTreeMap::new();
    let below = format!("{}/", at.namespace);
    for (namespace, one) in server.snapshots_of(&at.store) {
        if at.namespace.is_empty() || namespace == &*at.namespace || namespace.starts_with(&below) {
            groups
                .entry((namespace, one.kind.as_str(), &one.id))
                .or_default()
                .push(one);
        }
    }
    let (mut gone, mut bytes, mut quiet) = (0, 0_u64, 0);
    for ((namespace, kind, id), mut group) in groups {
        group.sort_by_key(|one| std::cmp::Reverse(one.time));
        let candidates: Vec<Candidate> = group
            .iter()
            .map(|one| Candidate {
                time: one.time,
                protected: one.protected,
                finished: one.size.is_some(),
            })
            .collect();
        let fates = keep.preview(&candidates, &zone);
        let removed: Vec<&&BackupSnapshot> = group
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| !fate.stays())
            .map(|(one, _)| one)
            .collect();
        let kept: Vec<&&BackupSnapshot> = group
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| fate.stays())
            .map(|(one, _)| one)
            .collect();
        let name = match namespace {
            "" => format!("{kind}/{id}"),
            namespace => format!("{namespace}:{kind}/{id}"),
        };
        let good = |one: &&&BackupSnapshot| one.verification == Some(Verification::Ok);
        if removed.iter().any(good) && !kept.iter().any(good) {
            risks.push(Risk::new(
                Weight::Danger,
                format!("{name}: every backup that was verified would go"),
            ));
        }
        if removed.is_empty() {
            quiet += 1;
            continue;
        }
        gone += removed.len();
        bytes += removed.iter().filter_map(|one| one.size).sum::<u64>();
        if risks.len() < GROUPS {
            let ages: Vec<String> = [removed.last(), removed.first()]
                .into_iter()
                .flatten()
                .map(|one| one.time.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string())
                .collect();
            risks.push(Risk::new(
                Weight::Warning,
                format!(
                    "{name}: {} stay, {} go ({})",
                    kept.len(),
                    removed.len(),
                    ages.join(" to ")
                ),
            ));
        }
    }
    let size = Bytes(bytes);
    let now = task.scene.now.to_zoned(zone);
    risks.push(Risk::new(
        if gone > 0 { Weight::Danger } else { Weight::Note },
        format!(
            "{gone} backups go for good ({size} before deduplication), {quiet} groups keep all; days end as on the server, \
             where it is {}",
            now.strftime("%H:%M")
        ),
    ));
    risks.sort_by_key(|risk| std::cmp::Reverse(risk.weight));
    (gone, risks)
}
