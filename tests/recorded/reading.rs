//! Each recorded answer goes over a real connection to the real client.

use std::collections::BTreeMap;

use pvedeck::{
    clients::{
        Error,
        http::{Address, Options, Trust},
        pve::{Client, Credential, Settings, request},
    },
    domain::{GuestKind, NodeName, Upid, Vmid, rrd::Frame},
};
use serde_json::Value;

use crate::{
    exchanges::{Exchange, all},
    support::{recording::Recording, reference::skipped, replay::Replay},
};

fn client(server: &Replay) -> Client {
    let address = Address::parse(&server.url(), 8006).unwrap();
    let trust = Trust::pinned(vec![server.fingerprint().parse().unwrap()]);
    let token = "root@pam!test=00000000-0000-4000-8000-000000000000"
        .parse()
        .unwrap();
    let options = Options::new(vec![address], trust);
    Client::new(Settings {
        options,
        credential: Credential::Token(token),
    })
    .unwrap()
}

/// Reads what the path names; the number is that of the objects. `None` if the client does not read that path.
async fn read(client: &Client, path: &str) -> Option<Result<usize, Error>> {
    let segments: Vec<&str> = path.split('/').collect();
    let outcome = match segments.as_slice() {
        ["version"] => client.version().await.map(|_| 1),
        ["cluster", "resources"] => client.resources().await.map(|all| {
            assert!(all.rejected.is_empty(), "{:?}", all.rejected);
            all.nodes.len() + all.guests.len() + all.storages.len() + all.pools.len() + all.zones.len()
        }),
        ["cluster", "status"] => client
            .cluster_status()
            .await
            .map(|status| status.members.len() + usize::from(status.name.is_some())),
        ["cluster", "tasks"] => client.cluster_tasks().await.map(|list| list.len()),
        ["cluster", "ha", "status", "current"] => client
            .ha_status()
            .await
            .map(|status| status.lines.len() + status.services.len()),
        ["cluster", "log"] => client.cluster_log(500).await.map(|list| list.len()),
        ["cluster", "firewall", "rules"] => client
            .read(request::cluster_firewall_rules())
            .await
            .map(|list| list.len()),
        ["cluster", "firewall", "options"] => {
            client.read(request::cluster_firewall_options()).await.map(|_| 1)
        }
        ["access", "permissions"] => client.permissions().await.map(|list| list.len()),
        ["nodes", node, rest @ ..] => return read_node(client, &NodeName::from(*node), rest).await,
        _ => return None,
    };
    Some(outcome)
}

async fn read_node(client: &Client, node: &NodeName, rest: &[&str]) -> Option<Result<usize, Error>> {
    Some(match rest {
        ["status"] => client.node_status(node).await.map(|_| 1),
        ["services"] => client.node_services(node).await.map(|list| list.len()),
        ["certificates", "info"] => client.node_certificates(node).await.map(|list| list.len()),
        ["apt", "update"] => client.node_updates(node).await.map(|list| list.len()),
        ["disks", "list"] => client.node_disks(node).await.map(|list| list.len()),
        ["network"] => client.node_network(node).await.map(|list| list.len()),
        ["subscription"] => client.node_subscription(node).await.map(|_| 1),
        ["replication"] => client.node_replication(node).await.map(|list| list.len()),
        ["time"] => client.node_time(node).await.map(|_| 1),
        ["rrddata"] => client.node_rrd(node, Frame::Hour).await.map(|rrd| rrd.len()),
        ["storage", storage, "rrddata"] => client
            .storage_rrd(node, &(*storage).into(), Frame::Hour)
            .await
            .map(|rrd| rrd.len()),
        ["syslog"] => client
            .read(request::node_syslog(node, 0, 50))
            .await
            .map(|log| log.lines.len()),
        ["tasks"] => client.node_tasks(node, 0, 50).await.map(|list| list.len()),
        ["tasks", upid, "status"] => client.task_status(&parsed(upid)?).await.map(|_| 1),
        ["tasks", upid, "log"] => client
            .task_log(&parsed(upid)?, 0, 50)
            .await
            .map(|log| log.lines.len()),
        ["storage", storage, "status"] => client.storage_status(node, &(*storage).into()).await.map(|_| 1),
        ["storage", storage, "content"] => client
            .storage_content(node, &(*storage).into())
            .await
            .map(|list| list.len()),
        [kind @ ("qemu" | "lxc"), vmid, rest @ ..] => {
            let kind = if *kind == "qemu" {
                GuestKind::Qemu
            } else {
                GuestKind::Lxc
            };
            let vmid: Vmid = vmid.parse().ok()?;
            match rest {
                ["status", "current"] => client.guest_status(node, kind, vmid).await.map(|_| 1),
                ["config"] => client
                    .guest_config(node, kind, vmid)
                    .await
                    .map(|config| config.entries.len() + usize::from(config.digest.is_some())),
                ["rrddata"] => client
                    .guest_rrd(node, kind, vmid, Frame::Hour)
                    .await
                    .map(|rrd| rrd.len()),
                ["pending"] => client
                    .guest_pending(node, kind, vmid)
                    .await
                    .map(|list| list.len()),
                ["snapshot"] => client
                    .guest_snapshots(node, kind, vmid)
                    .await
                    .map(|list| list.len()),
                ["interfaces"] | ["agent", "network-get-interfaces"] => client
                    .guest_addresses(node, kind, vmid)
                    .await
                    .map(|list| list.len()),
                ["firewall", "options"] => client
                    .read(request::guest_firewall_options(node, kind, vmid))
                    .await
                    .map(|_| 1),
                ["firewall", "rules"] => client
                    .read(request::guest_firewall_rules(node, kind, vmid))
                    .await
                    .map(|list| list.len()),
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn parsed(upid: &str) -> Option<Upid> {
    upid.replace("%3A", ":")
        .replace("%40", "@")
        .replace("%21", "!")
        .parse()
        .ok()
}

/// How many objects the answer holds, counted without the client.
fn objects(path: &str, body: &[u8]) -> usize {
    let body: Value = serde_json::from_slice(body).unwrap();
    match &body["data"] {
        Value::Array(rows) if path.ends_with("/snapshot") => {
            rows.iter().filter(|row| row["name"] != "current").count()
        }
        Value::Array(rows) if path.ends_with("/pending") => rows
            .iter()
            .filter(|row| row.get("pending").is_some() || row.get("delete").is_some())
            .count(),
        Value::Array(rows) if path.ends_with("log") => rows
            .iter()
            .filter(|row| row["t"] != "no content" && row["t"] != "-- No entries --")
            .count(),
        Value::Array(rows) => rows.len(),
        Value::Object(fields) if path.ends_with("/config") || path.ends_with("permissions") => fields.len(),
        Value::Object(fields) if path.ends_with("interfaces") => {
            fields["result"].as_array().map_or(0, Vec::len)
        }
        _ => 1,
    }
}

/// The kind of error that a recorded answer has to become.
fn expected_error(exchange: &Exchange) -> fn(&Error) -> bool {
    let answer = &exchange.answer;
    let told = format!("{} {}", answer.reason, String::from_utf8_lossy(&answer.body));
    match answer.status {
        400 if told.contains("no such task") => |error| matches!(error, Error::NotAvailable { .. }),
        400 => |error| matches!(error, Error::Parameter { parameters, .. } if !parameters.is_empty()),
        401 => |error| matches!(error, Error::SignIn { .. }),
        403 => |error| matches!(error, Error::NotAllowed { message } if message.contains("ermission")),
        501 => |error| matches!(error, Error::NotAvailable { message } if !message.is_empty()),
        595 | 596 => |error| matches!(error, Error::NodeAway { message, .. } if !message.is_empty()),
        500 if told.contains("does not exist")
            || told.contains("hostname lookup")
            || told.contains("no such") =>
        {
            |error| matches!(error, Error::NotAvailable { .. })
        }
        500 => |error| matches!(error, Error::Server { .. } | Error::NotAvailable { .. }),
        _ => |_| false,
    }
}

#[tokio::test]
async fn every_recorded_answer_is_read() {
    let Some(exchanges) = all() else {
        return skipped("recorded answers");
    };
    let server = Replay::start(Recording::default());
    let kept = client(&server);
    let (mut good, mut bad) = (0, BTreeMap::<u16, usize>::new());
    for exchange in &exchanges {
        let Exchange { file, path, answer } = exchange;
        let encoded = path.replace(':', "%3A").replace('@', "%40").replace('!', "%21");
        server.replace(Recording::default().with(&encoded, answer.clone()));
        // A refused sign-in holds for a while: each of those answers gets a client of its own.
        let asking = if answer.status == 401 {
            client(&server)
        } else {
            kept.clone()
        };
        let Some(outcome) = read(&asking, path).await else {
            continue;
        };
        match outcome {
            Ok(count) => {
                assert_eq!(answer.status, 200, "{file} {path}: an error was taken for data");
                assert_eq!(
                    count,
                    objects(path, &answer.body),
                    "{file} {path}: objects were lost"
                );
                good += 1;
            }
            Err(error) => {
                assert_ne!(answer.status, 200, "{file} {path}: {error}");
                assert!(
                    expected_error(exchange)(&error),
                    "{file} {path} {}: {error:?}",
                    answer.status
                );
                *bad.entry(answer.status).or_default() += 1;
            }
        }
    }
    assert!(good > 150, "only {good} answers were read");
    for status in [400, 401, 403, 500, 595, 596] {
        assert!(bad.contains_key(&status), "no recorded {status} was met: {bad:?}");
    }
}
