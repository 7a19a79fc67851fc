//! Moving guests between nodes.

use pvedeck::demo::Fault;
use serde_json::{Value, json};

use crate::support::caller::{Estate, node_of, path_of, vmid_of};

fn other(node: &str) -> &'static str {
    if node == "pve1" { "pve2" } else { "pve1" }
}

async fn on_storage(estate: &Estate, kind: &str, status: &str, storage: &str) -> String {
    for row in estate.guests().await {
        let free = row.get("hastate").is_none() && row.get("lock").is_none() && row["template"] == 0;
        if row["type"] != kind || row["status"] != status || !free {
            continue;
        }
        let vm = path_of(&row);
        let config = estate.admin.get(&format!("{vm}/config")).await;
        let disk = if kind == "qemu" {
            &config["scsi0"]
        } else {
            &config["rootfs"]
        };
        let paused = estate.admin.get(&format!("{vm}/status/current")).await["qmpstatus"] == "paused";
        if disk.as_str().unwrap().starts_with(storage) && !paused && config.get("parent").is_none() {
            return vm;
        }
    }
    panic!("no {status} {kind} on {storage}");
}

#[tokio::test]
async fn a_running_machine_moves_online_only() {
    let estate = Estate::new().await;
    let vm = on_storage(&estate, "qemu", "running", "ceph-vm").await;
    let (node, path) = (node_of(&vm), format!("{vm}/migrate"));
    let refused = estate
        .admin
        .refused("POST", &path, &[("target", other(node))])
        .await;
    assert_eq!(
        refused,
        (500, "can't migrate running VM without --online".to_owned())
    );
    let here = estate.admin.call("POST", &path, &[("target", node)]).await;
    assert_eq!(here.error("target"), "target is local node.");
    let nowhere = estate.admin.refused("POST", &path, &[("target", "pve9")]).await;
    assert_eq!(nowhere, (500, "no such cluster node 'pve9'".to_owned()));
    let moved = estate
        .run("POST", &path, &[("target", other(node)), ("online", "1")])
        .await;
    assert_eq!(moved.exit, "OK");
    assert!(
        moved
            .log
            .iter()
            .any(|line| line.contains("starting migration of VM"))
    );
    // Each line carries its own time of day.
    assert_ne!(moved.log[0][..19], moved.log[moved.log.len() - 2][..19]);
    let there = format!("/nodes/{}/qemu/{}", other(node), vmid_of(&vm));
    assert_eq!(
        estate.admin.get(&format!("{there}/status/current")).await["status"],
        "running"
    );
    let gone = estate.admin.refused("GET", &format!("{vm}/config"), &[]).await;
    assert!(gone.1.ends_with("does not exist"));
}

#[tokio::test]
async fn local_disks_are_in_the_way_or_come_along() {
    let estate = Estate::new().await;
    let vm = on_storage(&estate, "qemu", "running", "local-zfs").await;
    let (node, path) = (node_of(&vm), format!("{vm}/migrate"));
    let target = other(node);
    let conditions = estate.admin.get(&path).await;
    assert_eq!(
        (
            &conditions["running"],
            &conditions["local_disks"][0]["is_attached"]
        ),
        (&json!(1), &json!(1))
    );
    assert!(
        conditions["allowed_nodes"]
            .as_array()
            .unwrap()
            .contains(&json!(target))
    );
    let aborted = estate
        .run("POST", &path, &[("target", target), ("online", "1")])
        .await;
    assert_eq!(aborted.exit, "migration aborted");
    assert!(aborted.log.iter().any(|line| {
        line.ends_with("can't live migrate attached local disks without with-local-disks option")
    }));
    let form = [
        ("target", target),
        ("online", "1"),
        ("with-local-disks", "1"),
        ("targetstorage", "nfs-iso"),
    ];
    let wrong = estate.run("POST", &path, &form).await;
    assert_eq!(wrong.exit, "migration aborted");
    let form = [
        ("target", target),
        ("online", "1"),
        ("with-local-disks", "1"),
        ("targetstorage", "ceph-vm"),
    ];
    let moved = estate.run("POST", &path, &form).await;
    assert_eq!(moved.exit, "OK", "{:?}", moved.log);
    let config = estate
        .admin
        .get(&format!("/nodes/{target}/qemu/{}/config", vmid_of(&vm)))
        .await;
    assert!(config["scsi0"].as_str().unwrap().starts_with("ceph-vm:vm-"));
    let path = format!("/nodes/{target}/qemu/{}/migrate", vmid_of(&vm));
    let form = [("target", node), ("online", "1"), ("targetstorage", "nope")];
    let refused = estate.admin.refused("POST", &path, &form).await;
    assert_eq!(refused.1, "storage 'nope' does not exist");
}

#[tokio::test]
async fn linked_clones_on_local_storage_stay() {
    let estate = Estate::new().await;
    let form = [("vmid", "820"), ("memory", "64"), ("scsi0", "local-zfs:1")];
    estate.run("POST", "/nodes/pve1/qemu", &form).await;
    estate.run("POST", "/nodes/pve1/qemu/820/template", &[]).await;
    estate
        .run("POST", "/nodes/pve1/qemu/820/clone", &[("newid", "821")])
        .await;
    let clone = estate
        .run("POST", "/nodes/pve1/qemu/821/migrate", &[("target", "pve2")])
        .await;
    assert_eq!(clone.exit, "migration aborted");
    assert!(
        clone
            .log
            .iter()
            .any(|line| line.contains("as it's a clone of 'base-820-disk-0'")),
        "{:?}",
        clone.log
    );
    let template = estate
        .run("POST", "/nodes/pve1/qemu/820/migrate", &[("target", "pve2")])
        .await;
    let said = "can't migrate local disk 'local-zfs:base-820-disk-0': referenced by linked clone(s)";
    assert!(
        template.log.iter().any(|line| line.ends_with(said)),
        "{:?}",
        template.log
    );
}

#[tokio::test]
async fn containers_move_with_a_restart() {
    let estate = Estate::new().await;
    let ct = on_storage(&estate, "lxc", "running", "local-zfs").await;
    let (node, path) = (node_of(&ct), format!("{ct}/migrate"));
    let target = other(node);
    let refused = estate.admin.refused("POST", &path, &[("target", target)]).await;
    assert_eq!(
        refused.1,
        "can't migrate running container without --online or --restart"
    );
    let online = estate
        .run("POST", &path, &[("target", target), ("online", "1")])
        .await;
    assert!(
        online
            .log
            .iter()
            .any(|line| line.contains("lxc live migration is currently not implemented"))
    );
    let moved = estate
        .run("POST", &path, &[("target", target), ("restart", "1")])
        .await;
    assert_eq!(moved.exit, "OK", "{:?}", moved.log);
    assert!(moved.upid.contains(":vzmigrate:"));
    assert!(moved.log.iter().any(|line| line.contains("shutdown CT")));
    let there = format!("/nodes/{target}/lxc/{}/status/current", vmid_of(&ct));
    assert_eq!(estate.admin.get(&there).await["status"], "running");
}

#[tokio::test]
async fn a_managed_guest_is_moved_by_the_manager() {
    let estate = Estate::new().await;
    let rows = estate.guests().await;
    let row = rows
        .iter()
        .find(|row| row["hastate"] == "started" && row["type"] == "qemu" && row.get("lock").is_none())
        .unwrap();
    let vm = path_of(row);
    let (node, vmid) = (node_of(&vm), vmid_of(&vm));
    let config = estate.admin.get(&format!("{vm}/config")).await;
    assert!(
        config["scsi0"].as_str().unwrap().starts_with("ceph-vm"),
        "HA needs shared disks"
    );
    let form = [("target", other(node)), ("online", "1")];
    let asked = estate.run("POST", &format!("{vm}/migrate"), &form).await;
    assert!(asked.upid.contains(":hamigrate:"));
    assert_eq!(
        asked.log[0],
        format!("Requesting HA migration for VM {vmid} to node {}", other(node))
    );
    estate.tick(60);
    let there = estate.guests().await;
    let now = there
        .iter()
        .find(|row| path_of(row).ends_with(&format!("/{vmid}")))
        .unwrap();
    assert_eq!(now["node"], other(node));
}

#[tokio::test]
async fn a_node_that_is_away_takes_nobody() {
    let estate = Estate::new().await;
    let vm = on_storage(&estate, "qemu", "running", "ceph-vm").await;
    let target = other(node_of(&vm));
    estate
        .demo
        .production()
        .break_with(Fault::NodeOffline(target.to_owned()));
    let form = [("target", target), ("online", "1")];
    let aborted = estate.run("POST", &format!("{vm}/migrate"), &form).await;
    assert_eq!(aborted.exit, "migration aborted");
    assert!(aborted.log[1].contains("port 22: No route to host"));
    assert!(aborted.log[2].ends_with("Can't connect to destination address using public key"));
    let config = estate.admin.get(&format!("{vm}/config")).await;
    assert_eq!(config.get("lock"), None::<&Value>);
}
