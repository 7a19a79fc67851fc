//! What Proxmox recorded of a node, a guest or a storage: a table of moments and fields.
//!
//! What always holds here: moments go upwards, each is there once; a field that was not recorded at a moment is absent,
//! never a zero, and moments of which nothing was recorded are kept, because they are gaps.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far back a recording goes. The farther, the wider apart its moments are: on Proxmox VE 9 a minute for an hour and
/// a day, half an hour for a week and a month, six hours for a year; on 8 about seventy moments for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Frame {
    /// The last hour.
    Hour,
    /// The last day.
    Day,
    /// The last week.
    Week,
    /// The last month.
    Month,
    /// The last year.
    Year,
}

impl Frame {
    /// The shortest frame that reaches so far back; the longest, if none does.
    pub fn reaching(back: SignedDuration) -> Self {
        // What is asked for is some seconds older when the answer comes.
        let hours = back.saturating_sub(SignedDuration::from_mins(1)).as_secs() / 3600;
        match hours {
            ..=0 => Self::Hour,
            1..24 => Self::Day,
            24..168 => Self::Week,
            168..720 => Self::Month,
            _ => Self::Year,
        }
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How often a new read brings something new.
    pub fn period(self) -> SignedDuration {
        SignedDuration::from_mins(match self {
            Self::Hour => 1,
            Self::Day => 3,
            Self::Week | Self::Month => 15,
            Self::Year => 60,
        })
    }
}

/// A recording.
#[derive(Clone, Debug, Default)]
pub struct Rrd {
    fields: Vec<Box<str>>,
    times: Vec<Timestamp>,
    /// A value for each field of each moment; NaN where there is none.
    values: Vec<f64>,
}

impl PartialEq for Rrd {
    /// A value that is absent here and there is no difference.
    fn eq(&self, other: &Self) -> bool {
        let bits = |value: &f64| value.to_bits();
        self.fields == other.fields
            && self.times == other.times
            && self.values.iter().map(bits).eq(other.values.iter().map(bits))
    }
}

/// What was recorded at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When.
    pub at: Timestamp,
    fields: &'a [Box<str>],
    values: &'a [f64],
}

impl Record<'_> {
    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<f64> {
        let index = self.fields.iter().position(|known| **known == *field)?;
        self.values.get(index).copied().filter(|value| value.is_finite())
    }
}

/// A moment, and the values of its fields.
pub type Reading = (Timestamp, Vec<(Box<str>, f64)>);

impl Rrd {
    /// A recording of rows in any order; of rows of the same moment the last stays.
    pub fn new(mut rows: Vec<Reading>) -> Self {
        rows.sort_by_key(|(at, _)| *at);
        let mut recording = Self::default();
        for (_, row) in &rows {
            for (field, _) in row {
                if !recording.fields.contains(field) {
                    recording.fields.push(field.clone());
                }
            }
        }
        let wide = recording.fields.len();
        for (at, row) in rows {
            if recording.times.last() == Some(&at) {
                recording.times.pop();
                recording.values.truncate(recording.values.len() - wide);
            }
            recording.times.push(at);
            let start = recording.values.len();
            recording.values.resize(start + wide, f64::NAN);
            for (field, value) in row {
                if let Some(index) = recording.fields.iter().position(|known| *known == field) {
                    recording.values[start + index] = value;
                }
            }
        }
        recording
    }

    /// Its moments, the oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record<'_>> + ExactSizeIterator + Clone {
        let wide = self.fields.len();
        self.times.iter().enumerate().map(move |(row, at)| Record {
            at: *at,
            fields: &self.fields,
            values: &self.values[row * wide..(row + 1) * wide],
        })
    }

    /// How many moments it has.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The widest distance between neighbouring moments. Steps of two sizes come in one answer where something lived
    /// through an upgrade of Proxmox.
    pub fn step(&self) -> Option<SignedDuration> {
        self.times
            .windows(2)
            .map(|pair| pair[1].duration_since(pair[0]))
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn rows_are_in_order_and_what_was_not_recorded_is_absent() {
        let row = |second, fields: &[(&str, f64)]| {
            (
                at(second),
                fields
                    .iter()
                    .map(|(name, value)| ((*name).into(), *value))
                    .collect(),
            )
        };
        let recording = Rrd::new(vec![
            row(120, &[("cpu", 0.5), ("mem", 7.0)]),
            row(60, &[]),
            row(180, &[("cpu", 0.1)]),
            row(180, &[("mem", f64::NAN), ("cpu", 0.2)]),
            row(480, &[]),
        ]);
        let cpu: Vec<_> = recording
            .records()
            .map(|record| (record.at.as_second(), record.get("cpu")))
            .collect();
        assert_eq!(cpu, [(60, None), (120, Some(0.5)), (180, Some(0.2)), (480, None)]);
        assert_eq!(recording.records().nth(2).unwrap().get("mem"), None);
        assert_eq!(recording.step(), Some(SignedDuration::from_mins(5)));
        assert_eq!(Rrd::default().records().count(), 0);
        assert_eq!(Rrd::new(vec![row(1, &[]), row(2, &[])]).len(), 2);
    }

    #[test]
    fn a_frame_reaches_as_far_as_is_asked() {
        for (hours, frame) in [
            (1, Frame::Hour),
            (2, Frame::Day),
            (24, Frame::Day),
            (25, Frame::Week),
        ] {
            assert_eq!(
                Frame::reaching(SignedDuration::from_hours(hours)),
                frame,
                "{hours}"
            );
        }
        assert_eq!(Frame::reaching(SignedDuration::from_hours(24 * 30)), Frame::Month);
        assert_eq!(Frame::reaching(SignedDuration::MAX), Frame::Year);
        assert_eq!(Frame::reaching(SignedDuration::MIN), Frame::Hour);
    }
}
