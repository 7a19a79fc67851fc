//! `/pools`: what belongs together.

use serde_json::{Value, json};

use super::{Call, config::split_list};
use crate::demo::answer::{Failure, Outcome};

impl Call<'_> {
    pub(super) fn route_pools(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/pools") => self.pools(self.params.get("poolid")),
            ("GET", "/pools/{poolid}") => self.pool(),
            ("POST", "/pools") => self.create_pool(),
            ("PUT", "/pools" | "/pools/{poolid}") => self.change_pool(),
            ("DELETE", "/pools" | "/pools/{poolid}") => self.delete_pool(),
            _ => return None,
        })
    }

    /// The pool of the path, or of the parameters.
    fn pool_name(&self) -> String {
        match self.variable("poolid") {
            "" => self.params.text("poolid").to_owned(),
            name => name.to_owned(),
        }
    }

    fn pools(&self, only: Option<&str>) -> Outcome {
        if let Some(pool) = only
            && !self.world.pools.contains_key(pool)
        {
            return Err(Failure::server(format!("pool '{pool}' does not exist")));
        }
        let rows: Vec<Value> = self
            .world
            .pools
            .iter()
            .filter(|(pool, _)| self.sees_pool(pool) && only.is_none_or(|only| only == *pool))
            .map(|(pool, found)| {
                let mut row = json!({"poolid": pool});
                if !found.comment.is_empty() {
                    row["comment"] = json!(found.comment);
                }
                if only.is_some() {
                    row["members"] = self.members(pool);
                }
                row
            })
            .collect();
        Ok(Value::from(rows).into())
    }

    fn members(&self, pool: &str) -> Value {
        let wanted = self.params.get("type");
        let mut rows: Vec<Value> = self
            .guest_rows(|guest| guest.pool.as_deref() == Some(pool))
            .iter()
            .filter_map(|row| serde_json::from_str::<Value>(row).ok())
            .collect();
        let storages = self.world.pools.get(pool).map(|pool| pool.storages.clone());
        let storages = storages.unwrap_or_default();
        rows.extend(self.storage_rows(|storage| storages.contains(storage.name)));
        for row in &mut rows {
            if let Value::Object(row) = row {
                row.remove("pool");
            }
        }
        rows.retain(|row| wanted.is_none_or(|kind| row["type"] == kind));
        Value::from(rows)
    }

    fn pool(&self) -> Outcome {
        let pool = self.variable("poolid");
        let found = self
            .world
            .pools
            .get(pool)
            .ok_or_else(|| Failure::server(format!("pool '{pool}' does not exist")))?;
        Ok(json!({"comment": found.comment, "members": self.members(pool)}).into())
    }

    fn need_config(&self, doing: &str) -> Result<(), Failure> {
        if self.world.quorate {
            return Ok(());
        }
        Err(Failure::server(format!(
            "{doing} failed: cfs-lock 'file-user_cfg' error: no quorum!"
        )))
    }

    fn create_pool(&mut self) -> Outcome {
        self.need_config("create pool")?;
        let pool = self.params.text("poolid").to_owned();
        let failed = |text: String| Failure::server(format!("create pool failed: {text}"));
        if self.world.pools.contains_key(&pool) {
            return Err(failed(format!("pool '{pool}' already exists")));
        }
        let leaf = pool.rsplit('/').next().unwrap_or(&pool);
        if let Some((parent, _)) = pool.rsplit_once('/')
            && !self.world.pools.contains_key(parent)
        {
            return Err(failed(format!(
                "parent '{parent}' of pool '{pool}' does not exist"
            )));
        }
        if !leaf.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(failed("pool name must start with a letter".to_owned()));
        }
        let comment = self.params.text("comment").to_owned();
        let storages = std::collections::BTreeSet::new();
        self.world
            .pools
            .insert(pool, crate::demo::world::Pool { comment, storages });
        Ok(Value::Null.into())
    }

    /// May the caller say who may do what with this?
    fn may_give(&self, path: &str) -> Result<(), Failure> {
        let (more, word) = match path.split('/').nth(1) {
            Some("vms") => ("VM.Allocate", "Permissions.Modify|VM.Allocate"),
            Some("storage") => ("Datastore.Allocate", "Permissions.Modify|Datastore.Allocate"),
            _ => ("Pool.Allocate", "Permissions.Modify|Pool.Allocate"),
        };
        if self.has(path, "Permissions.Modify") || self.has(path, more) {
            return Ok(());
        }
        Err(Failure::server(format!(
            "update pools failed: 403 Permission check failed ({path}, {word})"
        )))
    }

    fn change_pool(&mut self) -> Outcome {
        self.need_config("update pools")?;
        let failed = |text: String| Failure::server(format!("update pools failed: {text}"));
        let pool = self.pool_name();
        let Some(mut changed) = self.world.pools.get(&pool).cloned() else {
            return Err(failed(format!("pool '{pool}' does not exist")));
        };
        let delete = self.params.flag("delete");
        let vmids: Vec<u32> = split_list(self.params.text("vms"))
            .filter_map(|id| id.parse().ok())
            .collect();
        for vmid in &vmids {
            self.may_give(&format!("/vms/{vmid}"))?;
            let Some(guest) = self.world.guests.get(vmid) else {
                continue;
            };
            match guest.pool.as_deref() {
                Some(own) if own == pool && !delete => {
                    return Err(failed(format!("VM {vmid} is already a pool member")));
                }
                own if own != Some(&pool) && delete => {
                    return Err(failed(format!("VM {vmid} is not a pool member")));
                }
                Some(other) if other != pool && !self.params.flag("allow-move") => {
                    return Err(failed(format!(
                        "VM {vmid} belongs already to pool '{other}' and 'allow-move' is not set"
                    )));
                }
                Some(other) if other != pool => self.need(&format!("/pool/{other}"), "Pool.Allocate")?,
                _ => {}
            }
        }
        for name in split_list(self.params.text("storage")) {
            self.may_give(&format!("/storage/{name}"))?;
            let member = changed.storages.contains(&name);
            if member == delete {
                changed.storages.retain(|own| !(delete && *own == name));
                if !delete {
                    changed.storages.insert(name);
                }
            } else {
                let text = if delete {
                    "is not a pool member"
                } else {
                    "is already a pool member"
                };
                return Err(failed(format!("Storage '{name}' {text}")));
            }
        }
        for vmid in vmids {
            if let Some(guest) = self.world.guests.get_mut(&vmid) {
                guest.pool = (!delete).then(|| pool.clone());
            }
        }
        if let Some(comment) = self.params.get("comment") {
            comment.clone_into(&mut changed.comment);
        }
        self.world.pools.insert(pool, changed);
        Ok(Value::Null.into())
    }

    fn delete_pool(&mut self) -> Outcome {
        self.need_config("delete pool")?;
        let failed = |text: String| Failure::server(format!("delete pool failed: {text}"));
        let pool = self.pool_name();
        let Some(found) = self.world.pools.get(&pool) else {
            return Err(failed(format!("pool '{pool}' does not exist")));
        };
        let below = format!("{pool}/");
        if let Some(sub) = self.world.pools.keys().find(|name| name.starts_with(&below)) {
            return Err(failed(format!(
                "pool '{pool}' is not empty (contains pool '{sub}')"
            )));
        }
        let mut guests = self.world.guests.values();
        if let Some(guest) = guests.find(|guest| guest.pool.as_ref() == Some(&pool)) {
            return Err(failed(format!(
                "pool '{pool}' is not empty (contains VM {})",
                guest.vmid
            )));
        }
        if let Some(storage) = found.storages.first() {
            return Err(failed(format!(
                "pool '{pool}' is not empty (contains storage '{storage}')"
            )));
        }
        let path = format!("/pool/{pool}");
        self.world.access.entries.retain(|entry| entry.path != path);
        self.world.pools.remove(&pool);
        Ok(Value::Null.into())
    }
}
