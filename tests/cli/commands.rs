//! Commands that need no server.

use std::io::Read;

use crate::home::Home;

#[test]
fn help_lists_every_command_and_every_exit_code() {
    let help = Home::new().run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in [
        "get",
        "show",
        "demo",
        "login",
        "doctor",
        "keys",
        "themes",
        "config",
        "completions",
        "man",
        "--url",
        "--ca-file",
        "--fingerprint",
        "--config",
        "--cluster",
        "--read-only",
        "PVEDECK_TOKEN",
        "PVEDECK_URL",
        "PVEDECK_CA_FILE",
        "PVEDECK_FINGERPRINT",
        "0 done",
        "7 timed out",
    ] {
        assert!(help.out.contains(word), "{word} is not in:\n{}", help.out);
    }
    assert!(!help.out.contains("insecure"));
}

#[test]
fn wrong_usage_is_two_and_says_so_on_stderr() {
    let home = Home::new();
    for args in [
        &["--nope"][..],
        &["get"],
        &["get", "show", "demo", "cows"],
        &["get", "show", "demo", "guests", "-o", "xml"],
        &["--insecure", "keys"],
    ] {
        let outcome = home.run(args);
        assert_eq!(outcome.code, 2, "{args:?}");
        assert!(outcome.out.is_empty() && !outcome.err.is_empty(), "{outcome:?}");
    }
}

#[test]
fn keys_are_those_of_the_keymap() {
    let home = Home::new();
    home.file(
        "keymap.toml",
        "[keys]\n\"ctrl-k\" = \"palette.open\"\nq = \"none\"",
        0o644,
    );
    let keys = home.run(&["keys", "-o", "json"]);
    let all: serde_json::Value = serde_json::from_str(&keys.out).unwrap();
    let of = |action: &str| {
        let row = all
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["action"] == action)
            .unwrap();
        row["keys"].to_string()
    };
    assert_eq!(of("palette.open"), "[\":\",\"ctrl-p\",\"ctrl-k\"]");
    assert_eq!(of("app.quit"), "[\"ctrl-c\"]");

    home.file("keymap.toml", "[keys]\nq = \"app.qiut\"", 0o644);
    let keys = home.run(&["keys"]);
    assert_eq!(keys.code, 0, "a wrong keymap does not stop");
    assert!(
        keys.err
            .contains("keymap.toml:2:5: there is no action `app.qiut`: did you mean `app.quit`?"),
        "{}",
        keys.err
    );
    assert!(keys.out.starts_with("KEYS"), "{}", keys.out);
}

#[test]
fn themes_are_listed_and_checked() {
    let home = Home::new();
    home.file(
        "themes/mine.toml",
        "inherits = \"dark\"\n[tones]\ngood = \"gren\"",
        0o644,
    );
    assert_eq!(
        home.run(&["themes"]).out,
        "dark\nlight\nansi16\nmono\ncontrast\ncolorblind\nmine\n"
    );
    assert_eq!(home.run(&["themes", "light"]).code, 0);
    let wrong = home.run(&["themes", "mine"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("mine.toml:3:8: \"gren\" is no colour"),
        "{}",
        wrong.err
    );
}

#[test]
fn references_manual_and_completions_are_printed() {
    let home = Home::new();
    for (args, word) in [
        (&["config", "print"][..], "[clusters.prod]"),
        (&["config", "print", "keymap"], "palette.open"),
        (&["config", "print", "theme"], "[tones]"),
        (&["config", "path"], ".config/pvedeck/config.toml"),
        (&["man"], ".TH pvedeck"),
        (&["man", "get"], "pvedeck"),
        (&["completions", "bash"], "_pvedeck"),
        (&["completions", "zsh"], "#compdef pvedeck"),
        (&["completions", "fish"], "complete -c pvedeck"),
    ] {
        let outcome = home.run(args);
        assert_eq!(outcome.code, 0, "{args:?}: {}", outcome.err);
        assert!(outcome.out.contains(word), "{args:?}: {}", outcome.out);
    }
    assert_eq!(home.run(&["man", "nope"]).code, 2);
}

#[test]
fn who_stops_reading_ends_it_quietly() {
    let home = Home::new();
    let mut child = home
        .command(&["config", "print", "keymap"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(err, "");
}
