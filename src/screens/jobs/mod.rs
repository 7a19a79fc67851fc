//! All backup jobs.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::{NodeStatus, ObjectRef},
    store::{Feed, FeedKey, Store},
};

/// The pane of the backup jobs.
pub type Jobs = List<AllJobs>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllJobs;

impl Listing for AllJobs {
    type Rows<'a> = view::JobRows<'a>;
    const NAME: &'static str = "Backup jobs";
    const SORT: (&'static str, bool) = ("next run", false);
    const FEEDS: &'static [Feed] = &[Feed::BackupJobs];
    const EXTRA: &'static [Feed] = &[Feed::StorageDefinitions, Feed::NotBackedUp];
    const NONE: &'static str = "There is no backup job, or this sign-in may not see any.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::JobRows::new(cx)
    }

    fn survey(cx: &Cx<'_>, _of: Option<&ObjectRef>) -> Vec<FeedKey> {
        let nodes = cx
            .store
            .nodes()
            .filter(|(_, node)| node.status == NodeStatus::Online);
        nodes
            .flat_map(|(cluster, node)| {
                [
                    Feed::BackupTasks(node.name.clone()).of(cluster),
                    Feed::NodeTime(node.name.clone()).of(cluster),
                ]
            })
            .collect()
    }

    fn revision(store: &Store) -> u64 {
        store.backups_revision().max(store.details_revision())
    }

    fn note(store: &Store) -> String {
        let lost: usize = store
            .clusters()
            .iter()
            .filter_map(|cluster| cluster.not_backed_up())
            .map(<[_]>::len)
            .sum();
        match lost {
            0 => String::new(),
            1 => "1 guest in no job".to_owned(),
            lost => format!("{lost} guests in no job"),
        }
    }
}
