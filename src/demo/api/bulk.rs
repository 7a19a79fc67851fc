//! `startall` and its like on a node, and `/cluster/bulk-action/guest`.

use serde_json::Value;

use super::{Call, config::split_list};
use crate::demo::{
    answer::{Failure, Outcome},
    params::members,
    world::bulk::{Bulk, Deed},
};

impl Call<'_> {
    pub(super) fn route_bulk(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("POST", "/nodes/{node}/startall") => self.on_node("startall"),
            ("POST", "/nodes/{node}/stopall") => self.on_node("stopall"),
            ("POST", "/nodes/{node}/suspendall") => self.on_node("suspendall"),
            ("POST", "/nodes/{node}/migrateall") => self.on_node("migrateall"),
            ("POST", "/cluster/bulk-action/guest/start") => self.in_cluster("bulk-start"),
            ("POST", "/cluster/bulk-action/guest/shutdown") => self.in_cluster("bulk-shutdown"),
            ("POST", "/cluster/bulk-action/guest/suspend") => self.in_cluster("bulk-suspend"),
            ("POST", "/cluster/bulk-action/guest/migrate") => self.in_cluster("bulk-migrate"),
            _ => return None,
        })
    }

    /// The caller may do it everywhere, or to each of the guests that are named.
    fn may_to_all(&self, list: Option<&[u32]>, privileges: &[&str]) -> Result<(), Failure> {
        if privileges.iter().all(|privilege| self.has("/", privilege)) {
            return Ok(());
        }
        match list {
            Some(list) if !list.is_empty() => list.iter().try_for_each(|vmid| {
                privileges
                    .iter()
                    .try_for_each(|privilege| self.need(&format!("/vms/{vmid}"), privilege))
            }),
            _ => Err(Failure::forbidden("/", &privileges.join(" && "))),
        }
    }

    fn on_node(&mut self, task: &'static str) -> Outcome {
        let node = self.node_name();
        let named: Option<Vec<u32>> = self
            .params
            .get("vms")
            .map(|list| split_list(list).filter_map(|id| id.parse().ok()).collect());
        let privileges: &[&str] = match task {
            "migrateall" => &["VM.Migrate"],
            "suspendall" => &["VM.PowerMgmt", "VM.Config.Disk"],
            _ => &["VM.PowerMgmt"],
        };
        self.may_to_all(named.as_deref(), privileges)?;
        let workers = self
            .params
            .count("max-workers")
            .or_else(|| self.params.count("maxworkers"));
        let deed = match task {
            "startall" => Deed::Start,
            "stopall" => Deed::Shutdown {
                timeout: self.params.number("timeout").unwrap_or(180),
                force: self.params.get("force-stop").is_none() || self.params.flag("force-stop"),
            },
            "suspendall" => Deed::Suspend {
                to_disk: Some("local-zfs".to_owned()),
            },
            _ => {
                let target = self.params.text("target").to_owned();
                self.check_target(&target, &node)?;
                if workers.is_none() && self.world.options.get("max_workers").is_none() {
                    return Err(Failure::server(
                        "either 'max-workers' parameter or max_workers in datacenter.cfg must be set!",
                    ));
                }
                Deed::Migrate {
                    target,
                    with_local_disks: self.params.flag("with-local-disks"),
                    online: true,
                }
            }
        };
        let (force, whole) = (self.params.flag("force"), named.is_none());
        let mut vmids: Vec<u32> = self
            .world
            .guests
            .values()
            .filter(|guest| guest.node == node)
            .filter(|guest| named.as_ref().is_none_or(|list| list.contains(&guest.vmid)))
            .filter(|guest| task != "startall" || force || guest.option("onboot") == Some("1"))
            // What the HA manager looks after is left to it, unless it is named.
            .filter(|guest| task == "migrateall" || !whole || !self.world.is_managed(guest.vmid))
            .map(|guest| guest.vmid)
            .collect();
        if matches!(task, "stopall" | "suspendall") {
            vmids.reverse();
        }
        let upid = self.world.begin_bulk(Bulk {
            task,
            node,
            vmids,
            deed,
            workers: workers.unwrap_or(8),
            who: self.who.full(),
            warns: false,
            lines: Vec::new(),
        });
        Ok(Value::from(upid).into())
    }

    fn check_target(&self, target: &str, node: &str) -> Result<(), Failure> {
        if target == node {
            return Err(Failure::parameter("target", "target is local node."));
        }
        self.world.need_quorum()?;
        if self.world.node(target).is_none() {
            return Err(Failure::server(format!("no such cluster node '{target}'")));
        }
        Ok(())
    }

    fn in_cluster(&mut self, task: &'static str) -> Outcome {
        let named: Option<Vec<u32>> = self
            .params
            .get("vms")
            .map(|list| members(list).filter_map(|id| id.parse().ok()).collect());
        let privileges: &[&str] = match task {
            "bulk-migrate" => &["VM.Migrate"],
            "bulk-suspend" if self.params.flag("to-disk") => &["VM.PowerMgmt", "VM.Config.Disk"],
            _ => &["VM.PowerMgmt"],
        };
        self.may_to_all(named.as_deref(), privileges)?;
        let (prefix, suffix, deed) = match task {
            "bulk-start" => ("Starting", String::new(), Deed::Start),
            "bulk-shutdown" => {
                let timeout = self.params.number("timeout").unwrap_or(180);
                let force = self.params.get("force-stop").is_none() || self.params.flag("force-stop");
                ("Shutting down", String::new(), Deed::Shutdown { timeout, force })
            }
            "bulk-suspend" => {
                let storage = self.params.get("statestorage").unwrap_or("local-zfs").to_owned();
                let to_disk = self.params.flag("to-disk").then_some(storage);
                ("Suspending", String::new(), Deed::Suspend { to_disk })
            }
            _ => {
                let target = self.params.text("target").to_owned();
                if self.world.node(&target).is_none() {
                    return Err(Failure::server(format!("no such cluster node '{target}'")));
                }
                let suffix = format!("to {target}");
                let deed = Deed::Migrate {
                    target,
                    with_local_disks: self.params.flag("with-local-disks"),
                    online: self.params.flag("online"),
                };
                ("Migrating", suffix, deed)
            }
        };
        let suffix = if suffix.is_empty() {
            suffix
        } else {
            format!(" {suffix}")
        };
        let first = match &named {
            Some(list) => {
                let list: Vec<String> = list.iter().map(u32::to_string).collect();
                format!("{prefix} guests{suffix}: {}", list.join(", "))
            }
            None => format!("{prefix} all guests{suffix}"),
        };
        let mut vmids: Vec<u32> = self
            .world
            .guests
            .values()
            .filter(|guest| named.as_ref().is_none_or(|list| list.contains(&guest.vmid)))
            .filter(|guest| !guest.is_template() || named.is_some())
            .map(|guest| guest.vmid)
            .collect();
        if named.is_none() {
            vmids.retain(|vmid| !self.world.is_managed(*vmid) || task == "bulk-migrate");
        }
        let upid = self.world.begin_bulk(Bulk {
            task,
            node: self.world.local().to_owned(),
            vmids,
            deed,
            workers: self.params.count("max-workers").unwrap_or(4),
            who: self.who.full(),
            warns: true,
            lines: vec![first],
        });
        Ok(Value::from(upid).into())
    }
}
