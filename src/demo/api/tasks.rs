//! Task lists, the state of a task and its log.

use serde_json::{Value, json};

use super::Call;
use crate::demo::{
    answer::{Data, Failure, Outcome},
    world::{self, task::Task},
};

/// Tasks of the cluster's list.
const RECENT: usize = 60;

impl Call<'_> {
    pub(super) fn route_tasks(&mut self) -> Option<Outcome> {
        Some(match (self.verb, self.path) {
            ("GET", "/nodes/{node}/tasks") => Ok(self.node_tasks()),
            ("GET", "/nodes/{node}/tasks/{upid}/status") => self.task_status(),
            ("GET", "/nodes/{node}/tasks/{upid}/log") => self.task_log(),
            ("DELETE", "/nodes/{node}/tasks/{upid}") => self.stop_task(),
            _ => return None,
        })
    }

    fn may_see_task(&self, task: &Task) -> bool {
        task.user == self.who.user || self.has(&format!("/nodes/{}", task.node), "Sys.Audit")
    }

    /// `/cluster/tasks`: running and recent ones of all nodes.
    pub(super) fn cluster_tasks(&self) -> Value {
        let now = self.world.now;
        self.world
            .tasks
            .iter()
            .rev()
            .filter(|task| self.may_see_task(task))
            .take(RECENT)
            .map(|task| {
                let mut row = json!({
                    "upid": task.upid, "node": task.node, "type": task.kind, "id": task.id, "user": task.user,
                    "starttime": task.start / 1000,
                });
                if let Some(token) = &task.token {
                    row["tokenid"] = json!(token);
                }
                if task.is_running(now) {
                    row["saved"] = json!("0");
                    row["pid"] = json!(task.pid);
                    row["pstart"] = json!(task.pstart);
                } else {
                    row["saved"] = json!("1");
                    row["status"] = json!(task.exit);
                    row["endtime"] = json!(task.end / 1000);
                }
                row
            })
            .collect()
    }

    fn node_tasks(&self) -> Data {
        let now = self.world.now;
        let node = self.variable("node");
        let params = &self.params;
        let source = params.get("source").unwrap_or("archive");
        let statuses: Option<Vec<String>> = params
            .get("statusfilter")
            .map(|list| list.split([',', ';', ' ']).map(str::to_ascii_lowercase).collect());
        let class = |task: &Task| match task.exit.as_str() {
            "OK" => "ok",
            exit if exit.starts_with("WARNINGS") => "warning",
            _ => "error",
        };
        let found: Vec<&Task> = self
            .world
            .tasks
            .iter()
            .rev()
            .filter(|task| task.node == node && self.may_see_task(task))
            .filter(|task| match source {
                "active" => task.is_running(now),
                "archive" => !task.is_running(now),
                _ => true,
            })
            .filter(|task| !params.flag("errors") || class(task) != "ok")
            .filter(|task| {
                statuses
                    .as_ref()
                    .is_none_or(|wanted| wanted.iter().any(|one| one == class(task)))
            })
            .filter(|task| params.get("typefilter").is_none_or(|kind| task.kind == kind))
            .filter(|task| {
                params
                    .get("userfilter")
                    .is_none_or(|user| task.user.contains(user))
            })
            .filter(|task| params.get("vmid").is_none_or(|vmid| task.id == vmid))
            .filter(|task| {
                params
                    .number("since")
                    .is_none_or(|since| task.start / 1000 >= since)
            })
            .filter(|task| {
                params
                    .number("until")
                    .is_none_or(|until| task.start / 1000 <= until)
            })
            .collect();
        let rows: Value = found
            .iter()
            .skip(params.count("start").unwrap_or(0))
            .take(params.count("limit").unwrap_or(50))
            .map(|task| list_row(task, now))
            .collect();
        Data::Page(rows, found.len())
    }

    fn find_task(&self) -> Result<&Task, Failure> {
        let upid = self.variable("upid");
        if upid.matches(':').count() != 8 || !upid.starts_with("UPID:") {
            return Err(Failure::parameter("upid", "unable to parse worker upid"));
        }
        let node = self.variable("node");
        let task = self.world.task(upid).filter(|task| task.node == node);
        let task = task.ok_or_else(|| Failure::parameter("upid", "no such task"))?;
        if self.may_see_task(task) {
            Ok(task)
        } else {
            Err(Failure::forbidden(&format!("/nodes/{node}"), "Sys.Audit"))
        }
    }

    fn task_status(&self) -> Outcome {
        let task = self.find_task()?;
        let now = self.world.now;
        let mut answer = json!({
            "upid": task.upid, "node": task.node, "pid": task.pid, "pstart": task.pstart,
            "starttime": task.start / 1000, "type": task.kind, "id": task.id, "user": task.user,
            "status": if task.is_running(now) { "running" } else { "stopped" },
        });
        if let Some(token) = &task.token {
            answer["tokenid"] = json!(token);
        }
        if !task.is_running(now) {
            answer["exitstatus"] = json!(task.exit);
        }
        Ok(answer.into())
    }

    fn task_log(&self) -> Outcome {
        let lines = match self.find_task() {
            Ok(task) => task.lines(self.world.now),
            Err(failure) if failure.status == 400 && self.variable("upid").matches(':').count() == 8 => {
                vec!["unable to open file - No such file or directory".to_owned()]
            }
            Err(failure) => return Err(failure),
        };
        if lines.is_empty() {
            return Ok(Data::Page(json!([{"n": 1, "t": "no content"}]), 1));
        }
        let start = self.params.count("start").unwrap_or(0);
        let limit = match self.params.count("limit").unwrap_or(50) {
            0 => usize::MAX,
            limit => limit,
        };
        let rows: Value = lines
            .iter()
            .enumerate()
            .skip(start)
            .take(limit)
            .map(|(index, line)| json!({"n": index + 1, "t": line}))
            .collect();
        Ok(Data::Page(rows, lines.len()))
    }

    fn stop_task(&mut self) -> Outcome {
        let upid = self.variable("upid").to_owned();
        let task = self.find_task()?;
        let node = task.node.clone();
        let own = task.user == self.who.user;
        if !own && !self.has(&format!("/nodes/{node}"), "Sys.Modify") {
            return Err(Failure::forbidden(&format!("/nodes/{node}"), "Sys.Modify"));
        }
        self.world.interrupt(&upid);
        Ok(Value::Null.into())
    }
}

/// A row of a node's list. Running ones spell user and token in one.
fn list_row(task: &Task, now: i64) -> Value {
    let mut row = json!({
        "upid": task.upid, "node": task.node, "pid": task.pid, "pstart": task.pstart,
        "starttime": task.start / 1000, "type": task.kind, "id": task.id,
    });
    if task.is_running(now) {
        row["user"] = json!(world::who(&task.user, task.token.as_deref()));
        row["status"] = json!("RUNNING");
        row["saved"] = json!("0");
    } else {
        row["user"] = json!(task.user);
        if let Some(token) = &task.token {
            row["tokenid"] = json!(token);
        }
        row["status"] = json!(task.exit);
        row["endtime"] = json!(task.end / 1000);
    }
    row
}
