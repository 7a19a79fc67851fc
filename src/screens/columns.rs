//! The columns of lists: which are shown, and how wide they are for what is in them.

use super::{Cx, figures, freshness::several_clusters};
use crate::{
    domain::template::Of,
    ui::table::{Column, Width},
};

/// Somebody wished for it: most other columns go first when room is short.
const MEASURED_RANK: u8 = 3;

/// The columns of a list, each with the field that it shows.
#[derive(Clone, Debug)]
pub struct Columns<F> {
    fields: Vec<F>,
    columns: Vec<Column>,
}

impl<F: Copy + PartialEq> Columns<F> {
    /// All columns; the one that names the cluster only where there are several.
    pub fn new(all: &[(F, Column)], cx: &Cx<'_>, cluster: F) -> Self {
        let several = several_clusters(cx);
        let (fields, columns) = all
            .iter()
            .copied()
            .filter(|(field, _)| several || *field != cluster)
            .unzip();
        Self { fields, columns }
    }

    /// All columns, whatever the number of clusters.
    pub fn all(all: &[(F, Column)]) -> Self {
        let (fields, columns) = all.iter().copied().unzip();
        Self { fields, columns }
    }

    /// With the columns of monitoring behind what they follow.
    #[must_use]
    pub fn measured(mut self, cx: &Cx<'_>, of: Of, behind: F, field: impl Fn(usize) -> F) -> Self {
        let place = self.fields.iter().position(|known| *known == behind);
        let place = place.map_or(self.fields.len(), |place| place + 1);
        for (place, (number, column)) in (place..).zip(cx.store.monitors.columns(of)) {
            let width = figures::measured_width(column.unit).max(column.name.len() as u16 + 1);
            self.fields.insert(place, field(number));
            self.columns
                .insert(place, Column::number(column.name, width, MEASURED_RANK));
        }
        self
    }

    /// The places and numbers of the columns of monitoring.
    pub fn measures(&self, number: impl Fn(F) -> Option<usize>) -> Vec<(usize, usize)> {
        let fields = self.fields.iter().enumerate();
        fields
            .filter_map(|(place, field)| Some((place, number(*field)?)))
            .collect()
    }

    /// Only these fields: the others say nothing here.
    pub fn keep(&mut self, wanted: impl Fn(F) -> bool) {
        let mut fields = self.fields.iter().copied();
        self.columns.retain(|_| fields.next().is_some_and(&wanted));
        self.fields.retain(|field| wanted(*field));
    }

    /// What the table needs.
    pub fn as_slice(&self) -> &[Column] {
        &self.columns
    }

    /// The field of a column.
    pub fn field(&self, column: usize) -> F {
        self.fields[column]
    }

    /// Gives a column no more room than its longest text needs, and at least what that text needs up to `good`
    /// columns: what is short leaves its room to what would be cut.
    pub fn fit(&mut self, field: F, longest: u16, good: u16) {
        for (known, column) in self.fields.iter().zip(&mut self.columns) {
            // The title and the mark of the sorted column.
            let title = column.title.len() as u16 + 1;
            let wanted = longest.max(title);
            if *known != field {
                continue;
            }
            column.width = match column.width {
                Width::Fixed(width) => Width::Fixed(width.min(wanted)),
                Width::Grow(least, share) => Width::Grow(least.max(wanted.min(good)), share),
                Width::Between(least, most) => {
                    let least = least.min(wanted).max(wanted.min(good));
                    Width::Between(least, wanted.clamp(least, most.max(least)))
                }
            };
        }
    }

    /// Gives a column the width that its numbers need.
    pub fn widen(&mut self, field: F, width: u16) {
        for (known, column) in self.fields.iter().zip(&mut self.columns) {
            if *known == field {
                column.width = Width::Fixed(width.max(column.width.least()));
            }
        }
    }
}

/// The columns that the longest of some texts takes, by its bytes: exact for plain names, ample for others.
pub fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> u16 {
    texts.map(str::len).max().unwrap_or(0).min(99) as u16
}
