//! What the palette offers: actions and places first, then every object.

use super::{App, Overlay, keys::keys_text};
use crate::{
    actions::{self, Id},
    domain::{GuestRef, NodeRef, ObjectRef, StorageRef},
    overlays::{Choice, Palette, palette::Candidate},
    screens::Place,
};

impl App {
    pub(super) fn open_palette(&mut self) {
        let candidates = self.candidates();
        self.overlay = Some(Overlay::Palette(Palette::new(
            candidates,
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
        all
    }
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
            | Id::Palette
            | Id::Deed(_)
    )
}
