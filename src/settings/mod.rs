//! Files, layers, profiles and secrets become validated settings, and warnings with line numbers.
//!
//! Layers, each overriding the one before: what is built in, `/etc/pvedeck/config.toml`, the user's
//! `config.toml` (or the file of `--config`), environment and flags.
//!
//! What always holds here:
//! - A complaint names the file, line and column, and what is allowed there.
//! - An error in `config.toml` stops: a mistyped `read_only` must not mean "may write". An error in a theme or a
//!   keymap is a warning: the console then starts with what is built in.
//! - A secret is held as one, never printed, and comes only from files that nobody else can read.

mod acting;
mod chord;
mod cluster;
mod color;
mod connection;
mod console;
mod edit;
mod graphs;
pub mod keymap;
mod kind;
mod metrics;
mod monitoring;
mod places;
mod problem;
mod reader;
mod secret;
mod ssh;
pub mod theme;
mod token;

use std::path::{Path, PathBuf};

pub use acting::Acting;
pub use chord::{Key, KeyChord};
pub use cluster::{ClusterSettings, SignIn, is_user};
pub use color::{ColorDepth, ColorSpec};
pub use connection::{Given, Overrides};
pub use console::{Limits, Ui};
pub use edit::set_server;
pub use graphs::WantedColumn;
pub use kind::ServerKind;
pub use metrics::SHIPPED as SHIPPED_METRICS;
pub use monitoring::{MonitorAccess, MonitorSettings};
pub use places::Places;
pub use problem::{Place, Problem, Problems};
pub use secret::read_secret;
pub use ssh::{Ssh, Whereto};
pub use token::Token;

use toml::de::DeTable;

use crate::domain::{MonitorKind, dashboard::Dashboards, template::Template};
use cluster::{Home, Layer};
use monitoring::MonitorLayer;
use reader::Reader;

use crate::domain::quota::Quota;

/// The commented reference of all options, each with what is built in.
pub const REFERENCE: &str = include_str!("../../config/config.toml");

/// What may stand at the top of a file.
const SECTIONS: [&str; 13] = [
    "ui",
    "limits",
    "acting",
    "quotas",
    "ssh",
    "clusters",
    "pbs",
    "prometheus",
    "alertmanager",
    "exporter",
    "metric",
    "columns",
    "grafana",
];

/// What the files say. Connections are made of it by [`Settings::clusters`].
#[derive(Debug, Default)]
pub struct Settings {
    /// How the console looks and feels.
    pub ui: Ui,
    /// When something is a finding.
    pub limits: Limits,
    /// What actions ask for, warn of and refuse.
    pub acting: Acting,
    /// What gets the terminal for a node or a guest.
    pub ssh: Ssh,
    /// How much the guests of a pool or with a tag may have together, in the order of the files.
    pub quotas: Vec<Quota>,
    /// Columns of lists that are asked of monitoring.
    pub columns: Vec<WantedColumn>,
    /// Where dashboards are.
    pub dashboards: Dashboards,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    /// What is wrong and does not stop.
    pub warnings: Vec<Problem>,
    layers: Vec<(String, Layer)>,
    servers: Vec<(String, Layer)>,
    monitors: Vec<MonitorLayer>,
    metrics: Vec<Template>,
}

impl std::fmt::Debug for MonitorLayer {
    /// As a cluster's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MonitorLayer")
    }
}

impl std::fmt::Debug for Layer {
    /// A layer may hold secrets and has nothing to show.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Layer")
    }
}

impl Settings {
    /// Reads the files. `config` takes the place of the user's file and must then exist.
    ///
    /// # Errors
    /// All that is wrong in them.
    pub fn load(places: &Places, config: Option<&Path>) -> Result<Self, Problems> {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let user = config.map(Path::to_owned).or_else(|| places.user_config());
        for (path, wanted) in [(Some(places.system_config()), false), (user, config.is_some())] {
            let Some(path) = path else { continue };
            match secret::read_text(&path) {
                Ok((text, exposed)) => {
                    problems.append(&mut settings.overlay(places, &path, &text, exposed));
                    settings.files.push(path);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !wanted => {}
                Err(error) => problems.push(Problem::whole(path.display(), secret::cannot_read(&error))),
            }
        }
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(Problems(problems))
        }
    }

    /// Lets a file override what is there. Returns what is wrong in it.
    fn overlay(&mut self, places: &Places, path: &Path, text: &str, exposed: bool) -> Vec<Problem> {
        let (mut reader, table) = Reader::parse(path, text);
        let Some(table) = table else {
            return reader.problems;
        };
        reader.only("", &table, &SECTIONS);
        if let Some(ui) = reader.table(&table, "ui") {
            self.ui.overlay(&mut reader, ui);
        }
        if let Some(limits) = reader.table(&table, "limits") {
            self.limits.overlay(&mut reader, limits);
        }
        if let Some(acting) = reader.table(&table, "acting") {
            self.acting.overlay(&mut reader, acting);
        }
        if let Some(ssh) = reader.table(&table, "ssh") {
            self.ssh.overlay(&mut reader, ssh);
        }
        if let Some(quotas) = reader.table(&table, "quotas") {
            acting::quotas(&mut reader, quotas, &mut self.quotas);
        }
        let home = Home {
            home: places.home.as_deref(),
            directory: path.parent().unwrap_or(Path::new("")),
        };
        let mut holds_secret = false;
        for kind in ServerKind::ALL {
            holds_secret |= self.servers_of(&mut reader, &home, kind, &table);
        }
        holds_secret |= self.monitors_of(&mut reader, &home, &table);
        if holds_secret && exposed {
            reader
                .problems
                .insert(0, Problem::whole(path.display(), secret::exposed(path)));
        }
        reader.problems
    }

    /// Reads the clusters or the Backup Servers of a file. Says whether there are secrets in it.
    fn servers_of(
        &mut self,
        reader: &mut Reader<'_>,
        home: &Home<'_>,
        kind: ServerKind,
        table: &DeTable<'_>,
    ) -> bool {
        let mut holds_secret = false;
        let Some(section) = reader.table(table, kind.section()) else {
            return false;
        };
        for name in section.keys() {
            let (span, name) = (name.span(), name.get_ref().as_ref());
            let noun = kind.noun();
            if !is_cluster_name(name) {
                let message = format!("a {noun}'s name has letters, digits, `-`, `_` and `.` only");
                reader.complain(&span, message);
                continue;
            }
            let taken = |layers: &[(String, Layer)]| layers.iter().any(|(known, _)| known == name);
            let other = match kind {
                ServerKind::Cluster => ServerKind::BackupServer,
                ServerKind::BackupServer => ServerKind::Cluster,
            };
            if taken(self.layers_of(other)) {
                // Lists, `--cluster` and the journal know both by their names alone.
                let message = format!(
                    "a {} is called `{name}` already; the {noun} needs another name",
                    other.noun()
                );
                reader.complain(&span, message);
                continue;
            }
            let Some(server) = reader.table(section, name) else {
                continue;
            };
            let mut layer = Layer::read(reader, home, kind, name, server, &span);
            holds_secret |= layer.holds_secret;
            let files = self.files.len();
            let layers = self.layers_of(kind);
            if let Some((_, known)) = layers.iter_mut().find(|(known, _)| known == name) {
                known.overlay(layer);
            } else {
                // The map is sorted by name; lists keep the order of the file, and later files come last.
                layer.start += files << 32;
                layers.push((name.to_owned(), layer));
            }
        }
        self.layers_of(kind).sort_by_key(|(_, layer)| layer.start);
        holds_secret
    }

    fn layers_of(&mut self, kind: ServerKind) -> &mut Vec<(String, Layer)> {
        match kind {
            ServerKind::Cluster => &mut self.layers,
            ServerKind::BackupServer => &mut self.servers,
        }
    }

    /// Reads the monitoring servers, the metrics and what is shown of them of a file. Says whether there are secrets
    /// in it.
    fn monitors_of(&mut self, reader: &mut Reader<'_>, home: &Home<'_>, table: &DeTable<'_>) -> bool {
        let mut holds_secret = false;
        let mut here: Vec<MonitorLayer> = Vec::new();
        for kind in MonitorKind::ALL {
            for (monitor, at) in reader.tables(table, kind.section()) {
                let Some(layer) = MonitorLayer::read(reader, home, kind, monitor, &at) else {
                    continue;
                };
                holds_secret |= layer.holds_secret;
                if here.iter().any(|other| layer.is_same(other)) {
                    reader.complain(&at, layer.is_told_twice());
                }
                here.push(layer);
            }
        }
        for layer in here {
            match self.monitors.iter_mut().find(|known| layer.is_same(known)) {
                Some(known) => known.replace(layer),
                None => self.monitors.push(layer),
            }
        }
        let mut own: Vec<Template> = reader
            .tables(table, "metric")
            .into_iter()
            .filter_map(|(metric, at)| metrics::read(reader, metric, &at))
            .collect();
        // What a later file says comes first, as everywhere.
        own.append(&mut self.metrics);
        self.metrics = own;
        if let Some(columns) = reader.table(table, "columns") {
            let metrics = self.metrics();
            graphs::columns(reader, columns, &metrics, &mut self.columns);
        }
        if let Some(boards) = reader.table(table, "grafana") {
            graphs::dashboards(reader, boards, &mut self.dashboards);
        }
        holds_secret
    }

    /// The names of the configured Backup Servers, in the order of the files.
    pub fn backup_server_names(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|(name, _)| name.as_str())
    }

    /// Whether any file names a cluster.
    pub fn has_clusters(&self) -> bool {
        !self.layers.is_empty()
    }

    /// The names of the configured clusters, in the order of the files.
    pub fn cluster_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|(name, _)| name.as_str())
    }
}

/// Whether a text can name a cluster in a file and on a command line.
pub fn is_cluster_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !name.starts_with(['-', '.'])
}

#[cfg(test)]
mod tests;
