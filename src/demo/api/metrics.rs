//! `/cluster/metrics/export`: what each node's status daemon has collected over the last half hour.

use serde_json::{Value, json};

use super::{Call, resources::Figures};
use crate::demo::world::{
    World,
    guest::{Guest, Kind},
    host::Node,
    load::{RHYTHM, mix, walk},
};

/// How many collections are kept beside the newest.
const OLD_GENERATIONS: i64 = 180;

/// What one node collected at a moment.
struct Collection {
    at: i64,
    rows: Vec<Value>,
}

impl Collection {
    fn add(&mut self, id: &str, kind: &str, metrics: &[(&str, Value)]) {
        let at = self.at;
        self.rows.extend(metrics.iter().map(|(metric, value)| {
            json!({"id": id, "metric": metric, "timestamp": at, "type": kind, "value": value})
        }));
    }

    fn node(&mut self, world: &World, node: &Node) {
        let at = self.at;
        let id = format!("node/{}", node.name);
        let (cpus, bytes) = world.asked_of(&node.name, at);
        let cpu = node.cpu(cpus, at);
        let load = node.load(cpu, at);
        self.add(
            &id,
            "gauge",
            &[
                ("uptime", json!(node.uptime(at))),
                ("cpu_avg1", json!(load[0])),
                ("cpu_avg5", json!(load[1])),
                ("cpu_avg15", json!(load[2])),
                ("cpu_max", json!(node.cpus)),
                ("cpu_current", json!(cpu)),
                ("cpu_iowait", json!(node.wait(at))),
                ("mem_total", json!(node.memory)),
                ("mem_used", json!(node.used_memory(bytes, at))),
                ("swap_total", json!(8_u64 << 30)),
                ("swap_used", json!(0)),
                ("disk_total", json!(node.root_size)),
                ("disk_used", json!(node.root_used(at))),
            ],
        );
        let moved = |which: u64, pace: f64| {
            let seconds = node.uptime(at);
            // The walk moves by less than a step's growth: the sum never falls.
            let ripple = 1.0e6 * walk(mix(&[node.seed, which]), at, 600);
            (seconds as f64 * pace + ripple) as u64
        };
        self.add(
            &id,
            "derive",
            &[
                ("net_in", json!(moved(1, 1.1e6))),
                ("net_out", json!(moved(2, 0.9e6))),
            ],
        );
    }

    fn guest(&mut self, guest: &Guest) {
        let at = self.at;
        let id = format!("{}/{}", guest.kind.name(), guest.vmid);
        let running = guest.is_running() && at >= guest.since;
        if running {
            let figures = Figures::of(guest, at);
            self.add(
                &id,
                "gauge",
                &[
                    ("cpu_current", json!(figures.cpu)),
                    ("mem_used", json!(figures.mem)),
                ],
            );
            self.add(
                &id,
                "derive",
                &[
                    ("disk_read", json!(figures.read)),
                    ("disk_write", json!(figures.written)),
                    ("net_in", json!(figures.received)),
                    ("net_out", json!(figures.sent)),
                ],
            );
            if guest.kind == Kind::Lxc {
                self.add(&id, "gauge", &[("disk_used", json!(figures.disk))]);
            }
        }
        let uptime = if running { guest.uptime(at) } else { 0 };
        self.add(
            &id,
            "gauge",
            &[
                ("uptime", json!(uptime)),
                ("cpu_max", json!(guest.cpus())),
                ("mem_total", json!(guest.memory())),
                ("disk_total", json!(guest.boot_size())),
            ],
        );
    }
}

impl Call<'_> {
    /// `/cluster/metrics/export`.
    pub(super) fn metrics(&self) -> Value {
        let world = &*self.world;
        let newest = world.sampled();
        let start = self.params.number("start-time");
        let old = match (self.params.flag("history"), start) {
            (false, _) => 0,
            (true, None) => OLD_GENERATIONS,
            (true, Some(start)) => ((world.seconds() - start) / 10).clamp(0, OLD_GENERATIONS),
        };
        let wanted = |node: &&Node| {
            let listed = self
                .params
                .get("node-list")
                .is_none_or(|list| list.split(',').any(|name| name == node.name));
            listed && node.online && (!self.params.flag("local-only") || node.name == world.local())
        };
        let moments = (0..=old)
            .rev()
            .map(|back| newest - back * RHYTHM)
            .filter(|at| start.is_none_or(|start| *at > start));
        let mut rows: Vec<Value> = Vec::new();
        for at in moments {
            for node in world.nodes.iter().filter(wanted).filter(|node| at >= node.since) {
                let mut collection = Collection { at, rows: Vec::new() };
                collection.node(world, node);
                for guest in world.guests.values().filter(|guest| guest.node == node.name) {
                    collection.guest(guest);
                }
                for storage in &world.storages {
                    let down = storage.down_on.as_deref() == Some(node.name.as_str());
                    if storage.enabled_on(&node.name).is_err() || down {
                        continue;
                    }
                    collection.add(
                        &format!("storage/{}/{}", node.name, storage.name),
                        "gauge",
                        &[
                            ("disk_total", json!(storage.total)),
                            ("disk_used", json!(storage.used(&node.name, at))),
                        ],
                    );
                }
                rows.append(&mut collection.rows);
            }
        }
        json!({"data": rows})
    }
}
