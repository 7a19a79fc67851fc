//! What is put together from several answers, some of which do not come.

use pvedeck::{
    clients::{
        Error,
        http::{Address, Options, Trust},
        pve::{Client, Credential, Settings},
    },
    domain::{GuestKind, Vmid},
};

use crate::support::{
    recording::{Answer, Recording},
    replay::Replay,
};

fn client(server: &Replay) -> Client {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![server.fingerprint().parse().unwrap()]);
    let token = "root@pam!test=00000000-0000-4000-8000-000000000000"
        .parse()
        .unwrap();
    Client::new(Settings {
        options: Options::new(vec![address], trust),
        credential: Credential::Token(token),
    })
    .unwrap()
}

fn denied() -> Answer {
    Answer::new(
        403,
        "Permission check failed (/nodes/pve1, Sys.Syslog)",
        "application/json",
        b"",
    )
}

const SYSLOG: &str = r#"{"total":3,"data":[{"n":2,"t":"second"},{"n":3,"t":"third"}]}"#;

#[tokio::test]
async fn the_journal_gives_the_newest_lines_at_once() {
    let journal = Answer::json(r#"{"data":["s=1;i=1;b=1","first","s=1;i=2;b=1"],"success":1}"#);
    let server = Replay::start(Recording::default().with("/nodes/pve1/journal", journal));
    let lines = client(&server).node_syslog(&"pve1".into(), 100).await.unwrap();
    assert_eq!(lines, [Box::from("first")]);
    assert_eq!(server.asked("/nodes/pve1/syslog"), 0);
}

#[tokio::test]
async fn the_syslog_stands_in_for_a_silent_or_missing_journal() {
    for journal in [Some(Answer::json("")), None] {
        let mut recording = Recording::default().with("/nodes/pve1/syslog", Answer::json(SYSLOG));
        if let Some(silent) = journal {
            recording = recording.with("/nodes/pve1/journal", silent);
        }
        let server = Replay::start(recording);
        let lines = client(&server).node_syslog(&"pve1".into(), 2).await.unwrap();
        assert_eq!(lines, [Box::from("second"), Box::from("third")]);
        let asked = server.requests();
        let newest = ("GET".to_owned(), "/nodes/pve1/syslog?start=1&limit=2".to_owned());
        assert_eq!(asked.get(&newest), Some(&1), "{asked:?}");
    }
}

#[tokio::test]
async fn a_missing_privilege_is_told_at_once() {
    let server = Replay::start(Recording::default().with("/nodes/pve1/journal", denied()));
    let error = client(&server).node_syslog(&"pve1".into(), 2).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotAllowed { message } if message.contains("Sys.Syslog")),
        "{error:?}"
    );
    assert_eq!(server.asked("/nodes/pve1/syslog"), 0);
}

#[tokio::test]
async fn a_guest_as_json_says_which_part_could_not_be_read() {
    let guest = "/nodes/pve1/qemu/100";
    let recording = Recording::default()
        .with(
            &format!("{guest}/status/current"),
            Answer::json(r#"{"data":{"status":"running","vmid":100}}"#),
        )
        .with(&format!("{guest}/config"), denied())
        .with(
            &format!("{guest}/pending"),
            Answer::json(r#"{"data":[{"key":"cores","value":2}]}"#),
        );
    let server = Replay::start(recording);
    let json = client(&server)
        .raw_guest(&"pve1".into(), GuestKind::Qemu, Vmid(100))
        .await
        .unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["status/current"]["status"], "running");
    assert_eq!(read["pending"][0]["key"], "cores");
    assert!(
        read["config"]
            .as_str()
            .unwrap()
            .contains("Permission check failed"),
        "{json}"
    );
    assert!(json.lines().count() > 5, "it is indented: {json}");
}

#[tokio::test]
async fn a_firewall_is_options_and_rules() {
    let guest = "/nodes/pve1/lxc/101/firewall";
    let recording = Recording::default()
        .with(
            &format!("{guest}/options"),
            Answer::json(r#"{"data":{"enable":1,"policy_in":"DROP"}}"#),
        )
        .with(
            &format!("{guest}/rules"),
            Answer::json(r#"{"data":[{"type":"in","action":"ACCEPT","macro":"SSH"}]}"#),
        );
    let server = Replay::start(recording);
    let firewall = client(&server)
        .guest_firewall(&"pve1".into(), GuestKind::Lxc, Vmid(101))
        .await
        .unwrap();
    assert_eq!(
        (firewall.enabled, firewall.policy_in.as_deref()),
        (Some(true), Some("DROP"))
    );
    assert_eq!(firewall.rules[0].line(), "in ACCEPT SSH");
}

#[tokio::test]
async fn a_log_past_its_end_keeps_its_place() {
    let upid = "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:100:root@pam!test:"
        .parse()
        .unwrap();
    let path = "/nodes/pve1/tasks/UPID%3Apve1%3A000002CE%3A000041E6%3A6B0135DE%3Aqmstart%3A100%3Aroot%40pam%21test%3A/log";
    let server = Replay::start(Recording::default().with(path, Answer::json(r#"{"total":7,"data":[]}"#)));
    let log = client(&server).task_log(&upid, 7, 50).await.unwrap();
    assert_eq!((log.start, log.lines.len(), log.total), (7, 0, 7));
}

#[tokio::test]
async fn an_inventory_of_nothing_is_no_inventory() {
    for nothing in [r#"{"data":null}"#, r#"{"data":[]}"#] {
        let recording = Recording::default().with("/cluster/resources", Answer::json(nothing));
        let server = Replay::start(recording);
        let error = client(&server).resources().await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{nothing}: {error}");
    }
}
