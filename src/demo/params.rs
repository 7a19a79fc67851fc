//! The parameters of one call: decoded from query, form or JSON, and checked against the table.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    answer::Failure,
    table::{Kind, Method, Parameter},
};

/// What separates the values of an array.
const NEXT: char = '\0';

/// Parameters by name, as text, in the last spelling that was given.
#[derive(Clone, Default, Debug)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// A name that comes again makes a list of its values.
    fn add(&mut self, name: String, value: String) {
        match self.0.get_mut(&name) {
            Some(list) => {
                list.push(NEXT);
                list.push_str(&value);
            }
            None => {
                self.0.insert(name, value);
            }
        }
    }

    /// Adds what a query or a form holds.
    pub(super) fn add_form(&mut self, text: &str) {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.add(decode(name, true), decode(value, true));
        }
    }

    /// Adds the members of a JSON object.
    pub(super) fn add_json(&mut self, text: &str) -> Result<(), Failure> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(Failure::plain(
                500,
                "malformed JSON string, neither tag, array, object, number, string or atom",
            ));
        };
        for (name, value) in members {
            let text = match value {
                Value::String(text) => text,
                Value::Bool(yes) => u8::from(yes).to_string(),
                Value::Null => continue,
                Value::Array(members) => {
                    let texts = members.into_iter().map(|member| match member {
                        Value::String(text) => text,
                        other => other.to_string(),
                    });
                    texts.collect::<Vec<_>>().join(&NEXT.to_string())
                }
                other => other.to_string(),
            };
            self.0.insert(name, text);
        }
        Ok(())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A required text; the table has already seen to its being there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(truth)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Checks all against what the method accepts.
    pub(super) fn check(&self, method: &Method) -> Result<(), Failure> {
        let mut errors = Vec::new();
        for (name, value) in self.iter() {
            match method.parameter(name) {
                None => errors.push((
                    name.to_owned(),
                    "property is not defined in schema and the schema does not allow additional properties"
                        .to_owned(),
                )),
                Some(parameter) if parameter.kind == Kind::Array => {
                    for (index, item) in value.split(NEXT).enumerate() {
                        if parameter.whole && item.parse::<i64>().is_err() {
                            let text = format!("type check ('integer') failed - got '{item}'");
                            errors.push((format!("{name}[{index}]"), text));
                        }
                    }
                }
                Some(parameter) => {
                    if let Some(text) = complaint(parameter, value) {
                        errors.push((name.to_owned(), text));
                    }
                }
            }
        }
        for parameter in &method.parameters {
            if !parameter.optional && !parameter.indexed && self.get(&parameter.name).is_none() {
                errors.push((
                    parameter.name.clone(),
                    "property is missing and it is not optional".to_owned(),
                ));
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Failure::parameters(errors))
        }
    }
}

/// The values of an array.
pub(super) fn members(list: &str) -> impl Iterator<Item = &str> {
    list.split(NEXT)
}

fn truth(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "on" | "yes" | "true")
}

fn is_boolean(value: &str) -> bool {
    truth(value) || matches!(value.to_ascii_lowercase().as_str(), "0" | "off" | "no" | "false")
}

/// What is wrong with a value, in the server's words.
fn complaint(parameter: &Parameter, value: &str) -> Option<String> {
    let number = match parameter.kind {
        Kind::Integer => match value.parse::<i64>() {
            Ok(number) => Some(number as f64),
            Err(_) => return Some(format!("type check ('integer') failed - got '{value}'")),
        },
        Kind::Number => match value.parse::<f64>() {
            Ok(number) => Some(number),
            Err(_) => return Some(format!("type check ('number') failed - got '{value}'")),
        },
        Kind::Boolean if !is_boolean(value) => {
            return Some(format!("type check ('boolean') failed - got '{value}'"));
        }
        _ => None,
    };
    if let Some(text) = format_complaint(&parameter.format, value) {
        return Some(format!("invalid format - {text}\n"));
    }
    if let Some(number) = number {
        if let Some(min) = parameter.min.filter(|min| number < *min) {
            return Some(format!("value must have a minimum value of {min}"));
        }
        if let Some(max) = parameter.max.filter(|max| number > *max) {
            return Some(format!("value must have a maximum value of {max}"));
        }
    }
    if let Some(longest) = parameter.longest.filter(|longest| value.len() > *longest) {
        return Some(format!("value may only be {longest} characters long"));
    }
    if !parameter.values.is_empty() && !parameter.values.iter().any(|known| known == value) {
        return Some(format!(
            "value '{value}' does not have a value in the enumeration '{}'",
            parameter.values.join(", ")
        ));
    }
    if parameter.name == "size" && !is_size(value) {
        return Some("value does not match the regex pattern".to_owned());
    }
    (parameter.name == "memory" && parameter.kind == Kind::Text && value.parse::<u64>().is_err()).then(|| {
        format!(
            "invalid format - format error\nmemory.current: type check ('integer') failed - got '{value}'\n"
        )
    })
}

fn format_complaint(format: &str, value: &str) -> Option<String> {
    match format {
        "pve-vmid" => (!value.parse::<u32>().is_ok_and(|id| id >= 100))
            .then(|| "value does not look like a valid VM ID".to_owned()),
        "urlencoded" => (!value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-%_.!~*'()".contains(c)))
        .then(|| format!("invalid urlencoded string: {value}")),
        "pve-configid" => (!is_config_id(value)).then(|| format!("invalid configuration ID '{value}'")),
        "pve-node" => (!is_name(value)).then(|| "value does not look like a valid node name".to_owned()),
        "dns-name" => (value.is_empty() || !value.split('.').all(is_name))
            .then(|| "value does not look like a valid DNS name".to_owned()),
        "pve-tag-list" => (!tags(value).all(|tag| {
            tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && tag
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c))
        }))
        .then(|| "invalid characters in tag".to_owned()),
        "pve-storage-content" => {
            const KNOWN: [&str; 8] = [
                "images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none",
            ];
            (!KNOWN.contains(&value)).then(|| format!("invalid content type '{value}'"))
        }
        "pve-task-status-type-list" => value
            .split([',', ';', ' '])
            .find(|status| {
                !["ok", "error", "warning", "unknown"].contains(&status.to_ascii_lowercase().as_str())
            })
            .map(|status| format!("invalid status '{status}'")),
        _ => None,
    }
}

/// The tags of a list as a user writes it.
pub(super) fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ';'])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
}

fn is_name(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with('-')
        && !value.ends_with('-')
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_config_id(value: &str) -> bool {
    value.len() >= 2
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_size(value: &str) -> bool {
    let value = value.strip_prefix('+').unwrap_or(value);
    let digits = value.trim_end_matches(['K', 'M', 'G', 'T']);
    value.len() - digits.len() <= 1
        && digits.parse::<f64>().is_ok_and(|size| size >= 0.0)
        && !digits.starts_with('-')
}

/// Undoes percent encoding; `plus` also turns `+` into a space, as forms do.
pub(super) fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) if plus => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::table::Table;

    fn errors(verb: &str, path: &str, form: &str) -> String {
        let (method, _) = Table::get().find(verb, path).expect("known path");
        let mut params = Params::default();
        params.add_form(form);
        params
            .check(method)
            .map_err(|failure| failure.body().0)
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn bad_parameters_are_named_in_the_servers_words() {
        let cases = [
            ("GET", "/version", "foo=1", "property is not defined in schema"),
            (
                "GET",
                "/cluster/nextid",
                "vmid=abc",
                "type check ('integer') failed - got 'abc'",
            ),
            (
                "POST",
                "/nodes/n/qemu",
                "vmid=99",
                "value does not look like a valid VM ID",
            ),
            (
                "POST",
                "/nodes/n/qemu",
                "",
                "property is missing and it is not optional",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/config",
                "cores=0",
                "value must have a minimum value of 1",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/config",
                "memory=lots",
                "memory.current: type check",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/config",
                "tags=a%20b%2C$$",
                "invalid characters in tag",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/config",
                "name=bad%20name!",
                "valid DNS name",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/config",
                "onboot=maybe",
                "type check ('boolean')",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/resize",
                "disk=foo0&size=1G",
                "does not have a value in the enumeration 'ide0",
            ),
            (
                "PUT",
                "/nodes/n/qemu/1/resize",
                "disk=scsi0&size=big",
                "does not match the regex pattern",
            ),
            (
                "POST",
                "/nodes/n/qemu/1/snapshot",
                "snapname=1one",
                "invalid configuration ID '1one'",
            ),
            (
                "GET",
                "/nodes/n/tasks",
                "statusfilter=zzz",
                "invalid status 'zzz'",
            ),
            (
                "GET",
                "/nodes/n/storage/s/content",
                "content=foo",
                "invalid content type 'foo'",
            ),
        ];
        for (verb, path, form, expected) in cases {
            let said = errors(verb, path, form);
            assert!(said.contains(expected), "{verb} {path} {form}: {said}");
        }
        assert_eq!(
            errors("PUT", "/nodes/n/qemu/1/config", "net0=virtio&cores=2&tags=a;b"),
            ""
        );
    }

    #[test]
    fn forms_are_decoded() {
        let mut params = Params::default();
        params.add_form("a=1+2%2B%e4%b8%ad&b");
        assert_eq!(params.get("a"), Some("1 2+中"));
        assert_eq!(params.get("b"), Some(""));
    }
}
