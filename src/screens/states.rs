//! How states are shown: a sign, a word and a tone for each, the same in every pane.
//!
//! What always holds here: the tone is never the only carrier; the word tells the state by itself.

use crate::{
    domain::{
        GuestStatus, NodeStatus, Severity, StorageStatus, TaskState,
        backup::{BackupSnapshot, Verification},
    },
    store::Health,
    ui::{Cell, Glyphs, Tone},
};

/// How a state is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// One column.
    pub sign: &'static str,
    /// The word that filters accept as well.
    pub word: &'static str,
    /// How good it is.
    pub tone: Tone,
}

impl State {
    /// Sign and word.
    pub fn cell(self) -> Cell {
        self.saying(self.word)
    }

    /// The sign with other words than the state's own.
    pub fn saying(self, words: &str) -> Cell {
        Cell::toned(format!("{} {words}", self.sign), self.tone)
    }
}

/// Of a node.
pub fn node(status: NodeStatus, g: &Glyphs) -> State {
    let (sign, tone) = match status {
        NodeStatus::Online => (g.on, Tone::Good),
        NodeStatus::Offline => (g.lost, Tone::Bad),
        NodeStatus::Unknown => (g.unknown, Tone::Warn),
    };
    State {
        sign,
        word: status.as_str(),
        tone,
    }
}

/// Of a guest.
pub fn guest(status: GuestStatus, g: &Glyphs) -> State {
    let (sign, tone) = match status {
        GuestStatus::Running => (g.on, Tone::Good),
        GuestStatus::Paused => (g.paused, Tone::Warn),
        GuestStatus::Suspended => (g.paused, Tone::Info),
        GuestStatus::Stopped => (g.off, Tone::Muted),
        GuestStatus::Unknown => (g.unknown, Tone::Warn),
    };
    State {
        sign,
        word: status.as_str(),
        tone,
    }
}

/// Of a storage.
pub fn storage(status: StorageStatus, g: &Glyphs) -> State {
    let (sign, tone) = match status {
        StorageStatus::Available => (g.on, Tone::Good),
        StorageStatus::Unavailable => (g.lost, Tone::Bad),
        StorageStatus::Unknown => (g.unknown, Tone::Warn),
    };
    State {
        sign,
        word: status.as_str(),
        tone,
    }
}

/// Of a task.
pub fn task(state: &TaskState, g: &Glyphs) -> State {
    let (sign, tone) = match state {
        TaskState::Running => (g.busy, Tone::Info),
        TaskState::Ok => (g.ok, Tone::Good),
        TaskState::Warnings(_) => (g.warn, Tone::Warn),
        TaskState::Failed(_) => (g.failed, Tone::Bad),
        TaskState::Unknown => (g.unknown, Tone::Warn),
    };
    State {
        sign,
        word: state.word(),
        tone,
    }
}

/// Of a finding.
pub fn severity(severity: Severity, g: &Glyphs) -> State {
    let (sign, word, tone) = match severity {
        Severity::Critical => (g.failed, "critical", Tone::Critical),
        Severity::Warning => (g.warn, "warning", Tone::Warn),
        Severity::Info => ("i", "info", Tone::Info),
    };
    State { sign, word, tone }
}

/// Of a cluster as a whole.
pub fn health(health: &Health<'_>, g: &Glyphs) -> State {
    let (sign, tone) = match health {
        Health::Connecting => (g.unknown, Tone::Muted),
        Health::Live => (g.on, Tone::Good),
        Health::Stale(_) => (g.stale, Tone::Warn),
        Health::Unreachable(_) | Health::Untrusted(_) | Health::SignInRefused(_) => (g.lost, Tone::Bad),
    };
    State {
        sign,
        word: health.word(),
        tone,
    }
}

/// What the last verification found, in a word.
pub fn verified(one: &BackupSnapshot, g: &Glyphs) -> Cell {
    match (one.verification, one.size) {
        (Some(Verification::Ok), _) => Cell::toned(format!("{} ok", g.ok), Tone::Good),
        (Some(Verification::Failed), _) => Cell::toned(format!("{} failed", g.failed), Tone::Bad),
        (None, None) => Cell::toned(format!("{} unfinished", g.unknown), Tone::Warn),
        (None, Some(_)) => Cell::toned("never", Tone::Muted),
    }
}

/// Whether it is protected and encrypted.
pub fn marks(one: &BackupSnapshot, g: &Glyphs) -> Cell {
    let mut cell = Cell::empty();
    if one.protected {
        cell = cell.then(format!("{} kept ", g.lock), Tone::Info);
    }
    if one.encrypted {
        cell = cell.then("enc", Tone::Muted);
    }
    cell
}
