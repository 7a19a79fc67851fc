//! The client: one method for each thing that can be read.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Credential, Error, Local,
    request::{self, Get, Permissions},
    wire,
};
use crate::{
    clients::{
        http::{Address, Options, Reader, ServerClock, Totals},
        proxmox::auth::{Scheme, Session, read},
    },
    domain::{
        ClusterStatus, GuestDetail, GuestKind, HaRules, HaStatus, Inventory, LogEntry, NodeName,
        ReplicationJob, StorageName, Task, TaskState, Upid, Vmid,
        cluster::{Firewall, FirewallGroup, FirewallRule},
        config::{GuestConfig, PendingChange},
        guest::{CommandStatus, GuestInterface, Snapshot},
        migration::Migration,
        node::{
            Certificate, Clock, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription,
        },
        reading::Reading,
        rrd::{Frame, Rrd},
        storage::{StorageDetail, Volume},
        task::TaskLog,
    },
};

/// What a client needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses, trust and limits.
    pub options: Options,
    /// How to sign in.
    pub credential: Credential,
}

/// Reads one cluster or standalone host. Cheap to clone; all clones share sign-in, connections and counters.
#[derive(Clone, Debug)]
pub struct Client {
    reader: Reader,
    session: Arc<Session>,
}

type Result<T> = std::result::Result<T, Error>;

// The methods fail for the same reasons: see `Error`.
#[allow(
    clippy::missing_errors_doc,
    reason = "every method fails as `Error` describes, and for nothing else"
)]
impl Client {
    /// Prepares to ask; nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(Self {
            reader: Reader::new(settings.options)?,
            session: Arc::new(Session::reading(Scheme::Ve, settings.credential)),
        })
    }

    /// The reading side of one that may write as well: both share sign-in and connections.
    pub(super) fn beside(reader: Reader, session: Arc<Session>) -> Self {
        Self { reader, session }
    }

    /// For root on a node: no configuration at all.
    pub fn local(local: Local) -> Result<Self> {
        let options = Options::new(local.addresses()?, local.trust()?);
        Self::new(Settings {
            options,
            credential: Credential::Local(local),
        })
    }

    /// What was sent and received until now.
    pub fn totals(&self) -> Totals {
        self.reader.totals()
    }

    /// The server's clock in its latest answer, against ours.
    pub fn server_clock(&self) -> Option<ServerClock> {
        self.reader.server_clock()
    }

    /// The address that answers at present.
    pub fn current_address(&self) -> &Address {
        self.reader.current_address()
    }

    /// Sends any of the requests.
    pub async fn read<T>(&self, get: Get<T>) -> Result<T> {
        read(&self.session, &self.reader, get).await
    }

    /// The server's version, `9.2.11`.
    pub async fn version(&self) -> Result<Box<str>> {
        self.read(request::version()).await
    }

    /// The whole inventory.
    pub async fn resources(&self) -> Result<Inventory> {
        let inventory = self.read(request::resources()).await?;
        if inventory == Inventory::default() {
            // Whoever may sign in is told of the nodes: nothing at all is no estate but a broken answer, and must not
            // empty a list that was full.
            let message = format!(
                "{} sent an inventory without a single node",
                self.current_address()
            );
            return Err(Error::Malformed { message });
        }
        Ok(inventory)
    }

    /// Quorum and members.
    pub async fn cluster_status(&self) -> Result<ClusterStatus> {
        self.read(request::cluster_status()).await
    }

    /// Running and recent tasks of all nodes.
    pub async fn cluster_tasks(&self) -> Result<Vec<Task>> {
        self.read(request::cluster_tasks()).await
    }

    /// HA manager and its services.
    pub async fn ha_status(&self) -> Result<HaStatus> {
        self.read(request::ha_status()).await
    }

    /// Where HA lets its guests be. Before 9 there were groups instead of rules.
    pub async fn ha_rules(&self) -> Result<HaRules> {
        let resources = self.read(request::ha_resources()).await?;
        match self.read(request::ha_rules()).await {
            Ok(mut rules) => {
                let stays = resources.iter().filter(|resource| resource.stays);
                rules.stays.extend(stays.map(|resource| resource.vmid));
                Ok(rules)
            }
            Err(Error::NotAvailable { .. }) => {
                let groups = self.read(request::ha_groups()).await?;
                Ok(wire::ha::from_groups(groups, &resources))
            }
            Err(error) => Err(error),
        }
    }

    /// The newest entries of the cluster log.
    pub async fn cluster_log(&self, max: u32) -> Result<Vec<LogEntry>> {
        self.read(request::cluster_log(max)).await
    }

    /// The newest readings of the whole cluster, or those after a moment.
    pub async fn cluster_readings(&self, after: Option<Timestamp>) -> Result<Vec<Reading>> {
        self.read(request::cluster_readings(after)).await
    }

    /// Guests that are in no backup job.
    pub async fn guests_not_backed_up(&self) -> Result<Vec<Vmid>> {
        self.read(request::guests_not_backed_up()).await
    }

    /// Path and privileges of the one who is signed in.
    pub async fn permissions(&self) -> Result<Permissions> {
        self.read(request::permissions()).await
    }

    /// Options and rules of the cluster's firewall.
    pub async fn cluster_firewall(&self) -> Result<Firewall> {
        self.firewall(
            request::cluster_firewall_options(),
            request::cluster_firewall_rules(),
        )
        .await
    }

    /// The security groups with their rules; whoever may not read the rules still gets the names.
    pub async fn firewall_groups(&self) -> Result<Vec<FirewallGroup>> {
        let mut groups = self.read(request::firewall_groups()).await?;
        for group in &mut groups {
            group.rules = match self.read(request::firewall_group(&group.name)).await {
                Ok(rules) => Some(rules),
                Err(Error::NotAllowed { .. }) => break,
                Err(error) => return Err(error),
            };
        }
        Ok(groups)
    }

    /// Options and rules of a node's firewall.
    pub async fn node_firewall(&self, node: &NodeName) -> Result<Firewall> {
        self.firewall(
            request::node_firewall_options(node),
            request::node_firewall_rules(node),
        )
        .await
    }

    /// What a node says of itself.
    pub async fn node_status(&self, node: &NodeName) -> Result<NodeDetail> {
        self.read(request::node_status(node)).await
    }

    /// Its services.
    pub async fn node_services(&self, node: &NodeName) -> Result<Vec<Service>> {
        self.read(request::node_services(node)).await
    }

    /// Its certificates.
    pub async fn node_certificates(&self, node: &NodeName) -> Result<Vec<Certificate>> {
        self.read(request::node_certificates(node)).await
    }

    /// Packages that wait for an update.
    pub async fn node_updates(&self, node: &NodeName) -> Result<Vec<PackageUpdate>> {
        self.read(request::node_updates(node)).await
    }

    /// Its physical disks.
    pub async fn node_disks(&self, node: &NodeName) -> Result<Vec<Disk>> {
        self.read(request::node_disks(node)).await
    }

    /// Its network interfaces.
    pub async fn node_network(&self, node: &NodeName) -> Result<Vec<NetworkInterface>> {
        self.read(request::node_network(node)).await
    }

    /// Its subscription.
    pub async fn node_subscription(&self, node: &NodeName) -> Result<Subscription> {
        self.read(request::node_subscription(node)).await
    }

    /// Its replication jobs with their last results.
    pub async fn node_replication(&self, node: &NodeName) -> Result<Vec<ReplicationJob>> {
        self.read(request::node_replication(node)).await
    }

    /// Its clock.
    pub async fn node_time(&self, node: &NodeName) -> Result<Clock> {
        self.read(request::node_time(node)).await
    }

    /// Its tasks, running ones too, newest first.
    pub async fn node_tasks(&self, node: &NodeName, start: usize, limit: usize) -> Result<Vec<Task>> {
        self.read(request::node_tasks(node, start, limit)).await
    }

    /// The newest lines of its system log. `syslog` counts from the oldest line, and for each answer the node reads
    /// its whole journal; `journal` gives the end at once. Where that says nothing, `syslog` is asked.
    pub async fn node_syslog(&self, node: &NodeName, lines: usize) -> Result<Vec<Box<str>>> {
        match self.read(request::node_journal(node, lines)).await {
            Ok(newest) if !newest.is_empty() => return Ok(newest),
            Ok(_) | Err(Error::NotAvailable { .. } | Error::Server { .. }) => {}
            Err(error) => return Err(error),
        }
        let total = self.read(request::node_syslog(node, 0, 1)).await?.total;
        Ok(self
            .read(request::node_syslog(node, total.saturating_sub(lines), lines))
            .await?
            .lines)
    }

    /// A guest as it is now.
    pub async fn guest_status(&self, node: &NodeName, kind: GuestKind, vmid: Vmid) -> Result<GuestDetail> {
        self.read(request::guest_status(node, kind, vmid)).await
    }

    /// Its configuration in force.
    pub async fn guest_config(&self, node: &NodeName, kind: GuestKind, vmid: Vmid) -> Result<GuestConfig> {
        self.read(request::guest_config(node, kind, vmid)).await
    }

    /// A file inside a machine, from its agent.
    pub async fn guest_file(&self, node: &NodeName, vmid: Vmid, file: &str) -> Result<Box<str>> {
        self.read(request::guest_file(node, vmid, file)).await
    }

    /// How a command inside a machine stands. Its agent tells of its end once.
    pub async fn command_status(&self, node: &NodeName, vmid: Vmid, pid: u64) -> Result<CommandStatus> {
        self.read(request::command_status(node, vmid, pid)).await
    }

    /// The properties of whatever stands at a path below `/api2/json`.
    pub async fn properties(&self, segments: &[&str]) -> Result<GuestConfig> {
        self.read(request::properties(segments)).await
    }

    /// The rows of whatever list stands at a path below `/api2/json`.
    pub async fn rows(&self, segments: &[&str]) -> Result<Vec<GuestConfig>> {
        self.read(request::rows(segments)).await
    }

    /// Changes that wait for its next start.
    pub async fn guest_pending(
        &self,
        node: &NodeName,
        kind: GuestKind,
        vmid: Vmid,
    ) -> Result<Vec<PendingChange>> {
        self.read(request::guest_pending(node, kind, vmid)).await
    }

    /// Its addresses: from the guest agent of a machine, from the host's view of a container.
    pub async fn guest_addresses(
        &self,
        node: &NodeName,
        kind: GuestKind,
        vmid: Vmid,
    ) -> Result<Vec<GuestInterface>> {
        self.read(request::guest_addresses(node, kind, vmid)).await
    }

    /// Its snapshots.
    pub async fn guest_snapshots(
        &self,
        node: &NodeName,
        kind: GuestKind,
        vmid: Vmid,
    ) -> Result<Vec<Snapshot>> {
        self.read(request::guest_snapshots(node, kind, vmid)).await
    }

    /// What stands in the way of its move. Before 9 the server tells nothing of containers.
    pub async fn guest_migration(&self, node: &NodeName, kind: GuestKind, vmid: Vmid) -> Result<Migration> {
        match self.read(request::guest_migration(node, kind, vmid)).await {
            Err(Error::NotAvailable { .. }) if kind == GuestKind::Lxc => Ok(Migration::default()),
            said => said,
        }
    }

    /// Options and rules of its firewall.
    pub async fn guest_firewall(&self, node: &NodeName, kind: GuestKind, vmid: Vmid) -> Result<Firewall> {
        let options = request::guest_firewall_options(node, kind, vmid);
        self.firewall(options, request::guest_firewall_rules(node, kind, vmid))
            .await
    }

    /// A storage as one node sees it.
    pub async fn storage_status(&self, node: &NodeName, storage: &StorageName) -> Result<StorageDetail> {
        self.read(request::storage_status(node, storage)).await
    }

    /// What is on it.
    pub async fn storage_content(&self, node: &NodeName, storage: &StorageName) -> Result<Vec<Volume>> {
        self.read(request::storage_content(node, storage)).await
    }

    /// What was recorded of a node.
    pub async fn node_rrd(&self, node: &NodeName, frame: Frame) -> Result<Rrd> {
        self.read(request::node_rrd(node, frame)).await
    }

    /// What was recorded of a guest.
    pub async fn guest_rrd(&self, node: &NodeName, kind: GuestKind, vmid: Vmid, frame: Frame) -> Result<Rrd> {
        self.read(request::guest_rrd(node, kind, vmid, frame)).await
    }

    /// What was recorded of a storage.
    pub async fn storage_rrd(&self, node: &NodeName, storage: &StorageName, frame: Frame) -> Result<Rrd> {
        self.read(request::storage_rrd(node, storage, frame)).await
    }

    /// How a task stands.
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskState> {
        self.read(request::task_status(upid)).await
    }

    /// Up to `limit` lines of its log from line `start`, counted from 0.
    pub async fn task_log(&self, upid: &Upid, start: usize, limit: usize) -> Result<TaskLog> {
        let mut log = self.read(request::task_log(upid, start, limit)).await?;
        if log.lines.is_empty() {
            log.start = start;
        }
        Ok(log)
    }

    /// The cluster's status as JSON.
    pub async fn raw_cluster(&self) -> Result<Box<str>> {
        self.read(request::cluster_status().raw()).await
    }

    /// A node's status as JSON.
    pub async fn raw_node(&self, node: &NodeName) -> Result<Box<str>> {
        self.read(request::node_status(node).raw()).await
    }

    /// A guest's status, configuration and pending changes as one JSON object. A part that cannot be read says why.
    pub async fn raw_guest(&self, node: &NodeName, kind: GuestKind, vmid: Vmid) -> Result<Box<str>> {
        let (status, config, pending) = tokio::join!(
            self.read(request::guest_status(node, kind, vmid).raw()),
            self.read(request::guest_config(node, kind, vmid).raw()),
            self.read(request::guest_pending(node, kind, vmid).raw()),
        );
        let part = |outcome: Result<Box<str>>| match outcome {
            Ok(json) => serde_json::from_str(&json).unwrap_or_default(),
            Err(error) => serde_json::Value::String(error.to_string()),
        };
        let whole = serde_json::json!({
            "status/current": part(Ok(status?)),
            "config": part(config),
            "pending": part(pending),
        });
        Ok(format!("{whole:#}").into())
    }

    /// A storage's status as JSON.
    pub async fn raw_storage(&self, node: &NodeName, storage: &StorageName) -> Result<Box<str>> {
        self.read(request::storage_status(node, storage).raw()).await
    }

    /// A task's status as JSON.
    pub async fn raw_task(&self, upid: &Upid) -> Result<Box<str>> {
        self.read(request::task_status(upid).raw()).await
    }

    async fn firewall(
        &self,
        options: Get<super::FirewallOptions>,
        rules: Get<Vec<FirewallRule>>,
    ) -> Result<Firewall> {
        let (options, rules) = tokio::join!(self.read(options), self.read(rules));
        let options = options?;
        Ok(Firewall {
            enabled: Some(options.enabled),
            policy_in: options.policy_in,
            policy_out: options.policy_out,
            rules: rules?,
        })
    }
}
