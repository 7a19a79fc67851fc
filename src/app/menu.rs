//! The menu of what is selected or marked.

use super::{App, Effect, Overlay};
use crate::{
    actions::Id,
    domain::ObjectRef,
    overlays::{
        Menu,
        menu::{self, Item},
    },
    plan::Deed,
    ui::Tone,
};

/// The actions on a run, each with its letter in the menu.
const ON_RUNS: &[(Id, char)] = &[(Id::RunContinue, 'c'), (Id::RunStop, 'x'), (Id::RunDrop, 'd')];

/// The actions that change nothing by themselves, on a guest or a node.
const ON_MACHINES: &[(Id, char)] = &[(Id::ConsoleOpen, 'C'), (Id::ObjectSsh, 'S')];

impl App {
    /// Opens the menu of what is selected or marked.
    pub(super) fn open_menu(&mut self, at: Option<(u16, u16)>) {
        let items = self.menu_items();
        if items.is_empty() {
            let text = match self.subject() {
                Some(object) => format!("nothing can be done to {object} from here"),
                None => "nothing is selected".to_owned(),
            };
            return self.say(Tone::Warn, text);
        }
        let title = self.menu_title();
        self.overlay = Some(Overlay::Menu(Menu::new(title, items, at)));
        self.dirty = true;
    }

    pub(super) fn menu_items(&mut self) -> Vec<Item> {
        let focus = self.focus();
        let Some(pane) = self.panes.get(&focus) else {
            return Vec::new();
        };
        if pane.run().is_some() {
            return ON_RUNS
                .iter()
                .map(|(action, letter)| Item {
                    action: *action,
                    letter: Some(*letter),
                    title: action.action().title,
                    refused: self.availability(*action).err(),
                })
                .collect();
        }
        let first = pane.marks().and_then(|marks| marks.first().cloned());
        let Some(object) = first.or_else(|| pane.subject()) else {
            return Vec::new();
        };
        // The title of the menu says already whom it is about.
        let name = format!("{} ", self.title_of(std::slice::from_ref(&object)));
        let short = |reason: String| reason.strip_prefix(&name).map_or(reason.clone(), str::to_owned);
        let mut items: Vec<Item> = Deed::for_object(&object)
            .map(|row| Item {
                action: row.action.id,
                letter: row.letter,
                title: row.action.title,
                refused: self.deed_possible(row.deed).err().map(short),
            })
            .collect();
        if matches!(object, ObjectRef::Guest(_) | ObjectRef::Node(_)) {
            items.extend(ON_MACHINES.iter().map(|(action, letter)| Item {
                action: *action,
                letter: Some(*letter),
                title: action.action().title,
                refused: self.availability(*action).err(),
            }));
        }
        items
    }

    fn menu_title(&mut self) -> String {
        let focus = self.focus();
        let Some(pane) = self.panes.get(&focus) else {
            return String::new();
        };
        if let Some(record) = pane.run().and_then(|ticket| self.world.runs.get(ticket)) {
            return record.plan.title.clone();
        }
        let marked: Vec<ObjectRef> = pane.marks().into_iter().flatten().cloned().collect();
        let subject = pane.subject();
        if marked.is_empty() {
            self.title_of(subject.as_slice())
        } else {
            let marked = self.title_of(&marked);
            marked.replace(' ', " marked ")
        }
    }

    pub(super) fn menu_answer(&mut self, answer: menu::Answer, menu: Menu, effects: &mut Vec<Effect>) {
        match answer {
            menu::Answer::Stay => self.overlay = Some(Overlay::Menu(menu)),
            menu::Answer::Close => {}
            menu::Answer::Chosen(action) => self.act(action, effects),
            menu::Answer::Refused(reason) => {
                self.say(Tone::Warn, reason);
                self.overlay = Some(Overlay::Menu(menu));
            }
        }
    }
}
