//! Deeds that change, copy and delete guests, against the embedded datacentre: each to the end of its task, and the
//! state afterwards.

use serde_json::Value;

use crate::{
    demo::{Served, json},
    home::Outcome,
};

fn find(demo: &Served, vmid: &str) -> Option<Value> {
    json(&demo.run(&["get", "guests", "-o", "json"]))
        .into_iter()
        .find(|guest| guest["vmid"].as_u64() == vmid.parse().ok())
}

fn guest(demo: &Served, vmid: &str) -> Value {
    find(demo, vmid).unwrap_or_else(|| panic!("there is no guest {vmid}"))
}

/// A stopped guest of this kind that nothing stands in the way of.
fn stopped(demo: &Served, kind: &str) -> String {
    let guests = json(&demo.run(&[
        "get",
        "guests",
        "status:stopped",
        &format!("type:{kind}"),
        "-o",
        "json",
    ]));
    let free =
        |guest: &&Value| guest["template"] != true && guest["lock"].is_null() && guest["hastate"].is_null();
    guests.iter().find(free).unwrap()["vmid"].to_string()
}

/// Runs a deed that must come out well.
fn done(demo: &Served, args: &[&str]) -> Outcome {
    let mut all = vec!["run"];
    all.extend(args);
    all.push("--yes");
    let outcome = demo.run(&all);
    assert_eq!(outcome.code, 0, "{args:?}: {outcome:?}");
    assert!(outcome.out.contains("done"), "{args:?}: {outcome:?}");
    outcome
}

/// Runs a deed that must be refused with this code and these words.
fn refused(demo: &Served, args: &[&str], code: i32, part: &str) {
    let mut all = vec!["run"];
    all.extend(args);
    all.push("--yes");
    let outcome = demo.run(&all);
    assert_eq!(outcome.code, code, "{args:?}: {outcome:?}");
    assert!(outcome.err.contains(part), "{args:?}: {outcome:?}");
}

fn a_life(kind: &str, new: &str, copy: &str) {
    let demo = Served::start(&["--guests", "40", "--speed", "50"]);
    let source = stopped(&demo, kind);
    let newid = format!("newid={new}");
    done(
        &demo,
        &[
            "guest.clone",
            &source,
            "-a",
            &newid,
            "-a",
            "name=from-a-test",
            "-a",
            "full=1",
        ],
    );
    assert_eq!(guest(&demo, new)["name"], "from-a-test");
    refused(
        &demo,
        &["guest.clone", &source, "-a", &newid],
        1,
        "is taken by from-a-test",
    );

    done(&demo, &["guest.tags", new, "-a", "set=test,a"]);
    done(&demo, &["guest.tags", new, "-a", "add=b", "-a", "remove=a"]);
    assert_eq!(guest(&demo, new)["tags"], serde_json::json!(["b", "test"]));

    done(&demo, &["guest.notes", new, "-a", "notes=first line"]);
    refused(
        &demo,
        &["guest.notes", new, "-a", "notes=first line"],
        1,
        "has that already",
    );
    done(&demo, &["guest.notes", new, "-a", "append=a & b = ü"]);

    done(
        &demo,
        &["guest.resources", new, "-a", "cores=3", "-a", "memory=3072"],
    );
    let changed = guest(&demo, new);
    assert_eq!(
        (&changed["maxcpu"], &changed["maxmem"]),
        (&3.into(), &(3072u64 << 20).into())
    );

    done(
        &demo,
        &[
            "guest.options",
            new,
            "-a",
            "name=renamed",
            "-a",
            "protection=1",
            "-a",
            "startup=order=3",
        ],
    );
    assert_eq!(guest(&demo, new)["name"], "renamed");
    refused(&demo, &["guest.delete", new], 1, "is protected");
    done(&demo, &["guest.options", new, "-a", "protection=0"]);

    let disk = if kind == "qemu" {
        "disk=scsi0"
    } else {
        "disk=rootfs"
    };
    done(&demo, &["guest.disk.resize", new, "-a", disk, "-a", "size=+2G"]);
    refused(
        &demo,
        &["guest.disk.resize", new, "-a", disk, "-a", "size=1G"],
        1,
        "never gets smaller",
    );

    done(&demo, &["guest.template", new]);
    assert_eq!(guest(&demo, new)["template"], true);
    refused(&demo, &["guest.start", new], 1, "is a template");
    let newid = format!("newid={copy}");
    done(&demo, &["guest.clone", new, "-a", &newid]);
    assert_eq!(guest(&demo, copy)["template"], false);
    done(&demo, &["guest.delete", copy]);
    assert_eq!(find(&demo, copy), None);
    done(
        &demo,
        &["guest.delete", new, "-a", "purge=1", "-a", "unreferenced=1"],
    );
    assert_eq!(find(&demo, new), None);
}

#[test]
fn a_machine_is_copied_changed_and_deleted() {
    a_life("qemu", "9100", "9101");
}

#[test]
fn a_container_is_copied_changed_and_deleted() {
    a_life("lxc", "9200", "9201");
}
