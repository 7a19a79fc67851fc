//! What the server sends, read leniently, and turned into domain values.
//!
//! What always holds here:
//! - The rules of `clients::proxmox`: lenient, and one bad row never fails a list.
//! - No type of this module leaves the client.

pub(super) mod access;
pub(super) mod agent;
pub(super) mod backup;
pub(super) mod cluster;
pub(super) mod firewall;
pub(super) mod guests;
pub(super) mod ha;
pub(super) mod migration;
pub(super) mod nodes;
pub(super) mod readings;
pub(super) mod rrd;
pub(super) mod storage;

use crate::clients::proxmox::{
    envelope::{Broken, Envelope, excerpt, inner, moment, said},
    lenient,
};
