//! Interrupted runs whose guests are elsewhere by now.

use jiff::Timestamp;

use super::{arguments, configure, estate, plan as plan_of, target};
use crate::{
    domain::{GuestKind, GuestStatus},
    plan::{
        Deed, Proof,
        journal::{Fact, Journal, Run, Worker},
        relocate,
    },
    store::Store,
};

/// A run of notes for 100 and 101, of which nothing was sent.
fn run(sent: bool) -> Run {
    let mut store = estate(|_| {});
    configure(&mut store, 100, &[]);
    configure(&mut store, 101, &[]);
    let given = arguments(&[("notes", "x")]);
    let plan = plan_of(Deed::GuestNotes, &[target(100), target(101)], &given, &store).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
    let worker = Worker {
        user: "alice".into(),
        host: "desk".into(),
        process: "1".into(),
    };
    let number = journal.begin(&plan, &worker, Timestamp::UNIX_EPOCH).unwrap().id;
    if sent {
        let intended = Fact::Intended { before: Vec::new() };
        journal
            .write(number, Some(0), Timestamp::UNIX_EPOCH, &intended)
            .unwrap();
    }
    journal.run(number).unwrap()
}

fn moved(vmid: u32) -> Store {
    estate(|guest| {
        if guest.vmid.0 == vmid {
            guest.node = "pve2".into();
        }
    })
}

#[test]
fn what_was_not_sent_follows_its_guest() {
    let mut run = run(false);
    assert_eq!(relocate(&mut run, &moved(999)), Ok(Vec::new()));
    let told = relocate(&mut run, &moved(101)).unwrap();
    assert_eq!(told, ["101 web-101 is on pve2 now"]);
    assert_eq!(run.plan.steps[0].call.path(), "/nodes/pve1/qemu/100/config");
    assert_eq!(run.plan.steps[1].call.path(), "/nodes/pve2/qemu/101/config");
    let Proof::Holds { read, .. } = &run.plan.steps[1].proof else {
        panic!("{run:?}")
    };
    assert_eq!(&*read[1], "pve2");
}

#[test]
fn what_was_sent_is_looked_up_where_it_went() {
    let mut run = run(true);
    assert_eq!(relocate(&mut run, &moved(100)), Ok(Vec::new()));
    assert_eq!(run.plan.steps[0].call.path(), "/nodes/pve1/qemu/100/config");
}

#[test]
fn a_guest_that_is_gone_or_another_ends_it_with_the_reason() {
    let gone = estate(|guest| {
        if guest.vmid.0 == 101 {
            guest.vmid.0 = 901;
        }
    });
    assert_eq!(
        relocate(&mut run(false), &gone),
        Err("101 web-101 is gone from prod".to_owned())
    );
    let other = estate(|guest| {
        if guest.vmid.0 == 101 {
            (guest.kind, guest.status) = (GuestKind::Lxc, GuestStatus::Running);
        }
    });
    assert_eq!(
        relocate(&mut run(false), &other),
        Err("101 web-101 is another guest by now: VMID 101 is a lxc".to_owned())
    );
    // A cluster that could not be read says nothing of its guests.
    let blind = Store::new([super::cluster()]);
    assert_eq!(relocate(&mut run(false), &blind), Ok(Vec::new()));
}
