//! `/cluster/ha/rules` and `/cluster/ha/groups`.

use serde_json::{Value, json};

use super::{Call, cluster::digest, config::split_list};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        World,
        ha::{Affinity, Rule},
    },
};

impl Call<'_> {
    pub(super) fn route_ha_rules(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/cluster/ha/rules") => Ok(self.rules().into()),
            ("POST", "/cluster/ha/rules") => self.add_rule(),
            ("GET", "/cluster/ha/rules/{rule}") => self.rule(),
            ("PUT", "/cluster/ha/rules/{rule}") => self.change_rule(),
            ("DELETE", "/cluster/ha/rules/{rule}") => {
                let name = self.variable("rule").to_owned();
                // One that is not there is no fault.
                self.world.rules.retain(|rule| rule.name != name);
                Ok(Value::Null.into())
            }
            // Groups were turned into rules with 9; what is left says so.
            ("GET", "/cluster/ha/groups") => Err(migrated("index groups")),
            ("POST", "/cluster/ha/groups") => Err(migrated("create group")),
            ("GET", "/cluster/ha/groups/{group}") => Err(migrated("read group")),
            ("PUT", "/cluster/ha/groups/{group}") => Err(migrated("update group")),
            ("DELETE", "/cluster/ha/groups/{group}") => Err(migrated("delete group")),
            _ => return None,
        })
    }

    fn rules(&self) -> Value {
        let (kind, resource) = (self.params.get("type"), self.params.get("resource"));
        let all = self.world.rules.iter().enumerate();
        all.filter(|(_, rule)| resource.is_none_or(|sid| rule.resources.iter().any(|own| own == sid)))
            .map(|(index, rule)| rule_row(self.world, rule, index))
            .filter(|row| kind.is_none_or(|kind| row["type"] == kind))
            .collect()
    }

    fn rule(&self) -> Outcome {
        let name = self.variable("rule");
        let mut all = self.world.rules.iter().enumerate();
        all.find(|(_, rule)| rule.name == name)
            .map(|(index, rule)| rule_row(self.world, rule, index).into())
            .ok_or_else(|| Failure::server(format!("no such ha rule '{name}'")))
    }

    fn add_rule(&mut self) -> Outcome {
        self.world.need_quorum()?;
        let failed = |text: &str| Failure::server(format!("create ha rule failed: {text}"));
        let name = self.params.text("rule").to_owned();
        let wanted = Rule {
            name: name.clone(),
            resources: self.resource_list(),
            affinity: self.affinity(None)?,
            disable: self.params.flag("disable"),
            comment: self.params.get("comment").map(str::to_owned),
        };
        if self.world.rules.iter().any(|rule| rule.name == name) {
            return Err(failed(&format!("HA rule '{name}' already defined")));
        }
        check_rule(self.world, &wanted).map_err(|text| failed(&text))?;
        self.world.rules.push(wanted);
        Ok(Value::Null.into())
    }

    fn change_rule(&mut self) -> Outcome {
        self.world.need_quorum()?;
        let failed = |text: &str| Failure::server(format!("update HA rules failed: {text}"));
        let name = self.variable("rule").to_owned();
        let index = self.world.rules.iter().position(|rule| rule.name == name);
        let index = index.ok_or_else(|| failed(&format!("HA rule '{name}' does not exist")))?;
        let mut wanted = self.world.rules[index].clone();
        if self
            .params
            .get("type")
            .is_some_and(|kind| kind != type_of(&wanted))
        {
            return Err(failed(&format!(
                "Given type '{}' does not match rule type '{}'.",
                self.params.text("type"),
                type_of(&wanted)
            )));
        }
        if self.params.get("resources").is_some() {
            wanted.resources = self.resource_list();
        }
        wanted.affinity = self.affinity(Some(&wanted.affinity))?;
        if self.params.get("disable").is_some() {
            wanted.disable = self.params.flag("disable");
        }
        if let Some(comment) = self.params.get("comment") {
            wanted.comment = Some(comment.to_owned());
        }
        for gone in split_list(self.params.text("delete")) {
            match gone.as_str() {
                "disable" => wanted.disable = false,
                "comment" => wanted.comment = None,
                "strict" => {
                    if let Affinity::Nodes { strict, .. } = &mut wanted.affinity {
                        *strict = false;
                    }
                }
                other => return Err(failed(&format!("unable to delete required option '{other}'"))),
            }
        }
        check_rule(self.world, &wanted).map_err(|text| failed(&text))?;
        self.world.rules[index] = wanted;
        Ok(Value::Null.into())
    }

    fn resource_list(&self) -> Vec<String> {
        let mut list: Vec<String> = split_list(self.params.text("resources"))
            .map(|sid| match sid.parse::<u32>() {
                Ok(vmid) => self.world.sid(vmid),
                Err(_) => sid,
            })
            .collect();
        list.sort();
        list.dedup();
        list
    }

    fn affinity(&self, old: Option<&Affinity>) -> Result<Affinity, Failure> {
        let missing = |name: &str| Failure::parameter(name, "property is missing and it is not optional");
        let kind = match (old, self.params.get("type")) {
            (Some(Affinity::Nodes { .. }), _) | (None, Some("node-affinity")) => "node-affinity",
            _ => "resource-affinity",
        };
        if kind == "resource-affinity" {
            return match (self.params.get("affinity"), old) {
                (Some(text), _) => Ok(Affinity::Resources {
                    together: text == "positive",
                }),
                (None, Some(old)) => Ok(old.clone()),
                (None, None) => Err(missing("affinity")),
            };
        }
        let (old_nodes, old_strict) = match old {
            Some(Affinity::Nodes { nodes, strict }) => (Some(nodes.clone()), *strict),
            _ => (None, false),
        };
        let nodes = match self.params.get("nodes") {
            None => old_nodes.ok_or_else(|| missing("nodes"))?,
            Some(list) => {
                let mut nodes: Vec<(String, i64)> = split_list(list)
                    .map(|node| match node.split_once(':') {
                        Some((name, priority)) => (name.to_owned(), priority.parse().unwrap_or(0)),
                        None => (node, 0),
                    })
                    .collect();
                nodes.sort();
                nodes
            }
        };
        let strict = if self.params.get("strict").is_some() {
            self.params.flag("strict")
        } else {
            old_strict
        };
        Ok(Affinity::Nodes { nodes, strict })
    }
}

fn migrated(what: &str) -> Failure {
    Failure::server(format!("cannot {what}: ha groups have been migrated to rules"))
}

fn type_of(rule: &Rule) -> &'static str {
    match rule.affinity {
        Affinity::Nodes { .. } => "node-affinity",
        Affinity::Resources { .. } => "resource-affinity",
    }
}

/// A rule names what there is, and can be kept at all.
fn check_rule(world: &World, rule: &Rule) -> Result<(), String> {
    if rule.resources.is_empty() {
        return Err("no resources were specified".to_owned());
    }
    let managed = |sid: &str| world.ha.iter().any(|resource| world.sid(resource.vmid) == sid);
    let strangers: Vec<&str> = rule
        .resources
        .iter()
        .map(String::as_str)
        .filter(|sid| !managed(sid))
        .collect();
    if !strangers.is_empty() {
        return Err(format!(
            "cannot use unmanaged resource(s) {}.",
            strangers.join(", ")
        ));
    }
    let infeasible = || Err(format!("400 Rule '{}' is invalid.", rule.name));
    match &rule.affinity {
        Affinity::Nodes { nodes, .. } => {
            let unknown: Vec<&str> = nodes
                .iter()
                .map(|(name, _)| name.as_str())
                .filter(|name| world.node(name).is_none())
                .collect();
            if !unknown.is_empty() {
                return Err(format!("cannot use non-existent node(s) {}.", unknown.join(", ")));
            }
            // A resource can only have one rule about its nodes.
            let others = world
                .rules
                .iter()
                .filter(|other| other.name != rule.name && !other.disable);
            let mut bound = others.filter(|other| matches!(other.affinity, Affinity::Nodes { .. }));
            if !rule.disable
                && bound.any(|other| other.resources.iter().any(|sid| rule.resources.contains(sid)))
            {
                return infeasible();
            }
        }
        Affinity::Resources { together } => {
            let crowded = !together && rule.resources.len() > world.nodes.len();
            if rule.resources.len() < 2 || crowded {
                return infeasible();
            }
            let mut others = world.rules.iter().filter(|other| {
                other.name != rule.name
                    && !other.disable
                    && other.affinity == Affinity::Resources { together: !together }
            });
            let shared = |other: &Rule| {
                other
                    .resources
                    .iter()
                    .filter(|sid| rule.resources.contains(sid))
                    .count()
            };
            if !rule.disable && others.any(|other| shared(other) >= 2) {
                return infeasible();
            }
        }
    }
    Ok(())
}

fn rule_row(world: &World, rule: &Rule, index: usize) -> Value {
    let mut row = json!({
        "rule": rule.name,
        "type": type_of(rule),
        "resources": rule.resources.join(","),
        "order": index + 1,
        "digest": digest(&format!("{:?}", world.rules)),
    });
    match &rule.affinity {
        Affinity::Nodes { nodes, strict } => {
            let nodes: Vec<String> = nodes
                .iter()
                .map(|(name, priority)| match priority {
                    0 => name.clone(),
                    priority => format!("{name}:{priority}"),
                })
                .collect();
            row["nodes"] = json!(nodes.join(","));
            row["strict"] = json!(u8::from(*strict));
        }
        Affinity::Resources { together } => {
            row["affinity"] = json!(if *together { "positive" } else { "negative" });
        }
    }
    if rule.disable {
        row["disable"] = json!(1);
    }
    if let Some(comment) = &rule.comment {
        row["comment"] = json!(comment);
    }
    row
}
