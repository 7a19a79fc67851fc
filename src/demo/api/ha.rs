//! `/cluster/ha`: what the HA manager looks after and what it says about it.

use serde_json::{Value, json};

use super::{Call, cluster::digest, config::split_list};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        World,
        guest::Guest,
        ha::{Armed, HaResource, REACTION},
        host::Node,
        task::Effect,
    },
};

/// The state of a managed guest.
pub(super) fn state_of(world: &World, vmid: u32) -> Option<&'static str> {
    let resource = world.ha.iter().find(|resource| resource.vmid == vmid)?;
    let guest = world.guests.get(&vmid);
    let running = guest.is_some_and(Guest::is_running);
    let node = guest.and_then(|guest| world.node(&guest.node));
    let lock = guest.and_then(Guest::lock);
    Some(match (resource.error, resource.request.as_str(), running) {
        (true, ..) if resource.request == "disabled" => "clearing error flag",
        (true, ..) => "error",
        (_, "ignored", _) => "ignored",
        _ if node.is_some_and(|node| !node.online) => "fence",
        _ if lock == Some("migrate") => "migrate",
        (_, "started" | "enabled", true) => "started",
        (_, "started" | "enabled", false) => "starting",
        (_, _, true) => "stopping",
        (_, "disabled", _) => "disabled",
        _ => "stopped",
    })
}

/// The HA state of a node, where there is HA.
pub(super) fn node_state(world: &World, node: &Node) -> Option<&'static str> {
    (!world.ha.is_empty()).then_some(match (node.online, node.maintenance) {
        (true, true) => "maintenance",
        (true, false) => "online",
        _ => "unknown",
    })
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
            ("POST", "/cluster/ha/resources/{sid}/migrate") => self.move_resource(false),
            ("POST", "/cluster/ha/resources/{sid}/relocate") => self.move_resource(true),
            ("POST", "/cluster/ha/status/disarm-ha") => {
                self.world.armed = Armed::No {
                    ignore: self.params.text("resource-mode") == "ignore",
                };
                Ok(Value::Null.into())
            }
            ("POST", "/cluster/ha/status/arm-ha") => {
                self.world.armed = Armed::Yes;
                Ok(Value::Null.into())
            }
            ("GET", "/cluster/ha/status/current") => Ok(self.ha_status().into()),
            ("GET", "/cluster/ha/status/manager_status") => Ok(self.manager_status().into()),
            _ => return None,
        })
    }

    fn resource_row(&self, resource: &HaResource) -> Value {
        let sid = self.world.sid(resource.vmid);
        let mut row = json!({
            "sid": sid,
            "type": &sid[..2],
            "state": resource.request,
            "digest": digest(&format!("{:?}", self.world.ha)),
        });
        for (key, value) in [
            ("max_restart", resource.max_restart),
            ("max_relocate", resource.max_relocate),
        ] {
            if let Some(value) = value {
                row[key] = json!(value);
            }
        }
        if let Some(failback) = resource.failback {
            row["failback"] = json!(u8::from(failback));
        }
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
        self.no_group()?;
        self.world.need_quorum()?;
        let given = self.params.text("sid").to_owned();
        let vmid = given
            .rsplit(':')
            .next()
            .and_then(|id| id.parse().ok())
            .unwrap_or(0);
        let sid = self.world.sid(vmid);
        if !self.world.guests.contains_key(&vmid) || given.contains(':') && given != sid {
            return Err(Failure::server(format!(
                "resource '{given}' does not exist in cluster"
            )));
        }
        if self.world.ha.iter().any(|resource| resource.vmid == vmid) {
            return Err(Failure::server(format!(
                "create resource failed: resource ID '{sid}' already defined"
            )));
        }
        let failback = self.params.get("failback").map(|_| self.params.flag("failback"));
        self.world.ha.push(HaResource {
            vmid,
            request: self.params.get("state").unwrap_or("started").to_owned(),
            error: false,
            comment: self.params.get("comment").map(str::to_owned),
            max_restart: self.params.number("max_restart"),
            max_relocate: self.params.number("max_relocate"),
            failback,
        });
        self.world.later(REACTION, Effect::HaAct(vmid));
        Ok(Value::Null.into())
    }

    /// Groups were turned into rules with 9.
    fn no_group(&self) -> Result<(), Failure> {
        match self.params.get("group") {
            Some(_) => Err(Failure::server(
                "invalid parameter 'group': ha groups have been migrated to rules",
            )),
            None => Ok(()),
        }
    }

    /// What is in the error state has to be disabled before anything else.
    fn no_error(&self, state: Option<&str>) -> Result<(), Failure> {
        let vmid = self.wanted();
        let broken = self
            .world
            .ha
            .iter()
            .any(|resource| resource.vmid == vmid && resource.error);
        if broken && state != Some("disabled") {
            let sid = self.world.sid(vmid);
            return Err(Failure::server(format!(
                "service '{sid}' in error state, must be disabled and fixed first"
            )));
        }
        Ok(())
    }

    fn change_resource(&mut self) -> Outcome {
        self.no_group()?;
        self.world.need_quorum()?;
        self.resource()?;
        let vmid = self.wanted();
        let state = self.params.get("state").map(str::to_owned);
        if state.is_some() {
            self.no_error(state.as_deref())?;
        }
        let comment = self.params.get("comment").map(str::to_owned);
        let failback = self.params.get("failback").map(|_| self.params.flag("failback"));
        let (restart, relocate) = (
            self.params.number("max_restart"),
            self.params.number("max_relocate"),
        );
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        for resource in self.world.ha.iter_mut().filter(|resource| resource.vmid == vmid) {
            if let Some(state) = &state {
                // Disabling is how an error is cleared.
                resource.error &= state != "disabled";
                resource.request.clone_from(state);
            }
            if comment.is_some() {
                resource.comment.clone_from(&comment);
            }
            resource.failback = failback.or(resource.failback);
            resource.max_restart = restart.or(resource.max_restart);
            resource.max_relocate = relocate.or(resource.max_relocate);
            for key in &gone {
                match key.as_str() {
                    "comment" => resource.comment = None,
                    "failback" => resource.failback = None,
                    "max_restart" => resource.max_restart = None,
                    "max_relocate" => resource.max_relocate = None,
                    "state" => "started".clone_into(&mut resource.request),
                    _ => {}
                }
            }
        }
        self.world.later(REACTION, Effect::HaAct(vmid));
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
        let sid = self.world.sid(vmid);
        self.world.ha.retain(|resource| resource.vmid != vmid);
        if self.params.get("purge").is_none() || self.params.flag("purge") {
            for rule in &mut self.world.rules {
                rule.resources.retain(|own| *own != sid);
            }
            self.world.rules.retain(|rule| !rule.resources.is_empty());
        }
        Ok(Value::Null.into())
    }

    fn move_resource(&mut self, relocate: bool) -> Outcome {
        let vmid = self.wanted();
        if !self.world.is_managed(vmid) {
            return Err(Failure::server(format!(
                "service '{}' is not managed by HA",
                self.variable("sid")
            )));
        }
        self.no_error(None)?;
        let target = self.params.text("node").to_owned();
        let mut answer = json!({"requested-node": target, "sid": self.world.sid(vmid)});
        let together = self.world.affine(vmid, true);
        if !together.is_empty() {
            let sids: Vec<String> = together.iter().map(|other| self.world.sid(*other)).collect();
            answer["comigrated-resources"] = json!(sids);
        }
        let blocking = self.blocking(vmid, &target);
        if !blocking.is_empty() {
            answer["blocking-resources"] = json!(blocking);
        }
        self.world.later(
            REACTION,
            Effect::HaMove {
                vmid,
                target,
                relocate,
            },
        );
        Ok(answer.into())
    }

    /// Managed guests on a node that keep this one away from it.
    pub(super) fn blocking(&self, vmid: u32, node: &str) -> Vec<Value> {
        let others = self.world.blocked_by(vmid, node);
        others
            .into_iter()
            .map(|other| json!({"sid": self.world.sid(other), "cause": "resource-affinity"}))
            .collect()
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
        let (disarmed, mode) = match world.armed {
            Armed::Yes => (false, ""),
            Armed::No { ignore: true } => (true, "ignore"),
            Armed::No { ignore: false } => (true, "freeze"),
        };
        let mut fencing = json!({
            "id": "fencing", "type": "fencing", "node": master, "armed-state": "armed",
            "status": "armed (CRM watchdog active)",
        });
        if disarmed {
            fencing["armed-state"] = json!("disarmed");
            fencing["resource_mode"] = json!(mode);
            fencing["status"] = json!(format!("disarmed, resource mode: {mode} (CRM watchdog released)"));
        }
        rows.push(fencing);
        rows.push(json!({
            "id": "master", "type": "master", "node": master, "timestamp": now,
            "status": format!("{master} (active, {stamp})"),
        }));
        for node in &world.nodes {
            let busy = world.ha.iter().any(|resource| {
                let guest = world.guests.get(&resource.vmid);
                guest.is_some_and(|guest| guest.node == node.name)
            });
            let state = match (node.online, node.maintenance, busy) {
                (false, ..) => "old timestamp - dead?, watchdog standby",
                (_, true, _) => "maintenance mode, watchdog active",
                _ if disarmed => "disarm mode, watchdog released",
                (_, _, true) => "active, watchdog active",
                _ => "idle, watchdog standby",
            };
            rows.push(json!({
                "id": format!("lrm:{}", node.name), "type": "lrm", "node": node.name, "timestamp": now,
                "status": format!("{} ({state}, {stamp})", node.name),
            }));
        }
        for resource in &world.ha {
            let sid = world.sid(resource.vmid);
            let node = world
                .guests
                .get(&resource.vmid)
                .map_or("", |guest| guest.node.as_str());
            let state = state_of(world, resource.vmid).unwrap_or("queued");
            let mut row = json!({
                "id": format!("service:{sid}"), "type": "service", "sid": sid, "node": node, "state": state,
                "crm_state": state, "request_state": resource.request,
                "failback": u8::from(resource.failback.unwrap_or(true)),
                "max_restart": resource.max_restart.unwrap_or(1),
                "max_relocate": resource.max_relocate.unwrap_or(1),
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
                let state = node_state(world, node).unwrap_or("unknown");
                (node.name.clone(), json!(state))
            })
            .collect();
        json!({
            "manager_status": {"node_status": nodes},
            "quorum": {"node": world.local(), "quorate": u8::from(world.quorate).to_string()},
        })
    }
}
