//! `…/rrddata`: what was recorded.

use std::collections::HashMap;

use super::{Broken, Envelope, lenient::Num};
use crate::domain::rrd::Rrd;

/// Fields that a row may have; more than any version records.
const MOST: usize = 64;

/// A row of which nothing was recorded has only its `time`.
pub(in super::super) fn data(envelope: &Envelope<'_>) -> Result<Rrd, Broken> {
    let rows = envelope.list(|row: HashMap<Box<str>, Num>| {
        let second = row.get("time")?.0?;
        let at = jiff::Timestamp::from_second(second as i64).ok()?;
        let mut fields: Vec<(Box<str>, f64)> = row
            .into_iter()
            .filter(|(field, _)| **field != *"time")
            .filter_map(|(field, value)| Some((field, value.0?)))
            .collect();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields.truncate(MOST);
        Some((at, fields))
    })?;
    Ok(Rrd::new(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxmox::envelope::envelope;

    #[test]
    fn rows_without_data_are_gaps_and_numbers_may_be_texts() {
        let text = r#"{"data":[{"time":1795242900,"cpu":"0.25","odd":null},{"time":1795242840},
            {"cpu":0.5},{"time":1795242960,"cpu":"NaN","mem":7},7]}"#;
        let recording = data(&envelope(text).unwrap()).unwrap();
        let rows: Vec<_> = recording
            .records()
            .map(|record| (record.at.as_second(), record.get("cpu"), record.get("mem")))
            .collect();
        assert_eq!(
            rows,
            [
                (1_795_242_840, None, None),
                (1_795_242_900, Some(0.25), None),
                (1_795_242_960, None, Some(7.0)),
            ]
        );
    }

    #[test]
    fn many_kinds_of_nonsense_are_no_data() {
        for text in [
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":[{"time":1e300}]}"#,
            r#"{"data":[[],"x"]}"#,
        ] {
            assert_eq!(data(&envelope(text).unwrap()).unwrap().len(), 0, "{text}");
        }
    }
}
