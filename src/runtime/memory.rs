//! The last known state on disk: what the next run shows until it has read something, marked with its age.
//!
//! What always holds here: it is a convenience. What cannot be read or written is logged, and nothing else happens.

use std::path::{Path, PathBuf};

use super::files::write_private;
use crate::{
    domain::ClusterId,
    store::{Snapshot, Store, snapshot},
};

fn file(state: &Path, cluster: &ClusterId) -> PathBuf {
    state.join("last-known").join(format!("{cluster}.json"))
}

/// What earlier runs knew of these clusters, read one by one as they are asked for.
pub fn recall<'a>(state: &'a Path, clusters: &'a [ClusterId]) -> impl Iterator<Item = Snapshot> + 'a {
    clusters.iter().filter_map(move |id| {
        let path = file(state, id);
        let bytes = std::fs::read(&path).ok()?;
        match snapshot::decode(&bytes) {
            Ok(known) if known.cluster == *id => Some(known),
            Ok(_) => None,
            Err(error) => {
                tracing::info!(path = %path.display(), "{error}");
                None
            }
        }
    })
}

/// Writes what this run knows, readable by nobody else: inventories tell a lot about an estate.
pub fn remember(state: Option<&Path>, store: &Store) {
    let Some(state) = state else { return };
    for cluster in store.clusters() {
        let Some(bytes) = snapshot::encode(cluster) else {
            continue;
        };
        let path = file(state, cluster.id());
        if let Err(error) = write_private(&path, &bytes) {
            tracing::warn!(path = %path.display(), "the last known state was not written: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_no_failure() {
        let state = tempfile::tempdir().unwrap();
        let id = ClusterId::from("prod");
        let path = file(state.path(), &id);
        write_private(&path, b"{ half").unwrap();
        assert_eq!(recall(state.path(), std::slice::from_ref(&id)).count(), 0);
        let store = Store::new([id]);
        remember(Some(state.path()), &store);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            b"{ half",
            "nothing was read live, so nothing is written"
        );
    }
}
