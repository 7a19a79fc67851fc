//! What each event does.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    App, Overlay,
    event::{Effect, Event},
    keys::keys_text,
    panes::TILES,
};
use crate::{
    actions::{Id, Target, availability},
    domain::ObjectRef,
    overlays::Help,
    screens::{Place, Reply},
    store::Update,
    ui::{Tone, line::Line},
};

impl App {
    /// Takes an event that happened at `now` and says what is to be done.
    pub fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        self.world.now = now;
        let mut effects = Vec::new();
        match event {
            Event::KeyPressed(chord) => self.key(&chord, &mut effects),
            Event::Pasted(text) => {
                if !self.console_paste(&text, &mut effects) {
                    self.paste(&text);
                }
            }
            Event::MouseUsed(mouse, x, y) => self.mouse(mouse, x, y, &mut effects),
            Event::RunTold(ticket, told) => self.told(ticket, told, &mut effects),
            Event::JournalRead(kept, starting) => self.take_journal(kept, starting),
            Event::Resized(width, height) => {
                self.size = (width, height);
                self.resize_consoles(&mut effects);
                self.touched();
            }
            Event::Ticked => {
                self.tick();
                self.begin_alone(&mut effects);
                self.look_again(&mut effects);
                self.review(&mut effects);
            }
            Event::Read(update) => self.read(*update),
            Event::Measured(update) => {
                if self.world.store.apply_monitor(*update).visible() {
                    self.touched();
                }
            }
            Event::Recalled(known) => {
                if self.world.store.restore(*known).visible() {
                    self.touched();
                }
            }
            Event::ConsoleHeard(session, event) => self.console_event(session, event, &mut effects),
            Event::Acknowledged(known) => self.acknowledged(known),
            Event::Told(tone, text) => self.say(tone, text),
            Event::Terminated => effects.push(Effect::Quit),
        }
        self.settle(&mut effects);
        self.settle_departure(&mut effects);
        self.settle_openings(&mut effects);
        self.arrived(&mut effects);
        self.watch(&mut effects);
        effects
    }

    fn read(&mut self, update: Update) {
        let changes = self.world.store.apply(update);
        for task in &changes.finished_tasks {
            // A run tells of its own tasks itself.
            if self.world.runs.is_ours(&task.upid) {
                continue;
            }
            if let Some(task) = self.world.store.task(task) {
                let (tone, text) = task_news(task);
                self.toasts.say(tone, text, self.world.now);
                self.dirty = true;
            }
        }
        if changes.visible() {
            self.touched();
        }
        self.renew_overlay();
    }

    /// A second passed: ages grow, toasts go. The frame is worked out again; what it does not change is not sent.
    fn tick(&mut self) {
        self.toasts.expire(self.world.now);
        self.renew_overlay();
        self.dirty = true;
    }

    /// Something visible may have changed.
    pub(super) fn touched(&mut self) {
        self.refresh();
        self.dirty = true;
    }

    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.toasts.say(tone, text.into(), self.world.now);
        self.dirty = true;
    }

    /// Says what is looked at, if it is not what was said last.
    fn watch(&mut self, effects: &mut Vec<Effect>) {
        let feeds = self.interest();
        if self.watched.0 != feeds || self.watched.1 != self.paused {
            self.watched = (feeds.clone(), self.paused);
            effects.push(Effect::Watch {
                feeds,
                paused: self.paused,
            });
        }
        let feeds = self.monitor_interest();
        if self.watched_monitors.0 != feeds || self.watched_monitors.1 != self.paused {
            self.watched_monitors = (feeds.clone(), self.paused);
            effects.push(Effect::WatchMonitors {
                feeds,
                paused: self.paused,
            });
        }
    }

    /// What of monitoring is looked at.
    fn monitor_interest(&mut self) -> BTreeSet<crate::store::MonitorKey> {
        let mut feeds = BTreeSet::new();
        for place in self.visible() {
            if let Some(pane) = self.panes.get(&place) {
                pane.monitors(&self.world.cx(), &mut feeds);
            }
        }
        feeds.extend(self.counted_feeds());
        feeds
    }

    fn interest(&mut self) -> BTreeSet<crate::store::FeedKey> {
        let mut feeds = BTreeSet::new();
        for place in self.visible() {
            if let Some(pane) = self.panes.get(&place) {
                pane.interest(&self.world.cx(), &mut feeds);
            }
        }
        feeds.extend(self.feeds_for_acting().cloned());
        feeds.extend(self.feeds_nearby());
        feeds
    }

    /// The object that an action would be about.
    pub(super) fn subject(&mut self) -> Option<ObjectRef> {
        let focus = self.focus();
        self.panes.get(&focus).and_then(|pane| pane.subject())
    }

    /// Whether an action is possible here and now.
    pub(super) fn availability(&mut self, action: Id) -> Result<(), String> {
        match action {
            Id::Deed(deed) => return self.deed_possible(deed),
            Id::RunUndo | Id::RunStop | Id::RunContinue | Id::RunDrop => return self.run_possible(action),
            Id::ListOpen | Id::ObjectDescribe | Id::ObjectLog if self.chosen_run().is_some() => return Ok(()),
            _ => {}
        }
        let focus = self.focus();
        let object = self.subject();
        let cluster = object.as_ref().map(ObjectRef::cluster);
        availability(
            action,
            Target {
                writable: cluster.is_some_and(|cluster| self.writable.contains(cluster)),
                object: object.as_ref(),
                list: focus.object().is_none(),
            },
        )
        .map_err(str::to_owned)
    }

    /// Does an action of the table.
    pub(super) fn act(&mut self, action: Id, effects: &mut Vec<Effect>) {
        if is_about_selection(action) {
            let focus = self.focus();
            if let Some(pane) = self.panes.get(&focus) {
                pane.hold();
            }
        }
        if let Id::Deed(deed) = action {
            return self.act_deed(deed, effects);
        }
        if let Err(reason) = self.availability(action) {
            let title = action.action().title;
            self.say(Tone::Warn, format!("{title}: {reason}"));
            return;
        }
        if self.act_here(action, effects) {
            self.touched();
            return;
        }
        let focus = self.focus();
        let cx = self.world.cx();
        let reply = self
            .panes
            .get(&focus)
            .map_or(Reply::Ignored, |pane| pane.act(action, &cx));
        if reply == Reply::Ignored {
            let title = action.action().title;
            self.say(Tone::Muted, format!("{title}: there is nothing of the kind here"));
        }
        self.reply(reply);
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        match reply {
            Reply::Ignored => {}
            Reply::Done => self.touched(),
            Reply::Go(place) => self.go(place),
            Reply::Say(tone, text) => self.say(tone, text),
        }
    }

    /// The actions that are the application's own business; returns whether this is one.
    fn act_here(&mut self, action: Id, effects: &mut Vec<Effect>) -> bool {
        match action {
            Id::PlaceDeck => self.go(Place::Deck),
            Id::PlaceNodes => self.go(Place::Nodes),
            Id::PlaceGuests => self.go(Place::Guests),
            Id::PlaceMetrics => self.go(Place::Metrics),
            Id::PlaceStorages => self.go(Place::Storages),
            Id::PlaceDatastores => self.go(Place::Datastores),
            Id::PlaceServerBackups => self.go(Place::ServerBackups),
            Id::PlaceSnapshots => self.go(Place::Snapshots),
            Id::PlaceBackups => self.go(Place::Backups),
            Id::PlaceRestorePoints => self.go(Place::RestorePoints),
            Id::PlaceJobs => self.go(Place::Jobs),
            Id::PlaceTasks => self.go(Place::Tasks),
            Id::PlaceAlerts => self.go(Place::Alerts),
            Id::PlaceSilences => self.go(Place::Silences),
            Id::PlaceFindings => self.go(Place::Findings),
            Id::PlaceClusters => self.go(Place::Clusters),
            Id::PlaceRuns => self.go(Place::Runs),
            Id::PlaceQuery => self.go(Place::Query),
            Id::GraphQuery => {
                if self.focus() != Place::Query {
                    self.go(Place::Query);
                }
                self.type_line();
            }
            Id::ObjectDashboard => self.open_dashboard(effects),
            Id::MenuOpen => self.open_menu(None),
            Id::HistoryBack => self.back(),
            Id::HistoryForward => {
                self.history.forward();
            }
            Id::FocusNext => self.focus_tile((self.tile + 1) % TILES.len()),
            Id::FocusPrevious => self.focus_tile((self.tile + TILES.len() - 1) % TILES.len()),
            Id::Focus1 => self.focus_tile(0),
            Id::Focus2 => self.focus_tile(1),
            Id::Focus3 => self.focus_tile(2),
            Id::Focus4 => self.focus_tile(3),
            Id::Focus5 => self.focus_tile(4),
            Id::Focus6 => self.focus_tile(5),
            Id::Focus7 => self.focus_tile(6),
            Id::Focus8 => self.focus_tile(7),
            Id::ObjectMetrics => self.open_metrics(),
            Id::Zoom => match self.place().clone() {
                Place::Deck => self.go(self.focus().whole()),
                _ => self.go(Place::Deck),
            },
            Id::ListFilter | Id::TextFind => self.type_line(),
            Id::AlertAcknowledge => self.acknowledge(effects),
            Id::Palette => self.open_palette(),
            Id::Help => {
                let keymap = self.keymap.clone();
                self.overlay = Some(Overlay::Help(Help::new(|id| keys_text(&keymap, id))));
            }
            Id::Refresh => {
                let feeds = self.interest();
                effects.push(Effect::Refresh(feeds));
                effects.push(Effect::RefreshMonitors(self.monitor_interest()));
                self.say(Tone::Info, "reading everything on the screen again");
            }
            Id::Pause => {
                self.paused = !self.paused;
                self.say(
                    Tone::Info,
                    if self.paused {
                        "updates are paused"
                    } else {
                        "updates go on"
                    },
                );
            }
            Id::ScreenDump => effects.push(Effect::Dump(self.screen_text())),
            Id::Copy => self.copy(effects),
            Id::ThemeNext => {
                self.theme = (self.theme + 1) % self.themes.len();
                let name = self.theme().name().to_owned();
                self.say(Tone::Info, format!("theme {name}"));
            }
            Id::MouseToggle => {
                self.mouse = !self.mouse;
                effects.push(Effect::CaptureMouse(self.mouse));
                let text = if self.mouse {
                    "the mouse is ours"
                } else {
                    "the mouse is the terminal's: select text freely"
                };
                self.say(Tone::Info, text);
            }
            Id::ObjectSsh => self.depart(effects),
            Id::Quit => self.quit(effects),
            _ => return self.act_on_run(action, effects) || self.act_on_console(action, effects),
        }
        true
    }

    /// Opens the line of the focused pane: its filter, or its query.
    fn type_line(&mut self) {
        let focus = self.focus();
        let before = self
            .panes
            .get(&focus)
            .and_then(|pane| pane.filter().map(str::to_owned));
        match before {
            Some(before) => {
                self.overlay = Some(Overlay::Filter {
                    line: Line::new(&before),
                    before,
                });
            }
            None => self.say(Tone::Warn, "there is nothing to filter here"),
        }
    }

    /// Copies the link to the dashboard of the selected object and shows it: over SSH there is no browser to open.
    fn open_dashboard(&mut self, effects: &mut Vec<Effect>) {
        let Some(object) = self.subject() else { return };
        let focus = self.focus();
        let span = self.panes.get(&focus).and_then(|pane| pane.span(self.world.now));
        let hour = jiff::SignedDuration::from_hours(1);
        let (from, to) = span.unwrap_or((self.world.now - hour, self.world.now));
        let store = &self.world.store;
        let link = crate::domain::template::Of::object(&object)
            .zip(store.subject(&object))
            .and_then(|(of, subject)| store.monitors.dashboards.link(of, &subject, from, to));
        match link {
            Some(link) => {
                self.say(Tone::Info, format!("copied {link}"));
                effects.push(Effect::Copy(link));
            }
            None => self.say(
                Tone::Warn,
                format!("no dashboard is configured for {object}; see [grafana] of `pvedeck config print`"),
            ),
        }
    }

    fn copy(&mut self, effects: &mut Vec<Effect>) {
        let Some(object) = self.subject() else { return };
        let text = match &object {
            ObjectRef::Cluster(cluster) => cluster.to_string(),
            ObjectRef::Node(node) => node.node.to_string(),
            ObjectRef::Guest(guest) => {
                let name = self
                    .world
                    .store
                    .guest(guest)
                    .map(|guest| guest.label().into_owned());
                name.unwrap_or_else(|| guest.vmid.to_string())
            }
            ObjectRef::Storage(storage) => storage.storage.to_string(),
            ObjectRef::Task(task) => task.upid.to_string(),
            ObjectRef::BackupServer(server) => server.to_string(),
            ObjectRef::Datastore(datastore) => datastore.to_string(),
            ObjectRef::ServerBackup(backup) => backup.path(),
            ObjectRef::Backup(backup) => backup.volid.to_string(),
            ObjectRef::Snapshot(snapshot) => snapshot.name.to_string(),
            ObjectRef::Job(job) => job.id.to_string(),
            ObjectRef::Alert(key) => match self.world.store.alarm(*key) {
                Some(alarm) => alarm.labels.to_string(),
                None => key.to_string(),
            },
            ObjectRef::Silence(silence) => silence.id.to_string(),
        };
        self.say(Tone::Info, format!("copied {text}"));
        effects.push(Effect::Copy(text));
    }

    /// Goes to a place.
    pub(super) fn go(&mut self, place: Place) {
        self.history.go(place);
        self.touched();
    }

    fn back(&mut self) {
        // The filter of a list is the nearest thing to go back from.
        let focus = self.focus();
        if let Some(pane) = self.panes.get(&focus)
            && pane.retreat()
        {
            return;
        }
        if let Some(pane) = self.panes.get(&focus)
            && pane.is_filtered()
        {
            pane.set_filter("");
            return;
        }
        if !self.history.back() && *self.place() != Place::Deck {
            self.history.go(Place::Deck);
        }
    }

    /// From a list the graphs show what is selected and marked in it; from elsewhere, the one object.
    fn open_metrics(&mut self) {
        let focus = self.focus();
        match self.subject() {
            Some(ObjectRef::Alert(key)) => self.go_to_start(key),
            Some(object) if focus.object().is_some() => self.go(Place::MetricsOf(object)),
            _ => {
                self.panes.follow(&focus);
                self.go(Place::Metrics);
            }
        }
    }

    pub(super) fn focus_tile(&mut self, tile: usize) {
        self.tile = tile;
        match self.place().clone() {
            Place::Deck => {}
            // In a full-screen list the number keys go from list to list.
            place if TILES.iter().any(|tile| tile.whole() == place) => self.go(TILES[tile].whole()),
            _ => self.go(Place::Deck),
        }
    }
}

fn task_news(task: &crate::domain::Task) -> (Tone, String) {
    use crate::domain::TaskState;
    let what = if task.upid.id.is_empty() {
        task.upid.kind.to_string()
    } else {
        format!("{} {}", task.upid.kind, task.upid.id)
    };
    match &task.state {
        TaskState::Failed(error) => (Tone::Bad, format!("{what} on {} failed: {error}", task.upid.node)),
        TaskState::Warnings(count) => (
            Tone::Warn,
            format!("{what} on {} ended with {count} warnings", task.upid.node),
        ),
        TaskState::Ok => (Tone::Good, format!("{what} on {} is done", task.upid.node)),
        TaskState::Running | TaskState::Unknown => (
            Tone::Warn,
            format!("{what} on {} ended, nobody knows how", task.upid.node),
        ),
    }
}

/// Whether an action is about the selected object: what was acted on must still be selected when one comes back, whatever
/// has arrived above it meanwhile.
fn is_about_selection(action: Id) -> bool {
    match action {
        Id::Deed(_) | Id::MenuOpen | Id::Palette | Id::ConsoleOpen | Id::ListOpen => true,
        _ => action.action().name.starts_with("object."),
    }
}
