//! Changing a guest: configuration, snapshots, disk size, template.

use serde_json::Value;

use super::{Call, power::lock_file};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        effects::configure,
        guest::{Guest, Kind, bytes, is_disk_key},
        task::Effect,
    },
};

/// The words for a guest under a lock.
pub(super) fn locked(guest: &Guest) -> Result<(), String> {
    match guest.lock() {
        Some(lock) => Err(format!("{} is locked ({lock})", guest.kind.label())),
        None => Ok(()),
    }
}

impl Call<'_> {
    pub(super) fn route_change(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("PUT" | "POST", "/config") => self.set_config(kind),
            ("POST", "/snapshot") => self.take_snapshot(kind),
            ("DELETE", "/snapshot/{snapname}") => self.delete_snapshot(kind),
            ("PUT", "/snapshot/{snapname}/config") => self.describe_snapshot(kind),
            ("POST", "/snapshot/{snapname}/rollback") => self.roll_back(kind),
            ("PUT", "/resize") => self.resize(kind),
            ("POST", "/template") => self.make_template(kind),
            _ => return None,
        })
    }

    fn set_config(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        let guest = self.guest(kind)?.clone();
        let mut changes: Vec<(String, Option<String>)> = Vec::new();
        for (key, value) in self.params.iter() {
            match key {
                "delete" => changes.extend(value.split([',', ' ', ';']).map(|gone| (gone.to_owned(), None))),
                "digest" | "skiplock" | "background_delay" | "force" | "revert" => {}
                _ => changes.push((key.to_owned(), Some(value.to_owned()))),
            }
        }
        self.check_changes(&changes)?;
        if let Some(digest) = self.params.get("digest")
            && digest != guest.digest()
        {
            return Err(Failure::server("checksum mismatch (file change by other user?)"));
        }
        if !self.params.flag("skiplock") {
            locked(&guest).map_err(Failure::server)?;
        }
        if guest.busy.is_some() {
            let file = lock_file(kind, guest.vmid);
            return Err(Failure::server(format!("can't lock file '{file}' - got timeout")));
        }
        if !self.world.quorate {
            let file = Guest::file(kind, &guest.node, guest.vmid);
            return Err(Failure::server(format!(
                "unable to open file '/etc/pve/{file}.tmp.{}' - Permission denied",
                guest.pid
            )));
        }
        for (key, value) in &mut changes {
            if let Some(text) = value.as_mut().filter(|_| is_disk_key(key)) {
                *text = self.new_disk(&guest, key, text)?;
            }
        }
        if self.verb == "POST" {
            let said = changes
                .iter()
                .map(|(key, value)| match value {
                    Some(value) => format!("-{key} {value}"),
                    None => format!("-delete {key}"),
                })
                .collect::<Vec<_>>()
                .join(" ");
            let order = self
                .order(&format!("{}config", kind.task_prefix()), guest.vmid.to_string())
                .says(vec![format!("update VM {}: {said}", guest.vmid)])
                .does(Effect::Configure {
                    vmid: guest.vmid,
                    changes,
                });
            return self.begin(order);
        }
        if let Some(guest) = self.world.guests.get_mut(&guest.vmid) {
            configure(guest, changes);
        }
        Ok(Value::Null.into())
    }

    fn check_changes(&self, changes: &[(String, Option<String>)]) -> Result<(), Failure> {
        if changes.is_empty() {
            return Err(Failure::server("no options specified"));
        }
        let table = crate::demo::table::Table::get();
        let path = self.path.replace("{node}", "n").replace("{vmid}", "100");
        for (key, value) in changes {
            if value.is_none() {
                let known = table
                    .find(self.verb, &path)
                    .is_some_and(|(method, _)| method.parameter(key).is_some());
                if !known {
                    return Err(Failure::parameter("delete", format!("unknown option '{key}'")));
                }
                if changes
                    .iter()
                    .any(|(other, value)| other == key && value.is_some())
                {
                    return Err(Failure::parameter(
                        "delete",
                        format!("you can't use '-{key}' and -delete {key}' at the same time"),
                    ));
                }
            }
            if matches!(key.as_str(), "args" | "lock" | "hookscript") && !self.who.is_root_ticket() {
                return Err(Failure::server(format!("only root can set '{key}' config")));
            }
        }
        Ok(())
    }

    /// A disk option: `STORAGE:SIZE` allocates, an existing volume must exist.
    pub(super) fn new_disk(&self, guest: &Guest, key: &str, text: &str) -> Result<String, Failure> {
        let (volume, rest) = text.split_once(',').unwrap_or((text, ""));
        let Some((storage, name)) = volume.split_once(':') else {
            return Ok(text.to_owned());
        };
        if self.world.storage(storage).is_none() {
            return Err(Failure::server(format!("storage '{storage}' does not exist")));
        }
        if let Ok(size) = name.parse::<f64>() {
            let number = guest.disks().iter().filter(|disk| disk.key != key).count();
            let stem = if guest.kind == Kind::Qemu { "vm" } else { "subvol" };
            let more: Vec<&str> = rest
                .split(',')
                .filter(|part| !part.is_empty() && !part.starts_with("format="))
                .collect();
            let more = if more.is_empty() {
                String::new()
            } else {
                format!(",{}", more.join(","))
            };
            return Ok(format!(
                "{storage}:{stem}-{}-disk-{number}{more},size={size}G",
                guest.vmid
            ));
        }
        let known = self.world.volumes.iter().any(|known| known.volid == volume)
            || self
                .world
                .guests
                .values()
                .any(|guest| guest.disks().iter().any(|disk| disk.volid == volume));
        if known {
            Ok(text.to_owned())
        } else {
            Err(Failure::server(format!("volume '{volume}' does not exist")))
        }
    }

    fn take_snapshot(&mut self, kind: Kind) -> Outcome {
        let name = self.params.text("snapname").to_owned();
        if matches!(name.as_str(), "current" | "pending") {
            return Err(Failure::server(format!(
                "unable to use snapshot name '{name}' (reserved name)"
            )));
        }
        let guest = self.guest(kind)?;
        let (vmid, lock, running) = (guest.vmid, locked(guest), guest.is_running());
        let used = guest.snapshots.iter().any(|snapshot| snapshot.name == name);
        let lines = guest
            .disks()
            .iter()
            .map(|disk| format!("snapshotting 'drive-{}' ({})", disk.key, disk.volid))
            .collect();
        let template = guest.is_template();
        let order = self
            .order(&format!("{}snapshot", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock {
            _ if template => order
                .takes(300)
                .fails("you can't take a snapshot if it's a template"),
            Err(lock) => order.takes(300).fails(lock),
            Ok(()) if used => order
                .takes(300)
                .fails(format!("snapshot name '{name}' already used")),
            Ok(()) => order.takes(2500).says(lines).does(Effect::Snapshot {
                vmid,
                name,
                description: self.params.text("description").to_owned(),
                vmstate: running && self.params.flag("vmstate"),
            }),
        };
        self.begin(order)
    }

    /// The snapshot of the path and whether it exists.
    fn named_snapshot(&self, guest: &Guest) -> (String, Result<(), String>) {
        let name = self.variable("snapname").to_owned();
        let known = guest.snapshots.iter().any(|snapshot| snapshot.name == name);
        let found = if known {
            Ok(())
        } else {
            Err(format!("snapshot '{name}' does not exist"))
        };
        (name, found)
    }

    fn delete_snapshot(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let lock = locked(guest);
        let (name, found) = self.named_snapshot(guest);
        let order = self
            .order(&format!("{}delsnapshot", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock.and(found) {
            Err(reason) => order.takes(300).fails(reason),
            Ok(()) => order.takes(2000).does(Effect::DeleteSnapshot { vmid, name }),
        };
        self.begin(order)
    }

    fn roll_back(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let lock = locked(guest);
        let (name, found) = self.named_snapshot(guest);
        let order = self
            .order(&format!("{}rollback", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock.and(found) {
            Err(reason) => order.takes(300).fails(reason),
            Ok(()) => order.takes(3000).does(Effect::Rollback {
                vmid,
                name,
                start: self.params.flag("start"),
            }),
        };
        self.begin(order)
    }

    fn describe_snapshot(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let (name, found) = self.named_snapshot(guest);
        found.map_err(Failure::server)?;
        let text = self.params.text("description").to_owned();
        let snapshots = self.world.guests.get_mut(&vmid).map(|guest| &mut guest.snapshots);
        for snapshot in snapshots
            .into_iter()
            .flatten()
            .filter(|snapshot| snapshot.name == name)
        {
            snapshot.description.clone_from(&text);
        }
        Ok(Value::Null.into())
    }

    fn resize(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let (disk, text) = (self.params.text("disk").to_owned(), self.params.text("size"));
        let old = guest
            .disks()
            .into_iter()
            .find(|known| known.key == disk)
            .map(|known| known.size);
        let given = bytes(text.trim_start_matches('+')).unwrap_or(0);
        let order = self.order("resize", vmid.to_string()).takes(900).holds(vmid);
        let order = match (locked(guest), old) {
            (Err(reason), _) => order.fails(reason),
            (_, None) => order.fails(format!("disk '{disk}' does not exist")),
            (_, Some(old)) => {
                let size = if text.starts_with('+') { old + given } else { given };
                if size < old {
                    order.fails("shrinking disks is not supported")
                } else {
                    order
                        .says(vec!["Image resized.".to_owned()])
                        .does(Effect::Resize { vmid, disk, size })
                }
            }
        };
        self.begin(order)
    }

    fn make_template(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        locked(guest).map_err(Failure::server)?;
        let refusal = if guest.is_template() {
            Some("you can't convert a template to a template".to_owned())
        } else if !guest.snapshots.is_empty() {
            Some("unable to create template, because VM contains snapshots".to_owned())
        } else if guest.is_running() {
            Some(format!(
                "unable to create template, because {} is running",
                guest.kind.label()
            ))
        } else {
            None
        };
        if let Some(reason) = refusal {
            return Err(Failure::server(reason));
        }
        let order = self
            .order(&format!("{}template", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        self.begin(order.takes(1500).does(Effect::Template(vmid)))
    }
}
