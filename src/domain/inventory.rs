//! The whole inventory of a cluster as one answer of `/cluster/resources` gives it.

use serde::{Deserialize, Serialize};

use super::{
    cluster::{Pool, SdnZone},
    guest::Guest,
    node::Node,
    storage::Storage,
};

/// Everything in one cluster at one moment. Lists are in the server's order; identity is in the objects.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// Its guests.
    pub guests: Vec<Guest>,
    /// Its storages, one entry per node that sees one.
    pub storages: Vec<Storage>,
    /// Its pools.
    pub pools: Vec<Pool>,
    /// Its SDN zones and fabrics.
    pub zones: Vec<SdnZone>,
    /// Rows that could not be understood, with the reason: shown, never silently dropped.
    pub rejected: Vec<Box<str>>,
}
