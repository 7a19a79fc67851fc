//! Storages: their definition, how full they are and what is on them.

use serde_json::{Value, json};

use super::{Call, cluster::digest, config::split_list};
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
            ("PUT", "/storage/{storage}") => self.change_storage(),
            ("GET", "/nodes/{node}/storage") => Ok(self.node_storages().into()),
            ("GET", "/nodes/{node}/storage/{storage}/status") => self.storage_status(),
            ("GET", "/nodes/{node}/storage/{storage}/content") => self.content(),
            ("GET", "/nodes/{node}/storage/{storage}/content/{volume}") => self.volume(),
            ("PUT", "/nodes/{node}/storage/{storage}/content/{volume}") => self.change_volume(),
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
            .filter(|storage| !storage.disabled && storage.enabled_on(self.variable("node")).is_ok())
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

    /// The id of the volume that the path names.
    fn volid(&self) -> String {
        let volid = self.variable("volume");
        if volid.contains(':') {
            volid.to_owned()
        } else {
            format!("{}:{volid}", self.variable("storage"))
        }
    }

    /// Who may touch a volume: backups belong to those who may back their guest up.
    fn may_touch(&self, volid: &str) -> Result<(), Failure> {
        let path = format!("/storage/{}", self.variable("storage"));
        let volume = self.world.volumes.iter().find(|volume| volume.volid == volid);
        let owner = volume
            .filter(|volume| volume.content == "backup")
            .and_then(|volume| volume.vmid);
        match owner {
            Some(vmid) => {
                self.need(&path, "Datastore.AllocateSpace")?;
                self.need(&format!("/vms/{vmid}"), "VM.Backup")
            }
            None => self.need(&path, "Datastore.Allocate"),
        }
    }

    fn delete_volume(&mut self) -> Outcome {
        let name = self.known_storage()?.name;
        let volid = self.volid();
        self.may_touch(&volid)?;
        let volume = self.world.volumes.iter().find(|volume| volume.volid == volid);
        let protected = volume.is_some_and(|volume| volume.protected);
        let of_guest = volid
            .rsplit('/')
            .next()
            .filter(|_| volume.is_none())
            .and_then(|file| file.split('-').nth(1))
            .and_then(|id| id.parse::<u32>().ok());
        let id = of_guest.map_or_else(|| name.to_owned(), |vmid| format!("{vmid}@{name}"));
        let order = self.order("imgdel", id);
        let order = if protected {
            let volume = volid.split_once(':').map_or("", |(_, volume)| volume);
            order.fails(format!("cannot remove protected volume '{volume}' on '{name}'"))
        } else {
            order
                .says(vec![format!("Removed volume '{volid}'")])
                .does(Effect::DeleteVolume { volid })
        };
        self.begin(order)
    }

    fn change_volume(&mut self) -> Outcome {
        self.known_storage()?;
        let volid = self.volid();
        self.may_touch(&volid)?;
        let notes = self.params.get("notes").map(str::to_owned);
        let protected = self
            .params
            .get("protected")
            .map(|_| self.params.flag("protected"));
        let volume = self.world.volumes.iter_mut().find(|volume| volume.volid == volid);
        let Some(volume) = volume else {
            return Err(Failure::server(format!("volume '{volid}' does not exist")));
        };
        if volume.content != "backup" {
            return Err(Failure::server(format!(
                "attribute 'notes' is not supported for storage type '{}' and volume type '{}'",
                "dir", volume.content
            )));
        }
        if let Some(notes) = notes {
            volume.notes = Some(notes).filter(|notes| !notes.is_empty());
        }
        volume.protected = protected.unwrap_or(volume.protected);
        Ok(Value::Null.into())
    }

    /// `PUT /storage/{storage}`: which nodes have it, and whether it is in use at all.
    fn change_storage(&mut self) -> Outcome {
        let name = self.variable("storage").to_owned();
        let nodes: Option<Vec<String>> = self.params.get("nodes").map(|list| split_list(list).collect());
        let disable = self.params.get("disable").map(|_| self.params.flag("disable"));
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        let unknown = nodes
            .iter()
            .flatten()
            .find(|node| self.world.node(node).is_none())
            .cloned();
        if let Some(node) = unknown {
            return Err(Failure::server(format!(
                "update storage failed: node '{node}' does not exist"
            )));
        }
        let kept = self.params.get("prune-backups").map(str::to_owned);
        let Some(storage) = self
            .world
            .storages
            .iter_mut()
            .find(|storage| storage.name == name)
        else {
            return Err(Failure::server(format!(
                "update storage failed: storage '{name}' does not exist"
            )));
        };
        storage.nodes = nodes
            .or(storage.nodes.take())
            .filter(|_| !gone.iter().any(|key| key == "nodes"));
        storage.disabled = disable.unwrap_or(storage.disabled) && !gone.iter().any(|key| key == "disable");
        if let Some(kept) = kept {
            storage.settings.retain(|(key, _)| *key != "prune-backups");
            storage.settings.push(("prune-backups", kept));
        }
        let kind = storage.kind;
        Ok(json!({"storage": name, "type": kind}).into())
    }
}

fn definition(storage: &Storage) -> Value {
    let mut row = json!({
        "storage": storage.name, "type": storage.kind, "content": storage.content, "digest": digest("storage.cfg"),
    });
    if storage.shared {
        row["shared"] = json!(1);
    }
    if let Some(nodes) = &storage.nodes {
        row["nodes"] = json!(nodes.join(","));
    }
    if storage.disabled {
        row["disable"] = json!(1);
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
