//! All clusters and standalone hosts.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Feed, Store};

/// The pane of the clusters.
pub type Clusters = List<AllClusters>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllClusters;

impl Listing for AllClusters {
    type Rows<'a> = view::ClusterRows<'a>;
    const NAME: &'static str = "Clusters";
    const SORT: (&'static str, bool) = ("cluster", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources, Feed::ClusterStatus];
    const EXTRA: &'static [Feed] = &[Feed::Version, Feed::HaStatus];
    const DIMS: bool = false;
    const NONE: &'static str = "No cluster is configured.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::ClusterRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.revision()
    }
}
