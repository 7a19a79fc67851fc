//! What a guest tells of its inside: the agent of a VM, the interfaces of a container.

use serde_json::{Value, json};

use super::Call;
use crate::demo::{
    answer::{Failure, Outcome},
    world::guest::{Agent, Guest, Kind},
};

impl Call<'_> {
    pub(super) fn route_inside(&mut self, rest: &str) -> Option<Outcome> {
        let guest = self.world.guests.get(&self.vmid())?;
        if self.verb == "GET" && rest == "/interfaces" {
            return Some(Ok(container_interfaces(guest).into()));
        }
        let command = rest.strip_prefix("/agent/")?;
        Some(agent(guest, command))
    }
}

fn agent(guest: &Guest, command: &str) -> Outcome {
    if !guest.option("agent").is_some_and(|agent| agent.starts_with('1')) {
        return Err(Failure::server("No QEMU guest agent configured"));
    }
    if !guest.is_running() {
        return Err(Failure::server(format!("VM {} is not running", guest.vmid)));
    }
    if guest.agent == Agent::Silent || guest.option("lock") == Some("suspended") {
        return Err(Failure::server("QEMU guest agent is not running"));
    }
    let windows = guest.option("ostype").is_some_and(|os| os.starts_with("win"));
    let result = match command {
        "network-get-interfaces" => machine_interfaces(guest),
        "get-osinfo" if windows => json!({
            "id": "mswindows", "name": "Microsoft Windows", "pretty-name": "Windows Server 2025 Standard",
            "version": "Microsoft Windows Server 2025", "version-id": "2025", "machine": "x86_64",
            "kernel-release": "26100", "kernel-version": "10.0", "variant": "server", "variant-id": "server",
        }),
        "get-osinfo" => json!({
            "id": "debian", "name": "Debian GNU/Linux", "pretty-name": "Debian GNU/Linux 13 (trixie)",
            "version": "13 (trixie)", "version-id": "13", "machine": "x86_64",
            "kernel-release": "6.12.48+deb13-amd64",
            "kernel-version": "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)",
        }),
        "get-host-name" => json!({"host-name": guest.name()}),
        "get-fsinfo" => {
            let total = guest.boot_size();
            let used = (total as f64 * guest.profile.full * 0.7) as u64;
            json!([{
                "name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": total, "used-bytes": used,
                "disk": [],
            }])
        }
        "info" => json!({"version": "10.0.2", "supported_commands": []}),
        // A ping has nothing to tell.
        _ => json!({}),
    };
    Ok(json!({"result": result}).into())
}

fn address(guest: &Guest) -> String {
    format!("10.20.{}.{}", guest.vmid / 250 % 250, 2 + guest.vmid % 250)
}

fn machine_interfaces(guest: &Guest) -> Value {
    let mut rows = vec![json!({
        "name": "lo", "hardware-address": "00:00:00:00:00:00",
        "ip-addresses": [
            {"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8},
            {"ip-address": "::1", "ip-address-type": "ipv6", "prefix": 128},
        ],
    })];
    for (index, (_, mac)) in guest.nics().into_iter().enumerate() {
        rows.push(json!({
            "name": format!("ens{}", 18 + index), "hardware-address": mac.to_lowercase(),
            "ip-addresses": [
                {"ip-address": address(guest), "ip-address-type": "ipv4", "prefix": 16},
                {"ip-address": format!("fe80::be24:11ff:fe00:{:x}", guest.vmid % 65_536), "ip-address-type": "ipv6",
                 "prefix": 64},
            ],
            "statistics": {
                "rx-bytes": 1_024_000 + u64::from(guest.vmid), "rx-packets": 9000, "rx-errs": 0, "rx-dropped": 0,
                "tx-bytes": 2_048_000, "tx-packets": 8000, "tx-errs": 0, "tx-dropped": 0,
            },
        }));
    }
    Value::from(rows)
}

fn container_interfaces(guest: &Guest) -> Value {
    if guest.kind != Kind::Lxc || !guest.is_running() {
        return json!([]);
    }
    let mut rows = vec![json!({
        "name": "lo", "hwaddr": "00:00:00:00:00:00", "hardware-address": "00:00:00:00:00:00", "inet": "127.0.0.1/8",
        "inet6": "::1/128",
        "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": "8"}],
    })];
    for (index, (_, mac)) in guest.nics().into_iter().enumerate() {
        let mac = mac.to_lowercase();
        rows.push(json!({
            "name": format!("eth{index}"), "hwaddr": mac, "hardware-address": mac,
            "inet": format!("{}/16", address(guest)),
            "ip-addresses": [{"ip-address": address(guest), "ip-address-type": "inet", "prefix": "16"}],
        }));
    }
    Value::from(rows)
}
