//! What is said about a cluster. The names are part of the shipped rules: `config/prometheus/rules`.

use jiff::Timestamp;

use crate::{
    domain::{
        ClusterId, FindingKind, Guest, NodeRef, ObjectRef, Severity, Vmid, exposition::Exposition,
        guest::Snapshot,
    },
    store::Store,
};

/// All that was read of a cluster.
pub(super) struct Facts {
    cluster: ClusterId,
    store: Store,
    reachable: bool,
    pub(super) guests: Vec<GuestFacts>,
    pub(super) backups: Vec<Backup>,
    pub(super) not_backed_up: Option<usize>,
}

/// What was read of a guest.
pub(super) struct GuestFacts {
    pub(super) guest: Guest,
    pub(super) snapshots: Option<Vec<Snapshot>>,
    pub(super) reboot_required: Option<bool>,
}

/// The newest backup of a guest.
pub(super) struct Backup {
    pub(super) vmid: Vmid,
    pub(super) at: Timestamp,
    pub(super) size: Option<u64>,
}

/// What can fail as a whole, and the findings that say so. Fullness and load are no failures: other metrics tell of them.
const COMPONENTS: [(&str, &[FindingKind]); 10] = [
    ("quorum", &[FindingKind::QuorumLost]),
    ("nodes", &[FindingKind::NodeOffline, FindingKind::NodeUnknown]),
    ("storages", &[FindingKind::StorageUnavailable]),
    ("ha", &[FindingKind::HaError]),
    ("replication", &[FindingKind::ReplicationFailed]),
    ("services", &[FindingKind::ServiceFailed]),
    ("certificates", &[FindingKind::CertificateExpiring]),
    ("disks", &[FindingKind::DiskFailing]),
    ("network", &[FindingKind::NetworkZoneError]),
    ("clocks", &[FindingKind::ClockSkew]),
];

impl Facts {
    pub(super) fn new(cluster: ClusterId, store: Store, reachable: bool) -> Self {
        Self {
            cluster,
            store,
            reachable,
            guests: Vec::new(),
            backups: Vec::new(),
            not_backed_up: None,
        }
    }

    /// Says it all.
    pub(super) fn tell(&self, now: Timestamp, text: &mut Exposition) {
        let cluster = self.cluster.as_str();
        let mut up = |component: &str, up: bool| {
            text.family(
                "pvedeck_health_component_up",
                "Whether a component of the cluster passed its check.",
            )
            .add(
                &[("cluster", cluster), ("component", component)],
                f64::from(u8::from(up)),
            );
        };
        up("api", self.reachable);
        if self.reachable {
            for (component, kinds) in COMPONENTS {
                let failed = |severity| severity != Severity::Info;
                let well = !self
                    .store
                    .findings()
                    .iter()
                    .any(|finding| kinds.contains(&finding.kind) && failed(finding.severity));
                up(component, well);
            }
        }
        text.family(
            "pvedeck_health_check_timestamp_seconds",
            "When the components of the cluster were checked, Unix time.",
        )
        .add(&[("cluster", cluster)], seconds(now));
        if self.reachable {
            self.tell_findings(text);
            self.tell_nodes(text);
            self.tell_guests(text);
            self.tell_backups(text);
        }
    }

    fn tell_findings(&self, text: &mut Exposition) {
        let cluster = self.cluster.as_str();
        for severity in [Severity::Critical, Severity::Warning, Severity::Info] {
            let found = self.store.findings().iter();
            let count = found.filter(|finding| finding.severity == severity).count();
            text.family("pvedeck_findings", "How many findings there are, by severity.")
                .add(
                    &[("cluster", cluster), ("severity", &severity.to_string())],
                    count as f64,
                );
        }
        for finding in self.store.findings() {
            let labels = [
                ("cluster", cluster),
                ("kind", finding.kind.as_str()),
                ("object", &object(&finding.subject)),
                ("severity", &finding.severity.to_string()),
            ];
            text.family("pvedeck_finding_info", "Present for each finding.")
                .add(&labels, 1.0);
        }
    }

    fn tell_nodes(&self, text: &mut Exposition) {
        let cluster = self.cluster.as_str();
        for (_, node) in self.store.nodes() {
            let at = NodeRef {
                cluster: self.cluster.clone(),
                node: node.name.clone(),
            };
            let name = node.name.as_str();
            if let Some(updates) = self.store.node_updates(&at) {
                text.family(
                    "pvedeck_node_updates_pending",
                    "Packages that wait for an update, as of the node's last look.",
                )
                .add(&[("cluster", cluster), ("node", name)], updates.len() as f64);
            }
            for certificate in self.store.node_certificates(&at).unwrap_or_default() {
                let Some(end) = certificate.not_after else {
                    continue;
                };
                let labels = [("cluster", cluster), ("node", name), ("file", &*certificate.file)];
                text.family(
                    "pvedeck_certificate_expiry_timestamp_seconds",
                    "When a certificate of a node ends, Unix time.",
                )
                .add(&labels, seconds(end));
            }
        }
    }

    fn tell_guests(&self, text: &mut Exposition) {
        for facts in &self.guests {
            let vmid = facts.guest.vmid.to_string();
            let labels = self.labels(&facts.guest, &vmid);
            if let Some(snapshots) = &facts.snapshots {
                text.family("pvedeck_guest_snapshots", "How many snapshots a guest has.")
                    .add(&labels, snapshots.len() as f64);
                if let Some(oldest) = snapshots.iter().filter_map(|snapshot| snapshot.time).min() {
                    text.family(
                        "pvedeck_guest_oldest_snapshot_timestamp_seconds",
                        "When the oldest snapshot of a guest was taken, Unix time.",
                    )
                    .add(&labels, seconds(oldest));
                }
            }
            if let Some(required) = facts.reboot_required {
                text.family(
                    "pvedeck_guest_reboot_required",
                    "Whether changes of its configuration wait for the next start of a guest.",
                )
                .add(&labels, f64::from(u8::from(required)));
            }
        }
    }

    fn tell_backups(&self, text: &mut Exposition) {
        let cluster = self.cluster.as_str();
        if let Some(count) = self.not_backed_up {
            text.family(
                "pvedeck_guests_not_backed_up",
                "Guests that are in no backup job.",
            )
            .add(&[("cluster", cluster)], count as f64);
        }
        for (_, guest) in self.store.guests() {
            // What is left of guests that are gone is no fact about a guest.
            let Some(backup) = self.backups.iter().find(|backup| backup.vmid == guest.vmid) else {
                continue;
            };
            let vmid = guest.vmid.to_string();
            let labels = self.labels(guest, &vmid);
            text.family(
                "pvedeck_guest_last_backup_timestamp_seconds",
                "When the newest backup of a guest was made, Unix time.",
            )
            .add(&labels, seconds(backup.at));
            if let Some(size) = backup.size {
                text.family(
                    "pvedeck_guest_last_backup_size_bytes",
                    "How large the newest backup of a guest is.",
                )
                .add(&labels, size as f64);
            }
        }
    }

    fn labels<'a>(&'a self, guest: &'a Guest, vmid: &'a str) -> [(&'static str, &'a str); 5] {
        [
            ("cluster", self.cluster.as_str()),
            ("vmid", vmid),
            ("name", guest.name.as_deref().unwrap_or_default()),
            ("node", guest.node.as_str()),
            ("type", guest.kind.as_str()),
        ]
    }
}

/// When all of it was written.
pub(super) fn tell_of_the_export(now: Timestamp, text: &mut Exposition) {
    text.family(
        "pvedeck_export_timestamp_seconds",
        "When pvedeck wrote these metrics, Unix time.",
    )
    .add(&[], seconds(now));
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// An object as the metrics of prometheus-pve-exporter name it, as far as that is possible.
fn object(subject: &ObjectRef) -> String {
    match subject {
        ObjectRef::Cluster(cluster) => format!("cluster/{cluster}"),
        ObjectRef::Node(node) => format!("node/{}", node.node),
        ObjectRef::Guest(guest) => format!("guest/{}", guest.vmid),
        ObjectRef::Storage(storage) => format!("storage/{}/{}", storage.node, storage.storage),
        ObjectRef::Task(task) => format!("task/{}", task.upid),
        ObjectRef::BackupServer(server) => format!("backup-server/{server}"),
        ObjectRef::Datastore(datastore) => format!("datastore/{datastore}"),
        ObjectRef::ServerBackup(backup) => format!("backup/{}/{}", backup.datastore(), backup.path()),
        ObjectRef::Backup(backup) => format!("backup/{}", backup.volid),
        ObjectRef::Snapshot(snapshot) => format!("snapshot/{}/{}", snapshot.guest.vmid, snapshot.name),
        ObjectRef::Job(job) => format!("job/{}", job.id),
        ObjectRef::Alert(key) => format!("alert/{key}"),
        ObjectRef::Silence(silence) => format!("silence/{}", silence.id),
    }
}
