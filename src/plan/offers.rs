//! What an argument may be: completed from what exists.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{Arguments, Deed, Kind, Scene};
use crate::{
    domain::{NodeStatus, ObjectRef},
    store::{Feed, Store},
};

/// One value that an argument may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The value. Foreign text may be part of it.
    pub value: String,
    /// What to know about it.
    pub note: String,
}

fn offer(value: impl Into<String>, note: impl Into<String>) -> Offer {
    Offer {
        value: value.into(),
        note: note.into(),
    }
}

/// The values that an argument of a deed may have, the best first; empty where anything may be typed.
pub fn offers(
    deed: Deed,
    argument: &str,
    targets: &[ObjectRef],
    _given: &Arguments,
    scene: Scene<'_>,
) -> Vec<Offer> {
    let row = deed.row();
    let Some(argument) = row.arguments.iter().find(|known| known.name == argument) else {
        return Vec::new();
    };
    match argument.kind {
        Kind::Flag => vec![offer("1", "yes"), offer("0", "no")],
        Kind::Choice(words) => words.iter().map(|word| offer(*word, "")).collect(),
        Kind::Node => nodes(targets, scene.store),
        Kind::Snapshot => snapshots(targets, scene.store),
        Kind::NewSnapshot => {
            let stamp = scene.now.to_zoned(TimeZone::UTC).strftime("auto-%Y%m%d-%H%M%S");
            vec![offer(stamp.to_string(), "a name with the time (UTC)")]
        }
        Kind::Storage => storages(targets, scene.store),
        Kind::Disk => disks(targets, scene.store),
        Kind::Pool => pools(targets, scene.store),
        Kind::Service => services(targets, scene.store),
        Kind::SecurityGroup => groups(targets, scene.store),
        Kind::NewVmid => free_vmid(targets, scene.store),
        Kind::Tags => tags(targets, scene.store),
        Kind::Text | Kind::Lines | Kind::Name | Kind::Number(..) | Kind::Size => Vec::new(),
    }
}

/// What a deed needs and a guest is known not to have: nothing could be chosen then. What was read long ago is not known.
pub fn lacking(deed: Deed, target: &ObjectRef, scene: Scene<'_>) -> Option<String> {
    let wants = |argument: &super::Argument| argument.required && argument.kind == Kind::Snapshot;
    let ObjectRef::Guest(guest) = target else {
        return None;
    };
    if !deed.row().arguments.iter().any(wants) || !scene.store.guest_snapshots(guest)?.is_empty() {
        return None;
    }
    let feed = Feed::GuestSnapshots(guest.vmid);
    let period = feed.period();
    let read = scene.store.freshness(&feed.of(&guest.cluster)).data_at?;
    let known = scene.store.guest(guest)?;
    (read + period >= scene.now).then(|| format!("{} {} has no snapshots", guest.vmid, known.label()))
}

/// The online nodes that none of the targets is on, the one with the most free memory first.
fn nodes(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let Some(first) = targets.first() else {
        return Vec::new();
    };
    let homes: Vec<_> = targets
        .iter()
        .filter_map(|target| match target {
            ObjectRef::Guest(guest) => store.guest(guest).map(|guest| guest.node.clone()),
            _ => None,
        })
        .collect();
    let mut nodes: Vec<_> = store
        .nodes()
        .filter(|(cluster, node)| *cluster == first.cluster() && node.status == NodeStatus::Online)
        .filter(|(_, node)| !(homes.len() == targets.len() && homes.iter().all(|home| *home == node.name)))
        .map(|(_, node)| {
            let free = node
                .max_mem
                .zip(node.mem)
                .map(|(all, used)| all.saturating_sub(used));
            (free, node)
        })
        .collect();
    nodes.sort_by_key(|(free, _)| std::cmp::Reverse(*free));
    nodes
        .into_iter()
        .map(|(free, node)| {
            let note = free.map_or_else(String::new, |free| {
                format!("{} memory free", crate::domain::quantity::Bytes(free))
            });
            offer(node.name.as_str(), note)
        })
        .collect()
}

/// The snapshots that all targets have, as far as is known; the newest first.
fn snapshots(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let mut lists = targets.iter().filter_map(|target| match target {
        ObjectRef::Guest(guest) => store.guest_snapshots(guest),
        _ => None,
    });
    let Some(first) = lists.next() else {
        return Vec::new();
    };
    let rest: Vec<_> = lists.collect();
    let mut common: Vec<_> = first
        .iter()
        .filter(|snapshot| {
            rest.iter()
                .all(|list| list.iter().any(|other| other.name == snapshot.name))
        })
        .collect();
    common.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.time));
    common
        .into_iter()
        .map(|snapshot| offer(&*snapshot.name, &*snapshot.description))
        .collect()
}

/// The storages that every target's node sees, the emptiest first.
fn storages(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let Some((cluster, node)) = targets.iter().find_map(|target| match target {
        ObjectRef::Guest(guest) => Some((&guest.cluster, store.guest(guest)?.node.clone())),
        ObjectRef::Node(node) => Some((&node.cluster, node.node.clone())),
        _ => None,
    }) else {
        return Vec::new();
    };
    let mut storages: Vec<_> = store
        .storages()
        .filter(|(of, storage)| *of == cluster && storage.node == node)
        .map(|(_, storage)| {
            let free = storage
                .total
                .zip(storage.used)
                .map(|(all, used)| all.saturating_sub(used));
            (free, storage)
        })
        .collect();
    storages.sort_by_key(|(free, _)| std::cmp::Reverse(*free));
    storages
        .into_iter()
        .map(|(free, storage)| {
            let note = free.map_or_else(String::new, |free| {
                format!("{} free", crate::domain::quantity::Bytes(free))
            });
            offer(storage.name.as_str(), note)
        })
        .collect()
}

/// The disks of the one target.
fn disks(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let [ObjectRef::Guest(guest)] = targets else {
        return Vec::new();
    };
    let Some(config) = store.guest_config(guest) else {
        return Vec::new();
    };
    config
        .disks()
        .iter()
        .filter(|disk| !disk.cdrom)
        .map(|disk| {
            offer(
                disk.key,
                format!("{} {}", disk.size.unwrap_or(""), disk.volume).trim(),
            )
        })
        .collect()
}

fn pools(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let Some(first) = targets.first() else {
        return Vec::new();
    };
    store
        .pools()
        .filter(|(cluster, _)| *cluster == first.cluster())
        .map(|(_, pool)| offer(&*pool.name, ""))
        .collect()
}

/// The VMID that a plan would take.
fn free_vmid(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let Some(first) = targets.first() else {
        return Vec::new();
    };
    vec![offer(
        super::make::free_vmid(store, first.cluster()).to_string(),
        "the next free one",
    )]
}

/// The tags that guests of the cluster have, the most frequent first.
fn tags(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let Some(cluster) = targets.first().and_then(|first| store.cluster(first.cluster())) else {
        return Vec::new();
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in cluster.guests().iter().flat_map(|guest| &guest.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let note = |count: usize| format!("{count} guest{}", if count == 1 { "" } else { "s" });
    counts
        .into_iter()
        .map(|(tag, count)| offer(tag, note(count)))
        .collect()
}

fn services(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let [ObjectRef::Node(node)] = targets else {
        return Vec::new();
    };
    store
        .node_services(node)
        .unwrap_or_default()
        .iter()
        .map(|service| offer(&*service.name, &*service.state))
        .collect()
}

fn groups(targets: &[ObjectRef], store: &Store) -> Vec<Offer> {
    let cluster = targets.first().and_then(|target| store.cluster(target.cluster()));
    let groups = cluster
        .and_then(crate::store::Cluster::firewall_groups)
        .unwrap_or_default();
    let note = |comment: &Option<Box<str>>| comment.as_deref().unwrap_or_default().to_owned();
    groups
        .iter()
        .map(|group| offer(&*group.name, note(&group.comment)))
        .collect()
}
