//! Where everything on a page goes.

use std::sync::Arc;

use super::{
    Body, Page, Section,
    body::{LaidBody, body},
};
use crate::ui::{
    Align, Glyphs, Tone, safe,
    wrap::{Wrapped, wrap},
};

/// From this width on a page has two columns.
const TWO_COLUMNS: u16 = 110;
/// Between the two columns of a page.
const GUTTER: u16 = 3;
/// Labels take no more than this.
const LABEL: usize = 18;

/// A page laid out for a width.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Laid {
    /// The width it was laid out for.
    pub width: u16,
    /// Its lines from top to bottom.
    pub lines: Vec<Arc<Line>>,
}

/// One line of the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// From left to right.
    pub pieces: Vec<Piece>,
}

/// Text at a place. It is clean already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// First column.
    pub x: u16,
    /// The text.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

impl Line {
    pub(super) fn put(&mut self, x: usize, text: impl Into<String>, tone: Tone) {
        let text = text.into();
        if !text.is_empty() {
            self.pieces.push(Piece {
                x: x as u16,
                text,
                tone,
            });
        }
    }

    /// Writes wrapped pieces into `columns` from `x`.
    pub(super) fn put_wrapped(&mut self, x: usize, columns: usize, align: Align, wrapped: &Wrapped) {
        let wide: usize = wrapped.iter().map(|(text, _)| safe::width(text)).sum();
        let mut at = match align {
            Align::Left => x,
            Align::Right => x + columns.saturating_sub(wide),
        };
        for (text, tone) in wrapped {
            self.put(at, text.as_str(), *tone);
            at += safe::width(text);
        }
    }
}

/// Lays a page out. Sections keep their order, downwards and then to the right; none is split between columns.
pub fn layout(page: &Page, width: u16, glyphs: &Glyphs) -> Laid {
    lay_again(page, &mut Vec::new(), width, glyphs)
}

/// The same, with the bodies that were laid out before and still hold, one place for each section. Leaves there what
/// it laid out.
pub(super) fn lay_again(page: &Page, known: &mut Vec<Option<LaidBody>>, width: u16, glyphs: &Glyphs) -> Laid {
    let label = label_width(page);
    known.resize_with(page.sections.len(), || None);
    let mut known = known.as_mut_slice();
    let mut lines: Vec<Arc<Line>> = Vec::new();
    let half = width.saturating_sub(GUTTER) / 2;
    let mut rest = page.sections.as_slice();
    while !rest.is_empty() {
        // A band is as many sections in a row as can share the width, or one that cannot.
        let shared = rest
            .iter()
            .take_while(|s| width >= TWO_COLUMNS && s.wants <= half)
            .count();
        let (band, columns) = if shared >= 2 { (shared, half) } else { (1, width) };
        let (here, later) = known.split_at_mut(band);
        let mut blocks = rest
            .iter()
            .zip(here)
            .map(|(section, known)| block(section, known, columns, label, glyphs));
        if band > 1 {
            let blocks = blocks.collect();
            side_by_side(&mut lines, blocks, half + GUTTER);
        } else {
            lines.extend(blocks.next().unwrap_or_default());
        }
        rest = &rest[band..];
        known = later;
    }
    // The blank below the last section.
    while lines.last().is_some_and(|line| line.pieces.is_empty()) {
        lines.pop();
    }
    Laid { width, lines }
}

/// One width for the labels of all sections, so that values stand under each other.
fn label_width(page: &Page) -> usize {
    page.sections
        .iter()
        .filter_map(|section| match &section.body {
            Body::Facts(facts) => facts
                .iter()
                .map(|(label, _)| safe::width(&safe::clean(label)))
                .max(),
            _ => None,
        })
        .max()
        .unwrap_or(0)
        .min(LABEL)
}

/// Splits the blocks where the two stacks come out most alike.
fn side_by_side(lines: &mut Vec<Arc<Line>>, blocks: Vec<Vec<Arc<Line>>>, right_x: u16) {
    let total: usize = blocks.iter().map(Vec::len).sum();
    let mut split = (1, usize::MAX);
    let mut left_height = 0;
    for (index, block) in blocks.iter().enumerate().take(blocks.len() - 1) {
        left_height += block.len();
        let height = left_height.max(total - left_height);
        if height < split.1 {
            split = (index + 1, height);
        }
    }
    let mut left = blocks;
    let right = left.split_off(split.0);
    let mut right = right.into_iter().flatten();
    let mut left = left.into_iter().flatten();
    for _ in 0..split.1 {
        let mut line = left.next().unwrap_or_default();
        if let Some(other) = right.next() {
            let shifted = other.pieces.iter().map(|piece| Piece {
                x: piece.x + right_x,
                ..piece.clone()
            });
            Arc::make_mut(&mut line).pieces.extend(shifted);
        }
        lines.push(line);
    }
}

/// A section with its title, and a blank line below.
fn block(
    section: &Section,
    known: &mut Option<LaidBody>,
    width: u16,
    label: usize,
    glyphs: &Glyphs,
) -> Vec<Arc<Line>> {
    let width = usize::from(width);
    let mut lines = vec![Arc::new(title(section, width, glyphs))];
    lines.extend(body(section, known, width, label).iter().cloned());
    lines.push(Arc::default());
    lines
}

/// `Disks ──────────── 4s`.
fn title(section: &Section, width: usize, glyphs: &Glyphs) -> Line {
    let mut line = Line::default();
    let title = safe::clean(&section.title);
    let title = safe::fit(&title, width, glyphs.ellipsis);
    let used = safe::width(&title);
    line.put(0, title.into_owned(), Tone::Title);
    let age = section
        .age
        .as_ref()
        .map(|age| wrap(&age.parts, width).swap_remove(0));
    let age_width = age.as_ref().map_or(0, |parts| {
        1 + parts.iter().map(|(text, _)| safe::width(text)).sum::<usize>()
    });
    let rule = width.saturating_sub(used + 1 + age_width);
    line.put(used + 1, glyphs.frame[0].repeat(rule), Tone::Border);
    if let Some(age) = age.filter(|_| used + 1 + age_width <= width) {
        line.put_wrapped(width + 1 - age_width, age_width, Align::Left, &age);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{Cell, page::GridColumn};

    fn facts(title: &str, count: usize) -> Section {
        Section::new(
            title,
            Body::Facts(
                (0..count)
                    .map(|n| (format!("key{n}"), format!("value {n}").into()))
                    .collect(),
            ),
        )
    }

    /// The laid out page as text.
    fn plain(laid: &Laid) -> Vec<String> {
        laid.lines
            .iter()
            .map(|line| {
                let mut text = String::new();
                for piece in &line.pieces {
                    let at = usize::from(piece.x);
                    assert!(safe::width(&text) <= at, "overlap at {at} in {:?}", line.pieces);
                    text.push_str(&" ".repeat(at - safe::width(&text)));
                    text.push_str(&piece.text);
                }
                text
            })
            .collect()
    }

    fn draw(page: &Page, width: u16) -> Vec<String> {
        plain(&layout(page, width, &Glyphs::ASCII))
    }

    #[test]
    fn one_column_when_narrow() {
        let page = Page {
            sections: vec![facts("A", 1), facts("B", 2)],
        };
        assert_eq!(
            draw(&page, 24),
            [
                "A ----------------------",
                "key0  value 0",
                "",
                "B ----------------------",
                "key0  value 0",
                "key1  value 1",
            ]
        );
    }

    #[test]
    fn two_balanced_columns_when_wide() {
        let page = Page {
            sections: vec![facts("A", 6), facts("B", 2), facts("C", 2)],
        };
        let lines = draw(&page, 120);
        assert_eq!(lines.len(), 7, "{lines:#?}");
        assert!(
            lines[0].starts_with("A --") && lines[0].contains(" B --"),
            "{}",
            lines[0]
        );
        assert!(lines[4].contains("C --"), "{}", lines[4]);
        assert!(lines.iter().all(|line| line.len() <= 120));
    }

    #[test]
    fn what_wants_more_than_half_takes_it_all() {
        let page = Page {
            sections: vec![
                facts("A", 1),
                facts("B", 1),
                facts("C", 1).wants(90),
                facts("D", 1),
            ],
        };
        let lines = draw(&page, 120);
        assert!(lines[0].contains("B --"));
        assert_eq!(lines[3].len(), 120);
        assert!(lines[3].starts_with("C --"));
        assert!(lines[6].starts_with("D --"));
    }

    #[test]
    fn long_values_are_wrapped_and_whole() {
        let value = "word ".repeat(30);
        let page = Page {
            sections: vec![Section::new(
                "S",
                Body::Facts(vec![("label".into(), value.trim().into())]),
            )],
        };
        let lines = draw(&page, 40);
        assert_eq!(lines.concat().matches("word").count(), 30);
        assert!(lines.iter().all(|line| line.len() <= 40));
        assert_eq!(&lines[2][..7], "       ");
    }

    #[test]
    fn a_grid_takes_what_it_needs_and_the_widest_gives() {
        let columns = vec![
            GridColumn::text("key"),
            GridColumn::text("options"),
            GridColumn::number("size"),
        ];
        let page = Page {
            sections: vec![Section::new(
                "Disks",
                Body::Grid {
                    columns,
                    rows: vec![
                        vec!["scsi0".into(), "discard=on iothread=1 ssd=1".into(), "32G".into()],
                        vec!["ide2".into(), "cdrom".into(), "600M".into()],
                    ],
                },
            )],
        };
        assert_eq!(
            draw(&page, 50)[1..],
            [
                "key    options                      size",
                "scsi0  discard=on iothread=1 ssd=1   32G",
                "ide2   cdrom                        600M",
            ]
        );
        assert_eq!(
            draw(&page, 30)[1..],
            [
                "key    options            size",
                "scsi0  discard=on          32G",
                "       iothread=1 ssd=1",
                "ide2   cdrom              600M",
            ]
        );
    }

    #[test]
    fn age_and_notice_have_their_places() {
        let mut section = facts("A", 1).notice("missing Sys.Audit", Tone::Warn);
        section.age = Some(Cell::toned("4s", Tone::Muted));
        section.stale = true;
        let laid = layout(
            &Page {
                sections: vec![section],
            },
            24,
            &Glyphs::ASCII,
        );
        assert_eq!(
            plain(&laid),
            ["A ------------------- 4s", "missing Sys.Audit", "key0  value 0"]
        );
        assert_eq!(laid.lines[1].pieces[0].tone, Tone::Warn);
        assert!(laid.lines[2].pieces.iter().all(|piece| piece.tone == Tone::Muted));
    }

    #[test]
    fn every_width_holds_a_hostile_page() {
        let evil = format!(
            "\x1b[31m{}\u{202e}{}",
            "z\u{301}\u{301}".repeat(40),
            "日本".repeat(5000)
        );
        let page = Page {
            sections: vec![
                facts(&evil, 1),
                Section::prose("Notes", &evil),
                Section::new(
                    "Grid",
                    Body::Grid {
                        columns: vec![GridColumn::text("a"), GridColumn::number("b")],
                        rows: vec![vec![evil.as_str().into(), evil.as_str().into()]],
                    },
                ),
                Section::new("Facts", Body::Facts(vec![(evil.clone(), evil.as_str().into())])),
            ],
        };
        for width in [0, 1, 2, 7, 58, 80, 109, 110, 200, 500] {
            let laid = layout(&page, width, &Glyphs::UNICODE);
            let widest = laid
                .lines
                .iter()
                .flat_map(|line| &line.pieces)
                .map(|piece| usize::from(piece.x) + safe::width(&piece.text))
                .max();
            // Below 20 columns there is nothing to promise but that it ends.
            assert!(width < 20 || widest <= Some(width.into()), "{width}: {widest:?}");
        }
    }
}
