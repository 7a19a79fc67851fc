//! From a wish to a run: what is acted on, the menu, the form, the confirmation.
//!
//! What always holds here:
//! - Every deed goes through [`App::wish`], whichever way it was asked for, and nothing is run but what came out of
//!   [`plan::make`] and was on the screen.
//! - Nothing is begun on a cluster that may not be written to.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{App, Effect, Overlay, judge::Justice};
use crate::{
    domain::ObjectRef,
    overlays::{
        Confirm, Form,
        confirm::{self, Reading},
        form,
        palette::Judge,
    },
    plan::{self, Arguments, Danger, Deed, Plan, Refusal, Risk, Scene, Weight, Wish},
    settings::KeyChord,
    store::{Feed, FeedKey},
    ui::Tone,
};

/// How long a plan waits for what it wants to know.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// What was read so shortly before counts as read for the plan.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(2);

/// Details that are read for one plan; for more objects than that, their state is that of the inventory.
const MOST_READ: usize = 48;

/// A deed that runs without a question as soon as what it wants to know is read.
#[derive(Debug)]
pub(super) struct Quiet {
    wish: Wish,
    feeds: BTreeSet<FeedKey>,
    since: Timestamp,
}

impl App {
    fn scene(&self) -> Scene<'_> {
        Scene {
            store: &self.world.store,
            rules: &self.rules,
            now: self.world.now,
            past: self.world.runs.past(),
        }
    }

    pub(super) fn judge(&self) -> Justice<'_> {
        Justice {
            scene: self.scene(),
            writable: &self.writable,
        }
    }

    /// What a deed would be done to from here: the marked objects that it fits, or else the selected one.
    fn targets(&mut self, deed: Deed) -> Vec<ObjectRef> {
        let object = deed.row().object;
        let focus = self.focus();
        let Some(pane) = self.panes.get(&focus) else {
            return Vec::new();
        };
        let marked: Vec<ObjectRef> = pane
            .marks()
            .into_iter()
            .flatten()
            .filter(|mark| object.is(mark))
            .cloned()
            .collect();
        if !marked.is_empty() {
            return marked;
        }
        pane.subject()
            .filter(|subject| object.is(subject))
            .into_iter()
            .collect()
    }

    /// Whether a deed can be done to what is selected or marked.
    pub(super) fn deed_possible(&mut self, deed: Deed) -> Result<(), String> {
        let targets = self.targets(deed);
        self.judge().possible(deed, &targets)
    }

    /// Does a deed to what is selected or marked.
    pub(super) fn act_deed(&mut self, deed: Deed, effects: &mut Vec<Effect>) {
        let targets = self.targets(deed);
        self.wish(
            Wish {
                deed,
                targets,
                arguments: Arguments::new(),
                undoes: None,
            },
            effects,
        );
    }

    /// Takes a wish: asks for what is missing, then for the confirmation that it takes.
    pub(super) fn wish(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        if let Err(reason) = self.judge().possible(wish.deed, &wish.targets) {
            return self.say(Tone::Warn, format!("{}: {reason}", wish.deed.title()));
        }
        let under_way = self.world.runs.working().find(|(subject, record)| {
            *record.plan.deed == *wish.deed.name() && wish.targets.contains(subject)
        });
        if let Some((_, record)) = under_way {
            let text = format!("{} is under way already", record.plan.title);
            return self.say(Tone::Warn, text);
        }
        let arguments = wish.deed.row().arguments;
        let missing = |argument: &plan::Argument| {
            argument.required && wish.arguments.get(argument.name).is_none_or(String::is_empty)
        };
        // Some deeds can do without each of their arguments, but not without all of them.
        let wanting = !arguments.is_empty() && matches!(self.plan(&wish), Err(Refusal::Argument(_)));
        if arguments.iter().any(missing) || wanting {
            self.open_form(wish, effects);
        } else {
            self.consider(wish, effects);
        }
    }

    /// What is read for the plan of a wish.
    fn needs(&self, wish: &Wish) -> BTreeSet<FeedKey> {
        let mut feeds = plan::needs(wish.deed, &wish.targets, &self.world.store);
        if feeds.len() > MOST_READ {
            feeds.retain(|key| key.feed.vmid().is_none());
        }
        feeds
    }

    pub(super) fn open_form(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        let subject = self.title_of(&wish.targets);
        // What can be chosen comes from the same reads that the plan is made from.
        let feeds = self.needs(&wish);
        self.read_for(&feeds, effects);
        let form = Form::new(wish, subject, self.scene());
        self.overlay = Some(Overlay::Form { form, feeds });
        self.dirty = true;
    }

    /// All arguments are there: reads what the plan wants to know, and asks or runs.
    fn consider(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        let feeds = self.needs(&wish);
        self.read_for(&feeds, effects);
        let since = self.world.now;
        let plan = self.plan(&wish);
        if plan.as_ref().is_ok_and(is_quiet) {
            self.quiet.push(Quiet { wish, feeds, since });
            self.settle_quiet(effects);
        } else {
            let open = Confirm::new(wish, plan, self.options(), feeds, since);
            self.overlay = Some(Overlay::Confirm(Box::new(open)));
            self.renew_overlay();
        }
        self.dirty = true;
    }

    /// The plan of a wish, without what may not be written to.
    fn plan(&self, wish: &Wish) -> Result<Plan, Refusal> {
        let writable = |target: &&ObjectRef| self.writable.contains(target.cluster());
        let targets: Vec<ObjectRef> = wish.targets.iter().filter(writable).cloned().collect();
        let mut plan = plan::make(wish.deed, &targets, &wish.arguments, self.scene())?;
        let closed: BTreeSet<_> = wish
            .targets
            .iter()
            .filter(|target| !writable(target))
            .map(ObjectRef::cluster)
            .collect();
        for cluster in closed {
            let text = format!("left out: {cluster} is read-only");
            plan.risks.push(Risk::new(Weight::Warning, text));
        }
        if targets.len() > MOST_READ {
            let text = format!(
                "{} are too many to be read one by one: their state is that of the last inventory",
                self.title_of(&targets)
            );
            plan.risks.push(Risk::new(Weight::Note, text));
        }
        Ok(plan)
    }

    /// Orders what a plan wants to know, as far as it was not read just now.
    pub(super) fn read_for(&self, feeds: &BTreeSet<FeedKey>, effects: &mut Vec<Effect>) {
        let now = self.world.now;
        let missing: BTreeSet<FeedKey> = feeds
            .iter()
            .filter(|key| !self.is_read(key, now))
            .cloned()
            .collect();
        if !missing.is_empty() {
            effects.push(Effect::Refresh(missing));
        }
    }

    /// Whether a feed was read for a plan that is made since then.
    pub(super) fn is_read(&self, key: &FeedKey, since: Timestamp) -> bool {
        // Permissions change seldom, and the server has the last word anyway.
        let slack = match key.feed {
            Feed::Permissions => key.feed.period(),
            _ => JUST_NOW,
        };
        let fresh = self.world.store.freshness(key);
        fresh.error.is_none() && fresh.data_at.is_some_and(|at| at + slack >= since)
    }

    pub(super) fn reading(&self, feeds: &BTreeSet<FeedKey>, since: Timestamp) -> Reading {
        let mut reading = Reading::default();
        let late = self.world.now.duration_since(since) > PATIENCE;
        for key in feeds.iter().filter(|key| !self.is_read(key, since)) {
            let fresh = self.world.store.freshness(key);
            let tried = fresh.tried_at.is_some_and(|at| at >= since);
            let what = words(&key.feed);
            match fresh.error {
                Some(error) if tried => reading.failed.push(format!("{what}: {}", error.message)),
                _ if late => reading
                    .failed
                    .push(format!("{what}: no answer within {} s", PATIENCE.as_secs())),
                _ => reading.waiting.push(what),
            }
        }
        reading
    }

    /// Feeds that are read for something that is not on a pane.
    pub(super) fn feeds_for_acting(&self) -> impl Iterator<Item = &FeedKey> {
        let open = match &self.overlay {
            Some(Overlay::Confirm(confirm)) => Some(&confirm.feeds),
            Some(Overlay::Form { feeds, .. }) => Some(feeds),
            _ => None,
        };
        let quiet = self.quiet.iter().map(|quiet| &quiet.feeds);
        let departing = self.departing.as_ref().map(|departing| &departing.feeds);
        let openings = self.openings.iter().map(|opening| &opening.feeds);
        open.into_iter()
            .chain(quiet)
            .chain(departing)
            .chain(openings)
            .flatten()
    }

    /// Runs what waits for nothing any more.
    pub(super) fn settle(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Overlay::Confirm(open)) = &mut self.overlay
            && open.takes_early_yes()
            && let Some(Overlay::Confirm(open)) = self.overlay.take()
            && let Ok(plan) = open.plan
        {
            self.run(plan, open.options, open.wish.undoes, effects);
        }
        self.settle_quiet(effects);
    }

    fn settle_quiet(&mut self, effects: &mut Vec<Effect>) {
        for quiet in std::mem::take(&mut self.quiet) {
            let reading = self.reading(&quiet.feeds, quiet.since);
            if !reading.waiting.is_empty() {
                self.quiet.push(quiet);
                continue;
            }
            match self.plan(&quiet.wish) {
                Ok(plan) if is_quiet(&plan) => {
                    self.say(Tone::Info, line_of(&plan));
                    self.run(plan, plan::runner::Options::default(), quiet.wish.undoes, effects);
                }
                // It takes more than it seemed to: then it is asked after all.
                Ok(plan) if self.overlay.is_none() => {
                    let options = self.options();
                    let mut open = Confirm::new(quiet.wish, Ok(plan), options, quiet.feeds, quiet.since);
                    open.reading = reading;
                    self.overlay = Some(Overlay::Confirm(Box::new(open)));
                }
                Ok(plan) => self.say(Tone::Warn, format!("{}: not begun, it has risks", plan.title)),
                Err(refusal) => {
                    let title = quiet.wish.deed.title();
                    self.say(Tone::Bad, format!("{title}: {refusal}"));
                }
            }
        }
    }

    /// Lets the open overlay follow what was read meanwhile.
    pub(super) fn renew_overlay(&mut self) {
        match self.overlay.take() {
            Some(Overlay::Confirm(mut open)) => {
                let reading = self.reading(&open.feeds, open.since);
                let plan = self.plan(&open.wish);
                open.renew(plan, reading);
                self.overlay = Some(Overlay::Confirm(open));
            }
            Some(Overlay::Form { mut form, feeds }) => {
                form.renew(self.scene());
                self.overlay = Some(Overlay::Form { form, feeds });
            }
            Some(Overlay::Menu(mut menu)) => {
                let items = self.menu_items();
                menu.renew(items);
                self.overlay = Some(Overlay::Menu(menu));
            }
            other => self.overlay = other,
        }
    }

    /// `104 web-01`, or `4 guests`.
    pub(super) fn title_of(&self, targets: &[ObjectRef]) -> String {
        match targets {
            [ObjectRef::Guest(guest)] => match self.world.store.guest(guest) {
                Some(known) => format!("{} {}", guest.vmid, known.label()),
                None => guest.vmid.to_string(),
            },
            [ObjectRef::Task(task)] => format!("{} {}", task.upid.kind, task.upid.id).trim().to_owned(),
            [one] => one.to_string(),
            several => format!("{} {}", several.len(), plan::kind_of(several)),
        }
    }

    pub(super) fn form_key(
        &mut self,
        mut form: Form,
        feeds: BTreeSet<FeedKey>,
        chord: &KeyChord,
        effects: &mut Vec<Effect>,
    ) {
        match form.key(chord, self.scene()) {
            form::Answer::Stay => {}
            form::Answer::Cancel => return,
            form::Answer::Filled(arguments) => {
                let wish = Wish {
                    arguments,
                    ..form.wish
                };
                return self.consider(wish, effects);
            }
            form::Answer::Refused(reason) => self.say(Tone::Warn, reason),
        }
        self.overlay = Some(Overlay::Form { form, feeds });
    }

    pub(super) fn paste_into_form(&mut self, text: &str) {
        if let Some(Overlay::Form { mut form, feeds }) = self.overlay.take() {
            form.paste(text, self.scene());
            self.overlay = Some(Overlay::Form { form, feeds });
        }
    }

    pub(super) fn confirm_key(
        &mut self,
        mut open: Box<Confirm>,
        chord: &KeyChord,
        effects: &mut Vec<Effect>,
    ) {
        match open.key(chord) {
            confirm::Answer::Stay => {}
            confirm::Answer::Cancel => return self.say(Tone::Muted, "cancelled: nothing was done"),
            confirm::Answer::Edit if open.wish.deed.row().arguments.is_empty() => {
                self.say(Tone::Warn, format!("{} has no arguments", open.wish.deed.title()));
            }
            confirm::Answer::Edit => return self.open_form(open.wish, effects),
            confirm::Answer::NotYet(why) => self.say(Tone::Warn, why),
            confirm::Answer::Export => {
                if let Ok(plan) = &open.plan {
                    effects.push(Effect::Export(plan::print::script(plan)));
                }
            }
            confirm::Answer::Run => {
                if let Ok(plan) = open.plan {
                    return self.run(plan, open.options, open.wish.undoes, effects);
                }
            }
        }
        self.overlay = Some(Overlay::Confirm(open));
    }
}

/// Whether a plan disturbs nobody: one call, and nothing that one has to know before.
fn is_quiet(plan: &Plan) -> bool {
    plan.danger == Danger::None
        && plan.steps.len() == 1
        && plan.risks.iter().all(|risk| risk.weight == Weight::Note)
}

/// A plan of one step in a line.
fn line_of(plan: &Plan) -> String {
    match &plan.steps[..] {
        [step] => format!("{}: {}", plan.title, step.call),
        steps => format!("{}: {} steps", plan.title, steps.len()),
    }
}

/// What a feed brings, in words.
fn words(feed: &Feed) -> String {
    match feed {
        Feed::Permissions => "permissions".to_owned(),
        Feed::GuestStatus(vmid) => format!("status of {vmid}"),
        Feed::GuestConfig(vmid) => format!("configuration of {vmid}"),
        Feed::GuestAddresses(vmid) => format!("addresses of {vmid}"),
        Feed::GuestSnapshots(vmid) => format!("snapshots of {vmid}"),
        Feed::GuestPending(vmid) => format!("pending changes of {vmid}"),
        Feed::NodeStatus(node) => format!("status of {node}"),
        Feed::NodeServices(node) => format!("services of {node}"),
        Feed::NodeReplication(node) => format!("replication of {node}"),
        Feed::Backups(_, storage) => format!("the backups on {storage}"),
        Feed::StorageContent(node, storage) => format!("content of {storage} on {node}"),
        Feed::StorageStatus(node, storage) => format!("status of {storage} on {node}"),
        Feed::ClusterStatus => "status of the cluster".to_owned(),
        Feed::GuestFirewall(vmid) => format!("firewall of {vmid}"),
        Feed::GuestMigration(vmid) => format!("what stands in the way of moving {vmid}"),
        Feed::NotBackedUp => "guests in no backup job".to_owned(),
        Feed::HaStatus => "HA".to_owned(),
        Feed::Tasks => "tasks".to_owned(),
        _ => "what the plan has to know".to_owned(),
    }
}
