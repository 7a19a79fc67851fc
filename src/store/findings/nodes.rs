//! Faults of single nodes: absence, pressure, services, certificates, disks, network zones.

use std::collections::BTreeMap;

use crate::domain::{
    FindingKind, Node, NodeName, NodeStatus, Severity,
    node::{Certificate, Disk, Service},
    quantity::{Bytes, long_span, percent, ratio, short_span},
};

use super::{
    Report,
    cluster::{online, until},
    count, graded,
};

/// The CA signs the certificates of all nodes and is the same on each: its end is the cluster's matter.
const SHARED_CA: &str = "pve-root-ca.pem";

/// Without these a Proxmox VE node does not do its work.
const ESSENTIAL: [&str; 6] = [
    "pve-cluster",
    "pvedaemon",
    "pveproxy",
    "pvescheduler",
    "pvestatd",
    "qmeventd",
];

pub(super) fn check(report: &mut Report<'_>) {
    if report.cluster.is_live() {
        for node in report.cluster.nodes() {
            presence(report, node);
            if node.status == NodeStatus::Online {
                pressure(report, node);
            }
        }
        zones(report);
    }
    for node in online(report) {
        services(report, node);
        certificates(report, node);
        disks(report, node);
    }
    shared_ca(report);
}

fn presence(report: &mut Report<'_>, node: &Node) {
    let name = &node.name;
    match node.status {
        NodeStatus::Online => {}
        NodeStatus::Offline => {
            let guests = report.cluster.guests_on(name).len();
            let text = match guests {
                0 => format!("{name} is offline"),
                _ => format!("{name} is offline with {}", count(guests, "guest", "guests")),
            };
            report.add_node(Severity::Critical, FindingKind::NodeOffline, name, text);
        }
        NodeStatus::Unknown => {
            let text = format!("{name} does not report; is pvestatd running on it?");
            report.add_node(Severity::Warning, FindingKind::NodeUnknown, name, text);
        }
    }
}

fn pressure(report: &mut Report<'_>, node: &Node) {
    let name = &node.name;
    let limits = report.limits;
    let history = report.cluster.history.nodes.get(name);
    if history.is_some_and(|history| history.cpu.stays_above(limits.cpu, limits.cpu_readings)) {
        let minutes = short_span(limits.cpu_readings as i64 * 10);
        let text = format!(
            "CPU at {} for more than {minutes}",
            percent(node.cpu.unwrap_or(f64::NAN))
        );
        report.add_node(Severity::Warning, FindingKind::CpuPressure, name, text);
    }
    let memory = (FindingKind::MemoryPressure, "memory", limits.memory);
    full(report, name, memory, node.mem, node.max_mem);
    let root = (FindingKind::RootFull, "root file system", limits.root);
    full(report, name, root, node.disk, node.max_disk);
}

fn full(
    report: &mut Report<'_>,
    node: &NodeName,
    (kind, what, limits): (FindingKind, &str, [f64; 2]),
    used: Option<u64>,
    total: Option<u64>,
) {
    let Some(fill) = ratio(used, total) else { return };
    if let Some(severity) = graded(fill, limits) {
        let (used, total) = (Bytes(used.unwrap_or_default()), Bytes(total.unwrap_or_default()));
        let text = format!("{what} at {} ({used} of {total})", percent(fill));
        report.add_node(severity, kind, node, text);
    }
}

fn zones(report: &mut Report<'_>) {
    let mut broken: BTreeMap<Option<&NodeName>, Vec<&str>> = BTreeMap::new();
    for zone in report.cluster.zones() {
        let away = zone.node.as_ref().is_some_and(|node| {
            report
                .cluster
                .node(node)
                .is_some_and(|node| node.status != NodeStatus::Online)
        });
        if &*zone.status == "error" && !away {
            broken.entry(zone.node.as_ref()).or_default().push(&zone.name);
        }
    }
    for (node, zones) in broken {
        let text = format!("the network {} reports an error", zones.join(", "));
        let kind = FindingKind::NetworkZoneError;
        match node {
            Some(node) => report.add_node(Severity::Warning, kind, node, text),
            None => report.add_cluster(Severity::Warning, kind, text),
        }
    }
}

fn services(report: &mut Report<'_>, node: &NodeName) {
    let Some(services) = report
        .cluster
        .details
        .nodes
        .get(node)
        .and_then(|d| d.services.as_ref())
    else {
        return;
    };
    let clustered = report
        .cluster
        .status()
        .is_some_and(|status| status.name.is_some());
    let mut severity = Severity::Warning;
    let mut down = Vec::new();
    for service in services {
        let essential = ESSENTIAL.contains(&&*service.name) || (clustered && &*service.name == "corosync");
        if has_failed(service) || (essential && is_down(service)) {
            down.push(format!("{} is {}", service.name, service.state));
            if essential {
                severity = Severity::Critical;
            }
        }
    }
    if !down.is_empty() {
        report.add_node(severity, FindingKind::ServiceFailed, node, down.join(", "));
    }
}

fn has_failed(service: &Service) -> bool {
    is_wanted(service) && (&*service.state == "failed" || service.active.as_deref() == Some("failed"))
}

fn is_down(service: &Service) -> bool {
    let stopped = matches!(&*service.state, "dead" | "failed")
        && service
            .active
            .as_deref()
            .is_none_or(|active| matches!(active, "inactive" | "failed"));
    is_wanted(service) && stopped
}

/// Whether it should run at all: an admin may have switched it off, and not every node has every service.
fn is_wanted(service: &Service) -> bool {
    !matches!(
        service.unit.as_deref(),
        Some("disabled" | "masked" | "masked-runtime" | "not-found")
    )
}

fn certificates(report: &mut Report<'_>, node: &NodeName) {
    let certificates = report
        .cluster
        .details
        .nodes
        .get(node)
        .and_then(|d| d.certificates.as_ref());
    let first_to_end = certificates
        .into_iter()
        .flatten()
        .filter(|certificate| &*certificate.file != SHARED_CA)
        .min_by_key(|certificate| certificate.not_after.unwrap_or(jiff::Timestamp::MAX));
    if let Some((severity, text)) = first_to_end.and_then(|certificate| ending(report, certificate)) {
        report.add_node(severity, FindingKind::CertificateExpiring, node, text);
    }
}

fn shared_ca(report: &mut Report<'_>) {
    let ca = report
        .cluster
        .details
        .nodes
        .values()
        .filter_map(|details| details.certificates.as_ref())
        .flatten()
        .filter(|certificate| &*certificate.file == SHARED_CA)
        .min_by_key(|certificate| certificate.not_after.unwrap_or(jiff::Timestamp::MAX));
    if let Some((severity, text)) = ca.and_then(|certificate| ending(report, certificate)) {
        report.add_cluster(severity, FindingKind::CertificateExpiring, text);
    }
}

fn ending(report: &Report<'_>, certificate: &Certificate) -> Option<(Severity, String)> {
    let left = until(certificate.not_after?, report.now);
    let [warning, critical] = report.limits.certificate;
    let file = &certificate.file;
    if left.is_negative() || left.is_zero() {
        let text = format!("{file} expired {} ago", long_span(-left.as_secs()));
        Some((Severity::Critical, text))
    } else if left < warning {
        let severity = if left < critical {
            Severity::Critical
        } else {
            Severity::Warning
        };
        Some((severity, format!("{file} ends in {}", long_span(left.as_secs()))))
    } else {
        None
    }
}

fn disks(report: &mut Report<'_>, node: &NodeName) {
    let Some(disks) = report
        .cluster
        .details
        .nodes
        .get(node)
        .and_then(|d| d.disks.as_ref())
    else {
        return;
    };
    let failing: Vec<String> = disks
        .iter()
        .filter(|disk| is_failing(disk))
        .map(|disk| {
            let health = disk.health.as_deref().unwrap_or_default();
            format!("{} says {health}", disk.device)
        })
        .collect();
    let worn: Vec<String> = disks
        .iter()
        .filter(|disk| !is_failing(disk))
        .filter_map(|disk| {
            let left = disk.life_left.filter(|left| *left < report.limits.life_left)?;
            Some(format!("{} has {left:.0}% of its life left", disk.device))
        })
        .collect();
    let severity = if failing.is_empty() {
        Severity::Warning
    } else {
        Severity::Critical
    };
    let all = [failing, worn].concat();
    if !all.is_empty() {
        report.add_node(severity, FindingKind::DiskFailing, node, all.join(", "));
    }
}

/// `FAILED` is what smartctl says of ATA disks, `FAILED!` of others; behind a controller it is `UNKNOWN`.
fn is_failing(disk: &Disk) -> bool {
    disk.health
        .as_deref()
        .is_some_and(|health| health.to_ascii_uppercase().contains("FAIL"))
}
