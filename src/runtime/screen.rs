//! What is on the screen, and the bytes that make it what it should be: only cells that differ are sent.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crossterm::{
    QueueableCommand as _,
    terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use ratatui::{
    backend::{Backend as _, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};

/// The screen as the terminal has it.
pub struct Screen<W: Write> {
    backend: CrosstermBackend<Counted<W>>,
    bytes: Arc<AtomicU64>,
    shown: Buffer,
    next: Buffer,
}

impl<W: Write> Screen<W> {
    /// An empty screen of a size.
    pub fn new(out: W, (width, height): (u16, u16)) -> Self {
        let empty = Buffer::empty(Rect {
            x: 0,
            y: 0,
            width,
            height,
        });
        let bytes = Arc::new(AtomicU64::new(0));
        Self {
            backend: CrosstermBackend::new(Counted {
                out: io::BufWriter::with_capacity(1 << 16, out),
                bytes: bytes.clone(),
            }),
            bytes,
            shown: empty.clone(),
            next: empty,
        }
    }

    /// Forgets what was shown and clears the terminal: after a resize, or when somebody else wrote to it.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn reset(&mut self, (width, height): (u16, u16)) -> io::Result<()> {
        let empty = Buffer::empty(Rect {
            x: 0,
            y: 0,
            width,
            height,
        });
        self.shown = empty.clone();
        self.next = empty;
        self.backend.queue(Clear(ClearType::All))?;
        Ok(())
    }

    /// Lets `paint` draw the next frame and sends what differs from the last. Returns how many bytes were sent:
    /// none if nothing differs.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<u64> {
        self.next.reset();
        paint(&mut self.next);
        let before = self.bytes.load(Ordering::Relaxed);
        let differing = self.shown.diff(&self.next);
        if !differing.is_empty() {
            self.backend.queue(BeginSynchronizedUpdate)?;
            self.backend.draw(differing.into_iter())?;
            self.backend.queue(EndSynchronizedUpdate)?;
            io::Write::flush(&mut self.backend)?;
            std::mem::swap(&mut self.shown, &mut self.next);
        }
        Ok(self.bytes.load(Ordering::Relaxed) - before)
    }
}

/// Counts the bytes on their way to the terminal.
struct Counted<W: Write> {
    out: io::BufWriter<W>,
    bytes: Arc<AtomicU64>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn the_same_frame_again_sends_nothing() {
        let mut screen = Screen::new(Vec::new(), (20, 3));
        let paint = |buffer: &mut Buffer| {
            buffer.set_string(0, 0, "pve1 online", Style::default());
        };
        assert!(screen.draw(paint).unwrap() > 0);
        assert_eq!(screen.draw(paint).unwrap(), 0);
        let one_cell = screen.draw(|buffer| {
            buffer.set_string(0, 0, "pve1 0nline", Style::default());
        });
        assert!(one_cell.unwrap() < 60);
        screen.reset((20, 3)).unwrap();
        assert!(screen.draw(paint).unwrap() > 0);
    }
}
