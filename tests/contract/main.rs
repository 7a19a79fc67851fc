//! The contract with the official API schema of Proxmox VE 8 and 9.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

mod requests;
mod schema;

#[path = "../support/mod.rs"]
mod support;
