//! How old the last good backup of a guest may be: its recovery-point objective.

use std::sync::Arc;

use jiff::SignedDuration;

use super::guest::Guest;

/// Objectives by tag and pool. `None` is none: such guests need no backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objectives {
    /// For guests that nothing else is said of.
    pub usual: Option<SignedDuration>,
    /// By tag.
    pub tags: Vec<(String, Option<SignedDuration>)>,
    /// By pool.
    pub pools: Vec<(String, Option<SignedDuration>)>,
}

impl Default for Objectives {
    fn default() -> Self {
        Self {
            usual: Some(SignedDuration::from_hours(48)),
            tags: Vec::new(),
            pools: Vec::new(),
        }
    }
}

impl Objectives {
    /// The objective of a guest: the strictest of its tags and its pool. Templates have none.
    pub fn of(&self, guest: &Guest) -> Option<SignedDuration> {
        if guest.template {
            return None;
        }
        let tagged = |name: &str| {
            guest
                .tags
                .iter()
                .any(|tag: &Arc<str>| tag.eq_ignore_ascii_case(name))
        };
        let pooled = |name: &str| guest.pool.as_deref() == Some(name);
        let tags = self.tags.iter().filter(|(tag, _)| tagged(tag));
        let pools = self.pools.iter().filter(|(pool, _)| pooled(pool));
        let mut matching = tags.chain(pools).map(|(_, objective)| *objective).peekable();
        if matching.peek().is_none() {
            return self.usual;
        }
        matching.flatten().min()
    }
}

/// How many times its usual size a backup has, where that stands out: more than twice or less than half of the middle
/// of at least three others. All sizes are of one guest on one storage.
pub fn unusual(size: u64, others: &[u64]) -> Option<f64> {
    if others.len() < 3 {
        return None;
    }
    let mut sorted = others.to_vec();
    sorted.sort_unstable();
    let middle = sorted[sorted.len() / 2];
    let times = super::quantity::ratio(Some(size), Some(middle))?;
    (!(0.5..=2.0).contains(&times)).then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_stands_out_against_its_like_alone() {
        assert_eq!(unusual(10, &[10, 11]), None);
        assert_eq!(unusual(10, &[10, 11, 9]), None);
        assert_eq!(unusual(30, &[10, 11, 10]), Some(3.0));
        assert_eq!(unusual(4, &[10, 11, 10]), Some(0.4));
        assert_eq!(unusual(4, &[0, 0, 0]), None);
    }
}
