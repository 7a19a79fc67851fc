//! Deeds: the actions that change the world. Each has its danger, the privilege it needs and its arguments.
//!
//! What always holds here: the order of [`DEEDS`] is that of [`Deed`]; names are noun-verb and stable, as scripts and
//! the journal use them; within one kind of object no two deeds share a letter of its menu.

use super::table::{Action, Id, Scope};
use crate::domain::ObjectRef;

/// What it takes before a deed is done. The order is that of danger.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Danger {
    /// It disturbs nobody: it runs at once.
    #[serde(rename = "none")]
    None,
    /// It disturbs: it asks y/N.
    #[serde(rename = "yes")]
    Confirm,
    /// It destroys: the name of its object is typed.
    #[default]
    #[serde(rename = "name")]
    TypeName,
}

/// What a deed is done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    /// A guest.
    Guest,
    /// A node.
    Node,
    /// A running task.
    Task,
    /// A datastore of a Backup Server.
    Datastore,
    /// A backup on a Backup Server.
    ServerBackup,
}

impl Object {
    /// Whether an object is one of these.
    pub fn is(self, object: &ObjectRef) -> bool {
        match self {
            Self::Guest => matches!(object, ObjectRef::Guest(_)),
            Self::Node => matches!(object, ObjectRef::Node(_)),
            Self::Task => matches!(object, ObjectRef::Task(_)),
            Self::Datastore => matches!(object, ObjectRef::Datastore(_)),
            Self::ServerBackup => matches!(object, ObjectRef::ServerBackup(_)),
        }
    }
}

/// What an argument is: how it is checked, asked for and completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text of one line.
    Text,
    /// Any text.
    Lines,
    /// A name as DNS has them: `web-01`.
    Name,
    /// 1 or 0.
    Flag,
    /// A whole number from, to.
    Number(u64, u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A node of the target's cluster.
    Node,
    /// A storage that the target's node sees.
    Storage,
    /// A snapshot that the target has.
    Snapshot,
    /// A name for a new snapshot.
    NewSnapshot,
    /// A VMID that nobody has.
    NewVmid,
    /// A disk of the target: `scsi0`, `rootfs`.
    Disk,
    /// A size: `32G`, `+10G`.
    Size,
    /// Words with commas between: `prod,web`.
    Tags,
    /// A pool of the target's cluster.
    Pool,
    /// A service of the target node: `pveproxy`.
    Service,
    /// A security group of the target's cluster.
    SecurityGroup,
}

impl Kind {
    /// Whether a value can only be one of those that exist.
    pub fn is_chosen(self) -> bool {
        matches!(
            self,
            Self::Node | Self::Storage | Self::Snapshot | Self::Disk | Self::Pool | Self::Service
        )
    }
}

/// One argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Argument {
    /// Its name, as `--NAME` of `pvedeck run`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether the deed cannot be done without.
    pub required: bool,
    /// What it is for.
    pub help: &'static str,
}

/// The row of a deed.
#[derive(Debug)]
pub struct Row {
    /// Which one.
    pub deed: Deed,
    /// What it shares with every action. A deed has no default key of its own; a keymap may give it one.
    pub action: Action,
    /// Its letter in the menu of its object.
    pub letter: Option<char>,
    /// What it takes.
    pub danger: Danger,
    /// What it is done to.
    pub object: Object,
    /// The privilege it needs on the object; `None` where it depends on the arguments, where only root may, and for a
    /// task that is one's own.
    pub privilege: Option<&'static str>,
    /// Its arguments.
    pub arguments: &'static [Argument],
}

const fn required(name: &'static str, kind: Kind, help: &'static str) -> Argument {
    Argument {
        name,
        kind,
        required: true,
        help,
    }
}

const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Argument {
    Argument {
        name,
        kind,
        required: false,
        help,
    }
}

/// Most memory that a guest is given, in MiB: what QEMU can address.
const MEMORY: u64 = 4_178_944;
/// Most clones that one plan makes.
const CLONES: u64 = 50;

/// Longest that a guest is given to shut down, in seconds: the server takes no more than a day.
const DAY: u64 = 86_400;

const SNAPSHOT: Argument = required("snapshot", Kind::Snapshot, "name of the snapshot");
const DISK: Argument = required("disk", Kind::Disk, "disk, such as scsi0 or rootfs");
const SERVICE: Argument = required("service", Kind::Service, "which service, `pvestatd`");
/// How many backups a rule of retention may keep.
const KEEP: Kind = Kind::Number(1, 10_000);
const POWER: Option<&str> = Some("VM.PowerMgmt");
const OPTIONS: Option<&str> = Some("VM.Config.Options");
const ALLOCATE: Option<&str> = Some("VM.Allocate");

macro_rules! deeds {
    ($($deed:ident $name:literal $letter:expr, $danger:ident $object:ident $privilege:expr, $arguments:expr, $title:literal, $help:literal;)*) => {
        /// An action that changes the world.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "each has its help in the table")]
        pub enum Deed { $($deed,)* }

        /// All deeds, in the order in which they are offered.
        pub const DEEDS: &[Row] = &[$(Row {
            deed: Deed::$deed,
            action: Action {
                id: Id::Deed(Deed::$deed),
                name: $name,
                title: $title,
                help: $help,
                scope: Scope::Global,
                keys: &[],
                hint: "",
            },
            letter: $letter,
            danger: Danger::$danger,
            object: Object::$object,
            privilege: $privilege,
            arguments: $arguments,
        },)*];
    };
}

deeds! {
    // --- power
    GuestStart "guest.start" Some('s'), None Guest POWER, &[], "Start", "Starts a guest.";
    GuestShutdown "guest.shutdown" Some('d'), Confirm Guest POWER,
        &[optional("timeout", Kind::Number(0, DAY), "seconds that the guest may take"),
          optional("force", Kind::Flag, "stop it hard if it takes longer")],
        "Shut down", "Asks the guest to shut down.";
    GuestReboot "guest.reboot" Some('r'), Confirm Guest POWER,
        &[optional("timeout", Kind::Number(0, DAY), "seconds that the guest may take")],
        "Reboot", "Shuts the guest down and starts it again; pending changes take effect.";
    GuestStop "guest.stop" Some('x'), Confirm Guest POWER, &[], "Stop", "Stops the guest at once, as if the power went away.";
    GuestReset "guest.reset" Some('e'), Confirm Guest POWER, &[], "Reset", "Resets the machine, as its reset button would.";
    GuestSuspend "guest.suspend" Some('u'), Confirm Guest POWER,
        &[optional("to-disk", Kind::Flag, "write its memory to disk and stop it; the next start goes on from there"),
          optional("storage", Kind::Storage, "storage for the memory, with to-disk")],
        "Suspend", "Halts the guest; it stays in memory, or goes to disk.";
    GuestResume "guest.resume" Some('p'), None Guest POWER, &[], "Resume", "Lets a suspended guest go on.";
    // --- place
    GuestMigrate "guest.migrate" Some('m'), Confirm Guest Some("VM.Migrate"),
        &[required("target", Kind::Node, "node to go to"),
          optional("with-local-disks", Kind::Flag, "copy disks on local storages too")],
        "Migrate", "Moves the guest to another node; a running machine moves running, a running container restarts.";
    // --- snapshots
    SnapshotCreate "guest.snapshot.create" Some('n'), None Guest Some("VM.Snapshot"),
        &[required("snapshot", Kind::NewSnapshot, "name of the snapshot"),
          optional("description", Kind::Text, "what it is for"),
          optional("ram", Kind::Flag, "with the memory of a running machine")],
        "Create snapshot", "Takes a snapshot.";
    SnapshotRollback "guest.snapshot.rollback" Some('b'), TypeName Guest Some("VM.Snapshot.Rollback"), &[SNAPSHOT],
        "Roll back to snapshot", "Puts the guest back to a snapshot; what was written since is lost.";
    SnapshotDelete "guest.snapshot.delete" Some('k'), TypeName Guest Some("VM.Snapshot"), &[SNAPSHOT],
        "Delete snapshot", "Deletes a snapshot for good.";
    // --- copies
    GuestClone "guest.clone" Some('c'), Confirm Guest Some("VM.Clone"),
        &[optional("newid", Kind::NewVmid, "VMID of the first clone; the next free one if left out"),
          optional("name", Kind::Name, "name; several clones get -1, -2… behind it"),
          optional("count", Kind::Number(1, CLONES), "how many clones"),
          optional("full", Kind::Flag, "1: copy all disks; 0: share those of a template (its default)"),
          optional("target", Kind::Node, "node for the clone; all disks must be on shared storage"),
          optional("storage", Kind::Storage, "storage for the disks of a full clone"),
          optional("pool", Kind::Pool, "pool for the clone"),
          optional("snapshot", Kind::Snapshot, "clone this snapshot instead of the present state"),
          optional("description", Kind::Text, "notes of the clone")],
        "Clone", "Copies a guest, once or several times.";
    GuestTemplate "guest.template" Some('t'), TypeName Guest ALLOCATE, &[],
        "Convert to template", "Makes a stopped guest a template for clones; it never runs again.";
    // --- configuration
    DiskResize "guest.disk.resize" Some('z'), Confirm Guest Some("VM.Config.Disk"),
        &[DISK, required("size", Kind::Size, "new size such as 64G, or +10G for that much more")],
        "Resize disk", "Makes a disk larger; none ever gets smaller.";
    DiskMove "guest.disk.move" Some('v'), Confirm Guest Some("VM.Config.Disk"),
        &[DISK, required("storage", Kind::Storage, "storage to go to"),
          optional("format", Kind::Choice(&["raw", "qcow2", "vmdk"]), "format on a file storage (machines only)"),
          optional("delete", Kind::Flag, "remove the source when it is copied; it stays as unused disk otherwise")],
        "Move disk", "Copies a disk to another storage and uses it from there.";
    GuestResources "guest.resources" Some('h'), Confirm Guest None,
        &[optional("cores", Kind::Number(1, 8192), "cores, of each socket"),
          optional("sockets", Kind::Number(1, 4), "sockets (machines only)"),
          optional("memory", Kind::Number(16, MEMORY), "memory in MiB"),
          optional("swap", Kind::Number(0, MEMORY), "swap in MiB (containers only)")],
        "Change resources", "Changes cores and memory; the plan says what waits for the next start.";
    GuestTags "guest.tags" Some('g'), None Guest OPTIONS,
        &[optional("add", Kind::Tags, "tags to put on"),
          optional("remove", Kind::Tags, "tags to take off"),
          optional("set", Kind::Tags, "the tags that it has from now on, and no others; empty for none")],
        "Change tags", "Puts tags on a guest or takes them off.";
    GuestNotes "guest.notes" Some('w'), None Guest OPTIONS,
        &[optional("notes", Kind::Lines, "the notes from now on; empty removes them"),
          optional("append", Kind::Lines, "a paragraph to put below what is there")],
        "Edit notes", "Writes the notes of a guest.";
    GuestOptions "guest.options" Some('o'), Confirm Guest OPTIONS,
        &[optional("name", Kind::Name, "its name"),
          optional("onboot", Kind::Flag, "start it when its node starts"),
          optional("protection", Kind::Flag, "refuse to delete it or its disks"),
          optional("startup", Kind::Text, "order and delays in seconds: order=2,up=30,down=60; empty for none"),
          optional("agent", Kind::Flag, "use the guest agent (machines only)")],
        "Change options", "Changes name, start at boot, protection, start order and guest agent.";
    // --- the end
    GuestDelete "guest.delete" Some('D'), TypeName Guest ALLOCATE,
        &[optional("stop", Kind::Flag, "stop it first if it runs"),
          optional("purge", Kind::Flag, "remove it from backup jobs, replication and HA too"),
          optional("unreferenced", Kind::Flag, "delete disks of its VMID that its configuration does not name")],
        "Delete", "Deletes a guest and its disks for good.";
    GuestUnlock "guest.unlock" Some('l'), Confirm Guest None, &[],
        "Unlock", "Removes the lock that an interrupted task left; only root@pam with a password or on a node may.";
    // --- keys
    GuestKeyAdd "guest.key.add" Some('a'), Confirm Guest None,
        &[required("key", Kind::Text, "the line of the public key"),
          optional("user", Kind::Text, "whose key; without it the user of cloud-init, or root")],
        "Add SSH key", "Lets a key in: through cloud-init, and in the running system where its agent answers.";
    GuestKeyRevoke "guest.key.revoke" Some('A'), Confirm Guest None,
        &[required("key", Kind::Text, "the line of the public key; its comment or fingerprint, if cloud-init has it"),
          optional("user", Kind::Text, "whose key; without it the user of cloud-init, or root")],
        "Revoke SSH key", "Takes a key back: from cloud-init, and in the running system where its agent answers.";
    // --- firewall
    FirewallGroupAttach "guest.firewall.group.attach" Some('f'), Confirm Guest Some("VM.Config.Network"),
        &[required("group", Kind::SecurityGroup, "which security group"),
          optional("iface", Kind::Text, "only for this network device, `net0`")],
        "Attach security group", "Lets the rules of a security group apply to a guest.";
    FirewallGroupDetach "guest.firewall.group.detach" Some('F'), Confirm Guest Some("VM.Config.Network"),
        &[required("group", Kind::SecurityGroup, "which security group"),
          optional("iface", Kind::Text, "only for this network device, `net0`")],
        "Detach security group", "Takes the rules of a security group from a guest.";
    FirewallOpen "guest.firewall.open" Some('i'), Confirm Guest Some("VM.Config.Network"),
        &[required("port", Kind::Text, "port, range or several: 22, 8000:8010, 80,443"),
          optional("proto", Kind::Choice(&["tcp", "udp"]), "tcp unless told otherwise"),
          optional("source", Kind::Text, "from where: address, network, alias, IP set; anywhere without it"),
          optional("comment", Kind::Text, "what it is for")],
        "Open port", "Adds a rule to the guest's firewall that lets something in.";
    FirewallClose "guest.firewall.close" Some('I'), Confirm Guest Some("VM.Config.Network"),
        &[required("port", Kind::Text, "port, range or several, as the rule has it"),
          optional("proto", Kind::Choice(&["tcp", "udp"]), "tcp unless told otherwise"),
          optional("source", Kind::Text, "from where, as the rule has it")],
        "Close port", "Removes the rule that lets this in.";
    FirewallEnable "guest.firewall.enable" Some('y'), Confirm Guest Some("VM.Config.Network"), &[],
        "Switch firewall on", "Switches the guest's firewall on.";
    FirewallDisable "guest.firewall.disable" Some('Y'), Confirm Guest Some("VM.Config.Network"), &[],
        "Switch firewall off", "Switches the guest's firewall off.";
    // --- nodes
    NodeEvacuate "node.evacuate" Some('e'), Confirm Node None,
        &[optional("with-local-disks", Kind::Flag, "copy disks on local storages too"),
          optional("stopped", Kind::Choice(&["move", "skip"]), "what becomes of stopped guests; they move unless told otherwise")],
        "Evacuate", "Moves every guest to another node, by free memory and the rules of HA.";
    NodeRestore "node.restore" Some('b'), Confirm Node None, &[],
        "Bring guests back", "Moves the guests back that the last evacuation of the node moved away, from the journal.";
    NodeShutdown "node.shutdown" Some('d'), TypeName Node Some("Sys.PowerMgmt"), &[],
        "Shut down", "Shuts the node down, and its guests with it.";
    NodeReboot "node.reboot" Some('r'), TypeName Node Some("Sys.PowerMgmt"), &[],
        "Reboot", "Reboots the node, and its guests with it.";
    NodeWake "node.wake" Some('w'), None Node Some("Sys.PowerMgmt"), &[],
        "Wake", "Wakes a node that is off, by Wake-on-LAN.";
    NodeServiceStart "node.service.start" Some('s'), None Node Some("Sys.Modify"), &[SERVICE],
        "Start service", "Starts a service of the node.";
    NodeServiceStop "node.service.stop" Some('x'), Confirm Node Some("Sys.Modify"), &[SERVICE],
        "Stop service", "Stops a service of the node.";
    NodeServiceRestart "node.service.restart" Some('t'), Confirm Node Some("Sys.Modify"), &[SERVICE],
        "Restart service", "Restarts a service of the node.";
    NodeServiceReload "node.service.reload" Some('l'), None Node Some("Sys.Modify"), &[SERVICE],
        "Reload service", "Lets a service of the node read its configuration again.";
    // --- Backup Servers
    DatastoreVerify "datastore.verify" Some('v'), Confirm Datastore Some("Datastore.Verify"),
        &[optional("namespace", Kind::Text, "only this namespace and those below it"),
          optional("all", Kind::Flag, "those too that were found good before")],
        "Verify", "Reads backups whole and checks them.";
    DatastoreCollect "datastore.collect" Some('g'), Confirm Datastore Some("Datastore.Modify"), &[],
        "Collect garbage", "Frees the space of what no backup needs any more.";
    DatastorePrune "datastore.prune" Some('p'), TypeName Datastore Some("Datastore.Prune"),
        &[optional("keep-last", KEEP, "how many of the newest stay"),
          optional("keep-hourly", KEEP, "for how many hours the newest of each stays"),
          optional("keep-daily", KEEP, "for how many days the newest of each stays"),
          optional("keep-weekly", KEEP, "for how many weeks the newest of each stays"),
          optional("keep-monthly", KEEP, "for how many months the newest of each stays"),
          optional("keep-yearly", KEEP, "for how many years the newest of each stays"),
          optional("namespace", Kind::Text, "only this namespace and those below it"),
          optional("server-dry-run", Kind::Flag, "let the server only say what it would remove")],
        "Prune", "Removes backups by retention rules; the plan says which stay and which go.";
    DatastoreJobRun "datastore.job.run" Some('r'), Confirm Datastore None,
        &[required("job", Kind::Text, "which verification, prune or sync job, by its id")],
        "Run job", "Runs a job of the datastore now.";
    ServerBackupVerify "server-backup.verify" Some('v'), Confirm ServerBackup Some("Datastore.Verify"), &[],
        "Verify backup", "Reads a backup whole and checks it.";
    ServerBackupProtect "server-backup.protect" Some('p'), None ServerBackup Some("Datastore.Backup"), &[],
        "Protect backup", "Keeps a backup from being removed.";
    ServerBackupUnprotect "server-backup.unprotect" Some('u'), Confirm ServerBackup Some("Datastore.Backup"), &[],
        "Unprotect backup", "Lets a backup be removed again.";
    ServerBackupNotes "server-backup.notes" Some('w'), None ServerBackup Some("Datastore.Backup"),
        &[required("notes", Kind::Lines, "the notes from now on")],
        "Edit backup notes", "Writes the notes of a backup.";
    ServerBackupForget "server-backup.forget" Some('D'), TypeName ServerBackup Some("Datastore.Prune"), &[],
        "Forget backup", "Removes a backup for good.";
    // --- tasks
    TaskStop "task.stop" Some('x'), Confirm Task None, &[], "Stop task",
        "Stops a running task; what it had begun is left as it is.";
}

impl Deed {
    /// Its row.
    pub fn row(self) -> &'static Row {
        &DEEDS[self as usize]
    }

    /// The deed of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        DEEDS
            .iter()
            .find(|row| row.action.name == name)
            .map(|row| row.deed)
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.row().action.name
    }

    /// The deeds that can be done to objects of this sort, in the order of the table.
    pub fn for_object(object: &ObjectRef) -> impl Iterator<Item = &'static Row> {
        DEEDS.iter().filter(move |row| row.object.is(object))
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        self.row().action.title
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_deed_finds_itself() {
        for (index, row) in DEEDS.iter().enumerate() {
            assert_eq!(row.deed as usize, index, "{}", row.action.name);
            assert_eq!(Deed::from_name(row.action.name), Some(row.deed));
        }
        assert_eq!(Deed::from_name("guest.explode"), None);
    }

    #[test]
    fn a_letter_of_a_menu_means_one_thing() {
        let mut seen = BTreeSet::new();
        for row in DEEDS {
            if let Some(letter) = row.letter {
                let fresh = seen.insert((format!("{:?}", row.object), letter));
                assert!(fresh, "{letter} of {}", row.action.name);
            }
        }
    }

    #[test]
    fn what_is_required_stands_first() {
        for row in DEEDS {
            let sorted = row.arguments.is_sorted_by_key(|argument| !argument.required);
            assert!(sorted, "{}", row.action.name);
        }
    }
}
