//! Which object a word on the command line means.

use super::{
    connect::{self, Link},
    exit::{Code, Failure},
};
use crate::domain::{GuestKind, GuestRef, NodeName, NodeRef, ObjectRef, StorageRef};

/// An object with the way to it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The connection to its cluster.
    pub(super) link: Link,
    /// Which object.
    pub(super) object: ObjectRef,
    /// Where a guest is, and what kind it is.
    pub(super) guest: Option<(NodeName, GuestKind)>,
}

/// What has metrics: a guest by VMID or name, a node, a storage as `NODE/STORAGE`. One that several clusters have must be
/// chosen with `--cluster`.
pub(super) async fn measured(target: &str, links: &[Link]) -> Result<Found, Failure> {
    let mut found: Vec<Found> = Vec::new();
    for link in links {
        let cluster = link.id.clone();
        let inventory = link
            .client
            .resources()
            .await
            .map_err(|error| connect::failure(&error))?;
        let mut add = |object, guest| {
            found.push(Found {
                link: link.clone(),
                object,
                guest,
            });
        };
        for guest in &inventory.guests {
            if guest.vmid.to_string() == target || guest.label() == target {
                let object = ObjectRef::Guest(GuestRef {
                    cluster: cluster.clone(),
                    vmid: guest.vmid,
                });
                add(object, Some((guest.node.clone(), guest.kind)));
            }
        }
        for node in inventory.nodes.iter().filter(|node| node.name.as_str() == target) {
            let object = ObjectRef::Node(NodeRef {
                cluster: cluster.clone(),
                node: node.name.clone(),
            });
            add(object, None);
        }
        for storage in &inventory.storages {
            if format!("{}/{}", storage.node, storage.name) == target {
                let object = ObjectRef::Storage(StorageRef {
                    cluster: cluster.clone(),
                    node: storage.node.clone(),
                    storage: storage.name.clone(),
                });
                add(object, None);
            }
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found
            .iter()
            .map(|one| format!("{} on {}", one.object, one.object.cluster()))
            .collect();
        return Err(Failure::new(
            Code::Usage,
            format!(
                "`{target}` is ambiguous: {}; use the VMID, or choose with --cluster",
                names.join(", ")
            ),
        ));
    }
    found.pop().ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            format!("there is no guest, node or NODE/STORAGE `{target}`; `pvedeck get` lists what there is"),
        )
    })
}
