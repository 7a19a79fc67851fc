//! What can be read from a monitoring server, and what a read brings.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        MonitorId,
        alert::{Alert, Rule, Silence},
        metric::Scrape,
        monitor::{Answer, Stretch},
    },
    store::{feed::FeedError, freshness::Periodic},
};

/// One thing that can be read from a monitoring server: one feed is one request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MonitorFeed {
    /// Of a Prometheus, `/api/v1/label/__name__/values`: the names of all metrics.
    Names,
    /// Of a Prometheus, `/api/v1/query`: an expression now. A column of a list is one of them, whatever the number of rows.
    Instant(Box<str>),
    /// Of a Prometheus, `/api/v1/query_range`: an expression over time.
    Range(Box<str>, Stretch),
    /// `/api/v1/alerts` of a Prometheus, `/api/v2/alerts` of an Alertmanager.
    Alerts,
    /// Of a Prometheus, `/api/v1/rules`.
    Rules,
    /// Of an Alertmanager, `/api/v2/silences`.
    Silences,
    /// The page of an exporter.
    Scrape,
}

impl MonitorFeed {
    /// How often a new read is worth its cost while somebody looks. Data that is three periods old is stale.
    pub fn period(&self) -> SignedDuration {
        let seconds = match self {
            Self::Range(_, Stretch { until: Some(_), .. }) => 900,
            Self::Range(_, stretch) => {
                // A new point comes each step; scrapes closer than this are rare.
                (stretch.seconds / i64::from(stretch.points.max(1))).clamp(15, 300)
            }
            Self::Instant(_) | Self::Alerts | Self::Scrape => 15,
            Self::Silences => 30,
            Self::Rules => 60,
            Self::Names => 300,
        };
        SignedDuration::from_secs(seconds)
    }

    /// This feed of that server.
    pub fn of(self, server: &MonitorId) -> MonitorKey {
        MonitorKey {
            server: server.clone(),
            feed: self,
        }
    }
}

impl Periodic for MonitorFeed {
    fn period(&self) -> SignedDuration {
        self.period()
    }
}

/// A feed of one of the monitoring servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MonitorKey {
    /// Of which server.
    pub server: MonitorId,
    /// Which feed.
    pub feed: MonitorFeed,
}

/// What a read brought. Each variant belongs to the feed of the same name, `Answer` to `Instant` and `Range`.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the feeds of the same names say it")]
pub enum MonitorPayload {
    Names(Vec<Box<str>>),
    Answer(Answer),
    Alerts(Vec<Alert>),
    Rules(Vec<Rule>),
    Silences(Vec<Silence>),
    Scrape(Scrape),
}

/// The outcome of one read.
#[derive(Clone, PartialEq, Debug)]
pub struct MonitorUpdate {
    /// What was read.
    pub key: MonitorKey,
    /// When the answer (or failure) was there.
    pub at: Timestamp,
    /// What it brought.
    pub outcome: Result<MonitorPayload, FeedError>,
}
