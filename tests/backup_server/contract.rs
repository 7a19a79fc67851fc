//! Every answer of the demo has the shape that the official schema gives it.

use serde_json::Value;

use crate::{
    caller::{encoded, store},
    support::reference::{reference_dir, skipped},
};

/// The schema's description of what a GET returns.
fn returns<'s>(root: &'s [Value], path: &str) -> &'s Value {
    let mut nodes = root;
    let mut found = &Value::Null;
    for part in path.trim_matches('/').split('/') {
        let last = |node: &&Value| {
            node["path"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        let node = nodes.iter().find(|node| last(node) == part);
        let node = node.or_else(|| nodes.iter().find(|node| last(node).starts_with('{')));
        found = node.unwrap_or_else(|| panic!("{path}: there is no {part}"));
        nodes = found["children"].as_array().map_or(&[], Vec::as_slice);
    }
    let info = &found["info"]["GET"];
    assert!(!info.is_null(), "{path} cannot be read");
    &info["returns"]
}

/// What breaks a value against its schema, with the place.
fn breaches(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    // The schema calls files texts; real servers send objects, as was recorded.
    if place.ends_with("].files") && value[0].is_object() {
        return;
    }
    let kind = schema["type"].as_str().unwrap_or("any");
    let fits = match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        _ => true,
    };
    let optional = |schema: &Value| schema["optional"].as_bool().unwrap_or(schema["optional"] == 1);
    // What is optional may stand as null, as recorded of `upid` and `other`.
    let absent = value.is_null() && optional(schema);
    if !(fits || absent) {
        // A history has gaps.
        if !(value.is_null() && place.contains(".history[")) {
            found.push(format!("{place}: {value} is no {kind}"));
        }
        return;
    }
    if let (Some(words), Some(text)) = (schema["enum"].as_array(), value.as_str())
        && !words.iter().any(|word| word == text)
    {
        found.push(format!("{place}: {text} is none of {words:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        found.push(format!("{place}: {number} is below {least}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        breaches(&schema["items"], item, &format!("{place}[{index}]"), found);
    }
    let Some(properties) = schema["properties"].as_object().filter(|_| value.is_object()) else {
        return;
    };
    for (name, property) in properties {
        match value.get(name) {
            Some(member) => breaches(property, member, &format!("{place}.{name}"), found),
            None if !optional(property) => found.push(format!("{place}.{name} is missing")),
            None => {}
        }
    }
    let open = schema["additionalProperties"].as_bool() != Some(false);
    for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
        // Newer than this schema, or recorded of a real server without being in it.
        let known = ["boot-info", "current-kernel", "protected", "digest"];
        if !open && !properties.contains_key(name) && !known.contains(&name.as_str()) {
            found.push(format!("{place}.{name} is not in the schema"));
        }
    }
}

#[tokio::test]
async fn every_answer_keeps_to_the_official_schema() {
    let Some(folder) = reference_dir() else {
        return skipped("the simulated Backup Server against the schema");
    };
    let file = std::fs::read(folder.join("pbs-api/pbs.json")).unwrap();
    let schema: Value = serde_json::from_slice(&file).unwrap();
    let root = schema[0]["children"].as_array().unwrap();
    let (_demo, caller) = store().await;
    let tasks = caller.get("/nodes/localhost/tasks").await;
    let task = encoded(tasks[1]["upid"].as_str().unwrap());
    let one: &[(&str, &str)] = &[("ns", "customers/acme")];
    let mut found = Vec::new();
    let mut rows = 0;
    for (path, form) in [
        ("/version".to_owned(), &[][..]),
        ("/ping".to_owned(), &[]),
        ("/access/permissions".to_owned(), &[]),
        ("/nodes/localhost/status".to_owned(), &[]),
        ("/nodes/localhost/time".to_owned(), &[]),
        ("/nodes/localhost/tasks".to_owned(), &[]),
        (format!("/nodes/localhost/tasks/{task}/status"), &[]),
        (format!("/nodes/localhost/tasks/{task}/log"), &[]),
        ("/status/datastore-usage".to_owned(), &[]),
        ("/admin/datastore".to_owned(), &[]),
        ("/admin/datastore/main/status".to_owned(), &[("verbose", "1")]),
        ("/admin/datastore/main/namespace".to_owned(), &[]),
        ("/admin/datastore/main/groups".to_owned(), &[]),
        ("/admin/datastore/main/groups".to_owned(), one),
        ("/admin/datastore/main/snapshots".to_owned(), &[]),
        ("/admin/datastore/main/snapshots".to_owned(), one),
        ("/admin/datastore/main/gc".to_owned(), &[]),
        ("/admin/gc".to_owned(), &[]),
        ("/admin/verify".to_owned(), &[]),
        ("/admin/prune".to_owned(), &[]),
        ("/admin/sync".to_owned(), &[]),
    ] {
        let answer = caller.call("GET", &path, form).await;
        rows += answer.data().as_array().map_or(1, Vec::len);
        breaches(returns(root, &path), answer.data(), &path, &mut found);
    }
    assert!(rows > 150, "only {rows} rows were seen");
    assert!(found.is_empty(), "{found:#?}");
}
