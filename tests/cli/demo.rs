//! The embedded datacentre as its own process, and the commands against it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::home::{Home, Outcome};

pub(crate) struct Served {
    pub(crate) home: Home,
    process: Child,
    connection: Vec<(String, String)>,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        let home = Home::new();
        let mut all = vec!["demo", "--serve"];
        all.extend(args);
        let mut process = home
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Four lines for each of the two hosts and the Backup Server; then it only waits.
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().take(12);
        let connection: Vec<(String, String)> = lines
            .map(|line| {
                let line = line.unwrap();
                let (name, value) = line
                    .split_once('=')
                    .unwrap_or_else(|| panic!("no assignment: {line}"));
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self {
            home,
            process,
            connection,
        }
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.connection.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{name} is not printed")).1
    }

    /// Runs a command as a shell would that has taken over the assignments.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.run_as(args, self.value("PVEDECK_TOKEN"))
    }

    pub(crate) fn run_as(&self, args: &[&str], token: &str) -> Outcome {
        let mut env: Vec<(&str, &str)> = self
            .connection
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        env.push(("PVEDECK_TOKEN", token));
        self.home.run_with(args, &env)
    }

    fn end(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn json(outcome: &Outcome) -> Vec<Value> {
    assert_eq!(outcome.code, 0, "{outcome:?}");
    serde_json::from_str(&outcome.out).unwrap()
}

#[test]
fn every_list_is_read_from_it() {
    let demo = Served::start(&["--guests", "12", "--nodes", "2", "--seed", "3"]);
    assert_eq!(json(&demo.run(&["get", "guests", "-o", "json"])).len(), 12);
    assert_eq!(json(&demo.run(&["get", "nodes", "-o", "json"])).len(), 2);
    for resource in ["clusters", "storages", "tasks", "findings", "snapshots"] {
        let rows = json(&demo.run(&["get", resource, "-o", "json"]));
        assert!(!rows.is_empty(), "{resource}");
    }
    let csv = demo.run(&["get", "guests", "-o", "csv"]);
    assert_eq!(csv.out.lines().count(), 13, "{}", csv.out);
    let running = json(&demo.run(&["get", "guests", "status:running", "-o", "json"]));
    assert!(!running.is_empty() && running.iter().all(|guest| guest["status"] == "running"));
}

#[test]
fn metrics_are_printed_and_drawn() {
    let demo = Served::start(&["--guests", "6", "--seed", "3"]);
    let nodes = json(&demo.run(&["get", "nodes", "-o", "json"]));
    let node = nodes[0]["node"].as_str().unwrap();
    let cpu = json(&demo.run(&[
        "get", "metrics", node, "--metric", "cpu", "--range", "2h", "-o", "json",
    ]));
    assert!(cpu.len() > 60, "{} rows of two hours", cpu.len());
    for row in &cpu {
        assert_eq!(row["metric"], "cpu");
        assert_eq!(row["unit"], "ratio");
        assert!((0.0..=1.0).contains(&row["value"].as_f64().unwrap()), "{row}");
    }
    let times: Vec<i64> = cpu.iter().filter_map(|row| row["time"].as_i64()).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    let table = demo.run(&["get", "metrics", node]);
    assert!(
        table.out.contains("network") && table.out.contains("iB/s"),
        "{}",
        table.out
    );

    let graph = demo.run(&[
        "show", "metrics", node, "--metric", "memory", "--range", "1d", "--size", "90x20",
    ]);
    assert_eq!(graph.code, 0, "{graph:?}");
    for part in ["memory · last 1 day · rrd", "avg", "┤"] {
        assert!(graph.out.contains(part), "{part}: {}", graph.out);
    }
    assert!(
        graph.out.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)),
        "{}",
        graph.out
    );

    for (args, code, said) in [
        (
            &["get", "metrics", "nobody"][..],
            5,
            "no guest, node or NODE/STORAGE `nobody`",
        ),
        (&["get", "metrics"], 2, "of which object"),
        (
            &["get", "metrics", node, "--metric", "fill"],
            2,
            "it has cpu, iowait",
        ),
        (
            &["get", "metrics", node, "--range", "7"],
            2,
            "a span is written as",
        ),
        (
            &["show", "metrics", node, "--metric", "heat"],
            2,
            "there is no metric `heat`",
        ),
    ] {
        let outcome = demo.run(args);
        assert_eq!(outcome.code, code, "{args:?} {outcome:?}");
        assert!(outcome.err.contains(said), "{args:?} {outcome:?}");
    }
}

#[test]
fn sign_ins_are_told_apart() {
    let demo = Served::start(&["--guests", "5"]);
    let doctor = demo.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:?}");
    let wrong = demo.run_as(&["get", "nodes"], "root@pam!demo=wrong");
    assert_eq!(wrong.code, 4, "{wrong:?}");
    assert!(
        wrong.out.is_empty() && wrong.err.contains("sign-in failed"),
        "{wrong:?}"
    );
}

#[test]
fn both_hosts_can_be_configured() {
    let demo = Served::start(&["--guests", "5"]);
    let section = |name: &str, prefix: &str| {
        let value = |key: &str| demo.value(&format!("{prefix}_{key}")).to_owned();
        format!(
            "[clusters.{name}]\nurl = \"{}\"\ntoken = \"{}\"\nca_file = \"{}\"\n",
            value("URL"),
            value("TOKEN"),
            value("CA_FILE")
        )
    };
    let text = section("main", "PVEDECK") + &section("side", "PVEDECK_LAB");
    demo.home.file("config.toml", &text, 0o600);
    let clusters = json(&demo.home.run(&["get", "clusters", "-o", "json"]));
    let names: Vec<&Value> = clusters.iter().map(|cluster| &cluster["cluster"]).collect();
    assert_eq!(names, ["main", "side"]);
    assert_eq!(clusters[0]["status"], "quorate");
    assert_eq!(clusters[1]["status"], "standalone");
}

#[test]
fn it_ends_on_a_signal_and_leaves_nothing() {
    let demo = Served::start(&["--guests", "1"]);
    let ca_file = demo.value("PVEDECK_CA_FILE").to_owned();
    assert!(Path::new(&ca_file).exists());
    assert_eq!(demo.end(), Some(0));
    assert!(!Path::new(&ca_file).exists());
}

#[test]
fn without_a_terminal_there_is_no_console() {
    let outcome = Home::new().run(&["demo", "--guests", "1"]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome.err.contains("terminal") && outcome.out.is_empty(),
        "{outcome:?}"
    );
    assert_eq!(Home::new().run(&["demo", "--guests", "10001"]).code, 2);
}
