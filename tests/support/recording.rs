//! Recorded answers of real servers: which answer belongs to which path.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::reference::reference_dir;

/// One answer as it went over the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Proxmox words its errors here.
    pub reason: String,
    /// Without those that belong to the connection or name the length.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(body: &str) -> Self {
        Self::new(200, "OK", "application/json;charset=UTF-8", body.as_bytes())
    }

    pub fn new(status: u16, reason: &str, content_type: &str, body: &[u8]) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.to_vec(),
        }
    }

    /// What the server says to a path that it does not know.
    pub fn not_implemented(method: &str, path: &str) -> Self {
        let message = format!("Method '{method} {path}' not implemented");
        let body = serde_json::json!({ "data": null, "message": format!("{message}\n") }).to_string();
        Self::new(501, &message, "application/json;charset=UTF-8", body.as_bytes())
    }

    /// A refused sign-in: no body, the reason alone tells.
    pub fn unauthorized(reason: &str) -> Self {
        Self {
            headers: Vec::new(),
            ..Self::new(401, reason, "", b"")
        }
    }
}

/// Answers by path below `/api2/json`, as one server gave them.
#[derive(Clone, Default)]
pub struct Recording {
    answers: BTreeMap<String, Answer>,
}

impl Recording {
    /// The recorded answers of one folder; `None` without the reference data.
    pub fn load(folder: &str) -> Option<Self> {
        let folder = reference_dir()?.join("recorded").join(folder);
        let mut recording = Self::default();
        for entry in fs::read_dir(folder).unwrap() {
            recording.add_file(&entry.unwrap().path());
        }
        Some(recording)
    }

    /// Takes from `other` what is not recorded here: a short recording on top of a long one.
    #[must_use]
    pub fn over(mut self, other: Option<Self>) -> Self {
        for (key, answer) in other.unwrap_or_default().answers {
            self.answers.entry(key).or_insert(answer);
        }
        self
    }

    /// Puts an answer in the place of the recorded one.
    #[must_use]
    pub fn with(mut self, path: &str, answer: Answer) -> Self {
        self.answers.insert(key_of(path), answer);
        self
    }

    /// The answer to a path below `/api2/json`, with its query or, if that is not recorded, without.
    pub fn answer(&self, path: &str) -> Option<&Answer> {
        let plain = path.split('?').next().unwrap_or(path);
        self.answers
            .get(&key_of(path))
            .or_else(|| self.answers.get(&key_of(plain)))
            .or_else(|| self.answers.get(&general_key(plain)))
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    fn add_file(&mut self, file: &Path) {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        if file.extension().is_none_or(|extension| extension != "json") {
            return;
        }
        let body = fs::read(file).unwrap();
        if let Ok(head) = fs::read_to_string(file.with_extension("hdr")) {
            self.answers.insert(stem.to_owned(), with_head(&head, body));
        } else {
            self.add_without_head(stem, &body);
        }
    }

    /// Published test data: a bare answer named after what was asked, or exchanges in the order they happened.
    fn add_without_head(&mut self, stem: &str, body: &[u8]) {
        let value: Value = serde_json::from_slice(body).unwrap();
        let exchanges = match &value {
            Value::Array(list) => list.as_slice(),
            Value::Object(one) if one.contains_key("response") => std::slice::from_ref(&value),
            _ => {
                let name = stem.strip_prefix("get_").unwrap_or(stem).to_owned();
                self.answers
                    .insert(name, Answer::new(200, "OK", "application/json", body));
                return;
            }
        };
        for exchange in exchanges {
            self.add_exchange(exchange);
        }
    }

    /// Of several answers to one path the first stays: a list is fullest before the test that was recorded cleans up.
    fn add_exchange(&mut self, exchange: &Value) {
        let request = &exchange["request"];
        let (Some("GET"), Some(path)) = (request["method"].as_str(), request["path"].as_str()) else {
            return;
        };
        let response = &exchange["response"];
        let body = match &response["body"] {
            Value::String(text) => text.clone().into_bytes(),
            Value::Null => Vec::new(),
            json => json.to_string().into_bytes(),
        };
        let path = path.strip_prefix("/api2/json").unwrap_or(path);
        let status = response["status"].as_u64().unwrap_or(200) as u16;
        let reason = response["reason"].as_str().unwrap_or("OK");
        self.answers
            .entry(key_of(path))
            .or_insert_with(|| Answer::new(status, reason, "application/json;charset=UTF-8", &body));
    }
}

fn with_head(head: &str, body: Vec<u8>) -> Answer {
    let mut lines = head.lines();
    let status_line = lines.next().unwrap();
    let mut parts = status_line.splitn(3, ' ').skip(1);
    let hop = [
        "connection",
        "content-length",
        "date",
        "expires",
        "transfer-encoding",
    ];
    Answer {
        status: parts.next().unwrap().parse().unwrap(),
        reason: parts.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| !hop.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        body,
    }
}

/// The name under which the answer to a path was recorded: signs between words are `_`.
fn key_of(path: &str) -> String {
    path.trim_matches('/')
        .replace("//", "/")
        .replace(['/', '?', '=', '&'], "_")
}

/// The name in published test data, which leaves out which node and which guest: `node_lxc`, `lxc_snapshots`.
fn general_key(path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["nodes", _, kind, _, "snapshot"] => format!("{kind}_snapshots"),
        ["nodes", _, rest @ ..] if !rest.is_empty() => format!("node_{}", rest.join("_")),
        _ => String::new(),
    }
}
