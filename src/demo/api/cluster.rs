//! `/version`, `/cluster`, `/pools` and `/storage`: what belongs to the whole cluster.

use serde_json::{Value, json};

use super::Call;
use crate::demo::{
    answer::{Failure, Outcome},
    params::tags,
    world::guest::hex,
};

/// The digest of a text, as configuration files carry it.
pub(super) fn digest(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

impl Call<'_> {
    pub(super) fn route_cluster(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/version") => {
                Ok(json!({"release": "9.2", "repoid": "14a22df35955d97d", "version": "9.2.11"}).into())
            }
            ("GET", "/nodes") => Ok(self.nodes().into()),
            ("GET", "/cluster/resources") => Ok(self.resources()),
            ("GET", "/cluster/status") => Ok(self.cluster_status().into()),
            ("GET", "/cluster/tasks") => Ok(self.cluster_tasks().into()),
            ("GET", "/cluster/log") => Ok(self.cluster_log().into()),
            ("GET", "/cluster/nextid") => self.next_id(),
            ("GET", "/cluster/options") => Ok(self.options().into()),
            ("PUT", "/cluster/options") => self.set_options(),
            ("GET", "/cluster/backup") => Ok(self.backup_jobs().into()),
            ("GET", "/cluster/backup/{id}") => {
                let id = self.variable("id").to_owned();
                let jobs = self.backup_jobs();
                let job = jobs.as_array().and_then(|jobs| jobs.iter().find(|job| job["id"] == id)).cloned();
                job.map(Into::into)
                    .ok_or_else(|| Failure::server(format!("No such job '{id}'")))
            }
            ("GET", "/cluster/backup-info/not-backed-up") => Ok(self.not_backed_up().into()),
            ("GET", "/cluster/replication") => Ok(self.replications().into()),
            ("GET", "/cluster/replication/{id}") => {
                let id = self.variable("id").to_owned();
                let jobs = self.replications();
                let job = jobs.as_array().and_then(|jobs| jobs.iter().find(|job| job["id"] == id)).cloned();
                job.map(Into::into)
                    .ok_or_else(|| Failure::server(format!("no such job '{id}'")))
            }
            ("GET", "/cluster/firewall/options") => Ok(json!({"enable": 0, "digest": digest("")}).into()),
            ("GET", "/cluster/firewall/refs" | "/cluster/firewall/aliases" | "/cluster/firewall/groups") => {
                Ok(json!([]).into())
            }
            ("GET", "/cluster/firewall/rules") => Ok(json!([
                {"pos": 0, "type": "in", "action": "ACCEPT", "enable": 1, "macro": "SSH", "source": "10.10.0.0/24",
                 "comment": "administration", "digest": digest("rules")},
                {"pos": 1, "type": "in", "action": "DROP", "enable": 0, "digest": digest("rules")},
            ])
            .into()),
            (
                "GET",
                "/cluster/firewall/ipset" | "/cluster/sdn/vnets" | "/cluster/sdn/zones" | "/cluster/metrics/server"
                | "/cluster/mapping/pci" | "/cluster/mapping/usb" | "/cluster/jobs/realm-sync",
            ) => Ok(json!([]).into()),
            ("GET", "/cluster/notifications/targets") => Ok(json!([
                {"name": "mail-to-root", "type": "sendmail", "origin": "builtin", "comment": "Send mails to root@pam's email address"},
            ])
            .into()),
            ("GET", "/cluster/notifications/matchers") => Ok(json!([
                {"name": "default-matcher", "mode": "all", "target": ["mail-to-root"], "origin": "builtin",
                 "comment": "Route all notifications to mail-to-root"},
            ])
            .into()),
            ("GET", "/cluster/metrics/export") => Ok(self.metrics().into()),
            ("GET", "/cluster/config/nodes") => Ok(self.corosync_nodes().into()),
            ("GET", "/cluster/config/qdevice") => Ok(json!({}).into()),
            ("GET", "/cluster/config/totem") => Ok(self.totem().into()),
            ("GET", "/cluster/config/join") => self.join_information(),
            ("GET", "/cluster/ceph/status" | "/nodes/{node}/ceph/status") => {
                Err(Failure::server("binary not installed: /usr/bin/ceph-mon"))
            }
            ("GET", "/pools") => self.pools(self.params.get("poolid")),
            ("GET", "/pools/{poolid}") => self.pool(),
            ("POST", "/pools") => self.create_pool(),
            ("PUT", "/pools") => self.change_pool(),
            ("DELETE", "/pools") => self.delete_pool(),
            _ => return None,
        })
    }

    fn cluster_status(&self) -> Value {
        let world = &*self.world;
        let mut rows = Vec::new();
        if world.clustered {
            rows.push(json!({
                "id": "cluster",
                "type": "cluster",
                "name": world.name,
                "nodes": world.nodes.len(),
                "quorate": u8::from(world.quorate),
                "version": world.nodes.len(),
            }));
        }
        for node in &world.nodes {
            rows.push(json!({
                "id": format!("node/{}", node.name),
                "type": "node",
                "name": node.name,
                "nodeid": if world.clustered { node.id } else { 0 },
                "ip": node.address,
                "level": "",
                "local": u8::from(node.name == world.local()),
                "online": u8::from(node.online),
            }));
        }
        Value::from(rows)
    }

    fn cluster_log(&self) -> Value {
        let all = self.has("/", "Sys.Syslog");
        let most = self.params.count("max").unwrap_or(50);
        self.world
            .log
            .iter()
            .rev()
            .filter(|line| all || line.user == self.who.full())
            .take(most)
            .map(|line| {
                json!({
                    "uid": line.uid.to_string(),
                    "id": format!("{}:{}", line.uid, line.node),
                    "time": line.time,
                    "node": line.node,
                    "pid": line.pid,
                    "user": line.user,
                    "tag": line.tag,
                    "pri": line.severity,
                    "msg": line.message,
                })
            })
            .collect()
    }

    fn next_id(&self) -> Outcome {
        if let Some(vmid) = self.params.number("vmid") {
            if self.world.guests.contains_key(&(vmid as u32)) {
                return Err(Failure::parameter("vmid", format!("VM {vmid} already exists")));
            }
            return Ok(json!(vmid.to_string()).into());
        }
        let free = (100..1_000_000_000)
            .find(|vmid| !self.world.guests.contains_key(vmid))
            .unwrap_or(100);
        Ok(json!(free.to_string()).into())
    }

    fn options(&self) -> Value {
        let known: std::collections::BTreeSet<&str> = self
            .world
            .guests
            .values()
            .filter(|guest| self.sees_all() || self.may_see(guest))
            .flat_map(|guest| guest.option("tags").map(tags).into_iter().flatten())
            .collect();
        let mut answer = json!({"allowed-tags": known});
        if self.has("/", "Sys.Audit") {
            answer["description"] = json!("");
            answer["mac_prefix"] = json!("BC:24:11");
            for (key, value) in &self.world.options {
                answer[key] = value.clone();
            }
        }
        answer
    }

    fn set_options(&mut self) -> Outcome {
        self.world.need_quorum()?;
        for (key, value) in self.params.iter() {
            if key == "delete" {
                for gone in value.split(',') {
                    self.world.options.remove(gone);
                }
            } else if key != "digest" {
                self.world.options.insert(key.to_owned(), json!(value));
            }
        }
        Ok(Value::Null.into())
    }

    fn backup_jobs(&self) -> Value {
        if !self.world.clustered {
            return json!([]);
        }
        let now = self.world.seconds();
        let night = now - now.rem_euclid(86_400) + 86_400 + 2 * 3600;
        json!([
            {"id": "backup-nightly", "type": "vzdump", "enabled": 1, "schedule": "02:00", "storage": "pbs-main",
             "mode": "snapshot", "all": 1, "compress": "zstd", "notes-template": "{{guestname}}",
             "prune-backups": {"keep-daily": "7", "keep-weekly": "4"}, "next-run": night},
            {"id": "backup-acme-noon", "type": "vzdump", "enabled": 0, "schedule": "12:00", "storage": "pbs-main",
             "mode": "snapshot", "pool": "acme", "notes-template": "{{guestname}} at noon"},
        ])
    }

    fn not_backed_up(&self) -> Value {
        let covered = self.world.clustered;
        self.world
            .guests
            .values()
            .filter(|guest| !covered && self.may_see(guest))
            .map(|guest| json!({"vmid": guest.vmid, "name": guest.name(), "type": guest.kind.name()}))
            .collect()
    }

    fn replications(&self) -> Value {
        self.world
            .replications
            .iter()
            .filter(|job| self.has(&format!("/vms/{}", job.vmid), "VM.Audit"))
            .map(|job| {
                let source = self
                    .world
                    .guests
                    .get(&job.vmid)
                    .map_or("", |guest| guest.node.as_str());
                json!({
                    "id": format!("{}-0", job.vmid),
                    "type": "local",
                    "guest": job.vmid,
                    "jobnum": 0,
                    "source": source,
                    "target": job.target,
                    "schedule": job.schedule,
                    "rate": 100.0,
                })
            })
            .collect()
    }

    fn corosync_nodes(&self) -> Value {
        let nodes = self.world.nodes.iter().filter(|_| self.world.clustered);
        nodes
            .map(|node| {
                json!({
                    "node": node.name,
                    "name": node.name,
                    "nodeid": node.id.to_string(),
                    "quorum_votes": "1",
                    "ring0_addr": node.address,
                })
            })
            .collect()
    }

    fn totem(&self) -> Value {
        if !self.world.clustered {
            return json!({});
        }
        json!({
            "cluster_name": self.world.name,
            "config_version": self.world.nodes.len().to_string(),
            "interface": {"0": {"linknumber": "0"}},
            "ip_version": "ipv4-6",
            "link_mode": "passive",
            "secauth": "on",
            "version": "2",
        })
    }

    fn join_information(&self) -> Outcome {
        if !self.world.clustered {
            return Err(Failure::server(
                "node is not in a cluster, no join info available!",
            ));
        }
        let nodes: Vec<Value> = self
            .world
            .nodes
            .iter()
            .map(|node| {
                json!({
                    "name": node.name,
                    "nodeid": node.id.to_string(),
                    "pve_addr": node.address,
                    "pve_fp": node.fingerprint,
                    "quorum_votes": "1",
                    "ring0_addr": node.address,
                })
            })
            .collect();
        Ok(json!({
            "config_digest": digest(self.world.name),
            "nodelist": nodes,
            "preferred_node": self.world.local(),
            "totem": self.totem(),
        })
        .into())
    }

    fn pools(&self, only: Option<&str>) -> Outcome {
        if let Some(pool) = only
            && !self.world.pools.contains_key(pool)
        {
            return Err(Failure::server(format!("pool '{pool}' does not exist")));
        }
        let rows: Vec<Value> = self
            .world
            .pools
            .iter()
            .filter(|(pool, _)| self.sees_pool(pool) && only.is_none_or(|only| only == *pool))
            .map(|(pool, comment)| {
                let mut row = json!({"poolid": pool});
                if !comment.is_empty() {
                    row["comment"] = json!(comment);
                }
                if only.is_some() {
                    row["members"] = self.members(pool);
                }
                row
            })
            .collect();
        Ok(Value::from(rows).into())
    }

    fn members(&self, pool: &str) -> Value {
        self.guest_rows(|guest| guest.pool.as_deref() == Some(pool))
            .iter()
            .filter_map(|row| serde_json::from_str::<Value>(row).ok())
            .map(|mut row| {
                if let Value::Object(row) = &mut row {
                    row.remove("pool");
                }
                row
            })
            .collect()
    }

    fn pool(&self) -> Outcome {
        let pool = self.variable("poolid");
        let comment = self
            .world
            .pools
            .get(pool)
            .ok_or_else(|| Failure::server(format!("pool '{pool}' does not exist")))?;
        Ok(json!({"comment": comment, "members": self.members(pool)}).into())
    }

    fn need_config(&self, doing: &str) -> Result<(), Failure> {
        if self.world.quorate {
            return Ok(());
        }
        Err(Failure::server(format!(
            "{doing} failed: cfs-lock 'file-user_cfg' error: no quorum!"
        )))
    }

    fn create_pool(&mut self) -> Outcome {
        self.need_config("create pool")?;
        let pool = self.params.text("poolid").to_owned();
        if self.world.pools.contains_key(&pool) {
            return Err(Failure::server(format!(
                "create pool failed: pool '{pool}' already exists"
            )));
        }
        let comment = self.params.text("comment").to_owned();
        self.world.pools.insert(pool, comment);
        Ok(Value::Null.into())
    }

    fn change_pool(&mut self) -> Outcome {
        self.need_config("update pools")?;
        let pool = self.params.text("poolid").to_owned();
        if !self.world.pools.contains_key(&pool) {
            return Err(Failure::server(format!(
                "update pools failed: pool '{pool}' does not exist"
            )));
        }
        let delete = self.params.flag("delete");
        let list = self.params.text("vms").to_owned();
        let vmids: Vec<u32> = list
            .split([',', ';', ' '])
            .filter_map(|id| id.parse().ok())
            .collect();
        for vmid in &vmids {
            let Some(guest) = self.world.guests.get(vmid) else {
                continue;
            };
            let problem = match guest.pool.as_deref() {
                Some(own) if own == pool && !delete => Some(format!("VM {vmid} is already a pool member")),
                own if own != Some(&pool) && delete => Some(format!("VM {vmid} is not a pool member")),
                Some(other) if other != pool && !self.params.flag("allow-move") => Some(format!(
                    "VM {vmid} belongs already to pool '{other}' and 'allow-move' is not set"
                )),
                _ => None,
            };
            if let Some(problem) = problem {
                return Err(Failure::server(format!("update pools failed: {problem}")));
            }
        }
        for vmid in vmids {
            if let Some(guest) = self.world.guests.get_mut(&vmid) {
                guest.pool = (!delete).then(|| pool.clone());
            }
        }
        if let Some(comment) = self.params.get("comment") {
            self.world.pools.insert(pool, comment.to_owned());
        }
        Ok(Value::Null.into())
    }

    fn delete_pool(&mut self) -> Outcome {
        self.need_config("delete pool")?;
        let pool = self.params.text("poolid").to_owned();
        if !self.world.pools.contains_key(&pool) {
            return Err(Failure::server(format!(
                "delete pool failed: pool '{pool}' does not exist"
            )));
        }
        if let Some(guest) = self
            .world
            .guests
            .values()
            .find(|guest| guest.pool.as_ref() == Some(&pool))
        {
            return Err(Failure::server(format!(
                "delete pool failed: pool '{pool}' is not empty (contains VMs {})",
                guest.vmid
            )));
        }
        self.world.pools.remove(&pool);
        Ok(Value::Null.into())
    }
}
