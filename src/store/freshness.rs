//! How fresh the data of a feed is, and how a cluster as a whole is doing.
//!
//! What always holds here: a failure adds to the record of a feed and takes nothing from it.

use std::{collections::HashMap, hash::Hash};

use jiff::{SignedDuration, Timestamp};

use super::feed::{Feed, FeedError, FeedErrorKind};

/// Data older than this many periods of its feed is stale: one missed read is no reason to dim a pane.
const PERIODS_UNTIL_STALE: i32 = 3;

/// What is known about the reads of one feed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Freshness<'a> {
    /// When the data that is shown was read; `None` if there is none.
    pub data_at: Option<Timestamp>,
    /// When it was last tried in this run, with whatever outcome.
    pub tried_at: Option<Timestamp>,
    /// Why the last try failed; `None` if it did not.
    pub error: Option<&'a FeedError>,
    /// Failures in a row.
    pub failures: u32,
    /// Whether the data is what an earlier run knew.
    pub restored: bool,
    lifetime: SignedDuration,
}

impl Freshness<'_> {
    /// How old the data is; `None` if there is none. Never negative, whatever the clocks did.
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.data_at
            .map(|at| now.duration_since(at).max(SignedDuration::ZERO))
    }

    /// Whether there is data that should be marked as old: the last try failed, or no try came for too long.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.age(now)
            .is_some_and(|age| self.failures > 0 || age > self.lifetime)
    }

    /// Whether nothing was tried yet and nothing is there.
    pub fn is_waiting(&self) -> bool {
        self.data_at.is_none() && self.tried_at.is_none()
    }
}

/// How a cluster is doing, seen from here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Health<'a> {
    /// Nothing has come yet; there may be last known data from an earlier run.
    Connecting,
    /// Its inventory is fresh.
    Live,
    /// It was reached, and its inventory is too old or the last read of it failed.
    Stale(Option<&'a FeedError>),
    /// It does not answer.
    Unreachable(&'a FeedError),
    /// Its certificate is not the trusted one.
    Untrusted(&'a FeedError),
    /// It refuses the sign-in.
    SignInRefused(&'a FeedError),
}

impl<'a> Health<'a> {
    /// The word for headers and filters.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale(_) => "stale",
            Self::Unreachable(_) => "unreachable",
            Self::Untrusted(_) => "untrusted",
            Self::SignInRefused(_) => "sign-in refused",
        }
    }

    /// Why it is not live, where a read said so.
    pub fn error(&self) -> Option<&'a FeedError> {
        match self {
            Self::Connecting | Self::Live => None,
            Self::Stale(error) => *error,
            Self::Unreachable(error) | Self::Untrusted(error) | Self::SignInRefused(error) => Some(error),
        }
    }
}

/// Something that is read again and again.
pub(super) trait Periodic {
    /// How often.
    fn period(&self) -> SignedDuration;
}

impl Periodic for Feed {
    fn period(&self) -> SignedDuration {
        self.period()
    }
}

/// The records of all feeds of a server.
#[derive(Debug)]
pub(super) struct Records<F = Feed>(HashMap<F, Record>);

impl<F> Default for Records<F> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Default, Debug)]
struct Record {
    data_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    error: Option<FeedError>,
    failures: u32,
    restored: bool,
}

impl<F: Periodic + Clone + Eq + Hash> Records<F> {
    pub(super) fn get(&self, feed: &F) -> Freshness<'_> {
        let lifetime = feed.period() * PERIODS_UNTIL_STALE;
        match self.0.get(feed) {
            None => Freshness {
                data_at: None,
                tried_at: None,
                error: None,
                failures: 0,
                restored: false,
                lifetime,
            },
            Some(record) => Freshness {
                data_at: record.data_at,
                tried_at: record.tried_at,
                error: record.error.as_ref(),
                failures: record.failures,
                restored: record.restored,
                lifetime,
            },
        }
    }

    /// Data came. Says whether more than the age changed: the first data, or the end of an error.
    pub(super) fn succeed(&mut self, feed: &F, at: Timestamp) -> bool {
        let record = self.0.entry(feed.clone()).or_default();
        let news = record.data_at.is_none() || record.restored || record.error.is_some();
        *record = Record {
            data_at: Some(at),
            tried_at: Some(at),
            error: None,
            failures: 0,
            restored: false,
        };
        news
    }

    /// A read failed. Says whether that is news: a first or another error.
    pub(super) fn fail(&mut self, feed: &F, at: Timestamp, error: FeedError) -> bool {
        let record = self.0.entry(feed.clone()).or_default();
        record.tried_at = Some(at);
        record.failures = record.failures.saturating_add(1);
        let news = record.error.as_ref() != Some(&error);
        record.error = Some(error);
        news
    }

    /// Data from an earlier run: it has an age, and nothing was tried.
    pub(super) fn restore(&mut self, feed: F, at: Timestamp) {
        let record = self.0.entry(feed).or_default();
        record.data_at = Some(at);
        record.restored = true;
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&F) -> bool) {
        self.0.retain(|feed, _| keep(feed));
    }
}

impl Records {
    /// How the cluster is doing: the feed that it lives on speaks for it.
    pub(super) fn health(&self, heart: &Feed, now: Timestamp) -> Health<'_> {
        let inventory = self.get(heart);
        match inventory.error {
            Some(error) => match error.kind {
                FeedErrorKind::Unreachable => Health::Unreachable(error),
                FeedErrorKind::Untrusted => Health::Untrusted(error),
                FeedErrorKind::SignIn => Health::SignInRefused(error),
                _ => Health::Stale(Some(error)),
            },
            None if inventory.tried_at.is_none() => Health::Connecting,
            None if inventory.is_stale(now) => Health::Stale(None),
            None => Health::Live,
        }
    }
}
