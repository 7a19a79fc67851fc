//! Deeds that change, copy and end guests: state and configuration against calls, refusals and ways back.

use super::{arguments, configure, estate, plan as plan_of, snapshots, target};
use crate::{
    plan::{Arguments, Deed, Plan, Refusal},
    store::Store,
};

/// The estate with what is known of its guests: 100 and 101 are machines, 102 and 103 containers, 104 a template.
pub(super) fn known() -> Store {
    let mut store = estate(|guest| guest.ha_state = (guest.vmid.0 == 103).then(|| "started".into()));
    let machine = [
        ("agent", "1,fstrim_cloned_disks=1"),
        ("cores", "2"),
        ("description", "a note\n"),
        ("ide2", "local:iso/debian.iso,media=cdrom"),
        ("memory", "2048"),
        ("scsi0", "local:100/vm-100-disk-0.qcow2,size=32G"),
        ("scsi1", "ceph:vm-100-disk-1,size=8G"),
        ("tags", "prod;web"),
    ];
    configure(&mut store, 100, &machine);
    configure(
        &mut store,
        101,
        &[("protection", "1"), ("scsi0", "ceph:vm-101-disk-0,size=32G")],
    );
    configure(
        &mut store,
        102,
        &[
            ("cores", "2"),
            ("memory", "512"),
            ("rootfs", "ceph:vm-102-disk-0,size=8G"),
        ],
    );
    configure(
        &mut store,
        103,
        &[("rootfs", "local-zfs:subvol-103-disk-0,size=8G")],
    );
    configure(&mut store, 104, &[("scsi0", "ceph:base-104-disk-0,size=8G")]);
    for vmid in 100..=104 {
        snapshots(&mut store, vmid, if vmid == 102 { &["before"] } else { &[] });
    }
    store
}

pub(super) fn planned(deed: Deed, vmid: u32, given: &[(&str, &str)]) -> Result<Plan, Refusal> {
    plan_of(deed, &[target(vmid)], &arguments(given), &known())
}

/// The calls of a plan, or why there is none.
fn lines(deed: Deed, vmid: u32, given: &[(&str, &str)]) -> String {
    match planned(deed, vmid, given) {
        Ok(plan) => {
            let calls: Vec<String> = plan.steps.iter().map(|step| step.call.to_string()).collect();
            calls.join(" | ").replace("/nodes/pve1/", "")
        }
        Err(refusal) => refusal.to_string(),
    }
}

type Row = (Deed, u32, &'static [(&'static str, &'static str)], &'static str);

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn copies() {
    let rows: &[Row] = &[
        (Deed::GuestClone, 100, &[], "POST qemu/100/clone newid=106"),
        (
            Deed::GuestClone,
            100,
            &[
                ("newid", "200"),
                ("name", "web"),
                ("pool", "acme"),
                ("storage", "ceph"),
                ("full", "1"),
            ],
            "POST qemu/100/clone newid=200 name=web full=1 storage=ceph pool=acme",
        ),
        (
            Deed::GuestClone,
            104,
            &[("count", "3"), ("name", "web")],
            "POST qemu/104/clone newid=106 name=web-1 | POST qemu/104/clone newid=107 name=web-2 | \
             POST qemu/104/clone newid=108 name=web-3",
        ),
        (
            Deed::GuestClone,
            103,
            &[("name", "ct")],
            "POST lxc/103/clone newid=106 hostname=ct",
        ),
        (
            Deed::GuestClone,
            102,
            &[("snapshot", "before")],
            "POST lxc/102/clone newid=106 snapname=before",
        ),
        (
            Deed::GuestClone,
            102,
            &[],
            "102 web-102 is a running container: shut it down, or clone one of its snapshots",
        ),
        (
            Deed::GuestClone,
            100,
            &[("newid", "101")],
            "VMID 101 is taken by web-101",
        ),
        (
            Deed::GuestClone,
            100,
            &[("newid", "99")],
            "`newid` is a VMID from 100 to 999999999, not `99`",
        ),
        (
            Deed::GuestClone,
            100,
            &[("full", "0")],
            "100 web-100 is no template: only a template shares its disks with a clone",
        ),
        (
            Deed::GuestClone,
            104,
            &[("storage", "ceph")],
            "`storage` goes with a full clone only: a linked one stays where its template is",
        ),
        (
            Deed::GuestClone,
            100,
            &[("target", "pve2")],
            "100 web-100 cannot be cloned to pve2: local is not shared; clone it here and migrate the clone",
        ),
        (
            Deed::GuestClone,
            100,
            &[("target", "pve2"), ("storage", "ceph")],
            "POST qemu/100/clone newid=106 target=pve2 storage=ceph",
        ),
        (Deed::GuestClone, 100, &[("target", "pve3")], "pve3 is offline"),
        (
            Deed::GuestClone,
            100,
            &[("pool", "none")],
            "there is no pool none in prod",
        ),
        (
            Deed::GuestClone,
            100,
            &[("snapshot", "nope")],
            "100 web-100 has no snapshot `nope`",
        ),
        (
            Deed::GuestClone,
            100,
            &[("count", "51")],
            "`count` is a whole number from 1 to 50, not `51`",
        ),
        (Deed::GuestTemplate, 101, &[], "POST qemu/101/template"),
        (
            Deed::GuestTemplate,
            100,
            &[],
            "100 web-100 runs: shut it down first",
        ),
        (Deed::GuestTemplate, 104, &[], "104 web-104 is a template already"),
    ];
    for (deed, vmid, given, expected) in rows {
        assert_eq!(lines(*deed, *vmid, given), *expected, "{deed:?} {vmid} {given:?}");
    }
}

#[test]
fn disks() {
    let rows: &[Row] = &[
        (
            Deed::DiskResize,
            100,
            &[("disk", "scsi0"), ("size", "+10G")],
            "PUT qemu/100/resize disk=scsi0 size=+10G digest=d1",
        ),
        (
            Deed::DiskResize,
            102,
            &[("disk", "rootfs"), ("size", "16G")],
            "PUT lxc/102/resize disk=rootfs size=16G digest=d1",
        ),
        (
            Deed::DiskResize,
            100,
            &[("disk", "scsi0"), ("size", "16G")],
            "100 web-100 has 32 GiB on `scsi0`, and a disk never gets smaller",
        ),
        (
            Deed::DiskResize,
            100,
            &[("disk", "scsi0"), ("size", "32G")],
            "100 web-100 has 32 GiB on `scsi0` already",
        ),
        (
            Deed::DiskResize,
            100,
            &[("disk", "ide2"), ("size", "1G")],
            "`ide2` of 100 web-100 is a CD drive",
        ),
        (
            Deed::DiskResize,
            100,
            &[("disk", "scsi7"), ("size", "1G")],
            "100 web-100 has no disk `scsi7`; it has: scsi0, scsi1",
        ),
        (
            Deed::DiskMove,
            100,
            &[("disk", "scsi0"), ("storage", "ceph"), ("delete", "1")],
            "POST qemu/100/move_disk disk=scsi0 storage=ceph delete=1 digest=d1",
        ),
        (
            Deed::DiskMove,
            103,
            &[("disk", "rootfs"), ("storage", "ceph")],
            "POST lxc/103/move_volume volume=rootfs storage=ceph digest=d1",
        ),
        (
            Deed::DiskMove,
            102,
            &[("disk", "rootfs"), ("storage", "local")],
            "102 web-102 is a running container: its volumes can be moved while it is stopped",
        ),
        (
            Deed::DiskMove,
            100,
            &[("disk", "scsi0"), ("storage", "local")],
            "100 web-100 has `scsi0` on local already",
        ),
        (
            Deed::DiskMove,
            100,
            &[("disk", "scsi0"), ("storage", "local"), ("format", "raw")],
            "POST qemu/100/move_disk disk=scsi0 storage=local format=raw digest=d1",
        ),
        (
            Deed::DiskMove,
            100,
            &[("disk", "scsi0"), ("storage", "tape")],
            "pve1 does not see a storage tape",
        ),
    ];
    for (deed, vmid, given, expected) in rows {
        assert_eq!(lines(*deed, *vmid, given), *expected, "{deed:?} {vmid} {given:?}");
    }
    let mut store = known();
    snapshots(&mut store, 100, &["before"]);
    let made = |given: &[(&str, &str)], deed| {
        plan_of(deed, &[target(100)], &arguments(given), &store)
            .unwrap_err()
            .to_string()
    };
    let refusal = made(&[("disk", "scsi0"), ("size", "+1G")], Deed::DiskResize);
    assert!(
        refusal.contains("qcow2 disk such as `scsi0` cannot grow"),
        "{refusal}"
    );
    let refusal = made(
        &[("disk", "scsi0"), ("storage", "ceph"), ("delete", "1")],
        Deed::DiskMove,
    );
    assert!(
        refusal.contains("the source of a disk that they need"),
        "{refusal}"
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn configuration() {
    let rows: &[Row] = &[
        (
            Deed::GuestResources,
            100,
            &[("cores", "4"), ("memory", "4096")],
            "PUT qemu/100/config cores=4 memory=4096 digest=d1",
        ),
        (
            Deed::GuestResources,
            102,
            &[("swap", "0")],
            "PUT lxc/102/config swap=0 digest=d1",
        ),
        (
            Deed::GuestResources,
            102,
            &[("sockets", "2")],
            "102 web-102 is a container: it has no sockets",
        ),
        (
            Deed::GuestResources,
            100,
            &[("cores", "2")],
            "100 web-100 has that already",
        ),
        (
            Deed::GuestResources,
            100,
            &[],
            "guest.resources needs at least one of cores, sockets, memory, swap",
        ),
        (
            Deed::GuestTags,
            100,
            &[("add", "Lab,new"), ("remove", "web")],
            "PUT qemu/100/config tags=lab;new;prod digest=d1",
        ),
        (
            Deed::GuestTags,
            100,
            &[("set", "")],
            "PUT qemu/100/config delete=tags digest=d1",
        ),
        (
            Deed::GuestTags,
            100,
            &[("add", "prod")],
            "100 web-100 has these tags already",
        ),
        (
            Deed::GuestTags,
            100,
            &[("set", "a"), ("add", "b")],
            "`set` says all tags: it does not go with add and remove",
        ),
        (
            Deed::GuestNotes,
            100,
            &[("append", "more")],
            "PUT qemu/100/config description=a note\n\nmore digest=d1",
        ),
        (
            Deed::GuestNotes,
            100,
            &[("notes", "")],
            "PUT qemu/100/config delete=description digest=d1",
        ),
        (
            Deed::GuestNotes,
            100,
            &[("notes", "a note")],
            "100 web-100 has that already",
        ),
        (
            Deed::GuestOptions,
            100,
            &[
                ("agent", "0"),
                ("name", "web-02"),
                ("onboot", "1"),
                ("startup", "order=2,up=30"),
            ],
            "PUT qemu/100/config name=web-02 onboot=1 startup=order=2,up=30 agent=enabled=0,fstrim_cloned_disks=1 digest=d1",
        ),
        (
            Deed::GuestOptions,
            102,
            &[("name", "ct-02"), ("startup", "")],
            "PUT lxc/102/config hostname=ct-02 delete=startup digest=d1",
        ),
        (
            Deed::GuestOptions,
            100,
            &[("startup", "order=first")],
            "`startup` is order=NUMBER,up=SECONDS,down=SECONDS or a part of it, not `order=first`",
        ),
        (
            Deed::GuestOptions,
            102,
            &[("agent", "1")],
            "102 web-102 is a container: it needs no guest agent",
        ),
    ];
    for (deed, vmid, given, expected) in rows {
        assert_eq!(lines(*deed, *vmid, given), *expected, "{deed:?} {vmid} {given:?}");
    }
}

#[test]
fn the_end() {
    let rows: &[Row] = &[
        (
            Deed::GuestDelete,
            100,
            &[],
            "100 web-100 runs; shut it down first, or have it stopped with the argument stop",
        ),
        (
            Deed::GuestDelete,
            100,
            &[("stop", "1"), ("purge", "1"), ("unreferenced", "1")],
            "POST qemu/100/status/stop | DELETE qemu/100 purge=1 destroy-unreferenced-disks=1",
        ),
        (
            Deed::GuestDelete,
            101,
            &[],
            "101 web-101 is protected; take that off with guest.options --protection 0",
        ),
        (
            Deed::GuestDelete,
            103,
            &[],
            "103 web-103 is managed by HA; purge removes it from there too",
        ),
        (
            Deed::GuestDelete,
            103,
            &[("purge", "1")],
            "DELETE lxc/103 purge=1",
        ),
        (Deed::GuestDelete, 104, &[], "DELETE qemu/104"),
        (Deed::GuestUnlock, 100, &[], "100 web-100 is not locked"),
        (
            Deed::GuestSuspend,
            100,
            &[("to-disk", "1"), ("storage", "ceph")],
            "POST qemu/100/status/suspend todisk=1 statestorage=ceph",
        ),
        (
            Deed::GuestSuspend,
            102,
            &[("to-disk", "1")],
            "102 web-102 is a container: it cannot be suspended to disk",
        ),
    ];
    for (deed, vmid, given, expected) in rows {
        assert_eq!(lines(*deed, *vmid, given), *expected, "{deed:?} {vmid} {given:?}");
    }
    let plan = planned(Deed::GuestDelete, 100, &[("stop", "1")]).unwrap();
    assert_eq!(plan.steps[1].needs, [0], "it is deleted when it has stopped");
    assert_eq!((plan.word.as_str(), plan.way_back), ("web-100", None));
    let locked = |vmid: u32| {
        let store = estate(|guest| guest.lock = Some("backup".into()));
        plan_of(Deed::GuestUnlock, &[target(vmid)], &Arguments::new(), &store)
    };
    let plan = locked(101).unwrap();
    assert_eq!(
        plan.steps[0].call.to_string(),
        "PUT /nodes/pve1/qemu/101/config delete=lock skiplock=1"
    );
    assert!(
        plan.risks.iter().any(|risk| risk.text.contains("root@pam")),
        "{plan:?}"
    );
    let refusal = locked(103).unwrap_err().to_string();
    assert!(refusal.contains("`pct unlock 103` on pve1"), "{refusal}");
}
