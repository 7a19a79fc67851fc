//! The state of one simulated cluster, and how it moves.
//!
//! It moves only when it is asked something: [`World::advance`] settles every task that has ended since and starts
//! those that were due. All figures of load are functions of the time (see [`load`]).

pub(super) mod bulk;
pub(super) mod configure;
pub(super) mod console;
pub(super) mod disks;
pub(super) mod effects;
pub(super) mod guest;
pub(super) mod ha;
pub(super) mod host;
pub(super) mod inside;
pub(super) mod load;
pub(super) mod migration;
pub(super) mod power;
mod seed;
pub(super) mod seed_guests;
mod seed_users;
mod shell;
pub(super) mod task;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use self::seed::{Estate, NodeCertificate, Passwords, Plan};
use self::{
    console::Console,
    guest::{Guest, Power},
    ha::{Armed, HaResource, Rule},
    host::{Node, Storage, Volume},
    load::{RHYTHM, mix},
    task::{Effect, Order, Task},
};
use super::{answer::Failure, auth::Access};

/// How often the estate backs a guest up, in milliseconds.
const BACKUP_EVERY: i64 = 180_000;
/// The most tasks that are remembered.
const MEMORY: usize = 3000;

/// A replication job.
#[derive(Clone, Debug)]
pub(super) struct Replication {
    pub(super) vmid: u32,
    pub(super) target: String,
    pub(super) schedule: &'static str,
    /// The words of its last failure, if it fails.
    pub(super) error: Option<&'static str>,
}

/// A line of the cluster log.
#[derive(Clone, Debug)]
pub(super) struct LogLine {
    pub(super) uid: u64,
    pub(super) time: i64,
    pub(super) node: String,
    pub(super) pid: u32,
    pub(super) user: String,
    pub(super) tag: &'static str,
    pub(super) severity: u8,
    pub(super) message: String,
}

/// A cluster.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) name: &'static str,
    /// A standalone host has no cluster row and no quorum to lose.
    pub(super) clustered: bool,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    /// Durations of tasks are divided by it.
    pub(super) speed: f64,
    pub(super) quorate: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) guests: BTreeMap<u32, Guest>,
    pub(super) storages: Vec<Storage>,
    pub(super) volumes: Vec<Volume>,
    pub(super) pools: BTreeMap<String, String>,
    pub(super) tasks: Vec<Task>,
    pub(super) ha: Vec<HaResource>,
    pub(super) rules: Vec<Rule>,
    pub(super) armed: Armed,
    pub(super) replications: Vec<Replication>,
    pub(super) log: Vec<LogLine>,
    pub(super) options: Map<String, Value>,
    pub(super) access: Access,
    pub(super) consoles: Vec<Console>,
    /// The CA as PEM, and when it ends.
    pub(super) ca: (String, i64),
    /// What happens later by itself, and when (milliseconds).
    pub(super) agenda: Vec<(i64, Effect)>,
    next_backup: i64,
    next_pid: u32,
}

impl World {
    /// Seconds since the epoch.
    pub(super) fn seconds(&self) -> i64 {
        self.now / 1000
    }

    /// The moment of the last renewal of all figures, in seconds.
    pub(super) fn sampled(&self) -> i64 {
        self.seconds().div_euclid(RHYTHM) * RHYTHM
    }

    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The node that answers requests itself: the first.
    pub(super) fn local(&self) -> &str {
        self.nodes.first().map_or("", |node| node.name.as_str())
    }

    /// Whether the node that answers is switched off or starting.
    pub(super) fn is_dark(&self) -> bool {
        self.nodes.first().is_some_and(|node| node.down)
    }

    pub(super) fn storage(&self, name: &str) -> Option<&Storage> {
        self.storages.iter().find(|storage| storage.name == name)
    }

    pub(super) fn task(&self, upid: &str) -> Option<&Task> {
        self.tasks.iter().rev().find(|task| task.upid == upid)
    }

    /// What the running guests of a node ask for: CPUs and bytes of memory.
    pub(super) fn asked_of(&self, node: &str, at: i64) -> (f64, u64) {
        self.guests
            .values()
            .filter(|guest| guest.node == node && guest.power == Power::Running)
            .fold((0.0, 0), |(cpus, bytes), guest| {
                (
                    cpus + f64::from(guest.cpus()) * guest.profile.busy,
                    bytes + (guest.memory() as f64 * guest.profile.memory(at)) as u64,
                )
            })
    }

    /// Writes need a quorum.
    pub(super) fn need_quorum(&self) -> Result<(), Failure> {
        if self.quorate {
            Ok(())
        } else {
            Err(Failure::server("cluster not ready - no quorum?"))
        }
    }

    /// Lets the time pass until `now`: tasks end, others begin.
    pub(super) fn advance(&mut self, now: i64) {
        while self.next_backup <= now {
            let due = self.next_backup;
            self.next_backup += BACKUP_EVERY;
            // After a long silence only the recent ones matter.
            if due > now - 20 * BACKUP_EVERY {
                self.settle(due);
                self.now = due;
                self.back_up_somebody(due);
            }
        }
        self.settle(now);
        self.now = now.max(self.now);
    }

    /// Does, in order, everything that is due by `now`: tasks end, and what was put off happens.
    fn settle(&mut self, now: i64) {
        loop {
            let ending = self
                .tasks
                .iter()
                .enumerate()
                .filter(|(_, task)| !task.settled && task.end <= now)
                .min_by_key(|(_, task)| task.end)
                .map(|(index, task)| (task.end, index));
            let planned = self
                .agenda
                .iter()
                .enumerate()
                .filter(|(_, (at, _))| *at <= now)
                .min_by_key(|(_, (at, _))| *at)
                .map(|(index, (at, _))| (*at, index));
            match (ending, planned) {
                (None, None) => break,
                (Some((end, index)), planned) if planned.is_none_or(|(at, _)| end <= at) => self.end(index),
                (_, Some((_, index))) => {
                    let (at, effect) = self.agenda.swap_remove(index);
                    self.apply(effect, at);
                }
                (Some((_, index)), None) => self.end(index),
            }
        }
        if self.tasks.len() > MEMORY {
            let keep = self.tasks.len() - MEMORY / 2;
            let mut index = 0;
            self.tasks.retain(|task| {
                index += 1;
                index > keep || !task.settled
            });
        }
    }

    /// Ends one task: what it held is free again, and what it does is done.
    fn end(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        task.settled = true;
        let effect = std::mem::replace(&mut task.effect, Effect::Nothing);
        let otherwise = std::mem::replace(&mut task.otherwise, Effect::Nothing);
        let (end, holds, locked, good) = (task.end, task.holds, task.locked, task.is_good());
        let upid = task.upid.clone();
        let said = (
            task.node.clone(),
            task.pid,
            who(&task.user, task.token.as_deref()),
            format!("end task {upid} {}", task.exit),
        );
        if let Some(guest) = holds.and_then(|vmid| self.guests.get_mut(&vmid)) {
            if guest.busy.as_ref() == Some(&upid) {
                guest.busy = None;
            }
            if locked {
                guest.config.remove("lock");
            }
        }
        let severity = if good { 6 } else { 3 };
        self.note(end, said.0, said.1, said.2, severity, said.3);
        self.apply(if good { effect } else { otherwise }, end);
    }

    /// Adds a line to the cluster log.
    pub(super) fn note(
        &mut self,
        at: i64,
        node: String,
        pid: u32,
        user: String,
        severity: u8,
        message: String,
    ) {
        let uid = self.log.last().map_or(1, |line| line.uid + 1);
        self.log.push(LogLine {
            uid,
            time: at / 1000,
            node,
            pid,
            user,
            tag: "pvedaemon",
            severity,
            message,
        });
        if self.log.len() > 1000 {
            self.log.drain(..500);
        }
    }

    /// Begins a task now and gives its id.
    pub(super) fn begin(&mut self, order: Order) -> String {
        let start = self.now;
        self.begin_at(order, start)
    }

    pub(super) fn begin_at(&mut self, order: Order, start: i64) -> String {
        self.next_pid =
            self.next_pid % 4_000_000 + 1 + (mix(&[self.seed, u64::from(self.next_pid)]) % 97) as u32;
        let pid = self.next_pid;
        let up = self.node(&order.node).map_or(start, |node| node.since * 1000);
        let pstart = ((start - up).max(0) / 10).cast_unsigned();
        let upid = task::upid(
            &order.node,
            pid,
            pstart,
            start,
            &order.kind,
            &order.id,
            &order.who,
        );
        let takes = self.scaled(order.takes);
        let count = order.lines.len().max(1) as i64;
        let stamped = order.stamped;
        let log = order
            .lines
            .into_iter()
            .enumerate()
            .map(|(index, line)| (start + takes * index as i64 / count, line))
            .map(|(at, line)| {
                if stamped {
                    (at, format!("{} {line}", task::stamp(at)))
                } else {
                    (at, line)
                }
            })
            .collect();
        if let Some(guest) = order.holds.and_then(|vmid| self.guests.get_mut(&vmid)) {
            guest.busy = Some(upid.clone());
            if let Some(lock) = order.lock {
                guest.config.insert("lock".to_owned(), lock.to_owned());
            }
        }
        let (user, token) = match order.who.split_once('!') {
            Some((user, token)) => (user.to_owned(), Some(token.to_owned())),
            None => (order.who.clone(), None),
        };
        self.note(
            start,
            order.node.clone(),
            pid,
            order.who,
            6,
            format!("starting task {upid}"),
        );
        self.tasks.push(Task {
            upid: upid.clone(),
            node: order.node,
            pid,
            pstart,
            start,
            end: start + takes,
            kind: order.kind,
            id: order.id,
            user,
            token,
            exit: order.exit,
            log,
            effect: order.effect,
            otherwise: order.otherwise,
            holds: order.holds,
            locked: order.lock.is_some(),
            settled: false,
        });
        upid
    }

    /// Has something happen in so many milliseconds at normal speed.
    pub(super) fn later(&mut self, milliseconds: i64, effect: Effect) {
        let at = self.now + self.scaled(milliseconds);
        self.agenda.push((at, effect));
    }

    /// Stops a running task.
    pub(super) fn interrupt(&mut self, upid: &str) {
        let now = self.now;
        if let Some(task) = self
            .tasks
            .iter_mut()
            .find(|task| task.upid == upid && task.end > now)
        {
            task.end = now;
            "received interrupt".clone_into(&mut task.exit);
        }
        self.cut_console(upid);
        self.settle(now);
    }

    fn back_up_somebody(&mut self, at: i64) {
        let Some(storage) = self
            .storages
            .iter()
            .find(|storage| storage.content.contains("backup") && storage.shared)
        else {
            return;
        };
        let storage = storage.name.to_owned();
        let free: Vec<u32> = self
            .guests
            .values()
            .filter(|guest| guest.is_running() && guest.lock().is_none() && guest.busy.is_none())
            .filter(|guest| self.node(&guest.node).is_some_and(|node| node.online))
            .map(|guest| guest.vmid)
            .collect();
        let pick = mix(&[self.seed, at.cast_unsigned()]) as usize;
        if let Some(vmid) = (!free.is_empty()).then(|| free[pick % free.len()])
            && let Some(order) = self.backup_order(vmid, &storage, "root@pam")
        {
            self.begin_at(order, at);
        }
    }

    /// The task that backs a guest up, and the lock it sets.
    pub(super) fn backup_order(&self, vmid: u32, storage: &str, who: &str) -> Option<Order> {
        let guest = self.guests.get(&vmid)?;
        let size = guest.boot_size();
        let lines = task::backup_log(guest.kind.label(), guest.kind, vmid, guest.name(), size, storage);
        let takes = 20_000 + (size >> 30).min(200).cast_signed() * 1_000;
        Some(
            Order::new(&guest.node, "vzdump", vmid.to_string(), who)
                .takes(takes)
                .says(lines)
                .holds(vmid)
                .locks("backup")
                .does(Effect::Backup {
                    vmid,
                    storage: storage.to_owned(),
                }),
        )
    }
}

/// `user` or `user!token`.
pub(super) fn who(user: &str, token: Option<&str>) -> String {
    token.map_or_else(|| user.to_owned(), |token| format!("{user}!{token}"))
}
