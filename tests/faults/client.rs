//! The client on servers that misbehave: which error it is, what the user reads, and what is asked again.

use std::time::Duration;

use pvedeck::clients::{
    Error,
    http::{Address, Options, Trust},
    pve::{ApiToken, Client, Credential, Settings, request},
};
use secrecy::SecretString;

use crate::support::{
    estate,
    recording::Answer,
    replay::{Fault, Gate, Replay},
};

const TOKEN_ID: &str = "root@pam!test";
const SECRET: &str = "00000000-0000-4000-8000-000000000000";

fn client_of(servers: &[&Replay], trust: Trust, patience: Duration) -> Client {
    let addresses = servers
        .iter()
        .map(|server| Address::parse(&server.url(), 8006).unwrap())
        .collect();
    let options = Options {
        request_timeout: patience,
        ..Options::new(addresses, trust)
    };
    let token = ApiToken::new(TOKEN_ID, SecretString::from(SECRET)).unwrap();
    Client::new(Settings {
        options,
        credential: Credential::Token(token),
    })
    .unwrap()
}

fn client(server: &Replay) -> Client {
    client_of(
        &[server],
        Trust::ca_files(vec![server.ca_file()]),
        Duration::from_secs(20),
    )
}

fn server() -> Replay {
    Replay::start(estate::recording(5))
}

#[tokio::test]
async fn a_healthy_server_is_read() {
    let server = server();
    server.demand(&format!("PVEAPIToken={TOKEN_ID}={SECRET}"));
    let client = client(&server);
    assert_eq!(&*client.version().await.unwrap(), "9.2.11");
    let inventory = client.resources().await.unwrap();
    assert_eq!(inventory.guests.len(), 5);
    assert!(inventory.rejected.is_empty());
    assert_eq!(client.totals().requests, 2);
}

#[tokio::test]
async fn a_cut_connection_is_tried_once_more_and_no_oftener() {
    let server = server();
    let client = client(&server);
    server.fault("/version", Fault::Close);
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(server.asked("/version"), 2);
    server.heal();
    assert!(client.version().await.is_ok());
}

#[tokio::test]
async fn a_truncated_answer_is_an_error_and_never_half_a_list() {
    let server = server();
    server.fault("/cluster/resources", Fault::Truncated(300));
    let error = client(&server).resources().await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { .. } | Error::Malformed { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn json_that_ends_early_is_malformed() {
    let server = server();
    server.fault(
        "/cluster/resources",
        Fault::Instead(Answer::json("{\"data\":[{\"type\":\"qemu\"")),
    );
    let error = client(&server).resources().await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_web_page_names_port_and_remedy() {
    let server = server();
    server.fault("*", Fault::html());
    let error = client(&server).version().await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("8006"), "{text}");
}

#[tokio::test]
async fn a_refused_token_is_told_without_its_secret() {
    let server = server();
    server.demand("PVEAPIToken=root@pam!other=1");
    let client = client(&server);
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::SignIn { .. }), "{error:?}");
    for shown in [error.to_string(), format!("{error:?}"), format!("{client:?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // Each refusal costs the server three seconds: it is not asked for every feed again.
    let asked = server.requests().values().sum::<usize>();
    for _ in 0..10 {
        assert!(client.resources().await.is_err());
    }
    assert_eq!(server.requests().values().sum::<usize>(), asked);
}

#[tokio::test]
async fn errors_of_the_server_keep_its_words() {
    let server = server();
    let reason = "Permission check failed (/vms/100, VM.Audit)";
    server.fault(
        "/cluster/status",
        Fault::Instead(Answer::new(403, reason, "application/json", b"{\"data\":null}")),
    );
    server.fault(
        "/nodes/pve3/status",
        Fault::Instead(Answer::new(595, "No route to host", "text/plain", b"")),
    );
    let client = client(&server);
    let denied = client.cluster_status().await.unwrap_err();
    assert!(matches!(denied, Error::NotAllowed { .. }), "{denied:?}");
    assert!(denied.to_string().contains(reason), "{denied}");
    let away = client.node_status(&"pve3".into()).await.unwrap_err();
    assert!(matches!(away, Error::NodeAway { status: 595, .. }), "{away:?}");
    assert!(away.to_string().contains("No route to host"), "{away}");
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_at_the_limit() {
    let server = server();
    let gate = Gate::closed();
    server.fault("/cluster/resources", Fault::Held(gate.clone()));
    let trust = Trust::ca_files(vec![server.ca_file()]);
    let client = client_of(&[&server], trust, Duration::from_millis(300));
    let error = client.resources().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    // Everything else is served meanwhile.
    assert!(client.version().await.is_ok());
    gate.open();
    assert!(client.resources().await.is_ok());
}

#[tokio::test]
async fn a_pinned_certificate_that_changed_gets_no_request() {
    let server = server();
    let pinned = server.fingerprint();
    let trust = Trust::pinned(vec![pinned.parse().unwrap()]);
    let client = client_of(&[&server], trust, Duration::from_secs(20));
    assert!(client.version().await.is_ok());
    server.change_certificate();
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&pinned), "{text}");
    assert!(text.contains(&server.fingerprint()), "{text}");
    assert_eq!(server.asked("/version"), 1);
}

#[tokio::test]
async fn the_next_address_is_asked_when_one_is_dead() {
    let dead = server();
    let alive = server();
    let trust = Trust::ca_files(vec![alive.ca_file()]);
    let client = client_of(&[&dead, &alive], trust, Duration::from_secs(20));
    drop(dead);
    assert!(client.version().await.is_ok());
    assert!(client.resources().await.is_ok());
    assert_eq!(client.current_address().to_string(), alive.url());
}

#[tokio::test]
async fn a_dead_address_is_named() {
    let server = server();
    let client = client(&server);
    let address = server.address().to_string();
    drop(server);
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&address), "{error}");
}

#[test]
fn only_the_sign_in_is_no_read() {
    let writes: Vec<_> = request::catalogue()
        .into_iter()
        .filter(|sample| sample.method != "GET")
        .collect();
    assert!(
        writes
            .iter()
            .all(|sample| sample.method == "POST" && sample.path == "/access/ticket"),
        "{writes:?}"
    );
    assert!(request::catalogue().len() > writes.len() + 20);
}
