//! Writing a cluster or a Backup Server into a configuration file that a person has written: comments and everything else stay as they
//! are, and a file that would no longer be valid is not written.

use std::{
    fs, io,
    io::Write as _,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

use super::{
    ServerKind, Settings,
    places::Places,
    problem::{Problem, Problems},
    reader::Reader,
    secret,
};

/// Sets keys of `[clusters.NAME]` or `[pbs.NAME]` in the file, which need not exist; `None` takes a key out. The file is readable by
/// its owner alone afterwards.
///
/// # Errors
/// The file cannot be read or written, or is not valid before or after.
pub fn set_server(
    places: &Places,
    path: &Path,
    kind: ServerKind,
    name: &str,
    keys: &[(&str, Option<toml::Value>)],
) -> Result<(), Problems> {
    let text = match secret::read_text(path) {
        Ok((text, _)) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Problem::whole(path.display(), secret::cannot_read(&error)).into()),
    };
    let edited = edited(path, &text, kind, name, keys)?;
    // It will be private once it is written.
    let problems = Settings::default().overlay(places, path, &edited, false);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    write_private(path, &edited)
        .map_err(|error| Problem::whole(path.display(), format!("cannot be written: {error}")).into())
}

/// The text with the keys set.
fn edited(
    path: &Path,
    text: &str,
    kind: ServerKind,
    name: &str,
    keys: &[(&str, Option<toml::Value>)],
) -> Result<String, Problems> {
    let (reader, table) = Reader::parse(path, text);
    let Some(table) = table else {
        return Err(Problems(reader.problems));
    };
    let section = table
        .get(kind.section())
        .and_then(|servers| servers.get_ref().as_table())
        .and_then(|servers| servers.get_key_value(name));
    let Some((header, cluster)) = section else {
        return Ok(appended(text, kind, name, keys));
    };
    let cluster = cluster.get_ref().as_table().cloned().unwrap_or_default();
    Ok(replaced(text, &header.span(), &cluster, keys))
}

fn line(key: &str, value: &toml::Value) -> String {
    format!("{key} = {value}\n")
}

fn appended(text: &str, kind: ServerKind, name: &str, keys: &[(&str, Option<toml::Value>)]) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    // A dot in a bare key would make two keys of it.
    let name = if name.contains('.') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    };
    text.extend(["[", kind.section(), ".", &name, "]\n"]);
    text.extend(
        keys.iter()
            .filter_map(|(key, value)| Some(line(key, value.as_ref()?))),
    );
    text
}

fn replaced(
    text: &str,
    header: &Range<usize>,
    cluster: &DeTable<'_>,
    keys: &[(&str, Option<toml::Value>)],
) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let after_header = text[header.end..]
        .find('\n')
        .map_or(text.len(), |at| header.end + at + 1);
    let mut added = String::new();
    for (key, value) in keys {
        match (cluster.get_key_value(*key), value) {
            (Some((_, old)), Some(new)) => edits.push((old.span(), new.to_string())),
            (Some((old_key, old)), None) => {
                let start = text[..old_key.span().start].rfind('\n').map_or(0, |at| at + 1);
                let end = text[old.span().end..]
                    .find('\n')
                    .map_or(text.len(), |at| old.span().end + at + 1);
                edits.push((start..end, String::new()));
            }
            (None, Some(new)) => added.push_str(&line(key, new)),
            (None, None) => {}
        }
    }
    if !added.is_empty() {
        edits.push((after_header..after_header, added));
    }
    // From the end, so that the places before stay what they are.
    edits.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
    let mut text = text.to_owned();
    for (range, new) in edits {
        let gap = if range.start == text.len() && !text.ends_with('\n') {
            "\n"
        } else {
            ""
        };
        text.replace_range(range, &format!("{gap}{new}"));
    }
    text
}

/// Writes a file that only its owner can read, all of it or nothing.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // Who keeps the file elsewhere and links to it goes on doing so.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&directory)?;
    let temporary = directory.join(format!(".pvedeck-{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    });
    if written.is_err() {
        // What is left must not keep a secret; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;
    use crate::settings::Overrides;

    fn set(key: &'static str, value: &str) -> (&'static str, Option<Value>) {
        (key, Some(Value::from(value)))
    }

    fn edit(text: &str, name: &str, keys: &[(&str, Option<Value>)]) -> String {
        edited(Path::new("config.toml"), text, ServerKind::Cluster, name, keys).unwrap()
    }

    #[test]
    fn a_new_cluster_comes_last() {
        let keys = [
            set("url", "https://pve1:8006"),
            ("token_file", None),
            ("read_only", Some(Value::from(true))),
        ];
        let new = "[clusters.prod]\nurl = \"https://pve1:8006\"\nread_only = true\n";
        assert_eq!(edit("", "prod", &keys), new);
        assert_eq!(
            edit("[ui]\nmouse = true # mine", "prod", &keys),
            format!("[ui]\nmouse = true # mine\n\n{new}")
        );
        assert!(edit("", "pve.example", &keys).starts_with("[clusters.\"pve.example\"]\n"));
    }

    #[test]
    fn a_known_cluster_keeps_everything_else() {
        let text = "# top\n[clusters.prod] # mine\n# where\nurl = \"a\" # old\ntoken_command = [\n  \"pass\",\n]\n\
                    timeout = 7\n\n[clusters.lab]\nurl = \"b\"\n";
        let keys = [set("url", "c"), ("token_command", None), set("fingerprint", "FF")];
        assert_eq!(
            edit(text, "prod", &keys),
            "# top\n[clusters.prod] # mine\nfingerprint = \"FF\"\n# where\nurl = \"c\" # old\ntimeout = 7\n\n\
             [clusters.lab]\nurl = \"b\"\n"
        );
        assert_eq!(
            edit("[clusters.prod]", "prod", &[set("url", "c")]),
            "[clusters.prod]\nurl = \"c\"\n"
        );
    }

    #[test]
    fn a_backup_server_has_a_section_of_its_own() {
        let edit = |text: &str| {
            let keys = [set("url", "https://pbs1:8007")];
            edited(
                Path::new("config.toml"),
                text,
                ServerKind::BackupServer,
                "store",
                &keys,
            )
            .unwrap()
        };
        let new = edit("");
        assert_eq!(new, "[pbs.store]\nurl = \"https://pbs1:8007\"\n");
        assert_eq!(edit("[pbs.store]\nurl = \"old\"\n"), new);
    }

    #[test]
    fn a_written_file_is_private_valid_and_readable() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places {
            system: dir.path().join("etc"),
            user: Some(dir.path().join("user")),
            state: None,
            home: None,
        };
        let path = places.user_config().unwrap();
        set_server(
            &places,
            &path,
            ServerKind::Cluster,
            "prod",
            &[set("url", "pve1"), set("token", "a@b!c=d\"e")],
        )
        .unwrap();
        set_server(&places, &path, ServerKind::Cluster, "prod", &[set("url", "pve2")]).unwrap();
        let clusters = Settings::load(&places, None)
            .unwrap()
            .clusters(&Overrides::default())
            .unwrap();
        assert_eq!(clusters[0].endpoints[0].host, "pve2");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left lying about"
        );
    }

    #[test]
    fn a_file_that_would_be_wrong_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places {
            system: dir.path().into(),
            user: None,
            state: None,
            home: None,
        };
        let path = dir.path().join("config.toml");
        for text in ["[ui\n", "clusters.prod = { url = \"a\", user = \"x@y\" }\n"] {
            fs::write(&path, text).unwrap();
            assert!(
                set_server(
                    &places,
                    &path,
                    ServerKind::Cluster,
                    "prod",
                    &[set("token", "a@b!c=d")]
                )
                .is_err()
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
