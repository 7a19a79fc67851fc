//! How often each feed is read, and which of them although nobody looks.

use std::time::Duration;

use super::{BACKUP_SURVEY, Reason, SNAPSHOT_SURVEY, SURVEY, period};
use crate::store::{Feed, PbsFeed};

/// How often a feed is read for this reason.
pub(super) fn rhythm(feed: &Feed, reason: Reason) -> Duration {
    match (reason, feed) {
        (Reason::Survey, Feed::GuestSnapshots(_)) => SNAPSHOT_SURVEY,
        (
            Reason::Survey,
            Feed::Backups(..)
            | Feed::BackupTasks(_)
            | Feed::BackupJobs
            | Feed::NotBackedUp
            | Feed::StorageDefinitions,
        ) => period(feed).max(BACKUP_SURVEY),
        // The server reads each backup's manifest for it.
        (Reason::Survey, Feed::Pbs(PbsFeed::Snapshots(..))) => period(feed).max(SURVEY * 6),
        (Reason::Survey, feed) if is_found_by_survey(feed) => period(feed).max(SURVEY),
        (_, feed) => period(feed),
    }
}

/// Whether it is about a part that comes and goes: a node, a datastore.
pub(super) fn is_found_by_survey(feed: &Feed) -> bool {
    feed.node().is_some()
        || feed.vmid().is_some()
        || matches!(feed, Feed::Pbs(of) if of.datastore().is_some())
}

/// What findings and the palette live on even when nobody looks.
pub(super) fn survives(feed: &Feed) -> bool {
    matches!(
        feed,
        Feed::HaStatus
            | Feed::Version
            | Feed::NodeStatus(_)
            | Feed::NodeServices(_)
            | Feed::NodeCertificates(_)
            | Feed::NodeReplication(_)
            | Feed::NodeTime(_)
            | Feed::NodeDisks(_)
            | Feed::NodeUpdates(_)
            | Feed::NodeSubscription(_)
            | Feed::Pbs(_)
            | Feed::Backups(..)
            | Feed::BackupTasks(_)
            | Feed::BackupJobs
            | Feed::NotBackedUp
            | Feed::StorageDefinitions
            | Feed::GuestSnapshots(_)
    )
}
