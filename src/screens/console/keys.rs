//! Keys as a terminal sends them, and pasted text.
//!
//! What always holds here: pasted text cannot end the brackets that are put around it.

use crate::settings::{Key, KeyChord};

/// What a terminal sends for a key. `application` is the mode in which programs ask for other arrow keys.
pub fn bytes(chord: &KeyChord, application: bool) -> Vec<u8> {
    let mut sent = match chord.key {
        Key::Char(c) if chord.ctrl => vec![control(c)],
        Key::Char(c) => c.to_string().into_bytes(),
        Key::Enter => vec![b'\r'],
        Key::Esc => vec![0x1b],
        Key::Tab if chord.shift => b"\x1b[Z".to_vec(),
        Key::Tab => vec![b'\t'],
        Key::Backspace if chord.ctrl => vec![8],
        Key::Backspace => vec![0x7f],
        key => return special(key, modifier(chord), application),
    };
    if chord.alt {
        sent.insert(0, 0x1b);
    }
    sent
}

/// The control character of a key that is pressed with Ctrl.
fn control(c: char) -> u8 {
    match c {
        'a'..='z' => c as u8 & 0x1f,
        '[' => 0x1b,
        '\\' => 0x1c,
        ']' => 0x1d,
        '^' => 0x1e,
        '_' | '/' => 0x1f,
        '?' => 0x7f,
        // Ctrl with blank, @ or 2; terminals know no other.
        _ => 0,
    }
}

/// The number that stands for Shift, Alt and Ctrl in longer sequences; 1 is none of them.
fn modifier(chord: &KeyChord) -> u8 {
    1 + u8::from(chord.shift) + 2 * u8::from(chord.alt) + 4 * u8::from(chord.ctrl)
}

fn special(key: Key, modifier: u8, application: bool) -> Vec<u8> {
    let letter = |last: char| match (modifier, application) {
        (1, true) => format!("\x1bO{last}"),
        (1, false) => format!("\x1b[{last}"),
        _ => format!("\x1b[1;{modifier}{last}"),
    };
    let number = |number: u8| match modifier {
        1 => format!("\x1b[{number}~"),
        _ => format!("\x1b[{number};{modifier}~"),
    };
    let text = match key {
        Key::Up => letter('A'),
        Key::Down => letter('B'),
        Key::Right => letter('C'),
        Key::Left => letter('D'),
        Key::Home => letter('H'),
        Key::End => letter('F'),
        Key::Insert => number(2),
        Key::Delete => number(3),
        Key::PageUp => number(5),
        Key::PageDown => number(6),
        Key::F(n @ 1..=4) => {
            let last = char::from(b'P' + n - 1);
            match modifier {
                1 => format!("\x1bO{last}"),
                _ => format!("\x1b[1;{modifier}{last}"),
            }
        }
        Key::F(n @ 5..=20) => {
            const NUMBERS: [u8; 16] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];
            number(NUMBERS[usize::from(n) - 5])
        }
        // The rest has no sequence that programs agree on.
        _ => String::new(),
    };
    text.into_bytes()
}

/// What a terminal sends for pasted text: lines end as Enter does, and a program that asked for it gets brackets.
pub fn pasted(text: &str, brackets: bool) -> Vec<u8> {
    // Nothing but text and line ends: an escape could end the brackets, a control character could be a command.
    let plain: String = text
        .replace("\r\n", "\r")
        .chars()
        .map(|c| if c == '\n' { '\r' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\r' | '\t'))
        .collect();
    if brackets {
        format!("\x1b[200~{plain}\x1b[201~").into_bytes()
    } else {
        plain.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sent_as_terminals_send_them() {
        for (key, sent) in [
            ("a", &b"a"[..]),
            ("G", b"G"),
            ("ctrl-c", b"\x03"),
            ("ctrl-space", b"\0"),
            ("ctrl-]", b"\x1d"),
            ("ctrl-5", b"\x1d"),
            ("ctrl-\\", b"\x1c"),
            ("alt-x", b"\x1bx"),
            ("ctrl-alt-x", b"\x1b\x18"),
            ("enter", b"\r"),
            ("esc", b"\x1b"),
            ("tab", b"\t"),
            ("shift-tab", b"\x1b[Z"),
            ("backspace", b"\x7f"),
            ("up", b"\x1b[A"),
            ("shift-right", b"\x1b[1;2C"),
            ("ctrl-left", b"\x1b[1;5D"),
            ("home", b"\x1b[H"),
            ("delete", b"\x1b[3~"),
            ("shift-pageup", b"\x1b[5;2~"),
            ("f1", b"\x1bOP"),
            ("shift-f3", b"\x1b[1;2R"),
            ("f5", b"\x1b[15~"),
            ("f12", b"\x1b[24~"),
            ("f24", b""),
        ] {
            let chord: KeyChord = key.parse().unwrap();
            assert_eq!(bytes(&chord, false), sent, "{key}");
        }
        assert_eq!(bytes(&"up".parse().unwrap(), true), b"\x1bOA");
        assert_eq!(bytes(&"ctrl-up".parse().unwrap(), true), b"\x1b[1;5A");
        let umlaut = KeyChord::new(Key::Char('ü'), false, false, false);
        assert_eq!(bytes(&umlaut, false), "ü".as_bytes());
    }

    #[test]
    fn pasted_text_is_text() {
        assert_eq!(pasted("one\ntwo\r\n", false), b"one\rtwo\r");
        let evil = "safe\x1b[201~rm -rf /\n\x03\x04";
        assert_eq!(pasted(evil, true), b"\x1b[200~safe[201~rm -rf /\r\x1b[201~");
    }
}
