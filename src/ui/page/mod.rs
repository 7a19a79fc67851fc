//! A page of sections: everything about one object, in one column or two, as wide as the pane.
//!
//! What always holds here:
//! - No value is lost for want of room: it is wrapped, and the page scrolls.
//! - Layout is worked out when page, width or search change ([`layout`]), never for a frame that only scrolls.
//! - Drawing changes nothing but the scroll offset.

mod body;
mod layout;
mod view;

pub use layout::{Laid, Line, Piece, layout};
pub use view::PageView;

use super::{
    cell::{Align, Cell},
    find::Needle,
    theme::Tone,
};

/// Everything about one object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// From the most asked for to the rest.
    pub sections: Vec<Section>,
}

/// A part of a page with a title.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// Age of its data, shown behind the title.
    pub age: Option<Cell>,
    /// Whether its data is old: then it is dimmed.
    pub stale: bool,
    /// What stands above the body: why it is empty, or what the last failed read said.
    pub notice: Option<Cell>,
    /// The columns it wants to share a line with another section; with less it takes the whole width.
    pub wants: u16,
    /// What it says.
    pub body: Body,
}

/// What a section says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Labels with values.
    Facts(Vec<(String, Cell)>),
    /// A small table.
    Grid {
        /// Titles of the columns.
        columns: Vec<GridColumn>,
        /// One cell per column each.
        rows: Vec<Vec<Cell>>,
    },
    /// Lines of text.
    Lines(Vec<Cell>),
}

/// A column of a [`Body::Grid`]. Its width comes from what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GridColumn {
    /// Its title.
    pub title: &'static str,
    /// To which side it leans.
    pub align: Align,
}

impl GridColumn {
    /// A column of text.
    pub const fn text(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
        }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Right,
        }
    }
}

impl Body {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Facts(facts) => facts.is_empty(),
            Self::Grid { rows, .. } => rows.is_empty(),
            Self::Lines(lines) => lines.is_empty(),
        }
    }
}

impl Section {
    /// A section without age or notice.
    pub fn new(title: impl Into<String>, body: Body) -> Self {
        let wants = match body {
            Body::Facts(_) => 46,
            Body::Lines(_) => 56,
            Body::Grid { .. } => 66,
        };
        Self {
            title: title.into(),
            age: None,
            stale: false,
            notice: None,
            wants,
            body,
        }
    }

    /// A section of foreign text with line breaks of its own.
    pub fn prose(title: impl Into<String>, text: &str) -> Self {
        // A text may end its lines with CR LF, and often ends with an empty line.
        let lines = text.trim_end().lines().map(Cell::text).collect();
        Self::new(title, Body::Lines(lines))
    }

    /// The same with a notice.
    #[must_use]
    pub fn notice(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.notice = Some(Cell::toned(text, tone));
        self
    }

    /// The same with another wish for room; `u16::MAX` always takes the whole width.
    #[must_use]
    pub fn wants(mut self, columns: u16) -> Self {
        self.wants = columns;
        self
    }
}

impl Page {
    /// The page with only the facts, rows and lines that hold what is looked for. A section whose title holds it
    /// stays whole.
    #[must_use]
    pub fn found(&self, needle: &Needle) -> Self {
        if needle.is_empty() {
            return self.clone();
        }
        let hit = |cell: &Cell| needle.is_in(&cell.plain());
        let sections = self.sections.iter().filter_map(|section| {
            if needle.is_in(&section.title) || section.notice.as_ref().is_some_and(hit) {
                return Some(section.clone());
            }
            let body = match &section.body {
                Body::Facts(facts) => Body::Facts(
                    facts
                        .iter()
                        .filter(|(label, value)| needle.is_in(label) || hit(value))
                        .cloned()
                        .collect(),
                ),
                Body::Grid { columns, rows } => Body::Grid {
                    columns: columns.clone(),
                    rows: rows.iter().filter(|row| row.iter().any(hit)).cloned().collect(),
                },
                Body::Lines(lines) => Body::Lines(lines.iter().filter(|line| hit(line)).cloned().collect()),
            };
            (!body.is_empty()).then(|| Section {
                body,
                ..section.clone()
            })
        });
        Self {
            sections: sections.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_keeps_what_holds_the_text() {
        let page = Page {
            sections: vec![
                Section::new(
                    "Status",
                    Body::Facts(vec![
                        ("node".into(), "pve1".into()),
                        ("pool".into(), "acme".into()),
                    ]),
                ),
                Section::prose("Notes", "first\r\nsecond PVE1\n\n"),
                Section::new("Disks", Body::Lines(vec!["scsi0".into()])),
            ],
        };
        let found = page.found(&Needle::new("pve1"));
        assert_eq!(found.sections.len(), 2);
        assert_eq!(
            found.sections[0].body,
            Body::Facts(vec![("node".into(), "pve1".into())])
        );
        assert_eq!(found.sections[1].body, Body::Lines(vec!["second PVE1".into()]));
        assert_eq!(page.found(&Needle::new("disks")).sections.len(), 1);
        assert_eq!(page.found(&Needle::default()), page);
    }
}
