//! The whole inventory of a cluster as one answer of `/cluster/resources` gives it.

use serde::{Deserialize, Serialize};

use super::{
    cluster::{Pool, SdnZone},
    guest::Guest,
    ids::{NodeName, StorageName},
    node::{Node, NodeStatus},
    storage::{Storage, StorageStatus},
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

impl Inventory {
    /// The storages that hold backups, each with the node through which it is read: a shared one once, through the
    /// first online node by name. What cannot be read anywhere is left out.
    pub fn backup_storages(&self) -> Vec<(NodeName, StorageName)> {
        let online = |name: &NodeName| {
            self.nodes
                .iter()
                .any(|node| node.name == *name && node.status == NodeStatus::Online)
        };
        let mut found: Vec<&Storage> = self
            .storages
            .iter()
            .filter(|storage| storage.content.iter().any(|content| &**content == "backup"))
            .filter(|storage| storage.status != StorageStatus::Unavailable && online(&storage.node))
            .collect();
        found.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
        found.dedup_by(|later, earlier| later.shared && earlier.shared && later.name == earlier.name);
        found
            .into_iter()
            .map(|storage| (storage.node.clone(), storage.name.clone()))
            .collect()
    }
}
