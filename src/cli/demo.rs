//! `demo`: the simulated datacentre, with the console on it or alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    args::Demo,
    backup_servers,
    connect::{self, Acting, Asking},
    console,
    exit::{Code, Failure, talk},
    log::create_private,
    output::print,
};
use crate::{
    demo::{self, Cluster, Datacentre, Options},
    domain::ClusterId,
    settings::{ClusterSettings, Places, ServerKind, Settings, SignIn, Token},
};

/// Runs the datacentre until the console, or a signal, ends it.
pub(super) async fn run(
    wanted: &Demo,
    settings: &Settings,
    places: &Places,
    read_only: bool,
) -> Result<(), Failure> {
    let options = Options {
        nodes: usize::from(wanted.nodes),
        guests: usize::from(wanted.guests),
        seed: wanted.seed,
        port: wanted.port,
        speed: f64::from(wanted.speed),
        ..Options::default()
    };
    let datacentre = demo::start(options).await?;
    // What the demo remembers is kept apart: its clusters may be called like real ones.
    let places = Places {
        state: places.state.as_ref().map(|state| state.join("demo")),
        ..places.clone()
    };
    if wanted.serve {
        return serve(&datacentre, &places).await;
    }
    let asking = Asking::on_terminal();
    let acting = datacentre
        .clusters()
        .iter()
        .map(|cluster| acting(cluster, read_only, &asking));
    let acting = acting.collect::<Result<Vec<Acting>, Failure>>()?;
    let servers = datacentre.backup_server().map(|server| {
        let reached = Reached {
            kind: ServerKind::BackupServer,
            name: server.name(),
            url: server.url(),
            token: server.admin_token(),
            fingerprint: server.fingerprint(),
        };
        backup_servers::acting_on(reached.settings(read_only)?, &asking)
    });
    let servers = servers.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    console::run(settings, &places, acting, servers, settings.ssh.configured).await
}

fn acting(cluster: &Cluster, read_only: bool, asking: &Asking) -> Result<Acting, Failure> {
    let reached = Reached {
        kind: ServerKind::Cluster,
        name: cluster.name(),
        url: cluster.url(),
        token: cluster.admin_token(),
        fingerprint: cluster.fingerprint(),
    };
    connect::acting_on(reached.settings(read_only)?, asking)
}

/// How one of the servers is reached.
struct Reached<'a> {
    kind: ServerKind,
    name: &'a str,
    url: String,
    token: SecretString,
    fingerprint: &'a str,
}

impl Reached<'_> {
    fn settings(&self, read_only: bool) -> Result<ClusterSettings, Failure> {
        let wrong = |error: String| Failure::new(Code::Failed, error);
        Ok(ClusterSettings {
            kind: self.kind,
            id: ClusterId::from(self.name),
            endpoints: vec![self.url.parse().map_err(wrong)?],
            sign_in: SignIn::Token(Token::parse(self.token.expose_secret()).map_err(wrong)?),
            ca_file: None,
            fingerprints: vec![self.fingerprint.parse().map_err(wrong)?],
            read_only,
            timeout: ClusterSettings::DEFAULT_TIMEOUT,
            connect_timeout: ClusterSettings::DEFAULT_CONNECT_TIMEOUT,
        })
    }
}

/// Prints how to reach it and waits for a signal.
async fn serve(datacentre: &Datacentre, places: &Places) -> Result<(), Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut files = CaFiles::default();
    let mut text = String::new();
    for (index, cluster) in datacentre.clusters().iter().enumerate() {
        // The first is what a command without further words speaks to.
        let prefix = if index == 0 {
            "PVEDECK".to_owned()
        } else {
            format!("PVEDECK_{}", cluster.name().to_uppercase())
        };
        let name = format!("{}-{}", cluster.name(), cluster.address().port());
        let ca_file = files.write(places.state.as_deref(), &name, cluster.ca_pem())?;
        text.push_str(&assignments(
            &prefix,
            &cluster.url(),
            &cluster.admin_token(),
            &ca_file,
            cluster.fingerprint(),
        ));
    }
    if let Some(server) = datacentre.backup_server() {
        let name = format!("{}-{}", server.name(), server.address().port());
        let ca_file = files.write(places.state.as_deref(), &name, server.ca_pem())?;
        text.push_str(&assignments(
            "PVEDECK_PBS",
            &server.url(),
            &server.admin_token(),
            &ca_file,
            server.fingerprint(),
        ));
    }
    print(&text)?;
    for cluster in datacentre.clusters() {
        let users = cluster.roles().map(|(user, may)| format!("{user} ({may})"));
        talk(format!(
            "{} at {}: users {}; password {}; a token that may only look: {}",
            cluster.name(),
            cluster.url(),
            users.join(", "),
            cluster.password().expose_secret(),
            cluster.auditor_token().expose_secret(),
        ));
    }
    if let Some(server) = datacentre.backup_server() {
        talk(format!(
            "Backup Server {} at {}: users admin@pbs and auditor@pbs; password {}; a token that may only look: {}",
            server.name(),
            server.url(),
            server.password().expose_secret(),
            server.auditor_token().expose_secret(),
        ));
    }
    talk("Ctrl-C ends it.");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// One connection as a shell reads it.
fn assignments(prefix: &str, url: &str, token: &SecretString, ca_file: &Path, fingerprint: &str) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("URL", url),
        ("TOKEN", token.expose_secret()),
        ("CA_FILE", &ca_file.display().to_string()),
        ("FINGERPRINT", fingerprint),
    ] {
        text.extend([prefix, "_", name, "=", &quoted(value), "\n"]);
    }
    text
}

/// A value that a shell takes as one word.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=!".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

/// The files with the CAs; they go with the datacentre.
#[derive(Debug, Default)]
struct CaFiles(Vec<PathBuf>);

impl CaFiles {
    fn write(&mut self, state: Option<&Path>, name: &str, pem: &str) -> Result<PathBuf, Failure> {
        let directory = state.map_or_else(std::env::temp_dir, Path::to_owned);
        create_private(&directory)?;
        // Several datacentres may run at the same time, each on ports of its own.
        let path = directory.join(format!("{name}-ca.pem"));
        fs::write(&path, pem)?;
        self.0.push(path.clone());
        Ok(path)
    }
}

impl Drop for CaFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            // What cannot be removed is a public certificate of a server that is gone.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_one_word_each() {
        let token = SecretString::from("root@pam!demo=1-2");
        assert_eq!(
            assignments(
                "PVEDECK",
                "https://127.0.0.1:1",
                &token,
                Path::new("/tmp/it's here/ca.pem"),
                "AB:CD"
            ),
            "PVEDECK_URL=https://127.0.0.1:1\nPVEDECK_TOKEN=root@pam!demo=1-2\n\
             PVEDECK_CA_FILE='/tmp/it'\\''s here/ca.pem'\nPVEDECK_FINGERPRINT=AB:CD\n"
        );
    }
}
