//! The HA manager: wishes, rules, recovery and maintenance.

use serde_json::{Value, json};

use crate::{
    guests::fresh,
    support::caller::{Estate, path_of, vmid_of},
};

async fn service(estate: &Estate, sid: &str) -> Value {
    let rows = estate.admin.get("/cluster/ha/status/current").await;
    let rows = rows.as_array().unwrap().clone();
    rows.into_iter()
        .find(|row| row["sid"] == sid)
        .unwrap_or(Value::Null)
}

#[tokio::test]
async fn the_manager_does_what_is_asked_of_it() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "830").await;
    let form = [
        ("sid", "vm:830"),
        ("state", "stopped"),
        ("max_restart", "2"),
        ("comment", "x"),
    ];
    estate
        .admin
        .call("POST", "/cluster/ha/resources", &form)
        .await
        .data();
    let row = estate.admin.get("/cluster/ha/resources/vm:830").await;
    assert_eq!(
        (&row["max_restart"], &row["state"], row.get("max_relocate")),
        (&json!(2), &json!("stopped"), None)
    );
    let again = estate.admin.refused("POST", "/cluster/ha/resources", &form).await;
    assert_eq!(
        again.1,
        "create resource failed: resource ID 'vm:830' already defined"
    );
    estate
        .admin
        .call("PUT", "/cluster/ha/resources/vm:830", &[("state", "started")])
        .await
        .data();
    assert_eq!(service(&estate, "vm:830").await["state"], "starting");
    estate.tick(10);
    assert_eq!(service(&estate, "vm:830").await["state"], "started");
    assert_eq!(
        estate.admin.get(&format!("{vm}/status/current")).await["status"],
        "running"
    );
    // A stop of a managed guest is a wish to the manager.
    let stop = estate.run("POST", &format!("{vm}/status/stop"), &[]).await;
    assert_eq!(
        (stop.log[0].as_str(), stop.upid.contains(":hastop:")),
        ("Requesting HA stop for VM 830", true)
    );
    estate.tick(20);
    assert_eq!(service(&estate, "vm:830").await["state"], "stopped");
    let group = [("sid", "vm:830"), ("group", "gg")];
    let refused = estate
        .admin
        .refused("POST", "/cluster/ha/resources", &group)
        .await;
    assert_eq!(
        refused.1,
        "invalid parameter 'group': ha groups have been migrated to rules"
    );
    let groups = estate
        .admin
        .refused(
            "POST",
            "/cluster/ha/groups",
            &[("group", "g1"), ("nodes", "pve1")],
        )
        .await;
    assert_eq!(
        groups.1,
        "cannot create group: ha groups have been migrated to rules"
    );
}

#[tokio::test]
async fn an_error_has_to_be_disabled_first() {
    let estate = Estate::new().await;
    let rows = estate.admin.get("/cluster/ha/status/current").await;
    let broken = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["state"] == "error")
        .unwrap();
    let sid = broken["sid"].as_str().unwrap();
    let path = format!("/cluster/ha/resources/{sid}");
    let words = format!("service '{sid}' in error state, must be disabled and fixed first");
    let refused = estate.admin.refused("PUT", &path, &[("state", "started")]).await;
    assert_eq!(refused, (500, words.clone()));
    let refused = estate
        .admin
        .refused("POST", &format!("{path}/migrate"), &[("node", "pve2")])
        .await;
    assert_eq!(refused, (500, words));
    estate
        .admin
        .call("PUT", &path, &[("state", "disabled")])
        .await
        .data();
    assert_eq!(service(&estate, sid).await["state"], "disabled");
    estate
        .admin
        .call("PUT", &path, &[("state", "started")])
        .await
        .data();
    estate.tick(10);
    assert_eq!(service(&estate, sid).await["state"], "started");
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one story of one rule after the other")]
async fn rules_are_written_read_and_kept() {
    let estate = Estate::new().await;
    for vmid in ["831", "832"] {
        fresh(&estate, vmid).await;
        estate
            .admin
            .call(
                "POST",
                "/cluster/ha/resources",
                &[("sid", vmid), ("state", "stopped")],
            )
            .await
            .data();
    }
    let rules = "/cluster/ha/rules";
    let form = [
        ("type", "node-affinity"),
        ("rule", "near"),
        ("resources", "vm:831"),
        ("nodes", "pve1:2,pve3:1"),
        ("strict", "1"),
    ];
    estate.admin.call("POST", rules, &form).await.data();
    let row = estate.admin.get("/cluster/ha/rules/near").await;
    assert_eq!(
        (&row["nodes"], &row["strict"]),
        (&json!("pve1:2,pve3:1"), &json!(1))
    );
    let refused = |form: Vec<(&'static str, &'static str)>| {
        let admin = &estate.admin;
        async move { admin.refused("POST", rules, &form).await.1 }
    };
    let again = refused(vec![
        ("type", "node-affinity"),
        ("rule", "near"),
        ("resources", "vm:831"),
        ("nodes", "pve1"),
    ]);
    assert_eq!(
        again.await,
        "create ha rule failed: HA rule 'near' already defined"
    );
    let nowhere = refused(vec![
        ("type", "node-affinity"),
        ("rule", "r3"),
        ("resources", "vm:832"),
        ("nodes", "nope"),
    ]);
    assert_eq!(
        nowhere.await,
        "create ha rule failed: cannot use non-existent node(s) nope."
    );
    let stranger = vec![
        ("type", "resource-affinity"),
        ("rule", "r2"),
        ("resources", "vm:831,vm:999"),
        ("affinity", "negative"),
    ];
    assert_eq!(
        refused(stranger).await,
        "create ha rule failed: cannot use unmanaged resource(s) vm:999."
    );
    let alone = vec![
        ("type", "resource-affinity"),
        ("rule", "r4"),
        ("resources", "vm:831"),
        ("affinity", "positive"),
    ];
    assert_eq!(
        refused(alone).await,
        "create ha rule failed: 400 Rule 'r4' is invalid."
    );
    let form = [
        ("type", "resource-affinity"),
        ("rule", "apart"),
        ("resources", "vm:831,vm:832"),
        ("affinity", "negative"),
    ];
    estate.admin.call("POST", rules, &form).await.data();
    // Both are on pve1; neither may come to where the other is.
    let asked = estate
        .admin
        .call(
            "POST",
            "/cluster/ha/resources/vm:831/migrate",
            &[("node", "pve1")],
        )
        .await;
    assert_eq!(
        asked.data()["blocking-resources"],
        json!([{"sid": "vm:832", "cause": "resource-affinity"}])
    );
    let conditions = estate.admin.get("/nodes/pve1/qemu/831/migrate").await;
    assert_eq!(conditions["allowed_nodes"], json!(["pve2", "pve3"]));
    let put = [("type", "node-affinity"), ("disable", "1")];
    estate
        .admin
        .call("PUT", "/cluster/ha/rules/near", &put)
        .await
        .data();
    assert_eq!(estate.admin.get("/cluster/ha/rules/near").await["disable"], 1);
    estate
        .admin
        .call("DELETE", "/cluster/ha/rules/near", &[])
        .await
        .data();
    estate
        .admin
        .call("DELETE", "/cluster/ha/rules/nope", &[])
        .await
        .data();
    let gone = estate.admin.refused("GET", "/cluster/ha/rules/near", &[]).await;
    assert_eq!(gone, (500, "no such ha rule 'near'".to_owned()));
}

#[tokio::test]
async fn managed_guests_leave_a_node_that_goes() {
    let estate = Estate::new().await;
    let rows = estate.guests().await;
    let on_pve2: Vec<&Value> = rows
        .iter()
        .filter(|row| row["hastate"] == "started" && row["node"] == "pve2" && row.get("lock").is_none())
        .collect();
    let vmid = on_pve2[0]["vmid"].to_string();
    // Maintenance has no API; what the manager shows of it is real.
    estate.demo.production().set_maintenance("pve2", true);
    let status = estate.admin.get("/cluster/ha/status/current").await;
    let lrm = status
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == "lrm:pve2")
        .unwrap();
    assert!(
        lrm["status"]
            .as_str()
            .unwrap()
            .starts_with("pve2 (maintenance mode, watchdog active, ")
    );
    let manager = estate.admin.get("/cluster/ha/status/manager_status").await;
    assert_eq!(manager["manager_status"]["node_status"]["pve2"], "maintenance");
    estate.tick(60);
    let rows = estate.guests().await;
    let moved = rows
        .iter()
        .find(|row| path_of(row).ends_with(&format!("/{vmid}")))
        .unwrap();
    assert_ne!(moved["node"], "pve2");
    assert_eq!(moved["status"], "running");
    estate.demo.production().set_maintenance("pve2", false);
    // Switched off for good: what was there begins elsewhere after a while.
    let node = moved["node"].as_str().unwrap().to_owned();
    if node != "pve1" {
        estate
            .admin
            .call(
                "POST",
                &format!("/nodes/{node}/status"),
                &[("command", "shutdown")],
            )
            .await
            .data();
        estate.tick(400);
        let rows = estate.guests().await;
        let row = rows
            .iter()
            .find(|row| path_of(row).ends_with(&format!("/{vmid}")))
            .unwrap();
        assert_ne!(row["node"], node.as_str());
        assert_eq!(row["status"], "running");
        assert_eq!(vmid_of(&path_of(row)), vmid);
    }
}

#[tokio::test]
async fn the_stack_is_disarmed_and_armed() {
    let estate = Estate::new().await;
    let fencing = |rows: Value| {
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == "fencing").unwrap()
    };
    estate
        .admin
        .call(
            "POST",
            "/cluster/ha/status/disarm-ha",
            &[("resource-mode", "freeze")],
        )
        .await
        .data();
    let row = fencing(estate.admin.get("/cluster/ha/status/current").await);
    assert_eq!(
        (&row["armed-state"], &row["resource_mode"]),
        (&json!("disarmed"), &json!("freeze"))
    );
    estate
        .admin
        .call("POST", "/cluster/ha/status/arm-ha", &[])
        .await
        .data();
    let row = fencing(estate.admin.get("/cluster/ha/status/current").await);
    assert_eq!(row["armed-state"], "armed");
}
