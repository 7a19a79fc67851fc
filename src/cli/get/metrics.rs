//! `get metrics`: what was recorded of one object, a row for each moment and line.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    cli::{
        args::{Format, Span},
        connect::{self, Link},
        exit::{Code, Failure, talk},
        output::{Column, List, Show},
        target::{self, Found},
    },
    domain::{
        measure::Measure,
        rrd::{Frame, Rrd},
    },
};

/// A row for each moment and line.
pub(super) const METRICS: &[Column] = &[
    Column::new("time", "TIME", Show::Moment),
    Column::wide("cluster", "CLUSTER", Show::Text),
    Column::new("object", "OBJECT", Show::Text),
    Column::new("metric", "METRIC", Show::Text),
    Column::new("line", "LINE", Show::Text),
    Column::data("value"),
    Column::data("unit"),
    Column::new("text", "VALUE", Show::Text),
];

/// Reads and prints.
///
/// # Errors
/// The object or the metric does not exist, or it could not be read.
pub(in super::super) async fn run(
    links: &[Link],
    words: &[String],
    metric: Option<&str>,
    range: Span,
    format: Format,
) -> Result<(), Failure> {
    let [target] = words else {
        return Err(Failure::new(
            Code::Usage,
            "of which object? Write `pvedeck get metrics TARGET`: a VMID or name, a node, NODE/STORAGE",
        ));
    };
    let found = target::measured(target, links).await?;
    let measures = measures(&found, metric)?;
    let now = Timestamp::now();
    let span = SignedDuration::from_secs(range.0);
    let frame = Frame::reaching(span);
    let recording = read(&found, frame)
        .await
        .map_err(|error| connect::failure(&error))?;
    let from = now.checked_sub(span).unwrap_or(Timestamp::MIN);
    let rows = rows(&found, &measures, &recording, from);
    if rows.is_empty() {
        talk(format!("{}: nothing was recorded in this time", found.object));
    }
    List {
        columns: METRICS,
        rows,
    }
    .print(format)?;
    Ok(())
}

/// The metrics that are meant: one, or all that there are.
fn measures(found: &Found, metric: Option<&str>) -> Result<Vec<Measure>, Failure> {
    let all = Measure::of(&found.object);
    let Some(word) = metric else {
        return Ok(all.to_vec());
    };
    let measure = word
        .parse::<Measure>()
        .ok()
        .filter(|measure| all.contains(measure));
    measure.map(|measure| vec![measure]).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|measure| measure.as_str()).collect();
        Failure::new(
            Code::Usage,
            format!(
                "{} has no metric `{word}`; it has {}",
                found.object,
                known.join(", ")
            ),
        )
    })
}

async fn read(found: &Found, frame: Frame) -> Result<Rrd, crate::clients::Error> {
    use crate::domain::ObjectRef;
    let client = &found.link.client;
    match (&found.object, &found.guest) {
        (ObjectRef::Node(node), _) => client.node_rrd(&node.node, frame).await,
        (ObjectRef::Storage(storage), _) => client.storage_rrd(&storage.node, &storage.storage, frame).await,
        (ObjectRef::Guest(guest), Some((node, kind))) => {
            client.guest_rrd(node, *kind, guest.vmid, frame).await
        }
        _ => Ok(Rrd::default()),
    }
}

/// A moment of which nothing was recorded has no row.
fn rows(found: &Found, measures: &[Measure], recording: &Rrd, from: Timestamp) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for record in recording.records().filter(|record| record.at >= from) {
        for measure in measures {
            for strand in measure.strands(&found.object) {
                let Some(value) = strand.value(|field| record.get(field)) else {
                    continue;
                };
                rows.push(vec![
                    record.at.as_second().into(),
                    found.object.cluster().as_str().into(),
                    found.object.to_string().into(),
                    measure.as_str().into(),
                    strand.name.into(),
                    value.into(),
                    measure.unit().as_str().into(),
                    crate::ui::graph::value(value, measure.unit()).into(),
                ]);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_value_for_each_column() {
        assert_eq!(METRICS.len(), 8);
        assert_eq!("90m".parse(), Ok(Span(5400)));
    }
}
