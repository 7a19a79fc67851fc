//! What the application does with events, and how much work it does for them.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod acting;
mod bounds;
mod consoles;
mod graphs;
mod hostile;
mod made;
mod monitored;
mod navigation;
mod overlays;
mod ssh;
mod stage;
mod table;
mod truth;
