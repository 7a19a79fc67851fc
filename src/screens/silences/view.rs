//! What the list of silences shows.

use std::cmp::Ordering;

use super::super::{
    Cx,
    alarms::{matchers, state},
    list::{Columns, longest},
};
use crate::{
    domain::{
        MonitorInfo, ObjectRef, SilenceRef,
        alert::{Silence, SilenceState},
        filter::{Filter, Key, Searchable},
        quantity,
    },
    store::MonitorFeed,
    ui::{
        Cell, Tone,
        table::{Column, Rows, Width, by_name},
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Server,
    State,
    Left,
    Matchers,
    Alerts,
    By,
    Comment,
}

const COLUMNS: &[(Field, Column)] = &[
    (Field::Server, Column::text("server", Width::Between(8, 24), 4)),
    (Field::State, Column::text("state", Width::Fixed(9), 0)),
    (Field::Left, Column::number("left", 6, 0)),
    (Field::Matchers, Column::text("matchers", Width::Grow(24, 4), 0)),
    (Field::Alerts, Column::number("alerts", 7, 2)),
    (Field::By, Column::text("by", Width::Between(6, 20), 3)),
    (Field::Comment, Column::text("comment", Width::Grow(10, 2), 1)),
];

/// All silences.
pub struct SilenceRows<'a> {
    cx: Cx<'a>,
    columns: Columns<Field>,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    server: &'a MonitorInfo,
    silence: &'a Silence,
    reference: SilenceRef,
    /// The alerts that it keeps quiet now.
    alerts: usize,
    old: bool,
}

impl<'a> SilenceRows<'a> {
    /// The silences that the store knows.
    pub fn new(cx: &Cx<'a>) -> Self {
        let rows: Vec<Row<'a>> = cx
            .store
            .silences()
            .map(|(server, silence)| {
                let reference = SilenceRef {
                    manager: server.id.home(),
                    id: silence.id.clone(),
                };
                let alarms = cx.store.alarms().iter();
                let alerts = alarms
                    .filter(|alarm| alarm.silenced_by.contains(&reference))
                    .count();
                let key = MonitorFeed::Silences.of(&server.id);
                Row {
                    server,
                    silence,
                    reference,
                    alerts,
                    old: cx.store.monitors.freshness(&key).is_stale(cx.now),
                }
            })
            .collect();
        let mut columns = Columns::new(COLUMNS, cx, Field::Server);
        columns.fit(Field::By, longest(rows.iter().map(|row| &*row.silence.by)), 0);
        columns.fit(
            Field::Comment,
            longest(rows.iter().map(|row| &*row.silence.comment)),
            20,
        );
        Self {
            cx: *cx,
            columns,
            rows,
        }
    }
}

impl Rows for SilenceRows<'_> {
    fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> ObjectRef {
        ObjectRef::Silence(self.rows[row].reference.clone())
    }

    fn matches(&self, row: usize, filter: &Filter) -> bool {
        filter.matches(&self.rows[row])
    }

    fn compare(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (&self.rows[a], &self.rows[b]);
        let (x, y) = (a.silence, b.silence);
        match self.columns.field(column) {
            Field::Server => a.server.id.cmp(&b.server.id),
            Field::State => x.state.cmp(&y.state).then_with(|| match x.state {
                // What ends first; of those that ended, what ended last.
                SilenceState::Expired => y.ends.cmp(&x.ends),
                _ => x.ends.cmp(&y.ends),
            }),
            Field::Left => x.ends.cmp(&y.ends),
            Field::Matchers => matchers(x).cmp(&matchers(y)),
            Field::Alerts => a.alerts.cmp(&b.alerts),
            Field::By => by_name(&x.by, &y.by),
            Field::Comment => x.comment.cmp(&y.comment),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let row = &self.rows[row];
        let silence = row.silence;
        let tone = match silence.state {
            SilenceState::Active => Tone::Good,
            SilenceState::Pending => Tone::Info,
            SilenceState::Expired | SilenceState::Unknown => Tone::Muted,
        };
        let cell = match self.columns.field(column) {
            Field::Server => Cell::text(row.server.id.to_string()),
            Field::State => Cell::toned(state(silence.state), tone),
            Field::Left => match silence.ends {
                Some(ends) if ends > self.cx.now => {
                    Cell::number(quantity::age(ends.duration_since(self.cx.now).as_secs()))
                }
                _ => Cell::number(self.cx.glyphs.none),
            },
            Field::Matchers => Cell::text(matchers(silence)),
            Field::Alerts => Cell::number(row.alerts.to_string()),
            Field::By => Cell::text(&*silence.by),
            Field::Comment => Cell::toned(&*silence.comment, Tone::Muted),
        };
        let over = silence.state == SilenceState::Expired;
        if over || row.old {
            cell.all(Tone::Muted)
        } else {
            cell
        }
    }
}

impl Searchable for Row<'_> {
    fn any_text(&self, see: &mut dyn FnMut(&str) -> bool) -> bool {
        see(&matchers(self.silence))
            || see(&self.silence.comment)
            || see(&self.silence.by)
            || see(&self.silence.id)
    }

    fn any_value(&self, key: Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            Key::Status => see(state(self.silence.state)),
            Key::User => see(&self.silence.by),
            Key::Name => see(&matchers(self.silence)),
            _ => false,
        }
    }
}
