//! `/nodes/{node}`: the host as an operating system.

use serde_json::{Value, json};

use super::{Call, cluster::digest};
use crate::demo::{
    answer::{Data, Failure, Outcome},
    world::{host::Node, load::walk},
};

pub(super) const SERVICES: &[(&str, &str)] = &[
    ("chrony", "chrony, an NTP client/server"),
    ("corosync", "Corosync Cluster Engine"),
    ("cron", "Regular background program processing daemon"),
    ("ksmtuned", "Kernel Samepage Merging (KSM) Tuning Daemon"),
    ("postfix", "Postfix Mail Transport Agent"),
    ("proxmox-firewall", "Proxmox nftables firewall"),
    ("pve-cluster", "The Proxmox VE cluster filesystem"),
    ("pve-firewall", "Proxmox VE firewall"),
    ("pve-ha-crm", "PVE Cluster HA Resource Manager Daemon"),
    ("pve-ha-lrm", "PVE Local HA Resource Manager Daemon"),
    ("pvedaemon", "PVE API Daemon"),
    ("pveproxy", "PVE API Proxy Server"),
    ("pvescheduler", "Proxmox VE scheduler"),
    ("pvestatd", "PVE Status Daemon"),
    ("qmeventd", "PVE Qemu Event Daemon"),
    ("spiceproxy", "PVE SPICE Proxy Server"),
    ("sshd", "OpenBSD Secure Shell server"),
    ("systemd-journald", "Journal Service"),
];

impl Call<'_> {
    pub(super) fn route_node(&mut self) -> Option<Outcome> {
        let node = self.world.node(self.variable("node"))?.clone();
        Some(match (self.verb, self.path) {
            ("GET", "/nodes/{node}/status") => Ok(self.node_status(&node).into()),
            ("GET", "/nodes/{node}/version") => {
                Ok(json!({"release": "9.2", "repoid": "14a22df35955d97d", "version": "9.2.11"}).into())
            }
            ("GET", "/nodes/{node}/services") => {
                let rows: Value = SERVICES.iter().map(|service| service_row(&node, *service)).collect();
                Ok(rows.into())
            }
            ("GET", "/nodes/{node}/services/{service}/state") => {
                let wanted = self.variable("service");
                SERVICES
                    .iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|service| service_row(&node, *service).into())
                    .ok_or_else(|| Failure::parameter("service", "no such service"))
            }
            ("GET", "/nodes/{node}/dns") => {
                Ok(json!({"search": "example.net", "dns1": "10.10.0.53", "dns2": "10.10.0.54"}).into())
            }
            ("GET", "/nodes/{node}/hosts") => Ok(self.hosts().into()),
            ("GET", "/nodes/{node}/time") => {
                let now = self.world.seconds();
                Ok(json!({"time": now, "localtime": now, "timezone": "Etc/UTC"}).into())
            }
            ("GET", "/nodes/{node}/syslog") => Ok(self.syslog(&node)),
            ("GET", "/nodes/{node}/journal") => {
                let count = self.params.count("lastentries").unwrap_or(20).min(500);
                let last = self.journal(&node);
                let lines: Value = last.iter().skip(last.len().saturating_sub(count)).cloned().collect();
                Ok(lines.into())
            }
            ("GET", "/nodes/{node}/subscription") => Ok(subscription(&node).into()),
            ("GET", "/nodes/{node}/netstat") => Ok(self.netstat(&node).into()),
            ("GET", "/nodes/{node}/report") => Ok(json!(format!(
                "==== general system info ====\n\n# hostname\n{}\n\n# pveversion --verbose\nproxmox-ve: 9.2.0\n",
                node.name
            ))
            .into()),
            ("GET", "/nodes/{node}/rrddata") => Ok(self.node_history(&node).into()),
            ("GET", "/nodes/{node}/replication") => Ok(self.node_replications(&node).into()),
            ("GET", "/nodes/{node}/replication/{id}/status") => {
                let id = self.variable("id").to_owned();
                let rows = self.node_replications(&node);
                let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["id"] == id)).cloned();
                row.map(Into::into)
                    .ok_or_else(|| Failure::server(format!("no such job '{id}'")))
            }
            ("GET", "/nodes/{node}/replication/{id}/log") => {
                let line = format!("{}: start replication job", self.variable("id"));
                Ok(Data::Page(json!([{"n": 1, "t": line}]), 1))
            }
            ("GET", "/nodes/{node}/aplinfo") => Ok(json!([]).into()),
            ("GET", "/nodes/{node}/sdn/zones") => {
                Ok(json!([{"zone": "localnetwork", "status": "available"}]).into())
            }
            ("GET", "/nodes/{node}/vzdump/defaults") => {
                Ok(json!({"mode": "snapshot", "compress": "zstd", "prune-backups": "keep-all=1"}).into())
            }
            ("POST", "/nodes/{node}/vzdump") => self.back_up(),
            _ => return None,
        })
    }

    fn node_status(&self, node: &Node) -> Value {
        let world = &*self.world;
        let at = world.sampled();
        let (cpus, bytes) = world.asked_of(&node.name, at);
        let cpu = node.cpu(cpus, at);
        let used = node.used_memory(bytes, at);
        let root = node.root_used(at);
        let free = node.memory - used;
        let load = node.load(cpu, at).map(|value| format!("{value:.2}"));
        json!({
            "uptime": node.uptime(world.seconds()),
            "idle": 0,
            "cpu": cpu,
            "wait": node.wait(at),
            "loadavg": load,
            "pveversion": "pve-manager/9.2.11/14a22df35955d97d",
            "kversion": "Linux 6.14.11-4-pve #1 SMP PREEMPT_DYNAMIC PMX 6.14.11-4 (2025-10-10T08:04Z)",
            "current-kernel": {
                "machine": "x86_64", "release": "6.14.11-4-pve", "sysname": "Linux",
                "version": "#1 SMP PREEMPT_DYNAMIC PMX 6.14.11-4 (2025-10-10T08:04Z)",
            },
            "boot-info": {"mode": "efi", "secureboot": 0},
            "cpuinfo": {
                "cpus": node.cpus, "cores": node.cpus / 2, "sockets": 1, "model": node.model, "hvm": "1",
                "mhz": "2794.750", "user_hz": 100, "flags": "fpu vme de pse tsc msr pae mce cx8 svm aes avx avx2",
            },
            "memory": {"total": node.memory, "used": used, "free": free, "available": free},
            "swap": {"total": 8_u64 << 30, "used": 0, "free": 8_u64 << 30},
            "rootfs": {
                "total": node.root_size, "used": root, "free": node.root_size - root, "avail": node.root_size - root,
            },
            "ksm": {"shared": (bytes / 40) & !4095},
        })
    }

    fn hosts(&self) -> Value {
        let known = self
            .world
            .nodes
            .iter()
            .map(|node| format!("{} {}.example.net {}", node.address, node.name, node.name));
        let lines: Vec<String> = std::iter::once("127.0.0.1 localhost".to_owned())
            .chain(known)
            .collect();
        let text = lines.join("\n") + "\n";
        json!({"data": text, "digest": digest(&text)})
    }

    /// The lines of the node's journal that the demo remembers: one a minute of the last hours, and its tasks.
    fn journal(&self, node: &Node) -> Vec<String> {
        let now = self.world.seconds();
        let line = |at: i64, text: String| {
            let time = jiff::Timestamp::from_second(at).unwrap_or_default();
            (
                at,
                format!("{} {} {text}", time.strftime("%b %d %H:%M:%S"), node.name),
            )
        };
        let mut lines: Vec<(i64, String)> = (0..180)
            .map(|step| now - now.rem_euclid(60) - 60 * step)
            .map(|at| match at.rem_euclid(7 * 60) / 60 {
                0 => line(at, "systemd[1]: Started session-c1.scope - Session c1 of User root.".to_owned()),
                1 => line(at, format!("pvestatd[1284]: status update time ({:.3} seconds)", 5.0 + walk(node.seed, at, 60))),
                2 => line(at, "pmxcfs[1102]: [status] notice: received log".to_owned()),
                3 => line(at, "corosync[1190]: [KNET  ] pmtud: Global data MTU changed to: 1397".to_owned()),
                4 => line(at, "chronyd[981]: Selected source 10.10.0.123".to_owned()),
                5 => line(at, "CRON[33125]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)".to_owned()),
                _ => line(at, "smartd[874]: Device: /dev/sdb [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from 71 to 70".to_owned()),
            })
            .collect();
        let own = self.world.log.iter().filter(|entry| entry.node == node.name);
        lines.extend(own.map(|entry| {
            line(
                entry.time,
                format!("pvedaemon[{}]: <{}> {}", entry.pid, entry.user, entry.message),
            )
        }));
        lines.sort();
        lines.into_iter().map(|(_, text)| text).collect()
    }

    fn syslog(&self, node: &Node) -> Data {
        let lines = self.journal(node);
        let start = self.params.count("start").unwrap_or(0);
        let limit = self.params.count("limit").unwrap_or(50);
        let rows: Value = lines
            .iter()
            .enumerate()
            .skip(start)
            .take(limit)
            .map(|(index, text)| json!({"n": index + 1, "t": text}))
            .collect();
        Data::Page(rows, lines.len())
    }

    fn netstat(&self, node: &Node) -> Value {
        let at = self.world.sampled();
        self.world
            .guests
            .values()
            .filter(|guest| guest.node == node.name && guest.is_running())
            .map(|guest| {
                json!({
                    "vmid": guest.vmid.to_string(),
                    "dev": "net0",
                    "in": guest.profile.counter(3, guest.since, at).to_string(),
                    "out": guest.profile.counter(4, guest.since, at).to_string(),
                })
            })
            .collect()
    }

    fn node_replications(&self, node: &Node) -> Value {
        let now = self.world.seconds();
        self.world
            .replications
            .iter()
            .filter(|job| self.has(&format!("/vms/{}", job.vmid), "VM.Audit"))
            .filter(|job| self.params.number("guest").is_none_or(|vmid| vmid == i64::from(job.vmid)))
            .filter_map(|job| self.world.guests.get(&job.vmid).map(|guest| (job, guest)))
            .filter(|(_, guest)| guest.node == node.name)
            .map(|(job, guest)| {
                let last = now - now.rem_euclid(900);
                let mut row = json!({
                    "id": job.id(), "type": "local", "guest": job.vmid, "jobnum": job.number,
                    "source": guest.node, "target": job.target, "schedule": job.schedule, "vmtype": guest.kind.name(),
                    "last_try": last, "last_sync": last, "next_sync": last + 900, "duration": 3.4, "fail_count": 0,
                });
                if let Some(error) = job.error {
                    row["error"] = json!(error);
                    row["fail_count"] = json!(14);
                    row["last_sync"] = json!(last - 14 * 900);
                }
                row
            })
            .collect()
    }
}

fn service_row(node: &Node, (name, description): (&str, &str)) -> Value {
    let broken = node.broken_service == Some(name);
    let stopped = node.stopped_services.contains(name);
    json!({
        "service": name,
        "name": name,
        "desc": description,
        "state": if broken || stopped { "dead" } else { "running" },
        "active-state": if broken { "failed" } else if stopped { "inactive" } else { "active" },
        "unit-state": "enabled",
    })
}

fn subscription(node: &Node) -> Value {
    let server = format!("{:032X}", u128::from(node.seed));
    if node.id == 3 {
        return json!({
            "status": "notfound",
            "message": "There is no subscription key",
            "serverid": server,
            "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
        });
    }
    json!({
        "status": "active",
        "key": "pve2c-0000000000",
        "level": "c",
        "productname": "Proxmox VE Community Subscription 2 CPUs/year",
        "sockets": 1,
        "serverid": server,
        "regdate": "2026-01-15 00:00:00",
        "nextduedate": "2027-01-15",
        "checktime": 1_795_200_000,
        "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
    })
}
