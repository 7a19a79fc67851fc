//! What is wrong: alerts of Prometheus and Alertmanager and the console's own findings, in one list.

pub mod view;

use super::{
    Cx, Place,
    alarms::feeds,
    list::{List, Listing},
};
use crate::{
    domain::ObjectRef,
    store::{Feed, MonitorKey, Store},
};

/// The pane of the alerts.
pub type Alerts = List<AllAlerts>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllAlerts;

impl Listing for AllAlerts {
    type Rows<'a> = view::AlertRows<'a>;
    const NAME: &'static str = "Alerts";
    const SORT: (&'static str, bool) = ("severity", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources, Feed::ClusterStatus];
    const EXTRA: &'static [Feed] = &[Feed::HaStatus, Feed::Tasks];
    // What a dead server said last is dimmed; what the console sees itself says so in its text.
    const DIMS: bool = false;
    const NONE: &'static str = "Nothing is wrong.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::AlertRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.findings_revision().max(store.guests_revision())
    }

    fn note(store: &Store) -> String {
        let (critical, warning) = store.loud_alarms();
        let loud = |alarm: &&crate::domain::Alarm| alarm.standing().is_loud();
        let quiet = store.alarms().len() - store.alarms().iter().filter(loud).count();
        let counts = [(critical, "critical"), (warning, "warning"), (quiet, "quiet")];
        let words = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words.map(|(count, word)| format!("{count} {word}")).collect();
        words.join(" ")
    }

    fn monitors(store: &Store) -> Vec<MonitorKey> {
        feeds(store)
    }

    /// What it speaks of; its own page, where that is not known.
    fn open(store: &Store, object: ObjectRef) -> Place {
        let about = match &object {
            ObjectRef::Alert(key) => store.alarm(*key).and_then(|alarm| alarm.object.clone()),
            _ => None,
        };
        Place::Object(about.unwrap_or(object))
    }
}
