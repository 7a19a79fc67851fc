//! The calls to a Backup Server that deeds consist of, built without I/O.
//!
//! What always holds here: [`catalogue`] holds a sample of each, so that the contract test sees them all.

use crate::domain::{
    Call, DatastoreRef, Method, ServerBackupRef,
    retention::{Retention, Rule},
};

fn call(method: Method, store: &str, verb: &str) -> Call {
    Call::new(method, &["admin", "datastore", store, verb])
}

fn within(call: Call, namespace: &str) -> Call {
    match namespace {
        "" => call,
        namespace => call.with("ns", namespace),
    }
}

fn on(call: Call, backup: &ServerBackupRef) -> Call {
    within(call, &backup.namespace)
        .with("backup-type", backup.kind.as_str())
        .with("backup-id", &backup.id)
        .with("backup-time", &backup.time.as_second().to_string())
}

/// `POST …/verify` of a datastore or a namespace with all below it; those that were verified lately may be passed over.
pub fn verify(at: &DatastoreRef, skip: bool) -> Call {
    let call = within(call(Method::Post, &at.store, "verify"), &at.namespace);
    call.with("ignore-verified", if skip { "1" } else { "0" })
}

/// `POST …/verify` of one backup, whether it was verified before or not.
pub fn verify_backup(backup: &ServerBackupRef) -> Call {
    on(call(Method::Post, &backup.store, "verify"), backup).with("ignore-verified", "0")
}

/// `POST …/gc`.
pub fn collect(store: &str) -> Call {
    call(Method::Post, store, "gc")
}

/// `POST …/prune-datastore` of a namespace with all below it.
pub fn prune(at: &DatastoreRef, keep: &Retention, dry: bool) -> Call {
    let mut call = within(call(Method::Post, &at.store, "prune-datastore"), &at.namespace);
    for rule in Rule::ALL {
        if keep.count(rule) > 0 {
            call = call.with(rule.key(), &keep.count(rule).to_string());
        }
    }
    if dry { call.with("dry-run", "1") } else { call }
}

/// `POST /admin/{verify|prune|sync}/{id}/run`.
pub fn run_job(kind: &str, id: &str) -> Call {
    Call::new(Method::Post, &["admin", kind, id, "run"])
}

/// `PUT …/protected`.
pub fn protect(backup: &ServerBackupRef, protected: bool) -> Call {
    let flag = if protected { "1" } else { "0" };
    on(call(Method::Put, &backup.store, "protected"), backup).with("protected", flag)
}

/// `PUT …/notes`.
pub fn notes(backup: &ServerBackupRef, text: &str) -> Call {
    on(call(Method::Put, &backup.store, "notes"), backup).with("notes", text)
}

/// `DELETE …/snapshots`.
pub fn forget(backup: &ServerBackupRef) -> Call {
    on(call(Method::Delete, &backup.store, "snapshots"), backup)
}

/// A sample of every call, with every parameter that deeds give it.
pub fn catalogue() -> Vec<Call> {
    let at = DatastoreRef {
        cluster: "store".into(),
        store: "main".into(),
        namespace: "prod/web".into(),
    };
    let backup = ServerBackupRef {
        cluster: at.cluster.clone(),
        store: at.store.clone(),
        namespace: at.namespace.clone(),
        kind: crate::domain::backup::BackupType::Vm,
        id: "104".into(),
        time: jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_795_160_159),
    };
    let all = Rule::ALL
        .into_iter()
        .fold(Retention::default(), |keep, rule| keep.with(rule, 3));
    vec![
        verify(&at, true),
        verify_backup(&backup),
        collect("main"),
        prune(&at, &all, true),
        run_job("verify", "v-daily"),
        run_job("prune", "p-daily"),
        run_job("sync", "s-daily"),
        protect(&backup, true),
        notes(&backup, "two\nlines"),
        forget(&backup),
    ]
}
