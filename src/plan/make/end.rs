//! What cannot be taken back: to template, delete. And removing a lock.

use super::{
    super::{Refusal, Risk, Weight, calls},
    Draft,
    config::holds,
    copies,
    guest::On,
};
use crate::domain::GuestKind;

pub(super) fn template(on: &On<'_>) -> Result<Draft, Refusal> {
    if on.runs() {
        return Err(on.not_possible("runs: shut it down first"));
    }
    if on.snapshots().is_some_and(|snapshots| !snapshots.is_empty()) {
        return Err(on.not_possible("has snapshots: a template cannot have any"));
    }
    Ok(Draft {
        steps: vec![
            on.task
                .step(&on.title, calls::template(on.at()), on.task_of("template", &[])),
        ],
        risks: vec![Risk::new(
            Weight::Danger,
            format!("{} can never run again, only its clones", on.title),
        )],
        ..Draft::default()
    })
}

pub(super) fn delete(on: &On<'_>) -> Result<Draft, Refusal> {
    let protected = on.config().and_then(|config| config.get("protection")) == Some("1");
    if protected {
        return Err(on.not_possible("is protected; take that off with guest.options --protection 0"));
    }
    let managed = on.guest.ha_state.is_some();
    if managed && !on.task.flag("purge") {
        return Err(on.not_possible("is managed by HA; purge removes it from there too"));
    }
    copies::nobody_needs_it(on)?;
    let mut draft = Draft::default();
    draft.risks.push(copies::backup(on));
    if on.runs() {
        if !on.task.flag("stop") {
            return Err(
                on.not_possible("runs; shut it down first, or have it stopped with the argument stop")
            );
        }
        if managed {
            // HA stops it some time after it said yes, and starts it again if it was not told to leave it stopped.
            return Err(on.not_possible("runs and is managed by HA: shut it down first, and wait for HA"));
        }
        draft.steps.push(
            on.task
                .step(&on.title, calls::power(on.at(), "stop"), on.task_of("stop", &[])),
        );
        draft.risks.push(Risk::new(
            Weight::Danger,
            format!("{} is running and will be stopped hard", on.title),
        ));
    }
    let mut call = calls::delete(on.at());
    if on.task.flag("purge") {
        call = call.with("purge", "1");
    }
    if on.task.flag("unreferenced") {
        call = call.with("destroy-unreferenced-disks", "1");
    }
    let mut step = on.task.step(&on.title, call, on.task_of("destroy", &[]));
    step.needs = draft.steps.len().checked_sub(1).into_iter().collect();
    draft.steps.push(step);
    draft.risks.push(Risk::new(
        Weight::Danger,
        format!("{} and its disks are gone for good", on.title),
    ));
    let snapshots = on.snapshots().map_or(0, <[_]>::len);
    if snapshots > 0 {
        draft.risks.push(Risk::new(
            Weight::Warning,
            format!(
                "its {snapshots} snapshot{} go with {}",
                if snapshots == 1 { "" } else { "s" },
                on.title
            ),
        ));
    }
    Ok(draft)
}

pub(super) fn unlock(on: &On<'_>) -> Result<Draft, Refusal> {
    if on.guest.kind == GuestKind::Lxc {
        return Err(on.not_possible(&format!(
            "is a container: the API does not unlock it, `pct unlock {}` on {} does",
            on.guest.vmid, on.guest.node
        )));
    }
    let mut call = calls::config(on.at())
        .with("delete", "lock")
        .with("skiplock", "1");
    if let Some(digest) = on.digest() {
        call = call.with("digest", digest);
    }
    let lock = on.guest.lock.as_deref().unwrap_or_default();
    Ok(Draft {
        steps: vec![on.task.step(&on.title, call, holds(on, vec![("lock".into(), None)]))],
        risks: vec![
            Risk::new(
                Weight::Danger,
                format!("if something is still working on {} ({lock}), both destroy each other's work", on.title),
            ),
            Risk::new(
                Weight::Note,
                "the server takes it from root@pam alone: with a password or as root on a node, not with an API token"
                    .to_owned(),
            ),
        ],
        ..Draft::default()
    })
}
