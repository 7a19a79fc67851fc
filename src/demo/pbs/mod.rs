//! The simulated Backup Server: a TLS server of its own that speaks the API of Proxmox Backup Server 3.
//!
//! What always holds here: what recorded exchanges of a real server show, it says in the same words: plain lines where
//! something is refused, deflated JSON otherwise; retention follows the zone of the server, which is Europe/Berlin.

mod answer;
mod api;
mod auth;
mod params;
mod prune;
pub(super) mod seed;
mod server;
mod tasks;
mod world;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use self::{auth::Secrets, seed::Backup, world::World};
use super::{
    Clock, Options,
    tls::Authority,
    world::{load::mix, seed_guests::uuid},
};

/// What the server and its handle share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    clock: Clock,
    secrets: Secrets,
    refusal_delay: Duration,
    counts: Mutex<BTreeMap<String, u64>>,
    down: AtomicBool,
}

impl Shared {
    /// The state, moved on to the present.
    fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.clock.now());
        world
    }

    fn count(&self, request: String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(request).or_default() += 1;
    }

    fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }
}

/// The running Backup Server.
#[derive(Debug)]
pub struct BackupServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca: String,
    fingerprint: String,
}

impl BackupServer {
    /// `store`.
    pub fn name(&self) -> &'static str {
        "store"
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

    /// A token that may do everything: `admin@pbs!demo:…`.
    pub fn admin_token(&self) -> SecretString {
        format!("admin@pbs!demo:{}", self.shared.secrets.admin).into()
    }

    /// A token that may see everything and change nothing.
    pub fn auditor_token(&self) -> SecretString {
        format!("auditor@pbs!demo:{}", self.shared.secrets.audit).into()
    }

    /// A token that sees datastores and backups, but neither tasks of others nor the server.
    pub fn stores_token(&self) -> SecretString {
        format!("admin@pbs!stores:{}", self.shared.secrets.audit).into()
    }

    /// A token that may nothing.
    pub fn powerless_token(&self) -> SecretString {
        format!("admin@pbs!nothing:{}", self.shared.secrets.audit).into()
    }

    /// The password of `admin@pbs` and `auditor@pbs`.
    pub fn password(&self) -> SecretString {
        self.shared.secrets.password.clone().into()
    }

    /// How often each request was made: `GET /admin/datastore` → 3.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let counts = self.shared.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that would change something, refused ones and sign-ins included.
    pub fn writes(&self) -> u64 {
        let requests = self.requests();
        let writes = requests
            .iter()
            .filter(|(request, _)| !request.starts_with("GET "));
        writes.map(|(_, count)| count).sum()
    }

    /// Breaks every connection, or stops doing so.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// Lays one more backup into a datastore's namespace, as a client would: kind and id of its group, seconds since
    /// the epoch. For tests that need a group of their own.
    pub fn lay(&self, store: &str, namespace: &str, group: (&str, &str), time: i64, flags: Laid) {
        let mut world = self.shared.world();
        let kind = ["vm", "ct"]
            .into_iter()
            .find(|kind| *kind == group.0)
            .unwrap_or("host");
        if let Some(store) = world.store_mut(store) {
            if !namespace.is_empty() {
                store.namespaces.insert(namespace.to_owned());
            }
            store.snapshots.push(world::Snapshot {
                namespace: namespace.to_owned(),
                kind,
                id: group.1.to_owned(),
                time,
                size: 1 << 30,
                owner: "admin@pbs".to_owned(),
                notes: String::new(),
                protected: flags.protected,
                encrypted: false,
                finished: !flags.unfinished,
                damaged: flags.damaged,
                verified: None,
            });
        }
    }

    /// Puts the server into another time zone, by its POSIX rule or `UTC`.
    pub fn set_zone(&self, rule: &str) {
        let zone = jiff::tz::TimeZone::posix(rule).unwrap_or(jiff::tz::TimeZone::UTC);
        self.shared.world().zone = zone;
    }
}

/// What is special about a backup that is laid into the server.
#[derive(Clone, Copy, Default, Debug)]
pub struct Laid {
    /// It is protected.
    pub protected: bool,
    /// It has no manifest.
    pub unfinished: bool,
    /// A chunk of it is missing.
    pub damaged: bool,
}

/// Starts the Backup Server.
pub(super) async fn start(
    options: &Options,
    port: u16,
    clock: Clock,
    backups: Vec<Backup>,
    stop: CancellationToken,
) -> anyhow::Result<BackupServer> {
    let seed = mix(&[options.seed, 77]);
    let today = jiff::Timestamp::now().as_second();
    let authority = Authority::new(&uuid(mix(&[seed, 1])), today)?;
    let leaf = authority.sign("pbs1", "10.10.0.60", today, 400)?;
    let fingerprint = leaf.certificate.fingerprint.clone();
    let listener = super::server::listen(port).await?;
    let address = listener.local_addr()?;
    let world = World::build(&seed::Plan {
        seed,
        now: clock.now(),
        speed: options.speed.max(0.01),
        fingerprint: fingerprint.clone(),
        backups,
    });
    let shared = Arc::new(Shared {
        world: Mutex::new(world),
        clock,
        secrets: Secrets {
            password: format!("demo-{:08x}", mix(&[seed, 2]) >> 32),
            admin: uuid(mix(&[seed, 3])),
            audit: uuid(mix(&[seed, 4])),
        },
        refusal_delay: options.refusal_delay,
        counts: Mutex::default(),
        down: AtomicBool::new(false),
    });
    let tls = leaf.server()?;
    tokio::spawn(server::serve(listener, tls, Arc::clone(&shared), stop));
    Ok(BackupServer {
        shared,
        address,
        ca: authority.pem,
        fingerprint,
    })
}
