//! SSH: whom to connect to, and as whom. The terminal itself changes hands in the runtime.
//!
//! What always holds here:
//! - Nothing is run on a cluster that may not be written to.
//! - Where the address has to be read first, a key that is pressed meanwhile calls it off: what was meant for us must
//!   not reach the program.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{App, Effect, HandOver};
use crate::{
    domain::{GuestRef, GuestStatus, NodeRef, ObjectRef, reach},
    settings::{Ssh, Whereto},
    store::{Feed, FeedKey},
    ui::Tone,
};

/// Why there is nothing to connect to in the demo.
const NOWHERE: &str = "SSH: the machines of the demo exist in memory only; with `[ssh] command` in the configuration, that is run";

/// Somebody wants to go there.
#[derive(Debug)]
pub(super) struct Departure {
    object: ObjectRef,
    /// What has to be read for the address.
    pub(super) feeds: BTreeSet<FeedKey>,
    since: Timestamp,
}

impl App {
    /// Takes the wish to go to the selected object.
    pub(super) fn depart(&mut self, effects: &mut Vec<Effect>) {
        let Some(object) = self.subject() else { return };
        let Some(ssh) = &self.ssh else {
            return self.say(Tone::Warn, NOWHERE);
        };
        if let Err(why) = self.is_up(&object) {
            return self.say(Tone::Warn, format!("SSH: {why}"));
        }
        let mut feeds = needs(&object, ssh);
        // Addresses of nodes do not change while one looks.
        let known = self
            .world
            .store
            .cluster(object.cluster())
            .and_then(|cluster| cluster.status());
        feeds.retain(|key| key.feed != Feed::ClusterStatus || known.is_none());
        self.read_for(&feeds, effects);
        let since = self.world.now;
        self.departing = Some(Departure { object, feeds, since });
        self.settle_departure(effects);
        if self.departing.is_some() {
            self.say(Tone::Muted, "SSH: reading the address; any key calls it off");
        }
    }

    /// Whether there is somebody to answer.
    fn is_up(&self, object: &ObjectRef) -> Result<(), &'static str> {
        let ObjectRef::Guest(guest) = object else {
            return Ok(());
        };
        let known = self
            .world
            .store
            .guest(guest)
            .ok_or("it is not in the inventory")?;
        if known.template {
            return Err("it is a template");
        }
        if known.status == GuestStatus::Stopped {
            return Err("the guest is stopped");
        }
        Ok(())
    }

    /// A key was pressed: the terminal is not given away any more.
    pub(super) fn stay_here(&mut self) {
        if self.departing.take().is_some() {
            self.say(Tone::Muted, "SSH: called off");
        }
    }

    /// Gives the terminal away, if all is read that it takes.
    pub(super) fn settle_departure(&mut self, effects: &mut Vec<Effect>) {
        let Some(departing) = self.departing.take() else {
            return;
        };
        let reading = self.reading(&departing.feeds, departing.since);
        if !reading.waiting.is_empty() {
            self.departing = Some(departing);
            return;
        }
        let Some(ssh) = self.ssh.clone() else { return };
        let to = self.whereto(&departing.object, &ssh);
        match ssh.arguments(&to) {
            Ok(arguments) => effects.push(Effect::HandOver(HandOver {
                arguments,
                title: format!("SSH to {}", self.title_of(&[departing.object])),
            })),
            Err(why) => {
                let causes: Vec<String> = reading
                    .failed
                    .into_iter()
                    .filter(|_| to.address.is_none())
                    .collect();
                let because = if causes.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", causes.join("; "))
                };
                self.say(Tone::Warn, format!("SSH: {why}{because}"));
            }
        }
    }

    /// What is known of the object.
    fn whereto(&self, object: &ObjectRef, ssh: &Ssh) -> Whereto {
        match object {
            ObjectRef::Node(node) => self.node_to(node, ssh),
            ObjectRef::Guest(guest) => self.guest_to(guest, ssh),
            _ => Whereto::default(),
        }
    }

    fn node_to(&self, node: &NodeRef, ssh: &Ssh) -> Whereto {
        let status = self
            .world
            .store
            .cluster(&node.cluster)
            .and_then(|cluster| cluster.status());
        let member = status.and_then(|status| status.members.iter().find(|member| member.name == node.node));
        // Nodes find each other by name as well.
        let address = member.and_then(|member| member.ip).map(|ip| ip.to_string());
        Whereto {
            address: Some(address.unwrap_or_else(|| node.node.to_string())),
            name: node.node.to_string(),
            node: node.node.to_string(),
            vmid: None,
            user: ssh.user.clone(),
        }
    }

    fn guest_to(&self, guest: &GuestRef, ssh: &Ssh) -> Whereto {
        let store = &self.world.store;
        let known = store.guest(guest);
        let config = store.guest_config(guest);
        let user = ssh.guest_user.as_deref().or_else(|| config?.get("ciuser"));
        Whereto {
            address: reach::address(store.guest_addresses(guest), config).map(|ip| ip.to_string()),
            name: known.map(|known| known.label().into_owned()).unwrap_or_default(),
            node: known.map(|known| known.node.to_string()).unwrap_or_default(),
            vmid: Some(guest.vmid.to_string()),
            user: user.unwrap_or("root").to_owned(),
        }
    }
}

/// What has to be read of an object for what the command asks for.
fn needs(object: &ObjectRef, ssh: &Ssh) -> BTreeSet<FeedKey> {
    let feeds = match object {
        ObjectRef::Node(_) if ssh.asks_for("address") => vec![Feed::ClusterStatus],
        ObjectRef::Guest(guest) => {
            let address = ssh
                .asks_for("address")
                .then_some(Feed::GuestAddresses(guest.vmid));
            let user = ssh.asks_for("user") && ssh.guest_user.is_none();
            let config = (address.is_some() || user).then_some(Feed::GuestConfig(guest.vmid));
            address.into_iter().chain(config).collect()
        }
        _ => Vec::new(),
    };
    feeds.into_iter().map(|feed| feed.of(object.cluster())).collect()
}
