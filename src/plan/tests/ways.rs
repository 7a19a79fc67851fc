//! What goes with the calls of a plan: proofs, ways back, VMIDs, risks of their own, and the catalogue.

use super::{
    arguments,
    changes::{known, planned},
    configure, estate, plan as plan_of, snapshots, target,
};
use crate::{
    actions::deed::{Argument, Object},
    plan::{DEEDS, Deed, Kind, Proof, Weight, calls},
};

#[test]
fn what_was_written_is_looked_up_in_the_configuration() {
    let plan = planned(Deed::GuestNotes, 100, &[("notes", "new")]).unwrap();
    let Proof::Holds { read, values } = &plan.steps[0].proof else {
        panic!("{plan:?}")
    };
    assert_eq!(read.join("/"), "nodes/pve1/qemu/100/config");
    assert_eq!(values[..], [("description".into(), Some("new".into()))]);
}

#[test]
fn the_way_back_leads_to_the_former_values() {
    for (deed, vmid, given, back) in [
        (
            Deed::GuestTags,
            100,
            &[("add", "new")][..],
            "guest.tags remove=new",
        ),
        (Deed::GuestTags, 100, &[("remove", "web")], "guest.tags add=web"),
        (Deed::GuestTags, 100, &[("set", "x")], "guest.tags set=prod,web"),
        (
            Deed::GuestNotes,
            100,
            &[("notes", "x")],
            "guest.notes notes=a note",
        ),
        (
            Deed::GuestResources,
            100,
            &[("cores", "4"), ("sockets", "2")],
            "guest.resources cores=2 sockets=1",
        ),
        (
            Deed::GuestOptions,
            100,
            &[("agent", "0")],
            "guest.options agent=1",
        ),
        (
            Deed::GuestOptions,
            100,
            &[("startup", "order=1")],
            "guest.options startup=",
        ),
        (
            Deed::DiskMove,
            100,
            &[("disk", "scsi0"), ("storage", "ceph")],
            "guest.disk.move delete=1 disk=scsi0 storage=local",
        ),
        (Deed::GuestSuspend, 100, &[("to-disk", "1")], "guest.start"),
    ] {
        let way = planned(deed, vmid, given).unwrap().way_back.unwrap();
        let mut text = way.deed.to_string();
        for (name, value) in &way.arguments {
            text = format!("{text} {name}={value}");
        }
        assert_eq!(text, back, "{deed:?} {given:?}");
        // It is a deed that can be done.
        assert_eq!(way.targets, [target(vmid)]);
        assert!(Deed::from_name(&way.deed).is_some());
    }
    // A clone is taken back by deleting it, not its source.
    let plan = planned(Deed::GuestClone, 104, &[("count", "2")]).unwrap();
    assert_eq!(plan.steps[1].needs, [0]);
    let way = plan.way_back.unwrap();
    assert_eq!(
        (&*way.deed, way.targets),
        ("guest.delete", vec![target(106), target(107)])
    );
    // Without the configuration nobody knows what was there before.
    let blind = estate(|_| {});
    let notes = arguments(&[("notes", "x")]);
    let plan = plan_of(Deed::GuestNotes, &[target(100)], &notes, &blind).unwrap();
    assert_eq!(plan.way_back, None);
    assert_eq!(
        plan.steps[0].call.to_string(),
        "PUT /nodes/pve1/qemu/100/config description=x"
    );
}

#[test]
fn several_sources_never_get_the_same_vmid() {
    let given = arguments(&[("count", "2")]);
    let plan = plan_of(Deed::GuestClone, &[target(100), target(104)], &given, &known()).unwrap();
    let new: Vec<&str> = plan
        .steps
        .iter()
        .filter_map(|step| step.call.params.first().map(|(_, value)| &**value))
        .collect();
    assert_eq!(new, ["106", "107", "108", "109"]);
    let needs: Vec<&[usize]> = plan.steps.iter().map(|step| &step.needs[..]).collect();
    let none: &[usize] = &[];
    assert_eq!(needs, [none, &[0], none, &[2]]);
    assert_eq!(plan.title, "Clone 2 guests");
}

#[test]
fn it_is_said_when_resources_take_effect() {
    let said = |vmid: u32, given: (&str, &str)| {
        let plan = planned(Deed::GuestResources, vmid, &[given]).unwrap();
        plan.risks
            .iter()
            .map(|risk| risk.text.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(said(100, ("cores", "4")).contains("waits for its next start"));
    assert!(said(100, ("memory", "4096")).contains("waits for its next start"));
    assert!(said(102, ("cores", "4")).contains("at once"));
    assert!(
        !said(101, ("cores", "4")).contains("start"),
        "a stopped one has no next start to wait for"
    );
    let mut store = known();
    configure(&mut store, 100, &[("hotplug", "disk,memory"), ("memory", "2048")]);
    let grown = arguments(&[("memory", "4096")]);
    let plan = plan_of(Deed::GuestResources, &[target(100)], &grown, &store).unwrap();
    assert!(
        plan.risks
            .iter()
            .any(|risk| risk.text.contains("plugged in at once")),
        "{plan:?}"
    );
}

#[test]
fn too_little_space_and_a_name_in_use_are_told() {
    let mut store = known();
    configure(&mut store, 100, &[("scsi0", "ceph:vm-100-disk-0,size=200G")]);
    let given = arguments(&[("disk", "scsi0"), ("storage", "local")]);
    let plan = plan_of(Deed::DiskMove, &[target(100)], &given, &store).unwrap();
    assert_eq!(plan.risks[0].weight, Weight::Danger);
    assert_eq!(
        plan.risks[0].text,
        "local has 50 GiB free, and `scsi0` of 100 web-100 has 200 GiB"
    );
    let plan = planned(Deed::GuestOptions, 100, &[("name", "web-101")]).unwrap();
    assert_eq!(plan.risks[0].text, "the name web-101 is in use by 101");
}

/// A value that an argument may have in the estate.
fn sample(argument: &Argument) -> &'static str {
    match argument.kind {
        Kind::Node => "pve2",
        Kind::Storage => "ceph",
        Kind::Disk => "scsi0",
        Kind::Size => "+1G",
        Kind::Flag => "1",
        Kind::Number(..) => "2",
        Kind::NewVmid => "300",
        Kind::Pool => "acme",
        Kind::Choice(words) => words[0],
        Kind::NewSnapshot | Kind::Snapshot => "before-upgrade",
        _ => "new",
    }
}

#[test]
fn every_deed_to_a_guest_makes_calls_of_the_catalogue() {
    let catalogue: Vec<(String, Vec<Box<str>>)> = calls::catalogue()
        .into_iter()
        .map(|call| {
            let names = call.params.iter().map(|(name, _)| name.clone()).collect();
            (format!("{} {}", call.method.as_str(), call.path()), names)
        })
        .collect();
    let mut store = known();
    snapshots(&mut store, 101, &["before-upgrade"]);
    configure(&mut store, 101, &[("scsi0", "local:vm-101-disk-0,size=32G")]);
    for row in DEEDS.iter().filter(|row| row.object == Object::Guest) {
        // With what is required, or with each argument alone where nothing is.
        let required: Vec<&Argument> = row.arguments.iter().filter(|one| one.required).collect();
        let mut attempts: Vec<Vec<&Argument>> = row
            .arguments
            .iter()
            .map(|one| required.iter().copied().chain([one]).collect())
            .collect();
        attempts.push(required);
        let mut made = 0;
        for vmid in [100, 101, 102, 103, 104] {
            for attempt in &attempts {
                let given: Vec<(&str, &str)> = attempt.iter().map(|one| (one.name, sample(one))).collect();
                let Ok(plan) = plan_of(row.deed, &[target(vmid)], &arguments(&given), &store) else {
                    continue;
                };
                for step in &plan.steps {
                    made += 1;
                    let line = format!("{} {}", step.call.method.as_str(), step.call.path());
                    let line = line.replace(&vmid.to_string(), "104");
                    for (name, _) in &step.call.params {
                        let known = catalogue
                            .iter()
                            .any(|(path, names)| *path == line && names.contains(name));
                        assert!(
                            known,
                            "{line} with {name} is not in the catalogue ({})",
                            row.action.name
                        );
                    }
                    assert!(catalogue.iter().any(|(path, _)| *path == line), "{line}");
                }
            }
        }
        // Keys and firewalls need more than an estate: they are tried beside their own tables.
        let apart =
            row.action.name.starts_with("guest.key.") || row.action.name.starts_with("guest.firewall.");
        let only_locked = row.deed == Deed::GuestUnlock;
        assert!(
            made > 0 || only_locked || apart,
            "{} was never made",
            row.action.name
        );
    }
}
