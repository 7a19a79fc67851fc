//! What reads a feed of a monitoring server: the seam between the rhythm and the wire.

use std::future::Future;

use jiff::Timestamp;

use crate::{
    clients::{alertmanager, exporter, monitor::MonitorError, prometheus},
    domain::monitor::Answer,
    store::{FeedError, FeedErrorKind, MonitorFeed, MonitorPayload},
};

/// Reads the feeds of one server.
pub trait MonitorReader: Send + Sync {
    /// Reads a feed once; `now` is where a graph that follows the present ends.
    fn read(
        &self,
        feed: MonitorFeed,
        now: Timestamp,
    ) -> impl Future<Output = Result<MonitorPayload, FeedError>> + Send;
}

/// A server of any kind.
#[derive(Clone, Debug)]
pub enum MonitorClient {
    /// Prometheus, or what speaks its API.
    Prometheus(prometheus::Client),
    /// Alertmanager.
    Alertmanager(alertmanager::Client),
    /// Something with a page of metrics.
    Exporter(exporter::Client),
}

impl MonitorReader for MonitorClient {
    async fn read(&self, feed: MonitorFeed, now: Timestamp) -> Result<MonitorPayload, FeedError> {
        let read = match self {
            Self::Prometheus(client) => prometheus(client, &feed, now).await,
            Self::Alertmanager(client) => alertmanager(client, &feed).await,
            Self::Exporter(client) => match feed {
                MonitorFeed::Scrape => client
                    .scrape(now)
                    .await
                    .map(|scrape| Some(MonitorPayload::Scrape(scrape))),
                _ => Ok(None),
            },
        };
        match read {
            Ok(Some(payload)) => Ok(payload),
            Ok(None) => Err(FeedError {
                kind: FeedErrorKind::NotAvailable,
                message: "a server of this kind does not know the answer".to_owned(),
            }),
            Err(error) => Err(explain(&error)),
        }
    }
}

type Read = Result<Option<MonitorPayload>, MonitorError>;

async fn prometheus(client: &prometheus::Client, feed: &MonitorFeed, now: Timestamp) -> Read {
    let answer = |told: prometheus::Told<_>| {
        MonitorPayload::Answer(Answer {
            value: told.data,
            warnings: told.warnings,
        })
    };
    Ok(Some(match feed {
        MonitorFeed::Names => MonitorPayload::Names(client.metric_names().await?.data),
        MonitorFeed::Instant(query) => answer(client.query(query, None).await?),
        MonitorFeed::Range(query, stretch) => answer(client.query_range(query, &stretch.window(now)).await?),
        MonitorFeed::Alerts => MonitorPayload::Alerts(client.alerts().await?.data),
        MonitorFeed::Rules => MonitorPayload::Rules(client.rules().await?.data),
        MonitorFeed::Silences | MonitorFeed::Scrape => return Ok(None),
    }))
}

async fn alertmanager(client: &alertmanager::Client, feed: &MonitorFeed) -> Read {
    Ok(Some(match feed {
        MonitorFeed::Alerts => MonitorPayload::Alerts(client.alerts().await?),
        MonitorFeed::Silences => MonitorPayload::Silences(client.silences().await?),
        _ => return Ok(None),
    }))
}

/// The sort of failure, for backoff and colour, and the sentence that the user reads.
pub fn explain(error: &MonitorError) -> FeedError {
    let kind = match error {
        MonitorError::Unreachable { .. } => FeedErrorKind::Unreachable,
        MonitorError::Untrusted { .. } => FeedErrorKind::Untrusted,
        MonitorError::Refused { status: 401, .. } | MonitorError::Setup { .. } => FeedErrorKind::SignIn,
        MonitorError::Refused { .. } => FeedErrorKind::NotAllowed,
        MonitorError::NotThere { .. } => FeedErrorKind::NotAvailable,
        MonitorError::Query { place, .. } => FeedErrorKind::Query(*place),
        // One query that takes too long says nothing about the others.
        MonitorError::Timeout { .. } | MonitorError::Server { .. } => FeedErrorKind::Server,
        MonitorError::Malformed { .. } => FeedErrorKind::Malformed,
    };
    FeedError {
        kind,
        message: error.to_string(),
    }
}
