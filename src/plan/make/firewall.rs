//! A guest's firewall: its switch, security groups, and ports that are opened and closed.
//!
//! What is as wanted already is not done again. What is removed is removed by its position together with the digest of
//! the list: where somebody changed the list meanwhile, the server refuses.

use super::{
    super::{Arguments, Deed, Proof, Refusal, Risk, Weight, calls},
    Back, Draft,
    guest::On,
};
use crate::{
    domain::{
        Call, Method,
        cluster::{Firewall, FirewallRule},
    },
    store::Cluster,
};

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let Some(firewall) = on.task.store().guest_firewall(on.guest_ref) else {
        return Err(
            on.not_possible("has a firewall that could not be read: what is in it already is not known")
        );
    };
    let deed = on.task.deed;
    let mut draft = match deed {
        Deed::FirewallEnable | Deed::FirewallDisable => switch(on, firewall),
        Deed::FirewallGroupAttach => attach(on, firewall)?,
        Deed::FirewallGroupDetach => remove(on, firewall, &group(on))?,
        Deed::FirewallOpen => add(on, firewall, &port(on)?)?,
        _ => remove(on, firewall, &port(on)?)?,
    };
    draft.title = Some(match deed {
        Deed::FirewallEnable | Deed::FirewallDisable => on.title.clone(),
        Deed::FirewallGroupAttach | Deed::FirewallGroupDetach => {
            format!("{} {}", on.task.argument("group"), on.title)
        }
        _ => format!("{}/{} {}", on.task.argument("port"), proto(on), on.title),
    });
    if matches!(deed, Deed::FirewallGroupAttach | Deed::FirewallOpen) {
        draft.risks.extend(without_effect(on, firewall));
    }
    let back = match deed {
        Deed::FirewallEnable => Deed::FirewallDisable,
        Deed::FirewallDisable => Deed::FirewallEnable,
        Deed::FirewallGroupAttach => Deed::FirewallGroupDetach,
        Deed::FirewallGroupDetach => Deed::FirewallGroupAttach,
        Deed::FirewallOpen => Deed::FirewallClose,
        _ => Deed::FirewallOpen,
    };
    if !draft.steps.is_empty() {
        let known = |name: &str| back.row().arguments.iter().any(|argument| argument.name == name);
        let given = on.task.given.iter().filter(|(name, _)| known(name));
        let given: Arguments = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        draft.back = Some(Back {
            deed: back,
            arguments: given,
        });
    }
    Ok(draft)
}

fn proto<'a>(on: &On<'a>) -> &'a str {
    match on.task.argument("proto") {
        "" => "tcp",
        proto => proto,
    }
}

/// What a rule says, apart from its place, its comment and whether it is switched on.
type Fields = Vec<(Box<str>, Box<str>)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn group(on: &On<'_>) -> Fields {
    let group = on.task.argument("group");
    fields(&[
        ("type", "group"),
        ("action", group),
        ("iface", on.task.argument("iface")),
    ])
}

fn port(on: &On<'_>) -> Result<Fields, Refusal> {
    let port = on.task.argument("port");
    if !ports_fit(port) {
        return Err(Refusal::Argument(format!(
            "`port` is a port, a range or several: 22, 8000:8010, 80,443; not `{port}`"
        )));
    }
    let source = on.task.argument("source");
    if source.contains(char::is_whitespace) {
        return Err(Refusal::Argument(format!(
            "`source` is an address, a network, an alias or an IP set, without spaces; not `{source}`"
        )));
    }
    let rule = [
        ("type", "in"),
        ("action", "ACCEPT"),
        ("proto", proto(on)),
        ("source", source),
        ("dport", port),
    ];
    Ok(fields(&rule))
}

/// `22`, `8000:8010`, `80,443`.
fn ports_fit(text: &str) -> bool {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
    };
    text.split(',').all(|part| match part.split_once(':') {
        Some((first, last)) => number(first)
            .zip(number(last))
            .is_some_and(|(first, last)| first < last),
        None => number(part).is_some_and(|port| port > 0),
    })
}

/// Whether a rule says exactly this, and demands nothing more.
fn says(rule: &FirewallRule, wanted: &Fields) -> bool {
    let own = rule.demands.len() + 2;
    let same = |(name, value): &(Box<str>, Box<str>)| match &**name {
        "type" => rule.kind == *value,
        "action" => rule.action == *value,
        name => rule.demand(name) == Some(&**value),
    };
    own == wanted.len() && wanted.iter().all(same)
}

fn call_for(on: &On<'_>, rest: &[&str], method: Method) -> Call {
    calls::firewall(on.at(), method, rest)
}

fn listed(on: &On<'_>, fields: &Fields, enabled: bool, present: bool) -> Proof {
    let mut row = fields.clone();
    if enabled {
        row.push(("enable".into(), "1".into()));
    }
    Proof::Listed {
        read: call_for(on, &["rules"], Method::Post).segments,
        row,
        present,
    }
}

fn nothing(text: String) -> Draft {
    Draft {
        risks: vec![Risk::new(Weight::Note, text)],
        ..Draft::default()
    }
}

fn line(fields: &Fields) -> String {
    let mut rule = FirewallRule {
        enabled: true,
        ..FirewallRule::default()
    };
    for (name, value) in fields {
        match &**name {
            "type" => rule.kind.clone_from(value),
            "action" => rule.action.clone_from(value),
            _ => rule.demands.push((name.clone(), value.clone())),
        }
    }
    rule.line()
}

fn attach(on: &On<'_>, firewall: &Firewall) -> Result<Draft, Refusal> {
    let name = on.task.argument("group");
    let cluster = on.task.store().cluster(&on.guest_ref.cluster);
    let Some(groups) = cluster.and_then(Cluster::firewall_groups) else {
        return add(on, firewall, &group(on));
    };
    let Some(known) = groups.iter().find(|known| &*known.name == name) else {
        let names: Vec<&str> = groups.iter().map(|known| &*known.name).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(Refusal::NotFound(format!(
            "there is no security group `{name}`; there are: {names}"
        )));
    };
    let mut draft = add(on, firewall, &group(on))?;
    if let Some(rules) = known.rules.as_ref().filter(|_| !draft.steps.is_empty()) {
        let lines: Vec<String> = rules.iter().map(FirewallRule::line).collect();
        let text = if lines.is_empty() {
            format!("the group {name} has no rules")
        } else {
            format!("the group {name} says: {}", lines.join("; "))
        };
        draft.risks.push(Risk::new(Weight::Note, text));
    }
    Ok(draft)
}

/// A rule that is to be there, switched on. The server puts a new one before all others.
fn add(on: &On<'_>, firewall: &Firewall, wanted: &Fields) -> Result<Draft, Refusal> {
    let same = || firewall.rules.iter().filter(|rule| says(rule, wanted));
    let there = same().find(|rule| rule.enabled).or_else(|| same().next());
    let title = format!("{}: {}", on.title, line(wanted));
    let call = match there {
        Some(rule) if rule.enabled => {
            return Ok(nothing(format!(
                "{} has this rule already: {}",
                on.title,
                line(wanted)
            )));
        }
        Some(rule) => placed(on, rule, Method::Put)?.with("enable", "1"),
        None => {
            let call = call_for(on, &["rules"], Method::Post).with("enable", "1");
            let call = wanted
                .iter()
                .fold(call, |call, (name, value)| call.with(name, value));
            match on.task.argument("comment") {
                "" => call,
                comment => call.with("comment", comment),
            }
        }
    };
    Ok(Draft {
        steps: vec![on.task.step(&title, call, listed(on, wanted, true, true))],
        ..Draft::default()
    })
}

fn remove(on: &On<'_>, firewall: &Firewall, wanted: &Fields) -> Result<Draft, Refusal> {
    let mut matching = firewall.rules.iter().filter(|rule| says(rule, wanted));
    let Some(rule) = matching.next() else {
        return Ok(nothing(format!(
            "{} has no such rule: {}",
            on.title,
            line(wanted)
        )));
    };
    let mut risks = Vec::new();
    // With the first one the positions and the digest of the others change.
    let more = matching.count();
    if more > 0 {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "{} has the rule {} times: one goes now, do it again for the rest",
                on.title,
                more + 1
            ),
        ));
    }
    let call = placed(on, rule, Method::Delete)?;
    let proof = if more > 0 {
        Proof::Nothing
    } else {
        listed(on, wanted, false, false)
    };
    let title = format!("{}: {}", on.title, line(wanted));
    Ok(Draft {
        steps: vec![on.task.step(&title, call, proof)],
        risks,
        ..Draft::default()
    })
}

/// A call to a rule that is there: by its place, and only as long as the list is the one that was read.
fn placed(on: &On<'_>, rule: &FirewallRule, method: Method) -> Result<Call, Refusal> {
    let (Some(pos), Some(digest)) = (rule.pos, &rule.digest) else {
        return Err(on.not_possible("has rules without place and digest: which one is meant is not certain"));
    };
    Ok(call_for(on, &["rules", &pos.to_string()], method).with("digest", digest))
}

fn switch(on: &On<'_>, firewall: &Firewall) -> Draft {
    let enable = on.task.deed == Deed::FirewallEnable;
    let word = if enable { "on" } else { "off" };
    if firewall.enabled == Some(enable) {
        return nothing(format!("the firewall of {} is {word} already", on.title));
    }
    let value = if enable { "1" } else { "0" };
    let call = call_for(on, &["options"], Method::Put).with("enable", value);
    let proof = Proof::Holds {
        read: call.segments.clone(),
        values: vec![("enable".into(), Some(value.into()))],
    };
    let mut risks = Vec::new();
    if enable {
        // Not set, what comes in is dropped.
        let policy = firewall.policy_in.as_deref().unwrap_or("DROP");
        if policy != "ACCEPT" {
            let rules = firewall
                .rules
                .iter()
                .filter(|rule| rule.enabled && &*rule.kind != "out")
                .count();
            risks.push(Risk::new(
                if rules == 0 { Weight::Danger } else { Weight::Warning },
                format!(
                    "what comes in to {} and that none of its {rules} rules lets in is lost ({policy}), connections \
                     that are open now among it",
                    on.title
                ),
            ));
        }
        risks.extend(beyond(on));
    } else {
        risks.push(Risk::new(
            Weight::Warning,
            format!("everything gets in to {}", on.title),
        ));
    }
    Draft {
        steps: vec![
            on.task
                .step(&format!("{}: firewall {word}", on.title), call, proof),
        ],
        risks,
        ..Draft::default()
    }
}

/// Why a new rule would change nothing.
fn without_effect(on: &On<'_>, firewall: &Firewall) -> Vec<Risk> {
    let mut risks = beyond(on);
    let mut warn = |text: String| risks.push(Risk::new(Weight::Warning, text));
    if firewall.enabled == Some(false) {
        warn(format!(
            "the firewall of {} is off: its rules have no effect",
            on.title
        ));
    }
    if firewall.policy_in.as_deref() == Some("ACCEPT") && on.task.deed == Deed::FirewallOpen {
        warn(format!(
            "{} lets everything in anyway (policy_in is ACCEPT)",
            on.title
        ));
    }
    risks
}

/// What beyond a guest's own firewall takes the effect from it.
fn beyond(on: &On<'_>) -> Vec<Risk> {
    let mut risks = Vec::new();
    let store = on.task.store();
    let cluster = store.cluster(&on.guest_ref.cluster).and_then(Cluster::firewall);
    if cluster.is_some_and(|firewall| firewall.enabled == Some(false)) {
        let text = "the firewall of the datacenter is off: no rule of any guest has an effect";
        risks.push(Risk::new(Weight::Warning, text));
    }
    let Some(config) = store.guest_config(on.guest_ref) else {
        return risks;
    };
    let open: Vec<&str> = config
        .nics()
        .iter()
        .filter(|nic| !nic.firewall)
        .map(|nic| nic.key)
        .collect();
    if !open.is_empty() {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "nothing filters {} of {}: `firewall=1` is missing there",
                open.join(", "),
                on.title
            ),
        ));
    }
    risks
}
