//! Monitoring servers: which kinds there are, and what names one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{
    ClusterId,
    metric::{QueryValue, Window},
};

/// The kinds of servers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MonitorKind {
    /// Prometheus, or what speaks its API.
    Prometheus,
    /// Alertmanager.
    Alertmanager,
    /// Something with a page of metrics.
    Exporter,
}

impl MonitorKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prometheus, Self::Alertmanager, Self::Exporter];

    /// The section of the configuration.
    pub fn section(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Exporter => "exporter",
        }
    }
}

/// One of the servers of the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MonitorId {
    /// What it is.
    pub kind: MonitorKind,
    /// What the configuration calls it; unique within its kind.
    pub name: Box<str>,
}

impl MonitorId {
    /// A server by its name.
    pub fn new(kind: MonitorKind, name: &str) -> Self {
        let name = name.into();
        Self { kind, name }
    }

    /// Where what is done to it is sent, in the place of a cluster; no cluster can have this name.
    pub fn home(&self) -> ClusterId {
        ClusterId::from(format!("{}:{}", self.kind.section(), self.name))
    }
}

impl fmt::Display for MonitorId {
    /// `prometheus`, or with a name of its own `prometheus thanos`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.section())?;
        if *self.name == *self.kind.section() {
            return Ok(());
        }
        write!(f, " {}", self.name)
    }
}

/// What is known of a server without asking it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonitorInfo {
    /// Which one.
    pub id: MonitorId,
    /// Where it is.
    pub address: Box<str>,
    /// The clusters that it watches; all if none is named.
    pub clusters: Vec<ClusterId>,
    /// Of a Prometheus: the label that names the cluster of a series.
    pub cluster_label: Box<str>,
    /// Of an Alertmanager: no silence is made or ended.
    pub read_only: bool,
}

impl MonitorInfo {
    /// Whether it watches this cluster.
    pub fn watches(&self, cluster: &ClusterId) -> bool {
        self.clusters.is_empty() || self.clusters.contains(cluster)
    }
}

/// A span of time that a graph shows: one that ends now and moves on, or one that stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stretch {
    /// How long it is, seconds.
    pub seconds: i64,
    /// When it ends; `None` is now.
    pub until: Option<Timestamp>,
    /// About how many points it has.
    pub points: u16,
}

impl Stretch {
    /// The window as it is asked for at `now`.
    pub fn window(&self, now: Timestamp) -> Window {
        let span = SignedDuration::from_secs(self.seconds);
        Window::last(span, self.until.unwrap_or(now), self.points)
    }
}

/// What a PromQL expression gave, and what the server had to say about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The values.
    pub value: QueryValue,
    /// Warnings: a part is missing, a label looks wrong. Foreign text.
    pub warnings: Vec<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_its_name_once() {
        let of = |name| MonitorId::new(MonitorKind::Prometheus, name).to_string();
        assert_eq!(
            [of("prometheus"), of("thanos")],
            ["prometheus", "prometheus thanos"]
        );
    }

    #[test]
    fn a_stretch_follows_the_present_or_stays() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let moving = Stretch {
            seconds: 3600,
            until: None,
            points: 120,
        };
        assert_eq!(moving.window(at(1_700_000_000)).end, at(1_699_999_980));
        let fixed = Stretch {
            until: Some(at(1_600_000_020)),
            ..moving
        };
        assert_eq!(fixed.window(at(1_700_000_000)).end, at(1_600_000_020));
    }
}
