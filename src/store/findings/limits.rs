//! From where on something is a finding.

use jiff::SignedDuration;

use crate::domain::objective::Objectives;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The limits of all rules. Fractions are of 1.
#[derive(Clone, PartialEq, Debug)]
pub struct FindingLimits {
    /// CPU use of a node that is pressure if it lasts.
    pub cpu: f32,
    /// How many readings of ten seconds each it must last.
    pub cpu_readings: usize,
    /// Memory use of a node: warning, critical.
    pub memory: [f64; 2],
    /// Fill of a node's root file system: warning, critical.
    pub root: [f64; 2],
    /// Fill of a storage: warning, critical.
    pub storage: [f64; 2],
    /// Fill of a Backup Server's datastore: warning, critical.
    pub datastore: [f64; 2],
    /// For how long a guest may be locked.
    pub locked: SignedDuration,
    /// How near the end of a certificate may be: warning, critical.
    pub certificate: [SignedDuration; 2],
    /// How much clocks may differ.
    pub skew: SignedDuration,
    /// How much life a solid-state disk must have left, per cent.
    pub life_left: f64,
    /// For how long a failed task is worth knowing.
    pub failed_task: SignedDuration,
    /// How many failed tasks of one cluster are listed.
    pub failed_tasks: usize,
    /// How old the last good backup of a guest may be.
    pub objectives: Objectives,
    /// How old a snapshot may be.
    pub snapshot: SignedDuration,
    /// How long before its expiry a guest is worth a word.
    pub expiry: SignedDuration,
}

impl Default for FindingLimits {
    fn default() -> Self {
        Self {
            cpu: 0.90,
            cpu_readings: 6,
            memory: [0.90, 0.95],
            root: [0.85, 0.95],
            storage: [0.85, 0.95],
            datastore: [0.80, 0.95],
            locked: SignedDuration::from_secs(HOUR),
            certificate: [
                SignedDuration::from_secs(30 * DAY),
                SignedDuration::from_secs(7 * DAY),
            ],
            skew: SignedDuration::from_secs(60),
            life_left: 10.0,
            failed_task: SignedDuration::from_secs(DAY),
            failed_tasks: 10,
            objectives: Objectives::default(),
            snapshot: SignedDuration::from_secs(7 * DAY),
            expiry: SignedDuration::from_secs(7 * DAY),
        }
    }
}
