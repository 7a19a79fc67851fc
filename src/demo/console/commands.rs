//! The commands of the simulated shell.

use std::fmt::Write as _;

use super::shell::Shell;

/// What a command does.
pub(super) enum Result {
    /// It writes this and is done.
    Said(String),
    /// It writes this line until it is interrupted.
    Floods(String),
    /// It takes the whole screen: see [`top`].
    Fills,
    /// It ends the shell.
    Leaves,
}

const HELP: &str = "\
clear     clear the screen          hostname  name of the machine
colors    all colours               ls        files
date      time of the datacentre    printf    text with \\033, \\a, \\n
echo      say something             stty size rows and columns
exit      leave                     top       a whole screen; q ends it
free      memory                    uname -a  system
help      this                      uptime    since when it is up
history   what was typed            yes       a flood; Ctrl-C ends it
";

const FILES: [(&str, &str, bool); 4] = [
    ("backups", "4096 Nov 20 02:00", true),
    ("notes.txt", " 412 Nov 12 09:31", false),
    ("reports", "4096 Nov 18 17:04", true),
    ("update.sh", "1187 Oct 30 11:20", false),
];

/// Runs a line.
pub(super) fn run(shell: &Shell, line: &str) -> Result {
    let words: Vec<&str> = line.split_whitespace().collect();
    let machine = &shell.machine;
    let said = match words.as_slice() {
        [] => String::new(),
        ["help"] => HELP.to_owned(),
        ["exit" | "logout", ..] => return Result::Leaves,
        ["yes", rest @ ..] => {
            let text = if rest.is_empty() {
                "y".to_owned()
            } else {
                rest.join(" ")
            };
            return Result::Floods(text);
        }
        ["top"] => return Result::Fills,
        ["clear"] => "\x1b[H\x1b[2J\x1b[3J".to_owned(),
        ["echo", ..] => format!("{}\n", line.trim_start_matches("echo").trim_start()),
        ["printf", ..] => unescaped(line.trim_start_matches("printf").trim_start()),
        ["hostname"] | ["cat", "/etc/hostname"] => format!("{}\n", machine.name),
        ["whoami"] => "root\n".to_owned(),
        ["pwd"] => "/root\n".to_owned(),
        ["tty"] => format!("/dev/{}\n", machine.line),
        ["uname"] => "Linux\n".to_owned(),
        ["uname", "-r"] => format!("{}\n", machine.kernel),
        ["uname", ..] => format!(
            "Linux {} {} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n",
            machine.name, machine.kernel
        ),
        ["uptime"] => format!(" {}\n", uptime(shell)),
        ["date"] => format!("{}\n", time(shell.now, "%a %b %e %H:%M:%S UTC %Y")),
        ["free", ..] => {
            "               total        used        free\nMem:         4015340     1187212     2828128\n\
                         Swap:         524284           0      524284\n"
                .to_owned()
        }
        ["stty", "size"] => format!("{} {}\n", shell.size.1, shell.size.0),
        ["ls", "-l" | "-la" | "-al"] => listing(),
        ["ls", ..] => {
            let names: Vec<String> = FILES
                .iter()
                .map(|(name, _, folder)| colored(name, *folder))
                .collect();
            format!("{}\n", names.join("  "))
        }
        ["cat", "/etc/os-release"] => format!("PRETTY_NAME=\"{}\"\n", machine.system),
        ["cat", file, ..] => format!("cat: {file}: No such file or directory\n"),
        ["colors"] => colors(),
        [command, ..] => format!("-bash: {command}: command not found\n"),
    };
    Result::Said(said)
}

fn time(seconds: i64, format: &str) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime(format).to_string())
        .unwrap_or_default()
}

fn uptime(shell: &Shell) -> String {
    let up = (shell.now - shell.machine.since).max(0);
    format!(
        "{} up {} days, {:2}:{:02},  1 user,  load average: 0.08, 0.12, 0.10",
        time(shell.now, "%H:%M:%S"),
        up / 86_400,
        up / 3600 % 24,
        up / 60 % 60
    )
}

fn colored(name: &str, folder: bool) -> String {
    if folder {
        format!("\x1b[1;34m{name}\x1b[0m")
    } else {
        name.to_owned()
    }
}

fn listing() -> String {
    let mut text = "total 16\n".to_owned();
    for (name, rest, folder) in FILES {
        let kind = if folder { "drwxr-xr-x 2" } else { "-rw-r--r-- 1" };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{kind} root root {rest} {}", colored(name, folder));
    }
    text
}

fn colors() -> String {
    let mut text = String::new();
    for ground in [40, 100] {
        for color in 0..8 {
            let _ = write!(text, "\x1b[{}m {color:>2} \x1b[0m", ground + color);
        }
        text.push('\n');
    }
    for color in (16..232).step_by(6) {
        let _ = write!(text, "\x1b[48;5;{color}m \x1b[0m");
    }
    text.push('\n');
    for step in 0..36 {
        let _ = write!(text, "\x1b[48;2;{};80;{}m \x1b[0m", step * 7, 255 - step * 7);
    }
    text.push_str(
        "\n\x1b[1mbold\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4munderline\x1b[0m \x1b[7mreverse\x1b[0m 日本 é\n",
    );
    text
}

/// The text of a `printf`, without its quotes and with the usual escapes.
fn unescaped(text: &str) -> String {
    let text = text.trim_matches('\'').trim_matches('"');
    text.replace("\\033", "\x1b")
        .replace("\\e", "\x1b")
        .replace("\\a", "\x07")
        .replace("\\r", "\r")
        .replace("\\n", "\n")
}

/// A screen that is drawn by moving the cursor.
pub(super) fn top(shell: &Shell) -> String {
    let (columns, rows) = shell.size;
    let wide = usize::from(columns);
    let mut text = format!("\x1b[?1049h\x1b[?25l\x1b[2J\x1b[Htop - {}", uptime(shell));
    text.push_str("\x1b[2;1HTasks: 112 total,   1 running, 111 sleeping");
    let _ = write!(
        text,
        "\x1b[4;1H\x1b[7m{:<wide$.wide$}\x1b[0m",
        "    PID USER      %CPU  %MEM COMMAND"
    );
    let rest = usize::from(rows.saturating_sub(5));
    for (row, name) in ["systemd", "sshd", "cron", "agetty", "bash"]
        .iter()
        .take(rest)
        .enumerate()
    {
        let _ = write!(
            text,
            "\x1b[{};1H{:>7} root       0.{row}   0.2 {name}",
            row + 5,
            1 + row * 311
        );
    }
    let _ = write!(text, "\x1b[{rows};1H\x1b[32m{columns}x{rows}\x1b[0m");
    text
}
