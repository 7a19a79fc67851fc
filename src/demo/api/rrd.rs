//! History: `rrddata`, computed from the same walks as the present.

use serde_json::{Value, json};

use super::{Call, resources::Figures};
use crate::demo::{
    answer::Outcome,
    world::{guest::Guest, host::Node},
};

impl Call<'_> {
    /// The moments of a time frame, oldest first.
    fn moments(&self) -> Vec<i64> {
        let (step, count) = match self.params.text("timeframe") {
            "day" => (60, 1440),
            "week" => (1800, 336),
            "month" => (1800, 1440),
            "year" => (21_600, 1440),
            "decade" => (604_800, 520),
            _ => (60, 60),
        };
        let last = self.world.seconds().div_euclid(step) * step;
        (0..count).rev().map(|back| last - back * step).collect()
    }

    pub(super) fn node_history(&self, node: &Node) -> Value {
        let (cpus, bytes) = self.world.asked_of(&node.name, self.world.sampled());
        self.moments()
            .into_iter()
            .map(|at| {
                if at < node.since {
                    return json!({"time": at});
                }
                let cpu = node.cpu(cpus, at);
                let used = node.used_memory(bytes, at);
                let traffic = 2.0e6 * (0.3 + cpu);
                json!({
                    "time": at, "cpu": cpu, "maxcpu": node.cpus, "iowait": node.wait(at),
                    "loadavg": node.load(cpu, at)[0], "memused": used, "memtotal": node.memory,
                    "memavailable": node.memory - used, "swapused": 0, "swaptotal": 8_u64 << 30,
                    "rootused": node.root_used(at), "roottotal": node.root_size, "netin": traffic,
                    "netout": traffic * 0.8, "arcsize": 0, "pressurecpusome": cpu * 4.0, "pressureiosome": 0.3,
                    "pressureiofull": 0.1, "pressurememorysome": 0, "pressurememoryfull": 0,
                })
            })
            .collect()
    }

    pub(super) fn guest_history(&self, guest: &Guest) -> Value {
        self.moments()
            .into_iter()
            .map(|at| {
                if at < guest.since || !guest.is_running() {
                    return json!({"time": at});
                }
                let figures = Figures::of(guest, at);
                json!({
                    "time": at, "cpu": figures.cpu, "maxcpu": guest.cpus(), "mem": figures.mem,
                    "memhost": figures.mem + (64 << 20), "maxmem": guest.memory(), "disk": figures.disk,
                    "maxdisk": guest.boot_size(), "diskread": guest.profile.rate(1, guest.since, at),
                    "diskwrite": guest.profile.rate(2, guest.since, at),
                    "netin": guest.profile.rate(3, guest.since, at), "netout": guest.profile.rate(4, guest.since, at),
                    "pressurecpusome": figures.cpu * 3.0, "pressurecpufull": figures.cpu, "pressureiosome": 0.2,
                    "pressureiofull": 0.1, "pressurememorysome": 0, "pressurememoryfull": 0,
                })
            })
            .collect()
    }

    pub(super) fn storage_history(&self) -> Outcome {
        let storage = self.known_storage()?;
        let node = self.variable("node");
        let rows: Value = self
            .moments()
            .into_iter()
            .map(|at| json!({"time": at, "total": storage.total, "used": storage.used(node, at)}))
            .collect();
        Ok(rows.into())
    }
}
