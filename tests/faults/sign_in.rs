//! Signing in with user and password: second factor, renewal, refusals.

use std::{sync::Arc, time::Duration};

use pvedeck::clients::{
    Error,
    http::{Address, Options, Trust},
    pve::{Client, Credential, Login, SecondFactor, Settings, TokenCommand},
};
use secrecy::SecretString;

use crate::support::{
    recording::Answer,
    scripted::{Asked, Reply, Scripted},
};

const SIGN_IN: &str = "/api2/json/access/ticket";
const VERSION: &str = r#"{"data":{"version":"9.2.11"}}"#;
const CHALLENGE: &str = "PVE:!tfa!%7B%22totp%22%3Atrue%7D:6B0135DE::c2ln";

fn client(server: &Scripted, credential: Credential) -> Client {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let options = Options::new(
        vec![address],
        Trust::pinned(vec![server.fingerprint().parse().unwrap()]),
    );
    Client::new(Settings { options, credential }).unwrap()
}

fn login(second_factor: SecondFactor) -> Credential {
    let password = SecretString::from("hunter2");
    Credential::Password(Login {
        user: "root@pam".to_owned(),
        password,
        second_factor,
    })
}

fn granted(ticket: &str) -> Reply {
    let data = serde_json::json!({ "data": {
        "ticket": ticket, "CSRFPreventionToken": "6B0135DE:csrf", "username": "root@pam", "cap": {}
    }});
    Reply::Answer(Answer::json(&data.to_string()))
}

fn refused() -> Reply {
    Reply::Answer(Answer::unauthorized("Authentication failed!"))
}

#[tokio::test]
async fn a_ticket_goes_into_the_cookie_and_no_csrf_token_anywhere() {
    let server = Scripted::start(|asked, _| match asked.path.as_str() {
        SIGN_IN => granted("PVE:root@pam:6B0135DE::a+/="),
        _ => Reply::Answer(Answer::json(VERSION)),
    })
    .await;
    let client = client(&server, login(SecondFactor::None));
    assert_eq!(&*client.version().await.unwrap(), "9.2.11");
    assert_eq!(&*client.version().await.unwrap(), "9.2.11");
    assert_eq!(
        server.lines(),
        ["POST /access/ticket", "GET /version", "GET /version"]
    );
    let asked = server.asked();
    assert_eq!(asked[0].body, "username=root%40pam&password=hunter2");
    assert_eq!(
        asked[1].header("cookie"),
        "PVEAuthCookie=PVE%3Aroot%40pam%3A6B0135DE%3A%3Aa%2B%2F%3D"
    );
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains_key("csrfpreventiontoken"))
    );
    assert!(!format!("{client:?}").contains("hunter2") && !format!("{client:?}").contains(":csrf"));
}

#[tokio::test]
async fn many_requests_at_once_sign_in_once() {
    let server = Scripted::start(|asked, _| match asked.path.as_str() {
        SIGN_IN => granted("PVE:root@pam:1::x"),
        _ => Reply::Answer(Answer::json(VERSION)),
    })
    .await;
    let client = client(&server, login(SecondFactor::None));
    let (a, b, c) = tokio::join!(client.version(), client.version(), client.version());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(
        server
            .lines()
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_second_factor_is_computed_or_asked_for() {
    let script = |asked: &Asked, _| match asked.path.as_str() {
        SIGN_IN
            if asked.body.contains("tfa-challenge=PVE%3A%21tfa%21")
                && asked.body.contains("password=totp%3A") =>
        {
            granted("PVE:root@pam:2::y")
        }
        SIGN_IN => granted(CHALLENGE),
        _ => Reply::Answer(Answer::json(VERSION)),
    };
    let ask: Arc<dyn Fn() -> Option<SecretString> + Send + Sync> = Arc::new(|| Some("123456".into()));
    for factor in [
        SecondFactor::Secret("GEZDGNBVGY3TQOJQ".into()),
        SecondFactor::Ask(ask),
    ] {
        let server = Scripted::start(script).await;
        client(&server, login(factor)).version().await.unwrap();
        assert_eq!(
            server.lines(),
            ["POST /access/ticket", "POST /access/ticket", "GET /version"]
        );
    }
    let server = Scripted::start(script).await;
    let error = client(&server, login(SecondFactor::None))
        .version()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::SignIn { .. }) && error.to_string().contains("TOTP"),
        "{error}"
    );
    assert_eq!(
        server.lines(),
        ["POST /access/ticket"],
        "a challenge is no ticket"
    );
}

#[tokio::test]
async fn another_kind_of_factor_is_named() {
    let server =
        Scripted::start(|_, _| granted("PVE:!tfa!%7B%22webauthn%22%3A%7B%7D%7D:6B0135DE::c2ln")).await;
    let error = client(&server, login(SecondFactor::Secret("GEZDGNBV".into())))
        .version()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not TOTP"), "{error}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_ticket_is_renewed_with_itself_after_an_hour() {
    let server = Scripted::start(|asked, before| match asked.path.as_str() {
        SIGN_IN if before == 0 => granted("PVE:root@pam:1::old"),
        SIGN_IN => granted("PVE:root@pam:2::new"),
        _ => Reply::Answer(Answer::json(VERSION)),
    })
    .await;
    let client = client(&server, login(SecondFactor::None));
    client.version().await.unwrap();
    pass(Duration::from_secs(3601)).await;
    client.version().await.unwrap();
    assert_eq!(
        server.lines(),
        [
            "POST /access/ticket",
            "GET /version",
            "POST /access/ticket",
            "GET /version"
        ]
    );
    let asked = server.asked();
    assert!(
        asked[2].body.ends_with("password=PVE%3Aroot%40pam%3A1%3A%3Aold"),
        "{}",
        asked[2].body
    );
    assert!(asked[3].header("cookie").ends_with("new"));
}

#[tokio::test]
async fn a_401_signs_in_anew_once() {
    let server = Scripted::start(|asked, before| match asked.path.as_str() {
        SIGN_IN if before == 0 => granted("PVE:root@pam:1::stale"),
        SIGN_IN => granted("PVE:root@pam:2::fresh"),
        _ if asked.header("cookie").ends_with("fresh") => Reply::Answer(Answer::json(VERSION)),
        _ => refused(),
    })
    .await;
    let client = client(&server, login(SecondFactor::None));
    let (a, b) = tokio::join!(client.version(), client.version());
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(
        server
            .lines()
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        2
    );
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_left_alone() {
    let server = Scripted::start(|asked, _| match asked.path.as_str() {
        SIGN_IN => granted("PVE:root@pam:1::useless"),
        _ => refused(),
    })
    .await;
    let client = client(&server, login(SecondFactor::None));
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::SignIn { .. }), "{error:?}");
    let once = [
        "POST /access/ticket",
        "GET /version",
        "POST /access/ticket",
        "GET /version",
    ];
    assert_eq!(server.lines(), once);
    for _ in 0..5 {
        assert_eq!(
            client.version().await.unwrap_err(),
            error,
            "the refusal holds without asking"
        );
    }
    assert_eq!(server.lines(), once);
    pass(Duration::from_secs(31)).await;
    assert!(client.version().await.is_err());
    assert_eq!(server.lines().len(), 8, "after a while it is tried again");
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let server = Scripted::start(|_, _| {
        let body = br#"{"data":null,"message":"authentication failure\n"}"#;
        Reply::Answer(Answer::new(
            401,
            "authentication failure",
            "application/json",
            body,
        ))
    })
    .await;
    let error = client(&server, login(SecondFactor::None))
        .version()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("root@pam") && text.contains("authentication failure"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(server.lines().len(), 1, "a sign-in is not repeated");
}

#[tokio::test]
async fn a_cut_sign_in_is_not_repeated() {
    let server = Scripted::start(|_, _| Reply::Bytes(Vec::new())).await;
    let error = client(&server, login(SecondFactor::None))
        .version()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(server.lines(), ["POST /access/ticket"]);
}

#[tokio::test]
async fn a_token_command_runs_again_when_its_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "root@pam!deck=old\n").unwrap();
    let rotated = file.clone();
    let server = Scripted::start(move |asked, _| {
        if asked.header("authorization") == "PVEAPIToken=root@pam!deck=new" {
            return Reply::Answer(Answer::json(VERSION));
        }
        std::fs::write(&rotated, "root@pam!deck=new\n").unwrap();
        refused()
    })
    .await;
    let argv = vec!["cat".to_owned(), file.display().to_string()];
    let command = TokenCommand {
        argv,
        timeout: Duration::from_secs(20),
    };
    client(&server, Credential::TokenCommand(command))
        .version()
        .await
        .unwrap();
    assert_eq!(server.lines(), ["GET /version", "GET /version"]);
}

/// Lets time pass without waiting for it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
