//! How the menu looks: a box in the middle, or where the mouse asked for it; several columns where it is long.

use super::{Item, Menu};
use crate::ui::{Canvas, Rect, Tone, safe};

/// The columns that one line wants.
const WIDE: u16 = 38;

/// Draws the menu over the canvas.
pub fn draw(canvas: &mut Canvas<'_>, menu: &mut Menu) {
    let room = canvas.area();
    let most = usize::from(room.height.saturating_sub(2)).max(1);
    let fits = usize::from(room.width.saturating_sub(2) / WIDE).max(1);
    menu.columns = menu.items.len().div_ceil(most).clamp(1, fits);
    let rows = menu.items.len().div_ceil(menu.columns);
    let reason = menu.items.iter().filter_map(|item| item.refused.as_deref());
    let reasons = reason.map(safe::width).max().unwrap_or(0);
    let titles = menu.items.iter().map(|item| item.title.len()).max().unwrap_or(0) as u16;
    let wanted = if menu.columns == 1 {
        (titles + 8 + reasons as u16).max(WIDE)
    } else {
        (WIDE * menu.columns as u16).max(room.width.min(100))
    };
    let width = (wanted + 2).min(room.width);
    let height = (rows.min(most) as u16 + 2).min(room.height);
    let (x, y) = menu.at.unwrap_or((
        room.x + (room.width - width) / 2,
        room.y + (room.height - height) / 2,
    ));
    menu.area = Rect {
        x: x.min(room.x + room.width - width).max(room.x),
        y: y.min(room.y + room.height - height).max(room.y),
        width,
        height,
    };
    let mut popup = canvas.part(menu.area);
    popup.clear();
    popup.frame(Tone::BorderFocus);
    let title = format!(" {} ", menu.title);
    popup.text(2, 0, &title, width.saturating_sub(4), Tone::Title);
    let mut inside = popup.inner();
    let shown = usize::from(inside.height());
    let line = menu.selected % rows.max(1);
    menu.offset = menu.offset.min(line).max((line + 1).saturating_sub(shown));
    let column_width = inside.width() / menu.columns as u16;
    menu.hits.clear();
    for (index, item) in menu.items.iter().enumerate() {
        let (column, line) = (index / rows, index % rows);
        let Some(y) = line.checked_sub(menu.offset).filter(|y| *y < shown) else {
            continue;
        };
        let all = inside.area();
        let area = Rect {
            x: all.x + column as u16 * column_width,
            y: all.y + y as u16,
            width: column_width,
            height: 1,
        };
        menu.hits.push((area, index));
        draw_item(&mut inside.part(area), item, index == menu.selected, titles + 6);
    }
    if menu.columns == 1 {
        inside.scroll_bar(menu.offset, rows);
    }
}

fn draw_item(canvas: &mut Canvas<'_>, item: &Item, selected: bool, reason_at: u16) {
    if selected {
        canvas.tint_row(0, Tone::Selection);
        canvas.text(0, 0, canvas.glyphs().pointer, 1, Tone::Accent);
    }
    let letter = item.letter.map_or_else(String::new, String::from);
    let possible = item.refused.is_none();
    let (key, text) = if possible {
        (Tone::Key, Tone::Text)
    } else {
        (Tone::Muted, Tone::Muted)
    };
    canvas.text(2, 0, &letter, 1, key);
    let x = 4 + canvas.text(4, 0, item.title, canvas.width().saturating_sub(5), text);
    if let Some(reason) = &item.refused {
        let x = x.max(reason_at.min(canvas.width() / 2)) + 1;
        let room = canvas.width().saturating_sub(x + 1);
        if room > 8 {
            canvas.text(x, 0, reason, room, Tone::Muted);
        }
    }
}
