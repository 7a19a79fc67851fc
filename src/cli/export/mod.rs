//! `export metrics`: what the exporters do not know, for the textfile collector of `node_exporter`.
//!
//! What always holds here: a cluster that cannot be read is told as down, and nothing else is said about it; the file is
//! replaced as a whole or not at all.

mod facts;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::{
    connect::{Link, code_of_feed},
    exit::{Code, Failure, talk},
    get::findings::{self, Survey},
    output::print,
};
use crate::{
    clients::{Error, pve::request},
    domain::{Guest, Inventory, NodeStatus, StorageStatus, exposition::Exposition},
    store::FindingLimits,
};
use facts::{Backup, Facts, GuestFacts};

/// Reads all clusters and prints or writes what is known of them.
///
/// # Errors
/// The file cannot be written, or a cluster could not be read; what is known is written all the same.
pub(super) async fn metrics(
    links: Vec<Link>,
    output: Option<&Path>,
    limits: FindingLimits,
) -> Result<(), Failure> {
    let mut reads = JoinSet::new();
    for (index, link) in links.into_iter().enumerate() {
        let limits = limits.clone();
        reads.spawn(async move { (index, of_cluster(&link, limits).await) });
    }
    let mut clusters = reads.join_all().await;
    clusters.sort_by_key(|(index, _)| *index);
    let mut text = Exposition::default();
    let now = Timestamp::now();
    for (_, (facts, _)) in &clusters {
        facts.tell(now, &mut text);
    }
    facts::tell_of_the_export(now, &mut text);
    let text = text.to_string();
    match output {
        None => print(&text)?,
        Some(path) => replace(path, &text)
            .map_err(|error| Failure::new(Code::Failed, format!("{}: {error}", path.display())))?,
    }
    match clusters.iter().filter_map(|(_, (_, code))| *code).min() {
        Some(code) => Err(Failure::said(code)),
        None => Ok(()),
    }
}

/// Writes the file beside its place and puts it there at once: a collector never sees a part of it. It can be read by
/// all, because the collector runs as a user of its own; nothing in it is secret.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // What does not end in .prom is no business of the collector's.
    name.push(format!(".{}", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&beside);
    }
    written
}

async fn of_cluster(link: &Link, limits: FindingLimits) -> (Facts, Option<Code>) {
    let Survey {
        store,
        inventory,
        failed,
        code,
    } = findings::survey(link, limits).await;
    let mut facts = Facts::new(link.id.clone(), store, failed.is_none());
    let mut code = failed.map(|error| code_of_feed(error.kind)).or(code);
    if let Some(inventory) = inventory {
        let (guests, backups, not_backed_up) = tokio::join!(
            guests(link, &inventory),
            backups(link, &inventory),
            link.client.read(request::guests_not_backed_up()),
        );
        facts.guests = guests;
        facts.backups = backups;
        match not_backed_up {
            Ok(guests) => facts.not_backed_up = Some(guests.len()),
            Err(error) => {
                talk(format!(
                    "{}: guests without a backup job are not known: {error}",
                    link.id
                ));
                code = code.or(matches!(error, Error::NotAllowed { .. }).then_some(Code::NotAllowed));
            }
        }
    }
    (facts, code)
}

/// Snapshots of all guests, and of those that run what waits for their next start.
async fn guests(link: &Link, inventory: &Inventory) -> Vec<GuestFacts> {
    let mut reads = JoinSet::new();
    let online = |guest: &&Guest| {
        inventory
            .nodes
            .iter()
            .any(|node| node.name == guest.node && node.status == NodeStatus::Online)
    };
    for guest in inventory.guests.iter().filter(online).cloned() {
        let client = link.client.clone();
        reads.spawn(async move {
            let (node, kind, vmid) = (&guest.node, guest.kind, guest.vmid);
            let snapshots = client.guest_snapshots(node, kind, vmid).await.ok();
            let pending = if guest.uptime.is_some() {
                client.guest_pending(node, kind, vmid).await.ok()
            } else {
                None
            };
            GuestFacts {
                snapshots,
                reboot_required: pending.map(|changes| !changes.is_empty()),
                guest,
            }
        });
    }
    let mut all = reads.join_all().await;
    all.sort_by_key(|facts| facts.guest.vmid);
    let unread = all.iter().filter(|facts| facts.snapshots.is_none()).count();
    if unread > 0 {
        talk(format!(
            "{}: the snapshots of {unread} guests could not be read",
            link.id
        ));
    }
    all
}

/// The newest backup of each guest, from all storages that hold backups; a shared one is asked once.
async fn backups(link: &Link, inventory: &Inventory) -> Vec<Backup> {
    let mut reads = JoinSet::new();
    let mut asked = Vec::new();
    for storage in &inventory.storages {
        let holds = storage.content.iter().any(|content| &**content == "backup");
        let can = storage.status == StorageStatus::Available;
        let again = storage.shared && asked.contains(&&storage.name);
        if !holds || !can || again {
            continue;
        }
        asked.push(&storage.name);
        let client = link.client.clone();
        let (cluster, node, name) = (link.id.clone(), storage.node.clone(), storage.name.clone());
        reads.spawn(async move {
            match client.storage_content(&node, &name).await {
                Ok(content) => content,
                Err(error) => {
                    talk(format!(
                        "{cluster}: the backups on {node}/{name} are not known: {error}"
                    ));
                    Vec::new()
                }
            }
        });
    }
    let volumes = reads.join_all().await.into_iter().flatten();
    let mut newest: Vec<Backup> = volumes
        .filter(|volume| &*volume.content == "backup")
        .filter_map(|volume| {
            Some(Backup {
                vmid: volume.vmid?,
                at: volume.time?,
                size: volume.size,
            })
        })
        .collect();
    newest.sort_by_key(|backup| (backup.vmid, std::cmp::Reverse(backup.at)));
    newest.dedup_by_key(|backup| backup.vmid);
    newest
}
