//! A bounded shelf for details: looking at many guests, one after the other, must not grow memory.

use std::{collections::HashMap, hash::Hash};

/// Keeps the values of the keys that were touched last.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    entries: HashMap<K, (u64, V)>,
    capacity: usize,
    touches: u64,
}

impl<K: Clone + Eq + Hash, V: Default> Shelf<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity: capacity.max(1),
            touches: 0,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The value of a key, without touching it.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    /// The value of a key, made if it is new, and the key that had to go for it.
    pub(super) fn touch(&mut self, key: &K) -> (&mut V, Option<K>) {
        self.touches += 1;
        let evicted = (self.entries.len() >= self.capacity && !self.entries.contains_key(key))
            .then(|| self.oldest())
            .flatten();
        if let Some(old) = &evicted {
            self.entries.remove(old);
        }
        let entry = self.entries.entry(key.clone()).or_default();
        entry.0 = self.touches;
        (&mut entry.1, evicted)
    }

    fn oldest(&self) -> Option<K> {
        self.entries
            .iter()
            .min_by_key(|(_, (touched, _))| *touched)
            .map(|(key, _)| key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_touched_longest_ago_goes() {
        let mut shelf: Shelf<u32, u32> = Shelf::new(2);
        *shelf.touch(&1).0 = 10;
        *shelf.touch(&2).0 = 20;
        shelf.touch(&1);
        assert_eq!(shelf.touch(&3).1, Some(2));
        assert_eq!((shelf.get(&1), shelf.get(&2)), (Some(&10), None));
        assert_eq!(shelf.iter().count(), 2);
    }
}
