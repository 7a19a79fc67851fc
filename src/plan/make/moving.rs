//! Whether a guest can leave its node, and where it may go.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{Proof, Step, calls::At, placement::Room},
    Task,
    guest::lacks,
};
use crate::{
    domain::{
        Call, Guest, GuestKind, GuestRef, GuestStatus, NodeName, NodeRef, ObjectRef, StorageRef,
        config::GuestConfig,
    },
    store::Cluster,
};

/// Names that one sentence bears.
const NAMES: usize = 8;

/// A guest that can leave its node.
pub(super) struct Mover<'a> {
    pub guest: &'a Guest,
    /// Anything but stopped.
    pub runs: bool,
    /// Memory that it needs on the other side, bytes: its limit while it runs, nothing while it does not.
    pub memory: u64,
    /// Its place in the startup order; what has none comes last.
    pub order: u32,
    /// Whether HA moves it.
    pub managed: bool,
    /// The nodes that it may go to; the greater, the more preferred.
    pub ranks: BTreeMap<NodeName, u32>,
    /// Its disks on local storage: they are copied.
    pub local: Vec<String>,
    /// Whether its configuration is not known.
    pub unread: bool,
}

/// `104 web-01`. Foreign text.
pub(super) fn named(guest: &Guest) -> String {
    format!("{} {}", guest.vmid, guest.label())
}

/// Some of many, and how many more there are.
pub(super) fn some(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let text = all[..all.len().min(NAMES)].join(", ");
    match all.len().saturating_sub(NAMES) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Whether HA looks after it.
pub(super) fn managed(guest: &Guest) -> bool {
    guest.ha_state.as_deref().is_some_and(|state| state != "ignored")
}

/// Where its path begins.
pub(super) fn at(guest: &Guest) -> At<'_> {
    At {
        node: &guest.node,
        kind: guest.kind,
        vmid: guest.vmid,
    }
}

/// A move of one guest.
pub(super) fn step(task: Task<'_>, guest: &Guest, title: String, call: Call) -> Step {
    let prefix = match guest.kind {
        GuestKind::Qemu => "qm",
        GuestKind::Lxc => "vz",
    };
    let cluster = task.target.cluster().clone();
    Step {
        subject: ObjectRef::Guest(GuestRef {
            cluster: cluster.clone(),
            vmid: guest.vmid,
        }),
        cluster,
        title,
        call,
        proof: Proof::Task {
            kinds: vec![format!("{prefix}migrate").into(), "hamigrate".into()],
            id: guest.vmid.to_string().into(),
        },
        needs: Vec::new(),
    }
}

/// What a guest's configuration says about moving it.
#[derive(Default)]
struct Ties {
    /// Why it cannot move at all.
    stuck: Option<String>,
    /// Disks on local storage.
    local: Vec<String>,
    /// Storages that have to be there on the other side.
    storages: BTreeSet<String>,
    order: Option<u32>,
}

/// The guest as something that can leave its node.
///
/// # Errors
/// Why it stays, behind its name: `is locked (backup)`.
pub(super) fn look<'a>(
    task: Task<'_>,
    from: &NodeRef,
    guest: &'a Guest,
    rooms: &[Room],
) -> Result<Mover<'a>, String> {
    let store = task.store();
    let cluster = store
        .cluster(&from.cluster)
        .ok_or("belongs to no known cluster")?;
    let runs = guest.status != GuestStatus::Stopped;
    if let Some(lock) = &guest.lock {
        return Err(format!("is locked ({lock})"));
    }
    if !runs && task.argument("stopped") == "skip" {
        return Err("is stopped, and stopped ones are to stay".to_owned());
    }
    if lacks(store, &from.cluster, guest, "VM.Migrate") {
        return Err(format!(
            "stays: this sign-in lacks VM.Migrate on /vms/{}",
            guest.vmid
        ));
    }
    if guest.ha_state.as_deref() == Some("error") {
        return Err("is in the HA state error: HA does nothing with it before that is cleared".to_owned());
    }
    let reference = GuestRef {
        cluster: from.cluster.clone(),
        vmid: guest.vmid,
    };
    let config = store.guest_config(&reference);
    let ties = config.map_or_else(Ties::default, |config| ties(task, guest, config));
    if let Some(why) = ties.stuck {
        return Err(why);
    }
    let copies = !ties.local.is_empty();
    if copies && guest.template {
        return Err(format!(
            "is a template on local storage ({}): linked clones may hang on it",
            ties.local.join(", ")
        ));
    }
    if copies && !task.flag("with-local-disks") {
        return Err(format!(
            "has disks on local storage ({}); `with-local-disks` copies them",
            ties.local.join(", ")
        ));
    }
    let mut ranks: BTreeMap<NodeName, u32> = rooms.iter().map(|room| (room.node.clone(), 0)).collect();
    ranks.retain(|node, _| {
        ties.storages
            .iter()
            .all(|storage| has_storage(cluster, node, storage))
    });
    let before: Vec<NodeName> = ranks.keys().cloned().collect();
    if let Some(said) = store.guest_migration(&reference) {
        if !said.local_resources.is_empty() {
            let devices = said.local_resources.join(", ");
            return Err(format!("uses devices of this node: {devices}"));
        }
        ranks.retain(|node, _| said.against(node.as_str()).is_none());
        if ranks.is_empty() && !before.is_empty() {
            let why = before
                .iter()
                .filter_map(|node| Some(format!("{node}: {}", said.against(node.as_str())?)));
            return Err(format!("may go nowhere ({})", some(why)));
        }
    }
    if ranks.is_empty() {
        let names: Vec<&str> = ties.storages.iter().map(String::as_str).collect();
        return Err(format!(
            "needs storage {}, which no other online node has",
            names.join(", ")
        ));
    }
    if runs && guest.kind == GuestKind::Qemu {
        // A replicated machine moves running only to where it is replicated.
        let jobs = store.node_replication(from).unwrap_or_default();
        let copies: BTreeSet<&NodeName> = jobs
            .iter()
            .filter(|job| job.guest == guest.vmid)
            .map(|job| &job.target)
            .collect();
        if !copies.is_empty() {
            ranks.retain(|node, _| copies.contains(node));
        }
        if ranks.is_empty() {
            return Err("is replicated, and no node that holds the replica is online".to_owned());
        }
    }
    let managed = managed(guest);
    if managed {
        prefer(cluster, guest, &mut ranks)?;
    }
    Ok(Mover {
        guest,
        runs,
        memory: if runs { guest.max_mem.unwrap_or(0) } else { 0 },
        order: ties.order.unwrap_or(u32::MAX),
        managed,
        ranks,
        local: ties.local,
        unread: config.is_none(),
    })
}

/// Whether a node has a storage of this name; where storages are not known, the server will say it.
fn has_storage(cluster: &Cluster, node: &NodeName, name: &str) -> bool {
    cluster.storage(node, &name.into()).is_some() || cluster.storages().is_empty()
}

/// What HA's node affinities leave of the nodes.
fn prefer(cluster: &Cluster, guest: &Guest, ranks: &mut BTreeMap<NodeName, u32>) -> Result<(), String> {
    let Some(rules) = cluster.ha_rules() else {
        return Ok(());
    };
    let Some(rule) = rules.nodes.iter().find(|rule| rule.guests.contains(&guest.vmid)) else {
        return Ok(());
    };
    // A node that the rule does not name comes after all that it names.
    let rank = |node: &NodeName| {
        let named = rule.nodes.iter().find(|(name, _)| name == node);
        named.map_or(0, |(_, priority)| priority.saturating_add(1))
    };
    for (node, value) in &mut *ranks {
        *value = rank(node);
    }
    if rule.strict {
        ranks.retain(|_, rank| *rank > 0);
        if ranks.is_empty() {
            return Err(format!(
                "may be on no other online node (HA rule {}, strict)",
                rule.name
            ));
        }
    }
    if rules.stays.contains(&guest.vmid) {
        return Ok(());
    }
    // It does not stay where a more preferred node is online: HA brings it there at once.
    let here = rank(&guest.node);
    let best = ranks.values().copied().max().unwrap_or(0);
    if here > best {
        return Err(format!(
            "would be brought back by HA at once, which prefers {} for it (rule {}); with `failback` off it stays away",
            guest.node, rule.name
        ));
    }
    ranks.retain(|_, rank| *rank == best);
    Ok(())
}

fn ties(task: Task<'_>, guest: &Guest, config: &GuestConfig) -> Ties {
    let mut ties = Ties {
        order: config.get("startup").and_then(startup_order),
        stuck: passed_through(guest, config),
        ..Ties::default()
    };
    for disk in config.disks() {
        let Some(storage) = &disk.storage else {
            let shared = disk.options.contains(&("shared", "1"));
            if disk.volume.starts_with('/') && !shared {
                ties.stuck = Some(format!("uses {} of this node ({})", disk.volume, disk.key));
            } else if disk.volume == "cdrom" {
                ties.stuck = Some(format!("uses the CD drive of this node ({})", disk.key));
            }
            continue;
        };
        let known = task.store().storage(&StorageRef {
            cluster: task.target.cluster().clone(),
            node: guest.node.clone(),
            storage: storage.clone(),
        });
        ties.storages.insert(storage.to_string());
        if known.is_none_or(|storage| storage.shared) {
            continue;
        }
        // A cloud-init image is made anew on the other side.
        let generated = disk.volume.contains("-cloudinit");
        if disk.cdrom && !generated {
            ties.stuck = Some(format!(
                "has an image of local storage in {} ({}): eject it",
                disk.key, disk.volume
            ));
        } else if !disk.cdrom {
            ties.local.push(format!(
                "{} on {storage}, {}",
                disk.key,
                disk.size.unwrap_or("size unknown")
            ));
        }
    }
    ties
}

/// Hardware of the node that a guest holds.
fn passed_through(guest: &Guest, config: &GuestConfig) -> Option<String> {
    let numbered = |key: &str, prefix: &str| {
        let rest = key.strip_prefix(prefix);
        rest.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let held = |(key, value): &&(Box<str>, Box<str>)| match guest.kind {
        GuestKind::Lxc => numbered(key, "dev"),
        GuestKind::Qemu => {
            numbered(key, "hostpci")
                || (numbered(key, "usb") && !value.starts_with("spice"))
                || (numbered(key, "serial") && !value.starts_with("socket"))
                || numbered(key, "parallel")
                || &**key == "ivshmem"
        }
    };
    let (key, value) = config.entries.iter().find(held)?;
    Some(format!("holds hardware of this node ({key}: {value})"))
}

/// `order=2,up=30`, or the number alone.
fn startup_order(text: &str) -> Option<u32> {
    text.split(',').find_map(|part| {
        let part = part.trim();
        part.strip_prefix("order=").unwrap_or(part).parse().ok()
    })
}
