//! Tasks that do the same to many guests: one task that tells, and one for each guest.

use super::{
    World,
    guest::{Guest, Kind, Power},
    migration::Way,
    task::{Effect, Order},
};

/// What is done to each guest.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Start,
    Shutdown {
        timeout: i64,
        force: bool,
    },
    Suspend {
        to_disk: Option<String>,
    },
    Migrate {
        target: String,
        with_local_disks: bool,
        online: bool,
    },
}

/// One guest's turn.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) vmid: u32,
    pub(crate) deed: Deed,
    pub(crate) who: String,
}

/// A task over many guests.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    /// The type of the task that tells.
    pub(crate) task: &'static str,
    /// The node that it runs on.
    pub(crate) node: String,
    /// The guests, in their order.
    pub(crate) vmids: Vec<u32>,
    pub(crate) deed: Deed,
    pub(crate) workers: usize,
    pub(crate) who: String,
    /// Whether each warning counts, as cluster-wide tasks have it.
    pub(crate) warns: bool,
    pub(crate) lines: Vec<String>,
}

impl World {
    /// Begins a task over many guests and gives its id.
    pub(crate) fn begin_bulk(&mut self, bulk: Bulk) -> String {
        let mut lines = bulk.lines;
        let (mut warnings, mut failed) = (0, Vec::new());
        let mut busy_until = vec![self.now; bulk.workers.clamp(1, 64)];
        for vmid in &bulk.vmids {
            let Some(guest) = self.guests.get(vmid) else {
                continue;
            };
            if let Some(reason) = self.skipped(guest, &bulk.deed, bulk.warns) {
                if let Some(text) = reason {
                    warnings += 1;
                    lines.push(if bulk.warns { format!("WARN: {text}") } else { text });
                }
                continue;
            }
            lines.push(announced(guest, &bulk.deed, bulk.warns));
            let Some(order) = self.turn_order(guest, &bulk.deed, &bulk.who) else {
                continue;
            };
            if order.exit != "OK" {
                let (verb, label) = (bulk.deed.failing(), guest.kind.label());
                let warn = if bulk.warns { "WARN: " } else { "" };
                lines.push(format!("{warn}{verb} {label} {vmid} failed: {}", order.exit));
                failed.push(vmid.to_string());
                warnings += 1;
            }
            let takes = self.scaled(order.takes);
            if let Some(free) = busy_until.iter_mut().min() {
                self.agenda.push((
                    *free,
                    Effect::Turn(Turn {
                        vmid: *vmid,
                        deed: bulk.deed.clone(),
                        who: bulk.who.clone(),
                    }),
                ));
                *free += takes;
            }
        }
        let end = busy_until.into_iter().max().unwrap_or(self.now) + 200;
        let takes = ((end - self.now) as f64 * self.speed) as i64;
        let mut order = Order::new(&bulk.node, bulk.task, "", &bulk.who)
            .takes(takes.max(300))
            .says(lines);
        if bulk.warns && !failed.is_empty() {
            let to = if matches!(bulk.deed, Deed::Start | Deed::Migrate { .. }) && bulk.task != "bulk-migrate"
            {
                format!("Some guests failed to start: {}", failed.join(", "))
            } else {
                format!("Some guests failed to {} {}", bulk.deed.verb(), failed.join(", "))
            };
            order = order.fails(to);
        } else if bulk.warns && warnings > 0 {
            order.exit = format!("WARNINGS: {warnings}");
        }
        // The turns that come first begin with the task itself.
        let upid = self.begin(order);
        let now = self.now;
        self.settle(now);
        upid
    }

    /// Does one guest's turn.
    pub(super) fn take_turn(&mut self, turn: &Turn, moment: i64) {
        let Some(guest) = self.guests.get(&turn.vmid) else {
            return;
        };
        if self.skipped(guest, &turn.deed, true).is_some() {
            return;
        }
        if self.is_managed(turn.vmid) {
            return self.turn_over_to_ha(turn, moment);
        }
        if let Some(order) = self.turn_order(guest, &turn.deed, &turn.who) {
            self.begin_at(order, moment);
        }
    }

    /// A managed guest is left to the HA manager.
    fn turn_over_to_ha(&mut self, turn: &Turn, moment: i64) {
        let Some(guest) = self.guests.get(&turn.vmid) else {
            return;
        };
        let label = guest.kind.label();
        let (task, what, request) = match &turn.deed {
            Deed::Start => ("hastart", "start", Some("started")),
            Deed::Shutdown { .. } => ("hastop", "stop", Some("stopped")),
            Deed::Migrate { .. } => ("hamigrate", "migration", None),
            Deed::Suspend { .. } => return,
        };
        let mut line = format!("Requesting HA {what} for {label} {}", turn.vmid);
        let effect = match &turn.deed {
            Deed::Migrate { target, .. } => {
                line = format!("{line} to node {target}");
                Effect::HaMove {
                    vmid: turn.vmid,
                    target: target.clone(),
                    relocate: false,
                }
            }
            _ => Effect::HaAct(turn.vmid),
        };
        let order = super::ha::ha_order(guest, task, line, &turn.who);
        if let Some(request) = request {
            for resource in self.ha.iter_mut().filter(|resource| resource.vmid == turn.vmid) {
                request.clone_into(&mut resource.request);
            }
        }
        let at = moment + self.scaled(super::ha::REACTION);
        self.agenda.push((at, effect));
        self.begin_at(order, moment);
    }

    fn turn_order(&self, guest: &Guest, deed: &Deed, who: &str) -> Option<Order> {
        Some(match deed {
            Deed::Start => self.power_order(guest, "start", who, 60, false),
            Deed::Shutdown { timeout, force } => self.power_order(guest, "shutdown", who, *timeout, *force),
            Deed::Suspend { to_disk: None } => self.power_order(guest, "suspend", who, 60, false),
            Deed::Suspend {
                to_disk: Some(storage),
            } => self.hibernation(guest, storage, who),
            Deed::Migrate {
                target,
                with_local_disks,
                online,
            } => {
                let way = Way {
                    online: *online,
                    restart: true,
                    with_local_disks: *with_local_disks,
                    storages: Vec::new(),
                };
                return self.migration(guest.vmid, target, &way, who);
            }
        })
    }

    /// Whether the guest is passed over (outer), and what is said of it (inner).
    #[allow(
        clippy::option_option,
        reason = "passed over in silence is not the same as not passed over"
    )]
    fn skipped(&self, guest: &Guest, deed: &Deed, warns: bool) -> Option<Option<String>> {
        let (label, vmid) = (guest.kind.label(), guest.vmid);
        let said = |text: String| Some(Some(text));
        match deed {
            Deed::Start if guest.is_running() && warns => {
                said(format!("Skipping {label} {vmid}, already running."))
            }
            Deed::Start if guest.is_running() || guest.is_template() => Some(None),
            Deed::Shutdown { .. } if !guest.is_running() && warns => {
                said(format!("Skipping {label} {vmid}, not running."))
            }
            Deed::Shutdown { .. } if !guest.is_running() => Some(None),
            Deed::Shutdown { .. } if guest.power == Power::Paused && warns => said(format!(
                "Skipping {label} {vmid}, resume paused VM before shutdown."
            )),
            Deed::Suspend { .. } if guest.kind == Kind::Lxc => {
                said(format!("skipping {vmid}, only VMs can be suspended"))
            }
            Deed::Suspend { .. } if !guest.is_running() => said(if warns {
                format!("Skipping VM {vmid}, not running.")
            } else {
                format!("VM {vmid} not running, skipping suspension")
            }),
            Deed::Migrate { target, .. } if guest.node == *target => {
                said(format!("{label} {vmid} already on {target}, skipping."))
            }
            Deed::Migrate { with_local_disks, .. } if !warns && guest.kind == Kind::Qemu => {
                self.unmovable(guest, *with_local_disks).map(Some)
            }
            _ => None,
        }
    }

    /// Why `migrateall` passes a VM over.
    fn unmovable(&self, guest: &Guest, with_local_disks: bool) -> Option<String> {
        let local: Vec<String> = guest
            .disks()
            .into_iter()
            .filter(|disk| self.storage(&disk.storage).is_some_and(|storage| !storage.shared))
            .map(|disk| disk.volid)
            .collect();
        (guest.is_running() && !with_local_disks && !local.is_empty()).then(|| {
            format!(
                "Check VM {}: skip VM {0} - precondition check failed:\n  Has local disks: {}",
                guest.vmid,
                local.join(", ")
            )
        })
    }
}

impl Deed {
    fn verb(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown { .. } => "shutdown",
            Self::Suspend { .. } => "suspend",
            Self::Migrate { .. } => "migrate",
        }
    }

    fn failing(&self) -> &'static str {
        match self {
            Self::Start => "Starting",
            Self::Migrate { .. } => "Migrating",
            Self::Shutdown { .. } | Self::Suspend { .. } => "Stopping",
        }
    }
}

/// What a task says before a guest's turn.
fn announced(guest: &Guest, deed: &Deed, warns: bool) -> String {
    let (label, vmid) = (guest.kind.label(), guest.vmid);
    match deed {
        Deed::Start => format!("Starting {label} {vmid}"),
        Deed::Shutdown { timeout, .. } if warns => {
            format!("Shutting down {label} {vmid} (Timeout = {timeout} seconds)")
        }
        Deed::Shutdown { timeout, .. } => {
            format!("Stopping {label} {vmid} (timeout = {timeout} seconds)")
        }
        Deed::Suspend { .. } => format!("Suspending {label} {vmid}"),
        Deed::Migrate { .. } => format!("Migrating {label} {vmid}"),
    }
}
