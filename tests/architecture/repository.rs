//! What the repository consists of: the crates that it brings along, and what lies at its top.

use std::{fs, path::Path};

/// Crates that must not be in the tree, whoever brings them: one TLS with one cryptography, nothing unmaintained.
const BANNED: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
    "rustls-pemfile",
    "atty",
    "dotenv",
    "paste",
];

/// Crates whose types meet, so that two versions would not fit.
const ONLY_ONCE: &[&str] = &["ratatui", "ratatui-core", "crossterm", "rustls", "reqwest"];

fn unwanted_crates(lock: &str) -> Vec<String> {
    let names: Vec<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    let banned = names.iter().filter(|name| BANNED.contains(name));
    let twice = ONLY_ONCE
        .iter()
        .filter(|name| names.iter().filter(|other| other == name).count() > 1);
    banned.chain(twice).map(ToString::to_string).collect()
}

#[test]
fn dependencies() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    assert_eq!(
        unwanted_crates(&fs::read_to_string(lock).unwrap()),
        Vec::<String>::new()
    );
    let bad = "name = \"openssl-sys\"\nname = \"rustls\"\nname = \"rustls\"\nname = \"serde\"\n";
    assert_eq!(unwanted_crates(bad), ["openssl-sys", "rustls"]);
}

/// What may lie at the top besides dot-files and what git ignores.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "src",
    "tests",
    "config",
    "themes",
    "assets",
];

fn strays<'a>(names: &'a [String], ignored: &str) -> Vec<&'a str> {
    let ignored: Vec<&str> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('/'))
        .collect();
    let belongs = |name: &str| name.starts_with('.') || TOP.contains(&name) || ignored.contains(&name);
    names
        .iter()
        .map(String::as_str)
        .filter(|name| !belongs(name))
        .collect()
}

#[test]
fn top_level() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
    let entries = fs::read_dir(root).unwrap();
    let names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(strays(&names, &ignored), Vec::<&str>::new());
    let bad = ["src", "docs", ".ci", "target"].map(str::to_owned);
    assert_eq!(strays(&bad, "/target\n"), ["docs"]);
}
