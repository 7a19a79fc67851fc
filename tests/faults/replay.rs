//! The replay server does what it promises: recorded answers as they were recorded, and each fault as named.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use crate::support::{
    recording::{Answer, Recording},
    reference::skipped,
    replay::{Fault, Gate, Replay},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Replay) -> Stream {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(server.ca_file()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(server.address()).unwrap())
}

/// Sends a request as the last of its connection and returns everything that came back.
fn ask(server: &Replay, path: &str) -> String {
    let mut stream = connect(server);
    send(&mut stream, path).unwrap();
    // The server ends the connection after this, so that reading ends.
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(count) => text.extend_from_slice(&chunk[..count]),
        }
        if is_complete(&text) {
            break;
        }
    }
    String::from_utf8(text).unwrap()
}

fn send(stream: &mut Stream, path: &str) -> std::io::Result<()> {
    write!(stream, "GET /api2/json{path} HTTP/1.1\r\nHost: pve\r\n\r\n")?;
    stream.flush()
}

fn is_complete(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

fn one(path: &str, body: &str) -> Recording {
    Recording::default().with(path, Answer::json(body))
}

#[test]
fn an_answer_comes_as_it_was_recorded() {
    let Some(recording) = Recording::load("pve-9.2-node") else {
        return skipped("recorded answers");
    };
    let server = Replay::start(recording);
    let text = ask(&server, "/nodes/pve1/qemu/999/status/current");
    assert!(
        text.starts_with(
            "HTTP/1.1 500 Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist\r\n"
        ),
        "{text}"
    );
    assert!(text.contains("Server: pve-api-daemon/3.0"), "{text}");
    assert!(ask(&server, "/cluster/resources").contains("\"type\":\"node\""));
    assert!(ask(&server, "/nowhere").starts_with("HTTP/1.1 501 Method 'GET /nowhere' not implemented"));
    assert_eq!(server.asked("/cluster/resources"), 1);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn every_folder_can_be_served() {
    for (folder, path) in [
        ("pve-9.2-cluster", "/nodes/pve2/qemu?full=1"),
        ("pve-9.2-bare", "/cluster/ha/groups"),
        ("pve-9-public", "/nodes/node1/lxc"),
        ("pve-6-public", "/nodes/pve/lxc/100/config"),
        ("pve-9.2-more", "/nodes/pve1/qemu/100/config"),
    ] {
        let Some(recording) = Recording::load(folder) else {
            return skipped("recorded answers");
        };
        assert!(recording.answer(path).is_some(), "{folder} {path}");
        assert!(recording.len() >= 10, "{folder}");
    }
}

#[test]
fn a_short_recording_lies_over_a_long_one() {
    let below = one("/version", "below").with("/nodes", Answer::json("nodes"));
    let both = one("/version", "above").over(Some(below));
    assert_eq!(both.answer("/version").unwrap().body, b"above");
    assert_eq!(both.answer("/nodes?x=1").unwrap().body, b"nodes");
}

#[test]
fn faults_happen_where_they_were_ordered() {
    let server = Replay::start(one("/a", "{\"data\":[1,2,3]}").with("/b", Answer::json("{}")));
    server.fault("/a", Fault::Close);
    assert_eq!(ask(&server, "/a"), "");
    assert!(ask(&server, "/b").ends_with("{}"));

    server.heal();
    server.fault("/a", Fault::Truncated(5));
    let text = ask(&server, "/a");
    assert!(text.contains("Content-Length: 16"), "{text}");
    assert!(text.ends_with("\r\n\r\n{\"dat"), "{text}");

    server.heal();
    server.fault("*", Fault::html());
    assert!(ask(&server, "/a").contains("It works!"));

    server.heal();
    assert!(ask(&server, "/a").ends_with("{\"data\":[1,2,3]}"));
    assert_eq!(server.asked("/a"), 4);
}

#[test]
fn a_held_answer_waits_for_the_gate() {
    let server = Replay::start(one("/a", "{}").with("/b", Answer::json("{}")));
    let gate = Gate::closed();
    server.fault("/a", Fault::Held(gate.clone()));
    let mut held = connect(&server);
    send(&mut held, "/a").unwrap();
    // The other path is served meanwhile.
    assert!(ask(&server, "/b").ends_with("{}"));
    held.sock.set_nonblocking(true).unwrap();
    let early = held.read(&mut [0; 16]);
    assert_eq!(early.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    held.sock.set_nonblocking(false).unwrap();
    gate.open();
    let mut first = [0; 12];
    held.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
}

#[test]
fn a_wrong_token_gets_the_empty_401() {
    let server = Replay::start(one("/version", "{}"));
    server.demand("PVEAPIToken=a@pve!t=secret");
    let text = ask(&server, "/version");
    assert!(text.starts_with("HTTP/1.1 401 No ticket\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
}

#[test]
fn another_certificate_is_not_trusted_any_more() {
    let server = Replay::start(one("/version", "{}"));
    let before = server.fingerprint();
    assert!(ask(&server, "/version").ends_with("{}"));
    let mut open = connect(&server);
    send(&mut open, "/version").unwrap();
    let mut head = [0; 12];
    open.read_exact(&mut head).unwrap();

    server.change_certificate();

    assert_ne!(server.fingerprint(), before);
    let mut rest = Vec::new();
    let _ = open.read_to_end(&mut rest);
    assert!(send(&mut connect(&server), "/version").is_err());
    assert_eq!(server.asked("/version"), 2);
}
