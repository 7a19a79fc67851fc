//! What is checked of a Backup Server once its connection is trusted.

use super::{
    super::backup_servers::{self, ServerLink},
    Outcome, Report, clock, is_reachable,
};
use crate::{cli::connect::Asking, clients::pbs::Client, settings::ClusterSettings};

/// The oldest version that all of this is made for.
const OLDEST_MAJOR: u32 = 3;

pub(super) async fn check(report: &mut Report, server: ClusterSettings, asking: &Asking) {
    let name = server.id.to_string();
    if !is_reachable(report, &name, &server).await {
        return;
    }
    match backup_servers::link(server, asking) {
        Ok(ServerLink { client, .. }) => api(report, &name, &client).await,
        Err(failure) => report.failed(&name, "sign-in", &failure),
    }
}

async fn api(report: &mut Report, name: &str, client: &Client) {
    let version = match client.version().await {
        Ok(version) => version,
        Err(error) => return report.error(name, "sign-in", &error),
    };
    report.ok(name, "sign-in", "accepted");
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let message = format!("Proxmox Backup Server {version}");
    if major.is_some_and(|major: u32| major < OLDEST_MAJOR) {
        let remedy = format!("Update to {OLDEST_MAJOR} or newer; some things may be missing here");
        report.add(name, "version", Outcome::Warning, message, remedy);
    } else {
        report.ok(name, "version", message);
    }
    privileges(report, name, client).await;
    if let Some(theirs) = client.server_clock() {
        clock(report, name, theirs.ahead());
    }
}

async fn privileges(report: &mut Report, name: &str, client: &Client) {
    const NAME: &str = "privileges";
    let permissions = match client.permissions().await {
        Ok(permissions) => permissions,
        Err(error) => return report.error(name, NAME, &error),
    };
    // What stands on a path holds below it.
    let has = |path: &str, wanted: &str| {
        permissions.iter().any(|(known, all)| {
            (&**known == "/" || path == &**known) && all.iter().any(|one| &**one == wanted)
        })
    };
    let remedy =
        "Give the role Audit on /: proxmox-backup-manager acl update / Audit --auth-id 'USER@REALM!TOKEN'";
    let wanted = [
        ("/datastore", "Datastore.Audit", "datastores and their backups"),
        ("/system/tasks", "Sys.Audit", "tasks of others"),
        ("/system/status", "Sys.Audit", "the state of the server"),
    ];
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|(path, privilege, _)| !has(path, privilege))
        .map(|(_, _, what)| what)
        .collect();
    if permissions.iter().all(|(_, all)| all.is_empty()) {
        let message = "the sign-in has none and sees next to nothing";
        let outcome = Outcome::Failed(crate::cli::exit::Code::NotAllowed);
        report.add(name, NAME, outcome, message, remedy);
    } else if missing.is_empty() {
        report.ok(name, NAME, "everything can be seen");
    } else {
        let message = format!("not everywhere: {}", missing.join(", "));
        report.add(name, NAME, Outcome::Warning, message, remedy);
    }
}
