//! What may write: the sender of calls that change a Backup Server.
//!
//! What always holds here: a call is sent once. Where its fate is not known, that is what the error says
//! ([`NotAccepted::Unknown`]), and it is for somebody who can read the world to find out.

use std::sync::Arc;

use super::{Client, Settings};
use crate::{
    clients::{
        Error,
        http::Writer,
        proxmox::{
            accepted::{Accepted, NotAccepted, send},
            auth::{Scheme, Session},
        },
    },
    domain::Call,
};

/// Reads and writes one Backup Server. Cheap to clone. Only where writing is allowed is one made.
#[derive(Clone, Debug)]
pub struct Actor {
    client: Client,
    writer: Writer,
    session: Arc<Session>,
}

impl Actor {
    /// Prepares to act; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Setup`] if what is configured cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let writer = Writer::new(settings.options)?;
        let session = Arc::new(Session::writing(Scheme::BackupServer, settings.credential));
        Ok(Self {
            client: Client::beside(writer.reader(), session.clone()),
            writer,
            session,
        })
    }

    /// Its reading side.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Who acts, as tasks name it; `None` where a command prints the token.
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
