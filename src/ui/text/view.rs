//! The scrolling view over lines that somebody else keeps.

use super::{Lines, Syntax};
use crate::ui::{
    Canvas, Tone,
    find::Needle,
    safe,
    table::Move,
    wrap::{Wrapped, wrap},
};

/// Scroll position, search and follow mode of a long text. The lines themselves stay where they are and are handed
/// in where they are needed.
#[derive(Clone, Debug, Default)]
pub struct TextView {
    syntax: Syntax,
    needle: Needle,
    /// The lines that hold what is looked for; everything, while nothing is.
    found: Option<Vec<u32>>,
    total: usize,
    following: bool,
    /// The first shown line among the found ones, and the first shown row of it.
    top: (usize, usize),
    width: usize,
    height: usize,
}

impl TextView {
    /// A view that starts at the top.
    pub fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            ..Self::default()
        }
    }

    /// A view that starts at the end and stays there when lines come.
    pub fn following(syntax: Syntax) -> Self {
        Self {
            following: true,
            ..Self::new(syntax)
        }
    }

    /// Takes note of lines that were added or changed.
    pub fn refresh<L: Lines + ?Sized>(&mut self, lines: &L) {
        self.total = lines.len();
        self.found = (!self.needle.is_empty()).then(|| {
            (0..lines.len())
                .filter(|index| lines.line(*index).is_some_and(|line| self.needle.is_in(line)))
                .map(|index| index as u32)
                .collect()
        });
        if self.top.0 >= self.count() {
            self.top = (self.count().saturating_sub(1), 0);
        }
    }

    /// Shows only lines that hold the text, from the next [`refresh`](Self::refresh) on.
    pub fn set_needle(&mut self, typed: &str) {
        if typed != self.needle.as_str() {
            self.needle = Needle::new(typed);
            self.top = (0, 0);
        }
    }

    /// What is looked for.
    pub fn needle(&self) -> &str {
        self.needle.as_str()
    }

    /// How many lines are shown, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.count(), self.total)
    }

    /// Whether it stays at the end.
    pub fn is_following(&self) -> bool {
        self.following
    }

    /// Starts or stops to follow the end.
    pub fn toggle_follow(&mut self) {
        self.following = !self.following;
    }

    /// Scrolls. Going up stops following; going to the end starts it again only where the end was followed before
    /// it was left, which is what `resume` says.
    pub fn go<L: Lines + ?Sized>(&mut self, step: Move, resume: bool, lines: &L) {
        if self.following {
            self.top = self.bottom(lines);
        }
        let page = self.height.max(2) as isize - 1;
        let rows = match step {
            Move::By(rows) => rows,
            Move::Page(pages) => pages.saturating_mul(page),
            Move::First => {
                self.top = (0, 0);
                self.following = false;
                return;
            }
            Move::Last => {
                self.top = self.bottom(lines);
                self.following = resume;
                return;
            }
        };
        if rows < 0 {
            self.following = false;
            self.up(rows.unsigned_abs(), lines);
        } else {
            self.down(rows.unsigned_abs(), lines);
        }
    }

    fn up<L: Lines + ?Sized>(&mut self, mut rows: usize, lines: &L) {
        while rows > 0 {
            let (line, row) = self.top;
            if row >= rows {
                self.top = (line, row - rows);
                return;
            }
            rows -= row;
            if line == 0 {
                self.top = (0, 0);
                return;
            }
            // The last row of the line above is one row up.
            rows -= 1;
            self.top = (line - 1, self.rows(line - 1, lines).len().saturating_sub(1));
        }
    }

    fn down<L: Lines + ?Sized>(&mut self, mut rows: usize, lines: &L) {
        let bottom = self.bottom(lines);
        while rows > 0 && self.top < bottom {
            let (line, row) = self.top;
            let left = self.rows(line, lines).len().saturating_sub(row + 1);
            if left >= rows {
                self.top = (line, row + rows);
                break;
            }
            rows -= left + 1;
            self.top = (line + 1, 0);
        }
        self.top = self.top.min(bottom);
    }

    fn count(&self) -> usize {
        self.found.as_ref().map_or(self.total, Vec::len)
    }

    fn line<'l, L: Lines + ?Sized>(&self, position: usize, lines: &'l L) -> Option<&'l str> {
        let index = match &self.found {
            Some(found) => *found.get(position)? as usize,
            None => position,
        };
        lines.line(index)
    }

    fn rows<L: Lines + ?Sized>(&self, position: usize, lines: &L) -> Vec<Wrapped> {
        let line = self.line(position, lines).unwrap_or_default();
        wrap(&self.syntax.tint(line), self.width.max(1))
    }

    /// The position at which the last row is the last on the screen.
    fn bottom<L: Lines + ?Sized>(&self, lines: &L) -> (usize, usize) {
        let mut room = self.height.max(1);
        for position in (0..self.count()).rev() {
            let rows = self.rows(position, lines).len();
            if rows >= room {
                return (position, rows - room);
            }
            room -= rows;
        }
        (0, 0)
    }

    /// Draws what is in sight; `empty` is said where there is nothing.
    pub fn draw<L: Lines + ?Sized>(&mut self, canvas: &mut Canvas<'_>, lines: &L, empty: &str) {
        let width = canvas.width().saturating_sub(2);
        self.width = width.into();
        self.height = canvas.height().into();
        let bottom = self.bottom(lines);
        self.top = if self.following {
            bottom
        } else {
            self.top.min(bottom)
        };
        if self.count() == 0 {
            let none = format!("no line holds \"{}\"", self.needle.as_str());
            let text = if self.total == 0 { empty } else { &none };
            for (y, row) in wrap(&[(text, Tone::Muted)], self.width).iter().enumerate() {
                draw_row(canvas, y as u16, width, row, &self.needle);
            }
            return;
        }
        let mut y = 0;
        let (mut position, mut skip) = self.top;
        while y < canvas.height() && position < self.count() {
            for row in self.rows(position, lines).iter().skip(skip) {
                if y >= canvas.height() {
                    break;
                }
                draw_row(canvas, y, width, row, &self.needle);
                y += 1;
            }
            skip = 0;
            position += 1;
        }
        canvas.scroll_bar(self.top.0, self.count());
    }
}

fn draw_row(canvas: &mut Canvas<'_>, y: u16, width: u16, row: &Wrapped, needle: &Needle) {
    let mut x = 0;
    for (text, tone) in row {
        canvas.text(x, y, text, width.saturating_sub(x), *tone);
        needle.mark(canvas, x, y, text);
        x += safe::width(text) as u16;
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::ui::{Glyphs, Rect, Theme};

    fn shown(view: &mut TextView, lines: &[String], width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::mono();
        view.draw(
            &mut Canvas::new(&mut buffer, area, &theme, &Glyphs::ASCII),
            lines,
            "nothing yet",
        );
        (0..height)
            .map(|y| {
                (0..width - 1)
                    .map(|x| buffer[(x, y)].symbol().to_owned())
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    fn numbered(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("line {n}")).collect()
    }

    #[test]
    fn the_end_is_followed_until_one_looks_up() {
        let mut view = TextView::following(Syntax::Plain);
        let mut lines = numbered(10);
        view.refresh(&lines);
        assert_eq!(shown(&mut view, &lines, 20, 3), ["line 7", "line 8", "line 9"]);
        lines = numbered(12);
        view.refresh(&lines);
        assert_eq!(shown(&mut view, &lines, 20, 3)[2], "line 11");
        view.go(Move::By(-1), true, &lines);
        assert!(!view.is_following());
        lines = numbered(20);
        view.refresh(&lines);
        assert_eq!(shown(&mut view, &lines, 20, 3), ["line 8", "line 9", "line 10"]);
        view.go(Move::Last, true, &lines);
        assert!(view.is_following());
        assert_eq!(shown(&mut view, &lines, 20, 3)[2], "line 19");
    }

    #[test]
    fn one_can_scroll_inside_a_line_that_is_longer_than_the_screen() {
        let mut view = TextView::new(Syntax::Plain);
        let lines = vec!["a".repeat(8 * 6), "end".to_owned()];
        view.refresh(&lines);
        assert_eq!(shown(&mut view, &lines, 10, 3), ["aaaaaaaa"; 3]);
        view.go(Move::By(4), false, &lines);
        assert_eq!(shown(&mut view, &lines, 10, 3), ["aaaaaaaa", "aaaaaaaa", "end"]);
        view.go(Move::By(1), false, &lines);
        assert_eq!(shown(&mut view, &lines, 10, 3)[2], "end");
        view.go(Move::By(-2), false, &lines);
        assert_eq!(shown(&mut view, &lines, 10, 3), ["aaaaaaaa"; 3]);
        view.go(Move::First, false, &lines);
        assert_eq!(view.top, (0, 0));
    }

    #[test]
    fn every_step_down_is_undone_by_one_up() {
        let lines: Vec<String> = (0..30).map(|n| "x".repeat(n * 5)).collect();
        let mut view = TextView::new(Syntax::Plain);
        view.refresh(&lines);
        shown(&mut view, &lines, 12, 5);
        let mut seen = vec![view.top];
        while view.top < view.bottom(&lines) {
            view.go(Move::By(1), false, &lines);
            seen.push(view.top);
        }
        while let Some(place) = seen.pop() {
            assert_eq!(view.top, place);
            view.go(Move::By(-1), false, &lines);
        }
    }

    #[test]
    fn a_search_shows_only_what_holds_the_text() {
        let mut view = TextView::new(Syntax::Plain);
        let lines = numbered(100);
        view.refresh(&lines);
        view.set_needle("LINE 9");
        view.refresh(&lines);
        assert_eq!(view.counts(), (11, 100));
        assert_eq!(shown(&mut view, &lines, 20, 2), ["line 9", "line 90"]);
        view.set_needle("zzz");
        view.refresh(&lines);
        assert_eq!(shown(&mut view, &lines, 30, 2)[0], "no line holds \"zzz\"");
        view.set_needle("");
        view.refresh(&lines);
        assert_eq!(view.counts(), (100, 100));
    }

    #[test]
    fn nothing_yet_is_said() {
        let mut view = TextView::following(Syntax::Log);
        assert_eq!(shown(&mut view, &[], 20, 2)[0], "nothing yet");
        view.go(Move::By(3), true, &Vec::<String>::new());
        view.go(Move::Page(-1), true, &Vec::<String>::new());
    }
}
