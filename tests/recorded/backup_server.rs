//! Every recorded answer of a real Backup Server is understood: lists without the loss of a row, errors as what they
//! are.

use std::fs;

use pvedeck::{
    clients::{
        Error,
        http::{Address, Options, Trust},
        pbs::{ApiToken, Client, Credential, Settings, request},
    },
    domain::{
        TaskState,
        backup::{Forecast, JobKind, Verification},
    },
};
use serde_json::Value;

use crate::support::{
    recording::{Answer, Recording},
    reference::{reference_dir, skipped},
    replay::Replay,
};

/// One recorded exchange.
struct Exchange {
    name: String,
    method: String,
    /// Below `/api2/json/`.
    path: String,
    answer: Answer,
}

fn exchanges() -> Option<Vec<Exchange>> {
    let folder = reference_dir()?.join("recorded/pbs-3.2-more");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if file.extension().is_none_or(|extension| extension != "json") || name.starts_with("prune-vectors") {
            continue;
        }
        let recorded: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let (request, response) = (&recorded["request"], &recorded["response"]);
        let body = match &response["body"] {
            Value::String(text) => text.clone().into_bytes(),
            json => json.to_string().into_bytes(),
        };
        let path = request["path"]
            .as_str()
            .unwrap()
            .strip_prefix("/api2/json/")
            .unwrap();
        all.push(Exchange {
            name,
            method: request["method"].as_str().unwrap().to_owned(),
            path: path.to_owned(),
            answer: Answer::new(
                response["status"].as_u64().unwrap() as u16,
                response["reason"].as_str().unwrap_or_default(),
                "application/json;charset=UTF-8",
                &body,
            ),
        });
    }
    Some(all)
}

fn client(server: &Replay) -> Client {
    let token: ApiToken = "admin@pbs!audit:6f0b4f0e-0000-4000-8000-000000000001"
        .parse()
        .unwrap();
    let trust = Trust {
        system: false,
        ca_files: vec![server.ca_file()],
        pins: Vec::new(),
    };
    let address = Address::parse(&server.url(), 8007).unwrap();
    Client::new(Settings {
        options: Options::new(vec![address], trust),
        credential: Credential::Token(token),
    })
    .unwrap()
}

/// Asks what was asked when `exchange` was recorded; how many objects came, or why none did. `None` if the client never
/// asks that.
async fn ask(client: &Client, path: &str) -> Option<Result<usize, Error>> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = |store| request::At { store, namespace: "" };
    let upid = |text: &str| {
        let text = text
            .replace("%3A", ":")
            .replace("%5C", "\\")
            .replace("%40", "@")
            .replace("%21", "!");
        text.parse().ok()
    };
    Some(match parts.as_slice() {
        ["version"] => client.version().await.map(|_| 1),
        ["access", "permissions"] => client.permissions().await.map(|paths| paths.len()),
        ["nodes", _, "status"] => client.status().await.map(|_| 1),
        ["admin", "datastore"] => client.datastores().await.map(|list| list.len()),
        ["status", "datastore-usage"] => client.usage().await.map(|list| list.len()),
        ["admin", "datastore", store, "status"] => client.datastore_status(store).await.map(|_| 1),
        ["admin", "datastore", store, "namespace"] => client.namespaces(store).await.map(|list| list.len()),
        ["admin", "datastore", store, "groups"] => client.groups(at(store)).await.map(|list| list.len()),
        ["admin", "datastore", store, "snapshots"] => {
            client.snapshots(at(store)).await.map(|list| list.len())
        }
        ["admin", "verify"] => client.read(request::verify_jobs()).await.map(|list| list.len()),
        ["admin", "prune"] => client.read(request::prune_jobs()).await.map(|list| list.len()),
        ["admin", "sync"] => client.read(request::sync_jobs()).await.map(|list| list.len()),
        ["admin", "gc"] => client.garbage_collections().await.map(|list| list.len()),
        ["nodes", _, "tasks"] => client.tasks(50).await.map(|list| list.len()),
        ["nodes", _, "tasks", task, "status"] => client.task_status(&upid(task)?).await.map(|_| 1),
        ["nodes", _, "tasks", task, "log"] => client
            .task_log(&upid(task)?, 0, 50)
            .await
            .map(|log| log.lines.len()),
        _ => return None,
    })
}

/// Rows in the recorded answer, one for an object.
fn rows(answer: &Answer, path: &str) -> usize {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    match &body["data"] {
        Value::Array(rows) => rows.len(),
        Value::Object(paths) if path == "access/permissions" => paths.len(),
        _ => 1,
    }
}

fn fits(status: u16, error: &Error) -> bool {
    match status {
        400 => matches!(
            error,
            Error::Parameter { .. } | Error::NotAvailable { .. } | Error::NotAllowed { .. }
        ),
        401 => matches!(error, Error::SignIn { .. }),
        403 => matches!(error, Error::NotAllowed { .. }),
        404 => matches!(error, Error::NotAvailable { .. }),
        _ => false,
    }
}

#[tokio::test]
async fn every_recorded_answer_is_understood() {
    let Some(exchanges) = exchanges() else {
        skipped("recorded answers of a Backup Server");
        return;
    };
    assert!(exchanges.len() > 270, "only {} exchanges", exchanges.len());
    let (mut read, mut refused) = (0, 0);
    let server = Replay::start(Recording::default());
    for exchange in exchanges.iter().filter(|exchange| exchange.method == "GET") {
        // A task's name holds signs that stand encoded in the recording: it is asked for by its plain key.
        let plain = exchange.path.replace("%20", " ");
        server.replace(Recording::default().with(
            &exchange.path.replace("nodes/nosuch", "nodes/localhost"),
            exchange.answer.clone(),
        ));
        let client = client(&server);
        let Some(outcome) = ask(&client, &plain).await else {
            continue;
        };
        let words = String::from_utf8_lossy(&exchange.answer.body).into_owned();
        match outcome {
            Ok(count) => {
                assert_eq!(exchange.answer.status, 200, "{}", exchange.name);
                assert_eq!(
                    count,
                    rows(&exchange.answer, &exchange.path),
                    "{}: {words}",
                    exchange.name
                );
                read += 1;
            }
            Err(error) => {
                assert!(
                    fits(exchange.answer.status, &error),
                    "{}: {error:?}",
                    exchange.name
                );
                let first = words.lines().next().unwrap_or_default().trim_end_matches('.');
                assert!(
                    error.to_string().contains(first),
                    "{}: {error} for {words}",
                    exchange.name
                );
                refused += 1;
            }
        }
    }
    assert!(read > 80 && refused > 20, "{read} read, {refused} refused");
}

#[tokio::test]
async fn what_the_answers_say_is_what_is_read() {
    let Some(exchanges) = exchanges() else {
        skipped("the meaning of recorded answers of a Backup Server");
        return;
    };
    let named = |name: &str| {
        let exchange = exchanges.iter().find(|exchange| exchange.name == name).unwrap();
        (exchange.path.clone(), exchange.answer.clone())
    };
    let server = Replay::start(Recording::default());
    let show = |name: &str| {
        let (path, answer) = named(name);
        server.replace(Recording::default().with(&path, answer));
        client(&server)
    };
    let at = request::At {
        store: "backup1",
        namespace: "",
    };

    let snapshots = show("snapshots-verified-failed").snapshots(at).await.unwrap();
    let state = |index: usize| snapshots.iter().filter_map(|one| one.verification).nth(index);
    assert_eq!(
        (state(0), state(1)),
        (Some(Verification::Failed), Some(Verification::Ok))
    );
    assert_eq!(snapshots[0].comment.as_deref(), Some("before upgrade"));

    let running = show("running-snapshots").snapshots(at).await.unwrap();
    assert_eq!((running[0].size, running[0].verification), (None, None));

    let lab = show("snapshots-lab-encrypted").snapshots(at).await.unwrap();
    assert_eq!(
        lab.iter().map(|one| one.encrypted).collect::<Vec<_>>(),
        [false, true],
        "signed is not encrypted"
    );

    let now = jiff::Timestamp::from_second(1_795_246_000).unwrap();
    let usage = show("datastore-usage-history").usage().await.unwrap();
    let forecasts: Vec<Forecast> = usage.iter().map(|one| one.forecast(now)).collect();
    assert!(
        forecasts
            .iter()
            .any(|forecast| matches!(forecast, Forecast::Full(_))),
        "{forecasts:?}"
    );
    assert!(forecasts.contains(&Forecast::NotGrowing), "{forecasts:?}");
    let broken = show("datastore-broken-usage").usage().await.unwrap();
    let broken = broken.iter().find(|one| one.error.is_some()).unwrap();
    assert_eq!((broken.used, broken.fill()), (None, None));

    let jobs = show("prune-jobs-after")
        .read(request::prune_jobs())
        .await
        .unwrap();
    let JobKind::Prune(retention) = &jobs[0].kind else {
        panic!()
    };
    assert_eq!(retention.to_string(), "keep-last=3,keep-daily=7");
    assert_eq!(
        jobs[0].last.as_ref().map(|last| last.state.clone()),
        Some(TaskState::Ok)
    );
    let JobKind::Prune(nothing) = &jobs[1].kind else {
        panic!()
    };
    assert!(nothing.keeps_all() && jobs[1].last.is_none());

    let verify = show("verify-jobs-failed")
        .read(request::verify_jobs())
        .await
        .unwrap();
    let last = verify[0].last.clone().unwrap();
    assert!(matches!(&last.state, TaskState::Failed(text) if text.contains("verification failed")));
    assert!(last.upid.is_some() && last.end.is_some());

    let collections = show("gc-list-scheduled").garbage_collections().await.unwrap();
    let ran = collections.iter().find(|one| &*one.store == "backup1").unwrap();
    assert_eq!(
        ran.last.as_ref().map(|last| last.state.clone()),
        Some(TaskState::Warnings(3))
    );
    assert!(
        collections
            .iter()
            .any(|one| one.last.is_none() && one.deduplication().is_none())
    );

    let stores = show("maint-offline-list").datastores().await.unwrap();
    let offline = stores.iter().find(|store| &*store.name == "backup2").unwrap();
    assert_eq!(offline.maintenance.as_deref(), Some("offline,message=disk swap"));
    assert_eq!(&*show("version").version().await.unwrap(), "3.2.4");
}
