//! A calendar event in words.

use super::{CalendarEvent, Span, Values};

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// As many times of the day are listed one by one.
const LISTED: usize = 6;

impl CalendarEvent {
    /// What it says, for people: `Monday to Friday at 02:30`.
    pub fn words(&self) -> String {
        let (time, often) = self.time();
        let mut text = match (self.day(), often) {
            (None, true) => time,
            (None, false) => format!("every day {time}"),
            (Some(day), true) => format!("{time}, {day}"),
            (Some(day), false) => format!("{day} {time}"),
        };
        if self.utc {
            text.push_str(" UTC");
        }
        text
    }

    /// The days, unless it is each day.
    fn day(&self) -> Option<String> {
        let weekdays = (!self.any_weekday()).then(|| weekdays(self.weekdays));
        let date = self.date();
        match (weekdays, date) {
            (None, None) => None,
            (Some(weekdays), None) => Some(weekdays),
            (None, Some(date)) => Some(date),
            (Some(weekdays), Some(date)) => Some(format!("{date}, if {weekdays},")),
        }
    }

    fn date(&self) -> Option<String> {
        if self.days.is_any() && self.months.is_any() && self.years.is_any() {
            return None;
        }
        let days = match &self.days.0[..] {
            [] => "each day".to_owned(),
            [
                Span {
                    first,
                    last: Some(last),
                    ..
                },
            ] if first == last => format!("on the {}", ordinal(*first)),
            [
                Span {
                    first,
                    last: Some(last),
                    step: 1,
                },
            ] => {
                format!("from the {} to the {}", ordinal(*first), ordinal(*last))
            }
            _ => {
                let days: Vec<String> = self
                    .days
                    .listed(31)
                    .into_iter()
                    .filter(|day| *day > 0)
                    .map(ordinal)
                    .collect();
                format!("on the {}", and(&days))
            }
        };
        let months: Vec<u32> = self
            .months
            .listed(12)
            .into_iter()
            .filter(|month| *month > 0)
            .collect();
        let months = if self.months.is_any() || months.len() == 12 {
            "every month".to_owned()
        } else {
            let names: Vec<String> = months
                .into_iter()
                .filter_map(|month| MONTHS.get(month as usize - 1))
                .map(ToString::to_string)
                .collect();
            and(&names)
        };
        let years = match &self.years.0[..] {
            [] => String::new(),
            spans => format!(
                " {}",
                and(&spans.iter().map(|span| years(*span)).collect::<Vec<_>>())
            ),
        };
        Some(format!("{days} of {months}{years}"))
    }

    /// The times, and whether they speak of a rhythm instead of moments.
    fn time(&self) -> (String, bool) {
        let seconds = match &self.seconds.0[..] {
            [span] if *span == Span::one(0) => String::new(),
            [] => " in every second".to_owned(),
            spans => format!(" at second {}", spans_of(spans)),
        };
        if seconds == " in every second" && self.minutes.is_any() && self.hours.is_any() {
            return ("every second".to_owned(), true);
        }
        let minutes = self.minutes.listed(59);
        let hours = self.hours.listed(23);
        if hours.len() * minutes.len() <= LISTED {
            let times: Vec<String> = hours
                .iter()
                .flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")))
                .collect();
            return (format!("at {}{seconds}", and(&times)), false);
        }
        let minute = match &self.minutes.0[..] {
            [] => "every minute".to_owned(),
            [
                Span {
                    first: 0,
                    last: None,
                    step,
                },
            ] if *step > 0 => match step {
                1 => "every minute".to_owned(),
                step => format!("every {step} minutes"),
            },
            [span] if *span == Span::one(0) => String::new(),
            spans => format!("at minute {}", spans_of(spans)),
        };
        let hour = match &self.hours.0[..] {
            [] => "every hour".to_owned(),
            [Span { first, last, step }] if *step > 1 => {
                let until = last.map_or(String::new(), |last| format!(" to {last:02}:00"));
                match (first, last) {
                    (0, None) => format!("every {step} hours"),
                    _ => format!("every {step} hours from {first:02}:00{until}"),
                }
            }
            [
                Span {
                    first,
                    last: Some(last),
                    ..
                },
            ] if first < last => {
                format!("every hour from {first:02}:00 to {last:02}:00")
            }
            [
                Span {
                    first, last: None, ..
                },
            ] => format!("every hour from {first:02}:00"),
            spans => format!("in the hours {}", spans_of(spans)),
        };
        let text = match (minute.as_str(), hour.as_str()) {
            ("", hour) => hour.to_owned(),
            (minute, "every hour") if minute.starts_with("every") => minute.to_owned(),
            (minute, hour) if minute.starts_with("every") => {
                format!("{minute}, {}", hour.replace("every hour ", ""))
            }
            (minute, hour) => format!("{hour} {minute}"),
        };
        (text + &seconds, true)
    }
}

fn weekdays(bits: u8) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for day in (0..7).filter(|day| bits & (1 << day) != 0) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    // From Friday over the weekend to Monday is one run.
    if let [(0, end), (start, 6)] = runs[..] {
        runs.remove(0);
        if let Some(last) = runs.last_mut() {
            *last = (start, end);
        }
    }
    let names: Vec<String> = runs
        .into_iter()
        .flat_map(|(first, last)| match (last + 7 - first) % 7 {
            0 => vec![DAYS[first].to_owned()],
            1 => vec![DAYS[first].to_owned(), DAYS[last].to_owned()],
            _ => vec![format!("{} to {}", DAYS[first], DAYS[last])],
        })
        .collect();
    and(&names)
}

fn years(span: Span) -> String {
    match span {
        Span {
            first,
            last: Some(last),
            ..
        } if first == last => first.to_string(),
        Span {
            first,
            last: Some(last),
            step: 1,
        } => format!("{first} to {last}"),
        Span {
            first,
            last: None,
            step,
        } if step > 1 => format!("every {step} years from {first}"),
        Span { first, .. } => format!("from {first}"),
    }
}

fn spans_of(spans: &[Span]) -> String {
    let parts: Vec<String> = spans
        .iter()
        .map(|span| match *span {
            Span {
                first,
                last: Some(last),
                ..
            } if first == last => first.to_string(),
            Span {
                first,
                last: Some(last),
                step: 1,
            } => format!("{first} to {last}"),
            Span { first, step: 0, .. } => first.to_string(),
            Span { first, last, step } => {
                let until = last.map_or(String::new(), |last| format!(" to {last}"));
                format!("{first}{until} in steps of {step}")
            }
        })
        .collect();
    and(&parts)
}

fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl Values {
    #[cfg(test)]
    fn is_sane(&self) -> bool {
        self.0
            .iter()
            .all(|span| span.last.is_none_or(|last| last >= span.first))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_are_explained() {
        for (event, words) in [
            ("mon..fri 02:30", "Monday to Friday at 02:30"),
            ("*/15", "every 15 minutes"),
            (
                "sat *-1..7 01:00",
                "from the 1st to the 7th of every month, if Saturday, at 01:00",
            ),
            ("daily", "every day at 00:00"),
            ("hourly", "every hour"),
            ("minutely", "every minute"),
            ("weekly", "Monday at 00:00"),
            ("monthly", "on the 1st of every month at 00:00"),
            (
                "quarterly",
                "on the 1st of January, April, July and October at 00:00",
            ),
            ("yearly", "on the 1st of January at 00:00"),
            ("21:00", "every day at 21:00"),
            ("2,14:30", "every day at 02:30 and 14:30"),
            (
                "mon,wed,fri..sun 22:15",
                "Monday, Wednesday and Friday to Sunday at 22:15",
            ),
            ("sat,sun 3:00", "Saturday and Sunday at 03:00"),
            ("fri..mon 3:00", "Friday to Monday at 03:00"),
            ("8..17:00", "every hour from 08:00 to 17:00"),
            ("8..17:0/15", "every 15 minutes, from 08:00 to 17:00"),
            ("0/2:00", "every 2 hours"),
            ("5", "every hour at minute 5"),
            ("mon..fri *:0/5", "every 5 minutes, Monday to Friday"),
            ("2027-12-24 18:00", "on the 24th of December 2027 at 18:00"),
            ("03:00 UTC", "every day at 03:00 UTC"),
            ("*:*:*", "every second"),
            ("02:30:05", "every day at 02:30 at second 5"),
        ] {
            let event: CalendarEvent = event.parse().unwrap();
            assert_eq!(event.words(), words, "{event}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_neither_parser_nor_words_fall(
            text in "([a-z]{0,4}(\\.\\.[a-z]{3})?,?)? ?[0-9*/.,-]{0,9} ?[0-9*/.,:]{0,9}",
        ) {
            if let Ok(event) = text.parse::<CalendarEvent>() {
                prop_assert!(!event.words().is_empty());
                prop_assert!(event.hours.is_sane() && event.minutes.is_sane() && event.days.is_sane());
                let now = jiff::Timestamp::from_second(1_795_000_000).unwrap();
                if let Some(next) = event.next_after(now, &jiff::tz::TimeZone::UTC) {
                    prop_assert!(next > now);
                }
            }
        }
    }
}
