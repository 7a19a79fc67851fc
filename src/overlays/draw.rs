//! How the overlays look.

use super::{
    help::{Help, Shown},
    palette::{Candidate, Palette},
    toast::Toasts,
};
use crate::ui::{Canvas, Rect, Tone, pane, safe};

/// The palette: a box below the header, its lines under the typed text.
pub fn palette(canvas: &mut Canvas<'_>, palette: &mut Palette) {
    let area = canvas.area();
    let width = area.width.saturating_sub(4).clamp(20.min(area.width), 100);
    let height = (palette.shown().len() as u16 + 3)
        .min(area.height.saturating_sub(2))
        .max(4)
        .min(area.height);
    let x = area.x + (area.width.saturating_sub(width)) / 2;
    let mut popup = canvas.part(Rect {
        x,
        y: area.y + 1,
        width,
        height,
    });
    popup.clear();
    popup.frame(Tone::BorderFocus);
    popup.text(2, 0, " Palette ", width.saturating_sub(4), Tone::Title);
    let mut inside = popup.inner();
    palette.line.draw(&mut inside.row(0), ":");
    let rows = usize::from(inside.height().saturating_sub(1));
    if palette.shown().is_empty() {
        inside.text(
            2,
            1,
            "nothing fits: type part of a place, an object or an action",
            width,
            Tone::Muted,
        );
    }
    let first = (palette.selected() + 1).saturating_sub(rows);
    let all = inside.area();
    palette.drawn = (
        Rect {
            y: all.y + 1,
            height: all.height.saturating_sub(1),
            ..all
        },
        first,
    );
    for (line, candidate) in palette.shown().iter().skip(first).take(rows).enumerate() {
        let y = line as u16 + 1;
        candidate_row(&mut inside, y, candidate, first + line == palette.selected());
    }
}

fn candidate_row(canvas: &mut Canvas<'_>, y: u16, candidate: &Candidate, selected: bool) {
    if selected {
        canvas.tint_row(y, Tone::Selection);
        canvas.text(0, y, canvas.glyphs().pointer, 1, Tone::Accent);
    }
    let note = candidate.refused.as_deref().unwrap_or(&candidate.note);
    let room = canvas.width().saturating_sub(3);
    let note_width = (safe::width(note) as u16).min(room / 2);
    let text_room = room.saturating_sub(note_width + 1);
    let tone = if candidate.refused.is_some() {
        Tone::Muted
    } else {
        Tone::Text
    };
    canvas.text(2, y, &candidate.text, text_room, tone);
    let note_tone = if candidate.refused.is_some() {
        Tone::Warn
    } else {
        Tone::Muted
    };
    canvas.text(
        canvas.width().saturating_sub(note_width + 1),
        y,
        note,
        note_width,
        note_tone,
    );
}

/// Help: full screen, a line per action.
pub fn help(canvas: &mut Canvas<'_>, help: &mut Help) {
    canvas.clear();
    let title = pane::Title {
        name: "Help".to_owned(),
        ..pane::Title::default()
    };
    canvas.frame(Tone::BorderFocus);
    canvas.text(2, 0, &format!(" {} ", title.name), 8, Tone::Title);
    let mut inside = canvas.inner();
    help.line.draw(&mut inside.row(0), "search: ");
    let rows = usize::from(inside.height().saturating_sub(2));
    let offset = help.offset.min(help.shown().len().saturating_sub(rows));
    help.offset = offset;
    let shown = help.shown();
    if shown.is_empty() {
        inside.text(0, 2, "no action fits what is typed", inside.width(), Tone::Muted);
    }
    for (line, shown) in shown.iter().skip(offset).take(rows).enumerate() {
        let y = line as u16 + 2;
        let row = match shown {
            Shown::Heading(heading) => {
                inside.text(0, y, heading, inside.width(), Tone::Title);
                continue;
            }
            Shown::Row(row) => row,
        };
        inside.text(0, y, &row.keys, 16, Tone::Key);
        inside.text(17, y, row.title, 20, Tone::Accent);
        let width = inside.width();
        if width > 100 {
            inside.text(38, y, row.name, 20, Tone::Muted);
            inside.text(59, y, row.help, width.saturating_sub(60), Tone::Text);
        } else {
            inside.text(38, y, row.help, width.saturating_sub(39), Tone::Text);
        }
    }
    let mut below = inside.inner_rows();
    let mut bar = below.inner_rows();
    bar.scroll_bar(offset, shown.len());
}

/// Toasts: one above the other at the lower right.
pub fn toasts(canvas: &mut Canvas<'_>, toasts: &Toasts) {
    let area = canvas.area();
    for (index, toast) in toasts.shown().rev().enumerate() {
        let Some(y) = area.height.checked_sub(index as u16 + 1) else {
            return;
        };
        let text = format!(" {} ", safe::clean(&toast.text));
        let width = (safe::width(&text) as u16).min(area.width);
        let mut strip = canvas.part(Rect {
            x: area.x + area.width - width,
            y: area.y + y,
            width,
            height: 1,
        });
        strip.clear();
        strip.text(0, 0, &text, width, toast.tone);
        strip.tint_row(0, Tone::Selection);
    }
}
