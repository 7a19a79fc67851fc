//! The terminal that a guest writes to: it exists only as cells in memory.
//!
//! What always holds here:
//! - What a guest writes changes cells and nothing else: a title, a bell, a clipboard (OSC 52) end here.
//! - The few questions that programs ask of a terminal are answered with fixed words and numbers; nothing that the
//!   guest wrote is ever sent back to it.
//! - Memory is bounded: a screen and [`SCROLLBACK`] lines.
//! - The library that does the work was seen to panic, for one on a wide character that a new size cuts in half. That
//!   stays in here: the terminal begins anew, and says so.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use vt100::{Callbacks, Parser, Screen};

/// Lines above the screen that are kept.
pub const SCROLLBACK: usize = 1000;
/// The least and the most that the emulator takes as a size: columns, then rows.
const LEAST: (u16, u16) = (8, 2);
const MOST: (u16, u16) = (500, 300);
/// Answers that may wait. A guest that only asks gets no more.
const MOST_ANSWERS: usize = 256;

/// What is said when the terminal had to begin anew.
const ANEW: &[u8] = b"[what was here could not be followed; the screen begins anew]\r\n";

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread, now, would be caught here: then it is no reason to end the program.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Does something with the library; `None` if it panicked.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    GUARDED.set(true);
    // Whatever was half done is thrown away by the caller.
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.ok()
}

/// The emulated terminal.
pub struct Emulator {
    parser: Parser<Answers>,
}

/// What programs are answered.
#[derive(Default)]
struct Answers(Vec<u8>);

impl Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _second: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        let param = params
            .first()
            .and_then(|param| param.first())
            .copied()
            .unwrap_or(0);
        let answer = match (first, last, param) {
            // Where is the cursor? Programs find out the size of a serial line with it.
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                format!("\x1b[{};{}R", row + 1, column + 1)
            }
            (None, 'n', 5) => "\x1b[0n".to_owned(),
            // Which terminal is it? A VT102, which knows what this one knows.
            (None, 'c', 0) => "\x1b[?6c".to_owned(),
            _ => return,
        };
        if self.0.len() + answer.len() <= MOST_ANSWERS {
            self.0.extend(answer.into_bytes());
        }
    }
}

impl Emulator {
    /// An empty screen.
    pub fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = bounded(columns, rows);
        Self {
            parser: parser(columns, rows),
        }
    }

    fn begin_anew(&mut self, (columns, rows): (u16, u16)) {
        self.parser = parser(columns, rows);
        self.parser.process(ANEW);
    }

    /// Takes what the guest wrote; returns what it is to be answered.
    pub fn write(&mut self, bytes: &[u8]) -> Vec<u8> {
        let size = self.size();
        if guarded(|| self.parser.process(bytes)).is_none() {
            self.begin_anew(size);
        }
        std::mem::take(&mut self.parser.callbacks_mut().0)
    }

    /// Gives it a size; returns columns and rows as they are now.
    pub fn resize(&mut self, columns: u16, rows: u16) -> (u16, u16) {
        let (columns, rows) = bounded(columns, rows);
        if self.size() != (columns, rows)
            && guarded(|| self.parser.screen_mut().set_size(rows, columns)).is_none()
        {
            self.begin_anew((columns, rows));
        }
        (columns, rows)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.screen().size();
        (columns, rows)
    }

    /// Scrolls up, or down if negative.
    pub fn scroll(&mut self, lines: isize) {
        let to = self.screen().scrollback().saturating_add_signed(lines);
        self.parser.screen_mut().set_scrollback(to);
    }

    /// Lines that the view is above the end.
    pub fn scrolled(&self) -> usize {
        self.screen().scrollback()
    }

    /// The cells.
    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// Bytes that make another terminal look like this one.
    pub fn state(&self) -> Vec<u8> {
        guarded(|| self.screen().state_formatted()).unwrap_or_default()
    }
}

fn parser(columns: u16, rows: u16) -> Parser<Answers> {
    Parser::new_with_callbacks(rows, columns, SCROLLBACK, Answers::default())
}

fn bounded(columns: u16, rows: u16) -> (u16, u16) {
    (columns.clamp(LEAST.0, MOST.0), rows.clamp(LEAST.1, MOST.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_but_cells_comes_of_what_is_written() {
        let mut emulator = Emulator::new(40, 5);
        let answer = emulator.write(b"a\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x07b\x1b[?1049h\x1b[?1000h");
        assert!(answer.is_empty());
        emulator.write(b"\x1b[?1049l");
        assert_eq!(emulator.screen().contents(), "ab");
    }

    #[test]
    fn questions_have_fixed_answers_and_not_without_end() {
        let mut emulator = Emulator::new(40, 5);
        assert_eq!(emulator.write(b"ab\x1b[6n"), b"\x1b[1;3R");
        assert_eq!(emulator.write(b"\x1b[c\x1b[5n"), b"\x1b[?6c\x1b[0n");
        assert!(emulator.write(b"\x1b[6n".repeat(9999).as_slice()).len() <= MOST_ANSWERS);
    }

    #[test]
    fn whoever_has_scrolled_up_stays_there() {
        let mut emulator = Emulator::new(20, 3);
        for line in 0..50 {
            emulator.write(format!("{line}\r\n").as_bytes());
        }
        emulator.scroll(10);
        let before = emulator.screen().contents();
        emulator.write(b"50\r\n51\r\n");
        assert_eq!(emulator.screen().contents(), before);
        emulator.scroll(-999);
        assert!(emulator.screen().contents().contains("51"));
        emulator.scroll(99_999);
        assert!(emulator.scrolled() <= SCROLLBACK);
    }

    #[test]
    fn a_wide_character_that_is_cut_in_half_is_survived() {
        let mut emulator = Emulator::new(10, 3);
        emulator.write("12345678日".as_bytes());
        emulator.resize(9, 3);
        emulator.write(b"\x1b[1;9Hx\x1b[1;9Hy");
        emulator.write(b"\x1b[3;1Hafter");
        assert!(emulator.screen().contents().ends_with("after"));
        assert!(!is_guarded());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write(Vec<u8>),
        Resize(u16, u16),
        Scroll(isize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let sequence = prop_oneof![
            Just(b"\x1b[".to_vec()),
            Just("日本語é\u{301}".as_bytes().to_vec()),
            "[0-9]{0,5}(;[0-9]{0,5}){0,3}[@A-Za-z`]".prop_map(String::into_bytes),
            "\x1b[\\[\\]()#?=>cDEHMNOPZ78][0-9;?]{0,6}[a-zA-Z]".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..40),
        ];
        prop_oneof![
            8 => proptest::collection::vec(sequence, 1..6).prop_map(|all| Step::Write(all.concat())),
            1 => (any::<u16>(), any::<u16>()).prop_map(|(x, y)| Step::Resize(x % 300, y % 100)),
            1 => (0_u16..12, 0_u16..6).prop_map(|(x, y)| Step::Resize(x, y)),
            1 => (-2000_isize..2000).prop_map(Step::Scroll),
        ]
    }

    proptest! {
        #[test]
        fn nothing_that_a_guest_writes_breaks_it(steps in proptest::collection::vec(step(), 0..40)) {
            let mut emulator = Emulator::new(20, 5);
            for step in steps {
                match step {
                    Step::Write(bytes) => {
                        prop_assert!(emulator.write(&bytes).len() <= MOST_ANSWERS);
                    }
                    Step::Resize(columns, rows) => {
                        let size = emulator.resize(columns, rows);
                        prop_assert_eq!(emulator.size(), size);
                    }
                    Step::Scroll(lines) => emulator.scroll(lines),
                }
                let (columns, rows) = emulator.size();
                for row in 0..rows {
                    for column in 0..columns {
                        // Lines above the screen keep the width that they had.
                        let there = emulator.screen().cell(row, column).is_some();
                        prop_assert!(there || emulator.scrolled() > 0);
                    }
                }
                emulator.state();
            }
        }
    }
}
