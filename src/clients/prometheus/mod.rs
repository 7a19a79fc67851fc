//! Prometheus, or whatever speaks its HTTP API: Thanos, Mimir, VictoriaMetrics.
//!
//! What always holds here: everything is asked by GET, so that a reader can do it. What a server adds to its answer as
//! warnings is handed on, never lost.

mod client;
mod wire;

pub use super::monitor::{Access, MonitorError, Settings};
pub use client::{BuildInfo, Client, Told};
