//! What the server sends, read leniently, and what it takes.
//!
//! What always holds here: one alert or silence that cannot be understood never fails the list; nothing panics on foreign
//! data; no type of this module leaves the client.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::Status;
use crate::domain::{
    alert::{Alert, AlertGroup, AlertState, MatchOp, Matcher, Silence, SilenceState},
    metric::Labels,
};

/// Turns an answer into a value.
pub(super) type Decode<T> = fn(&str) -> serde_json::Result<T>;

type Map = HashMap<Box<str>, Box<str>>;

fn labels(map: Option<Map>) -> Labels {
    map.unwrap_or_default().into_iter().collect()
}

fn rows<'a, W: Deserialize<'a>>(text: &'a str) -> serde_json::Result<Vec<W>> {
    let rows: Vec<&RawValue> = serde_json::from_str::<Option<_>>(text)?.unwrap_or_default();
    Ok(rows
        .into_iter()
        .filter_map(|row| match serde_json::from_str(row.get()) {
            Ok(row) => Some(row),
            Err(error) => {
                tracing::warn!(%error, "a row of Alertmanager was not understood and is left out");
                None
            }
        })
        .collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusRow {
    cluster: ClusterRow,
    #[serde(rename = "versionInfo")]
    version: VersionRow,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ClusterRow {
    status: Option<Box<str>>,
    peers: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct VersionRow {
    version: Option<Box<str>>,
}

pub(super) fn status(text: &str) -> serde_json::Result<Status> {
    let row: StatusRow = serde_json::from_str(text)?;
    Ok(Status {
        version: row.version.version.filter(|version| !version.is_empty()),
        cluster: row.cluster.status,
        peers: row.cluster.peers.map_or(0, |peers| peers.len()),
    })
}

#[derive(Deserialize)]
struct AlertRow {
    labels: Map,
    #[serde(default)]
    annotations: Option<Map>,
    #[serde(default, rename = "startsAt")]
    starts: Option<Box<str>>,
    #[serde(default)]
    status: Option<AlertStatusRow>,
    #[serde(default)]
    receivers: Option<Vec<ReceiverRow>>,
    #[serde(default, rename = "generatorURL")]
    link: Option<Box<str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AlertStatusRow {
    state: Box<str>,
    #[serde(rename = "silencedBy")]
    silenced_by: Option<Vec<Box<str>>>,
    #[serde(rename = "inhibitedBy")]
    inhibited_by: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReceiverRow {
    name: Box<str>,
}

impl AlertRow {
    fn alert(self) -> Alert {
        let status = self.status.unwrap_or_default();
        Alert {
            labels: labels(Some(self.labels)),
            annotations: labels(self.annotations),
            state: match &*status.state {
                "active" => AlertState::Firing,
                "suppressed" => AlertState::Suppressed,
                _ => AlertState::Unknown,
            },
            since: self.starts.and_then(|text| text.parse().ok()),
            value: None,
            silenced_by: status.silenced_by.unwrap_or_default(),
            inhibited_by: status.inhibited_by.map_or(0, |by| by.len()),
            receivers: self
                .receivers
                .unwrap_or_default()
                .into_iter()
                .map(|receiver| receiver.name)
                .collect(),
            link: self.link.filter(|link| !link.is_empty()),
        }
    }
}

pub(super) fn alerts(text: &str) -> serde_json::Result<Vec<Alert>> {
    Ok(rows::<AlertRow>(text)?.into_iter().map(AlertRow::alert).collect())
}

#[derive(Deserialize)]
struct GroupRow<'a> {
    #[serde(default)]
    labels: Option<Map>,
    #[serde(default)]
    receiver: ReceiverRow,
    #[serde(borrow, default)]
    alerts: Option<&'a RawValue>,
}

pub(super) fn groups(text: &str) -> serde_json::Result<Vec<AlertGroup>> {
    let groups = rows::<GroupRow<'_>>(text)?.into_iter().map(|group| AlertGroup {
        labels: labels(group.labels),
        receiver: group.receiver.name,
        alerts: group
            .alerts
            .and_then(|raw| alerts(raw.get()).ok())
            .unwrap_or_default(),
    });
    Ok(groups.collect())
}

#[derive(Deserialize)]
struct SilenceRow {
    id: Box<str>,
    #[serde(default)]
    matchers: Vec<MatcherRow>,
    #[serde(default, rename = "startsAt")]
    starts: Option<Box<str>>,
    #[serde(default, rename = "endsAt")]
    ends: Option<Box<str>>,
    #[serde(default, rename = "createdBy")]
    by: Box<str>,
    #[serde(default)]
    comment: Box<str>,
    #[serde(default)]
    status: SilenceStatusRow,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SilenceStatusRow {
    state: Box<str>,
}

#[derive(Deserialize)]
struct MatcherRow {
    name: Box<str>,
    value: Box<str>,
    #[serde(default, rename = "isRegex")]
    regex: bool,
    /// Servers before 0.22 know no other.
    #[serde(default = "yes", rename = "isEqual")]
    equal: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn silences(text: &str) -> serde_json::Result<Vec<Silence>> {
    let moment = |text: Option<Box<str>>| text.and_then(|text| text.parse::<Timestamp>().ok());
    let silences = rows::<SilenceRow>(text)?.into_iter().map(|row| Silence {
        id: row.id,
        matchers: row
            .matchers
            .into_iter()
            .map(|row| Matcher {
                name: row.name,
                op: match (row.equal, row.regex) {
                    (true, false) => MatchOp::Equal,
                    (false, false) => MatchOp::NotEqual,
                    (true, true) => MatchOp::Regex,
                    (false, true) => MatchOp::NotRegex,
                },
                value: row.value,
            })
            .collect(),
        starts: moment(row.starts),
        ends: moment(row.ends),
        by: row.by,
        comment: row.comment,
        state: match &*row.status.state {
            "active" => SilenceState::Active,
            "pending" => SilenceState::Pending,
            "expired" => SilenceState::Expired,
            _ => SilenceState::Unknown,
        },
    });
    Ok(silences.collect())
}

/// The body that makes a silence.
pub(super) fn silence(
    replaces: Option<&str>,
    matchers: &[Matcher],
    [starts, ends]: [Timestamp; 2],
    by: &str,
    comment: &str,
) -> serde_json::Value {
    let matchers: Vec<serde_json::Value> = matchers
        .iter()
        .map(|matcher| {
            json!({
                "name": matcher.name,
                "value": matcher.value,
                "isRegex": matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex),
                "isEqual": matches!(matcher.op, MatchOp::Equal | MatchOp::Regex),
            })
        })
        .collect();
    let mut body = json!({
        "matchers": matchers,
        "startsAt": starts.to_string(),
        "endsAt": ends.to_string(),
        "createdBy": by,
        "comment": comment,
    });
    if let Some(id) = replaces {
        body["id"] = id.into();
    }
    body
}

#[derive(Deserialize)]
struct CreatedRow {
    #[serde(rename = "silenceID")]
    id: Box<str>,
}

/// The id of what was made.
pub(super) fn created(text: &str) -> serde_json::Result<Box<str>> {
    Ok(serde_json::from_str::<CreatedRow>(text)?.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/monitoring/recorded");
        std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
    }

    #[test]
    fn what_a_real_server_told() {
        let all = alerts(&recorded("alertmanager-alerts.json")).unwrap();
        let silenced = all.iter().find(|alert| alert.name() == Some("Always")).unwrap();
        assert_eq!(silenced.state, AlertState::Suppressed);
        assert_eq!((silenced.silenced_by.len(), silenced.inhibited_by), (1, 0));
        assert_eq!(silenced.receivers, ["shown".into()]);
        assert!(silenced.since.is_some());
        let groups = groups(&recorded("alertmanager-groups.json")).unwrap();
        assert!(
            groups
                .iter()
                .any(|group| &*group.receiver == "shown" && !group.alerts.is_empty())
        );
        let silences = silences(&recorded("alertmanager-silences.json")).unwrap();
        let states: Vec<SilenceState> = silences.iter().map(|silence| silence.state).collect();
        assert!(states.contains(&SilenceState::Active) && states.contains(&SilenceState::Expired));
        assert!(silences.iter().any(|silence| {
            silence
                .matchers
                .iter()
                .any(|m| m.to_string() == r#"alertname="Always""#)
        }));
        let status = status(&recorded("alertmanager-status.json")).unwrap();
        assert!(status.version.is_some() && status.cluster.is_some());
    }

    #[test]
    fn one_bad_row_costs_nothing_else() {
        let text =
            r#"[7, {"labels": {"alertname": "A"}, "status": null, "receivers": null}, {"labels": []}]"#;
        let all = alerts(text).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].state, AlertState::Unknown);
        assert_eq!(alerts("null").unwrap(), []);
        assert!(alerts("{}").is_err());
        let old =
            r#"[{"id":"x","matchers":[{"name":"a","value":"b","isRegex":true}],"status":{"state":"odd"}}]"#;
        let all = silences(old).unwrap();
        assert_eq!(all[0].matchers[0].op, MatchOp::Regex);
        assert_eq!((all[0].state, all[0].ends), (SilenceState::Unknown, None));
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader(text in "\\PC{0,200}") {
            let _ = (alerts(&text), groups(&text), silences(&text), status(&text), created(&text));
        }
    }
}
