//! What is known of runs: those of this console as they come along, and the newest of the journal.
//!
//! What always holds here:
//! - A run has one record, however often it is heard of; its ticket never changes while the console lives.
//! - The newest stands first, and there are never more than [`MOST`] that nobody works on here.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    Plan, WayBack,
    journal::{End, Fact, Progress, Run},
    past::{Account, Evacuation, evacuations},
    runner::{News, Outcome},
};
use crate::domain::{ObjectRef, Upid};

/// Records that are kept.
pub const MOST: usize = 200;

/// How a run is named within this console.
pub type Ticket = u64;

/// How a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunState {
    /// It is worked on here.
    Running,
    /// It is worked on here, and no further step will be begun.
    Stopping,
    /// Another process works on it.
    Elsewhere,
    /// Nobody works on it, and it is not over: it can be continued.
    Interrupted,
    /// Everything is done.
    Done,
    /// Something of it failed or was not begun, and nothing more will be done.
    Failed,
    /// Somebody gave it up.
    Dropped,
}

impl RunState {
    /// The word that lists show.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Elsewhere => "elsewhere",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Whether it is worked on here.
    pub fn is_here(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }
}

/// How far a step has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepState {
    /// It was not begun.
    Waiting,
    /// It is being sent.
    Sending,
    /// Its task runs.
    Running(Upid),
    /// The answer was lost; the world is being read.
    Unclear(String),
    /// It is over; its task, if it had one.
    Over(Outcome, Option<Upid>),
}

impl StepState {
    /// Whether it is under way.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Sending | Self::Running(_) | Self::Unclear(_))
    }

    /// Its task.
    pub fn task(&self) -> Option<&Upid> {
        match self {
            Self::Running(upid) | Self::Over(_, Some(upid)) => Some(upid),
            _ => None,
        }
    }
}

/// One run.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its name here.
    pub ticket: Ticket,
    /// Its number in the journal; `None` until it is written there.
    pub number: Option<i64>,
    /// What is to be done.
    pub plan: Arc<Plan>,
    /// When it was begun.
    pub begun: Timestamp,
    /// Who began it, `alice@desk`; empty for a run of this console that the journal has not been asked about.
    pub by: String,
    /// How it stands.
    pub state: RunState,
    /// Why it ended as it did, where that is not said by a step.
    pub why: Option<String>,
    /// Its steps, in the order of the plan.
    pub steps: Vec<StepState>,
    /// Whether it was begun here.
    pub ours: bool,
    /// Whether it was taken back from here.
    pub undone: bool,
}

impl Record {
    /// Steps that are over.
    pub fn over(&self) -> usize {
        let over = |step: &&StepState| matches!(step, StepState::Over(..));
        self.steps.iter().filter(over).count()
    }

    /// What went wrong first, with the title of its step.
    pub fn fault(&self) -> Option<(&str, &str)> {
        self.steps.iter().zip(&self.plan.steps).find_map(|(state, step)| {
            let StepState::Over(outcome, _) = state else {
                return None;
            };
            match outcome {
                Outcome::Failed(why) | Outcome::NotDone(why) | Outcome::Unknown(why) => {
                    Some((step.title.as_str(), why.as_str()))
                }
                Outcome::Done(_) | Outcome::Begun(_) | Outcome::Skipped => None,
            }
        })
    }
}

/// What a run that is worked on here has to tell.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// It is in the journal under this number.
    Begun(i64),
    /// Guests had moved: its plan leads to where they are now.
    Relocated(Box<Plan>),
    /// A step has come so far.
    Step(usize, News),
    /// It is over, or interrupted: how each step came out.
    Ended(Vec<Outcome>),
    /// It could not be begun, or not be written down any more: nothing is sent.
    Broken(String),
}

/// A run as the journal has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    /// The run.
    pub run: Run,
    /// Whether its worker lives.
    pub alive: bool,
}

/// All runs that are known.
#[derive(Debug, Default)]
pub struct Runs {
    list: Vec<Record>,
    next: Ticket,
    past: Vec<Evacuation>,
}

impl Runs {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            next: 0,
            past: Vec::new(),
        }
    }

    /// The newest first.
    pub fn list(&self) -> &[Record] {
        &self.list
    }

    /// Evacuations that can be taken back.
    pub fn past(&self) -> &[Evacuation] {
        &self.past
    }

    fn remember(&mut self) {
        self.past = evacuations(self.list.iter().map(Account::from));
    }

    /// One of them.
    pub fn get(&self, ticket: Ticket) -> Option<&Record> {
        self.list.iter().find(|record| record.ticket == ticket)
    }

    fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Record> {
        self.list.iter_mut().find(|record| record.ticket == ticket)
    }

    /// Runs that are worked on here.
    pub fn here(&self) -> impl Iterator<Item = &Record> {
        self.list.iter().filter(|record| record.state.is_here())
    }

    /// Runs that wait for somebody to go on with them.
    pub fn interrupted(&self) -> impl Iterator<Item = &Record> {
        self.list
            .iter()
            .filter(|record| record.state == RunState::Interrupted)
    }

    /// What is being done to which object, and by which run.
    pub fn working(&self) -> impl Iterator<Item = (&ObjectRef, &Record)> {
        self.here().flat_map(|record| {
            let steps = record.steps.iter().zip(&record.plan.steps);
            steps
                .filter(|(state, _)| state.is_under_way())
                .map(move |(_, step)| (&step.subject, record))
        })
    }

    /// The tasks of all runs that were begun here or are in the journal, each with its run.
    pub fn tasks(&self) -> HashMap<&Upid, &Record> {
        self.list
            .iter()
            .flat_map(|record| {
                let tasks = record.steps.iter().filter_map(StepState::task);
                tasks.map(move |upid| (upid, record))
            })
            .collect()
    }

    /// Whether a task belongs to a run that is or was worked on here.
    pub fn is_ours(&self, upid: &Upid) -> bool {
        self.list
            .iter()
            .filter(|record| record.ours)
            .any(|record| record.steps.iter().any(|step| step.task() == Some(upid)))
    }

    /// The newest run of this console that is done and can be taken back.
    pub fn undoable(&self) -> Option<(Ticket, &WayBack)> {
        self.list
            .iter()
            .filter(|record| record.ours && record.state == RunState::Done && !record.undone)
            .find_map(|record| Some((record.ticket, record.plan.way_back.as_ref()?)))
    }

    /// Notes that a run was taken back.
    pub fn undo(&mut self, ticket: Ticket) {
        if let Some(record) = self.get_mut(ticket) {
            record.undone = true;
        }
    }

    /// A run begins here. Gives its ticket.
    pub fn begin(&mut self, plan: Plan, now: Timestamp) -> Ticket {
        let ticket = self.ticket();
        let steps = vec![StepState::Waiting; plan.steps.len()];
        self.list.insert(
            0,
            Record {
                ticket,
                number: None,
                plan: Arc::new(plan),
                begun: now,
                by: String::new(),
                state: RunState::Running,
                why: None,
                steps,
                ours: true,
                undone: false,
            },
        );
        ticket
    }

    /// Somebody goes on with a run here. Gives its number in the journal, if it is one that can be continued.
    pub fn go_on(&mut self, ticket: Ticket) -> Option<i64> {
        let record = self.get_mut(ticket)?;
        let number = record.number.filter(|_| record.state == RunState::Interrupted)?;
        record.state = RunState::Running;
        record.ours = true;
        for step in &mut record.steps {
            if matches!(
                step,
                StepState::Over(Outcome::Skipped | Outcome::NotDone(_) | Outcome::Unknown(_), _)
            ) {
                *step = StepState::Waiting;
            }
        }
        Some(number)
    }

    /// Somebody wants no further step of a run to be begun. Says whether it is one of this console.
    pub fn stop(&mut self, ticket: Ticket) -> bool {
        match self.get_mut(ticket) {
            Some(record) if record.state.is_here() => {
                record.state = RunState::Stopping;
                true
            }
            _ => false,
        }
    }

    /// Takes what a run has to tell.
    pub fn take(&mut self, ticket: Ticket, told: Told) {
        let Some(record) = self.get_mut(ticket) else {
            return;
        };
        match told {
            Told::Begun(number) => {
                record.number = Some(number);
                // The journal may have been read in between.
                self.list
                    .retain(|known| known.ticket == ticket || known.number != Some(number));
            }
            Told::Relocated(plan) => record.plan = Arc::from(plan),
            Told::Step(index, news) => {
                if let Some(step) = record.steps.get_mut(index) {
                    *step = match news {
                        News::Sending => StepState::Sending,
                        News::Began(upid) => StepState::Running(upid),
                        News::Unclear(why) => StepState::Unclear(why),
                        News::Over(outcome) => StepState::Over(outcome, step.task().cloned()),
                    };
                }
            }
            Told::Ended(outcomes) => {
                record.state = state_of(&outcomes);
                for (step, outcome) in record.steps.iter_mut().zip(outcomes) {
                    *step = StepState::Over(outcome, step.task().cloned());
                }
                self.remember();
            }
            Told::Broken(why) => {
                // What is in the journal can be continued; what never got there was never begun.
                record.state = if record.number.is_some() {
                    RunState::Interrupted
                } else {
                    RunState::Failed
                };
                record.why = Some(why);
            }
        }
    }

    /// Takes the newest runs of the journal, the newest first. Runs that are worked on here know better themselves.
    pub fn take_journal(&mut self, kept: Vec<Kept>) {
        let mut past = Vec::new();
        for one in kept {
            let known = self
                .list
                .iter()
                .position(|record| record.number == Some(one.run.id));
            match known.map(|at| &self.list[at]) {
                Some(record) if record.state.is_here() => {}
                known => {
                    let ticket = known.map(|record| record.ticket);
                    let (ours, undone) = known.map_or((false, false), |record| (record.ours, record.undone));
                    let ticket = ticket.unwrap_or_else(|| self.ticket());
                    past.push(Record {
                        ours,
                        undone,
                        ..record_of(one, ticket)
                    });
                }
            }
        }
        let renewed: HashSet<Option<i64>> = past.iter().map(|record| record.number).collect();
        self.list
            .retain(|record| record.number.is_none() || !renewed.contains(&record.number));
        self.list.extend(past);
        // Without a number it is the newest of all.
        let rank = |record: &Record| (record.number.unwrap_or(i64::MAX), record.ticket);
        self.list.sort_by_key(|record| std::cmp::Reverse(rank(record)));
        let mut room = MOST;
        self.list.retain(|record| {
            room = room.saturating_sub(1);
            room > 0 || record.state.is_here()
        });
        self.remember();
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.next
    }
}

fn state_of(outcomes: &[Outcome]) -> RunState {
    let any = |wanted: fn(&Outcome) -> bool| outcomes.iter().any(wanted);
    if any(|outcome| matches!(outcome, Outcome::NotDone(_) | Outcome::Unknown(_))) {
        RunState::Interrupted
    } else if any(|outcome| !matches!(outcome, Outcome::Done(_) | Outcome::Begun(_))) {
        RunState::Failed
    } else {
        RunState::Done
    }
}

fn record_of(kept: Kept, ticket: Ticket) -> Record {
    let Kept { run, alive } = kept;
    let state = match run.word() {
        "open" if alive => RunState::Elsewhere,
        "open" => RunState::Interrupted,
        "failed" => RunState::Failed,
        "done" | "begun" => RunState::Done,
        _ => RunState::Dropped,
    };
    let steps = (0..run.plan.steps.len())
        .map(|index| match run.progress(index) {
            Progress::Open => StepState::Waiting,
            Progress::Sent(_) => StepState::Unclear("sent, and no answer was written down".to_owned()),
            // Who closed the run did not wait for its end.
            Progress::Began(upid) if run.is_closed() => {
                StepState::Over(Outcome::Begun(upid.clone()), Some(upid))
            }
            Progress::Began(upid) => StepState::Running(upid),
            Progress::Runs(pid) => {
                StepState::Unclear(format!("its command runs in the guest (process {pid})"))
            }
            Progress::Ended(end) => {
                let outcome = match end {
                    End::Done { exit } => Outcome::Done(exit),
                    End::Failed { why } => Outcome::Failed(why),
                };
                StepState::Over(outcome, task_of(&run, index))
            }
        })
        .collect();
    Record {
        ticket,
        number: Some(run.id),
        begun: run.begun().unwrap_or(Timestamp::UNIX_EPOCH),
        by: run
            .worker()
            .map_or_else(String::new, |by| format!("{}@{}", by.user, by.host)),
        state,
        why: closed_because(&run),
        steps,
        ours: false,
        undone: false,
        plan: Arc::new(run.plan),
    }
}

/// The task that a step began last.
fn task_of(run: &Run, step: usize) -> Option<Upid> {
    run.entries.iter().rev().find_map(|entry| match &entry.fact {
        Fact::Began { upid } if entry.step == Some(step) => Some(upid.clone()),
        _ => None,
    })
}

/// Why it was closed, if not because everything is done.
fn closed_because(run: &Run) -> Option<String> {
    run.entries.iter().find_map(|entry| match &entry.fact {
        Fact::Closed { why } => why.clone(),
        _ => None,
    })
}
