//! What can be asked of a Backup Server: requests are built here without I/O and sent elsewhere.
//!
//! What always holds here: every request is a read, every segment and parameter is percent-encoded, and
//! [`catalogue`] holds a sample of each, so that the contract test sees them all.

pub use crate::clients::proxmox::get::{Get, Sample};
use crate::{
    clients::proxmox::tasks,
    domain::{
        Task, TaskState, Upid,
        backup::{
            BackupGroup, BackupServerStatus, BackupSnapshot, BackupType, Datastore, DatastoreJob,
            DatastoreStatus, DatastoreUsage, GarbageCollection,
        },
        config::GuestConfig,
        task::TaskLog,
    },
};

use super::wire::{jobs, server, snapshots, stores};

/// Paths, each with the privileges on it.
pub type Permissions = Vec<(Box<str>, Vec<Box<str>>)>;

/// A Backup Server is one node, and this name reaches it whatever it is called.
const NODE: &str = "localhost";

/// A datastore and a namespace in it, empty for the root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At<'a> {
    /// The datastore.
    pub store: &'a str,
    /// The namespace, `prod/web`; empty for the root.
    pub namespace: &'a str,
}

fn within<T>(get: Get<T>, namespace: &str) -> Get<T> {
    if namespace.is_empty() {
        get
    } else {
        get.with("ns", &namespace)
    }
}

/// `/version`.
pub fn version() -> Get<Box<str>> {
    Get::new(&["version"], server::version)
}

/// `/nodes/localhost/status`. It needs audit on `/system/status`.
pub fn status() -> Get<BackupServerStatus> {
    Get::new(&["nodes", NODE, "status"], server::status)
}

/// `/nodes/localhost/time`: the name of the zone that prunes follow. Anybody may ask.
pub fn zone() -> Get<Box<str>> {
    Get::new(&["nodes", NODE, "time"], server::zone)
}

/// `/access/permissions`.
pub fn permissions() -> Get<Permissions> {
    Get::new(&["access", "permissions"], server::permissions)
}

/// `/admin/datastore`: those that the user may see.
pub fn datastores() -> Get<Vec<Datastore>> {
    Get::new(&["admin", "datastore"], stores::list)
}

/// `/status/datastore-usage`.
pub fn usage() -> Get<Vec<DatastoreUsage>> {
    Get::new(&["status", "datastore-usage"], stores::usage)
}

/// `/admin/datastore/{store}/status` with counts.
pub fn datastore_status(store: &str) -> Get<DatastoreStatus> {
    Get::new(&["admin", "datastore", store, "status"], stores::status).with("verbose", &1)
}

/// `/admin/datastore/{store}/namespace`: all of them, the root as the empty one.
pub fn namespaces(store: &str) -> Get<Vec<Box<str>>> {
    Get::new(&["admin", "datastore", store, "namespace"], stores::namespaces)
}

/// `/admin/datastore/{store}/groups` of one namespace.
pub fn groups(at: At<'_>) -> Get<Vec<BackupGroup>> {
    let get = Get::new(&["admin", "datastore", at.store, "groups"], snapshots::groups);
    within(get, at.namespace)
}

/// `/admin/datastore/{store}/snapshots` of one namespace.
pub fn snapshots(at: At<'_>) -> Get<Vec<BackupSnapshot>> {
    let get = Get::new(&["admin", "datastore", at.store, "snapshots"], snapshots::list);
    within(get, at.namespace)
}

/// `/admin/datastore/{store}/snapshots` of one group. A group that does not exist has none.
pub fn group_snapshots(at: At<'_>, kind: BackupType, id: &str) -> Get<Vec<BackupSnapshot>> {
    snapshots(at).with("backup-type", &kind).with("backup-id", &id)
}

/// `/admin/verify`.
pub fn verify_jobs() -> Get<Vec<DatastoreJob>> {
    Get::new(&["admin", "verify"], jobs::verify)
}

/// `/admin/prune`.
pub fn prune_jobs() -> Get<Vec<DatastoreJob>> {
    Get::new(&["admin", "prune"], jobs::prune)
}

/// `/admin/sync`.
pub fn sync_jobs() -> Get<Vec<DatastoreJob>> {
    Get::new(&["admin", "sync"], jobs::sync)
}

/// `/admin/gc`: one of each datastore, whether it is scheduled or not. Servers before 3.2 do not know it.
pub fn garbage_collections() -> Get<Vec<GarbageCollection>> {
    Get::new(&["admin", "gc"], jobs::garbage_collections)
}

/// `/nodes/localhost/tasks`, the newest `limit`. Without audit on `/system/tasks` only one's own are listed.
pub fn tasks(limit: u32) -> Get<Vec<Task>> {
    // 0 would be all that there ever were.
    Get::new(&["nodes", NODE, "tasks"], tasks::list).with("limit", &limit.max(1))
}

/// `/nodes/localhost/tasks/{upid}/status`. One that nobody knows has ended in an unknown way.
pub fn task_status(upid: &Upid) -> Get<TaskState> {
    Get::new(&["nodes", NODE, "tasks", upid.as_str(), "status"], tasks::status)
}

/// `/nodes/localhost/tasks/{upid}/log`, lines counted from 0. The server counts from 1.
pub fn task_log(upid: &Upid, start: usize, limit: usize) -> Get<TaskLog> {
    Get::new(&["nodes", NODE, "tasks", upid.as_str(), "log"], tasks::log)
        .with("start", &(start + 1))
        .with("limit", &limit.max(1))
}

/// The rows of whatever list stands at a path below `/api2/json`, each with its properties. A last part that begins with
/// `?ns=` is the namespace.
pub fn rows(segments: &[&str]) -> Get<Vec<GuestConfig>> {
    let namespace = segments.last().and_then(|last| last.strip_prefix("?ns="));
    let path = &segments[..segments.len() - usize::from(namespace.is_some())];
    within(Get::new(path, server::rows), namespace.unwrap_or_default())
}

/// A sample of every request that this client can make, the sign-in included.
pub fn catalogue() -> Vec<Sample> {
    let at = At {
        store: "main",
        namespace: "prod/web",
    };
    let mut all = vec![
        version().sample(),
        status().sample(),
        zone().sample(),
        rows(&["admin", "datastore", at.store, "snapshots", "?ns=prod/web"]).sample(),
        permissions().sample(),
        datastores().sample(),
        usage().sample(),
        datastore_status(at.store).sample(),
        namespaces(at.store).sample(),
        groups(at).sample(),
        snapshots(at).sample(),
        snapshots(At { namespace: "", ..at }).sample(),
        group_snapshots(at, BackupType::Ct, "104").sample(),
        verify_jobs().sample(),
        prune_jobs().sample(),
        sync_jobs().sample(),
        garbage_collections().sample(),
        tasks(50).sample(),
    ];
    if let Ok(upid) =
        r"UPID:pbs1:0000019D:000B9F43:00000013:6B01495C:backup:main\x3avm-104:admin@pbs!audit:".parse()
    {
        all.push(task_status(&upid).sample());
        all.push(task_log(&upid, 0, 50).sample());
    }
    all.push(crate::clients::proxmox::auth::sign_in_sample("admin@pbs"));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_namespace_is_not_named() {
        let root = At {
            store: "a/b",
            namespace: "",
        };
        assert_eq!(
            snapshots(root).target(),
            "/api2/json/admin/datastore/a%2Fb/snapshots"
        );
        let web = At {
            store: "main",
            namespace: "prod/web",
        };
        assert_eq!(
            group_snapshots(web, BackupType::Vm, "100").target(),
            "/api2/json/admin/datastore/main/snapshots?ns=prod%2Fweb&backup-type=vm&backup-id=100"
        );
    }

    #[test]
    fn the_catalogue_holds_every_request() {
        let source = include_str!("request.rs");
        let (code, rest) = source.split_once("pub fn catalogue()").unwrap();
        let (listed, _) = rest.split_once("#[cfg(test)]").unwrap();
        let requests = code
            .lines()
            .filter(|line| line.starts_with("pub fn ") && line.contains("-> Get<"))
            .filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next());
        let mut count = 0;
        for name in requests {
            assert!(
                listed.contains(&format!("{name}(")),
                "{name} is not in the catalogue"
            );
            count += 1;
        }
        assert!(count > 15, "only {count} requests were found");
        assert_eq!(
            catalogue().iter().filter(|sample| sample.method != "GET").count(),
            1
        );
    }
}
