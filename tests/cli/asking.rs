//! Questions on a terminal: what is secret is never seen, and a no writes nothing.

use crate::support::{
    estate,
    replay::Replay,
    terminal::{CTRL_C, ENTER, Launch, Terminal},
};

const ID: &str = "root@pam!test";
const SECRET: &str = "00000000-0000-4000-8000-000000000000";

fn server() -> Replay {
    let server = Replay::start(estate::recording(3));
    server.demand(&format!("PVEAPIToken={ID}={SECRET}"));
    server
}

/// Answers up to the question about the certificate.
fn begin(server: &Replay) -> Terminal {
    let mut terminal = Launch::pvedeck().size(120, 40).arg("login").start();
    for (question, answer) in [
        ("Address of the API", server.url()),
        ("Name of the cluster", "lab".to_owned()),
    ] {
        terminal.wait_for(question);
        terminal.send(&format!("{answer}{ENTER}"));
    }
    terminal.wait_for("[y/N]");
    terminal
}

#[test]
fn login_asks_step_by_step_and_shows_no_secret() {
    let server = server();
    let mut terminal = begin(&server);
    assert!(
        terminal.text().contains(&server.fingerprint()[..20]),
        "{}",
        terminal.text()
    );
    assert!(
        server.requests().is_empty(),
        "nothing is sent before the certificate is accepted"
    );
    terminal.send(&format!("y{ENTER}"));
    terminal.wait_for("Sign in to lab as");
    terminal.send(&format!("{ID}{ENTER}"));
    terminal.wait_for("Secret of the token");
    terminal.send(&format!("{SECRET}{ENTER}"));
    terminal.wait_for("added lab in");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    assert!(!String::from_utf8_lossy(terminal.received()).contains(&SECRET[..8]));
    let written = std::fs::read_to_string(terminal.home().join(".config/pvedeck/config.toml")).unwrap();
    assert!(
        written.contains(SECRET) && written.contains(&server.fingerprint()),
        "{written}"
    );
}

#[test]
fn a_no_writes_nothing() {
    let server = server();
    let mut terminal = begin(&server);
    terminal.send(ENTER);
    terminal.wait_for("not accepted");
    assert_eq!(terminal.wait_exit().exit_code(), 6);
    assert!(!terminal.home().join(".config/pvedeck").exists());
}

#[test]
fn a_question_for_a_secret_can_be_left() {
    let server = server();
    let mut terminal = begin(&server);
    terminal.send(&format!("y{ENTER}"));
    terminal.wait_for("Sign in to lab as");
    terminal.send(&format!("{ID}{ENTER}"));
    terminal.wait_for("Secret of the token");
    terminal.send(CTRL_C);
    terminal.wait_for("nothing was typed");
    assert_eq!(terminal.wait_exit().exit_code(), 6);
}
