//! The demo as a server: its state machine answers as the real one does.
//!
//! Messages are those of recorded exchanges, or of the public sources where nothing was recorded.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod belongings;
mod config;
mod continuing;
mod firewall;
mod guests;
mod ha;
mod life;
mod migration;
mod nodes;
mod refusals;
mod schema;
