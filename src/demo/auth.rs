//! Users, tokens, tickets: who is calling.
//!
//! A cookie beats a token header. Unknown, disabled and expired users, and wrong secrets, all look the same from
//! outside. Nothing here prints a secret.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};

use super::{acl, answer::Failure};

/// Seconds before and after its making at which the ticket of a console is good.
const CONSOLE_TICKET: std::ops::Range<i64> = -20..40;
/// How long a ticket lives, in seconds.
const TICKET_LIFE: i64 = 7200;

/// A user of the datacentre.
pub(super) struct User {
    pub(super) id: String,
    pub(super) password: String,
    pub(super) enabled: bool,
    /// Seconds since the epoch; 0 is never.
    pub(super) expire: i64,
    pub(super) comment: String,
    /// The key of the one-time passwords, if a second factor is asked for.
    pub(super) totp: Option<Vec<u8>>,
    pub(super) tokens: Vec<Token>,
}

/// An API token of a user.
pub(super) struct Token {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) privsep: bool,
    pub(super) expire: i64,
    pub(super) comment: String,
}

/// Who is calling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) token: Option<String>,
    privsep: bool,
}

impl Identity {
    /// `user@realm` or `user@realm!token`.
    pub(super) fn full(&self) -> String {
        match &self.token {
            Some(token) => format!("{}!{token}", self.user),
            None => self.user.clone(),
        }
    }

    /// Root signed in with a ticket: the only one who may use some options.
    pub(super) fn is_root_ticket(&self) -> bool {
        self.user == "root@pam" && self.token.is_none()
    }
}

/// What a request shows of its sender.
#[derive(Default, Debug)]
pub(super) struct Credentials {
    pub(super) cookie: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) csrf: Option<String>,
}

/// All users, access entries and the keys that sign tickets.
pub(super) struct Access {
    pub(super) users: Vec<User>,
    pub(super) entries: Vec<acl::Entry>,
    key: hmac::Key,
}

impl Access {
    pub(super) fn new(key: &[u8], users: Vec<User>, entries: Vec<acl::Entry>) -> Self {
        Self {
            users,
            entries,
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    fn sign(&self, text: &str) -> String {
        BASE64.encode(hmac::sign(&self.key, text.as_bytes()))
    }

    fn active(&self, id: &str, now: i64) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.id == id && user.enabled && (user.expire == 0 || user.expire > now))
    }

    /// Who sends this? `writes` asks for the CSRF token of a ticket as well.
    pub(super) fn identify(&self, given: &Credentials, writes: bool, now: i64) -> Result<Identity, Failure> {
        let failed = || Failure::no_entry("Authentication failed!");
        if let Some(ticket) = &given.cookie {
            let user = self.verify_ticket(ticket, now).ok_or_else(failed)?;
            if writes
                && !given
                    .csrf
                    .as_ref()
                    .is_some_and(|csrf| self.is_csrf(csrf, &user, now))
            {
                return Err(Failure::no_entry("Permission denied - invalid csrf token"));
            }
            return Ok(Identity {
                user,
                token: None,
                privsep: false,
            });
        }
        let header = given.authorization.as_deref().unwrap_or_default();
        let Some(text) = header.strip_prefix("PVEAPIToken") else {
            return Err(Failure::no_entry("No ticket"));
        };
        let text = text.trim_start_matches(['=', ' ']);
        let (id, secret) = text.rsplit_once('=').ok_or_else(failed)?;
        let (user_id, token_id) = id.split_once('!').ok_or_else(failed)?;
        let user = self.active(user_id, now).ok_or_else(failed)?;
        let token = user
            .tokens
            .iter()
            .find(|token| token.id == token_id && token.secret == secret)
            .filter(|token| token.expire == 0 || token.expire > now)
            .ok_or_else(failed)?;
        Ok(Identity {
            user: user.id.clone(),
            token: Some(token.id.clone()),
            privsep: token.privsep,
        })
    }

    fn ticket(&self, user: &str, now: i64) -> String {
        let plain = format!("PVE:{user}:{now:08X}");
        let signature = self.sign(&plain);
        format!("{plain}::{signature}")
    }

    /// The ticket of one console: it names neither user nor path nor port, but is good only with them.
    pub(super) fn console_ticket(&self, user: &str, path: &str, port: u16, now: i64) -> String {
        let plain = format!("PVEVNC:{now:08X}");
        let signature = self.sign(&format!("{plain}:{user}:{path}:{port}"));
        format!("{plain}::{signature}")
    }

    /// Whether a ticket opens this console for this user now.
    pub(super) fn is_console_ticket(
        &self,
        ticket: &str,
        user: &str,
        path: &str,
        port: u16,
        now: i64,
    ) -> bool {
        let made = ticket
            .strip_prefix("PVEVNC:")
            .and_then(|rest| rest.split(':').next())
            .and_then(|hex| i64::from_str_radix(hex, 16).ok());
        made.is_some_and(|made| {
            self.console_ticket(user, path, port, made) == ticket && CONSOLE_TICKET.contains(&(now - made))
        })
    }

    fn csrf(&self, user: &str, now: i64) -> String {
        let signature = self.sign(&format!("csrf:{now:08X}:{user}"));
        format!("{now:08X}:{signature}")
    }

    fn is_csrf(&self, csrf: &str, user: &str, now: i64) -> bool {
        let Some(made) = csrf
            .split(':')
            .next()
            .and_then(|hex| i64::from_str_radix(hex, 16).ok())
        else {
            return false;
        };
        self.csrf(user, made) == csrf && is_fresh(made, now)
    }

    fn verify_ticket(&self, ticket: &str, now: i64) -> Option<String> {
        let (plain, signature) = ticket.split_once("::")?;
        let mut parts = plain.splitn(2, ':');
        let (kind, rest) = (parts.next()?, parts.next()?);
        let (user, made) = rest.rsplit_once(':')?;
        let made = i64::from_str_radix(made, 16).ok()?;
        let good = kind == "PVE"
            && !user.starts_with('!')
            && self.sign(plain) == signature
            && is_fresh(made, now)
            && self.active(user, now).is_some();
        good.then(|| user.to_owned())
    }

    /// `POST /access/ticket`: by password, by a ticket that is still good, or with a second factor.
    pub(super) fn log_in(
        &self,
        name: &str,
        password: &str,
        challenge: Option<&str>,
        now: i64,
    ) -> Result<Value, Failure> {
        let user = self.active(name, now).ok_or_else(Failure::bad_login)?;
        if let Some(challenge) = challenge {
            let (plain, signature) = challenge.split_once("::").ok_or_else(Failure::bad_login)?;
            let made = plain
                .rsplit(':')
                .next()
                .and_then(|hex| i64::from_str_radix(hex, 16).ok());
            let ours = self.sign(plain) == signature
                && plain.starts_with("PVE:!tfa!")
                && made.is_some_and(|made| is_fresh(made, now))
                && self.challenge(name, made.unwrap_or_default()) == challenge;
            let code = password.strip_prefix("totp:").unwrap_or_default();
            let key = user.totp.as_deref().ok_or_else(Failure::bad_login)?;
            if !ours || ![-1, 0, 1].iter().any(|step| totp(key, now / 30 + step) == code) {
                return Err(Failure::bad_login());
            }
        } else {
            let renewal = self
                .verify_ticket(password, now)
                .is_some_and(|owner| owner == name);
            if !renewal && (user.password.is_empty() || user.password != password) {
                return Err(Failure::bad_login());
            }
            if user.totp.is_some() && !renewal {
                return Ok(json!({
                    "username": name,
                    "ticket": self.challenge(name, now),
                    "CSRFPreventionToken": self.csrf(name, now),
                    "NeedTFA": 1,
                }));
            }
        }
        Ok(json!({
            "username": name,
            "ticket": self.ticket(name, now),
            "CSRFPreventionToken": self.csrf(name, now),
        }))
    }

    /// The half-way ticket that a second factor completes.
    fn challenge(&self, user: &str, made: i64) -> String {
        let plain = format!("PVE:!tfa!%7B%22totp%22%3Atrue%2C%22user%22%3A%22{user}%22%7D:{made:08X}");
        let signature = self.sign(&plain);
        format!("{plain}::{signature}")
    }

    /// What `who` may do on `path`; root may everything unless a separated token of it calls.
    pub(super) fn privileges(&self, who: &Identity, path: &str, pool: Option<&str>) -> acl::Privileges {
        let own = |id: &str| -> acl::Privileges {
            if id == "root@pam" {
                acl::PRIVILEGES.iter().copied().collect()
            } else {
                acl::on_path(&self.entries, id, path, pool)
            }
        };
        let user = own(&who.user);
        if !who.privsep {
            return user;
        }
        let token = own(&who.full());
        token.intersection(&user).copied().collect()
    }
}

fn is_fresh(made: i64, now: i64) -> bool {
    (-300..TICKET_LIFE).contains(&(now - made))
}

/// The one-time password of a 30 s step (RFC 6238, SHA-1, six digits).
fn totp(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[19] & 15);
    let word = bytes[offset..offset + 4]
        .iter()
        .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let user = |id: &str| User {
            id: id.to_owned(),
            password: "secret".to_owned(),
            enabled: true,
            expire: 0,
            comment: String::new(),
            totp: None,
            tokens: vec![Token {
                id: "t".to_owned(),
                secret: "uuid".to_owned(),
                privsep: true,
                expire: 0,
                comment: String::new(),
            }],
        };
        Access::new(b"key", vec![user("root@pam"), user("a@pve")], Vec::new())
    }

    fn refusal(access: &Access, given: &Credentials, writes: bool) -> String {
        access.identify(given, writes, 1000).expect_err("refused").reason
    }

    #[test]
    fn a_ticket_needs_its_csrf_token_to_write_and_beats_a_token() {
        let access = access();
        let signed_in = access.log_in("a@pve", "secret", None, 1000).expect("signs in");
        let mut given = Credentials {
            cookie: signed_in["ticket"].as_str().map(str::to_owned),
            ..Credentials::default()
        };
        assert!(access.identify(&given, false, 1000).is_ok());
        assert_eq!(
            refusal(&access, &given, true),
            "Permission denied - invalid csrf token"
        );
        given.csrf = signed_in["CSRFPreventionToken"].as_str().map(str::to_owned);
        assert!(access.identify(&given, true, 1000).is_ok());
        assert!(access.identify(&given, false, 1000 + TICKET_LIFE).is_err());
        given.cookie = Some("junk".to_owned());
        given.authorization = Some("PVEAPIToken=a@pve!t=uuid".to_owned());
        assert_eq!(refusal(&access, &given, false), "Authentication failed!");
        assert_eq!(refusal(&access, &Credentials::default(), false), "No ticket");
    }

    #[test]
    fn a_ticket_renews_itself_and_a_separated_token_has_nothing_of_its_own() {
        let access = access();
        let first = access.log_in("root@pam", "secret", None, 1000).expect("signs in");
        let ticket = first["ticket"].as_str().expect("a ticket");
        assert!(access.log_in("root@pam", ticket, None, 4000).is_ok());
        assert!(access.log_in("a@pve", ticket, None, 4000).is_err());
        assert!(access.log_in("root@pam", "wrong", None, 4000).is_err());
        let given = Credentials {
            authorization: Some("PVEAPIToken=root@pam!t=uuid".to_owned()),
            ..Credentials::default()
        };
        let who = access.identify(&given, true, 1000).expect("known");
        assert!(access.privileges(&who, "/", None).is_empty());
        assert!(!who.is_root_ticket());
    }

    #[test]
    fn one_time_passwords_follow_the_rfc() {
        // RFC 6238, appendix B: the key of its SHA-1 vectors at 59 s; the last six of eight digits.
        assert_eq!(totp(b"12345678901234567890", 59 / 30), "287082");
    }
}
