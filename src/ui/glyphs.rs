//! The signs that are not letters, with an ASCII set for terminals that have no others.

use super::graph::Dots;

/// One set of signs. Each takes one column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyphs {
    /// Whether this is the ASCII set.
    pub ascii: bool,
    /// Of what the lines of graphs are made.
    pub dots: Dots,
    /// Running, online, healthy.
    pub on: &'static str,
    /// Stopped.
    pub off: &'static str,
    /// Offline, lost.
    pub lost: &'static str,
    /// Paused.
    pub paused: &'static str,
    /// Nobody knows.
    pub unknown: &'static str,
    /// A finding.
    pub flag: &'static str,
    /// Something is under way.
    pub busy: &'static str,
    /// Success.
    pub ok: &'static str,
    /// Failure.
    pub failed: &'static str,
    /// Warning.
    pub warn: &'static str,
    /// Locked.
    pub lock: &'static str,
    /// The selected row.
    pub pointer: &'static str,
    /// A marked row.
    pub mark: &'static str,
    /// Sorted upwards.
    pub ascending: &'static str,
    /// Sorted downwards.
    pub descending: &'static str,
    /// Text was cut.
    pub ellipsis: &'static str,
    /// No value.
    pub none: &'static str,
    /// Fresh data.
    pub fresh: &'static str,
    /// Old data.
    pub stale: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// Eighth blocks from empty to full, for bars and sparklines.
    pub bars: [&'static str; 9],
    /// A full piece of a gauge, and an empty one.
    pub gauge: [&'static str; 2],
    /// Scroll bar: the thumb and the track.
    pub scroll: [&'static str; 2],
    /// Frame: horizontal, vertical, top left, top right, bottom left, bottom right.
    pub frame: [&'static str; 6],
}

impl Glyphs {
    /// For terminals that speak UTF-8. Only signs that every common font and the Linux console have or replace.
    pub const UNICODE: Self = Self {
        ascii: false,
        dots: Dots::Braille,
        on: "●",
        off: "○",
        lost: "✗",
        paused: "‖",
        unknown: "?",
        flag: "⚑",
        busy: "▶",
        ok: "✓",
        failed: "✗",
        warn: "▲",
        lock: "⊘",
        pointer: "▸",
        mark: "◆",
        ascending: "▲",
        descending: "▼",
        ellipsis: "…",
        none: "–",
        fresh: "⟳",
        stale: "◌",
        dot: "·",
        bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        gauge: ["▇", "▁"],
        scroll: ["█", "│"],
        frame: ["─", "│", "┌", "┐", "└", "┘"],
    };

    /// For everything else.
    pub const ASCII: Self = Self {
        ascii: true,
        dots: Dots::Ascii,
        on: "*",
        off: "o",
        lost: "x",
        paused: "=",
        unknown: "?",
        flag: "!",
        busy: ">",
        ok: "+",
        failed: "x",
        warn: "!",
        lock: "L",
        pointer: ">",
        mark: "#",
        ascending: "^",
        descending: "v",
        ellipsis: "~",
        none: "-",
        fresh: "@",
        stale: "%",
        dot: "|",
        bars: [" ", "_", "_", ".", ".", "-", "=", "#", "#"],
        gauge: ["#", "."],
        scroll: ["#", "|"],
        frame: ["-", "|", "+", "+", "+", "+"],
    };

    /// A gauge of `columns` for a fraction.
    pub fn gauge(&self, fraction: f64, columns: usize) -> String {
        let fraction = if fraction.is_finite() {
            fraction.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let full = (fraction * columns as f64).round() as usize;
        let [on, off] = self.gauge;
        on.repeat(full) + &off.repeat(columns - full)
    }

    /// A sparkline of fractions, one column each; `None` is a gap.
    pub fn sparkline(&self, samples: impl IntoIterator<Item = Option<f64>>) -> String {
        samples
            .into_iter()
            .map(|sample| match sample {
                // Even idle shows: a gap and a zero are different things.
                Some(fraction) if fraction.is_finite() => {
                    self.bars[((fraction.clamp(0.0, 1.0) * 8.0).round() as usize).max(1)]
                }
                _ => self.bars[0],
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn gauges_keep_their_width() {
        for fraction in [0.0, 0.49, 1.0, 7.0, -1.0, f64::NAN] {
            assert_eq!(Glyphs::UNICODE.gauge(fraction, 4).width(), 4);
        }
        assert_eq!(Glyphs::ASCII.gauge(0.5, 4), "##..");
    }

    #[test]
    fn a_gap_is_not_a_zero() {
        assert_eq!(Glyphs::UNICODE.sparkline([Some(0.0), None, Some(1.0)]), "▁ █");
    }
}
