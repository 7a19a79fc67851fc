//! Where the guests of an interrupted run are by now.
//!
//! What always holds here: only steps that were never sent are made anew; what was sent is looked up where it went.

use super::{
    Proof,
    journal::{Progress, Run},
};
use crate::{domain::ObjectRef, store::Store};

/// Leads the open steps of a run to where their guests are now. Says what moved.
///
/// # Errors
/// A guest is gone, or is not what it was.
pub fn relocate(run: &mut Run, store: &Store) -> Result<Vec<String>, String> {
    let open: Vec<usize> = (0..run.plan.steps.len())
        .filter(|step| run.progress(*step) == Progress::Open)
        .collect();
    let mut moved = Vec::new();
    for index in open {
        let step = &mut run.plan.steps[index];
        let ObjectRef::Guest(guest) = &step.subject else {
            continue;
        };
        let Some(now) = store.guest(guest) else {
            // What could not be read is not gone.
            if store
                .cluster(&guest.cluster)
                .is_none_or(|known| known.guests().is_empty())
            {
                continue;
            }
            return Err(format!("{} is gone from {}", step.title, guest.cluster));
        };
        let vmid = now.vmid.to_string();
        let leads =
            |path: &[Box<str>]| matches!(path, [nodes, _, _, id, ..] if &**nodes == "nodes" && **id == *vmid);
        if !leads(&step.call.segments) {
            continue;
        }
        if *step.call.segments[2] != *now.kind.as_str() {
            return Err(format!(
                "{} is another guest by now: VMID {vmid} is a {}",
                step.title, now.kind
            ));
        }
        if *step.call.segments[1] == *now.node.as_str() {
            continue;
        }
        moved.push(format!("{} is on {} now", step.title, now.node));
        step.call.segments[1] = now.node.as_str().into();
        if let Proof::Holds { read, .. } = &mut step.proof
            && leads(read)
        {
            read[1] = now.node.as_str().into();
        }
    }
    Ok(moved)
}
