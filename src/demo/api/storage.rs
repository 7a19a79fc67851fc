//! Storages: their definition, how full they are and what is on them.

use serde_json::{Value, json};

use super::{Call, cluster::digest};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        guest::Kind,
        host::{Storage, Volume},
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_storage(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/storage") => {
                let wanted = self.params.get("type");
                let rows: Value = self
                    .world
                    .storages
                    .iter()
                    .filter(|storage| self.sees_storage(storage.name))
                    .filter(|storage| wanted.is_none_or(|kind| storage.kind == kind))
                    .map(definition)
                    .collect();
                Ok(rows.into())
            }
            ("GET", "/storage/{storage}") => {
                let name = self.variable("storage");
                let found = self.world.storage(name).map(|storage| definition(storage).into());
                found.ok_or_else(|| Failure::server(format!("storage '{name}' does not exist")))
            }
            ("GET", "/nodes/{node}/storage") => Ok(self.node_storages().into()),
            ("GET", "/nodes/{node}/storage/{storage}/status") => self.storage_status(),
            ("GET", "/nodes/{node}/storage/{storage}/content") => self.content(),
            ("GET", "/nodes/{node}/storage/{storage}/content/{volume}") => self.volume(),
            ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}") => self.delete_volume(),
            ("GET", "/nodes/{node}/storage/{storage}/rrddata") => self.storage_history(),
            _ => return None,
        })
    }

    pub(super) fn known_storage(&self) -> Result<&Storage, Failure> {
        self.world
            .storage(self.variable("storage"))
            .ok_or_else(|| Failure::parameter("storage", "No such storage."))
    }

    fn storage_status(&self) -> Outcome {
        let mut row = self.storage_state(self.known_storage()?);
        if let Value::Object(row) = &mut row {
            row.remove("storage");
            row.remove("used_fraction");
        }
        Ok(row.into())
    }

    fn storage_state(&self, storage: &Storage) -> Value {
        let used = storage.used(self.variable("node"), self.world.sampled());
        json!({
            "storage": storage.name, "type": storage.kind, "content": storage.content,
            "active": 1, "enabled": 1, "shared": u8::from(storage.shared),
            "total": storage.total, "used": used, "avail": storage.total - used,
            "used_fraction": used as f64 / storage.total as f64,
        })
    }

    fn node_storages(&self) -> Value {
        let wanted = self.params.get("content");
        self.world
            .storages
            .iter()
            .filter(|storage| self.sees_storage(storage.name))
            .filter(|storage| self.params.get("storage").is_none_or(|name| storage.name == name))
            .filter(|storage| {
                wanted.is_none_or(|list| {
                    list.split(',')
                        .any(|kind| storage.content.split(',').any(|own| own == kind))
                })
            })
            .map(|storage| self.storage_state(storage))
            .collect()
    }

    /// The disks of the guests on this storage, as seen from this node.
    fn guest_volumes(&self, storage: &Storage) -> Vec<Value> {
        let node = self.variable("node");
        let format = match storage.kind {
            "dir" | "nfs" => "qcow2",
            _ => "raw",
        };
        let mut rows = Vec::new();
        for guest in self.world.guests.values() {
            if !storage.shared && guest.node != node {
                continue;
            }
            for disk in guest
                .disks()
                .into_iter()
                .filter(|disk| disk.storage == storage.name)
            {
                rows.push(json!({
                    "volid": disk.volid, "vmid": guest.vmid, "size": disk.size, "ctime": guest.since,
                    "content": if guest.kind == Kind::Lxc { "rootdir" } else { "images" },
                    "format": if guest.kind == Kind::Lxc && storage.kind == "zfspool" { "subvol" } else { format },
                }));
            }
        }
        rows
    }

    fn content(&self) -> Outcome {
        let storage = self.known_storage()?;
        let node = self.variable("node");
        let mut rows = self.guest_volumes(storage);
        let here = |volume: &&Volume| {
            volume.storage == storage.name && volume.node.as_deref().is_none_or(|place| place == node)
        };
        rows.extend(self.world.volumes.iter().filter(here).map(volume_row));
        if let Some(kind) = self.params.get("content") {
            rows.retain(|row| row["content"] == kind);
        }
        if let Some(vmid) = self.params.number("vmid") {
            rows.retain(|row| row["vmid"] == vmid);
        }
        let allocates = self.has(&format!("/storage/{}", storage.name), "Datastore.Allocate");
        rows.retain(|row| {
            allocates
                || match row["vmid"].as_u64() {
                    Some(vmid) => {
                        let path = format!("/vms/{vmid}");
                        self.has(&path, "VM.Backup")
                            || row["content"] != "backup" && self.has(&path, "VM.Config.Disk")
                    }
                    None => self.sees_storage(storage.name),
                }
        });
        Ok(Value::from(rows).into())
    }

    fn volume(&self) -> Outcome {
        let storage = self.known_storage()?;
        let volid = self.variable("volume");
        let volid = if volid.contains(':') {
            volid.to_owned()
        } else {
            format!("{}:{volid}", storage.name)
        };
        let mut rows = self.guest_volumes(storage);
        rows.extend(self.world.volumes.iter().map(volume_row));
        let row = rows.iter().find(|row| row["volid"] == volid);
        let row =
            row.ok_or_else(|| Failure::server(format!("volume_size_info on '{volid}' failed - no format")))?;
        let name = volid.split_once(':').map_or("", |(_, name)| name);
        Ok(json!({
            "path": format!("/mnt/pve/{}/{name}", storage.name),
            "format": row["format"], "size": row["size"], "used": row["size"],
        })
        .into())
    }

    fn delete_volume(&mut self) -> Outcome {
        let name = self.known_storage()?.name;
        if !self.has(&format!("/storage/{name}"), "Datastore.Allocate") {
            return Err(Failure::forbidden(
                &format!("/storage/{name}"),
                "Datastore.Allocate",
            ));
        }
        let volid = self.variable("volume");
        let volid = if volid.contains(':') {
            volid.to_owned()
        } else {
            format!("{name}:{volid}")
        };
        if self
            .world
            .volumes
            .iter()
            .any(|volume| volume.volid == volid && volume.protected)
        {
            return Err(Failure::server(format!("can't remove '{volid}': protected")));
        }
        let order = self.order("imgdel", name).does(Effect::DeleteVolume { volid });
        self.begin(order)
    }
}

fn definition(storage: &Storage) -> Value {
    let mut row = json!({
        "storage": storage.name, "type": storage.kind, "content": storage.content, "digest": digest("storage.cfg"),
    });
    if storage.shared {
        row["shared"] = json!(1);
    }
    for (key, value) in &storage.settings {
        row[*key] = match value.parse::<i64>() {
            Ok(number) if matches!(*key, "krbd" | "sparse") => json!(number),
            _ => json!(value),
        };
    }
    row
}

fn volume_row(volume: &Volume) -> Value {
    let mut row = json!({
        "volid": volume.volid, "content": volume.content, "format": volume.format, "size": volume.size,
        "ctime": volume.ctime,
    });
    if let Some(vmid) = volume.vmid {
        row["vmid"] = json!(vmid);
        row["subtype"] = json!(if volume.format.contains("ct") || volume.format.contains("tar") {
            "lxc"
        } else {
            "qemu"
        });
    }
    if let Some(notes) = &volume.notes {
        row["notes"] = json!(notes);
    }
    if volume.protected {
        row["protected"] = json!(1);
    }
    if let Some(good) = volume.verified {
        row["verification"] = json!({
            "state": if good { "ok" } else { "failed" },
            "upid": "UPID:backup:00000BB8:00A1B2C3:00000001:6B000000:verificationjob:main:root@pam:",
        });
    }
    row
}
