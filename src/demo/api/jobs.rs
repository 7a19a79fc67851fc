//! Backup jobs and replication jobs.

use serde_json::{Map, Value, json};

use super::{Call, config::split_list};
use crate::demo::{
    answer::{Failure, Outcome},
    world::{Replication, guest::Config, load::mix, seed_guests::uuid},
};

impl Call<'_> {
    pub(super) fn route_jobs(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/cluster/backup") => Ok(self.backup_jobs().into()),
            ("POST", "/cluster/backup") => self.add_job(),
            ("GET", "/cluster/backup/{id}") => self.backup_job(),
            ("PUT", "/cluster/backup/{id}") => self.change_job(),
            ("DELETE", "/cluster/backup/{id}") => self.delete_job(),
            ("GET", "/cluster/backup/{id}/included_volumes") => self.included_volumes(),
            ("GET", "/cluster/backup-info/not-backed-up") => Ok(self.not_backed_up().into()),
            ("GET", "/cluster/replication") => Ok(self.replications().into()),
            ("POST", "/cluster/replication") => self.add_replication(),
            ("GET", "/cluster/replication/{id}") => {
                self.replication().map(|job| self.replication_row(job).into())
            }
            ("PUT", "/cluster/replication/{id}") => self.change_replication(),
            ("DELETE", "/cluster/replication/{id}") => self.delete_replication(),
            _ => return None,
        })
    }

    fn backup_jobs(&self) -> Value {
        let now = self.world.seconds();
        let jobs = self.world.jobs.iter();
        jobs.map(|(id, job)| {
            let mut row = job_row(id, job);
            row["next-run"] = json!(next_run(job.get("schedule").map_or("", String::as_str), now));
            row
        })
        .collect()
    }

    fn known_job(&self) -> Result<&Config, Failure> {
        let id = self.variable("id");
        self.world
            .jobs
            .get(id)
            .ok_or_else(|| Failure::parameter("id", format!("No such job '{id}'")))
    }

    fn backup_job(&self) -> Outcome {
        Ok(job_row(self.variable("id"), self.known_job()?).into())
    }

    /// Who may have this backed up, and whether what is named exists.
    fn check_job(&self) -> Result<(), Failure> {
        for option in ["tmpdir", "dumpdir", "script", "bwlimit", "performance", "ionice"] {
            let bound = matches!(option, "bwlimit" | "performance" | "ionice");
            if self.params.get(option).is_some() && !(bound && self.has("/", "Sys.Modify")) {
                self.root_only(option)
                    .map_err(|_| Failure::parameter(option, "Only root may set this option."))?;
            }
        }
        if let Some(pool) = self.params.get("pool") {
            self.check_pool(Some(pool))?;
            self.need(&format!("/pool/{pool}"), "VM.Backup")?;
        }
        Ok(())
    }

    fn add_job(&mut self) -> Outcome {
        self.check_job()?;
        let mut job = Config::new();
        for (key, value) in self.params.iter().filter(|(key, _)| *key != "id") {
            job.insert(key.to_owned(), value.to_owned());
        }
        if let Some(time) = job.remove("starttime") {
            if job.contains_key("schedule") {
                return Err(Failure::parameter(
                    "starttime",
                    "'starttime' and 'schedule' cannot both be set",
                ));
            }
            job.remove("dow");
            job.insert("schedule".to_owned(), time);
        }
        if !job.contains_key("schedule") {
            return Err(Failure::parameter(
                "schedule",
                "neither 'starttime' nor 'schedule' were set",
            ));
        }
        job.entry("enabled".to_owned()).or_insert_with(|| "1".to_owned());
        let id = self.params.get("id").map_or_else(
            || uuid(mix(&[self.world.seed, self.world.now.cast_unsigned(), 31])),
            str::to_owned,
        );
        if self.world.jobs.contains_key(&id) {
            return Err(Failure::server(format!("Job '{id}' already exists")));
        }
        check_selection(&job)?;
        self.world.jobs.insert(id, job);
        Ok(Value::Null.into())
    }

    fn change_job(&mut self) -> Outcome {
        self.check_job()?;
        let id = self.variable("id").to_owned();
        let Some(mut job) = self.world.jobs.get(&id).cloned() else {
            return Err(Failure::server("no such vzdump job"));
        };
        for gone in split_list(self.params.text("delete")) {
            job.remove(&gone);
        }
        for (key, value) in self
            .params
            .iter()
            .filter(|(key, _)| !matches!(*key, "delete" | "id"))
        {
            // Ways to select guests shut each other out: the last word counts.
            if matches!(key, "all" | "vmid" | "pool") {
                for other in ["all", "vmid", "pool"] {
                    job.remove(other);
                }
            }
            job.insert(key.to_owned(), value.to_owned());
        }
        check_selection(&job)?;
        self.world.jobs.insert(id, job);
        Ok(Value::Null.into())
    }

    fn delete_job(&mut self) -> Outcome {
        let id = self.variable("id").to_owned();
        if self.world.jobs.remove(&id).is_none() {
            // The real server wraps its own refusal once more.
            return Err(Failure::server("400 Parameter verification failed."));
        }
        Ok(Value::Null.into())
    }

    /// Whether a job takes a guest.
    fn takes(&self, job: &Config, vmid: u32) -> bool {
        let listed = |key: &str| {
            job.get(key)
                .is_some_and(|list| split_list(list).any(|id| id == vmid.to_string()))
        };
        let pool = self.world.guests.get(&vmid).and_then(|guest| guest.pool.clone());
        match (job.get("all").map(String::as_str), job.get("pool")) {
            (Some("1"), _) => !listed("exclude"),
            (_, Some(wanted)) => pool.as_ref() == Some(wanted),
            _ => listed("vmid"),
        }
    }

    fn included_volumes(&self) -> Outcome {
        let job = self.known_job()?;
        let children: Vec<Value> = self
            .world
            .guests
            .values()
            .filter(|guest| self.takes(job, guest.vmid) && self.may_see(guest))
            .map(|guest| {
                let disks: Vec<Value> = guest
                    .disks()
                    .iter()
                    .map(|disk| {
                        let left_out = guest.option(&disk.key).is_some_and(|value| value.contains("backup=0"));
                        json!({
                            "id": format!("{}:{}", guest.vmid, disk.key), "name": disk.volid, "leaf": 1,
                            "included": u8::from(!left_out),
                            "reason": if left_out { "backup=no" } else { "backup=yes" },
                        })
                    })
                    .collect();
                json!({
                    "id": guest.vmid, "name": guest.name(), "type": guest.kind.name(), "leaf": 0, "children": disks,
                })
            })
            .collect();
        Ok(json!({"children": children}).into())
    }

    fn not_backed_up(&self) -> Value {
        self.world
            .guests
            .values()
            .filter(|guest| self.may_see(guest))
            .filter(|guest| !self.world.jobs.values().any(|job| self.takes(job, guest.vmid)))
            .map(|guest| json!({"vmid": guest.vmid, "name": guest.name(), "type": guest.kind.name()}))
            .collect()
    }

    fn replications(&self) -> Value {
        self.world
            .replications
            .iter()
            .filter(|job| self.has(&format!("/vms/{}", job.vmid), "VM.Audit"))
            .map(|job| self.replication_row(job))
            .collect()
    }

    fn replication_row(&self, job: &Replication) -> Value {
        let source = self.world.guests.get(&job.vmid);
        let mut row = json!({
            "id": job.id(), "type": "local", "guest": job.vmid, "jobnum": job.number,
            "source": source.map_or("", |guest| guest.node.as_str()), "target": job.target,
            "schedule": job.schedule,
        });
        if let Some(rate) = job.rate {
            row["rate"] = json!(rate);
        }
        if job.disable {
            row["disable"] = json!(1);
        }
        if let Some(comment) = &job.comment {
            row["comment"] = json!(comment);
        }
        row
    }

    fn replication(&self) -> Result<&Replication, Failure> {
        let id = self.variable("id");
        let mut jobs = self.world.replications.iter();
        jobs.find(|job| job.id() == id)
            .ok_or_else(|| Failure::server(format!("no such replication job '{id}'")))
    }

    fn add_replication(&mut self) -> Outcome {
        let id = self.params.text("id").to_owned();
        let parsed = id
            .split_once('-')
            .and_then(|(vmid, number)| Some((vmid.parse::<u32>().ok()?, number.parse::<u32>().ok()?)));
        let Some((vmid, number)) = parsed else {
            return Err(Failure::parameter(
                "id",
                format!("invalid format - invalid replication job id '{id}'\n"),
            ));
        };
        self.need(&format!("/vms/{vmid}"), "VM.Replicate")?;
        let target = self.params.text("target").to_owned();
        let guest = self.world.guests.get(&vmid);
        let guest = guest.ok_or_else(|| Failure::server(format!("Guest '{vmid}' does not exist.")))?;
        if self.world.node(&target).is_none() {
            return Err(Failure::server(format!("Target '{target}' does not exist.")));
        }
        if target == guest.node {
            return Err(Failure::server("Source and target must not be identical"));
        }
        let mut any = false;
        for disk in guest.disks() {
            let storage = self.world.storage(&disk.storage);
            if storage.is_some_and(|storage| storage.shared) {
                continue;
            }
            if storage.is_none_or(|storage| storage.kind != "zfspool") {
                return Err(Failure::server(format!(
                    "missing replicate feature on volume '{}'",
                    disk.volid
                )));
            }
            any = true;
        }
        if !any {
            return Err(Failure::server("No replicatable volumes found"));
        }
        if self.world.replications.iter().any(|job| job.id() == id) {
            return Err(Failure::server(format!("replication job '{id}' already exists")));
        }
        let rate = self.params.get("rate").and_then(|text| text.parse().ok());
        self.world.replications.push(Replication {
            vmid,
            number,
            target,
            schedule: self.params.get("schedule").unwrap_or("*/15").to_owned(),
            rate,
            comment: self.params.get("comment").map(str::to_owned),
            disable: self.params.flag("disable"),
            error: None,
        });
        Ok(Value::Null.into())
    }

    fn change_replication(&mut self) -> Outcome {
        let id = self.variable("id").to_owned();
        let vmid = id.split('-').next().unwrap_or_default().to_owned();
        self.need(&format!("/vms/{vmid}"), "VM.Replicate")?;
        let rate = self.params.get("rate").and_then(|text| text.parse().ok());
        let schedule = self.params.get("schedule").map(str::to_owned);
        let comment = self.params.get("comment").map(str::to_owned);
        let disable = self.params.get("disable").map(|_| self.params.flag("disable"));
        let gone: Vec<String> = split_list(self.params.text("delete")).collect();
        let mut jobs = self.world.replications.iter_mut();
        let Some(job) = jobs.find(|job| job.id() == id) else {
            return Err(Failure::server(format!("no such job '{id}'")));
        };
        job.rate = rate.or(job.rate);
        job.disable = disable.unwrap_or(job.disable);
        if let Some(schedule) = schedule {
            job.schedule = schedule;
        }
        if comment.is_some() {
            job.comment = comment;
        }
        for key in gone {
            match key.as_str() {
                "rate" => job.rate = None,
                "comment" => job.comment = None,
                "disable" => job.disable = false,
                "schedule" => "*/15".clone_into(&mut job.schedule),
                other => {
                    return Err(Failure::server(format!(
                        "unable to delete required option '{other}'"
                    )));
                }
            }
        }
        Ok(Value::Null.into())
    }

    fn delete_replication(&mut self) -> Outcome {
        let id = self.variable("id").to_owned();
        let vmid = id.split('-').next().unwrap_or_default().to_owned();
        self.need(&format!("/vms/{vmid}"), "VM.Replicate")?;
        if self.params.flag("keep") && self.params.flag("force") {
            return Err(Failure::parameter("keep", "conflicts with parameter 'force'"));
        }
        if !self.world.replications.iter().any(|job| job.id() == id) {
            return Err(Failure::server(format!("no such job '{id}'")));
        }
        self.world.replications.retain(|job| job.id() != id);
        Ok(Value::Null.into())
    }
}

/// Exactly one way to say which guests.
fn check_selection(job: &Config) -> Result<(), Failure> {
    let all = job.get("all").is_some_and(|flag| flag == "1");
    if all && job.contains_key("vmid") {
        return Err(Failure::parameter("all", "option conflicts with option 'vmid'"));
    }
    if !all && job.contains_key("exclude") && !job.contains_key("vmid") && !job.contains_key("pool") {
        return Err(Failure::parameter("vmid", "property is missing"));
    }
    if !all && !job.contains_key("vmid") && !job.contains_key("pool") {
        return Err(Failure::parameter("vmid", "property is missing"));
    }
    Ok(())
}

/// A job as JSON shows it.
fn job_row(id: &str, job: &Config) -> Value {
    let mut row: Map<String, Value> = job
        .iter()
        .map(|(key, value)| {
            let shown = match key.as_str() {
                "prune-backups" | "fleecing" => Value::Object(
                    value
                        .split(',')
                        .filter_map(|word| word.split_once('='))
                        .map(|(key, value)| (key.to_owned(), json!(value)))
                        .collect(),
                ),
                "enabled" | "all" | "protected" | "repeat-missed" | "remove" | "quiet" | "zstd" | "pigz"
                | "bwlimit" => value
                    .parse::<i64>()
                    .map_or_else(|_| json!(value), |number| json!(number)),
                _ => json!(value),
            };
            (key.clone(), shown)
        })
        .collect();
    row.insert("id".to_owned(), json!(id));
    row.insert("type".to_owned(), json!("vzdump"));
    Value::Object(row)
}

/// When a job runs next: for a time of day exactly, for anything else within the hour.
fn next_run(schedule: &str, now: i64) -> i64 {
    let time = schedule.rsplit(' ').next().unwrap_or_default();
    let of_day = time.split_once(':').and_then(|(hours, minutes)| {
        Some(hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60)
    });
    match of_day {
        Some(seconds) => {
            let today = now - now.rem_euclid(86_400) + seconds;
            if today > now { today } else { today + 86_400 }
        }
        None => now - now.rem_euclid(3600) + 3600,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_met_today_or_tomorrow() {
        let day = 20_000 * 86_400;
        assert_eq!(next_run("02:00", day + 3600), day + 7200);
        assert_eq!(next_run("mon..fri 02:00", day + 7200), day + 86_400 + 7200);
        assert_eq!(next_run("hourly", day + 10), day + 3600);
    }
}
