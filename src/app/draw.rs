//! The whole screen: header, panes, footer, and what lies over them.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{App, Overlay, keys::keys_text, panes::TILES};
use crate::{
    actions::{self, Id, Scope},
    domain::{Alarm, Task, TaskState},
    overlays,
    screens::{Place, deck},
    store::Health,
    ui::{Canvas, Tone, export, pane, safe},
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

/// Letters of a name in the line of tabs where there is no room for all.
const SHORT: usize = 4;

impl App {
    /// Draws the screen into an empty buffer of the current size. Changes nothing but scroll offsets and what the
    /// mouse needs to know of the frame.
    pub fn draw(&mut self, buffer: &mut Buffer) {
        self.dirty = false;
        self.drawn.clear();
        self.tabs.clear();
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
            Some(Overlay::Menu(menu)) => overlays::menu::draw(&mut canvas.part(area), menu),
            Some(Overlay::Form { form, .. }) => overlays::form::draw(&mut canvas.part(area), form),
            Some(Overlay::Confirm(open)) => overlays::confirm::draw(&mut canvas.part(area), open),
            Some(Overlay::Ask(ask)) => overlays::ask::draw(&mut canvas.part(area), ask),
            Some(Overlay::Filter { .. } | Overlay::Remark { .. }) | None => {}
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
            self.draw_tabs(&mut canvas.part(line));
        }
    }

    /// The line that names all tiles, by fewer letters where there is little room: with what is in them where there is room.
    fn draw_tabs(&mut self, canvas: &mut Canvas<'_>) {
        let counts = self.tab_counts();
        let label = |place: &Place, most: usize| place.label().chars().take(most).collect::<String>();
        let wide = |most: usize, counts: &[String]| -> usize {
            TILES
                .iter()
                .zip(counts)
                .map(|(place, count)| 3 + label(place, most).len() + safe::width(count))
                .sum()
        };
        let none = vec![String::new(); TILES.len()];
        let room = usize::from(canvas.width().saturating_sub(1));
        // Where there is no room for all, what runs and what is wrong stays.
        let lists = TILES.len() - 2;
        let few = [&none[..lists], &counts[lists..]].concat();
        let fitting = [
            (usize::MAX, &counts),
            (usize::MAX, &few),
            (SHORT, &few),
            (SHORT, &none),
        ]
        .into_iter()
        .find(|(most, counts)| wide(*most, counts) <= room);
        let (most, counts) = fitting.unwrap_or((1, &none));
        let free = room.saturating_sub(wide(most, counts));
        let gap = (free / TILES.len()).min(2) as u16;
        let area = canvas.area();
        let mut x = 1;
        for (tile, (place, count)) in TILES.iter().zip(counts).enumerate() {
            let tone = if tile == self.tile {
                Tone::Title
            } else {
                Tone::Muted
            };
            let start = x;
            x += canvas.text(x, 0, &(tile + 1).to_string(), 2, Tone::Key);
            x += canvas.text(x, 0, &format!(" {}", label(place, most)), 20, tone);
            let tone = if *place == Place::Alerts {
                self.worst_tone()
            } else {
                tone
            };
            x += canvas.text(x, 0, count, 20, tone);
            let width = x - start;
            self.tabs.push((
                tile,
                Rect {
                    x: area.x + start,
                    width,
                    ..area
                },
            ));
            x += 1 + gap;
        }
    }

    /// How many rows each tile has, and what of them one has to know.
    fn tab_counts(&mut self) -> Vec<String> {
        let g = self.world.glyphs;
        let runs = |task: &Task| task.state == TaskState::Running;
        let running = self.world.store.tasks().filter(|(_, task)| runs(task)).count();
        let loud = |alarm: &&Alarm| alarm.standing().is_loud();
        let alarms = self.world.store.alarms().iter().filter(loud).count();
        let cx = self.world.cx();
        let live = cx
            .store
            .clusters()
            .iter()
            .all(|cluster| cluster.health(cx.now) == Health::Live);
        TILES
            .iter()
            .map(|place| match place {
                Place::Tasks if running > 0 => format!(" {running}{}", g.busy),
                Place::Tasks => String::new(),
                Place::Alerts if alarms > 0 => format!(" {alarms}{}", g.flag),
                // That nothing is wrong can only be said where everything was heard.
                Place::Alerts if live => format!(" {}", g.ok),
                Place::Alerts => format!(" {}", g.unknown),
                place => {
                    let detail = self.panes.get(place).map(|pane| pane.title(&cx).detail);
                    let detail = detail.unwrap_or_default();
                    // Only the count: "66", or "6 of 66" while a filter is set.
                    let count = detail.split(g.dot).next().unwrap_or_default().trim();
                    if count.is_empty() {
                        String::new()
                    } else {
                        format!(" {count}")
                    }
                }
            })
            .collect()
    }

    fn worst_tone(&self) -> Tone {
        match self.world.store.loud_alarms() {
            (0, 0) => Tone::Muted,
            (0, _) => Tone::Warn,
            _ => Tone::Critical,
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

    fn draw_footer(&mut self, canvas: &mut Canvas<'_>) {
        let (hints, mut pinned) = match &self.overlay {
            Some(Overlay::Filter { line, .. }) => {
                let hints = fixed(&[("enter", "keep"), ("esc", "undo")]);
                let width = canvas.width();
                let right = width_of(&hints);
                // The line that is typed comes first: the hints only where it leaves room.
                let typed = safe::width(&safe::clean(line.text())) as u16 + 4;
                line.draw(canvas, "/");
                if typed + right < width {
                    draw_hints(canvas, width - right, &hints);
                }
                return;
            }
            Some(Overlay::Remark { line, .. }) => {
                line.draw(
                    canvas,
                    "why, if anybody asks (enter acknowledges, esc does not): ",
                );
                return;
            }
            Some(Overlay::Palette(_)) => (
                fixed(&[
                    ("enter", "do"),
                    ("tab", "complete"),
                    ("up", "history"),
                    ("esc", "close"),
                ]),
                Vec::new(),
            ),
            Some(Overlay::Help(_)) => (
                fixed(&[("type", "search"), ("up/down", "scroll"), ("esc", "close")]),
                Vec::new(),
            ),
            Some(Overlay::Menu(_)) => (
                fixed(&[
                    ("letter", "do"),
                    ("up/down", "select"),
                    ("enter", "do"),
                    ("esc", "close"),
                ]),
                Vec::new(),
            ),
            Some(Overlay::Form { .. }) => (
                fixed(&[("enter", "go on"), ("tab", "next field"), ("esc", "cancel")]),
                Vec::new(),
            ),
            Some(Overlay::Confirm(_) | Overlay::Ask(_)) => (
                fixed(&[("esc", "nothing is done"), ("up/down", "scroll")]),
                Vec::new(),
            ),
            None => self.hints(),
        };
        // The way to everything else stays in sight, however narrow the line is; the last of it is help.
        let first = width_of(&hints[..hints.len().min(1)]);
        // The gap behind the last hint may lie outside.
        let width = canvas.width() + 2;
        while pinned.len() > 1 && 1 + first + width_of(&pinned) > width {
            pinned.remove(0);
        }
        let room = width.saturating_sub(width_of(&pinned) + 1);
        let mut shown = 0;
        while shown < hints.len() && width_of(&hints[..=shown]) <= room {
            shown += 1;
        }
        let x = draw_hints(canvas, 1, &hints[..shown]);
        draw_hints(canvas, x, &pinned);
    }

    /// The footer: what the keys do here, the innermost scope first; then what is always shown.
    fn hints(&mut self) -> (Vec<Hint>, Vec<Hint>) {
        let focus = self.focus();
        let scope = self.panes.get(&focus).map_or(Scope::Global, |pane| pane.scope());
        let place = self.place().clone();
        let on_deck = place == Place::Deck;
        let (mut hints, mut pinned) = (Vec::new(), Vec::new());
        for action in scope
            .chain()
            .iter()
            .flat_map(|scope| actions::all().filter(move |action| action.scope == *scope))
            .filter(|action| !action.hint.is_empty())
        {
            let means_something = match action.id {
                Id::FocusNext | Id::Zoom => on_deck || TILES.iter().any(|tile| tile.whole() == place),
                Id::HistoryBack => !on_deck,
                Id::ObjectLog => !matches!(place, Place::Log(_)),
                Id::PlaceAlerts => focus != Place::Alerts,
                _ => true,
            };
            // A hint that would be answered with "not here" is no help.
            if !means_something || self.availability(action.id).is_err() {
                continue;
            }
            let keys = keys_text(&self.keymap, action.id);
            let Some(first) = keys.split(' ').next().filter(|key| !key.is_empty()) else {
                continue;
            };
            let list = if matches!(action.id, Id::Palette | Id::Help) {
                &mut pinned
            } else {
                &mut hints
            };
            list.push((first.to_owned(), action.hint));
        }
        (hints, pinned)
    }
}

/// A key and the word for what it does.
type Hint = (String, &'static str);

/// Draws hints from a column on; returns the column behind the last.
fn draw_hints(canvas: &mut Canvas<'_>, mut x: u16, hints: &[Hint]) -> u16 {
    for (key, word) in hints {
        let room = canvas.width().saturating_sub(x);
        x += canvas.text(x, 0, key, room, Tone::Key);
        x += canvas.text(x, 0, &format!(" {word}"), room, Tone::Muted) + 2;
    }
    x
}

/// The columns that hints take, with the gap behind each.
fn width_of(hints: &[Hint]) -> u16 {
    let wide = |(key, word): &Hint| safe::width(key) + 1 + safe::width(word) + 2;
    hints.iter().map(wide).sum::<usize>().min(u16::MAX.into()) as u16
}

fn fixed(hints: &[(&str, &'static str)]) -> Vec<Hint> {
    hints
        .iter()
        .map(|(key, word)| ((*key).to_owned(), *word))
        .collect()
}
