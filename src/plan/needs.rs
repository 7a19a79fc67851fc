//! What has to be read before a plan is complete. A plan made without it is not wrong, but knows fewer risks.

use std::collections::BTreeSet;

use super::Deed;
use crate::{
    domain::ObjectRef,
    store::{Feed, FeedKey, Store},
};

/// The feeds that the plan of a deed to these targets looks at, beside the inventory.
pub fn needs(deed: Deed, targets: &[ObjectRef], store: &Store) -> BTreeSet<FeedKey> {
    let mut feeds = BTreeSet::new();
    for target in targets {
        let mut need = |feed: Feed| feeds.insert(feed.of(target.cluster()));
        need(Feed::Permissions);
        let ObjectRef::Guest(guest) = target else { continue };
        if store.guest(guest).is_none() {
            continue;
        }
        let vmid = guest.vmid;
        // The inventory is up to ten seconds old and calls a paused machine running.
        need(Feed::GuestStatus(vmid));
        match deed {
            Deed::SnapshotCreate | Deed::SnapshotDelete | Deed::SnapshotRollback => {
                need(Feed::GuestSnapshots(vmid));
            }
            Deed::GuestMigrate
            | Deed::GuestResources
            | Deed::GuestTags
            | Deed::GuestNotes
            | Deed::GuestOptions
            | Deed::GuestUnlock => {
                need(Feed::GuestConfig(vmid));
            }
            Deed::GuestClone
            | Deed::GuestTemplate
            | Deed::DiskResize
            | Deed::DiskMove
            | Deed::GuestDelete => {
                need(Feed::GuestConfig(vmid));
                need(Feed::GuestSnapshots(vmid));
            }
            _ => {}
        }
    }
    feeds
}
