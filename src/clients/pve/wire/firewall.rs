//! Firewall options and rules; cluster, node and guest have the same shape.

use serde::Deserialize;

use super::{
    Broken, Envelope,
    lenient::{Flag, Int, Text},
    said,
};
use crate::domain::cluster::{FirewallGroup, FirewallRule};

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
    pos: Int,
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
    #[serde(borrow, rename = "icmp-type")]
    icmp_type: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
    #[serde(borrow)]
    digest: Text<'a>,
}

fn rule(row: Rule<'_>) -> FirewallRule {
    let demands = [
        ("macro", row.r#macro),
        ("proto", row.proto),
        ("source", row.source),
        ("sport", row.sport),
        ("dest", row.dest),
        ("dport", row.dport),
        ("iface", row.iface),
        ("icmp-type", row.icmp_type),
    ];
    FirewallRule {
        pos: row.pos.u32(),
        kind: said(row.r#type).unwrap_or_default(),
        action: said(row.action).unwrap_or_default(),
        enabled: row.enable.0 != Some(false),
        demands: demands
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), said(value)?)))
            .collect(),
        comment: said(row.comment),
        digest: said(row.digest),
    }
}

pub(in super::super) fn rules(envelope: &Envelope<'_>) -> Result<Vec<FirewallRule>, Broken> {
    envelope.list(|row: Rule<'_>| Some(rule(row)))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupRow<'a> {
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
}

/// `/cluster/firewall/groups`: names and comments.
pub(in super::super) fn groups(envelope: &Envelope<'_>) -> Result<Vec<FirewallGroup>, Broken> {
    envelope.list(|row: GroupRow<'_>| {
        Some(FirewallGroup {
            name: said(row.group)?,
            comment: said(row.comment),
            rules: None,
        })
    })
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
        let rules = rules(&envelope(body).unwrap()).unwrap();
        let lines: Vec<String> = rules.iter().map(FirewallRule::line).collect();
        assert_eq!(
            lines,
            [
                "in ACCEPT tcp dport 22 from +mgmt # ssh",
                "(off) group web on net0"
            ]
        );
        assert_eq!((rules[1].pos, rules[1].demand("iface")), (Some(1), Some("net0")));
        let options = options(&envelope(r#"{"data":{"enable":"1","policy_in":"DROP"}}"#).unwrap()).unwrap();
        assert!(options.enabled);
        assert_eq!(options.policy_in.as_deref(), Some("DROP"));
    }
}
