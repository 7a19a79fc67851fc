//! When to read what: decided without a clock and without I/O.

mod rhythm;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use self::rhythm::{is_found_by_survey, rhythm, survives};
use crate::store::{Feed, FeedErrorKind};

/// Requests per window and cluster in steady state.
pub const BUDGET: usize = 3;
/// The window of the budget.
pub const WINDOW: Duration = Duration::from_secs(10);
/// A selection that moves on within this time is not read: one scrolls past it.
pub const SETTLE: Duration = Duration::from_millis(150);

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(60);
/// What is forbidden or does not exist is tried again after this long: somebody may have granted or started it.
const PATIENCE: Duration = Duration::from_secs(300);
/// A refused sign-in costs the server three seconds and may lock an account.
pub(super) const SIGN_IN_PATIENCE: Duration = Duration::from_secs(120);

/// Why a feed is read at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reason {
    /// Nobody looks, but findings live on it.
    Survey,
    /// It is on the screen.
    Watched,
    /// Header, lists and toasts rest on it, whatever is on the screen.
    Core,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    reason: Reason,
    due: Instant,
    /// Beyond the budget: a person has just opened it or asked for it.
    now: bool,
    flight: Flight,
    failures: u32,
    /// Whether any read of it has come back.
    answered: bool,
    /// When it was last read without failure.
    read: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flight {
    /// Nothing is under way.
    None,
    /// It is being read.
    Reading,
    /// It is being read, and nobody looks any more: it goes when the read has come back.
    Orphan,
}

/// What is read of a server whatever is on the screen.
#[derive(Clone, Debug)]
pub struct Core {
    /// What everything rests on: whoever does not answer this is away.
    pub heart: Feed,
    /// What is read at once, beside it.
    pub first: Vec<Feed>,
    /// What is read as soon as there is room.
    pub then: Vec<Feed>,
    /// What findings live on although nobody looks.
    pub survey: Vec<Feed>,
}

impl Core {
    /// Of a cluster: inventory, quorum and tasks at once.
    pub fn cluster() -> Self {
        Self {
            heart: Feed::Resources,
            first: vec![Feed::ClusterStatus, Feed::Tasks],
            then: vec![Feed::HaStatus],
            survey: vec![Feed::Version],
        }
    }
}

/// The reads of one cluster.
#[derive(Debug)]
pub struct Schedule {
    /// What everything rests on.
    heart: Feed,
    jobs: BTreeMap<Feed, Job>,
    /// When requests went out, by how many, the oldest first; older than the window is forgotten.
    sent: VecDeque<(Instant, usize)>,
    paused: bool,
    /// Nothing is sent before this: the cluster does not answer, or must not be asked.
    closed_until: Option<Instant>,
    /// The certificate was not the trusted one: nothing is sent until somebody asks for it.
    stopped: bool,
    /// Failures in a row of the cluster as a whole: no answer, or a refused sign-in.
    doubts: u32,
    /// Somebody asked for something: one more question may go to a cluster that owes an answer.
    urged: bool,
    /// When a survey last had the turn that is its own.
    surveyed: Option<Instant>,
}

impl Schedule {
    /// The schedule of a cluster that begins now.
    pub fn new(now: Instant) -> Self {
        Self::of(Core::cluster(), now)
    }

    /// A schedule that begins now.
    pub fn of(core: Core, now: Instant) -> Self {
        let mut schedule = Self {
            heart: core.heart.clone(),
            jobs: BTreeMap::new(),
            sent: VecDeque::new(),
            paused: false,
            closed_until: None,
            stopped: false,
            doubts: 0,
            urged: false,
            surveyed: None,
        };
        for feed in [vec![core.heart], core.first].concat() {
            schedule.add(feed, Reason::Core, now, true);
        }
        for feed in core.then {
            schedule.add(feed, Reason::Core, now, false);
        }
        for feed in core.survey {
            schedule.add(feed, Reason::Survey, now, false);
        }
        schedule
    }

    fn add(&mut self, feed: Feed, reason: Reason, due: Instant, now: bool) {
        let fresh = Job {
            reason,
            due,
            now,
            flight: Flight::None,
            failures: 0,
            answered: false,
            read: None,
        };
        let job = self.jobs.entry(feed).or_insert(fresh);
        if job.flight == Flight::Orphan {
            job.flight = Flight::Reading;
        }
        if reason > job.reason {
            job.reason = reason;
        }
    }

    /// What is on the screen from now on. New things are read as soon as the selection has settled.
    pub fn watch(&mut self, feeds: &BTreeSet<Feed>, now: Instant) {
        for feed in feeds {
            let known = self.jobs.get(feed).map(|job| job.reason);
            self.add(feed.clone(), Reason::Watched, now + SETTLE, true);
            if let (Some(reason), Some(job)) = (known, self.jobs.get_mut(feed))
                && job.flight == Flight::None
                && job.failures == 0
            {
                // It was only surveyed until now, or waited for room in the budget: whoever looks should not see what
                // is older than need be.
                let fresh_until = job.read.map(|read| read + period(feed));
                match fresh_until {
                    Some(until) if until > now => job.due = job.due.min(until),
                    Some(_) if reason != Reason::Survey => {}
                    _ => {
                        job.due = job.due.min(now + SETTLE);
                        job.now = true;
                    }
                }
            }
        }
        self.jobs.retain(|feed, job| {
            if job.reason == Reason::Watched && !feeds.contains(feed) {
                if survives(feed) {
                    job.reason = Reason::Survey;
                    return true;
                }
                let reading = job.flight != Flight::None;
                job.flight = Flight::Orphan;
                return reading;
            }
            true
        });
    }

    /// What findings need of the nodes that are online, although nobody looks. It replaces what was surveyed of
    /// nodes before: one that is away is not asked again and again.
    pub fn survey(&mut self, feeds: impl IntoIterator<Item = Feed>, now: Instant) {
        let feeds: BTreeSet<Feed> = feeds.into_iter().collect();
        self.jobs.retain(|feed, job| {
            job.reason != Reason::Survey
                || !is_found_by_survey(feed)
                || feeds.contains(feed)
                || job.flight != Flight::None
        });
        for feed in feeds {
            self.add(feed, Reason::Survey, now, false);
        }
    }

    /// Somebody asked: these are read at once, whatever stood against it.
    pub fn refresh(&mut self, feeds: &BTreeSet<Feed>, now: Instant) {
        self.stopped = false;
        self.closed_until = None;
        self.urged = true;
        for feed in feeds {
            self.add(feed.clone(), Reason::Watched, now, true);
            if let Some(job) = self.jobs.get_mut(feed) {
                job.due = now;
                job.now = true;
            }
        }
    }

    /// Stops or goes on.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// What to read now. Each is in flight until [`Schedule::finished`] is told of it.
    pub fn start(&mut self, now: Instant) -> Vec<Feed> {
        if self.stopped || self.awaits() || self.closed_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        while self
            .sent
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
        {
            self.sent.pop_front();
        }
        let mut spent: usize = self.sent.iter().map(|(_, cost)| cost).sum();
        let mut due: Vec<(Feed, Job)> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.flight == Flight::None && job.due <= now && (job.now || !self.paused))
            .map(|(feed, job)| (feed.clone(), *job))
            .collect();
        // The longer over its time, by its own measure, the sooner its turn: so nothing starves. What was never read
        // has no time of its own yet.
        let wait = |feed: &Feed, job: &Job| {
            let rhythm = rhythm(feed, job.reason);
            let measure = if job.answered {
                rhythm
            } else {
                rhythm.min(FIRST_TURN)
            };
            now.duration_since(job.due).as_secs_f64() / measure.as_secs_f64()
        };
        let class = |feed: &Feed, job: &Job| {
            let watched = job.reason > Reason::Survey;
            (job.now, is_first(feed, job.reason), watched)
        };
        due.sort_by(|(a, x), (b, y)| {
            class(b, y)
                .cmp(&class(a, x))
                .then_with(|| wait(b, y).total_cmp(&wait(a, x)))
        });
        // What is on the screen goes before what is only surveyed, except for one survey now and then: neither does a
        // page with much on it end the findings, nor do a hundred nodes make a page stale.
        let rested = self.surveyed.map_or(WINDOW * 60, |last| now.duration_since(last));
        if rested >= SURVEY_TURN
            && !self.probing()
            && let Some(survey) = due
                .iter()
                .position(|(_, job)| job.reason == Reason::Survey && !job.now)
        {
            let yields = |(feed, job): &(Feed, Job)| {
                !job.now && (rested >= SURVEY_TURN * 2 || !is_first(feed, job.reason))
            };
            let turn = due.iter().position(yields).unwrap_or(survey);
            due[turn..=survey].rotate_right(1);
        }
        let mut starting = Vec::new();
        let mut saving = false;
        for (feed, job) in due {
            let cost = cost(&feed);
            let yields = !job.now && !is_first(&feed, job.reason);
            if (!job.now && spent + cost > BUDGET) || (yields && saving) {
                // What takes two requests finds room only if nothing smaller slips in before it.
                saving |= cost > 1;
                continue;
            }
            spent += cost;
            self.sent.push_back((now, cost));
            self.urged = false;
            if job.reason == Reason::Survey {
                self.surveyed = Some(now);
            }
            if let Some(job) = self.jobs.get_mut(&feed) {
                job.flight = Flight::Reading;
                job.now = false;
            }
            starting.push(feed);
            if self.probing() {
                // A cluster that did not answer is asked one question, not all of them.
                break;
            }
        }
        starting
    }

    fn probing(&self) -> bool {
        self.doubts > 0
    }

    /// Whether a cluster that did not answer owes the answer to its one question.
    fn awaits(&self) -> bool {
        self.probing() && !self.urged && self.jobs.values().any(|job| job.flight != Flight::None)
    }

    /// A read came back. `jitter` is between 0 and 1.
    pub fn finished(&mut self, feed: &Feed, outcome: Result<(), FeedErrorKind>, now: Instant, jitter: f64) {
        let Some(job) = self.jobs.get_mut(feed) else {
            return;
        };
        if job.flight == Flight::Orphan {
            self.jobs.remove(feed);
            return;
        }
        job.flight = Flight::None;
        job.answered = true;
        let period = rhythm(feed, job.reason);
        match outcome {
            Ok(()) => {
                job.failures = 0;
                job.read = Some(now);
                // By the time it was due, not answered, so that ten seconds stay ten seconds; but what came late does
                // not catch up, for that would make the others late.
                job.due = (job.due + period).max(now + period * 4 / 5);
                self.doubts = 0;
                self.closed_until = None;
            }
            Err(kind) => {
                job.failures = job.failures.saturating_add(1);
                let pause = match kind {
                    FeedErrorKind::NotAllowed | FeedErrorKind::NotAvailable => PATIENCE.max(period),
                    FeedErrorKind::SignIn => SIGN_IN_PATIENCE,
                    _ => backoff(job.failures, jitter).max(period.min(LAST_BACKOFF) / 2),
                };
                job.due = now + pause;
                match kind {
                    FeedErrorKind::Untrusted => self.stopped = true,
                    FeedErrorKind::SignIn => {
                        self.doubts = self.doubts.saturating_add(1);
                        self.close(now + SIGN_IN_PATIENCE);
                    }
                    FeedErrorKind::Unreachable if *feed == self.heart || !self.reached() => {
                        self.doubts = self.doubts.saturating_add(1);
                        let pause = backoff(self.doubts, jitter);
                        // What everything rests on is what is tried first when the time comes.
                        if let Some(core) = self.jobs.get_mut(&self.heart) {
                            core.due = core.due.min(now + pause);
                        }
                        self.close(now + pause);
                    }
                    _ => {}
                }
            }
        }
    }

    fn close(&mut self, until: Instant) {
        self.closed_until = Some(self.closed_until.map_or(until, |already| already.max(until)));
    }

    fn reached(&self) -> bool {
        self.jobs
            .get(&self.heart)
            .is_some_and(|core| core.answered && core.failures == 0)
    }

    /// Whether somebody looks at it.
    pub fn is_watched(&self, feed: &Feed) -> bool {
        self.jobs.get(feed).is_some_and(|job| job.reason > Reason::Survey)
    }

    /// What it tells of is over: nothing new will come for a long time.
    pub fn rest(&mut self, feed: &Feed, now: Instant) {
        if let Some(job) = self.jobs.get_mut(feed) {
            job.due = now + PATIENCE * 12;
        }
    }

    /// Reads a feed at once, if anybody looks at it.
    pub fn refresh_if_watched(&mut self, feed: &Feed, now: Instant) {
        if let Some(job) = self.jobs.get_mut(feed) {
            job.due = now;
            job.now = true;
        }
    }

    /// When to look again at the latest; `None` if nothing will be due by itself.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        if self.stopped || self.awaits() {
            return None;
        }
        // What is due and has no room waits until the oldest request leaves the window.
        let room = self.sent.front().map_or(now, |(at, _)| *at + WINDOW);
        let due = self
            .jobs
            .values()
            .filter(|job| job.flight == Flight::None && (job.now || !self.paused))
            .map(|job| if job.now || job.due > now { job.due } else { room })
            .min()?;
        Some(
            self.closed_until
                .map_or(due, |until| due.max(until))
                .max(now + Duration::from_millis(20)),
        )
    }
}

fn period(feed: &Feed) -> Duration {
    Duration::try_from(feed.period()).unwrap_or(WINDOW)
}

/// By what a first read is measured.
const FIRST_TURN: Duration = Duration::from_secs(60);
/// A survey is slower than a person who looks.
const SURVEY: Duration = Duration::from_secs(300);
/// Backups and their jobs change once a night.
const BACKUP_SURVEY: Duration = Duration::from_secs(900);
/// Snapshots are one read per guest.
const SNAPSHOT_SURVEY: Duration = Duration::from_secs(3600);
/// How often a survey goes before what is on the screen.
const SURVEY_TURN: Duration = Duration::from_secs(40);

/// Whether it goes before all else: the core, and the task that somebody follows.
fn is_first(feed: &Feed, reason: Reason) -> bool {
    reason == Reason::Core || matches!(feed, Feed::TaskLog(_) | Feed::TaskStatus(_))
}

/// How many requests a read of the feed takes.
pub fn cost(feed: &Feed) -> usize {
    match feed {
        Feed::ClusterFirewall | Feed::GuestFirewall(_) => 2,
        Feed::Raw(crate::domain::ObjectRef::Guest(_)) => 3,
        _ => 1,
    }
}

pub(super) fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10));
    // Between the half and the whole, so that many consoles do not come back together.
    doubled
        .min(LAST_BACKOFF)
        .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests;
