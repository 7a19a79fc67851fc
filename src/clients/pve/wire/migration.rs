//! `…/migrate`: what stands in the way of a move.

use serde_json::{Map, Value};

use crate::domain::migration::{LocalDisk, Migration, Obstacle};

use super::{Broken, Envelope};

/// Machines and containers spell some of it differently. What makes no sense is left out.
pub(in super::super) fn conditions(envelope: &Envelope<'_>) -> Result<Migration, Broken> {
    let said: Value = envelope.object()?;
    let either = |one: &str, other: &str| said.get(one).or_else(|| said.get(other)).cloned();
    let refused = match either("not_allowed_nodes", "not-allowed-nodes") {
        Some(Value::Object(nodes)) => nodes,
        _ => Map::new(),
    };
    Ok(Migration {
        allowed: either("allowed_nodes", "allowed-nodes")
            .filter(Value::is_array)
            .map(|nodes| texts(&nodes).map(|node| node.as_ref().into()).collect()),
        refused: refused
            .iter()
            // Nodes that nothing speaks against are named as well.
            .map(|(node, info)| (node.as_str().into(), obstacles(info)))
            .filter(|(_, obstacles): &(_, Vec<Obstacle>)| !obstacles.is_empty())
            .collect(),
        local_disks: rows(&said["local_disks"]).filter_map(disk).collect(),
        local_resources: texts(&said["local_resources"]).collect(),
        together: texts(&said["dependent-ha-resources"]).collect(),
    })
}

fn obstacles(info: &Value) -> Vec<Obstacle> {
    let storages = texts(&info["unavailable_storages"]).map(|name| Obstacle::Storage(name.as_ref().into()));
    let resources = texts(&info["unavailable-resources"]).map(Obstacle::Resource);
    let apart = rows(&info["blocking-ha-resources"])
        .filter_map(|row| row["sid"].as_str())
        .map(|sid| Obstacle::Apart(sid.into()));
    storages.chain(resources).chain(apart).collect()
}

fn disk(row: &Value) -> Option<LocalDisk> {
    Some(LocalDisk {
        volid: row["volid"].as_str()?.into(),
        size: number(&row["size"]),
        cdrom: number(&row["cdrom"]) == Some(1) || row["cdrom"] == true,
        unused: number(&row["is_unused"]) == Some(1) || row["is_unused"] == true,
    })
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> impl Iterator<Item = Box<str>> {
    rows(list).filter_map(Value::as_str).map(Into::into)
}

/// A number that may be a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    fn read(body: &str) -> Migration {
        conditions(&envelope(body).unwrap()).unwrap()
    }

    #[test]
    fn machines_and_containers_say_the_same() {
        let machine = read(
            r#"{"data":{"running":1,"allowed_nodes":["pve2",7],"local_resources":["hostpci0"],
                "local_disks":[{"volid":"local:104/vm-104-disk-0.raw","size":"1024","cdrom":0,"is_unused":1},7],
                "not_allowed_nodes":{"pve2":{},"pve3":{"unavailable_storages":["ssd"],"unavailable-resources":["gpu"],
                "blocking-ha-resources":[{"sid":"vm:105","cause":"resource-affinity"},{}]}}}}"#,
        );
        assert_eq!(machine.allowed, Some(vec!["pve2".into()]));
        let (node, why) = &machine.refused[0];
        assert_eq!((machine.refused.len(), node.as_str(), why.len()), (1, "pve3", 3));
        let disk = &machine.local_disks[0];
        assert_eq!((disk.size, disk.cdrom, disk.unused), (Some(1024), false, true));
        assert_eq!(&*machine.local_resources[0], "hostpci0");
        let container = read(
            r#"{"data":{"running":0,"allowed-nodes":[],"dependent-ha-resources":["ct:9"],
                "not-allowed-nodes":{"pve3":{"blocking-ha-resources":[{"sid":"ct:8"}]}}}}"#,
        );
        assert_eq!(container.allowed, Some(Vec::new()));
        assert_eq!(container.refused[0].1, [Obstacle::Apart("ct:8".into())]);
        assert_eq!(&*container.together[0], "ct:9");
        for nonsense in [
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":{"allowed_nodes":1,"not_allowed_nodes":[]}}"#,
        ] {
            assert_eq!(read(nonsense), Migration::default(), "{nonsense}");
        }
    }
}
