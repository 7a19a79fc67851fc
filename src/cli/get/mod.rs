//! `get`: lists for scripts and people, from all clusters at once.
//!
//! What always holds here: a cluster that fails hides nothing of the others. What there is is printed; what failed is
//! told on stderr and in the exit code.

mod backup_servers;
mod backups;
pub(super) mod findings;
pub(super) mod metrics;
mod quotas;
mod rows;
pub(super) mod top;

use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    args::{Format, Resource},
    backup_servers::ServerLink,
    connect::{Link, code, signed_in},
    exit::{Code, Failure, talk},
    output::{Column, List},
};
use crate::{
    clients::Error,
    domain::{Inventory, filter::Filter, quota::Quota},
    store::FindingLimits,
};

/// How many rows that could not be understood are told of, each with its reason.
const REJECTED_SHOWN: usize = 3;

/// Reads and prints.
///
/// # Errors
/// Nothing could be printed, or a cluster failed.
pub(super) async fn run(
    links: Vec<Link>,
    servers: Vec<ServerLink>,
    resource: Resource,
    words: &[String],
    format: Format,
    limits: FindingLimits,
    quotas: &[Quota],
) -> Result<(), Failure> {
    if resource == Resource::Quotas {
        return quotas::run(&links, quotas, words, format).await;
    }
    let filter = Filter::parse(&words.join(" "));
    let mut reads = JoinSet::new();
    let only_servers = matches!(resource, Resource::Datastores | Resource::ServerBackups);
    let links = if only_servers { Vec::new() } else { links };
    for (index, link) in links.iter().cloned().enumerate() {
        let filter = filter.clone();
        let limits = limits.clone();
        reads.spawn(async move {
            let answer = match resource {
                Resource::Findings => findings::read(&link, limits).await,
                Resource::Backups | Resource::RestorePoints | Resource::Jobs => {
                    backups::read(&link, resource, limits).await
                }
                _ => match read(&link, resource, &filter).await {
                    Ok(rows) => (rows, None),
                    Err(error) => {
                        talk(format!("{}: {error}", link.id));
                        (Vec::new(), Some(code(&error)))
                    }
                },
            };
            (index, answer)
        });
    }
    let mut asked = links.len();
    if matches!(resource, Resource::Datastores | Resource::ServerBackups) && servers.is_empty() {
        let message = "no Backup Server is configured; run: pvedeck login --pbs";
        return Err(Failure::new(Code::Usage, message));
    }
    for server in servers.into_iter().filter(|_| backup_servers::has(resource)) {
        let (index, limits) = (asked, limits.clone());
        asked += 1;
        reads.spawn(async move { (index, backup_servers::read(&server, resource, limits).await) });
    }
    let mut answers: Vec<_> = reads.join_all().await;
    answers.sort_by_key(|(index, _)| *index);

    let mut list = List {
        columns: columns(resource),
        rows: Vec::new(),
    };
    let mut failed: Vec<Code> = Vec::new();
    for (_, (mut rows, code)) in answers {
        list.rows.append(&mut rows);
        failed.extend(code);
    }
    if resource == Resource::Tasks {
        // The newest first, whatever cluster they are of.
        list.rows
            .sort_by_key(|row| std::cmp::Reverse(row.first().and_then(Value::as_i64)));
    }
    // Snapshots were chosen by their guests.
    if resource != Resource::Snapshots {
        list.filter(&filter);
    }
    if failed.len() < asked || !list.rows.is_empty() {
        list.print(format)?;
    }
    match failed.into_iter().min() {
        Some(code) => Err(Failure::said(code)),
        None => Ok(()),
    }
}

fn columns(resource: Resource) -> &'static [Column] {
    match resource {
        Resource::Clusters => rows::CLUSTERS,
        Resource::Nodes => rows::NODES,
        Resource::Guests => rows::GUESTS,
        Resource::Storages => rows::STORAGES,
        Resource::Tasks => rows::TASKS,
        Resource::Findings => rows::FINDINGS,
        Resource::Snapshots => rows::SNAPSHOTS,
        Resource::Backups => backups::BACKUPS,
        Resource::RestorePoints => backups::POINTS,
        Resource::Jobs => backups::JOBS,
        // See `quotas`.
        Resource::Quotas => &[],
        Resource::Metrics => metrics::METRICS,
        Resource::Datastores => backup_servers::DATASTORES,
        Resource::ServerBackups => backup_servers::BACKUPS,
    }
}

async fn read(link: &Link, resource: Resource, filter: &Filter) -> Result<Vec<Vec<Value>>, Error> {
    let id = &link.id;
    Ok(match resource {
        Resource::Clusters => {
            let version = signed_in(&link.client).await?;
            let status = match link.client.cluster_status().await {
                Ok(status) => Some(status),
                // The rest is told all the same.
                Err(error @ (Error::NotAllowed { .. } | Error::NotAvailable { .. })) => {
                    talk(format!("{id}: {error}"));
                    None
                }
                Err(error) => return Err(error),
            };
            let url = link.client.current_address().to_string();
            vec![rows::cluster(
                id,
                status.as_ref(),
                version.as_deref(),
                &url,
                link.read_only,
            )]
        }
        Resource::Nodes => {
            let mut nodes = inventory(link).await?.nodes;
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            nodes.iter().map(|node| rows::node(id, node)).collect()
        }
        Resource::Guests => {
            let mut guests = inventory(link).await?.guests;
            guests.sort_by_key(|guest| guest.vmid);
            guests.iter().map(|guest| rows::guest(id, guest)).collect()
        }
        Resource::Storages => {
            let mut storages = inventory(link).await?.storages;
            storages.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
            storages
                .iter()
                .map(|storage| rows::storage(id, storage))
                .collect()
        }
        Resource::Tasks => {
            let tasks = link.client.cluster_tasks().await?;
            tasks.iter().map(|task| rows::task(id, task)).collect()
        }
        Resource::Snapshots => snapshots(link, filter).await?,
        // They are read in ways of their own: see `backups`, `findings`, `metrics` and `quotas`.
        _ => Vec::new(),
    })
}

async fn inventory(link: &Link) -> Result<Inventory, Error> {
    let inventory = link.client.resources().await?;
    for why in inventory.rejected.iter().take(REJECTED_SHOWN) {
        talk(format!(
            "{}: left out, because it could not be understood: {why}",
            link.id
        ));
    }
    if let Some(more @ 1..) = inventory.rejected.len().checked_sub(REJECTED_SHOWN) {
        talk(format!("{}: {more} more rows could not be understood", link.id));
    }
    if inventory.guests.is_empty() && inventory.storages.is_empty() && !inventory.nodes.is_empty() {
        talk(format!(
            "{}: no guests and no storages; a sign-in without privileges sees none, and a privilege-separated token \
             needs its own permissions",
            link.id
        ));
    }
    Ok(inventory)
}

/// The snapshots of the guests that the filter lets pass: one request for each of them.
async fn snapshots(link: &Link, filter: &Filter) -> Result<Vec<Vec<Value>>, Error> {
    let mut guests = inventory(link).await?.guests;
    guests.retain(|guest| {
        let mut one = List {
            columns: rows::GUESTS,
            rows: vec![rows::guest(&link.id, guest)],
        };
        one.filter(filter);
        !one.rows.is_empty()
    });
    guests.sort_by_key(|guest| guest.vmid);
    let mut reads = JoinSet::new();
    for (index, guest) in guests.iter().cloned().enumerate() {
        let client = link.client.clone();
        // The client bounds how many are under way.
        reads.spawn(async move {
            (
                index,
                client.guest_snapshots(&guest.node, guest.kind, guest.vmid).await,
            )
        });
    }
    let mut answers: Vec<_> = reads.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    let mut rows = Vec::new();
    for (index, answer) in answers {
        let guest = &guests[index];
        match answer {
            Ok(mut snapshots) => {
                snapshots.sort_by_key(|snapshot| snapshot.time);
                rows.extend(
                    snapshots
                        .iter()
                        .map(|snapshot| rows::snapshot(&link.id, guest, snapshot)),
                );
            }
            // One guest that is gone, or on a node that is away, does not hide the others.
            Err(
                error @ (Error::NodeAway { .. }
                | Error::NotAllowed { .. }
                | Error::NotAvailable { .. }
                | Error::Server { .. }),
            ) => {
                talk(format!("{}: guest {}: {error}", link.id, guest.vmid));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ClusterId, ClusterStatus, Guest, GuestKind, GuestStatus, Node, NodeStatus, Storage, StorageStatus,
        Task, TaskState, Vmid, guest::Snapshot,
    };

    fn guest() -> Guest {
        Guest {
            vmid: Vmid(104),
            kind: GuestKind::Qemu,
            name: Some("web-01".into()),
            node: "pve1".into(),
            status: GuestStatus::Running,
            template: false,
            tags: vec!["prod".into()],
            pool: None,
            lock: None,
            ha_state: None,
            cpu: Some(0.5),
            cpus: Some(4.0),
            mem: Some(1),
            max_mem: Some(2),
            host_mem: None,
            disk: None,
            max_disk: None,
            uptime: None,
            net_in: None,
            net_out: None,
            disk_read: None,
            disk_write: None,
        }
    }

    #[test]
    fn every_row_has_a_value_for_every_column() {
        let id = ClusterId::from("prod");
        let node = Node {
            name: "pve1".into(),
            status: NodeStatus::Online,
            cpu: None,
            cpus: None,
            mem: None,
            max_mem: None,
            disk: None,
            max_disk: None,
            uptime: None,
            level: None,
        };
        let storage = Storage {
            name: "local".into(),
            node: "pve1".into(),
            status: StorageStatus::Available,
            plugin: "dir".into(),
            content: vec![],
            shared: false,
            used: None,
            total: None,
        };
        let task = Task {
            upid: "UPID:pve1:00000001:00000002:65000000:qmstart:104:root@pam:"
                .parse()
                .unwrap(),
            end: None,
            state: TaskState::Failed("no".into()),
            user: "root@pam".into(),
        };
        let snapshot = Snapshot {
            name: "a".into(),
            parent: None,
            time: None,
            with_ram: true,
            description: "".into(),
        };
        for (resource, row) in [
            (
                Resource::Clusters,
                rows::cluster(&id, Some(&ClusterStatus::default()), Some("9"), "https://x", true),
            ),
            (Resource::Nodes, rows::node(&id, &node)),
            (Resource::Guests, rows::guest(&id, &guest())),
            (Resource::Storages, rows::storage(&id, &storage)),
            (Resource::Tasks, rows::task(&id, &task)),
            (Resource::Snapshots, rows::snapshot(&id, &guest(), &snapshot)),
        ] {
            assert_eq!(row.len(), columns(resource).len(), "{resource:?}");
        }
    }

    #[test]
    fn values_stand_below_their_keys() {
        let row = rows::guest(&ClusterId::from("prod"), &guest());
        let value = |key: &str| {
            let at = rows::GUESTS.iter().position(|column| column.key == key).unwrap();
            row[at].clone()
        };
        assert_eq!(value("vmid"), 104);
        assert_eq!(value("type"), "qemu");
        assert_eq!(value("maxcpu").to_string(), "4");
        assert_eq!(value("mem"), 1);
        assert_eq!(value("maxmem"), 2);
        assert_eq!(value("tags")[0], "prod");
        assert_eq!(value("id"), "qemu/104");
        assert_eq!(value("status"), "running");
    }
}
