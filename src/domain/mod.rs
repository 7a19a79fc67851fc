//! The nouns of a Proxmox VE estate: plain values, no I/O, no clock, nothing of the other rooms.
//!
//! What always holds here:
//! - Text that came from a server is kept exactly as it came. It is *foreign*: `ui` makes it harmless before
//!   it is shown.
//! - What a server did not say is `None` (or an `Unknown` variant), never a zero that looks like a fact.
//! - Sizes are bytes, CPU use is a fraction of all CPUs of the object (0.2 = 20 %), times are [`jiff::Timestamp`].

pub mod acknowledge;
pub mod alarm;
pub mod alert;
pub mod backup;
pub mod backup_job;
pub mod base_url;
pub mod calendar;
pub mod call;
pub mod cluster;
pub mod config;
pub mod console;
pub mod containers;
pub mod dashboard;
pub mod endpoint;
pub mod expiry;
pub mod exposition;
pub mod filter;
pub mod finding;
pub mod guest;
pub mod ha;
pub mod ids;
pub mod inventory;
pub mod matching;
pub mod measure;
pub mod metric;
pub mod migration;
pub mod monitor;
pub mod node;
pub mod objective;
pub mod prune;
pub mod quantity;
pub mod quota;
pub mod rate;
pub mod reach;
pub mod reading;
pub mod retention;
pub mod rrd;
pub mod ssh_key;
pub mod storage;
pub mod task;
pub mod task_kind;
pub mod template;
pub mod upid;

pub use alarm::{Alarm, Standing};
pub use backup_job::BackupJob;
pub use base_url::BaseUrl;
pub use calendar::CalendarEvent;
pub use call::{Call, Method};
pub use cluster::{ClusterStatus, HaResource, HaStatus, LogEntry, Pool, ReplicationJob, SdnZone};
pub use console::Console;
pub use endpoint::{Endpoint, Fingerprint};
pub use finding::{Finding, FindingKind, Severity};
pub use guest::{Guest, GuestDetail, GuestKind, GuestStatus};
pub use ha::HaRules;
pub use ids::{
    AlertKey, BackupRef, ClusterId, DatastoreRef, GuestRef, JobRef, NodeName, NodeRef, ObjectRef,
    ServerBackupRef, SilenceRef, SnapshotRef, StorageName, StorageRef, TaskRef, Vmid,
};
pub use inventory::Inventory;
pub use monitor::{MonitorId, MonitorInfo, MonitorKind};
pub use node::{Node, NodeStatus};
pub use storage::{Storage, StorageStatus};
pub use task::{Task, TaskState};
pub use upid::Upid;
