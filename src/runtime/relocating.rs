//! Where the guests of an interrupted run are by now: read before it goes on.

use jiff::Timestamp;

use crate::{
    clients::pve::Client,
    domain::ClusterId,
    plan::{journal::Run, relocate},
    store::{Feed, Payload, Store, Update},
};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What moved since the plan was made.
    pub moved: Vec<String>,
    /// What could not be read: its steps stay as they are.
    pub unread: Vec<String>,
}

/// Leads the open steps of a run to where their guests are now.
///
/// # Errors
/// A guest is gone, or is not what it was.
pub async fn follow(run: &mut Run, clusters: &[(&ClusterId, &Client)]) -> Result<Found, String> {
    let mut store = Store::new(clusters.iter().map(|(id, _)| (*id).clone()));
    let mut found = Found::default();
    for (id, client) in clusters {
        if run.plan.steps.iter().all(|step| step.cluster != **id) {
            continue;
        }
        match client.resources().await {
            Ok(inventory) => {
                store.apply(Update {
                    key: Feed::Resources.of(id),
                    at: Timestamp::now(),
                    outcome: Ok(Payload::Resources(inventory)),
                });
            }
            Err(error) => found.unread.push(format!("{id}: {error}")),
        }
    }
    found.moved = relocate(run, &store)?;
    Ok(found)
}
