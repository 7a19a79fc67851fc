//! `get metrics --top N`: the objects with the highest values now.

use jiff::{SignedDuration, Timestamp};

use super::metrics::METRICS;
use crate::{
    cli::{
        args::Format,
        connect::{self, Link},
        exit::{Code, Failure, talk},
        monitors,
        output::List,
    },
    domain::{
        MonitorKind, ObjectRef,
        measure::{Measure, Shown},
        metric::Unit,
        template::Of,
    },
    settings::Settings,
    store::{Feed, FeedKey, MonitorKey, MonitorUpdate, Payload, Store, Update},
    sync::{MonitorReader as _, failure},
};

/// Reads and prints.
///
/// # Errors
/// The metric does not exist, or nothing could be read.
pub(in super::super) async fn run(
    links: &[Link],
    settings: &Settings,
    words: &[String],
    shown: Option<Shown>,
    count: usize,
    format: Format,
) -> Result<(), Failure> {
    let of = match words {
        [] => Of::Guest,
        [word] => match word.trim_end_matches('s') {
            "guest" => Of::Guest,
            "node" => Of::Node,
            "storage" => Of::Storage,
            _ => return Err(kinds()),
        },
        _ => return Err(kinds()),
    };
    let usual = if of == Of::Storage {
        Measure::Fill
    } else {
        Measure::Cpu
    };
    let shown = shown.unwrap_or_else(|| usual.into());
    let mut store = Store::new(links.iter().map(|link| link.id.clone()));
    let mut failed = None;
    for link in links {
        let known = read(&mut store, link, of, &shown).await;
        if let Err(error) = known {
            talk(format!("{}: {error}", link.id));
            failed = Some(connect::code(&error));
        }
    }
    let now = Timestamp::now();
    let (top, unit) = match &shown {
        Shown::Measure(measure) => (store.top(of, *measure, now), measure.unit()),
        Shown::Metric(name) => of_monitoring(&mut store, settings, of, name).await?,
    };
    if top.is_empty() && failed.is_none() {
        talk(format!("nothing is known of {} now", shown.as_str()));
    }
    let rows = top.iter().take(count).map(|(object, value)| {
        vec![
            now.as_second().into(),
            object.cluster().as_str().into(),
            called(&store, object).into(),
            shown.as_str().into(),
            "".into(),
            (*value).into(),
            unit.as_str().into(),
            crate::ui::graph::value(*value, unit).into(),
        ]
    });
    List {
        columns: METRICS,
        rows: rows.collect(),
    }
    .print(format)?;
    failed.map_or(Ok(()), |code| Err(Failure::said(code)))
}

fn kinds() -> Failure {
    Failure::new(
        Code::Usage,
        "the highest of what? Write `pvedeck get metrics guests --top N`: guests, nodes or storages",
    )
}

fn called(store: &Store, object: &ObjectRef) -> String {
    match object {
        ObjectRef::Guest(id) => match store.guest(id) {
            Some(guest) => format!("{} {}", id.vmid, guest.label()),
            None => object.to_string(),
        },
        _ => object.to_string(),
    }
}

/// The inventory of a cluster, and its readings where rates or figures of the node are wanted.
async fn read(store: &mut Store, link: &Link, of: Of, shown: &Shown) -> Result<(), crate::clients::Error> {
    let at = Timestamp::now;
    let of_cluster = |feed: Feed| FeedKey {
        cluster: link.id.clone(),
        feed,
    };
    let inventory = link.client.resources().await?;
    store.apply(Update {
        key: of_cluster(Feed::Resources),
        at: at(),
        outcome: Ok(Payload::Resources(inventory)),
    });
    if let Ok(status) = link.client.cluster_status().await {
        store.apply(Update {
            key: of_cluster(Feed::ClusterStatus),
            at: at(),
            outcome: Ok(Payload::ClusterStatus(status)),
        });
    }
    let listed = matches!(
        (of, shown),
        (
            _,
            Shown::Measure(Measure::Cpu | Measure::Memory | Measure::Fill | Measure::Root)
        )
    );
    if !listed && matches!(shown, Shown::Measure(_)) {
        // Two generations at least, or a counter has no rate.
        let after = at().checked_sub(SignedDuration::from_secs(60)).ok();
        let outcome = link.client.cluster_readings(after).await;
        store.apply(Update {
            key: of_cluster(Feed::Readings),
            at: at(),
            outcome: outcome.map(Payload::Readings).map_err(|error| failure(&error)),
        });
        if let Some(error) = store.freshness(&of_cluster(Feed::Readings)).error {
            talk(format!("{}: {}", link.id, error.message));
        }
    }
    Ok(())
}

type Top = (Vec<(ObjectRef, f64)>, Unit);

/// By a metric that only a Prometheus has: one query for each server.
async fn of_monitoring(store: &mut Store, settings: &Settings, of: Of, name: &str) -> Result<Top, Failure> {
    let (servers, problems) = monitors::links(settings);
    for problem in problems {
        talk(problem);
    }
    let servers: Vec<_> = servers
        .into_iter()
        .filter(|(info, _)| info.id.kind == MonitorKind::Prometheus)
        .collect();
    if servers.is_empty() {
        let message = format!("only a Prometheus knows {name}, and none is configured: see [[prometheus]]");
        return Err(Failure::new(Code::Usage, message));
    }
    store.set_monitors(servers.iter().map(|(info, _)| info.clone()));
    store.monitors.templates = settings.metrics();
    store.monitors.set_columns([(of, name.to_owned())]);
    let Some((number, column)) = store.monitors.columns(of).next() else {
        let message = format!("there is no metric {name} of that kind");
        return Err(Failure::new(Code::Usage, message));
    };
    // The names of metrics first: they decide how it is asked.
    for _ in 0..2 {
        let waiting: Vec<MonitorKey> = store
            .monitors
            .column_feeds(number)
            .into_iter()
            .filter(|key| store.monitors.freshness(key).is_waiting())
            .collect();
        for key in waiting {
            let Some((_, client)) = servers.iter().find(|(info, _)| info.id == key.server) else {
                continue;
            };
            let outcome = client.read(key.feed.clone(), Timestamp::now()).await;
            let at = Timestamp::now();
            store.apply_monitor(MonitorUpdate { key, at, outcome });
        }
    }
    if let Some(trouble) = store.monitors.column_trouble(number) {
        talk(trouble);
    }
    Ok((store.top_of_column(of, number), column.unit))
}
