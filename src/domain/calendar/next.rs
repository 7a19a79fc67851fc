//! When a calendar event comes next.

use jiff::{
    SignedDuration, Timestamp, ToSpan, Zoned,
    civil::{Date, Time},
    tz::{OffsetConflict, TimeZone},
};

use super::CalendarEvent;

/// The servers give up after as many steps.
const STEPS: usize = 1000;

impl CalendarEvent {
    /// The first run after this moment, for a server with local time in `zone`; `None` if there is none, such as for
    /// the 30th of February.
    pub fn next_after(&self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let zone = if self.utc { &TimeZone::UTC } else { zone };
        let start = Timestamp::from_second(moment.as_second().checked_add(1)?).ok()?;
        let mut at = start.to_zoned(zone.clone());
        for _ in 0..STEPS {
            if self.fits(&at) {
                return Some(at.timestamp());
            }
            at = self.step(&at)?;
        }
        None
    }

    fn fits(&self, at: &Zoned) -> bool {
        self.years.hold(at.year() as u32)
            && self.months.hold(at.month() as u32)
            && self.days.hold(at.day() as u32)
            && (self.any_weekday() || self.weekdays & (1 << at.weekday().to_monday_zero_offset()) != 0)
            && self.hours.hold(at.hour() as u32)
            && self.minutes.hold(at.minute() as u32)
            && self.seconds.hold(at.second() as u32)
    }

    /// From a moment that does not fit on to the next that may; `None` if none ever will.
    fn step(&self, at: &Zoned) -> Option<Zoned> {
        let year = at.year() as u32;
        if !self.years.hold(year) {
            let next = self.years.after(year)?;
            return day(at, Date::new(i16::try_from(next).ok()?, 1, 1).ok()?);
        }
        let month = at.month() as u32;
        if !self.months.hold(month) {
            let first = at.date().first_of_year();
            let next = match self.months.after(month).filter(|month| *month <= 12) {
                Some(month) => Date::new(at.year(), month as i8, 1).ok()?,
                None => first.checked_add(1.year()).ok()?,
            };
            return day(at, next);
        }
        let number = at.day() as u32;
        if !self.days.hold(number) {
            let next = match self.days.after(number) {
                // Behind the end of a short month this is a day of the next one, which is looked at like any other.
                Some(later) => at.date().checked_add((i64::from(later - number)).days()),
                None => at.date().first_of_month().checked_add(1.month()),
            };
            return day(at, next.ok()?);
        }
        if !self.any_weekday() {
            let weekday = at.weekday().to_monday_zero_offset();
            if self.weekdays & (1 << weekday) == 0 {
                let next = (weekday + 1..7).find(|later| self.weekdays & (1 << later) != 0);
                let days = next.unwrap_or(7) - weekday;
                return day(at, at.date().checked_add(i64::from(days).days()).ok()?);
            }
        }
        let hour = at.hour() as u32;
        if !self.hours.hold(hour) {
            return match self.hours.after(hour).filter(|hour| *hour < 24) {
                Some(hour) => time(at, Time::new(hour as i8, 0, 0, 0).ok()?),
                None => day(at, at.date().tomorrow().ok()?),
            };
        }
        let minute = at.minute() as u32;
        if !self.minutes.hold(minute) {
            return match self.minutes.after(minute).filter(|minute| *minute < 60) {
                Some(minute) => time(at, Time::new(at.hour(), minute as i8, 0, 0).ok()?),
                // In elapsed time: an hour that comes twice is gone through twice.
                None => later(at, 3600 - (i64::from(at.minute()) * 60 + i64::from(at.second()))),
            };
        }
        let second = at.second() as u32;
        match self.seconds.after(second).filter(|second| *second < 60) {
            Some(second) => time(at, Time::new(at.hour(), at.minute(), second as i8, 0).ok()?),
            None => later(at, 60 - i64::from(at.second())),
        }
    }
}

/// The first moment of a day.
fn day(at: &Zoned, date: Date) -> Option<Zoned> {
    date.to_zoned(at.time_zone().clone()).ok()
}

/// A later time of the same day; in an hour that comes twice, the same one of the two.
fn time(at: &Zoned, time: Time) -> Option<Zoned> {
    at.with()
        .time(time)
        .offset_conflict(OffsetConflict::PreferOffset)
        .build()
        .ok()
}

fn later(at: &Zoned, seconds: i64) -> Option<Zoned> {
    at.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 3600;
    const DAY: i64 = 86_400;
    /// Thursday, 1970-01-01.
    const THURSDAY: i64 = 0;
    /// Friday, 2020-07-31.
    const JULY: i64 = 1_596_153_600;

    fn next(event: &str, last: i64, zone: &TimeZone) -> Option<i64> {
        let event: CalendarEvent = event.parse().unwrap();
        event
            .next_after(Timestamp::from_second(last).unwrap(), zone)
            .map(Timestamp::as_second)
    }

    #[test]
    fn the_next_run_is_that_of_the_servers() {
        for (event, last, expected) in [
            ("0", THURSDAY, HOUR),
            ("*", THURSDAY, MINUTE),
            ("*/15", 14 * MINUTE, 15 * MINUTE),
            ("*/15", 45 * MINUTE, HOUR),
            ("*:*:*", THURSDAY, 1),
            ("*:3:5", THURSDAY, 3 * MINUTE + 5),
            ("mon 2:50", THURSDAY, 4 * DAY + 2 * HOUR + 50 * MINUTE),
            ("thu", THURSDAY, 7 * DAY),
            ("sun", THURSDAY, 3 * DAY),
            ("4..10/2:0", 5 * HOUR, 6 * HOUR),
            ("4..10/2:0", 11 * HOUR, DAY + 4 * HOUR),
            ("10,5:8,4", THURSDAY, 5 * HOUR + 4 * MINUTE),
            ("6,4..10:23,5/5", THURSDAY, 4 * HOUR + 5 * MINUTE),
            ("5/2:0", 9 * HOUR, 11 * HOUR),
            ("sat", JULY, JULY + DAY),
            ("2020-07-31", 0, JULY),
            ("02-29", 0, 2 * 365 * DAY + 59 * DAY),
            ("1965/5-01-01", -1, 0),
            ("2020-7..9-2/2", JULY, JULY + 2 * DAY),
            ("daily", 1, DAY),
            ("minutely", 0, MINUTE),
            ("hourly", 0, HOUR),
            ("weekly", 0, 4 * DAY),
            ("monthly", 0, 31 * DAY),
            ("quarterly", 0, 90 * DAY),
            ("semi-annually", 0, 181 * DAY),
            ("yearly", 0, 365 * DAY),
            // The first Saturday of the month.
            ("sat *-1..7 01:00", JULY, JULY + DAY + HOUR),
            (
                "mon..fri 02:30",
                JULY + 3 * HOUR,
                JULY + 3 * DAY + 2 * HOUR + 30 * MINUTE,
            ),
        ] {
            assert_eq!(next(event, last, &TimeZone::UTC), Some(expected), "{event}");
        }
        for never in ["2021-02-29", "02-30"] {
            assert_eq!(next(never, 0, &TimeZone::UTC), None, "{never}");
        }
    }

    #[test]
    fn clocks_that_are_changed_skip_and_repeat_runs() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-03-29: from 02:00 CET the clock goes to 03:00 CEST. There is no 02:30.
        let spring = 1_774_738_800; // 2026-03-29 00:00 CET
        assert_eq!(
            next("02:30", spring, &berlin),
            Some(spring + DAY + HOUR + 30 * MINUTE)
        );
        // 2026-10-25: 02:30 comes twice.
        let autumn = 1_792_879_200; // 2026-10-25 00:00 CEST
        let first = autumn + 2 * HOUR + 30 * MINUTE;
        assert_eq!(next("02:30", autumn, &berlin), Some(first));
        assert_eq!(next("02:30", first, &berlin), Some(first + HOUR));
        assert_eq!(next("*/30", first, &berlin), Some(first + 30 * MINUTE));
        // And UTC knows of none of that.
        assert_eq!(
            next("02:30 UTC", spring, &berlin),
            Some(spring + 3 * HOUR + 30 * MINUTE)
        );
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        for (text, why) in [
            ("noon", "`noon` is no day"),
            ("noon-ish", "`noon` is no day"),
            ("never", "`never` is no day"),
            ("", "neither a day nor a time"),
            ("70:00", "too large"),
            ("10:99", "too large"),
            ("mon 02:30 x", "left over"),
            ("10..4:00", "behind its end"),
            ("mon..fri at 2", "missing before"),
        ] {
            let error = text.parse::<CalendarEvent>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        for text in [
            "MON",
            "Tuesday",
            "fri..mon",
            "mon,tue..wednesday,fri..sat",
            "mon..sun 0/6:00",
            // Minute and second: a server reads it so.
            "25:00",
        ] {
            assert!(text.parse::<CalendarEvent>().is_ok(), "{text}");
        }
    }
}
