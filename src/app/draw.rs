//! The whole screen: header, panes, footer, and what lies over them.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{App, Overlay, keys::keys_text, panes::TILES};
use crate::{
    actions::{Id, Scope, TABLE},
    domain::Severity,
    overlays,
    screens::{Place, deck},
    store::{Cluster, Health},
    ui::{Canvas, Cell, Tone, export, pane, safe},
};

/// Below this size nothing sensible can be shown.
const LEAST: (u16, u16) = (20, 5);

/// The tiles of the deck that are visible at a size.
pub(super) fn visible_tiles(size: (u16, u16), focused: usize) -> Vec<usize> {
    deck::layout(body(size), TILES.len(), focused)
        .tiles
        .into_iter()
        .map(|(tile, _)| tile)
        .collect()
}

/// What lies between header and footer.
fn body((width, height): (u16, u16)) -> Rect {
    Rect {
        x: 0,
        y: 1,
        width,
        height: height.saturating_sub(2),
    }
}

impl App {
    /// Draws the screen into an empty buffer of the current size. Changes nothing but scroll offsets and what the
    /// mouse needs to know of the frame.
    pub fn draw(&mut self, buffer: &mut Buffer) {
        self.dirty = false;
        self.drawn.clear();
        // The theme is lent out of `self` for the frame, because panes are drawn through `&mut`.
        let theme = self.theme().clone();
        let glyphs = self.world.glyphs;
        let mut canvas = Canvas::new(
            buffer,
            Rect {
                x: 0,
                y: 0,
                width: self.size.0,
                height: self.size.1,
            },
            &theme,
            &glyphs,
        );
        canvas.clear();
        if self.size.0 < LEAST.0 || self.size.1 < LEAST.1 {
            canvas.text(0, 0, "too small: 60x15 at least", self.size.0, Tone::Warn);
            return;
        }
        self.draw_header(&mut canvas.row(0));
        let area = body(self.size);
        match self.place().clone() {
            Place::Deck => self.draw_deck(&mut canvas, area),
            place => self.draw_pane(&mut canvas, area, &place, None, true),
        }
        let height = self.size.1;
        self.draw_footer(&mut canvas.row(height - 1));
        match &mut self.overlay {
            Some(Overlay::Palette(palette)) => overlays::draw::palette(&mut canvas, palette),
            Some(Overlay::Help(help)) => overlays::draw::help(&mut canvas.part(area), help),
            Some(Overlay::Filter { .. }) | None => {}
        }
        let above_footer = Rect {
            height: area.height.saturating_sub(1),
            ..area
        };
        overlays::draw::toasts(&mut canvas.part(above_footer), &self.toasts);
        safe::scrub(buffer);
    }

    /// The screen as plain text, a line per row.
    pub fn screen_text(&mut self) -> String {
        let mut buffer = Buffer::empty(Rect {
            x: 0,
            y: 0,
            width: self.size.0,
            height: self.size.1,
        });
        self.draw(&mut buffer);
        self.dirty = true;
        export::text(&buffer)
    }

    fn draw_deck(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        let layout = deck::layout(area, TILES.len(), self.tile);
        for (tile, area) in layout.tiles {
            let number = tile as u8 + 1;
            self.draw_pane(
                canvas,
                area,
                &TILES[tile].clone(),
                Some(number),
                tile == self.tile,
            );
        }
        if let Some(line) = layout.tabs {
            let mut x = 1;
            let mut line = canvas.part(line);
            for (tile, place) in TILES.iter().enumerate() {
                let tone = if tile == self.tile {
                    Tone::Title
                } else {
                    Tone::Muted
                };
                x += line.text(x, 0, &(tile + 1).to_string(), 2, Tone::Key);
                x += line.text(x, 0, &format!(" {}   ", place.label()), 20, tone);
            }
        }
    }

    fn draw_pane(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        place: &Place,
        number: Option<u8>,
        focused: bool,
    ) {
        self.drawn.push((place.clone(), area));
        let cx = self.world.cx();
        let Some(pane) = self.panes.get(place) else { return };
        let title = pane::Title {
            number,
            ..pane.title(&cx)
        };
        let mut part = canvas.part(area);
        let mut inside = pane::frame(&mut part, &title, focused);
        pane.draw(&mut inside, &cx, focused);
    }

    fn draw_header(&self, canvas: &mut Canvas<'_>) {
        let right = self.header_right();
        let right_width = safe::width(&right.plain()) as u16;
        let width = canvas.width();
        canvas.tint_row(0, Tone::Header);
        canvas.cell(0, 0, width.saturating_sub(right_width + 1), &self.header_left());
        if right_width < width {
            canvas.cell(width - right_width, 0, right_width, &right);
        }
    }

    fn header_left(&self) -> Cell {
        let g = &self.world.glyphs;
        let mut cell = Cell::toned(" pvedeck ", Tone::Title);
        for cluster in self.world.store.clusters() {
            let health = cluster.health(self.world.now);
            let (sign, tone) = match health {
                Health::Connecting => (g.unknown, Tone::Muted),
                Health::Live => (g.on, Tone::Good),
                Health::Stale(_) => (g.stale, Tone::Warn),
                Health::Unreachable(_) | Health::SignInRefused(_) => (g.lost, Tone::Bad),
                Health::Untrusted(_) => (g.lost, Tone::Critical),
            };
            let word = if health == Health::Live {
                quorum(cluster)
            } else {
                health.word().to_owned()
            };
            cell = cell
                .then(format!(" {} ", cluster.id()), Tone::Text)
                .then(sign, tone)
                .then(
                    format!(" {word} "),
                    if health == Health::Live { Tone::Muted } else { tone },
                );
        }
        let (critical, warning) = self.finding_counts();
        if critical + warning > 0 {
            cell = cell.then(
                format!("  {} ", g.flag),
                if critical > 0 { Tone::Critical } else { Tone::Warn },
            );
        }
        if critical > 0 {
            cell = cell.then(format!("{critical} critical "), Tone::Critical);
        }
        if warning > 0 {
            cell = cell.then(format!("{warning} warning "), Tone::Warn);
        }
        if self.paused {
            cell = cell.then(" paused ", Tone::Warn);
        }
        cell
    }

    fn finding_counts(&self) -> (usize, usize) {
        let count = |severity| {
            self.world
                .store
                .findings()
                .iter()
                .filter(|f| f.severity == severity)
                .count()
        };
        (count(Severity::Critical), count(Severity::Warning))
    }

    fn header_right(&self) -> Cell {
        let time = self
            .world
            .now
            .to_zoned(self.world.zone.clone())
            .strftime("%H:%M")
            .to_string();
        let mut cell = Cell::empty();
        if !self.user.is_empty() && self.size.0 >= 100 {
            cell = cell.then(format!("{}  ", self.user), Tone::Muted);
        }
        // The senders of this program know no write.
        cell.then("read-only", Tone::Muted)
            .then(format!("  {time} "), Tone::Text)
    }

    fn draw_footer(&mut self, canvas: &mut Canvas<'_>) {
        if let Some(Overlay::Filter { line, .. }) = &self.overlay {
            line.draw(canvas, "/");
            return;
        }
        let focus = self.focus();
        let scope = self.panes.get(&focus).map_or(Scope::Global, |pane| pane.scope());
        let hints: Vec<(String, &str)> = match &self.overlay {
            Some(Overlay::Palette(_)) => fixed(&[("enter", "do"), ("tab", "complete"), ("esc", "close")]),
            Some(Overlay::Help(_)) => fixed(&[("type", "search"), ("esc", "close")]),
            _ => self.hints(scope),
        };
        let mut x = 1;
        for (key, word) in hints {
            let needed = (safe::width(&key) + 1 + safe::width(word)) as u16;
            if x + needed > canvas.width() {
                break;
            }
            x += canvas.text(x, 0, &key, needed, Tone::Key);
            x += canvas.text(x, 0, &format!(" {word}"), needed, Tone::Muted) + 2;
        }
    }

    /// The footer: what the keys do here, the innermost scope first.
    fn hints(&self, scope: Scope) -> Vec<(String, &'static str)> {
        let on_deck = *self.place() == Place::Deck;
        scope
            .chain()
            .iter()
            .flat_map(|scope| {
                TABLE
                    .iter()
                    .filter(move |action| action.scope == *scope && !action.hint.is_empty())
            })
            .filter(|action| match action.id {
                Id::FocusNext | Id::Zoom => on_deck || TILES.contains(self.place()),
                Id::HistoryBack => !on_deck,
                _ => true,
            })
            .filter_map(|action| {
                let keys = keys_text(&self.keymap, action.id);
                let first = keys.split(' ').next().filter(|key| !key.is_empty())?.to_owned();
                Some((first, action.hint))
            })
            .collect()
    }
}

fn quorum(cluster: &Cluster) -> String {
    let Some(status) = cluster.status() else {
        return String::new();
    };
    let (online, all) = status.online();
    match status.quorate {
        Some(true) => format!("quorate {online}/{all}"),
        Some(false) => format!("NO QUORUM {online}/{all}"),
        None => String::new(),
    }
}

fn fixed(hints: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    hints
        .iter()
        .map(|(key, word)| ((*key).to_owned(), *word))
        .collect()
}
