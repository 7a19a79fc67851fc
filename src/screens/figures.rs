//! Numbers as cells: short, to the right and of a width that does not change, so that nothing jumps.
//!
//! What always holds here: what is not known is shown as [`Glyphs::none`], never as a zero.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    domain::{
        metric::Unit,
        quantity::{Bytes, percent, short_span},
    },
    ui::{Cell, Glyphs, Tone, graph},
};

/// Columns of [`usage`].
pub const USAGE_WIDTH: u16 = 9;
/// Columns of [`of`].
pub const OF_WIDTH: u16 = 9;
/// Columns of [`moment`].
pub const MOMENT_WIDTH: u16 = 11;

/// No value.
pub fn none(g: &Glyphs) -> Cell {
    Cell::toned(g.none, Tone::Muted).right()
}

/// A fraction as `97%`, toned as a load when it needs a look.
pub fn share(fraction: Option<f64>, g: &Glyphs) -> Cell {
    match known(fraction) {
        Some(fraction) => Cell::toned(percent(fraction), tone(fraction)).right(),
        None => none(g),
    }
}

/// Columns of [`measured`].
pub fn measured_width(unit: Unit) -> u16 {
    match unit {
        Unit::Ratio => 6,
        Unit::Number | Unit::Seconds | Unit::PerSecond => 8,
        // 0.994 KiB
        Unit::Bytes => 9,
        Unit::BytesPerSecond => 11,
    }
}

/// A value of monitoring, with its unit.
pub fn measured(value: Option<f64>, unit: Unit, g: &Glyphs) -> Cell {
    match known(value) {
        Some(value) => Cell::number(graph::value(value, unit)),
        None => none(g),
    }
}

/// A fraction as a gauge and `97%`.
pub fn usage(fraction: Option<f64>, g: &Glyphs) -> Cell {
    match known(fraction) {
        Some(fraction) => Cell::toned(g.gauge(fraction, 4), Tone::of_load(fraction))
            .then(format!(" {:>4}", percent(fraction)), tone(fraction))
            .right(),
        None => none(g),
    }
}

/// Bytes in use of bytes in all: `1.9/4G`, or `512M/4G` where the units differ.
pub fn of(used: Option<u64>, total: Option<u64>, g: &Glyphs) -> Cell {
    let total_text = total.map(|total| whole(&Bytes(total).short()));
    match (used.map(|used| Bytes(used).short()), total_text) {
        (None, None) => none(g),
        (Some(used), None) => Cell::number(used),
        (None, Some(total)) => Cell::toned(format!("{}/{total}", g.none), Tone::Muted).right(),
        (Some(used), Some(total)) => {
            let unit = |text: &str| text.chars().last().filter(char::is_ascii_alphabetic);
            let used = match unit(&used) {
                Some(letter) if unit(&total) == Some(letter) => used.trim_end_matches(letter),
                _ => used.as_str(),
            };
            Cell::number(format!("{used}/{total}"))
        }
    }
}

/// `4.0G` as `4G`: limits are mostly round.
fn whole(text: &str) -> String {
    text.replace(".0", "")
}

/// Bytes.
pub fn bytes(value: Option<u64>, g: &Glyphs) -> Cell {
    value.map_or_else(|| none(g), |value| Cell::number(whole(&Bytes(value).short())))
}

/// A span of seconds.
pub fn span(seconds: Option<u64>, g: &Glyphs) -> Cell {
    seconds.map_or_else(
        || none(g),
        |seconds| Cell::number(short_span(i64::try_from(seconds).unwrap_or(i64::MAX))),
    )
}

/// The last `columns` samples of a fraction as a sparkline.
pub fn trend(samples: impl DoubleEndedIterator<Item = Option<f32>>, columns: usize, g: &Glyphs) -> Cell {
    let mut last: Vec<Option<f64>> = samples
        .rev()
        .take(columns)
        .map(|sample| sample.map(f64::from))
        .collect();
    last.reverse();
    let highest = last.iter().flatten().copied().fold(0.0, f64::max);
    Cell::toned(g.sparkline(last), Tone::of_load(highest))
}

/// A moment: `14:02` today, else `11-20 23:10`, else the date alone.
pub fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    let now = now.to_zoned(zone.clone());
    let form = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    at.strftime(form).to_string()
}

fn known(fraction: Option<f64>) -> Option<f64> {
    fraction.filter(|fraction| fraction.is_finite())
}

/// Numbers stay plain until they need a look: a screen full of green says nothing.
fn tone(fraction: f64) -> Tone {
    match Tone::of_load(fraction) {
        Tone::Good => Tone::Text,
        tone => tone,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const G: &Glyphs = &Glyphs::UNICODE;
    const GIB: u64 = 1 << 30;

    #[rstest]
    #[case(Some(2_040_109_465), Some(4 * GIB), "1.9/4G")]
    #[case(Some(512 << 20), Some(4 * GIB), "512M/4G")]
    #[case(Some(3 * GIB / 2), Some(3 * GIB / 2), "1.5/1.5G")]
    #[case(Some(0), Some(8 * GIB), "0/8G")]
    #[case(None, Some(32 * GIB), "–/32G")]
    #[case(Some(GIB), None, "1.0G")]
    #[case(None, None, "–")]
    #[case(Some(u64::MAX), Some(u64::MAX), "16/16E")]
    #[case(Some(999 << 20), Some(999 * GIB), "999M/999G")]
    fn used_of_total(#[case] used: Option<u64>, #[case] total: Option<u64>, #[case] expected: &str) {
        let cell = of(used, total, G);
        assert_eq!(cell.plain(), expected);
        assert!(cell.plain().chars().count() <= OF_WIDTH.into());
    }

    #[test]
    fn the_unknown_is_no_zero() {
        for cell in [
            share(None, G),
            usage(Some(f64::NAN), G),
            bytes(None, G),
            span(None, G),
        ] {
            assert_eq!(cell.plain(), "–");
        }
        assert_eq!(share(Some(0.0), G).plain(), "0%");
    }

    #[test]
    fn a_gauge_keeps_its_width() {
        for fraction in [0.0, 0.05, 0.5, 1.0, 3.0] {
            assert_eq!(
                usage(Some(fraction), G).plain().chars().count(),
                usize::from(USAGE_WIDTH)
            );
        }
    }

    #[test]
    fn a_trend_shows_the_newest_to_the_right() {
        let samples = [Some(1.0), None, Some(0.0), Some(0.5)];
        assert_eq!(trend(samples.into_iter(), 3, G).plain(), " ▁▄");
    }

    #[test]
    fn moments_say_no_more_than_needed() {
        let now: Timestamp = "2026-03-01T14:02:11Z".parse().unwrap();
        let at = |text: &str| moment(text.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(at("2026-03-01T02:00:00Z"), "02:00");
        assert_eq!(at("2026-02-28T23:10:00Z"), "02-28 23:10");
        assert_eq!(at("2025-12-31T23:10:00Z"), "2025-12-31");
    }
}
