//! Runs as the console sees them: begun, told of, taken back, continued; and what is read again because of them.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{App, Effect, Overlay};
use crate::{
    actions::Id,
    domain::ObjectRef,
    overlays::{Ask, ask::Meaning},
    plan::{
        Deed, Plan, Wish,
        runner::{News, Options, Outcome},
        runs::{Kept, Record, RunState, Ticket, Told},
    },
    screens::Place,
    store::{Feed, FeedKey, JobSort, PbsFeed},
    ui::Tone,
};

/// How long a touched object stays under the eyes of the readers after its step: pvestatd's next round lies in it.
const AFTERWARDS: SignedDuration = SignedDuration::from_secs(15);
/// The same for what HA manages: a task of HA is over when HA knows what is wanted, and the deed follows.
const AFTER_HA: SignedDuration = SignedDuration::from_secs(60);
/// Between two reads of what is looked at afterwards.
const AGAIN: SignedDuration = SignedDuration::from_secs(4);
/// Objects that are read again at a time.
const AT_A_TIME: usize = 8;

impl App {
    /// Begins a run.
    pub(super) fn run(
        &mut self,
        plan: Plan,
        options: Options,
        undoes: Option<Ticket>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(undone) = undoes {
            self.world.runs.undo(undone);
        }
        let ticket = self.world.runs.begin(plan.clone(), self.world.now);
        if plan.steps.len() > 1 || plan.danger > crate::plan::Danger::None {
            self.say(Tone::Info, format!("{}: begun", plan.title));
        }
        effects.push(Effect::Run {
            ticket,
            plan: Box::new(plan),
            options,
        });
        self.touched();
    }

    /// How runs go that nobody was asked about.
    pub(super) fn options(&self) -> Options {
        Options {
            at_once: self.rules.at_once.max(1),
            ..Options::default()
        }
    }

    /// Takes what a run has to tell.
    pub(super) fn told(&mut self, ticket: Ticket, told: Told, effects: &mut Vec<Effect>) {
        match &told {
            Told::Step(step, News::Began(_) | News::Over(_)) => self.look_at(ticket, *step, effects),
            Told::Step(step, News::Unclear(why)) => {
                if let Some(record) = self.world.runs.get(ticket)
                    && let Some(step) = record.plan.steps.get(*step)
                {
                    let text = format!("{}: {why}; looking what became of it", step.title);
                    self.say(Tone::Warn, text);
                }
            }
            _ => {}
        }
        let ended = matches!(told, Told::Ended(_) | Told::Broken(_));
        self.world.runs.take(ticket, told);
        if ended && let Some(record) = self.world.runs.get(ticket) {
            let (tone, text) = self.epilogue(record);
            self.say(tone, text);
        }
        self.touched();
    }

    /// What a touched object is made of is read at once.
    fn look_at(&mut self, ticket: Ticket, step: usize, effects: &mut Vec<Effect>) {
        let Some(step) = self
            .world
            .runs
            .get(ticket)
            .and_then(|record| record.plan.steps.get(step))
        else {
            return;
        };
        let mut feeds = vec![Feed::Tasks, Feed::Resources];
        let mut span = AFTERWARDS;
        match &step.subject {
            ObjectRef::Guest(guest) => {
                let vmid = guest.vmid;
                let known = self.world.store.guest(guest);
                if known.is_some_and(|guest| guest.ha_state.is_some()) {
                    span = AFTER_HA;
                }
                feeds.extend([
                    Feed::GuestStatus(vmid),
                    Feed::GuestConfig(vmid),
                    Feed::GuestSnapshots(vmid),
                ]);
            }
            ObjectRef::Node(node) => feeds.push(Feed::NodeStatus(node.node.clone())),
            ObjectRef::Storage(storage) => {
                feeds.push(Feed::StorageContent(
                    storage.node.clone(),
                    storage.storage.clone(),
                ));
            }
            ObjectRef::Backup(backup) => feeds.push(Feed::Backups(
                backup.storage.node.clone(),
                backup.storage.storage.clone(),
            )),
            ObjectRef::Snapshot(snapshot) => feeds.push(Feed::GuestSnapshots(snapshot.guest.vmid)),
            ObjectRef::Job(_) => feeds.extend([Feed::BackupJobs, Feed::NotBackedUp]),
            ObjectRef::Datastore(datastore) => {
                feeds.extend(after_server_call(&datastore.store, &datastore.namespace));
            }
            ObjectRef::ServerBackup(backup) => {
                feeds.extend(after_server_call(&backup.store, &backup.namespace));
            }
            ObjectRef::Task(_) | ObjectRef::Cluster(_) | ObjectRef::BackupServer(_) => {}
            ObjectRef::Alert(_) | ObjectRef::Silence(_) => {
                // Alertmanager says at once what it keeps quiet.
                return effects.push(Effect::RefreshMonitors(self.alert_feeds()));
            }
        }
        if self.world.store.backup_server(&step.cluster).is_some() {
            feeds.retain(|feed| *feed != Feed::Resources);
        }
        let keys: BTreeSet<FeedKey> = feeds.into_iter().map(|feed| feed.of(&step.cluster)).collect();
        let (until, again) = (self.world.now + span, self.world.now + AGAIN);
        self.near
            .extend(keys.iter().map(|key| (key.clone(), (until, again))));
        effects.push(Effect::Refresh(keys));
    }

    /// How a run came out, and the way back.
    fn epilogue(&self, record: &Record) -> (Tone, String) {
        let title = &record.plan.title;
        let fault = record.fault().map(|(step, why)| {
            if record.steps.len() > 1 {
                format!("{step}: {why}")
            } else {
                why.to_owned()
            }
        });
        let fault = fault.or_else(|| record.why.clone()).unwrap_or_default();
        match record.state {
            RunState::Done => {
                let undo = self.first_key(Id::RunUndo);
                let back = record.plan.way_back.as_ref();
                let back = back.and_then(|back| Deed::from_name(&back.deed));
                let warned = record.steps.iter().any(|step| {
                    matches!(step, crate::plan::runs::StepState::Over(Outcome::Done(exit), _) if exit.starts_with("WARN"))
                });
                let (tone, done) = if warned {
                    (Tone::Warn, "done, with warnings")
                } else {
                    (Tone::Good, "done")
                };
                match (back, undo) {
                    (Some(deed), Some(key)) => {
                        let way = deed.title().to_lowercase();
                        (tone, format!("{title}: {done}; {key} takes it back ({way})"))
                    }
                    _ => (tone, format!("{title}: {done}")),
                }
            }
            RunState::Interrupted => (
                Tone::Bad,
                format!("{title}: not everything is known to be done: {fault}; it can be continued in runs"),
            ),
            _ => (Tone::Bad, format!("{title}: failed: {fault}")),
        }
    }

    /// What stays under the eyes of the readers for a while; forgets what need not any more.
    pub(super) fn feeds_nearby(&mut self) -> Vec<FeedKey> {
        let now = self.world.now;
        self.near.retain(|_, (until, _)| *until > now);
        self.near.keys().cloned().collect()
    }

    /// Reads again how the guests are that were touched: what was begun may take a while to show.
    pub(super) fn look_again(&mut self, effects: &mut Vec<Effect>) {
        let now = self.world.now;
        let due = self
            .near
            .iter_mut()
            .filter(|(key, (_, again))| matches!(key.feed, Feed::GuestStatus(_)) && *again <= now);
        let mut keys = BTreeSet::new();
        for (key, (_, again)) in due.take(AT_A_TIME) {
            *again = now + AGAIN;
            keys.insert(key.clone());
        }
        if !keys.is_empty() && !self.paused {
            effects.push(Effect::Refresh(keys));
        }
    }

    /// Takes the newest runs of the journal.
    pub(super) fn take_journal(&mut self, kept: Vec<Kept>, starting: bool) {
        self.world.runs.take_journal(kept);
        if starting {
            self.offer_interrupted();
        }
        self.touched();
    }

    /// Offers to go on with the newest interrupted run, if that is possible from here.
    fn offer_interrupted(&mut self) {
        let interrupted: Vec<&Record> = self.world.runs.interrupted().collect();
        let Some(newest) = interrupted.first() else { return };
        let more = interrupted.len() - 1;
        let writable = |record: &Record| {
            let mut steps = record.plan.steps.iter();
            steps.all(|step| self.writable.contains(&step.cluster))
        };
        if !writable(newest) || self.overlay.is_some() {
            let count = interrupted.len();
            let runs = if count == 1 {
                "1 run was"
            } else {
                &format!("{count} runs were")
            };
            return self.say(Tone::Warn, format!("{runs} interrupted: see runs in the palette"));
        }
        let done = newest.over();
        let mut lines = vec![
            format!(
                "{}: {done} of {} steps are over.",
                newest.plan.title,
                newest.steps.len()
            ),
            "Going on first looks what became of a step that was sent; nothing is done twice.".to_owned(),
        ];
        if more > 0 {
            lines.push(format!("{more} more in runs (see the palette)."));
        }
        let ticket = newest.ticket;
        self.overlay = Some(Overlay::Ask(Ask {
            title: "An interrupted run".to_owned(),
            lines,
            answers: vec![
                ('c', "continue", Meaning::Continue(ticket)),
                ('d', "drop", Meaning::Drop(ticket)),
            ],
        }));
    }

    /// Ends, or asks first if something runs.
    pub(super) fn quit(&mut self, effects: &mut Vec<Effect>) {
        let titles: Vec<String> = self
            .world
            .runs
            .here()
            .map(|record| record.plan.title.clone())
            .collect();
        if titles.is_empty() {
            effects.push(Effect::Quit);
            return;
        }
        let count = if titles.len() == 1 {
            "1 run is under way".to_owned()
        } else {
            format!("{} runs are under way", titles.len())
        };
        let mut lines = titles;
        lines.push(
            "What was sent goes on at the server; the steps behind it are not begun. The next start offers to continue, \
             and so does `pvedeck journal continue`."
                .to_owned(),
        );
        self.overlay = Some(Overlay::Ask(Ask {
            title: count,
            lines,
            answers: vec![('q', "quit", Meaning::Leave)],
        }));
        self.dirty = true;
    }

    pub(super) fn answer(&mut self, meaning: Meaning, effects: &mut Vec<Effect>) {
        match meaning {
            Meaning::Nothing => self.line_chosen(None, effects),
            Meaning::Line(session, line) => self.line_chosen(Some((session, line)), effects),
            Meaning::Leave => effects.push(Effect::Quit),
            Meaning::Continue(ticket) => self.continue_run(ticket, effects),
            Meaning::Drop(ticket) => self.drop_run(ticket, effects),
        }
    }

    /// The run that an action would be about.
    pub(super) fn chosen_run(&mut self) -> Option<Ticket> {
        let focus = self.focus();
        self.panes.get(&focus).and_then(|pane| pane.run())
    }

    /// Whether an action on runs is possible here.
    pub(super) fn run_possible(&mut self, action: Id) -> Result<(), String> {
        if action == Id::RunUndo {
            return match self.world.runs.undoable() {
                Some(_) => Ok(()),
                None => Err("nothing was done from here that can be taken back".to_owned()),
            };
        }
        let record = self.chosen_run().and_then(|ticket| self.world.runs.get(ticket));
        let Some(record) = record else {
            return Err("select a run first".to_owned());
        };
        let is = |state| record.state == state;
        let closed = record
            .plan
            .steps
            .iter()
            .find(|step| !self.writable.contains(&step.cluster));
        match (action, closed) {
            (Id::RunStop, _) if is(RunState::Running) => Ok(()),
            (Id::RunStop, _) => Err("it does not run here".to_owned()),
            (Id::RunContinue, Some(step)) => Err(format!("{} is read-only", step.cluster)),
            (_, _) if is(RunState::Interrupted) => Ok(()),
            (_, _) => Err(format!("it is {}", record.state.word())),
        }
    }

    /// Does an action on runs; returns whether it is one.
    pub(super) fn act_on_run(&mut self, action: Id, effects: &mut Vec<Effect>) -> bool {
        match action {
            Id::RunUndo => self.undo(effects),
            Id::RunStop => {
                if let Some(ticket) = self.chosen_run()
                    && self.world.runs.stop(ticket)
                {
                    self.say(Tone::Info, "no further step is begun; what is under way goes on");
                    effects.push(Effect::StopRun(ticket));
                }
            }
            Id::RunContinue => {
                if let Some(ticket) = self.chosen_run() {
                    self.continue_run(ticket, effects);
                }
            }
            Id::RunDrop => {
                if let Some(ticket) = self.chosen_run() {
                    self.drop_run(ticket, effects);
                }
            }
            _ => return false,
        }
        true
    }

    fn undo(&mut self, effects: &mut Vec<Effect>) {
        let Some((ticket, back)) = self.world.runs.undoable() else {
            return;
        };
        let Some(deed) = Deed::from_name(&back.deed) else {
            return;
        };
        let wish = Wish {
            deed,
            targets: back.targets.clone(),
            arguments: back.arguments.clone(),
            undoes: Some(ticket),
        };
        self.wish(wish, effects);
    }

    fn continue_run(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        if let Some(number) = self.world.runs.go_on(ticket) {
            let options = self.options();
            effects.push(Effect::ContinueRun {
                ticket,
                number,
                options,
            });
            self.touched();
        }
    }

    fn drop_run(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        let number = self.world.runs.get(ticket).and_then(|record| record.number);
        if let Some(number) = number {
            effects.push(Effect::DropRun(number));
        }
    }

    /// Going to the runs reads the journal: other consoles write into it too.
    pub(super) fn arrived(&mut self, effects: &mut Vec<Effect>) {
        let runs = matches!(self.place(), Place::Runs);
        if runs && !self.at_runs {
            effects.push(Effect::ReadJournal);
        }
        self.at_runs = runs;
    }
}

/// What a call to a Backup Server may have changed.
fn after_server_call(store: &str, namespace: &str) -> [Feed; 6] {
    [
        PbsFeed::Snapshots(store.into(), namespace.into()),
        PbsFeed::Usage,
        PbsFeed::Collections,
        PbsFeed::Jobs(JobSort::Verify),
        PbsFeed::Jobs(JobSort::Prune),
        PbsFeed::Jobs(JobSort::Sync),
    ]
    .map(Feed::Pbs)
}
