//! What is asked of a Prometheus, and what is shown of its answers.

use pvedeck::{
    app::Effect,
    clients::exporter,
    domain::{
        ClusterId, MonitorId, MonitorInfo, MonitorKind,
        metric::{NAME, QueryValue, Sample, Series},
        monitor::Answer,
        template::Of,
    },
    screens::Place,
    settings::Settings,
    store::{Feed, FeedError, FeedErrorKind, MonitorFeed, MonitorKey, MonitorPayload, Store},
    ui::Glyphs,
};

use crate::{stage::Stage, support::estate};

const METRICS: [&str; 3] = [
    "pve_cpu_usage_ratio",
    "pve_network_receive_bytes",
    "pve_network_transmit_bytes",
];

fn id() -> MonitorId {
    MonitorId::new(MonitorKind::Prometheus, "prometheus")
}

fn of(feed: MonitorFeed) -> MonitorKey {
    feed.of(&id())
}

/// A console with fifty guests, a Prometheus and two of its columns.
fn stage(size: (u16, u16)) -> Stage {
    let mut store = Store::new([ClusterId::from("prod")]);
    let exporter = MonitorId::new(MonitorKind::Exporter, "docker1");
    store.set_monitors([id(), exporter].map(|id| MonitorInfo {
        id,
        address: "http://mon:9090".into(),
        clusters: Vec::new(),
        cluster_label: "cluster".into(),
        read_only: true,
    }));
    store.monitors.dashboards.guest = Some("https://g/d/x?id={vmid}&from={from}".into());
    store.monitors.templates = Settings::default().metrics();
    let columns = ["net-in", "net-out"].map(|name| (Of::Guest, name.to_owned()));
    store.monitors.set_columns(columns);
    let mut stage = Stage::knowing(store, &[], size, &Glyphs::UNICODE);
    stage.resources("prod", estate::inventory(50));
    stage
}

fn names() -> MonitorPayload {
    MonitorPayload::Names(METRICS.into_iter().map(Into::into).collect())
}

fn queries(stage: &Stage) -> Vec<MonitorKey> {
    // Names are read for completion, and alerts because the header counts them everywhere.
    let is_query = |key: &&MonitorKey| !matches!(key.feed, MonitorFeed::Names | MonitorFeed::Alerts);
    stage.monitors().iter().filter(is_query).cloned().collect()
}

/// Each third guest of the estate is a container.
fn kind(number: u32) -> &'static str {
    if number.is_multiple_of(3) { "lxc" } else { "qemu" }
}

fn series(stage: &Stage, count: u32) -> MonitorPayload {
    let vector = (0..count).map(|number| {
        let vmid = 100 + number;
        let labels = [
            (NAME.to_owned(), "x".to_owned()),
            ("id".to_owned(), format!("{}/{vmid}", kind(number))),
        ];
        let sample = Sample {
            at: stage.now,
            value: if number == 7 {
                f64::NAN
            } else {
                f64::from(vmid) * 1000.0
            },
        };
        (labels.into_iter().collect(), sample)
    });
    MonitorPayload::Answer(Answer {
        value: QueryValue::Vector(vector.collect()),
        warnings: Vec::new(),
    })
}

#[test]
fn fifty_guests_with_two_columns_are_two_queries_and_none_out_of_sight() {
    let mut stage = stage((200, 60));
    stage.keys("2 z");
    assert_eq!(queries(&stage), [], "it is not known yet what there is");
    stage.measured(&of(MonitorFeed::Names), Ok(names()));
    let asked = queries(&stage);
    assert_eq!(asked.len(), 2, "{asked:?}");
    for key in &asked {
        let answer = series(&stage, 40);
        stage.measured(key, Ok(answer));
    }
    assert!(
        stage.shows("net-in") && stage.shows("net-out"),
        "{}",
        stage.text()
    );
    let text = stage.text();
    assert!(text.contains(" 98.6 KiB/s"), "{text}");
    assert!(!text.contains("NaN"), "{text}");

    // A list without such columns asks nothing, nor does one without room for them.
    stage.keys("5");
    assert_eq!(queries(&stage).len(), 0);
    stage.keys("2");
    assert_eq!(queries(&stage).len(), 2);
    stage.event(pvedeck::app::Event::Resized(60, 20));
    let _ = stage.frame();
    stage.pass(1);
    assert_eq!(queries(&stage), [], "{}", stage.text());
}

#[test]
fn what_is_wrong_with_a_column_is_said() {
    let mut stage = stage((200, 60));
    stage.keys("2 z");
    stage.measured(&of(MonitorFeed::Names), Ok(names()));
    let asked = queries(&stage);
    let nobody = MonitorPayload::Answer(Answer {
        value: QueryValue::Vector(Vec::new()),
        warnings: Vec::new(),
    });
    stage.measured(&asked[0], Ok(nobody));
    assert!(
        stage.shows("net-in: no series found, tried id=\"lxc/100\""),
        "{}",
        stage.text()
    );
    let answer = series(&stage, 50);
    stage.measured(&asked[0], Ok(answer));
    let dead = error(FeedErrorKind::Unreachable, "Prometheus does not answer");
    stage.measured(&asked[0], Err(dead));
    assert!(stage.shows("net-in: Prometheus does not answer"));
    let text = stage.text();
    assert!(text.contains(" 107 KiB/s"), "what it said stays: {text}");
}

#[test]
fn a_graph_is_asked_of_prometheus_and_of_proxmox_where_that_has_nothing() {
    let mut stage = stage((140, 40));
    stage.keys("2 home enter m");
    let rrd = |stage: &Stage| {
        let hour = pvedeck::domain::rrd::Frame::Hour;
        let guest = pvedeck::domain::GuestRef {
            cluster: "prod".into(),
            vmid: pvedeck::domain::Vmid(100),
        };
        stage.watches("prod", Feed::Rrd(pvedeck::domain::ObjectRef::Guest(guest), hour))
    };
    assert!(rrd(&stage), "until it is known what Prometheus has");
    stage.measured(&of(MonitorFeed::Names), Ok(names()));
    let asked = queries(&stage);
    assert!(!rrd(&stage) && asked.len() == 1, "{asked:?}");
    let samples = (0..60).map(|step| Sample {
        at: stage.now - jiff::SignedDuration::from_secs(step * 60),
        value: if step == 3 { f64::INFINITY } else { 0.25 },
    });
    let one = Series {
        labels: [("id", "lxc/100")].into_iter().collect(),
        samples: samples.collect(),
    };
    let graph = |series: Vec<Series>| {
        MonitorPayload::Answer(Answer {
            value: QueryValue::Matrix(series),
            warnings: vec!["a store is away".into()],
        })
    };
    stage.measured(&asked[0], Ok(graph(vec![one])));
    assert!(stage.shows("prometheus"), "{}", stage.text());
    assert!(stage.shows("a store is away"), "{}", stage.text());
    assert!(stage.shows("25%"), "{}", stage.text());

    stage.measured(&asked[0], Ok(graph(Vec::new())));
    assert!(
        rrd(&stage) && stage.shows("no series found, tried id="),
        "{}",
        stage.text()
    );
    assert!(stage.shows("rrd"));
    // Another metric that it has nothing of.
    stage.keys("down");
    assert!(rrd(&stage) && queries(&stage).is_empty());
}

fn error(kind: FeedErrorKind, message: &str) -> FeedError {
    FeedError {
        kind,
        message: message.to_owned(),
    }
}

#[test]
fn a_query_is_typed_completed_asked_and_answered() {
    let mut stage = stage((120, 40));
    stage.keys("3 /");
    assert_eq!(stage.app.place(), &Place::Query);
    assert_eq!(queries(&stage), [], "nothing was typed yet");
    stage.measured(&of(MonitorFeed::Names), Ok(names()));
    stage.type_in("pve_n");
    assert!(stage.shows("pve_network_transmit_bytes"), "{}", stage.text());
    stage.keys("tab");
    stage.type_in("r");
    stage.keys("tab");
    assert_eq!(queries(&stage), [], "nothing is asked while one types");
    stage.keys("enter");
    let asked = queries(&stage);
    let [
        MonitorKey {
            feed: MonitorFeed::Range(query, _),
            ..
        },
    ] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!(&**query, "pve_network_receive_bytes");

    // As a table it is one question, and the other is not asked any more.
    stage.keys("v");
    let table = queries(&stage);
    assert!(matches!(
        &table[..],
        [MonitorKey {
            feed: MonitorFeed::Instant(_),
            ..
        }]
    ));
    let answer = series(&stage, 9);
    stage.measured(&table[0], Ok(answer));
    let text = stage.text();
    assert!(
        text.contains("9 series") && text.contains("x{id=\"lxc/100\"}"),
        "{text}"
    );
    assert!(text.contains("NaN"), "what a server says is shown: {text}");
}

#[test]
fn a_wrong_query_is_answered_in_the_words_of_the_server_with_the_place() {
    let mut stage = stage((120, 40));
    stage.keys("3 /");
    stage.measured(&of(MonitorFeed::Names), Ok(names()));
    stage.type_in("up{job=}");
    stage.keys("enter");
    let wrong = error(
        FeedErrorKind::Query(Some((1, 8))),
        "unexpected \"}\" in label matching",
    );
    let asked = queries(&stage);
    stage.measured(&asked[0], Err(wrong));
    let text = stage.text();
    let rows: Vec<&str> = text.lines().collect();
    let line = rows
        .iter()
        .position(|row| row.contains("promql up{job=}"))
        .unwrap();
    let column = |row: &str, what: char| row.chars().position(|c| c == what);
    assert_eq!(column(rows[line + 1], '^'), column(rows[line], '}'), "{text}");
    assert!(rows[line + 2].contains("unexpected"), "{text}");
    // Thousands of labels of any length break nothing.
    let labels = (0..20_000).map(|number| (format!("l{number}"), "\u{1b}[31mvalue".repeat(3)));
    let huge = Series {
        labels: labels.collect(),
        samples: vec![Sample {
            at: stage.now,
            value: f64::NAN,
        }],
    };
    let answer = MonitorPayload::Answer(Answer {
        value: QueryValue::Matrix(vec![huge; 3]),
        warnings: vec!["partial answer".into()],
    });
    stage.measured(&asked[0], Ok(answer));
    assert!(stage.shows("warning: partial answer"), "{}", stage.text());
}

#[test]
fn the_highest_are_compared_and_dashboards_linked() {
    let mut stage = stage((140, 40));
    stage.keys("2 home 3 x");
    assert!(stage.shows("6 compared"), "{}", stage.text());
    // The estate's load grows with the number, and each fifth guest stands still.
    assert!(stage.shows("149") && stage.shows("148"), "{}", stage.text());
    stage.keys("2 home ctrl-g");
    let link = stage.effects.iter().find_map(|effect| match effect {
        Effect::Copy(link) => Some(link.clone()),
        _ => None,
    });
    assert!(link.unwrap().starts_with("https://g/d/x?id=100&from="));
}

/// A page of an exporter, one scrape later than another.
fn page(stage: &Stage, count: f64) -> MonitorPayload {
    let text = format!(
        "# TYPE container_cpu_usage_seconds_total counter\n\
         container_cpu_usage_seconds_total{{name=\"web\",image=\"nginx:1\"}} {count}\n\
         # TYPE node_load1 gauge\nnode_load1 0.5\n"
    );
    MonitorPayload::Scrape(exporter::read(&text, stage.now, exporter::Bounds::default()))
}

#[test]
fn an_exporter_without_a_prometheus_shows_rates_and_containers() {
    let mut stage = stage((120, 40));
    let exporter = MonitorFeed::Scrape.of(&MonitorId::new(MonitorKind::Exporter, "docker1"));
    stage.keys("3 / esc n v");
    assert!(stage.monitors().contains(&exporter), "{:?}", stage.monitors());
    let first = page(&stage, 10.0);
    stage.measured(&exporter, Ok(first));
    stage.pass(10);
    let second = page(&stage, 15.0);
    stage.measured(&exporter, Ok(second));
    let text = stage.text();
    assert!(
        text.contains("web  nginx:1") && text.contains("cpu 50%"),
        "{text}"
    );
    stage.keys("/");
    stage.type_in("load1");
    stage.keys("enter");
    let text = stage.text();
    assert!(
        text.contains("1 series") && text.contains("node_load1") && !text.contains("nginx"),
        "{text}"
    );
    stage.keys("1");
    assert!(
        !stage.monitors().contains(&exporter),
        "out of sight it is not asked"
    );
}
