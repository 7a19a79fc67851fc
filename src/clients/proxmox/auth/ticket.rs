//! Tickets: user and password, second factor, renewal.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Login, Scheme, SecondFactor, totp};
use crate::clients::{
    Error,
    http::{Proof, Reader},
    proxmox::{answer, get::Sample},
};
use crate::domain::call::percent_encode;

/// A ticket, as it goes into the cookie.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    text: SecretString,
    /// What a write needs besides; only a session that may write has it.
    csrf: Option<SecretString>,
}

/// Whether a sign-in keeps the token that lets it write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Csrf {
    /// It is neither decoded nor made.
    Never,
    /// It is kept beside the ticket.
    Keep,
}

impl Ticket {
    pub(super) fn new(text: String, csrf: Option<SecretString>) -> Self {
        Self {
            text: text.into(),
            csrf,
        }
    }

    /// The value of the `CSRFPreventionToken` header, if this session may write.
    pub(super) fn csrf(&self) -> Option<&SecretString> {
        self.csrf.as_ref()
    }

    pub(super) fn proof(&self, scheme: Scheme) -> Proof {
        let mut cookie = format!("{}=", scheme.cookie());
        percent_encode(self.text.expose_secret(), &mut cookie);
        Proof::Cookie(cookie.into())
    }

    /// Whether it only asks for the second factor.
    fn is_challenge(&self, scheme: Scheme) -> bool {
        self.text.expose_secret().starts_with(scheme.challenge())
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        self.text.expose_secret()
    }
}

/// The answer of `/access/ticket`. The CSRF token in it is not read: who only reads must not be able to write.
#[derive(Deserialize)]
struct Answered {
    data: Option<Granted>,
}

/// The part of the same answer that only a session reads which may write.
#[derive(Deserialize)]
struct Allowed {
    data: AllowedData,
}

#[derive(Deserialize)]
struct AllowedData {
    #[serde(rename = "CSRFPreventionToken")]
    csrf: String,
}

#[derive(Deserialize)]
struct Granted {
    ticket: Option<String>,
}

pub(super) async fn sign_in(
    reader: &Reader,
    login: &Login,
    scheme: Scheme,
    csrf: Csrf,
) -> Result<Ticket, Error> {
    let password = login.password.expose_secret();
    let ticket = ask(
        reader,
        &[("username", &login.user), ("password", password)],
        &login.user,
        csrf,
    )
    .await?;
    if !ticket.is_challenge(scheme) {
        return Ok(ticket);
    }
    let challenge = ticket.text.expose_secret();
    if offers_totp(scheme, challenge) == Some(false) {
        return Err(Error::SignIn {
            message: format!("{} has a second factor, and it is not TOTP", login.user),
            advice: "Only TOTP can be used here: add one in the web interface, or use an API token"
                .to_owned(),
        });
    }
    let code = code(login).await?;
    let response = format!("totp:{}", code.expose_secret());
    let form = [
        ("username", &*login.user),
        ("tfa-challenge", challenge),
        ("password", &*response),
    ];
    let ticket = ask(reader, &form, &login.user, csrf)
        .await
        .map_err(|error| match error {
            Error::SignIn { .. } => Error::SignIn {
                message: format!("the server refuses the TOTP code of {}", login.user),
                advice: "A code counts only once and for 30 s: wait for the next one, and check the clock"
                    .to_owned(),
            },
            error => error,
        })?;
    if ticket.is_challenge(scheme) {
        return Err(answer::refused(format!(
            "{} is asked for one more factor",
            login.user
        )));
    }
    Ok(ticket)
}

/// A valid ticket is as good as the password, and asks for no second factor.
pub(super) async fn renew(
    reader: &Reader,
    login: &Login,
    ticket: &Ticket,
    csrf: Csrf,
) -> Result<Ticket, Error> {
    let form = [
        ("username", &*login.user),
        ("password", ticket.text.expose_secret()),
    ];
    ask(reader, &form, &login.user, csrf).await
}

async fn ask(reader: &Reader, form: &[(&str, &str)], user: &str, csrf: Csrf) -> Result<Ticket, Error> {
    let answered = reader.sign_in(form).await?;
    let address = answered.address.clone();
    let body = answer::body(answered).map_err(|error| match error {
        Error::SignIn { message, .. } => Error::SignIn {
            message: format!("the server refuses {user}: {message}"),
            advice:
                "Check user, realm (`user@pam`, `user@pve`) and password; the user may be disabled or expired"
                    .to_owned(),
        },
        error => error,
    })?;
    // The parser's own words could quote the ticket: they are left out.
    let ticket = serde_json::from_slice::<Answered>(&body)
        .ok()
        .and_then(|answered| answered.data?.ticket);
    let ticket = ticket.ok_or_else(|| Error::Malformed {
        message: format!("{address} answered the sign-in without a ticket"),
    })?;
    let csrf = match csrf {
        Csrf::Never => None,
        Csrf::Keep => serde_json::from_slice::<Allowed>(&body)
            .ok()
            .map(|allowed| allowed.data.csrf.into()),
    };
    Ok(Ticket::new(ticket, csrf))
}

async fn code(login: &Login) -> Result<SecretString, Error> {
    let missing = |advice: &str| Error::SignIn {
        message: format!("{} needs a TOTP code as second factor", login.user),
        advice: advice.to_owned(),
    };
    match &login.second_factor {
        SecondFactor::None => Err(missing("Configure its TOTP secret, or use an API token")),
        SecondFactor::Secret(secret) => totp::now(secret).map(Into::into),
        SecondFactor::Ask(ask) => {
            let ask = std::sync::Arc::clone(ask);
            let code = tokio::task::spawn_blocking(move || ask()).await.ok().flatten();
            code.ok_or_else(|| missing("Enter the code when asked"))
        }
    }
}

/// Whether the challenge offers TOTP; `None` if it cannot be read.
fn offers_totp(scheme: Scheme, challenge: &str) -> Option<bool> {
    let encoded = challenge.strip_prefix(scheme.challenge())?.split(':').next()?;
    let json = percent_decode(encoded)?;
    let offered: serde_json::Value = serde_json::from_str(&json).ok()?;
    let totp = offered.as_object()?.get("totp");
    Some(totp.is_some_and(|value| value.as_bool().unwrap_or_else(|| value.as_u64() != Some(0))))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (pair, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The sign-in of this user, for the contract test.
pub(in crate::clients) fn sign_in_sample(user: &str) -> Sample {
    Sample {
        method: "POST",
        path: "/access/ticket".to_owned(),
        query: vec![("username", user.to_owned()), ("password", "password".to_owned())],
    }
}

/// The two sign-ins, for the contract test.
pub(in crate::clients) fn samples() -> [Sample; 2] {
    let sample = |query: &[(&'static str, &str)]| Sample {
        method: "POST",
        path: "/access/ticket".to_owned(),
        query: query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
    };
    let user = ("username", "root@pam");
    [
        sample(&[user, ("password", "password")]),
        sample(&[
            user,
            ("tfa-challenge", "PVE:!tfa!%7B%22totp%22%3Atrue%7D:6B0135DE::x"),
            ("password", "totp:123456"),
        ]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_encoded_and_never_shown() {
        let ticket = Ticket::new(
            "PVE:root@pam:6B0135DE::a+/=".to_owned(),
            Some("6B0135DE:secret".to_owned().into()),
        );
        let Proof::Cookie(cookie) = ticket.proof(Scheme::Ve) else {
            panic!()
        };
        assert_eq!(
            cookie.expose_secret(),
            "PVEAuthCookie=PVE%3Aroot%40pam%3A6B0135DE%3A%3Aa%2B%2F%3D"
        );
        assert!(!format!("{ticket:?} {:?}", ticket.proof(Scheme::Ve)).contains("6B0135DE"));
    }

    #[test]
    fn challenges_tell_what_they_offer() {
        assert_eq!(
            offers_totp(Scheme::Ve, "PVE:!tfa!%7B%22totp%22%3Atrue%7D:6B0135DE::x"),
            Some(true)
        );
        assert_eq!(
            offers_totp(Scheme::Ve, "PVE:!tfa!%7B%22webauthn%22%3A%7B%7D%7D:6B0135DE::x"),
            Some(false)
        );
        assert_eq!(offers_totp(Scheme::Ve, "PVE:!tfa!%7B%2:6B0135DE::x"), None);
        assert_eq!(offers_totp(Scheme::Ve, "PVE:root@pam:6B0135DE::x"), None);
    }
}
