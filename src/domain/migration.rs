//! What a server says about moving a guest, before anybody does it.

use std::fmt;

use super::{NodeName, StorageName};

/// What stands in the way of a move and what would go along: `…/migrate`. All names are foreign text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Migration {
    /// The nodes that it may go to; `None` where the server does not say (before 9, for a machine that runs).
    pub allowed: Option<Vec<NodeName>>,
    /// The nodes that something speaks against, each with what.
    pub refused: Vec<(NodeName, Vec<Obstacle>)>,
    /// Disks and images on storage that only its node has.
    pub local_disks: Vec<LocalDisk>,
    /// Devices of its node that it uses, by their keys: `hostpci0`.
    pub local_resources: Vec<Box<str>>,
    /// HA resources that go where it goes: `vm:105`.
    pub together: Vec<Box<str>>,
}

/// A volume that only the guest's node has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalDisk {
    /// Its volume id.
    pub volid: Box<str>,
    /// Bytes.
    pub size: Option<u64>,
    /// Whether it is in a CD drive.
    pub cdrom: bool,
    /// Whether no drive of the guest uses it.
    pub unused: bool,
}

/// Why a guest cannot go to a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// A storage that it uses is not there.
    Storage(StorageName),
    /// A mapped device that it uses is not there.
    Resource(Box<str>),
    /// An HA resource that must not be on one node with it is there.
    Apart(Box<str>),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(storage) => write!(f, "storage {storage} is not available there"),
            Self::Resource(resource) => write!(f, "the mapped device {resource} is not there"),
            Self::Apart(sid) => write!(f, "{sid} is there, and HA keeps them apart"),
        }
    }
}

impl Migration {
    /// Why it cannot go to a node, if the server says that it cannot.
    pub fn against(&self, node: &str) -> Option<String> {
        let named = self.refused.iter().find(|(name, _)| name.as_str() == node);
        if let Some((_, why)) = named {
            let why: Vec<String> = why.iter().map(Obstacle::to_string).collect();
            return Some(why.join(", "));
        }
        let allowed = self.allowed.as_ref()?;
        let there = allowed.iter().any(|name| name.as_str() == node);
        (!there).then(|| "the server does not list that node among those that it may go to".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_against_a_node_is_said() {
        let said = Migration {
            allowed: Some(vec!["pve2".into()]),
            refused: vec![(
                "pve3".into(),
                vec![Obstacle::Storage("ssd".into()), Obstacle::Apart("vm:105".into())],
            )],
            ..Migration::default()
        };
        assert_eq!(said.against("pve2"), None);
        assert_eq!(
            said.against("pve3").as_deref(),
            Some("storage ssd is not available there, vm:105 is there, and HA keeps them apart")
        );
        assert!(said.against("pve4").is_some());
        assert_eq!(Migration::default().against("pve4"), None, "nothing was said");
    }
}
