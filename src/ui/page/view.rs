//! A page on the screen: scrolled and searched.

use super::{
    Laid, Page,
    body::{LaidBody, same_body},
    layout,
    layout::lay_again,
};
use crate::ui::{Canvas, Tone, find::Needle, table::Move};

/// A page with its scroll offset and what is looked for in it.
#[derive(Clone, Debug, Default)]
pub struct PageView {
    page: Page,
    needle: Needle,
    laid: Option<Laid>,
    /// The body of each section of the page as it was laid out last, without the search.
    bodies: Vec<Option<LaidBody>>,
    offset: usize,
    height: usize,
}

impl PageView {
    /// Shows a page; the place in it stays.
    pub fn set_page(&mut self, page: Page) {
        if page == self.page {
            return;
        }
        let old = &self.page.sections;
        self.bodies = page
            .sections
            .iter()
            .map(|new| {
                let same = old
                    .iter()
                    .position(|old| old.title == new.title && same_body(old, new))?;
                self.bodies.get_mut(same)?.take()
            })
            .collect();
        self.page = page;
        self.laid = None;
    }

    /// The page as it was given, without the search.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Shows only what holds the text.
    pub fn set_needle(&mut self, typed: &str) {
        if typed != self.needle.as_str() {
            self.needle = Needle::new(typed);
            self.laid = None;
            self.offset = 0;
        }
    }

    /// How many lines the last frame had to choose from.
    pub fn len(&self) -> usize {
        self.laid.as_ref().map_or(0, |laid| laid.lines.len())
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is looked for.
    pub fn needle(&self) -> &str {
        self.needle.as_str()
    }

    /// Scrolls.
    pub fn go(&mut self, step: Move) {
        let total = self.laid.as_ref().map_or(0, |laid| laid.lines.len());
        let most = total.saturating_sub(self.height);
        let page = self.height.max(2) as isize - 1;
        self.offset = match step {
            Move::By(lines) => self.offset.saturating_add_signed(lines),
            Move::Page(pages) => self.offset.saturating_add_signed(pages.saturating_mul(page)),
            Move::First => 0,
            Move::Last => most,
        }
        .min(most);
    }

    /// Draws what is in sight.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>) {
        // The last column belongs to the scroll bar, the one before it keeps it apart.
        let width = canvas.width().saturating_sub(2);
        let laid = match self.laid.take() {
            Some(laid) if laid.width == width => laid,
            _ if self.needle.is_empty() => lay_again(&self.page, &mut self.bodies, width, canvas.glyphs()),
            _ => layout(&self.page.found(&self.needle), width, canvas.glyphs()),
        };
        self.height = canvas.height().into();
        self.offset = self.offset.min(laid.lines.len().saturating_sub(self.height));
        if laid.lines.is_empty() && !self.needle.is_empty() {
            let text = format!("nothing here holds \"{}\"", self.needle.as_str());
            canvas.text(0, 0, &text, width, Tone::Muted);
        }
        for (y, line) in laid.lines.iter().skip(self.offset).take(self.height).enumerate() {
            for piece in &line.pieces {
                let room = width.saturating_sub(piece.x);
                canvas.text(piece.x, y as u16, &piece.text, room, piece.tone);
                self.needle.mark(canvas, piece.x, y as u16, &piece.text);
            }
        }
        canvas.scroll_bar(self.offset, laid.lines.len());
        self.laid = Some(laid);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::ui::{
        Glyphs, Rect, Theme,
        page::{Body, Section},
    };

    fn lines(view: &mut PageView, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let theme = Theme::mono();
        view.draw(&mut Canvas::new(
            &mut buffer,
            Rect::new(0, 0, width, height),
            &theme,
            &Glyphs::ASCII,
        ));
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

    fn view() -> PageView {
        let mut view = PageView::default();
        view.set_page(Page {
            sections: vec![Section::new(
                "S",
                Body::Lines((0..50).map(|n| format!("line {n}").into()).collect()),
            )],
        });
        view
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let mut view = view();
        assert_eq!(lines(&mut view, 30, 5)[1], "line 0");
        view.go(Move::Page(1));
        assert_eq!(lines(&mut view, 30, 5)[0], "line 3");
        view.go(Move::Last);
        assert_eq!(lines(&mut view, 30, 5)[4], "line 49");
        view.go(Move::By(7));
        assert_eq!(lines(&mut view, 30, 5)[4], "line 49");
        view.go(Move::By(-1000));
        assert!(lines(&mut view, 30, 5)[0].starts_with("S -"));
    }

    #[test]
    fn only_what_says_something_new_is_laid_out_again() {
        let mut view = view();
        view.page.sections.push(Section::prose("Notes", "as before"));
        lines(&mut view, 30, 5);
        let before = view.laid.clone().unwrap().lines;
        let mut next = view.page().clone();
        next.sections[0].age = Some("7s".into());
        next.sections[1].body = Body::Lines(vec!["new".into()]);
        next.sections.insert(0, Section::prose("Findings", "one more"));
        view.set_page(next);
        lines(&mut view, 30, 5);
        let after = view.laid.clone().unwrap().lines;
        let same = |old: usize, new: usize| std::sync::Arc::ptr_eq(&before[old], &after[new]);
        // Title and finding and a blank have come above.
        assert!((1..=50).all(|line| same(line, line + 3)));
        assert_ne!(before[0], after[3], "its age has changed");
        assert_eq!(after[56].pieces[0].text, "new");
        assert_eq!(
            lines(&mut view, 40, 5)[3].len(),
            38,
            "another width is another layout"
        );
    }

    #[test]
    fn a_new_page_keeps_the_place_and_a_search_starts_at_the_top() {
        let mut view = view();
        lines(&mut view, 30, 5);
        view.go(Move::By(10));
        let mut longer = view.page().clone();
        longer.sections.push(Section::prose("Notes", "more"));
        view.set_page(longer);
        assert_eq!(lines(&mut view, 30, 5)[0], "line 9");
        view.set_needle("LINE 4");
        assert_eq!(lines(&mut view, 30, 5)[1..3], ["line 4", "line 40"]);
        view.set_needle("nowhere");
        assert_eq!(lines(&mut view, 30, 5)[0], "nothing here holds \"nowhere\"");
    }
}
