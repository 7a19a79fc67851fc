//! What may write: the sender of calls that change the world.
//!
//! What always holds here: a call is sent once. Where its fate is not known, that is what the error says
//! ([`NotAccepted::Unknown`]), and it is for somebody who can read the world to find out.

use std::sync::Arc;

use super::{Client, Credential, Error, Local, Settings};
use crate::{
    clients::{
        http::{Options, Writer},
        proxmox::{
            accepted::send,
            auth::{Scheme, Session},
        },
    },
    domain::Call,
};

pub use crate::clients::proxmox::accepted::{Accepted, NotAccepted};

/// Reads and writes one cluster or standalone host. Cheap to clone. Only where writing is allowed is one made.
#[derive(Clone, Debug)]
pub struct Actor {
    client: Client,
    pub(super) writer: Writer,
    pub(super) session: Arc<Session>,
}

impl Actor {
    /// Prepares to act; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Setup`] if what is configured cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let writer = Writer::new(settings.options)?;
        let session = Arc::new(Session::writing(Scheme::Ve, settings.credential));
        Ok(Self {
            client: Client::beside(writer.reader(), session.clone()),
            writer,
            session,
        })
    }

    /// For root on a node: no configuration at all.
    ///
    /// # Errors
    /// [`Error::Setup`] if the node's own certificates cannot be used.
    pub fn local(local: Local) -> Result<Self, Error> {
        Self::new(Settings {
            options: Options::new(local.addresses()?, local.trust()?),
            credential: Credential::Local(local),
        })
    }

    /// Its reading side.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Who acts, as tasks name it: `alice@pam` or `alice@pam!token`; `None` where a command prints the token.
    pub fn user(&self) -> Option<String> {
        self.session.user()
    }

    /// Sends a call, once.
    ///
    /// # Errors
    /// Whether it is certain that nothing was done.
    pub async fn send(&self, call: &Call) -> Result<Accepted, NotAccepted> {
        send(&self.session, &self.writer, call).await
    }
}
