//! Whether a firewall rule makes sense, in the words of the real checks.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::firewall::Place;
use crate::demo::{
    answer::Failure,
    world::firewall::{Firewall, FirewallRule, Scope},
};

/// What a rule may say.
pub(super) const PROPERTIES: &[&str] = &[
    "action",
    "comment",
    "dest",
    "dport",
    "enable",
    "icmp-type",
    "iface",
    "log",
    "macro",
    "proto",
    "source",
    "sport",
    "type",
];

const MACROS: &[(&str, &str)] = &[
    (
        "Ceph",
        "Ceph Storage Cluster traffic (Ceph Monitors, OSD & MDS Daemons)",
    ),
    ("DHCPfwd", "Forwarded DHCP traffic"),
    ("DNS", "Domain Name System traffic (upd and tcp)"),
    ("FTP", "File Transfer Protocol"),
    ("HTTP", "Hypertext Transfer Protocol (WWW)"),
    ("HTTPS", "Hypertext Transfer Protocol (WWW) over SSL"),
    ("IMAP", "Internet Message Access Protocol"),
    ("IMAPS", "Internet Message Access Protocol over SSL"),
    ("LDAP", "Lightweight Directory Access Protocol traffic"),
    ("Mail", "Mail traffic (SMTP, SMTPS, Submission)"),
    ("MySQL", "MySQL server"),
    ("NTP", "Network Time Protocol (ntpd)"),
    ("Ping", "ICMP echo request"),
    ("PostgreSQL", "PostgreSQL server"),
    ("RDP", "Microsoft Remote Desktop Protocol traffic"),
    ("SMB", "Microsoft SMB traffic"),
    ("SMTP", "Simple Mail Transfer Protocol"),
    ("SNMP", "Simple Network Management Protocol"),
    ("SSH", "Secure shell traffic"),
    ("Squid", "Squid web proxy traffic"),
    ("Syslog", "Syslog protocol (RFC 5424) traffic"),
    ("TFTP", "Trivial File Transfer Protocol traffic"),
    ("VNC", "VNC traffic for VNC display's 0 - 99"),
    ("Web", "WWW traffic (HTTP and HTTPS)"),
];

/// `GET /cluster/firewall/macros`.
pub(super) fn macros() -> Value {
    MACROS
        .iter()
        .map(|(name, text)| json!({"macro": name, "descr": text}))
        .collect()
}

/// Checks a rule as it would be kept.
pub(super) fn verify(
    rule: &FirewallRule,
    place: &Place,
    cluster: &Firewall,
    own: &Firewall,
) -> Result<(), Failure> {
    let wrong = |name: &str, text: String| Err(Failure::parameter(name, text));
    let get = |name: &str| rule.get(name).map(String::as_str);
    let (Some(kind), Some(action)) = (get("type"), get("action")) else {
        let name = if get("type").is_none() { "type" } else { "action" };
        return wrong(name, "missing property".to_owned());
    };
    let env = match place {
        Place::Own(Scope::Cluster) => "cluster",
        Place::Own(Scope::Node(_)) => "host",
        Place::Own(Scope::Guest(_)) => "vm",
        Place::Group(_) => "group",
    };
    match kind {
        "forward" if env == "vm" => {
            return wrong("type", format!("invalid rule type '{kind}' for rule_env '{env}'"));
        }
        "forward" if action == "REJECT" => {
            return wrong("action", "cannot define REJECT rules on forward chain".to_owned());
        }
        "in" | "out" | "forward" if !matches!(action, "ACCEPT" | "DROP" | "REJECT") => {
            return wrong("action", format!("unknown action '{action}'"));
        }
        "group" if env == "group" => return wrong("type", "security groups not allowed".to_owned()),
        "group" if !is_group_name(action) => {
            return wrong("action", "invalid characters in security group name".to_owned());
        }
        _ => {}
    }
    if let Some(iface) = get("iface")
        && env == "vm"
        && iface
            .strip_prefix("net")
            .is_none_or(|rest| rest.parse::<u8>().is_err())
    {
        return wrong(
            "iface",
            "value does not match the regex pattern 'net\\d+'".to_owned(),
        );
    }
    if let Some(name) = get("macro")
        && !MACROS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    {
        return wrong("macro", format!("unknown macro '{name}'"));
    }
    check_ports(rule)?;
    for name in ["source", "dest"] {
        if let Some(text) = get(name) {
            check_address(name, text, cluster, own)?;
        }
    }
    Ok(())
}

fn check_ports(rule: &FirewallRule) -> Result<(), Failure> {
    let get = |name: &str| rule.get(name).map(String::as_str);
    let proto = get("proto");
    let is_icmp = matches!(proto, Some("icmp" | "icmpv6" | "ipv6-icmp"));
    for name in ["dport", "sport"] {
        let Some(list) = get(name) else { continue };
        let good = |port: &str| {
            port.parse::<u16>().is_ok() || port.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        };
        if let Some(bad) = list.split([',', ':']).find(|port| port.is_empty() || !good(port)) {
            return Err(Failure::parameter(
                name,
                format!("invalid format - invalid port '{bad}'\n"),
            ));
        }
        let Some(proto) = proto else {
            return Err(Failure::parameter(
                "proto",
                format!("missing property - '{name}' requires this property"),
            ));
        };
        if !matches!(proto, "tcp" | "udp" | "udplite" | "dccp" | "sctp" | "6" | "17") && !is_icmp {
            return Err(Failure::parameter(
                name,
                format!("protocol '{proto}' does not support ports"),
            ));
        }
    }
    if get("icmp-type").is_some() && !is_icmp {
        return Err(Failure::parameter(
            "proto",
            "missing property - 'icmp-type' requires this property",
        ));
    }
    Ok(())
}

fn check_address(name: &str, text: &str, cluster: &Firewall, own: &Firewall) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::parameter(name, text));
    if let Some(set) = text.strip_prefix('+') {
        let bare = set.trim_start_matches("dc/").trim_start_matches("guest/");
        if !cluster.ipsets.contains_key(bare) && !own.ipsets.contains_key(bare) {
            return wrong(format!("no such ipset '{bare}'"));
        }
        return Ok(());
    }
    let bare = text.trim_start_matches("dc/").trim_start_matches("guest/");
    if bare.starts_with(|c: char| c.is_ascii_alphabetic()) && !bare.contains(':') {
        let key = bare.to_ascii_lowercase();
        if !cluster.aliases.contains_key(&key) && !own.aliases.contains_key(&key) {
            return wrong(format!("no such alias '{text}'"));
        }
        return Ok(());
    }
    match text.split(',').find(|part| !part.split('-').all(is_network)) {
        Some("") => wrong("invalid format - extraneous commas in list\n".to_owned()),
        Some(bad) => wrong(format!("invalid format - invalid IP address: {bad}\n")),
        None => Ok(()),
    }
}

/// An address, or a network as `10.0.0.0/8`.
pub(super) fn is_network(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, prefix.parse::<u8>().ok()),
        None => (text, Some(0)),
    };
    match (address.parse::<IpAddr>(), prefix) {
        (Ok(IpAddr::V4(_)), Some(prefix)) => prefix <= 32,
        (Ok(IpAddr::V6(_)), Some(prefix)) => prefix <= 128,
        _ => false,
    }
}

/// The name of a security group.
pub(super) fn is_group_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_from_names() {
        for good in ["10.0.0.1", "10.0.0.0/8", "fe80::1", "2001:db8::/32"] {
            assert!(is_network(good), "{good}");
        }
        for bad in ["nope", "10.0.0.0/33", "10.0.0", ""] {
            assert!(!is_network(bad), "{bad}");
        }
    }
}
