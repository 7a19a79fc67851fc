//! The commands, as scripts and people meet them: the real binary in a home of its own.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "../support/mod.rs"]
mod support;

mod acting;
mod asking;
mod backup_server;
mod changing;
mod commands;
mod configuration;
mod demo;
mod home;
mod keys;
mod nodes;
mod readme;
mod running;
mod servers;
