//! What the panes look like: snapshots of whole frames, drawn from hand-made stores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod objects;
