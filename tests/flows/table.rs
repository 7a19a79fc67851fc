//! Everything that offers or names actions knows those of the table, and no other: palette, menu, help, footer, keys,
//! the commands of `run`, and what is printed from them.

use std::{collections::BTreeSet, process::Command};

use pvedeck::{
    actions::{self, Action, Id},
    domain::{DatastoreRef, NodeRef, ObjectRef, ServerBackupRef, TaskRef, Vmid, backup::BackupType},
    overlays::Help,
    plan::{DEEDS, Deed},
    screens::Place,
    settings::keymap,
};

use crate::{stage::Stage, support::estate};

fn names() -> BTreeSet<&'static str> {
    actions::all().map(|action| action.name).collect()
}

fn deeds() -> BTreeSet<&'static str> {
    DEEDS.iter().map(|row| row.action.name).collect()
}

/// What the program prints.
fn printed(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pvedeck"))
        .args(arguments)
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The words of a text that look like names of actions: a noun of the table, a dot, and a verb.
fn named(text: &str) -> BTreeSet<&str> {
    let nouns: BTreeSet<&str> = names().iter().filter_map(|name| name.split('.').next()).collect();
    text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-'))
        .map(|word| word.trim_matches(['.', '-']))
        .filter(|word| word.split_once('.').is_some_and(|(noun, _)| nouns.contains(noun)))
        .collect()
}

#[test]
fn what_is_printed_names_the_actions_of_the_table_alone() {
    let keys: serde_json::Value = serde_json::from_str(&printed(&["keys", "-o", "json"])).unwrap();
    let rows = keys.as_array().unwrap().iter();
    let keys: BTreeSet<&str> = rows.map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(keys, names(), "pvedeck keys");
    assert_eq!(
        named(&keymap::reference()),
        names(),
        "the reference of the keymap"
    );
    let written = include_str!("../../config/keymap.toml");
    assert_eq!(named(written), names(), "config/keymap.toml");
    for row in DEEDS {
        let page = printed(&["man", row.action.name])
            .replace("\\-", "-")
            .replace("\\*(Aq", "'");
        assert!(page.contains(row.action.help), "man {}", row.action.name);
        let others: Vec<&str> = named(&page).difference(&names()).copied().collect();
        assert!(others.is_empty(), "man {}: {others:?}", row.action.name);
    }
    for shell in ["bash", "zsh", "fish"] {
        let text = printed(&["completions", shell]);
        let found: BTreeSet<&str> = deeds().into_iter().filter(|name| text.contains(name)).collect();
        assert_eq!(found, deeds(), "completions {shell}");
    }
    let bash = printed(&["completions", "bash"]);
    let line = bash
        .lines()
        .find(|line| line.contains("opts=\"guest.start "))
        .unwrap();
    let (_, offered) = line.split_once('"').unwrap();
    let offered: BTreeSet<&str> = offered.trim_end_matches('"').split(' ').collect();
    assert_eq!(offered, deeds(), "what run completes");
}

#[test]
fn run_has_a_command_for_each_deed_and_no_other() {
    use clap::CommandFactory as _;
    let cli = pvedeck::cli::args::Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    let commands: Vec<&str> = run.get_subcommands().map(clap::Command::get_name).collect();
    let table: Vec<&str> = DEEDS.iter().map(|row| row.action.name).collect();
    assert_eq!(commands, table);
    for row in DEEDS {
        let command = run.find_subcommand(row.action.name).unwrap();
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        let options: BTreeSet<&str> = options.filter(|name| *name != "arg").collect();
        let arguments = row.arguments.iter().map(|argument| argument.name);
        assert_eq!(options, arguments.collect(), "{}", row.action.name);
    }
}

#[test]
fn help_has_a_row_for_each_action_and_no_other() {
    let help = Help::new(|_| String::new());
    let rows: Vec<&str> = help
        .shown()
        .into_iter()
        .filter_map(|shown| match shown {
            pvedeck::overlays::help::Shown::Row(row) => Some(row.name),
            pvedeck::overlays::help::Shown::Heading(_) => None,
        })
        .collect();
    assert_eq!(rows.len(), names().len());
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), names());
}

fn stage() -> Stage {
    let mut stage = Stage::writing(&["prod"], &["prod"], (200, 60));
    stage.resources("prod", estate::inventory(20));
    stage
}

/// The lines of the palette that name a deed, or show the title of an action.
fn palette(stage: &mut Stage, typed: &str) -> String {
    stage.keys(":");
    stage.type_in(typed);
    let text = stage.text();
    stage.keys("esc esc");
    text
}

/// Steps within a list or a graph are keys, and nothing that one looks up by its name.
fn is_looked_up(action: &Action) -> bool {
    let verbs = ["list.", "text.", "graph.", "focus.", "console."];
    let is_step = |verb: &&str| action.name.starts_with(verb);
    action.id != Id::Palette && !verbs.iter().any(is_step)
}

#[test]
fn the_palette_offers_each_action_by_its_title_and_each_deed_by_its_name() {
    let mut stage = stage();
    for action in actions::all() {
        let text = match action.id {
            Id::Deed(deed) => {
                let target = match deed.row().object {
                    actions::deed::Object::Guest => "101",
                    actions::deed::Object::Node => "pve1",
                    // No task runs here, and there is no Backup Server.
                    actions::deed::Object::Task
                    | actions::deed::Object::Datastore
                    | actions::deed::Object::ServerBackup => continue,
                };
                palette(&mut stage, &format!("{} {target}", action.name))
            }
            _ if is_looked_up(action) => palette(&mut stage, action.title),
            _ => continue,
        };
        let wanted = if matches!(action.id, Id::Deed(_)) {
            action.name
        } else {
            action.title
        };
        assert!(text.contains(wanted), "{}:\n{text}", action.name);
    }
    for noun in ["guest.", "node.", "task.", "run.", "place."] {
        let text = palette(&mut stage, noun);
        let unknown: Vec<&str> = named(&text).difference(&names()).copied().collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_menu_of_each_sort_of_object_has_its_deeds_and_no_other() {
    let cluster = || "prod".into();
    let guest = ObjectRef::Guest(pvedeck::domain::GuestRef {
        cluster: cluster(),
        vmid: Vmid(101),
    });
    let node = ObjectRef::Node(NodeRef {
        cluster: cluster(),
        node: "pve1".into(),
    });
    let task = ObjectRef::Task(TaskRef {
        cluster: cluster(),
        upid: "UPID:pve1:000002CE:000041E6:6B0135DE:qmstart:104:root@pam:"
            .parse()
            .unwrap(),
    });
    let datastore = DatastoreRef {
        cluster: "store".into(),
        store: "main".into(),
        namespace: "".into(),
    };
    let backup = ObjectRef::ServerBackup(ServerBackupRef {
        cluster: "store".into(),
        store: "main".into(),
        namespace: "".into(),
        kind: BackupType::Vm,
        id: "101".into(),
        time: jiff::Timestamp::UNIX_EPOCH,
    });
    let datastore = ObjectRef::Datastore(datastore);
    let mut offered: Vec<Deed> = Vec::new();
    for object in [&guest, &node, &task, &datastore, &backup] {
        offered.extend(Deed::for_object(object).map(|row| row.deed));
    }
    offered.sort();
    let all: Vec<Deed> = DEEDS.iter().map(|row| row.deed).collect();
    assert_eq!(offered, all, "each deed stands in the menu of one sort of object");
    let mut stage = stage();
    stage.keys("down s");
    let text = stage.text();
    for row in Deed::for_object(&guest) {
        assert!(text.contains(row.action.title), "{}:\n{text}", row.action.title);
    }
}

#[test]
fn the_footer_speaks_of_actions_of_the_table_alone() {
    let mut hints: Vec<&str> = actions::all().map(|action| action.hint).collect();
    hints.retain(|hint| !hint.is_empty());
    hints.sort_by_key(|hint| std::cmp::Reverse(hint.len()));
    let mut stage = stage();
    for place in [
        Place::Deck,
        Place::Guests,
        Place::Nodes,
        Place::Tasks,
        Place::Storages,
    ] {
        palette_go(&mut stage, &place.label());
        let text = stage.text();
        let footer = text.lines().last().unwrap();
        // Hints are two blanks apart, each a key and its word.
        for hint in footer.split("  ").map(str::trim).filter(|hint| !hint.is_empty()) {
            let (_, word) = hint.split_once(' ').unwrap_or(("", hint));
            assert!(hints.contains(&word), "`{hint}` in {footer}");
        }
    }
}

fn palette_go(stage: &mut Stage, place: &str) {
    stage.keys(":");
    stage.type_in(place);
    stage.keys("enter");
}
