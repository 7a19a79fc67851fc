//! Which backups a prune keeps: `keep-last=3,keep-daily=13`, computed as Proxmox VE and Proxmox Backup Server do.
//!
//! What always holds here:
//! - Each rule goes from the newest backup to the oldest and keeps the newest of each of its periods, until it has kept
//!   as many as it may. A period in which an earlier rule has kept one already is passed over and not counted.
//! - Periods follow the local time of the server that prunes: the same rules keep other backups in another zone.
//! - Protected backups stay, whatever the rules say, and count for none.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The rules, in the order in which they are applied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Rule {
    /// `keep-last`: the newest, whenever they were made.
    Last,
    /// `keep-hourly`: the newest of an hour.
    Hourly,
    /// `keep-daily`: the newest of a day.
    Daily,
    /// `keep-weekly`: the newest of an ISO week, which begins on Monday.
    Weekly,
    /// `keep-monthly`: the newest of a month.
    Monthly,
    /// `keep-yearly`: the newest of a year.
    Yearly,
}

impl Rule {
    /// All of them, in the order in which they are applied.
    pub const ALL: [Self; 6] = [
        Self::Last,
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// The name of its option.
    pub fn key(self) -> &'static str {
        match self {
            Self::Last => "keep-last",
            Self::Hourly => "keep-hourly",
            Self::Daily => "keep-daily",
            Self::Weekly => "keep-weekly",
            Self::Monthly => "keep-monthly",
            Self::Yearly => "keep-yearly",
        }
    }

    /// What two backups have in common that count as one for this rule.
    fn period(self, time: Timestamp, zone: &TimeZone) -> Period {
        let local = zone.to_datetime(time);
        let part = |year: i16, number: i16| Period::Local(year, number, 0);
        match self {
            Self::Last => Period::Instant(time),
            Self::Hourly => Period::Local(local.year(), local.day_of_year(), local.hour()),
            Self::Daily => part(local.year(), local.day_of_year()),
            Self::Weekly => week(local),
            Self::Monthly => part(local.year(), i16::from(local.month())),
            Self::Yearly => part(local.year(), 0),
        }
    }
}

fn week(local: DateTime) -> Period {
    // The year of an ISO week is not always the calendar's.
    let week = local.date().iso_week_date();
    Period::Local(week.year(), i16::from(week.week()), 0)
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Period {
    Instant(Timestamp),
    Local(i16, i16, i8),
}

/// How many backups of a group are kept, by rule. The default keeps all: so does a server that is told nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Retention {
    /// `keep-all`: nothing is ever removed.
    pub all: bool,
    counts: [u32; 6],
}

impl Retention {
    /// Reads the options from pairs such as `("keep-last", "3")`; other keys are passed over.
    ///
    /// # Errors
    /// A count that is no number, or `keep-all` beside another rule.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut retention = Self::default();
        for (key, value) in pairs {
            if key == "keep-all" {
                retention.all = match value {
                    "1" | "true" | "yes" | "on" => true,
                    "0" | "false" | "no" | "off" => false,
                    _ => return Err(format!("keep-all is 0 or 1, not `{value}`")),
                };
            } else if let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.key() == key) {
                let count = value.parse().map_err(|_| {
                    format!("{key} is how many backups to keep, a whole number, not `{value}`")
                })?;
                retention = retention.with(rule, count);
            }
        }
        if retention.all && retention.counts.iter().any(|count| *count > 0) {
            return Err("keep-all cannot stand beside another keep rule; remove one of them".to_owned());
        }
        Ok(retention)
    }

    /// The same with another count for a rule; 0 takes the rule away.
    #[must_use]
    pub fn with(mut self, rule: Rule, count: u32) -> Self {
        self.counts[rule as usize] = count;
        self
    }

    /// How many a rule keeps; 0 if it is not set.
    pub fn count(&self, rule: Rule) -> u32 {
        self.counts[rule as usize]
    }

    /// Whether nothing is ever removed: `keep-all`, or no rule at all.
    pub fn keeps_all(&self) -> bool {
        self.all || self.counts.iter().all(|count| *count == 0)
    }

    /// The most backups of one group that can stay, protected ones beside; `None` if all do.
    pub fn most(&self) -> Option<u64> {
        (!self.keeps_all()).then(|| self.counts.iter().map(|count| u64::from(*count)).sum())
    }

    /// What a prune of one group would do: for each backup, in the order given, what becomes of it and why. The zone is
    /// that of the server that prunes.
    pub fn preview(&self, group: &[Candidate], zone: &TimeZone) -> Vec<Fate> {
        let mut fates: Vec<Option<Fate>> = vec![None; group.len()];
        let mut newest_first: Vec<usize> = (0..group.len()).collect();
        newest_first.sort_by_key(|index| std::cmp::Reverse(group[*index].time));
        if self.keeps_all() {
            return group
                .iter()
                .map(|backup| {
                    if backup.protected {
                        Fate::Protected
                    } else {
                        Fate::All
                    }
                })
                .collect();
        }
        // An unfinished backup may be running: only the very newest is left alone.
        for (place, index) in newest_first.iter().enumerate() {
            if !group[*index].finished {
                fates[*index] = Some(if place == 0 {
                    Fate::Unfinished
                } else {
                    Fate::Removed(None)
                });
            }
        }
        for rule in Rule::ALL {
            if self.count(rule) > 0 {
                apply(rule, self.count(rule), group, &newest_first, zone, &mut fates);
            }
        }
        group
            .iter()
            .zip(fates)
            .map(|(backup, fate)| match fate {
                _ if backup.protected => Fate::Protected,
                Some(fate) => fate,
                None => Fate::Removed(None),
            })
            .collect()
    }
}

/// One rule on one group: it fills in what it decides and leaves the rest to the next.
fn apply(
    rule: Rule,
    count: u32,
    group: &[Candidate],
    newest_first: &[usize],
    zone: &TimeZone,
    fates: &mut [Option<Fate>],
) {
    let periods: Vec<Period> = group
        .iter()
        .map(|backup| rule.period(backup.time, zone))
        .collect();
    let before: BTreeSet<&Period> = fates
        .iter()
        .zip(&periods)
        .filter(|(fate, _)| matches!(fate, Some(Fate::Kept(..))))
        .map(|(_, period)| period)
        .collect();
    let mut kept = BTreeSet::new();
    for &index in newest_first {
        let period = &periods[index];
        if fates[index].is_some() || group[index].protected || before.contains(period) {
            continue;
        }
        if kept.contains(period) {
            fates[index] = Some(Fate::Removed(Some(rule)));
            continue;
        }
        if kept.len() >= count as usize {
            return;
        }
        kept.insert(period);
        fates[index] = Some(Fate::Kept(rule, kept.len() as u32));
    }
}

impl fmt::Display for Retention {
    /// As Proxmox VE writes it; empty if nothing is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all {
            return f.write_str("keep-all=1");
        }
        let mut separator = "";
        for rule in Rule::ALL {
            let count = self.count(rule);
            if count > 0 {
                write!(f, "{separator}{}={count}", rule.key())?;
                separator = ",";
            }
        }
        Ok(())
    }
}

impl FromStr for Retention {
    type Err = String;

    /// Reads `keep-last=3,keep-daily=13`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| {
                format!("`{part}` is no keep rule; write for example keep-last=3,keep-daily=13")
            })?;
            let (key, value) = (key.trim(), value.trim());
            if key != "keep-all" && !Rule::ALL.iter().any(|rule| rule.key() == key) {
                return Err(format!(
                    "`{key}` is no keep rule; there are keep-all, keep-last, keep-hourly, keep-daily, keep-weekly, \
                     keep-monthly and keep-yearly"
                ));
            }
            if pairs.iter().any(|(known, _)| *known == key) {
                return Err(format!("`{key}` stands there twice"));
            }
            pairs.push((key, value));
        }
        Self::from_pairs(pairs)
    }
}

/// One backup of a group, as far as a prune looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// When it was made.
    pub time: Timestamp,
    /// Protected from removal.
    pub protected: bool,
    /// Complete. One without a manifest is running, or was cut off.
    pub finished: bool,
}

/// What a prune makes of a backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It stays: no rule removes anything.
    All,
    /// It stays: it is protected.
    Protected,
    /// It stays: it may still be running.
    Unfinished,
    /// It stays: it has another name than the server gave it.
    Renamed,
    /// It stays by this rule, as the so-manieth that the rule keeps, from 1.
    Kept(Rule, u32),
    /// It goes; with the rule that kept a newer one of the same period, if one did.
    Removed(Option<Rule>),
}

impl Fate {
    /// Whether it stays.
    pub fn stays(self) -> bool {
        !matches!(self, Self::Removed(_))
    }
}

impl fmt::Display for Fate {
    /// Why, in words: `keep-daily 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("nothing is removed"),
            Self::Protected => f.write_str("protected"),
            Self::Renamed => f.write_str("renamed"),
            Self::Unfinished => f.write_str("unfinished, perhaps running"),
            Self::Kept(rule, number) => write!(f, "{} {number}", rule.key()),
            Self::Removed(Some(rule)) => write!(f, "{} keeps a newer one", rule.key()),
            Self::Removed(None) => f.write_str("no rule keeps it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(times: &[i64]) -> Vec<Candidate> {
        times
            .iter()
            .map(|time| Candidate {
                time: Timestamp::from_second(*time).unwrap(),
                protected: false,
                finished: true,
            })
            .collect()
    }

    #[test]
    fn options_are_read_and_written() {
        for text in [
            "keep-last=3,keep-daily=13,keep-yearly=9",
            "keep-all=1",
            "",
            "keep-hourly=1,keep-weekly=2,keep-monthly=3",
        ] {
            assert_eq!(text.parse::<Retention>().unwrap().to_string(), text);
        }
        assert_eq!(
            "keep-daily=2, keep-last=0"
                .parse::<Retention>()
                .unwrap()
                .to_string(),
            "keep-daily=2"
        );
        for (text, why) in [
            ("keep-last", "no keep rule"),
            ("keep-lost=3", "`keep-lost`"),
            ("keep-last=many", "whole number"),
            ("keep-last=-1", "whole number"),
            ("keep-last=1,keep-last=2", "twice"),
            ("keep-all=1,keep-last=2", "beside"),
            ("keep-all=perhaps", "0 or 1"),
        ] {
            let error = text.parse::<Retention>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn each_fate_has_its_reason() {
        let day = 86_400;
        let mut backups = group(&[day, 2 * day, 2 * day + 60, 3 * day, 4 * day]);
        backups[0].protected = true;
        let fates = "keep-last=1,keep-daily=2"
            .parse::<Retention>()
            .unwrap()
            .preview(&backups, &TimeZone::UTC);
        let said: Vec<String> = fates.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "protected",
                "keep-daily keeps a newer one",
                "keep-daily 2",
                "keep-daily 1",
                "keep-last 1"
            ]
        );
        backups[4].finished = false;
        backups[1].finished = false;
        let fates = Retention::default()
            .with(Rule::Last, 9)
            .preview(&backups, &TimeZone::UTC);
        assert_eq!(fates[4], Fate::Unfinished);
        assert_eq!(fates[1], Fate::Removed(None));
    }

    proptest! {
        #[test]
        fn what_stays_is_bounded_and_never_less_with_more_rules(
            times in proptest::collection::btree_set(1_600_000_000_i64..1_700_000_000, 0..40),
            protected in any::<u64>(),
            counts in any::<[u8; 6]>(),
        ) {
            let times: Vec<i64> = times.into_iter().collect();
            let mut backups = group(&times);
            for (index, backup) in backups.iter_mut().enumerate() {
                backup.protected = protected >> index & 3 == 3;
            }
            let mut retention = Retention::default();
            for (rule, count) in Rule::ALL.into_iter().zip(counts) {
                retention = retention.with(rule, u32::from(count % 8));
            }
            prop_assert_eq!(retention.to_string().parse::<Retention>().unwrap(), retention.clone());
            let fates = retention.preview(&backups, &TimeZone::UTC);
            prop_assert_eq!(fates.len(), backups.len());
            for (backup, fate) in backups.iter().zip(&fates) {
                prop_assert_eq!(backup.protected, *fate == Fate::Protected);
            }
            let kept = fates.iter().filter(|fate| matches!(fate, Fate::Kept(..))).count() as u64;
            let open = backups.iter().filter(|backup| !backup.protected).count() as u64;
            if let Some(most) = retention.most() {
                prop_assert!(kept <= most);
                let last = u64::from(retention.count(Rule::Last));
                prop_assert!(kept >= last.min(open));
                // The newest that is not protected always stays.
                let newest = (0..backups.len()).rev().find(|index| !backups[*index].protected);
                prop_assert!(newest.is_none_or(|index| fates[index].stays()));
            } else {
                prop_assert!(fates.iter().all(|fate| fate.stays()));
            }
            // The order in which backups are given does not matter.
            let reversed: Vec<Candidate> = backups.iter().rev().copied().collect();
            let mut again = retention.preview(&reversed, &TimeZone::UTC);
            again.reverse();
            prop_assert_eq!(again, fates);
        }
    }
}
