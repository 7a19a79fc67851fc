//! Clients: one folder per outside system. Nobody else speaks HTTP, and no wire type leaves its client.
//!
//! What always holds here:
//! - Answers come back as `domain` values or as an [`Error`] whose text is one sentence with cause and next step.
//! - Foreign data never panics; one bad object never fails a list.
//! - Secrets are in no log, no `Debug` output and no error.

pub mod alertmanager;
pub mod error;
pub mod exporter;
pub mod http;
pub mod monitor;
pub mod pbs;
pub mod prometheus;
mod proxmox;
pub mod pve;

pub use error::Error;
