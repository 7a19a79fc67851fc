//! Long text: logs and raw JSON. Scrolled, searched, followed at its end.
//!
//! What always holds here:
//! - Nothing is cut: a line that is too long is wrapped, and one that is longer than the screen can be scrolled.
//! - Only lines in sight are cleaned, wrapped and drawn, however many there are.
//! - Drawing changes nothing but the scroll position.

mod view;

pub use view::TextView;

use super::theme::Tone;

/// Lines that somebody keeps.
pub trait Lines {
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// One of them. Foreign text.
    fn line(&self, index: usize) -> Option<&str>;
}

impl<L: AsRef<str>> Lines for [L] {
    fn len(&self) -> usize {
        self.len()
    }

    fn line(&self, index: usize) -> Option<&str> {
        self.get(index).map(AsRef::as_ref)
    }
}

impl<L: AsRef<str>> Lines for Vec<L> {
    fn len(&self) -> usize {
        self.len()
    }

    fn line(&self, index: usize) -> Option<&str> {
        self.get(index).map(AsRef::as_ref)
    }
}

/// What the text is: decides how a line is tinted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Syntax {
    /// As it is.
    #[default]
    Plain,
    /// Log lines: those that speak of errors and warnings stand out.
    Log,
    /// Pretty-printed JSON: keys stand out.
    Json,
}

impl Syntax {
    /// A line in pieces, each with its tone.
    pub fn tint(self, line: &str) -> Vec<(&str, Tone)> {
        match self {
            Self::Plain => vec![(line, Tone::Text)],
            Self::Log => vec![(line, log_tone(line))],
            Self::Json => json(line),
        }
    }
}

/// Task logs word their failures in a few ways; that is all that is known of them.
fn log_tone(line: &str) -> Tone {
    let line = line.trim_start();
    let starts = |word: &str| {
        line.get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    if starts("TASK ERROR") || starts("error") || line.contains(" ERROR: ") {
        Tone::Bad
    } else if starts("TASK WARNINGS") || starts("warn") || line.contains(" WARN: ") {
        Tone::Warn
    } else if starts("TASK OK") {
        Tone::Good
    } else {
        Tone::Text
    }
}

fn json(line: &str) -> Vec<(&str, Tone)> {
    let start = line.len() - line.trim_start().len();
    let key_end = line[start..]
        .strip_prefix('"')
        .and_then(|rest| rest.find("\": "))
        .map(|length| start + length + 2);
    match key_end {
        Some(end) => vec![(&line[..end], Tone::Accent), (&line[end..], Tone::Text)],
        None => vec![(line, Tone::Text)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_errors_stand_out() {
        assert_eq!(
            Syntax::Json.tint("  \"name\": \"web\","),
            [("  \"name\"", Tone::Accent), (": \"web\",", Tone::Text)]
        );
        assert_eq!(Syntax::Json.tint("  }"), [("  }", Tone::Text)]);
        assert_eq!(Syntax::Log.tint("TASK ERROR: no such disk")[0].1, Tone::Bad);
        assert_eq!(Syntax::Log.tint("INFO: 12% of 3 GiB")[0].1, Tone::Text);
        assert_eq!(Syntax::Log.tint("é")[0].1, Tone::Text);
    }
}
