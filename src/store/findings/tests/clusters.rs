//! Rules about clusters as a whole, and what holds for all findings.

use super::*;

#[test]
fn one_hiccup_is_no_fault() {
    let mut store = healthy();
    store.apply(failure(NOW + 10, Feed::Resources, FeedErrorKind::Unreachable));
    none(store.findings());
    let changes = store.apply(failure(NOW + 20, Feed::Resources, FeedErrorKind::Unreachable));
    assert!(changes.findings);
    one(
        store.findings(),
        FindingKind::ClusterUnreachable,
        Severity::Critical,
        "cluster prod",
    );
    store.apply(resources(NOW + 30, inventory(2)));
    none(store.findings());
}

#[test]
fn a_cluster_of_which_nothing_is_known_is_a_fault_at_once() {
    let mut store = Store::new(["prod".into()]);
    store.apply(failure(NOW, Feed::Resources, FeedErrorKind::Unreachable));
    one(
        store.findings(),
        FindingKind::ClusterUnreachable,
        Severity::Critical,
        "cluster prod",
    );
}

#[test]
fn what_does_not_pass_by_itself_is_told_at_once() {
    for kind in [FeedErrorKind::Untrusted, FeedErrorKind::SignIn] {
        let mut store = healthy();
        store.apply(failure(NOW + 10, Feed::Resources, kind));
        one(
            store.findings(),
            FindingKind::ClusterUnreachable,
            Severity::Critical,
            "cluster prod",
        );
    }
}

#[test]
fn a_failed_detail_says_nothing_of_the_cluster() {
    let mut store = healthy();
    for second in 1..9 {
        let feed = Feed::NodeServices("pve1".into());
        store.apply(failure(NOW + second, feed, FeedErrorKind::Unreachable));
    }
    none(store.findings());
}

#[test]
fn quorum_is_a_question_of_clusters_only() {
    none(&after(Feed::ClusterStatus, quorum(Some(true))));
    none(&after(Feed::ClusterStatus, quorum(None)));
    let found = after(Feed::ClusterStatus, quorum(Some(false)));
    one(
        &found,
        FindingKind::QuorumLost,
        Severity::Critical,
        "cluster prod",
    );
    assert!(found[0].text.contains("1 of 2"), "{}", found[0].text);
}

#[test]
fn what_was_only_remembered_raises_nothing() {
    let mut earlier = healthy();
    let mut broken = inventory(2);
    broken.nodes[0].status = NodeStatus::Offline;
    earlier.apply(resources(NOW + 10, broken));
    earlier.apply(read(NOW + 10, Feed::ClusterStatus, quorum(Some(false))));
    assert_eq!(earlier.findings().len(), 2);
    let id = ClusterId::from("prod");
    let bytes = snapshot::encode(earlier.cluster(&id).unwrap()).unwrap();
    let mut store = store();
    store.restore(snapshot::decode(&bytes).unwrap());
    store.apply(read(NOW + DAY, Feed::Tasks, Payload::Tasks(Vec::new())));
    none(store.findings());
}

fn skewed(skews: [i64; 2]) -> Vec<Finding> {
    let mut store = healthy();
    for (node, skew) in ["pve1", "pve2"].into_iter().zip(skews) {
        let theirs: Timestamp = at(NOW + 10 + skew);
        let feed = Feed::NodeTime(node.into());
        store.apply(read(
            NOW + 10,
            feed,
            Payload::NodeTime(crate::domain::node::Clock {
                time: theirs,
                zone: None,
            }),
        ));
    }
    store.findings().to_vec()
}

#[test]
fn clocks_that_differ() {
    none(&skewed([60, 5]));
    one(
        &skewed([0, -90]),
        FindingKind::ClockSkew,
        Severity::Warning,
        "node pve2",
    );
    // All differ alike: then it is not theirs that is wrong.
    one(
        &skewed([300, 310]),
        FindingKind::ClockSkew,
        Severity::Warning,
        "cluster prod",
    );
}

fn versions(versions: [&str; 2]) -> Vec<Finding> {
    let mut store = healthy();
    for (node, version) in ["pve1", "pve2"].into_iter().zip(versions) {
        let detail = NodeDetail {
            version: Some(format!("pve-manager/{version}/abc").into()),
            ..NodeDetail::default()
        };
        let feed = Feed::NodeStatus(node.into());
        store.apply(read(NOW + 10, feed, Payload::NodeStatus(detail)));
    }
    store.findings().to_vec()
}

#[test]
fn versions_that_differ() {
    none(&versions(["9.2.11", "9.2.11"]));
    one(
        &versions(["9.2.11", "9.1.3"]),
        FindingKind::VersionsDiffer,
        Severity::Info,
        "cluster prod",
    );
    one(
        &versions(["9.2.11", "8.4.1"]),
        FindingKind::VersionsDiffer,
        Severity::Warning,
        "cluster prod",
    );
}

#[test]
fn subscriptions_and_updates_are_only_told() {
    let found = with(|inventory| inventory.nodes[0].level = Some("c".into()));
    one(
        &found,
        FindingKind::SubscriptionProblem,
        Severity::Info,
        "cluster prod",
    );
    let expired = Subscription {
        status: "expired".into(),
        product: None,
        next_due: None,
    };
    let found = after(
        Feed::NodeSubscription("pve1".into()),
        Payload::NodeSubscription(expired),
    );
    one(
        &found,
        FindingKind::SubscriptionProblem,
        Severity::Info,
        "node pve1",
    );
    let update = PackageUpdate {
        package: "pve-manager".into(),
        old: None,
        new: "9.3".into(),
        origin: None,
    };
    let found = after(
        Feed::NodeUpdates("pve1".into()),
        Payload::NodeUpdates(vec![update]),
    );
    one(
        &found,
        FindingKind::UpdatesPending,
        Severity::Info,
        "cluster prod",
    );
}

#[test]
fn failed_tasks_do_not_flood() {
    let failed = || TaskState::Failed("no space".into());
    let tasks = |list| after(Feed::Tasks, Payload::Tasks(list));
    let found = tasks(vec![task(NOW - HOUR, "vzdump", "100", failed())]);
    assert_eq!(
        told(&found)
            .iter()
            .map(|(kind, severity, _)| (*kind, *severity))
            .collect::<Vec<_>>(),
        [(FindingKind::TaskFailed, Severity::Warning)]
    );
    none(&tasks(vec![
        task(NOW - HOUR, "vncproxy", "100", failed()),
        task(NOW - 25 * HOUR, "vzdump", "100", failed()),
        task(NOW - HOUR, "vzdump", "101", TaskState::Warnings(1)),
    ]));
    none(&tasks(vec![
        task(NOW - 2 * HOUR, "vzdump", "100", failed()),
        task(NOW - HOUR, "vzdump", "100", TaskState::Ok),
    ]));
    let many = (0..50)
        .map(|n| task(NOW - n, "vzdump", &n.to_string(), failed()))
        .collect();
    assert_eq!(tasks(many).len(), 10);
}

#[test]
fn a_finding_that_goes_on_keeps_its_beginning() {
    let mut store = healthy();
    let fuller = |used| {
        let mut inventory = inventory(2);
        inventory.storages[0].used = Some(used);
        inventory
    };
    store.apply(resources(NOW + 10, fuller(86)));
    let revision = store.findings_revision();
    assert!(!store.apply(resources(NOW + 20, fuller(86))).findings);
    assert_eq!(store.findings_revision(), revision);
    assert!(store.apply(resources(NOW + 30, fuller(97))).findings);
    let finding = &store.findings()[0];
    assert_eq!(
        (finding.severity, finding.since),
        (Severity::Critical, at(NOW + 10))
    );
    let subject = finding.subject.clone();
    assert_eq!(store.worst_finding(&subject), Some(Severity::Critical));
    store.apply(resources(NOW + 40, inventory(2)));
    assert_eq!(store.worst_finding(&subject), None);
    store.apply(resources(NOW + 50, fuller(86)));
    assert_eq!(store.findings()[0].since, at(NOW + 50), "it came back");
}

#[test]
fn the_worst_comes_first_and_none_comes_twice() {
    let found = with(|inventory| {
        inventory.rejected = vec!["odd".into()];
        inventory.nodes[0].mem = Some(91);
        inventory.nodes[1].status = NodeStatus::Offline;
        inventory.storages[0].used = Some(99);
    });
    let severities: Vec<Severity> = found.iter().map(|f| f.severity).collect();
    assert_eq!(
        severities,
        [
            Severity::Critical,
            Severity::Critical,
            Severity::Warning,
            Severity::Info
        ]
    );
    let mut names: Vec<_> = found.iter().map(|f| (f.kind, f.subject.clone())).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), found.len());
}
