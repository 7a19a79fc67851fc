//! What happens to the application, and what it wants done.

use std::collections::BTreeSet;

use super::consoles::{ConsoleEvent, ConsoleOrder};
use crate::{
    domain::acknowledge::{self, Acknowledgements},
    plan::{
        Plan,
        runner::Options,
        runs::{Kept, Ticket, Told},
    },
    settings::KeyChord,
    store::{FeedKey, MonitorKey, MonitorUpdate, Snapshot, Update},
    ui::Tone,
};

/// Something that happened. Events are past tense; each comes with its time.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key was pressed.
    KeyPressed(KeyChord),
    /// Text was pasted.
    Pasted(String),
    /// The mouse did something at a column and a row.
    MouseUsed(Mouse, u16, u16),
    /// The terminal has a new size.
    Resized(u16, u16),
    /// A second passed.
    Ticked,
    /// A read came back.
    Read(Box<Update>),
    /// A read of a monitoring server came back.
    Measured(Box<MonitorUpdate>),
    /// What an earlier run knew of a cluster was found.
    Recalled(Box<Snapshot>),
    /// A run has something to tell.
    RunTold(Ticket, Told),
    /// The newest runs of the journal were read; at the start, or later.
    JournalRead(Vec<Kept>, bool),
    /// Something was heard of the session of a console.
    ConsoleHeard(u64, ConsoleEvent),
    /// The file of acknowledgements says this by now.
    Acknowledged(Acknowledgements),
    /// An effect has something to tell.
    Told(Tone, String),
    /// Somebody asked the process to end.
    Terminated,
}

/// What the mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mouse {
    /// The left button went down.
    Click,
    /// It went down twice at the same place.
    DoubleClick,
    /// The right button went down.
    RightClick,
    /// The wheel turned towards the user.
    WheelDown,
    /// The wheel turned away.
    WheelUp,
}

/// A program that gets the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// The program and its arguments, with no word empty that was not so in the configuration.
    pub arguments: Vec<String>,
    /// What people call it: `SSH to 104 web-01`. Foreign text.
    pub title: String,
}

/// Something to be done by the runtime.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// From now on these feeds are looked at; nothing is read while `paused`.
    Watch {
        /// The feeds of everything visible.
        feeds: BTreeSet<FeedKey>,
        /// Whether the user stopped the updates.
        paused: bool,
    },
    /// Read these at once.
    Refresh(BTreeSet<FeedKey>),
    /// The same as `Watch` for monitoring servers.
    WatchMonitors {
        /// The feeds of everything visible.
        feeds: BTreeSet<MonitorKey>,
        /// Whether the user stopped the updates.
        paused: bool,
    },
    /// Read these of monitoring servers at once.
    RefreshMonitors(BTreeSet<MonitorKey>),
    /// Write down who looks after which alerts.
    Acknowledge(Vec<acknowledge::Order>),
    /// Put a text into the terminal's clipboard.
    Copy(String),
    /// Write the screen to a file, and tell where.
    Dump(String),
    /// Write a plan to a file as commands, and tell where.
    Export(String),
    /// Do a plan.
    Run {
        /// What the run is called here.
        ticket: Ticket,
        /// The plan, as it was on the screen.
        plan: Box<Plan>,
        /// How.
        options: Options,
    },
    /// Go on with a run of the journal.
    ContinueRun {
        /// What the run is called here.
        ticket: Ticket,
        /// Its number in the journal.
        number: i64,
        /// How.
        options: Options,
    },
    /// Begin no further step of a run.
    StopRun(Ticket),
    /// Give up a run of the journal.
    DropRun(i64),
    /// Read the newest runs of the journal.
    ReadJournal,
    /// Something for the session of a console.
    Console(u64, ConsoleOrder),
    /// Give the terminal to a program until that ends, and tell how it ended.
    HandOver(HandOver),
    /// Take the mouse, or give it back to the terminal.
    CaptureMouse(bool),
    /// End.
    Quit,
}
