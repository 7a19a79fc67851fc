//! What has to be read before a plan is complete. A plan made without it is not wrong, but knows fewer risks.

use std::collections::BTreeSet;

use super::{Deed, make::ACCOUNTS};
use crate::{
    domain::{GuestKind, ObjectRef},
    store::{Feed, FeedKey, Store},
};

/// The feeds that the plan of a deed to these targets looks at, beside the inventory.
pub fn needs(deed: Deed, targets: &[ObjectRef], store: &Store) -> BTreeSet<FeedKey> {
    let mut feeds = BTreeSet::new();
    for target in targets {
        let mut need = |feed: Feed| feeds.insert(feed.of(target.cluster()));
        need(Feed::Permissions);
        if let ObjectRef::Node(node) = target {
            match deed {
                Deed::NodeEvacuate => {
                    need(Feed::HaRules);
                    need(Feed::NodeReplication(node.node.clone()));
                    for guest in store.guests_on(node) {
                        need(Feed::GuestConfig(guest.vmid));
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
        let ObjectRef::Guest(guest) = target else { continue };
        if store.guest(guest).is_none() {
            continue;
        }
        let vmid = guest.vmid;
        match deed {
            Deed::SnapshotCreate | Deed::SnapshotDelete | Deed::SnapshotRollback => {
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
            }
            _ => {
                // The inventory is up to ten seconds old and calls a paused machine running.
                need(Feed::GuestStatus(vmid));
            }
        }
    }
    feeds
}
