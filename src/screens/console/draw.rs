//! The cells of the emulated terminal.

use ratatui::style::{Color, Modifier, Style};
use vt100::{Cell, Color as Foreign};

use super::emulator::Emulator;
use crate::{
    settings::{ColorDepth, ColorSpec},
    ui::{Canvas, Tone, theme::ANSI},
};

/// Draws the cells from the first on, as many as fit, and the cursor.
pub(super) fn cells(canvas: &mut Canvas<'_>, emulator: &Emulator, depth: ColorDepth, cursor: bool) {
    let screen = emulator.screen();
    let (columns, rows) = emulator.size();
    let plain = canvas.style(Tone::Background).patch(canvas.style(Tone::Text));
    for y in 0..rows.min(canvas.height()) {
        for x in 0..columns.min(canvas.width()) {
            let Some(cell) = screen.cell(y, x) else { continue };
            // Of a wide character that does not fit, nothing is shown.
            let fits = !cell.is_wide() || x + 1 < canvas.width();
            let text = match cell.contents() {
                text if fits && !text.is_empty() => text,
                _ => " ",
            };
            canvas.symbol(x, y, text, plain.patch(style(cell, depth)));
        }
    }
    let (y, x) = screen.cursor_position();
    if cursor && !screen.hide_cursor() && emulator.scrolled() == 0 {
        canvas.invert(x.min(columns - 1), y);
    }
}

fn style(cell: &Cell, depth: ColorDepth) -> Style {
    let mut style = Style::default();
    if let Some(color) = color(cell.fgcolor(), depth) {
        style = style.fg(color);
    }
    if let Some(color) = color(cell.bgcolor(), depth) {
        style = style.bg(color);
    }
    for (on, modifier) in [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// The nearest colour that the real terminal has; `None` is its own.
fn color(foreign: Foreign, depth: ColorDepth) -> Option<Color> {
    let wanted = match foreign {
        Foreign::Default => return None,
        // The first sixteen of 256 are what everybody means by red or bright blue.
        Foreign::Idx(index @ 0..=15) => ColorSpec::Ansi(index),
        Foreign::Idx(index) => ColorSpec::Indexed(index),
        Foreign::Rgb(r, g, b) => ColorSpec::Rgb(r, g, b),
    };
    Some(match wanted.reduced(depth)? {
        ColorSpec::Reset => return None,
        ColorSpec::Ansi(index) => ANSI[usize::from(index % 16)],
        ColorSpec::Indexed(index) => Color::Indexed(index),
        ColorSpec::Rgb(r, g, b) => Color::Rgb(r, g, b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_down_to_what_the_terminal_has() {
        for (depth, seen) in [
            (ColorDepth::True, Some(Color::Rgb(250, 10, 10))),
            (ColorDepth::Ansi16, Some(Color::LightRed)),
            (ColorDepth::None, None),
        ] {
            assert_eq!(color(Foreign::Rgb(250, 10, 10), depth), seen);
        }
        assert_eq!(color(Foreign::Idx(1), ColorDepth::True), Some(Color::Red));
        assert_eq!(color(Foreign::Default, ColorDepth::True), None);
    }
}
