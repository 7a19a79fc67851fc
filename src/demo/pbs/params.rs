//! Parameters: read from query, form or JSON, and checked as the real server checks them.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::answer::Refusal;

/// What a parameter is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// A whole number of at least this.
    Number(i64),
    Flag,
    /// One of these.
    Word(&'static [&'static str]),
    Namespace,
}

/// Name, what it is, and whether it must be there.
pub(super) type Parameter = (&'static str, Kind, bool);

/// Given parameters by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    pub(super) fn add_form(&mut self, text: &str) {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.0.insert(decode(name), decode(value));
        }
    }

    pub(super) fn add_json(&mut self, text: &str) -> Result<(), Refusal> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(Refusal::bad(
                "unable to parse request body - expected a JSON object",
            ));
        };
        for (name, value) in members {
            let text = match value {
                Value::String(text) => text,
                Value::Null => continue,
                other => other.to_string(),
            };
            self.0.insert(name, text);
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        boolean(self.get(name)?)
    }

    /// Refuses what the method does not take, as the real server words it: one complaint on a line of its own kind,
    /// several as a list.
    pub(super) fn check(&self, known: &[Parameter]) -> Result<(), Refusal> {
        let mut complaints = Vec::new();
        for (name, value) in &self.0 {
            let complaint = match known.iter().find(|(known, ..)| known == name) {
                None => Some("schema does not allow additional properties.".to_owned()),
                Some((_, kind, _)) => complaint(*kind, value),
            };
            complaints.extend(complaint.map(|what| format!("'{name}': {what}")));
        }
        for (name, _, needed) in known {
            if *needed && !self.0.contains_key(*name) {
                complaints.push(format!("'{name}': parameter is missing and it is not optional."));
            }
        }
        complaints.sort();
        match &complaints[..] {
            [] => Ok(()),
            [one] => Err(Refusal::bad(format!("parameter verification failed - {one}"))),
            several => {
                let mut text = "parameter verification failed:".to_owned();
                for one in several {
                    // Writing into a string cannot fail.
                    let _ = write!(text, "\n- {one}");
                }
                Err(Refusal::bad(text))
            }
        }
    }
}

fn complaint(kind: Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Text => None,
        Kind::Number(least) => match value.parse::<i64>() {
            Err(_) => Some("Expected integer value.".to_owned()),
            Ok(number) if number < least => Some(format!(
                "value must have a minimum value of {least} (got {number})"
            )),
            Ok(_) => None,
        },
        Kind::Flag => boolean(value)
            .is_none()
            .then(|| "Unable to parse boolean option.".to_owned()),
        Kind::Word(words) => {
            (!words.contains(&value)).then(|| format!("value '{value}' is not defined in the enumeration."))
        }
        Kind::Namespace => {
            let part = |part: &str| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
                    && !part.starts_with(['-', '.'])
            };
            let fits = value.is_empty() || (value.split('/').count() <= 8 && value.split('/').all(part));
            (!fits).then(|| "value does not match the regex pattern".to_owned())
        }
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// Takes the percent signs and plus signs out.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push((high << 4 | low) as u8);
                        rest = ahead;
                    }
                    _ => bytes.push(byte),
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
