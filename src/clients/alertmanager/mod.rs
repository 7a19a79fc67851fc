//! Alertmanager, API v2: alerts, groups, silences.
//!
//! What always holds here: [`Client`] reads. What makes and ends silences is a [`Silencer`], which is made as one from the
//! start: a client cannot become one. A change is sent once; where its fate is not known, that is what the error says.

mod client;
mod wire;

pub use super::monitor::{Access, MonitorError, NotChanged, Settings};
pub use client::{Client, Silencer, Status};
