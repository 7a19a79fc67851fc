//! What the server itself says before a plan is made: where a guest may go, and whether any job backs it up.

use super::{arguments, configure, estate, nodes, plan as plan_of, read, target};
use crate::{
    domain::{
        NodeRef, ObjectRef, Vmid,
        migration::{LocalDisk, Migration, Obstacle},
    },
    plan::{Deed, Plan, Refusal, needs},
    store::{Feed, Payload, Store},
};

fn says(store: &mut Store, vmid: u32, said: Migration) {
    read(
        store,
        Feed::GuestMigration(Vmid(vmid)),
        Payload::GuestMigration(said),
    );
}

fn refusing(why: Vec<Obstacle>) -> Migration {
    Migration {
        refused: vec![("pve2".into(), why)],
        ..Migration::default()
    }
}

fn migrate(store: &Store) -> Result<Plan, Refusal> {
    plan_of(
        Deed::GuestMigrate,
        &[target(100)],
        &arguments(&[("target", "pve2")]),
        store,
    )
}

fn risks(plan: &Plan) -> String {
    let texts: Vec<&str> = plan.risks.iter().map(|risk| risk.text.as_str()).collect();
    texts.join("\n")
}

fn pve1() -> ObjectRef {
    ObjectRef::Node(NodeRef {
        cluster: super::cluster(),
        node: "pve1".into(),
    })
}

#[test]
fn a_move_that_the_server_rules_out_is_refused_before_the_first_call() {
    let mut store = estate(|_| {});
    assert!(migrate(&store).is_ok());
    for (obstacle, words) in [
        (
            Obstacle::Storage("ssd".into()),
            "storage ssd is not available there",
        ),
        (
            Obstacle::Apart("vm:101".into()),
            "vm:101 is there, and HA keeps them apart",
        ),
    ] {
        says(&mut store, 100, refusing(vec![obstacle]));
        let Err(Refusal::NotPossible(why)) = migrate(&store) else {
            panic!("not refused")
        };
        assert_eq!(why, format!("100 web-100 cannot go to pve2: {words}"));
    }
    let devices = Migration {
        local_resources: vec!["hostpci0".into()],
        ..Migration::default()
    };
    says(&mut store, 100, devices);
    let refused = migrate(&store).unwrap_err().to_string();
    assert_eq!(refused, "100 web-100 uses devices of pve1: hostpci0");
}

#[test]
fn what_goes_along_unseen_is_a_risk() {
    let mut store = estate(|_| {});
    configure(&mut store, 100, &[("scsi0", "local:vm-100-disk-0,size=1G")]);
    let disk = |volid: &str, cdrom| LocalDisk {
        volid: volid.into(),
        size: Some(2 << 30),
        cdrom,
        unused: false,
    };
    let said = Migration {
        allowed: Some(vec!["pve2".into()]),
        local_disks: vec![
            disk("local:vm-100-disk-0", false),
            disk("local:vm-100-state-before", false),
            disk("local:iso/x.iso", true),
        ],
        together: vec!["vm:101".into()],
        ..Migration::default()
    };
    says(&mut store, 100, said);
    let risks = risks(&migrate(&store).unwrap());
    let unseen = "does not name, and they go along: local:vm-100-state-before (2.0 GiB)";
    assert!(risks.contains(unseen), "{risks}");
    assert!(
        risks.contains("HA moves along with 100 web-100: vm:101"),
        "{risks}"
    );
}

#[test]
fn an_evacuation_goes_only_where_the_server_lets_it() {
    let mut store = nodes::estate(|_| {});
    says(&mut store, 100, refusing(vec![Obstacle::Storage("ssd".into())]));
    says(
        &mut store,
        101,
        Migration {
            allowed: Some(Vec::new()),
            ..Migration::default()
        },
    );
    let plan = nodes::evacuated(&store);
    let lines = nodes::lines(&plan);
    assert!(
        lines.contains(&"pve1/qemu/100/migrate target=pve3 online=1".to_owned()),
        "{lines:?}"
    );
    let (_, left) = nodes::risk(&plan, "left out: 101");
    assert!(
        left.contains("may go nowhere (pve2: the server does not list"),
        "{left}"
    );
}

#[test]
fn the_server_is_asked_about_few_and_not_about_many() {
    let store = estate(|_| {});
    let asked = |deed, targets: &[ObjectRef]| {
        let feeds = needs(deed, targets, &store);
        let migrations = feeds
            .iter()
            .filter(|key| matches!(key.feed, Feed::GuestMigration(_)));
        migrations.count()
    };
    assert_eq!(asked(Deed::GuestMigrate, &[target(100), target(102)]), 2);
    assert_eq!(asked(Deed::NodeEvacuate, &[pve1()]), 5);
    let many: Vec<ObjectRef> = vec![target(100); 21];
    assert_eq!(asked(Deed::GuestMigrate, &many), 0);
}

#[test]
fn a_guest_in_no_backup_job_is_named_where_something_may_be_lost() {
    let mut store = estate(|_| {});
    configure(&mut store, 101, &[("scsi0", "local:vm-101-disk-0,size=1G")]);
    super::snapshots(&mut store, 101, &["before"]);
    let deeds: [(Deed, &[(&str, &str)]); 5] = [
        (Deed::GuestDelete, &[]),
        (Deed::SnapshotRollback, &[("snapshot", "before")]),
        (Deed::DiskResize, &[("disk", "scsi0"), ("size", "+1G")]),
        (Deed::DiskMove, &[("disk", "scsi0"), ("storage", "ceph")]),
        (Deed::GuestStart, &[]),
    ];
    let said = |store: &Store, deed, given: &[(&str, &str)]| {
        let plan = plan_of(deed, &[target(101)], &arguments(given), store).unwrap();
        risks(&plan).contains("101 web-101 is in no backup job")
    };
    for (deed, given) in deeds {
        assert!(!said(&store, deed, given), "nobody knows: {deed:?}");
        let wanted = needs(deed, &[target(101)], &store).contains(&Feed::NotBackedUp.of(&super::cluster()));
        assert_eq!(wanted, deed != Deed::GuestStart, "{deed:?}");
    }
    read(
        &mut store,
        Feed::NotBackedUp,
        Payload::NotBackedUp(vec![Vmid(101)]),
    );
    for (deed, given) in deeds {
        assert_eq!(said(&store, deed, given), deed != Deed::GuestStart, "{deed:?}");
    }
}
