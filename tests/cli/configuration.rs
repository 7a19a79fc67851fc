//! Files with mistakes, files that others can read, and no file at all.

use std::fs;

use crate::home::Home;

#[test]
fn without_anything_it_says_what_to_do() {
    let outcome = Home::new().run(&["get", "guests"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.err.contains("pvedeck login") && outcome.err.contains("pvedeck demo"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_typo_has_a_line_a_column_and_advice() {
    let home = Home::new();
    home.file(
        "config.toml",
        "[ui]\nmouse = true\n\n[clusters.prod]\nurl = \"pve1\"\nreadonly = true\n",
        0o600,
    );
    for args in [&["get", "guests"][..], &["config", "check"], &["doctor"]] {
        let outcome = home.run(args);
        assert_eq!(outcome.code, 2, "{args:?}");
        let said = format!("{}{}", outcome.out, outcome.err);
        assert!(
            said.contains(
                "config.toml:6:1: unknown key `readonly` in [clusters.prod]: did you mean `read_only`?"
            ),
            "{said}"
        );
    }
}

#[test]
fn what_others_can_read_is_refused_and_not_shown() {
    let home = Home::new();
    let path = home.file(
        "config.toml",
        "[clusters.p]\nurl = \"x\"\ntoken = \"a@b!c=hidden\"\n",
        0o644,
    );
    let outcome = home.run(&["get", "guests"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.err.contains(&format!("chmod 600 {}", path.display())),
        "{}",
        outcome.err
    );

    home.file(
        "config.toml",
        "[clusters.p]\nurl = \"x\"\ntoken_file = \"t\"\n",
        0o644,
    );
    let token = home.file("t", "a@b!c=hidden\n", 0o640);
    let file = home.run(&["get", "guests"]);
    assert_eq!(file.code, 2);
    assert!(
        file.err.contains(&format!("chmod 600 {}", token.display())),
        "{}",
        file.err
    );
    assert!(!format!("{outcome:?}{file:?}").contains("hidden"));
}

#[test]
fn a_good_configuration_has_no_mistakes() {
    let home = Home::new();
    home.file(
        "config.toml",
        "[clusters.p]\nurl = \"x\"\nuser = \"root@pam\"\n[ui]\ntheme = \"light\"\n",
        0o644,
    );
    let outcome = home.run(&["config", "check"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.err.ends_with("no mistakes\n"), "{}", outcome.err);
    home.file("config.toml", "[ui]\ntheme = \"lihgt\"\n", 0o644);
    let outcome = home.run(&["config", "check"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("did you mean `light`?"), "{}", outcome.err);
}

#[test]
fn another_file_takes_the_place_of_the_users() {
    let home = Home::new();
    home.file("config.toml", "[broken", 0o644);
    let other = home.file("other.toml", "[ui]\nmouse = false\n", 0o644);
    assert_eq!(
        home.run(&["config", "check", "--config", other.to_str().unwrap()])
            .code,
        0
    );
    let missing = home.run(&["--config", "/nowhere/x.toml", "config", "check"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("/nowhere/x.toml: there is no such file"),
        "{}",
        missing.err
    );
}

#[test]
fn a_password_is_not_asked_for_where_nobody_is() {
    let home = Home::new();
    home.file(
        "config.toml",
        "[clusters.p]\nurl = \"x\"\nuser = \"root@pam\"\n",
        0o644,
    );
    let outcome = home.run(&["get", "guests"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("password_file"), "{}", outcome.err);
}

#[test]
fn the_log_is_a_file_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.run(&["get", "guests"]);
    let state = home.path().join(".local/state/pvedeck");
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
}
