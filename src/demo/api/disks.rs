//! Disks of a guest: growing, and turning into the base of a template.

use super::{Call, config::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::Drive,
        guest::{Guest, Kind, bytes},
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_disks(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("PUT", "/resize") => self.resize(kind),
            ("POST", "/template") => self.make_template(kind),
            _ => return None,
        })
    }

    fn resize(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        let guest = self.guest(kind)?.clone();
        let (vmid, disk) = (guest.vmid, self.params.text("disk").to_owned());
        let text = self.params.text("size").to_owned();
        let order = self.order("resize", vmid.to_string()).takes(900).holds(vmid);
        let size = self.new_size(&guest, &disk, &text);
        match (kind, size) {
            (Kind::Qemu, Ok(size)) => {
                let order = order.says(vec!["Image resized.".to_owned()]);
                self.begin(order.does(Effect::Resize { vmid, disk, size }))
            }
            (Kind::Qemu, Err(reason)) => self.begin(order.fails(reason.reason)),
            // Containers are checked before the task begins.
            (Kind::Lxc, Ok(size)) => self.begin(order.does(Effect::Resize { vmid, disk, size })),
            (Kind::Lxc, Err(failure)) => Err(failure),
        }
    }

    /// The size that a disk shall get, in bytes.
    fn new_size(&self, guest: &Guest, disk: &str, text: &str) -> Result<u64, Failure> {
        if guest.kind == Kind::Lxc {
            locked(guest).map_err(Failure::server)?;
        }
        self.check_digest(guest)?;
        if !self.params.flag("skiplock") {
            locked(guest).map_err(Failure::server)?;
        }
        let Some(value) = guest.option(disk) else {
            return Err(Failure::server(format!("disk '{disk}' does not exist")));
        };
        let drive = Drive::parse(value);
        if drive.is_cdrom() {
            return Err(Failure::server("you can't resize a cdrom"));
        }
        let storage = drive.storage().unwrap_or_default();
        self.need(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
        let old = drive.get("size").and_then(bytes).unwrap_or(0);
        let given = bytes(text.trim_start_matches('+')).unwrap_or(0);
        let size = if text.starts_with('+') {
            old.saturating_add(given)
        } else {
            given
        };
        if size < old {
            return Err(Failure::server(match guest.kind {
                Kind::Qemu => "shrinking disks is not supported",
                Kind::Lxc => "unable to shrink disk size",
            }));
        }
        if size == old && guest.kind == Kind::Lxc {
            return Err(Failure::server("disk is already at specified size"));
        }
        Ok(size)
    }

    fn make_template(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        locked(guest).map_err(Failure::server)?;
        let disk = self.params.get("disk").map(str::to_owned);
        let label = kind.label();
        let refusal = if !guest.snapshots.is_empty() {
            Some(format!(
                "unable to create template, because {label} contains snapshots"
            ))
        } else if guest.is_template() && disk.is_none() {
            Some("you can't convert a template to a template".to_owned())
        } else if guest.is_running() {
            Some(match kind {
                Kind::Qemu => "you can't convert a VM to template if VM is running".to_owned(),
                Kind::Lxc => "you can't convert a CT to template if the CT is running".to_owned(),
            })
        } else {
            None
        };
        if let Some(reason) = refusal {
            return Err(Failure::server(reason));
        }
        let order = self
            .order(&format!("{}template", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        self.begin(order.takes(1500).does(Effect::Template { vmid, disk }))
    }
}
