//! Public SSH keys as they stand in `authorized_keys`.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

/// The types that OpenSSH takes today. Proxmox takes them as well.
const TYPES: &[&str] = &[
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// A public key, checked: its type is one that OpenSSH takes, its body is base64 of a key of that type, and its comment
/// can stand in a line of a shell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {
    kind: Box<str>,
    body: Box<str>,
    comment: Box<str>,
    fingerprint: Box<str>,
}

impl PublicKey {
    /// Reads a line of `id_….pub` or `authorized_keys` without options.
    ///
    /// # Errors
    /// What is wrong with it, behind "the key": `is of the type ssh-dss, …`.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.trim().splitn(3, [' ', '\t']);
        let kind = words.next().unwrap_or_default();
        if !TYPES.contains(&kind) {
            let what = if line.contains("PRIVATE KEY") {
                "is a private key: only its public half is wanted, the line of the file ending in .pub"
                    .to_owned()
            } else {
                format!(
                    "is of no type that OpenSSH takes; these are: {}",
                    TYPES.join(", ")
                )
            };
            return Err(what);
        }
        let body = words.next().unwrap_or_default();
        let blob = STANDARD
            .decode(body)
            .map_err(|_| "is broken: what stands behind its type is no base64".to_owned())?;
        // The body begins with the type once more, behind its length.
        let inner = blob
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.get(..u32::from_be_bytes(*length) as usize));
        if inner != Some(kind.as_bytes()) || blob.len() < kind.len() + 4 + 32 {
            return Err(format!("is broken: its body is no key of the type {kind}"));
        }
        let comment = words.next().unwrap_or_default().trim();
        let harmless = |c: char| c.is_ascii_graphic() && !"'\"\\`$".contains(c) || c == ' ';
        if !comment.chars().all(harmless) {
            return Err(
                "has a comment with signs beyond plain ASCII, or with quotes: give it a plainer one"
                    .to_owned(),
            );
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, &blob);
        Ok(Self {
            kind: kind.into(),
            body: body.into(),
            comment: comment.into(),
            fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)).into(),
        })
    }

    /// Type and body: what makes it the same key, whatever its comment.
    pub fn core(&self) -> String {
        format!("{} {}", self.kind, self.body)
    }

    /// What its owner calls it; may be empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether this is what somebody means by a word: a line, a body, a fingerprint, a comment.
    pub fn is_meant_by(&self, word: &str) -> bool {
        let word = word.trim();
        !word.is_empty()
            && (*word == *self.comment
                || *word == *self.fingerprint
                || self.fingerprint.strip_prefix("SHA256:") == Some(word)
                || *word == *self.body
                || Self::parse(word).is_ok_and(|key| key.core() == self.core()))
    }

    /// Whether a line of `authorized_keys` lets it in: options before it and a comment behind it do not matter.
    pub fn is_in(&self, line: &str) -> bool {
        !line.trim_start().starts_with('#') && line.contains(&self.core())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.body)?;
        if self.comment.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.comment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@desk";

    #[test]
    fn a_key_is_read_and_found_again() {
        let key = PublicKey::parse(&format!("  {KEY}\n")).unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(key.comment(), "alice@desk");
        assert!(key.fingerprint().starts_with("SHA256:") && !key.fingerprint().ends_with('='));
        for word in ["alice@desk", key.fingerprint(), KEY, &key.core()] {
            assert!(key.is_meant_by(word), "{word}");
        }
        for word in ["", "alice", "bob@desk"] {
            assert!(!key.is_meant_by(word), "{word}");
        }
        assert!(key.is_in(&format!("from=\"192.0.2.0/24\" {} somebody else", key.core())));
        assert!(!key.is_in(&format!("# {KEY}")));
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let body = KEY.split(' ').nth(1).unwrap();
        for (line, part) in [
            ("", "is of no type"),
            ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", "is of no type"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key"),
            ("command=\"x\" ssh-ed25519 AAAA", "is of no type"),
            ("ssh-ed25519", "is no key of the type ssh-ed25519"),
            ("ssh-ed25519 AAAA!", "is no base64"),
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
                "is no key of the type ssh-ed25519",
            ),
            (&format!("ssh-rsa {body}"), "is no key of the type ssh-rsa"),
            (&format!("ssh-ed25519 {body} it's"), "quotes"),
            (&format!("ssh-ed25519 {body} a\u{202e}b"), "plain ASCII"),
            (
                &format!("ssh-ed25519 {body} a\nssh-ed25519 {body}"),
                "plain ASCII",
            ),
        ] {
            let why = PublicKey::parse(line).unwrap_err();
            assert!(why.contains(part), "{line:?}: {why}");
        }
    }
}
