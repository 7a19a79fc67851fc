//! Version, privileges, the node and its tasks.

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Data, Outcome, Refusal},
        auth::Role,
        tasks::{PID, PROCESS_START, Task},
        world::World,
    },
    Ask, done,
};

const GIB: u64 = 1 << 30;

pub(super) fn ping(_: &mut Ask<'_>) -> Outcome {
    Ok(json!({"pong": true}).into())
}

pub(super) fn version(_: &mut Ask<'_>) -> Outcome {
    Ok(json!({"release": "4", "repoid": "demo", "version": "3.2"}).into())
}

pub(super) fn nodes(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Sys.Audit") {
        return Err(Refusal::forbidden());
    }
    Ok(json!([{"node": "localhost"}]).into())
}

pub(super) fn permissions(ask: &mut Ask<'_>) -> Outcome {
    let stores = || {
        ask.world
            .stores
            .iter()
            .map(|store| format!("/datastore/{}", store.name))
    };
    let all = [
        "Datastore.Audit",
        "Datastore.Backup",
        "Datastore.Modify",
        "Datastore.Prune",
        "Datastore.Read",
        "Datastore.Verify",
        "Sys.Audit",
        "Sys.Modify",
    ];
    let mut paths = serde_json::Map::new();
    let mut give = |path: String, privileges: &[&str]| {
        let given = privileges.iter().map(|one| ((*one).to_owned(), json!(true)));
        paths.insert(path, Value::Object(given.collect()));
    };
    let (everywhere, below): (&[&str], &[&str]) = match ask.user.role {
        Role::Admin => (&all, &all),
        Role::Audit => (
            &["Datastore.Audit", "Sys.Audit"],
            &["Datastore.Audit", "Sys.Audit"],
        ),
        Role::DatastoreAudit => (&[], &["Datastore.Audit"]),
        Role::None => (&[], &[]),
    };
    if !everywhere.is_empty() {
        for path in ["/", "/system", "/system/status", "/system/tasks"] {
            give(path.to_owned(), everywhere);
        }
    }
    if !below.is_empty() {
        give("/datastore".to_owned(), below);
        for path in stores() {
            give(path, below);
        }
    }
    Ok(Value::Object(paths).into())
}

pub(super) fn status(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Sys.Audit") {
        return Err(Refusal::forbidden());
    }
    let world: &World = ask.world;
    let at = world.seconds();
    let busy = world.tasks.iter().filter(|task| !task.done).count() as f64;
    let wave = (at.rem_euclid(600) as f64 / 600.0 * std::f64::consts::TAU).sin();
    let cpu = (0.06 + 0.03 * wave + 0.2 * busy).min(0.98);
    let used = 5 * GIB + (wave.abs() * GIB as f64) as u64;
    Ok(json!({
        "boot-info": {"mode": "efi", "secureboot": false},
        "cpu": cpu,
        "cpuinfo": {"cpus": 8, "model": "AMD EPYC 3251 8-Core Processor", "sockets": 1},
        "current-kernel": {"machine": "x86_64", "release": "6.8.12-4-pve", "sysname": "Linux",
            "version": "#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4"},
        "info": {"fingerprint": world.fingerprint},
        "kversion": "Linux 6.8.12-4-pve #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4",
        "loadavg": [cpu * 8.0, cpu * 7.0, cpu * 6.0],
        "memory": {"free": 32 * GIB - used, "total": 32 * GIB, "used": used},
        "root": {"avail": 40 * GIB, "total": 60 * GIB, "used": 17 * GIB},
        "swap": {"free": 4 * GIB, "total": 4 * GIB, "used": 0},
        "uptime": 19 * 86_400 + at.rem_euclid(86_400),
        "wait": cpu / 10.0,
    })
    .into())
}

pub(super) fn time(ask: &mut Ask<'_>) -> Outcome {
    let at = ask.world.seconds();
    let offset = jiff::Timestamp::from_second(at)
        .unwrap_or_default()
        .to_zoned(ask.world.zone.clone())
        .offset()
        .seconds();
    Ok(json!({"localtime": at + i64::from(offset), "time": at, "timezone": ask.world.zone_name}).into())
}

/// Whether somebody may know of a task: the one who began it, and who sees the system.
fn may_see(ask: &Ask<'_>, task: &Task) -> bool {
    ask.user.may("Sys.Audit") || task.user == ask.user.name
}

pub(super) fn tasks(ask: &mut Ask<'_>) -> Outcome {
    let flag = |name| ask.params.flag(name).unwrap_or(false);
    let (running, errors) = (flag("running"), flag("errors"));
    let limit = match ask.params.number("limit") {
        Some(0) => usize::MAX,
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => 50,
    };
    let start = ask
        .params
        .number("start")
        .and_then(|at| usize::try_from(at).ok())
        .unwrap_or(0);
    let (since, until) = (ask.params.number("since"), ask.params.number("until"));
    let store = ask.params.get("store");
    let about = |task: &Task, store: &str| task.id.split(':').any(|part| part == store);
    let mut found: Vec<&Task> = ask
        .world
        .tasks
        .iter()
        .filter(|task| may_see(ask, task))
        .filter(|task| !running || !task.done)
        .filter(|task| !errors || (task.done && task.exit != "OK"))
        .filter(|task| since.is_none_or(|since| task.start / 1000 >= since))
        .filter(|task| until.is_none_or(|until| task.start / 1000 <= until))
        .filter(|task| store.is_none_or(|store| about(task, store)))
        .filter(|task| {
            ask.params
                .get("typefilter")
                .is_none_or(|kind| task.kind.contains(kind))
        })
        .collect();
    found.sort_by_key(|task| {
        (
            task.done,
            std::cmp::Reverse(task.start),
            std::cmp::Reverse(task.upid.clone()),
        )
    });
    let more = found.len().saturating_sub(start);
    // Of those that follow the server knows only that there are some.
    let total = if more > limit { limit + 1 } else { more };
    let rows: Vec<Value> = found.into_iter().skip(start).take(limit).map(row).collect();
    Ok(Data {
        value: rows.into(),
        total: Some(total as u64),
    })
}

fn row(task: &Task) -> Value {
    let mut row = json!({
        "upid": task.upid, "node": "localhost", "pid": PID, "pstart": PROCESS_START,
        "starttime": task.start.div_euclid(1000), "worker_type": task.kind, "worker_id": task.id, "user": task.user,
    });
    if task.id.is_empty() {
        row["worker_id"] = Value::Null;
    }
    if task.done {
        row["endtime"] = json!(task.end.div_euclid(1000));
        row["status"] = json!(task.exit);
    }
    row
}

/// A task that was asked for: `None` if nobody knows it.
fn asked<'w>(ask: &'w Ask<'_>) -> Result<Option<&'w Task>, Refusal> {
    let upid = &ask.path[1];
    if upid.len() < 36 {
        return Err(Refusal::bad(
            "parameter verification failed - 'upid': value must be at least 36 characters long",
        ));
    }
    if parts(upid).is_none() {
        return Err(Refusal::bad(
            "parameter verification failed - 'upid': unable to parse UPID",
        ));
    }
    let task = ask.world.tasks.iter().find(|task| task.upid == *upid);
    let owner = parts(upid).map(|parts| parts.2 == ask.user.name);
    if !ask.user.may("Sys.Audit") && owner != Some(true) {
        return Err(Refusal::bad("task access not allowed"));
    }
    Ok(task)
}

/// Start, kind and id, user of a UPID.
fn parts(upid: &str) -> Option<(i64, (&str, &str), &str)> {
    let fields: Vec<&str> = upid.split(':').collect();
    let ["UPID", _, _, _, _, start, kind, id, user, ""] = fields[..] else {
        return None;
    };
    Some((i64::from_str_radix(start, 16).ok()?, (kind, id), user))
}

pub(super) fn task_status(ask: &mut Ask<'_>) -> Outcome {
    let task = asked(ask)?;
    let upid = &ask.path[1];
    let (start, (kind, id), user) = parts(upid).unwrap_or((0, ("", ""), ""));
    let mut status = json!({
        "node": "pbs1", "pid": PID, "pstart": PROCESS_START, "starttime": start, "type": kind, "id": id,
        "upid": upid, "user": user, "status": "stopped",
    });
    match task {
        Some(task) if task.done => {
            status["exitstatus"] = json!(task.exit);
            status["id"] = json!(task.id);
        }
        Some(task) => {
            status["status"] = json!("running");
            status["id"] = json!(task.id);
        }
        None => status["exitstatus"] = json!("unknown"),
    }
    Ok(status.into())
}

pub(super) fn task_log(ask: &mut Ask<'_>) -> Outcome {
    let now = ask.world.now;
    let lines = match asked(ask)? {
        Some(task) => task.log(now),
        None => {
            return Err(Refusal::bad(
                "unable to open file - No such file or directory (os error 2)",
            ));
        }
    };
    // The first line is line 1, and 0 is the first as well.
    let first = ask.params.number("start").unwrap_or(0).max(1) as usize;
    let limit = match ask.params.number("limit") {
        Some(0) => usize::MAX,
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => 50,
    };
    let rows: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(number, _)| *number >= first)
        .take(limit)
        .map(|(number, line)| json!({"n": number, "t": line}))
        .collect();
    Ok(Data {
        value: rows.into(),
        total: Some(lines.len() as u64),
    })
}

pub(super) fn stop_task(ask: &mut Ask<'_>) -> Outcome {
    let upid = ask.path[1].clone();
    let mine = parts(&upid).is_some_and(|parts| parts.2 == ask.user.name);
    if !mine && !ask.user.may("Sys.Modify") {
        return Err(Refusal::bad(
            "missing permissions 'Sys.Modify' on '/system/tasks'",
        ));
    }
    ask.world.abort(&upid);
    done()
}
