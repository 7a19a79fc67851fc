//! The methods: which there are, what they take, who may call them.

#![allow(
    clippy::unnecessary_wraps,
    reason = "every method has the same shape, also one that never refuses"
)]

use serde_json::{Value, json};

use super::{
    answer::{Data, Outcome, Refusal},
    auth::{Credentials, Secrets, User},
    params::{Kind, Parameter, Params},
    world::{JobKind, Store, World},
};

mod backups;
mod jobs;
mod prune;
mod server;
mod stores;
mod verify;

/// One call.
pub(super) struct Ask<'w> {
    pub(super) world: &'w mut World,
    pub(super) user: User,
    /// The variable parts of the path, in order.
    pub(super) path: Vec<String>,
    pub(super) params: Params,
}

/// A method of the API.
struct Method {
    verb: &'static str,
    /// With `{}` for each variable part.
    path: &'static str,
    params: &'static [Parameter],
    answer: fn(&mut Ask<'_>) -> Outcome,
}

/// The privileges of whoever removes backups.
const PRUNE: [&str; 2] = ["Datastore.Modify", "Datastore.Prune"];
const NS: Parameter = ("ns", Kind::Namespace, false);
const DEPTH: Parameter = ("max-depth", Kind::Number(0), false);
const TYPES: Kind = Kind::Word(&["vm", "ct", "host"]);
const TYPE: Parameter = ("backup-type", TYPES, true);
const ID: Parameter = ("backup-id", Kind::Text, true);
const TIME: Parameter = ("backup-time", Kind::Number(1), true);
const MAYBE_TYPE: Parameter = ("backup-type", TYPES, false);
const MAYBE_ID: Parameter = ("backup-id", Kind::Text, false);
const STORE: Parameter = ("store", Kind::Text, false);
const NOTES: Parameter = ("notes", Kind::Text, true);
const DRY: Parameter = ("dry-run", Kind::Flag, false);
const ONE: Kind = Kind::Number(1);

macro_rules! keep {
    ($($more:expr),*) => {
        &[
            $($more,)*
            ("keep-last", ONE, false),
            ("keep-hourly", ONE, false),
            ("keep-daily", ONE, false),
            ("keep-weekly", ONE, false),
            ("keep-monthly", ONE, false),
            ("keep-yearly", ONE, false),
        ]
    };
}

const fn method(
    verb: &'static str,
    path: &'static str,
    params: &'static [Parameter],
    answer: fn(&mut Ask<'_>) -> Outcome,
) -> Method {
    Method {
        verb,
        path,
        params,
        answer,
    }
}

const METHODS: &[Method] = &[
    method("GET", "/ping", &[], server::ping),
    method("GET", "/version", &[], server::version),
    method(
        "GET",
        "/access/permissions",
        &[("auth-id", Kind::Text, false), ("path", Kind::Text, false)],
        server::permissions,
    ),
    method("GET", "/nodes", &[], server::nodes),
    method("GET", "/nodes/{}/status", &[], server::status),
    method("GET", "/nodes/{}/time", &[], server::time),
    method(
        "GET",
        "/nodes/{}/tasks",
        &[
            ("errors", Kind::Flag, false),
            ("limit", Kind::Number(0), false),
            ("running", Kind::Flag, false),
            ("since", Kind::Number(0), false),
            ("start", Kind::Number(0), false),
            ("statusfilter", Kind::Text, false),
            STORE,
            ("typefilter", Kind::Text, false),
            ("until", Kind::Number(0), false),
            ("userfilter", Kind::Text, false),
        ],
        server::tasks,
    ),
    method("GET", "/nodes/{}/tasks/{}/status", &[], server::task_status),
    method(
        "GET",
        "/nodes/{}/tasks/{}/log",
        &[
            ("download", Kind::Flag, false),
            ("limit", Kind::Number(0), false),
            ("start", Kind::Number(0), false),
            ("test-status", Kind::Flag, false),
        ],
        server::task_log,
    ),
    method("DELETE", "/nodes/{}/tasks/{}", &[], server::stop_task),
    method("GET", "/status/datastore-usage", &[], stores::usage),
    method("GET", "/admin/datastore", &[], stores::list),
    method(
        "GET",
        "/admin/datastore/{}/status",
        &[("verbose", Kind::Flag, false)],
        stores::status,
    ),
    method(
        "GET",
        "/admin/datastore/{}/namespace",
        &[("parent", Kind::Namespace, false), DEPTH],
        stores::namespaces,
    ),
    method(
        "POST",
        "/admin/datastore/{}/namespace",
        &[("name", Kind::Text, true), ("parent", Kind::Namespace, false)],
        stores::create_namespace,
    ),
    method(
        "DELETE",
        "/admin/datastore/{}/namespace",
        &[
            ("ns", Kind::Namespace, true),
            ("delete-groups", Kind::Flag, false),
            ("error-on-protected", Kind::Flag, false),
        ],
        stores::delete_namespace,
    ),
    method("GET", "/admin/datastore/{}/groups", &[NS], backups::groups),
    method(
        "DELETE",
        "/admin/datastore/{}/groups",
        &[NS, TYPE, ID, ("error-on-protected", Kind::Flag, false)],
        backups::forget_group,
    ),
    method(
        "GET",
        "/admin/datastore/{}/group-notes",
        &[NS, TYPE, ID],
        backups::group_notes,
    ),
    method(
        "PUT",
        "/admin/datastore/{}/group-notes",
        &[NS, TYPE, ID, NOTES],
        backups::set_group_notes,
    ),
    method(
        "GET",
        "/admin/datastore/{}/snapshots",
        &[NS, MAYBE_TYPE, MAYBE_ID],
        backups::snapshots,
    ),
    method(
        "DELETE",
        "/admin/datastore/{}/snapshots",
        &[NS, TYPE, ID, TIME],
        backups::forget,
    ),
    method(
        "GET",
        "/admin/datastore/{}/notes",
        &[NS, TYPE, ID, TIME],
        backups::notes,
    ),
    method(
        "PUT",
        "/admin/datastore/{}/notes",
        &[NS, TYPE, ID, TIME, NOTES],
        backups::set_notes,
    ),
    method(
        "GET",
        "/admin/datastore/{}/protected",
        &[NS, TYPE, ID, TIME],
        backups::protected,
    ),
    method(
        "PUT",
        "/admin/datastore/{}/protected",
        &[NS, TYPE, ID, TIME, ("protected", Kind::Flag, true)],
        backups::protect,
    ),
    method(
        "POST",
        "/admin/datastore/{}/prune",
        keep!(NS, TYPE, ID, DRY, ("use-task", Kind::Flag, false)),
        prune::prune,
    ),
    method(
        "POST",
        "/admin/datastore/{}/prune-datastore",
        keep!(NS, DEPTH, DRY),
        prune::prune_datastore,
    ),
    method(
        "POST",
        "/admin/datastore/{}/verify",
        &[
            NS,
            DEPTH,
            MAYBE_TYPE,
            MAYBE_ID,
            ("backup-time", Kind::Number(1), false),
            ("ignore-verified", Kind::Flag, false),
            ("outdated-after", Kind::Number(0), false),
        ],
        verify::verify,
    ),
    method("GET", "/admin/datastore/{}/gc", &[], jobs::collection_of),
    method("POST", "/admin/datastore/{}/gc", &[], jobs::collect),
    method("GET", "/admin/gc", &[], jobs::collections),
    method("GET", "/admin/verify", &[STORE], jobs::verify_jobs),
    method("GET", "/admin/prune", &[STORE], jobs::prune_jobs),
    method("GET", "/admin/sync", &[STORE], jobs::sync_jobs),
    method("POST", "/admin/verify/{}/run", &[], jobs::run_verify),
    method("POST", "/admin/prune/{}/run", &[], jobs::run_prune),
    method("POST", "/admin/sync/{}/run", &[], jobs::run_sync),
    method(
        "PUT",
        "/config/datastore/{}",
        &[
            ("maintenance-mode", Kind::Text, false),
            ("gc-schedule", Kind::Text, false),
            ("comment", Kind::Text, false),
            ("delete", Kind::Text, false),
        ],
        stores::configure,
    ),
];

/// Answers a call.
pub(super) fn answer(
    world: &mut World,
    secrets: &Secrets,
    verb: &str,
    path: &str,
    params: Params,
    given: &Credentials,
) -> Outcome {
    if (verb, path) == ("POST", "/access/ticket") {
        return sign_in(secrets, &params);
    }
    let user = secrets.check(given, verb)?;
    let found = METHODS
        .iter()
        .filter(|method| method.verb == verb)
        .find_map(|method| Some((method, matched(method.path, path)?)));
    let Some((method, variables)) = found else {
        return Err(Refusal::new(404, format!("Path '/api2/json{path}' not found.")));
    };
    params.check(method.params)?;
    let mut ask = Ask {
        world,
        user,
        path: variables,
        params,
    };
    (method.answer)(&mut ask)
}

fn sign_in(secrets: &Secrets, params: &Params) -> Outcome {
    let user = params.text("username");
    // A refusal does not say what was wrong.
    let (ticket, csrf) = secrets
        .sign_in(user, params.text("password"))
        .ok_or_else(|| Refusal::new(401, "permission check failed."))?;
    Ok(json!({"CSRFPreventionToken": csrf, "ticket": ticket, "username": user}).into())
}

/// The variable parts of a path, still in their order.
fn matched(template: &str, path: &str) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(variables),
            (Some("{}"), Some(part)) if !part.is_empty() => {
                variables.push(super::params::decode(&part.replace('+', "%2B")));
            }
            (Some(want), Some(have)) if want == have => {}
            _ => return None,
        }
    }
}

/// What a call does with a datastore.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It reads.
    Look,
    /// It changes.
    Change,
}

impl Ask<'_> {
    pub(super) fn namespace(&self) -> String {
        self.params.text("ns").to_owned()
    }

    /// Refuses whoever lacks all of some privileges, naming them.
    pub(super) fn need(&self, privileges: &[&str], store: &str) -> Result<(), Refusal> {
        if privileges.iter().any(|privilege| self.user.may(privilege)) {
            return Ok(());
        }
        let missing = privileges.join("|");
        Err(Refusal::new(
            403,
            format!("permission check failed - missing {missing} on /datastore/{store}"),
        ))
    }

    /// The datastore of the path, if it may be seen and can be used.
    pub(super) fn store(&self, what: Use) -> Result<&Store, Refusal> {
        if !self.user.may("Datastore.Audit") {
            return Err(Refusal::forbidden());
        }
        usable(self.world, &self.path[0], what)
    }

    pub(super) fn store_mut(&mut self, what: Use) -> Result<&mut Store, Refusal> {
        let name = self.path[0].clone();
        self.store(what)?;
        let gone = || Refusal::bad(format!("no such datastore '{name}'"));
        self.world.store_mut(&name).ok_or_else(gone)
    }

    /// The namespace that is asked for, which must be there.
    pub(super) fn known_namespace(&self, store: &Store) -> Result<String, Refusal> {
        let namespace = self.namespace();
        if namespace.is_empty() || store.namespaces.contains(&namespace) {
            Ok(namespace)
        } else {
            Err(Refusal::bad("ENOENT: No such file or directory"))
        }
    }

    pub(super) fn job(&self, kind: JobKind, word: &str) -> Result<super::world::Job, Refusal> {
        let id = &self.path[0];
        let job = self
            .world
            .jobs
            .iter()
            .find(|job| job.kind == kind && job.id == *id);
        job.cloned()
            .ok_or_else(|| Refusal::bad(format!("no such {word} '{id}'")))
    }
}

/// A datastore that can be opened for what is to be done with it.
pub(super) fn usable<'w>(world: &'w World, name: &str, what: Use) -> Result<&'w Store, Refusal> {
    let fits = name.len() >= 3
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !fits {
        return Err(Refusal::bad(
            "parameter verification failed - 'store': value does not match the regex pattern",
        ));
    }
    let store = world
        .store(name)
        .ok_or_else(|| Refusal::bad(format!("no such datastore '{name}'")))?;
    if let Some((mode, message)) = &store.maintenance
        && (mode != "read-only" || what == Use::Change)
    {
        return Err(Refusal::bad(format!(
            "datastore '{name}' is in {mode} maintenance mode: {message}"
        )));
    }
    match &store.broken {
        Some(why) => Err(Refusal::bad(why.clone())),
        None => Ok(store),
    }
}

fn done() -> Outcome {
    Ok(Value::Null.into())
}

fn upid(upid: String) -> Outcome {
    Ok(Data::from(Value::String(upid)))
}
