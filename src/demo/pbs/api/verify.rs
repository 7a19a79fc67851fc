//! Verifications of a datastore, a namespace, a group or one backup.

use super::{
    super::{
        answer::{Outcome, Refusal},
        tasks::{Order, Run},
        world::{JobKind, Snapshot, World, is_within},
    },
    Ask, Use,
    backups::{files, kind},
    upid, usable,
};

/// What a verification is told.
pub(super) struct Check {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) user: String,
    pub(super) job: Option<(JobKind, String)>,
    /// Those that were verified are passed over.
    pub(super) skip: bool,
}

/// Begins the verification of some backups of a datastore.
pub(super) fn begin_check(
    world: &mut World,
    store: &str,
    check: Check,
    wanted: impl Fn(&Snapshot) -> bool,
) -> String {
    let mut lines = vec![format!("verify datastore {store}")];
    let mut chosen = Vec::new();
    let mut bad = false;
    let mut bytes = 0;
    for one in world
        .store(store)
        .into_iter()
        .flat_map(|store| &store.snapshots)
        .filter(|one| wanted(one))
    {
        let path = format!("{store}:{}", one.path());
        if !one.finished {
            lines.push(format!(
                "SKIPPED: verify {path} - could not acquire snapshot lock"
            ));
        } else if check.skip && matches!(one.verified, Some((true, _))) {
            lines.push(format!("SKIPPED: verify {path} (recently verified)"));
        } else {
            lines.push(format!("verify {path}"));
            lines.extend(files(one).iter().map(|(name, _)| format!("  check {name}")));
            if one.damaged {
                lines.push(
                    "    can't verify chunk, load failed - store 'main', unable to load chunk".to_owned(),
                );
                lines.push(format!(
                    "verify {path}/{} failed: chunks could not be verified",
                    files(one)[1].0
                ));
                bad = true;
            }
            bytes += one.size;
            chosen.push((one.namespace.clone(), one.path()));
        }
    }
    let exit = if bad {
        "verification failed - please check the log for details"
    } else {
        "OK"
    };
    let takes = 2_000 + (bytes >> 30).min(600).cast_signed() * 100;
    world.begin(Order {
        kind: check.kind,
        id: check.id,
        user: check.user,
        takes,
        exit: exit.to_owned(),
        lines,
        run: Run::Verify(store.to_owned(), chosen),
        job: check.job,
    })
}

pub(super) fn verify(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&["Datastore.Verify", "Datastore.Backup"], &ask.path[0])?;
    let name = ask.path[0].clone();
    let store = usable(ask.world, &name, Use::Look)?;
    let namespace = ask.known_namespace(store)?;
    let depth = ask
        .params
        .number("max-depth")
        .and_then(|most| u64::try_from(most).ok());
    let id = ask.params.get("backup-id").map(str::to_owned);
    let time = ask.params.number("backup-time");
    let given = ask.params.get("backup-type").is_some();
    let kind = kind(ask);
    let (worker, worker_id) = match (given, &id, time) {
        (true, Some(id), Some(time)) => (
            "verify_snapshot",
            format!("{name}:{}/{kind}/{id}/{time:08X}", long(&namespace)),
        ),
        (true, Some(id), None) => ("verify_group", format!("{name}:{}/{kind}/{id}", long(&namespace))),
        (false, None, None) => (
            "verify",
            match namespace.as_str() {
                "" => name.clone(),
                namespace => format!("{name}:{}", long(namespace)),
            },
        ),
        _ => {
            return Err(Refusal::bad(
                "parameters do not specify a backup group or snapshot",
            ));
        }
    };
    let check = Check {
        kind: worker,
        id: worker_id,
        user: ask.user.name.clone(),
        job: None,
        skip: ask.params.flag("ignore-verified").unwrap_or(true),
    };
    upid(begin_check(ask.world, &name, check, |one| {
        let inside = is_within(&one.namespace, &namespace, depth);
        match &id {
            Some(id) => {
                one.namespace == namespace
                    && one.kind == kind
                    && one.id == *id
                    && time.is_none_or(|time| one.time == time)
            }
            None => inside,
        }
    }))
}

/// A namespace as paths have it: `ns/prod/ns/web`.
fn long(namespace: &str) -> String {
    let parts: Vec<String> = namespace
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| format!("ns/{part}"))
        .collect();
    parts.join("/")
}
