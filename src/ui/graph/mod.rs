//! Graphs of values over time: axes, several traces, limits, a cursor, and figures about what is in sight.
//!
//! What always holds here:
//! - Nothing is invented: a moment without a value is a gap, in the line and in the figures; values that are no number
//!   are gaps.
//! - No peak is lost: where many values share a column, all between the least and the greatest of them is drawn.
//! - No clock: the times in sight come with the graph ([`Extent`]).
//! - Nothing is drawn outside of the plot, whatever the values and however small the room.

mod draw;
mod extent;
mod legend;
mod plot;
mod scale;
mod times;
mod units;

pub use draw::Drawn;
pub use extent::{Extent, View};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
pub use scale::Scale;
pub use times::{Tick, ticks};
pub use units::{short, value};

use super::Tone;
use crate::domain::metric::{Sample, Unit};

/// What is greater than this is taken for no number: nothing that is measured comes near it.
const ABSURD: f64 = 1e100;

/// Of what a line is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dots {
    /// Two by four dots in a cell.
    Braille,
    /// Two half blocks in a cell, for fonts without braille: that of the Linux console, for one.
    Block,
    /// A letter in a cell.
    Ascii,
}

/// Everything that a graph shows.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The lines. Where two meet, the first one is seen.
    pub traces: Vec<Trace>,
    /// What of time is in sight.
    pub extent: Extent,
    /// What the numbers mean.
    pub unit: Unit,
    /// From where on a value needs a look.
    pub limits: Vec<Limit>,
    /// Moments that matter: the start of an alert.
    pub moments: Vec<(Timestamp, Tone)>,
    /// The moment whose values are told.
    pub cursor: Option<Timestamp>,
    /// The zone of the time axis.
    pub zone: TimeZone,
    /// What is said where there is no value in sight.
    pub empty: String,
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// Whose values they are. Foreign text.
    pub name: String,
    /// Its colour.
    pub tone: Tone,
    /// In the order of time, each moment once.
    samples: Vec<Sample>,
    /// Values that are further apart have a gap between them.
    longest: SignedDuration,
}

/// A value from which on something needs a look.
#[derive(Clone, PartialEq, Debug)]
pub struct Limit {
    /// From where on.
    pub value: f64,
    /// How bad that is.
    pub tone: Tone,
}

/// What a trace was in sight.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figures {
    /// The least value.
    pub min: f64,
    /// The mean of the values.
    pub avg: f64,
    /// The greatest value.
    pub max: f64,
    /// The last value.
    pub last: f64,
}

impl Trace {
    /// A line of values in any order; of those with the same time the last stays. Values that are no number stay as the
    /// gaps that they are.
    pub fn new(
        name: impl Into<String>,
        tone: Tone,
        mut samples: Vec<Sample>,
        longest: SignedDuration,
    ) -> Self {
        if !samples.is_sorted_by_key(|sample| sample.at) {
            samples.sort_by_key(|sample| sample.at);
        }
        // `dedup_by` keeps the earlier of two: so the later value is moved there first.
        samples.dedup_by(|later, kept| {
            let same = later.at == kept.at;
            if same {
                kept.value = later.value;
            }
            same
        });
        Self {
            name: name.into(),
            tone,
            samples,
            longest,
        }
    }

    /// Its values, in the order of time.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Values that are further apart than this have a gap between them.
    pub fn longest(&self) -> SignedDuration {
        self.longest
    }

    /// The values in sight.
    pub fn within(&self, extent: Extent) -> &[Sample] {
        let start = self.samples.partition_point(|sample| sample.at < extent.from);
        let end = self.samples.partition_point(|sample| sample.at <= extent.to);
        self.samples.get(start..end).unwrap_or_default()
    }

    /// What it was in sight; `None` without any value there.
    pub fn figures(&self, extent: Extent) -> Option<Figures> {
        let mut values = self.within(extent).iter().filter_map(number);
        let first = values.next()?;
        let mut found = Figures {
            min: first,
            avg: first,
            max: first,
            last: first,
        };
        let mut count = 1.0;
        for value in values {
            count += 1.0;
            found.min = found.min.min(value);
            found.max = found.max.max(value);
            found.avg += (value - found.avg) / count;
            found.last = value;
        }
        Some(found)
    }

    /// Its value at a moment: the nearest one, unless the moment lies in a gap.
    pub fn at(&self, at: Timestamp) -> Option<Sample> {
        let next = self.samples.partition_point(|sample| sample.at < at);
        let near = |index: Option<usize>| {
            let sample = self.samples.get(index?)?;
            let apart = sample.at.duration_since(at).abs();
            (apart <= self.longest / 2).then_some((apart, *sample))
        };
        let (_, sample) = [near(Some(next)), near(next.checked_sub(1))]
            .into_iter()
            .flatten()
            .min_by_key(|(apart, _)| *apart)?;
        number(&sample).map(|_| sample)
    }
}

/// The value, if it is a number.
fn number(sample: &Sample) -> Option<f64> {
    Some(sample.value).filter(|value| value.is_finite() && value.abs() < ABSURD)
}

#[cfg(test)]
mod tests;
