//! The embedded simulated datacentre: the real protocol over loopback.
//!
//! [`start`] opens one TLS server for each cluster of the estate: the cluster `prod`, and the standalone host `lab`.
//! They speak the Proxmox VE API as the official schema and recorded answers show it, sign-in and permissions
//! included, and they remember what is done to them. Beside them runs a Backup Server, `store`, whose datastore `main` holds
//! what the cluster's storage `pbs-main` lists. It is a server of its own: it shares no code with the client
//! that talks to it.
//!
//! What always holds: nothing moves unless it is asked something, so an idle datacentre costs nothing; the same seed
//! and the same clock give the same answers; nothing listens anywhere but on loopback.

mod acl;
mod answer;
mod api;
mod auth;
mod cluster;
mod console;
mod params;
pub mod pbs;
mod server;
mod table;
mod tls;
mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use self::{
    cluster::Shared,
    tls::Authority,
    world::{Estate, Passwords, Plan, World, load::mix, seed_guests::uuid},
};
pub use self::{
    cluster::{Cluster, Fault},
    pbs::BackupServer,
};

/// What time it is in the datacentre.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    /// The wall clock.
    Wall,
    /// A clock that stands still until [`Datacentre::tick`], beginning at these seconds since the epoch.
    Manual(i64),
}

/// How the datacentre is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Nodes of the cluster `prod`.
    pub nodes: usize,
    /// Guests of the cluster `prod`.
    pub guests: usize,
    /// The same seed makes the same estate, the same load and the same secrets.
    pub seed: u64,
    /// The port of `prod`; `lab` takes the next one, and the Backup Server the one after. 0 takes free ones.
    pub port: u16,
    /// Whether there is the standalone host `lab` as well.
    pub lab: bool,
    /// Whether there is a Backup Server as well.
    pub backup_server: bool,
    /// How much faster than in reality tasks run.
    pub speed: f64,
    /// How long a refused sign-in waits for its 401.
    pub refusal_delay: Duration,
    /// Where the time comes from.
    pub time: Time,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            guests: 60,
            seed: 7,
            port: 0,
            lab: true,
            backup_server: true,
            speed: 1.0,
            refusal_delay: Duration::from_secs(3),
            time: Time::Wall,
        }
    }
}

impl Options {
    /// For tests: no waiting, and a clock that stands still at a fixed moment.
    pub fn for_tests() -> Self {
        Self {
            refusal_delay: Duration::ZERO,
            time: Time::Manual(1_795_250_000),
            ..Self::default()
        }
    }
}

/// Where the time comes from, shared by all clusters. Milliseconds since the epoch.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    Wall,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub(crate) fn now(&self) -> i64 {
        match self {
            Self::Wall => jiff::Timestamp::now().as_millisecond(),
            Self::Manual(time) => time.load(Ordering::SeqCst),
        }
    }
}

/// A running datacentre. It stops when it is dropped.
#[derive(Debug)]
pub struct Datacentre {
    clusters: Vec<Cluster>,
    backup_server: Option<BackupServer>,
    clock: Clock,
    stop: CancellationToken,
}

impl Datacentre {
    /// All clusters: `prod`, then `lab` if there is one.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The cluster `prod`.
    pub fn production(&self) -> &Cluster {
        &self.clusters[0]
    }

    /// The standalone host.
    pub fn lab(&self) -> Option<&Cluster> {
        self.clusters.get(1)
    }

    /// The Backup Server.
    pub fn backup_server(&self) -> Option<&BackupServer> {
        self.backup_server.as_ref()
    }

    /// Moves a manual clock on. The wall clock cannot be moved; then nothing happens.
    pub fn tick(&self, by: Duration) {
        if let Clock::Manual(time) = &self.clock {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
            time.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Closes all listeners and connections.
    pub fn shutdown(self) {
        self.stop.cancel();
    }
}

impl Drop for Datacentre {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts the datacentre on loopback. Must be called within a tokio runtime.
///
/// # Errors
/// A port that is taken, or certificates that cannot be made.
pub async fn start(options: Options) -> anyhow::Result<Datacentre> {
    let clock = match options.time {
        Time::Wall => Clock::Wall,
        Time::Manual(start) => Clock::Manual(Arc::new(AtomicI64::new(start * 1000))),
    };
    let stop = CancellationToken::new();
    let mut datacentre = Datacentre {
        clusters: Vec::new(),
        backup_server: None,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let estates: &[Estate] = if options.lab {
        &[Estate::Production, Estate::Lab]
    } else {
        &[Estate::Production]
    };
    for (index, estate) in estates.iter().enumerate() {
        let port = match options.port {
            0 => 0,
            port => port.checked_add(index as u16).context("the port is too high")?,
        };
        let listener = server::listen(port)
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        let address = listener.local_addr()?;
        let seed = mix(&[options.seed, index as u64]);
        let (world, leaf, passwords) = found(*estate, &options, seed, clock.now())?;
        let shared = Arc::new(Shared::new(world, clock.clone(), options.refusal_delay));
        let tls = leaf.server()?;
        tokio::spawn(server::serve(
            listener,
            tls,
            Arc::clone(&shared),
            stop.child_token(),
        ));
        datacentre.clusters.push(Cluster::new(shared, address, passwords));
    }
    if options.backup_server {
        let port = match options.port {
            0 => 0,
            port => port
                .checked_add(estates.len() as u16)
                .context("the port is too high")?,
        };
        let backups = datacentre.production().backups_on("pbs-main");
        let server = pbs::start(&options, port, clock, backups, stop.child_token());
        datacentre.backup_server = Some(server.await?);
    }
    Ok(datacentre)
}

/// Makes an estate with its certificates.
fn found(
    estate: Estate,
    options: &Options,
    seed: u64,
    now: i64,
) -> anyhow::Result<(World, tls::Leaf, Passwords)> {
    let production = estate == Estate::Production;
    // Certificates live in real time even where the estate's clock stands still: clients check them.
    let today = jiff::Timestamp::now().as_second();
    let authority = Authority::new(&uuid(mix(&[seed, 1])), today)?;
    let names: Vec<String> = if production {
        (1..=options.nodes.max(1))
            .map(|index| format!("pve{index}"))
            .collect()
    } else {
        vec!["lab1".to_owned()]
    };
    let mut nodes = Vec::new();
    let mut first = None;
    for (index, name) in names.into_iter().enumerate() {
        // The second node's certificate is near its end.
        let days = if production && index == 1 { 11 } else { 730 };
        let address = format!(
            "10.{}.0.{}",
            if production { 10 } else { 99 },
            11 + index.min(200)
        );
        let leaf = authority.sign(&name, &address, today, days)?;
        nodes.push((name, leaf.certificate.clone()));
        first.get_or_insert(leaf);
    }
    let passwords = Passwords {
        password: format!("demo-{:08x}", mix(&[seed, 2]) >> 32),
        admin_token: uuid(mix(&[seed, 3])),
        audit_token: uuid(mix(&[seed, 4])),
        totp: b"12345678901234567890".to_vec(),
    };
    let world = World::build(Plan {
        estate,
        guests: if production { options.guests } else { 6 },
        seed,
        now,
        speed: options.speed.max(0.01),
        nodes,
        ca: (authority.pem.clone(), authority.end),
        passwords: passwords.clone(),
    });
    let leaf = first.context("an estate has at least one node")?;
    Ok((world, leaf, passwords))
}
