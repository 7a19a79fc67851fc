//! Datastores and their namespaces.

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Outcome, Refusal},
        world::{Store, World, is_within},
    },
    Ask, Use, done, jobs,
};

/// Values of the history, and seconds from one to the next.
const POINTS: i64 = 1440;
const DELTA: i64 = 1800;

pub(super) fn list(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Datastore.Audit") {
        return Ok(json!([]).into());
    }
    let rows = ask.world.stores.iter().map(|store| {
        let mut row =
            json!({"store": store.name, "mount-status": "nonremovable", "backend-type": "filesystem"});
        if !store.comment.is_empty() {
            row["comment"] = json!(store.comment);
        }
        if let Some((mode, message)) = &store.maintenance {
            row["maintenance"] = match message.as_str() {
                "" => json!(mode),
                message => json!(format!("{mode},message={message}")),
            };
        }
        row
    });
    Ok(rows.collect::<Vec<Value>>().into_value())
}

/// Rows as data.
trait IntoData {
    fn into_value(self) -> super::Data;
}

impl IntoData for Vec<Value> {
    fn into_value(self) -> super::Data {
        Value::from(self).into()
    }
}

pub(super) fn usage(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Datastore.Audit") {
        return Ok(json!([]).into());
    }
    let world: &World = ask.world;
    let rows: Vec<Value> = world.stores.iter().map(|store| usage_of(world, store)).collect();
    Ok(rows.into_value())
}

fn usage_of(world: &World, store: &Store) -> Value {
    let mut row = json!({"store": store.name, "mount-status": "nonremovable", "backend-type": "filesystem"});
    if let Some((mode, message)) = store.maintenance.as_ref().filter(|(mode, _)| mode != "read-only") {
        row["error"] = json!(format!(
            "datastore '{}' is in {mode} maintenance mode: {message}",
            store.name
        ));
        return row;
    }
    if let Some(why) = &store.broken {
        row["error"] = json!(why);
        return row;
    }
    let used = world.used(store);
    let now = world.seconds();
    let share = used as f64 / store.total as f64;
    let history: Vec<Value> = (0..POINTS)
        .map(|point| {
            let days = ((POINTS - 1 - point) * DELTA) as f64 / 86_400.0;
            // The store is thirty days old or older; what it shrank by was removed lately.
            match share - store.growth * days {
                then if then < 0.0 => Value::Null,
                then => json!(then.min(1.0)),
            }
        })
        .collect();
    let known = history.iter().filter(|value| !value.is_null()).count();
    row["total"] = json!(store.total);
    row["used"] = json!(used);
    row["avail"] = json!(store.total - used);
    row["history"] = history.into();
    row["history-start"] = json!(now - now.rem_euclid(DELTA) - (POINTS - 1) * DELTA);
    row["history-delta"] = json!(DELTA);
    row["gc-status"] = jobs::counts(world, store);
    if known >= 7 {
        let days = (1.0 - share) / store.growth;
        row["estimated-full-date"] = if store.growth.abs() < 1e-9 {
            json!(0)
        } else {
            json!(now + (days * 86_400.0) as i64)
        };
    }
    row
}

pub(super) fn status(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    let used = ask.world.used(store);
    let mut status = json!({
        "total": store.total, "used": used, "avail": store.total - used, "backend-type": "filesystem",
    });
    if ask.params.flag("verbose") == Some(true) {
        let count = |kind: &str| {
            let of: Vec<_> = store.snapshots.iter().filter(|one| one.kind == kind).collect();
            let groups: std::collections::BTreeSet<_> = of.iter().map(|one| one.group()).collect();
            json!({"groups": groups.len(), "snapshots": of.len()})
        };
        status["counts"] =
            json!({"ct": count("ct"), "host": count("host"), "vm": count("vm"), "other": null});
        status["gc-status"] = jobs::counts(ask.world, store);
    }
    Ok(status.into())
}

pub(super) fn namespaces(ask: &mut Ask<'_>) -> Outcome {
    let store = ask.store(Use::Look)?;
    let parent = ask.params.text("parent");
    if !parent.is_empty() && !store.namespaces.contains(parent) {
        return Err(Refusal::bad("ENOENT: No such file or directory"));
    }
    let depth = ask
        .params
        .number("max-depth")
        .and_then(|most| u64::try_from(most).ok());
    let all = std::iter::once("").chain(store.namespaces.iter().map(String::as_str));
    let rows: Vec<Value> = all
        .filter(|namespace| is_within(namespace, parent, depth))
        .map(|namespace| json!({"ns": namespace}))
        .collect();
    Ok(rows.into_value())
}

pub(super) fn create_namespace(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&["Datastore.Modify"], &ask.path[0])?;
    let (parent, name) = (
        ask.params.text("parent").to_owned(),
        ask.params.text("name").to_owned(),
    );
    let store = ask.store_mut(Use::Change)?;
    if !parent.is_empty() && !store.namespaces.contains(&parent) {
        return Err(Refusal::bad(
            "cannot create new namespace, parent doesn't already exists",
        ));
    }
    let whole = if parent.is_empty() {
        name
    } else {
        format!("{parent}/{name}")
    };
    store.namespaces.insert(whole.clone());
    Ok(json!(whole).into())
}

pub(super) fn delete_namespace(ask: &mut Ask<'_>) -> Outcome {
    ask.need(&["Datastore.Modify"], &ask.path[0])?;
    let namespace = ask.namespace();
    let groups = ask.params.flag("delete-groups").unwrap_or(false);
    let store = ask.store_mut(Use::Change)?;
    if namespace.is_empty() {
        return Err(Refusal::bad("cannot delete root namespace!"));
    }
    let mut inside = store
        .snapshots
        .iter()
        .filter(|one| is_within(&one.namespace, &namespace, None));
    let (any, protected) = (inside.clone().next().is_some(), inside.any(|one| one.protected));
    if any && !groups {
        return Err(Refusal::bad(
            "only partially deleted due to existing groups but `delete-groups` not true",
        ));
    }
    if protected {
        return Err(Refusal::bad(
            "group only partially deleted due to protected snapshots",
        ));
    }
    store.remove(|one| is_within(&one.namespace, &namespace, None));
    store
        .namespaces
        .retain(|known| !is_within(known, &namespace, None));
    done()
}

pub(super) fn configure(ask: &mut Ask<'_>) -> Outcome {
    if !ask.user.may("Datastore.Modify") {
        return Err(Refusal::forbidden());
    }
    let name = ask.path[0].clone();
    let (params, gone) = (ask.params.clone(), format!("datastore '{name}' does not exist."));
    let store = ask
        .world
        .store_mut(&name)
        .ok_or_else(|| Refusal::new(404, gone))?;
    for key in params.text("delete").split([',', ' ']) {
        match key {
            "maintenance-mode" => store.maintenance = None,
            "gc-schedule" => store.gc_schedule = None,
            "comment" => store.comment.clear(),
            _ => {}
        }
    }
    if let Some(mode) = params.get("maintenance-mode") {
        let mut parts = mode.splitn(2, ',');
        let kind = parts.next().unwrap_or_default();
        let kind = kind.strip_prefix("type=").unwrap_or(kind);
        if !["offline", "read-only"].contains(&kind) {
            return Err(Refusal::bad(format!(
                "parameter verification failed - 'maintenance-mode': parameter verification failed - 'type': schema \
                 validation failed: value '{kind}' is not defined in the enumeration."
            )));
        }
        let message = parts.next().and_then(|rest| rest.strip_prefix("message="));
        let message = message.unwrap_or_default().trim_matches('"').to_owned();
        store.maintenance = Some((kind.to_owned(), message));
    }
    if let Some(schedule) = params.get("gc-schedule") {
        store.gc_schedule = Some(schedule.to_owned());
    }
    if let Some(comment) = params.get("comment") {
        comment.clone_into(&mut store.comment);
    }
    done()
}
