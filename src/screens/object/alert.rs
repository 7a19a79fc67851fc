//! Everything about one alert or finding: what it speaks of, how it stands, its labels, what keeps it quiet.

use super::parts::{Facts, moment_ago};
use crate::{
    domain::{Alarm, AlertKey, ObjectRef, metric::Labels},
    screens::{
        Cx,
        alarms::{matchers, source},
        states,
    },
    ui::{
        Cell, Tone,
        page::{Body, Section},
    },
};

/// Labels that are shown. A sane alert has a dozen.
const LABELS: usize = 200;

pub(super) fn page(cx: &Cx<'_>, key: AlertKey) -> Vec<Section> {
    let Some(alarm) = cx.store.alarm(key) else {
        let notice = "it is over: nobody tells of it any more";
        return vec![Section::new("Alert", Body::Lines(Vec::new())).notice(notice, Tone::Muted)];
    };
    let mut sections = vec![Section::new("Alert", facts(cx, alarm).body()).wants(60)];
    if let Some(one) = &alarm.acknowledged {
        let mut facts = Facts::default();
        facts.add("by", one.by.as_str());
        facts.add("at", moment_ago(cx, one.at));
        facts.maybe("why", Some(one.comment.as_str()).filter(|why| !why.is_empty()));
        sections.push(Section::new("Acknowledged", facts.body()));
    }
    sections.extend(silences(cx, alarm));
    for (title, labels) in [("Annotations", &alarm.annotations), ("Labels", &alarm.labels)] {
        if !labels.is_empty() {
            sections.push(Section::new(title, pairs(labels)));
        }
    }
    sections
}

fn facts(cx: &Cx<'_>, alarm: &Alarm) -> Facts {
    let standing = alarm.standing();
    let mut facts = Facts::default();
    facts.add("rule", &*alarm.name);
    facts.add("says", &*alarm.text);
    facts.add("severity", states::severity(alarm.severity, cx.glyphs).cell());
    let tone = if standing.is_loud() {
        Tone::Text
    } else {
        Tone::Muted
    };
    facts.add("state", Cell::toned(standing.as_str(), tone));
    if alarm.inhibited_by > 0 {
        facts.add("inhibited by", format!("{} other alerts", alarm.inhibited_by));
    }
    facts.maybe("since", alarm.since.map(|since| moment_ago(cx, since)));
    facts.maybe("value", alarm.value.map(|value| value.to_string()));
    facts.add(
        "about",
        match &alarm.object {
            Some(object) => Cell::toned(super::title(cx, object), Tone::Accent),
            None => Cell::toned(
                "nothing in sight: its labels name no node, guest or storage",
                Tone::Muted,
            ),
        },
    );
    let sources: Vec<String> = alarm.sources.iter().map(source).collect();
    facts.add("told by", sources.join(", "));
    if !alarm.receivers.is_empty() {
        facts.add("told to", alarm.receivers.join(", "));
    }
    facts.maybe("link", alarm.link.as_deref());
    facts.add("key", ObjectRef::Alert(alarm.key).to_string());
    facts
}

fn silences(cx: &Cx<'_>, alarm: &Alarm) -> Option<Section> {
    let lines: Vec<Cell> = alarm
        .silenced_by
        .iter()
        .map(|reference| match cx.store.silence(reference) {
            Some((server, silence)) => {
                let mut cell = Cell::text(matchers(silence)).then(format!("  {}", server.id), Tone::Muted);
                if let Some(ends) = silence.ends {
                    cell = cell
                        .then("  until ", Tone::Muted)
                        .then(super::parts::moment(ends, cx.zone), Tone::Text);
                }
                cell.then(format!("  {} {}", silence.by, silence.comment), Tone::Muted)
            }
            None => Cell::text(reference.id.to_string()),
        })
        .collect();
    (!lines.is_empty()).then(|| Section::new("Silenced by", Body::Lines(lines)))
}

fn pairs(labels: &Labels) -> Body {
    let mut facts = Facts::default();
    for (name, value) in labels.iter().take(LABELS) {
        facts.add(name, value);
    }
    if let Some(more @ 1..) = labels.iter().len().checked_sub(LABELS) {
        facts.add("and", format!("{more} more"));
    }
    facts.body()
}
