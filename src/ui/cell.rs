//! A cell of a table or a fact of a page: pieces of text, each with a tone.

use super::{safe, theme::Tone};

/// To which side a cell leans.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Align {
    /// Text.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// Pieces of text, each with a tone. Foreign text goes in as it is: drawing cleans it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// The pieces, drawn one behind the other.
    pub parts: Vec<(String, Tone)>,
    /// To which side it leans.
    pub align: Align,
}

impl Cell {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Text)
    }

    /// Text with a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            parts: vec![(text.into(), tone)],
            align: Align::Left,
        }
    }

    /// A number, to the right.
    pub fn number(text: impl Into<String>) -> Self {
        Self::text(text).right()
    }

    /// Nothing at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Another piece behind the ones there are.
    #[must_use]
    pub fn then(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.parts.push((text.into(), tone));
        self
    }

    /// The same, to the right.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.align = Align::Right;
        self
    }

    /// The same with all pieces in one tone: a row that is old or does not run is dimmed as a whole.
    #[must_use]
    pub fn all(mut self, tone: Tone) -> Self {
        for part in &mut self.parts {
            part.1 = tone;
        }
        self
    }

    /// The columns that its text takes.
    pub fn columns(&self) -> u16 {
        let wide = |(text, _): &(String, Tone)| safe::width(&safe::clean(text));
        self.parts.iter().map(wide).sum::<usize>().min(u16::MAX.into()) as u16
    }

    /// Its text without tones.
    pub fn plain(&self) -> String {
        self.parts.iter().map(|(text, _)| text.as_str()).collect()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
