//! Finding text in what is shown: the `/` of pages and logs.

use std::ops::Range;

use super::{Canvas, Rect, Tone, safe};

/// What is looked for: a piece of text, case ignored. An empty one is in everything and marks nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needle {
    typed: String,
    lower: String,
}

impl Needle {
    /// From what was typed.
    pub fn new(typed: &str) -> Self {
        Self {
            typed: typed.to_owned(),
            lower: typed.to_lowercase(),
        }
    }

    /// What was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// Whether it is part of a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.is_empty() || lower(text).contains(&self.lower)
    }

    /// Where it is in a text, in bytes. Nowhere, in the rare text that changes its length in lower case.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let lower = lower(text);
        if self.is_empty() || lower.len() != text.len() {
            return Vec::new();
        }
        lower
            .match_indices(&self.lower)
            .map(|(at, found)| at..at + found.len())
            .filter(|range| text.is_char_boundary(range.start) && text.is_char_boundary(range.end))
            .collect()
    }

    /// Marks it in a cleaned text that was drawn at a place of the canvas.
    pub fn mark(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, text: &str) {
        let area = canvas.area();
        for place in self.places(text) {
            let from = x.saturating_add(safe::width(&text[..place.start]) as u16);
            let found = Rect {
                x: area.x.saturating_add(from),
                y: area.y.saturating_add(y),
                width: safe::width(&text[place]) as u16,
                height: 1,
            };
            canvas.tint(found, Tone::Mark);
        }
    }
}

fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored() {
        let needle = Needle::new("Eth0");
        assert!(needle.is_in("iface ETH0 up"));
        assert!(!needle.is_in("iface eth1 up"));
        assert_eq!(needle.places("eth0 ETH0"), [0..4, 5..9]);
        assert!(Needle::new("straße").is_in("Hohe STRAßE 3"));
    }

    #[test]
    fn nothing_is_everywhere_and_marks_nothing() {
        assert!(Needle::default().is_in(""));
        assert!(Needle::default().places("abc").is_empty());
        // U+0130 grows in lower case: found, but not marked at a wrong place.
        assert!(Needle::new("x").is_in("İx"));
        assert!(Needle::new("x").places("İx").is_empty());
    }
}
