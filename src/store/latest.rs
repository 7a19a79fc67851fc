//! What was measured last of each object, and who has the most.

use jiff::{SignedDuration, Timestamp};

use super::Store;
use crate::domain::{GuestStatus, NodeStatus, ObjectRef, measure::Measure, quantity, template::Of};

/// Readings older than this say nothing about now.
const FRESH: SignedDuration = SignedDuration::from_mins(2);

impl Store {
    /// The last known value of a measure: of several lines their sum. From the readings where there are fresh ones, else
    /// from the inventory.
    pub fn latest(&self, object: &ObjectRef, measure: Measure, now: Timestamp) -> Option<f64> {
        self.read_last(object, measure, now)
            .or_else(|| self.listed(object, measure))
    }

    fn read_last(&self, object: &ObjectRef, measure: Measure, now: Timestamp) -> Option<f64> {
        let recent = self.readings(object)?;
        let row = recent.len().checked_sub(1)?;
        if now.duration_since(recent.at(row)) > FRESH {
            return None;
        }
        let strands = measure.strands(object).iter();
        let values: Vec<f64> = strands
            .filter_map(|strand| strand.value(|field| recent.get(row, field)))
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    fn listed(&self, object: &ObjectRef, measure: Measure) -> Option<f64> {
        match (object, measure) {
            (ObjectRef::Guest(id), _) => {
                let guest = self.guest(id)?;
                if matches!(guest.status, GuestStatus::Stopped | GuestStatus::Unknown) {
                    return None;
                }
                match measure {
                    Measure::Cpu => guest.cpu,
                    Measure::Memory => guest.mem_fraction(),
                    _ => None,
                }
            }
            (ObjectRef::Node(id), _) => {
                let node = self.node(id)?;
                if node.status != NodeStatus::Online {
                    return None;
                }
                match measure {
                    Measure::Cpu => node.cpu,
                    Measure::Memory => quantity::ratio(node.mem, node.max_mem),
                    Measure::Root => quantity::ratio(node.disk, node.max_disk),
                    _ => None,
                }
            }
            (ObjectRef::Storage(id), Measure::Fill) => self.storage(id)?.fill(),
            _ => None,
        }
    }

    /// All objects of a kind that have a value, the highest first.
    pub fn top(&self, of: Of, measure: Measure, now: Timestamp) -> Vec<(ObjectRef, f64)> {
        self.ordered(of, |object| self.latest(object, measure, now))
    }

    /// The same by a column of monitoring.
    pub fn top_of_column(&self, of: Of, number: usize) -> Vec<(ObjectRef, f64)> {
        self.ordered(of, |object| self.monitors.column_value(number, object))
    }

    fn ordered(&self, of: Of, value: impl Fn(&ObjectRef) -> Option<f64>) -> Vec<(ObjectRef, f64)> {
        let mut all: Vec<(ObjectRef, f64)> = self
            .clusters()
            .iter()
            .flat_map(|cluster| self.objects(cluster.id(), of))
            .filter_map(|object| {
                let value = value(&object).filter(|value| value.is_finite())?;
                Some((object, value))
            })
            .collect();
        // What is alike stays in the order of the store.
        all.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        // A shared storage is seen by each node, and is one.
        let mut seen = std::collections::HashSet::new();
        all.retain(|(object, _)| match object {
            ObjectRef::Storage(id) if self.storage(id).is_some_and(|storage| storage.shared) => {
                seen.insert((id.cluster.clone(), id.storage.clone()))
            }
            _ => true,
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures;

    #[test]
    fn the_highest_comes_first_and_what_stands_still_is_not_among_them() {
        let mut store = fixtures::store();
        let mut inventory = fixtures::inventory(4);
        for (number, guest) in inventory.guests.iter_mut().enumerate() {
            guest.cpu = Some(0.1 * number as f64);
            if number == 3 {
                guest.status = GuestStatus::Stopped;
            }
        }
        store.apply(fixtures::resources(100, inventory));
        let top = store.top(Of::Guest, Measure::Cpu, fixtures::at(100));
        let values: Vec<f64> = top.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [0.2, 0.1, 0.0]);
        assert!(
            store
                .top(Of::Guest, Measure::Network, fixtures::at(100))
                .is_empty()
        );
    }
}
