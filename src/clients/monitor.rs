//! What the clients of Prometheus, Alertmanager and exporters have in common: one server, one proof, and errors in the
//! words of that server.
//!
//! What always holds here: a secret goes out over https, or to this machine itself, and nowhere else.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Error as HttpError,
    http::{Address, Answer, Lane, Lost, Options, Proof, Reader, Trust, Writer},
};
use crate::domain::{BaseUrl, call::percent_encode};

/// How a monitoring server is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub url: BaseUrl,
    /// What makes its certificate trusted; unimportant for http.
    pub trust: Trust,
    /// What proves who we are.
    pub access: Access,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Longest answer, bytes after decompression.
    pub max_body: usize,
}

impl Settings {
    /// The usual limits.
    pub fn new(url: BaseUrl, trust: Trust, access: Access) -> Self {
        Self {
            url,
            trust,
            access,
            timeout: Duration::from_secs(30),
            max_body: 32 << 20,
        }
    }

    pub(super) fn options(&self) -> Options {
        let mut options = Options::new(vec![Address::from(&self.url)], self.trust.clone());
        if self.url.plain {
            // No certificate will be seen; a machine without any CA must not fail for that.
            options.trust = Trust::system();
        }
        options.request_timeout = self.timeout;
        options.connect_timeout = options.connect_timeout.min(self.timeout);
        options.max_body = self.max_body;
        options
    }

    pub(super) fn proof(&self) -> Proof {
        match &self.access {
            Access::Open => Proof::None,
            Access::Bearer(token) => {
                Proof::Authorization(SecretString::from(format!("Bearer {}", token.expose_secret())))
            }
            Access::Basic { user, password } => {
                use base64::Engine as _;
                let both = format!("{user}:{}", password.expose_secret());
                let both = base64::engine::general_purpose::STANDARD.encode(both);
                Proof::Authorization(SecretString::from(format!("Basic {both}")))
            }
        }
    }
}

/// What proves who we are to a monitoring server.
#[derive(Clone, Debug)]
pub enum Access {
    /// Nothing: everybody who reaches it may read.
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

/// Why a monitoring server did not give what was asked for. `Display` gives the cause and the next step.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MonitorError {
    /// No answer: refused, no route, unknown name, connection cut.
    #[error(
        "{service} at {address} does not answer: {cause}. Check the address, the network, and that it runs there"
    )]
    Unreachable {
        /// Which kind of server.
        service: &'static str,
        /// Where.
        address: String,
        /// In the words of the operating system.
        cause: String,
    },
    /// The answer did not come in time.
    #[error(
        "{service} at {address} did not answer within {seconds} s. It may be overloaded, or asked for too much: ask for less, or raise `timeout`"
    )]
    Timeout {
        /// Which kind of server.
        service: &'static str,
        /// Where.
        address: String,
        /// The limit that passed.
        seconds: u64,
    },
    /// The certificate is not the trusted one. Nothing was sent.
    #[error(
        "{message}. Nothing was sent. If the certificate of {service} is the right one, set `ca_file` or `fingerprint` in its section"
    )]
    Untrusted {
        /// Which kind of server.
        service: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// Whoever we say to be may not read there.
    #[error(
        "{service} at {address} refuses us: {message} ({status}). Check `token_file`, or `user` and `password_file`, of its section"
    )]
    Refused {
        /// Which kind of server.
        service: &'static str,
        /// Where.
        address: String,
        /// 401 or 403.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The query is wrong, or too much for the server.
    #[error("{message}. Correct the query")]
    Query {
        /// The server's words.
        message: String,
        /// Line and column of the mistake in the query, both from 1, where the server says so.
        place: Option<(usize, usize)>,
    },
    /// It does not know what it was asked for.
    #[error("{service} at {address} has no {path}. Check the address, and whether it needs a path in it")]
    NotThere {
        /// Which kind of server.
        service: &'static str,
        /// Where.
        address: String,
        /// What was asked for.
        path: String,
    },
    /// It answers with an error of its own.
    #[error("{service} at {address} says: {message} ({status}). Its own log tells more")]
    Server {
        /// Which kind of server.
        service: &'static str,
        /// Where.
        address: String,
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The answer made no sense.
    #[error("{message}. Check that this is the address of {service}")]
    Malformed {
        /// Which kind of server.
        service: &'static str,
        /// What came instead.
        message: String,
    },
    /// What was configured cannot be used.
    #[error("{message}")]
    Setup {
        /// Cause and next step.
        message: String,
    },
}

/// Why a change was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotChanged {
    /// Nothing was changed.
    Refused(MonitorError),
    /// No answer came, or none that says what was done: it may have been.
    Unknown(MonitorError),
}

/// Reads from one server. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Link {
    reader: Reader,
    proof: Proof,
    service: &'static str,
    address: String,
}

impl Link {
    pub(super) fn new(service: &'static str, settings: &Settings) -> Result<Self, MonitorError> {
        let reader = Reader::new(settings.options()).map_err(|error| told(service, error))?;
        Ok(Self::over(reader, service, settings))
    }

    pub(super) fn over(reader: Reader, service: &'static str, settings: &Settings) -> Self {
        Self {
            reader,
            proof: settings.proof(),
            service,
            address: settings.url.to_string(),
        }
    }

    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What comes for a path with its query, whatever its status.
    pub(super) async fn answer(&self, target: &str) -> Result<Answer, MonitorError> {
        self.reader
            .get(target, Lane::Direct, &self.proof)
            .await
            .map_err(|error| told(self.service, error))
    }

    /// The body of a good answer.
    pub(super) async fn body(&self, target: &str) -> Result<Vec<u8>, MonitorError> {
        let answer = self.answer(target).await?;
        if answer.status == 200 && !answer.html {
            return Ok(answer.body);
        }
        Err(self.judged(&answer, target, None))
    }

    /// The error for an answer that is none. `words` are those of the server, if it found better ones than the status.
    pub(super) fn judged(&self, answer: &Answer, target: &str, words: Option<String>) -> MonitorError {
        judged(self.service, &self.address, answer, target, words)
    }

    pub(super) fn malformed(&self, target: &str, why: &dyn std::fmt::Display) -> MonitorError {
        MonitorError::Malformed {
            service: self.service,
            message: format!(
                "{} answered {} in a way that cannot be understood ({why})",
                self.address,
                path(target)
            ),
        }
    }
}

/// Writes to one server, and reads from it.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    writer: Writer,
    link: Link,
}

impl Hand {
    pub(super) fn new(service: &'static str, settings: &Settings) -> Result<Self, MonitorError> {
        let writer = Writer::new(settings.options()).map_err(|error| told(service, error))?;
        let link = Link::over(writer.reader(), service, settings);
        Ok(Self { writer, link })
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// Sends a change, once. The body of a good answer comes back.
    pub(super) async fn send(&self, message: &super::http::Message) -> Result<Vec<u8>, NotChanged> {
        let Link {
            service,
            address,
            proof,
            ..
        } = &self.link;
        match self.writer.send_message(message, proof).await {
            Ok(answer) if (200..300).contains(&answer.status) && !answer.html => Ok(answer.body),
            Ok(answer) => {
                let words = (!answer.html).then(|| words(&answer.body));
                let error = judged(service, address, &answer, &message.target, words);
                // A gateway in between does not know what became of it.
                Err(match answer.status {
                    200..=299 | 502..=504 => NotChanged::Unknown(error),
                    _ => NotChanged::Refused(error),
                })
            }
            Err(Lost::Unsent(error)) => Err(NotChanged::Refused(told(service, error))),
            Err(Lost::Perhaps(error)) => Err(NotChanged::Unknown(told(service, error))),
        }
    }
}

/// The reason in a refusal: a JSON string, an object with a `message`, or plain text.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(serde_json::Value::String(words)) => words,
        Ok(told) => match told.get("message").and_then(serde_json::Value::as_str) {
            Some(words) => words.to_owned(),
            None => text.into_owned(),
        },
        Err(_) => text.into_owned(),
    }
}

fn judged(
    service: &'static str,
    address: &str,
    answer: &Answer,
    target: &str,
    words: Option<String>,
) -> MonitorError {
    let (status, address) = (answer.status, address.to_owned());
    let message = words
        .map(|words| one_line(&words))
        .filter(|words| !words.is_empty())
        .unwrap_or_else(|| match answer.reason.trim() {
            "" => "no reason given".to_owned(),
            reason => reason.to_owned(),
        });
    match status {
        401 | 403 => MonitorError::Refused {
            service,
            address,
            status,
            message,
        },
        404 | 405 | 501 => MonitorError::NotThere {
            service,
            address,
            path: path(target).to_owned(),
        },
        414 | 431 => MonitorError::Query {
            message: format!("the query is too long for {address} or for a proxy in front of it"),
            place: None,
        },
        200..=299 => MonitorError::Malformed {
            service,
            message: format!("{address} answers with a web page, not with data"),
        },
        300..=399 => MonitorError::Malformed {
            service,
            message: format!(
                "{address} sends us elsewhere, to {}",
                answer.location.as_deref().unwrap_or("nowhere")
            ),
        },
        _ => MonitorError::Server {
            service,
            address,
            status,
            message,
        },
    }
}

/// A server's words as part of a sentence of ours: one line of bearable length.
pub(super) fn one_line(words: &str) -> String {
    const LONGEST: usize = 400;
    let mut line: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line.trim_end_matches(['.', '!']).to_owned()
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

fn told(service: &'static str, error: HttpError) -> MonitorError {
    match error {
        HttpError::Unreachable { address, cause } => MonitorError::Unreachable {
            service,
            address,
            cause,
        },
        HttpError::Timeout { address, seconds } => MonitorError::Timeout {
            service,
            address,
            seconds,
        },
        HttpError::Untrusted {
            address,
            expected,
            seen,
            reason,
        } => {
            let message = if expected.is_empty() {
                format!(
                    "the certificate of {address} is not trusted: {reason}; its SHA-256 fingerprint is {seen}"
                )
            } else {
                format!(
                    "the certificate of {address} is not the pinned one; its SHA-256 fingerprint is {seen}"
                )
            };
            MonitorError::Untrusted { service, message }
        }
        HttpError::Malformed { message } => MonitorError::Malformed { service, message },
        other => MonitorError::Setup {
            message: other.to_string(),
        },
    }
}

/// A path with its query, encoded.
pub(super) fn target<'a>(path: &str, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut target = path.to_owned();
    for (index, (name, value)) in query.into_iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        percent_encode(name, &mut target);
        target.push('=');
        percent_encode(value, &mut target);
    }
    target
}
