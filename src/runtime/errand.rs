//! A program that has the terminal: begun, followed, and its end told.
//!
//! What always holds here:
//! - The program gets an argument vector and no shell, and nothing of our credentials in its environment.
//! - However it ends, the terminal is put right by whoever holds the [`Guard`], not by the program.
//! - It shares our process group: what the keyboard stops or continues, it stops or continues in both.

use std::{
    io::{self, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, waitid};
use tokio::process::{Child, Command};

use super::terminal::{Guard, Lent};
use crate::{
    app::HandOver,
    ui::{Tone, safe},
};

/// What of our environment is nobody else's business.
const SECRETS: [&str; 1] = ["PVEDECK_TOKEN"];
/// The exit status with which `ssh` tells of a failure of its own: anything else is that of the other side.
const OF_SSH: i32 = 255;
/// How long a program may take to end when we have to.
const FAREWELL: Duration = Duration::from_secs(1);

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It could not be begun.
    Failed,
    /// It has the terminal.
    Runs,
    /// It has ended, and the terminal is ours.
    Over,
}

/// The program that has the terminal.
pub(super) struct Errand {
    title: String,
    child: Option<Child>,
    pub(super) lent: Lent,
    pub(super) stage: Stage,
    /// What the user is told of its end.
    pub(super) told: (Tone, String),
}

impl Errand {
    /// Begins it on the terminal as it was lent.
    pub(super) fn begin(order: HandOver, lent: Lent) -> Self {
        let HandOver { arguments, title } = order;
        let (program, rest) = arguments
            .split_first()
            .map(|(program, rest)| (program.as_str(), rest))
            .unwrap_or_default();
        let mut command = Command::new(program);
        command.args(rest).kill_on_drop(true);
        for name in SECRETS {
            command.env_remove(name);
        }
        // Whoever waits for a slow answer should see for what. That it cannot be written is seen by the program too.
        let _ = writeln!(io::stdout(), "pvedeck: {}", safe::clean(&title));
        let (child, stage, told) = match command.spawn() {
            Ok(child) => (Some(child), Stage::Runs, String::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let why =
                    format!("there is no program `{program}`; see `[ssh] command` in the configuration");
                (None, Stage::Failed, why)
            }
            Err(error) => (None, Stage::Failed, format!("`{program}` cannot be run: {error}")),
        };
        tracing::info!(program, begun = child.is_some(), "{title:?}");
        Self {
            told: (Tone::Bad, format!("{title}: {told}")),
            title,
            child,
            lent,
            stage,
        }
    }

    /// It was stopped, or something else happened to it. One that stopped by itself stops us too, so that the shell
    /// that started us comes back; where there is none, it just goes on.
    pub(super) fn follow(&self) {
        let Some(pid) = self.pid() else { return };
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        if matches!(waitid(WaitId::Pid(pid), stopped), Ok(Some(status)) if status.stopped()) {
            // Neither can fail for a reason that would not end the program as well.
            let _ = kill_process(getpid(), Signal::TSTP);
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.as_ref()?.id()?).ok()?)
    }

    /// Takes down how it ended; returns whether its last words should stay in sight.
    pub(super) fn ended(&mut self, ended: io::Result<ExitStatus>) -> bool {
        self.child = None;
        self.stage = Stage::Over;
        let (tone, how, stays) = match ended {
            Ok(status) => verdict(status),
            Err(error) => (Tone::Bad, format!("nobody knows how it ended: {error}"), true),
        };
        tracing::info!("{:?} {how}", self.title);
        self.told = (tone, format!("{} {how}", self.title));
        stays
    }

    /// Says how to go on, below what the program wrote last.
    pub(super) fn say_goodbye(&self) -> io::Result<()> {
        let mut out = io::stdout();
        write!(
            out,
            "\r\npvedeck: {}; any key goes back\r\n",
            safe::clean(&self.told.1)
        )?;
        out.flush()
    }

    /// Ends it, because we end, and puts the terminal right.
    pub(super) async fn recall(mut self, guard: &mut Guard) {
        if let (Some(pid), Some(child)) = (self.pid(), &mut self.child) {
            let _ = kill_process(pid, Signal::HUP);
            if tokio::time::timeout(FAREWELL, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
        if self.stage != Stage::Over {
            // If the terminal is gone, there is nothing to put right.
            let _ = guard.take_back(&self.lent);
        }
    }
}

/// The end of the program; never, if none runs.
pub(super) async fn end(errand: &mut Option<Errand>) -> io::Result<ExitStatus> {
    match errand.as_mut().and_then(|errand| errand.child.as_mut()) {
        Some(child) => child.wait().await,
        None => std::future::pending().await,
    }
}

/// Tone, words, and whether it was the program itself that failed, not what was done with it.
fn verdict(status: ExitStatus) -> (Tone, String, bool) {
    match (status.code(), status.signal()) {
        (Some(0), _) => (Tone::Info, "has ended".to_owned(), false),
        (Some(OF_SSH), _) => (Tone::Bad, format!("failed (exit status {OF_SSH})"), true),
        (Some(code), _) => (Tone::Warn, format!("has ended with exit status {code}"), false),
        (None, Some(signal)) => (Tone::Bad, format!("was killed by signal {signal}"), true),
        (None, None) => (Tone::Bad, "has ended, nobody knows how".to_owned(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_of_the_program_itself_keeps_its_words_in_sight() {
        for (raw, tone, words, stays) in [
            (0, Tone::Info, "has ended", false),
            (3 << 8, Tone::Warn, "exit status 3", false),
            (255 << 8, Tone::Bad, "failed", true),
            (9, Tone::Bad, "signal 9", true),
        ] {
            let (told, text, kept) = verdict(ExitStatus::from_raw(raw));
            assert!(told == tone && text.contains(words) && kept == stays, "{text}");
        }
    }
}
