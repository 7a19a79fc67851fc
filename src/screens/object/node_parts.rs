//! The lists on a node's page: services, certificates, updates, disks, interfaces, replication.

use super::parts::{Facts, days_left, moment, sourced};
use crate::{
    domain::{
        ReplicationJob,
        node::{Certificate, Disk, NetworkInterface, PackageUpdate, Service, Subscription},
        quantity::Bytes,
    },
    screens::Cx,
    ui::{
        Cell, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// Without these a node does not do its work.
const VITAL: [&str; 9] = [
    "pve-cluster",
    "pvedaemon",
    "pveproxy",
    "pvestatd",
    "pvescheduler",
    "pve-ha-crm",
    "pve-ha-lrm",
    "pve-firewall",
    "sshd",
];

/// How bad the state of a service is.
fn service_tone(service: &Service, clustered: bool) -> Tone {
    let vital = VITAL.contains(&&*service.name) || (clustered && &*service.name == "corosync");
    let off = matches!(service.unit.as_deref(), Some("disabled" | "masked" | "not-found"));
    match &*service.state {
        "running" => Tone::Good,
        _ if service.active.as_deref() == Some("failed") || &*service.state == "failed" => Tone::Bad,
        _ if vital && !off => Tone::Bad,
        _ => Tone::Muted,
    }
}

pub(super) fn services(fresh: &Freshness, list: Option<&[Service]>, clustered: bool) -> Section {
    sourced("Services", fresh, list, "no service listed", |list| {
        let mut list: Vec<(Tone, &Service)> = list.iter().map(|s| (service_tone(s, clustered), s)).collect();
        // What is broken first, what is meant to be off last.
        list.sort_by_key(|(tone, service)| {
            let rank = match tone {
                Tone::Bad => 0,
                Tone::Good => 1,
                _ => 2,
            };
            (rank, &service.name)
        });
        Body::Grid {
            columns: vec![
                GridColumn::text("service"),
                GridColumn::text("state"),
                GridColumn::text("unit"),
                GridColumn::text("description"),
            ],
            rows: list
                .into_iter()
                .map(|(tone, service)| {
                    let state = match service.active.as_deref() {
                        Some("failed") => "failed",
                        _ => &service.state,
                    };
                    vec![
                        Cell::text(&*service.name),
                        Cell::toned(state, tone),
                        Cell::toned(service.unit.as_deref().unwrap_or_default(), Tone::Muted),
                        Cell::toned(&*service.description, Tone::Muted),
                    ]
                })
                .collect(),
        }
    })
}

pub(super) fn certificates(cx: &Cx<'_>, fresh: &Freshness, list: Option<&[Certificate]>) -> Section {
    sourced("Certificates", fresh, list, "no certificate", |list| {
        let mut facts = Facts::default();
        for certificate in list {
            facts.add(
                &certificate.file,
                certificate.not_after.map_or_else(Cell::empty, |until| {
                    days_left(until, cx.now).then(format!(", until {}", moment(until, cx.zone)), Tone::Text)
                }),
            );
            facts.add("  subject", &*certificate.subject);
            facts.add("  issuer", &*certificate.issuer);
            if !certificate.san.is_empty() {
                facts.add("  names", certificate.san.join(" "));
            }
            facts.add("  sha-256", Cell::toned(&*certificate.fingerprint, Tone::Muted));
        }
        facts.body()
    })
}

pub(super) fn updates(fresh: &Freshness, list: Option<&[PackageUpdate]>) -> Section {
    let title = match list.map(<[PackageUpdate]>::len) {
        Some(count @ 1..) => format!("Updates ({count})"),
        _ => "Updates".to_owned(),
    };
    sourced(&title, fresh, list, "nothing waits for an update", |list| {
        Body::Grid {
            columns: vec![
                GridColumn::text("package"),
                GridColumn::text("installed"),
                GridColumn::text("offered"),
                GridColumn::text("origin"),
            ],
            rows: list
                .iter()
                .map(|update| {
                    vec![
                        Cell::text(&*update.package),
                        Cell::toned(update.old.as_deref().unwrap_or_default(), Tone::Muted),
                        Cell::text(&*update.new),
                        Cell::toned(update.origin.as_deref().unwrap_or_default(), Tone::Muted),
                    ]
                })
                .collect(),
        }
    })
    .wants(80)
}

pub(super) fn disks(fresh: &Freshness, list: Option<&[Disk]>) -> Section {
    sourced("Disks", fresh, list, "no disk listed", |list| Body::Grid {
        columns: vec![
            GridColumn::text("device"),
            GridColumn::text("type"),
            GridColumn::number("size"),
            GridColumn::text("SMART"),
            GridColumn::number("life left"),
            GridColumn::text("used for"),
            GridColumn::text("model"),
            GridColumn::text("serial"),
        ],
        rows: list.iter().map(disk).collect(),
    })
    .wants(90)
}

fn disk(disk: &Disk) -> Vec<Cell> {
    let health = disk.health.as_deref().unwrap_or("UNKNOWN");
    let health_tone = match health {
        "PASSED" | "OK" => Tone::Good,
        "UNKNOWN" => Tone::Muted,
        _ => Tone::Bad,
    };
    let life = disk.life_left.map_or_else(Cell::empty, |percent| {
        let tone = match percent {
            ..10.0 => Tone::Bad,
            10.0..25.0 => Tone::Warn,
            _ => Tone::Text,
        };
        Cell::toned(format!("{percent:.0}%"), tone)
    });
    let text = |value: &Option<Box<str>>| Cell::text(value.as_deref().unwrap_or_default());
    vec![
        Cell::toned(&*disk.device, Tone::Accent),
        text(&disk.kind),
        Cell::text(
            disk.size
                .map_or_else(String::new, |bytes| Bytes(bytes).to_string()),
        ),
        Cell::toned(health, health_tone),
        life,
        text(&disk.used),
        text(&disk.model),
        text(&disk.serial),
    ]
}

pub(super) fn network(fresh: &Freshness, list: Option<&[NetworkInterface]>) -> Section {
    sourced("Network", fresh, list, "no interface", |list| Body::Grid {
        columns: vec![
            GridColumn::text("interface"),
            GridColumn::text("type"),
            GridColumn::text("state"),
            GridColumn::text("addresses"),
            GridColumn::text("gateway"),
            GridColumn::text("ports"),
            GridColumn::text("comment"),
        ],
        rows: list
            .iter()
            .map(|interface| {
                let (state, tone) = if interface.active {
                    ("active", Tone::Good)
                } else {
                    ("inactive", Tone::Muted)
                };
                let comment = interface.comment.as_deref().unwrap_or_default().trim();
                vec![
                    Cell::toned(&*interface.name, Tone::Accent),
                    Cell::text(&*interface.kind),
                    Cell::toned(state, tone),
                    Cell::text(interface.addresses.join(" ")),
                    Cell::text(interface.gateway.as_deref().unwrap_or_default()),
                    Cell::text(interface.ports.as_deref().unwrap_or_default()),
                    Cell::toned(comment, Tone::Muted),
                ]
            })
            .collect(),
    })
    .wants(90)
}

/// Replication jobs, of a node or of all of them.
pub(super) fn replication<'j>(
    cx: &Cx<'_>,
    fresh: &Freshness,
    jobs: Option<impl IntoIterator<Item = &'j ReplicationJob>>,
) -> Section {
    let rows: Option<Vec<Vec<Cell>>> =
        jobs.map(|jobs| jobs.into_iter().map(|job| job_row(cx, job)).collect());
    sourced(
        "Replication",
        fresh,
        rows.as_ref(),
        "no replication job",
        |rows| Body::Grid {
            columns: vec![
                GridColumn::text("job"),
                GridColumn::text("from"),
                GridColumn::text("to"),
                GridColumn::text("schedule"),
                GridColumn::text("last sync"),
                GridColumn::text("next"),
                GridColumn::text("state"),
            ],
            rows: rows.clone(),
        },
    )
    .wants(90)
}

fn job_row(cx: &Cx<'_>, job: &ReplicationJob) -> Vec<Cell> {
    let g = cx.glyphs;
    let state = match (&job.error, job.fail_count, job.disabled) {
        (Some(error), count, _) => Cell::toned(format!("{} failed {count} times", g.failed), Tone::Bad)
            .then(format!(": {error}"), Tone::Text),
        (None, count @ 1.., _) => Cell::toned(format!("{} failed {count} times", g.failed), Tone::Bad),
        (None, 0, true) => Cell::toned("disabled", Tone::Muted),
        (None, 0, false) => Cell::toned(format!("{} ok", g.ok), Tone::Good),
    };
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(|| g.none.to_owned(), |at| moment(at, cx.zone));
    vec![
        Cell::toned(&*job.id, Tone::Accent),
        Cell::text(job.source.as_ref().map_or("", |node| node.as_str())),
        Cell::text(job.target.as_str()),
        Cell::text(job.schedule.as_deref().unwrap_or_default()),
        Cell::text(time(job.last_sync)),
        Cell::text(time(job.next_sync)),
        state,
    ]
}

pub(super) fn subscription(fresh: &Freshness, data: Option<&Subscription>) -> Section {
    sourced("Subscription", fresh, data, "unknown", |subscription| {
        let mut facts = Facts::default();
        let tone = match &*subscription.status {
            "active" => Tone::Good,
            "notfound" | "new" => Tone::Muted,
            _ => Tone::Warn,
        };
        facts.add("subscription", Cell::toned(&*subscription.status, tone));
        facts.maybe("product", subscription.product.as_deref());
        facts.maybe("next due", subscription.next_due.as_deref());
        facts.body()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, state: &str, active: Option<&str>, unit: &str) -> Service {
        Service {
            name: name.into(),
            description: name.into(),
            state: state.into(),
            active: active.map(Into::into),
            unit: Some(unit.into()),
        }
    }

    #[test]
    fn what_is_broken_comes_first_and_what_is_off_is_quiet() {
        let list = [
            service("chrony", "running", Some("active"), "enabled"),
            service("corosync", "dead", Some("inactive"), "enabled"),
            service("postfix", "dead", Some("inactive"), "disabled"),
            service("pveproxy", "dead", Some("inactive"), "enabled"),
            service("ksmtuned", "dead", Some("failed"), "enabled"),
        ];
        let order = |clustered| {
            let Body::Grid { rows, .. } = services(&Freshness::default(), Some(&list), clustered).body else {
                panic!("no grid")
            };
            rows.iter()
                .map(|row| (row[0].plain(), row[1].parts[0].1))
                .collect::<Vec<_>>()
        };
        let alone = order(false);
        assert_eq!(alone[0], ("ksmtuned".to_owned(), Tone::Bad));
        assert_eq!(alone[1], ("pveproxy".to_owned(), Tone::Bad));
        assert_eq!(alone[2], ("chrony".to_owned(), Tone::Good));
        assert_eq!(alone[3], ("corosync".to_owned(), Tone::Muted));
        assert_eq!(order(true)[0], ("corosync".to_owned(), Tone::Bad));
    }
}
