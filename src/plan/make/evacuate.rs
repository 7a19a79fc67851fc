//! Emptying a node: one move for each guest, to nodes that have room and that HA allows.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    super::{
        Deed, Refusal, Risk, Weight, calls,
        placement::{Group, Room, place},
    },
    Back, Draft, Task,
    moving::{self, Mover, named, step},
};
use crate::{
    domain::{
        Guest, GuestKind, GuestStatus, HaRules, Node, NodeName, NodeRef, NodeStatus, Vmid,
        quantity::{Bytes, percent},
    },
    store::Cluster,
};

/// A node that is fuller than this afterwards is a risk.
const FULL: f64 = 0.9;

pub(super) fn draft(task: Task<'_>, target: &NodeRef) -> Result<Draft, Refusal> {
    let cluster = task
        .store()
        .cluster(&target.cluster)
        .ok_or_else(|| Refusal::NotFound(format!("there is no cluster {}", target.cluster)))?;
    let rooms = rooms(cluster, &target.node);
    if rooms.is_empty() {
        return Err(Refusal::NotPossible(format!(
            "no other node of {} is online: the guests of {} have nowhere to go",
            target.cluster, target.node
        )));
    }
    let mut guests: Vec<&Guest> = cluster.guests_on(&target.node).collect();
    guests.sort_by_key(|guest| guest.vmid);
    if guests.is_empty() {
        return Err(Refusal::NotPossible(format!("{} has no guests", target.node)));
    }
    let mut left = Vec::new();
    let mut movers = Vec::new();
    for guest in guests {
        match moving::look(task, target, guest, &rooms) {
            Ok(mover) => movers.push(mover),
            Err(why) => left.push((guest, why)),
        }
    }
    let none = HaRules::default();
    let rules = cluster.ha_rules().unwrap_or(&none);
    let parties = parties(movers, rules, cluster, target, &mut left);
    let groups: Vec<Group> = parties.iter().map(Party::group).collect();
    let (nodes, after) = place(&rooms, &groups, &enemies(&parties, rules));
    let mut moves = Vec::new();
    for (party, node) in parties.into_iter().zip(nodes) {
        match node {
            Some(node) => moves.push((party, node)),
            None => left.extend(party.members.into_iter().map(|mover| {
                let why =
                    "may go to no other node that is online: storages, HA rules and replication leave none";
                (mover.guest, why.to_owned())
            })),
        }
    }
    if moves.is_empty() {
        return Err(Refusal::NotPossible(format!(
            "nothing on {} can be moved: {}",
            target.node,
            left.iter()
                .map(|(guest, why)| left_line(guest, why))
                .collect::<Vec<_>>()
                .join("; ")
        )));
    }
    // What starts first moves first, what runs before what does not; among equals the biggest.
    moves.sort_by_key(|(party, _)| {
        let first = &party.members[0];
        (
            !first.runs,
            first.order,
            Reverse(party.memory()),
            first.guest.vmid,
        )
    });
    let mut risks: Vec<Risk> = left
        .iter()
        .map(|(guest, why)| Risk::left_out(left_line(guest, why)))
        .collect();
    risks.extend(moving_risks(task, cluster, target, &moves));
    risks.extend(room_risks(&rooms, &after));
    let steps = moves
        .iter()
        .map(|(party, node)| {
            let lead = &party.members[0];
            let others = &party.members[1..];
            let title = if others.is_empty() {
                format!("{} to {node}", named(lead.guest))
            } else {
                format!(
                    "{} to {node}, with it {}",
                    named(lead.guest),
                    list(others.iter().map(|mover| mover.guest))
                )
            };
            let mut call = calls::migrate(moving::at(lead.guest), node.as_str(), lead.runs);
            if !lead.local.is_empty() && lead.guest.kind == GuestKind::Qemu {
                call = call.with("with-local-disks", "1");
            }
            step(task, lead.guest, title, call)
        })
        .collect();
    Ok(Draft {
        title: Some(target.node.to_string()),
        steps,
        risks,
        back: Some(Back::plain(Deed::NodeRestore)),
        ..Draft::default()
    })
}

/// The other nodes that are online and say how much memory they have.
fn rooms(cluster: &Cluster, without: &NodeName) -> Vec<Room> {
    let online = |node: &&Node| node.status == NodeStatus::Online && node.name != *without;
    let mut rooms: Vec<Room> = cluster
        .nodes()
        .iter()
        .filter(online)
        .filter_map(|node| {
            Some(Room {
                node: node.name.clone(),
                total: node.max_mem?,
                used: node.mem.unwrap_or(0),
            })
        })
        .collect();
    rooms.sort_by(|one, other| one.node.cmp(&other.node));
    rooms
}

fn left_line(guest: &Guest, why: &str) -> String {
    format!("{} {why}", named(guest))
}

/// Names, as many as a sentence bears.
fn list<'a>(guests: impl Iterator<Item = &'a Guest>) -> String {
    moving::some(guests.map(named))
}

/// Guests that HA keeps together: it moves all of them with the first. Most often just one.
struct Party<'a> {
    members: Vec<Mover<'a>>,
}

impl Party<'_> {
    fn memory(&self) -> u64 {
        self.members.iter().map(|mover| mover.memory).sum()
    }

    fn group(&self) -> Group {
        let mut ranks: BTreeMap<NodeName, u32> = BTreeMap::new();
        for (node, rank) in &self.members[0].ranks {
            let all: Option<u32> = self.members[1..]
                .iter()
                .try_fold(*rank, |sum, mover| Some(sum + mover.ranks.get(node)?));
            ranks.extend(all.map(|rank| (node.clone(), rank)));
        }
        Group {
            memory: self.memory(),
            ranks,
        }
    }

    fn holds(&self, guests: &BTreeSet<Vmid>) -> bool {
        self.members
            .iter()
            .any(|mover| mover.managed && guests.contains(&mover.guest.vmid))
    }
}

/// Joins those that HA keeps together. Where one of them cannot move, none does.
fn parties<'a>(
    movers: Vec<Mover<'a>>,
    rules: &HaRules,
    cluster: &Cluster,
    target: &NodeRef,
    left: &mut Vec<(&'a Guest, String)>,
) -> Vec<Party<'a>> {
    let mut parties: Vec<Party<'a>> = movers
        .into_iter()
        .map(|mover| Party { members: vec![mover] })
        .collect();
    for rule in rules.guests.iter().filter(|rule| rule.together) {
        let (joined, mut rest): (Vec<_>, Vec<_>) =
            parties.into_iter().partition(|party| party.holds(&rule.guests));
        let mut members: Vec<Mover<'a>> = joined.into_iter().flat_map(|party| party.members).collect();
        members.sort_by_key(|mover| (!mover.runs, mover.order, mover.guest.vmid));
        let stuck = left
            .iter()
            .find(|(guest, _)| moving::managed(guest) && rule.guests.contains(&guest.vmid));
        let stuck = stuck.map(|(guest, _)| named(guest));
        if let Some(stuck) = stuck {
            let why = format!("stays with {stuck} (HA rule {}), which cannot move", rule.name);
            left.extend(members.drain(..).map(|mover| (mover.guest, why.clone())));
        }
        // One that is elsewhere already says where the others go.
        let elsewhere: BTreeSet<&NodeName> = rule
            .guests
            .iter()
            .filter_map(|vmid| cluster.guest(*vmid))
            .filter(|guest| moving::managed(guest) && guest.node != target.node)
            .map(|guest| &guest.node)
            .collect();
        if !elsewhere.is_empty() {
            for mover in &mut members {
                mover.ranks.retain(|node, _| elsewhere.contains(node));
            }
        }
        if !members.is_empty() {
            rest.push(Party { members });
        }
        parties = rest;
    }
    for party in &mut parties {
        for mover in party.members.iter_mut().filter(|mover| mover.managed) {
            // Where an enemy stands that stays there, it cannot go.
            let vmid = mover.guest.vmid;
            for rule in rules
                .guests
                .iter()
                .filter(|rule| !rule.together && rule.guests.contains(&vmid))
            {
                let others = rule.guests.iter().filter(|other| **other != vmid);
                for other in others
                    .filter_map(|other| cluster.guest(*other))
                    .filter(|other| moving::managed(other))
                {
                    mover.ranks.remove(&other.node);
                }
            }
        }
    }
    parties
}

/// Pairs of parties that HA keeps apart.
fn enemies(parties: &[Party<'_>], rules: &HaRules) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for rule in rules.guests.iter().filter(|rule| !rule.together) {
        let of: Vec<usize> = (0..parties.len())
            .filter(|at| parties[*at].holds(&rule.guests))
            .collect();
        for (at, one) in of.iter().enumerate() {
            pairs.extend(of[at + 1..].iter().map(|other| (*one, *other)));
        }
    }
    pairs
}

fn moving_risks(
    task: Task<'_>,
    cluster: &Cluster,
    target: &NodeRef,
    moves: &[(Party<'_>, NodeName)],
) -> Vec<Risk> {
    let mut risks = Vec::new();
    let all = || moves.iter().flat_map(|(party, _)| &party.members);
    let restarted: Vec<&Guest> = all()
        .filter(|mover| mover.runs && mover.guest.kind == GuestKind::Lxc)
        .map(|mover| mover.guest)
        .collect();
    if !restarted.is_empty() {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "running containers are stopped here and started there: {}",
                list(restarted.iter().copied())
            ),
        ));
    }
    let production = |guest: &&Guest| {
        let known = &task.scene.rules.production_tags;
        guest
            .tags
            .iter()
            .any(|tag| known.iter().any(|name| name.eq_ignore_ascii_case(tag)))
    };
    let precious: Vec<&Guest> = restarted.iter().copied().filter(production).collect();
    if !precious.is_empty() {
        let text = format!(
            "of those containers these are production: {}",
            list(precious.into_iter())
        );
        risks.push(Risk::new(Weight::Warning, text));
    }
    for mover in all().filter(|mover| !mover.local.is_empty()) {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "{} has disks on local storage that are copied: {}",
                named(mover.guest),
                mover.local.join(", ")
            ),
        ));
    }
    let managed: Vec<&Guest> = all()
        .filter(|mover| mover.managed)
        .map(|mover| mover.guest)
        .collect();
    if !managed.is_empty() {
        risks.push(Risk::new(
            Weight::Note,
            format!(
                "HA moves what it manages, a little after the step is done: {}",
                list(managed.into_iter())
            ),
        ));
    }
    if cluster.guests().iter().any(moving::managed) {
        risks.push(Risk::new(
            Weight::Note,
            format!(
                "this is not HA's maintenance mode: until {0} is off, HA may place guests on it again; that mode is set \
                 on a node's shell only (`ha-manager crm-command node-maintenance enable {0}`), the API has no call for it",
                target.node
            ),
        ));
    }
    if all().any(|mover| mover.unread) {
        let text = "some configurations could not be read: what stands in the way of these moves shows only when they fail";
        risks.push(Risk::new(Weight::Warning, text));
    }
    if cluster.ha_rules().is_none() && cluster.guests().iter().any(moving::managed) {
        let text = "the rules of HA could not be read: HA may refuse a move, or take it back";
        risks.push(Risk::new(Weight::Warning, text));
    }
    let unsure = all().filter(|mover| mover.guest.status == GuestStatus::Unknown);
    if let Some(mover) = unsure.into_iter().next() {
        let text = format!("the state of {} is not known", named(mover.guest));
        risks.push(Risk::new(Weight::Note, text));
    }
    risks
}

/// How full the nodes are then, and whether one more may fail.
fn room_risks(before: &[Room], after: &[Room]) -> Vec<Risk> {
    let mut risks = Vec::new();
    for (before, after) in before.iter().zip(after) {
        let part = after.used as f64 / after.total.max(1) as f64;
        if after.used == before.used || part <= FULL {
            continue;
        }
        let weight = if after.used > after.total {
            Weight::Danger
        } else {
            Weight::Warning
        };
        risks.push(Risk::new(
            weight,
            format!(
                "{} would need up to {} of {} memory ({})",
                after.node,
                Bytes(after.used),
                Bytes(after.total),
                percent(part)
            ),
        ));
    }
    // N-1: what the worst node holds has to fit into what is free on the others.
    let short = after.iter().filter_map(|failed| {
        let free: u64 = after
            .iter()
            .filter(|room| room.node != failed.node)
            .map(|room| room.total.saturating_sub(room.used))
            .sum();
        (failed.used > free).then(|| (failed.used - free, &failed.node))
    });
    if let Some((missing, node)) = short.max_by_key(|(missing, node)| (*missing, Reverse((*node).clone()))) {
        risks.push(Risk::new(
            Weight::Note,
            format!(
                "should {node} fail meanwhile, the others lack {} of memory for what it holds",
                Bytes(missing)
            ),
        ));
    }
    risks
}
