//! Keys as keymap files write them: `ctrl-p`, `shift-tab`, `space`, `f5`, `G`, `:`.
//!
//! What always holds here: two spellings of the same key are the same [`KeyChord`], and no chord exists that a
//! terminal cannot tell from another.

use std::{fmt, str::FromStr};

/// A key without its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the names are those on the keys")]
pub enum Key {
    /// What is typed: a capital letter is a character of its own.
    Char(char),
    /// F1 to F24.
    F(u8),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
}

/// The names of keys that are no characters, each preferred name first.
const NAMES: &[(&str, Key)] = &[
    ("space", Key::Char(' ')),
    ("enter", Key::Enter),
    ("return", Key::Enter),
    ("esc", Key::Esc),
    ("escape", Key::Esc),
    ("tab", Key::Tab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("del", Key::Delete),
    ("insert", Key::Insert),
    ("ins", Key::Insert),
    ("home", Key::Home),
    ("end", Key::End),
    ("pageup", Key::PageUp),
    ("pgup", Key::PageUp),
    ("pagedown", Key::PageDown),
    ("pgdn", Key::PageDown),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("minus", Key::Char('-')),
];

/// A key with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyChord {
    /// The key.
    pub key: Key,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift; never with a character, where Shift makes another character.
    pub shift: bool,
}

impl KeyChord {
    /// The chord of a pressed key in its one normal form.
    pub fn new(key: Key, ctrl: bool, alt: bool, shift: bool) -> Self {
        match key {
            // Terminals send the same for Ctrl with 4 to 7 and with \ ] ^ _; people think of the latter.
            Key::Char(c @ '4'..='7') if ctrl => Self {
                key: Key::Char(char::from(b'\\' + (c as u8 - b'4'))),
                ctrl,
                alt,
                shift: false,
            },
            // Terminals send the same for Ctrl with a small and a capital letter.
            Key::Char(c) if ctrl => Self {
                key: Key::Char(c.to_ascii_lowercase()),
                ctrl,
                alt,
                shift: false,
            },
            Key::Char(c) if shift => Self {
                key: Key::Char(c.to_ascii_uppercase()),
                ctrl,
                alt,
                shift: false,
            },
            _ => Self {
                key,
                ctrl,
                alt,
                shift,
            },
        }
    }
}

impl FromStr for KeyChord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        while let Some((word, after)) = rest
            .split_once('-')
            .filter(|(word, after)| !word.is_empty() && !after.is_empty())
        {
            let flag = match word.to_ascii_lowercase().as_str() {
                "ctrl" | "control" | "c" => &mut ctrl,
                "alt" | "meta" | "a" | "m" => &mut alt,
                "shift" | "s" => &mut shift,
                _ => {
                    return Err(format!(
                        "`{word}` is no modifier; there are ctrl, alt and shift, as in ctrl-p"
                    ));
                }
            };
            if std::mem::replace(flag, true) {
                return Err(format!("`{word}` stands there twice"));
            }
            rest = after;
        }
        let key = key(rest)?;
        if let (Key::Char(c), true) = (key, ctrl) {
            let same = match c.to_ascii_lowercase() {
                'i' => Some("tab"),
                'm' | 'j' => Some("enter"),
                'h' => Some("backspace"),
                '[' => Some("esc"),
                _ => None,
            };
            if let Some(same) = same {
                return Err(format!(
                    "terminals send the same for this and for {same}; choose another key"
                ));
            }
        }
        if let (Key::Char(c), true) = (key, shift)
            && !ctrl
            && !c.is_ascii_alphabetic()
        {
            return Err("write the character that Shift makes instead, such as ! or ?".to_owned());
        }
        Ok(Self::new(key, ctrl, alt, shift))
    }
}

fn key(text: &str) -> Result<Key, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (None, _) => return Err("a key is missing".to_owned()),
        (Some(c), None) if !c.is_control() => return Ok(Key::Char(c)),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    if let Some((_, key)) = NAMES.iter().find(|(name, _)| *name == lower) {
        return Ok(*key);
    }
    if let Some(number) = lower
        .strip_prefix('f')
        .and_then(|digits| digits.parse::<u8>().ok())
    {
        return match number {
            1..=24 => Ok(Key::F(number)),
            _ => Err("function keys are f1 to f24".to_owned()),
        };
    }
    let hint = super::problem::advice(&lower, NAMES.iter().map(|(name, _)| *name).chain(["f1"]));
    Err(format!("`{text}` is no key: {hint}"))
}

impl fmt::Display for KeyChord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (on, word) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if on {
                text.push_str(word);
            }
        }
        match self.key {
            Key::F(number) => text.extend(["f", &number.to_string()]),
            Key::Char('-') if self.ctrl || self.alt => text.push_str("minus"),
            Key::Char(c) if c != ' ' => text.push(c),
            key => text.extend(
                NAMES
                    .iter()
                    .find(|(_, named)| *named == key)
                    .map(|(name, _)| *name),
            ),
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written_in_one_form() {
        for (given, written) in [
            ("ctrl-p", "ctrl-p"),
            ("Ctrl-P", "ctrl-p"),
            ("C-p", "ctrl-p"),
            ("shift-tab", "shift-tab"),
            ("space", "space"),
            (" ", "space"),
            ("ctrl-space", "ctrl-space"),
            ("F5", "f5"),
            ("G", "G"),
            ("shift-g", "G"),
            (":", ":"),
            ("\"", "\""),
            ("-", "-"),
            ("ctrl--", "ctrl-minus"),
            ("alt-minus", "alt-minus"),
            ("ctrl-alt-delete", "ctrl-alt-delete"),
            ("alt-ctrl-del", "ctrl-alt-delete"),
            ("PgDn", "pagedown"),
            ("ü", "ü"),
        ] {
            assert_eq!(given.parse::<KeyChord>().unwrap().to_string(), written, "{given}");
            let again: KeyChord = written.parse().unwrap();
            assert_eq!(again, given.parse().unwrap(), "{given}");
        }
    }

    #[test]
    fn what_is_no_key_is_said() {
        for (given, said) in [
            ("", "missing"),
            ("strg-p", "no modifier"),
            ("ctrl-ctrl-p", "twice"),
            ("spcae", "did you mean `space`"),
            ("f25", "f1 to f24"),
            ("ctrl-i", "tab"),
            ("ctrl-M", "enter"),
            ("shift-1", "character that Shift makes"),
            ("\n", "no key"),
        ] {
            let error = given.parse::<KeyChord>().unwrap_err();
            assert!(error.contains(said), "{given}: {error}");
        }
    }
}
