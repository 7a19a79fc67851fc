//! A console: what `termproxy` opens.

use std::fmt;

use super::{
    call::{Call, Method},
    guest::GuestKind,
    ids::{NodeName, Vmid},
};

/// What a console shows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Console {
    /// The shell of a node.
    Node(NodeName),
    /// The console of a container, or a serial line of a machine.
    Guest {
        /// Where it lives.
        node: NodeName,
        /// Machine or container.
        kind: GuestKind,
        /// Its number.
        vmid: Vmid,
        /// Which serial line of a machine; that of its display, or else the first, if nothing is said.
        serial: Option<u8>,
    },
}

impl Console {
    /// The parts of its path: `nodes`, `pve1`, `lxc`, `104`.
    fn segments(&self, last: &'static str) -> Vec<String> {
        let mut segments = vec!["nodes".to_owned()];
        match self {
            Self::Node(node) => segments.push(node.to_string()),
            Self::Guest { node, kind, vmid, .. } => {
                segments.extend([node.to_string(), kind.as_str().to_owned(), vmid.to_string()]);
            }
        }
        segments.push(last.to_owned());
        segments
    }

    fn call(&self, last: &'static str) -> Call {
        let segments = self.segments(last);
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        Call::new(Method::Post, &parts)
    }

    /// `POST …/termproxy`: opens a port for one client and gives a ticket for it.
    pub fn opening(&self) -> Call {
        let call = self.call("termproxy");
        match self {
            Self::Guest {
                serial: Some(line), ..
            } => call.with("serial", &format!("serial{line}")),
            _ => call,
        }
    }

    /// The path of the WebSocket below `/api2/json`, encoded.
    pub fn socket_path(&self) -> String {
        self.call("vncwebsocket").path()
    }
}

impl fmt::Display for Console {
    /// `node pve1`, `lxc/104`, `qemu/104`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "node {node}"),
            Self::Guest { kind, vmid, .. } => write!(f, "{}/{vmid}", kind.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_schema() {
        let guest = Console::Guest {
            node: "pve1".into(),
            kind: GuestKind::Lxc,
            vmid: Vmid(104),
            serial: None,
        };
        assert_eq!(guest.opening().to_string(), "POST /nodes/pve1/lxc/104/termproxy");
        assert_eq!(guest.socket_path(), "/nodes/pve1/lxc/104/vncwebsocket");
        assert_eq!(
            Console::Node("a/b".into()).socket_path(),
            "/nodes/a%2Fb/vncwebsocket"
        );
    }
}
