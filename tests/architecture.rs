//! The rules of the house, enforced: who may import whom, where the clock and threads are allowed, how big a file
//! may grow. Each rule is fed a violation as well, so that none can pass by seeing nothing.

#![allow(clippy::unwrap_used, reason = "a failing test may say it this way")]

#[path = "architecture/repository.rs"]
mod repository;
#[path = "support/source.rs"]
mod source;

use std::{fs, path::Path};

use source::Source;

/// What a rule found: line (0 for the whole file) and what is wrong.
type Breach = (usize, String);

/// A room and the rooms that it may use; `None` is "anything".
const ROOMS: &[(&str, Option<&[&str]>)] = &[
    ("domain", Some(&[])),
    ("clients", Some(&["domain"])),
    ("store", Some(&["domain"])),
    ("actions", Some(&["domain", "store"])),
    ("plan", Some(&["actions", "domain", "store"])),
    ("orders", Some(&["domain", "store", "plan"])),
    ("settings", Some(&["domain", "actions"])),
    ("sync", Some(&["clients", "domain", "store"])),
    ("ui", Some(&["domain"])),
    ("screens", Some(SCREENS)),
    ("overlays", Some(SCREENS)),
    (
        "app",
        Some(&[
            "ui", "actions", "plan", "store", "settings", "domain", "orders", "screens", "overlays",
        ]),
    ),
    ("demo", Some(&["domain"])),
    ("runtime", None),
    ("cli", None),
    ("main", None),
    ("lib", None),
];

const SCREENS: &[&str] = &["ui", "actions", "plan", "store", "settings", "domain", "orders"];

/// Rooms that decide or show: time reaches them as a value, so that a test can choose it.
const CLOCKLESS: &[&str] = &[
    "domain", "store", "actions", "plan", "screens", "overlays", "app", "ui",
];

/// Who may start tasks and threads beside the runtime, and why.
const SPAWNERS: &[(&str, &str)] = &[
    (
        "demo/",
        "a server of its own: one task a connection, one for its clock",
    ),
    (
        "clients/proxmox/auth/",
        "the command that prints a token, and the question for a second factor, which blocks",
    ),
    (
        "cli/",
        "commands run without the event loop and start what it would",
    ),
];

const MAX_LINES: usize = 500;

fn imports_keep_to_the_table(source: &Source) -> Vec<Breach> {
    let room = source.room();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![(0, format!("the room `{room}` is not in the table of rooms"))];
    };
    let Some(allowed) = allowed else {
        return Vec::new();
    };
    let known = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    source
        .crate_paths()
        .into_iter()
        .filter_map(|path| {
            let target = path.segments.first()?;
            let fine = target == room || allowed.contains(&target.as_str()) || !known(target);
            (!fine).then(|| (path.line, format!("`{room}` may not use `{target}`")))
        })
        .collect()
}

fn no_screen_knows_another(source: &Source) -> Vec<Breach> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    uses_of_siblings(source, |room, name| src.join(room).join(name).is_dir())
}

fn uses_of_siblings(source: &Source, is_folder: impl Fn(&str, &str) -> bool) -> Vec<Breach> {
    let parts: Vec<&str> = source.path.split('/').collect();
    let [room @ ("screens" | "overlays"), own, _, ..] = parts.as_slice() else {
        return Vec::new();
    };
    // What lies in the room itself is shared; what lies in a sibling's folder is that sibling's.
    source
        .crate_paths()
        .into_iter()
        .filter(|path| path.segments.first().is_some_and(|first| first == room))
        .filter_map(|path| {
            let other = path.segments.get(1)?;
            let is_sibling = other != own && is_folder(room, other);
            is_sibling.then(|| {
                (
                    path.line,
                    format!("`{room}::{own}` may not use `{room}::{other}`"),
                )
            })
        })
        .collect()
}

fn terminal_crates_stay_where_cells_are_drawn(source: &Source) -> Vec<Breach> {
    let allowed = matches!(source.room(), "ui" | "runtime")
        || source.path.ends_with("/draw.rs")
        || source.path.contains("/draw/");
    if allowed {
        return Vec::new();
    }
    ["ratatui", "crossterm"]
        .iter()
        .flat_map(|name| {
            let lines = source.find(&[name, "::"]);
            lines
                .into_iter()
                .map(move |line| (line, format!("`{name}` outside ui, draw.rs and runtime")))
        })
        .collect()
}

fn wire_types_stay_in_their_client(source: &Source) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = source
        .find(&["pub", "mod", "wire"])
        .into_iter()
        .map(|line| (line, "a wire module is private to its client".to_owned()))
        .collect();
    for path in source.crate_paths() {
        let Some(at) = path.segments.iter().position(|segment| segment == "wire") else {
            continue;
        };
        let home = path.segments[..at].join("/");
        let inside = source.path.starts_with(&format!("{home}/")) || source.path == format!("{home}.rs");
        if path.segments[0] == "clients" && !inside {
            breaches.push((path.line, format!("wire types of `{home}` outside it")));
        }
    }
    breaches
}

fn only_clients_and_the_demo_speak_http(source: &Source) -> Vec<Breach> {
    if matches!(source.room(), "clients" | "demo") {
        return Vec::new();
    }
    ["reqwest", "hyper", "hyper_util", "http_body_util", "tokio_rustls"]
        .iter()
        .flat_map(|name| {
            let lines = source.find(&[name, "::"]);
            lines
                .into_iter()
                .map(move |line| (line, format!("`{name}` outside clients and demo")))
        })
        .collect()
}

fn no_clock_where_decisions_are_taken(source: &Source) -> Vec<Breach> {
    if !CLOCKLESS.contains(&source.room()) {
        return Vec::new();
    }
    source
        .find(&["::", "now"])
        .into_iter()
        .map(|line| (line, "reads the clock; take the time as a value".to_owned()))
        .collect()
}

fn only_the_runtime_spawns(source: &Source) -> Vec<Breach> {
    let excused = SPAWNERS.iter().any(|(prefix, _)| source.path.starts_with(prefix));
    if source.room() == "runtime" || excused {
        return Vec::new();
    }
    starts(source)
}

fn starts(source: &Source) -> Vec<Breach> {
    ["spawn", "spawn_blocking", "spawn_local"]
        .iter()
        .flat_map(|word| {
            let mut lines = source.find(&["::", word]);
            lines.extend(source.find(&[".", word, "("]));
            lines
        })
        .map(|line| {
            (
                line,
                "starts a task, thread or process outside runtime".to_owned(),
            )
        })
        .collect()
}

fn no_file_grows_too_long(source: &Source) -> Vec<Breach> {
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        vec![(0, format!("{lines} lines; at most {MAX_LINES}"))]
    } else {
        Vec::new()
    }
}

fn no_file_is_a_drawer(source: &Source) -> Vec<Breach> {
    let names = ["utils", "util", "helpers", "helper", "common", "misc"];
    source
        .path
        .split('/')
        .filter(|part| names.contains(&part.trim_end_matches(".rs")))
        .map(|part| (0, format!("`{part}` says nothing of what is inside")))
        .collect()
}

fn nothing_is_left_for_later(source: &Source) -> Vec<Breach> {
    source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            ["TODO", "FIXME", "XXX", "HACK"]
                .iter()
                .any(|word| line.contains(word))
        })
        .map(|(index, line)| (index + 1, line.trim().to_owned()))
        .collect()
}

fn every_module_says_what_it_is_for(source: &Source) -> Vec<Breach> {
    if source.text.starts_with("//!") || source.path.ends_with("/tests.rs") {
        Vec::new()
    } else {
        vec![(1, "does not begin with module documentation".to_owned())]
    }
}

fn no_test_sleeps(source: &Source) -> Vec<Breach> {
    source
        .find(&["sleep", "("])
        .into_iter()
        .map(|line| {
            (
                line,
                "waits for time instead of for what should happen".to_owned(),
            )
        })
        .collect()
}

/// All files under `src/` or `tests/`.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                found.push(Source::new(name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Fails with every breach of a rule in the whole of `src/`.
fn check(rule: fn(&Source) -> Vec<Breach>) {
    check_in("src", rule);
}

fn check_in(folder: &str, rule: fn(&Source) -> Vec<Breach>) {
    let sources = sources(folder);
    assert!(sources.len() > 10, "only {} files were found", sources.len());
    let breaches: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            rule(source)
                .into_iter()
                .map(|(line, what)| format!("{folder}/{}:{line}: {what}", source.path))
        })
        .collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// Fails if the rule lets `bad` pass in a file at `path`, or refuses `good`.
fn proves(rule: fn(&Source) -> Vec<Breach>, path: &str, bad: &str, good: &str) {
    assert!(
        !rule(&Source::new(path, bad)).is_empty(),
        "{path} may not hold: {bad}"
    );
    let refused = rule(&Source::new(path, good));
    assert!(refused.is_empty(), "{path} may hold: {good}: {refused:?}");
}

#[test]
fn imports() {
    let rule = imports_keep_to_the_table;
    check(rule);
    proves(
        rule,
        "domain/node.rs",
        "use crate::store::Store;",
        "use crate::domain::Vmid;",
    );
    proves(
        rule,
        "screens/nodes/view.rs",
        "use crate::{ui::Cell, clients::pve::Client};",
        "use crate::{ui::Cell, store::Store};",
    );
    proves(
        rule,
        "store/mod.rs",
        "fn f() { super::sync::start() }",
        "fn f() { super::domain::Vmid(1); }",
    );
    proves(
        rule,
        "demo/mod.rs",
        "use crate::clients::pve;",
        "use crate::domain;",
    );
    let unknown = Source::new("attic/mod.rs", "");
    assert!(!rule(&unknown).is_empty(), "a room outside the table is refused");
}

#[test]
fn screens_do_not_know_each_other() {
    check(no_screen_knows_another);
    proves(
        |source| uses_of_siblings(source, |_, name| name == "sibling" || name == "nodes"),
        "screens/nodes/mod.rs",
        "use super::sibling::State;",
        "use super::{Context, nodes::view};",
    );
}

#[test]
fn terminal_crates() {
    let rule = terminal_crates_stay_where_cells_are_drawn;
    check(rule);
    proves(
        rule,
        "screens/nodes/view.rs",
        "use ratatui::style::Color;",
        "use crate::ui::Tone;",
    );
    proves(
        rule,
        "app/mod.rs",
        "use crossterm::event::Event;",
        "// ratatui::layout",
    );
    let drawing = Source::new("screens/nodes/draw.rs", "use ratatui::layout::Rect;");
    assert!(rule(&drawing).is_empty());
}

#[test]
fn wire_types() {
    let rule = wire_types_stay_in_their_client;
    check(rule);
    proves(
        rule,
        "sync/mod.rs",
        "use crate::clients::pve::wire::Row;",
        "use crate::clients::pve::Client;",
    );
    proves(
        rule,
        "clients/pve/mod.rs",
        "pub mod wire;",
        "mod wire; use self::wire::Row;",
    );
    let inside = Source::new("clients/pve/nodes.rs", "use super::wire::Row;");
    assert!(rule(&inside).is_empty());
}

#[test]
fn http() {
    let rule = only_clients_and_the_demo_speak_http;
    check(rule);
    proves(
        rule,
        "sync/mod.rs",
        "use reqwest::Client;",
        "use crate::clients::pve::Client;",
    );
}

#[test]
fn clock() {
    let rule = no_clock_where_decisions_are_taken;
    check(rule);
    for reads in [
        "SystemTime::now()",
        "std::time::Instant::now()",
        "Timestamp::now()",
        "jiff::Zoned::now()",
    ] {
        proves(rule, "app/mod.rs", reads, "let now = event.at;");
    }
}

#[test]
fn spawning() {
    let rule = only_the_runtime_spawns;
    check(rule);
    for starts in [
        "tokio::spawn(f)",
        "std::thread::spawn(f)",
        "tokio::task::spawn_blocking(f)",
        "set.spawn(f)",
    ] {
        proves(rule, "store/mod.rs", starts, "fn spawn_point() {}");
    }
}

#[test]
fn no_exception_outlives_its_need() {
    let sources = sources("src");
    for (prefix, reason) in SPAWNERS {
        let used = sources
            .iter()
            .any(|source| source.path.starts_with(prefix) && !starts(source).is_empty());
        assert!(used, "nothing under {prefix} needs this any more: {reason}");
    }
}

#[test]
fn size() {
    proves(
        no_file_grows_too_long,
        "a.rs",
        &"\n".repeat(MAX_LINES + 1),
        &"\n".repeat(MAX_LINES),
    );
    check(no_file_grows_too_long);
}

#[test]
fn names() {
    check(no_file_is_a_drawer);
    for path in ["ui/utils.rs", "common/mod.rs", "helpers.rs"] {
        assert!(!no_file_is_a_drawer(&Source::new(path, "")).is_empty(), "{path}");
    }
    assert!(no_file_is_a_drawer(&Source::new("ui/safe.rs", "")).is_empty());
}

#[test]
fn nothing_for_later() {
    check(nothing_is_left_for_later);
    proves(nothing_is_left_for_later, "a.rs", "// TODO: all of it", "// done");
}

#[test]
fn tests_wait_for_events() {
    check_in("tests", no_test_sleeps);
    proves(
        no_test_sleeps,
        "a.rs",
        "std::thread::sleep(time)",
        "// sleep(time)",
    );
}

#[test]
fn module_documentation() {
    check(every_module_says_what_it_is_for);
    proves(
        every_module_says_what_it_is_for,
        "a.rs",
        "fn f() {}",
        "//! About f.\nfn f() {}",
    );
}
