//! What a plan is made from: the last known truth, the rules of the house, and the moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Danger, Deed, past::Evacuation};
use crate::{domain::quota::Quota, store::Store};

/// Everything that a plan may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is known.
    pub store: &'a Store,
    /// What the configuration says.
    pub rules: &'a Rules,
    /// When it is.
    pub now: Timestamp,
    /// What the journal knows of nodes that were evacuated ([`super::past::evacuations`]); only deeds that bring back
    /// need it.
    pub past: &'a [Evacuation],
}

/// What the configuration says about acting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Guests with one of these tags are production: disturbing them is a risk.
    pub production_tags: Vec<String>,
    /// A last backup older than this is a risk where something may be lost.
    pub backup_age: SignedDuration,
    /// Deeds that take more than the table asks for. A lower level counts for nothing.
    pub levels: BTreeMap<Deed, Danger>,
    /// Steps that are under way at a time, unless it is said otherwise. At least 1.
    pub at_once: usize,
    /// No plan passes one of these.
    pub quotas: Vec<Quota>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            production_tags: vec!["prod".to_owned(), "production".to_owned()],
            backup_age: SignedDuration::from_hours(48),
            levels: BTreeMap::new(),
            at_once: 1,
            quotas: Vec::new(),
        }
    }
}

impl Rules {
    /// What a deed takes, with what the configuration adds.
    pub fn danger(&self, deed: Deed) -> Danger {
        let own = deed.row().danger;
        self.levels.get(&deed).map_or(own, |level| own.max(*level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_only_rise() {
        let mut rules = Rules::default();
        assert_eq!(rules.danger(Deed::GuestStart), Danger::None);
        rules.levels.insert(Deed::GuestStart, Danger::Confirm);
        rules.levels.insert(Deed::SnapshotDelete, Danger::None);
        assert_eq!(rules.danger(Deed::GuestStart), Danger::Confirm);
        assert_eq!(rules.danger(Deed::SnapshotDelete), Danger::TypeName);
    }
}
