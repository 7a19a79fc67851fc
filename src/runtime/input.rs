//! The terminal's events in the application's words.

use crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use jiff::Timestamp;

use crate::{
    app::{Event, Mouse},
    settings::{Key, KeyChord},
};

/// Turns events of the terminal into events of the application; remembers the last click to know a double one.
#[derive(Debug, Default)]
pub struct Input {
    last_click: Option<(u16, u16, Timestamp)>,
}

/// Two clicks within this many milliseconds at the same place are one double click.
const DOUBLE_CLICK: i64 = 400;

impl Input {
    /// The application's event, if this one is any of its business.
    pub fn event(&mut self, event: event::Event, now: Timestamp) -> Option<Event> {
        match event {
            event::Event::Key(key) if key.kind != KeyEventKind::Release => chord(key).map(Event::KeyPressed),
            event::Event::Paste(text) => Some(Event::Pasted(text)),
            event::Event::Resize(width, height) => Some(Event::Resized(width, height)),
            event::Event::Mouse(mouse) => {
                let what = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => self.click(mouse.column, mouse.row, now),
                    MouseEventKind::Down(MouseButton::Right) => Mouse::RightClick,
                    MouseEventKind::ScrollDown => Mouse::WheelDown,
                    MouseEventKind::ScrollUp => Mouse::WheelUp,
                    _ => return None,
                };
                Some(Event::MouseUsed(what, mouse.column, mouse.row))
            }
            _ => None,
        }
    }

    fn click(&mut self, x: u16, y: u16, now: Timestamp) -> Mouse {
        let double = self.last_click.is_some_and(|(lx, ly, at)| {
            (lx, ly) == (x, y) && now.as_millisecond() - at.as_millisecond() <= DOUBLE_CLICK
        });
        self.last_click = (!double).then_some((x, y, now));
        if double { Mouse::DoubleClick } else { Mouse::Click }
    }
}

fn chord(key: event::KeyEvent) -> Option<KeyChord> {
    let has = |modifier| key.modifiers.contains(modifier);
    let mut shift = has(KeyModifiers::SHIFT);
    let code = match key.code {
        KeyCode::Char(c) => {
            shift = false;
            Key::Char(c)
        }
        KeyCode::BackTab => {
            shift = true;
            Key::Tab
        }
        KeyCode::Null => return Some(KeyChord::new(Key::Char(' '), true, false, false)),
        KeyCode::F(n) => Key::F(n),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        _ => return None,
    };
    Some(KeyChord::new(
        code,
        has(KeyModifiers::CONTROL),
        has(KeyModifiers::ALT),
        shift,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clicks_make_one_double_click() {
        let mut input = Input::default();
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(input.click(3, 4, at(0)), Mouse::Click);
        assert_eq!(input.click(3, 4, at(300)), Mouse::DoubleClick);
        assert_eq!(input.click(3, 4, at(500)), Mouse::Click);
        assert_eq!(input.click(5, 4, at(600)), Mouse::Click);
        assert_eq!(input.click(5, 4, at(2000)), Mouse::Click);
    }
}
