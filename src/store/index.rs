//! Where in an inventory things are, so that a look-up among 10,000 guests is no search.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use crate::domain::{Guest, Inventory, NodeName, Vmid};

use super::details::StorageKey;

/// Where in the inventory things are.
#[derive(Default, Debug)]
pub(super) struct Index {
    pub(super) guests: HashMap<Vmid, u32>,
    pub(super) nodes: HashMap<NodeName, u32>,
    pub(super) storages: HashMap<StorageKey, u32>,
    pub(super) on_node: HashMap<NodeName, Vec<u32>>,
    pub(super) in_pool: HashMap<Arc<str>, Vec<u32>>,
}

impl Index {
    pub(super) fn rebuild_guests(&mut self, guests: &[Guest]) {
        self.guests.clear();
        self.on_node.clear();
        self.in_pool.clear();
        for (guest, at) in guests.iter().zip(0_u32..) {
            self.guests.insert(guest.vmid, at);
            list_under(&mut self.on_node, &guest.node, at);
            if let Some(pool) = &guest.pool {
                list_under(&mut self.in_pool, pool, at);
            }
        }
    }

    pub(super) fn rebuild_others(&mut self, inventory: &Inventory) {
        self.nodes = inventory
            .nodes
            .iter()
            .zip(0_u32..)
            .map(|(node, at)| (node.name.clone(), at))
            .collect();
        self.storages = inventory
            .storages
            .iter()
            .zip(0_u32..)
            .map(|(storage, at)| ((storage.node.clone(), storage.name.clone()), at))
            .collect();
    }
}

/// Without a clone of the key where it is known, which is nearly always.
fn list_under<K: Clone + Eq + Hash>(lists: &mut HashMap<K, Vec<u32>>, key: &K, at: u32) {
    if let Some(list) = lists.get_mut(key) {
        list.push(at);
    } else {
        lists.insert(key.clone(), vec![at]);
    }
}

/// Whether both lists hold the same guests in the same places, so that every index still fits.
pub(super) fn same_places(old: &[Guest], new: &[Guest]) -> bool {
    old.len() == new.len()
        && old
            .iter()
            .zip(new)
            .all(|(a, b)| a.vmid == b.vmid && a.node == b.node && a.pool == b.pool)
}
