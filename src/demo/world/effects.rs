//! What a task that ended well has changed.

use super::{
    World,
    configure::configure,
    disks,
    firewall::Scope,
    guest::{Guest, Power, Snapshot, is_disk_key, size_text},
    host::Volume,
    load::{Profile, fraction, mix},
    task::Effect,
};

impl World {
    /// Applies the effect of a task that ended at `moment`, in milliseconds.
    pub(crate) fn apply(&mut self, effect: Effect, moment: i64) {
        let at = moment / 1000;
        match effect {
            Effect::Nothing => {}
            Effect::Start(vmid) | Effect::Reboot(vmid) => self.change(vmid, |guest| guest.power_on(at)),
            Effect::Stop(vmid) => self.change(vmid, Guest::power_off),
            Effect::Pause(vmid) => self.change(vmid, |guest| guest.power = Power::Paused),
            Effect::Resume(vmid) => self.change(vmid, |guest| guest.power = Power::Running),
            Effect::Create { vmid, config, then } => {
                self.change(vmid, |guest| guest.config = config);
                if let Some(order) = then {
                    self.begin_at(*order, moment);
                }
            }
            Effect::Delete { vmid, purge, strays } => self.remove(vmid, purge, strays),
            Effect::Snapshot {
                vmid,
                name,
                description,
                vmstate,
            } => self.change(vmid, |guest| {
                let snapshot = Snapshot {
                    name: name.clone(),
                    description,
                    time: at,
                    parent: guest.parent.replace(name),
                    vmstate,
                    config: guest.config.clone(),
                };
                guest.snapshots.push(snapshot);
            }),
            Effect::DeleteSnapshot { vmid, name } => self.change(vmid, |guest| delete_snapshot(guest, &name)),
            Effect::Rollback { vmid, name, start } => self.change(vmid, |guest| {
                let Some(snapshot) = guest.snapshots.iter().find(|snapshot| snapshot.name == name) else {
                    return;
                };
                guest.config = snapshot.config.clone();
                guest.pending.clear();
                let resumes = snapshot.vmstate || start;
                guest.parent = Some(name);
                guest.power_off();
                if resumes {
                    guest.power_on(at);
                }
            }),
            Effect::Clone { to } => self.change(to, |guest| {
                guest.config.remove("lock");
            }),
            Effect::Forget(vmid) => {
                self.guests.remove(&vmid);
            }
            Effect::Migrate { vmid, target, values } => self.arrive(vmid, &target, values),
            Effect::MoveDisk {
                vmid,
                key,
                value,
                kept,
            } => self.change(vmid, |guest| {
                guest.config.insert(key, value);
                if let Some(old) = kept {
                    guest.add_unused(&old);
                }
            }),
            Effect::Reassign {
                from,
                key,
                to,
                target,
                value,
            } => {
                self.change(from, |guest| {
                    guest.config.remove(&key);
                });
                self.change(to, |guest| {
                    guest.config.insert(target, value);
                });
            }
            Effect::Resize { vmid, disk, size } => self.change(vmid, |guest| {
                if let Some(value) = guest.config.get_mut(&disk) {
                    *value = resized(value, size);
                }
            }),
            Effect::Template { vmid, disk } => self.change(vmid, |guest| {
                guest.config.insert("template".to_owned(), "1".to_owned());
                for (_, value) in guest
                    .config
                    .iter_mut()
                    .filter(|(key, _)| is_disk_key(key) && disk.as_ref().is_none_or(|only| only == *key))
                {
                    *value = disks::as_base(value);
                }
            }),
            Effect::Configure { vmid, changes } => self.change(vmid, |guest| configure(guest, changes)),
            Effect::Backup { vmid, storage } => self.store_backup(vmid, &storage, at),
            Effect::DeleteVolume { volid } => self.volumes.retain(|volume| volume.volid != volid),
            other => self.apply_to_nodes(other, moment),
        }
    }

    /// What the HA manager, nodes and tasks over many guests do.
    fn apply_to_nodes(&mut self, effect: Effect, moment: i64) {
        match effect {
            Effect::HaMove {
                vmid,
                target,
                relocate,
            } => self.ha_move(vmid, &target, relocate, moment),
            Effect::HaAct(vmid) => self.ha_act(vmid, moment),
            Effect::HaRecover(node) => self.ha_recover(&node, moment),
            Effect::Turn(turn) => self.take_turn(&turn, moment),
            Effect::Hibernate { vmid, volid } => self.change(vmid, |guest| {
                guest.power_off();
                guest.config.insert("lock".to_owned(), "suspended".to_owned());
                guest.config.insert("vmstate".to_owned(), volid);
            }),
            Effect::SendDown { node, back } => self.send_down(&node, back, moment),
            Effect::NodeDown { node, back } => self.take_down(&node, back, moment),
            Effect::NodeUp(node) => self.bring_up(&node, moment),
            Effect::Service { node, service, runs } => {
                for node in self.nodes.iter_mut().filter(|known| known.name == node) {
                    if runs {
                        node.stopped_services.remove(&service);
                        node.broken_service = node.broken_service.filter(|broken| *broken != service);
                    } else {
                        node.stopped_services.insert(service.clone());
                    }
                }
            }
            // Everything else is of a single guest.
            _ => {}
        }
    }

    fn change(&mut self, vmid: u32, change: impl FnOnce(&mut Guest)) {
        if let Some(guest) = self.guests.get_mut(&vmid) {
            change(guest);
        }
    }

    /// A load of its own for a guest that is new.
    pub(crate) fn profile(&self, vmid: u32) -> Profile {
        let id = mix(&[self.seed, u64::from(vmid)]);
        Profile {
            id,
            busy: 0.03 + 0.25 * fraction(&[id, 1]).powi(2),
            full: 0.25 + 0.5 * fraction(&[id, 2]),
        }
    }

    /// A guest is on another node; what was replicated there is replicated back.
    fn arrive(&mut self, vmid: u32, target: &str, values: Vec<(String, String)>) {
        let Some(guest) = self.guests.get_mut(&vmid) else {
            return;
        };
        guest.config.extend(values);
        let source = std::mem::replace(&mut guest.node, target.to_owned());
        for job in self
            .replications
            .iter_mut()
            .filter(|job| job.vmid == vmid && job.target == target)
        {
            job.target.clone_from(&source);
        }
    }

    /// A guest is gone, with what was said of it elsewhere.
    fn remove(&mut self, vmid: u32, purge: bool, strays: bool) {
        self.guests.remove(&vmid);
        self.firewalls.remove(&Scope::Guest(vmid));
        let path = format!("/vms/{vmid}");
        self.access.entries.retain(|entry| entry.path != path);
        if strays {
            self.volumes
                .retain(|volume| volume.vmid != Some(vmid) || volume.content == "backup");
        }
        if purge {
            self.ha.retain(|resource| resource.vmid != vmid);
            self.replications.retain(|job| job.vmid != vmid);
            for job in self.jobs.values_mut() {
                if let Some(list) = job.get_mut("vmid") {
                    let own = vmid.to_string();
                    let left: Vec<&str> = list.split(',').filter(|id| **id != *own).collect();
                    *list = left.join(",");
                }
            }
        }
    }

    fn store_backup(&mut self, vmid: u32, storage: &str, at: i64) {
        let Some(guest) = self.guests.get(&vmid) else {
            return;
        };
        let Some(storage) = self.storages.iter().find(|known| known.name == storage) else {
            return;
        };
        let (kind, size, name) = (guest.kind, guest.boot_size(), guest.name().to_owned());
        let volume = backup_volume(
            storage.name,
            storage.kind == "pbs",
            kind.name(),
            vmid,
            size,
            at,
            name,
        );
        self.volumes.push(volume);
        // The newest three of each guest are kept.
        let mut mine: Vec<i64> = self
            .volumes
            .iter()
            .filter(|volume| volume.vmid == Some(vmid) && volume.content == "backup" && !volume.protected)
            .map(|volume| volume.ctime)
            .collect();
        mine.sort_unstable();
        if let Some(oldest) = mine
            .len()
            .checked_sub(3)
            .and_then(|spare| mine.get(spare))
            .copied()
        {
            self.volumes.retain(|volume| {
                volume.vmid != Some(vmid)
                    || volume.content != "backup"
                    || volume.protected
                    || volume.ctime >= oldest
            });
        }
    }
}

/// A backup as a storage lists it.
pub(super) fn backup_volume(
    storage: &'static str,
    deduplicated: bool,
    kind: &str,
    vmid: u32,
    size: u64,
    at: i64,
    notes: String,
) -> Volume {
    let time = jiff::Timestamp::from_second(at).unwrap_or_default();
    let (name, format) = if deduplicated {
        let short = if kind == "qemu" { "vm" } else { "ct" };
        let format = if kind == "qemu" { "pbs-vm" } else { "pbs-ct" };
        (
            format!("backup/{short}/{vmid}/{}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            format,
        )
    } else {
        let (end, format) = if kind == "qemu" {
            ("vma.zst", "vma.zst")
        } else {
            ("tar.zst", "tar.zst")
        };
        (
            format!(
                "backup/vzdump-{kind}-{vmid}-{}.{end}",
                time.strftime("%Y_%m_%d-%H_%M_%S")
            ),
            format,
        )
    };
    Volume {
        volid: format!("{storage}:{name}"),
        storage,
        node: None,
        content: "backup",
        format,
        size: if deduplicated { size } else { size / 3 },
        ctime: at,
        vmid: Some(vmid),
        notes: Some(notes),
        protected: false,
        verified: (deduplicated && at % 3 != 0).then_some(at % 29 != 0),
    }
}

fn delete_snapshot(guest: &mut Guest, name: &str) {
    let Some(index) = guest.snapshots.iter().position(|snapshot| snapshot.name == name) else {
        return;
    };
    let gone = guest.snapshots.remove(index);
    for snapshot in &mut guest.snapshots {
        if snapshot.parent.as_deref() == Some(name) {
            snapshot.parent.clone_from(&gone.parent);
        }
    }
    if guest.parent.as_deref() == Some(name) {
        guest.parent = gone.parent;
    }
}

/// A disk option with another size.
fn resized(value: &str, size: u64) -> String {
    let kept: Vec<&str> = value
        .split(',')
        .filter(|part| !part.starts_with("size="))
        .collect();
    format!("{},size={}", kept.join(","), size_text(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resized_disk_keeps_its_other_options() {
        assert_eq!(
            resized("local:100/vm-100-disk-0.qcow2,size=2G,ssd=1", 3 << 30),
            "local:100/vm-100-disk-0.qcow2,ssd=1,size=3G"
        );
    }
}
