//! `journal`: what was done from here, and what was interrupted.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    args::{Chosen, Format, JournalCommand, PlanFormat},
    backup_servers::ActingServer,
    connect::Acting,
    exit::{Code, Failure, talk},
    output::{Column, List, Show, print},
    run::{carry_out, harmless, open, unwritten},
};
use crate::{
    domain::ObjectRef,
    plan::{
        journal::{End, Fact, Journal, Progress, Run},
        runner::Options,
    },
    runtime::{
        hands::{is_alive, worker},
        relocating,
    },
    settings::Places,
};

/// Runs that are listed.
const LISTED: usize = 200;

/// Reads the journal, or closes a run in it.
pub(super) fn read(what: Option<&JournalCommand>, places: &Places) -> Result<(), Failure> {
    let journal = open(places)?;
    let Some(what) = what else {
        return list(&journal, &Chosen::default(), Format::default());
    };
    match what {
        JournalCommand::List { chosen, output } => list(&journal, chosen, *output),
        JournalCommand::Show { run } => show(&journal.run(*run).map_err(|error| unwritten(&error))?),
        JournalCommand::Export => {
            let entries = journal.entries().map_err(|error| unwritten(&error))?;
            for entry in &entries {
                print(&format!("{}\n", json!(entry)))?;
            }
            Ok(())
        }
        JournalCommand::Drop { run } => {
            let now = Timestamp::now();
            journal
                .claim(*run, &worker(), now, is_alive)
                .and_then(|claimed| {
                    let why = Some("dropped by hand".to_owned());
                    journal.write(claimed.id, None, now, &Fact::Closed { why })
                })
                .map_err(|error| unwritten(&error))
        }
        // It needs the servers: see `go_on`.
        JournalCommand::Continue { .. } => Ok(()),
    }
}

/// Goes on with an interrupted run.
pub(super) async fn go_on(
    run: i64,
    acting: Vec<Acting>,
    servers: Vec<ActingServer>,
    places: &Places,
) -> Result<(), Failure> {
    let journal = open(places)?;
    let mut run = journal
        .claim(run, &worker(), Timestamp::now(), is_alive)
        .map_err(|error| unwritten(&error))?;
    let clusters: Vec<_> = acting
        .iter()
        .map(|one| (&one.link.id, &one.link.client))
        .collect();
    let found = relocating::follow(&mut run, &clusters).await.map_err(|why| {
        let message = format!("{why}; `pvedeck journal drop {}` gives the run up", run.id);
        Failure::new(Code::Failed, message)
    })?;
    drop(clusters);
    for what in found.unread.into_iter().chain(found.moved) {
        talk(what);
    }
    talk(format!("going on with: {}", run.plan.title));
    carry_out(
        &journal,
        &run,
        acting,
        servers,
        Options::default(),
        PlanFormat::Text,
    )
    .await
}

/// Whether a run passes what was asked for.
fn passes(run: &Run, wanted: &Chosen) -> Result<bool, Failure> {
    let since = wanted.since()?;
    let guest = |word: &str| {
        run.plan.steps.iter().any(|step| match &step.subject {
            ObjectRef::Guest(guest) => {
                let title = step.title.split_once(' ').map(|(_, name)| name);
                guest.vmid.to_string() == word || title == Some(word)
            }
            _ => false,
        })
    };
    let by = |user: &str| {
        run.worker()
            .is_some_and(|worker| worker.user == user || worker.user.starts_with(&format!("{user} ")))
    };
    Ok(wanted.guest.as_deref().is_none_or(guest)
        && wanted
            .action
            .as_deref()
            .is_none_or(|action| &*run.plan.deed == action)
        && wanted.state.as_deref().is_none_or(|word| state(run) == word)
        && wanted.user.as_deref().is_none_or(by)
        && since.is_none_or(|since| run.begun().is_some_and(|begun| begun >= since)))
}

fn list(journal: &Journal, wanted: &Chosen, format: Format) -> Result<(), Failure> {
    let mut runs = Vec::new();
    for run in journal.runs(usize::MAX).map_err(|error| unwritten(&error))? {
        if passes(&run, wanted)? {
            runs.push(run);
        }
        if runs.len() == LISTED {
            break;
        }
    }
    let rows = runs
        .iter()
        .map(|run| {
            let worker = run.worker();
            vec![
                json!(run.id),
                json!(run.begun().map(Timestamp::as_second)),
                json!(state(run)),
                worker.map_or(Value::Null, |by| json!(format!("{}@{}", by.user, by.host))),
                json!(run.plan.deed),
                json!(run.plan.title),
            ]
        })
        .collect();
    let list = List {
        columns: COLUMNS,
        rows,
    };
    Ok(list.print(format)?)
}

const COLUMNS: &[Column] = &[
    Column::new("run", "RUN", Show::Text),
    Column::new("begun", "BEGUN", Show::Moment),
    Column::new("state", "STATE", Show::Text),
    Column::new("by", "BY", Show::Text),
    Column::wide("action", "ACTION", Show::Text),
    Column::new("title", "TITLE", Show::Text),
];

/// An open run is either under way or waits for somebody to go on with it.
fn state(run: &Run) -> &'static str {
    match run.word() {
        "open" if run.worker().is_some_and(is_alive) => "running",
        "open" => "interrupted",
        word => word,
    }
}

fn show(run: &Run) -> Result<(), Failure> {
    let mut text = format!("run {}: {}, {}\n", run.id, run.plan.title, state(run));
    for (index, step) in run.plan.steps.iter().enumerate() {
        let progress = match run.progress(index) {
            Progress::Open => "not begun".to_owned(),
            Progress::Sent(_) => "sent, outcome not known".to_owned(),
            Progress::Began(upid) => format!("begun: {upid}"),
            Progress::Runs(pid) => format!("begun in the guest: process {pid}"),
            Progress::Ended(End::Done { exit }) => format!("done ({exit})"),
            Progress::Ended(End::Failed { why }) => format!("failed: {why}"),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "  {} {} ({}): {progress}",
            index + 1,
            step.call,
            step.cluster
        );
    }
    for entry in &run.entries {
        let step = entry
            .step
            .map_or(String::new(), |step| format!(" step {}", step + 1));
        let fact = match &entry.fact {
            Fact::Planned { by, .. } => format!("planned by {}@{}", by.user, by.host),
            Fact::Continued { by } => format!("continued by {}@{}", by.user, by.host),
            Fact::Intended { .. } => "about to be sent".to_owned(),
            Fact::Began { upid } => format!("began {upid}"),
            Fact::Runs { pid } => format!("began process {pid} in the guest"),
            Fact::Unclear { why } => format!("no clear answer: {why}"),
            Fact::Ended {
                end: End::Done { exit },
            } => format!("done ({exit})"),
            Fact::Ended {
                end: End::Failed { why },
            } => format!("failed: {why}"),
            Fact::Closed { why: None } => "closed".to_owned(),
            Fact::Closed { why: Some(why) } => format!("closed: {why}"),
        };
        let _ = writeln!(text, "  {}{step} {fact}", entry.at);
    }
    Ok(print(&harmless(&text))?)
}
