//! When a storage will be full.

use crate::domain::metric::Sample;

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
    use jiff::Timestamp;

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
