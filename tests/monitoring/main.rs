//! Monitoring: the shipped rules by promtool, and our clients against the real servers, started on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may say it this way"
)]

mod programs;
mod rules;
