//! Snapshots: take, roll back, delete.

use super::{
    super::{Arguments, Deed, Refusal, Risk, Weight, calls},
    Back, Draft, copies,
    guest::On,
};
use crate::domain::GuestKind;

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let (at, name, title) = (on.at(), on.task.argument("snapshot"), &on.title);
    let mut risks = Vec::new();
    // What is not read yet is not known; the server then says it.
    let known = on
        .task
        .store()
        .guest_snapshots(on.guest_ref)
        .map(|snapshots| snapshots.iter().any(|snapshot| &*snapshot.name == name));
    let (call, verb, back) = match on.task.deed {
        Deed::SnapshotCreate => {
            if known == Some(true) {
                return Err(on.not_possible(&format!("already has a snapshot `{name}`")));
            }
            let mut call = calls::snapshot_create(at, name);
            let description = on.task.argument("description");
            if !description.is_empty() {
                call = call.with("description", description);
            }
            if on.task.flag("ram") && on.guest.kind == GuestKind::Qemu && on.runs() {
                call = call.with("vmstate", "1");
            }
            let back = Back {
                deed: Deed::SnapshotDelete,
                arguments: Arguments::from([("snapshot".to_owned(), name.to_owned())]),
            };
            (call, "snapshot", Some(back))
        }
        _ if known == Some(false) => {
            return Err(Refusal::NotFound(format!("{title} has no snapshot `{name}`")));
        }
        Deed::SnapshotRollback => {
            if let Some(disk) = holds_back(on, name) {
                return Err(on.not_possible(&format!(
                    "has newer snapshots, and `{disk}` is on ZFS: it goes back to the newest one only, delete the others first"
                )));
            }
            risks.push(copies::backup(on));
            risks.push(Risk::new(
                Weight::Danger,
                format!("everything that {title} wrote since the snapshot is lost"),
            ));
            if on.runs() {
                risks.push(Risk::new(
                    Weight::Warning,
                    format!("{title} is running and will be stopped"),
                ));
            }
            (calls::snapshot_rollback(at, name), "rollback", None)
        }
        _ => {
            risks.push(Risk::new(
                Weight::Warning,
                format!("{title} cannot be put back to it any more"),
            ));
            (calls::snapshot_delete(at, name), "delsnapshot", None)
        }
    };
    Ok(Draft {
        steps: vec![on.task.step(title, call, on.task_of(verb, &[]))],
        risks,
        back,
        ..Draft::default()
    })
}

/// The disk that cannot go back to this snapshot because there are newer ones.
fn holds_back<'a>(on: &On<'a>, name: &str) -> Option<&'a str> {
    let snapshots = on.snapshots()?;
    let wanted = snapshots.iter().find(|snapshot| &*snapshot.name == name)?.time?;
    snapshots
        .iter()
        .any(|snapshot| snapshot.time.is_some_and(|time| time > wanted))
        .then(|| {
            let on_zfs = |storage: &crate::domain::StorageName| {
                on.storage(storage)
                    .is_some_and(|storage| &*storage.plugin == "zfspool")
            };
            on.disks()
                .into_iter()
                .find(|disk| !disk.cdrom && disk.storage.as_ref().is_some_and(on_zfs))
                .map(|disk| disk.key)
        })
        .flatten()
}
