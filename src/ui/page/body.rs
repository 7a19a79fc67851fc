//! What stands below the title of a section. A storage may hold ten thousand volumes: their lines are kept as long as
//! the section says the same, only its title tells another age each second.

use std::sync::Arc;

use super::{Body, GridColumn, Section, layout::Line};
use crate::ui::{
    Align, Cell, Tone, safe,
    wrap::{Wrapped, wrap},
};

/// Between the columns of a grid.
const GAP: usize = 2;
/// The last column of a grid is not squeezed below this before the others give as well.
const LAST: usize = 20;

/// A body laid out for a width. What it was made of is known to who keeps it.
#[derive(Clone, Debug)]
pub(super) struct LaidBody {
    width: usize,
    label: usize,
    lines: Vec<Arc<Line>>,
}

/// Whether two sections have the same body.
pub(super) fn same_body(a: &Section, b: &Section) -> bool {
    a.stale == b.stale && a.notice == b.notice && a.body == b.body
}

/// The lines of a section without its title; those that are `known`, if they were laid out for the same widths.
pub(super) fn body<'a>(
    section: &Section,
    known: &'a mut Option<LaidBody>,
    width: usize,
    label: usize,
) -> &'a [Arc<Line>] {
    if !matches!(known, Some(known) if known.width == width && known.label == label) {
        *known = None;
    }
    let laid = known.get_or_insert_with(|| LaidBody {
        width,
        label,
        lines: lay(section, width, label).into_iter().map(Arc::new).collect(),
    });
    &laid.lines
}

fn lay(section: &Section, width: usize, label: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(notice) = &section.notice {
        push_cell(&mut lines, notice, width);
    }
    let from = lines.len();
    match &section.body {
        Body::Facts(facts) => {
            for (name, value) in facts {
                push_fact(&mut lines, name, value, width, label);
            }
        }
        Body::Grid { columns, rows } if !rows.is_empty() => push_grid(&mut lines, columns, rows, width),
        Body::Grid { .. } => {}
        Body::Lines(cells) => {
            for cell in cells {
                push_cell(&mut lines, cell, width);
            }
        }
    }
    if section.stale {
        for piece in lines[from..].iter_mut().flat_map(|line| &mut line.pieces) {
            piece.tone = Tone::Muted;
        }
    }
    lines
}

fn push_cell(lines: &mut Vec<Line>, cell: &Cell, width: usize) {
    for wrapped in wrap(&cell.parts, width) {
        let mut line = Line::default();
        line.put_wrapped(0, width, cell.align, &wrapped);
        lines.push(line);
    }
}

fn push_fact(lines: &mut Vec<Line>, name: &str, value: &Cell, width: usize, label: usize) {
    let x = (label + GAP).min(width / 2);
    let names = wrap(&[(name, Tone::Muted)], label);
    let values = wrap(&value.parts, width.saturating_sub(x));
    for index in 0..names.len().max(values.len()) {
        let mut line = Line::default();
        if let Some(name) = names.get(index) {
            line.put_wrapped(0, label, Align::Left, name);
        }
        if let Some(value) = values.get(index) {
            line.put_wrapped(x, width - x, Align::Left, value);
        }
        lines.push(line);
    }
}

fn push_grid(lines: &mut Vec<Line>, columns: &[GridColumn], rows: &[Vec<Cell>], width: usize) {
    let widths = grid_widths(columns, rows, width);
    let mut head = Line::default();
    let mut x = 0;
    for (column, w) in columns.iter().zip(&widths) {
        let title = safe::fit(column.title, *w, "").into_owned();
        head.put_wrapped(x, *w, column.align, &vec![(title, Tone::Header)]);
        x += w + GAP;
    }
    lines.push(head);
    for row in rows {
        let cells: Vec<Vec<Wrapped>> = row
            .iter()
            .zip(&widths)
            .map(|(cell, w)| wrap(&cell.parts, *w))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..height {
            let mut line = Line::default();
            let mut x = 0;
            for ((cell, column), w) in cells.iter().zip(columns).zip(&widths) {
                if let Some(wrapped) = cell.get(index) {
                    line.put_wrapped(x, *w, column.align, wrapped);
                }
                x += w + GAP;
            }
            lines.push(line);
        }
    }
}

/// What each column needs; where that is too much, the last gives first, then the widest.
fn grid_widths(columns: &[GridColumn], rows: &[Vec<Cell>], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| safe::width(column.title)).collect();
    for row in rows {
        for (wide, cell) in widths.iter_mut().zip(row) {
            let cell_width = cell
                .parts
                .iter()
                .map(|(text, _)| safe::width(&safe::clean(text)))
                .sum();
            *wide = (*wide).max(cell_width).min(width);
        }
    }
    let room = width.saturating_sub(GAP * columns.len().saturating_sub(1));
    let over = |widths: &[usize]| widths.iter().sum::<usize>().saturating_sub(room);
    // The last column is mostly free text: it gives first, as long as it stays readable.
    if let Some(last) = widths.last().copied() {
        let kept = last.saturating_sub(over(&widths)).max(last.min(LAST));
        widths.truncate(columns.len().saturating_sub(1));
        widths.push(kept);
    }
    let mut cap = widths.iter().copied().max().unwrap_or(0);
    while cap > 2 && widths.iter().map(|w| (*w).min(cap)).sum::<usize>() > room {
        cap -= 1;
    }
    // What rounding left over goes to the first of the cut columns: mostly the name.
    let mut fitted: Vec<usize> = widths.iter().map(|w| (*w).min(cap)).collect();
    let spare = room.saturating_sub(fitted.iter().sum());
    if let Some(index) = widths.iter().position(|w| *w > cap) {
        fitted[index] += spare.min(widths[index] - cap);
    }
    fitted
}
