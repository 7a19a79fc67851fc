//! How the form looks: a line for each argument with what is wrong with it, below them what may be chosen.

use super::Form;
use crate::ui::{Canvas, Rect, Tone, safe};

const WIDEST: u16 = 96;
/// Columns of a value.
const VALUE: u16 = 26;

/// Draws the form over the canvas.
pub fn draw(canvas: &mut Canvas<'_>, form: &mut Form) {
    let room = canvas.area();
    let width = room.width.saturating_sub(4).clamp(20.min(room.width), WIDEST);
    let offers = form.shown().len();
    let fields = form.fields.len();
    let wanted = fields + usize::from(offers > 0) + offers.min(12) + 4;
    let height = (wanted as u16).min(room.height);
    let area = Rect {
        x: room.x + (room.width - width) / 2,
        y: room.y + (room.height - height) / 3,
        width,
        height,
    };
    let mut popup = canvas.part(area);
    popup.clear();
    popup.frame(Tone::BorderFocus);
    let title = format!(" {} {} ", form.wish.deed.title(), form.subject);
    popup.text(2, 0, &title, width.saturating_sub(4), Tone::Title);
    let mut inside = popup.inner();
    let names = form.fields.iter().map(|field| field.argument.name.len());
    let name = names.max().unwrap_or(0) as u16 + 2;
    for index in 0..fields {
        draw_field(&mut inside.row(index as u16), form, index, name);
    }
    let below = inside.height().saturating_sub(2);
    let first = fields as u16 + 1;
    let space = below.saturating_sub(first);
    let all = inside.area();
    if offers > 0 && space > 0 {
        let mut list = inside.part(Rect {
            x: all.x + name,
            y: all.y + first,
            width: all.width.saturating_sub(name),
            height: space,
        });
        draw_offers(&mut list, form);
    }
    let g = inside.glyphs();
    if let Some(fault) = &form.fault {
        let text = format!("{} {fault}", g.failed);
        inside.text(1, below, &text, width.saturating_sub(4), Tone::Bad);
    }
    draw_hints(&mut inside.row(below + 1), offers > 0);
}

fn draw_field(row: &mut Canvas<'_>, form: &Form, index: usize, name_width: u16) {
    let field = &form.fields[index];
    let focused = index == form.focus;
    let g = row.glyphs();
    if focused {
        row.text(0, 0, g.pointer, 1, Tone::Accent);
    }
    let tone = if focused { Tone::Accent } else { Tone::Text };
    row.text(1, 0, field.argument.name, name_width, tone);
    let area = row.area();
    let x = name_width + 1;
    let width = VALUE.min(row.width().saturating_sub(x));
    if focused {
        let mut line = row.part(Rect {
            x: area.x + x,
            width,
            ..area
        });
        field.line.draw(&mut line, "");
    } else if field.line.text().is_empty() {
        row.text(x, 0, g.none, width, Tone::Muted);
    } else {
        row.text(x, 0, field.line.text(), width, Tone::Text);
    }
    let x = x + width + 1;
    let room = row.width().saturating_sub(x);
    match &field.fault {
        Some(fault) => row.text(x, 0, &format!("{} {fault}", g.failed), room, Tone::Bad),
        None => row.text(x, 0, &Form::help(field.argument), room, Tone::Muted),
    };
}

fn draw_offers(list: &mut Canvas<'_>, form: &Form) {
    let shown = form.shown();
    let value = form.fields.get(form.focus).map_or("", |field| field.line.text());
    let rows = usize::from(list.height());
    let selected = form
        .chosen
        .or_else(|| shown.iter().position(|offer| offer.value == value));
    let first = selected.map_or(0, |at| (at + 1).saturating_sub(rows));
    let wide = shown
        .iter()
        .map(|offer| safe::width(&safe::clean(&offer.value)))
        .max();
    let wide = (wide.unwrap_or(0) as u16).min(list.width() / 2);
    for (line, offer) in shown.iter().enumerate().skip(first).take(rows) {
        let y = (line - first) as u16;
        if selected == Some(line) {
            list.tint_row(y, Tone::Selection);
        }
        list.text(1, y, &offer.value, wide, Tone::Text);
        let room = list.width().saturating_sub(wide + 4);
        list.text(wide + 3, y, &offer.note, room, Tone::Muted);
    }
    list.scroll_bar(first, shown.len());
}

fn draw_hints(row: &mut Canvas<'_>, offers: bool) {
    let mut x = 1;
    let hints = [
        ("enter", "go on", true),
        ("up/down", "choose", offers),
        ("tab", "next field", true),
        ("esc", "cancel", true),
    ];
    for (key, word, _) in hints.iter().filter(|(_, _, shown)| *shown) {
        x += row.text(x, 0, key, row.width(), Tone::Key);
        x += row.text(x, 0, &format!(" {word}"), row.width(), Tone::Muted) + 3;
    }
}
