//! The two kinds of Proxmox servers, as far as the configuration tells them apart.

use crate::domain::endpoint;

/// What a section of the configuration leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ServerKind {
    /// `[clusters.NAME]`: Proxmox VE, a cluster or a standalone host.
    #[default]
    Cluster,
    /// `[pbs.NAME]`: a Proxmox Backup Server.
    BackupServer,
}

impl ServerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cluster, Self::BackupServer];

    /// The section.
    pub fn section(self) -> &'static str {
        match self {
            Self::Cluster => "clusters",
            Self::BackupServer => "pbs",
        }
    }

    /// What people call one: `cluster`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::BackupServer => "Backup Server",
        }
    }

    /// The port of its API, unless another is given.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Cluster => endpoint::DEFAULT_PORT,
            Self::BackupServer => endpoint::BACKUP_SERVER_PORT,
        }
    }

    /// What runs there.
    pub fn product(self) -> &'static str {
        match self {
            Self::Cluster => "Proxmox VE",
            Self::BackupServer => "Proxmox Backup Server",
        }
    }
}
