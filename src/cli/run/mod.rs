//! `run`: one deed on one or many targets, shown as a plan, confirmed, done and written down.
//!
//! What always holds here: nothing is sent before the plan is complete, its danger is confirmed and the cluster may
//! be written to.

pub mod args;
mod server_targets;
mod targets;

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde_json::json;

use self::args::Run as Wanted;
use super::{
    args::PlanFormat,
    backup_servers::ActingServer,
    connect::Acting,
    exit::{Code, Failure, talk},
    output::print,
};
use crate::{
    actions::deed::Object,
    domain::ClusterId,
    plan::{
        self, Arguments, DEEDS, Danger, Deed, Plan, Refusal, Risk, Rules, Scene,
        journal::{Journal, JournalError, Run},
        past::{Account, Evacuation, evacuations},
        runner::{News, Options, Outcome, Runner},
    },
    runtime::{
        hands::{Hands, worker},
        prompt,
        works::FILE,
    },
    settings::Places,
    store::Store,
    ui::safe::clean,
};

/// Runs of the journal that are searched for what can be brought back.
const RUNS: usize = 1000;

/// Does a deed, by the rules of the configuration.
pub(super) async fn run(
    wanted: &Wanted,
    acting: Vec<Acting>,
    servers: Vec<ActingServer>,
    places: &Places,
    rules: &Rules,
) -> Result<(), Failure> {
    let deed = deed(&wanted.action)?;
    let arguments = arguments(&wanted.given)?;
    let how = &wanted.options;
    let mut store = Store::new(acting.iter().map(|one| one.link.id.clone()))
        .with_backup_servers(servers.iter().map(|one| one.link.id.clone()));
    let of_servers = match deed.row().object {
        Object::Datastore | Object::ServerBackup => true,
        Object::Task => server_targets::is_task(&wanted.target),
        _ => false,
    };
    let targets = if of_servers {
        server_targets::find(deed, &wanted.target, &servers, &mut store).await?
    } else {
        targets::find(deed, &wanted.target, &acting, &mut store).await?
    };
    targets::read_details(deed, &targets, &acting, &servers, &mut store).await;
    let past = past(deed, places)?;
    let scene = Scene {
        store: &store,
        rules,
        now: Timestamp::now(),
        past: &past,
    };
    let plan = plan::make(deed, &targets, &arguments, scene).map_err(|refusal| refused(&refusal))?;
    if how.dry_run {
        return show(&plan, how.output);
    }
    writable(&plan, &acting, &servers)?;
    confirm(&plan, how.yes)?;
    if plan.steps.is_empty() {
        for risk in &plan.risks {
            talk(&risk.text);
        }
        talk("there is nothing to do");
        return tell(&[], &[], &[], how.output);
    }
    let journal = open(places)?;
    let run = journal
        .begin(&plan, &worker(), Timestamp::now())
        .map_err(|error| unwritten(&error))?;
    let options = Options {
        at_once: how.at_once.map_or(rules.at_once, usize::from),
        go_on: how.go_on,
        wait: !how.no_wait,
    };
    carry_out(&journal, &run, acting, servers, options, how.output).await
}

/// The deed of a name; who asks for another one is told of all.
pub(super) fn deed(name: &str) -> Result<Deed, Failure> {
    Deed::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = DEEDS.iter().map(|row| row.action.name).collect();
        let message = format!("there is no action `{name}`; there are {}", names.join(", "));
        Failure::new(Code::Usage, message)
    })
}

/// Each argument once.
fn arguments(given: &[(String, String)]) -> Result<Arguments, Failure> {
    let mut arguments = Arguments::new();
    for (name, value) in given {
        if arguments.insert(name.clone(), value.clone()).is_some() {
            return Err(Failure::new(Code::Usage, format!("`{name}` is given twice")));
        }
    }
    Ok(arguments)
}

/// What the journal knows that the plan of this deed is made from.
fn past(deed: Deed, places: &Places) -> Result<Vec<Evacuation>, Failure> {
    if deed != Deed::NodeRestore {
        return Ok(Vec::new());
    }
    let runs = open(places)?.runs(RUNS).map_err(|error| unwritten(&error))?;
    Ok(evacuations(runs.iter().map(Account::from)))
}

/// Does what is left of a run and tells how it came out.
pub(super) async fn carry_out(
    journal: &Journal,
    run: &Run,
    acting: Vec<Acting>,
    servers: Vec<ActingServer>,
    options: Options,
    format: PlanFormat,
) -> Result<(), Failure> {
    let titles: Vec<String> = run.plan.steps.iter().map(|step| step.title.clone()).collect();
    let actors: BTreeMap<ClusterId, _> = acting
        .into_iter()
        .filter_map(|one| Some((one.link.id, one.actor?)))
        .collect();
    let hands = Hands::new(actors, |step, news| match news {
        News::Began(upid) => talk(format!("{}: {upid}", titles[step])),
        News::Unclear(why) => talk(format!("{}: {why}; looking what became of it", titles[step])),
        News::Sending | News::Over(_) => {}
    });
    let servers = servers
        .into_iter()
        .filter_map(|one| Some((one.link.id, one.actor?)));
    let hands = hands.with_servers(servers.collect());
    let outcomes = Runner::new(journal, &hands, options)
        .run(run)
        .await
        .map_err(|error| unwritten(&error))?;
    let left: Vec<&str> = run.plan.risks.iter().filter_map(Risk::what_is_left_out).collect();
    tell(&titles, &outcomes, &left, format)?;
    let any = |wanted: fn(&Outcome) -> bool| outcomes.iter().any(wanted);
    if any(|outcome| matches!(outcome, Outcome::Unknown(_) | Outcome::NotDone(_))) {
        talk(format!(
            "pvedeck: not everything is known to be done; go on with `pvedeck journal continue {}`",
            run.id
        ));
        let unknown = any(|outcome| matches!(outcome, Outcome::Unknown(_)));
        return Err(Failure::said(if unknown { Code::TimedOut } else { Code::Failed }));
    }
    if any(|outcome| matches!(outcome, Outcome::Failed(_))) {
        return Err(Failure::said(Code::Failed));
    }
    Ok(())
}

/// How each step came out, and what was left out from the start.
fn tell(titles: &[String], outcomes: &[Outcome], left: &[&str], format: PlanFormat) -> Result<(), Failure> {
    let words = outcomes.iter().map(|outcome| match outcome {
        Outcome::Begun(upid) => ("begun", upid.as_str()),
        Outcome::Done(exit) => ("done", exit.as_str()),
        Outcome::Failed(why) => ("failed", why.as_str()),
        Outcome::NotDone(why) => ("not done", why.as_str()),
        Outcome::Unknown(why) => ("unknown", why.as_str()),
        Outcome::Skipped => ("skipped", "a step before it did not succeed"),
    });
    let rows = titles.iter().zip(words);
    let text =
        if format == PlanFormat::Json {
            let rows: Vec<_> = rows
            .map(|(title, (outcome, detail))| json!({"title": title, "outcome": outcome, "detail": detail}))
            .chain(left.iter().map(|what| json!({"title": what, "outcome": "left out", "detail": ""})))
            .collect();
            format!("{}\n", json!(rows))
        } else {
            let lines: Vec<String> = rows
                .map(|(title, (outcome, detail))| format!("{title}: {outcome} ({detail})"))
                .chain(left.iter().map(|what| format!("left out: {what}")))
                .collect();
            harmless(&lines.join("\n"))
        };
    Ok(print(&text)?)
}

/// Prints a plan instead of running it.
pub(super) fn show(plan: &Plan, format: PlanFormat) -> Result<(), Failure> {
    Ok(print(&match format {
        PlanFormat::Text => harmless(&plan::print::text(plan)),
        PlanFormat::Json => format!("{:#}\n", plan::print::json(plan)),
        PlanFormat::Pvesh => harmless(&plan::print::pvesh(plan)),
        PlanFormat::Curl => harmless(&plan::print::curl(plan)),
    })?)
}

/// Lines of ours with text of others in them, made harmless.
pub(super) fn harmless(text: &str) -> String {
    let mut safe = String::new();
    for line in text.lines() {
        safe.extend([&*clean(line), "\n"]);
    }
    safe
}

/// Where the journal is.
pub(super) fn open(places: &Places) -> Result<Journal, Failure> {
    let path: PathBuf = places
        .state
        .as_ref()
        .map(|state| state.join(FILE))
        .ok_or_else(|| {
            let message =
                "there is no directory for the journal (HOME is not set), and nothing is done without one";
            Failure::new(Code::Failed, message)
        })?;
    Journal::open(&path).map_err(|error| unwritten(&error))
}

/// A journal that cannot be used ends everything.
pub(super) fn unwritten(error: &JournalError) -> Failure {
    let code = match error {
        JournalError::NoRun(_) => Code::NotFound,
        JournalError::Claimed { .. } | JournalError::Closed(_) => Code::Refused,
        _ => Code::Failed,
    };
    Failure::new(code, error)
}

fn refused(refusal: &Refusal) -> Failure {
    let code = match refusal {
        Refusal::NotFound(_) => Code::NotFound,
        Refusal::NotPossible(_) => Code::Failed,
        Refusal::NotAllowed(_) => Code::NotAllowed,
        Refusal::Argument(_) => Code::Usage,
    };
    Failure::new(code, refusal)
}

fn writable(plan: &Plan, acting: &[Acting], servers: &[ActingServer]) -> Result<(), Failure> {
    let clusters = acting.iter().map(|one| (&one.link.id, one.actor.is_none()));
    let servers = servers.iter().map(|one| (&one.link.id, one.actor.is_none()));
    let closed = clusters
        .chain(servers)
        .find(|(id, closed)| *closed && plan.steps.iter().any(|step| step.cluster == **id));
    match closed {
        Some((id, _)) => Err(Failure::new(
            Code::Refused,
            format!("{id} is read-only; --dry-run shows what would be done"),
        )),
        None => Ok(()),
    }
}

/// Asks as much as the danger demands. Where nobody can be asked, `--yes` has to be said.
fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    let danger = plan.danger;
    if yes || danger == Danger::None {
        return Ok(());
    }
    let refused = |why: &str| Failure::new(Code::Refused, format!("{}: {why}", plan.title));
    talk(plan::print::text(plan));
    if !prompt::possible() {
        return Err(refused(
            "it was not confirmed; say --yes, or look at it with --dry-run",
        ));
    }
    let confirmed = match danger {
        Danger::TypeName => {
            let word = clean(&plan.word);
            prompt::text(&format!("Type {word} to go on:"), "")? == plan.word
        }
        _ => prompt::yes("Go on? [y/N]")?,
    };
    if confirmed {
        Ok(())
    } else {
        Err(refused("it was not confirmed"))
    }
}
