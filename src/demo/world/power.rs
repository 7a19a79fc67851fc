//! Power: the tasks that start and stop guests, and nodes that go down and come back.

use super::{
    World,
    guest::{Guest, Kind, Power},
    task::{Effect, Order},
};

/// How long a node takes to boot, in milliseconds.
const BOOT: i64 = 90_000;

impl World {
    /// A duration at the speed of this estate.
    pub(super) fn scaled(&self, milliseconds: i64) -> i64 {
        ((milliseconds as f64 / self.speed) as i64).max(1)
    }

    /// The task that changes the power of a guest; it fails as the real one does.
    pub(crate) fn power_order(
        &self,
        guest: &Guest,
        verb: &str,
        who: &str,
        timeout: i64,
        force: bool,
    ) -> Order {
        let vmid = guest.vmid;
        let task = format!("{}{verb}", guest.kind.task_prefix());
        let order = Order::new(&guest.node, task, vmid.to_string(), who).holds(vmid);
        let resumes = verb == "start" && guest.lock() == Some("suspended");
        match guest.lock() {
            Some(lock) if verb != "stop" && !resumes => {
                let label = guest.kind.label();
                order.takes(300).fails(format!("{label} is locked ({lock})"))
            }
            _ => self.powered(guest, verb, timeout, force, order),
        }
    }

    /// What a task does to a guest that nothing hinders.
    pub(crate) fn powered(
        &self,
        guest: &Guest,
        verb: &str,
        timeout: i64,
        force: bool,
        order: Order,
    ) -> Order {
        let (vmid, label) = (guest.vmid, guest.kind.label());
        match verb {
            "start" if guest.is_template() => order.takes(300).fails(format!(
                "you can't start a {} if it's a template",
                if guest.kind == Kind::Qemu { "vm" } else { "CT" }
            )),
            "start" if guest.is_running() => {
                order.takes(300).fails(format!("{label} {vmid} already running"))
            }
            "start" => match self.hindrance(guest) {
                Some(reason) => order.takes(400).fails(reason),
                None => order.takes(1800).does(Effect::Start(vmid)),
            },
            "stop" => order.takes(900).does(Effect::Stop(vmid)),
            "shutdown" | "reboot" if guest.is_running() => {
                let timeout = timeout.max(1) * 1000;
                if !guest.stubborn && guest.power == Power::Running {
                    let effect = if verb == "reboot" {
                        Effect::Reboot(vmid)
                    } else {
                        Effect::Stop(vmid)
                    };
                    order.takes(6000.min(timeout)).does(effect)
                } else if force {
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

    /// Why a guest cannot run where it is.
    fn hindrance(&self, guest: &Guest) -> Option<String> {
        guest
            .disks()
            .iter()
            .filter_map(|disk| self.storage(&disk.storage))
            .find_map(|storage| storage.enabled_on(&guest.node).err())
    }

    /// The task that saves a VM to disk and stops it.
    pub(crate) fn hibernation(&self, guest: &Guest, storage: &str, who: &str) -> Order {
        let vmid = guest.vmid;
        let order = Order::new(&guest.node, "qmsuspend", vmid.to_string(), who).holds(vmid);
        if let Some(lock) = guest.lock() {
            return order.takes(300).fails(format!("VM is locked ({lock})"));
        }
        let date = super::task::stamp(self.now);
        let date = date.split(' ').next().unwrap_or_default().to_owned();
        let volid = format!("{storage}:vm-{vmid}-state-suspend-{date}");
        let mib = guest.memory() >> 20;
        order
            .takes(4000)
            .says(vec![
                format!("State is going to be saved to '{volid}'"),
                format!("{mib}.0 MiB in 3s"),
                format!("completed saving the VM state in 3s, saved {mib}.0 MiB"),
            ])
            .does(Effect::Hibernate { vmid, volid })
    }

    /// A node is told to go down: its guests are stopped, then it is away.
    pub(crate) fn send_down(&mut self, node: &str, back: bool, moment: i64) {
        self.ha_before_down(node, back, moment);
        let running: Vec<Guest> = self
            .guests
            .values()
            .filter(|guest| guest.node == node && guest.is_running() && guest.busy.is_none())
            .cloned()
            .collect();
        let mut lines = Vec::new();
        let mut longest = 3000;
        for guest in running.iter().rev() {
            // Those that do not listen are stopped after half a minute: nobody wants to wait for three.
            let seconds = 30;
            lines.push(format!(
                "Stopping {} {} (timeout = 180 seconds)",
                guest.kind.label(),
                guest.vmid
            ));
            let order = self.power_order(guest, "shutdown", "root@pam", seconds, true);
            longest = longest.max(order.takes);
            self.begin_at(order, moment);
        }
        let order = Order::new(node, "stopall", "", "root@pam")
            .takes(longest + 1000)
            .says(lines);
        self.begin_at(
            order.does(Effect::NodeDown {
                node: node.to_owned(),
                back,
            }),
            moment,
        );
    }

    /// A node is away: nothing runs there any more.
    pub(super) fn take_down(&mut self, name: &str, back: bool, moment: i64) {
        for node in self.nodes.iter_mut().filter(|node| node.name == name) {
            node.online = false;
            node.down = true;
        }
        for guest in self.guests.values_mut().filter(|guest| guest.node == name) {
            guest.power_off();
            guest.busy = None;
        }
        for task in self
            .tasks
            .iter_mut()
            .filter(|task| task.node == name && task.end > moment)
        {
            task.end = moment;
            "unexpected status".clone_into(&mut task.exit);
        }
        if back {
            let at = moment + self.scaled(BOOT);
            self.agenda.push((at, Effect::NodeUp(name.to_owned())));
        }
    }

    /// A node is back: what starts with it is started.
    pub(super) fn bring_up(&mut self, name: &str, moment: i64) {
        for node in self.nodes.iter_mut().filter(|node| node.name == name) {
            node.online = true;
            node.down = false;
            node.since = moment / 1000;
            node.stopped_services.clear();
        }
        let mine: Vec<Guest> = self
            .guests
            .values()
            .filter(|guest| guest.node == name && guest.option("onboot") == Some("1"))
            .filter(|guest| !guest.is_template() && !guest.is_running())
            .cloned()
            .collect();
        let mut lines = Vec::new();
        for guest in &mine {
            if self.is_managed(guest.vmid) {
                let at = moment + self.scaled(10_000);
                self.agenda.push((at, Effect::HaAct(guest.vmid)));
                continue;
            }
            lines.push(format!("Starting {} {}", guest.kind.label(), guest.vmid));
            let order = self.power_order(guest, "start", "root@pam", 60, false);
            self.begin_at(order, moment);
        }
        self.begin_at(
            Order::new(name, "startall", "", "root@pam")
                .takes(4000)
                .says(lines),
            moment,
        );
    }
}
