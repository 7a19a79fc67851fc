//! `/version` and `/cluster/…`.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::{
    ClusterStatus, Guest, GuestKind, GuestStatus, HaResource, HaStatus, Inventory, LogEntry, Node, NodeName,
    NodeStatus, Pool, SdnZone, Storage, StorageStatus, Vmid, cluster::Member,
};

use super::{
    Broken, Envelope, excerpt,
    lenient::{Flag, Int, Num, Text},
    moment, said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Version<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    release: Text<'a>,
}

pub(in super::super) fn version(envelope: &Envelope<'_>) -> Result<Box<str>, Broken> {
    let answer: Version<'_> = envelope.object()?;
    said(answer.version)
        .or_else(|| said(answer.release))
        .ok_or_else(|| Broken("there is no version in it".to_owned()))
}

/// One row of `/cluster/resources`, of any kind.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Resource<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    node: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    pool: Text<'a>,
    #[serde(borrow)]
    tags: Text<'a>,
    #[serde(borrow)]
    lock: Text<'a>,
    #[serde(borrow)]
    hastate: Text<'a>,
    #[serde(borrow)]
    storage: Text<'a>,
    #[serde(borrow)]
    plugintype: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    level: Text<'a>,
    #[serde(borrow)]
    sdn: Text<'a>,
    #[serde(borrow)]
    network: Text<'a>,
    #[serde(borrow)]
    network_type: Text<'a>,
    #[serde(borrow)]
    poolid: Text<'a>,
    vmid: Int,
    template: Flag,
    shared: Flag,
    cpu: Num,
    maxcpu: Num,
    mem: Int,
    maxmem: Int,
    memhost: Int,
    disk: Int,
    maxdisk: Int,
    uptime: Int,
    netin: Int,
    netout: Int,
    diskread: Int,
    diskwrite: Int,
}

/// Shares texts that occur in many rows: ten thousand guests have a few nodes, pools and tags.
#[derive(Default)]
struct Shared {
    texts: HashSet<Arc<str>>,
    nodes: HashMap<Box<str>, NodeName>,
}

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    fn said(&mut self, text: &Text<'_>) -> Option<Arc<str>> {
        let text = text.as_str();
        (!text.is_empty()).then(|| self.text(text))
    }

    fn node(&mut self, text: &Text<'_>) -> Option<NodeName> {
        let text = text.as_str();
        if text.is_empty() {
            return None;
        }
        if let Some(known) = self.nodes.get(text) {
            return Some(known.clone());
        }
        let new = NodeName::from(text);
        self.nodes.insert(text.into(), new.clone());
        Some(new)
    }

    fn sorted(&mut self, list: &Text<'_>) -> Vec<Arc<str>> {
        let mut items: Vec<Arc<str>> = list
            .as_str()
            .split([';', ',', ' '])
            .filter(|item| !item.is_empty())
            .map(|item| self.text(item))
            .collect();
        items.sort_unstable();
        items
    }
}

pub(in super::super) fn resources(envelope: &Envelope<'_>) -> Result<Inventory, Broken> {
    let mut inventory = Inventory::default();
    let mut shared = Shared::default();
    for raw in envelope.rows()? {
        let reason: Cow<'_, str> = match serde_json::from_str::<Resource<'_>>(raw.get()) {
            Ok(row) => match add(&mut inventory, &mut shared, row) {
                Ok(()) => continue,
                Err(reason) => reason,
            },
            Err(error) => error.to_string().into(),
        };
        inventory
            .rejected
            .push(format!("{reason}: {}", excerpt(raw)).into());
    }
    Ok(inventory)
}

fn add(inventory: &mut Inventory, shared: &mut Shared, row: Resource<'_>) -> Result<(), Cow<'static, str>> {
    match row.r#type.as_str() {
        "qemu" => inventory.guests.push(guest(shared, row, GuestKind::Qemu)?),
        "lxc" => inventory.guests.push(guest(shared, row, GuestKind::Lxc)?),
        "node" => inventory.nodes.push(node(shared, &row)?),
        "storage" => inventory.storages.push(storage(shared, &row)?),
        "pool" => {
            let name = shared
                .said(&row.pool)
                .or_else(|| shared.said(&row.poolid))
                .ok_or("a pool without a name")?;
            inventory.pools.push(Pool { name });
        }
        "sdn" | "network" => inventory.zones.push(SdnZone {
            node: shared.node(&row.node),
            name: said(row.sdn)
                .or_else(|| said(row.network))
                .ok_or("a network without a name")?,
            kind: said(row.network_type).unwrap_or_else(|| "zone".into()),
            status: said(row.status).unwrap_or_else(|| "unknown".into()),
        }),
        "" => return Err("a row without a type".into()),
        other => return Err(format!("unknown type `{}`", other.chars().take(40).collect::<String>()).into()),
    }
    Ok(())
}

fn guest(shared: &mut Shared, row: Resource<'_>, kind: GuestKind) -> Result<Guest, Cow<'static, str>> {
    let status = match row.status.as_str() {
        "running" => GuestStatus::Running,
        "stopped" => GuestStatus::Stopped,
        "paused" => GuestStatus::Paused,
        "suspended" => GuestStatus::Suspended,
        _ => GuestStatus::Unknown,
    };
    Ok(Guest {
        vmid: row.vmid.u32().map(Vmid).ok_or("a guest without a vmid")?,
        kind,
        node: shared.node(&row.node).ok_or("a guest without a node")?,
        status,
        template: row.template.yes(),
        tags: shared.sorted(&row.tags),
        pool: shared.said(&row.pool),
        lock: shared.said(&row.lock),
        ha_state: shared.said(&row.hastate).filter(|state| &**state != "unmanaged"),
        name: said(row.name),
        cpu: row.cpu.0,
        cpus: row.maxcpu.0,
        mem: row.mem.0,
        max_mem: row.maxmem.0,
        host_mem: row.memhost.0,
        disk: row.disk.0,
        max_disk: row.maxdisk.0,
        uptime: row.uptime.0.filter(|&seconds| seconds > 0),
        net_in: row.netin.0,
        net_out: row.netout.0,
        disk_read: row.diskread.0,
        disk_write: row.diskwrite.0,
    })
}

fn node(shared: &mut Shared, row: &Resource<'_>) -> Result<Node, Cow<'static, str>> {
    Ok(Node {
        name: shared.node(&row.node).ok_or("a node without a name")?,
        status: match row.status.as_str() {
            "online" => NodeStatus::Online,
            "offline" => NodeStatus::Offline,
            _ => NodeStatus::Unknown,
        },
        cpu: row.cpu.0,
        cpus: row.maxcpu.0,
        mem: row.mem.0,
        max_mem: row.maxmem.0,
        disk: row.disk.0,
        max_disk: row.maxdisk.0,
        uptime: row.uptime.0.filter(|&seconds| seconds > 0),
        // Here an empty level says something: there is no subscription.
        level: row.level.0.as_deref().map(|level| shared.text(level)),
    })
}

fn storage(shared: &mut Shared, row: &Resource<'_>) -> Result<Storage, Cow<'static, str>> {
    let name = row.storage.as_str();
    if name.is_empty() {
        return Err("a storage without a name".into());
    }
    Ok(Storage {
        name: name.into(),
        node: shared.node(&row.node).ok_or("a storage without a node")?,
        status: match row.status.as_str() {
            "available" => StorageStatus::Available,
            "" | "unknown" => StorageStatus::Unknown,
            _ => StorageStatus::Unavailable,
        },
        plugin: shared.text(row.plugintype.as_str()),
        content: shared.sorted(&row.content),
        shared: row.shared.yes(),
        used: row.disk.0,
        total: row.maxdisk.0,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusRow<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    ip: Text<'a>,
    online: Flag,
    local: Flag,
    nodeid: Int,
    quorate: Flag,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<ClusterStatus, Broken> {
    let mut status = ClusterStatus::default();
    for row in envelope.list(|row: StatusRow<'_>| Some(row))? {
        match row.r#type.as_str() {
            "cluster" => {
                status.name = said(row.name);
                status.quorate = row.quorate.0;
            }
            "node" => status.members.push(Member {
                name: row.name.as_str().into(),
                online: row.online.yes(),
                ip: row.ip.as_str().parse().ok(),
                id: row.nodeid.u32(),
                local: row.local.yes(),
            }),
            other => tracing::debug!(kind = other, "unknown kind of row in /cluster/status"),
        }
    }
    Ok(status)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HaRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    sid: Text<'a>,
    #[serde(borrow)]
    node: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    request_state: Text<'a>,
}

pub(in super::super) fn ha_status(envelope: &Envelope<'_>) -> Result<HaStatus, Broken> {
    let mut shared = Shared::default();
    let mut status = HaStatus::default();
    for row in envelope.list(|row: HaRow<'_>| Some(row))? {
        if row.r#type.as_str() == "service" {
            let sid = row.sid.as_str();
            status.services.push(HaResource {
                vmid: sid.split_once(':').and_then(|(_, vmid)| vmid.parse().ok()),
                node: shared.node(&row.node),
                state: shared.said(&row.state).unwrap_or_else(|| shared.text("unknown")),
                request: shared.said(&row.request_state),
                sid: sid.into(),
            });
        } else {
            let id = said(row.id).or_else(|| said(row.r#type)).unwrap_or_default();
            status.lines.push((id, said(row.status).unwrap_or_default()));
        }
    }
    Ok(status)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LogRow<'a> {
    time: Int,
    pri: Int,
    #[serde(borrow)]
    node: Text<'a>,
    #[serde(borrow)]
    user: Text<'a>,
    #[serde(borrow)]
    tag: Text<'a>,
    #[serde(borrow)]
    msg: Text<'a>,
}

pub(in super::super) fn log(envelope: &Envelope<'_>) -> Result<Vec<LogEntry>, Broken> {
    let mut shared = Shared::default();
    let rows = envelope.list(|row: LogRow<'_>| Some(row))?;
    let entries = rows.into_iter().map(|row| LogEntry {
        time: moment(&row.time).unwrap_or(Timestamp::UNIX_EPOCH),
        node: shared.node(&row.node).unwrap_or_else(|| "".into()),
        user: said(row.user).unwrap_or_default(),
        tag: said(row.tag).unwrap_or_default(),
        priority: row.pri.0.map_or(6, |priority| priority.min(7) as u8),
        message: said(row.msg).unwrap_or_default(),
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    fn read(body: &str) -> Inventory {
        resources(&envelope(body).unwrap()).unwrap()
    }

    #[test]
    fn one_bad_row_costs_only_itself() {
        let inventory = read(
            r#"{"data":[
            {"type":"qemu","vmid":"104","node":"pve1","status":"running","cpu":"0.2","maxcpu":4,"tags":"web;prod",
             "uptime":"7","template":"0","name":"web01","pool":"dev","lock":"backup","new-key":{"a":[1]}},
            {"type":"lxc","vmid":105,"node":"pve1","status":"stopped","uptime":0,"disk":"512","maxdisk":"1024","template":1},
            {"type":"qemu","node":"pve1"}, 7, null, {"type":"teapot","id":"x"}, {"id":"y"},
            {"type":"node","node":"pve2","status":"offline"},
            {"type":"storage","storage":"local","node":"pve1","status":"available","content":"iso,backup","shared":"0"},
            {"type":"sdn","sdn":"zone1","node":"pve1","status":"ok"},
            {"type":"network","network":"zone2","network-type":"fabric","status":"error"},
            {"type":"pool","pool":"dev"}]}"#,
        );
        assert_eq!(inventory.rejected.len(), 5, "{:?}", inventory.rejected);
        assert!(inventory.rejected[0].starts_with("a guest without a vmid"));
        let [machine, container] = inventory.guests.as_slice() else {
            panic!("{:?}", inventory.guests)
        };
        assert_eq!(
            (machine.vmid, machine.cpu, machine.cpus, machine.uptime),
            (Vmid(104), Some(0.2), Some(4.0), Some(7))
        );
        assert_eq!(
            machine.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
            ["prod", "web"]
        );
        assert_eq!(
            (machine.pool.as_deref(), machine.lock.as_deref()),
            (Some("dev"), Some("backup"))
        );
        assert_eq!(
            (container.kind, container.uptime, container.disk),
            (GuestKind::Lxc, None, Some(512))
        );
        assert!(container.template && !machine.template);
        assert_eq!(
            (inventory.nodes[0].status, inventory.nodes[0].cpu),
            (NodeStatus::Offline, None)
        );
        assert_eq!(inventory.storages[0].status, StorageStatus::Available);
        assert_eq!(
            inventory.zones.iter().map(|zone| &*zone.kind).collect::<Vec<_>>(),
            ["zone", "fabric"]
        );
        assert_eq!(&*inventory.pools[0].name, "dev");
    }

    #[test]
    fn no_data_is_an_empty_inventory_and_no_list_is_an_error() {
        assert_eq!(read(r#"{"data":null}"#), Inventory::default());
        assert_eq!(read(""), Inventory::default());
        assert!(resources(&envelope(r#"{"data":{"a":1}}"#).unwrap()).is_err());
        assert!(envelope(r#"{"data":[{"type":"#).is_err());
    }

    #[test]
    fn a_standalone_host_has_no_cluster_row() {
        let body = r#"{"data":[{"type":"node","name":"pve1","online":1,"local":"1","nodeid":"0","ip":"10.0.2.15"}]}"#;
        let status = status(&envelope(body).unwrap()).unwrap();
        assert_eq!(
            (status.name.is_none(), status.quorate, status.members.len()),
            (true, None, 1)
        );
        assert!(status.members[0].local && status.members[0].online);
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,8}".prop_map(Into::into),
            prop::collection::vec(any::<u8>(), 0..3).prop_map(Into::into),
            prop::sample::select(vec!["qemu", "lxc", "node", "storage", "pool", "network"])
                .prop_map(Into::into),
        ]
    }

    proptest! {
        #[test]
        fn every_row_is_an_object_or_rejected(rows in prop::collection::vec(
            prop::collection::hash_map(
                prop::sample::select(vec!["type", "vmid", "node", "name", "status", "cpu", "mem", "tags", "storage", "pool"]),
                value(), 0..10),
            0..20)) {
            let body = serde_json::json!({ "data": rows }).to_string();
            let all = read(&body);
            let count = all.nodes.len() + all.guests.len() + all.storages.len() + all.pools.len() + all.zones.len();
            prop_assert_eq!(count + all.rejected.len(), rows.len());
        }
    }
}
