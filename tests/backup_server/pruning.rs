//! The demo's dry run against the recorded selections of a real server, and the preview against the demo's dry run.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use pvedeck::{
    demo::pbs::Laid,
    domain::retention::{Candidate, Retention, Rule},
};
use serde_json::Value;

use crate::{
    caller::{Caller, store},
    support::reference::{reference_dir, skipped},
};

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn numbers(value: &Value) -> BTreeSet<i64> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_i64).collect()
}

/// What a dry run keeps.
async fn kept(caller: &Caller, id: &str, keep: &[(String, String)]) -> BTreeSet<i64> {
    let mut form = vec![
        ("ns", "vectors"),
        ("backup-type", "host"),
        ("backup-id", id),
        ("dry-run", "1"),
    ];
    form.extend(keep.iter().map(|(rule, count)| (&**rule, &**count)));
    let answer = caller.call("POST", "/admin/datastore/main/prune", &form).await;
    let rows = answer.data().as_array().unwrap().clone();
    assert!(
        rows.is_sorted_by_key(|row| row["backup-time"].as_i64()),
        "the oldest comes first"
    );
    rows.iter()
        .filter(|row| row["keep"] == true)
        .filter_map(|row| row["backup-time"].as_i64())
        .collect()
}

#[tokio::test]
async fn the_demo_keeps_what_the_real_server_kept() {
    let Some(root) = reference_dir() else {
        return skipped("the dry run of the simulated Backup Server against recorded results");
    };
    let (demo, caller) = store().await;
    let server = demo.backup_server().unwrap();
    for (file, zone) in [
        ("prune-vectors.json", "UTC0"),
        ("prune-vectors-europe_berlin.json", BERLIN),
    ] {
        let path = root.join("recorded/pbs-3.2-more").join(file);
        let recorded: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        server.set_zone(zone);
        let times = numbers(&recorded["timestamps"]);
        for (set, marks) in recorded["sets"].as_object().unwrap() {
            let (unfinished, protected) = (numbers(&marks["unfinished"]), numbers(&marks["protected"]));
            for time in &times {
                let flags = Laid {
                    protected: protected.contains(time),
                    unfinished: unfinished.contains(time),
                    damaged: false,
                };
                server.lay(
                    "main",
                    "vectors",
                    ("host", &format!("{zone:.3}-{set}")),
                    *time,
                    flags,
                );
            }
        }
        for vector in recorded["vectors"].as_array().unwrap() {
            let rules = vector["keep"].as_object().unwrap().iter();
            let keep: Vec<(String, String)> = rules
                .map(|(rule, count)| (rule.clone(), count.to_string()))
                .collect();
            let id = format!("{zone:.3}-{}", vector["set"].as_str().unwrap());
            assert_eq!(
                kept(&caller, &id, &keep).await,
                numbers(&vector["kept"]),
                "{file}: {} {}",
                vector["set"],
                vector["keep"]
            );
        }
    }
}

#[tokio::test]
async fn the_preview_is_the_dry_run_on_random_groups() {
    let (demo, caller) = store().await;
    let server = demo.backup_server().unwrap();
    let mut random = fastrand::Rng::with_seed(20_261_122);
    let zone = TimeZone::posix(BERLIN).unwrap();
    for round in 0..60 {
        let id = format!("random-{round}");
        let mut times = BTreeSet::new();
        // From hours to years, and around the ends of summer time.
        let spread = [7_200, 86_400 * 3, 86_400 * 60, 86_400 * 900][round % 4];
        while times.len() < random.usize(1..40) {
            times.insert(1_793_000_000 - random.i64(0..spread));
        }
        let group: Vec<Candidate> = times
            .iter()
            .map(|time| Candidate {
                time: Timestamp::from_second(*time).unwrap(),
                protected: random.u8(0..10) == 0,
                finished: random.u8(0..12) != 0,
            })
            .collect();
        for one in &group {
            let flags = Laid {
                protected: one.protected,
                unfinished: !one.finished,
                damaged: false,
            };
            server.lay("main", "vectors", ("host", &id), one.time.as_second(), flags);
        }
        let mut retention = Retention::default();
        for rule in Rule::ALL {
            if random.bool() {
                retention = retention.with(rule, random.u32(1..6));
            }
        }
        let keep: Vec<(String, String)> = Rule::ALL
            .into_iter()
            .filter(|rule| retention.count(*rule) > 0)
            .map(|rule| (rule.key().to_owned(), retention.count(rule).to_string()))
            .collect();
        let preview: BTreeSet<i64> = group
            .iter()
            .zip(retention.preview(&group, &zone))
            .filter(|(_, fate)| fate.stays())
            .map(|(one, _)| one.time.as_second())
            .collect();
        assert_eq!(
            kept(&caller, &id, &keep).await,
            preview,
            "{round}: {keep:?} {group:?}"
        );
    }
}
