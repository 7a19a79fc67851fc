//! Where the values of a graph come from, and what is said where there are none.

use jiff::{SignedDuration, Timestamp};

use super::menu::span_name;
use crate::{
    domain::{
        GuestStatus, NodeStatus, ObjectRef, StorageStatus,
        measure::{Measure, Strand},
        metric::Sample,
        rrd::{Frame, Rrd},
    },
    screens::Cx,
    store::{Feed, FeedKey, FindingLimits, Ring},
    ui::{
        Tone,
        graph::{Graph, Limit, Trace, View},
    },
};

/// Up to this span what was seen in this run is enough.
const SEEN: SignedDuration = SignedDuration::from_mins(10);
const TONES: [Tone; 4] = [Tone::Graph1, Tone::Graph2, Tone::Graph3, Tone::Graph4];

/// What there is to say about the values of a graph.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Gathered {
    /// From where they are: `live`, `rrd`.
    pub(super) source: String,
    /// What else is known: a forecast.
    pub(super) note: Option<String>,
    /// What they were read with: they are as old as that.
    pub(super) feeds: Vec<FeedKey>,
}

/// From where values come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    /// What was seen in this run.
    Seen,
    /// What Proxmox recorded.
    Recorded(Frame),
}

impl Source {
    fn of(object: &ObjectRef, measure: Measure, view: &View, now: Timestamp) -> Self {
        let kept =
            matches!(measure, Measure::Cpu | Measure::Memory) && !matches!(object, ObjectRef::Storage(_));
        let extent = view.extent(now);
        if kept && view.follows() && extent.span() <= SEEN {
            return Self::Seen;
        }
        Self::Recorded(Frame::reaching(now.duration_since(extent.from)))
    }

    fn feed(self, object: &ObjectRef) -> FeedKey {
        let feed = match self {
            Self::Seen => Feed::Resources,
            Self::Recorded(frame) => Feed::Rrd(object.clone(), frame),
        };
        feed.of(object.cluster())
    }
}

/// The feeds that the graph is made of.
pub(super) fn feeds(cx: &Cx<'_>, objects: &[ObjectRef], measure: Measure, view: &View) -> Vec<FeedKey> {
    objects
        .iter()
        .map(|object| Source::of(object, measure, view, cx.now).feed(object))
        .collect()
}

/// Puts a graph together.
pub(super) fn gather(cx: &Cx<'_>, objects: &[ObjectRef], measure: Measure, view: &View) -> (Gathered, Graph) {
    let extent = view.extent(cx.now);
    let mut traces: Vec<Trace> = Vec::new();
    let mut source = String::new();
    for object in objects {
        let from = Source::of(object, measure, view, cx.now);
        source = words(from);
        for strand in measure.strands(object) {
            let name = match (objects.len(), strand.name) {
                (1, "") => measure.as_str().to_owned(),
                (1, strand) => strand.to_owned(),
                (_, "") => name(cx, object),
                (_, strand) => format!("{} {strand}", name(cx, object)),
            };
            let tone = TONES[traces.len() % TONES.len()];
            traces.push(match from {
                Source::Seen => seen(cx, object, measure, name, tone),
                Source::Recorded(frame) => recorded(cx, object, *strand, frame, name, tone),
            });
        }
    }
    let note = match (measure, traces.as_slice()) {
        (Measure::Fill, [one]) => forecast(one.within(extent)),
        _ => None,
    };
    let gathered = Gathered {
        source,
        note,
        feeds: feeds(cx, objects, measure, view),
    };
    let graph = Graph {
        traces,
        extent,
        unit: measure.unit(),
        limits: limits(cx.store.limits(), measure, objects.first()),
        moments: Vec::new(),
        cursor: view.cursor(),
        zone: cx.zone.clone(),
        empty: empty(cx, objects, &gathered.feeds, view),
    };
    (gathered, graph)
}

fn words(source: Source) -> String {
    match source {
        Source::Seen => "live".to_owned(),
        Source::Recorded(_) => "rrd".to_owned(),
    }
}

/// The name of an object, as short as it is told apart.
pub(super) fn name(cx: &Cx<'_>, object: &ObjectRef) -> String {
    match object {
        ObjectRef::Guest(id) => match cx.store.guest(id) {
            Some(guest) => format!("{} {}", id.vmid, guest.label()),
            None => id.vmid.to_string(),
        },
        ObjectRef::Node(node) => node.node.to_string(),
        ObjectRef::Storage(storage) => format!("{}/{}", storage.node, storage.storage),
        other => other.to_string(),
    }
}

/// What was seen in this run.
fn seen(cx: &Cx<'_>, object: &ObjectRef, measure: Measure, name: String, tone: Tone) -> Trace {
    let history = match object {
        ObjectRef::Node(node) => cx.store.node_history(node),
        ObjectRef::Guest(guest) => cx.store.guest_history(guest),
        _ => None,
    };
    let ring = history.map(|history| {
        if measure == Measure::Memory {
            &history.mem
        } else {
            &history.cpu
        }
    });
    let samples = ring
        .into_iter()
        .flat_map(Ring::points)
        .map(|(second, value)| Sample {
            at: Timestamp::from_second(second).unwrap_or_default(),
            value: value.map_or(f64::NAN, f64::from),
        });
    // Readings come nearly, not exactly, each ten seconds.
    let longest = SignedDuration::from_secs(ring.map_or(10, Ring::step) * 5 / 2);
    Trace::new(name, tone, samples.collect(), longest)
}

/// What Proxmox recorded. A record without the value is a gap.
fn recorded(
    cx: &Cx<'_>,
    object: &ObjectRef,
    strand: Strand,
    frame: Frame,
    name: String,
    tone: Tone,
) -> Trace {
    let recording = cx.store.rrd(object, frame);
    let records = recording.into_iter().flat_map(Rrd::records);
    let samples = records.map(|record| Sample {
        at: record.at,
        value: strand.value(|field| record.get(field)).unwrap_or(f64::NAN),
    });
    let step = recording
        .and_then(Rrd::step)
        .unwrap_or(SignedDuration::from_mins(1));
    Trace::new(name, tone, samples.collect(), step.saturating_add(step / 2))
}

/// From where on a finding is made of it.
fn limits(limits: &FindingLimits, measure: Measure, object: Option<&ObjectRef>) -> Vec<Limit> {
    let two = |[warning, critical]: [f64; 2]| {
        vec![
            Limit {
                value: warning,
                tone: Tone::Warn,
            },
            Limit {
                value: critical,
                tone: Tone::Bad,
            },
        ]
    };
    match (measure, object) {
        (Measure::Cpu, Some(ObjectRef::Node(_))) => vec![Limit {
            value: limits.cpu.into(),
            tone: Tone::Warn,
        }],
        (Measure::Memory, Some(ObjectRef::Node(_))) => two(limits.memory),
        (Measure::Root, _) => two(limits.root),
        (Measure::Fill, _) => two(limits.storage),
        _ => Vec::new(),
    }
}

/// Why there is nothing to see.
fn empty(cx: &Cx<'_>, objects: &[ObjectRef], feeds: &[FeedKey], view: &View) -> String {
    let records = feeds.iter().map(|key| cx.store.freshness(key));
    if let Some(error) = records.clone().find_map(|fresh| fresh.error) {
        return format!("no data: {}", error.message);
    }
    if records.clone().any(|fresh| fresh.data_at.is_none()) {
        return "waiting for data".to_owned();
    }
    let span = span_name(view.span());
    match objects {
        [one] => match at_rest(cx, one) {
            Some(state) => format!("no data: {} {state}", name(cx, one)),
            None => format!("no data: nothing was recorded in this {span}"),
        },
        _ => format!("no data: nothing was recorded of any of them in this {span}"),
    }
}

/// Why an object has no values now.
fn at_rest(cx: &Cx<'_>, object: &ObjectRef) -> Option<&'static str> {
    match object {
        ObjectRef::Guest(id) => match cx.store.guest(id) {
            None => Some("is not there"),
            Some(guest) if guest.template => Some("is a template and never runs"),
            Some(guest) => match guest.status {
                GuestStatus::Stopped => Some("is stopped"),
                GuestStatus::Unknown => Some("is on a node that is away"),
                _ => None,
            },
        },
        ObjectRef::Node(id) => match cx.store.node(id).map(|node| node.status) {
            None => Some("is not there"),
            Some(NodeStatus::Offline) => Some("is offline"),
            Some(NodeStatus::Unknown) => Some("is in a state that nobody knows"),
            Some(NodeStatus::Online) => None,
        },
        ObjectRef::Storage(id) => match cx.store.storage(id).map(|storage| storage.status) {
            None => Some("is not there"),
            Some(StorageStatus::Unavailable) => Some("is not available"),
            _ => None,
        },
        _ => None,
    }
}

/// When a storage will be full if it goes on as in sight. Said only where the growth stands out from its scatter.
pub(super) fn forecast(samples: &[Sample]) -> Option<String> {
    let values: Vec<(f64, f64)> = samples
        .iter()
        .filter(|sample| sample.value.is_finite())
        .map(|sample| (sample.at.as_second() as f64 / 86_400.0, sample.value))
        .collect();
    let (first, last) = (values.first()?, values.last()?);
    let count = values.len() as f64;
    let days = last.0 - first.0;
    if values.len() < 10 || days < 1.0 / 25.0 {
        return None;
    }
    let mean = |pick: fn(&(f64, f64)) -> f64| values.iter().map(pick).sum::<f64>() / count;
    let (middle, level) = (mean(|value| value.0), mean(|value| value.1));
    let spread: f64 = values.iter().map(|(x, _)| (x - middle).powi(2)).sum();
    let slope = values
        .iter()
        .map(|(x, y)| (x - middle) * (y - level))
        .sum::<f64>()
        / spread;
    let line = |x: f64| level + slope * (x - middle);
    let scatter = (values.iter().map(|(x, y)| (y - line(*x)).powi(2)).sum::<f64>() / count).sqrt();
    let grown = slope * days;
    if !grown.is_finite() || grown.abs() < 0.000_5 || grown.abs() < 2.0 * scatter {
        return Some("no clear trend".to_owned());
    }
    if grown < 0.0 {
        return Some("shrinks".to_owned());
    }
    let left = ((1.0 - line(last.0)) / slope).max(0.0);
    // What is more than a few times as far ahead as one looks back is no forecast.
    if left > days * 20.0 {
        let per_day = crate::ui::graph::value(slope, crate::domain::metric::Unit::Ratio);
        return Some(format!("grows {per_day} a day"));
    }
    let seconds = (left * 86_400.0) as i64;
    Some(format!(
        "full in about {} at this pace",
        crate::domain::quantity::short_span(seconds)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(per_day: f64, noise: f64) -> Vec<Sample> {
        (0..240)
            .map(|hour| Sample {
                at: Timestamp::from_second(1_700_000_000 + hour * 3600).unwrap(),
                value: 0.5 + per_day * hour as f64 / 24.0 + noise * if hour % 2 == 0 { 1.0 } else { -1.0 },
            })
            .collect()
    }

    #[test]
    fn a_forecast_follows_the_growth_and_says_nothing_of_noise() {
        assert_eq!(
            forecast(&line(0.02, 0.001)).as_deref(),
            Some("full in about 15d at this pace")
        );
        assert_eq!(forecast(&line(0.000_5, 0.1)).as_deref(), Some("no clear trend"));
        assert_eq!(forecast(&line(-0.01, 0.0)).as_deref(), Some("shrinks"));
        assert_eq!(
            forecast(&line(0.000_8, 0.0)).as_deref(),
            Some("grows 0.08% a day")
        );
        assert_eq!(forecast(&line(0.02, 0.0)[..5]), None, "too little to go by");
        assert_eq!(forecast(&[]), None);
    }
}
