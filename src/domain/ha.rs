//! Where HA lets its guests be: affinity rules (9) and groups (8).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ids::{NodeName, Vmid};

/// The rules that HA places guests by. Groups of 8 become rules of 9 that say the same; what is switched off is left
/// out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HaRules {
    /// Which nodes guests prefer, or may be on at all.
    pub nodes: Vec<NodeAffinity>,
    /// Which guests stay together, or apart.
    pub guests: Vec<GuestAffinity>,
    /// Guests that stay where they are although a node that they prefer is there again.
    pub stays: BTreeSet<Vmid>,
}

/// Nodes for some guests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeAffinity {
    /// The name of the rule or group.
    pub name: Box<str>,
    /// The guests that it is about.
    pub guests: BTreeSet<Vmid>,
    /// Nodes, each with its priority; the greatest is preferred.
    pub nodes: Vec<(NodeName, u32)>,
    /// Whether they may be nowhere else.
    pub strict: bool,
}

/// Guests that belong together, or that must not meet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuestAffinity {
    /// The name of the rule.
    pub name: Box<str>,
    /// The guests that it is about.
    pub guests: BTreeSet<Vmid>,
    /// On one node, or each on another.
    pub together: bool,
}
