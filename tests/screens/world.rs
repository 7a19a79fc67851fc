//! A small estate filled in by hand, at a fixed time, and the drawing of a pane into text.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pvedeck::{
    domain::{
        ClusterId, ClusterStatus, Guest, GuestKind, GuestStatus, Inventory, Node, NodeStatus, Storage,
        StorageStatus, Task, TaskState, Vmid, cluster::Member,
    },
    plan::runs::Runs,
    screens::{Cx, Pane},
    store::{Feed, FeedError, FeedErrorKind, Payload, Store, Update},
    ui::{Canvas, Glyphs, Rect, Theme, pane},
};
use ratatui::buffer::Buffer;

pub(crate) const GIB: u64 = 1 << 30;

/// The moment at which everything happens: a Sunday, 14:02:11 UTC.
pub(crate) fn now() -> Timestamp {
    "2026-03-01T14:02:11Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A store, and the time at which it is looked at.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    pub(crate) glyphs: Glyphs,
}

impl World {
    pub(crate) fn new(clusters: &[&str]) -> Self {
        Self {
            store: Store::new(clusters.iter().map(|name| ClusterId::from(*name))),
            now: now(),
            glyphs: Glyphs::UNICODE,
        }
    }

    pub(crate) fn cx(&self) -> Cx<'_> {
        Cx {
            store: &self.store,
            runs: const { &Runs::new() },
            now: self.now,
            zone: const { &TimeZone::UTC },
            glyphs: &self.glyphs,
        }
    }

    pub(crate) fn tell(&mut self, cluster: &str, feed: Feed, at: Timestamp, payload: Payload) {
        self.store.apply(Update {
            key: feed.of(&cluster.into()),
            at,
            outcome: Ok(payload),
        });
    }

    pub(crate) fn fail(
        &mut self,
        cluster: &str,
        feed: Feed,
        at: Timestamp,
        kind: FeedErrorKind,
        message: &str,
    ) {
        self.store.apply(Update {
            key: feed.of(&cluster.into()),
            at,
            outcome: Err(FeedError {
                kind,
                message: message.to_owned(),
            }),
        });
    }

    /// What a pane draws with its frame, as text.
    pub(crate) fn screen(&self, shown: &mut dyn Pane, (width, height): (u16, u16)) -> String {
        let cx = self.cx();
        shown.refresh(&cx);
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::mono();
        let mut canvas = Canvas::new(&mut buffer, area, &theme, &self.glyphs);
        let mut inside = pane::frame(&mut canvas, &shown.title(&cx), true);
        shown.draw(&mut inside, &cx, true);
        text(&buffer)
    }
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    buffer
        .content
        .chunks(width)
        .map(|row| {
            let mut line = String::new();
            let mut covered = 0;
            for cell in row {
                // The column behind a wide character belongs to it.
                if covered == 0 {
                    line.push_str(cell.symbol());
                    covered = pvedeck::ui::safe::width(cell.symbol()).max(1);
                }
                covered -= 1;
            }
            line.trim_end().to_owned() + "\n"
        })
        .collect()
}

pub(crate) fn node(name: &str, cpu: f64, mem: u64) -> Node {
    Node {
        name: name.into(),
        status: NodeStatus::Online,
        cpu: Some(cpu),
        cpus: Some(32.0),
        mem: Some(mem * GIB),
        max_mem: Some(128 * GIB),
        disk: Some(12 * GIB),
        max_disk: Some(96 * GIB),
        uptime: Some(90 * 86_400),
        level: None,
    }
}

pub(crate) fn offline(name: &str) -> Node {
    Node {
        status: NodeStatus::Offline,
        cpu: None,
        cpus: None,
        mem: None,
        max_mem: None,
        disk: None,
        max_disk: None,
        uptime: None,
        ..node(name, 0.0, 0)
    }
}

pub(crate) fn guest(vmid: u32, kind: GuestKind, name: &str, node: &str) -> Guest {
    Guest {
        vmid: Vmid(vmid),
        kind,
        name: Some(name.into()),
        node: node.into(),
        status: GuestStatus::Running,
        template: false,
        tags: Vec::new(),
        pool: None,
        lock: None,
        ha_state: None,
        cpu: Some(0.12),
        cpus: Some(4.0),
        mem: Some(2_040_109_465),
        max_mem: Some(4 * GIB),
        host_mem: None,
        disk: Some(0),
        max_disk: Some(32 * GIB),
        uptime: Some(12 * 86_400),
        net_in: Some(0),
        net_out: Some(0),
        disk_read: Some(0),
        disk_write: Some(0),
    }
}

pub(crate) fn stopped(guest: Guest) -> Guest {
    Guest {
        status: GuestStatus::Stopped,
        cpu: Some(0.0),
        mem: Some(0),
        uptime: None,
        ..guest
    }
}

pub(crate) fn storage(name: &str, node: &str, plugin: &str, used: u64, total: u64) -> Storage {
    Storage {
        name: name.into(),
        node: node.into(),
        status: StorageStatus::Available,
        plugin: plugin.into(),
        content: vec!["images".into(), "rootdir".into()],
        shared: false,
        used: Some(used * GIB),
        total: Some(total * GIB),
    }
}

pub(crate) fn task(
    node: &str,
    started: i64,
    kind: &str,
    id: &str,
    user: &str,
    ended: Option<(i64, &str)>,
) -> Task {
    let start = ago(started).as_second();
    Task {
        upid: format!("UPID:{node}:00000680:0002597A:{start:08X}:{kind}:{id}:{user}:")
            .parse()
            .unwrap(),
        end: ended.map(|(seconds, _)| ago(seconds)),
        state: ended.map_or(TaskState::Running, |(_, exit)| TaskState::from_exit(exit)),
        user: user.into(),
    }
}

pub(crate) fn status(name: Option<&str>, members: &[(&str, bool)]) -> ClusterStatus {
    ClusterStatus {
        name: name.map(Into::into),
        quorate: name.map(|_| true),
        members: members
            .iter()
            .map(|(node, online)| Member {
                name: (*node).into(),
                online: *online,
                ip: None,
                id: None,
                local: false,
            })
            .collect(),
    }
}

/// What `prod` has: three nodes of which one is away, guests in every state, shared and local storages.
pub(crate) fn prod() -> Inventory {
    use GuestKind::{Lxc, Qemu};
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).into()).collect();
    Inventory {
        nodes: vec![node("pve1", 0.71, 106), node("pve2", 0.12, 52), offline("pve3")],
        guests: vec![
            Guest {
                tags: tags(&["prod", "web"]),
                pool: Some("acme".into()),
                ha_state: Some("started".into()),
                ..guest(104, Qemu, "web-01", "pve1")
            },
            Guest {
                cpu: Some(0.97),
                mem: Some(8_160_437_862),
                max_mem: Some(8 * GIB),
                tags: tags(&["db", "prod"]),
                pool: Some("acme".into()),
                ha_state: Some("error".into()),
                ..guest(105, Qemu, "db-01", "pve1")
            },
            Guest {
                lock: Some("backup".into()),
                disk: Some(3 * GIB),
                max_disk: Some(8 * GIB),
                ..guest(200, Lxc, "proxy", "pve2")
            },
            stopped(guest(210, Qemu, "ci-runner", "pve2")),
            Guest {
                template: true,
                ..stopped(guest(900, Qemu, "debian-13", "pve2"))
            },
            Guest {
                status: GuestStatus::Unknown,
                cpu: None,
                mem: None,
                uptime: None,
                ..guest(300, Qemu, "fw-01", "pve3")
            },
            Guest {
                status: GuestStatus::Paused,
                name: None,
                ..guest(1234, Qemu, "", "pve1")
            },
        ],
        storages: vec![
            storage("local", "pve1", "dir", 20, 96),
            storage("local", "pve2", "dir", 88, 96),
            storage("local", "pve3", "dir", 10, 96),
            Storage {
                shared: true,
                ..storage("ceph", "pve1", "rbd", 4096, 10_240)
            },
            Storage {
                shared: true,
                status: StorageStatus::Unavailable,
                ..storage("ceph", "pve2", "rbd", 0, 0)
            },
            Storage {
                status: StorageStatus::Unavailable,
                used: None,
                total: None,
                ..storage("nfs-old", "pve1", "nfs", 0, 0)
            },
        ],
        ..Inventory::default()
    }
}

/// One cluster, everything read four seconds ago.
pub(crate) fn one() -> World {
    let mut world = World::new(&["prod"]);
    fill_prod(&mut world);
    world
}

fn fill_prod(world: &mut World) {
    for (seconds, load) in [(44, 0.2), (34, 0.5), (24, 0.9), (14, 0.6)] {
        let mut inventory = prod();
        inventory.nodes[0].cpu = Some(load);
        inventory.guests[0].cpu = Some(load / 2.0);
        world.tell(
            "prod",
            Feed::Resources,
            ago(seconds),
            Payload::Resources(inventory),
        );
    }
    world.tell("prod", Feed::Resources, ago(4), Payload::Resources(prod()));
    let members = [("pve1", true), ("pve2", true), ("pve3", false)];
    let quorum = status(Some("production"), &members);
    world.tell(
        "prod",
        Feed::ClusterStatus,
        ago(9),
        Payload::ClusterStatus(quorum),
    );
    world.tell("prod", Feed::Version, ago(60), Payload::Version("9.2.11".into()));
    let tasks = vec![
        task("pve1", 131, "vzdump", "200", "root@pam", None),
        task("pve2", 60, "qmstart", "104", "alice@pve", Some((58, "OK"))),
        task(
            "pve1",
            300,
            "qmigrate",
            "105",
            "alice@pve!deck",
            Some((241, "migration aborted: no such bridge 'vmbr9'")),
        ),
        task(
            "pve2",
            50_000,
            "vzdump",
            "",
            "root@pam",
            Some((46_000, "WARNINGS: 2")),
        ),
        task(
            "pve2",
            90_000_000,
            "imgcopy",
            "local",
            "root@pam",
            Some((89_999_000, "unexpected status")),
        ),
    ];
    world.tell("prod", Feed::Tasks, ago(6), Payload::Tasks(tasks));
}

/// Two clusters: `lab` is a host of its own.
pub(crate) fn two() -> World {
    let mut world = World::new(&["prod", "lab"]);
    fill_prod(&mut world);
    let inventory = Inventory {
        nodes: vec![node("tower", 0.04, 8)],
        guests: vec![guest(104, GuestKind::Lxc, "wiki", "tower")],
        storages: vec![storage("local-zfs", "tower", "zfspool", 100, 900)],
        ..Inventory::default()
    };
    world.tell("lab", Feed::Resources, ago(2), Payload::Resources(inventory));
    let alone = status(None, &[("tower", true)]);
    world.tell("lab", Feed::ClusterStatus, ago(2), Payload::ClusterStatus(alone));
    world.tell("lab", Feed::Tasks, ago(2), Payload::Tasks(Vec::new()));
    world
}
