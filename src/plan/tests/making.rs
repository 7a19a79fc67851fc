//! Deed and state against calls, refusals and risks.

use super::{arguments, estate, plan as plan_of, read, target};
use crate::{
    actions::deed::Object,
    domain::guest::Snapshot,
    plan::{Arguments, DEEDS, Danger, Deed, Plan, Proof, Refusal, Weight, availability, print},
    store::{Feed, Payload, Store},
};

fn planned(deed: Deed, vmid: u32, given: &[(&str, &str)]) -> Result<Plan, Refusal> {
    plan_of(deed, &[target(vmid)], &arguments(given), &estate(|_| {}))
}

/// The call of a plan with one step, or why there is none.
fn line(deed: Deed, vmid: u32, given: &[(&str, &str)]) -> String {
    match planned(deed, vmid, given) {
        Ok(plan) => plan.steps[0].call.to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn every_deed_against_every_state() {
    let qemu = |rest: &str| format!("POST /nodes/pve1/qemu/{rest}");
    let lxc = |rest: &str| format!("POST /nodes/pve1/lxc/{rest}");
    for (deed, vmid, given, expected) in [
        (
            Deed::GuestStart,
            100,
            &[][..],
            "100 web-100 is running".to_owned(),
        ),
        (Deed::GuestStart, 101, &[], qemu("101/status/start")),
        (Deed::GuestStart, 103, &[], lxc("103/status/start")),
        (Deed::GuestStart, 104, &[], "104 web-104 is a template".to_owned()),
        (
            Deed::GuestStart,
            105,
            &[],
            "105 web-105 is on pve3, which is offline".to_owned(),
        ),
        (
            Deed::GuestStart,
            999,
            &[],
            "there is no guest 999 in prod".to_owned(),
        ),
        (Deed::GuestShutdown, 100, &[], qemu("100/status/shutdown")),
        (
            Deed::GuestShutdown,
            102,
            &[("timeout", "90"), ("force", "1")],
            lxc("102/status/shutdown timeout=90 forceStop=1"),
        ),
        (Deed::GuestShutdown, 101, &[], "101 web-101 is stopped".to_owned()),
        (Deed::GuestReboot, 102, &[], lxc("102/status/reboot")),
        (Deed::GuestStop, 100, &[], qemu("100/status/stop")),
        (Deed::GuestStop, 103, &[], "103 web-103 is stopped".to_owned()),
        (Deed::GuestReset, 100, &[], qemu("100/status/reset")),
        (
            Deed::GuestReset,
            102,
            &[],
            "102 web-102 is a container: it cannot be reset, reboot it".to_owned(),
        ),
        (Deed::GuestSuspend, 100, &[], qemu("100/status/suspend")),
        (Deed::GuestResume, 101, &[], "101 web-101 is stopped".to_owned()),
        (Deed::GuestResume, 100, &[], qemu("100/status/resume")),
        (
            Deed::GuestMigrate,
            100,
            &[("target", "pve2")],
            qemu("100/migrate target=pve2 online=1"),
        ),
        (
            Deed::GuestMigrate,
            101,
            &[("target", "pve2")],
            qemu("101/migrate target=pve2"),
        ),
        (
            Deed::GuestMigrate,
            102,
            &[("target", "pve2")],
            lxc("102/migrate target=pve2 restart=1"),
        ),
        (
            Deed::GuestMigrate,
            100,
            &[("target", "pve1")],
            "100 web-100 is on pve1 already".to_owned(),
        ),
        (
            Deed::GuestMigrate,
            100,
            &[("target", "pve3")],
            "pve3 is offline".to_owned(),
        ),
        (
            Deed::GuestMigrate,
            100,
            &[("target", "pve9")],
            "there is no node pve9 in prod".to_owned(),
        ),
        (
            Deed::GuestMigrate,
            100,
            &[],
            "guest.migrate needs `target`: node to go to".to_owned(),
        ),
        (
            Deed::SnapshotCreate,
            100,
            &[("snapshot", "before"), ("ram", "1")],
            qemu("100/snapshot snapname=before vmstate=1"),
        ),
        (
            Deed::SnapshotCreate,
            102,
            &[("snapshot", "before"), ("ram", "1")],
            lxc("102/snapshot snapname=before"),
        ),
        (
            Deed::SnapshotRollback,
            101,
            &[("snapshot", "before")],
            qemu("101/snapshot/before/rollback"),
        ),
        (
            Deed::SnapshotDelete,
            103,
            &[("snapshot", "before")],
            "DELETE /nodes/pve1/lxc/103/snapshot/before".to_owned(),
        ),
    ] {
        assert_eq!(line(deed, vmid, given), expected, "{deed:?} of {vmid}");
    }
}

#[test]
fn arguments_are_checked_before_anything() {
    for (deed, given, part) in [
        (
            Deed::GuestStart,
            ("target", "x"),
            "has no argument `target`; it has: none",
        ),
        (
            Deed::GuestShutdown,
            ("timeout", "soon"),
            "`timeout` is a whole number from 0 to 86400, not `soon`",
        ),
        (
            Deed::GuestShutdown,
            ("force", "yes"),
            "`force` is 0 or 1, not `yes`",
        ),
        (Deed::SnapshotCreate, ("snapshot", "1st"), "begins with a letter"),
        (
            Deed::SnapshotCreate,
            ("snapshot", "a/../b"),
            "begins with a letter",
        ),
        (Deed::SnapshotCreate, ("snapshot", "current"), "present state"),
    ] {
        let refusal = planned(deed, 100, &[given]).unwrap_err();
        assert!(matches!(refusal, Refusal::Argument(_)), "{refusal:?}");
        assert!(refusal.to_string().contains(part), "{refusal}");
    }
}

#[test]
fn locks_and_known_snapshots_refuse_and_ha_is_told() {
    let store = estate(|guest| {
        guest.lock = (guest.vmid.0 == 101).then(|| "backup".into());
        guest.ha_state = (guest.vmid.0 == 100).then(|| "started".into());
    });
    let none = Arguments::new();
    let refusal = plan_of(Deed::GuestStart, &[target(101)], &none, &store).unwrap_err();
    assert_eq!(refusal.to_string(), "101 web-101 is locked (backup)");
    let plan = plan_of(Deed::GuestShutdown, &[target(100)], &none, &store).unwrap();
    assert!(plan.risks[0].text.contains("managed by HA (started)"), "{plan:?}");
    let Proof::Task { kinds, .. } = &plan.steps[0].proof else {
        panic!("no task")
    };
    assert!(kinds.iter().any(|kind| &**kind == "hastop"));

    let mut store = estate(|_| {});
    let snapshot = Snapshot {
        name: "before".into(),
        parent: None,
        time: None,
        with_ram: false,
        description: "".into(),
    };
    let feed = Feed::GuestSnapshots(crate::domain::Vmid(100));
    read(&mut store, feed, Payload::GuestSnapshots(vec![snapshot]));
    let made = |deed, name| plan_of(deed, &[target(100)], &arguments(&[("snapshot", name)]), &store);
    assert!(made(Deed::SnapshotRollback, "before").is_ok());
    assert!(matches!(
        made(Deed::SnapshotRollback, "other"),
        Err(Refusal::NotFound(_))
    ));
    assert!(matches!(
        made(Deed::SnapshotCreate, "before"),
        Err(Refusal::NotPossible(_))
    ));
}

#[test]
fn a_missing_privilege_is_told_only_where_it_is_known() {
    let with = |grants: &[(&str, &[&str])]| {
        let mut store = estate(|_| {});
        let grants = grants
            .iter()
            .map(|(path, privileges)| {
                (
                    (*path).into(),
                    privileges.iter().map(|name| (*name).into()).collect(),
                )
            })
            .collect();
        read(&mut store, Feed::Permissions, Payload::Permissions(grants));
        store
    };
    let can = |store: &Store| availability(Deed::GuestStart, &target(101), store);
    assert!(can(&with(&[])).is_ok());
    assert!(can(&with(&[("/", &["VM.PowerMgmt"])])).is_ok());
    assert!(can(&with(&[("/", &["VM.Audit"]), ("/pool/acme", &["VM.PowerMgmt"])])).is_ok());
    let refused = can(&with(&[("/vms", &["VM.PowerMgmt"]), ("/vms/101", &["VM.Audit"])])).unwrap_err();
    assert!(matches!(&refused, Refusal::NotAllowed(_)), "{refused:?}");
    assert!(
        refused.to_string().contains("VM.PowerMgmt on /vms/101"),
        "{refused}"
    );
}

#[test]
fn of_many_those_that_cannot_are_left_out_and_named() {
    let targets = [target(100), target(101), target(103)];
    let plan = plan_of(Deed::GuestStart, &targets, &Arguments::new(), &estate(|_| {})).unwrap();
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.title, "Start 2 guests");
    assert_eq!(plan.risks[0].text, "left out: 100 web-100 is running");
    assert!(plan_of(Deed::GuestStart, &[], &Arguments::new(), &estate(|_| {})).is_err());
}

#[test]
fn what_destroys_says_so_and_asks_for_more() {
    let stop = planned(Deed::GuestStop, 100, &[]).unwrap();
    assert_eq!(
        (stop.danger, stop.risks[0].weight),
        (Danger::Confirm, Weight::Danger)
    );
    let back = planned(Deed::SnapshotRollback, 100, &[("snapshot", "before")]).unwrap();
    assert_eq!(back.danger, Danger::TypeName);
    assert!(
        back.risks
            .iter()
            .any(|risk| risk.text.contains("will be stopped")),
        "{back:?}"
    );
    assert_eq!(planned(Deed::GuestStart, 101, &[]).unwrap().danger, Danger::None);
}

#[test]
fn a_plan_prints_itself_for_people_programs_and_shells() {
    let given = [("snapshot", "before"), ("description", "it's; $(reboot)")];
    let plan = planned(Deed::SnapshotCreate, 100, &given).unwrap();
    assert_eq!(
        print::pvesh(&plan),
        "pvesh create /nodes/pve1/qemu/100/snapshot --snapname before --description 'it'\\''s; $(reboot)'\n"
    );
    let curl = print::curl(&plan);
    assert!(
        curl.contains("\"$PVEDECK_URL\"/api2/json/nodes/pve1/qemu/100/snapshot "),
        "{curl}"
    );
    assert!(
        curl.ends_with("--data-urlencode 'description=it'\\''s; $(reboot)'\n"),
        "{curl}"
    );
    let json = print::json(&plan);
    assert_eq!(json["steps"][0]["params"]["snapname"], "before");
    assert_eq!(json["confirmation"], "none");
    let text = print::text(&plan);
    assert!(
        text.starts_with("Create snapshot 100 web-100\n  1 POST /nodes/pve1/qemu/100/snapshot"),
        "{text}"
    );
}

#[test]
fn every_deed_makes_a_plan_of_calls_in_the_catalogue() {
    let known: Vec<String> = crate::plan::calls::catalogue()
        .iter()
        .map(ToString::to_string)
        .collect();
    // Keys and firewalls need more than an estate: they are tried beside their own tables.
    let apart = |name: &str| name.starts_with("guest.key.") || name.starts_with("guest.firewall.");
    let guests = DEEDS.iter().filter(|row| row.object == Object::Guest);
    for row in guests.filter(|row| !apart(row.action.name)) {
        let given: Vec<(&str, &str)> = row
            .arguments
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| {
                (
                    argument.name,
                    if argument.name == "target" {
                        "pve2"
                    } else {
                        "before-upgrade"
                    },
                )
            })
            .collect();
        let vmid = if row.deed == Deed::GuestStart { 101 } else { 100 };
        let call = planned(row.deed, vmid, &given).unwrap().steps[0].call.clone();
        let path = call.path().replace(&vmid.to_string(), "104");
        assert!(
            known.iter().any(|line| line.contains(&path)),
            "{call} is not in the catalogue"
        );
    }
}
