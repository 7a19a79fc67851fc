//! Several clusters at once, and the simulated datacentre under the real binary.

use pvedeck::demo;
use secrecy::ExposeSecret;

use crate::{
    console::TOKEN,
    support::{
        estate,
        recording::{Answer, Recording},
        replay::Replay,
        terminal::{ENTER, ESCAPE, Launch},
    },
};

/// An estate whose guests have other names than the usual one's.
fn lab() -> Recording {
    let body = estate::resources_json(4).replace("web-", "lab-");
    estate::recording(4).with("/cluster/resources", Answer::json(&body))
}

fn section(name: &str, server: &Replay) -> String {
    format!(
        "[clusters.{name}]\nurl = \"{}\"\nca_file = \"{}\"\ntoken = \"{TOKEN}\"\n",
        server.url(),
        server.ca_file().display()
    )
}

#[test]
fn a_cluster_that_dies_leaves_the_other_alone() {
    let (prod, lab) = (Replay::start(estate::recording(4)), Replay::start(lab()));
    let config = section("prod", &prod) + &section("lab", &lab);
    let mut terminal = Launch::pvedeck()
        .file(".config/pvedeck/config.toml", &config)
        .size(160, 45)
        .start();
    terminal.wait_for("web-00000");
    terminal.wait_for("lab-00000");
    let folder = lab.shut();
    terminal.send("R");
    terminal.wait_for("unreachable");
    let asked = prod.asked("/cluster/resources");
    terminal.send("R");
    terminal.wait_until("prod still live, lab's guests still there", |screen| {
        prod.asked("/cluster/resources") > asked
            && screen.contains("quorate 3/3")
            && screen.contains("web-00000")
            && screen.contains("lab-00000")
    });
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    drop(folder);
}

#[test]
fn the_simulated_datacentre_is_browsed_with_a_token_that_only_reads() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let datacentre = runtime
        .block_on(demo::start(demo::Options {
            time: demo::Time::Wall,
            lab: false,
            ..demo::Options::for_tests()
        }))
        .unwrap();
    let prod = datacentre.production();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, prod.ca_pem()).unwrap();
    let mut terminal = Launch::pvedeck()
        .arg("--url")
        .arg(&prod.url())
        .arg("--ca-file")
        .arg(ca_file.to_str().unwrap())
        .env("PVEDECK_TOKEN", prod.auditor_token().expose_secret())
        .size(140, 45)
        .start();
    // Nodes, guests and storages come with one answer; tasks may come before it.
    terminal.wait_for("db01");
    terminal.wait_for("backup");
    for (keys, seen) in [
        ("1", "Nodes"),
        ("2", "Guests"),
        ("3", "Metrics"),
        ("4", "Storages"),
        ("7", "Tasks"),
    ] {
        terminal.send(keys);
        terminal.send(ENTER);
        terminal.wait_until(seen, |screen| screen.contains("esc back"));
        terminal.send(ESCAPE);
        terminal.wait_until("the deck", |screen| !screen.contains("esc back"));
    }
    assert_eq!(prod.writes(), 0, "{:?}", prod.requests());
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}
