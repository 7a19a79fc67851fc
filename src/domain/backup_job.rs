//! Backup jobs of a cluster: whom they take, when they run, what they keep.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    calendar::CalendarEvent,
    guest::Guest,
    ids::{NodeName, StorageName, Vmid},
    retention::Retention,
    task::{Task, TaskState},
};

/// Whom a job takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Selection {
    /// All guests but these.
    All(Vec<Vmid>),
    /// The guests of a pool.
    Pool(Box<str>),
    /// These guests.
    Guests(Vec<Vmid>),
}

/// A backup job, from `/cluster/backup`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupJob {
    /// Its id.
    pub id: Box<str>,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// A calendar event; jobs of old servers have none but a time of day and weekdays, written here the same way.
    pub schedule: Box<str>,
    /// Where its backups go; `None` is the server's default, `local`.
    pub storage: Option<StorageName>,
    /// Whom it takes.
    pub selection: Selection,
    /// The only node on which it runs.
    pub node: Option<NodeName>,
    /// `snapshot`, `suspend` or `stop`.
    pub mode: Box<str>,
    /// What it keeps; `None` leaves that to the storage.
    pub retention: Option<Retention>,
    /// When it runs next, as the server computed it (since 7.1).
    pub next: Option<Timestamp>,
    /// Whether a run that the node slept through is made up for.
    pub repeat_missed: bool,
    /// What its maker wrote. Foreign text.
    pub comment: Option<Box<str>>,
    /// Template of the notes. Foreign text.
    pub notes_template: Option<Box<str>>,
    /// Limit, KiB/s.
    pub bwlimit: Option<u64>,
    /// Fleecing as the server writes it: `enabled=1,storage=local-zfs`.
    pub fleecing: Option<Box<str>>,
}

/// How a job's last scheduled run went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LastRun {
    /// It is not known when it should have run, or what ran then.
    Unknown,
    /// It should have run at this time, and nothing ran then.
    Missed(Timestamp),
    /// It ran at this time and ended so.
    Ran(Timestamp, TaskState),
}

/// A task belongs to a run if it began within this time after the run was due: the scheduler looks once a minute, and
/// nodes wait for each other on busy storages.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How far back the last run of a job is looked for, in hours, in growing steps.
const LOOKS_BACK: [i64; 4] = [2, 36, 8 * 24, 63 * 24];
/// Runs that are counted through at most in one step.
const RUNS: usize = 400;

impl BackupJob {
    /// Whether it takes a guest, wherever that is. Templates are guests like others.
    pub fn takes(&self, guest: &Guest) -> bool {
        if self.node.as_ref().is_some_and(|node| *node != guest.node) {
            return false;
        }
        match &self.selection {
            Selection::All(but) => !but.contains(&guest.vmid),
            Selection::Pool(pool) => guest.pool.as_deref() == Some(pool),
            Selection::Guests(guests) => guests.contains(&guest.vmid),
        }
    }

    /// Whom it takes, in words: `all but 104`, `pool acme`, `104, 105`.
    pub fn whom(&self) -> String {
        let list = |vmids: &[Vmid]| {
            let words: Vec<String> = vmids.iter().map(Vmid::to_string).collect();
            words.join(", ")
        };
        match &self.selection {
            Selection::All(but) if but.is_empty() => "all".to_owned(),
            Selection::All(but) => format!("all but {}", list(but)),
            Selection::Pool(pool) => format!("pool {pool}"),
            Selection::Guests(guests) => list(guests),
        }
    }

    /// When it runs next: as the server says, or computed in the zone of the server.
    pub fn next_run(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if !self.enabled {
            return None;
        }
        self.next
            .filter(|next| *next > now)
            .or_else(|| self.schedule.parse::<CalendarEvent>().ok()?.next_after(now, zone))
    }

    /// When it should have run last.
    pub fn last_due(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let event: CalendarEvent = self.schedule.parse().ok()?;
        LOOKS_BACK.into_iter().find_map(|hours| {
            let mut at = now.checked_sub(SignedDuration::from_hours(hours)).ok()?;
            let mut last = None;
            for _ in 0..RUNS {
                match event.next_after(at, zone) {
                    Some(next) if next <= now => (at, last) = (next, Some(next)),
                    _ => break,
                }
            }
            last
        })
    }

    /// How its last scheduled run went, by the backup tasks of its nodes. `since` is the oldest moment that they tell of.
    pub fn last_run<'a>(
        &self,
        tasks: impl Iterator<Item = &'a Task>,
        since: Option<Timestamp>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> LastRun {
        let Some(due) = self.last_due(now, zone) else {
            return LastRun::Unknown;
        };
        let mut worst: Option<&Task> = None;
        for task in tasks {
            let start = task.upid.start;
            // The scheduler is root; what others begin at that hour is not the job's.
            let own =
                &*task.upid.kind == "vzdump" && task.user.starts_with("root@pam") && !task.user.contains('!');
            if own && start >= due && start <= due + STARTS_WITHIN {
                worst = worst
                    .filter(|known| rank(&known.state) >= rank(&task.state))
                    .or(Some(task));
            }
        }
        match worst {
            Some(task) => LastRun::Ran(task.upid.start, task.state.clone()),
            None if now < due + STARTS_WITHIN => LastRun::Unknown,
            None if since.is_some_and(|since| since <= due) => LastRun::Missed(due),
            None => LastRun::Unknown,
        }
    }
}

fn rank(state: &TaskState) -> u8 {
    match state {
        TaskState::Failed(_) => 4,
        TaskState::Unknown => 3,
        TaskState::Warnings(_) => 2,
        TaskState::Running => 1,
        TaskState::Ok => 0,
    }
}

/// A guest that a job takes, with its volumes, from `/cluster/backup/{id}/included_volumes`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobGuest {
    /// Which one.
    pub vmid: Vmid,
    /// Its name. Foreign text.
    pub name: Option<Box<str>>,
    /// Its volumes.
    pub volumes: Vec<JobVolume>,
}

/// A volume of a guest that a job takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobVolume {
    /// `local:104/vm-104-disk-0.qcow2`.
    pub name: Box<str>,
    /// Whether it is part of the backup.
    pub included: bool,
    /// Why or why not.
    pub reason: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(schedule: &str) -> BackupJob {
        BackupJob {
            id: "nightly".into(),
            enabled: true,
            schedule: schedule.into(),
            storage: Some("pbs".into()),
            selection: Selection::All(vec![Vmid(104)]),
            node: None,
            mode: "snapshot".into(),
            retention: None,
            next: None,
            repeat_missed: false,
            comment: None,
            notes_template: None,
            bwlimit: None,
            fleecing: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn task(start: &str, user: &str, state: TaskState) -> Task {
        let upid = format!(
            "UPID:pve1:00000001:00000002:{:08X}:vzdump::{user}:",
            at(start).as_second()
        );
        Task {
            upid: upid.parse().unwrap(),
            end: None,
            state,
            user: user.into(),
        }
    }

    #[test]
    fn runs_are_counted_in_the_zone_of_the_server() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(
            job("02:00").last_due(now, &TimeZone::UTC),
            Some(at("2026-11-22T02:00:00Z"))
        );
        assert_eq!(
            job("02:00").last_due(now, &berlin),
            Some(at("2026-11-22T01:00:00Z"))
        );
        assert_eq!(
            job("02:00").next_run(now, &berlin),
            Some(at("2026-11-23T01:00:00Z"))
        );
        assert_eq!(
            job("sat 02:00").last_due(now, &TimeZone::UTC),
            Some(at("2026-11-21T02:00:00Z"))
        );
        assert_eq!(
            job("*-*-1 02:00").last_due(now, &TimeZone::UTC),
            Some(at("2026-11-01T02:00:00Z"))
        );
        assert_eq!(job("*/1").last_due(now, &TimeZone::UTC), Some(now));
        assert_eq!(job("never").last_due(now, &TimeZone::UTC), None);
    }

    #[test]
    fn the_worst_task_of_a_run_counts_and_none_is_a_run_that_was_missed() {
        let now = at("2026-11-22T12:00:00Z");
        let failed = TaskState::Failed("job errors".into());
        let tasks = [
            task("2026-11-22T02:00:05Z", "root@pam", TaskState::Ok),
            task("2026-11-22T02:00:06Z", "root@pam", failed.clone()),
            task("2026-11-22T02:00:07Z", "root@pam", TaskState::Ok),
        ];
        let long_ago = Some(at("2026-11-01T00:00:00Z"));
        let look = |tasks: &[Task], since| job("02:00").last_run(tasks.iter(), since, now, &TimeZone::UTC);
        assert_eq!(
            look(&tasks, long_ago),
            LastRun::Ran(at("2026-11-22T02:00:06Z"), failed)
        );
        let others = [
            task("2026-11-22T02:00:05Z", "alice@pam", TaskState::Ok),
            task("2026-11-22T02:00:05Z", "root@pam!script", TaskState::Ok),
            task("2026-11-22T03:00:00Z", "root@pam", TaskState::Ok),
        ];
        let due = at("2026-11-22T02:00:00Z");
        assert_eq!(look(&others, long_ago), LastRun::Missed(due));
        assert_eq!(look(&others, Some(at("2026-11-22T02:30:00Z"))), LastRun::Unknown);
        assert_eq!(look(&others, None), LastRun::Unknown);
    }
}
