//! What has to be read before a plan is complete. A plan made without it is not wrong, but knows fewer risks.

use std::collections::BTreeSet;

use super::{Deed, make::ACCOUNTS};
use crate::{
    domain::{GuestKind, NodeRef, ObjectRef, config::GuestConfig},
    store::{BackupServer, Feed, FeedKey, JobSort, PbsFeed, Store},
};

/// Targets whose details are read: one request each and more. Plans for more than these know less of the rest.
const DETAILED: usize = 200;

/// Guests of which the server is asked whether they can move: what it says costs a scan of their disks.
const ASKED: usize = 20;

/// The feeds that the plan of a deed to these targets looks at, beside the inventory.
pub fn needs(deed: Deed, targets: &[ObjectRef], store: &Store) -> BTreeSet<FeedKey> {
    let mut feeds = BTreeSet::new();
    for target in targets.iter().take(DETAILED) {
        let mut need = |feed: Feed| feeds.insert(feed.of(target.cluster()));
        need(Feed::Permissions);
        if let Some(wanted) = of_server(target, store) {
            for feed in wanted {
                need(Feed::Pbs(feed));
            }
            continue;
        }
        let guest = match target {
            ObjectRef::Guest(guest) => guest,
            ObjectRef::Node(node) => {
                of_node(deed, node, store, need);
                continue;
            }
            _ => continue,
        };
        let Some(known) = store.guest(guest) else { continue };
        let vmid = guest.vmid;
        // One read for all guests of a node.
        if deed == Deed::GuestDelete {
            need(Feed::NodeReplication(known.node.clone()));
        }
        // One read for all guests, or for those of a node.
        if super::make::may_lose(deed) {
            need(Feed::NotBackedUp);
        }
        if matches!(deed, Deed::GuestDelete | Deed::SnapshotRollback) {
            for feed in super::make::backup_feeds(store, guest) {
                need(feed);
            }
        }
        match deed {
            Deed::SnapshotCreate | Deed::SnapshotDelete => {
                need(Feed::GuestSnapshots(vmid));
            }
            Deed::GuestKeyAdd | Deed::GuestKeyRevoke => {
                need(Feed::GuestConfig(vmid));
                need(Feed::GuestPending(vmid));
                if store
                    .guest(guest)
                    .is_some_and(|guest| guest.kind == GuestKind::Qemu)
                {
                    need(Feed::GuestFile(vmid, ACCOUNTS.into()));
                }
            }
            Deed::FirewallGroupAttach
            | Deed::FirewallGroupDetach
            | Deed::FirewallOpen
            | Deed::FirewallClose
            | Deed::FirewallEnable
            | Deed::FirewallDisable => {
                need(Feed::GuestConfig(vmid));
                need(Feed::GuestFirewall(vmid));
                need(Feed::ClusterFirewall);
                need(Feed::FirewallGroups);
            }
            Deed::GuestMigrate => {
                need(Feed::GuestConfig(vmid));
                if targets.len() <= ASKED {
                    need(Feed::GuestMigration(vmid));
                }
            }
            Deed::GuestResources
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
            | Deed::SnapshotRollback
            | Deed::GuestDelete => {
                need(Feed::GuestConfig(vmid));
                need(Feed::GuestSnapshots(vmid));
                // Only a template has clones that live on its disks; which storages these are on, its configuration
                // says.
                let config = store.guest_config(guest).filter(|_| known.template);
                for disk in config.map(GuestConfig::disks).unwrap_or_default() {
                    if let Some(storage) = disk.storage.filter(|_| deed == Deed::GuestDelete) {
                        need(Feed::StorageContent(known.node.clone(), storage));
                    }
                }
            }
            _ => {
                // The inventory is up to ten seconds old and calls a paused machine running.
                need(Feed::GuestStatus(vmid));
            }
        }
    }
    feeds
}

/// What the plan of a deed to a node looks at.
fn of_node(deed: Deed, node: &NodeRef, store: &Store, mut need: impl FnMut(Feed) -> bool) {
    match deed {
        Deed::NodeEvacuate => {
            need(Feed::HaRules);
            need(Feed::NodeReplication(node.node.clone()));
            let guests = store.guests_on(node);
            let few = store.guests_on(node).count() <= ASKED;
            for guest in guests {
                need(Feed::GuestConfig(guest.vmid));
                if few {
                    need(Feed::GuestMigration(guest.vmid));
                }
            }
        }
        Deed::NodeShutdown | Deed::NodeReboot => {
            need(Feed::ClusterStatus);
        }
        Deed::NodeServiceStart
        | Deed::NodeServiceStop
        | Deed::NodeServiceRestart
        | Deed::NodeServiceReload => {
            need(Feed::NodeServices(node.node.clone()));
        }
        _ => {}
    }
}

/// What a plan looks at that is about a Backup Server; `None` for other targets.
fn of_server(target: &ObjectRef, store: &Store) -> Option<Vec<PbsFeed>> {
    let (name, namespace) = match target {
        ObjectRef::Datastore(datastore) => (&datastore.store, None),
        ObjectRef::ServerBackup(backup) => (&backup.store, Some(&backup.namespace)),
        _ => return None,
    };
    let mut feeds = vec![PbsFeed::Usage, PbsFeed::Datastores];
    if let Some(namespace) = namespace {
        feeds.push(PbsFeed::Snapshots((**name).into(), (**namespace).into()));
        return Some(feeds);
    }
    feeds.push(PbsFeed::Zone);
    feeds.extend([JobSort::Verify, JobSort::Prune, JobSort::Sync].map(PbsFeed::Jobs));
    let contents = store
        .backup_server(target.cluster())
        .map(BackupServer::content_feeds);
    let mine = |feed: &PbsFeed| feed.datastore() == Some(&**name);
    feeds.extend(contents.unwrap_or_default().into_iter().filter(mine));
    Some(feeds)
}
