//! The places that one can be at.

use jiff::Timestamp;

use crate::domain::{ObjectRef, TaskRef};

/// A place: what the whole screen shows. The history is a list of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// All panes side by side.
    Deck,
    /// All nodes.
    Nodes,
    /// All guests.
    Guests,
    /// Graphs of what is selected or marked in the lists.
    Metrics,
    /// All storages.
    Storages,
    /// The datastores of all Backup Servers.
    Datastores,
    /// The backups on all Backup Servers.
    ServerBackups,
    /// The snapshots of all guests.
    Snapshots,
    /// The snapshots of what is selected: the tile of the deck.
    SelectedSnapshots,
    /// All backups.
    Backups,
    /// The backups of what is selected: the tile of the deck.
    SelectedBackups,
    /// Every guest with its last good backup.
    RestorePoints,
    /// All backup jobs.
    Jobs,
    /// Running and recent tasks.
    Tasks,
    /// What is wrong: alerts of monitoring and findings in one list.
    Alerts,
    /// What keeps alerts quiet.
    Silences,
    /// What the console itself sees in the data of Proxmox.
    Findings,
    /// All clusters.
    Clusters,
    /// A line for a query of monitoring.
    Query,
    /// What was done from here.
    Runs,
    /// One run, by its ticket.
    Run(u64),
    /// Everything about one object; the log, for a task.
    Object(ObjectRef),
    /// Graphs of one object.
    MetricsOf(ObjectRef),
    /// Graphs of one object around a moment.
    MetricsAt(ObjectRef, Timestamp),
    /// One object as the server sends it.
    Raw(ObjectRef),
    /// The system log of a node, or the log of a task.
    Log(ObjectRef),
    /// The console of a node or a guest.
    Console(ObjectRef),
}

impl Place {
    /// The places without an object, with the names that `pvedeck show` and the palette use.
    pub const NAMED: &'static [(&'static str, Self)] = &[
        ("deck", Self::Deck),
        ("nodes", Self::Nodes),
        ("guests", Self::Guests),
        ("metrics", Self::Metrics),
        ("storages", Self::Storages),
        ("datastores", Self::Datastores),
        ("server-backups", Self::ServerBackups),
        ("snapshots", Self::Snapshots),
        ("backups", Self::Backups),
        ("restore-points", Self::RestorePoints),
        ("jobs", Self::Jobs),
        ("tasks", Self::Tasks),
        ("alerts", Self::Alerts),
        ("silences", Self::Silences),
        ("findings", Self::Findings),
        ("clusters", Self::Clusters),
        ("runs", Self::Runs),
        ("query", Self::Query),
    ];

    /// The whole screen that belongs to a tile: what follows the selection there shows everything.
    #[must_use]
    pub fn whole(&self) -> Self {
        match self {
            Self::SelectedSnapshots => Self::Snapshots,
            Self::SelectedBackups => Self::Backups,
            other => other.clone(),
        }
    }

    /// The object that the place is about.
    pub fn object(&self) -> Option<&ObjectRef> {
        match self {
            Self::Object(object)
            | Self::Raw(object)
            | Self::Log(object)
            | Self::MetricsOf(object)
            | Self::MetricsAt(object, _)
            | Self::Console(object) => Some(object),
            _ => None,
        }
    }

    /// What the header calls it.
    pub fn label(&self) -> String {
        match self {
            Self::Object(object) => object.to_string(),
            Self::Raw(object) => format!("{object} (raw)"),
            Self::MetricsOf(object) | Self::MetricsAt(object, _) => format!("metrics of {object}"),
            Self::Log(ObjectRef::Task(TaskRef { upid, .. })) => format!("log of {} {}", upid.kind, upid.id),
            Self::Log(object) => format!("log of {object}"),
            Self::Run(_) => "run".to_owned(),
            Self::Console(object) => format!("console of {object}"),
            other => Self::NAMED
                .iter()
                .find(|(_, place)| *place == other.whole())
                .map_or_else(String::new, |(name, _)| (*name).to_owned()),
        }
    }
}
