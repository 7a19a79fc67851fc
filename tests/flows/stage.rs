//! The application without a terminal and without a network: events in, effects and cells out.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pvedeck::{
    app::{App, Effect, Event, Setup},
    domain::{ClusterId, Inventory},
    screens::Place,
    settings::{ColorDepth, keymap::Keymap},
    store::{
        Feed, FeedError, FeedErrorKind, FeedKey, MonitorKey, MonitorPayload, MonitorUpdate, Payload, Store,
        Update,
    },
    ui::{Glyphs, Theme, safe},
};
use ratatui::{buffer::Buffer, layout::Rect};

/// A Saturday morning.
const START: i64 = 1_795_248_000;

/// The application at a time of the test's choosing.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) now: Timestamp,
    pub(crate) effects: Vec<Effect>,
    size: (u16, u16),
    feeds: BTreeSet<FeedKey>,
    monitors: BTreeSet<MonitorKey>,
    paused: bool,
}

impl Stage {
    /// A console on these clusters that can write to none, nothing read yet.
    pub(crate) fn new(clusters: &[&str], size: (u16, u16)) -> Self {
        Self::writing(clusters, &[], size)
    }

    /// A console on these clusters that can write to some of them.
    pub(crate) fn writing(clusters: &[&str], writable: &[&str], size: (u16, u16)) -> Self {
        Self::drawn_with(clusters, writable, size, &Glyphs::UNICODE)
    }

    /// The same with signs of the test's choosing.
    pub(crate) fn drawn_with(
        clusters: &[&str],
        writable: &[&str],
        size: (u16, u16),
        glyphs: &Glyphs,
    ) -> Self {
        let ids: Vec<ClusterId> = clusters.iter().map(|name| (*name).into()).collect();
        Self::knowing(Store::new(ids), writable, size, glyphs)
    }

    /// A console with such a store.
    pub(crate) fn knowing(store: Store, writable: &[&str], size: (u16, u16), glyphs: &Glyphs) -> Self {
        let now = Timestamp::from_second(START).unwrap();
        let setup = Setup {
            store,
            keymap: Keymap::default(),
            themes: vec![Theme::mono()],
            glyphs: *glyphs,
            zone: TimeZone::UTC,
            user: "alice@pam".to_owned(),
            rules: pvedeck::plan::Rules::default(),
            writable: writable.iter().map(|name| (*name).into()).collect(),
            alone: None,
            ssh: Some(pvedeck::settings::Ssh::default()),
            depth: ColorDepth::True,
            mouse: true,
            graph: (None, None),
            place: Place::Deck,
            warnings: Vec::new(),
        };
        let mut stage = Self {
            app: App::new(setup, now, size),
            now,
            effects: Vec::new(),
            size,
            feeds: BTreeSet::new(),
            monitors: BTreeSet::new(),
            paused: false,
        };
        stage.event(Event::Ticked);
        stage
    }

    /// A console whose only cluster has been read once.
    pub(crate) fn live(inventory: Inventory) -> Self {
        let mut stage = Self::new(&["prod"], (140, 40));
        stage.resources("prod", inventory);
        stage
    }

    pub(crate) fn event(&mut self, event: Event) {
        if let Event::Resized(width, height) = event {
            self.size = (width, height);
        }
        for effect in self.app.update(event, self.now) {
            if let Effect::Watch { feeds, paused } = &effect {
                self.feeds.clone_from(feeds);
                self.paused = *paused;
            }
            if let Effect::WatchMonitors { feeds, .. } = &effect {
                self.monitors.clone_from(feeds);
            }
            self.effects.push(effect);
        }
    }

    /// Presses keys, written as in a keymap file.
    pub(crate) fn keys(&mut self, chords: &str) {
        for chord in chords.split_whitespace() {
            self.event(Event::KeyPressed(chord.parse().unwrap()));
        }
    }

    /// Types text letter by letter.
    pub(crate) fn type_in(&mut self, text: &str) {
        for letter in text.chars() {
            let chord = if letter == ' ' {
                "space".to_owned()
            } else {
                letter.to_string()
            };
            self.event(Event::KeyPressed(chord.parse().unwrap()));
        }
    }

    /// Lets seconds pass, one tick each.
    pub(crate) fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += SignedDuration::from_secs(1);
            self.event(Event::Ticked);
        }
    }

    pub(crate) fn read(&mut self, cluster: &str, feed: Feed, payload: Payload) {
        self.outcome(cluster, feed, Ok(payload));
    }

    pub(crate) fn resources(&mut self, cluster: &str, inventory: Inventory) {
        self.read(cluster, Feed::Resources, Payload::Resources(inventory));
    }

    /// Lets this sign-in do what the deeds of these tests need.
    pub(crate) fn allow(&mut self) {
        let privileges = [
            "VM.PowerMgmt",
            "VM.Migrate",
            "VM.Snapshot",
            "VM.Snapshot.Rollback",
            "VM.Audit",
        ];
        let privileges = privileges.into_iter().map(Into::into).collect();
        self.read(
            "prod",
            Feed::Permissions,
            Payload::Permissions(vec![("/".into(), privileges)]),
        );
    }

    pub(crate) fn fails(&mut self, cluster: &str, feed: Feed, kind: FeedErrorKind, message: &str) {
        let message = message.to_owned();
        self.outcome(cluster, feed, Err(FeedError { kind, message }));
    }

    /// Lets everything fail that is looked at and was not answered yet.
    pub(crate) fn rest_fails(&mut self) {
        let open: Vec<FeedKey> = self
            .feeds
            .iter()
            .filter(|key| self.app.store().freshness(key).tried_at.is_none())
            .cloned()
            .collect();
        for key in open {
            self.fails(
                key.cluster.as_str(),
                key.feed,
                FeedErrorKind::NotAvailable,
                "not there",
            );
        }
    }

    fn outcome(&mut self, cluster: &str, feed: Feed, outcome: Result<Payload, FeedError>) {
        let key = FeedKey {
            cluster: cluster.into(),
            feed,
        };
        let update = Update {
            key,
            at: self.now,
            outcome,
        };
        self.event(Event::Read(Box::new(update)));
    }

    /// What the readers were last told to read.
    pub(crate) fn watches(&self, cluster: &str, feed: Feed) -> bool {
        self.feeds.contains(&FeedKey {
            cluster: cluster.into(),
            feed,
        })
    }

    /// What the readers of monitoring servers were last told to read.
    pub(crate) fn monitors(&self) -> &BTreeSet<MonitorKey> {
        &self.monitors
    }

    /// Lets a monitoring server answer.
    pub(crate) fn measured(&mut self, key: &MonitorKey, outcome: Result<MonitorPayload, FeedError>) {
        let update = MonitorUpdate {
            key: key.clone(),
            at: self.now,
            outcome,
        };
        self.event(Event::Measured(Box::new(update)));
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn has_quit(&self) -> bool {
        self.effects.contains(&Effect::Quit)
    }

    /// Draws a frame and checks what must hold of every frame.
    pub(crate) fn frame(&mut self) -> Buffer {
        let (width, height) = self.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.app.draw(&mut buffer);
        for cell in &buffer.content {
            assert!(
                !cell.symbol().chars().any(safe::is_harmful),
                "{:?}",
                cell.symbol()
            );
        }
        buffer
    }

    pub(crate) fn text(&mut self) -> String {
        let buffer = self.frame();
        let width = usize::from(self.size.0.max(1));
        buffer
            .content
            .chunks(width)
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>())
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn shows(&mut self, what: &str) -> bool {
        self.text().contains(what)
    }
}
