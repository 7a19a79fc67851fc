//! What the guests of a plan have before and after it, and what that means for quotas and memory.
//!
//! What always holds here: all targets of a plan are seen together, so that what fits one by one and not together is
//! found.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    super::{Deed, Refusal, Risk, Scene, Weight},
    Draft,
    disk::bytes,
    guest::On,
};
use crate::{
    domain::{
        ClusterId, Guest, GuestRef, GuestStatus, NodeName, NodeRef, NodeStatus, ObjectRef,
        config::GuestConfig,
        quantity::{Bytes, percent},
        quota::{Amount, Resource},
    },
    store::Store,
};

/// From this share of its memory on, a node is nearly full.
const NEARLY_FULL: f64 = 0.9;
/// Bytes in the unit of a guest's memory.
const MIB: u64 = 1 << 20;

/// One guest before and after; `None` where there is none.
#[derive(Debug)]
pub(super) struct Shift {
    cluster: ClusterId,
    before: Option<Guest>,
    after: Option<Guest>,
}

/// What a draft does to what guests have.
pub(super) fn of(on: &On<'_>, draft: &Draft) -> Vec<Shift> {
    let before = whole(on.task.store(), &on.guest_ref.cluster, on.guest).into_owned();
    let mut after = before.clone();
    match on.task.deed {
        Deed::GuestClone => {
            return draft.made.iter().filter_map(|made| clone(on, made)).collect();
        }
        Deed::GuestStart => after.status = GuestStatus::Running,
        Deed::GuestMigrate => after.node = NodeName::from(on.task.argument("target")),
        Deed::GuestResources => resources(on, &mut after),
        Deed::GuestTags => {
            let call = draft.steps.first().map(|step| &step.call);
            let tags = call.and_then(|call| call.params.iter().find(|(name, _)| &**name == "tags"));
            let tags = tags.map_or("", |(_, tags)| tags);
            after.tags = tags
                .split(';')
                .filter(|tag| !tag.is_empty())
                .map(Into::into)
                .collect();
        }
        Deed::DiskResize => {
            let key = on.task.argument("disk");
            let old = on
                .disks()
                .into_iter()
                .find(|disk| disk.key == key)
                .and_then(|disk| disk.size.and_then(bytes));
            let wanted = on.task.argument("size");
            let more = match (bytes(wanted), old) {
                (Some(more), _) if wanted.starts_with('+') => more,
                (Some(new), Some(old)) => new.saturating_sub(old),
                _ => 0,
            };
            after.max_disk = Some(after.max_disk.unwrap_or_default().saturating_add(more));
        }
        _ => return Vec::new(),
    }
    vec![Shift {
        cluster: on.guest_ref.cluster.clone(),
        before: Some(before),
        after: Some(after),
    }]
}

/// The guest with all of its disks where its configuration is known: the inventory tells of the first alone.
fn whole<'a>(store: &Store, cluster: &ClusterId, guest: &'a Guest) -> Cow<'a, Guest> {
    let reference = GuestRef {
        cluster: cluster.clone(),
        vmid: guest.vmid,
    };
    let disks = store.guest_config(&reference).map(GuestConfig::disks);
    let disks = disks
        .into_iter()
        .flatten()
        .filter(|disk| !disk.cdrom && disk.storage.is_some());
    let all = disks
        .filter_map(|disk| bytes(disk.size?))
        .fold(0, u64::saturating_add);
    if all <= guest.max_disk.unwrap_or_default() {
        return Cow::Borrowed(guest);
    }
    Cow::Owned(Guest {
        max_disk: Some(all),
        ..guest.clone()
    })
}

fn clone(on: &On<'_>, made: &ObjectRef) -> Option<Shift> {
    let ObjectRef::Guest(new) = made else { return None };
    let given = |name: &str| Some(on.task.argument(name)).filter(|value| !value.is_empty());
    Some(Shift {
        cluster: new.cluster.clone(),
        before: None,
        after: Some(Guest {
            vmid: new.vmid,
            node: given("target").map_or_else(|| on.guest.node.clone(), NodeName::from),
            pool: given("pool").map(Into::into),
            status: GuestStatus::Stopped,
            template: false,
            ..whole(on.task.store(), &on.guest_ref.cluster, on.guest).into_owned()
        }),
    })
}

fn resources(on: &On<'_>, after: &mut Guest) {
    let number = |key: &str| on.task.argument(key).parse::<u64>().ok();
    if let Some(memory) = number("memory") {
        after.max_mem = Some(memory * MIB);
    }
    let now = |key: &str| {
        on.former(key, Some("1"))
            .and_then(|value| value.parse::<u64>().ok())
    };
    if number("cores").is_some() || number("sockets").is_some() {
        let cores = number("cores").or_else(|| now("cores")).unwrap_or(1);
        let sockets = number("sockets").or_else(|| now("sockets")).unwrap_or(1);
        after.cpus = Some((cores * sockets) as f64);
    }
}

/// Looks at all shifts of a plan together.
///
/// # Errors
/// A quota would be passed.
pub(super) fn judge(shifts: &[Shift], scene: Scene<'_>) -> Result<Vec<Risk>, Refusal> {
    quotas(shifts, scene)?;
    let mut risks = nodes(shifts, scene);
    risks.extend(without_the_biggest(shifts, scene));
    Ok(risks)
}

fn quotas(shifts: &[Shift], scene: Scene<'_>) -> Result<(), Refusal> {
    for quota in &scene.rules.quotas {
        let side = |guest: fn(&Shift) -> Option<&Guest>| {
            let guests = shifts
                .iter()
                .filter_map(|shift| Some((&shift.cluster, guest(shift)?)));
            quota.used(guests)
        };
        let (before, after) = (
            side(|shift| shift.before.as_ref()),
            side(|shift| shift.after.as_ref()),
        );
        let covered = scene
            .store
            .guests()
            .filter(|(cluster, guest)| quota.covers(cluster, guest));
        let covered: Vec<_> = covered
            .map(|(cluster, guest)| (cluster, whole(scene.store, cluster, guest)))
            .collect();
        let used = quota.used(covered.iter().map(|(cluster, guest)| (*cluster, &**guest)));
        for (resource, limit) in &quota.limits {
            let of = |amount: Amount| amount.get(*resource);
            let would = of(used).saturating_sub(of(before)).saturating_add(of(after));
            if would > *limit && would > of(used) {
                let show = |amount: u64| match resource {
                    Resource::Memory | Resource::Disk => Bytes(amount).to_string(),
                    Resource::Guests | Resource::Cores => amount.to_string(),
                };
                return Err(Refusal::NotPossible(format!(
                    "quota {}: {resource} would be {} of {}, and {} are in use",
                    quota.name,
                    show(would),
                    show(*limit),
                    show(of(used)),
                )));
            }
        }
    }
    Ok(())
}

/// Memory that a guest takes from its node: its limit while it runs.
fn load(guest: Option<&Guest>) -> u64 {
    guest
        .filter(|guest| matches!(guest.status, GuestStatus::Running | GuestStatus::Paused))
        .and_then(|guest| guest.max_mem)
        .unwrap_or_default()
}

/// The nodes that would be nearly full, or more than full.
fn nodes(shifts: &[Shift], scene: Scene<'_>) -> Vec<Risk> {
    let mut more: BTreeMap<NodeRef, u64> = BTreeMap::new();
    for shift in shifts {
        let Some(after) = &shift.after else { continue };
        let stays = shift.before.as_ref().filter(|before| before.node == after.node);
        let grown = load(Some(after)).saturating_sub(load(stays));
        if grown > 0 {
            let node = NodeRef {
                cluster: shift.cluster.clone(),
                node: after.node.clone(),
            };
            *more.entry(node).or_default() += grown;
        }
    }
    more.into_iter()
        .filter_map(|(node, grown)| {
            let known = scene.store.node(&node)?;
            let (used, total) = known.mem.zip(known.max_mem).filter(|(_, total)| *total > 0)?;
            let share = used.saturating_add(grown) as f64 / total as f64;
            let weight = if share > 1.0 {
                Weight::Danger
            } else if share >= NEARLY_FULL {
                Weight::Warning
            } else {
                return None;
            };
            let text = format!("{} would reach {} memory", node.node, percent(share));
            Some(Risk::new(weight, text))
        })
        .collect()
}

/// Whether the others could still carry everything if the biggest node failed, where the plan makes it worse.
fn without_the_biggest(shifts: &[Shift], scene: Scene<'_>) -> Vec<Risk> {
    let mut grown: BTreeMap<&ClusterId, i128> = BTreeMap::new();
    for shift in shifts {
        *grown.entry(&shift.cluster).or_default() +=
            i128::from(load(shift.after.as_ref())) - i128::from(load(shift.before.as_ref()));
    }
    grown
        .into_iter()
        .filter(|(_, grown)| *grown > 0)
        .filter_map(|(cluster, grown)| {
            let online: Vec<_> = scene
                .store
                .nodes()
                .filter(|(of, node)| *of == cluster && node.status == NodeStatus::Online)
                .map(|(_, node)| node)
                .collect();
            let memory: Option<Vec<(u64, u64)>> =
                online.iter().map(|node| node.mem.zip(node.max_mem)).collect();
            let memory = memory.filter(|memory| memory.len() > 1)?;
            let used: u64 = memory.iter().map(|(used, _)| used).sum();
            let biggest = online.iter().max_by_key(|node| node.max_mem)?;
            let there: u64 = memory.iter().map(|(_, total)| total).sum::<u64>() - biggest.max_mem?;
            let needed = u64::try_from(i128::from(used) + grown).ok()?;
            (needed > there).then(|| {
                Risk::new(
                    Weight::Warning,
                    format!(
                        "if {} failed, the others could not carry everything: {} of memory would be needed, they have {}",
                        biggest.name,
                        Bytes(needed),
                        Bytes(there)
                    ),
                )
            })
        })
        .collect()
}
