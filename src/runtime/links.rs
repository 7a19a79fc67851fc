//! The readers of all clusters and monitoring servers: started here, told what is on the screen, and ended.

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
    clients::{pbs, pve::Actor},
    domain::{ClusterId, MonitorId},
    store::{Feed, FeedKey, MonitorFeed, MonitorKey, MonitorUpdate, Update},
    sync::{MonitorReader, Orders, Reader, drive, drive_monitor},
};

/// Updates that may wait to be taken. A reader waits rather than fill the memory.
const WAITING: usize = 256;

/// The way to the readers of all clusters.
pub struct Links {
    /// Who may write to which Backup Server.
    pub servers: BTreeMap<ClusterId, pbs::Actor>,
    /// What the readers bring.
    pub updates: mpsc::Receiver<Update>,
    /// What the readers of monitoring servers bring.
    pub measured: mpsc::Receiver<MonitorUpdate>,
    /// Who may write to which cluster. One that is not in it is read-only: there is nothing to write with.
    pub actors: BTreeMap<ClusterId, Actor>,
    drivers: BTreeMap<ClusterId, Driver<Feed>>,
    monitors: BTreeMap<MonitorId, Driver<MonitorFeed>>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

struct Driver<F> {
    watch: watch::Sender<(BTreeSet<F>, bool)>,
    refresh: mpsc::Sender<BTreeSet<F>>,
}

impl<F> Driver<F> {
    fn new(cancel: &CancellationToken) -> (Self, Orders<F>) {
        let (watch, watched) = watch::channel((BTreeSet::new(), false));
        let (refresh, refreshed) = mpsc::channel(16);
        let orders = Orders {
            watch: watched,
            refresh: refreshed,
            cancel: cancel.clone(),
        };
        (Self { watch, refresh }, orders)
    }
}

impl Links {
    /// Starts a reader for each cluster. Each goes its own way: none waits for another.
    pub fn start<R: Reader + 'static>(clusters: impl IntoIterator<Item = (ClusterId, R)>) -> Self {
        Self::start_with(clusters, std::iter::empty::<(ClusterId, R)>())
    }

    /// The same with readers of another sort beside them: those of Backup Servers.
    pub fn start_with<R: Reader + 'static, S: Reader + 'static>(
        clusters: impl IntoIterator<Item = (ClusterId, R)>,
        servers: impl IntoIterator<Item = (ClusterId, S)>,
    ) -> Self {
        let (sender, updates) = mpsc::channel(WAITING);
        let mut links = Self {
            updates,
            measured: mpsc::channel(1).1,
            servers: BTreeMap::new(),
            actors: BTreeMap::new(),
            drivers: BTreeMap::new(),
            monitors: BTreeMap::new(),
            tasks: JoinSet::new(),
            cancel: CancellationToken::new(),
        };
        for (id, reader) in clusters {
            links.begin(id, reader, &sender);
        }
        for (id, reader) in servers {
            links.begin(id, reader, &sender);
        }
        links
    }

    /// With a reader for each monitoring server.
    #[must_use]
    pub fn monitoring<R: MonitorReader + 'static>(
        mut self,
        servers: impl IntoIterator<Item = (MonitorId, R)>,
    ) -> Self {
        let (sender, measured) = mpsc::channel(WAITING);
        self.measured = measured;
        for (id, reader) in servers {
            let (driver, orders) = Driver::new(&self.cancel);
            self.tasks.spawn(drive_monitor(
                id.clone(),
                Arc::new(reader),
                orders,
                sender.clone(),
            ));
            self.monitors.insert(id, driver);
        }
        self
    }

    fn begin<R: Reader + 'static>(&mut self, id: ClusterId, reader: R, sender: &mpsc::Sender<Update>) {
        let (driver, orders) = Driver::new(&self.cancel);
        self.tasks
            .spawn(drive(id.clone(), Arc::new(reader), orders, sender.clone()));
        self.drivers.insert(id, driver);
    }

    /// With these to write.
    #[must_use]
    pub fn acting(mut self, actors: BTreeMap<ClusterId, Actor>) -> Self {
        self.actors = actors;
        self
    }

    /// With these to write to Backup Servers.
    #[must_use]
    pub fn acting_on_servers(mut self, servers: BTreeMap<ClusterId, pbs::Actor>) -> Self {
        self.servers = servers;
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

    /// Tells the readers of monitoring servers what is on the screen.
    pub fn watch_monitors(&self, feeds: BTreeSet<MonitorKey>, paused: bool) {
        let mut by_server = split_monitors(feeds);
        for (id, driver) in &self.monitors {
            driver
                .watch
                .send_replace((by_server.remove(id).unwrap_or_default(), paused));
        }
    }

    /// Tells the readers of monitoring servers to read these at once.
    pub fn refresh_monitors(&self, feeds: BTreeSet<MonitorKey>) {
        for (id, feeds) in split_monitors(feeds) {
            if let Some(driver) = self.monitors.get(&id) {
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

fn split_monitors(feeds: BTreeSet<MonitorKey>) -> BTreeMap<MonitorId, BTreeSet<MonitorFeed>> {
    let mut by_server: BTreeMap<MonitorId, BTreeSet<MonitorFeed>> = BTreeMap::new();
    for key in feeds {
        by_server.entry(key.server).or_default().insert(key.feed);
    }
    by_server
}
