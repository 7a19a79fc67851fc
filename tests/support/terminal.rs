//! The real binary in a pseudo-terminal: keys in, screen out, and a count of what was written.
//!
//! Nothing here sleeps: output arrives over a channel, and every wait ends at a deadline with the screen as it was.

use std::{
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::{Callbacks, Parser, Screen};

/// Far more than anything takes on a slow machine; who waits this long has failed.
const DEADLINE: Duration = Duration::from_secs(30);

pub const ENTER: &str = "\r";
pub const ESCAPE: &str = "\x1b";
pub const TAB: &str = "\t";
pub const DOWN: &str = "\x1b[B";
pub const CTRL_C: &str = "\x03";

/// What to start, before it runs.
pub struct Launch {
    command: CommandBuilder,
    size: (u16, u16),
    home: tempfile::TempDir,
}

impl Launch {
    /// The binary under test with a home of its own and nothing else of this machine's settings.
    pub fn pvedeck() -> Self {
        Self::program(Path::new(env!("CARGO_BIN_EXE_pvedeck")))
    }

    /// Any program.
    pub fn program(program: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        command.cwd(home.path());
        Self {
            command,
            size: (80, 24),
            home,
        }
    }

    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file below the home before the start, for the user's eyes only.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub fn start(self) -> Terminal {
        let (columns, rows) = self.size;
        let pair = native_pty_system().openpty(pty_size(self.size)).unwrap();
        let modes_before = modes(&*pair.master);
        let child = pair.slave.spawn_command(self.command).unwrap();
        // The child holds the only slave now, so that its end ends the output.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            output,
            parser: Parser::new_with_callbacks(rows, columns, 0, Replies::default()),
            received: Vec::new(),
            modes_before,
            home: self.home,
        }
    }
}

/// What a terminal answers by itself, and what it was handed beside the screen.
#[derive(Default)]
struct Replies {
    pending: Vec<u8>,
    clipboard: Vec<Vec<u8>>,
}

impl Callbacks for Replies {
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        command: char,
    ) {
        match (first, command, params) {
            (None, 'c', _) => self.pending.extend_from_slice(b"\x1b[?62;22c"),
            (None, 'n', [[6]]) => {
                let (row, column) = screen.cursor_position();
                let report = format!("\x1b[{};{}R", row + 1, column + 1);
                self.pending.extend_from_slice(report.as_bytes());
            }
            _ => {}
        }
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(data.to_vec());
    }
}

/// A running program and the screen that it drew.
pub struct Terminal {
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    parser: Parser<Replies>,
    received: Vec<u8>,
    modes_before: String,
    home: tempfile::TempDir,
}

impl Terminal {
    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Sends keys one by one, so that none is read as part of another.
    pub fn type_in(&mut self, keys: &str) {
        for key in keys.chars() {
            self.send(key.encode_utf8(&mut [0; 4]));
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.master.resize(pty_size((columns, rows))).unwrap();
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.process_id().to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits until the screen's text satisfies `seen`; fails with the screen if it never does.
    pub fn wait_until(&mut self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = self.text();
            if seen(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {what}; the screen:\n{text}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended before {what}; the screen:\n{text}")
                }
            }
        }
    }

    /// Waits until the screen holds a text.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits for the end of the program.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; the screen:\n{}", self.text()),
            }
        }
    }

    /// Takes what is written until nothing has come for `quiet`, at most until the deadline.
    pub fn settle(&mut self, quiet: Duration) {
        let deadline = Instant::now() + DEADLINE;
        while let Ok(bytes) = self.output.recv_timeout(quiet) {
            self.take(&bytes);
            assert!(
                Instant::now() < deadline,
                "it never came to rest:\n{}",
                self.text()
            );
        }
    }

    /// Bytes that the program writes within `time`.
    pub fn bytes_within(&mut self, time: Duration) -> usize {
        let before = self.received.len();
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => return self.received.len() - before,
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended:\n{}", self.text()),
            }
        }
    }

    /// The screen as text, one line a row.
    pub fn text(&self) -> String {
        let (_, columns) = self.screen().size();
        let rows: Vec<String> = self.screen().rows(0, columns).collect();
        rows.join("\n")
    }

    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// Everything the program wrote so far.
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// What it asked the terminal to put on the clipboard, base64 as sent.
    pub fn clipboard(&self) -> &[Vec<u8>] {
        &self.parser.callbacks().clipboard
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// Fails unless the terminal is as it was before the program.
    pub fn assert_restored(&self) {
        assert_eq!(self.unrestored(), Vec::<&str>::new());
    }

    /// What is not as it was before the program.
    pub fn unrestored(&self) -> Vec<&'static str> {
        let screen = self.screen();
        let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        [
            (screen.alternate_screen(), "the alternate screen is still on"),
            (screen.hide_cursor(), "the cursor is still hidden"),
            (screen.bracketed_paste(), "bracketed paste is still on"),
            (mouse, "the mouse is still captured"),
            (modes(&*self.master) != self.modes_before, "raw mode is still on"),
        ]
        .into_iter()
        .filter_map(|(wrong, what)| wrong.then_some(what))
        .collect()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        self.parser.process(bytes);
        let replies = std::mem::take(&mut self.parser.callbacks_mut().pending);
        if !replies.is_empty() {
            // A program that has just ended hears no answer.
            let _ = self.writer.write_all(&replies);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// Echo, line editing, signals: how the terminal treats what is typed.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
