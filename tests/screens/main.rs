//! What the panes look like and do: snapshots of whole frames, drawn from hand-made stores, and rows as a user walks
//! through them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod alerts;
mod behaviour;
mod lists;
mod metrics;
mod objects;
mod world;
