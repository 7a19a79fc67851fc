//! Findings: what is wrong or soon will be, derived from what the store knows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::ObjectRef;

/// How bad a finding is. The order is the order of lists: the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is broken now.
    Critical,
    /// Something will break, or a safety net is gone.
    Warning,
    /// Worth knowing.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// What kind of fault a finding tells of. The name is stable: filters, JSON output and runbooks use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it; `title` is what users read")]
pub enum FindingKind {
    ClusterUnreachable,
    QuorumLost,
    NodeOffline,
    NodeUnknown,
    CpuPressure,
    MemoryPressure,
    RootFull,
    StorageFull,
    StorageUnavailable,
    HaError,
    ReplicationFailed,
    GuestLocked,
    CertificateExpiring,
    ServiceFailed,
    UpdatesPending,
    DiskFailing,
    SubscriptionProblem,
    NetworkZoneError,
    ClockSkew,
    VersionsDiffer,
    TaskFailed,
    RowRejected,
    BackupServerUnreachable,
    DatastoreFull,
    DatastoreFilling,
    DatastoreUnavailable,
    VerificationFailed,
    NeverVerified,
    NotVerifiedByJob,
    CollectionFailed,
    DatastoreJobFailed,
    DatastoreJobLate,
    NotBackedUp,
    BackupMissing,
    BackupOld,
    BackupBad,
    BackupUnverified,
    BackupJobFailed,
    BackupJobMissed,
    RetentionThin,
    SnapshotOld,
    GuestExpired,
    GuestExpiring,
}

impl FindingKind {
    /// The stable word: `node-offline`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterUnreachable => "cluster-unreachable",
            Self::QuorumLost => "quorum-lost",
            Self::NodeOffline => "node-offline",
            Self::NodeUnknown => "node-unknown",
            Self::CpuPressure => "cpu-pressure",
            Self::MemoryPressure => "memory-pressure",
            Self::RootFull => "root-full",
            Self::StorageFull => "storage-full",
            Self::StorageUnavailable => "storage-unavailable",
            Self::HaError => "ha-error",
            Self::ReplicationFailed => "replication-failed",
            Self::GuestLocked => "guest-locked",
            Self::CertificateExpiring => "certificate-expiring",
            Self::ServiceFailed => "service-failed",
            Self::UpdatesPending => "updates-pending",
            Self::DiskFailing => "disk-failing",
            Self::SubscriptionProblem => "subscription-problem",
            Self::NetworkZoneError => "network-zone-error",
            Self::ClockSkew => "clock-skew",
            Self::VersionsDiffer => "versions-differ",
            Self::TaskFailed => "task-failed",
            Self::RowRejected => "row-rejected",
            Self::BackupServerUnreachable => "backup-server-unreachable",
            Self::DatastoreFull => "datastore-full",
            Self::DatastoreFilling => "datastore-filling",
            Self::DatastoreUnavailable => "datastore-unavailable",
            Self::VerificationFailed => "verification-failed",
            Self::NeverVerified => "never-verified",
            Self::NotVerifiedByJob => "not-verified-by-job",
            Self::CollectionFailed => "collection-failed",
            Self::DatastoreJobFailed => "datastore-job-failed",
            Self::DatastoreJobLate => "datastore-job-late",
            Self::NotBackedUp => "not-backed-up",
            Self::BackupMissing => "backup-missing",
            Self::BackupOld => "backup-old",
            Self::BackupBad => "backup-bad",
            Self::BackupUnverified => "backup-unverified",
            Self::BackupJobFailed => "backup-job-failed",
            Self::BackupJobMissed => "backup-job-missed",
            Self::RetentionThin => "retention-thin",
            Self::SnapshotOld => "snapshot-old",
            Self::GuestExpired => "guest-expired",
            Self::GuestExpiring => "guest-expiring",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One finding. `kind` and `subject` are its identity: the same two again are the same finding going on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: FindingKind,
    /// Of what.
    pub subject: ObjectRef,
    /// One sentence with the numbers. Foreign text may be part of it.
    pub text: String,
    /// When it was first seen by this console.
    pub since: jiff::Timestamp,
}
