//! Estates of any size, made by rule: the same number gives the same estate.

use pvedeck::domain::{
    Guest, GuestKind, GuestStatus, Inventory, Node, NodeStatus, Storage, StorageStatus, Vmid,
};
use serde_json::{Value, json};

use super::recording::{Answer, Recording};

const GIB: u64 = 1 << 30;
/// Guests on one node, about what a well-filled host carries.
const GUESTS_A_NODE: u32 = 100;

/// How many nodes carry `guests`.
fn nodes_for(guests: u32) -> u32 {
    (guests / GUESTS_A_NODE).max(3)
}

fn node_of(index: u32, guests: u32) -> String {
    format!("pve{}", index % nodes_for(guests) + 1)
}

fn is_running(index: u32) -> bool {
    !index.is_multiple_of(5)
}

/// The estate as the store keeps it.
pub fn inventory(guests: u32) -> Inventory {
    Inventory {
        nodes: (0..nodes_for(guests)).map(node).collect(),
        guests: (0..guests).map(|index| guest(index, guests)).collect(),
        storages: (0..nodes_for(guests)).map(storage).collect(),
        ..Inventory::default()
    }
}

/// One node, online and half busy.
pub fn node(index: u32) -> Node {
    Node {
        name: format!("pve{}", index + 1).into(),
        status: NodeStatus::Online,
        cpu: Some(f64::from(index % 10) / 20.0),
        cpus: Some(32.0),
        mem: Some(96 * GIB),
        max_mem: Some(256 * GIB),
        disk: Some(12 * GIB),
        max_disk: Some(94 * GIB),
        uptime: Some(864_000 + u64::from(index)),
        level: Some("".into()),
    }
}

/// One guest; every fifth is stopped.
pub fn guest(index: u32, of: u32) -> Guest {
    let running = is_running(index);
    Guest {
        vmid: Vmid(100 + index),
        kind: if index.is_multiple_of(3) {
            GuestKind::Lxc
        } else {
            GuestKind::Qemu
        },
        name: Some(name(index).into()),
        node: node_of(index, of).into(),
        status: if running {
            GuestStatus::Running
        } else {
            GuestStatus::Stopped
        },
        template: false,
        tags: vec!["prod".into()],
        pool: None,
        lock: None,
        ha_state: None,
        cpu: Some(if running {
            f64::from(index % 100) / 100.0
        } else {
            0.0
        }),
        cpus: Some(4.0),
        mem: Some(if running { GIB } else { 0 }),
        max_mem: Some(4 * GIB),
        host_mem: None,
        disk: Some(0),
        max_disk: Some(32 * GIB),
        net_in: Some(u64::from(index) * 1000),
        net_out: Some(u64::from(index) * 2000),
        disk_read: Some(0),
        disk_write: Some(0),
        uptime: running.then_some(7200),
    }
}

fn name(index: u32) -> String {
    format!("{}-{index:05}", ["web", "db", "ci", "mail"][index as usize % 4])
}

fn storage(index: u32) -> Storage {
    Storage {
        name: "local".into(),
        node: format!("pve{}", index + 1).into(),
        status: StorageStatus::Available,
        plugin: "dir".into(),
        content: vec!["images".into(), "iso".into()],
        shared: false,
        used: Some(12 * GIB),
        total: Some(94 * GIB),
    }
}

/// The same estate as `/cluster/resources` sends it.
pub fn resources_json(guests: u32) -> String {
    let nodes = (0..nodes_for(guests)).map(|index| {
        json!({
            "type": "node", "id": format!("node/pve{}", index + 1), "node": format!("pve{}", index + 1),
            "status": "online", "cpu": f64::from(index % 10) / 20.0, "maxcpu": 32, "mem": 96 * GIB,
            "maxmem": 256 * GIB, "disk": 12 * GIB, "maxdisk": 94 * GIB, "uptime": 864_000 + index, "level": "",
            "cgroup-mode": 2,
        })
    });
    let storages = (0..nodes_for(guests)).map(|index| {
        json!({
            "type": "storage", "id": format!("storage/pve{}/local", index + 1), "node": format!("pve{}", index + 1),
            "storage": "local", "status": "available", "plugintype": "dir", "content": "iso,images", "shared": 0,
            "disk": 12 * GIB, "maxdisk": 94 * GIB,
        })
    });
    let rows: Vec<Value> = (0..guests)
        .map(|index| guest_json(index, guests))
        .chain(nodes)
        .chain(storages)
        .collect();
    json!({ "data": rows }).to_string()
}

fn guest_json(index: u32, of: u32) -> Value {
    let running = is_running(index);
    let kind = if index.is_multiple_of(3) { "lxc" } else { "qemu" };
    json!({
        "type": kind, "id": format!("{kind}/{}", 100 + index), "vmid": 100 + index, "name": name(index),
        "node": node_of(index, of), "status": if running { "running" } else { "stopped" }, "template": 0,
        "tags": "prod", "cpu": if running { f64::from(index % 100) / 100.0 } else { 0.0 }, "maxcpu": 4,
        "mem": if running { GIB } else { 0 }, "maxmem": 4 * GIB, "disk": 0, "maxdisk": 32 * GIB,
        "netin": u64::from(index) * 1000, "netout": u64::from(index) * 2000, "diskread": 0, "diskwrite": 0,
        "uptime": if running { 7200 } else { 0 },
    })
}

/// A whole server for an estate of this size: what a console asks from the start, in the words of Proxmox VE 9.
pub fn recording(guests: u32) -> Recording {
    let members: Vec<Value> = (0..nodes_for(guests))
        .map(|index| {
            let name = format!("pve{}", index + 1);
            json!({
                "type": "node", "id": format!("node/{name}"), "name": name, "nodeid": index + 1, "online": 1,
                "local": u32::from(index == 0), "ip": format!("192.0.2.{}", index % 250 + 1), "level": "",
            })
        })
        .collect();
    let quorum = json!({
        "type": "cluster", "id": "cluster", "name": "made", "quorate": 1, "version": 3, "nodes": members.len(),
    });
    let status: Vec<Value> = std::iter::once(quorum).chain(members).collect();
    let data = |value: Value| Answer::json(&json!({ "data": value }).to_string());
    Recording::default()
        .with("/cluster/resources", Answer::json(&resources_json(guests)))
        .with("/cluster/status", data(status.into()))
        .with("/cluster/tasks", data(json!([])))
        .with("/cluster/log", data(json!([])))
        .with(
            "/cluster/ha/status/current",
            data(json!([{ "id": "quorum", "node": "pve1", "quorate": 1, "status": "OK", "type": "quorum" }])),
        )
        .with(
            "/version",
            data(json!({ "version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d" })),
        )
        .with(
            "/access/permissions",
            data(json!({ "/": { "Sys.Audit": 1, "VM.Audit": 1, "Datastore.Audit": 1 } })),
        )
}
