//! The Backup Server at the beginning: three datastores, their backups, jobs, and the tasks of the last days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{
    super::world::load::{fraction, mix},
    tasks::{Order, Run},
    world::{Collection, Job, JobKind, Snapshot, Store, World},
};

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const DAY: i64 = 86_400;

/// A backup that the cluster's own storage lists as well.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Backup {
    pub(in crate::demo) machine: bool,
    pub(in crate::demo) vmid: u32,
    pub(in crate::demo) time: i64,
    pub(in crate::demo) size: u64,
    pub(in crate::demo) notes: String,
    pub(in crate::demo) protected: bool,
}

/// What the world is made of.
pub(super) struct Plan {
    pub(super) seed: u64,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    pub(super) speed: f64,
    pub(super) fingerprint: String,
    pub(super) backups: Vec<Backup>,
}

impl World {
    pub(super) fn build(plan: &Plan) -> Self {
        let now = plan.now.div_euclid(1000);
        // Where the system has no list of zones, this is what it would say.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC);
        let mut world = Self {
            now: plan.now,
            began: plan.now,
            seed: plan.seed,
            speed: plan.speed,
            zone,
            zone_name: "Europe/Berlin",
            fingerprint: plan.fingerprint.to_ascii_lowercase(),
            stores: stores(),
            jobs: jobs(),
            tasks: Vec::new(),
            next_task: 0,
        };
        world.fill(now, &plan.backups);
        world.remember(now);
        world
    }

    fn fill(&mut self, now: i64, shared: &[Backup]) {
        let seed = self.seed;
        let main = &mut self.stores[0];
        for backup in shared {
            main.snapshots.push(Snapshot {
                namespace: String::new(),
                kind: if backup.machine { "vm" } else { "ct" },
                id: backup.vmid.to_string(),
                time: backup.time,
                size: backup.size,
                owner: "pve@pbs".to_owned(),
                notes: backup.notes.clone(),
                protected: backup.protected,
                encrypted: false,
                finished: true,
                damaged: false,
                verified: None,
            });
        }
        let midnight = now - now.rem_euclid(DAY);
        // Customers' machines, a month of nights each.
        for (index, (namespace, kind, id, size)) in [
            ("customers/acme", "vm", "2101", 48 * GIB),
            ("customers/acme", "vm", "2102", 22 * GIB),
            ("customers/acme", "ct", "2110", 6 * GIB),
            ("customers/beta", "vm", "2201", 71 * GIB),
        ]
        .into_iter()
        .enumerate()
        {
            for night in 0..30 {
                let at = midnight - night * DAY + 3 * 3600 + 420 * index as i64 + 7;
                if at < now {
                    let grown = size + size / 200 * (30 - night).cast_unsigned();
                    main.snapshots.push(snapshot(namespace, kind, id, at, grown));
                }
            }
        }
        // Hosts that back themselves up, encrypted; the server never sees what is in it.
        for (index, id) in ["mail01", "files01"].into_iter().enumerate() {
            for week in 0..6 {
                let at = midnight - (week * 7 + 1) * DAY + 22 * 3600 + 900 * index as i64;
                let mut one = snapshot("hosts", "host", id, at, 9 * GIB);
                one.encrypted = true;
                "backup@pbs!hosts".clone_into(&mut one.owner);
                main.snapshots.push(one);
            }
        }
        // One is being made right now.
        let mut running = snapshot("customers/beta", "vm", "2201", now - 95, 0);
        running.finished = false;
        main.snapshots.push(running);
        let note = |ns: &str, kind: &str, id: &str| (ns.to_owned(), kind.to_owned(), id.to_owned());
        main.group_notes.insert(
            note("customers/acme", "vm", "2101"),
            "acme shop database\ncontact: ops@acme.example".to_owned(),
        );
        for one in &mut main.snapshots {
            one.damaged = one.namespace == "customers/acme"
                && one.id == "2102"
                && one.time < midnight - 5 * DAY
                && one.time > midnight - 7 * DAY;
            one.protected |= one.id == "2101" && one.time < midnight - 28 * DAY;
            if one.protected && one.notes.is_empty() {
                "before the move to the new shop".clone_into(&mut one.notes);
            }
        }
        let archive: Vec<Snapshot> = main
            .snapshots
            .iter()
            .filter(|one| one.finished && one.namespace == "customers/acme")
            .filter(|one| {
                one.time.div_euclid(DAY) % 7 == 0 || fraction(&[seed, one.time.cast_unsigned()]) < 0.05
            })
            .cloned()
            .map(|one| Snapshot {
                namespace: "acme".to_owned(),
                protected: false,
                damaged: false,
                ..one
            })
            .collect();
        self.stores[1].snapshots = archive;
        for store in &mut self.stores {
            let all: BTreeSet<String> = store
                .snapshots
                .iter()
                .flat_map(|one| {
                    let mut whole = String::new();
                    let parts = one.namespace.split('/').filter(|part| !part.is_empty());
                    parts
                        .map(|part| {
                            if !whole.is_empty() {
                                whole.push('/');
                            }
                            whole.push_str(part);
                            whole.clone()
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            store.namespaces.extend(all);
        }
    }

    /// What was done in the last days.
    #[allow(clippy::too_many_lines, reason = "a list of tasks")]
    fn remember(&mut self, now: i64) {
        let midnight = now - now.rem_euclid(DAY);
        let nightly: Vec<(String, String, i64)> = self.stores[0]
            .snapshots
            .iter()
            .filter(|one| one.time > now - 2 * DAY && one.finished)
            .map(|one| (one.path(), one.owner.clone(), one.time))
            .collect();
        for (path, owner, time) in nightly {
            let group = path.rsplit_once('/').map_or(path.as_str(), |(group, _)| group);
            let lines = vec![
                format!("starting new backup on datastore 'main' from ::ffff:10.10.0.11: \"{path}\""),
                "protocol upgrade done".to_owned(),
                "successfully finished backup".to_owned(),
            ];
            self.past(
                "backup",
                format!("main:{group}"),
                &owner,
                time,
                90_000,
                "OK",
                lines,
                None,
            );
        }
        let verified = now - now.rem_euclid(DAY) - DAY + 6 * 3600;
        let failed = "verification failed - please check the log for details";
        let job = |kind, id: &str| Some((kind, id.to_owned()));
        let upid = self.past(
            "verificationjob",
            "main:v-daily".to_owned(),
            "root@pam",
            verified,
            900_000,
            failed,
            vec![
                "Starting datastore verify job 'main:v-daily'".to_owned(),
                "verify datastore main".to_owned(),
                "verify group main:vm/2102 (30 snapshots)".to_owned(),
                "    can't verify chunk, load failed - store 'main', unable to load chunk".to_owned(),
                "Failed to verify the following snapshots/groups:".to_owned(),
                "\tns/customers/ns/acme/vm/2102".to_owned(),
            ],
            job(JobKind::Verify, "v-daily"),
        );
        for one in &mut self.stores[0].snapshots {
            // What came since waits for the next run.
            if one.finished && one.time < verified - 3600 {
                one.verified = Some((!one.damaged, upid.clone()));
            }
        }
        for store in [0, 1] {
            let name = self.stores[store].name.clone();
            let days = if store == 0 { 0 } else { 41 };
            let at = midnight - days * DAY - 3 * 3600;
            let lines = vec![
                format!("starting garbage collection on store {name}"),
                "Removed garbage: 38.214 GiB".to_owned(),
            ];
            let (word, bad) = if store == 0 { ("WARNINGS: 2", 2) } else { ("OK", 0) };
            let upid = self.past(
                "garbage_collection",
                name,
                "root@pam",
                at,
                1_260_000,
                word,
                lines,
                None,
            );
            self.stores[store].collection = Collection {
                upid: Some(upid),
                state: word.to_owned(),
                end: at + 1260,
                duration: 1260,
                removed: 38 * GIB,
                pending: 3 * GIB,
                bad,
            };
        }
        self.past(
            "prunejob",
            "main:customers".to_owned(),
            "root@pam",
            midnight - 2 * 3600,
            4_000,
            "OK",
            vec!["prune job 'p-customers'".to_owned()],
            job(JobKind::Prune, "p-customers"),
        );
        self.past(
            "syncjob",
            "dr-site:main:archive::s-offsite".to_owned(),
            "root@pam",
            midnight - 5 * 3600,
            21_000,
            "error trying to connect: error connecting to https://dr-site.example.com:8007/ - tcp connect error: \
             Connection refused (os error 111)",
            vec!["Starting datastore sync job 'dr-site:main:archive::s-offsite'".to_owned()],
            job(JobKind::Sync, "s-offsite"),
        );
        self.tasks.sort_by_key(|task| task.start);
        // The backup that is under way.
        self.begin_at(
            Order {
                kind: "backup",
                id: "main:vm/2201".to_owned(),
                user: "pve@pbs".to_owned(),
                takes: 3_600_000 * 24,
                exit: "OK".to_owned(),
                lines: vec![
                    "starting new backup on datastore 'main' from ::ffff:10.10.0.12: \"ns/customers/ns/beta/vm/2201\"".to_owned(),
                    "protocol upgrade done".to_owned(),
                ],
                run: Run::Nothing,
                job: None,
            },
            (now - 95) * 1000,
        );
    }

    #[allow(clippy::too_many_arguments, reason = "one line for each task of the past")]
    fn past(
        &mut self,
        kind: &'static str,
        id: String,
        user: &str,
        at: i64,
        takes: i64,
        exit: &str,
        lines: Vec<String>,
        job: Option<(JobKind, String)>,
    ) -> String {
        let order = Order {
            kind,
            id,
            user: user.to_owned(),
            // What is over took as long as it did, whatever the speed of the present.
            takes: (takes as f64 * self.speed) as i64,
            exit: exit.to_owned(),
            lines,
            run: Run::Nothing,
            job: job.clone(),
        };
        let upid = self.begin_at(order, at * 1000);
        let ended = self.tasks.last_mut().map_or(0, |task| {
            task.done = true;
            task.end
        });
        if let Some((kind, id)) = job {
            for job in self
                .jobs
                .iter_mut()
                .filter(|job| job.kind == kind && job.id == id)
            {
                job.last = Some((upid.clone(), ended / 1000, exit.to_owned()));
            }
        }
        upid
    }
}

fn snapshot(namespace: &str, kind: &'static str, id: &str, time: i64, size: u64) -> Snapshot {
    Snapshot {
        namespace: namespace.to_owned(),
        kind,
        id: id.to_owned(),
        time,
        size,
        owner: "pve@pbs".to_owned(),
        notes: String::new(),
        protected: false,
        encrypted: false,
        finished: true,
        damaged: false,
        verified: None,
    }
}

fn store(name: &str, comment: &str, total: u64, fill: f64, growth: f64) -> Store {
    Store {
        name: name.to_owned(),
        comment: comment.to_owned(),
        total,
        used: (total as f64 * fill) as u64,
        growth,
        maintenance: None,
        broken: None,
        namespaces: BTreeSet::new(),
        snapshots: Vec::new(),
        group_notes: BTreeMap::new(),
        gc_schedule: Some("21:00".to_owned()),
        collection: Collection::default(),
        garbage: mix(&[total]) % (9 * GIB),
    }
}

fn stores() -> Vec<Store> {
    let mut scratch = store("scratch", "tests, may go at any time", 2 * TIB, 0.12, 0.0);
    scratch.maintenance = Some(("offline".to_owned(), "disk swap".to_owned()));
    scratch.gc_schedule = None;
    vec![
        store("main", "all clusters", 24 * TIB, 0.64, 0.004),
        store("archive", "weekly copies", 8 * TIB, 0.873, 0.0021),
        scratch,
    ]
}

fn jobs() -> Vec<Job> {
    let job = |kind, id: &str, store: &str, schedule: &str| Job {
        kind,
        id: id.to_owned(),
        store: store.to_owned(),
        namespace: None,
        schedule: Some(schedule.to_owned()),
        comment: None,
        disabled: false,
        keep: Vec::new(),
        source: None,
        last: None,
    };
    let mut customers = job(JobKind::Prune, "p-customers", "main", "daily");
    customers.namespace = Some("customers".to_owned());
    customers.keep = vec![("keep-last", 3), ("keep-daily", 14), ("keep-weekly", 8)];
    let mut hosts = job(JobKind::Prune, "p-hosts", "main", "sun 04:00");
    hosts.namespace = Some("hosts".to_owned());
    hosts.keep = vec![("keep-weekly", 4)];
    hosts.disabled = true;
    let mut local = job(JobKind::Sync, "s-archive", "archive", "sat 18:15");
    local.source = Some((None, "main".to_owned()));
    local.comment = Some("weekly copy of main".to_owned());
    let mut offsite = job(JobKind::Sync, "s-offsite", "archive", "21:00");
    offsite.source = Some((Some("dr-site".to_owned()), "main".to_owned()));
    let mut archive = job(JobKind::Verify, "v-archive", "archive", "sat 06:00");
    archive.comment = Some("never ran yet".to_owned());
    vec![
        job(JobKind::Verify, "v-daily", "main", "06:00"),
        archive,
        customers,
        hosts,
        local,
        offsite,
    ]
}
