//! Addresses of a cluster, and which of them to ask.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Url;
use tokio::time::Instant;

use crate::{
    clients::Error,
    domain::{BaseUrl, Endpoint},
};

/// `https://host:port`; for servers that are no Proxmox also `http`, and with a path in front of everything.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// What every target is put behind.
    base: String,
    host: String,
    port: u16,
    plain: bool,
    exposed: bool,
}

impl Address {
    /// Reads what people write: `pve1`, `pve1:8006`, `https://pve1:8006/`, `[2001:db8::1]:8006`. A missing scheme
    /// is https, a missing port is `default_port`, a path is left out.
    ///
    /// # Errors
    /// [`Error::Setup`] if it is no address, not https, or holds a user name.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, Error> {
        let bad = |why: &str| Error::Setup {
            message: format!("`{}` is not an address: {why}", text.trim()),
        };
        let endpoint = Endpoint::parse(text, default_port).map_err(|why| bad(&why))?;
        let base = endpoint.to_string();
        Url::parse(&base).map_err(|e| bad(&e.to_string()))?;
        Ok(Self {
            base,
            host: endpoint.host,
            port: endpoint.port,
            plain: false,
            exposed: false,
        })
    }

    /// Whether nothing is encrypted on the way.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether others could read what is sent.
    pub(super) fn is_exposed(&self) -> bool {
        self.exposed
    }

    /// Host name or IP, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a target below this address.
    pub(super) fn join(&self, target: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{target}", self.base)).map_err(|e| Error::Setup {
            message: format!("`{target}` cannot be asked for: {e}"),
        })
    }
}

impl From<&BaseUrl> for Address {
    fn from(url: &BaseUrl) -> Self {
        Self {
            base: url.to_string(),
            host: url.host.clone(),
            port: url.port,
            plain: url.plain,
            exposed: url.plain && !url.is_loopback(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The addresses of one cluster. The one that answered last is asked first; one that failed rests a while.
#[derive(Debug)]
pub(super) struct Addresses {
    all: Vec<Address>,
    preferred: AtomicUsize,
    /// By address: failures in a row, and until when it rests.
    rests: Mutex<Vec<(u32, Option<Instant>)>>,
}

const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(60);

impl Addresses {
    pub(super) fn new(all: Vec<Address>) -> Result<Self, Error> {
        if all.is_empty() {
            return Err(Error::Setup {
                message: "there is no address to ask. Set `url` of the cluster, or use --url".to_owned(),
            });
        }
        let rests = Mutex::new(vec![(0, None); all.len()]);
        Ok(Self {
            all,
            preferred: AtomicUsize::new(0),
            rests,
        })
    }

    pub(super) fn get(&self, index: usize) -> &Address {
        &self.all[index % self.all.len()]
    }

    pub(super) fn current(&self) -> &Address {
        self.get(self.preferred.load(Ordering::Relaxed))
    }

    /// Whom to ask, in this order: the preferred one, then those behind it; resting ones last.
    pub(super) fn order(&self, now: Instant) -> Vec<usize> {
        let first = self.preferred.load(Ordering::Relaxed);
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..self.all.len())
            .map(|n| (first + n) % self.all.len())
            .collect();
        order.sort_by_key(|&index| rests[index].1.is_some_and(|until| until > now));
        order
    }

    pub(super) fn answered(&self, index: usize) {
        self.preferred.store(index, Ordering::Relaxed);
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests[index] = (0, None);
    }

    pub(super) fn prefer(&self, index: usize) {
        self.preferred.store(index, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, index: usize, now: Instant) {
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        let (failures, until) = &mut rests[index];
        let rest = (FIRST_REST * 2_u32.saturating_pow((*failures).min(8))).min(LONGEST_REST);
        *failures = failures.saturating_add(1);
        *until = Some(now + rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, full, host) in [
            ("pve1", "https://pve1:8006", "pve1"),
            (
                " https://pve1.example.com ",
                "https://pve1.example.com:8006",
                "pve1.example.com",
            ),
            ("https://pve1:443/", "https://pve1:443", "pve1"),
            (
                "https://192.0.2.1:8006/#v1:0:18",
                "https://192.0.2.1:8006",
                "192.0.2.1",
            ),
            ("[2001:db8::1]:9006", "https://[2001:db8::1]:9006", "2001:db8::1"),
            ("2001:db8::1", "https://[2001:db8::1]:8006", "2001:db8::1"),
            ("https://[::1]", "https://[::1]:8006", "::1"),
        ] {
            let address = Address::parse(text, 8006).unwrap();
            assert_eq!((address.to_string().as_str(), address.host()), (full, host));
        }
        for text in [
            "",
            "https://",
            "http://pve1:8006",
            "ftp://pve1",
            "root@pve1",
            "pve1:http",
            "pve1:99999",
            "a b",
        ] {
            assert!(
                matches!(Address::parse(text, 8006), Err(Error::Setup { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_target_keeps_its_encoding() {
        let address = Address::parse("pve1", 8006).unwrap();
        let url = address.join("/api2/json/nodes/a%2Fb/status?x=1%202").unwrap();
        assert_eq!(
            url.as_str(),
            "https://pve1:8006/api2/json/nodes/a%2Fb/status?x=1%202"
        );
    }

    #[test]
    fn a_path_in_front_stays_in_front() {
        let url: BaseUrl = "http://mon/prometheus/".parse().unwrap();
        let address = Address::from(&url);
        let joined = address.join("/api/v1/query?query=a%2Fb").unwrap();
        assert_eq!(joined.as_str(), "http://mon/prometheus/api/v1/query?query=a%2Fb");
        assert!(address.is_plain() && address.is_exposed());
        let here = Address::from(&"http://127.0.0.1:9090".parse::<BaseUrl>().unwrap());
        assert!(here.is_plain() && !here.is_exposed());
        assert!(!Address::parse("pve1", 8006).unwrap().is_plain());
    }

    #[test]
    fn the_one_that_answers_is_kept_and_a_failed_one_rests() {
        let all = ["a", "b", "c"]
            .map(|host| Address::parse(host, 8006).unwrap())
            .to_vec();
        let addresses = Addresses::new(all).unwrap();
        let now = Instant::now();
        assert_eq!(addresses.order(now), [0, 1, 2]);
        addresses.failed(0, now);
        assert_eq!(addresses.order(now), [1, 2, 0]);
        addresses.answered(2);
        assert_eq!(addresses.current().host(), "c");
        assert_eq!(addresses.order(now), [2, 1, 0]);
        assert_eq!(addresses.order(now + FIRST_REST), [2, 0, 1]);
        addresses.failed(0, now);
        assert_eq!(
            addresses.order(now + FIRST_REST),
            [2, 1, 0],
            "the second rest is longer"
        );
        assert!(Addresses::new(vec![]).is_err());
    }
}
