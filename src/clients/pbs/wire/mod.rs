//! What a Backup Server sends, read leniently, and turned into domain values.
//!
//! What always holds here:
//! - The rules of `clients::proxmox`: lenient, and one bad row never fails a list.
//! - No type of this module leaves the client.

pub(super) mod jobs;
pub(super) mod server;
pub(super) mod snapshots;
pub(super) mod stores;

use crate::clients::proxmox::{
    envelope::{Broken, Envelope, inner, moment, said},
    lenient,
};
