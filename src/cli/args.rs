//! What can be typed behind `pvedeck`. The documentation of each item is its help text.

#![allow(
    clippy::doc_markdown,
    reason = "help is shown on a terminal, where markup is noise"
)]

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

pub use super::sizes::{Size, Span};
use super::{
    exit::{Code, Failure},
    run,
};

/// Shown below the options of `--help`.
const AFTER_HELP: &str = "\
Environment:
  PVEDECK_URL          as --url
  PVEDECK_TOKEN        API token, user@realm!name=secret
  PVEDECK_CA_FILE      as --ca-file
  PVEDECK_FINGERPRINT  as --fingerprint
  PVEDECK_PBS_URL      a Backup Server instead of those of the configuration, with PVEDECK_PBS_TOKEN and
                       PVEDECK_PBS_CA_FILE or PVEDECK_PBS_FINGERPRINT
  PVEDECK_LOG          what the log file holds, such as pvedeck=debug
  NO_COLOR             no colours, unless the configuration names a theme

Exit codes:
  0 done   1 failed   2 wrong usage or configuration   3 not reachable   4 not allowed   5 not found
  6 refused by read-only or missing confirmation   7 timed out, outcome unknown";

/// A terminal operations console for Proxmox VE.
///
/// Without a command it opens the console on the configured clusters; as root on a Proxmox VE node it needs no
/// configuration. `pvedeck demo` shows everything on a simulated datacentre.
#[derive(Parser, Debug)]
#[command(name = "pvedeck", version, after_long_help = AFTER_HELP, max_term_width = 110)]
pub struct Cli {
    /// Options that go with every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; the console if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that go with every command.
#[derive(Args, Debug)]
pub struct Global {
    /// Address of the API, https://HOST:8006; the token comes from PVEDECK_TOKEN
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub url: Option<String>,
    /// Trust the certificates that this CA has signed (PEM)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    pub ca_file: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint
    #[arg(long, global = true, value_name = "SHA256", help_heading = "Connection")]
    pub fingerprint: Option<String>,
    /// Only this cluster or Backup Server of the configuration
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub cluster: Option<String>,
    /// Never send anything that writes
    #[arg(long, global = true, help_heading = "Connection")]
    pub read_only: bool,
    /// Another configuration instead of ~/.config/pvedeck/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// More in the log file; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List what the clusters have
    ///
    /// The filter is that of every list: `web !test status:running tag:prod,lab node:pve1`. Words must all hold;
    /// `key:a,b` takes either; keys are status, node, tag, pool, type, cluster, name, user.
    Get {
        /// Of what
        #[arg(value_enum)]
        resource: Resource,
        /// Only rows that pass: text, !text, key:value; of metrics, the object
        filter: Vec<String>,
        /// Only this metric: cpu, memory, network…; all if left out
        #[arg(long, value_name = "NAME")]
        metric: Option<String>,
        /// How much of time metrics cover: 10m, 1h, 7d, 1y
        #[arg(long, value_name = "SPAN", default_value = "1h")]
        range: Span,
        /// Of metrics: only so many objects, those with the highest values now; the filter is guests, nodes or storages
        #[arg(long, value_name = "N")]
        top: Option<usize>,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Write facts for other programs
    Export {
        /// Which
        #[command(subcommand)]
        what: ExportCommand,
    },
    /// Connect to a cluster, host or Backup Server and write it into the configuration
    ///
    /// Asks for what no option says: the address, the sign-in, and whether the certificate is the right one. Without
    /// a terminal: --url, PVEDECK_TOKEN, and --fingerprint or --ca-file unless a CA of the system has signed it.
    Login(Login),
    /// Check everything between here and the servers, with cause and remedy
    Doctor {
        /// How to print; plain lines if left out
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// Print one frame of a screen, once its data is there
    Show {
        /// deck, nodes, guests, metrics, storages, datastores, server-backups, snapshots, backups, restore-points, jobs, tasks,
        /// alerts, silences, findings, clusters, runs, query; with a target: guest, node, storage, cluster, task, metrics, pbs, datastore
        screen: String,
        /// Which one: VMID or name, node, NODE/STORAGE, cluster, UPID, Backup Server, DATASTORE or DATASTORE:NAMESPACE
        target: Option<String>,
        /// Which metric a graph shows
        #[arg(long, value_name = "NAME")]
        metric: Option<String>,
        /// How much of time a graph shows: 10m, 1h, 7d, 1y
        #[arg(long, value_name = "SPAN")]
        range: Option<Span>,
        /// Columns and rows
        #[arg(long, value_name = "COLSxROWS", default_value = "120x40")]
        size: Size,
        /// Seconds to wait for data
        #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
        timeout: u64,
        /// With colours, as a terminal takes them
        #[arg(long)]
        ansi: bool,
        /// As a picture
        #[arg(long, conflicts_with = "ansi")]
        svg: bool,
    },
    /// Open the console on a simulated datacentre
    ///
    /// It runs on loopback, speaks the real API over TLS, and ends with the console.
    Demo(Demo),
    /// Do something to guests, nodes or tasks, by plan
    ///
    /// The plan is shown and, if it disturbs anybody, confirmed; every call is written into the journal before it is
    /// sent, and its task is followed to the end. `pvedeck run ACTION --help` tells of the arguments of an action; an
    /// unknown action lists all there are.
    Run(run::args::Run),
    /// Open the console of a guest or the shell of a node, and nothing else
    ///
    /// It ends with the console, or with the key that leaves it, Ctrl-] unless the keymap has another. What the guest
    /// writes is drawn as in the deck: no control sequence of it reaches your terminal.
    Console {
        /// Which: VMID or name, or a node
        target: String,
        /// Record what it shows into this file (asciicast v2), which must not exist yet
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// Which serial line of a machine, 0 to 3; that of its display, or else the first, if left out
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=3))]
        serial: Option<u8>,
    },
    /// What was done from here: list it, show it, go on with what was interrupted
    Journal {
        /// What to do with it; lists it if left out
        #[command(subcommand)]
        what: Option<JournalCommand>,
    },
    /// List keys and what they do
    Keys {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// List themes, or check one
    Themes {
        /// Check this theme and its file
        name: Option<String>,
    },
    /// Show, check or print configuration
    Config {
        /// What to do with it
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Of this command instead of the whole program
        command: Option<String>,
    },
}

/// What can be exported.
#[derive(Subcommand, Debug)]
pub enum ExportCommand {
    /// Findings, health, backups, snapshots, pending reboots and certificates as metrics for Prometheus
    ///
    /// Meant for a timer and the textfile collector of node_exporter: the file is replaced at once. It asks for the
    /// snapshots of every guest: every quarter of an hour is often enough. The rules of `pvedeck config print rules` use
    /// these metrics. A cluster that cannot be read is told as down, and the exit code says so too.
    Metrics {
        /// Write to this file, whose name should end in .prom; stdout if left out
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How plans are printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlanFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// As commands for a shell of root on a node
    Pvesh,
    /// As commands that take PVEDECK_URL, PVEDECK_TOKEN and PVEDECK_CA_FILE from the environment
    Curl,
}

/// Which runs of the journal.
#[derive(Args, Debug, Default)]
pub struct Chosen {
    /// Only those that did something to this guest, by VMID or name
    #[arg(long, value_name = "GUEST")]
    pub guest: Option<String>,
    /// Only those of this action, such as guest.start
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Only those begun since: 2026-11-22, 2026-11-22T14:00:00Z, or 30m, 12h, 7d ago
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only those in this state: running, interrupted, begun, done, failed, dropped
    #[arg(long, value_name = "STATE", value_parser = ["running", "interrupted", "begun", "done", "failed", "dropped"])]
    pub state: Option<String>,
    /// Only those of this user of this machine
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
}

impl Chosen {
    /// The moment that `since` means; a day begins at midnight here.
    ///
    /// # Errors
    /// It means none.
    pub fn since(&self) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = &self.since else { return Ok(None) };
        let ago = text
            .split_at_checked(text.len().saturating_sub(1))
            .and_then(|(number, unit)| {
                let number: i64 = number
                    .parse()
                    .ok()
                    .filter(|number| (0..100_000).contains(number))?;
                match unit {
                    "m" => Some(SignedDuration::from_mins(number)),
                    "h" => Some(SignedDuration::from_hours(number)),
                    "d" => Some(SignedDuration::from_hours(24 * number)),
                    _ => None,
                }
            });
        let day = |text: &str| {
            let date: Date = text.parse().ok()?;
            Some(date.to_zoned(TimeZone::system()).ok()?.timestamp())
        };
        let moment = match ago {
            Some(ago) => Timestamp::now().checked_sub(ago).ok(),
            None => text.parse().ok().or_else(|| day(text)),
        };
        moment.map(Some).ok_or_else(|| {
            let message = format!(
                "--since is a day, a time or an age (2026-11-22, 2026-11-22T14:00:00Z, 12h, 7d), not `{text}`"
            );
            Failure::new(Code::Usage, message)
        })
    }
}

/// What can be done with the journal.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// List what was done, the newest first
    List {
        /// Which runs
        #[command(flatten)]
        chosen: Chosen,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Show one run: its steps and what happened when
    Show {
        /// Its number
        run: i64,
    },
    /// Print all entries, one JSON object a line
    Export,
    /// Go on with an interrupted run; nothing of it is done twice
    Continue {
        /// Its number
        run: i64,
    },
    /// Give up an interrupted run
    Drop {
        /// Its number
        run: i64,
    },
}

/// What `login` is told.
#[derive(Args, Debug)]
pub struct Login {
    /// What to call the cluster here
    #[arg(long)]
    pub name: Option<String>,
    /// It is a Proxmox Backup Server
    #[arg(long)]
    pub pbs: bool,
    /// Sign in as user@realm, or with the token user@realm!name; the secret is asked for
    #[arg(long)]
    pub user: Option<String>,
}

/// How the simulated datacentre is made.
#[derive(Args, Debug)]
pub struct Demo {
    /// Run it without the console; print the connection as shell assignments
    #[arg(long)]
    pub serve: bool,
    /// Nodes of the cluster
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub nodes: u16,
    /// Guests of the cluster
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub guests: u16,
    /// The same seed makes the same datacentre
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Its tasks take so many times less than in reality
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub speed: u16,
    /// Port on loopback; the standalone host takes the next one; free ones if left out
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
}

/// What can be listed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Clusters and standalone hosts
    #[value(alias = "cluster")]
    Clusters,
    /// Nodes
    #[value(alias = "node")]
    Nodes,
    /// Virtual machines and containers
    #[value(aliases = ["guest", "vms", "cts"])]
    Guests,
    /// Storages, one row for each node that sees one
    #[value(alias = "storage")]
    Storages,
    /// Datastores of Backup Servers: how full, until when, garbage collection
    #[value(alias = "datastore")]
    Datastores,
    /// Backups on Backup Servers
    #[value(alias = "server-backup")]
    ServerBackups,
    /// Running and recent tasks of all nodes, the newest first
    #[value(alias = "task")]
    Tasks,
    /// What is wrong or soon will be, the worst first
    #[value(alias = "finding")]
    Findings,
    /// Snapshots of the guests that the filter chooses
    #[value(alias = "snapshot")]
    Snapshots,
    /// Backups on all storages, the newest first
    #[value(alias = "backup")]
    Backups,
    /// Every guest with its last good backup and how old it may be, the worst off first
    #[value(alias = "restore-point")]
    RestorePoints,
    /// Backup jobs: schedule, next run, retention, last result
    #[value(alias = "job")]
    Jobs,
    /// Quotas of the configuration: limit, used, left
    #[value(alias = "quota")]
    Quotas,
    /// What was recorded of one object: a VMID or name, a node, NODE/STORAGE
    #[value(alias = "metric")]
    Metrics,
}

/// What can be done with the configuration.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Print where configuration, themes and logs are
    Path,
    /// Check all files: configuration, secrets, keymap, themes
    Check,
    /// Print the commented reference, to be copied and changed
    Print {
        /// Of which file
        #[arg(value_enum, default_value_t)]
        file: Reference,
    },
}

/// The files that can be printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reference {
    /// config.toml
    #[default]
    Config,
    /// keymap.toml
    Keymap,
    /// A theme
    Theme,
    /// What is asked of a Prometheus, as templates of PromQL
    Metrics,
    /// Alerts for Prometheus, all groups in one file
    Rules,
    /// An example prometheus.yml for these rules
    Prometheus,
    /// An example alertmanager.yml for these rules
    Alertmanager,
}

/// How lists are printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// The same with more columns
    Wide,
    /// One array of objects
    Json,
    /// With a header line
    Csv,
}

/// As what a frame is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Picture {
    /// Plain text.
    Text,
    /// Text with colours.
    Ansi,
    /// SVG.
    Svg,
}
