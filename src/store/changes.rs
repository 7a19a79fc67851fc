//! What an update changed.

use crate::domain::TaskRef;

use super::feed::FeedKey;

/// What changed by one or several updates. Nothing is drawn again if nothing changed.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// The feeds whose data changed. A read that brought the same again is not among them: it only renewed their age.
    pub feeds: Vec<FeedKey>,
    /// Whether a read failed in a new way, recovered, or brought its first data.
    pub freshness: bool,
    /// Whether the findings or the alerts of monitoring changed.
    pub findings: bool,
    /// Whether monitoring said something new.
    pub monitors: bool,
    /// Tasks that were seen running and are over now.
    pub finished_tasks: Vec<TaskRef>,
}

impl Changes {
    /// Whether something changed that may be on the screen.
    pub fn visible(&self) -> bool {
        !self.feeds.is_empty()
            || self.freshness
            || self.findings
            || self.monitors
            || !self.finished_tasks.is_empty()
    }

    /// Adds what another update changed.
    pub fn merge(&mut self, other: Self) {
        for key in other.feeds {
            if !self.feeds.contains(&key) {
                self.feeds.push(key);
            }
        }
        self.freshness |= other.freshness;
        self.findings |= other.findings;
        self.monitors |= other.monitors;
        self.finished_tasks.extend(other.finished_tasks);
    }
}

/// What sort of data changed: each has a revision of its own, so that caches of the others stay valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Nodes,
    Guests,
    Storages,
    Pools,
    Zones,
    Tasks,
    /// What a cluster says of itself: quorum, HA, log, version, permissions, firewall.
    Clusters,
    Details,
    /// What Backup Servers hold.
    Servers,
    /// Backups, their jobs and runs, and snapshots.
    Backups,
    Findings,
    Monitors,
    Freshness,
}

/// The revisions of all kinds.
#[derive(Default, Debug)]
pub(super) struct Revisions {
    latest: u64,
    of: [u64; Self::KINDS],
}

impl Revisions {
    const KINDS: usize = Kind::Freshness as usize + 1;

    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    pub(super) fn of(&self, kind: Kind) -> u64 {
        self.of[kind as usize]
    }

    /// All that change at once get the same number.
    pub(super) fn advance(&mut self, kinds: &[Kind]) {
        if kinds.is_empty() {
            return;
        }
        self.latest += 1;
        for kind in kinds {
            self.of[*kind as usize] = self.latest;
        }
    }
}
