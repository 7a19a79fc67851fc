//! From the freshness of feeds to what the frame of a pane says.

use super::Cx;
use crate::{
    domain::quantity,
    store::{FeedKey, MonitorKey},
    ui::pane::Freshness,
};

/// Age, staleness and error of what a pane shows. It is as old as the oldest feed that it is made of; of several
/// errors the first speaks, with its cluster's name where there are several.
pub fn freshness(cx: &Cx<'_>, keys: impl IntoIterator<Item = FeedKey>) -> Freshness {
    let mut shown = Freshness::default();
    let mut oldest = None;
    // Half a period more than a read may take: in normal operation the frame rests.
    let mut rhythm = 0;
    for key in keys {
        let feed = cx.store.freshness(&key);
        oldest = oldest.max(feed.age(cx.now));
        rhythm = rhythm.max(key.feed.period().as_secs() * 3 / 2);
        shown.stale |= feed.is_stale(cx.now);
        if let (None, Some(error)) = (&shown.error, feed.error) {
            shown.error = Some(if several_clusters(cx) {
                format!("{}: {}", key.cluster, error.message)
            } else {
                error.message.clone()
            });
        }
    }
    shown.age = oldest.map_or_else(String::new, |age| quantity::age_within(age.as_secs(), rhythm));
    shown
}

/// The same of what monitoring has a part in. A server's error has its name in front of it.
pub fn with_monitors<'k>(
    cx: &Cx<'_>,
    keys: impl IntoIterator<Item = FeedKey>,
    monitors: impl IntoIterator<Item = &'k MonitorKey>,
) -> Freshness {
    let keys: Vec<FeedKey> = keys.into_iter().collect();
    let mut shown = freshness(cx, keys.iter().cloned());
    let mut oldest = keys
        .iter()
        .filter_map(|key| cx.store.freshness(key).age(cx.now))
        .max();
    let mut rhythm = keys.iter().map(|key| key.feed.period().as_secs()).max();
    for key in monitors {
        let feed = cx.store.monitors.freshness(key);
        oldest = oldest.max(feed.age(cx.now));
        rhythm = rhythm.max(Some(key.feed.period().as_secs()));
        shown.stale |= feed.is_stale(cx.now);
        if let (None, Some(error)) = (&shown.error, feed.error) {
            shown.error = Some(format!("{}: {}", key.server, error.message));
        }
    }
    let rhythm = rhythm.unwrap_or(0) * 3 / 2;
    shown.age = oldest.map_or_else(String::new, |age| quantity::age_within(age.as_secs(), rhythm));
    shown
}

/// Whether things have to say of which cluster they are.
pub fn several_clusters(cx: &Cx<'_>) -> bool {
    cx.store.clusters().len() > 1
}
