//! The HA manager: its resources, its rules, and what it does by itself.

use super::{
    World,
    guest::{Guest, Kind},
    host::Node,
    migration::Way,
    task::{Effect, Order},
};

/// How long the manager waits before it acts on a wish, in milliseconds.
pub(crate) const REACTION: i64 = 4_000;
/// How long it takes until a node that is gone is given up, in milliseconds.
const FENCING: i64 = 120_000;

/// A guest that the HA manager looks after.
#[derive(Clone, Debug)]
pub(crate) struct HaResource {
    pub(crate) vmid: u32,
    /// What is asked for: `started`, `stopped`…
    pub(crate) request: String,
    /// Whether the manager gave up on it.
    pub(crate) error: bool,
    pub(crate) comment: Option<String>,
    pub(crate) max_restart: Option<i64>,
    pub(crate) max_relocate: Option<i64>,
    pub(crate) failback: Option<bool>,
}

/// What a rule asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Affinity {
    /// To be on these nodes, the highest priority first.
    Nodes { nodes: Vec<(String, i64)>, strict: bool },
    /// To be together (`true`) or apart.
    Resources { together: bool },
}

/// An HA rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// `vm:100`, `ct:101`…
    pub(crate) resources: Vec<String>,
    pub(crate) affinity: Affinity,
    pub(crate) disable: bool,
    pub(crate) comment: Option<String>,
}

/// Whether the manager watches over anything at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Armed {
    Yes,
    /// Switched off; resources are frozen or ignored.
    No {
        ignore: bool,
    },
}

impl World {
    /// The id of a guest as the manager spells it.
    pub(crate) fn sid(&self, vmid: u32) -> String {
        let kind = self.guests.get(&vmid).map_or(Kind::Qemu, |guest| guest.kind);
        format!("{}:{vmid}", if kind == Kind::Qemu { "vm" } else { "ct" })
    }

    /// Whether the manager decides when this guest runs.
    pub(crate) fn is_managed(&self, vmid: u32) -> bool {
        self.ha
            .iter()
            .any(|resource| resource.vmid == vmid && resource.request != "ignored")
    }

    /// Managed guests that have to be with this one (`true`), or away from it.
    pub(crate) fn affine(&self, vmid: u32, wanted: bool) -> Vec<u32> {
        let sid = self.sid(vmid);
        self.rules
            .iter()
            .filter(|rule| !rule.disable && rule.resources.contains(&sid))
            .filter(|rule| rule.affinity == Affinity::Resources { together: wanted })
            .flat_map(|rule| rule.resources.iter())
            .filter_map(|other| other.split_once(':')?.1.parse().ok())
            .filter(|other| *other != vmid && self.is_managed(*other))
            .collect()
    }

    /// What stands against a managed guest being on a node: the guests there that it has to be away from.
    pub(crate) fn blocked_by(&self, vmid: u32, node: &str) -> Vec<u32> {
        let mut others = self.affine(vmid, false);
        others.retain(|other| self.guests.get(other).is_some_and(|guest| guest.node == node));
        others
    }

    /// The node that suits a managed guest best, other than `away_from`.
    fn best_node(&self, vmid: u32, away_from: &str) -> Option<String> {
        let sid = self.sid(vmid);
        let rule = self.rules.iter().find_map(|rule| match &rule.affinity {
            Affinity::Nodes { nodes, strict } if !rule.disable && rule.resources.contains(&sid) => {
                Some((nodes, *strict))
            }
            _ => None,
        });
        let priority = |node: &Node| match rule {
            None => Some(0),
            Some((nodes, strict)) => nodes
                .iter()
                .find(|(name, _)| *name == node.name)
                .map(|(_, priority)| *priority)
                .or((!strict).then_some(-1)),
        };
        let crowd = |node: &Node| {
            self.guests
                .values()
                .filter(|guest| guest.node == node.name)
                .count()
        };
        self.nodes
            .iter()
            .filter(|node| node.online && !node.maintenance && node.name != away_from)
            .filter(|node| self.blocked_by(vmid, &node.name).is_empty())
            .filter_map(|node| Some((priority(node)?, std::cmp::Reverse(crowd(node)), node.name.clone())))
            .max()
            .map(|(_, _, name)| name)
    }

    /// The manager makes a guest what is asked of it.
    pub(super) fn ha_act(&mut self, vmid: u32, moment: i64) {
        let Some(resource) = self.ha.iter().find(|resource| resource.vmid == vmid) else {
            return;
        };
        let Some(guest) = self.guests.get(&vmid) else {
            return;
        };
        let online = self.node(&guest.node).is_some_and(|node| node.online);
        if self.armed != Armed::Yes || resource.error || guest.busy.is_some() || !online {
            return;
        }
        let order = match resource.request.as_str() {
            "started" | "enabled" if !guest.is_running() => {
                self.power_order(guest, "start", "root@pam", 60, false)
            }
            "stopped" | "disabled" if guest.is_running() => {
                self.power_order(guest, "shutdown", "root@pam", 60, true)
            }
            _ => return,
        };
        let kind = if guest.kind == Kind::Qemu { "vm" } else { "ct" };
        let state = if guest.is_running() {
            "request_stop"
        } else {
            "started"
        };
        let text = format!("service '{kind}:{vmid}': state changed to '{state}'");
        self.note(
            moment,
            self.local().to_owned(),
            1203,
            "root@pam".to_owned(),
            6,
            text,
        );
        self.begin_at(order, moment);
    }

    /// The manager moves a guest, and with it those that have to be with it: its own task on the guest's node.
    pub(super) fn ha_move(&mut self, vmid: u32, target: &str, relocate: bool, moment: i64) {
        if !self.node(target).is_some_and(|node| node.online) || !self.blocked_by(vmid, target).is_empty() {
            return;
        }
        let way = Way {
            online: true,
            restart: true,
            ..Way::default()
        };
        let mut movers = self.affine(vmid, true);
        movers.insert(0, vmid);
        for vmid in movers {
            let Some(guest) = self.guests.get(&vmid).filter(|guest| guest.node != target) else {
                continue;
            };
            if relocate && guest.is_running() {
                let order = self.power_order(guest, "shutdown", "root@pam", 60, true);
                let ends = moment + self.scaled(order.takes) + 1000;
                self.begin_at(order, moment);
                let target = target.to_owned();
                self.agenda.push((
                    ends,
                    Effect::HaMove {
                        vmid,
                        target,
                        relocate,
                    },
                ));
                continue;
            }
            if let Some(order) = self.migration(vmid, target, &way, "root@pam") {
                let ends = moment + self.scaled(order.takes) + 1000;
                self.begin_at(order, moment);
                self.agenda.push((ends, Effect::HaAct(vmid)));
            }
        }
    }

    /// Guests of a node that is gone are begun elsewhere; their disks have to be there.
    pub(super) fn ha_recover(&mut self, node: &str, moment: i64) {
        if self.node(node).is_none_or(|node| node.online) || self.armed != Armed::Yes {
            return;
        }
        for vmid in self.managed_on(node) {
            let Some(target) = self.best_node(vmid, node) else {
                continue;
            };
            let shared = self
                .guests
                .get(&vmid)
                .is_some_and(|guest| self.is_on_shared(guest));
            if !shared {
                for resource in self.ha.iter_mut().filter(|resource| resource.vmid == vmid) {
                    resource.error = true;
                }
                continue;
            }
            let text = format!(
                "recover service '{}' from fenced node '{node}' to node '{target}'",
                self.sid(vmid)
            );
            self.note(moment, target.clone(), 1203, "root@pam".to_owned(), 6, text);
            if let Some(guest) = self.guests.get_mut(&vmid) {
                guest.node = target;
                guest.power_off();
            }
            let at = moment + self.scaled(REACTION);
            self.agenda.push((at, Effect::HaAct(vmid)));
        }
    }

    /// All disks on shared storages.
    pub(crate) fn is_on_shared(&self, guest: &Guest) -> bool {
        guest
            .disks()
            .iter()
            .all(|disk| self.storage(&disk.storage).is_some_and(|storage| storage.shared))
    }

    /// The managed guests of a node that are to run.
    fn managed_on(&self, node: &str) -> Vec<u32> {
        self.ha
            .iter()
            .filter(|resource| matches!(resource.request.as_str(), "started" | "enabled") && !resource.error)
            .filter(|resource| {
                self.guests
                    .get(&resource.vmid)
                    .is_some_and(|guest| guest.node == node)
            })
            .map(|resource| resource.vmid)
            .collect()
    }

    /// Managed guests leave a node, as its maintenance or its shutdown wants it.
    pub(crate) fn ha_evacuate(&mut self, node: &str, moment: i64) {
        let way = Way {
            online: true,
            restart: true,
            ..Way::default()
        };
        for vmid in self.managed_on(node) {
            if let Some(target) = self.best_node(vmid, node)
                && let Some(order) = self.migration(vmid, &target, &way, "root@pam")
            {
                self.begin_at(order, moment);
            }
        }
    }

    /// What the manager does for a node that is going down (`back`: and comes back), by its shutdown policy.
    pub(super) fn ha_before_down(&mut self, node: &str, back: bool, moment: i64) {
        let policy = self
            .options
            .get("ha")
            .and_then(|value| value["shutdown_policy"].as_str().or(value.as_str()))
            .map_or("conditional", |text| text.trim_start_matches("shutdown_policy="))
            .to_owned();
        if policy == "migrate" {
            self.ha_evacuate(node, moment);
        }
        // A node that comes back finds its guests again, unless they are to be started elsewhere.
        if policy == "failover" || policy == "conditional" && !back {
            let at = moment + self.scaled(FENCING);
            self.agenda.push((at, Effect::HaRecover(node.to_owned())));
        }
    }
}

/// A task of the manager's own.
pub(crate) fn ha_order(guest: &Guest, kind: &str, line: String, who: &str) -> Order {
    Order::new(&guest.node, kind, guest.vmid.to_string(), who)
        .takes(600)
        .says(vec![line])
}
