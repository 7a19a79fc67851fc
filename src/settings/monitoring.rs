//! `[[prometheus]]`, `[[alertmanager]]`, `[[exporter]]`: monitoring servers, any number of each.

use std::{ops::Range, path::PathBuf, time::Duration};

use secrecy::SecretString;
use toml::de::DeTable;

use super::{
    Settings,
    cluster::{At, Home, fingerprints, read_beside},
    is_cluster_name,
    problem::{Problem, Problems, advice},
    reader::Reader,
};
use crate::domain::{
    BaseUrl, ClusterId, Fingerprint, MonitorId, MonitorInfo, MonitorKind, template::Template,
};

const SHARED: [&str; 12] = [
    "name",
    "url",
    "clusters",
    "token",
    "token_file",
    "user",
    "password",
    "password_file",
    "ca_file",
    "fingerprint",
    "fingerprints",
    "timeout",
];

/// All keys of the section of a kind.
pub(super) fn keys(kind: MonitorKind) -> Vec<&'static str> {
    let own: &[&str] = match kind {
        MonitorKind::Prometheus => &["cluster_label"],
        MonitorKind::Alertmanager => &["read_only"],
        MonitorKind::Exporter => &["params"],
    };
    SHARED.iter().chain(own).copied().collect()
}

/// What proves who we are to a monitoring server. Secrets from files are read already.
#[derive(Clone, Debug)]
pub enum MonitorAccess {
    /// Nothing.
    Open,
    /// A bearer token.
    Bearer(SecretString),
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
}

/// One monitoring server, ready to be asked.
#[derive(Clone, Debug)]
pub struct MonitorSettings {
    /// What it is.
    pub kind: MonitorKind,
    /// What the configuration calls it; unique within its kind.
    pub name: String,
    /// Where it is.
    pub url: BaseUrl,
    /// The clusters that it watches; all if none is named.
    pub clusters: Vec<ClusterId>,
    /// What proves who we are.
    pub access: MonitorAccess,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The only certificates that are trusted; empty if that is not so.
    pub fingerprints: Vec<Fingerprint>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Of a Prometheus: the label that names the cluster of a series.
    pub cluster_label: String,
    /// Of an Alertmanager: no silence is made or ended.
    pub read_only: bool,
    /// Of an exporter: what goes with each scrape.
    pub params: Vec<(String, String)>,
}

impl MonitorSettings {
    /// How long an answer may take unless the configuration says otherwise.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
    /// The label that names the cluster of a series unless the configuration says otherwise.
    pub const DEFAULT_CLUSTER_LABEL: &'static str = "cluster";

    /// What is known of it without asking it.
    pub fn info(&self) -> MonitorInfo {
        MonitorInfo {
            id: MonitorId::new(self.kind, &self.name),
            address: self.url.to_string().into(),
            clusters: self.clusters.clone(),
            cluster_label: self.cluster_label.as_str().into(),
            read_only: self.read_only,
        }
    }
}

/// A server before the files with its secrets are read.
#[derive(Clone)]
pub(super) struct MonitorLayer {
    settings: MonitorSettings,
    secret: Source,
    named: Vec<At<String>>,
    /// Whether there is a secret in the file itself, for which it must be private.
    pub(super) holds_secret: bool,
}

#[derive(Clone)]
enum Source {
    Ready,
    BearerFile(At<PathBuf>),
    PasswordFile { user: String, file: At<PathBuf> },
}

impl MonitorLayer {
    /// Reads one server of the section.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        home: &Home<'_>,
        kind: MonitorKind,
        table: &DeTable<'_>,
        at: &Range<usize>,
    ) -> Option<Self> {
        let section = kind.section();
        reader.only(&format!("[{section}]"), table, &keys(kind));
        let name = name(reader, table, kind);
        let url = url(reader, table, kind, at);
        let (access, secret) = access(reader, home, table)?;
        let url = url?;
        if url.plain && !url.is_loopback() && has_secret(&access, &secret) {
            let span = table.get("url").map_or_else(|| at.clone(), toml::Spanned::span);
            reader.complain(
                &span,
                "a secret sent by plain http could be read on the way; use https, or leave the sign-in out",
            );
            return None;
        }
        let mut clusters = Vec::new();
        let mut named = Vec::new();
        for cluster in reader
            .strings(table, "clusters")
            .map(|list| list.value)
            .unwrap_or_default()
        {
            clusters.push(ClusterId::from(cluster.value.as_str()));
            named.push((cluster.value, reader.problem(&cluster.span, String::new())));
        }
        Some(Self {
            settings: MonitorSettings {
                kind,
                name: name?,
                url,
                clusters,
                access,
                ca_file: reader
                    .string(table, "ca_file")
                    .map(|found| home.path(&found.value)),
                fingerprints: fingerprints(reader, table).unwrap_or_default(),
                timeout: reader
                    .integer(table, "timeout", 1..=600)
                    .map_or(MonitorSettings::DEFAULT_TIMEOUT, Duration::from_secs),
                cluster_label: reader.string(table, "cluster_label").map_or_else(
                    || MonitorSettings::DEFAULT_CLUSTER_LABEL.to_owned(),
                    |label| label.value,
                ),
                read_only: reader.boolean(table, "read_only").unwrap_or(false),
                params: params(reader, table),
            },
            secret,
            named,
            holds_secret: table.contains_key("token") || table.contains_key("password"),
        })
    }

    /// Whether the other says the same server anew.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.settings.kind, &self.settings.name) == (other.settings.kind, &other.settings.name)
    }

    /// The complaint about a second one with the same name in a file.
    pub(super) fn is_told_twice(&self) -> String {
        format!(
            "there is another [[{}]] with the name `{}`; give each its `name`",
            self.settings.kind.section(),
            self.settings.name
        )
    }

    /// Takes the place of what an earlier file said. What an administrator has made read-only stays so.
    pub(super) fn replace(&mut self, mut later: Self) {
        later.settings.read_only |= self.settings.read_only;
        *self = later;
    }

    fn finish(&self, known: &[&str]) -> Result<MonitorSettings, Vec<Problem>> {
        let mut settings = self.settings.clone();
        let mut problems: Vec<Problem> = self
            .named
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, place)| Problem {
                message: format!(
                    "there is no cluster `{name}`: {}",
                    advice(name, known.iter().copied())
                ),
                ..place.clone()
            })
            .collect();
        let read = match self.secret.clone() {
            Source::Ready => Ok(()),
            Source::BearerFile(file) => {
                read_beside(file).map(|token| settings.access = MonitorAccess::Bearer(token))
            }
            Source::PasswordFile { user, file } => {
                read_beside(file).map(|password| settings.access = MonitorAccess::Basic { user, password })
            }
        };
        problems.extend(read.err());
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(problems)
        }
    }
}

fn has_secret(access: &MonitorAccess, source: &Source) -> bool {
    !matches!((access, source), (MonitorAccess::Open, Source::Ready))
}

/// Its name; without one it is called after its section.
fn name(reader: &mut Reader<'_>, table: &DeTable<'_>, kind: MonitorKind) -> Option<String> {
    if !table.contains_key("name") {
        return Some(kind.section().to_owned());
    }
    let found = reader.string(table, "name")?;
    if is_cluster_name(&found.value) {
        return Some(found.value);
    }
    reader.complain(&found.span, "a name has letters, digits, `-`, `_` and `.` only");
    None
}

fn url(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    kind: MonitorKind,
    at: &Range<usize>,
) -> Option<BaseUrl> {
    if !table.contains_key("url") {
        let example = match kind {
            MonitorKind::Prometheus => "http://localhost:9090",
            MonitorKind::Alertmanager => "http://localhost:9093",
            MonitorKind::Exporter => "http://pve1:9100/metrics",
        };
        reader.complain(
            at,
            format!("[[{}]] has no address; add url = \"{example}\"", kind.section()),
        );
        return None;
    }
    let found = reader.string(table, "url")?;
    match found.value.parse() {
        Ok(url) => Some(url),
        Err(why) => {
            reader.complain(&found.span, format!("not an address: {why}"));
            None
        }
    }
}

fn access(reader: &mut Reader<'_>, home: &Home<'_>, table: &DeTable<'_>) -> Option<(MonitorAccess, Source)> {
    let given: Vec<&str> = ["token", "token_file", "user"]
        .into_iter()
        .filter(|key| table.contains_key(*key))
        .collect();
    let span_of = |key: &str| table.get(key).map_or(0..0, toml::Spanned::span);
    if let [first, second, ..] = given[..] {
        reader.complain(
            &span_of(second),
            format!("`{first}` and `{second}` exclude each other"),
        );
        return None;
    }
    for key in ["password", "password_file"] {
        if table.contains_key(key) && !table.contains_key("user") {
            reader.complain(&span_of(key), format!("`{key}` needs `user`"));
            return None;
        }
    }
    let file = |reader: &mut Reader<'_>, key: &str| {
        let found = reader.string(table, key)?;
        Some((
            home.path(&found.value),
            reader.problem(&found.span, String::new()),
        ))
    };
    match given.first().copied() {
        None => Some((MonitorAccess::Open, Source::Ready)),
        Some("token") => {
            let token = reader.string(table, "token")?.value;
            Some((MonitorAccess::Bearer(SecretString::from(token)), Source::Ready))
        }
        Some("token_file") => Some((
            MonitorAccess::Open,
            Source::BearerFile(file(reader, "token_file")?),
        )),
        Some(_) => {
            let user = reader.string(table, "user")?;
            if user.value.contains(':') {
                reader.complain(&user.span, "`user` cannot hold a colon");
                return None;
            }
            match (
                table.contains_key("password"),
                table.contains_key("password_file"),
            ) {
                (true, false) => {
                    let password = SecretString::from(reader.string(table, "password")?.value);
                    let user = user.value;
                    Some((MonitorAccess::Basic { user, password }, Source::Ready))
                }
                (false, true) => {
                    let file = file(reader, "password_file")?;
                    let user = user.value;
                    Some((MonitorAccess::Open, Source::PasswordFile { user, file }))
                }
                (true, true) => {
                    let message = "`password` and `password_file` exclude each other";
                    reader.complain(&span_of("password_file"), message);
                    None
                }
                (false, false) => {
                    reader.complain(&user.span, "`user` needs `password_file` or `password`");
                    None
                }
            }
        }
    }
}

fn params(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Vec<(String, String)> {
    let Some(params) = reader.table(table, "params") else {
        return Vec::new();
    };
    let names: Vec<String> = params
        .keys()
        .map(|name| name.get_ref().as_ref().to_owned())
        .collect();
    names
        .into_iter()
        .filter_map(|name| {
            let value = reader.string(params, &name)?.value;
            Some((name, value))
        })
        .collect()
}

impl Settings {
    /// The monitoring servers, with their secrets read.
    ///
    /// # Errors
    /// A secret cannot be read, or a cluster is named that does not exist.
    pub fn monitors(&self) -> Result<Vec<MonitorSettings>, Problems> {
        let (monitors, problems) = self.usable_monitors();
        if problems.is_empty() {
            Ok(monitors)
        } else {
            Err(Problems(problems))
        }
    }

    /// The monitoring servers that can be used, and what is wrong with the others.
    pub fn usable_monitors(&self) -> (Vec<MonitorSettings>, Vec<Problem>) {
        let known: Vec<&str> = self.cluster_names().collect();
        let mut monitors = Vec::new();
        let mut problems = Vec::new();
        for layer in &self.monitors {
            match layer.finish(&known) {
                Ok(monitor) => monitors.push(monitor),
                Err(mut more) => problems.append(&mut more),
            }
        }
        (monitors, problems)
    }

    /// What is asked of a Prometheus: the metrics of the files, then those that come with the program.
    pub fn metrics(&self) -> Vec<Template> {
        super::metrics::with_shipped(self.metrics.clone())
    }
}

#[cfg(test)]
mod tests;
