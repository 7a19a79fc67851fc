//! The client: one method for each thing that can be asked.

use jiff::Timestamp;

use super::{
    super::monitor::{Link, target},
    MonitorError, Settings, wire,
};
use crate::domain::{
    alert::{Alert, Rule},
    metric::{QueryValue, Target, Window},
};

/// What a server told, and what it had to say about it: that a part is missing, that a label looks wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Told<T> {
    /// The data.
    pub data: T,
    /// Its warnings, foreign text.
    pub warnings: Vec<Box<str>>,
}

/// What a server says of itself. Servers that only speak Prometheus' API may leave it out or put their own numbers there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildInfo {
    /// Its version.
    pub version: Option<Box<str>>,
}

/// Reads one Prometheus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    link: Link,
}

type Result<T> = std::result::Result<T, MonitorError>;

/// What fits into the first line of a request. A reader has no body to put more into.
const LONGEST_TARGET: usize = 60_000;

// The methods fail for the same reasons: see `MonitorError`.
#[allow(
    clippy::missing_errors_doc,
    reason = "every method fails as `MonitorError` describes, and for nothing else"
)]
impl Client {
    /// Prepares to ask; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self> {
        Ok(Self {
            link: Link::new("Prometheus", settings)?,
        })
    }

    /// Where it asks.
    pub fn address(&self) -> &str {
        self.link.address()
    }

    /// The value of an expression at one moment; now, by the server's clock, if none is given. `/api/v1/query`.
    pub async fn query(&self, query: &str, at: Option<Timestamp>) -> Result<Told<QueryValue>> {
        let at = at.map(|at| at.as_second().to_string());
        let mut parameters = vec![("query", query)];
        parameters.extend(at.as_deref().map(|at| ("time", at)));
        self.ask("/api/v1/query", &parameters, wire::query).await
    }

    /// The values of an expression over time. `/api/v1/query_range`.
    pub async fn query_range(&self, query: &str, window: &Window) -> Result<Told<QueryValue>> {
        let [start, end, step] = [
            window.start.as_second(),
            window.end.as_second(),
            window.step.as_secs().max(1),
        ]
        .map(|number| number.to_string());
        let parameters = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        self.ask("/api/v1/query_range", &parameters, wire::query).await
    }

    /// The values that a label has, sorted by the server. `/api/v1/label/{label}/values`.
    pub async fn label_values(&self, label: &str) -> Result<Told<Vec<Box<str>>>> {
        let mut path = "/api/v1/label/".to_owned();
        crate::domain::call::percent_encode(label, &mut path);
        path.push_str("/values");
        self.ask(&path, &[], wire::texts).await
    }

    /// The names of all metrics.
    pub async fn metric_names(&self) -> Result<Told<Vec<Box<str>>>> {
        self.label_values("__name__").await
    }

    /// All rules with their alerts. `/api/v1/rules`.
    pub async fn rules(&self) -> Result<Told<Vec<Rule>>> {
        self.ask("/api/v1/rules", &[], wire::rules).await
    }

    /// The alerts that are pending or firing. `/api/v1/alerts`.
    pub async fn alerts(&self) -> Result<Told<Vec<Alert>>> {
        self.ask("/api/v1/alerts", &[], wire::alerts).await
    }

    /// What is scraped, and whether that goes well. `/api/v1/targets`.
    pub async fn targets(&self) -> Result<Told<Vec<Target>>> {
        self.ask("/api/v1/targets", &[("state", "active")], wire::targets)
            .await
    }

    /// What it says of itself. `/api/v1/status/buildinfo`.
    pub async fn build_info(&self) -> Result<BuildInfo> {
        let told = self
            .ask("/api/v1/status/buildinfo", &[], wire::build_info)
            .await?;
        Ok(told.data)
    }

    async fn ask<T>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        decode: wire::Decode<T>,
    ) -> Result<Told<T>> {
        let target = target(path, parameters.iter().copied());
        if target.len() > LONGEST_TARGET {
            return Err(MonitorError::Query {
                message: "the query is too long: encoded it has more than 60,000 characters".to_owned(),
                place: None,
            });
        }
        let answer = self.link.answer(&target).await?;
        let text = String::from_utf8_lossy(&answer.body);
        if answer.status == 200 && !answer.html {
            return wire::read(&text, decode).map_err(|why| self.link.malformed(&target, &why));
        }
        // The API words its errors as JSON, whatever the status; a gateway in front does not.
        let error = wire::error(&text);
        Err(match error {
            Some(error) if error.is_about_the_query() => error.into_query(),
            Some(error) => self.link.judged(&answer, &target, Some(error.words())),
            None => self.link.judged(&answer, &target, None),
        })
    }
}
