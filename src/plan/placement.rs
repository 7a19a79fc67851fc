//! Where guests go that have to leave a node.
//!
//! What always holds here: the same question has the same answer, and no node passes its memory as long as there is
//! an answer in which none does and that is found within [`TRIES`].

use std::{cmp::Reverse, collections::BTreeMap};

use crate::domain::NodeName;

/// How many placements are tried before it is said that not everything fits. Where there is room, the first ones do.
const TRIES: usize = 50_000;

/// A node that can take guests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Room {
    /// Its name.
    pub node: NodeName,
    /// Its memory, bytes.
    pub total: u64,
    /// Memory in use, bytes.
    pub used: u64,
}

impl Room {
    fn free(&self) -> i128 {
        i128::from(self.total) - i128::from(self.used)
    }
}

/// Guests that move to one node together; most often just one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Memory that they need there, bytes.
    pub memory: u64,
    /// The nodes that they may go to. The greater its rank, the more a node is preferred.
    pub ranks: BTreeMap<NodeName, u32>,
}

/// A node for each group, and the rooms as they are then. A group without a node has none that it may go to.
///
/// `apart` are groups that must not meet.
pub(super) fn place(
    rooms: &[Room],
    groups: &[Group],
    apart: &[(usize, usize)],
) -> (Vec<Option<NodeName>>, Vec<Room>) {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    // What is big has the fewest places.
    order.sort_by_key(|index| (Reverse(groups[*index].memory), *index));
    let mut try_all = Search {
        groups,
        apart,
        rooms: rooms.to_vec(),
        chosen: vec![None; groups.len()],
        left: TRIES,
    };
    if !try_all.fits(&order) {
        try_all.rooms = rooms.to_vec();
        try_all.chosen = vec![None; groups.len()];
        try_all.squeeze(&order);
    }
    let nodes = try_all
        .chosen
        .iter()
        .map(|at| at.map(|at| rooms[at].node.clone()));
    (nodes.collect(), try_all.rooms)
}

struct Search<'a> {
    groups: &'a [Group],
    apart: &'a [(usize, usize)],
    rooms: Vec<Room>,
    chosen: Vec<Option<usize>>,
    left: usize,
}

impl Search<'_> {
    /// Finds a place for every group that may go anywhere, without any node passing its memory.
    fn fits(&mut self, order: &[usize]) -> bool {
        let Some((&group, rest)) = order.split_first() else {
            return true;
        };
        if self.groups[group].ranks.is_empty() {
            return self.fits(rest);
        }
        for at in self.candidates(group) {
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
            let memory = self.groups[group].memory;
            if self.rooms[at].free() < i128::from(memory) {
                continue;
            }
            self.put(group, at);
            if self.fits(rest) {
                return true;
            }
            self.rooms[at].used -= memory;
            self.chosen[group] = None;
        }
        false
    }

    /// Puts each where it fits best, although not everything fits.
    fn squeeze(&mut self, order: &[usize]) {
        for &group in order {
            let candidates = self.candidates(group);
            let memory = i128::from(self.groups[group].memory);
            let roomy = candidates.iter().find(|at| self.rooms[**at].free() >= memory);
            let best = roomy
                .or_else(|| {
                    candidates
                        .iter()
                        .max_by_key(|at| (self.rooms[**at].free(), Reverse(**at)))
                })
                .copied();
            if let Some(at) = best {
                self.put(group, at);
            }
        }
    }

    fn put(&mut self, group: usize, at: usize) {
        self.rooms[at].used = self.rooms[at].used.saturating_add(self.groups[group].memory);
        self.chosen[group] = Some(at);
    }

    /// The rooms that a group may go to now: the most preferred first, among equals the one with the most free memory.
    fn candidates(&self, group: usize) -> Vec<usize> {
        let ranks = &self.groups[group].ranks;
        let meets = |at: usize| {
            self.apart.iter().any(|(one, other)| {
                (*one == group && self.chosen[*other] == Some(at))
                    || (*other == group && self.chosen[*one] == Some(at))
            })
        };
        let mut candidates: Vec<usize> = (0..self.rooms.len())
            .filter(|at| ranks.contains_key(&self.rooms[*at].node) && !meets(*at))
            .collect();
        candidates.sort_by_key(|at| {
            let room = &self.rooms[*at];
            (
                Reverse(ranks[&room.node]),
                Reverse(room.free()),
                room.node.clone(),
            )
        });
        candidates
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn room(index: usize, total: u64, used: u64) -> Room {
        Room {
            node: format!("pve{index}").into(),
            total,
            used,
        }
    }

    fn group(memory: u64, nodes: &[usize]) -> Group {
        Group {
            memory,
            ranks: nodes
                .iter()
                .map(|index| (format!("pve{index}").into(), 0))
                .collect(),
        }
    }

    fn names(nodes: &[Option<NodeName>]) -> Vec<&str> {
        nodes
            .iter()
            .map(|node| node.as_ref().map_or("", NodeName::as_str))
            .collect()
    }

    #[test]
    fn guests_spread_and_equals_go_by_name() {
        let rooms = [room(1, 100, 50), room(2, 100, 50), room(3, 100, 80)];
        let groups = [
            group(10, &[1, 2, 3]),
            group(10, &[1, 2, 3]),
            group(10, &[1, 2, 3]),
        ];
        let (nodes, after) = place(&rooms, &groups, &[]);
        assert_eq!(names(&nodes), ["pve1", "pve2", "pve1"]);
        assert_eq!(
            after.iter().map(|room| room.used).collect::<Vec<_>>(),
            [70, 60, 80]
        );
    }

    #[test]
    fn the_obvious_first_choice_is_taken_back_where_it_leads_nowhere() {
        // The biggest goes to the emptiest at first: then the two others do not fit any more.
        let rooms = [room(1, 10, 0), room(2, 6, 0)];
        let all = [1, 2];
        let groups = [group(6, &all), group(5, &all), group(5, &all)];
        let (nodes, after) = place(&rooms, &groups, &[]);
        assert_eq!(names(&nodes), ["pve2", "pve1", "pve1"]);
        assert!(after.iter().all(|room| room.used <= room.total));
    }

    #[test]
    fn a_preferred_node_goes_before_an_empty_one_and_enemies_do_not_meet() {
        let rooms = [room(1, 100, 60), room(2, 100, 0)];
        let mut picky = group(10, &[1, 2]);
        picky.ranks.insert("pve1".into(), 2);
        let groups = [picky, group(10, &[1, 2]), group(10, &[])];
        let (nodes, _) = place(&rooms, &groups, &[(0, 1)]);
        assert_eq!(names(&nodes), ["pve1", "pve2", ""]);
        let (nodes, _) = place(&rooms[..1], &groups[..2], &[(0, 1)]);
        assert_eq!(
            names(&nodes).iter().filter(|name| name.is_empty()).count(),
            1,
            "{nodes:?}"
        );
    }

    /// Whether any placement keeps every room within its memory.
    fn possible(rooms: &[Room], groups: &[Group], apart: &[(usize, usize)], chosen: &mut Vec<usize>) -> bool {
        let Some(group) = groups.get(chosen.len()) else {
            return rooms.iter().enumerate().all(|(at, room)| {
                let memory: u64 = (0..groups.len())
                    .filter(|group| chosen[*group] == at)
                    .map(|group| groups[group].memory)
                    .sum();
                room.used + memory <= room.total
            }) && apart.iter().all(|(one, other)| chosen[*one] != chosen[*other]);
        };
        (0..rooms.len()).any(|at| {
            group.ranks.contains_key(&rooms[at].node) && {
                chosen.push(at);
                let found = possible(rooms, groups, apart, chosen);
                chosen.pop();
                found
            }
        })
    }

    prop_compose! {
        fn estates()(nodes in 1..4_usize)(
            rooms in prop::collection::vec((10..40_u64, 0..20_u64), nodes),
            groups in prop::collection::vec((0..16_u64, prop::collection::vec(any::<bool>(), nodes)), 1..7),
            apart in prop::collection::vec((0..7_usize, 0..7_usize), 0..3),
        ) -> (Vec<Room>, Vec<Group>, Vec<(usize, usize)>) {
            let rooms = rooms.iter().enumerate().map(|(at, (total, used))| room(at, *total, *(used.min(total)))).collect();
            let count = groups.len();
            let groups = groups.iter().map(|(memory, may)| {
                let mut nodes: Vec<usize> = (0..may.len()).filter(|at| may[*at]).collect();
                if nodes.is_empty() {
                    nodes.push(0);
                }
                group(*memory, &nodes)
            }).collect();
            let apart = apart.into_iter().filter(|(one, other)| one < other && *other < count).collect();
            (rooms, groups, apart)
        }
    }

    proptest! {
        #[test]
        fn no_node_passes_its_memory_where_that_can_be_avoided((rooms, groups, apart) in estates()) {
            let (nodes, after) = place(&rooms, &groups, &apart);
            let mut used: Vec<u64> = rooms.iter().map(|room| room.used).collect();
            for (group, node) in groups.iter().zip(&nodes) {
                if let Some(node) = node {
                    prop_assert!(group.ranks.contains_key(node), "only where it may go");
                    let at = rooms.iter().position(|room| room.node == *node).unwrap();
                    used[at] += group.memory;
                }
            }
            for (one, other) in &apart {
                prop_assert!(nodes[*one].is_none() || nodes[*one] != nodes[*other], "enemies met");
            }
            prop_assert_eq!(used, after.iter().map(|room| room.used).collect::<Vec<_>>());
            if possible(&rooms, &groups, &apart, &mut Vec::new()) {
                prop_assert!(nodes.iter().all(Option::is_some));
                prop_assert!(after.iter().all(|room| room.used <= room.total), "{:?}", after);
            }
            prop_assert_eq!(place(&rooms, &groups, &apart).0, nodes, "the same question, the same answer");
        }
    }
}
