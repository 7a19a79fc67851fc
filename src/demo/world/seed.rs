//! The estate at its beginning: nodes, storages, users and history. The same seed makes the same estate.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::{
    Replication, World,
    effects::backup_volume,
    guest::Kind,
    ha::{Affinity, Armed, HaResource, Rule},
    host::{Node, Storage, Volume},
    load::{fraction, mix},
    seed_guests, seed_users,
    task::{Effect, Order},
};
use crate::demo::auth::Access;

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const DAY: i64 = 86_400;

/// Which of the two estates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Estate {
    /// The cluster `prod`.
    Production,
    /// The standalone host of the laboratory.
    Lab,
}

/// A node's certificate: PEM, fingerprint and end.
#[derive(Clone, Debug)]
pub(crate) struct NodeCertificate {
    pub(crate) pem: String,
    pub(crate) fingerprint: String,
    pub(crate) end: i64,
}

/// What an estate is made from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) estate: Estate,
    pub(crate) guests: usize,
    pub(crate) seed: u64,
    /// Milliseconds since the epoch.
    pub(crate) now: i64,
    pub(crate) speed: f64,
    /// Name and certificate of each node.
    pub(crate) nodes: Vec<(String, NodeCertificate)>,
    pub(crate) ca: (String, i64),
    pub(crate) passwords: Passwords,
}

/// The secrets of the estate's users.
#[derive(Clone)]
pub(crate) struct Passwords {
    pub(crate) password: String,
    pub(crate) admin_token: String,
    pub(crate) audit_token: String,
    pub(crate) totp: Vec<u8>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords")
    }
}

impl World {
    /// Builds the estate.
    pub(crate) fn build(plan: Plan) -> Self {
        let production = plan.estate == Estate::Production;
        let now = plan.now / 1000;
        let nodes: Vec<Node> = plan
            .nodes
            .iter()
            .zip(1..)
            .map(|((name, certificate), id)| node(name, certificate, id, &plan, now))
            .collect();
        let mut world = Self {
            seed: plan.seed,
            name: if production { "prod" } else { "lab" },
            clustered: production,
            now: plan.now,
            speed: plan.speed,
            quorate: true,
            storages: storages(production),
            volumes: Vec::new(),
            guests: BTreeMap::new(),
            pools: BTreeMap::new(),
            tasks: Vec::new(),
            ha: Vec::new(),
            rules: Vec::new(),
            armed: Armed::Yes,
            replications: Vec::new(),
            consoles: Vec::new(),
            log: Vec::new(),
            options: Map::new(),
            access: Access::new(
                format!("{}{}", plan.seed, plan.passwords.admin_token).as_bytes(),
                seed_users::users(&plan.passwords),
                seed_users::entries(),
            ),
            ca: plan.ca,
            agenda: Vec::new(),
            next_backup: plan.now + 20_000,
            next_pid: 1500,
            nodes,
        };
        if production {
            for (pool, comment) in [
                ("acme", "Acme Ltd., managed hosting"),
                ("beta", "Beta GmbH"),
                ("infra", "Our own services"),
            ] {
                world.pools.insert(pool.to_owned(), comment.to_owned());
            }
            world.options.insert("keyboard".to_owned(), json!("en-us"));
            world
                .options
                .insert("migration".to_owned(), json!({"type": "secure"}));
        }
        seed_guests::populate(&mut world, plan.guests, production);
        world.seed_volumes(now, production);
        if production {
            world.seed_availability();
        }
        world.seed_history(plan.now);
        world
    }

    fn seed_volumes(&mut self, now: i64, production: bool) {
        let (files, place) = if production {
            ("nfs-iso", None)
        } else {
            ("local", Some(self.local().to_owned()))
        };
        let age = |index: usize| now - DAY * (30 + 7 * index.cast_signed() as i64);
        let library = [
            ("iso/debian-13.1.0-amd64-netinst.iso", "iso", "iso", 784 << 20),
            ("iso/ubuntu-24.04.3-live-server-amd64.iso", "iso", "iso", 3 * GIB),
            ("iso/virtio-win-0.1.271.iso", "iso", "iso", 709 << 20),
            ("iso/windows-server-2025.iso", "iso", "iso", 5 * GIB),
            (
                "vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
                "vztmpl",
                "tzst",
                124 << 20,
            ),
            (
                "vztmpl/alpine-3.22-default_20250617_amd64.tar.xz",
                "vztmpl",
                "txz",
                3 << 20,
            ),
            ("snippets/cloud-init-base.yaml", "snippets", "snippet", 2048),
        ];
        for (index, (name, content, format, size)) in library.into_iter().enumerate() {
            self.volumes.push(Volume {
                volid: format!("{files}:{name}"),
                storage: files,
                node: place.clone(),
                content,
                format,
                size,
                ctime: age(index),
                vmid: None,
                notes: None,
                protected: false,
                verified: None,
            });
        }
        let Some(target) = self
            .storages
            .iter()
            .find(|storage| storage.content.contains("backup"))
        else {
            return;
        };
        let (name, deduplicated) = (target.name, target.kind == "pbs");
        let mut backups = Vec::new();
        // Most guests have two nightly backups; every ninth was forgotten.
        for guest in self
            .guests
            .values()
            .filter(|guest| !guest.is_template() && guest.vmid % 9 != 4)
        {
            for night in 1..=2 {
                let at =
                    now - now.rem_euclid(DAY) - DAY * (night - 1) + 2 * 3600 + i64::from(guest.vmid % 3600);
                if at < now {
                    let mut volume = backup_volume(
                        name,
                        deduplicated,
                        guest.kind.name(),
                        guest.vmid,
                        guest.boot_size(),
                        at,
                        guest.name().to_owned(),
                    );
                    volume.protected = night == 2 && guest.vmid % 11 == 0;
                    volume.node.clone_from(&place);
                    backups.push(volume);
                }
            }
        }
        self.volumes.extend(backups);
    }

    fn seed_availability(&mut self) {
        let managed: Vec<u32> = self
            .guests
            .values()
            .filter(|guest| {
                guest.option("tags").is_some_and(|tags| tags.contains("ha")) && !guest.is_template()
            })
            .map(|guest| guest.vmid)
            .collect();
        for (index, vmid) in managed.iter().enumerate() {
            self.ha.push(HaResource {
                vmid: *vmid,
                request: "started".to_owned(),
                error: index == 3,
                comment: (index == 0).then(|| "must not move at noon".to_owned()),
                max_restart: Some(1),
                max_relocate: Some(1),
                failback: Some(true),
            });
        }
        if let Some(first) = managed.first() {
            self.rules.push(Rule {
                name: "prefer-first".to_owned(),
                resources: vec![self.sid(*first)],
                affinity: Affinity::Nodes {
                    nodes: vec![(self.local().to_owned(), 2)],
                    strict: false,
                },
                disable: false,
                comment: None,
            });
        }
        // What the manager gave up on does not run.
        if let Some(broken) = managed.get(3)
            && let Some(guest) = self.guests.get_mut(broken)
        {
            guest.power_off();
        }
        let replicated: Vec<(u32, String)> = self
            .guests
            .values()
            .filter(|guest| {
                guest
                    .disks()
                    .first()
                    .is_some_and(|disk| disk.storage == "local-zfs")
            })
            .take(4)
            .map(|guest| (guest.vmid, guest.node.clone()))
            .collect();
        for (index, (vmid, source)) in replicated.into_iter().enumerate() {
            let Some(target) = self.nodes.iter().find(|node| node.name != source) else {
                continue;
            };
            self.replications.push(Replication {
                vmid,
                target: target.name.clone(),
                schedule: if index == 0 { "*/5" } else { "*/15" },
                error: (index == 1).then_some(
                    "command 'zfs recv -F -- rpool/data' failed: exit code 1: cannot receive: out of space",
                ),
            });
        }
    }

    /// The tasks of the last day.
    fn seed_history(&mut self, now: i64) {
        let guests: Vec<(u32, Kind, String, String)> = self
            .guests
            .values()
            .filter(|guest| !guest.is_template())
            .map(|guest| {
                (
                    guest.vmid,
                    guest.kind,
                    guest.node.clone(),
                    guest.name().to_owned(),
                )
            })
            .collect();
        if guests.is_empty() {
            return;
        }
        for step in (1..=96_i64).rev() {
            let at = now - step * 15 * 60_000 - 61_000;
            let pick = mix(&[self.seed, step.cast_unsigned(), 4]) as usize;
            let (vmid, kind, node, name) = guests[pick % guests.len()].clone();
            let prefix = kind.task_prefix();
            let id = vmid.to_string();
            let chance = fraction(&[self.seed, step.cast_unsigned(), 8]);
            let order = if step % 24 == 5 {
                Order::new(&node, "aptupdate", "", "root@pam")
                    .takes(4000)
                    .says(vec!["starting apt-get update".to_owned()])
            } else if chance < 0.05 {
                Order::new(&node, format!("{prefix}shutdown"), id, "operator@pve")
                    .takes(60_000)
                    .fails("VM quit/powerdown failed - got timeout")
            } else if chance < 0.1 {
                Order::new(&node, format!("{prefix}snapshot"), id, "operator@pve").takes(3000)
            } else if chance < 0.18 {
                Order::new(&node, format!("{prefix}start"), id, "root@pam").takes(1500)
            } else {
                let size = 8 * GIB * (1 + (pick as u64) % 12);
                let log = super::task::backup_log(kind.label(), kind, vmid, &name, size, "pbs-main");
                let order = Order::new(&node, "vzdump", id, "root@pam")
                    .takes(45_000)
                    .says(log);
                if chance > 0.96 {
                    order.fails("job errors")
                } else {
                    order
                }
            };
            self.begin_at(order, at);
        }
        self.settle(now);
        // One that is at work when the first look falls on it.
        let free = guests.iter().find(|(vmid, ..)| {
            self.guests
                .get(vmid)
                .is_some_and(|guest| guest.is_running() && guest.lock().is_none())
        });
        if let Some((vmid, ..)) = free
            && let Some(storage) = self
                .storages
                .iter()
                .find(|storage| storage.content.contains("backup"))
        {
            let (vmid, storage) = (*vmid, storage.name.to_owned());
            if let Some(order) = self.backup_order(vmid, &storage, "root@pam") {
                let order = order.takes(150_000).does(Effect::Backup { vmid, storage });
                self.begin_at(order, now - 15_000);
            }
        }
    }
}

fn node(name: &str, certificate: &NodeCertificate, id: u32, plan: &Plan, now: i64) -> Node {
    let seed = mix(&[plan.seed, u64::from(id), 21]);
    let big = plan.estate == Estate::Production;
    // Large estates get large nodes, so that the guests fit.
    let scale = (plan.guests / plan.nodes.len().max(1) / 40).clamp(1, 16) as u64;
    let net = if big { 10 } else { 99 };
    Node {
        name: name.to_owned(),
        id,
        address: format!("10.{net}.0.{}", 10 + id),
        online: true,
        frozen: false,
        since: now - DAY * (3 + (seed % 80).cast_signed()) - 4321,
        cpus: if big { 64 * scale.min(4) as u32 } else { 16 },
        model: if big {
            "AMD EPYC 7543 32-Core Processor"
        } else {
            "Intel(R) Xeon(R) E-2388G CPU @ 3.20GHz"
        },
        memory: if big { 256 * GIB * scale } else { 64 * GIB },
        root_size: 94 * GIB,
        seed,
        certificate_end: certificate.end,
        fingerprint: certificate.fingerprint.clone(),
        certificate: certificate.pem.clone(),
        updates: if id == 3 { 0 } else { 7 + (seed % 30) as usize },
        down: false,
        maintenance: false,
        config: node_config(id, seed),
        stopped_services: std::collections::BTreeSet::new(),
        broken_service: (big && id == 2).then_some("postfix"),
    }
}

/// The first node has none of its own; the others can be woken.
fn node_config(id: u32, seed: u64) -> BTreeMap<String, String> {
    let mut config = BTreeMap::new();
    if id > 1 {
        config.insert("wakeonlan".to_owned(), seed_guests::mac(seed));
    }
    config
}

fn storages(production: bool) -> Vec<Storage> {
    let storage = |name, kind, content, shared, total, full, settings: &[(&'static str, &str)]| Storage {
        name,
        kind,
        content,
        shared,
        settings: settings
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect(),
        total,
        full,
        nodes: None,
        disabled: false,
        down_on: None,
    };
    let local = storage(
        "local",
        "dir",
        "iso,vztmpl,backup,snippets,import",
        false,
        94 * GIB,
        0.22,
        &[("path", "/var/lib/vz"), ("prune-backups", "keep-all=1")],
    );
    if !production {
        let thin = storage(
            "local-lvm",
            "lvmthin",
            "images,rootdir",
            false,
            780 * GIB,
            0.41,
            &[("thinpool", "data"), ("vgname", "pve")],
        );
        return vec![local, thin];
    }
    vec![
        Storage {
            content: "iso,vztmpl,snippets",
            ..local
        },
        storage(
            "local-zfs",
            "zfspool",
            "images,rootdir",
            false,
            3 * TIB,
            0.38,
            &[("pool", "rpool/data"), ("sparse", "1")],
        ),
        storage(
            "ceph-vm",
            "rbd",
            "images,rootdir",
            true,
            40 * TIB,
            0.57,
            &[("pool", "vm"), ("krbd", "0")],
        ),
        storage(
            "nfs-iso",
            "nfs",
            "iso,vztmpl,snippets,import",
            true,
            8 * TIB,
            0.33,
            &[
                ("server", "10.10.0.50"),
                ("export", "/tank/iso"),
                ("path", "/mnt/pve/nfs-iso"),
            ],
        ),
        storage(
            "nfs-archive",
            "nfs",
            "images",
            true,
            6 * TIB,
            0.928,
            &[
                ("server", "10.10.0.50"),
                ("export", "/tank/archive"),
                ("path", "/mnt/pve/nfs-archive"),
            ],
        ),
        storage(
            "pbs-main",
            "pbs",
            "backup",
            true,
            24 * TIB,
            0.64,
            &[
                ("server", "10.10.0.60"),
                ("datastore", "main"),
                ("username", "pve@pbs"),
                ("prune-backups", "keep-daily=7,keep-weekly=4"),
            ],
        ),
    ]
}
