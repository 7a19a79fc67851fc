//! The inside of a VM, as far as its guest agent shows it: a few files, users, and commands that work on them.
//!
//! It is made when it is first asked for: ten thousand guests that nobody looks into cost nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{guest::Guest, shell};

/// A command that was run inside.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i64,
    /// Milliseconds at which it ends.
    pub(crate) ends: i64,
    pub(crate) code: i64,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

/// Files, users and processes.
#[derive(Clone, Default, Debug)]
pub(crate) struct Inside {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) folders: BTreeSet<String>,
    /// Name and home of each user.
    pub(crate) users: BTreeMap<String, String>,
    /// Passwords that were set, so that it can be seen that they were.
    pub(crate) passwords: BTreeMap<String, Vec<u8>>,
    pub(crate) processes: Vec<Process>,
    pub(crate) frozen: bool,
    next_pid: i64,
}

impl Inside {
    /// What an installed Debian has.
    pub(crate) fn of(guest: &Guest) -> Self {
        let mut inside = Self {
            next_pid: 700 + i64::from(guest.vmid % 97),
            ..Self::default()
        };
        for folder in [
            "/",
            "/bin",
            "/etc",
            "/etc/ssh",
            "/home",
            "/root",
            "/root/.ssh",
            "/tmp",
            "/usr",
            "/var",
            "/var/log",
        ] {
            inside.folders.insert(folder.to_owned());
        }
        inside.add_user("root", "/root");
        inside.add_user("admin", "/home/admin");
        let name = guest.name();
        inside.put("/etc/hostname", format!("{name}\n"));
        inside.put(
            "/etc/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n"
                .to_owned(),
        );
        inside.put(
            "/root/.ssh/authorized_keys",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemoKeyOfTheOperationsTeam0000000000000000 ops@example.net\n"
                .to_owned(),
        );
        if let Some(keys) = guest.option("sshkeys") {
            let user = guest.option("ciuser").unwrap_or("admin").to_owned();
            inside.add_user(&user, &format!("/home/{user}"));
            let home = inside.users.get(&user).cloned().unwrap_or_default();
            inside.folders.insert(format!("{home}/.ssh"));
            let text = crate::demo::params::decode(keys, false);
            inside.put(
                &format!("{home}/.ssh/authorized_keys"),
                format!("{}\n", text.trim_end()),
            );
        }
        inside
    }

    fn put(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text.into_bytes());
    }

    fn add_user(&mut self, name: &str, home: &str) {
        if self.users.contains_key(name) {
            return;
        }
        self.users.insert(name.to_owned(), home.to_owned());
        self.folders.insert(home.to_owned());
        let mut lines = String::new();
        for ((name, home), id) in self.users.iter().zip(1000..) {
            let id = if name == "root" { 0 } else { id };
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{name}:x:{id}:{id}:{name}:{home}:/bin/bash");
        }
        self.put("/etc/passwd", lines);
    }

    /// Reads a file; the reason is that of the agent.
    pub(crate) fn read(&self, path: &str) -> Result<&[u8], String> {
        self.files.get(path).map(Vec::as_slice).ok_or_else(|| {
            let why = if self.folders.contains(path) {
                "Is a directory"
            } else {
                "No such file or directory"
            };
            format!("failed to open file '{path}' (mode: 'r'): {why}")
        })
    }

    /// Writes a file into a folder that exists.
    pub(crate) fn write(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), String> {
        if self.folders.contains(path) || !self.has_place(path) {
            let why = if self.folders.contains(path) {
                "Is a directory"
            } else {
                "No such file or directory"
            };
            return Err(format!("failed to open file '{path}' (mode: 'wb'): {why}"));
        }
        self.files.insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Whether the folder of a path exists.
    pub(crate) fn has_place(&self, path: &str) -> bool {
        path.rsplit_once('/').is_some_and(|(folder, name)| {
            !name.is_empty() && (folder.is_empty() || self.folders.contains(folder))
        })
    }

    /// Runs a command; gives its process id, or why it cannot be started.
    pub(crate) fn run(
        &mut self,
        words: &[String],
        input: &[u8],
        host: &str,
        now: i64,
    ) -> Result<i64, String> {
        let done = shell::run(self, words, input, host).map_err(|program| {
            format!(
                "Guest agent command failed, error was 'Failed to execute child process “{program}” \
                 (No such file or directory)'"
            )
        })?;
        self.next_pid += 3;
        self.processes.push(Process {
            pid: self.next_pid,
            ends: now + done.takes,
            code: done.code,
            out: done.out,
            err: done.err,
        });
        if self.processes.len() > 50 {
            self.processes.remove(0);
        }
        Ok(self.next_pid)
    }
}
