//! When to ask a monitoring server what: decided without a clock and without I/O.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    store::{FeedErrorKind, MonitorFeed},
    sync::schedule::{SETTLE, SIGN_IN_PATIENCE, WINDOW, backoff},
};

/// Requests per window and server in steady state.
pub const BUDGET: usize = 6;
/// Requests at the same time: a query may be work for the server.
pub const AT_ONCE: usize = 4;
/// What is forbidden, not there or wrong is tried again after this long.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug)]
struct Job {
    due: Instant,
    /// Beyond the budget: a person has just opened it or asked for it.
    now: bool,
    reading: bool,
    /// Whether anybody looks. What nobody looks at any more is forgotten when it would be due.
    watched: bool,
    failures: u32,
}

/// The reads of one server.
#[derive(Default, Debug)]
pub struct MonitorSchedule {
    jobs: BTreeMap<MonitorFeed, Job>,
    /// When requests went out, the oldest first; older than the window is forgotten.
    sent: VecDeque<Instant>,
    paused: bool,
    /// Nothing is sent before this: the server does not answer, or must not be asked.
    closed_until: Option<Instant>,
    /// The certificate was not the trusted one: nothing is sent until somebody asks for it.
    stopped: bool,
    /// Failures in a row of the server as a whole.
    doubts: u32,
}

impl MonitorSchedule {
    /// What is on the screen from now on, and whether reading is paused.
    pub fn watch(&mut self, feeds: &BTreeSet<MonitorFeed>, paused: bool, now: Instant) {
        self.paused = paused;
        for feed in feeds {
            let fresh = Job {
                due: now + SETTLE,
                now: true,
                reading: false,
                watched: true,
                failures: 0,
            };
            self.jobs.entry(feed.clone()).or_insert(fresh).watched = true;
        }
        self.jobs.retain(|feed, job| {
            job.watched = feeds.contains(feed);
            job.watched || job.reading || job.due > now
        });
    }

    /// Somebody asked: these are read at once, whatever stood against it.
    pub fn refresh(&mut self, feeds: &BTreeSet<MonitorFeed>, now: Instant) {
        self.stopped = false;
        self.closed_until = None;
        for feed in feeds {
            if let Some(job) = self.jobs.get_mut(feed) {
                job.due = now;
                job.now = true;
            }
        }
    }

    /// What to read now. Each is in flight until [`MonitorSchedule::finished`] is told of it.
    pub fn start(&mut self, now: Instant) -> Vec<MonitorFeed> {
        let mut flying = self.jobs.values().filter(|job| job.reading).count();
        if self.stopped || self.closed_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        while self
            .sent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= WINDOW)
        {
            self.sent.pop_front();
        }
        // A server that did not answer is asked one question, not all of them.
        let most = if self.doubts > 0 { 1 } else { AT_ONCE };
        let mut due: Vec<(&MonitorFeed, &mut Job)> = self
            .jobs
            .iter_mut()
            .filter(|(_, job)| job.watched && !job.reading && job.due <= now && (job.now || !self.paused))
            .collect();
        due.sort_by_key(|(_, job)| (!job.now, job.due));
        let mut starting = Vec::new();
        for (feed, job) in due {
            if flying >= most || (!job.now && self.sent.len() >= BUDGET) {
                break;
            }
            flying += 1;
            self.sent.push_back(now);
            job.reading = true;
            job.now = false;
            starting.push(feed.clone());
        }
        starting
    }

    /// A read came back. `jitter` is between 0 and 1.
    pub fn finished(
        &mut self,
        feed: &MonitorFeed,
        outcome: Result<(), FeedErrorKind>,
        now: Instant,
        jitter: f64,
    ) {
        let Some(job) = self.jobs.get_mut(feed) else {
            return;
        };
        job.reading = false;
        let period = Duration::try_from(feed.period()).unwrap_or(WINDOW);
        let Err(kind) = outcome else {
            job.failures = 0;
            // By the time it was due, not answered; but what came late does not catch up.
            job.due = (job.due + period).max(now + period * 4 / 5);
            self.doubts = 0;
            self.closed_until = None;
            return;
        };
        job.failures = job.failures.saturating_add(1);
        job.due = now
            + match kind {
                FeedErrorKind::NotAllowed | FeedErrorKind::NotAvailable | FeedErrorKind::Query(_) => {
                    PATIENCE.max(period)
                }
                FeedErrorKind::SignIn => SIGN_IN_PATIENCE,
                _ => backoff(job.failures, jitter).max(period / 2),
            };
        match kind {
            FeedErrorKind::Untrusted => self.stopped = true,
            FeedErrorKind::SignIn => self.close(now + SIGN_IN_PATIENCE),
            FeedErrorKind::Unreachable => {
                self.doubts = self.doubts.saturating_add(1);
                let again = now + backoff(self.doubts, jitter);
                job.due = again;
                self.close(again);
            }
            // It answers, and only this one did not go well.
            _ => self.doubts = 0,
        }
    }

    fn close(&mut self, until: Instant) {
        self.closed_until = Some(self.closed_until.map_or(until, |already| already.max(until)));
    }

    /// When to look again at the latest; `None` if nothing will be due by itself.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let flying = self.jobs.values().filter(|job| job.reading).count();
        if self.stopped || flying >= AT_ONCE || (self.doubts > 0 && flying > 0) {
            return None;
        }
        // What is due and has no room waits until the oldest request leaves the window.
        let room = match self.sent.front() {
            Some(at) if self.sent.len() >= BUDGET => *at + WINDOW,
            _ => now,
        };
        let due = self
            .jobs
            .values()
            .filter(|job| job.watched && !job.reading && (job.now || !self.paused))
            .map(|job| if job.now { job.due } else { job.due.max(room) })
            .min()?;
        let open = self.closed_until.map_or(due, |until| due.max(until));
        Some(open.max(now + Duration::from_millis(20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(number: usize) -> MonitorFeed {
        MonitorFeed::Instant(number.to_string().into())
    }

    fn queries(count: usize) -> BTreeSet<MonitorFeed> {
        (0..count).map(query).collect()
    }

    /// Runs a server that answers at once for some seconds; says when what was asked.
    fn run(
        schedule: &mut MonitorSchedule,
        start: Instant,
        seconds: u64,
        answer: impl Fn(&MonitorFeed) -> Result<(), FeedErrorKind>,
    ) -> Vec<(Duration, MonitorFeed)> {
        let (mut now, end) = (start, start + Duration::from_secs(seconds));
        let mut asked = Vec::new();
        while now < end {
            for feed in schedule.start(now) {
                schedule.finished(&feed, answer(&feed), now, 1.0);
                asked.push((now - start, feed));
            }
            let Some(wake) = schedule.next_wake(now) else {
                break;
            };
            assert!(wake > now);
            now = wake;
        }
        asked
    }

    #[test]
    fn what_nobody_looks_at_is_not_asked() {
        let (mut schedule, start) = (MonitorSchedule::default(), Instant::now());
        assert_eq!(schedule.next_wake(start), None);
        schedule.watch(&queries(2), false, start);
        let asked = run(&mut schedule, start, 60, |_| Ok(()));
        assert_eq!(asked.len(), 8, "two queries each fifteen seconds");
        // They would be due at the end of the minute.
        let later = start + Duration::from_secs(50);
        schedule.watch(&BTreeSet::new(), false, later);
        assert!(run(&mut schedule, later, 600, |_| Ok(())).is_empty());
        // Whoever comes back before it would be due is shown what is there.
        schedule.watch(&queries(2), false, later + Duration::from_secs(1));
        assert!(schedule.start(later + Duration::from_secs(2)).is_empty());
    }

    #[test]
    fn many_queries_keep_to_the_budget_and_none_starves() {
        let (mut schedule, start) = (MonitorSchedule::default(), Instant::now());
        schedule.watch(&queries(30), false, start);
        assert_eq!(schedule.start(start + SETTLE).len(), AT_ONCE);
        for feed in &queries(30) {
            schedule.finished(feed, Ok(()), start + SETTLE, 0.0);
        }
        let asked = run(&mut schedule, start + SETTLE, 300, |_| Ok(()));
        let steady: Vec<_> = asked.iter().filter(|(at, _)| at.as_secs() >= 20).collect();
        for (at, _) in &steady {
            let window = steady
                .iter()
                .filter(|(other, _)| *other >= *at && *other < *at + WINDOW);
            assert!(window.count() <= BUDGET);
        }
        let seen: BTreeSet<&MonitorFeed> = steady.iter().map(|(_, feed)| feed).collect();
        assert_eq!(seen.len(), 30);
    }

    #[test]
    fn a_dead_server_is_asked_one_question_ever_more_rarely_and_comes_back() {
        let (mut schedule, start) = (MonitorSchedule::default(), Instant::now());
        schedule.watch(&queries(5), false, start);
        let dead = |_: &MonitorFeed| Err(FeedErrorKind::Unreachable);
        let asked = run(&mut schedule, start, 3600, dead);
        assert!(asked.len() < 80, "{}", asked.len());
        let back = start + Duration::from_secs(3700);
        let asked = run(&mut schedule, back, 60, |_| Ok(()));
        let seen: BTreeSet<&MonitorFeed> = asked.iter().map(|(_, feed)| feed).collect();
        assert_eq!(seen.len(), 5, "everything is read again");
    }

    #[test]
    fn a_wrong_query_does_not_hold_up_the_others() {
        let (mut schedule, start) = (MonitorSchedule::default(), Instant::now());
        schedule.watch(&queries(3), false, start);
        let asked = run(&mut schedule, start, 100, |feed| {
            if *feed == query(0) {
                Err(FeedErrorKind::Query(Some((1, 8))))
            } else {
                Ok(())
            }
        });
        let count = |number| asked.iter().filter(|(_, feed)| *feed == query(number)).count();
        assert_eq!([count(0), count(1), count(2)], [1, 7, 7]);
    }

    #[test]
    fn a_pause_and_an_unknown_certificate_stop_it_until_somebody_asks() {
        let (mut schedule, start) = (MonitorSchedule::default(), Instant::now());
        schedule.watch(&queries(1), false, start);
        run(&mut schedule, start, 1, |_| Ok(()));
        schedule.watch(&queries(1), true, start);
        assert!(run(&mut schedule, start, 600, |_| Ok(())).is_empty());
        schedule.watch(&queries(1), false, start);
        let asked = run(&mut schedule, start, 600, |_| Err(FeedErrorKind::Untrusted));
        assert_eq!(asked.len(), 1);
        schedule.refresh(&queries(1), start);
        assert_eq!(schedule.start(start), [query(0)]);
    }
}
