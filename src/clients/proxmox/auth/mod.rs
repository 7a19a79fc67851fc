//! Signing in, in four ways, and staying signed in.
//!
//! What always holds here:
//! - A refused sign-in is not tried again for a while: the server delays each refusal by 3 s, and a console with
//!   twenty feeds must not knock twenty times.
//! - After a 401 there is at most one new sign-in for all requests that met it; never a loop.
//! - Secrets are kept in [`SecretString`] and are in no message.

mod local;
mod ticket;
mod token;
mod totp;

use std::{fmt, sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::{sync::Mutex, time::Instant};

pub use local::{Detection, Local};
pub(in crate::clients) use ticket::{samples, sign_in_sample};
pub use token::{ApiToken, TokenCommand};

use super::{answer, get::Get};
use crate::clients::{
    Error,
    http::{Proof, Reader},
};
use ticket::{Csrf, Ticket};

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An API token.
    Token(ApiToken),
    /// A command that prints an API token.
    TokenCommand(TokenCommand),
    /// User and password, perhaps with a second factor.
    Password(Login),
    /// Root on a node of the cluster signs its own ticket.
    Local(Local),
}

/// User and password.
#[derive(Clone, Debug)]
pub struct Login {
    /// `user@realm`.
    pub user: String,
    /// The password.
    pub password: SecretString,
    /// Where a TOTP code comes from if the server asks for one.
    pub second_factor: SecondFactor,
}

/// Where a TOTP code comes from.
#[derive(Clone)]
pub enum SecondFactor {
    /// There is none.
    None,
    /// It is computed from this secret (base32).
    Secret(SecretString),
    /// Somebody is asked. It may block; `None` is "not now".
    Ask(Arc<dyn Fn() -> Option<SecretString> + Send + Sync>),
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret",
            Self::Ask(_) => "Ask",
        })
    }
}

/// How a product writes tokens, cookies and challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::clients) enum Scheme {
    /// Proxmox VE.
    Ve,
    /// Proxmox Backup Server.
    BackupServer,
}

impl Scheme {
    /// The `Authorization` header of a token. A Backup Server takes no `=` between the halves, only a colon.
    fn token(self, id: &str, secret: &str) -> String {
        match self {
            Self::Ve => format!("PVEAPIToken={id}={secret}"),
            Self::BackupServer => format!("PBSAPIToken={id}:{secret}"),
        }
    }

    /// The name of the cookie that carries a ticket.
    fn cookie(self) -> &'static str {
        match self {
            Self::Ve => "PVEAuthCookie",
            Self::BackupServer => "PBSAuthCookie",
        }
    }

    /// How a ticket begins that only asks for the second factor.
    fn challenge(self) -> &'static str {
        match self {
            Self::Ve => "PVE:!tfa!",
            Self::BackupServer => "PBS:!tfa!",
        }
    }
}

/// How long a refusal holds before the next try.
const REFUSAL_HOLDS: Duration = Duration::from_secs(30);
/// Tickets live 2 hours; they are renewed long before.
const RENEW_AFTER: Duration = Duration::from_secs(60 * 60);
/// An old ticket is used up to here if it cannot be renewed.
const USABLE_FOR: Duration = Duration::from_secs(115 * 60);

/// A sign-in that is kept up.
#[derive(Debug)]
pub(in crate::clients) struct Session {
    scheme: Scheme,
    credential: Credential,
    csrf: Csrf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts sign-ins: whoever met a 401 tells with which one.
    generation: u64,
    current: Option<Current>,
    refusal: Option<(Instant, Error)>,
}

#[derive(Debug)]
struct Current {
    proof: Proof,
    ticket: Option<Ticket>,
    since: Instant,
}

/// A proof to send, and which sign-in it is of.
#[derive(Clone, Debug)]
pub(in crate::clients) struct Ready {
    pub(in crate::clients) proof: Proof,
    /// What a write needs besides; tokens need nothing, and a session that only reads has nothing.
    pub(in crate::clients) csrf: Option<SecretString>,
    generation: u64,
}

impl Session {
    /// A session that only reads: no CSRF token is decoded or made.
    pub(in crate::clients) fn reading(scheme: Scheme, credential: Credential) -> Self {
        Self {
            scheme,
            credential,
            csrf: Csrf::Never,
            state: Mutex::default(),
        }
    }

    /// A session that may write.
    pub(in crate::clients) fn writing(scheme: Scheme, credential: Credential) -> Self {
        Self {
            csrf: Csrf::Keep,
            ..Self::reading(scheme, credential)
        }
    }

    /// Whose session it is, as tasks name it; `None` where a command prints the token.
    pub(in crate::clients) fn user(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(token) => Some(token.id().to_owned()),
            Credential::TokenCommand(_) => None,
            Credential::Password(login) => Some(login.user.clone()),
            Credential::Local(_) => Some("root@pam".to_owned()),
        }
    }

    /// Signs in if that was not done yet or the ticket is getting old.
    pub(in crate::clients) async fn ready(&self, reader: &Reader) -> Result<Ready, Error> {
        let mut state = self.state.lock().await;
        state.check_refusal()?;
        match &state.current {
            None => self.begin(&mut state, reader).await?,
            Some(current) if current.is_old() => {
                if let Err(error) = self.renew(&mut state, reader).await {
                    let usable = state
                        .current
                        .as_ref()
                        .is_some_and(|c| c.since.elapsed() < USABLE_FOR);
                    if !usable || matches!(error, Error::SignIn { .. }) {
                        return Err(error);
                    }
                    tracing::warn!(%error, "the ticket could not be renewed; the old one is used on");
                }
            }
            Some(_) => {}
        }
        state.ready()
    }

    /// After a 401 that `met_by` met: another sign-in, unless somebody was faster.
    pub(in crate::clients) async fn again(
        &self,
        reader: &Reader,
        met_by: &Ready,
        reason: &str,
    ) -> Result<Ready, Error> {
        let mut state = self.state.lock().await;
        state.check_refusal()?;
        if state.generation == met_by.generation {
            if matches!(self.credential, Credential::Token(_)) {
                return Err(state.refuse(answer::refused(format!(
                    "the server refuses the API token: {reason}"
                ))));
            }
            tracing::info!(reason, "the sign-in is no longer accepted; signing in anew");
            state.current = None;
            self.begin(&mut state, reader).await?;
        }
        state.ready()
    }

    /// After a 401 that even a new sign-in met.
    pub(in crate::clients) async fn refused(&self, by: &Ready, reason: &str) -> Error {
        let error = answer::refused(format!("the server refuses a fresh sign-in: {reason}"));
        let mut state = self.state.lock().await;
        if state.generation == by.generation {
            state.refuse(error)
        } else {
            error
        }
    }

    async fn begin(&self, state: &mut State, reader: &Reader) -> Result<(), Error> {
        let signed_in = match &self.credential {
            Credential::Token(token) => Ok((token.proof(self.scheme), None)),
            Credential::TokenCommand(command) => {
                command.run().await.map(|token| (token.proof(self.scheme), None))
            }
            Credential::Password(login) => ticket::sign_in(reader, login, self.scheme, self.csrf)
                .await
                .map(|ticket| (ticket.proof(self.scheme), Some(ticket))),
            Credential::Local(local) => local
                .mint_now(self.csrf)
                .map(|ticket| (ticket.proof(self.scheme), Some(ticket))),
        };
        state.take(signed_in)
    }

    async fn renew(&self, state: &mut State, reader: &Reader) -> Result<(), Error> {
        let ticket = state.current.as_ref().and_then(|current| current.ticket.as_ref());
        if let (Credential::Password(login), Some(ticket)) = (&self.credential, ticket) {
            match ticket::renew(reader, login, ticket, self.csrf).await {
                // The ticket is no longer taken as a password; the password itself may be.
                Err(Error::SignIn { .. }) => {}
                outcome => {
                    return state.take(outcome.map(|ticket| (ticket.proof(self.scheme), Some(ticket))));
                }
            }
        }
        self.begin(state, reader).await
    }
}

/// Reads something in this session; after a 401 once more, signed in anew.
pub(in crate::clients) async fn read<T>(session: &Session, reader: &Reader, get: Get<T>) -> Result<T, Error> {
    let target = get.target();
    let ready = session.ready(reader).await?;
    let mut answer = reader.get(&target, get.lane(), &ready.proof).await?;
    if answer.status == 401 {
        let fresh = session.again(reader, &ready, &answer::message(&answer)).await?;
        answer = reader.get(&target, get.lane(), &fresh.proof).await?;
        if answer.status == 401 {
            return Err(session.refused(&fresh, &answer::message(&answer)).await);
        }
    }
    let address = answer.address.clone();
    let body = answer::body(answer)?;
    get.decode(&body)
        .map_err(|why| answer::malformed(&address, get.path(), &body, &why))
}

impl State {
    fn check_refusal(&mut self) -> Result<(), Error> {
        match &self.refusal {
            Some((since, error)) if since.elapsed() < REFUSAL_HOLDS => Err(error.clone()),
            _ => {
                self.refusal = None;
                Ok(())
            }
        }
    }

    fn refuse(&mut self, error: Error) -> Error {
        self.current = None;
        self.refusal = Some((Instant::now(), error.clone()));
        error
    }

    fn take(&mut self, signed_in: Result<(Proof, Option<Ticket>), Error>) -> Result<(), Error> {
        match signed_in {
            Ok((proof, ticket)) => {
                self.generation += 1;
                self.current = Some(Current {
                    proof,
                    ticket,
                    since: Instant::now(),
                });
                Ok(())
            }
            Err(error @ (Error::SignIn { .. } | Error::Setup { .. })) => Err(self.refuse(error)),
            Err(error) => Err(error),
        }
    }

    fn ready(&self) -> Result<Ready, Error> {
        match &self.current {
            Some(current) => Ok(Ready {
                proof: current.proof.clone(),
                csrf: current.ticket.as_ref().and_then(|ticket| ticket.csrf().cloned()),
                generation: self.generation,
            }),
            None => Err(answer::refused("nobody is signed in".to_owned())),
        }
    }
}

impl Current {
    /// Tokens never grow old.
    fn is_old(&self) -> bool {
        self.ticket.is_some() && self.since.elapsed() >= RENEW_AFTER
    }
}
