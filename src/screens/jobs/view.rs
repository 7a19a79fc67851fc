//! What the list of backup jobs shows. Runs are told in the zone of the server, by which they happen.

use std::cmp::Ordering;

use jiff::{Timestamp, tz::TimeZone};

use super::super::{
    Cx, figures,
    list::{Columns, longest},
    states,
};
use crate::{
    domain::{
        BackupJob, CalendarEvent, ClusterId, JobRef, ObjectRef,
        backup_job::LastRun,
        filter::{Filter, Key, Searchable},
    },
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cluster,
    Id,
    State,
    Next,
    Words,
    Schedule,
    Whom,
    Storage,
    Keeps,
    Last,
    Comment,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Cluster, Column::text("cluster", Width::Between(7, 14), 5)),
    (Field::Id, Column::text("job", Width::Between(8, 28), 0)),
    (Field::State, Column::text("state", Width::Fixed(10), 3)),
    (Field::Next, Column::text("next run", Width::Between(11, 20), 0)),
    (Field::Words, Column::text("when", Width::Between(12, 34), 2)),
    (
        Field::Schedule,
        Column::text("schedule", Width::Between(8, 20), 8),
    ),
    (Field::Whom, Column::text("guests", Width::Between(6, 24), 4)),
    (Field::Storage, Column::text("storage", Width::Between(7, 16), 6)),
    (Field::Keeps, Column::text("keeps", Width::Between(10, 36), 7)),
    (
        Field::Last,
        Column::text("last result", Width::Between(11, 30), 1),
    ),
    (Field::Comment, Column::text("comment", Width::Grow(8, 2), 9)),
];

/// All backup jobs.
pub struct JobRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    cluster: &'a ClusterId,
    job: &'a BackupJob,
    zone: Option<TimeZone>,
    next: Option<Timestamp>,
    last: LastRun,
    words: String,
    keeps: String,
}

impl<'a> JobRows<'a> {
    /// The jobs that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let mut rows = Vec::new();
        for cluster in cx.store.clusters() {
            for job in cluster.backup_jobs().unwrap_or_default() {
                let zone = cluster.job_zone(job);
                let near = zone.as_ref().unwrap_or(cx.zone);
                let own = job.retention.as_ref().map(ToString::to_string);
                let keeps = own.or_else(|| Some(format!("{} (storage)", cluster.retention_of(job)?)));
                rows.push(Row {
                    cluster: cluster.id(),
                    job,
                    next: job.next_run(cx.now, near),
                    zone,
                    last: cluster.last_run(job, cx.now),
                    words: match job.schedule.parse::<CalendarEvent>() {
                        Ok(event) => event.words(),
                        Err(why) => why,
                    },
                    keeps: keeps.unwrap_or_default(),
                });
            }
        }
        let mut columns = Columns::new(COLUMNS, cx, Field::Cluster);
        let mut fit = |field, longest: u16, good| columns.fit(field, longest, good);
        fit(
            Field::Cluster,
            longest(rows.iter().map(|row| row.cluster.as_str())),
            0,
        );
        fit(Field::Id, longest(rows.iter().map(|row| &*row.job.id)), 14);
        fit(
            Field::Words,
            longest(rows.iter().map(|row| row.words.as_str())),
            0,
        );
        fit(
            Field::Schedule,
            longest(rows.iter().map(|row| &*row.job.schedule)),
            0,
        );
        let whom: Vec<String> = rows.iter().map(|row| row.job.whom()).collect();
        fit(Field::Whom, longest(whom.iter().map(String::as_str)), 0);
        fit(
            Field::Keeps,
            longest(rows.iter().map(|row| row.keeps.as_str())),
            0,
        );
        let storages = rows.iter().filter_map(|row| row.job.storage.as_ref());
        fit(
            Field::Storage,
            longest(storages.map(crate::domain::StorageName::as_str)),
            0,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

impl Row<'_> {
    /// What needs a look first.
    fn rank(&self) -> u8 {
        match &self.last {
            LastRun::Missed(_) => 0,
            LastRun::Ran(_, state) if state.word() == "failed" => 1,
            LastRun::Ran(_, state) if state.word() != "ok" => 2,
            LastRun::Ran(..) => 3,
            LastRun::Unknown => 4,
        }
    }

    fn last_word(&self) -> &'static str {
        match &self.last {
            LastRun::Missed(_) => "missed",
            LastRun::Ran(_, state) => state.word(),
            LastRun::Unknown => "unknown",
        }
    }
}

impl Rows for JobRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        let row = &self.rows[row];
        ObjectRef::Job(JobRef {
            cluster: row.cluster.clone(),
            id: row.job.id.clone(),
        })
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.rows[a], &self.rows[b]);
        let (x, y) = (a.job, b.job);
        match self.columns.field(column) {
            Field::Cluster => by_name(a.cluster.as_str(), b.cluster.as_str()),
            Field::Id => by_name(&x.id, &y.id),
            Field::State => y.enabled.cmp(&x.enabled),
            // What never runs comes last.
            Field::Next => (a.next.is_none(), a.next).cmp(&(b.next.is_none(), b.next)),
            Field::Words | Field::Schedule => x.schedule.cmp(&y.schedule),
            Field::Whom => by_name(&x.whom(), &y.whom()),
            Field::Storage => x.storage.cmp(&y.storage),
            Field::Keeps => a.keeps.cmp(&b.keeps),
            Field::Last => a.rank().cmp(&b.rank()),
            Field::Comment => x.comment.cmp(&y.comment),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let (row, g) = (&self.rows[row], self.cx.glyphs);
        let job = row.job;
        let zone = row.zone.as_ref().unwrap_or(self.cx.zone);
        match self.columns.field(column) {
            Field::Cluster => Cell::text(row.cluster.as_str()),
            Field::Id => Cell::toned(&*job.id, if job.enabled { Tone::Accent } else { Tone::Muted }),
            Field::State if job.enabled => Cell::toned(format!("{} enabled", g.on), Tone::Good),
            Field::State => Cell::toned(format!("{} disabled", g.off), Tone::Muted),
            Field::Next => match row.next {
                Some(next) => {
                    let time = figures::moment(next, self.cx.now, zone);
                    let zone = next.to_zoned(zone.clone()).strftime(" %Z").to_string();
                    Cell::text(time).then(zone, Tone::Muted)
                }
                None => Cell::toned(g.none, Tone::Muted),
            },
            Field::Words => Cell::text(row.words.as_str()),
            Field::Schedule => Cell::toned(&*job.schedule, Tone::Muted),
            Field::Whom => Cell::text(job.whom()),
            Field::Storage => Cell::text(job.storage.as_ref().map_or("local", |storage| storage.as_str())),
            Field::Keeps => Cell::toned(row.keeps.as_str(), Tone::Muted),
            Field::Last => match &row.last {
                LastRun::Unknown => Cell::toned(g.none, Tone::Muted),
                LastRun::Missed(due) => {
                    let due = figures::moment(*due, self.cx.now, zone);
                    Cell::toned(format!("{} missed {due}", g.failed), Tone::Bad)
                }
                LastRun::Ran(at, state) => {
                    let at = figures::moment(*at, self.cx.now, zone);
                    states::task(state, g).cell().then(format!(" {at}"), Tone::Muted)
                }
            },
            Field::Comment => Cell::toned(job.comment.as_deref().unwrap_or_default(), Tone::Muted),
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&self.job.id)
            || see(&self.job.schedule)
            || see(&self.words)
            || see(&self.job.whom())
            || self.job.comment.as_deref().is_some_and(see)
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => {
                see(if self.job.enabled { "enabled" } else { "disabled" }) || see(self.last_word())
            }
            Key::Node => self.job.node.as_ref().is_some_and(|node| see(node.as_str())),
            Key::Cluster => see(self.cluster.as_str()),
            Key::Name => see(&self.job.id),
            Key::Pool => see(&self.job.whom()),
            Key::Tag | Key::Type | Key::User => false,
        }
    }
}
