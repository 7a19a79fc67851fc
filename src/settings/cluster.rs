//! `[clusters.NAME]` and `[pbs.NAME]`: where a cluster or a Backup Server is, how to sign in and what to trust.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use toml::de::DeTable;

use super::{
    kind::ServerKind,
    problem::Problem,
    reader::{Found, Reader},
    secret,
    token::Token,
};
use crate::domain::{ClusterId, Endpoint, Fingerprint};

/// All keys of a cluster; a Backup Server has the same.
pub(super) const KEYS: &[&str] = &[
    "url",
    "urls",
    "token",
    "token_file",
    "token_command",
    "user",
    "password",
    "password_file",
    "totp_secret_file",
    "ca_file",
    "fingerprint",
    "fingerprints",
    "read_only",
    "timeout",
    "connect_timeout",
];

/// One cluster, standalone host or Backup Server, ready to be connected to.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// What it is.
    pub kind: ServerKind,
    /// What the configuration calls it.
    pub id: ClusterId,
    /// Addresses of its API, the preferred one first. Never empty.
    pub endpoints: Vec<Endpoint>,
    /// How to sign in.
    pub sign_in: SignIn,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The only certificates that are trusted, whoever signed them; empty if that is not so.
    pub fingerprints: Vec<Fingerprint>,
    /// Nothing that writes is ever sent.
    pub read_only: bool,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long it may take to be connected.
    pub connect_timeout: Duration,
}

impl ClusterSettings {
    /// How long an answer may take unless the configuration says otherwise.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
    /// How long it may take to be connected unless the configuration says otherwise.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
}

/// How to sign in. Secrets from files are read already.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// An API token.
    Token(Token),
    /// A program that prints an API token: itself and its arguments.
    TokenCommand(Vec<String>),
    /// User and password.
    Password {
        /// `user@realm`.
        user: String,
        /// The password; `None` if it must be asked for.
        password: Option<SecretString>,
        /// The base32 secret of the second factor, where the user has one.
        totp_secret: Option<SecretString>,
    },
}

/// A value that other places of the configuration may complain about.
pub(super) type At<T> = (T, Problem);

/// What one file says about a cluster; a later file overrides it field by field.
#[derive(Clone, Default)]
pub(super) struct Layer {
    kind: ServerKind,
    endpoints: Option<Vec<Endpoint>>,
    sign_in: Option<Source>,
    ca_file: Option<PathBuf>,
    fingerprints: Option<Vec<Fingerprint>>,
    read_only: Option<bool>,
    timeout: Option<u64>,
    connect_timeout: Option<u64>,
    /// The secrets in this file itself, for which it must be private.
    pub(super) holds_secret: bool,
    /// Where it begins: the order of the clusters, and the place of complaints about the whole.
    pub(super) start: usize,
    missing_url: Option<Problem>,
    missing_sign_in: Option<Problem>,
}

/// A sign-in before files are read.
#[derive(Clone)]
enum Source {
    Token(Token),
    TokenFile(At<PathBuf>),
    TokenCommand(Vec<String>),
    Password {
        user: String,
        password: PasswordSource,
        totp_secret_file: Option<At<PathBuf>>,
    },
}

#[derive(Clone)]
enum PasswordSource {
    Given(SecretString),
    File(At<PathBuf>),
    Prompt,
}

impl Layer {
    /// Nothing is known but what it is.
    pub(super) fn of(kind: ServerKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Reads `[clusters.NAME]` or `[pbs.NAME]`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        home: &Home<'_>,
        kind: ServerKind,
        name: &str,
        table: &DeTable<'_>,
        at: &Range<usize>,
    ) -> Self {
        reader.only(&format!("{}.{name}", kind.section()), table, KEYS);
        let noun = kind.noun();
        Self {
            kind,
            endpoints: endpoints(reader, table, kind),
            sign_in: sign_in(reader, home, &format!("{noun} `{name}`"), table, at),
            ca_file: reader.string(table, "ca_file").map(|found| home.path(&found.value)),
            fingerprints: fingerprints(reader, table),
            read_only: reader.boolean(table, "read_only"),
            timeout: reader.integer(table, "timeout", 1..=600),
            connect_timeout: reader.integer(table, "connect_timeout", 1..=120),
            holds_secret: table.contains_key("token") || table.contains_key("password"),
            start: at.start,
            missing_url: Some(reader.problem(
                at,
                format!(
                    "{noun} `{name}` has no address; add url = \"https://host:{}\"",
                    kind.default_port()
                ),
            )),
            missing_sign_in: Some(reader.problem(
                at,
                format!(
                    "{noun} `{name}` has no sign-in; add `token_file`, `token`, `token_command` or `user`, or run: \
                     pvedeck login"
                ),
            )),
        }
    }

    /// Lets a later layer override this one.
    pub(super) fn overlay(&mut self, later: Self) {
        self.endpoints = later.endpoints.or(self.endpoints.take());
        self.sign_in = later.sign_in.or(self.sign_in.take());
        self.ca_file = later.ca_file.or(self.ca_file.take());
        self.fingerprints = later.fingerprints.or(self.fingerprints.take());
        // What an administrator has made read-only stays so, whatever a user writes.
        self.read_only = match (self.read_only, later.read_only) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (before, after) => after.or(before),
        };
        self.timeout = later.timeout.or(self.timeout);
        self.connect_timeout = later.connect_timeout.or(self.connect_timeout);
        self.missing_url = later.missing_url.or(self.missing_url.take());
        self.missing_sign_in = later.missing_sign_in.or(self.missing_sign_in.take());
    }

    /// Replaces addresses.
    pub(super) fn set_endpoint(&mut self, endpoint: Endpoint) {
        self.endpoints = Some(vec![endpoint]);
    }

    /// Replaces the sign-in by a token.
    pub(super) fn set_token(&mut self, token: Token) {
        self.sign_in = Some(Source::Token(token));
    }

    /// Replaces what is trusted. The two belong together: a pin of the file says nothing about another CA.
    pub(super) fn set_trust(&mut self, ca_file: Option<PathBuf>, fingerprint: Option<Fingerprint>) {
        if ca_file.is_some() || fingerprint.is_some() {
            self.ca_file = ca_file;
            self.fingerprints = fingerprint.map(|fingerprint| vec![fingerprint]);
        }
    }

    /// Checks that nothing is missing and reads the secrets.
    pub(super) fn finish(self, id: ClusterId, read_only: bool) -> Result<ClusterSettings, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.endpoints.is_none() {
            problems.extend(self.missing_url);
        }
        let sign_in = match self.sign_in.map(Source::resolve) {
            None => {
                problems.extend(self.missing_sign_in);
                None
            }
            Some(Err(more)) => {
                problems.extend(more);
                None
            }
            Some(Ok(sign_in)) => Some(sign_in),
        };
        match (self.endpoints, sign_in) {
            (Some(endpoints), Some(sign_in)) if problems.is_empty() => Ok(ClusterSettings {
                kind: self.kind,
                id,
                endpoints,
                sign_in,
                ca_file: self.ca_file,
                fingerprints: self.fingerprints.unwrap_or_default(),
                read_only: read_only || self.read_only.unwrap_or(false),
                timeout: self
                    .timeout
                    .map_or(ClusterSettings::DEFAULT_TIMEOUT, Duration::from_secs),
                connect_timeout: self
                    .connect_timeout
                    .map_or(ClusterSettings::DEFAULT_CONNECT_TIMEOUT, Duration::from_secs),
            }),
            _ => Err(problems),
        }
    }
}

impl Source {
    fn resolve(self) -> Result<SignIn, Vec<Problem>> {
        let read = read_beside;
        match self {
            Self::Token(token) => Ok(SignIn::Token(token)),
            Self::TokenFile(at) => {
                let mut place = at.1.clone();
                let text = read(at).map_err(|problem| vec![problem])?;
                Token::parse(text.expose_secret())
                    .map(SignIn::Token)
                    .map_err(|error| {
                        place.message = format!("the token in the file: {error}");
                        vec![place]
                    })
            }
            Self::TokenCommand(argv) => Ok(SignIn::TokenCommand(argv)),
            Self::Password {
                user,
                password,
                totp_secret_file,
            } => {
                let mut problems = Vec::new();
                let mut keep = |result: Result<SecretString, Problem>| {
                    result.map_err(|problem| problems.push(problem)).ok()
                };
                let password = match password {
                    PasswordSource::Given(password) => Some(password),
                    PasswordSource::File(at) => keep(read(at)),
                    PasswordSource::Prompt => None,
                };
                let totp_secret = totp_secret_file.and_then(|at| keep(read(at)));
                if problems.is_empty() {
                    Ok(SignIn::Password {
                        user,
                        password,
                        totp_secret,
                    })
                } else {
                    Err(problems)
                }
            }
        }
    }
}

/// The secret in a file. The complaint names the place in the configuration and says what is wrong with the file it points
/// to.
pub(super) fn read_beside((path, mut place): At<PathBuf>) -> Result<SecretString, Problem> {
    secret::read_secret(&path).map_err(|problem| {
        place.message = format!("{}: {}", problem.origin, problem.message);
        place
    })
}

fn endpoints(reader: &mut Reader<'_>, table: &DeTable<'_>, kind: ServerKind) -> Option<Vec<Endpoint>> {
    let parse = |text: &str| Endpoint::parse(text, kind.default_port());
    one_or_more(reader, table, ["url", "urls"], "not an address", parse)
}

pub(super) fn fingerprints(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Vec<Fingerprint>> {
    let names = ["fingerprint", "fingerprints"];
    one_or_more(reader, table, names, "not a fingerprint", str::parse)
}

/// The values of `one`, or of the list `more`.
fn one_or_more<T: PartialEq>(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    [one, more]: [&str; 2],
    refusal: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let given = match (table.get(one), table.get(more)) {
        (Some(_), Some(second)) => {
            let message = format!("`{one}` and `{more}` exclude each other; put all of them into `{more}`");
            reader.complain(&second.span(), message);
            return None;
        }
        (Some(_), None) => vec![reader.string(table, one)?],
        (None, Some(_)) => reader.strings(table, more)?.value,
        (None, None) => return None,
    };
    let mut values = Vec::new();
    for Found { value, span } in given {
        match parse(&value) {
            Ok(parsed) if values.contains(&parsed) => reader.complain(&span, "the same is listed twice"),
            Ok(parsed) => values.push(parsed),
            Err(error) => reader.complain(&span, format!("{refusal}: {error}")),
        }
    }
    (!values.is_empty()).then_some(values)
}

fn sign_in(
    reader: &mut Reader<'_>,
    home: &Home<'_>,
    whose: &str,
    table: &DeTable<'_>,
    at: &Range<usize>,
) -> Option<Source> {
    let ways = ["token", "token_file", "token_command", "user"];
    let given: Vec<&str> = ways.into_iter().filter(|key| table.contains_key(*key)).collect();
    if let [first, second, ..] = given[..] {
        let span = table.get(second).map_or_else(|| at.clone(), toml::Spanned::span);
        reader.complain(
            &span,
            format!("`{first}` and `{second}` exclude each other; {whose} has one sign-in"),
        );
        return None;
    }
    for key in ["password", "password_file", "totp_secret_file"] {
        if let Some(value) = table.get(key).filter(|_| !table.contains_key("user")) {
            reader.complain(
                &value.span(),
                format!("`{key}` needs `user`, such as user = \"root@pam\""),
            );
        }
    }
    let mut file = |key: &str| {
        let found = reader.string(table, key)?;
        Some((
            home.path(&found.value),
            reader.problem(&found.span, String::new()),
        ))
    };
    match given.first().copied()? {
        "token_file" => file("token_file").map(Source::TokenFile),
        "token" => {
            let found = reader.string(table, "token")?;
            match Token::parse(&found.value) {
                Ok(token) => Some(Source::Token(token)),
                Err(error) => {
                    reader.complain(&found.span, format!("`token`: {error}"));
                    None
                }
            }
        }
        "token_command" => {
            let found = reader.strings(table, "token_command")?;
            Some(Source::TokenCommand(
                found.value.into_iter().map(|word| word.value).collect(),
            ))
        }
        _ => {
            let totp_secret_file = file("totp_secret_file");
            let password_file = file("password_file");
            let user = reader.string(table, "user")?;
            if !is_user(&user.value) {
                reader.complain(
                    &user.span,
                    "`user` has the form user@realm, such as root@pam or alice@pve",
                );
                return None;
            }
            let password = match (reader.string(table, "password"), password_file) {
                (Some(password), Some(_)) => {
                    reader.complain(
                        &password.span,
                        "`password` and `password_file` exclude each other",
                    );
                    return None;
                }
                (Some(password), None) => PasswordSource::Given(SecretString::from(password.value)),
                (None, Some(file)) => PasswordSource::File(file),
                (None, None) => PasswordSource::Prompt,
            };
            Some(Source::Password {
                user: user.value,
                password,
                totp_secret_file,
            })
        }
    }
}

/// Whether a text has the form `user@realm`. The user part may hold an `@` itself.
pub fn is_user(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(user, realm)| {
        let plain =
            |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
        plain(user) && plain(realm) && !text.contains('!')
    })
}

/// What paths in a file are relative to.
pub(super) struct Home<'a> {
    /// The user's home, for `~/`.
    pub(super) home: Option<&'a Path>,
    /// The directory of the configuration file.
    pub(super) directory: &'a Path,
}

impl Home<'_> {
    pub(super) fn path(&self, written: &str) -> PathBuf {
        match (written.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.directory.join(written),
        }
    }
}
