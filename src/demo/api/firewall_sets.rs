//! Firewalls: security groups, aliases, sets of addresses and options.

use serde_json::{Map, Value, json};

use super::{
    Call,
    cluster::digest,
    config::split_list,
    firewall_rule::{is_group_name, is_network},
};
use crate::demo::{
    answer::{Failure, Outcome},
    world::firewall::{Alias, Entry, Group, IpSet, Scope},
};

impl Call<'_> {
    pub(super) fn route_firewall_sets(&mut self, scope: &Scope, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("GET", "/options") => Ok(self.firewall_options(scope).into()),
            ("PUT", "/options") => self.set_firewall_options(scope),
            ("GET", "/groups") => Ok(self.firewall_groups().into()),
            ("POST", "/groups") => self.add_group(),
            ("GET", "/aliases") => Ok(self.aliases(scope).into()),
            ("POST", "/aliases") => self.add_alias(scope),
            ("GET", "/aliases/{name}") => self.alias(scope),
            ("PUT", "/aliases/{name}") => self.change_alias(scope),
            ("DELETE", "/aliases/{name}") => self.delete_alias(scope),
            ("GET", "/ipset") => Ok(self.ipsets(scope).into()),
            ("POST", "/ipset") => self.add_ipset(scope),
            ("GET", "/ipset/{name}") => self.ipset(scope),
            ("POST", "/ipset/{name}") => self.add_entry(scope),
            ("DELETE", "/ipset/{name}") => self.delete_ipset(scope),
            ("GET", "/ipset/{name}/{cidr}") => self.entry(scope),
            ("PUT", "/ipset/{name}/{cidr}") => self.change_entry(scope),
            ("DELETE", "/ipset/{name}/{cidr}") => self.delete_entry(scope),
            ("GET", "/refs") => Ok(self.references(scope).into()),
            _ => return None,
        })
    }

    fn firewall_options(&self, scope: &Scope) -> Value {
        let options = self.world.firewall(scope).options;
        let mut all: Map<String, Value> = options
            .iter()
            .map(|(key, value)| match value.parse::<i64>() {
                Ok(number) => (key.clone(), json!(number)),
                Err(_) => (key.clone(), json!(value)),
            })
            .collect();
        all.insert("digest".to_owned(), json!(digest(&format!("{options:?}"))));
        Value::Object(all)
    }

    fn set_firewall_options(&mut self, scope: &Scope) -> Outcome {
        let now = digest(&format!("{:?}", self.world.firewall(scope).options));
        self.same_digest(&now)?;
        let set: Vec<(String, String)> = self
            .params
            .iter()
            .filter(|(key, _)| !matches!(*key, "delete" | "digest"))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        let options = &mut self.world.firewall_mut(scope).options;
        options.extend(set);
        options.retain(|key, _| !gone.contains(key));
        Ok(Value::Null.into())
    }

    fn firewall_groups(&self) -> Value {
        let all = self.world.firewall(&Scope::Cluster).groups;
        let digest = digest(&format!("{all:?}"));
        all.iter()
            .map(|(name, group)| {
                let mut row = json!({"group": name, "digest": digest});
                if let Some(comment) = &group.comment {
                    row["comment"] = json!(comment);
                }
                row
            })
            .collect()
    }

    fn add_group(&mut self) -> Outcome {
        let name = self.params.text("group").to_owned();
        let comment = self.params.get("comment").map(str::to_owned);
        let old = self.params.get("rename").map(str::to_owned);
        if !is_group_name(&name) {
            return Err(Failure::parameter(
                "group",
                "value does not match the regex pattern",
            ));
        }
        let groups = &mut self.world.firewall_mut(&Scope::Cluster).groups;
        let Some(old) = old else {
            if groups.contains_key(&name) {
                return Err(Failure::parameter(
                    "group",
                    format!("Security group '{name}' already exists"),
                ));
            }
            let rules = Vec::new();
            groups.insert(name, Group { comment, rules });
            return Ok(Value::Null.into());
        };
        if old != name && groups.contains_key(&name) {
            return Err(Failure::parameter(
                "group",
                format!("Security group '{name}' does already exist"),
            ));
        }
        let Some(mut group) = groups.remove(&old) else {
            return Err(Failure::parameter(
                "group",
                format!("Security group '{old}' does not exist"),
            ));
        };
        if comment.is_some() {
            group.comment = comment;
        }
        groups.insert(name, group);
        Ok(Value::Null.into())
    }

    pub(super) fn delete_group(&mut self, name: &str) -> Outcome {
        let groups = &mut self.world.firewall_mut(&Scope::Cluster).groups;
        match groups.get(name) {
            None => Err(Failure::server(format!("no such security group '{name}'"))),
            Some(group) if !group.rules.is_empty() => {
                Err(Failure::server(format!("Security group '{name}' is not empty")))
            }
            Some(_) => {
                groups.remove(name);
                Ok(Value::Null.into())
            }
        }
    }

    fn aliases(&self, scope: &Scope) -> Value {
        let all = self.world.firewall(scope).aliases;
        let digest = digest(&format!("{all:?}"));
        all.values().map(|alias| alias_row(alias, &digest)).collect()
    }

    fn cidr(&self) -> Result<String, Failure> {
        let text = self.params.text("cidr");
        if is_network(text) {
            return Ok(text.to_owned());
        }
        Err(Failure::parameter(
            "cidr",
            "invalid format - value does not look like a valid IP address or CIDR network\n",
        ))
    }

    fn add_alias(&mut self, scope: &Scope) -> Outcome {
        let alias = Alias {
            name: self.params.text("name").to_owned(),
            cidr: self.cidr()?,
            comment: self.params.get("comment").map(str::to_owned),
        };
        let key = alias.name.to_ascii_lowercase();
        let aliases = &mut self.world.firewall_mut(scope).aliases;
        if aliases.contains_key(&key) {
            return Err(Failure::parameter(
                "name",
                format!("alias '{}' already exists", alias.name),
            ));
        }
        aliases.insert(key, alias);
        Ok(Value::Null.into())
    }

    fn alias(&self, scope: &Scope) -> Outcome {
        let all = self.world.firewall(scope).aliases;
        let digest = digest(&format!("{all:?}"));
        all.get(&self.variable("name").to_ascii_lowercase())
            .map(|alias| alias_row(alias, &digest).into())
            .ok_or_else(|| Failure::parameter("name", "no such alias"))
    }

    fn change_alias(&mut self, scope: &Scope) -> Outcome {
        let key = self.variable("name").to_ascii_lowercase();
        let now = digest(&format!("{:?}", self.world.firewall(scope).aliases));
        self.same_digest(&now)?;
        let cidr = self.cidr()?;
        let comment = self.params.get("comment").map(str::to_owned);
        let rename = self.params.get("rename").map(str::to_owned);
        let aliases = &mut self.world.firewall_mut(scope).aliases;
        if let Some(new) = &rename
            && new.to_ascii_lowercase() != key
            && aliases.contains_key(&new.to_ascii_lowercase())
        {
            return Err(Failure::parameter(
                "name",
                format!("alias '{new}' already exists"),
            ));
        }
        let Some(mut alias) = aliases.remove(&key) else {
            return Err(Failure::parameter("name", "no such alias"));
        };
        alias.cidr = cidr;
        alias.comment = comment.or(alias.comment);
        if let Some(new) = rename {
            alias.name = new;
        }
        aliases.insert(alias.name.to_ascii_lowercase(), alias);
        Ok(Value::Null.into())
    }

    fn delete_alias(&mut self, scope: &Scope) -> Outcome {
        let key = self.variable("name").to_ascii_lowercase();
        let now = digest(&format!("{:?}", self.world.firewall(scope).aliases));
        self.same_digest(&now)?;
        self.world.firewall_mut(scope).aliases.remove(&key);
        Ok(Value::Null.into())
    }

    fn ipsets(&self, scope: &Scope) -> Value {
        let all = self.world.firewall(scope).ipsets;
        let digest = digest(&format!("{all:?}"));
        all.iter()
            .map(|(name, set)| {
                let mut row = json!({"name": name, "digest": digest});
                if let Some(comment) = &set.comment {
                    row["comment"] = json!(comment);
                }
                row
            })
            .collect()
    }

    fn add_ipset(&mut self, scope: &Scope) -> Outcome {
        let name = self.params.text("name").to_owned();
        let comment = self.params.get("comment").map(str::to_owned);
        let old = self.params.get("rename").map(str::to_owned);
        let sets = &mut self.world.firewall_mut(scope).ipsets;
        let Some(old) = old else {
            if sets.contains_key(&name) {
                return Err(Failure::parameter(
                    "name",
                    format!("IPSet '{name}' already exists"),
                ));
            }
            let entries = Vec::new();
            sets.insert(name, IpSet { comment, entries });
            return Ok(Value::Null.into());
        };
        if old != name && sets.contains_key(&name) {
            return Err(Failure::parameter(
                "name",
                format!("IPSet '{name}' does already exist"),
            ));
        }
        let Some(mut set) = sets.remove(&old) else {
            return Err(Failure::parameter(
                "name",
                format!("IPSet '{old}' does not exist"),
            ));
        };
        set.comment = comment.or(set.comment);
        sets.insert(name, set);
        Ok(Value::Null.into())
    }

    fn known_ipset(&self, scope: &Scope) -> Result<IpSet, Failure> {
        let name = self.variable("name");
        let set = self.world.firewall(scope).ipsets.get(name).cloned();
        set.ok_or_else(|| Failure::server(format!("no such IPSet '{name}'")))
    }

    fn ipset(&self, scope: &Scope) -> Outcome {
        let set = self.known_ipset(scope)?;
        let digest = digest(&format!("{set:?}"));
        let rows: Value = set
            .entries
            .iter()
            .map(|entry| entry_row(entry, &digest))
            .collect();
        Ok(rows.into())
    }

    fn delete_ipset(&mut self, scope: &Scope) -> Outcome {
        let name = self.variable("name").to_owned();
        let set = self.known_ipset(scope)?;
        if !set.entries.is_empty() && !self.params.flag("force") {
            return Err(Failure::server(format!("IPSet '{name}' is not empty")));
        }
        self.world.firewall_mut(scope).ipsets.remove(&name);
        Ok(Value::Null.into())
    }

    fn entries_mut(&mut self, scope: &Scope) -> Option<&mut Vec<Entry>> {
        let name = self.variable("name").to_owned();
        let sets = &mut self.world.firewall_mut(scope).ipsets;
        sets.get_mut(&name).map(|set| &mut set.entries)
    }

    fn add_entry(&mut self, scope: &Scope) -> Outcome {
        let set = self.known_ipset(scope)?;
        let given = self.params.text("cidr").to_owned();
        let bare = given
            .trim_start_matches("dc/")
            .trim_start_matches("guest/")
            .to_ascii_lowercase();
        let is_alias = self.world.firewall(scope).aliases.contains_key(&bare)
            || self.world.firewall(&Scope::Cluster).aliases.contains_key(&bare);
        if !is_alias {
            if given.starts_with(|c: char| c.is_ascii_alphabetic()) && !given.contains(':') {
                return Err(Failure::parameter("cidr", format!("no such alias '{given}'")));
            }
            self.cidr()?;
        }
        if given.ends_with("/0") {
            return Err(Failure::parameter(
                "cidr",
                "a zero prefix is not allowed in ipset entries",
            ));
        }
        if set.entries.iter().any(|entry| entry.cidr == given) {
            return Err(Failure::parameter(
                "cidr",
                format!("address '{given}' already exists"),
            ));
        }
        let entry = Entry {
            cidr: given,
            nomatch: self.params.flag("nomatch"),
            comment: self.params.get("comment").map(str::to_owned),
        };
        if let Some(entries) = self.entries_mut(scope) {
            entries.insert(0, entry);
        }
        Ok(Value::Null.into())
    }

    fn entry(&self, scope: &Scope) -> Outcome {
        let set = self.known_ipset(scope)?;
        let digest = digest(&format!("{set:?}"));
        let wanted = self.variable("cidr");
        set.entries
            .iter()
            .find(|entry| entry.cidr == wanted)
            .map(|entry| entry_row(entry, &digest).into())
            .ok_or_else(|| Failure::parameter("cidr", "no such IP/Network"))
    }

    fn change_entry(&mut self, scope: &Scope) -> Outcome {
        let set = self.known_ipset(scope)?;
        self.same_digest(&digest(&format!("{set:?}")))?;
        let wanted = self.variable("cidr").to_owned();
        let (nomatch, comment) = (
            self.params.flag("nomatch"),
            self.params.get("comment").map(str::to_owned),
        );
        let entries = self.entries_mut(scope).into_iter().flatten();
        match entries.into_iter().find(|entry| entry.cidr == wanted) {
            Some(entry) => {
                entry.nomatch = nomatch;
                entry.comment = comment;
                Ok(Value::Null.into())
            }
            None => Err(Failure::parameter("cidr", "no such IP/Network")),
        }
    }

    fn delete_entry(&mut self, scope: &Scope) -> Outcome {
        let set = self.known_ipset(scope)?;
        self.same_digest(&digest(&format!("{set:?}")))?;
        let wanted = self.variable("cidr").to_owned();
        if let Some(entries) = self.entries_mut(scope) {
            entries.retain(|entry| entry.cidr != wanted);
        }
        Ok(Value::Null.into())
    }

    /// What rules can refer to.
    fn references(&self, scope: &Scope) -> Value {
        let wanted = self.params.get("type");
        let mut rows = Vec::new();
        let mut scopes = vec![(Scope::Cluster, "dc")];
        if matches!(scope, Scope::Guest(_)) {
            scopes.push((scope.clone(), "guest"));
        }
        let many = scopes.len() > 1;
        for (place, word) in scopes {
            let all = self.world.firewall(&place);
            let spelled = |name: &str| {
                if many {
                    format!("{word}/{name}")
                } else {
                    name.to_owned()
                }
            };
            for alias in all.aliases.values() {
                rows.push(reference(
                    "alias",
                    &alias.name,
                    &spelled(&alias.name),
                    word,
                    alias.comment.as_deref(),
                ));
            }
            for (name, set) in &all.ipsets {
                let spelled = format!("+{}", spelled(name));
                rows.push(reference("ipset", name, &spelled, word, set.comment.as_deref()));
            }
        }
        rows.retain(|row| wanted.is_none_or(|kind| row["type"] == kind));
        Value::from(rows)
    }
}

fn reference(kind: &str, name: &str, spelled: &str, scope: &str, comment: Option<&str>) -> Value {
    let mut row = json!({"type": kind, "name": name, "ref": spelled, "scope": scope});
    if let Some(comment) = comment {
        row["comment"] = json!(comment);
    }
    row
}

fn alias_row(alias: &Alias, digest: &str) -> Value {
    let version = if alias.cidr.contains(':') { 6 } else { 4 };
    let mut row = json!({"name": alias.name, "cidr": alias.cidr, "ipversion": version, "digest": digest});
    if let Some(comment) = &alias.comment {
        row["comment"] = json!(comment);
    }
    row
}

fn entry_row(entry: &Entry, digest: &str) -> Value {
    let mut row = json!({"cidr": entry.cidr, "digest": digest});
    if entry.nomatch {
        row["nomatch"] = json!(1);
    }
    if let Some(comment) = &entry.comment {
        row["comment"] = json!(comment);
    }
    row
}
