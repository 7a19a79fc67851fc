//! Everything about a node.

use super::{
    node_parts as lists,
    parts::{self, Facts, share},
};
use crate::{
    domain::{
        Guest, GuestStatus, Node, NodeRef, ObjectRef, Storage,
        node::NodeDetail,
        quantity::{Bytes, percent},
    },
    screens::{Cx, figures, states},
    store::{Cluster, Feed},
    ui::{
        Cell, Glyphs, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
        table::by_name,
    },
};

/// What its page shows.
pub(super) fn feeds(cx: &Cx<'_>, id: &NodeRef) -> Vec<Feed> {
    let node = || id.node.clone();
    if !parts::answers(cx, id) {
        return vec![Feed::ClusterStatus, Feed::Tasks];
    }
    vec![
        Feed::ClusterStatus,
        Feed::NodeStatus(node()),
        Feed::NodeServices(node()),
        Feed::NodeCertificates(node()),
        Feed::NodeUpdates(node()),
        Feed::NodeDisks(node()),
        Feed::NodeNetwork(node()),
        Feed::NodeSubscription(node()),
        Feed::NodeReplication(node()),
        Feed::NodeFirewall(node()),
        Feed::NodeTime(node()),
        Feed::Tasks,
    ]
}

/// Its page.
pub(super) fn page(cx: &Cx<'_>, id: &NodeRef) -> Vec<Section> {
    let store = cx.store;
    let object = ObjectRef::Node(id.clone());
    let Some(node) = store.node(id) else {
        return vec![parts::missing(cx, &object)];
    };
    let detail = store.node_detail(id);
    let name = || id.node.clone();
    let fresh = |feed: Feed| parts::fresh_on(cx, id, feed);
    let status_fresh = fresh(Feed::NodeStatus(name()));
    let cpu = store
        .node_history(id)
        .and_then(|history| parts::history(cx.glyphs, &history.cpu));
    let cluster = store.cluster(&id.cluster);
    let clustered = cluster
        .and_then(Cluster::status)
        .is_some_and(|status| status.name.is_some());
    let ahead = store.node_skew(id).map(|skew| skew.as_secs());
    let here: Vec<&Guest> = store.guests_on(id).collect();
    let local = cluster
        .map_or(&[][..], Cluster::storages)
        .iter()
        .filter(|storage| storage.node == id.node);

    let inventory = fresh(Feed::Resources);
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &object));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Status",
        &status_fresh,
        status(cx, node, detail, ahead),
    ));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Usage",
        &status_fresh,
        usage(cx, node, detail, cpu),
    ));
    sections.push(guests(cx.glyphs, &inventory, &here));
    sections.push(storages(cx.glyphs, &inventory, local));
    sections.push(lists::services(
        &fresh(Feed::NodeServices(name())),
        store.node_services(id),
        clustered,
    ));
    sections.push(lists::subscription(
        &fresh(Feed::NodeSubscription(name())),
        store.node_subscription(id),
    ));
    sections.push(lists::certificates(
        cx,
        &fresh(Feed::NodeCertificates(name())),
        store.node_certificates(id),
    ));
    sections.push(lists::disks(
        &fresh(Feed::NodeDisks(name())),
        store.node_disks(id),
    ));
    sections.push(lists::network(
        &fresh(Feed::NodeNetwork(name())),
        store.node_network(id),
    ));
    sections.push(lists::replication(
        cx,
        &fresh(Feed::NodeReplication(name())),
        store.node_replication(id),
    ));
    let firewall = store.node_firewall(id);
    sections
        .extend(firewall.map(|firewall| parts::firewall(&fresh(Feed::NodeFirewall(name())), Some(firewall))));
    sections.push(parts::tasks(cx, &id.cluster, |task| task.upid.node == id.node));
    // Mostly the longest, and seldom what one came for.
    sections.push(lists::updates(
        &fresh(Feed::NodeUpdates(name())),
        store.node_updates(id),
    ));
    if !parts::answers(cx, id) {
        // That it is offline stands above; ten sections need not say it again.
        sections.retain(|section| !section.body.is_empty());
    }
    sections
}

fn status(cx: &Cx<'_>, node: &Node, detail: Option<&NodeDetail>, clock_ahead: Option<i64>) -> Body {
    let mut facts = Facts::default();
    facts.add("status", states::node(node.status, cx.glyphs).cell());
    facts.add("node", node.name.as_str());
    facts.maybe(
        "uptime",
        detail.and_then(|d| d.uptime).or(node.uptime).map(parts::uptime),
    );
    if let Some(detail) = detail {
        facts.maybe("version", detail.version.as_deref());
        facts.maybe("kernel", detail.kernel.as_deref());
        facts.maybe("cpu model", detail.cpu_model.as_deref());
        let count = |value: Option<u32>, word: &str| {
            value.map(|n| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
        };
        let cpus: Vec<String> = [
            count(detail.sockets, "socket"),
            count(detail.cores, "core"),
            count(detail.cpus, "CPU"),
        ]
        .into_iter()
        .flatten()
        .collect();
        facts.maybe("cpus", (!cpus.is_empty()).then(|| cpus.join(", ")));
        facts.maybe("boot mode", detail.boot.as_deref());
    }
    facts.maybe("clock", clock_ahead.map(clock));
    facts.body()
}

/// The node's clock against ours, in seconds ahead.
fn clock(ahead: i64) -> Cell {
    match ahead {
        // The answer's way takes a moment, and the server tells whole seconds.
        -2..=2 => Cell::toned("in step with this host", Tone::Good),
        ..-2 => Cell::toned(format!("{}s behind this host", -ahead), clock_tone(ahead)),
        _ => Cell::toned(format!("{ahead}s ahead of this host"), clock_tone(ahead)),
    }
}

fn clock_tone(ahead: i64) -> Tone {
    if ahead.abs() >= 60 { Tone::Bad } else { Tone::Warn }
}

fn usage(cx: &Cx<'_>, node: &Node, detail: Option<&NodeDetail>, cpu: Option<Cell>) -> Body {
    let g = cx.glyphs;
    let mut facts = Facts::default();
    if let Some(fraction) = node.cpu.or(detail.and_then(|d| d.cpu)) {
        let cpus = node
            .cpus
            .map_or_else(String::new, |cpus| format!("  of {cpus} CPUs"));
        facts.add("cpu", parts::load(g, fraction).then(cpus, Tone::Text));
    }
    facts.maybe("cpu history", cpu);
    if let Some([one, five, fifteen]) = detail.and_then(|d| d.load) {
        facts.add("load", format!("{one:.2}  {five:.2}  {fifteen:.2}"));
    }
    facts.maybe("io wait", detail.and_then(|d| d.io_wait).map(percent));
    let inventory = |used: Option<u64>, total: Option<u64>| used.zip(total);
    let memory = detail
        .and_then(|d| d.memory)
        .or(inventory(node.mem, node.max_mem));
    facts.maybe("memory", memory.map(|(used, total)| share(g, used, total)));
    let swap = detail.and_then(|d| d.swap);
    facts.maybe("swap", swap.map(|(used, total)| share(g, used, total)));
    let root = detail
        .and_then(|d| d.rootfs)
        .or(inventory(node.disk, node.max_disk));
    facts.maybe("root", root.map(|(used, total)| share(g, used, total)));
    if let Some(detail) = detail {
        facts.maybe(
            "KSM shared",
            detail.ksm_shared.map(|bytes| Bytes(bytes).to_string()),
        );
        facts.maybe("pressure", detail.pressure.as_ref().map(parts::pressure));
    }
    facts.body()
}

/// Whether a guest uses processor and memory: a stopped one reports zeros that mean nothing.
fn is_loaded(guest: &Guest) -> bool {
    matches!(guest.status, GuestStatus::Running | GuestStatus::Paused)
}

/// The guests on the node, the busiest first, those without load last.
fn guests(g: &Glyphs, fresh: &Freshness, guests: &[&Guest]) -> Section {
    let mut guests = guests.to_vec();
    guests.sort_by(|a, b| {
        let cpu = |guest: &Guest| guest.cpu.unwrap_or(-1.0) * guest.cpus.unwrap_or(1.0);
        is_loaded(b)
            .cmp(&is_loaded(a))
            .then(cpu(b).total_cmp(&cpu(a)))
            .then(a.vmid.cmp(&b.vmid))
    });
    let running = guests
        .iter()
        .filter(|guest| guest.status == GuestStatus::Running)
        .count();
    let all = guests.iter().filter(|guest| !guest.template).count();
    let title = format!("Guests ({running} of {all} running)");
    let rows = guests
        .iter()
        .map(|guest| {
            let (cpu, memory) = if is_loaded(guest) {
                (
                    figures::share(guest.cpu, g),
                    figures::of(guest.mem, guest.max_mem, g),
                )
            } else {
                (figures::none(g), figures::none(g))
            };
            vec![
                Cell::number(guest.vmid.to_string()),
                Cell::toned(&*guest.label(), Tone::Accent),
                states::guest(guest.status, g).cell(),
                cpu,
                memory,
            ]
        })
        .collect();
    parts::listed(
        &title,
        fresh,
        &[
            GridColumn::number("vmid"),
            GridColumn::text("name"),
            GridColumn::text("status"),
            GridColumn::number("cpu"),
            GridColumn::number("memory"),
        ],
        rows,
        "no guest here",
    )
}

/// Storages, one row each.
fn storages<'s>(g: &Glyphs, fresh: &Freshness, storages: impl IntoIterator<Item = &'s Storage>) -> Section {
    let mut storages: Vec<&Storage> = storages.into_iter().collect();
    storages.sort_by(|a, b| by_name(a.name.as_str(), b.name.as_str()).then_with(|| a.node.cmp(&b.node)));
    let rows = storages
        .iter()
        .map(|storage| {
            vec![
                Cell::toned(storage.name.as_str(), Tone::Accent),
                Cell::toned(&*storage.plugin, Tone::Muted),
                states::storage(storage.status, g).cell(),
                match (storage.used, storage.total) {
                    (Some(used), Some(total)) => share(g, used, total),
                    _ => Cell::empty(),
                },
                Cell::toned(if storage.shared { "shared" } else { "" }, Tone::Muted),
            ]
        })
        .collect();
    parts::listed(
        "Storages",
        fresh,
        &[
            GridColumn::text("storage"),
            GridColumn::text("type"),
            GridColumn::text("status"),
            GridColumn::text("space"),
            GridColumn::text(""),
        ],
        rows,
        "no storage here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_its_distance() {
        assert_eq!(clock(1).plain(), "in step with this host");
        assert_eq!(clock(-30).plain(), "30s behind this host");
        assert_eq!(clock(400).parts[0].1, Tone::Bad);
    }
}
