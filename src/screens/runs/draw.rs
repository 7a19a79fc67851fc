//! How the list of runs looks.

use super::{super::Cx, RunsPane, view};
use crate::{
    screens::figures::MOMENT_WIDTH,
    ui::{Canvas, Tone},
};

/// Columns of state and of the count of steps.
const STATE: u16 = 13;
const STEPS: u16 = 7;

pub(super) fn list(
    canvas: &mut Canvas<'_>,
    cx: &Cx<'_>,
    pane: &mut RunsPane,
    at: Option<usize>,
    focused: bool,
) {
    let list = cx.runs.list();
    if list.is_empty() {
        let text = "Nothing was done from here yet. What you do with `s` is written down and shown here.";
        canvas.text(1, 0, text, canvas.width().saturating_sub(2), Tone::Muted);
        return;
    }
    let width = canvas.width();
    let rest = width.saturating_sub(MOMENT_WIDTH + STATE + STEPS + 5);
    let title = (rest * 2 / 3).min(48).max(rest / 2);
    let widths = [MOMENT_WIDTH, STATE, STEPS, title, rest.saturating_sub(title + 1)];
    let names = ["begun", "state", "steps", "what", "by, or what went wrong"];
    let mut x = 1;
    for (index, (name, width)) in names.iter().zip(widths).enumerate() {
        let right = index == 0 || index == 2;
        let at = if right {
            x + width.saturating_sub(name.len() as u16)
        } else {
            x
        };
        canvas.text(at, 0, name, width, Tone::Header);
        x += width + 1;
    }
    let rows = usize::from(canvas.height().saturating_sub(1));
    pane.page = rows;
    if let Some(at) = at {
        pane.offset = pane.offset.min(at).max((at + 1).saturating_sub(rows));
    }
    for (line, run) in list.iter().enumerate().skip(pane.offset).take(rows) {
        let y = (line - pane.offset) as u16 + 1;
        let mut x = 1;
        for (cell, width) in view::row(cx, run).iter().zip(widths) {
            canvas.cell(x, y, width, cell);
            x += width + 1;
        }
        if at == Some(line) {
            let tone = if focused {
                Tone::Selection
            } else {
                Tone::SelectionIdle
            };
            canvas.tint_row(y, tone);
            canvas.text(0, y, canvas.glyphs().pointer, 1, Tone::Accent);
        }
    }
    canvas.inner_rows().scroll_bar(pane.offset, list.len());
}
