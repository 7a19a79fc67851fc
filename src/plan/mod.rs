//! Plans: what a deed would do, before it is done.
//!
//! What always holds here:
//! - A plan is made by a pure function of deed, targets, arguments and [`Scene`] ([`make`]): no I/O, no clock.
//!   [`needs`] says what has to be read for it to be complete, [`offers`] what an argument may be.
//! - Its steps hold the exact calls in their order. What is shown, printed, sent and journaled is the same value.
//! - What cannot be done is refused with the reason before the first call.

pub mod calls;
pub mod journal;
mod make;
mod needs;
mod offers;
pub mod past;
mod placement;
pub mod print;
mod relocate;
pub mod runner;
pub mod runs;
mod scene;
pub mod server_calls;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::actions::deed::{Argument, DEEDS, Danger, Deed, Kind};
use crate::domain::{Call, ClusterId, ObjectRef};
pub use make::{availability, kind_of, make, one_of, value_fits};
pub use needs::needs;
pub use offers::{Offer, lacking, offers};
pub use relocate::relocate;
pub use scene::{Rules, Scene};

/// Names and values.
pub type Arguments = BTreeMap<String, String>;

/// What somebody wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Which deed.
    pub deed: Deed,
    /// To what.
    pub targets: Vec<ObjectRef>,
    /// With which arguments.
    pub arguments: Arguments,
    /// The run that it takes back.
    pub undoes: Option<runs::Ticket>,
}

/// What would be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The stable name of its deed.
    pub deed: Box<str>,
    /// `Shut down 104 web-01`. Names in it are foreign text.
    pub title: String,
    /// What it takes before it is run.
    #[serde(default)]
    pub danger: Danger,
    /// What is typed where the name has to be typed: the name of its one object, or how many there are.
    #[serde(default)]
    pub word: String,
    /// What is called, in this order.
    pub steps: Vec<Step>,
    /// What one should know before.
    pub risks: Vec<Risk>,
    /// What takes it back, if the world allows it.
    #[serde(default)]
    pub way_back: Option<WayBack>,
}

/// A deed that takes another back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WayBack {
    /// The stable name of the deed.
    pub deed: Box<str>,
    /// To what it is done.
    pub targets: Vec<ObjectRef>,
    /// Its arguments.
    pub arguments: Arguments,
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
    /// How its end is known.
    pub proof: Proof,
    /// The earlier steps that must be done before it is begun.
    #[serde(default)]
    pub needs: Vec<usize>,
}

/// How the end of a step is known; where its answer was lost, also what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Proof {
    /// It begins a task of one of these worker types, and is over with it.
    Task {
        /// Worker types. By them a task is found again whose UPID was lost on the way.
        kinds: Vec<Box<str>>,
        /// The id in its UPID: a VMID, the name of a service, or nothing.
        id: Box<str>,
    },
    /// It is done when its subject, a task, is over.
    TaskOver,
    /// It is done when it is answered. Whether it was done shows a read of this path: these values are there, `None`
    /// for those that are not.
    Holds {
        /// The path below `/api2/json` in its parts.
        read: Vec<Box<str>>,
        /// Properties of the object that is read.
        values: Vec<(Box<str>, Option<Box<str>>)>,
    },
    /// It is done when it is answered. Whether it was done shows a read of this list: a row with these values is there,
    /// or is not.
    Listed {
        /// The path below `/api2/json` in its parts; a last one that begins with `?` is a parameter.
        read: Vec<Box<str>>,
        /// What the row says.
        row: Vec<(Box<str>, Box<str>)>,
        /// Whether such a row is there afterwards, or is not.
        present: bool,
    },
    /// It begins a command inside a guest, and is over with it. Whether it was done shows a line of a file in there.
    Command {
        /// The file.
        file: Box<str>,
        /// What one of its lines holds that is no comment.
        part: Box<str>,
        /// Whether such a line is there afterwards, or is not.
        present: bool,
    },
    /// It is done when it is answered. Where the answer was lost, nothing tells.
    Nothing,
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

/// How a risk begins that names what is left out.
const LEFT_OUT: &str = "left out: ";

impl Risk {
    /// Something that the plan does not do although it was asked for, with the reason.
    pub fn left_out(what: impl std::fmt::Display) -> Self {
        Self::new(Weight::Warning, format!("{LEFT_OUT}{what}"))
    }

    /// What is left out and why, if that is what it says: a report of what was done says it as well.
    pub fn what_is_left_out(&self) -> Option<&str> {
        self.text.strip_prefix(LEFT_OUT)
    }

    /// A risk of this weight.
    pub fn new(weight: Weight, text: impl Into<String>) -> Self {
        Self {
            weight,
            text: text.into(),
        }
    }
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
