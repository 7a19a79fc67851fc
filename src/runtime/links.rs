//! The readers of all clusters: started here, told what is on the screen, and ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clients::pve::Actor,
    domain::ClusterId,
    store::{Feed, FeedKey, Update},
    sync::{Orders, Reader, drive},
};

/// Updates that may wait to be taken. A reader waits rather than fill the memory.
const WAITING: usize = 256;

/// The way to the readers of all clusters.
pub struct Links {
    /// What the readers bring.
    pub updates: mpsc::Receiver<Update>,
    /// Who may write to which cluster. One that is not in it is read-only: there is nothing to write with.
    pub actors: BTreeMap<ClusterId, Actor>,
    drivers: BTreeMap<ClusterId, Driver>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

struct Driver {
    watch: watch::Sender<(BTreeSet<Feed>, bool)>,
    refresh: mpsc::Sender<BTreeSet<Feed>>,
}

impl Links {
    /// Starts a reader for each cluster. Each goes its own way: none waits for another.
    pub fn start<R: Reader + 'static>(clusters: impl IntoIterator<Item = (ClusterId, R)>) -> Self {
        let (sender, updates) = mpsc::channel(WAITING);
        let mut links = Self {
            updates,
            actors: BTreeMap::new(),
            drivers: BTreeMap::new(),
            tasks: JoinSet::new(),
            cancel: CancellationToken::new(),
        };
        for (id, reader) in clusters {
            let (watch, watched) = watch::channel((BTreeSet::new(), false));
            let (refresh, refreshed) = mpsc::channel(16);
            let orders = Orders {
                watch: watched,
                refresh: refreshed,
                cancel: links.cancel.clone(),
            };
            links
                .tasks
                .spawn(drive(id.clone(), Arc::new(reader), orders, sender.clone()));
            links.drivers.insert(id, Driver { watch, refresh });
        }
        links
    }

    /// With these to write.
    #[must_use]
    pub fn acting(mut self, actors: BTreeMap<ClusterId, Actor>) -> Self {
        self.actors = actors;
        self
    }

    /// Tells the readers what is on the screen.
    pub fn watch(&self, feeds: BTreeSet<FeedKey>, paused: bool) {
        let mut by_cluster = split(feeds);
        for (id, driver) in &self.drivers {
            driver
                .watch
                .send_replace((by_cluster.remove(id).unwrap_or_default(), paused));
        }
    }

    /// Tells the readers to read these at once. One that is so far behind that it has not taken earlier orders
    /// reads these anyway.
    pub fn refresh(&self, feeds: BTreeSet<FeedKey>) {
        for (id, feeds) in split(feeds) {
            if let Some(driver) = self.drivers.get(&id) {
                let _ = driver.refresh.try_send(feeds);
            }
        }
    }

    /// Ends the readers; what they are just reading is dropped.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

fn split(feeds: BTreeSet<FeedKey>) -> BTreeMap<ClusterId, BTreeSet<Feed>> {
    let mut by_cluster: BTreeMap<ClusterId, BTreeSet<Feed>> = BTreeMap::new();
    for key in feeds {
        by_cluster.entry(key.cluster).or_default().insert(key.feed);
    }
    by_cluster
}
