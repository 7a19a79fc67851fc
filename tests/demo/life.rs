//! The demo as a living server: signing in, tasks, faults, size, and tickets of consoles.

use std::time::Duration;

use pvedeck::demo::{self, Fault, Options};
use serde_json::{Value, json};

use crate::support::caller::{Caller, Estate};

#[tokio::test]
async fn a_ticket_signs_in_and_needs_its_csrf_token_to_write() {
    let estate = Estate::new().await;
    let datacentre = &estate.demo;
    let prod = datacentre.production();
    let mut caller = Caller::signed_in(prod, "root@pam").await;
    let form = [("poolid", "fresh")];
    let csrf = caller.forget_csrf_token();
    let refused = caller.refused("POST", "/pools", &form).await;
    assert_eq!(refused.1, "Permission denied - invalid csrf token");
    caller.remember_csrf_token(csrf);
    caller.call("POST", "/pools", &form).await.data();
    let caller = Caller::new(prod, None);
    let wrong = caller
        .call(
            "POST",
            "/access/ticket",
            &[("username", "root@pam"), ("password", "x")],
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.reason.as_str()),
        (401, "authentication failure")
    );
    assert_eq!(wrong.body["message"], "authentication failure\n");
}

#[tokio::test]
async fn a_guest_stops_and_starts_and_its_tasks_tell() {
    let estate = Estate::new().await;
    let (datacentre, caller) = (&estate.demo, &estate.admin);
    let resources = caller.get("/cluster/resources").await;
    let row = resources
        .as_array()
        .unwrap()
        .iter()
        .find(|row| {
            row["type"] == "qemu"
                && row["status"] == "running"
                && row.get("hastate").is_none()
                && row.get("lock").is_none()
        })
        .unwrap();
    let (node, vmid) = (row["node"].as_str().unwrap(), row["vmid"].to_string());
    let vm = format!("/nodes/{node}/qemu/{vmid}");
    let again = caller.call("POST", &format!("{vm}/status/start"), &[]).await;
    datacentre.tick(Duration::from_secs(2));
    let upid = again.body["data"].as_str().unwrap().to_owned();
    let state = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(state["exitstatus"], format!("VM {vmid} already running"));
    let stop = caller.call("POST", &format!("{vm}/status/stop"), &[]).await;
    let upid = stop.body["data"].as_str().unwrap().to_owned();
    let running = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(running["status"], "running");
    datacentre.tick(Duration::from_secs(5));
    let ended = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(
        (&ended["status"], &ended["exitstatus"]),
        (&json!("stopped"), &json!("OK"))
    );
    let stopped = caller.get(&format!("{vm}/status/current")).await;
    assert_eq!(
        (&stopped["status"], &stopped["qmpstatus"]),
        (&json!("stopped"), &json!("stopped"))
    );
    for gone in ["pid", "nics", "pressurecpusome"] {
        assert!(stopped.get(gone).is_none(), "{gone} of a stopped guest");
    }
    let reset = caller.call("POST", &format!("{vm}/status/reset"), &[]).await;
    assert_eq!(reset.reason, format!("VM {vmid} not running"));
    caller
        .call("POST", &format!("{vm}/snapshot"), &[("snapname", "one")])
        .await;
    datacentre.tick(Duration::from_secs(5));
    caller
        .call("PUT", &format!("{vm}/config"), &[("tags", "Web;prod,Db")])
        .await;
    assert_eq!(caller.get(&format!("{vm}/config")).await["tags"], "db;prod;web");
    let snapshots = caller.get(&format!("{vm}/snapshot")).await;
    assert!(
        snapshots
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "one")
    );
}

#[tokio::test]
async fn faults_look_as_they_do_in_reality_and_requests_are_counted() {
    let estate = Estate::new().await;
    let (datacentre, caller) = (&estate.demo, &estate.admin);
    let prod = datacentre.production();
    prod.break_with(Fault::NodeOffline("pve3".to_owned()));
    let answer = caller.call("GET", "/nodes/pve3/status", &[]).await;
    assert_eq!((answer.status, answer.reason.as_str()), (595, "No route to host"));
    let nodes = caller.get("/nodes").await;
    let away = nodes
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["node"] == "pve3")
        .unwrap();
    assert_eq!(away["status"], "offline");
    assert!(away.get("cpu").is_none() && away.get("uptime").is_none());
    prod.mend();
    prod.break_with(Fault::NodeFrozen("pve2".to_owned()));
    assert_eq!(caller.call("GET", "/nodes/pve2/status", &[]).await.status, 596);
    prod.break_with(Fault::NoQuorum);
    let start = caller
        .call("POST", "/nodes/pve1/qemu/100/status/start", &[])
        .await;
    assert_eq!(start.reason, "cluster not ready - no quorum?");
    prod.mend();
    prod.break_with(Fault::Truncated);
    assert_eq!(caller.call("GET", "/cluster/status", &[]).await.body, Value::Null);
    prod.mend();
    assert_eq!(prod.writes(), 1);
    assert_eq!(prod.requests()["GET /nodes/pve3/status"], 1);
}

#[tokio::test]
async fn ten_thousand_guests_are_one_quick_answer() {
    let options = Options {
        guests: 10_000,
        lab: false,
        ..Options::for_tests()
    };
    let datacentre = demo::start(options).await.unwrap();
    let caller = Caller::new(
        datacentre.production(),
        Some(&datacentre.production().admin_token()),
    );
    let vms = caller.call("GET", "/cluster/resources", &[("type", "vm")]).await;
    assert_eq!(vms.body["data"].as_array().unwrap().len(), 10_000);
}

#[tokio::test]
async fn the_ticket_of_a_console_is_good_for_one_console_and_not_for_long() {
    let estate = Estate::new().await;
    let (datacentre, caller) = (&estate.demo, &estate.admin);
    let opened = caller.call("POST", "/nodes/pve1/termproxy", &[]).await;
    assert_eq!(opened.status, 200, "{}", opened.reason);
    let (port, ticket) = (
        &opened.body["data"]["port"],
        opened.body["data"]["ticket"].as_str().unwrap(),
    );
    assert!(
        port.is_number() && ticket.starts_with("PVEVNC:"),
        "{}",
        opened.body
    );
    let port = port.to_string();
    let ask = async |node: &str, port: &str| {
        let form = [("port", port), ("vncticket", ticket)];
        let answer = caller
            .call("GET", &format!("/nodes/{node}/vncwebsocket"), &form)
            .await;
        (answer.status, answer.reason, answer.body["data"]["port"].clone())
    };
    // Asked without an upgrade, it only says that the ticket is good.
    assert_eq!(ask("pve1", &port).await, (200, "OK".to_owned(), json!(port)));
    let refused = "permission denied - invalid PVEVNC ticket";
    assert_eq!(ask("pve2", &port).await, (401, refused.to_owned(), Value::Null));
    assert_eq!(ask("pve1", "5990").await.0, 401);
    datacentre.tick(Duration::from_secs(41));
    assert_eq!(ask("pve1", &port).await.0, 401);
    // Nobody came for it: its task has failed.
    let upid = opened.body["data"]["upid"].as_str().unwrap();
    let status = caller.get(&format!("/nodes/pve1/tasks/{upid}/status")).await;
    let exit = status["exitstatus"].as_str().unwrap_or_default();
    assert!(exit.contains("termproxy") && exit.contains("failed"), "{status}");
}
