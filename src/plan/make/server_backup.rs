//! Drafts of what is done to one backup on a Backup Server.

use super::{
    super::{Deed, Proof, Refusal, Risk, Weight, server_calls as calls},
    Back, Draft, Task,
    backup_server::{known, long, task_of},
};
use crate::{
    domain::{
        ServerBackupRef,
        backup::{BackupSnapshot, Verification},
    },
    store::BackupServer,
};

pub(super) fn draft(task: Task<'_>, target: &ServerBackupRef) -> Result<Draft, Refusal> {
    let server = known(task.store(), &target.cluster)?;
    let one = task
        .store()
        .server_backup(target)
        .ok_or_else(|| Refusal::NotFound(format!("there is no backup {}", target.path())))?;
    let title = format!("{} on {}", target.path(), target.datastore());
    let row = |more: Vec<(&str, &str)>, present| {
        let mut read: Vec<Box<str>> = ["admin", "datastore", &target.store, "snapshots"]
            .map(Into::into)
            .into();
        if !target.namespace.is_empty() {
            read.push(format!("?ns={}", target.namespace).into());
        }
        let time = target.time.as_second().to_string();
        let own = [
            ("backup-type", target.kind.as_str()),
            ("backup-id", &*target.id),
            ("backup-time", &*time),
        ];
        let pairs = own.into_iter().chain(more);
        Proof::Listed {
            read,
            row: pairs.map(|(name, value)| (name.into(), value.into())).collect(),
            present,
        }
    };
    let step = |call, proof| vec![task.step(&title, call, proof)];
    Ok(match task.deed {
        Deed::ServerBackupVerify => {
            let id = format!(
                "{}:{}/{}/{}/{:08X}",
                target.store,
                long(&target.namespace),
                target.kind,
                target.id,
                target.time.as_second()
            );
            Draft {
                steps: step(calls::verify_backup(target), task_of("verify_snapshot", &id)),
                ..Draft::default()
            }
        }
        Deed::ServerBackupProtect => Draft {
            steps: step(
                calls::protect(target, true),
                row(vec![("protected", "true")], true),
            ),
            back: Some(Back::plain(Deed::ServerBackupUnprotect)),
            ..Draft::default()
        },
        Deed::ServerBackupUnprotect => Draft {
            steps: step(
                calls::protect(target, false),
                row(vec![("protected", "false")], true),
            ),
            risks: vec![Risk::new(
                Weight::Warning,
                format!("the next prune may remove {}", target.path()),
            )],
            back: Some(Back::plain(Deed::ServerBackupProtect)),
            ..Draft::default()
        },
        Deed::ServerBackupNotes => {
            let text = task.argument("notes");
            let first = text.lines().next().unwrap_or_default();
            let proof = if first.is_empty() {
                Proof::Nothing
            } else {
                row(vec![("comment", first)], true)
            };
            Draft {
                steps: step(calls::notes(target, text), proof),
                ..Draft::default()
            }
        }
        _ => Draft {
            steps: step(calls::forget(target), row(Vec::new(), false)),
            risks: forget_risks(target, one, server),
            ..Draft::default()
        },
    })
}

fn forget_risks(target: &ServerBackupRef, one: &BackupSnapshot, server: &BackupServer) -> Vec<Risk> {
    let list = server
        .snapshots(&target.store, &target.namespace)
        .unwrap_or_default();
    let others: Vec<&BackupSnapshot> = list
        .iter()
        .filter(|other| other.kind == one.kind && other.id == one.id && other.time != one.time)
        .filter(|other| other.size.is_some())
        .collect();
    let path = target.path();
    let mut risks = vec![Risk::new(
        Weight::Danger,
        format!("{path} is gone for good; its space comes back with the next garbage collection"),
    )];
    let good = |other: &&&BackupSnapshot| other.verification == Some(Verification::Ok);
    if others.is_empty() {
        risks.push(Risk::new(
            Weight::Danger,
            format!("it is the last backup of {}/{}", one.kind, one.id),
        ));
    } else if one.verification == Some(Verification::Ok) && !others.iter().any(|other| good(&other)) {
        let text = format!("no other backup of {}/{} was verified as good", one.kind, one.id);
        risks.push(Risk::new(Weight::Danger, text));
    } else if others.iter().all(|other| other.time < one.time) {
        risks.push(Risk::new(
            Weight::Warning,
            format!("it is the newest of {}/{}", one.kind, one.id),
        ));
    }
    risks
}
