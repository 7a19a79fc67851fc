//! The confirmation: the plan as it is, before anything of it is done.
//!
//! What always holds here:
//! - What is shown is what would be run: the plan is remade whenever something it is made from was read.
//! - It cannot be run before everything that the plan wants to know was read, or cannot be. A yes that comes earlier
//!   counts for a harmless plan that stays as it was on the screen, and for no other.
//! - Every key but those of [`Answer::Run`] leaves the world as it is.

mod draw;

use std::collections::BTreeSet;

pub use draw::draw;
use jiff::Timestamp;

use super::typing::{self, is_ctrl};
use crate::{
    plan::{Danger, Plan, Refusal, Wish, runner::Options},
    settings::{Key, KeyChord},
    store::FeedKey,
    ui::line::Line,
};

/// Most steps under way at a time that can be chosen here.
const MOST_AT_ONCE: usize = 20;

/// How far the reading has come that a plan waits for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// What is still being read.
    pub waiting: Vec<String>,
    /// What could not be read, a sentence each.
    pub failed: Vec<String>,
}

/// The open confirmation.
#[derive(Debug)]
pub struct Confirm {
    /// What is wanted.
    pub wish: Wish,
    /// What it would do; why not, if it cannot be done any more.
    pub plan: Result<Plan, Refusal>,
    /// What the plan is waiting for.
    pub reading: Reading,
    /// The feeds that are read for it, and since when.
    pub feeds: BTreeSet<FeedKey>,
    /// When it was opened.
    pub since: Timestamp,
    /// How it is run.
    pub options: Options,
    /// The harmless plan that somebody wanted run before everything was read.
    early: Option<Plan>,
    /// What is typed where the name has to be typed.
    word: Line,
    /// Whether keys go to that line.
    typing: bool,
    /// Lines that are scrolled away.
    offset: usize,
    /// How far it can be scrolled, as of the last frame.
    last: usize,
}

/// What a key does to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It stays open.
    Stay,
    /// It closes, and nothing is done.
    Cancel,
    /// The plan is run.
    Run,
    /// The arguments are changed.
    Edit,
    /// The plan is written to a file, as commands.
    Export,
    /// It was to be run, and that is not possible yet.
    NotYet(&'static str),
}

impl Confirm {
    /// Opens it for a wish; the plan comes with [`Confirm::renew`].
    pub fn new(
        wish: Wish,
        plan: Result<Plan, Refusal>,
        options: Options,
        feeds: BTreeSet<FeedKey>,
        now: Timestamp,
    ) -> Self {
        let typing = plan.as_ref().is_ok_and(|plan| plan.danger == Danger::TypeName);
        Self {
            wish,
            plan,
            reading: Reading::default(),
            feeds,
            since: now,
            options,
            early: None,
            word: Line::default(),
            typing,
            offset: 0,
            last: 0,
        }
    }

    /// Takes the plan as it is by now, and what it still waits for.
    pub fn renew(&mut self, plan: Result<Plan, Refusal>, reading: Reading) {
        self.plan = plan;
        self.reading = reading;
        if self.danger() != Danger::TypeName {
            self.typing = false;
        }
    }

    /// What it takes.
    pub fn danger(&self) -> Danger {
        self.plan.as_ref().map_or(Danger::None, |plan| plan.danger)
    }

    /// Whether letters are typed and not keys.
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// Whether everything that the plan wants to know was read, or cannot be.
    pub fn is_complete(&self) -> bool {
        self.reading.waiting.is_empty()
    }

    fn has_several(&self) -> bool {
        self.plan.as_ref().is_ok_and(|plan| plan.steps.len() > 1)
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.typing {
            self.word.paste(text);
        }
    }

    /// Scrolls.
    pub fn scroll(&mut self, lines: isize) {
        self.offset = self.offset.saturating_add_signed(lines).min(self.last);
    }

    /// Takes a key.
    pub fn key(&mut self, chord: &KeyChord) -> Answer {
        match chord.key {
            Key::Esc => return Answer::Cancel,
            Key::Enter => return self.enter(),
            Key::Down => self.scroll(1),
            Key::Up => self.scroll(-1),
            Key::PageDown => self.scroll(10),
            Key::PageUp => self.scroll(-10),
            Key::Tab if self.danger() == Danger::TypeName => self.typing = !self.typing,
            _ if self.typing => {
                if is_ctrl(chord, 'x') {
                    return Answer::Export;
                }
                if let Some(edit) = typing::edit(chord) {
                    self.word.edit(edit);
                }
            }
            Key::Char('y') if self.danger() == Danger::Confirm => return self.run(),
            Key::Char('n' | 'q') => return Answer::Cancel,
            Key::Char('e') => return Answer::Edit,
            Key::Char('x') => return Answer::Export,
            Key::Char('+') if self.has_several() => {
                self.options.at_once = (self.options.at_once + 1).min(MOST_AT_ONCE);
            }
            Key::Char('-') if self.has_several() => {
                self.options.at_once = (self.options.at_once - 1).max(1);
            }
            Key::Char('f') if self.has_several() => self.options.go_on = !self.options.go_on,
            _ => {}
        }
        Answer::Stay
    }

    /// Whether a yes that came early counts by now. Asked once after everything was read.
    pub fn takes_early_yes(&mut self) -> bool {
        if !self.is_complete() {
            return false;
        }
        let early = self.early.take();
        let same = |early: &Plan| {
            self.plan
                .as_ref()
                .is_ok_and(|plan| plan.danger == Danger::None && plan == early)
        };
        self.reading.failed.is_empty() && early.as_ref().is_some_and(same)
    }

    fn enter(&mut self) -> Answer {
        match &self.plan {
            Ok(plan) if !self.is_complete() && plan.danger == Danger::None => {
                self.early = Some(plan.clone());
                Answer::NotYet("it is run as soon as everything is read, if the plan stays as it is")
            }
            _ => self.run(),
        }
    }

    fn run(&self) -> Answer {
        match &self.plan {
            Err(_) => Answer::NotYet("it cannot be done; Esc closes this"),
            Ok(_) if !self.is_complete() => {
                Answer::NotYet("wait a moment: what the plan has to know is still being read")
            }
            Ok(plan) if plan.danger == Danger::TypeName && self.word.text() != plan.word => {
                Answer::NotYet("that is not what has to be typed")
            }
            Ok(_) => Answer::Run,
        }
    }
}
