//! `POST /nodes/{node}/vzdump`: backups of guests.

use serde_json::Value;

use super::{
    Call,
    config::{locked, split_list},
};
use crate::demo::{
    answer::{Failure, Outcome},
    world::task::Effect,
};

impl Call<'_> {
    /// `POST /nodes/{node}/vzdump`.
    pub(super) fn back_up(&mut self) -> Outcome {
        let storage = self.params.get("storage").unwrap_or("local").to_owned();
        if !self.has(&format!("/storage/{storage}"), "Datastore.AllocateSpace") {
            return Err(Failure::forbidden(
                &format!("/storage/{storage}"),
                "Datastore.AllocateSpace",
            ));
        }
        let known = self.world.storage(&storage);
        let known = known.ok_or_else(|| Failure::server(format!("storage '{storage}' does not exist")))?;
        if !known.content.split(',').any(|content| content == "backup") {
            return Err(Failure::server(format!(
                "storage '{storage}' does not support backups"
            )));
        }
        let vmids = self.chosen()?;
        for vmid in &vmids {
            self.need(&format!("/vms/{vmid}"), "VM.Backup")?;
        }
        let node = self.node_name();
        let here = |vmid: &u32| {
            self.world
                .guests
                .get(vmid)
                .is_some_and(|guest| guest.node == node)
        };
        let (own, others): (Vec<u32>, Vec<u32>) = vmids.into_iter().partition(here);
        let (Some(first), single) = (own.first().copied(), own.len() == 1) else {
            // Guests of other nodes are left to them.
            return Ok(Value::from("OK").into());
        };
        let who = self.who.full();
        let one = self.world.guests.get(&first).filter(|_| single);
        if let Some(guest) = one.filter(|guest| guest.lock().is_none()) {
            let order = self.world.backup_order(guest.vmid, &storage, &who);
            return match order {
                Some(order) => self.begin(order),
                None => Ok(Value::from("OK").into()),
            };
        }
        let mut lines = Vec::new();
        if !others.is_empty() {
            let list: Vec<String> = others.iter().map(u32::to_string).collect();
            lines.push(format!("INFO: skip external VMs: {}", list.join(", ")));
        }
        let (mut takes, mut failed) = (500, false);
        for vmid in own {
            let Some(guest) = self.world.guests.get(&vmid) else {
                continue;
            };
            if let Err(lock) = locked(guest) {
                let label = guest.kind.label();
                lines.push(format!("ERROR: Backup of {label} {vmid} failed - {lock}"));
                failed = true;
                continue;
            }
            if let Some(order) = self.world.backup_order(vmid, &storage, &who) {
                lines.extend(order.lines);
                takes += order.takes;
                let effect = Effect::Backup {
                    vmid,
                    storage: storage.clone(),
                };
                self.world.later(takes, effect);
            }
        }
        let id = if single { first.to_string() } else { String::new() };
        let order = self.order("vzdump", id).takes(takes).says(lines);
        self.begin(if failed { order.fails("job errors") } else { order })
    }

    /// The guests that are to be saved: named, of a pool, or all.
    fn chosen(&self) -> Result<Vec<u32>, Failure> {
        if let Some(pool) = self.params.get("pool") {
            self.check_pool(Some(pool))?;
            self.need(&format!("/pool/{pool}"), "VM.Backup")?;
        }
        let left_out: Vec<String> = split_list(self.params.text("exclude")).collect();
        let named: Vec<u32> = split_list(self.params.text("vmid"))
            .filter_map(|id| id.parse().ok())
            .collect();
        if self.params.flag("all") && !named.is_empty() {
            return Err(Failure::parameter("all", "option conflicts with option 'vmid'"));
        }
        if !named.is_empty() {
            return Ok(named);
        }
        let pool = self.params.get("pool");
        if pool.is_none() && !self.params.flag("all") {
            return Err(Failure::parameter("vmid", "property is missing"));
        }
        let guests = self.world.guests.values();
        Ok(guests
            .filter(|guest| pool.is_none() || guest.pool.as_deref() == pool)
            .map(|guest| guest.vmid)
            .filter(|vmid| !left_out.contains(&vmid.to_string()))
            .collect())
    }
}
