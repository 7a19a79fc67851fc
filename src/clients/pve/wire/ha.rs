//! HA rules, groups and resources.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    Broken, Envelope,
    lenient::{Flag, Text},
    said,
};
use crate::domain::{
    NodeName, Vmid,
    ha::{GuestAffinity, HaRules, NodeAffinity},
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct RuleRow<'a> {
    #[serde(borrow)]
    rule: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    resources: Text<'a>,
    #[serde(borrow)]
    nodes: Text<'a>,
    #[serde(borrow)]
    affinity: Text<'a>,
    strict: Flag,
    disable: Flag,
}

/// `/cluster/ha/rules`.
pub(in super::super) fn rules(envelope: &Envelope<'_>) -> Result<HaRules, Broken> {
    let mut rules = HaRules::default();
    for row in envelope.list(|row: RuleRow<'_>| Some(row))? {
        if row.disable.yes() {
            continue;
        }
        let guests = guests(row.resources.as_str());
        let name = said(row.rule).unwrap_or_default();
        match row.r#type.as_str() {
            "node-affinity" => rules.nodes.push(NodeAffinity {
                name,
                guests,
                nodes: nodes(row.nodes.as_str()),
                strict: row.strict.yes(),
            }),
            "resource-affinity" => rules.guests.push(GuestAffinity {
                name,
                guests,
                together: row.affinity.as_str() == "positive",
            }),
            _ => {}
        }
    }
    Ok(rules)
}

/// One group of 8.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Its name.
    pub name: Box<str>,
    /// Nodes with priorities.
    pub nodes: Vec<(NodeName, u32)>,
    /// Whether its guests may be nowhere else.
    pub restricted: bool,
    /// Whether they stay although a node that they prefer is there again.
    pub stays: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupRow<'a> {
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    nodes: Text<'a>,
    restricted: Flag,
    nofailback: Flag,
}

/// `/cluster/ha/groups`.
pub(in super::super) fn groups(envelope: &Envelope<'_>) -> Result<Vec<Group>, Broken> {
    envelope.list(|row: GroupRow<'_>| {
        Some(Group {
            nodes: nodes(row.nodes.as_str()),
            restricted: row.restricted.yes(),
            stays: row.nofailback.yes(),
            name: said(row.group)?,
        })
    })
}

/// What HA manages one guest by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resource {
    /// The guest.
    pub vmid: Vmid,
    /// Its group (8).
    pub group: Option<Box<str>>,
    /// Whether it stays although a node that it prefers is there again (9).
    pub stays: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResourceRow<'a> {
    #[serde(borrow)]
    sid: Text<'a>,
    #[serde(borrow)]
    group: Text<'a>,
    failback: Flag,
}

/// `/cluster/ha/resources`.
pub(in super::super) fn resources(envelope: &Envelope<'_>) -> Result<Vec<Resource>, Broken> {
    envelope.list(|row: ResourceRow<'_>| {
        Some(Resource {
            vmid: vmid(row.sid.as_str())?,
            group: said(row.group),
            // Not set, it is on.
            stays: row.failback.0 == Some(false),
        })
    })
}

/// What groups and resources of 8 say, in the words of 9.
pub(in super::super) fn from_groups(groups: Vec<Group>, resources: &[Resource]) -> HaRules {
    let mut rules = HaRules::default();
    for group in groups {
        let guests: BTreeSet<Vmid> = resources
            .iter()
            .filter(|resource| resource.group.as_ref() == Some(&group.name))
            .map(|resource| resource.vmid)
            .collect();
        if group.stays {
            rules.stays.extend(&guests);
        }
        rules.nodes.push(NodeAffinity {
            name: group.name,
            guests,
            nodes: group.nodes,
            strict: group.restricted,
        });
    }
    rules
}

/// `vm:104` or `ct:105`.
fn vmid(sid: &str) -> Option<Vmid> {
    sid.split_once(':')?.1.trim().parse().ok()
}

fn guests(list: &str) -> BTreeSet<Vmid> {
    list.split(',').filter_map(vmid).collect()
}

/// `pve1:2,pve3`: nodes with priorities; not set, it is 0.
fn nodes(list: &str) -> Vec<(NodeName, u32)> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, priority) = part.split_once(':').unwrap_or((part, "0"));
            (NodeName::from(name), priority.parse().unwrap_or(0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn rules_of_a_real_server() {
        let body = r#"{"data":[
            {"nodes":"pve1:2,pve3","resources":"vm:300,ct:301","rule":"r1","order":1,"strict":1,"type":"node-affinity"},
            {"resources":"vm:300,vm:302","rule":"r2","affinity":"negative","type":"resource-affinity"},
            {"resources":"vm:300,vm:303","rule":"r3","affinity":"positive","type":"resource-affinity","disable":1}, 7]}"#;
        let rules = rules(&envelope(body).unwrap()).unwrap();
        assert_eq!(rules.nodes[0].nodes, [("pve1".into(), 2), ("pve3".into(), 0)]);
        assert_eq!(rules.nodes[0].guests, BTreeSet::from([Vmid(300), Vmid(301)]));
        assert!(rules.nodes[0].strict);
        assert_eq!(rules.guests.len(), 1, "what is switched off is left out");
        assert!(!rules.guests[0].together);
    }

    #[test]
    fn groups_say_the_same() {
        let groups = groups(
            &envelope(r#"{"data":[{"group":"east","nodes":"pve1,pve2:1","restricted":1,"nofailback":1}]}"#)
                .unwrap(),
        );
        let body = r#"{"data":[{"sid":"vm:104","group":"east"},{"sid":"ct:105"},{"sid":"odd"}]}"#;
        let resources = resources(&envelope(body).unwrap()).unwrap();
        let rules = from_groups(groups.unwrap(), &resources);
        assert_eq!(rules.stays, BTreeSet::from([Vmid(104)]));
        assert!(rules.nodes[0].strict);
        assert_eq!(rules.nodes[0].guests, BTreeSet::from([Vmid(104)]));
    }
}
