//! What guests belong to and what is kept of them: pools, backup jobs, replication, volumes; and who may do it.

use serde_json::{Value, json};

use crate::{
    guests::fresh,
    support::caller::{Caller, Estate, node_of, vmid_of},
};

fn as_user(estate: &Estate, user: &str) -> Caller {
    let prod = estate.demo.production();
    Caller::new(prod, Some(&prod.token_of(user)))
}

#[tokio::test]
async fn pools_hold_guests_storages_and_pools() {
    let estate = Estate::new().await;
    let pools = "/pools";
    estate
        .admin
        .call("POST", pools, &[("poolid", "dev"), ("comment", "Dev")])
        .await
        .data();
    estate
        .admin
        .call("POST", pools, &[("poolid", "dev/sub")])
        .await
        .data();
    let orphan = estate
        .admin
        .refused("POST", pools, &[("poolid", "none/sub")])
        .await;
    assert_eq!(
        orphan.1,
        "create pool failed: parent 'none' of pool 'none/sub' does not exist"
    );
    let full = estate.admin.refused("DELETE", pools, &[("poolid", "dev")]).await;
    assert_eq!(
        full.1,
        "delete pool failed: pool 'dev' is not empty (contains pool 'dev/sub')"
    );
    fresh(&estate, "840").await;
    let form = [("poolid", "dev"), ("vms", "840"), ("storage", "local")];
    estate.admin.call("PUT", pools, &form).await.data();
    let members = estate.admin.call("GET", pools, &[("poolid", "dev")]).await;
    let kinds: Vec<&Value> = members.data()[0]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["type"])
        .collect();
    assert!(
        kinds.contains(&&json!("qemu")) && kinds.contains(&&json!("storage")),
        "{kinds:?}"
    );
    for (form, text) in [
        (
            vec![("poolid", "dev"), ("vms", "840")],
            "VM 840 is already a pool member",
        ),
        (
            vec![("poolid", "dev/sub"), ("vms", "840")],
            "VM 840 belongs already to pool 'dev' and 'allow-move' is not set",
        ),
        (
            vec![("poolid", "dev"), ("storage", "local")],
            "Storage 'local' is already a pool member",
        ),
        (
            vec![("poolid", "nope"), ("vms", "840")],
            "pool 'nope' does not exist",
        ),
    ] {
        let refused = estate.admin.refused("PUT", pools, &form).await;
        assert_eq!(refused, (500, format!("update pools failed: {text}")));
    }
    let form = [("poolid", "dev/sub"), ("vms", "840"), ("allow-move", "1")];
    estate.admin.call("PUT", pools, &form).await.data();
    let full = estate
        .admin
        .refused("DELETE", pools, &[("poolid", "dev/sub")])
        .await;
    assert_eq!(
        full.1,
        "delete pool failed: pool 'dev/sub' is not empty (contains VM 840)"
    );
    let form = [("poolid", "dev/sub"), ("vms", "840"), ("delete", "1")];
    estate.admin.call("PUT", pools, &form).await.data();
    estate
        .admin
        .call("DELETE", pools, &[("poolid", "dev/sub")])
        .await
        .data();
}

#[tokio::test]
async fn backup_jobs_are_made_changed_and_removed() {
    let estate = Estate::new().await;
    let jobs = "/cluster/backup";
    let form = [
        ("id", "nightly"),
        ("schedule", "02:00"),
        ("storage", "pbs-main"),
        ("vmid", "100,101"),
        ("prune-backups", "keep-last=3"),
    ];
    estate.admin.call("POST", jobs, &form).await.data();
    let job = estate.admin.get("/cluster/backup/nightly").await;
    assert_eq!(
        (&job["prune-backups"], &job["enabled"]),
        (&json!({"keep-last": "3"}), &json!(1))
    );
    let again = estate.admin.refused("POST", jobs, &form).await;
    assert_eq!(again, (500, "Job 'nightly' already exists".to_owned()));
    estate
        .admin
        .call(
            "PUT",
            "/cluster/backup/nightly",
            &[("all", "1"), ("delete", "vmid")],
        )
        .await
        .data();
    let volumes = estate.admin.get("/cluster/backup/nightly/included_volumes").await;
    assert_eq!(volumes["children"].as_array().unwrap().len(), 60);
    estate
        .admin
        .call("DELETE", "/cluster/backup/nightly", &[])
        .await
        .data();
    estate
        .admin
        .call("DELETE", "/cluster/backup/backup-nightly", &[])
        .await
        .data();
    let bare = estate.admin.get("/cluster/backup-info/not-backed-up").await;
    assert!(!bare.as_array().unwrap().is_empty());
    let missing = estate
        .admin
        .refused("DELETE", "/cluster/backup/nightly", &[])
        .await;
    assert_eq!(missing, (500, "400 Parameter verification failed.".to_owned()));
}

#[tokio::test]
async fn several_guests_are_saved_in_one_task() {
    let estate = Estate::new().await;
    let one = estate.guest("qemu", "running", |_| true).await;
    let node = node_of(&one).to_owned();
    let two = estate
        .guest("lxc", "running", |row| row["node"] == node.as_str())
        .await;
    let list = format!("{},{}", vmid_of(&one), vmid_of(&two));
    let path = format!("/nodes/{node}/vzdump");
    let saved = estate
        .run("POST", &path, &[("vmid", &list), ("storage", "pbs-main")])
        .await;
    assert_eq!(saved.exit, "OK");
    for (label, guest) in [("VM", &one), ("CT", &two)] {
        let line = format!("INFO: Finished Backup of {label} {}", vmid_of(guest));
        assert!(saved.log.contains(&line), "{line}");
    }
    let none = estate.admin.call("POST", &path, &[("storage", "pbs-main")]).await;
    assert_eq!(none.error("vmid"), "property is missing");
}

#[tokio::test]
async fn backups_carry_notes_and_protection() {
    let estate = Estate::new().await;
    let content = "/nodes/pve1/storage/pbs-main/content";
    let rows = estate.admin.call("GET", content, &[("content", "backup")]).await;
    let volid = rows.data()[0]["volid"].as_str().unwrap().to_owned();
    let path = format!("{content}/{volid}");
    estate
        .admin
        .call("PUT", &path, &[("notes", "before the move"), ("protected", "1")])
        .await
        .data();
    let rows = estate.admin.call("GET", content, &[("content", "backup")]).await;
    let row = rows
        .data()
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["volid"] == volid.as_str())
        .unwrap()
        .clone();
    assert_eq!(
        (&row["notes"], &row["protected"]),
        (&json!("before the move"), &json!(1))
    );
    let refused = estate.run("DELETE", &path, &[]).await;
    assert!(
        refused.exit.starts_with("cannot remove protected volume '"),
        "{}",
        refused.exit
    );
    estate
        .admin
        .call("PUT", &path, &[("protected", "0")])
        .await
        .data();
    let removed = estate.run("DELETE", &path, &[]).await;
    assert_eq!(removed.log[0], format!("Removed volume '{volid}'"));
}

#[tokio::test]
async fn replication_needs_a_storage_that_can_and_turns_around() {
    let estate = Estate::new().await;
    let jobs = "/cluster/replication";
    let make = |id: &'static str, target: &'static str| [("id", id), ("type", "local"), ("target", target)];
    fresh(&estate, "841").await;
    for (form, reason) in [
        (make("9999-0", "pve2"), "Guest '9999' does not exist."),
        (make("841-0", "pve1"), "Source and target must not be identical"),
        (make("841-0", "pve9"), "Target 'pve9' does not exist."),
        (make("841-0", "pve2"), "No replicatable volumes found"),
    ] {
        let refused = estate.admin.refused("POST", jobs, &form).await;
        assert_eq!(refused, (500, reason.to_owned()));
    }
    let bad = estate.admin.call("POST", jobs, &make("x", "pve2")).await;
    assert_eq!(
        bad.error("id"),
        "invalid format - invalid replication job id 'x'\n"
    );
    let form = [("disk", "scsi0"), ("storage", "local-zfs"), ("delete", "1")];
    estate.run("POST", "/nodes/pve1/qemu/841/move_disk", &form).await;
    estate
        .admin
        .call("POST", jobs, &make("841-0", "pve2"))
        .await
        .data();
    let again = estate.admin.refused("POST", jobs, &make("841-0", "pve2")).await;
    assert_eq!(again.1, "replication job '841-0' already exists");
    estate
        .run("POST", "/nodes/pve1/qemu/841/migrate", &[("target", "pve2")])
        .await;
    let job = estate.admin.get("/cluster/replication/841-0").await;
    assert_eq!((&job["source"], &job["target"]), (&json!("pve2"), &json!("pve1")));
    let refused = estate.admin.refused("DELETE", "/nodes/pve2/qemu/841", &[]).await;
    assert_eq!(
        refused.1,
        "There is a replication job '841-0' for guest '841' - Please remove that first."
    );
    estate
        .admin
        .call("DELETE", "/cluster/replication/841-0", &[])
        .await
        .data();
    let missing = estate
        .admin
        .refused("DELETE", "/cluster/replication/841-0", &[])
        .await;
    assert_eq!(missing, (500, "no such job '841-0'".to_owned()));
}

#[tokio::test]
async fn a_storage_that_a_node_lacks_is_in_the_way() {
    let estate = Estate::new().await;
    fresh(&estate, "842").await;
    estate
        .admin
        .call("PUT", "/storage/ceph-vm", &[("nodes", "pve1,pve3")])
        .await
        .data();
    let conditions = estate.admin.get("/nodes/pve1/qemu/842/migrate").await;
    assert_eq!(conditions["allowed_nodes"], json!(["pve3"]));
    assert_eq!(
        conditions["not_allowed_nodes"]["pve2"]["unavailable_storages"],
        json!(["ceph-vm"])
    );
    let refused = estate
        .admin
        .refused("POST", "/nodes/pve1/qemu/842/migrate", &[("target", "pve2")])
        .await;
    assert_eq!(
        refused,
        (
            500,
            "storage 'ceph-vm' is not available on node 'pve2'".to_owned()
        )
    );
}

#[tokio::test]
async fn each_user_may_do_what_the_role_says() {
    let estate = Estate::new().await;
    let power = as_user(&estate, "power@pve");
    let vm = estate.guest("qemu", "stopped", |_| true).await;
    let vmid = vmid_of(&vm);
    power
        .call("POST", &format!("{vm}/status/start"), &[])
        .await
        .data();
    let refused = power
        .refused("POST", &format!("{vm}/snapshot"), &[("snapname", "ab")])
        .await;
    assert_eq!(
        refused,
        (403, format!("Permission check failed (/vms/{vmid}, VM.Snapshot)"))
    );
    // An administrator of guests has no space and no network of their own.
    let operator = as_user(&estate, "operator@pve");
    let own = estate.guest("qemu", "running", |row| row["pool"] == "acme").await;
    let config = format!("{own}/config");
    operator
        .call("PUT", &config, &[("cores", "2"), ("description", "mine")])
        .await
        .data();
    for (form, detail) in [
        (
            [("scsi5", "ceph-vm:1")],
            "/storage/ceph-vm, Datastore.AllocateSpace".to_owned(),
        ),
        (
            [("net1", "virtio,bridge=vmbr0")],
            "/sdn/zones/localnetwork/vmbr0, SDN.Use".to_owned(),
        ),
        ([("startup", "order=1")], "/, Sys.Modify".to_owned()),
    ] {
        let refused = operator.refused("PUT", &config, &form).await;
        assert_eq!(refused, (403, format!("Permission check failed ({detail})")));
    }
    let refused = operator.refused("PUT", &config, &[("args", "-x")]).await;
    assert_eq!(refused, (500, "only root can set 'args' config".to_owned()));
    // The administrator of a pool has both.
    let keeper = as_user(&estate, "pooladmin@pve");
    let own = estate.guest("qemu", "running", |row| row["pool"] == "beta").await;
    let form = [("scsi5", "ceph-vm:1"), ("net1", "virtio,bridge=vmbr0")];
    keeper.call("PUT", &format!("{own}/config"), &form).await.data();
    keeper
        .call("PUT", "/pools", &[("poolid", "beta"), ("comment", "ours")])
        .await
        .data();
    let other = keeper
        .refused("PUT", "/pools", &[("poolid", "acme"), ("comment", "x")])
        .await;
    assert_eq!(
        other,
        (
            403,
            "Permission check failed (/pool/acme, Pool.Allocate)".to_owned()
        )
    );
}
