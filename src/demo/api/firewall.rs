//! Firewalls: rules of the cluster, its security groups, nodes and guests.

use serde_json::{Map, Value, json};

use super::{Call, cluster::digest, config::split_list, firewall_rule};
use crate::demo::{
    answer::{Data, Failure, Outcome},
    world::firewall::{FirewallRule, Scope},
};

/// Where rules are: in a configuration, or in a security group of the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Own(Scope),
    Group(String),
}

impl Call<'_> {
    /// Whose firewall the path speaks of, and what comes after it.
    fn firewall_scope(&self) -> Option<(Scope, &'static str)> {
        let path = self.path;
        if let Some(rest) = path.strip_prefix("/cluster/firewall") {
            return Some((Scope::Cluster, rest));
        }
        if let Some(rest) = path.strip_prefix("/nodes/{node}/firewall") {
            return Some((Scope::Node(self.node_name()), rest));
        }
        let rest = path
            .strip_prefix("/nodes/{node}/qemu/{vmid}/firewall")
            .or_else(|| path.strip_prefix("/nodes/{node}/lxc/{vmid}/firewall"))?;
        Some((Scope::Guest(self.vmid()), rest))
    }

    pub(super) fn route_firewall(&mut self) -> Option<Outcome> {
        let (scope, rest) = self.firewall_scope()?;
        if let Some(rest) = rest.strip_prefix("/rules") {
            return self.route_rules(&Place::Own(scope), rest);
        }
        if let Some(rest) = rest.strip_prefix("/groups/{group}") {
            let group = self.variable("group").to_owned();
            if self.verb == "DELETE" && rest.is_empty() {
                return Some(self.delete_group(&group));
            }
            if !self.world.firewall(&Scope::Cluster).groups.contains_key(&group) {
                return Some(Err(Failure::server(format!("no such security group '{group}'"))));
            }
            return self.route_rules(&Place::Group(group), rest);
        }
        match (self.verb, rest) {
            ("GET", "/macros") => Some(Ok(firewall_rule::macros().into())),
            ("GET", "/log") => Some(Ok(Data::Page(
                json!([{"n": 1, "t": "unable to open file - No such file or directory"}]),
                1,
            ))),
            _ => self.route_firewall_sets(&scope, rest),
        }
    }

    fn route_rules(&mut self, place: &Place, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("GET", "") => {
                let rules = self.rules_of(place);
                let digest = rules_digest(&rules);
                let rows: Value = (0..)
                    .zip(&rules)
                    .map(|(pos, rule)| row(rule, pos, &digest))
                    .collect();
                Ok(rows.into())
            }
            ("POST", "") => self.add_firewall_rule(place),
            ("GET", "/{pos}") => self.rule_at(place).map(|(pos, rule)| {
                let digest = rules_digest(&self.rules_of(place));
                row(&rule, pos, &digest).into()
            }),
            ("PUT", "/{pos}") => self.change_firewall_rule(place),
            ("DELETE", "/{pos}") => self.delete_firewall_rule(place),
            _ => return None,
        })
    }

    fn rules_of(&self, place: &Place) -> Vec<FirewallRule> {
        match place {
            Place::Own(scope) => self.world.firewall(scope).rules,
            Place::Group(name) => {
                let all = self.world.firewall(&Scope::Cluster);
                all.groups
                    .get(name)
                    .map(|group| group.rules.clone())
                    .unwrap_or_default()
            }
        }
    }

    fn rules_mut(&mut self, place: &Place) -> Option<&mut Vec<FirewallRule>> {
        match place {
            Place::Own(scope) => Some(&mut self.world.firewall_mut(scope).rules),
            Place::Group(name) => {
                let all = self.world.firewall_mut(&Scope::Cluster);
                all.groups.get_mut(name).map(|group| &mut group.rules)
            }
        }
    }

    fn rule_at(&self, place: &Place) -> Result<(usize, FirewallRule), Failure> {
        let pos: usize = self.variable("pos").parse().unwrap_or(usize::MAX);
        let rules = self.rules_of(place);
        let rule = rules
            .get(pos)
            .ok_or_else(|| Failure::server(format!("no rule at position {}", self.variable("pos"))))?;
        Ok((pos, rule.clone()))
    }

    /// The digest that the caller has seen is still that of the rules.
    pub(super) fn same_digest(&self, now: &str) -> Result<(), Failure> {
        match self.params.get("digest") {
            Some(seen) if seen != now => Err(Failure::server(
                "detected modified configuration - file changed by other user? Try again.",
            )),
            _ => Ok(()),
        }
    }

    /// What the parameters say of a rule, over what it was.
    fn with_parameters(&self, mut rule: FirewallRule) -> FirewallRule {
        for (key, value) in self.params.iter() {
            if !firewall_rule::PROPERTIES.contains(&key) {
                continue;
            }
            if value.is_empty() || value == "-" {
                rule.remove(key);
            } else {
                rule.insert(key.to_owned(), value.to_owned());
            }
        }
        rule
    }

    fn verified(&self, place: &Place, rule: &FirewallRule) -> Result<(), Failure> {
        let cluster = self.world.firewall(&Scope::Cluster);
        let own = match place {
            Place::Own(scope) => self.world.firewall(scope),
            Place::Group(_) => cluster.clone(),
        };
        firewall_rule::verify(rule, place, &cluster, &own)
    }

    fn add_firewall_rule(&mut self, place: &Place) -> Outcome {
        let mut rule = self.with_parameters(FirewallRule::new());
        self.verified(place, &rule)?;
        rule.entry("enable".to_owned()).or_insert_with(|| "0".to_owned());
        let pos = self.params.count("pos").unwrap_or(0);
        if let Some(rules) = self.rules_mut(place) {
            // New ones come first; where else, only the digest's owner may say.
            rules.insert(pos.min(rules.len()), rule);
        }
        Ok(Value::Null.into())
    }

    fn change_firewall_rule(&mut self, place: &Place) -> Outcome {
        self.same_digest(&rules_digest(&self.rules_of(place)))?;
        let (pos, rule) = self.rule_at(place)?;
        if let Some(to) = self.params.count("moveto") {
            if let Some(rules) = self.rules_mut(place).filter(|_| to != pos) {
                let rule = rules.remove(pos);
                let to = if to > pos { to - 1 } else { to };
                rules.insert(to.min(rules.len()), rule);
            }
            return Ok(Value::Null.into());
        }
        let mut rule = self.with_parameters(rule);
        for gone in split_list(self.params.text("delete")) {
            if !firewall_rule::PROPERTIES.contains(&gone.as_str()) {
                return Err(Failure::parameter(
                    "delete",
                    format!("no such property ('{gone}')"),
                ));
            }
            if matches!(gone.as_str(), "type" | "action") {
                return Err(Failure::parameter(
                    "delete",
                    format!("unable to delete required property '{gone}'"),
                ));
            }
            rule.remove(&gone);
        }
        self.verified(place, &rule)?;
        if let Some(old) = self.rules_mut(place).and_then(|rules| rules.get_mut(pos)) {
            *old = rule;
        }
        Ok(Value::Null.into())
    }

    fn delete_firewall_rule(&mut self, place: &Place) -> Outcome {
        self.same_digest(&rules_digest(&self.rules_of(place)))?;
        let (pos, _) = self.rule_at(place)?;
        if let Some(rules) = self.rules_mut(place) {
            rules.remove(pos);
        }
        Ok(Value::Null.into())
    }
}

fn rules_digest(rules: &[FirewallRule]) -> String {
    digest(&format!("{rules:?}"))
}

fn row(rule: &FirewallRule, pos: usize, digest: &str) -> Value {
    let mut row: Map<String, Value> = rule
        .iter()
        .map(|(key, value)| match value.parse::<i64>() {
            Ok(number) if key == "enable" => (key.clone(), json!(number)),
            _ => (key.clone(), json!(value)),
        })
        .collect();
    row.insert("pos".to_owned(), json!(pos));
    row.insert("digest".to_owned(), json!(digest));
    Value::Object(row)
}
