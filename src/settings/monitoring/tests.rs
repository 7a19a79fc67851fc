//! Servers of all kinds, mistakes, and layers.

use secrecy::ExposeSecret;

use super::*;
use crate::settings::{SHIPPED_METRICS, tests::home};

fn monitors(text: &str) -> Result<Vec<MonitorSettings>, String> {
    let (dir, places) = home(&[
        ("user/config.toml", text, 0o600),
        ("user/secret", "hidden\n", 0o600),
        ("user/open", "hidden\n", 0o644),
    ]);
    let settings = Settings::load(&places, None);
    let found = settings.and_then(|settings| settings.monitors());
    found.map_err(|error| {
        error
            .to_string()
            .replace(&format!("{}/user/", dir.path().display()), "")
    })
}

#[test]
fn servers_of_all_kinds() {
    let found = monitors(
        "[clusters.prod]\nurl = \"x\"\n[prometheus]\nurl = \"http://localhost:9090\"\n\
         [[alertmanager]]\nname = \"a\"\nurl = \"https://a/b\"\nuser = \"alice\"\npassword_file = \"secret\"\n\
         clusters = [\"prod\"]\nread_only = true\n[[alertmanager]]\nname = \"b\"\nurl = \"https://b\"\n\
         token_file = \"secret\"\n[[exporter]]\nurl = \"http://pve1:9221/pve\"\n\
         params = { cluster = \"1\", module = \"default\" }\n",
    )
    .unwrap();
    let names: Vec<(&str, &str)> = found
        .iter()
        .map(|monitor| (monitor.kind.section(), monitor.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("prometheus", "prometheus"),
            ("alertmanager", "a"),
            ("alertmanager", "b"),
            ("exporter", "exporter")
        ]
    );
    assert!(matches!(&found[1].access, MonitorAccess::Basic { user, password }
        if user == "alice" && password.expose_secret() == "hidden"));
    assert!(matches!(&found[2].access, MonitorAccess::Bearer(token) if token.expose_secret() == "hidden"));
    assert!(found[1].read_only && !found[2].read_only);
    let (prod, lab) = (ClusterId::from("prod"), ClusterId::from("lab"));
    assert!(
        found[0].info().watches(&lab) && found[1].info().watches(&prod) && !found[1].info().watches(&lab)
    );
    assert_eq!(found[3].params.len(), 2);
    assert!(!format!("{found:?}").contains("hidden"));
}

#[test]
fn mistakes_have_a_line_and_a_column() {
    for (text, said) in [
        ("[[prometheus]]", "config.toml:1:1: [[prometheus]] has no address"),
        (
            "[[prometheus]]\nurl = \"mon:9090\"",
            "config.toml:2:7: not an address: write it with http:// or https://",
        ),
        (
            "[[prometheus]]\nurl = \"http://mon\"\ntoken = \"hidden\"",
            "config.toml:2:7: a secret sent by plain http",
        ),
        (
            "[[prometheus]]\nurl = \"https://mon\"\ntoken = \"hidden\"\nuser = \"a\"",
            "config.toml:4:8: `token` and `user` exclude each other",
        ),
        (
            "[[prometheus]]\nurl = \"https://mon\"\nuser = \"a\"",
            "config.toml:3:8: `user` needs",
        ),
        (
            "[[prometheus]]\nurl = \"https://mon\"\ntoken_file = \"open\"",
            "config.toml:3:14: open: holds a secret and others can read it",
        ),
        (
            "[[prometheus]]\nurl = \"https://mon\"\nread_only = true",
            "config.toml:3:1: unknown key `read_only` in [[prometheus]]",
        ),
        (
            "[[alertmanager]]\nurl = \"https://mon\"\nclusters = [\"prd\"]\n[clusters.prod]\nurl = \"x\"",
            "config.toml:3:13: there is no cluster `prd`: did you mean `prod`?",
        ),
        (
            "[[exporter]]\nurl = \"http://a\"\n[[exporter]]\nurl = \"http://b\"",
            "config.toml:3:1: there is another [[exporter]] with the name `exporter`",
        ),
        ("prometheus = 3", "config.toml:1:14: `prometheus` must be a table"),
        (
            "[[metric]]\nname = \"x\"\nof = \"guets\"\nquery = \"a{$object}\"\nlabels = { a = \"{vmid}\" }",
            "config.toml:3:6: `of` cannot be \"guets\": did you mean `guest`?",
        ),
        (
            "[[metric]]\nname = \"x\"\nof = \"guest\"\nquery = \"a\"\nlabels = { a = \"{vmid}\" }",
            "config.toml:4:9: `query`: $object is missing",
        ),
        (
            "[[metric]]\nname = \"x\"\nof = \"guest\"\nquery = \"a{$object}\"\nlabels = { a = \"{vmdi}\" }",
            "config.toml:5:10: `labels`: `{vmdi}` stands for nothing",
        ),
        ("[[metric]]\nname = \"x\"", "config.toml:1:1: a metric needs `of`"),
    ] {
        let error = monitors(text).unwrap_err();
        assert!(error.starts_with(said), "{text}\n{error}");
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[test]
fn later_files_replace_by_name_and_never_loosen() {
    let (_dir, places) = home(&[
        (
            "etc/config.toml",
            "[[alertmanager]]\nurl = \"https://old\"\nread_only = true\n[[exporter]]\nurl = \"http://e\"",
            0o644,
        ),
        (
            "user/config.toml",
            "[[alertmanager]]\nurl = \"https://new\"",
            0o644,
        ),
    ]);
    let found = Settings::load(&places, None).unwrap().monitors().unwrap();
    assert_eq!(found.len(), 2);
    let manager = found
        .iter()
        .find(|one| one.kind == MonitorKind::Alertmanager)
        .unwrap();
    assert_eq!(manager.url.host, "new");
    assert!(manager.read_only, "a user cannot undo the machine's read_only");
}

#[test]
fn own_metrics_come_before_those_of_the_program() {
    let text = "[[metric]]\nname = \"cpu\"\nof = \"guest\"\nquery = \"my_cpu{$object}\"\nneeds = [\"my_cpu\"]\n\
                labels = [{ vm = \"{vmid}\" }, { host = \"{name}\" }]";
    let (_dir, places) = home(&[("user/config.toml", text, 0o600)]);
    let metrics = Settings::load(&places, None).unwrap().metrics();
    assert_eq!(
        (&*metrics[0].query, metrics[0].maps.len()),
        ("my_cpu{$object}", 2)
    );
    assert_eq!(metrics.len(), 1 + SHIPPED_METRICS.matches("[[metric]]").count());
}
