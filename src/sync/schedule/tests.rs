//! Hours of reading, played in no time.

use super::*;
use crate::domain::Vmid;

/// Plays a cluster that answers each read at once, for `seconds`; returns when which feed was read.
fn play(
    schedule: &mut Schedule,
    begin: Instant,
    seconds: u64,
    answer: impl Fn(&Feed) -> Result<(), FeedErrorKind>,
) -> Vec<(Instant, Feed)> {
    let end = begin + Duration::from_secs(seconds);
    let mut now = begin;
    let mut sent = Vec::new();
    while now < end {
        for feed in schedule.start(now) {
            sent.push((now, feed.clone()));
            schedule.finished(&feed, answer(&feed), now + Duration::from_millis(40), 0.5);
        }
        now = schedule
            .next_wake(now + Duration::from_millis(40))
            .unwrap_or(end)
            .max(now + Duration::from_millis(50));
    }
    sent
}

fn most_in_a_window(sent: &[(Instant, Feed)], from: Instant) -> usize {
    let steady: Vec<_> = sent.iter().filter(|(at, _)| *at >= from).collect();
    let in_window = |first: Instant| -> usize {
        steady
            .iter()
            .filter(|(at, _)| (first..first + WINDOW).contains(at))
            .map(|(_, feed)| cost(feed))
            .sum()
    };
    steady.iter().map(|(at, _)| in_window(*at)).max().unwrap_or(0)
}

/// What is surveyed of so many nodes, as the driver has it.
fn nodes(count: usize) -> Vec<Feed> {
    let node = |n: usize| crate::domain::Node {
        name: format!("pve{n}").into(),
        status: crate::domain::NodeStatus::Online,
        cpu: None,
        cpus: None,
        mem: None,
        max_mem: None,
        disk: None,
        max_disk: None,
        uptime: None,
        level: None,
    };
    let inventory = crate::domain::Inventory {
        nodes: (0..count).map(node).collect(),
        ..crate::domain::Inventory::default()
    };
    crate::sync::surveys(&inventory)
}

fn guest_page() -> BTreeSet<Feed> {
    let id = Vmid(104);
    BTreeSet::from([
        Feed::Resources,
        Feed::Tasks,
        Feed::GuestStatus(id),
        Feed::GuestConfig(id),
        Feed::GuestPending(id),
        Feed::GuestAddresses(id),
        Feed::GuestSnapshots(id),
        Feed::GuestFirewall(id),
        Feed::NodeReplication("pve0".into()),
    ])
}

fn node_page() -> BTreeSet<Feed> {
    let node: crate::domain::NodeName = "pve0".into();
    BTreeSet::from([
        Feed::ClusterStatus,
        Feed::NodeStatus(node.clone()),
        Feed::NodeServices(node.clone()),
        Feed::NodeCertificates(node.clone()),
        Feed::NodeUpdates(node.clone()),
        Feed::NodeDisks(node.clone()),
        Feed::NodeNetwork(node.clone()),
        Feed::NodeSubscription(node.clone()),
        Feed::NodeReplication(node.clone()),
        Feed::NodeTime(node),
        Feed::Tasks,
    ])
}

fn cluster_page(nodes: usize) -> BTreeSet<Feed> {
    let mut page = BTreeSet::from([
        Feed::ClusterStatus,
        Feed::HaStatus,
        Feed::ClusterLog,
        Feed::Version,
        Feed::Permissions,
        Feed::ClusterFirewall,
    ]);
    page.extend((0..nodes).map(|n| Feed::NodeReplication(format!("pve{n}").into())));
    page
}

fn log_page() -> BTreeSet<Feed> {
    let upid: crate::domain::Upid = "UPID:pve0:00000001:00000002:65000000:qmstart:104:root@pam:"
        .parse()
        .unwrap();
    BTreeSet::from([Feed::TaskStatus(upid.clone()), Feed::TaskLog(upid)])
}

/// The longest time between two reads of a feed, from that moment to the end.
/// Six guests that are compared over an hour, on the deck.
fn graphs() -> BTreeSet<Feed> {
    let guest = |vmid| {
        crate::domain::ObjectRef::Guest(crate::domain::GuestRef {
            cluster: "prod".into(),
            vmid: Vmid(vmid),
        })
    };
    let recorded = (100..106).map(|vmid| Feed::Rrd(guest(vmid), crate::domain::rrd::Frame::Hour));
    recorded.chain([Feed::Resources, Feed::Tasks]).collect()
}

fn longest_wait(sent: &[(Instant, Feed)], feed: &Feed, from: Instant, end: Instant) -> Duration {
    let mut times = vec![from];
    times.extend(
        sent.iter()
            .filter(|(at, sent)| sent == feed && *at >= from)
            .map(|(at, _)| *at),
    );
    times.push(end);
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}

#[test]
fn no_page_of_any_cluster_gets_stale_in_normal_operation() {
    for (name, page) in [
        ("guest", guest_page()),
        ("node", node_page()),
        ("cluster", cluster_page(20)),
        ("log", log_page()),
        ("graphs", graphs()),
    ] {
        for count in [1, 3, 20] {
            let begin = Instant::now();
            let mut schedule = Schedule::new(begin);
            play(&mut schedule, begin, 5, |_| Ok(()));
            schedule.survey(nodes(count), begin);
            let opened = begin + Duration::from_secs(5);
            schedule.watch(&page, opened);
            let sent = play(&mut schedule, opened, 3600, |_| Ok(()));
            let (from, end) = (opened + WINDOW, opened + Duration::from_secs(3600));
            assert!(most_in_a_window(&sent, from) <= BUDGET, "{name}, {count} nodes");
            for feed in page.iter().chain([
                &Feed::Resources,
                &Feed::Tasks,
                &Feed::ClusterStatus,
                &Feed::HaStatus,
            ]) {
                let waited = longest_wait(&sent, feed, from, end);
                // Three periods make it stale; the answer takes its time as well.
                let allowed = (period(feed) * 3).saturating_sub(Duration::from_secs(2));
                assert!(
                    waited < allowed,
                    "{name}, {count} nodes: {feed:?} waited {waited:?} of {allowed:?}"
                );
            }
            let surveyed: BTreeSet<_> = sent.iter().map(|(_, feed)| feed).collect();
            let reached = nodes(count).iter().filter(|feed| surveyed.contains(feed)).count();
            assert!(
                reached >= (count * 8).min(40),
                "{name}, {count} nodes: only {reached} were surveyed in an hour"
            );
        }
    }
}

#[test]
fn what_was_only_surveyed_is_read_when_somebody_opens_it() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    schedule.survey(nodes(1), begin);
    play(&mut schedule, begin, 300, |_| Ok(()));
    let now = begin + Duration::from_secs(301);
    schedule.watch(&node_page(), now);
    let started = schedule.start(now + SETTLE);
    assert!(started.contains(&Feed::NodeStatus("pve0".into())), "{started:?}");
    assert!(
        !started.contains(&Feed::NodeCertificates("pve0".into())),
        "it is fresh enough: {started:?}"
    );
}

#[test]
fn a_cluster_that_owes_an_answer_is_asked_nothing_else() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    schedule.watch(&guest_page(), begin);
    for feed in schedule.start(begin + SETTLE) {
        schedule.finished(&feed, Err(FeedErrorKind::Unreachable), begin + SETTLE, 0.5);
    }
    let later = begin + Duration::from_secs(100);
    assert_eq!(schedule.start(later), [Feed::Resources], "one question");
    let much_later = later + Duration::from_secs(20);
    assert!(schedule.start(much_later).is_empty(), "it has not been answered");
    assert_eq!(schedule.next_wake(much_later), None, "only its answer wakes");
    schedule.refresh(&BTreeSet::from([Feed::Tasks]), much_later);
    assert_eq!(schedule.start(much_later), [Feed::Tasks], "somebody asked for it");
    assert!(schedule.start(much_later).is_empty());
    schedule.finished(&Feed::Resources, Ok(()), much_later, 0.5);
    assert!(!schedule.start(much_later).is_empty(), "it is back");
}

#[test]
fn an_hour_of_a_guest_page_keeps_the_budget_and_starves_nothing() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    schedule.survey(nodes(3), begin);
    schedule.watch(&guest_page(), begin);
    let sent = play(&mut schedule, begin, 3600, |_| Ok(()));
    assert!(most_in_a_window(&sent, begin + WINDOW) <= BUDGET);
    let count = |feed: &Feed| sent.iter().filter(|(_, sent)| sent == feed).count();
    assert!(
        (355..=362).contains(&count(&Feed::Resources)),
        "{}",
        count(&Feed::Resources)
    );
    for feed in guest_page()
        .into_iter()
        .chain(nodes(3))
        .chain([Feed::ClusterStatus, Feed::HaStatus])
    {
        let times: Vec<_> = sent
            .iter()
            .filter(|(_, sent)| *sent == feed)
            .map(|(at, _)| *at)
            .collect();
        assert!(!times.is_empty(), "{feed:?} was never read");
        let gap = times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or_default();
        assert!(
            gap <= rhythm(&feed, Reason::Survey).max(SURVEY) * 4,
            "{feed:?} waited {gap:?}"
        );
    }
}

#[test]
fn a_hundred_nodes_cost_no_more_than_three() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    schedule.survey(nodes(100), begin);
    let sent = play(&mut schedule, begin, 3600, |_| Ok(()));
    assert!(most_in_a_window(&sent, begin + WINDOW) <= BUDGET);
    let quorum = sent
        .iter()
        .filter(|(_, feed)| *feed == Feed::ClusterStatus)
        .count();
    assert!(quorum >= 100, "quorum was read {quorum} times in an hour");
}

#[test]
fn what_is_opened_is_read_at_once() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    play(&mut schedule, begin, 60, |_| Ok(()));
    let now = begin + Duration::from_secs(61);
    schedule.watch(&guest_page(), now);
    assert!(
        !schedule.start(now).contains(&Feed::GuestStatus(Vmid(104))),
        "the selection has not settled"
    );
    let started = schedule.start(now + SETTLE);
    assert!(
        started.contains(&Feed::GuestStatus(Vmid(104))) && started.contains(&Feed::GuestConfig(Vmid(104)))
    );
    assert!(
        schedule.start(now + SETTLE).is_empty(),
        "nothing is read twice at the same time"
    );
}

#[test]
fn what_was_scrolled_past_is_not_read() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    play(&mut schedule, begin, 60, |_| Ok(()));
    let now = begin + Duration::from_secs(61);
    schedule.watch(&BTreeSet::from([Feed::GuestStatus(Vmid(1))]), now);
    schedule.watch(&BTreeSet::from([Feed::GuestStatus(Vmid(2))]), now + SETTLE / 2);
    let started = schedule.start(now + SETTLE * 2);
    assert!(!started.contains(&Feed::GuestStatus(Vmid(1))) && started.contains(&Feed::GuestStatus(Vmid(2))));
}

#[test]
fn a_dead_cluster_is_asked_ever_more_rarely_and_comes_back() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    schedule.watch(&guest_page(), begin);
    let sent = play(&mut schedule, begin, 3600, |_| Err(FeedErrorKind::Unreachable));
    assert!(sent.len() < 150, "{} tries in an hour", sent.len());
    let later = begin + Duration::from_secs(3600);
    let back = play(&mut schedule, later, 120, |_| Ok(()));
    assert!(back.iter().filter(|(_, feed)| *feed == Feed::Resources).count() >= 5);
}

#[test]
fn a_refused_sign_in_is_not_hammered() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    let sent = play(&mut schedule, begin, 600, |_| Err(FeedErrorKind::SignIn));
    assert!(sent.len() <= 12, "{} tries in ten minutes", sent.len());
}

#[test]
fn an_untrusted_certificate_stops_until_asked() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    let first = schedule.start(begin);
    schedule.finished(&first[0], Err(FeedErrorKind::Untrusted), begin, 0.5);
    assert!(schedule.start(begin + Duration::from_secs(3600)).is_empty());
    assert_eq!(schedule.next_wake(begin), None);
    schedule.refresh(&BTreeSet::from([Feed::Version]), begin);
    assert!(!schedule.start(begin).is_empty());
}

#[test]
fn a_pause_reads_only_what_is_asked_for() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    play(&mut schedule, begin, 60, |_| Ok(()));
    schedule.pause(true);
    let later = begin + Duration::from_secs(200);
    assert!(schedule.start(later).is_empty());
    schedule.refresh(&BTreeSet::from([Feed::Resources]), later);
    assert_eq!(schedule.start(later), [Feed::Resources]);
}

#[test]
fn what_waited_for_room_is_read_at_once_when_somebody_looks() {
    let begin = Instant::now();
    let mut schedule = Schedule::new(begin);
    assert!(
        !schedule.start(begin).contains(&Feed::HaStatus),
        "the budget is spent"
    );
    schedule.watch(&BTreeSet::from([Feed::HaStatus]), begin);
    assert!(schedule.start(begin + SETTLE).contains(&Feed::HaStatus));
}
