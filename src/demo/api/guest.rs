//! What can be read of one guest from outside: state, configuration, pending changes, snapshots, firewall.

use serde_json::{Map, Value, json};

use super::Call;
use crate::demo::{
    answer::{Failure, Outcome},
    world::guest::{Config, Guest, Kind, Power},
};

/// Options that are numbers on the wire; the rest is text (`memory` of a VM too).
const NUMBERS: &[&str] = &[
    "acpi",
    "autostart",
    "balloon",
    "cores",
    "cpulimit",
    "cpuunits",
    "freeze",
    "kvm",
    "numa",
    "onboot",
    "protection",
    "shares",
    "sockets",
    "tablet",
    "template",
    "vcpus",
    "swap",
    "unprivileged",
    "console",
    "tty",
    "debug",
];

/// An option as JSON shows it.
pub(super) fn option_value(kind: Kind, key: &str, value: &str) -> Value {
    if (NUMBERS.contains(&key) || key == "memory" && kind == Kind::Lxc)
        && let Ok(number) = value.parse::<i64>()
    {
        return json!(number);
    }
    json!(value)
}

fn config_json(kind: Kind, config: &Config, digest: &str) -> Map<String, Value> {
    let mut all: Map<String, Value> = config
        .iter()
        .map(|(key, value)| (key.clone(), option_value(kind, key, value)))
        .collect();
    all.insert("digest".to_owned(), json!(digest));
    all
}

impl Call<'_> {
    pub(super) fn route_guest_reads(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        let guest = self.guest(kind).ok()?;
        Some(match (self.verb, rest) {
            ("GET", "/status/current") => Ok(self.current(guest).into()),
            ("GET", "/config") => self.config(guest),
            ("GET", "/pending") => Ok(pending(guest).into()),
            ("GET", "/snapshot") => Ok(snapshots(guest).into()),
            ("GET", "/snapshot/{snapname}/config") => {
                let name = self.variable("snapname");
                snapshot_config(guest, name).map(|config| Value::Object(config).into())
            }
            ("GET", "/rrddata") => Ok(self.guest_history(guest).into()),
            ("GET", "/feature") => self.feature(guest),
            _ => return None,
        })
    }

    fn current(&self, guest: &Guest) -> Value {
        let mut row = self.guest_status(guest, true);
        let managed = self.world.ha.iter().find(|resource| resource.vmid == guest.vmid);
        row["ha"] = match managed {
            Some(_) => json!({"managed": 1, "state": super::ha::state_of(self.world, guest.vmid)}),
            None => json!({"managed": 0}),
        };
        if guest.kind == Kind::Qemu && guest.is_running() {
            row["running-machine"] = json!("pc-i440fx-10.1+pve0");
            row["running-qemu"] = json!("10.1.2");
            if guest.option("agent").is_some_and(super::create::has_agent) {
                row["agent"] = json!(1);
            }
            if guest.power == Power::Running {
                row["balloon"] = json!(guest.memory());
            }
        }
        row
    }

    fn config(&self, guest: &Guest) -> Outcome {
        if let Some(name) = self.params.get("snapshot") {
            return snapshot_config(guest, name).map(|config| Value::Object(config).into());
        }
        let mut config = guest.config.clone();
        if !self.params.flag("current") {
            for (key, value) in &guest.pending {
                match value {
                    Some(value) => config.insert(key.clone(), value.clone()),
                    None => config.remove(key),
                };
            }
        }
        if let Some(parent) = &guest.parent {
            config.insert("parent".to_owned(), parent.clone());
        }
        Ok(Value::Object(config_json(guest.kind, &config, &guest.digest())).into())
    }

    fn feature(&self, guest: &Guest) -> Outcome {
        let feature = self.params.text("feature");
        let snapshot = self.params.get("snapname");
        if let Some(name) = snapshot.filter(|name| !guest.snapshots.iter().any(|one| one.name == **name)) {
            return Err(Failure::server(format!("snapshot '{name}' does not exist")));
        }
        let mut answer = json!({"hasFeature": u8::from(self.can(guest, feature, snapshot))});
        if guest.kind == Kind::Qemu {
            let shared = guest.disks().iter().all(|disk| {
                let storage = self.world.storage(&disk.storage);
                storage.is_some_and(|storage| storage.shared)
            });
            let nodes = self.world.nodes.iter().map(|node| node.name.as_str());
            answer["nodes"] = nodes.filter(|node| shared || *node == guest.node).collect();
        }
        Ok(answer.into())
    }
}

fn pending(guest: &Guest) -> Value {
    let mut rows: Vec<Value> = guest
        .config
        .iter()
        .map(|(key, value)| {
            let mut row = json!({"key": key, "value": option_value(guest.kind, key, value)});
            match guest.pending.get(key) {
                Some(Some(new)) => row["pending"] = option_value(guest.kind, key, new),
                Some(None) => row["delete"] = json!(1),
                None => {}
            }
            row
        })
        .collect();
    for (key, value) in &guest.pending {
        if let (Some(value), false) = (value, guest.config.contains_key(key)) {
            rows.push(json!({"key": key, "pending": option_value(guest.kind, key, value)}));
        }
    }
    rows.push(json!({"key": "digest", "value": guest.digest()}));
    Value::from(rows)
}

fn snapshots(guest: &Guest) -> Value {
    let mut rows: Vec<Value> = guest
        .snapshots
        .iter()
        .map(|snapshot| {
            let mut row = json!({
                "name": snapshot.name, "description": snapshot.description, "snaptime": snapshot.time,
            });
            if guest.kind == Kind::Qemu {
                row["vmstate"] = json!(u8::from(snapshot.vmstate));
            }
            if let Some(parent) = &snapshot.parent {
                row["parent"] = json!(parent);
            }
            row
        })
        .collect();
    let mut current = json!({
        "name": "current", "description": "You are here!", "digest": guest.digest(),
        "running": u8::from(guest.is_running()),
    });
    if let Some(parent) = &guest.parent {
        current["parent"] = json!(parent);
    }
    rows.push(current);
    Value::from(rows)
}

fn snapshot_config(guest: &Guest, name: &str) -> Result<Map<String, Value>, Failure> {
    let snapshot = guest
        .snapshots
        .iter()
        .find(|snapshot| snapshot.name == name)
        .ok_or_else(|| Failure::server(format!("snapshot '{name}' does not exist")))?;
    let mut config = config_json(guest.kind, &snapshot.config, &guest.digest());
    config.insert("snaptime".to_owned(), json!(snapshot.time));
    if !snapshot.description.is_empty() {
        config.insert("description".to_owned(), json!(snapshot.description));
    }
    Ok(config)
}
