//! How a log looks.

use crate::ui::{
    Canvas, Cell, Rect, safe,
    text::{Lines, TextView},
    wrap::wrap,
};

/// An error is told in full, as long as it leaves the log its place.
const STATUS_ROWS: usize = 3;

/// The status, then the lines.
pub(super) fn log(
    canvas: &mut Canvas<'_>,
    view: &mut TextView,
    lines: &impl Lines,
    status: Option<&Cell>,
    empty: &str,
) {
    let mut used = 0;
    if let Some(status) = status {
        for row in wrap(&status.parts, canvas.width().into())
            .iter()
            .take(STATUS_ROWS)
        {
            let mut x = 0;
            for (text, tone) in row {
                canvas.text(x, used, text, canvas.width().saturating_sub(x), *tone);
                x += safe::width(text) as u16;
            }
            used += 1;
        }
        used += 1;
    }
    let area = canvas.area();
    let mut rest = canvas.part(Rect {
        y: area.y.saturating_add(used),
        height: area.height.saturating_sub(used),
        ..area
    });
    view.draw(&mut rest, lines, empty);
}
