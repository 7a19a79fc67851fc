//! `export metrics` on the embedded datacentre: read by promtool, by `node_exporter`, and by our own rules.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use jiff::Timestamp;
use pvedeck::{
    clients::exporter::{self, Bounds},
    demo::{self, Options, Time},
    domain::metric::Scrape,
};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::{
    programs,
    prometheus::settings,
    servers::{node_exporter, until},
};

/// Metrics of the rules that somebody else writes, as their comments say.
const OF_OTHERS: [&str; 4] = [
    "pvedeck_drift_objects",
    "pvedeck_drift_check_success",
    "pvedeck_drift_check_timestamp_seconds",
    "pvedeck_guest_expiry_timestamp_seconds",
];

struct Outcome {
    code: i32,
    out: String,
    err: String,
}

/// Runs the binary on the datacentre.
async fn export(datacentre: &demo::Datacentre, home: &Path, output: Option<&Path>) -> Outcome {
    let prod = datacentre.production();
    let ca = home.join("ca.pem");
    fs::write(&ca, prod.ca_pem()).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pvedeck"));
    command
        .args(["export", "metrics", "--ca-file"])
        .arg(&ca)
        .env_clear()
        .env("HOME", home)
        .env("PVEDECK_URL", format!("https://{}", prod.address()))
        .env("PVEDECK_TOKEN", prod.admin_token().expose_secret())
        .stdin(Stdio::null());
    if let Some(output) = output {
        command.arg("--output").arg(output);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn options() -> Options {
    Options {
        time: Time::Wall,
        ..Options::for_tests()
    }
}

fn names(scrape: &Scrape) -> BTreeSet<&str> {
    scrape
        .points
        .iter()
        .filter_map(|point| point.labels.name())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_read_by_everybody() {
    let datacentre = demo::start(options()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let Outcome { code, out, err } = export(&datacentre, folder.path(), None).await;
    assert_eq!(code, 0, "{err}");
    let scrape = exporter::read(&out, Timestamp::now(), Bounds::default());
    assert_eq!(scrape.skipped, 0);
    let names = names(&scrape);

    // Each metric that a shipped rule asks for is there, or said to be somebody else's.
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prometheus/rules");
    let mut wanted = BTreeSet::new();
    for file in fs::read_dir(rules).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let expressions = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for line in expressions {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            wanted.extend(
                words
                    .filter(|word| word.starts_with("pvedeck_"))
                    .map(str::to_owned),
            );
        }
    }
    assert!(wanted.len() > 6, "{wanted:?}");
    for name in &wanted {
        let there = names.contains(name.as_str());
        assert_ne!(
            there,
            OF_OTHERS.contains(&name.as_str()),
            "{name} (there: {there})"
        );
    }

    let value = |name: &str, label: (&str, &str)| {
        let found = scrape
            .points
            .iter()
            .find(|point| point.labels.name() == Some(name) && point.labels.get(label.0) == Some(label.1));
        found.map(|point| point.sample.value)
    };
    assert_eq!(
        value("pvedeck_health_component_up", ("component", "api")),
        Some(1.0)
    );
    assert_eq!(
        value("pvedeck_health_component_up", ("component", "quorum")),
        Some(1.0)
    );

    if let Some(promtool) = programs::find("promtool") {
        let file = folder.path().join("export.txt");
        fs::write(&file, &out).unwrap();
        let checked = std::process::Command::new(promtool)
            .args(["check", "metrics"])
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && said.is_empty(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_textfile_collector_takes_the_file() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node_exporter(&folder) else {
        return;
    };
    let datacentre = demo::start(options()).await.unwrap();
    let file = folder.path().join("textfiles/pvedeck.prom");
    fs::write(&file, "old\n").unwrap();
    let Outcome { code, out, err } = export(&datacentre, folder.path(), Some(&file)).await;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let left = fs::read_dir(folder.path().join("textfiles")).unwrap().count();
    assert_eq!(left, 1, "nothing is left beside it");

    let client = exporter::Client::new(&settings(&node.url()), &[]).unwrap();
    let scrape = until("the metrics of the file", async || {
        let scrape = client.scrape(Timestamp::now()).await.ok()?;
        names(&scrape)
            .contains("pvedeck_guest_snapshots")
            .then_some(scrape)
    })
    .await;
    let error = scrape
        .points
        .iter()
        .find(|point| point.labels.name() == Some("node_textfile_scrape_error"));
    assert_eq!(error.unwrap().sample.value, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_is_told_as_down() {
    let datacentre = demo::start(options()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("pvedeck.prom");
    let home = folder.path().to_owned();
    // Everything is asked of an address at which nobody listens any more.
    fs::write(home.join("ca.pem"), datacentre.production().ca_pem()).unwrap();
    let port = crate::servers::free_port();
    let output = tokio::task::spawn_blocking({
        let file = file.clone();
        move || {
            std::process::Command::new(env!("CARGO_BIN_EXE_pvedeck"))
                .args(["export", "metrics", "--output"])
                .arg(&file)
                .args(["--url", &format!("https://127.0.0.1:{port}")])
                .arg("--ca-file")
                .arg(home.join("ca.pem"))
                .env_clear()
                .env("HOME", &home)
                .env("PVEDECK_TOKEN", "root@pam!x=y")
                .output()
                .unwrap()
        }
    })
    .await
    .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("component=\"api\"} 0\n"), "{text}");
    assert!(
        !text.contains("component=\"quorum\"") && !text.contains("pvedeck_findings"),
        "{text}"
    );

    let nowhere = folder.path().join("none/pvedeck.prom");
    let outcome = export(&datacentre, folder.path(), Some(&nowhere)).await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("none/pvedeck.prom"), "{}", outcome.err);
}
