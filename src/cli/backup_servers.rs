//! From settings to the clients of Backup Servers: the same flags, secrets and trust as for clusters.

use super::{
    args::Global,
    connect::{Asking, failure, options, overrides},
    exit::Failure,
};
use crate::{
    clients::pbs::{self, Actor, Client},
    domain::ClusterId,
    settings::{ClusterSettings, Settings},
};

/// One Backup Server and the client that reads it.
#[derive(Clone, Debug)]
pub struct ServerLink {
    /// What the configuration calls it.
    pub id: ClusterId,
    /// Reads it.
    pub client: Client,
    /// Nothing that writes is sent.
    pub read_only: bool,
    /// What it was made of.
    pub settings: ClusterSettings,
}

/// One Backup Server, and what may write to it: nothing, if it is read-only.
#[derive(Clone, Debug)]
pub struct ActingServer {
    /// The server. Its client shares the sign-in of the actor.
    pub link: ServerLink,
    /// Sends calls.
    pub actor: Option<Actor>,
}

/// The Backup Servers that the settings and flags name.
///
/// # Errors
/// What is configured cannot be used.
pub fn links(settings: &Settings, global: &Global, asking: &Asking) -> Result<Vec<ServerLink>, Failure> {
    let servers = settings.backup_servers(&overrides(global))?;
    servers.into_iter().map(|server| link(server, asking)).collect()
}

/// The same for a command that acts.
///
/// # Errors
/// As [`links`].
pub fn acting(settings: &Settings, global: &Global, asking: &Asking) -> Result<Vec<ActingServer>, Failure> {
    let servers = settings.backup_servers(&overrides(global))?;
    servers
        .into_iter()
        .map(|server| acting_on(server, asking))
        .collect()
}

/// The client of one Backup Server.
///
/// # Errors
/// What was configured cannot be used, or nobody can be asked for what is missing.
pub(super) fn link(settings: ClusterSettings, asking: &Asking) -> Result<ServerLink, Failure> {
    let client = Client::new(access(&settings, asking)?).map_err(|error| failure(&error))?;
    Ok(joined(settings, client))
}

/// One Backup Server, with what may write to it unless it is read-only.
///
/// # Errors
/// As [`link`].
pub(super) fn acting_on(settings: ClusterSettings, asking: &Asking) -> Result<ActingServer, Failure> {
    if settings.read_only {
        let link = link(settings, asking)?;
        return Ok(ActingServer { link, actor: None });
    }
    let actor = Actor::new(access(&settings, asking)?).map_err(|error| failure(&error))?;
    Ok(ActingServer {
        link: joined(settings, actor.client().clone()),
        actor: Some(actor),
    })
}

fn joined(settings: ClusterSettings, client: Client) -> ServerLink {
    ServerLink {
        id: settings.id.clone(),
        client,
        read_only: settings.read_only,
        settings,
    }
}

fn access(settings: &ClusterSettings, asking: &Asking) -> Result<pbs::Settings, Failure> {
    Ok(pbs::Settings {
        options: options(settings)?,
        credential: super::connect::credential(&settings.sign_in, asking)?,
    })
}
