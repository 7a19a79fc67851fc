//! A part of the screen that a pane may draw on.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{
    cell::{Align, Cell},
    glyphs::Glyphs,
    safe,
    theme::{Theme, Tone},
};

/// A rectangle of the screen with the theme and the signs to draw with. Nothing drawn through it leaves it.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    theme: &'a Theme,
    glyphs: &'a Glyphs,
}

impl<'a> Canvas<'a> {
    /// A canvas over `area`, as far as it lies in the buffer.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: &'a Theme, glyphs: &'a Glyphs) -> Self {
        let area = area.intersection(buffer.area);
        Self {
            buffer,
            area,
            theme,
            glyphs,
        }
    }

    /// Its place on the screen.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Columns.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// The signs to draw with.
    pub fn glyphs(&self) -> &'a Glyphs {
        self.glyphs
    }

    /// The style of a tone in the theme.
    pub fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// A part of this canvas; `area` is in screen coordinates and is cut to this one's.
    pub fn part(&mut self, area: Rect) -> Canvas<'_> {
        let area = area.intersection(self.area);
        Canvas {
            buffer: self.buffer,
            area,
            theme: self.theme,
            glyphs: self.glyphs,
        }
    }

    /// One row of it as a canvas of its own.
    pub fn row(&mut self, y: u16) -> Canvas<'_> {
        let area = Rect {
            y: self.area.y.saturating_add(y),
            height: 1,
            ..self.area
        };
        self.part(area)
    }

    /// All of it without the outermost columns and rows.
    pub fn inner(&mut self) -> Canvas<'_> {
        let a = self.area;
        self.part(Rect {
            x: a.x.saturating_add(1),
            y: a.y.saturating_add(1),
            width: a.width.saturating_sub(2),
            height: a.height.saturating_sub(2),
        })
    }

    /// All of it below the first row: the rows of a table below its titles.
    pub fn inner_rows(&mut self) -> Canvas<'_> {
        let a = self.area;
        self.part(Rect {
            y: a.y.saturating_add(1),
            height: a.height.saturating_sub(1),
            ..a
        })
    }

    /// Writes text at a place relative to the canvas, cleaned and cut to `columns`. Returns the columns used.
    pub fn text(&mut self, x: u16, y: u16, text: &str, columns: u16, tone: Tone) -> u16 {
        let style = self.theme.style(tone);
        self.styled(x, y, text, columns, style)
    }

    fn styled(&mut self, x: u16, y: u16, text: &str, columns: u16, style: Style) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return 0;
        }
        let columns = columns.min(self.area.width - x);
        let cleaned = safe::clean(text);
        let fitted = safe::fit(&cleaned, columns.into(), self.glyphs.ellipsis);
        let (end, _) =
            self.buffer
                .set_stringn(self.area.x + x, self.area.y + y, &*fitted, columns.into(), style);
        end - self.area.x - x
    }

    /// Puts one character with a style of its own: the cells of an emulated terminal. What must not reach the
    /// terminal is replaced, as everywhere, when the frame is done.
    pub fn symbol(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        let inside = x < self.area.width && y < self.area.height;
        let position = (self.area.x.saturating_add(x), self.area.y.saturating_add(y));
        if let (true, Some(cell)) = (inside, self.buffer.cell_mut(position)) {
            cell.reset();
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Writes a cell into `columns`, leaning to its side.
    pub fn cell(&mut self, x: u16, y: u16, columns: u16, cell: &Cell) -> u16 {
        let mut at = x;
        let end = x.saturating_add(columns);
        if cell.align == Align::Right {
            let wide: usize = cell
                .parts
                .iter()
                .map(|(text, _)| safe::width(&safe::clean(text)))
                .sum();
            at += columns.saturating_sub(wide.min(u16::MAX.into()) as u16);
        }
        for (text, tone) in &cell.parts {
            if at >= end {
                break;
            }
            at += self.text(at, y, text, end - at, *tone);
        }
        at - x
    }

    /// Lays a tone over an area: its background and weight, and its colour where it has one.
    pub fn tint(&mut self, area: Rect, tone: Tone) {
        let area = area.intersection(self.area);
        self.buffer.set_style(area, self.theme.style(tone));
    }

    /// Lays a tone over one row of the canvas.
    pub fn tint_row(&mut self, y: u16, tone: Tone) {
        let area = Rect {
            y: self.area.y.saturating_add(y),
            height: 1,
            ..self.area
        };
        self.tint(area, tone);
    }

    /// Turns colours round at one place: the cursor of a line that is typed.
    pub fn invert(&mut self, x: u16, y: u16) {
        if x < self.area.width && y < self.area.height {
            let area = Rect {
                x: self.area.x + x,
                y: self.area.y + y,
                width: 1,
                height: 1,
            };
            self.buffer
                .set_style(area, Style::default().add_modifier(Modifier::REVERSED));
        }
    }

    /// Empties the canvas: for what lies over other panes.
    pub fn clear(&mut self) {
        let style = self.theme.style(Tone::Background);
        for position in self.area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Draws a frame around the canvas.
    pub fn frame(&mut self, tone: Tone) {
        let (w, h) = (self.area.width, self.area.height);
        if w < 2 || h < 2 {
            return;
        }
        let [
            horizontal,
            vertical,
            top_left,
            top_right,
            bottom_left,
            bottom_right,
        ] = self.glyphs.frame;
        let middle = horizontal.repeat(usize::from(w) - 2);
        self.text(0, 0, &format!("{top_left}{middle}{top_right}"), w, tone);
        self.text(0, h - 1, &format!("{bottom_left}{middle}{bottom_right}"), w, tone);
        for y in 1..h - 1 {
            self.text(0, y, vertical, 1, tone);
            self.text(w - 1, y, vertical, 1, tone);
        }
    }

    /// Draws a scroll bar in the last column of the canvas if `total` rows do not fit.
    pub fn scroll_bar(&mut self, offset: usize, total: usize) {
        let height = usize::from(self.area.height);
        if total <= height || height == 0 || self.area.width == 0 {
            return;
        }
        let length = (height * height / total).max(1);
        let top = (offset * height / total).min(height - length);
        let [thumb, track] = self.glyphs.scroll;
        let x = self.area.width - 1;
        for y in 0..height {
            let inside = (top..top + length).contains(&y);
            let (sign, tone) = if inside {
                (thumb, Tone::Muted)
            } else {
                (track, Tone::Border)
            };
            self.text(x, y as u16, sign, 1, tone);
        }
    }
}
