//! Work that must not grow with the estate. Counted, not timed: a count is the same on every machine.

use std::{cell::Cell as Counter, cmp::Ordering};

use pvedeck::{
    domain::{Guest, GuestRef, ObjectRef, filter::Filter},
    ui::{
        Canvas, Cell, Glyphs, Rect, Theme,
        table::{
            Column, Move, Rows, TableState, Width,
            draw::{Look, table},
        },
    },
};
use ratatui::buffer::Buffer;

use crate::support::estate;

const COLUMNS: &[Column] = &[
    Column::number("vmid", 6, 0),
    Column::text("name", Width::Grow(10, 1), 0),
    Column::text("node", Width::Fixed(8), 1),
    Column::number("cpu", 5, 2),
];
const HEIGHT: u16 = 40;

/// Guests that count what is asked of them.
struct Counted {
    guests: Vec<Guest>,
    cells: Counter<usize>,
    ids: Counter<usize>,
    comparisons: Counter<usize>,
}

impl Counted {
    fn new(guests: u32) -> Self {
        Self {
            guests: estate::inventory(guests).guests,
            cells: Counter::new(0),
            ids: Counter::new(0),
            comparisons: Counter::new(0),
        }
    }

    fn reset(&self) {
        for counter in [&self.cells, &self.ids, &self.comparisons] {
            counter.set(0);
        }
    }
}

fn count(counter: &Counter<usize>) {
    counter.set(counter.get() + 1);
}

impl Rows for Counted {
    fn columns(&self) -> &[Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.guests.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        count(&self.ids);
        ObjectRef::Guest(GuestRef {
            cluster: "prod".into(),
            vmid: self.guests[row].vmid,
        })
    }

    fn matches(&self, _: usize, _: &Filter) -> bool {
        true
    }

    fn compare(&self, a: usize, b: usize, _: usize) -> Ordering {
        count(&self.comparisons);
        self.guests[a].vmid.cmp(&self.guests[b].vmid)
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        count(&self.cells);
        Cell::text(match column {
            0 => self.guests[row].vmid.to_string(),
            1 => self.guests[row].name.as_deref().unwrap_or_default().to_owned(),
            _ => self.guests[row].node.to_string(),
        })
    }
}

fn draw(state: &mut TableState, rows: &Counted) -> Buffer {
    let area = Rect::new(0, 0, 100, HEIGHT);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::mono();
    let mut canvas = Canvas::new(&mut buffer, area, &theme, &Glyphs::UNICODE);
    let look = Look {
        focused: true,
        stale: false,
        empty: "nothing",
    };
    table(&mut canvas, state, rows, look);
    buffer
}

#[test]
fn a_frame_builds_only_what_is_visible() {
    let rows = Counted::new(10_000);
    let mut state = TableState::sorted_by(0, true);
    state.refresh(&rows, 1);
    for step in [Move::First, Move::By(1), Move::Page(1), Move::Last] {
        state.go(step, &rows);
        rows.reset();
        draw(&mut state, &rows);
        let visible = usize::from(HEIGHT - 1);
        assert_eq!(rows.cells.get(), visible * COLUMNS.len(), "{step:?}");
        assert!(rows.ids.get() <= visible, "{step:?}: {} ids", rows.ids.get());
        assert_eq!(rows.comparisons.get(), 0, "{step:?}");
    }
}

#[test]
fn a_refresh_without_news_does_nothing() {
    let rows = Counted::new(10_000);
    let mut state = TableState::sorted_by(0, false);
    state.refresh(&rows, 7);
    assert!(rows.comparisons.get() > 0);
    rows.reset();
    state.refresh(&rows, 7);
    assert_eq!((rows.comparisons.get(), rows.ids.get()), (0, 0));
}

#[test]
fn news_that_leave_the_order_cost_one_look_at_each_row() {
    let rows = Counted::new(10_000);
    for descending in [false, true] {
        let mut state = TableState::sorted_by(0, descending);
        state.refresh(&rows, 1);
        let order = state.order().to_vec();
        rows.reset();
        state.refresh(&rows, 2);
        assert_eq!(state.order(), order);
        assert!(rows.comparisons.get() < 10_000, "{}", rows.comparisons.get());
    }
}

#[test]
fn a_step_of_the_selection_touches_one_row() {
    let rows = Counted::new(10_000);
    let mut state = TableState::sorted_by(0, false);
    state.refresh(&rows, 1);
    rows.reset();
    state.go(Move::By(1), &rows);
    assert!(rows.ids.get() <= 1, "{} ids", rows.ids.get());
    assert_eq!(rows.comparisons.get(), 0);
}
