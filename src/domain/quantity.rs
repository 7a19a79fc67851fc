//! Sizes, fractions and spans of time, as people write and read them.

use std::fmt;

/// Bytes in binary units: `512 B`, `1.9 GiB`. Three significant digits, never more than 8 columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub u64);

const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

impl Bytes {
    /// The short form of lists, without the `iB`: `1.9G`, at most 5 columns.
    pub fn short(self) -> String {
        let (value, unit) = self.scaled();
        if unit == 0 {
            format!("{value:.0}")
        } else {
            format!("{}{}", digits(value), UNITS[unit])
        }
    }

    fn scaled(self) -> (f64, usize) {
        let mut value = self.0 as f64;
        let mut unit = 0;
        // 999.5 would round to four digits: step up before that.
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        (value, unit)
    }
}

fn digits(value: f64) -> String {
    if value >= 9.95 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = self.scaled();
        if unit == 0 {
            f.pad(&format!("{value:.0} B"))
        } else {
            f.pad(&format!("{} {}iB", digits(value), UNITS[unit]))
        }
    }
}

/// A fraction as a percentage without decimals: `97%`. Not a number is `–`.
pub fn percent(fraction: f64) -> String {
    if fraction.is_finite() {
        format!("{:.0}%", fraction * 100.0)
    } else {
        "–".to_owned()
    }
}

/// Used of total as a fraction; `None` where there is no total.
pub fn ratio(used: Option<u64>, total: Option<u64>) -> Option<f64> {
    match (used, total) {
        (Some(used), Some(total)) if total > 0 => Some(used as f64 / total as f64),
        _ => None,
    }
}

/// A span of seconds in its largest unit: `12d`, `3h`, `4m`, `9s`. At most 5 columns up to 99,999 days.
pub fn short_span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How old something is, in steps that rarely change: `<15s`, `15s`, `30s`, `45s`, `4m`, `3h`, `12d`. A screen that
/// counts seconds is never still, and sends each of them over a slow line.
pub fn age(seconds: i64) -> String {
    age_within(seconds, 15)
}

/// The same for what is renewed by itself: as long as it is younger than `rhythm` seconds, only that is said.
pub fn age_within(seconds: i64, rhythm: i64) -> String {
    match seconds {
        _ if seconds < rhythm => format!("<{}", short_span(rhythm)),
        ..60 => format!("{}s", seconds / 15 * 15),
        _ => short_span(seconds),
    }
}

/// A span of seconds in two units: `12d 4h`, `3h 07m`, `4m 09s`.
pub fn long_span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_columns() {
        for (bytes, short, long) in [
            (0, "0", "0 B"),
            (999, "999", "999 B"),
            (1000, "1.0K", "1.0 KiB"),
            (1_048_576, "1.0M", "1.0 MiB"),
            (2_040_109_465, "1.9G", "1.9 GiB"),
            (12_573_614_080, "12G", "12 GiB"),
            (u64::MAX, "16E", "16 EiB"),
        ] {
            assert_eq!(Bytes(bytes).short(), short);
            assert_eq!(Bytes(bytes).to_string(), long);
        }
    }

    #[test]
    fn spans_read_naturally() {
        assert_eq!(short_span(59), "59s");
        assert_eq!(short_span(3 * 86_400), "3d");
        assert_eq!(long_span(11_220), "3h 07m");
        assert_eq!(long_span(-5), "0s");
    }

    #[test]
    fn an_age_rests_between_its_steps() {
        for (seconds, shown) in [
            (-3, "<15s"),
            (14, "<15s"),
            (15, "15s"),
            (44, "30s"),
            (59, "45s"),
            (61, "1m"),
        ] {
            assert_eq!(age(seconds), shown);
        }
        for (seconds, shown) in [(0, "<45s"), (44, "<45s"), (45, "45s"), (130, "2m")] {
            assert_eq!(age_within(seconds, 45), shown);
        }
    }

    #[test]
    fn no_total_is_no_ratio() {
        assert_eq!(ratio(Some(1), Some(0)), None);
        assert_eq!(ratio(None, Some(3)), None);
        assert_eq!(ratio(Some(1), Some(2)), Some(0.5));
    }
}
