//! `run`: one deed on one or many targets, shown as a plan, confirmed, done and written down.
//!
//! What always holds here: nothing is sent before the plan is complete, its danger is confirmed and the cluster may
//! be written to.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;

use super::{
    args::{PlanFormat, Run as Wanted},
    connect::{self, Acting},
    exit::{Code, Failure, talk},
    output::print,
};
use crate::{
    actions::deed::Object,
    domain::{ClusterId, GuestRef, NodeRef, ObjectRef, TaskRef},
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
    store::{Feed, Payload, Store, Update},
    sync::{self, Reader},
    ui::safe::clean,
};

/// Reads under way at a time.
const READS: usize = 8;
/// Runs of the journal that are searched for what can be brought back.
const RUNS: usize = 1000;

/// Does a deed.
pub(super) async fn run(wanted: &Wanted, acting: Vec<Acting>, places: &Places) -> Result<(), Failure> {
    let deed = Deed::from_name(&wanted.action).ok_or_else(|| {
        let names: Vec<&str> = DEEDS.iter().map(|row| row.action.name).collect();
        let message = format!(
            "there is no action `{}`; there are {}",
            wanted.action,
            names.join(", ")
        );
        Failure::new(Code::Usage, message)
    })?;
    let arguments: Arguments = wanted.arg.iter().cloned().collect();
    let mut store = Store::new(acting.iter().map(|one| one.link.id.clone()));
    read_inventories(deed, &acting, &mut store).await?;
    let targets = wanted
        .target
        .iter()
        .map(|target| find(deed, target, &store))
        .collect::<Result<BTreeSet<ObjectRef>, Failure>>()?;
    let targets: Vec<ObjectRef> = targets.into_iter().collect();
    read_details(deed, &targets, &acting, &mut store).await;
    let rules = Rules::default();
    let past = past(deed, places)?;
    let scene = Scene {
        store: &store,
        rules: &rules,
        now: Timestamp::now(),
        past: &past,
    };
    let plan = plan::make(deed, &targets, &arguments, scene).map_err(|refusal| refused(&refusal))?;
    if wanted.dry_run {
        return show(&plan, wanted.output);
    }
    writable(&plan, &acting)?;
    confirm(&plan, wanted.yes)?;
    let journal = open(places)?;
    let number = journal
        .begin(&plan, &worker(), Timestamp::now())
        .map_err(|error| unwritten(&error))?;
    let run = journal.run(number).map_err(|error| unwritten(&error))?;
    let options = Options {
        at_once: usize::from(wanted.at_once),
        go_on: wanted.go_on,
    };
    carry_out(&journal, &run, acting, options, wanted.output).await
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

fn writable(plan: &Plan, acting: &[Acting]) -> Result<(), Failure> {
    let closed = acting
        .iter()
        .find(|one| one.actor.is_none() && plan.steps.iter().any(|step| step.cluster == one.link.id));
    match closed {
        Some(one) => Err(Failure::new(
            Code::Refused,
            format!("{} is read-only; --dry-run shows what would be done", one.link.id),
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

fn take(store: &mut Store, cluster: &ClusterId, feed: Feed, payload: Payload) {
    store.apply(Update {
        key: feed.of(cluster),
        at: Timestamp::now(),
        outcome: Ok(payload),
    });
}

/// What every plan is made from. A cluster that cannot be read ends it: a name could be there as well.
async fn read_inventories(deed: Deed, acting: &[Acting], store: &mut Store) -> Result<(), Failure> {
    for one in acting {
        let (id, client) = (&one.link.id, &one.link.client);
        let failed = |error| connect::failure(&error);
        take(
            store,
            id,
            Feed::Resources,
            Payload::Resources(client.resources().await.map_err(failed)?),
        );
        if deed.row().object == Object::Task {
            let tasks = client.cluster_tasks().await.map_err(failed)?;
            take(store, id, Feed::Tasks, Payload::Tasks(tasks));
        }
    }
    Ok(())
}

/// What the plan of this deed wants to know beside the inventory. What cannot be read is not known, no more.
async fn read_details(deed: Deed, targets: &[ObjectRef], acting: &[Acting], store: &mut Store) {
    let reads = plan::needs(deed, targets, store).into_iter().filter_map(|key| {
        let one = acting.iter().find(|one| one.link.id == key.cluster)?;
        let place = sync::Place::of(&key, store);
        Some(async move { (Reader::read(&one.link.client, key.feed.clone(), place).await, key) })
    });
    let mut answers = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(READS);
    while let Some((outcome, key)) = answers.next().await {
        store.apply(Update {
            key,
            at: Timestamp::now(),
            outcome,
        });
    }
}

/// The object that a word means: VMID or name of a guest, UPID of a task.
fn find(deed: Deed, word: &str, store: &Store) -> Result<ObjectRef, Failure> {
    let found: Vec<(ObjectRef, String)> = match deed.row().object {
        Object::Guest => store
            .guests()
            .filter(|(_, guest)| guest.vmid.to_string() == word || guest.name.as_deref() == Some(word))
            .map(|(cluster, guest)| {
                let object = ObjectRef::Guest(GuestRef {
                    cluster: cluster.clone(),
                    vmid: guest.vmid,
                });
                (object, format!("{} {} on {cluster}", guest.vmid, guest.label()))
            })
            .collect(),
        Object::Node => store
            .nodes()
            .filter(|(_, node)| node.name.as_str() == word)
            .map(|(cluster, node)| {
                let object = ObjectRef::Node(NodeRef {
                    cluster: cluster.clone(),
                    node: node.name.clone(),
                });
                (object, format!("{} on {cluster}", node.name))
            })
            .collect(),
        Object::Task => store
            .tasks()
            .filter(|(_, task)| task.upid.as_str() == word)
            .map(|(cluster, task)| {
                let object = ObjectRef::Task(TaskRef {
                    cluster: cluster.clone(),
                    upid: task.upid.clone(),
                });
                (object, format!("{} on {cluster}", task.upid))
            })
            .collect(),
    };
    match &found[..] {
        [(object, _)] => Ok(object.clone()),
        [] => Err(Failure::new(
            Code::NotFound,
            format!("there is no `{word}`; `pvedeck get` lists what there is"),
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| name.as_str()).collect();
            let message = format!(
                "`{word}` is ambiguous: {}; use the VMID, or choose with --cluster",
                names.join(", ")
            );
            Err(Failure::new(Code::Usage, message))
        }
    }
}
