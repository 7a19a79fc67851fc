//! From settings to the clients of monitoring servers.

use crate::{
    clients::{
        alertmanager, exporter,
        http::Trust,
        monitor::{self, Access, MonitorError},
        prometheus,
    },
    domain::{MonitorInfo, MonitorKind},
    settings::{MonitorAccess, MonitorSettings, Settings},
    sync::MonitorClient,
};

/// A server and what reads it.
pub(super) type MonitorLink = (MonitorInfo, MonitorClient);

/// The servers that can be asked, and a sentence for each that cannot: what is wrong with monitoring keeps nobody from
/// the clusters.
pub(super) fn links(settings: &Settings) -> (Vec<MonitorLink>, Vec<String>) {
    let (usable, problems) = settings.usable_monitors();
    let mut told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let mut links = Vec::new();
    for server in &usable {
        match client(server) {
            Ok(client) => links.push((server.info(), client)),
            Err(error) => told.push(format!("{}: {error}", server.info().id)),
        }
    }
    (links, told)
}

/// What reads one server. Nothing is sent yet.
///
/// # Errors
/// What is configured cannot be used.
pub(super) fn client(server: &MonitorSettings) -> Result<MonitorClient, MonitorError> {
    let settings = access(server);
    Ok(match server.kind {
        MonitorKind::Prometheus => MonitorClient::Prometheus(prometheus::Client::new(&settings)?),
        MonitorKind::Alertmanager => MonitorClient::Alertmanager(alertmanager::Client::new(&settings)?),
        MonitorKind::Exporter => MonitorClient::Exporter(exporter::Client::new(&settings, &server.params)?),
    })
}

/// How a server is reached.
pub(super) fn access(server: &MonitorSettings) -> monitor::Settings {
    let trust = if server.fingerprints.is_empty() {
        Trust {
            ca_files: server.ca_file.iter().cloned().collect(),
            ..Trust::system()
        }
    } else {
        Trust::pinned(server.fingerprints.clone())
    };
    let access = match server.access.clone() {
        MonitorAccess::Open => Access::Open,
        MonitorAccess::Bearer(token) => Access::Bearer(token),
        MonitorAccess::Basic { user, password } => Access::Basic { user, password },
    };
    monitor::Settings {
        timeout: server.timeout,
        ..monitor::Settings::new(server.url.clone(), trust, access)
    }
}
