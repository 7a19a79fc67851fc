//! Snapshots of a guest: take, describe, roll back, delete.

use serde_json::Value;

use super::{Call, config::locked};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::has_feature,
        guest::{Guest, Kind},
        task::Effect,
    },
};

impl Call<'_> {
    pub(super) fn route_snapshots(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("POST", "/snapshot") => self.take_snapshot(kind),
            ("DELETE", "/snapshot/{snapname}") => self.delete_snapshot(kind),
            ("PUT", "/snapshot/{snapname}/config") => self.describe_snapshot(kind),
            ("POST", "/snapshot/{snapname}/rollback") => self.roll_back(kind),
            _ => return None,
        })
    }

    fn take_snapshot(&mut self, kind: Kind) -> Outcome {
        let name = self.params.text("snapname").to_owned();
        if matches!(name.as_str(), "current" | "pending") {
            return Err(Failure::server(format!(
                "unable to use snapshot name '{name}' (reserved name)"
            )));
        }
        let guest = self.guest(kind)?;
        let (vmid, lock, running) = (guest.vmid, locked(guest), guest.is_running());
        let used = guest.snapshots.iter().any(|snapshot| snapshot.name == name);
        let lines = guest
            .disks()
            .iter()
            .map(|disk| format!("snapshotting 'drive-{}' ({})", disk.key, disk.volid))
            .collect();
        let template = guest.is_template();
        let able = self.can(guest, "snapshot", None);
        let order = self
            .order(&format!("{}snapshot", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock {
            _ if template => order
                .takes(300)
                .fails("you can't take a snapshot if it's a template"),
            Err(lock) => order.takes(300).fails(lock),
            Ok(()) if used => order
                .takes(300)
                .fails(format!("snapshot name '{name}' already used")),
            Ok(()) if !able => order.takes(300).fails("snapshot feature is not available"),
            Ok(()) => order
                .takes(2500)
                .says(lines)
                .locks("snapshot")
                .does(Effect::Snapshot {
                    vmid,
                    name,
                    description: self.params.text("description").to_owned(),
                    vmstate: running && self.params.flag("vmstate"),
                }),
        };
        self.begin(order)
    }

    /// The snapshot of the path and whether it exists.
    fn named_snapshot(&self, guest: &Guest) -> (String, Result<(), String>) {
        let name = self.variable("snapname").to_owned();
        let known = guest.snapshots.iter().any(|snapshot| snapshot.name == name);
        let found = if known {
            Ok(())
        } else {
            Err(format!("snapshot '{name}' does not exist"))
        };
        (name, found)
    }

    fn delete_snapshot(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let lock = locked(guest);
        let (name, found) = self.named_snapshot(guest);
        let order = self
            .order(&format!("{}delsnapshot", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock.and(found) {
            Err(reason) => order.takes(300).fails(reason),
            Ok(()) => order
                .takes(2000)
                .locks("snapshot-delete")
                .does(Effect::DeleteSnapshot { vmid, name }),
        };
        self.begin(order)
    }

    fn roll_back(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let lock = locked(guest);
        let (name, found) = self.named_snapshot(guest);
        let order = self
            .order(&format!("{}rollback", kind.task_prefix()), vmid.to_string())
            .holds(vmid);
        let order = match lock.and(found) {
            Err(reason) => order.takes(300).fails(reason),
            Ok(()) => order.takes(3000).locks("rollback").does(Effect::Rollback {
                vmid,
                name,
                start: self.params.flag("start"),
            }),
        };
        self.begin(order)
    }

    fn describe_snapshot(&mut self, kind: Kind) -> Outcome {
        let guest = self.guest(kind)?;
        let vmid = guest.vmid;
        let (name, found) = self.named_snapshot(guest);
        found.map_err(Failure::server)?;
        let text = self.params.text("description").to_owned();
        let snapshots = self.world.guests.get_mut(&vmid).map(|guest| &mut guest.snapshots);
        for snapshot in snapshots
            .into_iter()
            .flatten()
            .filter(|snapshot| snapshot.name == name)
        {
            snapshot.description.clone_from(&text);
        }
        Ok(Value::Null.into())
    }

    /// Whether all disks of the guest can do `snapshot`, `clone` or `copy`.
    pub(super) fn can(&self, guest: &Guest, feature: &str, snapshot: Option<&str>) -> bool {
        guest.disks().iter().all(|disk| {
            self.world
                .storage(&disk.storage)
                .is_some_and(|storage| has_feature(storage, &disk.volid, feature, stage(guest, snapshot)))
        })
    }
}

/// What a copy of the guest would be made from.
pub(super) fn stage(guest: &Guest, snapshot: Option<&str>) -> &'static str {
    match snapshot {
        Some(_) => "snap",
        None if guest.is_template() => "base",
        None => "current",
    }
}
