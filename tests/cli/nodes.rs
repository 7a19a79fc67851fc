//! Deeds to nodes against the embedded datacentre.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::demo::{Served, json};

/// The guests that are on a node.
fn on(demo: &Served, node: &str) -> BTreeSet<u64> {
    json(&demo.run(&["get", "guests", &format!("node:{node}"), "-o", "json"]))
        .iter()
        .map(|guest| guest["vmid"].as_u64().unwrap())
        .collect()
}

/// Looks until it is so. HA moves what it manages some seconds after it was asked to.
fn becomes(what: &str, so: impl Fn() -> bool) {
    assert!((0..200).any(|_| so()), "{what}");
}

fn plan(demo: &Served, args: &[&str]) -> Value {
    let dry = demo.run(&[&["run"], args, &["--dry-run", "-o", "json"]].concat());
    assert_eq!(dry.code, 0, "{dry:?}");
    serde_json::from_str(&dry.out).unwrap()
}

fn moved(plan: &Value) -> BTreeSet<u64> {
    let steps = plan["steps"].as_array().unwrap();
    let vmid = |step: &Value| {
        step["path"]
            .as_str()
            .unwrap()
            .split('/')
            .nth(4)
            .unwrap()
            .parse()
            .unwrap()
    };
    steps.iter().map(vmid).collect()
}

#[test]
fn an_evacuation_that_was_killed_goes_on_and_all_of_it_comes_back() {
    let demo = Served::start(&["--guests", "12", "--speed", "3"]);
    let before = on(&demo, "pve1");
    let evacuation = plan(&demo, &["node.evacuate", "pve1"]);
    let leaving = moved(&evacuation);
    assert!(leaving.len() > 1 && leaving.is_subset(&before), "{evacuation:#}");
    assert_eq!(on(&demo, "pve1"), before, "a dry run moves nothing");

    let env =
        ["PVEDECK_URL", "PVEDECK_TOKEN", "PVEDECK_CA_FILE"].map(|name| (name, demo.value(name).to_owned()));
    let mut process = demo
        .home
        .command(&["run", "node.evacuate", "pve1", "--yes"])
        .envs(env)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut talk = BufReader::new(process.stderr.take().unwrap());
    talk.read_line(&mut said).unwrap();
    assert!(said.contains("UPID:"), "{said}");
    process.kill().unwrap();
    process.wait().unwrap();
    let gone_on = demo.run(&["journal", "continue", "1"]);
    assert_eq!(gone_on.code, 0, "{gone_on:?}");
    for (count, words) in [
        (leaving.len(), ": done (OK)"),
        (before.len() - leaving.len(), "left out: "),
    ] {
        assert_eq!(gone_on.out.matches(words).count(), count, "{words}: {gone_on:?}");
    }
    becomes("what left is gone", || on(&demo, "pve1").is_disjoint(&leaving));
    assert!(on(&demo, "pve1").is_subset(&before));

    let back = demo.run(&["run", "node.restore", "pve1", "--yes", "--at-once", "8"]);
    assert_eq!(back.code, 0, "{back:?}");
    becomes("all is back", || on(&demo, "pve1") == before);
    let nothing = demo.run(&["run", "node.restore", "pve1", "--yes"]);
    assert_eq!(nothing.code, 1, "{nothing:?}");
    assert!(nothing.err.contains("pve1"), "{nothing:?}");
}

#[test]
fn a_node_is_not_switched_off_by_mistake() {
    let demo = Served::start(&["--guests", "12"]);
    let asked = demo.run(&["run", "node.shutdown", "pve2"]);
    assert_eq!(asked.code, 6, "{asked:?}");
    for part in ["go down with it", "votes remain without pve2", "--yes"] {
        assert!(asked.err.contains(part), "{part}: {asked:?}");
    }
    for (args, code, part) in [
        (&["run", "node.wake", "pve1"][..], 1, "pve1 is online"),
        (&["run", "node.evacuate", "pve9"], 5, "there is no `pve9`"),
        (&["run", "node.service.restart", "pve1"], 2, "needs `service`"),
        (
            &["run", "node.service.restart", "pve1", "-a", "service=nginx", "-y"],
            5,
            "no service `nginx`",
        ),
        (
            &["run", "node.service.stop", "pve1", "-a", "service=pveproxy", "-y"],
            1,
            "does not stop pveproxy",
        ),
        (
            &["run", "node.evacuate", "pve1", "-a", "stopped=leave"],
            2,
            "is one of move, skip",
        ),
        (&["run", "node.restore", "pve1", "-y"], 1, "no evacuation of pve1"),
    ] {
        let refused = demo.run(args);
        assert_eq!(refused.code, code, "{args:?}: {refused:?}");
        assert!(refused.err.contains(part), "{args:?}: {refused:?}");
    }
}
