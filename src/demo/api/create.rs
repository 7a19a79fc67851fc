//! Making guests.

use super::{Call, privilege::Wanted};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{
        disks::Drive,
        guest::{Agent, Config, Guest, Kind, Power, is_disk_key},
        load::mix,
        seed_guests::uuid,
        task::{Effect, Order},
    },
};

/// Parameters that are no options of the guest.
const NO_OPTIONS: &[&str] = &[
    "vmid",
    "pool",
    "start",
    "force",
    "archive",
    "storage",
    "unique",
    "ostemplate",
    "password",
    "bwlimit",
    "live-restore",
    "restore",
    "ssh-public-keys",
    "ignore-unpack-errors",
    "ha-managed",
    "import-working-storage",
];

/// Whether an option `agent` switches the agent on.
pub(super) fn has_agent(value: &str) -> bool {
    value.split(',').any(|word| word == "1" || word == "enabled=1")
}

impl Call<'_> {
    pub(super) fn route_create(&mut self, kind: Kind, rest: &str) -> Option<Outcome> {
        Some(match (self.verb, rest) {
            ("DELETE", "") => self.destroy(kind),
            ("POST", "/clone") => self.clone_guest(kind),
            _ => return None,
        })
    }

    /// `POST /nodes/{node}/qemu` and `…/lxc`.
    pub(super) fn create(&mut self, kind: Kind) -> Outcome {
        let vmid = self.params.number("vmid").unwrap_or(0) as u32;
        let pool = self.params.get("pool").map(str::to_owned);
        let allowed = self.has(&format!("/vms/{vmid}"), "VM.Allocate")
            || pool
                .as_ref()
                .is_some_and(|pool| self.has(&format!("/pool/{pool}"), "VM.Allocate"));
        if !allowed {
            return Err(Failure::refused());
        }
        self.world.need_quorum()?;
        if self.params.flag("force") && self.params.get("archive").is_none() && kind == Kind::Qemu {
            return Err(Failure::parameter(
                "archive",
                "missing property required by 'force'",
            ));
        }
        if let Some(other) = self.world.guests.get(&vmid) {
            return Err(Failure::server(format!(
                "unable to create {label} {vmid} - {of} {vmid} already exists on node '{}'",
                other.node,
                label = kind.label(),
                of = other.kind.label(),
            )));
        }
        self.check_pool(pool.as_deref())?;
        let node = self.node_name();
        let mut guest = self.blank(vmid, kind, &node, pool);
        let config = self.fresh_config(&guest)?;
        let lines = config
            .iter()
            .filter(|(key, value)| is_disk_key(key) && value.contains(':'))
            .map(|(key, value)| format!("{key}: successfully created disk '{value}'"))
            .collect();
        let kind_name = format!("{}create", kind.task_prefix());
        let order = self.order(&kind_name, vmid.to_string()).takes(2000).says(lines);
        // An installed system brings its agent along; an empty disk does not.
        let installed = self
            .params
            .iter()
            .any(|(_, value)| value.contains("import-from="));
        if installed && config.get("agent").is_some_and(|agent| has_agent(agent)) {
            guest.agent = Agent::Answers;
        }
        let who = self.who.full();
        let start = self.params.flag("start").then(|| {
            let kind_name = format!("{}start", kind.task_prefix());
            let order = Order::new(&node, kind_name, vmid.to_string(), &who).takes(1800);
            Box::new(order.holds(vmid).does(Effect::Start(vmid)))
        });
        // The id is taken from now on: of two that ask for it, one gets it.
        self.world.guests.insert(vmid, guest);
        self.begin(
            order
                .holds(vmid)
                .locks("create")
                .does(Effect::Create {
                    vmid,
                    config,
                    then: start,
                })
                .otherwise(Effect::Forget(vmid)),
        )
    }

    /// The configuration of a new guest, as the parameters want it.
    fn fresh_config(&self, guest: &Guest) -> Result<Config, Failure> {
        let (kind, vmid) = (guest.kind, guest.vmid);
        let pool = guest.pool.as_deref();
        let mut config = Config::new();
        let mut taken = Vec::new();
        let wanted = Wanted {
            vmid,
            pool,
            old: None,
        };
        for (key, value) in self.params.iter().filter(|(key, _)| !NO_OPTIONS.contains(key)) {
            // What a new container may be is settled by who may make it.
            if kind == Kind::Qemu || !matches!(key, "unprivileged" | "features") {
                self.check_option(kind, &wanted, key, Some(value))?;
            }
            let value = if is_disk_key(key) {
                let disk = self.new_disk(guest, key, value, &taken)?;
                taken.push(Drive::parse(&disk).volid);
                disk
            } else if key
                .strip_prefix("net")
                .is_some_and(|rest| rest.parse::<u8>().is_ok())
            {
                self.with_mac(kind, vmid, key, value)
            } else {
                value.to_owned()
            };
            config.insert(key.to_owned(), value);
        }
        let mut default = |key: &str, value: String| {
            config.entry(key.to_owned()).or_insert(value);
        };
        match kind {
            Kind::Qemu => {
                let id = mix(&[self.world.seed, self.world.now.cast_unsigned(), u64::from(vmid)]);
                default("smbios1", format!("uuid={}", uuid(id)));
                default("vmgenid", uuid(id ^ 1));
                default(
                    "meta",
                    format!("creation-qemu=10.1.2,ctime={}", self.world.seconds()),
                );
            }
            Kind::Lxc => {
                default("hostname", format!("CT{vmid}"));
                default("arch", "amd64".to_owned());
                default("ostype", "debian".to_owned());
            }
        }
        Ok(config)
    }

    pub(super) fn blank(&self, vmid: u32, kind: Kind, node: &str, pool: Option<String>) -> Guest {
        Guest {
            vmid,
            kind,
            node: node.to_owned(),
            config: Config::new(),
            pending: std::collections::BTreeMap::new(),
            power: Power::Stopped,
            since: self.world.seconds(),
            pid: 4000 + vmid % 90_000,
            pool,
            snapshots: Vec::new(),
            parent: None,
            agent: Agent::Silent,
            stubborn: false,
            busy: None,
            profile: self.world.profile(vmid),
            inside: None,
        }
    }
}
