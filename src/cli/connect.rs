//! From settings to clients: which clusters a command speaks to, and as whom.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{
    args::Global,
    exit::{Code, Failure},
};
use crate::{
    clients::{
        self,
        http::{Address, Options, Trust},
        pve::{
            self, Actor, ApiToken, Client, Credential, Detection, Local, Login, SecondFactor, TokenCommand,
        },
    },
    domain::{
        ClusterId, Endpoint,
        measure::{Measure, Shown},
    },
    plan::Rules,
    runtime::prompt,
    settings::{ClusterSettings, Given, Limits, Overrides, Places, Settings, SignIn},
    store::{FeedErrorKind, FindingLimits},
};

/// How long a token command may take: somebody may have to unlock a key first.
const TOKEN_COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// One cluster and the client that reads it.
#[derive(Clone, Debug)]
pub struct Link {
    /// What the configuration calls it.
    pub id: ClusterId,
    /// Reads it.
    pub client: Client,
    /// Nothing that writes is sent.
    pub read_only: bool,
    /// What it was made of; `None` for the node that we are root on.
    pub settings: Option<ClusterSettings>,
}

/// Whether somebody can be asked for what is missing. The screen, once it is up, is no place for that.
#[derive(Clone, Debug)]
pub struct Asking(Arc<AtomicBool>);

impl Asking {
    /// As long as there is a terminal.
    pub fn on_terminal() -> Self {
        Self(Arc::new(AtomicBool::new(prompt::possible())))
    }

    /// From now on nobody is asked.
    pub fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn secret(&self, question: &str) -> Option<SecretString> {
        if self.0.load(Ordering::Relaxed) {
            prompt::secret(question).ok().flatten()
        } else {
            None
        }
    }
}

/// Flags and environment as one.
pub(super) fn overrides(global: &Global) -> Overrides {
    fn given<T: Clone>(by: &'static str, value: Option<&T>) -> Option<Given<T>> {
        value.map(|value| Given {
            by,
            value: value.clone(),
        })
    }
    let mut overrides = Overrides {
        cluster: global.cluster.clone(),
        url: given("--url", global.url.as_ref()),
        token: None,
        ca_file: given("--ca-file", global.ca_file.as_ref()),
        fingerprint: given("--fingerprint", global.fingerprint.as_ref()),
        read_only: global.read_only,
        backup_server: None,
    };
    overrides.fill_from(|name| std::env::var(name).ok());
    overrides
}

/// The clusters that the settings and flags name; without any, the node that we are root on. There may be none where
/// there is a Backup Server.
///
/// # Errors
/// Nothing is configured, or what is cannot be used.
pub fn links(settings: &Settings, global: &Global, asking: &Asking) -> Result<Vec<Link>, Failure> {
    let overrides = overrides(global);
    let clusters = settings.clusters(&overrides)?;
    // Whoever names a Backup Server wants it alone.
    if !clusters.is_empty() || overrides.cluster.is_some() {
        return clusters
            .into_iter()
            .map(|cluster| link(cluster, asking))
            .collect();
    }
    match Local::detect(Path::new("/")) {
        Detection::Node(local) => {
            let id = ClusterId::from(local.node());
            let client = Client::local(local).map_err(|error| failure(&error))?;
            Ok(vec![Link {
                id,
                client,
                read_only: global.read_only,
                settings: None,
            }])
        }
        _ if overrides.backup_server.is_some() || settings.backup_server_names().next().is_some() => {
            Ok(Vec::new())
        }
        Detection::NotRoot => Err(first_run(
            "this is a Proxmox VE node: as root no configuration is needed",
        )),
        Detection::NotANode => Err(first_run("no cluster is configured yet")),
    }
}

fn first_run(why: &str) -> Failure {
    let message = format!(
        "{why}\n  pvedeck login    connect to a cluster or host\n  pvedeck demo     look around in a simulated datacentre\n  \
         pvedeck --help   everything else"
    );
    Failure::new(Code::Usage, message)
}

/// One cluster, and what may write to it: nothing, if it is read-only.
#[derive(Clone, Debug)]
pub struct Acting {
    /// The cluster. Its client shares the sign-in of the actor.
    pub link: Link,
    /// Sends calls.
    pub actor: Option<Actor>,
}

/// The clusters that the settings and flags name, for a command that acts.
///
/// # Errors
/// As [`links`].
pub fn acting(settings: &Settings, global: &Global, asking: &Asking) -> Result<Vec<Acting>, Failure> {
    let overrides = overrides(global);
    let clusters = settings.clusters(&overrides)?;
    if let (true, false, Detection::Node(local)) = (
        clusters.is_empty() && overrides.cluster.is_none(),
        global.read_only,
        Local::detect(Path::new("/")),
    ) {
        let id = ClusterId::from(local.node());
        return Ok(vec![with_actor(id, None, Actor::local(local))?]);
    }
    if clusters.is_empty() {
        let links = links(settings, global, asking)?;
        return Ok(links
            .into_iter()
            .map(|link| Acting { link, actor: None })
            .collect());
    }
    clusters
        .into_iter()
        .map(|cluster| acting_on(cluster, asking))
        .collect()
}

/// One configured cluster, with what may write to it unless it is read-only.
///
/// # Errors
/// As [`link`].
pub(super) fn acting_on(cluster: ClusterSettings, asking: &Asking) -> Result<Acting, Failure> {
    if cluster.read_only {
        let link = link(cluster, asking)?;
        return Ok(Acting { link, actor: None });
    }
    let actor = Actor::new(access(&cluster, asking)?);
    with_actor(cluster.id.clone(), Some(cluster), actor)
}

fn with_actor(
    id: ClusterId,
    settings: Option<ClusterSettings>,
    actor: Result<Actor, clients::Error>,
) -> Result<Acting, Failure> {
    let actor = actor.map_err(|error| failure(&error))?;
    let link = Link {
        id,
        client: actor.client().clone(),
        read_only: false,
        settings,
    };
    Ok(Acting {
        link,
        actor: Some(actor),
    })
}

fn access(cluster: &ClusterSettings, asking: &Asking) -> Result<pve::Settings, Failure> {
    Ok(pve::Settings {
        options: options(cluster)?,
        credential: credential(&cluster.sign_in, asking)?,
    })
}

/// The client of one configured cluster.
///
/// # Errors
/// What was configured cannot be used, or nobody can be asked for what is missing.
pub(super) fn link(cluster: ClusterSettings, asking: &Asking) -> Result<Link, Failure> {
    let client = Client::new(access(&cluster, asking)?).map_err(|error| failure(&error))?;
    Ok(Link {
        id: cluster.id.clone(),
        client,
        read_only: cluster.read_only,
        settings: Some(cluster),
    })
}

pub(super) fn options(cluster: &ClusterSettings) -> Result<Options, Failure> {
    let addresses = cluster.endpoints.iter().map(address).collect::<Result<_, _>>()?;
    Ok(Options {
        connect_timeout: cluster.connect_timeout,
        request_timeout: cluster.timeout,
        ..Options::new(addresses, trust(cluster))
    })
}

/// The address of an endpoint.
pub(super) fn address(endpoint: &Endpoint) -> Result<Address, Failure> {
    Address::parse(&endpoint.to_string(), endpoint.port).map_err(|error| failure(&error))
}

/// What makes a certificate of the cluster trusted: its pins and nothing else, or its CA besides the system's.
pub(super) fn trust(cluster: &ClusterSettings) -> Trust {
    if !cluster.fingerprints.is_empty() {
        return Trust::pinned(cluster.fingerprints.clone());
    }
    Trust {
        ca_files: cluster.ca_file.iter().cloned().collect(),
        ..Trust::system()
    }
}

pub(super) fn credential(sign_in: &SignIn, asking: &Asking) -> Result<Credential, Failure> {
    Ok(match sign_in {
        SignIn::Token(token) => {
            let token = ApiToken::new(&token.id, token.secret.clone()).map_err(|error| failure(&error))?;
            Credential::Token(token)
        }
        SignIn::TokenCommand(argv) => Credential::TokenCommand(TokenCommand {
            argv: argv.clone(),
            timeout: TOKEN_COMMAND_TIMEOUT,
        }),
        SignIn::Password {
            user,
            password,
            totp_secret,
        } => {
            let password = match password {
                Some(password) => password.clone(),
                None => asking.secret(&format!("Password of {user}:")).ok_or_else(|| {
                    let message = format!(
                        "there is no password for {user} and nobody to ask; set `password_file`, or use an API token"
                    );
                    Failure::new(Code::Usage, message)
                })?,
            };
            let second_factor = if let Some(secret) = totp_secret {
                SecondFactor::Secret(secret.clone())
            } else {
                let (asking, question) = (asking.clone(), format!("Code of the second factor of {user}:"));
                SecondFactor::Ask(Arc::new(move || asking.secret(&question)))
            };
            Credential::Password(Login {
                user: user.clone(),
                password,
                second_factor,
            })
        }
    })
}

/// Proves that the sign-in is accepted; returns the version, if the server tells it. One that does not know or not
/// allow the question has let us in all the same when it gives its inventory.
pub(super) async fn signed_in(client: &Client) -> Result<Option<Box<str>>, clients::Error> {
    match client.version().await {
        Ok(version) => Ok(Some(version)),
        Err(clients::Error::NotAvailable { .. } | clients::Error::NotAllowed { .. }) => {
            client.resources().await.map(|_| None)
        }
        Err(error) => Err(error),
    }
}

/// The exit code of a failed request, with its sentence.
pub fn failure(error: &clients::Error) -> Failure {
    Failure::new(code(error), error)
}

/// The exit code of a failed request.
pub(super) fn code(error: &clients::Error) -> Code {
    use clients::Error;
    match error {
        // What answers with a web page or broken JSON is not the API.
        Error::Unreachable { .. }
        | Error::NodeAway { .. }
        | Error::Untrusted { .. }
        | Error::Malformed { .. } => Code::Unreachable,
        Error::Timeout { .. } => Code::TimedOut,
        Error::SignIn { .. } | Error::NotAllowed { .. } => Code::NotAllowed,
        Error::NotAvailable { .. } => Code::NotFound,
        Error::Setup { .. } => Code::Usage,
        Error::Parameter { .. } | Error::Server { .. } => Code::Failed,
    }
}

/// The exit code of a cluster whose inventory could not be read.
pub(super) fn code_of_feed(kind: FeedErrorKind) -> Code {
    match kind {
        FeedErrorKind::Unreachable | FeedErrorKind::Untrusted | FeedErrorKind::Malformed => Code::Unreachable,
        FeedErrorKind::SignIn | FeedErrorKind::NotAllowed => Code::NotAllowed,
        FeedErrorKind::NotAvailable => Code::NotFound,
        FeedErrorKind::Server => Code::Failed,
        FeedErrorKind::Query(_) => Code::Usage,
    }
}

/// The limits of the settings as the store takes them.
pub fn finding_limits(limits: &Limits) -> FindingLimits {
    let share = |percent: u64| percent as f64 / 100.0;
    let hours = |hours: u64| SignedDuration::from_hours(i64::try_from(hours).unwrap_or(i64::MAX / 3600));
    FindingLimits {
        cpu: share(limits.cpu_warning) as f32,
        memory: [share(limits.memory_warning), share(limits.memory_critical)],
        root: [share(limits.root_warning), share(limits.root_critical)],
        storage: [share(limits.storage_warning), share(limits.storage_critical)],
        datastore: [share(limits.datastore_warning), share(limits.datastore_critical)],
        locked: hours(limits.lock_hours),
        certificate: [
            hours(24 * limits.certificate_days),
            hours(24 * limits.certificate_critical_days),
        ],
        skew: SignedDuration::from_secs(i64::try_from(limits.clock_skew_seconds).unwrap_or(i64::MAX)),
        life_left: limits.disk_life_left as f64,
        failed_task: hours(limits.failed_task_hours),
        ..FindingLimits::default()
    }
}

/// What the settings say about acting, as plans take it.
pub fn rules(settings: &Settings) -> Rules {
    let acting = &settings.acting;
    Rules {
        production_tags: acting.production_tags.clone(),
        backup_age: SignedDuration::from_hours(i64::try_from(acting.backup_age).unwrap_or(i64::MAX / 3600)),
        levels: acting.confirm.clone(),
        at_once: usize::try_from(acting.at_once).unwrap_or(1),
        quotas: settings.quotas.clone(),
    }
}

/// A metric by its name: what Proxmox knows, or what the configuration asks of monitoring.
///
/// # Errors
/// There is no such metric, and which there are.
pub(super) fn shown(word: &str, settings: &Settings) -> Result<Shown, Failure> {
    if let Ok(measure) = word.parse::<Measure>() {
        return Ok(measure.into());
    }
    let templates = settings.metrics();
    if templates.iter().any(|template| *template.name == *word) {
        return Ok(Shown::Metric(word.into()));
    }
    let mut known: Vec<&str> = Measure::ALL.iter().map(|measure| measure.as_str()).collect();
    for template in &templates {
        if !known.contains(&&*template.name) {
            known.push(&template.name);
        }
    }
    Err(Failure::new(
        Code::Usage,
        format!("there is no metric `{word}`; there are {}", known.join(", ")),
    ))
}

/// Reads the settings that the flags point to.
///
/// # Errors
/// What is wrong with them.
pub fn settings(global: &Global, places: &Places) -> Result<Settings, Failure> {
    Ok(Settings::load(places, global.config.as_deref())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_settings_are_those_of_the_store() {
        assert_eq!(finding_limits(&Limits::default()), FindingLimits::default());
        assert_eq!(rules(&Settings::default()), Rules::default());
    }
}
