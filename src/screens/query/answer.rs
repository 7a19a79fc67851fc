//! From an answer to rows and lines.

use jiff::SignedDuration;

use crate::{
    domain::{
        containers,
        metric::{Labels, QueryValue, Sample, Unit},
    },
    store::Scraped,
    ui::{
        Glyphs, Tone,
        graph::{self, Trace},
    },
};

const TONES: [Tone; 4] = [Tone::Graph1, Tone::Graph2, Tone::Graph3, Tone::Graph4];
/// Rows that are kept of a table.
const ROWS: usize = 10_000;

/// A row of the table: what names the series, and its value. Both are foreign text.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
}

/// What an answer holds.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) rows: Vec<Row>,
    lines: Vec<(String, Vec<Sample>)>,
    /// How many series there are.
    pub(super) series: usize,
}

impl Gathered {
    /// Its lines, as many as can be told apart.
    pub(super) fn traces(&self, most: usize, longest: SignedDuration) -> Vec<Trace> {
        let lines = self.lines.iter().take(most).enumerate();
        lines
            .map(|(number, (name, samples))| {
                let tone = TONES[number % TONES.len()];
                Trace::new(name.clone(), tone, samples.clone(), longest)
            })
            .collect()
    }
}

/// A value as short as it is told apart; what is no number is told as it is.
fn number(value: f64) -> String {
    if value.is_finite() {
        graph::value(value, Unit::Number)
    } else if value.is_nan() {
        "NaN".to_owned()
    } else if value > 0.0 {
        "+Inf".to_owned()
    } else {
        "-Inf".to_owned()
    }
}

/// The answer of a Prometheus.
pub(super) fn of_query(value: &QueryValue, g: &Glyphs) -> Gathered {
    match value {
        QueryValue::Vector(series) => Gathered {
            rows: series
                .iter()
                .take(ROWS)
                .map(|(labels, sample)| Row {
                    name: labels.to_string(),
                    value: number(sample.value),
                })
                .collect(),
            lines: Vec::new(),
            series: series.len(),
        },
        QueryValue::Matrix(series) => Gathered {
            rows: series
                .iter()
                .take(ROWS)
                .map(|one| Row {
                    name: one.labels.to_string(),
                    value: one
                        .samples
                        .last()
                        .map_or_else(|| g.none.to_owned(), |sample| number(sample.value)),
                })
                .collect(),
            lines: series
                .iter()
                .take(super::LINES)
                .map(|one| (one.labels.to_string(), one.samples.clone()))
                .collect(),
            series: series.len(),
        },
        QueryValue::Scalar(sample) => Gathered {
            rows: vec![Row {
                name: "scalar".to_owned(),
                value: number(sample.value),
            }],
            lines: Vec::new(),
            series: 1,
        },
        QueryValue::Text(text) => Gathered {
            rows: vec![Row {
                name: "text".to_owned(),
                value: text.to_string(),
            }],
            lines: Vec::new(),
            series: 1,
        },
    }
}

/// What an exporter says, as far as its series have all the words in them. Without any word: its containers, if it has
/// some; else everything.
pub(super) fn of_scrape(scrape: &Scraped, words: &str, g: &Glyphs) -> Gathered {
    if words.is_empty() {
        let containers = containers::of(&scrape.points);
        if !containers.is_empty() {
            return of_containers(scrape, &containers, g);
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let holds = |labels: &Labels| {
        let text = labels.to_string();
        words.iter().all(|word| text.contains(word)).then_some(text)
    };
    let mut gathered = Gathered::default();
    for (labels, sample) in &scrape.points {
        let Some(name) = holds(labels) else { continue };
        gathered.series += 1;
        if gathered.lines.len() < super::LINES
            && let Some(ring) = scrape.ring(labels)
        {
            gathered.lines.push((name.clone(), ring.collect()));
        }
        if gathered.rows.len() < ROWS {
            let value = number(sample.value);
            gathered.rows.push(Row { name, value });
        }
    }
    gathered
}

fn of_containers(scrape: &Scraped, containers: &[containers::Container<'_>], g: &Glyphs) -> Gathered {
    let told =
        |value: Option<f64>, unit| value.map_or_else(|| g.none.to_owned(), |value| graph::value(value, unit));
    let rows = containers.iter().map(|one| Row {
        name: match (one.image, one.ports.as_str()) {
            (Some(image), "") => format!("{}  {image}", one.name),
            (Some(image), ports) => format!("{}  {image}  {ports}", one.name),
            (None, _) => one.name.to_owned(),
        },
        value: format!(
            "cpu {}  mem {}  in {}  out {}",
            told(one.cpu, Unit::Ratio),
            told(one.memory, Unit::Bytes),
            told(one.received, Unit::BytesPerSecond),
            told(one.sent, Unit::BytesPerSecond)
        ),
    });
    let lines = containers.iter().take(super::LINES).filter_map(|one| {
        let ring = scrape.ring(one.cpu_series?)?;
        Some((format!("{} cpu", one.name), ring.collect()))
    });
    Gathered {
        rows: rows.collect(),
        lines: lines.collect(),
        series: containers.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told() {
        let series = [1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|value| {
            let at = jiff::Timestamp::UNIX_EPOCH;
            ([("a", "b")].into_iter().collect(), Sample { at, value })
        });
        let gathered = of_query(&QueryValue::Vector(series.into()), &Glyphs::UNICODE);
        let values: Vec<&str> = gathered.rows.iter().map(|row| row.value.as_str()).collect();
        assert_eq!(values, ["1.5", "NaN", "+Inf", "-Inf"]);
        assert_eq!((gathered.series, &*gathered.rows[0].name), (4, "{a=\"b\"}"));
    }
}
