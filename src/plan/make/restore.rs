//! Bringing back what the last evacuation of a node moved away.

use super::{
    super::{Refusal, Risk, Weight, calls, past::Moved},
    Draft, Task,
    guest::lacks,
    moving::{self, named, step},
};
use crate::{
    domain::{Guest, GuestKind, GuestStatus, NodeRef, quantity::Bytes},
    store::Cluster,
};

pub(super) fn draft(task: Task<'_>, target: &NodeRef) -> Result<Draft, Refusal> {
    let cluster = task
        .store()
        .cluster(&target.cluster)
        .ok_or_else(|| Refusal::NotFound(format!("there is no cluster {}", target.cluster)))?;
    let past = task
        .scene
        .past
        .iter()
        .find(|past| past.node == *target)
        .ok_or_else(|| {
            Refusal::NotPossible(format!(
                "the journal knows of no evacuation of {} that was not brought back",
                target.node
            ))
        })?;
    let mut steps = Vec::new();
    let mut risks = Vec::new();
    let mut restarted = Vec::new();
    let mut memory = 0_u64;
    // What left last comes back first: the others wait for what they were moved to make room for.
    for moved in past.moved.iter().rev() {
        let guest = match standing(task, target, cluster, moved) {
            Ok(Some(guest)) => guest,
            Ok(None) => continue,
            Err(why) => {
                risks.push(Risk::left_out(why));
                continue;
            }
        };
        let name = named(guest);
        let runs = guest.status != GuestStatus::Stopped;
        if guest.node != moved.to {
            let text = format!(
                "{name} was moved on from {} to {} since; it comes back all the same",
                moved.to, guest.node
            );
            risks.push(Risk::new(Weight::Note, text));
        }
        if runs {
            memory = memory.saturating_add(guest.max_mem.unwrap_or(0));
        }
        if runs && guest.kind == GuestKind::Lxc {
            restarted.push(name.clone());
        }
        let mut call = calls::migrate(moving::at(guest), target.node.as_str(), runs);
        if moved.with_local_disks && guest.kind == GuestKind::Qemu {
            call = call.with("with-local-disks", "1");
        }
        steps.push(step(task, guest, format!("{name} to {}", target.node), call));
    }
    if steps.is_empty() {
        let why = if risks.is_empty() {
            format!("all that was moved away from {} is back", target.node)
        } else {
            let lines: Vec<&str> = risks.iter().map(|risk| risk.text.as_str()).collect();
            format!(
                "nothing can be brought back to {}: {}",
                target.node,
                lines.join("; ")
            )
        };
        return Err(Refusal::NotPossible(why));
    }
    if !restarted.is_empty() {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "running containers are stopped there and started here: {}",
                moving::some(restarted.into_iter())
            ),
        ));
    }
    if let Some(node) = cluster.node(&target.node)
        && let (Some(total), used) = (node.max_mem, node.mem.unwrap_or(0))
        && used.saturating_add(memory) > total
    {
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{} would need up to {} of {} memory",
                target.node,
                Bytes(used.saturating_add(memory)),
                Bytes(total)
            ),
        ));
    }
    Ok(Draft {
        title: Some(format!("to {}", target.node)),
        steps,
        risks,
        ..Draft::default()
    })
}

/// The guest, if it is still elsewhere and can be moved.
///
/// # Errors
/// Why it is left where it is.
fn standing<'a>(
    task: Task<'_>,
    target: &NodeRef,
    cluster: &'a Cluster,
    moved: &Moved,
) -> Result<Option<&'a Guest>, String> {
    let guest = cluster
        .guest(moved.vmid)
        .ok_or_else(|| format!("{} does not exist any more", moved.vmid))?;
    let name = named(guest);
    if guest.node == target.node {
        return Ok(None);
    }
    if !moved.certain && guest.node != moved.to {
        return Err(format!(
            "{name} is on {}; it is not known that the evacuation moved it",
            guest.node
        ));
    }
    if let Some(lock) = &guest.lock {
        return Err(format!("{name} is locked ({lock})"));
    }
    if lacks(task.store(), &target.cluster, guest, "VM.Migrate") {
        return Err(format!(
            "{name}: this sign-in lacks VM.Migrate on /vms/{}",
            guest.vmid
        ));
    }
    Ok(Some(guest))
}
