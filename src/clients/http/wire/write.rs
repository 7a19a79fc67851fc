//! A write on its way: sent once, and what is known when no answer comes.

use std::sync::atomic::Ordering;

use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{
        CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{Failed, Wire, all_of, proven, secret};
use crate::{
    clients::{
        Error,
        http::{Address, Answer, Message, Proof},
    },
    domain::Method as Verb,
};

/// The header that the server demands of tickets with everything but GET.
const CSRF_HEADER: &str = "CSRFPreventionToken";

/// Why a write got no answer, and whether it may have arrived all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lost {
    /// No connection came about: nothing was sent.
    Unsent(Error),
    /// It was sent, or may have been: the server may have acted.
    Perhaps(Error),
}

impl Wire {
    pub(in crate::clients::http) async fn write(
        &self,
        message: &Message,
        proof: &Proof,
        csrf: Option<&SecretString>,
    ) -> Result<Answer, Lost> {
        // The semaphore is never closed: a permit always comes.
        let _lane = self.lanes.acquire().await.ok();
        let mut refused = Vec::new();
        for index in self.addresses.order(Instant::now()) {
            let address = self.addresses.get(index);
            let request = self
                .write_request(address, message, proof, csrf)
                .map_err(Lost::Unsent)?;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let started = Instant::now();
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    // Only while connecting is it certain that nothing was sent.
                    let connecting = error.is_connect();
                    match self.failed(address, &error) {
                        Failed::Connect(error) => {
                            self.addresses.failed(index, Instant::now());
                            refused.push(error);
                            continue;
                        }
                        failed if connecting => return Err(Lost::Unsent(failed.into_error())),
                        failed => return Err(Lost::Perhaps(failed.into_error())),
                    }
                }
            };
            self.read_clock(&response);
            let answer = self.receive(address, response).await.map_err(|failed| {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Lost::Perhaps(failed.into_error())
            })?;
            self.addresses.answered(index);
            tracing::info!(
                %address,
                call = %message.shown,
                status = answer.status,
                ms = started.elapsed().as_millis() as u64,
                "write"
            );
            return Ok(answer);
        }
        Err(Lost::Unsent(all_of(refused)))
    }

    /// GET of a WebSocket at one address: 101 with the connection behind it, or what the server answered instead. It is
    /// not repeated.
    pub(in crate::clients::http) async fn upgrade(
        &self,
        address: &Address,
        target: &str,
        proof: &Proof,
        key: &str,
    ) -> Result<Result<Response, Answer>, Error> {
        let request = proven(self.http.get(address.join(target)?), address, proof)?
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_PROTOCOL, "binary")
            .header(SEC_WEBSOCKET_KEY, key);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let sent = request.send().await;
        let response = sent.map_err(|error| self.failed(address, &error).into_error())?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Ok(response));
        }
        let received = self.receive(address, response).await;
        received.map(Err).map_err(Failed::into_error)
    }

    fn write_request(
        &self,
        address: &Address,
        message: &Message,
        proof: &Proof,
        csrf: Option<&SecretString>,
    ) -> Result<RequestBuilder, Error> {
        let method = match message.verb {
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let mut request = proven(
            self.http.request(method, address.join(&message.target)?),
            address,
            proof,
        )?;
        if let Some(csrf) = csrf {
            request = request.header(CSRF_HEADER, secret(csrf.expose_secret())?);
        }
        if let Some((kind, body)) = &message.body {
            request = request.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        Ok(request)
    }
}

impl Failed {
    fn into_error(self) -> Error {
        match self {
            Self::Connect(error) | Self::Cut(error) | Self::Late(error) | Self::Final(error) => error,
        }
    }
}
