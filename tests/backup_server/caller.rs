//! A client that is not ours: plain requests, and what came back.

use std::{fmt::Write as _, time::Duration};

use pvedeck::demo::{self, BackupServer, Datacentre, Options};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.text);
        &self.body["data"]
    }
}

pub(crate) struct Caller {
    client: Client,
    url: String,
    token: String,
}

impl Caller {
    pub(crate) fn new(server: &BackupServer, token: &SecretString) -> Self {
        // Whoever came first has set it; both are ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
        Self {
            client: Client::builder()
                .tls_certs_only([ca])
                .deflate(true)
                .build()
                .unwrap(),
            url: server.url(),
            token: format!("PBSAPIToken={}", token.expose_secret()),
        }
    }

    pub(crate) async fn call(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        self.as_is(verb, path, form, &[("Authorization", &self.token)])
            .await
    }

    /// A call with these headers and no others.
    pub(crate) async fn as_is(
        &self,
        verb: &str,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut url: reqwest::Url = format!("{}/api2/json{path}", self.url).parse().unwrap();
        let in_url = matches!(verb, "GET" | "DELETE");
        if in_url && !form.is_empty() {
            url.query_pairs_mut().extend_pairs(form);
        }
        let mut request = self.client.request(verb.parse::<Method>().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !in_url && !form.is_empty() {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, &[]).await.data().clone()
    }

    pub(crate) async fn refused(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let answer = self.call(verb, path, form).await;
        assert_ne!(answer.status, 200, "{verb} {path} {form:?} was taken");
        (answer.status, answer.text)
    }

    /// The exit status of a task that a call began; the clock is moved on until it is over.
    pub(crate) async fn ended(
        &self,
        demo: &Datacentre,
        verb: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> (String, String) {
        let upid = self
            .call(verb, path, form)
            .await
            .data()
            .as_str()
            .unwrap()
            .to_owned();
        let place = format!("/nodes/localhost/tasks/{}", encoded(&upid));
        let status = self.get(&format!("{place}/status")).await;
        assert_eq!(status["status"], "running", "{status}");
        assert!(status.get("exitstatus").is_none(), "{status}");
        demo.tick(Duration::from_secs(300));
        let status = self.get(&format!("{place}/status")).await;
        assert_eq!(status["status"], "stopped", "{status}");
        (upid, status["exitstatus"].as_str().unwrap().to_owned())
    }
}

/// A part of a path.
pub(crate) fn encoded(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").unwrap();
        }
    }
    path
}

/// A datacentre whose clock stands still, and its Backup Server's administrator.
pub(crate) async fn store() -> (Datacentre, Caller) {
    let demo = demo::start(Options {
        guests: 12,
        lab: false,
        ..Options::for_tests()
    })
    .await
    .unwrap();
    let server = demo.backup_server().unwrap();
    let caller = Caller::new(server, &server.admin_token());
    (demo, caller)
}
