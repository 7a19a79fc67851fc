//! How a table looks.

use super::{Column, Rows, TableState, Width};
use crate::ui::{Align, Canvas, Cell, Tone, wrap::wrap};

/// How a table is drawn besides its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look<'a> {
    /// Whether the pane has the focus.
    pub focused: bool,
    /// Whether the data is old: then it is dimmed.
    pub stale: bool,
    /// What to say where there is no row.
    pub empty: &'a str,
}

const GAP: u16 = 1;

/// Draws column titles and the visible rows.
pub fn table(canvas: &mut Canvas<'_>, state: &mut TableState, rows: &dyn Rows, look: Look<'_>) {
    let widths = widths(rows.columns(), canvas.width().saturating_sub(2));
    titles(canvas, state, rows.columns(), &widths);
    let height = usize::from(canvas.height().saturating_sub(1));
    state.page = height;
    let count = state.order().len();
    keep_in_sight(state, height, count);
    if count == 0 {
        // It may be the reason why nothing can be shown, with the remedy at its end: all of it is wanted.
        let columns = canvas.width().saturating_sub(4);
        for (line, parts) in wrap(&[(look.empty, Tone::Muted)], columns.into())
            .into_iter()
            .enumerate()
        {
            let cell = Cell {
                parts,
                ..Cell::default()
            };
            canvas.cell(2, line as u16 + 1, columns, &cell);
        }
        return;
    }
    for line in 0..height.min(count - state.offset) {
        let position = state.offset + line;
        let row = state.order()[position] as usize;
        let y = line as u16 + 1;
        let selected = position == state.position();
        let marked = !state.marks().is_empty() && state.marks().contains(&rows.id(row));
        if selected {
            canvas.tint_row(
                y,
                if look.focused {
                    Tone::Selection
                } else {
                    Tone::SelectionIdle
                },
            );
        }
        let sign = match (marked, selected && look.focused) {
            (true, _) => canvas.glyphs().mark,
            (false, true) => canvas.glyphs().pointer,
            (false, false) => " ",
        };
        canvas.text(0, y, sign, 1, if marked { Tone::Mark } else { Tone::Accent });
        let mut x = 1;
        for (column, width) in widths.iter().enumerate() {
            let Some(width) = *width else { continue };
            let mut cell = rows.cell(row, column);
            cell.align = rows.columns()[column].align;
            if look.stale {
                cell = cell.all(Tone::Muted);
            }
            if selected && look.focused {
                // Dimmed text on the bar of the selection would be hard to read; colours that mean something stay.
                let plain = |tone: &Tone| matches!(tone, Tone::Text | Tone::Muted);
                for (_, tone) in cell.parts.iter_mut().filter(|(_, tone)| plain(tone)) {
                    *tone = Tone::Selection;
                }
            }
            canvas.cell(x, y, width, &cell);
            x += width + GAP;
        }
    }
    let mut bar = canvas.inner_rows();
    bar.scroll_bar(state.offset, count);
}

/// The column under a screen column, for a click on the titles. `x` is relative to the table.
pub fn column_at(columns: &[Column], width: u16, x: u16) -> Option<usize> {
    let mut left = 1;
    for (column, width) in widths(columns, width.saturating_sub(2)).iter().enumerate() {
        let Some(width) = *width else { continue };
        if (left..left + width + GAP).contains(&x) {
            return Some(column);
        }
        left += width + GAP;
    }
    None
}

/// Whether a column has room in a table of this width.
pub fn is_shown(columns: &[Column], width: u16, column: usize) -> bool {
    widths(columns, width.saturating_sub(2))
        .get(column)
        .is_some_and(Option::is_some)
}

fn keep_in_sight(state: &mut TableState, height: usize, count: usize) {
    let most = count.saturating_sub(height);
    let position = state.position();
    let least = (position + 1).saturating_sub(height);
    state.offset = state.offset.clamp(least.min(most), position.max(least)).min(most);
}

fn titles(canvas: &mut Canvas<'_>, state: &TableState, columns: &[Column], widths: &[Option<u16>]) {
    let mut x = 1;
    for (index, (column, width)) in columns.iter().zip(widths).enumerate() {
        let Some(width) = *width else { continue };
        let mut title = column.title.to_owned();
        let mut tone = Tone::Header;
        if let Some((sorted, descending)) = state.sort()
            && sorted == index
        {
            let g = canvas.glyphs();
            let sign = if descending { g.descending } else { g.ascending };
            title = if column.align == Align::Right {
                format!("{sign}{title}")
            } else {
                format!("{title}{sign}")
            };
            tone = Tone::Accent;
        }
        let mut cell = Cell::toned(title, tone);
        cell.align = column.align;
        canvas.cell(x, 0, width, &cell);
        x += width + GAP;
    }
}

/// The width of each column, `None` for those that have no room.
fn widths(columns: &[Column], room: u16) -> Vec<Option<u16>> {
    let mut shown: Vec<bool> = vec![true; columns.len()];
    let need = |shown: &[bool]| -> u32 {
        columns
            .iter()
            .zip(shown)
            .filter(|(_, shown)| **shown)
            .map(|(column, _)| u32::from(column.width.least() + GAP))
            .sum::<u32>()
            .saturating_sub(GAP.into())
    };
    while need(&shown) > u32::from(room) {
        let least_wanted = (0..columns.len())
            .filter(|i| shown[*i] && columns[*i].rank > 0)
            .max_by_key(|i| columns[*i].rank);
        match least_wanted {
            Some(index) => shown[index] = false,
            None => break,
        }
    }
    let needed = need(&shown);
    let spare = room.saturating_sub(needed.min(room.into()) as u16);
    let mut widths: Vec<Option<u16>> = columns
        .iter()
        .zip(shown)
        .map(|(column, shown)| shown.then(|| column.width.least()))
        .collect();
    shorten(columns, &mut widths, needed.saturating_sub(room.into()));
    share_out(columns, &mut widths, spare.into());
    widths
}

/// Takes what is too much from the columns of text, the widest first, as long as a word of it stays.
fn shorten(columns: &[Column], widths: &mut [Option<u16>], mut excess: u32) {
    const WORD: u16 = 10;
    while excess > 0 {
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(_, column)| share(column.width) > 0)
            .filter_map(|(width, _)| width.as_mut())
            .max_by_key(|width| **width);
        match widest {
            Some(width) if *width > WORD => *width -= 1,
            _ => return,
        }
        excess -= 1;
    }
}

/// Gives the columns that grow what is left. Those with an upper bound take no more than that.
fn share_out(columns: &[Column], widths: &mut [Option<u16>], mut spare: u32) {
    let mut growing: Vec<usize> = (0..columns.len())
        .filter(|index| widths[*index].is_some() && share(columns[*index].width) > 0)
        .collect();
    while spare > 0 && !growing.is_empty() {
        let all: u32 = growing.iter().map(|index| share(columns[*index].width)).sum();
        let given = |index: usize| spare * share(columns[index].width) / all;
        let bounded = growing.iter().position(|index| match columns[*index].width {
            Width::Between(least, most) => given(*index) >= u32::from(most.saturating_sub(least)),
            _ => false,
        });
        if let Some(position) = bounded {
            let index = growing.remove(position);
            if let (Some(width), Width::Between(_, most)) = (&mut widths[index], columns[index].width) {
                let more = most.saturating_sub(*width);
                *width += more;
                spare -= u32::from(more);
            }
            continue;
        }
        for index in &growing {
            if let Some(width) = &mut widths[*index] {
                *width += given(*index) as u16;
            }
        }
        break;
    }
}

fn share(width: Width) -> u32 {
    match width {
        Width::Fixed(_) => 0,
        Width::Grow(_, share) => share.into(),
        Width::Between(..) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::number("vmid", 6, 0),
        Column::text("name", Width::Grow(8, 2), 0),
        Column::text("pool", Width::Grow(6, 1), 3),
        Column::number("cpu", 5, 1),
    ];

    #[test]
    fn what_has_no_room_goes_by_rank() {
        assert_eq!(widths(COLUMNS, 40), [Some(6), Some(16), Some(10), Some(5)]);
        assert_eq!(widths(COLUMNS, 27), [Some(6), Some(14), None, Some(5)]);
        assert_eq!(widths(COLUMNS, 15), [Some(6), Some(8), None, None]);
        assert_eq!(widths(COLUMNS, 3), [Some(6), Some(8), None, None]);
    }

    #[test]
    fn the_widest_text_gives_up_what_is_too_much() {
        let columns = [
            Column::text("name", Width::Grow(12, 1), 0),
            Column::text("text", Width::Between(30, 40), 0),
        ];
        assert_eq!(widths(&columns, 43), [Some(12), Some(30)]);
        assert_eq!(widths(&columns, 33), [Some(12), Some(20)]);
        assert_eq!(widths(&columns, 23), [Some(11), Some(11)]);
        assert_eq!(widths(&columns, 5), [Some(10), Some(10)]);
    }

    #[test]
    fn a_bounded_column_leaves_the_rest_to_others() {
        let columns = [
            Column::text("name", Width::Between(8, 12), 0),
            Column::text("text", Width::Grow(8, 1), 0),
        ];
        assert_eq!(widths(&columns, 17), [Some(8), Some(8)]);
        assert_eq!(widths(&columns, 21), [Some(10), Some(10)]);
        assert_eq!(widths(&columns, 41), [Some(12), Some(28)]);
        assert_eq!(widths(&columns[..1], 41), [Some(12)]);
    }

    #[test]
    fn a_click_finds_its_column() {
        assert_eq!(column_at(COLUMNS, 42, 0), None);
        assert_eq!(column_at(COLUMNS, 42, 1), Some(0));
        assert_eq!(column_at(COLUMNS, 42, 8), Some(1));
        assert_eq!(column_at(COLUMNS, 42, 39), Some(3));
        assert_eq!(column_at(COLUMNS, 42, 42), None);
    }

    #[test]
    fn a_column_without_room_is_not_shown() {
        let shown = |width| {
            (0..5)
                .map(|column| is_shown(COLUMNS, width, column))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(42), [true, true, true, true, false]);
        assert_eq!(shown(29), [true, true, false, true, false]);
    }
}
