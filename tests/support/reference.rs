//! Where the reference data lies: API schemas and recorded answers, beside the project and not part of it.

use std::path::PathBuf;

/// The folder with the reference data, if this machine has it. A test without it prints what it skipped.
pub fn reference_dir() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    ["../shared/reference", "../../shared/reference"]
        .iter()
        .map(|relative| root.join(relative))
        .find(|path| path.is_dir())
}

/// Says on the test's output what could not be tested.
pub fn skipped(what: &str) {
    println!("SKIPPED: {what}: no reference data beside the project (../shared/reference)");
}
