//! What the palette offers: actions and places first, then every object.

use super::{App, Overlay, keys::keys_text};
use crate::{
    actions::{self, Id},
    domain::{ClusterId, DatastoreRef, GuestRef, NodeRef, ObjectRef, StorageRef, TaskRef},
    overlays::{
        Choice, Palette,
        palette::{Candidate, Target},
    },
    plan,
    screens::Place,
};

impl App {
    pub(super) fn open_palette(&mut self) {
        let candidates = self.candidates();
        let (targets, current) = (self.all_targets(), self.current_target());
        self.overlay = Some(Overlay::Palette(Palette::new(
            candidates,
            targets,
            current,
            self.palette_past.clone(),
        )));
    }

    fn candidates(&mut self) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = actions::all()
            // Steps of a selection are keys, not things one looks up by name.
            .filter(|action| !is_step(action.id))
            .map(|action| Candidate {
                text: action.title.to_owned(),
                note: keys_text(&self.keymap, action.id),
                fill: None,
                choice: Choice::Act(action.id),
                refused: self.availability(action.id).err(),
            })
            .collect();
        let store = &self.world.store;
        let several = store.clusters().len() > 1;
        let go = |text: String, note: String, object: ObjectRef| Candidate {
            text,
            note: if several {
                format!("{note} {}", object.cluster()).trim().to_owned()
            } else {
                note
            },
            fill: None,
            choice: Choice::Go(Place::Object(object)),
            refused: None,
        };
        for (cluster, node) in store.nodes() {
            let object = ObjectRef::Node(NodeRef {
                cluster: cluster.clone(),
                node: node.name.clone(),
            });
            all.push(go(format!("node {}", node.name), node.status.to_string(), object));
        }
        for (cluster, guest) in store.guests() {
            let object = ObjectRef::Guest(GuestRef {
                cluster: cluster.clone(),
                vmid: guest.vmid,
            });
            let text = format!("guest {} {} ({})", guest.vmid, guest.label(), guest.node);
            all.push(go(text, guest.status.to_string(), object));
        }
        for (cluster, storage) in store.storages() {
            let object = ObjectRef::Storage(StorageRef {
                cluster: cluster.clone(),
                node: storage.node.clone(),
                storage: storage.name.clone(),
            });
            all.push(go(
                format!("storage {} ({})", storage.name, storage.node),
                storage.status.to_string(),
                object,
            ));
        }
        for cluster in store.clusters() {
            let object = ObjectRef::Cluster(cluster.id().clone());
            all.push(go(format!("cluster {}", cluster.id()), String::new(), object));
        }
        for member in store.backup_servers() {
            let object = ObjectRef::BackupServer(member.id().clone());
            all.push(go(
                format!("Backup Server {}", member.id()),
                String::new(),
                object,
            ));
            let known = member.backup_server().map(crate::store::BackupServer::usage);
            for usage in known.unwrap_or_default() {
                let object = datastore(member.id(), &usage.name);
                all.push(go(
                    format!("datastore {} ({})", usage.name, member.id()),
                    String::new(),
                    object,
                ));
            }
        }
        all
    }
}

impl App {
    /// Everything that deeds can be done to.
    fn all_targets(&self) -> Vec<Target> {
        let store = &self.world.store;
        let guests = store.guests().map(|(cluster, guest)| {
            ObjectRef::Guest(GuestRef {
                cluster: cluster.clone(),
                vmid: guest.vmid,
            })
        });
        let nodes = store.nodes().map(|(cluster, node)| {
            ObjectRef::Node(NodeRef {
                cluster: cluster.clone(),
                node: node.name.clone(),
            })
        });
        let running = store.tasks().filter(|(_, task)| !task.state.is_over());
        let tasks = running.map(|(cluster, task)| {
            ObjectRef::Task(TaskRef {
                cluster: cluster.clone(),
                upid: task.upid.clone(),
            })
        });
        let stores = store.backup_servers().iter().flat_map(|member| {
            let known = member.backup_server().map(crate::store::BackupServer::usage);
            let usage = known.unwrap_or_default().iter();
            usage.map(|usage| datastore(member.id(), &usage.name))
        });
        guests
            .chain(nodes)
            .chain(stores)
            .chain(tasks)
            .map(|object| self.target(object))
            .collect()
    }

    fn target(&self, object: ObjectRef) -> Target {
        let store = &self.world.store;
        let (word, mut rest) = match &object {
            ObjectRef::Guest(guest) => match store.guest(guest) {
                Some(known) => (
                    guest.vmid.to_string(),
                    format!("{} ({})", known.label(), known.node),
                ),
                None => (guest.vmid.to_string(), String::new()),
            },
            ObjectRef::Node(node) => (node.node.to_string(), String::new()),
            ObjectRef::Task(task) => {
                let upid = &task.upid;
                (upid.kind.to_string(), format!("{} ({})", upid.id, upid.node))
            }
            ObjectRef::Storage(storage) => (storage.storage.to_string(), format!("({})", storage.node)),
            ObjectRef::Cluster(cluster) | ObjectRef::BackupServer(cluster) => {
                (cluster.to_string(), String::new())
            }
            ObjectRef::Datastore(datastore) => (datastore.to_string(), String::new()),
            ObjectRef::ServerBackup(backup) => (backup.path(), format!("({})", backup.datastore())),
            ObjectRef::Backup(backup) => (backup.volid.to_string(), String::new()),
            ObjectRef::Snapshot(snapshot) => (snapshot.name.to_string(), snapshot.guest.vmid.to_string()),
            ObjectRef::Job(job) => (job.id.to_string(), String::new()),
            ObjectRef::Alert(key) => match store.alarm(*key) {
                Some(alarm) => (alarm.name.to_string(), alarm.text.to_string()),
                None => (key.to_string(), String::new()),
            },
            ObjectRef::Silence(silence) => (silence.id.to_string(), String::new()),
        };
        let several = store.clusters().len() > 1 && store.cluster(object.cluster()).is_some();
        if several || store.backup_server(object.cluster()).is_some() {
            rest = format!("{rest} {}", object.cluster());
        }
        Target::new(vec![object], word, rest.trim().to_owned())
    }

    /// What deeds are about that name no target: all that is marked, or else what is selected.
    fn current_target(&mut self) -> Option<Target> {
        let focus = self.focus();
        let pane = self.panes.get(&focus)?;
        let marked: Vec<ObjectRef> = pane.marks().into_iter().flatten().cloned().collect();
        let subject = pane.subject();
        if marked.is_empty() {
            return subject.map(|object| self.target(object));
        }
        let rest = format!("marked {}", plan::kind_of(&marked));
        Some(Target::new(marked.clone(), marked.len().to_string(), rest))
    }
}

fn datastore(server: &ClusterId, store: &str) -> ObjectRef {
    ObjectRef::Datastore(DatastoreRef {
        cluster: server.clone(),
        store: store.into(),
        namespace: "".into(),
    })
}

fn is_step(action: Id) -> bool {
    matches!(
        action,
        Id::ListDown
            | Id::ListUp
            | Id::ListPageDown
            | Id::ListPageUp
            | Id::ListFirst
            | Id::ListLast
            | Id::TextDown
            | Id::TextUp
            | Id::TextPageDown
            | Id::TextPageUp
            | Id::TextFirst
            | Id::TextLast
            | Id::Focus1
            | Id::Focus2
            | Id::Focus3
            | Id::Focus4
            | Id::Focus5
            | Id::Focus6
            | Id::Focus7
            | Id::Focus8
            | Id::GraphUp
            | Id::GraphDown
            | Id::GraphEarlier
            | Id::GraphLater
            | Id::GraphCursorLeft
            | Id::GraphCursorRight
            | Id::Palette
            | Id::ConsoleDetach
            | Id::ConsolePageUp
            | Id::ConsolePageDown
            | Id::Deed(_)
    )
}
