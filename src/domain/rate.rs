//! Counters become rates.
//!
//! What always holds here: a rate is never negative and never infinite. Where nothing can be said (a gap, a counter that
//! jumped in no time, a value that is no number) there is no point, not a zero.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::metric::{Labels, MetricKind, NAME, Sample, Scrape};

/// How much a counter grew in a second between two samples. A counter that became smaller began anew at zero in between:
/// then it grew by what it shows now. `None` if the two are more than `longest` apart, or not in order.
pub fn rate(before: Sample, after: Sample, longest: SignedDuration) -> Option<f64> {
    let apart = after.at.duration_since(before.at);
    if apart <= SignedDuration::ZERO || apart > longest {
        return None;
    }
    if !before.value.is_finite() || !after.value.is_finite() || after.value < 0.0 {
        return None;
    }
    let grown = if after.value < before.value {
        after.value
    } else {
        after.value - before.value
    };
    Some(grown / apart.as_secs_f64()).filter(|rate| rate.is_finite() && *rate >= 0.0)
}

/// The rates of a counter over time, each at the end of its interval. The samples may come in any order; of those with
/// the same time the last stays. Intervals longer than `longest` are gaps.
pub fn rates(samples: &[Sample], longest: SignedDuration) -> Vec<Sample> {
    let mut sorted: Vec<Sample> = Vec::with_capacity(samples.len());
    for &sample in samples.iter().filter(|sample| sample.value.is_finite()) {
        match sorted.last_mut() {
            Some(last) if last.at == sample.at => *last = sample,
            _ => sorted.push(sample),
        }
    }
    if !sorted.is_sorted_by_key(|sample| sample.at) {
        sorted.sort_by_key(|sample| sample.at);
    }
    let mut latest: Vec<Sample> = Vec::with_capacity(sorted.len());
    for sample in sorted {
        match latest.last_mut() {
            Some(last) if last.at == sample.at => *last = sample,
            _ => latest.push(sample),
        }
    }
    latest
        .windows(2)
        .filter_map(|pair| {
            let value = rate(pair[0], pair[1], longest)?;
            Some(Sample {
                at: pair[1].at,
                value,
            })
        })
        .collect()
}

/// What two scrapes of the same exporter say together: the rates of its counters, and what else it shows as it is.
/// Series that were not there before have no rate yet.
pub fn since(before: &Scrape, after: &Scrape, longest: SignedDuration) -> Vec<(Labels, Sample)> {
    let earlier: HashMap<&Labels, Sample> = before
        .points
        .iter()
        .map(|point| (&point.labels, point.sample))
        .collect();
    after
        .points
        .iter()
        .filter_map(|point| {
            let name = point.labels.name().unwrap_or_default();
            let counts = match point.kind {
                MetricKind::Counter | MetricKind::Histogram => true,
                MetricKind::Summary => name.ends_with("_count") || name.ends_with("_sum"),
                MetricKind::Untyped => name.ends_with("_total"),
                MetricKind::Gauge => false,
            };
            if !counts {
                return Some((point.labels.clone(), point.sample));
            }
            let value = rate(*earlier.get(&point.labels)?, point.sample, longest)?;
            let at: Timestamp = point.sample.at;
            Some((point.labels.clone(), Sample { at, value }))
        })
        .collect()
}

/// The points of one metric among them.
pub fn named<'a>(
    points: &'a [(Labels, Sample)],
    name: &'a str,
) -> impl Iterator<Item = &'a (Labels, Sample)> {
    points
        .iter()
        .filter(move |(labels, _)| labels.get(NAME) == Some(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::metric::Point;

    const MINUTE: SignedDuration = SignedDuration::from_secs(60);

    fn sample(second: i64, value: f64) -> Sample {
        Sample {
            at: Timestamp::from_second(second).unwrap(),
            value,
        }
    }

    fn of(samples: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let samples: Vec<Sample> = samples.iter().map(|&(at, value)| sample(at, value)).collect();
        rates(&samples, MINUTE)
            .into_iter()
            .map(|sample| (sample.at.as_second(), sample.value))
            .collect()
    }

    #[test]
    fn resets_gaps_and_duplicates() {
        assert_eq!(of(&[(0, 10.0), (10, 30.0), (20, 30.0)]), [(10, 2.0), (20, 0.0)]);
        assert_eq!(of(&[(0, 1000.0), (10, 50.0)]), [(10, 5.0)], "began anew");
        assert_eq!(of(&[(0, 1.0), (61, 2.0), (62, 3.0)]), [(62, 1.0)], "a gap");
        assert_eq!(
            of(&[(0, 0.0), (10, 5.0), (10, 10.0), (20, 20.0)]),
            [(10, 1.0), (20, 1.0)]
        );
        assert_eq!(
            of(&[(20, 20.0), (0, 0.0), (10, 10.0)]),
            [(10, 1.0), (20, 1.0)],
            "any order"
        );
        assert_eq!(
            of(&[(0, 0.0), (10, f64::NAN), (20, f64::INFINITY), (30, 30.0)]),
            [(30, 1.0)],
            "what is no number is not there"
        );
        assert_eq!(of(&[(0, 5.0)]), []);
    }

    #[test]
    fn two_scrapes_give_rates_and_what_is() {
        let point = |name: &str, kind, second, value| Point {
            labels: [(NAME, name)].into_iter().collect(),
            kind,
            sample: sample(second, value),
        };
        let scrape = |second, value| Scrape {
            points: vec![
                point("bytes_total", MetricKind::Counter, second, value),
                point("load", MetricKind::Gauge, second, value),
                point("other_total", MetricKind::Untyped, second, value),
            ],
            ..Scrape::default()
        };
        let mut after = scrape(10, 20.0);
        after
            .points
            .push(point("new_total", MetricKind::Counter, 10, 1.0));
        let points = since(&scrape(0, 10.0), &after, MINUTE);
        let value = |name| named(&points, name).map(|(_, sample)| sample.value).next();
        assert_eq!(value("bytes_total"), Some(1.0));
        assert_eq!(value("load"), Some(20.0));
        assert_eq!(value("other_total"), Some(1.0));
        assert_eq!(value("new_total"), None);
    }

    proptest! {
        #[test]
        fn rates_are_never_negative_and_never_out_of_order(
            samples in prop::collection::vec((-100_i64..100, prop::num::f64::ANY), 0..50),
        ) {
            let samples: Vec<Sample> = samples.into_iter().map(|(at, value)| sample(at, value)).collect();
            let found = rates(&samples, MINUTE);
            prop_assert!(found.len() < samples.len().max(1));
            prop_assert!(found.iter().all(|rate| rate.value.is_finite() && rate.value >= 0.0));
            prop_assert!(found.windows(2).all(|pair| pair[0].at < pair[1].at));
        }

        #[test]
        fn all_growth_is_found_again_over_resets(steps in prop::collection::vec((0_u32..1000, any::<bool>()), 1..50)) {
            // A counter that grows each second, and now and then begins anew.
            let (mut value, mut grown) = (0.0, 0.0);
            let mut samples = vec![sample(0, 0.0)];
            for (index, (step, reset)) in steps.iter().enumerate() {
                let step = f64::from(*step);
                // A reset that is not smaller afterwards cannot be seen.
                if *reset && step < value {
                    value = 0.0;
                }
                value += step;
                grown += step;
                samples.push(sample(index as i64 + 1, value));
            }
            let found: f64 = rates(&samples, MINUTE).iter().map(|rate| rate.value).sum();
            prop_assert!((found - grown).abs() < 1e-6, "{found} of {grown}");
        }
    }
}
