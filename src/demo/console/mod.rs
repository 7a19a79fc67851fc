//! Consoles: the WebSocket, the termproxy behind it, and the simulated shell behind that.
//!
//! As with the real daemon: one client per port, within ten seconds; it sends `user:ticket` and a line end, gets `OK`
//! and then the bytes of the terminal; it sends `0:LENGTH:DATA`, `1:COLUMNS:ROWS:` and, to keep the line open, `2`.

mod commands;
mod frames;
mod keys;
mod proxy;
mod shell;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use self::{
    frames::Frame,
    proxy::{Message, Messages},
    shell::{Entry, Machine, Shell},
};
use super::{
    answer::Data,
    cluster::Shared,
    world::{
        World,
        console::{Claimed, Place},
        guest::Kind,
    },
};

/// What RFC 6455 adds to the key of a client.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const SYSTEM: &str = "Debian GNU/Linux 13";

/// Whether a request asks for a WebSocket, and with which key.
pub(super) fn key(path: &str, headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = text("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let known = text("sec-websocket-version") == Some("13");
    (asked && known && path.ends_with("websocket"))
        .then(|| text("sec-websocket-key").map(str::to_owned))
        .flatten()
}

/// The port that a successful call names.
pub(super) fn port(data: &Data) -> Option<u16> {
    match data {
        Data::Value(value) => value["port"].as_str()?.parse().ok(),
        _ => None,
    }
}

/// Serves a console over a connection that is about to be handed over.
pub(super) fn start(connection: OnUpgrade, claimed: Claimed, shared: Arc<Shared>, stop: CancellationToken) {
    tokio::spawn(async move {
        if let Ok(stream) = connection.await {
            tokio::select! {
                () = stop.cancelled() => {}
                () = claimed.ends.cancelled() => {}
                // A connection that breaks is the client's affair.
                _ = serve(TokioIo::new(stream), &claimed, &shared) => {}
            }
        }
        shared.world().close_console(&claimed.upid);
    });
}

/// 101: from here on it is a WebSocket.
pub(super) fn switching<B: Default>(key: &str, protocol: Option<&HeaderValue>) -> Response<B> {
    let digest = STANDARD.encode(Sha1::digest(format!("{key}{GUID}")));
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    // Base64 is always a header value.
    if let Ok(digest) = HeaderValue::from_str(&digest) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, digest);
    }
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    response
}

/// Speaks with the client until one of the two ends it.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    claimed: &Claimed,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut received = Vec::new();
    let mut messages = Messages::default();
    let mut shell: Option<Shell> = None;
    loop {
        while let Some(frame) = frames::take(&mut received).map_err(std::io::Error::other)? {
            match frame {
                Frame::Data(bytes) => messages.feed(&bytes),
                Frame::Ping(payload) => stream.write_all(&frames::make(10, &payload)).await?,
                Frame::Pong => {}
                Frame::Close => return Ok(()),
            }
        }
        if shell.is_none()
            && let Some(line) = messages.line()
        {
            if !is_admitted(&line, claimed, &shared.world()) {
                return Ok(());
            }
            stream.write_all(&frames::make(2, b"OK")).await?;
            let opened = open(claimed, &shared.world());
            match opened {
                Ok((greeting, opened)) => {
                    stream.write_all(&frames::make(2, greeting.as_bytes())).await?;
                    shell = Some(opened);
                }
                Err(words) => return stream.write_all(&frames::make(2, words.as_bytes())).await,
            }
        }
        let mut flooding = false;
        if let Some(shell) = &mut shell {
            let now = shared.world().seconds();
            while let Some(message) = messages.next() {
                match message {
                    Message::Data(bytes) => shell.input(&bytes, now),
                    Message::Resize(columns, rows) => shell.resize(columns, rows),
                }
            }
            let out = shell.output();
            if !out.is_empty() {
                stream.write_all(&frames::make(2, &out)).await?;
                stream.flush().await?;
            }
            if shell.is_over() {
                return Ok(());
            }
            flooding = shell.is_flooding();
        }
        let mut bytes = [0_u8; 4096];
        let count = if flooding {
            // Whatever has come is looked at; the flood does not wait for it.
            tokio::select! {
                biased;
                count = stream.read(&mut bytes) => count?,
                () = tokio::task::yield_now() => continue,
            }
        } else {
            stream.read(&mut bytes).await?
        };
        if count == 0 {
            return Ok(());
        }
        received.extend_from_slice(&bytes[..count]);
    }
}

fn is_admitted(line: &str, claimed: &Claimed, world: &World) -> bool {
    line.split_once(':').is_some_and(|(user, ticket)| {
        let now = world.seconds();
        world
            .access
            .is_console_ticket(ticket, user, &claimed.path, claimed.port, now)
    })
}

/// What is behind the console, or the words with which it ends at once.
fn open(claimed: &Claimed, world: &World) -> Result<(String, Shell), String> {
    let now = world.seconds();
    let (vmid, serial) = match &claimed.place {
        Place::Shell(name) => {
            let node = world.node(name).filter(|node| node.online && !node.frozen);
            let Some(node) = node else {
                return Err(format!(
                    "ssh: connect to host {name} port 22: No route to host\r\n"
                ));
            };
            let machine = Machine {
                name: name.clone(),
                system: SYSTEM,
                kernel: "6.14.11-4-pve",
                line: "pts/0",
                since: node.since,
            };
            // Only root with a ticket is let in without being asked; a token is asked like anybody.
            let entry = if claimed.who == "root@pam" {
                Entry::Root
            } else {
                Entry::Login
            };
            return Ok((String::new(), Shell::new(machine, entry, now)));
        }
        Place::Guest { vmid, serial } => (*vmid, serial.as_deref()),
    };
    let Some(guest) = world.guests.get(&vmid) else {
        return Err(format!("Configuration file for {vmid} does not exist\r\n"));
    };
    let machine = |line| Machine {
        name: guest.name().to_owned(),
        system: SYSTEM,
        kernel: "6.12.48+deb13-amd64",
        line,
        since: guest.since,
    };
    if guest.kind == Kind::Lxc {
        if !guest.is_running() {
            return Err(format!(
                "lxc-console: {vmid}: container is not running\r\n[EOF - dtach terminating]\r\n"
            ));
        }
        return Ok((String::new(), Shell::new(machine("tty1"), Entry::Getty, now)));
    }
    let has = |key: &str| guest.option(key) == Some("socket");
    let line = match serial {
        Some(wanted) if guest.option(wanted).is_none() => {
            return Err(format!("serial interface '{wanted}' is not configured\r\n"));
        }
        Some(wanted) if !has(wanted) => {
            return Err(format!("wrong serial type on interface '{wanted}'\r\n"));
        }
        Some(wanted) => wanted,
        None => ["serial0", "serial1", "serial2", "serial3"]
            .into_iter()
            .find(|key| has(key))
            .ok_or("unable to find a serial interface\r\n")?,
    };
    if !guest.is_running() {
        return Err(format!("VM {vmid} not running\r\n"));
    }
    let greeting = format!("starting serial terminal on interface {line}\r\n");
    Ok((greeting, Shell::new(machine("ttyS0"), Entry::Serial, now)))
}
