//! `run` and `journal` against the embedded datacentre.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::demo::{Served, json};

/// The first guest of `prod` that is in this state and stands in nobody's way.
fn guest(demo: &Served, filter: &str) -> (String, String) {
    let guests = json(&demo.run(&["get", "guests", filter, "-o", "json"]));
    let free =
        |guest: &&Value| guest["template"] != true && guest["lock"].is_null() && guest["hastate"].is_null();
    let found = guests.iter().find(free).unwrap();
    (
        found["vmid"].to_string(),
        found["status"].as_str().unwrap().to_owned(),
    )
}

fn status(demo: &Served, vmid: &str) -> String {
    let guests = json(&demo.run(&["get", "guests", "-o", "json"]));
    let found = guests
        .iter()
        .find(|guest| guest["vmid"].as_u64() == vmid.parse().ok())
        .unwrap();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_guest_is_started_and_the_journal_tells_of_it() {
    let demo = Served::start(&["--guests", "40"]);
    let (vmid, _) = guest(&demo, "status:stopped");
    let dry = demo.run(&["run", "guest.start", &vmid, "--dry-run", "-o", "pvesh"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(
        dry.out.starts_with("pvesh create /nodes/") && dry.out.ends_with("/status/start\n"),
        "{dry:?}"
    );
    assert_eq!(status(&demo, &vmid), "stopped");
    let empty = demo.run(&["journal"]);
    assert_eq!(empty.code, 0, "{empty:?}");

    let started = demo.run(&["run", "guest.start", &vmid]);
    assert_eq!(started.code, 0, "{started:?}");
    assert!(started.out.contains(": done (OK)"), "{started:?}");
    assert!(started.err.contains("UPID:"), "{started:?}");
    assert_eq!(status(&demo, &vmid), "running");

    let again = demo.run(&["run", "guest.start", &vmid]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("is running"), "{again:?}");

    let runs = json(&demo.run(&["journal", "list", "-o", "json"]));
    assert_eq!(runs.len(), 1, "what was refused is no run: {runs:?}");
    assert_eq!(
        (&runs[0]["state"], &runs[0]["action"]),
        (&"done".into(), &"guest.start".into())
    );
    let shown = demo.run(&["journal", "show", &runs[0]["run"].to_string()]);
    for part in ["about to be sent", "began UPID:", "done (OK)", "closed"] {
        assert!(shown.out.contains(part), "{part}: {shown:?}");
    }
    let export = demo.run(&["journal", "export"]);
    let facts: Vec<Value> = export
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let facts: Vec<&str> = facts
        .iter()
        .map(|entry| entry["fact"].as_str().unwrap())
        .collect();
    assert_eq!(facts, ["planned", "intended", "began", "ended", "closed"]);
    let secret = demo.value("PVEDECK_TOKEN").split_once('=').unwrap().1.to_owned();
    assert!(!export.out.contains(&secret) && !shown.out.contains(&secret));
    let over = demo.run(&["journal", "continue", &runs[0]["run"].to_string()]);
    assert_eq!(over.code, 6, "{over:?}");
}

#[test]
fn what_disturbs_is_confirmed_and_what_is_read_only_stays_so() {
    let demo = Served::start(&["--guests", "40"]);
    let (vmid, _) = guest(&demo, "status:running");
    let asked = demo.run(&["run", "guest.stop", &vmid]);
    assert_eq!(asked.code, 6, "{asked:?}");
    assert!(
        asked.err.contains("--yes") && asked.err.contains("danger: "),
        "{asked:?}"
    );
    let closed = demo.run(&["--read-only", "run", "guest.stop", &vmid, "--yes"]);
    assert_eq!(closed.code, 6, "{closed:?}");
    assert!(closed.err.contains("read-only"), "{closed:?}");
    let dry = demo.run(&[
        "--read-only",
        "run",
        "guest.stop",
        &vmid,
        "--dry-run",
        "-o",
        "json",
    ]);
    let plan: Value = serde_json::from_str(&dry.out).unwrap();
    assert_eq!(
        (&plan["steps"][0]["method"], &plan["confirmation"]),
        (&"POST".into(), &"yes".into())
    );
    assert_eq!(status(&demo, &vmid), "running");
    let stopped = demo.run(&["run", "guest.stop", &vmid, "--yes", "-o", "json"]);
    assert_eq!(json(&stopped)[0]["outcome"], "done");
    assert_eq!(status(&demo, &vmid), "stopped");
}

#[test]
fn a_snapshot_is_made_and_removed_and_mistakes_are_told_apart() {
    let demo = Served::start(&["--guests", "40"]);
    let (vmid, _) = guest(&demo, "status:stopped");
    let name = "snapshot=from-a-test";
    let made = demo.run(&["run", "guest.snapshot.create", &vmid, "-a", name]);
    assert_eq!(made.code, 0, "{made:?}");
    let twice = demo.run(&["run", "guest.snapshot.create", &vmid, "-a", name]);
    assert_eq!(twice.code, 1, "{twice:?}");
    let gone = demo.run(&["run", "guest.snapshot.delete", &vmid, "-a", name, "-y"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    for (args, code, part) in [
        (&["run", "guest.explode", "100"][..], 2, "there is no action"),
        (
            &["run", "guest.start", "no-such-guest"],
            5,
            "there is no `no-such-guest`",
        ),
        (
            &["run", "guest.snapshot.delete", &vmid, "-a", "snapshot=nope", "-y"],
            5,
            "no snapshot `nope`",
        ),
        (&["run", "guest.snapshot.create", &vmid], 2, "needs `snapshot`"),
        (
            &["run", "guest.migrate", &vmid, "-a", "target=pve99"],
            5,
            "there is no node pve99",
        ),
        (&["run", "task.stop", "UPID:x", "-y"], 5, "there is no"),
        (&["journal", "show", "77"], 5, "there is no run 77"),
    ] {
        let refused = demo.run(args);
        assert_eq!(refused.code, code, "{args:?}: {refused:?}");
        assert!(refused.err.contains(part), "{args:?}: {refused:?}");
    }
}

#[test]
fn a_killed_run_is_gone_on_with_and_nothing_is_done_twice() {
    let demo = Served::start(&["--guests", "40"]);
    let (vmid, _) = guest(&demo, "status:stopped");
    let env =
        ["PVEDECK_URL", "PVEDECK_TOKEN", "PVEDECK_CA_FILE"].map(|name| (name, demo.value(name).to_owned()));
    let mut process = demo
        .home
        .command(&["run", "guest.start", &vmid])
        .envs(env)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(process.stderr.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert!(said.contains("UPID:"), "{said}");
    let second = demo.run(&["journal", "continue", "1"]);
    assert_eq!(second.code, 6, "another console is at it: {second:?}");
    process.kill().unwrap();
    process.wait().unwrap();
    let runs = json(&demo.run(&["journal", "list", "-o", "json"]));
    assert_eq!(runs[0]["state"], "interrupted");
    let gone_on = demo.run(&["journal", "continue", "1"]);
    assert_eq!(gone_on.code, 0, "{gone_on:?}");
    assert_eq!(status(&demo, &vmid), "running");
    let tasks = json(&demo.run(&["get", "tasks", "-o", "json"]));
    let upid = said.trim().rsplit_once(' ').unwrap().1;
    let kind = upid.split(':').nth(5).unwrap();
    let ours = tasks.iter().find(|task| task["upid"] == upid).unwrap();
    let started = ours["starttime"].as_i64().unwrap();
    let recent = tasks
        .iter()
        .filter(|task| {
            task["type"] == kind && task["id"] == *vmid && task["starttime"].as_i64() >= Some(started)
        })
        .count();
    assert_eq!(recent, 1, "{tasks:?}");
}
