//! A small TLS server that gives recorded answers, counts what it was asked, and misbehaves on order.
//!
//! It writes HTTP by hand: reason phrases, lengths that lie and connections that break are the point.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    thread::JoinHandle,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use super::{
    identity::Identity,
    recording::{Answer, Recording},
};

/// How the server misbehaves on a path.
#[derive(Clone)]
pub enum Fault {
    /// Closes the connection instead of answering.
    Close,
    /// Promises the whole body, sends this many bytes of it, and closes.
    Truncated(usize),
    /// Answers only once the gate is open.
    Held(Gate),
    /// Gives this answer instead.
    Instead(Answer),
}

impl Fault {
    /// What another web server on that port would say.
    pub fn html() -> Self {
        Self::Instead(Answer::new(
            200,
            "OK",
            "text/html",
            b"<!DOCTYPE html>\n<html><body><h1>It works!</h1></body></html>\n",
        ))
    }
}

/// Holds answers back until it is opened.
#[derive(Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    pub fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        let mut opened = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = opened.wait_for(|open| *open).await;
    }
}

struct State {
    recording: Recording,
    /// Path below `/api2/json`, or `*` for all; the first that fits counts.
    faults: Vec<(String, Fault)>,
    /// Requests by method and path with its query.
    requests: BTreeMap<(String, String), usize>,
    /// The `Authorization` header that is let in; `None` lets everybody in.
    authorization: Option<String>,
    identity: Identity,
    /// Connections made before the last `end_connections` are not answered any more, even where their end has not
    /// yet been noticed.
    epoch: u32,
}

/// The running server; it ends when it is dropped.
pub struct Replay {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// The state's epoch as a signal; `None` when the server ends.
    epoch: watch::Sender<Option<u32>>,
    thread: Option<JoinHandle<()>>,
    folder: tempfile::TempDir,
}

impl Replay {
    /// Serves a recording on a free port of the loopback.
    pub fn start(recording: Recording) -> Self {
        let state = Arc::new(Mutex::new(State {
            recording,
            faults: Vec::new(),
            requests: BTreeMap::new(),
            authorization: None,
            identity: Identity::new(),
            epoch: 0,
        }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (epoch, ends) = watch::channel(Some(0));
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, shared, ends));
        });
        let replay = Self {
            address,
            state,
            epoch,
            thread: Some(thread),
            folder: tempfile::tempdir().unwrap(),
        };
        replay.write_ca();
        replay
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The PEM file of the authority that signed the server's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// SHA-256 of the certificate that it shows now.
    pub fn fingerprint(&self) -> String {
        self.state().identity.fingerprint.clone()
    }

    /// Shows another certificate of another authority from now on, and ends every connection. The authority's file
    /// stays the old one.
    pub fn change_certificate(&self) {
        let identity = Identity::new();
        self.state().identity = identity;
        self.end_connections();
    }

    /// From now on only this `Authorization` header is let in; all else gets the server's empty 401.
    pub fn demand(&self, authorization: &str) {
        self.state().authorization = Some(authorization.to_owned());
    }

    /// Misbehaves on a path below `/api2/json`, or on all with `*`.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.state().faults.insert(0, (path.to_owned(), fault));
    }

    /// Behaves again.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Gives other answers from now on.
    pub fn replace(&self, recording: Recording) {
        self.state().recording = recording;
    }

    /// Ends every open connection; new ones are served.
    pub fn end_connections(&self) {
        let mut state = self.state();
        state.epoch += 1;
        self.epoch.send_replace(Some(state.epoch));
    }

    /// What was asked so far, by method and path with its query.
    pub fn requests(&self) -> BTreeMap<(String, String), usize> {
        self.state().requests.clone()
    }

    /// How often a path below `/api2/json` was asked for, with whatever query.
    pub fn asked(&self, path: &str) -> usize {
        let requests = self.requests();
        let hits = requests
            .iter()
            .filter(|((_, asked), _)| asked.split('?').next() == Some(path));
        hits.map(|(_, count)| count).sum()
    }

    /// Ends the server; returns the folder with the authority's file, which goes when it is dropped.
    pub fn shut(mut self) -> tempfile::TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn write_ca(&self) {
        let pem = self.state().identity.ca_pem.clone();
        std::fs::write(self.ca_file(), pem).unwrap();
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.epoch.send_replace(None);
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread has already been printed; a second one would abort.
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    state: Arc<Mutex<State>>,
    mut ends: watch::Receiver<Option<u32>>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    while ends.borrow_and_update().is_some() {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, Arc::clone(&state), ends.clone()));
                }
            }
            _ = ends.changed() => {}
        }
    }
}

/// Serves a connection until the client goes, a fault closes it, or the epoch ends.
async fn connection(stream: TcpStream, state: Arc<Mutex<State>>, mut ends: watch::Receiver<Option<u32>>) {
    ends.mark_unchanged();
    // Head and body are two writes: without this each answer would wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let (config, epoch) = {
        let state = state.lock().unwrap();
        (Arc::clone(&state.identity.config), state.epoch)
    };
    let acceptor = TlsAcceptor::from(config);
    // A client that does not trust the certificate goes away here.
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    tokio::select! {
        biased;
        _ = ends.changed() => {}
        _ = exchanges(&mut stream, &state, epoch) => {}
    }
    let _ = stream.shutdown().await;
}

async fn exchanges<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    state: &Mutex<State>,
    epoch: u32,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(stream, &mut buffer).await? {
        let Some((answer, faults)) = state.lock().unwrap().respond(&request, epoch) else {
            return Ok(());
        };
        let mut send = answer.body.len();
        for fault in faults {
            match fault {
                Fault::Close => return Ok(()),
                Fault::Held(gate) => gate.pass().await,
                Fault::Truncated(bytes) => send = send.min(bytes),
                Fault::Instead(_) => {}
            }
        }
        stream.write_all(head_of(&answer).as_bytes()).await?;
        stream.write_all(&answer.body[..send]).await?;
        stream.flush().await?;
        if send < answer.body.len() {
            return Ok(());
        }
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    authorization: Option<String>,
}

impl State {
    /// What to say on a connection of that epoch; `None` ends it.
    fn respond(&mut self, request: &Request, epoch: u32) -> Option<(Answer, Vec<Fault>)> {
        if epoch != self.epoch {
            return None;
        }
        let path = request.path.strip_prefix("/api2/json").unwrap_or(&request.path);
        *self
            .requests
            .entry((request.method.clone(), path.to_owned()))
            .or_default() += 1;
        let plain = path.split('?').next().unwrap_or(path);
        let faults: Vec<Fault> = self
            .faults
            .iter()
            .filter(|(on, _)| on == plain || on == "*")
            .map(|(_, fault)| fault.clone())
            .collect();
        let instead = faults.iter().find_map(|fault| match fault {
            Fault::Instead(answer) => Some(answer.clone()),
            _ => None,
        });
        let admitted = self.authorization.is_none() || self.authorization == request.authorization;
        let answer = if let Some(answer) = instead {
            answer
        } else if !admitted {
            let missing = request.authorization.is_none();
            Answer::unauthorized(if missing {
                "No ticket"
            } else {
                "Authentication failed!"
            })
        } else if request.method == "GET" {
            self.recording
                .answer(path)
                .cloned()
                .unwrap_or_else(|| Answer::not_implemented(&request.method, plain))
        } else {
            Answer::not_implemented(&request.method, plain)
        };
        Some((answer, faults))
    }
}

fn head_of(answer: &Answer) -> String {
    let headers: String = answer
        .headers
        .iter()
        .flat_map(|(name, value)| [name.as_str(), ": ", value, "\r\n"])
        .collect();
    format!(
        "HTTP/1.1 {} {}\r\n{headers}Connection: Keep-Alive\r\nContent-Length: {}\r\n\r\n",
        answer.status,
        answer.reason,
        answer.body.len(),
    )
}

/// The next request of a connection, its body read and dropped; `None` when the client is done.
async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    buffer.drain(..end + length);
    Ok(Some(Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        authorization: headers.get("authorization").cloned(),
    }))
}
