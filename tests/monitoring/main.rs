//! Monitoring: the shipped rules by promtool, and our clients against the real servers, started on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    reason = "a failing test may say it this way"
)]

mod alertmanager;
mod console;
mod drivers;
mod export;
mod programs;
mod prometheus;
mod rules;
mod servers;
