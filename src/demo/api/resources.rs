//! The rows that lists are made of: guests, nodes, storages, pools.

use serde::Serialize;
use serde_json::{Value, json};

use super::Call;
use crate::demo::{
    answer::Data,
    world::{
        World,
        guest::{Guest, Kind, Power},
        host::{Node, Storage},
    },
};

/// A guest in `/cluster/resources`.
#[derive(Serialize)]
pub(super) struct GuestRow<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    vmid: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    node: &'a str,
    status: &'static str,
    template: u8,
    cpu: f64,
    maxcpu: u32,
    mem: u64,
    memhost: u64,
    maxmem: u64,
    disk: u64,
    maxdisk: u64,
    diskread: u64,
    diskwrite: u64,
    netin: u64,
    netout: u64,
    uptime: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hastate: Option<&'static str>,
}

/// The figures of a running guest; all nought when it is not.
pub(super) struct Figures {
    pub(super) cpu: f64,
    pub(super) mem: u64,
    pub(super) disk: u64,
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Figures {
    pub(super) fn of(guest: &Guest, at: i64) -> Self {
        let running = guest.power == Power::Running;
        let counter = |which| {
            if guest.is_running() {
                guest.profile.counter(which, guest.since, at)
            } else {
                0
            }
        };
        // Only containers tell how full their disk is.
        let disk = match guest.kind {
            Kind::Lxc if guest.is_running() => (guest.boot_size() as f64 * guest.profile.full * 0.8) as u64,
            _ => 0,
        };
        Self {
            cpu: if running { guest.profile.cpu(at) } else { 0.0 },
            mem: if guest.is_running() {
                (guest.memory() as f64 * guest.profile.memory(at)) as u64
            } else {
                0
            },
            disk,
            read: counter(1),
            written: counter(2),
            received: counter(3),
            sent: counter(4),
        }
    }
}

/// `status` as lists show it.
pub(super) fn status(guest: &Guest) -> &'static str {
    if guest.is_running() { "running" } else { "stopped" }
}

fn guest_row<'a>(world: &World, guest: &'a Guest, at: i64) -> GuestRow<'a> {
    let figures = Figures::of(guest, at);
    GuestRow {
        id: format!("{}/{}", guest.kind.name(), guest.vmid),
        kind: guest.kind.name(),
        vmid: guest.vmid,
        name: guest.name(),
        node: &guest.node,
        status: status(guest),
        template: u8::from(guest.is_template()),
        cpu: figures.cpu,
        maxcpu: guest.cpus(),
        mem: figures.mem,
        memhost: if guest.is_running() {
            figures.mem + (64 << 20)
        } else {
            0
        },
        maxmem: guest.memory(),
        disk: figures.disk,
        maxdisk: guest.boot_size(),
        diskread: figures.read,
        diskwrite: figures.written,
        netin: figures.received,
        netout: figures.sent,
        uptime: guest.uptime(at),
        tags: guest.option("tags"),
        pool: guest.pool.as_deref(),
        lock: guest.lock(),
        hastate: super::ha::state_of(world, guest.vmid),
    }
}

/// A node in `/nodes` and `/cluster/resources`; without figures for those who may not see them.
pub(super) fn node_row(world: &World, node: &Node, audited: bool) -> Value {
    let at = world.sampled();
    let mut row = json!({
        "id": format!("node/{}", node.name),
        "type": "node",
        "node": node.name,
        "status": if node.online { "online" } else { "offline" },
        "level": "",
    });
    if !audited {
        return row;
    }
    row["maxcpu"] = json!(node.cpus);
    row["maxmem"] = json!(node.memory);
    row["maxdisk"] = json!(node.root_size);
    if node.online {
        let (cpus, bytes) = world.asked_of(&node.name, at);
        row["cpu"] = json!(node.cpu(cpus, at));
        row["mem"] = json!(node.used_memory(bytes, at));
        row["disk"] = json!(node.root_used(at));
        row["uptime"] = json!(node.uptime(at));
    }
    row
}

fn storage_row(world: &World, storage: &Storage, node: &Node) -> Value {
    let away = storage.down_on.as_deref() == Some(&node.name);
    let mut row = json!({
        "id": format!("storage/{}/{}", node.name, storage.name),
        "type": "storage",
        "storage": storage.name,
        "node": node.name,
        "status": if away { "unknown" } else { "available" },
        "shared": u8::from(storage.shared),
        "content": storage.content,
        "plugintype": storage.kind,
    });
    if !away {
        row["disk"] = json!(storage.used(&node.name, world.sampled()));
        row["maxdisk"] = json!(storage.total);
    }
    row
}

impl Call<'_> {
    /// `/cluster/resources`.
    pub(super) fn resources(&self) -> Data {
        let wanted = self.params.get("type");
        let takes = |kind: &str| wanted.is_none_or(|wanted| wanted == kind);
        let world = &*self.world;
        let mut rows: Vec<String> = Vec::with_capacity(world.guests.len() + 64);
        if wanted.is_none() {
            for pool in world.pools.keys().filter(|pool| self.sees_pool(pool)) {
                rows.push(json!({"id": format!("/pool/{pool}"), "type": "pool", "pool": pool}).to_string());
            }
        }
        if takes("vm") {
            rows.extend(self.guest_rows(|_| true));
        }
        if takes("node") {
            for node in &world.nodes {
                let mut row = node_row(
                    world,
                    node,
                    self.has(&format!("/nodes/{}", node.name), "Sys.Audit"),
                );
                row["cgroup-mode"] = json!(2);
                if let Some(state) = super::ha::node_state(world, node) {
                    row["hastate"] = json!(state);
                }
                rows.push(row.to_string());
            }
        }
        if takes("storage") {
            rows.extend(self.storage_rows(|_| true).iter().map(Value::to_string));
        }
        if takes("sdn") && self.has("/sdn/zones/localnetwork", "SDN.Audit") {
            rows.extend(world.nodes.iter().filter(|node| node.online).map(|node| {
                json!({
                    "id": format!("sdn/{}/localnetwork", node.name),
                    "type": "sdn",
                    "sdn": "localnetwork",
                    "node": node.name,
                    "status": "ok",
                })
                .to_string()
            }));
        }
        Data::Raw(format!("[{}]", rows.join(",")))
    }

    /// The guests that the caller may see, as JSON.
    pub(super) fn guest_rows(&self, takes: impl Fn(&Guest) -> bool) -> Vec<String> {
        let all = self.sees_all();
        let at = self.world.sampled();
        self.world
            .guests
            .values()
            .filter(|guest| takes(guest) && (all || self.may_see(guest)))
            // A row of numbers and texts always serialises.
            .filter_map(|guest| serde_json::to_string(&guest_row(self.world, guest, at)).ok())
            .collect()
    }

    pub(super) fn storage_rows(&self, takes: impl Fn(&Storage) -> bool) -> Vec<Value> {
        let mut rows = Vec::new();
        for storage in self.world.storages.iter().filter(|storage| takes(storage)) {
            if self.sees_storage(storage.name) {
                rows.extend(
                    self.world
                        .nodes
                        .iter()
                        .filter(|node| storage.enabled_on(&node.name).is_ok())
                        .map(|node| storage_row(self.world, storage, node)),
                );
            }
        }
        rows
    }

    pub(super) fn sees_storage(&self, name: &str) -> bool {
        let path = format!("/storage/{name}");
        self.has(&path, "Datastore.Audit") || self.has(&path, "Datastore.AllocateSpace")
    }

    pub(super) fn sees_pool(&self, pool: &str) -> bool {
        let path = format!("/pool/{pool}");
        self.has(&path, "Pool.Audit") || self.has(&path, "Pool.Allocate")
    }

    /// `/nodes`.
    pub(super) fn nodes(&self) -> Value {
        self.world
            .nodes
            .iter()
            .map(|node| {
                let mut row = node_row(
                    self.world,
                    node,
                    self.has(&format!("/nodes/{}", node.name), "Sys.Audit"),
                );
                row["ssl_fingerprint"] = json!(node.fingerprint);
                row
            })
            .collect()
    }

    /// `/nodes/{node}/qemu` and `…/lxc`.
    pub(super) fn guest_list(&self, kind: Kind) -> Value {
        let node = self.variable("node");
        let full = self.params.flag("full");
        self.world
            .guests
            .values()
            .filter(|guest| guest.kind == kind && guest.node == node && self.may_see(guest))
            .map(|guest| self.guest_status(guest, full || kind == Kind::Lxc))
            .collect()
    }

    /// What `status/current` and the node's lists have in common.
    pub(super) fn guest_status(&self, guest: &Guest, full: bool) -> Value {
        let at = self.world.sampled();
        let figures = Figures::of(guest, at);
        let mut row = json!({
            "vmid": guest.vmid,
            "name": guest.name(),
            "status": status(guest),
            "cpus": guest.cpus(),
            "cpu": figures.cpu,
            "mem": figures.mem,
            "maxmem": guest.memory(),
            "disk": figures.disk,
            "maxdisk": guest.boot_size(),
            "netin": figures.received,
            "netout": figures.sent,
            "diskread": figures.read,
            "diskwrite": figures.written,
            "uptime": guest.uptime(at),
        });
        if let Some(tags) = guest.option("tags") {
            row["tags"] = json!(tags);
        }
        if let Some(lock) = guest.lock() {
            row["lock"] = json!(lock);
        }
        if guest.is_template() {
            row["template"] = json!(1);
        }
        let pressure = |which: u64| {
            let level = crate::demo::world::load::walk(guest.profile.id ^ which, at, 90);
            (level * guest.profile.busy * 1000.0).round() / 100.0
        };
        match guest.kind {
            Kind::Qemu => {
                row["memhost"] = json!(if guest.is_running() {
                    figures.mem + (64 << 20)
                } else {
                    0
                });
            }
            Kind::Lxc => {
                row["type"] = json!("lxc");
                row["maxswap"] = json!(guest.swap());
                row["swap"] = json!(if guest.is_running() { guest.swap() / 20 } else { 0 });
            }
        }
        if guest.is_running() {
            row["pid"] = json!(guest.pid);
            for (index, key) in ["cpu", "io", "memory"].into_iter().enumerate() {
                row[format!("pressure{key}some")] = json!(pressure(index as u64 + 31));
                row[format!("pressure{key}full")] = json!(pressure(index as u64 + 41) / 2.0);
            }
        }
        if full && guest.kind == Kind::Qemu {
            row["qmpstatus"] = json!(match guest.power {
                Power::Running => "running",
                Power::Paused => "paused",
                Power::Stopped => "stopped",
            });
            if guest.is_running() {
                let nics = guest.nics();
                let share = nics.len().max(1) as u64;
                row["nics"] = nics
                    .iter()
                    .map(|(key, _)| {
                        let name = format!("tap{}i{}", guest.vmid, &key[3..]);
                        (
                            name,
                            json!({"netin": figures.received / share, "netout": figures.sent / share}),
                        )
                    })
                    .collect::<serde_json::Map<_, _>>()
                    .into();
            }
        }
        row
    }
}
