//! The text exposition format.
//!
//! Labels are read here; what is left of a line goes to `prometheus-parse`, which would split them at commas inside of
//! quotes: cAdvisor has such labels, and losing one makes two series one.

use std::collections::HashMap;

use jiff::Timestamp;
use prometheus_parse::{LineInfo, SampleType};

use crate::domain::metric::{Labels, MetricKind, NAME, Point, Sample, Scrape};

/// How much of a text is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Values.
    pub points: usize,
    /// Labels of a value; with more it is skipped.
    pub labels: usize,
    /// Bytes of a line; a longer one is skipped.
    pub line: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            points: 200_000,
            labels: 64,
            line: 64 << 10,
        }
    }
}

/// Reads a text. Values without a time of their own have the time `now`.
pub fn read(text: &str, now: Timestamp, bounds: Bounds) -> Scrape {
    let mut scrape = Scrape::default();
    let mut kinds: HashMap<String, MetricKind> = HashMap::new();
    for line in text.lines() {
        if line.len() > bounds.line {
            scrape.skipped += 1;
            continue;
        }
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            // A text of nothing but types must not fill the memory either.
            if kinds.len() < bounds.points
                && let LineInfo::Type {
                    metric_name,
                    metric_alias,
                    sample_type,
                } = LineInfo::parse(line)
            {
                kinds.insert(metric_alias.unwrap_or(metric_name), kind(sample_type));
            }
            continue;
        }
        if scrape.points.len() >= bounds.points {
            scrape.cut = true;
            break;
        }
        match point(line, now, &kinds, bounds) {
            Some(point) => scrape.points.push(point),
            None => scrape.skipped += 1,
        }
    }
    scrape
}

fn kind(told: SampleType) -> MetricKind {
    match told {
        SampleType::Counter => MetricKind::Counter,
        SampleType::Gauge => MetricKind::Gauge,
        SampleType::Histogram => MetricKind::Histogram,
        SampleType::Summary => MetricKind::Summary,
        SampleType::Untyped => MetricKind::Untyped,
    }
}

/// One line `name{labels} value [time]`.
fn point(line: &str, now: Timestamp, kinds: &HashMap<String, MetricKind>, bounds: Bounds) -> Option<Point> {
    let (name, labels, rest) = match line.split_once('{') {
        // A brace behind a blank belongs to something else.
        Some((name, rest)) if !name.trim_end().contains(char::is_whitespace) => {
            let (labels, rest) = label_pairs(rest, bounds.labels)?;
            (name.trim_end(), labels, rest)
        }
        _ => {
            let (name, rest) = line.split_once(char::is_whitespace)?;
            (name, Vec::new(), rest)
        }
    };
    let bare = format!("{name} {}", rest.trim_start());
    let LineInfo::Sample {
        metric_name,
        labels: None,
        value,
        timestamp,
    } = LineInfo::parse(&bare)
    else {
        return None;
    };
    if metric_name != name || !is_name(name) {
        return None;
    }
    let sample = Sample {
        at: match timestamp {
            Some(millis) => Timestamp::from_millisecond(millis.parse().ok()?).ok()?,
            None => now,
        },
        value: number(value)?,
    };
    let family = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .filter(|family| {
            matches!(
                kinds.get(*family),
                Some(MetricKind::Histogram | MetricKind::Summary)
            )
        });
    let kind = family.or(Some(name)).and_then(|family| kinds.get(family));
    let labels = labels
        .into_iter()
        .chain([(Box::<str>::from(NAME), Box::<str>::from(name))])
        .collect::<Labels>();
    Some(Point {
        labels,
        kind: kind.copied().unwrap_or(MetricKind::Untyped),
        sample,
    })
}

/// A value as exporters in several languages write it.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" | "Nan" | "nan" => Some(f64::NAN),
        "+Inf" | "Inf" | "inf" | "+inf" => Some(f64::INFINITY),
        "-Inf" | "-inf" => Some(f64::NEG_INFINITY),
        // Rust reads words that no exporter means.
        text if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            text.parse().ok().filter(|value: &f64| !value.is_nan())
        }
        _ => None,
    }
}

/// Whether a text can name a metric or label. The crate takes more than that.
fn is_name(text: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(begins) && text.chars().all(|c| begins(c) || c.is_ascii_digit())
}

type Pairs = Vec<(Box<str>, Box<str>)>;

/// The labels up to the closing brace, and what comes behind it.
fn label_pairs(text: &str, most: usize) -> Option<(Pairs, &str)> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((pairs, behind));
        }
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim();
        if !is_name(name) {
            return None;
        }
        let (value, behind) = label_value(behind.trim_start().strip_prefix('"')?)?;
        if pairs.len() >= most {
            return None;
        }
        // Nobody may overwrite the name of the metric.
        if name != NAME {
            pairs.push((name.into(), value.into()));
        }
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind.trim_start(),
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// A value up to its closing quote, and what comes behind it.
fn label_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                c => value.push(c),
            },
            c => value.push(c),
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "what is read is compared with what was written")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use MetricKind::{Gauge, Histogram, Untyped};

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn scraped(text: &str) -> Scrape {
        read(text, now(), Bounds::default())
    }

    fn recorded(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/monitoring/recorded");
        std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
    }

    #[test]
    fn labels_keep_commas_braces_quotes_and_breaks() {
        let scrape = scraped(
            "# HELP c Some text.\n# TYPE c counter\nc{image=\"a,b=c\",x=\"}{\\\"\\\\\\n\",} 12 1700000001500\nc 3\n",
        );
        assert_eq!(scrape.skipped, 0);
        let [first, second] = &scrape.points[..] else {
            panic!()
        };
        assert_eq!(first.labels.get("image"), Some("a,b=c"));
        assert_eq!(first.labels.get("x"), Some("}{\"\\\n"));
        assert_eq!((first.kind, first.sample.value), (MetricKind::Counter, 12.0));
        assert_eq!(first.sample.at.as_millisecond(), 1_700_000_001_500);
        assert_eq!(
            (second.labels.to_string().as_str(), second.sample.at),
            ("c", now())
        );
    }

    #[test]
    fn kinds_and_numbers() {
        let scrape = scraped(
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 1.5e3\nh_count 3\n# TYPE g gauge\ng NaN\ng_count -Inf\n",
        );
        let kinds: Vec<MetricKind> = scrape.points.iter().map(|point| point.kind).collect();
        assert_eq!(kinds, [Histogram, Histogram, Histogram, Gauge, Untyped]);
        assert_eq!(scrape.points[1].sample.value, 1500.0);
        assert!(scrape.points[3].sample.value.is_nan());
        assert_eq!(scrape.points[4].sample.value, f64::NEG_INFINITY);
    }

    #[test]
    fn what_real_exporters_say() {
        let scrape = scraped(&recorded("node-exporter.prom"));
        assert_eq!((scrape.skipped, scrape.cut), (0, false));
        assert!(scrape.points.len() > 20);
        let scrape = scraped(&recorded("pve-exporter.prom"));
        assert_eq!(scrape.skipped, 0);
        let info = scrape
            .points
            .iter()
            .find(|point| point.labels.name() == Some("pve_storage_info"))
            .unwrap();
        assert_eq!(
            info.labels.get("content"),
            Some("backup,images,iso,rootdir,snippets,vztmpl")
        );
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        for line in [
            "<html>",
            "a",
            "a b",
            "a{",
            "a{b}",
            "a{b=c} 1",
            "a{b=\"c} 1",
            "a{b=\"c\" d=\"e\"} 1",
            "{a=\"b\"} 1",
            "a infinity",
            "a 1 x",
            "a 1 99999999999999999999",
            "1a 1",
            "a{b=\"c\"}",
            "é 1",
        ] {
            let scrape = scraped(line);
            assert_eq!((scrape.points.len(), scrape.skipped), (0, 1), "{line}");
        }
    }

    #[test]
    fn what_is_huge_is_cut() {
        let bounds = Bounds {
            points: 3,
            labels: 2,
            line: 40,
        };
        let text = format!(
            "a{{b=\"{}\"}} 1\na{{a=\"\",b=\"\",c=\"\"}} 1\na 1\na 2\na 3\na 4\n",
            "x".repeat(100)
        );
        let scrape = read(&text, now(), bounds);
        assert_eq!((scrape.points.len(), scrape.skipped, scrape.cut), (3, 2, true));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a-z{}=,\"\\\\# 0-9.+\\-\\nNIHETYP\u{e9}\u{1b}]{0,300}") {
            let scrape = scraped(&text);
            prop_assert!(scrape.points.len() + scrape.skipped <= text.lines().count());
        }

        #[test]
        fn what_is_written_is_read_again(
            labels in prop::collection::btree_map("[a-z_][a-z0-9_]{0,8}", "\\PC{0,20}", 0..5),
            value in prop::num::f64::NORMAL | prop::num::f64::ZERO,
        ) {
            let mut line = "metric".to_owned();
            if !labels.is_empty() {
                let pairs: Vec<String> = labels
                    .iter()
                    .map(|(name, value)| format!("{name}={}", crate::domain::metric::quoted(value)))
                    .collect();
                line = format!("{line}{{{}}}", pairs.join(","));
            }
            let scrape = scraped(&format!("{line} {value}\n"));
            prop_assert_eq!(scrape.skipped, 0);
            prop_assert_eq!(scrape.points[0].sample.value, value);
            for (name, value) in &labels {
                if name != NAME {
                    prop_assert_eq!(scrape.points[0].labels.get(name).unwrap_or_default(), value.as_str());
                }
            }
        }
    }
}
