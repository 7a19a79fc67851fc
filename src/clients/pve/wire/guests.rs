//! `/nodes/{node}/qemu/{vmid}/…` and `/nodes/{node}/lxc/{vmid}/…`.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{
    GuestDetail, GuestStatus,
    config::{GuestConfig, PendingChange},
    guest::{GuestInterface, Pressure, Snapshot},
};

use super::{
    Broken, Envelope, inner,
    lenient::{Flag, Int, Num, Text},
    moment, said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Current<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    qmpstatus: Text<'a>,
    #[serde(borrow)]
    lock: Text<'a>,
    #[serde(borrow)]
    ha: Option<&'a RawValue>,
    #[serde(borrow)]
    nics: Option<&'a RawValue>,
    #[serde(borrow, rename = "running-qemu")]
    running_qemu: Text<'a>,
    #[serde(borrow, rename = "running-machine")]
    running_machine: Text<'a>,
    #[serde(borrow)]
    clipboard: Text<'a>,
    agent: Flag,
    pid: Int,
    uptime: Int,
    cpu: Num,
    mem: Int,
    maxmem: Int,
    balloon: Int,
    swap: Int,
    maxswap: Int,
    pressurecpusome: Num,
    pressureiosome: Num,
    pressurememorysome: Num,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ha<'a> {
    managed: Flag,
    #[serde(borrow)]
    state: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Traffic {
    netin: Int,
    netout: Int,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<GuestDetail, Broken> {
    let row: Current<'_> = envelope.object()?;
    let ha: Ha<'_> = inner(row.ha);
    let nics: BTreeMap<Cow<'_, str>, Traffic> = inner(row.nics);
    let pressure = match (
        row.pressurecpusome.0,
        row.pressureiosome.0,
        row.pressurememorysome.0,
    ) {
        (None, None, None) => None,
        (cpu, io, memory) => Some(Pressure {
            cpu_some: cpu.unwrap_or_default(),
            io_some: io.unwrap_or_default(),
            memory_some: memory.unwrap_or_default(),
        }),
    };
    let lock = said(row.lock);
    // A suspended machine is stopped and keeps the lock `suspended` until it is resumed.
    let status = match (row.status.as_str(), row.qmpstatus.as_str()) {
        ("running", "paused" | "prelaunch" | "io-error") => Some(GuestStatus::Paused),
        ("running", "suspended") => Some(GuestStatus::Suspended),
        ("running", _) => Some(GuestStatus::Running),
        ("stopped", _) if lock.as_deref() == Some("suspended") => Some(GuestStatus::Suspended),
        ("stopped", _) => Some(GuestStatus::Stopped),
        ("", _) => None,
        _ => Some(GuestStatus::Unknown),
    };
    Ok(GuestDetail {
        status,
        lock: lock.map(Into::into),
        ha_managed: ha.managed.yes(),
        ha_state: said(ha.state).map(Into::into),
        agent: row.agent.yes(),
        pid: row.pid.u32(),
        running_qemu: said(row.running_qemu),
        running_machine: said(row.running_machine),
        uptime: row.uptime.0.filter(|&seconds| seconds > 0),
        cpu: row.cpu.0,
        mem: row.mem.0,
        max_mem: row.maxmem.0,
        balloon: row.balloon.0,
        swap: row.swap.0,
        max_swap: row.maxswap.0,
        pressure,
        nics: nics
            .into_iter()
            .map(|(name, traffic)| {
                (
                    name.into(),
                    traffic.netin.0.unwrap_or_default(),
                    traffic.netout.0.unwrap_or_default(),
                )
            })
            .collect(),
        clipboard: said(row.clipboard),
    })
}

/// A configuration value as text. What is no scalar (`lxc` raw lines) stays as JSON.
fn value(raw: &RawValue) -> Box<str> {
    match serde_json::from_str(raw.get()) {
        Ok(Text(Some(text))) => text.into(),
        _ => raw.get().into(),
    }
}

pub(in super::super) fn config(envelope: &Envelope<'_>) -> Result<GuestConfig, Broken> {
    Ok(properties(envelope.object()?))
}

fn properties(fields: BTreeMap<Cow<'_, str>, &RawValue>) -> GuestConfig {
    let mut config = GuestConfig::default();
    for (key, raw) in fields {
        if key == "digest" {
            config.digest = Some(value(raw));
        } else {
            config.entries.push((key.into(), value(raw)));
        }
    }
    config
}

/// The rows of any list, each with its properties.
pub(in super::super) fn rows(envelope: &Envelope<'_>) -> Result<Vec<GuestConfig>, Broken> {
    envelope.list(|fields: BTreeMap<Cow<'_, str>, &RawValue>| Some(properties(fields)))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PendingRow<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    pending: Option<&'a RawValue>,
    delete: Flag,
}

/// Rows without `pending` and `delete` are in force already and left out.
pub(in super::super) fn pending(envelope: &Envelope<'_>) -> Result<Vec<PendingChange>, Broken> {
    envelope.list(|row: PendingRow<'_>| {
        if row.pending.is_none() && !row.delete.yes() {
            return None;
        }
        Some(PendingChange {
            key: said(row.key)?,
            current: row.value.map(value),
            pending: row.pending.filter(|_| !row.delete.yes()).map(value),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Interface<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, rename = "hardware-address")]
    hardware_address: Text<'a>,
    #[serde(borrow)]
    hwaddr: Text<'a>,
    #[serde(borrow, rename = "ip-addresses")]
    ip_addresses: Option<&'a RawValue>,
    #[serde(borrow)]
    inet: Text<'a>,
    #[serde(borrow)]
    inet6: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Address<'a> {
    #[serde(borrow, rename = "ip-address")]
    address: Text<'a>,
    prefix: Int,
}

impl Interface<'_> {
    fn interface(self) -> Option<GuestInterface> {
        let list: Vec<Address<'_>> = inner(self.ip_addresses);
        let mut addresses: Vec<Box<str>> = list
            .into_iter()
            .filter_map(|ip| match (ip.address.as_str(), ip.prefix.0) {
                ("", _) => None,
                (address, Some(prefix)) => Some(format!("{address}/{prefix}").into()),
                (address, None) => Some(address.into()),
            })
            .collect();
        if addresses.is_empty() {
            addresses.extend([self.inet, self.inet6].into_iter().filter_map(said));
        }
        Some(GuestInterface {
            name: said(self.name)?,
            mac: said(self.hardware_address).or_else(|| said(self.hwaddr)),
            addresses,
        })
    }
}

/// Of a container: the host looks into it.
pub(in super::super) fn interfaces(envelope: &Envelope<'_>) -> Result<Vec<GuestInterface>, Broken> {
    envelope.list(Interface::interface)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AgentAnswer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// Of a machine: the agent's own list, inside `result`. Some agents answer with an error object there.
pub(in super::super) fn agent_interfaces(envelope: &Envelope<'_>) -> Result<Vec<GuestInterface>, Broken> {
    let answer: AgentAnswer<'_> = envelope.object()?;
    let rows: Vec<&RawValue> = inner(answer.result);
    let list = rows.into_iter().filter_map(|row| {
        let interface: Interface<'_> = serde_json::from_str(row.get()).ok()?;
        interface.interface()
    });
    Ok(list.collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SnapshotRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    parent: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    snaptime: Int,
    vmstate: Flag,
}

/// Without `current`, which is the running state and no snapshot.
pub(in super::super) fn snapshots(envelope: &Envelope<'_>) -> Result<Vec<Snapshot>, Broken> {
    envelope.list(|row: SnapshotRow<'_>| {
        let name = said(row.name).filter(|name| &**name != "current")?;
        Some(Snapshot {
            name,
            parent: said(row.parent),
            time: moment(&row.snaptime),
            with_ram: row.vmstate.yes(),
            description: said(row.description).unwrap_or_default(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn paused_and_suspended_are_told_apart() {
        for (body, expected) in [
            (
                r#"{"data":{"status":"running","qmpstatus":"running"}}"#,
                Some(GuestStatus::Running),
            ),
            (
                r#"{"data":{"status":"running","qmpstatus":"paused"}}"#,
                Some(GuestStatus::Paused),
            ),
            (
                r#"{"data":{"status":"stopped","lock":"suspended"}}"#,
                Some(GuestStatus::Suspended),
            ),
            (
                r#"{"data":{"status":"stopped","qmpstatus":"stopped"}}"#,
                Some(GuestStatus::Stopped),
            ),
            (r#"{"data":null}"#, None),
        ] {
            assert_eq!(
                status(&envelope(body).unwrap()).unwrap().status,
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn pending_changes_only() {
        let body = r#"{"data":[{"key":"cores","value":2,"pending":"4"},{"key":"name","value":"a"},
            {"key":"net1","value":"virtio","delete":1},{"key":"digest","value":"x"}]}"#;
        let changes = pending(&envelope(body).unwrap()).unwrap();
        assert_eq!(changes.len(), 2);
        assert_eq!(
            (changes[0].current.as_deref(), changes[0].pending.as_deref()),
            (Some("2"), Some("4"))
        );
        assert_eq!(
            (changes[1].current.as_deref(), changes[1].pending.as_deref()),
            (Some("virtio"), None)
        );
    }

    #[test]
    fn addresses_from_agent_and_container() {
        let agent = r#"{"data":{"result":[{"name":"eth0","hardware-address":"bc:24:11:00:00:01","ip-addresses":[
            {"ip-address":"192.0.2.7","ip-address-type":"ipv4","prefix":24},{"ip-address":"fe80::1","prefix":"64"}]},
            {"name":"lo"}, 3]}}"#;
        let list = agent_interfaces(&envelope(agent).unwrap()).unwrap();
        assert_eq!(
            list[0].addresses,
            [Box::from("192.0.2.7/24"), Box::from("fe80::1/64")]
        );
        assert_eq!(list.len(), 2);
        let error = r#"{"data":{"result":{"error":{"class":"GenericError"}}}}"#;
        assert!(agent_interfaces(&envelope(error).unwrap()).unwrap().is_empty());
        let container = r#"{"data":[{"name":"eth0","hwaddr":"bc:24:11:00:00:02","inet":"192.0.2.8/24"}]}"#;
        let list = interfaces(&envelope(container).unwrap()).unwrap();
        assert_eq!(
            (list[0].mac.as_deref(), &*list[0].addresses[0]),
            (Some("bc:24:11:00:00:02"), "192.0.2.8/24")
        );
    }

    #[test]
    fn a_configuration_becomes_sorted_text() {
        let body = r#"{"data":{"memory":"512","cores":2,"digest":"abc","onboot":1,"lxc":[["lxc.apparmor.profile","unconfined"]]}}"#;
        let config = config(&envelope(body).unwrap()).unwrap();
        let keys: Vec<&str> = config.entries.iter().map(|(key, _)| &**key).collect();
        assert_eq!(keys, ["cores", "lxc", "memory", "onboot"]);
        assert_eq!(
            (config.get("cores"), config.digest.as_deref()),
            (Some("2"), Some("abc"))
        );
        assert!(config.get("lxc").unwrap().contains("lxc.apparmor.profile"));
    }
}
