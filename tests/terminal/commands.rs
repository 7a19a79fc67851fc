//! Commands as scripts see them: stdout is data, stderr is talk, the exit code tells.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::{
    console::TOKEN,
    support::{
        estate,
        recording::Answer,
        replay::{Fault, Replay},
    },
};

/// The program with a home of its own and nothing of this machine's settings.
fn pvedeck(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pvedeck"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

fn home_with(config: &str, mode: u32) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/pvedeck");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    fs::write(&file, config).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    home
}

/// A command on a server of the test.
fn on(server: &Replay, arguments: &[&str]) -> Output {
    pvedeck(server.ca_file().parent().unwrap())
        .arg("--url")
        .arg(server.url())
        .arg("--ca-file")
        .arg(server.ca_file())
        .env("PVEDECK_TOKEN", TOKEN)
        .args(arguments)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn wrong_usage_is_2_and_prints_no_data() {
    let home = tempfile::tempdir().unwrap();
    let output = pvedeck(home.path()).arg("nosuch").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    assert!(stderr(&output).contains("nosuch"));
}

#[test]
fn a_typo_in_the_configuration_is_named_with_line_and_column() {
    let home = home_with("# mine\n[ui]\nthemee = \"dark\"\n", 0o600);
    let output = pvedeck(home.path()).args(["config", "check"]).output().unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("config.toml:3:1"), "{errors}");
    assert!(errors.contains("did you mean `theme`"), "{errors}");
}

#[test]
fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
    let secret = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    let config = format!("[clusters.prod]\nurl = \"https://pve1:8006\"\ntoken = \"a@pve!t={secret}\"\n");
    let open = home_with(&config, 0o644);
    let output = pvedeck(open.path()).args(["config", "check"]).output().unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("chmod 600"), "{errors}");
    assert!(!errors.contains(secret), "{errors}");
    let private = home_with(&config, 0o600);
    let output = pvedeck(private.path())
        .args(["config", "check"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_failure_worth_a_word() {
    let home = tempfile::tempdir().unwrap();
    let mut child = pvedeck(home.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(!line.is_empty());
    let output = child.wait_with_output().unwrap();
    let errors = stderr(&output);
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn keys_themes_manual_and_completions_are_data() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["keys"][..], "list.filter"),
        (&["keys", "-o", "json"], "\"list.filter\""),
        (&["themes"], "dark"),
        (&["man"], ".TH pvedeck"),
        (&["completions", "bash"], "pvedeck"),
        (&["config", "print"], "[clusters.prod]"),
        (&["--version"], "pvedeck 0."),
    ] {
        let output = pvedeck(home.path()).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains('\u{1b}'), "{arguments:?}: a pipe is no terminal");
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn lists_are_filtered_and_come_as_json_too() {
    let server = Replay::start(estate::recording(12));
    let output = on(&server, &["get", "guests", "db-", "status:running"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(text.contains("db-00001") && !text.contains("web-"), "{text}");
    // Every fifth guest is stopped, 5 is a db.
    assert!(!text.contains("db-00005"), "{text}");
    let output = on(&server, &["get", "guests", "-o", "json"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 12);
    assert!(server.requests().keys().all(|(method, _)| method == "GET"));
}

#[test]
fn each_trouble_has_its_code_and_one_sentence() {
    let dead = Replay::start(estate::recording(3));
    let url = dead.url();
    drop(dead);
    let home = tempfile::tempdir().unwrap();
    let output = pvedeck(home.path())
        .args(["get", "nodes", "--url", &url])
        .env("PVEDECK_TOKEN", TOKEN)
        .output()
        .unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("does not answer"), "{errors}");

    let server = Replay::start(estate::recording(3));
    server.demand("PVEAPIToken=root@pam!other=1");
    let output = on(&server, &["get", "nodes"]);
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.contains("sign-in failed"), "{errors}");
    assert!(!errors.contains("00000000-0000"), "{errors}");

    let server = Replay::start(estate::recording(3));
    let pinned = server.fingerprint();
    server.change_certificate();
    let output = pvedeck(home.path())
        .args(["get", "nodes", "--url", &server.url(), "--fingerprint", &pinned])
        .env("PVEDECK_TOKEN", TOKEN)
        .output()
        .unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(
        errors.contains(&pinned) && errors.contains(&server.fingerprint()),
        "{errors}"
    );

    let server = Replay::start(estate::recording(3));
    server.fault("*", Fault::html());
    let output = on(&server, &["get", "nodes"]);
    let errors = stderr(&output);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{errors}");
    assert!(errors.contains("8006"), "{errors}");
    assert_eq!(stdout(&output), "", "no data, no list");
}

#[test]
fn hostile_names_reach_no_stdout_raw() {
    let mut body: serde_json::Value = serde_json::from_str(&estate::resources_json(3)).unwrap();
    body["data"][0]["name"] = "evil\u{1b}]0;owned\u{7}\u{202e}".into();
    let server =
        Replay::start(estate::recording(3).with("/cluster/resources", Answer::json(&body.to_string())));
    for format in ["table", "wide", "csv", "json"] {
        let output = on(&server, &["get", "guests", "-o", format]);
        let text = stdout(&output);
        assert!(text.contains("evil"), "{format}: {text}");
        for raw in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!text.contains(raw), "{format}: {raw:?} in {text:?}");
        }
    }
}
