//! Guests: virtual machines (`Qemu`) and containers (`Lxc`).

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{NodeName, Vmid};

/// Which of the two kinds a guest is. The API path of a guest depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestKind {
    /// A virtual machine, `/nodes/{node}/qemu/{vmid}`.
    Qemu,
    /// A container, `/nodes/{node}/lxc/{vmid}`.
    Lxc,
}

impl GuestKind {
    /// The word in API paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }
}

impl fmt::Display for GuestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a guest does. `Paused` and `Suspended` are only known from its detail: the inventory calls them running.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestStatus {
    /// It runs.
    Running,
    /// It is loaded and halted (`qmpstatus: paused`).
    Paused,
    /// Its state is on disk, or it sleeps.
    Suspended,
    /// It does not run.
    Stopped,
    /// The server does not know: the node is away or has not reported yet.
    Unknown,
}

impl GuestStatus {
    /// The word that lists show and filters accept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for GuestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One guest as `/cluster/resources` lists it. Rates and totals are absent where the server does not give them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Guest {
    /// Its number.
    pub vmid: Vmid,
    /// Machine or container.
    pub kind: GuestKind,
    /// Its name; absent for a guest that has none or cannot be read. Foreign text.
    pub name: Option<Box<str>>,
    /// Where it is now.
    pub node: NodeName,
    /// What it does.
    pub status: GuestStatus,
    /// A template cannot run.
    pub template: bool,
    /// Sorted, lower case, as Proxmox keeps them. Foreign text.
    pub tags: Vec<Arc<str>>,
    /// The pool that it belongs to.
    pub pool: Option<Arc<str>>,
    /// The configuration lock, such as `backup` or `migrate`.
    pub lock: Option<Arc<str>>,
    /// The HA state, such as `started` or `error`; absent if HA does not manage it.
    pub ha_state: Option<Arc<str>>,
    /// CPU use as a fraction of `cpus`.
    pub cpu: Option<f64>,
    /// Virtual CPUs.
    pub cpus: Option<f64>,
    /// Memory in use, bytes.
    pub mem: Option<u64>,
    /// Memory limit, bytes.
    pub max_mem: Option<u64>,
    /// Memory that the host spends on it, bytes (since 9).
    pub host_mem: Option<u64>,
    /// Root disk in use, bytes. Machines report 0: the host cannot look inside.
    pub disk: Option<u64>,
    /// Root disk size, bytes.
    pub max_disk: Option<u64>,
    /// Seconds since its start; `None` while it does not run.
    pub uptime: Option<u64>,
    /// Bytes received since its start.
    pub net_in: Option<u64>,
    /// Bytes sent since its start.
    pub net_out: Option<u64>,
    /// Bytes read from disk since its start.
    pub disk_read: Option<u64>,
    /// Bytes written to disk since its start.
    pub disk_write: Option<u64>,
}

impl Guest {
    /// Its name, or `VM 104` / `CT 104` as the web interface calls a nameless one.
    pub fn label(&self) -> std::borrow::Cow<'_, str> {
        match (&self.name, self.kind) {
            (Some(name), _) if !name.is_empty() => std::borrow::Cow::Borrowed(name),
            (_, GuestKind::Qemu) => format!("VM {}", self.vmid).into(),
            (_, GuestKind::Lxc) => format!("CT {}", self.vmid).into(),
        }
    }

    /// Memory in use as a fraction of the limit, while it runs.
    pub fn mem_fraction(&self) -> Option<f64> {
        super::quantity::ratio(self.mem, self.max_mem)
    }
}

/// What `…/status/current` adds for one guest that is looked at.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GuestDetail {
    /// More precise than the inventory: paused and suspended are told apart.
    pub status: Option<GuestStatus>,
    /// The lock, read fresher than the inventory's.
    pub lock: Option<Arc<str>>,
    /// Managed by HA?
    pub ha_managed: bool,
    /// HA state, if managed.
    pub ha_state: Option<Arc<str>>,
    /// Whether the configuration enables the guest agent.
    pub agent: bool,
    /// Process on the host.
    pub pid: Option<u32>,
    /// QEMU version that runs it.
    pub running_qemu: Option<Box<str>>,
    /// Machine type that it runs as.
    pub running_machine: Option<Box<str>>,
    /// Seconds since its start.
    pub uptime: Option<u64>,
    /// CPU fraction.
    pub cpu: Option<f64>,
    /// Memory in use, bytes.
    pub mem: Option<u64>,
    /// Memory limit, bytes.
    pub max_mem: Option<u64>,
    /// Balloon target, bytes.
    pub balloon: Option<u64>,
    /// Swap in use, bytes (containers).
    pub swap: Option<u64>,
    /// Swap limit, bytes (containers).
    pub max_swap: Option<u64>,
    /// Pressure stall of CPU, I/O and memory, per cent of time some task waited (since 9).
    pub pressure: Option<Pressure>,
    /// Traffic by interface: name, bytes in, bytes out.
    pub nics: Vec<(Box<str>, u64, u64)>,
    /// Display: `spice`, `serial`… where the server says.
    pub clipboard: Option<Box<str>>,
}

/// Pressure stall information: per cent of time in which some task waited for the resource.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Pressure {
    /// For a CPU.
    pub cpu_some: f64,
    /// For I/O.
    pub io_some: f64,
    /// For memory.
    pub memory_some: f64,
}

/// One network interface as seen from inside the guest (agent) or from the host (container).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuestInterface {
    /// Name inside the guest. Foreign text.
    pub name: Box<str>,
    /// Hardware address.
    pub mac: Option<Box<str>>,
    /// Addresses with prefix length, `192.0.2.7/24`.
    pub addresses: Vec<Box<str>>,
}

/// A command inside a machine, as its agent tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandStatus {
    /// How it ended; `None` while it runs.
    pub end: Option<CommandEnd>,
}

/// How a command inside a machine ended. All text is foreign.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<u64>,
    /// What it wrote.
    pub out: Box<str>,
    /// What it wrote about errors.
    pub err: Box<str>,
}

/// One snapshot of a guest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name. `current` is not a snapshot and is not listed.
    pub name: Box<str>,
    /// The snapshot it was taken on top of.
    pub parent: Option<Box<str>>,
    /// When it was taken.
    pub time: Option<Timestamp>,
    /// Whether memory is part of it.
    pub with_ram: bool,
    /// What its maker wrote. Foreign text.
    pub description: Box<str>,
}

/// Snapshots below the one that each was taken on top of, with their depth. Whatever the server says of parents, every snapshot is there once and it ends.
pub fn snapshot_tree(list: &[Snapshot]) -> Vec<(usize, &Snapshot)> {
    let mut out = Vec::with_capacity(list.len());
    let mut placed = vec![false; list.len()];
    let mut pending: Vec<(usize, usize)> = Vec::new();
    let is_root = |snapshot: &Snapshot| {
        snapshot
            .parent
            .as_ref()
            .is_none_or(|parent| !list.iter().any(|other| other.name == *parent))
    };
    let roots = (0..list.len()).filter(|index| is_root(&list[*index]));
    // A ring of parents has no root: its first member serves as one.
    for start in roots.chain(0..list.len()) {
        pending.push((0, start));
        while let Some((depth, index)) = pending.pop() {
            if std::mem::replace(&mut placed[index], true) {
                continue;
            }
            out.push((depth, &list[index]));
            let children = (0..list.len())
                .rev()
                .filter(|child| list[*child].parent.as_deref() == Some(&*list[index].name));
            pending.extend(children.map(|child| (depth + 1, child)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str, parent: Option<&str>) -> Snapshot {
        Snapshot {
            name: name.into(),
            parent: parent.map(Into::into),
            time: None,
            with_ram: false,
            description: "".into(),
        }
    }

    #[test]
    fn snapshots_stand_below_their_parents_and_rings_end() {
        let list = [
            snapshot("b", Some("a")),
            snapshot("a", None),
            snapshot("c", Some("b")),
            snapshot("d", Some("a")),
            snapshot("lost", Some("deleted")),
            snapshot("x", Some("y")),
            snapshot("y", Some("x")),
        ];
        let shown: Vec<_> = snapshot_tree(&list)
            .iter()
            .map(|(depth, s)| (*depth, &*s.name))
            .collect();
        assert_eq!(
            shown,
            [
                (0, "a"),
                (1, "b"),
                (2, "c"),
                (1, "d"),
                (0, "lost"),
                (0, "x"),
                (1, "y")
            ]
        );
    }
}
