//! Addresses of an API and the fingerprints of its certificates, as people write them.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// The port of the Proxmox VE API.
pub const DEFAULT_PORT: u16 = 8006;
/// The port of the Proxmox Backup Server API.
pub const BACKUP_SERVER_PORT: u16 = 8007;

/// Where an API listens. Always TLS: there is no way to write a plain one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Endpoint {
    /// Reads `https://host:8006`, `host:8006`, `host`, `https://[2001:db8::1]:8006/`.
    ///
    /// # Errors
    /// Why it is no address.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let text = text.trim();
        let example = format!("write it as https://host:{default_port}");
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => {
                return Err(format!(
                    "plain http is not possible, the connection is always encrypted; {example}"
                ));
            }
            Some(_) => return Err(format!("not an https address; {example}")),
            None => text,
        };
        let authority = match rest.split_once(['/', '?', '#']) {
            None => rest,
            Some((authority, path)) if rest.as_bytes().get(authority.len()) == Some(&b'/') => {
                // What the address bar of the web interface shows is taken as it is copied.
                let path = path
                    .split(['?', '#'])
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches('/');
                if !matches!(path, "" | "api2" | "api2/json") {
                    return Err(format!("a path does not belong here; {example}"));
                }
                authority
            }
            Some((authority, _)) => authority,
        };
        if authority.contains('@') {
            return Err(
                "user and password do not belong into the address; use `user` and `password`".to_owned(),
            );
        }
        let (host, port) =
            split_port(authority).ok_or_else(|| format!("the port is no number; {example}"))?;
        if !is_host(host) {
            return Err(format!("no host name or address in it; {example}"));
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(default_port),
        })
    }
}

impl FromStr for Endpoint {
    type Err = String;

    /// The port is that of Proxmox VE unless given.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, DEFAULT_PORT)
    }
}

/// Whether a text can be the name or address of a host.
pub(super) fn is_host(host: &str) -> bool {
    host.parse::<Ipv6Addr>().is_ok()
        || (!host.is_empty()
            && host.len() <= 253
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
            && !host.starts_with(['-', '.']))
}

/// Host and port, if the port is one.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let number = |port: &str| port.parse::<u16>().ok().filter(|port| *port > 0);
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            None => after.is_empty().then_some((host, None)),
            Some(port) => number(port).map(|port| (host, Some(port))),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Some((authority, None));
    }
    match authority.split_once(':') {
        None => Some((authority, None)),
        Some((host, port)) => number(port).map(|port| (host, Some(port))),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "https://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "https://{}:{}", self.host, self.port)
        }
    }
}

/// SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, der).as_ref());
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Colon-separated or plain hex, in either case; `SHA256:` or `SHA256=` in front is fine.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let hex = match text.get(..7) {
            Some(prefix)
                if prefix.eq_ignore_ascii_case("sha256:") || prefix.eq_ignore_ascii_case("sha256=") =>
            {
                &text[7..]
            }
            _ => text,
        };
        let digits: Option<Vec<u8>> = hex
            .chars()
            .filter(|c| *c != ':' && *c != ' ')
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect();
        let digits = digits.ok_or("a fingerprint has hexadecimal digits and colons only")?;
        match digits.len() {
            64 => {}
            40 => {
                return Err(
                    "this is a SHA-1 fingerprint (20 bytes); the SHA-256 one is needed (32 bytes)".to_owned(),
                );
            }
            n => {
                return Err(format!(
                    "a SHA-256 fingerprint has 64 hexadecimal digits, this has {n}"
                ));
            }
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    /// As the web interface shows it: `AB:CD:…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (given, read) in [
            ("https://pve1.example.com:8006", "https://pve1.example.com:8006"),
            ("https://PVE1/", "https://pve1:8006"),
            ("pve1", "https://pve1:8006"),
            (" pve1:443 ", "https://pve1:443"),
            ("https://pve1:8006/#v1:0:18:4:::::::", "https://pve1:8006"),
            ("https://pve1:8006/api2/json", "https://pve1:8006"),
            ("192.0.2.7", "https://192.0.2.7:8006"),
            ("2001:db8::1", "https://[2001:db8::1]:8006"),
            ("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443"),
        ] {
            assert_eq!(given.parse::<Endpoint>().unwrap().to_string(), read, "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        for (given, said) in [
            ("http://pve1:8006", "always encrypted"),
            ("ftp://pve1", "not an https address"),
            ("https://pve1:8006/pve2/", "path"),
            ("https://root@pve1", "do not belong"),
            ("https://pve1:80000", "port"),
            ("https://pve1:", "port"),
            ("https://:8006", "no host"),
            ("", "no host"),
            ("pve 1", "no host"),
            ("https://[2001:db8::1", "port"),
            ("pve1\u{1b}[2J", "no host"),
        ] {
            let error = given.parse::<Endpoint>().unwrap_err();
            assert!(error.contains(said), "{given}: {error}");
        }
    }

    #[test]
    fn fingerprints_in_all_their_forms() {
        let plain = "0aff".repeat(16);
        let fingerprint: Fingerprint = plain.parse().unwrap();
        let shown = fingerprint.to_string();
        assert!(shown.starts_with("0A:FF:0A:") && shown.len() == 95);
        for form in [
            shown.clone(),
            shown.to_lowercase(),
            format!("SHA256:{plain}"),
            format!("sha256={shown}"),
        ] {
            assert_eq!(form.parse::<Fingerprint>().unwrap(), fingerprint, "{form}");
        }
        for (given, said) in [
            ("ab".repeat(20), "SHA-1"),
            ("xy".repeat(32), "hexadecimal digits and colons only"),
            ("abc".to_owned(), "this has 3"),
            ("é€".repeat(5), "hexadecimal"),
        ] {
            let error = given.parse::<Fingerprint>().unwrap_err();
            assert!(error.contains(said), "{given}: {error}");
        }
    }
}
