//! What is asked about backups and their jobs.

use super::{Get, Sample};
use crate::{
    clients::{
        proxmox::tasks,
        pve::wire::{backup as wire, guests, storage},
    },
    domain::{
        BackupJob, GuestKind, NodeName, StorageName, Task, Vmid,
        backup_job::JobGuest,
        config::GuestConfig,
        retention::Retention,
        storage::{PruneMark, StorageDefinition, Volume},
    },
};

/// `/cluster/backup`: all jobs.
pub fn backup_jobs() -> Get<Vec<BackupJob>> {
    Get::new(&["cluster", "backup"], wire::jobs)
}

/// `/cluster/backup/{id}/included_volumes`.
pub fn job_guests(id: &str) -> Get<Vec<JobGuest>> {
    Get::new(&["cluster", "backup", id, "included_volumes"], wire::included)
}

/// `/storage`: what the configuration says of each.
pub fn storage_definitions() -> Get<Vec<StorageDefinition>> {
    Get::new(&["storage"], wire::definitions)
}

/// `/nodes/{node}/storage/{storage}/content`, the backups alone.
pub fn storage_backups(node: &NodeName, storage: &StorageName) -> Get<Vec<Volume>> {
    Get::new(
        &["nodes", node.as_str(), "storage", storage.as_str(), "content"],
        storage::content,
    )
    .with("content", &"backup")
}

/// `/nodes/{node}/storage/{storage}/content/{volume}`: one volume, with all its notes.
pub fn backup(node: &NodeName, storage: &StorageName, volid: &str) -> Get<GuestConfig> {
    Get::new(
        &[
            "nodes",
            node.as_str(),
            "storage",
            storage.as_str(),
            "content",
            volid,
        ],
        guests::config,
    )
}

/// `/cluster/backup/{id}`: one job.
pub fn backup_job(id: &str) -> Get<GuestConfig> {
    Get::new(&["cluster", "backup", id], guests::config)
}

/// `…/{vmid}/snapshot/{name}/config`.
pub fn snapshot_config(node: &NodeName, kind: GuestKind, vmid: Vmid, name: &str) -> Get<GuestConfig> {
    super::guest(node, kind, vmid, &["snapshot", name, "config"], guests::config)
}

/// `/nodes/{node}/storage/{storage}/prunebackups`: what a prune by these rules would do to the backups of a guest, or of
/// all. Nothing is done.
pub fn prune_preview(
    node: &NodeName,
    storage: &StorageName,
    rules: &Retention,
    vmid: Option<Vmid>,
) -> Get<Vec<(Box<str>, PruneMark)>> {
    let get = Get::new(
        &[
            "nodes",
            node.as_str(),
            "storage",
            storage.as_str(),
            "prunebackups",
        ],
        wire::prune,
    )
    .with("prune-backups", rules);
    match vmid {
        Some(vmid) => get.with("vmid", &vmid),
        None => get,
    }
}

/// `/nodes/{node}/tasks`: the newest backups that ran on a node, running ones included.
pub fn backup_tasks(node: &NodeName, limit: usize) -> Get<Vec<Task>> {
    Get::new(&["nodes", node.as_str(), "tasks"], tasks::list)
        .with("source", &"all")
        .with("typefilter", &"vzdump")
        .with("limit", &limit.max(1))
}

/// A sample of each.
pub(super) fn samples() -> Vec<Sample> {
    let (node, store) = (NodeName::from("pve1"), StorageName::from("local"));
    let keep: Retention = "keep-last=3,keep-daily=7".parse().unwrap_or_default();
    vec![
        backup_jobs().sample(),
        job_guests("nightly").sample(),
        storage_definitions().sample(),
        storage_backups(&node, &store).sample(),
        prune_preview(&node, &store, &keep, Some(Vmid(104))).sample(),
        prune_preview(&node, &store, &keep, None).sample(),
        backup_tasks(&node, 100).sample(),
        backup(
            &node,
            &store,
            "local:backup/vzdump-qemu-104-2026_11_20-02_00_00.vma.zst",
        )
        .sample(),
        backup_job("nightly").sample(),
        snapshot_config(&node, GuestKind::Qemu, Vmid(104), "before").sample(),
        snapshot_config(&node, GuestKind::Lxc, Vmid(104), "before").sample(),
    ]
}
