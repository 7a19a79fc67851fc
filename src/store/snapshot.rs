//! The last known inventory of a cluster as bytes, so that the next run can show it at once, marked with its
//! age. Reading and writing the file is the runtime's matter.
//!
//! What always holds here: bytes of another format or of a damaged file are refused, never half understood.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{ClusterId, ClusterStatus, Inventory};

use super::{Cluster, Feed};

/// Changes whenever old bytes could be misread.
const FORMAT: u32 = 1;

/// What an earlier run knew of a cluster.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Snapshot {
    format: u32,
    /// Which cluster.
    pub cluster: ClusterId,
    /// When its inventory was read.
    pub at: Timestamp,
    /// Everything in it.
    pub inventory: Inventory,
    /// Its members and their quorum.
    pub status: Option<ClusterStatus>,
}

/// The same, borrowed: an inventory of 10,000 guests need not be copied to be written.
#[derive(Serialize)]
struct View<'a> {
    format: u32,
    cluster: &'a ClusterId,
    at: Timestamp,
    inventory: &'a Inventory,
    status: Option<&'a ClusterStatus>,
}

/// Bytes that are no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum BadSnapshot {
    /// Written by another version.
    #[error("the last known state was written in format {0}, this version reads {FORMAT}")]
    Format(u32),
    /// Damaged, or something else altogether.
    #[error("the last known state cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// A cluster as bytes; `None` while nothing was read in this run, so that old data is not made to look newer.
pub fn encode(cluster: &Cluster) -> Option<Vec<u8>> {
    let at = cluster
        .freshness(&Feed::Resources)
        .data_at
        .filter(|_| cluster.is_live())?;
    let view = View {
        format: FORMAT,
        cluster: cluster.id(),
        at,
        inventory: &cluster.inventory,
        status: cluster.status(),
    };
    serde_json::to_vec(&view).ok()
}

/// What [`encode`] wrote.
///
/// # Errors
/// The bytes are of another format or damaged.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, BadSnapshot> {
    /// The format is looked at alone first: another one may differ in everything else.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_slice(bytes)?;
    if head.format != FORMAT {
        return Err(BadSnapshot::Format(head.format));
    }
    Ok(serde_json::from_slice(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, fixtures};

    #[test]
    fn what_was_written_is_shown_first_and_marked_as_old() {
        let mut store = fixtures::store();
        let id = ClusterId::from("prod");
        assert_eq!(encode(store.cluster(&id).unwrap()), None);
        store.apply(fixtures::resources(100, fixtures::inventory(3)));
        let bytes = encode(store.cluster(&id).unwrap()).unwrap();

        let mut next = Store::new([id.clone()]);
        let changes = next.restore(decode(&bytes).unwrap());
        assert!(changes.visible());
        let cluster = next.cluster(&id).unwrap();
        assert_eq!(
            cluster.guests(),
            store.cluster(&id).unwrap().guests(),
            "the same guests"
        );
        let now = fixtures::at(5_000);
        assert_eq!(cluster.health(now).word(), "connecting");
        let age = cluster.freshness(&Feed::Resources).age(now);
        assert_eq!(age.map(|age| age.as_secs()), Some(4_900));
        assert!(cluster.freshness(&Feed::Resources).is_stale(now));
        assert_eq!(encode(cluster), None, "old data is not written again");
        assert!(next.findings().is_empty());
    }

    #[test]
    fn live_data_wins() {
        let mut store = fixtures::store();
        store.apply(fixtures::resources(100, fixtures::inventory(3)));
        let id = ClusterId::from("prod");
        let bytes = encode(store.cluster(&id).unwrap()).unwrap();
        let mut next = Store::new([id.clone()]);
        next.apply(fixtures::resources(50, fixtures::inventory(1)));
        assert!(!next.restore(decode(&bytes).unwrap()).visible());
        assert_eq!(next.cluster(&id).unwrap().guests().len(), 1);
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(matches!(decode(b"{\"format\":7}"), Err(BadSnapshot::Format(7))));
        for bytes in [&b""[..], b"{", b"{\"format\":1}", b"[]", b"\xff\xfe"] {
            assert!(matches!(decode(bytes), Err(BadSnapshot::Damaged(_))), "{bytes:?}");
        }
    }
}
