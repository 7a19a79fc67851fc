//! `console`: the console of one guest or node, and nothing else.
//!
//! It is drawn by the same emulator as in the deck: what a guest writes never reaches the user's own terminal as it is.

use std::path::PathBuf;

use super::{
    args::Global,
    connect::{self, Acting, Asking, Link},
    console,
    exit::{Code, Failure},
    target,
};
use crate::{
    app::Alone,
    clients::pve::Client,
    domain::{Console, GuestKind, GuestStatus, NodeName, ObjectRef, Vmid},
    settings::Places,
};

/// What is wanted.
pub(super) struct Wanted<'a> {
    /// The guest or node.
    pub(super) target: &'a str,
    /// The file that it is recorded into.
    pub(super) record: Option<PathBuf>,
    /// The serial line of a machine.
    pub(super) serial: Option<u8>,
}

/// Opens the console and waits for its end.
pub(super) async fn run(global: &Global, places: &Places, wanted: Wanted<'_>) -> Result<(), Failure> {
    let settings = connect::settings(global, places)?;
    let asking = Asking::on_terminal();
    let clusters = connect::acting(&settings, global, &asking)?;
    let links: Vec<Link> = clusters.iter().map(|one| one.link.clone()).collect();
    let found = target::measured(wanted.target, &links).await?;
    let client = &found.link.client;
    let console = match (&found.object, &found.guest) {
        (ObjectRef::Node(node), _) => Console::Node(node.node.clone()),
        (ObjectRef::Guest(guest), Some((node, kind))) => {
            let serial = line(client, node, *kind, guest.vmid, wanted.serial).await?;
            Console::Guest {
                node: node.clone(),
                kind: *kind,
                vmid: guest.vmid,
                serial,
            }
        }
        _ => {
            let message = format!("{} has no console; only guests and nodes have", wanted.target);
            return Err(Failure::new(Code::Usage, message));
        }
    };
    let acting = clusters.into_iter().find(|one| one.link.id == found.link.id);
    let Some(acting @ Acting { actor: Some(_), .. }) = acting else {
        let message = format!(
            "{} is read-only, and whoever is on a console can change everything",
            found.link.id
        );
        return Err(Failure::new(Code::Refused, message));
    };
    asking.end();
    let alone = Alone {
        object: found.object,
        console,
        record: wanted.record,
    };
    console::alone(&settings, places, acting, alone).await
}

/// Looks whether a guest has what a console takes; returns the serial line to ask the server for.
async fn line(
    client: &Client,
    node: &NodeName,
    kind: GuestKind,
    vmid: Vmid,
    wanted: Option<u8>,
) -> Result<Option<u8>, Failure> {
    // Whoever may use the console need not be allowed to read these; then the server has the last word.
    let status = client.guest_status(node, kind, vmid).await.ok();
    if status.and_then(|status| status.status) == Some(GuestStatus::Stopped) {
        return Err(Failure::new(
            Code::Failed,
            format!("{vmid} is stopped; it has no console"),
        ));
    }
    if kind == GuestKind::Lxc {
        return match wanted {
            Some(_) => Err(Failure::new(
                Code::Usage,
                format!("{vmid} is a container; it has no serial lines"),
            )),
            None => Ok(None),
        };
    }
    let Ok(config) = client.guest_config(node, kind, vmid).await else {
        return Ok(wanted);
    };
    let lines = config.serials();
    match wanted {
        _ if lines.is_empty() => Err(Failure::new(
            Code::Failed,
            format!("{vmid} has no serial line: `qm set {vmid} --serial0 socket`, then stop and start it"),
        )),
        Some(line) if !lines.contains(&line) => {
            let there: Vec<String> = lines.iter().map(|line| format!("serial{line}")).collect();
            let message = format!("{vmid} has no serial{line}; it has {}", there.join(", "));
            Err(Failure::new(Code::Usage, message))
        }
        _ => Ok(wanted),
    }
}
