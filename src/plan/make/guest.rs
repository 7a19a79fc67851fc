//! A guest as the target of a deed: whether it can be done to it as things are.

use super::{
    super::{Deed, Proof, Refusal, calls::At},
    Task,
};
use crate::{
    domain::{
        ClusterId, Guest, GuestKind, GuestRef, GuestStatus, NodeRef, NodeStatus, Storage, StorageName,
        StorageRef,
        config::{ConfigDisk, GuestConfig},
        guest::Snapshot,
    },
    store::Store,
};

/// A deed to a guest.
pub(super) struct On<'a> {
    pub task: Task<'a>,
    pub guest_ref: &'a GuestRef,
    pub guest: &'a Guest,
    /// `104 web-01`. Foreign text.
    pub title: String,
}

impl<'a> On<'a> {
    /// Where the guest's path begins.
    pub(super) fn at(&self) -> At<'a> {
        At {
            node: &self.guest.node,
            kind: self.guest.kind,
            vmid: self.guest.vmid,
        }
    }

    /// Whether it is anything but stopped.
    pub(super) fn runs(&self) -> bool {
        self.guest.status != GuestStatus::Stopped
    }

    /// Its configuration, as far as it is known.
    pub(super) fn config(&self) -> Option<&'a GuestConfig> {
        self.task.store().guest_config(self.guest_ref)
    }

    /// What tells a configuration that was changed meanwhile from the one that was read.
    pub(super) fn digest(&self) -> Option<&'a str> {
        self.config()?.digest.as_deref()
    }

    /// Its disks and drives; none where the configuration is not known.
    pub(super) fn disks(&self) -> Vec<ConfigDisk<'a>> {
        self.config().map(GuestConfig::disks).unwrap_or_default()
    }

    /// Its snapshots, as far as they are known.
    pub(super) fn snapshots(&self) -> Option<&'a [Snapshot]> {
        self.task.store().guest_snapshots(self.guest_ref)
    }

    /// A storage as its node sees it.
    pub(super) fn storage(&self, storage: &StorageName) -> Option<&'a Storage> {
        self.task.store().storage(&StorageRef {
            cluster: self.guest_ref.cluster.clone(),
            node: self.guest.node.clone(),
            storage: storage.clone(),
        })
    }

    /// The value that a property has now, or what the server takes where it is not set; `None` where nobody knows.
    pub(super) fn former(&self, key: &str, default: Option<&str>) -> Option<String> {
        let config = self.config()?;
        config.get(key).or(default).map(str::to_owned)
    }

    /// Whether a clone copies all disks: those of a template are shared unless it is said otherwise.
    pub(super) fn full_clone(&self) -> bool {
        match self.task.argument("full") {
            "" => !self.guest.template,
            full => full == "1",
        }
    }

    /// Refuses if it is known that a privilege is missing.
    pub(super) fn needs_privilege(&self, privilege: &str) -> Result<(), Refusal> {
        if lacks(self.task.store(), &self.guest_ref.cluster, self.guest, privilege) {
            return Err(not_allowed(&self.title, self.guest, privilege));
        }
        Ok(())
    }

    /// The proof of a task with this worker type behind `qm` or `vz`, or one of these others.
    pub(super) fn task_of(&self, verb: &str, others: &[&str]) -> Proof {
        let prefix = match self.guest.kind {
            GuestKind::Qemu => "qm",
            GuestKind::Lxc => "vz",
        };
        let mut kinds: Vec<Box<str>> = vec![format!("{prefix}{verb}").into()];
        kinds.extend(others.iter().map(|other| (*other).into()));
        Proof::Task {
            kinds,
            id: self.guest.vmid.to_string().into(),
        }
    }

    /// A refusal that names the guest.
    pub(super) fn not_possible(&self, why: &str) -> Refusal {
        Refusal::NotPossible(format!("{} {why}", self.title))
    }
}

/// The guest, if the deed can be done to it.
pub(super) fn possible<'a>(deed: Deed, target: &GuestRef, store: &'a Store) -> Result<&'a Guest, Refusal> {
    let guest = store.guest(target).ok_or_else(|| {
        Refusal::NotFound(format!("there is no guest {} in {}", target.vmid, target.cluster))
    })?;
    let title = format!("{} {}", guest.vmid, guest.label());
    let because = |why: &str| Err(Refusal::NotPossible(format!("{title} {why}")));
    if let Some(why) = wrong_state(deed, guest) {
        return because(&why);
    }
    if let Some(lock) = &guest.lock
        && !works_under_lock(deed, lock)
    {
        return because(&format!("is locked ({lock})"));
    }
    let node = NodeRef {
        cluster: target.cluster.clone(),
        node: guest.node.clone(),
    };
    if store
        .node(&node)
        .is_some_and(|node| node.status == NodeStatus::Offline)
    {
        return because(&format!("is on {}, which is offline", guest.node));
    }
    if let Some(privilege) = deed.row().privilege
        && lacks(store, &target.cluster, guest, privilege)
    {
        return Err(not_allowed(&title, guest, privilege));
    }
    Ok(guest)
}

fn not_allowed(title: &str, guest: &Guest, privilege: &str) -> Refusal {
    Refusal::NotAllowed(format!(
        "{title}: this sign-in lacks {privilege} on /vms/{}",
        guest.vmid
    ))
}

/// Why the deed makes no sense in the guest's state.
fn wrong_state(deed: Deed, guest: &Guest) -> Option<String> {
    let running = guest.status == GuestStatus::Running;
    let why = match deed {
        Deed::GuestStart | Deed::SnapshotCreate | Deed::SnapshotRollback if guest.template => "is a template",
        Deed::GuestStart if running => "is running",
        Deed::GuestStart if guest.status == GuestStatus::Paused => "is paused: resume it",
        // The inventory calls a paused machine running: only its detail tells.
        Deed::GuestResume if matches!(guest.status, GuestStatus::Stopped | GuestStatus::Unknown) => {
            return Some(format!("is {}", guest.status));
        }
        Deed::GuestShutdown | Deed::GuestReboot | Deed::GuestReset | Deed::GuestSuspend | Deed::GuestStop
            if guest.status == GuestStatus::Stopped =>
        {
            "is stopped"
        }
        Deed::GuestTemplate if guest.template => "is a template already",
        Deed::GuestUnlock if guest.lock.is_none() => "is not locked",
        Deed::GuestReset if guest.kind == GuestKind::Lxc => "is a container: it cannot be reset, reboot it",
        _ => return None,
    };
    Some(why.to_owned())
}

fn works_under_lock(deed: Deed, lock: &str) -> bool {
    match deed {
        Deed::GuestStop
        | Deed::GuestShutdown
        | Deed::GuestReset
        | Deed::GuestUnlock
        | Deed::FirewallGroupAttach
        | Deed::FirewallGroupDetach
        | Deed::FirewallOpen
        | Deed::FirewallClose
        | Deed::FirewallEnable
        | Deed::FirewallDisable => true,
        Deed::GuestResume | Deed::GuestStart => lock == "suspended",
        _ => false,
    }
}

/// Whether it is known that the privilege is missing. Permissions are listed by path; the nearest path counts.
pub(super) fn lacks(store: &Store, cluster: &ClusterId, guest: &Guest, privilege: &str) -> bool {
    let grants = store
        .cluster(cluster)
        .and_then(crate::store::Cluster::permissions);
    // An empty list comes from a sign-in that may not even ask: nothing is known then.
    let Some(grants) = grants.filter(|grants| !grants.is_empty()) else {
        return false;
    };
    let on = |path: &str| grants.iter().find(|(known, _)| &**known == path);
    let has = |(_, privileges): &crate::store::Grant| privileges.iter().any(|known| &**known == privilege);
    let own = format!("/vms/{}", guest.vmid);
    let pool = guest.pool.as_ref().map(|pool| format!("/pool/{pool}"));
    let nearest = on(&own).or_else(|| on("/vms")).or_else(|| on("/"));
    let through_pool = pool.as_deref().and_then(on);
    !nearest.is_some_and(has) && !through_pool.is_some_and(has)
}
