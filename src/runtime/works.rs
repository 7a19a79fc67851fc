//! The runs of the console: each does its plan beside the loop, writes it down, and tells how it comes along.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    hands::{Hands, is_alive, worker},
    relocating,
};
use crate::{
    app::Event,
    clients::{pbs, pve::Actor},
    domain::ClusterId,
    plan::{
        Plan,
        journal::{Fact, Journal, JournalError, Run, Worker},
        runner::{Options, Runner},
        runs::{Kept, Ticket, Told},
    },
    ui::Tone,
};

/// News that may wait to be taken. What a step tells beyond that is lost; how it came out is told at the end again.
const WAITING: usize = 1_024;
/// Runs that are read from the journal.
const READ: usize = 100;
/// The journal, below the state directory.
pub const FILE: &str = "journal.sqlite";

/// Who may write, to clusters and to Backup Servers.
#[derive(Debug, Default)]
struct Actors {
    clusters: BTreeMap<ClusterId, Actor>,
    servers: BTreeMap<ClusterId, pbs::Actor>,
}

/// Everything that is under way.
#[derive(Debug)]
pub struct Works {
    journal: Option<PathBuf>,
    actors: Arc<Actors>,
    sender: mpsc::Sender<Event>,
    /// What runs have to tell.
    pub events: mpsc::Receiver<Event>,
    stops: HashMap<Ticket, Arc<AtomicBool>>,
    tasks: JoinSet<()>,
}

/// Which run is to be done.
enum Which {
    New(Box<Plan>),
    Interrupted(i64),
}

impl Works {
    /// Nothing under way yet. The journal is below `state`, and made by the first run.
    pub fn new(state: Option<&Path>) -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        Self {
            journal: state.map(|state| state.join(FILE)),
            actors: Arc::default(),
            sender,
            events,
            stops: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// With these to write.
    pub fn act_through(
        &mut self,
        clusters: BTreeMap<ClusterId, Actor>,
        servers: BTreeMap<ClusterId, pbs::Actor>,
    ) {
        self.actors = Arc::new(Actors { clusters, servers });
    }

    /// Does a plan.
    pub fn run(&mut self, ticket: Ticket, plan: Box<Plan>, options: Options) {
        self.start(ticket, Which::New(plan), options);
    }

    /// Goes on with a run of the journal.
    pub fn go_on(&mut self, ticket: Ticket, number: i64, options: Options) {
        self.start(ticket, Which::Interrupted(number), options);
    }

    fn start(&mut self, ticket: Ticket, which: Which, options: Options) {
        let stop = Arc::new(AtomicBool::new(false));
        self.stops.insert(ticket, stop.clone());
        let (journal, actors) = (self.journal.clone(), self.actors.clone());
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let ended = match work(ticket, which, options, journal, &actors, stop, &sender).await {
                Ok(told) => told,
                Err(why) => Told::Broken(why),
            };
            // Nobody listens any more only when the console ends.
            let _ = sender.send(Event::RunTold(ticket, ended)).await;
        });
        // Those that are over are let go.
        while self.tasks.try_join_next().is_some() {}
    }

    /// Lets no further step of a run begin.
    pub fn stop(&self, ticket: Ticket) {
        if let Some(stop) = self.stops.get(&ticket) {
            stop.store(true, Ordering::SeqCst);
        }
    }

    /// Gives up a run of the journal.
    pub fn give_up(&mut self, number: i64) {
        let (journal, sender) = (self.journal.clone(), self.sender.clone());
        self.tasks.spawn_blocking(move || {
            let dropped = open(journal.as_deref()).and_then(|journal| {
                let me = worker();
                let now = Timestamp::now();
                let claimed = claim(&journal, number, &me).map_err(|error| error.to_string())?;
                let why = Some("dropped by hand".to_owned());
                journal
                    .write(claimed.id, None, now, &Fact::Closed { why })
                    .map_err(|error| error.to_string())
            });
            let told = match dropped {
                Ok(()) => Event::Told(Tone::Info, format!("run {number} is given up")),
                Err(why) => Event::Told(Tone::Bad, why),
            };
            let _ = sender.blocking_send(told);
            tell_journal(journal.as_deref(), &sender, false);
        });
    }

    /// Reads the newest runs of the journal, beside the loop. There may be none.
    pub fn read_journal(&mut self, starting: bool) {
        let (journal, sender) = (self.journal.clone(), self.sender.clone());
        self.tasks
            .spawn_blocking(move || tell_journal(journal.as_deref(), &sender, starting));
    }

    /// Leaves what is under way: the journal has it, and the next start offers to go on.
    pub async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn work(
    ticket: Ticket,
    which: Which,
    options: Options,
    path: Option<PathBuf>,
    actors: &Actors,
    stop: Arc<AtomicBool>,
    sender: &mpsc::Sender<Event>,
) -> Result<Told, String> {
    let journal = open(path.as_deref())?;
    let me = worker();
    let text = |error: JournalError| error.to_string();
    let run = match which {
        Which::New(plan) => journal.begin(&plan, &me, Timestamp::now()).map_err(text)?,
        Which::Interrupted(number) => {
            let mut run = claim(&journal, number, &me).map_err(text)?;
            follow(ticket, &mut run, &actors.clusters, sender).await?;
            run
        }
    };
    let _ = sender.send(Event::RunTold(ticket, Told::Begun(run.id))).await;
    let hands = Hands::new(actors.clusters.clone(), |step, news| {
        let _ = sender.try_send(Event::RunTold(ticket, Told::Step(step, news.clone())));
    })
    .with_servers(actors.servers.clone())
    .stopped_by(stop);
    let outcomes = Runner::new(&journal, &hands, options)
        .run(&run)
        .await
        .map_err(text)?;
    Ok(Told::Ended(outcomes))
}

/// Leads an interrupted run to where its guests are by now, and tells of it.
async fn follow(
    ticket: Ticket,
    run: &mut Run,
    actors: &BTreeMap<ClusterId, Actor>,
    sender: &mpsc::Sender<Event>,
) -> Result<(), String> {
    let clusters: Vec<_> = actors.iter().map(|(id, actor)| (id, actor.client())).collect();
    let found = relocating::follow(run, &clusters).await?;
    for what in found.unread {
        let _ = sender.send(Event::Told(Tone::Warn, what)).await;
    }
    if !found.moved.is_empty() {
        let _ = sender.send(Event::Told(Tone::Info, found.moved.join("; "))).await;
        let told = Told::Relocated(Box::new(run.plan.clone()));
        let _ = sender.send(Event::RunTold(ticket, told)).await;
    }
    Ok(())
}

fn open(path: Option<&Path>) -> Result<Journal, String> {
    let path = path
        .ok_or("there is no directory for the journal (HOME is not set), and nothing is done without one")?;
    Journal::open(path).map_err(|error| error.to_string())
}

/// Takes over a run. This process itself does not stand in the way: the console knows what it still works on.
fn claim(journal: &Journal, number: i64, me: &Worker) -> Result<Run, JournalError> {
    journal.claim(number, me, Timestamp::now(), |worker| {
        worker != me && is_alive(worker)
    })
}

fn tell_journal(path: Option<&Path>, sender: &mpsc::Sender<Event>, starting: bool) {
    let Some(path) = path.filter(|path| path.exists()) else {
        return;
    };
    let me = worker();
    let alive = |worker: &Worker| *worker != me && is_alive(worker);
    let read = Journal::open(path).and_then(|journal| {
        let mut runs = journal.runs(READ)?;
        for old in journal.interrupted(alive)? {
            if runs.iter().all(|run| run.id != old.id) {
                runs.push(old);
            }
        }
        Ok(runs)
    });
    let event = match read {
        Ok(runs) => {
            let kept = runs
                .into_iter()
                .map(|run| Kept {
                    alive: run.worker().is_some_and(alive),
                    run,
                })
                .collect();
            Event::JournalRead(kept, starting)
        }
        Err(error) => Event::Told(Tone::Bad, error.to_string()),
    };
    let _ = sender.blocking_send(event);
}
