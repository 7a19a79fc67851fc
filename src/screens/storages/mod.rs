//! All storages; a shared one is listed once.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Feed, Store};

/// The pane of the storages.
pub type Storages = List<AllStorages>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllStorages;

impl Listing for AllStorages {
    type Rows<'a> = view::StorageRows<'a>;
    const NAME: &'static str = "Storages";
    const SORT: (&'static str, bool) = ("storage", false);
    const FEEDS: &'static [Feed] = &[Feed::Resources];
    const NONE: &'static str = "There are no storages, or this sign-in may not see them.";

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::StorageRows::new(cx)
    }

    fn measured(rows: &Self::Rows<'_>) -> Vec<(usize, usize)> {
        rows.measures()
    }

    fn revision(store: &Store) -> u64 {
        store
            .storages_revision()
            .max(store.nodes_revision())
            .max(store.findings_revision())
    }
}
