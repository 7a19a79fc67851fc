//! `login`: from an address to a section of the configuration that works.
//!
//! What always holds here: nothing secret is sent before the certificate is trusted, by a CA or by the person, and
//! nothing is written that was not tried.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use toml::Value;

use super::{
    args::Login,
    backup_servers,
    connect::{Asking, address, failure, link, signed_in},
    exit::{Code, Failure, talk},
};
use crate::{
    clients::{
        Error,
        http::{Address, Lane, Options, Proof, Reader, SeenCertificate, Trust, probe_certificate},
    },
    domain::{ClusterId, Endpoint, Fingerprint},
    runtime::prompt,
    settings::{
        ClusterSettings, Overrides, Places, Problem, ServerKind, Settings, SignIn, Token, is_cluster_name,
        is_user, set_server,
    },
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What is known of the cluster so far.
struct Found {
    kind: ServerKind,
    endpoints: Vec<Endpoint>,
    name: String,
    /// What the configuration says of it already, if it is the same addresses.
    known: Option<ClusterSettings>,
    ca_file: Option<PathBuf>,
    pins: Vec<Fingerprint>,
}

/// Asks for what no flag has said, tries it, and writes it down. For a cluster that is known already only what
/// changes is asked for: mostly whether its new certificate is the right one.
///
/// # Errors
/// Something is missing and nobody can be asked, nobody confirms the certificate, or the sign-in fails.
pub(super) async fn run(
    login: &Login,
    overrides: &Overrides,
    places: &Places,
    config: Option<PathBuf>,
) -> Result<(), Failure> {
    let Some(path) = config.clone().or_else(|| places.user_config()) else {
        return Err(Failure::new(
            Code::Usage,
            "there is no home directory to write to; use --config FILE",
        ));
    };
    let settings = Settings::load(places, config.filter(|path| path.exists()).as_deref())?;
    let mut found = find(login, overrides, &settings)?;
    trust(overrides, &mut found).await?;
    let known_sign_in = found.known.as_ref().map(|known| known.sign_in.clone());
    let keep = known_sign_in.filter(|_| overrides.token.is_none() && login.user.is_none());
    let sign_in = match &keep {
        Some(sign_in) => sign_in.clone(),
        None => sign_in(login, overrides, &found)?,
    };
    let version = verify(&found, &sign_in, overrides.read_only).await?;
    let version = version.as_deref().unwrap_or("of a version that it does not tell");
    let mut keys = connection(&found, overrides.read_only);
    if keep.is_none() {
        keys.extend(credentials(&sign_in));
    }
    set_server(places, &path, found.kind, &found.name, &keys)?;
    let done = if found.known.is_some() { "changed" } else { "added" };
    talk(format!(
        "{done} {} in {}: {} {version}",
        found.name,
        path.display(),
        found.kind.product()
    ));
    Ok(())
}

/// Which cluster it is about.
fn find(login: &Login, overrides: &Overrides, settings: &Settings) -> Result<Found, Failure> {
    let wanted = login.name.as_ref().or(overrides.cluster.as_ref());
    let named = |wanted: &&String| {
        let mut names = settings.cluster_names().map(|name| (ServerKind::Cluster, name));
        let mut servers = settings
            .backup_server_names()
            .map(|name| (ServerKind::BackupServer, name));
        let is = |(_, name): &(ServerKind, &str)| *name == wanted.as_str();
        names.find(is).or_else(|| servers.find(is)).map(|(kind, _)| kind)
    };
    let kind = match wanted.as_ref().and_then(named) {
        _ if login.pbs => ServerKind::BackupServer,
        Some(kind) => kind,
        None => ServerKind::Cluster,
    };
    let known = wanted.filter(|wanted| named(wanted) == Some(kind));
    let known = match known {
        Some(name) if overrides.url.is_none() => {
            let only = Overrides {
                cluster: Some(name.clone()),
                ..Overrides::default()
            };
            let servers = match kind {
                ServerKind::Cluster => settings.clusters(&only)?,
                ServerKind::BackupServer => settings.backup_servers(&only)?,
            };
            servers.into_iter().next()
        }
        _ => None,
    };
    let endpoints = match (&overrides.url, &known) {
        (None, Some(known)) => known.endpoints.clone(),
        (Some(given), _) => {
            let endpoint = Endpoint::parse(&given.value, kind.default_port());
            vec![endpoint.map_err(|error| Problem::whole(given.by, error))?]
        }
        (None, None) => {
            let question = format!("Address of the API (https://HOST:{}):", kind.default_port());
            let endpoint = Endpoint::parse(&ask(&question, "", "--url")?, kind.default_port());
            vec![endpoint.map_err(|error| Failure::new(Code::Usage, error))?]
        }
    };
    let name = match (wanted, endpoints.first()) {
        (Some(name), _) => name.clone(),
        (None, first) => new_name(kind, first)?,
    };
    if !is_cluster_name(&name) {
        let message = format!(
            "a {}'s name has letters, digits, `-`, `_` and `.` only",
            kind.noun()
        );
        return Err(Failure::new(Code::Usage, message));
    }
    Ok(Found {
        kind,
        endpoints,
        name,
        known,
        ca_file: None,
        pins: Vec::new(),
    })
}

/// A name for a new cluster: the host's, unless the person says another.
fn new_name(kind: ServerKind, endpoint: Option<&Endpoint>) -> Result<String, Failure> {
    let host = endpoint.map_or("", |endpoint| endpoint.host.as_str());
    let is_name = host.parse::<std::net::IpAddr>().is_err();
    let first = host.split('.').next().filter(|_| is_name).unwrap_or(host);
    let default = match kind {
        _ if is_cluster_name(first) => first,
        ServerKind::Cluster => "pve",
        ServerKind::BackupServer => "pbs",
    };
    if prompt::possible() {
        Ok(prompt::text(
            &format!("Name of the {} here [{default}]:", kind.noun()),
            default,
        )?)
    } else {
        Ok(default.to_owned())
    }
}

/// The answer of the person, or the complaint that a flag is missing.
fn ask(question: &str, default: &str, flag: &str) -> Result<String, Failure> {
    if !prompt::possible() {
        return Err(Failure::new(
            Code::Usage,
            format!("{flag} is missing, and there is no terminal to ask on"),
        ));
    }
    Ok(prompt::text(question, default)?)
}

/// Finds out what makes the certificates trusted: what the flags name, what the configuration says already, a CA of
/// the system, or the person.
async fn trust(overrides: &Overrides, found: &mut Found) -> Result<(), Failure> {
    if let Some(given) = &overrides.fingerprint {
        found.pins = vec![
            given
                .value
                .parse()
                .map_err(|error: String| Problem::whole(given.by, error))?,
        ];
    } else if let Some(given) = &overrides.ca_file {
        found.ca_file = Some(std::path::absolute(&given.value)?);
    } else if let Some(known) = &found.known {
        found.ca_file.clone_from(&known.ca_file);
        found.pins.clone_from(&known.fingerprints);
    }
    let flags = overrides.fingerprint.is_some() || overrides.ca_file.is_some();
    let trusted = match (&found.ca_file, found.pins.is_empty()) {
        (_, false) => Trust::pinned(found.pins.clone()),
        (Some(file), true) => Trust {
            ca_files: vec![file.clone()],
            ..Trust::system()
        },
        (None, true) => Trust::system(),
    };
    let mut asked = Vec::new();
    for endpoint in &found.endpoints {
        match knock(endpoint, trusted.clone()).await {
            Ok(()) => {}
            Err(Error::Untrusted { .. }) if !flags => asked.push(confirm(found.kind, endpoint).await?),
            Err(error) => return Err(failure(&error)),
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    // With pins nothing else counts: those that a CA vouches for need theirs too.
    found.pins.clear();
    found.ca_file = None;
    for endpoint in &found.endpoints {
        let seen = probe_certificate(&address(endpoint)?, CONNECT_TIMEOUT)
            .await
            .map_err(|error| failure(&error))?;
        let known = asked.contains(&seen.fingerprint) || knock(endpoint, trusted.clone()).await.is_ok();
        if known && !found.pins.contains(&seen.fingerprint) {
            found.pins.push(seen.fingerprint);
        }
    }
    Ok(())
}

/// Shows a certificate and asks whether it is the right one.
async fn confirm(kind: ServerKind, endpoint: &Endpoint) -> Result<Fingerprint, Failure> {
    let seen = probe_certificate(&address(endpoint)?, CONNECT_TIMEOUT)
        .await
        .map_err(|error| failure(&error))?;
    show(kind, endpoint, &seen);
    if !prompt::possible() {
        let message = format!(
            "nobody has confirmed the certificate; compare the fingerprint and add --fingerprint {}",
            seen.fingerprint
        );
        return Err(Failure::new(Code::Refused, message));
    }
    if prompt::yes("Is this the fingerprint that the node shows? [y/N]")? {
        Ok(seen.fingerprint)
    } else {
        let message = "the certificate was not accepted; nothing was sent and nothing was written";
        Err(Failure::new(Code::Refused, message))
    }
}

/// Sends one request that needs no sign-in: whether anything but a trusted connection comes of it.
async fn knock(endpoint: &Endpoint, trust: Trust) -> Result<(), Error> {
    let address = Address::parse(&endpoint.to_string(), endpoint.port)?;
    let options = Options {
        connect_timeout: CONNECT_TIMEOUT,
        request_timeout: REQUEST_TIMEOUT,
        ..Options::new(vec![address], trust)
    };
    Reader::new(options)?
        .get("/api2/json/version", Lane::Direct, &Proof::None)
        .await
        .map(|_| ())
}

fn show(kind: ServerKind, endpoint: &Endpoint, seen: &SeenCertificate) {
    let or = |text: &str| {
        if text.is_empty() {
            "(not readable)".to_owned()
        } else {
            text.to_owned()
        }
    };
    let day = |at: Option<Timestamp>| at.map_or("?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
    talk(format!(
        "{endpoint} shows a certificate that no trusted CA has signed:"
    ));
    talk(format!("  for          {}", or(&seen.subject)));
    talk(format!("  signed by    {}", or(&seen.issuer)));
    talk(format!(
        "  valid        {} to {}",
        day(seen.not_before),
        day(seen.not_after)
    ));
    talk(format!("  fingerprint  {}", seen.fingerprint));
    talk(match kind {
        ServerKind::Cluster => {
            "Compare it with the node's own words: pvenode cert info, or Node > System > Certificates."
        }
        ServerKind::BackupServer => {
            "Compare it with the server's own words: proxmox-backup-manager cert info, or Dashboard > Show Fingerprint."
        }
    });
}

fn sign_in(login: &Login, overrides: &Overrides, found: &Found) -> Result<SignIn, Failure> {
    if let Some(given) = &overrides.token {
        let token =
            Token::parse(given.value.expose_secret()).map_err(|error| Problem::whole(given.by, error))?;
        return Ok(SignIn::Token(token));
    }
    let who = if let Some(user) = &login.user {
        user.clone()
    } else {
        let question = format!(
            "Sign in to {} as (user@realm, or the token user@realm!name):",
            found.name
        );
        ask(&question, "root@pam", "PVEDECK_TOKEN or --user")?
    };
    if who.contains('!') {
        let secret = secret(&format!("Secret of the token {who}:"))?;
        let token = Token::parse(&format!("{who}={}", secret.expose_secret()));
        return token
            .map(SignIn::Token)
            .map_err(|error| Failure::new(Code::Usage, error));
    }
    if !is_user(&who) {
        return Err(Failure::new(
            Code::Usage,
            "a user has the form user@realm, such as root@pam or alice@pve",
        ));
    }
    let password = Some(secret(&format!("Password of {who}:"))?);
    Ok(SignIn::Password {
        user: who,
        password,
        totp_secret: None,
    })
}

fn secret(question: &str) -> Result<SecretString, Failure> {
    if !prompt::possible() {
        let message = "there is no terminal to ask on; set PVEDECK_TOKEN to user@realm!name=secret";
        return Err(Failure::new(Code::Usage, message));
    }
    let nothing = || Failure::new(Code::Refused, "nothing was typed; nothing was written");
    prompt::secret(question)?.ok_or_else(nothing)
}

/// Signs in and looks at what is allowed. Returns the server's version, if it tells.
async fn verify(found: &Found, sign_in: &SignIn, read_only: bool) -> Result<Option<Box<str>>, Failure> {
    let settings = ClusterSettings {
        kind: found.kind,
        id: ClusterId::from(found.name.as_str()),
        endpoints: found.endpoints.clone(),
        sign_in: sign_in.clone(),
        ca_file: found.ca_file.clone(),
        fingerprints: found.pins.clone(),
        read_only,
        timeout: REQUEST_TIMEOUT,
        connect_timeout: CONNECT_TIMEOUT,
    };
    let asking = Asking::on_terminal();
    let (version, permissions, role) = match found.kind {
        ServerKind::Cluster => {
            let client = link(settings, &asking)?.client;
            let version = signed_in(&client).await.map_err(|error| failure(&error))?;
            (version, client.permissions().await, "PVEAuditor")
        }
        ServerKind::BackupServer => {
            let client = backup_servers::link(settings, &asking)?.client;
            let version = client.version().await.map_err(|error| failure(&error))?;
            (Some(version), client.permissions().await, "Audit")
        }
    };
    match permissions {
        Ok(permissions) if permissions.iter().all(|(_, all)| all.is_empty()) => talk(format!(
            "warning: this sign-in has no privileges and sees next to nothing; give it the role {role} on /, for a \
             privilege-separated token to the token itself"
        )),
        Ok(_) => {}
        Err(error) => talk(format!("warning: {error}")),
    }
    Ok(version)
}

/// A key of the section and what it is set to; `None` takes it out.
type Setting = (&'static str, Option<Value>);

/// Where it is and what is trusted. For known addresses only the trust.
fn connection(found: &Found, read_only: bool) -> Vec<Setting> {
    let mut keys = Vec::new();
    if found.known.is_none() {
        keys.push((
            "url",
            found
                .endpoints
                .first()
                .map(|endpoint| Value::from(endpoint.to_string())),
        ));
        keys.push(("urls", None));
    }
    let pins: Vec<Value> = found
        .pins
        .iter()
        .map(|pin| Value::from(pin.to_string()))
        .collect();
    keys.push((
        "ca_file",
        found
            .ca_file
            .as_ref()
            .map(|file| Value::from(file.display().to_string())),
    ));
    keys.push(("fingerprint", pins.first().filter(|_| pins.len() == 1).cloned()));
    keys.push(("fingerprints", (pins.len() > 1).then_some(Value::Array(pins))));
    if read_only {
        keys.push(("read_only", Some(Value::from(true))));
    }
    keys
}

/// How to sign in. A password is not written down: it is asked for at each start.
fn credentials(sign_in: &SignIn) -> Vec<Setting> {
    let (token, user) = match sign_in {
        SignIn::Token(token) => (Some(Value::from(token.whole().expose_secret())), None),
        SignIn::Password { user, .. } => (None, Some(Value::from(user.as_str()))),
        SignIn::TokenCommand(_) => (None, None),
    };
    vec![
        ("token", token),
        ("token_file", None),
        ("token_command", None),
        ("user", user),
        ("password", None),
        ("password_file", None),
    ]
}
