//! Groups and backups: listed, noted, protected, verified, pruned, forgotten.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Outcome, Refusal},
        world::{Snapshot, rfc3339},
    },
    Ask, PRUNE, Use, done,
};

const BACKUP: [&str; 2] = ["Datastore.Modify", "Datastore.Backup"];

/// `vm`, `ct`, `host` as they are kept.
pub(super) fn kind(ask: &Ask<'_>) -> &'static str {
    let given = ask.params.text("backup-type");
    ["vm", "ct", "host"]
        .into_iter()
        .find(|kind| *kind == given)
        .unwrap_or("host")
}

pub(super) fn files(snapshot: &Snapshot) -> Vec<(&'static str, u64)> {
    match snapshot.kind {
        "vm" => vec![
            ("qemu-server.conf.blob", 412),
            ("drive-scsi0.img.fidx", snapshot.size),
        ],
        "ct" => vec![
            ("pct.conf.blob", 287),
            ("root.pxar.didx", snapshot.size),
            ("catalog.pcat1.didx", 31_417),
        ],
        _ => vec![("etc.pxar.didx", snapshot.size), ("catalog.pcat1.didx", 9_931)],
    }
}

pub(super) fn groups(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    let namespace = ask.known_namespace(store)?;
    let mut groups: BTreeMap<(&str, &str), Vec<&Snapshot>> = BTreeMap::new();
    for one in store.snapshots.iter().filter(|one| one.namespace == namespace) {
        groups.entry((one.kind, &one.id)).or_default().push(one);
    }
    let rows: Vec<Value> = groups
        .into_iter()
        .map(|((kind, id), all)| {
            let last = all.iter().max_by_key(|one| one.time);
            let finished = all.iter().filter(|one| one.finished).max_by_key(|one| one.time);
            let names: Vec<&str> = finished.map_or_else(Vec::new, |one| {
                let files = files(one).into_iter().map(|(name, _)| name);
                files.chain(["index.json.blob"]).collect()
            });
            let mut row = json!({
                "backup-type": kind, "backup-id": id, "backup-count": all.len(),
                "last-backup": last.map_or(0, |one| one.time), "files": names,
                "owner": last.map_or("", |one| &one.owner),
            });
            let key = (namespace.clone(), kind.to_owned(), id.to_owned());
            let notes = store.group_notes.get(&key).and_then(|notes| notes.lines().next());
            if let Some(first) = notes.filter(|first| !first.is_empty()) {
                row["comment"] = json!(first);
            }
            row
        })
        .collect();
    Ok(Value::from(rows).into())
}

pub(super) fn snapshots(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    let namespace = ask.known_namespace(store)?;
    let (kind, id) = (ask.params.get("backup-type"), ask.params.get("backup-id"));
    let mut found: Vec<&Snapshot> = store
        .snapshots
        .iter()
        .filter(|one| one.namespace == namespace)
        .filter(|one| kind.is_none_or(|kind| one.kind == kind) && id.is_none_or(|id| one.id == id))
        .collect();
    found.sort_by_key(|one| (one.kind, one.id.clone(), std::cmp::Reverse(one.time)));
    let rows: Vec<Value> = found.into_iter().map(row).collect();
    Ok(Value::from(rows).into())
}

fn row(one: &Snapshot) -> Value {
    let mode = if one.encrypted { "encrypt" } else { "none" };
    let mut files: Vec<Value> = files(one)
        .into_iter()
        .map(|(name, size)| {
            if one.finished {
                json!({"filename": name, "crypt-mode": mode, "size": size})
            } else {
                json!({"filename": name})
            }
        })
        .collect();
    let mut row = json!({
        "backup-type": one.kind, "backup-id": one.id, "backup-time": one.time, "owner": one.owner,
        "protected": one.protected,
    });
    if one.finished {
        // The index is signed at most, whatever the rest is.
        let mode = if one.encrypted { "sign-only" } else { "none" };
        files.push(json!({"filename": "index.json.blob", "crypt-mode": mode, "size": 524}));
        row["size"] = json!(one.size + 524);
    }
    row["files"] = files.into();
    if let Some(first) = one.notes.lines().next().filter(|first| !first.is_empty()) {
        row["comment"] = json!(first);
    }
    if one.encrypted && one.finished {
        row["fingerprint"] = json!(
            "44:71:9c:d1:bf:b2:5d:1a:25:79:e0:14:06:34:4a:50:5b:47:ad:10:13:c9:ed:5f:de:6a:bb:bf:11:a3:fd:1b"
        );
    }
    if let Some((good, upid)) = &one.verified {
        row["verification"] = json!({"state": if *good { "ok" } else { "failed" }, "upid": upid});
    }
    row
}

/// Whether this is the backup that is asked for.
fn is_asked(ask: &Ask<'_>, one: &Snapshot) -> bool {
    one.namespace == ask.namespace()
        && one.kind == kind(ask)
        && one.id == ask.params.text("backup-id")
        && Some(one.time) == ask.params.number("backup-time")
}

fn directory(ask: &Ask<'_>, store: &str) -> String {
    let namespace: String = ask
        .namespace()
        .split('/')
        .filter(|part| !part.is_empty())
        .fold(String::new(), |path, part| path + "/ns/" + part);
    format!(
        "/mnt/datastore/{store}{namespace}/{}/{}",
        kind(ask),
        ask.params.text("backup-id")
    )
}

/// The backup that is asked for, to be changed.
fn asked<'w>(ask: &'w mut Ask<'_>) -> Result<&'w mut Snapshot, Refusal> {
    let name = ask.path[0].clone();
    let store = ask.store(Use::Change)?;
    let at = store.snapshots.iter().position(|one| is_asked(ask, one));
    let path = format!(
        "{}/{}",
        directory(ask, &name),
        rfc3339(ask.params.number("backup-time").unwrap_or_default())
    );
    let missing = || {
        Refusal::bad(format!(
            "unable to open snapshot directory \"{path}\" for locking - ENOENT: No such file or directory"
        ))
    };
    let at = at.ok_or_else(missing)?;
    let store = ask.world.store_mut(&name).ok_or_else(missing)?;
    Ok(&mut store.snapshots[at])
}

pub(super) fn notes(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    match store.snapshots.iter().find(|one| is_asked(ask, one)) {
        Some(one) => Ok(json!(one.notes).into()),
        None => Err(Refusal::bad("ENOENT: No such file or directory")),
    }
}

pub(super) fn set_notes(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&BACKUP, &ask.path[0])?;
    let text = ask.params.text("notes").to_owned();
    asked(ask)?.notes = text;
    done()
}

pub(super) fn protected(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    match store.snapshots.iter().find(|one| is_asked(ask, one)) {
        Some(one) => Ok(json!(one.protected).into()),
        None => Err(Refusal::bad("ENOENT: No such file or directory")),
    }
}

pub(super) fn protect(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&BACKUP, &ask.path[0])?;
    let wanted = ask.params.flag("protected").unwrap_or(false);
    asked(ask)?.protected = wanted;
    done()
}

pub(super) fn forget(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&PRUNE, &ask.path[0])?;
    let store = ask.path[0].clone();
    let directory = directory(ask, &store);
    let one = asked(ask)?;
    if one.protected {
        return Err(Refusal::bad("cannot remove protected snapshot"));
    }
    if !one.finished {
        return Err(Refusal::bad(format!(
            "unable to acquire lock on snapshot directory \"{directory}/{}\" - possibly running or in use",
            rfc3339(one.time)
        )));
    }
    let doomed = (one.namespace.clone(), one.path());
    if let Some(store) = ask.world.store_mut(&store) {
        store.remove(|one| (one.namespace.clone(), one.path()) == doomed);
    }
    done()
}

pub(super) fn is_of_group(ask: &Ask<'_>, one: &Snapshot) -> bool {
    one.namespace == ask.namespace() && one.kind == kind(ask) && one.id == ask.params.text("backup-id")
}

pub(super) fn forget_group(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&PRUNE, &ask.path[0])?;
    let name = ask.path[0].clone();
    let directory = directory(ask, &name);
    let store = ask.store(Use::Change)?;
    let of: Vec<&Snapshot> = store
        .snapshots
        .iter()
        .filter(|one| is_of_group(ask, one))
        .collect();
    if of.is_empty() {
        return Err(Refusal::bad(format!(
            "unable to open backup group directory \"{directory}\" for locking - ENOENT: No such file or directory"
        )));
    }
    if of.iter().any(|one| !one.finished) {
        return Err(Refusal::bad(format!(
            "unable to acquire lock on backup group directory \"{directory}\" - possible running backup"
        )));
    }
    let protected = of.iter().filter(|one| one.protected).count();
    let gone: Vec<String> = of
        .iter()
        .filter(|one| !one.protected)
        .map(|one| one.path())
        .collect();
    let namespace = ask.namespace();
    if let Some(store) = ask.world.store_mut(&name) {
        store.remove(|one| one.namespace == namespace && gone.contains(&one.path()));
    }
    if protected > 0 && ask.params.flag("error-on-protected").unwrap_or(true) {
        return Err(Refusal::bad(
            "group only partially deleted due to protected snapshots",
        ));
    }
    Ok(json!({
        "protected-snapshots": protected, "removed-groups": usize::from(protected == 0),
        "removed-snapshots": gone.len(),
    })
    .into())
}

fn group_key(ask: &Ask<'_>) -> (String, String, String) {
    (
        ask.namespace(),
        kind(ask).to_owned(),
        ask.params.text("backup-id").to_owned(),
    )
}

pub(super) fn group_notes(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    let notes = store
        .group_notes
        .get(&group_key(ask))
        .cloned()
        .unwrap_or_default();
    Ok(json!(notes).into())
}

pub(super) fn set_group_notes(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&BACKUP, &ask.path[0])?;
    let (key, text) = (group_key(ask), ask.params.text("notes").to_owned());
    ask.store_mut(Use::Change)?.group_notes.insert(key, text);
    done()
}
