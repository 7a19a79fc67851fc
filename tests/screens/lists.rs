//! The list panes, drawn at several sizes and in every state that a list can be in.

use insta::assert_snapshot;
use pvedeck::{
    domain::{Guest, GuestKind, Inventory},
    screens::{
        Pane, clusters::Clusters, findings::Findings, guests::Guests, nodes::Nodes, storages::Storages,
        tasks::Tasks,
    },
    store::{Feed, FeedErrorKind, Payload},
};

use super::world::{World, ago, guest, node, offline, one, prod, status, storage, task, two};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
/// Only as high as there is something to see.
const SHORT: [(u16, u16); 3] = [(80, 12), (120, 12), (200, 12)];

fn panes() -> [(&'static str, Box<dyn Pane>); 6] {
    [
        ("nodes", Box::new(Nodes::default())),
        ("guests", Box::new(Guests::default())),
        ("storages", Box::new(Storages::default())),
        ("tasks", Box::new(Tasks::default())),
        ("findings", Box::new(Findings::default())),
        ("clusters", Box::new(Clusters::default())),
    ]
}

fn snapshots(state: &str, world: &World, sizes: &[(u16, u16)]) {
    for (name, mut pane) in panes() {
        for size in sizes {
            let screen = world.screen(&mut *pane, *size);
            assert_snapshot!(format!("{name}_{state}_{}", size.0), screen);
        }
    }
}

#[test]
fn one_cluster() {
    snapshots("normal", &one(), &SHORT);
}

#[test]
fn tiles_of_the_deck() {
    let world = one();
    let widths = [48, 72, 48, 60, 60, 60];
    for ((name, mut pane), width) in panes().into_iter().zip(widths) {
        let screen = world.screen(&mut *pane, (width, 11));
        assert_snapshot!(format!("{name}_tile_{width}"), screen);
    }
}

#[test]
fn without_unicode() {
    let mut world = two();
    world.glyphs = pvedeck::ui::Glyphs::ASCII;
    for (name, mut pane) in panes() {
        let screen = world.screen(&mut *pane, (100, 12));
        assert!(screen.is_ascii(), "{name}:\n{screen}");
        assert_snapshot!(format!("{name}_ascii_100"), screen);
    }
}

#[test]
fn several_clusters_have_a_column() {
    snapshots("fleet", &two(), &SHORT);
}

#[test]
fn before_the_first_data() {
    snapshots("waiting", &World::new(&["prod"]), &[(80, 6)]);
}

#[test]
fn nothing_was_ever_read() {
    let mut world = World::new(&["prod"]);
    for feed in [Feed::Resources, Feed::Tasks, Feed::ClusterStatus] {
        let message = "Nobody answers at pve1:8006 (connection refused). Is pveproxy running?";
        world.fail("prod", feed, ago(3), FeedErrorKind::Unreachable, message);
    }
    snapshots("failed", &world, &[(80, 6)]);
}

#[test]
fn read_and_really_empty() {
    let mut world = World::new(&["prod"]);
    world.tell(
        "prod",
        Feed::Resources,
        ago(3),
        Payload::Resources(Inventory::default()),
    );
    world.tell("prod", Feed::Tasks, ago(3), Payload::Tasks(Vec::new()));
    let members = status(Some("production"), &[]);
    world.tell(
        "prod",
        Feed::ClusterStatus,
        ago(3),
        Payload::ClusterStatus(members),
    );
    snapshots("empty", &world, &[(80, 6)]);
}

#[test]
fn old_data_stays_with_its_age_and_the_error() {
    let mut world = two();
    for feed in [Feed::Resources, Feed::Tasks, Feed::ClusterStatus] {
        let message = "Nobody answers at pve1:8006 (timed out). Is the network up?";
        world.fail("prod", feed, world.now, FeedErrorKind::Unreachable, message);
    }
    snapshots("stale", &world, &[(120, 12)]);
}

#[test]
fn ten_thousand_guests() {
    let mut world = World::new(&["prod"]);
    let guests = (0..10_000)
        .map(|n| Guest {
            cpu: Some(f64::from(n % 100) / 100.0),
            ..guest(100 + n, GuestKind::Qemu, &format!("guest-{n}"), "pve1")
        })
        .collect();
    let inventory = Inventory { guests, ..prod() };
    world.tell("prod", Feed::Resources, ago(4), Payload::Resources(inventory));
    let mut pane = Guests::default();
    pane.set_filter("guest-99 status:running");
    for size in SIZES {
        assert_snapshot!(format!("guests_huge_{}", size.0), world.screen(&mut pane, size));
    }
}

/// Control sequences, overrides, combining characters, wide characters, nothing but length.
const HOSTILE: [&str; 6] = [
    "web\x1b[2J\x1b]0;owned\x07",
    "invoice\u{202e}gpj.exe",
    "Z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}algo",
    "日本語サーバー東京リージョン一号機",
    "two\r\nlines\tand a tab",
    "\u{9b}31m\u{feff}\u{200b}",
];

fn hostile() -> World {
    let mut world = World::new(&["prod\x1b[31m", "lab\u{202e}"]);
    let long = "x".repeat(10_000);
    let names: Vec<&str> = HOSTILE.into_iter().chain([&*long]).collect();
    let inventory = Inventory {
        nodes: names
            .iter()
            .map(|name| node(name, f64::NAN, 500))
            .chain([offline("\x1b[5m")])
            .collect(),
        guests: names
            .iter()
            .zip(100..)
            .map(|(name, vmid)| Guest {
                tags: names.iter().map(|tag| (*tag).into()).collect(),
                pool: Some((*name).into()),
                lock: Some((*name).into()),
                ha_state: Some((*name).into()),
                cpu: Some(1e300),
                mem: Some(u64::MAX),
                uptime: Some(u64::MAX),
                ..guest(vmid, GuestKind::Lxc, name, name)
            })
            .collect(),
        storages: names.iter().map(|name| storage(name, name, name, 1, 0)).collect(),
        ..Inventory::default()
    };
    world.tell(
        "prod\x1b[31m",
        Feed::Resources,
        ago(4),
        Payload::Resources(inventory),
    );
    let tasks = vec![
        task(
            "pve1",
            10,
            "x\x1b[1m",
            "\u{202e}1",
            "eve\x07@pve",
            Some((5, HOSTILE[0])),
        ),
        task("pve1", -500, "vzdump", "100", "eve@pve", None),
    ];
    world.tell("prod\x1b[31m", Feed::Tasks, ago(4), Payload::Tasks(tasks));
    let message = "503 \x1b[41mgo away\u{202e}\n";
    for feed in [Feed::Resources, Feed::ClusterStatus] {
        world.fail("lab\u{202e}", feed, ago(4), FeedErrorKind::Server, message);
    }
    world
}

#[test]
fn hostile_names_break_nothing() {
    let world = hostile();
    for (name, mut pane) in panes() {
        for width in [60, 80, 120, 200] {
            let screen = world.screen(&mut *pane, (width, 14));
            let harmful = screen
                .chars()
                .find(|c| *c != '\n' && pvedeck::ui::safe::is_harmful(*c));
            assert_eq!(harmful, None, "{name} at {width}:\n{screen}");
            for line in screen.lines() {
                assert_eq!(
                    pvedeck::ui::safe::width(line),
                    usize::from(width),
                    "{name} {line:?}"
                );
            }
        }
    }
    snapshots("hostile", &world, &[(120, 14)]);
}

#[test]
fn no_size_is_too_small() {
    let worlds = [one(), two(), hostile(), World::new(&[])];
    for world in &worlds {
        for (_, mut pane) in panes() {
            for (width, height) in [(1, 1), (2, 2), (3, 3), (10, 4), (40, 5), (60, 15), (250, 80)] {
                let screen = world.screen(&mut *pane, (width, height));
                assert_eq!(screen.lines().count(), usize::from(height));
            }
        }
    }
}
