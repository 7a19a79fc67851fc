//! A client of the demo that is not ours: plain requests, and what came back.

use std::time::Duration;

use pvedeck::demo::{self, Cluster, Datacentre, Options};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub body: Value,
}

impl Answer {
    /// The complaint about one parameter.
    pub fn error(&self, parameter: &str) -> &str {
        self.body["errors"][parameter].as_str().unwrap_or_default()
    }

    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}: {}", self.reason, self.body);
        &self.body["data"]
    }
}

/// Someone who calls.
#[derive(Debug)]
pub struct Caller {
    client: Client,
    url: String,
    token: Option<String>,
    ticket: Option<(String, String)>,
}

impl Caller {
    pub fn new(cluster: &Cluster, token: Option<&SecretString>) -> Self {
        // Whoever came first has set it; both are ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(cluster.ca_pem().as_bytes()).unwrap();
        Self {
            client: Client::builder().tls_certs_only([ca]).build().unwrap(),
            url: cluster.url(),
            token: token.map(|token| token.expose_secret().to_owned()),
            ticket: None,
        }
    }

    /// Signs in with the password that all users of the demo have.
    pub async fn signed_in(cluster: &Cluster, user: &str) -> Self {
        let mut caller = Self::new(cluster, None);
        let password = cluster.password();
        let form = [("username", user), ("password", password.expose_secret())];
        let answer = caller.call("POST", "/access/ticket", &form).await;
        let text = |key: &str| answer.data()[key].as_str().unwrap().to_owned();
        caller.ticket = Some((text("ticket"), text("CSRFPreventionToken")));
        caller
    }

    /// Sends no proof that it is its own page that writes, until it is told to remember.
    pub fn forget_csrf_token(&mut self) -> String {
        let token = self.ticket.as_mut().map(|(_, csrf)| std::mem::take(csrf));
        token.expect("signed in")
    }

    pub fn remember_csrf_token(&mut self, token: String) {
        if let Some((_, csrf)) = &mut self.ticket {
            *csrf = token;
        }
    }

    pub async fn call(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut url: reqwest::Url = format!("{}/api2/json{path}", self.url).parse().unwrap();
        let in_url = matches!(verb, "GET" | "DELETE");
        if in_url && !form.is_empty() {
            url.query_pairs_mut().extend_pairs(form);
        }
        let mut request = self.client.request(verb.parse::<Method>().unwrap(), url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("PVEAPIToken={token}"));
        }
        if let Some((ticket, csrf)) = &self.ticket {
            request = request
                .header("Cookie", format!("PVEAuthCookie={ticket}"))
                .header("CSRFPreventionToken", csrf);
        }
        if !in_url && !form.is_empty() {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let reason = response
            .extensions()
            .get::<hyper::ext::ReasonPhrase>()
            .map_or_else(
                || status.canonical_reason().unwrap_or_default().to_owned(),
                |reason| String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            );
        let text = response.text().await.unwrap();
        Answer {
            status: status.as_u16(),
            reason,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, &[]).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.reason);
        answer.body["data"].clone()
    }

    /// A call that is refused: its status and reason.
    pub async fn refused(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let answer = self.call(verb, path, form).await;
        assert_ne!(answer.status, 200, "{verb} {path} {form:?} was taken");
        (answer.status, answer.reason)
    }
}

/// A running demo with its clock in hand and root's token.
#[derive(Debug)]
pub struct Estate {
    pub demo: Datacentre,
    pub admin: Caller,
}

/// A task that is over.
#[derive(Debug)]
pub struct Ended {
    pub upid: String,
    pub exit: String,
    pub log: Vec<String>,
}

impl Estate {
    pub async fn new() -> Self {
        let demo = demo::start(Options::for_tests()).await.unwrap();
        let admin = Caller::new(demo.production(), Some(&demo.production().admin_token()));
        Self { demo, admin }
    }

    /// Root with a ticket, who may use every option.
    pub async fn root(&self) -> Caller {
        Caller::signed_in(self.demo.production(), "root@pam").await
    }

    /// Lets time pass.
    pub fn tick(&self, seconds: u64) {
        self.demo.tick(Duration::from_secs(seconds));
    }

    /// The rows of all guests.
    pub async fn guests(&self) -> Vec<Value> {
        let rows = self
            .admin
            .call("GET", "/cluster/resources", &[("type", "vm")])
            .await;
        rows.data().as_array().unwrap().clone()
    }

    /// The path of the first guest that nothing special is true of.
    pub async fn guest(&self, kind: &str, status: &str, wanted: impl Fn(&Value) -> bool) -> String {
        let rows = self.guests().await;
        let row = rows
            .iter()
            .find(|row| {
                row["type"] == kind
                    && row["status"] == status
                    && row["template"] == 0
                    && row.get("hastate").is_none()
                    && row.get("lock").is_none()
                    && wanted(row)
            })
            .expect("there is such a guest");
        path_of(row)
    }

    /// Makes a call and waits for its task.
    pub async fn run(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> Ended {
        self.run_as(&self.admin, verb, path, form).await
    }

    pub async fn run_as(&self, who: &Caller, verb: &str, path: &str, form: &[(&str, &str)]) -> Ended {
        let answer = who.call(verb, path, form).await;
        let upid = answer.data().as_str().expect("a task").to_owned();
        self.wait(&upid).await
    }

    /// Lets time pass until a task is over.
    pub async fn wait(&self, upid: &str) -> Ended {
        let node = upid.split(':').nth(1).unwrap();
        let task = format!("/nodes/{node}/tasks/{upid}");
        for _ in 0..500 {
            let state = self.admin.get(&format!("{task}/status")).await;
            if state["status"] == "stopped" {
                let log = self
                    .admin
                    .call("GET", &format!("{task}/log"), &[("limit", "0")])
                    .await;
                let lines = log.data().as_array().unwrap().iter();
                return Ended {
                    upid: upid.to_owned(),
                    exit: state["exitstatus"].as_str().unwrap().to_owned(),
                    log: lines.map(|line| line["t"].as_str().unwrap().to_owned()).collect(),
                };
            }
            self.tick(1);
        }
        panic!("{upid} never ends");
    }
}

/// `/nodes/pve1/qemu/100` from a row of `/cluster/resources`.
pub fn path_of(row: &Value) -> String {
    format!(
        "/nodes/{}/{}/{}",
        row["node"].as_str().unwrap(),
        row["type"].as_str().unwrap(),
        row["vmid"]
    )
}

/// The number at the end of a guest's path.
pub fn vmid_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The node in a guest's path.
pub fn node_of(path: &str) -> &str {
    path.split('/').nth(2).unwrap()
}
