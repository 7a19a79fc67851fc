//! A node as the target of a deed: its power and its services.

use super::{
    super::{Deed, Proof, Refusal, Risk, Weight, calls},
    Draft, Task, evacuate, moving, restore,
};
use crate::{
    domain::{ClusterId, Guest, GuestStatus, NodeName, NodeRef, NodeStatus, node::Service},
    store::{Cluster, Store},
};

/// Proxmox refuses to stop these: nobody could start them again through the API.
const ESSENTIAL: &[&str] = &["pveproxy", "pvedaemon", "pve-cluster"];

/// Whether the deed can be done to the node as things are.
pub(super) fn possible(deed: Deed, target: &NodeRef, store: &Store) -> Result<(), Refusal> {
    let node = store.node(target).ok_or_else(|| {
        Refusal::NotFound(format!("there is no node {} in {}", target.node, target.cluster))
    })?;
    match (deed, node.status) {
        (Deed::NodeWake, NodeStatus::Online) => {
            return Err(Refusal::NotPossible(format!("{} is online", target.node)));
        }
        (Deed::NodeWake, _) | (_, NodeStatus::Online) => {}
        (_, status) => return Err(Refusal::NotPossible(format!("{} is {status}", target.node))),
    }
    match deed.row().privilege {
        Some(privilege) if lacks(store, &target.cluster, &target.node, privilege) => {
            Err(Refusal::NotAllowed(format!(
                "{0}: this sign-in lacks {privilege} on /nodes/{0}",
                target.node
            )))
        }
        _ => Ok(()),
    }
}

/// Whether it is known that the privilege is missing. The nearest path counts.
fn lacks(store: &Store, cluster: &ClusterId, node: &NodeName, privilege: &str) -> bool {
    let grants = store.cluster(cluster).and_then(Cluster::permissions);
    // An empty list comes from a sign-in that may not even ask: nothing is known then.
    let Some(grants) = grants.filter(|grants| !grants.is_empty()) else {
        return false;
    };
    let on = |path: &str| grants.iter().find(|(known, _)| &**known == path);
    let nearest = on(&format!("/nodes/{node}"))
        .or_else(|| on("/nodes"))
        .or_else(|| on("/"));
    !nearest.is_some_and(|(_, privileges)| privileges.iter().any(|known| &**known == privilege))
}

pub(super) fn draft(task: Task<'_>, target: &NodeRef) -> Result<Draft, Refusal> {
    match task.deed {
        Deed::NodeEvacuate => evacuate::draft(task, target),
        Deed::NodeRestore => restore::draft(task, target),
        Deed::NodeShutdown | Deed::NodeReboot | Deed::NodeWake => Ok(power(task, target)),
        Deed::NodeServiceStart
        | Deed::NodeServiceStop
        | Deed::NodeServiceRestart
        | Deed::NodeServiceReload => service(task, target),
        other => Err(Refusal::NotPossible(format!(
            "{} is nothing that is done to a node",
            other.name()
        ))),
    }
}

fn power(task: Task<'_>, target: &NodeRef) -> Draft {
    let (call, risks) = match task.deed {
        Deed::NodeWake => (calls::node_wake(&target.node), wake_risks(target)),
        Deed::NodeReboot => (
            calls::node_power(&target.node, "reboot"),
            power_risks(task, target),
        ),
        _ => (
            calls::node_power(&target.node, "shutdown"),
            power_risks(task, target),
        ),
    };
    let title = target.node.to_string();
    Draft {
        steps: vec![task.step(&title, call, Proof::Nothing)],
        risks,
        ..Draft::default()
    }
}

fn wake_risks(target: &NodeRef) -> Vec<Risk> {
    vec![Risk::new(
        Weight::Note,
        format!(
            "a packet is sent to the MAC address that the options of {} name for Wake-on-LAN; nothing answers it",
            target.node
        ),
    )]
}

fn power_risks(task: Task<'_>, target: &NodeRef) -> Vec<Risk> {
    let mut risks = Vec::new();
    let Some(cluster) = task.store().cluster(&target.cluster) else {
        return risks;
    };
    let node = &target.node;
    let mut running: Vec<&Guest> = cluster
        .guests_on(node)
        .filter(|guest| guest.status != GuestStatus::Stopped)
        .collect();
    running.sort_by_key(|guest| guest.vmid);
    if !running.is_empty() {
        risks.push(Risk::new(
            Weight::Danger,
            format!(
                "{} on {node} go down with it: {}",
                counted(running.len(), "running guest"),
                moving::some(running.iter().map(|guest| moving::named(guest)))
            ),
        ));
    }
    if running.iter().any(|guest| moving::managed(guest)) {
        let what = if task.deed == Deed::NodeReboot {
            "HA freezes what it manages here until the node is back"
        } else {
            "HA stops what it manages here and starts it on other nodes"
        };
        risks.push(Risk::new(
            Weight::Warning,
            format!("{what}, unless `shutdown_policy` of the datacenter says otherwise"),
        ));
    }
    risks.extend(quorum(cluster, node));
    if let Some(status) = cluster.status() {
        if status
            .members
            .iter()
            .any(|member| member.local && member.name == *node)
        {
            risks.push(Risk::new(
                Weight::Warning,
                format!(
                    "{node} is the node that answers here: another address of the cluster is needed meanwhile"
                ),
            ));
        }
    } else {
        let text = "the state of the cluster could not be read: whether it stays quorate is not known";
        risks.push(Risk::new(Weight::Warning, text));
    }
    risks.push(Risk::new(
        Weight::Note,
        format!(
            "{node} answers before it begins and tells nothing more: the list of nodes shows when it is off"
        ),
    ));
    risks
}

/// Whether the others still have a majority. Every node has one vote here: other weights and a `QDevice` are not told
/// by the API.
fn quorum(cluster: &Cluster, node: &NodeName) -> Option<Risk> {
    let status = cluster.status()?;
    status.name.as_ref()?;
    let votes = status.members.len();
    let needed = votes / 2 + 1;
    let left = status
        .members
        .iter()
        .filter(|member| member.online && member.name != *node)
        .count();
    let text = format!("{left} of {votes} votes remain without {node}, {needed} are needed");
    Some(match left {
        left if left < needed => Risk::new(
            Weight::Danger,
            format!("quorum is lost: {text} (a QDevice, if there is one, is not counted)"),
        ),
        left if left == needed => Risk::new(Weight::Warning, format!("{text}: no other node may fail")),
        _ => Risk::new(Weight::Note, text),
    })
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn service(task: Task<'_>, target: &NodeRef) -> Result<Draft, Refusal> {
    let (node, name) = (&target.node, task.argument("service"));
    let known = task.store().node_services(target);
    let service: Option<&Service> =
        known.and_then(|known| known.iter().find(|service| &*service.name == name));
    if known.is_some() && service.is_none() {
        return Err(Refusal::NotFound(format!("{node} has no service `{name}`")));
    }
    let running = service.map(|service| &*service.state == "running");
    let refuse = |why: String| Err(Refusal::NotPossible(why));
    let verb = match task.deed {
        Deed::NodeServiceStart if running == Some(true) => {
            return refuse(format!("{name} on {node} is running"));
        }
        Deed::NodeServiceStop if ESSENTIAL.contains(&name) => {
            return refuse(format!(
                "Proxmox does not stop {name}: nobody could start it again from here"
            ));
        }
        Deed::NodeServiceStop if running == Some(false) => {
            return refuse(format!("{name} on {node} is not running"));
        }
        Deed::NodeServiceStart => "start",
        Deed::NodeServiceStop => "stop",
        Deed::NodeServiceRestart => "restart",
        _ => "reload",
    };
    let mut risks = Vec::new();
    let interrupts = matches!(verb, "stop" | "restart");
    let mut risk = |weight, text: String| risks.push(Risk::new(weight, text));
    match name {
        "corosync" | "pve-cluster" if interrupts => {
            risk(
                Weight::Danger,
                format!(
                    "without {name} {node} is not part of the quorum: nothing can be changed on it meanwhile"
                ),
            );
        }
        "pve-ha-lrm" | "pve-ha-crm" if interrupts => {
            risk(
                Weight::Warning,
                format!("HA does not look after its guests on {node} while {name} does not run"),
            );
        }
        "pveproxy" | "pvedaemon" if interrupts => {
            risk(
                Weight::Warning,
                format!("the API of {node} is away for a moment: the answer may be lost"),
            );
        }
        "pvestatd" if verb == "stop" => {
            risk(
                Weight::Warning,
                format!("{node} and its guests count as unknown while pvestatd does not run"),
            );
        }
        "sshd" if verb == "stop" => {
            risk(
                Weight::Warning,
                format!("nobody reaches {node} by SSH meanwhile, migrations from other nodes neither"),
            );
        }
        _ => {}
    }
    let title = format!("{name} on {node}");
    let proof = Proof::Task {
        kinds: vec![format!("srv{verb}").into()],
        id: name.into(),
    };
    let call = calls::node_service(node, name, verb);
    Ok(Draft {
        steps: vec![task.step(&title, call, proof)],
        risks,
        ..Draft::default()
    })
}
