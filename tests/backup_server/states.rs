//! The demo remembers what is done to it.

use std::time::Duration;

use serde_json::Value;

use crate::caller::{Caller, encoded, store};

const ACME: [(&str, &str); 3] = [
    ("ns", "customers/acme"),
    ("backup-type", "vm"),
    ("backup-id", "2102"),
];

async fn backups(caller: &Caller, form: &[(&str, &str)]) -> Vec<Value> {
    let answer = caller.call("GET", "/admin/datastore/main/snapshots", form).await;
    answer.data().as_array().unwrap().clone()
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    ACME.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn a_verification_finds_the_bad_ones_and_says_so_on_each() {
    let (demo, caller) = store().await;
    let form = with(&[("ignore-verified", "0")]);
    let (upid, exit) = caller
        .ended(&demo, "POST", "/admin/datastore/main/verify", &form)
        .await;
    assert_eq!(exit, "verification failed - please check the log for details");
    assert!(
        upid.contains(r":verify_group:main\x3ans-customers-ns-acme-vm-2102:"),
        "{upid}"
    );
    let states: Vec<String> = backups(&caller, &ACME)
        .await
        .iter()
        .map(|one| {
            assert_eq!(one["verification"]["upid"], upid.as_str());
            one["verification"]["state"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(
        states.contains(&"failed".to_owned()) && states.contains(&"ok".to_owned()),
        "{states:?}"
    );
    let log = caller
        .get(&format!("/nodes/localhost/tasks/{}/log", encoded(&upid)))
        .await;
    let lines = log.as_array().unwrap();
    assert!(
        lines[0]["t"]
            .as_str()
            .unwrap()
            .ends_with("+00:00: verify datastore main")
    );
    assert!(lines.len() >= 50, "the default of the log is fifty lines");
}

#[tokio::test]
async fn a_backup_is_noted_protected_and_only_then_kept() {
    let (_demo, caller) = store().await;
    let newest = backups(&caller, &ACME).await[0]["backup-time"].clone();
    let time = newest.to_string();
    let one = with(&[("backup-time", &time)]);
    let put = |more: (&'static str, &'static str)| {
        let mut form = one.clone();
        form.push(more);
        form
    };
    let place = "/admin/datastore/main";
    let notes = put(("notes", "first line\nsecond"));
    caller.call("PUT", &format!("{place}/notes"), &notes).await.data();
    let protect = put(("protected", "1"));
    caller
        .call("PUT", &format!("{place}/protected"), &protect)
        .await
        .data();
    let shown = backups(&caller, &ACME).await.remove(0);
    assert_eq!(
        (&shown["comment"], &shown["protected"]),
        (&"first line".into(), &true.into())
    );
    let whole = caller.call("GET", &format!("{place}/notes"), &one).await;
    assert_eq!(whole.data(), "first line\nsecond");
    let refused = caller
        .refused("DELETE", &format!("{place}/snapshots"), &one)
        .await;
    assert_eq!(refused, (400, "cannot remove protected snapshot".to_owned()));
    caller
        .call("PUT", &format!("{place}/protected"), &put(("protected", "0")))
        .await
        .data();
    caller
        .call("DELETE", &format!("{place}/snapshots"), &one)
        .await
        .data();
    assert!(
        backups(&caller, &ACME)
            .await
            .iter()
            .all(|one| one["backup-time"] != newest)
    );
}

#[tokio::test]
async fn a_prune_of_the_datastore_removes_and_the_collection_frees() {
    let (demo, caller) = store().await;
    let before = backups(&caller, &ACME).await.len();
    let place = "/admin/datastore/main/prune-datastore";
    let dry = [("keep-last", "3"), ("ns", "customers"), ("dry-run", "1")];
    let (upid, _) = caller.ended(&demo, "POST", place, &dry).await;
    assert!(upid.contains(r":prune:main\x3acustomers:"), "{upid}");
    assert_eq!(
        backups(&caller, &ACME).await.len(),
        before,
        "a dry run removes nothing"
    );
    // Without any rule nothing is removed, whatever the log says.
    caller.ended(&demo, "POST", place, &[("ns", "customers")]).await;
    assert_eq!(backups(&caller, &ACME).await.len(), before);
    caller.ended(&demo, "POST", place, &dry[..2]).await;
    assert_eq!(backups(&caller, &ACME).await.len(), 3);
    let used = |value: &Value| value["used"].as_u64().unwrap();
    let full = used(&caller.get("/admin/datastore/main/status").await);
    let (upid, exit) = caller.ended(&demo, "POST", "/admin/datastore/main/gc", &[]).await;
    // The damaged ones went with the rest.
    assert_eq!(exit, "OK");
    let state = caller.get("/admin/datastore/main/gc").await;
    assert_eq!(
        (&state["upid"], &state["last-run-state"]),
        (&upid.into(), &"OK".into())
    );
    assert!(state["removed-bytes"].as_u64().unwrap() > 0);
    assert!(used(&caller.get("/admin/datastore/main/status").await) < full);
}

#[tokio::test]
async fn jobs_run_and_keep_their_last_result() {
    let (demo, caller) = store().await;
    let job = async |kind: &str, id: &str| {
        let rows = caller.get(&format!("/admin/{kind}")).await;
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    assert!(job("verify", "v-archive").await.get("last-run-state").is_none());
    for (kind, id, exit) in [
        ("verify", "v-archive", "OK"),
        ("prune", "p-customers", "OK"),
        ("sync", "s-archive", "OK"),
    ] {
        let path = format!("/admin/{kind}/{id}/run");
        let (upid, said) = caller.ended(&demo, "POST", &path, &[]).await;
        assert_eq!(said, exit, "{path}");
        let row = job(kind, id).await;
        assert_eq!(
            (&row["last-run-upid"], &row["last-run-state"]),
            (&upid.into(), &exit.into())
        );
    }
    let (_, said) = caller
        .ended(&demo, "POST", "/admin/sync/s-offsite/run", &[])
        .await;
    assert!(said.starts_with("error trying to connect"), "{said}");
}

#[tokio::test]
async fn a_task_is_stopped_and_does_nothing() {
    let (demo, caller) = store().await;
    let begun = caller.call("POST", "/admin/prune/p-customers/run", &[]).await;
    let upid = begun.data().as_str().unwrap().to_owned();
    let running = caller
        .call("GET", "/nodes/localhost/tasks", &[("running", "1")])
        .await;
    assert!(
        running
            .data()
            .as_array()
            .unwrap()
            .iter()
            .any(|task| task["upid"] == upid.as_str())
    );
    let before = backups(&caller, &ACME).await.len();
    let place = format!("/nodes/localhost/tasks/{}", encoded(&upid));
    caller.call("DELETE", &place, &[]).await.data();
    demo.tick(Duration::from_secs(600));
    let status = caller.get(&format!("{place}/status")).await;
    assert_eq!(status["exitstatus"], "task aborted");
    assert_eq!(backups(&caller, &ACME).await.len(), before);
}

#[tokio::test]
async fn maintenance_stops_writes_and_then_everything() {
    let (_demo, caller) = store().await;
    let set = async |mode: &str| {
        let form = [("maintenance-mode", mode)];
        caller.call("PUT", "/config/datastore/main", &form).await.data();
    };
    set("type=read-only").await;
    assert!(!backups(&caller, &ACME).await.is_empty());
    let refused = caller.refused("POST", "/admin/datastore/main/gc", &[]).await;
    assert_eq!(
        refused.1.trim_end(),
        "datastore 'main' is in read-only maintenance mode:"
    );
    set("offline,message=\"disk swap\"").await;
    let refused = caller.refused("GET", "/admin/datastore/main/status", &[]).await;
    assert_eq!(
        refused.1,
        "datastore 'main' is in offline maintenance mode: disk swap"
    );
    let usage = caller.get("/status/datastore-usage").await;
    let main = usage
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["store"] == "main")
        .unwrap();
    assert!(main.get("used").is_none() && main["error"].as_str().unwrap().contains("disk swap"));
}

#[tokio::test]
async fn lists_of_tasks_tell_only_whether_there_are_more() {
    let (_demo, caller) = store().await;
    let list = async |limit: &str| {
        let answer = caller
            .call("GET", "/nodes/localhost/tasks", &[("limit", limit)])
            .await;
        let count = answer.data().as_array().unwrap().len();
        (count, answer.body["total"].as_u64().unwrap() as usize)
    };
    assert_eq!(list("3").await, (3, 4));
    let (all, total) = list("0").await;
    assert!(all > 10 && all == total, "{all} {total}");
}

#[tokio::test]
async fn the_cluster_s_storage_and_the_datastore_list_the_same_backups() {
    let (demo, caller) = store().await;
    let prod = demo.production();
    let admin = crate::support::caller::Caller::new(prod, Some(&prod.admin_token()));
    let volumes = admin.get("/nodes/pve1/storage/pbs-main/content").await;
    let mut theirs: Vec<String> = volumes
        .as_array()
        .unwrap()
        .iter()
        .map(|volume| format!("{} {}", volume["vmid"], volume["ctime"]))
        .collect();
    let mut ours: Vec<String> = backups(&caller, &[])
        .await
        .iter()
        .map(|one| format!("{} {}", one["backup-id"].as_str().unwrap(), one["backup-time"]))
        .collect();
    theirs.sort();
    ours.sort();
    assert!(!ours.is_empty());
    assert_eq!(ours, theirs);
}
