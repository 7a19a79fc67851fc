//! When a guest expires: from a tag `expires-2026-12-31`, or a line `expires: 2026-12-31` of its notes.
//!
//! What always holds here: a guest lives until the end of that day, in UTC. Of several dates the earliest counts.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{config::GuestConfig, guest::Guest};

/// How the tag begins.
const TAG: &str = "expires-";
/// How the line of the notes begins, in any case.
const LINE: &str = "expires:";

/// The end of the day that a text begins with.
fn end_of(text: &str) -> Option<Timestamp> {
    let date: Date = text.trim().get(..10)?.parse().ok()?;
    let next = date.tomorrow().ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// When a guest expires, by its tags and, where they are known, its notes.
pub fn expiry(guest: &Guest, config: Option<&GuestConfig>) -> Option<Timestamp> {
    let tags = guest.tags.iter().filter_map(|tag| end_of(tag.strip_prefix(TAG)?));
    let notes = config
        .and_then(|config| config.get("description"))
        .unwrap_or_default();
    let lines = notes.lines().filter_map(|line| {
        let line = line.trim();
        let head = line.get(..LINE.len())?;
        head.eq_ignore_ascii_case(LINE)
            .then(|| end_of(&line[LINE.len()..]))
            .flatten()
    });
    tags.chain(lines).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight() {
        assert_eq!(end_of("2026-12-31"), "2027-01-01T00:00:00Z".parse().ok());
        assert_eq!(end_of(" 2026-02-28 or so"), "2026-03-01T00:00:00Z".parse().ok());
        for wrong in ["2026-13-01", "soon", "", "2026-02-30", "31.12.2026"] {
            assert_eq!(end_of(wrong), None, "{wrong}");
        }
    }
}
