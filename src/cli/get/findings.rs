//! Findings, once: what the console would read of a cluster over a minute is read at once.

use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use super::rows;
use crate::{
    cli::{
        connect::{Link, code_of_feed},
        exit::{Code, talk},
    },
    domain::Inventory,
    store::{Feed, FeedError, FeedErrorKind, FindingLimits, Payload, Store, Update},
    sync::{Place, Reader, surveys},
};

/// What was read of a cluster.
pub(in crate::cli) struct Survey {
    /// All of it.
    pub(in crate::cli) store: Store,
    /// The inventory, if it could be read.
    pub(in crate::cli) inventory: Option<Inventory>,
    /// Why it could not.
    pub(in crate::cli) failed: Option<FeedError>,
    /// The exit code, if a part could not be read.
    pub(in crate::cli) code: Option<Code>,
}

/// The findings of one cluster, the worst first, and the exit code if it could not be read.
pub(super) async fn read(link: &Link, limits: FindingLimits) -> (Vec<Vec<Value>>, Option<Code>) {
    let survey = survey(link, limits).await;
    let findings = survey.store.findings().iter();
    let rows = findings.map(|finding| rows::finding(&link.id, finding)).collect();
    (
        rows,
        survey
            .failed
            .map(|error| code_of_feed(error.kind))
            .or(survey.code),
    )
}

/// Reads all that findings need; what could not be read is told on stderr.
pub(in crate::cli) async fn survey(link: &Link, limits: FindingLimits) -> Survey {
    let mut store = Store::new([link.id.clone()]);
    store.set_limits(limits);
    let mut unread: Vec<FeedError> = Vec::new();
    let first = [Feed::Resources, Feed::ClusterStatus, Feed::HaStatus, Feed::Tasks];
    let mut failed = None;
    let mut code = None;
    let mut inventory = None;
    for (feed, outcome) in all(link, first, &store).await {
        match &outcome {
            Ok(Payload::Resources(resources)) => inventory = Some(resources.clone()),
            Ok(_) => {}
            Err(error) if feed == Feed::Resources => failed = Some(error.clone()),
            Err(error) => {
                // Without quorum, HA and tasks, a list without findings would say too much.
                code = code.or((error.kind == FeedErrorKind::NotAllowed).then_some(Code::NotAllowed));
                unread.push(error.clone());
            }
        }
        store.apply(Update {
            key: feed.of(&link.id),
            at: Timestamp::now(),
            outcome,
        });
    }
    if let Some(inventory) = &inventory {
        for (feed, outcome) in all(link, surveys(inventory), &store).await {
            // No role that only reads may look at the updates: that is no news.
            let expected = |error: &FeedError| {
                matches!(feed, Feed::NodeUpdates(_)) && error.kind == FeedErrorKind::NotAllowed
            };
            unread.extend(outcome.as_ref().err().filter(|error| !expected(error)).cloned());
            store.apply(Update {
                key: feed.of(&link.id),
                at: Timestamp::now(),
                outcome,
            });
        }
    }
    if let Some(error) = &failed {
        talk(format!("{}: {}", link.id, error.message));
    } else if let Some(error) = unread.first() {
        let others = match unread.len() - 1 {
            0 => String::new(),
            others => format!(" ({others} more like this)"),
        };
        talk(format!(
            "{}: not everything could be looked at{others}: {}",
            link.id, error.message
        ));
    }
    Survey {
        store,
        inventory,
        failed,
        code,
    }
}

/// Reads feeds at the same time; the client bounds how many are under way.
async fn all(
    link: &Link,
    feeds: impl IntoIterator<Item = Feed>,
    store: &Store,
) -> Vec<(Feed, Result<Payload, FeedError>)> {
    let mut reads = JoinSet::new();
    for feed in feeds {
        let client = link.client.clone();
        let place = Place::of(&feed.clone().of(&link.id), store);
        reads.spawn(async move {
            let outcome = Reader::read(&client, feed.clone(), place).await;
            (feed, outcome)
        });
    }
    reads.join_all().await
}
