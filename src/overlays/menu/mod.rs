//! The menu of an object: everything that can be done to it, each with its letter, and why not where it cannot.

mod draw;

pub use draw::draw;

use crate::{
    actions::Id,
    settings::{Key, KeyChord},
    ui::Rect,
};

/// One line of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// What choosing it does.
    pub action: Id,
    /// The key that chooses it.
    pub letter: Option<char>,
    /// What people call it.
    pub title: &'static str,
    /// Why it is not possible now. Foreign text may be part of it.
    pub refused: Option<String>,
}

/// The open menu.
#[derive(Debug)]
pub struct Menu {
    /// What it is about: `104 web-01`, `4 marked guests`. Foreign text.
    pub title: String,
    items: Vec<Item>,
    selected: usize,
    /// The first line in sight, of each column of lines.
    offset: usize,
    /// Where it was opened with the mouse.
    at: Option<(u16, u16)>,
    /// Where the last frame drew which line, and the whole of it.
    hits: Vec<(Rect, usize)>,
    area: Rect,
    /// Lines that the last frame had beside each other.
    columns: usize,
}

/// What a key or a click does to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It stays open.
    Stay,
    /// It closes, and nothing is done.
    Close,
    /// This is wanted.
    Chosen(Id),
    /// That is not possible, for this reason.
    Refused(String),
}

impl Menu {
    /// Opens it over these lines; `at` is where the mouse asked for it.
    pub fn new(title: String, items: Vec<Item>, at: Option<(u16, u16)>) -> Self {
        let selected = items.iter().position(|item| item.refused.is_none()).unwrap_or(0);
        Self {
            title,
            items,
            selected,
            offset: 0,
            at,
            hits: Vec::new(),
            area: Rect::default(),
            columns: 1,
        }
    }

    /// Its lines.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Takes the same lines as they are now: what is possible changes while it is open.
    pub fn renew(&mut self, items: Vec<Item>) {
        if items.len() == self.items.len() {
            self.items = items;
        }
    }

    /// Takes a key.
    pub fn key(&mut self, chord: &KeyChord) -> Answer {
        match chord.key {
            Key::Esc => return Answer::Close,
            Key::Enter => return self.choose(self.selected),
            Key::Down | Key::Tab if !chord.shift => self.step(1),
            Key::Up | Key::Tab => self.step(-1),
            Key::PageDown => self.step(10),
            Key::PageUp => self.step(-10),
            Key::Right | Key::Left if self.columns > 1 => {
                let rows = self.items.len().div_ceil(self.columns) as isize;
                self.step(if chord.key == Key::Right { rows } else { -rows });
            }
            Key::Home => self.selected = 0,
            Key::End => self.selected = self.items.len().saturating_sub(1),
            Key::Char(letter) if !chord.ctrl && !chord.alt => {
                let found = self.items.iter().position(|item| item.letter == Some(letter));
                return match found {
                    Some(index) => {
                        self.selected = index;
                        self.choose(index)
                    }
                    None => Answer::Refused(format!("{letter} is no letter of this menu")),
                };
            }
            _ => {}
        }
        Answer::Stay
    }

    fn choose(&self, index: usize) -> Answer {
        match self.items.get(index) {
            Some(Item {
                refused: Some(reason),
                ..
            }) => Answer::Refused(reason.clone()),
            Some(item) => Answer::Chosen(item.action),
            None => Answer::Close,
        }
    }

    /// Moves the selection.
    pub fn step(&mut self, lines: isize) {
        let last = self.items.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
    }

    /// A click at a place of the screen: on a line it chooses, outside it closes.
    pub fn click(&mut self, x: u16, y: u16) -> Answer {
        let hit = self.hits.iter().find(|(area, _)| area.contains((x, y).into()));
        match hit {
            Some((_, index)) => self.choose(*index),
            None if self.area.contains((x, y).into()) => Answer::Stay,
            None => Answer::Close,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Deed;

    fn menu() -> Menu {
        let item = |deed: Deed, refused: Option<&str>| Item {
            action: Id::Deed(deed),
            letter: deed.row().letter,
            title: deed.title(),
            refused: refused.map(str::to_owned),
        };
        let items = vec![
            item(Deed::GuestStart, Some("104 web-01 is running")),
            item(Deed::GuestShutdown, None),
            item(Deed::GuestReboot, None),
        ];
        Menu::new("104 web-01".into(), items, None)
    }

    fn press(menu: &mut Menu, key: &str) -> Answer {
        menu.key(&key.parse().unwrap())
    }

    #[test]
    fn a_letter_chooses_and_a_refusal_says_why() {
        let mut menu = menu();
        assert_eq!(
            press(&mut menu, "d"),
            Answer::Chosen(Id::Deed(Deed::GuestShutdown))
        );
        assert_eq!(
            press(&mut menu, "s"),
            Answer::Refused("104 web-01 is running".into())
        );
        assert!(matches!(press(&mut menu, "Q"), Answer::Refused(_)));
        assert_eq!(press(&mut menu, "esc"), Answer::Close);
    }

    #[test]
    fn it_begins_at_the_first_that_is_possible() {
        let mut menu = menu();
        assert_eq!(
            press(&mut menu, "enter"),
            Answer::Chosen(Id::Deed(Deed::GuestShutdown))
        );
        press(&mut menu, "down");
        press(&mut menu, "down");
        assert_eq!(
            press(&mut menu, "enter"),
            Answer::Chosen(Id::Deed(Deed::GuestReboot))
        );
    }

    #[test]
    fn a_click_outside_closes() {
        assert_eq!(menu().click(3, 3), Answer::Close);
    }
}
