//! The datastores of all Backup Servers.

pub mod view;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Cluster, Feed, JobSort, PbsFeed, Store};

/// The pane of the datastores.
pub type Datastores = List<AllDatastores>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllDatastores;

impl Listing for AllDatastores {
    type Rows<'a> = view::DatastoreRows<'a>;
    const NAME: &'static str = "Datastores";
    const SORT: (&'static str, bool) = ("datastore", false);
    const FEEDS: &'static [Feed] = &[Feed::Pbs(PbsFeed::Usage), Feed::Pbs(PbsFeed::Datastores)];
    const EXTRA: &'static [Feed] = &[
        Feed::Pbs(PbsFeed::Collections),
        Feed::Pbs(PbsFeed::Jobs(JobSort::Verify)),
        Feed::Pbs(PbsFeed::Jobs(JobSort::Prune)),
        Feed::Pbs(PbsFeed::Jobs(JobSort::Sync)),
    ];
    const NONE: &'static str = "There are no datastores, or this sign-in may not see them.";
    const NOBODY: &'static str = "No Backup Server is configured. `pvedeck login --pbs` connects to one; see [pbs.NAME] of the configuration.";

    fn members(store: &Store) -> &[Cluster] {
        store.backup_servers()
    }

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::DatastoreRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.servers_revision().max(store.findings_revision())
    }
}
