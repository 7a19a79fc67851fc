//! Quotas: how much the guests of a pool, or with a tag, may have together.

use std::{fmt, ops::Add};

use super::{ClusterId, Guest};

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Resource {
    /// Guests, templates among them.
    Guests,
    /// Virtual CPUs, running or not.
    Cores,
    /// Memory that guests are given, bytes, running or not.
    Memory,
    /// Disk, bytes: of each guest the size that the inventory tells, which is that of its first disk.
    Disk,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Guests, Self::Cores, Self::Memory, Self::Disk];

    /// Its word in files and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guests => "guests",
            Self::Cores => "cores",
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose guests a quota counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Those of a pool.
    Pool(String),
    /// Those with a tag.
    Tag(String),
}

/// How much may be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quota {
    /// What the configuration calls it.
    pub name: String,
    /// On which cluster; `None` counts all clusters together.
    pub cluster: Option<ClusterId>,
    /// Whose guests.
    pub scope: Scope,
    /// The limits; what is not named has none.
    pub limits: Vec<(Resource, u64)>,
}

impl Quota {
    /// Whether it counts this guest.
    pub fn covers(&self, cluster: &ClusterId, guest: &Guest) -> bool {
        self.cluster.as_ref().is_none_or(|own| own == cluster)
            && match &self.scope {
                Scope::Pool(pool) => guest.pool.as_deref() == Some(pool),
                Scope::Tag(tag) => guest.tags.iter().any(|own| own.eq_ignore_ascii_case(tag)),
            }
    }

    /// What the guests that it counts have together.
    pub fn used<'a>(&self, guests: impl Iterator<Item = (&'a ClusterId, &'a Guest)>) -> Amount {
        guests
            .filter(|(cluster, guest)| self.covers(cluster, guest))
            .map(|(_, guest)| Amount::of(guest))
            .fold(Amount::default(), Add::add)
    }
}

/// How much of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    guests: u64,
    cores: u64,
    memory: u64,
    disk: u64,
}

impl Amount {
    /// What one guest has. What the inventory does not tell counts as nothing.
    pub fn of(guest: &Guest) -> Self {
        Self {
            guests: 1,
            cores: guest.cpus.unwrap_or_default().max(0.0).ceil() as u64,
            memory: guest.max_mem.unwrap_or_default(),
            disk: guest.max_disk.unwrap_or_default(),
        }
    }

    /// How much of one thing.
    pub fn get(self, resource: Resource) -> u64 {
        match resource {
            Resource::Guests => self.guests,
            Resource::Cores => self.cores,
            Resource::Memory => self.memory,
            Resource::Disk => self.disk,
        }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            guests: self.guests.saturating_add(other.guests),
            cores: self.cores.saturating_add(other.cores),
            memory: self.memory.saturating_add(other.memory),
            disk: self.disk.saturating_add(other.disk),
        }
    }
}
