//! What sits behind a simulated console: a login, and a small shell with line editing.
//!
//! It is a simulation and says so: the commands are those of [`super::commands`], nothing of the machine that the demo
//! runs on can be seen or touched through it.

use super::{
    commands,
    keys::{self, Key},
};

/// The machine that a console belongs to.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) system: &'static str,
    pub(super) kernel: &'static str,
    /// `pts/0`, `tty1` or `ttyS0`.
    pub(super) line: &'static str,
    /// Since when it is up, in seconds.
    pub(super) since: i64,
}

/// How a session begins and ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// `login -f root`: signed in at once, and over with the shell.
    Root,
    /// `login`: asks who, and is over with the shell.
    Login,
    /// A getty of a container: asks who, and asks again after the shell.
    Getty,
    /// A getty on a serial line: it has written its prompt long ago, and writes it again for Enter.
    Serial,
}

/// What the session is at.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing was typed on the serial line yet.
    Silent,
    Name,
    Password(String),
    Prompt,
    /// `yes` writes this until it is interrupted.
    Flood(String),
    /// A program that takes the whole screen.
    Top,
}

/// A session.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) machine: Machine,
    entry: Entry,
    stage: Stage,
    line: Vec<char>,
    cursor: usize,
    past: Vec<String>,
    recalled: usize,
    /// Bytes of a character or an escape sequence that has not ended yet.
    partial: Vec<u8>,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    /// Seconds since the epoch, of the latest input.
    pub(super) now: i64,
    out: Vec<u8>,
    over: bool,
}

/// The only account, and its password.
const ACCOUNT: (&str, &str) = ("root", "demo");

impl Shell {
    pub(super) fn new(machine: Machine, entry: Entry, now: i64) -> Self {
        let mut shell = Self {
            machine,
            entry,
            stage: Stage::Silent,
            line: Vec::new(),
            cursor: 0,
            past: Vec::new(),
            recalled: 0,
            partial: Vec::new(),
            size: (80, 24),
            now,
            out: Vec::new(),
            over: false,
        };
        match entry {
            Entry::Root => shell.welcome(),
            Entry::Login => shell.ask_name(),
            Entry::Getty => {
                shell.issue();
                shell.ask_name();
            }
            Entry::Serial => {}
        }
        shell
    }

    /// The terminal has a new size. A serial line never learns of it.
    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        if self.entry == Entry::Serial {
            return;
        }
        self.size = (columns, rows);
        if self.stage == Stage::Top {
            self.out.extend(commands::top(self).into_bytes());
        }
    }

    /// Takes what was typed.
    pub(super) fn input(&mut self, bytes: &[u8], now: i64) {
        self.now = now;
        self.partial.extend_from_slice(bytes);
        while !self.over {
            let Some((key, length)) = keys::first(&self.partial) else {
                break;
            };
            self.partial.drain(..length);
            self.press(&key);
        }
    }

    /// What is to be written now.
    pub(super) fn output(&mut self) -> Vec<u8> {
        if let Stage::Flood(text) = &self.stage {
            let line = format!("{text}\r\n");
            let times = 4096 / line.len().max(1) + 1;
            self.out.extend_from_slice(line.repeat(times).as_bytes());
        }
        std::mem::take(&mut self.out)
    }

    /// Whether it writes without being asked.
    pub(super) fn is_flooding(&self) -> bool {
        matches!(self.stage, Stage::Flood(_))
    }

    /// Whether the session has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.replace('\n', "\r\n").as_bytes());
    }

    fn issue(&mut self) {
        let text = format!(
            "{} {} {}\n\n(simulated: the only account is root, its password is demo)\n\n",
            self.machine.system, self.machine.name, self.machine.line
        );
        self.say(&text);
    }

    fn ask_name(&mut self) {
        self.stage = Stage::Name;
        let text = format!("{} login: ", self.machine.name);
        self.say(&text);
    }

    fn welcome(&mut self) {
        let text = format!(
            "Linux {} {} x86_64\n\nThis is a simulated shell of the demo datacentre; `help` lists what it knows.\n",
            self.machine.name, self.machine.kernel
        );
        self.say(&text);
        self.prompt();
    }

    fn prompt(&mut self) {
        self.stage = Stage::Prompt;
        self.line.clear();
        self.cursor = 0;
        self.recalled = self.past.len();
        let text = self.prompt_text();
        self.say(&text);
    }

    fn prompt_text(&self) -> String {
        format!("\x1b[1;31mroot@{}\x1b[0m:~# ", self.machine.name)
    }

    fn press(&mut self, key: &Key) {
        match self.stage.clone() {
            Stage::Silent => {
                if matches!(key, Key::Control(b'\r' | b'\n')) {
                    self.say("\n");
                    self.issue();
                    self.ask_name();
                }
            }
            Stage::Name => self.type_hidden(key, true),
            Stage::Password(_) => self.type_hidden(key, false),
            Stage::Flood(_) => {
                if matches!(key, Key::Control(3)) {
                    self.say("^C\n");
                    self.prompt();
                }
            }
            Stage::Top => {
                if matches!(key, Key::Char('q') | Key::Control(3)) {
                    self.say("\x1b[?1049l\x1b[?25h");
                    self.prompt();
                }
            }
            Stage::Prompt => self.edit(key),
        }
    }

    /// The plain line of a login: no history, and nothing is shown of a password.
    fn type_hidden(&mut self, key: &Key, shown: bool) {
        match key {
            Key::Char(c) => {
                self.line.push(*c);
                if shown {
                    self.say(&c.to_string());
                }
            }
            Key::Control(0x7f | 8) => {
                let gone = self.line.pop().is_some();
                let wipe = if gone && shown { "\x08 \x08" } else { "" };
                self.say(wipe);
            }
            Key::Control(b'\r' | b'\n') => {
                self.say("\n");
                let typed: String = self.line.drain(..).collect();
                self.answered(typed);
            }
            Key::Control(3 | 4) if self.entry == Entry::Login => self.over = true,
            _ => {}
        }
    }

    fn answered(&mut self, typed: String) {
        match std::mem::replace(&mut self.stage, Stage::Name) {
            Stage::Password(name) if (name.as_str(), typed.as_str()) == ACCOUNT => self.welcome(),
            Stage::Password(_) => {
                self.say("\nLogin incorrect\n");
                self.ask_name();
            }
            _ if typed.is_empty() => self.ask_name(),
            _ => {
                self.stage = Stage::Password(typed);
                self.say("Password: ");
            }
        }
    }

    fn edit(&mut self, key: &Key) {
        match key {
            Key::Char(c) => {
                self.line.insert(self.cursor, *c);
                self.cursor += 1;
                // At the end a character is its own echo; this is what wraps right as well.
                if self.cursor == self.line.len() {
                    self.say(&c.to_string());
                    return;
                }
            }
            Key::Control(0x7f | 8) if self.cursor > 0 => {
                self.cursor -= 1;
                self.line.remove(self.cursor);
            }
            Key::Delete if self.cursor < self.line.len() => {
                self.line.remove(self.cursor);
            }
            Key::Control(4) if self.line.is_empty() => {
                self.say("\nlogout\n");
                return self.leave();
            }
            Key::Control(3) => {
                self.say("^C\n");
                return self.prompt();
            }
            Key::Control(12) => self.say("\x1b[H\x1b[2J"),
            Key::Control(21) => {
                self.line.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Control(11) => self.line.truncate(self.cursor),
            Key::Left | Key::Control(2) => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Control(6) => self.cursor = (self.cursor + 1).min(self.line.len()),
            Key::Home | Key::Control(1) => self.cursor = 0,
            Key::End | Key::Control(5) => self.cursor = self.line.len(),
            Key::Up | Key::Control(16) => self.recall(self.recalled.saturating_sub(1)),
            Key::Down | Key::Control(14) => self.recall(self.recalled + 1),
            Key::Control(b'\r' | b'\n') => {
                self.say("\n");
                let line: String = self.line.drain(..).collect();
                return self.run(&line);
            }
            _ => return,
        }
        self.redraw();
    }

    fn recall(&mut self, index: usize) {
        self.recalled = index.min(self.past.len());
        let line = self
            .past
            .get(self.recalled)
            .map(String::as_str)
            .unwrap_or_default();
        self.line = line.chars().collect();
        self.cursor = self.line.len();
    }

    fn redraw(&mut self) {
        let line: String = self.line.iter().collect();
        let prompt = self.prompt_text();
        // `0D` would move by one.
        let back = match self.line.len() - self.cursor {
            0 => String::new(),
            back => format!("\x1b[{back}D"),
        };
        self.say(&format!("\r\x1b[K{prompt}{line}{back}"));
    }

    fn run(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() {
            self.past.push(line.to_owned());
        }
        match commands::run(self, line) {
            commands::Result::Said(text) => {
                self.say(&text);
                self.prompt();
            }
            commands::Result::Floods(text) => self.stage = Stage::Flood(text),
            commands::Result::Fills => {
                self.stage = Stage::Top;
                let screen = commands::top(self);
                self.out.extend(screen.into_bytes());
            }
            commands::Result::Leaves => {
                self.say("logout\n");
                self.leave();
            }
        }
    }

    fn leave(&mut self) {
        match self.entry {
            Entry::Root | Entry::Login => self.over = true,
            Entry::Getty | Entry::Serial => {
                self.say("\n");
                self.issue();
                self.ask_name();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(entry: Entry) -> Shell {
        let machine = Machine {
            name: "pve1".to_owned(),
            system: "Debian GNU/Linux 13",
            kernel: "6.14.11-4-pve",
            line: "pts/0",
            since: 0,
        };
        Shell::new(machine, entry, 90_000)
    }

    fn types(shell: &mut Shell, text: &str) -> String {
        shell.output();
        shell.input(text.as_bytes(), 90_000);
        String::from_utf8(shell.output()).expect("it writes UTF-8")
    }

    #[test]
    fn lines_are_edited() {
        let mut shell = session(Entry::Root);
        // Typed wrong, gone back, mended, and run from the middle of the line.
        let said = types(
            &mut shell,
            "ecXo hällo\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x7fh\r",
        );
        assert!(
            said.ends_with("\r\nhällo\r\n\x1b[1;31mroot@pve1\x1b[0m:~# "),
            "{said:?}"
        );
        let again = types(&mut shell, "\x1b[A\r");
        assert!(again.contains("\r\nhällo\r\n"), "{again:?}");
        let none = types(&mut shell, "gone\x15\r");
        assert!(!none.contains("not found"), "{none:?}");
    }

    #[test]
    fn a_character_may_come_in_two_packets() {
        let mut shell = session(Entry::Root);
        shell.input(b"echo \xc3", 0);
        shell.input(b"\xbc\r", 0);
        assert!(
            String::from_utf8(shell.output())
                .expect("UTF-8")
                .contains("\r\nü\r\n")
        );
    }

    #[test]
    fn a_login_takes_name_and_password_and_shows_no_password() {
        let mut shell = session(Entry::Login);
        assert_eq!(shell.output(), b"pve1 login: ");
        assert_eq!(types(&mut shell, "root\r"), "root\r\nPassword: ");
        assert_eq!(
            types(&mut shell, "wrong\r"),
            "\r\n\r\nLogin incorrect\r\npve1 login: "
        );
        types(&mut shell, "root\r");
        let welcome = types(&mut shell, "demo\r");
        assert!(
            welcome.contains("simulated shell") && !welcome.contains("demo\r"),
            "{welcome:?}"
        );
        types(&mut shell, "exit\r");
        assert!(shell.is_over());
    }

    #[test]
    fn a_serial_line_is_silent_until_enter_and_asks_again_after_the_shell() {
        let mut shell = session(Entry::Serial);
        assert!(shell.output().is_empty());
        assert!(types(&mut shell, "\r").ends_with("login: "));
        types(&mut shell, "root\rdemo\r");
        shell.resize(132, 43);
        assert!(types(&mut shell, "stty size\r").contains("\r\n24 80\r\n"));
        assert!(types(&mut shell, "\x04").ends_with("login: "));
        assert!(!shell.is_over());
    }

    #[test]
    fn a_flood_flows_until_it_is_interrupted() {
        let mut shell = session(Entry::Root);
        types(&mut shell, "yes no\r");
        assert!(shell.is_flooding());
        for _ in 0..3 {
            assert!(shell.output().len() > 4000);
        }
        let end = types(&mut shell, "\x03");
        assert!(end.ends_with("# ") && !shell.is_flooding(), "{end:?}");
    }
}
