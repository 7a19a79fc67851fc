//! All backups on all storages; on the deck, those of what is selected.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::ObjectRef,
    store::{Cluster, Feed, FeedKey, Store},
};

/// The pane of the backups.
pub type Backups = List<AllBackups>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllBackups;

impl Listing for AllBackups {
    type Rows<'a> = view::BackupRows<'a>;
    const NAME: &'static str = "Backups";
    const SORT: (&'static str, bool) = ("age", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const EXTRA: &'static [Feed] = &[Feed::StorageDefinitions];
    const NONE: &'static str = "There is no backup, or this sign-in may not see any.";
    const DIMS: bool = false;

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::BackupRows::new(cx, None)
    }

    fn rows_of<'a>(cx: &Cx<'a>, of: Option<&ObjectRef>) -> Self::Rows<'a> {
        view::BackupRows::new(cx, of)
    }

    fn more_feeds(cx: &Cx<'_>, of: Option<&ObjectRef>) -> Vec<FeedKey> {
        let clusters = cx.store.clusters().iter();
        let wanted = clusters.filter(|cluster| of.is_none_or(|of| of.cluster() == cluster.id()));
        wanted
            .flat_map(|cluster: &Cluster| cluster.backup_feeds().map(|feed| feed.of(cluster.id())))
            .filter(|key| match (of, &key.feed) {
                (Some(ObjectRef::Storage(storage)), Feed::Backups(_, name)) => *name == storage.storage,
                _ => true,
            })
            .collect()
    }

    fn follows(object: &ObjectRef) -> bool {
        matches!(
            object,
            ObjectRef::Guest(_) | ObjectRef::Node(_) | ObjectRef::Storage(_)
        )
    }

    fn revision(store: &Store) -> u64 {
        store
            .backups_revision()
            .max(store.guests_revision())
            .max(store.storages_revision())
            .max(store.nodes_revision())
    }

    fn note(store: &Store) -> String {
        let bad = store.backups().filter(|backup| backup.volume.is_bad()).count();
        match bad {
            0 => String::new(),
            bad => format!("{bad} bad"),
        }
    }
}
