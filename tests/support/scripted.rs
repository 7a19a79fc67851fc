//! A TLS server that answers each request as a closure says, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{identity::Identity, recording::Answer};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What comes back.
pub enum Reply {
    /// An answer; the connection stays open.
    Answer(Answer),
    /// These bytes; then the connection ends.
    Bytes(Vec<u8>),
    /// Nothing, while the connection stays open.
    Silence,
}

/// The server; it ends when it is dropped.
pub struct Scripted {
    address: SocketAddr,
    identity: Identity,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Serves on a free port of the loopback. The script sees the request and how many came before it.
    pub async fn start(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", script).await
    }

    /// The same elsewhere than the certificate says.
    pub async fn start_at(
        place: &str,
        script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(place).await.unwrap();
        let address = listener.local_addr().unwrap();
        let identity = Identity::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(Arc::clone(&identity.config));
        let (log, script) = (Arc::clone(&asked), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, log, script) = (acceptor.clone(), Arc::clone(&log), Arc::clone(&script));
                // A client that goes away in the middle is part of what is tested.
                tokio::spawn(async move { serve(stream, acceptor, &log, &*script).await.ok() });
            }
        });
        Self {
            address,
            identity,
            asked,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn fingerprint(&self) -> &str {
        &self.identity.fingerprint
    }

    pub fn ca_pem(&self) -> &str {
        &self.identity.ca_pem
    }

    /// All requests until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of all requests until now.
    pub fn lines(&self) -> Vec<String> {
        self.asked()
            .iter()
            .map(|asked| format!("{} {}", asked.method, asked.path.replace("/api2/json", "")))
            .collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    log: &Mutex<Vec<Asked>>,
    script: &(dyn Fn(&Asked, usize) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let mut asked = parsed(&String::from_utf8_lossy(&buffer[..end]));
        let length: usize = asked.header("content-length").parse().unwrap_or(0);
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        asked.body = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
        buffer.drain(..end + length);
        let reply = {
            let mut log = log.lock().unwrap();
            let reply = script(&asked, log.len());
            log.push(asked);
            reply
        };
        match reply {
            Reply::Answer(answer) => stream.write_all(&bytes(&answer)).await?,
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

fn parsed(head: &str) -> Asked {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: String::new(),
    }
}

/// The answer as it goes over the wire.
pub fn bytes(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "Content-Length: {}\r\n\r\n", answer.body.len()).unwrap();
    [head.as_bytes(), &answer.body].concat()
}
