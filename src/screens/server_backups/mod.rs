//! The backups on all Backup Servers.

pub mod view;

use std::collections::BTreeSet;

use super::{
    Cx,
    list::{List, Listing},
};
use crate::store::{Cluster, Feed, FeedKey, PbsFeed, Store};

/// The pane of the backups on Backup Servers.
pub type ServerBackups = List<AllServerBackups>;

/// What the pane lists.
#[derive(Debug)]
pub struct AllServerBackups;

impl Listing for AllServerBackups {
    type Rows<'a> = view::BackupRows<'a>;
    const NAME: &'static str = "Server backups";
    const SORT: (&'static str, bool) = ("age", false);
    const FEEDS: &'static [Feed] = &[Feed::Pbs(PbsFeed::Datastores)];
    const NONE: &'static str = "There are no backups, or this sign-in may not see them.";
    const NOBODY: &'static str = "No Backup Server is configured. `pvedeck login --pbs` connects to one; see [pbs.NAME] of the configuration.";

    fn members(store: &Store) -> &[Cluster] {
        store.backup_servers()
    }

    fn more(cx: &Cx<'_>, feeds: &mut BTreeSet<FeedKey>) {
        for member in cx.store.backup_servers() {
            let contents = member
                .backup_server()
                .map(crate::store::BackupServer::content_feeds);
            let keys = contents.unwrap_or_default().into_iter();
            feeds.extend(keys.map(|feed| Feed::Pbs(feed).of(member.id())));
        }
    }

    fn rows<'a>(cx: &Cx<'a>) -> Self::Rows<'a> {
        view::BackupRows::new(cx)
    }

    fn revision(store: &Store) -> u64 {
        store.servers_revision()
    }

    fn note(store: &Store) -> String {
        let all = store.backup_servers().iter().filter_map(Cluster::backup_server);
        let failed = all
            .flat_map(crate::store::BackupServer::all_snapshots)
            .filter(|(.., one)| one.verification == Some(crate::domain::backup::Verification::Failed))
            .count();
        match failed {
            0 => String::new(),
            failed => format!("{failed} failed verification"),
        }
    }
}
