//! The console of a node or a guest: what it shows is a terminal of its own, in a pane.
//!
//! What always holds here:
//! - What a guest writes goes through the [`emulator`] and nowhere else; the real terminal gets cells.
//! - While the console is open, every key is the guest's but those of the scope `console`.

mod draw;
pub mod emulator;
pub mod keys;

use std::{collections::BTreeSet, path::PathBuf};

use self::emulator::Emulator;
use super::{Cx, Pane, Place, Reply};
use crate::{
    actions::{Id, Scope},
    domain::ObjectRef,
    settings::{ColorDepth, KeyChord},
    store::FeedKey,
    ui::{
        Canvas, Tone,
        pane::{Freshness, Title},
    },
};

/// Bytes that are kept of what is typed before it is open.
const KEPT: usize = 4096;

/// How it stands with the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// It is being opened.
    Opening,
    /// It is open.
    Open,
    /// It is over, for this reason; `None` if the other side ended it in good order.
    Over(Option<String>),
}

/// A console, open or over.
pub struct ConsolePane {
    object: ObjectRef,
    /// Which connection it listens to: news of an earlier one do not count.
    pub session: u64,
    /// How it stands with that.
    pub link: Link,
    /// Whether what it shows is recorded.
    pub recording: bool,
    /// Whether it is to be recorded as soon as it is open, and into which file if that was said.
    pub record: Option<Option<PathBuf>>,
    /// What was typed before it is open.
    kept: Vec<u8>,
    /// The keys that the frame names: that which leaves it, and that which opens it again.
    pub keys: [String; 2],
    emulator: Emulator,
    depth: ColorDepth,
}

impl ConsolePane {
    /// A console that is being opened.
    pub fn new(object: ObjectRef, session: u64, (columns, rows): (u16, u16), depth: ColorDepth) -> Self {
        Self {
            object,
            session,
            link: Link::Opening,
            recording: false,
            record: None,
            kept: Vec::new(),
            keys: [String::new(), String::new()],
            emulator: Emulator::new(columns, rows),
            depth,
        }
    }

    /// Whether keys are the guest's.
    pub fn is_live(&self) -> bool {
        !matches!(self.link, Link::Over(_))
    }

    /// Whose it is.
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// Keeps what was typed before it is open; returns whether there was room for it.
    pub fn keep(&mut self, bytes: &[u8]) -> bool {
        let fits = self.kept.len() + bytes.len() <= KEPT;
        if fits {
            self.kept.extend_from_slice(bytes);
        }
        fits
    }

    /// What was kept; nothing is kept any more.
    pub fn take_kept(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Takes what the guest wrote; returns what it is to be answered.
    pub fn write(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.emulator.write(bytes)
    }

    /// Gives it a size; returns the new one if it is another.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) -> Option<(u16, u16)> {
        let before = self.emulator.size();
        let now = self.emulator.resize(columns, rows);
        (now != before).then_some(now)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.emulator.size()
    }

    /// What is to be sent for a key. Whoever types wants to see what comes of it.
    pub fn typed(&mut self, chord: &KeyChord) -> Vec<u8> {
        self.emulator.scroll(isize::MIN);
        keys::bytes(chord, self.emulator.screen().application_cursor())
    }

    /// What is to be sent for pasted text.
    pub fn pasted(&mut self, text: &str) -> Vec<u8> {
        self.emulator.scroll(isize::MIN);
        keys::pasted(text, self.emulator.screen().bracketed_paste())
    }

    /// Bytes that make another terminal look like this one: how a recording begins.
    pub fn state(&self) -> Vec<u8> {
        self.emulator.state()
    }

    fn page(&self) -> isize {
        // A line of the page before stays in sight.
        isize::from(self.emulator.size().1 as i16 - 1).max(1)
    }
}

impl Pane for ConsolePane {
    fn title(&self, cx: &Cx<'_>) -> Title {
        let g = cx.glyphs;
        let [leave, open] = &self.keys;
        let mut detail = if self.is_live() {
            format!("{leave} leaves it")
        } else {
            format!("{open} opens it again")
        };
        if !self.kept.is_empty() {
            detail = format!("what is typed is kept {} {detail}", g.dot);
        }
        if self.recording {
            detail = format!("{} rec {} {detail}", g.on, g.dot);
        }
        let scrolled = self.emulator.scrolled();
        if scrolled > 0 {
            detail = format!("{scrolled} lines up {} {detail}", g.dot);
        }
        let (age, stale, error) = match &self.link {
            Link::Opening => ("opening", false, None),
            Link::Open => ("open", false, None),
            Link::Over(None) => ("ended", false, None),
            Link::Over(Some(why)) => ("ended", false, Some(why.clone())),
        };
        let age = age.to_owned();
        Title {
            number: None,
            name: Place::Console(self.object.clone()).label(),
            detail,
            freshness: Freshness { age, stale, error },
        }
    }

    fn scope(&self) -> Scope {
        if self.is_live() {
            Scope::Console
        } else {
            Scope::Text
        }
    }

    fn interest(&self, _cx: &Cx<'_>, _feeds: &mut BTreeSet<FeedKey>) {}

    fn refresh(&mut self, _cx: &Cx<'_>) {}

    fn act(&mut self, action: Id, _cx: &Cx<'_>) -> Reply {
        let lines = match action {
            Id::ConsolePageUp | Id::TextPageUp => self.page(),
            Id::ConsolePageDown | Id::TextPageDown => -self.page(),
            Id::TextUp => 1,
            Id::TextDown => -1,
            Id::TextFirst => isize::MAX,
            Id::TextLast => isize::MIN,
            _ => return Reply::Ignored,
        };
        self.emulator.scroll(lines);
        Reply::Done
    }

    fn subject(&self) -> Option<ObjectRef> {
        Some(self.object.clone())
    }

    fn scroll(&mut self, lines: isize, _cx: &Cx<'_>) {
        self.emulator.scroll(-lines);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _cx: &Cx<'_>, focused: bool) {
        draw::cells(canvas, &self.emulator, self.depth, focused && self.is_live());
        if let Link::Over(None) = self.link {
            let row = canvas.height().saturating_sub(1);
            canvas.text(0, row, " the console has ended ", canvas.width(), Tone::Muted);
        }
    }
}
