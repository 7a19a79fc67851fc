//! Servers that misbehave, and what is made of it.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod consoles;
mod parts;
mod replay;
mod secrets;
mod sign_in;
mod transport;
mod writes;
