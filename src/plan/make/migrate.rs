//! Moving a guest to another node.

use super::{
    super::{Arguments, Deed, Refusal, Risk, Weight, calls},
    Draft,
    guest::On,
};
use crate::domain::{GuestKind, NodeName, NodeRef, NodeStatus, StorageRef};

pub(super) fn draft(on: &On<'_>) -> Result<Draft, Refusal> {
    let target = on.task.argument("target");
    destination(on, target)?;
    let mut call = calls::migrate(on.at(), target, on.runs());
    if on.task.flag("with-local-disks") && on.guest.kind == GuestKind::Qemu {
        call = call.with("with-local-disks", "1");
    }
    let mut risks = Vec::new();
    if on.runs() && on.guest.kind == GuestKind::Lxc {
        risks.push(Risk::new(
            Weight::Warning,
            format!(
                "{} is a running container: it is stopped here and started there",
                on.title
            ),
        ));
    }
    risks.extend(local_disks(on));
    let mut back = Arguments::from([("target".to_owned(), on.guest.node.to_string())]);
    if on.task.flag("with-local-disks") {
        back.insert("with-local-disks".to_owned(), "1".to_owned());
    }
    Ok(Draft {
        steps: vec![
            on.task
                .step(&on.title, call, on.task_of("migrate", &["hamigrate"])),
        ],
        risks,
        back: Some((Deed::GuestMigrate, back)),
        ..Draft::default()
    })
}

fn destination(on: &On<'_>, target: &str) -> Result<(), Refusal> {
    let cluster = &on.guest_ref.cluster;
    let node = NodeRef {
        cluster: cluster.clone(),
        node: NodeName::from(target),
    };
    match on.task.store().node(&node) {
        None => Err(Refusal::NotFound(format!(
            "there is no node {target} in {cluster}"
        ))),
        Some(_) if on.guest.node.as_str() == target => {
            Err(on.not_possible(&format!("is on {target} already")))
        }
        Some(node) if node.status != NodeStatus::Online => {
            Err(Refusal::NotPossible(format!("{target} is {}", node.status)))
        }
        Some(_) => Ok(()),
    }
}

/// What a migration has to copy. Without the configuration nothing is known of it.
fn local_disks(on: &On<'_>) -> Option<Risk> {
    let store = on.task.store();
    let config = store.guest_config(on.guest_ref)?;
    let local: Vec<String> = config
        .disks()
        .iter()
        .filter(|disk| !disk.cdrom)
        .filter_map(|disk| {
            let storage = store.storage(&StorageRef {
                cluster: on.guest_ref.cluster.clone(),
                node: on.guest.node.clone(),
                storage: disk.storage.clone()?,
            })?;
            (!storage.shared).then(|| format!("{} ({})", disk.key, disk.size.unwrap_or("size unknown")))
        })
        .collect();
    (!local.is_empty()).then(|| {
        Risk::new(
            Weight::Warning,
            format!(
                "{} has disks on local storage that are copied: {}",
                on.title,
                local.join(", ")
            ),
        )
    })
}
