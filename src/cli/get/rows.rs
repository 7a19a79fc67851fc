//! What `get` prints of each kind of object. Keys are Proxmox's words and stay as they are.

use serde_json::{Value, json};

use crate::{
    cli::output::{Column, Show},
    domain::{
        ClusterId, ClusterStatus, Finding, Guest, Node, ObjectRef, Storage, Task, TaskState, guest::Snapshot,
    },
};

pub(super) const CLUSTERS: &[Column] = &[
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::new("online", "ONLINE", Show::Number),
    Column::new("nodes", "NODES", Show::Number),
    Column::new("version", "VERSION", Show::Text),
    Column::new("name", "NAME", Show::Text),
    Column::new("url", "URL", Show::Text),
    Column::wide("readonly", "READ-ONLY", Show::Text),
    Column::data("quorate"),
];

/// One cluster. `status` says `quorate`, `no-quorum` or `standalone`.
pub(super) fn cluster(
    id: &ClusterId,
    status: Option<&ClusterStatus>,
    version: Option<&str>,
    url: &str,
    read_only: bool,
) -> Vec<Value> {
    let (online, nodes) = status.map(ClusterStatus::online).unzip();
    let word = match status.map(|status| status.quorate) {
        Some(Some(true)) => "quorate",
        Some(Some(false)) => "no-quorum",
        Some(None) => "standalone",
        None => "unknown",
    };
    vec![
        json!(id),
        json!(word),
        json!(online),
        json!(nodes),
        json!(version),
        json!(status.and_then(|status| status.name.as_deref())),
        json!(url),
        json!(read_only),
        json!(status.and_then(|status| status.quorate)),
    ]
}

pub(super) const NODES: &[Column] = &[
    Column::new("node", "NODE", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::new("cpu", "CPU", Show::Percent),
    Column::new("maxcpu", "CPUS", Show::Number),
    Column::new("mem", "MEM", Show::Bytes),
    Column::new("maxmem", "MAXMEM", Show::Bytes),
    Column::wide("disk", "ROOT", Show::Bytes),
    Column::wide("maxdisk", "MAXROOT", Show::Bytes),
    Column::new("uptime", "UPTIME", Show::Span),
    Column::wide("level", "LEVEL", Show::Text),
    Column::data("id"),
];

pub(super) fn node(id: &ClusterId, node: &Node) -> Vec<Value> {
    vec![
        json!(node.name),
        json!(id),
        json!(node.status),
        json!(node.cpu),
        count(node.cpus),
        json!(node.mem),
        json!(node.max_mem),
        json!(node.disk),
        json!(node.max_disk),
        json!(node.uptime),
        json!(node.level),
        json!(format!("node/{}", node.name)),
    ]
}

pub(super) const GUESTS: &[Column] = &[
    Column::new("vmid", "VMID", Show::Number),
    Column::new("name", "NAME", Show::Text),
    Column::new("type", "TYPE", Show::Text),
    Column::new("node", "NODE", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::new("cpu", "CPU", Show::Percent),
    Column::new("maxcpu", "CPUS", Show::Number),
    Column::new("mem", "MEM", Show::Bytes),
    Column::new("maxmem", "MAXMEM", Show::Bytes),
    Column::wide("disk", "DISK", Show::Bytes),
    Column::wide("maxdisk", "MAXDISK", Show::Bytes),
    Column::new("uptime", "UPTIME", Show::Span),
    Column::wide("pool", "POOL", Show::Text),
    Column::wide("hastate", "HA", Show::Text),
    Column::wide("lock", "LOCK", Show::Text),
    Column::wide("template", "TEMPLATE", Show::Text),
    Column::new("tags", "TAGS", Show::Text),
    Column::data("netin"),
    Column::data("netout"),
    Column::data("diskread"),
    Column::data("diskwrite"),
    Column::data("id"),
];

pub(super) fn guest(id: &ClusterId, guest: &Guest) -> Vec<Value> {
    vec![
        json!(guest.vmid),
        json!(guest.name),
        json!(guest.kind),
        json!(guest.node),
        json!(id),
        json!(guest.status),
        json!(guest.cpu),
        count(guest.cpus),
        json!(guest.mem),
        json!(guest.max_mem),
        json!(guest.disk),
        json!(guest.max_disk),
        json!(guest.uptime),
        json!(guest.pool),
        json!(guest.ha_state),
        json!(guest.lock),
        json!(guest.template),
        json!(guest.tags),
        json!(guest.net_in),
        json!(guest.net_out),
        json!(guest.disk_read),
        json!(guest.disk_write),
        json!(format!("{}/{}", guest.kind, guest.vmid)),
    ]
}

pub(super) const STORAGES: &[Column] = &[
    Column::new("storage", "STORAGE", Show::Text),
    Column::new("node", "NODE", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::new("plugintype", "TYPE", Show::Text),
    Column::new("disk", "USED", Show::Bytes),
    Column::new("maxdisk", "SIZE", Show::Bytes),
    Column::new("shared", "SHARED", Show::Text),
    Column::wide("content", "CONTENT", Show::Text),
    Column::data("id"),
];

pub(super) fn storage(id: &ClusterId, storage: &Storage) -> Vec<Value> {
    vec![
        json!(storage.name),
        json!(storage.node),
        json!(id),
        json!(storage.status),
        json!(storage.plugin),
        json!(storage.used),
        json!(storage.total),
        json!(storage.shared),
        json!(storage.content),
        json!(format!("storage/{}/{}", storage.node, storage.name)),
    ]
}

pub(super) const TASKS: &[Column] = &[
    Column::new("starttime", "START", Show::Moment),
    Column::wide("endtime", "END", Show::Moment),
    Column::new("node", "NODE", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("type", "TYPE", Show::Text),
    Column::new("id", "ID", Show::Text),
    Column::new("user", "USER", Show::Text),
    Column::new("status", "STATUS", Show::Text),
    Column::wide("exitstatus", "EXIT", Show::Text),
    Column::wide("upid", "UPID", Show::Text),
];

pub(super) fn task(id: &ClusterId, task: &Task) -> Vec<Value> {
    let exit = match &task.state {
        TaskState::Ok => Some("OK".to_owned()),
        TaskState::Warnings(count) => Some(format!("WARNINGS: {count}")),
        TaskState::Failed(error) => Some(error.to_string()),
        TaskState::Running | TaskState::Unknown => None,
    };
    vec![
        json!(task.upid.start.as_second()),
        json!(task.end.map(jiff::Timestamp::as_second)),
        json!(task.upid.node),
        json!(id),
        json!(task.upid.kind),
        json!(task.upid.id),
        json!(task.user),
        json!(task.state.word()),
        json!(exit),
        json!(task.upid),
    ]
}

pub(super) const FINDINGS: &[Column] = &[
    Column::new("severity", "SEVERITY", Show::Text),
    Column::new("kind", "KIND", Show::Text),
    Column::new("cluster", "CLUSTER", Show::Text),
    Column::new("subject", "SUBJECT", Show::Text),
    Column::new("text", "TEXT", Show::Text),
    Column::data("node"),
    Column::data("vmid"),
    Column::data("storage"),
    Column::data("upid"),
];

pub(super) fn finding(id: &ClusterId, finding: &Finding) -> Vec<Value> {
    let (mut node, mut vmid, mut storage, mut upid) = (None, None, None, None);
    match &finding.subject {
        ObjectRef::Cluster(_)
        | ObjectRef::BackupServer(_)
        | ObjectRef::Datastore(_)
        | ObjectRef::ServerBackup(_)
        | ObjectRef::Job(_)
        | ObjectRef::Alert(_)
        | ObjectRef::Silence(_) => {}
        ObjectRef::Backup(at) => (node, storage) = (Some(&at.storage.node), Some(&at.storage.storage)),
        ObjectRef::Snapshot(at) => vmid = Some(at.guest.vmid),
        ObjectRef::Node(at) => node = Some(&at.node),
        ObjectRef::Guest(at) => vmid = Some(at.vmid),
        ObjectRef::Storage(at) => (node, storage) = (Some(&at.node), Some(&at.storage)),
        ObjectRef::Task(at) => (node, upid) = (Some(&at.upid.node), Some(&at.upid)),
    }
    vec![
        json!(finding.severity),
        json!(finding.kind),
        json!(id),
        json!(finding.subject.to_string()),
        json!(finding.text),
        json!(node),
        json!(vmid),
        json!(storage),
        json!(upid),
    ]
}

pub(super) const SNAPSHOTS: &[Column] = &[
    Column::new("vmid", "VMID", Show::Number),
    Column::new("name", "NAME", Show::Text),
    Column::new("snapshot", "SNAPSHOT", Show::Text),
    Column::new("parent", "PARENT", Show::Text),
    Column::new("snaptime", "TAKEN", Show::Moment),
    Column::new("vmstate", "RAM", Show::Text),
    Column::wide("node", "NODE", Show::Text),
    Column::wide("cluster", "CLUSTER", Show::Text),
    Column::wide("description", "DESCRIPTION", Show::Text),
    Column::data("type"),
];

pub(super) fn snapshot(id: &ClusterId, guest: &Guest, snapshot: &Snapshot) -> Vec<Value> {
    vec![
        json!(guest.vmid),
        json!(guest.name),
        json!(snapshot.name),
        json!(snapshot.parent),
        json!(snapshot.time.map(jiff::Timestamp::as_second)),
        json!(snapshot.with_ram),
        json!(guest.node),
        json!(id),
        json!(snapshot.description),
        json!(guest.kind),
    ]
}

/// A count that the API may give with a fraction: containers can have half a CPU.
fn count(value: Option<f64>) -> Value {
    match value {
        Some(whole) if whole.fract() == 0.0 && (0.0..1e9).contains(&whole) => json!(whole as u64),
        other => json!(other),
    }
}
