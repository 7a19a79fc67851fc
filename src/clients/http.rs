//! How requests travel: TLS and pins, addresses and failover, timeouts, retries, counters, and the read-only gate.
//!
//! What always holds here:
//! - TLS is always verified: against the system's CAs, named CA files, or pinned SHA-256 fingerprints of the leaf.
//!   Signatures of the handshake are verified in every case. Only a [`crate::domain::BaseUrl`] can name a server without TLS, and
//!   nothing that proves who we are goes there, unless that server is this machine.
//! - [`Reader`] cannot express a write: it sends GET, and one POST, the sign-in, to one fixed path. [`Writer`] is a type
//!   of its own beside it. A writer gives a reader away, never the other way round: read-only is a matter of which
//!   type a program holds.
//! - Proxies of the environment are ignored: an administrator's `HTTPS_PROXY` must not see, delay or redirect what
//!   goes to a hypervisor. Redirects are not followed, so a credential goes only to the configured addresses.
//! - Only reads are repeated, once, and only where no answer came.

mod address;
mod probe;
mod socket;
mod trust;
mod wire;

use std::{sync::Arc, time::Duration};

pub use address::Address;
pub use probe::{SeenCertificate, probe_certificate};
use secrecy::SecretString;
pub use socket::{Arrival, Asked, Socket};
pub use trust::Trust;
pub(crate) use trust::read_certificates;
pub use wire::{Answer, Lost, ServerClock, Totals};

use super::Error;
use crate::domain::{Call as Write, Method};
use wire::{Call, Wire};

/// How to reach one cluster or server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its addresses; the first that answers is kept until it fails.
    pub addresses: Vec<Address>,
    /// What makes its certificate trusted.
    pub trust: Trust,
    /// For TCP and TLS together.
    pub connect_timeout: Duration,
    /// For a whole request with its answer. Refused sign-ins take the server 3 s: keep it above that.
    pub request_timeout: Duration,
    /// Requests under way at a time.
    pub concurrency: usize,
    /// Longest answer, bytes after decompression.
    pub max_body: usize,
}

impl Options {
    /// The usual limits for these addresses.
    pub fn new(addresses: Vec<Address>, trust: Trust) -> Self {
        Self {
            addresses,
            trust,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            concurrency: 4,
            max_body: 64 << 20,
        }
    }
}

/// What proves who we are. It is sent as a header and never shown.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing.
    None,
    /// The value of the `Authorization` header.
    Authorization(SecretString),
    /// The value of the `Cookie` header.
    Cookie(SecretString),
}

/// Who answers a request: it decides which lane it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Any node by itself.
    Direct,
    /// One certain node, through the one that we asked. When that node hangs, such requests wait for long; one
    /// lane is always kept free of them.
    Proxied,
}

/// Sends reads, and nothing but reads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    wire: Arc<Wire>,
}

impl Reader {
    /// Prepares to send; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is no address or a CA file cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            wire: Arc::new(Wire::new(options)?),
        })
    }

    /// GET of `target`, a path with an optional query, percent-encoded already.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Timeout`], [`Error::Untrusted`] or [`Error::Malformed`]. An answer with an
    /// error status is an answer.
    pub async fn get(&self, target: &str, lane: Lane, proof: &Proof) -> Result<Answer, Error> {
        self.wire.exchange(Call::Get { target, lane, proof }).await
    }

    /// The one POST of a reader: `/api2/json/access/ticket`. It is never repeated.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub async fn sign_in(&self, form: &[(&str, &str)]) -> Result<Answer, Error> {
        self.wire.exchange(Call::SignIn { form }).await
    }

    /// What was sent and received until now.
    pub fn totals(&self) -> Totals {
        self.wire.totals()
    }

    /// The server's clock in its latest answer.
    pub fn server_clock(&self) -> Option<ServerClock> {
        self.wire.server_clock()
    }

    /// The address that answers at present.
    pub fn current_address(&self) -> &Address {
        self.wire.current_address()
    }
}

/// Sends writes. Nothing is ever sent twice. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    wire: Arc<Wire>,
}

impl Writer {
    /// Prepares to send; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is no address or a CA file cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        Ok(Self {
            wire: Arc::new(Wire::new(options)?),
        })
    }

    /// A reader over the same connections.
    pub fn reader(&self) -> Reader {
        Reader {
            wire: self.wire.clone(),
        }
    }

    /// Sends a write once. Another address is tried only where no connection came about.
    ///
    /// # Errors
    /// [`Lost`]: whether it may have arrived. An answer with an error status is an answer.
    pub async fn send(
        &self,
        write: &Write,
        proof: &Proof,
        csrf: Option<&SecretString>,
    ) -> Result<Answer, Lost> {
        self.wire.write(&Message::of(write), proof, csrf).await
    }

    /// Sends a write to a server that is no Proxmox, once.
    ///
    /// # Errors
    /// As [`Writer::send`].
    pub async fn send_message(&self, message: &Message, proof: &Proof) -> Result<Answer, Lost> {
        self.wire.write(message, proof, None).await
    }
}

/// A write as it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The method.
    pub verb: Method,
    /// Path and query, encoded.
    pub target: String,
    /// The kind of the body, and the body.
    body: Option<(&'static str, String)>,
    /// What the log says of it.
    shown: String,
}

impl Message {
    /// A call of a Proxmox API.
    fn of(call: &Write) -> Self {
        Self {
            verb: call.method,
            target: call.target(),
            body: call
                .body()
                .map(|form| ("application/x-www-form-urlencoded", form)),
            shown: call.to_string(),
        }
    }

    /// With a body of JSON.
    pub fn json(verb: Method, target: &str, body: &serde_json::Value) -> Self {
        Self {
            body: Some(("application/json", body.to_string())),
            ..Self::bare(verb, target)
        }
    }

    /// Without a body.
    pub fn bare(verb: Method, target: &str) -> Self {
        Self {
            verb,
            target: target.to_owned(),
            body: None,
            shown: format!("{} {target}", verb.as_str()),
        }
    }

    /// The body.
    pub fn body(&self) -> Option<&str> {
        self.body.as_ref().map(|(_, body)| body.as_str())
    }
}
