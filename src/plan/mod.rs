//! Plans: what a deed would do, before it is done.
//!
//! What always holds here:
//! - A plan is made by a pure function of deed, targets, arguments and store ([`make`]): no I/O, no clock.
//! - Its steps hold the exact calls in their order. What is shown, printed, sent and journaled is the same value.
//! - What cannot be done is refused with the reason before the first call.

pub mod calls;
pub mod journal;
mod make;
pub mod print;
pub mod runner;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::actions::deed::{Argument, DEEDS, Danger, Deed};
use crate::domain::{Call, ClusterId, ObjectRef};
pub use make::{availability, make};

/// Names and values.
pub type Arguments = BTreeMap<String, String>;

/// What would be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The stable name of its deed.
    pub deed: Box<str>,
    /// `Shut down 104 web-01`. Names in it are foreign text.
    pub title: String,
    /// What is called, in this order.
    pub steps: Vec<Step>,
    /// What one should know before.
    pub risks: Vec<Risk>,
}

impl Plan {
    /// What it takes before it is run.
    pub fn danger(&self) -> Danger {
        Deed::from_name(&self.deed).map_or(Danger::TypeName, |deed| deed.row().danger)
    }
}

/// One call of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Where it is sent.
    pub cluster: ClusterId,
    /// What it is done to.
    pub subject: ObjectRef,
    /// `104 web-01`. Foreign text.
    pub title: String,
    /// The call.
    pub call: Call,
    /// Worker types of the task that it begins; empty if it is done when it is answered. By them a task is found
    /// again whose UPID was lost on the way.
    pub task_kinds: Vec<Box<str>>,
}

/// How much a risk weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Good to know.
    Note,
    /// Think of it.
    Warning,
    /// Something may be lost.
    Danger,
}

/// Something that one should know before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Risk {
    /// How much it weighs.
    pub weight: Weight,
    /// One sentence. Foreign text may be part of it.
    pub text: String,
}

/// Why there is no plan.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A target does not exist, or not any more.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as things are.
    #[error("{0}")]
    NotPossible(String),
    /// A privilege is missing.
    #[error("{0}")]
    NotAllowed(String),
    /// An argument is missing, unknown or out of range.
    #[error("{0}")]
    Argument(String),
}
