//! Faults of Backup Servers: unreachable, full or filling, bad or unchecked backups, jobs that failed.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        DatastoreRef, FindingKind, ObjectRef, Severity, TaskState,
        backup::{BackupSnapshot, DatastoreJob, DatastoreUsage, Forecast, JobKind, Verification},
        quantity::{Bytes, long_span, percent},
    },
    store::{BackupServer, FeedErrorKind, JobSort, PbsFeed, feed::Feed},
};

use super::{Report, count, graded};

/// Failures in a row that are a fault and no hiccup.
const FAILURES: u32 = 2;
/// A datastore that will be full within this time is worth a thought.
const FULL_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A backup this old should have been verified by now.
const UNCHECKED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Garbage piles up when it was not collected for this long.
const UNCOLLECTED: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) fn check(report: &mut Report<'_>) {
    reachable(report);
    let Some(server) = report.cluster.backup_server() else {
        return;
    };
    for usage in server.usage() {
        space(report, server, usage);
        verification(report, server, &usage.name);
        collection(report, server, &usage.name);
        jobs(report, server, &usage.name);
    }
}

fn reachable(report: &mut Report<'_>) {
    let heart = report.cluster.freshness(&Feed::Pbs(PbsFeed::Usage));
    let Some(error) = heart.error else { return };
    let severity = match error.kind {
        FeedErrorKind::Untrusted | FeedErrorKind::SignIn => Severity::Critical,
        FeedErrorKind::Unreachable if heart.failures >= FAILURES || heart.data_at.is_none() => {
            Severity::Critical
        }
        FeedErrorKind::Unreachable => return,
        _ if heart.failures >= FAILURES => Severity::Warning,
        _ => return,
    };
    let subject = ObjectRef::BackupServer(report.cluster.id().clone());
    let text = error.message.clone();
    report.add(severity, FindingKind::BackupServerUnreachable, subject, text);
}

fn add(report: &mut Report<'_>, severity: Severity, kind: FindingKind, store: &str, text: String) {
    let subject = ObjectRef::Datastore(DatastoreRef {
        cluster: report.cluster.id().clone(),
        store: store.into(),
        namespace: "".into(),
    });
    report.add(severity, kind, subject, text);
}

fn space(report: &mut Report<'_>, server: &BackupServer, usage: &DatastoreUsage) {
    let name = &*usage.name;
    if let Some(error) = &usage.error {
        // Somebody has put it into maintenance and knows.
        let meant = server
            .datastore(name)
            .is_some_and(|store| store.maintenance.is_some());
        let severity = if meant { Severity::Info } else { Severity::Critical };
        add(
            report,
            severity,
            FindingKind::DatastoreUnavailable,
            name,
            error.to_string(),
        );
        return;
    }
    if let Some(fill) = usage.fill()
        && let Some(severity) = graded(fill, report.limits.datastore)
    {
        let (used, total) = (
            Bytes(usage.used.unwrap_or_default()),
            Bytes(usage.total.unwrap_or_default()),
        );
        let text = format!("{name} is {} full ({used} of {total})", percent(fill));
        add(report, severity, FindingKind::DatastoreFull, name, text);
    }
    if let Forecast::Full(at) = usage.forecast(report.now) {
        let left = at.duration_since(report.now);
        if left <= FULL_SOON {
            let text = format!(
                "{name} will be full in {} if it goes on like this",
                long_span(left.as_secs())
            );
            add(
                report,
                Severity::Warning,
                FindingKind::DatastoreFilling,
                name,
                text,
            );
        }
    }
}

fn verification(report: &mut Report<'_>, server: &BackupServer, store: &str) {
    let named = |one: &BackupSnapshot| format!("{}/{}", one.kind, one.id);
    let mut bad: Vec<String> = Vec::new();
    let mut failed = 0;
    let mut unchecked = 0;
    for (_, one) in server.snapshots_of(store) {
        match one.verification {
            Some(Verification::Failed) => {
                failed += 1;
                if !bad.contains(&named(one)) {
                    bad.push(named(one));
                }
            }
            None if one.size.is_some() && report.now.duration_since(one.time) > UNCHECKED => unchecked += 1,
            _ => {}
        }
    }
    if failed > 0 {
        bad.truncate(5);
        let text = format!(
            "{} on {store} failed verification and cannot be restored as they are: {}",
            count(failed, "backup", "backups"),
            bad.join(", ")
        );
        add(
            report,
            Severity::Critical,
            FindingKind::VerificationFailed,
            store,
            text,
        );
    }
    if unchecked > 0 {
        let days = UNCHECKED.as_hours() / 24;
        let text = format!(
            "{} on {store} older than {days} d never verified",
            count(unchecked, "backup", "backups")
        );
        add(report, Severity::Warning, FindingKind::NeverVerified, store, text);
    }
}

fn collection(report: &mut Report<'_>, server: &BackupServer, store: &str) {
    let Some(collection) = server.collection(store) else {
        return;
    };
    let in_use = server.usage_of(store).is_some_and(|usage| usage.error.is_none());
    let text = match &collection.last {
        Some(last) => match (&last.state, last.end) {
            (TaskState::Failed(why), _) => format!("the last garbage collection of {store} failed: {why}"),
            (_, Some(end)) if report.now.duration_since(end) > UNCOLLECTED => format!(
                "the last garbage collection of {store} was {} ago: removed backups still take space",
                long_span(report.now.duration_since(end).as_secs())
            ),
            _ => return,
        },
        None if in_use && collection.schedule.is_none() => {
            format!("no garbage collection of {store} ever ran, and none is scheduled")
        }
        None => return,
    };
    add(
        report,
        Severity::Warning,
        FindingKind::CollectionFailed,
        store,
        text,
    );
}

fn jobs(report: &mut Report<'_>, server: &BackupServer, store: &str) {
    let failed: Vec<String> = server
        .jobs_of(store)
        .filter(|job| !job.disabled)
        .filter_map(|job| {
            let last = job.last.as_ref()?;
            let TaskState::Failed(why) = &last.state else {
                return None;
            };
            let when = ago(last.end, report.now);
            Some(format!(
                "{} job {} failed{when}: {why}",
                job.kind.as_str(),
                job.id
            ))
        })
        .collect();
    if !failed.is_empty() {
        let text = failed.join("; ");
        add(
            report,
            Severity::Warning,
            FindingKind::DatastoreJobFailed,
            store,
            text,
        );
    }
    let late: Vec<&str> = server
        .jobs_of(store)
        .filter(|job| is_late(job, report.now))
        .map(|job| &*job.id)
        .collect();
    if !late.is_empty() {
        let text = format!(
            "{} on {store} should have run and did not: {}",
            count(late.len(), "job", "jobs"),
            late.join(", ")
        );
        add(
            report,
            Severity::Warning,
            FindingKind::DatastoreJobLate,
            store,
            text,
        );
    }
    let checked = server
        .jobs_of(store)
        .any(|job| job.kind == JobKind::Verify && !job.disabled);
    let known = report
        .cluster
        .freshness(&Feed::Pbs(PbsFeed::Jobs(JobSort::Verify)))
        .data_at
        .is_some();
    if known && !checked && server.snapshots_of(store).next().is_some() {
        let text = format!("no verification job checks {store}");
        add(report, Severity::Info, FindingKind::NotVerifiedByJob, store, text);
    }
}

/// The server says when it runs next; a moment that is long over is one that was missed.
fn is_late(job: &DatastoreJob, now: Timestamp) -> bool {
    let overdue = |next: Timestamp| now.duration_since(next) > SignedDuration::from_hours(6);
    !job.disabled && job.next.is_some_and(overdue)
}

fn ago(end: Option<Timestamp>, now: Timestamp) -> String {
    end.map_or_else(String::new, |end| {
        format!(" {} ago", long_span(now.duration_since(end).as_secs()))
    })
}
