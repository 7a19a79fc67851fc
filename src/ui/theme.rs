//! Semantic colours. A theme gives each [`Tone`] a style; nothing else in the program knows a colour.

use ratatui::style::{Color, Modifier, Style};

/// The sixteen colours that every terminal has, in the order of their codes.
pub const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

macro_rules! tones {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a piece of text means.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub enum Tone {
            $($(#[$doc])* $variant,)*
        }

        impl Tone {
            /// All tones with the names that theme files use.
            pub const ALL: &'static [(&'static str, Tone)] = &[$(($name, Tone::$variant),)*];
        }
    };
}

tones! {
    /// Plain text.
    #[default]
    Text = "text",
    /// Less important: labels, ages, old data.
    Muted = "muted",
    /// The program's own colour: titles, names, what leads the eye.
    Accent = "accent",
    /// Healthy.
    Good = "good",
    /// Needs a look.
    Warn = "warn",
    /// Broken.
    Bad = "bad",
    /// Broken, and others suffer from it.
    Critical = "critical",
    /// Neutral news.
    Info = "info",
    /// The selected row.
    Selection = "selection",
    /// The selected row of a pane without focus.
    SelectionIdle = "selection-idle",
    /// Marked rows.
    Mark = "mark",
    /// The header line and column titles.
    Header = "header",
    /// Frames.
    Border = "border",
    /// The frame of the pane with focus.
    BorderFocus = "border-focus",
    /// Titles of panes and sections.
    Title = "title",
    /// Names of keys in footer and help.
    Key = "key",
    /// First series of a graph.
    Graph1 = "graph1",
    /// Second series of a graph.
    Graph2 = "graph2",
    /// Third series of a graph.
    Graph3 = "graph3",
    /// Fourth series of a graph.
    Graph4 = "graph4",
    /// What lies behind everything.
    Background = "background",
}

impl Tone {
    /// The tone of a theme file's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, tone)| *tone)
    }

    /// The tone of a load: under 75 % good, under 90 % a warning, else bad.
    pub fn of_load(fraction: f64) -> Self {
        if fraction >= 0.9 {
            Self::Bad
        } else if fraction >= 0.75 {
            Self::Warn
        } else {
            Self::Good
        }
    }
}

/// A style for each tone.
#[derive(Clone, PartialEq, Debug)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// A theme in which every tone that `styles` does not name looks like plain text.
    pub fn new(name: impl Into<String>, styles: impl IntoIterator<Item = (Tone, Style)>) -> Self {
        let mut all = vec![Style::default(); Tone::ALL.len()];
        for (tone, style) in styles {
            all[tone as usize] = style;
        }
        Self {
            name: name.into(),
            styles: all,
        }
    }

    /// Without a single colour: weight and reversal alone carry the meaning. For `NO_COLOR` and as a fall-back.
    pub fn mono() -> Self {
        let with = |modifier| Style::default().add_modifier(modifier);
        Self::new(
            "mono",
            [
                (Tone::Muted, with(Modifier::DIM)),
                (Tone::Accent, with(Modifier::BOLD)),
                (Tone::Warn, with(Modifier::BOLD)),
                (Tone::Bad, with(Modifier::BOLD)),
                (Tone::Critical, with(Modifier::BOLD | Modifier::REVERSED)),
                (Tone::Selection, with(Modifier::REVERSED)),
                (Tone::SelectionIdle, with(Modifier::UNDERLINED)),
                (Tone::Mark, with(Modifier::BOLD)),
                (Tone::Header, with(Modifier::BOLD)),
                (Tone::Border, with(Modifier::DIM)),
                (Tone::BorderFocus, with(Modifier::BOLD)),
                (Tone::Title, with(Modifier::BOLD)),
                (Tone::Key, with(Modifier::BOLD)),
            ],
        )
    }

    /// Its name, as `pvedeck themes` lists it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a tone.
    pub fn style(&self, tone: Tone) -> Style {
        self.styles.get(tone as usize).copied().unwrap_or_default()
    }

    /// The background colour, for clearing what lies under an overlay.
    pub fn background(&self) -> Color {
        self.style(Tone::Background).bg.unwrap_or(Color::Reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_its_place_in_the_table() {
        for (index, (name, tone)) in Tone::ALL.iter().enumerate() {
            assert_eq!(*tone as usize, index);
            assert_eq!(Tone::from_name(name), Some(*tone));
        }
    }
}
