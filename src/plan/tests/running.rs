//! Running plans on a server that can lose answers, with a runner that can be killed anywhere.

use std::{
    future::pending,
    sync::{Mutex, MutexGuard},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{arguments, estate, plan as plan_of, target};
use crate::{
    domain::{ClusterId, Task, TaskRef, TaskState, Upid},
    plan::{
        Deed, Plan, Proof, Step,
        journal::{End, Journal, JournalError, Worker},
        runner::{News, Options, Outcome, Runner, Sent, World},
    },
};

/// What happens to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    /// It is done, and the answer is lost.
    Acted,
    /// It is lost on the way there.
    Lost,
    /// The answer is lost; it is done after some looks.
    Late,
    /// The same, long after.
    VeryLate,
    /// It is lost on the way there, and somebody else does the same at that moment.
    Foreign,
    Refused,
    /// Its task fails.
    Fails,
    /// A task is begun, and the answer does not name it.
    Nameless,
}

#[derive(Default)]
pub(super) struct State {
    tasks: Vec<Task>,
    /// What was really done, in its order.
    pub(super) done: Vec<String>,
    fates: Vec<Fate>,
    late: Vec<(usize, Step)>,
    deaf: bool,
    /// Pauses so far: each lasts a second.
    seconds: i64,
    stopped: bool,
    points: usize,
}

/// A server, and the point at which the process dies.
pub(super) struct Fake {
    state: Mutex<State>,
    dies_at: Option<usize>,
    died: Notify,
}

impl Fake {
    pub(super) fn new(state: State, dies_at: Option<usize>) -> Self {
        Self {
            state: Mutex::new(State { points: 0, ..state }),
            dies_at,
            died: Notify::new(),
        }
    }

    pub(super) fn into_state(self) -> State {
        self.state.into_inner().unwrap()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A moment at which the process may die: it never gets past it.
    async fn point(&self) {
        let dies = {
            let mut state = self.state();
            state.points += 1;
            Some(state.points - 1) == self.dies_at
        };
        if dies {
            self.died.notify_one();
            pending::<()>().await;
        }
    }
}

impl State {
    fn act(&mut self, step: &Step, ends: TaskState) -> Upid {
        self.act_as("root@pam", step, ends)
    }

    fn act_as(&mut self, user: &str, step: &Step, ends: TaskState) -> Upid {
        let vmid = &step.call.segments[3];
        let number = self.tasks.len();
        let Proof::Task { kinds, .. } = &step.proof else {
            panic!("no task")
        };
        let kind = &kinds[0];
        let text = format!("UPID:pve1:{number:08X}:000041E6:6B0135DE:{kind}:{vmid}:{user}:");
        let upid: Upid = text.parse().unwrap();
        self.tasks.push(Task {
            upid: upid.clone(),
            end: None,
            state: ends,
            user: user.into(),
        });
        self.done.push(step.call.to_string());
        upid
    }
}

impl World for Fake {
    async fn send(&self, step: &Step) -> Sent {
        self.point().await;
        let sent = {
            let mut state = self.state();
            let fate = if state.fates.is_empty() {
                Fate::Answered
            } else {
                state.fates.remove(0)
            };
            let lost = || Sent::Unclear("no answer".to_owned());
            match fate {
                Fate::Answered => Sent::Began(state.act(step, TaskState::Ok)),
                Fate::Acted => {
                    state.act(step, TaskState::Ok);
                    lost()
                }
                Fate::Lost => lost(),
                Fate::Late | Fate::VeryLate => {
                    let pauses = if fate == Fate::Late { 2 } else { 30 };
                    state.late.push((pauses, step.clone()));
                    lost()
                }
                Fate::Foreign => {
                    state.act_as("mallory@pve", step, TaskState::Ok);
                    lost()
                }
                Fate::Refused => Sent::Refused("locked".to_owned()),
                Fate::Nameless => {
                    state.act(step, TaskState::Failed("got timeout".into()));
                    Sent::Done
                }
                Fate::Fails => Sent::Began(state.act(step, TaskState::Failed("got timeout".into()))),
            }
        };
        self.point().await;
        sent
    }

    async fn task(&self, task: &TaskRef) -> Result<TaskState, String> {
        self.point().await;
        let state = self.state();
        let found = state.tasks.iter().find(|known| known.upid == task.upid);
        found
            .map(|task| task.state.clone())
            .ok_or_else(|| "no such task".to_owned())
    }

    async fn tasks(&self, _step: &Step) -> Result<(Vec<Task>, bool), String> {
        self.point().await;
        let state = self.state();
        // Deaf: it answers again only when somebody continues.
        if state.deaf && !state.done.is_empty() {
            return Err("the node is away".to_owned());
        }
        Ok((state.tasks.clone(), false))
    }

    async fn command(&self, _step: &Step, _pid: u64) -> Result<Option<End>, String> {
        Err("not asked in these tests".to_owned())
    }

    async fn holds(&self, _step: &Step) -> Result<bool, String> {
        Err("not asked in these tests".to_owned())
    }

    fn user(&self, _cluster: &ClusterId) -> Option<String> {
        Some("root@pam".to_owned())
    }

    fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    async fn pause(&self) {
        self.point().await;
        let mut state = self.state();
        state.seconds += 1;
        let late = std::mem::take(&mut state.late);
        for (left, step) in late {
            if left == 0 {
                state.act(&step, TaskState::Ok);
            } else {
                state.late.push((left - 1, step));
            }
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(1_795_250_000 + self.state().seconds).unwrap()
    }

    fn tell(&self, _step: usize, _news: &News) {}
}

fn worker() -> Worker {
    Worker {
        user: "alice".into(),
        host: "desk".into(),
        process: "1".into(),
    }
}

/// Three guests are started; one of them has a start in its past.
pub(super) fn plan() -> (Plan, State) {
    let targets = [target(101), target(103), target(100)];
    let store = estate(|guest| guest.status = crate::domain::GuestStatus::Stopped);
    let plan = plan_of(Deed::GuestStart, &targets, &arguments(&[]), &store).unwrap();
    let mut state = State::default();
    state.act(&plan.steps[1], TaskState::Ok);
    state.done.clear();
    (plan, state)
}

pub(super) fn planned_world(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.call.to_string()).collect()
}

pub(super) struct Desk {
    folder: tempfile::TempDir,
    run: i64,
    options: Options,
}

impl Desk {
    pub(super) fn new(plan: &Plan, options: Options) -> Self {
        // In memory, where there is such a place: the test writes some thousand entries.
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let run = journal.begin(plan, &worker(), Timestamp::UNIX_EPOCH).unwrap().id;
        Self { folder, run, options }
    }

    /// Runs, or continues, until the end or death; the journal is opened anew each time, as a new process would.
    pub(super) async fn run(&self, world: &Fake) -> Option<Vec<Outcome>> {
        let journal = self.journal();
        let run = journal
            .claim(self.run, &worker(), Timestamp::UNIX_EPOCH, |_| false)
            .unwrap();
        let runner = Runner::new(&journal, world, self.options);
        tokio::select! {
            biased;
            outcome = runner.run(&run) => Some(outcome.unwrap()),
            () = world.died.notified() => None,
        }
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.folder.path().join("journal.sqlite")).unwrap()
    }

    pub(super) fn word(&self) -> &'static str {
        self.journal().run(self.run).unwrap().word()
    }
}

pub(super) fn all_done(outcomes: &[Outcome]) -> bool {
    outcomes
        .iter()
        .all(|outcome| matches!(outcome, Outcome::Done(exit) if exit == "OK"))
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_never_sent_again() {
    for fate in [Fate::Acted, Fate::Late] {
        let (plan, mut state) = plan();
        state.fates = vec![Fate::Answered, fate];
        let desk = Desk::new(&plan, Options::default());
        let world = Fake::new(state, None);
        let outcomes = desk.run(&world).await.unwrap();
        assert!(all_done(&outcomes), "{outcomes:?}");
        assert_eq!(world.state().done, planned_world(&plan));
    }
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_left_open_and_done_when_continued() {
    let (plan, mut state) = plan();
    // The second guest was started before, by somebody: that task is not taken for ours.
    state.fates = vec![Fate::Answered, Fate::Lost];
    let desk = Desk::new(&plan, Options::default());
    let world = Fake::new(state, None);
    let outcomes = desk.run(&world).await.unwrap();
    assert!(matches!(outcomes[1], Outcome::NotDone(_)), "{outcomes:?}");
    assert_eq!(outcomes[2], Outcome::Skipped);
    assert_eq!(desk.word(), "open");
    assert_eq!(desk.journal().interrupted(|_| false).unwrap().len(), 1);
    let outcomes = desk.run(&world).await.unwrap();
    assert!(all_done(&outcomes), "{outcomes:?}");
    assert_eq!(world.state().done, planned_world(&plan));
}

#[tokio::test]
async fn where_nobody_can_tell_it_is_unknown_until_somebody_can() {
    let (plan, mut state) = plan();
    state.fates = vec![Fate::Acted];
    state.deaf = true;
    let desk = Desk::new(&plan, Options::default());
    let world = Fake::new(state, None);
    let outcomes = desk.run(&world).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Unknown("the node is away".to_owned()));
    assert_eq!(desk.word(), "open");
    world.state().deaf = false;
    assert!(all_done(&desk.run(&world).await.unwrap()));
    assert_eq!(world.state().done, planned_world(&plan));
}

#[tokio::test]
async fn a_failure_stops_the_rest_unless_it_is_to_go_on() {
    for (fate, words) in [(Fate::Refused, "locked"), (Fate::Fails, "got timeout")] {
        let (plan, mut state) = plan();
        state.fates = vec![fate];
        let desk = Desk::new(&plan, Options::default());
        let outcomes = desk.run(&Fake::new(state, None)).await.unwrap();
        let failed = Outcome::Failed(words.to_owned());
        assert_eq!(outcomes, [failed.clone(), Outcome::Skipped, Outcome::Skipped]);
        assert_eq!(desk.word(), "failed");
        let journal = desk.journal();
        let again = journal.claim(desk.run, &worker(), Timestamp::UNIX_EPOCH, |_| false);
        assert!(matches!(again, Err(JournalError::Closed(_))), "{again:?}");

        let (plan, mut state) = self::plan();
        state.fates = vec![fate];
        let options = Options {
            go_on: true,
            ..Options::default()
        };
        let outcomes = Desk::new(&plan, options)
            .run(&Fake::new(state, None))
            .await
            .unwrap();
        assert_eq!(outcomes[0], failed);
        assert!(all_done(&outcomes[1..]), "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_step_waits_for_what_it_needs_and_falls_with_it() {
    // Two chains: 101 then 103, and 100 by itself.
    let chained = || {
        let (mut plan, state) = plan();
        plan.steps[1].needs = vec![0];
        (plan, state)
    };
    let options = Options {
        at_once: 3,
        go_on: true,
        wait: true,
    };
    let (plan, state) = chained();
    let world = Fake::new(state, None);
    assert!(all_done(&Desk::new(&plan, options).run(&world).await.unwrap()));
    let done = world.state().done.clone();
    let at = |step: usize| {
        let line = plan.steps[step].call.to_string();
        done.iter().position(|known| *known == line).unwrap()
    };
    assert!(at(0) < at(1), "{done:?}");

    let (plan, mut state) = chained();
    state.fates = vec![Fate::Fails];
    let world = Fake::new(state, None);
    let outcomes = Desk::new(&plan, options).run(&world).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Failed(_)));
    assert_eq!(outcomes[1], Outcome::Skipped);
    assert!(all_done(&outcomes[2..]), "{outcomes:?}");
}

#[tokio::test]
async fn a_task_that_the_answer_does_not_name_is_followed_all_the_same() {
    let (plan, mut state) = plan();
    state.fates = vec![Fate::Nameless];
    let desk = Desk::new(&plan, Options::default());
    let outcomes = desk.run(&Fake::new(state, None)).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Failed("got timeout".to_owned()));
}

#[tokio::test]
async fn who_does_not_wait_still_waits_for_what_another_step_needs() {
    let (mut plan, mut state) = plan();
    plan.steps[1].needs = vec![0];
    let options = Options {
        wait: false,
        ..Options::default()
    };
    let desk = Desk::new(&plan, options);
    let world = Fake::new(std::mem::take(&mut state), None);
    let outcomes = desk.run(&world).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done(_)), "{outcomes:?}");
    assert!(
        outcomes[1..]
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Begun(_))),
        "{outcomes:?}"
    );
    assert_eq!(desk.word(), "begun");
    assert!(
        desk.journal().interrupted(|_| false).unwrap().is_empty(),
        "nothing is left to go on with"
    );
}

#[tokio::test]
async fn stopped_by_hand_it_begins_nothing_more() {
    let (plan, mut state) = plan();
    state.stopped = true;
    let desk = Desk::new(&plan, Options::default());
    let world = Fake::new(state, None);
    let outcomes = desk.run(&world).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Skipped));
    assert!(world.state().done.is_empty());
    assert_eq!(desk.word(), "dropped");
}

#[tokio::test]
async fn what_may_still_arrive_is_not_sent_anew() {
    let (mut plan, mut state) = plan();
    plan.steps.truncate(1);
    // It arrives half a minute after the answer was lost; somebody continues before that.
    state.fates = vec![Fate::VeryLate];
    let desk = Desk::new(&plan, Options::default());
    let world = Fake::new(state, None);
    let outcomes = desk.run(&world).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::NotDone(_)), "{outcomes:?}");
    assert!(all_done(&desk.run(&world).await.unwrap()));
    assert_eq!(world.state().done, planned_world(&plan));
}

#[tokio::test]
async fn a_task_of_somebody_else_is_not_taken_for_ours() {
    let (mut plan, mut state) = plan();
    plan.steps.truncate(1);
    state.fates = vec![Fate::Foreign];
    let desk = Desk::new(&plan, Options::default());
    let outcomes = desk.run(&Fake::new(state, None)).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::NotDone(_)), "{outcomes:?}");
}
