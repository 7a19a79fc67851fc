//! The drivers of monitoring servers against real ones: what is asked, and what a server that dies mid-way does.

use std::collections::BTreeSet;

use pvedeck::{
    clients::{exporter, prometheus, pve},
    domain::{ClusterId, MonitorId, MonitorInfo, MonitorKind, metric::QueryValue, monitor::Stretch},
    runtime::links::Links,
    store::{FeedErrorKind, MonitorFeed, MonitorKey, MonitorUpdate, Store},
    sync::MonitorClient,
};
use tempfile::TempDir;

use crate::{
    prometheus::settings,
    servers::{node_exporter, prometheus as start_prometheus},
};

fn id(kind: MonitorKind) -> MonitorId {
    MonitorId::new(kind, kind.section())
}

fn info(kind: MonitorKind, url: &str) -> MonitorInfo {
    MonitorInfo {
        id: id(kind),
        address: url.into(),
        clusters: Vec::new(),
        cluster_label: "cluster".into(),
        read_only: true,
    }
}

/// A store that follows the drivers.
struct Following {
    links: Links,
    store: Store,
}

impl Following {
    fn new(servers: Vec<(MonitorInfo, MonitorClient)>) -> Self {
        let mut store = Store::new([]);
        store.set_monitors(servers.iter().map(|(info, _)| info.clone()));
        let servers = servers.into_iter().map(|(info, client)| (info.id, client));
        let links = Links::start(std::iter::empty::<(ClusterId, pve::Client)>()).monitoring(servers);
        Self { links, store }
    }

    async fn next(&mut self) -> MonitorUpdate {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), self.links.measured.recv());
        let update = next
            .await
            .expect("an answer in time")
            .expect("a driver that lives");
        self.store.apply_monitor(update.clone());
        update
    }

    /// Takes answers until something holds.
    async fn until(&mut self, holds: impl Fn(&Store) -> bool) {
        while !holds(&self.store) {
            self.next().await;
        }
    }
}

fn kind_of(store: &Store, key: &MonitorKey) -> Option<FeedErrorKind> {
    store.monitors.freshness(key).error.map(|error| error.kind)
}

#[tokio::test]
async fn a_prometheus_that_dies_mid_way_keeps_what_it_said_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node_exporter(&folder) else {
        return;
    };
    let rules = "groups: [{name: g, rules: [{alert: Always, expr: 'vector(1)'}]}]\n";
    let Some(mut server) = start_prometheus(&folder, &[("node", node.port)], None, rules, &[]) else {
        return;
    };
    let prometheus_client = prometheus::Client::new(&settings(&server.url())).unwrap();
    let exporter_client = exporter::Client::new(&settings(&node.url()), &[]).unwrap();
    let mut following = Following::new(vec![
        (
            info(MonitorKind::Prometheus, &server.url()),
            MonitorClient::Prometheus(prometheus_client),
        ),
        (
            info(MonitorKind::Exporter, &node.url()),
            MonitorClient::Exporter(exporter_client),
        ),
    ]);
    let of = |feed: MonitorFeed| feed.of(&id(MonitorKind::Prometheus));
    let scrape = MonitorFeed::Scrape.of(&id(MonitorKind::Exporter));
    let up = of(MonitorFeed::Instant("up".into()));
    let wrong = of(MonitorFeed::Instant("up{job=}".into()));
    let hour = Stretch {
        seconds: 3600,
        until: None,
        points: 240,
    };
    let graph = of(MonitorFeed::Range("up".into(), hour));
    let all: BTreeSet<MonitorKey> = [
        of(MonitorFeed::Names),
        of(MonitorFeed::Alerts),
        of(MonitorFeed::Rules),
        up.clone(),
        wrong.clone(),
        graph.clone(),
        scrape.clone(),
    ]
    .into();
    following.links.watch_monitors(all.clone(), false);
    let known = |store: &Store| {
        all.iter()
            .all(|key| store.monitors.freshness(key).tried_at.is_some())
    };
    following.until(known).await;
    // The first answers may have come before the server had scraped anything.
    following.links.refresh_monitors(all.clone());
    let complete = |store: &Store| {
        let found = |key| match &store.monitors.answer(key).map(|answer| &answer.value) {
            Some(QueryValue::Vector(found)) => !found.is_empty(),
            Some(QueryValue::Matrix(found)) => !found.is_empty(),
            _ => false,
        };
        let server = store.monitors.get(&id(MonitorKind::Prometheus)).unwrap();
        found(&up)
            && found(&graph)
            && server.has("up")
            && server.rules().is_some_and(|rules| rules.len() == 1)
            && server.alerts().is_some_and(|alerts| alerts.len() == 1)
    };
    while !complete(&following.store) {
        following.next().await;
        following.links.refresh_monitors(all.clone());
    }
    let store = &following.store;
    assert_eq!(kind_of(store, &wrong), Some(FeedErrorKind::Query(Some((1, 8)))));
    let exporter = store.monitors.get(&scrape.server).unwrap();
    assert!(exporter.scrape().unwrap().last.points.len() > 20);

    server.end();
    following.links.refresh_monitors([up.clone()].into());
    following
        .until(|store| kind_of(store, &up) == Some(FeedErrorKind::Unreachable))
        .await;
    assert!(complete(&following.store), "what it said stays");
    server.start_again();
    // Nobody asks for it: the driver finds out by itself.
    following.until(|store| kind_of(store, &up).is_none()).await;
    following.links.stop().await;
}
