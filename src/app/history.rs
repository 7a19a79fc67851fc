//! Where one was before, and the way back.

use crate::screens::Place;

/// Places in the order they were visited, like a browser's.
#[derive(Clone, Debug)]
pub(super) struct History {
    places: Vec<Place>,
    at: usize,
}

impl History {
    const MOST: usize = 100;

    /// A history that begins at a place.
    pub(super) fn new(start: Place) -> Self {
        Self {
            places: vec![start],
            at: 0,
        }
    }

    /// Where one is.
    pub(super) fn here(&self) -> &Place {
        // `at` is always the index of a place: `new` puts one in, and nothing removes the last.
        &self.places[self.at]
    }

    /// Goes to a new place; what was ahead is forgotten.
    pub(super) fn go(&mut self, place: Place) {
        if *self.here() == place {
            return;
        }
        self.places.truncate(self.at + 1);
        self.places.push(place);
        if self.places.len() > Self::MOST {
            self.places.remove(0);
        }
        self.at = self.places.len() - 1;
    }

    /// One back; returns whether there was one.
    pub(super) fn back(&mut self) -> bool {
        let can = self.at > 0;
        self.at = self.at.saturating_sub(1);
        can
    }

    /// One forward; returns whether there was one.
    pub(super) fn forward(&mut self) -> bool {
        let can = self.at + 1 < self.places.len();
        if can {
            self.at += 1;
        }
        can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_and_forward_and_a_new_way() {
        let mut history = History::new(Place::Deck);
        assert!(!history.back());
        history.go(Place::Guests);
        history.go(Place::Guests);
        history.go(Place::Nodes);
        assert!(history.back());
        assert_eq!(*history.here(), Place::Guests);
        assert!(history.forward());
        assert!(!history.forward());
        history.back();
        history.go(Place::Tasks);
        assert!(!history.forward());
        for _ in 0..300 {
            history.go(Place::Deck);
            history.go(Place::Tasks);
        }
        assert!(history.places.len() <= History::MOST);
    }
}
