//! From values to dots. A trace becomes at most one upright stroke per column of dots, however many values it has.

use jiff::Timestamp;

use super::{Dots, Extent, Scale, Trace, number};

impl Dots {
    /// Dots in a cell, across and up.
    pub(super) fn of_cell(self) -> (usize, usize) {
        match self {
            Self::Braille => (2, 4),
            Self::Block => (1, 2),
            Self::Ascii => (1, 1),
        }
    }

    /// The bit of a dot in a cell, counted from its top left.
    fn bit(self, across: usize, down: usize) -> u8 {
        const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        match self {
            Self::Braille => BRAILLE[across & 1][down & 3],
            Self::Block => 1 << (down & 1),
            Self::Ascii => 1,
        }
    }

    /// The sign of a cell with these dots, for the trace of this number.
    pub(super) fn sign(self, bits: u8, trace: usize) -> char {
        const LETTERS: [char; 4] = ['*', 'o', '+', 'x'];
        match (self, bits) {
            (_, 0) => ' ',
            (Self::Braille, bits) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
            (Self::Block, 1) => '▀',
            (Self::Block, 2) => '▄',
            (Self::Block, _) => '█',
            (Self::Ascii, _) => LETTERS[trace % LETTERS.len()],
        }
    }
}

/// The dots of all traces on so many cells.
#[derive(Debug)]
pub(super) struct Plot {
    kind: Dots,
    columns: usize,
    rows: usize,
    /// The dots of each cell and the number of the first trace that has one there, row by row from the top.
    cells: Vec<(u8, u8)>,
}

impl Plot {
    pub(super) fn new(kind: Dots, columns: u16, rows: u16) -> Self {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        Self {
            kind,
            columns,
            rows,
            cells: vec![(0, 0); columns * rows],
        }
    }

    /// The dots of a cell and whose they are.
    pub(super) fn cell(&self, column: u16, row: u16) -> (u8, usize) {
        let index = usize::from(row) * self.columns + usize::from(column);
        let (bits, trace) = self.cells.get(index).copied().unwrap_or_default();
        (bits, trace.into())
    }

    /// Draws a trace. What was drawn before stays on top.
    pub(super) fn add(&mut self, number: usize, trace: &Trace, extent: Extent, scale: &Scale) {
        let (across, up) = self.kind.of_cell();
        let (width, height) = (self.columns * across, self.rows * up);
        if width == 0 || height == 0 {
            return;
        }
        for (x, stroke) in strokes(trace, extent, scale, width, height)
            .into_iter()
            .enumerate()
        {
            let Some((low, high)) = stroke else { continue };
            for y in low..=high.min(height - 1) {
                let down = height - 1 - y;
                let index = down / up * self.columns + x / across;
                let Some(cell) = self.cells.get_mut(index) else {
                    continue;
                };
                if cell.0 == 0 {
                    cell.1 = number.min(u8::MAX.into()) as u8;
                }
                // A letter of another trace is not written over.
                cell.0 |= self.kind.bit(x % across, down % up);
            }
        }
    }
}

/// For each column of dots the lowest and the highest that the line touches, counted from the bottom.
fn strokes(
    trace: &Trace,
    extent: Extent,
    scale: &Scale,
    width: usize,
    height: usize,
) -> Vec<Option<(usize, usize)>> {
    let mut strokes = vec![None; width];
    let samples = trace.samples();
    // One value on each side beyond what is in sight: the line goes on to the edge.
    let start = samples.partition_point(|sample| sample.at < extent.from);
    let end = samples.partition_point(|sample| sample.at <= extent.to);
    let seen = samples
        .get(start.saturating_sub(1)..(end + 1).min(samples.len()))
        .unwrap_or_default();
    let (right, top) = ((width - 1) as f64, (height - 1) as f64);
    let mut before: Option<(Timestamp, f64, f64)> = None;
    for sample in seen {
        let Some(value) = number(sample) else {
            before = None;
            continue;
        };
        let x = extent.place(sample.at) * right;
        let y = scale.place(value) * top;
        match before {
            Some((at, x0, y0)) if sample.at.duration_since(at) <= trace.longest() => {
                line(&mut strokes, (x0, y0), (x, y));
            }
            _ => touch(&mut strokes, x, y, y),
        }
        before = Some((sample.at, x, y));
    }
    strokes
}

/// Draws from one place to another, in each column as high as the line rises in it.
fn line(strokes: &mut [Option<(usize, usize)>], (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
    let wide = x1 - x0;
    if wide < 1e-9 {
        return touch(strokes, x1, y0, y1);
    }
    let height = |x: f64| y0 + (y1 - y0) * ((x - x0) / wide).clamp(0.0, 1.0);
    let last = strokes.len().saturating_sub(1) as f64;
    let mut x = x0.round().max(0.0);
    let until = x1.round().min(last);
    while x <= until {
        touch(strokes, x, height((x - 0.5).max(x0)), height((x + 0.5).min(x1)));
        x += 1.0;
    }
}

fn touch(strokes: &mut [Option<(usize, usize)>], x: f64, a: f64, b: f64) {
    let x = x.round();
    if !(x >= 0.0 && a.is_finite() && b.is_finite()) {
        return;
    }
    let Some(stroke) = strokes.get_mut(x as usize) else {
        return;
    };
    let (a, b) = (a.round().max(0.0) as usize, b.round().max(0.0) as usize);
    let (low, high) = stroke.unwrap_or((a, a));
    *stroke = Some((low.min(a).min(b), high.max(a).max(b)));
}
