//! Proxmox VE 8 and 9: requests, sign-in, lenient decoding, and [`Client`] that joins them.
//!
//! What always holds here: [`Client`] reads. It holds no CSRF token: the one that a sign-in brings is not even decoded,
//! and none is minted. What writes is an [`Actor`], which is made as one from the start: a client cannot become one.

mod actor;
mod client;
mod console;
pub mod request;
mod wire;

pub use super::proxmox::envelope::Broken;
pub use super::{Error, proxmox::auth};
pub use actor::{Accepted, Actor, NotAccepted};
pub use auth::{ApiToken, Credential, Detection, Local, Login, SecondFactor, TokenCommand};
pub use client::{Client, Settings};
pub use console::{ConsoleNews, ConsoleStream};
pub use wire::firewall::Options as FirewallOptions;

/// Where pveproxy listens.
pub const DEFAULT_PORT: u16 = 8006;
