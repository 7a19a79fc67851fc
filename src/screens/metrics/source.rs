//! Where the values of a graph come from, and what is said where there are none.
//!
//! What always holds here: a Prometheus that watches the cluster comes first; where it has nothing, that is said and
//! Proxmox is asked.

use jiff::{SignedDuration, Timestamp};

use super::{
    forecast::forecast,
    menu::span_name,
    monitored::{self, Asked, Monitored, State},
};
use crate::{
    domain::{
        GuestStatus, NodeStatus, ObjectRef, StorageStatus,
        measure::{Measure, Shown, Strand},
        metric::Sample,
        rrd::{Frame, Rrd},
    },
    screens::Cx,
    store::{Feed, FeedErrorKind, FeedKey, FindingLimits, MonitorFeed, MonitorKey, Ring},
    ui::{
        Tone,
        graph::{Graph, Limit, Trace, View},
    },
};

/// Up to this span what was seen in this run is enough.
const SEEN: SignedDuration = SignedDuration::from_mins(10);
/// Up to this span a cluster tells the readings of all its objects at once.
const TOLD: SignedDuration = SignedDuration::from_mins(30);
const TONES: [Tone; 4] = [Tone::Graph1, Tone::Graph2, Tone::Graph3, Tone::Graph4];

/// What there is to say about the values of a graph.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Gathered {
    /// From where they are: `live`, `rrd`, `prometheus`.
    pub(super) source: String,
    /// What else is known: a forecast, or why a Prometheus has nothing.
    pub(super) note: Option<String>,
    /// What they were read with: they are as old as that.
    pub(super) feeds: Vec<FeedKey>,
    /// The same of monitoring.
    pub(super) monitors: Vec<MonitorKey>,
}

/// From where Proxmox has values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    /// What was seen in this run.
    Seen,
    /// What the cluster tells of the last half hour.
    Told,
    /// What Proxmox recorded.
    Recorded(Frame),
}

impl Source {
    fn of(cx: &Cx<'_>, object: &ObjectRef, measure: Measure, view: &View) -> Self {
        let extent = view.extent(cx.now);
        let recent = view.follows() && extent.span() <= TOLD;
        let kept =
            matches!(measure, Measure::Cpu | Measure::Memory) && !matches!(object, ObjectRef::Storage(_));
        let seen = kept && recent && extent.span() <= SEEN;
        let readings = cx.store.freshness(&Feed::Readings.of(object.cluster()));
        // Pressure is not among what is told at once; and nothing is asked for what is known without.
        if recent && measure != Measure::Pressure && is_told(cx, object) && !(seen && readings.is_waiting()) {
            return Self::Told;
        }
        if seen {
            return Self::Seen;
        }
        Self::Recorded(Frame::reaching(cx.now.duration_since(extent.from)))
    }

    fn feed(self, object: &ObjectRef) -> FeedKey {
        let feed = match self {
            Self::Seen => Feed::Resources,
            Self::Told => Feed::Readings,
            Self::Recorded(frame) => Feed::Rrd(object.clone(), frame),
        };
        feed.of(object.cluster())
    }

    fn word(self) -> &'static str {
        match self {
            Self::Seen | Self::Told => "live",
            Self::Recorded(_) => "rrd",
        }
    }
}

/// Whether the cluster tells readings of the object, as far as is known: older servers cannot, some never fill it.
fn is_told(cx: &Cx<'_>, object: &ObjectRef) -> bool {
    let fresh = cx.store.freshness(&Feed::Readings.of(object.cluster()));
    match (fresh.data_at, fresh.error) {
        (Some(_), _) => cx.store.readings(object).is_some(),
        (None, Some(error)) => !matches!(
            error.kind,
            FeedErrorKind::NotAvailable | FeedErrorKind::NotAllowed | FeedErrorKind::Server
        ),
        (None, None) => true,
    }
}

/// Where the values of one object come from.
struct Origin<'a> {
    /// What is asked of a Prometheus, if its answers are shown.
    asked: Vec<Asked<'a>>,
    /// Otherwise what Proxmox has.
    proxmox: Option<(Measure, Source)>,
    /// Why a Prometheus has nothing, or what it warns of.
    note: Option<String>,
    /// All that is asked of monitoring, shown or not.
    monitors: Vec<MonitorKey>,
}

impl<'a> Origin<'a> {
    fn of(cx: &Cx<'a>, object: &ObjectRef, shown: &Shown, view: &View) -> Self {
        let measure = match shown {
            Shown::Measure(measure) => Some(*measure),
            Shown::Metric(_) => None,
        };
        let mut origin = Self {
            asked: Vec::new(),
            proxmox: measure.map(|measure| (measure, Source::of(cx, object, measure, view))),
            note: None,
            monitors: Vec::new(),
        };
        match monitored::ask(cx, object, shown, view) {
            Monitored::Nobody if measure.is_none() => {
                origin.note = Some("no Prometheus watches this cluster".to_owned());
            }
            Monitored::Nobody => {}
            Monitored::Unknown(server) => {
                let names = MonitorFeed::Names.of(server.id());
                let error = cx.store.monitors.freshness(&names).error;
                origin.note = error.map(|error| error.message.clone());
                origin.monitors.push(names);
            }
            Monitored::Unmeasured(server) => {
                origin.monitors.push(MonitorFeed::Names.of(server.id()));
                origin.note = Some(format!("{} has no such metric", server.id()));
            }
            Monitored::Asked(asked) => {
                origin.monitors.push(MonitorFeed::Names.of(&asked[0].key.server));
                origin.monitors.extend(asked.iter().map(|one| one.key.clone()));
                let states: Vec<State<'a>> = asked.iter().map(|one| one.state(cx)).collect();
                let useful = states
                    .iter()
                    .any(|state| matches!(state, State::Series(_) | State::Waiting));
                origin.note = states.iter().find_map(|state| match state {
                    State::Failed(why) | State::Nothing(why) => {
                        Some(format!("{}: {why}", asked[0].key.server))
                    }
                    _ => None,
                });
                if useful {
                    origin.note = origin
                        .note
                        .or_else(|| Some(asked.iter().find_map(|one| one.warning(cx))?.to_owned()));
                    origin.asked = asked;
                    origin.proxmox = None;
                }
            }
        }
        origin
    }

    fn word(&self) -> String {
        match (self.asked.first(), self.proxmox) {
            (Some(asked), _) => asked.key.server.to_string(),
            (None, Some((_, source))) => source.word().to_owned(),
            (None, None) => String::new(),
        }
    }
}

/// The feeds of monitoring that the graph is made of.
pub(super) fn monitors(cx: &Cx<'_>, objects: &[ObjectRef], shown: &Shown, view: &View) -> Vec<MonitorKey> {
    let origins = objects.iter().map(|object| Origin::of(cx, object, shown, view));
    origins.flat_map(|origin| origin.monitors).collect()
}

/// The feeds of Proxmox that the graph is made of.
pub(super) fn feeds(cx: &Cx<'_>, objects: &[ObjectRef], shown: &Shown, view: &View) -> Vec<FeedKey> {
    objects
        .iter()
        .filter_map(|object| {
            let (_, source) = Origin::of(cx, object, shown, view).proxmox?;
            Some(source.feed(object))
        })
        .collect()
}

/// Puts a graph together.
pub(super) fn gather(cx: &Cx<'_>, objects: &[ObjectRef], shown: &Shown, view: &View) -> (Gathered, Graph) {
    let extent = view.extent(cx.now);
    let mut traces: Vec<Trace> = Vec::new();
    let mut gathered = Gathered::default();
    let wanted = match shown {
        Shown::Measure(measure) => Some(*measure),
        Shown::Metric(_) => None,
    };
    let mut unit = wanted.map(Measure::unit);
    let mut words: Vec<String> = Vec::new();
    for object in objects {
        let origin = Origin::of(cx, object, shown, view);
        let word = origin.word();
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
        gathered.note = gathered.note.or_else(|| origin.note.clone());
        let called = |strand: &str| match (objects.len(), strand) {
            (1, "") => shown.as_str().to_owned(),
            (1, strand) => strand.to_owned(),
            (_, "") => name(cx, object),
            (_, strand) => format!("{} {strand}", name(cx, object)),
        };
        if let Some((measure, source)) = origin.proxmox {
            gathered.feeds.push(source.feed(object));
            for strand in measure.strands(object) {
                let (name, tone) = (called(strand.name), TONES[traces.len() % TONES.len()]);
                traces.push(match source {
                    Source::Seen => seen(cx, object, measure, name, tone),
                    Source::Told => told(cx, object, *strand, name, tone),
                    Source::Recorded(frame) => recorded(cx, object, *strand, frame, name, tone),
                });
            }
        }
        gathered.monitors.extend(origin.monitors);
        for asked in &origin.asked {
            let (whole, its_unit) = asked.scale(cx, object, wanted.map(Measure::unit));
            unit = Some(its_unit);
            let State::Series(series) = asked.state(cx) else {
                continue;
            };
            for one in &series {
                let apart = if series.len() > 1 {
                    monitored::told_apart(one)
                } else {
                    String::new()
                };
                let name = format!("{} {apart}", called(asked.strand)).trim_end().to_owned();
                let tone = TONES[traces.len() % TONES.len()];
                let samples = monitored::samples(one, whole);
                traces.push(Trace::new(name, tone, samples, asked.longest(cx)));
            }
        }
    }
    gathered.source = words.join(", ");
    if let (Some(Measure::Fill), [one]) = (wanted, traces.as_slice()) {
        gathered.note = forecast(one.within(extent)).or(gathered.note);
    }
    let unit = unit.unwrap_or_default();
    let limits = match wanted {
        // The limits are shares.
        Some(measure) if measure.unit() == unit => limits(cx.store.limits(), measure, objects.first()),
        _ => Vec::new(),
    };
    let graph = Graph {
        traces,
        extent,
        unit,
        limits,
        moments: Vec::new(),
        cursor: view.cursor(),
        zone: cx.zone.clone(),
        empty: empty(cx, objects, &gathered, view),
    };
    (gathered, graph)
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

/// What the cluster told of the last half hour.
fn told(cx: &Cx<'_>, object: &ObjectRef, strand: Strand, name: String, tone: Tone) -> Trace {
    let recent = cx.store.readings(object);
    let rows = 0..recent.map_or(0, crate::store::Recent::len);
    let samples = rows.filter_map(|row| {
        let recent = recent?;
        Some(Sample {
            at: recent.at(row),
            value: strand.value(|field| recent.get(row, field)).unwrap_or(f64::NAN),
        })
    });
    // A generation that is a little late is no gap.
    Trace::new(name, tone, samples.collect(), SignedDuration::from_secs(25))
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
fn empty(cx: &Cx<'_>, objects: &[ObjectRef], gathered: &Gathered, view: &View) -> String {
    let proxmox = gathered.feeds.iter().map(|key| cx.store.freshness(key));
    let names = |key: &&MonitorKey| key.feed != MonitorFeed::Names;
    let monitors = gathered.monitors.iter().filter(names);
    let asked = monitors.map(|key| cx.store.monitors.freshness(key));
    let mut records = proxmox.collect::<Vec<_>>();
    if records.is_empty() {
        records.extend(asked);
    }
    if let (true, Some(note)) = (records.is_empty(), &gathered.note) {
        return format!("no data: {note}");
    }
    let records = records.into_iter();
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
