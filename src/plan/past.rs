//! What earlier runs did that a plan may take back.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    Deed, Plan,
    journal::{End, Progress, Run},
    runner::Outcome,
    runs::{Record, StepState},
};
use crate::domain::{NodeName, NodeRef, ObjectRef, Vmid};

/// Evacuations of one node that are no further apart than this are one: the first was interrupted, or something was
/// left over.
const ONE: SignedDuration = SignedDuration::from_hours(24);

/// The last evacuation of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evacuation {
    /// The node that was left.
    pub node: NodeRef,
    /// When its first run was begun.
    pub begun: Option<Timestamp>,
    /// What was moved, in the order in which it was moved.
    pub moved: Vec<Moved>,
}

/// A guest that an evacuation moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Which one.
    pub vmid: Vmid,
    /// Where it went.
    pub to: NodeName,
    /// Whether its local disks were copied.
    pub with_local_disks: bool,
    /// Whether it is known to have gone there; otherwise it may have.
    pub certain: bool,
}

/// What a run did, as far as that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account<'a> {
    /// What was to be done.
    pub plan: &'a Plan,
    /// When it was begun.
    pub begun: Option<Timestamp>,
    /// What became of its steps.
    pub fates: Vec<Fate>,
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was not begun, or failed.
    NotDone,
    /// It was begun, and nobody knows more.
    Perhaps,
    /// It is done.
    Done,
}

impl<'a> From<&'a Run> for Account<'a> {
    fn from(run: &'a Run) -> Self {
        let fate = |step| match run.progress(step) {
            Progress::Open | Progress::Ended(End::Failed { .. }) => Fate::NotDone,
            Progress::Ended(End::Done { .. }) => Fate::Done,
            Progress::Sent(_) | Progress::Began(_) | Progress::Runs(_) => Fate::Perhaps,
        };
        Self {
            plan: &run.plan,
            begun: run.begun(),
            fates: (0..run.plan.steps.len()).map(fate).collect(),
        }
    }
}

impl<'a> From<&'a Record> for Account<'a> {
    fn from(record: &'a Record) -> Self {
        let fate = |state: &StepState| match state {
            StepState::Over(Outcome::Done(_), _) => Fate::Done,
            StepState::Waiting | StepState::Over(Outcome::Failed(_) | Outcome::Skipped, _) => Fate::NotDone,
            _ => Fate::Perhaps,
        };
        Self {
            plan: &record.plan,
            begun: Some(record.begun),
            fates: record.steps.iter().map(fate).collect(),
        }
    }
}

/// What there is to bring back, node by node: of each its last evacuation, unless everything came back since. The
/// newest run comes first.
pub fn evacuations<'a>(runs: impl IntoIterator<Item = Account<'a>>) -> Vec<Evacuation> {
    let mut found: Vec<Evacuation> = Vec::new();
    let mut over: BTreeSet<NodeRef> = BTreeSet::new();
    for run in runs {
        let deed = Deed::from_name(&run.plan.deed);
        if deed == Some(Deed::NodeRestore) && run.fates.iter().all(|fate| *fate == Fate::Done) {
            over.extend(run.plan.steps.iter().filter_map(|step| {
                let target = step.call.params.iter().find(|(name, _)| &**name == "target")?;
                Some(NodeRef {
                    cluster: step.cluster.clone(),
                    node: NodeName::from(&*target.1),
                })
            }));
        }
        if deed != Some(Deed::NodeEvacuate) {
            continue;
        }
        for (node, moved) in moves(&run) {
            if over.contains(&node) {
                continue;
            }
            match found.iter_mut().find(|known| known.node == node) {
                None => found.push(Evacuation {
                    node,
                    begun: run.begun,
                    moved,
                }),
                Some(later) => {
                    let near = later.begun.zip(run.begun);
                    if near.is_none_or(|(later, earlier)| later.duration_since(earlier) > ONE) {
                        over.insert(node);
                        continue;
                    }
                    let known: BTreeSet<Vmid> = later.moved.iter().map(|moved| moved.vmid).collect();
                    later.begun = run.begun;
                    let earlier = moved.into_iter().filter(|moved| !known.contains(&moved.vmid));
                    later.moved.splice(0..0, earlier);
                }
            }
        }
    }
    found
}

/// What a run moved away, by the node that it was on.
fn moves(run: &Account<'_>) -> Vec<(NodeRef, Vec<Moved>)> {
    let mut all: Vec<(NodeRef, Vec<Moved>)> = Vec::new();
    for (step, fate) in run.plan.steps.iter().zip(&run.fates) {
        if *fate == Fate::NotDone {
            continue;
        }
        let param = |wanted: &str| {
            let found = step.call.params.iter().find(|(name, _)| &**name == wanted);
            found.map(|(_, value)| &**value)
        };
        let (ObjectRef::Guest(guest), Some(from), Some(to)) =
            (&step.subject, step.call.segments.get(1), param("target"))
        else {
            continue;
        };
        let node = NodeRef {
            cluster: step.cluster.clone(),
            node: NodeName::from(&**from),
        };
        let moved = Moved {
            vmid: guest.vmid,
            to: NodeName::from(to),
            with_local_disks: param("with-local-disks") == Some("1"),
            certain: *fate == Fate::Done,
        };
        match all.iter_mut().find(|(known, _)| *known == node) {
            Some((_, list)) => list.push(moved),
            None => all.push((node, vec![moved])),
        }
    }
    all
}
