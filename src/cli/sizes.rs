//! Values of options that are more than a word or a number: how each is written, and within which bounds.

/// A span of time in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span(pub i64);

impl std::str::FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HINT: &str = "a span is written as 10m, 6h, 7d, 4w or 1y, from a minute to two years";
        const UNITS: [(char, i64); 5] = [
            ('m', 60),
            ('h', 3600),
            ('d', 86_400),
            ('w', 604_800),
            ('y', 31_536_000),
        ];
        let unit = text
            .chars()
            .last()
            .and_then(|last| UNITS.iter().find(|(unit, _)| *unit == last));
        let (letter, seconds) = unit.ok_or(HINT)?;
        let number: i64 = text.trim_end_matches(*letter).parse().map_err(|_| HINT)?;
        let span = number.checked_mul(*seconds).ok_or(HINT)?;
        if (60..=2 * 31_536_000).contains(&span) {
            Ok(Self(span))
        } else {
            Err(HINT)
        }
    }
}

/// Columns and rows of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size(u16, u16);

impl From<Size> for (u16, u16) {
    fn from(size: Size) -> Self {
        (size.0, size.1)
    }
}

impl std::str::FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HINT: &str = "a size is written as 120x40, from 20x5 to 500x200";
        let (columns, rows) = text.split_once('x').ok_or(HINT)?;
        let size = Self(
            columns.parse().map_err(|_| HINT)?,
            rows.parse().map_err(|_| HINT)?,
        );
        if (20..=500).contains(&size.0) && (5..=200).contains(&size.1) {
            Ok(size)
        } else {
            Err(HINT)
        }
    }
}
