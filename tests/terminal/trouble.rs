//! What goes wrong out there is said in one sentence, and the console goes on.

use crate::{
    console::{launch, open},
    support::{
        estate,
        recording::Answer,
        replay::{Fault, Replay},
        terminal::{ENTER, Launch, Terminal},
    },
};

fn ends_well(mut terminal: Terminal) {
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_dead_server_is_named_and_the_console_goes_on() {
    let server = Replay::start(estate::recording(12));
    let launch = launch(&server).size(140, 40);
    let address = server.address().to_string();
    // Nobody listens there any more, but the folder with the authority must stay.
    let folder = server.shut();
    let mut terminal = launch.start();
    terminal.wait_until("the address and what is wrong with it", |screen| {
        screen.contains(&address) && screen.contains("refused")
    });
    ends_well(terminal);
    drop(folder);
}

#[test]
fn a_wrong_token_is_a_refused_sign_in() {
    let server = Replay::start(estate::recording(12));
    server.demand("PVEAPIToken=root@pam!other=11111111-1111-4111-8111-111111111111");
    let mut terminal = launch(&server).size(140, 40).start();
    terminal.wait_until("the refusal", |screen| screen.contains("sign-in refused"));
    assert!(
        !terminal.text().contains("00000000-0000-4000-8000-000000000000"),
        "the secret is on the screen"
    );
    ends_well(terminal);
}

#[test]
fn a_changed_certificate_stops_everything_with_both_fingerprints() {
    let server = Replay::start(estate::recording(12));
    let pinned = server.fingerprint();
    let mut terminal = Launch::pvedeck()
        .arg("--url")
        .arg(&server.url())
        .arg("--fingerprint")
        .arg(&pinned)
        .env("PVEDECK_TOKEN", crate::console::TOKEN)
        .size(200, 50)
        .start();
    terminal.wait_for("web-00000");

    server.change_certificate();
    let shown = server.fingerprint();
    terminal.send("R");
    terminal.wait_until("the explanation", |screen| screen.contains("untrusted"));
    let asked = server.requests();
    terminal.send("!");
    terminal.wait_for("critical");
    terminal.send(ENTER);
    terminal.wait_until("both fingerprints", |screen| {
        screen.contains(&pinned) && screen.contains(&shown) && screen.contains("pvedeck login")
    });
    assert_eq!(
        server.requests(),
        asked,
        "nothing may be asked of a server that is not trusted"
    );
    ends_well(terminal);
}

#[test]
fn another_web_server_on_that_port_is_recognised() {
    let server = Replay::start(estate::recording(12));
    server.fault("*", Fault::html());
    let mut terminal = launch(&server).size(140, 40).start();
    terminal.wait_until("a word about the port", |screen| {
        let screen = screen.to_lowercase();
        screen.contains("html") || screen.contains("web page") || screen.contains("8006")
    });
    ends_well(terminal);
}

#[test]
fn a_broken_answer_takes_nothing_away() {
    let server = Replay::start(estate::recording(12));
    let mut terminal = open(&server, "web-00000");
    server.fault("/cluster/resources", Fault::Truncated(200));
    let before = server.asked("/cluster/resources");
    terminal.send("R");
    let text = terminal.wait_until("the error beside the old data", |screen| screen.contains(" old "));
    assert!(server.asked("/cluster/resources") > before);
    assert!(text.contains("web-00000"), "{text}");
    server.heal();
    terminal.send("R");
    terminal.wait_until("fresh data", |screen| !screen.contains(" old "));
    ends_well(terminal);
}

#[test]
fn a_missing_privilege_hides_only_what_needs_it() {
    let server = Replay::start(estate::recording(12).with(
        "/cluster/status",
        Answer::new(
            403,
            "Permission check failed (/, Sys.Audit)",
            "application/json",
            b"{\"data\":null}",
        ),
    ));
    let terminal = open(&server, "web-00000");
    ends_well(terminal);
}

#[test]
fn hostile_names_reach_the_terminal_tamed() {
    let hostile = "evil\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}gpj.exe";
    let mut body: serde_json::Value = serde_json::from_str(&estate::resources_json(12)).unwrap();
    body["data"][0]["name"] = hostile.into();
    body["data"][0]["tags"] = "\u{1b}[31mred".into();
    let server =
        Replay::start(estate::recording(12).with("/cluster/resources", Answer::json(&body.to_string())));
    let mut terminal = open(&server, "evil");
    terminal.send("2");
    terminal.send("d");
    terminal.wait_for("evil·]0;owned");
    let received = String::from_utf8_lossy(terminal.received()).into_owned();
    for raw in [
        "\u{1b}]0;owned",
        "owned\u{7}",
        "\u{9b}",
        "\u{202e}",
        "\u{1b}[31mred",
    ] {
        assert!(!received.contains(raw), "{raw:?} reached the terminal");
    }
    ends_well(terminal);
}
