//! Keys, as a terminal sends them.

/// A key as the line editor knows it.
pub(super) enum Key {
    Char(char),
    Control(u8),
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    Delete,
    Unknown,
}

/// The first key of what was typed, and how many bytes it takes; `None` while it is not whole.
pub(super) fn first(bytes: &[u8]) -> Option<(Key, usize)> {
    let byte = *bytes.first()?;
    match byte {
        0x1b => escape(bytes),
        0..0x20 | 0x7f => Some((Key::Control(byte), 1)),
        _ => {
            let length = match byte {
                0..0x80 => 1,
                0xc0..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf8 => 4,
                _ => return Some((Key::Unknown, 1)),
            };
            let whole = bytes.get(..length)?;
            let key = std::str::from_utf8(whole)
                .ok()
                .and_then(|text| text.chars().next())
                .map_or((Key::Unknown, 1), |c| (Key::Char(c), length));
            Some(key)
        }
    }
}

fn escape(bytes: &[u8]) -> Option<(Key, usize)> {
    match bytes.get(1) {
        // Escape by itself; what it would begin comes in the same packet.
        None => Some((Key::Unknown, 1)),
        Some(b'[' | b'O') => {
            let end = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte))? + 2;
            let key = match (bytes[end], &bytes[2..end]) {
                (b'A', _) => Key::Up,
                (b'B', _) => Key::Down,
                (b'C', _) => Key::Right,
                (b'D', _) => Key::Left,
                (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
                (b'F', _) | (b'~', b"4" | b"8") => Key::End,
                (b'~', b"3") => Key::Delete,
                _ => Key::Unknown,
            };
            Some((key, end + 1))
        }
        Some(_) => Some((Key::Unknown, 2)),
    }
}
