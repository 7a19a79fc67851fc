//! Commands against servers that answer, refuse, misbehave or are not there.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::{
    home::{Home, Outcome},
    support::{
        estate,
        recording::{Answer, Recording},
        replay::{Fault, Replay},
    },
};

const TOKEN: &str = "root@pam!test=00000000-0000-4000-8000-000000000000";
const PERMISSIONS: &str = r#"{"data":{"/":{"Sys.Audit":1,"VM.Audit":1,"Datastore.Audit":1,"Pool.Audit":1}}}"#;

fn server() -> Replay {
    let server = Replay::start(recording());
    server.demand(&format!("PVEAPIToken={TOKEN}"));
    server
}

fn recording() -> Recording {
    estate::recording(5).with("/access/permissions", Answer::json(PERMISSIONS))
}

/// Runs a command with the connection on the command line.
fn on(server: &Replay, args: &[&str]) -> Outcome {
    let (url, ca_file) = (server.url(), server.ca_file());
    let mut all = args.to_vec();
    all.extend(["--url", &url, "--ca-file", ca_file.to_str().unwrap()]);
    Home::new().run_with(&all, &[("PVEDECK_TOKEN", TOKEN)])
}

fn json_of(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[test]
fn a_server_that_keeps_its_version_to_itself_is_signed_in_to_all_the_same() {
    let server = server();
    server.fault(
        "/version",
        Fault::Instead(Answer::not_implemented("GET", "/version")),
    );
    let clusters = on(&server, &["get", "clusters", "-o", "json"]);
    assert_eq!(clusters.code, 0, "{clusters:?}");
    assert_eq!(json_of(&clusters)[0]["version"], Value::Null);
    let doctor = on(&server, &["doctor"]);
    assert!(doctor.out.contains("sign-in        accepted"), "{doctor:?}");
    assert!(doctor.out.contains("does not tell it"), "{doctor:?}");
}

#[test]
fn without_quorum_and_tasks_the_findings_are_no_success() {
    let server = server();
    let refused = Answer::new(
        403,
        "Permission check failed (/, Sys.Audit)",
        "application/json",
        b"{\"data\":null}",
    );
    server.fault("/cluster/status", Fault::Instead(refused));
    let findings = on(&server, &["get", "findings"]);
    assert_eq!(findings.code, 4, "{findings:?}");
    assert!(findings.err.contains("Sys.Audit"), "{findings:?}");
    let clusters = on(&server, &["get", "clusters", "-o", "json"]);
    assert_eq!(clusters.code, 0, "{clusters:?}");
    assert_eq!(json_of(&clusters)[0]["quorate"], Value::Null);
}

#[test]
fn guests_as_json_csv_and_table() {
    let server = server();
    let json = on(&server, &["get", "guests", "-o", "json"]);
    assert_eq!(json.code, 0, "{json:?}");
    let guests = json_of(&json);
    assert_eq!(guests.as_array().unwrap().len(), 5);
    let first = guests[0].as_object().unwrap();
    for key in [
        "vmid", "name", "type", "node", "cluster", "status", "cpu", "maxcpu", "mem", "maxmem", "disk",
        "maxdisk", "uptime", "tags", "pool", "template", "lock", "hastate",
    ] {
        assert!(first.contains_key(key), "{key}");
    }
    let vmids: Vec<u64> = guests
        .as_array()
        .unwrap()
        .iter()
        .map(|guest| guest["vmid"].as_u64().unwrap())
        .collect();
    assert!(vmids.is_sorted());

    let csv = on(&server, &["get", "guests", "-o", "csv"]);
    assert_eq!(csv.out.lines().count(), 6);
    assert!(
        csv.out.starts_with("vmid,name,type,node,cluster,status,"),
        "{}",
        csv.out
    );
    let table = on(&server, &["get", "guests"]);
    assert!(table.out.starts_with("VMID  NAME"), "{}", table.out);
    assert!(!table.out.contains('\u{1b}'));

    let one = vmids[2].to_string();
    let filtered = on(&server, &["get", "guests", &one, "-o", "json"]);
    assert_eq!(json_of(&filtered)[0]["vmid"], json!(vmids[2]));
    assert_eq!(json_of(&filtered).as_array().unwrap().len(), 1);
    assert_eq!(
        on(&server, &["get", "guests", "nothing-like-this", "-o", "json"]).out,
        "[]\n"
    );
}

#[test]
fn the_connection_can_be_all_environment() {
    let server = server();
    let fingerprint = server.fingerprint();
    let url = server.url();
    let env = [
        ("PVEDECK_TOKEN", TOKEN),
        ("PVEDECK_URL", &*url),
        ("PVEDECK_FINGERPRINT", &*fingerprint),
    ];
    let nodes = Home::new().run_with(&["get", "nodes", "-o", "json"], &env);
    assert_eq!(nodes.code, 0, "{nodes:?}");
    assert_eq!(json_of(&nodes)[0]["cluster"], server.address().to_string());
}

#[test]
fn a_wrong_token_is_four() {
    let server = server();
    server.demand("PVEAPIToken=somebody@else!x=y");
    let outcome = on(&server, &["get", "guests"]);
    assert_eq!(outcome.code, 4, "{outcome:?}");
    assert!(outcome.out.is_empty());
    assert!(
        outcome.err.contains("sign-in failed") && !outcome.err.contains("00000000"),
        "{}",
        outcome.err
    );
}

#[test]
fn nobody_there_is_three() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("https://{closed}");
    let outcome = Home::new().run_with(&["get", "guests", "--url", &url], &[("PVEDECK_TOKEN", TOKEN)]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.out.is_empty());
    assert!(outcome.err.contains(&url), "{}", outcome.err);
}

#[test]
fn an_untrusted_certificate_is_three_and_nothing_is_sent() {
    let server = server();
    let outcome = Home::new().run_with(
        &["get", "guests", "--url", &server.url()],
        &[("PVEDECK_TOKEN", TOKEN)],
    );
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.err.contains("not trusted") && outcome.err.contains("pvedeck login"),
        "{}",
        outcome.err
    );
    assert!(server.requests().is_empty());
}

#[test]
fn another_web_server_is_three_and_said() {
    let server = server();
    server.fault("*", Fault::html());
    let outcome = on(&server, &["get", "guests"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("web page"), "{}", outcome.err);
}

#[test]
fn one_dead_cluster_hides_nothing_of_the_other() {
    let (server, home) = (server(), Home::new());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "[clusters.dead]\nurl = \"https://{closed}\"\ntoken_file = \"t\"\n[clusters.alive]\nurl = \"{}\"\n\
         token_file = \"t\"\nfingerprint = \"{}\"\n",
        server.url(),
        server.fingerprint()
    );
    home.file("config.toml", &text, 0o644);
    home.file("t", TOKEN, 0o600);
    let both = home.run(&["get", "nodes", "-o", "json"]);
    assert_eq!(both.code, 3);
    assert!(both.err.starts_with("dead: "), "{}", both.err);
    assert_eq!(json_of(&both)[0]["cluster"], "alive");
    let one = home.run(&["--cluster", "alive", "get", "nodes"]);
    assert_eq!((one.code, &*one.err), (0, ""));
    assert_eq!(home.run(&["--cluster", "alvie", "get", "nodes"]).code, 2);
}

#[test]
fn hostile_names_drive_no_terminal() {
    let server = server();
    let row = r#"{"data":[{"id":"qemu/100","type":"qemu","vmid":100,"node":"pve1","status":"running",
        "name":"a\u001b]0;x\u0007\u009b31m\u202eb\n=1"}]}"#;
    server.replace(recording().with("/cluster/resources", Answer::json(row)));
    for format in ["table", "wide", "csv", "json"] {
        let outcome = on(&server, &["get", "guests", "-o", format]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let harmful = outcome
            .out
            .chars()
            .find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
        assert_eq!(harmful, None, "{format}: {}", outcome.out);
    }
}

#[test]
fn findings_are_those_of_the_store() {
    let server = server();
    let rows = r#"{"data":[
        {"id":"node/pve1","type":"node","node":"pve1","status":"online","cpu":0.1,"maxcpu":4,"mem":1,"maxmem":10},
        {"id":"node/pve2","type":"node","node":"pve2","status":"offline"},
        {"id":"storage/pve1/tank","type":"storage","storage":"tank","node":"pve1","status":"available",
         "plugintype":"zfspool","content":"images","shared":0,"disk":97,"maxdisk":100}]}"#;
    server.replace(recording().with("/cluster/resources", Answer::json(rows)));
    let outcome = on(&server, &["get", "findings", "-o", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let findings = json_of(&outcome);
    let of = |kind: &str| {
        findings
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["kind"] == kind)
            .cloned()
    };
    assert_eq!(of("node-offline").unwrap()["node"], "pve2");
    assert_eq!(of("storage-full").unwrap()["severity"], "critical");
    assert!(server.asked("/nodes/pve1/services") == 1 && server.asked("/nodes/pve2/services") == 0);
    let critical = json_of(&on(
        &server,
        &[
            "get",
            "findings",
            "status:critical",
            "type:storage-full",
            "-o",
            "json",
        ],
    ));
    assert_eq!(critical.as_array().unwrap().len(), 1, "{critical}");
}

#[test]
fn doctor_is_content_with_a_good_connection() {
    let outcome = on(&server(), &["doctor", "-o", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let checks = json_of(&outcome);
    let of = |name: &str| {
        let check = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == name);
        check.unwrap_or_else(|| panic!("{name} is not in {checks}"))["status"].clone()
    };
    for name in [
        "state",
        "configuration",
        "name",
        "connection",
        "certificate",
        "trust",
        "sign-in",
        "version",
        "privileges",
    ] {
        assert_eq!(of(name), "ok", "{name}: {checks}");
    }
}

#[test]
fn doctor_names_cause_and_remedy() {
    let refused = server();
    refused.demand("PVEAPIToken=somebody@else!x=y");
    let blind = server();
    blind.replace(recording().with("/access/permissions", Answer::json(r#"{"data":{}}"#)));
    let html = server();
    html.fault("*", Fault::html());
    for (server, code, check, words) in [
        (&refused, 4, "sign-in", "token"),
        (&blind, 4, "privileges", "PVEAuditor"),
        (&html, 3, "api", "8006"),
    ] {
        let outcome = on(server, &["doctor", "-o", "json"]);
        assert_eq!(outcome.code, code, "{outcome:?}");
        let checks = json_of(&outcome);
        let failed = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["status"] == "failed")
            .unwrap();
        assert_eq!(failed["check"], check, "{failed}");
        assert!(
            format!("{}{}", failed["message"], failed["remedy"]).contains(words),
            "{failed}"
        );
        assert!(!failed["remedy"].as_str().unwrap().is_empty(), "{failed}");
    }
}

#[test]
fn login_writes_what_works_and_nothing_else() {
    let (server, home) = (server(), Home::new());
    let (url, fingerprint) = (server.url(), server.fingerprint());
    let env = [("PVEDECK_TOKEN", TOKEN)];

    let unconfirmed = home.run_with(&["login", "--url", &url, "--name", "lab"], &env);
    assert_eq!(unconfirmed.code, 6, "{unconfirmed:?}");
    assert!(
        unconfirmed.err.contains(&format!("--fingerprint {fingerprint}")),
        "{}",
        unconfirmed.err
    );
    assert!(
        server.requests().is_empty(),
        "nothing is sent before somebody trusts"
    );
    let wrong = home.run_with(&["login", "--url", &url, "--fingerprint", &"ab".repeat(32)], &env);
    assert_eq!(wrong.code, 3, "{wrong:?}");
    server.demand("PVEAPIToken=somebody@else!x=y");
    let refused = home.run_with(&["login", "--url", &url, "--fingerprint", &fingerprint], &env);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(!home.config().exists(), "nothing is written that does not work");

    server.demand(&format!("PVEAPIToken={TOKEN}"));
    home.file("config.toml", "# mine\n[ui]\nmouse = false\n", 0o644);
    let done = home.run_with(
        &[
            "login",
            "--url",
            &url,
            "--fingerprint",
            &fingerprint,
            "--name",
            "lab",
        ],
        &env,
    );
    assert_eq!(done.code, 0, "{done:?}");
    let text = fs::read_to_string(home.config()).unwrap();
    assert!(
        text.starts_with("# mine\n[ui]\nmouse = false\n") && text.contains("[clusters.lab]"),
        "{text}"
    );
    assert_eq!(
        fs::metadata(home.config()).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(home.run(&["get", "nodes"]).code, 0);

    // A renewed certificate stops everything until it is accepted; the sign-in is kept.
    server.change_certificate();
    let changed = home.run(&["get", "nodes"]);
    assert_eq!(changed.code, 3, "{changed:?}");
    assert!(
        changed.err.contains(&fingerprint) && changed.err.contains(&server.fingerprint()),
        "{}",
        changed.err
    );
    let accepted = home.run(&[
        "login",
        "--cluster",
        "lab",
        "--fingerprint",
        &server.fingerprint(),
    ]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert_eq!(home.run(&["get", "nodes"]).code, 0);
    assert!(!format!("{unconfirmed:?}{wrong:?}{refused:?}{done:?}{accepted:?}").contains("00000000-0000"));
}

#[test]
fn login_without_a_terminal_says_what_is_missing() {
    let home = Home::new();
    let outcome = home.run(&["login"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("--url is missing"), "{}", outcome.err);
    let server = server();
    let args = [
        "login",
        "--url",
        &server.url(),
        "--fingerprint",
        &server.fingerprint(),
    ];
    let outcome = home.run(&args);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("PVEDECK_TOKEN"), "{}", outcome.err);
}
