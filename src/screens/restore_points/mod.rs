//! Every guest with its last good backup, held against its recovery-point objective.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::ObjectRef,
    store::{Feed, FeedKey, Store},
};

/// The pane of the restore points.
pub type RestorePoints = List<AllRestorePoints>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllRestorePoints;

impl Listing for AllRestorePoints {
    type Rows<'a> = view::PointRows<'a>;
    const NAME: &'static str = "Restore points";
    const SORT: (&'static str, bool) = ("state", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const EXTRA: &'static [Feed] = &[Feed::BackupJobs, Feed::NotBackedUp];
    const NONE: &'static str = "There are no guests, or this sign-in may not see them.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::PointRows::new(cx)
    }

    fn more_feeds(cx: &Cx<'_>, _of: Option<&ObjectRef>) -> Vec<FeedKey> {
        let clusters = cx.store.clusters().iter();
        clusters
            .flat_map(|cluster| cluster.backup_feeds().map(|feed| feed.of(cluster.id())))
            .collect()
    }

    fn revision(store: &Store) -> u64 {
        store.backups_revision().max(store.guests_revision())
    }
}
