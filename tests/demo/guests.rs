//! Disks, templates, copies, configuration and the end of a guest.

use serde_json::{Value, json};

use crate::support::caller::{Estate, node_of, vmid_of};

/// A stopped VM on shared storage that no one else needs.
pub(crate) async fn fresh(estate: &Estate, vmid: &str) -> String {
    let form = [
        ("vmid", vmid),
        ("name", "fresh"),
        ("memory", "2048"),
        ("scsi0", "ceph-vm:8"),
        ("net0", "virtio,bridge=vmbr0"),
        ("agent", "1"),
    ];
    let made = estate.run("POST", "/nodes/pve1/qemu", &form).await;
    assert_eq!(made.exit, "OK");
    assert_eq!(
        made.log[0],
        format!("scsi0: successfully created disk 'ceph-vm:vm-{vmid}-disk-0,size=8G'")
    );
    format!("/nodes/pve1/qemu/{vmid}")
}

pub(crate) async fn option(estate: &Estate, vm: &str, key: &str) -> Value {
    estate.admin.get(&format!("{vm}/config")).await[key].clone()
}

#[tokio::test]
async fn a_disk_grows_and_never_shrinks() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "800").await;
    let resize = format!("{vm}/resize");
    let grown = estate
        .run("PUT", &resize, &[("disk", "scsi0"), ("size", "+2G")])
        .await;
    assert_eq!(grown.log, ["Image resized.", "TASK OK"]);
    assert_eq!(
        option(&estate, &vm, "scsi0").await,
        "ceph-vm:vm-800-disk-0,size=10G"
    );
    let absolute = estate
        .run("PUT", &resize, &[("disk", "scsi0"), ("size", "12G")])
        .await;
    assert_eq!(absolute.exit, "OK");
    for (disk, size, exit) in [
        ("scsi0", "4G", "shrinking disks is not supported"),
        ("scsi5", "+1G", "disk 'scsi5' does not exist"),
    ] {
        let ended = estate
            .run("PUT", &resize, &[("disk", disk), ("size", size)])
            .await;
        assert_eq!(ended.exit, exit);
    }
    assert_eq!(
        option(&estate, &vm, "scsi0").await,
        "ceph-vm:vm-800-disk-0,size=12G"
    );
    // Containers are refused before a task begins.
    let ct = estate.guest("lxc", "stopped", |_| true).await;
    let form = [("disk", "rootfs"), ("size", "1M")];
    let refused = estate.admin.refused("PUT", &format!("{ct}/resize"), &form).await;
    assert_eq!(refused, (500, "unable to shrink disk size".to_owned()));
}

#[tokio::test]
async fn a_disk_moves_and_leaves_its_source_behind_or_not() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "801").await;
    let path = format!("{vm}/move_disk");
    let moved = estate
        .run("POST", &path, &[("disk", "scsi0"), ("storage", "local-zfs")])
        .await;
    assert_eq!(moved.exit, "OK");
    assert!(moved.upid.contains(":qmmove:801:"));
    assert_eq!(
        moved.log[0],
        "copying volume 'ceph-vm:vm-801-disk-0' from current storage 'ceph-vm' to target storage 'local-zfs'"
    );
    assert!(
        moved
            .log
            .contains(&"adding source volume 'ceph-vm:vm-801-disk-0' as 'unused0' to config".to_owned())
    );
    let config = estate.admin.get(&format!("{vm}/config")).await;
    assert_eq!(config["scsi0"], "local-zfs:vm-801-disk-0,size=8G");
    assert_eq!(config["unused0"], "ceph-vm:vm-801-disk-0");
    let form = [("disk", "scsi0"), ("storage", "ceph-vm"), ("delete", "1")];
    let back = estate.run("POST", &path, &form).await;
    assert!(
        back.log
            .contains(&"removing source volume 'local-zfs:vm-801-disk-0' after successful copy".to_owned())
    );
    // The old name is still taken by the unused volume.
    assert_eq!(
        option(&estate, &vm, "scsi0").await,
        "ceph-vm:vm-801-disk-1,size=8G"
    );
    let refused = estate
        .admin
        .call("POST", &path, &[("disk", "scsi0"), ("storage", "nfs-iso")])
        .await;
    assert_eq!(
        refused.error("storage"),
        "storage 'nfs-iso' does not support vm images"
    );
    for (form, reason) in [
        (
            [("disk", "scsi0"), ("storage", "ceph-vm")],
            "you can't move to the same storage with same format",
        ),
        (
            [("disk", "scsi7"), ("storage", "local-zfs")],
            "disk 'scsi7' does not exist",
        ),
        (
            [("disk", "scsi0"), ("storage", "nope")],
            "storage 'nope' does not exist",
        ),
    ] {
        let answer = estate.admin.refused("POST", &path, &form).await;
        assert_eq!(answer, (500, reason.to_owned()));
    }
    let neither = estate.admin.call("POST", &path, &[("disk", "scsi0")]).await;
    assert_eq!(
        neither.error("storage"),
        "both 'storage' and 'target-vmid' missing, either needs to be set"
    );
    // A container has to be off for it.
    let ct = estate.guest("lxc", "running", |_| true).await;
    let form = [("volume", "rootfs"), ("storage", "ceph-vm")];
    let running = estate
        .admin
        .refused("POST", &format!("{ct}/move_volume"), &form)
        .await;
    assert_eq!(running.1, "cannot move volumes of a running container");
    let ct = estate.guest("lxc", "stopped", |_| true).await;
    let moved = estate.run("POST", &format!("{ct}/move_volume"), &form).await;
    assert_eq!(
        (moved.exit.as_str(), moved.upid.contains(":move_volume:")),
        ("OK", true)
    );
    let rootfs = option(&estate, &ct, "rootfs").await;
    assert!(
        rootfs
            .as_str()
            .unwrap()
            .starts_with(&format!("ceph-vm:vm-{}-disk-0,", vmid_of(&ct)))
    );
}

#[tokio::test]
async fn a_disk_goes_over_to_another_machine() {
    let estate = Estate::new().await;
    let (one, two) = (fresh(&estate, "802").await, fresh(&estate, "803").await);
    let path = format!("{one}/move_disk");
    let taken = estate
        .admin
        .refused("POST", &path, &[("disk", "scsi0"), ("target-vmid", "803")])
        .await;
    assert_eq!(taken.1, "Target disk key 'scsi0' is already in use for VM '803'");
    let form = [
        ("disk", "scsi0"),
        ("target-vmid", "803"),
        ("target-disk", "scsi1"),
    ];
    let ended = estate.run("POST", &path, &form).await;
    assert!(
        ended.upid.contains(":qmmove:802-scsi0>803-scsi1:"),
        "{}",
        ended.upid
    );
    assert_eq!(option(&estate, &one, "scsi0").await, Value::Null);
    assert_eq!(
        option(&estate, &two, "scsi1").await,
        "ceph-vm:vm-803-disk-1,size=8G"
    );
}

#[tokio::test]
async fn a_template_is_cloned_linked_and_outlives_no_clone() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "804").await;
    let clone = format!("{vm}/clone");
    let linked = estate
        .admin
        .refused("POST", &clone, &[("newid", "805"), ("full", "0")])
        .await;
    assert_eq!(
        linked.1,
        "Linked clone feature is not supported for 'ceph-vm:vm-804-disk-0' (scsi0)"
    );
    let running = estate.guest("qemu", "running", |_| true).await;
    let refused = estate
        .admin
        .refused("POST", &format!("{running}/template"), &[])
        .await;
    assert_eq!(refused.1, "you can't convert a VM to template if VM is running");
    estate
        .run("POST", &format!("{vm}/snapshot"), &[("snapname", "one")])
        .await;
    let refused = estate.admin.refused("POST", &format!("{vm}/template"), &[]).await;
    assert_eq!(
        refused.1,
        "unable to create template, because VM contains snapshots"
    );
    estate.run("DELETE", &format!("{vm}/snapshot/one"), &[]).await;
    assert_eq!(
        estate.run("POST", &format!("{vm}/template"), &[]).await.exit,
        "OK"
    );
    assert_eq!(
        option(&estate, &vm, "scsi0").await,
        "ceph-vm:base-804-disk-0,size=8G"
    );
    let again = estate.admin.refused("POST", &format!("{vm}/template"), &[]).await;
    assert_eq!(again.1, "you can't convert a template to a template");
    let start = estate.run("POST", &format!("{vm}/status/start"), &[]).await;
    assert_eq!(start.exit, "you can't start a vm if it's a template");
    let with_storage = [("newid", "805"), ("storage", "ceph-vm")];
    let refused = estate.admin.refused("POST", &clone, &with_storage).await;
    assert_eq!(refused.1, "parameter 'storage' not allowed for linked clones");
    // Shared storage: the copy may go to another node.
    let form = [
        ("newid", "805"),
        ("name", "copy"),
        ("target", "pve2"),
        ("pool", "acme"),
    ];
    let cloned = estate.run("POST", &clone, &form).await;
    assert_eq!(
        cloned.log[..2],
        [
            "creating a clone of VM 804 with ID 805".to_owned(),
            "create linked clone of drive scsi0 (ceph-vm:base-804-disk-0)".to_owned(),
        ]
    );
    let copy = "/nodes/pve2/qemu/805";
    let config = estate.admin.get(&format!("{copy}/config")).await;
    assert_eq!(config["scsi0"], "ceph-vm:base-804-disk-0/vm-805-disk-0,size=8G");
    assert_eq!((&config["name"], config.get("lock")), (&json!("copy"), None));
    assert_ne!(config["net0"], option(&estate, &vm, "net0").await);
    let destroyed = estate.run("DELETE", &vm, &[]).await;
    assert_eq!(
        destroyed.exit,
        "base volume 'ceph-vm:base-804-disk-0' is still in use by linked cloned"
    );
    assert_eq!(estate.run("DELETE", copy, &[]).await.exit, "OK");
    assert_eq!(estate.run("DELETE", &vm, &[]).await.exit, "OK");
}

#[tokio::test]
async fn a_clone_is_refused_or_fails_as_recorded() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "806").await;
    let clone = format!("{vm}/clone");
    let here = estate.guests().await;
    let there = here.iter().find(|row| row["node"] != "pve1").unwrap()["vmid"].to_string();
    let failed = estate.run("POST", &clone, &[("newid", &there)]).await;
    assert_eq!(
        failed.exit,
        format!(
            "close (rename) atomic file '/etc/pve/nodes/pve1/qemu-server/{there}.conf' failed: File exists"
        )
    );
    for (form, reason) in [
        (
            [("newid", "806"), ("full", "1")],
            "unable to create VM 806: config file already exists",
        ),
        (
            [("newid", "807"), ("snapname", "nope")],
            "snapshot 'nope' does not exist",
        ),
        (
            [("newid", "807"), ("target", "pve9")],
            "no such cluster node 'pve9'",
        ),
        ([("newid", "807"), ("pool", "nope")], "pool 'nope' does not exist"),
        (
            [("newid", "807"), ("storage", "nope")],
            "storage 'nope' does not exist",
        ),
    ] {
        let answer = estate.admin.refused("POST", &clone, &form).await;
        assert_eq!(answer, (500, reason.to_owned()));
    }
    // A clone that is stopped on its way leaves nothing behind.
    let begun = estate.admin.call("POST", &clone, &[("newid", "807")]).await;
    let upid = begun.data().as_str().unwrap().to_owned();
    assert_eq!(option(&estate, "/nodes/pve1/qemu/807", "lock").await, "clone");
    estate
        .admin
        .call("DELETE", &format!("/nodes/pve1/tasks/{upid}"), &[])
        .await;
    let gone = estate
        .admin
        .refused("GET", "/nodes/pve1/qemu/807/config", &[])
        .await;
    assert_eq!(gone.0, 500);
    let local = estate.guest("lxc", "stopped", |_| true).await;
    let other = if node_of(&local) == "pve1" { "pve2" } else { "pve1" };
    let form = [("newid", "808"), ("target", other)];
    let refused = estate
        .admin
        .refused("POST", &format!("{local}/clone"), &form)
        .await;
    assert_eq!(
        refused.1,
        format!("can't clone CT to node '{other}' (CT uses local storage)")
    );
}

#[tokio::test]
async fn of_two_that_ask_for_one_id_one_gets_it() {
    let estate = Estate::new().await;
    let form = [("vmid", "810"), ("memory", "64")];
    let first = estate.admin.call("POST", "/nodes/pve1/qemu", &form).await;
    let second = estate.admin.refused("POST", "/nodes/pve2/qemu", &form).await;
    assert_eq!(
        second,
        (
            500,
            "unable to create VM 810 - VM 810 already exists on node 'pve1'".to_owned()
        )
    );
    assert_eq!(estate.wait(first.data().as_str().unwrap()).await.exit, "OK");
}

#[tokio::test]
async fn a_guest_ends_only_when_nothing_protects_it() {
    let estate = Estate::new().await;
    let running = estate.guest("qemu", "running", |_| true).await;
    let refused = estate.admin.refused("DELETE", &running, &[]).await;
    assert_eq!(
        refused.1,
        format!("VM {} is running - destroy failed", vmid_of(&running))
    );
    let running = estate.guest("lxc", "running", |_| true).await;
    let refused = estate.admin.refused("DELETE", &running, &[("purge", "1")]).await;
    assert_eq!(
        refused.1,
        format!(
            "unable to destroy CT {} - container is running",
            vmid_of(&running)
        )
    );
    let vm = fresh(&estate, "815").await;
    estate
        .admin
        .call("PUT", &format!("{vm}/config"), &[("protection", "1")])
        .await
        .data();
    let refused = estate.admin.refused("DELETE", &vm, &[]).await;
    assert_eq!(refused.1, "can't remove VM 815 - protection mode enabled");
    estate
        .admin
        .call("PUT", &format!("{vm}/config"), &[("protection", "0")])
        .await
        .data();
    estate
        .admin
        .call(
            "POST",
            "/cluster/ha/resources",
            &[("sid", "vm:815"), ("state", "stopped")],
        )
        .await
        .data();
    let refused = estate.admin.refused("DELETE", &vm, &[]).await;
    assert_eq!(
        refused.1,
        "unable to remove VM 815 - used in HA resources and purge parameter not set."
    );
    let purged = estate.run("DELETE", &vm, &[("purge", "1")]).await;
    assert_eq!(
        purged.log[..2],
        [
            "purging VM 815 from related configurations..".to_owned(),
            "NOTE: removed VM 815 from HA resource configuration.".to_owned(),
        ]
    );
    let left = estate.admin.get("/cluster/ha/resources").await;
    assert!(left.as_array().unwrap().iter().all(|row| row["sid"] != "vm:815"));
}

#[tokio::test]
async fn a_snapshot_needs_a_storage_that_can() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "816").await;
    let form = [("disk", "scsi0"), ("storage", "nfs-archive"), ("delete", "1")];
    assert_eq!(
        estate.run("POST", &format!("{vm}/move_disk"), &form).await.exit,
        "OK"
    );
    assert_eq!(
        option(&estate, &vm, "scsi0").await,
        "nfs-archive:816/vm-816-disk-0.raw,size=8G"
    );
    let feature = estate
        .admin
        .call("GET", &format!("{vm}/feature"), &[("feature", "snapshot")])
        .await;
    assert_eq!(feature.data()["hasFeature"], 0);
    let failed = estate
        .run("POST", &format!("{vm}/snapshot"), &[("snapname", "ab")])
        .await;
    assert_eq!(failed.exit, "snapshot feature is not available");
}
