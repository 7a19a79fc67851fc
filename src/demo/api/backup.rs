//! `POST /nodes/{node}/vzdump`: backups of guests.

use serde_json::Value;

use super::{Call, config::locked};
use crate::demo::answer::{Failure, Outcome};

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
        let list = self.params.text("vmid").to_owned();
        let Some(vmid) = list.split([',', ' ']).find_map(|id| id.parse::<u32>().ok()) else {
            return Err(Failure::parameter(
                "vmid",
                "property is missing and it is not optional",
            ));
        };
        if !self.has(&format!("/vms/{vmid}"), "VM.Backup") {
            return Err(Failure::forbidden(&format!("/vms/{vmid}"), "VM.Backup"));
        }
        let node = self.node_name();
        let here = self.world.guests.get(&vmid).filter(|guest| guest.node == node);
        let Some(guest) = here else {
            // Guests of other nodes are left to them.
            return Ok(Value::from("OK").into());
        };
        if let Err(lock) = locked(guest) {
            let lines = vec![format!("ERROR: Backup of VM {vmid} failed - {lock}")];
            let order = self.order("vzdump", list).says(lines).fails("job errors");
            return self.begin(order);
        }
        let who = self.who.full();
        match self.world.backup_order(vmid, &storage, &who) {
            Some(order) => self.begin(order),
            None => Ok(Value::from("OK").into()),
        }
    }
}
