//! The recorded exchanges, in the forms in which they are kept.

use std::fs;

use serde_json::Value;

use crate::support::{recording::Answer, reference::reference_dir};

/// One GET of a path below `/api2/json` with its answer.
pub(crate) struct Exchange {
    /// File, for messages.
    pub(crate) file: String,
    /// Path without query.
    pub(crate) path: String,
    pub(crate) answer: Answer,
}

/// All of them; `None` without the reference data.
pub(crate) fn all() -> Option<Vec<Exchange>> {
    let folder = reference_dir()?.join("recorded");
    let mut found = Vec::new();
    for name in [
        "pve-9.2-node",
        "pve-9.2-bare",
        "pve-9.2-cluster",
        "pve-9.2-more",
        "pve-9-public",
        "pve-6-public",
    ] {
        for entry in fs::read_dir(folder.join(name)).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let label = format!("{name}/{}", file.file_name().unwrap().display());
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let body = fs::read(&file).unwrap();
            if let Ok(head) = fs::read_to_string(file.with_extension("hdr")) {
                let status_line = head.lines().next().unwrap();
                let mut words = status_line.splitn(3, ' ').skip(1);
                let status = words.next().unwrap().parse().unwrap();
                let answer = Answer::new(
                    status,
                    words.next().unwrap_or_default(),
                    "application/json",
                    &body,
                );
                found.push(Exchange {
                    file: label,
                    // What stands behind belongs to the query.
                    path: stem.replace("_timeframe_hour", "").replace('_', "/"),
                    answer,
                });
            } else {
                take_json(&label, stem, &body, &mut found);
            }
        }
    }
    Some(found)
}

fn take_json(label: &str, stem: &str, body: &[u8], found: &mut Vec<Exchange>) {
    let value: Value = serde_json::from_slice(body).unwrap();
    let exchanges = match &value {
        Value::Array(list) => list.as_slice(),
        one if one.get("response").is_some() => std::slice::from_ref(one),
        bare if bare.get("data").is_some() => {
            let path = match stem
                .trim_start_matches("get_")
                .split_once('_')
                .unwrap_or((stem, ""))
            {
                (kind @ ("lxc" | "qemu"), "snapshots") => format!("nodes/node1/{kind}/100/snapshot"),
                ("node", rest) => format!("nodes/node1/{}", rest.replace('_', "/")),
                (first, rest) => format!("{first}/{}", rest.replace('_', "/")),
            };
            let answer = Answer::new(200, "OK", "application/json", body);
            return found.push(Exchange {
                file: label.to_owned(),
                path,
                answer,
            });
        }
        _ => return,
    };
    for exchange in exchanges {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        if request["method"].as_str() != Some("GET") {
            continue;
        }
        let (Some(path), Some(status)) = (request["path"].as_str(), response["status"].as_u64()) else {
            continue;
        };
        let body = match &response["body"] {
            Value::String(text) => text.clone().into_bytes(),
            Value::Null => Vec::new(),
            json => json.to_string().into_bytes(),
        };
        let reason = response["reason"].as_str().unwrap_or("OK");
        let kind = response["headers"]["Content-Type"]
            .as_str()
            .unwrap_or("application/json");
        // Other forms (text, HTML, a log as a file) are asked for by nobody here.
        let other_form =
            label.contains("-http-fmt-") || (status == 200 && !kind.starts_with("application/json"));
        if other_form {
            continue;
        }
        let Some(path) = path.strip_prefix("/api2/json/") else {
            continue;
        };
        found.push(Exchange {
            file: label.to_owned(),
            path: path.split('?').next().unwrap_or(path).to_owned(),
            answer: Answer::new(status as u16, reason, kind, &body),
        });
    }
}
