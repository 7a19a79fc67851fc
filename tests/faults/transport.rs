//! The way of a request: trust, retries, failover, limits.

use std::time::Duration;

use pvedeck::clients::{
    Error,
    http::{Address, Options, Trust, probe_certificate},
    pve::{Client, Credential, Settings},
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::support::{
    recording::Answer,
    scripted::{Reply, Scripted},
};

const VERSION: &str = r#"{"data":{"version":"9.2.11"}}"#;

fn with(options: Options) -> Client {
    let token = "root@pam!test=00000000-0000-4000-8000-000000000000"
        .parse()
        .unwrap();
    Client::new(Settings {
        options,
        credential: Credential::Token(token),
    })
    .unwrap()
}

fn options(servers: &[&Scripted]) -> Options {
    let addresses = servers
        .iter()
        .map(|server| Address::parse(&server.url(), 8006).unwrap())
        .collect();
    let pins = servers
        .iter()
        .map(|server| server.fingerprint().parse().unwrap())
        .collect();
    Options::new(addresses, Trust::pinned(pins))
}

fn good() -> Reply {
    Reply::Answer(Answer::json(VERSION))
}

fn empty(status: u16, reason: &str) -> Reply {
    Reply::Answer(Answer::new(status, reason, "text/plain", b""))
}

#[tokio::test]
async fn the_ca_makes_trusted_and_its_absence_is_told_before_anything_is_sent() {
    let server = Scripted::start(|_, _| good()).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem()).unwrap();
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trusting = with(Options::new(vec![address.clone()], Trust::ca_files(vec![ca])));
    trusting.version().await.unwrap();

    let other = Scripted::start(|_, _| good()).await;
    let foreign = folder.path().join("other.pem");
    std::fs::write(&foreign, other.ca_pem()).unwrap();
    let error = with(Options::new(vec![address], Trust::ca_files(vec![foreign])))
        .version()
        .await
        .unwrap_err();
    let Error::Untrusted { expected, seen, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(expected.is_empty());
    assert_eq!(seen.to_string(), server.fingerprint());
    assert!(error.to_string().contains("pvedeck login"), "{error}");
    assert_eq!(server.lines().len(), 1, "the second client sent nothing");
}

#[tokio::test]
async fn a_name_that_the_certificate_does_not_hold_is_refused() {
    // The certificate is good for 127.0.0.1 and localhost.
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let asking = |url: &str, server: &Scripted| {
        std::fs::write(&ca, server.ca_pem()).unwrap();
        with(Options::new(
            vec![Address::parse(url, 8006).unwrap()],
            Trust::ca_files(vec![ca.clone()]),
        ))
    };
    let here = Scripted::start(|_, _| good()).await;
    asking(&here.url(), &here).version().await.unwrap();
    asking(&here.url().replace("127.0.0.1", "localhost"), &here)
        .version()
        .await
        .unwrap();
    let elsewhere = Scripted::start_at("127.0.0.2:0", |_, _| good()).await;
    let error = asking(&elsewhere.url(), &elsewhere).version().await.unwrap_err();
    assert!(
        matches!(&error, Error::Untrusted { reason, .. } if reason.contains("127.0.0.2")),
        "{error:?}"
    );
    assert!(elsewhere.lines().is_empty());
}

#[tokio::test]
async fn first_contact_shows_the_certificate_and_sends_nothing() {
    let server = Scripted::start(|_, _| good()).await;
    let address = Address::parse(&server.url(), 8006).unwrap();
    let seen = probe_certificate(&address, Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(seen.fingerprint.to_string(), server.fingerprint());
    assert!(
        seen.issuer.contains("Proxmox Virtual Environment"),
        "{}",
        seen.issuer
    );
    assert!(seen.not_before < seen.not_after);
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::parse(&listener.local_addr().unwrap().to_string(), 8006).unwrap();
    let serve = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
        }
    });
    let error = with(Options::new(
        vec![address.clone()],
        Trust::pinned(vec!["0".repeat(64).parse().unwrap()]),
    ))
    .version()
    .await
    .unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    let error = probe_certificate(&address, Duration::from_secs(20))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    serve.abort();
}

#[tokio::test]
async fn gateway_troubles_that_pass_are_asked_again_once() {
    for (status, reason) in [
        (502, "Bad Gateway"),
        (503, "x"),
        (504, "x"),
        (596, "Connection reset by peer"),
    ] {
        let server = Scripted::start(move |_, before| {
            if before == 0 {
                empty(status, reason)
            } else {
                good()
            }
        })
        .await;
        with(options(&[&server])).version().await.unwrap();
        assert_eq!(server.lines().len(), 2, "{status}");

        let server = Scripted::start(move |_, _| empty(status, reason)).await;
        let error = with(options(&[&server])).version().await.unwrap_err();
        assert!(
            matches!(error, Error::Server { .. } | Error::NodeAway { .. }),
            "{error:?}"
        );
        assert_eq!(server.lines().len(), 2, "{status}: once more and no oftener");
    }
    for (status, reason) in [(500, "got timeout"), (595, "No route to host"), (403, "x")] {
        let server = Scripted::start(move |_, _| empty(status, reason)).await;
        assert!(with(options(&[&server])).version().await.is_err());
        assert_eq!(server.lines().len(), 1, "{status} is an answer");
    }
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_at_the_next_address() {
    let cut =
        Scripted::start(|_, _| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"da".to_vec()))
            .await;
    let alive = Scripted::start(|_, _| good()).await;
    let client = with(options(&[&cut, &alive]));
    client.version().await.unwrap();
    client.version().await.unwrap();
    assert_eq!(
        (cut.lines().len(), alive.lines().len()),
        (1, 2),
        "it sticks to the one that answers"
    );
    assert_eq!(client.current_address().to_string(), alive.url());
}

#[tokio::test]
async fn all_dead_addresses_are_named() {
    let (a, b) = (
        Scripted::start(|_, _| good()).await,
        Scripted::start(|_, _| good()).await,
    );
    let client = with(options(&[&a, &b]));
    let urls = [a.url(), b.url()];
    drop((a, b));
    // The listeners go when their tasks are gone.
    tokio::task::yield_now().await;
    let error = client.version().await.unwrap_err().to_string();
    assert!(urls.iter().all(|url| error.contains(url)), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_the_pinned_one_stops_the_failover() {
    let (stranger, known) = (
        Scripted::start(|_, _| good()).await,
        Scripted::start(|_, _| good()).await,
    );
    let pins = vec![known.fingerprint().parse().unwrap()];
    let client = with(Options {
        trust: Trust::pinned(pins.clone()),
        ..options(&[&stranger, &known])
    });
    let error = client.version().await.unwrap_err();
    let Error::Untrusted { expected, seen, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (expected, seen.to_string().as_str()),
        (&pins, stranger.fingerprint())
    );
    assert!(stranger.lines().is_empty() && known.lines().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_refused() {
    let server = Scripted::start(|_, _| {
        let mut reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..64 {
            reply.extend_from_slice(b"400\r\n");
            reply.extend_from_slice(&[b' '; 0x400]);
            reply.extend_from_slice(b"\r\n");
        }
        Reply::Bytes(reply)
    })
    .await;
    let error = with(Options {
        max_body: 32 << 10,
        ..options(&[&server])
    })
    .version()
    .await
    .unwrap_err();
    assert!(
        matches!(&error, Error::Malformed { message } if message.contains("more than")),
        "{error:?}"
    );
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn answers_come_compressed_and_tell_the_clock() {
    // {"data":{"version":"9.2.11"}} through gzip.
    let gzip = gzip_stored(VERSION.as_bytes());
    let server = Scripted::start(move |_, _| {
        let mut answer = Answer::new(200, "OK", "application/json", &gzip);
        answer
            .headers
            .push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        answer
            .headers
            .push(("Date".to_owned(), "Sat, 21 Nov 2026 06:12:12 GMT".to_owned()));
        Reply::Answer(answer)
    })
    .await;
    let client = with(options(&[&server]));
    assert_eq!(client.server_clock(), None);
    client.version().await.unwrap();
    let clock = client.server_clock().unwrap();
    assert_eq!(clock.server.to_string(), "2026-11-21T06:12:12Z");
    assert_eq!(clock.ahead(), clock.server.as_second() - clock.here.as_second());
    assert!(server.asked()[0].header("accept-encoding").contains("gzip"));
    assert_eq!(client.totals().bytes, VERSION.len() as u64);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Scripted::start(|_, _| good()).await;
    let url = target.url();
    let server = Scripted::start(move |_, _| {
        let mut answer = Answer::new(301, "Moved Permanently", "text/plain", b"Moved Permanently");
        answer.headers.push(("Location".to_owned(), url.clone()));
        Reply::Answer(answer)
    })
    .await;
    let error = with(options(&[&server])).version().await.unwrap_err();
    assert!(
        matches!(&error, Error::Malformed { message } if message.contains(&target.url())),
        "{error:?}"
    );
    assert!(target.lines().is_empty(), "the token went nowhere else");
}

#[tokio::test]
async fn other_protocols_are_told() {
    let server = Scripted::start(|_, _| Reply::Bytes(b"220 mail.example.com ESMTP\r\n".to_vec())).await;
    let error = with(options(&[&server])).version().await.unwrap_err();
    assert!(
        matches!(&error, Error::Malformed { message } if message.contains("does not speak HTTP")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_hanging_node_leaves_a_lane_to_the_others() {
    let server = Scripted::start(|asked, _| {
        if asked.path.contains("/nodes/") {
            Reply::Silence
        } else {
            good()
        }
    })
    .await;
    let client = with(Options {
        concurrency: 2,
        request_timeout: Duration::from_secs(60),
        ..options(&[&server])
    });
    let hanging: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.node_status(&"pve3".into()).await })
        })
        .collect();
    while server.lines().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(20), client.version())
        .await
        .unwrap()
        .unwrap();
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Gzip without compression: one stored block.
fn gzip_stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(data);
    bytes.extend(crc32(data).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}
