//! The prune preview decides as a real Proxmox Backup Server did on each of the recorded inputs.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use pvedeck::domain::retention::{Candidate, Retention};
use serde_json::Value;

use crate::support::reference::{reference_dir, skipped};

/// The zone of a recording, also where the system has no list of zones.
fn zone(name: &str) -> TimeZone {
    match name {
        "UTC" => TimeZone::UTC,
        "Europe/Berlin" => TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
        other => panic!("a recording of another zone, {other}"),
    }
}

fn numbers(value: &Value) -> BTreeSet<i64> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .collect()
}

#[test]
fn the_prune_preview_is_that_of_the_real_server() {
    let Some(root) = reference_dir() else {
        skipped("the prune preview against recorded results");
        return;
    };
    for (file, differing) in [
        ("prune-vectors.json", 0),
        ("prune-vectors-europe_berlin.json", 72),
    ] {
        let path = root.join("recorded/pbs-3.2-more").join(file);
        let recorded: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let zone = zone(recorded["server_timezone"].as_str().unwrap());
        let times = numbers(&recorded["timestamps"]);
        let vectors = recorded["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 156, "{file}");
        let mut other_in_utc = 0;
        for vector in vectors {
            let set = &recorded["sets"][vector["set"].as_str().unwrap()];
            let (unfinished, protected) = (numbers(&set["unfinished"]), numbers(&set["protected"]));
            let group: Vec<Candidate> = times
                .iter()
                .map(|time| Candidate {
                    time: Timestamp::from_second(*time).unwrap(),
                    protected: protected.contains(time),
                    finished: !unfinished.contains(time),
                })
                .collect();
            let keep: Vec<(String, String)> = vector["keep"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, count)| (key.clone(), count.to_string()))
                .collect();
            let retention =
                Retention::from_pairs(keep.iter().map(|(key, count)| (key.as_str(), count.as_str())))
                    .unwrap();
            let kept = |zone: &TimeZone| -> BTreeSet<i64> {
                let fates = retention.preview(&group, zone);
                times
                    .iter()
                    .zip(fates)
                    .filter(|(_, fate)| fate.stays())
                    .map(|(time, _)| *time)
                    .collect()
            };
            assert_eq!(
                kept(&zone),
                numbers(&vector["kept"]),
                "{file}: {} {}",
                vector["set"],
                vector["keep"]
            );
            other_in_utc += usize::from(kept(&zone) != kept(&TimeZone::UTC));
        }
        // The zone matters, and it is known by how much.
        assert_eq!(other_in_utc, differing, "{file}");
    }
}
