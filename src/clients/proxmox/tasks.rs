//! Tasks: lists, status, logs. A Backup Server tells of them in the same words.

use serde::Deserialize;

use crate::domain::{Task, TaskState, task::TaskLog};

use super::{
    envelope::{Broken, Envelope, moment, said},
    lenient::{Int, Text},
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct TaskRow<'a> {
    #[serde(borrow)]
    upid: Text<'a>,
    #[serde(borrow)]
    user: Text<'a>,
    #[serde(borrow)]
    tokenid: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    endtime: Int,
}

impl TaskRow<'_> {
    fn task(self) -> Option<Task> {
        let upid = match self.upid.as_str().parse() {
            Ok(upid) => upid,
            Err(error) => {
                tracing::warn!(%error, "a task is left out");
                return None;
            }
        };
        let end = moment(&self.endtime);
        let state = match self.status.as_str() {
            // Lists of active tasks say so; others say nothing until the end.
            "RUNNING" => TaskState::Running,
            "" if end.is_none() => TaskState::Running,
            exit => TaskState::from_exit(exit),
        };
        let user = match (self.user.as_str(), self.tokenid.as_str()) {
            (user, "") => user.into(),
            (user, _) if user.contains('!') => user.into(),
            (user, token) => format!("{user}!{token}").into(),
        };
        Some(Task {
            upid,
            end,
            state,
            user,
        })
    }
}

pub(in crate::clients) fn list(envelope: &Envelope<'_>) -> Result<Vec<Task>, Broken> {
    envelope.list(TaskRow::task)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusRow<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    exitstatus: Text<'a>,
}

pub(in crate::clients) fn status(envelope: &Envelope<'_>) -> Result<TaskState, Broken> {
    let row: StatusRow<'_> = envelope.object()?;
    Ok(match (row.status.as_str(), row.exitstatus.as_str()) {
        ("running", _) => TaskState::Running,
        (_, exit) => TaskState::from_exit(exit),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Line<'a> {
    n: Int,
    #[serde(borrow)]
    t: Text<'a>,
}

/// Lines are numbered from 1 on the wire and from 0 here. The only line `no content` stands for none.
pub(in crate::clients) fn log(envelope: &Envelope<'_>) -> Result<TaskLog, Broken> {
    let rows = envelope.list(|line: Line<'_>| Some((line.n.0, said(line.t).unwrap_or_default())))?;
    if let [(Some(1), text)] = rows.as_slice()
        && matches!(&**text, "no content" | "-- No entries --")
    {
        return Ok(TaskLog::default());
    }
    let start = rows
        .first()
        .and_then(|(n, _)| n.and_then(|n| usize::try_from(n).ok()))
        .map_or(0, |n| n.saturating_sub(1));
    let lines: Vec<Box<str>> = rows.into_iter().map(|(_, text)| text).collect();
    let total = envelope
        .total
        .0
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(start + lines.len());
    Ok(TaskLog { start, lines, total })
}
