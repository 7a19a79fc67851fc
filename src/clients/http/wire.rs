//! One request on its way: lane, address, answer, retry.

mod write;

pub use write::Lost;

use std::{
    error::Error as StdError,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderValue, LOCATION},
};
use secrecy::ExposeSecret;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Address, Lane, Options, Proof, address::Addresses, trust::Distrust};
use crate::clients::Error;

/// The only path that a reader may POST to. Proxmox VE and Proxmox Backup Server share it.
const SIGN_IN_PATH: &str = "/api2/json/access/ticket";

/// pveproxy closes idle connections after 5 s: drop them before, so that no request meets a closing one.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A 596 that took longer than this was a timeout on the other side: asking again would only take as long again.
const QUICK: Duration = Duration::from_secs(5);

/// All that a reader can send.
pub(super) enum Call<'a> {
    Get {
        target: &'a str,
        lane: Lane,
        proof: &'a Proof,
    },
    SignIn {
        form: &'a [(&'a str, &'a str)],
    },
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status; Proxmox has its own from 595 to 599.
    pub status: u16,
    /// The reason phrase: Proxmox words its errors there.
    pub reason: String,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Whether it says that it is a web page.
    pub html: bool,
    /// Where a redirect points to. It is not followed.
    pub location: Option<String>,
    /// Who answered.
    pub address: Address,
}

/// Counters since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Requests sent, repeated ones each time.
    pub requests: u64,
    /// Bytes of answers' bodies, after decompression.
    pub bytes: u64,
    /// Requests that got no answer.
    pub failures: u64,
}

/// The server's clock, read from the `Date` header of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerClock {
    /// What the server's clock said, whole seconds.
    pub server: Timestamp,
    /// What ours said when the answer was there.
    pub here: Timestamp,
}

impl ServerClock {
    /// Seconds by which the server's clock is ahead of ours; the time on the way counts against it.
    pub fn ahead(&self) -> i64 {
        self.server.as_second() - self.here.as_second()
    }
}

#[derive(Debug)]
pub(super) struct Wire {
    http: Client,
    addresses: Addresses,
    lanes: Semaphore,
    proxied_lanes: Semaphore,
    connect_timeout: Duration,
    request_timeout: Duration,
    max_body: usize,
    requests: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    clock: Mutex<Option<ServerClock>>,
}

/// How one attempt failed: it decides what comes next.
enum Failed {
    /// No connection: nothing was sent, another address may be asked.
    Connect(Error),
    /// The connection broke: a read may be asked again.
    Cut(Error),
    /// No answer in time.
    Late(Error),
    /// Nothing will help.
    Final(Error),
}

impl Wire {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let http = Client::builder()
            .tls_backend_preconfigured(options.trust.tls_config()?)
            .https_only(!options.addresses.iter().any(Address::is_plain))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true)
            .deflate(true)
            .connect_timeout(options.connect_timeout)
            .timeout(options.request_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(options.concurrency.max(1))
            .tcp_nodelay(true)
            .user_agent(concat!("pvedeck/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::Setup {
                message: format!("the HTTP client cannot be set up: {}", chain(&e)),
            })?;
        Ok(Self {
            http,
            addresses: Addresses::new(options.addresses)?,
            lanes: Semaphore::new(options.concurrency.max(1)),
            proxied_lanes: Semaphore::new(options.concurrency.saturating_sub(1).max(1)),
            connect_timeout: options.connect_timeout,
            request_timeout: options.request_timeout,
            max_body: options.max_body,
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            clock: Mutex::new(None),
        })
    }

    pub(super) async fn exchange(&self, call: Call<'_>) -> Result<Answer, Error> {
        let _lane = self.lane(&call).await;
        let repeatable = matches!(call, Call::Get { .. });
        let order = self.addresses.order(Instant::now());
        let mut refused = Vec::new();
        let mut repeated = false;
        let mut turn = 0;
        loop {
            let index = order[turn % order.len()];
            let started = Instant::now();
            let outcome = self.attempt(index, &call).await;
            if outcome.is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            match outcome {
                Ok(answer) if repeatable && !repeated && is_passing(&answer, started.elapsed()) => {}
                Ok(answer) => {
                    self.addresses.answered(index);
                    return Ok(answer);
                }
                Err(Failed::Cut(_)) if repeatable && !repeated => {}
                Err(Failed::Connect(error)) => {
                    self.addresses.failed(index, Instant::now());
                    tracing::debug!(address = %self.addresses.get(index), %error, "no connection");
                    refused.push(error);
                    if refused.len() >= order.len() {
                        return Err(all_of(refused));
                    }
                    turn += 1;
                    continue;
                }
                Err(Failed::Late(error)) => {
                    // It accepts connections and says nothing: ask somebody else first next time.
                    self.addresses.failed(index, Instant::now());
                    if let Some(&next) = order.get(1) {
                        self.addresses.prefer(next);
                    }
                    return Err(error);
                }
                Err(Failed::Cut(error) | Failed::Final(error)) => return Err(error),
            }
            repeated = true;
            turn += 1;
            tokio::time::sleep(Duration::from_millis(fastrand::u64(20..120))).await;
        }
    }

    /// Waits for a free lane. Requests that go on to a certain node leave one lane to all others.
    async fn lane(&self, call: &Call<'_>) -> (Option<SemaphorePermit<'_>>, Option<SemaphorePermit<'_>>) {
        // The semaphores are never closed: a permit always comes.
        let proxied = match call {
            Call::Get {
                lane: Lane::Proxied, ..
            } => self.proxied_lanes.acquire().await.ok(),
            _ => None,
        };
        (proxied, self.lanes.acquire().await.ok())
    }

    async fn attempt(&self, index: usize, call: &Call<'_>) -> Result<Answer, Failed> {
        let address = self.addresses.get(index);
        let request = self.request(address, call).map_err(Failed::Final)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let response = request.send().await.map_err(|e| self.failed(address, &e))?;
        self.read_clock(&response);
        let answer = self.receive(address, response).await?;
        let path = match call {
            Call::Get { target, .. } => target,
            Call::SignIn { .. } => SIGN_IN_PATH,
        };
        tracing::debug!(
            %address,
            path,
            status = answer.status,
            bytes = answer.body.len(),
            ms = started.elapsed().as_millis() as u64,
            "answer"
        );
        Ok(answer)
    }

    fn request(&self, address: &Address, call: &Call<'_>) -> Result<RequestBuilder, Error> {
        match call {
            Call::Get { target, proof, .. } => proven(self.http.get(address.join(target)?), address, proof),
            Call::SignIn { form } => Ok(self.http.post(address.join(SIGN_IN_PATH)?).form(form)),
        }
    }

    async fn receive(&self, address: &Address, mut response: Response) -> Result<Answer, Failed> {
        let too_long = || {
            Failed::Final(Error::Malformed {
                message: format!(
                    "{address} sent an answer of more than {} MiB",
                    self.max_body >> 20
                ),
            })
        };
        let headers = response.headers();
        let text = |name| {
            headers
                .get(name)
                .and_then(|v| HeaderValue::to_str(v).ok())
                .map(str::to_owned)
        };
        let html = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        let location = text(LOCATION);
        let status = response.status();
        let reason = match response.extensions().get::<hyper::ext::ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let mut body = Vec::new();
        if response
            .content_length()
            .is_some_and(|length| length > self.max_body as u64)
        {
            return Err(too_long());
        }
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(address, &e))? {
            self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if body.len() + chunk.len() > self.max_body {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: status.as_u16(),
            reason,
            body,
            html,
            location,
            address: address.clone(),
        })
    }

    fn read_clock(&self, response: &Response) {
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(server) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
            return;
        };
        let clock = ServerClock {
            server: server.timestamp(),
            here: Timestamp::now(),
        };
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    }

    fn failed(&self, address: &Address, error: &reqwest::Error) -> Failed {
        let address = address.to_string();
        if let Some(tls) = find::<rustls::Error>(error) {
            return Failed::Final(tls_failed(address, tls));
        }
        let cause = chain(error);
        if error.is_timeout() && error.is_connect() {
            let cause = format!("no connection within {} s", self.connect_timeout.as_secs());
            return Failed::Connect(Error::Unreachable { address, cause });
        }
        if error.is_timeout() {
            return Failed::Late(Error::Timeout {
                address,
                seconds: self.request_timeout.as_secs(),
            });
        }
        if error.is_connect() {
            return Failed::Connect(Error::Unreachable { address, cause });
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            return Failed::Final(Error::Malformed {
                message: format!("{address} does not speak HTTP ({cause})"),
            });
        }
        Failed::Cut(Error::Unreachable {
            address,
            cause: format!("the connection was cut ({cause})"),
        })
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    pub(super) fn server_clock(&self) -> Option<ServerClock> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn current_address(&self) -> &Address {
        self.addresses.current()
    }
}

/// Answers of a gateway that may be gone the next moment.
fn is_passing(answer: &Answer, took: Duration) -> bool {
    matches!(answer.status, 502..=504 | 596) && took < QUICK
}

/// Why none of the addresses could be reached.
fn all_of(mut refused: Vec<Error>) -> Error {
    if refused.len() == 1 {
        return refused.remove(0);
    }
    let (mut addresses, mut causes) = (Vec::new(), Vec::new());
    for error in refused {
        if let Error::Unreachable { address, cause } = error {
            addresses.push(address);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    Error::Unreachable {
        address: addresses.join(", "),
        cause: causes.join("; "),
    }
}

/// The request with what proves who we are.
fn proven(request: RequestBuilder, address: &Address, proof: &Proof) -> Result<RequestBuilder, Error> {
    if address.is_exposed() && !matches!(proof, Proof::None) {
        return Err(Error::Setup {
            message: format!(
                "{address} is plain http: a secret sent there could be read on the way. Use https"
            ),
        });
    }
    Ok(match proof {
        Proof::None => request,
        Proof::Authorization(value) => request.header(AUTHORIZATION, secret(value.expose_secret())?),
        Proof::Cookie(value) => request.header(COOKIE, secret(value.expose_secret())?),
    })
}

/// A header value that does not show itself in debug output.
fn secret(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Error::Setup {
        message: "the secret holds characters that cannot be sent (line breaks?). Check how it is stored"
            .to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn tls_failed(address: String, error: &rustls::Error) -> Error {
    if let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = error
        && let Some(distrust) = other.0.downcast_ref::<Distrust>()
    {
        let Distrust {
            expected,
            seen,
            reason,
        } = distrust.clone();
        return Error::Untrusted {
            address,
            expected,
            seen,
            reason,
        };
    }
    match error {
        rustls::Error::InvalidMessage(_) => Error::Malformed {
            message: format!("{address} does not speak TLS on this port"),
        },
        error => Error::Unreachable {
            address,
            cause: format!("TLS failed: {error}"),
        },
    }
}

/// The first error of type `T` on the way to the cause. I/O errors hide theirs from `source`.
pub(super) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The innermost cause in words, without the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut last: &dyn StdError = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let text = last.to_string();
    // Some libraries point to their manual, which helps nobody here.
    text.split(": https://").next().unwrap_or(&text).to_owned()
}
