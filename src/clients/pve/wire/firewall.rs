//! Firewall options and rules; cluster, node and guest have the same shape.

use serde::Deserialize;

use super::{
    Broken, Envelope,
    lenient::{Flag, Text},
    said,
};

/// The switch and the default policies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whether it is switched on. Not set means off to Proxmox.
    pub enabled: bool,
    /// What happens to what comes in, where set.
    pub policy_in: Option<Box<str>>,
    /// What happens to what goes out, where set.
    pub policy_out: Option<Box<str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OptionsRow<'a> {
    enable: Flag,
    #[serde(borrow)]
    policy_in: Text<'a>,
    #[serde(borrow)]
    policy_out: Text<'a>,
}

pub(in super::super) fn options(envelope: &Envelope<'_>) -> Result<Options, Broken> {
    let row: OptionsRow<'_> = envelope.object()?;
    Ok(Options {
        enabled: row.enable.yes(),
        policy_in: said(row.policy_in),
        policy_out: said(row.policy_out),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rule<'a> {
    enable: Flag,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    r#macro: Text<'a>,
    #[serde(borrow)]
    proto: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    sport: Text<'a>,
    #[serde(borrow)]
    dest: Text<'a>,
    #[serde(borrow)]
    dport: Text<'a>,
    #[serde(borrow)]
    iface: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
}

impl Rule<'_> {
    /// `in ACCEPT tcp dport 22 from +mgmt`.
    fn line(&self) -> Box<str> {
        let mut line = String::new();
        if self.enable.0 == Some(false) {
            line.push_str("(off)");
        }
        let words = [
            ("", &self.r#type),
            ("", &self.action),
            ("", &self.r#macro),
            ("", &self.proto),
            ("sport ", &self.sport),
            ("dport ", &self.dport),
            ("from ", &self.source),
            ("to ", &self.dest),
            ("on ", &self.iface),
            ("# ", &self.comment),
        ];
        for (name, value) in words {
            let value = value.as_str();
            if !value.is_empty() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(name);
                line.push_str(value);
            }
        }
        line.into()
    }
}

pub(in super::super) fn rules(envelope: &Envelope<'_>) -> Result<Vec<Box<str>>, Broken> {
    envelope.list(|rule: Rule<'_>| Some(rule.line()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn rules_become_lines() {
        let body = r#"{"data":[
            {"pos":0,"type":"in","action":"ACCEPT","proto":"tcp","dport":22,"source":"+mgmt","enable":1,"comment":"ssh"},
            {"pos":1,"type":"group","action":"web","iface":"net0","enable":"0"}, 7]}"#;
        let lines = rules(&envelope(body).unwrap()).unwrap();
        let expected: [Box<str>; 2] = [
            "in ACCEPT tcp dport 22 from +mgmt # ssh".into(),
            "(off) group web on net0".into(),
        ];
        assert_eq!(lines, expected);
        let options = options(&envelope(r#"{"data":{"enable":"1","policy_in":"DROP"}}"#).unwrap()).unwrap();
        assert!(options.enabled);
        assert_eq!(options.policy_in.as_deref(), Some("DROP"));
    }
}
