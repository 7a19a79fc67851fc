//! Snapshots: take, roll back, delete.

use super::{
    super::{Arguments, Deed, Refusal, Risk, Weight, calls},
    Draft,
    guest::On,
};
use crate::domain::GuestKind;

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let (at, name, title) = (on.at(), on.task.argument("snapshot"), &on.title);
    let mut risks = Vec::new();
    let mut risk = |weight, text: String| risks.push(Risk::new(weight, text));
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
            let arguments = Arguments::from([("snapshot".to_owned(), name.to_owned())]);
            (call, "snapshot", Some((Deed::SnapshotDelete, arguments)))
        }
        _ if known == Some(false) => {
            return Err(Refusal::NotFound(format!("{title} has no snapshot `{name}`")));
        }
        Deed::SnapshotRollback => {
            risk(
                Weight::Danger,
                format!("everything that {title} wrote since the snapshot is lost"),
            );
            if on.runs() {
                risk(Weight::Warning, format!("{title} is running and will be stopped"));
            }
            (calls::snapshot_rollback(at, name), "rollback", None)
        }
        _ => {
            risk(
                Weight::Warning,
                format!("{title} cannot be put back to it any more"),
            );
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
