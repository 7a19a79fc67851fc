//! Flags and environment over the files: which clusters and Backup Servers are connected to, and as whom.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::{
    ServerKind, Settings, Token,
    cluster::{ClusterSettings, Layer},
    problem::{Problem, Problems, advice},
};
use crate::domain::{ClusterId, Endpoint, Fingerprint, endpoint::DEFAULT_PORT};

/// A value from outside the files, and what brought it.
#[derive(Clone, Debug)]
pub struct Given<T> {
    /// The flag or variable, for complaints.
    pub by: &'static str,
    /// What it says.
    pub value: T,
}

/// What flags and environment say about the connection.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Only this cluster or Backup Server of the files.
    pub cluster: Option<String>,
    /// Not one of the files but this address.
    pub url: Option<Given<String>>,
    /// The token.
    pub token: Option<Given<SecretString>>,
    /// Trusted certificates.
    pub ca_file: Option<Given<PathBuf>>,
    /// The trusted certificate.
    pub fingerprint: Option<Given<String>>,
    /// Nothing that writes is sent.
    pub read_only: bool,
    /// Not the Backup Servers of the files but this one: its address, token and trust.
    pub backup_server: Option<Box<Overrides>>,
}

impl Overrides {
    /// Fills in from the environment what no flag has said. Variables with an address describe one connection:
    /// they are left aside as a whole when a flag names a cluster of the files.
    pub fn fill_from(&mut self, var: impl Fn(&str) -> Option<String>) {
        if self.cluster.is_none() && self.backup_server.is_none() {
            self.backup_server = Self::backup_server(&var).map(Box::new);
        }
        let given = |by: &'static str| {
            var(by)
                .filter(|value| !value.trim().is_empty())
                .map(|value| Given { by, value })
        };
        let url = given("PVEDECK_URL");
        if self.cluster.is_some() && url.is_some() {
            // They say how to reach something else: its token must not be sent to the named cluster.
            return;
        }
        if self.token.is_none() {
            self.token = given("PVEDECK_TOKEN").map(|Given { by, value }| Given {
                by,
                value: SecretString::from(value),
            });
        }
        self.url = self.url.take().or(url);
        if self.ca_file.is_none() && self.fingerprint.is_none() {
            self.fingerprint = given("PVEDECK_FINGERPRINT");
            self.ca_file = given("PVEDECK_CA_FILE").map(|Given { by, value }| Given {
                by,
                value: PathBuf::from(value),
            });
        }
    }
}

impl Overrides {
    /// The Backup Server that the environment names.
    fn backup_server(var: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        let given = |by: &'static str| {
            var(by)
                .filter(|value| !value.trim().is_empty())
                .map(|value| Given { by, value })
        };
        Some(Self {
            url: Some(given("PVEDECK_PBS_URL")?),
            token: given("PVEDECK_PBS_TOKEN").map(|Given { by, value }| Given {
                by,
                value: SecretString::from(value),
            }),
            ca_file: given("PVEDECK_PBS_CA_FILE").map(|Given { by, value }| Given {
                by,
                value: PathBuf::from(value),
            }),
            fingerprint: given("PVEDECK_PBS_FINGERPRINT"),
            ..Self::default()
        })
    }
}

impl Settings {
    /// The Backup Servers to connect to, with their secrets read.
    ///
    /// # Errors
    /// Something is missing or contradictory, or a secret cannot be read.
    pub fn backup_servers(&self, overrides: &Overrides) -> Result<Vec<ClusterSettings>, Problems> {
        let kind = ServerKind::BackupServer;
        if let Some(one) = &overrides.backup_server {
            let chosen = one.url.as_ref().map(|url| anew(kind, url, one)).transpose()?;
            return finish(chosen.into_iter().collect(), one, overrides.read_only);
        }
        if overrides.cluster.is_none() && overrides.url.is_some() {
            return Ok(Vec::new());
        }
        let none = Overrides::default();
        let (chosen, given) = match self.named(kind, overrides)? {
            Some(chosen) => (chosen, overrides),
            // What flags say besides is for a cluster.
            None => (self.servers.clone(), &none),
        };
        finish(chosen, given, overrides.read_only)
    }

    /// The clusters to connect to, with their secrets read. None if nothing is configured: then a node's own
    /// root signs in by itself, and anybody else has to say where to go.
    ///
    /// # Errors
    /// Something is missing or contradictory, or a secret cannot be read.
    pub fn clusters(&self, overrides: &Overrides) -> Result<Vec<ClusterSettings>, Problems> {
        let chosen = match (self.named(ServerKind::Cluster, overrides)?, &overrides.url) {
            (Some(chosen), _) if chosen.is_empty() => return Ok(Vec::new()),
            (Some(chosen), _) => chosen,
            (None, Some(url)) => vec![anew(ServerKind::Cluster, url, overrides)?],
            (None, None) => self.layers.clone(),
        };
        if let [_, _, ..] = chosen[..] {
            let by = [
                overrides.token.as_ref().map(|given| given.by),
                overrides.fingerprint.as_ref().map(|given| given.by),
                overrides.ca_file.as_ref().map(|given| given.by),
            ];
            if let Some(by) = by.into_iter().flatten().next() {
                let names: Vec<&str> = self.cluster_names().collect();
                let message = format!(
                    "is for one cluster; choose it with --cluster: {}",
                    names.join(", ")
                );
                return Err(Problem::whole(by, message).into());
            }
        }
        if chosen.is_empty()
            && let Some(token) = &overrides.token
        {
            return Err(
                Problem::whole(token.by, "is set, but no address; add --url https://host:8006").into(),
            );
        }
        finish(chosen, overrides, overrides.read_only)
    }

    /// What `--cluster` chooses; empty if it is of the other kind, `None` if there is no such flag.
    fn named(&self, kind: ServerKind, overrides: &Overrides) -> Result<Option<Chosen>, Problems> {
        let Some(name) = &overrides.cluster else {
            return Ok(None);
        };
        let (mine, others) = match kind {
            ServerKind::Cluster => (&self.layers, &self.servers),
            ServerKind::BackupServer => (&self.servers, &self.layers),
        };
        let find = |layers: &Chosen| layers.iter().find(|(known, _)| known == name).cloned();
        let Some((name, mut layer)) = find(mine) else {
            if find(others).is_some() {
                return Ok(Some(Vec::new()));
            }
            let message = if self.has_clusters() || !self.servers.is_empty() {
                let known = self.cluster_names().chain(self.backup_server_names());
                format!("there is no cluster `{name}`: {}", advice(name, known))
            } else {
                format!("there is no cluster `{name}`: none is configured; run: pvedeck login")
            };
            return Err(Problem::whole("--cluster", message).into());
        };
        if let Some(url) = &overrides.url {
            layer.set_endpoint(endpoint(kind, url)?);
        }
        Ok(Some(vec![(name, layer)]))
    }
}

/// Names and what the files say of them.
type Chosen = Vec<(String, Layer)>;

/// A server that no file names.
fn anew(kind: ServerKind, url: &Given<String>, given: &Overrides) -> Result<(String, Layer), Problems> {
    let endpoint = endpoint(kind, url)?;
    if given.token.is_none() {
        let variable = match kind {
            ServerKind::Cluster => "PVEDECK_TOKEN",
            ServerKind::BackupServer => "PVEDECK_PBS_TOKEN",
        };
        let message = format!(
            "no sign-in for {endpoint}; set {variable} to user@realm!name=secret, or run: pvedeck login"
        );
        return Err(Problem::whole(url.by, message).into());
    }
    let mut layer = Layer::of(kind);
    // Two servers on one host are not the same cluster.
    let name = match endpoint.port {
        DEFAULT_PORT => endpoint.host.clone(),
        port => format!("{}:{port}", endpoint.host),
    };
    layer.set_endpoint(endpoint);
    Ok((name, layer))
}

fn endpoint(kind: ServerKind, url: &Given<String>) -> Result<Endpoint, Problem> {
    Endpoint::parse(&url.value, kind.default_port()).map_err(|error| Problem::whole(url.by, error))
}

/// Puts token and trust in place, and reads the secrets.
fn finish(chosen: Chosen, given: &Overrides, read_only: bool) -> Result<Vec<ClusterSettings>, Problems> {
    let token = given.token.as_ref().map(parse_token).transpose()?;
    let fingerprint = given.fingerprint.as_ref().map(parse::<Fingerprint>).transpose()?;
    let ca_file = given.ca_file.as_ref().map(|given| given.value.clone());
    let mut servers = Vec::new();
    let mut problems = Vec::new();
    for (name, mut layer) in chosen {
        if let Some(token) = &token {
            layer.set_token(token.clone());
        }
        layer.set_trust(ca_file.clone(), fingerprint);
        match layer.finish(ClusterId::from(name.as_str()), read_only) {
            Ok(server) => servers.push(server),
            Err(mut more) => problems.append(&mut more),
        }
    }
    if problems.is_empty() {
        Ok(servers)
    } else {
        Err(Problems(problems))
    }
}

fn parse<T: std::str::FromStr<Err = String>>(given: &Given<String>) -> Result<T, Problem> {
    given
        .value
        .parse()
        .map_err(|error: String| Problem::whole(given.by, error))
}

fn parse_token(given: &Given<SecretString>) -> Result<Token, Problem> {
    Token::parse(given.value.expose_secret()).map_err(|error| Problem::whole(given.by, error))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::home, *};
    use crate::settings::SignIn;

    const TWO: &str = "[clusters.prod]\nurl = \"prod\"\ntoken_command = [\"echo\"]\nfingerprint = \"\
        0000000000000000000000000000000000000000000000000000000000000000\"\n\
        [clusters.lab]\nurl = \"lab\"\ntoken_command = [\"echo\"]";

    fn environment(overrides: &mut Overrides, vars: &[(&str, &str)]) {
        overrides.fill_from(|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        });
    }

    fn flag<T>(by: &'static str, value: T) -> Given<T> {
        Given { by, value }
    }

    fn clusters(text: &str, overrides: &Overrides) -> Result<Vec<ClusterSettings>, String> {
        let (_dir, places) = home(&[("user/config.toml", text, 0o600)]);
        let settings = Settings::load(&places, None).unwrap();
        settings.clusters(overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_needs_no_file() {
        let mut overrides = Overrides {
            url: Some(flag("--url", "https://pve1:8006".to_owned())),
            fingerprint: Some(flag("--fingerprint", "ab".repeat(32))),
            ..Overrides::default()
        };
        environment(
            &mut overrides,
            &[("PVEDECK_TOKEN", "me@pve!x=hidden"), ("PVEDECK_CA_FILE", "/ca")],
        );
        let found = clusters(TWO, &overrides).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id.as_str(), "pve1");
        assert!(!found[0].fingerprints.is_empty());
        assert!(
            found[0].ca_file.is_none(),
            "trust of the command line is not widened by the environment"
        );
        assert!(
            matches!(&found[0].sign_in, SignIn::Token(token) if token.secret.expose_secret() == "hidden")
        );
    }

    #[test]
    fn the_environment_alone_is_a_connection() {
        let mut overrides = Overrides::default();
        let vars = [
            ("PVEDECK_TOKEN", "me@pve!x=y"),
            ("PVEDECK_URL", "pve1"),
            ("PVEDECK_CA_FILE", "/ca"),
        ];
        environment(&mut overrides, &vars);
        let found = clusters("", &overrides).unwrap();
        assert_eq!(found[0].ca_file, Some(PathBuf::from("/ca")));
        environment(&mut overrides, &[("PVEDECK_URL", " ")]);
        assert_eq!(clusters("", &overrides).unwrap()[0].endpoints[0].host, "pve1");
    }

    #[test]
    fn a_token_for_another_address_is_never_sent_to_a_named_cluster() {
        let vars = [("PVEDECK_TOKEN", "me@pve!x=y"), ("PVEDECK_URL", "other")];
        let mut overrides = Overrides {
            cluster: Some("prod".to_owned()),
            ..Overrides::default()
        };
        environment(&mut overrides, &vars);
        let found = clusters(TWO, &overrides).unwrap();
        assert!(matches!(&found[0].sign_in, SignIn::TokenCommand(_)));
        assert_eq!(found[0].endpoints[0].host, "prod");
    }

    #[test]
    fn a_ca_on_the_command_line_replaces_the_pin_of_the_file() {
        let overrides = Overrides {
            cluster: Some("prod".to_owned()),
            ca_file: Some(flag("--ca-file", PathBuf::from("/ca"))),
            read_only: true,
            ..Overrides::default()
        };
        let found = clusters(TWO, &overrides).unwrap();
        assert!(found[0].fingerprints.is_empty() && found[0].ca_file.is_some() && found[0].read_only);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let secret = |text: &str| {
            Some(Given {
                by: "PVEDECK_TOKEN",
                value: SecretString::from(text),
            })
        };
        for (overrides, said) in [
            (
                Overrides {
                    cluster: Some("prd".to_owned()),
                    ..Overrides::default()
                },
                "--cluster: there is no cluster `prd`: did you mean `prod`?",
            ),
            (
                Overrides {
                    token: secret("me@pve!x=hidden"),
                    ..Overrides::default()
                },
                "PVEDECK_TOKEN: is for one cluster; choose it with --cluster: prod, lab",
            ),
            (
                Overrides {
                    url: Some(flag("--url", "x".to_owned())),
                    ..Overrides::default()
                },
                "--url: no sign-in for https://x:8006; set PVEDECK_TOKEN",
            ),
            (
                Overrides {
                    url: Some(flag("--url", "http://x".to_owned())),
                    ..Overrides::default()
                },
                "--url: plain http is not possible",
            ),
            (
                Overrides {
                    url: Some(flag("--url", "x".to_owned())),
                    token: secret("hidden"),
                    ..Overrides::default()
                },
                "PVEDECK_TOKEN: there is no `=` in it",
            ),
            (
                Overrides {
                    url: Some(flag("--url", "x".to_owned())),
                    token: secret("me@pve!x=hidden"),
                    fingerprint: Some(flag("--fingerprint", "zz".to_owned())),
                    ..Overrides::default()
                },
                "--fingerprint: a fingerprint has hexadecimal digits",
            ),
        ] {
            let error = clusters(TWO, &overrides).unwrap_err();
            assert!(error.starts_with(said), "{error}");
            assert!(!error.contains("hidden"));
        }
        let alone = Overrides {
            token: secret("me@pve!x=y"),
            ..Overrides::default()
        };
        assert!(clusters("", &alone).unwrap_err().contains("no address"));
    }
}
