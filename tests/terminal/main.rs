//! The real binary in a pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod console;
mod guard;
mod harness;
