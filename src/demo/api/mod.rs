//! The methods: from a request to its outcome.
//!
//! The order is the real server's: sign-in, path, permission, node, parameters, method. Each area has a file with a
//! `route` that knows its own paths.

mod access;
mod backup;
mod bulk;
mod clone;
mod cluster;
mod config;
mod console;
mod create;
mod destroy;
mod disks;
mod guest;
mod ha;
mod ha_rules;
mod hardware;
mod inside;
mod migrate;
mod move_disk;
mod node;
mod power;
mod privilege;
mod resources;
mod rrd;
mod services;
mod snapshot;
mod storage;
mod tasks;
mod volumes;

use serde_json::{Value, json};

use super::{
    answer::{Failure, Outcome},
    auth::{Credentials, Identity},
    params::Params,
    table::{Method, Table, Variables},
    world::{
        World,
        guest::{Guest, Kind},
        task::Order,
    },
};

/// A request as the HTTP layer hands it over.
pub(super) struct Asked<'a> {
    pub(super) verb: &'static str,
    /// Without `/api2/json`.
    pub(super) path: &'a str,
    pub(super) params: Params,
    pub(super) credentials: Credentials,
}

/// A call of a method by a user who may call it.
struct Call<'a> {
    world: &'a mut World,
    who: Identity,
    verb: &'static str,
    /// The path as the table writes it.
    path: &'static str,
    variables: Variables,
    params: Params,
}

/// Answers a request.
pub(super) fn answer(world: &mut World, asked: Asked<'_>) -> Outcome {
    let now = world.seconds();
    let found = Table::get().find(asked.verb, asked.path);
    let open = found
        .as_ref()
        .is_some_and(|(method, _)| method.permission == "world");
    let who = if open {
        world.access.identify(&asked.credentials, false, now).ok()
    } else {
        Some(
            world
                .access
                .identify(&asked.credentials, asked.verb != "GET", now)?,
        )
    };
    let Some((method, variables)) = found else {
        return Err(Failure::unimplemented(
            asked.verb,
            asked.path.trim_end_matches('/'),
        ));
    };
    let Some(who) = who else {
        asked.params.check(method)?;
        return access::open(world, asked.verb, method.path, &asked.params);
    };
    let mut call = Call {
        world,
        who,
        verb: asked.verb,
        path: method.path,
        variables,
        params: asked.params,
    };
    call.check_permission(method)?;
    call.check_node()?;
    call.params.check(method)?;
    if let Some((key, entries)) = &method.entries {
        let rows: Vec<Value> = entries.iter().map(|entry| json!({*key: entry})).collect();
        return Ok(Value::from(rows).into());
    }
    call.route()
        .unwrap_or_else(|| Err(Failure::unimplemented(method.verb, method.path)))
}

impl Call<'_> {
    fn route(&mut self) -> Option<Outcome> {
        let path = self.path;
        if let Some(rest) = path.strip_prefix("/nodes/{node}/qemu") {
            return self.route_guest(Kind::Qemu, rest);
        }
        if let Some(rest) = path.strip_prefix("/nodes/{node}/lxc") {
            return self.route_guest(Kind::Lxc, rest);
        }
        self.route_console(None)
            .or_else(|| self.route_cluster())
            .or_else(|| self.route_ha())
            .or_else(|| self.route_ha_rules())
            .or_else(|| self.route_bulk())
            .or_else(|| self.route_services())
            .or_else(|| self.route_access())
            .or_else(|| self.route_node())
            .or_else(|| self.route_hardware())
            .or_else(|| self.route_tasks())
            .or_else(|| self.route_storage())
    }

    fn route_guest(&mut self, kind: Kind, rest: &'static str) -> Option<Outcome> {
        match (self.verb, rest) {
            ("GET", "") => return Some(Ok(self.guest_list(kind).into())),
            ("POST", "") => return Some(self.create(kind)),
            _ => {}
        }
        let rest = rest.strip_prefix("/{vmid}")?;
        // A start of a guest that is not there is a task that fails.
        if let Some(outcome) = self.route_power(kind, rest) {
            return Some(outcome);
        }
        if let Err(failure) = self.guest(kind) {
            return Some(Err(failure));
        }
        self.route_console(Some(kind))
            .or_else(|| self.route_guest_reads(kind, rest))
            .or_else(|| self.route_inside(kind, rest))
            .or_else(|| self.route_config(kind, rest))
            .or_else(|| self.route_disks(kind, rest))
            .or_else(|| self.route_moves(rest))
            .or_else(|| self.route_snapshots(kind, rest))
            .or_else(|| self.route_create(kind, rest))
            .or_else(|| self.route_migrate(kind, rest))
    }

    /// A variable of the path.
    fn variable(&self, name: &str) -> &str {
        self.variables
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    fn node_name(&self) -> String {
        self.variable("node").to_owned()
    }

    fn vmid(&self) -> u32 {
        self.variable("vmid").parse().unwrap_or(0)
    }

    /// The guest that the path names, on the node that it names.
    fn guest(&self, kind: Kind) -> Result<&Guest, Failure> {
        let (vmid, node) = (self.vmid(), self.variable("node"));
        self.world
            .guests
            .get(&vmid)
            .filter(|guest| guest.kind == kind && guest.node == node)
            .ok_or_else(|| missing(kind, node, vmid))
    }

    fn has(&self, path: &str, privilege: &str) -> bool {
        let pool = path
            .strip_prefix("/vms/")
            .and_then(|id| id.parse().ok())
            .and_then(|vmid: u32| self.world.guests.get(&vmid))
            .and_then(|guest| guest.pool.as_deref());
        self.world
            .access
            .privileges(&self.who, path, pool)
            .contains(privilege)
    }

    fn may_see(&self, guest: &Guest) -> bool {
        let path = format!("/vms/{}", guest.vmid);
        self.world
            .access
            .privileges(&self.who, &path, guest.pool.as_deref())
            .contains("VM.Audit")
    }

    /// May see every guest, without asking for each.
    fn sees_all(&self) -> bool {
        self.who.is_root_ticket() || (self.who.user == "root@pam" && self.has("/", "VM.Audit"))
    }

    fn check_permission(&self, method: &Method) -> Result<(), Failure> {
        match method.permission {
            "all" | "world" => Ok(()),
            "root" if self.who.full() == "root@pam" || self.has("/", "Permissions.Modify") => Ok(()),
            "root" => Err(Failure::forbidden_plain("user != root@pam")),
            rule => rule.split('&').try_for_each(|part| {
                let mut alternatives = part.split('^').peekable();
                let first = self.check_rule(alternatives.next().unwrap_or_default());
                if alternatives.peek().is_none() || first.is_ok() {
                    return first;
                }
                if alternatives.any(|rule| self.check_rule(rule).is_ok()) {
                    Ok(())
                } else {
                    Err(Failure::refused())
                }
            }),
        }
    }

    fn check_rule(&self, rule: &str) -> Result<(), Failure> {
        let Some((path, privileges)) = rule.split_once('=') else {
            return self.check_word(rule);
        };
        let Some(path) = self.fill(path) else {
            return Err(Failure::refused());
        };
        if privileges.contains('|') {
            if privileges.split('|').any(|privilege| self.has(&path, privilege)) {
                return Ok(());
            }
            return Err(Failure::forbidden(&path, privileges));
        }
        match privileges
            .split('+')
            .find(|privilege| !self.has(&path, privilege))
        {
            Some(privilege) => Err(Failure::forbidden(&path, privilege)),
            None => Ok(()),
        }
    }

    /// Checks that have a name of their own in the schema.
    fn check_word(&self, word: &str) -> Result<(), Failure> {
        match word {
            "userid" => {
                let user = self.fill("{userid}").unwrap_or_default();
                if user == self.who.user && self.verb == "GET" || self.has("/access", "User.Modify") {
                    return Ok(());
                }
                let realm = user.rsplit_once('@').map_or("pam", |(_, realm)| realm);
                Err(Failure::forbidden(
                    &format!("/access/realm/{realm}"),
                    "Realm.AllocateUser",
                ))
            }
            "perm-modify" => {
                let path = self.params.text("path");
                if self.has(path, "Permissions.Modify")
                    || path.starts_with("/vms/") && self.has(path, "VM.Allocate")
                {
                    return Ok(());
                }
                let more = if path.starts_with("/vms/") {
                    "|VM.Allocate"
                } else {
                    ""
                };
                Err(Failure::forbidden(path, &format!("Permissions.Modify{more}")))
            }
            _ => Ok(()),
        }
    }

    /// Puts the values of variables and parameters into a path; `None` if one was not given.
    fn fill(&self, template: &str) -> Option<String> {
        let mut path = String::new();
        for (index, piece) in template.split(['{', '}']).enumerate() {
            if index % 2 == 0 {
                path.push_str(piece);
                continue;
            }
            let known = self.variables.iter().find(|(name, _)| *name == piece);
            path.push_str(known.map_or_else(|| self.params.get(piece), |(_, value)| Some(value.as_str()))?);
        }
        Some(path)
    }

    /// The node behind the asked one: known, and answering.
    fn check_node(&self) -> Result<(), Failure> {
        let Some((_, name)) = self.variables.iter().find(|(known, _)| *known == "node") else {
            return Ok(());
        };
        // A packet that wakes a node is sent by the one that was asked.
        if self.path == "/nodes/{node}/wakeonlan" {
            return Ok(());
        }
        // The console of another node is an SSH connection from this one: no proxy stands between.
        let console = self.path.ends_with("/termproxy") || self.path.ends_with("/vncwebsocket");
        match self.world.node(name) {
            Some(_) if console => Ok(()),
            None => Err(Failure::server(format!(
                "hostname lookup '{name}' failed - failed to get address info for: {name}: \
                 Temporary failure in name resolution"
            ))),
            Some(node) if !node.online => Err(Failure::proxy(595, "No route to host")),
            Some(node) if node.frozen => Err(Failure::proxy(596, "Connection timed out")),
            Some(_) => Ok(()),
        }
    }

    /// A task of the caller on the node of the path.
    fn order(&self, kind: &str, id: impl Into<String>) -> Order {
        Order::new(self.variable("node"), kind, id, &self.who.full())
    }

    /// Begins a task and answers with its id.
    #[allow(clippy::unnecessary_wraps, reason = "it is what methods return")]
    fn begin(&mut self, order: Order) -> Outcome {
        Ok(Value::from(self.world.begin(order)).into())
    }
}

/// The words for a guest that is not there.
fn missing(kind: Kind, node: &str, vmid: u32) -> Failure {
    Failure::server(format!(
        "Configuration file '{}' does not exist",
        Guest::file(kind, node, vmid)
    ))
}
