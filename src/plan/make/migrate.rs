//! Moving a guest to another node.

use std::collections::BTreeMap;

use super::{
    super::{Arguments, Deed, Refusal, Risk, Weight, calls},
    Back, Draft, copies,
    disk::bytes,
    guest::On,
};
use crate::domain::{
    GuestKind, NodeName, NodeRef, NodeStatus, Storage, StorageName, StorageRef,
    migration::{LocalDisk, Migration},
    quantity::Bytes,
};

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let target = on.task.argument("target");
    destination(on, target)?;
    let said = on.task.store().guest_migration(on.guest_ref);
    if let Some(said) = said {
        allowed(on, said, target)?;
    }
    let mut call = calls::migrate(on.at(), target, on.runs());
    if on.task.flag("with-local-disks") && on.guest.kind == GuestKind::Qemu {
        call = call.with("with-local-disks", "1");
    }
    let mut risks = Vec::new();
    if on.runs() && on.guest.kind == GuestKind::Lxc {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "{} is a running container: it is stopped here and started there",
                on.title
            ),
        ));
    }
    risks.extend(local_disks(on, target));
    risks.extend(said.map(|said| goes_along(on, said)).unwrap_or_default());
    risks.extend(tied(on));
    let replicas = copies::replicas(on);
    if !replicas.is_empty() {
        risks.push(Risk::new(
            Weight::Note,
            format!(
                "{} is replicated to {}: what is there already is not copied",
                on.title,
                replicas.join(", ")
            ),
        ));
    }
    let mut back = Arguments::from([("target".to_owned(), on.guest.node.to_string())]);
    if on.task.flag("with-local-disks") {
        back.insert("with-local-disks".to_owned(), "1".to_owned());
    }
    Ok(Draft {
        steps: vec![
            on.task
                .step(&on.title, call, on.task_of("migrate", &["hamigrate"])),
        ],
        risks,
        back: Some(Back {
            deed: Deed::GuestMigrate,
            arguments: back,
        }),
        ..Draft::default()
    })
}

fn destination(on: &On<'_>, target: &str) -> Result<(), Refusal> {
    let cluster = &on.guest_ref.cluster;
    let node = NodeRef {
        cluster: cluster.clone(),
        node: NodeName::from(target),
    };
    match on.task.store().node(&node) {
        None => Err(Refusal::NotFound(format!(
            "there is no node {target} in {cluster}"
        ))),
        Some(_) if on.guest.node.as_str() == target => {
            Err(on.not_possible(&format!("is on {target} already")))
        }
        Some(node) if node.status != NodeStatus::Online => {
            Err(Refusal::NotPossible(format!("{target} is {}", node.status)))
        }
        Some(_) => Ok(()),
    }
}

/// What the server itself says against the move.
fn allowed(on: &On<'_>, said: &Migration, target: &str) -> Result<(), Refusal> {
    if let Some(why) = said.against(target) {
        return Err(on.not_possible(&format!("cannot go to {target}: {why}")));
    }
    if !said.local_resources.is_empty() {
        let devices = said.local_resources.join(", ");
        return Err(on.not_possible(&format!("uses devices of {}: {devices}", on.guest.node)));
    }
    Ok(())
}

/// What goes along that its configuration does not show.
fn goes_along(on: &On<'_>, said: &Migration) -> Vec<Risk> {
    let mut risks = Vec::new();
    let disks = on.disks();
    let hidden = |disk: &&LocalDisk| !disk.cdrom && disks.iter().all(|known| known.volume != &*disk.volid);
    let volumes: Vec<String> = said
        .local_disks
        .iter()
        .filter(hidden)
        .map(|disk| match disk.size {
            Some(size) => format!("{} ({})", disk.volid, Bytes(size)),
            None => disk.volid.to_string(),
        })
        .collect();
    if !volumes.is_empty() {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "{} has local volumes that its configuration does not name, and they go along: {}",
                on.title,
                volumes.join(", ")
            ),
        ));
    }
    if !said.together.is_empty() {
        risks.push(Risk::new(
            Weight::Warning,
            format!("HA moves along with {}: {}", on.title, said.together.join(", ")),
        ));
    }
    risks
}

/// Bytes that a migration copies in a second, about: what a link of 1 Gbit/s carries.
const SPEED: u64 = 100 << 20;

/// A storage as the target sees it.
fn there<'a>(on: &On<'a>, target: &str, storage: &StorageName) -> Option<&'a Storage> {
    on.task.store().storage(&StorageRef {
        cluster: on.guest_ref.cluster.clone(),
        node: NodeName::from(target),
        storage: storage.clone(),
    })
}

/// What is copied, how long it takes, and whether it has a place on the other side. Without the configuration nothing
/// is known of it.
fn local_disks(on: &On<'_>, target: &str) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut sizes: BTreeMap<StorageName, u64> = BTreeMap::new();
    let (mut disks, mut total) = (Vec::new(), Some(0u64));
    for disk in on.disks().iter().filter(|disk| !disk.cdrom) {
        let Some(storage) = &disk.storage else { continue };
        if there(on, target, storage).is_none() {
            risks.push(Risk::new(
                Weight::Danger,
                format!(
                    "{target} has no storage {storage}, where `{}` of {} is",
                    disk.key, on.title
                ),
            ));
        }
        if on.storage(storage).is_none_or(|storage| storage.shared) {
            continue;
        }
        let size = disk.size.and_then(bytes);
        disks.push(format!("{} ({})", disk.key, disk.size.unwrap_or("size unknown")));
        total = total.zip(size).map(|(total, size)| total.saturating_add(size));
        *sizes.entry(storage.clone()).or_default() += size.unwrap_or_default();
    }
    if disks.is_empty() {
        return risks;
    }
    let how_much = total.map_or_else(String::new, |total| {
        let minutes = total.div_ceil(SPEED * 60).max(1);
        format!(": {}, about {minutes} min at 1 Gbit/s", Bytes(total))
    });
    risks.push(Risk::new(
        Weight::Warning,
        format!(
            "{} has disks on local storage that are copied: {}{how_much}",
            on.title,
            disks.join(", ")
        ),
    ));
    let needs_flag = on.runs() && on.guest.kind == GuestKind::Qemu && !on.task.flag("with-local-disks");
    if needs_flag {
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{} runs: the server moves local disks only with the argument with-local-disks",
                on.title
            ),
        ));
    }
    for (storage, size) in sizes {
        let room =
            there(on, target, &storage).and_then(|there| Some(there.total?.saturating_sub(there.used?)));
        if let Some(room) = room.filter(|room| *room < size) {
            risks.push(Risk::new(
                Weight::Danger,
                format!(
                    "{storage} on {target} has {} free, and {} are to be copied there",
                    Bytes(room),
                    Bytes(size)
                ),
            ));
        }
    }
    risks
}

/// What ties a guest to its node: devices of the host, and media that only this node has.
fn tied(on: &On<'_>) -> Vec<Risk> {
    let mut risks = Vec::new();
    let Some(config) = on.config() else { return risks };
    let devices: Vec<&str> = config
        .entries
        .iter()
        .filter(|(key, value)| {
            let numbered = |prefix: &str| {
                key.strip_prefix(prefix)
                    .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            };
            let of_host = numbered("hostpci") || (numbered("usb") && !value.starts_with("spice"));
            // What is mapped for the whole cluster may be there as well.
            (of_host && !value.contains("mapping=")) || (numbered("dev") && on.guest.kind == GuestKind::Lxc)
        })
        .map(|(key, _)| &**key)
        .collect();
    if !devices.is_empty() {
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{} uses devices of {}: {}; the server refuses to move it with them",
                on.title,
                on.guest.node,
                devices.join(", ")
            ),
        ));
    }
    for disk in on.disks().iter().filter(|disk| disk.cdrom) {
        let local = disk
            .storage
            .as_ref()
            .and_then(|storage| on.storage(storage))
            .is_some_and(|storage| !storage.shared);
        if local && !disk.volume.contains("cloudinit") {
            risks.push(Risk::new(
                Weight::Danger,
                format!(
                    "`{}` of {} holds {}, which only {} has: eject it first",
                    disk.key, on.title, disk.volume, on.guest.node
                ),
            ));
        }
    }
    risks
}
