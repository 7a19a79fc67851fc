//! Plans and how they are run, against a made estate.

mod changes;
mod conditions;
mod crashing;
mod evacuation;
mod firewall;
mod keys;
mod making;
mod nodes;
mod printing;
mod relocating;
mod running;
mod ways;
mod whole;

use std::sync::Arc;

use jiff::Timestamp;

use super::Arguments;
use crate::{
    domain::{
        ClusterId, Guest, GuestKind, GuestRef, GuestStatus, Inventory, Node, NodeStatus, ObjectRef, Pool,
        Storage, Vmid, config::GuestConfig, guest::Snapshot, storage::StorageStatus,
    },
    store::{Feed, Payload, Store, Update},
};

fn cluster() -> ClusterId {
    ClusterId::from("prod")
}

fn target(vmid: u32) -> ObjectRef {
    ObjectRef::Guest(GuestRef {
        cluster: cluster(),
        vmid: Vmid(vmid),
    })
}

fn arguments(given: &[(&str, &str)]) -> Arguments {
    given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn guest(vmid: u32, kind: GuestKind, status: GuestStatus) -> Guest {
    Guest {
        vmid: Vmid(vmid),
        kind,
        name: Some(format!("web-{vmid}").into()),
        node: "pve1".into(),
        status,
        template: false,
        tags: Vec::new(),
        pool: Some(Arc::from("acme")),
        lock: None,
        ha_state: None,
        cpu: None,
        cpus: None,
        mem: None,
        max_mem: None,
        host_mem: None,
        disk: None,
        max_disk: None,
        uptime: None,
        net_in: None,
        net_out: None,
        disk_read: None,
        disk_write: None,
    }
}

fn node(name: &str, status: NodeStatus) -> Node {
    Node {
        name: name.into(),
        status,
        cpu: None,
        cpus: None,
        mem: None,
        max_mem: None,
        disk: None,
        max_disk: None,
        uptime: None,
        level: None,
    }
}

fn read(store: &mut Store, feed: Feed, payload: Payload) {
    store.apply(Update {
        key: feed.of(&cluster()),
        at: Timestamp::UNIX_EPOCH,
        outcome: Ok(payload),
    });
}

/// A plan by the rules that are built in.
fn plan(
    deed: super::Deed,
    targets: &[ObjectRef],
    given: &Arguments,
    store: &Store,
) -> Result<super::Plan, super::Refusal> {
    let rules = super::Rules::default();
    let now = Timestamp::UNIX_EPOCH;
    super::make(
        deed,
        targets,
        given,
        super::Scene {
            store,
            rules: &rules,
            now,
            past: &[],
        },
    )
}

/// 100 to 105: machine and container, each running and stopped; a template; one on a node that is off.
fn estate(change: impl Fn(&mut Guest)) -> Store {
    let mut guests = vec![
        guest(100, GuestKind::Qemu, GuestStatus::Running),
        guest(101, GuestKind::Qemu, GuestStatus::Stopped),
        guest(102, GuestKind::Lxc, GuestStatus::Running),
        guest(103, GuestKind::Lxc, GuestStatus::Stopped),
        guest(104, GuestKind::Qemu, GuestStatus::Stopped),
        guest(105, GuestKind::Qemu, GuestStatus::Unknown),
    ];
    guests[4].template = true;
    guests[5].node = "pve3".into();
    guests.iter_mut().for_each(change);
    let mut store = Store::new([cluster()]);
    let inventory = Inventory {
        nodes: vec![
            node("pve1", NodeStatus::Online),
            node("pve2", NodeStatus::Online),
            node("pve3", NodeStatus::Offline),
        ],
        guests,
        storages: vec![
            storage("local", false, 100 << 30),
            storage("local-zfs", false, 100 << 30),
            storage("ceph", true, 1 << 40),
        ],
        pools: vec![Pool {
            name: Arc::from("acme"),
        }],
        ..Inventory::default()
    };
    read(&mut store, Feed::Resources, Payload::Resources(inventory));
    store
}

/// A storage of pve1, half full.
fn storage(name: &str, shared: bool, total: u64) -> Storage {
    Storage {
        name: name.into(),
        node: "pve1".into(),
        status: StorageStatus::Available,
        plugin: Arc::from(if name == "local-zfs" { "zfspool" } else { "dir" }),
        content: ["images", "rootdir"].map(Arc::from).to_vec(),
        shared,
        used: Some(total / 2),
        total: Some(total),
    }
}

fn configure(store: &mut Store, vmid: u32, entries: &[(&str, &str)]) {
    let config = GuestConfig {
        entries: entries
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        digest: Some("d1".into()),
    };
    read(store, Feed::GuestConfig(Vmid(vmid)), Payload::GuestConfig(config));
}

fn snapshots(store: &mut Store, vmid: u32, names: &[&str]) {
    let list = names
        .iter()
        .enumerate()
        .map(|(index, name)| Snapshot {
            name: (*name).into(),
            parent: None,
            time: Timestamp::from_second(index as i64).ok(),
            with_ram: false,
            description: "".into(),
        })
        .collect();
    read(
        store,
        Feed::GuestSnapshots(Vmid(vmid)),
        Payload::GuestSnapshots(list),
    );
}
