//! Where files live.

use std::path::{Path, PathBuf};

/// The directories of configuration and state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// For the whole machine: `/etc/pvedeck`.
    pub system: PathBuf,
    /// The user's: `~/.config/pvedeck`. `None` where the user has no home.
    pub user: Option<PathBuf>,
    /// Logs and dumps: `~/.local/state/pvedeck`.
    pub state: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

impl Places {
    /// As this system has them.
    pub fn discover() -> Self {
        let user = directories::ProjectDirs::from("", "", "pvedeck");
        Self {
            system: PathBuf::from("/etc/pvedeck"),
            user: user.as_ref().map(|dirs| dirs.config_dir().to_owned()),
            state: user.as_ref().map(|dirs| {
                dirs.state_dir()
                    .unwrap_or_else(|| dirs.data_local_dir())
                    .to_owned()
            }),
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
        }
    }

    /// The user's configuration file.
    pub fn user_config(&self) -> Option<PathBuf> {
        self.user.as_deref().map(|dir| dir.join("config.toml"))
    }

    /// The configuration of the whole machine.
    pub fn system_config(&self) -> PathBuf {
        self.system.join("config.toml")
    }

    /// A file in the configuration directories: the user's first.
    pub(super) fn candidates(&self, name: impl AsRef<Path>) -> Vec<PathBuf> {
        let dirs = self.user.iter().chain([&self.system]);
        dirs.map(|dir| dir.join(name.as_ref())).collect()
    }
}
