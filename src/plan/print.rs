//! A plan as text: for people, for programs, and as commands that do the same by hand.
//!
//! What always holds here: every word that is not plain is quoted for a shell, and neither credential nor secret is in
//! the lines: who runs them brings a credential, and each secret in a file that a variable names (`PVEDECK_CIPASSWORD_FILE`).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Plan, Weight};
use crate::domain::Method;

/// For people: steps, then risks. Foreign text in it is not yet made harmless.
pub fn text(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.title);
    for (index, step) in plan.steps.iter().enumerate() {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {} {} ({})", index + 1, step.call, step.cluster);
    }
    for risk in &plan.risks {
        let _ = writeln!(text, "  {}: {}", word(risk.weight), risk.text);
    }
    text
}

/// For programs.
pub fn json(plan: &Plan) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let params: serde_json::Map<String, Value> = step
                .call
                .params
                .iter()
                .map(|(name, value)| (name.to_string(), json!(value)))
                // That there is a secret is no secret.
                .chain(
                    step.call
                        .secrets
                        .iter()
                        .map(|(name, _)| (name.to_string(), Value::Null)),
                )
                .collect();
            json!({
                "cluster": step.cluster,
                "title": step.title,
                "method": step.call.method,
                "path": step.call.path(),
                "params": params,
            })
        })
        .collect();
    json!({
        "action": plan.deed,
        "title": plan.title,
        "confirmation": plan.danger,
        "steps": steps,
        "risks": plan.risks,
    })
}

/// As a script to read and to choose from: what it is about as comments, then both kinds of lines. Every line is a
/// comment until somebody takes the mark away: nobody runs it by mistake.
pub fn script(plan: &Plan) -> String {
    let mut script = String::from("#!/bin/sh\n");
    for line in text(plan).lines() {
        let _ = writeln!(script, "# {line}");
    }
    let parts = [
        ("as root on a node", pvesh(plan)),
        (
            "from anywhere, with PVEDECK_URL, PVEDECK_TOKEN and PVEDECK_CA_FILE set",
            curl(plan),
        ),
    ];
    for (how, lines) in parts {
        let _ = writeln!(script, "\n# {how}:");
        for line in lines.lines() {
            let _ = writeln!(script, "#{line}");
        }
    }
    script
}

/// As lines for a shell of root on a node.
pub fn pvesh(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let verb = match step.call.method {
            Method::Post => "create",
            Method::Put => "set",
            Method::Delete => "delete",
        };
        // pvesh takes the path as it is, not encoded.
        let path: String = step.call.segments.iter().flat_map(|part| ["/", part]).collect();
        let _ = write!(text, "pvesh {verb} {}", quoted(&path));
        for (name, value) in &step.call.params {
            let _ = write!(text, " --{name} {}", quoted(value));
        }
        for (name, _) in &step.call.secrets {
            let _ = write!(text, " --{name} \"$(cat \"${}\")\"", file_of(name));
        }
        text.push('\n');
    }
    text
}

/// As lines that take address, token and CA from the environment of `pvedeck` itself.
pub fn curl(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let method = step.call.method.as_str();
        let _ = write!(
            text,
            "curl --fail-with-body --cacert \"$PVEDECK_CA_FILE\" \
             --header \"Authorization: PVEAPIToken=$PVEDECK_TOKEN\" --request {method} \"$PVEDECK_URL\"{}",
            quoted(&step.call.target())
        );
        if step.call.method != Method::Delete {
            for (name, value) in &step.call.params {
                let _ = write!(text, " --data-urlencode {}", quoted(&format!("{name}={value}")));
            }
            for (name, _) in &step.call.secrets {
                let _ = write!(text, " --data-urlencode {name}@\"${}\"", file_of(name));
            }
        }
        text.push('\n');
    }
    text
}

fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Danger => "danger",
    }
}

/// The variable that names the file with a secret.
fn file_of(name: &str) -> String {
    format!("PVEDECK_{}_FILE", name.to_ascii_uppercase().replace('-', "_"))
}

/// A value that a shell takes as one word.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}
