//! `DELETE /nodes/{node}/qemu/{vmid}` and `…/lxc/{vmid}`.

use super::{Call, config::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        guest::{Guest, Kind},
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn destroy(&mut self, kind: Kind) -> Outcome {
        self.root_only("skiplock")?;
        let guest = self.guest(kind)?.clone();
        let (vmid, label) = (guest.vmid, kind.label());
        let (purge, force) = (self.params.flag("purge"), self.params.flag("force"));
        if guest.option("protection") == Some("1") {
            return Err(Failure::server(format!(
                "can't remove {label} {vmid} - protection mode enabled"
            )));
        }
        let lock = if self.params.flag("skiplock") {
            Ok(())
        } else {
            locked(&guest)
        };
        if kind == Kind::Lxc {
            lock.clone().map_err(Failure::server)?;
        }
        let managed = self.world.ha.iter().any(|resource| resource.vmid == vmid);
        if managed && !purge {
            return Err(Failure::server(format!(
                "unable to remove {label} {vmid} - used in HA resources and purge parameter not set."
            )));
        }
        if !purge && self.world.replications.iter().any(|job| job.vmid == vmid) {
            return Err(Failure::server(format!(
                "There is a replication job '{vmid}-0' for guest '{vmid}' - Please remove that first."
            )));
        }
        if guest.is_running() && !(force && kind == Kind::Lxc) {
            return Err(Failure::server(match kind {
                Kind::Qemu => format!("VM {vmid} is running - destroy failed"),
                Kind::Lxc => format!("unable to destroy CT {vmid} - container is running"),
            }));
        }
        let in_use = guest
            .is_template()
            .then(|| {
                let mut disks = guest.disks().into_iter();
                disks.find(|disk| self.world.linked_to(&disk.volid).is_some())
            })
            .flatten();
        let order = self
            .order(&format!("{}destroy", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match (lock, in_use) {
            (Err(reason), _) => order.takes(300).fails(reason),
            _ if !self.world.quorate => order.takes(300).fails(format!(
                "unable to open file '/etc/pve/{}.tmp.1878' - Permission denied",
                Guest::file(kind, &guest.node, vmid)
            )),
            (_, Some(disk)) => order.takes(300).fails(format!(
                "base volume '{}' is still in use by linked cloned",
                disk.volid
            )),
            _ => {
                let mut lines = Vec::new();
                if guest.is_running() {
                    lines.push(format!("forced to stop CT {vmid} before destroying!"));
                }
                if purge {
                    lines.push(format!("purging {label} {vmid} from related configurations.."));
                    if managed {
                        lines.push(format!(
                            "NOTE: removed {label} {vmid} from HA resource configuration."
                        ));
                    }
                }
                order.takes(1500).says(lines).does(Effect::Delete {
                    vmid,
                    purge,
                    strays: self.params.flag("destroy-unreferenced-disks"),
                })
            }
        };
        self.begin(order)
    }
}
