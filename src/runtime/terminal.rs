//! The guard that takes the terminal and gives it back.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use base64::Engine as _;
use crossterm::{
    cursor, event,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};

use crate::screens::console::emulator;

/// Whether the terminal is ours now. A panic on any thread must know.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Why the console cannot start here.
#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    /// Input or output goes to a file or a pipe.
    #[error(
        "this is no terminal: the console needs one. For scripts there are `pvedeck get` and `pvedeck show`"
    )]
    NotATerminal,
    /// It cannot move its cursor.
    #[error(
        "the terminal is `TERM={0}`, which cannot draw a screen. Set TERM to what your terminal is, or use `pvedeck get`"
    )]
    Dumb(String),
    /// It refused.
    #[error("the terminal could not be taken: {0}")]
    Io(#[from] io::Error),
}

/// Holds the terminal: raw mode, alternate screen, no cursor, mouse if wanted. Dropping gives it back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If there is none, or none that can draw.
    pub fn take(mouse: bool) -> Result<Self, NoTerminal> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(NoTerminal::NotATerminal);
        }
        if let Ok(term) = std::env::var("TERM")
            && matches!(term.as_str(), "dumb" | "unknown" | "")
        {
            return Err(NoTerminal::Dumb(term));
        }
        restore_on_panic();
        let guard = Self(());
        guard.enter(mouse)?;
        Ok(guard)
    }

    fn enter(&self, mouse: bool) -> io::Result<()> {
        self.listen()?;
        crossterm::execute!(
            io::stdout(),
            EnterAlternateScreen,
            event::EnableBracketedPaste,
            cursor::Hide
        )?;
        capture_mouse(mouse)
    }

    /// Raw mode and no more: keys come one by one, and what is on the screen stays.
    #[allow(clippy::unused_self, reason = "only whoever holds the terminal may")]
    fn listen(&self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Gives the terminal, as it was before, to another program.
    ///
    /// # Errors
    /// If how it stands cannot be read: then it could not be put right later.
    pub fn lend(&mut self) -> io::Result<Lent> {
        restore();
        let stdin = io::stdin();
        Ok(Lent {
            modes: tcgetattr(&stdin)?,
            flags: [
                fcntl_getfl(&stdin)?,
                fcntl_getfl(io::stdout())?,
                fcntl_getfl(io::stderr())?,
            ],
        })
    }

    /// Puts right what another program left behind; what it wrote last stays in sight. Keys are ours again.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn take_back(&mut self, lent: &Lent) -> io::Result<()> {
        lent.put_right()?;
        self.listen()
    }

    /// Takes the screen again, after [`Self::take_back`]; keys that were meant for the program are thrown away.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn take_screen(&mut self, mouse: bool) -> io::Result<()> {
        while event::poll(std::time::Duration::ZERO)? {
            event::read()?;
        }
        self.enter(mouse)
    }
}

/// How the terminal stood when another program got it.
#[derive(Debug)]
pub struct Lent {
    modes: Termios,
    /// Of standard input, output and error: a program that is killed may leave them non-blocking, for us as well.
    flags: [OFlags; 3],
}

impl Lent {
    fn put_right(&self) -> io::Result<()> {
        let [input, output, error] = self.flags;
        fcntl_setfl(io::stdin(), input)?;
        fcntl_setfl(io::stdout(), output)?;
        fcntl_setfl(io::stderr(), error)?;
        // What was typed for the program and not read by it is not meant for us.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.modes)?;
        let mut out = io::stdout();
        out.write_all(CALM)?;
        out.flush()
    }
}

/// What brings a terminal back to its senses without losing what is on it. Its palette is left alone: it may be the
/// user's own. The alternate screen is left without its usual sequence, which would put the cursor back to where we
/// had it, over the last words of the program; what sends it home stands between what keeps its place and what puts it
/// back.
const CALM: &[u8] = concat!(
    "\x1b[?2026l",          // synchronized output that nobody ended
    "\x1b\\",               // a title or the like that was cut off
    "\x1b[?1047l\x1b[?47l", // alternate screen
    "\x1b[!p\x1b7\x1b[r\x1b[?69l\x1b[?6l\x1b[?7h\x1b[4l\x1b[20l\x1b8", // margins, origin, line wrap, insert, line feed
    "\x1b(B\x1b)B\x0f",                                                // line-drawing letters
    "\x1b[?1l\x1b>\x1b[>4;0m\x1b[=0u", // keys: cursor, keypad, modifiers, kitty's
    "\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l", // mouse, focus
    "\x1b[?2004l",                     // bracketed paste
    "\x1b[?5l\x1b[0m\x1b[0 q\x1b[?25h", // reverse video, colours, shape and sight of the cursor
)
.as_bytes();

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once; returns whether it was ours. What fails here cannot be told to anybody, so it is
/// not.
fn restore() -> bool {
    let ours = TAKEN.swap(false, Ordering::SeqCst);
    if ours {
        let _ = crossterm::execute!(
            io::stdout(),
            event::DisableMouseCapture,
            event::DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show,
        );
        let _ = terminal::disable_raw_mode();
    }
    ours
}

/// A panic, on whichever thread, gives the terminal back so that its message can be read, and ends the console: what
/// went on without a part of itself would not tell the truth.
fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if emulator::is_guarded() {
                tracing::warn!("the emulated terminal of a console failed: {info}");
                return;
            }
            let ours = restore();
            tracing::error!("{info}");
            before(info);
            if ours {
                std::process::exit(101);
            }
        }));
    });
}

/// Takes the mouse, or gives it back to the terminal.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn capture_mouse(on: bool) -> io::Result<()> {
    if on {
        crossterm::execute!(io::stdout(), event::EnableMouseCapture)
    } else {
        crossterm::execute!(io::stdout(), event::DisableMouseCapture)
    }
}

/// Puts a text into the clipboard of the user's own terminal, over SSH too (OSC 52; inside tmux it needs
/// `set-clipboard on`).
///
/// # Errors
/// If the terminal cannot be written to.
pub fn copy(text: &str) -> io::Result<()> {
    // Base64 can hold anything without harm: the sequence cannot be left from inside.
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{encoded}\x07")?;
    out.flush()
}
