//! What monitoring measures: series of samples, named by labels.
//!
//! What always holds here: a moment without a measurement is absent, never a zero. A value may be NaN or infinite where a
//! server said so; what shows it has to look.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// The label that holds the name of a metric.
pub const NAME: &str = "__name__";

/// Names and values that together name a series; sorted, each name once. Both are foreign text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The value of a label; an empty one is as good as none, as in PromQL.
    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&*self.0[index].1).filter(|value| !value.is_empty())
    }

    /// The name of the metric.
    pub fn name(&self) -> Option<&str> {
        self.get(NAME)
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Labels {
    /// Of labels that come twice the first stays.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(labels: I) -> Self {
        let mut labels: Vec<(Box<str>, Box<str>)> = labels
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        labels.sort_by(|(a, _), (b, _)| a.cmp(b));
        labels.dedup_by(|(later, _), (kept, _)| later == kept);
        Self(labels.into())
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes it: `up{instance="pve1:9100", job="node"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or_default())?;
        let mut rest = self.iter().filter(|(name, _)| *name != NAME).peekable();
        if rest.peek().is_none() {
            return if self.name().is_none() {
                f.write_str("{}")
            } else {
                Ok(())
            };
        }
        for (index, (name, value)) in rest.enumerate() {
            f.write_str(if index == 0 { "{" } else { ", " })?;
            write!(f, "{name}={}", quoted(value))?;
        }
        f.write_str("}")
    }
}

/// A text as PromQL and the matchers of silences quote it.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One measurement.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// What, in the metric's own unit.
    pub value: f64,
}

/// What is named by the same labels, the oldest sample first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// What names it.
    pub labels: Labels,
    /// Its samples.
    pub samples: Vec<Sample>,
}

/// What a PromQL expression gives.
#[derive(Clone, PartialEq, Debug)]
pub enum QueryValue {
    /// A value for each of several series, at one moment.
    Vector(Vec<(Labels, Sample)>),
    /// Several series over time.
    Matrix(Vec<Series>),
    /// A number.
    Scalar(Sample),
    /// A text.
    Text(Box<str>),
}

/// A span of time and the distance between its points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The first point.
    pub start: Timestamp,
    /// No point is later.
    pub end: Timestamp,
    /// Between points; whole seconds, at least one.
    pub step: SignedDuration,
}

/// Prometheus refuses to give more points of a series at once.
const MOST_POINTS: i64 = 11_000;

impl Window {
    /// The last `span` before `end` in about `points` points. The points lie on multiples of the step, so that the same
    /// ones come again at the next refresh and a graph moves without trembling.
    pub fn last(span: SignedDuration, end: Timestamp, points: u16) -> Self {
        let span = span.as_secs().max(1);
        let points = i64::from(points).clamp(2, MOST_POINTS - 1);
        let step = span.div_euclid(points) + i64::from(span.rem_euclid(points) > 0);
        let aligned = |second: i64| second.div_euclid(step) * step;
        let end = aligned(end.as_second());
        let start = aligned(end.saturating_sub(span));
        Self {
            start: Timestamp::from_second(start).unwrap_or(Timestamp::MIN),
            end: Timestamp::from_second(end).unwrap_or(Timestamp::MAX),
            step: SignedDuration::from_secs(step),
        }
    }

    /// How many points there can be.
    pub fn points(&self) -> i64 {
        (self.end.as_second() - self.start.as_second()) / self.step.as_secs().max(1) + 1
    }
}

/// What the numbers of a metric mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Unit {
    /// A fraction: 0.2 is 20 %.
    Ratio,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// So many in a second.
    PerSecond,
    /// Just a number.
    #[default]
    Number,
}

impl Unit {
    /// All of them, with the words of the configuration.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("ratio", Self::Ratio),
        ("bytes", Self::Bytes),
        ("bytes/s", Self::BytesPerSecond),
        ("seconds", Self::Seconds),
        ("1/s", Self::PerSecond),
        ("number", Self::Number),
    ];

    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        Self::NAMED
            .iter()
            .find(|(_, unit)| *unit == self)
            .map_or("number", |(word, _)| word)
    }
}

impl std::str::FromStr for Unit {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::NAMED
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, unit)| *unit)
            .ok_or(())
    }
}

/// How a metric is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetricKind {
    /// Only grows, and begins anew when its process does.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by buckets; its parts are counters.
    Histogram,
    /// Counts by quantiles.
    Summary,
    /// Nobody said.
    Untyped,
}

/// One value of a scraped text.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// What names it, the name of the metric among it.
    pub labels: Labels,
    /// How it is counted.
    pub kind: MetricKind,
    /// When and what.
    pub sample: Sample,
}

/// What an exporter said at once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scrape {
    /// Its values, in the order of the text.
    pub points: Vec<Point>,
    /// Lines that could not be understood.
    pub skipped: usize,
    /// Whether there were more values than are kept.
    pub cut: bool,
}

/// What the server says of a scrape target.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Its labels, `job` and `instance` among them.
    pub labels: Labels,
    /// Where it is scraped.
    pub url: Box<str>,
    /// Whether the last scrape went well; `None` before the first.
    pub up: Option<bool>,
    /// Why it did not.
    pub error: Option<Box<str>>,
    /// When it was scraped last.
    pub scraped: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn labels_are_found_and_written_as_promql_does() {
        let labels = labels(&[("job", "node"), (NAME, "up"), ("z", "a\"b\\c\n"), ("empty", "")]);
        assert_eq!(labels.get("job"), Some("node"));
        assert_eq!((labels.get("empty"), labels.get("none")), (None, None));
        assert_eq!(labels.to_string(), r#"up{empty="", job="node", z="a\"b\\c\n"}"#);
        assert_eq!(Labels::default().to_string(), "{}");
        let twice: Labels = [("a", "1"), ("a", "2")].into_iter().collect();
        assert_eq!(twice.iter().collect::<Vec<_>>(), [("a", "1")]);
    }

    #[test]
    fn a_window_keeps_its_points_while_time_goes_on() {
        let end = Timestamp::from_second(1_700_000_003).unwrap();
        let hour = SignedDuration::from_hours(1);
        let window = Window::last(hour, end, 120);
        assert_eq!(window.step.as_secs(), 30);
        assert_eq!(window.points(), 121);
        assert_eq!(window.end.as_second() % 30, 0);
        let later = Window::last(hour, end + SignedDuration::from_secs(5), 120);
        assert_eq!(window, later);
    }

    #[test]
    fn a_window_never_asks_for_more_than_the_server_gives() {
        for span in [1, 59, 3600, 366 * 86_400] {
            for points in [0, 1, 500, u16::MAX] {
                let end = Timestamp::from_second(1_700_000_000).unwrap();
                let window = Window::last(SignedDuration::from_secs(span), end, points);
                assert!((1..=MOST_POINTS).contains(&window.points()), "{span} {points}");
                assert!(window.end <= end && window.start < window.end);
            }
        }
    }

    #[test]
    fn units_have_their_words() {
        for (word, unit) in Unit::NAMED {
            assert_eq!((word.parse(), unit.as_str()), (Ok(unit), word));
        }
    }
}
