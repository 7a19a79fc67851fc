//! Objects for the tests of this room.

use jiff::Timestamp;

use crate::domain::{
    ClusterId, Guest, GuestKind, GuestStatus, Inventory, Node, NodeStatus, Storage, StorageStatus, Task,
    TaskState, Vmid,
};

use super::{Feed, FeedError, FeedErrorKind, Payload, Store, Update};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn store() -> Store {
    Store::new([ClusterId::from("prod"), ClusterId::from("lab")])
}

pub(crate) fn guest(vmid: u32, node: &str) -> Guest {
    Guest {
        vmid: Vmid(vmid),
        kind: GuestKind::Qemu,
        name: Some(format!("web-{vmid}").into()),
        node: node.into(),
        status: GuestStatus::Running,
        template: false,
        tags: Vec::new(),
        pool: None,
        lock: None,
        ha_state: None,
        cpu: Some(0.1),
        cpus: Some(4.0),
        mem: Some(1 << 30),
        max_mem: Some(4 << 30),
        host_mem: None,
        disk: None,
        max_disk: Some(32 << 30),
        uptime: Some(1_000),
        net_in: None,
        net_out: None,
        disk_read: None,
        disk_write: None,
    }
}

pub(crate) fn node(name: &str) -> Node {
    Node {
        name: name.into(),
        status: NodeStatus::Online,
        cpu: Some(0.2),
        cpus: Some(8.0),
        mem: Some(10),
        max_mem: Some(100),
        disk: Some(10),
        max_disk: Some(100),
        uptime: Some(5_000),
        level: Some("".into()),
    }
}

pub(crate) fn storage(name: &str, node: &str) -> Storage {
    Storage {
        name: name.into(),
        node: node.into(),
        status: StorageStatus::Available,
        plugin: "dir".into(),
        content: Vec::new(),
        shared: false,
        used: Some(10),
        total: Some(100),
    }
}

/// Two nodes with a local storage each, and guests 100, 101… on the first.
pub(crate) fn inventory(guests: u32) -> Inventory {
    Inventory {
        nodes: vec![node("pve1"), node("pve2")],
        guests: (0..guests).map(|n| guest(100 + n, "pve1")).collect(),
        storages: vec![storage("local", "pve1"), storage("local", "pve2")],
        ..Inventory::default()
    }
}

pub(crate) fn task(start: i64, kind: &str, id: &str, state: TaskState) -> Task {
    Task {
        upid: format!("UPID:pve1:00000001:00000001:{start:08X}:{kind}:{id}:root@pam:")
            .parse()
            .unwrap(),
        end: None,
        state,
        user: "root@pam".into(),
    }
}

pub(crate) fn read(second: i64, feed: Feed, payload: Payload) -> Update {
    Update {
        key: feed.of(&ClusterId::from("prod")),
        at: at(second),
        outcome: Ok(payload),
    }
}

pub(crate) fn resources(second: i64, inventory: Inventory) -> Update {
    read(second, Feed::Resources, Payload::Resources(inventory))
}

pub(crate) fn failure(second: i64, feed: Feed, kind: FeedErrorKind) -> Update {
    Update {
        key: feed.of(&ClusterId::from("prod")),
        at: at(second),
        outcome: Err(FeedError {
            kind,
            message: format!("{kind:?}"),
        }),
    }
}
