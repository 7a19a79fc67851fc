//! Colours of theme files, and how many of them a terminal has.

use std::str::FromStr;

/// A colour as a theme writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColorSpec {
    /// The terminal's own.
    Reset,
    /// One of the sixteen that every terminal has and its user may have changed: an index into
    /// [`ColorSpec::NAMES`].
    Ansi(u8),
    /// One of 256. The first 16 of them are not the same to a terminal as [`ColorSpec::Ansi`].
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl ColorSpec {
    /// The sixteen names, in the order of their codes.
    pub const NAMES: [&'static str; 16] = [
        "black",
        "red",
        "green",
        "yellow",
        "blue",
        "magenta",
        "cyan",
        "white",
        "bright-black",
        "bright-red",
        "bright-green",
        "bright-yellow",
        "bright-blue",
        "bright-magenta",
        "bright-cyan",
        "bright-white",
    ];

    /// The nearest colour that a terminal has; `None` where it has none at all.
    pub fn reduced(self, depth: ColorDepth) -> Option<Self> {
        match (self, depth) {
            (_, ColorDepth::None) => None,
            (Self::Rgb(r, g, b), ColorDepth::Indexed) => Some(Self::Indexed(nearest(r, g, b, 16..=255))),
            (Self::Rgb(r, g, b), ColorDepth::Ansi16) => Some(Self::Ansi(nearest(r, g, b, 0..=15))),
            (Self::Indexed(index), ColorDepth::Ansi16) => {
                let (r, g, b) = rgb_of(index);
                Some(Self::Ansi(nearest(r, g, b, 0..=15)))
            }
            (same, _) => Some(same),
        }
    }
}

impl FromStr for ColorSpec {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "reset" {
            return Ok(Self::Reset);
        }
        if let Some(hex) = text.strip_prefix('#') {
            if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(());
            }
            let number = u32::from_str_radix(hex, 16).map_err(|_| ())?;
            let [_, r, g, b] = number.to_be_bytes();
            return Ok(Self::Rgb(r, g, b));
        }
        if let Some(index) = Self::NAMES.iter().position(|name| *name == text) {
            return Ok(Self::Ansi(index as u8));
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        text.parse().map(Self::Indexed).map_err(|_| ())
    }
}

/// How many colours a terminal has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ColorDepth {
    /// None wanted (`NO_COLOR`) or none there.
    None,
    /// Sixteen, as the Linux console.
    Ansi16,
    /// 256.
    Indexed,
    /// All of them.
    True,
}

impl ColorDepth {
    /// What the environment says about the terminal.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let term = var("TERM").unwrap_or_default();
        let full = |value: &str| matches!(value, "truecolor" | "24bit");
        if var("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Self::None
        } else if var("COLORTERM").is_some_and(|value| full(&value)) || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color")
            || ["alacritty", "kitty", "foot", "ghostty", "wezterm"]
                .iter()
                .any(|name| term.contains(name))
        {
            Self::Indexed
        } else {
            Self::Ansi16
        }
    }
}

/// The usual sixteen; terminals differ.
const ANSI: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// What one of the 256 looks like: the sixteen, a cube of six steps, and a ramp of greys.
fn rgb_of(index: u8) -> (u8, u8, u8) {
    let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        0..=15 => ANSI[usize::from(index)],
        16..=231 => {
            let n = index - 16;
            (step(n / 36), step(n / 6 % 6), step(n % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

fn nearest(r: u8, g: u8, b: u8, among: std::ops::RangeInclusive<u8>) -> u8 {
    let far = |index: &u8| {
        let (r2, g2, b2) = rgb_of(*index);
        let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
        // The eye is keenest for green and dullest for blue.
        3 * square(r, r2) + 4 * square(g, g2) + 2 * square(b, b2)
    };
    among.min_by_key(far).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        for (text, color) in [
            ("reset", Ok(ColorSpec::Reset)),
            ("#ff8000", Ok(ColorSpec::Rgb(255, 128, 0))),
            ("bright-blue", Ok(ColorSpec::Ansi(12))),
            ("0", Ok(ColorSpec::Indexed(0))),
            ("255", Ok(ColorSpec::Indexed(255))),
            ("256", Err(())),
            ("#fff", Err(())),
            ("#+fffff", Err(())),
            ("+5", Err(())),
            ("", Err(())),
            ("Red", Err(())),
        ] {
            assert_eq!(text.parse(), color, "{text}");
        }
    }

    #[test]
    fn colours_come_down_to_what_the_terminal_has() {
        let orange = ColorSpec::Rgb(255, 135, 0);
        assert_eq!(orange.reduced(ColorDepth::True), Some(orange));
        assert_eq!(orange.reduced(ColorDepth::Indexed), Some(ColorSpec::Indexed(208)));
        assert_eq!(
            ColorSpec::Rgb(250, 10, 10).reduced(ColorDepth::Ansi16),
            Some(ColorSpec::Ansi(9))
        );
        assert_eq!(
            ColorSpec::Indexed(232).reduced(ColorDepth::Ansi16),
            Some(ColorSpec::Ansi(0))
        );
        assert_eq!(
            ColorSpec::Ansi(3).reduced(ColorDepth::Ansi16),
            Some(ColorSpec::Ansi(3))
        );
        assert_eq!(ColorSpec::Reset.reduced(ColorDepth::None), None);
    }

    #[test]
    fn the_environment_tells_the_depth() {
        let detect = |vars: &[(&str, &str)]| {
            ColorDepth::detect(|name| {
                vars.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).into())
            })
        };
        assert_eq!(detect(&[("TERM", "linux")]), ColorDepth::Ansi16);
        assert_eq!(detect(&[("TERM", "xterm-256color")]), ColorDepth::Indexed);
        assert_eq!(
            detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            ColorDepth::True
        );
        assert_eq!(detect(&[("TERM", "xterm"), ("NO_COLOR", "1")]), ColorDepth::None);
        assert_eq!(detect(&[("TERM", "xterm"), ("NO_COLOR", "")]), ColorDepth::Ansi16);
        assert_eq!(
            detect(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]),
            ColorDepth::None
        );
    }
}
