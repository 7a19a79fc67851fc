//! The guest agent: files, users and commands inside a running VM.

use serde_json::{Value, json};

use crate::support::caller::Estate;

/// A running VM whose agent answers.
async fn answering(estate: &Estate) -> String {
    for row in estate.guests().await {
        if row["type"] == "qemu" && row["status"] == "running" && row.get("lock").is_none() {
            let vm = crate::support::caller::path_of(&row);
            if estate
                .admin
                .call("POST", &format!("{vm}/agent/ping"), &[])
                .await
                .status
                == 200
            {
                return vm;
            }
        }
    }
    panic!("no agent answers");
}

async fn exec(estate: &Estate, vm: &str, words: &[&str]) -> Value {
    let form: Vec<(&str, &str)> = words.iter().map(|word| ("command", *word)).collect();
    let begun = estate
        .admin
        .call("POST", &format!("{vm}/agent/exec"), &form)
        .await;
    let pid = begun.data()["pid"].to_string();
    let path = format!("{vm}/agent/exec-status");
    estate
        .admin
        .call("GET", &path, &[("pid", &pid)])
        .await
        .data()
        .clone()
}

#[tokio::test]
async fn a_key_comes_and_goes_in_the_running_system() {
    let estate = Estate::new().await;
    let vm = answering(&estate).await;
    let keys = "/root/.ssh/authorized_keys";
    let read = format!("{vm}/agent/file-read");
    let before = estate.admin.call("GET", &read, &[("file", keys)]).await;
    let old = before.data()["content"].as_str().unwrap().to_owned();
    assert!(old.starts_with("ssh-ed25519 "));
    let new = format!("{old}ssh-ed25519 AAAAnew me@here\n");
    let form = [("file", keys), ("content", new.as_str())];
    estate
        .admin
        .call("POST", &format!("{vm}/agent/file-write"), &form)
        .await
        .data();
    let after = estate.admin.call("GET", &read, &[("file", keys)]).await;
    assert_eq!(after.data()["content"], new);
    // The same with a command, as an administrator would.
    let script = format!("grep -v AAAAnew {keys} > {keys}.new && mv {keys}.new {keys} && cat {keys}");
    let done = exec(&estate, &vm, &["/bin/sh", "-c", &script]).await;
    assert_eq!(done, json!({"exited": 1, "exitcode": 0, "out-data": old}));
    let home = exec(&estate, &vm, &["getent", "passwd", "admin"]).await;
    assert!(home["out-data"].as_str().unwrap().contains(":/home/admin:"));
    let failed = exec(&estate, &vm, &["sh", "-c", "cat /nope"]).await;
    assert_eq!(
        (&failed["exitcode"], &failed["err-data"]),
        (&json!(1), &json!("cat: /nope: No such file or directory\n"))
    );
}

#[tokio::test]
async fn the_agent_refuses_in_its_own_words() {
    let estate = Estate::new().await;
    let vm = answering(&estate).await;
    let missing = estate
        .admin
        .refused("GET", &format!("{vm}/agent/file-read"), &[("file", "/nope")])
        .await;
    assert_eq!(
        missing,
        (
            500,
            "Agent error: failed to open file '/nope' (mode: 'r'): No such file or directory".to_owned()
        )
    );
    let form = [("file", "/nope/x"), ("content", "x")];
    let nowhere = estate
        .admin
        .refused("POST", &format!("{vm}/agent/file-write"), &form)
        .await;
    assert!(
        nowhere
            .1
            .ends_with("failed to open file '/nope/x' (mode: 'wb'): No such file or directory")
    );
    let program = estate
        .admin
        .call("POST", &format!("{vm}/agent/exec"), &[("command", "nope")])
        .await;
    let text = program.body["message"].as_str().unwrap();
    assert!(
        text.contains("Failed to execute child process “nope” (No such file or directory)"),
        "{text}"
    );
    let form = [("username", "nobody-here"), ("password", "secret")];
    let user = estate
        .admin
        .refused("POST", &format!("{vm}/agent/set-user-password"), &form)
        .await;
    assert_eq!(
        user.1,
        "Agent error: child process has failed to set user password"
    );
    let form = [("username", "root"), ("password", "abc")];
    let short = estate
        .admin
        .call("POST", &format!("{vm}/agent/set-user-password"), &form)
        .await;
    assert_eq!(
        short.error("password"),
        "value must be at least 5 characters long"
    );
    let form = [("username", "root"), ("password", "long enough")];
    estate
        .admin
        .call("POST", &format!("{vm}/agent/set-user-password"), &form)
        .await
        .data();
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_named() {
    let estate = Estate::new().await;
    let vm = answering(&estate).await;
    estate
        .admin
        .call("PUT", &format!("{vm}/config"), &[("agent", "0")])
        .await
        .data();
    let off = estate
        .admin
        .refused("GET", &format!("{vm}/agent/get-osinfo"), &[])
        .await;
    assert_eq!(off, (500, "QEMU guest agent is not running".to_owned()));
    estate
        .admin
        .call("PUT", &format!("{vm}/config"), &[("delete", "agent")])
        .await
        .data();
    let none = estate
        .admin
        .refused("GET", &format!("{vm}/agent/get-osinfo"), &[])
        .await;
    assert_eq!(none, (500, "No QEMU guest agent configured".to_owned()));
    let off = estate.guest("qemu", "stopped", |_| true).await;
    let refused = estate
        .admin
        .refused("POST", &format!("{off}/agent/ping"), &[])
        .await;
    assert_eq!(
        refused.1,
        format!("VM {} is not running", crate::support::caller::vmid_of(&off))
    );
}

#[tokio::test]
async fn what_runs_long_is_not_over_at_once() {
    let estate = Estate::new().await;
    let vm = answering(&estate).await;
    let begun = estate
        .admin
        .call(
            "POST",
            &format!("{vm}/agent/exec"),
            &[("command", "sleep"), ("command", "20")],
        )
        .await;
    let pid = begun.data()["pid"].to_string();
    let path = format!("{vm}/agent/exec-status");
    let status = estate.admin.call("GET", &path, &[("pid", &pid)]).await;
    assert_eq!(status.data(), &json!({"exited": 0}));
    estate.tick(30);
    let status = estate.admin.call("GET", &path, &[("pid", &pid)]).await;
    assert_eq!(status.data()["exited"], 1);
    let unknown = estate.admin.refused("GET", &path, &[("pid", "1")]).await;
    assert_eq!(unknown.1, "Agent error: PID 1 does not exist");
}
