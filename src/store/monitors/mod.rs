//! The last known truth of monitoring: what Prometheus, Alertmanager and exporters said, and how fresh it is.
//!
//! What always holds here:
//! - A failed read never removes anything: the feed keeps its data, its age and gets the error.
//! - What is kept is bounded: the answers of the queries that were asked last, and one list of each kind.

mod columns;
pub mod feed;

use std::collections::{HashMap, VecDeque};

use jiff::SignedDuration;

use crate::domain::{
    ClusterId, MonitorId, MonitorInfo, MonitorKind,
    alert::{Alert, Rule, Silence},
    dashboard::Dashboards,
    metric::{Labels, Sample, Scrape},
    monitor::Answer,
    rate,
    template::{self, Of, Template},
};

use super::{
    feed::{FeedError, FeedErrorKind},
    freshness::{Freshness, Records},
    shelf::Shelf,
};
pub use columns::MetricColumn;
use feed::{MonitorFeed, MonitorKey, MonitorPayload, MonitorUpdate};

/// How many answers of queries are kept of each server.
const ANSWERS: usize = 64;
/// Scrapes farther apart than this have no rates.
const LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// How many series of an exporter are kept over time, and how many of their samples.
const SERIES: usize = 2_000;
const SAMPLES: usize = 240;
/// A series that was not there for so long is forgotten.
const GONE: SignedDuration = SignedDuration::from_mins(10);

/// All monitoring servers.
#[derive(Default, Debug)]
pub struct Monitors {
    servers: Vec<Monitor>,
    index: HashMap<MonitorId, usize>,
    /// What is asked of a Prometheus, as the configuration says.
    pub templates: Vec<Template>,
    /// Where dashboards are.
    pub dashboards: Dashboards,
    pub(super) columns: columns::Columns,
}

/// One server and what it said.
#[derive(Debug)]
pub struct Monitor {
    info: MonitorInfo,
    records: Records<MonitorFeed>,
    names: Option<Vec<Box<str>>>,
    answers: Shelf<MonitorFeed, Option<Answer>>,
    alerts: Option<Vec<Alert>>,
    rules: Option<Vec<Rule>>,
    silences: Option<Vec<Silence>>,
    scrape: Option<Scraped>,
}

/// What an exporter said last.
#[derive(Default, Debug)]
pub struct Scraped {
    /// As it said it.
    pub last: Scrape,
    /// Its counters as rates, and what else it shows as it is.
    pub points: Vec<(Labels, Sample)>,
    /// The same over the last scrapes, of as many series as are kept.
    rings: HashMap<Labels, VecDeque<Sample>>,
}

impl Scraped {
    /// A series over the last scrapes, the oldest sample first.
    pub fn ring(&self, labels: &Labels) -> Option<impl ExactSizeIterator<Item = Sample> + '_> {
        self.rings.get(labels).map(|ring| ring.iter().copied())
    }

    fn take(&mut self, scrape: Scrape) {
        self.points = rate::since(&self.last, &scrape, LONGEST);
        self.last = scrape;
        let newest = self.points.iter().map(|(_, sample)| sample.at).max();
        for (labels, sample) in &self.points {
            if let Some(ring) = self.rings.get_mut(labels) {
                if ring.len() >= SAMPLES {
                    ring.pop_front();
                }
                ring.push_back(*sample);
            } else if self.rings.len() < SERIES {
                self.rings.insert(labels.clone(), VecDeque::from([*sample]));
            }
        }
        // A series that is gone makes room for others after a while.
        self.rings.retain(|_, ring| {
            let last = ring.back().map(|sample| sample.at);
            last.zip(newest)
                .is_some_and(|(last, newest)| newest.duration_since(last) < GONE)
        });
    }
}

impl Monitors {
    /// Sets the servers, of which nothing was read yet, in the order of the configuration.
    pub(super) fn set_servers(&mut self, servers: impl IntoIterator<Item = MonitorInfo>) {
        self.servers.clear();
        self.index.clear();
        for info in servers {
            if !self.index.contains_key(&info.id) {
                self.index.insert(info.id.clone(), self.servers.len());
                self.servers.push(Monitor::new(info));
            }
        }
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> &[Monitor] {
        &self.servers
    }

    /// One of them.
    pub fn get(&self, id: &MonitorId) -> Option<&Monitor> {
        self.index.get(id).map(|at| &self.servers[*at])
    }

    /// Those of a kind.
    pub fn of(&self, kind: MonitorKind) -> impl Iterator<Item = &Monitor> {
        self.servers.iter().filter(move |one| one.info.id.kind == kind)
    }

    /// The first of a kind that watches a cluster.
    pub fn watching(&self, kind: MonitorKind, cluster: &ClusterId) -> Option<&Monitor> {
        self.of(kind).find(|one| one.info.watches(cluster))
    }

    /// How a metric is asked of a server: by the first template whose metrics it has.
    pub fn template(&self, server: &Monitor, of: Of, name: &str) -> Option<&Template> {
        template::choose(&self.templates, of, name, |metric| server.has(metric))
    }

    /// How fresh a feed is. One of an unknown server has never been read.
    pub fn freshness(&self, key: &MonitorKey) -> Freshness<'_> {
        static NOTHING: std::sync::LazyLock<Records<MonitorFeed>> =
            std::sync::LazyLock::new(Records::default);
        self.get(&key.server)
            .map_or_else(|| NOTHING.get(&key.feed), |server| server.freshness(&key.feed))
    }

    /// What a query gave last.
    pub fn answer(&self, key: &MonitorKey) -> Option<&Answer> {
        self.get(&key.server)?.answer(&key.feed)
    }

    /// Takes the outcome of one read. Says whether data changed, and whether freshness did in a way that is news.
    pub(super) fn apply(&mut self, update: MonitorUpdate) -> (bool, bool) {
        let Some(at) = self.index.get(&update.key.server) else {
            return (false, false);
        };
        self.servers[*at].take(update)
    }
}

impl Monitor {
    fn new(info: MonitorInfo) -> Self {
        Self {
            info,
            records: Records::default(),
            names: None,
            answers: Shelf::new(ANSWERS),
            alerts: None,
            rules: None,
            silences: None,
            scrape: None,
        }
    }

    /// What is known of it without asking it.
    pub fn info(&self) -> &MonitorInfo {
        &self.info
    }

    /// Which one it is.
    pub fn id(&self) -> &MonitorId {
        &self.info.id
    }

    /// How fresh one of its feeds is.
    pub fn freshness(&self, feed: &MonitorFeed) -> Freshness<'_> {
        self.records.get(feed)
    }

    /// The names of its metrics, sorted ([`MonitorFeed::Names`]). Foreign text.
    pub fn names(&self) -> Option<&[Box<str>]> {
        self.names.as_deref()
    }

    /// Whether it has a metric of this name, as far as is known.
    pub fn has(&self, name: &str) -> bool {
        let names = self.names.as_deref().unwrap_or_default();
        names.binary_search_by(|known| (**known).cmp(name)).is_ok()
    }

    /// What a query gave last ([`MonitorFeed::Instant`], [`MonitorFeed::Range`]).
    pub fn answer(&self, feed: &MonitorFeed) -> Option<&Answer> {
        self.answers.get(feed)?.as_ref()
    }

    /// Its alerts ([`MonitorFeed::Alerts`]).
    pub fn alerts(&self) -> Option<&[Alert]> {
        self.alerts.as_deref()
    }

    /// Its rules ([`MonitorFeed::Rules`]).
    pub fn rules(&self) -> Option<&[Rule]> {
        self.rules.as_deref()
    }

    /// Its silences ([`MonitorFeed::Silences`]).
    pub fn silences(&self) -> Option<&[Silence]> {
        self.silences.as_deref()
    }

    /// What its page said last ([`MonitorFeed::Scrape`]).
    pub fn scrape(&self) -> Option<&Scraped> {
        self.scrape.as_ref()
    }

    fn take(&mut self, update: MonitorUpdate) -> (bool, bool) {
        let MonitorUpdate { key, at, outcome } = update;
        let feed = key.feed;
        if matches!(feed, MonitorFeed::Instant(_) | MonitorFeed::Range(..)) {
            // The record of a query that fails needs a bound as well.
            if let (_, Some(gone)) = self.answers.touch(&feed) {
                self.records.retain(|known| *known != gone);
            }
        }
        match outcome.map(|payload| self.put(&feed, payload)) {
            Ok(Some(changed)) => (changed, self.records.succeed(&feed, at)),
            Ok(None) => (false, self.records.fail(&feed, at, mismatch())),
            Err(error) => (false, self.records.fail(&feed, at, error)),
        }
    }

    /// Puts what came in its place. Says whether it is something else; `None` if it belongs to another feed.
    fn put(&mut self, feed: &MonitorFeed, payload: MonitorPayload) -> Option<bool> {
        Some(match (feed, payload) {
            (MonitorFeed::Names, MonitorPayload::Names(mut names)) => {
                // The server's order is by bytes as well; a proxy that merges several may not keep to it.
                names.sort_unstable();
                set(&mut self.names, names)
            }
            (MonitorFeed::Instant(_) | MonitorFeed::Range(..), MonitorPayload::Answer(answer)) => {
                set(self.answers.touch(feed).0, answer)
            }
            (MonitorFeed::Alerts, MonitorPayload::Alerts(alerts)) => set(&mut self.alerts, alerts),
            (MonitorFeed::Rules, MonitorPayload::Rules(rules)) => set(&mut self.rules, rules),
            (MonitorFeed::Silences, MonitorPayload::Silences(silences)) => set(&mut self.silences, silences),
            (MonitorFeed::Scrape, MonitorPayload::Scrape(scrape)) => {
                self.scrape.get_or_insert_default().take(scrape);
                true
            }
            _ => return None,
        })
    }
}

fn set<T: PartialEq>(place: &mut Option<T>, value: T) -> bool {
    if place.as_ref() == Some(&value) {
        return false;
    }
    *place = Some(value);
    true
}

fn mismatch() -> FeedError {
    FeedError {
        kind: FeedErrorKind::Malformed,
        message: "the answer belongs to another question; this is a fault of pvedeck, please report it"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::metric::{MetricKind, Point, QueryValue};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn id() -> MonitorId {
        MonitorId::new(MonitorKind::Prometheus, "prometheus")
    }

    fn monitors() -> Monitors {
        let mut monitors = Monitors::default();
        monitors.set_servers([MonitorInfo {
            id: id(),
            address: "http://mon:9090".into(),
            clusters: vec!["prod".into()],
            cluster_label: "cluster".into(),
            read_only: false,
        }]);
        monitors
    }

    fn number(value: f64) -> MonitorPayload {
        MonitorPayload::Answer(Answer {
            value: QueryValue::Scalar(Sample { at: at(0), value }),
            warnings: Vec::new(),
        })
    }

    fn up(query: &str) -> MonitorKey {
        MonitorFeed::Instant(query.into()).of(&id())
    }

    #[test]
    fn a_failure_keeps_what_is_known() {
        let mut monitors = monitors();
        let mut take = |second, outcome| {
            monitors.apply(MonitorUpdate {
                key: up("up"),
                at: at(second),
                outcome,
            })
        };
        assert_eq!(take(10, Ok(number(1.0))), (true, true));
        assert_eq!(take(20, Ok(number(1.0))), (false, false), "nothing new");
        let error = FeedError {
            kind: FeedErrorKind::Unreachable,
            message: "it does not answer".to_owned(),
        };
        assert_eq!(take(30, Err(error)), (false, true));
        assert_eq!(take(40, Ok(MonitorPayload::Names(Vec::new()))), (false, true));
        let fresh = monitors.freshness(&up("up"));
        assert!(fresh.is_stale(at(40)) && fresh.data_at == Some(at(20)));
        assert!(monitors.answer(&up("up")).is_some());
    }

    #[test]
    fn what_was_asked_long_ago_goes_with_its_record() {
        let mut monitors = monitors();
        for number in 0..=ANSWERS {
            let outcome = Err(mismatch());
            let key = up(&number.to_string());
            monitors.apply(MonitorUpdate {
                key,
                at: at(10),
                outcome,
            });
        }
        assert!(monitors.freshness(&up("0")).is_waiting());
        assert!(!monitors.freshness(&up("1")).is_waiting());
        assert_eq!(
            monitors.apply(MonitorUpdate {
                key: MonitorFeed::Names.of(&MonitorId::new(MonitorKind::Prometheus, "other")),
                at: at(10),
                outcome: Ok(MonitorPayload::Names(Vec::new())),
            }),
            (false, false)
        );
    }

    #[test]
    fn series_of_an_exporter_are_kept_over_time_within_bounds() {
        let mut scraped = Scraped::default();
        for step in 0..300 {
            let point = |number: usize| Point {
                labels: [("n", number.to_string())].into_iter().collect(),
                kind: MetricKind::Gauge,
                sample: Sample {
                    at: at(step * 15),
                    value: 1.0,
                },
            };
            // In the end most of them are gone.
            let count = if step < 200 { SERIES + 10 } else { 3 };
            scraped.take(Scrape {
                points: (0..count).map(point).collect(),
                ..Scrape::default()
            });
            assert!(scraped.rings.len() <= SERIES);
        }
        assert_eq!(scraped.rings.len(), 3);
        let first: Labels = [("n", "0")].into_iter().collect();
        assert_eq!(scraped.ring(&first).unwrap().len(), SAMPLES);
    }

    #[test]
    fn a_server_is_found_by_the_cluster_that_it_watches() {
        let monitors = monitors();
        let found = |kind, cluster: &str| monitors.watching(kind, &cluster.into()).is_some();
        assert!(found(MonitorKind::Prometheus, "prod") && !found(MonitorKind::Prometheus, "lab"));
        assert!(!found(MonitorKind::Exporter, "prod"));
    }
}
