//! Proxmox Backup Server 3 and 4: requests, lenient decoding, and [`Client`] that joins them.
//!
//! What always holds here: [`Client`] reads. It holds no CSRF token and cannot get one. What writes is an [`Actor`],
//! which is made as one from the start: a client cannot become one.

mod actor;
mod client;
pub mod request;
mod wire;

pub use super::{
    Error,
    proxmox::auth::{ApiToken, Credential, Login, SecondFactor, TokenCommand},
};
pub use actor::Actor;
pub use client::{Client, Settings};

/// Where proxmox-backup-proxy listens.
pub const DEFAULT_PORT: u16 = 8007;
