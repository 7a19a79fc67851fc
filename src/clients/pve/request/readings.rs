//! What is asked about the whole cluster for monitoring.

use jiff::Timestamp;

use super::{Get, Sample};
use crate::{
    clients::pve::wire::readings as wire,
    domain::{Vmid, reading::Reading},
};

/// `/cluster/metrics/export`: the newest readings of the whole cluster, or all after a moment; half an hour is kept. It is
/// empty where nothing was collected, and older servers do not know it.
pub fn cluster_readings(after: Option<Timestamp>) -> Get<Vec<Reading>> {
    let get = Get::new(&["cluster", "metrics", "export"], wire::export);
    match after {
        // A start alone would give the newest readings only, or none where they are older.
        Some(after) => get.with("history", &1).with("start-time", &after.as_second()),
        None => get,
    }
}

/// `/cluster/backup-info/not-backed-up`: guests that are in no backup job.
pub fn guests_not_backed_up() -> Get<Vec<Vmid>> {
    Get::new(&["cluster", "backup-info", "not-backed-up"], wire::not_backed_up)
}

/// A sample of each.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        cluster_readings(None).sample(),
        cluster_readings(Some(Timestamp::UNIX_EPOCH)).sample(),
        guests_not_backed_up().sample(),
    ]
}
