//! Stopping a task.

use super::{
    super::{Proof, Refusal, Risk, Weight, calls},
    Draft, Task,
};
use crate::{
    domain::{TaskRef, TaskState},
    store::Store,
};

pub(super) fn possible(target: &TaskRef, store: &Store) -> Result<(), Refusal> {
    match store.task(target) {
        None => Err(Refusal::NotFound(format!("there is no task {}", target.upid))),
        Some(task) if task.state == TaskState::Running => Ok(()),
        Some(_) => Err(Refusal::NotPossible("the task is over".to_owned())),
    }
}

pub(super) fn draft(task: Task<'_>, target: &TaskRef) -> Draft {
    let title = format!("{} {}", target.upid.kind, target.upid.id);
    let title = title.trim();
    let step = task.step(title, calls::task_stop(&target.upid), Proof::TaskOver);
    let risk = Risk::new(
        Weight::Warning,
        format!("{title} is left half-done, and a lock may stay"),
    );
    Draft {
        steps: vec![step],
        risks: vec![risk],
        ..Draft::default()
    }
}
