//! `GET` and `POST …/migrate`: what stands in the way, and the move itself.

use serde_json::{Map, Value, json};

use super::{Call, config::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::{Drive, is_unused_key},
        guest::{Guest, Kind, bytes, is_disk_key},
        ha::REACTION,
        migration::Way,
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_migrate(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("GET", "/migrate") => self.migration_conditions(kind),
            ("POST", "/migrate") => self.migrate(kind),
            _ => return None,
        })
    }

    fn migration_conditions(&self, kind: Kind) -> Outcome {
        self.world.need_quorum()?;
        let guest = self.guest(kind)?;
        locked(guest).map_err(Failure::server)?;
        let mut allowed = Vec::new();
        let mut refused = Map::new();
        let used: Vec<String> = guest
            .config
            .iter()
            .filter(|(key, _)| is_disk_key(key))
            .filter_map(|(_, value)| Drive::parse(value).storage().map(str::to_owned))
            .collect();
        for node in self.world.nodes.iter().filter(|node| node.name != guest.node) {
            let mut missing: Vec<&str> = used
                .iter()
                .filter_map(|name| self.world.storage(name))
                .filter(|storage| storage.enabled_on(&node.name).is_err())
                .map(|storage| storage.name)
                .collect();
            missing.sort_unstable();
            missing.dedup();
            let mut info = Map::new();
            if !missing.is_empty() && kind == Kind::Qemu {
                info.insert("unavailable_storages".to_owned(), json!(missing));
            }
            let blocked = self.blocking(guest.vmid, &node.name);
            if !blocked.is_empty() {
                info.insert("blocking-ha-resources".to_owned(), Value::from(blocked));
            }
            if info.is_empty() {
                allowed.push(node.name.clone());
            }
            // The real server also names nodes here that nothing speaks against.
            if !info.is_empty() || kind == Kind::Qemu {
                refused.insert(node.name.clone(), Value::Object(info));
            }
        }
        let running = u8::from(guest.is_running());
        let mut answer = match kind {
            Kind::Qemu => json!({
                "running": running, "local_disks": self.local_disks(guest), "local_resources": local_resources(guest),
                "mapped-resources": [], "mapped-resource-info": {}, "allowed_nodes": allowed,
                "not_allowed_nodes": refused, "has-dbus-vmstate": 1,
            }),
            Kind::Lxc => json!({
                "running": running, "allowed-nodes": allowed, "not-allowed-nodes": refused,
            }),
        };
        if self.world.ha.iter().any(|resource| resource.vmid == guest.vmid) {
            let together = self.world.affine(guest.vmid, true);
            let sids: Vec<String> = together.iter().map(|other| self.world.sid(*other)).collect();
            answer["dependent-ha-resources"] = json!(sids);
        }
        Ok(answer.into())
    }

    fn local_disks(&self, guest: &Guest) -> Vec<Value> {
        guest
            .config
            .iter()
            .filter(|(key, _)| is_disk_key(key) || is_unused_key(key))
            .map(|(key, value)| (key, Drive::parse(value)))
            .filter(|(_, drive)| {
                let storage = drive.storage().and_then(|name| self.world.storage(name));
                storage.is_some_and(|storage| !storage.shared)
            })
            .map(|(key, drive)| {
                let mut row = json!({
                    "drivename": key, "volid": drive.volid, "size": drive.get("size").and_then(bytes).unwrap_or(0),
                    "cdrom": u8::from(drive.is_cdrom()), "is_attached": u8::from(!is_unused_key(key)),
                    "is_unused": u8::from(is_unused_key(key)), "is_vmstate": 0,
                    "is_tpmstate": u8::from(key == "tpmstate0"),
                    "is_cloudinit": u8::from(drive.volid.contains("-cloudinit")), "replicate": 1, "shared": 0,
                });
                let snapshots: Map<String, Value> = guest
                    .snapshots
                    .iter()
                    .filter(|snapshot| {
                        let mut values = snapshot.config.values();
                        values.any(|value| Drive::parse(value).volid == drive.volid)
                    })
                    .map(|snapshot| (snapshot.name.clone(), json!(1)))
                    .collect();
                if !snapshots.is_empty() {
                    row["referenced_in_snapshot"] = Value::Object(snapshots);
                }
                row
            })
            .collect()
    }

    fn migrate(&mut self, kind: Kind) -> Outcome {
        let target = self.params.text("target").to_owned();
        if target == self.variable("node") {
            return Err(Failure::parameter("target", "target is local node."));
        }
        self.world.need_quorum()?;
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        for option in ["force", "migration_type", "migration_network"] {
            self.root_only(option)?;
        }
        let guest = self.guest(kind)?.clone();
        let (vmid, label) = (guest.vmid, kind.label());
        let mut way = Way {
            online: self.params.flag("online") && guest.is_running(),
            restart: self.params.flag("restart"),
            with_local_disks: self.params.flag("with-local-disks"),
            storages: Vec::new(),
        };
        if kind == Kind::Qemu {
            locked(&guest).map_err(Failure::server)?;
            if guest.is_running() && !way.online {
                return Err(Failure::server("can't migrate running VM without --online"));
            }
            let replicated = self.world.replications.iter().find(|job| job.vmid == vmid);
            if guest.is_running()
                && !self.params.flag("force")
                && replicated.is_some_and(|job| job.target != target)
            {
                return Err(Failure::server(format!(
                    "Cannot live-migrate replicated VM to node '{target}' - not a replication target. \
                     Use 'force' to override."
                )));
            }
        } else if guest.is_running() && !way.restart && !self.params.flag("online") {
            return Err(Failure::server(
                "can't migrate running container without --online or --restart",
            ));
        }
        let name = if kind == Kind::Qemu {
            "targetstorage"
        } else {
            "target-storage"
        };
        match self.params.get(name).map(str::to_owned) {
            Some(list) => way.storages = self.storage_map(vmid, name, &list, &target)?,
            None if kind == Kind::Qemu => self.check_available(&guest, &target)?,
            None => {}
        }
        if self.world.is_managed(vmid) {
            let line = format!("Requesting HA migration for {label} {vmid} to node {target}");
            let order = self
                .order("hamigrate", vmid.to_string())
                .takes(600)
                .says(vec![line]);
            self.world.later(
                REACTION,
                Effect::HaMove {
                    vmid,
                    target,
                    relocate: false,
                },
            );
            return self.begin(order);
        }
        let who = self.who.full();
        match self.world.migration(vmid, &target, &way, &who) {
            Some(order) => self.begin(order),
            None => Err(Failure::server(format!("no such cluster node '{target}'"))),
        }
    }

    /// All storages of the disks are there on the other node.
    fn check_available(&self, guest: &Guest, target: &str) -> Result<(), Failure> {
        for (_, value) in guest.config.iter().filter(|(key, _)| is_disk_key(key)) {
            let drive = Drive::parse(value);
            let Some(storage) = drive.storage().and_then(|name| self.world.storage(name)) else {
                continue;
            };
            storage.enabled_on(&guest.node).map_err(Failure::server)?;
            storage.enabled_on(target).map_err(Failure::server)?;
            let content = if drive.volid.contains(":iso/") {
                "iso"
            } else {
                "images"
            };
            if !storage.takes(content) {
                return Err(Failure::server(format!(
                    "{}: content type '{content}' is not available on storage '{}'",
                    drive.volid, storage.name
                )));
            }
        }
        Ok(())
    }

    /// `a:b,c:d`, or one storage for all, or `1` for the same names.
    fn storage_map(
        &self,
        vmid: u32,
        name: &str,
        list: &str,
        target: &str,
    ) -> Result<Vec<(Option<String>, String)>, Failure> {
        let mut pairs = Vec::new();
        let mut identity = false;
        for part in super::config::split_list(list) {
            match part.split_once(':') {
                Some((from, to)) => pairs.push((Some(from.to_owned()), to.to_owned())),
                None if part == "1" => identity = true,
                None if pairs.iter().any(|(from, _)| from.is_none()) => {
                    return Err(Failure::parameter(
                        name,
                        "failed to parse storage map: duplicate default map entry",
                    ));
                }
                None => pairs.push((None, part)),
            }
        }
        if !identity {
            self.need(&format!("/vms/{vmid}"), "VM.Config.Disk")?;
        }
        for (_, to) in &pairs {
            let storage = self
                .world
                .storage(to)
                .ok_or_else(|| Failure::server(format!("storage '{to}' does not exist")))?;
            storage.enabled_on(target).map_err(Failure::server)?;
            self.need(&format!("/storage/{to}"), "Datastore.AllocateSpace")?;
        }
        Ok(pairs)
    }
}

/// Devices of the host that hold a VM where it is.
fn local_resources(guest: &Guest) -> Vec<&str> {
    guest
        .config
        .iter()
        .filter(|(key, value)| {
            let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
            match stem {
                "hostpci" => !value.contains("mapping="),
                "usb" => !value.contains("spice") && !value.contains("mapping="),
                "serial" => value.as_str() != "socket",
                "parallel" => true,
                _ => false,
            }
        })
        .map(|(key, _)| key.as_str())
        .collect()
}
