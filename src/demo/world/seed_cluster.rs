//! What the cluster does with its guests at the beginning: HA, replication and backup jobs.

use super::{
    Replication, World,
    ha::{Affinity, HaResource, Rule},
};

impl World {
    /// One job for everything at night, and one that somebody has switched off.
    pub(super) fn seed_jobs(&mut self) {
        let nightly = [
            ("enabled", "1"),
            ("schedule", "02:00"),
            ("storage", "pbs-main"),
            ("mode", "snapshot"),
            ("all", "1"),
            ("compress", "zstd"),
            ("notes-template", "{{guestname}}"),
            ("prune-backups", "keep-daily=7,keep-weekly=4"),
        ];
        let noon = [
            ("enabled", "0"),
            ("schedule", "12:00"),
            ("storage", "pbs-main"),
            ("mode", "snapshot"),
            ("pool", "acme"),
            ("notes-template", "{{guestname}} at noon"),
        ];
        for (id, words) in [("backup-nightly", &nightly[..]), ("backup-acme-noon", &noon[..])] {
            let job = words
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            self.jobs.insert(id.to_owned(), job.collect());
        }
    }

    /// Managed guests, rules and replication.
    pub(super) fn seed_availability(&mut self) {
        let managed: Vec<u32> = self
            .guests
            .values()
            .filter(|guest| {
                guest.option("tags").is_some_and(|tags| tags.contains("ha")) && !guest.is_template()
            })
            .map(|guest| guest.vmid)
            .collect();
        for (index, vmid) in managed.iter().enumerate() {
            self.ha.push(HaResource {
                vmid: *vmid,
                request: "started".to_owned(),
                error: index == 3,
                comment: (index == 0).then(|| "must not move at noon".to_owned()),
                max_restart: Some(1),
                max_relocate: Some(1),
                failback: Some(true),
            });
        }
        if let Some(first) = managed.first() {
            self.rules.push(Rule {
                name: "prefer-first".to_owned(),
                resources: vec![self.sid(*first)],
                affinity: Affinity::Nodes {
                    nodes: vec![(self.local().to_owned(), 2)],
                    strict: false,
                },
                disable: false,
                comment: None,
            });
        }
        // What the manager gave up on does not run.
        if let Some(broken) = managed.get(3)
            && let Some(guest) = self.guests.get_mut(broken)
        {
            guest.power_off();
        }
        let replicated: Vec<(u32, String)> = self
            .guests
            .values()
            .filter(|guest| {
                guest
                    .disks()
                    .first()
                    .is_some_and(|disk| disk.storage == "local-zfs")
            })
            .take(4)
            .map(|guest| (guest.vmid, guest.node.clone()))
            .collect();
        for (index, (vmid, source)) in replicated.into_iter().enumerate() {
            let Some(target) = self.nodes.iter().find(|node| node.name != source) else {
                continue;
            };
            self.replications.push(Replication {
                vmid,
                number: 0,
                target: target.name.clone(),
                schedule: if index == 0 { "*/5" } else { "*/15" }.to_owned(),
                rate: Some(100.0),
                comment: None,
                disable: false,
                error: (index == 1).then_some(
                    "command 'zfs recv -F -- rpool/data' failed: exit code 1: cannot receive: out of space",
                ),
            });
        }
    }
}
