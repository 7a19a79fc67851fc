//! The guests of the estate: roles with believable names, sizes, tags and customers.

use std::collections::BTreeMap;

use super::{
    World,
    guest::{Agent, Config, Guest, Kind, Power, Snapshot, hex},
    load::{Profile, fraction, mix},
};

const DAY: i64 = 86_400;

/// A role that guests play.
struct Role {
    name: &'static str,
    kind: Kind,
    tags: &'static str,
    cores: u32,
    /// MiB.
    memory: u64,
    /// GiB.
    disk: u64,
    busy: f64,
    full: f64,
}

#[allow(clippy::too_many_arguments, reason = "the columns of the table below")]
const fn role(
    name: &'static str,
    kind: Kind,
    tags: &'static str,
    cores: u32,
    memory: u64,
    disk: u64,
    busy: f64,
    full: f64,
) -> Role {
    Role {
        name,
        kind,
        tags,
        cores,
        memory,
        disk,
        busy,
        full,
    }
}

const ROLES: &[Role] = &[
    role("web", Kind::Qemu, "prod;web", 4, 8192, 32, 0.12, 0.55),
    role("db", Kind::Qemu, "db;ha;prod", 8, 32768, 200, 0.25, 0.86),
    role("app", Kind::Qemu, "app;prod", 4, 16384, 64, 0.18, 0.62),
    role("proxy", Kind::Lxc, "prod;web", 2, 1024, 8, 0.05, 0.35),
    role("cache", Kind::Lxc, "prod", 2, 4096, 8, 0.08, 0.72),
    role("mail", Kind::Qemu, "mail;prod", 4, 8192, 120, 0.07, 0.58),
    role("dns", Kind::Lxc, "infra", 1, 512, 4, 0.02, 0.3),
    role("mon", Kind::Qemu, "ha;infra", 4, 8192, 100, 0.14, 0.66),
    role("git", Kind::Qemu, "dev", 4, 16384, 150, 0.1, 0.7),
    role("ci-runner", Kind::Lxc, "ci;dev", 8, 8192, 40, 0.45, 0.5),
    role("win-app", Kind::Qemu, "prod;windows", 8, 16384, 120, 0.15, 0.78),
    role("files", Kind::Lxc, "prod", 2, 2048, 500, 0.04, 0.4),
    role("vpn", Kind::Lxc, "infra", 1, 512, 4, 0.03, 0.25),
    role("queue", Kind::Qemu, "ha;prod", 4, 8192, 48, 0.11, 0.64),
    role("search", Kind::Qemu, "app;prod", 8, 32768, 300, 0.22, 0.88),
    role("backup-proxy", Kind::Lxc, "infra", 2, 2048, 16, 0.04, 0.3),
];

const LAB_ROLES: &[&str] = &["test", "sandbox", "build", "bench", "trial"];
const CUSTOMERS: &[&str] = &["acme", "beta", "infra"];

/// Fills the estate with `count` guests.
pub(super) fn populate(world: &mut World, count: usize, production: bool) {
    let nodes: Vec<String> = world.nodes.iter().map(|node| node.name.clone()).collect();
    if nodes.is_empty() {
        return;
    }
    for index in 0..count {
        // Both clusters count from 100, as real ones do: a VMID alone names no guest of an estate.
        let vmid = 100 + index as u32;
        let spot = mix(&[world.seed, vmid.into(), 6]);
        let node = nodes[spot as usize % nodes.len()].clone();
        let mut guest = make(world, vmid, index, node, production);
        arrange(&mut guest, index, world.seconds(), production);
        world.guests.insert(vmid, guest);
    }
}

fn make(world: &World, vmid: u32, index: usize, node: String, production: bool) -> Guest {
    let id = mix(&[world.seed, vmid.into()]);
    let role = &ROLES[index % ROLES.len()];
    let number = index / ROLES.len() + 1;
    let (name, tags) = if production {
        (format!("{}{number:02}", role.name), role.tags.to_owned())
    } else {
        let stem = LAB_ROLES[index % LAB_ROLES.len()];
        (
            format!("{stem}{:02}", index / LAB_ROLES.len() + 1),
            "lab".to_owned(),
        )
    };
    let storage = match (production, role.kind, index % 5) {
        (false, ..) => "local-lvm",
        (true, Kind::Lxc, _) | (true, _, 4) => "local-zfs",
        (true, Kind::Qemu, _) => "ceph-vm",
    };
    let since = world.seconds() - (3600.0 + 40.0 * DAY as f64 * fraction(&[id, 5])) as i64;
    // About one in eight is off.
    let running = fraction(&[id, 3]) > 0.12;
    let config = match role.kind {
        Kind::Qemu => qemu_config(vmid, id, &name, role, storage, since),
        Kind::Lxc => lxc_config(vmid, id, &name, role, storage),
    };
    let mut config = config;
    config.insert("tags".to_owned(), tags);
    config.insert("onboot".to_owned(), "1".to_owned());
    let busy = role.busy * (0.5 + fraction(&[id, 8]));
    Guest {
        vmid,
        kind: role.kind,
        node,
        config,
        pending: BTreeMap::new(),
        power: if running { Power::Running } else { Power::Stopped },
        since,
        pid: 2000 + (id % 90_000) as u32,
        pool: production.then(|| CUSTOMERS[(id >> 9) as usize % CUSTOMERS.len()].to_owned()),
        snapshots: Vec::new(),
        parent: None,
        agent: if index % 7 == 5 {
            Agent::Silent
        } else {
            Agent::Answers
        },
        stubborn: index % 23 == 10,
        busy: None,
        profile: Profile {
            id,
            busy,
            full: role.full,
        },
        inside: None,
    }
}

/// A MAC address from a number.
pub(crate) fn mac(id: u64) -> String {
    let bytes = id.to_be_bytes();
    format!("BC:24:11:{:02X}:{:02X}:{:02X}", bytes[1], bytes[2], bytes[3])
}

/// A UUID from a number.
pub(crate) fn uuid(id: u64) -> String {
    let low = mix(&[id, 77]);
    let text = hex(&[id.to_be_bytes(), low.to_be_bytes()].concat());
    format!(
        "{}-{}-4{}-a{}-{}",
        &text[..8],
        &text[8..12],
        &text[13..16],
        &text[17..20],
        &text[20..32]
    )
}

fn qemu_config(vmid: u32, id: u64, name: &str, role: &Role, storage: &str, born: i64) -> Config {
    let windows = role.name.starts_with("win");
    let mut config = Config::new();
    let mut set = |key: &str, value: String| {
        config.insert(key.to_owned(), value);
    };
    set("name", name.to_owned());
    set("cores", role.cores.to_string());
    set("sockets", "1".to_owned());
    set("memory", role.memory.to_string());
    set("ostype", if windows { "win11" } else { "l26" }.to_owned());
    set("scsihw", "virtio-scsi-single".to_owned());
    set("boot", "order=scsi0;net0".to_owned());
    set("cpu", "x86-64-v2-AES".to_owned());
    set(
        "scsi0",
        format!(
            "{storage}:vm-{vmid}-disk-0,discard=on,iothread=1,size={}G",
            role.disk
        ),
    );
    if role.name == "db" {
        set(
            "scsi1",
            format!("{storage}:vm-{vmid}-disk-1,iothread=1,size={}G", role.disk * 2),
        );
    }
    set("net0", format!("virtio={},bridge=vmbr0,firewall=1", mac(id)));
    set("ide2", "none,media=cdrom".to_owned());
    set("agent", "1".to_owned());
    // Cloud images come with a serial console; what was installed from an ISO has none.
    if !windows && !id.is_multiple_of(4) {
        set("serial0", "socket".to_owned());
    }
    set("smbios1", format!("uuid={}", uuid(id)));
    set("vmgenid", uuid(id ^ 1));
    set("meta", format!("creation-qemu=10.0.2,ctime={}", born - DAY));
    config
}

fn lxc_config(vmid: u32, id: u64, name: &str, role: &Role, storage: &str) -> Config {
    let mut config = Config::new();
    let mut set = |key: &str, value: String| {
        config.insert(key.to_owned(), value);
    };
    set("hostname", name.to_owned());
    set("arch", "amd64".to_owned());
    set("cores", role.cores.to_string());
    set("memory", role.memory.to_string());
    set("swap", "512".to_owned());
    set("ostype", "debian".to_owned());
    set("unprivileged", "1".to_owned());
    set("features", "nesting=1".to_owned());
    set(
        "rootfs",
        format!(
            "{storage}:{}-{vmid}-disk-0,size={}G",
            if storage == "local-zfs" { "subvol" } else { "vm" },
            role.disk
        ),
    );
    set(
        "net0",
        format!(
            "name=eth0,bridge=vmbr0,firewall=1,hwaddr={},ip=dhcp,type=veth",
            mac(id)
        ),
    );
    config
}

/// What makes single guests worth a look: templates, notes, snapshots, pending changes, locks.
fn arrange(guest: &mut Guest, index: usize, now: i64, production: bool) {
    match index {
        2 => {
            guest.config.insert(
                "description".to_owned(),
                "# Order service\nOwner: team *orders*, on-call +49 30 555 0142\n\n- restart in pairs\n- logs go to search01\n"
                    .to_owned(),
            );
        }
        5 => snapshots(guest, now),
        7 => {
            guest
                .pending
                .insert("memory".to_owned(), Some("12288".to_owned()));
            guest.pending.insert("cpu".to_owned(), None);
        }
        // Made from a cloud image: it takes its keys from cloud-init.
        8 if guest.kind == Kind::Qemu => {
            let disk = guest.config.get("scsi0").map(String::as_str).unwrap_or_default();
            let storage = disk.split(':').next().unwrap_or("local-zfs").to_owned();
            let drive = format!("{storage}:vm-{}-cloudinit,media=cdrom,size=4M", guest.vmid);
            let key = "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIDemoKeyOfTheOperationsTeam0000000000000000%20ops%40example.net";
            for (name, value) in [
                ("ide0", drive.as_str()),
                ("ciuser", "admin"),
                ("sshkeys", key),
                ("ipconfig0", "ip=dhcp"),
            ] {
                guest.config.insert(name.to_owned(), value.to_owned());
            }
        }
        // An update of the storage was cut off long ago; nobody has looked since.
        11 if production => {
            guest.config.insert("lock".to_owned(), "backup".to_owned());
        }
        13 => {
            guest.config.insert("protection".to_owned(), "1".to_owned());
        }
        16 | 18 if guest.kind == Kind::Qemu => {
            let name = if index == 16 {
                "tpl-debian-13"
            } else {
                "tpl-ubuntu-2404"
            };
            guest.config.insert("name".to_owned(), name.to_owned());
            guest.config.insert("tags".to_owned(), "template".to_owned());
            guest.config.insert("template".to_owned(), "1".to_owned());
            if let Some(disk) = guest.config.get_mut("scsi0") {
                *disk = disk.replace(":vm-", ":base-");
            }
            guest.power_off();
        }
        21 => {
            guest.power = if guest.kind == Kind::Qemu {
                Power::Paused
            } else {
                guest.power
            }
        }
        _ => {}
    }
    if index.is_multiple_of(19) && index > 16 && !guest.is_template() {
        snapshots(guest, now);
    }
}

fn snapshots(guest: &mut Guest, now: i64) {
    let mut config = guest.config.clone();
    config.remove("lock");
    for (name, description, days, parent) in [
        ("before-upgrade", "before the upgrade to Debian 13", 40, None),
        (
            "upgraded",
            "after the upgrade\nall tests green",
            39,
            Some("before-upgrade"),
        ),
    ] {
        guest.snapshots.push(Snapshot {
            name: name.to_owned(),
            description: description.to_owned(),
            time: now - days * DAY,
            parent: parent.map(str::to_owned),
            vmstate: false,
            config: config.clone(),
        });
    }
    guest.parent = Some("upgraded".to_owned());
}
