//! Graphs from a Prometheus: what is asked of it for an object, and which of its series are the object's.

use jiff::SignedDuration;

use crate::{
    domain::{
        MonitorKind, ObjectRef,
        matching::{self, Found, Subject},
        measure::Shown,
        metric::{Labels, NAME, QueryValue, Sample, Series, Unit},
        monitor::Stretch,
        template::{self, Of, Template},
    },
    screens::Cx,
    store::{Monitor, MonitorFeed, MonitorKey},
    ui::graph::View,
};

/// Points that a graph is asked for: about as many as it has dots.
const POINTS: u16 = 240;
/// Series of one line: more cannot be told apart.
const SERIES: usize = 6;

/// What a Prometheus can say of an object.
pub(super) enum Monitored<'a> {
    /// None watches its cluster, or there is nothing like it to ask for.
    Nobody,
    /// It is not known yet which metrics there are.
    Unknown(&'a Monitor),
    /// It has no such metric.
    Unmeasured(&'a Monitor),
    /// What is asked, a query for each line.
    Asked(Vec<Asked<'a>>),
}

/// One query.
pub(super) struct Asked<'a> {
    /// The name of the line.
    pub(super) strand: &'static str,
    pub(super) template: &'a Template,
    pub(super) key: MonitorKey,
    server: &'a Monitor,
    subject: Subject,
}

/// What a query has brought.
pub(super) enum State<'a> {
    /// Nothing yet.
    Waiting,
    /// No answer, and why.
    Failed(String),
    /// No series of this object, and what was tried.
    Nothing(String),
    /// Its series.
    Series(Vec<&'a Series>),
}

/// What is asked for an object.
pub(super) fn ask<'a>(cx: &Cx<'a>, object: &ObjectRef, shown: &Shown, view: &View) -> Monitored<'a> {
    let monitors = &cx.store.monitors;
    let found = (
        Of::object(object),
        monitors.watching(MonitorKind::Prometheus, object.cluster()),
        cx.store.subject(object),
    );
    let (Some(of), Some(server), Some(subject)) = found else {
        return Monitored::Nobody;
    };
    if server.names().is_none() {
        return Monitored::Unknown(server);
    }
    let strands: Vec<(&'static str, &str)> = match shown {
        Shown::Measure(measure) => measure.metrics().to_vec(),
        Shown::Metric(name) => vec![("", &**name)],
    };
    let stretch = stretch(cx, view);
    let span = template::rate_span(stretch.window(cx.now).step);
    let asked: Vec<Asked<'a>> = strands
        .into_iter()
        .filter_map(|(strand, name)| {
            let template = monitors.template(server, of, name)?;
            // One query for all ways of finding it; whose series they are is looked at afterwards.
            let ways = template.of_one(&subject, span);
            let query = match ways.as_slice() {
                [] => return None,
                [only] => only.clone(),
                several => format!("({})", several.join(") or (")),
            };
            let feed = MonitorFeed::Range(query.into(), stretch);
            Some(Asked {
                strand,
                template,
                key: feed.of(server.id()),
                server,
                subject: subject.clone(),
            })
        })
        .collect();
    if asked.is_empty() {
        Monitored::Unmeasured(server)
    } else {
        Monitored::Asked(asked)
    }
}

/// The span of a graph as it is asked for. It is the same until the view moves, so that it stays one feed.
pub(super) fn stretch(cx: &Cx<'_>, view: &View) -> Stretch {
    Stretch {
        seconds: view.span().as_secs(),
        until: (!view.follows()).then(|| view.extent(cx.now).to),
        points: POINTS,
    }
}

impl<'a> Asked<'a> {
    /// What has come.
    pub(super) fn state(&self, cx: &Cx<'a>) -> State<'a> {
        let monitors = &cx.store.monitors;
        let Some(answer) = monitors.answer(&self.key) else {
            return match monitors.freshness(&self.key).error {
                Some(error) => State::Failed(error.message.clone()),
                None => State::Waiting,
            };
        };
        let QueryValue::Matrix(series) = &answer.value else {
            return State::Failed("the answer is no series over time".to_owned());
        };
        let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
        let info = self.server.info();
        let found = matching::find(
            &self.template.maps,
            &info.cluster_label,
            std::slice::from_ref(&self.subject),
            &labels,
        );
        match found.into_iter().next() {
            Some(Found::Series(places)) => {
                State::Series(places.into_iter().take(SERIES).map(|at| &series[at]).collect())
            }
            Some(nothing) => State::Nothing(nothing.to_string()),
            None => State::Waiting,
        }
    }

    /// Warnings of the server about the answer.
    pub(super) fn warning(&self, cx: &Cx<'a>) -> Option<&'a str> {
        let answer = cx.store.monitors.answer(&self.key)?;
        answer.warnings.first().map(|warning| &**warning)
    }

    /// How far apart neighbouring points may be without a gap.
    pub(super) fn longest(&self, cx: &Cx<'_>) -> SignedDuration {
        let MonitorFeed::Range(_, stretch) = &self.key.feed else {
            return SignedDuration::from_mins(1);
        };
        stretch.window(cx.now).step * 3 / 2
    }

    /// What the values are divided by to be shares, and the unit that they have then: bytes of a whole that is known
    /// become a part of it.
    pub(super) fn scale(&self, cx: &Cx<'_>, object: &ObjectRef, wanted: Option<Unit>) -> (f64, Unit) {
        let unit = self.template.unit;
        if (unit, wanted) != (Unit::Bytes, Some(Unit::Ratio)) {
            return (1.0, unit);
        }
        let whole = match object {
            ObjectRef::Guest(id) => cx.store.guest(id).and_then(|guest| guest.max_mem),
            ObjectRef::Node(id) if &*self.template.name == "memory" => {
                cx.store.node(id).and_then(|node| node.max_mem)
            }
            _ => None,
        };
        match whole.filter(|whole| *whole > 0) {
            Some(whole) => (whole as f64, Unit::Ratio),
            None => (1.0, unit),
        }
    }
}

/// The values of a series, divided; what is no number is a gap.
pub(super) fn samples(series: &Series, whole: f64) -> Vec<Sample> {
    let scaled = |sample: &Sample| Sample {
        at: sample.at,
        value: sample.value / whole,
    };
    series.samples.iter().map(scaled).collect()
}

/// What tells a series from the others of its object.
pub(super) fn told_apart(series: &Series) -> String {
    let plain = ["instance", "job", "cluster", "id", "vmid", NAME];
    let rest: Vec<&str> = series
        .labels
        .iter()
        .filter(|(name, _)| !plain.contains(name))
        .map(|(_, value)| value)
        .take(3)
        .collect();
    rest.join(" ")
}
