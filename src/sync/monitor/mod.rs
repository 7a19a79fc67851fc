//! One driver per monitoring server: does what its schedule says.
//!
//! What always holds here:
//! - A server that nobody looks at is asked nothing.
//! - At most [`schedule::BUDGET`] requests go out in ten seconds, beside what a person has just opened.

mod reader;
pub mod schedule;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::{sync::mpsc, time::Instant};

pub use reader::{MonitorClient, MonitorReader, explain};

use self::schedule::MonitorSchedule;
use super::driver::{Orders, sleep_until};
use crate::{
    domain::MonitorId,
    store::{MonitorFeed, MonitorUpdate},
};

/// Reads one server until it is told to end, or nobody takes the updates any more.
pub async fn drive_monitor<R: MonitorReader>(
    server: MonitorId,
    reader: Arc<R>,
    mut orders: Orders<MonitorFeed>,
    updates: mpsc::Sender<MonitorUpdate>,
) {
    let mut schedule = MonitorSchedule::default();
    let mut reads = FuturesUnordered::new();
    let (feeds, paused) = orders.watch.borrow_and_update().clone();
    schedule.watch(&feeds, paused, Instant::now());
    loop {
        let now = Instant::now();
        for feed in schedule.start(now) {
            let reader = reader.clone();
            reads.push(async move {
                let outcome = reader.read(feed.clone(), Timestamp::now()).await;
                (feed, outcome)
            });
        }
        let wake = schedule.next_wake(now);
        tokio::select! {
            () = orders.cancel.cancelled() => return,
            Some((feed, outcome)) = reads.next() => {
                let told = outcome.as_ref().map(|_| ()).map_err(|error| error.kind);
                schedule.finished(&feed, told, Instant::now(), fastrand::f64());
                let update = MonitorUpdate { key: feed.of(&server), at: Timestamp::now(), outcome };
                // The channel may be full for as long as nobody takes anything: that must not hold up the end.
                tokio::select! {
                    () = orders.cancel.cancelled() => return,
                    sent = updates.send(update) => if sent.is_err() {
                        return;
                    }
                }
            }
            changed = orders.watch.changed() => {
                if changed.is_err() {
                    return;
                }
                let (feeds, paused): (BTreeSet<MonitorFeed>, bool) = orders.watch.borrow_and_update().clone();
                schedule.watch(&feeds, paused, Instant::now());
            }
            Some(feeds) = orders.refresh.recv() => schedule.refresh(&feeds, Instant::now()),
            () = sleep_until(wake) => {}
        }
    }
}
