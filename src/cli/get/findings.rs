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
    store::{Feed, FeedError, FeedErrorKind, FindingLimits, Payload, Store, Update},
    sync::{Place, Reader, surveys},
};

/// The findings of one cluster, the worst first, and the exit code if it could not be read.
pub(super) async fn read(link: &Link, limits: FindingLimits) -> (Vec<Vec<Value>>, Option<Code>) {
    let mut store = Store::new([link.id.clone()]);
    store.set_limits(limits);
    let mut unread: Vec<FeedError> = Vec::new();
    let first = [Feed::Resources, Feed::ClusterStatus, Feed::HaStatus, Feed::Tasks];
    let mut failed = None;
    let mut code = None;
    let mut inventory = None;
    for (feed, outcome) in all(link, first).await {
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
    if let Some(inventory) = inventory {
        for (feed, outcome) in all(link, surveys(&inventory)).await {
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
    let rows = store
        .findings()
        .iter()
        .map(|finding| rows::finding(&link.id, finding))
        .collect();
    (rows, failed.map(|error| code_of_feed(error.kind)).or(code))
}

/// Reads feeds at the same time; the client bounds how many are under way.
async fn all(link: &Link, feeds: impl IntoIterator<Item = Feed>) -> Vec<(Feed, Result<Payload, FeedError>)> {
    let mut reads = JoinSet::new();
    for feed in feeds {
        let client = link.client.clone();
        reads.spawn(async move {
            let outcome = Reader::read(&client, feed.clone(), Place::default()).await;
            (feed, outcome)
        });
    }
    reads.join_all().await
}
