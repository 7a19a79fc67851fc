//! Reading a calendar event.

use std::str::FromStr;

use super::{CalendarEvent, Span, Values};

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

impl FromStr for CalendarEvent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, utc) = match text.strip_suffix("UTC") {
            Some(rest) => (rest.trim_end_matches(' '), true),
            None => (text, false),
        };
        let mut event = named(rest).map_or_else(|| spelled(rest), Ok).map_err(|what| {
            format!("`{text}` is no calendar event: {what}; write for example mon..fri 02:30, 21:00 or */15")
        })?;
        event.text = text.into();
        event.utc = utc;
        Ok(event)
    }
}

/// An event at the first moment of some days.
fn midnight() -> CalendarEvent {
    CalendarEvent {
        text: Box::default(),
        utc: false,
        weekdays: 0,
        years: Values::default(),
        months: Values::default(),
        days: Values::default(),
        hours: Values::one(0),
        minutes: Values::one(0),
        seconds: Values::one(0),
    }
}

fn named(word: &str) -> Option<CalendarEvent> {
    let mut event = midnight();
    let months = |months: &[u32]| Values(months.iter().map(|month| Span::one(*month)).collect());
    match word {
        "minutely" => {
            event.hours = Values::default();
            event.minutes = Values::default();
        }
        "hourly" => event.hours = Values::default(),
        "daily" => {}
        "weekly" => event.weekdays = 1,
        "monthly" => event.days = Values::one(1),
        "quarterly" | "semiannually" | "semi-annually" | "yearly" | "annually" => {
            event.days = Values::one(1);
            event.months = match word {
                "quarterly" => months(&[1, 4, 7, 10]),
                "yearly" | "annually" => months(&[1]),
                _ => months(&[1, 7]),
            };
        }
        _ => return None,
    }
    Some(event)
}

fn spelled(text: &str) -> Result<CalendarEvent, String> {
    let mut event = midnight();
    let mut rest = text;
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        (event.weekdays, rest) = weekdays(rest)?;
        rest = rest.trim_start_matches([' ', '\t']);
    } else if rest.is_empty() {
        return Err("it says neither a day nor a time".to_owned());
    }
    // What begins like a date but is none may still be a time.
    if let Some((date, behind)) = date(rest) {
        [event.years, event.months, event.days] = date;
        rest = behind.trim_start_matches([' ', '\t']);
    }
    if !rest.is_empty() {
        [event.hours, event.minutes, event.seconds] = time(rest)?;
    }
    Ok(event)
}

fn weekdays(text: &str) -> Result<(u8, &str), String> {
    let mut days = 0;
    let mut rest = text;
    loop {
        let (first, behind) = weekday(rest)?;
        let mut last = first;
        rest = behind;
        if let Some(range) = rest.strip_prefix("..") {
            (last, rest) = weekday(range)?;
        }
        let mut day = first;
        loop {
            days |= 1 << day;
            if day == last {
                break;
            }
            day = (day + 1) % 7;
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((days, rest)),
        }
    }
}

fn weekday(text: &str) -> Result<(u8, &str), String> {
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let lower = word.to_ascii_lowercase();
    DAYS.iter()
        .position(|day| *day == lower || day[..3] == lower)
        .map(|day| (day as u8, rest))
        .ok_or_else(|| format!("`{word}` is no day of the week"))
}

/// `year-month-day` or `month-day`.
fn date(text: &str) -> Option<([Values; 3], &str)> {
    let dash = |text: &str| -> Option<usize> { text.starts_with('-').then_some(1) };
    let with_year = || {
        let (years, rest) = values(text, 0, 2200).ok()?;
        let (months, rest) = values(&rest[dash(rest)?..], 1, 13).ok()?;
        let (days, rest) = values(&rest[dash(rest)?..], 1, 32).ok()?;
        Some(([years, months, days], rest))
    };
    let without = || {
        let (months, rest) = values(text, 1, 13).ok()?;
        let (days, rest) = values(&rest[dash(rest)?..], 1, 32).ok()?;
        Some(([Values::default(), months, days], rest))
    };
    with_year().or_else(without)
}

/// `hours:minutes:seconds`, `hours:minutes`, or minutes alone.
fn time(text: &str) -> Result<[Values; 3], String> {
    let hours_first = values(text, 0, 24)
        .ok()
        .and_then(|(hours, rest)| Some((hours, rest.strip_prefix(':')?)));
    let (hours, rest) = hours_first.unwrap_or((Values::default(), text));
    let (minutes, mut rest) = values(rest, 0, 60)?;
    let mut seconds = Values::one(0);
    if let Some(more) = rest.strip_prefix(':') {
        (seconds, rest) = values(more, 0, 60)?;
    }
    if rest.is_empty() {
        Ok([hours, minutes, seconds])
    } else {
        Err(format!("`{rest}` is left over"))
    }
}

/// `*`, `*/15`, or a list of `5`, `1..7`, `5/2`, `4..10/2`; each value below `limit`.
fn values(text: &str, start: u32, limit: u32) -> Result<(Values, &str), String> {
    if let Some(rest) = text.strip_prefix('*') {
        if let Some(more) = rest.strip_prefix('/') {
            let (step, behind) = number(more, limit)?;
            if step > 0 {
                let span = Span {
                    first: start,
                    last: None,
                    step,
                };
                return Ok((Values(vec![span]), behind));
            }
        }
        return Ok((Values::default(), rest));
    }
    let mut spans = Vec::new();
    let mut rest = text;
    loop {
        let (first, behind) = number(rest, limit)?;
        let mut span = Span::one(first);
        rest = behind;
        if let Some(range) = rest.strip_prefix("..") {
            let (last, behind) = number(range, limit)?;
            if first > last {
                return Err(format!("the range {first}..{last} begins behind its end"));
            }
            span.last = Some(last);
            rest = behind;
        }
        if let Some(more) = rest.strip_prefix('/') {
            let (step, behind) = number(more, limit)?;
            span.step = step;
            if span.last == Some(first) && !text_has_range(&text[..text.len() - rest.len()]) {
                span.last = None;
            }
            rest = behind;
        }
        spans.push(span);
        // A comma that no number follows is not ours.
        match rest
            .strip_prefix(',')
            .filter(|more| more.starts_with(|c: char| c.is_ascii_digit()))
        {
            Some(more) => rest = more,
            None => return Ok((Values(spans), rest)),
        }
    }
}

/// Whether the last value of a list was written as a range.
fn text_has_range(text: &str) -> bool {
    text.rsplit(',').next().is_some_and(|value| value.contains(".."))
}

fn number(text: &str, limit: u32) -> Result<(u32, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        let what: String = text.chars().take(12).collect();
        return Err(if what.is_empty() {
            "a number is missing at the end".to_owned()
        } else {
            format!("a number is missing before `{what}`")
        });
    }
    match digits.parse::<u32>() {
        Ok(value) if value < limit => Ok((value, rest)),
        _ => Err(format!("{digits} is too large, {} is the most", limit - 1)),
    }
}
