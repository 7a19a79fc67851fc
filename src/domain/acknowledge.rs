//! Acknowledgements: somebody has seen an alert and looks after it. They are kept here, no server knows of them.
//!
//! What always holds here:
//! - One that is acknowledged and gets worse is loud again.
//! - What is gone for a day is forgotten: the next alert of that name is a new one.
//! - Changes are orders that can be applied to whatever another console has made of the list meanwhile.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Alarm, AlertKey, Severity};

/// How long an alert may be gone and still be the same.
const GONE: SignedDuration = SignedDuration::from_hours(24);
/// How old the last sight of an alert may be before it is written down anew.
const SIGHT: SignedDuration = SignedDuration::from_hours(1);
/// Acknowledgements that are kept; beyond that, those that were seen last longest ago go first.
const MOST: usize = 10_000;
/// Longest comment, in characters.
pub const LONGEST: usize = 500;

/// That somebody looks after an alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who: `alice@desk`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What was said about it; mostly nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// How bad it was then.
    pub severity: Severity,
    /// When a console saw the alert last.
    pub seen: Timestamp,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acknowledgements(BTreeMap<AlertKey, Acknowledgement>);

/// A change of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Somebody looks after it.
    Take(AlertKey, Acknowledgement),
    /// Nobody does any more.
    TakeBack(AlertKey),
    /// It is still there.
    Seen(AlertKey, Timestamp),
    /// It is gone; it was seen last at this moment, and unless another console saw it later it is forgotten.
    Forget(AlertKey, Timestamp),
}

impl Acknowledgements {
    /// That of an alert, unless it has become worse since.
    pub fn get(&self, key: AlertKey, severity: Severity) -> Option<&Acknowledgement> {
        // The worst comes first in the order.
        self.0.get(&key).filter(|one| severity >= one.severity)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Carries out an order. Says whether anything changed.
    pub fn apply(&mut self, order: Order) -> bool {
        match order {
            Order::Take(key, mut one) => {
                if let Some((cut, _)) = one.comment.char_indices().nth(LONGEST) {
                    one.comment.truncate(cut);
                }
                let changed = self.0.get(&key) != Some(&one);
                self.0.insert(key, one);
                while self.0.len() > MOST {
                    let oldest = self.0.iter().min_by_key(|(_, one)| one.seen);
                    let Some(oldest) = oldest.map(|(key, _)| *key) else {
                        break;
                    };
                    self.0.remove(&oldest);
                }
                changed
            }
            Order::TakeBack(key) => self.0.remove(&key).is_some(),
            Order::Seen(key, at) => match self.0.get_mut(&key) {
                Some(one) if one.seen < at => {
                    one.seen = at;
                    true
                }
                _ => false,
            },
            Order::Forget(key, seen) => {
                let gone = self.0.get(&key).is_some_and(|one| one.seen <= seen);
                gone && self.0.remove(&key).is_some()
            }
        }
    }

    /// What is to be written down about what is there at `now`. `complete`: everything could be read, so that what is not
    /// among the alerts is gone.
    pub fn review(&self, alarms: &[Alarm], complete: bool, now: Timestamp) -> Vec<Order> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let there: BTreeMap<AlertKey, Option<Timestamp>> =
            alarms.iter().map(|alarm| (alarm.key, alarm.since)).collect();
        self.0
            .iter()
            .filter_map(|(key, one)| match there.get(key) {
                // It began anew, long after anybody saw it.
                Some(Some(since)) if since.duration_since(one.seen) >= GONE => {
                    Some(Order::Forget(*key, one.seen))
                }
                Some(_) if now.duration_since(one.seen) >= SIGHT => Some(Order::Seen(*key, now)),
                None if complete && now.duration_since(one.seen) >= GONE => {
                    Some(Order::Forget(*key, one.seen))
                }
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alarm::tests::alarm;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hour * 3600).unwrap()
    }

    fn by_alice(severity: Severity, hour: i64) -> Acknowledgement {
        Acknowledgement {
            by: "alice@desk".to_owned(),
            at: at(hour),
            comment: String::new(),
            severity,
            seen: at(hour),
        }
    }

    #[test]
    fn what_gets_worse_is_loud_again() {
        let mut all = Acknowledgements::default();
        let key = AlertKey(7);
        assert!(all.apply(Order::Take(key, by_alice(Severity::Warning, 0))));
        for (severity, quiet) in [
            (Severity::Info, true),
            (Severity::Warning, true),
            (Severity::Critical, false),
        ] {
            assert_eq!(all.get(key, severity).is_some(), quiet, "{severity}");
        }
        assert!(all.apply(Order::TakeBack(key)));
        assert!(!all.apply(Order::TakeBack(key)) && all.is_empty());
    }

    #[test]
    fn what_is_gone_for_a_day_is_forgotten() {
        let key = AlertKey(7);
        let mut all = Acknowledgements::default();
        all.apply(Order::Take(key, by_alice(Severity::Warning, 0)));
        let there = |since: i64| vec![alarm(key, Severity::Warning, at(since))];
        let forget = vec![Order::Forget(key, at(0))];
        for (what, alarms, complete, hour, orders) in [
            ("just seen", there(-5), true, 0, vec![]),
            ("still there", there(-5), true, 2, vec![Order::Seen(key, at(2))]),
            (
                "there, and nobody looked for days",
                there(-5),
                true,
                90,
                vec![Order::Seen(key, at(90))],
            ),
            ("gone for an hour", vec![], true, 1, vec![]),
            ("gone for a day", vec![], true, 24, forget.clone()),
            ("perhaps gone", vec![], false, 24, vec![]),
            (
                "came again within a day",
                there(20),
                true,
                21,
                vec![Order::Seen(key, at(21))],
            ),
            ("another one two days later", there(48), true, 48, forget),
        ] {
            assert_eq!(all.review(&alarms, complete, at(hour)), orders, "{what}");
        }
    }

    #[test]
    fn orders_of_two_consoles_do_not_undo_each_other() {
        let key = AlertKey(7);
        let mut all = Acknowledgements::default();
        all.apply(Order::Take(key, by_alice(Severity::Warning, 0)));
        all.apply(Order::Seen(key, at(30)));
        // The other console has not heard of that sight.
        assert!(!all.apply(Order::Forget(key, at(0))));
        assert!(!all.apply(Order::Seen(key, at(10))));
        assert!(all.get(key, Severity::Warning).is_some());
        assert!(all.apply(Order::Forget(key, at(30))));
        assert!(!all.apply(Order::Seen(key, at(31))), "what is forgotten stays so");
    }

    #[test]
    fn they_are_bounded_and_read_back() {
        let mut all = Acknowledgements::default();
        for number in 0..=MOST as u64 {
            let mut one = by_alice(Severity::Info, i64::try_from(number).unwrap());
            one.comment = "ü".repeat(LONGEST + 5);
            all.apply(Order::Take(AlertKey(number), one));
        }
        assert_eq!(all.len(), MOST);
        assert!(all.get(AlertKey(0), Severity::Info).is_none(), "the oldest went");
        let kept = all.get(AlertKey(1), Severity::Info).unwrap();
        assert_eq!(kept.comment.chars().count(), LONGEST);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Acknowledgements>(&text).unwrap(), all);
    }
}
