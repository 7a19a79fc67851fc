//! A backup job: when, whom, where to, what it keeps, how it went.

use std::collections::BTreeMap;

use super::parts::{self, Facts, moment_ago, sourced, task_state, yes};
use crate::{
    domain::{
        BackupJob, CalendarEvent, JobRef, NodeRef, ObjectRef,
        backup_job::{JobGuest, LastRun},
        retention::Fate,
    },
    screens::{Cx, restoring},
    store::{Backup, Cluster, Feed},
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
    },
};

/// Guests that the prune preview lists; those that lose something come first.
const PREVIEWED: usize = 40;

pub(super) fn feeds(cx: &Cx<'_>, id: &JobRef) -> Vec<Feed> {
    let mut feeds = vec![
        Feed::BackupJobs,
        Feed::JobGuests(id.id.clone()),
        Feed::StorageDefinitions,
    ];
    if let Some(cluster) = cx.store.cluster(&id.cluster) {
        feeds.extend(cluster.nodes().iter().filter_map(|node| {
            let answers = parts::answers(
                cx,
                &NodeRef {
                    cluster: id.cluster.clone(),
                    node: node.name.clone(),
                },
            );
            answers.then(|| Feed::BackupTasks(node.name.clone()))
        }));
        feeds.extend(cluster.backup_feeds());
    }
    feeds
}

/// The page of a job.
pub(super) fn page(cx: &Cx<'_>, id: &JobRef) -> Vec<Section> {
    let fresh = parts::fresh(cx, &id.cluster, Feed::BackupJobs);
    let Some(cluster) = cx.store.cluster(&id.cluster) else {
        return vec![parts::missing(cx, &ObjectRef::Job(id.clone()))];
    };
    let job = cluster.backup_job(&id.id);
    if let (None, Some(_)) = (job, cluster.backup_jobs()) {
        return vec![parts::missing(cx, &ObjectRef::Job(id.clone()))];
    }
    let mut sections: Vec<Section> = parts::findings(cx, &ObjectRef::Job(id.clone()))
        .into_iter()
        .collect();
    sections.push(sourced("Job", &fresh, job, "", |job| facts(cx, cluster, job)));
    if let Some(job) = job {
        sections.extend(preview(cx, cluster, job));
    }
    let fresh = parts::fresh(cx, &id.cluster, Feed::JobGuests(id.id.clone()));
    sections.push(sourced(
        "Guests of the job",
        &fresh,
        cx.store.job_guests(id),
        "it takes no guest",
        guests,
    ));
    sections
}

fn facts(cx: &Cx<'_>, cluster: &Cluster, job: &BackupJob) -> Body {
    let g = cx.glyphs;
    let mut facts = Facts::default();
    let enabled = if job.enabled {
        Cell::toned(format!("{} enabled", g.on), Tone::Good)
    } else {
        Cell::toned(format!("{} disabled", g.off), Tone::Muted)
    };
    facts.add("state", enabled);
    facts.add("guests", job.whom());
    facts.maybe("node", job.node.as_ref().map(|node| node.as_str().to_owned()));
    facts.add("schedule", &*job.schedule);
    let words = match job.schedule.parse::<CalendarEvent>() {
        Ok(event) => Cell::text(event.words()),
        Err(why) => Cell::toned(why, Tone::Warn),
    };
    facts.add("in words", words);
    let zone = cluster.job_zone(job);
    let name = zone.as_ref().and_then(|zone| zone.iana_name().map(str::to_owned));
    facts.maybe("zone of the server", name);
    if let Some(next) = zone.as_ref().and_then(|zone| job.next_run(cx.now, zone)) {
        facts.add(
            "next run",
            Cell::text(parts::moment(next, cx.zone))
                .then(format!(" (in {})", parts::ago(cx.now, next)), Tone::Muted),
        );
    }
    match cluster.last_run(job, cx.now) {
        LastRun::Unknown => {}
        LastRun::Missed(due) => {
            let text = format!("{} did not run at {}", g.failed, parts::moment(due, cx.zone));
            facts.add("last run", Cell::toned(text, Tone::Bad));
        }
        LastRun::Ran(at, state) => {
            facts.add("last run", moment_ago(cx, at));
            facts.add("result", task_state(g, &state));
        }
    }
    facts.add(
        "storage",
        job.storage.as_ref().map_or("local", |storage| storage.as_str()),
    );
    facts.add("mode", &*job.mode);
    let own = job.retention.as_ref().map(ToString::to_string);
    let keeps = own.or_else(|| Some(format!("{} (of the storage)", cluster.retention_of(job)?)));
    facts.maybe("keeps", keeps);
    facts.maybe("limit", job.bwlimit.map(|limit| format!("{limit} KiB/s")));
    facts.maybe("fleecing", job.fleecing.as_deref());
    facts.add("makes up for missed runs", yes(job.repeat_missed));
    facts.maybe("notes", job.notes_template.as_deref());
    facts.maybe("comment", job.comment.as_deref());
    facts.add("id", &*job.id);
    facts.body()
}

/// What a prune by the job's rules would do to each of its guests.
fn preview(cx: &Cx<'_>, cluster: &Cluster, job: &BackupJob) -> Option<Section> {
    let rules = cluster.retention_of(job)?;
    let zone = cluster.job_zone(job)?;
    let storage = job.storage.as_ref().map_or("local", |storage| storage.as_str());
    let mut groups: BTreeMap<u32, Vec<Backup<'_>>> = BTreeMap::new();
    for guest in cluster.guests().iter().filter(|guest| job.takes(guest)) {
        let own = cluster
            .backups_of(guest.vmid)
            .filter(|backup| backup.storage.as_str() == storage);
        groups.insert(guest.vmid.0, own.collect());
    }
    let mut rows: Vec<(usize, Vec<Cell>)> = groups
        .into_iter()
        .filter(|(_, group)| !group.is_empty())
        .map(|(vmid, group)| {
            let fates = restoring::prune(&group, &rules, &zone);
            let goes: Vec<String> = fates
                .iter()
                .filter(|(_, fate)| matches!(fate, Fate::Removed(_)))
                .filter_map(|(volume, _)| Some(parts::moment(volume.time?, cx.zone)))
                .collect();
            let row = vec![
                Cell::text(vmid.to_string()),
                Cell::text((fates.len() - goes.len()).to_string()),
                Cell::toned(
                    goes.len().to_string(),
                    if goes.is_empty() { Tone::Muted } else { Tone::Warn },
                ),
                Cell::toned(goes.join(", "), Tone::Muted),
            ];
            (goes.len(), row)
        })
        .collect();
    rows.sort_by_key(|(goes, _)| std::cmp::Reverse(*goes));
    let body = Body::Grid {
        columns: vec![
            GridColumn::text("guest"),
            GridColumn::number("stay"),
            GridColumn::number("go"),
            GridColumn::text("those that go"),
        ],
        rows: rows.into_iter().take(PREVIEWED).map(|(_, row)| row).collect(),
    };
    Some(Section::new(format!("Prune preview on {storage}: {rules}"), body).wants(90))
}

fn guests(list: &[JobGuest]) -> Body {
    let rows = list
        .iter()
        .map(|guest| {
            let left: Vec<String> = guest
                .volumes
                .iter()
                .filter(|volume| !volume.included)
                .map(|volume| format!("{} ({})", volume.name, volume.reason))
                .collect();
            let taken = guest.volumes.iter().filter(|volume| volume.included).count();
            vec![
                Cell::text(guest.vmid.to_string()).then(
                    format!(" {}", guest.name.as_deref().unwrap_or_default()),
                    Tone::Accent,
                ),
                Cell::text(taken.to_string()),
                Cell::toned(left.join(", "), Tone::Warn),
            ]
        })
        .collect();
    Body::Grid {
        columns: vec![
            GridColumn::text("guest"),
            GridColumn::number("volumes"),
            GridColumn::text("left out"),
        ],
        rows,
    }
}
