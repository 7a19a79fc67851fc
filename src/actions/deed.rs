//! Deeds: the actions that change the world. Each has its danger, the privilege it needs and its arguments.
//!
//! What always holds here: the order of [`DEEDS`] is that of [`Deed`]; names are noun-verb and stable, as scripts and
//! the journal use them.

/// An action that changes the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each has its help in the table")]
pub enum Deed {
    GuestStart,
    GuestShutdown,
    GuestReboot,
    GuestStop,
    GuestReset,
    GuestSuspend,
    GuestResume,
    GuestMigrate,
    SnapshotCreate,
    SnapshotRollback,
    SnapshotDelete,
    TaskStop,
}

/// What it takes before a deed is done. The order is that of danger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Danger {
    /// It disturbs nobody: it runs at once.
    None,
    /// It disturbs: it asks y/N.
    Confirm,
    /// It destroys: the name of its object is typed.
    TypeName,
}

/// What a deed is done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    /// A guest.
    Guest,
    /// A running task.
    Task,
}

/// One argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Argument {
    /// Its name, as `--arg` takes it.
    pub name: &'static str,
    /// Whether the deed cannot be done without.
    pub required: bool,
    /// What it is.
    pub help: &'static str,
}

/// The row of a deed.
#[derive(Debug)]
pub struct Row {
    /// Which one.
    pub deed: Deed,
    /// The stable name.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// One sentence about it.
    pub help: &'static str,
    /// What it takes.
    pub danger: Danger,
    /// What it is done to.
    pub object: Object,
    /// The privilege it needs on the guest; a task needs none beyond being one's own.
    pub privilege: Option<&'static str>,
    /// Its arguments.
    pub arguments: &'static [Argument],
}

const SNAPSHOT: Argument = Argument {
    name: "snapshot",
    required: true,
    help: "name of the snapshot",
};

const fn optional(name: &'static str, help: &'static str) -> Argument {
    Argument {
        name,
        required: false,
        help,
    }
}

macro_rules! deeds {
    ($($deed:ident $name:literal $danger:ident $object:ident $privilege:expr, $arguments:expr, $title:literal, $help:literal;)*) => {
        /// All deeds, in the order in which they are offered.
        pub const DEEDS: &[Row] = &[$(Row {
            deed: Deed::$deed,
            name: $name,
            title: $title,
            help: $help,
            danger: Danger::$danger,
            object: Object::$object,
            privilege: $privilege,
            arguments: $arguments,
        },)*];
    };
}

const POWER: Option<&str> = Some("VM.PowerMgmt");

deeds! {
    GuestStart "guest.start" None Guest POWER, &[], "Start", "Starts a guest.";
    GuestShutdown "guest.shutdown" Confirm Guest POWER,
        &[optional("timeout", "seconds that the guest may take"), optional("force", "1: stop it hard if it takes longer")],
        "Shut down", "Asks the guest to shut down.";
    GuestReboot "guest.reboot" Confirm Guest POWER, &[optional("timeout", "seconds that the guest may take")],
        "Reboot", "Shuts the guest down and starts it again; pending changes take effect.";
    GuestStop "guest.stop" Confirm Guest POWER, &[], "Stop", "Stops the guest at once, as if the power went away.";
    GuestReset "guest.reset" Confirm Guest POWER, &[], "Reset", "Resets the machine, as its reset button would.";
    GuestSuspend "guest.suspend" Confirm Guest POWER, &[], "Suspend", "Halts the guest; it stays in memory.";
    GuestResume "guest.resume" None Guest POWER, &[], "Resume", "Lets a suspended guest go on.";
    GuestMigrate "guest.migrate" Confirm Guest Some("VM.Migrate"),
        &[Argument { name: "target", required: true, help: "node to go to" },
          optional("with-local-disks", "1: copy disks on local storages too")],
        "Migrate", "Moves the guest to another node; a running machine moves running, a running container restarts.";
    SnapshotCreate "guest.snapshot.create" None Guest Some("VM.Snapshot"),
        &[SNAPSHOT, optional("description", "what it is for"), optional("ram", "1: with the memory of a running machine")],
        "Create snapshot", "Takes a snapshot.";
    SnapshotRollback "guest.snapshot.rollback" TypeName Guest Some("VM.Snapshot.Rollback"), &[SNAPSHOT],
        "Roll back to snapshot", "Puts the guest back to a snapshot; what was written since is lost.";
    SnapshotDelete "guest.snapshot.delete" TypeName Guest Some("VM.Snapshot"), &[SNAPSHOT],
        "Delete snapshot", "Deletes a snapshot for good.";
    TaskStop "task.stop" Confirm Task None, &[], "Stop task", "Stops a running task; what it had begun is left as it is.";
}

impl Deed {
    /// Its row.
    pub fn row(self) -> &'static Row {
        &DEEDS[self as usize]
    }

    /// The deed of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        DEEDS.iter().find(|row| row.name == name).map(|row| row.deed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_finds_itself() {
        for (index, row) in DEEDS.iter().enumerate() {
            assert_eq!(row.deed as usize, index, "{}", row.name);
            assert_eq!(Deed::from_name(row.name), Some(row.deed));
            assert!(row.help.ends_with('.'), "{}: help is a sentence", row.name);
        }
        assert_eq!(Deed::from_name("guest.explode"), None);
    }
}
