//! The journal: what was meant to be done, what was sent, what came of it. Entries are only ever added.
//!
//! What always holds here:
//! - An entry is on disk when the method returns: `SQLite` with `synchronous = FULL`.
//! - Triggers refuse to change or remove an entry, whoever opens the file.
//! - Nobody but its owner can read the file. No secret is in it: calls are written without theirs, and a run that is
//!   continued has lost them.
//! - At most one living process works on a run: [`Journal::claim`].

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::domain::Upid;

/// The schema. `run` is the number of the entry that began the run; that entry itself has none.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entry (
        id   INTEGER PRIMARY KEY AUTOINCREMENT,
        run  INTEGER REFERENCES entry(id),
        step INTEGER,
        at   TEXT NOT NULL,
        fact TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS entry_run ON entry(run);
    CREATE TRIGGER IF NOT EXISTS entry_is_not_changed BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS entry_is_not_removed BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// Who works on a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Worker {
    /// User on this machine.
    pub user: String,
    /// This machine.
    pub host: String,
    /// The process, by something that no later process of this machine shares.
    pub process: String,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "lowercase")]
pub enum Fact {
    /// A plan is about to be run.
    Planned {
        /// By whom.
        by: Worker,
        /// The whole plan.
        plan: Plan,
    },
    /// An interrupted run goes on.
    Continued {
        /// By whom.
        by: Worker,
    },
    /// A step is about to be sent.
    Intended {
        /// Tasks of its sort that were there before: what is not among them afterwards is its own.
        before: Vec<Upid>,
    },
    /// The server began a task for it.
    Began {
        /// The task.
        upid: Upid,
    },
    /// A command was begun inside the guest for it.
    Runs {
        /// Its process number in there.
        pid: u64,
    },
    /// No answer came that says what became of it.
    Unclear {
        /// Why.
        why: String,
    },
    /// A step is over.
    Ended {
        /// How.
        end: End,
    },
    /// The run is over: nothing of it will be done any more.
    Closed {
        /// Why, if not because everything is done.
        why: Option<String>,
    },
}

/// How a step ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "lowercase")]
pub enum End {
    /// It is done.
    Done {
        /// The exit status of its task; `OK` if it had none.
        exit: String,
    },
    /// The server refused it, or its task failed.
    Failed {
        /// In the server's words. Foreign text.
        why: String,
    },
}

/// One entry.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// Its number; later ones are greater.
    pub id: i64,
    /// The run that it belongs to.
    pub run: i64,
    /// The step that it is about, counted from 0.
    pub step: Option<usize>,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub fact: Fact,
}

/// One run with all of its entries.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// What was to be done.
    pub plan: Plan,
    /// Its entries, in their order.
    pub entries: Vec<Entry>,
}

/// How far a step has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Nothing was sent.
    Open,
    /// It may have been sent; nobody knows. These tasks were there before.
    Sent(Vec<Upid>),
    /// Its task was begun.
    Began(Upid),
    /// Its command was begun inside the guest.
    Runs(u64),
    /// It is over.
    Ended(End),
}

impl Run {
    /// How far a step has come.
    pub fn progress(&self, step: usize) -> Progress {
        let mut progress = Progress::Open;
        for entry in self.entries.iter().filter(|entry| entry.step == Some(step)) {
            match &entry.fact {
                Fact::Intended { before } => progress = Progress::Sent(before.clone()),
                Fact::Began { upid } => progress = Progress::Began(upid.clone()),
                Fact::Runs { pid } => progress = Progress::Runs(*pid),
                Fact::Ended { end } => progress = Progress::Ended(end.clone()),
                _ => {}
            }
        }
        progress
    }

    /// Whether nothing of it will be done any more.
    pub fn is_closed(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.fact, Fact::Closed { .. }))
    }

    /// Who worked on it last.
    pub fn worker(&self) -> Option<&Worker> {
        self.entries.iter().rev().find_map(|entry| match &entry.fact {
            Fact::Planned { by, .. } | Fact::Continued { by } => Some(by),
            _ => None,
        })
    }

    /// When it was begun.
    pub fn begun(&self) -> Option<Timestamp> {
        self.entries.first().map(|entry| entry.at)
    }

    /// How it stands, in a word: open, done, failed, dropped, or begun where nobody waited for the end of its tasks.
    pub fn word(&self) -> &'static str {
        let steps: Vec<Progress> = (0..self.plan.steps.len())
            .map(|step| self.progress(step))
            .collect();
        let any = |wanted: fn(&Progress) -> bool| steps.iter().any(wanted);
        if !self.is_closed() {
            "open"
        } else if any(|step| matches!(step, Progress::Ended(End::Failed { .. }))) {
            "failed"
        } else if any(|step| matches!(step, Progress::Open | Progress::Sent(_))) {
            "dropped"
        } else if any(|step| matches!(step, Progress::Began(_))) {
            "begun"
        } else {
            "done"
        }
    }
}

/// Why the journal could not be used. Nothing is sent then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("the journal cannot be opened: {0}")]
    File(#[from] std::io::Error),
    /// The data base.
    #[error("the journal cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// An entry that cannot be understood: a newer program wrote it, or somebody else.
    #[error("entry {0} of the journal cannot be understood: {1}")]
    Entry(i64, String),
    /// There is no such run.
    #[error("there is no run {0} in the journal")]
    NoRun(i64),
    /// It is closed.
    #[error("run {0} is over")]
    Closed(i64),
    /// Somebody is at it.
    #[error("run {run} is being worked on by {user} on {host}")]
    Claimed {
        /// Which run.
        run: i64,
        /// By whom.
        user: String,
        /// Where.
        host: String,
    },
}

type Result<T> = std::result::Result<T, JournalError>;

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    connection: Mutex<Connection>,
}

// The methods fail for the same reasons: see `JournalError`.
#[allow(
    clippy::missing_errors_doc,
    reason = "every method fails as `JournalError` says"
)]
impl Journal {
    /// Opens it, and makes it if there is none.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(directory) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        // SQLite gives the files that it puts beside it the same mode.
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run. Its plan is the one that is given, with the secrets that are not written down.
    pub fn begin(&self, plan: &Plan, by: &Worker, at: Timestamp) -> Result<Run> {
        let fact = Fact::Planned {
            by: by.clone(),
            plan: plan.clone(),
        };
        let connection = self.connection();
        insert(&connection, None, None, at, &fact)?;
        let kept = read_run(&connection, connection.last_insert_rowid())?;
        Ok(Run {
            plan: plan.clone(),
            ..kept
        })
    }

    /// Writes what happened to a run, or to one of its steps.
    pub fn write(&self, run: i64, step: Option<usize>, at: Timestamp, fact: &Fact) -> Result<()> {
        insert(&self.connection(), Some(run), step, at, fact)
    }

    /// Takes over a run that its worker left. `alive` says whether a worker still lives.
    pub fn claim(
        &self,
        run: i64,
        by: &Worker,
        at: Timestamp,
        alive: impl Fn(&Worker) -> bool,
    ) -> Result<Run> {
        let mut connection = self.connection();
        // Nobody else writes between the look and the entry.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = read_run(&transaction, run)?;
        if found.is_closed() {
            return Err(JournalError::Closed(run));
        }
        if let Some(worker) = found.worker().filter(|worker| alive(worker)) {
            return Err(JournalError::Claimed {
                run,
                user: worker.user.clone(),
                host: worker.host.clone(),
            });
        }
        insert(
            &transaction,
            Some(run),
            None,
            at,
            &Fact::Continued { by: by.clone() },
        )?;
        transaction.commit()?;
        read_run(&connection, run)
    }

    /// One run.
    pub fn run(&self, run: i64) -> Result<Run> {
        read_run(&self.connection(), run)
    }

    /// The newest runs, the newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<Run>> {
        let connection = self.connection();
        let mut query =
            connection.prepare("SELECT id FROM entry WHERE run IS NULL ORDER BY id DESC LIMIT ?1")?;
        let ids: Vec<i64> = query
            .query_map([limit as i64], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        ids.into_iter().map(|id| read_run(&connection, id)).collect()
    }

    /// The runs that are neither over nor being worked on, the oldest first.
    pub fn interrupted(&self, alive: impl Fn(&Worker) -> bool) -> Result<Vec<Run>> {
        let mut runs: Vec<Run> = self
            .runs(1000)?
            .into_iter()
            .filter(|run| !run.is_closed() && !run.worker().is_some_and(&alive))
            .collect();
        runs.reverse();
        Ok(runs)
    }

    /// All entries, in their order.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        read(
            &self.connection(),
            "SELECT id, run, step, at, fact FROM entry WHERE ?1 = 0 ORDER BY id",
            0,
        )
    }
}

fn insert(
    connection: &Connection,
    run: Option<i64>,
    step: Option<usize>,
    at: Timestamp,
    fact: &Fact,
) -> Result<()> {
    let text = serde_json::to_string(fact)
        .map_err(|error| JournalError::Entry(run.unwrap_or_default(), error.to_string()))?;
    connection.execute(
        "INSERT INTO entry (run, step, at, fact) VALUES (?1, ?2, ?3, ?4)",
        params![run, step.map(|step| step as i64), at.to_string(), text],
    )?;
    Ok(())
}

fn read_run(connection: &Connection, run: i64) -> Result<Run> {
    let begins = connection
        .query_row("SELECT 1 FROM entry WHERE id = ?1 AND run IS NULL", [run], |_| {
            Ok(())
        })
        .optional()?;
    if begins.is_none() {
        return Err(JournalError::NoRun(run));
    }
    let entries = read(
        connection,
        "SELECT id, run, step, at, fact FROM entry WHERE id = ?1 OR run = ?1 ORDER BY id",
        run,
    )?;
    match entries.first().map(|entry| &entry.fact) {
        Some(Fact::Planned { plan, .. }) => Ok(Run {
            id: run,
            plan: plan.clone(),
            entries,
        }),
        _ => Err(JournalError::NoRun(run)),
    }
}

fn read(connection: &Connection, query: &str, run: i64) -> Result<Vec<Entry>> {
    let mut query = connection.prepare(query)?;
    let mut rows = query.query([run])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let at: String = row.get(3)?;
        let fact: String = row.get(4)?;
        let wrong = |error: String| JournalError::Entry(id, error);
        entries.push(Entry {
            id,
            run: row.get::<_, Option<i64>>(1)?.unwrap_or(id),
            step: row
                .get::<_, Option<i64>>(2)?
                .and_then(|step| usize::try_from(step).ok()),
            at: at
                .parse()
                .map_err(|error: jiff::Error| wrong(error.to_string()))?,
            fact: serde_json::from_str(&fact).map_err(|error| wrong(error.to_string()))?,
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
