//! A WebSocket over the same connections: the same addresses, the same trust, the same proof.
//!
//! What always holds here: only a [`Writer`] opens one, for whoever types into a console can change everything; what
//! arrives is bytes, and no frame is longer than [`LONGEST`].

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{
    Upgraded,
    header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE},
};
use sha1::{Digest as _, Sha1};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Address, Answer, Proof, Writer};
use crate::clients::Error;

/// The longest frame that is taken, bytes. pveproxy sends up to 128 KiB.
const LONGEST: usize = 1 << 20;
/// What goes into one frame: pveproxy takes up to 128 KiB, whole.
const PIECE: usize = 32 << 10;
/// What RFC 6455 adds to the key of a client.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<Upgraded>,
    address: Address,
}

/// What came of asking for one.
#[derive(Debug)]
pub enum Asked {
    /// It is open.
    Open(Box<Socket>),
    /// The server answered something else; an error, most likely.
    Answered(Answer),
}

/// What arrived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// Bytes.
    Bytes(Vec<u8>),
    /// The other side answered a ping.
    Pong,
    /// The other side has ended it in good order.
    End,
}

impl Writer {
    /// Opens a WebSocket at one certain address: where a port was opened, there it is.
    ///
    /// # Errors
    /// No connection, or the server does not speak WebSocket.
    pub async fn socket(&self, address: &Address, target: &str, proof: &Proof) -> Result<Asked, Error> {
        let key = STANDARD.encode(std::array::from_fn::<u8, 16, _>(|_| fastrand::u8(..)));
        let answered = self.wire.upgrade(address, target, proof, &key).await?;
        let response = match answered {
            Ok(response) => response,
            Err(answer) => return Ok(Asked::Answered(answer)),
        };
        let malformed = |what: &str| Error::Malformed {
            message: format!("{address} does not speak WebSocket as it should ({what})"),
        };
        let headers = response.headers();
        let is = |name, value: &str| {
            headers
                .get(name)
                .and_then(|found| HeaderValue::to_str(found).ok())
                .is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        if !is(UPGRADE, "websocket") || !is(CONNECTION, "upgrade") {
            return Err(malformed("it changes to another protocol"));
        }
        let accept = STANDARD.encode(Sha1::digest(format!("{key}{GUID}")));
        if headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes) != Some(accept.as_bytes()) {
            return Err(malformed("it accepts another key"));
        }
        let stream = response
            .upgrade()
            .await
            .map_err(|error| malformed(&error.to_string()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
        Ok(Asked::Open(Box::new(Socket {
            stream,
            address: address.clone(),
        })))
    }
}

impl Socket {
    /// Sends bytes, in as many frames as it takes.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(PIECE) {
            let message = Message::Binary(piece.to_vec().into());
            self.stream
                .feed(message)
                .await
                .map_err(|error| self.broken(&error))?;
        }
        self.stream.flush().await.map_err(|error| self.broken(&error))
    }

    /// Asks the other side whether it is still there.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn ping(&mut self) -> Result<(), Error> {
        let ping = Message::Ping(tungstenite::Bytes::new());
        self.stream.send(ping).await.map_err(|error| self.broken(&error))
    }

    /// Waits for the next that arrives. Giving up waiting loses nothing.
    ///
    /// # Errors
    /// The connection broke, or what came is no WebSocket.
    pub async fn next(&mut self) -> Result<Arrival, Error> {
        loop {
            return Ok(match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => Arrival::Bytes(bytes.into()),
                Some(Ok(Message::Text(text))) => Arrival::Bytes(text.as_bytes().to_vec()),
                Some(Ok(Message::Pong(_))) => Arrival::Pong,
                // The library has answered it already.
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) | None => Arrival::End,
                // pveproxy ends a console by closing the connection, without the farewell of the protocol.
                Some(Err(error)) if is_end(&error) => Arrival::End,
                Some(Err(error)) => return Err(self.broken(&error)),
            });
        }
    }

    /// Says farewell. What fails now does not matter any more.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }

    fn broken(&self, error: &tungstenite::Error) -> Error {
        let address = &self.address;
        match error {
            tungstenite::Error::Protocol(why) => Error::Malformed {
                message: format!("{address} sent what is no WebSocket frame ({why})"),
            },
            tungstenite::Error::Capacity(why) => Error::Malformed {
                message: format!("{address} sent a frame that is too long ({why})"),
            },
            error => Error::Unreachable {
                address: address.to_string(),
                cause: format!("the connection was cut ({error})"),
            },
        }
    }
}

fn is_end(error: &tungstenite::Error) -> bool {
    use tungstenite::{Error, error::ProtocolError};
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => true,
        Error::Io(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    }
}
