//! A question with a few answers: leave although something runs, go on with what was interrupted.

mod draw;

pub use draw::draw;

use crate::{
    plan::runs::Ticket,
    settings::{Key, KeyChord},
};

/// What an answer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Nothing is done.
    Nothing,
    /// The console ends.
    Leave,
    /// A run goes on.
    Continue(Ticket),
    /// A run is given up.
    Drop(Ticket),
    /// The console of this session is that of this serial line.
    Line(u64, u8),
}

/// The open question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// What it is about.
    pub title: String,
    /// What one has to know. Foreign text may be part of it.
    pub lines: Vec<String>,
    /// Key, word and meaning of each answer. `Esc` always means that nothing is done.
    pub answers: Vec<(char, &'static str, Meaning)>,
}

impl Ask {
    /// What a key means; `None` if it is no answer.
    pub fn key(&self, chord: &KeyChord) -> Option<Meaning> {
        match chord.key {
            Key::Esc => Some(Meaning::Nothing),
            Key::Char(typed) if !chord.ctrl && !chord.alt => self
                .answers
                .iter()
                .find_map(|(key, _, meaning)| (*key == typed).then_some(*meaning)),
            _ => None,
        }
    }
}
