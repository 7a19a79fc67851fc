//! What a cluster as a whole says of itself: quorum, HA, replication, pools, networks, log.

use std::{net::IpAddr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{NodeName, Vmid};

/// `/cluster/status`. A standalone host has no cluster row: then `name` is `None` and quorum is not a question.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The corosync name.
    pub name: Option<Box<str>>,
    /// Whether the answering node is in the quorate part; `None` on a standalone host. It may be stale for some
    /// seconds after a cut.
    pub quorate: Option<bool>,
    /// The members.
    pub members: Vec<Member>,
}

/// A node as corosync knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: NodeName,
    /// Whether corosync hears it.
    pub online: bool,
    /// Its cluster address.
    pub ip: Option<IpAddr>,
    /// Corosync node id.
    pub id: Option<u32>,
    /// Whether it is the node that answered.
    pub local: bool,
}

impl ClusterStatus {
    /// How many members are online, and how many there are.
    pub fn online(&self) -> (usize, usize) {
        (
            self.members.iter().filter(|m| m.online).count(),
            self.members.len(),
        )
    }
}

/// `/cluster/ha/status/current`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HaStatus {
    /// One line per row: quorum, master, lrm of each node, fencing; `id` and status text.
    pub lines: Vec<(Box<str>, Box<str>)>,
    /// Managed services.
    pub services: Vec<HaResource>,
}

/// One HA-managed guest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HaResource {
    /// `vm:104` or `ct:105`.
    pub sid: Box<str>,
    /// The guest.
    pub vmid: Option<Vmid>,
    /// Where it is.
    pub node: Option<NodeName>,
    /// Its state: `started`, `stopped`, `error`, `fence`, `migrate`, `recovery`…
    pub state: Arc<str>,
    /// What was asked for.
    pub request: Option<Arc<str>>,
}

/// One replication job with its last result, from `/nodes/{node}/replication`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplicationJob {
    /// `104-0`.
    pub id: Box<str>,
    /// The guest.
    pub guest: Vmid,
    /// From where.
    pub source: Option<NodeName>,
    /// To where.
    pub target: NodeName,
    /// Calendar event.
    pub schedule: Option<Box<str>>,
    /// Last success.
    pub last_sync: Option<Timestamp>,
    /// Next run.
    pub next_sync: Option<Timestamp>,
    /// Failures in a row.
    pub fail_count: u32,
    /// The last error. Foreign text.
    pub error: Option<Box<str>>,
    /// Switched off.
    pub disabled: bool,
}

/// A pool, from `/cluster/resources`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub name: Arc<str>,
}

/// An SDN zone or fabric on a node, from `/cluster/resources` (`sdn` on 8, `network` on 9).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SdnZone {
    /// Its name.
    pub name: Box<str>,
    /// `zone` or `fabric`.
    pub kind: Box<str>,
    /// On which node.
    pub node: Option<NodeName>,
    /// `ok`, `available`, `error`, `pending`…
    pub status: Box<str>,
}

/// One line of `/cluster/log`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    /// When.
    pub time: Timestamp,
    /// Where.
    pub node: NodeName,
    /// Who.
    pub user: Box<str>,
    /// Which daemon.
    pub tag: Box<str>,
    /// Syslog priority, 0 (emergency) to 7 (debug).
    pub priority: u8,
    /// What. Foreign text.
    pub message: Box<str>,
}

/// Firewall of a cluster, node or guest: the switch, the default policies and the rules in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Firewall {
    /// Whether it is switched on, where the options could be read.
    pub enabled: Option<bool>,
    /// Default policy for what comes in, where set.
    pub policy_in: Option<Box<str>>,
    /// Default policy for what goes out, where set.
    pub policy_out: Option<Box<str>>,
    /// The rules, in the order in which they apply.
    pub rules: Vec<FirewallRule>,
}

/// One rule of a firewall or of a security group. All text is foreign.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FirewallRule {
    /// Its place, counted from 0, where the server says it.
    pub pos: Option<u32>,
    /// `in`, `out`, `forward` or `group`.
    pub kind: Box<str>,
    /// `ACCEPT`, `DROP`, `REJECT`, or the name of a security group.
    pub action: Box<str>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What it demands, by the names of the API: `macro`, `proto`, `source`, `sport`, `dest`, `dport`, `iface`,
    /// `icmp-type`.
    pub demands: Vec<(Box<str>, Box<str>)>,
    /// What its maker wrote.
    pub comment: Option<Box<str>>,
    /// Of the list that it is in: it changes with every change of the list.
    pub digest: Option<Box<str>>,
}

impl FirewallRule {
    /// What a demand says.
    pub fn demand(&self, name: &str) -> Option<&str> {
        self.demands
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// `in ACCEPT tcp dport 22 from +mgmt # ssh`.
    pub fn line(&self) -> String {
        let words = [
            ("", (!self.enabled).then_some("(off)")),
            ("", Some(&*self.kind)),
            ("", Some(&*self.action)),
            ("", self.demand("macro")),
            ("", self.demand("proto")),
            ("type ", self.demand("icmp-type")),
            ("sport ", self.demand("sport")),
            ("dport ", self.demand("dport")),
            ("from ", self.demand("source")),
            ("to ", self.demand("dest")),
            ("on ", self.demand("iface")),
            ("# ", self.comment.as_deref()),
        ];
        let said = words
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        let parts: Vec<String> = said.map(|(name, value)| format!("{name}{value}")).collect();
        parts.join(" ")
    }
}

/// A security group of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FirewallGroup {
    /// Its name.
    pub name: Box<str>,
    /// What its maker wrote. Foreign text.
    pub comment: Option<Box<str>>,
    /// Its rules, where they may be read.
    pub rules: Option<Vec<FirewallRule>>,
}
