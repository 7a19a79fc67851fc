//! The axis of values: from where to where, and which values are written beside it.

use super::units::short;
use crate::domain::metric::Unit;

/// Ticks are at least this many rows apart.
const APART: usize = 3;

/// From where to where values go, with the values that are written beside the axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Scale {
    /// The value at the bottom.
    pub low: f64,
    /// The value at the top, always greater.
    pub high: f64,
    /// Values and what is written for them, the least first.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// The axis for values between `least` and `greatest` on so many rows. It begins at zero, or below where values are
    /// below; it ends at a tick, so that it rests while values change a little.
    pub fn new(least: f64, greatest: f64, unit: Unit, rows: usize) -> Self {
        let least = least.min(0.0);
        let greatest = greatest
            .max(0.0)
            .max(quiet(unit).min(if least < 0.0 { 0.0 } else { f64::MAX }));
        let greatest = if greatest > least {
            greatest
        } else {
            least + quiet(unit)
        };
        let most = (rows.saturating_sub(1) / APART).clamp(1, 8) as f64;
        let span = |step: f64| (least / step).floor()..=(greatest / step).ceil();
        let step = steps(unit, (greatest - least) / most / 4.0)
            .find(|step| {
                let span = span(*step);
                span.end() - span.start() <= most
            })
            // Of one interval there may be no step that fits around zero: then two are more than was asked for.
            .unwrap_or(greatest - least);
        let (first, last) = span(step).into_inner();
        let (low, high) = (first * step, last * step);
        let count = ((last - first) as usize).min(16);
        let ticks = (0..=count)
            .map(|index| {
                let value = (first + index as f64) * step;
                (value, short(value, step, low.abs().max(high), unit))
            })
            .collect();
        Self { low, high, ticks }
    }

    /// Where a value lies: 0 at the bottom, 1 at the top.
    pub fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Whether a value can be seen.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The columns of the widest tick.
    pub fn width(&self) -> u16 {
        let widest = self.ticks.iter().map(|(_, text)| text.chars().count()).max();
        widest.unwrap_or(0).min(12) as u16
    }
}

/// The least that an axis reaches up to: below it everything is noise.
fn quiet(unit: Unit) -> f64 {
    match unit {
        Unit::Ratio => 0.1,
        Unit::Bytes | Unit::BytesPerSecond => 1024.0,
        Unit::Seconds => 0.001,
        Unit::PerSecond | Unit::Number => 1.0,
    }
}

/// Steps that people count in, upwards, from about `least`.
fn steps(unit: Unit, least: f64) -> Box<dyn Iterator<Item = f64>> {
    const CLOCK: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0,
        21_600.0, 43_200.0,
    ];
    match unit {
        Unit::Bytes | Unit::BytesPerSecond => {
            let first = least.max(1.0).log2().floor() as i32;
            Box::new((first..first + 12).map(|power| 2_f64.powi(power)))
        }
        Unit::Seconds if (0.5..40_000.0).contains(&least) => Box::new(
            CLOCK
                .into_iter()
                .chain((0..20).map(|power| 86_400.0 * 2_f64.powi(power))),
        ),
        Unit::Seconds if least >= 40_000.0 => Box::new(decimal(least / 86_400.0).map(|step| step * 86_400.0)),
        Unit::Ratio | Unit::Seconds | Unit::PerSecond | Unit::Number => Box::new(decimal(least)),
    }
}

fn decimal(least: f64) -> impl Iterator<Item = f64> {
    let first = least.max(1e-12).log10().floor() as i32;
    (first..first + 4).flat_map(|power| {
        // Dividing keeps 0.1 what it is; a power below zero would not.
        let scale = 10_f64.powi(power.abs());
        [1.0, 2.0, 2.5, 5.0].map(|digit| if power < 0 { digit / scale } else { digit * scale })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn texts(least: f64, greatest: f64, unit: Unit, rows: usize) -> Vec<String> {
        let scale = Scale::new(least, greatest, unit, rows);
        scale.ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[rstest]
    #[case(0.0, 0.71, Unit::Ratio, 13, &["0%", "20%", "40%", "60%", "80%"])]
    #[case(0.0, 0.97, Unit::Ratio, 8, &["0%", "50%", "100%"])]
    #[case(0.0, 0.003, Unit::Ratio, 8, &["0%", "5%", "10%"])]
    #[case(0.0, 3_500_000_000.0, Unit::Bytes, 13, &["0", "1G", "2G", "3G", "4G"])]
    #[case(0.0, 700_000.0, Unit::BytesPerSecond, 8, &["0/s", "0.5M/s", "1.0M/s"])]
    #[case(-3.0, 7.0, Unit::Number, 13, &["-5", "0", "5", "10"])]
    #[case(0.0, 0.0, Unit::Number, 5, &["0", "1"])]
    #[case(0.0, 420.0, Unit::Seconds, 13, &["0min", "2min", "4min", "6min", "8min"])]
    fn ticks_are_what_people_count_in(
        #[case] least: f64,
        #[case] greatest: f64,
        #[case] unit: Unit,
        #[case] rows: usize,
        #[case] expected: &[&str],
    ) {
        assert_eq!(texts(least, greatest, unit, rows), expected);
    }

    proptest! {
        #[test]
        fn every_value_has_its_place(
            a in -1e100..1e100_f64,
            b in -1e100..1e100_f64,
            small in 1e-120..1.0_f64,
            unit in prop::sample::select(Unit::NAMED.map(|(_, unit)| unit).to_vec()),
            rows in 0_usize..100,
        ) {
            let (least, greatest) = (a.min(b) * small, a.max(b) * small);
            let scale = Scale::new(least, greatest, unit, rows);
            prop_assert!(scale.low < scale.high, "{scale:?}");
            prop_assert!(scale.low <= least && greatest <= scale.high, "{scale:?} around {least}..{greatest}");
            prop_assert!(scale.ticks.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(scale.ticks.len() <= rows / APART + 3, "{scale:?}");
        }
    }
}
