//! The official schema tree, and what it says of one request.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use crate::support::reference::reference_dir;

/// Names and values.
type Parameters = Vec<(String, String)>;

/// The schema of one major version.
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    root: Value,
}

impl Schema {
    /// Both versions; `None` without the reference data.
    pub(crate) fn both() -> Option<Vec<Self>> {
        let folder = reference_dir()?.join("pve-api");
        let schemas = ["pve-8.json", "pve-9.1.3.json"].map(|name| Self {
            name,
            root: serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap(),
        });
        Some(schemas.into())
    }

    /// That of the Backup Server; `None` without the reference data.
    pub(crate) fn backup_server() -> Option<Self> {
        let file = reference_dir()?.join("pbs-api/pbs.json");
        // Its tree begins with the root itself.
        let root: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        Some(Self {
            name: "pbs.json",
            root: root[0]["children"].clone(),
        })
    }

    /// The method's description, and the values of the parameters in the path.
    pub(crate) fn method(&self, method: &str, path: &str) -> Result<(&Value, Parameters), String> {
        let mut nodes = self.root.as_array().unwrap();
        let mut found: Option<&Value> = None;
        let mut values = Vec::new();
        for segment in path.trim_matches('/').split('/') {
            // A fixed word goes before a parameter in the same place.
            let node = nodes.iter().find(|node| last(node) == segment);
            let node = node.or_else(|| nodes.iter().find(|node| last(node).starts_with('{')));
            let node = node.ok_or_else(|| format!("{path}: there is no `{segment}`"))?;
            if let Some(name) = last(node).strip_prefix('{') {
                values.push((name.trim_end_matches('}').to_owned(), decoded(segment)));
            }
            nodes = node["children"].as_array().unwrap_or(const { &Vec::new() });
            found = Some(node);
        }
        let info = found
            .map(|node| &node["info"][method])
            .filter(|info| !info.is_null());
        Ok((
            info.ok_or_else(|| format!("{path}: there is no {method}"))?,
            values,
        ))
    }

    /// What is wrong with a request; empty if nothing.
    pub(crate) fn complaints(&self, method: &str, path: &str, query: &[(&str, String)]) -> String {
        let mut complaints = String::new();
        let (info, in_path) = match self.method(method, path) {
            Ok(found) => found,
            Err(complaint) => return format!("{}: {complaint}\n", self.name),
        };
        let known = &info["parameters"]["properties"];
        let given: Parameters = in_path
            .into_iter()
            .chain(
                query
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone())),
            )
            .collect();
        let mut complain =
            |what: String| writeln!(complaints, "{}: {method} {path}: {what}", self.name).unwrap();
        for (name, value) in &given {
            match known.get(name) {
                None => complain(format!("unknown parameter `{name}`")),
                Some(parameter) => {
                    if let Err(what) = fits(parameter, value) {
                        complain(format!("`{name}={value}` {what}"));
                    }
                    if let Some(other) = parameter["requires"].as_str()
                        && !given.iter().any(|(name, _)| name == other)
                    {
                        complain(format!("`{name}` requires `{other}`"));
                    }
                }
            }
        }
        for (name, parameter) in known.as_object().into_iter().flatten() {
            let optional = is_true(&parameter["optional"]);
            if !optional && !given.iter().any(|(given, _)| given == name) {
                complain(format!("`{name}` is missing"));
            }
        }
        complaints
    }
}

fn last(node: &Value) -> &str {
    node["path"].as_str().unwrap().rsplit('/').next().unwrap()
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_i64() == Some(1))
}

fn fits(parameter: &Value, value: &str) -> Result<(), String> {
    if let Some(words) = parameter["enum"].as_array()
        && !words.iter().any(|word| word.as_str() == Some(value))
    {
        return Err(format!("is none of {words:?}"));
    }
    if let Some(longest) = parameter["maxLength"].as_u64()
        && value.chars().count() as u64 > longest
    {
        return Err(format!("is longer than {longest}"));
    }
    match parameter["type"].as_str() {
        Some("integer") => {
            let number: i64 = value.parse().map_err(|_| "is no integer".to_owned())?;
            let (least, most) = (parameter["minimum"].as_i64(), parameter["maximum"].as_i64());
            if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
                return Err(format!("is not in {least:?}..={most:?}"));
            }
            Ok(())
        }
        Some("boolean") if !["0", "1"].contains(&value) => Err("is no boolean".to_owned()),
        _ => Ok(()),
    }
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (digits, tail) = tail.split_at(2);
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}
