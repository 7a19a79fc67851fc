//! SSH keys and firewalls of many guests against the embedded datacentre: what was done to each is told, and is so.

use crate::{
    demo::{Served, json},
    home::Outcome,
};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFvYoUdhZHl5bmV3a2V5Zm9ydGhldGVzdHNhYmNk alice@desk";

/// The VMIDs that pass these words, a deed's or the list's.
fn guests(demo: &Served, filter: &[&str]) -> Vec<String> {
    let mut all = vec!["get", "guests"];
    all.extend(filter);
    all.extend(["-o", "json"]);
    let free = |guest: &serde_json::Value| guest["lock"].is_null() && guest["template"] != true;
    let rows = json(&demo.run(&all));
    rows.iter()
        .filter(|guest| free(guest))
        .map(|guest| guest["vmid"].to_string())
        .collect()
}

fn run(demo: &Served, deed: &str, targets: &[String], rest: &[&str]) -> Outcome {
    let mut all = vec!["run", deed];
    all.extend(targets.iter().map(String::as_str));
    all.extend(rest);
    all.extend(["--yes", "--at-once", "4"]);
    demo.run(&all)
}

fn has(outcome: &Outcome, part: &str) -> bool {
    outcome.out.lines().any(|line| line.contains(part))
}

#[test]
fn a_key_goes_to_many_guests_and_is_taken_back() {
    let demo = Served::start(&["--guests", "24"]);
    let mut targets = guests(&demo, &["status:running", "type:qemu"]);
    let container = guests(&demo, &["type:lxc"]).remove(0);
    targets.push(container.clone());
    let added = run(&demo, "guest.key.add", &targets, &["--key", KEY]);
    assert_eq!(added.code, 0, "{added:?}");
    // 108 comes from a cloud image: its key is put into cloud-init and into the running system.
    assert!(has(&added, "108 git01: cloud-init keys: done (OK)"), "{added:?}");
    assert!(
        has(
            &added,
            "108 git01: /home/admin/.ssh/authorized_keys: done (added)"
        ),
        "{added:?}"
    );
    assert!(
        has(&added, "101 db01: /root/.ssh/authorized_keys: done (added)"),
        "{added:?}"
    );
    // What was not done is said of each, with the reason.
    assert!(
        has(
            &added,
            "left out: the cloud-init keys of 101 db01: it has no cloud-init drive"
        ),
        "{added:?}"
    );
    assert!(
        has(&added, "is a container: the API reaches neither its keys"),
        "{added:?}"
    );
    for target in &targets {
        assert!(
            has(&added, &format!("{target} ")),
            "nothing is said of {target}: {added:?}"
        );
    }

    let again = run(&demo, "guest.key.add", &targets, &["--key", KEY]);
    assert!(
        has(
            &again,
            "101 db01: /root/.ssh/authorized_keys: done (was there already)"
        ),
        "{again:?}"
    );
    assert!(!has(&again, "108 git01: cloud-init keys"), "{again:?}");

    // By its comment: cloud-init of one of them knows the rest.
    let revoked = run(&demo, "guest.key.revoke", &targets, &["--key", "alice@desk"]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    assert!(
        has(&revoked, "108 git01: cloud-init keys: done (OK)"),
        "{revoked:?}"
    );
    assert!(
        has(&revoked, "101 db01: /root/.ssh/authorized_keys: done (removed)"),
        "{revoked:?}"
    );
    let gone = run(&demo, "guest.key.revoke", &["108".to_owned()], &["--key", KEY]);
    assert!(
        has(&gone, "/home/admin/.ssh/authorized_keys: done (was not there)"),
        "{gone:?}"
    );
    let nobody = run(
        &demo,
        "guest.key.add",
        &["101".to_owned()],
        &["--key", KEY, "--user", "mallory"],
    );
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(
        nobody.err.contains("it has no user mallory with a home"),
        "{nobody:?}"
    );
    let journal = demo.run(&["journal", "show", "1"]);
    assert!(
        journal.out.contains("done (added)") && journal.out.contains("began process"),
        "{journal:?}"
    );
}

#[test]
fn a_port_is_opened_and_closed_and_the_firewall_switched() {
    let demo = Served::start(&["--guests", "12"]);
    let targets: Vec<String> = guests(&demo, &["status:running"]).into_iter().take(3).collect();
    for (deed, rest) in [
        (
            "guest.firewall.open",
            &["--port", "8443", "--comment", "a test"][..],
        ),
        ("guest.firewall.enable", &[]),
        ("guest.firewall.disable", &[]),
        ("guest.firewall.close", &["--port", "8443"]),
    ] {
        let outcome = run(&demo, deed, &targets, rest);
        assert_eq!(outcome.code, 0, "{deed}: {outcome:?}");
        for target in &targets {
            assert!(
                has(&outcome, &format!("{target} ")),
                "{deed}: nothing is said of {target}: {outcome:?}"
            );
        }
    }
    let closed = run(&demo, "guest.firewall.close", &targets[..1], &["--port", "8443"]);
    assert_eq!((closed.code, closed.out.trim()), (0, ""), "{closed:?}");
    assert!(closed.err.contains("there is nothing to do"), "{closed:?}");
}
