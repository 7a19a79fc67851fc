//! A hand-made cluster with everything that a page can show.

mod nodes;

use jiff::{Timestamp, tz::TimeZone};
use pvedeck::{
    actions::Id,
    domain::{
        ClusterStatus, Guest, GuestDetail, GuestKind, GuestRef, GuestStatus, HaResource, HaStatus, Inventory,
        LogEntry, Node, NodeRef, NodeStatus, ObjectRef, Pool, ReplicationJob, SdnZone, Storage, StorageRef,
        StorageStatus, Task, TaskRef, TaskState, Upid, Vmid,
        cluster::{Firewall, FirewallRule, Member},
        config::{GuestConfig, PendingChange},
        guest::{GuestInterface, Pressure, Snapshot},
        node::{Certificate, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
        storage::{StorageDetail, Volume},
        task::TaskLog,
    },
    plan::runs::Runs,
    screens::{Cx, Pane, Reply},
    store::{Feed, FeedError, FeedErrorKind, Payload, Store, Update},
    ui::{Canvas, Glyphs, Rect, Theme, pane},
};
use ratatui::buffer::Buffer;

pub(super) const GIB: u64 = 1 << 30;
pub(super) const NOW: i64 = 1_770_000_000;
pub(super) const UPID: &str = "UPID:pve1:00000680:0002597A:69807900:vzdump:104:root@pam:";

pub(super) fn at(seconds_ago: i64) -> Timestamp {
    Timestamp::from_second(NOW - seconds_ago).unwrap()
}

pub(super) fn guest_id() -> GuestRef {
    GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(104),
    }
}

pub(super) fn node_id() -> NodeRef {
    NodeRef {
        cluster: "prod".into(),
        node: "pve1".into(),
    }
}

pub(super) fn storage_id() -> StorageRef {
    StorageRef {
        cluster: "prod".into(),
        node: "pve1".into(),
        storage: "local".into(),
    }
}

pub(super) fn task_id() -> TaskRef {
    TaskRef {
        cluster: "prod".into(),
        upid: UPID.parse().unwrap(),
    }
}

pub(super) fn objects() -> [(&'static str, ObjectRef); 4] {
    [
        ("guest", ObjectRef::Guest(guest_id())),
        ("node", ObjectRef::Node(node_id())),
        ("storage", ObjectRef::Storage(storage_id())),
        ("cluster", ObjectRef::Cluster("prod".into())),
    ]
}

pub(super) struct World(pub(super) Store);

impl World {
    pub(super) fn new() -> Self {
        Self(Store::new(["prod".into()]))
    }

    pub(super) fn put(&mut self, seconds_ago: i64, feed: Feed, outcome: Result<Payload, FeedError>) {
        self.0.apply(Update {
            key: feed.of(&"prod".into()),
            at: at(seconds_ago),
            outcome,
        });
    }

    pub(super) fn ok(&mut self, feed: Feed, payload: Payload) {
        self.put(4, feed, Ok(payload));
    }

    pub(super) fn fail(&mut self, feed: Feed, kind: FeedErrorKind, message: &str) {
        let message = message.to_owned();
        self.put(1, feed, Err(FeedError { kind, message }));
    }

    pub(super) fn frame(&self, pane: &mut dyn Pane, width: u16, height: u16) -> String {
        let theme = Theme::mono();
        let cx = Cx {
            store: &self.0,
            runs: &Runs::new(),
            now: at(0),
            zone: &TimeZone::UTC,
            glyphs: &Glyphs::UNICODE,
        };
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let mut canvas = Canvas::new(&mut buffer, area, &theme, &Glyphs::UNICODE);
        pane.refresh(&cx);
        let title = pane.title(&cx);
        pane.draw(&mut pane::frame(&mut canvas, &title, true), &cx, true);
        let mut text = String::new();
        for y in 0..height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..width {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                }
                skip -= 1;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    pub(super) fn act(&self, pane: &mut dyn Pane, action: Id) -> Reply {
        pane.act(
            action,
            &Cx {
                store: &self.0,
                runs: &Runs::new(),
                now: at(0),
                zone: &TimeZone::UTC,
                glyphs: &Glyphs::UNICODE,
            },
        )
    }
}

fn guest(vmid: u32, name: &str, status: GuestStatus) -> Guest {
    let runs = status == GuestStatus::Running;
    Guest {
        vmid: Vmid(vmid),
        kind: GuestKind::Qemu,
        name: Some(name.into()),
        node: "pve1".into(),
        status,
        template: false,
        tags: vec!["prod".into(), "web".into()],
        pool: Some("acme".into()),
        lock: None,
        ha_state: Some("started".into()),
        cpu: runs.then_some(0.125),
        cpus: Some(4.0),
        mem: runs.then_some(2 * GIB),
        max_mem: Some(4 * GIB),
        host_mem: runs.then_some(3 * GIB),
        disk: Some(0),
        max_disk: Some(32 * GIB),
        uptime: runs.then_some(1_050_000),
        net_in: runs.then_some(12 * GIB),
        net_out: runs.then_some(3 * GIB),
        disk_read: runs.then_some(7 * GIB),
        disk_write: runs.then_some(9 * GIB),
    }
}

fn storage(node: &str, name: &str) -> Storage {
    Storage {
        name: name.into(),
        node: node.into(),
        status: StorageStatus::Available,
        plugin: if name == "local" { "dir" } else { "rbd" }.into(),
        content: vec!["backup".into(), "iso".into(), "vztmpl".into()],
        shared: name != "local",
        used: Some(80 * GIB),
        total: Some(100 * GIB),
    }
}

pub(super) fn inventory(name: &str) -> Inventory {
    let node = |name: &str, status| Node {
        name: name.into(),
        status,
        cpu: (status == NodeStatus::Online).then_some(0.71),
        cpus: Some(16.0),
        mem: Some(26 * GIB),
        max_mem: Some(32 * GIB),
        disk: Some(20 * GIB),
        max_disk: Some(94 * GIB),
        uptime: Some(270_000),
        level: None,
    };
    Inventory {
        nodes: vec![
            node("pve1", NodeStatus::Online),
            node("pve2", NodeStatus::Offline),
        ],
        guests: vec![
            guest(104, name, GuestStatus::Running),
            guest(105, "db-01", GuestStatus::Running),
            guest(210, "ci-runner", GuestStatus::Stopped),
        ],
        storages: vec![
            storage("pve1", "local"),
            storage("pve1", "ceph"),
            storage("pve2", "ceph"),
        ],
        pools: vec![Pool { name: "acme".into() }, Pool { name: "lab".into() }],
        zones: vec![SdnZone {
            name: "localnetwork".into(),
            kind: "zone".into(),
            node: Some("pve1".into()),
            status: "ok".into(),
        }],
        rejected: Vec::new(),
    }
}

fn guest_feeds(world: &mut World, text: &str) {
    let vmid = Vmid(104);
    world.ok(
        Feed::GuestStatus(vmid),
        Payload::GuestStatus(Box::new(GuestDetail {
            status: Some(GuestStatus::Running),
            lock: Some("backup".into()),
            ha_managed: true,
            ha_state: Some("started".into()),
            agent: true,
            pid: Some(4711),
            running_qemu: Some("10.1.2".into()),
            running_machine: Some("pc-q35-10.1+pve0".into()),
            uptime: Some(1_050_000),
            balloon: Some(4 * GIB),
            pressure: Some(Pressure {
                cpu_some: 1.5,
                io_some: 33.3,
                memory_some: 0.0,
            }),
            nics: vec![("tap104i0".into(), 12 * GIB, 3 * GIB)],
            ..GuestDetail::default()
        })),
    );
    let entries = [
        ("agent", "1"),
        ("balloon", "2048"),
        ("boot", "order=scsi0;ide2;net0"),
        ("cipassword", "**********"),
        ("ciuser", "admin"),
        ("cores", "4"),
        ("cpu", "x86-64-v2-AES"),
        ("description", text),
        ("ide2", "local:iso/debian-13.iso,media=cdrom,size=600M"),
        ("ipconfig0", "ip=192.0.2.7/24,gw=192.0.2.1"),
        ("memory", "4096"),
        ("name", "web-01"),
        ("net0", "virtio=BC:24:11:CD:5E:3E,bridge=vmbr0,firewall=1,tag=20"),
        ("onboot", "1"),
        ("ostype", "l26"),
        ("scsi0", "ceph:vm-104-disk-0,discard=on,iothread=1,size=32G,ssd=1"),
        ("scsihw", "virtio-scsi-single"),
        ("sockets", "1"),
        (
            "sshkeys",
            "ssh-ed25519%20AAAA%20alice%0Assh-ed25519%20BBBB%20bob%0A",
        ),
        ("unused0", "ceph:vm-104-disk-1"),
    ];
    world.ok(
        Feed::GuestConfig(vmid),
        Payload::GuestConfig(GuestConfig {
            entries: entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            digest: None,
        }),
    );
    world.ok(
        Feed::GuestPending(vmid),
        Payload::GuestPending(vec![PendingChange {
            key: "cores".into(),
            current: Some("4".into()),
            pending: Some("8".into()),
        }]),
    );
    world.ok(
        Feed::GuestAddresses(vmid),
        Payload::GuestAddresses(vec![GuestInterface {
            name: "eth0".into(),
            mac: Some("bc:24:11:cd:5e:3e".into()),
            addresses: vec!["192.0.2.7/24".into(), "fe80::be24:11ff:fecd:5e3e/64".into()],
        }]),
    );
    let snapshot = |name: &str, parent: Option<&str>, days: i64| Snapshot {
        name: name.into(),
        parent: parent.map(Into::into),
        time: Some(at(days * 86_400)),
        with_ram: days == 2,
        description: text.into(),
    };
    world.ok(
        Feed::GuestSnapshots(vmid),
        Payload::GuestSnapshots(vec![
            snapshot("before-upgrade", Some("auto-0301"), 2),
            snapshot("auto-0301", None, 8),
        ]),
    );
    world.ok(
        Feed::GuestFirewall(vmid),
        Payload::Firewall(Firewall {
            enabled: Some(true),
            policy_in: Some("DROP".into()),
            policy_out: Some("ACCEPT".into()),
            rules: vec![FirewallRule {
                kind: "in".into(),
                action: "ACCEPT".into(),
                enabled: true,
                demands: vec![("proto".into(), "tcp".into()), ("dport".into(), "443".into())],
                ..FirewallRule::default()
            }],
        }),
    );
}

fn storage_feeds(world: &mut World, text: &str) {
    let [node, local] = ["pve1", "local"];
    world.ok(
        Feed::StorageStatus(node.into(), local.into()),
        Payload::StorageStatus(StorageDetail {
            active: true,
            enabled: true,
            space: Some((80 * GIB, 15 * GIB, 100 * GIB)),
            plugin: Some("dir".into()),
        }),
    );
    let volume = |volid: &str, content: &str, vmid: Option<u32>, days: i64| Volume {
        volid: volid.into(),
        content: content.into(),
        format: "raw".into(),
        size: Some(2 * GIB),
        used: None,
        vmid: vmid.map(Vmid),
        time: Some(at(days * 86_400)),
        notes: vmid.map(|_| text.into()),
        protected: days == 1,
        verified: (days == 1).then(|| "ok".into()),
        encrypted: false,
    };
    world.ok(
        Feed::StorageContent(node.into(), local.into()),
        Payload::StorageContent(vec![
            volume("local:iso/debian-13.iso", "iso", None, 90),
            volume(
                "local:backup/vzdump-qemu-104-2026_01_30.vma.zst",
                "backup",
                Some(104),
                3,
            ),
            volume(
                "local:backup/vzdump-qemu-104-2026_02_01.vma.zst",
                "backup",
                Some(104),
                1,
            ),
        ]),
    );
}

fn cluster_feeds(world: &mut World, text: &str) {
    let member = |name: &str, online, id| Member {
        name: name.into(),
        online,
        ip: Some(format!("192.0.2.{}", 10 + id).parse().unwrap()),
        id: Some(id),
        local: id == 1,
    };
    world.ok(
        Feed::ClusterStatus,
        Payload::ClusterStatus(ClusterStatus {
            name: Some("prod-cluster".into()),
            quorate: Some(true),
            members: vec![member("pve1", true, 1), member("pve2", false, 2)],
        }),
    );
    world.ok(
        Feed::HaStatus,
        Payload::HaStatus(HaStatus {
            lines: vec![
                ("quorum".into(), "OK".into()),
                ("master".into(), "pve1 (active, Sun Mar  1 14:02:11 2026)".into()),
            ],
            services: vec![HaResource {
                sid: "vm:104".into(),
                vmid: Some(Vmid(104)),
                node: Some("pve1".into()),
                state: "started".into(),
                request: Some("started".into()),
            }],
        }),
    );
    world.ok(
        Feed::ClusterLog,
        Payload::ClusterLog(vec![LogEntry {
            time: at(60),
            node: "pve1".into(),
            user: "root@pam".into(),
            tag: "pvedaemon".into(),
            priority: 3,
            message: text.into(),
        }]),
    );
    world.ok(Feed::Version, Payload::Version("9.2.11".into()));
    world.ok(
        Feed::Permissions,
        Payload::Permissions(vec![("/".into(), vec!["Sys.Audit".into(), "VM.Audit".into()])]),
    );
    world.ok(Feed::ClusterFirewall, Payload::Firewall(Firewall::default()));
}

pub(super) fn full(text: &str, name: &str) -> World {
    let mut world = World::new();
    world.ok(Feed::Resources, Payload::Resources(inventory(name)));
    world.ok(
        Feed::Tasks,
        Payload::Tasks(vec![Task {
            upid: UPID.parse::<Upid>().unwrap(),
            end: Some(Timestamp::from_second(0x6980_7900 + 251).unwrap()),
            state: TaskState::Failed(text.into()),
            user: "root@pam".into(),
        }]),
    );
    world.ok(
        Feed::TaskLog(UPID.parse().unwrap()),
        Payload::TaskLog(TaskLog {
            start: 0,
            lines: (0..100)
                .map(|n| format!("INFO: {n}% (line {n})").into())
                .chain([text.into()])
                .collect(),
            total: 101,
        }),
    );
    guest_feeds(&mut world, text);
    nodes::node_feeds(&mut world, text);
    storage_feeds(&mut world, text);
    cluster_feeds(&mut world, text);
    world
}
