//! Typed look-ups. None of them searches: each goes through an index.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::domain::{
    ClusterId, Finding, Guest, GuestDetail, GuestRef, JobRef, Node, NodeRef, ObjectRef, Pool, ReplicationJob,
    SdnZone, ServerBackupRef, Severity, Storage, StorageRef, Task, TaskRef,
    backup::BackupSnapshot,
    backup_job::JobGuest,
    cluster::Firewall,
    config::{GuestConfig, PendingChange},
    guest::{GuestInterface, Snapshot},
    migration::Migration,
    node::{Certificate, Disk, NetworkInterface, NodeDetail, PackageUpdate, Service, Subscription},
    reading::ReadingOf,
    rrd::{Frame, Rrd},
    storage::{StorageDetail, Volume},
};

use super::{
    Store,
    backup_server::BackupServer,
    cluster::Cluster,
    details::{GuestDetails, NodeDetails, StorageDetails},
    feed::{Feed, FeedKey},
    findings::FindingLimits,
    freshness::{Freshness, Health, Records},
    history::{History, Ring},
    log::LogBuffer,
    readings::Recent,
};

impl Store {
    /// All clusters, in the order of the configuration.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters[..self.count]
    }

    /// All Backup Servers, in the order of the configuration.
    pub fn backup_servers(&self) -> &[Cluster] {
        &self.clusters[self.count..]
    }

    /// Clusters and Backup Servers.
    pub fn members(&self) -> &[Cluster] {
        &self.clusters
    }

    /// What is known of a Backup Server.
    pub fn backup_server(&self, id: &ClusterId) -> Option<&BackupServer> {
        self.cluster(id)?.backup_server()
    }

    /// A backup on a Backup Server.
    pub fn server_backup(&self, backup: &ServerBackupRef) -> Option<&BackupSnapshot> {
        let known = self.backup_server(&backup.cluster)?;
        let list = known.snapshots(&backup.store, &backup.namespace)?;
        list.iter()
            .find(|one| one.kind == backup.kind && *one.id == *backup.id && one.time == backup.time)
    }

    /// The feed that a member lives on: without it there is nothing to show of it.
    pub fn heart(&self, id: &ClusterId) -> Feed {
        self.cluster(id).map_or(Feed::Resources, Cluster::heart)
    }

    /// One cluster.
    pub fn cluster(&self, id: &ClusterId) -> Option<&Cluster> {
        self.index.get(id).map(|at| &self.clusters[*at])
    }

    /// The nodes of all clusters.
    pub fn nodes(&self) -> impl Iterator<Item = (&ClusterId, &Node)> {
        self.each(Cluster::nodes)
    }

    /// The guests of all clusters.
    pub fn guests(&self) -> impl Iterator<Item = (&ClusterId, &Guest)> {
        self.each(Cluster::guests)
    }

    /// The storages of all clusters, one entry for each node that sees one.
    pub fn storages(&self) -> impl Iterator<Item = (&ClusterId, &Storage)> {
        self.each(Cluster::storages)
    }

    /// The pools of all clusters.
    pub fn pools(&self) -> impl Iterator<Item = (&ClusterId, &Pool)> {
        self.each(Cluster::pools)
    }

    /// The SDN zones of all clusters.
    pub fn zones(&self) -> impl Iterator<Item = (&ClusterId, &SdnZone)> {
        self.each(Cluster::zones)
    }

    /// The tasks of all clusters; within each the newest first.
    pub fn tasks(&self) -> impl Iterator<Item = (&ClusterId, &Task)> {
        self.each(Cluster::tasks)
    }

    fn each<'a, T: 'a>(
        &'a self,
        list: impl Fn(&'a Cluster) -> &'a [T],
    ) -> impl Iterator<Item = (&'a ClusterId, &'a T)> {
        self.clusters
            .iter()
            .flat_map(move |cluster| list(cluster).iter().map(|item| (cluster.id(), item)))
    }

    /// One node.
    pub fn node(&self, node: &NodeRef) -> Option<&Node> {
        self.cluster(&node.cluster)?.node(&node.node)
    }

    /// One guest.
    pub fn guest(&self, guest: &GuestRef) -> Option<&Guest> {
        self.cluster(&guest.cluster)?.guest(guest.vmid)
    }

    /// One storage as a node sees it.
    pub fn storage(&self, storage: &StorageRef) -> Option<&Storage> {
        self.cluster(&storage.cluster)?
            .storage(&storage.node, &storage.storage)
    }

    /// One task.
    pub fn task(&self, task: &TaskRef) -> Option<&Task> {
        self.cluster(&task.cluster)?.task(&task.upid)
    }

    /// The guests that are on a node.
    pub fn guests_on(&self, node: &NodeRef) -> impl Iterator<Item = &Guest> {
        self.cluster(&node.cluster)
            .into_iter()
            .flat_map(|cluster| cluster.guests_on(&node.node))
    }

    /// The guests that belong to a pool.
    pub fn guests_in_pool<'a>(
        &'a self,
        cluster: &ClusterId,
        pool: &'a str,
    ) -> impl Iterator<Item = &'a Guest> {
        self.cluster(cluster)
            .into_iter()
            .flat_map(move |cluster| cluster.guests_in_pool(pool))
    }

    /// How fresh a feed is. A feed of an unknown cluster has never been read.
    pub fn freshness(&self, key: &FeedKey) -> Freshness<'_> {
        static NOTHING: std::sync::LazyLock<Records> = std::sync::LazyLock::new(Records::default);
        self.cluster(&key.cluster)
            .map_or_else(|| NOTHING.get(&key.feed), |cluster| cluster.freshness(&key.feed))
    }

    /// How a cluster is doing.
    pub fn cluster_health(&self, cluster: &ClusterId, now: Timestamp) -> Option<Health<'_>> {
        self.cluster(cluster).map(|cluster| cluster.health(now))
    }

    /// What is wrong in all clusters, the worst first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What is wrong with one object, the worst first.
    pub fn findings_of<'a>(&'a self, subject: &'a ObjectRef) -> impl Iterator<Item = &'a Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.subject == *subject)
    }

    /// How bad the worst is that is said of an object and nobody looks after. Cheap enough for each row of a list.
    pub fn worst_finding(&self, subject: &ObjectRef) -> Option<Severity> {
        self.worst.get(subject).copied()
    }

    fn node_details(&self, node: &NodeRef) -> Option<&NodeDetails> {
        self.cluster(&node.cluster)?.details.nodes.get(&node.node)
    }

    fn guest_details(&self, guest: &GuestRef) -> Option<&GuestDetails> {
        self.cluster(&guest.cluster)?.details.guests.get(&guest.vmid)
    }

    fn storage_details(&self, storage: &StorageRef) -> Option<&StorageDetails> {
        let key = (storage.node.clone(), storage.storage.clone());
        self.cluster(&storage.cluster)?.details.storages.get(&key)
    }

    /// What a node says of itself ([`Feed::NodeStatus`]).
    pub fn node_detail(&self, node: &NodeRef) -> Option<&NodeDetail> {
        self.node_details(node)?.status.as_ref()
    }

    /// Its services ([`Feed::NodeServices`]).
    pub fn node_services(&self, node: &NodeRef) -> Option<&[Service]> {
        self.node_details(node)?.services.as_deref()
    }

    /// Its certificates ([`Feed::NodeCertificates`]).
    pub fn node_certificates(&self, node: &NodeRef) -> Option<&[Certificate]> {
        self.node_details(node)?.certificates.as_deref()
    }

    /// Packages that wait for an update ([`Feed::NodeUpdates`]).
    pub fn node_updates(&self, node: &NodeRef) -> Option<&[PackageUpdate]> {
        self.node_details(node)?.updates.as_deref()
    }

    /// Its physical disks ([`Feed::NodeDisks`]).
    pub fn node_disks(&self, node: &NodeRef) -> Option<&[Disk]> {
        self.node_details(node)?.disks.as_deref()
    }

    /// Its network interfaces ([`Feed::NodeNetwork`]).
    pub fn node_network(&self, node: &NodeRef) -> Option<&[NetworkInterface]> {
        self.node_details(node)?.network.as_deref()
    }

    /// Its subscription ([`Feed::NodeSubscription`]).
    pub fn node_subscription(&self, node: &NodeRef) -> Option<&Subscription> {
        self.node_details(node)?.subscription.as_ref()
    }

    /// Its replication jobs ([`Feed::NodeReplication`]).
    pub fn node_replication(&self, node: &NodeRef) -> Option<&[ReplicationJob]> {
        self.node_details(node)?.replication.as_deref()
    }

    /// Its firewall ([`Feed::NodeFirewall`]).
    pub fn node_firewall(&self, node: &NodeRef) -> Option<&Firewall> {
        self.node_details(node)?.firewall.as_ref()
    }

    /// How far its clock is ahead of ours; negative if it is behind ([`Feed::NodeTime`]).
    pub fn node_skew(&self, node: &NodeRef) -> Option<SignedDuration> {
        self.node_details(node)?.skew
    }

    /// The newest lines of its log ([`Feed::NodeSyslog`]). Foreign text.
    pub fn node_syslog(&self, node: &NodeRef) -> Option<&[Box<str>]> {
        self.node_details(node)?.syslog.as_deref()
    }

    /// A guest's current state ([`Feed::GuestStatus`]).
    pub fn guest_detail(&self, guest: &GuestRef) -> Option<&GuestDetail> {
        self.guest_details(guest)?.status.as_deref()
    }

    /// Its configuration ([`Feed::GuestConfig`]).
    pub fn guest_config(&self, guest: &GuestRef) -> Option<&GuestConfig> {
        self.guest_details(guest)?.config.as_ref()
    }

    /// Changes that wait for its next start ([`Feed::GuestPending`]).
    pub fn guest_pending(&self, guest: &GuestRef) -> Option<&[PendingChange]> {
        self.guest_details(guest)?.pending.as_deref()
    }

    /// What the server says about moving it ([`Feed::GuestMigration`]).
    pub fn guest_migration(&self, guest: &GuestRef) -> Option<&Migration> {
        self.guest_details(guest)?.migration.as_ref()
    }

    /// Its network interfaces with addresses ([`Feed::GuestAddresses`]).
    pub fn guest_addresses(&self, guest: &GuestRef) -> Option<&[GuestInterface]> {
        self.guest_details(guest)?.addresses.as_deref()
    }

    /// Its snapshots ([`Feed::GuestSnapshots`]).
    pub fn guest_snapshots(&self, guest: &GuestRef) -> Option<&[Snapshot]> {
        self.cluster(&guest.cluster)?.snapshots(guest.vmid)
    }

    /// The guests that a backup job takes ([`Feed::JobGuests`]).
    pub fn job_guests(&self, job: &JobRef) -> Option<&[JobGuest]> {
        self.cluster(&job.cluster)?.details.jobs.get(&job.id)?.as_deref()
    }

    /// The zone of a node's clock, by which its jobs run ([`Feed::NodeTime`]); `None` if it is not known here.
    pub fn node_zone(&self, node: &NodeRef) -> Option<TimeZone> {
        TimeZone::get(self.node_details(node)?.zone.as_deref()?).ok()
    }

    /// A file inside it ([`Feed::GuestFile`]). Foreign text.
    pub fn guest_file(&self, guest: &GuestRef, file: &str) -> Option<&str> {
        self.guest_details(guest)?.files.get(file).map(|text| &**text)
    }

    /// Its firewall ([`Feed::GuestFirewall`]).
    pub fn guest_firewall(&self, guest: &GuestRef) -> Option<&Firewall> {
        self.guest_details(guest)?.firewall.as_ref()
    }

    /// A storage's state on its node ([`Feed::StorageStatus`]).
    pub fn storage_detail(&self, storage: &StorageRef) -> Option<&StorageDetail> {
        self.storage_details(storage)?.status.as_ref()
    }

    /// What is on it ([`Feed::StorageContent`]).
    pub fn storage_content(&self, storage: &StorageRef) -> Option<&[Volume]> {
        self.storage_details(storage)?.content.as_deref()
    }

    /// The log of a task ([`Feed::TaskLog`]).
    pub fn task_log(&self, task: &TaskRef) -> Option<&LogBuffer> {
        let cluster = self.cluster(&task.cluster)?;
        // A task whose state alone was read has a place on the shelf, and no log.
        cluster.freshness(&Feed::TaskLog(task.upid.clone())).data_at?;
        cluster.details.logs.get(&task.upid)
    }

    /// An object's JSON as the server sent it ([`Feed::Raw`]). Foreign text.
    pub fn raw(&self, object: &ObjectRef) -> Option<&str> {
        self.cluster(object.cluster())?
            .details
            .raws
            .get(object)?
            .as_deref()
    }

    /// What was recorded of an object ([`Feed::Rrd`]).
    pub fn rrd(&self, object: &ObjectRef, frame: Frame) -> Option<&Rrd> {
        let rrds = &self.cluster(object.cluster())?.details.rrds;
        rrds.get(&(object.clone(), frame))?.as_ref()
    }

    /// The last half hour of an object ([`Feed::Readings`]).
    pub fn readings(&self, object: &ObjectRef) -> Option<&Recent> {
        let of = match object {
            ObjectRef::Node(node) => ReadingOf::Node(node.node.clone()),
            ObjectRef::Guest(guest) => ReadingOf::Guest(guest.vmid),
            ObjectRef::Storage(storage) => ReadingOf::Storage(storage.node.clone(), storage.storage.clone()),
            _ => return None,
        };
        self.cluster(object.cluster())?.readings.get(&of)
    }

    /// From where on something is a finding.
    pub fn limits(&self) -> &FindingLimits {
        &self.limits
    }

    /// The last ten minutes of a node.
    pub fn node_history(&self, node: &NodeRef) -> Option<&History> {
        self.cluster(&node.cluster)?.history.nodes.get(&node.node)
    }

    /// The last ten minutes of a guest.
    pub fn guest_history(&self, guest: &GuestRef) -> Option<&History> {
        self.cluster(&guest.cluster)?.history.guests.get(&guest.vmid)
    }

    /// How full a storage was over the last hours.
    pub fn storage_history(&self, storage: &StorageRef) -> Option<&Ring> {
        let key = (storage.node.clone(), storage.storage.clone());
        self.cluster(&storage.cluster)?.history.storages.get(&key)
    }
}
