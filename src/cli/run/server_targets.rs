//! From words to what lies on Backup Servers: `main`, `store/main`, `main:customers/acme:vm/2101/2026-11-20T07:35:59Z`.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{
    actions::deed::Object,
    cli::{
        backup_servers::ActingServer,
        connect,
        exit::{Code, Failure},
    },
    clients::{Error, pbs::request::At},
    domain::{ClusterId, DatastoreRef, ObjectRef, ServerBackupRef, TaskRef, Upid, backup::BackupType},
    plan::Deed,
    store::{Feed, Payload, PbsFeed, PbsPayload, Store, Update},
};

/// Whether all words are tasks of a Backup Server: their UPIDs have a field more than those of a cluster.
pub(super) fn is_task(words: &[String]) -> bool {
    let of_server = |word: &String| word.matches(':').count() == 9 && word.parse::<Upid>().is_ok();
    !words.is_empty() && words.iter().all(of_server)
}

/// Reads what the words may mean into the store, and finds it.
pub(super) async fn find(
    deed: Deed,
    words: &[String],
    servers: &[ActingServer],
    store: &mut Store,
) -> Result<Vec<ObjectRef>, Failure> {
    if servers.is_empty() {
        let message = "no Backup Server is configured; run: pvedeck login --pbs";
        return Err(Failure::new(Code::Usage, message));
    }
    let object = deed.row().object;
    let reads = servers.iter().map(|one| read(one, object));
    let mut failed: Option<(&ClusterId, Error)> = None;
    for (one, answer) in servers.iter().zip(join_all(reads).await) {
        match answer {
            Ok(payloads) => {
                for (feed, payload) in payloads {
                    take(store, &one.link.id, feed, payload);
                }
            }
            Err(error) => failed = failed.or(Some((&one.link.id, error))),
        }
    }
    if let Some((_, error)) = failed {
        // What cannot be read could have the name as well.
        return Err(connect::failure(&error));
    }
    let mut targets = Vec::new();
    for word in words {
        let target = match object {
            Object::Task => task(word, store)?,
            Object::Datastore => ObjectRef::Datastore(datastore(word, servers, store)?),
            _ => backup(word, servers, store).await?,
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

async fn read(one: &ActingServer, object: Object) -> Result<Vec<(Feed, Payload)>, Error> {
    let client = &one.link.client;
    if object == Object::Task {
        return Ok(vec![(Feed::Tasks, Payload::Tasks(client.tasks(500).await?))]);
    }
    let (usage, stores) = tokio::join!(client.usage(), client.datastores());
    Ok(vec![
        (Feed::Pbs(PbsFeed::Usage), Payload::Pbs(PbsPayload::Usage(usage?))),
        (
            Feed::Pbs(PbsFeed::Datastores),
            Payload::Pbs(PbsPayload::Datastores(stores?)),
        ),
    ])
}

fn take(store: &mut Store, server: &ClusterId, feed: Feed, payload: Payload) {
    store.apply(Update {
        key: feed.of(server),
        at: Timestamp::now(),
        outcome: Ok(payload),
    });
}

fn missing(word: &str) -> Failure {
    let message = format!("there is no `{word}`; `pvedeck get` lists what there is");
    Failure::new(Code::NotFound, message)
}

fn task(word: &str, store: &Store) -> Result<ObjectRef, Failure> {
    let found = store.tasks().find(|(_, task)| task.upid.as_str() == word);
    let (server, task) = found.ok_or_else(|| missing(word))?;
    Ok(ObjectRef::Task(TaskRef {
        cluster: server.clone(),
        upid: task.upid.clone(),
    }))
}

/// `main` or `SERVER/main`, with `:NAMESPACE` behind it if that is meant.
fn datastore(word: &str, servers: &[ActingServer], store: &Store) -> Result<DatastoreRef, Failure> {
    let named = word
        .split_once('/')
        .filter(|(server, _)| servers.iter().any(|one| one.link.id.as_str() == *server));
    let rest = named.map_or(word, |(_, rest)| rest);
    let (name, namespace) = rest.split_once(':').unwrap_or((rest, ""));
    let mut found = store.backup_servers().iter().filter(|member| {
        let here = named.is_none_or(|(server, _)| member.id().as_str() == server);
        let known = member.backup_server();
        here && known.is_some_and(|known| known.usage_of(name).is_some() || known.datastore(name).is_some())
    });
    match (found.next(), found.next()) {
        (Some(member), None) => Ok(DatastoreRef {
            cluster: member.id().clone(),
            store: name.into(),
            namespace: namespace.into(),
        }),
        (None, _) => Err(missing(word)),
        (Some(_), Some(_)) => Err(Failure::new(
            Code::Usage,
            format!("`{word}` is ambiguous; say SERVER/{word}, or choose with --cluster"),
        )),
    }
}

async fn backup(word: &str, servers: &[ActingServer], store: &mut Store) -> Result<ObjectRef, Failure> {
    // The time has colons of its own: what stands before the group ends at the last slash but two.
    let mut parts = word.rsplitn(3, '/');
    let (Some(time), Some(id), Some(before)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(missing(word));
    };
    let (place, kind) = before.rsplit_once(':').ok_or_else(|| missing(word))?;
    let kind = BackupType::parse(kind).ok_or_else(|| missing(word))?;
    let time: Timestamp = time.parse().map_err(|_| missing(word))?;
    let at = datastore(place, servers, store)?;
    let one = servers.iter().find(|one| one.link.id == at.cluster);
    let one = one.ok_or_else(|| missing(word))?;
    let namespace = At {
        store: &at.store,
        namespace: &at.namespace,
    };
    let list = one.link.client.snapshots(namespace).await;
    let list = list.map_err(|error| connect::failure(&error))?;
    let known = list
        .iter()
        .any(|backup| backup.kind == kind && *backup.id == *id && backup.time == time);
    let feed = PbsFeed::Snapshots((*at.store).into(), (*at.namespace).into());
    let payload = Payload::Pbs(PbsPayload::Snapshots(list));
    take(store, &at.cluster, Feed::Pbs(feed), payload);
    if !known {
        return Err(missing(word));
    }
    Ok(ObjectRef::ServerBackup(ServerBackupRef {
        cluster: at.cluster,
        store: at.store,
        namespace: at.namespace,
        kind,
        id: id.into(),
        time,
    }))
}
