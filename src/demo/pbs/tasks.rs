//! Tasks: what is under way, what was, and what they say.

use std::fmt::Write as _;

use super::world::{JobKind, World};

/// What a task does when it ends.
#[derive(Clone, Debug)]
pub(super) enum Run {
    Nothing,
    /// Checks these backups of a datastore: namespace and path.
    Verify(String, Vec<(String, String)>),
    /// Removes what no backup needs.
    Collect(String),
    /// Removes these backups of a datastore.
    Remove(String, Vec<(String, String)>),
    /// Copies from one datastore to another.
    Copy(String, String),
}

/// One task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) upid: String,
    pub(super) kind: String,
    /// As it was before it was escaped for the UPID.
    pub(super) id: String,
    pub(super) user: String,
    /// Milliseconds since the epoch.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) exit: String,
    pub(super) lines: Vec<String>,
    pub(super) run: Run,
    pub(super) done: bool,
    pub(super) job: Option<(JobKind, String)>,
}

/// What is to be begun.
pub(super) struct Order {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) user: String,
    pub(super) takes: i64,
    pub(super) exit: String,
    pub(super) lines: Vec<String>,
    pub(super) run: Run,
    pub(super) job: Option<(JobKind, String)>,
}

/// The number of the process that all tasks run in, and when it began.
pub(super) const PID: u32 = 413;
pub(super) const PROCESS_START: u32 = 761_667;

impl Task {
    pub(super) fn is_due(&self, now: i64) -> bool {
        !self.done && self.end <= now
    }

    /// What its log holds at a moment.
    pub(super) fn log(&self, now: i64) -> Vec<String> {
        let zone = |at: i64| {
            let time = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
            time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
        };
        let count = self.lines.len().max(1) as i64;
        let length = (self.end - self.start).max(1);
        let mut log: Vec<String> = self
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| (self.start + length * index as i64 / count, line))
            .filter(|(at, _)| self.done || *at <= now)
            .map(|(at, line)| format!("{}: {line}", zone(at)))
            .collect();
        if self.done && self.exit != "task aborted" {
            let word = match self.exit.as_str() {
                "OK" => "TASK OK".to_owned(),
                warnings if warnings.starts_with("WARNINGS") => format!("TASK {warnings}"),
                failed => format!("TASK ERROR: {failed}"),
            };
            log.push(format!("{}: {word}", zone(self.end)));
        }
        log
    }
}

impl World {
    /// Begins a task; its UPID.
    pub(super) fn begin(&mut self, order: Order) -> String {
        let start = self.now;
        self.begin_at(order, start)
    }

    /// Begins one at a moment of the past.
    pub(super) fn begin_at(&mut self, order: Order, start: i64) -> String {
        self.next_task += 1;
        let upid = format!(
            "UPID:pbs1:{PID:08X}:{PROCESS_START:08X}:{:08X}:{:08X}:{}:{}:{}:",
            self.next_task,
            start.div_euclid(1000),
            order.kind,
            escaped(&order.id),
            order.user
        );
        let takes = (order.takes as f64 / self.speed) as i64;
        self.tasks.push(Task {
            upid: upid.clone(),
            kind: order.kind.to_owned(),
            id: order.id,
            user: order.user,
            start,
            end: start + takes.max(1),
            exit: order.exit,
            lines: order.lines,
            run: order.run,
            done: false,
            job: order.job,
        });
        upid
    }

    /// Ends a running task where it is. What it was to do at its end is not done.
    pub(super) fn abort(&mut self, upid: &str) {
        let now = self.now;
        let Some(task) = self.tasks.iter_mut().find(|task| task.upid == upid && !task.done) else {
            return;
        };
        let lines = task.log(now).len();
        task.lines.truncate(lines);
        task.end = now;
        "task aborted".clone_into(&mut task.exit);
        task.done = true;
        task.run = Run::Nothing;
        let (end, job) = (now / 1000, task.job.clone());
        if let Some((kind, id)) = job {
            for job in self
                .jobs
                .iter_mut()
                .filter(|job| job.kind == kind && job.id == id)
            {
                job.last = Some((upid.to_owned(), end, "task aborted".to_owned()));
            }
        }
    }
}

/// The id of a task as a UPID holds it.
pub(super) fn escaped(id: &str) -> String {
    let mut text = String::new();
    for (index, byte) in id.bytes().enumerate() {
        match byte {
            b'/' => text.push('-'),
            b'.' if index == 0 => text.push_str(r"\x2e"),
            b'_' | b'.' => text.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => {
                // Writing into a string cannot fail.
                let _ = write!(text, r"\x{byte:02x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_escaped_as_real_servers_were_seen_to() {
        assert_eq!(escaped("backup1:vm/105"), r"backup1\x3avm-105");
        assert_eq!(escaped("backup1::vm/100"), r"backup1\x3a\x3avm-100");
        assert_eq!(
            escaped("-:backup1:backup2::local-copy"),
            r"\x2d\x3abackup1\x3abackup2\x3a\x3alocal\x2dcopy"
        );
    }
}
