//! Clients that we did not write read the demo: proxmoxer and the Prometheus exporter, where Python has them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may say it this way"
)]

use std::process::Command;

use pvedeck::demo::{self, Options};
use secrecy::ExposeSecret;

const READ_WITH_PROXMOXER: &str = r#"
import os, sys
from proxmoxer import ProxmoxAPI
host, port, secret, password, ca = sys.argv[1:6]
for api in (
    ProxmoxAPI(host, port=int(port), user="root@pam", token_name="demo", token_value=secret, verify_ssl=ca),
    ProxmoxAPI(host, port=int(port), user="root@pam", password=password, verify_ssl=ca),
):
    assert api.version.get()["release"], "a release"
    seen = 0
    for node in api.nodes.get():
        name = node["node"]
        api.nodes(name).status.get()
        for storage in api.nodes(name).storage.get():
            api.nodes(name).storage(storage["storage"]).content.get()
        for kind in ("qemu", "lxc"):
            for guest in getattr(api.nodes(name), kind).get():
                one = getattr(api.nodes(name), kind)(guest["vmid"])
                one.config.get(); one.status.current.get(); one.snapshot.get(); one.rrddata.get(timeframe="hour")
                seen += 1
    assert seen == 60, seen
    assert len(api.cluster.resources.get(type="vm")) == 60
    upid = api.nodes("pve1").tasks.get(limit=1)[0]["upid"]
    assert api.nodes("pve1").tasks(upid).log.get()
    api.pools.post(poolid="independent"); api.pools.delete(poolid="independent")
"#;

const READ_WITH_EXPORTER: &str = r#"
import sys
from pve_exporter.collector import collect_pve, CollectorsOptions
host, port, secret, password, ca = sys.argv[1:6]
options = CollectorsOptions(status=True, version=True, node=True, cluster=True, resources=True, config=True,
    replication=True, subscription=True, backup_info=True, qdevice=True)
config = {"user": "root@pam", "token_name": "demo", "token_value": secret, "verify_ssl": ca, "port": int(port)}
text = collect_pve(config, host, True, True, options).decode()
for wanted in ("pve_up{", "pve_guest_info{", "pve_node_info{", "pve_cpu_usage_ratio{", "pve_version_info{",
               "pve_storage_info{", "pve_replication_info{", "pve_subscription_info{", "pve_onboot_status{"):
    assert wanted in text, wanted
"#;

/// A Python that has a module, if there is one.
fn python_with(module: &str) -> Option<String> {
    let named = std::env::var("PVEDECK_TEST_PYTHON").ok();
    let found = named.into_iter().chain(["python3".to_owned()]).find(|python| {
        let asked = Command::new(python)
            .args(["-c", &format!("import {module}")])
            .output();
        asked.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        println!("SKIPPED: no Python here can import {module} (set PVEDECK_TEST_PYTHON)");
    }
    found
}

async fn read(module: &str, script: &'static str) {
    let Some(python) = python_with(module) else { return };
    let datacentre = demo::start(Options::for_tests()).await.unwrap();
    let prod = datacentre.production();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, prod.ca_pem()).unwrap();
    let token = prod.admin_token();
    let secret = token.expose_secret().split_once('=').unwrap().1.to_owned();
    let arguments = [
        prod.address().ip().to_string(),
        prod.address().port().to_string(),
        secret,
        prod.password().expose_secret().to_owned(),
        ca.display().to_string(),
    ];
    let output = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg("-c")
            .arg(script)
            .args(arguments)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    assert!(
        output.status.success(),
        "{module}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proxmoxer_reads_and_writes() {
    read("proxmoxer", READ_WITH_PROXMOXER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prometheus_exporter_reads() {
    read("pve_exporter", READ_WITH_EXPORTER).await;
}
