//! Alerts: who looks after them, and the road from an alert to the graphs of its beginning.

use std::collections::BTreeSet;

use super::{App, Effect, Overlay};
use crate::{
    domain::{
        AlertKey, MonitorKind, ObjectRef, Severity,
        acknowledge::{Acknowledgement, Acknowledgements, Order},
    },
    overlays::typing::edit,
    screens::{Place, alarms},
    settings::{Key, KeyChord},
    store::{MonitorFeed, MonitorKey},
    ui::{Tone, line::Line},
};

impl App {
    /// The feeds of all alerts and silences: what was done to one shows there.
    pub(super) fn alert_feeds(&self) -> BTreeSet<MonitorKey> {
        alarms::feeds(&self.world.store).into_iter().collect()
    }

    /// What the header counts is read wherever one is.
    pub(super) fn counted_feeds(&self) -> impl Iterator<Item = MonitorKey> {
        let servers = self.world.store.monitors.all().iter();
        servers
            .filter(|server| server.id().kind != MonitorKind::Exporter)
            .map(|server| MonitorFeed::Alerts.of(server.id()))
    }

    /// Goes to the graphs of what an alert speaks of, around its beginning.
    pub(super) fn go_to_start(&mut self, key: AlertKey) {
        let Some(alarm) = self.world.store.alarm(key) else {
            return self.say(Tone::Warn, "the alert is over");
        };
        match (&alarm.object, alarm.since) {
            (Some(ObjectRef::Cluster(_) | ObjectRef::Task(_)) | None, _) => {
                self.say(Tone::Warn, "it speaks of no node, guest or storage that is known");
            }
            (Some(object), Some(since)) => {
                let place = Place::MetricsAt(object.clone(), since);
                self.go(place);
            }
            (Some(object), None) => {
                let place = Place::MetricsOf(object.clone());
                self.go(place);
            }
        }
    }

    /// Acknowledges what is marked or selected, or takes that back where all of it is acknowledged.
    pub(super) fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        let focus = self.focus();
        let Some(pane) = self.panes.get(&focus) else {
            return;
        };
        let marks = pane.marks().filter(|marks| !marks.is_empty()).cloned();
        let objects: Vec<ObjectRef> = match marks {
            Some(marks) => marks.into_iter().collect(),
            None => pane.subject().into_iter().collect(),
        };
        let alerts: Vec<(AlertKey, Severity, bool)> = objects
            .iter()
            .filter_map(|object| match object {
                ObjectRef::Alert(key) => self.world.store.alarm(*key),
                _ => None,
            })
            .map(|alarm| (alarm.key, alarm.severity, alarm.acknowledged.is_some()))
            .collect();
        if alerts.is_empty() {
            return self.say(Tone::Warn, "the alert is over");
        }
        if alerts.iter().all(|(_, _, done)| *done) {
            let orders = alerts.iter().map(|(key, _, _)| Order::TakeBack(*key)).collect();
            self.say(
                Tone::Info,
                format!("{} not acknowledged any more", count(alerts.len())),
            );
            return self.order(orders, effects);
        }
        self.overlay = Some(Overlay::Remark {
            line: Line::new(""),
            alerts: alerts
                .into_iter()
                .filter(|(_, _, done)| !done)
                .map(|(key, severity, _)| (key, severity))
                .collect(),
        });
    }

    pub(super) fn remark_key(
        &mut self,
        mut line: Line,
        alerts: Vec<(AlertKey, Severity)>,
        chord: &KeyChord,
        effects: &mut Vec<Effect>,
    ) {
        match chord.key {
            Key::Esc => self.say(Tone::Muted, "nothing is acknowledged"),
            Key::Enter => {
                let now = self.world.now;
                let take = |(key, severity): &(AlertKey, Severity)| {
                    let one = Acknowledgement {
                        // Who runs this process only the runtime knows.
                        by: String::new(),
                        at: now,
                        comment: line.text().trim().to_owned(),
                        severity: *severity,
                        seen: now,
                    };
                    Order::Take(*key, one)
                };
                let orders = alerts.iter().map(take).collect();
                self.say(Tone::Good, format!("{} acknowledged", count(alerts.len())));
                self.order(orders, effects);
            }
            _ => {
                if let Some(edit) = edit(chord) {
                    line.edit(edit);
                }
                self.overlay = Some(Overlay::Remark { line, alerts });
            }
        }
    }

    /// Shows at once what is ordered; the file has the last word.
    fn order(&mut self, orders: Vec<Order>, effects: &mut Vec<Effect>) {
        let mut known = self.world.store.acknowledgements().clone();
        for order in &orders {
            known.apply(order.clone());
        }
        self.acknowledged(known);
        effects.push(Effect::Acknowledge(orders));
    }

    /// Takes what the file says.
    pub(super) fn acknowledged(&mut self, known: Acknowledgements) {
        if self.world.store.set_acknowledgements(known) {
            self.touched();
        }
    }

    /// Keeps the acknowledgements in step with what is there.
    pub(super) fn review(&mut self, effects: &mut Vec<Effect>) {
        let orders = self.world.store.review_acknowledgements(self.world.now);
        if !orders.is_empty() {
            self.order(orders, effects);
        }
    }
}

fn count(alerts: usize) -> String {
    match alerts {
        1 => "1 alert is".to_owned(),
        more => format!("{more} alerts are"),
    }
}
