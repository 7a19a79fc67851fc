//! The driver of a cluster against readers that misbehave. Time is paused: hours pass without waiting.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use pvedeck::{
    domain::{ClusterId, Guest, GuestKind, GuestStatus, Inventory, Upid, Vmid, task::TaskLog},
    store::{Feed, FeedError, FeedErrorKind, Payload, Update},
    sync::{Orders, Place, Reader, drive},
};
use tokio::{
    sync::{Barrier, mpsc, watch},
    task::JoinHandle,
    time::{advance, timeout},
};
use tokio_util::sync::CancellationToken;

type Outcome = Result<Payload, FeedError>;

/// A cluster that answers as a function says, after a while.
struct Fake<F> {
    latency: Duration,
    answer: F,
    reads: Mutex<Reads>,
}

#[derive(Default)]
struct Reads {
    all: Vec<(Feed, Place)>,
    in_flight: Vec<Feed>,
    /// The most at once after the first answer had come.
    most_later: usize,
    answered: bool,
}

impl<F: Fn(&Feed, &Place) -> Outcome + Send + Sync> Reader for Fake<F> {
    async fn read(&self, feed: Feed, place: Place) -> Outcome {
        {
            let mut reads = self.reads.lock().unwrap();
            assert!(!reads.in_flight.contains(&feed), "{feed:?} is read twice at once");
            reads.in_flight.push(feed.clone());
            if reads.answered {
                reads.most_later = reads.most_later.max(reads.in_flight.len());
            }
            reads.all.push((feed.clone(), place.clone()));
        }
        // The paused clock jumps to the end of this: nobody waits.
        let _ = timeout(self.latency, std::future::pending::<()>()).await;
        let mut reads = self.reads.lock().unwrap();
        reads.in_flight.retain(|other| *other != feed);
        reads.answered = true;
        (self.answer)(&feed, &place)
    }
}

fn fake<F: Fn(&Feed, &Place) -> Outcome + Send + Sync>(latency: Duration, answer: F) -> Arc<Fake<F>> {
    Arc::new(Fake {
        latency,
        answer,
        reads: Mutex::default(),
    })
}

/// A driver at work, and what steers it.
struct Running {
    watch: watch::Sender<(BTreeSet<Feed>, bool)>,
    _refresh: mpsc::Sender<BTreeSet<Feed>>,
    cancel: CancellationToken,
    updates: mpsc::Receiver<Update>,
    driver: JoinHandle<()>,
}

fn run<R: Reader + 'static>(reader: Arc<R>, room: usize) -> Running {
    let (watch, watched) = watch::channel((BTreeSet::new(), false));
    let (refresh, asked) = mpsc::channel(8);
    let (send, updates) = mpsc::channel(room);
    let cancel = CancellationToken::new();
    let orders = Orders {
        watch: watched,
        refresh: asked,
        cancel: cancel.clone(),
    };
    let driver = tokio::spawn(drive(ClusterId::from("prod"), reader, orders, send));
    Running {
        watch,
        _refresh: refresh,
        cancel,
        updates,
        driver,
    }
}

/// Takes the updates of a span of time.
async fn take(updates: &mut mpsc::Receiver<Update>, span: Duration) -> Vec<Update> {
    let mut taken = Vec::new();
    let end = tokio::time::Instant::now() + span;
    while let Ok(Some(update)) = tokio::time::timeout_at(end, updates.recv()).await {
        taken.push(update);
    }
    taken
}

fn guest(node: &str) -> Guest {
    Guest {
        vmid: Vmid(100),
        kind: GuestKind::Lxc,
        name: None,
        node: node.into(),
        status: GuestStatus::Running,
        template: false,
        tags: Vec::new(),
        pool: None,
        lock: None,
        ha_state: None,
        cpu: None,
        cpus: None,
        mem: None,
        max_mem: None,
        host_mem: None,
        disk: None,
        max_disk: None,
        uptime: None,
        net_in: None,
        net_out: None,
        disk_read: None,
        disk_write: None,
    }
}

fn on(node: &str) -> Payload {
    Payload::Resources(Inventory {
        guests: vec![guest(node)],
        ..Inventory::default()
    })
}

fn failed(kind: FeedErrorKind) -> Outcome {
    Err(FeedError {
        kind,
        message: "no".to_owned(),
    })
}

fn well(feed: &Feed) -> Outcome {
    match feed {
        Feed::Resources => Ok(on("pve1")),
        Feed::Tasks => Ok(Payload::Tasks(Vec::new())),
        _ => failed(FeedErrorKind::NotAllowed),
    }
}

/// Answers only when three questions are there at the same time.
struct Together(Barrier);

impl Reader for Together {
    async fn read(&self, feed: Feed, _: Place) -> Outcome {
        self.0.wait().await;
        well(&feed)
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_data_is_asked_for_in_parallel() {
    let mut running = run(Arc::new(Together(Barrier::new(3))), 8);
    let mut first = BTreeSet::new();
    for _ in 0..3 {
        let update = timeout(Duration::from_secs(1), running.updates.recv()).await;
        first.insert(update.unwrap().unwrap().key.feed);
    }
    let core = [Feed::Resources, Feed::ClusterStatus, Feed::Tasks];
    assert_eq!(first, BTreeSet::from(core));
}

#[tokio::test(start_paused = true)]
async fn a_dead_cluster_slows_no_other_and_is_asked_one_question_at_a_time() {
    let dead = fake(Duration::from_secs(10), |_, _| failed(FeedErrorKind::Unreachable));
    let alive = fake(Duration::from_millis(50), |feed, _| well(feed));
    let mut silent = run(dead.clone(), 64);
    let mut other = run(alive, 64);
    let minute = Duration::from_secs(60);
    let (_, updates) = tokio::join!(
        take(&mut silent.updates, minute * 10),
        take(&mut other.updates, minute)
    );
    let inventories = updates
        .iter()
        .filter(|update| update.key.feed == Feed::Resources)
        .count();
    assert!((6..=7).contains(&inventories), "{inventories}");
    let reads = dead.reads.lock().unwrap();
    assert!((8..=30).contains(&reads.all.len()), "{}", reads.all.len());
    // Two of the first three are still under way when the first has come back.
    assert!(reads.most_later <= 3, "{} at once", reads.most_later);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_moved_is_found_again() {
    let moved = Mutex::new(false);
    let cluster = fake(Duration::from_millis(20), move |feed, place| match feed {
        Feed::Resources if *moved.lock().unwrap() => Ok(on("pve2")),
        Feed::GuestConfig(_) => {
            *moved.lock().unwrap() = true;
            match &place.guest {
                Some((node, GuestKind::Lxc)) if node.as_str() == "pve2" => Ok(Payload::GuestConfig(
                    pvedeck::domain::config::GuestConfig::default(),
                )),
                _ => failed(FeedErrorKind::NotAvailable),
            }
        }
        feed => well(feed),
    });
    let mut running = run(cluster, 64);
    take(&mut running.updates, Duration::from_secs(2)).await;
    let config = Feed::GuestConfig(Vmid(100));
    running
        .watch
        .send((BTreeSet::from([config.clone()]), false))
        .unwrap();
    let updates = take(&mut running.updates, Duration::from_secs(30)).await;
    let outcomes: Vec<bool> = updates
        .iter()
        .filter(|update| update.key.feed == config)
        .map(|update| update.outcome.is_ok())
        .collect();
    assert_eq!(outcomes, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_long_log_comes_whole_and_at_once() {
    const LINES: usize = 1_200;
    let upid: Upid = "UPID:pve1:00000001:00000001:6B013B39:vzdump:100:root@pam:"
        .parse()
        .unwrap();
    let cluster = fake(Duration::from_millis(20), |feed, place| match feed {
        Feed::TaskLog(_) => Ok(Payload::TaskLog(TaskLog {
            start: place.line,
            lines: vec!["line".into(); (LINES - place.line).min(500)],
            total: LINES,
        })),
        feed => well(feed),
    });
    let mut running = run(cluster, 64);
    let log = BTreeSet::from([Feed::TaskLog(upid)]);
    running.watch.send((log, false)).unwrap();
    let lines: usize = take(&mut running.updates, Duration::from_secs(2))
        .await
        .iter()
        .map(|update| match &update.outcome {
            Ok(Payload::TaskLog(log)) => log.lines.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(lines, LINES);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_told_even_if_nobody_takes_what_it_read() {
    let running = run(fake(Duration::ZERO, |feed, _| well(feed)), 1);
    // The second update finds the channel full.
    advance(Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    assert!(!running.driver.is_finished());
    running.cancel.cancel();
    timeout(Duration::from_secs(1), running.driver)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let running = run(fake(Duration::ZERO, |feed, _| well(feed)), 8);
    drop(running.updates);
    timeout(Duration::from_secs(60), running.driver)
        .await
        .unwrap()
        .unwrap();
}
