//! `/cluster/metrics/export`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{
    NodeName, StorageName, Vmid,
    metric::Sample,
    reading::{Reading, ReadingOf},
};

use super::{
    Broken, Envelope,
    lenient::{Int, Num, Text},
    moment,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Export<'a> {
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    metric: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    timestamp: Int,
    value: Num,
}

/// The rows are one level deeper than elsewhere: `{"data":{"data":[…]}}`.
pub(in super::super) fn export(envelope: &Envelope<'_>) -> Result<Vec<Reading>, Broken> {
    let export: Export<'_> = envelope.object()?;
    let rows = export.data.unwrap_or_default();
    let reading = |row: &&RawValue| {
        let row: Row<'_> = serde_json::from_str(row.get()).ok()?;
        Some(Reading {
            of: of(row.id.as_str())?,
            metric: row.metric.0.filter(|name| !name.is_empty())?.into(),
            counts: matches!(row.r#type.as_str(), "derive" | "counter"),
            sample: Sample {
                at: moment(&row.timestamp)?,
                value: row.value.0?,
            },
        })
    };
    Ok(rows.iter().filter_map(reading).collect())
}

/// `node/NAME`, `qemu/VMID`, `lxc/VMID`, `storage/NODE/NAME`.
fn of(id: &str) -> Option<ReadingOf> {
    let (kind, name) = id.split_once('/')?;
    match kind {
        "node" => Some(ReadingOf::Node(NodeName::from(name))),
        "qemu" | "lxc" => name.parse().ok().map(|vmid: Vmid| ReadingOf::Guest(vmid)),
        "storage" => {
            let (node, storage) = name.split_once('/')?;
            Some(ReadingOf::Storage(
                NodeName::from(node),
                StorageName::from(storage),
            ))
        }
        _ => None,
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NotBackedUp {
    vmid: Int,
}

/// `/cluster/backup-info/not-backed-up`.
pub(in super::super) fn not_backed_up(envelope: &Envelope<'_>) -> Result<Vec<Vmid>, Broken> {
    envelope.list(|row: NotBackedUp| row.vmid.u32().map(Vmid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    fn read(body: &str) -> Vec<Reading> {
        export(&envelope(body).unwrap()).unwrap()
    }

    #[test]
    fn readings_of_all_kinds_of_objects() {
        let readings = read(
            r#"{"data":{"data":[
                {"id":"node/pve1","metric":"cpu_current","timestamp":1795240440,"type":"gauge","value":0.5},
                {"id":"qemu/100","metric":"net_in","timestamp":1795240440,"type":"derive","value":12},
                {"id":"lxc/101","metric":"mem_used","timestamp":1795240440,"type":"gauge","value":"9"},
                {"id":"storage/pve1/local","metric":"disk_used","timestamp":1795240440,"type":"gauge","value":7},
                {"id":"moon/1","metric":"x","timestamp":1,"type":"gauge","value":1}, 7,
                {"id":"qemu/x","metric":"x","timestamp":1,"type":"gauge","value":1}
            ]}}"#,
        );
        let of: Vec<ReadingOf> = readings.iter().map(|reading| reading.of.clone()).collect();
        assert_eq!(
            of,
            [
                ReadingOf::Node("pve1".into()),
                ReadingOf::Guest(Vmid(100)),
                ReadingOf::Guest(Vmid(101)),
                ReadingOf::Storage("pve1".into(), "local".into()),
            ]
        );
        assert!(readings[1].counts && !readings[0].counts);
        assert_eq!(
            read(r#"{"data":{"data":[]}}"#),
            [],
            "it may be empty where it exists"
        );
        assert_eq!(read(r#"{"data":null}"#), []);
    }

    #[test]
    fn guests_without_a_job() {
        let body = r#"{"data":[{"name":"web01","type":"qemu","vmid":100},{"vmid":"101"},{"name":"x"},7]}"#;
        let guests = not_backed_up(&envelope(body).unwrap()).unwrap();
        assert_eq!(guests, [Vmid(100), Vmid(101)]);
    }
}
