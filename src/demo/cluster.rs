//! The handle of one running cluster: where it is, who may sign in, what it was asked, and what goes wrong on purpose.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::watch;

use super::{
    Clock,
    pbs::seed::Backup,
    world::{Passwords, World},
};

/// Something that goes wrong with a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A node is off: 595 for whatever is asked of it.
    NodeOffline(String),
    /// A node hangs: 596.
    NodeFrozen(String),
    /// Requests are taken and never answered, until it is over.
    Frozen,
    /// Writes are refused for want of a quorum.
    NoQuorum,
    /// Answers end in the middle.
    Truncated,
    /// Every request gets this status and reason, without a body.
    Status(u16, String),
}

/// What the server and the handle share.
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) clock: Clock,
    pub(super) refusal_delay: Duration,
    counts: Mutex<BTreeMap<String, u64>>,
    faults: watch::Sender<Vec<Fault>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(world: World, clock: Clock, refusal_delay: Duration) -> Self {
        Self {
            world: Mutex::new(world),
            clock,
            refusal_delay,
            counts: Mutex::default(),
            faults: watch::Sender::new(Vec::new()),
        }
    }

    /// The state, moved on to the present.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.clock.now());
        world
    }

    pub(super) fn count(&self, request: String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(request).or_default() += 1;
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        self.faults.borrow().clone()
    }

    /// Waits as long as the cluster is frozen.
    pub(super) async fn thawed(&self) {
        let mut faults = self.faults.subscribe();
        // An error means that the cluster is gone; then there is nothing to wait for.
        let _ = faults.wait_for(|faults| !faults.contains(&Fault::Frozen)).await;
    }
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
    address: SocketAddr,
    name: &'static str,
    ca: String,
    fingerprint: String,
    passwords: Passwords,
}

impl Cluster {
    pub(super) fn new(shared: Arc<Shared>, address: SocketAddr, passwords: Passwords) -> Self {
        let (name, ca, fingerprint) = {
            let world = shared.world();
            let fingerprint = world
                .nodes
                .first()
                .map(|node| node.fingerprint.clone())
                .unwrap_or_default();
            (world.name, world.ca.0.clone(), fingerprint)
        };
        Self {
            shared,
            address,
            name,
            ca,
            fingerprint,
            passwords,
        }
    }

    /// `prod` or `lab`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its CA.
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// The SHA-256 fingerprint of the certificate that it shows.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A token that may do everything: `root@pam!demo=…`.
    pub fn admin_token(&self) -> SecretString {
        format!("root@pam!demo={}", self.passwords.admin_token).into()
    }

    /// A token of root with separated privileges and none given: it may nothing.
    pub fn powerless_token(&self) -> SecretString {
        format!("root@pam!nothing={}", self.passwords.admin_token).into()
    }

    /// A token that may read everything and change nothing.
    pub fn auditor_token(&self) -> SecretString {
        self.token_of("auditor@pve")
    }

    /// The token `demo` of a user other than root and `totp@pve`; see [`Cluster::roles`].
    pub fn token_of(&self, user: &str) -> SecretString {
        format!("{user}!demo={}", self.passwords.audit_token).into()
    }

    /// Users that sign in with [`Cluster::password`]; `totp@pve` is asked for a second factor.
    pub fn users(&self) -> [&'static str; 7] {
        Self::ROLES.map(|(user, _)| user)
    }

    /// The users, and in a few words what each may do.
    pub fn roles(&self) -> [(&'static str, &'static str); 7] {
        Self::ROLES
    }

    const ROLES: [(&'static str, &'static str); 7] = [
        ("root@pam", "everything"),
        ("auditor@pve", "reads everything"),
        ("operator@pve", "runs the guests of the pool acme"),
        ("power@pve", "starts and stops guests"),
        ("pooladmin@pve", "runs the pool beta"),
        ("nobody@pve", "nothing"),
        ("totp@pve", "reads everything, with a second factor"),
    ];

    /// The password of every user.
    pub fn password(&self) -> SecretString {
        self.passwords.password.clone().into()
    }

    /// The key of `totp@pve`'s one-time passwords (HMAC-SHA-1, six digits, 30 s).
    pub fn totp_key(&self) -> &[u8] {
        &self.passwords.totp
    }

    /// What a storage holds of backups.
    pub(super) fn backups_on(&self, storage: &str) -> Vec<Backup> {
        let world = self.shared.world();
        let of = world.volumes.iter().filter(|volume| volume.storage == storage);
        of.filter_map(|volume| {
            Some(Backup {
                machine: volume.format == "pbs-vm",
                vmid: volume.vmid?,
                time: volume.ctime,
                size: volume.size,
                notes: volume.notes.clone().unwrap_or_default(),
                protected: volume.protected,
            })
        })
        .collect()
    }

    /// How often each request was made: `GET /cluster/resources` → 3.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.shared
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All requests so far.
    pub fn total_requests(&self) -> u64 {
        self.requests().values().sum()
    }

    /// Requests that would change something, refused ones and sign-ins included.
    pub fn writes(&self) -> u64 {
        self.requests()
            .iter()
            .filter(|(request, _)| !request.starts_with("GET "))
            .map(|(_, count)| count)
            .sum()
    }

    /// Forgets the counts.
    pub fn reset_requests(&self) {
        self.shared
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Makes something go wrong, until [`Cluster::mend`].
    pub fn break_with(&self, fault: Fault) {
        {
            let mut world = self.shared.world();
            match &fault {
                Fault::NodeOffline(name) => set_node(&mut world, name, |node| node.online = false),
                Fault::NodeFrozen(name) => set_node(&mut world, name, |node| node.frozen = true),
                Fault::NoQuorum => world.quorate = false,
                _ => {}
            }
        }
        self.shared.faults.send_modify(|faults| faults.push(fault));
    }

    /// Sends a node into maintenance, or brings it back: `ha-manager crm-command node-maintenance`, for which the
    /// real product has no API.
    pub fn set_maintenance(&self, name: &str, on: bool) {
        let mut world = self.shared.world();
        set_node(&mut world, name, |node| node.maintenance = on);
        if on {
            let now = world.now;
            world.ha_evacuate(name, now);
        }
    }

    /// Everything works again.
    pub fn mend(&self) {
        {
            let mut world = self.shared.world();
            world.quorate = true;
            for node in &mut world.nodes {
                // What was switched off comes back by itself or by its wake-up.
                node.online = !node.down;
                node.frozen = false;
            }
        }
        self.shared.faults.send_modify(Vec::clear);
    }
}

fn set_node(world: &mut World, name: &str, change: impl Fn(&mut super::world::host::Node)) {
    for node in world.nodes.iter_mut().filter(|node| node.name == name) {
        change(node);
    }
}
