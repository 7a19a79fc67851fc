//! What the list panes do: filter, sort, marks, selection, opening, clicks, interest.

use std::collections::BTreeSet;

use pvedeck::{
    actions::Id,
    domain::{Guest, GuestKind, GuestRef, Inventory, NodeRef, ObjectRef, StorageRef, Vmid},
    screens::{
        Pane, Place, Reply, clusters::Clusters, findings::Findings, guests::Guests, nodes::Nodes,
        storages::Storages, tasks::Tasks,
    },
    store::{Feed, FeedKey, Payload},
};
use rstest::rstest;

use super::world::{World, ago, guest, one, prod, two};

fn vmid(object: &ObjectRef) -> u32 {
    match object {
        ObjectRef::Guest(GuestRef { vmid, .. }) => vmid.0,
        other => panic!("{other:?} is no guest"),
    }
}

/// The rows of a list from its first to its last, by walking through it as a user does.
fn rows(pane: &mut dyn Pane, world: &World) -> Vec<ObjectRef> {
    let cx = world.cx();
    pane.refresh(&cx);
    pane.act(Id::ListFirst, &cx);
    let mut all: Vec<ObjectRef> = pane.subject().into_iter().collect();
    loop {
        pane.act(Id::ListDown, &cx);
        let next = pane.subject();
        if next.is_none() || next.as_ref() == all.last() {
            return all;
        }
        all.extend(next);
    }
}

fn guests_of(line: &str) -> Vec<u32> {
    let mut pane = Guests::default();
    pane.set_filter(line);
    rows(&mut pane, &two()).iter().map(vmid).collect()
}

#[rstest]
#[case("", &[104, 104, 105, 200, 210, 300, 900, 1234])]
#[case("web", &[104])]
#[case("10", &[104, 104, 105, 210])]
#[case("acme", &[104, 105])]
#[case("!pve1", &[104, 200, 210, 300, 900])]
#[case("status:running", &[104, 104, 105, 200])]
#[case("status:stopped,paused", &[210, 900, 1234])]
#[case("status:locked", &[200])]
#[case("status:backup", &[200])]
#[case("node:pve2 !type:template", &[200, 210])]
#[case("tag:prod", &[104, 105])]
#[case("tag:pro", &[])]
#[case("!tag:prod pool:acme", &[])]
#[case("pool:ACME", &[104, 105])]
#[case("type:lxc", &[104, 200])]
#[case("type:template", &[900])]
#[case("cluster:lab", &[104])]
#[case("name:WEB", &[104])]
#[case("name:vm", &[1234])]
fn guests_are_filtered(#[case] line: &str, #[case] expected: &[u32]) {
    assert_eq!(guests_of(line), expected, "{line:?}");
}

/// The guests after the titles were clicked until this column sorts.
fn guests_by(column: &str, times: usize) -> Vec<u32> {
    let world = one();
    let mut pane = Guests::default();
    let screen = world.screen(&mut pane, (200, 24));
    let titles: Vec<char> = screen.lines().nth(1).unwrap().chars().skip(1).collect();
    let line: String = titles.iter().collect();
    let at = line.find(&format!("{column} ")).unwrap();
    let x = line[..at].chars().count() as u16;
    for _ in 0..times {
        assert_eq!(pane.click(x, 0, &world.cx()), Reply::Done);
    }
    rows(&mut pane, &world).iter().map(vmid).collect()
}

#[rstest]
#[case("vmid", 1, &[1234, 900, 300, 210, 200, 105, 104])]
#[case("name", 1, &[210, 105, 900, 300, 200, 1234, 104])]
#[case("name", 2, &[104, 1234, 200, 300, 900, 105, 210])]
#[case("node", 1, &[104, 105, 1234, 200, 210, 900, 300])]
#[case("type", 1, &[200, 104, 105, 210, 300, 1234, 900])]
#[case("status", 1, &[104, 105, 200, 1234, 210, 900, 300])]
#[case("cpu", 1, &[105, 104, 200, 1234, 210, 900, 300])]
#[case("mem", 1, &[105, 104, 200, 1234, 210, 900, 300])]
#[case("ha", 1, &[200, 210, 900, 300, 1234, 105, 104])]
#[case("tags", 2, &[104, 105, 200, 210, 900, 300, 1234])]
fn guests_are_sorted(#[case] column: &str, #[case] clicks: usize, #[case] expected: &[u32]) {
    assert_eq!(guests_by(column, clicks), expected, "{column}");
}

#[test]
fn sorting_by_key_goes_through_the_columns_that_are_shown() {
    let world = one();
    let mut pane = Guests::default();
    let mut sorted = Vec::new();
    for _ in 0..20 {
        pane.act(Id::ListSortNext, &world.cx());
        let screen = world.screen(&mut pane, (80, 10));
        let titles = screen.lines().nth(1).unwrap().to_owned();
        let word = titles.split_whitespace().find(|word| word.contains(['▲', '▼']));
        sorted.push(word.unwrap_or_else(|| panic!("no mark in {titles:?}")).to_owned());
    }
    sorted.truncate(9);
    assert_eq!(
        sorted,
        [
            "name▲",
            "!▼",
            "node▲",
            "type▲",
            "status▲",
            "▼cpu",
            "▼mem",
            "▼disk",
            "▼up"
        ]
    );
}

#[test]
fn a_guest_stays_selected_when_it_moves_and_when_others_go() {
    let mut world = one();
    let mut pane = Guests::default();
    pane.refresh(&world.cx());
    pane.act(Id::ListDown, &world.cx());
    assert_eq!(pane.subject().as_ref().map(vmid), Some(105));
    let mut inventory = prod();
    inventory.guests.remove(0);
    inventory.guests[0].node = "pve2".into();
    world.tell("prod", Feed::Resources, world.now, Payload::Resources(inventory));
    pane.refresh(&world.cx());
    assert_eq!(pane.subject().as_ref().map(vmid), Some(105));
}

#[test]
fn marks_are_counted_and_stay_under_a_filter() {
    let world = one();
    let mut pane = Guests::default();
    pane.refresh(&world.cx());
    pane.act(Id::ListMark, &world.cx());
    pane.act(Id::ListMark, &world.cx());
    pane.set_filter("tag:web");
    pane.refresh(&world.cx());
    let marks: Vec<u32> = pane.marks().unwrap().iter().map(vmid).collect();
    assert_eq!(marks, [104, 105]);
    let title = pane.title(&world.cx());
    assert_eq!(title.detail, "1 of 7 · tag:web · 2 marked");
    assert_eq!(title.freshness.age, "<15s");
}

#[test]
fn a_filter_without_a_match_says_how_to_get_rid_of_it() {
    let world = one();
    let mut pane = Guests::default();
    pane.set_filter("nosuchthing");
    let screen = world.screen(&mut pane, (80, 6));
    assert!(
        screen.contains("Nothing matches \"nosuchthing\". Empty the filter line to see all 7."),
        "{screen}"
    );
    assert_eq!(pane.subject(), None);
    assert_eq!(
        pane.act(Id::ListOpen, &world.cx()),
        Reply::Say(pvedeck::ui::Tone::Warn, "nothing is selected".to_owned())
    );
}

#[test]
fn rows_lead_to_their_objects() {
    let world = one();
    let cx = world.cx();
    let web = ObjectRef::Guest(GuestRef {
        cluster: "prod".into(),
        vmid: Vmid(104),
    });
    let mut guests = Guests::default();
    guests.refresh(&cx);
    assert_eq!(
        guests.act(Id::ListOpen, &cx),
        Reply::Go(Place::Object(web.clone()))
    );
    assert_eq!(
        guests.act(Id::ObjectDescribe, &cx),
        Reply::Go(Place::Object(web.clone()))
    );
    assert_eq!(guests.act(Id::ObjectRaw, &cx), Reply::Go(Place::Raw(web)));
    assert!(
        matches!(guests.act(Id::ObjectLog, &cx), Reply::Say(..)),
        "guests have no log"
    );
    assert_eq!(guests.act(Id::Quit, &cx), Reply::Ignored);

    let mut tasks = Tasks::default();
    tasks.refresh(&cx);
    let task = tasks.subject().unwrap();
    assert_eq!(tasks.act(Id::ListOpen, &cx), Reply::Go(Place::Log(task.clone())));
    assert_eq!(tasks.act(Id::ObjectDescribe, &cx), Reply::Go(Place::Object(task)));

    let mut nodes = Nodes::default();
    nodes.refresh(&cx);
    let pve1 = ObjectRef::Node(NodeRef {
        cluster: "prod".into(),
        node: "pve1".into(),
    });
    assert_eq!(nodes.act(Id::ObjectLog, &cx), Reply::Go(Place::Log(pve1)));

    let mut clusters = Clusters::default();
    clusters.refresh(&cx);
    let prod = ObjectRef::Cluster("prod".into());
    assert_eq!(clusters.act(Id::ListOpen, &cx), Reply::Go(Place::Object(prod)));
}

#[test]
fn running_tasks_stand_first_then_the_newest() {
    let world = one();
    let kinds: Vec<String> = rows(&mut Tasks::default(), &world)
        .into_iter()
        .map(|object| match object {
            ObjectRef::Task(task) => format!("{} {}", task.upid.kind, task.upid.id),
            other => panic!("{other:?} is no task"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "vzdump 200",
            "qmstart 104",
            "qmigrate 105",
            "vzdump ",
            "imgcopy local"
        ]
    );
}

#[rstest]
#[case("status:failed", 1)]
#[case("status:running,ok", 2)]
#[case("type:vzdump", 2)]
#[case("user:alice", 2)]
#[case("user:alice@pve", 2)]
#[case("user:alice@pve!deck", 1)]
#[case("db-01", 1)]
#[case("bridge", 1)]
#[case("migrate", 1)]
#[case("node:pve1", 2)]
fn tasks_are_filtered(#[case] line: &str, #[case] expected: usize) {
    let mut pane = Tasks::default();
    pane.set_filter(line);
    assert_eq!(rows(&mut pane, &one()).len(), expected, "{line:?}");
}

#[test]
fn a_shared_storage_is_one_row_and_the_node_that_can_use_it_speaks() {
    let mut world = one();
    let mut pane = Storages::default();
    pane.set_filter("name:ceph");
    let on = |node: &str| {
        ObjectRef::Storage(StorageRef {
            cluster: "prod".into(),
            node: node.into(),
            storage: "ceph".into(),
        })
    };
    assert_eq!(rows(&mut pane, &world), [on("pve1")]);

    let mut inventory = prod();
    for storage in &mut inventory.storages {
        if storage.shared {
            storage.status = if storage.node.as_str() == "pve2" {
                pvedeck::domain::StorageStatus::Available
            } else {
                pvedeck::domain::StorageStatus::Unavailable
            };
        }
    }
    world.tell("prod", Feed::Resources, world.now, Payload::Resources(inventory));
    assert_eq!(rows(&mut pane, &world), [on("pve2")]);
}

#[rstest]
#[case("status:unavailable", 1)]
#[case("status:unknown", 1)]
#[case("node:shared", 1)]
#[case("node:pve1", 2)]
#[case("type:dir", 3)]
#[case("type:rootdir", 5)]
fn storages_are_filtered(#[case] line: &str, #[case] expected: usize) {
    let mut pane = Storages::default();
    pane.set_filter(line);
    assert_eq!(rows(&mut pane, &one()).len(), expected, "{line:?}");
}

#[test]
fn panes_ask_for_the_feeds_of_every_cluster() {
    let world = two();
    let of = |pane: &dyn Pane| {
        let mut feeds = BTreeSet::new();
        pane.interest(&world.cx(), &mut feeds);
        feeds
    };
    let keys = |feeds: &[Feed]| -> BTreeSet<FeedKey> {
        ["prod", "lab"]
            .iter()
            .flat_map(|cluster| feeds.iter().map(|feed| feed.clone().of(&(*cluster).into())))
            .collect()
    };
    assert_eq!(of(&Nodes::default()), keys(&[Feed::Resources]));
    assert_eq!(of(&Guests::default()), keys(&[Feed::Resources]));
    assert_eq!(of(&Storages::default()), keys(&[Feed::Resources]));
    assert_eq!(of(&Tasks::default()), keys(&[Feed::Tasks]));
    let status = [Feed::Resources, Feed::ClusterStatus, Feed::HaStatus];
    assert_eq!(
        of(&Findings::default()),
        keys(&[&status[..], &[Feed::Tasks]].concat())
    );
    assert_eq!(
        of(&Clusters::default()),
        keys(&[&status[..], &[Feed::Version]].concat())
    );
}

#[test]
fn clicks_and_the_wheel_find_their_rows() {
    let mut world = World::new(&["prod"]);
    let guests: Vec<Guest> = (100..200)
        .map(|vmid| guest(vmid, GuestKind::Qemu, "same", "pve1"))
        .collect();
    let inventory = Inventory {
        guests,
        ..Inventory::default()
    };
    world.tell("prod", Feed::Resources, ago(1), Payload::Resources(inventory));
    let mut pane = Guests::default();
    world.screen(&mut pane, (80, 13));
    pane.click(5, 4, &world.cx());
    assert_eq!(pane.subject().as_ref().map(vmid), Some(103));
    pane.scroll(50, &world.cx());
    assert_eq!(
        pane.subject().as_ref().map(vmid),
        Some(150),
        "the selection stays in sight"
    );
    world.screen(&mut pane, (80, 13));
    pane.click(5, 2, &world.cx());
    assert_eq!(pane.subject().as_ref().map(vmid), Some(151));
    pane.act(Id::ListLast, &world.cx());
    assert_eq!(pane.subject().as_ref().map(vmid), Some(199));
}

#[test]
fn an_offline_node_has_no_figures() {
    let world = one();
    let screen = world.screen(&mut Nodes::default(), (120, 8));
    let line = screen.lines().find(|line| line.contains("pve3")).unwrap();
    assert!(line.contains("offline"), "{line}");
    let figures: String = line.chars().skip_while(|c| *c != '✗').collect();
    assert!(!figures.replace("30s", "").contains(['0', '%']), "{line}");
}
