//! The frame of a pane: number, title, what is in it, and how old its data is.

use super::{canvas::Canvas, cell::Cell, safe, theme::Tone};

/// What the frame of a pane says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Title {
    /// The key that focuses the pane, `1` to `9`.
    pub number: Option<u8>,
    /// What the pane shows.
    pub name: String,
    /// Count, filter, marks: what is shown of it.
    pub detail: String,
    /// Age of the data and its last error.
    pub freshness: Freshness,
}

/// Age and state of a pane's data, ready to be shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Freshness {
    /// Age in words, `4s`; empty while nothing was ever read.
    pub age: String,
    /// Whether the data is older than it should be: then it is shown dimmed.
    pub stale: bool,
    /// What the last failed read said.
    pub error: Option<String>,
}

/// Draws the frame and returns the canvas inside. An error takes the last line of the frame.
pub fn frame<'c>(canvas: &'c mut Canvas<'_>, title: &Title, focused: bool) -> Canvas<'c> {
    let border = if focused { Tone::BorderFocus } else { Tone::Border };
    canvas.frame(border);
    let width = canvas.width();
    let g = canvas.glyphs();
    let age = age_cell(title, g);
    let age_width = safe::width(&age.plain()) as u16 + 2;
    let room = width.saturating_sub(2 + age_width);
    let mut x = 1;
    if let Some(number) = title.number {
        x += canvas.text(x, 0, &number.to_string(), room, Tone::Key);
    } else {
        x += canvas.text(x, 0, " ", room, border);
    }
    if title.number.is_some() {
        x += canvas.text(x, 0, " ", room.saturating_sub(x), border);
    }
    let tone = if focused { Tone::Title } else { Tone::Header };
    x += canvas.text(x, 0, &title.name, room.saturating_sub(x), tone);
    x += canvas.text(x, 0, " ", 1, border);
    if !title.detail.is_empty() && x + 4 < room {
        let detail = format!("{} {} ", g.frame[0], title.detail);
        canvas.text(x, 0, &detail, room.saturating_sub(x), Tone::Muted);
    }
    if age_width < width {
        canvas.text(width - 1 - age_width, 0, " ", 1, border);
        canvas.cell(width - age_width, 0, age_width - 2, &age);
        canvas.text(width - 2, 0, " ", 1, border);
    }
    if let Some(error) = &title.freshness.error {
        let y = canvas.height().saturating_sub(1);
        let text = format!(" {} {error} ", g.warn);
        canvas.text(2, y, &text, width.saturating_sub(4), Tone::Bad);
    }
    canvas.inner()
}

fn age_cell(title: &Title, g: &super::Glyphs) -> Cell {
    let fresh = &title.freshness;
    match (fresh.age.is_empty(), fresh.stale) {
        (true, _) if fresh.error.is_some() => Cell::toned("no data", Tone::Bad),
        (true, _) => Cell::toned("waiting", Tone::Muted),
        (false, true) => Cell::toned(format!("{} {} old", g.stale, fresh.age), Tone::Warn),
        (false, false) => Cell::toned(fresh.age.clone(), Tone::Muted),
    }
}
