//! Everything about a cluster or standalone host.

use std::collections::BTreeMap;

use super::{
    node_parts as lists,
    parts::{self, Facts, moment, sourced},
};
use crate::{
    domain::{
        ClusterId, ClusterStatus, Guest, HaStatus, LogEntry, Node, NodeRef, NodeStatus, ObjectRef, Pool,
        ReplicationJob, SdnZone,
        quantity::{Bytes, percent},
    },
    screens::{Cx, states},
    store::{Cluster, Feed, Grant},
    ui::{
        Cell, Glyphs, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
        table::by_name,
    },
};

/// Lines of the cluster log that the page shows.
const LOG: usize = 40;

/// What its page shows.
pub(super) fn feeds(cx: &Cx<'_>, id: &ClusterId) -> Vec<Feed> {
    let mut feeds = vec![
        Feed::ClusterStatus,
        Feed::HaStatus,
        Feed::ClusterLog,
        Feed::Version,
        Feed::Permissions,
        Feed::ClusterFirewall,
        Feed::FirewallGroups,
    ];
    let nodes = cx.store.cluster(id).map_or(&[][..], Cluster::nodes);
    let online = nodes.iter().filter(|node| node.status == NodeStatus::Online);
    feeds.extend(online.map(|node| Feed::NodeReplication(node.name.clone())));
    feeds
}

/// Its page.
pub(super) fn page(cx: &Cx<'_>, id: &ClusterId) -> Vec<Section> {
    let g = cx.glyphs;
    let object = ObjectRef::Cluster(id.clone());
    let Some(cluster) = cx.store.cluster(id) else {
        return vec![parts::missing(cx, &object)];
    };
    let fresh = |feed: Feed| parts::fresh(cx, id, feed);
    let status_fresh = fresh(Feed::ClusterStatus);

    let inventory = fresh(Feed::Resources);
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &object));
    sections.extend(unreadable(cluster));
    sections.push(parts::sourced(
        "Status",
        &status_fresh,
        cluster.status(),
        "nothing is known",
        |known| status(g, id, known, cluster.version()),
    ));
    sections.push(members(g, &status_fresh, cluster.status(), cluster.nodes()));
    sections.extend(ha(&fresh(Feed::HaStatus), cluster.ha()));
    sections.push(pools(&inventory, cluster.pools(), cluster.guests()));
    sections.push(zones(&inventory, cluster.zones()));
    sections.push(parts::firewall(&fresh(Feed::ClusterFirewall), cluster.firewall()));
    sections.extend(parts::firewall_groups(
        &fresh(Feed::FirewallGroups),
        cluster.firewall_groups(),
    ));
    sections.extend(replication(cx, cluster));
    sections.push(log(cx, &fresh(Feed::ClusterLog), cluster.log()));
    sections.push(permissions(&fresh(Feed::Permissions), cluster.permissions()));
    sections
}

/// The replication jobs of all nodes together, once any node has told.
fn replication(cx: &Cx<'_>, cluster: &Cluster) -> Option<Section> {
    let told: Vec<(Freshness, &[ReplicationJob])> = cluster
        .nodes()
        .iter()
        .filter_map(|node| {
            let id = NodeRef {
                cluster: cluster.id().clone(),
                node: node.name.clone(),
            };
            let jobs = cx.store.node_replication(&id)?;
            Some((
                parts::fresh(cx, cluster.id(), Feed::NodeReplication(id.node)),
                jobs,
            ))
        })
        .collect();
    let (fresh, _) = told.first()?.clone();
    // Every node tells of the jobs that start on it, some versions of all jobs.
    let jobs: BTreeMap<&str, &ReplicationJob> = told
        .iter()
        .flat_map(|(_, jobs)| jobs.iter())
        .map(|job| (&*job.id, job))
        .collect();
    Some(lists::replication(cx, &fresh, Some(jobs.into_values())))
}

fn status(g: &Glyphs, id: &ClusterId, status: &ClusterStatus, version: Option<&str>) -> Body {
    let mut facts = Facts::default();
    facts.add("cluster", id.as_str());
    facts.add("name", status.name.as_deref().unwrap_or("standalone host"));
    let (online, all) = status.online();
    let tone = if online == all { Tone::Good } else { Tone::Bad };
    facts.add("nodes", Cell::toned(format!("{online} of {all} online"), tone));
    facts.add("quorum", quorum(g, status.quorate));
    facts.maybe("version", version);
    facts.body()
}

/// Sign and word of the quorum.
fn quorum(g: &Glyphs, quorate: Option<bool>) -> Cell {
    match quorate {
        Some(true) => Cell::toned(format!("{} quorate", g.on), Tone::Good),
        Some(false) => Cell::toned(
            format!("{} no quorum: nothing can be changed", g.lost),
            Tone::Critical,
        ),
        None => Cell::toned("not needed on a standalone host", Tone::Muted),
    }
}

fn members(g: &Glyphs, fresh: &Freshness, status: Option<&ClusterStatus>, nodes: &[Node]) -> Section {
    sourced("Members", fresh, status, "no member", |status| Body::Grid {
        columns: vec![
            GridColumn::text("node"),
            GridColumn::text("status"),
            GridColumn::text("address"),
            GridColumn::number("id"),
            GridColumn::number("cpu"),
            GridColumn::number("memory"),
            GridColumn::text(""),
        ],
        rows: status
            .members
            .iter()
            .map(|member| {
                let node = nodes.iter().find(|node| node.name == member.name);
                let state = if member.online {
                    NodeStatus::Online
                } else {
                    NodeStatus::Offline
                };
                let load = |fraction: Option<f64>| {
                    fraction.map_or_else(Cell::empty, |f| Cell::toned(percent(f), Tone::of_load(f)))
                };
                vec![
                    Cell::toned(member.name.as_str(), Tone::Accent),
                    states::node(state, g).cell(),
                    Cell::text(member.ip.map_or_else(String::new, |ip| ip.to_string())),
                    Cell::text(member.id.map_or_else(String::new, |id| id.to_string())),
                    load(node.and_then(|n| n.cpu)),
                    load(node.and_then(|n| crate::domain::quantity::ratio(n.mem, n.max_mem))),
                    Cell::toned(if member.local { "answers us" } else { "" }, Tone::Muted),
                ]
            })
            .collect(),
    })
}

fn ha(fresh: &Freshness, status: Option<&HaStatus>) -> [Section; 2] {
    let lines = sourced("HA", fresh, status, "HA has nothing to say", |status| {
        let mut facts = Facts::default();
        for (id, text) in &status.lines {
            facts.add(id, &**text);
        }
        facts.body()
    });
    let services = sourced(
        "HA services",
        fresh,
        status,
        "no guest is managed by HA",
        |status| Body::Grid {
            columns: vec![
                GridColumn::text("service"),
                GridColumn::text("node"),
                GridColumn::text("state"),
                GridColumn::text("requested"),
            ],
            rows: status
                .services
                .iter()
                .map(|service| {
                    let tone = match &*service.state {
                        "started" => Tone::Good,
                        "error" | "fence" | "recovery" => Tone::Bad,
                        "stopped" | "ignored" | "disabled" => Tone::Muted,
                        _ => Tone::Info,
                    };
                    vec![
                        Cell::toned(&*service.sid, Tone::Accent),
                        Cell::text(service.node.as_ref().map_or("", |node| node.as_str())),
                        Cell::toned(&*service.state, tone),
                        Cell::text(service.request.as_deref().unwrap_or_default()),
                    ]
                })
                .collect(),
        },
    );
    [lines, services]
}

/// Pools with what is in them.
fn pools<'g>(fresh: &Freshness, pools: &[Pool], guests: impl IntoIterator<Item = &'g Guest>) -> Section {
    // Guests, running ones, CPUs and memory of each pool.
    let mut sums: BTreeMap<&str, (usize, usize, f64, u64)> =
        pools.iter().map(|pool| (&*pool.name, (0, 0, 0.0, 0))).collect();
    for guest in guests {
        if let Some(pool) = guest.pool.as_deref() {
            let sum = sums.entry(pool).or_default();
            sum.0 += 1;
            sum.1 += usize::from(guest.uptime.is_some());
            sum.2 += guest.cpus.unwrap_or_default();
            sum.3 = sum.3.saturating_add(guest.max_mem.unwrap_or_default());
        }
    }
    let rows = sums
        .into_iter()
        .map(|(pool, (all, running, cpus, memory))| {
            vec![
                Cell::toned(pool, Tone::Accent),
                Cell::text(all.to_string()),
                Cell::text(running.to_string()),
                Cell::text(format!("{cpus}")),
                Cell::text(Bytes(memory).to_string()),
            ]
        })
        .collect();
    parts::listed(
        "Pools",
        fresh,
        &[
            GridColumn::text("pool"),
            GridColumn::number("guests"),
            GridColumn::number("running"),
            GridColumn::number("CPUs"),
            GridColumn::number("memory"),
        ],
        rows,
        "no pool",
    )
    .wants(46)
}

fn zones(fresh: &Freshness, zones: &[SdnZone]) -> Section {
    let mut zones: Vec<&SdnZone> = zones.iter().collect();
    zones.sort_by(|a, b| by_name(&a.name, &b.name).then_with(|| a.node.cmp(&b.node)));
    let rows = zones
        .iter()
        .map(|zone| {
            let tone = match &*zone.status {
                "ok" | "available" => Tone::Good,
                "error" => Tone::Bad,
                _ => Tone::Warn,
            };
            vec![
                Cell::toned(&*zone.name, Tone::Accent),
                Cell::text(&*zone.kind),
                Cell::text(zone.node.as_ref().map_or("", |node| node.as_str())),
                Cell::toned(&*zone.status, tone),
            ]
        })
        .collect();
    parts::listed(
        "Networks (SDN)",
        fresh,
        &[
            GridColumn::text("zone"),
            GridColumn::text("kind"),
            GridColumn::text("node"),
            GridColumn::text("status"),
        ],
        rows,
        "no zone",
    )
    .wants(46)
}

fn log(cx: &Cx<'_>, fresh: &Freshness, entries: Option<&[LogEntry]>) -> Section {
    sourced(
        "Cluster log",
        fresh,
        entries,
        "nothing in the log that we may read",
        |entries| {
            let mut entries: Vec<&LogEntry> = entries.iter().collect();
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
            Body::Grid {
                columns: vec![
                    GridColumn::text("time"),
                    GridColumn::text("node"),
                    GridColumn::text("user"),
                    GridColumn::text("from"),
                    GridColumn::text("message"),
                ],
                rows: entries
                    .into_iter()
                    .take(LOG)
                    .map(|entry| {
                        let tone = match entry.priority {
                            ..=3 => Tone::Bad,
                            4 => Tone::Warn,
                            _ => Tone::Text,
                        };
                        vec![
                            Cell::toned(moment(entry.time, cx.zone), Tone::Muted),
                            Cell::text(entry.node.as_str()),
                            Cell::toned(&*entry.user, Tone::Muted),
                            Cell::toned(&*entry.tag, Tone::Muted),
                            Cell::toned(&*entry.message, tone),
                        ]
                    })
                    .collect(),
            }
        },
    )
    .wants(u16::MAX)
}

/// What this sign-in may do, path by path.
fn permissions(fresh: &Freshness, list: Option<&[Grant]>) -> Section {
    sourced(
        "Permissions",
        fresh,
        list,
        "this sign-in has no privilege at all",
        |list| {
            let mut facts = Facts::default();
            for (path, privileges) in list {
                facts.add(path, privileges.join(" "));
            }
            facts.body()
        },
    )
    .wants(80)
}

/// What could not be read, and why: the missing privilege, or what the server said. The sections tell the rest.
fn unreadable(cluster: &Cluster) -> Option<Section> {
    let mut facts = Facts::default();
    let mut asked = vec![Feed::Resources, Feed::Tasks, Feed::Version];
    for node in cluster.nodes() {
        let name = || node.name.clone();
        asked.extend([
            Feed::NodeStatus(name()),
            Feed::NodeReplication(name()),
            Feed::NodeTime(name()),
        ]);
    }
    for feed in asked {
        let fresh = cluster.freshness(&feed);
        if let Some(error) = fresh.error {
            facts.add(
                &parts::feed_words(&feed),
                Cell::toned(error.message.as_str(), Tone::Warn),
            );
        }
    }
    for row in cluster.rejected() {
        facts.add("not understood", Cell::toned(&**row, Tone::Warn));
    }
    let body = facts.body();
    (!body.is_empty()).then(|| Section::new("What cannot be read", body).wants(u16::MAX))
}
