//! What the server sends, read leniently, and turned into domain values.
//!
//! What always holds here: one series, rule or target that cannot be understood never fails the answer; nothing panics on
//! foreign data; no type of this module leaves the client.

use std::{borrow::Cow, collections::HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    super::monitor::{MonitorError, one_line},
    BuildInfo, Told,
};
use crate::domain::{
    alert::{Alert, AlertState, Rule, RuleHealth},
    metric::{Labels, QueryValue, Sample, Series, Target},
};

/// Turns the `data` of an answer into a value.
pub(super) type Decode<T> = fn(&RawValue) -> serde_json::Result<T>;

/// Every answer.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    warnings: Vec<Box<str>>,
    #[serde(default, deserialize_with = "lenient")]
    infos: Vec<Box<str>>,
}

/// A value of the wanted shape, or the default: what is beside the data must not cost the data.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Reads a good answer.
pub(super) fn read<T>(body: &str, decode: Decode<T>) -> serde_json::Result<Told<T>> {
    let envelope: Envelope<'_> = serde_json::from_str(body)?;
    let nothing = RawValue::NULL;
    let mut warnings = envelope.warnings;
    warnings.extend(envelope.infos);
    Ok(Told {
        data: decode(envelope.data.unwrap_or(nothing))?,
        warnings,
    })
}

/// An answer that says what went wrong.
#[derive(Deserialize)]
pub(super) struct Failure<'a> {
    #[serde(borrow, rename = "errorType")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    error: Cow<'a, str>,
}

/// The error of an answer, if it has one.
pub(super) fn error(body: &str) -> Option<Failure<'_>> {
    serde_json::from_str(body).ok()
}

impl Failure<'_> {
    /// Whether who asked can mend it: a mistake in the query, or too much asked for.
    pub(super) fn is_about_the_query(&self) -> bool {
        matches!(
            &*self.kind,
            "bad_data" | "execution" | "422" | "timeout" | "canceled"
        )
    }

    pub(super) fn words(&self) -> String {
        one_line(&self.error)
    }

    pub(super) fn into_query(self) -> MonitorError {
        let words = self.words();
        let message = words
            .strip_prefix("invalid parameter \"query\": ")
            .unwrap_or(&words)
            .to_owned();
        let place = place(&message);
        MonitorError::Query { message, place }
    }
}

/// `1:8: parse error: …` is line 1, column 8.
fn place(message: &str) -> Option<(usize, usize)> {
    let mut parts = message.split(':');
    let line = parts.next()?.trim().parse().ok().filter(|line| *line > 0)?;
    let column = parts.next()?.trim().parse().ok().filter(|column| *column > 0)?;
    Some((line, column))
}

/// The rows of a list that can be understood; the others are logged and left out. `null` is an empty list.
fn rows<'a, W: Deserialize<'a>>(raw: Option<&'a RawValue>) -> serde_json::Result<Vec<W>> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let rows: Vec<&RawValue> = serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default();
    Ok(rows
        .into_iter()
        .filter_map(|row| match serde_json::from_str(row.get()) {
            Ok(row) => Some(row),
            Err(error) => {
                tracing::warn!(%error, "a row of Prometheus was not understood and is left out");
                None
            }
        })
        .collect())
}

type Map = HashMap<Box<str>, Box<str>>;

/// Labels or annotations.
fn labels(map: Map) -> Labels {
    map.into_iter().collect()
}

/// `[1700000000.123, "1.5"]`.
#[derive(Deserialize)]
struct Pair<'a>(f64, #[serde(borrow)] Cow<'a, str>);

impl Pair<'_> {
    fn sample(&self) -> Option<Sample> {
        Some(Sample {
            at: moment(self.0)?,
            value: number(&self.1)?,
        })
    }
}

fn moment(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // What fits into a timestamp is far below the limit of exact whole numbers.
    (millis.abs() < 9e15)
        .then(|| Timestamp::from_millisecond(millis as i64).ok())
        .flatten()
}

/// A value as Go writes it.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

#[derive(Deserialize)]
struct QueryData<'a> {
    #[serde(borrow, rename = "resultType")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    result: &'a RawValue,
}

#[derive(Deserialize)]
struct SeriesRow<'a> {
    #[serde(default)]
    metric: Map,
    #[serde(borrow, default)]
    value: Option<Pair<'a>>,
    #[serde(borrow, default)]
    values: Vec<Pair<'a>>,
}

pub(super) fn query(raw: &RawValue) -> serde_json::Result<QueryValue> {
    let data: QueryData<'_> = serde_json::from_str(raw.get())?;
    let scalar = || -> serde_json::Result<Pair<'_>> { serde_json::from_str(data.result.get()) };
    let wrong = |what: &str| serde::de::Error::custom(format!("a {what} that is none"));
    match &*data.kind {
        "vector" => {
            let rows: Vec<SeriesRow<'_>> = rows(Some(data.result))?;
            // Native histograms have no `value`: there is no number to show.
            let values = rows.into_iter().filter_map(|row| {
                let sample = row.value?.sample()?;
                Some((labels(row.metric), sample))
            });
            Ok(QueryValue::Vector(values.collect()))
        }
        "matrix" => {
            let rows: Vec<SeriesRow<'_>> = rows(Some(data.result))?;
            let series = rows.into_iter().map(|row| Series {
                samples: row.values.iter().filter_map(Pair::sample).collect(),
                labels: labels(row.metric),
            });
            Ok(QueryValue::Matrix(
                series.filter(|series| !series.samples.is_empty()).collect(),
            ))
        }
        "scalar" => scalar()?
            .sample()
            .map(QueryValue::Scalar)
            .ok_or_else(|| wrong("scalar")),
        "string" => Ok(QueryValue::Text(scalar()?.1.into())),
        kind => Err(serde::de::Error::custom(format!(
            "a result of the unknown kind {}",
            one_line(kind)
        ))),
    }
}

pub(super) fn texts(raw: &RawValue) -> serde_json::Result<Vec<Box<str>>> {
    rows(Some(raw))
}

#[derive(Deserialize)]
struct AlertRow<'a> {
    #[serde(default)]
    labels: Map,
    #[serde(default)]
    annotations: Map,
    #[serde(borrow, default)]
    state: Cow<'a, str>,
    #[serde(default, rename = "activeAt")]
    since: Option<Box<str>>,
    #[serde(default)]
    value: Option<Box<str>>,
}

impl AlertRow<'_> {
    fn alert(self) -> Alert {
        Alert {
            labels: labels(self.labels),
            annotations: labels(self.annotations),
            state: match &*self.state {
                "firing" => AlertState::Firing,
                "pending" => AlertState::Pending,
                _ => AlertState::Unknown,
            },
            since: self.since.and_then(|text| text.parse().ok()),
            value: self.value.and_then(|text| number(&text)),
            silenced_by: Vec::new(),
            inhibited_by: 0,
            receivers: Vec::new(),
            link: None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AlertsData<'a> {
    #[serde(borrow)]
    alerts: Option<&'a RawValue>,
}

pub(super) fn alerts(raw: &RawValue) -> serde_json::Result<Vec<Alert>> {
    let data: AlertsData<'_> = serde_json::from_str(raw.get())?;
    let rows: Vec<AlertRow<'_>> = rows(data.alerts)?;
    Ok(rows.into_iter().map(AlertRow::alert).collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupsData<'a> {
    #[serde(borrow)]
    groups: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct GroupRow<'a> {
    #[serde(default)]
    name: Box<str>,
    #[serde(borrow, default)]
    rules: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RuleRow<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    name: Box<str>,
    #[serde(default)]
    query: Box<str>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    labels: Option<Map>,
    #[serde(default)]
    annotations: Option<Map>,
    #[serde(borrow, default)]
    health: Cow<'a, str>,
    #[serde(default, rename = "lastError")]
    error: Option<Box<str>>,
    #[serde(borrow, default)]
    alerts: Option<&'a RawValue>,
}

pub(super) fn rules(raw: &RawValue) -> serde_json::Result<Vec<Rule>> {
    let data: GroupsData<'_> = serde_json::from_str(raw.get())?;
    let mut all = Vec::new();
    for group in rows::<GroupRow<'_>>(data.groups)? {
        for rule in rows::<RuleRow<'_>>(group.rules).unwrap_or_default() {
            let alerts = rows::<AlertRow<'_>>(rule.alerts).unwrap_or_default();
            all.push(Rule {
                group: group.name.clone(),
                name: rule.name,
                query: rule.query,
                alerting: rule.kind == "alerting",
                hold: rule
                    .duration
                    .filter(|seconds| (0.0..1e9).contains(seconds))
                    .map(SignedDuration::from_secs_f64),
                labels: labels(rule.labels.unwrap_or_default()),
                annotations: labels(rule.annotations.unwrap_or_default()),
                health: match (&*rule.health, rule.error) {
                    ("ok", _) => RuleHealth::Good,
                    ("err", error) => RuleHealth::Failed(error.unwrap_or_default()),
                    _ => RuleHealth::Unknown,
                },
                alerts: alerts.into_iter().map(AlertRow::alert).collect(),
            });
        }
    }
    Ok(all)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TargetsData<'a> {
    #[serde(borrow, rename = "activeTargets")]
    active: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TargetRow<'a> {
    #[serde(default)]
    labels: Map,
    #[serde(default, rename = "scrapeUrl")]
    url: Box<str>,
    #[serde(borrow, default)]
    health: Cow<'a, str>,
    #[serde(default, rename = "lastError")]
    error: Option<Box<str>>,
    #[serde(default, rename = "lastScrape")]
    scraped: Option<Box<str>>,
}

pub(super) fn targets(raw: &RawValue) -> serde_json::Result<Vec<Target>> {
    let data: TargetsData<'_> = serde_json::from_str(raw.get())?;
    let rows: Vec<TargetRow<'_>> = rows(data.active)?;
    let targets = rows.into_iter().map(|row| Target {
        labels: labels(row.labels),
        url: row.url,
        up: match &*row.health {
            "up" => Some(true),
            "down" => Some(false),
            _ => None,
        },
        error: row.error.filter(|error| !error.is_empty()),
        // Before the first scrape it is the year 1.
        scraped: row
            .scraped
            .and_then(|text| text.parse().ok())
            .filter(|at: &Timestamp| at.as_second() > 0),
    });
    Ok(targets.collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BuildData {
    version: Option<Box<str>>,
}

pub(super) fn build_info(raw: &RawValue) -> serde_json::Result<BuildInfo> {
    let data: BuildData = serde_json::from_str(raw.get())?;
    Ok(BuildInfo {
        version: data.version.filter(|version| !version.is_empty()),
    })
}

#[cfg(test)]
mod tests;
