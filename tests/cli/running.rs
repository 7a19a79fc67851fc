//! How `run` is told what to do: options, targets, clusters, waiting, quotas, exit codes, and the README's examples.

use std::{
    fmt::Write as _,
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::{
    demo::{Served, json},
    home::{Home, Outcome},
    support::{
        recording::Answer,
        scripted::{Reply, Scripted},
    },
};

const README: &str = include_str!("../../README.md");

fn guests(demo: &Served, filter: &str) -> Vec<Value> {
    json(&demo.run(&["get", "guests", filter, "-o", "json"]))
        .into_iter()
        .filter(|guest| guest["template"] != true && guest["lock"].is_null() && guest["hastate"].is_null())
        .collect()
}

#[test]
fn every_action_tells_of_its_arguments() {
    let home = Home::new();
    let help = home.run(&["run", "guest.migrate", "--help"]);
    assert_eq!(help.code, 0, "{help:?}");
    for part in [
        "--target <NODE>",
        "node to go to (required)",
        "--with-local-disks",
        "copy disks on local storages too",
        "VM.Migrate",
        "--no-wait",
    ] {
        assert!(help.out.contains(part), "{part}: {}", help.out);
    }
    let all = home.run(&["run", "--help"]);
    for name in ["guest.start", "guest.disk.resize", "task.stop"] {
        assert!(all.out.contains(name), "{name}: {}", all.out);
    }
    let unknown = home.run(&["run", "guest.explode", "104"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(
        unknown.err.contains("guest.disk.resize"),
        "it lists all: {unknown:?}"
    );
    let manual = home.run(&["man", "guest.migrate"]);
    assert_eq!(manual.code, 0, "{manual:?}");
    assert!(manual.out.contains("with\\-local\\-disks"), "{}", manual.out);
    let completions = home.run(&["completions", "bash"]);
    assert!(completions.out.contains("guest.migrate") && completions.out.contains("--with-local-disks"));
}

#[test]
fn an_argument_is_given_once() {
    let demo = Served::start(&["--guests", "10"]);
    let vmid = guests(&demo, "status:stopped")[0]["vmid"].to_string();
    let both = ["run", "guest.tags", &vmid, "--add", "a", "-a", "add=b"];
    let twice = demo.run(&both);
    assert_eq!(twice.code, 2, "{twice:?}");
    assert!(twice.err.contains("`add` is given twice"), "{twice:?}");
}

#[test]
fn who_does_not_wait_is_told_what_has_begun() {
    let demo = Served::start(&["--guests", "40"]);
    let vmid = guests(&demo, "status:stopped")[0]["vmid"].to_string();
    let begun = demo.run(&["run", "guest.start", &vmid, "--no-wait"]);
    assert_eq!(begun.code, 0, "{begun:?}");
    assert!(begun.out.contains(": begun (UPID:"), "{begun:?}");
    let runs = json(&demo.run(&["journal", "list", "-o", "json"]));
    assert_eq!(runs[0]["state"], "begun");
    // There is nothing to go on with.
    assert_eq!(demo.run(&["journal", "continue", "1"]).code, 6);
}

#[test]
fn a_cluster_that_is_away_stands_in_the_way_of_what_could_be_there_only() {
    let demo = Served::start(&["--guests", "20"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let value = |key: &str| demo.value(&format!("PVEDECK_{key}")).to_owned();
    let text = format!(
        "[clusters.away]\nurl = \"https://{closed}\"\ntoken = \"{token}\"\nca_file = \"{ca}\"\n\
         [clusters.prod]\nurl = \"{url}\"\ntoken = \"{token}\"\nca_file = \"{ca}\"\n",
        token = value("TOKEN"),
        ca = value("CA_FILE"),
        url = value("URL")
    );
    demo.home.file("config.toml", &text, 0o600);
    let vmid = guests(&demo, "status:stopped")[0]["vmid"].to_string();
    let plain = demo.home.run(&["run", "guest.start", &vmid, "--dry-run"]);
    assert_eq!(plain.code, 3, "{plain:?}");
    assert!(
        plain
            .err
            .contains(&format!("say CLUSTER/{vmid}, or choose with --cluster")),
        "{plain:?}"
    );
    let qualified = format!("prod/{vmid}");
    for args in [
        &["run", "guest.start", &qualified, "--dry-run"][..],
        &["run", "guest.start", &vmid, "--dry-run", "--cluster", "prod"],
    ] {
        let planned = demo.home.run(args);
        assert_eq!(planned.code, 0, "{planned:?}");
        assert!(planned.out.contains("/status/start (prod)"), "{planned:?}");
    }
    let there = demo.home.run(&["run", "guest.start", "away/104", "--dry-run"]);
    assert_eq!(there.code, 3, "{there:?}");
}

#[test]
fn a_quota_is_listed_and_kept() {
    let demo = Served::start(&["--guests", "20"]);
    let all = json(&demo.run(&["get", "guests", "-o", "json"]));
    let pool = all
        .iter()
        .find_map(|guest| guest["pool"].as_str())
        .unwrap()
        .to_owned();
    let members = all.iter().filter(|guest| guest["pool"] == *pool).count();
    let text = format!("[quotas.small]\npool = \"{pool}\"\nguests = {members}\nmemory = 4096\n");
    demo.home.file("config.toml", &text, 0o600);
    let quotas = json(&demo.run(&["get", "quotas", "-o", "json"]));
    assert_eq!(quotas.len(), 2, "{quotas:?}");
    assert_eq!(
        (&quotas[0]["used"], &quotas[0]["left"]),
        (&members.into(), &0.into())
    );
    let vmid = guests(&demo, "status:stopped type:qemu")[0]["vmid"].to_string();
    let clone = ["run", "guest.clone", &vmid, "--pool", &pool, "--dry-run"];
    let refused = demo.run(&clone);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("quota small: guests would be"),
        "{refused:?}"
    );
    demo.home.file("config.toml", "", 0o600);
    assert_eq!(demo.run(&["get", "quotas"]).code, 5);
    assert_eq!(demo.run(&clone).code, 0);
}

#[test]
fn the_configuration_asks_for_more() {
    let demo = Served::start(&["--guests", "20"]);
    let text = "[acting]\nconfirm = { \"guest.start\" = \"yes\" }\n";
    demo.home.file("config.toml", text, 0o600);
    let vmid = guests(&demo, "status:stopped")[0]["vmid"].to_string();
    let asked = demo.run(&["run", "guest.start", &vmid]);
    assert_eq!(asked.code, 6, "{asked:?}");
    let less = "[acting]\nconfirm = { \"guest.stop\" = \"none\" }\n";
    demo.home.file("config.toml", less, 0o600);
    let wrong = demo.run(&["config", "check"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(format!("{wrong:?}").contains("config.toml:2:28"), "{wrong:?}");
}

/// One running machine; a call is cut off, and from then on the node says nothing of its tasks.
fn on_a_server(permissions: &'static str, args: &[&str]) -> Outcome {
    const RESOURCES: &str = r#"{"data":[{"type":"node","node":"pve1","status":"online","id":"node/pve1"},
        {"type":"qemu","vmid":104,"node":"pve1","status":"running","name":"web-01","id":"qemu/104"}]}"#;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let writes = AtomicUsize::new(0);
    let server = runtime.block_on(Scripted::start(move |asked, _| {
        if asked.method == "POST" {
            writes.fetch_add(1, Ordering::SeqCst);
            return Reply::Bytes(Vec::new());
        }
        let path = asked.path.split('?').next().unwrap_or_default();
        Reply::Answer(match path.trim_start_matches("/api2/json") {
            "/cluster/resources" => Answer::json(RESOURCES),
            "/access/permissions" => Answer::json(permissions),
            "/nodes/pve1/tasks" if writes.load(Ordering::SeqCst) == 0 => Answer::json(r#"{"data":[]}"#),
            other => Answer::not_implemented("GET", other),
        })
    }));
    let (url, fingerprint) = (server.url(), server.fingerprint().to_owned());
    let mut all = args.to_vec();
    all.extend(["--url", &url, "--fingerprint", &fingerprint]);
    let outcome = Home::new().run_with(&all, &[("PVEDECK_TOKEN", "root@pam!test=secret")]);
    let sent = server
        .lines()
        .iter()
        .filter(|line| line.starts_with("POST "))
        .count();
    assert!(sent <= 1, "it was sent more than once: {:?}", server.lines());
    outcome
}

#[test]
fn a_missing_privilege_is_four_and_an_unknown_outcome_is_seven() {
    let refused = on_a_server(
        r#"{"data":{"/":{"VM.Audit":1}}}"#,
        &["run", "guest.stop", "104", "--yes"],
    );
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.err.contains("lacks VM.PowerMgmt on /vms/104"),
        "{refused:?}"
    );
    let lost = on_a_server(
        r#"{"data":{"/":{"VM.PowerMgmt":1}}}"#,
        &["run", "guest.stop", "104", "--yes"],
    );
    assert_eq!(lost.code, 7, "{lost:?}");
    assert!(lost.err.contains("pvedeck journal continue 1"), "{lost:?}");
}

/// The README's names for guests and nodes, and what stands for them here.
fn examples(demo: &Served) -> Vec<Vec<String>> {
    let stopped = guests(demo, "status:stopped type:qemu");
    let running = guests(demo, "status:running type:qemu");
    let named = |guest: &Value| guest["name"].as_str().unwrap().to_owned();
    let unique = |guest: &&Value| {
        let all = guests(demo, "");
        all.iter().filter(|other| other["name"] == guest["name"]).count() == 1
    };
    let mut web = running.iter().filter(unique).map(named);
    let (first, second) = (web.next().unwrap(), web.next().unwrap());
    let last = stopped.last().unwrap();
    let elsewhere = ["pve1", "pve2"].into_iter().find(|node| last["node"] != *node);
    let mut lines = Vec::new();
    for line in README.lines().filter(|line| line.starts_with("pvedeck run ")) {
        let line = line.split('#').next().unwrap();
        let words = line.split_whitespace().skip(1).map(|word| match word {
            "101" => stopped[0]["vmid"].to_string(),
            "104" => last["vmid"].to_string(),
            "105" => running.last().unwrap()["vmid"].to_string(),
            "web-01" => first.clone(),
            "web-02" => second.clone(),
            "pve2" => elsewhere.unwrap().to_owned(),
            other => other.to_owned(),
        });
        lines.push(words.collect());
    }
    lines
}

#[test]
fn the_examples_of_the_readme_do_what_they_say() {
    let demo = Served::start(&["--guests", "40", "--speed", "50"]);
    let lines = examples(&demo);
    assert!(lines.len() >= 6, "{lines:?}");
    let mut said = String::new();
    for line in &lines {
        // Three copies of whole disks take the demo a minute: one shows the same.
        let line: Vec<&str> = line
            .iter()
            .map(|word| if word == "3" { "1" } else { word })
            .collect();
        let outcome = demo.run(&line);
        assert_eq!(outcome.code, 0, "{line:?}: {outcome:?}");
        writeln!(said, "{}", outcome.out).unwrap();
    }
    for part in ["/status/start", ": done (OK)", "curl --fail-with-body", "cores=6"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
