//! Tasks: each knows from its start how long it takes, what its log will say and what it changes at its end.

use std::fmt::Write as _;

use super::{
    bulk::Turn,
    guest::{Config, Kind},
};

/// What changes when a task ends well.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Nothing,
    Start(u32),
    Stop(u32),
    Reboot(u32),
    Pause(u32),
    Resume(u32),
    /// The guest that was begun gets its configuration.
    Create {
        vmid: u32,
        config: Config,
        /// Its first start.
        then: Option<Box<Order>>,
    },
    Delete {
        vmid: u32,
        /// Also out of HA, replication and backup jobs.
        purge: bool,
        /// Also volumes of it that nothing names.
        strays: bool,
    },
    Snapshot {
        vmid: u32,
        name: String,
        description: String,
        vmstate: bool,
    },
    DeleteSnapshot {
        vmid: u32,
        name: String,
    },
    Rollback {
        vmid: u32,
        name: String,
        start: bool,
    },
    /// The copy is whole.
    Clone {
        to: u32,
    },
    /// What was begun for this guest is taken back.
    Forget(u32),
    /// `values` are the disks where they are now.
    Migrate {
        vmid: u32,
        target: String,
        values: Vec<(String, String)>,
    },
    /// A disk has gone to another storage; `kept` is what stays behind as unused.
    MoveDisk {
        vmid: u32,
        key: String,
        value: String,
        kept: Option<String>,
    },
    /// A disk has gone to another guest.
    Reassign {
        from: u32,
        key: String,
        to: u32,
        target: String,
        value: String,
    },
    /// The HA manager moves a guest; `relocate` stops it first.
    HaMove {
        vmid: u32,
        target: String,
        relocate: bool,
    },
    /// The HA manager makes a guest what is asked of it.
    HaAct(u32),
    /// The HA manager begins the guests of a lost node elsewhere.
    HaRecover(String),
    /// One guest's part of a task over many.
    Turn(Turn),
    /// The state of a VM is on disk, and it is off.
    Hibernate {
        vmid: u32,
        volid: String,
    },
    /// A node is told to go down; `back`: and to come back.
    SendDown {
        node: String,
        back: bool,
    },
    NodeDown {
        node: String,
        back: bool,
    },
    NodeUp(String),
    /// A service of a node runs or does not.
    Service {
        node: String,
        service: String,
        runs: bool,
    },
    Resize {
        vmid: u32,
        disk: String,
        size: u64,
    },
    Template {
        vmid: u32,
        disk: Option<String>,
    },
    Configure {
        vmid: u32,
        changes: Vec<(String, Option<String>)>,
    },
    Backup {
        vmid: u32,
        storage: String,
    },
    DeleteVolume {
        volid: String,
    },
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) upid: String,
    pub(crate) node: String,
    pub(crate) pid: u32,
    pub(crate) pstart: u64,
    /// Milliseconds.
    pub(crate) start: i64,
    /// Milliseconds; in the future while it runs.
    pub(crate) end: i64,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) token: Option<String>,
    /// How it will have ended.
    pub(crate) exit: String,
    /// Lines and when each is written.
    pub(crate) log: Vec<(i64, String)>,
    pub(crate) effect: Effect,
    /// What happens when it does not end well.
    pub(crate) otherwise: Effect,
    /// The guest whose lock file it holds.
    pub(crate) holds: Option<u32>,
    /// Whether it has set the `lock` of that guest.
    pub(crate) locked: bool,
    pub(crate) settled: bool,
}

impl Task {
    /// Ended well, perhaps with warnings.
    pub(crate) fn is_good(&self) -> bool {
        self.exit == "OK" || self.exit.starts_with("WARNINGS")
    }

    pub(crate) fn is_running(&self, now: i64) -> bool {
        self.end > now
    }

    /// The lines written so far, the closing one included.
    pub(crate) fn lines(&self, now: i64) -> Vec<String> {
        let mut lines: Vec<String> = self
            .log
            .iter()
            .filter(|(at, _)| *at <= now.min(self.end))
            .map(|(_, line)| line.clone())
            .collect();
        if !self.is_running(now) {
            lines.push(match self.exit.as_str() {
                "OK" => "TASK OK".to_owned(),
                warnings if warnings.starts_with("WARNINGS") => format!("TASK {warnings}"),
                error => format!("TASK ERROR: {error}"),
            });
        }
        lines
    }
}

/// The id of a task.
pub(crate) fn upid(node: &str, pid: u32, pstart: u64, start: i64, kind: &str, id: &str, who: &str) -> String {
    format!(
        "UPID:{node}:{pid:08X}:{pstart:08X}:{:08X}:{kind}:{id}:{who}:",
        start / 1000
    )
}

/// What the caller knows of a task that it starts.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) node: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// `user@realm` or with `!token`.
    pub(crate) who: String,
    /// Milliseconds that it takes at normal speed.
    pub(crate) takes: i64,
    pub(crate) exit: String,
    /// Lines, spread evenly over its time.
    pub(crate) lines: Vec<String>,
    /// Whether each line begins with its time of day.
    pub(crate) stamped: bool,
    pub(crate) effect: Effect,
    pub(crate) otherwise: Effect,
    pub(crate) holds: Option<u32>,
    /// The `lock` that it sets on that guest while it runs.
    pub(crate) lock: Option<&'static str>,
}

impl Order {
    pub(crate) fn new(node: &str, kind: impl Into<String>, id: impl Into<String>, who: &str) -> Self {
        Self {
            node: node.to_owned(),
            kind: kind.into(),
            id: id.into(),
            who: who.to_owned(),
            takes: 1000,
            exit: "OK".to_owned(),
            lines: Vec::new(),
            stamped: false,
            effect: Effect::Nothing,
            otherwise: Effect::Nothing,
            holds: None,
            lock: None,
        }
    }

    pub(crate) fn takes(mut self, milliseconds: i64) -> Self {
        self.takes = milliseconds;
        self
    }

    pub(crate) fn fails(mut self, reason: impl Into<String>) -> Self {
        self.exit = reason.into();
        self.effect = Effect::Nothing;
        self
    }

    pub(crate) fn says(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    pub(crate) fn does(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Each line begins with its time of day, as migrations write it.
    pub(crate) fn stamped(mut self) -> Self {
        self.stamped = true;
        self
    }

    /// What happens when it fails or is stopped.
    pub(crate) fn otherwise(mut self, effect: Effect) -> Self {
        self.otherwise = effect;
        self
    }

    pub(crate) fn holds(mut self, vmid: u32) -> Self {
        self.holds = Some(vmid);
        self
    }

    /// Sets this `lock` on the guest that it holds.
    pub(crate) fn locks(mut self, lock: &'static str) -> Self {
        self.lock = Some(lock);
        self
    }
}

/// The log of a backup of `size` bytes.
pub(crate) fn backup_log(
    label: &str,
    kind: Kind,
    vmid: u32,
    name: &str,
    size: u64,
    storage: &str,
) -> Vec<String> {
    let mut lines = vec![
        format!("INFO: starting new backup job: vzdump {vmid} --storage {storage} --mode snapshot"),
        format!("INFO: Starting Backup of {label} {vmid} ({})", kind.name()),
        "INFO: status = running".to_owned(),
        format!("INFO: {label} Name: {name}"),
        "INFO: backup mode: snapshot".to_owned(),
        "INFO: ionice priority: 7".to_owned(),
        "INFO: creating vzdump archive".to_owned(),
        "INFO: started backup task".to_owned(),
    ];
    let gib = size as f64 / (1_u64 << 30) as f64;
    for percent in (4..=100).step_by(4) {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            line,
            "INFO: {percent:>3}% ({:.1} GiB of {gib:.1} GiB) in {}s, read: 214.5 MiB/s, write: 168.2 MiB/s",
            gib * f64::from(percent) / 100.0,
            percent * 2
        );
        lines.push(line);
    }
    lines.push("INFO: backup is sparse: 38% total zero data".to_owned());
    lines.push(format!("INFO: Finished Backup of {label} {vmid}"));
    lines.push("INFO: Backup job finished successfully".to_owned());
    lines
}

/// A time of day as migration logs write it.
pub(super) fn stamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}
