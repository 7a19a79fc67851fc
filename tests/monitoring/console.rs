//! The program itself with a real Prometheus, exporter and Alertmanager beside the embedded datacentre.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use pvedeck::demo::{self, Options, Time};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::servers::{alertmanager, node_exporter, prometheus, until};

struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(home: &Path, args: &[&str]) -> Outcome {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pvedeck"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    Outcome {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn configure(home: &Path, text: &str) {
    let folder = home.join(".config/pvedeck");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_graphs_and_the_highest_come_from_a_real_prometheus() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node_exporter(&folder) else {
        return;
    };
    let options = Options {
        time: Time::Wall,
        ..Options::for_tests()
    };
    let datacentre = demo::start(options).await.unwrap();
    let prod = datacentre.production();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, prod.ca_pem()).unwrap();
    // What an exporter of one's own may say of guests.
    let values = "probe_value{vmid=\"100\"} 7\nprobe_value{vmid=\"101\"} 42\nprobe_value{vmid=\"102\"} NaN\n";
    fs::write(folder.path().join("textfiles/probe.prom"), values).unwrap();
    let Some(mut server) = prometheus(&folder, &[("node", node.port)], None, "", &[]) else {
        return;
    };
    let alerts = alertmanager(&folder);
    let alerts = alerts.as_ref().map_or_else(String::new, |server| {
        format!("[[alertmanager]]\nurl = \"{}\"\n", server.url())
    });
    let config = format!(
        "[clusters.prod]\nurl = \"https://{}\"\ntoken = \"{}\"\nca_file = \"{}\"\n[[prometheus]]\nurl = \"{}\"\n\
         [[exporter]]\nname = \"node\"\nurl = \"{}\"\n{alerts}[[metric]]\nname = \"probe\"\nof = \"guest\"\n\
         query = \"probe_value{{$object}}\"\nneeds = [\"probe_value\"]\nlabels = {{ vmid = \"{{vmid}}\" }}\n\
         [columns]\nguests = [\"probe\"]\n",
        prod.address(),
        prod.admin_token().expose_secret(),
        ca.display(),
        server.url(),
        node.url()
    );
    configure(folder.path(), &config);

    let top = [
        "get", "metrics", "guests", "--top", "5", "--metric", "probe", "-o", "csv",
    ];
    let list = until("the highest", async || {
        let told = run(folder.path(), &top).await;
        told.out.contains(",42").then_some(told.out)
    })
    .await;
    let rows: Vec<&str> = list.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{list}");
    assert!(rows[0].contains("101 ") && rows[1].contains("100 "), "{list}");

    let shown = run(folder.path(), &["show", "guests", "--size", "200x60"]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let row = shown.out.lines().find(|line| line.contains("  101 ")).unwrap();
    assert!(
        shown.out.contains("probe") && row.contains(" 42 "),
        "{}",
        shown.out
    );
    let graph = ["show", "metrics", "101", "--metric", "probe", "--range", "10m"];
    let shown = until("points of a graph", async || {
        let shown = run(folder.path(), &graph).await;
        let drawn = !shown.out.contains("no data") && !shown.out.contains("waiting");
        drawn.then_some(shown)
    })
    .await;
    assert!(shown.out.contains("prometheus"), "{}", shown.out);

    let doctor = run(folder.path(), &["doctor", "-o", "csv"]).await;
    for told in ["Prometheus ", "metrics", "values"] {
        assert!(doctor.out.contains(told), "{told}: {}", doctor.out);
    }
    assert_eq!(
        alerts.is_empty(),
        !doctor.out.contains("Alertmanager "),
        "{}",
        doctor.out
    );

    // Without it the console still shows everything else, and says what is missing.
    server.end();
    let shown = run(folder.path(), &["show", "guests", "--size", "200x60"]).await;
    assert!(shown.out.contains("does not answer"), "{}", shown.out);
    assert!(
        shown.out.contains("  101 ") && shown.err.contains("prometheus"),
        "{}",
        shown.err
    );
    let doctor = run(folder.path(), &["doctor", "-o", "csv"]).await;
    assert!(
        doctor.code != Some(0) && doctor.out.contains("does not answer"),
        "{}",
        doctor.out
    );
}
