//! The simulated Backup Server against the official schema, recorded exchanges and its own state; and the program
//! against it.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod caller;
mod contract;
mod pruning;
mod recorded;
mod states;
