//! Who asks, and what they may do.

use super::answer::Refusal;

/// What proves who asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    pub(super) authorization: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) csrf: Option<String>,
}

/// The secrets of this server.
#[derive(Clone, Debug)]
pub(super) struct Secrets {
    pub(super) password: String,
    pub(super) admin: String,
    pub(super) audit: String,
}

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Everything.
    Admin,
    /// Sees everything.
    Audit,
    /// Sees datastores and backups, and nothing else.
    DatastoreAudit,
    /// Nothing.
    None,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) role: Role,
}

impl User {
    /// Whether a privilege is given on what a path names.
    pub(super) fn may(&self, privilege: &str) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Audit => matches!(privilege, "Datastore.Audit" | "Sys.Audit"),
            Role::DatastoreAudit => privilege == "Datastore.Audit",
            Role::None => false,
        }
    }
}

/// Users with their passwords, and their tokens.
const USERS: [&str; 2] = ["admin@pbs", "auditor@pbs"];
const TOKENS: [(&str, Role); 4] = [
    ("admin@pbs!demo", Role::Admin),
    ("auditor@pbs!demo", Role::Audit),
    ("admin@pbs!stores", Role::DatastoreAudit),
    ("admin@pbs!nothing", Role::None),
];

impl Secrets {
    fn of(&self, token: &str) -> &str {
        if token == "admin@pbs!demo" {
            &self.admin
        } else {
            &self.audit
        }
    }

    fn ticket(&self, user: &str) -> String {
        // Where the real one is signed, this one holds what nobody else knows.
        format!("PBS:{user}:{}::{}", "6B0135DE", self.admin)
    }

    /// Ticket and CSRF token of a user.
    pub(super) fn sign_in(&self, user: &str, password: &str) -> Option<(String, String)> {
        let known = USERS.contains(&user) && password == self.password;
        known.then(|| (self.ticket(user), format!("6B0135DE:{}", self.audit)))
    }

    /// Who asks.
    pub(super) fn check(&self, given: &Credentials, verb: &str) -> Result<User, Refusal> {
        if let Some(ticket) = &given.cookie {
            let user = USERS.into_iter().find(|user| self.ticket(user) == *ticket);
            let user = user.ok_or_else(|| Refusal::stranger("invalid ticket"))?;
            if verb != "GET" {
                let csrf = given.csrf.as_deref();
                let csrf = csrf.ok_or_else(|| Refusal::stranger("missing CSRF prevention token"))?;
                if csrf != format!("6B0135DE:{}", self.audit) {
                    return Err(Refusal::stranger("invalid CSRF prevention token"));
                }
            }
            let role = if user == "admin@pbs" {
                Role::Admin
            } else {
                Role::Audit
            };
            let name = user.to_owned();
            return Ok(User { name, role });
        }
        let token = given
            .authorization
            .as_deref()
            .and_then(|header| header.strip_prefix("PBSAPIToken"))
            .and_then(|header| header.strip_prefix(['=', ' ']))
            .ok_or_else(|| Refusal::stranger("no authentication credentials provided."))?;
        let (id, secret) = token.split_once(':').unwrap_or((token, ""));
        let Some((user, name)) = id.split_once('!') else {
            return Err(Refusal::stranger("not a valid user id"));
        };
        if !user.contains('@') {
            return Err(Refusal::stranger("not a valid user id"));
        }
        if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            return Err(Refusal::stranger("invalid token name"));
        }
        let known = TOKENS.into_iter().find(|(known, _)| *known == id);
        let (_, role) =
            known.ok_or_else(|| Refusal::stranger("user account or token disabled or expired."))?;
        if secret != self.of(id) {
            return Err(Refusal::stranger("invalid credentials"));
        }
        let name = id.to_owned();
        Ok(User { name, role })
    }
}
