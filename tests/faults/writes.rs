//! Writes: sent once whatever happens, with what each way of signing in needs, and honest about their fate.

use std::time::Duration;

use pvedeck::{
    clients::{
        Error,
        http::{Address, Options, Trust},
        pve::{Accepted, Actor, Client, Credential, Login, NotAccepted, SecondFactor, Settings},
    },
    domain::{Call, Method},
};

use crate::support::{
    recording::Answer,
    scripted::{Asked, Reply, Scripted},
};

const UPID: &str = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam!test:";

fn token() -> Credential {
    let token = "root@pam!test=00000000-0000-4000-8000-000000000000";
    Credential::Token(token.parse().unwrap())
}

fn password() -> Credential {
    Credential::Password(Login {
        user: "root@pam".into(),
        password: "secret".to_owned().into(),
        second_factor: SecondFactor::None,
    })
}

fn settings(server: &Scripted, credential: Credential) -> Settings {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![server.fingerprint().parse().unwrap()]);
    Settings {
        options: Options {
            request_timeout: Duration::from_millis(300),
            ..Options::new(vec![address], trust)
        },
        credential,
    }
}

fn start() -> Call {
    Call::new(Method::Post, &["nodes", "pve1", "qemu", "104", "status", "start"]).with("timeout", "60")
}

fn task() -> Reply {
    Reply::Answer(Answer::json(&format!(r#"{{"data":"{UPID}"}}"#)))
}

fn is_sign_in(asked: &Asked) -> bool {
    asked.path.ends_with("/access/ticket")
}

fn ticket() -> Reply {
    Reply::Answer(Answer::json(
        r#"{"data":{"ticket":"PVE:root@pam:6B0135DE::x","CSRFPreventionToken":"6B0135DE:proof"}}"#,
    ))
}

#[tokio::test]
async fn a_token_needs_no_csrf_token() {
    let server = Scripted::start(|_, _| task()).await;
    let actor = Actor::new(settings(&server, token())).unwrap();
    let Ok(Accepted::Task(upid)) = actor.send(&start()).await else {
        panic!("not accepted")
    };
    assert_eq!(upid.as_str(), UPID);
    let asked = &server.asked()[0];
    assert_eq!(
        (&*asked.method, &*asked.path),
        ("POST", "/api2/json/nodes/pve1/qemu/104/status/start")
    );
    assert_eq!(asked.body, "timeout=60");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("csrfpreventiontoken"), "");
    assert!(
        asked
            .header("authorization")
            .starts_with("PVEAPIToken=root@pam!test=")
    );
}

#[tokio::test]
async fn a_ticket_writes_with_the_csrf_token_of_its_sign_in() {
    let server = Scripted::start(|asked, _| if is_sign_in(asked) { ticket() } else { task() }).await;
    let actor = Actor::new(settings(&server, password())).unwrap();
    actor.send(&start()).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[1].header("csrfpreventiontoken"), "6B0135DE:proof");
    assert!(asked[1].header("cookie").starts_with("PVEAuthCookie="));
    assert!(!format!("{actor:?}").contains("6B0135DE"), "{actor:?}");
}

#[tokio::test]
async fn who_only_reads_never_sends_a_csrf_token() {
    let server = Scripted::start(|asked, _| {
        if is_sign_in(asked) {
            ticket()
        } else {
            Reply::Answer(Answer::json(r#"{"data":{"version":"9.2.11"}}"#))
        }
    })
    .await;
    let client = Client::new(settings(&server, password())).unwrap();
    client.version().await.unwrap();
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.header("csrfpreventiontoken").is_empty())
    );
}

#[tokio::test]
async fn parameters_of_a_delete_are_in_the_query() {
    let server = Scripted::start(|_, _| Reply::Answer(Answer::json(r#"{"data":null}"#))).await;
    let actor = Actor::new(settings(&server, token())).unwrap();
    let call = Call::new(
        Method::Delete,
        &["nodes", "pve1", "qemu", "104", "snapshot", "a b"],
    )
    .with("force", "1");
    assert_eq!(actor.send(&call).await, Ok(Accepted::Done));
    let asked = &server.asked()[0];
    assert_eq!(
        (&*asked.method, &*asked.path, &*asked.body),
        (
            "DELETE",
            "/api2/json/nodes/pve1/qemu/104/snapshot/a%20b?force=1",
            ""
        )
    );
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_sent_once() {
    for case in ["silence", "cut", "half", "596", "503"] {
        let server = Scripted::start(move |_, _| match case {
            "silence" => Reply::Silence,
            "cut" => Reply::Bytes(Vec::new()),
            "half" => Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"data\":".to_vec()),
            "596" => Reply::Answer(Answer::new(596, "Broken pipe", "text/plain", b"")),
            _ => Reply::Answer(Answer::new(503, "Unavailable", "text/plain", b"")),
        })
        .await;
        let actor = Actor::new(settings(&server, token())).unwrap();
        let outcome = actor.send(&start()).await;
        assert!(
            matches!(outcome, Err(NotAccepted::Unknown(_))),
            "{case}: {outcome:?}"
        );
        assert_eq!(server.lines().len(), 1, "{case}");
    }
}

#[tokio::test]
async fn a_refusal_is_certain_and_sent_once() {
    for (status, reason) in [
        (400, "Parameter verification failed."),
        (401, "Permission denied - invalid csrf token"),
        (403, "Permission check failed (/vms/104, VM.PowerMgmt)"),
        (500, "VM is locked (backup)"),
        (595, "No route to host"),
    ] {
        let server =
            Scripted::start(move |_, _| Reply::Answer(Answer::new(status, reason, "text/plain", b""))).await;
        let actor = Actor::new(settings(&server, token())).unwrap();
        let Err(NotAccepted::Refused(error)) = actor.send(&start()).await else {
            panic!("{status} is not a refusal")
        };
        assert!(
            error.to_string().contains(reason.trim_end_matches('.')),
            "{error}"
        );
        assert_eq!(server.lines().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn only_where_nothing_listens_is_another_address_tried() {
    let server = Scripted::start(|_, _| task()).await;
    let mut settings = settings(&server, token());
    settings
        .options
        .addresses
        .insert(0, Address::parse("https://127.0.0.1:9", 8006).unwrap());
    let actor = Actor::new(settings.clone()).unwrap();
    assert!(actor.send(&start()).await.is_ok());
    assert_eq!(server.lines().len(), 1);
    settings.options.addresses.truncate(1);
    let outcome = Actor::new(settings).unwrap().send(&start()).await;
    assert!(
        matches!(outcome, Err(NotAccepted::Refused(Error::Unreachable { .. }))),
        "{outcome:?}"
    );
}
