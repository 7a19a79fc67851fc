//! Addresses of servers beside Proxmox: Prometheus, Alertmanager, exporters. Unlike an [`super::Endpoint`] they may be
//! plain http, and may have a path in front of everything, because that is how these servers are run.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::endpoint::{is_host, split_port};

/// `http://host:9090/prefix`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BaseUrl {
    /// Whether it is http, not https: everybody on the way can read and change what is said.
    pub plain: bool,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What comes before every path: empty, or beginning with `/` and not ending with one.
    pub prefix: String,
}

impl BaseUrl {
    /// Whether it never leaves this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
            || self
                .host
                .parse::<Ipv6Addr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    /// Reads `http://host:9090`, `https://host/prometheus/`. The scheme must be there: whether what is said can be read
    /// on the way is nothing to be guessed. Without a port it is 80 or 443, as in a browser.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("write it with http:// or https:// in front")?;
        let plain = match scheme.to_ascii_lowercase().as_str() {
            "http" => true,
            "https" => false,
            _ => return Err("neither http:// nor https:// is in front".to_owned()),
        };
        if rest.contains(['?', '#']) {
            return Err("it ends before `?` and `#`; leave them out".to_owned());
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(
                "user and password do not belong into the address; use `user` and `password_file`".to_owned(),
            );
        }
        let (host, port) = split_port(authority).ok_or("the port is no number")?;
        if !is_host(host) {
            return Err("no host name or address in it".to_owned());
        }
        let prefix = path.trim_end_matches('/');
        let plain_path = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
        if !prefix.chars().all(plain_path) || prefix.contains("//") || prefix.contains("..") {
            return Err("the path has characters that do not belong into one".to_owned());
        }
        Ok(Self {
            plain,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(if plain { 80 } else { 443 }),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain { "http" } else { "https" };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(
            f,
            "{scheme}://{open}{}{close}:{}{}",
            self.host, self.port, self.prefix
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (given, read) in [
            ("http://localhost:9090", "http://localhost:9090"),
            (
                "https://Mon.example.com/prometheus/",
                "https://mon.example.com:443/prometheus",
            ),
            (" http://192.0.2.1/a/b// ", "http://192.0.2.1:80/a/b"),
            ("HTTP://[::1]:9093/", "http://[::1]:9093"),
        ] {
            let url: BaseUrl = given.parse().unwrap();
            assert_eq!(url.to_string(), read, "{given}");
            assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        for (given, said) in [
            ("prometheus:9090", "http:// or https://"),
            ("ftp://x", "neither http"),
            ("http://a:b@x", "do not belong"),
            ("http://x:0", "port"),
            ("http:///x", "no host"),
            ("http://x/?a=b", "leave them out"),
            ("http://x/a b", "characters"),
            ("http://x/../y", "characters"),
            ("http://x\u{1b}[2J", "no host"),
        ] {
            let error = given.parse::<BaseUrl>().unwrap_err();
            assert!(error.contains(said), "{given}: {error}");
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (url, here) in [
            ("http://127.0.0.2:9090", true),
            ("http://[::1]:9090", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://192.0.2.1", false),
        ] {
            assert_eq!(url.parse::<BaseUrl>().unwrap().is_loopback(), here, "{url}");
        }
    }
}
