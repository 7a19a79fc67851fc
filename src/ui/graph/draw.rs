//! Where the parts of a graph lie, and how they are drawn.

use jiff::Timestamp;

use super::{Extent, Graph, Scale, legend, number, plot::Plot, ticks};
use crate::ui::{Canvas, Rect, Tone};

/// From this height on the time axis has a line of its own above its words.
const ROOMY: u16 = 9;

/// Where the last frame drew the plot: for the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drawn {
    /// The plot, in the coordinates of the canvas.
    pub plot: Rect,
    /// What of time it shows.
    pub extent: Extent,
}

impl Drawn {
    /// The moment below a place of the canvas, if that is in the plot.
    pub fn moment(&self, x: u16, y: u16) -> Option<Timestamp> {
        if !self.plot.contains((x, y).into()) {
            return None;
        }
        let wide = f64::from(self.plot.width.saturating_sub(1).max(1));
        Some(self.extent.at(f64::from(x - self.plot.x) / wide))
    }
}

impl Graph {
    /// Draws the graph over the whole canvas.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> Option<Drawn> {
        let (width, height) = (canvas.width(), canvas.height());
        let legend = legend::rows(self, canvas.glyphs(), width, height);
        for (row, cell) in legend.iter().enumerate() {
            canvas.cell(0, row as u16, width, cell);
        }
        let top = legend.len() as u16;
        let foot = match height {
            ROOMY.. => 2,
            4.. => 1,
            _ => 0,
        };
        let rows = height.saturating_sub(top + foot);
        if rows == 0 || width < 12 {
            return None;
        }
        let scale = self.scale(rows);
        // The numbers, the axis, and what names the lines at their end.
        let left = scale.width() + 1;
        let tags = u16::from(self.traces.len() > 1);
        let columns = width.saturating_sub(left + tags);
        if columns < 4 {
            return None;
        }
        let place = Rect::new(left, top, columns, rows);
        value_axis(canvas, &scale, place);
        self.time_axis(canvas, place, foot);
        self.behind(canvas, &scale, place);
        self.lines(canvas, &scale, place);
        self.tags(canvas, &scale, place);
        if self
            .traces
            .iter()
            .all(|trace| trace.figures(self.extent).is_none())
        {
            let wide = crate::ui::safe::width(&crate::ui::safe::clean(&self.empty)) as u16;
            let x = left + columns.saturating_sub(wide) / 2;
            canvas.text(x, top + rows / 2, &self.empty, columns, Tone::Muted);
        }
        Some(Drawn {
            plot: place,
            extent: self.extent,
        })
    }

    /// The axis of values: around all that is in sight, and up to a limit that is not far above.
    fn scale(&self, rows: u16) -> Scale {
        let (mut least, mut greatest) = (0.0_f64, 0.0_f64);
        for trace in &self.traces {
            if let Some(figures) = trace.figures(self.extent) {
                least = least.min(figures.min);
                greatest = greatest.max(figures.max);
            }
        }
        for limit in &self.limits {
            if limit.value.is_finite() && limit.value <= greatest * 2.0 {
                greatest = greatest.max(limit.value);
            }
        }
        Scale::new(least, greatest, self.unit, rows.into())
    }

    fn time_axis(&self, canvas: &mut Canvas<'_>, plot: Rect, foot: u16) {
        if foot == 0 {
            return;
        }
        let g = canvas.glyphs();
        let (line, tick, corner) = if g.ascii {
            ("-", "+", "+")
        } else {
            ("─", "┬", "└")
        };
        let roomy = foot > 1;
        if roomy {
            canvas.text(plot.x - 1, plot.bottom(), corner, 1, Tone::Border);
            let text = line.repeat(plot.width.into());
            canvas.text(plot.x, plot.bottom(), &text, plot.width, Tone::Border);
        }
        let mut free = 0;
        for moment in ticks(self.extent, &self.zone, plot.width) {
            let x = plot.x + column(self.extent, moment.at, plot.width);
            let wide = moment.text.len() as u16;
            let from = x
                .saturating_sub(wide / 2)
                .min(canvas.width().saturating_sub(wide));
            if roomy {
                canvas.text(x, plot.bottom(), tick, 1, Tone::Border);
            }
            if from >= free {
                canvas.text(from, plot.bottom() + foot - 1, &moment.text, wide, Tone::Muted);
                free = from + wide + 1;
            }
        }
    }

    /// Limits, moments and the cursor: the lines cover them.
    fn behind(&self, canvas: &mut Canvas<'_>, scale: &Scale, plot: Rect) {
        let ascii = canvas.glyphs().ascii;
        let (dash, bar) = if ascii { ("-", "|") } else { ("╌", "│") };
        for limit in self.limits.iter().filter(|limit| scale.contains(limit.value)) {
            let y = plot.y + row(scale, limit.value, plot.height);
            canvas.text(plot.x, y, &dash.repeat(plot.width.into()), plot.width, limit.tone);
        }
        let cursor = self.cursor.map(|at| (at, Tone::Accent));
        for (at, tone) in self.moments.iter().copied().chain(cursor) {
            if self.extent.contains(at) {
                let x = plot.x + column(self.extent, at, plot.width);
                for y in plot.top()..plot.bottom() {
                    canvas.text(x, y, bar, 1, tone);
                }
            }
        }
    }

    fn lines(&self, canvas: &mut Canvas<'_>, scale: &Scale, place: Rect) {
        let kind = canvas.glyphs().dots;
        let mut plot = Plot::new(kind, place.width, place.height);
        for (number, trace) in self.traces.iter().enumerate() {
            plot.add(number, trace, self.extent, scale);
        }
        let mut run = String::new();
        for y in 0..place.height {
            let mut x = 0;
            while x < place.width {
                let (bits, trace) = plot.cell(x, y);
                if bits == 0 {
                    x += 1;
                    continue;
                }
                run.clear();
                let start = x;
                while x < place.width {
                    let (bits, other) = plot.cell(x, y);
                    if bits == 0 || other != trace {
                        break;
                    }
                    run.push(kind.sign(bits, trace));
                    x += 1;
                }
                let tone = self.traces.get(trace).map_or(Tone::Text, |trace| trace.tone);
                canvas.text(place.x + start, place.y + y, &run, x - start, tone);
            }
        }
    }

    /// At the right end of each line its number: colour is not the only thing that tells lines apart.
    fn tags(&self, canvas: &mut Canvas<'_>, scale: &Scale, plot: Rect) {
        if self.traces.len() < 2 {
            return;
        }
        let mut taken = Vec::new();
        for (index, trace) in self.traces.iter().enumerate().take(9) {
            let Some(last) = trace.within(self.extent).iter().rev().find_map(number) else {
                continue;
            };
            let wanted = row(scale, last, plot.height);
            // The nearest row that is free, so that no number is lost where lines end together.
            let free = (0..plot.height)
                .filter(|y| !taken.contains(y))
                .min_by_key(|y| y.abs_diff(wanted));
            if let Some(y) = free {
                taken.push(y);
                canvas.text(plot.right(), plot.y + y, &(index + 1).to_string(), 1, trace.tone);
            }
        }
    }
}

fn value_axis(canvas: &mut Canvas<'_>, scale: &Scale, plot: Rect) {
    let (bar, tick) = if canvas.glyphs().ascii {
        ("|", "+")
    } else {
        ("│", "┤")
    };
    let x = plot.x - 1;
    for y in plot.top()..plot.bottom() {
        canvas.text(x, y, bar, 1, Tone::Border);
    }
    let mut last = None;
    for (value, text) in &scale.ticks {
        let y = plot.y + row(scale, *value, plot.height);
        if last.is_some_and(|last: u16| last <= y + 1) && plot.height > 1 {
            continue;
        }
        last = Some(y);
        let wide = text.chars().count() as u16;
        canvas.text(x.saturating_sub(wide), y, text, wide, Tone::Muted);
        canvas.text(x, y, tick, 1, Tone::Border);
    }
}

/// The row of a value, from the top.
fn row(scale: &Scale, value: f64, rows: u16) -> u16 {
    let most = rows.saturating_sub(1);
    most - ((scale.place(value) * f64::from(most)).round() as u16).min(most)
}

/// The column of a moment.
fn column(extent: Extent, at: Timestamp, columns: u16) -> u16 {
    let most = columns.saturating_sub(1);
    ((extent.place(at).clamp(0.0, 1.0) * f64::from(most)).round() as u16).min(most)
}
