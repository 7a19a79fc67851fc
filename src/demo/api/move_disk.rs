//! Disks that go to another storage or to another guest.

use super::{Call, config::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::{Drive, format_of, is_unused_key},
        guest::{Guest, Kind, bytes},
        task::{Effect, Order},
    },
};

impl Call<'_> {
    pub(super) fn route_moves(&mut self, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("POST", "/move_disk") => self.move_disk(),
            ("POST", "/move_volume") => self.move_volume(),
            _ => return None,
        })
    }

    /// `POST …/move_disk`: to another storage, or to another VM.
    fn move_disk(&mut self) -> Outcome {
        let disk = self.params.text("disk").to_owned();
        let storage = self.params.get("storage").map(str::to_owned);
        let target = self.params.number("target-vmid").map(|id| id as u32);
        match (storage, target) {
            (Some(_), Some(_)) => {
                let text = "either set 'storage' or 'target-vmid', but not both".to_owned();
                let names = ["target-vmid", "storage"];
                Err(Failure::parameters(
                    names.map(|name| (name.to_owned(), text.clone())),
                ))
            }
            (None, None) => {
                let text = "both 'storage' and 'target-vmid' missing, either needs to be set".to_owned();
                let names = ["target-vmid", "storage"];
                Err(Failure::parameters(
                    names.map(|name| (name.to_owned(), text.clone())),
                ))
            }
            (None, Some(target)) => self.reassign(Kind::Qemu, &disk, target),
            (Some(storage), None) => {
                self.need(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
                let guest = self.guest(Kind::Qemu)?.clone();
                let order = self.copy_disk(&guest, &disk, &storage)?;
                self.begin(order)
            }
        }
    }

    /// The task that copies a disk of a VM to another storage.
    fn copy_disk(&self, guest: &Guest, disk: &str, name: &str) -> Result<Order, Failure> {
        locked(guest).map_err(Failure::server)?;
        self.check_modified(guest, "digest")?;
        let value = guest
            .option(disk)
            .ok_or_else(|| Failure::server(format!("disk '{disk}' does not exist")))?;
        let drive = Drive::parse(value);
        if drive.is_cdrom() || drive.volid == "none" {
            return Err(Failure::server("you can't move a cdrom"));
        }
        let from = drive.storage().unwrap_or_default().to_owned();
        let old_format = self.world.storage(&from).map(|old| format_of(old, &drive.volid));
        let format = self.params.get("format");
        if from == name && format.is_none_or(|format| Some(format) == old_format) {
            return Err(Failure::server(
                "you can't move to the same storage with same format",
            ));
        }
        let storage = self.storage_for(name, "images", &guest.node)?;
        let snapshotted = guest.is_snapshotted(&drive.volid);
        let delete = self.params.flag("delete");
        if snapshotted && delete {
            return Err(Failure::server(
                "you can't move a disk with snapshots and delete the source",
            ));
        }
        let vmid = guest.vmid;
        let format = format.or(old_format.filter(|_| storage.has_files()));
        let old = drive.volid.clone();
        let moved = Drive {
            volid: self.world.new_volid(storage, guest.kind, vmid, format, &[]),
            words: drive.words.clone(),
        };
        let size = drive.get("size").and_then(bytes).unwrap_or(1 << 30);
        let mut lines = vec![format!(
            "copying volume '{old}' from current storage '{from}' to target storage '{name}'"
        )];
        if snapshotted {
            lines.push("moving disk with snapshots, snapshots will not be moved!".to_owned());
        }
        lines.push(format!("create full clone of drive {disk} ({old})"));
        lines.extend(copy_lines(disk, size, guest.is_running()));
        lines.push(if delete {
            format!("removing source volume '{old}' after successful copy")
        } else {
            format!(
                "adding source volume '{old}' as '{}' to config",
                guest.free_unused()
            )
        });
        Ok(self
            .order("qmmove", vmid.to_string())
            .takes(2000 + (size >> 30).min(300).cast_signed() * 100)
            .holds(vmid)
            .says(lines)
            .does(Effect::MoveDisk {
                vmid,
                key: disk.to_owned(),
                value: moved.print(),
                kept: (!delete).then_some(old),
            }))
    }

    /// `POST …/move_volume` of a container.
    fn move_volume(&mut self) -> Outcome {
        let key = self.params.text("volume").to_owned();
        let storage = self.params.get("storage").map(str::to_owned);
        let target = self.params.number("target-vmid").map(|id| id as u32);
        if storage.is_some() && target.is_some() {
            return Err(Failure::server("either set storage or target-vmid, but not both"));
        }
        if let Some(target) = target {
            return self.reassign(Kind::Lxc, &key, target);
        }
        let Some(name) = storage else {
            let text = "both 'storage' and 'target-vmid' missing, either needs to be set".to_owned();
            let names = ["target-vmid", "storage"];
            return Err(Failure::parameters(
                names.map(|name| (name.to_owned(), text.clone())),
            ));
        };
        self.need(&format!("/storage/{name}"), "Datastore.AllocateSpace")?;
        let guest = self.guest(Kind::Lxc)?.clone();
        let vmid = guest.vmid;
        locked(&guest).map_err(Failure::server)?;
        if guest.is_running() {
            return Err(Failure::server("cannot move volumes of a running container"));
        }
        if is_unused_key(&key) {
            return Err(Failure::server(format!(
                "cannot move volume '{key}', only configured volumes can be moved to another storage"
            )));
        }
        let value = guest.option(&key);
        let value = value.ok_or_else(|| Failure::server(format!("volume '{key}' does not exist")))?;
        let drive = Drive::parse(value);
        let delete = self.params.flag("delete");
        if delete && guest.is_snapshotted(&drive.volid) {
            return Err(Failure::server(
                "you can't move a volume with snapshots and delete the source",
            ));
        }
        self.check_modified(&guest, "digest")?;
        let order = self
            .order("move_volume", vmid.to_string())
            .holds(vmid)
            .locks("disk");
        let storage = match self.storage_for(&name, "rootdir", &guest.node) {
            Ok(storage) => storage,
            Err(failure) => return self.begin(order.takes(500).fails(failure.reason)),
        };
        let size = drive.get("size").and_then(bytes).unwrap_or(1 << 30);
        let old = drive.volid.clone();
        let moved = Drive {
            volid: self.world.new_volid(storage, Kind::Lxc, vmid, None, &[]),
            words: drive.words,
        };
        let files = 20_000 + (size >> 22);
        let lines = vec![
            format!(
                "Number of files: {files} (reg: {}, dir: {})",
                files * 4 / 5,
                files / 5
            ),
            format!("Total file size: {size} bytes"),
            "total size is as expected, speedup is 1.00".to_owned(),
        ];
        let order = order.takes(2000 + (size >> 30).min(300).cast_signed() * 120);
        self.begin(order.says(lines).does(Effect::MoveDisk {
            vmid,
            key,
            value: moved.print(),
            kept: (!delete).then_some(old),
        }))
    }

    /// A disk goes over to another guest.
    fn reassign(&mut self, kind: Kind, key: &str, to: u32) -> Outcome {
        let guest = self.guest(kind)?.clone();
        let from = guest.vmid;
        self.need(&format!("/vms/{to}"), "VM.Config.Disk")?;
        if to == from {
            return Err(Failure::parameter(
                "target-vmid",
                "must be different than source VMID to reassign disk",
            ));
        }
        let (name, what) = match kind {
            Kind::Qemu => ("target-disk", "disk"),
            Kind::Lxc => ("target-volume", "volume"),
        };
        let target = self.params.get(name).unwrap_or(key).to_owned();
        if kind == Kind::Lxc && (key == "rootfs" || target == "rootfs") {
            return Err(Failure::server("Cannot move to/from 'rootfs'"));
        }
        let label = kind.label();
        let receiver = self.world.guests.get(&to).filter(|other| other.kind == kind);
        let receiver =
            receiver.ok_or_else(|| Failure::server(format!("could not find target {label} {to}")))?;
        if receiver.node != guest.node {
            return Err(Failure::server(match kind {
                Kind::Qemu => format!(
                    "Both VMs need to be on the same node ({} != {})",
                    guest.node, receiver.node
                ),
                Kind::Lxc => format!(
                    "Both containers need to be on the same node ({} != {})",
                    guest.node, receiver.node
                ),
            }));
        }
        for one in [&guest, receiver] {
            locked(one).map_err(Failure::server)?;
        }
        if guest.is_template() || receiver.is_template() {
            return Err(Failure::server(match kind {
                Kind::Qemu => "Can't move disks from or to template VMs",
                Kind::Lxc => "Can't move volumes from or to template CT",
            }));
        }
        let value = guest.option(key).ok_or_else(|| {
            Failure::server(match kind {
                Kind::Qemu => format!("Disk '{key}' for VM '{from}' does not exist"),
                Kind::Lxc => format!("volume '{key}' for container '{from}' does not exist"),
            })
        })?;
        if receiver.config.contains_key(&target) {
            return Err(Failure::server(format!(
                "Target {what} key '{target}' is already in use for {label} '{to}'"
            )));
        }
        let drive = Drive::parse(value);
        may_leave(&guest, key, &drive)?;
        let storage = drive.storage().and_then(|name| self.world.storage(name));
        let storage =
            storage.ok_or_else(|| Failure::server(format!("Volume '{}' not managed by PVE", drive.volid)))?;
        self.need(&format!("/storage/{}", storage.name), "Datastore.AllocateSpace")?;
        let format = format_of(storage, &drive.volid);
        let moved = Drive {
            volid: self.world.new_volid(storage, kind, to, Some(format), &[]),
            words: if is_unused_key(&target) {
                Vec::new()
            } else {
                drive.words
            },
        };
        let lines = vec![
            format!("reassign disk '{key}' from {label} '{from}' as '{target}' to {label} '{to}'"),
            format!("removing {what} '{key}' from {label} '{from}' config"),
        ];
        let task = if kind == Kind::Qemu {
            "qmmove"
        } else {
            "move_volume"
        };
        let order = self
            .order(task, format!("{from}-{key}>{to}-{target}"))
            .holds(from)
            .says(lines);
        self.begin(order.does(Effect::Reassign {
            from,
            key: key.to_owned(),
            to,
            target,
            value: moved.print(),
        }))
    }

    /// The digest of a parameter is still the right one, in the words of the library.
    fn check_modified(&self, guest: &Guest, name: &str) -> Result<(), Failure> {
        match self.params.get(name) {
            Some(digest) if digest != guest.digest() => Err(Failure::server(
                "detected modified configuration - file changed by other user? Try again.",
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a disk may leave its guest.
fn may_leave(guest: &Guest, key: &str, drive: &Drive) -> Result<(), Failure> {
    if drive.is_cdrom() {
        return Err(Failure::server("CD drive contents can't be moved to another VM"));
    }
    if guest.is_snapshotted(&drive.volid) {
        return Err(Failure::server(match guest.kind {
            Kind::Qemu => "Can't move disk used by a snapshot to another VM",
            Kind::Lxc => "Cannot move volume used by a snapshot to another container",
        }));
    }
    if guest.is_running() && !is_unused_key(key) {
        return Err(Failure::server(
            "Cannot move disk to another VM while the source VM is running - detach first",
        ));
    }
    Ok(())
}

/// What a task says while it copies a disk.
pub(super) fn copy_lines(disk: &str, size: u64, running: bool) -> Vec<String> {
    let gib = size as f64 / (1_u64 << 30) as f64;
    let part = |step: i32| gib * f64::from(step) / 10.0;
    let mut lines = Vec::new();
    if running {
        lines.push(format!("drive mirror is starting for drive-{disk}"));
        lines.extend((1..=10).map(|step| {
            format!(
                "mirror-drive-{disk}: transferred {:.1} GiB of {gib:.1} GiB ({:.2}%) in {step}s",
                part(step),
                f64::from(step) * 10.0
            )
        }));
        lines.push("all 'mirror' jobs are ready".to_owned());
        lines.push(format!("mirror-drive-{disk}: Completing block job..."));
        lines.push(format!("mirror-drive-{disk}: Completed successfully."));
    } else {
        lines.extend((1..=10).map(|step| {
            format!(
                "transferred {:.1} GiB of {gib:.1} GiB ({:.2}%)",
                part(step),
                f64::from(step) * 10.0
            )
        }));
    }
    lines
}
