//! What all targets of a plan mean together, and what else there is of a guest: quotas, memory, backups, clones.

use jiff::{SignedDuration, Timestamp};

use super::{arguments, cluster, configure, estate, plan as plan_of, read, snapshots, target};
use crate::{
    domain::{
        Inventory, NodeName, ReplicationJob, Storage, Vmid,
        quota::{Quota, Resource, Scope},
        storage::{StorageStatus, Volume},
    },
    plan::{Arguments, Deed, Plan, Refusal, Rules, Scene, Weight, make, needs},
    store::{Feed, Payload, Store},
};

const GIB: u64 = 1 << 30;

/// The estate with numbers: each guest has 2 cores, 4 GiB of memory and 32 GiB of disk, each node 16 GiB of memory of
/// which 8 are in use.
fn sized() -> Store {
    let mut store = estate(|guest| {
        guest.cpus = Some(2.0);
        guest.max_mem = Some(4 * GIB);
        guest.max_disk = Some(32 * GIB);
        guest.tags = vec!["lab".into()];
    });
    let nodes = store
        .nodes()
        .map(|(_, node)| {
            let mut node = node.clone();
            (node.mem, node.max_mem) = (Some(8 * GIB), Some(16 * GIB));
            node
        })
        .collect();
    let mut storages: Vec<Storage> = store.storages().map(|(_, storage)| storage.clone()).collect();
    let mut there = storages[2].clone();
    there.node = "pve2".into();
    storages.push(there);
    storages.push(Storage {
        name: "pbs".into(),
        node: "pve1".into(),
        status: StorageStatus::Available,
        plugin: "pbs".into(),
        content: vec!["backup".into()],
        shared: true,
        used: None,
        total: None,
    });
    let inventory = Inventory {
        nodes,
        guests: store.guests().map(|(_, guest)| guest.clone()).collect(),
        storages,
        pools: store.pools().map(|(_, pool)| pool.clone()).collect(),
        ..Inventory::default()
    };
    read(&mut store, Feed::Resources, Payload::Resources(inventory));
    store
}

fn quota(scope: Scope, resource: Resource, limit: u64) -> Rules {
    Rules {
        quotas: vec![Quota {
            name: "acme".to_owned(),
            cluster: None,
            scope,
            limits: vec![(resource, limit)],
        }],
        ..Rules::default()
    }
}

fn by(
    rules: &Rules,
    deed: Deed,
    vmids: &[u32],
    given: &[(&str, &str)],
    store: &Store,
) -> Result<Plan, Refusal> {
    let targets: Vec<_> = vmids.iter().map(|vmid| target(*vmid)).collect();
    let scene = Scene {
        store,
        rules,
        now: Timestamp::from_second(1_000_000).unwrap(),
        past: &[],
    };
    make(deed, &targets, &arguments(given), scene)
}

#[test]
fn a_plan_that_would_pass_a_quota_is_refused() {
    let pool = || Scope::Pool("acme".to_owned());
    let tag = || Scope::Tag("lab".to_owned());
    let clone = &[("pool", "acme"), ("count", "2")][..];
    for (rules, deed, vmids, given, refusal) in [
        // Six guests are in the pool.
        (
            quota(pool(), Resource::Guests, 8),
            Deed::GuestClone,
            &[100][..],
            clone,
            None,
        ),
        (
            quota(pool(), Resource::Guests, 7),
            Deed::GuestClone,
            &[100],
            clone,
            Some("quota acme: guests would be 8 of 7, and 6 are in use"),
        ),
        // A clone outside of the pool is no business of its quota.
        (
            quota(pool(), Resource::Guests, 6),
            Deed::GuestClone,
            &[100],
            &[],
            None,
        ),
        // The tags are cloned too.
        (
            quota(tag(), Resource::Guests, 6),
            Deed::GuestClone,
            &[100],
            &[],
            Some("quota acme: guests would be 7 of 6, and 6 are in use"),
        ),
        // What one guest may, two together may not.
        (
            quota(pool(), Resource::Cores, 14),
            Deed::GuestResources,
            &[100],
            &[("cores", "4")],
            None,
        ),
        (
            quota(pool(), Resource::Cores, 14),
            Deed::GuestResources,
            &[100, 101],
            &[("cores", "4")],
            Some("quota acme: cores would be 16 of 14, and 12 are in use"),
        ),
        (
            quota(pool(), Resource::Memory, 24 * GIB),
            Deed::GuestResources,
            &[101],
            &[("memory", "8192")],
            Some("quota acme: memory would be 28 GiB of 24 GiB, and 24 GiB are in use"),
        ),
        // What makes it less is never refused, although the quota is passed already.
        (
            quota(pool(), Resource::Memory, GIB),
            Deed::GuestResources,
            &[101],
            &[("memory", "2048")],
            None,
        ),
        (
            quota(pool(), Resource::Disk, 192 * GIB),
            Deed::DiskResize,
            &[101],
            &[("disk", "scsi0"), ("size", "+1G")],
            Some("quota acme: disk would be 193 GiB of 192 GiB, and 192 GiB are in use"),
        ),
        (
            quota(Scope::Tag("new".to_owned()), Resource::Guests, 0),
            Deed::GuestTags,
            &[101],
            &[("add", "new")],
            Some("quota acme: guests would be 1 of 0, and 0 are in use"),
        ),
        (
            quota(tag(), Resource::Guests, 1),
            Deed::GuestTags,
            &[101],
            &[("add", "new")],
            None,
        ),
    ] {
        let made = by(&rules, deed, vmids, given, &sized());
        assert_eq!(
            made.err().map(|refusal| refusal.to_string()).as_deref(),
            refusal,
            "{deed:?} {vmids:?} {given:?} {rules:?}"
        );
    }
}

#[test]
fn all_disks_count_where_they_are_known() {
    let mut store = sized();
    let disks = [
        ("scsi0", "local:a,size=32G"),
        ("scsi1", "local:b,size=100G"),
        ("ide2", "local:iso/x.iso,media=cdrom,size=600M"),
    ];
    configure(&mut store, 101, &disks);
    let refused = |limit, deed, given: &[(&str, &str)]| {
        let rules = quota(Scope::Pool("acme".to_owned()), Resource::Disk, limit * GIB);
        by(&rules, deed, &[101], given, &store)
            .err()
            .map(|refusal| refusal.to_string())
    };
    let grow = &[("disk", "scsi1"), ("size", "+1G")];
    assert_eq!(
        refused(292, Deed::DiskResize, grow).as_deref(),
        Some("quota acme: disk would be 293 GiB of 292 GiB, and 292 GiB are in use")
    );
    assert_eq!(refused(293, Deed::DiskResize, grow), None);
    // A clone has all of its disks too.
    let clone = &[("pool", "acme")];
    assert!(refused(423, Deed::GuestClone, clone).is_some());
    assert_eq!(refused(424, Deed::GuestClone, clone), None);
}

fn texts(plan: &Plan) -> String {
    let all: Vec<&str> = plan.risks.iter().map(|risk| risk.text.as_str()).collect();
    all.join("; ")
}

#[test]
fn memory_is_counted_for_all_targets_together() {
    let store = sized();
    let rules = Rules::default();
    // 8 of 16 GiB are in use, and each guest takes 4.
    let one = by(&rules, Deed::GuestStart, &[101], &[], &store).unwrap();
    assert!(!texts(&one).contains("would reach"), "{one:?}");
    let both = by(&rules, Deed::GuestStart, &[101, 103], &[], &store).unwrap();
    assert!(texts(&both).contains("pve1 would reach 100% memory"), "{both:?}");
    let moved = by(
        &rules,
        Deed::GuestMigrate,
        &[100, 102],
        &[("target", "pve2")],
        &store,
    )
    .unwrap();
    assert!(
        texts(&moved).contains("pve2 would reach 100% memory"),
        "{moved:?}"
    );
    let stopped = by(
        &rules,
        Deed::GuestMigrate,
        &[101, 103],
        &[("target", "pve2")],
        &store,
    )
    .unwrap();
    assert!(
        !texts(&stopped).contains("would reach"),
        "what is stopped takes none"
    );
    let grown = by(
        &rules,
        Deed::GuestResources,
        &[100],
        &[("memory", "16384")],
        &store,
    )
    .unwrap();
    let danger = grown
        .risks
        .iter()
        .find(|risk| risk.text.contains("would reach 125% memory"));
    assert_eq!(danger.unwrap().weight, Weight::Danger);
}

#[test]
fn it_is_said_when_the_others_could_not_carry_everything() {
    let rules = Rules::default();
    // Two nodes are online with 16 GiB each and 16 in use: any more is too much for one of them.
    let started = by(&rules, Deed::GuestStart, &[101], &[], &sized()).unwrap();
    assert!(
        texts(&started).contains("failed, the others could not carry everything: 20 GiB"),
        "{started:?}"
    );
    let moved = by(
        &rules,
        Deed::GuestMigrate,
        &[100],
        &[("target", "pve2")],
        &sized(),
    )
    .unwrap();
    assert!(
        !texts(&moved).contains("could not carry"),
        "moving makes nothing worse"
    );
}

fn volume(volid: &str, content: &str, vmid: u32, time: i64) -> Volume {
    Volume {
        volid: volid.into(),
        content: content.into(),
        format: "raw".into(),
        size: None,
        used: None,
        vmid: Some(Vmid(vmid)),
        time: Timestamp::from_second(time).ok(),
        notes: None,
        protected: false,
        verified: None,
        encrypted: false,
    }
}

fn content(store: &mut Store, storage: &str, volumes: Vec<Volume>) {
    let feed = Feed::StorageContent(NodeName::from("pve1"), storage.into());
    read(store, feed, Payload::StorageContent(volumes.clone()));
    let feed = Feed::Backups(NodeName::from("pve1"), storage.into());
    read(store, feed, Payload::Backups(volumes));
}

#[test]
fn the_last_backup_is_told_before_something_is_lost() {
    let rules = Rules {
        backup_age: SignedDuration::from_hours(2),
        ..Rules::default()
    };
    let said = |volumes: Option<Vec<Volume>>, deed, vmid, given: &[(&str, &str)]| {
        let mut store = sized();
        if let Some(volumes) = volumes {
            content(&mut store, "pbs", volumes);
        }
        let plan = by(&rules, deed, &[vmid], given, &store).unwrap();
        let risk = plan
            .risks
            .into_iter()
            .find(|risk| risk.text.contains("backup"))
            .unwrap();
        (risk.weight, risk.text)
    };
    let backup = |time| Some(vec![volume("pbs:backup/vm/101/x", "backup", 101, time)]);
    let none: &[(&str, &str)] = &[];
    assert_eq!(
        said(backup(1_000_000 - 3600), Deed::GuestDelete, 101, none),
        (
            Weight::Note,
            "the last backup of 101 web-101 is 1h 00m old".to_owned()
        )
    );
    assert_eq!(
        said(backup(1_000_000 - 10_800), Deed::GuestDelete, 101, none),
        (
            Weight::Warning,
            "the last backup of 101 web-101 is 3h 00m old".to_owned()
        )
    );
    assert_eq!(
        said(backup(1_000_000), Deed::GuestDelete, 104, none),
        (
            Weight::Danger,
            "there is no backup of 104 web-104: this is its last copy".to_owned()
        )
    );
    let back = &[("snapshot", "before")];
    assert_eq!(
        said(Some(Vec::new()), Deed::SnapshotRollback, 101, back),
        (Weight::Danger, "there is no backup of 101 web-101".to_owned())
    );
    assert_eq!(
        said(None, Deed::GuestDelete, 101, none),
        (
            Weight::Warning,
            "whether there is a backup of 101 web-101 is not known: pbs could not be read".to_owned()
        )
    );
}

#[test]
fn what_others_live_on_is_not_deleted() {
    let rules = Rules::default();
    let mut store = sized();
    configure(&mut store, 104, &[("scsi0", "ceph:base-104-disk-0,size=8G")]);
    let wanted = needs(Deed::GuestDelete, &[target(104)], &store);
    let feed = Feed::StorageContent(NodeName::from("pve1"), "ceph".into()).of(&cluster());
    assert!(wanted.contains(&feed), "{wanted:?}");
    content(
        &mut store,
        "ceph",
        vec![
            volume("ceph:base-104-disk-0", "images", 104, 0),
            volume("ceph:base-104-disk-0/vm-117-disk-0", "images", 117, 0),
        ],
    );
    let refusal = by(&rules, Deed::GuestDelete, &[104], &[], &store).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "104 web-104 has linked clones that live on its disks: 117"
    );
    let job = ReplicationJob {
        id: "101-0".into(),
        guest: Vmid(101),
        source: None,
        target: "pve2".into(),
        schedule: None,
        last_sync: None,
        next_sync: None,
        fail_count: 0,
        error: None,
        disabled: false,
    };
    let feed = Feed::NodeReplication(NodeName::from("pve1"));
    read(&mut store, feed, Payload::NodeReplication(vec![job]));
    let refusal = by(&rules, Deed::GuestDelete, &[101], &[], &store).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "101 web-101 is replicated to pve2; purge removes that too"
    );
    assert!(by(&rules, Deed::GuestDelete, &[101], &[("purge", "1")], &store).is_ok());
}

#[test]
fn on_zfs_only_the_newest_snapshot_can_be_gone_back_to() {
    let mut store = sized();
    configure(&mut store, 101, &[("scsi0", "local-zfs:vm-101-disk-0,size=8G")]);
    snapshots(&mut store, 101, &["old", "new"]);
    let back = |name: &str| {
        by(
            &Rules::default(),
            Deed::SnapshotRollback,
            &[101],
            &[("snapshot", name)],
            &store,
        )
    };
    assert!(back("new").is_ok());
    let refusal = back("old").unwrap_err().to_string();
    assert!(
        refusal.contains("has newer snapshots, and `scsi0` is on ZFS"),
        "{refusal}"
    );
}

#[test]
fn a_migration_tells_what_is_copied_and_what_ties_the_guest_down() {
    let rules = Rules::default();
    let mut store = sized();
    let config = [
        ("hostpci0", "0000:01:00.0"),
        ("ide2", "local:iso/debian.iso,media=cdrom"),
        ("scsi0", "local:100/vm-100-disk-0.qcow2,size=60G"),
        ("scsi1", "ceph:vm-100-disk-1,size=8G"),
    ];
    configure(&mut store, 100, &config);
    let plan = by(&rules, Deed::GuestMigrate, &[100], &[("target", "pve2")], &store).unwrap();
    let said = texts(&plan);
    for part in [
        "disks on local storage that are copied: scsi0 (60G): 60 GiB, about 11 min at 1 Gbit/s",
        "only with the argument with-local-disks",
        "pve2 has no storage local, where `scsi0` of 100 web-100 is",
        "uses devices of pve1: hostpci0",
        "`ide2` of 100 web-100 holds local:iso/debian.iso, which only pve1 has: eject it first",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("scsi1"), "what is shared is not copied: {said}");
}

#[test]
fn what_is_read_for_many_stays_bounded() {
    let store = sized();
    let targets: Vec<_> = (0..1000).map(|_| target(101)).collect();
    let feeds = needs(Deed::GuestDelete, &targets, &store);
    assert!(feeds.len() < 10, "{feeds:?}");
    let plan = plan_of(Deed::GuestStart, &[target(101)], &Arguments::new(), &store).unwrap();
    assert_eq!(plan.steps.len(), 1);
}
