//! What a list remembers between two frames.

use std::collections::BTreeSet;

use super::Rows;
use crate::domain::{ObjectRef, filter::Filter};

/// A step of the selection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// This many rows down, or up if negative.
    By(isize),
    /// A page down (1) or up (-1).
    Page(isize),
    /// The first row.
    First,
    /// The last row.
    Last,
}

/// Filter, sort, marks, selection and scroll position of a list.
#[derive(Clone, Debug, Default)]
pub struct TableState {
    filter_line: String,
    filter: Filter,
    sort: Option<(usize, bool)>,
    selected: Option<ObjectRef>,
    /// Whether the user has moved the selection or acted on it. Until then it is the first row: what happened to arrive first
    /// must not hold the list at a place that nobody chose.
    chosen: bool,
    /// Where the selection is in `order`; kept so that a neighbour can take over when the object goes.
    position: usize,
    marks: BTreeSet<ObjectRef>,
    anchor: Option<ObjectRef>,
    order: Vec<u32>,
    total: usize,
    /// What `order` was worked out for.
    fresh_for: Option<u64>,
    pub(super) offset: usize,
    /// Rows that the last frame had room for.
    pub(super) page: usize,
}

impl TableState {
    /// A list sorted by a column at first.
    pub fn sorted_by(column: usize, descending: bool) -> Self {
        Self {
            sort: Some((column, descending)),
            ..Self::default()
        }
    }

    /// Works out the order again if the data (by its revision), the filter or the sort changed, and finds the
    /// selection again.
    pub fn refresh(&mut self, rows: &dyn Rows, revision: u64) {
        if self.fresh_for == Some(revision) {
            return;
        }
        self.fresh_for = Some(revision);
        self.total = rows.len();
        self.put_in_order(rows);
        if !self.marks.is_empty() {
            let known: BTreeSet<ObjectRef> = (0..rows.len()).map(|row| rows.id(row)).collect();
            self.marks.retain(|mark| known.contains(mark));
        }
        self.find_selection(rows);
    }

    /// Filters and sorts. Begins with the order of before: mostly little of it is wrong, and what is in order already
    /// is not sorted again.
    fn put_in_order(&mut self, rows: &dyn Rows) {
        let mut wanted: Vec<bool> = (0..rows.len())
            .map(|row| self.filter.matches_row(rows, row))
            .collect();
        let sort = self.sort.filter(|(column, _)| *column < rows.columns().len());
        if sort.is_none() {
            self.order.clear();
        }
        self.order
            .retain(|row| wanted.get_mut(*row as usize).is_some_and(std::mem::take));
        let new = wanted.iter().zip(0..).filter(|(wanted, _)| **wanted);
        self.order.extend(new.map(|(_, row): (_, u32)| row));
        let Some((column, descending)) = sort else { return };
        self.order.sort_by(|a, b| {
            let order = rows.compare(*a as usize, *b as usize, column);
            let order = if descending { order.reverse() } else { order };
            // Ties keep the order of the rows: two equal loads do not swap places at each refresh.
            order.then(a.cmp(b))
        });
    }

    fn find_selection(&mut self, rows: &dyn Rows) {
        if self.order.is_empty() {
            // The object stays wanted: it is selected again when the filter is widened.
            return;
        }
        if !self.chosen {
            self.select_at(0, rows);
            return;
        }
        let found = self.selected.as_ref().and_then(|wanted| {
            let near = self
                .order
                .get(self.position)
                .is_some_and(|row| rows.id(*row as usize) == *wanted);
            if near {
                return Some(self.position);
            }
            self.order
                .iter()
                .position(|row| rows.id(*row as usize) == *wanted)
        });
        self.select_at(found.unwrap_or(self.position), rows);
    }

    fn select_at(&mut self, position: usize, rows: &dyn Rows) {
        let Some(last) = self.order.len().checked_sub(1) else {
            return;
        };
        self.position = position.min(last);
        self.selected = Some(rows.id(self.order[self.position] as usize));
    }

    /// Moves the selection.
    pub fn go(&mut self, step: Move, rows: &dyn Rows) {
        self.chosen = true;
        let last = self.order.len().saturating_sub(1);
        let page = self.page.max(2) - 1;
        let target = match step {
            Move::By(n) => self.position.saturating_add_signed(n),
            Move::Page(n) => self
                .position
                .saturating_add_signed(n.saturating_mul(page as isize)),
            Move::First => 0,
            Move::Last => last,
        };
        self.select_at(target.min(last), rows);
    }

    /// Selects an object if it is in the list; returns whether it is.
    pub fn select(&mut self, id: &ObjectRef, rows: &dyn Rows) -> bool {
        match self.order.iter().position(|row| rows.id(*row as usize) == *id) {
            Some(position) => {
                self.chosen = true;
                self.select_at(position, rows);
                true
            }
            None => false,
        }
    }

    /// Selects the row that the last frame drew at this line below the column titles; returns whether there is one.
    pub fn select_line(&mut self, line: usize, rows: &dyn Rows) -> bool {
        let position = self.offset + line;
        let there = position < self.order.len();
        if there {
            self.chosen = true;
            self.select_at(position, rows);
        }
        there
    }

    /// Scrolls without moving the selection further than needed to keep it in sight.
    pub fn scroll(&mut self, lines: isize, rows: &dyn Rows) {
        self.chosen = true;
        let most = self.order.len().saturating_sub(self.page.max(1));
        self.offset = self.offset.saturating_add_signed(lines).min(most);
        let last = (self.offset + self.page.max(1)).saturating_sub(1);
        let kept = self.position.clamp(self.offset, last.max(self.offset));
        self.select_at(kept, rows);
    }

    /// The selection is meant: it stays on its object from now on.
    pub fn hold(&mut self) {
        self.chosen |= self.selected().is_some();
    }

    /// The selected object, if the list has any row.
    pub fn selected(&self) -> Option<&ObjectRef> {
        if self.order.is_empty() {
            None
        } else {
            self.selected.as_ref()
        }
    }

    /// The selected object's row among the rows, if the list has any row.
    pub fn selected_row(&self) -> Option<usize> {
        self.order.get(self.position).map(|row| *row as usize)
    }

    /// The rows in their order.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Where the selection is in the order.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Rows without the filter.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Sets the filter line.
    pub fn set_filter(&mut self, line: &str) {
        line.clone_into(&mut self.filter_line);
        self.filter = Filter::parse(line);
        self.fresh_for = None;
    }

    /// The filter line as typed.
    pub fn filter_line(&self) -> &str {
        &self.filter_line
    }

    /// The column that sorts, and whether from the highest.
    pub fn sort(&self) -> Option<(usize, bool)> {
        self.sort
    }

    /// Sorts by a column; the same column again turns the order round.
    pub fn sort_by(&mut self, column: usize, rows: &dyn Rows) {
        let Some(spec) = rows.columns().get(column) else {
            return;
        };
        self.sort = match self.sort {
            Some((current, descending)) if current == column => Some((column, !descending)),
            _ => Some((column, spec.high_first)),
        };
        self.fresh_for = None;
    }

    /// Sorts by the next column.
    pub fn sort_next(&mut self, rows: &dyn Rows) {
        let count = rows.columns().len().max(1);
        let next = self.sort.map_or(0, |(column, _)| (column + 1) % count);
        self.sort = rows.columns().get(next).map(|column| (next, column.high_first));
        self.fresh_for = None;
    }

    /// Turns the order round.
    pub fn sort_reverse(&mut self) {
        self.sort = Some(
            self.sort
                .map_or((0, true), |(column, descending)| (column, !descending)),
        );
        self.fresh_for = None;
    }

    /// The marked objects.
    pub fn marks(&self) -> &BTreeSet<ObjectRef> {
        &self.marks
    }

    /// Marks or unmarks the selected object and goes one down.
    pub fn toggle_mark(&mut self, rows: &dyn Rows) {
        if let Some(id) = self.selected().cloned() {
            self.anchor = Some(id.clone());
            if !self.marks.remove(&id) {
                self.marks.insert(id);
            }
            self.go(Move::By(1), rows);
        }
    }

    /// Marks everything from the last single mark to the selection.
    pub fn mark_range(&mut self, rows: &dyn Rows) {
        let from = self
            .anchor
            .as_ref()
            .and_then(|anchor| {
                self.order
                    .iter()
                    .position(|row| rows.id(*row as usize) == *anchor)
            })
            .unwrap_or(self.position);
        let (from, to) = (from.min(self.position), from.max(self.position));
        self.marks.extend(
            self.order
                .iter()
                .take(to + 1)
                .skip(from)
                .map(|row| rows.id(*row as usize)),
        );
    }

    /// Marks everything that the filter lets pass; if all of it is marked already, unmarks everything.
    pub fn mark_all(&mut self, rows: &dyn Rows) {
        let shown: BTreeSet<ObjectRef> = self.order.iter().map(|row| rows.id(*row as usize)).collect();
        if shown.is_subset(&self.marks) {
            self.marks.clear();
        } else {
            self.marks.extend(shown);
        }
    }

    /// Unmarks everything.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
    }
}

impl Filter {
    fn matches_row(&self, rows: &dyn Rows, row: usize) -> bool {
        self.is_empty() || rows.matches(row, self)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;
    use crate::domain::{GuestRef, Vmid};
    use crate::ui::{
        Cell,
        table::{Column, Width},
    };

    struct Numbers(Vec<u32>);

    fn id(n: u32) -> ObjectRef {
        ObjectRef::Guest(GuestRef {
            cluster: "c".into(),
            vmid: Vmid(n),
        })
    }

    impl Rows for Numbers {
        fn columns(&self) -> &[Column] {
            const COLUMNS: &[Column] = &[
                Column::text("id", Width::Fixed(4), 0),
                Column::number("last digit", 4, 1),
            ];
            COLUMNS
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn id(&self, row: usize) -> ObjectRef {
            id(self.0[row])
        }
        fn matches(&self, row: usize, filter: &Filter) -> bool {
            *filter != Filter::parse("even") || self.0[row].is_multiple_of(2)
        }
        fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
            let key = |n: u32| if column == 0 { n } else { n % 10 };
            key(self.0[a]).cmp(&key(self.0[b]))
        }
        fn cell(&self, row: usize, _: usize) -> Cell {
            Cell::text(self.0[row].to_string())
        }
    }

    #[test]
    fn the_selection_stays_on_its_object() {
        let mut state = TableState::sorted_by(0, false);
        state.refresh(&Numbers(vec![3, 1, 2]), 1);
        state.go(Move::Last, &Numbers(vec![3, 1, 2]));
        assert_eq!(state.selected(), Some(&id(3)));
        state.refresh(&Numbers(vec![9, 3, 0, 1, 2]), 2);
        assert_eq!(state.selected(), Some(&id(3)));
        assert_eq!(state.position(), 3);
    }

    #[test]
    fn what_came_first_does_not_hold_the_list_that_nobody_moved() {
        let mut state = TableState::sorted_by(0, false);
        state.refresh(&Numbers(vec![9]), 1);
        assert_eq!(state.selected(), Some(&id(9)));
        state.refresh(&Numbers(vec![1, 2, 9]), 2);
        assert_eq!((state.selected(), state.position()), (Some(&id(1)), 0));
        state.go(Move::First, &Numbers(vec![1, 2, 9]));
        state.refresh(&Numbers(vec![0, 1, 2, 9]), 3);
        assert_eq!(state.selected(), Some(&id(1)));
    }

    #[test]
    fn what_was_acted_on_stays_selected() {
        let mut state = TableState::sorted_by(0, false);
        state.hold();
        state.refresh(&Numbers(vec![9]), 1);
        state.refresh(&Numbers(vec![8, 9]), 2);
        assert_eq!(state.selected(), Some(&id(8)), "nothing was there to be meant");
        state.hold();
        state.refresh(&Numbers(vec![1, 8, 9]), 3);
        assert_eq!((state.selected(), state.position()), (Some(&id(8)), 1));
    }

    #[test]
    fn a_neighbour_takes_over() {
        let mut state = TableState::sorted_by(0, false);
        let rows = Numbers(vec![1, 2, 3]);
        state.refresh(&rows, 1);
        state.go(Move::By(1), &rows);
        state.refresh(&Numbers(vec![1, 3]), 2);
        assert_eq!(state.selected(), Some(&id(3)));
        state.refresh(&Numbers(vec![1]), 3);
        assert_eq!(state.selected(), Some(&id(1)));
        state.refresh(&Numbers(vec![]), 4);
        assert_eq!(state.selected(), None);
    }

    #[test]
    fn an_object_that_the_filter_hid_is_selected_again() {
        let mut state = TableState::sorted_by(0, false);
        let rows = Numbers(vec![2, 3, 4]);
        state.refresh(&rows, 1);
        state.go(Move::By(1), &rows);
        state.set_filter("even");
        state.refresh(&rows, 1);
        assert_eq!(state.order().len(), 2);
        assert_eq!(state.total(), 3);
        state.set_filter("");
        state.refresh(&rows, 1);
        assert_eq!(state.selected(), Some(&id(4)));
    }

    #[test]
    fn ties_keep_their_places_and_a_second_click_turns_round() {
        let rows = Numbers(vec![11, 21, 30]);
        let mut state = TableState::default();
        state.sort_by(1, &rows);
        state.refresh(&rows, 1);
        assert_eq!(state.order(), [0, 1, 2]);
        state.sort_by(1, &rows);
        state.refresh(&rows, 1);
        assert_eq!(state.order(), [2, 0, 1]);
        state.sort_by(0, &rows);
        state.sort_by(0, &rows);
        state.refresh(&rows, 1);
        assert_eq!(state.order(), [2, 1, 0]);
        state.sort_by(1, &rows);
        state.refresh(&rows, 1);
        assert_eq!(state.order(), [0, 1, 2], "whatever the order was before");
    }

    #[test]
    fn marks_follow_objects_and_forget_the_gone() {
        let rows = Numbers(vec![1, 2, 3, 4]);
        let mut state = TableState::sorted_by(0, false);
        state.refresh(&rows, 1);
        state.toggle_mark(&rows);
        state.go(Move::By(1), &rows);
        state.mark_range(&rows);
        assert_eq!(state.marks().len(), 3);
        state.refresh(&Numbers(vec![2]), 2);
        assert_eq!(state.marks().iter().collect::<Vec<_>>(), [&id(2)]);
        state.mark_all(&Numbers(vec![2]));
        assert!(state.marks().is_empty());
    }
}
