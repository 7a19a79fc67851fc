//! From words to objects, and from servers to what a plan is made of.
//!
//! What always holds here: a word that could mean two things means none. A cluster that cannot be read could have
//! the word's name too, so it stands in the way of a word that does not name its cluster, and of no other.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, future::join_all, stream};
use jiff::Timestamp;

use crate::{
    actions::deed::Object,
    cli::{
        backup_servers::ActingServer,
        connect::{self, Acting},
        exit::{Code, Failure, talk},
    },
    clients::Error,
    domain::{ClusterId, GuestRef, NodeRef, ObjectRef, TaskRef},
    plan::{self, Deed},
    store::{Feed, FeedKey, Payload, Store, Update},
    sync::{self, Reader},
};

/// Reads under way at a time.
const READS: usize = 8;
/// Rounds of reading: what a plan looks at may depend on what the round before brought.
const ROUNDS: usize = 3;

/// A word of the command line.
struct Word<'a> {
    /// The cluster that it names.
    cluster: Option<&'a ClusterId>,
    /// The rest.
    name: &'a str,
}

impl<'a> Word<'a> {
    /// `prod/104`, if there is such a cluster; else it is a name as it stands.
    fn of(text: &'a str, acting: &'a [Acting]) -> Self {
        let qualified = text.split_once('/').and_then(|(cluster, name)| {
            let known = acting.iter().find(|one| one.link.id.as_str() == cluster)?;
            Some((&known.link.id, name))
        });
        match qualified {
            Some((cluster, name)) => Self {
                cluster: Some(cluster),
                name,
            },
            None => Self {
                cluster: None,
                name: text,
            },
        }
    }
}

/// Reads what the words may mean into the store, and finds it.
pub(super) async fn find(
    deed: Deed,
    words: &[String],
    acting: &[Acting],
    store: &mut Store,
) -> Result<Vec<ObjectRef>, Failure> {
    let words: Vec<Word<'_>> = words.iter().map(|word| Word::of(word, acting)).collect();
    let named: BTreeSet<&ClusterId> = words.iter().filter_map(|word| word.cluster).collect();
    let all_named = words.iter().all(|word| word.cluster.is_some());
    let wanted: Vec<&Acting> = acting
        .iter()
        .filter(|one| !all_named || named.contains(&one.link.id))
        .collect();
    let failed = read_inventories(deed, &wanted, store).await;
    for (cluster, error) in &failed {
        // One cluster alone says it once, as the reason why all ends.
        if failed.len() < wanted.len() {
            talk(format!("{cluster}: {error}"));
        }
    }
    let mut targets = BTreeSet::new();
    for word in &words {
        let away = match word.cluster {
            Some(cluster) => failed.get_key_value(cluster),
            None => failed.first_key_value(),
        };
        if let Some((cluster, error)) = away {
            return Err(unread(word, cluster, error));
        }
        targets.insert(the_one(deed, word, store)?);
    }
    Ok(targets.into_iter().collect())
}

fn unread(word: &Word<'_>, cluster: &ClusterId, error: &Error) -> Failure {
    if word.cluster.is_some() {
        return connect::failure(error);
    }
    let message = format!(
        "{cluster} cannot be read, and `{name}` could be there as well: {error}; say CLUSTER/{name}, or choose with \
         --cluster",
        name = word.name
    );
    Failure::new(connect::code(error), message)
}

async fn read_inventories(deed: Deed, acting: &[&Acting], store: &mut Store) -> BTreeMap<ClusterId, Error> {
    let reads = acting.iter().map(|one| async move {
        let client = &one.link.client;
        let inventory = client.resources().await?;
        let tasks = match deed.row().object {
            Object::Task => Some(client.cluster_tasks().await?),
            _ => None,
        };
        Ok((inventory, tasks))
    });
    let mut failed = BTreeMap::new();
    for (one, answer) in acting.iter().zip(join_all(reads).await) {
        let id = &one.link.id;
        match answer {
            Ok((inventory, tasks)) => {
                take(store, id, Feed::Resources, Payload::Resources(inventory));
                if let Some(tasks) = tasks {
                    take(store, id, Feed::Tasks, Payload::Tasks(tasks));
                }
            }
            Err(error) => {
                failed.insert(id.clone(), error);
            }
        }
    }
    failed
}

fn take(store: &mut Store, cluster: &ClusterId, feed: Feed, payload: Payload) {
    store.apply(Update {
        key: feed.of(cluster),
        at: Timestamp::now(),
        outcome: Ok(payload),
    });
}

/// What the plan of this deed wants to know beside the inventory. What cannot be read is not known, no more.
pub(super) async fn read_details(
    deed: Deed,
    targets: &[ObjectRef],
    acting: &[Acting],
    servers: &[ActingServer],
    store: &mut Store,
) {
    let mut tried: BTreeSet<FeedKey> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut wanted = plan::needs(deed, targets, store);
        wanted.retain(|key| tried.insert(key.clone()));
        if wanted.is_empty() {
            return;
        }
        let of_servers = wanted.iter().filter_map(|key| {
            let one = servers.iter().find(|one| one.link.id == key.cluster)?;
            let key = key.clone();
            let place = sync::Place::default();
            Some(async move { (Reader::read(&one.link.client, key.feed.clone(), place).await, key) })
        });
        for (outcome, key) in join_all(of_servers.collect::<Vec<_>>()).await {
            store.apply(Update {
                key,
                at: Timestamp::now(),
                outcome,
            });
        }
        let reads = wanted.into_iter().filter_map(|key| {
            let one = acting.iter().find(|one| one.link.id == key.cluster)?;
            let place = sync::Place::of(&key, store);
            Some(async move { (Reader::read(&one.link.client, key.feed.clone(), place).await, key) })
        });
        let mut answers = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(READS);
        let mut updates = Vec::new();
        while let Some((outcome, key)) = answers.next().await {
            updates.push(Update {
                key,
                at: Timestamp::now(),
                outcome,
            });
        }
        drop(answers);
        for update in updates {
            store.apply(update);
        }
    }
}

/// The one object that a word means: VMID or name of a guest, name of a node, UPID of a task.
fn the_one(deed: Deed, word: &Word<'_>, store: &Store) -> Result<ObjectRef, Failure> {
    let name = word.name;
    let here = |cluster: &ClusterId| word.cluster.is_none_or(|wanted| wanted == cluster);
    let found: Vec<(ObjectRef, String)> = match deed.row().object {
        Object::Guest => store
            .guests()
            .filter(|(cluster, _)| here(cluster))
            .filter(|(_, guest)| guest.vmid.to_string() == name || guest.name.as_deref() == Some(name))
            .map(|(cluster, guest)| {
                let object = ObjectRef::Guest(GuestRef {
                    cluster: cluster.clone(),
                    vmid: guest.vmid,
                });
                (object, format!("{} {} on {cluster}", guest.vmid, guest.label()))
            })
            .collect(),
        Object::Node => store
            .nodes()
            .filter(|(cluster, node)| here(cluster) && node.name.as_str() == name)
            .map(|(cluster, node)| {
                let object = ObjectRef::Node(NodeRef {
                    cluster: cluster.clone(),
                    node: node.name.clone(),
                });
                (object, format!("{} on {cluster}", node.name))
            })
            .collect(),
        Object::Task => store
            .tasks()
            .filter(|(cluster, task)| here(cluster) && task.upid.as_str() == name)
            .map(|(cluster, task)| {
                let object = ObjectRef::Task(TaskRef {
                    cluster: cluster.clone(),
                    upid: task.upid.clone(),
                });
                (object, format!("{} on {cluster}", task.upid))
            })
            .collect(),
        // They have words of their own: see `server_targets`.
        Object::Datastore | Object::ServerBackup => Vec::new(),
    };
    match &found[..] {
        [(object, _)] => Ok(object.clone()),
        [] => Err(Failure::new(
            Code::NotFound,
            format!("there is no `{name}`; `pvedeck get` lists what there is"),
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| name.as_str()).collect();
            let message = format!(
                "`{name}` is ambiguous: {}; use the VMID, say CLUSTER/{name}, or choose with --cluster",
                names.join(", ")
            );
            Err(Failure::new(Code::Usage, message))
        }
    }
}
