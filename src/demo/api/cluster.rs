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
            (
                "GET",
                "/cluster/sdn/vnets" | "/cluster/sdn/zones" | "/cluster/metrics/server"
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
}
