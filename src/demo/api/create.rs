//! Making, copying, moving, saving and removing guests.

use serde_json::Value;

use super::{Call, change::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        guest::{Agent, Config, Guest, Kind, Power, is_disk_key},
        task::{Effect, Order, stamp},
    },
};

impl Call<'_> {
    pub(super) fn route_create(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("DELETE", "") => self.destroy(kind),
            ("POST", "/clone") => self.clone_guest(kind),
            ("POST", "/migrate") => self.migrate(kind),
            _ => return None,
        })
    }

    /// `POST /nodes/{node}/qemu` and `…/lxc`.
    pub(super) fn create(&mut self, kind: Kind) -> Outcome {
        let vmid = self.params.number("vmid").unwrap_or(0) as u32;
        let pool = self.params.get("pool").map(str::to_owned);
        let allowed = self.has(&format!("/vms/{vmid}"), "VM.Allocate")
            || pool
                .as_ref()
                .is_some_and(|pool| self.has(&format!("/pool/{pool}"), "VM.Allocate"));
        if !allowed {
            return Err(Failure::refused());
        }
        self.world.need_quorum()?;
        if self.params.flag("force") && self.params.get("archive").is_none() && kind == Kind::Qemu {
            return Err(Failure::parameter(
                "archive",
                "missing property required by 'force'",
            ));
        }
        if let Some(other) = self.world.guests.get(&vmid) {
            return Err(Failure::server(format!(
                "unable to create {label} {vmid} - {of} {vmid} already exists on node '{}'",
                other.node,
                label = kind.label(),
                of = other.kind.label(),
            )));
        }
        let node = self.node_name();
        let blank = self.blank(vmid, kind, &node, pool.clone());
        let mut config = Config::new();
        for (key, value) in self.params.iter() {
            if matches!(
                key,
                "vmid"
                    | "pool"
                    | "start"
                    | "force"
                    | "archive"
                    | "storage"
                    | "unique"
                    | "ostemplate"
                    | "password"
                    | "bwlimit"
                    | "live-restore"
                    | "restore"
                    | "ssh-public-keys"
                    | "ignore-unpack-errors"
            ) {
                continue;
            }
            let value = if is_disk_key(key) {
                self.new_disk(&blank, key, value)?
            } else {
                value.to_owned()
            };
            config.insert(key.to_owned(), value);
        }
        let lines = config
            .iter()
            .filter(|(key, _)| is_disk_key(key))
            .map(|(key, value)| format!("{key}: successfully created disk '{value}'"))
            .collect();
        let kind_name = format!("{}create", kind.task_prefix());
        let order = self.order(&kind_name, vmid.to_string()).takes(2000).says(lines);
        self.begin(order.does(Effect::Create {
            vmid,
            kind,
            node,
            config,
            pool,
        }))
    }

    fn blank(&self, vmid: u32, kind: Kind, node: &str, pool: Option<String>) -> Guest {
        Guest {
            vmid,
            kind,
            node: node.to_owned(),
            config: Config::new(),
            pending: std::collections::BTreeMap::new(),
            power: Power::Stopped,
            since: self.world.seconds(),
            pid: 4000 + vmid % 90_000,
            pool,
            snapshots: Vec::new(),
            parent: None,
            agent: Agent::Silent,
            stubborn: false,
            busy: None,
            profile: self.world.profile(vmid),
        }
    }

    fn destroy(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        let guest = self.guest(kind)?;
        let (vmid, label, purge) = (guest.vmid, kind.label(), self.params.flag("purge"));
        if guest.option("protection") == Some("1") {
            return Err(Failure::server(format!(
                "can't remove {label} {vmid} - protection mode enabled"
            )));
        }
        if self.world.ha.iter().any(|resource| resource.vmid == vmid) && !purge {
            return Err(Failure::server(format!(
                "unable to remove {label} {vmid} - used in HA resources and purge parameter not set."
            )));
        }
        if guest.is_running() && !self.params.flag("force") {
            return Err(Failure::server(format!(
                "{label} {vmid} is running - destroy failed"
            )));
        }
        let base = format!("base-{vmid}-disk-0");
        let linked = guest.is_template()
            && self.world.guests.values().any(|other| {
                other.vmid != vmid
                    && other
                        .disks()
                        .iter()
                        .any(|disk| disk.volid.contains(&format!("{base}/")))
            });
        let volid = guest
            .disks()
            .first()
            .map(|disk| disk.volid.clone())
            .unwrap_or_default();
        let lock = locked(guest);
        let order = self
            .order(&format!("{}destroy", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock {
            Err(reason) => order.takes(300).fails(reason),
            Ok(()) if !self.world.quorate => order.takes(300).fails(format!(
                "unable to open file '/etc/pve/{}.tmp.1878' - Permission denied",
                Guest::file(kind, self.variable("node"), vmid)
            )),
            Ok(()) if linked => order
                .takes(300)
                .fails(format!("base volume '{volid}' is still in use by linked cloned")),
            Ok(()) => {
                let line = format!("purging {label} {vmid} from related configurations..");
                order
                    .takes(1500)
                    .says(if purge { vec![line] } else { Vec::new() })
                    .does(Effect::Delete { vmid, purge })
            }
        };
        self.begin(order)
    }

    fn clone_guest(&mut self, kind: Kind) -> Outcome {
        self.world.need_quorum()?;
        let guest = self.guest(kind)?.clone();
        let new = self.params.number("newid").unwrap_or(0) as u32;
        locked(&guest).map_err(Failure::server)?;
        let node = guest.node.clone();
        let target = self.params.get("target").unwrap_or(&node).to_owned();
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        let full = self.params.flag("full") || !guest.is_template();
        if let Some(name) = self.params.get("snapname")
            && !guest.snapshots.iter().any(|snapshot| snapshot.name == name)
        {
            return Err(Failure::server(format!("snapshot '{name}' does not exist")));
        }
        let first = guest.disks().into_iter().next();
        if self.params.get("full").is_some() && !self.params.flag("full") && !guest.is_template() {
            let (volid, key) = first.map_or_else(Default::default, |disk| (disk.volid, disk.key));
            return Err(Failure::server(format!(
                "Linked clone feature is not supported for '{volid}' ({key})"
            )));
        }
        if !full && self.params.get("storage").is_some() {
            return Err(Failure::server(
                "parameter 'storage' not allowed for linked clones",
            ));
        }
        let local = guest.disks().iter().any(|disk| {
            self.world
                .storage(&disk.storage)
                .is_some_and(|storage| !storage.shared)
        });
        if target != node && local {
            return Err(Failure::server(format!(
                "can't clone {} to node '{target}' (VM uses local storage)",
                kind.label()
            )));
        }
        let order = self
            .order(&format!("{}clone", kind.task_prefix()), guest.vmid.to_string())
            .says(clone_log(&guest, new, full));
        if let Some(other) = self.world.guests.get(&new) {
            if other.node == node {
                return Err(Failure::server(format!(
                    "unable to create {} {new}: config file already exists",
                    kind.label()
                )));
            }
            let file = Guest::file(kind, &node, new);
            let reason = format!("close (rename) atomic file '/etc/pve/{file}' failed: File exists");
            return self.begin(order.takes(400).fails(reason));
        }
        let mut copy = self.blank(new, kind, &target, None);
        copy.pool = self.params.get("pool").map(str::to_owned);
        copy.agent = guest.agent;
        copy.config = self.cloned_config(&guest, new, full);
        self.world.guests.insert(new, copy);
        let size = guest.boot_size() >> 30;
        let takes = if full {
            3000 + 400 * size.min(300).cast_signed()
        } else {
            1500
        };
        self.begin(order.takes(takes).holds(new).does(Effect::Clone {
            from: guest.vmid,
            to: new,
        }))
    }

    fn cloned_config(&self, guest: &Guest, new: u32, full: bool) -> Config {
        let mut config = guest.config.clone();
        let name_key = if guest.kind == Kind::Qemu {
            "name"
        } else {
            "hostname"
        };
        let name = self.params.get(name_key).map_or_else(
            || format!("Copy-of-{}-{}", guest.kind.label(), guest.name()),
            str::to_owned,
        );
        config.insert(name_key.to_owned(), name);
        for gone in ["template", "lock", "parent"] {
            config.remove(gone);
        }
        config.insert("lock".to_owned(), "clone".to_owned());
        if let Some(text) = self.params.get("description") {
            config.insert("description".to_owned(), text.to_owned());
        }
        let old = guest.vmid;
        for (key, value) in &mut config {
            if is_disk_key(key) {
                let fresh = value
                    .replace(&format!("-{old}-disk"), &format!("-{new}-disk"))
                    .replace(":base-", ":vm-");
                *value = if full {
                    self.params.get("storage").map_or(fresh.clone(), |storage| {
                        fresh
                            .split_once(':')
                            .map_or(fresh.clone(), |(_, rest)| format!("{storage}:{rest}"))
                    })
                } else {
                    let base = value.split([':', ',']).nth(1).unwrap_or_default().to_owned();
                    fresh.replacen(':', &format!(":{base}/"), 1)
                };
            }
        }
        config
    }

    fn migrate(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let target = self.params.text("target").to_owned();
        if target == guest.node {
            return Err(Failure::parameter("target", "target is local node."));
        }
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        locked(guest).map_err(Failure::server)?;
        if guest.is_running() && kind == Kind::Qemu && !self.params.flag("online") {
            return Err(Failure::server("can't migrate running VM without --online"));
        }
        if guest.is_running()
            && kind == Kind::Lxc
            && !self.params.flag("restart")
            && !self.params.flag("online")
        {
            return Err(Failure::server(
                "can't migrate running container without --online or --restart",
            ));
        }
        let kind_name = if kind == Kind::Qemu {
            "qmigrate"
        } else {
            "vzmigrate"
        };
        match self.migration(guest.vmid, &target, kind_name) {
            Some(order) => self.begin(order),
            None => Err(Failure::server("no such guest")),
        }
    }

    /// The task that moves a guest; it sets the lock of a migration.
    pub(super) fn migration(&mut self, vmid: u32, target: &str, kind_name: &str) -> Option<Order> {
        let now = self.world.now;
        let who = self.who.full();
        let node = self.world.node(target)?;
        let (address, reachable) = (node.address.clone(), node.online);
        let guest = self.world.guests.get_mut(&vmid)?;
        let (label, source) = (guest.kind.label(), guest.node.clone());
        let at = stamp(now);
        let mut lines = vec![format!(
            "{at} starting migration of {label} {vmid} to node '{target}' ({address})"
        )];
        let order = Order::new(&source, kind_name, vmid.to_string(), &who).holds(vmid);
        if !reachable {
            lines.push(format!(
                "{at} ssh: connect to host {address} port 22: No route to host"
            ));
            return Some(order.takes(3000).says(lines).fails("migration aborted"));
        }
        let running = guest.is_running();
        let takes = if running { 12_000 } else { 2500 };
        if running {
            let total = guest.memory() >> 20;
            lines.push(format!(
                "{at} starting online/live migration on unix:/run/qemu-server/{vmid}.migrate"
            ));
            for step in 1..=8_u64 {
                let part = total * step / 8;
                lines.push(format!(
                    "{at} migration active, transferred {part} MiB of {total} MiB VM-state, 1.1 GiB/s"
                ));
            }
            lines.push(format!(
                "{at} average migration speed: 1.1 GiB/s - downtime 71 ms"
            ));
        }
        lines.push(format!(
            "{at} migration finished successfully (duration 00:00:{:02})",
            takes / 1000
        ));
        guest.config.insert("lock".to_owned(), "migrate".to_owned());
        Some(order.takes(takes).says(lines).does(Effect::Migrate {
            vmid,
            target: target.to_owned(),
        }))
    }

    /// `POST /nodes/{node}/vzdump`.
    pub(super) fn back_up(&mut self) -> Outcome {
        let storage = self.params.get("storage").unwrap_or("local").to_owned();
        if !self.has(&format!("/storage/{storage}"), "Datastore.AllocateSpace") {
            return Err(Failure::forbidden(
                &format!("/storage/{storage}"),
                "Datastore.AllocateSpace",
            ));
        }
        let known = self.world.storage(&storage);
        let known = known.ok_or_else(|| Failure::server(format!("storage '{storage}' does not exist")))?;
        if !known.content.split(',').any(|content| content == "backup") {
            return Err(Failure::server(format!(
                "storage '{storage}' does not support backups"
            )));
        }
        let list = self.params.text("vmid").to_owned();
        let Some(vmid) = list.split([',', ' ']).find_map(|id| id.parse::<u32>().ok()) else {
            return Err(Failure::parameter(
                "vmid",
                "property is missing and it is not optional",
            ));
        };
        if !self.has(&format!("/vms/{vmid}"), "VM.Backup") {
            return Err(Failure::forbidden(&format!("/vms/{vmid}"), "VM.Backup"));
        }
        let node = self.node_name();
        let here = self.world.guests.get(&vmid).filter(|guest| guest.node == node);
        let Some(guest) = here else {
            // Guests of other nodes are left to them.
            return Ok(Value::from("OK").into());
        };
        if let Err(lock) = locked(guest) {
            let lines = vec![format!("ERROR: Backup of VM {vmid} failed - {lock}")];
            let order = self.order("vzdump", list).says(lines).fails("job errors");
            return self.begin(order);
        }
        let who = self.who.full();
        match self.world.backup_order(vmid, &storage, &who) {
            Some(order) => self.begin(order),
            None => Ok(Value::from("OK").into()),
        }
    }
}

fn clone_log(guest: &Guest, new: u32, full: bool) -> Vec<String> {
    let label = guest.kind.label();
    let mut lines = vec![format!(
        "creating a clone of {label} {} with ID {new}",
        guest.vmid
    )];
    for disk in guest.disks() {
        let way = if full { "full" } else { "linked" };
        lines.push(format!(
            "create {way} clone of drive {} ({})",
            disk.key, disk.volid
        ));
        if full {
            let gib = disk.size >> 30;
            lines.extend((1..=10).map(|step| {
                format!(
                    "transferred {:.1} GiB of {gib}.0 GiB ({}.00%)",
                    (gib * step) as f64 / 10.0,
                    step * 10
                )
            }));
        }
    }
    lines
}
