//! Prunes: of a group, and of a namespace with all below it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Outcome, Refusal},
        prune::{RULES, select},
        tasks::{Order, Run},
        world::{Snapshot, Store, World},
    },
    Ask, PRUNE, Use,
    backups::{is_of_group, kind},
    upid,
};

/// The rules of a call.
fn rules(ask: &Ask<'_>) -> Vec<(&'static str, u64)> {
    RULES
        .into_iter()
        .filter_map(|(rule, _)| {
            let count = ask.params.number(rule)?;
            Some((rule, u64::try_from(count).ok()?))
        })
        .collect()
}

fn options(keep: &[(&str, u64)]) -> String {
    let all: Vec<String> = keep
        .iter()
        .map(|(rule, count)| format!("--{rule} {count}"))
        .collect();
    all.join(" ")
}

/// One group, the oldest first, each with whether it stays.
fn judged<'s>(
    world: &World,
    mut group: Vec<&'s Snapshot>,
    keep: &[(&'static str, u64)],
) -> Vec<(&'s Snapshot, bool)> {
    group.sort_by_key(|one| one.time);
    let stays = select(&group, keep, &world.zone);
    group.into_iter().zip(stays).collect()
}

fn word(one: &Snapshot, stays: bool) -> &'static str {
    match (one.protected, stays) {
        (true, _) => "protected",
        (false, true) => "keep",
        (false, false) => "remove",
    }
}

pub(super) fn prune(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&PRUNE, &ask.path[0])?;
    let name = ask.path[0].clone();
    let keep = rules(ask);
    let store = ask.store(Use::Change)?;
    let group: Vec<&Snapshot> = store
        .snapshots
        .iter()
        .filter(|one| is_of_group(ask, one))
        .collect();
    if group.is_empty() {
        return Err(Refusal::bad("ENOENT: No such file or directory"));
    }
    let judged = judged(ask.world, group, &keep);
    let rows: Vec<Value> = judged
        .iter()
        .map(|(one, stays)| {
            json!({
                "backup-type": one.kind, "backup-id": one.id, "backup-time": one.time, "keep": stays,
                "protected": one.protected,
            })
        })
        .collect();
    if ask.params.flag("dry-run").unwrap_or(false) || keep.is_empty() {
        return Ok(Value::from(rows).into());
    }
    let doomed: Vec<(String, String)> = judged
        .iter()
        .filter(|(_, stays)| !stays)
        .map(|(one, _)| (one.namespace.clone(), one.path()))
        .collect();
    let group = format!("{}/{}", kind(ask), ask.params.text("backup-id"));
    let mut lines = vec![
        format!("retention options: {}", options(&keep)),
        format!(
            "Starting prune on datastore '{name}', {} group \"{group}\"",
            place(&ask.namespace())
        ),
    ];
    lines.extend(
        judged
            .iter()
            .map(|(one, stays)| format!("{} {}", one.path(), word(one, *stays))),
    );
    let id = format!("{name}:{}:{group}", ask.namespace());
    let user = ask.user.name.clone();
    if ask.params.flag("use-task").unwrap_or(false) {
        return upid(ask.world.begin(Order {
            kind: "prune",
            id,
            user,
            takes: 1_500,
            exit: "OK".to_owned(),
            lines,
            run: Run::Remove(name, doomed),
            job: None,
        }));
    }
    if let Some(store) = ask.world.store_mut(&name) {
        store.remove(|one| doomed.contains(&(one.namespace.clone(), one.path())));
    }
    Ok(Value::from(rows).into())
}

fn place(namespace: &str) -> String {
    match namespace {
        "" => "root namespace".to_owned(),
        namespace => format!("namespace '{namespace}'"),
    }
}

/// What a prune of a namespace and those below it says and removes. Without rules nothing is removed, whatever it says.
pub(super) fn sweep(
    world: &World,
    store: &Store,
    namespace: &str,
    depth: Option<u64>,
    keep: &[(&'static str, u64)],
) -> (Vec<String>, Vec<(String, String)>) {
    let down = depth.map_or("down to full depth".to_owned(), |most| format!("to depth {most}"));
    let mut lines = vec![
        format!(
            "Starting datastore prune on datastore '{}', {}, {down}",
            store.name,
            place(namespace)
        ),
        match keep {
            [] => "No prune selection - keeping all files.".to_owned(),
            keep => format!("retention options: {}", options(keep)),
        },
    ];
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Snapshot>> = BTreeMap::new();
    for one in store.within(namespace, depth) {
        groups.entry(one.group()).or_default().push(one);
    }
    let mut doomed = Vec::new();
    for ((ns, kind, id), group) in groups {
        lines.push(format!("Pruning group {ns}:\"{kind}/{id}\""));
        for (one, stays) in judged(world, group, keep) {
            lines.push(format!("{} {}", word(one, stays), one.path()));
            if !stays {
                doomed.push((one.namespace.clone(), one.path()));
            }
        }
    }
    (lines, doomed)
}

pub(super) fn prune_datastore(ask: &mut Ask<'_>) -> Outcome {
    let name = ask.path[0].clone();
    if !PRUNE.iter().any(|privilege| ask.user.may(privilege)) {
        return Err(Refusal::bad(format!(
            "missing permissions 'Datastore.Modify|Datastore.Prune' on '/datastore/{name}'"
        )));
    }
    let keep = rules(ask);
    let depth = ask
        .params
        .number("max-depth")
        .and_then(|most| u64::try_from(most).ok());
    let store = ask.store(Use::Change)?;
    let namespace = ask.known_namespace(store)?;
    let (lines, mut doomed) = sweep(ask.world, store, &namespace, depth, &keep);
    if ask.params.flag("dry-run").unwrap_or(false) {
        doomed.clear();
    }
    let user = ask.user.name.clone();
    upid(ask.world.begin(Order {
        kind: "prune",
        id: format!("{name}:{namespace}"),
        user,
        takes: 2_000,
        exit: "OK".to_owned(),
        lines,
        run: Run::Remove(name, doomed),
        job: None,
    }))
}
