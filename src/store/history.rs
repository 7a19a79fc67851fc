//! What was seen over the last minutes, small enough to be kept for every guest.
//!
//! What always holds here: a moment without a reading is a gap, never a zero and never the value before it.

use jiff::Timestamp;

use super::readings::Recent;

/// How many samples are kept.
pub const SAMPLES: usize = 60;

/// The mark of a moment without a reading.
const GAP: u8 = u8::MAX;
/// What 100 % is stored as: steps of half a per cent are finer than any sparkline.
const FULL: f32 = 200.0;

/// The last [`SAMPLES`] readings of one fraction, evenly spaced.
#[derive(Clone, PartialEq, Debug)]
pub struct Ring {
    samples: [u8; SAMPLES],
    /// Where the next sample goes.
    next: u8,
    /// Seconds between samples.
    step: u16,
    /// The second of the last sample.
    last: Option<i64>,
}

impl Ring {
    /// An empty ring with one sample each `step` seconds.
    pub fn new(step: u16) -> Self {
        Self {
            samples: [GAP; SAMPLES],
            next: 0,
            step: step.max(1),
            last: None,
        }
    }

    /// Seconds between samples.
    pub fn step(&self) -> i64 {
        i64::from(self.step)
    }

    /// Takes a reading. Moments that were skipped become gaps; another reading of the same moment replaces it.
    pub fn push(&mut self, at: Timestamp, value: Option<f64>) {
        let at = at.as_second();
        // Readings come nearly, not exactly, one step apart: so the distance to the last one is rounded.
        let steps = self.last.map_or(1, |last| {
            at.saturating_sub(last)
                .saturating_add(self.step() / 2)
                .div_euclid(self.step())
        });
        for _ in 1..steps.min(SAMPLES as i64 + 1) {
            self.put(GAP);
        }
        if steps < 1 {
            self.next = (self.next + SAMPLES as u8 - 1) % SAMPLES as u8;
        }
        self.put(quantised(value));
        // A replaced sample keeps its moment, or readings that come too fast would replace it for ever. A clock
        // that went back starts anew.
        if steps != 0 {
            self.last = Some(at);
        }
    }

    fn put(&mut self, sample: u8) {
        self.samples[usize::from(self.next)] = sample;
        self.next = (self.next + 1) % SAMPLES as u8;
    }

    /// All samples, the oldest first; `None` is a gap or a time before the first reading.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Option<f32>> + ExactSizeIterator + '_ {
        (0..SAMPLES).map(|index| {
            let sample = self.samples[(usize::from(self.next) + index) % SAMPLES];
            (sample != GAP).then(|| f32::from(sample) / FULL)
        })
    }

    /// The same with the second of each, from the first reading on.
    pub fn points(&self) -> impl Iterator<Item = (i64, Option<f32>)> + '_ {
        let last = self.last.unwrap_or_default();
        let newest = SAMPLES as i64 - 1;
        self.samples()
            .enumerate()
            .skip_while(|(_, sample)| sample.is_none())
            .map(move |(index, sample)| (last - (newest - index as i64) * self.step(), sample))
    }

    /// The same with what was before its first reading in front of it.
    fn after(&self, before: impl Iterator<Item = (Timestamp, Option<f64>)>) -> Self {
        let first = self.points().next().map_or(i64::MAX, |(second, _)| second);
        let mut ring = Self::new(self.step);
        for (at, value) in before.take_while(|(at, _)| at.as_second() < first - self.step() / 2) {
            ring.push(at, value);
        }
        for (second, value) in self.points() {
            let at = Timestamp::from_second(second).unwrap_or_default();
            ring.push(at, value.map(f64::from));
        }
        ring
    }

    /// Whether the last `count` readings are all there and all at least `limit`.
    pub fn stays_above(&self, limit: f32, count: usize) -> bool {
        count > 0
            && self
                .samples()
                .rev()
                .take(count)
                .all(|sample| sample.is_some_and(|value| value >= limit))
    }
}

fn quantised(value: Option<f64>) -> u8 {
    match value {
        Some(value) if value.is_finite() => {
            (value as f32 * FULL).round().clamp(0.0, f32::from(GAP - 1)) as u8
        }
        _ => GAP,
    }
}

/// The last ten minutes of a node or guest.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// CPU use as a fraction of all its CPUs.
    pub cpu: Ring,
    /// Memory in use as a fraction of its limit.
    pub mem: Ring,
}

impl Default for History {
    fn default() -> Self {
        // pvestatd renews its readings each 10 s.
        Self {
            cpu: Ring::new(10),
            mem: Ring::new(10),
        }
    }
}

impl History {
    pub(super) fn push(&mut self, at: Timestamp, cpu: Option<f64>, mem: Option<f64>) {
        self.cpu.push(at, cpu);
        self.mem.push(at, mem);
    }
}

impl History {
    /// Puts what is told of earlier moments in front of what was seen here.
    pub(super) fn begin_with(&mut self, recent: &Recent) {
        let first = self.cpu.points().next().map(|(second, _)| second);
        let earlier = |first: i64| !recent.is_empty() && recent.at(0).as_second() + 15 < first;
        // A full ring has no room for more.
        if self.cpu.samples().next().flatten().is_some() || !first.is_none_or(earlier) {
            return;
        }
        let rows = 0..recent.len();
        let share = |row| Some(recent.get(row, "mem")? / recent.get(row, "maxmem")?);
        let of_node = |row| Some(recent.get(row, "memused")? / recent.get(row, "memtotal")?);
        let mem = |row| share(row).or_else(|| of_node(row));
        self.mem = self.mem.after(rows.clone().map(|row| (recent.at(row), mem(row))));
        self.cpu = self
            .cpu
            .after(rows.map(|row| (recent.at(row), recent.get(row, "cpu"))));
    }
}

/// How full a storage was: one sample each five minutes, five hours in all.
pub(super) fn fill_ring() -> Ring {
    Ring::new(300)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn last(ring: &Ring, count: usize) -> Vec<Option<f32>> {
        ring.samples().skip(SAMPLES - count).collect()
    }

    #[test]
    fn a_missed_reading_is_a_gap() {
        let mut ring = Ring::new(10);
        ring.push(at(1000), Some(0.5));
        ring.push(at(1010), Some(0.25));
        ring.push(at(1040), Some(1.0));
        assert_eq!(
            last(&ring, 6),
            [None, Some(0.5), Some(0.25), None, None, Some(1.0)]
        );
    }

    #[test]
    fn points_know_their_seconds() {
        let mut ring = Ring::new(10);
        assert_eq!(ring.points().count(), 0);
        for (second, value) in [(1000, Some(0.5)), (1010, None), (1020, Some(1.0))] {
            ring.push(at(second), value);
        }
        let points: Vec<_> = ring.points().collect();
        assert_eq!(points, [(1000, Some(0.5)), (1010, None), (1020, Some(1.0))]);
    }

    #[test]
    fn reading_again_at_once_replaces_the_sample() {
        let mut ring = Ring::new(10);
        ring.push(at(1000), Some(0.5));
        ring.push(at(1003), Some(0.75));
        assert_eq!(last(&ring, 2), [None, Some(0.75)]);
    }

    #[test]
    fn a_long_silence_leaves_nothing_but_gaps() {
        let mut ring = Ring::new(10);
        ring.push(at(0), Some(0.5));
        ring.push(at(1_000_000), Some(0.5));
        assert_eq!(ring.samples().flatten().count(), 1);
    }

    #[test]
    fn a_clock_that_went_back_does_no_harm() {
        let mut ring = Ring::new(10);
        ring.push(at(1000), Some(0.5));
        ring.push(at(10), Some(0.75));
        ring.push(at(20), Some(1.0));
        assert_eq!(last(&ring, 3), [None, Some(0.75), Some(1.0)]);
    }

    #[test]
    fn no_number_is_a_gap_and_odd_numbers_are_bounded() {
        let mut ring = Ring::new(10);
        for (step, value) in [None, Some(f64::NAN), Some(-3.0), Some(77.0)]
            .into_iter()
            .enumerate()
        {
            ring.push(at(step as i64 * 10), value);
        }
        assert_eq!(last(&ring, 4), [None, None, Some(0.0), Some(1.27)]);
    }

    #[test]
    fn above_needs_every_reading() {
        let mut ring = Ring::new(10);
        for second in [0, 10, 20] {
            ring.push(at(second), Some(0.95));
        }
        assert!(ring.stays_above(0.9, 3));
        assert!(!ring.stays_above(0.9, 4));
        ring.push(at(40), Some(0.95));
        assert!(!ring.stays_above(0.9, 3), "a gap is no evidence");
    }
}
