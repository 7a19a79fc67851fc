//! Where the tiles lie, for every size: pure geometry.
//!
//! What always holds here: the rectangles lie in the area, do not overlap and leave nothing of it empty; the
//! focused tile is always among them.

use crate::ui::Rect;

/// From this size on all tiles are shown side by side. It is the size of the deck: the screen without its header
/// and footer.
const ALL: (u16, u16) = (110, 30);
/// Below this size only the focused tile is shown.
const TWO: (u16, u16) = (60, 13);
/// The least width of a tile in a strip.
const LEAST: u16 = 46;
/// From this width on two tiles lie side by side rather than one above the other.
const SIDE_BY_SIDE: u16 = 130;

/// Where everything of the deck lies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The tiles that are shown, by their index, in their order.
    pub tiles: Vec<(usize, Rect)>,
    /// The line that names all tiles, where not all of them are shown.
    pub tabs: Option<Rect>,
}

impl Layout {
    /// The tile at a place of the screen.
    pub fn at(&self, x: u16, y: u16) -> Option<(usize, Rect)> {
        self.tiles.iter().copied().find(|(_, area)| {
            (area.left()..area.right()).contains(&x) && (area.top()..area.bottom()).contains(&y)
        })
    }

    /// Where a tile lies, if it is shown.
    pub fn area(&self, tile: usize) -> Option<Rect> {
        self.tiles
            .iter()
            .find(|(shown, _)| *shown == tile)
            .map(|(_, area)| *area)
    }
}

/// Lays out `count` tiles, one of which has the focus, in an area. The first is the overview (the nodes) and the
/// second the main list (the guests): these stay in sight as long as there is room for two.
pub fn layout(area: Rect, count: usize, focused: usize) -> Layout {
    let fits = |(width, height)| area.width >= width && area.height >= height;
    let focused = focused.min(count.saturating_sub(1));
    if count < 2 || !fits(TWO) {
        Layout {
            tiles: (0..count)
                .skip(focused)
                .take(1)
                .map(|tile| (tile, area))
                .collect(),
            tabs: None,
        }
    } else if fits(ALL) {
        Layout {
            tiles: all(area, count),
            tabs: None,
        }
    } else {
        let (tabs, rest) = cut_top(area, 1);
        Layout {
            tiles: two(rest, focused),
            tabs: Some(tabs),
        }
    }
}

/// The first over the third to the left, the second over the fourth to the right, the others in strips below.
fn all(area: Rect, count: usize) -> Vec<(usize, Rect)> {
    // The strip is read from its top: a quarter is enough, and on a wall screen not more than 16 rows.
    let strips = (count.saturating_sub(4)).div_ceil(usize::from(area.width / LEAST).max(1)) as u16;
    let height = match strips {
        0 => 0,
        1 => (area.height / 4).clamp(7, 16),
        several => (area.height / (several + 3)).clamp(6, 12),
    };
    let (upper, mut lower) = cut_top(area, area.height - height * strips);
    let (left, right) = cut_left(upper, (area.width * 41 / 100).clamp(46, 84));
    let (first, third) = cut_top(left, if count > 2 { left.height / 2 } else { left.height });
    // The main list is the longest.
    let main = right.height - right.height / 3;
    let (second, fourth) = cut_top(right, if count > 3 { main } else { right.height });
    let upper = [first, second, third, fourth].into_iter().enumerate();
    let mut tiles: Vec<(usize, Rect)> = upper.take(count).collect();
    // As even as can be: four tiles that find no room side by side are two and two.
    let mut tile = 4;
    for strip in 0..usize::from(strips) {
        let (mut line, below) = cut_top(lower, height);
        let left = usize::from(strips) - strip;
        let end = tile + (count - tile).div_ceil(left);
        while tile < end {
            let (part, rest) = cut_left(line, line.width / (end - tile) as u16);
            tiles.push((tile, part));
            line = rest;
            tile += 1;
        }
        lower = below;
    }
    tiles
}

/// The first tile and the focused one, or the second while the first has the focus.
fn two(area: Rect, focused: usize) -> Vec<(usize, Rect)> {
    let (first, rest) = if area.width >= SIDE_BY_SIDE {
        cut_left(area, area.width * 2 / 5)
    } else {
        cut_top(area, (area.height / 3).max(5))
    };
    vec![(0, first), (focused.max(1), rest)]
}

fn cut_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    (
        Rect { height, ..area },
        Rect {
            y: area.y + height,
            height: area.height - height,
            ..area
        },
    )
}

fn cut_left(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    (
        Rect { width, ..area },
        Rect {
            x: area.x + width,
            width: area.width - width,
            ..area
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> impl Iterator<Item = Rect> {
        (1..=250).flat_map(|width| {
            (1..=80).map(move |height| Rect {
                x: 3,
                y: 1,
                width,
                height,
            })
        })
    }

    const COUNT: usize = 8;

    fn each(count: usize, check: impl Fn(Rect, usize, Layout)) {
        for area in sizes() {
            for focused in 0..count {
                check(area, focused, layout(area, count, focused));
            }
        }
    }

    fn parts(layout: &Layout) -> Vec<Rect> {
        layout
            .tiles
            .iter()
            .map(|(_, part)| *part)
            .chain(layout.tabs)
            .collect()
    }

    #[test]
    fn the_area_is_covered_once() {
        for count in 1..=COUNT {
            each(count, |area, _, layout| {
                let parts = parts(&layout);
                for (index, part) in parts.iter().enumerate() {
                    assert_eq!(part.intersection(area), *part, "{part:?} leaves {area:?}");
                    for other in &parts[index + 1..] {
                        let both = part.intersection(*other);
                        assert!(both.is_empty(), "{part:?} over {other:?} in {area:?}");
                    }
                }
                let covered: u32 = parts.iter().map(|part| part.area()).sum();
                assert_eq!(covered, area.area(), "{area:?}");
            });
        }
    }

    #[test]
    fn the_focused_tile_is_always_there_and_no_tile_twice() {
        each(COUNT, |area, focused, layout| {
            assert!(layout.area(focused).is_some(), "{focused} is missing in {area:?}");
            let tiles: Vec<usize> = layout.tiles.iter().map(|(tile, _)| *tile).collect();
            assert!(
                tiles.windows(2).all(|pair| pair[0] < pair[1]),
                "{tiles:?} in {area:?}"
            );
            assert_eq!(layout.tabs.is_some(), tiles.len() == 2);
        });
    }

    #[test]
    fn a_tile_has_room_for_its_frame_its_titles_and_rows() {
        each(COUNT, |area, _, layout| {
            if layout.tiles.len() > 1 {
                for (tile, part) in &layout.tiles {
                    assert!(
                        part.width >= 46 && part.height >= 5,
                        "{tile} has {part:?} in {area:?}"
                    );
                }
            }
        });
    }

    #[test]
    fn the_sizes_that_people_have() {
        let shown = |width, height: u16, focused| {
            let area = Rect::new(0, 1, width, height - 2);
            let layout = layout(area, COUNT, focused);
            layout.tiles.iter().map(|(tile, _)| *tile).collect::<Vec<_>>()
        };
        assert_eq!(shown(200, 60, 0), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(shown(120, 40, 3), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(shown(80, 24, 0), [0, 1]);
        assert_eq!(shown(80, 24, 3), [0, 3]);
        assert_eq!(shown(60, 15, 1), [0, 1]);
        assert_eq!(shown(59, 15, 4), [4]);
        assert_eq!(shown(60, 14, 1), [1]);
    }

    #[test]
    fn a_click_finds_its_tile() {
        let layout = layout(Rect::new(0, 1, 120, 38), COUNT, 0);
        let at = |x, y| layout.at(x, y).map(|(tile, _)| tile);
        assert_eq!(at(0, 1), Some(0));
        assert_eq!(at(119, 1), Some(1));
        assert_eq!(at(119, 38), Some(7));
        assert_eq!(at(0, 0), None);
    }

    #[test]
    fn no_tiles_and_a_focus_beyond_the_last_are_harmless() {
        let area = Rect::new(0, 0, 120, 40);
        assert_eq!(layout(area, 0, 0), Layout::default());
        assert_eq!(layout(Rect::new(0, 0, 40, 9), 3, 9).tiles[0].0, 2);
    }
}
