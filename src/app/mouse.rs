//! The mouse: to the overlay that is open, else to the pane under it.

use super::{
    App, Overlay,
    event::{Effect, Mouse},
    panes::TILES,
};
use crate::{actions::Id, overlays::menu::Answer, screens::Place};

impl App {
    pub(super) fn mouse(&mut self, mouse: Mouse, x: u16, y: u16, effects: &mut Vec<Effect>) {
        let lines = match mouse {
            Mouse::WheelDown => 3,
            Mouse::WheelUp => -3,
            Mouse::Click | Mouse::DoubleClick | Mouse::RightClick => 0,
        };
        match &mut self.overlay {
            Some(Overlay::Palette(_)) => return self.mouse_in_palette(mouse, lines, x, y, effects),
            Some(Overlay::Help(help)) => {
                help.scroll(lines);
                self.dirty = true;
                return;
            }
            Some(Overlay::Confirm(open)) => {
                open.scroll(lines);
                self.dirty = true;
                return;
            }
            Some(Overlay::Menu(_)) => return self.mouse_in_menu(mouse, lines, x, y, effects),
            Some(
                Overlay::Filter { .. } | Overlay::Remark { .. } | Overlay::Form { .. } | Overlay::Ask(_),
            ) => return,
            None => {}
        }
        let tab = self.tabs.iter().find(|(_, area)| area.contains((x, y).into()));
        if let (Some((tile, _)), Mouse::Click) = (tab, mouse) {
            let tile = *tile;
            self.focus_tile(tile);
            self.touched();
            return;
        }
        let hit = self
            .drawn
            .iter()
            .find(|(_, area)| area.contains((x, y).into()))
            .cloned();
        let Some((place, area)) = hit else { return };
        if let Some(tile) = TILES.iter().position(|tile| *tile == place)
            && *self.place() == Place::Deck
            && self.tile != tile
        {
            self.tile = tile;
            self.touched();
        }
        let cx = self.world.cx();
        let Some(pane) = self.panes.get(&place) else {
            return;
        };
        let inside = x.checked_sub(area.x + 1).zip(y.checked_sub(area.y + 1));
        match (mouse, inside) {
            (Mouse::WheelDown, _) => pane.scroll(3, &cx),
            (Mouse::WheelUp, _) => pane.scroll(-3, &cx),
            (Mouse::Click, Some((x, y))) => {
                let reply = pane.click(x, y, &cx);
                self.reply(reply);
            }
            (Mouse::RightClick, Some((line_x, line_y))) => {
                let reply = pane.click(line_x, line_y, &cx);
                self.reply(reply);
                self.open_menu(Some((x, y)));
            }
            (Mouse::DoubleClick, _) => self.act(Id::ListOpen, effects),
            (Mouse::Click | Mouse::RightClick, _) => {}
        }
        self.touched();
    }

    fn mouse_in_palette(&mut self, mouse: Mouse, lines: isize, x: u16, y: u16, effects: &mut Vec<Effect>) {
        let Some(Overlay::Palette(mut palette)) = self.overlay.take() else {
            return;
        };
        self.dirty = true;
        if matches!(mouse, Mouse::Click | Mouse::DoubleClick) && palette.click(x, y) {
            return self.choose_from(palette, effects);
        }
        // Above its first line the palette brings back what was typed before: that is for the key alone.
        palette.step(lines.max(-(palette.selected() as isize)), &self.judge());
        self.overlay = Some(Overlay::Palette(palette));
    }

    fn mouse_in_menu(&mut self, mouse: Mouse, lines: isize, x: u16, y: u16, effects: &mut Vec<Effect>) {
        let Some(Overlay::Menu(mut menu)) = self.overlay.take() else {
            return;
        };
        let answer = if matches!(mouse, Mouse::Click | Mouse::DoubleClick) {
            menu.click(x, y)
        } else {
            menu.step(lines.signum());
            Answer::Stay
        };
        self.menu_answer(answer, menu, effects);
        self.dirty = true;
    }
}
