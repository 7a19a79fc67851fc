//! The axis of time: ticks at moments that a clock on the wall shows, days, hours and minutes by the span.

use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned, civil, tz::TimeZone};

use super::Extent;

/// A moment with what is written below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// When.
    pub at: Timestamp,
    /// What is written.
    pub text: String,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many seconds, a divisor of the hour.
    Seconds(i64),
    /// So many hours, a divisor of the day.
    Hours(i8),
    Days(i32),
    Months(i32),
}

use Step::{Days, Hours, Months, Seconds};

const STEPS: [Step; 30] = [
    Seconds(1),
    Seconds(2),
    Seconds(5),
    Seconds(10),
    Seconds(15),
    Seconds(30),
    Seconds(60),
    Seconds(120),
    Seconds(300),
    Seconds(600),
    Seconds(900),
    Seconds(1800),
    Hours(1),
    Hours(2),
    Hours(3),
    Hours(6),
    Hours(12),
    Days(1),
    Days(2),
    Days(4),
    Days(7),
    Days(14),
    Months(1),
    Months(2),
    Months(3),
    Months(6),
    Months(12),
    Months(24),
    Months(60),
    Months(120),
];

impl Step {
    /// About how many seconds.
    fn seconds(self) -> f64 {
        match self {
            Seconds(seconds) => seconds as f64,
            Hours(hours) => f64::from(hours) * 3600.0,
            Days(days) => f64::from(days) * 86_400.0,
            Months(months) => f64::from(months) * 30.4 * 86_400.0,
        }
    }

    /// Columns of what is written.
    fn width(self) -> f64 {
        match self {
            Seconds(..60) => 8.0,
            Seconds(_) | Hours(_) | Days(_) => 5.0,
            Months(_) => 7.0,
        }
    }
}

/// The moments to write below so many columns: as many as are read with ease. Each is later than the one before and in
/// sight.
pub fn ticks(extent: Extent, zone: &TimeZone, columns: u16) -> Vec<Tick> {
    let span = extent.span().as_secs_f64();
    let fits = |step: &Step| f64::from(columns) * step.seconds() / span >= step.width() + 4.0;
    let Some(step) = STEPS.into_iter().find(fits) else {
        return Vec::new();
    };
    let mut last = None;
    moments(extent, zone, step)
        // A clock that is set back shows some hours twice.
        .filter(|at| {
            last.is_none_or(|last| last < *at) && {
                last = Some(*at);
                true
            }
        })
        .skip_while(|at| *at < extent.from)
        .take_while(|at| *at <= extent.to)
        .take(usize::from(columns))
        .map(|at| Tick {
            at,
            text: text(&at.to_zoned(zone.clone()), step),
        })
        .collect()
}

fn moments(extent: Extent, zone: &TimeZone, step: Step) -> Box<dyn Iterator<Item = Timestamp> + '_> {
    let from = extent.from.to_zoned(zone.clone());
    let civil = |at: civil::DateTime| at.to_zoned(zone.clone()).map(|at| at.timestamp()).ok();
    match step {
        Seconds(seconds) => {
            // All offsets from UTC are whole minutes today, and mostly whole quarters of an hour.
            let offset = i64::from(from.offset().seconds());
            let first = (extent.from.as_second() + offset).div_euclid(seconds) * seconds - offset;
            Box::new((0..).map_while(move |index: i64| {
                Timestamp::from_second(first.checked_add(index.checked_mul(seconds)?)?).ok()
            }))
        }
        Hours(hours) => {
            let first = from.date().at(0, 0, 0, 0);
            Box::new((0..).map_while(move |index: i64| {
                let after = SignedDuration::from_hours(index.checked_mul(i64::from(hours))?);
                civil(first.checked_add(after).ok()?)
            }))
        }
        Days(days) => {
            // Counted from a Monday, so that the same days come again when one moves on.
            let monday = civil::date(1970, 1, 5);
            let since = from.date().since(monday).map_or(0, |span| span.get_days());
            let first = since.div_euclid(days) * days;
            Box::new((0..).map_while(move |index: i32| {
                let after = first.checked_add(index.checked_mul(days)?)?;
                civil(monday.checked_add(after.days()).ok()?.at(0, 0, 0, 0))
            }))
        }
        Months(months) => {
            let year = from.date().year();
            let month = i32::from(from.date().month()) - 1;
            let all = i32::from(year) * 12 + month;
            let first = all.div_euclid(months) * months;
            Box::new((0..).map_while(move |index: i32| {
                let all = first.checked_add(index.checked_mul(months)?)?;
                let year = i16::try_from(all.div_euclid(12)).ok()?;
                let month = all.rem_euclid(12) as i8 + 1;
                civil(civil::Date::new(year, month, 1).ok()?.at(0, 0, 0, 0))
            }))
        }
    }
}

fn text(at: &Zoned, step: Step) -> String {
    let midnight = at.time() == civil::Time::midnight();
    let form = match step {
        Seconds(..60) => "%H:%M:%S",
        Seconds(_) | Hours(_) if !midnight => "%H:%M",
        Seconds(_) | Hours(_) | Days(_) => "%m-%d",
        Months(_) => "%Y-%m",
    };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn texts(zone: &str, from: &str, hours: i64, columns: u16) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let from: Timestamp = from.parse().unwrap();
        let extent = Extent::new(from, from + SignedDuration::from_hours(hours));
        ticks(extent, &zone, columns)
            .into_iter()
            .map(|tick| tick.text)
            .collect()
    }

    #[rstest]
    #[case("UTC", "2026-03-01T13:02:11Z", 1, 60, &["13:10", "13:20", "13:30", "13:40", "13:50", "14:00"])]
    #[case("Asia/Kathmandu", "2026-03-01T13:02:11Z", 1, 30, &["19:00", "19:30"])]
    #[case("UTC", "2026-03-01T13:02:11Z", 24, 60, &["18:00", "03-02", "06:00", "12:00"])]
    #[case("UTC", "2026-03-01T13:02:11Z", 24 * 7, 70, &["03-02", "03-03", "03-04", "03-05", "03-06", "03-07", "03-08"])]
    #[case("UTC", "2025-03-01T13:02:11Z", 24 * 365, 70, &["2025-05", "2025-07", "2025-09", "2025-11", "2026-01", "2026-03"])]
    // The clock is put on at two and back at three: all ticks are still what the clock shows.
    #[case("Europe/Berlin", "2026-03-29T00:00:00Z", 3, 30, &["01:00", "03:00", "04:00", "05:00"])]
    #[case("Europe/Berlin", "2026-10-24T22:00:00Z", 6, 60, &["10-25", "01:00", "02:00", "03:00", "04:00", "05:00"])]
    fn ticks_are_what_the_clock_shows(
        #[case] zone: &str,
        #[case] from: &str,
        #[case] hours: i64,
        #[case] columns: u16,
        #[case] expected: &[&str],
    ) {
        assert_eq!(texts(zone, from, hours, columns), expected);
    }

    proptest! {
        #[test]
        fn time_goes_on_and_stays_in_sight(
            from in -3_000_000_000_i64..8_000_000_000,
            span in 0_i64..800_000_000,
            columns in 0_u16..400,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
        ) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let extent = Extent::new(at(from), at(from + span));
            let found = ticks(extent, &TimeZone::get(zone).unwrap(), columns);
            prop_assert!(found.windows(2).all(|pair| pair[0].at < pair[1].at));
            prop_assert!(found.iter().all(|tick| extent.contains(tick.at)));
            prop_assert!(found.len() * 8 <= usize::from(columns) + 8);
        }
    }
}
