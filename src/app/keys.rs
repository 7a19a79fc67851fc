//! Keys: to the overlay that is open, else through the keymap to an action.

use super::{App, Overlay, event::Effect};
use crate::{
    actions::{Id, Scope},
    overlays::{
        Choice, Palette,
        typing::{edit, is_ctrl},
    },
    plan::Wish,
    settings::{Key, KeyChord, keymap::Keymap},
    ui::{Tone, line::Line},
};

impl App {
    pub(super) fn key(&mut self, chord: &KeyChord, effects: &mut Vec<Effect>) {
        self.stay_here();
        if self.console_key(chord, effects) {
            return;
        }
        if let Some(plain) = self.behind_esc(chord) {
            let esc = KeyChord {
                key: Key::Esc,
                alt: false,
                ..*chord
            };
            self.key(&esc, effects);
            self.key(&plain, effects);
            return;
        }
        match self.overlay.take() {
            Some(overlay) => self.overlay_key(overlay, chord, effects),
            None => self.pane_key(chord, effects),
        }
    }

    /// On a slow line `Esc` and a letter arrive at once, and that is what terminals send for `Alt` and the letter.
    /// Unless the keymap knows the latter, they are taken as the two keys.
    fn behind_esc(&mut self, chord: &KeyChord) -> Option<KeyChord> {
        if !chord.alt || chord.ctrl || !matches!(chord.key, Key::Char(_)) {
            return None;
        }
        let focus = self.focus();
        let scope = self.panes.get(&focus).map_or(Scope::Global, |pane| pane.scope());
        let known = self.overlay.is_none() && self.keymap.action(scope, *chord).is_some();
        (!known).then_some(KeyChord { alt: false, ..*chord })
    }

    fn pane_key(&mut self, chord: &KeyChord, effects: &mut Vec<Effect>) {
        let focus = self.focus();
        let scope = self.panes.get(&focus).map_or(Scope::Global, |pane| pane.scope());
        if let Some(action) = self.keymap.action(scope, *chord) {
            self.act(action, effects);
        } else {
            let help = keys_text(&self.keymap, Id::Help);
            let first = help.split(' ').next().unwrap_or("?").to_owned();
            self.say(
                Tone::Muted,
                format!("{chord} does nothing here; {first} shows the keys"),
            );
        }
    }

    /// The overlay was taken out; it is put back unless the key closes it.
    fn overlay_key(&mut self, overlay: Overlay, chord: &KeyChord, effects: &mut Vec<Effect>) {
        self.dirty = true;
        // Ending is possible from everywhere, but not by the letter `q` while one types.
        if is_ctrl(chord, 'c') {
            match overlay {
                Overlay::Filter { before, .. } => self.filter(&before),
                Overlay::Palette(_)
                | Overlay::Help(_)
                | Overlay::Menu(_)
                | Overlay::Form { .. }
                | Overlay::Confirm(_)
                | Overlay::Remark { .. } => {}
                Overlay::Ask(_) => self.line_chosen(None, effects),
            }
            return;
        }
        match overlay {
            Overlay::Filter { mut line, before } => match chord.key {
                Key::Esc => self.filter(&before),
                Key::Enter => self.accept_line(),
                Key::Tab => {
                    let line = self.complete_line().map_or(line, |full| Line::new(&full));
                    self.filter(line.text());
                    self.overlay = Some(Overlay::Filter { line, before });
                }
                _ => {
                    if let Some(edit) = edit(chord) {
                        line.edit(edit);
                        self.filter(line.text());
                    }
                    self.overlay = Some(Overlay::Filter { line, before });
                }
            },
            Overlay::Remark { line, alerts } => self.remark_key(line, alerts, chord, effects),
            Overlay::Palette(mut palette) => {
                match chord.key {
                    Key::Esc => return,
                    Key::Enter => return self.choose_from(palette, effects),
                    Key::Down => palette.step(1, &self.judge()),
                    Key::Up => palette.step(-1, &self.judge()),
                    Key::PageDown => palette.step(10, &self.judge()),
                    Key::PageUp => palette.step(-10, &self.judge()),
                    Key::Tab => palette.complete(&self.judge()),
                    _ if is_ctrl(chord, 'n') => palette.step(1, &self.judge()),
                    _ if is_ctrl(chord, 'p') => palette.step(-1, &self.judge()),
                    _ => {
                        if let Some(edit) = edit(chord) {
                            palette.line.edit(edit);
                            palette.search(&self.judge());
                        }
                    }
                }
                self.overlay = Some(Overlay::Palette(palette));
            }
            Overlay::Help(mut help) => {
                match chord.key {
                    Key::Esc | Key::Enter => return,
                    Key::Char('q' | '?') if help.line.text().is_empty() => return,
                    Key::Down => help.scroll(1),
                    Key::Up => help.scroll(-1),
                    Key::PageDown => help.scroll(10),
                    Key::PageUp => help.scroll(-10),
                    _ => {
                        if let Some(edit) = edit(chord) {
                            help.line.edit(edit);
                            help.offset = 0;
                        }
                    }
                }
                self.overlay = Some(Overlay::Help(help));
            }
            Overlay::Menu(mut menu) => {
                let answer = menu.key(chord);
                self.menu_answer(answer, menu, effects);
            }
            Overlay::Form { form, feeds } => self.form_key(form, feeds, chord, effects),
            Overlay::Confirm(open) => self.confirm_key(open, chord, effects),
            Overlay::Ask(ask) => match ask.key(chord) {
                Some(meaning) => self.answer(meaning, effects),
                None => self.overlay = Some(Overlay::Ask(ask)),
            },
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.overlay {
            Some(Overlay::Filter { line, .. }) => {
                line.paste(text);
                let text = line.text().to_owned();
                self.filter(&text);
            }
            Some(Overlay::Remark { line, .. }) => line.paste(text),
            Some(Overlay::Palette(_)) => self.paste_into_palette(text),
            Some(Overlay::Help(help)) => help.line.paste(text),
            Some(Overlay::Confirm(open)) => open.paste(text),
            Some(Overlay::Form { .. }) => self.paste_into_form(text),
            // Pasted text is not typed keys: it must not start actions.
            Some(Overlay::Menu(_) | Overlay::Ask(_)) | None => {}
        }
        self.dirty = true;
    }

    fn accept_line(&mut self) {
        let focus = self.focus();
        if let Some(pane) = self.panes.get(&focus) {
            pane.accept();
        }
        self.touched();
    }

    fn complete_line(&mut self) -> Option<String> {
        let focus = self.focus();
        let cx = self.world.cx();
        self.panes.get(&focus)?.complete(&cx)
    }

    pub(super) fn filter(&mut self, line: &str) {
        let focus = self.focus();
        if let Some(pane) = self.panes.get(&focus) {
            pane.set_filter(line);
        }
        self.touched();
    }

    /// Does what the selected line of the palette says; stays open if that is not possible.
    pub(super) fn choose_from(&mut self, palette: Palette, effects: &mut Vec<Effect>) {
        match palette.choose() {
            Ok(choice) => {
                self.remember(palette.line.text());
                self.choose(choice, effects);
            }
            Err(reason) => {
                self.say(Tone::Warn, reason);
                self.overlay = Some(Overlay::Palette(palette));
            }
        }
    }

    fn paste_into_palette(&mut self, text: &str) {
        if let Some(Overlay::Palette(mut palette)) = self.overlay.take() {
            palette.line.paste(text);
            palette.search(&self.judge());
            self.overlay = Some(Overlay::Palette(palette));
        }
    }

    fn choose(&mut self, choice: Choice, effects: &mut Vec<Effect>) {
        match choice {
            Choice::Go(place) => self.go(place),
            Choice::Filter(place, line) => {
                self.go(place);
                self.filter(&line);
            }
            Choice::Act(action) => self.act(action, effects),
            Choice::Do {
                deed,
                targets,
                arguments,
            } => self.wish(
                Wish {
                    deed,
                    targets,
                    arguments,
                    undoes: None,
                },
                effects,
            ),
        }
    }

    fn remember(&mut self, typed: &str) {
        let typed = typed.trim();
        if typed.is_empty() {
            return;
        }
        self.palette_past.retain(|past| past != typed);
        self.palette_past.push(typed.to_owned());
        if self.palette_past.len() > 50 {
            self.palette_past.remove(0);
        }
    }
}

impl App {
    /// The first key of an action, as the user's keymap has it.
    pub(super) fn first_key(&self, action: Id) -> Option<String> {
        let keys = keys_text(&self.keymap, action);
        keys.split(' ')
            .next()
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
    }
}

/// The keys of an action as footer, palette and help show them, separated by blanks; empty if it has none.
pub(super) fn keys_text(keymap: &Keymap, action: Id) -> String {
    let keys: Vec<String> = keymap.keys(action).iter().map(ToString::to_string).collect();
    keys.join(" ")
}
