//! Rules about nodes, storages and guests.

use super::*;

#[test]
fn an_absent_node_is_one_finding() {
    let found = with(|inventory| {
        inventory.nodes[0].status = NodeStatus::Offline;
        inventory.storages[0].status = StorageStatus::Unavailable;
        inventory.storages[0].used = Some(99);
        inventory.zones.push(SdnZone {
            name: "localnetwork".into(),
            kind: "zone".into(),
            node: Some("pve1".into()),
            status: "error".into(),
        });
    });
    one(&found, FindingKind::NodeOffline, Severity::Critical, "node pve1");
    assert!(found[0].text.contains("2 guests"), "{}", found[0].text);
    let found = with(|inventory| inventory.nodes[1].status = NodeStatus::Unknown);
    one(&found, FindingKind::NodeUnknown, Severity::Warning, "node pve2");
}

#[test]
fn a_single_peak_is_no_pressure() {
    let mut store = store();
    let mut at = NOW;
    let mut reading = |store: &mut Store, cpu| {
        at += 10;
        let mut busy = inventory(2);
        busy.nodes[0].cpu = cpu;
        store.apply(resources(at, busy));
        told(store.findings()).len()
    };
    for _ in 0..5 {
        assert_eq!(reading(&mut store, Some(0.97)), 0);
    }
    assert_eq!(reading(&mut store, Some(0.5)), 0);
    for _ in 0..5 {
        assert_eq!(reading(&mut store, Some(0.97)), 0);
    }
    assert_eq!(reading(&mut store, Some(0.97)), 1);
    assert_eq!(store.findings()[0].kind, FindingKind::CpuPressure);
    assert_eq!(reading(&mut store, None), 0);
}

#[test]
fn fullness_is_graded() {
    use FindingKind::{MemoryPressure, RootFull, StorageFull};
    for (kind, used, severity) in [
        (MemoryPressure, 89, None),
        (MemoryPressure, 90, Some(Severity::Warning)),
        (MemoryPressure, 95, Some(Severity::Critical)),
        (RootFull, 84, None),
        (RootFull, 85, Some(Severity::Warning)),
        (RootFull, 95, Some(Severity::Critical)),
        (StorageFull, 84, None),
        (StorageFull, 85, Some(Severity::Warning)),
        (StorageFull, 95, Some(Severity::Critical)),
    ] {
        let found = with(|inventory| match kind {
            MemoryPressure => inventory.nodes[0].mem = Some(used),
            RootFull => inventory.nodes[0].disk = Some(used),
            _ => inventory.storages[0].used = Some(used),
        });
        let told: Vec<_> = found.iter().map(|f| (f.kind, f.severity)).collect();
        assert_eq!(told, severity.map(|s| (kind, s)).into_iter().collect::<Vec<_>>());
    }
    none(&with(|inventory| inventory.storages[0].total = Some(0)));
}

#[test]
fn a_shared_storage_is_one_finding() {
    let shared = |inventory: &mut Inventory| {
        for node in ["pve2", "pve1"] {
            let mut storage = storage("nfs", node);
            storage.shared = true;
            storage.used = Some(90);
            inventory.storages.push(storage);
        }
    };
    one(
        &with(shared),
        FindingKind::StorageFull,
        Severity::Warning,
        "storage pve1/nfs",
    );
    let found = with(|inventory| {
        shared(inventory);
        inventory.storages[3].status = StorageStatus::Unavailable;
        inventory.storages[2].used = Some(1);
    });
    one(
        &found,
        FindingKind::StorageUnavailable,
        Severity::Warning,
        "storage pve1/nfs",
    );
    let found = with(|inventory| {
        shared(inventory);
        for storage in &mut inventory.storages[2..] {
            storage.status = StorageStatus::Unavailable;
        }
    });
    one(
        &found,
        FindingKind::StorageUnavailable,
        Severity::Critical,
        "storage pve1/nfs",
    );
    assert!(found[0].text.ends_with("pve1, pve2"), "{}", found[0].text);
    // Two local storages of one name are two.
    let found = with(|inventory| {
        for storage in &mut inventory.storages {
            storage.used = Some(90);
        }
    });
    assert_eq!(found.len(), 2);
}

#[test]
fn ha_states_that_need_somebody() {
    for (state, severity) in [
        ("started", None),
        ("migrate", None),
        ("recovery", Some(Severity::Warning)),
        ("fence", Some(Severity::Critical)),
        ("error", Some(Severity::Critical)),
    ] {
        let from_inventory = with(|inventory| inventory.guests[0].ha_state = Some(state.into()));
        let service = HaResource {
            sid: "vm:100".into(),
            vmid: Some(Vmid(100)),
            node: None,
            state: state.into(),
            request: None,
        };
        let ha = HaStatus {
            lines: vec![("lrm:pve1".into(), "pve1 (idle, now)".into())],
            services: vec![service],
        };
        let from_manager = after(Feed::HaStatus, Payload::HaStatus(ha));
        for found in [from_inventory, from_manager] {
            match severity {
                Some(severity) => one(&found, FindingKind::HaError, severity, "guest 100"),
                None => none(&found),
            }
        }
    }
    let silent = HaStatus {
        lines: vec![(
            "lrm:pve2".into(),
            "pve2 (old timestamp - dead?, Sat Nov 21)".into(),
        )],
        services: Vec::new(),
    };
    let found = after(Feed::HaStatus, Payload::HaStatus(silent));
    one(&found, FindingKind::HaError, Severity::Warning, "node pve2");
}

#[test]
fn replication_that_fails() {
    let job = ReplicationJob {
        id: "100-0".into(),
        guest: Vmid(100),
        source: None,
        target: "pve2".into(),
        schedule: None,
        last_sync: None,
        next_sync: None,
        fail_count: 3,
        error: Some("no route".into()),
        disabled: false,
    };
    let feed = || Feed::NodeReplication("pve1".into());
    let worse = ReplicationJob {
        id: "100-1".into(),
        fail_count: 7,
        ..job.clone()
    };
    let found = after(feed(), Payload::NodeReplication(vec![job.clone(), worse]));
    one(
        &found,
        FindingKind::ReplicationFailed,
        Severity::Warning,
        "guest 100",
    );
    assert!(
        found[0].text.contains("100-1") && found[0].text.contains("7 times"),
        "{}",
        found[0].text
    );
    let well = ReplicationJob {
        fail_count: 0,
        error: None,
        ..job.clone()
    };
    let off = ReplicationJob {
        disabled: true,
        ..job
    };
    none(&after(feed(), Payload::NodeReplication(vec![well, off])));
}

#[test]
fn a_lock_counts_from_its_task_or_from_when_it_was_seen() {
    let locked = || {
        let mut inventory = inventory(2);
        inventory.guests[0].lock = Some("backup".into());
        inventory
    };
    let mut store = healthy();
    store.apply(resources(NOW + 10, locked()));
    store.apply(resources(NOW + 10 + HOUR, locked()));
    none(store.findings());
    store.apply(resources(NOW + 20 + HOUR, locked()));
    one(
        store.findings(),
        FindingKind::GuestLocked,
        Severity::Warning,
        "guest 100",
    );
    store.apply(resources(NOW + 30 + HOUR, inventory(2)));
    none(store.findings());
    store.apply(resources(NOW + 40 + HOUR, locked()));
    none(store.findings());

    let running = task(NOW - 2 * HOUR, "vzdump", "100", TaskState::Running);
    store.apply(read(NOW + 45 + HOUR, Feed::Tasks, Payload::Tasks(vec![running])));
    store.apply(resources(NOW + 50 + HOUR, locked()));
    one(
        store.findings(),
        FindingKind::GuestLocked,
        Severity::Warning,
        "guest 100",
    );
}

fn certificate(file: &str, days: i64) -> Certificate {
    Certificate {
        file: file.into(),
        subject: "".into(),
        issuer: "".into(),
        fingerprint: "".into(),
        san: Vec::new(),
        not_before: None,
        not_after: Some(at(NOW + 10) + SignedDuration::from_hours(days * 24)),
    }
}

#[test]
fn certificates_near_their_end() {
    for (days, severity) in [
        (31, None),
        (29, Some(Severity::Warning)),
        (6, Some(Severity::Critical)),
        (-1, Some(Severity::Critical)),
    ] {
        let list = vec![
            certificate("pveproxy-ssl.pem", 400),
            certificate("pve-ssl.pem", days),
        ];
        let found = after(
            Feed::NodeCertificates("pve1".into()),
            Payload::NodeCertificates(list),
        );
        match severity {
            Some(severity) => one(&found, FindingKind::CertificateExpiring, severity, "node pve1"),
            None => none(&found),
        }
    }
    let mut store = healthy();
    for node in ["pve1", "pve2"] {
        let list = vec![certificate("pve-root-ca.pem", 3)];
        let feed = Feed::NodeCertificates(node.into());
        store.apply(read(NOW + 10, feed, Payload::NodeCertificates(list)));
    }
    one(
        store.findings(),
        FindingKind::CertificateExpiring,
        Severity::Critical,
        "cluster prod",
    );
}

fn service(name: &str, state: &str, active: &str, unit: &str) -> Service {
    Service {
        name: name.into(),
        description: "".into(),
        state: state.into(),
        active: Some(active.into()),
        unit: Some(unit.into()),
    }
}

#[test]
fn services_that_should_run() {
    let cases = [
        (service("pveproxy", "running", "active", "enabled"), None),
        (
            service("pveproxy", "dead", "inactive", "enabled"),
            Some(Severity::Critical),
        ),
        (
            service("pvestatd", "failed", "failed", "enabled"),
            Some(Severity::Critical),
        ),
        (
            service("postfix", "failed", "failed", "enabled"),
            Some(Severity::Warning),
        ),
        (service("postfix", "dead", "inactive", "enabled"), None),
        (service("postfix", "failed", "failed", "disabled"), None),
        (service("ksmtuned", "dead", "inactive", "not-found"), None),
        // A standalone host has no corosync to run.
        (service("corosync", "dead", "inactive", "enabled"), None),
        (service("lxcfs", "exited", "active", "static"), None),
    ];
    for (service, severity) in cases {
        let named = service.name.clone();
        let found = after(
            Feed::NodeServices("pve1".into()),
            Payload::NodeServices(vec![service]),
        );
        match severity {
            Some(severity) => one(&found, FindingKind::ServiceFailed, severity, "node pve1"),
            None => assert!(found.is_empty(), "{named}: {found:?}"),
        }
    }
    let mut store = healthy();
    store.apply(read(NOW + 10, Feed::ClusterStatus, quorum(Some(true))));
    let corosync = vec![service("corosync", "dead", "inactive", "enabled")];
    let feed = Feed::NodeServices("pve1".into());
    store.apply(read(NOW + 11, feed, Payload::NodeServices(corosync)));
    one(
        store.findings(),
        FindingKind::ServiceFailed,
        Severity::Critical,
        "node pve1",
    );
}

#[test]
fn disks_that_fail_or_wear_out() {
    for (health, life_left, severity) in [
        (Some("PASSED"), Some(99.0), None),
        (Some("UNKNOWN"), None, None),
        (None, Some(12.0), None),
        (Some("OK"), Some(4.0), Some(Severity::Warning)),
        (Some("FAILED!"), None, Some(Severity::Critical)),
    ] {
        let disk = Disk {
            device: "/dev/sda".into(),
            kind: None,
            model: None,
            serial: None,
            size: None,
            health: health.map(Into::into),
            life_left,
            used: None,
        };
        let found = after(Feed::NodeDisks("pve2".into()), Payload::NodeDisks(vec![disk]));
        match severity {
            Some(severity) => one(&found, FindingKind::DiskFailing, severity, "node pve2"),
            None => none(&found),
        }
    }
}

#[test]
fn zones_and_rows() {
    let zone = |name: &str, status: &str| SdnZone {
        name: name.into(),
        kind: "zone".into(),
        node: Some("pve1".into()),
        status: status.into(),
    };
    let found = with(|inventory| inventory.zones = vec![zone("a", "error"), zone("b", "error")]);
    one(
        &found,
        FindingKind::NetworkZoneError,
        Severity::Warning,
        "node pve1",
    );
    none(&with(|inventory| {
        inventory.zones = vec![zone("a", "ok"), zone("b", "available")];
    }));
    let found = with(|inventory| inventory.rejected = vec!["no vmid".into(), "no node".into()]);
    one(&found, FindingKind::RowRejected, Severity::Info, "cluster prod");
    assert!(found[0].text.contains("2 rows"), "{}", found[0].text);
}
