//! A Backup Server read and acted on by commands.

use serde_json::Value;

use crate::demo::{Served, json};

fn backups(demo: &Served, filter: &[&str]) -> Vec<Value> {
    let mut args = vec!["get", "server-backups"];
    args.extend(filter);
    args.extend(["-o", "json"]);
    json(&demo.run(&args))
}

/// Which of two customers' groups are looked at.
const GROUP: [&str; 2] = ["customers/acme", "name:2102"];

#[test]
fn datastores_and_backups_are_listed() {
    let demo = Served::start(&["--guests", "6", "--seed", "3"]);
    let stores = json(&demo.run(&["get", "datastores", "-o", "json"]));
    let names: Vec<&str> = stores
        .iter()
        .filter_map(|row| row["datastore"].as_str())
        .collect();
    assert_eq!(names, ["main", "archive", "scratch"]);
    assert_eq!(stores[2]["status"], "offline");
    assert!(stores[0]["failed"].as_u64() > Some(0), "{}", stores[0]);
    assert!(!backups(&demo, &["type:host"]).is_empty());
    let failed = backups(&demo, &["status:failed"]);
    assert!(failed.iter().all(|row| row["name"] == "2102"), "{failed:?}");
    let kinds: Vec<Value> = json(&demo.run(&["get", "findings", "-o", "json"]))
        .into_iter()
        .map(|row| row["kind"].clone())
        .collect();
    for kind in [
        "verification-failed",
        "datastore-full",
        "datastore-job-failed",
        "collection-failed",
    ] {
        assert!(kinds.iter().any(|one| one == kind), "{kind}: {kinds:?}");
    }
    let page = demo.run(&["show", "datastore", "main:hosts", "--size", "100x30"]);
    assert!(
        page.out.contains("host/mail01") && !page.out.contains("vm/2101"),
        "{}",
        page.out
    );
}

#[test]
fn a_prune_says_before_what_it_does() {
    let demo = Served::start(&["--guests", "6", "--seed", "3"]);
    let prune = [
        "run",
        "datastore.prune",
        "main",
        "--keep-last",
        "3",
        "--namespace",
        "customers/acme",
    ];
    let before = backups(&demo, &GROUP).len();
    let plan = demo.run(&[&prune[..], &["--dry-run"]].concat());
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(
        plan.out
            .contains(&format!("customers/acme:vm/2102: 3 stay, {} go", before - 3)),
        "{}",
        plan.out
    );
    assert!(
        plan.out.contains("POST /admin/datastore/main/prune-datastore"),
        "{}",
        plan.out
    );
    assert_eq!(backups(&demo, &GROUP).len(), before, "a plan removes nothing");
    let refused = demo.run(&prune);
    assert_eq!(refused.code, 6, "unconfirmed: {refused:?}");
    let done = demo.run(&[&prune[..], &["--yes"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(backups(&demo, &GROUP).len(), 3);
    let nothing = demo.run(&["run", "datastore.prune", "main", "--yes"]);
    assert!(
        nothing.code == 2 && nothing.err.contains("say what to keep"),
        "{nothing:?}"
    );
    let offline = demo.run(&["run", "datastore.collect", "scratch", "--yes"]);
    assert!(
        offline.err.contains("offline maintenance: disk swap"),
        "{offline:?}"
    );
}

#[test]
fn a_backup_is_protected_noted_and_forgotten() {
    let demo = Served::start(&["--guests", "6", "--seed", "3"]);
    let name = backups(&demo, &GROUP)[0]["backup"].as_str().unwrap().to_owned();
    let run = |deed: &str, more: &[&str]| demo.run(&[&["run", deed, &name], more, &["--yes"]].concat());
    let shown = || {
        backups(&demo, &GROUP)
            .into_iter()
            .find(|row| row["backup"] == name.as_str())
    };
    assert_eq!(
        run("server-backup.notes", &["--notes", "before the move"]).code,
        0
    );
    assert_eq!(run("server-backup.protect", &[]).code, 0);
    let row = shown().unwrap();
    assert_eq!(
        (&row["notes"], &row["protected"]),
        (&"before the move".into(), &true.into())
    );
    let refused = run("server-backup.forget", &[]);
    assert!(
        refused.code != 0 && refused.err.contains("is protected"),
        "{refused:?}"
    );
    assert_eq!(run("server-backup.unprotect", &[]).code, 0);
    let read_only = demo.run(&["--read-only", "run", "server-backup.forget", &name, "--yes"]);
    assert_eq!(read_only.code, 6, "{read_only:?}");
    assert_eq!(run("server-backup.forget", &[]).code, 0);
    assert!(shown().is_none());
    let journal = demo.run(&["journal"]);
    assert!(journal.out.contains("Forget"), "{}", journal.out);
}

#[test]
fn a_job_runs_and_its_end_is_told() {
    let demo = Served::start(&["--guests", "6", "--seed", "3"]);
    let failed = demo.run(&[
        "run",
        "datastore.job.run",
        "archive",
        "--job",
        "s-offsite",
        "--yes",
    ]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.out.contains("Connection refused"), "{}", failed.out);
    let unknown = demo.run(&["run", "datastore.job.run", "archive", "--job", "ghost", "--yes"]);
    assert!(
        unknown.err.contains("it has: v-archive, s-archive, s-offsite"),
        "{unknown:?}"
    );
    let looker = demo.run(&["run", "datastore.collect", "nothing", "--yes"]);
    assert_eq!(looker.code, 5, "{looker:?}");
}
