//! `/nodes/{node}`: services, power, wake-up and its own configuration.

use serde_json::{Map, Value, json};

use super::{Call, cluster::digest, config::split_list, node::SERVICES};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{host::Node, task::Effect},
};

/// Services without which nothing could be asked any more.
const ESSENTIAL: &[&str] = &["pveproxy", "pvedaemon", "pve-cluster"];

impl Call<'_> {
    pub(super) fn route_services(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("POST", "/nodes/{node}/status") => self.node_command(),
            ("POST", "/nodes/{node}/wakeonlan") => self.wake(),
            ("GET", "/nodes/{node}/config") => Ok(self.node_config().into()),
            ("PUT", "/nodes/{node}/config") => self.set_node_config(),
            ("POST", "/nodes/{node}/services/{service}/start") => self.service("start"),
            ("POST", "/nodes/{node}/services/{service}/stop") => self.service("stop"),
            ("POST", "/nodes/{node}/services/{service}/restart") => self.service("restart"),
            ("POST", "/nodes/{node}/services/{service}/reload") => self.service("reload"),
            _ => return None,
        })
    }

    /// Two seconds later it goes down; there is no task to watch.
    #[allow(clippy::unnecessary_wraps, reason = "it is what methods return")]
    fn node_command(&mut self) -> Outcome {
        let node = self.node_name();
        let back = self.params.text("command") == "reboot";
        self.world.later(2000, Effect::SendDown { node, back });
        Ok(Value::Null.into())
    }

    fn wake(&mut self) -> Outcome {
        let name = self.node_name();
        if name == self.world.local() {
            return Err(Failure::server(format!(
                "'{name}' is local node, cannot wake my self!"
            )));
        }
        let node = self
            .world
            .node(&name)
            .ok_or_else(|| Failure::server(format!("no such cluster node '{name}'")))?;
        let setting = node
            .config
            .get("wakeonlan")
            .map(String::as_str)
            .unwrap_or_default();
        let mac = setting
            .split(',')
            .map(|word| word.trim_start_matches("mac="))
            .find(|word| word.matches(':').count() == 5)
            .map(str::to_owned)
            .ok_or_else(|| Failure::server(format!("No wake on LAN MAC address defined for '{name}'!")))?;
        if node.down {
            // The packet is heard by the card; the rest is a boot.
            self.world.later(60_000, Effect::NodeUp(name));
        }
        Ok(json!(mac).into())
    }

    fn node_config(&self) -> Value {
        let Some(node) = self.world.node(self.variable("node")) else {
            return json!({});
        };
        let mut all: Map<String, Value> = node
            .config
            .iter()
            .map(|(key, value)| match value.parse::<i64>() {
                Ok(number) if key.ends_with("delay") || key.ends_with("target") => {
                    (key.clone(), json!(number))
                }
                _ => (key.clone(), json!(value)),
            })
            .collect();
        if let Some(only) = self.params.get("property").filter(|only| *only != "all") {
            all.retain(|key, _| key == only);
        } else if !all.is_empty() {
            all.insert("digest".to_owned(), json!(config_digest(node)));
        }
        Value::Object(all)
    }

    fn set_node_config(&mut self) -> Outcome {
        let name = self.node_name();
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        let set: Vec<(String, String)> = self
            .params
            .iter()
            .filter(|(key, _)| !matches!(*key, "delete" | "digest"))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let wanted = self.params.get("digest").map(str::to_owned);
        let Some(node) = self.world.nodes.iter_mut().find(|node| node.name == name) else {
            return Ok(Value::Null.into());
        };
        if wanted.is_some_and(|digest| digest != config_digest(node)) {
            return Err(Failure::server(
                "detected modified configuration - file changed by other user? Try again.",
            ));
        }
        node.config.extend(set);
        node.config.retain(|key, _| !gone.contains(key));
        Ok(Value::Null.into())
    }

    fn service(&mut self, command: &'static str) -> Outcome {
        let (name, service) = (self.node_name(), self.variable("service").to_owned());
        if !SERVICES.iter().any(|(known, _)| *known == service) {
            let known: Vec<&str> = SERVICES.iter().map(|(known, _)| *known).collect();
            return Err(Failure::parameter(
                "service",
                format!(
                    "value '{service}' does not have a value in the enumeration '{}'",
                    known.join(", ")
                ),
            ));
        }
        let order = self
            .order(&format!("srv{command}"), service.clone())
            .says(vec![format!("starting task {command} {service}")]);
        let order = if command == "stop" && ESSENTIAL.contains(&service.as_str()) {
            order.takes(300).says(Vec::new()).fails(format!(
                "invalid service cmd '{service} stop': refusing to stop essential service!"
            ))
        } else {
            order.takes(800).says(Vec::new()).does(Effect::Service {
                node: name,
                service,
                runs: command != "stop",
            })
        };
        self.begin(order)
    }
}

fn config_digest(node: &Node) -> String {
    digest(&format!("{:?}", node.config))
}
