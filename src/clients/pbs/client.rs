//! The client: one method for each thing that can be read.

use std::sync::Arc;

use super::{
    Credential, Error,
    request::{self, At, Get},
};
use crate::{
    clients::{
        http::{Address, Options, Reader, ServerClock, Totals},
        proxmox::auth::{Scheme, Session, read},
    },
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

/// What a client needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses, trust and limits.
    pub options: Options,
    /// How to sign in: a token or a password.
    pub credential: Credential,
}

impl Settings {
    pub(super) fn check(&self) -> Result<()> {
        match self.credential {
            Credential::Local(_) => Err(Error::Setup {
                message: "nobody is signed in to a Backup Server by being root on a node. Name a token"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// Reads one Backup Server. Cheap to clone; all clones share sign-in, connections and counters.
#[derive(Clone, Debug)]
pub struct Client {
    reader: Reader,
    session: Arc<Session>,
}

type Result<T> = std::result::Result<T, Error>;

// The methods fail for the same reasons: see `Error`.
#[allow(
    clippy::missing_errors_doc,
    reason = "every method fails as `Error` describes, and for nothing else"
)]
impl Client {
    /// Prepares to ask; nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self {
            reader: Reader::new(settings.options)?,
            session: Arc::new(Session::reading(Scheme::BackupServer, settings.credential)),
        })
    }

    /// The reading side of one that may write as well: both share sign-in and connections.
    pub(super) fn beside(reader: Reader, session: Arc<Session>) -> Self {
        Self { reader, session }
    }

    /// What was sent and received until now.
    pub fn totals(&self) -> Totals {
        self.reader.totals()
    }

    /// The server's clock in its latest answer, against ours.
    pub fn server_clock(&self) -> Option<ServerClock> {
        self.reader.server_clock()
    }

    /// The address that answers at present.
    pub fn current_address(&self) -> &Address {
        self.reader.current_address()
    }

    /// Sends any of the requests.
    pub async fn read<T>(&self, get: Get<T>) -> Result<T> {
        read(&self.session, &self.reader, get).await
    }

    /// The server's version, `3.2.4`.
    pub async fn version(&self) -> Result<Box<str>> {
        self.read(request::version()).await
    }

    /// How the server itself is doing.
    pub async fn status(&self) -> Result<BackupServerStatus> {
        self.read(request::status()).await
    }

    /// The name of the server's time zone, which prunes follow.
    pub async fn zone(&self) -> Result<Box<str>> {
        self.read(request::zone()).await
    }

    /// What this sign-in may do: paths with privileges.
    pub async fn permissions(&self) -> Result<request::Permissions> {
        self.read(request::permissions()).await
    }

    /// The datastores that the user may see.
    pub async fn datastores(&self) -> Result<Vec<Datastore>> {
        self.read(request::datastores()).await
    }

    /// How full they are.
    pub async fn usage(&self) -> Result<Vec<DatastoreUsage>> {
        self.read(request::usage()).await
    }

    /// Space and counts of one.
    pub async fn datastore_status(&self, store: &str) -> Result<DatastoreStatus> {
        self.read(request::datastore_status(store)).await
    }

    /// All namespaces of a datastore, the root as the empty one.
    pub async fn namespaces(&self, store: &str) -> Result<Vec<Box<str>>> {
        self.read(request::namespaces(store)).await
    }

    /// The groups of a namespace.
    pub async fn groups(&self, at: At<'_>) -> Result<Vec<BackupGroup>> {
        self.read(request::groups(at)).await
    }

    /// The backups of a namespace.
    pub async fn snapshots(&self, at: At<'_>) -> Result<Vec<BackupSnapshot>> {
        self.read(request::snapshots(at)).await
    }

    /// The verification jobs.
    pub async fn verify_jobs(&self) -> Result<Vec<DatastoreJob>> {
        self.read(request::verify_jobs()).await
    }

    /// The prune jobs.
    pub async fn prune_jobs(&self) -> Result<Vec<DatastoreJob>> {
        self.read(request::prune_jobs()).await
    }

    /// The sync jobs.
    pub async fn sync_jobs(&self) -> Result<Vec<DatastoreJob>> {
        self.read(request::sync_jobs()).await
    }

    /// The garbage collections of all datastores.
    pub async fn garbage_collections(&self) -> Result<Vec<GarbageCollection>> {
        self.read(request::garbage_collections()).await
    }

    /// The newest tasks.
    pub async fn tasks(&self, limit: u32) -> Result<Vec<Task>> {
        self.read(request::tasks(limit)).await
    }

    /// The rows of whatever list stands at a path below `/api2/json`.
    pub async fn rows(&self, segments: &[&str]) -> Result<Vec<GuestConfig>> {
        self.read(request::rows(segments)).await
    }

    /// How a task stands.
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskState> {
        self.read(request::task_status(upid)).await
    }

    /// The server's status as JSON.
    pub async fn raw_status(&self) -> Result<Box<str>> {
        self.read(request::status().raw()).await
    }

    /// A datastore's status as JSON.
    pub async fn raw_datastore(&self, store: &str) -> Result<Box<str>> {
        self.read(request::datastore_status(store).raw()).await
    }

    /// The backups of a group as JSON.
    pub async fn raw_group(&self, at: At<'_>, kind: BackupType, id: &str) -> Result<Box<str>> {
        self.read(request::group_snapshots(at, kind, id).raw()).await
    }

    /// A task's status as JSON.
    pub async fn raw_task(&self, upid: &Upid) -> Result<Box<str>> {
        self.read(request::task_status(upid).raw()).await
    }

    /// Lines of its log, counted from 0.
    pub async fn task_log(&self, upid: &Upid, start: usize, limit: usize) -> Result<TaskLog> {
        let mut log = self.read(request::task_log(upid, start, limit)).await?;
        if log.lines.is_empty() {
            log.start = start;
        }
        Ok(log)
    }
}
