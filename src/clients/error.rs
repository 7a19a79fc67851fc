//! Why a request failed, in types for the program and in one sentence for the person.
//!
//! What always holds here: no secret is part of an error. Text of a server is, and it is foreign.

use std::collections::BTreeMap;

use crate::domain::Fingerprint;

/// A failed request. `Display` gives the cause and the next step in one or two sentences.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// No address answers: refused, no route, unknown name, connection cut.
    #[error("{address} does not answer: {cause}. {}", self.advice())]
    Unreachable {
        /// The address, or all of them.
        address: String,
        /// In the words of the operating system.
        cause: String,
    },
    /// The server that we asked could not reach the node that it should ask (595, 596).
    #[error("the node behind this request is away: {message} ({status}). {}", self.advice())]
    NodeAway {
        /// 595 (no connection) to 599.
        status: u16,
        /// The server's reason phrase.
        message: String,
    },
    /// The connection stands, but the answer did not come in time.
    #[error("{address} did not answer within {seconds} s. {}", self.advice())]
    Timeout {
        /// The address.
        address: String,
        /// The limit that passed.
        seconds: u64,
    },
    /// The certificate is not the trusted one. Nothing was sent.
    #[error("{}. {}", untrusted(.address, .expected, .seen, .reason), self.advice())]
    Untrusted {
        /// The address.
        address: String,
        /// The pinned fingerprints; empty if trust rests on CAs.
        expected: Vec<Fingerprint>,
        /// The fingerprint of the certificate that the server showed.
        seen: Fingerprint,
        /// What is wrong with it.
        reason: String,
    },
    /// The server refused the sign-in, or there was nothing to sign in with.
    #[error("sign-in failed: {message}. {advice}")]
    SignIn {
        /// What was refused.
        message: String,
        /// The next step, which depends on the way of signing in.
        advice: String,
    },
    /// A privilege is missing.
    #[error("not allowed: {message}. {}", self.advice())]
    NotAllowed {
        /// The server's words; they mostly name path and privilege.
        message: String,
    },
    /// The object or the endpoint does not exist: gone, older or newer server, guest agent not running.
    #[error("not available: {message}. {}", self.advice())]
    NotAvailable {
        /// The server's words.
        message: String,
    },
    /// The server refuses a parameter (400).
    #[error("{message}{}. {}", listed(.parameters), self.advice())]
    Parameter {
        /// The server's words.
        message: String,
        /// What it says of each parameter.
        parameters: BTreeMap<String, String>,
    },
    /// The server answered with an error of its own.
    #[error("the server says: {message} ({status}). {}", self.advice())]
    Server {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The answer made no sense: HTML, broken or truncated JSON, no TLS.
    #[error("{message}. {}", self.advice())]
    Malformed {
        /// What came instead.
        message: String,
    },
    /// What was configured cannot be used: an address, a CA file, a key.
    #[error("{message}")]
    Setup {
        /// Cause and next step.
        message: String,
    },
}

impl Error {
    /// The next step.
    pub fn advice(&self) -> &str {
        match self {
            Self::Unreachable { .. } => "Check host name, port and network, and that pveproxy runs there",
            Self::NodeAway { .. } => "Check that node and its network; other nodes still answer",
            Self::Timeout { .. } => "The server may be overloaded; it is asked again later",
            Self::Untrusted { expected, .. } if expected.is_empty() => {
                "Nothing was sent. Run `pvedeck login` to look at the certificate and accept it, or name the file \
                 of its CA"
            }
            Self::Untrusted { .. } => {
                "Nothing was sent. If the certificate was renewed, run `pvedeck login` to accept the new one; if \
                 not, somebody may stand between you and the server"
            }
            Self::SignIn { advice, .. } => advice,
            Self::NotAllowed { .. } => {
                "Ask for that privilege, for example the role PVEAuditor on that path; a privilege-separated token \
                 needs its own permissions"
            }
            Self::NotAvailable { .. } => {
                "The object may be gone or moved, or this server does not know the request"
            }
            Self::Parameter { .. } => "The server may be older or newer than this program knows",
            Self::Server { .. } => "The log of the node (`journalctl -u pvedaemon -u pveproxy`) tells more",
            Self::Malformed { .. } => {
                "Check host and port: the Proxmox VE API is at https://HOST:8006, and no web proxy may change its \
                 answers"
            }
            Self::Setup { .. } => "Correct the configuration",
        }
    }
}

fn untrusted(address: &str, expected: &[Fingerprint], seen: &Fingerprint, reason: &str) -> String {
    match expected {
        [] => format!(
            "the certificate of {address} is not trusted: {reason}; its SHA-256 fingerprint is {seen}"
        ),
        expected => {
            let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            format!(
                "the certificate of {address} is not the trusted one: expected the SHA-256 fingerprint {}, seen {seen}",
                expected.join(" or ")
            )
        }
    }
}

fn listed(parameters: &BTreeMap<String, String>) -> String {
    let list: Vec<String> = parameters
        .iter()
        .map(|(name, what)| format!("{name}: {}", what.trim()))
        .collect();
    if list.is_empty() {
        String::new()
    } else {
        format!(" ({})", list.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_a_sentence_with_a_next_step() {
        let seen = Fingerprint::of(b"seen");
        let errors = [
            Error::Unreachable {
                address: "https://pve1:8006".into(),
                cause: "connection refused".into(),
            },
            Error::NodeAway {
                status: 595,
                message: "No route to host".into(),
            },
            Error::Timeout {
                address: "https://pve1:8006".into(),
                seconds: 30,
            },
            Error::Untrusted {
                address: "https://pve1:8006".into(),
                expected: vec![],
                seen,
                reason: "unknown issuer".into(),
            },
            Error::Untrusted {
                address: "https://pve1:8006".into(),
                expected: vec![Fingerprint::of(b"pinned")],
                seen,
                reason: String::new(),
            },
            Error::NotAllowed {
                message: "Permission check failed (/, Sys.Audit)".into(),
            },
            Error::NotAvailable {
                message: "Method 'GET /x' not implemented".into(),
            },
            Error::Server {
                status: 500,
                message: "got timeout".into(),
            },
            Error::Malformed {
                message: "a web page came instead of JSON".into(),
            },
            Error::Parameter {
                message: "Parameter verification failed.".into(),
                parameters: BTreeMap::from([("foo".to_owned(), "unknown\n".to_owned())]),
            },
        ];
        for error in errors {
            let text = error.to_string();
            assert!(text.ends_with(error.advice()), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_changed_fingerprint_is_told_with_both() {
        let (expected, seen) = (Fingerprint::of(b"a"), Fingerprint::of(b"b"));
        let text = Error::Untrusted {
            address: "x".into(),
            expected: vec![expected],
            seen,
            reason: String::new(),
        }
        .to_string();
        assert!(
            text.contains(&expected.to_string()) && text.contains(&seen.to_string()),
            "{text}"
        );
    }
}
