//! Starting, stopping and the like: the state machine of a guest's power.
//!
//! What the real server refuses at once is refused here; what it accepts and lets fail becomes a task that fails.

use super::{Call, missing};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        guest::{Guest, Kind},
        ha::{REACTION, ha_order},
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_power(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        let verb = rest.strip_prefix("/status/").filter(|_| self.verb == "POST")?;
        Some(self.power(kind, verb))
    }

    fn power(&mut self, kind: Kind, verb: &str) -> Outcome {
        self.root_only("skiplock")?;
        let vmid = self.vmid();
        if matches!(verb, "start" | "resume") {
            self.world.need_quorum()?;
        }
        let task = format!("{}{verb}", kind.task_prefix());
        let node = self.node_name();
        let guest = match self.guest(kind) {
            Ok(guest) => guest.clone(),
            Err(_) if matches!(verb, "start" | "stop" | "shutdown") => {
                let reason = missing(kind, &node, vmid).reason;
                return self.begin(self.order(&task, vmid.to_string()).takes(300).fails(reason));
            }
            Err(failure) => return Err(failure),
        };
        if self.world.is_managed(vmid) && matches!(verb, "start" | "stop" | "shutdown") {
            return self.through_ha(&guest, verb);
        }
        if !guest.is_running() && matches!(verb, "reset" | "suspend" | "resume" | "reboot")
            || kind == Kind::Lxc && !guest.is_running() && matches!(verb, "stop" | "shutdown")
        {
            let label = if kind == Kind::Qemu { "VM" } else { "CT" };
            return Err(Failure::server(format!("{label} {vmid} not running")));
        }
        if kind == Kind::Lxc && verb == "start" && guest.is_running() {
            return Err(Failure::server(format!("CT {vmid} already running")));
        }
        if let Some(busy) = guest.busy.clone() {
            if verb == "stop" && self.params.flag("overrule-shutdown") {
                self.world.interrupt(&busy);
            } else {
                let file = lock_file(kind, vmid);
                let order = self.order(&task, vmid.to_string()).takes(10_000);
                return self.begin(
                    order
                        .says(vec!["trying to acquire lock...".to_owned()])
                        .fails(format!("can't lock file '{file}' - got timeout")),
                );
            }
        }
        if verb == "suspend" && kind == Kind::Qemu && self.params.flag("todisk") {
            return self.hibernate(&guest);
        }
        let timeout = self.params.number("timeout").unwrap_or(60);
        let (force, who) = (self.params.flag("forceStop"), self.who.full());
        let order = if self.params.flag("skiplock") {
            let order = self.order(&task, vmid.to_string()).holds(vmid);
            self.world.powered(&guest, verb, timeout, force, order)
        } else {
            self.world.power_order(&guest, verb, &who, timeout, force)
        };
        self.begin(order)
    }

    /// A managed guest is started and stopped by the HA manager.
    fn through_ha(&mut self, guest: &Guest, verb: &str) -> Outcome {
        let (request, kind, what) = if verb == "start" {
            ("started", "hastart", "start")
        } else {
            ("stopped", "hastop", "stop")
        };
        let vmid = guest.vmid;
        for resource in self.world.ha.iter_mut().filter(|resource| resource.vmid == vmid) {
            request.clone_into(&mut resource.request);
            resource.error = false;
        }
        let line = format!("Requesting HA {what} for {} {vmid}", guest.kind.label());
        let order = ha_order(guest, kind, line, &self.who.full());
        self.world.later(REACTION, Effect::HaAct(vmid));
        self.begin(order)
    }

    /// `suspend` of a VM, in memory or to disk.
    fn hibernate(&mut self, guest: &Guest) -> Outcome {
        let given = self.params.get("statestorage").or(guest.option("vmstatestorage"));
        let storage = match given {
            Some(name) => name.to_owned(),
            None => guest
                .disks()
                .first()
                .map_or_else(|| "local".to_owned(), |disk| disk.storage.clone()),
        };
        self.need(&format!("/vms/{}", guest.vmid), "VM.Config.Disk")?;
        self.need(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
        self.storage_for(&storage, "images", &guest.node)?;
        let order = self.world.hibernation(guest, &storage, &self.who.full());
        self.begin(order)
    }

    /// Some options are for root with a ticket alone.
    pub(super) fn root_only(&self, option: &str) -> Result<(), Failure> {
        if self.params.get(option).is_some() && !self.who.is_root_ticket() {
            return Err(Failure::parameter(option, "Only root may use this option."));
        }
        Ok(())
    }
}

/// The lock file of a guest.
pub(super) fn lock_file(kind: Kind, vmid: u32) -> String {
    match kind {
        Kind::Qemu => format!("/var/lock/qemu-server/lock-{vmid}.conf"),
        Kind::Lxc => format!("/run/lock/lxc/pve-config-{vmid}.lock"),
    }
}
