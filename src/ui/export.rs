//! A frame as something to keep: plain text, text with colours, or a picture.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

use super::theme::ANSI;

/// A frame as plain text, a line per row, without blanks at the ends of lines.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buffer) {
        let line: String = row.iter().map(|(_, cell)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A frame with its colours, as a terminal takes them.
pub fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buffer) {
        let mut last = None;
        for (_, cell) in row {
            let look = (cell.fg, cell.bg, cell.modifier);
            if last != Some(look) {
                let _ = write!(out, "\x1b[0{}m", codes(look));
                last = Some(look);
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

/// The rows of a frame; the second cell of a wide character is left out.
fn rows(buffer: &Buffer) -> impl Iterator<Item = Vec<(usize, &Cell)>> {
    buffer
        .content
        .chunks(usize::from(buffer.area.width).max(1))
        .map(|cells| {
            let mut hidden = 0;
            cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| {
                    if hidden > 0 {
                        hidden -= 1;
                        return false;
                    }
                    hidden = cell.symbol().width().saturating_sub(1);
                    true
                })
                .collect()
        })
}

const MODIFIERS: [(Modifier, u8); 5] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
];

fn codes((fg, bg, modifier): (Color, Color, Modifier)) -> String {
    let mut codes = String::new();
    for (one, code) in MODIFIERS {
        if modifier.contains(one) {
            let _ = write!(codes, ";{code}");
        }
    }
    for (color, base) in [(fg, 30), (bg, 40)] {
        let _ = match color {
            Color::Reset => Ok(()),
            Color::Rgb(r, g, b) => write!(codes, ";{};2;{r};{g};{b}", base + 8),
            Color::Indexed(index) => write!(codes, ";{};5;{index}", base + 8),
            named => match ansi_index(named) {
                index @ 0..=7 => write!(codes, ";{}", base + index),
                index => write!(codes, ";{}", base + 52 + index),
            },
        };
    }
    codes
}

/// The code of a named colour.
fn ansi_index(color: Color) -> u8 {
    ANSI.iter().position(|known| *known == color).unwrap_or(0) as u8
}

const CELL: (usize, usize) = (9, 19);

/// A frame as a picture (SVG), in the colours that a dark terminal would show.
pub fn svg(buffer: &Buffer) -> String {
    let (width, height) = (
        usize::from(buffer.area.width) * CELL.0,
        usize::from(buffer.area.height) * CELL.1,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"15\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#11141a\"/>\n"
    );
    for (y, row) in rows(buffer).enumerate() {
        for run in runs(&row) {
            svg_run(&mut out, y, run);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cells next to each other that look the same.
fn runs<'r, 'b>(row: &'r [(usize, &'b Cell)]) -> impl Iterator<Item = &'r [(usize, &'b Cell)]> {
    row.chunk_by(|(_, a), (_, b)| (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier))
}

fn svg_run(out: &mut String, y: usize, run: &[(usize, &Cell)]) {
    let [(first, look), ..] = run else { return };
    let text: String = run.iter().map(|(_, cell)| cell.symbol()).collect();
    let columns = text.width();
    let (mut fg, mut bg) = (rgb(look.fg).unwrap_or("#d5d9e0".into()), rgb(look.bg));
    if look.modifier.contains(Modifier::REVERSED) {
        (fg, bg) = (bg.unwrap_or("#11141a".into()), Some(fg));
    }
    let (left, top) = (first * CELL.0, y * CELL.1);
    if let Some(bg) = bg {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"{bg}\"/>",
            columns * CELL.0,
            CELL.1
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if look.modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let faint = if look.modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    let line = if look.modifier.contains(Modifier::UNDERLINED) {
        " text-decoration=\"underline\""
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{}\" fill=\"{fg}\" textLength=\"{}\" xml:space=\"preserve\"{weight}{faint}{line}>{}</text>",
        top + 14,
        columns * CELL.0,
        escape(&text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn rgb(color: Color) -> Option<String> {
    const NAMED: [&str; 16] = [
        "#1c1f26", "#d75f5f", "#87af5f", "#d7af5f", "#5f87d7", "#af87d7", "#5fafaf", "#c6c8cc", "#6b717d",
        "#ff8787", "#afd787", "#ffd787", "#87afff", "#d7afff", "#87d7d7", "#ffffff",
    ];
    Some(match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index) => indexed(index),
        named => NAMED[usize::from(ansi_index(named))].to_owned(),
    })
}

/// The colour cube and the greys of 256 colours.
fn indexed(index: u8) -> String {
    match index {
        0..=15 => rgb(ANSI[usize::from(index)]).unwrap_or_default(),
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            format!(
                "#{:02x}{:02x}{:02x}",
                level(cube / 36),
                level(cube / 6 % 6),
                level(cube % 6)
            )
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Style};

    use super::*;

    fn frame() -> Buffer {
        let mut buffer = Buffer::empty(Rect {
            x: 0,
            y: 0,
            width: 12,
            height: 2,
        });
        buffer.set_string(0, 0, "日本 <a>", Style::default());
        buffer.set_string(
            0,
            1,
            "x",
            Style::default().fg(Color::LightRed).bg(Color::Rgb(1, 2, 3)),
        );
        buffer
    }

    #[test]
    fn text_has_wide_characters_once() {
        assert_eq!(text(&frame()), "日本 <a>\nx\n");
    }

    #[test]
    fn colours_become_codes() {
        assert!(ansi(&frame()).contains("\x1b[0;91;48;2;1;2;3mx"));
    }

    #[test]
    fn a_picture_is_well_formed() {
        let picture = svg(&frame());
        assert!(picture.contains("日本 &lt;a&gt;"));
        assert!(picture.contains("fill=\"#010203\""));
        assert_eq!(
            picture.matches("<text").count(),
            picture.matches("</text>").count()
        );
    }

    #[test]
    fn every_index_has_a_colour() {
        for index in 0..=255 {
            assert_eq!(indexed(index).len(), 7, "{index}");
        }
    }
}
