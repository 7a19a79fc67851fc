//! Questions on the terminal before there is a screen: passwords without echo, yes or no.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal::{disable_raw_mode, enable_raw_mode},
};
use secrecy::SecretString;

use crate::ui::safe::clean;

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for something secret; nothing of it is shown. `None` if the person would rather not say.
///
/// # Errors
/// If the terminal cannot be read.
pub fn secret(question: &str) -> io::Result<Option<SecretString>> {
    // First without echo, then the question: who answers at once would be seen otherwise.
    enable_raw_mode()?;
    let typed = say(question).and_then(|()| typed());
    disable_raw_mode()?;
    writeln!(io::stderr())?;
    typed.map(|text| text.filter(|text| !text.is_empty()).map(SecretString::from))
}

fn typed() -> io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let Event::Key(key) = read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(text)),
            KeyCode::Esc => return Ok(None),
            // The end of a line that was typed ahead of the question.
            KeyCode::Char('j' | 'm') if ctrl => return Ok(Some(text)),
            KeyCode::Char('c' | 'd') if ctrl => return Ok(None),
            KeyCode::Char('u') if ctrl => text.clear(),
            KeyCode::Char(c) if !ctrl => text.push(c),
            KeyCode::Backspace => drop(text.pop()),
            _ => {}
        }
    }
}

/// Asks for a line of text; `default` is taken for an empty one.
///
/// # Errors
/// If the terminal cannot be read, or there is no more to read from it.
pub fn text(question: &str, default: &str) -> io::Result<String> {
    say(question)?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim();
    Ok(if line.is_empty() {
        default.to_owned()
    } else {
        line.to_owned()
    })
}

/// Asks for a yes. Anything else is a no.
///
/// # Errors
/// As [`text`].
pub fn yes(question: &str) -> io::Result<bool> {
    let answer = text(question, "")?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The question stands on stderr: stdout is data.
fn say(question: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{} ", clean(question))?;
    stderr.flush()
}
