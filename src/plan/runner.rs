//! The runner: does the steps of a plan through a [`World`], and writes down each before and after.
//!
//! What always holds here:
//! - The intent is on disk before a call is sent, its outcome as soon as it is known.
//! - A call is never sent twice for one intent. Where its fate is not known, the tasks of the node tell: one that was
//!   not there before is its own. Only where it is certain that there is none is a step sent anew, and only when
//!   somebody continues the run.
//! - It may be dropped at any point; [`Runner::run`] on the same run goes on where it stopped.

use std::future::Future;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use super::{
    Proof, Step,
    journal::{End, Fact, Journal, JournalError, Progress, Run},
};
use crate::domain::{ClusterId, ObjectRef, Task, TaskRef, TaskState, Upid};

/// Looks at the tasks after an answer was lost, before it is said that there is none.
const LOOKS: usize = 5;
/// Failed reads in a row after which a task is left to itself.
const MISSES: usize = 10;
/// Looks at a command inside a guest before it is left to itself.
const PATIENCE: usize = 120;
/// How far the server's clock may be off ours when the age of its task list is judged.
const SLACK: SignedDuration = SignedDuration::from_mins(10);
/// How long a call may still arrive whose answer was lost: a proxy holds one for 30 s, and the kernel may send anew.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What a call met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// A task was begun.
    Began(Upid),
    /// A command runs inside the guest, with this process number.
    Runs(u64),
    /// It is done.
    Done,
    /// It was refused, or never got there: nothing was done.
    Refused(String),
    /// No answer came that says what was done.
    Unclear(String),
}

/// What is outside: servers and time.
pub trait World: Sync {
    /// Sends the call of a step, once.
    fn send(&self, step: &Step) -> impl Future<Output = Sent> + Send;
    /// How a task stands.
    fn task(&self, task: &TaskRef) -> impl Future<Output = Result<TaskState, String>> + Send;
    /// The newest tasks of the node that the step's call names, and whether the node has older ones.
    fn tasks(&self, step: &Step) -> impl Future<Output = Result<(Vec<Task>, bool), String>> + Send;
    /// How a command inside a guest ended; `None` while it runs. Once told, its agent forgets it.
    fn command(&self, step: &Step, pid: u64) -> impl Future<Output = Result<Option<End>, String>> + Send;
    /// Whether an object has these values (see [`Proof::Holds`]), a list such a row ([`Proof::Listed`]), or a file such a
    /// line ([`Proof::Command`]).
    fn holds(&self, step: &Step) -> impl Future<Output = Result<bool, String>> + Send;
    /// Whose tasks are ours on a cluster: `alice@pam` or `alice@pam!token`; `None` if that is not known.
    fn user(&self, cluster: &ClusterId) -> Option<String>;
    /// Whether somebody wants no further step to be begun.
    fn is_stopped(&self) -> bool;
    /// Waits a moment before the next look.
    fn pause(&self) -> impl Future<Output = ()> + Send;
    /// What time it is.
    fn time(&self) -> Timestamp;
    /// A step has come so far.
    fn tell(&self, step: usize, news: &News);
}

/// What is told while a plan runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// It is being sent.
    Sending,
    /// Its task runs.
    Began(Upid),
    /// The answer was lost; the world is being read.
    Unclear(String),
    /// It is over.
    Over(Outcome),
}

/// How a step came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is done; the exit status of its task.
    Done(String),
    /// Its task runs; nobody waits for its end.
    Begun(Upid),
    /// It failed.
    Failed(String),
    /// The answer was lost, and nothing was done as far as the node's tasks tell. It can be continued.
    NotDone(String),
    /// Nobody knows. It can be continued.
    Unknown(String),
    /// It was not begun, because another step did not succeed.
    Skipped,
}

/// How it is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Steps under way at a time; at least 1.
    pub at_once: usize,
    /// Whether the rest is done although a step failed.
    pub go_on: bool,
    /// Whether tasks are followed to their end, also where no other step needs it.
    pub wait: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            at_once: 1,
            go_on: false,
            wait: true,
        }
    }
}

/// Does the steps of runs.
#[derive(Debug)]
pub struct Runner<'a, W> {
    journal: &'a Journal,
    world: &'a W,
    options: Options,
}

impl<'a, W: World> Runner<'a, W> {
    /// A runner that writes into this journal.
    pub fn new(journal: &'a Journal, world: &'a W, options: Options) -> Self {
        Self {
            journal,
            world,
            options,
        }
    }

    /// Does what is left of a run, and says how each step came out.
    ///
    /// # Errors
    /// The journal cannot be written. Nothing is sent that could not be written down before.
    pub async fn run(&self, run: &Run) -> Result<Vec<Outcome>, JournalError> {
        let steps = &run.plan.steps;
        let mut stage: Vec<Stage> = vec![Stage::Waiting; steps.len()];
        let mut under_way = FuturesUnordered::new();
        let mut halted = None;
        loop {
            if halted.is_none() && self.world.is_stopped() {
                halted = Some("stopped by hand");
            }
            settle(steps, &mut stage, halted.is_some());
            while under_way.len() < self.options.at_once.max(1) {
                let Some(index) = next(steps, &stage) else { break };
                stage[index] = Stage::UnderWay;
                under_way.push(async move { (index, self.step(run, index).await) });
            }
            let Some((index, outcome)) = under_way.next().await else {
                break;
            };
            let outcome = outcome?;
            self.world.tell(index, &News::Over(outcome.clone()));
            let well = matches!(outcome, Outcome::Done(_) | Outcome::Begun(_));
            if !well && !self.options.go_on {
                halted.get_or_insert("a step failed");
            }
            stage[index] = Stage::Over(outcome);
        }
        let outcomes: Vec<Outcome> = stage
            .into_iter()
            .map(|stage| match stage {
                Stage::Over(outcome) => outcome,
                Stage::Waiting | Stage::UnderWay => Outcome::Skipped,
            })
            .collect();
        let open = outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::NotDone(_) | Outcome::Unknown(_)));
        if !open {
            let left = outcomes.iter().filter(|outcome| **outcome == Outcome::Skipped);
            let begun = outcomes
                .iter()
                .any(|outcome| matches!(outcome, Outcome::Begun(_)));
            let why = match left.count() {
                0 if begun => Some("not waited for".to_owned()),
                0 => None,
                left => Some(format!(
                    "{}; {left} were not begun",
                    halted.unwrap_or("a step failed")
                )),
            };
            self.write(run, None, &Fact::Closed { why })?;
        }
        Ok(outcomes)
    }

    fn write(&self, run: &Run, step: Option<usize>, fact: &Fact) -> Result<(), JournalError> {
        self.journal.write(run.id, step, self.world.time(), fact)
    }

    async fn step(&self, run: &Run, index: usize) -> Result<Outcome, JournalError> {
        let step = &run.plan.steps[index];
        match run.progress(index) {
            Progress::Ended(End::Done { exit }) => Ok(Outcome::Done(exit)),
            Progress::Ended(End::Failed { why }) => Ok(Outcome::Failed(why)),
            Progress::Began(upid) => self.follow(run, index, upid).await,
            Progress::Open => self.send(run, index).await,
            Progress::Runs(pid) => match self.attend(run, index, pid).await? {
                // Its agent knows nothing of it and the file says that it was not done.
                Outcome::NotDone(_) => self.send(run, index).await,
                outcome => Ok(outcome),
            },
            Progress::Sent(before) => {
                let intended = run.entries.iter().rev().find_map(|entry| {
                    let sent = entry.step == Some(index) && matches!(entry.fact, Fact::Intended { .. });
                    sent.then_some(entry.at)
                });
                loop {
                    match self.find(step, &before, intended).await {
                        Found::Task(upid) => return self.began(run, index, upid).await,
                        Found::Done => return self.ended(run, index, done("OK")),
                        // It may still be on its way: sent anew too early, it would be done twice.
                        Found::Nothing if intended.is_some_and(|at| self.world.time() < at + GRACE) => {
                            self.world.pause().await;
                        }
                        Found::Nothing => return self.send(run, index).await,
                        Found::Nobody(why) => return Ok(Outcome::Unknown(why)),
                    }
                }
            }
        }
    }

    async fn send(&self, run: &Run, index: usize) -> Result<Outcome, JournalError> {
        let step = &run.plan.steps[index];
        if let Some(name) = step.call.lost_secret() {
            let why = format!("nothing was sent: its `{name}` is a secret, and none is kept; do it anew");
            return self.ended(run, index, End::Failed { why });
        }
        let before = match &step.proof {
            Proof::Task { .. } => match self.world.tasks(step).await {
                Ok((tasks, _)) => self.own(step, &tasks).cloned().collect::<Vec<_>>(),
                // Who cannot be asked is not told what to do either: afterwards nobody could say what became of it.
                Err(why) => return Ok(Outcome::NotDone(why)),
            },
            _ => Vec::new(),
        };
        let intended = self.world.time();
        self.write(
            run,
            Some(index),
            &Fact::Intended {
                before: before.clone(),
            },
        )?;
        self.world.tell(index, &News::Sending);
        match self.world.send(step).await {
            Sent::Began(upid) => self.began(run, index, upid).await,
            // Some calls begin a task and do not name it: a container becomes a template so.
            Sent::Done if matches!(step.proof, Proof::Task { .. }) => {
                match self.find(step, &before, Some(intended)).await {
                    Found::Task(upid) => self.began(run, index, upid).await,
                    _ => self.ended(run, index, done("OK")),
                }
            }
            Sent::Runs(pid) => {
                self.write(run, Some(index), &Fact::Runs { pid })?;
                self.attend(run, index, pid).await
            }
            Sent::Done => self.ended(run, index, done("OK")),
            Sent::Refused(why) => self.ended(run, index, End::Failed { why }),
            Sent::Unclear(why) => {
                self.write(run, Some(index), &Fact::Unclear { why: why.clone() })?;
                self.world.tell(index, &News::Unclear(why.clone()));
                let mut nobody = why.clone();
                for look in 0..LOOKS {
                    if look > 0 {
                        self.world.pause().await;
                    }
                    match self.find(step, &before, Some(intended)).await {
                        Found::Task(upid) => return self.began(run, index, upid).await,
                        Found::Done => return self.ended(run, index, done("OK")),
                        Found::Nothing if look + 1 == LOOKS => return Ok(Outcome::NotDone(why)),
                        Found::Nothing => {}
                        Found::Nobody(reason) => nobody = reason,
                    }
                }
                Ok(Outcome::Unknown(nobody))
            }
        }
    }

    /// Looks in the world for what became of a step that was sent.
    async fn find(&self, step: &Step, before: &[Upid], intended: Option<Timestamp>) -> Found {
        match &step.proof {
            Proof::Task { .. } => self.find_task(step, before, intended).await,
            Proof::TaskOver => self.find_ended(step).await,
            Proof::Holds { .. } | Proof::Listed { .. } | Proof::Command { .. } => {
                match self.world.holds(step).await {
                    Ok(true) => Found::Done,
                    Ok(false) => Found::Nothing,
                    Err(why) => Found::Nobody(why),
                }
            }
            Proof::Nothing => Found::Nobody("nothing tells whether it was done".to_owned()),
        }
    }

    async fn find_task(&self, step: &Step, before: &[Upid], intended: Option<Timestamp>) -> Found {
        let (tasks, more) = match self.world.tasks(step).await {
            Ok(tasks) => tasks,
            Err(why) => return Found::Nobody(why),
        };
        if let Some(upid) = self.own(step, &tasks).find(|upid| !before.contains(upid)) {
            return Found::Task(upid.clone());
        }
        // A list that does not reach back to the moment of sending says nothing of it.
        let oldest = tasks.iter().map(|task| task.upid.start).min();
        match (oldest, intended) {
            (Some(oldest), Some(intended)) if more && oldest > intended - SLACK => {
                Found::Nobody("the node has begun so many tasks since that its list does not tell".to_owned())
            }
            _ => Found::Nothing,
        }
    }

    /// The tasks that a step may have begun: of its sort, about its object, and by who signed in here.
    fn own<'t>(&self, step: &'t Step, tasks: &'t [Task]) -> impl Iterator<Item = &'t Upid> + use<'t, W> {
        let user = self.world.user(&step.cluster);
        tasks
            .iter()
            .filter(move |task| user.as_ref().is_none_or(|user| *task.upid.user == **user))
            .map(|task| &task.upid)
            .filter(move |upid| match &step.proof {
                Proof::Task { kinds, id } => {
                    *upid.id == **id && kinds.iter().any(|kind| **kind == *upid.kind)
                }
                _ => false,
            })
    }

    /// For a call without a task: stopping a task is done when that task is over.
    async fn find_ended(&self, step: &Step) -> Found {
        let ObjectRef::Task(task) = &step.subject else {
            return Found::Nobody("nothing tells whether it was done".to_owned());
        };
        match self.world.task(task).await {
            Ok(TaskState::Running) => Found::Nothing,
            Ok(_) => Found::Done,
            Err(why) => Found::Nobody(why),
        }
    }

    async fn began(&self, run: &Run, index: usize, upid: Upid) -> Result<Outcome, JournalError> {
        self.write(run, Some(index), &Fact::Began { upid: upid.clone() })?;
        self.follow(run, index, upid).await
    }

    /// Follows a task to its end.
    async fn follow(&self, run: &Run, index: usize, upid: Upid) -> Result<Outcome, JournalError> {
        self.world.tell(index, &News::Began(upid.clone()));
        let needed = run.plan.steps.iter().any(|step| step.needs.contains(&index));
        if !self.options.wait && !needed {
            return Ok(Outcome::Begun(upid));
        }
        let task = TaskRef {
            cluster: run.plan.steps[index].cluster.clone(),
            upid,
        };
        let mut misses = 0;
        loop {
            match self.world.task(&task).await {
                Ok(TaskState::Running) => misses = 0,
                Ok(TaskState::Ok) => return self.ended(run, index, done("OK")),
                Ok(TaskState::Warnings(count)) => {
                    return self.ended(run, index, done(&format!("WARNINGS: {count}")));
                }
                Ok(TaskState::Failed(why)) => {
                    return self.ended(run, index, End::Failed { why: why.into() });
                }
                Ok(TaskState::Unknown) => {
                    let why = "the task ended, nobody knows how".to_owned();
                    return self.ended(run, index, End::Failed { why });
                }
                Err(why) => {
                    misses += 1;
                    if misses >= MISSES {
                        return Ok(Outcome::Unknown(why));
                    }
                }
            }
            self.world.pause().await;
        }
    }

    /// Attends a command inside a guest until it ends. Where its agent tells nothing of it, the world does.
    async fn attend(&self, run: &Run, index: usize, pid: u64) -> Result<Outcome, JournalError> {
        let step = &run.plan.steps[index];
        for _ in 0..PATIENCE {
            match self.world.command(step, pid).await {
                Ok(Some(end)) => return self.ended(run, index, end),
                Ok(None) => self.world.pause().await,
                Err(why) => {
                    return match self.find(step, &[], None).await {
                        Found::Done => self.ended(run, index, done("OK")),
                        Found::Nothing | Found::Task(_) => Ok(Outcome::NotDone(why)),
                        Found::Nobody(_) => Ok(Outcome::Unknown(why)),
                    };
                }
            }
        }
        Ok(Outcome::Unknown(format!(
            "the command (process {pid}) still runs in there"
        )))
    }

    fn ended(&self, run: &Run, index: usize, end: End) -> Result<Outcome, JournalError> {
        self.write(run, Some(index), &Fact::Ended { end: end.clone() })?;
        Ok(match end {
            End::Done { exit } => Outcome::Done(exit),
            End::Failed { why } => Outcome::Failed(why),
        })
    }
}

/// What the world tells of a step that was sent.
enum Found {
    Task(Upid),
    Done,
    /// It was not done.
    Nothing,
    /// Nobody can tell.
    Nobody(String),
}

fn done(exit: &str) -> End {
    End::Done {
        exit: exit.to_owned(),
    }
}

/// Where a step stands within a run.
#[derive(Clone)]
enum Stage {
    Waiting,
    UnderWay,
    Over(Outcome),
}

/// Skips what cannot be begun any more: everything, once the run is halted; else what needs something that was not
/// done.
fn settle(steps: &[Step], stage: &mut [Stage], halted: bool) {
    for index in 0..steps.len() {
        let hopeless = || {
            steps[index].needs.iter().any(|need| {
                matches!(stage.get(*need), Some(Stage::Over(outcome)) if !matches!(outcome, Outcome::Done(_)))
            })
        };
        if matches!(stage[index], Stage::Waiting) && (halted || hopeless()) {
            stage[index] = Stage::Over(Outcome::Skipped);
        }
    }
}

/// The first step that waits for nothing any more.
fn next(steps: &[Step], stage: &[Stage]) -> Option<usize> {
    (0..steps.len()).find(|index| {
        let ready = |need: &usize| matches!(stage.get(*need), Some(Stage::Over(Outcome::Done(_))));
        matches!(stage[*index], Stage::Waiting) && steps[*index].needs.iter().all(ready)
    })
}
