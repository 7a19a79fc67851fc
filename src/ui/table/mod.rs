//! The table of every list: filter, sort, marks, and a selection that stays on its object.
//!
//! What always holds here:
//! - The selection is an identity, not a row number. When its object goes, the neighbour takes its place.
//! - Order is worked out when data, filter or sort change ([`TableState::refresh`]), never while drawing.
//! - Only visible rows are turned into cells.

pub mod draw;
mod state;

use std::cmp::Ordering;

pub use state::{Move, TableState};

use super::cell::{Align, Cell};
use crate::domain::{ObjectRef, filter::Filter};

/// How wide a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// Always this many columns.
    Fixed(u16),
    /// At least this many, and a share of what is left in proportion to the second number.
    Grow(u16, u16),
    /// At least the first and at most the second number: what is short does not drift away from its neighbours.
    Between(u16, u16),
}

impl Width {
    /// The least it takes.
    pub fn least(self) -> u16 {
        match self {
            Self::Fixed(width) | Self::Grow(width, _) | Self::Between(width, _) => width,
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Title, and the name that `get` and the configuration use.
    pub title: &'static str,
    /// How wide.
    pub width: Width,
    /// 0 is always shown; the highest number is the first to go when room is short.
    pub rank: u8,
    /// To which side title and cells lean.
    pub align: Align,
    /// Whether the first sort by it starts with the highest: loads do, names do not.
    pub high_first: bool,
}

impl Column {
    /// A column of text.
    pub const fn text(title: &'static str, width: Width, rank: u8) -> Self {
        Self {
            title,
            width,
            rank,
            align: Align::Left,
            high_first: false,
        }
    }

    /// A column of numbers, sorted from the highest.
    pub const fn number(title: &'static str, width: u16, rank: u8) -> Self {
        Self {
            title,
            width: Width::Fixed(width),
            rank,
            align: Align::Right,
            high_first: true,
        }
    }
}

/// The rows of a list, in no particular order. Implemented by each pane over what the store holds.
pub trait Rows {
    /// Its columns.
    fn columns(&self) -> &[Column];
    /// How many rows there are in all.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// What a row is about.
    fn id(&self, row: usize) -> ObjectRef;
    /// Whether a row passes the filter.
    fn matches(&self, row: usize, filter: &Filter) -> bool;
    /// The order of two rows by a column, ascending.
    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering;
    /// What a row shows in a column. Called for visible rows only.
    fn cell(&self, row: usize, column: usize) -> Cell;
}

/// Orders optional numbers: what is not known comes before everything that is.
pub fn by_number(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
    }
}

/// Orders names as people do: `web-2` before `web-10`, case ignored.
pub fn by_name(a: &str, b: &str) -> Ordering {
    // Most names of an estate begin alike: only what differs is worth a closer look.
    let same = alike(a, b);
    let (a, b) = (&a[same..], &b[same..]);
    let (mut a, mut b) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                match take_number(&mut a).cmp(&take_number(&mut b)) {
                    Ordering::Equal => {}
                    other => return other,
                }
            }
            (Some(x), Some(y)) => {
                let order = if x.is_ascii() && y.is_ascii() {
                    x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase())
                } else {
                    x.to_lowercase().cmp(y.to_lowercase())
                };
                match order {
                    Ordering::Equal => {}
                    other => return other,
                }
                a.next();
                b.next();
            }
        }
    }
}

/// How many bytes both begin with, without the start of a number or of a character that goes on.
fn alike(a: &str, b: &str) -> usize {
    let mut same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    while same > 0 && (!a.is_char_boundary(same) || a.as_bytes()[same - 1].is_ascii_digit()) {
        same -= 1;
    }
    same
}

fn take_number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> u128 {
    let mut number = 0u128;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        number = number.saturating_mul(10).saturating_add(digit.into());
        chars.next();
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_read_them() {
        let mut names = vec!["web-10", "Web-2", "db", "web-2b", "web-1"];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(names, ["db", "web-1", "Web-2", "web-2b", "web-10"]);
    }

    #[test]
    fn a_number_is_compared_as_a_whole_although_it_begins_alike() {
        assert_eq!(by_name("vm-19", "vm-2"), Ordering::Greater);
        assert_eq!(by_name("vm-19", "vm-191"), Ordering::Less);
        assert_eq!(by_name("vm-19a", "vm-19b"), Ordering::Less);
        assert_eq!(by_name("vm-2", "vm-02"), Ordering::Equal);
        // `é` and `è` share their first byte.
        assert_eq!(by_name("caf\u{e9}", "caf\u{e8}"), Ordering::Greater);
    }

    #[test]
    fn the_unknown_comes_first() {
        assert_eq!(by_number(None, Some(0.0)), Ordering::Less);
        assert_eq!(by_number(Some(2.0), Some(1.0)), Ordering::Greater);
    }
}
