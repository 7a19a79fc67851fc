//! What of time is in sight, and how one moves through it.

use jiff::{SignedDuration, Timestamp};

/// A span of time that is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Its left edge.
    pub from: Timestamp,
    /// Its right edge, always later.
    pub to: Timestamp,
}

impl Extent {
    /// From one moment to another; at least a second of it, whatever is asked for.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        let second = SignedDuration::from_secs(1);
        if to.duration_since(from) >= second {
            return Self { from, to };
        }
        match from.checked_add(second) {
            Ok(to) => Self { from, to },
            Err(_) => Self {
                from: from.checked_sub(second).unwrap_or(Timestamp::MIN),
                to: from,
            },
        }
    }

    /// The last `span` before a moment.
    pub fn last(span: SignedDuration, to: Timestamp) -> Self {
        Self::new(to.checked_sub(span).unwrap_or(Timestamp::MIN), to)
    }

    /// How long it is.
    pub fn span(self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    /// Where a moment lies: 0 at the left edge, 1 at the right, less or more outside.
    pub fn place(self, at: Timestamp) -> f64 {
        at.duration_since(self.from).as_secs_f64() / self.span().as_secs_f64()
    }

    /// The moment at a place.
    pub fn at(self, place: f64) -> Timestamp {
        let seconds = self.span().as_secs_f64() * place.clamp(0.0, 1.0);
        SignedDuration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|after| self.from.checked_add(after).ok())
            .map_or(self.to, |at| at.min(self.to))
    }

    /// Whether a moment is in sight.
    pub fn contains(self, at: Timestamp) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// The least and the greatest span that one can zoom to.
const NEAREST: SignedDuration = SignedDuration::from_mins(1);
const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 732);

/// In how many steps the present crosses what is in sight: about as many as there are dots.
const STEPS: i64 = 240;

/// How one looks at a graph: how much of time, whether the end moves on, and where the cursor is. Moving changes nothing
/// else, and the time comes with each move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    span: SignedDuration,
    /// The right edge; `None` follows the present.
    end: Option<Timestamp>,
    cursor: Option<Timestamp>,
}

impl View {
    /// The last `span`, following the present.
    pub fn new(span: SignedDuration) -> Self {
        Self {
            span: span.clamp(NEAREST, FARTHEST),
            end: None,
            cursor: None,
        }
    }

    /// A span with a moment in its middle, the cursor on it. What is not there yet stays empty.
    pub fn around(at: Timestamp, span: SignedDuration) -> Self {
        let view = Self::new(span);
        Self {
            end: Some(at.saturating_add(view.span / 2).unwrap_or(at)),
            cursor: Some(at),
            ..view
        }
    }

    /// How much of time is shown.
    pub fn span(&self) -> SignedDuration {
        self.span
    }

    /// Whether the right edge is the present.
    pub fn follows(&self) -> bool {
        self.end.is_none()
    }

    /// Where the cursor is.
    pub fn cursor(&self) -> Option<Timestamp> {
        self.cursor
    }

    /// What is in sight at a time. The present moves on in steps, or a graph would tremble with each second.
    pub fn extent(&self, now: Timestamp) -> Extent {
        Extent::last(self.span, self.end.unwrap_or_else(|| self.next_step(now)))
    }

    fn next_step(&self, now: Timestamp) -> Timestamp {
        let step = (self.span.as_secs() / STEPS).max(10);
        let next = now.as_second().div_euclid(step) * step + step;
        Timestamp::from_second(next).unwrap_or(now)
    }

    /// Shows another span; what is in the middle (or at the cursor) stays, unless the present is followed.
    pub fn set_span(&mut self, span: SignedDuration, now: Timestamp) {
        let span = span.clamp(NEAREST, FARTHEST);
        if let Some(end) = self.end {
            let extent = self.extent(now);
            let pivot = self
                .cursor
                .filter(|at| extent.contains(*at))
                .unwrap_or_else(|| extent.at(0.5));
            let behind = end.duration_since(pivot).as_secs_f64() / self.span.as_secs_f64();
            let end = SignedDuration::try_from_secs_f64(span.as_secs_f64() * behind)
                .ok()
                .and_then(|behind| pivot.checked_add(behind).ok());
            self.end = end.filter(|end| *end < now);
        }
        self.span = span;
    }

    /// Shows half the time, or twice.
    pub fn zoom(&mut self, nearer: bool, now: Timestamp) {
        // From the present one zooms around the cursor, if there is one to look at.
        if self.end.is_none() && self.cursor.is_some() && nearer {
            self.end = Some(now);
        }
        let span = if nearer {
            self.span / 2
        } else {
            self.span.saturating_add(self.span)
        };
        self.set_span(span, now);
    }

    /// Moves by a part of what is in sight: to the past if negative. The present is the end of all moving.
    pub fn pan(&mut self, part: f64, now: Timestamp) {
        let step = SignedDuration::try_from_secs_f64(self.span.as_secs_f64() * part).unwrap_or_default();
        let end = self.end.unwrap_or(now).checked_add(step);
        let oldest = now.checked_sub(FARTHEST).unwrap_or(Timestamp::MIN);
        self.end = end.ok().filter(|end| *end < now).map(|end| end.max(oldest));
    }

    /// Goes back to the present.
    pub fn follow(&mut self) {
        self.end = None;
    }

    /// Moves the cursor by a part of what is in sight; it appears at the right edge. What is in sight follows it.
    pub fn move_cursor(&mut self, part: f64, now: Timestamp) {
        let extent = self.extent(now);
        let step = SignedDuration::try_from_secs_f64(self.span.as_secs_f64() * part).unwrap_or_default();
        let from = self
            .cursor
            .filter(|at| extent.contains(*at))
            .unwrap_or(extent.to.min(now));
        let at = from.checked_add(step).unwrap_or(from).min(now);
        self.cursor = Some(at);
        if at < extent.from {
            self.pan(-0.25, now);
        } else if at > extent.to {
            self.pan(0.25, now);
        }
    }

    /// Puts the cursor at a moment, or takes it away.
    pub fn set_cursor(&mut self, at: Option<Timestamp>) {
        self.cursor = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const NOW: i64 = 1_700_000_010;
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    #[test]
    fn looking_back_rests_and_the_present_is_followed() {
        let mut view = View::new(HOUR);
        assert_eq!(view.extent(at(NOW - 1)).from, at(NOW - 3600));
        view.pan(-0.5, at(NOW));
        assert_eq!(view.extent(at(NOW + 99)).to, at(NOW - 1800), "it rests");
        view.pan(0.5, at(NOW + 99));
        assert!(!view.follows(), "99 s behind");
        view.pan(0.5, at(NOW + 99));
        assert!(view.follows());
    }

    #[test]
    fn the_present_rests_between_its_steps() {
        let view = View::new(HOUR);
        let extent = view.extent(at(NOW));
        for second in 1..15 {
            assert_eq!(view.extent(at(NOW + second)), extent);
        }
        assert_ne!(view.extent(at(NOW + 15)), extent);
    }

    #[test]
    fn zooming_keeps_what_the_cursor_is_on() {
        let mut view = View::new(HOUR);
        view.move_cursor(-0.25, at(NOW));
        let cursor = view.cursor().unwrap();
        assert_eq!(cursor, at(NOW - 900));
        let before = view.extent(at(NOW)).place(cursor);
        view.zoom(true, at(NOW));
        assert_eq!(view.span(), HOUR / 2);
        assert!((view.extent(at(NOW)).place(cursor) - before).abs() < 0.01);
    }

    #[test]
    fn the_cursor_takes_the_sight_with_it() {
        let mut view = View::new(HOUR);
        for _ in 0..5 {
            view.move_cursor(-0.3, at(NOW));
        }
        let cursor = view.cursor().unwrap();
        assert!(view.extent(at(NOW)).contains(cursor), "{view:?}");
        assert!(!view.follows());
    }

    proptest! {
        #[test]
        fn no_move_leaves_time(moves in prop::collection::vec((0_u8..6, -3.0..3.0_f64), 0..60)) {
            let mut view = View::new(HOUR);
            for (kind, part) in moves {
                let now = at(NOW);
                match kind {
                    0 => view.pan(part, now),
                    1 => view.zoom(part > 0.0, now),
                    2 => view.move_cursor(part, now),
                    3 => view.set_span(SignedDuration::from_secs((part * 1e9) as i64), now),
                    4 => view.follow(),
                    _ => view.pan(part * 1e12, now),
                }
                let extent = view.extent(now);
                let ahead = extent.to.duration_since(now);
                prop_assert!(extent.from < extent.to);
                prop_assert!(ahead <= (extent.span() / 240).max(SignedDuration::from_secs(10)));
                prop_assert!((NEAREST..=FARTHEST).contains(&extent.span()));
                prop_assert!((extent.place(extent.at(0.25)) - 0.25).abs() < 1e-6);
            }
        }
    }
}
