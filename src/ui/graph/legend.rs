//! What stands above a graph: names, figures, values at the cursor.

use super::{Dots, Graph, Trace, units};
use crate::ui::{Align, Cell, Glyphs, Tone, safe};

/// Rows of a plot that is worth a table above it.
const PLOT: u16 = 6;
/// The widest name.
const NAME: usize = 28;

/// The rows above the plot.
pub(super) fn rows(graph: &Graph, g: &Glyphs, width: u16, height: u16) -> Vec<Cell> {
    let count = graph.traces.len() as u16;
    if count == 0 || height < 3 {
        return Vec::new();
    }
    let table = if height > PLOT + 2 + count && width >= 50 {
        table(graph, g, width)
    } else {
        None
    };
    table.unwrap_or_else(|| vec![line(graph, g, width)])
}

/// What tells a trace from the others besides its colour: its number, and its letter where lines are made of letters.
fn sign(graph: &Graph, g: &Glyphs, index: usize) -> String {
    if graph.traces.len() < 2 {
        String::new()
    } else if g.dots == Dots::Ascii {
        format!("{}{} ", index + 1, g.dots.sign(1, index))
    } else {
        format!("{} ", index + 1)
    }
}

/// All traces in one line: `cpu 12%  max 40%`, as many as fit.
fn line(graph: &Graph, g: &Glyphs, width: u16) -> Cell {
    let mut cell = Cell::empty();
    for (index, trace) in graph.traces.iter().enumerate() {
        let mut next = std::mem::take(&mut cell);
        let before = next.columns();
        if index > 0 {
            next = next.then("  ", Tone::Text);
        }
        let kept = next.clone();
        next = next
            .then(name(graph, g, index, trace), trace.tone)
            .then(format!(" {}", now(graph, g, trace)), Tone::Text);
        if graph.traces.len() == 1
            && let Some(figures) = trace.figures(graph.extent)
        {
            for (word, value) in [("min", figures.min), ("avg", figures.avg), ("max", figures.max)] {
                let part = next
                    .clone()
                    .then(format!("  {word} "), Tone::Muted)
                    .then(units::value(value, graph.unit), Tone::Text);
                if part.columns() <= width {
                    next = part;
                }
            }
        }
        if next.columns() > width && before > 0 {
            return kept.then(g.ellipsis, Tone::Muted);
        }
        cell = next;
    }
    limits(graph, cell, width)
}

/// The value at the cursor, or the last one.
fn now(graph: &Graph, g: &Glyphs, trace: &Trace) -> String {
    let value = match graph.cursor {
        Some(at) => trace.at(at).map(|sample| sample.value),
        None => trace.figures(graph.extent).map(|figures| figures.last),
    };
    value.map_or_else(|| g.none.to_owned(), |value| units::value(value, graph.unit))
}

/// What the limits are, where there is room to say it.
fn limits(graph: &Graph, cell: Cell, width: u16) -> Cell {
    let mut cell = cell;
    for limit in &graph.limits {
        let next = cell.clone().then(
            format!("  limit {}", units::value(limit.value, graph.unit)),
            limit.tone,
        );
        if next.columns() <= width {
            cell = next;
        }
    }
    cell
}

/// A row for each trace, with a head; `None` if it is too wide.
fn table(graph: &Graph, g: &Glyphs, width: u16) -> Option<Vec<Cell>> {
    let cursor = graph.cursor.map(|at| {
        let at = at.to_zoned(graph.zone.clone());
        at.strftime("%m-%d %H:%M:%S").to_string()
    });
    let mut rows = Vec::new();
    for (index, trace) in graph.traces.iter().enumerate() {
        let figures = trace.figures(graph.extent);
        let shown = |value: Option<f64>| {
            value.map_or_else(|| g.none.to_owned(), |value| units::value(value, graph.unit))
        };
        let mut values = vec![
            shown(figures.map(|figures| figures.last)),
            shown(figures.map(|figures| figures.min)),
            shown(figures.map(|figures| figures.avg)),
            shown(figures.map(|figures| figures.max)),
        ];
        if let Some(at) = graph.cursor {
            values.push(shown(trace.at(at).map(|sample| sample.value)));
        }
        rows.push((name(graph, g, index, trace), trace.tone, values));
    }
    let mut head = vec![
        "last".to_owned(),
        "min".to_owned(),
        "avg".to_owned(),
        "max".to_owned(),
    ];
    head.extend(cursor);
    let wide = |text: &String| safe::width(text);
    let first = rows.iter().map(|(name, ..)| wide(name)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let values = rows.iter().map(|(_, _, values)| wide(&values[column])).max();
            values.unwrap_or(0).max(wide(&head[column]))
        })
        .collect();
    if first + widths.iter().map(|width| width + 2).sum::<usize>() > width.into() {
        return None;
    }
    let row = |name: &str, tone: Tone, values: &[String], value_tone: Tone| {
        let mut cell = Cell {
            parts: vec![(name.to_owned(), tone)],
            align: Align::Left,
        };
        let mut gap = first - safe::width(name);
        for (value, width) in values.iter().zip(&widths) {
            gap += 2 + width - safe::width(value);
            cell = cell.then(format!("{}{value}", " ".repeat(gap)), value_tone);
            gap = 0;
        }
        cell
    };
    let titles = limits(graph, row("", Tone::Muted, &head, Tone::Muted), width);
    let body = rows
        .iter()
        .map(|(name, tone, values)| row(name, *tone, values, Tone::Text));
    Some(std::iter::once(titles).chain(body).collect())
}

/// The sign and the name of a trace, harmless and short.
fn name(graph: &Graph, g: &Glyphs, index: usize, trace: &Trace) -> String {
    let cleaned = safe::clean(&trace.name);
    sign(graph, g, index) + &safe::fit(&cleaned, NAME, g.ellipsis)
}
