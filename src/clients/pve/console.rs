//! Consoles: `termproxy` opens one, a WebSocket carries it.
//!
//! What always holds here:
//! - Only an [`Actor`] opens a console: it begins with a POST, and whoever types into it can change everything.
//! - The WebSocket goes to the very node that answered the POST: the port is open there and nowhere else.
//! - What the guest writes is handed on as bytes and is never looked into.

use std::time::Duration;

use serde::Deserialize;

use super::{Actor, Error};
use crate::{
    clients::{
        http::{Arrival, Asked, Lost, Socket},
        proxmox::answer,
    },
    domain::{Console, call::percent_encode},
};

/// How long the server may take to accept the ticket.
const PATIENCE: Duration = Duration::from_secs(15);

/// An open console. Dropping it ends it.
#[derive(Debug)]
pub struct ConsoleStream {
    socket: Socket,
    /// What came behind the `OK`, in the same frame.
    rest: Vec<u8>,
}

/// What a console brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConsoleNews {
    /// Bytes of the terminal.
    Output(Vec<u8>),
    /// It lives.
    Alive,
    /// The other side has ended it.
    Ended,
}

/// The answer to `termproxy`.
#[derive(Deserialize)]
struct Opened {
    user: String,
    ticket: String,
    #[serde(deserialize_with = "port")]
    port: u16,
}

#[derive(Deserialize)]
struct Envelope {
    data: Opened,
}

/// A number, or a text that is one.
fn port<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Text(String),
    }
    match Port::deserialize(deserializer)? {
        Port::Number(number) => Ok(number),
        Port::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

impl Actor {
    /// Opens a console. The guest begins to see what is sent as soon as this returns.
    ///
    /// # Errors
    /// What the server refuses: no privilege, no such guest; or that nothing of the kind answers.
    pub async fn console(&self, console: &Console) -> Result<ConsoleStream, Error> {
        let ready = self.session.ready(&self.writer.reader()).await?;
        let call = console.opening();
        let sent = self.writer.send(&call, &ready.proof, ready.csrf.as_ref()).await;
        let answered = sent.map_err(|lost| match lost {
            Lost::Unsent(error) | Lost::Perhaps(error) => error,
        })?;
        let address = answered.address.clone();
        let body = answer::body(answered)?;
        let opened = opened(&body).ok_or_else(|| Error::Malformed {
            message: format!("{address} answered {} without a port and a ticket", call.path()),
        })?;
        let target = target(console, &opened);
        let mut socket = match self.writer.socket(&address, &target, &ready.proof).await? {
            Asked::Open(socket) => *socket,
            Asked::Answered(answer) => {
                let status = answer.status;
                return Err(answer::body(answer).err().unwrap_or_else(|| Error::Malformed {
                    message: format!("{address} answers {status} where a WebSocket should begin"),
                }));
            }
        };
        let greeting = format!("{}:{}\n", opened.user, opened.ticket);
        socket.send(greeting.as_bytes()).await?;
        let admitted = tokio::time::timeout(PATIENCE, admitted(&mut socket)).await;
        let rest = admitted.map_err(|_| Error::Timeout {
            address: address.to_string(),
            seconds: PATIENCE.as_secs(),
        })??;
        Ok(ConsoleStream { socket, rest })
    }
}

fn opened(body: &[u8]) -> Option<Opened> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    // It becomes the first line of the stream, and a line end in it would make two.
    let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_control());
    Some(envelope.data).filter(|opened| plain(&opened.user) && plain(&opened.ticket))
}

fn target(console: &Console, opened: &Opened) -> String {
    let mut target = format!(
        "/api2/json{}?port={}&vncticket=",
        console.socket_path(),
        opened.port
    );
    percent_encode(&opened.ticket, &mut target);
    target
}

/// Waits for the `OK`; returns what came behind it.
async fn admitted(socket: &mut Socket) -> Result<Vec<u8>, Error> {
    let refused = || Error::NotAvailable {
        message: "the server ended the console before it began: it did not take the ticket that it had given"
            .to_owned(),
    };
    let mut got = Vec::new();
    while got.len() < 2 {
        match socket.next().await? {
            Arrival::Bytes(bytes) => got.extend(bytes),
            Arrival::Pong => {}
            Arrival::End => return Err(refused()),
        }
    }
    if got.starts_with(b"OK") {
        got.drain(..2);
        Ok(got)
    } else {
        Err(refused())
    }
}

impl ConsoleStream {
    /// Waits for what comes next. Giving up waiting loses nothing.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<ConsoleNews, Error> {
        if !self.rest.is_empty() {
            return Ok(ConsoleNews::Output(std::mem::take(&mut self.rest)));
        }
        Ok(match self.socket.next().await? {
            Arrival::Bytes(bytes) => ConsoleNews::Output(bytes),
            Arrival::Pong => ConsoleNews::Alive,
            Arrival::End => ConsoleNews::Ended,
        })
    }

    /// Types these bytes.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.socket.send(&typed(bytes)).await
    }

    /// Tells the size of the terminal.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn resize(&mut self, columns: u16, rows: u16) -> Result<(), Error> {
        self.socket.send(format!("1:{columns}:{rows}:").as_bytes()).await
    }

    /// Keeps the line open, and asks for a sign of life: [`ConsoleNews::Alive`].
    ///
    /// # Errors
    /// The connection broke.
    pub async fn keep_alive(&mut self) -> Result<(), Error> {
        self.socket.send(b"2").await?;
        self.socket.ping().await
    }

    /// Ends it.
    pub async fn close(self) {
        self.socket.close().await;
    }
}

/// `0:LENGTH:DATA`; the length counts bytes.
fn typed(bytes: &[u8]) -> Vec<u8> {
    let mut message = format!("0:{}:", bytes.len()).into_bytes();
    message.extend_from_slice(bytes);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_bytes() {
        assert_eq!(typed("ü\r".as_bytes()), "0:3:ü\r".as_bytes());
        assert_eq!(typed(b""), b"0:0:");
    }

    #[test]
    fn a_port_may_be_a_number_or_a_text() {
        for port in ["5900", "\"5900\""] {
            let body = format!(
                r#"{{"data":{{"user":"a@pam!t","ticket":"A:PVEVNC:1::x+/=","port":{port},"upid":"U"}}}}"#
            );
            let opened = opened(body.as_bytes()).unwrap();
            assert_eq!((opened.port, opened.user.as_str()), (5900, "a@pam!t"));
            assert_eq!(
                target(&Console::Node("pve1".into()), &opened),
                "/api2/json/nodes/pve1/vncwebsocket?port=5900&vncticket=A%3APVEVNC%3A1%3A%3Ax%2B%2F%3D"
            );
        }
    }

    #[test]
    fn an_answer_that_would_break_the_first_line_is_none() {
        for data in [
            r#"{"user":"a\nb","ticket":"t","port":5900}"#,
            r#"{"user":"","ticket":"t","port":5900}"#,
            r#"{"user":"a","ticket":"t","port":"x"}"#,
            r#"{"user":"a","ticket":"t","port":99999}"#,
            "null",
            "[]",
        ] {
            assert!(
                opened(format!(r#"{{"data":{data}}}"#).as_bytes()).is_none(),
                "{data}"
            );
        }
    }
}
