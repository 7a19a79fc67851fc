//! Whether everything can be brought back: jobs, backups, snapshots; and guests whose time is over.
//!
//! What always holds here: what was not read raises no finding, and what concerns many guests is one finding.

use std::collections::BTreeMap;

use crate::domain::{
    FindingKind, JobRef, ObjectRef, Severity, StorageRef, TaskState, Vmid, backup_job::LastRun,
    expiry::expiry, quantity::long_span,
};

use super::{Report, count};

/// From as many guests on, one finding speaks of all.
const MANY: usize = 6;
/// Guests that such a finding names.
const NAMED: usize = 8;

pub(super) fn check(report: &mut Report<'_>) {
    without_a_job(report);
    objectives(report);
    bad_backups(report);
    jobs(report);
    snapshots(report);
    expired(report);
}

/// One finding for each of a few guests, or one for many.
fn several(
    report: &mut Report<'_>,
    severity: Severity,
    kind: FindingKind,
    guests: Vec<(Vmid, String)>,
    together: &str,
) {
    if guests.len() < MANY {
        for (vmid, text) in guests {
            report.add_guest(severity, kind, vmid, text);
        }
        return;
    }
    let mut names: Vec<String> = guests
        .iter()
        .take(NAMED)
        .map(|(vmid, _)| vmid.to_string())
        .collect();
    if guests.len() > NAMED {
        names.push("…".to_owned());
    }
    let text = format!("{} guests {together}: {}", guests.len(), names.join(", "));
    report.add_cluster(severity, kind, text);
}

fn without_a_job(report: &mut Report<'_>) {
    let cluster = report.cluster;
    let lost = cluster.not_backed_up().unwrap_or_default();
    let guests = lost
        .iter()
        .filter_map(|vmid| cluster.guest(*vmid))
        .filter(|guest| report.limits.objectives.of(guest).is_some())
        .map(|guest| {
            (
                guest.vmid,
                format!("{} {} is in no backup job", guest.vmid, guest.label()),
            )
        })
        .collect();
    several(
        report,
        Severity::Warning,
        FindingKind::NotBackedUp,
        guests,
        "are in no backup job",
    );
}

fn objectives(report: &mut Report<'_>) {
    let cluster = report.cluster;
    if !cluster.knows_all_backups() {
        return;
    }
    let (mut late, mut none) = (Vec::new(), Vec::new());
    for guest in cluster.guests() {
        let Some(most) = report.limits.objectives.of(guest) else {
            continue;
        };
        let title = format!("{} {}", guest.vmid, guest.label());
        match cluster
            .last_good(guest.vmid)
            .and_then(|backup| backup.volume.time)
        {
            Some(time) => {
                let age = report.now.duration_since(time);
                if age > most {
                    let (age, most) = (long_span(age.as_secs()), long_span(most.as_secs()));
                    late.push((
                        guest.vmid,
                        format!("the last good backup of {title} is {age} old; {most} are allowed"),
                    ));
                }
            }
            None => none.push((guest.vmid, format!("there is no good backup of {title}"))),
        }
    }
    several(
        report,
        Severity::Warning,
        FindingKind::BackupOld,
        late,
        "have no good backup that is young enough",
    );
    several(
        report,
        Severity::Warning,
        FindingKind::BackupMissing,
        none,
        "have no good backup",
    );
}

fn bad_backups(report: &mut Report<'_>) {
    let cluster = report.cluster;
    let mut bad: BTreeMap<Vmid, usize> = BTreeMap::new();
    let mut unverified: BTreeMap<StorageRef, (usize, usize)> = BTreeMap::new();
    for backup in cluster.backups() {
        let volume = backup.volume;
        if volume.is_bad()
            && let Some(vmid) = volume.vmid
        {
            *bad.entry(vmid).or_default() += 1;
        }
        // Only a Backup Server verifies.
        if volume.format.starts_with("pbs-") {
            let (never, all) = unverified.entry(backup.reference().storage).or_default();
            *all += 1;
            *never += usize::from(volume.verified.is_none());
        }
    }
    for (vmid, number) in bad {
        let newest = cluster.backups_of(vmid).next();
        let hit = newest.is_some_and(|backup| backup.volume.is_bad());
        let what = count(number, "backup", "backups");
        let (severity, more) = if hit {
            (Severity::Critical, ", the newest among them")
        } else {
            (Severity::Warning, "")
        };
        let text = format!("{what} of {vmid} failed verification{more}");
        report.add_guest(severity, FindingKind::BackupBad, vmid, text);
    }
    for (storage, (never, all)) in unverified {
        // A few new ones wait for the next verification everywhere.
        if never * 2 > all {
            let name = storage.storage.clone();
            let text = format!("{never} of {all} backups on {name} were never verified");
            report.add(
                Severity::Info,
                FindingKind::BackupUnverified,
                ObjectRef::Storage(storage),
                text,
            );
        }
    }
}

fn jobs(report: &mut Report<'_>) {
    let cluster = report.cluster;
    for job in cluster
        .backup_jobs()
        .unwrap_or_default()
        .iter()
        .filter(|job| job.enabled)
    {
        let subject = ObjectRef::Job(JobRef {
            cluster: cluster.id().clone(),
            id: job.id.clone(),
        });
        let id = &job.id;
        match cluster.last_run(job, report.now) {
            LastRun::Ran(at, state @ (TaskState::Failed(_) | TaskState::Unknown)) => {
                let why = match &state {
                    TaskState::Failed(why) => format!(": {why}"),
                    _ => ", nobody knows how it ended".to_owned(),
                };
                let text = format!("backup job {id} failed at {at}{why}");
                report.add(
                    Severity::Warning,
                    FindingKind::BackupJobFailed,
                    subject.clone(),
                    text,
                );
            }
            LastRun::Missed(due) => {
                let text = format!("backup job {id} should have run at {due}, and no backup ran then");
                report.add(
                    Severity::Warning,
                    FindingKind::BackupJobMissed,
                    subject.clone(),
                    text,
                );
            }
            LastRun::Ran(..) | LastRun::Unknown => {}
        }
        let most = cluster.retention_of(job).and_then(|rules| rules.most());
        if most.is_some_and(|most| most <= 1) {
            let text = format!("backup job {id} keeps a single backup: when that is bad, nothing is left");
            report.add(Severity::Info, FindingKind::RetentionThin, subject, text);
        }
    }
}

fn snapshots(report: &mut Report<'_>) {
    let cluster = report.cluster;
    let mut guests = Vec::new();
    for guest in cluster.guests() {
        let old: Vec<_> = cluster
            .snapshots(guest.vmid)
            .unwrap_or_default()
            .iter()
            .filter_map(|snapshot| {
                let age = report.now.duration_since(snapshot.time?);
                (age > report.limits.snapshot).then_some((age, &snapshot.name))
            })
            .collect();
        if let Some((age, name)) = old.iter().max() {
            let (title, age) = (
                format!("{} {}", guest.vmid, guest.label()),
                long_span(age.as_secs()),
            );
            let text = match old.len() {
                1 => format!("snapshot `{name}` of {title} is {age} old"),
                several => format!("{several} snapshots of {title} are old, `{name}` {age}"),
            };
            guests.push((guest.vmid, text));
        }
    }
    several(
        report,
        Severity::Info,
        FindingKind::SnapshotOld,
        guests,
        "have old snapshots",
    );
}

fn expired(report: &mut Report<'_>) {
    let cluster = report.cluster;
    for guest in cluster.guests() {
        let config = cluster.details.guests.get(&guest.vmid);
        let config = config.and_then(|details| details.config.as_ref());
        let Some(end) = expiry(guest, config) else {
            continue;
        };
        let left = end.duration_since(report.now);
        let title = format!("{} {}", guest.vmid, guest.label());
        let runs = guest.status != crate::domain::GuestStatus::Stopped;
        if left.is_negative() {
            let ago = long_span(-left.as_secs());
            let (severity, state) = if runs {
                (Severity::Warning, "still runs")
            } else {
                (Severity::Info, "is stopped")
            };
            let text = format!("{title} expired {ago} ago and {state}");
            report.add_guest(severity, FindingKind::GuestExpired, guest.vmid, text);
        } else if left <= report.limits.expiry {
            let text = format!("{title} expires in {}", long_span(left.as_secs()));
            report.add_guest(Severity::Info, FindingKind::GuestExpiring, guest.vmid, text);
        }
    }
}
