//! Changing the configuration of a guest.

use serde_json::{Value, json};

use crate::{
    guests::{fresh, option},
    support::caller::{Estate, path_of},
};

type Form<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn running_machines_keep_changes_pending() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "811").await;
    estate.run("POST", &format!("{vm}/status/start"), &[]).await;
    let config = format!("{vm}/config");
    let put = [
        ("cores", "4"),
        ("memory", "4096"),
        ("tags", "Web;prod"),
        ("description", "a note"),
    ];
    estate.admin.call("PUT", &config, &put).await.data();
    let pending = estate.admin.get(&format!("{vm}/pending")).await;
    let row = |key: &str| {
        let rows = pending.as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap().clone()
    };
    assert_eq!(
        row("memory"),
        json!({"key": "memory", "value": "2048", "pending": "4096"})
    );
    assert_eq!(row("cores"), json!({"key": "cores", "pending": 4}));
    assert_eq!(row("tags"), json!({"key": "tags", "value": "prod;web"}));
    estate
        .admin
        .call("PUT", &config, &[("revert", "memory")])
        .await
        .data();
    let current = estate.admin.call("GET", &config, &[("current", "1")]).await;
    assert_eq!(current.data()["memory"], "2048");
    // A disk can be plugged in at once, and pulled out into the unused ones.
    estate
        .admin
        .call("PUT", &config, &[("scsi1", "ceph-vm:4")])
        .await
        .data();
    assert_eq!(
        option(&estate, &vm, "scsi1").await,
        "ceph-vm:vm-811-disk-1,size=4G"
    );
    estate
        .admin
        .call("PUT", &config, &[("delete", "scsi1")])
        .await
        .data();
    assert_eq!(option(&estate, &vm, "unused0").await, "ceph-vm:vm-811-disk-1");
    estate.run("POST", &format!("{vm}/status/stop"), &[]).await;
    estate.run("POST", &format!("{vm}/status/start"), &[]).await;
    assert_eq!(option(&estate, &vm, "cores").await, 4);
    assert_eq!(option(&estate, &vm, "memory").await, "2048");
}

#[tokio::test]
async fn a_lock_stays_until_root_takes_it_away() {
    let estate = Estate::new().await;
    let rows = estate.guests().await;
    let row = rows.iter().find(|row| row["vmid"] == 111).unwrap();
    assert_eq!(row["lock"], "backup");
    let vm = path_of(row);
    let label = if row["type"] == "qemu" { "VM" } else { "CT" };
    let refused = estate
        .admin
        .refused("PUT", &format!("{vm}/config"), &[("description", "x")])
        .await;
    assert_eq!(refused, (500, format!("{label} is locked (backup)")));
    let snapshot = estate
        .run("POST", &format!("{vm}/snapshot"), &[("snapname", "ab")])
        .await;
    assert_eq!(snapshot.exit, format!("{label} is locked (backup)"));
    // A task that failed at the lock has not taken it away.
    assert_eq!(option(&estate, &vm, "lock").await, "backup");
}

#[tokio::test]
async fn only_root_sets_what_is_roots() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "812").await;
    let config = format!("{vm}/config");
    let refused = estate.admin.refused("PUT", &config, &[("delete", "lock")]).await;
    assert_eq!(refused, (500, "only root can set 'lock' config".to_owned()));
    let refused = estate
        .admin
        .call("PUT", &config, &[("description", "x"), ("skiplock", "1")])
        .await;
    assert_eq!(refused.error("skiplock"), "Only root may use this option.");
    let root = estate.root().await;
    root.call("PUT", &config, &[("lock", "backup")]).await.data();
    let refused = estate
        .admin
        .refused("POST", &format!("{vm}/clone"), &[("newid", "813")])
        .await;
    assert_eq!(refused.1, "VM is locked (backup)");
    root.call("PUT", &config, &[("delete", "lock"), ("skiplock", "1")])
        .await
        .data();
    assert_eq!(option(&estate, &vm, "lock").await, Value::Null);
}

#[tokio::test]
async fn contradictions_are_named_as_recorded() {
    let estate = Estate::new().await;
    let vm = fresh(&estate, "814").await;
    let config = format!("{vm}/config");
    let cases: &[(Form<'_>, &str, &str)] = &[
        (&[("delete", "nosuch")], "delete", "unknown option 'nosuch'"),
        (
            &[("delete", "description"), ("description", "x")],
            "delete",
            "you can't use '-description' and -delete description' at the same time",
        ),
        (
            &[("ide2", "nfs-iso:iso/virtio-win-0.1.271.iso")],
            "ide2",
            "explicit 'media=cdrom' is required for iso images",
        ),
    ];
    for (form, name, text) in cases {
        let answer = estate.admin.call("PUT", &config, form).await;
        assert_eq!((answer.status, answer.error(name)), (400, *text));
    }
    let cases: &[(Form<'_>, &str)] = &[
        (&[], "no options specified"),
        (&[("scsi1", "nostore:1")], "storage 'nostore' does not exist"),
        (
            &[("ide2", "nfs-iso:iso/none.iso,media=cdrom")],
            "volume 'nfs-iso:iso/none.iso' does not exist",
        ),
        (
            &[("balloon", "9999")],
            "balloon value too large (must be smaller than assigned memory)",
        ),
        (
            &[("boot", "order=scsi9")],
            "invalid bootorder: device 'scsi9' does not exist'",
        ),
        (
            &[("digest", "x"), ("description", "d")],
            "checksum mismatch (file change by other user?)",
        ),
        (&[("sshkeys", "nonsense")], "SSH public key validation error"),
    ];
    for (form, reason) in cases {
        let answer = estate.admin.refused("PUT", &config, form).await;
        assert_eq!(answer, (500, (*reason).to_owned()));
    }
}
