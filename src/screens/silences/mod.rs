//! What keeps alerts quiet, and until when.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::MonitorKind,
    store::{Feed, MonitorFeed, MonitorKey, Store},
};

/// The pane of the silences.
pub type Silences = List<AllSilences>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllSilences;

impl Listing for AllSilences {
    type Rows<'a> = view::SilenceRows<'a>;
    const NAME: &'static str = "Silences";
    const SORT: (&'static str, bool) = ("state", false);
    const FEEDS: &'static [Feed] = &[];
    const DIMS: bool = false;
    const NONE: &'static str =
        "Nothing is silenced. Silences are those of Alertmanager: [[alertmanager]] in the configuration.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::SilenceRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.monitors_revision().max(store.findings_revision())
    }

    fn monitors(store: &Store) -> Vec<MonitorKey> {
        let managers = store.monitors.of(MonitorKind::Alertmanager);
        managers
            .flat_map(|server| {
                [
                    MonitorFeed::Silences.of(server.id()),
                    MonitorFeed::Alerts.of(server.id()),
                ]
            })
            .collect()
    }
}
