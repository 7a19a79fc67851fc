//! What else there is of a guest: backups, replicas, and clones that live on its disks.

use super::{
    super::{Deed, Refusal, Risk, Weight},
    guest::On,
};
use crate::{
    domain::{
        GuestRef, NodeRef, StorageRef,
        quantity::long_span,
        storage::{Storage, Volume},
    },
    store::{Feed, Store},
};

/// The content type of backups.
const BACKUP: &str = "backup";

/// The storages that may hold a guest's backups, each as one node sees it: all look alike from everywhere.
fn backup_storages<'a>(store: &'a Store, guest: &'a GuestRef) -> impl Iterator<Item = &'a Storage> + use<'a> {
    let node = store.guest(guest).map(|guest| &guest.node);
    store
        .storages()
        .filter(move |(cluster, storage)| {
            **cluster == guest.cluster
                && Some(&storage.node) == node
                && storage.content.iter().any(|content| &**content == BACKUP)
        })
        .map(|(_, storage)| storage)
}

/// The feeds that tell of a guest's backups.
pub(in super::super) fn backup_feeds(store: &Store, guest: &GuestRef) -> Vec<Feed> {
    backup_storages(store, guest)
        .map(|storage| {
            // A shared storage is read once for all guests, through the first node that sees it.
            let node = if storage.shared {
                let first = store
                    .storages()
                    .find(|(cluster, other)| **cluster == guest.cluster && other.name == storage.name);
                first.map_or_else(|| storage.node.clone(), |(_, other)| other.node.clone())
            } else {
                storage.node.clone()
            };
            Feed::StorageContent(node, storage.name.clone())
        })
        .collect()
}

/// The content of a storage, read through whichever node.
fn content<'a>(store: &'a Store, guest: &GuestRef, storage: &Storage) -> Option<&'a [Volume]> {
    let through = |node| {
        store.storage_content(&StorageRef {
            cluster: guest.cluster.clone(),
            node,
            storage: storage.name.clone(),
        })
    };
    through(storage.node.clone()).or_else(|| {
        let mut others = store.storages().filter(|(cluster, other)| {
            storage.shared && **cluster == guest.cluster && other.name == storage.name
        });
        others.find_map(|(_, other)| through(other.node.clone()))
    })
}

/// What is said of a guest's last backup before something of it may be lost.
pub(super) fn backup(on: &On<'_>) -> Risk {
    let (store, scene) = (on.task.store(), on.task.scene);
    let title = &on.title;
    let mut newest = None;
    let mut unread: Vec<&str> = Vec::new();
    let mut storages = 0;
    for storage in backup_storages(store, on.guest_ref) {
        storages += 1;
        match content(store, on.guest_ref, storage) {
            None => unread.push(storage.name.as_str()),
            Some(volumes) => {
                let own = volumes
                    .iter()
                    .filter(|volume| volume.vmid == Some(on.guest.vmid) && &*volume.content == BACKUP);
                newest = newest.max(own.filter_map(|volume| volume.time).max());
            }
        }
    }
    let deletes = on.task.deed == Deed::GuestDelete;
    match newest {
        Some(time) => {
            let age = scene.now.duration_since(time);
            let old = long_span(age.as_secs());
            let weight = if age > scene.rules.backup_age {
                Weight::Warning
            } else {
                Weight::Note
            };
            Risk::new(weight, format!("the last backup of {title} is {old} old"))
        }
        // A sign-in that sees no storage knows nothing of backups.
        None if !unread.is_empty() || (storages == 0 && store.storages().next().is_none()) => Risk::new(
            Weight::Warning,
            format!(
                "whether there is a backup of {title} is not known{}",
                if unread.is_empty() {
                    String::new()
                } else {
                    format!(": {} could not be read", unread.join(", "))
                }
            ),
        ),
        None if deletes => Risk::new(
            Weight::Danger,
            format!("there is no backup of {title}: this is its last copy"),
        ),
        None => Risk::new(Weight::Danger, format!("there is no backup of {title}")),
    }
}

/// Whether a deed can lose what only a backup brings back.
pub(in super::super) fn may_lose(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::GuestDelete | Deed::SnapshotRollback | Deed::DiskMove | Deed::DiskResize | Deed::GuestTemplate
    )
}

/// Whether no job makes backups of a guest that may lose something.
pub(super) fn in_no_job(on: &On<'_>) -> Option<Risk> {
    let guests = on.task.store().cluster(&on.guest_ref.cluster)?.not_backed_up()?;
    let alone = may_lose(on.task.deed) && guests.contains(&on.guest.vmid);
    alone.then(|| Risk::new(Weight::Warning, format!("{} is in no backup job", on.title)))
}

/// The guests whose disks live on those of this one, as far as is known.
pub(super) fn clones(on: &On<'_>) -> Vec<String> {
    let base = format!("base-{}-", on.guest.vmid);
    let on_it = |volume: &str| {
        // `local:104/base-104-disk-0.qcow2/105/vm-105-disk-0.qcow2`, `ceph:base-104-disk-0/vm-105-disk-0`
        volume
            .split_once(&base)
            .is_some_and(|(_, rest)| rest.contains('/'))
    };
    let store = on.task.store();
    let mut clones: Vec<String> = on
        .disks()
        .into_iter()
        .filter_map(|disk| on.storage(&disk.storage?))
        .filter_map(|storage| content(store, on.guest_ref, storage))
        .flatten()
        .filter(|volume| on_it(&volume.volid))
        .filter_map(|volume| volume.vmid)
        .filter(|vmid| *vmid != on.guest.vmid)
        .map(|vmid| vmid.to_string())
        .collect();
    let others = store
        .guests()
        .filter(|(cluster, guest)| **cluster == on.guest_ref.cluster && guest.vmid != on.guest.vmid);
    for (cluster, guest) in others {
        let other = GuestRef {
            cluster: cluster.clone(),
            vmid: guest.vmid,
        };
        let config = store.guest_config(&other);
        if config.is_some_and(|config| config.disks().iter().any(|disk| on_it(disk.volume))) {
            clones.push(guest.vmid.to_string());
        }
    }
    clones.sort();
    clones.dedup();
    clones
}

/// The nodes that the guest is replicated to, as far as is known.
pub(super) fn replicas(on: &On<'_>) -> Vec<String> {
    let node = NodeRef {
        cluster: on.guest_ref.cluster.clone(),
        node: on.guest.node.clone(),
    };
    on.task
        .store()
        .node_replication(&node)
        .unwrap_or_default()
        .iter()
        .filter(|job| job.guest == on.guest.vmid)
        .map(|job| job.target.to_string())
        .collect()
}

/// Refuses to delete what others need.
pub(super) fn nobody_needs_it(on: &On<'_>) -> Result<(), Refusal> {
    let clones = clones(on);
    if !clones.is_empty() {
        return Err(on.not_possible(&format!(
            "has linked clones that live on its disks: {}",
            clones.join(", ")
        )));
    }
    let replicas = replicas(on);
    if !replicas.is_empty() && !on.task.flag("purge") {
        return Err(on.not_possible(&format!(
            "is replicated to {}; purge removes that too",
            replicas.join(", ")
        )));
    }
    Ok(())
}
