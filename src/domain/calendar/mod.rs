//! Calendar events, the language in which jobs say when they run: `mon..fri 02:30`, `*/15`, `sat *-1..7 01:00`.
//!
//! What always holds here: what the servers refuse is refused, and the next run is the one that they compute. The
//! language is Proxmox's own dialect of systemd's: a number alone is a minute, and `*/15` is every 15 minutes.

mod next;
mod parse;
mod words;

use std::fmt;

/// When something runs again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalendarEvent {
    /// As it was written.
    text: Box<str>,
    /// It follows UTC, not the server's local time.
    utc: bool,
    /// Monday is bit 0. No bit is any day.
    weekdays: u8,
    years: Values,
    months: Values,
    days: Values,
    hours: Values,
    minutes: Values,
    seconds: Values,
}

impl CalendarEvent {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn any_weekday(&self) -> bool {
        self.weekdays == 0 || self.weekdays == 0x7f
    }
}

impl fmt::Display for CalendarEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The values that one field may have; none is any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Values(Vec<Span>);

/// Values of a field: from one to another in steps. A step of 0 is the first value alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    first: u32,
    last: Option<u32>,
    step: u32,
}

impl Span {
    fn one(value: u32) -> Self {
        Self {
            first: value,
            last: Some(value),
            step: 1,
        }
    }

    fn holds(self, value: u32) -> bool {
        if self.step == 0 {
            return value == self.first;
        }
        value >= self.first
            && self.last.is_none_or(|last| value <= last)
            && (value - self.first).is_multiple_of(self.step)
    }

    /// The next value after this one.
    fn after(self, value: u32) -> Option<u32> {
        if value < self.first {
            return Some(self.first);
        }
        if self.step == 0 {
            return None;
        }
        let next = self.first + ((value - self.first) / self.step + 1) * self.step;
        self.last.is_none_or(|last| next <= last).then_some(next)
    }
}

impl Values {
    fn one(value: u32) -> Self {
        Self(vec![Span::one(value)])
    }

    fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    fn hold(&self, value: u32) -> bool {
        self.is_any() || self.0.iter().any(|span| span.holds(value))
    }

    /// The smallest value greater than this one.
    fn after(&self, value: u32) -> Option<u32> {
        self.0.iter().filter_map(|span| span.after(value)).min()
    }

    /// All values up to `most`, in order.
    fn listed(&self, most: u32) -> Vec<u32> {
        (0..=most).filter(|value| self.hold(*value)).collect()
    }
}
