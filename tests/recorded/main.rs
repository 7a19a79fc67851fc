//! Answers of real servers are read without the loss of an object, and their errors become the right ones.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

mod backup_server;
mod exchanges;
mod reading;
mod retention;

#[path = "../support/mod.rs"]
mod support;
