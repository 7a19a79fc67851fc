//! The commands that the inside of a VM knows, and a small shell for `sh -c`.
//!
//! It knows what is needed to look after files and keys: lists (`;`, `&&`, `||`), pipes, redirections and quotes.
//! It is no shell to program in: whatever it does not know is a command that is not found.

use super::inside::Inside;

/// How a command ended.
#[derive(Default, Debug)]
pub(super) struct Done {
    pub(super) code: i64,
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
    /// Milliseconds that it takes.
    pub(super) takes: i64,
}

impl Done {
    fn said(text: impl Into<Vec<u8>>) -> Self {
        Self {
            out: text.into(),
            ..Self::default()
        }
    }

    fn failed(code: i64, text: impl Into<Vec<u8>>) -> Self {
        Self {
            code,
            err: text.into(),
            ..Self::default()
        }
    }
}

/// Runs a program with its arguments.
///
/// # Errors
/// The name of a program that there is not.
pub(super) fn run(inside: &mut Inside, words: &[String], input: &[u8], host: &str) -> Result<Done, String> {
    let Some((program, arguments)) = words.split_first() else {
        // Without a program the input is what a shell is given.
        return Ok(script(inside, &String::from_utf8_lossy(input), host));
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    match (name, arguments) {
        ("sh" | "bash", [flag, text, ..]) if flag.ends_with('c') => Ok(script(inside, text, host)),
        ("sh" | "bash", _) => Ok(script(inside, &String::from_utf8_lossy(input), host)),
        ("su", _) => Ok(as_user(inside, arguments, host)),
        _ => command(inside, name, arguments, input, host).ok_or_else(|| program.clone()),
    }
}

/// `su -s SHELL USER -c SCRIPT`: nobody looks at who it is that works, only whether there is such a user.
fn as_user(inside: &mut Inside, arguments: &[String], host: &str) -> Done {
    let (mut user, mut text) = ("root", None);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-c" => text = rest.next(),
            "-s" => drop(rest.next()),
            "-" | "-l" => {}
            name => user = name,
        }
    }
    if !inside.users.contains_key(user) {
        return Done::failed(1, format!("su: user {user} does not exist\n"));
    }
    text.map_or_else(Done::default, |text| script(inside, text, host))
}

/// Runs a list of commands.
fn script(inside: &mut Inside, text: &str, host: &str) -> Done {
    let mut all = Done::default();
    let mut list: Vec<(String, Vec<Word>)> = vec![(";".to_owned(), Vec::new())];
    for token in tokens(text) {
        match token {
            Word::Mark(mark) if matches!(mark.as_str(), ";" | "&&" | "||") => list.push((mark, Vec::new())),
            other => {
                if let Some((_, words)) = list.last_mut() {
                    words.push(other);
                }
            }
        }
    }
    for (mark, words) in list {
        let skip = match mark.as_str() {
            "&&" => all.code != 0,
            "||" => all.code == 0,
            _ => false,
        };
        if skip || words.is_empty() {
            continue;
        }
        if let [Word::Text(first), rest @ ..] = &words[..]
            && first == "exit"
        {
            if let Some(Word::Text(code)) = rest.first() {
                all.code = code.parse().unwrap_or(2);
            }
            break;
        }
        let done = pipeline(inside, &words, host);
        all.code = done.code;
        all.takes += done.takes;
        all.out.extend(done.out);
        all.err.extend(done.err);
    }
    all
}

fn pipeline(inside: &mut Inside, words: &[Word], host: &str) -> Done {
    let mut last = Done::default();
    for part in words.split(|word| *word == Word::Mark("|".to_owned())) {
        let input = std::mem::take(&mut last.out);
        let (mut plain, mut target) = (Vec::new(), None);
        let mut rest = part.iter();
        while let Some(word) = rest.next() {
            match word {
                Word::Text(text) => plain.push(text.clone()),
                Word::Mark(mark) => {
                    if let Some(Word::Text(path)) = rest.next() {
                        target = Some((mark == ">>", path.clone()));
                    }
                }
            }
        }
        let err = std::mem::take(&mut last.err);
        last = match run(inside, &plain, &input, host) {
            Ok(done) => done,
            Err(program) => Done::failed(127, format!("sh: 1: {program}: not found\n")),
        };
        last.err.splice(0..0, err);
        if let Some((append, path)) = target {
            let written = std::mem::take(&mut last.out);
            if let Err(text) = put(inside, &path, written, append) {
                last = Done::failed(2, text);
            }
        }
    }
    last
}

fn put(inside: &mut Inside, path: &str, bytes: Vec<u8>, append: bool) -> Result<(), String> {
    if path == "/dev/null" {
        return Ok(());
    }
    let mut whole = if append {
        inside.files.get(path).cloned().unwrap_or_default()
    } else {
        Vec::new()
    };
    whole.extend(bytes);
    inside
        .write(path, whole)
        .map_err(|_| format!("sh: 1: cannot create {path}: Directory nonexistent\n"))
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Word {
    Text(String),
    Mark(String),
}

fn tokens(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars().peekable();
    let flush = |word: &mut Option<String>, found: &mut Vec<Word>| found.extend(word.take().map(Word::Text));
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                let quoted: String = rest.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '"' => {
                let own = word.get_or_insert_default();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    let escaped = c == '\\' && matches!(rest.peek(), Some('"' | '\\' | '$'));
                    own.extend(if escaped { rest.next() } else { Some(c) });
                }
            }
            '\\' => word.get_or_insert_default().extend(rest.next()),
            '\n' | ';' => {
                flush(&mut word, &mut found);
                found.push(Word::Mark(";".to_owned()));
            }
            '&' | '|' | '>' => {
                // `2>` is about errors: they are told anyway.
                let about_errors = c == '>' && word.as_deref() == Some("2");
                if about_errors {
                    word = None;
                }
                flush(&mut word, &mut found);
                let double = rest.peek() == Some(&c);
                if double {
                    rest.next();
                }
                if about_errors {
                    while rest.peek().is_some_and(|c| !c.is_whitespace() && *c != ';') {
                        rest.next();
                    }
                } else if c != '&' || double {
                    found.push(Word::Mark(if double {
                        [c, c].iter().collect()
                    } else {
                        c.to_string()
                    }));
                }
            }
            c if c.is_whitespace() => flush(&mut word, &mut found),
            c => word.get_or_insert_default().push(c),
        }
    }
    flush(&mut word, &mut found);
    found
}

/// A program that there is; `None` if there is not.
#[allow(clippy::too_many_lines, reason = "one table of programs")]
fn command(inside: &mut Inside, name: &str, arguments: &[String], input: &[u8], host: &str) -> Option<Done> {
    let plain: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with('-') || *word == "-")
        .collect();
    let has = |flag: char| {
        arguments
            .iter()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(flag))
    };
    Some(match name {
        "true" | ":" | "sync" | "umask" | "chmod" | "chown" | "systemctl" | "logger" => Done::default(),
        "false" => Done::failed(1, ""),
        "hostname" => Done::said(format!("{host}\n")),
        "whoami" => Done::said("root\n"),
        "uname" if has('r') => Done::said("6.12.48+deb13-amd64\n"),
        "uname" => Done::said(format!("Linux {host} 6.12.48+deb13-amd64 x86_64 GNU/Linux\n")),
        "echo" => {
            let end = if has('n') { "" } else { "\n" };
            let words: Vec<&str> = arguments
                .iter()
                .map(String::as_str)
                .filter(|word| *word != "-n")
                .collect();
            Done::said(words.join(" ") + end)
        }
        "printf" => Done::said(arguments.join(" ").replace("\\n", "\n").replace("%s", "")),
        "sleep" => Done {
            takes: plain.first().and_then(|text| text.parse().ok()).unwrap_or(0_i64) * 1000,
            ..Done::default()
        },
        "cat" if plain.is_empty() => Done::said(input),
        "cat" => each(&plain, |path| {
            inside
                .files
                .get(path)
                .cloned()
                .ok_or_else(|| missing("cat", path))
        }),
        "test" | "[" => Done {
            code: i64::from(!tested(inside, arguments)),
            ..Done::default()
        },
        "ls" => Done::said(listed(inside, plain.first().copied().unwrap_or("/root"))),
        "mkdir" => each(&plain, |path| {
            if !has('p') && !inside.has_place(path) {
                return Err(format!(
                    "mkdir: cannot create directory '{path}': No such file or directory\n"
                ));
            }
            let mut folder = String::new();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                folder = format!("{folder}/{part}");
                inside.folders.insert(folder.clone());
            }
            Ok(Vec::new())
        }),
        "touch" => each(&plain, |path| {
            let old = inside.files.get(path).cloned().unwrap_or_default();
            inside
                .write(path, old)
                .map(|()| Vec::new())
                .map_err(|_| missing("touch", path))
        }),
        "rm" => each(&plain, |path| {
            if inside.files.remove(path).is_none() && !has('f') {
                return Err(missing("rm", path));
            }
            Ok(Vec::new())
        }),
        "cp" | "mv" => match plain[..] {
            [from, to] => match inside.files.get(from).cloned() {
                Some(bytes) => {
                    if name == "mv" {
                        inside.files.remove(from);
                    }
                    inside.files.insert(to.to_owned(), bytes);
                    Done::default()
                }
                None => Done::failed(1, missing(name, from)),
            },
            _ => Done::failed(1, format!("{name}: missing file operand\n")),
        },
        "tee" => each(&plain, |path| {
            put(inside, path, input.to_vec(), has('a'))?;
            Ok(input.to_vec())
        }),
        "grep" => grep(inside, arguments, &plain, input),
        "sed" => sed(inside, &plain),
        "id" => match plain.first().copied().unwrap_or("root") {
            user if inside.users.contains_key(user) => {
                let id = if user == "root" { 0 } else { 1000 };
                Done::said(format!("uid={id}({user}) gid={id}({user}) groups={id}({user})\n"))
            }
            user => Done::failed(1, format!("id: '{user}': no such user\n")),
        },
        "getent" => {
            let wanted = plain.get(1).map(|user| format!("{user}:"));
            let text = String::from_utf8_lossy(inside.files.get("/etc/passwd").map_or(&[], Vec::as_slice))
                .into_owned();
            let lines: String = text
                .lines()
                .filter(|line| wanted.as_ref().is_none_or(|user| line.starts_with(user)))
                .flat_map(|line| {
                    [
                        line, "
",
                    ]
                })
                .collect();
            if lines.is_empty() {
                Done::failed(2, "")
            } else {
                Done::said(lines)
            }
        }
        _ => return None,
    })
}

fn missing(program: &str, path: &str) -> String {
    format!("{program}: {path}: No such file or directory\n")
}

/// Does the same for each path; what fails is told and the rest goes on.
fn each(paths: &[&str], mut deed: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Done {
    let mut all = Done::default();
    for path in paths {
        match deed(path) {
            Ok(out) => all.out.extend(out),
            Err(text) => {
                all.code = 1;
                all.err.extend(text.into_bytes());
            }
        }
    }
    all
}

fn tested(inside: &Inside, arguments: &[String]) -> bool {
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "]")
        .collect();
    match words[..] {
        ["-f", path] => inside.files.contains_key(path),
        ["-d", path] => inside.folders.contains(path),
        ["-e", path] => inside.files.contains_key(path) || inside.folders.contains(path),
        ["-s", path] => inside.files.get(path).is_some_and(|bytes| !bytes.is_empty()),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        _ => false,
    }
}

fn listed(inside: &Inside, folder: &str) -> String {
    let start = format!("{}/", folder.trim_end_matches('/'));
    let mut names: Vec<&str> = inside
        .files
        .keys()
        .chain(&inside.folders)
        .filter_map(|path| path.strip_prefix(&start))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect();
    names.sort_unstable();
    names.into_iter().flat_map(|name| [name, "\n"]).collect()
}

fn grep(inside: &Inside, arguments: &[String], plain: &[&str], input: &[u8]) -> Done {
    let Some((wanted, paths)) = plain.split_first() else {
        return Done::failed(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\n");
    };
    let flag = |c: char| {
        arguments
            .iter()
            .any(|word| word.starts_with('-') && word.contains(c))
    };
    let text = match paths.first() {
        None => input.to_vec(),
        Some(path) => match inside.files.get(*path) {
            Some(bytes) => bytes.clone(),
            None => return Done::failed(2, missing("grep", path)),
        },
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let hits = |line: &&str| {
        let hit = if flag('x') {
            line == wanted
        } else {
            !flag('F') && begins(line, wanted) || line.contains(wanted)
        };
        hit != flag('v')
    };
    let lines: String = text
        .lines()
        .filter(hits)
        .flat_map(|line| {
            [
                line, "
",
            ]
        })
        .collect();
    Done {
        code: i64::from(lines.is_empty()),
        out: if flag('q') { Vec::new() } else { lines.into_bytes() },
        ..Done::default()
    }
}

/// `^ *#`: the one pattern that is understood, a beginning behind blanks.
fn begins(line: &str, pattern: &str) -> bool {
    let rest = pattern.strip_prefix('^');
    rest.is_some_and(|rest| match rest.strip_prefix(" *") {
        Some(rest) => line.trim_start_matches(' ').starts_with(rest),
        None => line.starts_with(rest),
    })
}

/// `sed '\|text|d' FILE`: what is left without the lines that hold a text.
fn sed(inside: &Inside, plain: &[&str]) -> Done {
    let [program, path] = plain[..] else {
        return Done::failed(
            1,
            "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n",
        );
    };
    let Some(text) = program
        .strip_prefix("\\|")
        .and_then(|rest| rest.strip_suffix("|d"))
    else {
        return Done::failed(
            1,
            format!("sed: -e expression #1, char 1: unknown command: `{program}'\n"),
        );
    };
    let Some(bytes) = inside.files.get(path) else {
        return Done::failed(2, format!("sed: can't read {path}: No such file or directory\n"));
    };
    let whole = String::from_utf8_lossy(bytes).into_owned();
    let lines = whole.split_inclusive('\n').filter(|line| !line.contains(text));
    Done::said(lines.collect::<String>())
}

#[cfg(test)]
mod tests;
