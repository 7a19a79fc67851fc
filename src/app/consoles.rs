//! Consoles: opening, typing, leaving, recording; and which session the news are of.
//!
//! What always holds here: leaving a console does not end it. It goes on, takes what is written, and can be come back
//! to, until it is closed, the other side ends it, or the program ends.

use std::path::PathBuf;

use super::{App, event::Effect, keys::keys_text};
use crate::{
    actions::Id,
    domain::{ClusterId, Console, GuestStatus, ObjectRef},
    screens::{
        Place,
        console::{ConsolePane, Link},
    },
    settings::KeyChord,
    store::FeedErrorKind,
    ui::Tone,
};

/// Consoles that may be open at a time: each holds a connection and a terminal in memory.
const MOST: usize = 8;

/// Something to be done with a console's session.
#[derive(Clone, PartialEq, Debug)]
pub enum ConsoleOrder {
    /// Opens it.
    Open {
        /// Whose.
        cluster: ClusterId,
        /// Of what.
        console: Console,
        /// Columns and rows.
        size: (u16, u16),
    },
    /// Types these bytes.
    Type(Vec<u8>),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// Records from now on.
    Record {
        /// The file, which must not exist; one that is named by object and time if nothing is said.
        file: Option<PathBuf>,
        /// Of what: it becomes part of the file's name.
        title: String,
        /// Columns and rows.
        size: (u16, u16),
        /// Bytes that make a terminal look like this one does now.
        state: Vec<u8>,
    },
    /// Records no more.
    EndRecord,
    /// Ends it.
    Close,
}

/// What is heard of a session.
#[derive(Clone, PartialEq, Debug)]
pub enum ConsoleEvent {
    /// It is open.
    Opened,
    /// The guest wrote.
    Wrote(Vec<u8>),
    /// It is recorded into this file.
    Recording(String),
    /// It is not recorded any more; why, if nobody asked for that.
    Recorded(Option<String>),
    /// It could not be opened, and why.
    Refused(FeedErrorKind, String),
    /// It is over; why, if it did not end in good order.
    Ended(Option<String>),
}

impl App {
    /// Opens the console of the selected object, or comes back to it.
    pub(super) fn open_console(&mut self, effects: &mut Vec<Effect>) {
        let Some(object) = self.subject() else { return };
        if self.panes.console(&object).is_some_and(|pane| pane.is_live()) {
            self.go(Place::Console(object));
            return;
        }
        let console = match self.console_of(&object) {
            Ok(console) => console,
            Err(why) => return self.say(Tone::Warn, format!("Console: {why}")),
        };
        if self.panes.consoles().filter(|pane| pane.is_live()).count() >= MOST {
            let close = Id::ConsoleClose.action().title;
            let text = format!("Console: {MOST} are open already; end one with \"{close}\" in the palette");
            return self.say(Tone::Warn, text);
        }
        let pane = self.console_pane(object.clone());
        self.begin_console(object, console, pane, effects);
    }

    /// A pane with a session of its own.
    pub(super) fn console_pane(&mut self, object: ObjectRef) -> ConsolePane {
        self.sessions += 1;
        let mut pane = ConsolePane::new(object, self.sessions, self.console_size(), self.depth);
        pane.keys = [Id::ConsoleDetach, Id::ConsoleOpen].map(|id| self.first_key(id).unwrap_or_default());
        pane
    }

    /// What the server is to be asked for, if it can be asked.
    fn console_of(&self, object: &ObjectRef) -> Result<Console, &'static str> {
        let gone = "it is not in the inventory";
        match object {
            ObjectRef::Node(node) => Ok(Console::Node(node.node.clone())),
            ObjectRef::Guest(guest) => {
                let known = self.world.store.guest(guest).ok_or(gone)?;
                if known.template {
                    return Err("it is a template");
                }
                if known.status == GuestStatus::Stopped {
                    return Err("the guest is stopped");
                }
                Ok(Console::Guest {
                    node: known.node.clone(),
                    kind: known.kind,
                    vmid: known.vmid,
                    serial: None,
                })
            }
            _ => Err("only nodes and guests have a console"),
        }
    }

    /// Columns and rows inside the frame of a console.
    fn console_size(&self) -> (u16, u16) {
        let (width, height) = self.size;
        // Header and footer, and the frame on each side.
        (width.saturating_sub(2), height.saturating_sub(4))
    }

    /// Does an action that is about consoles; returns whether it is one.
    pub(super) fn act_on_console(&mut self, action: Id, effects: &mut Vec<Effect>) -> bool {
        match action {
            Id::ConsoleOpen => self.open_console(effects),
            Id::ConsoleDetach if self.is_alone => effects.push(Effect::Quit),
            Id::ConsoleDetach => {
                if let Some(object) = self.subject() {
                    let open = keys_text(&self.keymap, Id::ConsoleOpen);
                    let open = open.split(' ').next().unwrap_or_default();
                    let text = format!("the console of {object} goes on; {open} on it comes back");
                    self.say(Tone::Info, text);
                }
                self.leave();
            }
            Id::ConsoleRecord => self.record_console(effects),
            Id::ConsoleClose => match self.live_console() {
                Some(pane) => {
                    let session = pane.session;
                    pane.link = Link::Over(None);
                    effects.push(Effect::Console(session, ConsoleOrder::Close));
                    if self.is_alone {
                        effects.push(Effect::Quit);
                    } else if matches!(self.place(), Place::Console(_)) {
                        self.leave();
                    }
                }
                None => self.say(Tone::Warn, "there is no open console of it"),
            },
            _ => return false,
        }
        true
    }

    pub(super) fn leave(&mut self) {
        if !self.history.back() {
            self.history.go(Place::Deck);
        }
        self.touched();
    }

    /// The open console of the selected object.
    fn live_console(&mut self) -> Option<&mut ConsolePane> {
        let object = self.subject()?;
        self.panes.console(&object).filter(|pane| pane.is_live())
    }

    fn record_console(&mut self, effects: &mut Vec<Effect>) {
        let title = self.subject().map(|object| object.to_string());
        let (Some(title), Some(pane)) = (title, self.live_console()) else {
            return self.say(Tone::Warn, "there is no open console of it");
        };
        let order = if pane.recording {
            ConsoleOrder::EndRecord
        } else if pane.link == Link::Opening {
            pane.record = Some(None);
            return self.say(Tone::Info, "it is recorded as soon as it is open");
        } else {
            ConsoleOrder::Record {
                file: None,
                title,
                size: pane.size(),
                state: pane.state(),
            }
        };
        effects.push(Effect::Console(pane.session, order));
    }

    /// The open console that has the keys now.
    fn typing(&mut self) -> Option<&mut ConsolePane> {
        let Place::Console(object) = self.place().clone() else {
            return None;
        };
        if self.overlay.is_some() {
            return None;
        }
        self.panes.console(&object).filter(|pane| pane.is_live())
    }

    /// A key while a console is open: the guest's, unless the keymap has an action for it there. Returns whether it
    /// went there.
    pub(super) fn console_key(&mut self, chord: &KeyChord, effects: &mut Vec<Effect>) -> bool {
        if self.typing().is_none() {
            return false;
        }
        if let Some(action) = self.keymap.action(crate::actions::Scope::Console, *chord) {
            self.act(action, effects);
            return true;
        }
        if let Some(pane) = self.typing() {
            let bytes = pane.typed(chord);
            self.type_into_console(bytes, effects);
        }
        true
    }

    /// Bytes for the guest: at once, or as soon as its console is open.
    fn type_into_console(&mut self, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        let Some(pane) = self.typing().filter(|_| !bytes.is_empty()) else {
            return;
        };
        if pane.link == Link::Open {
            let session = pane.session;
            effects.push(Effect::Console(session, ConsoleOrder::Type(bytes)));
            return;
        }
        let kept = pane.keep(&bytes);
        self.dirty = true;
        if !kept {
            let text = "the console is not open yet, and no more is kept of what is typed";
            self.say(Tone::Warn, text);
        }
    }

    /// Pasted text while a console is open; returns whether it went there.
    pub(super) fn console_paste(&mut self, text: &str, effects: &mut Vec<Effect>) -> bool {
        let Some(pane) = self.typing() else {
            return false;
        };
        let bytes = pane.pasted(text);
        self.type_into_console(bytes, effects);
        true
    }

    /// The terminal has another size, and so have all consoles.
    pub(super) fn resize_consoles(&mut self, effects: &mut Vec<Effect>) {
        let size = self.console_size();
        for pane in self.panes.consoles_mut() {
            if let (Some((columns, rows)), true) = (pane.resize(size), pane.is_live()) {
                effects.push(Effect::Console(pane.session, ConsoleOrder::Resize(columns, rows)));
            }
        }
    }

    /// Something was heard of a session.
    pub(super) fn console_event(&mut self, session: u64, event: ConsoleEvent, effects: &mut Vec<Effect>) {
        let found = self
            .panes
            .consoles_mut()
            .find(|pane| pane.session == session && pane.is_live());
        // News of a session that was closed meanwhile mean nothing any more.
        let Some(pane) = found else { return };
        let mut told = None;
        match event {
            ConsoleEvent::Opened => return self.console_opened(session, effects),
            ConsoleEvent::Wrote(bytes) => {
                let answer = pane.write(&bytes);
                if !answer.is_empty() {
                    effects.push(Effect::Console(session, ConsoleOrder::Type(answer)));
                }
            }
            ConsoleEvent::Recording(file) => {
                pane.recording = true;
                told = Some((Tone::Info, format!("recording into {file}")));
            }
            ConsoleEvent::Recorded(why) => {
                pane.recording = false;
                told = Some(match why {
                    None => (Tone::Info, "the recording has ended".to_owned()),
                    Some(why) => (Tone::Bad, format!("the recording has ended: {why}")),
                });
            }
            ConsoleEvent::Refused(kind, mut why) => {
                self.outcome = Some((Some(kind), why.clone()));
                if !pane.take_kept().is_empty() {
                    why.push_str("; nothing was sent of what was typed");
                }
                pane.link = Link::Over(Some(why.clone()));
                told = Some((Tone::Bad, why));
            }
            ConsoleEvent::Ended(why) => {
                self.outcome = why.clone().map(|why| (None, why));
                pane.recording = false;
                pane.link = Link::Over(why);
            }
        }
        let over = !pane.is_live();
        if let Some((tone, text)) = told {
            self.say(tone, text);
        }
        if over && self.is_alone {
            effects.push(Effect::Quit);
        }
        self.dirty = true;
    }
}
