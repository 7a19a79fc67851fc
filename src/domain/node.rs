//! Nodes: the hosts of a cluster.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{guest::Pressure, ids::NodeName};

/// Whether the cluster hears a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    /// It answers.
    Online,
    /// The cluster has lost it.
    Offline,
    /// No status cycle has told yet.
    Unknown,
}

impl NodeStatus {
    /// The word that lists show and filters accept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for NodeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One node as `/cluster/resources` lists it. An offline node has no use figures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Whether it answers.
    pub status: NodeStatus,
    /// CPU use as a fraction of `cpus`.
    pub cpu: Option<f64>,
    /// Logical CPUs.
    pub cpus: Option<f64>,
    /// Memory in use, bytes.
    pub mem: Option<u64>,
    /// Memory, bytes.
    pub max_mem: Option<u64>,
    /// Root file system in use, bytes.
    pub disk: Option<u64>,
    /// Root file system, bytes.
    pub max_disk: Option<u64>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
    /// Subscription level: `c`, `b`, `s`, `p`, empty for none.
    pub level: Option<Arc<str>>,
}

/// `/nodes/{node}/status`: what a node says of itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct NodeDetail {
    /// `pve-manager/9.2.11/14a22df35955d97d`.
    pub version: Option<Box<str>>,
    /// Running kernel.
    pub kernel: Option<Box<str>>,
    /// 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// CPU model.
    pub cpu_model: Option<Box<str>>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// Cores in all.
    pub cores: Option<u32>,
    /// Logical CPUs.
    pub cpus: Option<u32>,
    /// CPU use, fraction.
    pub cpu: Option<f64>,
    /// Share of time that waited for I/O, fraction.
    pub io_wait: Option<f64>,
    /// Memory: used, total, bytes.
    pub memory: Option<(u64, u64)>,
    /// Swap: used, total, bytes.
    pub swap: Option<(u64, u64)>,
    /// Root file system: used, total, bytes.
    pub rootfs: Option<(u64, u64)>,
    /// Memory shared by KSM, bytes.
    pub ksm_shared: Option<u64>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
    /// `efi` or `legacy-bios`, with secure boot.
    pub boot: Option<Box<str>>,
    /// Pressure stall, where the node reports it.
    pub pressure: Option<Pressure>,
}

/// The clock of a node, from `/nodes/{node}/time`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// What it showed at the moment of the answer.
    pub time: jiff::Timestamp,
    /// The zone by which it runs its jobs: `Europe/Berlin`.
    pub zone: Option<Box<str>>,
}

/// A systemd unit of a node, from `/nodes/{node}/services`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Service id, such as `pveproxy`.
    pub name: Box<str>,
    /// What it is for.
    pub description: Box<str>,
    /// `running`, `dead`, `exited`…
    pub state: Box<str>,
    /// `active`, `inactive`, `failed`…
    pub active: Option<Box<str>>,
    /// `enabled`, `disabled`, `masked`, `not-found`…
    pub unit: Option<Box<str>>,
}

/// A certificate of a node, from `/nodes/{node}/certificates/info`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// `pve-ssl.pem`, `pveproxy-ssl.pem`, `pve-root-ca.pem`.
    pub file: Box<str>,
    /// Whom it names.
    pub subject: Box<str>,
    /// Who signed it.
    pub issuer: Box<str>,
    /// SHA-256, colon hex.
    pub fingerprint: Box<str>,
    /// Names and addresses that it is good for.
    pub san: Vec<Box<str>>,
    /// First moment of validity.
    pub not_before: Option<Timestamp>,
    /// Last moment of validity.
    pub not_after: Option<Timestamp>,
}

/// A package that waits for an update, from `/nodes/{node}/apt/update`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PackageUpdate {
    /// Package name.
    pub package: Box<str>,
    /// Installed version.
    pub old: Option<Box<str>>,
    /// Offered version.
    pub new: Box<str>,
    /// Where it comes from.
    pub origin: Option<Box<str>>,
}

/// A physical disk, from `/nodes/{node}/disks/list`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Disk {
    /// Device path.
    pub device: Box<str>,
    /// `ssd`, `hdd`, `nvme`…
    pub kind: Option<Box<str>>,
    /// Model name.
    pub model: Option<Box<str>>,
    /// Serial number.
    pub serial: Option<Box<str>>,
    /// Bytes.
    pub size: Option<u64>,
    /// SMART verdict: `PASSED`, `OK`, `FAILED`, `UNKNOWN`.
    pub health: Option<Box<str>>,
    /// Life left of a solid-state disk, per cent.
    pub life_left: Option<f64>,
    /// What uses it: `LVM`, `ZFS`, `partitions`…
    pub used: Option<Box<str>>,
}

/// A network interface of the host, from `/nodes/{node}/network`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its name, `vmbr0`.
    pub name: Box<str>,
    /// `bridge`, `bond`, `eth`, `vlan`…
    pub kind: Box<str>,
    /// Whether it is up.
    pub active: bool,
    /// Addresses with prefix length.
    pub addresses: Vec<Box<str>>,
    /// Gateway.
    pub gateway: Option<Box<str>>,
    /// Ports of a bridge, slaves of a bond.
    pub ports: Option<Box<str>>,
    /// What the admin wrote about it. Foreign text.
    pub comment: Option<Box<str>>,
}

/// `/nodes/{node}/subscription`, without the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// `active`, `notfound`, `expired`…
    pub status: Box<str>,
    /// Product name.
    pub product: Option<Box<str>>,
    /// Day on which it ends.
    pub next_due: Option<Box<str>>,
}
