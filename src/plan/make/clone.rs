//! Copies of a guest.

use super::{
    super::{Deed, Refusal, Risk, Weight, calls},
    Back, Draft,
    guest::On,
};
use crate::domain::{ClusterId, GuestKind, GuestRef, NodeName, NodeRef, NodeStatus, ObjectRef, Vmid};
use crate::store::Store;

/// The first VMID that Proxmox gives to guests.
const FIRST: u32 = 100;

/// The first VMID that no guest of the cluster has, as far as is known: nothing reserves it.
pub(in super::super) fn free_vmid(store: &Store, cluster: &ClusterId) -> Vmid {
    let taken = |vmid: Vmid| {
        store
            .cluster(cluster)
            .is_some_and(|known| known.guest(vmid).is_some())
    };
    let mut vmid = Vmid(FIRST);
    while taken(vmid) {
        vmid.0 += 1;
    }
    vmid
}

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    possible(on)?;
    let count: usize = on.task.argument("count").parse().unwrap_or(1);
    let vmids = new_vmids(on, count)?;
    let name = on.task.argument("name");
    let mut draft = Draft::default();
    for (index, vmid) in vmids.into_iter().enumerate() {
        let mut call = calls::clone(on.at(), vmid);
        if !name.is_empty() {
            let own = if count > 1 {
                format!("{name}-{}", index + 1)
            } else {
                name.to_owned()
            };
            draft.risks.extend(name_in_use(on, &own));
            let parameter = match on.guest.kind {
                GuestKind::Qemu => "name",
                GuestKind::Lxc => "hostname",
            };
            call = call.with(parameter, &own);
        }
        for (argument, parameter) in [
            ("full", "full"),
            ("target", "target"),
            ("storage", "storage"),
            ("pool", "pool"),
            ("snapshot", "snapname"),
            ("description", "description"),
        ] {
            let value = on.task.argument(argument);
            if !value.is_empty() {
                call = call.with(parameter, value);
            }
        }
        let mut step = on
            .task
            .step(&format!("{} to {vmid}", on.title), call, on.task_of("clone", &[]));
        // One after the other: the server holds the source while it copies, and a lost answer can then be told from
        // that of the clone before it.
        step.needs = index.checked_sub(1).into_iter().collect();
        draft.steps.push(step);
        draft.made.push(ObjectRef::Guest(GuestRef {
            cluster: on.guest_ref.cluster.clone(),
            vmid,
        }));
    }
    draft.back = Some(Back::plain(Deed::GuestDelete));
    Ok(draft)
}

fn possible(on: &On<'_>) -> Result<(), Refusal> {
    let argument = |name: &str| on.task.argument(name);
    let linked = !on.full_clone();
    if linked && !on.guest.template && argument("snapshot").is_empty() {
        return Err(on.not_possible("is no template: only a template shares its disks with a clone"));
    }
    if linked && !argument("storage").is_empty() {
        return Err(Refusal::Argument(
            "`storage` goes with a full clone only: a linked one stays where its template is".to_owned(),
        ));
    }
    let container = on.guest.kind == GuestKind::Lxc;
    if container && on.runs() && !linked && argument("snapshot").is_empty() {
        return Err(on.not_possible("is a running container: shut it down, or clone one of its snapshots"));
    }
    let snapshot = argument("snapshot");
    let unknown = on
        .snapshots()
        .is_some_and(|known| !known.iter().any(|one| &*one.name == snapshot));
    if !snapshot.is_empty() && unknown {
        return Err(Refusal::NotFound(format!(
            "{} has no snapshot `{snapshot}`",
            on.title
        )));
    }
    let target = argument("target");
    if !target.is_empty() && target != on.guest.node.as_str() {
        elsewhere(on, target)?;
    }
    let pool = argument("pool");
    let cluster = &on.guest_ref.cluster;
    let known = on
        .task
        .store()
        .pools()
        .any(|(of, known)| of == cluster && &*known.name == pool);
    if !pool.is_empty() && !known {
        return Err(Refusal::NotFound(format!("there is no pool {pool} in {cluster}")));
    }
    Ok(())
}

/// Another node can only write the configuration: the disks have to be there already.
fn elsewhere(on: &On<'_>, target: &str) -> Result<(), Refusal> {
    let cluster = &on.guest_ref.cluster;
    let node = NodeRef {
        cluster: cluster.clone(),
        node: NodeName::from(target),
    };
    match on.task.store().node(&node) {
        None => {
            return Err(Refusal::NotFound(format!(
                "there is no node {target} in {cluster}"
            )));
        }
        Some(node) if node.status != NodeStatus::Online => {
            return Err(Refusal::NotPossible(format!("{target} is {}", node.status)));
        }
        Some(_) => {}
    }
    let chosen = on.task.argument("storage");
    let local = if chosen.is_empty() {
        on.disks()
            .into_iter()
            .filter(|disk| !disk.cdrom)
            .filter_map(|disk| disk.storage)
            .find(|storage| on.storage(storage).is_some_and(|storage| !storage.shared))
    } else {
        let chosen = chosen.into();
        on.storage(&chosen)
            .is_some_and(|storage| !storage.shared)
            .then_some(chosen)
    };
    match local {
        Some(storage) => Err(on.not_possible(&format!(
            "cannot be cloned to {target}: {storage} is not shared; clone it here and migrate the clone"
        ))),
        None => Ok(()),
    }
}

/// As many VMIDs as clones, none of which the plan has given to another.
fn new_vmids(on: &On<'_>, count: usize) -> Result<Vec<Vmid>, Refusal> {
    let (store, cluster) = (on.task.store(), &on.guest_ref.cluster);
    let owner = |vmid: Vmid| store.cluster(cluster).and_then(|known| known.guest(vmid));
    let mut claimed = on.task.claimed.borrow_mut();
    let wanted = on.task.argument("newid").parse().ok().map(Vmid);
    if let Some(vmid) = wanted
        && let Some(owner) = owner(vmid)
    {
        return Err(Refusal::NotPossible(format!(
            "VMID {vmid} is taken by {}",
            owner.label()
        )));
    }
    let mut next = wanted.unwrap_or_else(|| free_vmid(store, cluster));
    let mut vmids = Vec::new();
    while vmids.len() < count {
        if owner(next).is_none() && claimed.insert((cluster.clone(), next)) {
            vmids.push(next);
        }
        next.0 += 1;
    }
    Ok(vmids)
}

/// Proxmox does not mind two guests of one name; people do.
pub(super) fn name_in_use(on: &On<'_>, name: &str) -> Option<Risk> {
    let other = on
        .task
        .store()
        .cluster(&on.guest_ref.cluster)?
        .guests()
        .iter()
        .find(|guest| guest.name.as_deref() == Some(name) && guest.vmid != on.guest.vmid)?;
    Some(Risk::new(
        Weight::Warning,
        format!("the name {name} is in use by {}", other.vmid),
    ))
}
