//! Evacuating a node, and bringing its guests back.

use super::{
    nodes::{
        GIB, affinity, bound, config, estate, evacuated, lines, managed, on, planned, risk, rules, vmids,
        with_past,
    },
    read,
};
use crate::{
    domain::{HaRules, ReplicationJob, Vmid},
    plan::{
        Deed, Plan, Refusal, Weight,
        journal::{End, Fact, Journal, Run, Worker},
        past::{Account, Evacuation, evacuations},
    },
    store::{Feed, Payload, Store},
};

#[test]
fn every_guest_goes_where_memory_is_free_the_running_first_and_the_biggest_of_them() {
    let plan = evacuated(&estate(|_| {}));
    assert_eq!(plan.title, "Evacuate pve1");
    assert_eq!(
        lines(&plan),
        [
            "pve1/qemu/100/migrate target=pve2 online=1",
            "pve1/qemu/101/migrate target=pve3 online=1",
            "pve1/lxc/102/migrate target=pve3 restart=1",
            "pve1/qemu/103/migrate target=pve3",
        ]
    );
    assert_eq!(plan.steps[0].subject, super::target(100));
    let back = plan.way_back.clone().unwrap();
    assert_eq!(
        (&*back.deed, &back.targets[..]),
        ("node.restore", &on("pve1")[..])
    );
    let (weight, text) = risk(&plan, "running containers");
    assert!(
        weight == Weight::Warning && text.ends_with(": 102 web-102"),
        "{text}"
    );
}

#[test]
fn the_startup_order_goes_before_size_and_stopped_guests_may_stay() {
    let mut store = estate(|_| {});
    config(
        &mut store,
        102,
        &[("startup", "order=1,up=30"), ("rootfs", "ceph:disk,size=8G")],
    );
    config(&mut store, 101, &[("startup", "2")]);
    let plan = planned(Deed::NodeEvacuate, "pve1", &[("stopped", "skip")], &store).unwrap();
    let vmids: Vec<&str> = plan.steps.iter().map(|step| &*step.call.segments[3]).collect();
    assert_eq!(vmids, ["102", "101", "100"]);
    assert!(risk(&plan, "left out: 103").1.contains("are to stay"));
}

#[test]
fn what_cannot_move_is_left_out_with_its_reason() {
    for (entry, reason) in [
        (
            ("hostpci0", "0000:01:00"),
            "holds hardware of this node (hostpci0",
        ),
        (("usb0", "host=1-2"), "holds hardware of this node (usb0"),
        (
            ("scsi0", "fast:disk,size=32G"),
            "has disks on local storage (scsi0 on fast, 32G); `with-local-disks`",
        ),
        (("ide2", "local:iso/debian.iso,media=cdrom"), "eject it"),
        (("ide2", "cdrom,media=cdrom"), "uses the CD drive of this node"),
        (("mp0", "/srv/data,mp=/data"), "uses /srv/data of this node"),
    ] {
        let mut store = estate(|_| {});
        config(&mut store, 100, &[entry]);
        let plan = evacuated(&store);
        assert_eq!(plan.steps.len(), 3, "{entry:?}");
        let (weight, text) = risk(&plan, "left out: 100 web-100");
        assert!(weight == Weight::Warning && text.contains(reason), "{text}");
    }
    for entry in [
        ("ide2", "none,media=cdrom"),
        ("ide2", "local:vm-100-cloudinit,media=cdrom"),
        ("usb0", "spice"),
        ("serial0", "socket"),
        ("mp0", "/srv/data,mp=/data,shared=1"),
    ] {
        let mut store = estate(|_| {});
        config(&mut store, 100, &[entry]);
        assert_eq!(evacuated(&store).steps.len(), 4, "{entry:?}");
    }
    let locked = evacuated(&estate(|guest| {
        guest.lock = (guest.vmid.0 == 101).then(|| "backup".into());
    }));
    assert!(risk(&locked, "left out: 101").1.contains("is locked (backup)"));
}

#[test]
fn local_disks_are_copied_where_that_is_wanted_and_the_storage_is_there() {
    let mut store = estate(|_| {});
    config(&mut store, 100, &[("scsi0", "local:disk,size=32G")]);
    config(&mut store, 101, &[("scsi0", "fast:disk,size=8G")]);
    let plan = planned(Deed::NodeEvacuate, "pve1", &[("with-local-disks", "1")], &store).unwrap();
    assert_eq!(
        lines(&plan)[0],
        "pve1/qemu/100/migrate target=pve2 online=1 with-local-disks=1"
    );
    assert!(risk(&plan, "that are copied").1.contains("scsi0 on local, 32G"));
    assert!(
        risk(&plan, "left out: 101")
            .1
            .contains("needs storage fast, which no other online node has")
    );
}

#[test]
fn replicated_machines_go_to_their_replica() {
    let mut store = estate(|_| {});
    let job = ReplicationJob {
        id: "100-0".into(),
        guest: Vmid(100),
        source: None,
        target: "pve3".into(),
        schedule: None,
        last_sync: None,
        next_sync: None,
        fail_count: 0,
        error: None,
        disabled: false,
    };
    read(
        &mut store,
        Feed::NodeReplication("pve1".into()),
        Payload::NodeReplication(vec![job]),
    );
    assert!(lines(&evacuated(&store))[0].contains("100/migrate target=pve3"));
}

#[test]
fn node_affinities_of_ha_hold() {
    let targets = |ha: HaRules| {
        let mut store = estate(managed);
        rules(&mut store, ha);
        evacuated(&store)
    };
    // It may be on pve1 and pve3 only.
    let plan = targets(affinity(vmids([100]), &[("pve1", 0), ("pve3", 0)], true));
    assert!(lines(&plan)[0].contains("target=pve3"), "{plan:#?}");
    // It may be on pve1 only.
    let plan = targets(affinity(vmids([100]), &[("pve1", 0)], true));
    assert!(
        risk(&plan, "left out: 100")
            .1
            .contains("no other online node (HA rule r1, strict)")
    );
    // It prefers pve1: HA would bring it back while pve1 is online.
    let plan = targets(affinity(vmids([100]), &[("pve1", 2), ("pve2", 1)], false));
    assert!(
        risk(&plan, "left out: 100")
            .1
            .contains("would be brought back by HA at once")
    );
    // With failback off it stays away, on the node that it prefers next.
    let mut stays = affinity(vmids([100]), &[("pve1", 2), ("pve3", 1)], false);
    stays.stays.insert(Vmid(100));
    assert!(lines(&targets(stays))[0].contains("100/migrate target=pve3"));
    // What HA does not manage has no rules.
    let mut store = estate(|_| {});
    rules(&mut store, affinity(vmids([100]), &[("pve1", 0)], true));
    assert_eq!(evacuated(&store).steps.len(), 4);
}

#[test]
fn ha_moves_friends_together_and_keeps_enemies_apart() {
    let with = |ha: HaRules| {
        let mut store = estate(managed);
        rules(&mut store, ha);
        evacuated(&store)
    };
    let plan = with(bound(vmids([100, 101]), true));
    assert_eq!(plan.steps.len(), 3, "HA takes 101 along: {plan:#?}");
    assert_eq!(plan.steps[0].title, "100 web-100 to pve2, with it 101 web-101");
    let plan = with(bound(vmids([100, 101, 102]), false));
    let two: Vec<String> = lines(&plan).into_iter().take(2).collect();
    assert!(
        two[0].contains("target=pve2") && two[1].contains("target=pve3"),
        "{two:?}"
    );
    assert!(risk(&plan, "left out: 102").1.contains("may go to no other node"));
    // 110 stands on pve3 and stays there: enemies keep away, friends join it.
    let apart = with(bound(vmids([101, 110]), false));
    assert!(lines(&apart)[1].contains("101/migrate target=pve2"), "{apart:#?}");
    let together = with(bound(vmids([100, 110]), true));
    assert!(
        lines(&together)[0].contains("100/migrate target=pve3"),
        "{together:#?}"
    );
    assert!(
        risk(&plan, "maintenance mode")
            .1
            .contains("node-maintenance enable pve1")
    );
    // Where one of them is stuck, HA could move none.
    let mut store = estate(managed);
    rules(&mut store, bound(vmids([100, 101]), true));
    config(&mut store, 101, &[("hostpci0", "0000:01:00")]);
    let plan = evacuated(&store);
    assert!(
        risk(&plan, "left out: 100")
            .1
            .contains("stays with 101 web-101 (HA rule r2)")
    );
}

#[test]
fn full_nodes_and_the_loss_of_one_more_are_told() {
    let plan = evacuated(&estate(|guest| {
        guest.max_mem = Some(if guest.vmid.0 == 100 { 27 * GIB } else { GIB });
    }));
    let (weight, text) = risk(&plan, "pve2 would need up to 31 GiB of 32 GiB memory (97%)");
    assert_eq!(weight, Weight::Warning, "{text}");
    assert!(risk(&plan, "should pve2 fail meanwhile").1.contains("lack"));
    let plan = evacuated(&estate(|guest| {
        guest.max_mem = Some(if guest.vmid.0 == 100 { 40 * GIB } else { GIB });
    }));
    assert_eq!(risk(&plan, "pve2 would need").0, Weight::Danger);
}

#[test]
fn where_nothing_can_be_moved_there_is_no_plan() {
    let empty = planned(Deed::NodeEvacuate, "pve2", &[], &estate(|_| {})).unwrap_err();
    assert_eq!(empty.to_string(), "pve2 has no guests");
    let locked = estate(|guest| guest.lock = Some("backup".into()));
    let refusal = planned(Deed::NodeEvacuate, "pve1", &[], &locked)
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("100 web-100 is locked (backup); 101"),
        "{refusal}"
    );
    for deed in [Deed::NodeEvacuate, Deed::NodeReboot, Deed::NodeRestore] {
        let gone = planned(deed, "pve9", &[], &locked).unwrap_err();
        assert!(matches!(gone, Refusal::NotFound(_)), "{gone}");
    }
}

/// A journal with this plan, whose steps ended so; `None` was not begun.
struct Told {
    _folder: tempfile::TempDir,
    journal: Journal,
}

impl Told {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        Self {
            _folder: folder,
            journal,
        }
    }

    fn run(&self, plan: &Plan, hour: i64, ends: &[Option<bool>]) {
        let by = Worker {
            user: "alice".into(),
            host: "desk".into(),
            process: "1".into(),
        };
        let at = jiff::Timestamp::from_second(hour * 3600).unwrap();
        let run = self.journal.begin(plan, &by, at).unwrap().id;
        for (step, end) in ends.iter().enumerate() {
            let Some(done) = end else { continue };
            let end = if *done {
                End::Done { exit: "OK".into() }
            } else {
                End::Failed { why: "no".into() }
            };
            self.journal
                .write(run, Some(step), at, &Fact::Ended { end })
                .unwrap();
        }
        self.journal
            .write(run, None, at, &Fact::Closed { why: None })
            .unwrap();
    }

    fn runs(&self) -> Vec<Run> {
        self.journal.runs(100).unwrap()
    }

    fn past(&self) -> Vec<Evacuation> {
        evacuations(self.runs().iter().map(Account::from))
    }
}

/// The estate after a move: these guests are on that node.
fn after(moved: &[(u32, &str)]) -> Store {
    estate(|guest| {
        if let Some((_, node)) = moved.iter().find(|(vmid, _)| *vmid == guest.vmid.0) {
            guest.node = (*node).into();
        }
    })
}

#[test]
fn exactly_what_the_evacuation_moved_comes_back_the_last_first() {
    let told = Told::new();
    let store = estate(|_| {});
    let nothing = with_past(Deed::NodeRestore, "pve1", &[], &store, &told.past()).unwrap_err();
    assert!(
        nothing.to_string().contains("knows of no evacuation of pve1"),
        "{nothing}"
    );
    // 100 moved, 101 failed, 102 moved, 103 was not begun.
    told.run(
        &evacuated(&store),
        1,
        &[Some(true), Some(false), Some(true), None],
    );
    let gone = after(&[(100, "pve2"), (102, "pve3"), (103, "pve2")]);
    let plan = with_past(Deed::NodeRestore, "pve1", &[], &gone, &told.past()).unwrap();
    assert_eq!(
        lines(&plan),
        [
            "pve3/lxc/102/migrate target=pve1 restart=1",
            "pve2/qemu/100/migrate target=pve1 online=1"
        ]
    );
    assert_eq!(plan.title, "Bring guests back to pve1");
    // One was moved on meanwhile, one is back already.
    let later = after(&[(100, "pve3")]);
    let one = with_past(Deed::NodeRestore, "pve1", &[], &later, &told.past()).unwrap();
    assert_eq!(lines(&one), ["pve3/qemu/100/migrate target=pve1 online=1"]);
    assert!(risk(&one, "was moved on from pve2 to pve3").1.contains("100"));
    // When all is back, there is nothing more to do.
    told.run(&plan, 2, &[Some(true), Some(true)]);
    assert!(told.past().is_empty(), "{:?}", told.past());
}

#[test]
fn an_evacuation_in_two_runs_is_one_and_an_old_one_is_not_part_of_it() {
    let told = Told::new();
    let all = evacuated(&estate(|_| {}));
    // Long ago, and never brought back.
    told.run(&all, 1, &[None, Some(true), None, None]);
    told.run(&all, 100, &[Some(true), Some(false), None, None]);
    let rest = evacuated(&after(&[(100, "pve2")]));
    told.run(&rest, 101, &[Some(false), Some(true), None]);
    let past = told.past();
    let moved: Vec<u32> = past[0].moved.iter().map(|moved| moved.vmid.0).collect();
    assert_eq!((past.len(), moved), (1, vec![100, 102]));
}
