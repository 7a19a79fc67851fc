//! What the sections of all objects have in common: figures, times, and what is said where data is missing.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    domain::{
        ClusterId, NodeRef, NodeStatus, ObjectRef, Task, TaskState,
        alarm::Source,
        guest::Pressure,
        quantity::{self, Bytes, long_span, percent, ratio},
    },
    screens::{Cx, freshness, states},
    store::{Cluster, Feed, Ring},
    ui::{
        Cell, Glyphs, Tone,
        page::{Body, GridColumn, Section},
        pane::Freshness,
    },
};

/// Columns of a gauge on a page.
const GAUGE: usize = 10;
/// Tasks that a page lists; the task list has them all.
const TASKS: usize = 12;
/// Samples of a load that fit beside a label.
const HISTORY: usize = 30;

/// Facts under construction: what is not known is left out.
#[derive(Debug, Default)]
pub(super) struct Facts(Vec<(String, Cell)>);

impl Facts {
    /// Adds a fact.
    pub(super) fn add(&mut self, label: &str, value: impl Into<Cell>) -> &mut Self {
        self.0.push((label.to_owned(), value.into()));
        self
    }

    /// Adds a fact if it is known.
    pub(super) fn maybe<V: Into<Cell>>(&mut self, label: &str, value: Option<V>) -> &mut Self {
        if let Some(value) = value {
            self.add(label, value);
        }
        self
    }

    /// The body of a section.
    pub(super) fn body(self) -> Body {
        Body::Facts(self.0)
    }
}

/// A section of one feed's data, with its age. Without data it says why; with old data it says what went wrong.
pub(super) fn sourced<T: ?Sized>(
    title: &str,
    fresh: &Freshness,
    data: Option<&T>,
    empty: &str,
    body: impl FnOnce(&T) -> Body,
) -> Section {
    let mut section = Section::new(title, data.map_or(Body::Lines(Vec::new()), body));
    section.stale = fresh.stale;
    if data.is_some() && !fresh.age.is_empty() {
        let tone = if fresh.stale { Tone::Warn } else { Tone::Muted };
        section.age = Some(Cell::toned(fresh.age.clone(), tone));
    }
    section.notice = match (&fresh.error, data) {
        (Some(error), _) => Some(Cell::toned(error.clone(), Tone::Warn)),
        (None, None) => Some(Cell::toned("waiting", Tone::Muted)),
        (None, Some(_)) if section.body.is_empty() => Some(Cell::toned(empty, Tone::Muted)),
        (None, Some(_)) => None,
    };
    section
}

/// A section of what the inventory and a feed of its own say together: the inventory alone is worth showing, so
/// the feed's error is told and nothing is waited for.
pub(super) fn observed(
    cx: &Cx<'_>,
    cluster: &ClusterId,
    title: &str,
    feed: &Freshness,
    body: Body,
) -> Section {
    let inventory = fresh(cx, cluster, Feed::Resources);
    let mut section = sourced(
        title,
        if feed.error.is_some() { feed } else { &inventory },
        Some(&()),
        "",
        |()| body,
    );
    section.stale = inventory.stale;
    section.notice = feed
        .error
        .as_ref()
        .map(|error| Cell::toned(error.clone(), Tone::Warn));
    section
}

/// A grid of what the inventory says, whose error stands below the pane.
pub(super) fn listed(
    title: &str,
    inventory: &Freshness,
    columns: &[GridColumn],
    rows: Vec<Vec<Cell>>,
    empty: &str,
) -> Section {
    let fresh = Freshness {
        error: None,
        ..inventory.clone()
    };
    let columns = columns.to_vec();
    let known = (!fresh.age.is_empty()).then_some(&());
    sourced(title, &fresh, known, empty, |()| Body::Grid { columns, rows })
}

/// The one section of a page whose object is not known.
pub(super) fn missing(cx: &Cx<'_>, object: &ObjectRef) -> Section {
    let fresh = fresh(cx, object.cluster(), cx.store.heart(object.cluster()));
    let text = match (&fresh.error, fresh.age.is_empty()) {
        (_, false) => format!("there is no {object} in {} (any more)", object.cluster()),
        (Some(error), true) => error.clone(),
        (None, true) => "waiting".to_owned(),
    };
    Section::new(object.to_string(), Body::Lines(Vec::new())).notice(text, Tone::Muted)
}

/// Age and error of a feed of the cluster.
pub(super) fn fresh(cx: &Cx<'_>, cluster: &ClusterId, feed: Feed) -> Freshness {
    freshness::freshness(cx, [feed.of(cluster)])
}

/// Whether it makes sense to ask a node, or for what lives on it: the cluster passes the question on and waits long
/// for a node that is away.
pub(super) fn answers(cx: &Cx<'_>, node: &NodeRef) -> bool {
    cx.store
        .node(node)
        .is_none_or(|node| node.status != NodeStatus::Offline)
}

/// Age and error of a feed that a node answers. Nothing is waited for from a node that is offline.
pub(super) fn fresh_on(cx: &Cx<'_>, node: &NodeRef, feed: Feed) -> Freshness {
    let mut fresh = fresh(cx, &node.cluster, feed);
    if fresh.age.is_empty() && fresh.error.is_none() && !answers(cx, node) {
        fresh.error = Some(format!("{} is offline", node.node));
    }
    fresh
}

/// What a feed brings, in the words of the page.
pub(super) fn feed_words(feed: &Feed) -> String {
    let words = match feed {
        Feed::Resources => "inventory",
        Feed::Pbs(feed) => feed.words(),
        Feed::ClusterStatus => "cluster status",
        Feed::Tasks => "tasks",
        Feed::HaStatus => "HA status",
        Feed::HaRules => "HA rules",
        Feed::ClusterLog => "cluster log",
        Feed::Readings => "readings",
        Feed::Version => "version",
        Feed::Permissions => "permissions",
        Feed::ClusterFirewall => "cluster firewall",
        Feed::FirewallGroups => "security groups",
        Feed::NodeStatus(_) | Feed::GuestStatus(_) | Feed::StorageStatus(..) => "status",
        Feed::NodeServices(_) => "services",
        Feed::NodeCertificates(_) => "certificates",
        Feed::NodeUpdates(_) => "updates",
        Feed::NodeDisks(_) => "disks",
        Feed::NodeNetwork(_) => "network",
        Feed::NodeSubscription(_) => "subscription",
        Feed::NodeReplication(_) => "replication",
        Feed::NodeTime(_) => "clock",
        Feed::NodeSyslog(_) => "system log",
        Feed::GuestConfig(_) => "configuration",
        Feed::GuestPending(_) => "pending changes",
        Feed::GuestAddresses(_) => "addresses",
        Feed::GuestSnapshots(_) => "snapshots",
        Feed::GuestFile(..) => "file",
        Feed::GuestMigration(_) => "conditions of a move",
        Feed::NotBackedUp => "guests in no backup job",
        Feed::NodeFirewall(_) | Feed::GuestFirewall(_) => "firewall",
        Feed::StorageContent(..) => "content",
        Feed::Backups(_, storage) => return format!("backups on {storage}"),
        Feed::BackupTasks(_) => "backup tasks",
        Feed::BackupJobs => "backup jobs",
        Feed::JobGuests(_) => "guests of the job",
        Feed::StorageDefinitions => "storage definitions",
        Feed::TaskStatus(_) => "task",
        Feed::TaskLog(_) => "task log",
        Feed::Rrd(..) => "recorded metrics",
        Feed::Raw(_) => "raw data",
    };
    match (feed.vmid(), feed.node()) {
        (Some(vmid), _) => format!("{vmid} {words}"),
        (None, Some(node)) => format!("{node} {words}"),
        (None, None) => words.to_owned(),
    }
}

/// A load: gauge and percentage.
pub(super) fn load(g: &Glyphs, fraction: f64) -> Cell {
    let tone = Tone::of_load(fraction);
    Cell::toned(g.gauge(fraction, GAUGE), tone).then(format!(" {}", percent(fraction)), tone)
}

/// A part of a whole in bytes: gauge, percentage, figures.
pub(super) fn share(g: &Glyphs, used: u64, total: u64) -> Cell {
    match ratio(Some(used), Some(total)) {
        Some(fraction) => {
            load(g, fraction).then(format!("  {} of {}", Bytes(used), Bytes(total)), Tone::Text)
        }
        None => Cell::text(Bytes(used).to_string()),
    }
}

/// The last samples of a load as one line.
pub(super) fn history(g: &Glyphs, ring: &Ring) -> Option<Cell> {
    let samples = ring.samples();
    let from = samples.len().saturating_sub(HISTORY);
    let line = g.sparkline(samples.skip(from).map(|sample| sample.map(f64::from)));
    (!line.trim().is_empty()).then(|| Cell::toned(line, Tone::Graph1))
}

/// Pressure stall figures in one line.
pub(super) fn pressure(p: &Pressure) -> Cell {
    let mut cell = Cell::empty();
    for (name, value) in [
        ("cpu ", p.cpu_some),
        ("  io ", p.io_some),
        ("  memory ", p.memory_some),
    ] {
        let tone = if value >= 20.0 { Tone::Warn } else { Tone::Text };
        cell = cell.then(name, Tone::Muted).then(format!("{value:.1}%"), tone);
    }
    cell
}

/// A moment in the shown zone, to the minute.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long ago a moment was.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    quantity::age(now.as_second() - at.as_second())
}

/// A moment with its age: `2026-03-01 02:00 (8d ago)`.
pub(super) fn moment_ago(cx: &Cx<'_>, at: Timestamp) -> Cell {
    Cell::text(moment(at, cx.zone)).then(format!(" ({} ago)", ago(at, cx.now)), Tone::Muted)
}

/// Seconds since a start.
pub(super) fn uptime(seconds: u64) -> Cell {
    Cell::text(long_span(seconds.try_into().unwrap_or(i64::MAX)))
}

/// `yes` or `no`.
pub(super) fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Days until a moment, with the tone of how near it is.
pub(super) fn days_left(until: Timestamp, now: Timestamp) -> Cell {
    let days = (until.as_second() - now.as_second()).div_euclid(86_400);
    let tone = match days {
        ..7 => Tone::Bad,
        7..30 => Tone::Warn,
        _ => Tone::Good,
    };
    if days < 0 {
        Cell::toned("expired", tone)
    } else {
        Cell::toned(format!("{days} days left"), tone)
    }
}

/// What is wrong with the object, the worst first: findings and alerts. No section where nothing is.
pub(super) fn findings(cx: &Cx<'_>, object: &ObjectRef) -> Option<Section> {
    let mut alerts = false;
    let lines: Vec<Cell> = cx
        .store
        .alarms_of(object)
        .map(|alarm| {
            alerts |= alarm.sources != [Source::Findings];
            let standing = alarm.standing();
            let mut cell = states::severity(alarm.severity, cx.glyphs)
                .saying(&format!("{:<8}", alarm.severity))
                .then(format!("  {}", alarm.text), Tone::Text);
            if let Some(since) = alarm.since {
                cell = cell.then(format!("  since {}", ago(since, cx.now)), Tone::Muted);
            }
            if standing.is_loud() {
                cell
            } else {
                cell.then(format!("  {}", standing.as_str()), Tone::Muted)
                    .all(Tone::Muted)
            }
        })
        .collect();
    let title = if alerts { "Alerts" } else { "Findings" };
    (!lines.is_empty()).then(|| Section::new(title, Body::Lines(lines)).wants(u16::MAX))
}

/// Sign and word of a task's state.
pub(super) fn task_state(g: &Glyphs, state: &TaskState) -> Cell {
    let shown = states::task(state, g);
    match state {
        TaskState::Warnings(count) => shown.saying(&format!("{count} warnings")),
        TaskState::Failed(error) => shown.cell().then(format!(": {error}"), Tone::Text),
        _ => shown.cell(),
    }
}

/// The newest tasks about the object.
pub(super) fn tasks(cx: &Cx<'_>, cluster: &ClusterId, about: impl Fn(&Task) -> bool) -> Section {
    let fresh = fresh(cx, cluster, Feed::Tasks);
    let known = !fresh.age.is_empty();
    // The store has the newest first.
    let tasks = cx
        .store
        .cluster(cluster)
        .map_or(&[][..], Cluster::tasks)
        .iter()
        .filter(|task| about(task));
    let rows = tasks
        .take(TASKS)
        .map(|task| {
            vec![
                Cell::toned(moment(task.upid.start, cx.zone), Tone::Muted),
                Cell::text(&*task.upid.kind),
                Cell::text(&*task.upid.id),
                Cell::toned(task.upid.node.as_str(), Tone::Muted),
                Cell::toned(&*task.user, Tone::Muted),
                Cell::text(long_span(task.duration(cx.now))),
                task_state(cx.glyphs, &task.state),
            ]
        })
        .collect();
    let columns = vec![
        GridColumn::text("started"),
        GridColumn::text("task"),
        GridColumn::text("id"),
        GridColumn::text("node"),
        GridColumn::text("user"),
        GridColumn::number("took"),
        GridColumn::text("state"),
    ];
    sourced(
        "Recent tasks",
        &fresh,
        known.then_some(&()),
        "no recent task",
        |()| Body::Grid { columns, rows },
    )
    .wants(90)
}

/// The security groups of a cluster, if it has any.
pub(super) fn firewall_groups(
    fresh: &Freshness,
    groups: Option<&[crate::domain::cluster::FirewallGroup]>,
) -> Option<Section> {
    let groups = groups.filter(|groups| !groups.is_empty())?;
    let section = sourced("Security groups", fresh, Some(groups), "none", |groups| {
        let mut facts = Facts::default();
        for group in groups {
            let rules = group.rules.as_deref().unwrap_or_default();
            let lines: Vec<String> = rules
                .iter()
                .map(crate::domain::cluster::FirewallRule::line)
                .collect();
            let text = match (&group.rules, &group.comment) {
                (None, None) => "its rules may not be read".to_owned(),
                (_, Some(comment)) if lines.is_empty() => comment.to_string(),
                (_, None) if lines.is_empty() => "no rules".to_owned(),
                _ => lines.join("; "),
            };
            facts.add(&group.name, text);
        }
        facts.body()
    });
    Some(section)
}

/// Rows of a firewall, or of what it says of itself.
pub(super) fn firewall(fresh: &Freshness, data: Option<&crate::domain::cluster::Firewall>) -> Section {
    sourced("Firewall", fresh, data, "no firewall set up", |firewall| {
        let mut facts = Facts::default();
        facts.maybe(
            "enabled",
            firewall
                .enabled
                .map(|on| Cell::toned(yes(on), if on { Tone::Good } else { Tone::Muted })),
        );
        facts.maybe("input policy", firewall.policy_in.as_deref());
        facts.maybe("output policy", firewall.policy_out.as_deref());
        for (number, rule) in firewall.rules.iter().enumerate() {
            facts.add(&format!("rule {number}"), rule.line());
        }
        facts.body()
    })
}
