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
    store::{Cluster, Feed, Store},
};

/// The feeds that tell of a guest's backups.
pub(in super::super) fn backup_feeds(store: &Store, guest: &GuestRef) -> Vec<Feed> {
    let cluster = store.cluster(&guest.cluster);
    cluster.into_iter().flat_map(Cluster::backup_feeds).collect()
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
    let cluster = store.cluster(&on.guest_ref.cluster);
    let newest = cluster
        .into_iter()
        .flat_map(|cluster| cluster.backups_of(on.guest.vmid))
        .filter(|backup| !backup.volume.is_bad())
        .find_map(|backup| backup.volume.time);
    let storages = cluster.map(Cluster::backup_storages).unwrap_or_default();
    let unread: Vec<&str> = storages
        .iter()
        .filter(|(node, storage)| cluster.is_none_or(|cluster| cluster.backups_on(node, storage).is_none()))
        .map(|(_, storage)| storage.as_str())
        .collect();
    // A sign-in that sees no storage knows nothing of backups.
    let blind = storages.is_empty() && store.storages().next().is_none();
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
        None if !unread.is_empty() || blind => Risk::new(
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
