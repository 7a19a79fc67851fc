//! Tasks: what a node's workers do or did.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::upid::Upid;

/// How a task stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TaskState {
    /// It runs.
    Running,
    /// It ended with `OK`.
    Ok,
    /// It ended with `WARNINGS: n`.
    Warnings(u32),
    /// It ended with this error. Foreign text.
    Failed(Box<str>),
    /// It ended; nobody knows how (`unexpected status`, lost worker).
    Unknown,
}

impl TaskState {
    /// From the exit status of a task that has ended.
    pub fn from_exit(exit: &str) -> Self {
        match exit {
            "OK" => Self::Ok,
            "" | "unknown" | "unexpected status" => Self::Unknown,
            _ => match exit.strip_prefix("WARNINGS:").and_then(|n| n.trim().parse().ok()) {
                Some(count) => Self::Warnings(count),
                None => Self::Failed(exit.into()),
            },
        }
    }

    /// The word that lists show and filters accept.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Warnings(_) => "warnings",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is over, however it went.
    pub fn is_over(&self) -> bool {
        *self != Self::Running
    }
}

/// One task, as `/cluster/tasks` or `/nodes/{node}/tasks` lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Its name; node, kind, subject and start are part of it.
    pub upid: Upid,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// How it stands.
    pub state: TaskState,
    /// Who started it, with the token's id behind `!`.
    pub user: Arc<str>,
}

impl Task {
    /// Seconds that it ran, or runs by `now`.
    pub fn duration(&self, now: Timestamp) -> i64 {
        self.end.unwrap_or(now).as_second() - self.upid.start.as_second()
    }
}

/// A part of a task's log, `/nodes/{node}/tasks/{upid}/log`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TaskLog {
    /// Number of the first line of `lines`, counted from 0.
    pub start: usize,
    /// The lines. Foreign text.
    pub lines: Vec<Box<str>>,
    /// Lines that the server has in all.
    pub total: usize,
}
