//! The demo datacentre against the official schema and against what real servers were seen to say.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

mod support;

use std::{collections::BTreeMap, time::Duration};

use pvedeck::demo::{self, Cluster, Datacentre, Fault, Options};
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

struct Answer {
    status: u16,
    reason: String,
    body: Value,
}

struct Caller {
    client: Client,
    url: String,
    token: Option<String>,
}

impl Caller {
    fn new(cluster: &Cluster, token: Option<&secrecy::SecretString>) -> Self {
        // Whoever came first has set it; both are ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(cluster.ca_pem().as_bytes()).unwrap();
        Self {
            client: Client::builder().tls_certs_only([ca]).build().unwrap(),
            url: cluster.url(),
            token: token.map(|token| token.expose_secret().to_owned()),
        }
    }

    async fn call(&self, verb: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut url: reqwest::Url = format!("{}/api2/json{path}", self.url).parse().unwrap();
        let in_url = matches!(verb, "GET" | "DELETE");
        if in_url && !form.is_empty() {
            url.query_pairs_mut().extend_pairs(form);
        }
        let mut request = self.client.request(verb.parse::<Method>().unwrap(), url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("PVEAPIToken={token}"));
        }
        if !in_url && !form.is_empty() {
            request = request.form(form);
        }
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: reqwest::Response) -> Answer {
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

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, &[]).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.reason);
        answer.body["data"].clone()
    }
}

async fn datacentre() -> (Datacentre, Caller) {
    let datacentre = demo::start(Options::for_tests()).await.unwrap();
    let caller = Caller::new(
        datacentre.production(),
        Some(&datacentre.production().admin_token()),
    );
    (datacentre, caller)
}

/// Schemas by path.
fn schemas(file: &str) -> Option<BTreeMap<String, Value>> {
    let text =
        std::fs::read_to_string(support::reference::reference_dir()?.join("pve-api").join(file)).ok()?;
    let mut found = BTreeMap::new();
    let mut open: Vec<Value> = serde_json::from_str(&text).unwrap();
    while let Some(mut node) = open.pop() {
        if let Some(children) = node["children"].as_array_mut() {
            open.append(children);
        }
        found.insert(node["path"].as_str().unwrap().to_owned(), node["info"].take());
    }
    Some(found)
}

/// What breaks a value against its schema, with the place.
fn breaches(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let kind = schema["type"].as_str().unwrap_or("any");
    let numeric = || value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    let fits = match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" | "number" => numeric(),
        "boolean" => {
            matches!(value.as_i64(), Some(0 | 1)) || value.is_boolean() || value == "0" || value == "1"
        }
        "string" => value.is_string() || value.is_number(),
        "null" => value.is_null(),
        _ => true,
    };
    if !fits {
        found.push(format!("{place}: {value} is no {kind}"));
        return;
    }
    if let (Some(values), Some(text)) = (schema["enum"].as_array(), value.as_str())
        && !values.iter().any(|known| known == text)
    {
        found.push(format!("{place}: {text:?} is not in {values:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        found.push(format!("{place}: {number} is below {least}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        breaches(&schema["items"], item, &format!("{place}[{index}]"), found);
    }
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let is_optional = matches!(&property["optional"], Value::Bool(true))
            || property["optional"] == 1
            || property["optional"] == "1";
        match value.get(name) {
            Some(member) => breaches(property, member, &format!("{place}.{name}"), found),
            None if !is_optional => found.push(format!("{place}.{name} is missing")),
            None => {}
        }
    }
}

/// Paths worth reading: every place of the table that has a value for its variables.
async fn readable(caller: &Caller) -> Vec<(String, String)> {
    let resources = caller.get("/cluster/resources").await;
    let of = |kind: &str| {
        resources
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["type"] == kind && row["status"] == "running" && row.get("lock").is_none())
            .map(|row| (row["node"].as_str().unwrap().to_owned(), row["vmid"].to_string()))
            .next()
            .unwrap()
    };
    let (qemu, lxc) = (of("qemu"), of("lxc"));
    let tasks = caller.get("/cluster/tasks").await;
    let (task_node, upid) = (
        tasks[0]["node"].as_str().unwrap(),
        tasks[0]["upid"].as_str().unwrap(),
    );
    include_str!("../src/demo/methods.txt")
        .lines()
        .filter(|line| line.starts_with("GET ") || line.starts_with("DIR "))
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .map(|template| {
            let (node, vmid) = match template.as_str() {
                path if path.contains("/qemu/") => (qemu.0.as_str(), qemu.1.as_str()),
                path if path.contains("/lxc/") => (lxc.0.as_str(), lxc.1.as_str()),
                path if path.contains("{upid}") => (task_node, ""),
                _ => ("pve1", ""),
            };
            let path = template
                .replace("{node}", node)
                .replace("{vmid}", vmid)
                .replace("{upid}", upid)
                .replace(
                    "{storage}",
                    if template.starts_with("/nodes") {
                        "local-zfs"
                    } else {
                        "local"
                    },
                )
                .replace("{userid}", "auditor@pve")
                .replace("{tokenid}", "demo")
                .replace("{roleid}", "PVEAuditor")
                .replace("{poolid}", "acme")
                .replace("{service}", "pveproxy")
                .replace("{iface}", "vmbr0");
            (template, path)
        })
        // A console is asked for with a ticket, which has a test of its own.
        .filter(|(_, path)| !path.contains('{') && !path.ends_with("/vncwebsocket"))
        .collect()
}

#[tokio::test]
async fn every_answer_keeps_to_the_official_schema() {
    let (Some(nine), Some(eight)) = (schemas("pve-9.1.3.json"), schemas("pve-8.json")) else {
        println!("SKIPPED: no reference schemas here");
        return;
    };
    let (_datacentre, caller) = datacentre().await;
    let mut found = Vec::new();
    let mut checked = 0;
    for (template, path) in readable(&caller).await {
        let form: &[(&str, &str)] = match template.rsplit('/').next().unwrap() {
            "rrddata" => &[("timeframe", "hour")],
            "feature" => &[("feature", "snapshot")],
            "smart" => &[("disk", "/dev/sda")],
            _ => &[],
        };
        let answer = caller.call("GET", &path, form).await;
        if answer.status != 200 {
            let refused = ["ceph", "groups", "agent"];
            assert!(
                refused.iter().any(|word| template.contains(word)),
                "GET {path}: {} {}",
                answer.status,
                answer.reason
            );
            continue;
        }
        let data = &answer.body["data"];
        let mut in_nine = Vec::new();
        if let Some(method) = nine.get(&template) {
            breaches(&method["GET"]["returns"], data, &template, &mut in_nine);
        }
        // Where 8 and 9 differ, 9 counts.
        if let Some(method) = eight.get(&template) {
            let mut in_eight = Vec::new();
            breaches(&method["GET"]["returns"], data, &template, &mut in_eight);
            in_nine.retain(|breach| in_eight.contains(breach));
        }
        checked += 1;
        found.extend(in_nine);
    }
    assert!(checked > 120, "only {checked} methods were checked");
    assert!(
        found.is_empty(),
        "{} breaches:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "one table of recorded refusals"
)]
async fn refusals_are_worded_as_recorded() {
    let (datacentre, admin) = datacentre().await;
    let prod = datacentre.production();
    let auditor = Caller::new(prod, Some(&prod.auditor_token()));
    let nobody = Caller::new(prod, Some(&prod.token_of("nobody@pve")));
    let stranger = Caller::new(prod, None);
    let resources = admin.get("/cluster/resources").await;
    let guest = resources
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["vmid"] == 100)
        .unwrap();
    let node = guest["node"].as_str().unwrap();
    let vm = format!("/nodes/{node}/qemu/100");
    let cases: &[(&Caller, &str, String, &[(&str, &str)], u16, &str)] = &[
        (&stranger, "GET", "/version".into(), &[], 401, "No ticket"),
        (&stranger, "GET", "/nosuch".into(), &[], 401, "No ticket"),
        (
            &admin,
            "GET",
            "/nosuch".into(),
            &[],
            501,
            "Method 'GET /nosuch' not implemented",
        ),
        (
            &admin,
            "POST",
            "/version".into(),
            &[],
            501,
            "Method 'POST /version' not implemented",
        ),
        (
            &admin,
            "GET",
            "/version".into(),
            &[("foo", "1")],
            400,
            "Parameter verification failed.",
        ),
        (
            &admin,
            "GET",
            format!("/nodes/{node}/qemu/9999/config"),
            &[],
            500,
            &format!("Configuration file 'nodes/{node}/qemu-server/9999.conf' does not exist"),
        ),
        (
            &admin,
            "GET",
            "/cluster/ha/groups".into(),
            &[],
            500,
            "cannot index groups: ha groups have been migrated to rules",
        ),
        (
            &admin,
            "GET",
            "/nodes/nosuch/qemu".into(),
            &[],
            500,
            "hostname lookup 'nosuch' failed - failed to get address info for: nosuch: Temporary failure in name resolution",
        ),
        (
            &admin,
            "PUT",
            format!("{vm}/config"),
            &[("digest", "x"), ("description", "d")],
            500,
            "checksum mismatch (file change by other user?)",
        ),
        (
            &admin,
            "PUT",
            format!("{vm}/config"),
            &[("args", "-x")],
            500,
            "only root can set 'args' config",
        ),
        (
            &admin,
            "POST",
            format!("{vm}/status/start"),
            &[("skiplock", "1")],
            400,
            "Parameter verification failed.",
        ),
        (
            &admin,
            "POST",
            format!("/nodes/{node}/qemu"),
            &[("vmid", "100")],
            500,
            &format!("unable to create VM 100 - VM 100 already exists on node '{node}'"),
        ),
        (
            &auditor,
            "POST",
            format!("{vm}/status/start"),
            &[],
            403,
            "Permission check failed (/vms/100, VM.PowerMgmt)",
        ),
        (
            &auditor,
            "DELETE",
            vm.clone(),
            &[],
            403,
            "Permission check failed (/vms/100, VM.Allocate)",
        ),
        (
            &auditor,
            "POST",
            format!("{vm}/clone"),
            &[("newid", "702")],
            403,
            "Permission check failed (/vms/100, VM.Clone)",
        ),
        (
            &auditor,
            "POST",
            format!("/nodes/{node}/qemu"),
            &[("vmid", "700")],
            403,
            "Permission check failed",
        ),
        (
            &auditor,
            "GET",
            "/nodes/pve1/syslog".into(),
            &[],
            403,
            "Permission check failed (/nodes/pve1, Sys.Syslog)",
        ),
        (
            &auditor,
            "POST",
            "/pools".into(),
            &[("poolid", "zz")],
            403,
            "Permission check failed (/pool/zz, Pool.Allocate)",
        ),
        (
            &nobody,
            "GET",
            "/cluster/status".into(),
            &[],
            403,
            "Permission check failed (/, Sys.Audit)",
        ),
        (
            &nobody,
            "GET",
            format!("{vm}/config"),
            &[],
            403,
            "Permission check failed (/vms/100, VM.Audit)",
        ),
    ];
    for (caller, verb, path, form, status, reason) in cases {
        let answer = caller.call(verb, path, form).await;
        assert_eq!(
            (answer.status, answer.reason.as_str()),
            (*status, *reason),
            "{verb} {path}"
        );
        if answer.status == 401 {
            assert_eq!(answer.body, Value::Null);
        }
    }
    for path in [
        "/cluster/tasks",
        "/cluster/log",
        "/storage",
        "/pools",
        "/nodes/pve1/qemu",
    ] {
        assert_eq!(nobody.get(path).await, json!([]), "{path}");
    }
    assert_eq!(nobody.get("/access/permissions").await, json!({}));
    assert_eq!(nobody.get("/nodes").await.as_array().unwrap().len(), 3);
    let powerless = Caller::new(prod, Some(&prod.powerless_token()));
    assert_eq!(powerless.get("/access/permissions").await, json!({}));
}

#[tokio::test]
async fn a_ticket_signs_in_and_needs_its_csrf_token_to_write() {
    let (datacentre, _) = datacentre().await;
    let prod = datacentre.production();
    let caller = Caller::new(prod, None);
    let password = prod.password();
    let form = [("username", "root@pam"), ("password", password.expose_secret())];
    let signed_in = caller.call("POST", "/access/ticket", &form).await.body["data"].clone();
    let ticket = signed_in["ticket"].as_str().unwrap();
    let url = format!("{}/api2/json/pools", prod.url());
    let post = || {
        let form = [("poolid", "fresh")];
        caller
            .client
            .post(&url)
            .header("Cookie", format!("PVEAuthCookie={ticket}"))
            .form(&form)
    };
    let refused = Caller::read(post().send().await.unwrap()).await;
    assert_eq!(refused.reason, "Permission denied - invalid csrf token");
    let csrf = signed_in["CSRFPreventionToken"].as_str().unwrap();
    let done = post().header("CSRFPreventionToken", csrf).send().await.unwrap();
    assert_eq!(done.status(), StatusCode::OK);
    let wrong = caller
        .call(
            "POST",
            "/access/ticket",
            &[("username", "root@pam"), ("password", "x")],
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.reason.as_str()),
        (401, "authentication failure")
    );
    assert_eq!(wrong.body["message"], "authentication failure\n");
}

#[tokio::test]
async fn a_guest_stops_and_starts_and_its_tasks_tell() {
    let (datacentre, caller) = datacentre().await;
    let resources = caller.get("/cluster/resources").await;
    let row = resources
        .as_array()
        .unwrap()
        .iter()
        .find(|row| {
            row["type"] == "qemu"
                && row["status"] == "running"
                && row.get("hastate").is_none()
                && row.get("lock").is_none()
        })
        .unwrap();
    let (node, vmid) = (row["node"].as_str().unwrap(), row["vmid"].to_string());
    let vm = format!("/nodes/{node}/qemu/{vmid}");
    let again = caller.call("POST", &format!("{vm}/status/start"), &[]).await;
    datacentre.tick(Duration::from_secs(2));
    let upid = again.body["data"].as_str().unwrap().to_owned();
    let state = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(state["exitstatus"], format!("VM {vmid} already running"));
    let stop = caller.call("POST", &format!("{vm}/status/stop"), &[]).await;
    let upid = stop.body["data"].as_str().unwrap().to_owned();
    let running = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(running["status"], "running");
    datacentre.tick(Duration::from_secs(5));
    let ended = caller.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    assert_eq!(
        (&ended["status"], &ended["exitstatus"]),
        (&json!("stopped"), &json!("OK"))
    );
    let stopped = caller.get(&format!("{vm}/status/current")).await;
    assert_eq!(
        (&stopped["status"], &stopped["qmpstatus"]),
        (&json!("stopped"), &json!("stopped"))
    );
    for gone in ["pid", "nics", "pressurecpusome"] {
        assert!(stopped.get(gone).is_none(), "{gone} of a stopped guest");
    }
    let reset = caller.call("POST", &format!("{vm}/status/reset"), &[]).await;
    assert_eq!(reset.reason, format!("VM {vmid} not running"));
    caller
        .call("POST", &format!("{vm}/snapshot"), &[("snapname", "one")])
        .await;
    datacentre.tick(Duration::from_secs(5));
    caller
        .call("PUT", &format!("{vm}/config"), &[("tags", "Web;prod,Db")])
        .await;
    assert_eq!(caller.get(&format!("{vm}/config")).await["tags"], "db;prod;web");
    let snapshots = caller.get(&format!("{vm}/snapshot")).await;
    assert!(
        snapshots
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "one")
    );
}

#[tokio::test]
async fn faults_look_as_they_do_in_reality_and_requests_are_counted() {
    let (datacentre, caller) = datacentre().await;
    let prod = datacentre.production();
    prod.break_with(Fault::NodeOffline("pve3".to_owned()));
    let answer = caller.call("GET", "/nodes/pve3/status", &[]).await;
    assert_eq!((answer.status, answer.reason.as_str()), (595, "No route to host"));
    let nodes = caller.get("/nodes").await;
    let away = nodes
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["node"] == "pve3")
        .unwrap();
    assert_eq!(away["status"], "offline");
    assert!(away.get("cpu").is_none() && away.get("uptime").is_none());
    prod.mend();
    prod.break_with(Fault::NodeFrozen("pve2".to_owned()));
    assert_eq!(caller.call("GET", "/nodes/pve2/status", &[]).await.status, 596);
    prod.break_with(Fault::NoQuorum);
    let start = caller
        .call("POST", "/nodes/pve1/qemu/100/status/start", &[])
        .await;
    assert_eq!(start.reason, "cluster not ready - no quorum?");
    prod.mend();
    prod.break_with(Fault::Truncated);
    assert_eq!(caller.call("GET", "/cluster/status", &[]).await.body, Value::Null);
    prod.mend();
    assert_eq!(prod.writes(), 1);
    assert_eq!(prod.requests()["GET /nodes/pve3/status"], 1);
}

#[tokio::test]
async fn ten_thousand_guests_are_one_quick_answer() {
    let options = Options {
        guests: 10_000,
        lab: false,
        ..Options::for_tests()
    };
    let datacentre = demo::start(options).await.unwrap();
    let caller = Caller::new(
        datacentre.production(),
        Some(&datacentre.production().admin_token()),
    );
    let vms = caller.call("GET", "/cluster/resources", &[("type", "vm")]).await;
    assert_eq!(vms.body["data"].as_array().unwrap().len(), 10_000);
}

#[tokio::test]
async fn the_ticket_of_a_console_is_good_for_one_console_and_not_for_long() {
    let (datacentre, caller) = datacentre().await;
    let opened = caller.call("POST", "/nodes/pve1/termproxy", &[]).await;
    assert_eq!(opened.status, 200, "{}", opened.reason);
    let (port, ticket) = (
        &opened.body["data"]["port"],
        opened.body["data"]["ticket"].as_str().unwrap(),
    );
    assert!(
        port.is_number() && ticket.starts_with("PVEVNC:"),
        "{}",
        opened.body
    );
    let port = port.to_string();
    let ask = async |node: &str, port: &str| {
        let form = [("port", port), ("vncticket", ticket)];
        let answer = caller
            .call("GET", &format!("/nodes/{node}/vncwebsocket"), &form)
            .await;
        (answer.status, answer.reason, answer.body["data"]["port"].clone())
    };
    // Asked without an upgrade, it only says that the ticket is good.
    assert_eq!(ask("pve1", &port).await, (200, "OK".to_owned(), json!(port)));
    let refused = "permission denied - invalid PVEVNC ticket";
    assert_eq!(ask("pve2", &port).await, (401, refused.to_owned(), Value::Null));
    assert_eq!(ask("pve1", "5990").await.0, 401);
    datacentre.tick(Duration::from_secs(41));
    assert_eq!(ask("pve1", &port).await.0, 401);
    // Nobody came for it: its task has failed.
    let upid = opened.body["data"]["upid"].as_str().unwrap();
    let status = caller.get(&format!("/nodes/pve1/tasks/{upid}/status")).await;
    let exit = status["exitstatus"].as_str().unwrap_or_default();
    assert!(exit.contains("termproxy") && exit.contains("failed"), "{status}");
}
