//! What the application does with events, and how much work it does for them.

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod made;
