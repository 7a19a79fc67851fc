//! How a question looks.

use super::Ask;
use crate::ui::{Canvas, Rect, Tone, wrap::wrap};

const WIDEST: u16 = 80;

/// Draws the question over the canvas.
pub fn draw(canvas: &mut Canvas<'_>, ask: &Ask) {
    let room = canvas.area();
    let width = room.width.saturating_sub(4).clamp(20.min(room.width), WIDEST);
    let columns = usize::from(width.saturating_sub(4));
    let lines: Vec<_> = ask
        .lines
        .iter()
        .flat_map(|line| wrap(&[(line, Tone::Text)], columns))
        .collect();
    let height = (lines.len() as u16 + 4).min(room.height);
    let mut popup = canvas.part(Rect {
        x: room.x + (room.width - width) / 2,
        y: room.y + (room.height - height) / 3,
        width,
        height,
    });
    popup.clear();
    popup.frame(Tone::BorderFocus);
    popup.text(
        2,
        0,
        &format!(" {} ", ask.title),
        width.saturating_sub(4),
        Tone::Title,
    );
    let mut inside = popup.inner();
    for (y, line) in lines.iter().enumerate() {
        let mut x = 1;
        for (text, tone) in line {
            x += inside.text(x, y as u16, text, inside.width().saturating_sub(x), *tone);
        }
    }
    let y = inside.height().saturating_sub(1);
    let mut row = inside.row(y);
    let mut x = 1;
    let own = ask.answers.iter().map(|(key, word, _)| (key.to_string(), *word));
    for (key, word) in own.chain([("esc".to_owned(), "not now")]) {
        x += row.text(x, 0, &key, row.width(), Tone::Key);
        x += row.text(x, 0, &format!(" {word}"), row.width(), Tone::Muted) + 3;
    }
}
