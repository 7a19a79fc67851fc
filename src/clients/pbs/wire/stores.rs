//! Datastores: list, usage, status, namespaces.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::backup::{Datastore, DatastoreStatus, DatastoreUsage};

use super::{
    Broken, Envelope, inner,
    lenient::{Int, Num, Text},
    moment, said,
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct StoreRow<'a> {
    #[serde(borrow)]
    store: Text<'a>,
    #[serde(borrow)]
    comment: Text<'a>,
    #[serde(borrow)]
    maintenance: Text<'a>,
}

pub(in super::super) fn list(envelope: &Envelope<'_>) -> Result<Vec<Datastore>, Broken> {
    envelope.list(|row: StoreRow<'_>| {
        Some(Datastore {
            name: said(row.store)?,
            comment: said(row.comment),
            maintenance: said(row.maintenance),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct UsageRow<'a> {
    #[serde(borrow)]
    store: Text<'a>,
    #[serde(borrow)]
    error: Text<'a>,
    used: Int,
    total: Int,
    history: Option<Vec<Num>>,
    history_start: Int,
    history_delta: Int,
    estimated_full_date: Num,
}

pub(in super::super) fn usage(envelope: &Envelope<'_>) -> Result<Vec<DatastoreUsage>, Broken> {
    envelope.list(|row: UsageRow<'_>| {
        let start = moment(&row.history_start);
        let share = |value: Num| value.0.map(|share| share.clamp(0.0, 1.0) as f32);
        Some(DatastoreUsage {
            name: said(row.store)?,
            used: row.used.0,
            // A broken store has none; one of no size would make shares of nothing.
            total: row.total.0.filter(|total| *total > 0),
            error: said(row.error),
            history: row.history.unwrap_or_default().into_iter().map(share).collect(),
            history_start: start.zip(row.history_delta.u32().filter(|delta| *delta > 0)),
            estimated_full: row.estimated_full_date.0.map(|seconds| seconds as i64),
        })
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    used: Int,
    avail: Int,
    total: Int,
    #[serde(borrow)]
    counts: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts<'a> {
    #[serde(borrow)]
    vm: Option<&'a RawValue>,
    #[serde(borrow)]
    ct: Option<&'a RawValue>,
    #[serde(borrow)]
    host: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Count {
    groups: Int,
    snapshots: Int,
}

pub(in super::super) fn status(envelope: &Envelope<'_>) -> Result<DatastoreStatus, Broken> {
    let row: Status<'_> = envelope.object()?;
    let space = match (row.used.0, row.avail.0, row.total.0) {
        (Some(used), Some(avail), Some(total)) => Some((used, avail, total)),
        _ => None,
    };
    let counts: Counts<'_> = inner(row.counts);
    let count = |raw| {
        let count: Count = inner(raw);
        Some((count.groups.0?, count.snapshots.0?))
    };
    Ok(DatastoreStatus {
        space,
        counts: [count(counts.vm), count(counts.ct), count(counts.host)],
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NamespaceRow<'a> {
    #[serde(borrow)]
    ns: Text<'a>,
}

pub(in super::super) fn namespaces(envelope: &Envelope<'_>) -> Result<Vec<Box<str>>, Broken> {
    envelope.list(|row: NamespaceRow<'_>| Some(row.ns.0?.into()))
}
