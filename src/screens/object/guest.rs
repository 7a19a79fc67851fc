//! Everything about a guest.

use super::{
    backup, config, node_parts as lists,
    parts::{self, Facts, share, sourced},
};
use crate::{
    domain::{
        Guest, GuestDetail, GuestKind, GuestRef, GuestStatus, NodeRef, ObjectRef, ReplicationJob,
        guest::{GuestInterface, Snapshot, snapshot_tree},
        quantity::Bytes,
    },
    screens::{Cx, states},
    store::{Cluster, Feed},
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// What its page shows.
pub(super) fn feeds(cx: &Cx<'_>, id: &GuestRef) -> Vec<Feed> {
    let vmid = id.vmid;
    let mut feeds = vec![Feed::Tasks];
    let Some(guest) = cx.store.guest(id) else {
        return feeds;
    };
    if parts::answers(cx, &host(id, guest)) {
        feeds.extend([
            Feed::GuestStatus(vmid),
            Feed::GuestConfig(vmid),
            Feed::GuestPending(vmid),
            Feed::GuestSnapshots(vmid),
            Feed::GuestFirewall(vmid),
            Feed::NodeReplication(guest.node.clone()),
        ]);
        feeds.extend(
            cx.store
                .cluster(&id.cluster)
                .into_iter()
                .flat_map(Cluster::backup_feeds),
        );
        if no_addresses(guest, cx.store.guest_detail(id)).is_none() {
            feeds.push(Feed::GuestAddresses(vmid));
        }
    }
    feeds
}

/// The node that it is on.
fn host(id: &GuestRef, guest: &Guest) -> NodeRef {
    NodeRef {
        cluster: id.cluster.clone(),
        node: guest.node.clone(),
    }
}

/// Its page.
pub(super) fn page(cx: &Cx<'_>, id: &GuestRef) -> Vec<Section> {
    let store = cx.store;
    let Some(guest) = store.guest(id) else {
        return vec![parts::missing(cx, &ObjectRef::Guest(id.clone()))];
    };
    let detail = store.guest_detail(id);
    let configuration = store.guest_config(id);
    let host = host(id, guest);
    let fresh = |feed: Feed| parts::fresh_on(cx, &host, feed);
    let status_fresh = fresh(Feed::GuestStatus(id.vmid));
    let cpu = store
        .guest_history(id)
        .and_then(|history| parts::history(cx.glyphs, &history.cpu));
    let [settings, disks, nics] = config::sections(&fresh(Feed::GuestConfig(id.vmid)), configuration);
    let mut sections = Vec::new();
    sections.extend(parts::findings(cx, &ObjectRef::Guest(id.clone())));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Status",
        &status_fresh,
        status(cx, guest, detail),
    ));
    sections.push(parts::observed(
        cx,
        &id.cluster,
        "Usage",
        &status_fresh,
        usage(cx, guest, detail, cpu),
    ));
    sections.extend(config::pending(
        &fresh(Feed::GuestPending(id.vmid)),
        store.guest_pending(id),
    ));
    sections.push(addresses(
        guest,
        detail,
        &fresh(Feed::GuestAddresses(id.vmid)),
        store.guest_addresses(id),
    ));
    sections.extend(config::notes(configuration));
    sections.push(settings);
    sections.push(parts::firewall(
        &fresh(Feed::GuestFirewall(id.vmid)),
        store.guest_firewall(id),
    ));
    sections.push(disks);
    sections.push(nics);
    sections.push(snapshots(
        cx,
        &fresh(Feed::GuestSnapshots(id.vmid)),
        store.guest_snapshots(id),
    ));
    sections.extend(backup::of_guest(cx, id));
    let jobs: Vec<&ReplicationJob> = store
        .node_replication(&host)
        .unwrap_or_default()
        .iter()
        .filter(|job| job.guest == id.vmid)
        .collect();
    if !jobs.is_empty() {
        let fresh = fresh(Feed::NodeReplication(guest.node.clone()));
        sections.push(lists::replication(cx, &fresh, Some(jobs)));
    }
    let vmid = id.vmid.to_string();
    sections.push(parts::tasks(cx, &id.cluster, |task| *task.upid.id == *vmid));
    sections
}

fn status(cx: &Cx<'_>, guest: &Guest, detail: Option<&GuestDetail>) -> Body {
    let g = cx.glyphs;
    let mut facts = Facts::default();
    facts.add("status", states::guest(guest.status, g).cell());
    let lock = detail.and_then(|d| d.lock.as_deref()).or(guest.lock.as_deref());
    facts.maybe(
        "lock",
        lock.map(|lock| Cell::toned(format!("{} {lock}", g.lock), Tone::Warn)),
    );
    facts.add("name", &*guest.label());
    let kind = match (guest.kind, guest.template) {
        (GuestKind::Qemu, false) => "qemu, virtual machine",
        (GuestKind::Qemu, true) => "qemu, template",
        (GuestKind::Lxc, false) => "lxc, container",
        (GuestKind::Lxc, true) => "lxc, template",
    };
    facts.add("vmid", guest.vmid.to_string());
    facts.add("kind", kind);
    facts.add("node", guest.node.as_str());
    let ha = detail
        .and_then(|d| d.ha_state.as_deref())
        .or(guest.ha_state.as_deref());
    facts.add(
        "HA",
        match ha {
            Some(state @ ("error" | "fence" | "recovery")) => Cell::toned(state, Tone::Bad),
            Some(state) => Cell::text(state),
            None if detail.is_some_and(|d| d.ha_managed) => Cell::text("managed"),
            None => Cell::toned("not managed", Tone::Muted),
        },
    );
    facts.maybe("pool", guest.pool.as_deref());
    if !guest.tags.is_empty() {
        facts.add("tags", guest.tags.join(" "));
    }
    facts.maybe(
        "uptime",
        detail.and_then(|d| d.uptime).or(guest.uptime).map(parts::uptime),
    );
    if let Some(detail) = detail {
        facts.maybe("pid", detail.pid.map(|pid| pid.to_string()));
        facts.maybe("runs as", detail.running_machine.as_deref());
        facts.maybe("qemu", detail.running_qemu.as_deref());
    }
    facts.body()
}

fn usage(cx: &Cx<'_>, guest: &Guest, detail: Option<&GuestDetail>, cpu: Option<Cell>) -> Body {
    let g = cx.glyphs;
    let mut facts = Facts::default();
    let of_cpus = guest
        .cpus
        .map_or_else(String::new, |cpus| format!("  of {cpus} CPUs"));
    if let Some(fraction) = guest.cpu.or(detail.and_then(|d| d.cpu)) {
        facts.add("cpu", parts::load(g, fraction).then(of_cpus, Tone::Text));
    }
    facts.maybe("cpu history", cpu);
    if let (Some(used), Some(total)) = (guest.mem, guest.max_mem) {
        facts.add("memory", share(g, used, total));
    }
    facts.maybe(
        "host memory",
        guest.host_mem.map(|bytes| Bytes(bytes).to_string()),
    );
    if let (Some(used), Some(total)) = (guest.disk.filter(|used| *used > 0), guest.max_disk) {
        facts.add("root disk", share(g, used, total));
    } else {
        facts.maybe("disk size", guest.max_disk.map(|bytes| Bytes(bytes).to_string()));
    }
    if let Some(detail) = detail {
        facts.maybe("balloon", detail.balloon.map(|bytes| Bytes(bytes).to_string()));
        if let (Some(used), Some(total)) = (detail.swap, detail.max_swap.filter(|total| *total > 0)) {
            facts.add("swap", share(g, used, total));
        }
        facts.maybe("pressure", detail.pressure.as_ref().map(parts::pressure));
    }
    let pair = |a: Option<u64>, b: Option<u64>, a_word: &str, b_word: &str| {
        Some(format!("{} {a_word}, {} {b_word}", Bytes(a?), Bytes(b?)))
    };
    facts.maybe("network", pair(guest.net_in, guest.net_out, "in", "out"));
    facts.maybe(
        "disk traffic",
        pair(guest.disk_read, guest.disk_write, "read", "written"),
    );
    for (name, received, sent) in detail.iter().flat_map(|detail| &detail.nics) {
        facts.maybe(name, pair(Some(*received), Some(*sent), "in", "out"));
    }
    facts.body()
}

/// Why nobody can tell its addresses, as far as that is known without asking.
fn no_addresses(guest: &Guest, detail: Option<&GuestDetail>) -> Option<&'static str> {
    match guest.kind {
        _ if guest.template => Some("a template has no address"),
        _ if guest.status == GuestStatus::Paused => Some("the guest is paused"),
        _ if guest.status != GuestStatus::Running => Some("the guest does not run"),
        GuestKind::Qemu if detail.is_some_and(|detail| !detail.agent) => Some("no guest agent configured"),
        _ => None,
    }
}

/// Addresses as the agent or the container tells them, or the reason why nobody does.
fn addresses(
    guest: &Guest,
    detail: Option<&GuestDetail>,
    fresh: &Freshness,
    interfaces: Option<&[GuestInterface]>,
) -> Section {
    if let Some(reason) = no_addresses(guest, detail) {
        return Section::new("Addresses", Body::Lines(Vec::new())).notice(reason, Tone::Muted);
    }
    sourced("Addresses", fresh, interfaces, "no interface", |interfaces| {
        let mut facts = Facts::default();
        // The loopback of every guest is the same: it tells nothing.
        for interface in interfaces.iter().filter(|interface| &*interface.name != "lo") {
            let mac = interface.mac.as_deref().unwrap_or_default();
            let addresses = Cell::text(interface.addresses.join(" "));
            facts.add(&interface.name, addresses.then(format!("  {mac}"), Tone::Muted));
        }
        facts.body()
    })
}

/// Snapshots as a tree: each below the one it was taken on top of.
fn snapshots(cx: &Cx<'_>, fresh: &Freshness, list: Option<&[Snapshot]>) -> Section {
    sourced("Snapshots", fresh, list, "no snapshot", |list| {
        let rows = snapshot_tree(list)
            .into_iter()
            .map(|(depth, snapshot)| {
                let age = snapshot.time.map(|time| parts::ago(time, cx.now));
                let time = snapshot.time.map(|time| parts::moment(time, cx.zone));
                vec![
                    Cell::toned("  ".repeat(depth.min(8)), Tone::Muted).then(&*snapshot.name, Tone::Accent),
                    Cell::text(age.unwrap_or_default()),
                    Cell::toned(time.unwrap_or_default(), Tone::Muted),
                    Cell::text(if snapshot.with_ram { "with RAM" } else { "" }),
                    Cell::text(&*snapshot.description),
                ]
            })
            .collect();
        Body::Grid {
            columns: vec![
                GridColumn::text("snapshot"),
                GridColumn::number("age"),
                GridColumn::text("taken"),
                GridColumn::text("memory"),
                GridColumn::text("description"),
            ],
            rows,
        }
    })
    .wants(76)
}
