//! Deeds to nodes: the estate that they are tried on, and a node's power and services.

use std::collections::BTreeSet;

use super::{arguments, cluster, guest, read};
use crate::{
    domain::{
        ClusterStatus, Guest, GuestKind, GuestStatus, HaRules, Inventory, Node, NodeRef, NodeStatus,
        ObjectRef, Storage, StorageStatus, Vmid,
        cluster::Member,
        config::GuestConfig,
        ha::{GuestAffinity, NodeAffinity},
        node::Service,
    },
    plan::{Deed, Plan, Refusal, Rules, Scene, Weight, calls, make, past::Evacuation},
    store::{Feed, Payload, Store},
};

pub(super) const GIB: u64 = 1 << 30;

fn node_ref(name: &str) -> NodeRef {
    NodeRef {
        cluster: cluster(),
        node: name.into(),
    }
}

pub(super) fn on(name: &str) -> [ObjectRef; 1] {
    [ObjectRef::Node(node_ref(name))]
}

fn sized(name: &str, used: u64, total: u64) -> Node {
    Node {
        mem: Some(used * GIB),
        max_mem: Some(total * GIB),
        ..super::node(name, NodeStatus::Online)
    }
}

fn storage(name: &str, node: &str, shared: bool) -> Storage {
    Storage {
        name: name.into(),
        node: node.into(),
        status: StorageStatus::Available,
        plugin: "dir".into(),
        content: Vec::new(),
        shared,
        used: None,
        total: None,
    }
}

/// pve1 with 100 (8G) and 101 (2G) running, 102 a running container, 103 stopped; pve2 emptier than pve3.
pub(super) fn estate(change: impl Fn(&mut Guest)) -> Store {
    let with = |vmid, kind, status, gib: u64| Guest {
        max_mem: Some(gib * GIB),
        ..guest(vmid, kind, status)
    };
    let mut guests = vec![
        with(100, GuestKind::Qemu, GuestStatus::Running, 8),
        with(101, GuestKind::Qemu, GuestStatus::Running, 2),
        with(102, GuestKind::Lxc, GuestStatus::Running, 1),
        with(103, GuestKind::Qemu, GuestStatus::Stopped, 64),
        Guest {
            node: "pve3".into(),
            ..with(110, GuestKind::Qemu, GuestStatus::Running, 4)
        },
    ];
    guests.iter_mut().for_each(change);
    let mut store = Store::new([cluster()]);
    let mut storages = Vec::new();
    for node in ["pve1", "pve2", "pve3"] {
        storages.push(storage("ceph", node, true));
        storages.push(storage("local", node, false));
    }
    storages.push(storage("fast", "pve1", false));
    let inventory = Inventory {
        nodes: vec![sized("pve1", 12, 32), sized("pve2", 4, 32), sized("pve3", 8, 32)],
        guests,
        storages,
        ..Inventory::default()
    };
    read(&mut store, Feed::Resources, Payload::Resources(inventory));
    for vmid in 100..104 {
        config(&mut store, vmid, &[("scsi0", "ceph:disk,size=32G")]);
    }
    store
}

pub(super) fn config(store: &mut Store, vmid: u32, entries: &[(&str, &str)]) {
    let config = GuestConfig {
        entries: entries
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        digest: None,
    };
    read(store, Feed::GuestConfig(Vmid(vmid)), Payload::GuestConfig(config));
}

pub(super) fn planned(
    deed: Deed,
    name: &str,
    given: &[(&str, &str)],
    store: &Store,
) -> Result<Plan, Refusal> {
    with_past(deed, name, given, store, &[])
}

pub(super) fn with_past(
    deed: Deed,
    name: &str,
    given: &[(&str, &str)],
    store: &Store,
    past: &[Evacuation],
) -> Result<Plan, Refusal> {
    let rules = Rules::default();
    let scene = Scene {
        store,
        rules: &rules,
        now: jiff::Timestamp::UNIX_EPOCH,
        past,
    };
    make(deed, &on(name), &arguments(given), scene)
}

pub(super) fn evacuated(store: &Store) -> Plan {
    planned(Deed::NodeEvacuate, "pve1", &[], store).unwrap()
}

pub(super) fn lines(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| step.call.to_string().replace("POST /nodes/", ""))
        .collect()
}

/// The one risk with this in it.
pub(super) fn risk(plan: &Plan, part: &str) -> (Weight, String) {
    let found: Vec<_> = plan
        .risks
        .iter()
        .filter(|risk| risk.text.contains(part))
        .collect();
    assert_eq!(found.len(), 1, "{part}: {:#?}", plan.risks);
    (found[0].weight, found[0].text.clone())
}

pub(super) fn rules(store: &mut Store, rules: HaRules) {
    read(store, Feed::HaRules, Payload::HaRules(rules));
}

pub(super) fn vmids<const N: usize>(list: [u32; N]) -> BTreeSet<Vmid> {
    list.into_iter().map(Vmid).collect()
}

pub(super) fn managed(guest: &mut Guest) {
    guest.ha_state = (guest.vmid.0 != 103).then(|| "started".into());
}

pub(super) fn affinity(guests: BTreeSet<Vmid>, nodes: &[(&str, u32)], strict: bool) -> HaRules {
    HaRules {
        nodes: vec![NodeAffinity {
            name: "r1".into(),
            guests,
            nodes: nodes.iter().map(|(name, rank)| ((*name).into(), *rank)).collect(),
            strict,
        }],
        ..HaRules::default()
    }
}

pub(super) fn bound(guests: BTreeSet<Vmid>, together: bool) -> HaRules {
    HaRules {
        guests: vec![GuestAffinity {
            name: "r2".into(),
            guests,
            together,
        }],
        ..HaRules::default()
    }
}

fn members(store: &mut Store, online: &[bool], local: usize) {
    let members = online
        .iter()
        .enumerate()
        .map(|(at, online)| Member {
            name: format!("pve{}", at + 1).into(),
            online: *online,
            ip: None,
            id: None,
            local: at == local,
        })
        .collect();
    let status = ClusterStatus {
        name: Some("prod".into()),
        quorate: Some(true),
        members,
    };
    read(store, Feed::ClusterStatus, Payload::ClusterStatus(status));
}

#[test]
fn who_switches_a_node_off_is_told_what_goes_with_it() {
    let mut store = estate(managed);
    members(&mut store, &[true, true, false], 0);
    let plan = planned(Deed::NodeShutdown, "pve1", &[], &store).unwrap();
    assert_eq!(lines(&plan), ["pve1/status command=shutdown"]);
    assert_eq!(
        (plan.word.as_str(), plan.danger),
        ("pve1", crate::plan::Danger::TypeName)
    );
    let (weight, text) = risk(&plan, "3 running guests on pve1 go down with it");
    assert!(
        weight == Weight::Danger && text.ends_with("100 web-100, 101 web-101, 102 web-102"),
        "{text}"
    );
    assert!(
        risk(&plan, "quorum is lost")
            .1
            .contains("1 of 3 votes remain without pve1, 2 are needed")
    );
    assert_eq!(risk(&plan, "is the node that answers here").0, Weight::Warning);
    assert!(
        risk(&plan, "HA stops what it manages")
            .1
            .contains("shutdown_policy")
    );
    members(&mut store, &[true, true, true], 1);
    let plan = planned(Deed::NodeReboot, "pve1", &[], &store).unwrap();
    assert_eq!(lines(&plan), ["pve1/status command=reboot"]);
    assert_eq!(risk(&plan, "2 of 3 votes remain").0, Weight::Warning);
    assert!(!plan.risks.iter().any(|risk| risk.text.contains("answers here")));
}

#[test]
fn only_what_is_off_can_be_woken() {
    let store = super::estate(|_| {});
    let plan = planned(Deed::NodeWake, "pve3", &[], &store).unwrap();
    assert_eq!(lines(&plan), ["pve3/wakeonlan"]);
    let online = planned(Deed::NodeWake, "pve1", &[], &store).unwrap_err();
    assert_eq!(online.to_string(), "pve1 is online");
    let off = planned(Deed::NodeShutdown, "pve3", &[], &store).unwrap_err();
    assert_eq!(off.to_string(), "pve3 is offline");
}

#[test]
fn privileges_of_nodes_are_those_of_their_path() {
    let mut store = estate(|_| {});
    let grants = |path: &str, privilege: &str| {
        let grant = |path: &str, privilege: &str| (path.into(), vec![privilege.into()]);
        Payload::Permissions(vec![grant("/", "Sys.Audit"), grant(path, privilege)])
    };
    read(
        &mut store,
        Feed::Permissions,
        grants("/nodes/pve1", "Sys.PowerMgmt"),
    );
    assert!(planned(Deed::NodeReboot, "pve1", &[], &store).is_ok());
    let refusal = planned(Deed::NodeReboot, "pve2", &[], &store).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "pve2: this sign-in lacks Sys.PowerMgmt on /nodes/pve2"
    );
    let refusal = planned(Deed::NodeEvacuate, "pve1", &[], &store).unwrap_err();
    assert!(
        refusal.to_string().contains("lacks VM.Migrate on /vms/100"),
        "{refusal}"
    );
}

#[test]
fn services_are_known_by_name_and_state() {
    let mut store = estate(|_| {});
    let service = |name: &str, state: &str| Service {
        name: name.into(),
        description: "".into(),
        state: state.into(),
        active: None,
        unit: None,
    };
    let services = vec![
        service("pvestatd", "running"),
        service("postfix", "dead"),
        service("pveproxy", "running"),
    ];
    read(
        &mut store,
        Feed::NodeServices("pve1".into()),
        Payload::NodeServices(services),
    );
    let line = |deed, name| match planned(deed, "pve1", &[("service", name)], &store) {
        Ok(plan) => lines(&plan).remove(0),
        Err(refusal) => refusal.to_string(),
    };
    for (deed, name, expected) in [
        (Deed::NodeServiceStart, "postfix", "pve1/services/postfix/start"),
        (Deed::NodeServiceStart, "pvestatd", "pvestatd on pve1 is running"),
        (Deed::NodeServiceStop, "pvestatd", "pve1/services/pvestatd/stop"),
        (Deed::NodeServiceStop, "postfix", "postfix on pve1 is not running"),
        (
            Deed::NodeServiceStop,
            "pveproxy",
            "Proxmox does not stop pveproxy: nobody could start it again from here",
        ),
        (
            Deed::NodeServiceRestart,
            "pveproxy",
            "pve1/services/pveproxy/restart",
        ),
        (
            Deed::NodeServiceReload,
            "pveproxy",
            "pve1/services/pveproxy/reload",
        ),
        (Deed::NodeServiceReload, "nginx", "pve1 has no service `nginx`"),
    ] {
        assert_eq!(line(deed, name), expected);
    }
}

#[test]
fn every_deed_to_a_node_is_in_the_catalogue() {
    let known: Vec<String> = calls::catalogue().iter().map(crate::domain::Call::path).collect();
    let store = estate(|_| {});
    for row in crate::plan::DEEDS
        .iter()
        .filter(|row| row.object == crate::actions::deed::Object::Node)
    {
        if matches!(row.deed, Deed::NodeRestore | Deed::NodeWake) {
            continue;
        }
        let given = if row.arguments.iter().any(|argument| argument.required) {
            &[("service", "pvestatd")][..]
        } else {
            &[]
        };
        let plan = planned(row.deed, "pve1", given, &store).unwrap();
        let path = plan.steps[0].call.path().replace("100", "104");
        assert!(known.contains(&path), "{path} is not in the catalogue");
    }
}
