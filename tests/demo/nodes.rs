//! Nodes: power, wake-up, services, and tasks over many guests.

use serde_json::{Value, json};

use crate::support::caller::{Estate, node_of, path_of, vmid_of};

async fn node(estate: &Estate, name: &str) -> Value {
    let rows = estate.admin.get("/nodes").await;
    let rows = rows.as_array().unwrap().clone();
    rows.into_iter().find(|row| row["node"] == name).unwrap()
}

#[tokio::test]
async fn a_node_reboots_and_its_guests_with_it() {
    let estate = Estate::new().await;
    let vm = estate.guest("qemu", "running", |row| row["node"] == "pve2").await;
    let answer = estate
        .admin
        .call("POST", "/nodes/pve2/status", &[("command", "reboot")])
        .await;
    assert_eq!(answer.data(), &Value::Null);
    assert_eq!(node(&estate, "pve2").await["status"], "online");
    estate.tick(60);
    assert_eq!(node(&estate, "pve2").await["status"], "offline");
    let away = estate
        .admin
        .refused("GET", &format!("{vm}/status/current"), &[])
        .await;
    assert_eq!(away, (595, "No route to host".to_owned()));
    estate.tick(120);
    let back = node(&estate, "pve2").await;
    assert_eq!(back["status"], "online");
    assert!(back["uptime"].as_i64().unwrap() < 120);
    estate.tick(60);
    assert_eq!(
        estate.admin.get(&format!("{vm}/status/current")).await["status"],
        "running"
    );
    let tasks = estate
        .admin
        .call("GET", "/nodes/pve2/tasks", &[("limit", "100")])
        .await;
    let kinds: Vec<&str> = tasks
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["type"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"stopall") && kinds.contains(&"startall"),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_node_that_is_off_is_woken_if_its_address_is_known() {
    let estate = Estate::new().await;
    let wake = |name: &str| format!("/nodes/{name}/wakeonlan");
    let own = estate.admin.refused("POST", &wake("pve1"), &[]).await;
    assert_eq!(
        own,
        (500, "'pve1' is local node, cannot wake my self!".to_owned())
    );
    let mac = estate.admin.get("/nodes/pve3/config").await["wakeonlan"].clone();
    estate
        .admin
        .call("PUT", "/nodes/pve3/config", &[("delete", "wakeonlan")])
        .await
        .data();
    let unknown = estate.admin.refused("POST", &wake("pve3"), &[]).await;
    assert_eq!(
        unknown,
        (500, "No wake on LAN MAC address defined for 'pve3'!".to_owned())
    );
    estate
        .admin
        .call(
            "PUT",
            "/nodes/pve3/config",
            &[("wakeonlan", mac.as_str().unwrap())],
        )
        .await
        .data();
    estate
        .admin
        .call("POST", "/nodes/pve3/status", &[("command", "shutdown")])
        .await
        .data();
    estate.tick(300);
    assert_eq!(node(&estate, "pve3").await["status"], "offline");
    let woken = estate.admin.call("POST", &wake("pve3"), &[]).await;
    assert_eq!(woken.data(), &mac);
    estate.tick(90);
    assert_eq!(node(&estate, "pve3").await["status"], "online");
}

#[tokio::test]
async fn the_node_that_answers_is_silent_while_it_reboots() {
    let estate = Estate::new().await;
    estate
        .admin
        .call("POST", "/nodes/pve1/status", &[("command", "reboot")])
        .await
        .data();
    estate.tick(60);
    let url = format!("{}/api2/json/version", estate.demo.production().url());
    let ca = reqwest::Certificate::from_pem(estate.demo.production().ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    assert!(client.get(&url).send().await.is_err(), "it is off");
    estate.tick(120);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn services_stop_and_start_but_not_all() {
    let estate = Estate::new().await;
    let path = |service: &str, verb: &str| format!("/nodes/pve1/services/{service}/{verb}");
    let stopped = estate.run("POST", &path("cron", "stop"), &[]).await;
    assert_eq!(
        (stopped.exit.as_str(), stopped.upid.contains(":srvstop:cron:")),
        ("OK", true)
    );
    let state = estate.admin.get(&path("cron", "state")).await;
    assert_eq!(
        (&state["state"], &state["active-state"]),
        (&json!("dead"), &json!("inactive"))
    );
    estate.run("POST", &path("cron", "restart"), &[]).await;
    assert_eq!(estate.admin.get(&path("cron", "state")).await["state"], "running");
    let refused = estate.run("POST", &path("pveproxy", "stop"), &[]).await;
    assert_eq!(
        refused.exit,
        "invalid service cmd 'pveproxy stop': refusing to stop essential service!"
    );
    let broken = estate.admin.get("/nodes/pve2/services/postfix/state").await;
    assert_eq!(broken["active-state"], "failed");
    estate
        .run("POST", "/nodes/pve2/services/postfix/restart", &[])
        .await;
    let mended = estate.admin.get("/nodes/pve2/services/postfix/state").await;
    assert_eq!(mended["active-state"], "active");
}

#[tokio::test]
async fn all_guests_of_a_node_stop_start_and_leave() {
    let estate = Estate::new().await;
    let vm = estate.guest("qemu", "running", |row| row["node"] == "pve1").await;
    let (vmid, ct) = (
        vmid_of(&vm).to_owned(),
        estate.guest("lxc", "running", |row| row["node"] == "pve1").await,
    );
    let list = format!("{vmid},{}", vmid_of(&ct));
    let stopped = estate
        .run("POST", "/nodes/pve1/stopall", &[("vms", &list), ("timeout", "3")])
        .await;
    assert!(
        stopped
            .log
            .contains(&format!("Stopping VM {vmid} (timeout = 3 seconds)")),
        "{:?}",
        stopped.log
    );
    estate.tick(5);
    assert_eq!(
        estate.admin.get(&format!("{ct}/status/current")).await["status"],
        "stopped"
    );
    let suspended = estate
        .run("POST", "/nodes/pve1/suspendall", &[("vms", &list)])
        .await;
    assert!(
        suspended
            .log
            .contains(&format!("VM {vmid} not running, skipping suspension"))
    );
    assert!(
        suspended
            .log
            .contains(&format!("skipping {}, only VMs can be suspended", vmid_of(&ct)))
    );
    let started = estate
        .run("POST", "/nodes/pve1/startall", &[("vms", &list)])
        .await;
    assert!(
        started.log.contains(&format!("Starting CT {}", vmid_of(&ct))),
        "{:?}",
        started.log
    );
    estate.tick(5);
    let path = "/nodes/pve1/migrateall";
    let unbound = estate.admin.refused("POST", path, &[("target", "pve2")]).await;
    assert_eq!(
        unbound.1,
        "either 'max-workers' parameter or max_workers in datacenter.cfg must be set!"
    );
    let form = [
        ("target", "pve2"),
        ("max-workers", "2"),
        ("vms", list.as_str()),
        ("with-local-disks", "1"),
    ];
    let moved = estate.run("POST", path, &form).await;
    assert_eq!(moved.exit, "OK");
    estate.tick(120);
    let rows = estate.guests().await;
    let row = rows
        .iter()
        .find(|row| path_of(row).ends_with(&format!("/{vmid}")))
        .unwrap();
    assert_eq!(row["node"], "pve2");
}

#[tokio::test]
async fn bulk_actions_count_what_they_pass_over() {
    let estate = Estate::new().await;
    let off = estate.guest("qemu", "stopped", |_| true).await;
    let on = estate.guest("qemu", "running", |_| true).await;
    let bulk = "/cluster/bulk-action/guest/shutdown";
    let form = [("vms", vmid_of(&off)), ("timeout", "3"), ("force-stop", "1")];
    let ended = estate.run("POST", bulk, &form).await;
    assert_eq!(ended.exit, "WARNINGS: 1");
    assert_eq!(
        ended.log,
        [
            format!("Shutting down guests: {}", vmid_of(&off)),
            format!("WARN: Skipping VM {}, not running.", vmid_of(&off)),
            "TASK WARNINGS: 1".to_owned(),
        ]
    );
    assert!(ended.upid.contains(":bulk-shutdown::"));
    let both = [
        ("vms", vmid_of(&off)),
        ("vms", vmid_of(&on)),
        ("max-workers", "2"),
    ];
    let started = estate
        .run("POST", "/cluster/bulk-action/guest/start", &both)
        .await;
    assert_eq!(started.exit, "WARNINGS: 1");
    assert!(started.log.contains(&format!("Starting VM {}", vmid_of(&off))));
    estate.tick(3);
    assert_eq!(
        estate.admin.get(&format!("{off}/status/current")).await["status"],
        "running"
    );
    let wrong = estate
        .admin
        .call(
            "POST",
            "/cluster/bulk-action/guest/start",
            &[("vms", "500,200,300")],
        )
        .await;
    assert_eq!(
        wrong.error("vms[0]"),
        "type check ('integer') failed - got '500,200,300'"
    );
    let missing = estate
        .run("POST", "/cluster/bulk-action/guest/start", &[("vms", "9999")])
        .await;
    assert_eq!(missing.log, ["Starting guests: 9999", "TASK OK"]);
    let target = if node_of(&on) == "pve1" { "pve2" } else { "pve1" };
    let form = [
        ("vms", vmid_of(&on)),
        ("target", target),
        ("online", "1"),
        ("with-local-disks", "1"),
    ];
    let moved = estate
        .run("POST", "/cluster/bulk-action/guest/migrate", &form)
        .await;
    assert_eq!(
        moved.log[0],
        format!("Migrating guests to {target}: {}", vmid_of(&on))
    );
    let auditor = crate::support::caller::Caller::new(
        estate.demo.production(),
        Some(&estate.demo.production().auditor_token()),
    );
    let refused = auditor
        .refused("POST", "/cluster/bulk-action/guest/start", &[])
        .await;
    assert_eq!(
        refused,
        (403, "Permission check failed (/, VM.PowerMgmt)".to_owned())
    );
}
