//! Consoles: `termproxy` opens a port and gives a ticket for it, `vncwebsocket` checks the ticket.

use serde_json::json;

use super::Call;
use crate::demo::{
    answer::{Failure, Outcome},
    world::{console::Place, guest::Kind, task::Order},
};

impl Call<'_> {
    pub(super) fn route_console(&mut self, kind: Option<Kind>) -> Option<Outcome> {
        let rest = self.path.rsplit('/').next();
        match (self.verb, rest) {
            ("POST", Some("termproxy")) => Some(self.termproxy(kind)),
            ("GET", Some("vncwebsocket")) => Some(self.websocket(kind)),
            _ => None,
        }
    }

    /// The path that the ticket is good for.
    fn console_path(&self, kind: Option<Kind>) -> String {
        match kind {
            Some(_) => format!("/vms/{}", self.vmid()),
            None => format!("/nodes/{}", self.variable("node")),
        }
    }

    fn termproxy(&mut self, kind: Option<Kind>) -> Outcome {
        let path = self.console_path(kind);
        let (user, now) = (self.who.full(), self.world.seconds());
        let (place, task, id) = if kind.is_none() {
            (Place::Shell(self.node_name()), "vncshell", String::new())
        } else {
            let vmid = self.vmid();
            let serial = self.params.get("serial").map(str::to_owned);
            (Place::Guest { vmid, serial }, "vncproxy", vmid.to_string())
        };
        // The task runs on the node that was asked, whichever node the console is of.
        let order = Order::new(self.world.local(), task, id, &user);
        let (port, upid) = self
            .world
            .open_console(order, &path, place)
            .ok_or_else(|| Failure::server("unable to find free port (5900-6000)"))?;
        let ticket = self.world.access.console_ticket(&user, &path, port, now);
        Ok(json!({"user": user, "ticket": ticket, "port": port, "upid": upid}).into())
    }

    fn websocket(&mut self, kind: Option<Kind>) -> Outcome {
        let path = self.console_path(kind);
        let port = self.params.text("port");
        let number = port.parse().unwrap_or_default();
        let ticket = self.params.text("vncticket");
        let access = &self.world.access;
        if !access.is_console_ticket(ticket, &self.who.full(), &path, number, self.world.seconds()) {
            return Err(Failure::denied("permission denied - invalid PVEVNC ticket"));
        }
        Ok(json!({"port": port}).into())
    }
}
