//! The one list of what is wrong: alerts of Prometheus and Alertmanager and our own findings, without doubles.
//!
//! What always holds here:
//! - Labels name an alert. What Prometheus adds on the way to Alertmanager (its external labels) makes no second one.
//! - Its key stays the same while a pending alert begins to fire, and while servers come and go.
//! - Whatever a server sends, the work grows with the number of alerts, not with its square.

use std::{borrow::Cow, collections::HashMap};

use jiff::Timestamp;

use super::{
    AlertKey, Finding, FindingKind, MonitorId, MonitorInfo, MonitorKind, ObjectRef, Severity, SilenceRef,
    acknowledge::Acknowledgement,
    alert::{Alert, AlertState},
    metric::Labels,
};

/// Who tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A monitoring server.
    Server(MonitorId),
    /// What the console sees itself in the data of Proxmox.
    Findings,
}

/// How an alert stands, all in all. The order is that of lists: the loud ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// Its condition holds, and nobody looks after it.
    Firing,
    /// Its server has not decided whether to tell anybody.
    Unknown,
    /// Its condition holds, but not for long enough yet.
    Pending,
    /// Somebody looks after it.
    Acknowledged,
    /// A silence keeps it quiet.
    Silenced,
    /// Another alert keeps it quiet.
    Inhibited,
}

impl Standing {
    /// The word of lists and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Acknowledged => "acknowledged",
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
        }
    }

    /// Whether it wants somebody's attention.
    pub fn is_loud(self) -> bool {
        matches!(self, Self::Firing | Self::Unknown)
    }
}

/// One entry of the list.
#[derive(Clone, PartialEq, Debug)]
pub struct Alarm {
    /// What names it.
    pub key: AlertKey,
    /// The name of its rule, or the kind of the finding. Foreign text, like all but times and states.
    pub name: Box<str>,
    /// All labels that are known of it.
    pub labels: Labels,
    /// What its rule says about it.
    pub annotations: Labels,
    /// One line about it.
    pub text: Box<str>,
    /// How bad it is; a rule that does not say it means a warning.
    pub severity: Severity,
    /// How it stands by what servers say.
    pub state: AlertState,
    /// Since when its condition holds.
    pub since: Option<Timestamp>,
    /// The value of its expression, where a server says it.
    pub value: Option<f64>,
    /// The node, guest, storage, task or cluster that it speaks of.
    pub object: Option<ObjectRef>,
    /// Who tells of it, never nobody.
    pub sources: Vec<Source>,
    /// The silences that keep it quiet.
    pub silenced_by: Vec<SilenceRef>,
    /// How many other alerts keep it quiet.
    pub inhibited_by: usize,
    /// Who is told.
    pub receivers: Vec<Box<str>>,
    /// The page where its expression can be looked at.
    pub link: Option<Box<str>>,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
}

impl Alarm {
    /// How it stands, all in all.
    pub fn standing(&self) -> Standing {
        match self.state {
            AlertState::Suppressed if self.silenced_by.is_empty() && self.inhibited_by > 0 => {
                Standing::Inhibited
            }
            AlertState::Suppressed => Standing::Silenced,
            _ if self.acknowledged.is_some() => Standing::Acknowledged,
            AlertState::Firing => Standing::Firing,
            AlertState::Pending => Standing::Pending,
            AlertState::Unknown => Standing::Unknown,
        }
    }

    /// The Alertmanagers that know it.
    pub fn managers(&self) -> impl Iterator<Item = &MonitorId> {
        self.sources.iter().filter_map(|source| match source {
            Source::Server(id) if id.kind == MonitorKind::Alertmanager => Some(id),
            _ => None,
        })
    }

    /// The order of lists: the loud ones first, then the worst, then the newest.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let quiet = |alarm: &Self| !alarm.standing().is_loud();
        (quiet(self), self.severity, other.since)
            .cmp(&(quiet(other), other.severity, self.since))
            .then_with(|| self.name.cmp(&other.name))
            .then_with(|| self.key.cmp(&other.key))
    }

    fn new(alert: &Alert, server: &MonitorId) -> Self {
        let mut alarm = Self {
            key: fingerprint(&alert.labels),
            name: alert.name().unwrap_or("alert without a name").into(),
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            text: alert.text().into(),
            severity: alert.severity().unwrap_or(Severity::Warning),
            state: alert.state,
            since: alert.since,
            value: alert.value,
            object: None,
            sources: Vec::new(),
            silenced_by: Vec::new(),
            inhibited_by: 0,
            receivers: Vec::new(),
            link: alert.link.clone(),
            acknowledged: None,
        };
        alarm.hear(alert, server);
        alarm
    }

    /// Takes what another server says of the same.
    fn join(&mut self, alert: &Alert, server: &MonitorId) {
        // Only an Alertmanager knows whether it is silenced; of several the one counts that tells somebody.
        let decides = |id: &MonitorId| id.kind == MonitorKind::Alertmanager;
        let decided = self.managers().next().is_some();
        match (decided, decides(server)) {
            (true, true) | (false, false) => self.state = self.state.min(alert.state),
            (false, true) => self.state = alert.state,
            (true, false) => {}
        }
        self.since = match (self.since, alert.since) {
            (Some(known), Some(said)) => Some(known.min(said)),
            (known, said) => known.or(said),
        };
        self.value = self.value.or(alert.value);
        if self.annotations.is_empty() {
            self.annotations = alert.annotations.clone();
            self.text = alert.text().into();
        }
        if self.link.is_none() {
            self.link.clone_from(&alert.link);
        }
        self.hear(alert, server);
    }

    fn hear(&mut self, alert: &Alert, server: &MonitorId) {
        let source = Source::Server(server.clone());
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
        self.inhibited_by = self.inhibited_by.max(alert.inhibited_by);
        let manager = server.home();
        self.silenced_by
            .extend(alert.silenced_by.iter().map(|id| SilenceRef {
                manager: manager.clone(),
                id: id.clone(),
            }));
        for receiver in &alert.receivers {
            if !self.receivers.contains(receiver) {
                self.receivers.push(receiver.clone());
            }
        }
    }
}

/// The fingerprint of labels as Alertmanager makes it: FNV-1a with 64 bits over names and values.
pub fn fingerprint(labels: &Labels) -> AlertKey {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0100_0000_01b3);
    };
    for (name, value) in labels.iter() {
        for part in [name, value] {
            part.bytes().for_each(&mut add);
            add(0xff);
        }
    }
    AlertKey(hash)
}

/// Sets of label names by which alerts of Prometheus are looked for among those of Alertmanager. A server with more
/// kinds of labels than this is not sane, and its alerts are then the same only if all labels are.
const WAYS: usize = 256;

/// The alerts of all servers, each once.
pub fn merge(told: &[(&MonitorInfo, &[Alert])]) -> Vec<Alarm> {
    let mut list = Merged::default();
    // What Alertmanager says comes first: it has all labels.
    for kind in [MonitorKind::Alertmanager, MonitorKind::Prometheus] {
        for (server, alerts) in told.iter().filter(|(server, _)| server.id.kind == kind) {
            for alert in *alerts {
                list.add(alert, &server.id);
            }
        }
    }
    list.alarms
}

#[derive(Default)]
struct Merged {
    alarms: Vec<Alarm>,
    by_labels: HashMap<Labels, usize>,
    /// For a set of label names: where the alert is whose labels, reduced to these, are so.
    reduced: HashMap<Vec<Box<str>>, HashMap<Labels, usize>>,
}

impl Merged {
    fn add(&mut self, alert: &Alert, server: &MonitorId) {
        let known = self.by_labels.get(&alert.labels).copied();
        let at = known.or_else(|| self.with_more_labels(&alert.labels, server));
        let Some(at) = at else {
            self.by_labels.insert(alert.labels.clone(), self.alarms.len());
            self.alarms.push(Alarm::new(alert, server));
            return;
        };
        let alarm = &mut self.alarms[at];
        alarm.join(alert, server);
        if known.is_none() {
            // By its own labels Prometheus knows it before and after Alertmanager does.
            alarm.key = fingerprint(&alert.labels);
            self.by_labels.insert(alert.labels.clone(), at);
        }
    }

    /// An alert of an Alertmanager that has all of these labels and more.
    fn with_more_labels(&mut self, labels: &Labels, server: &MonitorId) -> Option<usize> {
        if server.kind != MonitorKind::Prometheus || labels.get("alertname").is_none() {
            return None;
        }
        let names: Vec<Box<str>> = labels.iter().map(|(name, _)| name.into()).collect();
        if !self.reduced.contains_key(&names) {
            if self.reduced.len() >= WAYS {
                return None;
            }
            let alarms = self.alarms.iter().enumerate();
            let reduced = alarms
                .filter(|(_, alarm)| alarm.managers().next().is_some())
                .filter_map(|(at, alarm)| Some((reduce(&alarm.labels, &names)?, at)))
                .collect();
            self.reduced.insert(names.clone(), reduced);
        }
        self.reduced.get(&names)?.get(labels).copied()
    }
}

/// The labels of these names, if all are there.
fn reduce(labels: &Labels, names: &[Box<str>]) -> Option<Labels> {
    if labels.iter().len() < names.len() {
        return None;
    }
    let pairs: Option<Vec<(&str, &str)>> = names
        .iter()
        .map(|name| Some((&**name, labels.get(name)?)))
        .collect();
    pairs.map(|pairs| pairs.into_iter().collect())
}

/// Findings, and the rules of the shipped pack that tell of the same.
const TWINS: [(FindingKind, &[&str]); 4] = [
    (FindingKind::NodeOffline, &["ProxmoxNodeDown", "HostDown"]),
    (
        FindingKind::MemoryPressure,
        &["ProxmoxHighMemoryUsage", "HighMemoryUsage"],
    ),
    (FindingKind::CpuPressure, &["ProxmoxHighCpuUsage", "HighCpuUsage"]),
    (
        FindingKind::StorageFull,
        &[
            "ProxmoxStorageAlmostFull",
            "BackupStorageAlmostFull",
            "BackupStorageCritical",
        ],
    ),
];

/// Adds the findings. One of which a rule of the shipped pack tells already, about the same object, makes no second entry.
pub fn add_findings(alarms: &mut Vec<Alarm>, findings: &[Finding]) {
    let told: HashMap<(ObjectRef, Box<str>), usize> = alarms
        .iter()
        .enumerate()
        // What may still come to nothing tells of nothing yet.
        .filter(|(_, alarm)| alarm.state != AlertState::Pending)
        .filter_map(|(at, alarm)| Some(((alarm.object.clone()?, alarm.name.clone()), at)))
        .collect();
    for finding in findings {
        let twins = TWINS.iter().find(|(kind, _)| *kind == finding.kind);
        let twin = twins.and_then(|(_, names)| {
            let of = |name: &&str| told.get(&(finding.subject.clone(), (*name).into())).copied();
            names.iter().find_map(of)
        });
        match twin {
            Some(at) => {
                let alarm = &mut alarms[at];
                alarm.severity = alarm.severity.min(finding.severity);
                if !alarm.sources.contains(&Source::Findings) {
                    alarm.sources.push(Source::Findings);
                }
            }
            None => alarms.push(of_finding(finding)),
        }
    }
}

/// A finding as an entry of the list. How bad it is belongs not to what names it.
fn of_finding(finding: &Finding) -> Alarm {
    let object: Cow<'_, str> = finding.subject.to_string().into();
    let cluster = finding.subject.cluster().as_str();
    let pairs = [
        ("alertname", finding.kind.as_str()),
        ("cluster", cluster),
        ("object", &object),
    ];
    let labels: Labels = pairs.into_iter().collect();
    Alarm {
        key: fingerprint(&labels),
        name: finding.kind.as_str().into(),
        labels,
        annotations: Labels::default(),
        text: finding.text.as_str().into(),
        severity: finding.severity,
        state: AlertState::Firing,
        since: Some(finding.since),
        value: None,
        object: Some(finding.subject.clone()),
        sources: vec![Source::Findings],
        silenced_by: Vec::new(),
        inhibited_by: 0,
        receivers: Vec::new(),
        link: None,
        acknowledged: None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
