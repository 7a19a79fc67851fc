//! The tasks of a cluster: what `/cluster/tasks` lists now, and what it listed before.
//!
//! What always holds here:
//! - The newest task comes first, and there are never more than [`TASKS`].
//! - A task that is over never runs again, even if a list that is some seconds old says so.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::domain::{Task, TaskState, Upid, Vmid};

/// How many tasks of a cluster are kept.
const TASKS: usize = 1_000;
/// A running task that is missing from this many lists in a row has ended unseen, or its node is away.
const MISSES: u8 = 3;

/// The known tasks.
#[derive(Default, Debug)]
pub(super) struct Tasks {
    list: Vec<Task>,
    index: HashMap<Upid, usize>,
    missed: HashMap<Upid, u8>,
}

/// What a change of the tasks brought.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct TaskChanges {
    pub(super) changed: bool,
    /// Tasks that were seen running and are over now.
    pub(super) finished: Vec<Upid>,
}

impl Tasks {
    pub(super) fn list(&self) -> &[Task] {
        &self.list
    }

    pub(super) fn get(&self, upid: &Upid) -> Option<&Task> {
        self.index.get(upid).map(|at| &self.list[*at])
    }

    /// Since when a task works on this guest, if one does.
    pub(super) fn working_since(&self, vmid: Vmid) -> Option<Timestamp> {
        let id = vmid.to_string();
        self.list
            .iter()
            .filter(|task| !task.state.is_over() && *task.upid.id == *id)
            .map(|task| task.upid.start)
            .min()
    }

    /// Takes the list of `/cluster/tasks`.
    pub(super) fn take_list(&mut self, tasks: Vec<Task>) -> TaskChanges {
        let mut changes = TaskChanges::default();
        let listed: HashSet<Upid> = tasks.iter().map(|task| task.upid.clone()).collect();
        for task in tasks {
            self.merge(task, &mut changes);
        }
        self.give_up_on_the_missing(&listed, &mut changes);
        self.settle(&changes);
        changes
    }

    /// Takes the state of one task, as its node tells it.
    pub(super) fn take_state(&mut self, upid: &Upid, state: TaskState, at: Timestamp) -> TaskChanges {
        let mut changes = TaskChanges::default();
        // The answer does not say when it ended. The list will; until then the moment we saw it is near enough,
        // and better than a duration that goes on growing.
        let end = state.is_over().then_some(at);
        let known = self.get(upid);
        let task = Task {
            upid: upid.clone(),
            end: known.and_then(|task| task.end).or(end),
            state,
            user: known.map_or_else(|| upid.user.clone(), |task| task.user.clone()),
        };
        self.merge(task, &mut changes);
        self.settle(&changes);
        changes
    }

    fn merge(&mut self, task: Task, changes: &mut TaskChanges) {
        self.missed.remove(&task.upid);
        let Some(at) = self.index.get(&task.upid).copied() else {
            self.index.insert(task.upid.clone(), self.list.len());
            self.list.push(task);
            changes.changed = true;
            return;
        };
        let known = &mut self.list[at];
        let went_back = known.state.is_over() && !task.state.is_over() && known.state != TaskState::Unknown;
        if *known == task || went_back {
            return;
        }
        if !known.state.is_over() && task.state.is_over() {
            changes.finished.push(task.upid.clone());
        }
        *known = task;
        changes.changed = true;
    }

    fn give_up_on_the_missing(&mut self, listed: &HashSet<Upid>, changes: &mut TaskChanges) {
        for task in &mut self.list {
            if task.state.is_over() || listed.contains(&task.upid) {
                continue;
            }
            let missed = self.missed.entry(task.upid.clone()).or_default();
            *missed += 1;
            if *missed >= MISSES {
                self.missed.remove(&task.upid);
                task.state = TaskState::Unknown;
                changes.changed = true;
                changes.finished.push(task.upid.clone());
            }
        }
    }

    fn settle(&mut self, changes: &TaskChanges) {
        if !changes.changed {
            return;
        }
        self.list
            .sort_by(|a, b| b.upid.start.cmp(&a.upid.start).then_with(|| a.upid.cmp(&b.upid)));
        self.list.truncate(TASKS);
        self.index = self
            .list
            .iter()
            .enumerate()
            .map(|(at, task)| (task.upid.clone(), at))
            .collect();
        let index = &self.index;
        self.missed.retain(|upid, _| index.contains_key(upid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upid(start: u32) -> Upid {
        format!("UPID:pve1:00000001:00000001:{start:08X}:qmstart:100:root@pam:")
            .parse()
            .unwrap()
    }

    fn task(start: u32, state: TaskState) -> Task {
        Task {
            upid: upid(start),
            end: None,
            state,
            user: "root@pam".into(),
        }
    }

    #[test]
    fn a_task_that_ends_is_told_once() {
        let mut tasks = Tasks::default();
        assert!(tasks.take_list(vec![task(1, TaskState::Running)]).changed);
        let ended = tasks.take_list(vec![task(1, TaskState::Ok)]);
        assert_eq!(ended.finished, [upid(1)]);
        assert_eq!(
            tasks.take_list(vec![task(1, TaskState::Ok)]),
            TaskChanges::default()
        );
    }

    #[test]
    fn what_was_over_when_first_seen_is_no_news() {
        let mut tasks = Tasks::default();
        let changes = tasks.take_list(vec![task(1, TaskState::Failed("no".into()))]);
        assert!(changes.changed && changes.finished.is_empty());
    }

    #[test]
    fn an_old_list_does_not_wake_a_task_that_is_over() {
        let mut tasks = Tasks::default();
        tasks.take_list(vec![task(1, TaskState::Running)]);
        let at = Timestamp::from_second(100).unwrap();
        assert_eq!(tasks.take_state(&upid(1), TaskState::Ok, at).finished, [upid(1)]);
        let changes = tasks.take_list(vec![task(1, TaskState::Running)]);
        assert_eq!(changes, TaskChanges::default());
        assert_eq!(tasks.get(&upid(1)).unwrap().end, Some(at));
    }

    #[test]
    fn a_running_task_that_vanishes_has_an_unknown_end() {
        let mut tasks = Tasks::default();
        tasks.take_list(vec![task(1, TaskState::Running), task(2, TaskState::Running)]);
        for _ in 1..MISSES {
            assert!(
                tasks
                    .take_list(vec![task(2, TaskState::Running)])
                    .finished
                    .is_empty()
            );
        }
        let changes = tasks.take_list(vec![task(2, TaskState::Running)]);
        assert_eq!(changes.finished, [upid(1)]);
        assert_eq!(tasks.get(&upid(1)).unwrap().state, TaskState::Unknown);
        // Its node comes back, and it still runs.
        assert!(tasks.take_list(vec![task(1, TaskState::Running)]).changed);
        assert_eq!(tasks.get(&upid(1)).unwrap().state, TaskState::Running);
    }

    #[test]
    fn the_newest_are_kept_and_found() {
        let mut tasks = Tasks::default();
        for chunk in 0..30_u32 {
            tasks.take_list((0..50).map(|n| task(chunk * 50 + n, TaskState::Ok)).collect());
        }
        assert_eq!(tasks.list().len(), TASKS);
        assert_eq!(tasks.list()[0].upid, upid(1_499));
        assert_eq!(tasks.get(&upid(500)).map(|task| &task.upid), Some(&upid(500)));
        assert!(tasks.get(&upid(499)).is_none());
    }
}
