//! From the wish for a console to the order for one: which serial line, and what is typed before it is open.
//!
//! What always holds here: a machine without a serial line is told so before anything is opened, and one with several
//! is asked which; whatever is typed meanwhile is kept and goes to the guest, never to a list.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::Timestamp;

use super::{App, ConsoleOrder, Effect, Overlay};
use crate::{
    domain::{Console, GuestKind, GuestRef, ObjectRef},
    overlays::{Ask, ask::Meaning},
    screens::{
        Place,
        console::{ConsolePane, Link},
    },
    store::{Feed, FeedErrorKind, FeedKey},
};

/// A console that is all there is: the program ends with it.
#[derive(Clone, Debug)]
pub struct Alone {
    /// Of what.
    pub object: ObjectRef,
    /// The same, as the server is asked for it.
    pub console: Console,
    /// The file that it is recorded into from the start.
    pub record: Option<PathBuf>,
}

/// Why a console that was all there is ended: what sort of refusal it was, if it was one, and the sentence.
pub type Outcome = (Option<FeedErrorKind>, String);

/// A console that waits for what has to be read, or for an answer.
#[derive(Debug)]
pub(super) struct Opening {
    session: u64,
    object: ObjectRef,
    console: Console,
    /// What has to be read.
    pub(super) feeds: BTreeSet<FeedKey>,
    since: Timestamp,
    /// Whether the user was asked which line.
    asked: bool,
}

impl App {
    /// Shows a console and orders it as soon as it is known which.
    pub(super) fn begin_console(
        &mut self,
        object: ObjectRef,
        console: Console,
        pane: ConsolePane,
        effects: &mut Vec<Effect>,
    ) {
        let feeds = match &object {
            ObjectRef::Guest(GuestRef { cluster, vmid })
                if !self.is_alone
                    && matches!(
                        console,
                        Console::Guest {
                            kind: GuestKind::Qemu,
                            ..
                        }
                    ) =>
            {
                BTreeSet::from([Feed::GuestConfig(*vmid).of(cluster)])
            }
            _ => BTreeSet::new(),
        };
        self.read_for(&feeds, effects);
        self.openings.push(Opening {
            session: pane.session,
            object: object.clone(),
            console,
            feeds,
            since: self.world.now,
            asked: false,
        });
        self.panes.put_console(object.clone(), pane);
        self.go(Place::Console(object));
        self.settle_openings(effects);
    }

    /// Begins with the console that is all there is.
    pub(super) fn begin_alone(&mut self, effects: &mut Vec<Effect>) {
        let Some(alone) = self.alone.take() else { return };
        let mut pane = self.console_pane(alone.object.clone());
        pane.record = alone.record.map(Some);
        self.begin_console(alone.object, alone.console, pane, effects);
    }

    /// Why the console ended that was all there is; `None` if it ended in good order.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Orders the consoles that wait for nothing any more.
    pub(super) fn settle_openings(&mut self, effects: &mut Vec<Effect>) {
        for mut opening in std::mem::take(&mut self.openings) {
            let pane = self.panes.console(&opening.object);
            if !pane.is_some_and(|pane| pane.session == opening.session && pane.is_live()) {
                continue;
            }
            if opening.asked || !self.reading(&opening.feeds, opening.since).waiting.is_empty() {
                self.openings.push(opening);
                continue;
            }
            match self.lines_of(&opening).as_deref() {
                Some([]) => self.no_line(&opening),
                Some([_, _, ..]) if self.overlay.is_some() => self.openings.push(opening),
                Some(lines @ [_, _, ..]) => {
                    self.ask_line(&opening, lines);
                    opening.asked = true;
                    self.openings.push(opening);
                }
                // The server takes the only one by itself, and knows best where nothing could be read.
                Some([_]) | None => self.order_console(opening, effects),
            }
        }
    }

    /// The serial lines of a machine; `None` if it is none, or nothing is known.
    fn lines_of(&self, opening: &Opening) -> Option<Vec<u8>> {
        let ObjectRef::Guest(guest) = &opening.object else {
            return None;
        };
        let read = opening.feeds.iter().any(|key| self.is_read(key, opening.since));
        let config = self.world.store.guest_config(guest).filter(|_| read)?;
        Some(config.serials())
    }

    fn no_line(&mut self, opening: &Opening) {
        let number = match &opening.object {
            ObjectRef::Guest(guest) => guest.vmid.to_string(),
            _ => "VMID".to_owned(),
        };
        if let Some(pane) = self.panes.console(&opening.object) {
            pane.take_kept();
            pane.link = Link::Over(Some(format!(
                "it has no serial line: `qm set {number} --serial0 socket`, then stop and start it"
            )));
        }
        self.dirty = true;
    }

    fn ask_line(&mut self, opening: &Opening, lines: &[u8]) {
        const WORDS: [&str; 4] = ["serial0", "serial1", "serial2", "serial3"];
        let answers = lines.iter().filter_map(|line| {
            let word = WORDS.get(usize::from(*line))?;
            Some((
                char::from(b'0' + line),
                *word,
                Meaning::Line(opening.session, *line),
            ))
        });
        self.overlay = Some(Overlay::Ask(Ask {
            title: format!(
                "Console of {}",
                self.title_of(std::slice::from_ref(&opening.object))
            ),
            lines: vec!["It has several serial lines. Which?".to_owned()],
            answers: answers.collect(),
        }));
        self.dirty = true;
    }

    /// The answer to which line; none means that no console is wanted.
    pub(super) fn line_chosen(&mut self, chosen: Option<(u64, u8)>, effects: &mut Vec<Effect>) {
        for mut opening in std::mem::take(&mut self.openings) {
            match (chosen, &mut opening.console) {
                (Some((session, line)), Console::Guest { serial, .. }) if session == opening.session => {
                    *serial = Some(line);
                    self.order_console(opening, effects);
                }
                (None, _) if opening.asked => {
                    if let Some(pane) = self.panes.console(&opening.object) {
                        pane.take_kept();
                        pane.link = Link::Over(None);
                    }
                    self.leave();
                }
                _ => self.openings.push(opening),
            }
        }
    }

    fn order_console(&mut self, opening: Opening, effects: &mut Vec<Effect>) {
        let Some(pane) = self.panes.console(&opening.object) else {
            return;
        };
        let order = ConsoleOrder::Open {
            cluster: opening.object.cluster().clone(),
            console: opening.console,
            size: pane.size(),
        };
        effects.push(Effect::Console(opening.session, order));
    }

    /// A console is open: what was typed until now goes there, and it is recorded if that was wanted.
    pub(super) fn console_opened(&mut self, session: u64, effects: &mut Vec<Effect>) {
        let Some(pane) = self.panes.consoles_mut().find(|pane| pane.session == session) else {
            return;
        };
        pane.link = Link::Open;
        if let Some(file) = pane.record.take() {
            let order = ConsoleOrder::Record {
                file,
                title: pane.object().to_string(),
                size: pane.size(),
                state: pane.state(),
            };
            effects.push(Effect::Console(session, order));
        }
        let kept = pane.take_kept();
        if !kept.is_empty() {
            effects.push(Effect::Console(session, ConsoleOrder::Type(kept)));
        }
    }
}
