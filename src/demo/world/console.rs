//! Consoles of a cluster: ports that wait for their one client, and those in use.

use tokio_util::sync::CancellationToken;

use super::{World, task::Order};

/// Milliseconds that a termproxy waits for its client.
const PATIENCE: i64 = 10_000;
/// The ports of consoles.
const PORTS: std::ops::RangeInclusive<u16> = 5900..=5999;
/// A task that lasts until somebody ends it.
const OPEN_END: i64 = 100 * 365 * 86_400_000;

/// What a console shows.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The shell of a node.
    Shell(String),
    /// A container, or a serial line of a VM.
    Guest { vmid: u32, serial: Option<String> },
}

/// A console whose client has come.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) port: u16,
    /// The path that its ticket is good for.
    pub(crate) path: String,
    /// Who asked for it.
    pub(crate) who: String,
    pub(crate) place: Place,
    pub(crate) upid: String,
    /// Ends it from outside: its task was stopped.
    pub(crate) ends: CancellationToken,
}

/// A console, waiting or in use.
#[derive(Debug)]
pub(crate) struct Console {
    what: Claimed,
    in_use: bool,
}

impl World {
    /// Opens a port and begins the task of it; `None` if all ports are taken.
    pub(crate) fn open_console(&mut self, order: Order, path: &str, place: Place) -> Option<(u16, String)> {
        let now = self.now;
        let running: Vec<String> = self
            .consoles
            .iter()
            .map(|console| console.what.upid.clone())
            .filter(|upid| self.task(upid).is_some_and(|task| task.is_running(now)))
            .collect();
        self.consoles
            .retain(|console| running.contains(&console.what.upid));
        let port = PORTS
            .into_iter()
            .find(|port| self.consoles.iter().all(|console| console.what.port != *port))?;
        let who = order.who.clone();
        let upid = self.begin(order);
        let exit = format!("command '/usr/bin/termproxy {port} --path {path}' failed: exit code 1");
        self.end_task(&upid, now + PATIENCE, &exit);
        self.consoles.push(Console {
            what: Claimed {
                port,
                path: path.to_owned(),
                who,
                place,
                upid: upid.clone(),
                ends: CancellationToken::new(),
            },
            in_use: false,
        });
        Some((port, upid))
    }

    /// Takes the console that waits on a port. It can be taken once, and only for a while.
    pub(crate) fn claim_console(&mut self, port: u16) -> Option<Claimed> {
        let now = self.now;
        let index = self
            .consoles
            .iter()
            .position(|console| console.what.port == port && !console.in_use)?;
        let what = self.consoles[index].what.clone();
        if !self.task(&what.upid)?.is_running(now) {
            return None;
        }
        self.consoles[index].in_use = true;
        self.end_task(&what.upid, now + OPEN_END, "OK");
        Some(what)
    }

    /// The client or the shell is gone: the task is over.
    pub(crate) fn close_console(&mut self, upid: &str) {
        let now = self.now;
        if self.task(upid).is_some_and(|task| task.is_running(now)) {
            self.end_task(upid, now, "OK");
        }
        self.consoles.retain(|console| console.what.upid != upid);
    }

    /// Ends the console of a task that was stopped.
    pub(super) fn cut_console(&mut self, upid: &str) {
        for console in self.consoles.iter().filter(|console| console.what.upid == upid) {
            console.what.ends.cancel();
        }
    }

    fn end_task(&mut self, upid: &str, at: i64, exit: &str) {
        if let Some(task) = self.tasks.iter_mut().rev().find(|task| task.upid == upid) {
            task.end = at;
            exit.clone_into(&mut task.exit);
        }
    }
}
