//! What can be asked of a Proxmox VE API: requests are built here without I/O and sent elsewhere.
//!
//! What always holds here: every request is a read, every segment and parameter is percent-encoded, and
//! [`catalogue`] holds a sample of each, so that the contract test sees them all.

mod backup;
mod readings;

pub use backup::{
    backup, backup_job, backup_jobs, backup_tasks, job_guests, prune_preview, snapshot_config,
    storage_backups, storage_definitions,
};
pub use readings::{cluster_readings, guests_not_backed_up};

use crate::domain::{
    ClusterStatus, GuestDetail, GuestKind, HaRules, HaStatus, Inventory, LogEntry, NodeName, ReplicationJob,
    StorageName, Task, TaskState, Upid, Vmid,
    cluster::{FirewallGroup, FirewallRule},
    config::{GuestConfig, PendingChange},
    guest::{CommandStatus, GuestInterface, Snapshot},
    migration::Migration,
    node::{Certificate, Clock, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
    rrd::{Frame, Rrd},
    storage::{StorageDetail, Volume},
    task::TaskLog,
};

pub use crate::clients::proxmox::get::{Get, Sample};

use super::wire::{access, agent, cluster, firewall, guests, ha, migration, nodes, rrd, storage};
use crate::clients::proxmox::{envelope::Decode, tasks};

/// Paths, each with the privileges on it.
pub type Permissions = Vec<(Box<str>, Vec<Box<str>>)>;

fn guest<T>(node: &NodeName, kind: GuestKind, vmid: Vmid, rest: &[&str], decode: Decode<T>) -> Get<T> {
    let vmid = vmid.to_string();
    let mut segments = vec!["nodes", node.as_str(), kind.as_str(), &vmid];
    segments.extend(rest);
    Get::new(&segments, decode)
}

/// `/version`.
pub fn version() -> Get<Box<str>> {
    Get::new(&["version"], cluster::version)
}

/// `/cluster/resources`.
pub fn resources() -> Get<Inventory> {
    Get::new(&["cluster", "resources"], cluster::resources)
}

/// `/cluster/status`.
pub fn cluster_status() -> Get<ClusterStatus> {
    Get::new(&["cluster", "status"], cluster::status)
}

/// `/cluster/tasks`.
pub fn cluster_tasks() -> Get<Vec<Task>> {
    Get::new(&["cluster", "tasks"], tasks::list)
}

/// `/cluster/ha/status/current`.
pub fn ha_status() -> Get<HaStatus> {
    Get::new(&["cluster", "ha", "status", "current"], cluster::ha_status)
}

/// `/cluster/ha/rules`; since 9.
pub fn ha_rules() -> Get<HaRules> {
    Get::new(&["cluster", "ha", "rules"], ha::rules)
}

/// `/cluster/ha/groups`; before 9.
pub fn ha_groups() -> Get<Vec<ha::Group>> {
    Get::new(&["cluster", "ha", "groups"], ha::groups)
}

/// `/cluster/ha/resources`.
pub fn ha_resources() -> Get<Vec<ha::Resource>> {
    Get::new(&["cluster", "ha", "resources"], ha::resources)
}

/// `/cluster/log`, the newest `max` entries.
pub fn cluster_log(max: u32) -> Get<Vec<LogEntry>> {
    Get::new(&["cluster", "log"], cluster::log).with("max", &max.max(1))
}

/// `/cluster/firewall/options`.
pub fn cluster_firewall_options() -> Get<firewall::Options> {
    Get::new(&["cluster", "firewall", "options"], firewall::options)
}

/// `/cluster/firewall/rules`.
pub fn cluster_firewall_rules() -> Get<Vec<FirewallRule>> {
    Get::new(&["cluster", "firewall", "rules"], firewall::rules)
}

/// `/cluster/firewall/groups`.
pub fn firewall_groups() -> Get<Vec<FirewallGroup>> {
    Get::new(&["cluster", "firewall", "groups"], firewall::groups)
}

/// `/cluster/firewall/groups/{group}`: its rules.
pub fn firewall_group(group: &str) -> Get<Vec<FirewallRule>> {
    Get::new(&["cluster", "firewall", "groups", group], firewall::rules)
}

/// `/nodes/{node}/firewall/options`.
pub fn node_firewall_options(node: &NodeName) -> Get<firewall::Options> {
    Get::new(
        &["nodes", node.as_str(), "firewall", "options"],
        firewall::options,
    )
}

/// `/nodes/{node}/firewall/rules`.
pub fn node_firewall_rules(node: &NodeName) -> Get<Vec<FirewallRule>> {
    Get::new(&["nodes", node.as_str(), "firewall", "rules"], firewall::rules)
}

/// `/access/permissions` of the one who asks.
pub fn permissions() -> Get<Permissions> {
    Get::new(&["access", "permissions"], access::permissions)
}

/// `/nodes/{node}/status`.
pub fn node_status(node: &NodeName) -> Get<NodeDetail> {
    Get::new(&["nodes", node.as_str(), "status"], nodes::status)
}

/// `/nodes/{node}/services`.
pub fn node_services(node: &NodeName) -> Get<Vec<Service>> {
    Get::new(&["nodes", node.as_str(), "services"], nodes::services)
}

/// `/nodes/{node}/certificates/info`.
pub fn node_certificates(node: &NodeName) -> Get<Vec<Certificate>> {
    Get::new(
        &["nodes", node.as_str(), "certificates", "info"],
        nodes::certificates,
    )
}

/// `/nodes/{node}/apt/update`: what waits, as of the last refresh of the package lists.
pub fn node_updates(node: &NodeName) -> Get<Vec<PackageUpdate>> {
    Get::new(&["nodes", node.as_str(), "apt", "update"], nodes::updates)
}

/// `/nodes/{node}/disks/list`.
pub fn node_disks(node: &NodeName) -> Get<Vec<Disk>> {
    Get::new(&["nodes", node.as_str(), "disks", "list"], nodes::disks)
}

/// `/nodes/{node}/network`.
pub fn node_network(node: &NodeName) -> Get<Vec<NetworkInterface>> {
    Get::new(&["nodes", node.as_str(), "network"], nodes::network)
}

/// `/nodes/{node}/subscription`.
pub fn node_subscription(node: &NodeName) -> Get<Subscription> {
    Get::new(&["nodes", node.as_str(), "subscription"], nodes::subscription)
}

/// `/nodes/{node}/replication`.
pub fn node_replication(node: &NodeName) -> Get<Vec<ReplicationJob>> {
    Get::new(&["nodes", node.as_str(), "replication"], nodes::replication)
}

/// `/nodes/{node}/time`.
pub fn node_time(node: &NodeName) -> Get<Clock> {
    Get::new(&["nodes", node.as_str(), "time"], nodes::time)
}

/// `/nodes/{node}/journal`: the newest lines. Cheap for the node, whatever the size of its journal.
pub fn node_journal(node: &NodeName, lines: usize) -> Get<Vec<Box<str>>> {
    Get::new(&["nodes", node.as_str(), "journal"], nodes::journal).with("lastentries", &lines)
}

/// `/nodes/{node}/syslog`: lines from `start`, counted from 0 at the oldest.
pub fn node_syslog(node: &NodeName, start: usize, limit: usize) -> Get<TaskLog> {
    Get::new(&["nodes", node.as_str(), "syslog"], tasks::log)
        .with("start", &start)
        .with("limit", &limit)
}

/// `/nodes/{node}/tasks`: running ones too, newest first.
pub fn node_tasks(node: &NodeName, start: usize, limit: usize) -> Get<Vec<Task>> {
    Get::new(&["nodes", node.as_str(), "tasks"], tasks::list)
        .with("source", &"all")
        .with("start", &start)
        .with("limit", &limit.max(1))
}

/// `…/{vmid}/status/current`.
pub fn guest_status(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<GuestDetail> {
    guest(node, kind, vmid, &["status", "current"], guests::status)
}

/// `…/{vmid}/config`.
pub fn guest_config(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<GuestConfig> {
    // Without `current` it answers with the values that wait for the next start.
    guest(node, kind, vmid, &["config"], guests::config).with("current", &1)
}

/// `…/agent/file-read` of a machine.
pub fn guest_file(node: &NodeName, vmid: Vmid, file: &str) -> Get<Box<str>> {
    guest(node, GuestKind::Qemu, vmid, &["agent", "file-read"], agent::file).with("file", &file)
}

/// `…/agent/exec-status` of a machine.
pub fn command_status(node: &NodeName, vmid: Vmid, pid: u64) -> Get<CommandStatus> {
    guest(
        node,
        GuestKind::Qemu,
        vmid,
        &["agent", "exec-status"],
        agent::status,
    )
    .with("pid", &pid)
}

/// The properties of whatever stands at a path, values that wait for the next start among them.
pub fn properties(segments: &[&str]) -> Get<GuestConfig> {
    Get::new(segments, guests::config)
}

/// The rows of a list, each with its properties.
pub fn rows(segments: &[&str]) -> Get<Vec<GuestConfig>> {
    Get::new(segments, guests::rows)
}

/// `…/{vmid}/pending`: only what waits.
pub fn guest_pending(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<Vec<PendingChange>> {
    guest(node, kind, vmid, &["pending"], guests::pending)
}

/// `…/{vmid}/agent/network-get-interfaces` of a machine, `…/{vmid}/interfaces` of a container.
pub fn guest_addresses(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<Vec<GuestInterface>> {
    match kind {
        GuestKind::Qemu => guest(
            node,
            kind,
            vmid,
            &["agent", "network-get-interfaces"],
            guests::agent_interfaces,
        ),
        GuestKind::Lxc => guest(node, kind, vmid, &["interfaces"], guests::interfaces),
    }
}

/// `…/{vmid}/snapshot`.
pub fn guest_snapshots(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<Vec<Snapshot>> {
    guest(node, kind, vmid, &["snapshot"], guests::snapshots)
}

/// `…/{vmid}/migrate`: what stands in the way of a move; of containers since 9 only.
pub fn guest_migration(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<Migration> {
    guest(node, kind, vmid, &["migrate"], migration::conditions)
}

/// `…/{vmid}/firewall/options`.
pub fn guest_firewall_options(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<firewall::Options> {
    guest(node, kind, vmid, &["firewall", "options"], firewall::options)
}

/// `…/{vmid}/firewall/rules`.
pub fn guest_firewall_rules(node: &NodeName, kind: GuestKind, vmid: Vmid) -> Get<Vec<FirewallRule>> {
    guest(node, kind, vmid, &["firewall", "rules"], firewall::rules)
}

/// `/nodes/{node}/storage/{storage}/status`.
pub fn storage_status(node: &NodeName, storage: &StorageName) -> Get<StorageDetail> {
    Get::new(
        &["nodes", node.as_str(), "storage", storage.as_str(), "status"],
        storage::status,
    )
}

/// `/nodes/{node}/storage/{storage}/content`.
pub fn storage_content(node: &NodeName, storage: &StorageName) -> Get<Vec<Volume>> {
    Get::new(
        &["nodes", node.as_str(), "storage", storage.as_str(), "content"],
        storage::content,
    )
}

/// `/nodes/{node}/rrddata`: means over each step of the time frame.
pub fn node_rrd(node: &NodeName, frame: Frame) -> Get<Rrd> {
    recorded(Get::new(&["nodes", node.as_str(), "rrddata"], rrd::data), frame)
}

/// `…/{vmid}/rrddata`.
pub fn guest_rrd(node: &NodeName, kind: GuestKind, vmid: Vmid, frame: Frame) -> Get<Rrd> {
    recorded(guest(node, kind, vmid, &["rrddata"], rrd::data), frame)
}

/// `/nodes/{node}/storage/{storage}/rrddata`.
pub fn storage_rrd(node: &NodeName, storage: &StorageName, frame: Frame) -> Get<Rrd> {
    let segments = ["nodes", node.as_str(), "storage", storage.as_str(), "rrddata"];
    recorded(Get::new(&segments, rrd::data), frame)
}

fn recorded<T>(get: Get<T>, frame: Frame) -> Get<T> {
    get.with("timeframe", &frame.as_str()).with("cf", &"AVERAGE")
}

/// `/nodes/{node}/tasks/{upid}/status`.
pub fn task_status(upid: &Upid) -> Get<TaskState> {
    Get::new(
        &["nodes", upid.node.as_str(), "tasks", upid.as_str(), "status"],
        tasks::status,
    )
}

/// `/nodes/{node}/tasks/{upid}/log`: up to `limit` lines from `start`, counted from 0.
pub fn task_log(upid: &Upid, start: usize, limit: usize) -> Get<TaskLog> {
    // To the server a limit of 0 means all lines.
    Get::new(
        &["nodes", upid.node.as_str(), "tasks", upid.as_str(), "log"],
        tasks::log,
    )
    .with("start", &start)
    .with("limit", &limit.max(1))
}

/// A sample of every request that this client can make, the sign-ins included.
pub fn catalogue() -> Vec<Sample> {
    let node = NodeName::from("pve1");
    let store = StorageName::from("local");
    let vmid = Vmid(104);
    let mut all = vec![
        version().sample(),
        resources().sample(),
        cluster_status().sample(),
        cluster_tasks().sample(),
        ha_status().sample(),
        ha_rules().sample(),
        ha_groups().sample(),
        ha_resources().sample(),
        cluster_log(500).sample(),
        cluster_firewall_options().sample(),
        cluster_firewall_rules().sample(),
        firewall_groups().sample(),
        firewall_group("web").sample(),
        node_firewall_options(&node).sample(),
        node_firewall_rules(&node).sample(),
        rows(&["cluster", "firewall", "rules"]).sample(),
        permissions().sample(),
        node_status(&node).sample(),
        node_services(&node).sample(),
        node_certificates(&node).sample(),
        node_updates(&node).sample(),
        node_disks(&node).sample(),
        node_network(&node).sample(),
        node_subscription(&node).sample(),
        node_replication(&node).sample(),
        node_time(&node).sample(),
        node_journal(&node, 200).sample(),
        node_syslog(&node, 0, 200).sample(),
        node_tasks(&node, 0, 50).sample(),
        storage_status(&node, &store).sample(),
        storage_content(&node, &store).sample(),
        node_rrd(&node, Frame::Hour).sample(),
        storage_rrd(&node, &store, Frame::Year).sample(),
        properties(&["cluster", "options"]).sample(),
        guest_file(&node, vmid, "/etc/passwd").sample(),
        command_status(&node, vmid, 4711).sample(),
    ];
    for kind in [GuestKind::Qemu, GuestKind::Lxc] {
        all.push(guest_status(&node, kind, vmid).sample());
        all.push(guest_config(&node, kind, vmid).sample());
        all.push(guest_pending(&node, kind, vmid).sample());
        all.push(guest_addresses(&node, kind, vmid).sample());
        all.push(guest_snapshots(&node, kind, vmid).sample());
        all.push(guest_migration(&node, kind, vmid).sample());
        all.push(guest_firewall_options(&node, kind, vmid).sample());
        all.push(guest_firewall_rules(&node, kind, vmid).sample());
        all.push(guest_rrd(&node, kind, vmid, Frame::Day).sample());
    }
    if let Ok(upid) = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam!test:".parse() {
        all.push(task_status(&upid).sample());
        all.push(task_log(&upid, 0, 50).sample());
    }
    all.extend(backup::samples());
    all.extend(readings::samples());
    all.extend(super::auth::samples());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::http::Lane;

    #[test]
    fn everything_foreign_is_encoded() {
        let node = NodeName::from("a/../b?c#d");
        assert_eq!(node_status(&node).path(), "/nodes/a%2F..%2Fb%3Fc%23d/status");
        let upid: Upid = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam!test:"
            .parse()
            .unwrap();
        assert_eq!(
            task_log(&upid, 0, 0).target(),
            "/api2/json/nodes/pve1/tasks/UPID%3Apve1%3A000002CE%3A000041E6%3A6B0135DE%3Aqmstart%3A104%3Aroot%40pam%21test%3A/log?start=0&limit=1"
        );
    }

    #[test]
    fn what_a_node_must_answer_takes_the_lanes_of_nodes() {
        assert_eq!(resources().lane(), Lane::Direct);
        assert_eq!(node_status(&"pve1".into()).lane(), Lane::Proxied);
        assert_eq!(
            guest_status(&"pve1".into(), GuestKind::Lxc, Vmid(1)).raw().lane(),
            Lane::Proxied
        );
    }

    #[test]
    fn the_catalogue_holds_every_request() {
        let source = include_str!("request.rs");
        let (code, rest) = source.split_once("pub fn catalogue()").unwrap();
        let (listed, _) = rest.split_once("#[cfg(test)]").unwrap();
        let requests = code
            .lines()
            .filter(|line| line.starts_with("pub fn ") && line.contains("-> Get<"))
            .filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next());
        let mut count = 0;
        for name in requests {
            assert!(
                listed.contains(&format!("{name}(")),
                "{name} is not in the catalogue"
            );
            count += 1;
        }
        assert!(count > 25, "only {count} requests were found");
        assert!(catalogue().iter().any(|sample| sample.path.contains("UPID")));
        assert_eq!(
            catalogue().iter().filter(|sample| sample.method != "GET").count(),
            2
        );
    }
}
