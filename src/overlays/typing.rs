//! What keys do to a line that is typed: the same in every overlay.

use crate::{
    settings::{Key, KeyChord},
    ui::line::Edit,
};

/// Whether it is Ctrl and this letter, and nothing else.
pub fn is_ctrl(chord: &KeyChord, letter: char) -> bool {
    chord.ctrl && !chord.alt && chord.key == Key::Char(letter)
}

/// What a key does to a line that is typed.
pub fn edit(chord: &KeyChord) -> Option<Edit> {
    Some(match chord.key {
        Key::Char(c) if !chord.ctrl && !chord.alt => Edit::Insert(c),
        Key::Backspace if chord.ctrl || chord.alt => Edit::DeleteWord,
        Key::Backspace => Edit::Backspace,
        Key::Delete => Edit::Delete,
        Key::Left if chord.ctrl || chord.alt => Edit::WordLeft,
        Key::Right if chord.ctrl || chord.alt => Edit::WordRight,
        Key::Left => Edit::Left,
        Key::Right => Edit::Right,
        Key::Home => Edit::Start,
        Key::End => Edit::End,
        _ if is_ctrl(chord, 'w') => Edit::DeleteWord,
        _ if is_ctrl(chord, 'u') => Edit::DeleteToStart,
        _ if is_ctrl(chord, 'a') => Edit::Start,
        _ if is_ctrl(chord, 'e') => Edit::End,
        _ if is_ctrl(chord, 'h') => Edit::Backspace,
        _ => return None,
    })
}
