//! The log of a task, put together from the parts that were read.

use std::collections::VecDeque;

use crate::domain::task::TaskLog;

/// More lines than anybody scrolls back; older ones go.
const LINES: usize = 5_000;

/// What the server says instead of nothing: it is no line of the log.
const PLACEHOLDER: &str = "no content";

/// The lines of a task's log that are kept.
#[derive(Default, PartialEq, Debug)]
pub struct LogBuffer {
    first: usize,
    lines: VecDeque<Box<str>>,
    total: usize,
}

impl LogBuffer {
    /// Number of the first line that is kept, counted from 0.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The lines from [`first`](Self::first) on, without a hole. Foreign text.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.lines.iter().map(AsRef::as_ref)
    }

    /// The line with this place among the kept ones.
    pub fn line(&self, index: usize) -> Option<&str> {
        self.lines.get(index).map(AsRef::as_ref)
    }

    /// How many lines are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether no line is kept.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of the line behind the last one: where the next read starts.
    pub fn next(&self) -> usize {
        self.first + self.lines.len()
    }

    /// Lines that the server had in all at the last read.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Takes a part. Says whether anything changed.
    pub(super) fn take(&mut self, part: TaskLog) -> bool {
        let part = without_placeholder(part);
        let total_changed = self.total != part.total;
        self.total = part.total;
        let end = self.next();
        if part.lines.is_empty() {
            return total_changed;
        }
        if part.start > end || part.start < self.first {
            // A hole between the parts would read as if nothing had happened in between: start anew.
            self.lines.clear();
            self.first = part.start;
        }
        let keep = part.start - self.first;
        let known = self
            .lines
            .range(keep..)
            .zip(&part.lines)
            .take_while(|(old, new)| old == new)
            .count();
        if keep + known == self.lines.len() && known == part.lines.len() {
            return total_changed;
        }
        self.lines.truncate(keep);
        self.lines.extend(part.lines);
        let surplus = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..surplus);
        self.first += surplus;
        true
    }
}

/// An empty log comes as one line that says so. Taken as a line it would hide the first real one.
fn without_placeholder(mut part: TaskLog) -> TaskLog {
    if part.start == 0 && part.lines.len() == 1 && part.total <= 1 && &*part.lines[0] == PLACEHOLDER {
        part.lines.clear();
        part.total = 0;
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: usize, lines: &[&str], total: usize) -> TaskLog {
        TaskLog {
            start,
            lines: lines.iter().map(|line| (*line).into()).collect(),
            total,
        }
    }

    fn text(log: &LogBuffer) -> Vec<&str> {
        log.lines().collect()
    }

    #[test]
    fn parts_join_and_overlap() {
        let mut log = LogBuffer::default();
        assert!(log.take(part(0, &["a", "b"], 2)));
        assert!(log.take(part(2, &["c"], 3)));
        assert!(log.take(part(1, &["b", "c", "d"], 4)));
        assert_eq!(text(&log), ["a", "b", "c", "d"]);
        assert_eq!(log.next(), 4);
        assert!(!log.take(part(2, &["c", "d"], 4)), "nothing new");
        assert!(!log.take(part(4, &[], 4)), "nothing new");
    }

    #[test]
    fn the_placeholder_does_not_hide_the_first_line() {
        let mut log = LogBuffer::default();
        log.take(part(0, &["no content"], 1));
        assert_eq!((log.next(), log.total()), (0, 0));
        log.take(part(0, &["starting"], 1));
        assert_eq!(text(&log), ["starting"]);
    }

    #[test]
    fn a_hole_starts_anew() {
        let mut log = LogBuffer::default();
        log.take(part(0, &["a"], 1));
        log.take(part(7, &["h"], 8));
        assert_eq!((log.first(), text(&log)), (7, vec!["h"]));
    }

    #[test]
    fn old_lines_go() {
        let mut log = LogBuffer::default();
        for start in 0..6_000 {
            log.take(part(start, &["x"], start + 1));
        }
        assert_eq!((log.first(), log.len(), log.next()), (1_000, LINES, 6_000));
    }
}
