//! Tests of the room as a whole: layers, complaints, and the reference against the code.

use std::{collections::BTreeSet, time::Duration};

use super::*;

const OPTIONS: [(&str, &[&str]); 9] = [
    ("acting", acting::ACTING_KEYS),
    ("columns", graphs::COLUMN_KEYS),
    ("grafana", graphs::GRAFANA_KEYS),
    ("quotas.acme", acting::QUOTA_KEYS),
    ("ssh", ssh::SSH_KEYS),
    ("ui", console::UI_KEYS),
    ("limits", console::LIMIT_KEYS),
    ("clusters.prod", cluster::KEYS),
    ("pbs.store", cluster::KEYS),
];

/// A home with these files: name, text, mode.
pub(super) fn home(files: &[(&str, &str, u32)]) -> (tempfile::TempDir, Places) {
    let dir = tempfile::tempdir().unwrap();
    let places = Places {
        system: dir.path().join("etc"),
        user: Some(dir.path().join("user")),
        state: None,
        home: Some(dir.path().to_owned()),
    };
    for (name, text, mode) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(*mode)).unwrap();
        let _ = mode;
    }
    (dir, places)
}

/// What is said about a configuration, without the directory.
fn said(text: &str) -> String {
    let (dir, places) = home(&[("user/config.toml", text, 0o600)]);
    let error = match Settings::load(&places, None) {
        Ok(settings) => {
            let clusters = settings.clusters(&Overrides::default()).err();
            clusters.unwrap_or_else(|| settings.backup_servers(&Overrides::default()).unwrap_err())
        }
        Err(error) => error,
    };
    error
        .to_string()
        .replace(&format!("{}/user/", dir.path().display()), "")
}

#[test]
fn nothing_is_needed() {
    let (_dir, places) = home(&[]);
    let settings = Settings::load(&places, None).unwrap();
    assert!(!settings.has_clusters() && settings.files.is_empty());
    assert!(settings.clusters(&Overrides::default()).unwrap().is_empty());
}

#[test]
fn later_layers_override_field_by_field() {
    let (dir, places) = home(&[
        (
            "etc/config.toml",
            "[ui]\nmouse = false\nascii = true\n[clusters.prod]\nurls = [\"a\", \"b\"]\ntimeout = 7\n\
             read_only = true\n[clusters.lab]\nurl = \"lab\"\ntoken_command = [\"echo\"]",
            0o644,
        ),
        (
            "user/config.toml",
            "[ui]\nmouse = true\n[clusters.zoo]\nurl = \"zoo\"\nuser = \"root@pam\"\n[clusters.prod]\n\
             token_file = \"prod.token\"\nread_only = false",
            0o644,
        ),
        ("user/prod.token", "me@pve!x=hidden\n", 0o600),
    ]);
    let settings = Settings::load(&places, None).unwrap();
    assert!(settings.ui.mouse && settings.ui.ascii);
    assert_eq!(settings.files.len(), 2);
    let clusters = settings.clusters(&Overrides::default()).unwrap();
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.id.as_str()).collect();
    assert_eq!(names, ["prod", "lab", "zoo"]);
    let prod = &clusters[0];
    assert_eq!(
        prod.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://a:8006", "https://b:8006"]
    );
    assert_eq!(prod.timeout, Duration::from_secs(7));
    assert!(prod.read_only, "a user cannot undo the machine's read_only");
    assert!(matches!(&prod.sign_in, SignIn::Token(token) if token.id == "me@pve!x"));
    assert!(matches!(
        &clusters[2].sign_in,
        SignIn::Password { password: None, .. }
    ));
    assert!(!format!("{settings:?}{clusters:?}").contains("hidden"));

    let only = Settings::load(&places, Some(&dir.path().join("etc/config.toml"))).unwrap();
    assert_eq!(only.cluster_names().collect::<Vec<_>>(), ["prod", "lab"]);
}

#[test]
fn a_backup_server_is_configured_as_a_cluster_is() {
    let text = "[pbs.store]\nurl = \"pbs1\"\ntoken = \"me@pbs!x:hidden\"\nread_only = true\n\
                [clusters.prod]\nurl = \"pve1\"\ntoken_command = [\"echo\"]";
    let (_dir, places) = home(&[("user/config.toml", text, 0o600)]);
    let settings = Settings::load(&places, None).unwrap();
    let found = |cluster: Option<&str>| {
        let overrides = Overrides {
            cluster: cluster.map(str::to_owned),
            ..Overrides::default()
        };
        let names = |servers: Vec<ClusterSettings>| {
            let ids = servers.iter().map(|server| server.id.to_string());
            ids.collect::<Vec<_>>().join(" ")
        };
        (
            names(settings.clusters(&overrides).unwrap()),
            names(settings.backup_servers(&overrides).unwrap()),
        )
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(found(None), pair("prod", "store"));
    assert_eq!(found(Some("prod")), pair("prod", ""));
    assert_eq!(found(Some("store")), pair("", "store"));
    let server = settings.backup_servers(&Overrides::default()).unwrap().remove(0);
    assert_eq!(server.endpoints[0].to_string(), "https://pbs1:8007");
    assert_eq!(server.kind, ServerKind::BackupServer);
    assert!(server.read_only);
    assert!(matches!(&server.sign_in, SignIn::Token(token) if token.id == "me@pbs!x"));
    assert!(!format!("{settings:?}{server:?}").contains("hidden"));
    let (_dir, places) = home(&[("user/config.toml", text, 0o644)]);
    let error = Settings::load(&places, None).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn the_environment_names_a_backup_server_beside_a_cluster() {
    let vars = [
        ("PVEDECK_URL", "host"),
        ("PVEDECK_TOKEN", "me@pve!x=y"),
        ("PVEDECK_PBS_URL", "host"),
        ("PVEDECK_PBS_TOKEN", "me@pbs!x:y"),
    ];
    let fill = |mut overrides: Overrides, vars: &[(&str, &str)]| {
        overrides.fill_from(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        overrides
    };
    let (_dir, places) = home(&[(
        "user/config.toml",
        "[pbs.store]\nurl = \"x\"\nuser = \"a@b\"",
        0o600,
    )]);
    let settings = Settings::load(&places, None).unwrap();
    let all = fill(Overrides::default(), &vars);
    assert_eq!(settings.clusters(&all).unwrap()[0].id.as_str(), "host");
    let servers = settings.backup_servers(&all).unwrap();
    assert_eq!(servers.len(), 1);
    assert_eq!(servers[0].id.as_str(), "host:8007");
    // A flag that names one of the files leaves the environment aside.
    let named = Overrides {
        cluster: Some("store".to_owned()),
        ..Overrides::default()
    };
    let servers = settings.backup_servers(&fill(named, &vars)).unwrap();
    assert_eq!(servers[0].id.as_str(), "store");
    let error = settings
        .backup_servers(&fill(Overrides::default(), &vars[2..3]))
        .unwrap_err();
    assert!(error.to_string().contains("PVEDECK_PBS_TOKEN"), "{error}");
}

#[test]
fn mistakes_have_a_line_and_a_column() {
    for (text, complaint) in [
        (
            "[ui]\nthmee = \"dark\"",
            "config.toml:2:1: unknown key `thmee` in [ui]: did you mean `theme`?",
        ),
        ("[uii]", "config.toml:1:2: unknown key `uii`: did you mean `ui`?"),
        (
            "[ui]\nmouse = \"yes\"",
            "config.toml:2:9: `mouse` must be true or false, not string",
        ),
        (
            "ui = 3",
            "config.toml:1:6: `ui` must be a table, [ui], not integer",
        ),
        (
            "[ui]\ntime_zone = \"Europe/Wien\"",
            "config.toml:2:13: there is no time zone \"Europe/Wien\"",
        ),
        (
            "[limits]\nstorage_warning = -1",
            "config.toml:2:19: `storage_warning` must be a whole number from 1 to 100",
        ),
        ("[ui\n", "config.toml:1:4: not valid TOML"),
        (
            "[clusters.\"a b\"]",
            "config.toml:1:11: a cluster's name has letters",
        ),
        (
            "[clusters.p]\nurl = \"http://x\"",
            "config.toml:2:7: not an address: plain http is not possible",
        ),
        (
            "[clusters.p]\nurl = \"x\"",
            "config.toml:1:11: cluster `p` has no sign-in",
        ),
        (
            "[clusters.p]\nuser = \"a@b\"",
            "config.toml:1:11: cluster `p` has no address",
        ),
        (
            "[pbs.p]\nuser = \"a@b\"",
            "config.toml:1:6: Backup Server `p` has no address; add url = \"https://host:8007\"",
        ),
        (
            "[pbs.p]\nurl = \"x\"\nstore = \"main\"",
            "config.toml:3:1: unknown key `store` in [pbs.p]",
        ),
        (
            "[clusters.p]\n[pbs.p]",
            "config.toml:2:6: a cluster is called `p` already; the Backup Server needs another name",
        ),
        (
            "[clusters.p]\nurl = \"x\"\nurls = []",
            "config.toml:3:8: `url` and `urls` exclude each other",
        ),
        (
            "[clusters.p]\nurls = [\"x\", \"https://x:8006\"]",
            "config.toml:2:14: the same is listed twice",
        ),
        (
            "[clusters.p]\ntoken = \"a@b!c=d\"\nuser = \"a@b\"",
            "config.toml:3:8: `token` and `user` exclude each other",
        ),
        (
            "[clusters.p]\ntoken = \"hidden\"",
            "config.toml:2:9: `token`: there is no `=` in it",
        ),
        (
            "[clusters.p]\npassword = \"hidden\"",
            "config.toml:2:12: `password` needs `user`",
        ),
        (
            "[clusters.p]\nuser = \"root\"",
            "config.toml:2:8: `user` has the form user@realm",
        ),
        (
            "[clusters.p]\ntoken_command = \"pass show\"",
            "config.toml:2:17: `token_command` must be a list of texts",
        ),
        (
            "[clusters.p]\ntoken_command = [1]",
            "config.toml:2:18: `token_command` must hold texts only",
        ),
        (
            "[clusters.p]\nfingerprint = \"AB:CD\"",
            "config.toml:2:15: not a fingerprint: a SHA-256 fingerprint has 64",
        ),
        ("[clusters.p]\nurl = \"\"", "config.toml:2:7: `url` is empty"),
        (
            "[clusters.p]\nreadonly = true",
            "config.toml:2:1: unknown key `readonly` in [clusters.p]: did you mean `read_only`?",
        ),
    ] {
        let all = said(text);
        assert!(all.starts_with(complaint), "{text}\n{all}");
        assert!(!all.contains("hidden"), "{all}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_eq!(
        said("[ui]\nmouse = 1\nascii = 2\n[limits]\nx = 1")
            .lines()
            .count(),
        3
    );
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_refused() {
    let (dir, places) = home(&[(
        "user/config.toml",
        "[clusters.p]\nurl = \"x\"\ntoken = \"a@b!c=hidden\"",
        0o644,
    )]);
    let error = Settings::load(&places, None).unwrap_err().to_string();
    let path = dir.path().join("user/config.toml");
    assert!(
        error.contains(&format!("run: chmod 600 {}", path.display())),
        "{error}"
    );
    assert!(!error.contains("hidden"));

    let (_dir, places) = home(&[
        (
            "user/config.toml",
            "[clusters.p]\nurl = \"x\"\ntoken_file = \"t\"",
            0o644,
        ),
        ("user/t", "a@b!c=hidden", 0o604),
    ]);
    let error = Settings::load(&places, None)
        .unwrap()
        .clusters(&Overrides::default())
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("config.toml:3:14") && error.contains("chmod 600"),
        "{error}"
    );
}

#[test]
fn a_file_asked_for_must_exist() {
    let (dir, places) = home(&[]);
    let error = Settings::load(&places, Some(&dir.path().join("none.toml"))).unwrap_err();
    assert!(
        error.to_string().ends_with("none.toml: there is no such file"),
        "{error}"
    );
}

/// The reference with its options switched on, by section.
fn documented() -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in REFERENCE.lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), Vec::new()));
        } else if line
            .split_once(" = ")
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        {
            sections.last_mut().unwrap().1.push(line.to_owned());
        }
    }
    sections
}

#[test]
fn every_option_is_documented_and_every_documented_option_exists() {
    let documented = documented();
    let monitors = MonitorKind::ALL.map(|kind| (format!("[{}]", kind.section()), monitoring::keys(kind)));
    let mut sections: Vec<(String, Vec<&str>)> = OPTIONS
        .iter()
        .map(|(name, keys)| ((*name).to_owned(), keys.to_vec()))
        .chain(monitors)
        .collect();
    sections.push(("[metric]".to_owned(), metrics::KEYS.to_vec()));
    assert_eq!(documented.len(), sections.len());
    for (name, keys) in &sections {
        let (_, lines) = documented.iter().find(|(section, _)| section == name).unwrap();
        let lines: BTreeSet<&str> = lines
            .iter()
            .filter_map(|line| Some(line.split_once(" = ")?.0))
            .collect();
        assert_eq!(lines, keys.iter().copied().collect(), "[{name}]");
    }
}

#[test]
fn documented_defaults_are_the_defaults() {
    let mut text = String::new();
    for (name, lines) in documented()
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "ui" | "limits"))
    {
        text.extend(["[", name, "]\n", &lines.join("\n"), "\n"]);
    }
    text.push_str("[clusters.p]\nurl = \"x\"\ntoken_command = [\"x\"]\n");
    let shown = |key: &str| {
        let all = documented();
        let (_, lines) = all.iter().find(|(name, _)| name == "clusters.prod").unwrap();
        lines
            .iter()
            .find(|line| line.starts_with(&format!("{key} = ")))
            .unwrap()
            .clone()
    };
    let plain = text.clone();
    for key in ["read_only", "timeout", "connect_timeout"] {
        text.extend([&shown(key), "\n"]);
    }
    let (_dir, places) = home(&[("user/config.toml", &text, 0o600), ("plain.toml", &plain, 0o600)]);
    let read = Settings::load(&places, None).unwrap();
    assert_eq!((&read.ui, read.limits), (&Ui::default(), Limits::default()));
    let plain = Settings::load(&places, Some(&places.home.clone().unwrap().join("plain.toml"))).unwrap();
    let connect = |settings: &Settings| format!("{:?}", settings.clusters(&Overrides::default()).unwrap());
    assert_eq!(connect(&read), connect(&plain));
}

#[test]
fn documented_examples_of_monitoring_are_valid() {
    for kind in MonitorKind::ALL {
        let section = kind.section();
        let name = format!("[{section}]");
        let all = documented();
        let (_, lines) = all.iter().find(|(known, _)| *known == name).unwrap();
        let url = lines.iter().find(|line| line.starts_with("url = ")).unwrap();
        for line in lines
            .iter()
            .filter(|line| !line.contains('…') && !line.starts_with("url = "))
        {
            let beside = match line.split_once(' ').unwrap().0 {
                "user" => "\npassword = \"x\"",
                "password" | "password_file" => "\nuser = \"a\"",
                _ => "",
            };
            // A secret needs https; an address of this machine does as well.
            let url = if line.contains("token") || line.contains("password") || line.contains("user") {
                "url = \"https://mon\""
            } else {
                url
            };
            let text = format!("[[{section}]]\n{url}\n{line}{beside}\n[clusters.prod]\nurl = \"x\"");
            let (_dir, places) = home(&[("user/config.toml", &text, 0o600)]);
            let settings = Settings::load(&places, None).unwrap_or_else(|error| panic!("{error}"));
            let given = format!("{:?}", settings.monitors);
            assert!(!given.is_empty() && settings.monitors.len() == 1);
            let default = match line.split_once(" = ").unwrap() {
                ("timeout", value) => value == MonitorSettings::DEFAULT_TIMEOUT.as_secs().to_string(),
                ("cluster_label", value) => value == format!("{:?}", MonitorSettings::DEFAULT_CLUSTER_LABEL),
                ("name", value) => value == format!("{section:?}"),
                ("read_only", value) => value == "false",
                _ => true,
            };
            assert!(default, "[[{section}]] {line} is not the default");
        }
    }
    let all = documented();
    let (_, lines) = all.iter().find(|(name, _)| name == "[metric]").unwrap();
    let text = format!("[[metric]]\n{}", lines.join("\n"));
    let (_dir, places) = home(&[("user/config.toml", &text, 0o600)]);
    assert_eq!(Settings::load(&places, None).unwrap().metrics.len(), 1);
}

#[test]
fn documented_examples_of_a_cluster_are_valid() {
    for (_, lines) in documented().iter().filter(|(name, _)| name == "clusters.prod") {
        for line in lines.iter().filter(|line| !line.contains('…')) {
            let user = if line.starts_with("password") || line.starts_with("totp") {
                "user = \"a@b\"\n"
            } else {
                ""
            };
            let (_dir, places) = home(&[("user/config.toml", &format!("[clusters.p]\n{user}{line}"), 0o600)]);
            Settings::load(&places, None).unwrap();
        }
    }
}
