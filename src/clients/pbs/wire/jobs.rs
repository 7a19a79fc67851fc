//! Verification, prune and sync jobs, and garbage collection.

use serde::Deserialize;

use crate::domain::{
    TaskState,
    backup::{DatastoreJob, GarbageCollection, JobKind, LastRun},
    retention::{Retention, Rule},
};

use super::{
    Broken, Envelope,
    lenient::{Flag, Int, Text},
    moment, said,
};

/// When a job runs and ran: the same for all kinds.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Runs<'a> {
    #[serde(borrow)]
    schedule: Text<'a>,
    next_run: Int,
    #[serde(borrow)]
    last_run_state: Text<'a>,
    last_run_endtime: Int,
    #[serde(borrow)]
    last_run_upid: Text<'a>,
}

impl Runs<'_> {
    fn last(&self, upid: &str) -> Option<LastRun> {
        let upid = upid.parse().ok();
        let end = moment(&self.last_run_endtime);
        match self.last_run_state.as_str() {
            // It is under way: the task is named, and how it ended is not.
            "" if upid.is_some() && end.is_none() => Some(LastRun {
                state: TaskState::Running,
                end,
                upid,
            }),
            "" => None,
            state => Some(LastRun {
                state: TaskState::from_exit(state),
                end,
                upid,
            }),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct JobRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    store: Text<'a>,
    #[serde(borrow)]
    ns: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
    disable: Flag,
    #[serde(borrow)]
    remote: Text<'a>,
    #[serde(borrow)]
    remote_store: Text<'a>,
    keep_last: Int,
    keep_hourly: Int,
    keep_daily: Int,
    keep_weekly: Int,
    keep_monthly: Int,
    keep_yearly: Int,
    #[serde(flatten, borrow)]
    runs: Runs<'a>,
}

impl JobRow<'_> {
    fn job(self, kind: JobKind) -> Option<DatastoreJob> {
        let last = self.runs.last(self.runs.last_run_upid.as_str());
        Some(DatastoreJob {
            kind,
            id: said(self.id)?,
            store: said(self.store)?,
            namespace: said(self.ns).unwrap_or_default(),
            next: moment(&self.runs.next_run),
            last,
            schedule: said(self.runs.schedule),
            disabled: self.disable.yes(),
            comment: said(self.comment),
        })
    }

    fn retention(&self) -> Retention {
        let counts = [
            (Rule::Last, self.keep_last),
            (Rule::Hourly, self.keep_hourly),
            (Rule::Daily, self.keep_daily),
            (Rule::Weekly, self.keep_weekly),
            (Rule::Monthly, self.keep_monthly),
            (Rule::Yearly, self.keep_yearly),
        ];
        counts
            .into_iter()
            .fold(Retention::default(), |retention, (rule, count)| {
                retention.with(rule, count.u32().unwrap_or_default())
            })
    }
}

pub(in super::super) fn verify(envelope: &Envelope<'_>) -> Result<Vec<DatastoreJob>, Broken> {
    envelope.list(|row: JobRow<'_>| row.job(JobKind::Verify))
}

pub(in super::super) fn prune(envelope: &Envelope<'_>) -> Result<Vec<DatastoreJob>, Broken> {
    envelope.list(|row: JobRow<'_>| {
        let retention = row.retention();
        row.job(JobKind::Prune(retention))
    })
}

pub(in super::super) fn sync(envelope: &Envelope<'_>) -> Result<Vec<DatastoreJob>, Broken> {
    envelope.list(|mut row: JobRow<'_>| {
        let source = (
            said(std::mem::take(&mut row.remote)),
            said(std::mem::take(&mut row.remote_store)).unwrap_or_default(),
        );
        row.job(JobKind::Sync(source.0, source.1))
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct CollectionRow<'a> {
    #[serde(borrow)]
    store: Text<'a>,
    #[serde(borrow)]
    upid: Text<'a>,
    disk_bytes: Int,
    index_data_bytes: Int,
    pending_bytes: Int,
    removed_bytes: Int,
    still_bad: Int,
    #[serde(flatten, borrow)]
    runs: Runs<'a>,
}

pub(in super::super) fn garbage_collections(
    envelope: &Envelope<'_>,
) -> Result<Vec<GarbageCollection>, Broken> {
    let bytes = |value: Int| value.0.unwrap_or_default();
    envelope.list(|row: CollectionRow<'_>| {
        Some(GarbageCollection {
            store: said(row.store)?,
            disk_bytes: bytes(row.disk_bytes),
            index_bytes: bytes(row.index_data_bytes),
            pending_bytes: bytes(row.pending_bytes),
            removed_bytes: bytes(row.removed_bytes),
            still_bad: bytes(row.still_bad),
            next: moment(&row.runs.next_run),
            last: row.runs.last(row.upid.as_str()),
            schedule: said(row.runs.schedule),
        })
    })
}
