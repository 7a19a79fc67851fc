//! The shipped rules: each of the 28 alerts has a case that fires and one that stays quiet, and promtool agrees.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::programs;

/// The alerts of the pack, by group. Users know these names.
const PACK: [(&str, &[&str]); 7] = [
    (
        "node",
        &[
            "HostDown",
            "HighCpuUsage",
            "HighMemoryUsage",
            "HighDiskUsage",
            "DiskAlmostFull",
            "NodeFilesystemAlmostOutOfInodes",
            "SystemdServiceFailed",
            "HighLoadAverage",
            "HighNetworkErrors",
        ],
    ),
    (
        "proxmox",
        &[
            "ProxmoxNodeDown",
            "ProxmoxVMStopped",
            "ProxmoxHighCpuUsage",
            "ProxmoxHighMemoryUsage",
            "ProxmoxStorageAlmostFull",
        ],
    ),
    (
        "prometheus",
        &[
            "PrometheusTargetMissing",
            "PrometheusConfigReloadFailed",
            "PrometheusRuleEvaluationFailures",
        ],
    ),
    (
        "backup",
        &[
            "GuestsNotBackedUp",
            "BackupStorageAlmostFull",
            "BackupStorageCritical",
        ],
    ),
    ("drift", &["DriftDetected", "DriftCheckFailed", "DriftCheckStale"]),
    ("health", &["InfraHealthCheckFailed", "HealthCheckStale"]),
    (
        "lifecycle",
        &["LabVMExpired", "SnapshotOlderThanWeek", "VMRebootRequired"],
    ),
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/prometheus")
        .join(name)
}

fn cases(group: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/monitoring/rules")
        .join(format!("{group}.yml"))
}

/// The values behind `key:` in a text, however deep, in their order.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("- ")
                .unwrap_or(line)
                .strip_prefix(key)?
                .strip_prefix(':')
        })
        .map(|value| value.trim().trim_matches(['\'', '"']))
        .collect()
}

/// For each alert of a file of cases: how many say that it fires, and how many that it does not.
fn fired_and_quiet(text: &str) -> BTreeMap<&str, (usize, usize)> {
    let mut found: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in text.split("alertname:").skip(1) {
        let name = case.lines().next().unwrap_or_default().trim();
        let expected = values(case, "exp_alerts");
        let entry = found.entry(name).or_default();
        match expected.first() {
            Some(&"[]") => entry.1 += 1,
            Some(_) if case.contains("exp_labels:") => entry.0 += 1,
            _ => {}
        }
    }
    found
}

#[test]
fn every_alert_is_shipped_with_both_cases() {
    assert_eq!(PACK.iter().map(|(_, alerts)| alerts.len()).sum::<usize>(), 28);
    for (group, alerts) in PACK {
        let rules = fs::read_to_string(shipped(&format!("rules/{group}.yml"))).unwrap();
        assert_eq!(values(&rules, "alert"), alerts, "the alerts of {group}");
        for key in ["severity", "summary", "description"] {
            assert_eq!(values(&rules, key).len(), alerts.len(), "{key} of {group}");
        }
        let text = fs::read_to_string(cases(group)).unwrap();
        let cases = fired_and_quiet(&text);
        for alert in alerts {
            let (fired, quiet) = cases.get(alert).copied().unwrap_or_default();
            assert!(fired > 0, "{alert} has no case in which it fires");
            assert!(quiet > 0, "{alert} has no case in which it stays quiet");
        }
    }
    let files = fs::read_dir(shipped("rules")).unwrap().count();
    assert_eq!(
        files,
        PACK.len(),
        "a file of rules without its list of alerts here"
    );
}

#[test]
fn a_missing_case_is_noticed() {
    let text = "- alertname: A\n  exp_alerts: []\n- alertname: B\n  exp_alerts:\n    - exp_labels:\n        x: 'y'\n";
    assert_eq!(
        fired_and_quiet(text),
        BTreeMap::from([("A", (0, 1)), ("B", (1, 0))])
    );
}

/// Runs a checker; `false` if this machine has none.
fn passes(program: &str, args: &[&str], files: &[PathBuf]) -> bool {
    let Some(program) = programs::find(program) else {
        return false;
    };
    let output = Command::new(program).args(args).args(files).output().unwrap();
    assert!(
        output.status.success(),
        "{args:?}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

#[test]
fn promtool_takes_the_rules() {
    let files: Vec<PathBuf> = PACK
        .iter()
        .map(|(group, _)| shipped(&format!("rules/{group}.yml")))
        .collect();
    passes(
        "promtool",
        &["check", "rules", "--lint=all", "--lint-fatal"],
        &files,
    );
}

#[test]
fn the_printed_rules_are_all_of_them() {
    let output = Command::new(env!("CARGO_BIN_EXE_pvedeck"))
        .args(["config", "print", "rules"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let all: Vec<&str> = PACK
        .iter()
        .flat_map(|(_, alerts)| alerts.iter().copied())
        .collect();
    assert_eq!(values(&text, "alert"), all);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    fs::write(&file, text).unwrap();
    passes("promtool", &["check", "rules"], &[file]);
}

#[test]
fn every_case_comes_out_as_it_says() {
    let files: Vec<PathBuf> = PACK.iter().map(|(group, _)| cases(group)).collect();
    passes("promtool", &["test", "rules"], &files);
}

#[test]
fn the_examples_are_valid() {
    passes("promtool", &["check", "config"], &[shipped("prometheus.yml")]);
    passes("amtool", &["check-config"], &[shipped("alertmanager.yml")]);
}
