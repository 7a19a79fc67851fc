//! API tokens as people write them.

use secrecy::{ExposeSecret, SecretString};

/// An API token, `user@realm!name=secret`; a Backup Server writes a colon before the secret.
#[derive(Clone, Debug)]
pub struct Token {
    /// `user@realm!name`.
    pub id: String,
    /// The secret part.
    pub secret: SecretString,
}

impl Token {
    /// Takes a token apart. `PVEAPIToken=` or `PBSAPIToken=` in front, as in the HTTP header, is fine.
    ///
    /// # Errors
    /// What is missing, without showing what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = ["PVEAPIToken=", "PBSAPIToken="]
            .into_iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        let shape = "a token has the form user@realm!name=secret";
        let (id, secret) = text
            .split_once(['=', ':'])
            .ok_or_else(|| format!("there is no `=` in it; {shape}"))?;
        let (user, name) = id
            .split_once('!')
            .ok_or_else(|| format!("there is no `!` in it; {shape}"))?;
        let (user, realm) = user
            .split_once('@')
            .ok_or_else(|| format!("there is no `@` in it; {shape}"))?;
        let printable = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic());
        if ![user, realm, name, secret].into_iter().all(printable) {
            return Err(format!("a part is empty or holds blanks; {shape}"));
        }
        Ok(Self {
            id: id.to_owned(),
            secret: SecretString::from(secret),
        })
    }

    /// The whole token as one text.
    pub fn whole(&self) -> SecretString {
        SecretString::from(format!("{}={}", self.id, self.secret.expose_secret()))
    }
}
