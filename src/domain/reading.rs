//! Readings of the last half hour, as `/cluster/metrics/export` gives them for a whole cluster at once.

use super::{NodeName, StorageName, Vmid, metric::Sample};

/// Of what a reading is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReadingOf {
    /// A node.
    Node(NodeName),
    /// A guest.
    Guest(Vmid),
    /// A storage as a node sees it.
    Storage(NodeName, StorageName),
}

/// One reading.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// Of what.
    pub of: ReadingOf,
    /// Which: `cpu_current` (a fraction), `mem_used`, `disk_used` (bytes), `net_in` (bytes since the start)… Foreign text.
    pub metric: Box<str>,
    /// Whether it only grows, so that its rate is what matters: see [`super::rate`].
    pub counts: bool,
    /// When and what.
    pub sample: Sample,
}
