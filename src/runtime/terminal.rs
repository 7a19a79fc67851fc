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
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Self(());
        crossterm::execute!(
            io::stdout(),
            EnterAlternateScreen,
            event::EnableBracketedPaste,
            cursor::Hide
        )?;
        capture_mouse(mouse)?;
        Ok(guard)
    }
}

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
