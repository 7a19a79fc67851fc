//! What the screens of alerts, of silences and of single ones share: what they ask for, and their words.

use crate::{
    domain::{
        MonitorKind,
        alarm::Source,
        alert::{Silence, SilenceState},
    },
    store::{MonitorFeed, MonitorKey, Store},
};

/// What monitoring is asked about alerts and what keeps them quiet.
pub fn feeds(store: &Store) -> Vec<MonitorKey> {
    let mut feeds = Vec::new();
    for server in store.monitors.all() {
        let id = server.id();
        match id.kind {
            MonitorKind::Prometheus => feeds.push(MonitorFeed::Alerts.of(id)),
            MonitorKind::Alertmanager => {
                feeds.extend([MonitorFeed::Alerts.of(id), MonitorFeed::Silences.of(id)]);
            }
            MonitorKind::Exporter => {}
        }
    }
    feeds
}

/// Who tells of it, in a word.
pub fn source(source: &Source) -> String {
    match source {
        Source::Server(id) => id.to_string(),
        Source::Findings => "pvedeck".to_owned(),
    }
}

/// How it stands, in a word.
pub fn state(state: SilenceState) -> &'static str {
    match state {
        SilenceState::Active => "active",
        SilenceState::Pending => "pending",
        SilenceState::Expired => "expired",
        SilenceState::Unknown => "unknown",
    }
}

/// Its matchers in a line.
pub fn matchers(silence: &Silence) -> String {
    let all: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    all.join(", ")
}
