//! `POST …/clone`: full and linked copies.

use super::{Call, config::locked, move_disk::copy_lines, snapshot::stage};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::{Drive, format_of, has_feature, is_unused_key},
        guest::{Config, Guest, Kind, bytes, is_disk_key},
        load::mix,
        seed_guests::uuid,
        task::Effect,
    },
};

/// What a copy is made of.
struct Copy {
    config: Config,
    lines: Vec<String>,
    /// Bytes that are really copied.
    bytes: u64,
}

impl Call<'_> {
    pub(super) fn clone_guest(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?.clone();
        let label = kind.label();
        let new = self.params.number("newid").unwrap_or(0) as u32;
        let pool = self.params.get("pool").map(str::to_owned);
        self.check_pool(pool.as_deref())?;
        let node = guest.node.clone();
        let target = match self.params.get("target") {
            Some(target) if target != "localhost" => target.to_owned(),
            _ => node.clone(),
        };
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        self.check_clone_storage(kind, &node, &target)?;
        self.world.need_quorum()?;
        locked(&guest).map_err(Failure::server)?;
        let snapshot = self.params.get("snapname").map(str::to_owned);
        let source = match &snapshot {
            None => guest.config.clone(),
            Some(name) => guest
                .snapshots
                .iter()
                .find(|snapshot| snapshot.name == *name)
                .map(|snapshot| snapshot.config.clone())
                .ok_or_else(|| Failure::server(format!("snapshot '{name}' does not exist")))?,
        };
        let full = self
            .params
            .get("full")
            .map_or(!guest.is_template(), |_| self.params.flag("full"));
        for name in ["storage", "format"] {
            if !full && self.params.get(name).is_some() {
                return Err(Failure::server(format!(
                    "parameter '{name}' not allowed for linked clones"
                )));
            }
        }
        if kind == Kind::Lxc && full && guest.is_running() && snapshot.is_none() {
            return Err(Failure::server(
                "Full clone of a running container is only possible from a snapshot",
            ));
        }
        let shared = self.check_copied_storages(&source)?;
        if target != node && !shared {
            return Err(Failure::server(format!(
                "can't clone {label} to node '{target}' ({label} uses local storage)"
            )));
        }
        if self
            .world
            .guests
            .get(&new)
            .is_some_and(|other| other.node == node && other.kind == kind)
        {
            return Err(Failure::server(format!(
                "unable to create {label} {new}: config file already exists"
            )));
        }
        let copy = self.copied(&guest, &source, new, full, snapshot.as_deref())?;
        let order = self
            .order(&format!("{}clone", kind.task_prefix()), guest.vmid.to_string())
            .says(copy.lines);
        if self.world.guests.contains_key(&new) {
            let file = Guest::file(kind, &node, new);
            let reason = format!("close (rename) atomic file '/etc/pve/{file}' failed: File exists");
            return self.begin(order.takes(400).fails(reason));
        }
        let mut fresh = self.blank(new, kind, &target, pool);
        fresh.agent = guest.agent;
        fresh.stubborn = guest.stubborn;
        fresh.config = copy.config;
        self.world.guests.insert(new, fresh);
        self.world.copy_firewall(guest.vmid, new);
        let takes = 1500 + (copy.bytes >> 30).min(300).cast_signed() * 400;
        self.begin(
            order
                .takes(takes)
                .holds(new)
                .locks(if kind == Kind::Qemu { "clone" } else { "create" })
                .does(Effect::Clone { to: new })
                .otherwise(Effect::Forget(new)),
        )
    }

    /// A pool that is named must exist.
    pub(super) fn check_pool(&self, pool: Option<&str>) -> Result<(), Failure> {
        match pool.filter(|pool| !self.world.pools.contains_key(*pool)) {
            Some(pool) => Err(Failure::server(format!("pool '{pool}' does not exist"))),
            None => Ok(()),
        }
    }

    fn check_clone_storage(&self, kind: Kind, node: &str, target: &str) -> Result<(), Failure> {
        let Some(name) = self.params.get("storage") else {
            return Ok(());
        };
        let content = if kind == Kind::Qemu { "images" } else { "rootdir" };
        let storage = self.storage_for(name, content, node)?;
        if target != node {
            storage.enabled_on(target).map_err(Failure::server)?;
            if !storage.shared {
                return Err(Failure::server(format!(
                    "can't clone to non-shared storage '{name}'"
                )));
            }
        }
        Ok(())
    }

    /// May the caller take the space, and is all of it on shared storages?
    fn check_copied_storages(&self, source: &Config) -> Result<bool, Failure> {
        let mut shared = true;
        for (key, value) in source {
            if key.starts_with("net") && key.len() > 3 {
                self.check_bridge(value)?;
            }
            let drive = Drive::parse(value);
            let Some(name) = drive.storage().filter(|_| is_disk_key(key)) else {
                continue;
            };
            shared &= self.world.storage(name).is_some_and(|storage| storage.shared);
            if !drive.is_cdrom() {
                let name = self.params.get("storage").unwrap_or(name);
                self.need(&format!("/storage/{name}"), "Datastore.AllocateSpace")?;
            }
        }
        Ok(shared)
    }

    /// The configuration of the copy, and what its task will say.
    fn copied(
        &self,
        guest: &Guest,
        source: &Config,
        new: u32,
        full: bool,
        snapshot: Option<&str>,
    ) -> Result<Copy, Failure> {
        let (kind, label) = (guest.kind, guest.kind.label());
        let mut config = Config::new();
        let mut lines = vec![format!(
            "creating a clone of {label} {} with ID {new}",
            guest.vmid
        )];
        let mut taken = Vec::new();
        let mut copied = 0;
        for (key, value) in source.iter().filter(|(key, _)| !is_unused_key(key)) {
            let drive = Drive::parse(value);
            let storage = drive.storage().filter(|_| is_disk_key(key) && !drive.is_cdrom());
            let Some(storage) = storage.and_then(|name| self.world.storage(name)) else {
                config.insert(key.clone(), value.clone());
                continue;
            };
            let stage = stage(guest, snapshot);
            let feature = if full { "copy" } else { "clone" };
            if !has_feature(storage, &drive.volid, feature, stage) {
                let of = if snapshot.is_some() { " a snapshot of" } else { "" };
                let volid = &drive.volid;
                return Err(Failure::server(match kind {
                    Kind::Qemu if full => {
                        format!("Full clone feature is not supported for{of} '{volid}' ({key})")
                    }
                    Kind::Qemu => format!("Linked clone feature is not supported for{of} '{volid}' ({key})"),
                    Kind::Lxc => format!("Linked clone feature for '{volid}' is not available"),
                }));
            }
            let size = drive.get("size").and_then(bytes).unwrap_or(1 << 30);
            let way = if full { "full" } else { "linked" };
            let what = if kind == Kind::Qemu { "drive" } else { "mountpoint" };
            lines.push(format!("create {way} clone of {what} {key} ({})", drive.volid));
            let volid = if full {
                copied += size;
                lines.extend(copy_lines(key, size, guest.is_running()));
                let place = self
                    .params
                    .get("storage")
                    .and_then(|name| self.world.storage(name));
                let place = place.unwrap_or(storage);
                let format = self
                    .params
                    .get("format")
                    .unwrap_or_else(|| format_of(storage, &drive.volid));
                self.world.new_volid(place, kind, new, Some(format), &taken)
            } else {
                self.world
                    .linked_volid(&drive.volid, kind, new, &taken)
                    .unwrap_or_else(|| drive.volid.clone())
            };
            taken.push(volid.clone());
            let words = drive.words;
            config.insert(key.clone(), Drive { volid, words }.print());
        }
        self.rename(guest, new, &mut config);
        Ok(Copy {
            config,
            lines,
            bytes: copied,
        })
    }

    /// What no two guests share: name, addresses, identities.
    fn rename(&self, guest: &Guest, new: u32, config: &mut Config) {
        let key = match guest.kind {
            Kind::Qemu => "name",
            Kind::Lxc => "hostname",
        };
        let name = self.params.get(key).map_or_else(
            || {
                let old = match guest.name() {
                    "" => guest.vmid.to_string(),
                    name => name.to_owned(),
                };
                match guest.kind {
                    Kind::Qemu => format!("Copy-of-VM-{old}"),
                    Kind::Lxc => format!("Copy-of-CT-{old}"),
                }
            },
            str::to_owned,
        );
        config.insert(key.to_owned(), name);
        for gone in ["template", "lock", "parent", "snaptime", "vmstate"] {
            config.remove(gone);
        }
        if let Some(text) = self.params.get("description") {
            config.insert("description".to_owned(), text.to_owned());
        }
        let id = mix(&[self.world.seed, self.world.now.cast_unsigned(), u64::from(new)]);
        let nets: Vec<String> = config
            .keys()
            .filter(|key| {
                key.strip_prefix("net")
                    .is_some_and(|rest| rest.parse::<u8>().is_ok())
            })
            .cloned()
            .collect();
        for net in nets {
            let bare = config
                .get(&net)
                .map(|value| without_mac(value))
                .unwrap_or_default();
            let value = self.with_mac(guest.kind, new, &net, &bare);
            config.insert(net, value);
        }
        if guest.kind == Kind::Qemu {
            config.insert("smbios1".to_owned(), format!("uuid={}", uuid(id)));
            if config.contains_key("vmgenid") {
                config.insert("vmgenid".to_owned(), uuid(id ^ 1));
            }
        }
    }
}

/// A network device without its address.
fn without_mac(value: &str) -> String {
    let is_mac = |text: &str| text.len() == 17 && text.matches(':').count() == 5;
    value
        .split(',')
        .filter_map(|word| match word.split_once('=') {
            Some(("hwaddr" | "macaddr", _)) => None,
            Some((model, mac)) if is_mac(mac) => Some(model.to_owned()),
            _ => Some(word.to_owned()),
        })
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_device_loses_its_address_only() {
        assert_eq!(
            without_mac("virtio=BC:24:11:00:00:01,bridge=vmbr0"),
            "virtio,bridge=vmbr0"
        );
        assert_eq!(
            without_mac("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp"),
            "name=eth0,bridge=vmbr0,ip=dhcp"
        );
    }
}
