//! Nodes and storages.

use super::load::{fraction, mix, walk};

/// A node.
#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each can be true without the others"
)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) address: String,
    pub(crate) online: bool,
    /// Answers nothing in time, although it is online.
    pub(crate) frozen: bool,
    /// Since when it is up, in seconds.
    pub(crate) since: i64,
    pub(crate) cpus: u32,
    pub(crate) model: &'static str,
    pub(crate) memory: u64,
    pub(crate) root_size: u64,
    pub(crate) seed: u64,
    /// Seconds since the epoch at which its certificate ends.
    pub(crate) certificate_end: i64,
    /// The SHA-256 fingerprint of its certificate.
    pub(crate) fingerprint: String,
    /// Its certificate as PEM.
    pub(crate) certificate: String,
    /// Packages that wait for an update.
    pub(crate) updates: usize,
    /// Switched off or starting: nothing answers at all.
    pub(crate) down: bool,
    /// The HA manager keeps everything away from it.
    pub(crate) maintenance: bool,
    /// Its own configuration: `description`, `wakeonlan`…
    pub(crate) config: std::collections::BTreeMap<String, String>,
    /// Services that somebody has stopped.
    pub(crate) stopped_services: std::collections::BTreeSet<String>,
    /// A service that is down, if one is.
    pub(crate) broken_service: Option<&'static str>,
}

impl Node {
    pub(crate) fn uptime(&self, now: i64) -> i64 {
        if self.online { (now - self.since).max(0) } else { 0 }
    }

    /// Share of CPU in use; `asked` is what its guests ask for.
    pub(crate) fn cpu(&self, asked: f64, at: i64) -> f64 {
        let own = 0.02 + 0.04 * walk(self.seed, at, 60);
        (own + asked / f64::from(self.cpus) * (0.7 + 0.6 * walk(self.seed ^ 3, at, 600))).clamp(0.004, 0.99)
    }

    /// Bytes of memory in use; `asked` is what its guests hold.
    pub(crate) fn used_memory(&self, asked: u64, at: i64) -> u64 {
        let own = (3_u64 << 30) + ((1_u64 << 30) as f64 * walk(self.seed ^ 5, at, 1800)) as u64;
        (own + asked).min(self.memory / 100 * 98)
    }

    pub(crate) fn root_used(&self, at: i64) -> u64 {
        (self.root_size as f64
            * (0.16 + 0.2 * fraction(&[self.seed, 9]) + 0.01 * walk(self.seed ^ 9, at, 7200))) as u64
    }

    /// Share of time that the CPUs wait for disks.
    pub(crate) fn wait(&self, at: i64) -> f64 {
        0.012 * walk(self.seed ^ 0x13, at, 120)
    }

    pub(crate) fn load(&self, cpu: f64, at: i64) -> [f64; 3] {
        let now = cpu * f64::from(self.cpus);
        [60, 300, 900].map(|period| now * (0.8 + 0.4 * walk(self.seed ^ 0x17, at, period)))
    }
}

/// A storage of the datacentre.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) content: &'static str,
    pub(crate) shared: bool,
    /// What `/storage` shows beside name, kind and content.
    pub(crate) settings: Vec<(&'static str, String)>,
    pub(crate) total: u64,
    /// Its usual share in use.
    pub(crate) full: f64,
    /// The only nodes that have it; `None` is all.
    pub(crate) nodes: Option<Vec<String>>,
    pub(crate) disabled: bool,
    /// On which node it cannot be reached.
    pub(crate) down_on: Option<String>,
}

impl Storage {
    /// Whether it takes this kind of content.
    pub(crate) fn takes(&self, content: &str) -> bool {
        self.content.split(',').any(|own| own == content)
    }

    /// Whether it can be used on this node, in the server's words if not.
    pub(crate) fn enabled_on(&self, node: &str) -> Result<(), String> {
        if self.disabled {
            return Err(format!("storage '{}' is disabled", self.name));
        }
        match &self.nodes {
            Some(nodes) if !nodes.iter().any(|known| known == node) => Err(format!(
                "storage '{}' is not available on node '{node}'",
                self.name
            )),
            _ => Ok(()),
        }
    }

    /// Whether images lie on it as files.
    pub(crate) fn has_files(&self) -> bool {
        matches!(self.kind, "dir" | "nfs" | "cifs" | "btrfs" | "cephfs")
    }

    /// Bytes in use, on a node if it is local there.
    pub(crate) fn used(&self, node: &str, at: i64) -> u64 {
        let id = self.id(node);
        let level = self.full
            + if self.shared {
                0.0
            } else {
                0.08 * fraction(&[id, 2])
            };
        (self.total as f64 * (level + 0.012 * walk(id, at, 5400)).min(0.995)) as u64
    }

    fn id(&self, node: &str) -> u64 {
        let place = if self.shared { "" } else { node };
        let sum = |text: &str| text.bytes().fold(7_u64, |sum, byte| mix(&[sum, u64::from(byte)]));
        mix(&[sum(self.name), sum(place)])
    }
}

/// A file on a storage that belongs to no guest's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) volid: String,
    pub(crate) storage: &'static str,
    /// On which node, for local storages.
    pub(crate) node: Option<String>,
    pub(crate) content: &'static str,
    pub(crate) format: &'static str,
    pub(crate) size: u64,
    pub(crate) ctime: i64,
    pub(crate) vmid: Option<u32>,
    pub(crate) notes: Option<String>,
    pub(crate) protected: bool,
    /// Verified good or bad, where it was verified.
    pub(crate) verified: Option<bool>,
}
