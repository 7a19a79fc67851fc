//! The snapshots of all guests; on the deck, the tree of what is selected.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::{
    domain::{GuestRef, NodeStatus, ObjectRef},
    store::{Feed, FeedKey, Store},
};

/// The pane of the snapshots.
pub type Snapshots = List<AllSnapshots>;

/// Guests whose snapshots are read at a time while one looks: the others follow.
const AT_ONCE: usize = 4;

/// What the pane lists.
#[derive(Debug)]
pub struct AllSnapshots;

impl Listing for AllSnapshots {
    type Rows<'a> = view::SnapshotRows<'a>;
    const NAME: &'static str = "Snapshots";
    const SORT: (&'static str, bool) = ("snapshot", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const NONE: &'static str = "No snapshot is known.";
    const DIMS: bool = false;

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::SnapshotRows::new(cx, None)
    }

    fn rows_of<'a>(cx: &Cx<'a>, of: Option<&ObjectRef>) -> Self::Rows<'a> {
        view::SnapshotRows::new(cx, of)
    }

    fn more_feeds(_cx: &Cx<'_>, of: Option<&ObjectRef>) -> Vec<FeedKey> {
        match of {
            Some(ObjectRef::Guest(guest)) => vec![Feed::GuestSnapshots(guest.vmid).of(&guest.cluster)],
            _ => Vec::new(),
        }
    }

    /// The next guests that were never asked: one request each, a few at a time.
    fn survey(cx: &Cx<'_>, of: Option<&ObjectRef>) -> Vec<FeedKey> {
        if matches!(of, Some(ObjectRef::Guest(_))) {
            return Vec::new();
        }
        guests_of(cx, of)
            .map(|guest| Feed::GuestSnapshots(guest.vmid).of(&guest.cluster))
            .filter(|key| cx.store.freshness(key).tried_at.is_none())
            .take(AT_ONCE)
            .collect()
    }

    fn follows(object: &ObjectRef) -> bool {
        matches!(object, ObjectRef::Guest(_) | ObjectRef::Node(_))
    }

    fn revision(store: &Store) -> u64 {
        store.backups_revision().max(store.guests_revision())
    }

    fn note(store: &Store) -> String {
        let unread = store
            .guests()
            .filter(|(cluster, guest)| {
                let key = Feed::GuestSnapshots(guest.vmid).of(cluster);
                !guest.template && store.freshness(&key).tried_at.is_none()
            })
            .count();
        match unread {
            0 => String::new(),
            unread => format!("{unread} guests not read yet"),
        }
    }
}

/// The guests that an object means and that can be asked for snapshots.
fn guests_of<'a>(cx: &'a Cx<'_>, of: Option<&'a ObjectRef>) -> impl Iterator<Item = GuestRef> + 'a {
    cx.store.clusters().iter().flat_map(move |cluster| {
        cluster
            .guests()
            .iter()
            .filter(move |guest| match of {
                Some(ObjectRef::Node(node)) => node.cluster == *cluster.id() && node.node == guest.node,
                _ => true,
            })
            .filter(move |guest| {
                !guest.template
                    && cluster
                        .node(&guest.node)
                        .is_some_and(|node| node.status == NodeStatus::Online)
            })
            .map(move |guest| GuestRef {
                cluster: cluster.id().clone(),
                vmid: guest.vmid,
            })
    })
}
