//! Which backups of a group a prune keeps, in the words of the real server: it marks from the newest to the oldest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};

use super::world::Snapshot;

/// The rules in the order in which they are applied, with what two backups have in common that count as one.
pub(super) const RULES: [(&str, &str); 6] = [
    ("keep-last", "%Y-%m-%dT%H:%M:%S %z"),
    ("keep-hourly", "%Y/%m/%d/%H"),
    ("keep-daily", "%Y/%m/%d"),
    ("keep-weekly", "%G/%V"),
    ("keep-monthly", "%Y/%m"),
    ("keep-yearly", "%Y"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Keep,
    KeepPartial,
    Protected,
    Remove,
}

/// Whether each backup stays. They are of one group; the order of the answer is theirs.
pub(super) fn select(group: &[&Snapshot], keep: &[(&'static str, u64)], zone: &TimeZone) -> Vec<bool> {
    let mut newest_first: Vec<usize> = (0..group.len()).collect();
    newest_first.sort_by_key(|index| std::cmp::Reverse(group[*index].time));
    let mut marks: BTreeMap<usize, Mark> = BTreeMap::new();
    let mut partial = Mark::KeepPartial;
    for &index in &newest_first {
        if !group[index].finished {
            marks.insert(index, partial);
        }
        partial = Mark::Remove;
    }
    for (rule, format) in RULES {
        let Some((_, count)) = keep.iter().find(|(name, _)| *name == rule) else {
            continue;
        };
        let period = |index: usize| {
            let time = Timestamp::from_second(group[index].time).unwrap_or_default();
            time.to_zoned(zone.clone()).strftime(format).to_string()
        };
        let before: BTreeSet<String> = newest_first
            .iter()
            .filter(|index| marks.get(index) == Some(&Mark::Keep))
            .map(|index| period(*index))
            .collect();
        let mut taken = BTreeSet::new();
        for &index in &newest_first {
            if marks.contains_key(&index) {
                continue;
            }
            if group[index].protected {
                marks.insert(index, Mark::Protected);
                continue;
            }
            let period = period(index);
            if before.contains(&period) {
                continue;
            }
            if taken.contains(&period) {
                marks.insert(index, Mark::Remove);
            } else if taken.len() as u64 >= *count {
                break;
            } else {
                taken.insert(period);
                marks.insert(index, Mark::Keep);
            }
        }
    }
    (0..group.len())
        .map(|index| {
            group[index].protected
                || keep.is_empty()
                || !matches!(marks.get(&index), None | Some(Mark::Remove))
        })
        .collect()
}
