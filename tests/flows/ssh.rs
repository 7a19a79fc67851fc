//! SSH: who gets the terminal, with which words, and when nobody does.

use pvedeck::{
    app::Effect,
    domain::{
        ClusterStatus, GuestKind, GuestStatus, Vmid, cluster::Member, config::GuestConfig,
        guest::GuestInterface,
    },
    store::{Feed, FeedErrorKind, Payload},
};

use crate::{stage::Stage, support::estate};

fn stage() -> Stage {
    let mut stage = Stage::writing(&["prod"], &["prod"], (100, 30));
    stage.resources("prod", estate::inventory(20));
    let member = Member {
        name: "pve1".into(),
        online: true,
        ip: "192.0.2.11".parse().ok(),
        id: Some(1),
        local: true,
    };
    let status = ClusterStatus {
        members: vec![member],
        ..ClusterStatus::default()
    };
    stage.read("prod", Feed::ClusterStatus, Payload::ClusterStatus(status));
    stage
}

/// What was run, word by word.
fn run(stage: &Stage) -> Vec<Vec<String>> {
    let all = stage.effects.iter().filter_map(|effect| match effect {
        Effect::HandOver(order) => Some(order.arguments.clone()),
        _ => None,
    });
    all.collect()
}

/// Selects a running machine.
fn machine(stage: &mut Stage) -> Vmid {
    let is =
        |status: &GuestStatus, kind: GuestKind| *status == GuestStatus::Running && kind == GuestKind::Qemu;
    let found = stage
        .app
        .store()
        .guests()
        .find(|(_, guest)| is(&guest.status, guest.kind) && !guest.template);
    let vmid = found.map(|(_, guest)| guest.vmid).unwrap();
    stage.keys("2 /");
    stage.type_in(&vmid.to_string());
    stage.keys("enter");
    stage.effects.clear();
    vmid
}

fn tells(stage: &mut Stage, vmid: Vmid, addresses: &[&str], config: &[(&str, &str)]) {
    let interface = GuestInterface {
        name: "eth0".into(),
        mac: None,
        addresses: addresses.iter().map(|text| (*text).into()).collect(),
    };
    let config = GuestConfig {
        entries: config.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        digest: None,
    };
    stage.read(
        "prod",
        Feed::GuestAddresses(vmid),
        Payload::GuestAddresses(vec![interface]),
    );
    stage.read("prod", Feed::GuestConfig(vmid), Payload::GuestConfig(config));
}

#[test]
fn a_node_is_reached_by_its_address_at_once() {
    let mut stage = stage();
    stage.keys("1 S");
    assert_eq!(run(&stage), [["ssh", "root@192.0.2.11"]]);
}

#[test]
fn a_guest_is_reached_when_its_address_is_read() {
    let mut stage = stage();
    let vmid = machine(&mut stage);
    stage.keys("S");
    assert!(
        run(&stage).is_empty() && stage.shows("reading the address"),
        "{}",
        stage.text()
    );
    assert!(stage.watches("prod", Feed::GuestAddresses(vmid)));
    tells(
        &mut stage,
        vmid,
        &["fe80::1/64", "192.0.2.77/24"],
        &[("ciuser", "debian")],
    );
    assert_eq!(run(&stage), [["ssh", "debian@192.0.2.77"]]);
    assert!(!stage.watches("prod", Feed::GuestAddresses(vmid)));
}

#[test]
fn a_key_meanwhile_calls_it_off() {
    let mut stage = stage();
    let vmid = machine(&mut stage);
    stage.keys("S down");
    assert!(stage.shows("called off"), "{}", stage.text());
    tells(&mut stage, vmid, &["192.0.2.77/24"], &[]);
    assert!(run(&stage).is_empty());
}

#[test]
fn nothing_hostile_becomes_a_word_of_the_command() {
    let mut stage = stage();
    let vmid = machine(&mut stage);
    stage.keys("S");
    tells(
        &mut stage,
        vmid,
        &["192.0.2.77/24"],
        &[("ciuser", "-oProxyCommand=x")],
    );
    assert!(
        run(&stage).is_empty() && stage.shows("begins with `-`"),
        "{}",
        stage.text()
    );
    stage.pass(3);
    stage.keys("S");
    tells(&mut stage, vmid, &["-oProxyCommand=x"], &[]);
    assert!(
        run(&stage).is_empty() && stage.shows("no address of it is known"),
        "{}",
        stage.text()
    );
}

#[test]
fn an_agent_that_does_not_answer_is_named_as_the_cause() {
    let mut stage = stage();
    let vmid = machine(&mut stage);
    stage.keys("S");
    let why = "QEMU guest agent is not running";
    stage.read(
        "prod",
        Feed::GuestConfig(vmid),
        Payload::GuestConfig(GuestConfig::default()),
    );
    stage.fails("prod", Feed::GuestAddresses(vmid), FeedErrorKind::Server, why);
    assert!(run(&stage).is_empty() && stage.shows(why), "{}", stage.text());
}

#[test]
fn where_nothing_may_be_written_nobody_gets_the_terminal() {
    let mut stage = Stage::writing(&["prod", "lab"], &["lab"], (100, 30));
    stage.resources("prod", estate::inventory(20));
    stage.keys("1 S");
    assert!(
        run(&stage).is_empty() && stage.shows("SSH: read-only"),
        "{}",
        stage.text()
    );
}
