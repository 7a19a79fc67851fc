//! Reading a Backup Server: the same rhythm as for a cluster, on other feeds.

use super::{
    reader::{LINES, Place, Reader, failure},
    schedule::Core,
};
use crate::{
    clients::{
        Error,
        pbs::{Client, request::At},
    },
    domain::ObjectRef,
    store::{Feed, FeedError, JobSort, Payload, PbsFeed, PbsPayload},
};

/// The newest tasks that are listed.
const TASKS: u32 = 300;

impl Reader for Client {
    fn core(&self) -> Core {
        Core {
            heart: Feed::Pbs(PbsFeed::Usage),
            first: vec![Feed::Pbs(PbsFeed::Datastores), Feed::Tasks],
            then: [
                PbsFeed::Collections,
                PbsFeed::Jobs(JobSort::Verify),
                PbsFeed::Jobs(JobSort::Prune),
                PbsFeed::Jobs(JobSort::Sync),
            ]
            .map(Feed::Pbs)
            .into(),
            survey: vec![Feed::Version, Feed::Pbs(PbsFeed::Zone)],
        }
    }

    async fn read(&self, feed: Feed, place: Place) -> Result<Payload, FeedError> {
        read(self, &feed, &place).await.map_err(|error| failure(&error))
    }
}

async fn read(client: &Client, feed: &Feed, place: &Place) -> Result<Payload, Error> {
    Ok(match feed {
        Feed::Pbs(feed) => Payload::Pbs(own(client, feed).await?),
        Feed::Version => Payload::Version(client.version().await?),
        Feed::Permissions => Payload::Permissions(client.permissions().await?),
        Feed::Tasks => Payload::Tasks(client.tasks(TASKS).await?),
        Feed::TaskStatus(upid) => Payload::TaskStatus(client.task_status(upid).await?),
        Feed::TaskLog(upid) => Payload::TaskLog(client.task_log(upid, place.line, LINES).await?),
        Feed::Raw(object) => Payload::Raw(raw(client, object).await?),
        _ => {
            return Err(Error::NotAvailable {
                message: "a Backup Server has no such thing".to_owned(),
            });
        }
    })
}

async fn own(client: &Client, feed: &PbsFeed) -> Result<PbsPayload, Error> {
    Ok(match feed {
        PbsFeed::Usage => PbsPayload::Usage(client.usage().await?),
        PbsFeed::Datastores => PbsPayload::Datastores(client.datastores().await?),
        PbsFeed::Status => PbsPayload::Status(client.status().await?),
        PbsFeed::Zone => PbsPayload::Zone(client.zone().await?),
        PbsFeed::Jobs(JobSort::Verify) => PbsPayload::Jobs(client.verify_jobs().await?),
        PbsFeed::Jobs(JobSort::Prune) => PbsPayload::Jobs(client.prune_jobs().await?),
        PbsFeed::Jobs(JobSort::Sync) => PbsPayload::Jobs(client.sync_jobs().await?),
        PbsFeed::Collections => PbsPayload::Collections(client.garbage_collections().await?),
        PbsFeed::Namespaces(store) => PbsPayload::Namespaces(client.namespaces(store).await?),
        PbsFeed::Snapshots(store, namespace) => {
            PbsPayload::Snapshots(client.snapshots(At { store, namespace }).await?)
        }
    })
}

async fn raw(client: &Client, object: &ObjectRef) -> Result<Box<str>, Error> {
    match object {
        ObjectRef::BackupServer(_) => client.raw_status().await,
        ObjectRef::Datastore(datastore) => client.raw_datastore(&datastore.store).await,
        ObjectRef::ServerBackup(backup) => {
            let at = At {
                store: &backup.store,
                namespace: &backup.namespace,
            };
            client.raw_group(at, backup.kind, &backup.id).await
        }
        ObjectRef::Task(task) => client.raw_task(&task.upid).await,
        _ => Err(Error::NotAvailable {
            message: "a Backup Server has no such thing".to_owned(),
        }),
    }
}
