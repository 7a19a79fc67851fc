//! The last known state on disk: what the first frame of the next run shows, marked with its age.
//!
//! What always holds here: it is a convenience. What cannot be read or written is logged, and nothing else happens.

use std::path::{Path, PathBuf};

use super::files::write_private;
use crate::{
    domain::ClusterId,
    store::{Store, snapshot},
};

fn file(state: &Path, cluster: &ClusterId) -> PathBuf {
    state.join("last-known").join(format!("{cluster}.json"))
}

/// Fills the store with what earlier runs knew.
pub fn recall(state: Option<&Path>, store: &mut Store) {
    let Some(state) = state else { return };
    let ids: Vec<ClusterId> = store
        .clusters()
        .iter()
        .map(|cluster| cluster.id().clone())
        .collect();
    for id in ids {
        let path = file(state, &id);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        match snapshot::decode(&bytes) {
            Ok(known) if known.cluster == id => drop(store.restore(known)),
            Ok(_) => {}
            Err(error) => tracing::info!(path = %path.display(), "{error}"),
        }
    }
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
        let mut store = Store::new([id]);
        recall(Some(state.path()), &mut store);
        assert_eq!(store.guests().count(), 0);
        remember(Some(state.path()), &store);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            b"{ half",
            "nothing was read live, so nothing is written"
        );
    }
}
