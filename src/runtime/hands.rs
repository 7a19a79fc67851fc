//! The hands of the runner: its calls go to the servers, and what it asks is read from them.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    clients::{
        pbs,
        pve::{Accepted, Actor, NotAccepted},
    },
    domain::{ClusterId, NodeName, Task, TaskRef, TaskState, Vmid, config::GuestConfig, guest::CommandEnd},
    plan::{
        Proof, Step,
        journal::{End, Worker},
        runner::{News, Sent, World},
    },
};

/// Tasks that are read to find one of ours.
const TASKS: usize = 500;
/// Between two looks at a task.
const PAUSE: Duration = Duration::from_secs(1);

/// Who acts on each cluster. A cluster that is not in it is read-only: nothing can be sent there.
pub struct Hands<F> {
    actors: BTreeMap<ClusterId, Actor>,
    servers: BTreeMap<ClusterId, pbs::Actor>,
    stop: Arc<AtomicBool>,
    tell: F,
}

impl<F: Fn(usize, &News) + Sync> Hands<F> {
    /// Hands that tell how each step comes along.
    pub fn new(actors: BTreeMap<ClusterId, Actor>, tell: F) -> Self {
        Self {
            actors,
            servers: BTreeMap::new(),
            stop: Arc::default(),
            tell,
        }
    }

    /// Hands that act on Backup Servers too.
    #[must_use]
    pub fn with_servers(mut self, servers: BTreeMap<ClusterId, pbs::Actor>) -> Self {
        self.servers = servers;
        self
    }

    /// Hands that begin no further step once this is set.
    #[must_use]
    pub fn stopped_by(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    fn actor(&self, cluster: &ClusterId) -> Result<&Actor, String> {
        self.actors
            .get(cluster)
            .ok_or_else(|| format!("{cluster} is read-only, or not configured here"))
    }
}

impl<F: Fn(usize, &News) + Sync> World for Hands<F> {
    async fn send(&self, step: &Step) -> Sent {
        let sent = match (self.servers.get(&step.cluster), self.actor(&step.cluster)) {
            (Some(server), _) => server.send(&step.call).await,
            (None, Ok(actor)) => actor.send(&step.call).await,
            (None, Err(why)) => return Sent::Refused(why),
        };
        match sent {
            Ok(Accepted::Task(upid)) => Sent::Began(upid),
            Ok(Accepted::Command(pid)) => Sent::Runs(pid),
            Ok(Accepted::Done) => Sent::Done,
            Err(NotAccepted::Refused(error)) => Sent::Refused(error.to_string()),
            Err(NotAccepted::Unknown(error)) => Sent::Unclear(error.to_string()),
        }
    }

    async fn task(&self, task: &TaskRef) -> Result<TaskState, String> {
        if let Some(server) = self.servers.get(&task.cluster) {
            let status = server.client().task_status(&task.upid).await;
            return status.map_err(|error| error.to_string());
        }
        let client = self.actor(&task.cluster)?.client();
        client
            .task_status(&task.upid)
            .await
            .map_err(|error| error.to_string())
    }

    async fn tasks(&self, step: &Step) -> Result<(Vec<Task>, bool), String> {
        if let Some(server) = self.servers.get(&step.cluster) {
            // A Backup Server is one node, whatever the call is about.
            let tasks = server.client().tasks(TASKS as u32).await;
            let tasks = tasks.map_err(|error| error.to_string())?;
            let more = tasks.len() >= TASKS;
            return Ok((tasks, more));
        }
        let client = self.actor(&step.cluster)?.client();
        let node = match &step.call.segments[..] {
            [nodes, node, ..] if &**nodes == "nodes" => NodeName::from(&**node),
            _ => return Err("the call names no node".to_owned()),
        };
        let tasks = client
            .node_tasks(&node, 0, TASKS)
            .await
            .map_err(|error| error.to_string())?;
        let more = tasks.len() >= TASKS;
        Ok((tasks, more))
    }

    async fn command(&self, step: &Step, pid: u64) -> Result<Option<End>, String> {
        let (node, vmid) = machine(step)?;
        let client = self.actor(&step.cluster)?.client();
        let status = client
            .command_status(&node, vmid, pid)
            .await
            .map_err(|error| error.to_string())?;
        Ok(status.end.map(|end| match end {
            CommandEnd { code: Some(0), .. } => End::Done {
                exit: last_line(&end.out).unwrap_or("OK").to_owned(),
            },
            end => End::Failed {
                why: last_line(&end.err)
                    .or_else(|| last_line(&end.out))
                    .map_or_else(|| format!("it ended with {:?}", end.code), str::to_owned),
            },
        }))
    }

    async fn holds(&self, step: &Step) -> Result<bool, String> {
        if let Proof::Command { file, part, present } = &step.proof {
            let (node, vmid) = machine(step)?;
            let client = self.actor(&step.cluster)?.client();
            let text = client
                .guest_file(&node, vmid, file)
                .await
                .map_err(|error| error.to_string())?;
            let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            return Ok(lines.any(|line| line.contains(&**part)) == *present);
        }
        if let Proof::Listed { read, row, present } = &step.proof {
            let segments: Vec<&str> = read.iter().map(|part| &**part).collect();
            let rows = match self.servers.get(&step.cluster) {
                Some(server) => server.client().rows(&segments).await,
                None => self.actor(&step.cluster)?.client().rows(&segments).await,
            };
            let rows = rows.map_err(|error| error.to_string())?;
            let says =
                |(name, value): &(Box<str>, Box<str>), found: &GuestConfig| found.get(name) == Some(&**value);
            let there = rows.iter().any(|found| row.iter().all(|pair| says(pair, found)));
            return Ok(there == *present);
        }
        let Proof::Holds { read, values } = &step.proof else {
            return Err("nothing tells whether it was done".to_owned());
        };
        let segments: Vec<&str> = read.iter().map(|part| &**part).collect();
        let client = self.actor(&step.cluster)?.client();
        let found = client
            .properties(&segments)
            .await
            .map_err(|error| error.to_string())?;
        // Notes come back with a line end that nobody wrote.
        let plain = |value: Option<&str>| value.map(|value| value.trim_end().to_owned());
        let same =
            |(name, value): &(Box<str>, Option<Box<str>>)| plain(found.get(name)) == plain(value.as_deref());
        Ok(values.iter().all(same))
    }

    fn user(&self, cluster: &ClusterId) -> Option<String> {
        match self.servers.get(cluster) {
            Some(server) => server.user(),
            None => self.actors.get(cluster)?.user(),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }

    fn time(&self) -> Timestamp {
        Timestamp::now()
    }

    fn tell(&self, step: usize, news: &News) {
        (self.tell)(step, news);
    }
}

/// The machine that a step's call names.
fn machine(step: &Step) -> Result<(NodeName, Vmid), String> {
    match &step.call.segments[..] {
        [_, node, kind, vmid, ..] if &**kind == "qemu" => match vmid.parse() {
            Ok(vmid) => Ok((NodeName::from(&**node), vmid)),
            Err(_) => Err("the call names no machine".to_owned()),
        },
        _ => Err("the call names no machine".to_owned()),
    }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).rfind(|line| !line.is_empty())
}

/// This process, as the journal names it.
pub fn worker() -> Worker {
    Worker {
        user: user(&read("/proc/self/status"), &read("/etc/passwd"), |name| {
            std::env::var(name).ok()
        }),
        host: read("/proc/sys/kernel/hostname"),
        process: identity(std::process::id()).unwrap_or_default(),
    }
}

/// Who runs this process, by its user id, and who stands behind `sudo`. What the environment calls the user is only
/// asked where the id has no name.
fn user(status: &str, passwd: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let id = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    let named = id.and_then(|id| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1) == Some(id) && !name.is_empty()).then(|| name.to_owned())
        })
    });
    let name = named
        .or_else(|| ["USER", "LOGNAME"].into_iter().find_map(&variable))
        .or_else(|| id.map(|id| format!("uid {id}")))
        .unwrap_or_else(|| "unknown".to_owned());
    match variable("SUDO_USER").filter(|behind| !behind.is_empty() && *behind != name) {
        Some(behind) => format!("{name} (sudo by {behind})"),
        None => name,
    }
}

/// Whether a worker still lives, as far as can be told from here: of another machine nothing is known, and it counts
/// as alive.
pub fn is_alive(worker: &Worker) -> bool {
    if worker.host != read("/proc/sys/kernel/hostname") {
        return true;
    }
    let pid = worker.process.split(':').nth(1).and_then(|pid| pid.parse().ok());
    pid.and_then(identity).is_some_and(|now| now == worker.process)
}

/// Boot, number and start of a process: no later process shares all three.
fn identity(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything; the start is the 20th field behind it.
    let start = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.to_owned();
    Some(format!(
        "{}:{pid}:{start}",
        read("/proc/sys/kernel/random/boot_id")
    ))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_who_the_process_belongs_to() {
        let status = "Name:\tpvedeck\nUid:\t1000\t1000\t1000\t1000\n";
        let passwd = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n";
        let none = |_: &str| None;
        let lies = |name: &str| (name == "USER").then(|| "mallory".to_owned());
        let sudo = |name: &str| (name == "SUDO_USER").then(|| "bob".to_owned());
        assert_eq!(user(status, passwd, none), "alice");
        assert_eq!(user(status, passwd, lies), "alice");
        assert_eq!(user(status, passwd, sudo), "alice (sudo by bob)");
        assert_eq!(user(status, "", lies), "mallory");
        assert_eq!(user(status, "", none), "uid 1000");
        assert_eq!(user("", passwd, none), "unknown");
    }

    #[test]
    fn this_process_lives_and_an_earlier_one_of_its_number_does_not() {
        let me = worker();
        assert!(is_alive(&me), "{me:?}");
        let mut earlier = me.clone();
        earlier.process.push('1');
        assert!(!is_alive(&earlier));
        let elsewhere = Worker {
            host: "another".into(),
            ..earlier
        };
        assert!(is_alive(&elsewhere));
    }
}
