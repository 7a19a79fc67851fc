//! Starting, stopping and the like: the state machine of a guest's power.
//!
//! What the real server refuses at once is refused here; what it accepts and lets fail becomes a task that fails.

use super::{Call, missing};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        guest::{Guest, Kind, Power},
        task::{Effect, Order},
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
        let order = self.order(&task, vmid.to_string()).holds(vmid);
        let node = self.node_name();
        let guest = match self.guest(kind) {
            Ok(guest) => guest.clone(),
            Err(_) if matches!(verb, "start" | "stop" | "shutdown") => {
                let reason = missing(kind, &node, vmid).reason;
                return self.begin(self.order(&task, vmid.to_string()).takes(300).fails(reason));
            }
            Err(failure) => return Err(failure),
        };
        let managed = self
            .world
            .ha
            .iter()
            .any(|resource| resource.vmid == vmid && resource.request != "ignored");
        if managed && matches!(verb, "start" | "stop" | "shutdown") {
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
        let order = if self.params.flag("skiplock") || guest.lock().is_none() || verb == "stop" {
            self.powered(&guest, verb, order)
        } else {
            let label = kind.label();
            let lock = guest.lock().unwrap_or_default();
            order.takes(300).fails(format!("{label} is locked ({lock})"))
        };
        self.begin(order)
    }

    /// What the task does to a guest that nothing hinders.
    fn powered(&self, guest: &Guest, verb: &str, order: Order) -> Order {
        let vmid = guest.vmid;
        match verb {
            "start" if guest.is_template() => order.takes(300).fails(format!(
                "you can't start a {} if it's a template",
                if guest.kind == Kind::Qemu { "vm" } else { "CT" }
            )),
            "start" if guest.is_running() => order.takes(300).fails(format!("VM {vmid} already running")),
            "start" => order.takes(1800).does(Effect::Start(vmid)),
            "stop" => order.takes(900).does(Effect::Stop(vmid)),
            "shutdown" | "reboot" if guest.is_running() => {
                let timeout = self.params.number("timeout").unwrap_or(60).max(1) * 1000;
                if !guest.stubborn && guest.power == Power::Running {
                    let effect = if verb == "reboot" {
                        Effect::Reboot(vmid)
                    } else {
                        Effect::Stop(vmid)
                    };
                    order.takes(6000.min(timeout)).does(effect)
                } else if self.params.flag("forceStop") {
                    order
                        .takes(timeout)
                        .says(vec!["VM still running - terminating now with SIGTERM".to_owned()])
                        .does(Effect::Stop(vmid))
                } else {
                    order
                        .takes(timeout)
                        .fails("VM quit/powerdown failed - got timeout")
                }
            }
            "reset" => order.takes(500).does(Effect::Reboot(vmid)),
            "suspend" => order.takes(700).does(Effect::Pause(vmid)),
            "resume" => order.takes(500).does(Effect::Resume(vmid)),
            _ => order.takes(300),
        }
    }

    /// A managed guest is started and stopped by the HA manager.
    fn through_ha(&mut self, guest: &Guest, verb: &str) -> Outcome {
        let (request, kind) = if verb == "start" {
            ("started", "hastart")
        } else {
            ("stopped", "hastop")
        };
        let vmid = guest.vmid;
        for resource in self.world.ha.iter_mut().filter(|resource| resource.vmid == vmid) {
            request.clone_into(&mut resource.request);
            resource.error = false;
        }
        let short = if guest.kind == Kind::Qemu { "vm" } else { "ct" };
        let line = format!("Requesting HA {verb} for {} {vmid}", guest.kind.label());
        let effect = if verb == "start" {
            Effect::Start(vmid)
        } else {
            Effect::Stop(vmid)
        };
        let needed = (verb == "start") != guest.is_running();
        let order = self.order(kind, vmid.to_string()).takes(600).says(vec![line]);
        let id = self.begin(order);
        if needed {
            let task = format!("{}{verb}", guest.kind.task_prefix());
            let task = Order::new(&guest.node, task, vmid.to_string(), "root@pam");
            self.world.begin(task.takes(4000).holds(vmid).does(effect));
            let (node, user) = (guest.node.clone(), "root@pam".to_owned());
            let now = self.world.now;
            self.world.note(
                now,
                node,
                1203,
                user,
                6,
                format!("service '{short}:{vmid}' is now '{request}'"),
            );
        }
        id
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
