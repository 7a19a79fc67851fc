//! Our clients of Prometheus and exporters against the real ones.

use std::{collections::HashSet, fs, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use pvedeck::{
    clients::{
        exporter,
        http::Trust,
        prometheus::{self, Access, Client, MonitorError},
    },
    domain::{
        GuestKind, Vmid,
        matching::{self, Found, Subject},
        metric::{Labels, MetricKind, QueryValue, Window},
        rate,
        template::{self, Of},
    },
    settings::Settings,
};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::servers::{free_port, node_exporter, prometheus as start_prometheus, until};

pub(crate) fn settings(url: &str) -> prometheus::Settings {
    prometheus::Settings::new(url.parse().unwrap(), Trust::system(), Access::Open)
}

#[tokio::test]
async fn an_exporter_is_scraped_and_its_counters_become_rates() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node_exporter(&folder) else {
        return;
    };
    let client = exporter::Client::new(&settings(&node.url()), &[]).unwrap();
    let first = until("a first scrape", async || {
        client.scrape(Timestamp::now()).await.ok()
    })
    .await;
    assert_eq!((first.skipped, first.cut), (0, false));
    let kind_of = |name: &str| {
        let point = first
            .points
            .iter()
            .find(|point| point.labels.name() == Some(name));
        point.map(|point| point.kind)
    };
    assert_eq!(kind_of("node_cpu_seconds_total"), Some(MetricKind::Counter));
    assert_eq!(kind_of("node_load1"), Some(MetricKind::Gauge));
    let longest = SignedDuration::from_mins(5);
    let points = until("CPU time that went by", async || {
        let next = client.scrape(Timestamp::now()).await.unwrap();
        let points = rate::since(&first, &next, longest);
        let passed: f64 = rate::named(&points, "node_cpu_seconds_total")
            .map(|(_, sample)| sample.value)
            .sum();
        (passed > 0.1).then_some(points)
    })
    .await;
    assert!(
        rate::named(&points, "node_memory_MemTotal_bytes")
            .next()
            .unwrap()
            .1
            .value
            > 1e6
    );

    let wrong = exporter::Client::new(&settings(&format!("{}/nothing", node.url())), &[]).unwrap();
    let error = wrong.scrape(Timestamp::now()).await.unwrap_err();
    assert!(error.to_string().contains("web page"), "{error}");
    let page = exporter::Client::new(&settings(&format!("{}/", node.url())), &[]).unwrap();
    assert!(
        page.scrape(Timestamp::now()).await.is_ok(),
        "without a path it is /metrics"
    );
}

#[tokio::test]
async fn everything_that_can_be_asked_of_prometheus() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node_exporter(&folder) else {
        return;
    };
    let jobs = [("node", node.port), ("dead", free_port())];
    let rules = "groups: [{name: g, rules: [{alert: Always, expr: 'up{job=\"node\"} == 1', \
                 labels: {severity: warning}}, {record: 'job:up:sum', expr: 'sum by (job) (up)'}, \
                 {alert: Broken, expr: 'up * on () group_left () up'}]}]\n";
    let Some(mut server) = start_prometheus(&folder, &jobs, None, rules, &[]) else {
        return;
    };
    let client = Client::new(&settings(&server.url())).unwrap();
    let up = until("both targets scraped", async || {
        let QueryValue::Vector(up) = client.query("up", None).await.ok()?.data else {
            panic!("up is no vector")
        };
        (up.len() == 2).then_some(up)
    })
    .await;
    for (labels, sample) in &up {
        let alive = labels.get("job") == Some("node");
        assert_eq!(sample.value, if alive { 1.0 } else { 0.0 }, "{labels}");
    }

    let names = client.metric_names().await.unwrap().data;
    assert!(names.iter().any(|name| &**name == "node_cpu_seconds_total"));
    assert_eq!(
        client.label_values("job").await.unwrap().data,
        ["dead".into(), "node".into()]
    );
    assert!(client.build_info().await.unwrap().version.is_some());

    let range = until("a few points", async || {
        let window = Window::last(SignedDuration::from_mins(1), Timestamp::now(), 60);
        match client
            .query_range("up{job=\"node\"}", &window)
            .await
            .unwrap()
            .data
        {
            QueryValue::Matrix(mut all) if !all.is_empty() => {
                Some(all.remove(0)).filter(|one| one.samples.len() > 2)
            }
            _ => None,
        }
    })
    .await;
    assert!(range.samples.windows(2).all(|pair| pair[0].at < pair[1].at));
    assert!(range.samples.iter().all(|sample| sample.value == 1.0));

    let targets = client.targets().await.unwrap().data;
    let dead = targets
        .iter()
        .find(|target| target.labels.get("job") == Some("dead"))
        .unwrap();
    assert_eq!(dead.up, Some(false));
    assert!(dead.error.as_deref().unwrap().contains("refused") && dead.scraped.is_some());

    let alerts = until("the alert", async || {
        Some(client.alerts().await.unwrap().data).filter(|alerts| !alerts.is_empty())
    })
    .await;
    assert_eq!((alerts[0].name(), alerts[0].value), (Some("Always"), Some(1.0)));
    let rules = client.rules().await.unwrap().data;
    let names: Vec<(&str, bool)> = rules.iter().map(|rule| (&*rule.name, rule.alerting)).collect();
    assert_eq!(names, [("Always", true), ("job:up:sum", false), ("Broken", true)]);
    let broken = until("the rule that fails", async || {
        let rules = client.rules().await.unwrap().data;
        rules
            .into_iter()
            .find(|rule| matches!(rule.health, pvedeck::domain::alert::RuleHealth::Failed(_)))
    })
    .await;
    assert_eq!(&*broken.name, "Broken");

    shipped_metrics(&client).await;
    mistakes(&client).await;
    server.end();
    let error = client.query("up", None).await.unwrap_err();
    assert!(matches!(error, MonitorError::Unreachable { .. }), "{error}");
}

/// Each shipped metric is PromQL that this server takes, and those of `node_exporter` find the node.
async fn shipped_metrics(client: &Client) {
    let node = Subject {
        kind: Some(GuestKind::Qemu),
        vmid: Some(Vmid(100)),
        name: Some("localhost".into()),
        node: Some("localhost".into()),
        storage: Some("local".into()),
        addresses: vec!["127.0.0.1".into()],
        ..Subject::default()
    };
    let span = SignedDuration::from_secs(10);
    let metrics = Settings::default().metrics();
    for metric in &metrics {
        let mut queries = metric.of_one(&node, span);
        assert_eq!(queries.len(), metric.maps.len());
        queries.push(metric.of_all(span));
        for query in queries {
            let answer = client.query(&query, None).await;
            assert!(answer.is_ok(), "{query}: {}", answer.unwrap_err());
        }
    }
    let names = client.metric_names().await.unwrap().data;
    let names: HashSet<&str> = names.iter().map(|name| &**name).collect();
    let chosen = template::choose(&metrics, Of::Node, "cpu", |name| names.contains(name)).unwrap();
    assert_eq!(&*chosen.source, "node_exporter");
    let busy = until("the load of the CPUs", async || {
        let QueryValue::Vector(found) = client.query(&chosen.of_all(span), None).await.unwrap().data else {
            panic!("no vector")
        };
        Some(found).filter(|found| !found.is_empty())
    })
    .await;
    let labels: Vec<&Labels> = busy.iter().map(|(labels, _)| labels).collect();
    let found = matching::find(&chosen.maps, "cluster", std::slice::from_ref(&node), &labels);
    assert_eq!(found, [Found::Series(vec![0])]);
    assert!((-0.01..=1.01).contains(&busy[0].1.value), "{}", busy[0].1.value);
    let one = client
        .query(&chosen.of_one(&node, span)[0], None)
        .await
        .unwrap()
        .data;
    assert!(matches!(one, QueryValue::Vector(found) if found.len() == 1));
    let memory = template::choose(&metrics, Of::Node, "memory", |name| names.contains(name)).unwrap();
    let nobody = Subject {
        name: Some("pve9".into()),
        ..Subject::default()
    };
    let found = matching::find(&memory.maps, "cluster", &[nobody], &labels);
    assert_eq!(found[0].to_string(), "no series found, tried instance of pve9");
}

async fn mistakes(client: &Client) {
    let error = client.query("up{job=}", None).await.unwrap_err();
    assert!(
        matches!(
            &error,
            MonitorError::Query {
                place: Some((1, 8)),
                ..
            }
        ),
        "{error}"
    );
    let error = client
        .query("sum(up) * on (job) up * up + up{", None)
        .await
        .unwrap_err();
    assert!(matches!(&error, MonitorError::Query { .. }), "{error}");
    let window = Window {
        start: Timestamp::from_second(0).unwrap(),
        end: Timestamp::now(),
        step: SignedDuration::from_secs(1),
    };
    let error = client.query_range("up", &window).await.unwrap_err();
    assert!(error.to_string().contains("11,000 points"), "{error}");
    // Longer than many proxies take; a server of its own takes it.
    let long = format!("up{{job=~\"{}node\"}}", "x|".repeat(5_000));
    let QueryValue::Vector(found) = client.query(&long, None).await.unwrap().data else {
        panic!()
    };
    assert_eq!(found.len(), 1);
    let endless = "x".repeat(2 << 20);
    let error = client.query(&endless, None).await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

/// `alice` with the password `test`, as bcrypt.
const USERS: &str =
    "basic_auth_users: {alice: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}\n";

/// A CA, and the configuration of a server with a certificate of it and a password.
fn locked(folder: &TempDir) -> (PathBuf, PathBuf) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = file("server.pem", &certificate.pem());
    file("server.key", &key.serialize_pem());
    let tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";
    (ca, file("web.yml", &format!("{tls}{USERS}")))
}

#[tokio::test]
async fn a_prometheus_behind_tls_a_password_and_a_path() {
    let folder = TempDir::new().unwrap();
    let (ca, web) = locked(&folder);
    let more = [
        format!("--web.config.file={}", web.display()),
        "--web.route-prefix=/mon".to_owned(),
    ];
    let Some(server) = start_prometheus(&folder, &[], None, "groups: []\n", &more) else {
        return;
    };
    let client = |path: &str, trust: Trust, password: &str| {
        let url = format!("https://127.0.0.1:{}{path}", server.port)
            .parse()
            .unwrap();
        let access = Access::Basic {
            user: "alice".to_owned(),
            password: SecretString::from(password),
        };
        Client::new(&prometheus::Settings::new(url, trust, access)).unwrap()
    };
    let trusted = || Trust::ca_files(vec![ca.clone()]);
    let good = client("/mon", trusted(), "test");
    let answer = until("an answer", async || good.query("1 + 1", None).await.ok()).await;
    assert!(matches!(answer.data, QueryValue::Scalar(sample) if sample.value == 2.0));

    let error = client("/mon", trusted(), "wrong")
        .query("1", None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, MonitorError::Refused { status: 401, .. }),
        "{error}"
    );
    assert!(!format!("{error:?} {error}").contains("wrong"));
    let error = client("/mon", Trust::system(), "test")
        .query("1", None)
        .await
        .unwrap_err();
    assert!(matches!(&error, MonitorError::Untrusted { .. }), "{error}");
    let error = client("", trusted(), "test").query("1", None).await.unwrap_err();
    assert!(matches!(&error, MonitorError::NotThere { .. }), "{error}");
}

#[tokio::test]
async fn a_secret_is_not_sent_where_others_could_read_it() {
    // 192.0.2.0/24 belongs to nobody: nothing may even try to get there.
    let mut settings = settings("http://192.0.2.1:9090");
    settings.access = Access::Bearer(SecretString::from("hidden"));
    let error = Client::new(&settings)
        .unwrap()
        .query("up", None)
        .await
        .unwrap_err();
    assert!(matches!(&error, MonitorError::Setup { .. }), "{error}");
    assert!(error.to_string().contains("Use https"), "{error}");
    assert!(!format!("{error:?} {settings:?}").contains("hidden"));
}
