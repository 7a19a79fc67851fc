//! Verification, prune and sync jobs, and garbage collection.

use jiff::{Timestamp, ToSpan as _, Zoned, civil::Weekday};
use serde_json::{Value, json};

use super::{
    super::{
        answer::{Outcome, Refusal},
        tasks::{Order, Run},
        world::{Job, JobKind, Store, World},
    },
    Ask, Use,
    prune::sweep,
    upid, usable,
    verify::{Check, begin_check},
};

/// The figures of the last garbage collection, as several answers hold them.
pub(super) fn counts(world: &World, store: &Store) -> Value {
    let ran = store.collection.upid.is_some();
    let disk = if ran { world.used(store) } else { 0 };
    let index: u64 = store
        .snapshots
        .iter()
        .filter(|one| one.finished)
        .map(|one| one.size)
        .sum();
    let chunk = 2 << 20;
    json!({
        "disk-bytes": disk, "disk-chunks": disk / chunk, "index-data-bytes": if ran { index.max(disk * 17) } else { 0 },
        "index-file-count": if ran { store.snapshots.len() * 2 } else { 0 },
        "pending-bytes": store.collection.pending, "pending-chunks": store.collection.pending / chunk,
        "removed-bad": 0, "removed-bytes": store.collection.removed, "removed-chunks": store.collection.removed / chunk,
        "still-bad": store.collection.bad, "upid": store.collection.upid,
    })
}

fn collection(world: &World, store: &Store) -> Value {
    let mut row = counts(world, store);
    row["store"] = json!(store.name);
    if store.collection.upid.is_some() {
        row["last-run-state"] = json!(store.collection.state);
        row["last-run-endtime"] = json!(store.collection.end);
        row["duration"] = json!(store.collection.duration);
    }
    if let Some(schedule) = &store.gc_schedule {
        row["schedule"] = json!(schedule);
        row["next-run"] = json!(next(world, schedule));
    }
    row
}

pub(super) fn collections(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Datastore.Audit") {
        return Ok(json!([]).into());
    }
    let world: &World = ask.world;
    let rows: Vec<Value> = world
        .stores
        .iter()
        .map(|store| collection(world, store))
        .collect();
    Ok(Value::from(rows).into())
}

pub(super) fn collection_of(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    Ok(collection(ask.world, store).into())
}

pub(super) fn collect(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Datastore.Modify") {
        return Err(Refusal::forbidden());
    }
    let name = ask.path[0].clone();
    let store = usable(ask.world, &name, Use::Change)?;
    let running = |task: &&super::super::tasks::Task| !task.done && task.kind == "garbage_collection";
    if ask.world.tasks.iter().filter(running).any(|task| task.id == name) {
        return Err(Refusal::bad(format!(
            "Unable to start garbage collection job on datastore {name} - already running"
        )));
    }
    let (files, bad) = (
        store.snapshots.len() * 2,
        store.snapshots.iter().filter(|one| one.damaged).count(),
    );
    let mut lines = vec![
        format!("starting garbage collection on store {name}"),
        "Start GC phase1 (mark used chunks)".to_owned(),
    ];
    lines.extend((0..bad).map(|_| "WARN: warning: unable to access non-existent chunk".to_owned()));
    lines.extend((1..=10).map(|tenth| {
        format!(
            "marked {}% ({} of {files} index files)",
            tenth * 10,
            files * tenth / 10
        )
    }));
    lines.push("Start GC phase2 (sweep unused chunks)".to_owned());
    lines.extend((1..=9).map(|tenth| format!("processed {}% ", tenth * 10).trim_end().to_owned()));
    lines.push(format!("Removed garbage: {} bytes", store.garbage));
    let exit = match bad {
        0 => "OK".to_owned(),
        bad => format!("WARNINGS: {bad}"),
    };
    let user = ask.user.name.clone();
    upid(ask.world.begin(Order {
        kind: "garbage_collection",
        id: name.clone(),
        user,
        takes: 8_000,
        exit,
        lines,
        run: Run::Collect(name),
        job: None,
    }))
}

fn rows(ask: &Ask<'_>, kind: JobKind) -> Outcome {
    let store = ask.params.get("store");
    let world: &World = ask.world;
    let found = world
        .jobs
        .iter()
        .filter(|job| job.kind == kind && store.is_none_or(|store| job.store == store))
        .filter(|_| ask.user.may("Datastore.Audit"));
    let rows: Vec<Value> = found.map(|job| row(world, job)).collect();
    Ok(Value::from(rows).into())
}

fn row(world: &World, job: &Job) -> Value {
    let mut row = json!({"id": job.id, "store": job.store});
    if let Some(namespace) = &job.namespace {
        row["ns"] = json!(namespace);
    }
    if let Some(comment) = &job.comment {
        row["comment"] = json!(comment);
    }
    if let Some(schedule) = &job.schedule {
        row["schedule"] = json!(schedule);
        if !job.disabled {
            row["next-run"] = json!(next(world, schedule));
        }
    }
    if job.disabled {
        row["disable"] = json!(true);
    }
    for (rule, count) in &job.keep {
        row[*rule] = json!(count);
    }
    match job.kind {
        JobKind::Verify => {
            row["ignore-verified"] = json!(true);
            row["outdated-after"] = json!(30);
        }
        JobKind::Sync => {
            if let Some((remote, store)) = &job.source {
                row["remote-store"] = json!(store);
                if let Some(remote) = remote {
                    row["remote"] = json!(remote);
                }
            }
        }
        JobKind::Prune => {}
    }
    if let Some((upid, end, state)) = &job.last {
        row["last-run-upid"] = json!(upid);
        row["last-run-endtime"] = json!(end);
        row["last-run-state"] = json!(state);
    }
    let running =
        |task: &&super::super::tasks::Task| !task.done && task.job == Some((job.kind, job.id.clone()));
    if let Some(task) = world.tasks.iter().find(running) {
        // Of one that is under way only its task is told.
        row["last-run-upid"] = json!(task.upid);
        if let Some(row) = row.as_object_mut() {
            row.remove("last-run-endtime");
            row.remove("last-run-state");
        }
    }
    row
}

pub(super) fn verify_jobs(ask: &mut Ask<'_>) -> Outcome {
    rows(ask, JobKind::Verify)
}

pub(super) fn prune_jobs(ask: &mut Ask<'_>) -> Outcome {
    rows(ask, JobKind::Prune)
}

pub(super) fn sync_jobs(ask: &mut Ask<'_>) -> Outcome {
    rows(ask, JobKind::Sync)
}

pub(super) fn run_verify(ask: &mut Ask<'_>) -> Outcome {
    let job = ask.job(JobKind::Verify, "verification")?;
    if !ask.user.may("Datastore.Verify") {
        return Err(Refusal::bad(format!(
            "missing permissions 'Datastore.Verify' on '/datastore/{}'",
            job.store
        )));
    }
    usable(ask.world, &job.store, Use::Look)?;
    let check = Check {
        kind: "verificationjob",
        id: format!("{}:{}", job.store, job.id),
        user: ask.user.name.clone(),
        job: Some((JobKind::Verify, job.id.clone())),
        skip: true,
    };
    let namespace = job.namespace.clone().unwrap_or_default();
    upid(begin_check(ask.world, &job.store, check, |one| {
        super::super::world::is_within(&one.namespace, &namespace, None)
    }))
}

pub(super) fn run_prune(ask: &mut Ask<'_>) -> Outcome {
    let job = ask.job(JobKind::Prune, "prune")?;
    if !ask.user.may("Datastore.Prune") {
        return Err(Refusal::forbidden());
    }
    let store = usable(ask.world, &job.store, Use::Change)?;
    let namespace = job.namespace.clone().unwrap_or_default();
    let (mut lines, mut doomed) = sweep(ask.world, store, &namespace, None, &job.keep);
    if job.keep.is_empty() {
        doomed.clear();
    }
    lines.insert(0, format!("prune job '{}'", job.id));
    let user = ask.user.name.clone();
    upid(ask.world.begin(Order {
        kind: "prunejob",
        id: match namespace.as_str() {
            "" => job.store.clone(),
            namespace => format!("{}:{namespace}", job.store),
        },
        user,
        takes: 2_500,
        exit: "OK".to_owned(),
        lines,
        run: Run::Remove(job.store.clone(), doomed),
        job: Some((JobKind::Prune, job.id)),
    }))
}

pub(super) fn run_sync(ask: &mut Ask<'_>) -> Outcome {
    let job = ask.job(JobKind::Sync, "sync")?;
    if !ask.user.may("Datastore.Backup") {
        return Err(Refusal::bad("permission check failed"));
    }
    usable(ask.world, &job.store, Use::Change)?;
    let (remote, source) = job.source.clone().unwrap_or_default();
    let name = remote.clone().unwrap_or_else(|| "-".to_owned());
    let id = format!(
        "{name}:{source}:{}:{}:{}",
        job.store,
        job.namespace.clone().unwrap_or_default(),
        job.id
    );
    let mut lines = vec![
        format!("Starting datastore sync job '{id}'"),
        format!("sync datastore '{}' from '{source}'", job.store),
        "----".to_owned(),
    ];
    let (exit, run) = match remote {
        None => {
            lines.push(format!(
                "Syncing datastore '{source}', root namespace into datastore '{}', root namespace",
                job.store
            ));
            lines.push("Finished syncing root namespace, current progress: 1 groups, 1 snapshots".to_owned());
            ("OK".to_owned(), Run::Copy(source, job.store.clone()))
        }
        Some(remote) => (
            format!(
                "error trying to connect: error connecting to https://{remote}.example.com:8007/ - tcp connect error: Connection refused (os error 111)"
            ),
            Run::Nothing,
        ),
    };
    let user = ask.user.name.clone();
    upid(ask.world.begin(Order {
        kind: "syncjob",
        id,
        user,
        takes: 6_000,
        exit,
        lines,
        run,
        job: Some((JobKind::Sync, job.id)),
    }))
}

/// When a schedule comes next, in the zone of the server: `hourly`, `daily`, `21:00`, `sat 18:15`.
fn next(world: &World, schedule: &str) -> i64 {
    let now = Timestamp::from_second(world.seconds())
        .unwrap_or_default()
        .to_zoned(world.zone.clone());
    let found = match schedule {
        "hourly" => now
            .with()
            .minute(0)
            .second(0)
            .build()
            .and_then(|hour| hour.checked_add(1.hour())),
        "daily" => at(&now, 0, 0, None),
        other => {
            let (day, clock) = other.rsplit_once(' ').unwrap_or(("", other));
            let (hour, minute) = clock.split_once(':').unwrap_or(("0", "0"));
            let weekday = match day {
                "sun" => Some(Weekday::Sunday),
                "sat" => Some(Weekday::Saturday),
                _ => None,
            };
            at(
                &now,
                hour.parse().unwrap_or(0),
                minute.parse().unwrap_or(0),
                weekday,
            )
        }
    };
    found.map_or(world.seconds(), |found| found.timestamp().as_second())
}

fn at(now: &Zoned, hour: i8, minute: i8, weekday: Option<Weekday>) -> Result<Zoned, jiff::Error> {
    let mut day = now
        .with()
        .hour(hour)
        .minute(minute)
        .second(0)
        .subsec_nanosecond(0)
        .build()?;
    while day <= *now || weekday.is_some_and(|wanted| day.weekday() != wanted) {
        day = day.checked_add(1.day())?;
    }
    Ok(day)
}
