//! Load that moves: smooth pseudo-random walks, computed from seed and time alone.
//!
//! Nothing is stored and nothing ticks: any moment, past ones too, can be asked for at any time and always gives the
//! same answer. That is what makes graphs, counters and the present agree with each other.

use std::f64::consts::TAU;

/// How often the server renews its figures, in seconds.
pub(crate) const RHYTHM: i64 = 10;

/// Mixes numbers into one that looks random.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A fraction in `0..1` from some numbers.
pub(crate) fn fraction(parts: &[u64]) -> f64 {
    (mix(parts) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A smooth walk in `0..1` that changes its mind every `period` seconds.
pub(crate) fn walk(id: u64, at: i64, period: i64) -> f64 {
    let step = at.div_euclid(period);
    let within = at.rem_euclid(period) as f64 / period as f64;
    let eased = within * within * (3.0 - 2.0 * within);
    let from = fraction(&[id, step.cast_unsigned()]);
    let to = fraction(&[id, (step + 1).cast_unsigned()]);
    from + (to - from) * eased
}

/// A busy-hours curve in `0..1`, lowest at night.
pub(crate) fn daylight(at: i64) -> f64 {
    let hour = at.rem_euclid(86_400) as f64 / 86_400.0;
    0.5 - 0.5 * ((hour - 0.08) * TAU).cos()
}

/// The load of one guest: how hard it works, told by three numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// A number of its own.
    pub(crate) id: u64,
    /// Its usual share of its CPUs.
    pub(crate) busy: f64,
    /// Its usual share of its memory.
    pub(crate) full: f64,
}

impl Profile {
    /// Share of its CPUs in use.
    pub(crate) fn cpu(&self, at: i64) -> f64 {
        let slow = walk(self.id, at, 900);
        let quick = walk(self.id ^ 0x55, at, 70);
        let spike = if walk(self.id ^ 0x77, at, 400) > 0.93 {
            0.35
        } else {
            0.0
        };
        let share = self.busy * (0.35 + 0.9 * slow + 0.35 * quick + 0.5 * daylight(at));
        (share + spike).clamp(0.001, 0.995)
    }

    /// Share of its memory in use.
    pub(crate) fn memory(&self, at: i64) -> f64 {
        (self.full * (0.9 + 0.2 * walk(self.id ^ 0x11, at, 3600))).clamp(0.02, 0.985)
    }

    /// Bytes moved since `since` for one of the counters: never falls while the guest runs.
    pub(crate) fn counter(&self, which: u64, since: i64, at: i64) -> u64 {
        let seconds = (at - since).max(0) as f64;
        let mean = 2_000.0 + 900_000.0 * self.busy * (0.2 + fraction(&[self.id, which]));
        // The integral of mean * (1 + 0.8 sin): always rising.
        let pace = TAU / (300.0 + 400.0 * fraction(&[self.id, which, 1]));
        (mean * (seconds + 0.8 / pace * (1.0 - (pace * seconds).cos()))) as u64
    }

    /// Bytes a second of the same counter.
    pub(crate) fn rate(&self, which: u64, since: i64, at: i64) -> f64 {
        let earlier = self.counter(which, since, at - RHYTHM);
        (self.counter(which, since, at) - earlier) as f64 / RHYTHM as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_are_smooth_and_repeat_themselves() {
        for at in 0..5000 {
            let here = walk(7, at, 300);
            assert!((0.0..=1.0).contains(&here));
            assert!((walk(7, at + 1, 300) - here).abs() < 0.02);
        }
        assert!((walk(7, 1234, 300) - walk(7, 1234, 300)).abs() < f64::EPSILON);
        assert!((walk(7, 1234, 300) - walk(8, 1234, 300)).abs() > f64::EPSILON);
    }

    #[test]
    fn counters_never_fall() {
        let profile = Profile {
            id: 42,
            busy: 0.3,
            full: 0.6,
        };
        let mut last = 0;
        for at in (1000..9000).step_by(7) {
            let now = profile.counter(1, 1000, at);
            assert!(now >= last, "{now} < {last} at {at}");
            last = now;
        }
        assert!(last > 0);
    }
}
