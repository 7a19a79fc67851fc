//! The last half hour of all objects of a cluster, as `/cluster/metrics/export` tells it: a row each ten seconds.
//!
//! What always holds here:
//! - Fields have the names and meanings of Proxmox's recordings, so that a measure reads both alike.
//! - A moment or a value that was not told is a gap, never a zero.
//! - Memory is bounded by the number of rows of all objects together.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    metric::Sample,
    rate,
    reading::{Reading, ReadingOf},
};

/// As many generations as the server keeps.
const GENERATIONS: usize = 181;
/// Rows of all objects together.
const ROWS: usize = 60_000;
/// No matter how many objects there are, so many rows are kept of each: a sparkline's worth.
const LEAST: usize = 12;
/// A counter's values farther apart than this have no rate.
const LONGEST: SignedDuration = SignedDuration::from_secs(45);

type Fields = &'static [(&'static str, &'static str)];

const NODE: Fields = &[
    ("cpu_current", "cpu"),
    ("cpu_iowait", "iowait"),
    ("cpu_avg1", "loadavg"),
    ("mem_used", "memused"),
    ("mem_total", "memtotal"),
    ("swap_used", "swapused"),
    ("swap_total", "swaptotal"),
    ("disk_used", "rootused"),
    ("disk_total", "roottotal"),
    ("net_in", "netin"),
    ("net_out", "netout"),
];
const GUEST: Fields = &[
    ("cpu_current", "cpu"),
    ("mem_used", "mem"),
    ("mem_total", "maxmem"),
    ("disk_read", "diskread"),
    ("disk_write", "diskwrite"),
    ("net_in", "netin"),
    ("net_out", "netout"),
];
const STORAGE: Fields = &[("disk_used", "used"), ("disk_total", "total")];

fn fields(of: &ReadingOf) -> Fields {
    match of {
        ReadingOf::Node(_) => NODE,
        ReadingOf::Guest(_) => GUEST,
        ReadingOf::Storage(..) => STORAGE,
    }
}

/// The readings of all objects of a cluster.
#[derive(Default, Debug)]
pub(super) struct Readings(HashMap<ReadingOf, Recent>);

/// The readings of one object, the oldest first.
#[derive(Debug)]
pub struct Recent {
    fields: Fields,
    seconds: VecDeque<i64>,
    /// A value for each moment, by field; NaN where there is none.
    values: Vec<VecDeque<f32>>,
    /// What a counter showed last.
    counters: Vec<Option<Sample>>,
}

impl Readings {
    pub(super) fn get(&self, of: &ReadingOf) -> Option<&Recent> {
        self.0.get(of)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ReadingOf, &Recent)> {
        self.0.iter()
    }

    /// Takes what was told in any order. Says whether there was anything new in it.
    pub(super) fn take(&mut self, mut readings: Vec<Reading>) -> bool {
        readings.sort_by_key(|reading| reading.sample.at);
        let mut news = false;
        for reading in readings {
            let known = self.0.entry(reading.of.clone());
            let recent = known.or_insert_with(|| Recent::new(fields(&reading.of)));
            news |= recent.take(&reading);
        }
        let keep = (ROWS / self.0.len().max(1)).clamp(LEAST, GENERATIONS);
        for recent in self.0.values_mut() {
            recent.cut(keep);
        }
        news
    }

    /// Forgets what is not there any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(&ReadingOf) -> bool) {
        self.0.retain(|of, _| is_there(of));
    }
}

impl Recent {
    fn new(fields: Fields) -> Self {
        Self {
            fields,
            seconds: VecDeque::new(),
            values: vec![VecDeque::new(); fields.len()],
            counters: vec![None; fields.len()],
        }
    }

    fn take(&mut self, reading: &Reading) -> bool {
        let place = self
            .fields
            .iter()
            .position(|(metric, _)| **metric == *reading.metric);
        let Some(place) = place else { return false };
        let second = reading.sample.at.as_second();
        let last = self.seconds.back().copied();
        if last.is_some_and(|last| second < last) {
            return false;
        }
        let mut value = reading.sample.value;
        if reading.counts {
            let before = self.counters[place];
            if before.is_some_and(|before| before.at >= reading.sample.at) {
                return false;
            }
            self.counters[place] = Some(reading.sample);
            let grown = before.and_then(|before| rate::rate(before, reading.sample, LONGEST));
            value = grown.unwrap_or(f64::NAN);
        }
        if last != Some(second) {
            self.seconds.push_back(second);
            for values in &mut self.values {
                values.push_back(f32::NAN);
            }
        }
        let newest = self.values[place].back_mut();
        match newest {
            Some(newest) if newest.is_nan() => *newest = value as f32,
            _ => return false,
        }
        true
    }

    fn cut(&mut self, keep: usize) {
        let gone = self.seconds.len().saturating_sub(keep);
        self.seconds.drain(..gone);
        for values in &mut self.values {
            values.drain(..gone);
        }
    }

    /// How many moments there are.
    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// A moment.
    pub fn at(&self, row: usize) -> Timestamp {
        let second = self.seconds.get(row).copied().unwrap_or_default();
        Timestamp::from_second(second).unwrap_or_default()
    }

    /// The value of a field at a moment.
    pub fn get(&self, row: usize, field: &str) -> Option<f64> {
        let place = self.fields.iter().position(|(_, name)| *name == field)?;
        let value = f64::from(*self.values[place].get(row)?);
        value.is_finite().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Vmid;

    fn reading(vmid: u32, metric: &str, counts: bool, second: i64, value: f64) -> Reading {
        Reading {
            of: ReadingOf::Guest(Vmid(vmid)),
            metric: metric.into(),
            counts,
            sample: Sample {
                at: Timestamp::from_second(second).unwrap(),
                value,
            },
        }
    }

    #[test]
    fn counters_become_rates_and_what_is_told_twice_counts_once() {
        let mut readings = Readings::default();
        let told = |from: i64| {
            (from..from + 3).flat_map(|step| {
                let at = 1_000 + step * 10;
                [
                    reading(100, "net_in", true, at, step as f64 * 500.0),
                    reading(100, "cpu_current", false, at, 0.25),
                    reading(100, "uptime", false, at, 9.0),
                ]
            })
        };
        let mut backwards: Vec<Reading> = told(0).collect();
        backwards.reverse();
        assert!(readings.take(backwards));
        assert!(!readings.take(told(0).collect()), "nothing new");
        assert!(readings.take(told(1).collect()));
        let recent = readings.get(&ReadingOf::Guest(Vmid(100))).unwrap();
        let rates: Vec<Option<f64>> = (0..recent.len()).map(|row| recent.get(row, "netin")).collect();
        assert_eq!(rates, [None, Some(50.0), Some(50.0), Some(50.0)]);
        assert_eq!(recent.at(3).as_second(), 1_030);
        assert_eq!((recent.get(0, "cpu"), recent.get(0, "mem")), (Some(0.25), None));
    }

    #[test]
    fn a_big_cluster_keeps_fewer_moments() {
        let mut readings = Readings::default();
        for step in 0..20 {
            let generation = (0..10_000).map(|vmid| reading(vmid, "cpu_current", false, step * 10, 0.5));
            readings.take(generation.collect());
        }
        assert!(readings.iter().all(|(_, recent)| recent.len() == LEAST));
        readings.retain(|of| *of == ReadingOf::Guest(Vmid(7)));
        assert_eq!(readings.iter().count(), 1);
    }
}
