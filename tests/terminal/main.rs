//! The real binary in a pseudo-terminal, against servers that give recorded or made answers.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod acting;
mod alone;
mod console;
mod consoles;
mod estates;
mod guard;
mod harness;
mod looking;
mod quiet;
mod ssh;
mod starting;
mod trouble;
