//! What is wrong with a file, and where.

use std::{fmt, ops::Range, path::Path};

/// A place in a file. Lines and columns count from 1, columns in characters, as editors do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// The place of a byte of a text.
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// One thing that is wrong: where, what, and what is allowed there. Never holds a secret: messages name keys and
/// quote only values that are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, or the flag or variable.
    pub origin: String,
    /// Where in the file, if it is about one place.
    pub place: Option<Place>,
    /// One sentence: cause and what to do.
    pub message: String,
}

impl Problem {
    /// About a file, flag or variable as a whole.
    pub fn whole(origin: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            origin: origin.to_string(),
            place: None,
            message: message.into(),
        }
    }

    /// About a span of a file.
    pub fn at(file: &Path, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self {
            origin: file.display().to_string(),
            place: Some(Place::of(text, span.start)),
            message: message.into(),
        }
    }

    /// From the TOML parser.
    pub(super) fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        match error.span() {
            Some(span) => Self::at(file, text, &span, message),
            None => Self::whole(file.display(), message),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { line, column }) => write!(f, "{}:{line}:{column}: {}", self.origin, self.message),
            None => write!(f, "{}: {}", self.origin, self.message),
        }
    }
}

/// Everything that keeps the settings from being used, in the order of the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// ` Did you mean …?`, or what is allowed when nothing comes near.
pub(super) fn advice<'a>(wrong: &str, allowed: impl IntoIterator<Item = &'a str>) -> String {
    let allowed: Vec<&str> = allowed.into_iter().collect();
    let near = allowed
        .iter()
        .map(|word| (distance(wrong, word), *word))
        .min()
        .filter(|(far, word)| *far <= 1 + word.chars().count() / 4);
    match near {
        Some((_, word)) => format!("did you mean `{word}`?"),
        None => format!("allowed: {}", allowed.join(", ")),
    }
}

/// How many letters must be changed, added, left out or swapped with their neighbour, ignoring case and the
/// difference of `-` and `_`.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| -> Vec<char> {
        // A mistyped word is short; what is longer is no mistyped word and must not cost its square.
        text.chars()
            .take(64)
            .map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() })
            .collect()
    };
    let (a, b) = (fold(a), fold(b));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let text = "a = 1\nü = \"é\" x";
        assert_eq!(Place::of(text, 0), Place { line: 1, column: 1 });
        let x = text.find('x').unwrap();
        assert_eq!(Place::of(text, x), Place { line: 2, column: 9 });
        assert_eq!(Place::of(text, text.len() + 9), Place { line: 2, column: 10 });
    }

    #[test]
    fn advice_finds_the_near_word_or_lists_all() {
        let allowed = ["theme", "mouse", "time_zone"];
        assert_eq!(advice("thmee", allowed), "did you mean `theme`?");
        assert_eq!(advice("Time-Zone", allowed), "did you mean `time_zone`?");
        assert_eq!(advice("xyz", allowed), "allowed: theme, mouse, time_zone");
        assert_eq!(
            advice(&"x".repeat(100_000), allowed),
            "allowed: theme, mouse, time_zone"
        );
    }

    #[test]
    fn transposed_letters_are_one_mistake() {
        assert_eq!(distance("tehme", "theme"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
