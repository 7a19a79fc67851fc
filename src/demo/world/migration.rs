//! Moving a guest to another node: what its task says and whether it gets there.

use super::{
    World,
    disks::{Drive, base_of, format_of, is_unused_key},
    guest::{Guest, Kind, is_disk_key},
    host::Storage,
    task::{Effect, Order},
};

/// How a guest is to be moved.
#[derive(Clone, Default, Debug)]
pub(crate) struct Way {
    pub(crate) online: bool,
    /// A running container is stopped and started again.
    pub(crate) restart: bool,
    pub(crate) with_local_disks: bool,
    /// Where disks of a storage go: pairs, and `None` for all others.
    pub(crate) storages: Vec<(Option<String>, String)>,
}

impl Way {
    /// The storage on the other node for one of this node.
    fn target<'a>(&'a self, storage: &'a str) -> &'a str {
        let pair = |wanted: Option<&str>| {
            self.storages
                .iter()
                .find(|(from, _)| from.as_deref() == wanted)
                .map(|(_, to)| to.as_str())
        };
        pair(Some(storage)).or_else(|| pair(None)).unwrap_or(storage)
    }
}

/// A local volume that has to be copied.
struct Copy {
    key: String,
    drive: Drive,
    size: u64,
    target: String,
}

impl World {
    /// The task that moves a guest from where it is. It fails as the real one does.
    pub(crate) fn migration(&self, vmid: u32, target: &str, way: &Way, who: &str) -> Option<Order> {
        let guest = self.guests.get(&vmid)?;
        let node = self.node(target)?;
        let label = guest.kind.label();
        let name = match guest.kind {
            Kind::Qemu => "qmigrate",
            Kind::Lxc => "vzmigrate",
        };
        let order = Order::new(&guest.node, name, vmid.to_string(), who)
            .holds(vmid)
            .stamped();
        let mut lines = Vec::new();
        if let Some(lock) = guest.lock() {
            return Some(aborted(order, lines, &format!("{label} is locked ({lock})"), 0));
        }
        if guest.is_running() && guest.kind == Kind::Lxc && !way.restart {
            let reason = "lxc live migration is currently not implemented";
            return Some(aborted(order, lines, reason, 0));
        }
        let address = &node.address;
        if !node.online {
            lines.push(format!(
                "# /usr/bin/ssh -e none -o 'BatchMode=yes' -o 'HostKeyAlias={target}' \
                 -o 'UserKnownHostsFile=/etc/pve/nodes/{target}/ssh_known_hosts' -o 'GlobalKnownHostsFile=none' \
                 root@{address} /bin/true"
            ));
            lines.push(format!(
                "ssh: connect to host {address} port 22: No route to host"
            ));
            let reason = "Can't connect to destination address using public key";
            return Some(aborted(order, lines, reason, 3).takes(3000));
        }
        if guest.is_running() && guest.kind == Kind::Qemu {
            lines.push(
                "conntrack state migration not supported or disabled, active connections might get dropped"
                    .to_owned(),
            );
        }
        if guest.is_running() && guest.kind == Kind::Lxc {
            lines.push(format!("shutdown CT {vmid}"));
        }
        lines.push(format!(
            "starting migration of {label} {vmid} to node '{target}' ({address})"
        ));
        match self.scan(guest, target, way, &mut lines) {
            Ok(copies) => Some(self.moving(order, guest, target, way, lines, copies)),
            Err(reason) => Some(aborted(order, lines, &reason, 1)),
        }
    }

    /// The local volumes that have to go along, or why they cannot.
    fn scan(
        &self,
        guest: &Guest,
        target: &str,
        way: &Way,
        lines: &mut Vec<String>,
    ) -> Result<Vec<Copy>, String> {
        let problem = |text: String| match guest.kind {
            Kind::Qemu => format!("Problem found while scanning volumes - {text}"),
            Kind::Lxc => text,
        };
        let mut copies = Vec::new();
        let mut refused = Vec::new();
        for (key, value) in guest
            .config
            .iter()
            .filter(|(key, _)| is_disk_key(key) || is_unused_key(key))
        {
            let drive = Drive::parse(value);
            let Some(storage) = drive.storage().and_then(|name| self.storage(name)) else {
                continue;
            };
            let to = if storage.shared {
                storage.name
            } else {
                way.target(storage.name)
            };
            let there = self
                .storage(to)
                .ok_or_else(|| problem(format!("storage '{to}' does not exist")))?;
            there.enabled_on(target).map_err(problem)?;
            if storage.shared {
                if guest.kind == Kind::Lxc {
                    lines.push(format!(
                        "volume '{}' is on shared storage '{}'",
                        drive.volid, storage.name
                    ));
                }
                continue;
            }
            let wanted = if guest.kind == Kind::Qemu {
                "images"
            } else {
                "rootdir"
            };
            if !there.takes(wanted) && !drive.is_cdrom() {
                return Err(problem(format!(
                    "content type '{wanted}' is not available on storage '{to}'"
                )));
            }
            if let Some(text) = self.refusal(guest, key, &drive, storage, way) {
                refused.push(format!("can't migrate local disk '{}': {text}", drive.volid));
            }
            let size = drive.get("size").and_then(super::guest::bytes).unwrap_or(1 << 30);
            let place = match (guest.kind, is_unused_key(key)) {
                (Kind::Lxc, _) => "found local volume '{}' (in current VM config)",
                (_, true) => "found local disk '{}' (unused)",
                (_, false) => "found local disk '{}' (attached)",
            };
            lines.push(place.replace("{}", &drive.volid));
            copies.push(Copy {
                key: key.clone(),
                drive,
                size,
                target: to.to_owned(),
            });
        }
        if !refused.is_empty() {
            lines.extend(refused);
            let what = if guest.kind == Kind::Qemu { "VM" } else { "CT" };
            return Err(problem(format!("can't migrate {what} - check log")));
        }
        if let Some(copy) = copies.iter().find(|copy| base_of(&copy.drive.volid).is_some()) {
            let volid = &copy.drive.volid;
            let base = base_of(volid).unwrap_or_default();
            return Err(problem(format!(
                "can't migrate '{volid}' as it's a clone of '{base}'"
            )));
        }
        Ok(copies)
    }

    /// Why this local volume cannot be moved.
    fn refusal(
        &self,
        guest: &Guest,
        key: &str,
        drive: &Drive,
        storage: &Storage,
        way: &Way,
    ) -> Option<&'static str> {
        if drive.is_cdrom() {
            return Some("local cdrom image");
        }
        let running = guest.is_running() && guest.kind == Kind::Qemu;
        if guest.is_snapshotted(&drive.volid) {
            let replicated = self.replications.iter().any(|job| job.vmid == guest.vmid);
            if running && !replicated {
                return Some("online storage migration not possible if non-replicated snapshot exists");
            }
            let format = format_of(storage, &drive.volid);
            if storage.kind != "zfspool" && !(format == "qcow2" && guest.kind == Kind::Qemu) {
                return Some("non-migratable snapshot exists");
            }
        }
        if self.linked_to(&drive.volid).is_some() {
            return Some("referenced by linked clone(s)");
        }
        (running && !way.with_local_disks && !is_unused_key(key))
            .then_some("can't live migrate attached local disks without with-local-disks option")
    }

    /// A move that nothing hinders.
    fn moving(
        &self,
        order: Order,
        guest: &Guest,
        target: &str,
        way: &Way,
        mut lines: Vec<String>,
        copies: Vec<Copy>,
    ) -> Order {
        let (vmid, running) = (guest.vmid, guest.is_running());
        let live = running && guest.kind == Kind::Qemu;
        let mut takes = if running { 9_000 } else { 1_500 };
        let mut values = Vec::new();
        let mut given = Vec::new();
        if live {
            lines.push(format!("starting VM {vmid} on remote node '{target}'"));
        } else if !copies.is_empty() {
            lines.push("copying local disk images".to_owned());
        }
        for copy in copies {
            let Some(storage) = self.storage(&copy.target) else {
                continue;
            };
            let from = copy.drive.storage().and_then(|name| self.storage(name));
            let format = from.map(|from| format_of(from, &copy.drive.volid));
            // The name stays where it is free, and on another node it is.
            let volid = if copy.drive.storage() == Some(storage.name) {
                copy.drive.volid.clone()
            } else {
                self.new_volid(storage, guest.kind, vmid, format, &given)
            };
            let gib = copy.size as f64 / (1_u64 << 30) as f64;
            takes += 500 + ((copy.size >> 30).min(200)).cast_signed() * 60;
            if live {
                lines.push(format!(
                    "volume '{}' is '{volid}' on the target",
                    copy.drive.volid
                ));
                lines.push(format!(
                    "{}: start migration to nbd:unix:/run/qemu-server/{vmid}_nbd.migrate:exportname=drive-{}",
                    copy.key, copy.key
                ));
                lines.push(format!("drive mirror is starting for drive-{}", copy.key));
                lines.extend((1..=5).map(|step| {
                    format!(
                        "mirror-{}: transferred {:.1} GiB of {gib:.1} GiB ({:.2}%) in {step}s",
                        copy.key,
                        gib * f64::from(step) / 5.0,
                        f64::from(step) * 20.0
                    )
                }));
            } else {
                lines.push(format!(
                    "{} bytes ({gib:.1} GiB) copied, 9 s, 1.1 GB/s",
                    copy.size
                ));
                lines.push(format!(
                    "volume '{}' is '{volid}' on the target",
                    copy.drive.volid
                ));
            }
            let drive = Drive {
                volid: volid.clone(),
                words: copy.drive.words,
            };
            values.push((copy.key, drive.print()));
            given.push(volid);
        }
        if live {
            if !values.is_empty() {
                lines.push("switching mirror jobs to actively synced mode".to_owned());
            }
            let total = guest.memory() >> 20;
            lines.push(format!(
                "starting online/live migration on unix:/run/qemu-server/{vmid}.migrate"
            ));
            lines.push("set migration capabilities".to_owned());
            lines.push("migration downtime limit: 100 ms".to_owned());
            lines.push("set migration parameters".to_owned());
            lines.push(format!(
                "start migrate command to unix:/run/qemu-server/{vmid}.migrate"
            ));
            lines.extend((1..=8_u64).map(|step| {
                let part = total * step / 8;
                format!("migration active, transferred {part} MiB of {total} MiB VM-state, 1.1 GiB/s")
            }));
            lines.push("average migration speed: 1.1 GiB/s - downtime 71 ms".to_owned());
            lines.push("migration status: completed".to_owned());
        }
        if running && guest.kind == Kind::Lxc && way.restart {
            lines.push("start final cleanup".to_owned());
            lines.push("start container on target node".to_owned());
        }
        lines.push(format!(
            "migration finished successfully (duration 00:{:02}:{:02})",
            takes / 60_000,
            takes / 1000 % 60
        ));
        order
            .takes(takes)
            .says(lines)
            .locks("migrate")
            .does(Effect::Migrate {
                vmid,
                target: target.to_owned(),
                values,
            })
    }
}

/// A move that stops at this reason.
fn aborted(order: Order, mut lines: Vec<String>, reason: &str, seconds: u32) -> Order {
    if lines.iter().any(|line| line.starts_with("starting migration")) {
        let text = "aborting phase 1 - cleanup resources".to_owned();
        lines.push(format!("ERROR: {reason}"));
        lines.push(text);
    }
    lines.push(format!(
        "ERROR: migration aborted (duration 00:00:{seconds:02}): {reason}"
    ));
    order.takes(1000).says(lines).fails("migration aborted")
}
