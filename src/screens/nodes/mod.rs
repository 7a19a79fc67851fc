//! All nodes of all clusters.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Feed, Store};

/// The pane of the nodes.
pub type Nodes = List<AllNodes>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllNodes;

impl Listing for AllNodes {
    type Rows<'a> = view::NodeRows<'a>;
    const NAME: &'static str = "Nodes";
    const SORT: (&'static str, bool) = ("node", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const NONE: &'static str = "No cluster has told of a node.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::NodeRows::new(cx)
    }

    fn measured(rows: &Self::Rows<'_>) -> Vec<(usize, usize)> {
        rows.measures()
    }

    fn revision(store: &Store) -> u64 {
        store
            .nodes_revision()
            .max(store.guests_revision())
            .max(store.findings_revision())
    }
}
