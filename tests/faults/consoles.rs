//! Consoles: against the demo as it should be, and against servers that cut, refuse, split and talk nonsense.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pvedeck::{
    clients::{
        Error,
        http::{Address, Options, Trust},
        pve::{Actor, ConsoleNews, ConsoleStream, Credential, Login, SecondFactor, Settings},
    },
    demo::{self, Cluster, Datacentre, Fault},
    domain::{Console, GuestKind},
};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::{Digest as _, Sha1};

use crate::support::{
    recording::Answer,
    scripted::{Asked, Reply, Scripted},
};

/// Long enough for the slowest machine; nothing waits for it when all is well.
const BOUND: Duration = Duration::from_secs(20);

fn shell() -> Console {
    Console::Node("pve1".into())
}

fn token(token: &SecretString) -> Credential {
    Credential::Token(token.expose_secret().parse().unwrap())
}

fn actor_on(cluster: &Cluster, credential: Credential) -> Actor {
    let address = Address::parse(&cluster.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![cluster.fingerprint().parse().unwrap()]);
    let options = Options::new(vec![address], trust);
    Actor::new(Settings { options, credential }).unwrap()
}

async fn demo() -> (Datacentre, Actor) {
    let datacentre = demo::start(demo::Options::for_tests()).await.unwrap();
    let cluster = datacentre.production();
    let actor = actor_on(cluster, token(&cluster.admin_token()));
    (datacentre, actor)
}

/// Reads until the text is there; returns everything.
async fn until(stream: &mut ConsoleStream, text: &str) -> String {
    let mut seen = String::new();
    let reading = async {
        while !seen.contains(text) {
            match stream.next().await.unwrap() {
                ConsoleNews::Output(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                ConsoleNews::Alive => {}
                ConsoleNews::Ended => panic!("it ended; until then it said {seen:?}"),
            }
        }
    };
    let waited = tokio::time::timeout(BOUND, reading).await;
    assert!(waited.is_ok(), "{text:?} never came; until then it said {seen:?}");
    seen
}

/// Reads to the end.
async fn whole(stream: &mut ConsoleStream) -> String {
    let mut seen = String::new();
    let reading = async {
        loop {
            match stream.next().await.unwrap() {
                ConsoleNews::Output(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                ConsoleNews::Alive => {}
                ConsoleNews::Ended => return,
            }
        }
    };
    assert!(
        tokio::time::timeout(BOUND, reading).await.is_ok(),
        "no end: {seen:?}"
    );
    seen
}

/// A running guest that has, or has not, a serial line.
async fn machine(actor: &Actor, with_serial: bool) -> Console {
    let inventory = actor.client().resources().await.unwrap();
    for guest in inventory
        .guests
        .iter()
        .filter(|guest| guest.kind == GuestKind::Qemu)
    {
        if guest.status != pvedeck::domain::GuestStatus::Running {
            continue;
        }
        let config = actor
            .client()
            .guest_config(&guest.node, guest.kind, guest.vmid)
            .await
            .unwrap();
        if config.entries.iter().any(|(key, _)| &**key == "serial0") == with_serial {
            return Console::Guest {
                node: guest.node.clone(),
                kind: guest.kind,
                vmid: guest.vmid,
                serial: None,
            };
        }
    }
    panic!("the demo has no such machine");
}

#[tokio::test]
async fn a_node_shell_is_typed_into_and_told_its_size() {
    let (_datacentre, actor) = demo().await;
    let mut stream = actor.console(&shell()).await.unwrap();
    stream.resize(132, 43).await.unwrap();
    // A token is asked for name and password, as on a real node.
    until(&mut stream, "pve1 login: ").await;
    stream.send(b"root\r").await.unwrap();
    until(&mut stream, "Password: ").await;
    stream.send(b"demo\r").await.unwrap();
    until(&mut stream, "# ").await;
    stream.send(b"stty size\r").await.unwrap();
    until(&mut stream, "43 132").await;
    stream.keep_alive().await.unwrap();
    assert_eq!(stream.next().await.unwrap(), ConsoleNews::Alive);
    stream.send(b"exit\r").await.unwrap();
    assert!(whole(&mut stream).await.contains("logout"));
}

#[tokio::test]
async fn root_with_a_password_needs_no_other_login() {
    let datacentre = demo::start(demo::Options::for_tests()).await.unwrap();
    let cluster = datacentre.production();
    let login = Credential::Password(Login {
        user: "root@pam".into(),
        password: cluster.password(),
        second_factor: SecondFactor::None,
    });
    let actor = actor_on(cluster, login);
    let mut stream = actor.console(&shell()).await.unwrap();
    let seen = until(&mut stream, "# ").await;
    assert!(!seen.contains("login:"), "{seen}");
}

#[tokio::test]
async fn a_serial_line_waits_for_enter_and_a_machine_without_one_says_so() {
    let (_datacentre, actor) = demo().await;
    let mut stream = actor.console(&machine(&actor, true).await).await.unwrap();
    until(&mut stream, "starting serial terminal on interface serial0").await;
    stream.send(b"\r").await.unwrap();
    until(&mut stream, "login: ").await;
    let mut none = actor.console(&machine(&actor, false).await).await.unwrap();
    assert_eq!(whole(&mut none).await, "unable to find a serial interface\r\n");
}

#[tokio::test]
async fn a_console_is_a_task_that_ends_with_it() {
    let (datacentre, actor) = demo().await;
    let tasks = async || {
        let tasks = actor.client().cluster_tasks().await.unwrap();
        let shells = tasks.into_iter().filter(|task| &*task.upid.kind == "vncshell");
        shells.collect::<Vec<_>>()
    };
    let mut stream = actor.console(&shell()).await.unwrap();
    until(&mut stream, "login: ").await;
    let running = tasks().await;
    assert_eq!(running.len(), 1);
    assert_eq!(running[0].state, pvedeck::domain::TaskState::Running);
    // Whoever stops the task ends the console.
    let upid = running[0].upid.as_str();
    let stop = pvedeck::domain::Call::new(pvedeck::domain::Method::Delete, &["nodes", "pve1", "tasks", upid]);
    actor.send(&stop).await.unwrap();
    whole(&mut stream).await;
    datacentre.tick(Duration::from_secs(1));
    let failed = matches!(&tasks().await[0].state, pvedeck::domain::TaskState::Failed(why) if &**why == "received interrupt");
    assert!(failed, "{:?}", tasks().await);
}

#[tokio::test]
async fn whoever_may_not_is_told_the_privilege() {
    let datacentre = demo::start(demo::Options::for_tests()).await.unwrap();
    let cluster = datacentre.production();
    let actor = actor_on(cluster, token(&cluster.auditor_token()));
    let refused = actor.console(&shell()).await.unwrap_err();
    assert!(
        matches!(&refused, Error::NotAllowed { message } if message.contains("(/nodes/pve1, Sys.Console)")),
        "{refused:?}"
    );
    let guest = machine(&actor, true).await;
    let refused = actor.console(&guest).await.unwrap_err();
    assert!(
        matches!(&refused, Error::NotAllowed { message } if message.contains("VM.Console")),
        "{refused:?}"
    );
    cluster.break_with(Fault::Status(596, "Connection timed out".into()));
    let away = actor.console(&guest).await.unwrap_err();
    assert!(matches!(away, Error::NodeAway { status: 596, .. }), "{away:?}");
}

#[tokio::test]
async fn a_flood_is_read_at_the_readers_pace_and_interrupted() {
    let (_datacentre, actor) = demo().await;
    let mut stream = actor.console(&shell()).await.unwrap();
    stream.send(b"root\rdemo\ryes flood\r").await.unwrap();
    for _ in 0..50 {
        until(&mut stream, "flood\r\nflood").await;
    }
    stream.send(b"\x03").await.unwrap();
    until(&mut stream, "^C\r\n").await;
}

// --- servers that misbehave

const OPENED: &str =
    r#"{"data":{"user":"root@pam!test","ticket":"PVEVNC:6B0135DE::s+/=","port":"5900","upid":"UPID:x"}}"#;

fn settings(server: &Scripted) -> Settings {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![server.fingerprint().parse().unwrap()]);
    Settings {
        options: Options {
            request_timeout: Duration::from_millis(500),
            ..Options::new(vec![address], trust)
        },
        credential: token(
            &"root@pam!test=00000000-0000-4000-8000-000000000000"
                .to_owned()
                .into(),
        ),
    }
}

fn accept(asked: &Asked) -> String {
    let key = asked.header("sec-websocket-key");
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

fn switching(accept: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: \
         {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// A server that opens a console and then sends these bytes and ends.
async fn speaking(bytes: &'static [u8]) -> Scripted {
    Scripted::start(move |asked, _| {
        if asked.method == "POST" {
            return Reply::Answer(Answer::json(OPENED));
        }
        Reply::Bytes([switching(&accept(asked)).as_slice(), bytes].concat())
    })
    .await
}

#[tokio::test]
async fn the_socket_is_asked_for_as_the_server_wants_it() {
    let server = speaking(b"\x82\x02OK").await;
    let mut stream = Actor::new(settings(&server))
        .unwrap()
        .console(&shell())
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap(), ConsoleNews::Ended);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "nothing is repeated: {asked:?}");
    assert_eq!(
        (&*asked[1].method, &*asked[1].path),
        (
            "GET",
            "/api2/json/nodes/pve1/vncwebsocket?port=5900&vncticket=PVEVNC%3A6B0135DE%3A%3As%2B%2F%3D"
        )
    );
    assert_eq!(asked[1].header("sec-websocket-protocol"), "binary");
    assert_eq!(asked[1].header("sec-websocket-version"), "13");
    assert!(
        asked[1]
            .header("authorization")
            .starts_with("PVEAPIToken=root@pam!test=")
    );
}

#[tokio::test]
async fn the_ok_may_come_in_halves_and_with_output_behind_it() {
    let server = speaking(b"\x82\x01O\x82\x06K# ls\r\x88\x00").await;
    let mut stream = Actor::new(settings(&server))
        .unwrap()
        .console(&shell())
        .await
        .unwrap();
    assert_eq!(whole(&mut stream).await, "# ls\r");
}

#[tokio::test]
async fn what_is_wrong_with_a_console_is_said() {
    for (bytes, kind) in [
        (&b""[..], "did not take the ticket"),
        (b"\x82\x02NO", "did not take the ticket"),
        (b"\x88\x00", "did not take the ticket"),
        (b"<html>hello", "no WebSocket frame"),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""),
    ] {
        let server = speaking(bytes).await;
        let error = Actor::new(settings(&server))
            .unwrap()
            .console(&shell())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(kind), "{bytes:?}: {error}");
    }
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_frame_is_the_end_and_garbage_is_told() {
    let cut = speaking(b"\x82\x02OK\x82\x05abcde\x82\x7e\x10\x00half").await;
    let mut stream = Actor::new(settings(&cut))
        .unwrap()
        .console(&shell())
        .await
        .unwrap();
    assert_eq!(
        stream.next().await.unwrap(),
        ConsoleNews::Output(b"abcde".to_vec())
    );
    assert_eq!(stream.next().await.unwrap(), ConsoleNews::Ended);
    let garbage = speaking(b"\x82\x02OK\xf3\x81garbage").await;
    let mut stream = Actor::new(settings(&garbage))
        .unwrap()
        .console(&shell())
        .await
        .unwrap();
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_switch_as_it_should_is_not_spoken_to() {
    for wrong in ["key", "protocol"] {
        let server = Scripted::start(move |asked, _| {
            if asked.method == "POST" {
                return Reply::Answer(Answer::json(OPENED));
            }
            let good = switching(&accept(asked));
            let text = String::from_utf8(good).unwrap();
            let bad = if wrong == "key" {
                text.replace(&accept(asked), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            } else {
                text.replace("websocket", "h2c")
            };
            Reply::Bytes([bad.as_bytes(), b"\x82\x02OK"].concat())
        })
        .await;
        let error = Actor::new(settings(&server))
            .unwrap()
            .console(&shell())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Malformed { message } if message.contains("WebSocket")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_ticket_that_is_not_taken_is_the_servers_word() {
    let server = Scripted::start(|asked, _| match asked.method.as_str() {
        "POST" => Reply::Answer(Answer::json(OPENED)),
        _ => Reply::Bytes(
            b"HTTP/1.1 401 permission denied - invalid PVEVNC ticket\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_vec(),
        ),
    })
    .await;
    let error = Actor::new(settings(&server))
        .unwrap()
        .console(&shell())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("invalid PVEVNC ticket"), "{error}");
    let silent = Scripted::start(|asked, _| match asked.method.as_str() {
        "POST" => Reply::Answer(Answer::json(OPENED)),
        _ => Reply::Silence,
    })
    .await;
    let error = Actor::new(settings(&silent))
        .unwrap()
        .console(&shell())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}
