//! What runs show: a row for each, and everything about one.

use super::super::{Cx, figures, states::State};
use crate::{
    domain::{TaskRef, task_kind},
    plan::{
        Deed, Weight,
        runner::Outcome,
        runs::{Record, RunState, StepState, Ticket},
    },
    ui::{
        Cell, Glyphs, Tone,
        page::{Body, GridColumn, Page, Section},
    },
};

/// How a run stands.
pub(super) fn state(run: &Record, g: &Glyphs) -> State {
    let (sign, tone) = match run.state {
        RunState::Running | RunState::Stopping => (g.busy, Tone::Info),
        RunState::Elsewhere => (g.busy, Tone::Muted),
        RunState::Interrupted => (g.warn, Tone::Warn),
        RunState::Done => (g.ok, Tone::Good),
        RunState::Failed => (g.failed, Tone::Bad),
        RunState::Dropped => (g.off, Tone::Muted),
    };
    State {
        sign,
        word: run.state.word(),
        tone,
    }
}

/// `begun`, `state`, `steps`, `what`, `who` and what went wrong.
pub(super) fn row(cx: &Cx<'_>, run: &Record) -> [Cell; 5] {
    let steps = format!("{}/{}", run.over(), run.steps.len());
    let by = if run.by.is_empty() { "here" } else { &run.by };
    let fault = match (run.fault(), &run.why) {
        (Some((_, why)), _) => Cell::toned(why, Tone::Bad),
        (None, Some(why)) => Cell::toned(why.as_str(), Tone::Muted),
        (None, None) => Cell::toned(by, Tone::Muted),
    };
    [
        Cell::number(figures::moment(run.begun, cx.now, cx.zone)),
        state(run, cx.glyphs).cell(),
        Cell::number(steps),
        Cell::text(run.plan.title.as_str()),
        fault,
    ]
}

/// The task that was begun last.
pub(super) fn newest_task(cx: &Cx<'_>, ticket: Ticket) -> Option<TaskRef> {
    let run = cx.runs.get(ticket)?;
    let tasks = run.steps.iter().zip(&run.plan.steps).filter_map(|(state, step)| {
        Some(TaskRef {
            cluster: step.cluster.clone(),
            upid: state.task()?.clone(),
        })
    });
    tasks.max_by_key(|task| task.upid.start)
}

/// Everything about one run.
pub(super) fn page(cx: &Cx<'_>, ticket: Ticket) -> Page {
    let Some(run) = cx.runs.get(ticket) else {
        return Page {
            sections: vec![
                Section::new("Run", Body::Lines(Vec::new())).notice("it is not known any more", Tone::Muted),
            ],
        };
    };
    let mut facts = vec![
        ("state".to_owned(), state(run, cx.glyphs).cell()),
        (
            "begun".to_owned(),
            Cell::text(figures::moment(run.begun, cx.now, cx.zone).trim().to_owned()),
        ),
        (
            "by".to_owned(),
            Cell::text(if run.by.is_empty() {
                "this console"
            } else {
                &run.by
            }),
        ),
    ];
    if let Some(number) = run.number {
        facts.push(("journal".to_owned(), Cell::text(format!("run {number}"))));
    }
    if let Some(why) = &run.why {
        facts.push(("ended".to_owned(), Cell::text(why.as_str())));
    }
    if let Some(deed) = run
        .plan
        .way_back
        .as_ref()
        .and_then(|back| Deed::from_name(&back.deed))
    {
        facts.push(("way back".to_owned(), Cell::text(deed.title())));
    }
    let rows = run
        .steps
        .iter()
        .zip(&run.plan.steps)
        .enumerate()
        .map(|(index, (state, step))| {
            vec![
                Cell::number((index + 1).to_string()),
                Cell::text(step.title.as_str()),
                step_state(cx, state),
                Cell::toned(step.call.to_string(), Tone::Muted),
            ]
        })
        .collect();
    let steps = Body::Grid {
        columns: vec![
            GridColumn::number("#"),
            GridColumn::text("to"),
            GridColumn::text("state"),
            GridColumn::text("call"),
        ],
        rows,
    };
    let risks: Vec<Cell> = run
        .plan
        .risks
        .iter()
        .map(|risk| {
            let (sign, tone) = match risk.weight {
                Weight::Danger => (cx.glyphs.failed, Tone::Critical),
                Weight::Warning => (cx.glyphs.warn, Tone::Warn),
                Weight::Note => (cx.glyphs.dot, Tone::Info),
            };
            Cell::toned(format!("{sign} "), tone).then(risk.text.as_str(), Tone::Text)
        })
        .collect();
    let mut sections = vec![
        Section::new("Run", Body::Facts(facts)),
        Section::new("Steps", steps).wants(u16::MAX),
    ];
    if !risks.is_empty() {
        sections.push(Section::new("Known before", Body::Lines(risks)).wants(u16::MAX));
    }
    Page { sections }
}

fn step_state(cx: &Cx<'_>, state: &StepState) -> Cell {
    let g = cx.glyphs;
    match state {
        StepState::Waiting => Cell::toned("waiting", Tone::Muted),
        StepState::Sending => Cell::toned(format!("{} sending", g.busy), Tone::Info),
        StepState::Running(upid) => {
            let what = task_kind::describe(&upid.kind).unwrap_or(&upid.kind);
            let seconds = cx.now.as_second() - upid.start.as_second();
            let span = crate::domain::quantity::long_span(seconds.max(0));
            Cell::toned(format!("{} {what} {span}", g.busy), Tone::Info)
        }
        StepState::Unclear(why) => Cell::toned(format!("{} {why}", g.unknown), Tone::Warn),
        StepState::Over(Outcome::Done(exit), _) if exit == "OK" => {
            Cell::toned(format!("{} done", g.ok), Tone::Good)
        }
        StepState::Over(Outcome::Done(exit), _) => Cell::toned(format!("{} done ({exit})", g.ok), Tone::Warn),
        StepState::Over(Outcome::Begun(_), _) => Cell::toned("begun, not waited for", Tone::Info),
        StepState::Over(Outcome::Failed(why), _) => Cell::toned(format!("{} {why}", g.failed), Tone::Bad),
        StepState::Over(Outcome::NotDone(why), _) => {
            Cell::toned(format!("{} not done: {why}", g.warn), Tone::Warn)
        }
        StepState::Over(Outcome::Unknown(why), _) => {
            Cell::toned(format!("{} nobody knows: {why}", g.unknown), Tone::Warn)
        }
        StepState::Over(Outcome::Skipped, _) => Cell::toned("not begun", Tone::Muted),
    }
}
