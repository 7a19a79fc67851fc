//! Everything about one silence, and the alerts that it keeps quiet.

use super::parts::{Facts, moment_ago};
use crate::{
    domain::SilenceRef,
    screens::{Cx, alarms::state, states},
    ui::{
        Cell, Tone,
        page::{Body, Section},
    },
};

/// Alerts that are named.
const NAMED: usize = 200;

pub(super) fn page(cx: &Cx<'_>, reference: &SilenceRef) -> Vec<Section> {
    let Some((server, silence)) = cx.store.silence(reference) else {
        let notice = "its Alertmanager tells nothing of it (any more)";
        return vec![Section::new("Silence", Body::Lines(Vec::new())).notice(notice, Tone::Muted)];
    };
    let mut facts = Facts::default();
    facts.add("state", state(silence.state));
    for matcher in &silence.matchers {
        facts.add("matches", matcher.to_string());
    }
    facts.maybe("from", silence.starts.map(|at| moment_ago(cx, at)));
    facts.maybe(
        "until",
        silence
            .ends
            .map(|at| Cell::text(super::parts::moment(at, cx.zone))),
    );
    facts.add("by", &*silence.by);
    facts.add("comment", &*silence.comment);
    facts.add("server", server.id.to_string());
    facts.add("id", &*silence.id);
    let quiet = cx
        .store
        .alarms()
        .iter()
        .filter(|alarm| alarm.silenced_by.contains(reference));
    let lines: Vec<Cell> = quiet
        .take(NAMED)
        .map(|alarm| {
            states::severity(alarm.severity, cx.glyphs)
                .saying(&alarm.name)
                .then(format!("  {}", alarm.text), Tone::Text)
        })
        .collect();
    let mut alerts = Section::new("Keeps quiet", Body::Lines(lines));
    if alerts.body.is_empty() {
        alerts = alerts.notice("no alert at present", Tone::Muted);
    }
    vec![Section::new("Silence", facts.body()).wants(60), alerts]
}
