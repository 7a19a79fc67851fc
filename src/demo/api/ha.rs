//! `/cluster/ha`: what the HA manager looks after and what it says about it.

use serde_json::{Value, json};

use super::{Call, cluster::digest};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{HaResource, World, guest::Kind, host::Node, task::Effect},
};

/// The state of a managed guest.
pub(super) fn state_of(world: &World, vmid: u32) -> Option<&'static str> {
    let resource = world.ha.iter().find(|resource| resource.vmid == vmid)?;
    let running = world
        .guests
        .get(&vmid)
        .is_some_and(crate::demo::world::guest::Guest::is_running);
    Some(match (resource.error, resource.request.as_str(), running) {
        (true, ..) => "error",
        (_, "ignored", _) => "ignored",
        (_, "disabled", _) => "disabled",
        (_, "started" | "enabled", true) => "started",
        (_, "started" | "enabled", false) => "starting",
        (_, _, true) => "request_stop",
        _ => "stopped",
    })
}

/// The HA state of a node, where there is HA.
pub(super) fn node_state(world: &World, node: &Node) -> Option<&'static str> {
    (!world.ha.is_empty()).then_some(if node.online { "online" } else { "unknown" })
}

fn sid(world: &World, vmid: u32) -> String {
    let kind = world.guests.get(&vmid).map_or(Kind::Qemu, |guest| guest.kind);
    format!("{}:{vmid}", if kind == Kind::Qemu { "vm" } else { "ct" })
}

impl Call<'_> {
    pub(super) fn route_ha(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/cluster/ha/resources") => {
                let wanted = self.params.get("type");
                let rows: Vec<Value> = self
                    .world
                    .ha
                    .iter()
                    .map(|resource| self.resource_row(resource))
                    .collect();
                let rows: Vec<Value> = rows
                    .into_iter()
                    .filter(|row| wanted.is_none_or(|wanted| row["type"] == wanted))
                    .collect();
                Ok(Value::from(rows).into())
            }
            ("GET", "/cluster/ha/resources/{sid}") => self.resource(),
            ("POST", "/cluster/ha/resources") => self.add_resource(),
            ("PUT", "/cluster/ha/resources/{sid}") => self.change_resource(),
            ("DELETE", "/cluster/ha/resources/{sid}") => self.delete_resource(),
            ("POST", "/cluster/ha/resources/{sid}/migrate") => self.migrate_resource(),
            ("GET", "/cluster/ha/rules") => Ok(self.rules().into()),
            ("GET", "/cluster/ha/groups") => Err(Failure::server(
                "cannot index groups: ha groups have been migrated to rules",
            )),
            ("GET", "/cluster/ha/status/current") => Ok(self.ha_status().into()),
            ("GET", "/cluster/ha/status/manager_status") => Ok(self.manager_status().into()),
            _ => return None,
        })
    }

    fn resource_row(&self, resource: &HaResource) -> Value {
        let sid = sid(self.world, resource.vmid);
        let mut row = json!({
            "sid": sid,
            "type": &sid[..2],
            "state": resource.request,
            "max_restart": resource.max_restart,
            "max_relocate": resource.max_relocate,
            "failback": 1,
            "digest": digest(&format!("{:?}", self.world.ha)),
        });
        if let Some(comment) = &resource.comment {
            row["comment"] = json!(comment);
        }
        row
    }

    fn wanted(&self) -> u32 {
        let sid = self.variable("sid");
        sid.rsplit(':').next().and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    fn resource(&self) -> Outcome {
        let vmid = self.wanted();
        let found = self.world.ha.iter().find(|resource| resource.vmid == vmid);
        found
            .map(|resource| self.resource_row(resource).into())
            .ok_or_else(|| Failure::server(format!("no such resource '{}'", self.variable("sid"))))
    }

    fn add_resource(&mut self) -> Outcome {
        self.world.need_quorum()?;
        let given = self.params.text("sid").to_owned();
        let vmid = given
            .rsplit(':')
            .next()
            .and_then(|id| id.parse().ok())
            .unwrap_or(0);
        if !self.world.guests.contains_key(&vmid) {
            return Err(Failure::server(format!(
                "resource '{given}' does not exist in cluster"
            )));
        }
        if self.world.ha.iter().any(|resource| resource.vmid == vmid) {
            let sid = sid(self.world, vmid);
            return Err(Failure::server(format!(
                "create resource failed: resource ID '{sid}' already defined"
            )));
        }
        self.world.ha.push(HaResource {
            vmid,
            request: self.params.get("state").unwrap_or("started").to_owned(),
            error: false,
            comment: self.params.get("comment").map(str::to_owned),
            max_restart: self.params.number("max_restart").unwrap_or(1),
            max_relocate: self.params.number("max_relocate").unwrap_or(1),
        });
        Ok(Value::Null.into())
    }

    fn change_resource(&mut self) -> Outcome {
        self.world.need_quorum()?;
        self.resource()?;
        let vmid = self.wanted();
        let state = self.params.get("state").map(str::to_owned);
        let comment = self.params.get("comment").map(str::to_owned);
        for resource in self.world.ha.iter_mut().filter(|resource| resource.vmid == vmid) {
            if let Some(state) = &state {
                // Disabling is how an error is cleared.
                resource.error &= state != "disabled";
                resource.request.clone_from(state);
            }
            if comment.is_some() {
                resource.comment.clone_from(&comment);
            }
        }
        Ok(Value::Null.into())
    }

    fn delete_resource(&mut self) -> Outcome {
        self.world.need_quorum()?;
        let vmid = self.wanted();
        if !self.world.ha.iter().any(|resource| resource.vmid == vmid) {
            return Err(Failure::server(format!(
                "cannot delete service '{}', not HA managed!",
                self.variable("sid")
            )));
        }
        self.world.ha.retain(|resource| resource.vmid != vmid);
        Ok(Value::Null.into())
    }

    fn migrate_resource(&mut self) -> Outcome {
        self.resource()?;
        let target = self.params.text("node").to_owned();
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        let vmid = self.wanted();
        let sid = sid(self.world, vmid);
        self.world.later(
            3000,
            Effect::HaMove {
                vmid,
                target: target.clone(),
            },
        );
        Ok(json!({"requested-node": target, "sid": sid}).into())
    }

    fn rules(&self) -> Value {
        let Some(first) = self.world.ha.first() else {
            return json!([]);
        };
        let resource = sid(self.world, first.vmid);
        if self
            .params
            .get("resource")
            .is_some_and(|wanted| wanted != resource)
        {
            return json!([]);
        }
        json!([{
            "rule": "prefer-first",
            "type": "node-affinity",
            "resources": resource,
            "nodes": format!("{}:2", self.world.local()),
            "strict": 0,
            "order": 1,
            "digest": digest("rules.cfg"),
        }])
    }

    fn ha_status(&self) -> Value {
        let world = &*self.world;
        let master = world.local();
        let now = world.seconds();
        let stamp = jiff::Timestamp::from_second(now - now.rem_euclid(10)).unwrap_or_default();
        let stamp = stamp.strftime("%a %b %e %H:%M:%S %Y").to_string();
        let mut rows = vec![json!({
            "id": "quorum", "type": "quorum", "node": master, "quorate": u8::from(world.quorate),
            "status": if world.quorate { "OK" } else { "No quorum on node!" },
        })];
        if world.ha.is_empty() {
            rows.push(json!({
                "id": "fencing", "type": "fencing", "node": master, "armed-state": "standby",
                "status": "standby (CRM watchdog standby)",
            }));
            return Value::from(rows);
        }
        rows.push(json!({
            "id": "fencing", "type": "fencing", "node": master, "armed-state": "armed",
            "status": "armed (CRM watchdog active)",
        }));
        rows.push(json!({
            "id": "master", "type": "master", "node": master, "timestamp": now,
            "status": format!("{master} (active, {stamp})"),
        }));
        for node in &world.nodes {
            let state = if node.online {
                "active"
            } else {
                "old timestamp - dead?"
            };
            rows.push(json!({
                "id": format!("lrm:{}", node.name), "type": "lrm", "node": node.name, "timestamp": now,
                "status": format!("{} ({state}, {stamp})", node.name),
            }));
        }
        for resource in &world.ha {
            let sid = sid(world, resource.vmid);
            let node = world
                .guests
                .get(&resource.vmid)
                .map_or("", |guest| guest.node.as_str());
            let state = state_of(world, resource.vmid).unwrap_or("queued");
            let mut row = json!({
                "id": format!("service:{sid}"), "type": "service", "sid": sid, "node": node, "state": state,
                "crm_state": state, "request_state": resource.request, "failback": 1,
                "max_restart": resource.max_restart, "max_relocate": resource.max_relocate,
                "status": format!("{sid} ({node}, {state})"),
            });
            if let Some(comment) = &resource.comment {
                row["comment"] = json!(comment);
            }
            rows.push(row);
        }
        Value::from(rows)
    }

    fn manager_status(&self) -> Value {
        let world = &*self.world;
        let nodes: serde_json::Map<String, Value> = world
            .nodes
            .iter()
            .filter(|_| !world.ha.is_empty())
            .map(|node| {
                let state = if node.online { "online" } else { "unknown" };
                (node.name.clone(), json!(state))
            })
            .collect();
        json!({
            "manager_status": {"node_status": nodes},
            "quorum": {"node": world.local(), "quorate": u8::from(world.quorate).to_string()},
        })
    }
}
