//! Values in words: with all their unit, or short enough for an axis.

use crate::domain::metric::Unit;

const BINARY: [&str; 9] = ["", "K", "M", "G", "T", "P", "E", "Z", "Y"];
const DECIMAL: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// A value with its unit: `12.3%`, `1.9 GiB`, `512 KiB/s`, `350 ms`, `0.42`.
pub fn value(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Ratio => format!("{}%", digits(value * 100.0)),
        Unit::Bytes => bytes(value),
        Unit::BytesPerSecond => format!("{}/s", bytes(value)),
        Unit::Seconds => seconds(value),
        Unit::PerSecond => format!("{}/s", decimal(value)),
        Unit::Number => decimal(value),
    }
}

fn bytes(value: f64) -> String {
    let (scaled, power) = scaled(value, 1024.0, BINARY.len());
    match BINARY[power] {
        "" => format!("{} B", digits(scaled)),
        letter => format!("{} {letter}iB", digits(scaled)),
    }
}

fn decimal(value: f64) -> String {
    if value.abs() >= 1e18 {
        return format!("{value:.1e}");
    }
    // Up to four digits are read at a glance.
    if value.abs() < 9_999.5 {
        return digits(value);
    }
    let (scaled, power) = scaled(value, 1000.0, DECIMAL.len());
    format!("{}{}", digits(scaled), DECIMAL[power])
}

fn seconds(value: f64) -> String {
    match value.abs() {
        0.0 => "0 s".to_owned(),
        ..0.001 => format!("{} us", digits(value * 1e6)),
        ..1.0 => format!("{} ms", digits(value * 1e3)),
        ..120.0 => format!("{} s", digits(value)),
        ..7200.0 => format!("{} min", digits(value / 60.0)),
        ..172_800.0 => format!("{} h", digits(value / 3600.0)),
        days => format!("{} d", digits(days.copysign(value) / 86_400.0)),
    }
}

/// The value in steps of `base`, and how many steps.
fn scaled(value: f64, base: f64, most: usize) -> (f64, usize) {
    let mut scaled = value;
    let mut power = 0;
    // What would round to four digits steps up before that.
    while scaled.abs() >= 999.5 && power + 1 < most {
        scaled /= base;
        power += 1;
    }
    (scaled, power)
}

/// Three significant digits where there is something behind the point.
fn digits(value: f64) -> String {
    let rounded = match value.abs() {
        ..0.000_5 if value != 0.0 => return format!("{value:.1e}"),
        ..1.0 => format!("{value:.3}"),
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        1e15.. => return format!("{value:.1e}"),
        _ => return format!("{value:.0}"),
    };
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// A value on an axis with ticks `step` apart, up to `top`: `50%`, `1.5G`, `512K/s`. No two ticks read alike.
pub fn short(value: f64, step: f64, top: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{}%", exact(value * 100.0, step * 100.0)),
        Unit::Bytes => axis(value, step, top, 1024.0, &BINARY),
        Unit::BytesPerSecond => axis(value, step, top, 1024.0, &BINARY) + "/s",
        Unit::Seconds => {
            let (divisor, word) = match top.abs() {
                ..0.001 => (1e-6, "us"),
                ..1.0 => (1e-3, "ms"),
                ..=120.0 => (1.0, "s"),
                ..=7200.0 => (60.0, "min"),
                ..=172_800.0 => (3600.0, "h"),
                _ => (86_400.0, "d"),
            };
            exact(value / divisor, step / divisor) + word
        }
        Unit::PerSecond => axis(value, step, top, 1000.0, &DECIMAL) + "/s",
        Unit::Number => axis(value, step, top, 1000.0, &DECIMAL),
    }
}

fn axis(value: f64, step: f64, top: f64, base: f64, letters: &[&str]) -> String {
    if top.abs() >= 1e18 && base < 1024.0 {
        return format!("{value:.0e}");
    }
    let mut divisor = 1.0;
    let mut power = 0;
    while top.abs() / divisor >= base && power + 1 < letters.len() {
        divisor *= base;
        power += 1;
    }
    let number = exact(value / divisor, step / divisor);
    if value == 0.0 {
        return number;
    }
    number + letters[power]
}

/// With as many decimals as steps of this size need.
fn exact(value: f64, step: f64) -> String {
    let mut decimals = 0;
    let mut shown = step.abs();
    while decimals < 6 && (shown - shown.round()).abs() > 1e-6 * shown.max(1e-3) {
        shown *= 10.0;
        decimals += 1;
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0.1234, Unit::Ratio, "12.3%")]
    #[case(1.0, Unit::Ratio, "100%")]
    #[case(0.000_06, Unit::Ratio, "0.006%")]
    #[case(0.0, Unit::Ratio, "0%")]
    #[case(2_040_109_465.0, Unit::Bytes, "1.9 GiB")]
    #[case(1023.0, Unit::Bytes, "0.999 KiB")]
    #[case(524_288.0, Unit::BytesPerSecond, "512 KiB/s")]
    #[case(0.35, Unit::Seconds, "350 ms")]
    #[case(90.0, Unit::Seconds, "90 s")]
    #[case(-864_000.0, Unit::Seconds, "-10 d")]
    #[case(1234.0, Unit::Number, "1234")]
    #[case(12_345.0, Unit::PerSecond, "12.3k/s")]
    #[case(0.42, Unit::Number, "0.42")]
    #[case(f64::NAN, Unit::Bytes, "–")]
    #[case(1e50, Unit::Number, "1.0e50")]
    fn values(#[case] number: f64, #[case] unit: Unit, #[case] text: &str) {
        assert_eq!(value(number, unit), text);
    }

    #[rstest]
    #[case(0.5, 0.25, 1.0, Unit::Ratio, "50%")]
    #[case(0.025, 0.025, 0.1, Unit::Ratio, "2.5%")]
    #[case(1_610_612_736.0, 536_870_912.0, 2_147_483_648.0, Unit::Bytes, "1.5G")]
    #[case(262_144.0, 262_144.0, 1_048_576.0, Unit::BytesPerSecond, "0.25M/s")]
    #[case(0.0, 1.0, 4.0, Unit::BytesPerSecond, "0/s")]
    #[case(2_500.0, 500.0, 3_000.0, Unit::Number, "2.5k")]
    #[case(0.02, 0.01, 0.04, Unit::Seconds, "20ms")]
    fn ticks_of_axes(
        #[case] value: f64,
        #[case] step: f64,
        #[case] top: f64,
        #[case] unit: Unit,
        #[case] text: &str,
    ) {
        assert_eq!(short(value, step, top, unit), text);
    }
}
