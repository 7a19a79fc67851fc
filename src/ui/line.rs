//! A line that is typed: filter, palette, prompts.

use tui_input::{Input, InputRequest};

use super::{canvas::Canvas, safe, theme::Tone};

/// One change of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Edit {
    Insert(char),
    Backspace,
    Delete,
    DeleteWord,
    DeleteToStart,
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
}

/// The text typed so far, and where the cursor is.
#[derive(Clone, Debug, Default)]
pub struct Line {
    input: Input,
}

impl Line {
    /// A line with a text already in it, the cursor behind it.
    pub fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Changes it. Control characters are not taken.
    pub fn edit(&mut self, edit: Edit) {
        let request = match edit {
            Edit::Insert(c) if safe::is_harmful(c) => return,
            Edit::Insert(c) => InputRequest::InsertChar(c),
            Edit::Backspace => InputRequest::DeletePrevChar,
            Edit::Delete => InputRequest::DeleteNextChar,
            Edit::DeleteWord => InputRequest::DeletePrevWord,
            Edit::DeleteToStart => InputRequest::DeleteLine,
            Edit::Left => InputRequest::GoToPrevChar,
            Edit::Right => InputRequest::GoToNextChar,
            Edit::WordLeft => InputRequest::GoToPrevWord,
            Edit::WordRight => InputRequest::GoToNextWord,
            Edit::Start => InputRequest::GoToStart,
            Edit::End => InputRequest::GoToEnd,
        };
        self.input.handle(request);
    }

    /// Takes pasted text: its first line.
    pub fn paste(&mut self, text: &str) {
        for c in text.lines().next().unwrap_or_default().chars() {
            self.edit(Edit::Insert(c));
        }
    }

    /// Draws it behind a prompt, scrolled so that the cursor is in sight.
    pub fn draw(&self, canvas: &mut Canvas<'_>, prompt: &str) {
        let x = canvas.text(0, 0, prompt, canvas.width(), Tone::Key);
        let room = canvas.width().saturating_sub(x);
        if room < 2 {
            return;
        }
        let scroll = self.input.visual_scroll(usize::from(room) - 1);
        let mut skipped = 0;
        let rest: String = self
            .text()
            .chars()
            .skip_while(|c| {
                let skip = skipped < scroll;
                skipped += safe::width(c.encode_utf8(&mut [0; 4]));
                skip
            })
            .collect();
        canvas.text(x, 0, &rest, room, Tone::Text);
        let cursor = self
            .input
            .visual_cursor()
            .saturating_sub(scroll)
            .min(usize::from(room) - 1) as u16;
        canvas.invert(x + cursor, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_is_taken() {
        let mut line = Line::new("we");
        line.paste("b\x1b[31m-01\nsecond line");
        assert_eq!(line.text(), "web[31m-01");
        line.edit(Edit::DeleteToStart);
        assert_eq!(line.text(), "");
    }
}
