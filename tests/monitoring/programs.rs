//! The real programs, where this machine has them.

use std::{env, path::PathBuf};

/// Set where everything has to be there: a missing program then fails instead of being skipped.
const ALL_WANTED: &str = "PVEDECK_TEST_MONITORING";

/// Where a program is; `None`, with a word about it, if this machine has none.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        assert!(
            env::var_os(ALL_WANTED).is_none(),
            "{name} is missing, and {ALL_WANTED} says that it has to be there"
        );
        println!("SKIPPED: {name} is not installed on this machine");
    }
    found
}
