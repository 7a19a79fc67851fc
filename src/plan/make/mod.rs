//! From a deed to its plan. Each group of deeds has a file that drafts what is done to one target.

mod arguments;
mod backup_server;
mod clone;
mod config;
mod copies;
mod disk;
mod end;
mod evacuate;
mod firewall;
mod guest;
mod keys;
mod migrate;
mod moving;
mod node;
mod power;
mod restore;
mod risks;
mod server_backup;
mod shift;
mod snapshot;
mod task;

pub use arguments::value_fits;
pub(super) use keys::ACCOUNTS;

use std::{cell::RefCell, collections::BTreeSet};

use super::{Arguments, Deed, Plan, Proof, Refusal, Risk, Scene, Step, WayBack};
use crate::{
    actions::deed::Object,
    domain::{Call, ClusterId, ObjectRef, Vmid},
    store::Store,
};

pub(super) use clone::free_vmid;
pub(super) use copies::{backup_feeds, may_lose};

/// What is done to one target.
#[derive(Debug, Default)]
struct Draft {
    /// What it is done to, in the plan's title; without it, the title of the first step.
    title: Option<String>,
    /// Its steps; `needs` counts from the draft's first.
    steps: Vec<Step>,
    /// What one should know before.
    risks: Vec<Risk>,
    /// What takes it back.
    back: Option<Back>,
    /// What guests have before and after it.
    shifts: Vec<shift::Shift>,
    /// What comes into the world by it: the way back is gone with these instead of the target.
    made: Vec<ObjectRef>,
}

/// A deed that takes another back.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Back {
    deed: Deed,
    arguments: Arguments,
}

impl Back {
    /// One without arguments.
    fn plain(deed: Deed) -> Self {
        Self {
            deed,
            arguments: Arguments::new(),
        }
    }
}

/// VMIDs that a plan has given to new guests.
type Claimed = RefCell<BTreeSet<(ClusterId, Vmid)>>;

/// One target of a deed, with all that its draft is made from.
#[derive(Clone, Copy, Debug)]
struct Task<'a> {
    deed: Deed,
    target: &'a ObjectRef,
    given: &'a Arguments,
    scene: Scene<'a>,
    claimed: &'a Claimed,
}

impl<'a> Task<'a> {
    fn store(self) -> &'a Store {
        self.scene.store
    }

    /// The value of an argument; empty if it was not given.
    fn argument(self, name: &str) -> &'a str {
        self.given.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The value of an argument, if it was given.
    fn given(self, name: &str) -> Option<&'a str> {
        self.given.get(name).map(String::as_str)
    }

    /// Whether a flag was given as 1.
    fn flag(self, name: &str) -> bool {
        self.argument(name) == "1"
    }

    /// A step that is done to the target.
    fn step(self, title: &str, call: Call, proof: Proof) -> Step {
        Step {
            cluster: self.target.cluster().clone(),
            subject: self.target.clone(),
            title: title.to_owned(),
            call,
            proof,
            needs: Vec::new(),
        }
    }
}

/// Makes the plan of a deed. Of several targets, those that it cannot be done to are left out, and named as a risk.
///
/// # Errors
/// An argument does not fit, a target is gone, or the deed can be done to none of the targets.
pub fn make(deed: Deed, targets: &[ObjectRef], given: &Arguments, scene: Scene<'_>) -> Result<Plan, Refusal> {
    arguments::check(deed, given)?;
    let mut steps: Vec<Step> = Vec::new();
    let mut risks = Vec::new();
    let mut refused = Vec::new();
    let mut done: Vec<(ObjectRef, String)> = Vec::new();
    let mut backs = Vec::new();
    let mut made = Vec::new();
    let mut shifts = Vec::new();
    let claimed = Claimed::default();
    for target in targets {
        let drafted = draft(Task {
            deed,
            target,
            given,
            scene,
            claimed: &claimed,
        });
        match drafted {
            Ok(draft) => {
                let first = steps.len();
                let title = draft
                    .title
                    .unwrap_or_else(|| name_of(target, &draft.steps, scene.store));
                done.push((target.clone(), title));
                made.extend(draft.made);
                shifts.extend(draft.shifts);
                steps.extend(draft.steps.into_iter().map(|mut step| {
                    step.needs.iter_mut().for_each(|need| *need += first);
                    step
                }));
                risks.extend(draft.risks);
                backs.push(draft.back);
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    if done.is_empty() {
        return Err(refused
            .into_iter()
            .next()
            .unwrap_or_else(|| Refusal::NotPossible("there is nothing to do it to".to_owned())));
    }
    risks.extend(shift::judge(&shifts, scene)?);
    risks.extend(refused.into_iter().map(Risk::left_out));
    risks.sort_by_key(|risk| std::cmp::Reverse(risk.weight));
    let (title, word) = match &done[..] {
        [(target, title)] => (format!("{} {title}", deed.title()), word(target, title)),
        several => (
            format!("{} {} {}", deed.title(), several.len(), plural(deed.row().object)),
            several.len().to_string(),
        ),
    };
    Ok(Plan {
        deed: deed.name().into(),
        title,
        danger: scene.rules.danger(deed),
        word,
        way_back: way_back(
            &backs,
            if made.is_empty() {
                done.into_iter().map(|(target, _)| target).collect()
            } else {
                made
            },
        ),
        steps,
        risks,
    })
}

/// What a plan calls one of its targets.
fn name_of(target: &ObjectRef, steps: &[Step], store: &Store) -> String {
    match target {
        ObjectRef::Guest(guest) => store
            .guest(guest)
            .map_or_else(String::new, |guest| format!("{} {}", guest.vmid, guest.label())),
        _ => steps.first().map(|step| step.title.clone()).unwrap_or_default(),
    }
}

/// Takes everything back at once, if all that was done goes back the same way.
fn way_back(backs: &[Option<Back>], targets: Vec<ObjectRef>) -> Option<WayBack> {
    let first = backs.first()?.as_ref()?;
    let same = |back: &Option<Back>| back.as_ref() == Some(first);
    backs.iter().all(same).then(|| WayBack {
        deed: first.deed.name().into(),
        targets,
        arguments: first.arguments.clone(),
    })
}

/// What is typed to confirm that this one is meant: a guest's name, or what else tells it from others.
fn word(target: &ObjectRef, title: &str) -> String {
    match target {
        ObjectRef::Guest(guest) => {
            let number = format!("{} ", guest.vmid);
            title.strip_prefix(&number).unwrap_or(title).to_owned()
        }
        ObjectRef::Node(node) => node.node.to_string(),
        ObjectRef::Datastore(datastore) => datastore.store.to_string(),
        ObjectRef::ServerBackup(backup) => backup.id.to_string(),
        _ => title.to_owned(),
    }
}

/// What the targets are called together: `guests`.
pub fn kind_of(targets: &[ObjectRef]) -> &'static str {
    match targets.first() {
        Some(ObjectRef::Guest(_)) => "guests",
        Some(ObjectRef::Node(_)) => "nodes",
        Some(ObjectRef::Task(_)) => "tasks",
        Some(ObjectRef::Storage(_)) => "storages",
        Some(ObjectRef::Cluster(_)) => "clusters",
        Some(ObjectRef::BackupServer(_)) => "Backup Servers",
        Some(ObjectRef::Datastore(_)) => "datastores",
        Some(ObjectRef::ServerBackup(_) | ObjectRef::Backup(_)) => "backups",
        Some(ObjectRef::Snapshot(_)) => "snapshots",
        Some(ObjectRef::Job(_)) => "jobs",
        Some(ObjectRef::Alert(_)) => "alerts",
        Some(ObjectRef::Silence(_)) => "silences",
        None => "objects",
    }
}

/// One of those that a deed is done to: `a guest`.
pub fn one_of(object: Object) -> &'static str {
    match object {
        Object::Guest => "a guest",
        Object::Node => "a node",
        Object::Task => "a task",
        Object::Datastore => "a datastore",
        Object::ServerBackup => "a backup on a Backup Server",
    }
}

fn plural(object: Object) -> &'static str {
    match object {
        Object::Guest => "guests",
        Object::Node => "nodes",
        Object::Task => "tasks",
        Object::Datastore => "datastores",
        Object::ServerBackup => "backups",
    }
}

/// Whether a deed can be done to an object, arguments aside.
///
/// # Errors
/// The reason why not.
pub fn availability(deed: Deed, target: &ObjectRef, store: &Store) -> Result<(), Refusal> {
    let only = |what: &str| Err(Refusal::NotPossible(format!("only {what} can be acted on so")));
    match (deed.row().object, target) {
        (Object::Guest, ObjectRef::Guest(target)) => guest::possible(deed, target, store).map(drop),
        (Object::Node, ObjectRef::Node(target)) => node::possible(deed, target, store),
        (Object::Task, ObjectRef::Task(target)) => task::possible(target, store),
        (Object::Datastore, ObjectRef::Datastore(target)) => backup_server::possible(deed, target, store),
        (Object::ServerBackup, ObjectRef::ServerBackup(target)) => {
            backup_server::possible_backup(deed, target, store)
        }
        (object, _) => only(plural(object)),
    }
}

fn draft(task: Task<'_>) -> Result<Draft, Refusal> {
    availability(task.deed, task.target, task.store())?;
    match task.target {
        ObjectRef::Guest(target) => {
            let guest = guest::possible(task.deed, target, task.store())?;
            let on = guest::On {
                task,
                guest_ref: target,
                guest,
                title: format!("{} {}", guest.vmid, guest.label()),
            };
            let mut draft = match task.deed {
                Deed::GuestMigrate => migrate::draft(&on),
                Deed::FirewallGroupAttach
                | Deed::FirewallGroupDetach
                | Deed::FirewallOpen
                | Deed::FirewallClose
                | Deed::FirewallEnable
                | Deed::FirewallDisable => firewall::draft(&on),
                Deed::GuestKeyAdd | Deed::GuestKeyRevoke => keys::draft(&on),
                Deed::SnapshotCreate | Deed::SnapshotRollback | Deed::SnapshotDelete => snapshot::draft(&on),
                Deed::GuestClone => clone::draft(&on),
                Deed::DiskResize | Deed::DiskMove => disk::draft(&on),
                Deed::GuestResources | Deed::GuestTags | Deed::GuestNotes | Deed::GuestOptions => {
                    config::draft(&on)
                }
                Deed::GuestTemplate => end::template(&on),
                Deed::GuestDelete => end::delete(&on),
                Deed::GuestUnlock => end::unlock(&on),
                _ => power::draft(&on),
            }?;
            draft.shifts = shift::of(&on, &draft);
            draft.risks.extend(risks::common(&on));
            Ok(draft)
        }
        ObjectRef::Node(target) => node::draft(task, target),
        ObjectRef::Task(target) => Ok(task::draft(task, target)),
        ObjectRef::Datastore(target) => backup_server::draft(task, target),
        ObjectRef::ServerBackup(target) => server_backup::draft(task, target),
        other => Err(Refusal::NotPossible(format!(
            "nothing of that can be done to {other}"
        ))),
    }
}
