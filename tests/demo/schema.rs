//! Every answer of the demo against the official schema.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::caller::{Caller, Estate};

/// Schemas by path.
fn schemas(file: &str) -> Option<BTreeMap<String, Value>> {
    let text = std::fs::read_to_string(
        crate::support::reference::reference_dir()?
            .join("pve-api")
            .join(file),
    )
    .ok()?;
    let mut found = BTreeMap::new();
    let mut open: Vec<Value> = serde_json::from_str(&text).unwrap();
    while let Some(mut node) = open.pop() {
        if let Some(children) = node["children"].as_array_mut() {
            open.append(children);
        }
        found.insert(node["path"].as_str().unwrap().to_owned(), node["info"].take());
    }
    Some(found)
}

/// What breaks a value against its schema, with the place.
fn breaches(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let kind = schema["type"].as_str().unwrap_or("any");
    let numeric = || value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    let fits = match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" | "number" => numeric(),
        "boolean" => {
            matches!(value.as_i64(), Some(0 | 1)) || value.is_boolean() || value == "0" || value == "1"
        }
        "string" => value.is_string() || value.is_number(),
        "null" => value.is_null(),
        _ => true,
    };
    if !fits {
        found.push(format!("{place}: {value} is no {kind}"));
        return;
    }
    if let (Some(values), Some(text)) = (schema["enum"].as_array(), value.as_str())
        && !values.iter().any(|known| known == text)
    {
        found.push(format!("{place}: {text:?} is not in {values:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        found.push(format!("{place}: {number} is below {least}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        breaches(&schema["items"], item, &format!("{place}[{index}]"), found);
    }
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let is_optional = matches!(&property["optional"], Value::Bool(true))
            || property["optional"] == 1
            || property["optional"] == "1";
        match value.get(name) {
            Some(member) => breaches(property, member, &format!("{place}.{name}"), found),
            None if !is_optional => found.push(format!("{place}.{name} is missing")),
            None => {}
        }
    }
}

/// Paths worth reading: every place of the table that has a value for its variables.
async fn readable(caller: &Caller) -> Vec<(String, String)> {
    let resources = caller.get("/cluster/resources").await;
    let of = |kind: &str| {
        resources
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["type"] == kind && row["status"] == "running" && row.get("lock").is_none())
            .map(|row| (row["node"].as_str().unwrap().to_owned(), row["vmid"].to_string()))
            .next()
            .unwrap()
    };
    let (qemu, lxc) = (of("qemu"), of("lxc"));
    let tasks = caller.get("/cluster/tasks").await;
    let (task_node, upid) = (
        tasks[0]["node"].as_str().unwrap(),
        tasks[0]["upid"].as_str().unwrap(),
    );
    include_str!("../../src/demo/methods.txt")
        .lines()
        .filter(|line| line.starts_with("GET ") || line.starts_with("DIR "))
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .map(|template| {
            let (node, vmid) = match template.as_str() {
                path if path.contains("/qemu/") => (qemu.0.as_str(), qemu.1.as_str()),
                path if path.contains("/lxc/") => (lxc.0.as_str(), lxc.1.as_str()),
                path if path.contains("{upid}") => (task_node, ""),
                _ => ("pve1", ""),
            };
            let path = template
                .replace("{node}", node)
                .replace("{vmid}", vmid)
                .replace("{upid}", upid)
                .replace(
                    "{storage}",
                    if template.starts_with("/nodes") {
                        "local-zfs"
                    } else {
                        "local"
                    },
                )
                .replace("{userid}", "auditor@pve")
                .replace("{tokenid}", "demo")
                .replace("{roleid}", "PVEAuditor")
                .replace("{poolid}", "acme")
                .replace("{service}", "pveproxy")
                .replace("{iface}", "vmbr0");
            (template, path)
        })
        // A console is asked for with a ticket, which has a test of its own.
        .filter(|(_, path)| !path.contains('{') && !path.ends_with("/vncwebsocket"))
        .collect()
}

#[tokio::test]
async fn every_answer_keeps_to_the_official_schema() {
    let (Some(nine), Some(eight)) = (schemas("pve-9.1.3.json"), schemas("pve-8.json")) else {
        println!("SKIPPED: no reference schemas here");
        return;
    };
    let estate = Estate::new().await;
    let caller = &estate.admin;
    let mut found = Vec::new();
    let mut checked = 0;
    for (template, path) in readable(caller).await {
        let form: &[(&str, &str)] = match template.rsplit('/').next().unwrap() {
            "rrddata" => &[("timeframe", "hour")],
            "feature" => &[("feature", "snapshot")],
            "smart" => &[("disk", "/dev/sda")],
            _ => &[],
        };
        let answer = caller.call("GET", &path, form).await;
        if answer.status != 200 {
            let refused = ["ceph", "groups", "agent", "vncwebsocket"];
            assert!(
                refused.iter().any(|word| template.contains(word)),
                "GET {path}: {} {}",
                answer.status,
                answer.reason
            );
            continue;
        }
        let data = &answer.body["data"];
        let mut in_nine = Vec::new();
        if let Some(method) = nine.get(&template) {
            breaches(&method["GET"]["returns"], data, &template, &mut in_nine);
        }
        // Where 8 and 9 differ, 9 counts.
        if let Some(method) = eight.get(&template) {
            let mut in_eight = Vec::new();
            breaches(&method["GET"]["returns"], data, &template, &mut in_eight);
            in_nine.retain(|breach| in_eight.contains(breach));
        }
        checked += 1;
        found.extend(in_nine);
    }
    assert!(checked > 120, "only {checked} methods were checked");
    assert!(
        found.is_empty(),
        "{} breaches:\n{}",
        found.len(),
        found.join("\n")
    );
}
