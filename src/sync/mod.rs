//! Readers: what the screens are interested in becomes requests at the right rhythm.
//!
//! What always holds here:
//! - Per cluster at most [`schedule::BUDGET`] requests go out in ten seconds, whatever the number of guests. Only what
//!   a person has just opened or asked for is read beyond that, once.
//! - No feed is read twice at the same time; a failing one is asked ever more rarely, with jitter.
//! - Each cluster and each monitoring server has a driver of its own: a dead one slows nothing.

mod backup_server;
mod driver;
pub mod monitor;
mod reader;
pub mod schedule;

pub use driver::{Orders, drive, surveys};
pub use monitor::{MonitorClient, MonitorReader, drive_monitor, explain};
pub use reader::{Place, Reader, failure};
