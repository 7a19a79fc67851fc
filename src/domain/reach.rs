//! By which of its addresses a guest is best reached from outside.

use std::net::IpAddr;

use super::{config::GuestConfig, guest::GuestInterface};

/// Interfaces that exist inside the guest only: bridges and tunnels of containers.
const INSIDE: [&str; 10] = [
    "lo", "docker", "br-", "veth", "cni", "flannel", "cali", "virbr", "podman", "lxc",
];

/// The address to connect to: first of the interfaces that the guest's configuration knows, IPv4 before IPv6; without
/// a word from inside the guest, what its configuration gives it. `None` if nothing tells.
pub fn address(interfaces: Option<&[GuestInterface]>, config: Option<&GuestConfig>) -> Option<IpAddr> {
    let known: Vec<&str> = config
        .map(|config| config.nics().iter().filter_map(|nic| nic.mac).collect())
        .unwrap_or_default();
    let seen = interfaces.unwrap_or_default().iter().flat_map(|interface| {
        let ours = interface
            .mac
            .as_deref()
            .is_some_and(|mac| known.iter().any(|other| other.eq_ignore_ascii_case(mac)));
        let inside = INSIDE.iter().any(|prefix| interface.name.starts_with(prefix));
        let addresses = interface.addresses.iter().filter_map(|text| parse(text));
        addresses.map(move |ip| ((!ours, inside, ip.is_ipv6()), ip))
    });
    // Of equals the first is taken, in the order of the guest.
    let best = seen.min_by_key(|(rank, _)| *rank).map(|(_, ip)| ip);
    best.or_else(|| configured(config?))
}

/// What the configuration gives the guest: of a container its devices, of a machine its cloud-init.
fn configured(config: &GuestConfig) -> Option<IpAddr> {
    let values = config
        .entries
        .iter()
        .filter(|(key, _)| key.starts_with("net") || key.starts_with("ipconfig"));
    let mut all: Vec<IpAddr> = values
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|part| part.strip_prefix("ip=").or_else(|| part.strip_prefix("ip6=")))
        .filter_map(parse)
        .collect();
    all.sort_by_key(IpAddr::is_ipv6);
    all.first().copied()
}

/// An address with or without its prefix length; none that cannot be connected to from elsewhere.
fn parse(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.split('/').next()?.trim().parse().ok()?;
    let local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    (!local && !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, mac: &str, addresses: &[&str]) -> GuestInterface {
        GuestInterface {
            name: name.into(),
            mac: Some(mac.into()),
            addresses: addresses.iter().map(|text| (*text).into()).collect(),
        }
    }

    fn config(entries: &[(&str, &str)]) -> GuestConfig {
        GuestConfig {
            entries: entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            digest: None,
        }
    }

    fn best(interfaces: &[GuestInterface], entries: &[(&str, &str)]) -> Option<String> {
        address(Some(interfaces), Some(&config(entries))).map(|ip| ip.to_string())
    }

    #[test]
    fn the_device_that_proxmox_gave_it_comes_first() {
        let all = [
            interface("lo", "00:00:00:00:00:00", &["127.0.0.1/8", "::1/128"]),
            interface("docker0", "02:42:00:00:00:01", &["172.17.0.1/16"]),
            interface("wg0", "02:42:00:00:00:02", &["10.9.0.1/24"]),
            interface(
                "ens18",
                "bc:24:11:00:00:01",
                &["fe80::1/64", "2001:db8::7/64", "192.0.2.7/24"],
            ),
        ];
        let net0 = [("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr0")];
        assert_eq!(best(&all, &net0).as_deref(), Some("192.0.2.7"));
        assert_eq!(best(&all, &[]).as_deref(), Some("10.9.0.1"));
        assert_eq!(best(&all[..2], &[]).as_deref(), Some("172.17.0.1"));
        assert_eq!(best(&all[..1], &[]), None);
    }

    #[test]
    fn without_a_word_from_inside_the_configuration_tells() {
        let machine = config(&[("ipconfig0", "ip6=2001:db8::7/64,ip=192.0.2.7/24,gw=192.0.2.1")]);
        assert_eq!(address(None, Some(&machine)), "192.0.2.7".parse().ok());
        assert_eq!(
            best(&[], &[("net0", "name=eth0,ip=dhcp,ip6=2001:db8::8/64")]).as_deref(),
            Some("2001:db8::8")
        );
        assert_eq!(best(&[], &[("ipconfig0", "ip=dhcp")]), None);
    }

    #[test]
    fn what_is_no_address_is_none() {
        let evil = interface(
            "eth0",
            "",
            &["-oProxyCommand=x", "192.0.2.300/24", "fe80::1%eth0/64"],
        );
        assert_eq!(best(&[evil], &[]), None);
    }
}
