//! What was asked of a real server is asked of the demo: it refuses with the same words, and its rows have the same
//! members.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    caller::{Caller, store},
    support::reference::{reference_dir, skipped},
};

fn recorded(name: &str) -> Option<Value> {
    let file = reference_dir()?.join(format!("recorded/pbs-3.2-more/{name}.json"));
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}

/// The recorded words about the demo's own datastores.
fn mapped(text: &str) -> String {
    text.replace("backup1", "main")
        .replace("backup2", "scratch")
        .replace("rotate", "main")
        .trim_end()
        .to_owned()
}

/// Refusals that do not hang on what the recorded server held.
const REFUSALS: &[&str] = &[
    "auth-none",
    "auth-pve-scheme",
    "bool-as-maybe",
    "change-nothing",
    "datastore-name-invalid",
    "datastore-status-none",
    "datastore-unknown-audit",
    "datastore-unknown-none",
    "datastore-unknown-snapshots",
    "datastore-unknown",
    "gc-audit",
    "group-delete-unknown",
    "group-notes-set-audit",
    "groups-unknown-ns",
    "maint-offline-gc",
    "maint-offline-groups",
    "maint-offline-notes",
    "maint-offline-prune",
    "maint-offline-snapshots",
    "maint-offline-status",
    "maint-offline-verify",
    "node-status-audit",
    "notes-set-audit",
    "ns-create-audit",
    "protected-set-audit",
    "prune-audit-dry-run",
    "prune-audit",
    "prune-datastore-audit",
    "prune-missing-group",
    "prune-negative",
    "prune-unknown-group",
    "prune-zero",
    "snapshot-delete-audit",
    "snapshot-delete-unknown",
    "snapshots-bad-ns",
    "snapshots-bad-type",
    "snapshots-unknown-ns",
    "sync-run-unknown",
    "task-status-audit",
    "task-status-none",
    "task-upid-malformed",
    "unknown-method",
    "unknown-param",
    "unknown-path",
    "verify-audit",
    "verify-job-run-unknown",
    "verify-partial-params",
];

#[tokio::test]
async fn what_a_real_server_refused_is_refused_in_the_same_words() {
    if reference_dir().is_none() {
        return skipped("recorded refusals against the simulated Backup Server");
    }
    let (demo, admin) = store().await;
    let server = demo.backup_server().unwrap();
    let stores = Caller::new(server, &server.stores_token());
    let nothing = Caller::new(server, &server.powerless_token());
    let mut checked = 0;
    let mut wrong = Vec::new();
    for name in REFUSALS.iter().filter(|name| **name != "change-nothing") {
        let exchange = recorded(name).unwrap();
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let path = request["path"].as_str().unwrap();
        let path = mapped(path.strip_prefix("/api2/json").unwrap());
        let form: Vec<(String, String)> = request["params"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (key.clone(), text)
            })
            .collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(key, value)| (&**key, &**value)).collect();
        let method = request["method"].as_str().unwrap();
        let auth = request["auth"].as_str().unwrap_or_default();
        let answer = match auth {
            "none" => admin.as_is(method, &path, &form, &[]).await,
            _ if *name == "auth-pve-scheme" => {
                let header = ("Authorization", "PVEAPIToken=admin@pbs!demo=x");
                admin.as_is(method, &path, &form, &[header]).await
            }
            auth if auth.contains("!audit") => stores.call(method, &path, &form).await,
            auth if auth.contains("!none") => nothing.call(method, &path, &form).await,
            _ => admin.call(method, &path, &form).await,
        };
        let words = response["body"].as_str().unwrap_or_default();
        let status = response["status"].as_u64().unwrap();
        checked += 1;
        if (u64::from(answer.status), answer.text.trim_end()) != (status, &*mapped(words)) {
            wrong.push(format!(
                "{name}: {} {:?}, not {status} {:?}",
                answer.status,
                answer.text,
                mapped(words)
            ));
        }
    }
    assert!(checked > 40, "only {checked}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn tokens_are_refused_as_a_real_server_refuses_them() {
    let (demo, caller) = store().await;
    let server = demo.backup_server().unwrap();
    let token = server.admin_token();
    let secret = secrecy::ExposeSecret::expose_secret(&token);
    let (_, secret) = secret.split_once(':').unwrap();
    for (header, words) in [
        (
            format!("PBSAPIToken=admin@pbs!demo={secret}"),
            "invalid token name",
        ),
        (
            "PBSAPIToken=admin@pbs!demo:wrong".to_owned(),
            "invalid credentials",
        ),
        (
            format!("PBSAPIToken=admin@pbs!gone:{secret}"),
            "user account or token disabled or expired.",
        ),
        (
            format!("PBSAPIToken=ghost@pbs!demo:{secret}"),
            "user account or token disabled or expired.",
        ),
        ("PBSAPIToken=nonsense".to_owned(), "not a valid user id"),
    ] {
        let answer = caller
            .as_is("GET", "/version", &[], &[("Authorization", &header)])
            .await;
        assert_eq!(
            (answer.status, answer.text),
            (401, format!("authentication failed - {words}")),
            "{header}"
        );
    }
    let form = [("username", "admin@pbs"), ("password", "nope")];
    let answer = caller.as_is("POST", "/access/ticket", &form, &[]).await;
    assert_eq!((answer.status, &*answer.text), (401, "permission check failed."));
}

/// The members of the rows of a list, or of an object, with the kind of each.
fn members(value: &Value) -> BTreeSet<String> {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    let of = |row: &Value| -> Vec<String> {
        let object = row.as_object().into_iter().flatten();
        object
            .map(|(name, value)| format!("{name}: {}", kind(value)))
            .collect()
    };
    match value.as_array() {
        Some(rows) => rows.iter().flat_map(of).collect(),
        None => of(value).into_iter().collect(),
    }
}

#[tokio::test]
async fn rows_have_the_members_that_were_recorded() {
    if reference_dir().is_none() {
        return skipped("recorded rows against the simulated Backup Server");
    }
    let (_demo, admin) = store().await;
    // Said since version 3.4, after the recordings.
    let newer = ["backend-type: text", "mount-status: text"];
    for (names, path, form) in [
        (&["version"][..], "/version", &[][..]),
        (&["node-status"], "/nodes/localhost/status", &[]),
        (&["datastore-status"], "/admin/datastore/main/status", &[]),
        (
            &["datastore-status-verbose", "datastore-status-verbose-after"],
            "/admin/datastore/main/status",
            &[("verbose", "true")],
        ),
        (
            &[
                "datastore-usage-history",
                "maint-offline-usage",
                "datastore-broken-usage",
            ],
            "/status/datastore-usage",
            &[],
        ),
        (&["maint-offline-list"], "/admin/datastore", &[]),
        (&["namespaces"], "/admin/datastore/main/namespace", &[]),
        (
            &["groups-root", "groups-prod", "unfinished-groups"],
            "/admin/datastore/main/groups",
            &[],
        ),
        (
            &["snapshots-verified-failed"],
            "/admin/datastore/main/snapshots",
            &[("ns", "customers/acme")],
        ),
        (
            &["running-snapshots", "snapshots-verified-ok"],
            "/admin/datastore/main/snapshots",
            &[("ns", "customers/beta")],
        ),
        (&["gc-list-scheduled"], "/admin/gc", &[]),
        (&["verify-jobs-failed"], "/admin/verify", &[]),
        (&["prune-jobs-after"], "/admin/prune", &[]),
        (&["sync-list-failed"], "/admin/sync", &[]),
        (&["running-tasks", "tasks"], "/nodes/localhost/tasks", &[]),
    ] {
        let real: BTreeSet<String> = names
            .iter()
            .flat_map(|name| members(&recorded(name).unwrap()["response"]["body"]["data"]))
            .collect();
        let answer = admin.call("GET", path, form).await;
        let ours = members(answer.data());
        let extra: Vec<&String> = ours
            .difference(&real)
            .filter(|member| !newer.contains(&member.as_str()))
            // A job may have any of these, whether the recorded ones had or not.
            .filter(|member| {
                ![
                    "comment: text",
                    "disable: boolean",
                    "ns: text",
                    "keep-weekly: number",
                ]
                .contains(&member.as_str())
            })
            .collect();
        assert!(extra.is_empty(), "{path}: never seen of a real server: {extra:?}");
        assert!(
            ours.intersection(&real).count() * 2 >= real.len(),
            "{path}: {ours:?}\n{real:?}"
        );
    }
}
