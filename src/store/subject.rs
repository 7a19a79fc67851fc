//! What is known of an object, to find its series by.

use super::{Cluster, Store};
use crate::domain::{ObjectRef, matching::Subject};

impl Store {
    /// An object as monitoring may know it; nothing of what is not there.
    pub fn subject(&self, object: &ObjectRef) -> Option<Subject> {
        let cluster = self.cluster(object.cluster())?;
        let clusters = names(cluster);
        match object {
            ObjectRef::Guest(id) => {
                let guest = cluster.guest(id.vmid)?;
                let interfaces = self.guest_addresses(id).unwrap_or_default();
                let addresses = interfaces
                    .iter()
                    .flat_map(|interface| interface.addresses.iter())
                    .map(|address| bare(address))
                    .filter(|address| !address.starts_with("127.") && *address != "::1")
                    .map(Into::into);
                Some(Subject {
                    clusters,
                    kind: Some(guest.kind),
                    vmid: Some(guest.vmid),
                    name: guest.name.as_deref().map(Into::into),
                    node: Some(guest.node.as_str().into()),
                    addresses: addresses.collect(),
                    ..Subject::default()
                })
            }
            ObjectRef::Node(id) => {
                cluster.node(&id.node)?;
                let members = cluster.status().map(|status| status.members.as_slice());
                let member = members
                    .unwrap_or_default()
                    .iter()
                    .find(|member| member.name == id.node);
                Some(Subject {
                    clusters,
                    name: Some(id.node.as_str().into()),
                    node: Some(id.node.as_str().into()),
                    addresses: member
                        .and_then(|member| member.ip)
                        .map(|address| address.to_string().into())
                        .into_iter()
                        .collect(),
                    ..Subject::default()
                })
            }
            ObjectRef::Storage(id) => {
                cluster.storage(&id.node, &id.storage)?;
                Some(Subject {
                    clusters,
                    node: Some(id.node.as_str().into()),
                    storage: Some(id.storage.as_str().into()),
                    ..Subject::default()
                })
            }
            _ => None,
        }
    }
}

/// What monitoring may call a cluster: the name in the configuration, and its own.
fn names(cluster: &Cluster) -> Vec<Box<str>> {
    let own = cluster.status().and_then(|status| status.name.as_deref());
    let mut names: Vec<Box<str>> = vec![cluster.id().as_str().into()];
    names.extend(own.filter(|own| *own != cluster.id().as_str()).map(Into::into));
    names
}

/// An address without its prefix length.
fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}
