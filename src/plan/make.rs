//! From a deed to its plan.

use super::{
    Arguments, Deed, Plan, Refusal, Risk, Step, Weight,
    calls::{self, At},
};
use crate::{
    actions::deed::Object,
    domain::{
        ClusterId, Guest, GuestKind, GuestRef, GuestStatus, NodeName, NodeRef, NodeStatus, ObjectRef,
        StorageRef, TaskRef, TaskState,
    },
    store::Store,
};

/// Longest name of a snapshot that the server takes.
const SNAPSHOT_NAME: usize = 40;

/// Makes the plan of a deed. Of several targets, those that it cannot be done to are left out, and named as a risk.
///
/// # Errors
/// An argument does not fit, a target is gone, or the deed can be done to none of the targets.
pub fn make(
    deed: Deed,
    targets: &[ObjectRef],
    arguments: &Arguments,
    store: &Store,
) -> Result<Plan, Refusal> {
    check(deed, arguments)?;
    let mut plan = Plan {
        deed: deed.row().name.into(),
        title: String::new(),
        steps: Vec::new(),
        risks: Vec::new(),
    };
    let mut refused = Vec::new();
    for target in targets {
        match step(deed, target, arguments, store) {
            Ok(step) => {
                plan.risks.extend(risks(deed, target, &step, store));
                plan.steps.push(step);
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    if plan.steps.is_empty() {
        return Err(refused
            .into_iter()
            .next()
            .unwrap_or_else(|| Refusal::NotPossible("there is nothing to do it to".to_owned())));
    }
    plan.risks.extend(refused.into_iter().map(|refusal| Risk {
        weight: Weight::Warning,
        text: format!("left out: {refusal}"),
    }));
    plan.risks.sort_by_key(|risk| std::cmp::Reverse(risk.weight));
    plan.title = match &plan.steps[..] {
        [step] => format!("{} {}", deed.row().title, step.title),
        steps => format!("{} {} guests", deed.row().title, steps.len()),
    };
    Ok(plan)
}

/// Whether a deed can be done to an object, arguments aside.
///
/// # Errors
/// The reason why not.
pub fn availability(deed: Deed, target: &ObjectRef, store: &Store) -> Result<(), Refusal> {
    match (deed.row().object, target) {
        (Object::Guest, ObjectRef::Guest(target)) => guest(deed, target, store).map(drop),
        (Object::Task, ObjectRef::Task(target)) => task(target, store),
        (Object::Guest, _) => Err(Refusal::NotPossible("only guests can be acted on so".to_owned())),
        (Object::Task, _) => Err(Refusal::NotPossible("only tasks can be stopped so".to_owned())),
    }
}

fn check(deed: Deed, arguments: &Arguments) -> Result<(), Refusal> {
    let row = deed.row();
    for (name, value) in arguments {
        if !row.arguments.iter().any(|known| known.name == name) {
            let known: Vec<&str> = row.arguments.iter().map(|known| known.name).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(Refusal::Argument(format!(
                "{} has no argument `{name}`; it has: {known}",
                row.name
            )));
        }
        let fault = match &**name {
            "snapshot" => snapshot_name(value).err(),
            "timeout" => value
                .parse::<u32>()
                .err()
                .map(|_| "is a number of seconds".to_owned()),
            "force" | "ram" | "with-local-disks" if !matches!(&**value, "0" | "1") => {
                Some("is 0 or 1".to_owned())
            }
            _ => None,
        };
        if let Some(fault) = fault {
            return Err(Refusal::Argument(format!("`{name}` {fault}, not `{value}`")));
        }
    }
    match row
        .arguments
        .iter()
        .find(|known| known.required && !arguments.contains_key(known.name))
    {
        Some(missing) => Err(Refusal::Argument(format!(
            "{} needs `{}`: {}",
            row.name, missing.name, missing.help
        ))),
        None => Ok(()),
    }
}

/// The server's rule for names of snapshots.
fn snapshot_name(name: &str) -> Result<(), String> {
    let fits = name.len() >= 2
        && name.len() <= SNAPSHOT_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !fits {
        return Err(format!(
            "begins with a letter and has 2 to {SNAPSHOT_NAME} letters, digits, `-` or `_`"
        ));
    }
    if name == "current" {
        return Err("cannot be the name of the present state".to_owned());
    }
    Ok(())
}

fn step(deed: Deed, target: &ObjectRef, arguments: &Arguments, store: &Store) -> Result<Step, Refusal> {
    availability(deed, target, store)?;
    let (title, call, task_kinds) = match target {
        ObjectRef::Guest(guest_ref) => {
            let guest = guest(deed, guest_ref, store)?;
            let title = format!("{} {}", guest.vmid, guest.label());
            let argument = |name: &str| arguments.get(name).map(String::as_str).unwrap_or_default();
            if deed == Deed::GuestMigrate {
                destination(guest, &guest_ref.cluster, argument("target"), store)?;
            }
            if let Some(snapshots) = store.guest_snapshots(guest_ref) {
                let name = argument("snapshot");
                let known = snapshots.iter().any(|snapshot| &*snapshot.name == name);
                match deed {
                    Deed::SnapshotCreate if known => {
                        return Err(Refusal::NotPossible(format!(
                            "{title} already has a snapshot `{name}`"
                        )));
                    }
                    Deed::SnapshotDelete | Deed::SnapshotRollback if !known => {
                        return Err(Refusal::NotFound(format!("{title} has no snapshot `{name}`")));
                    }
                    _ => {}
                }
            }
            let (call, kinds) = guest_call(deed, guest, arguments);
            (title, call, kinds)
        }
        ObjectRef::Task(task) => {
            let title = format!("{} {}", task.upid.kind, task.upid.id);
            (title.trim().to_owned(), calls::task_stop(&task.upid), Vec::new())
        }
        other => {
            return Err(Refusal::NotPossible(format!(
                "nothing of that can be done to {other}"
            )));
        }
    };
    Ok(Step {
        cluster: target.cluster().clone(),
        subject: target.clone(),
        title,
        call,
        task_kinds,
    })
}

/// The guest, if the deed can be done to it.
fn guest<'a>(deed: Deed, target: &GuestRef, store: &'a Store) -> Result<&'a Guest, Refusal> {
    let guest = store.guest(target).ok_or_else(|| {
        Refusal::NotFound(format!("there is no guest {} in {}", target.vmid, target.cluster))
    })?;
    let title = format!("{} {}", guest.vmid, guest.label());
    let because = |why: &str| Err(Refusal::NotPossible(format!("{title} {why}")));
    let running = guest.status == GuestStatus::Running;
    match deed {
        Deed::GuestStart | Deed::SnapshotCreate | Deed::SnapshotRollback if guest.template => {
            return because("is a template");
        }
        Deed::GuestStart if running => return because("is running"),
        Deed::GuestStart if guest.status == GuestStatus::Paused => {
            return because("is paused: resume it");
        }
        // The inventory calls a paused machine running: only its detail tells.
        Deed::GuestResume if matches!(guest.status, GuestStatus::Stopped | GuestStatus::Unknown) => {
            return because(&format!("is {}", guest.status));
        }
        Deed::GuestShutdown | Deed::GuestReboot | Deed::GuestReset | Deed::GuestSuspend | Deed::GuestStop
            if guest.status == GuestStatus::Stopped =>
        {
            return because("is stopped");
        }
        Deed::GuestReset if guest.kind == GuestKind::Lxc => {
            return because("is a container: it cannot be reset, reboot it");
        }
        _ => {}
    }
    if let Some(lock) = &guest.lock
        && !matches!(deed, Deed::GuestStop | Deed::GuestShutdown | Deed::GuestReset)
        && !(deed == Deed::GuestResume && &**lock == "suspended")
        && !(deed == Deed::GuestStart && &**lock == "suspended")
    {
        return because(&format!("is locked ({lock})"));
    }
    let node = NodeRef {
        cluster: target.cluster.clone(),
        node: guest.node.clone(),
    };
    if store
        .node(&node)
        .is_some_and(|node| node.status == NodeStatus::Offline)
    {
        return because(&format!("is on {}, which is offline", guest.node));
    }
    if let Some(privilege) = deed.row().privilege
        && lacks(store, &target.cluster, guest, privilege)
    {
        return Err(Refusal::NotAllowed(format!(
            "{title}: this sign-in lacks {privilege} on /vms/{}",
            guest.vmid
        )));
    }
    Ok(guest)
}

/// Whether it is known that the privilege is missing. Permissions are listed by path; the nearest path counts.
fn lacks(store: &Store, cluster: &ClusterId, guest: &Guest, privilege: &str) -> bool {
    let grants = store
        .cluster(cluster)
        .and_then(crate::store::Cluster::permissions);
    // An empty list comes from a sign-in that may not even ask: nothing is known then.
    let Some(grants) = grants.filter(|grants| !grants.is_empty()) else {
        return false;
    };
    let on = |path: &str| grants.iter().find(|(known, _)| &**known == path);
    let has = |(_, privileges): &crate::store::Grant| privileges.iter().any(|known| &**known == privilege);
    let own = format!("/vms/{}", guest.vmid);
    let pool = guest.pool.as_ref().map(|pool| format!("/pool/{pool}"));
    let nearest = on(&own).or_else(|| on("/vms")).or_else(|| on("/"));
    let through_pool = pool.as_deref().and_then(on);
    !nearest.is_some_and(has) && !through_pool.is_some_and(has)
}

fn task(target: &TaskRef, store: &Store) -> Result<(), Refusal> {
    match store.task(target) {
        None => Err(Refusal::NotFound(format!("there is no task {}", target.upid))),
        Some(task) if task.state == TaskState::Running => Ok(()),
        Some(_) => Err(Refusal::NotPossible("the task is over".to_owned())),
    }
}

fn destination(guest: &Guest, cluster: &ClusterId, target: &str, store: &Store) -> Result<(), Refusal> {
    let node = NodeRef {
        cluster: cluster.clone(),
        node: NodeName::from(target),
    };
    match store.node(&node) {
        None => Err(Refusal::NotFound(format!(
            "there is no node {target} in {cluster}"
        ))),
        Some(_) if guest.node.as_str() == target => Err(Refusal::NotPossible(format!(
            "{} is on {target} already",
            guest.label()
        ))),
        Some(node) if node.status != NodeStatus::Online => {
            Err(Refusal::NotPossible(format!("{target} is {}", node.status)))
        }
        Some(_) => Ok(()),
    }
}

fn guest_call(deed: Deed, guest: &Guest, arguments: &Arguments) -> (crate::domain::Call, Vec<Box<str>>) {
    let at = At {
        node: &guest.node,
        kind: guest.kind,
        vmid: guest.vmid,
    };
    let prefix = match guest.kind {
        GuestKind::Qemu => "qm",
        GuestKind::Lxc => "vz",
    };
    let argument = |name: &str| arguments.get(name).map(String::as_str).unwrap_or_default();
    let flag = |name: &str| argument(name) == "1";
    let timeout = |call: crate::domain::Call| match argument("timeout") {
        "" => call,
        seconds => call.with("timeout", seconds),
    };
    let runs = guest.status != GuestStatus::Stopped;
    // What HA manages is started, stopped and moved by HA: the task then has another name.
    let (call, verb, managed) = match deed {
        Deed::GuestStart => (calls::power(at, "start"), "start", Some("hastart")),
        Deed::GuestShutdown => {
            let call = timeout(calls::power(at, "shutdown"));
            let call = if flag("force") {
                call.with("forceStop", "1")
            } else {
                call
            };
            (call, "shutdown", Some("hashutdown"))
        }
        Deed::GuestReboot => (timeout(calls::power(at, "reboot")), "reboot", None),
        Deed::GuestStop => (calls::power(at, "stop"), "stop", Some("hastop")),
        Deed::GuestReset => (calls::power(at, "reset"), "reset", None),
        Deed::GuestSuspend => (calls::power(at, "suspend"), "suspend", None),
        Deed::GuestResume => (calls::power(at, "resume"), "resume", None),
        Deed::GuestMigrate => {
            let call = calls::migrate(at, argument("target"), runs);
            let call = if flag("with-local-disks") && guest.kind == GuestKind::Qemu {
                call.with("with-local-disks", "1")
            } else {
                call
            };
            (call, "migrate", Some("hamigrate"))
        }
        Deed::SnapshotCreate => {
            let mut call = calls::snapshot_create(at, argument("snapshot"));
            if !argument("description").is_empty() {
                call = call.with("description", argument("description"));
            }
            if flag("ram") && guest.kind == GuestKind::Qemu && runs {
                call = call.with("vmstate", "1");
            }
            (call, "snapshot", None)
        }
        Deed::SnapshotRollback => (
            calls::snapshot_rollback(at, argument("snapshot")),
            "rollback",
            None,
        ),
        Deed::SnapshotDelete => (
            calls::snapshot_delete(at, argument("snapshot")),
            "delsnapshot",
            None,
        ),
        // A task is no guest: see `step`.
        Deed::TaskStop => (calls::power(at, "stop"), "stop", None),
    };
    let mut kinds: Vec<Box<str>> = vec![format!("{prefix}{verb}").into()];
    if deed == Deed::GuestShutdown {
        // A shutdown of a managed guest is a stop with patience.
        kinds.push("hastop".into());
    }
    if deed == Deed::GuestSuspend {
        kinds.push("qmpause".into());
    }
    kinds.extend(managed.map(Into::into));
    (call, kinds)
}

fn risks(deed: Deed, target: &ObjectRef, step: &Step, store: &Store) -> Vec<Risk> {
    let ObjectRef::Guest(guest_ref) = target else {
        return vec![Risk {
            weight: Weight::Warning,
            text: format!("{} is left half-done, and a lock may stay", step.title),
        }];
    };
    let Some(guest) = store.guest(guest_ref) else {
        return Vec::new();
    };
    let title = &step.title;
    let mut risks = Vec::new();
    let mut risk = |weight, text: String| risks.push(Risk { weight, text });
    let runs = guest.status != GuestStatus::Stopped;
    match deed {
        Deed::GuestStop | Deed::GuestReset => risk(
            Weight::Danger,
            format!("{title} is not asked: what it has not written to disk is lost"),
        ),
        Deed::SnapshotRollback => {
            risk(
                Weight::Danger,
                format!("everything that {title} wrote since the snapshot is lost"),
            );
            if runs {
                risk(Weight::Warning, format!("{title} is running and will be stopped"));
            }
        }
        Deed::SnapshotDelete => risk(
            Weight::Warning,
            format!("{title} cannot be put back to it any more"),
        ),
        Deed::GuestMigrate if runs && guest.kind == GuestKind::Lxc => risk(
            Weight::Warning,
            format!("{title} is a running container: it is stopped here and started there"),
        ),
        _ => {}
    }
    if deed == Deed::GuestMigrate {
        risks.extend(local_disks(guest_ref, guest, title, store));
        return ha_note(guest, title, risks);
    }
    if matches!(deed, Deed::SnapshotCreate | Deed::SnapshotDelete) {
        return risks;
    }
    if let Some(lock) = &guest.lock {
        risks.push(Risk {
            weight: Weight::Warning,
            text: format!("{title} is locked ({lock}): something is working on it"),
        });
    }
    ha_note(guest, title, risks)
}

fn ha_note(guest: &Guest, title: &str, mut risks: Vec<Risk>) -> Vec<Risk> {
    if let Some(state) = guest.ha_state.as_deref().filter(|state| *state != "ignored") {
        risks.push(Risk {
            weight: Weight::Note,
            text: format!("{title} is managed by HA ({state}): HA does it, a little later"),
        });
    }
    risks
}

/// What a migration has to copy. Without the configuration nothing is known of it.
fn local_disks(guest_ref: &GuestRef, guest: &Guest, title: &str, store: &Store) -> Option<Risk> {
    let config = store.guest_config(guest_ref)?;
    let local: Vec<String> = config
        .disks()
        .iter()
        .filter(|disk| !disk.cdrom)
        .filter_map(|disk| {
            let storage = store.storage(&StorageRef {
                cluster: guest_ref.cluster.clone(),
                node: guest.node.clone(),
                storage: disk.storage.clone()?,
            })?;
            (!storage.shared).then(|| format!("{} ({})", disk.key, disk.size.unwrap_or("size unknown")))
        })
        .collect();
    (!local.is_empty()).then(|| Risk {
        weight: Weight::Warning,
        text: format!(
            "{title} has disks on local storage that are copied: {}",
            local.join(", ")
        ),
    })
}
